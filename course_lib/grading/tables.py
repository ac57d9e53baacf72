"""The gradebook as a table that spreadsheets and learning platforms read."""

from __future__ import annotations

import csv
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.plugins import CsvExportPlugin

__all__ = ["COLUMNS", "CsvExport", "rows"]

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


class CsvExport(CsvExportPlugin):
    """nbgrader's CSV table with its fields quoted: names may hold commas."""

    def export(self, gradebook: Gradebook) -> None:
        """Write the table to ``self.to``, or to ``grades.csv``."""
        table = rows(gradebook, set(map(str, self.assignment)), set(map(str, self.student)))
        with open(self.to or "grades.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows({key: _plain(value) for key, value in row.items()} for row in table)


def rows(
    gradebook: Gradebook,
    assignments: set[str] | None = None,
    students: set[str] | None = None,
) -> list[dict[str, Any]]:
    """Return a row for each student and assignment; empty sets mean all of them."""
    table = []
    for assignment in gradebook.assignments:
        if assignments and assignment.name not in assignments:
            continue
        for student in gradebook.students:
            if students and student.id not in students:
                continue
            row: dict[str, Any] = {
                "assignment": assignment.name,
                "duedate": assignment.duedate,
                "timestamp": None,
                "student_id": student.id,
                "last_name": student.last_name,
                "first_name": student.first_name,
                "email": student.email,
                "raw_score": 0.0,
                "late_submission_penalty": 0.0,
                "score": 0.0,
                "max_score": assignment.max_score,
            }
            try:
                submission = gradebook.find_submission(assignment.name, student.id)
            except MissingEntry:
                # Nothing was handed in.
                pass
            else:
                penalty = submission.late_submission_penalty or 0.0
                row["timestamp"] = submission.timestamp
                row["raw_score"] = submission.score
                row["late_submission_penalty"] = penalty
                row["score"] = max(0.0, submission.score - penalty)
            table.append(row)
    return table


def _plain(value: Any) -> str:
    """Return a field as text that a spreadsheet takes for text or a number, never a formula."""
    if value is None:
        return ""
    text = str(value)
    if isinstance(value, str) and text[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{text}"
    return text
