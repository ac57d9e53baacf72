"""Which ideas a class has not got: the hints that tests gave, and who was given them.

A test of this course names the idea that it guards in its hint, so students who were given the same
hint are likely to miss the same thing. The numbers before a hint are each student's own, and some
hints hold numbers too: students are grouped by the texts that stand in the teacher's tests, and a
text that a student's code made up is never one of those.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from nbformat import NotebookNode

from course_lib.grading.course.text import shown
from course_lib.grading.reports.report import Report
from course_lib.grading.submissions.repair import metadata_of

__all__ = ["Hints", "Idea", "ideas", "steps_of"]

UNWRITTEN = "This step is not written yet."

# Shorter texts of a test cell are names and units, not hints.
SHORTEST_HINT = 12

# Characters of a message that no hint explains.
LONGEST_OTHER = 240

# What stands in a hint where a test puts in a number of its own.
HOLE = "…"

SECTION = re.compile(r"[Ss]ee '([^'\n]+)'")
NUMBER = re.compile(r"-?\d+(\.\d+)?(e[-+]?\d+)?")
RAISED = re.compile(r"(?:^|\n) *raised +(\w+)")


@dataclass
class Idea:
    """What some students were told when they lost points.

    Attributes
    ----------
    text : str
        The hint as it stands in the test, or, where there is none, what the test said.
    kind : {"hint", "unwritten", "other"}
        Whether the text stands in the teacher's tests, or says that a step is not written yet.
        Anything else is a crash, a limit, or words that a student's code has chosen.
    section : str
        The section that the hint sends to; empty if it names none.
    tests : list of str
        The tests that gave it, in the notebook's order.
    students : list of str
        Who was given it, in the order of the report.
    """

    text: str
    kind: Literal["hint", "unwritten", "other"]
    section: str = ""
    tests: list[str] = field(default_factory=list)
    students: list[str] = field(default_factory=list)


class Hints:
    """The texts of the teacher's tests that a message may hold.

    Parameters
    ----------
    notebooks : iterable of NotebookNode
        The teacher's, with hidden tests.
    """

    def __init__(self, notebooks: Iterable[NotebookNode]) -> None:
        self._whole: set[str] = set()
        with_holes: dict[tuple[str, ...], None] = {}
        for notebook in notebooks:
            for cell in notebook.cells:
                if metadata_of(cell).get("grade") and cell.cell_type == "code":
                    for parts in _texts(cell.source):
                        if len(parts) == 1:
                            self._whole.add(parts[0].strip())
                        else:
                            with_holes[parts] = None
        self._with_holes = list(with_holes)

    def find(self, message: str) -> str | None:
        """Return the hint in a message as the test has it; None if it is none of the tests'."""
        for text in _candidates(message):
            if text in self._whole:
                return text
            for parts in self._with_holes:
                if _fits(text, parts):
                    return HOLE.join(parts).strip()
        return None


def ideas(report: Report, hints: Hints, steps: Mapping[str, str]) -> list[Idea]:
    """Return what students were told where they lost points, the most frequent first.

    Parameters
    ----------
    report : Report
        What grading came to.
    hints : Hints
        The texts of the teacher's tests.
    steps : mapping
        The step of each graded cell, in the notebook's order. Crashes, and steps that nobody has
        written, are told apart by it.
    """
    found: dict[tuple[str, ...], Idea] = {}
    for row in report.students:
        for cell in row.cells:
            if cell.waiting or cell.manual or cell.score >= cell.max_score or not cell.message:
                continue
            hint = hints.find(cell.message)
            if hint is not None:
                key, idea = ("hint", hint), Idea(hint, "hint", _section(hint))
            else:
                text = _other(cell.message)
                masked = NUMBER.sub(HOLE, text)
                key = ("other", steps.get(cell.name, cell.name), masked)
                idea = Idea(text, "unwritten" if text == UNWRITTEN else "other")
            idea = found.setdefault(key, idea)
            if cell.name not in idea.tests:
                idea.tests.append(cell.name)
            if not idea.students or idea.students[-1] != row.student:
                idea.students.append(row.student)
    order = {name: place for place, name in enumerate(steps)}
    for idea in found.values():
        idea.tests.sort(key=lambda name: order.get(name, len(order)))
    return sorted(
        found.values(),
        key=lambda idea: (-len(idea.students), order.get(idea.tests[0], len(order)), idea.text),
    )


def steps_of(notebooks: Mapping[str, NotebookNode]) -> dict[str, str]:
    """Return the headings that each graded cell stands under, in the order of the cells.

    Parameters
    ----------
    notebooks : mapping
        The teacher's notebooks by name. With several of them, names of cells have the notebook's
        before them, as in reports.
    """
    found: dict[str, str] = {}
    for stem, notebook in notebooks.items():
        step = below = ""
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                for level, title in re.findall(r"(?m)^(#{1,6}) +(.+)", cell.source):
                    if len(level) <= 2:
                        step, below = title.strip(), ""
                    else:
                        below = title.strip()
            if metadata_of(cell).get("grade") or metadata_of(cell).get("task"):
                name = str(metadata_of(cell).get("grade_id"))
                found[f"{stem}/{name}" if len(notebooks) > 1 else name] = " · ".join(
                    filter(None, (step, below))
                )
    return found


def _texts(source: str) -> Iterator[tuple[str, ...]]:
    """Yield the texts of a cell, those with holes in parts."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        # A cell with magics: its messages are grouped by what they say.
        return
    inside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inside.update(id(value) for value in node.values)
            parts = [""]
            for value in node.values:
                if isinstance(value, ast.Constant):
                    parts[-1] += str(value.value)
                else:
                    parts.append("")
            if sum(map(len, parts)) >= SHORTEST_HINT:
                yield tuple(parts)
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in inside
            and len(node.value.strip()) >= SHORTEST_HINT
        ):
            yield (node.value,)


def _fits(text: str, parts: tuple[str, ...]) -> bool:
    """Tell whether a text is one with holes, in time that grows with its length and no faster."""
    first, *middle, last = parts[0].lstrip(), *parts[1:-1], parts[-1].rstrip()
    if not text.startswith(first) or not text.endswith(last):
        return False
    place, end = len(first), len(text) - len(last)
    for part in middle:
        place = text.find(part, place, end)
        if place < 0:
            return False
        place += len(part)
    return place <= end


def _candidates(message: str) -> Iterator[str]:
    """Yield what may be the teacher's words in a message."""
    _, mark, hint = message.rpartition("\nHint: ")
    if mark:
        yield hint.strip()
    # A plain `assert` says its message after the name of the error.
    name, mark, rest = message.partition(": ")
    if mark and name.isidentifier():
        yield rest.strip()


def _section(hint: str) -> str:
    match = SECTION.search(hint)
    return match.group(1).rstrip(".,?!") if match else ""


def _other(message: str) -> str:
    """Return what stands for a message without a hint of the test: what was raised, or its end."""
    raised = RAISED.search(message)
    if raised:
        return f"The code raised {shown(raised.group(1), 60)}."
    _, mark, hint = message.rpartition("\nHint: ")
    return f"{shown(hint if mark else message, LONGEST_OTHER)}."
