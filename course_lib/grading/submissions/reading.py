"""Reading what was handed in: whether it is a notebook of this assignment, and if not, why.

Each reason says what to do about it: ask for the file again, rename it, mend its permissions.
"""

from __future__ import annotations

import json
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import nbformat
from nbformat import NotebookNode

from course_lib.grading.course.folder import Course
from course_lib.grading.course.text import decoded
from course_lib.grading.course.times import EXAMPLES, instant
from course_lib.grading.engine.limits import LARGEST_NOTEBOOK, LONGEST_TIME, MOST_IN_ARCHIVE
from course_lib.grading.submissions.files import entries, no_files
from course_lib.grading.submissions.opening import (
    NoNotebookError,
    open_notebook,
    read_bytes,
)
from course_lib.grading.submissions.repair import metadata_of

__all__ = ["unreadable"]


def unreadable(course: Course, slug: str, student: str, notebooks: dict[str, set[str]]) -> str:
    """Return why a submission cannot be graded, as far as can be said before trying."""
    folder = course.path("submitted", student, slug)
    top = Path(course.coursedir.submitted_directory).name
    problem = no_files(folder, top) or _no_time(folder / "timestamp.txt")
    if problem:
        return problem
    present = {path.stem: path for path in folder.glob("*.ipynb") if path.is_file()}
    if not set(present) & set(notebooks):
        wanted = " and ".join(f"{name}.ipynb" for name in notebooks)
        others = sorted(f"{path.name}{'/' * path.is_dir()}" for path in folder.iterdir())
        held = f"it holds {', '.join(others[:5])}" if others else "it is empty"
        return (
            f"The folder has no {wanted}; {held}. If the notebook was renamed or put into a folder "
            "of its own, give it its name and place back; otherwise ask for it."
        )
    for name in notebooks:
        release = course.path("release", ".", slug) / f"{name}.ipynb"
        if name not in present:
            # nbgrader scores a notebook that was not handed in with 0: no reason to stop.
            problem = _elsewhere(folder, None, set(notebooks), notebooks[name], release)
            if problem:
                return f"The folder has no {name}.ipynb, but {problem}"
            continue
        problem = _not_a_notebook(present[name], notebooks[name], release)
        if problem:
            return f"{present[name].name} {problem}"
        problem = _elsewhere(folder, present[name], set(notebooks), notebooks[name], release)
        if problem:
            return f"{name}.ipynb is as it was released, but {problem}"
    return ""


def _elsewhere(
    folder: Path, path: Path | None, known: set[str], wanted: set[str], release: Path
) -> str:
    """Return where work on a notebook lies that was handed in untouched, or not at all.

    Jupyter calls copies ``x-Copy1.ipynb``, browsers ``x (1).ipynb``, and the one that was worked on
    is easily left beside the one that counts.
    """
    others = [
        (shown, read)
        for shown, read in _others(folder)
        if shown not in {f"{name}.ipynb" for name in known}
    ]
    if not others or not release.is_file():
        return ""
    released = nbformat.read(release, as_version=4)
    given = _texts(released.cells)
    if path is not None and _own(path.read_bytes(), given) is not None:
        return ""
    for shown, read in others:
        found = _own(read(), given)
        if found is not None and (_names(found) & wanted or _cell_ids(found) & _ids(released)):
            return (
                f"{shown} holds work on it. Put that in its place (or delete it, if it is not to "
                "count), then run the same command again."
            )
    return ""


def _others(folder: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Yield the notebooks in a folder, in those below and in zip archives: names, and contents."""
    for name, status in entries(folder).items():
        path, parts = folder / name, PurePosixPath(name).parts
        if ".ipynb_checkpoints" in parts or not stat.S_ISREG(status.st_mode):
            continue
        if name.endswith(".ipynb") and status.st_size <= LARGEST_NOTEBOOK:
            yield name, path.read_bytes
        elif name.lower().endswith(".zip"):
            with suppress(OSError, zipfile.BadZipFile), zipfile.ZipFile(path) as archive:
                for entry in archive.infolist()[:MOST_IN_ARCHIVE]:
                    inside = PurePosixPath(entry.filename)
                    hidden = inside.name.startswith("._") or ".ipynb_checkpoints" in inside.parts
                    if (
                        inside.suffix == ".ipynb"
                        and entry.file_size <= LARGEST_NOTEBOOK
                        and not hidden
                    ):
                        yield f"{entry.filename} in {name}", partial(_unpacked, path, entry)


def _unpacked(path: Path, entry: zipfile.ZipInfo) -> bytes:
    with (
        suppress(OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, zlib.error),
        zipfile.ZipFile(path) as archive,
        archive.open(entry) as file,
    ):
        # No more than it says, whatever is in it.
        return file.read(entry.file_size)
    return b""


def _own(content: bytes, given: set[str]) -> list[dict[str, Any]] | None:
    """Return the cells of a notebook if it holds a text that the release does not."""
    with suppress(ValueError, RecursionError, AttributeError, TypeError):
        cells = json.loads(content.decode("utf-8-sig")).get("cells")
        cells = [cell for cell in cells if isinstance(cell, dict)]
        if _texts(cells) - given:
            return cells
    return None


def _texts(cells: list[Any]) -> set[str]:
    """Return the texts of cells, without what editors change by themselves."""
    sources = (cell.get("source", "") for cell in cells)
    texts = (text if isinstance(text, str) else "".join(map(str, text)) for text in sources)
    return {"\n".join(line.rstrip() for line in text.strip().splitlines()) for text in texts} | {""}


def _names(cells: list[dict[str, Any]]) -> set[str]:
    return {str(metadata_of(cell).get("grade_id")) for cell in cells}


def _cell_ids(cells: list[dict[str, Any]]) -> set[str]:
    return {str(cell["id"]) for cell in cells if "id" in cell}


def _no_time(path: Path) -> str:
    """Return what is wrong with the file in which nbgrader keeps when something was handed in."""
    said = b""
    if path.is_file():
        with path.open("rb") as file:
            said = file.read(LONGEST_TIME + 1)
    text = said.decode("utf-8-sig", errors="replace").strip()
    try:
        text = decoded(said).strip()
        if len(said) > LONGEST_TIME:
            raise ValueError(text)
        if text:
            instant(text)
    except Exception:
        return (
            f"Its timestamp.txt holds no time ({text[:40]!r}). Mend the file ({EXAMPLES}, "
            "for instance), or delete it."
        )
    return ""


def _not_a_notebook(path: Path, wanted: set[str], release: Path) -> str:
    try:
        notebook = open_notebook(read_bytes(path))
        names = {str(metadata_of(cell).get("grade_id")) for cell in notebook.cells}
        kinds = {cell.cell_type for cell in notebook.cells}
    except NoNotebookError as error:
        return str(error)
    except (AttributeError, TypeError) as error:
        return f"is no valid notebook ({error}). Ask for it again."
    if not kinds or not (names & wanted or _ids(notebook) & _ids_of(release)):
        return (
            "holds none of the cells of this exercise: it may be the notebook of another one, or "
            "it was saved by a program that drops cell metadata. Ask for the right one."
        )
    return ""


def _ids(notebook: NotebookNode) -> set[str]:
    return {str(cell.id) for cell in notebook.cells if "id" in cell}


def _ids_of(release: Path) -> set[str]:
    """Return the ids of the cells that were handed out: by them, cells without a name are known."""
    return _ids(nbformat.read(release, as_version=4)) if release.is_file() else set()
