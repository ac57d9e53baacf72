"""The marking scheme beside the answer that a person marks, in nbgrader's formgrader.

The scheme stands in the teacher's source, and nowhere in what students hand in: it is read there
whenever the formgrader shows a submission.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from nbgrader.coursedir import CourseDirectory
from traitlets import Bool

from course_lib.grading.submissions.repair import metadata_of

__all__ = ["MarkingSchemes", "split_scheme"]

#: Where the template finds what to show beside a cell.
BESIDE = "course_scheme"

#: nbgrader's own marks around a scheme.
BEGIN, END = "BEGIN MARK SCHEME", "END MARK SCHEME"


class MarkingSchemes(Preprocessor):
    """Put beside each cell that a person marks what it is marked by."""

    enabled = Bool(True).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Add the schemes to the metadata of `nb`, which is only shown; feedback gets none."""
        for cell in nb.cells:
            # A submission says nothing here.
            cell.metadata.pop(BESIDE, None)
        if "submission_id" not in resources or "assignment_id" not in resources:
            return nb, resources
        marked = [cell for cell in nb.cells if _is_marked(cell)]
        if not marked:
            return nb, resources
        course = CourseDirectory(config=self.config)
        folder = course.format_path(course.source_directory, ".", resources["assignment_id"])
        path = Path(folder, f"{resources['notebook_id']}.ipynb")
        try:
            source = nbformat.read(path, as_version=4)
        except (OSError, ValueError) as error:
            fault = f"It would be read from {path}: {getattr(error, 'strerror', None) or error}."
            for cell in marked:
                cell.metadata[BESIDE] = {"fault": fault}
            return nb, resources
        marks = self.config.get("ClearMarkScheme", {})
        begin = marks.get("begin_mark_scheme_delimeter", BEGIN)
        end = marks.get("end_mark_scheme_delimeter", END)
        teachers = {metadata_of(cell).get("grade_id"): cell.source for cell in source.cells}
        for cell in marked:
            text = teachers.get(metadata_of(cell)["grade_id"], "")
            model, scheme = split_scheme(text, begin, end)
            if cell.cell_type == "code":
                model = f"```python\n{model}\n```" if model else ""
                # Among code, a scheme is written as remarks.
                scheme = re.sub(r"^[ \t]*# ?", "", scheme, flags=re.MULTILINE)
            # Of a task, what is not the scheme is the task, which the page shows.
            model = "" if metadata_of(cell).get("task") else model
            cell.metadata[BESIDE] = {"scheme": scheme, "model": model}
        return nb, resources


def _is_marked(cell: NotebookNode) -> bool:
    """Tell whether a person gives the points of a cell."""
    own = metadata_of(cell)
    return bool(own.get("grade_id")) and bool(
        (own.get("grade") and own.get("solution")) or own.get("task")
    )


def split_scheme(text: str, begin: str = BEGIN, end: str = END) -> tuple[str, str]:
    """Return the model answer and the marking scheme that a teacher's cell holds.

    Parameters
    ----------
    text : str
        The cell of the source.
    begin, end : str
        What marks the first and the last line of a scheme, which are no part of it; as nbgrader
        does, any line that holds them.

    Returns
    -------
    str, str
        Without the lines that mark a solution. Either may be empty.
    """
    model: list[str] = []
    scheme: list[str] = []
    inside = False
    for line in text.splitlines():
        if begin in line:
            inside = True
        elif end in line:
            inside = False
        elif inside:
            scheme.append(line)
        elif "### BEGIN SOLUTION" not in line and "### END SOLUTION" not in line:
            model.append(line)
    return "\n".join(model).strip(), "\n".join(scheme).strip()
