"""Export grades: CSV, JSON, or what Canvas, Moodle and Gradescope take."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path

from course_lib.grading.course.folder import Course, FolderOrCourse, GradingError, course_in
from course_lib.grading.exports import platforms
from course_lib.grading.exports.tables import COLUMNS, plain, rows, write
from course_lib.grading.recording.digests import is_current
from course_lib.grading.recording.gradebook import left_at_0, one_gradebook
from course_lib.grading.recording.lateness import settle_lateness
from course_lib.grading.recording.reading import notebooks_of, read_row
from course_lib.paths import CourseError

__all__ = ["export"]

FORMATS = frozenset(("canvas", "csv", "gradescope", "json", "moodle"))


def export(
    course_dir: FolderOrCourse = ".",
    slug: str | None = None,
    *,
    format: str = "csv",
    to: Path | str = "grades.csv",
    worksheet: Path | str | None = None,
    tell: Callable[[str], None] | None = None,
) -> Path:
    """Write the gradebook as a table.

    Where points wait for a person, or what was handed in is not graded as it stands, the score is
    empty and not 0.

    Parameters
    ----------
    course_dir : path
        The course.
    slug : str, optional
        One assignment; all of them by default.
    format : str
        ``"csv"`` (nbgrader's columns), ``"json"`` (the same), or that of a learning platform:
        ``"canvas"``, ``"moodle"``, ``"gradescope"``.
    to : path
        The file to write; relative paths are relative to the current folder.
    worksheet : path, optional
        With ``"moodle"``: the grading worksheet of an assignment, to be filled in.
    tell : callable, optional
        Called with each sentence that a person should read: whose score is empty, who lacks what.

    Raises
    ------
    GradingError
        If the gradebook knows no such assignment, or the format asks for something else.
    """
    course = course_in(course_dir)
    path = Path(to)
    if format not in FORMATS:
        raise GradingError(
            f"The format {format!r} is unknown. There are: {', '.join(sorted(FORMATS))}."
        )
    if worksheet and format != "moodle":
        raise GradingError("A grading worksheet is Moodle's: say --format moodle.")
    if slug is None and (format == "gradescope" or worksheet):
        raise GradingError("Name the assignment: this is written for one at a time.")
    with one_gradebook(course), course.gradebook() as gradebook:
        known = sorted(assignment.name for assignment in gradebook.assignments)
        if slug is not None and slug not in known:
            raise GradingError(
                f"The gradebook knows no assignment {slug!r}. It has: {', '.join(known) or 'none'}."
            )
        wanted = [slug] if slug else known
        for name in wanted:
            settle_lateness(course, name, gradebook)
        handed_in = {name: _handed_in(course, name) for name in wanted}
        group = platforms.Class.read(gradebook, wanted, handed_in)
        if not group.students:
            raise GradingError("The gradebook knows no students: nothing has been graded yet.")
        group.note_alike()
        # In nbgrader's own table, who handed in nothing has 0.
        group.note_open(missing=format not in ("csv", "json"))
        if format == "canvas":
            platforms.canvas(group, path)
        elif format == "moodle" and worksheet:
            platforms.worksheet(group, Path(worksheet), path)
        elif format == "moodle":
            platforms.moodle(group, path)
        elif format == "gradescope":
            platforms.gradescope(
                group, path, lambda name: read_row(course, wanted[0], name, for_students=True)
            )
        else:
            table = rows(gradebook, set(wanted), handed_in=handed_in)
            if format == "csv":
                write(path, [COLUMNS, *([plain(row[key]) for key in COLUMNS] for row in table)])
            else:
                path.write_text(json.dumps(table, default=str) + "\n", encoding="utf-8")
    for note in group.notes:
        if tell:
            tell(note)
    return path


def _handed_in(course: Course, slug: str) -> dict[str, bool]:
    """Tell of each student with a submission whether it is graded as it stands."""
    names = course.submissions(slug)
    notebooks = set(notebooks_of(course, slug)) if names else set()
    left = left_at_0(course, slug) if names else {}
    return {name: _stands(course, slug, name, notebooks, left.get(name, ())) for name in names}


def _stands(
    course: Course, slug: str, student: str, notebooks: set[str], left: Iterable[str]
) -> bool:
    graded = course.path("autograded", student, slug)
    if any((graded / f"{name}.ipynb").is_file() for name in left):
        return False
    try:
        return is_current(course, slug, student, notebooks)
    except (OSError, CourseError):
        return False  # `grade` says what is wrong with it
