"""The sample class: a handful of students whose scores are known, graded for real.

``sample_class/<slug>.py`` says in Python what each student handed in. `grade_sample_class` makes
notebooks of it, in a course of their own under ``_build/sample_class`` (its own gradebook, never
the instructor's), and grades them there. That shows on a fresh machine that grading works, and
gives a teacher something to look at in the formgrader before there is a class.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import inspect
import json
import runpy
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import nbformat
from nbformat import NotebookNode
from nbgrader.api import MissingEntry

from course_lib.assignments.answers import Answer, apply, right
from course_lib.assignments.sources import grade_id, is_solution
from course_lib.grading.course.folder import Course, GradingError, Progress
from course_lib.grading.reports.report import Report
from course_lib.grading.running.sandboxed import missing_for_sandbox
from course_lib.grading.steps.feedback import feedback
from course_lib.grading.steps.grade import grade
from course_lib.grading.steps.mark import mark
from course_lib.grading.steps.release import release
from course_lib.imports import ImportGraph, imported_modules
from course_lib.paths import built_source_path, release_path

__all__ = [
    "Submission",
    "build_class",
    "class_folder",
    "grade_sample_class",
    "load_class",
    "sample_classes",
    "submission",
]

CONFIGURATION = '''\
"""nbgrader's settings for the sample class: the course's own, with shorter limits."""

from course_lib.grading.course.config import configure

c = get_config()
configure(c)
c.CourseDirectory.source_directory = "source"
c.CourseDirectory.release_directory = "release"
c.CourseDirectory.course_id = "sample-class"
# Every second of an infinite loop is waited for.
c.Execute.timeout = {timeout}
'''

#: Seconds that a cell may take, unless the file of the class says otherwise (``TIMEOUT``).
SECONDS_PER_CELL = 10

WITHOUT_WALLS = """\
# No sandbox can be built on this machine. These submissions are the course's own.
c.Execute.engine = "kernel"
"""


@dataclass(frozen=True)
class Submission:
    """What one student of the sample class handed in.

    Attributes
    ----------
    student : str
        The student's name in the gradebook.
    why : str
        What this submission is there to show.
    score : float
        What it must come to, marks included.
    loses : frozenset of str
        The test cells that must give no points; ``{"*"}`` means all of them.
    starts_from : {"solution", "release"}
        What stands where the student defines nothing of their own.
    answer : Answer, optional
        What the student defines.
    writes : dict
        Written answers: grade id to text.
    marks : dict
        What a person gave for them: grade id to points.
    """

    student: str
    why: str
    score: float
    loses: frozenset[str] = frozenset()
    starts_from: Literal["solution", "release"] = "solution"
    answer: Answer | None = None
    writes: dict[str, str] = field(default_factory=dict)
    marks: dict[str, float] = field(default_factory=dict)


def submission(
    *,
    student: str,
    score: float,
    loses: Iterable[str] = (),
    starts_from: Literal["solution", "release"] = "solution",
    writes: dict[str, str] | None = None,
    marks: dict[str, float] | None = None,
) -> Callable[[Callable[[], None]], Submission]:
    """Make a submission of a function's body, as misconception files make answers.

    The names that the body defines replace those of the reference solution (or, with
    ``starts_from="release"``, of the student's notebook as it was released).
    """

    def make(function: Callable[[], None]) -> Submission:
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
        assert isinstance(definition, ast.FunctionDef)
        return Submission(
            student=student,
            why=" ".join((inspect.getdoc(function) or "").split()),
            score=score,
            loses=frozenset(loses),
            starts_from=starts_from,
            answer=right(function) if len(definition.body) > 1 else None,
            writes=dict(writes or {}),
            marks=dict(marks or {}),
        )

    return make


def load_class(path: Path) -> list[Submission]:
    """Return the submissions that a file defines, in its order."""
    found = [value for value in runpy.run_path(str(path)).values() if isinstance(value, Submission)]
    names = [entry.student for entry in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise GradingError(f"{path.name} has two submissions of {', '.join(twice)}. Rename one.")
    return found


def notebook_of(entry: Submission, source: NotebookNode, released: NotebookNode) -> NotebookNode:
    """Return the notebook that a student handed in: the release with their solution cells."""
    notebook = copy.deepcopy(released)
    if entry.answer is None:
        solved = source if entry.starts_from == "solution" else released
    else:
        solved = apply(source if entry.starts_from == "solution" else released, entry.answer)
    texts = {
        grade_id(cell): cell.source
        for cell in solved.cells
        if is_solution(cell) and cell.cell_type == "code"
    }
    texts |= entry.writes
    for cell in notebook.cells:
        if is_solution(cell) and grade_id(cell) in texts:
            cell.source = _without_marks(texts[grade_id(cell)])
    return notebook


def _without_marks(text: str) -> str:
    """Return a solution without nbgrader's delimiters, which no student ever sees."""
    marks = ("### BEGIN SOLUTION", "### END SOLUTION")
    return "\n".join(line for line in text.split("\n") if line.strip() not in marks)


def class_folder(build_dir: Path) -> Path:
    """Return the folder of the sample class, a course by itself."""
    return build_dir / "sample_class"


def timeout_of(path: Path) -> int:
    """Return how many seconds a cell of a sample class may take: what its file says, or 10."""
    return int(runpy.run_path(str(path)).get("TIMEOUT", SECONDS_PER_CELL))


def sample_classes(root: Path) -> list[str]:
    """Return the exercises that have a sample class, in alphabetical order."""
    return sorted(path.stem for path in (root / "sample_class").glob("*.py"))


def build_class(
    build_dir: Path, slug: str, submissions: list[Submission], timeout: int = SECONDS_PER_CELL
) -> Path:
    """Write the course of the sample class with fresh submissions to one exercise.

    What an earlier, perhaps interrupted, run left of this exercise is removed first.
    """
    root = build_dir.parent
    folder = class_folder(build_dir)
    folder.mkdir(parents=True, exist_ok=True)
    settings = CONFIGURATION.format(timeout=timeout) + (
        WITHOUT_WALLS if missing_for_sandbox() else ""
    )
    (folder / "nbgrader_config.py").write_text(settings, encoding="utf-8")
    for step in ("source", "release"):
        shutil.rmtree(folder / step / slug, ignore_errors=True)
    for step in ("submitted", "autograded", "feedback"):
        for old in (folder / step).glob(f"*/{slug}"):
            shutil.rmtree(old, ignore_errors=True)
    course = Course(folder)
    with course.gradebook() as gradebook, suppress(MissingEntry):
        gradebook.remove_assignment(slug)

    shutil.copytree(built_source_path(root, slug).parent, folder / "source" / slug)
    release([slug], course)
    source = nbformat.read(built_source_path(root, slug), as_version=4)
    released = nbformat.read(release_path(root, slug), as_version=4)
    for entry in submissions:
        path = folder / "submitted" / entry.student / slug / f"{slug}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(notebook_of(entry, source, released), path)
    return folder


def grade_sample_class(
    build_dir: Path,
    slug: str = "activations",
    *,
    force: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Grade the sample class of one exercise, unless nothing has changed since the last time.

    Parameters
    ----------
    build_dir : Path
        The course's ``_build`` folder, in which the exercise's source notebook lies already.
    slug : str
        The exercise; there is a ``sample_class/<slug>.py``.
    force : bool
        Grade again in any case.
    progress : callable, optional
        As for `course_lib.grading.grade`.

    Returns
    -------
    Report
        What the class came to. Feedback pages lie in ``_build/sample_class/feedback``.

    Raises
    ------
    GradingError
        If there is no such class, or one of its submissions could not be graded.
    """
    build_dir = Path(build_dir).resolve()
    root = build_dir.parent
    path = root / "sample_class" / f"{slug}.py"
    if not path.is_file():
        raise GradingError(f"The exercise {slug!r} has no sample class: there is no {path}.")
    result = class_folder(build_dir) / "results" / f"{slug}.json"
    now = _fingerprint(root, slug, path)
    if not force and result.is_file():
        last = json.loads(result.read_text(encoding="utf-8"))
        if last.get("fingerprint") == now:
            return Report.from_dict(last["report"])
    # Nothing is a result until all of it is there.
    result.unlink(missing_ok=True)
    submissions = load_class(path)
    course = Course(build_class(build_dir, slug, submissions, timeout_of(path)))
    report = grade(slug, course, progress=progress)
    _expect_all_graded(report)
    for entry in submissions:
        for name, points in entry.marks.items():
            mark(slug, entry.student, name, points, course)
    report = _with_times(grade(slug, course), report)
    feedback(slug, course)
    text = json.dumps({"fingerprint": now, "report": report.to_dict()}, indent=1)
    result.parent.mkdir(exist_ok=True)
    half = result.with_suffix(".part")
    half.write_text(text, encoding="utf-8")
    half.replace(result)
    return report


def _expect_all_graded(report: Report) -> None:
    """Make sure that every submission was graded; each is known to be one that can be.

    Raises
    ------
    GradingError
        If one was not; it names the students and the reasons.
    """
    failed = [f"{row.student}: {row.reason}" for row in report.failed]
    if failed:
        raise GradingError(
            f"{len(failed)} of the {len(report.students)} submissions of the sample class of "
            f"{report.assignment} could not be graded. {' '.join(failed)} Run the same command "
            "again; if that does not help, grading does not work on this machine."
        )


def _with_times(report: Report, timed: Report) -> Report:
    """Return a report that was only read, with the times of the one that graded."""
    report.seconds = timed.seconds
    for row in report.students:
        row.seconds = timed[row.student].seconds
    return report


def _fingerprint(root: Path, slug: str, path: Path) -> str:
    """Return a digest of everything that the scores could depend on.

    Of course_lib that is what the exercise imports and what grades it, not all of it: a change to
    another chapter's module grades nobody again.
    """
    library = Path(__file__).parents[1]
    source = built_source_path(root, slug)
    inputs = [
        path,
        source,
        release_path(root, slug),
        root / "requirements.txt",
        root / "nbgrader_config.py",
        *sorted(library.glob("grading/pages/templates/*/*")),
    ]
    for file in inputs:
        if not file.is_file():
            raise GradingError(
                f"The sample class needs {file}, which is not there: run `course build` first."
            )
    notebook = nbformat.read(source, as_version=4)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    # Settings and the engine name modules in strings, which no import graph sees.
    named = (
        "steps.feedback",
        "steps.grade",
        "steps.mark",
        "steps.release",
        "running.sandboxed",
        "pages.feedback",
        "pages.markup",
        "engine.student",
        "engine.judge",
    )
    grading = [f"course_lib.grading.{name}" for name in named]
    graph = ImportGraph(library.parent)
    modules = graph.behind([*imported_modules(code), *grading, "course_lib.assignments.answers"])
    inputs += [Path(__file__), *(file for _, file in graph.files(modules))]
    digest = hashlib.sha256(sys.version.encode())
    for file in inputs:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()
