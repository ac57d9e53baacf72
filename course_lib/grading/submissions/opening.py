"""Opening a notebook that somebody handed in: bytes, and what they are a notebook of.

Everything is counted before it is looked at closely. Outputs are dropped first, since grading makes
them anew: a notebook with a million of them is as small as one without.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from course_lib.grading.course.text import decoded
from course_lib.grading.engine.limits import (
    LARGEST_NOTEBOOK,
    MIB,
    MOST_CELLS,
    MOST_CODE,
    MOST_NODES,
)
from course_lib.paths import CourseError

__all__ = ["NoNotebookError", "open_notebook", "read_bytes"]

NESTED = "is nested too deeply to be a notebook that somebody wrote. Ask for it again."


class NoNotebookError(CourseError):
    """Why a file is no notebook that can be graded, as what follows its name in a sentence."""


def read_bytes(path: Path) -> bytes:
    """Return what is in the file of a notebook, if it is no larger than a notebook is.

    Raises
    ------
    NoNotebookError
        If it is larger, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_NOTEBOOK + 1)
    except OSError as error:
        raise NoNotebookError(
            f"cannot be read: {error.strerror}. Mend its permissions, or ask for it again."
        ) from error
    if len(content) > LARGEST_NOTEBOOK:
        raise NoNotebookError(
            f"is larger than {LARGEST_NOTEBOOK // MIB} MiB. Ask for it again, with its outputs "
            "cleared."
        )
    return content


def open_notebook(content: bytes) -> NotebookNode:
    """Return a notebook of format 4, without outputs; what it holds is not validated.

    Raises
    ------
    NoNotebookError
        If it is none, or larger than somebody writes.
    """
    try:
        text = decoded(content)
    except UnicodeDecodeError:
        raise NoNotebookError("is not a text file, so it is no notebook. Ask for it again.") from (
            None
        )
    if not text.strip():
        raise NoNotebookError("is empty. Ask for it again.")
    try:
        data = json.loads(text)
    except RecursionError:
        raise NoNotebookError(NESTED) from None
    except ValueError:
        if text.lstrip()[:1] == "<":
            raise NoNotebookError(
                "is a web page, not a notebook. Ask for the .ipynb file itself."
            ) from None
        raise NoNotebookError(
            "is not a notebook (not JSON): it may have been cut off while it was uploaded, or it "
            "may hold the marks of a merge. Ask for it again."
        ) from None
    if not isinstance(data, dict) or not isinstance(data.get("nbformat"), int):
        raise NoNotebookError(
            "is JSON but no notebook: it names no notebook format. Ask for the .ipynb file."
        )
    _bound(data)
    try:
        # Without the validation of `nbformat.read`, which takes a hundredth of a second for each
        # fault: what is to be mended is not to be told of first.
        return nbformat.convert(nbformat.reader.reads(json.dumps(data)), 4)
    except RecursionError:
        raise NoNotebookError(NESTED) from None
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise NoNotebookError(
            f"is no valid notebook ({reason[:200]}). Ask for it again."
        ) from error


def _bound(data: dict[str, Any]) -> None:
    """Drop the outputs of a notebook in place, and count what is left.

    Raises
    ------
    NoNotebookError
        If that is more than somebody writes.
    """
    sheets = [data, *_listed(data.get("worksheets"))]
    cells = [cell for sheet in sheets if isinstance(sheet, dict) for cell in _cells(sheet)]
    if len(cells) > MOST_CELLS:
        raise NoNotebookError(
            f"holds {len(cells):,} cells, and no more than {MOST_CELLS:,} are graded. Ask for one "
            "with the cells of the exercise and the student's own."
        )
    for cell in cells:
        if isinstance(cell, dict) and "outputs" in cell:
            cell["outputs"] = []
    code = sum(map(_code_in, cells))
    if code > MOST_CODE:
        raise NoNotebookError(
            f"holds {code:,} characters of code, and no more than {MOST_CODE:,} are graded. Ask "
            "for one whose data lie in files beside it."
        )
    count, left = 0, [data]
    while left:
        value = left.pop()
        inside = value.values() if isinstance(value, dict) else value
        count += len(inside)
        if count > MOST_NODES:
            raise NoNotebookError(
                f"holds more than {MOST_NODES:,} entries besides its outputs, which nobody writes. "
                "Ask for it again, as it is saved by JupyterLab."
            )
        left += [entry for entry in inside if isinstance(entry, dict | list)]


def _code_in(cell: Any) -> int:
    """Return how many characters of code a cell holds: one text, or its lines."""
    if not isinstance(cell, dict) or cell.get("cell_type") != "code":
        return 0
    source = cell.get("source", cell.get("input", ""))
    return sum(
        len(part)
        for part in ([source] if isinstance(source, str) else _listed(source))
        if isinstance(part, str)
    )


def _cells(sheet: dict[str, Any]) -> list[Any]:
    return _listed(sheet.get("cells"))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
