"""Slides of a chapter: what goes onto them, and what stays in the notes."""

from __future__ import annotations

from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course_lib.book.slides.deck import Slide, slides_of
from course_lib.book.slides.text import Words, blocks, key_sentences, sentences

BIBLIOGRAPHY = r"""
@book{cauchy1847methode, author = {Cauchy, Augustin-Louis}, title = {M}, year = {1847}}
@book{goedel1931, author = {G{\"o}del, Kurt and von Neumann, John}, title = {M}, year = {1931}}
@book{three2020, author = {One, A and Two, B and Three, C}, title = {M}, year = {2020}}
"""

SVG = '<svg viewBox="0 0 {} {}" xmlns="http://www.w3.org/2000/svg"></svg>'


@pytest.fixture
def words(tmp_path: Path) -> Words:
    path = tmp_path / "references.bib"
    path.write_text(BIBLIOGRAPHY, encoding="utf-8")
    return Words({"layers": "Layers"}, path)


def a_chapter() -> object:
    """Return a small chapter that has run."""
    notebook = new_notebook()
    figure = {
        "figure": {"name": "fig-a", "caption": "Steps shrink. " + "And so they go on. " * 10},
        "image": {"alt": "Eight steps."},
    }
    notebook.cells = [
        new_markdown_cell(
            "# Descent: how do the weights move?\n\n*Time to read:* 5 minutes.\\\n"
            "*You will be able to:* **predict** a rate.\n\nEvery weight knows its slope."
        ),
        new_markdown_cell(
            "## A step\n\nThe rate decides how far a {term}`step` goes in the end. It is short.\n\n"
            "$$w \\leftarrow w - 1$$\n\nThis leads to the figure."
        ),
        new_code_cell(
            "draw()",
            metadata={"mystnb": figure},
            outputs=[new_output("display_data", {"image/svg+xml": SVG.format(200, 100)})],
        ),
        new_markdown_cell(
            ":::{admonition} Predict, then try\n:class: tip\n\nWhat happens at 2? (It jumps. Back "
            "and forth.) And at 3?\n:::\n\nIt jumps forever."
        ),
        new_code_cell(
            "assert True", metadata={"tags": ["remove-cell"], "mystnb": figure}, outputs=[]
        ),
        new_markdown_cell(
            "## What to take away\n\n- Short steps creep.\n- Long steps\n  jump.\n\n"
            "## Check yourself\n\n:::{question} Why $x$?\n:name: q-x\n\n- ( ) One\n\n  No, two.\n\n"
            "- (x) Two\n\n  Since $1 + 1 = 2$.\n:::\n\n## Exercise\n\nYou build it. Start it with "
            "`course start descent`.\n\n## Going further\n\n- A book."
        ),
    ]
    return notebook


@pytest.fixture
def slides(words: Words) -> list[Slide]:
    return slides_of(a_chapter(), words, slug="descent")


def test_a_deck_has_these_slides_in_the_order_of_the_page(slides: list[Slide]) -> None:
    assert [(slide.kind, slide.title) for slide in slides] == [
        ("title", "Descent"),
        ("section", "A step"),
        ("figure", "A step"),
        ("predict", "Predict, then try"),
        ("list", "What to take away"),
        ("question", "Why $x$?"),
        ("exercise", "Exercise"),
    ]
    title, section, figure, _, points, question, exercise = slides
    assert title.text == ["How do the weights move?"]
    assert section.text == ["The rate decides how far a step goes in the end."]
    assert section.formula == r"w \leftarrow w - 1"
    assert figure.picture.name == "fig-a.svg"
    assert (figure.picture.alt, figure.picture.tall) == ("Eight steps.", False)
    assert points.text == ["Short steps creep.", "Long steps jump."]
    assert [(choice.text, choice.right) for choice in question.choices] == [
        ("One", False),
        ("Two", True),
    ]
    assert exercise.text == ["You build it.", "`course start descent`"]


def test_what_is_said_stands_in_the_notes(slides: list[Slide]) -> None:
    title, _, figure, predict, _, question, _ = slides
    assert title.notes == [
        "Every weight knows its slope.",
        "Students will be able to: **predict** a rate.",
    ]
    assert figure.notes[0] == "This leads to the figure."
    assert len(figure.text[0].split()) <= 40 < len(figure.notes[1].split())
    # An answer in the page is not shown before the question is.
    assert predict.text == ["What happens at 2? And at 3?"]
    assert predict.notes == ["The page answers: It jumps. Back and forth.", "It jumps forever."]
    assert question.notes == ["**A**: No, two.", "**B** (right): Since $1 + 1 = 2$."]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("{term}`batches <batch>` and {term}`units`", "batches and units"),
        ("{doc}`Layers <../foundations/layers>`, {doc}`layers`", "Layers, Layers"),
        ("In 1847 {cite}`cauchy1847methode`. So.", "In 1847. So."),
        ("{cite:t}`cauchy1847methode` did", "Cauchy (1847) did"),
        ("{cite:t}`goedel1931` did", "Gödel and von Neumann (1931) did"),
        ("{cite:t}`three2020` did", "One et al. (2020) did"),
        ("{numref}`fig-a` shows; see {numref}`fig-a`", "The figure shows; see the figure"),
        ("[this](x.md) `code` $x < y$", "this `code` $x < y$"),
    ],
)
def test_roles_become_plain_words(words: Words, text: str, plain: str) -> None:
    assert words.plain(text) == plain


def test_sentences_end_neither_in_formulas_nor_after_abbreviations() -> None:
    assert sentences("It is $f. A$ here. Smith et al. Did so. (All of it. Really.) Good?") == [
        "It is $f. A$ here.",
        "Smith et al. Did so.",
        "(All of it. Really.)",
        "Good?",
    ]


def test_key_sentences_stand_by_themselves() -> None:
    assert key_sentences(
        [
            "This leans on what came before it, so it is not shown.",
            "The *width* of a layer is the number of its units. See the next chapter for the rest.",
            "How wide should a layer be in the end, then?",
        ]
    ) == ["The *width* of a layer is the number of its units."]


def test_blocks_keep_what_belongs_together() -> None:
    source = (
        "(label)=\n## Head\n\nA line\n$$x$$\n\n- one\n\n  more\n- two\n\n"
        "```python\n# no head\n```\n"
        "::::{note} Title\n:class: tip\n\n:::{x}\n:::\n::::\n| a |\n"
    )
    found = [(block.kind, block.text) for block in blocks(source)]
    assert found == [
        ("heading", "Head"),
        ("paragraph", "A line"),
        ("formula", "x"),
        ("list", "- one\n\n  more\n- two"),
        ("code", "# no head"),
        ("note", ":::{x}\n:::"),
        ("table", "| a |"),
    ]
