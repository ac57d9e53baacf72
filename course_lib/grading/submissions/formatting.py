"""What editors and formatters change in a notebook, and what grading must not take for a change.

Windows ends lines in its own way, editors take blanks from their ends, and formatters of code put
double quotes for single ones. None of it changes what a cell says.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Mapping
from typing import Any

from nbformat import NotebookNode

from course_lib.grading.engine.limits import MOST_FORMATTED
from course_lib.imports import parsed

__all__ = ["restore_form", "same_code", "same_text", "settled_lines"]

_LINE_END = re.compile(r"\r\n?")


def settled_lines(text: str) -> str:
    """Return a text with line ends as they are everywhere but on Windows."""
    return _LINE_END.sub("\n", text)


def same_text(one: str, other: str) -> bool:
    """Tell whether two texts differ in nothing but line ends, and blanks before them."""
    return one == other or _bare(one) == _bare(other)


def same_code(one: str, other: str) -> bool:
    """Tell whether two cells are the same to Python, whatever a formatter made of them."""
    if same_text(one, other):
        return True
    # A formatter makes a text no other one.
    if max(len(one), len(other)) > 2 * min(len(one), len(other)) + 200:
        return False
    forms = [_form(settled_lines(text)) for text in (one, other)]
    return forms[0] is not None and forms[0] == forms[1]


def restore_form(nb: NotebookNode, release: Mapping[Any, NotebookNode], name_of: Any) -> None:
    """Give cells that say what the release says its text, to the letter.

    Parameters
    ----------
    nb : NotebookNode
        What was handed in; changed in place.
    release : mapping
        The cells of the release by their names.
    name_of : callable
        Returns the name of a cell.
    """
    compared = 0
    for cell in nb.cells:
        if "\r" in cell.source:
            cell.source = settled_lines(cell.source)
        released = release.get(name_of(cell))
        if released is None or released.cell_type != cell.cell_type:
            continue
        own = cell.metadata.get("nbgrader", {})
        # A comment in an answer may be the answer.
        teachers = cell.cell_type == "code" and not own.get("solution")
        compared += teachers
        same = same_code if teachers and compared <= MOST_FORMATTED else same_text
        if same(cell.source, released.source):
            cell.source = released.source


def _bare(text: str) -> str:
    return "\n".join(line.rstrip(" \t") for line in settled_lines(text).split("\n")).strip("\n")


def _form(source: str) -> str | None:
    """Return what Python takes a cell for; None for what is no Python."""
    tree = parsed(source)
    if not tree.body:
        return None
    return ast.dump(_Plain().visit(ast.parse(ast.unparse(tree))))


class _Plain(ast.NodeTransformer):
    """Take out of a tree what formatters change in it: how strings and docstrings are written."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        node.kind = None
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        match node.value:
            case ast.Constant(str(text)):
                return ast.Expr(ast.Constant(inspect.cleandoc(text)))
        return self.generic_visit(node)
