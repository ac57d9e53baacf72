"""Lateness in the gradebook, as ``due.toml`` has it now: dates, extensions, penalties."""

from __future__ import annotations

from nbgrader.api import Gradebook, MissingEntry

from course_lib.grading.course.due import read_due
from course_lib.grading.course.folder import Course

__all__ = ["settle_lateness"]


def settle_lateness(course: Course, slug: str, gradebook: Gradebook) -> None:
    """Count lateness anew: an extension may have come, or marks, since the work was graded.

    Where there is no ``due.toml``, or it says nothing of the assignment, all stays as it is. So do
    penalties, where the course has a plugin of its own for them.
    """
    due = read_due(course.folder)
    if due is None or slug not in due.dates:
        return
    try:
        assignment = gradebook.find_assignment(slug)
    except MissingEntry:
        return
    for submission in assignment.submissions:
        due.enter(submission)
        if due.rule is None or not course.counts_lateness():
            continue
        seconds = submission.total_seconds_late
        for notebook in submission.notebooks:
            penalty = due.rule.penalty(notebook.score, seconds) if seconds else 0.0
            # As nbgrader has it: none is no 0.
            if (notebook.late_submission_penalty or 0.0) != penalty:
                notebook.late_submission_penalty = penalty or None
    gradebook.db.commit()
