"""What pieces of code import, read from their text."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from importlib.machinery import PathFinder
from importlib.util import find_spec


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


def is_module(name: str) -> bool:
    """Tell whether a dotted name is a module here; nothing is imported to find out."""
    top, *parts = name.split(".")
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):  # `__main__` has none
        return False
    for part in parts:
        if spec is None or spec.submodule_search_locations is None:
            return False
        spec = PathFinder.find_spec(f"{spec.name}.{part}", spec.submodule_search_locations)
    return spec is not None
