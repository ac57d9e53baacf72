"""Model answers, for those who learn alone: once a step is passed, or was tried three times."""

from __future__ import annotations

import ast
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from course_lib.assignments.checking import CheckResult
from course_lib.assignments.shown import NOT_WRITTEN
from course_lib.assignments.sources import grade_id, is_solution, is_test, source_notebook
from course_lib.paths import CourseError, known_slug, source_path

__all__ = ["TRIES", "ModelAnswer", "Tried", "model_answer", "steps", "tried"]

#: So many different answers are tried before the model is shown.
TRIES = 3

_SOLUTION = re.compile(r"[ \t]*### (?:BEGIN|END) SOLUTION\n?")
_SCHEME = re.compile(r"=== BEGIN MARK SCHEME ===\n(.*?)=== END MARK SCHEME ===", re.DOTALL)


@dataclass(frozen=True)
class ModelAnswer:
    """A step's model answer.

    Attributes
    ----------
    step : str
    text : str
        The cell as it is solved; of a written answer, what it is marked for.
    reasons : list of str
        What the step's tests look for, each with the section of the chapter that explains it.
    """

    step: str
    text: str
    reasons: list[str]


@dataclass(frozen=True)
class Tried:
    """What a check says of one step: which answer was tried, and whether it passed."""

    answer: str
    passed: bool


def steps(source: NotebookNode) -> dict[str, list[NotebookNode]]:
    """Return the steps of an exercise, each with the test cells that follow it."""
    found: dict[str, list[NotebookNode]] = {}
    name = None
    for cell in source.cells:
        if is_solution(cell):
            name = grade_id(cell)
            found[name] = []
        elif is_test(cell) and name is not None:
            found[name].append(cell)
    return found


def tried(
    source: NotebookNode, release: NotebookNode, submitted: NotebookNode, result: CheckResult
) -> dict[str, Tried]:
    """Return what was tried in a checked notebook; steps that are not written are no tries."""
    by_name = {entry.grade_id: entry for entry in result.results}
    answers = {grade_id(cell): cell.source.strip() for cell in submitted.cells}
    as_handed_out = {grade_id(cell): cell.source.strip() for cell in release.cells}
    found = {}
    for name, tests in steps(source).items():
        results = [by_name[grade_id(test)] for test in tests if grade_id(test) in by_name]
        text = answers.get(name, "")
        unwritten = any(test.message == NOT_WRITTEN for test in results)
        if unwritten or text in ("", as_handed_out.get(name)):
            continue
        passed = bool(results) and all(r.points == r.max_points for r in results)
        found[name] = Tried(hashlib.sha256(text.encode()).hexdigest()[:16], passed)
    return found


def model_answer(
    root: Path, slug: str, step: str, known: dict[str, dict], *, anyway: bool = False
) -> ModelAnswer:
    """Return the model answer of a step.

    Parameters
    ----------
    root : Path
        The course, with its sources.
    slug, step : str
        The exercise, and the name of the cell that is to be written.
    known : dict
        What was tried, by step, as `course_lib.assignments.progress` keeps it.
    anyway : bool
        Show it to whoever has not tried.

    Raises
    ------
    CourseError
        If there is no such step, no source, or it was tried too seldom.
    """
    known_slug(root, slug)
    if not source_path(root, slug).is_file():
        raise CourseError(f"There are no model answers here: {slug} has no source.")
    source = source_notebook(root, slug)
    tests = steps(source)
    if step not in tests:
        raise CourseError(f"{slug} has no step {step!r}. Its steps are: {', '.join(tests)}.")
    before = known.get(step, {})
    tries = len(before.get("tries", []))
    if not (anyway or before.get("passed") or tries >= TRIES):
        raise CourseError(
            f"You have tried {tries} of {TRIES} answers to {step}: each `course check {slug}` with "
            "another answer counts. The model answer is worth more after that. `--anyway` shows it "
            "now."
        )
    cell = next(cell for cell in source.cells if grade_id(cell) == step)
    scheme = _SCHEME.search(cell.source)
    text = scheme[1] if scheme else _SOLUTION.sub("", cell.source)
    hints = [hint for test in tests[step] for hint in _hints(test.source)]
    return ModelAnswer(step, text.strip(), list(dict.fromkeys(hints)))


def _hints(source: str) -> list[str]:
    """Return the hints of a test cell: each names an idea, and where it is explained."""
    lines = [line for line in source.split("\n") if not line.lstrip().startswith(("%", "!"))]
    found = [
        word.value.value
        for node in ast.walk(ast.parse("\n".join(lines)))
        if isinstance(node, ast.Call)
        for word in node.keywords
        if word.arg == "hint" and isinstance(word.value, ast.Constant)
    ]
    return [" ".join(str(hint).split()) for hint in found]
