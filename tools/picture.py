"""Take the picture of the front page that the README shows, from the built site.

``python tools/picture.py`` writes ``.github/page.png``: 1,280 pixels wide, in light mode, with at
most 256 colors. It needs Chromium and the site in ``_build/html`` (``make course``).
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from course_lib.book.printing import browser
from course_lib.paths import CourseError, find_root

#: What the picture shows, in pixels: the menu of all chapters, and the page's top with its figure.
SIZE = {"width": 1280, "height": 860}


def take(page: Path) -> bytes:
    """Return a picture of the top of a built page, as PNG.

    Raises
    ------
    CourseError
        Where the page is not built, or there is no Chromium.
    """
    if not page.is_file():
        raise CourseError(f"There is no {page}. Build the site first: make course.")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser(), args=["--no-sandbox"])
        context = chromium.new_context(viewport=SIZE, color_scheme="light")
        shown = context.new_page()
        shown.goto(page.resolve().as_uri())
        shown.wait_for_load_state("load")
        shown.evaluate("document.fonts.ready.then(() => true)")
        taken = Image.open(io.BytesIO(shown.screenshot())).convert("RGB")
        chromium.close()
    kept = io.BytesIO()
    few = taken.quantize(256, dither=Image.Dither.NONE)
    few.save(kept, format="PNG", optimize=True)
    return kept.getvalue()


if __name__ == "__main__":
    root = find_root()
    try:
        picture = take(root / "_build" / "html" / "index.html")
    except CourseError as error:
        sys.exit(str(error))
    target = root / ".github" / "page.png"
    target.write_bytes(picture)
    print(f"{target.relative_to(root)}: {len(picture) / 1000:.0f} kB")
