"""Why a name is missing: the cell that should have given it stopped before it did."""

from __future__ import annotations

import re
from collections.abc import Iterable

from nbformat import NotebookNode

from course_lib.grading.engine.notebooks import given_names, role

__all__ = ["why_missing"]

_MISSING = re.compile(r"name '(\w+)' is not defined")
# What the engine, and what IPython, says of the line at which a cell stopped.
_LINE = re.compile(r"(?:Cell In\[\d+\], line|line) (\d+)(?: in <module>|\b)")
_COLORS = re.compile(r"\x1b\[[0-9;]*m")
_LONGEST = 120


def why_missing(ename: str, evalue: str, before: Iterable[NotebookNode]) -> str:
    """Return which cell should have given a name that a test misses, and where it stopped.

    Parameters
    ----------
    ename, evalue : str
        The error of the test.
    before : iterable of NotebookNode
        The cells above it, with the outputs of their run.

    Returns
    -------
    str
        A sentence; empty where the error is another, or no such cell stopped.
    """
    found = _MISSING.search(evalue)
    if ename != "NameError" or found is None:
        return ""
    name = found[1]
    for cell in reversed([cell for cell in before if role(cell) in ("solution", "free", "locked")]):
        error = next((out for out in cell.outputs if out.output_type == "error"), None)
        # Of what cannot be parsed, no names are known.
        gives = name in given_names(cell.source) or re.search(rf"\b{name}\b", cell.source)
        if error is None or not gives:
            continue
        called = cell.metadata.get("nbgrader", {}).get("grade_id")
        where = f"The cell {called}" if called else "A cell of your own"
        message = f"{error.ename}: {error.evalue}".removesuffix(": ")
        return f"{where}, which should define it, stopped{_line(cell, error)} with {_cut(message)}."
    return ""


def _line(cell: NotebookNode, error: NotebookNode) -> str:
    """Return at which line a cell stopped, with its text, as far as the error says."""
    lines = cell.source.splitlines()
    # IPython takes empty lines above the first away before it counts.
    above = next((place for place, line in enumerate(lines) if line.strip()), 0)
    for part in error.traceback:
        found = _LINE.search(_COLORS.sub("", part))
        if found and 0 < int(found[1]) <= len(lines) - above:
            number = int(found[1]) + above
            return f" at its line {number} ({_cut(lines[number - 1].strip())})"
    return ""


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} ..."
