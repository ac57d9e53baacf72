"""Which slides a chapter gives.

What goes onto a slide is chosen by rule, and the rest stays in the chapter: a title and its
question; a section's name with one or two sentences that stand by themselves and its first formula;
each figure with the first sentences of its caption, which state the finding; a prediction as a
slide of its own, before what answers it; what to take away; the questions with their choices. The
notes hold what a teacher says: the paragraph that leads to a figure, the whole caption, the
explanations of choices.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from nbformat import NotebookNode

from course_lib.book.slides.text import (
    MOST_WORDS,
    Block,
    Words,
    blocks,
    key_sentences,
    sentences,
    word_count,
)

__all__ = ["Choice", "Picture", "Slide", "slides_of"]

#: Sections at the end of each chapter that are no lesson.
_TAKE_AWAY, _CHECK, _EXERCISE, _FURTHER = (
    "What to take away",
    "Check yourself",
    "Exercise",
    "Going further",
)
#: Words of a prediction that are shown, and of a slide with what to take away.
_PREDICT_WORDS = 60
_LIST_WORDS = 100
#: Words under a figure.
_CAPTION_WORDS = 40


@dataclass(frozen=True)
class Picture:
    """A figure of the chapter: its name, its bytes, and what it shows in words."""

    name: str
    content: bytes
    alt: str

    @property
    def tall(self) -> bool:
        """Whether it fills a slide better with the text beside it than below."""
        found = re.search(rb'viewBox="0 0 ([\d.]+) ([\d.]+)"', self.content[:2000])
        return found is not None and float(found[1]) < 1.25 * float(found[2])


@dataclass(frozen=True)
class Choice:
    """One answer to a question."""

    text: str
    right: bool


@dataclass
class Slide:
    """A slide: Markdown with formulas in dollars, and what its notes say.

    Attributes
    ----------
    kind : str
        ``"title"``, ``"section"``, ``"figure"``, ``"predict"``, ``"list"``, ``"question"`` or
        ``"exercise"``.
    title : str
        What stands at its head.
    text : list of str
        Its sentences or points.
    formula : str
        A formula that stands alone, in LaTeX.
    picture : Picture, optional
    choices : list of Choice
    notes : list of str
        Paragraphs for the teacher alone.
    """

    kind: str
    title: str
    text: list[str] = field(default_factory=list)
    formula: str = ""
    picture: Picture | None = None
    choices: list[Choice] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def slides_of(notebook: NotebookNode, words: Words, *, slug: str) -> list[Slide]:
    """Return the slides of a chapter.

    Parameters
    ----------
    notebook : NotebookNode
        The chapter as it has run, with its outputs.
    words : Words
        Makes plain words of references.
    slug : str
        The chapter's name, as its exercise is called.
    """
    sections = list(_sections(notebook))
    (title, opening), *rest = sections
    subject, _, question = title.partition(":")
    about = [block for block in opening if isinstance(block, Block)]
    said = [b.text for b in about if b.kind == "paragraph" and not b.text.startswith("*Time")]
    aims = re.search(
        r"\*You will be able to:\*\s*(.+?)\s*$", "\n".join(b.text for b in about), re.M
    )
    first = Slide("title", words.plain(subject), [_capital(words.plain(question.strip()))])
    first.notes = [words.plain(text) for text in said]
    if aims:
        first.notes.append(f"Students will be able to: {words.plain(aims[1])}")
    made = [first, *_of_section("", opening, words)]
    for name, parts in rest:
        if name == _TAKE_AWAY:
            made += _take_away(parts, words)
        elif name == _CHECK:
            made += [_question(p, words) for p in parts if _is(p, "question")]
        elif name == _EXERCISE:
            made.append(_exercise(parts, words, slug))
        elif name != _FURTHER:
            made += _of_section(name, parts, words)
    return made


_Part = Block | Picture | tuple[Picture, str]


def _is(part: object, kind: str) -> bool:
    return isinstance(part, Block) and part.kind == kind


def _sections(notebook: NotebookNode) -> Iterator[tuple[str, list[object]]]:
    """Yield the title of each section with its blocks and figures, the page's own first."""
    title, parts = "", []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for block in blocks(cell.source):
                if block.kind == "heading" and block.level <= 2:
                    if title:
                        yield title, parts
                    title, parts = block.text, []
                else:
                    parts.append(block)
        elif cell.cell_type == "code":
            found = _figure(cell)
            if found is not None:
                parts.append(found)
    yield title, parts


def _figure(cell: NotebookNode) -> tuple[Picture, str] | None:
    """Return a cell's figure and its caption; None where the page shows none there."""
    about = cell.metadata.get("mystnb", {})
    caption = about.get("figure", {}).get("caption")
    if not caption or {"remove-cell", "remove-output"} & set(cell.metadata.get("tags", [])):
        return None
    name = str(about["figure"].get("name", cell.get("id", "figure")))
    alt = str(about.get("image", {}).get("alt", ""))
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if "image/svg+xml" in data:
            content = str(data["image/svg+xml"]).encode()
            return Picture(f"{name}.svg", content, alt), str(caption)
        for kind, ending in (("image/png", "png"), ("image/jpeg", "jpg")):
            if kind in data:
                content = base64.b64decode(data[kind])
                return Picture(f"{name}.{ending}", content, alt), str(caption)
    return None


def _of_section(name: str, parts: list[object], words: Words) -> Iterator[Slide]:
    """Yield the slides of a section: its idea, then predictions and figures as they come."""
    paragraphs = [p.text for p in parts if _is(p, "paragraph")]
    if name:
        chosen = [words.plain(text) for text in key_sentences(paragraphs)]
        formulas = [p.text for p in parts if isinstance(p, Block) and p.kind == "formula"]
        notes = [words.plain(text) for text in paragraphs[:1]]
        title = words.plain(name)
        yield Slide("section", title, chosen, formula=_short(formulas), notes=notes)
    before = last = ""
    for place, part in enumerate(parts):
        if isinstance(part, tuple):
            picture, caption = part
            whole = words.plain(" ".join(caption.split()))
            # A figure that follows another one is led to by what comes after it, or by the same.
            told = before or _next_paragraph(parts[place + 1 :]) or last
            notes = [words.plain(told)] if told else []
            shown = _first(whole, _CAPTION_WORDS)
            if shown != whole:
                notes.append(whole)
            yield Slide("figure", words.plain(name), [shown], picture=picture, notes=notes)
            before = ""
        elif _is(part, "admonition") and part.title.startswith("Predict"):
            yield _predict(part, words, _next_paragraph(parts[place + 1 :]))
        elif _is(part, "live"):
            before += f"\n\nThe chapter's page has a figure to work here. {part.options['try']}"
        elif _is(part, "paragraph"):
            before = last = part.text


def _next_paragraph(parts: list[object]) -> str:
    return next((part.text for part in parts if _is(part, "paragraph")), "")


def _short(formulas: list[str]) -> str:
    """Return the first formula that is read at a glance."""
    return next((text for text in formulas if len(text) <= 160 and text.count(r"\\") <= 2), "")


def _first(text: str, most: int) -> str:
    """Return as many sentences as fit, one at least."""
    found, *rest = sentences(text)
    for sentence in rest:
        if word_count(f"{found} {sentence}") > most:
            break
        found = f"{found} {sentence}"
    return found


#: A whole sentence in parentheses: a page says there what comes out.
_ANSWER = re.compile(r"(?<=[.?!])\s*\(([A-Z](?:[^()]|\([^()]*\))*[.!])\)")


def _predict(box: Block, words: Words, after: str) -> Slide:
    """Return a prediction: what to think about, without the answer that the page may give."""
    text = words.plain(" ".join(box.text.split()))
    answers = [match[1] for match in _ANSWER.finditer(text)]
    asked = _ANSWER.sub("", text).strip()
    shown = asked
    if word_count(asked) > _PREDICT_WORDS:
        parts = sentences(asked)
        last = max((n for n, s in enumerate(parts) if s.endswith("?")), default=len(parts) - 1)
        first = last
        while first and word_count(" ".join(parts[first - 1 : last + 1])) <= _PREDICT_WORDS:
            first -= 1
        shown = " ".join(parts[first : last + 1])
    notes = [asked] if shown != asked else []
    if answers:
        notes.append(f"The page answers: {' '.join(answers)}")
    if after:
        notes.append(words.plain(after))
    return Slide("predict", box.title, [shown], notes=notes)


def _take_away(parts: list[object], words: Words) -> Iterator[Slide]:
    """Yield what to take away, on as many slides as its words want."""
    points: list[str] = []
    for part in parts:
        if _is(part, "list"):
            points += [words.plain(" ".join(item.split())) for item in _items(part.text)]
    total = sum(map(word_count, points))
    count = max(1, math.ceil(total / _LIST_WORDS))
    shown: list[str] = []
    for place, point in enumerate(points):
        shown.append(point)
        full = count > 1 and sum(map(word_count, shown)) >= total / count - 10
        if full or place == len(points) - 1:
            yield Slide("list", _TAKE_AWAY, shown)
            shown = []


def _items(text: str) -> list[str]:
    return [item for item in re.split(r"(?m)^(?:[-*]|\d+\.) +", text) if item.strip()]


def _question(box: Block, words: Words) -> Slide:
    """Return a question with its choices; the notes explain each."""
    before, *items = re.split(r"(?m)^- \(([ xX])\) ", box.text)
    slide = Slide("question", words.plain(box.title))
    if before.strip():
        slide.text = [words.plain(before)]
    for mark, item in zip(items[::2], items[1::2], strict=True):
        text, _, explained = item.partition("\n")
        right = mark in "xX"
        slide.choices.append(Choice(words.plain(text), right))
        letter = chr(ord("A") + len(slide.choices) - 1)
        said = words.plain(" ".join(explained.split()))
        slide.notes.append(f"**{letter}**{' (right)' if right else ''}: {said}")
    return slide


def _exercise(parts: list[object], words: Words, slug: str) -> Slide:
    """Return what is built in the exercise, and how to start it."""
    paragraphs = [p.text for p in parts if _is(p, "paragraph")]
    told = words.plain(paragraphs[0]) if paragraphs else ""
    shown = [s for s in sentences(told) if "course start" not in s and "course check" not in s]
    text = _first(" ".join(shown), MOST_WORDS) if shown else ""
    return Slide(
        "exercise", _EXERCISE, [*filter(None, [text]), f"`course start {slug}`"], notes=[told]
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
