"""What a reader has done so far, kept beside their work in ``work/progress.json``."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from course_lib.assignments.checking import CheckResult
from course_lib.paths import CourseError, exercise_slugs, work_path


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
    """

    slug: str
    started: bool
    points: float | None = None
    max_points: float | None = None
    checked: str | None = None

    @property
    def complete(self) -> bool:
        """Whether the last check gave every point that tests can give."""
        return self.points is not None and self.points >= (self.max_points or 0)


def record(root: Path, slug: str, result: CheckResult) -> None:
    """Keep the result of a check.

    The file is written whole or not at all. One that cannot be read is set aside, not lost.
    """
    path = _file(root)
    try:
        known = _load(path)
    except CourseError:
        path.replace(path.with_suffix(".unreadable.json"))
        known = {}
    known[slug] = {
        "points": result.points,
        "max_points": result.max_points,
        "checked": datetime.now(UTC).isoformat(timespec="seconds"),
    }
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
        ExerciseProgress(slug, work_path(root, slug).is_file(), **known.get(slug, {}))
        for slug in exercise_slugs(root)
    ]


def next_step(entries: list[ExerciseProgress]) -> str:
    """Say where to go on, as a command."""
    for entry in entries:
        if not entry.complete:
            verb = "check" if entry.started else "start"
            return f"course {verb} {entry.slug}"
    return ""


def _file(root: Path) -> Path:
    return root / "work" / "progress.json"


def _load(path: Path) -> dict[str, dict]:
    if not path.is_file():
        return {}
    fields = set(asdict(ExerciseProgress("", False))) - {"slug", "started"}
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        return {slug: {key: entry[key] for key in fields} for slug, entry in known.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CourseError(
            f"{path} cannot be read ({error}). Delete it; `course check` writes it anew."
        ) from None
