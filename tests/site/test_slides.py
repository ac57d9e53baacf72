"""The decks of the book's own chapters, and one of them in a browser, opened from its file."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Page

from course_lib.book.chapters import executed_path
from course_lib.book.prerequisites import read_chapters
from course_lib.book.slides.deck import slides_of
from course_lib.book.slides.text import Words, word_count
from course_lib.book.slides.writing import _markdown, write_decks

ROOT = Path(__file__).resolve().parents[2]

# What an audience reads at a glance; of a question with its choices, in a minute.
MOST = {"question": 110, "predict": 75, "list": 125, "section": 45, "figure": 70, "exercise": 70}


@pytest.fixture(scope="module")
def words() -> Words:
    chapters = read_chapters(ROOT)
    titles = {chapter.slug: chapter.subject for chapter in chapters}
    return Words(titles, ROOT / "book" / "appendix" / "references.bib")


@pytest.mark.parametrize("chapter", read_chapters(ROOT), ids=lambda chapter: chapter.slug)
def test_every_chapter_gives_a_deck_that_can_be_read_from_the_last_row(
    chapter: object, words: Words
) -> None:
    notebook = nbformat.read(executed_path(ROOT, chapter.page), as_version=4)
    slides = slides_of(notebook, words, slug=chapter.slug)
    kinds = [slide.kind for slide in slides]
    assert kinds[0] == "title"
    assert slides[0].text[0].endswith("?")
    captions = sum(
        "figure" in cell.metadata.get("mystnb", {})
        for cell in notebook.cells
        if cell.cell_type == "code"
    )
    assert kinds.count("figure") == captions >= 2
    assert kinds.count("predict") >= 1
    assert kinds.count("question") >= 3
    assert 15 <= len(slides) <= 45
    for slide in slides:
        shown = [*slide.text, *(choice.text for choice in slide.choices)]
        assert sum(map(word_count, shown)) <= MOST.get(slide.kind, 45), (slide.title, shown)
        assert slide.picture is None or (slide.picture.alt and slide.notes)
        for text in [slide.title, *shown, *slide.notes, f"$${slide.formula}$$"]:
            assert not re.search(r"\{[a-z:]+\}`|:::", text), text
            # A formula that could not be set is shown as it was written.
            assert "<code>$" not in _markdown(text), text


def test_a_deck_opens_from_its_file_and_asks_the_network_for_nothing(
    page: Page, tmp_path: Path
) -> None:
    (deck,) = write_decks(ROOT, ["neurons"], tmp_path)
    asked: list[str] = []
    failed: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.goto(deck.page.as_uri())
    page.wait_for_function("Reveal.isReady()")
    assert page.evaluate("Reveal.getTotalSlides()") == deck.slides
    assert page.evaluate("Reveal.getSlideNotes(Reveal.getSlide(0)).trim() !== ''")
    pictures = page.evaluate("document.querySelectorAll('figure img').length")
    assert pictures >= 2
    page.wait_for_function("[...document.images].every(image => image.complete)")
    assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")

    # Nothing stands outside of a slide.
    overflow = page.evaluate(
        """() => {
            const found = [];
            for (let n = 0; n < Reveal.getTotalSlides(); n++) {
                Reveal.slide(n);
                const slide = Reveal.getCurrentSlide();
                if (slide.scrollHeight > slide.clientHeight + 2) found.push(n);
            }
            return found;
        }"""
    )
    assert overflow == []

    # The right choice is marked when the teacher goes on.
    question = page.evaluate(
        "[...document.querySelectorAll('.slides > section')]"
        ".findIndex(slide => slide.classList.contains('question'))"
    )
    page.evaluate("n => Reveal.slide(n, 0, -1)", question)
    right = "document.querySelectorAll('section.present .right.visible').length"
    assert page.evaluate(right) == 0
    page.keyboard.press("ArrowRight")
    assert page.evaluate(right) == 1
    assert failed == []
    assert all(url.startswith(("file://", "data:", "blob:")) for url in asked)
