"""Parts of nbgrader, without the rest of it.

With its database and its web pages nbgrader takes a second to import, which is a third of all that
a reader waits for who checks a notebook. What counts points and knows the metadata of cells needs
neither.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

__all__ = ["metadata", "utils"]


@functools.cache
def utils() -> ModuleType:
    """Return ``nbgrader.utils``: checksums, kinds of cells, points."""
    return _alone("utils", "utils.py")


@functools.cache
def metadata() -> ModuleType:
    """Return ``nbgrader.nbgraderformat``: what the metadata of a cell are, today and earlier."""
    return _alone("nbgraderformat", "nbgraderformat/__init__.py")


def _alone(name: str, place: str) -> ModuleType:
    """Return a module of nbgrader's: the one that is there, or a copy without its package."""
    spec = None if "nbgrader" in sys.modules else importlib.util.find_spec("nbgrader")
    if spec is None or not spec.submodule_search_locations:
        return importlib.import_module(f"nbgrader.{name}")
    path = Path(spec.submodule_search_locations[0], place)
    folders = [str(path.parent)] if path.stem == "__init__" else None
    alone = importlib.util.spec_from_file_location(
        f"nbgraders_{name}", path, submodule_search_locations=folders
    )
    assert alone is not None and alone.loader is not None
    module = importlib.util.module_from_spec(alone)
    # Parts of a package find each other by its name.
    sys.modules[alone.name] = module
    alone.loader.exec_module(module)
    return module
