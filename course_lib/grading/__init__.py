"""Grading: nbgrader's steps, made to survive what students hand in.

For the `course` command and for teachers' scripts::

    from course_lib import grading

    grading.release(["activations"], course_dir=".")
    report = grading.grade("activations", course_dir=".")
    grading.feedback("activations", course_dir=".")
    grading.export(course_dir=".", to="grades.csv")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from course_lib.grading.course.folder import Course, GradingError
    from course_lib.grading.reports.report import (
        GRADED,
        NEEDS_A_PERSON,
        CellChange,
        CellScore,
        Change,
        Report,
        StudentReport,
    )
    from course_lib.grading.steps.collect import collect, collect_archive
    from course_lib.grading.steps.export import export
    from course_lib.grading.steps.feedback import feedback
    from course_lib.grading.steps.grade import grade
    from course_lib.grading.steps.mark import mark
    from course_lib.grading.steps.release import release
    from course_lib.grading.steps.report import read_report, write_overview

__all__ = [
    "GRADED",
    "NEEDS_A_PERSON",
    "CellChange",
    "CellScore",
    "Change",
    "Course",
    "GradingError",
    "Report",
    "StudentReport",
    "collect",
    "collect_archive",
    "export",
    "feedback",
    "grade",
    "mark",
    "read_report",
    "release",
    "write_overview",
]

_HOMES = {
    "course.folder": ("Course", "GradingError"),
    "reports.report": (
        "GRADED",
        "NEEDS_A_PERSON",
        "CellChange",
        "CellScore",
        "Change",
        "Report",
        "StudentReport",
    ),
    "steps.collect": ("collect", "collect_archive"),
    "steps.export": ("export",),
    "steps.feedback": ("feedback",),
    "steps.grade": ("grade",),
    "steps.mark": ("mark",),
    "steps.release": ("release",),
    "steps.report": ("read_report", "write_overview"),
}


def __getattr__(name: str) -> Any:
    """Import on first use: a process that runs students' code wants nothing of nbgrader."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
