"""Mark a cell by hand: record what a person gives for it, as the formgrader does."""

from __future__ import annotations

from nbgrader.api import MissingEntry

from course_lib.grading.course.folder import FolderOrCourse, GradingError, course_in

__all__ = ["mark"]


def mark(
    slug: str,
    student: str,
    cell: str,
    points: float,
    course_dir: FolderOrCourse = ".",
    *,
    notebook: str | None = None,
    comment: str | None = None,
) -> None:
    """Record what a person gives for a cell, as the formgrader does.

    Parameters
    ----------
    slug, student, cell : str
        The assignment, the student, and the ``grade_id`` of the cell.
    points : float
        The points; they stand in the place of the points that the tests gave, if any.
    course_dir : path
        The course.
    notebook : str, optional
        Its name; that of the assignment by default.
    comment : str, optional
        Shown to the student under an answer.

    Raises
    ------
    GradingError
        If the gradebook knows no such cell of this student.
    """
    course = course_in(course_dir)
    with course.gradebook() as gradebook:
        place = (cell, notebook or slug, slug, student)
        try:
            entry = gradebook.find_grade(*place)
            entry.manual_score = float(points)
            entry.needs_manual_grade = False
            if comment is not None:
                gradebook.find_comment(*place).manual_comment = comment
            gradebook.db.commit()
        except MissingEntry as error:
            raise GradingError(f"There is nothing to mark: {error}") from error
