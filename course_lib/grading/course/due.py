"""When assignments are due, who has longer, and what lateness costs: ``due.toml``.

The file lies in the course's folder::

    timezone = "Europe/Zurich"

    [due]
    activations = 2026-10-12 18:00:00

    [extensions.activations]
    ann = 2026-10-19 18:00:00

    [late]
    percent_per_day = 10
    grace_minutes = 15
    days = 3

All of it may be left out. nbgrader's own dates stay where the file says nothing.
"""

from __future__ import annotations

import functools
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from nbgrader.api import SubmittedAssignment
from nbgrader.plugins import BasePlugin
from traitlets import Unicode

from course_lib.paths import CourseError

__all__ = ["DUE", "Due", "LatePenalty", "Rule", "duration", "lateness", "read_due"]

#: The name of the file.
DUE = "due.toml"


@dataclass(frozen=True)
class Rule:
    """What lateness costs.

    Attributes
    ----------
    percent_per_day : float
        Of the points that a submission earned, for each day or part of one.
    grace_minutes : float
        So long after the due date nothing is taken off.
    days : float or None
        After so many days a submission gets no points; None for never.
    """

    percent_per_day: float
    grace_minutes: float = 0.0
    days: float | None = None

    def penalty(self, score: float, seconds: float) -> float:
        """Return the points that are taken off.

        Parameters
        ----------
        score : float
            What the submission earned.
        seconds : float
            How long after its due date it came.
        """
        if seconds <= 60 * self.grace_minutes:
            return 0.0
        # From the due date on: what comes within the grace costs nothing, what comes later all.
        days = seconds / 86_400
        if self.days is not None and days > self.days:
            return score
        return min(score, score * self.percent_per_day / 100 * math.ceil(days))

    def sentence(self) -> str:
        """Say the rule."""
        said = (
            f"Each day after the due date, begun or whole, costs {self.percent_per_day:g} % of the "
            "points that the work earned"
        )
        if self.grace_minutes:
            said += f"; the first {self.grace_minutes:g} minutes cost nothing"
        if self.days is not None:
            day = "day" if self.days == 1 else "days"
            said += f"; after {self.days:g} {day} it gets no points"
        return f"{said}."


@dataclass(frozen=True)
class Due:
    """What ``due.toml`` says.

    Attributes
    ----------
    zone : tzinfo
        In which times are shown.
    dates : dict
        Assignment to its due date.
    extensions : dict
        Assignment and student to the due date that is theirs.
    rule : Rule or None
        What lateness costs; None where that is left to nbgrader's configuration.
    """

    zone: tzinfo = UTC
    dates: Mapping[str, datetime] = field(default_factory=dict)
    extensions: Mapping[tuple[str, str], datetime] = field(default_factory=dict)
    rule: Rule | None = None

    def enter(self, submission: SubmittedAssignment) -> None:
        """Write a submission's due date and extension into the gradebook, as nbgrader has them."""
        slug, student = submission.assignment.name, submission.student_id
        due = self.dates.get(slug)
        if due is None:
            return
        submission.assignment.duedate = due.astimezone(UTC).replace(tzinfo=None)
        own = self.extensions.get((slug, student))
        submission.extension = None if own is None else own - due


def read_due(folder: Path) -> Due | None:
    """Return what the file in a course's folder says; None if there is none.

    Raises
    ------
    CourseError
        If something in it cannot be what it is meant to be.
    """
    path = Path(folder) / DUE
    try:
        return _read(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        return None


@functools.lru_cache(maxsize=4)
def _read(path: Path, changed: int) -> Due:
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CourseError(f"{path} cannot be read: {error}.") from None
    unknown = sorted(set(said) - {"timezone", "due", "extensions", "late"})
    if unknown:
        raise CourseError(
            f"{path} says {', '.join(unknown)}, which means nothing there. It knows: timezone, "
            "due, extensions, late."
        )
    zone = _zone(path, said.get("timezone"))
    dates = {
        slug: _moment(path, zone, f"due.{slug}", value) for slug, value in _table(path, said, "due")
    }
    extensions = {}
    for slug, students in _table(path, said, "extensions"):
        if slug not in dates:
            raise CourseError(
                f"{path} has extensions of {slug!r}, which is not under [due]. Write its date "
                "there."
            )
        for student, value in _table(path, {slug: students}, slug):
            moment = _moment(path, zone, f"extensions.{slug}.{student}", value)
            extensions[slug, student] = moment
    return Due(zone or UTC, dates, extensions, _rule(path, said.get("late")))


def _table(path: Path, said: Mapping[str, Any], name: str) -> list[tuple[str, Any]]:
    table = said.get(name, {})
    if not isinstance(table, dict):
        raise CourseError(f"{path}: {name} is {table!r}; a table [{name}] is wanted.")
    return list(table.items())


def _zone(path: Path, name: Any) -> tzinfo | None:
    try:
        return None if name is None else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise CourseError(
            f"{path}: the timezone {name!r} is unknown. Write one such as 'Europe/Zurich' or 'UTC'."
        ) from None


def _moment(path: Path, zone: tzinfo | None, name: str, value: Any) -> datetime:
    if isinstance(value, dict):
        raise CourseError(f"{path}: a name with a point in it stands in quotes ({name}).")
    if not isinstance(value, datetime):
        raise CourseError(
            f"{path}: {name} is {value!r}; a date with its time is wanted, without quotes, such as "
            "2026-10-12 18:00:00."
        )
    if value.tzinfo is None and zone is None:
        raise CourseError(
            f"{path}: nobody can tell in which timezone {name} is. Write timezone = "
            '"Europe/Zurich", for instance, as the file\'s first line.'
        )
    return value if value.tzinfo else value.replace(tzinfo=zone)


def _rule(path: Path, said: Any) -> Rule | None:
    if said is None:
        return None
    known = {"percent_per_day": 100.0, "grace_minutes": math.inf, "days": math.inf}
    fits = isinstance(said, dict) and "percent_per_day" in said and not set(said) - set(known)
    if not fits or not all(
        isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= known[key]
        for key, value in said.items()
    ):
        raise CourseError(
            f"{path}: under [late], percent_per_day (0 to 100) is wanted, and grace_minutes and "
            f"days may be said: numbers from 0. It says {said!r}."
        )
    return Rule(**said)


class LatePenalty(BasePlugin):
    """nbgrader's way to ask for a penalty, answered with the rule of ``due.toml``."""

    folder = Unicode(".", help="Where the file lies.").tag(config=True)

    def late_submission_penalty(
        self, student_id: str, score: float, total_seconds_late: float
    ) -> float | None:
        """Return the points that are taken off; None for none."""
        due = read_due(Path(self.folder))
        if due is None or due.rule is None:
            return None
        return due.rule.penalty(score, total_seconds_late) or None


# In words


def duration(seconds: float) -> str:
    """Return a time in its two largest units: 2 days 3 hours."""
    minutes = math.ceil(seconds / 60)
    days, hours, minutes = minutes // 1440, minutes % 1440 // 60, minutes % 60
    units = [(days, "day"), (hours, "hour"), (minutes, "minute")]
    said = [f"{count} {unit}{'s' * (count != 1)}" for count, unit in units if count]
    return " ".join(said[:2]) or "0 minutes"


def lateness(submission: SubmittedAssignment, due: Due | None) -> str:
    """Say to a student how late their work came, and what that costs; empty where it did not."""
    seconds = submission.total_seconds_late
    if not seconds:
        return ""
    # In nbgrader's gradebook, times are in UTC.
    zone = due.zone if due is not None else UTC
    until = submission.duedate.replace(tzinfo=UTC).astimezone(zone)
    own = " with your extension" if submission.extension else ""
    said = f"Handed in {duration(seconds)} after it was due{own}, on {until:%d %B %Y at %H:%M %Z}."
    rule = due.rule if due is not None else None
    return f"{said} {rule.sentence()}" if rule is not None else said
