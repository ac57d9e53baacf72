"""Grading again: whose points change, and which of a person's marks still stand."""

from __future__ import annotations

import hashlib
import json
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbgrader.api import Grade, Gradebook, MissingEntry, SubmittedAssignment
from sqlalchemy.orm import joinedload

from course_lib.grading.course.folder import Course
from course_lib.grading.reports.report import CellChange, Change, StudentReport
from course_lib.grading.submissions.files import entries
from course_lib.grading.submissions.repair import metadata_of
from course_lib.paths import CourseError

__all__ = ["Earlier"]

# What nbgrader's exchange puts beside a notebook.
_NO_ANSWERS = frozenset(("submission_secret.txt", "timestamp.txt"))

Cell = tuple[str, str]
"""A notebook and a cell of it."""


@dataclass
class _Given:
    """The points of a cell."""

    automatic: float | None
    person: float | None
    score: float
    waits: bool


@dataclass
class _State:
    """What the gradebook had for a submission, and what the student had written."""

    total: float
    cells: dict[Cell, _Given]
    answers: dict[str, str]


class Earlier:
    """What an assignment's submissions had before they are graded again.

    Parameters
    ----------
    course : Course
    slug : str
        The assignment.
    """

    def __init__(self, course: Course, slug: str) -> None:
        self._course = course
        self._slug = slug
        self._states: dict[str, _State] = {}

    def remember(self, student: str) -> None:
        """Take down what a student has now; nothing if the submission is new."""
        with self._course.gradebook() as gradebook:
            submission = self._submission(gradebook, student)
            if submission is None:
                return
            cells = {place: given for place, given, _ in _cells(gradebook, submission)}
            if any(g.automatic is not None or g.person is not None for g in cells.values()):
                answers = self._answers(student, submission)
                self._states[student] = _State(_total(submission), cells, answers)

    def settle(self, student: str) -> bool:
        """Let a person's marks stand where nothing has changed that they were given for.

        nbgrader asks for a second look at each mark once its submission is graded again. That is
        right where the answer, or what the tests give, is another; a test that was mended elsewhere
        is no reason to look at three hundred essays once more.

        Returns
        -------
        bool
            Whether anything was settled.
        """
        before = self._states.get(student)
        settled = False
        if before is None:
            return settled
        with self._course.gradebook() as gradebook:
            submission = self._submission(gradebook, student)
            if submission is None:
                return settled
            now = self._answers(student, submission)
            for (notebook, name), given, grade in _cells(gradebook, submission):
                old = before.cells.get((notebook, name))
                if (
                    old is not None
                    and given.waits
                    and not old.waits
                    and given.person is not None
                    and (given.person, given.automatic) == (old.person, old.automatic)
                    and now.get(notebook) == before.answers.get(notebook)
                ):
                    grade.needs_manual_grade = False
                    settled = True
            if settled:
                gradebook.db.commit()
        return settled

    def change(self, row: StudentReport) -> Change | None:
        """Return how the points of a submission changed; None if they did not."""
        before = self._states.pop(row.student, None)
        if before is None or row.failed:
            return None
        with self._course.gradebook() as gradebook:
            submission = self._submission(gradebook, row.student)
            if submission is None:
                return None
            several = len(submission.notebooks) > 1
            found = []
            for (notebook, name), given, _ in _cells(gradebook, submission):
                shown = f"{notebook}/{name}" if several else name
                changed = _compare(shown, before.cells.get((notebook, name)), given)
                if changed is not None:
                    found.append(changed)
            after = _total(submission)
        if not found and after == before.total:
            return None
        order = {cell.name: place for place, cell in enumerate(row.cells)}
        found.sort(key=lambda cell: order.get(cell.name, len(order)))
        return Change(row.student, before.total, after, found)

    def _submission(self, gradebook: Gradebook, student: str) -> SubmittedAssignment | None:
        try:
            return gradebook.find_submission(self._slug, student)
        except MissingEntry:
            return None

    def _answers(self, student: str, submission: SubmittedAssignment) -> dict[str, str]:
        """Return a digest of what the student wrote, by notebook."""
        folder = self._course.path("autograded", student, self._slug)
        # A picture or a table that a text speaks of; what is the course's says nothing.
        beside = _digest_of_files(folder, self._course.path("source", ".", self._slug))
        found = {}
        for notebook in submission.notebooks:
            path = folder / f"{notebook.name}.ipynb"
            if path.is_file():
                found[notebook.name] = _digest(path) + beside
        return found


def _cells(
    gradebook: Gradebook, submission: SubmittedAssignment
) -> Iterator[tuple[Cell, _Given, Grade]]:
    for notebook in submission.notebooks:
        grades = gradebook.db.query(Grade).filter(Grade.notebook_id == notebook.id)
        for grade in grades.options(joinedload(Grade.cell)):
            waits = bool(grade.needs_manual_grade)
            given = _Given(grade.auto_score, grade.manual_score, grade.score, waits)
            yield (notebook.name, grade.name), given, grade


def _total(submission: SubmittedAssignment) -> float:
    return max(0.0, submission.score - (submission.late_submission_penalty or 0.0))


def _compare(name: str, old: _Given | None, new: _Given) -> CellChange | None:
    """Return how a cell's points changed: what the tests give, and beside it a person's mark."""
    if old is None or (old.automatic is None and old.person is None):
        return None if new.waits else CellChange(name, None, new.score)
    if new.person is not None:
        same = old.automatic == new.automatic or new.automatic is None
        return None if same else CellChange(name, old.automatic, new.automatic, new.person)
    return None if old.score == new.score else CellChange(name, old.score, new.score)


def _digest_of_files(folder: Path, source: Path) -> str:
    """Return a digest of the files beside graded notebooks that are the student's."""
    held = []
    try:
        for name, status in entries(folder).items():
            wanted = not name.endswith((".ipynb", ".part")) and name not in _NO_ANSWERS
            if wanted and stat.S_ISREG(status.st_mode) and not (source / name).exists():
                with (folder / name).open("rb") as file:
                    held.append([name, hashlib.file_digest(file, "sha256").hexdigest()])
    except (OSError, CourseError):
        return secrets.token_hex()  # what cannot be read is the same as nothing
    return hashlib.sha256(json.dumps(held).encode()).hexdigest()


def _digest(path: Path) -> str:
    try:
        notebook = nbformat.v4.reads(path.read_text(encoding="utf-8"))
    except (ValueError, KeyError, AttributeError, OSError):
        return ""  # damaged: no answer is the same as what it held
    texts = [
        [cell.source, cell.get("attachments", {})]
        for cell in notebook.cells
        if metadata_of(cell).get("solution") or not metadata_of(cell)
    ]
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()
