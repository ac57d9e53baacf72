"""From an exercise's source text to its notebooks.

``solutions/<slug>.py`` is what an author edits: a percent script with solutions and hidden tests.
jupytext turns it into nbgrader's source notebook, and nbgrader turns that into the release, which
is what a student gets. Both are generated; the release is committed as ``exercises/``.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from course_lib.paths import (
    CourseError,
    built_source_path,
    exercise_slugs,
    known_slug,
    release_path,
    source_path,
)

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}

#: What the notebook format does not allow in a cell's id.
_CELL_ID = re.compile(r"[^A-Za-z0-9_-]+")

# What adds jupytext to Jupyter's own server.
_FOR_SERVERS = ("jupytext.sync_contentsmanager", "jupytext.async_contentsmanager")


def _jupytext() -> Any:
    """Import jupytext without Jupyter's server, which takes longer than all the rest."""
    # A module that is None cannot be imported, and jupytext does without these two.
    absent = [name for name in _FOR_SERVERS if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
    try:
        import jupytext
    finally:
        for name in absent:
            del sys.modules[name]
    return jupytext


def source_notebook(root: Path, slug: str) -> NotebookNode:
    """Return the source of an exercise as a notebook, with solutions and hidden tests.

    Cell ids depend on the text alone, so that the same text gives the same notebook: a graded or
    solution cell is called by its grade id, any other by its place after the last such cell.

    Raises
    ------
    CourseError
        When there is no such exercise, two cells share a grade id, or there is nothing to grade.
    """
    known_slug(root, slug)
    path = source_path(root, slug)
    if not path.is_file():
        raise CourseError(
            f"Exercise {slug!r} has a release but no source: {path.relative_to(root)} is missing. "
            "Restore it from git."
        )
    notebook = _jupytext().reads(path.read_text(encoding="utf-8"), fmt="py:percent")
    # What the course says of the exercise (`answers_in`) goes along, of the rest the kernel alone.
    kept = {name: notebook.metadata[name] for name in ("course",) if name in notebook.metadata}
    notebook.metadata = NotebookNode(kernelspec=NotebookNode(KERNELSPEC), **kept)
    seen: set[str] = set()
    after, place = "start", 0
    for cell in notebook.cells:
        # How jupytext remembers blank lines between cells; it means nothing in a notebook.
        cell.metadata.pop("lines_to_next_cell", None)
        name = grade_id(cell)
        if name is None:
            place += 1
            cell.id = f"{_CELL_ID.sub('-', after)[:50]}-{place}"
            continue
        if name in seen:
            raise CourseError(
                f"{path.relative_to(root)} has two cells with the grade_id {name!r}. "
                "Give one of them another."
            )
        seen.add(name)
        after, place = name, 0
        cell.id = _CELL_ID.sub("-", name)[:64]
    if not seen:
        raise CourseError(
            f"{path.relative_to(root)} has no cell with nbgrader metadata: there is nothing to "
            "grade. See 'Write an exercise' in CONTRIBUTING.md."
        )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def release_notebook(root: Path, slug: str) -> NotebookNode:
    """Return what nbgrader makes of the source for students: no solutions, no hidden tests.

    This runs nbgrader's own converter with the course's ``nbgrader_config.py``, in a folder of its
    own and without a gradebook.

    Raises
    ------
    CourseError
        With nbgrader's own words, when it refuses the source.
    """
    from nbgrader.apps import NbGrader
    from nbgrader.converters import GenerateAssignment
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.preprocessors import SaveCells
    from nbgrader.utils import capture_log
    from traitlets.config import Application

    app = NbGrader()
    settings = root / "nbgrader_config.py"
    if settings.is_file():
        # nbgrader's own method of this name takes no arguments and looks in the current folder.
        Application.load_config_file(app, settings.name, path=[str(root)])
    with tempfile.TemporaryDirectory(prefix="course-release-") as folder:
        course = CourseDirectory(config=app.config)
        course.root = folder
        course.source_directory, course.release_directory = "source", "release"
        course.assignment_id = slug
        source = Path(folder, "source", slug, f"{slug}.ipynb")
        source.parent.mkdir(parents=True)
        nbformat.write(source_notebook(root, slug), source)
        converter = GenerateAssignment(coursedir=course, config=app.config)
        converter.no_database = True
        converter.preprocessors = [
            step for step in converter.preprocessors if step is not SaveCells
        ]
        result = capture_log(converter)
        if not result["success"]:
            words = result.get("log") or result["error"]
            raise CourseError(
                f"nbgrader cannot make a release of {source_path(root, slug).relative_to(root)}. "
                f"It says:\n{words.strip()}"
            )
        return nbformat.read(Path(folder, "release", slug, f"{slug}.ipynb"), as_version=4)


def generate(root: Path, slugs: list[str] | None = None) -> dict[str, bool]:
    """Write source and release notebooks of the exercises, and say which releases changed.

    Parameters
    ----------
    root : Path
        The course.
    slugs : list of str, optional
        Which exercises; all that have a source by default.

    Returns
    -------
    dict
        Slug to whether the release differs from what was there. Files that already hold the right
        text are left alone.
    """
    changed = {}
    for slug in slugs or [s for s in exercise_slugs(root) if source_path(root, s).is_file()]:
        _write(built_source_path(root, slug), nbformat.writes(source_notebook(root, slug)))
        changed[slug] = _write(
            release_path(root, slug), nbformat.writes(release_notebook(root, slug))
        )
    return changed


def grade_id(cell: NotebookNode) -> str | None:
    """Return a cell's grade id, or None if nbgrader does not know the cell."""
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def is_solution(cell: NotebookNode) -> bool:
    """Tell whether a student writes in this cell."""
    return bool(cell.metadata.get("nbgrader", {}).get("solution"))


def is_test(cell: NotebookNode) -> bool:
    """Tell whether this cell is graded by running it."""
    own = cell.metadata.get("nbgrader", {})
    return cell.cell_type == "code" and bool(own.get("grade")) and not own.get("solution")


def _write(path: Path, text: str) -> bool:
    """Write text with one newline at its end, unless the file holds it already."""
    text = text.rstrip("\n") + "\n"
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return True
