"""A Sphinx extension: the page that brings back what a reader has missed.

``:::{review} due``, ``chapters`` and ``data`` are the places of what ``_static/review/review.js``
shows; ``_static/reading.js``, on every page, keeps the answers in the reader's own browser. What
can be asked again is taken from the built chapters, with their formulas, into a script beside them:
a page that is opened from a file may not fetch other pages.
"""

from __future__ import annotations

import json
import posixpath
import re
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from course_lib.book.prerequisites import Chapter, read_chapters
from course_lib.book.workload import points_of

__all__ = ["chapter_data", "questions_in", "setup"]

_KEY = "review"
_PARTS = ("due", "chapters", "data")
_SCRIPTS = ("review/data.js", "review/review.js")
_QUESTION = re.compile(r'<fieldset class="question" id="([^"]+)">.*?</fieldset>', re.DOTALL)
_ADDRESS = re.compile(r'\b(href|src)="([^"]*)"')


class Review(SphinxDirective):
    """The ``review`` directive, with the name of what is shown there."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        """Keep the place."""
        (part,) = self.arguments
        if part not in _PARTS:
            raise self.error(f"review: {part!r} is none of {', '.join(_PARTS)}.")
        self.env.metadata[self.env.docname][_KEY] = True
        text = "This needs JavaScript, which your browser does not run."
        html = f'<div data-review="{part}"><noscript><p>{text}</p></noscript></div>'
        return [nodes.raw("", html, format="html")]


def questions_in(html: str, page: str, of: str) -> dict[str, str]:
    """Return the questions of a built page by their ids, to be shown on another page.

    Parameters
    ----------
    html : str
        The page.
    page : str
        Its name, such as ``book/part/slug``.
    of : str
        The folder of the page that will show the questions: links are made relative to it.
    """

    def moved(found: re.Match[str]) -> str:
        parts = urlsplit(found[2])
        if parts.scheme:
            return found[0]
        here = posixpath.join(posixpath.dirname(page), parts.path) if parts.path else f"{page}.html"
        path = posixpath.relpath(here, of)
        return f'{found[1]}="{parts._replace(path=path).geturl()}"'

    return {found[1]: _ADDRESS.sub(moved, found[0]) for found in _QUESTION.finditer(html)}


def chapter_data(root: Path, site: Path, chapter: Chapter, of: str) -> dict[str, Any]:
    """Return what the review page has to know of a chapter."""
    html = (site / f"{chapter.page}.html").read_text(encoding="utf-8")
    return {
        "page": chapter.page,
        "subject": chapter.subject,
        "exercise": chapter.exercise,
        "of": points_of(root, chapter.exercise) if chapter.exercise else None,
        "questions": questions_in(html, chapter.page, of),
    }


def _add_scripts(app: Sphinx, page: str, *_: object) -> None:
    """Load the scripts on the pages that have a place for them."""
    if app.env.metadata.get(page, {}).get(_KEY):
        for script in _SCRIPTS:
            app.add_js_file(script)


def _write_data(app: Sphinx, failure: Exception | None) -> None:
    """Write the questions of all chapters."""
    pages = [page for page, known in app.env.metadata.items() if known.get(_KEY)]
    if failure or app.builder.name != "html" or not pages:
        return
    root, site = Path(app.srcdir), Path(app.outdir)
    # All pages of the book lie equally deep.
    of = posixpath.dirname(pages[0])
    data = [chapter_data(root, site, chapter, of) for chapter in read_chapters(root)]
    target = site / "_static" / "review" / "data.js"
    target.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"chapters": data}, ensure_ascii=False, separators=(",", ":"))
    target.write_text(f"const review={text};\n", encoding="utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive."""
    app.add_directive("review", Review)
    app.connect("html-page-context", _add_scripts)
    app.connect("build-finished", _write_data)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
