"""Collect submissions from nbgrader's exchange."""

from __future__ import annotations

from course_lib.grading.course.folder import FolderOrCourse, GradingError, course_in, shown_path
from course_lib.grading.course.names import name_assignment

__all__ = ["collect"]


def collect(slug: str, course_dir: FolderOrCourse = ".") -> list[str]:
    """Fetch new submissions from nbgrader's exchange; return who has handed in.

    Raises
    ------
    GradingError
        If there is no exchange on this machine.
    """
    from nbgrader.exchange import ExchangeError, ExchangeFactory

    course = course_in(course_dir)
    coursedir = course.coursedir
    name_assignment(coursedir, slug)
    exchange = ExchangeFactory(parent=coursedir)
    try:
        collector = exchange.Collect(coursedir=coursedir, parent=coursedir)
        collector.log = course.log
        collector.update = True
        collector.start()
    except (ExchangeError, SystemExit, OSError) as error:
        submitted = course.path("submitted", "STUDENT", slug)
        raise GradingError(
            f"Nothing can be collected: there is no nbgrader exchange for this course here "
            f"({error or 'no exchange folder'}). Put each notebook into {shown_path(submitted)}, "
            "or collect an archive with `nbgrader zip_collect` (see the book's page For teachers)."
        ) from error
    return course.submissions(slug)
