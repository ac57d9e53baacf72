"""Lesson plans and discussion questions, kept as data, and a Sphinx directive that shows them.

``book/teaching/plans/PART.yml`` has an entry for each chapter of a part::

    gradient-descent:
      discuss:
        - ask: The question, in MyST.
          about: fig-edge          # a figure or a section of the chapter
          hear: What students say.
          lead: Where to lead it.
      plan:
        45:
          - {min: 10, section: A step downhill, show: [fig-parabola], do: What happens.}
          - {min: 20, steps: [1, 2], do: "What of the exercise fits, and how."}
        90: ...

Sections, figures, live parts and steps are named as the chapter and its exercise have them, and a
test holds them against both. In a page, ``:::{plans} PART`` shows all of a part.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from course_lib.book.prerequisites import Chapter, depend_on, read_chapters
from course_lib.book.sections import headings
from course_lib.book.workload import steps_of
from course_lib.paths import CourseError

__all__ = ["LENGTHS", "Discussion", "Lesson", "Row", "problems", "read_plans", "setup"]

#: Minutes of the lessons that every chapter has a plan for.
LENGTHS = (45, 90)


@dataclass(frozen=True)
class Discussion:
    """A question that a class can argue about, what one hears, and where to lead it."""

    ask: str
    about: str
    hear: str
    lead: str


@dataclass(frozen=True)
class Row:
    """A piece of a lesson: its minutes, and a section of the chapter or steps of the exercise."""

    min: int
    do: str
    section: str = ""
    show: tuple[str, ...] = ()
    steps: tuple[int, ...] = ()


@dataclass(frozen=True)
class Lesson:
    """What a teacher has for a chapter."""

    chapter: str
    discuss: tuple[Discussion, ...] = ()
    plan: dict[int, tuple[Row, ...]] = field(default_factory=dict)


def plans_path(root: Path, part: str) -> Path:
    """Return the file of a part's plans."""
    return root / "book" / "teaching" / "plans" / f"{part}.yml"


def read_plans(root: Path, part: str) -> dict[str, Lesson]:
    """Return the lessons of a part's chapters.

    Raises
    ------
    CourseError
        If the file is missing, or says something that means nothing here.
    """
    path = plans_path(root, part)
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
        return {slug: _lesson(slug, entry) for slug, entry in said.items()}
    except FileNotFoundError:
        raise CourseError(
            f"The part {part!r} has no plans: write {path.relative_to(root)}."
        ) from None
    except (yaml.YAMLError, TypeError, AttributeError, KeyError) as error:
        raise CourseError(f"{path.relative_to(root)} cannot be used: {error}") from None


def _lesson(slug: str, entry: dict[str, Any]) -> Lesson:
    return Lesson(
        slug,
        tuple(Discussion(**question) for question in entry["discuss"]),
        {
            int(length): tuple(
                Row(**{k: tuple(v) if isinstance(v, list) else v for k, v in row.items()})
                for row in rows
            )
            for length, rows in entry["plan"].items()
        },
    )


def problems(root: Path, chapter: Chapter, lesson: Lesson) -> Iterator[str]:
    """Yield what in a lesson does not agree with its chapter or its exercise."""
    text = (root / f"{chapter.page}.md").read_text(encoding="utf-8")
    sections = set(headings(text))
    shown = set(re.findall(r"(?m)^\s*:?name: (fig-[\w-]+|live-[\w-]+)$", text))
    steps = steps_of(root, chapter.exercise) if chapter.exercise else {}
    for question in lesson.discuss:
        if question.about not in sections | shown:
            yield f"a question is about {question.about!r}, which the chapter does not have"
    for length, rows in lesson.plan.items():
        total = sum(row.min for row in rows)
        if total != length:
            yield f"the plan for {length} minutes has {total}"
        for row in rows:
            if bool(row.section) == bool(row.steps):
                yield f"a row of {length} minutes needs a section or steps: {row.do!r}"
            if row.section and row.section not in sections:
                yield f"there is no section {row.section!r}"
            yield from (f"there is no {name!r}" for name in row.show if name not in shown)
            yield from (f"the exercise has no step {n}" for n in row.steps if n not in steps)


class Plans(SphinxDirective):
    """The ``plans`` directive: lessons of a part's chapters."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Show discussion questions and plans, chapter by chapter."""
        root, part = Path(self.env.srcdir), self.arguments[0]
        try:
            lessons = read_plans(root, part)
            chapters = [c for c in read_chapters(root) if c.part == part and c.slug in lessons]
            text = "\n".join(
                line
                for chapter in chapters
                for line in _shown(root, chapter, lessons[chapter.slug])
            )
        except CourseError as error:
            raise self.error(str(error)) from error
        depend_on(self.env, chapters, plans_path(root, part).relative_to(root))
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def _shown(root: Path, chapter: Chapter, lesson: Lesson) -> Iterator[str]:
    """Yield the lines of a chapter's lesson, in MyST."""
    steps = steps_of(root, chapter.exercise) if chapter.exercise else {}
    yield f"## {chapter.subject}\n"
    yield f"{{doc}}`/{chapter.page}`: {chapter.minutes} minutes to read.\n"
    for number, question in enumerate(lesson.discuss, 1):
        yield f"**Discuss {number}** ({_named(question.about)}). {question.ask}\n"
        yield f"*What one hears.* {question.hear}\n"
        yield f"*Where to lead it.* {question.lead}\n"
    for length, rows in lesson.plan.items():
        yield f"**In {length} minutes**\n"
        yield "| min | what | how |\n|---:|---|---|"
        for row in rows:
            if row.section:
                what = ", ".join([f"*{row.section}*", *map(_named, row.show)])
            else:
                what = "exercise: " + "; ".join(f"step {n}, *{steps[n]}*" for n in row.steps)
            yield f"| {row.min} | {what} | {row.do} |"
        yield ""


def _named(name: str) -> str:
    """Return a link to a figure, or the title of a section."""
    return f"{{numref}}`{name}`" if name.startswith(("fig-", "live-")) else f"*{name}*"


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the extension."""
    app.add_directive("plans", Plans)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
