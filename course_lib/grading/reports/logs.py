"""A log of each submission's last grading: ``logs/STUDENT/ASSIGNMENT/grading.log``.

It lies in a folder of its own: what lies in ``autograded/`` is copied to students with their
feedback. It is for teachers, holds what tests said, and is replaced when a submission is graded
again.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from course_lib.grading.course.folder import Course
from course_lib.grading.course.text import printable, shown
from course_lib.grading.engine.limits import LOG_CHARACTERS, LOG_LINE, LOG_LINES
from course_lib.grading.reports.report import StudentReport

__all__ = ["forget_halves", "log_path", "logged_seconds", "seconds_of", "write_log"]


def log_path(course: Course, assignment: str, student: str) -> Path:
    """Return where a submission's log lies."""
    folder = course.coursedir.format_path("logs", student, assignment)
    return Path(folder) / "grading.log"


def seconds_of(results: Mapping[str, bytes]) -> float:
    """Return how long the notebooks of a submission ran, without the time they waited."""
    return sum(_parts(text)[1].get("seconds", 0.0) for text in results.values())


# How the log begins what it says of a notebook; students' words never begin a line there.
_TOOK = re.compile(r"^\S.*\.ipynb: ([\d.]+) s, [\d.]+ s of processor time", re.MULTILINE)


def logged_seconds(course: Course, assignment: str, student: str) -> float | None:
    """Return how long a submission ran when it was last graded; None where no log says so."""
    try:
        text = log_path(course, assignment, student).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    # What nbgrader said comes last, and holds lines of others.
    found = _TOOK.findall(text.partition("\nnbgrader:\n")[0])
    return sum(map(float, found)) if found else None


def write_log(
    course: Course,
    assignment: str,
    row: StudentReport,
    results: Mapping[str, bytes] | None = None,
    said: str = "",
) -> None:
    """Write how a submission was graded; where that fails, note it in its row.

    Parameters
    ----------
    row : StudentReport
        What grading came to.
    results : mapping, optional
        What the engine gave for each notebook.
    said : str
        What nbgrader logged.
    """
    path = log_path(course, assignment, row.student)
    half = _half_of(path)
    lines = [*_of_row(assignment, row)]
    for name, text in sorted((results or {}).items()):
        lines += _of_notebook(name, text)
    if said:
        lines += ["", "nbgrader:", *said.splitlines()]
    text = bounded(lines)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        half.write_text(text, encoding="utf-8")
        half.replace(path)
    except OSError as error:
        # The points are in the gradebook, and this is no reason to lose them.
        row.notes.append(f"Its log could not be written: {error.strerror or error}.")


def forget_halves(course: Course, assignment: str, students: Iterable[str]) -> None:
    """Delete what a run that was killed had begun to write."""
    for student in students:
        with contextlib.suppress(OSError):
            _half_of(log_path(course, assignment, student)).unlink(missing_ok=True)


def _half_of(path: Path) -> Path:
    return path.with_suffix(".part")


def bounded(lines: list[str]) -> str:
    """Return lines as a printable text of a bounded size; of a long one, its beginning and end."""
    parts = [part for line in lines for part in line.split("\n")]
    if len(parts) > LOG_LINES:
        left_out = f"[{len(parts) - LOG_LINES:,} lines left out]"
        parts = [*parts[: LOG_LINES // 2], left_out, *parts[-LOG_LINES // 2 :]]
    text = "\n".join(_cut(printable(_cut(part))) for part in parts) + "\n"
    if len(text) <= LOG_CHARACTERS:
        return text
    half = LOG_CHARACTERS // 2
    return f"{text[:half]}\n[{len(text) - LOG_CHARACTERS:,} characters left out]\n{text[-half:]}"


def _cut(line: str) -> str:
    return line if len(line) <= LOG_LINE else f"{line[:LOG_LINE]} ..."


def _of_row(assignment: str, row: StudentReport) -> Iterator[str]:
    yield f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC  {assignment}  {row.student}"
    points = "not graded" if row.failed else f"{row.score:g} of {row.max_score:g} points"
    yield f"{row.status}: {points}" + (f", penalty {row.penalty:g}" if row.penalty else "")
    for title, lines in (
        ("Why a person is needed", [row.reason] if row.reason else []),
        ("Notes", row.notes),
        ("Worth a look", row.suspicious),
    ):
        if lines:
            yield from ["", f"{title}:", *(f"  {line}" for line in lines)]
    if row.cells:
        yield from ["", "Points:"]
    for cell in row.cells:
        message = shown(cell.message, 200) if cell.message else ""
        waits = "waits for marks" if cell.waiting else message
        yield f"  {cell.score:g} of {cell.max_score:g}  {cell.name}  {waits}".rstrip()


def _of_notebook(name: str, text: bytes) -> Iterator[str]:
    """Yield what the engine says of each cell."""
    cells, whole = _parts(text)
    memory = whole.get("max_rss", 0) / 2**20
    ends = ", ".join(map(str, whole.get("reasons", [])))
    yield ""
    wall, cpu = whole.get("seconds", 0.0), whole.get("cpu_seconds", 0.0)
    yield (
        f"{name}.ipynb: {wall:.3f} s, {cpu:.3f} s of processor time, at most {memory:.0f} MiB in a "
        f"process; processes ended by {ends or '-'}"
    )
    for cell in cells:
        error = shown(str(cell["error"]), 300) if cell["error"] else ""
        place = f"cell {cell['index'] + 1:>3}"
        yield f"  {place}  {cell['seconds']:8.3f} s  {cell['status']:<8}  {error}".rstrip()


def _parts(text: bytes) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return what the engine says of the cells, and of the whole."""
    entries = json.loads(text)
    whole = next((entry for entry in entries if "index" not in entry), {})
    return [entry for entry in entries if "index" in entry], whole
