"""Check one's own notebook: the tests of the source, run on the answers of the notebook."""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.warnings import DuplicateCellId, MissingIDFieldWarning

from course_lib.assignments.running import run_notebook
from course_lib.assignments.sandboxed import Engine, engine
from course_lib.assignments.sources import (
    grade_id,
    is_solution,
    is_test,
    release_notebook,
    source_notebook,
)
from course_lib.grading.course import nbgraders
from course_lib.grading.course.text import decoded
from course_lib.grading.engine.credit import as_told, said_on_stderr, settle
from course_lib.grading.engine.runner import CellRun
from course_lib.grading.engine.stopped import why_missing
from course_lib.grading.submissions.repair import WrongNotebookError, mend, wanted_in
from course_lib.paths import CourseError, known_slug, release_path, source_path


@dataclass(frozen=True)
class TestResult:
    """What one graded cell gave.

    Attributes
    ----------
    grade_id : str
    points, max_points : float
        `points` is None where a person marks, and where the tests are not here.
    message : str
        What the student is told when points were lost.
    later : bool
        Whether the tests are hidden ones that are not here: they come with grading.
    """

    grade_id: str
    points: float | None
    max_points: float
    message: str = ""
    later: bool = False


@dataclass(frozen=True)
class CheckResult:
    """What checking a notebook gave.

    Attributes
    ----------
    results : list of TestResult
        In the order of the notebook.
    broken : dict
        Grade id of a solution cell to the error that running it raised.
    notes : list of str
        What was mended in the copy that was checked, as a teacher's report says it.
    """

    results: list[TestResult]
    broken: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

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
        return sum(r.max_points for r in self.results if r.points is None and not r.later)

    @property
    def later_points(self) -> float:
        """Points of hidden tests that are not here."""
        return sum(result.max_points for result in self.results if result.later)


def check(
    root: Path,
    slug: str,
    path: Path,
    *,
    seconds_per_cell: float = 30.0,
    graders: Engine | None = None,
) -> CheckResult:
    """Run the visible and hidden tests of an exercise on a notebook, which is not changed.

    Where there is no source, as in a student's kit, the tests are those of the release. It is
    graded as a class is, in the grading engine; where no sandbox can be built, it runs in a process
    of its own. Either way the points are the same.

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
        When the file is missing, no notebook, or of another exercise.
    """
    submitted = read_notebook(path, slug)
    with nullcontext(graders) if graders else engine(root, slug, path) as graders:
        source = tests_of(root, slug)
        notes: list[str] = []
        try:
            notebook = as_graded(source, submitted, _released(root, slug, source), notes)
        except WrongNotebookError as error:
            raise CourseError(
                f"{path} is not the exercise {slug!r}. {error} Set it aside; `course start {slug}` "
                "then makes a copy of the right one."
            ) from None
        runs = graders and graders.run(
            notebook,
            source,
            folder=path.parent,
            course_folder=release_path(root, slug).parent,
            seconds_per_cell=seconds_per_cell,
        )
        result = grade_notebook(
            notebook, folder=path.parent, seconds_per_cell=seconds_per_cell, runs=runs
        )
        return replace(result, notes=notes)


def tests_of(root: Path, slug: str) -> NotebookNode:
    """Return the notebook whose tests count: the source, or the release where there is none.

    Raises
    ------
    CourseError
        If there is neither.
    """
    known_slug(root, slug)
    path = release_path(root, slug)
    if source_path(root, slug).is_file() or not path.is_file():
        return source_notebook(root, slug)
    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError) as error:
        raise CourseError(
            f"{path} cannot be read ({error}), and your notebook is compared with it. Unpack the "
            "kit again, beside this one, and copy the file from there."
        ) from None


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
        with warnings.catch_warnings():
            # Of cells that share an id or have none; they are mended as they are read.
            warnings.simplefilter("ignore", DuplicateCellId)
            warnings.simplefilter("ignore", MissingIDFieldWarning)
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


def as_graded(
    source: NotebookNode,
    submitted: NotebookNode,
    released: NotebookNode,
    notes: list[str] | None = None,
) -> NotebookNode:
    """Return a submission as it is graded: mended, and with the tests of the source.

    Parameters
    ----------
    source, submitted, released : NotebookNode
        None of them is changed.
    notes : list of str, optional
        Gets a sentence for each thing that was mended.

    Raises
    ------
    WrongNotebookError
        If the submission holds no cell of the exercise.
    """
    notebook = copy.deepcopy(submitted)
    mend(notebook, wanted_in(source), list(released.cells), [] if notes is None else notes)
    teachers = {grade_id(cell): cell for cell in source.cells if not is_solution(cell)}
    for cell in notebook.cells:
        name = grade_id(cell)
        if name is not None and name in teachers:
            cell.source = teachers[name].source
    return notebook


def _released(root: Path, slug: str, source: NotebookNode) -> NotebookNode:
    """Return the release; made anew where the one that is there has other cells than the source."""
    path = release_path(root, slug)
    if path.is_file():
        released = nbformat.read(path, as_version=4)
        if [grade_id(cell) for cell in released.cells] == [grade_id(c) for c in source.cells]:
            return released
    return release_notebook(root, slug)


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
    if runs is None:
        runs = run_notebook(notebook, folder=folder, seconds_per_cell=seconds_per_cell)
    by_index = {run.index: run for run in runs}
    results, broken = [], {}
    before: list[NotebookNode] = []
    for index, cell in enumerate(notebook.cells):
        name = grade_id(cell)
        run = by_index.get(index, CellRun(index))
        before.append(NotebookNode(cell, outputs=run.outputs))
        if is_test(cell) and not holds_tests(cell):
            results.append(TestResult(name, None, float(cell.metadata.nbgrader.points), later=True))
        elif is_test(cell):
            most = float(cell.metadata.nbgrader.points)
            points, fault = counted(cell, run.outputs) if run.status != "not run" else (0.0, "")
            message = fault or (_message(run) if points < most else "")
            ename, _, evalue = run.error.partition(": ")
            why = why_missing(ename, evalue, before) if message else ""
            message = f"{message}. {why}" if why else message
            results.append(TestResult(name, points, most, message))
        elif cell.metadata.get("nbgrader", {}).get("grade"):
            results.append(TestResult(name, None, float(cell.metadata.nbgrader.points)))
        elif name and run.status in ("error", "timeout", "died"):
            broken[name] = run.error
    return CheckResult(results, broken)


def counted(cell: NotebookNode, outputs: list[NotebookNode]) -> tuple[float, str]:
    """Return the points that nbgrader gives for a test that showed this.

    And what is wrong with the test, where it ends with what is no number of points.
    """
    graded = copy.deepcopy(cell)
    graded.outputs = copy.deepcopy(outputs)
    fault = settle(graded)
    if fault:
        return 0.0, as_told(fault)
    return nbgraders.determine_grade(graded)[0], ""


def holds_tests(cell: NotebookNode) -> bool:
    """Tell whether a test cell holds more than remarks; a release keeps those of hidden tests."""
    lines = (line.strip() for line in cell.source.splitlines())
    return any(line and not line.startswith("#") for line in lines)


def _message(run: CellRun) -> str:
    if run.status == "ok":
        printed = "".join(out.text for out in run.outputs if out.get("name") == "stderr")
        if printed:
            said = said_on_stderr(printed)
            return f"The test passed, but printed a warning, which counts as a failure: {said}"
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
