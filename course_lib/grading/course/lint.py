"""What of a teacher's notebook is worth a look before it is released: tests that ask for luck.

Each sentence names a test cell and says what to write instead. Nothing is refused: there may be
good reasons, and all of this is read from the text of the cells.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from nbformat import NotebookNode

from course_lib.grading.engine.names import bound_in
from course_lib.grading.engine.notebooks import (
    hidden_part,
    names_from_outside,
    role,
    solution_names,
)
from course_lib.imports import parsed

__all__ = ["faults"]

#: What draws from a stream that somebody has to seed, behind the module's name.
_DRAWS = frozenset(
    """
    bytes choice choices exponential normal permutation poisson rand randint randn random
    random_sample randperm sample shuffle standard_normal uniform rand_like randn_like
    """.split()  # noqa: SIM905
)
_MODULES = ("np.random.", "numpy.random.", "random.", "torch.")


def faults(source: NotebookNode) -> list[str]:
    """Return a sentence for each fault in the tests of a teacher's notebook."""
    found: list[str] = []
    seeded = False
    for place, cell in enumerate(source.cells):
        kind = role(cell)
        if kind == "text":
            continue
        seeded = seeded or (kind in ("locked", "test") and _seeds(cell.source))
        if kind != "test":
            continue
        name = cell.metadata.nbgrader.get("grade_id", f"number {place + 1}")
        draws = _unseeded(cell.source, seeded)
        if draws:
            found.append(
                f"The test {name} draws random numbers that nothing has seeded "
                f"({', '.join(draws)}), so that it may pass once and fail once. Seed them, or draw "
                "from rng()."
            )
        hidden = hidden_part(cell.source)
        loose = _from_free_cells(source.cells, cell, hidden)
        if loose:
            found.append(
                f"The hidden part of {name} takes {', '.join(loose)} from a cell that students may "
                "edit. Give it a value in the test or in a locked cell."
            )
        # A solution that comes later gives the name its meaning anew.
        before = NotebookNode(cells=source.cells[:place])
        again = sorted(bound_in(hidden) & solution_names(before))
        if again:
            found.append(
                f"The hidden part of {name} gives {', '.join(again)} another meaning, which the "
                "solution defines: the tests behind it no longer try the student's. Write "
                "`with given(...)`, or use another name."
            )
    return found


def _calls(source: str) -> Iterable[tuple[str, ast.Call]]:
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def _seeds(source: str) -> bool:
    return any("seed" in name.lower() for name, _ in _calls(source))


def _unseeded(source: str, seeded: bool) -> list[str]:
    """Return the calls that draw what nobody has seeded."""
    found = set()
    for name, call in _calls(source):
        module, _, function = name.rpartition(".")
        fresh = function in ("default_rng", "RandomState", "Random")
        if fresh and (module or function != "Random") and not (call.args or call.keywords):
            found.add(f"{name}()")
        draws = f"{module}." in _MODULES and function in _DRAWS
        named = any(keyword.arg == "generator" for keyword in call.keywords)
        if draws and not seeded and not named:
            found.add(name)
    return sorted(found)


def _from_free_cells(cells: Iterable[NotebookNode], test: NotebookNode, hidden: str) -> list[str]:
    """Return the names whose values a hidden test has from cells that students may edit."""
    free: set[str] = set()
    others: set[str] = set()
    for cell in cells:
        kind = role(cell)
        if kind == "free":
            # What is defined or imported there, the judge has from the teacher's notebook.
            free |= bound_in(cell.source) - {
                node.name
                for node in ast.walk(parsed(cell.source))
                if isinstance(node, ast.FunctionDef | ast.ClassDef)
            }
        elif kind != "text":
            others |= bound_in(cell.source)
        if cell is test:
            break
    return sorted(names_from_outside(hidden) & (free - others))
