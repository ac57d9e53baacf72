"""What pieces of code import, read from their text."""

from __future__ import annotations

import ast
from collections.abc import Iterable


def imported_modules(sources: Iterable[str]) -> set[str]:
    """Return the dotted names that pieces of code import, ``from a import b`` as ``a.b``."""
    names: set[str] = set()
    for source in sources:
        # IPython's magics and shell lines are no Python.
        lines = [
            "" if line.lstrip().startswith(("%", "!")) else line for line in source.split("\n")
        ]
        try:
            tree = ast.parse("\n".join(lines))
        except SyntaxError:
            continue  # running the chapter will say so
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module)
                names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names
