"""Collect submissions: from nbgrader's exchange, or from a learning platform's archive."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from pathlib import Path

from course_lib.grading.course.folder import (
    FolderOrCourse,
    GradingError,
    course_in,
    shown_path,
)
from course_lib.grading.course.names import name_assignment
from course_lib.grading.recording.reading import notebooks_of
from course_lib.grading.reports.report import Collected, CollectedRow
from course_lib.grading.submissions.archives import Attempt, opened, read_attempts
from course_lib.grading.submissions.placing import put
from course_lib.grading.submissions.roster import Roster, read_roster

__all__ = ["collect", "collect_archive"]

#: Where a teacher says who is meant by a name that the roster does not tell.
MATCHES = "matches.csv"


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
            f"or collect what a learning platform gives you: `course collect {slug} --archive FILE "
            "--from canvas` (or moodle, gradescope, folder)."
        ) from error
    return course.submissions(slug)


def collect_archive(
    slug: str,
    archive: Path | str,
    platform: str,
    course_dir: FolderOrCourse = ".",
    *,
    worksheet: Path | str | None = None,
) -> Collected:
    """Take what was handed in from an archive of a learning platform.

    Each submission goes where `grade` finds it. What was there before is kept, and nothing is lost:
    the archive itself is copied to ``downloaded/SLUG/archive/``, and whoever is not on the roster
    is named. Who is meant can be said in ``downloaded/SLUG/matches.csv``.

    Parameters
    ----------
    slug : str
        The assignment, which is released.
    archive : path
        A ZIP archive, or the folder that it was unpacked to.
    platform : str
        ``"canvas"``, ``"moodle"``, ``"gradescope"``, or ``"folder"``: a folder for each student.
    course_dir : path
        The course.
    worksheet : path, optional
        With ``"moodle"``: a grading worksheet, which knows email addresses and times.

    Raises
    ------
    GradingError
        If the assignment was never released, there is no roster, or the archive cannot be read.
    """
    course = course_in(course_dir)
    name_assignment(course.coursedir, slug)
    archive = Path(archive)
    notebooks = set(notebooks_of(course, slug))
    roster = read_roster(course)
    if not roster and platform != "folder":
        raise GradingError(
            f"There is no roster to find people's names in. Write {shown_path(course.folder)}/"
            "roster.csv with the columns id, first_name, last_name, email and lms_user_id (all but "
            "id may be empty), then run the same command again."
        )
    place = course.folder / "downloaded" / slug
    said = _read_matches(place / MATCHES, roster)
    with opened(archive) as (files, refused):
        attempts, left = read_attempts(platform, files, Path(worksheet) if worksheet else None)
        left += refused
        rows = _rows(attempts, roster, said)
        for row, attempt in zip(rows, attempts, strict=True):
            if row.student is None:
                continue
            try:
                if problem := attempt.problem():
                    raise GradingError(problem)
                row.outcome = put(course, slug, row.student, attempt, notebooks)
            except (GradingError, OSError) as error:
                row.student, row.outcome = None, f"not unpacked: {error}"
    _keep(archive, place / "archive")
    _write_matches(place / MATCHES, rows, said)
    missing = sorted(set(roster.people) - set(course.submissions(slug)))
    return Collected(slug, rows, left, missing, shown_path(place / MATCHES))


def _rows(attempts: list[Attempt], roster: Roster, said: dict[str, str]) -> list[CollectedRow]:
    """Return whom each attempt is of; of two that are one student's, the newer one counts."""
    rows = []
    for attempt in attempts:
        row = CollectedRow(attempt.label, time=attempt.time, late=attempt.late)
        if said.get(attempt.label):
            row.student = said[attempt.label]
        elif not roster:
            # Names of folders are ids, where nobody says otherwise.
            row.student = attempt.label
        else:
            found = roster.find(name=attempt.name, email=attempt.email, number=attempt.number)
            row.student, row.outcome = found.student, found.why
        rows.append(row)
    counts = Counter(row.student for row in rows if row.student is not None)
    for student in [student for student, count in counts.items() if count > 1]:
        several = [row for row in rows if row.student == student]
        newest = None
        if all(row.time for row in several):
            newest = max(several, key=lambda row: (row.time, row.label))
        for row in several:
            if newest is None:
                row.student, row.outcome = None, f"{len(several)} here would be {student}'s"
            elif row is not newest:
                row.student, row.outcome = None, f"{student} handed in again ({newest.label})"
    return rows


# What the teacher says


def _read_matches(path: Path, roster: Roster) -> dict[str, str]:
    """Return the students whom a teacher has named, by names in archives."""
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    said = {row.get("archive") or "": (row.get("student") or "").strip() for row in rows}
    unknown = sorted({student for student in said.values() if student} - set(roster.people))
    if roster and unknown:
        raise GradingError(
            f"{shown_path(path)} names {', '.join(unknown)}, and the roster has no such id."
        )
    return said


def _write_matches(path: Path, rows: list[CollectedRow], said: dict[str, str]) -> None:
    """Leave a line to fill in for each whom nobody knows; what was filled in stays."""
    waiting = {row.label: "" for row in rows if row.student is None and not said.get(row.label)}
    if not waiting and not path.is_file():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".part")
    with half.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("archive", "student"), *sorted((waiting | said).items())])
    half.replace(path)


def _keep(archive: Path, folder: Path) -> None:
    """Copy an archive beside those that came before it."""
    if archive.is_dir() or archive.resolve().parent == folder.resolve():
        return
    folder.mkdir(parents=True, exist_ok=True)
    content = archive.read_bytes()
    target, number = folder / archive.name, 1
    while target.exists() and target.read_bytes() != content:
        number += 1
        target = folder / f"{archive.stem}-{number}{archive.suffix}"
    if not target.exists():
        shutil.copy(archive, target)
