"""Wrong and unusual right answers to an exercise, kept to prove what its tests catch.

``tests/misconceptions/<slug>.py`` holds them as Python functions. The body of such a function is
the answer: each name that it defines replaces the definition of that name in the reference
solution, and whatever it does not define stays the reference's::

    @wrong(loses=["test-softmax-hidden"], says="subtract the largest")
    def naive_softmax():
        \"\"\"exp overflows above 709, and inf / inf is nan.\"\"\"

        def softmax(z, axis=-1):
            e = np.exp(z)
            return e / e.sum(axis=axis, keepdims=True)
"""

from __future__ import annotations

import ast
import copy
import inspect
import runpy
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from course_lib.assignments.sources import grade_id, is_solution
from course_lib.paths import CourseError


@dataclass(frozen=True)
class Answer:
    """An answer to an exercise.

    Attributes
    ----------
    name : str
        What the answer is called.
    reason : str
        Why somebody would write this.
    code : str
        The definitions that replace the reference's.
    loses : frozenset of str
        The grade ids of the test cells that must fail; empty for a right answer.
    says : str
        What the student must be shown by one of them.
    """

    name: str
    reason: str
    code: str
    loses: frozenset[str] = frozenset()
    says: str = ""


def right(function: Callable[[], None]) -> Answer:
    """Make a right answer, which must get full marks, of a function's body."""
    return _answer(function)


def wrong(*, loses: list[str], says: str) -> Callable[[Callable[[], None]], Answer]:
    """Make a wrong answer of a function's body.

    Parameters
    ----------
    loses : list of str
        The grade ids of exactly those test cells that must fail.
    says : str
        Words that the message of one of them must hold, whatever the case of its letters.

    Raises
    ------
    ValueError
        When `loses` or `says` is empty: such an answer would prove nothing.
    """
    if not loses or not says.strip():
        raise ValueError(
            "a wrong answer needs the tests that it loses and the words that the student must be "
            f"shown; came loses={loses!r}, says={says!r}. A right answer is marked @right."
        )
    return lambda function: _answer(function, frozenset(loses), says)


def load_answers(path: Path) -> list[Answer]:
    """Return the answers that a file defines, in the order of the file.

    Raises
    ------
    CourseError
        When two answers share a name: the first would be lost without a word.
    """
    names = [
        node.name
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    ]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise CourseError(f"{path.name} defines {', '.join(twice)} twice. Rename one.")
    found = runpy.run_path(str(path))
    return [value for value in found.values() if isinstance(value, Answer)]


def apply(source: NotebookNode, answer: Answer) -> NotebookNode:
    """Return a copy of an exercise's source notebook with the answer in its solution cells.

    Raises
    ------
    CourseError
        When the answer defines nothing that the exercise asks for.
    """
    notebook = copy.deepcopy(source)
    pieces, rest = _pieces(answer)
    first = None
    for cell in notebook.cells:
        if cell.cell_type != "code" or not is_solution(cell):
            continue
        lines = cell.source.splitlines()
        for name, start, stop in reversed(_spans(cell.source)):
            if name in pieces:
                lines[start:stop] = pieces.pop(name).splitlines()
                first = first or cell
        cell.source = "\n".join(lines)
    if first is None:
        asked = [name for cell in notebook.cells for name in defined_names(cell)]
        raise CourseError(
            f"The answer {answer.name!r} defines none of the names that the exercise asks for: "
            f"{', '.join(asked)}."
        )
    helpers = [*rest, *pieces.values()]
    if helpers:
        first.source = "\n\n".join([*helpers, first.source])
    return notebook


def answer_cells(source: NotebookNode, answer: Answer) -> dict[str, str]:
    """Return the solution cells that an answer changes: grade id to text."""
    before = {grade_id(cell): cell.source for cell in source.cells if is_solution(cell)}
    after = apply(source, answer)
    return {
        grade_id(cell): cell.source
        for cell in after.cells
        if is_solution(cell) and cell.source != before[grade_id(cell)]
    }


def defined_names(cell: NotebookNode) -> list[str]:
    """Return the names that a code solution cell defines at its top level."""
    if cell.cell_type != "code" or not is_solution(cell):
        return []
    return [name for name, _, _ in _spans(cell.source)]


def _answer(
    function: Callable[[], None], loses: frozenset[str] = frozenset(), says: str = ""
) -> Answer:
    text = textwrap.dedent(inspect.getsource(function))
    (definition,) = ast.parse(text).body
    reason = inspect.getdoc(function) or ""
    if not reason:
        raise ValueError(
            f"the answer {function.__name__!r} has no docstring: say why one writes it"
        )
    body = definition.body[1:]
    if not body:
        raise ValueError(f"the answer {function.__name__!r} is empty: its body is the answer")
    lines = text.splitlines()[_first_line(body[0]) - 1 :]
    return Answer(
        name=function.__name__,
        reason=" ".join(reason.split()),
        code=textwrap.dedent("\n".join(lines)),
        loses=loses,
        says=says,
    )


def _pieces(answer: Answer) -> tuple[dict[str, str], list[str]]:
    """Split an answer's code into named definitions and everything else."""
    lines = answer.code.splitlines()
    named = {
        name: "\n".join(lines[start:stop]).rstrip() for name, start, stop in _spans(answer.code)
    }
    taken = {row for _, start, stop in _spans(answer.code) for row in range(start, stop)}
    rest = "\n".join(line for row, line in enumerate(lines) if row not in taken).strip()
    return named, [rest] if rest else []


def _spans(code: str) -> list[tuple[str, int, int]]:
    """Return (name, first line, line after the last) of each top-level definition, from 0."""
    spans = []
    for node in ast.parse(code).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            name = node.name
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
        else:
            continue
        spans.append((name, _first_line(node) - 1, node.end_lineno))
    return spans


def _first_line(node: ast.stmt) -> int:
    decorators = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])
