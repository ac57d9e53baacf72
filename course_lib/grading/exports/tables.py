"""The gradebook as a table that spreadsheets and learning platforms read."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from nbgrader.api import Assignment, Gradebook, Student, SubmittedAssignment
from nbgrader.plugins import CsvExportPlugin
from sqlalchemy.orm import undefer

__all__ = ["COLUMNS", "CsvExport", "Standing", "number", "plain", "rows", "standings", "write"]

# nbgrader's own columns, in its order, so that what reads its table reads this one.
COLUMNS = (
    "assignment",
    "duedate",
    "timestamp",
    "student_id",
    "last_name",
    "first_name",
    "email",
    "raw_score",
    "late_submission_penalty",
    "score",
    "max_score",
)

MISSING, WAITS, STALE = "handed in nothing", "waits for marks", "is not graded as it stands"


@dataclass
class Standing:
    """What one student has in one assignment.

    Attributes
    ----------
    raw, penalty : float
        Points before a late penalty, extra credit included, and the penalty.
    open : str
        Why there is no score yet; empty where there is one.
    """

    student: str
    assignment: str
    max_score: float
    duedate: datetime | None = None
    timestamp: datetime | None = None
    raw: float = 0.0
    penalty: float = 0.0
    open: str = ""

    @property
    def score(self) -> float | None:
        """What nbgrader counts; None where that is not settled."""
        return None if self.open else max(0.0, self.raw - self.penalty)


HandedIn = Mapping[str, Mapping[str, bool]]
"""By assignment and student, whether what was handed in is graded as it stands."""


def standings(
    gradebook: Gradebook, assignments: Iterable[str] = (), handed_in: HandedIn | None = None
) -> list[Standing]:
    """Return what each student has in each assignment, by assignment.

    Parameters
    ----------
    gradebook : Gradebook
    assignments : iterable of str
        Some assignments; none means all.
    handed_in : mapping, optional
        What lies in the folders of submissions. The gradebook may know nothing of it, or hold
        points for an earlier one.
    """
    wanted = set(assignments)
    students = {student.id for student in gradebook.students}
    found = []
    for assignment in gradebook.assignments:
        if wanted and assignment.name not in wanted:
            continue
        known = _submissions(gradebook, assignment)
        current = (handed_in or {}).get(assignment.name, {})
        for student in sorted(students | set(current)):
            entry = Standing(student, assignment.name, assignment.max_score, assignment.duedate)
            submission = known.get(student)
            if submission is not None:
                entry.timestamp = submission.timestamp
                # With an extension, if there is one.
                entry.duedate = submission.duedate
                entry.raw = submission.score
                entry.penalty = submission.late_submission_penalty or 0.0
            if not current.get(student, True):
                entry.open = STALE
            elif submission is None:
                entry.open = MISSING
            elif submission.needs_manual_grade:
                entry.open = WAITS
            found.append(entry)
    return found


def _submissions(gradebook: Gradebook, assignment: Assignment) -> dict[str, SubmittedAssignment]:
    """Return the submissions of an assignment with their totals, in one question."""
    totals = ("score", "late_submission_penalty", "needs_manual_grade")
    query = (
        gradebook.db.query(SubmittedAssignment)
        .filter(SubmittedAssignment.assignment_id == assignment.id)
        .options(*(undefer(getattr(SubmittedAssignment, name)) for name in totals))
    )
    return {submission.student_id: submission for submission in query}


class CsvExport(CsvExportPlugin):
    """nbgrader's CSV table with its fields quoted: names may hold commas.

    A score that waits for a person's marks is empty; ``raw_score`` holds what there is so far.
    """

    def export(self, gradebook: Gradebook) -> None:
        """Write the table to ``self.to``, or to ``grades.csv``."""
        table = rows(gradebook, set(map(str, self.assignment)), set(map(str, self.student)))
        write(
            Path(self.to or "grades.csv"),
            [COLUMNS, *([plain(row[key]) for key in COLUMNS] for row in table)],
        )


def rows(
    gradebook: Gradebook,
    assignments: set[str] | None = None,
    students: set[str] | None = None,
    handed_in: HandedIn | None = None,
) -> list[dict[str, Any]]:
    """Return a row for each student and assignment; empty sets mean all of them."""
    people = {student.id: student for student in gradebook.students}
    table = []
    for entry in standings(gradebook, assignments or (), handed_in):
        if students and entry.student not in students:
            continue
        person = people.get(entry.student) or Student(id=entry.student)
        table.append(
            {
                "assignment": entry.assignment,
                "duedate": entry.duedate,
                "timestamp": entry.timestamp,
                "student_id": person.id,
                "last_name": person.last_name,
                "first_name": person.first_name,
                "email": person.email,
                "raw_score": entry.raw,
                "late_submission_penalty": entry.penalty,
                # As in nbgrader's table, who handed in nothing has 0 there.
                "score": 0.0 if entry.open == MISSING else entry.score,
                "max_score": entry.max_score,
            }
        )
    return table


# Fields

# What a spreadsheet takes for the beginning of a formula, in whatever script it is set to.
FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")


def plain(value: Any) -> str:
    """Return a field as text that a spreadsheet takes for text or a number, never a formula."""
    if value is None:
        return ""
    text = str(value)
    if isinstance(value, str) and FORMULA.match(text):
        return f"'{text}"
    return text


def number(value: float | None) -> str:
    """Return points as every platform reads them: 4, 2.5, 0.333333; empty for None."""
    return "" if value is None else f"{value:.6f}".rstrip("0").rstrip(".")


def write(path: Path, lines: Iterable[Sequence[str]]) -> None:
    """Write lines of fields as CSV in UTF-8."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(lines)
