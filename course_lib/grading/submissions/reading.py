"""Reading what was handed in: whether it is a notebook of this assignment, and if not, why.

Each reason says what to do about it: ask for the file again, rename it, mend its permissions.
"""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course_lib.grading.course.folder import Course
from course_lib.grading.course.text import decoded
from course_lib.grading.course.times import EXAMPLES, instant
from course_lib.grading.engine.limits import LONGEST_TIME
from course_lib.grading.submissions.files import no_files
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
        if name not in present:
            # nbgrader scores a notebook that was not handed in with 0: no reason to stop.
            continue
        release = course.path("release", ".", slug) / f"{name}.ipynb"
        problem = _not_a_notebook(present[name], notebooks[name], release)
        if problem:
            return f"{present[name].name} {problem}"
    return ""


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
