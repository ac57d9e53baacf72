"""Report what an assignment's grading came to, without grading anything."""

from __future__ import annotations

from course_lib.grading.course.folder import FolderOrCourse, course_in
from course_lib.grading.recording.gradebook import one_gradebook
from course_lib.grading.recording.lateness import settle_lateness
from course_lib.grading.recording.reading import notebooks_of, read_row, without_a_name
from course_lib.grading.reports.report import NEEDS_A_PERSON, Report, StudentReport

__all__ = ["read_report"]


def read_report(slug: str, course_dir: FolderOrCourse = ".", *, students: str = "*") -> Report:
    """Return what the gradebook and the graded notebooks say now, without grading anything."""
    course = course_in(course_dir)
    notebooks_of(course, slug)
    nameless = course.nameless(slug, students)
    report = Report(slug, students=[without_a_name(name) for name in nameless])
    with one_gradebook(course):
        with course.gradebook() as gradebook:
            settle_lateness(course, slug, gradebook)
        for name in course.submissions(slug, students):
            row = read_row(course, slug, name)
            report.students.append(
                row
                or StudentReport(
                    name, NEEDS_A_PERSON, failed=True, reason="It has not been graded yet."
                )
            )
    return report
