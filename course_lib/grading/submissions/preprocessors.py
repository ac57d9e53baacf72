"""nbgrader's preprocessors of submissions, mended where they stop at what students hand in."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, ClassVar

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import CheckCellMetadata as NbGraderCheckCellMetadata
from nbgrader.preprocessors import ClearMarkScheme, NbGraderPreprocessor
from nbgrader.preprocessors import OverwriteCells as NbGraderOverwriteCells
from nbgrader.utils import compute_checksum

from course_lib.grading.submissions.files import no_files
from course_lib.grading.submissions.repair import NOTES, mend, metadata_of
from course_lib.paths import CourseError

__all__ = ["CheckCellMetadata", "OverwriteCells", "Repair"]


class Repair(NbGraderPreprocessor):
    """Restore the cells that grading needs, from the gradebook and the release."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What was read for one submission serves all that this object mends.
        self._known: dict[tuple[str, str, str], tuple[Any, list[NotebookNode]]] = {}

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Mend `nb` in place; raise `WrongNotebookError` when it is not this exercise."""
        info = resources["nbgrader"]
        self._refuse_links(info["assignment"], info["student"])
        place = (info["db_url"], info["assignment"], info["notebook"])
        if place not in self._known:
            with Gradebook(info["db_url"]) as gradebook:
                wanted = wanted_cells(gradebook, info["assignment"], info["notebook"])
            self._known[place] = (wanted, self._released(info["assignment"], info["notebook"]))
        wanted, released = self._known[place]
        notes: list[str] = []
        mend(nb, wanted, released, notes)
        for note in notes:
            self.log.warning("%s: %s", info["student"], note)
        nb.metadata.pop(NOTES, None)
        if notes:
            nb.metadata[NOTES] = notes
        return nb, resources

    def _refuse_links(self, assignment: str, student: str) -> None:
        """Refuse what could lead out of the submission; nbgrader's own commands follow it."""
        coursedir = getattr(getattr(self.parent, "parent", None), "coursedir", None)
        if coursedir is not None:
            directory = coursedir.submitted_directory
            folder = Path(coursedir.format_path(directory, student, assignment))
            problem = no_files(folder, Path(directory).name)
            if problem:
                raise CourseError(problem)

    def _released(self, assignment: str, notebook: str) -> list[NotebookNode]:
        """Return the cells of the release: their order, and the text that students were given."""
        converter = getattr(self.parent, "parent", None)
        coursedir = getattr(converter, "coursedir", None)
        if coursedir is None:
            return []
        folder = coursedir.format_path(coursedir.release_directory, ".", assignment)
        path = Path(folder) / f"{notebook}.ipynb"
        if not path.is_file():
            return []
        return list(nbformat.read(path, as_version=4).cells)


def wanted_cells(gradebook: Gradebook, assignment: str, notebook: str) -> dict[str, dict[str, Any]]:
    """Return what the gradebook knows of each cell of a notebook, by `grade_id`."""
    entry = gradebook.find_notebook(notebook, assignment)
    grades = {cell.name: cell.max_score for cell in entry.grade_cells}
    tasks = {cell.name: cell.max_score for cell in entry.task_cells}
    solutions = {cell.name for cell in entry.solution_cells}
    wanted = {}
    for cell in entry.source_cells:
        metadata = {
            "schema_version": 3,
            "grade_id": cell.name,
            "grade": cell.name in grades,
            "solution": cell.name in solutions,
            "locked": bool(cell.locked),
            "task": cell.name in tasks,
            "cell_type": cell.cell_type,
            "checksum": cell.checksum,
        }
        points = grades.get(cell.name, tasks.get(cell.name))
        if points is not None:
            metadata["points"] = points
        wanted[cell.name] = {"metadata": metadata, "source": cell.source}
    return wanted


class OverwriteCells(NbGraderOverwriteCells):
    """nbgrader's ``OverwriteCells``, which also knows an untouched written answer.

    The gradebook's checksum of a written answer is that of its source with the marking scheme,
    which no student ever saw, so that stock nbgrader takes an untouched one for an answer to be
    marked. Compared with what was released, it is seen to be empty and scores 0.
    """

    def preprocess_cell(
        self, cell: NotebookNode, resources: Any, cell_index: int
    ) -> tuple[NotebookNode, Any]:
        """Restore one cell from the gradebook."""
        cell, resources = super().preprocess_cell(cell, resources, cell_index)
        metadata = metadata_of(cell)
        if metadata.get("solution") and metadata.get("grade"):
            source = self.gradebook.find_source_cell(
                metadata["grade_id"], self.notebook_id, self.assignment_id
            )
            blank = NotebookNode(cell_type=cell.cell_type, source=source.source)
            blank.metadata = cell.metadata
            ClearMarkScheme(parent=self)._remove_mark_scheme_region(blank)
            metadata["checksum"] = compute_checksum(blank)
        return cell, resources


class CheckCellMetadata(NbGraderCheckCellMetadata):
    """nbgrader's ``CheckCellMetadata``, which does not check again what it found good.

    After repair, the metadata of a whole class is the same.
    """

    _good: ClassVar[set[bytes]] = set()

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Check that the metadata of `nb` are valid."""
        cells = [[cell.cell_type, cell.metadata.get("nbgrader")] for cell in nb.cells]
        known = hashlib.sha256(json.dumps(cells, sort_keys=True).encode()).digest()
        if known not in self._good:
            nb, resources = super().preprocess(nb, resources)
            self._good.add(known)
        return nb, resources
