"""What a reader has done so far, kept beside their work in ``work/progress.json``."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_lib.paths import (
    CourseError,
    exercise_slugs,
    is_kit,
    known_slug,
    release_path,
    work_path,
)

if TYPE_CHECKING:
    from course_lib.assignments.answering import Tried
    from course_lib.assignments.checking import CheckResult


@dataclass(frozen=True)
class ExerciseProgress:
    """How far a reader is with one exercise.

    Attributes
    ----------
    slug : str
    started : bool
        Whether there is a copy in ``work/``.
    points, max_points : float or None
        From the last check; None before the first.
    checked : str or None
        When that was, in ISO 8601.
    begun : str or None
        When it was last started or opened with `course start`.
    """

    slug: str
    started: bool
    points: float | None = None
    max_points: float | None = None
    checked: str | None = None
    begun: str | None = None

    @property
    def complete(self) -> bool:
        """Whether the last check gave every point that tests can give."""
        return self.points is not None and self.points >= (self.max_points or 0)


#: What is kept of an exercise, and the kinds that it may have.
_KEPT: dict[str, tuple[type, ...]] = {
    "points": (int, float),
    "max_points": (int, float),
    "checked": (str,),
    "begun": (str,),
    "steps": (dict,),
}

#: So many answers to a step are remembered as tries.
_MOST_TRIES = 20


#: What of that the reader is shown.
_SHOWN = frozenset(_KEPT) - {"steps"}


def start(root: Path, slug: str) -> bool:
    """Copy an exercise to ``work/``, and remember that it was started last.

    Returns
    -------
    bool
        Whether there was none; a copy that is there stays as it is.

    Raises
    ------
    CourseError
        If there is no such exercise, or it has no release.
    """
    known_slug(root, slug)
    release, mine = release_path(root, slug), work_path(root, slug)
    fresh = not mine.exists()
    if fresh and not release.is_file():
        make = "" if is_kit(root) else f" Make it with `course release {slug}`."
        raise CourseError(f"{slug} has no release yet.{make}")
    if fresh:
        mine.parent.mkdir(parents=True, exist_ok=True)
        for path in sorted(release.parent.rglob("*")):
            target = mine.parent / path.relative_to(release.parent)
            # What lies there already is the reader's own.
            if path.is_file() and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
    _remember(root, slug, begun=_now())
    return fresh


def record(
    root: Path, slug: str, result: CheckResult, tried: Mapping[str, Tried] | None = None
) -> None:
    """Keep the result of a check, and which answers were tried."""
    now = dict(points=result.points, max_points=result.max_points, checked=_now())
    if tried:
        try:
            known = known_steps(root, slug)
        except CourseError:
            known = {}
        for name, attempt in tried.items():
            before = known.get(name, {})
            tries = [*dict.fromkeys([*before.get("tries", []), attempt.answer])]
            passed = attempt.passed or bool(before.get("passed"))
            known[name] = {"tries": tries[-_MOST_TRIES:], "passed": passed}
        now["steps"] = known
    _remember(root, slug, **now)


def known_steps(root: Path, slug: str) -> dict[str, dict[str, Any]]:
    """Return what was tried of an exercise, by step: digests of answers, and whether one passed."""
    return dict(_load(_file(root)).get(slug, {}).get("steps") or {})


def _remember(root: Path, slug: str, **values: Any) -> None:
    """Keep values of an exercise beside those that are known.

    The file is written whole or not at all. One that cannot be read is set aside, not lost.
    """
    path = _file(root)
    try:
        known = _load(path)
    except CourseError:
        path.replace(path.with_suffix(".unreadable.json"))
        known = {}
    known[slug] = known.get(slug, {}) | values
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    partial.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    partial.replace(path)


def progress(root: Path) -> list[ExerciseProgress]:
    """Return how far the reader is with each exercise, in the order of the book.

    Raises
    ------
    CourseError
        When the file of results cannot be read.
    """
    known = _load(_file(root))
    return [
        ExerciseProgress(
            slug,
            work_path(root, slug).is_file(),
            **{key: value for key, value in known.get(slug, {}).items() if key in _SHOWN},
        )
        for slug in exercise_slugs(root)
    ]


def next_step(entries: list[ExerciseProgress]) -> str:
    """Say where to go on, as a command.

    That is with what was started last. Where that is complete, it is another that was begun, and
    then the next of the book that is not complete.
    """
    begun = [entry for entry in entries if entry.started]
    going = [entry for entry in begun if not entry.complete]
    if going:
        return f"course check {max(going, key=_last_seen).slug}"
    place = entries.index(max(begun, key=_last_seen)) if begun else 0
    for entry in [*entries[place:], *entries[:place]]:
        if not entry.complete:
            return f"course start {entry.slug}"
    return ""


def _last_seen(entry: ExerciseProgress) -> str:
    # A copy that was made by hand is known from its first check on.
    return entry.begun or entry.checked or ""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _file(root: Path) -> Path:
    return root / "work" / "progress.json"


def _load(path: Path) -> dict[str, dict[str, Any]]:
    if not path.is_file():
        return {}
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        for entry in known.values():
            for key, value in entry.items():
                if value is not None and not isinstance(value, _KEPT.get(key, (object,))):
                    raise TypeError(f"{key} is {value!r}")
        return known
    except (ValueError, TypeError, AttributeError) as error:
        raise CourseError(
            f"{path} cannot be read ({error}). Delete it; `course check` writes it anew."
        ) from None
