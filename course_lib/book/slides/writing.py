"""Writing a deck: a folder with reveal.js that opens from a file, and a PDF of it."""

from __future__ import annotations

import functools
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from course_lib.book.chapters import executed_path, run_chapters
from course_lib.book.prerequisites import Chapter, read_chapters
from course_lib.book.printing import browser, print_page
from course_lib.book.site import install_node_packages
from course_lib.book.slides.deck import Slide, slides_of
from course_lib.book.slides.text import Words
from course_lib.grading.pages.markup import markdown
from course_lib.paths import CourseError

__all__ = ["Deck", "write_decks"]

#: What a deck takes of npm's reveal.js.
_REVEAL = ("reset.css", "reveal.css", "reveal.js", "plugin/notes.js")

#: Seconds that a browser may take to print a deck.
_WITHIN = 180


@dataclass(frozen=True)
class Deck:
    """A deck that was written."""

    chapter: str
    page: Path
    slides: int
    pdf: Path | None = None


def write_decks(
    root: Path,
    slugs: list[str],
    to: Path | None = None,
    *,
    pdf: bool = False,
    tell: Callable[[str], None] = lambda sentence: None,
) -> list[Deck]:
    """Write the slides of chapters, a folder each, replacing older ones.

    Parameters
    ----------
    root : Path
        The course.
    slugs : list of str
        The chapters; those that have not run, or have changed, run first.
    to : Path, optional
        Where the folders are made; ``_build/slides`` by default.
    pdf : bool
        Whether to print each deck, with Chromium.
    tell : callable
        Is told what takes its time.

    Raises
    ------
    CourseError
        If there is no such chapter, npm or a chapter fails, or there is nothing to print with.
    """
    chapters = {chapter.slug: chapter for chapter in read_chapters(root)}
    for slug in slugs:
        if slug not in chapters:
            raise CourseError(f"There is no chapter {slug!r}. There are: {', '.join(chapters)}.")
    if pdf:
        # Told at once, and not after minutes.
        browser()
    install_node_packages(root)
    pages = [chapters[slug].page for slug in slugs]
    run_chapters(root, pages, report=lambda run: tell(f"ran {run.page}") if run.ran else None)
    words = Words(
        {chapter.slug: chapter.subject for chapter in chapters.values()},
        root / "book" / "appendix" / "references.bib",
    )
    made = []
    for slug in slugs:
        folder = (to or root / "_build" / "slides") / slug
        deck = _write(root, chapters[slug], folder, words)
        printed = None
        if pdf:
            tell(f"printing {slug}")
            printed = folder / f"{slug}.pdf"
            print_page(deck.page, printed, query="?print-pdf", scripts=True, within=_WITHIN)
        made.append(Deck(slug, deck.page, deck.slides, printed))
    return made


def _write(root: Path, chapter: Chapter, folder: Path, words: Words) -> Deck:
    notebook = nbformat.read(executed_path(root, chapter.page), as_version=4)
    slides = slides_of(notebook, words, slug=chapter.exercise or chapter.slug)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Whole or not at all: a lesson may be open on the older one.
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{chapter.slug}-") as half:
        made = Path(half) / "deck"
        (made / "figures").mkdir(parents=True)
        for slide in slides:
            if slide.picture:
                (made / "figures" / slide.picture.name).write_bytes(slide.picture.content)
        package = root / "node_modules" / "reveal.js"
        for name in _REVEAL:
            target = made / "reveal" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(package / "dist" / name, target)
        shutil.copyfile(package / "LICENSE", made / "reveal" / "LICENSE")
        shutil.copyfile(Path(__file__).parent / "slides.css", made / "slides.css")
        (made / "index.html").write_text(_page(chapter, slides), encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        made.rename(folder)
    return Deck(chapter.slug, folder / "index.html", len(slides))


def _page(chapter: Chapter, slides: list[Slide]) -> str:
    return _environment().get_template("slides.html.j2").render(chapter=chapter, slides=slides)


@functools.cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["markdown"] = _markdown
    made.filters["line"] = _line
    return made


@functools.lru_cache(maxsize=4096)
def _markdown(text: str) -> Markup:
    """Return Markdown as HTML, formulas as MathML, which browsers set without a script."""
    return Markup(markdown(text, {}))


def _line(text: str) -> Markup:
    """Return Markdown that stands within a line."""
    made = str(_markdown(text)).strip()
    return Markup(made.removeprefix("<p>").removesuffix("</p>"))
