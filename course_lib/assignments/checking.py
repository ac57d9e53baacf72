"""Check one's own notebook: the tests of the source, run on the answers of the notebook."""

from __future__ import annotations

import copy
import functools
import importlib.util
import json
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from course_lib.assignments.running import run_notebook
from course_lib.assignments.sandboxed import Engine, engine
from course_lib.assignments.sources import grade_id, is_solution, is_test, source_notebook
from course_lib.grading.course.text import decoded
from course_lib.grading.engine.runner import CellRun
from course_lib.paths import CourseError, release_path


@dataclass(frozen=True)
class TestResult:
    """What one graded cell gave.

    Attributes
    ----------
    grade_id : str
    points, max_points : float
        `points` is None where a person marks.
    message : str
        What the student is told when points were lost.
    """

    grade_id: str
    points: float | None
    max_points: float
    message: str = ""


@dataclass(frozen=True)
class CheckResult:
    """What checking a notebook gave.

    Attributes
    ----------
    results : list of TestResult
        In the order of the notebook.
    broken : dict
        Grade id of a solution cell to the error that running it raised.
    """

    results: list[TestResult]
    broken: dict[str, str] = field(default_factory=dict)

    @property
    def points(self) -> float:
        """Points earned so far, without what a person marks."""
        return sum(result.points or 0.0 for result in self.results)

    @property
    def max_points(self) -> float:
        """Points that the tests can give."""
        return sum(result.max_points for result in self.results if result.points is not None)

    @property
    def manual_points(self) -> float:
        """Points that a person gives for written answers."""
        return sum(result.max_points for result in self.results if result.points is None)


def check(
    root: Path,
    slug: str,
    path: Path,
    *,
    seconds_per_cell: float = 30.0,
    graders: Engine | None = None,
) -> CheckResult:
    """Run the visible and hidden tests of an exercise on a notebook, which is not changed.

    It is graded as a class is, in the grading engine; where walls cannot be built, it runs in a
    process of its own. Either way the points are the same.

    Parameters
    ----------
    root : Path
        The course.
    slug : str
        The exercise.
    path : Path
        The reader's notebook.
    seconds_per_cell : float
        After this time a cell is stopped.
    graders : Engine, optional
        The grading engine, where it was started ahead for this notebook.

    Raises
    ------
    CourseError
        When the file is missing, no notebook, of another exercise, or lacks cells.
    """
    submitted = read_notebook(path, slug)
    with nullcontext(graders) if graders else engine(root, slug, path) as graders:
        source = source_notebook(root, slug)
        # What counts the points has to be imported, and the engine is not warm yet.
        _nbgraders_utils()
        notebook = with_answers(source, submitted, slug=slug, path=path)
        runs = graders and graders.run(
            notebook,
            source,
            folder=path.parent,
            course_folder=release_path(root, slug).parent,
            seconds_per_cell=seconds_per_cell,
        )
        return grade_notebook(
            notebook, folder=path.parent, seconds_per_cell=seconds_per_cell, runs=runs
        )


def read_notebook(path: Path, slug: str) -> NotebookNode:
    """Read a reader's notebook of an exercise.

    Raises
    ------
    CourseError
        Naming the file and what is wrong with it.
    """
    try:
        text = decoded(path.read_bytes())
    except FileNotFoundError:
        raise CourseError(
            f"There is no {path}. Make your copy with `course start {slug}`, or name your notebook "
            "with --notebook."
        ) from None
    except UnicodeDecodeError:
        raise CourseError(
            f"{path} is not a text file, so it is no notebook. Open it in JupyterLab, or "
            f"set it aside and start again with `course start {slug}`."
        ) from None
    try:
        return nbformat.reads(text, as_version=4)
    except (json.JSONDecodeError, nbformat.reader.NotJSONError):
        raise CourseError(
            f"{path} is not a notebook: it is not JSON (perhaps cut off, or saved as something "
            f"else). Set it aside and start again with `course start {slug}`."
        ) from None
    except Exception as error:
        raise CourseError(
            f"{path} is JSON but not a notebook ({error}). Save it again as a notebook from "
            "JupyterLab."
        ) from None


def with_answers(
    source: NotebookNode, submitted: NotebookNode, *, slug: str, path: Path
) -> NotebookNode:
    """Return the source notebook with the solution cells of a submission.

    Cells that the student added before a known cell are kept there; test cells come from the
    source, whatever the submission made of them.

    Raises
    ------
    CourseError
        When the submission is of another exercise or lacks solution cells.
    """
    wanted = [grade_id(cell) for cell in source.cells if is_solution(cell)]
    known = {grade_id(cell) for cell in source.cells if grade_id(cell)}
    found = [grade_id(cell) for cell in submitted.cells if grade_id(cell)]
    lacking = [name for name in wanted if name not in found]
    if len(lacking) == len(wanted):
        raise CourseError(
            f"{path} is not the exercise {slug!r}: none of its cells {', '.join(wanted)} is there. "
            f"Set it aside; `course start {slug}` then makes a copy of the right one."
        )
    if lacking:
        raise CourseError(
            f"{path} lacks the cells {', '.join(lacking)} of the exercise {slug!r}. Copy them from "
            f"exercises/{slug}/{slug}.ipynb, or undo the deletion in JupyterLab."
        )
    originals = {cell.id for cell in source.cells}
    answers: dict[str, NotebookNode] = {}
    added: dict[str | None, list[NotebookNode]] = {}
    waiting: list[NotebookNode] = []
    for cell in submitted.cells:
        name = grade_id(cell)
        if name in known:
            answers.setdefault(name, cell)
            added.setdefault(name, []).extend(waiting)
            waiting = []
        elif name is None and cell.get("id") not in originals and cell.cell_type == "code":
            waiting.append(cell)
    merged = copy.deepcopy(source)
    merged.cells = []
    for cell in source.cells:
        name = grade_id(cell)
        merged.cells.extend(copy.deepcopy(added.get(name, []) if name else []))
        cell = copy.deepcopy(cell)
        if is_solution(cell):
            cell.source = answers[name].source
        merged.cells.append(cell)
    return merged


def grade_notebook(
    notebook: NotebookNode,
    *,
    folder: Path | None = None,
    seconds_per_cell: float = 30.0,
    runs: Sequence[CellRun] | None = None,
) -> CheckResult:
    """Run a notebook that holds its tests, and count the points as nbgrader does.

    Parameters
    ----------
    runs : sequence of CellRun, optional
        What its code cells did, if they were run elsewhere (by the grading engine).
    """
    determine_grade = _nbgraders_utils().determine_grade
    if runs is None:
        runs = run_notebook(notebook, folder=folder, seconds_per_cell=seconds_per_cell)
    by_index = {run.index: run for run in runs}
    results, broken = [], {}
    for index, cell in enumerate(notebook.cells):
        name = grade_id(cell)
        run = by_index.get(index, CellRun(index))
        if is_test(cell):
            graded = copy.deepcopy(cell)
            graded.outputs = run.outputs
            points, most = determine_grade(graded) if run.status != "not run" else (0.0, None)
            most = float(cell.metadata.nbgrader.points) if most is None else most
            message = _message(run) if points < most else ""
            results.append(TestResult(name, points, most, message))
        elif cell.metadata.get("nbgrader", {}).get("grade"):
            results.append(TestResult(name, None, float(cell.metadata.nbgrader.points)))
        elif name and run.status in ("error", "timeout", "died"):
            broken[name] = run.error
    return CheckResult(results, broken)


@functools.cache
def _nbgraders_utils() -> Any:
    """Return the module of nbgrader's that counts points.

    With the rest of nbgrader, its database and its web pages, it takes a second to import, which is
    a third of all that a reader waits for.
    """
    spec = None if "nbgrader" in sys.modules else importlib.util.find_spec("nbgrader")
    if spec is None or not spec.submodule_search_locations:
        return importlib.import_module("nbgrader.utils")
    path = Path(spec.submodule_search_locations[0], "utils.py")
    alone = importlib.util.spec_from_file_location("nbgraders_utils", path)
    assert alone is not None and alone.loader is not None
    module = importlib.util.module_from_spec(alone)
    alone.loader.exec_module(module)
    return module


def _message(run: CellRun) -> str:
    if run.status == "ok":
        printed = "".join(out.text for out in run.outputs if out.get("name") == "stderr")
        if printed:
            last = printed.strip().splitlines()[-1]
            return f"The test passed, but printed a warning, which counts as a failure: {last}"
        return "Part of the points."
    if run.status == "not run":
        return "Not run: an earlier cell ended the run."
    kind, _, text = run.error.partition(":")
    if kind == "NotImplementedError" and not text.strip():
        # With a text it comes from a library, which cannot do what it was asked.
        return "Not written yet."
    if run.status == "timeout":
        return f"Took too long, {run.error}. Is there a loop that does not end?"
    if run.status == "died" or run.error.startswith("StudentGone"):
        known = run.error.startswith("StudentGone") or "ended the Python process" in run.error
        why = "" if known or not run.error else f" ({run.error})"
        return f"Your code ended the Python process that it ran in, or had to be stopped{why}."
    # The type of the tests' own error says nothing to a student.
    return run.error.removeprefix("CheckFailed: ")
