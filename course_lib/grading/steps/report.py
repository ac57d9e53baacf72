"""Report what an assignment's grading came to, without grading anything."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course_lib.grading.course.folder import Course, FolderOrCourse, Progress, course_in
from course_lib.grading.recording.gradebook import one_gradebook
from course_lib.grading.recording.lateness import settle_lateness
from course_lib.grading.recording.reading import notebooks_of, read_row, without_a_name
from course_lib.grading.reports.ideas import Hints, ideas, steps_of
from course_lib.grading.reports.logs import logged_seconds
from course_lib.grading.reports.overview import Overview, page, points_by_cell
from course_lib.grading.reports.report import NEEDS_A_PERSON, Report, StudentReport
from course_lib.grading.reports.similar import similar
from course_lib.grading.submissions.roster import read_roster

__all__ = ["overview_path", "read_report", "write_overview"]


def read_report(
    slug: str,
    course_dir: FolderOrCourse = ".",
    *,
    students: str = "*",
    progress: Progress | None = None,
) -> Report:
    """Return what the gradebook and the graded notebooks say now, without grading anything."""
    course = course_in(course_dir)
    notebooks_of(course, slug)
    nameless = course.nameless(slug, students)
    report = Report(slug, students=[without_a_name(name) for name in nameless])
    with one_gradebook(course):
        with course.gradebook() as gradebook:
            settle_lateness(course, slug, gradebook)
        names = course.submissions(slug, students)
        for done, name in enumerate(names):
            if progress:
                progress(name, done, len(names))
            row = read_row(course, slug, name)
            report.students.append(
                row
                or StudentReport(
                    name, NEEDS_A_PERSON, failed=True, reason="It has not been graded yet."
                )
            )
    return report


def overview_path(slug: str, course_dir: FolderOrCourse = ".") -> Path:
    """Return where the teacher's page of an assignment lies."""
    return course_in(course_dir).folder / "reports" / f"{slug}.html"


def write_overview(
    slug: str,
    course_dir: FolderOrCourse = ".",
    *,
    sections: Mapping[str, Path | str] | None = None,
    progress: Progress | None = None,
) -> tuple[Report, Path]:
    """Write the teacher's page of an assignment, without grading anything.

    Parameters
    ----------
    slug : str
        The assignment.
    course_dir : path
        The course: this one, or any other nbgrader course.
    sections : mapping, optional
        Where the sections that hints name can be read: a file, perhaps with ``#`` and an anchor,
        by the title of the section.
    progress : callable, optional
        As for `course_lib.grading.grade`.

    Returns
    -------
    Report, Path
        What grading came to, and the page: ``reports/ASSIGNMENT.html``, which replaces an older
        one.

    Raises
    ------
    GradingError
        If the assignment was never released, or nobody has handed it in.
    """
    course = course_in(course_dir)
    alike = similar(slug, course)
    report = read_report(slug, course, progress=progress)
    roster = read_roster(course)
    handed_in = [row.student for row in report.students]
    report.similar = len(alike.pairs)
    report.unlisted = roster.unlisted(handed_in)
    teachers = _teachers(course, slug)
    steps = steps_of(teachers)
    seconds = {name: logged_seconds(course, slug, name) for name in handed_in}
    target = overview_path(slug, course)
    overview = Overview(
        report,
        ideas=ideas(report, Hints(teachers.values()), steps),
        tests=points_by_cell(report, steps),
        names={person.id: person.name for person in roster.people.values()},
        missing=sorted(set(roster.people) - set(handed_in)),
        seconds={name: took for name, took in seconds.items() if took is not None},
        alike=alike,
        sections={
            title: os.path.relpath(place, target.parent)
            for title, place in (sections or {}).items()
        },
        pages=_pages(course, slug, handed_in, target.parent),
    )
    text = page(overview)
    target.parent.mkdir(exist_ok=True)
    half = target.with_suffix(".part")
    half.write_text(text, encoding="utf-8")
    half.replace(target)
    if progress:
        progress("", len(handed_in), len(handed_in))
    return report, target


def _teachers(course: Course, slug: str) -> dict[str, NotebookNode]:
    """Return the teacher's notebooks of an assignment; the release where there are none."""
    for step in ("source", "release"):
        paths = sorted(course.path(step, ".", slug).glob("*.ipynb"))
        if paths:
            return {path.stem: nbformat.read(path, as_version=4) for path in paths}
    return {}


def _pages(course: Course, slug: str, students: list[str], start: Path) -> dict[str, str]:
    """Return the first feedback page of each student who has one, as a link from a folder."""
    found = {}
    for name in students:
        pages = sorted(course.path("feedback", name, slug).glob("*.html"))
        if pages:
            found[name] = os.path.relpath(pages[0], start)
    return found
