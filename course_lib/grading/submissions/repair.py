"""Making a submission gradable again without touching what the student wrote.

Students delete cells, copy them, merge notebooks and hand in what another program saved. nbgrader
matches cells by the `grade_id` in their metadata, and stops (for one fault the whole class) where
that is not as it was released. `mend` runs before nbgrader's own checks (see `preprocessors`) and
before a reader's own check, on the copy that is graded, never on the submission: it restores the
metadata from the gradebook or the source, settles which of several copies counts, puts missing test
cells back from the release, and notes all of it, for the report.
"""

from __future__ import annotations

import contextlib
import copy
import json
import re
import uuid
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.validator import iter_validate

from course_lib.grading.course import nbgraders
from course_lib.grading.submissions.formatting import restore_form
from course_lib.grading.submissions.tidying import tidy_cell

__all__ = [
    "NOTES",
    "TAMPERED",
    "WrongNotebookError",
    "mend",
    "metadata_of",
    "wanted_in",
    "whole_characters",
]

# What a note says of a change that no program makes by itself.
TAMPERED = "changed by hand; restored"

# Where the notes on what was mended are kept: a list of sentences in the notebook's metadata.
NOTES = "course_mended"

# What the notebook format takes for a cell's id.
CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class WrongNotebookError(Exception):
    """The notebook holds none of the cells that the exercise asks for."""


def wanted_in(source: NotebookNode) -> dict[str, dict[str, Any]]:
    """Return what a gradebook would know of each cell of a source notebook, by `grade_id`."""
    wanted = {}
    for cell in source.cells:
        own = metadata_of(cell)
        if not any(own.get(flag) for flag in ("grade", "solution", "locked", "task")):
            continue
        metadata = {
            "schema_version": 3,
            "grade_id": own["grade_id"],
            "grade": bool(own.get("grade")),
            "solution": bool(own.get("solution")),
            "locked": nbgraders.is_locked(cell),
            "task": bool(own.get("task")),
            "cell_type": cell.cell_type,
            "checksum": nbgraders.compute_checksum(cell),
        }
        if metadata["grade"] or metadata["task"]:
            metadata["points"] = float(own["points"])
        wanted[own["grade_id"]] = {"metadata": metadata, "source": cell.source}
    return wanted


def metadata_of(cell: NotebookNode) -> dict[str, Any]:
    """Return the nbgrader metadata of a cell, empty where there is none that makes sense."""
    metadata = cell.get("metadata")
    found = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return found if isinstance(found, dict) else {}


def _name(cell: NotebookNode) -> str | None:
    """Return what a cell is called, by metadata that anything may have happened to."""
    name = metadata_of(cell).get("grade_id")
    return name if isinstance(name, str) else None


def mend(
    nb: NotebookNode,
    wanted: dict[str, dict[str, Any]],
    released: list[NotebookNode],
    notes: list[str],
) -> None:
    """Bring `nb` to the form that nbgrader grades; add a sentence to `notes` for each change."""
    _renew_ids(nb)
    _straighten(nb, notes)
    release = {metadata_of(cell).get("grade_id"): cell for cell in released}
    _recognize(nb, wanted, released, notes)
    restore_form(nb, release, _name)
    _take_apart(nb, wanted, release, notes)
    places: dict[str, list[int]] = {}
    for index, cell in enumerate(nb.cells):
        name = _name(cell)
        if name is not None and name in wanted:
            places.setdefault(name, []).append(index)
        else:
            # Left-overs of other notebooks, or metadata that some program mangled.
            cell.metadata.pop("nbgrader", None)
    if not places:
        raise WrongNotebookError(
            "It holds none of the cells of this exercise: it may be the notebook of another "
            "one, or it was saved by a program that drops cell metadata."
        )

    for name, indices in places.items():
        answer = wanted[name]["metadata"]["solution"]
        keep = indices[-1] if answer else indices[0]
        if len(indices) > 1:
            answers = [i for i in indices if nb.cells[i].source != _text(release.get(name))]
            if answer and answers:
                keep = answers[-1]
            for index in indices:
                if index != keep:
                    nb.cells[index].metadata.pop("nbgrader", None)
            notes.append(
                f"The cell {name} was there {len(indices)} times; the one at place {keep + 1} "
                "was graded."
            )
        intact = _is_intact(nb.cells[keep])
        _restore(nb.cells[keep], name, wanted[name]["metadata"], notes)
        if name in release:
            _take_from(release[name], nb.cells[keep], name, notes)
        changed = name in release and nb.cells[keep].source != release[name].source
        earlier = f"The cell {name} is that of an earlier release; graded as it is now."
        if changed and not answer and intact and earlier not in notes:
            notes.append(earlier)
        elif changed and not answer and not intact:
            notes.append(f"The cell {name} is not as it was released; the release's counts.")

    order = [name for name in release if name in wanted]
    order += [name for name in wanted if name not in order]
    _put_back(nb, order, wanted, release, set(places), notes)
    _put_in_order(nb, order, wanted, notes)
    _renew_ids(nb)


def _recognize(
    nb: NotebookNode,
    wanted: dict[str, dict[str, Any]],
    released: list[NotebookNode],
    notes: list[str],
) -> None:
    """Give cells that have lost their name, or bear another, that of the release's by their id."""
    present = {_name(cell) for cell in nb.cells}
    names = {cell.id: _name(cell) for cell in released if "id" in cell}
    for cell in nb.cells:
        name = names.get(cell.get("id"))
        if name is None or name not in wanted or name in present or _name(cell) in wanted:
            continue
        metadata = wanted[name]["metadata"]
        # The gradebook's checksum is that of another text: see `_mark`.
        kept = {key: value for key, value in metadata.items() if key != "checksum"}
        cell.metadata["nbgrader"] = NotebookNode(kept)
        notes.append(f"The cell {name} had lost its name; known by its id.")


def _take_apart(
    nb: NotebookNode,
    wanted: dict[str, dict[str, Any]],
    release: dict[str | None, NotebookNode],
    notes: list[str],
) -> None:
    """Take out of a teacher's code cell what somebody merged with it: it may be an answer."""
    cells = []
    for cell in nb.cells:
        name = _name(cell)
        teachers = name in wanted and name in release and not wanted[name]["metadata"]["solution"]
        text = release[name].source.strip() if teachers else ""
        # One that is intact is that of an earlier release, which may hold the text of today's.
        merged = text and text in cell.source and cell.cell_type == "code" and not _is_intact(cell)
        if not merged:
            cells.append(cell)
            continue
        above, _, below = (part.strip() for part in cell.source.partition(text))
        parts = [nbformat.v4.new_code_cell(part) if part else None for part in (above, below)]
        if above or below:
            cell.source = text
            notes.append(f"The cell {name} was merged with another; taken apart.")
        cells += [part for part in (parts[0], cell, parts[1]) if part is not None]
    nb.cells = cells


def _straighten(nb: NotebookNode, notes: list[str]) -> None:
    """Take out what the notebook format does not allow: one stray entry must not end grading."""
    strange = sum(map(tidy_cell, nb.cells)) > 0
    # What is left is the notebook's own; of a cell, one error is told at a time.
    for _ in range(5):
        places = [list(e.absolute_path) for e in iter_validate(nb, relax_add_props=True)]
        if not places:
            break
        strange = True
        for place in places:
            _take_out(nb, place)
    try:
        json.dumps(nb, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        nb.update(whole_characters(nb))
        notes.append("It held halves of characters, which no file can hold; replaced.")
    if strange:
        notes.append("It held entries that no notebook may hold; taken out.")


def _take_out(nb: NotebookNode, place: list[Any]) -> None:
    """Take the entry at a place out of a notebook, or put in its place what may stand there."""
    match place:
        case ["metadata"]:
            nb.metadata = NotebookNode()
        case ["metadata", key, *_]:
            nb.metadata.pop(key, None)
        case ["cells", int(number), *rest]:
            _take_out_of_cell(nb.cells[number], rest)


def _take_out_of_cell(cell: NotebookNode, place: list[Any]) -> None:
    match place:
        case ["metadata"]:
            cell.metadata = NotebookNode()
        case ["metadata", key, *_]:
            cell.metadata.pop(key, None)
        case ["source"]:
            cell.source = str(cell.source)
        case [("attachments" | "outputs" | "execution_count") as key, *_]:
            cell.pop(key, None)
        case []:
            cell.setdefault("metadata", NotebookNode())
            cell.setdefault("source", "")
    if cell.cell_type not in ("code", "markdown", "raw"):
        _retype(cell, "raw")
    if cell.cell_type == "code":
        cell.setdefault("outputs", [])
        cell.setdefault("execution_count", None)


def whole_characters(value: Any) -> Any:
    """Return plain data whose texts hold no halves of characters, which UTF-8 cannot write."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        made = {whole_characters(key): whole_characters(entry) for key, entry in value.items()}
        return NotebookNode(made) if isinstance(value, NotebookNode) else made
    if isinstance(value, list):
        return [whole_characters(entry) for entry in value]
    return value


def _text(cell: NotebookNode | None) -> str | None:
    return None if cell is None else cell.source


def _restore(cell: NotebookNode, name: str, metadata: dict[str, Any], notes: list[str]) -> None:
    """Give a cell the metadata it was released with."""
    try:
        nbgraders.upgrade_cell_metadata(cell)
    except Exception:
        cell.metadata["nbgrader"] = {}
    before = metadata_of(cell)
    changed = [
        key
        for key in ("grade", "solution", "locked", "points")
        if key in metadata and before.get(key) != metadata[key]
    ]
    intact = _is_intact(cell) if metadata["locked"] and cell.cell_type == "code" else None
    if intact is False:
        # Without another reason, the checksum is another because the text is.
        notes.append(f"The cell {name} had its {_listed(changed or ['text'])} {TAMPERED}.")
    elif intact and changed:
        notes.append(f"The cell {name} is that of an earlier release; graded as it is now.")
    elif changed:
        notes.append(f"The cell {name} had its {_listed(changed)} changed; restored.")
    if cell.cell_type != metadata["cell_type"]:
        notes.append(
            f"The cell {name} had become a {cell.cell_type} cell; "
            f"made a {metadata['cell_type']} cell again."
        )
        _retype(cell, metadata["cell_type"])
    _mark(cell, metadata)


def _take_from(released: NotebookNode, cell: NotebookNode, name: str, notes: list[str]) -> None:
    """Give a cell what else the release says of it: a tag may keep a test from being run."""
    kept = dict(copy.deepcopy(released.metadata)) | {"nbgrader": cell.metadata["nbgrader"]}
    if cell.metadata.get("tags", []) != released.metadata.get("tags", []):
        notes.append(f"The cell {name} had other tags; the release's count.")
    cell.metadata = NotebookNode(kept)


def _mark(cell: NotebookNode, metadata: dict[str, Any]) -> None:
    """Give a cell its metadata, with the checksum of its text where only the teacher writes it.

    The gradebook's is that of the text with hidden tests. Of answers it is kept: by it, nbgrader
    knows the empty ones.
    """
    cell.metadata["nbgrader"] = NotebookNode(metadata)
    if metadata["locked"] and not metadata["solution"]:
        cell.metadata["nbgrader"]["checksum"] = nbgraders.compute_checksum(cell)


def _is_intact(cell: NotebookNode) -> bool | None:
    """Tell whether a locked cell is as it was released, be it today or earlier.

    It carries the checksum that it was released with; None where there is none to compare with.
    """
    with contextlib.suppress(KeyError, TypeError, ValueError):
        if metadata_of(cell)["checksum"]:
            return bool(metadata_of(cell)["checksum"] == nbgraders.compute_checksum(cell))
    return None


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _retype(cell: NotebookNode, cell_type: str) -> None:
    cell.cell_type = cell_type
    if cell_type == "code":
        cell.outputs = []
        cell.execution_count = None
        cell.pop("attachments", None)
    else:
        cell.pop("outputs", None)
        cell.pop("execution_count", None)


def _put_back(
    nb: NotebookNode,
    order: list[str],
    wanted: dict[str, dict[str, Any]],
    release: dict[str | None, NotebookNode],
    present: set[str],
    notes: list[str],
) -> None:
    """Insert the teacher's missing cells behind the one that they followed in the release.

    A missing solution cell is not put back: its answer may stand in another cell, which the empty
    one would overwrite.
    """
    previous: str | None = None
    for name in order:
        metadata = wanted[name]["metadata"]
        if name not in present:
            needed = metadata["locked"] and metadata["cell_type"] == "code"
            if not (metadata["grade"] or metadata["task"] or needed):
                if metadata["solution"]:
                    notes.append(
                        f"The cell {name} is missing. If its answer does not stand in another "
                        "cell, its tests fail: ask for the notebook again."
                    )
                continue
            source = release[name].source if name in release else wanted[name]["source"]
            maker = {
                "code": nbformat.v4.new_code_cell,
                "markdown": nbformat.v4.new_markdown_cell,
            }[metadata["cell_type"]]
            cell = maker(source)
            _mark(cell, metadata)
            nb.cells.insert(_place_behind(nb, previous), cell)
            notes.append(f"The cell {name} was missing; put back from the release.")
        previous = name


def _place_behind(nb: NotebookNode, previous: str | None) -> int:
    for index, cell in enumerate(nb.cells):
        if previous is not None and metadata_of(cell).get("grade_id") == previous:
            return index + 1
    return 0 if previous is None else len(nb.cells)


def _put_in_order(
    nb: NotebookNode, order: list[str], wanted: dict[str, dict[str, Any]], notes: list[str]
) -> None:
    """Move the teacher's cells behind all that they follow in the release.

    A test may come later than it did; what the student wrote stays where it is. Cells that are
    neither, such as imports, also move in front of all that follows them.
    """
    moved = []
    for number, name in enumerate(order):
        metadata = wanted[name]["metadata"]
        if metadata["solution"] or not (metadata["grade"] or metadata["locked"]):
            continue
        places = {metadata_of(cell).get("grade_id"): i for i, cell in enumerate(nb.cells)}
        if name not in places:
            continue
        here = places[name]
        last = max((places[other] for other in order[:number] if other in places), default=-1)
        first = min((places[other] for other in order[number + 1 :] if other in places), default=-1)
        if here < last:
            nb.cells.insert(last, nb.cells.pop(here))
        elif not metadata["grade"] and last < first < here:
            nb.cells.insert(first, nb.cells.pop(here))
        else:
            continue
        moved.append(name)
    if moved:
        cells = f"cell {moved[0]} was" if len(moved) == 1 else f"cells {_listed(moved)} were"
        notes.append(f"The {cells} out of order; moved back to where the release has them.")


def _renew_ids(nb: NotebookNode) -> None:
    """Give cells ids of their own, where copies share one or an old format has none."""
    seen: set[str] = set()
    for cell in nb.cells:
        if (nb.nbformat, nb.nbformat_minor) < (4, 5):
            cell.pop("id", None)
            continue
        known = cell.get("id")
        if not isinstance(known, str) or not CELL_ID.fullmatch(known) or known in seen:
            cell.id = uuid.uuid4().hex[:8]
        seen.add(cell.id)
