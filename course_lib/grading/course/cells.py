"""Adding cells to an assignment that has been handed in."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader.api import (
    Comment,
    Grade,
    GradeCell,
    MissingEntry,
    Notebook,
    SolutionCell,
    SourceCell,
    TaskCell,
)
from nbgrader.preprocessors import SaveCells as NbGraderSaveCells

__all__ = ["CellsChangedError", "SaveCells"]

# How the log tells of cells that were added.
ADDED = "Added to what was handed in:"


class CellsChangedError(RuntimeError):
    """Cells that submissions have points or answers in are gone, or have become others."""


class SaveCells(NbGraderSaveCells):
    """nbgrader's ``SaveCells``, which also adds cells to a notebook that has submissions.

    nbgrader refuses to, since the submissions have no place for points of such a cell. Here they
    are given one, empty, in the transaction that adds the cell; grading fills it in. What would
    take points, answers or comments away is refused as ever.
    """

    def _create_notebook(self, nb: NotebookNode) -> None:
        try:
            notebook = self.gradebook.find_notebook(self.notebook_id, self.assignment_id)
        except MissingEntry:
            notebook = None
        if notebook is not None and notebook.submissions:
            self._refuse_losses(notebook)
            self._add(notebook)
        super()._create_notebook(nb)

    def _roles(self) -> dict[str, tuple[type, dict[str, dict[str, Any]]]]:
        return {
            "test": (GradeCell, self.new_grade_cells),
            "answer": (SolutionCell, self.new_solution_cells),
            "task": (TaskCell, self.new_task_cells),
        }

    def _refuse_losses(self, notebook: Notebook) -> None:
        new = self.new_source_cells
        gone = sorted({cell.name for cell in notebook.source_cells} - set(new))
        if gone:
            raise CellsChangedError(
                f"The cells {', '.join(gone)} are gone from {notebook.name}, and submissions have "
                "points or answers in them"
            )
        known = {cell.name for cell in notebook.source_cells}
        for kind, cells in self._roles().values():
            before = {cell.name for cell in notebook._base_cells if isinstance(cell, kind)}
            changed = sorted((before ^ set(cells)) & known)
            if changed:
                raise CellsChangedError(
                    f"The cells {', '.join(changed)} of {notebook.name} are no longer tests, "
                    "answers or tasks as they were when they were handed in"
                )

    def _add(self, notebook: Notebook) -> None:
        """Add new cells, and a place for their points and comments to each submission."""
        known = {cell.name for cell in notebook.source_cells}
        added = [name for name in self.new_source_cells if name not in known]
        if not added:
            return
        database = self.gradebook.db
        for name in added:
            database.add(SourceCell(name=name, notebook=notebook, **self.new_source_cells[name]))
            for kind, cells in self._roles().values():
                if name in cells:
                    cell = kind(name=name, notebook=notebook, **cells[name])
                    database.add(cell)
                    database.flush()  # which gives it its id
                    self._make_room(notebook, cell)
        database.commit()
        self.log.warning("%s %s", ADDED, ", ".join(added))

    def _make_room(self, notebook: Notebook, cell: GradeCell | SolutionCell | TaskCell) -> None:
        for submission in notebook.submissions:
            if not isinstance(cell, SolutionCell):
                self.gradebook.db.add(Grade(cell_id=cell.id, notebook=submission))
            if not isinstance(cell, GradeCell):
                self.gradebook.db.add(Comment(cell_id=cell.id, notebook=submission))
