"""What a notebook's cells are and which names they use, read from their text: nothing runs."""

from __future__ import annotations

import ast
import builtins
import contextlib
import re
import symtable
import textwrap

from nbformat import NotebookNode

from course_lib.grading.engine.names import bound_in
from course_lib.imports import imported_modules, parsed, python_of, remembered

__all__ = [
    "given_names",
    "hidden_names",
    "hidden_part",
    "imports",
    "is_skipped",
    "loaded_names",
    "names_from_outside",
    "parsed",
    "redefined",
    "role",
    "solution_names",
    "teachers",
]


def role(cell: NotebookNode) -> str:
    """Tell who runs a cell: test (the judge), locked (both), solution and free (the student)."""
    own = cell.metadata.get("nbgrader", {})
    if cell.cell_type != "code":
        return "text"
    if own.get("solution"):
        return "solution"
    if own.get("grade"):
        return "test"
    return "locked" if own.get("locked") else "free"


def is_skipped(cell: NotebookNode) -> bool:
    """Tell whether the teacher wants a cell not to be run: by a tag that nbclient knows, too.

    A test that is not run would give its points to everybody, and what students write is run
    whatever tags they give it.
    """
    return role(cell) == "locked" and "skip-execution" in cell.metadata.get("tags", [])


def teachers(notebook: NotebookNode) -> NotebookNode:
    """Return those cells of a submission that are the teacher's for certain."""
    return NotebookNode(cells=[c for c in notebook.cells if role(c) in ("locked", "test")])


def imports(notebook: NotebookNode) -> set[str]:
    """Return the modules that a notebook imports."""
    found = imported_modules(cell.source for cell in notebook.cells if role(cell) != "text")
    # `import a.b` gives the name `a`.
    return found | {name.partition(".")[0] for name in found}


def redefined(source: NotebookNode) -> dict[str, list[str]]:
    """Return, for each solution cell, the names that it takes from other cells, or from Python.

    Those are what the teacher's solution makes of them, as soon as it has run.
    """
    others = [cell.source for cell in source.cells if role(cell) not in ("text", "solution")]
    taken = frozenset(dir(builtins)).union(*map(given_names, others))
    found = {
        cell.metadata.nbgrader.get("grade_id"): sorted(
            name for name in bound_in(cell.source) if name in taken or "*" in taken
        )
        for cell in source.cells
        if role(cell) == "solution"
    }
    return {grade_id: names for grade_id, names in found.items() if names}


def loaded_names(cells: list[NotebookNode]) -> set[str]:
    """Return the names that cells take from the notebook."""
    found: set[str] = set()
    for cell in cells:
        found |= names_from_outside(cell.source)
    return found


@remembered(256)
def names_from_outside(source: str) -> frozenset[str]:
    """Return the names of the notebook that a cell uses; the variables of a function are its own.

    A name that a test gives to later cells has to travel, and costs a fork: not for parameters
    that happen to be called ``x``, too.
    """
    tables = []
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        tables = [symtable.symtable(python_of(source), "cell", "exec")]
    found = set()
    while tables:
        table = tables.pop()
        tables += table.get_children()
        own = isinstance(table, symtable.Function)
        for symbol in table.get_symbols():
            if symbol.is_referenced() and (not own or symbol.is_global()):
                found.add(symbol.get_name())
    return frozenset(found)


#: Where that begins which nbgrader leaves out of the release.
BEGIN_HIDDEN = "BEGIN HIDDEN TESTS"

_HIDDEN = re.compile(rf"^[^\n]*{BEGIN_HIDDEN}.*?END HIDDEN TESTS[^\n]*$", re.DOTALL | re.MULTILINE)


@remembered(256)
def hidden_names(source: str) -> set[str]:
    """Return the names that only the hidden part of a test defines."""
    return _defined_names(source) - _defined_names(_HIDDEN.sub("", source))


def hidden_part(source: str) -> str:
    """Return the code of a test that students do not see."""
    return "\n".join(textwrap.dedent(part) for part in _HIDDEN.findall(source))


def solution_names(notebook: NotebookNode) -> set[str]:
    """Return the functions and classes that the solution cells of a notebook define."""
    statements = (
        statement
        for cell in notebook.cells
        if role(cell) == "solution"
        for statement in getattr(parsed(cell.source), "body", [])
    )
    return {one.name for one in statements if isinstance(one, ast.FunctionDef | ast.ClassDef)}


@remembered(256)
def given_names(source: str) -> frozenset[str]:
    """Return all names that a cell gives a meaning, also by importing them; * for any."""
    return frozenset(_defined_names(source))


def _defined_names(source: str) -> set[str]:
    found = set()
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.alias):
            found.add(node.asname or node.name.partition(".")[0])
    return found
