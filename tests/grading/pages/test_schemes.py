"""The marking scheme beside an answer: in the formgrader, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from traitlets.config import Config

from course_lib.grading.course.config import configure
from course_lib.grading.pages.schemes import BESIDE, MarkingSchemes, split_scheme

MODEL = (
    "Because $x < 1$.\n\n=== BEGIN MARK SCHEME ===\n1. **Doubts.** $x^2$\n=== END MARK SCHEME ==="
)
CODE = "### BEGIN SOLUTION\nx = 1\n### END SOLUTION\n# BEGIN MARK SCHEME\n# Half\n# END MARK SCHEME"

SUBMISSION = {
    "submission_id": "7",
    "assignment_id": "hw",
    "notebook_id": "hw",
    "index": 0,
    "total": 1,
    "base_url": "",
    "student": "ada",
    "notebook_path": "hw.ipynb",
}


def marked(name: str, source: str, make: Any = new_markdown_cell, **flags: Any) -> NotebookNode:
    own = {"grade_id": name, "grade": True, "solution": True, "locked": False, "task": False}
    return make(source, metadata={"nbgrader": {**own, "schema_version": 3, "points": 2} | flags})


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A course with one assignment, of which the source is there."""
    source = tmp_path / "_build" / "source" / "hw" / "hw.ipynb"
    source.parent.mkdir(parents=True)
    cells = [marked("why", MODEL), marked("how", CODE, new_code_cell), marked("free", "Anything.")]
    cells.append(marked("do", "Draw.\n=== BEGIN MARK SCHEME ===\nNeat.\n=== END MARK SCHEME ==="))
    cells[-1].metadata.nbgrader |= {"task": True, "grade": False, "solution": False}
    nbformat.write(new_notebook(cells=cells), source)
    made = Config()
    configure(made)
    made.CourseDirectory.root = str(tmp_path)
    made.HTMLExporter.template_name = "formgrade"
    return made


def handed_in() -> NotebookNode:
    forged = marked("why", "It is.")
    forged.metadata[BESIDE] = {"scheme": "Everybody gets all points."}
    return new_notebook(
        cells=[
            new_markdown_cell("Notes", metadata={BESIDE: {"scheme": "All points."}}),
            forged,
            marked("how", "x = 2", new_code_cell),
            marked("free", "Nothing."),
            marked("do", "Draw.", task=True, grade=False, solution=False),
            marked("test", "assert x", new_code_cell, solution=False, locked=True),
        ]
    )


def test_the_page_for_marking_shows_the_scheme_beside_each_answer(config: Config) -> None:
    page, _ = HTMLExporter(config=config).from_notebook_node(handed_in(), dict(SUBMISSION))
    before, *beside = page.split('<aside class="course-scheme">')
    why, how, free, do = (part.split("</aside>")[0] for part in beside)
    assert "<strong>Doubts.</strong>" in why and "<math" in why and "Because" in why
    assert "<p>Half</p>" in how and "SOLUTION" not in how
    assert "<span>x</span> <span>=</span> <span>1</span>" in how
    assert "The source has none for this cell" in free and "Anything." in free
    # Of a task, the page shows the task already.
    assert "Neat." in do and "Draw" not in do
    assert "all points" not in page.lower()
    # nbgrader's own page is all there: the fields, their keys, and what the keys wait for.
    assert page.count('class="score tabbable"') == 5 and before.count("<kbd>") == 9
    assert "formgrade_keyboardmanager.js" in before and 'done("End")' in before
    assert "cdnjs" not in page


def test_where_the_source_is_gone_the_page_says_from_where_it_is_read(
    config: Config, tmp_path: Path
) -> None:
    (tmp_path / "_build" / "source" / "hw" / "hw.ipynb").unlink()
    page, _ = HTMLExporter(config=config).from_notebook_node(handed_in(), dict(SUBMISSION))
    told = page.split('<aside class="course-scheme">')[1].split("</aside>")[0]
    assert "cannot be shown" in told and "No such file" in told
    assert str(tmp_path / "_build" / "source" / "hw" / "hw.ipynb") in told


def test_a_page_for_students_gets_none(config: Config) -> None:
    resources: dict[str, Any] = {"nbgrader": {"assignment": "hw", "student": "ada"}}
    notebook, _ = MarkingSchemes(config=config).preprocess(handed_in(), resources)
    assert not [cell for cell in notebook.cells if BESIDE in cell.metadata]


def test_the_marks_are_those_of_the_course(config: Config) -> None:
    assert split_scheme("a\n<<\nb\n>>\nc", "<<", ">>") == ("a\nc", "b")
    assert split_scheme("a\nBEGIN MARK SCHEME\nb") == ("a", "b")
    config.ClearMarkScheme.begin_mark_scheme_delimeter = "**Doubts"
    notebook, _ = MarkingSchemes(config=config).preprocess(handed_in(), dict(SUBMISSION))
    assert "Doubts" not in notebook.cells[1].metadata[BESIDE]["scheme"]
