"""Parts of nbgrader, without the rest of it.

With its database and its web pages nbgrader takes a second to import, which is a third of all that
a reader waits for who checks a notebook. What counts points and knows the metadata of cells needs
neither. A student's kit has no nbgrader at all: there, the functions below answer by themselves,
and give what nbgrader's give.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from nbformat import NotebookNode

__all__ = ["compute_checksum", "determine_grade", "is_locked", "load", "upgrade_cell_metadata"]


def load() -> None:
    """Import what the functions need: once, in a process that is going to be forked."""
    _part("utils", "utils.py")
    _validator()


def determine_grade(cell: NotebookNode) -> tuple[float, float]:
    """Return the points of a test cell that was run, and its most."""
    if (known := _part("utils", "utils.py")) is not None:
        points, most = known.determine_grade(cell)
        return points, most
    most = float(cell.metadata.nbgrader["points"])
    for output in cell.outputs:
        if output.output_type == "error" or output.get("name") == "stderr":
            return 0.0, most
        if output.output_type == "execute_result":
            try:
                part = float(output["data"]["text/plain"])
            except ValueError:
                return most, most
            if part > most:
                raise ValueError("partial credit cannot be greater than maximum points for cell")
            return (part if part >= 0.0 else most), most
    return most, most


def compute_checksum(cell: NotebookNode) -> str:
    """Return the digest by which nbgrader tells whether a cell is as it was released."""
    if (known := _part("utils", "utils.py")) is not None:
        return str(known.compute_checksum(cell))
    own = cell.metadata.nbgrader
    parts = [cell.source, cell.cell_type]
    parts += [str(part) for part in (own.get("grade", False), own.get("solution", False))]
    parts += [str(is_locked(cell)), own["grade_id"]]
    if own.get("grade", False):
        parts.append(str(float(own["points"])))
    return hashlib.md5("".join(parts).encode()).hexdigest()


def is_locked(cell: NotebookNode) -> bool:
    """Tell whether nbgrader puts the cell back to what was released."""
    if (known := _part("utils", "utils.py")) is not None:
        return bool(known.is_locked(cell))
    own = cell.metadata.get("nbgrader")
    if own is None or own.get("solution", False):
        return False
    return True if own.get("grade", False) else bool(own.get("locked", False))


def upgrade_cell_metadata(cell: NotebookNode) -> None:
    """Bring the metadata that an earlier nbgrader wrote to today's form.

    Nothing is changed where there is no nbgrader: a kit's releases are of today.
    """
    validator = _validator()
    if validator is not None:
        validator.upgrade_cell_metadata(cell)


@functools.cache
def _validator() -> Any:
    """Return nbgrader's validator, which reads its schemas from files when it is made."""
    known = _part("nbgraderformat", "nbgraderformat/__init__.py")
    return known and known.MetadataValidator()


@functools.cache
def _part(name: str, place: str) -> ModuleType | None:
    """Return a module of nbgrader's: the one that is there, or a copy without its package."""
    if sys.modules.get("nbgrader") is not None:
        return importlib.import_module(f"nbgrader.{name}")
    spec = importlib.util.find_spec("nbgrader")
    if spec is None:
        return None
    if not spec.submodule_search_locations:
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
