"""The whole book as an EPUB, and as one PDF that Chromium prints.

The PDF is printed twice: the first time to find the page of each chapter, which the table of
contents then names. Its bookmarks are the headings.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from course_lib.book.printing import browser, print_page
from course_lib.book.site import install_node_packages, run_sphinx
from course_lib.paths import CourseError

__all__ = [
    "build_epub",
    "build_pdf",
    "contents",
    "pages_of",
    "print_book",
    "with_contents",
]

_PAGE_OBJECT = re.compile(rb"/Type\s*/Page\b")
_OBJECT = re.compile(rb"(\d+) 0 obj\b(.*?)endobj", re.DOTALL)
_KIDS = re.compile(rb"/Kids\s*\[(.*?)\]", re.DOTALL)
_DESTINATION = re.compile(rb"/([!-.0-;=?-Z\\^-z|~#%]+)\s*\[(\d+) 0 R")
_HEADING = re.compile(
    r'<span id="document-(?P<page>[^"]+)"></span>.*?<h(?P<level>[1-6])[^>]*>(?P<title>.*?)</h',
    re.DOTALL,
)


def build_epub(root: Path) -> Path:
    """Build the EPUB from the chapters that have run.

    Raises
    ------
    CourseError
        With what Sphinx says.
    """
    install_node_packages(root)
    folder = root / "_build" / "epub"
    wanted = folder / "deep-learning-layer-by-layer.epub"
    wanted.unlink(missing_ok=True)
    run_sphinx(root, wanted, ["--builder", "custom", "--custom-builder", "epub"])
    return wanted


def build_pdf(root: Path) -> Path:
    """Build one PDF of the whole book from the chapters that have run.

    Raises
    ------
    CourseError
        With what Sphinx says, and where there is no Chromium to print with.
    """
    browser()
    install_node_packages(root)
    folder = root / "_build" / "singlehtml"
    page = folder / "index.html"
    run_sphinx(root, page, ["--builder", "singlehtml"])
    wanted = root / "_build" / "pdf" / "deep-learning-layer-by-layer.pdf"
    print_book(page, wanted)
    return wanted


def print_book(page: Path, target: Path) -> dict[str, int]:
    """Print a page with everything, with a table of contents; return where each entry begins.

    Raises
    ------
    CourseError
        When it cannot be printed.
    """
    text = page.read_text(encoding="utf-8")
    target.parent.mkdir(parents=True, exist_ok=True)
    entries = contents(text)
    numbers: dict[str, int] = {}
    for _ in range(2):
        page.write_text(with_contents(text, entries, numbers), encoding="utf-8")
        print_page(page, target)
        numbers = pages_of(target.read_bytes(), [place for place, _, _ in entries])
    return numbers


def contents(text: str) -> list[tuple[str, str, str]]:
    """Return the pages of the book as a table of contents has them, from the page with everything.

    Returns
    -------
    list of tuple
        For each its place in the page, its number (empty where it has none), and its title.
    """
    found = []
    for heading in _HEADING.finditer(text):
        number = re.search(r'<span class="section-number">(.*?)</span>', heading["title"])
        title = re.sub(r'<span class="section-number">.*?</span>', "", heading["title"])
        plain = re.sub(r"<[^>]+>", "", title).strip()
        digits = re.sub(r"<[^>]+>", "", number[1]).strip(" .\xa0") if number else ""
        found.append((f"document-{heading['page']}", digits, html.unescape(plain)))
    return found


def with_contents(
    text: str, entries: Iterable[tuple[str, str, str]], numbers: Mapping[str, int]
) -> str:
    """Put a title and a table of contents in front of the text.

    The page of an entry is there where it is known; one that is not takes as much room.
    """
    named = re.search(r"<title>(.*?)</title>", text)
    title_page = f'<div class="title-page"><p class="title">{named[1] if named else ""}</p></div>\n'
    rows = ""
    for place, number, title in entries:
        # A figure space is as wide as a digit.
        page = f"{numbers.get(place, 0) or '':\u2007>4}"
        link = f'<a href="#{html.escape(place)}">{html.escape(title)}</a>'
        part = ' class="part"' if not number and place.endswith("/index") else ""
        rows += f'<li{part}><span class="number">{html.escape(number)}</span>{link}'
        rows += f'<span class="page">{page}</span></li>\n'
    table = f'<nav class="contents"><h2>Contents</h2>\n<ol>\n{rows}</ol></nav>\n'
    return text.replace("<body>\n", f"<body>\n{title_page}{table}", 1)


def pages_of(pdf: bytes, places: Iterable[str]) -> dict[str, int]:
    """Return the pages, from 1, that named places of a PDF lie on, as Chromium writes them."""
    objects = {int(found[1]): found[2] for found in _OBJECT.finditer(pdf)}
    order: dict[int, int] = {}

    def count(number: int) -> None:
        body = objects[number]
        if _PAGE_OBJECT.search(body):
            order[number] = len(order) + 1
        elif kids := _KIDS.search(body):
            for kid in re.findall(rb"(\d+) 0 R", kids[1]):
                count(int(kid))

    root = re.search(rb"/Type\s*/Catalog.*?/Pages\s+(\d+) 0 R", pdf, re.DOTALL)
    if root is None:
        raise CourseError("What was printed is no PDF that has pages.")
    count(int(root[1]))
    named: dict[str, int] = {}
    for body in objects.values():
        for name, page in _DESTINATION.findall(body):
            plain = re.sub(rb"#([0-9A-Fa-f]{2})", lambda hit: bytes([int(hit[1], 16)]), name)
            if int(page) in order:
                named[plain.decode("utf-8", "replace")] = order[int(page)]
    return {place: named[place] for place in places if place in named}
