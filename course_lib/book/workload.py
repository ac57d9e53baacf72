"""What the source of an exercise says of the work in it: its time, its points and its steps."""

from __future__ import annotations

import re
from pathlib import Path

from course_lib.paths import CourseError, source_path

__all__ = ["minutes_of", "points_of", "steps_of"]

_TIME = re.compile(r"\*\*Time:\*\* (\d+)(?: to (\d+))? (minutes|hours)")
_POINTS = re.compile(r"\*\*Points:\*\* (\d+)")
_STEP = re.compile(r"(?m)^# ## Step (\d+)\. (.+)$")


def minutes_of(root: Path, exercise: str) -> tuple[int, int]:
    """Return how many minutes an exercise takes at least and at most: most name one time.

    Raises
    ------
    CourseError
        Where its first cell does not say, or there is no such exercise.
    """
    wanted = "'**Time:** 90 minutes' or '**Time:** 10 to 40 hours'"
    said = _found(root, exercise, _TIME, "time", wanted)
    unit = 60 if said[3] == "hours" else 1
    return int(said[1]) * unit, int(said[2] or said[1]) * unit


def points_of(root: Path, exercise: str) -> int:
    """Return how many points an exercise has.

    Raises
    ------
    CourseError
        Where its first cell does not say, or there is no such exercise.
    """
    return int(_found(root, exercise, _POINTS, "points", "'**Points:** 36'")[1])


def steps_of(root: Path, exercise: str) -> dict[int, str]:
    """Return the titles of an exercise's steps by their numbers.

    Raises
    ------
    CourseError
        If there is no such exercise.
    """
    return {int(number): title for number, title in _STEP.findall(_source(root, exercise))}


def _found(
    root: Path, exercise: str, pattern: re.Pattern[str], what: str, wanted: str
) -> re.Match[str]:
    found = pattern.search(_source(root, exercise))
    if found is None:
        raise CourseError(
            f"solutions/{exercise}.py does not say its {what}: write {wanted} into its first cell."
        )
    return found


def _source(root: Path, exercise: str) -> str:
    try:
        return source_path(root, exercise).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CourseError(
            f"There is no exercise {exercise!r}: solutions/{exercise}.py is missing."
        ) from None
