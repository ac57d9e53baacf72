"""What a page computes, computed once more: its own statements, for live parts and their tests.

A live part that shows a network of a page must show *that* network. So its data are not made by a
second copy of the code: the statements that define the wanted names are taken from the page's cells
and run.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

from course_lib.book.chapters import read_chapter
from course_lib.paths import CourseError, find_root

__all__ = ["run_page_code"]


def run_page_code(page: str, *names: str, root: Path | None = None, **given: Any) -> dict[str, Any]:
    """Run those statements of a page's cells that define some names, in the page's order.

    Parameters
    ----------
    page : str
        Its path without ending, such as ``book/part/slug``.
    *names : str
        Functions, classes and variables that the page defines in the first column. A name that is
        defined several times is run as often.
    root : Path, optional
        The course; the one around the current folder by default.
    **given
        What the statements need besides: what the page imports, and names that are not to be run.

    Returns
    -------
    dict of str
        Everything by its name, with what was given.

    Raises
    ------
    CourseError
        If the page does not define one of the names.
    """
    space, found = dict(given), set()
    for cell in read_chapter(root or find_root(), page).cells:
        if cell.cell_type != "code":
            continue
        source = re.sub(r"\A---\n.*?\n---\n", "", cell.source, flags=re.DOTALL)
        for statement in ast.parse(source).body:
            if defined := _defines(statement) & set(names):
                found |= defined
                exec(ast.unparse(statement), space)
    if missing := sorted(set(names) - found):
        raise CourseError(
            f"{page}.md defines no {', '.join(missing)} in the first column of a cell, and a live "
            "part runs it: name in course_lib/book/live_parts.py what the page calls it now."
        )
    return space


def _defines(statement: ast.stmt) -> set[str]:
    """Return the names that a statement defines by itself."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Assign):
        targets = (node for target in statement.targets for node in ast.walk(target))
        return {node.id for node in targets if isinstance(node, ast.Name)}
    return set()
