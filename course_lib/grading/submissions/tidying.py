"""Taking out of a notebook what its format does not allow, in a time that grows with its length.

nbformat's validator tells of one fault at a time, for a hundredth of a second each: a notebook of
1,500 faulty cells would keep everybody waiting. So cells are looked at one by one, and the
validator has the last word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nbformat import NotebookNode

__all__ = ["tidy_cell"]

_CELL_TYPES = frozenset(("code", "markdown", "raw"))


def tidy_cell(cell: NotebookNode) -> bool:
    """Take out of a cell, in place, what the notebook format does not allow; tell if it held any.

    A cell of an unknown kind becomes a raw one. Outputs are not looked at.
    """
    before = (cell.get("cell_type"), cell.get("source"), len(cell))
    if not isinstance(cell.get("metadata"), dict):
        cell.metadata = NotebookNode()
        before = None
    if not isinstance(cell.get("source"), str):
        cell.source = str(cell.get("source", ""))
    if cell.get("cell_type") not in _CELL_TYPES:
        cell.cell_type = "raw"
    if cell.cell_type == "code":
        cell.setdefault("outputs", [])
        count = cell.setdefault("execution_count", None)
        if count is not None and not _is_count(count):
            cell.execution_count = None
            before = None
    if "attachments" in cell and not _are_attachments(cell.attachments):
        del cell["attachments"]
    wrong = [k for k, allows in _METADATA.items() if k in cell.metadata and not allows(cell, k)]
    for key in wrong:
        del cell.metadata[key]
    return bool(wrong) or before != (cell.cell_type, cell.source, len(cell))


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _are_attachments(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(bundle, Mapping)
        and all(
            isinstance(data, str) or (isinstance(data, list) and all(map(_is_text, data)))
            for data in bundle.values()
        )
        for bundle in value.values()
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _allows(check: Callable[[Any], bool]) -> Callable[[NotebookNode, str], bool]:
    return lambda cell, key: check(cell.metadata[key])


def _are_tags(value: Any) -> bool:
    return (
        isinstance(value, list)
        and all(isinstance(tag, str) and tag and "," not in tag for tag in value)
        and len(set(value)) == len(value)
    )


#: What the format says of entries in a cell's metadata.
_METADATA: dict[str, Callable[[NotebookNode, str], bool]] = {
    "name": _allows(lambda value: isinstance(value, str) and bool(value)),
    "tags": _allows(_are_tags),
    "jupyter": _allows(lambda value: isinstance(value, Mapping)),
    "collapsed": lambda cell, key: cell.cell_type != "code" or isinstance(cell.metadata[key], bool),
    "scrolled": lambda cell, key: (
        cell.cell_type != "code" or cell.metadata[key] in (True, False, "auto")
    ),
    "execution": lambda cell, key: (
        cell.cell_type != "code"
        or (
            isinstance(cell.metadata[key], Mapping)
            and all(map(_is_text, cell.metadata[key].values()))
        )
    ),
    "format": lambda cell, key: cell.cell_type != "raw" or _is_text(cell.metadata[key]),
}
