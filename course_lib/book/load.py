"""What a page asks for before anybody does something, and how much that weighs.

``python -m course_lib.book.load`` prints how large the built site is and its ten heaviest pages.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from course_lib.book.serving import COMPRESSED, compressed
from course_lib.book.site import site_path
from course_lib.paths import find_root

__all__ = ["BUDGET", "PageLoad", "first_load", "page_loads", "report", "weight"]

#: As much as a page may weigh, in bytes, compressed.
BUDGET = 500_000

_ASKED = re.compile(
    r"<(?:script|img|source)\b[^>]*?\bsrc=\"([^\"]+)\""
    r"|<link\b(?=[^>]*\brel=\"(?:stylesheet|icon|preload)\")[^>]*?\bhref=\"([^\"]+)\""
)
_IN_SHEET = re.compile(r"url\(\s*[\"']?([^\"')]+)|@import\s+[\"']([^\"']+)")
_FONT = re.compile(r"@font-face\s*\{[^}]*\}")
_FAMILY = re.compile(r"MJX(TEX-?\w*)")


@dataclass(frozen=True)
class PageLoad:
    """A page's first load.

    Attributes
    ----------
    page : str
        Its path below the site.
    files : tuple of Path
        Itself, and what it asks for.
    size : int
        Their bytes, as a server that compresses sends them.
    """

    page: str
    files: tuple[Path, ...]
    size: int


@cache
def weight(path: Path) -> int:
    """Return a file's size in bytes, as it is sent."""
    status = path.stat()
    if path.suffix in COMPRESSED:
        return len(compressed(path, status.st_mtime_ns))
    return status.st_size


def first_load(page: Path) -> tuple[Path, ...]:
    """Return the files that a page asks for by itself, its own first.

    All its images count, although a browser may leave those that lie far below for later. What a
    script asks for when a reader does something (a live part, the search) does not.
    """
    text = page.read_text(encoding="utf-8")
    wanted = dict.fromkeys([page.resolve()])
    # Fonts of formulas: those of the kinds of letters on this page.
    kinds = set(re.findall(r"\bTEX-\w+", text)) | ({"TEX"} if "<mjx-c " in text else set())
    waiting = [(page, address) for pair in _ASKED.findall(text) for address in pair if address]
    while waiting:
        where, address = waiting.pop(0)
        parts = urlsplit(address)
        path = (where.parent / unquote(parts.path)).resolve()
        if parts.scheme or not parts.path or path in wanted or not path.is_file():
            continue
        wanted[path] = None
        if path.suffix == ".css":
            sheet = path.read_text(encoding="utf-8")
            for font in _FONT.findall(sheet):
                family = _FAMILY.search(font)
                if family and family[1] not in kinds:
                    sheet = sheet.replace(font, "")
            waiting += [
                (path, found) for pair in _IN_SHEET.findall(sheet) for found in pair if found
            ]
    return tuple(wanted)


def page_loads(site: Path) -> list[PageLoad]:
    """Return the loads of all pages of a site but those of source code, the heaviest first."""
    loads = []
    for page in sorted(site.rglob("*.html")):
        if not {"_static", "_modules"} & set(page.relative_to(site).parts):
            files = first_load(page)
            loads.append(PageLoad(str(page.relative_to(site)), files, sum(map(weight, files))))
    return sorted(loads, key=lambda load: -load.size)


def report(site: Path) -> str:
    """Return the size of a site and its ten heaviest pages, in lines."""
    files = [path for path in site.rglob("*") if path.is_file()]
    loads = page_loads(site)
    total, sent = sum(path.stat().st_size for path in files), sum(map(weight, files))
    lines = [
        f"The site: {len(loads)} pages, {len(files)} files, {total / 1e6:.1f} MB "
        f"({sent / 1e6:.1f} MB compressed).",
        f"Heaviest pages, first load, compressed (at most {BUDGET / 1e3:.0f} kB):",
    ]
    lines += [
        f"{load.size / 1e3:8.0f} kB {len(load.files):4d} files  {load.page}" for load in loads[:10]
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(report(site_path(find_root())))
