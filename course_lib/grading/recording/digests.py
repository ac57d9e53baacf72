"""Digests of what was graded: whether a submission is still the one that has its scores."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import stat
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from course_lib.grading.course.folder import Course
from course_lib.grading.submissions.files import entries

__all__ = ["is_current", "keep_note", "look", "was_graded"]

# Bytes. Of a submission that holds more, only the sizes and times of its files are known.
_MOST_READ = 256 * 2**20

# Nanoseconds within which a file system may give two changes the same time.
_TICK = 2 * 10**9


def is_current(course: Course, slug: str, student: str, notebooks: set[str]) -> bool:
    """Return whether a submission was graded as it stands now, to its end."""
    folder = course.path("autograded", student, slug)
    submitted = course.path("submitted", student, slug)
    graded = {path.name: path.stat().st_mtime for path in folder.glob("*.ipynb")}
    # One that was mended and has yet to be run is as old as can be.
    if not graded or not all(graded.values()):
        return False
    files = [path for path in submitted.iterdir() if path.is_file()]
    wanted = {f"{name}.ipynb" for name in notebooks}
    if {path.name for path in files} & wanted != set(graded) & wanted:
        return False
    same = was_graded(submitted, folder, course.coursedir.ignore)
    if same is not None:
        return same
    read_at = min(graded.values())
    return all(path.stat().st_mtime <= read_at for path in files)


def was_graded(folder: Path, graded: Path, ignore: Iterable[str]) -> bool | None:
    """Tell whether a submission is the one that was graded; None if no note says so.

    There is none of what nbgrader's own commands or an earlier version of this course graded. Times
    tell nothing by themselves: archives bring their own. They only spare reading.

    Parameters
    ----------
    folder, graded : Path
        The submission, and the folder of its graded notebooks.
    ignore : iterable of str
        Patterns of names that do not count.
    """
    try:
        note = json.loads(_note_path(graded).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(note, dict) or not {"files", "contents"} <= note.keys():
        return None
    made = {path.name: path for path in graded.glob("*.ipynb") if path.is_file()}
    if note.get("graded") != _digest_of_notebooks(made):
        return None
    found = _files_in(folder, ignore)
    same_times = note["files"] == _digest_of_files(found)
    if same_times and note.get("settled"):
        return True
    contents = _digest_of_contents(folder, found)
    return note["contents"] == contents if contents else same_times


def look(folder: Path, ignore: Iterable[str]) -> dict[str, Any]:
    """Return digests of what a submission's files are, and of what they hold."""
    now = time.time_ns()
    found = _files_in(folder, ignore)
    # What is written twice within a tick of the clock has the same times; and Windows keeps when a
    # file was made, not when it was changed.
    settled = os.name == "posix" and all(s.st_ctime_ns < now - _TICK for s in found.values())
    return {
        "files": _digest_of_files(found),
        "contents": _digest_of_contents(folder, found),
        "settled": settled,
    }


def keep_note(graded: Path, seen: Mapping[str, Any], notebooks: Mapping[str, Path]) -> None:
    """Keep what a submission was, and which graded notebooks were made of it, by their names."""
    path = _note_path(graded)
    half = path.with_suffix(".part")
    try:
        text = json.dumps({"graded": _digest_of_notebooks(notebooks), **seen})
        half.write_text(text, encoding="utf-8")
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)


def _note_path(graded: Path) -> Path:
    """Return where the note lies: not among files that come from a student, or go to one."""
    return graded.with_name(f".{graded.name}.graded.json")


def _files_in(folder: Path, ignore: Iterable[str]) -> dict[str, os.stat_result]:
    patterns = tuple(ignore)

    def counts(name: str) -> bool:
        # These are read whatever is ignored.
        if "/" not in name and (name.endswith(".ipynb") or name == "timestamp.txt"):
            return True
        parts = name.split("/")
        return not any(fnmatch.fnmatch(part, pattern) for part in parts for pattern in patterns)

    return {
        name: status
        for name, status in entries(folder).items()
        if not stat.S_ISDIR(status.st_mode) and counts(name)
    }


def _digest_of_files(found: Mapping[str, os.stat_result]) -> str:
    # The second time is this machine's own: no archive brings it.
    return _digest([[n, s.st_size, s.st_mtime_ns, s.st_ctime_ns] for n, s in found.items()])


def _digest_of_notebooks(found: Mapping[str, Path]) -> str:
    # Not by their times: a copy of a course may keep them to the second, or not at all.
    return _digest(
        [[n, hashlib.sha256(path.read_bytes()).hexdigest()] for n, path in sorted(found.items())]
    )


def _digest_of_contents(folder: Path, found: Mapping[str, os.stat_result]) -> str:
    """Return a digest of what files hold; empty if that is too much or cannot be read."""
    regular = all(stat.S_ISREG(status.st_mode) for status in found.values())
    if not regular or sum(status.st_size for status in found.values()) > _MOST_READ:
        return ""
    try:
        held = [[n, hashlib.sha256((folder / n).read_bytes()).hexdigest()] for n in found]
    except OSError:
        return ""
    return _digest(held)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
