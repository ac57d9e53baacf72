"""Answers that were imported: an exercise names the modules that hold its own.

A course's library may hold what an exercise asks for. The teacher's notebook says where, in its
metadata, and what is imported from there in a student's cells is told to the teacher::

    "course": {"answers_in": ["course_lib.scratch.activations"], "refuse_answers": true}

With ``refuse_answers`` such a cell is not run when it is graded (in a sandbox). Everything is read
from the text of the cells; what the teacher's own solution imports there is everybody's to import.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from course_lib.grading.engine.notebooks import role
from course_lib.imports import parsed

__all__ = [
    "NONE_NAMED",
    "Answers",
    "answers_of",
    "imported_answers",
    "read_answers",
    "without_answers",
]


@dataclass(frozen=True)
class Answers:
    """Where a notebook's answers are: dotted names of modules, and whether they are refused."""

    modules: frozenset[str] = frozenset()
    refused: bool = False


NONE_NAMED = Answers()


def answers_of(teachers: Iterable[Path]) -> Answers:
    """Return what the first notebook that is there says of its answers.

    Parameters
    ----------
    teachers : iterable of Path
        The teacher's notebook and, where there is none, the release.
    """
    for path in teachers:
        if path.is_file():
            return _answers_of(path, path.stat().st_mtime_ns)
    return NONE_NAMED


@functools.lru_cache(maxsize=64)
def _answers_of(path: Path, _changed: int) -> Answers:
    return read_answers(path.read_bytes())


@functools.lru_cache(maxsize=64)
def read_answers(text: bytes) -> Answers:
    """Return what a teacher's notebook, as JSON, says of its answers."""
    teachers = nbformat.v4.reads(text.decode())
    said: Any = teachers.metadata.get("course")
    named = said.get("answers_in") if isinstance(said, dict) else None
    if not isinstance(named, list):
        return NONE_NAMED
    own = set().union(*(_dotted(c.source) for c in teachers.cells if _is_answer(c)))
    modules = {name for name in named if isinstance(name, str) and not _found(own, {name})}
    return Answers(frozenset(modules), said.get("refuse_answers") is True)


def imported_answers(cell: NotebookNode, answers: Answers) -> list[str]:
    """Return the modules with answers that a student's cell imports, or names in a text."""
    if not answers.modules or not _is_answer(cell):
        return []
    return _found(_dotted(cell.source), answers.modules)


def without_answers(notebook: NotebookNode, answers: Answers) -> NotebookNode:
    """Return a notebook whose cells that import answers say so instead, where that is refused."""
    places = {
        place: found
        for place, cell in enumerate(notebook.cells)
        if answers.refused and (found := imported_answers(cell, answers))
    }
    if not places:
        return notebook
    cells = list(notebook.cells)
    for place, found in places.items():
        text = (
            f"This cell was not run: it imports {' and '.join(found)}, which holds answers to "
            "this exercise. Write your own."
        )
        cells[place] = NotebookNode({**cells[place], "source": f"raise ImportError({text!r})"})
    return NotebookNode({**notebook, "cells": cells})


def _is_answer(cell: NotebookNode) -> bool:
    return role(cell) in ("solution", "free")


@functools.lru_cache(maxsize=512)
def _dotted(source: str) -> frozenset[str]:
    """Return the dotted names that code imports, reaches for, or holds as a text."""
    found: set[str] = set()
    places: dict[str, str] = {}
    nodes = list(ast.walk(parsed(source)))
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
            for alias in node.names:
                top = alias.name.partition(".")[0]
                places[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found.add(node.module if alias.name == "*" else whole)
                places[alias.asname or alias.name] = whole
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # `importlib.import_module("...")`
            found.add(node.value.strip())
    for node in nodes:
        if isinstance(node, ast.Attribute):
            first, dot, rest = ast.unparse(node).partition(".")
            if first in places:
                found.add(f"{places[first]}{dot}{rest}")
    return frozenset(found)


def _found(dotted: Iterable[str], modules: Iterable[str]) -> list[str]:
    names = list(dotted)
    return sorted(m for m in modules if any(n == m or n.startswith(f"{m}.") for n in names))
