"""What pieces of code import, read from their text; what imports what in this library."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path


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


class ImportGraph:
    """Which module of course_lib, or of another package, imports which."""

    def __init__(self, root: Path, package: str = "course_lib", *, types: bool = True) -> None:
        import grimp

        self.root = root
        # Imports that are there for the sake of types alone run nothing.
        self._graph = grimp.build_graph(
            package, cache_dir=None, exclude_type_checking_imports=not types
        )

    @property
    def modules(self) -> set[str]:
        """The names of all modules of the package."""
        return set(self._graph.modules)

    def behind(self, names: Iterable[str]) -> set[str]:
        """Return the package's modules that importing `names` runs or may run."""
        found: set[str] = set()
        waiting = [name for name in names if name in self._graph.modules]
        while waiting:
            module = waiting.pop()
            if module in found:
                continue
            found.add(module)
            waiting.extend(self._graph.find_modules_directly_imported_by(module))
            if "." in module:
                waiting.append(module.rpartition(".")[0])
        return found

    def files(self, modules: Iterable[str]) -> list[tuple[str, Path]]:
        """Return the modules' source files, and the data files beside those that are packages."""
        files = []
        for module in sorted(modules):
            path = self.root.joinpath(*module.split("."))
            if not path.is_dir():
                files.append((module, path.with_suffix(".py")))
                continue
            files.append((module, path / "__init__.py"))
            files += [
                (f"{module}:{entry.name}", entry)
                for entry in sorted(path.iterdir())
                if entry.is_file() and entry.suffix not in (".py", ".pyc")
            ]
        return files
