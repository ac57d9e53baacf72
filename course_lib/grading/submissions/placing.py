"""Put what was collected where submissions are, without losing or overwriting anything."""

from __future__ import annotations

import re
import shutil
import zipfile
import zlib
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from course_lib.grading.course.folder import Course, GradingError, shown_path
from course_lib.grading.course.text import decoded
from course_lib.grading.course.times import instant
from course_lib.grading.submissions.archives import Attempt

__all__ = ["AS_BEFORE", "NEW", "put"]

NEW, AS_BEFORE = "new", "as before"

_TIME = "timestamp.txt"


def put(course: Course, slug: str, student: str, attempt: Attempt, notebooks: set[str]) -> str:
    """Put an attempt into the folder of a student's submission; say what happened.

    What was there is moved to ``downloaded/SLUG/earlier/STUDENT/``, and so is what comes and is
    older than what is there.

    Parameters
    ----------
    notebooks : set of str
        The notebooks of the assignment.

    Raises
    ------
    GradingError
        If the attempt cannot be unpacked. Nothing has changed then.
    """
    target = course.path("submitted", student, slug)
    half = target.with_name(f".{target.name}.part")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    try:
        said = _unpack(attempt, half, notebooks)
        if _same(half, target):
            return "; ".join([AS_BEFORE, *said])
        earlier = course.folder / "downloaded" / slug / "earlier" / student
        if target.exists() and _is_younger(target, attempt.time):
            kept = _next(earlier)
            shutil.move(half, kept)
            said.insert(0, f"older than what is there; kept in {shown_path(kept)}")
        elif target.exists():
            kept = _next(earlier)
            shutil.move(target, kept)
            half.replace(target)
            said.insert(0, f"replaces an earlier one, kept in {shown_path(kept)}")
        else:
            half.replace(target)
            said.insert(0, NEW)
        for path, file in attempt.older:
            place = _next(earlier) / path
            place.parent.mkdir(parents=True)
            place.write_bytes(file.read())
        return "; ".join(said)
    finally:
        shutil.rmtree(half, ignore_errors=True)


def _unpack(attempt: Attempt, folder: Path, notebooks: set[str]) -> list[str]:
    """Write an attempt's files; return what a teacher should know of their names."""
    names = _named(attempt.files, notebooks)
    said = []
    for path, file in sorted(attempt.files.items()):
        # When it was handed in is not the student's to say.
        place = folder / names.get(path, f"{path}.txt" if path == _TIME else path)
        if place.name != path.rpartition("/")[2] or path in names:
            said.append(f"{path} is now {place.name}")
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            place.write_bytes(file.read())
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise GradingError(f"{file.entry} cannot be unpacked ({error}).") from None
    if attempt.time is not None:
        (folder / _TIME).write_text(f"{attempt.time:%Y-%m-%d %H:%M:%S} UTC\n", encoding="utf-8")
    return said


def _named(paths: Iterable[str], notebooks: set[str]) -> dict[str, str]:
    """Return the names that notebooks are to have, where they came with others.

    A notebook in a folder, with a number or with remarks around its name is the one that was asked
    for, if no other can be. So is the only one of all, whatever it is called.
    """
    found = [path for path in paths if path.endswith(".ipynb")]
    renamed: dict[str, str] = {}
    for name in sorted(notebooks):
        wanted = f"{name}.ipynb"
        if wanted in found:
            continue
        plain = re.compile(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", re.I)
        like = [path for path in found if plain.search(Path(path).stem)] or (
            found if len(notebooks) == 1 else []
        )
        if len(like) == 1:
            renamed[like[0]] = wanted
    return renamed


def _same(one: Path, other: Path) -> bool:
    """Tell whether two folders hold the same files."""
    return other.is_dir() and _contents(one) == _contents(other)


def _contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def _is_younger(target: Path, time: datetime | None) -> bool:
    """Tell whether what lies there was handed in later than at a time."""
    with suppress(OSError, ValueError):
        there = instant(decoded((target / _TIME).read_bytes()).strip())
        return time is not None and there.replace(tzinfo=UTC) > time
    return False


def _next(folder: Path) -> Path:
    """Return a folder that is not there yet; what it lies in is."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder / str(sum(1 for _ in folder.iterdir()) + 1)
