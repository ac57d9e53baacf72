"""Opening what was handed in: in which encoding it is, and how much of it is looked at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_lib.grading.course.text import decoded
from course_lib.grading.engine import limits
from course_lib.grading.submissions import opening, repair, tidying
from course_lib.grading.submissions.opening import NoNotebookError, open_notebook

NOTEBOOK = new_notebook(cells=[new_markdown_cell("naïve"), new_code_cell("x = '€'", id="one")])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_each_of_unicodes_encodings_is_read(encoding: str) -> None:
    opened = open_notebook(nbformat.writes(NOTEBOOK).encode(encoding))
    assert [cell.source for cell in opened.cells] == ["naïve", "x = '€'"]
    assert decoded("12:00 €".encode(encoding)) == "12:00 €"


def test_outputs_are_dropped_before_anything_is_validated(monkeypatch: pytest.MonkeyPatch) -> None:
    data = json.loads(nbformat.writes(NOTEBOOK))
    data["cells"][1]["outputs"] = [{"output_type": "nonsense", "data": [[0]] * 10}] * 50_000
    content = json.dumps(data).encode()
    monkeypatch.setattr(nbformat, "validate", None)
    monkeypatch.setattr(nbformat.validator, "iter_validate", None)
    assert open_notebook(content).cells[1].outputs == []


def test_the_validator_is_asked_once_however_many_faults_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []
    validate = repair.iter_validate
    monkeypatch.setattr(
        repair, "iter_validate", lambda *given, **kw: asked.append(1) or validate(*given, **kw)
    )
    notebook = new_notebook()
    strange: list[dict[str, Any]] = [
        {"cell_type": "code", "metadata": {"tags": ["a", "a"]}, "execution_count": "x"},
        {"cell_type": "code", "metadata": {"collapsed": 3, "scrolled": [], "execution": {"a": 1}}},
        {"cell_type": "heading", "metadata": [], "source": 7},
        {"cell_type": "raw", "metadata": {"format": 1, "name": "", "jupyter": 1}, "source": ""},
        {"cell_type": "markdown", "metadata": {}, "attachments": {"a.png": {"image/png": 3}}},
        {"cell_type": "code", "source": "", "metadata": {"tags": "no"}, "execution_count": -1},
    ]
    notebook.cells = [nbformat.from_dict({"id": f"c{n}"} | strange[n % 6]) for n in range(60)]
    notes: list[str] = []
    repair._straighten(notebook, notes)
    assert len(asked) == 1
    assert notes == ["It held entries that no notebook may hold; taken out."]
    nbformat.validate(notebook)
    whole = [cell for cell in nbformat.from_dict(NOTEBOOK).cells if not tidying.tidy_cell(cell)]
    assert whole == NOTEBOOK.cells


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda nb: nb.cells.extend(new_code_cell("") for _ in range(20)),
            "holds 22 cells, and no more than",
        ),
        (lambda nb: nb.cells[1].update(source="#" * 1_001), "holds 1,001 characters of code"),
        (lambda nb: nb.cells[1].update(source=["#\n"] * 501), "holds 1,002 characters of code"),
        (lambda nb: nb.metadata.update(x=[[]] * 200), "more than 100 entries besides its outputs"),
        (lambda nb: nb.cells[0].metadata.update(x={str(n): n for n in range(99)}), "more than 100"),
    ],
)
def test_what_nobody_writes_is_not_looked_at(
    change: Any, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "MOST_CELLS", 20)
    monkeypatch.setattr(opening, "MOST_NODES", 100)
    monkeypatch.setattr(opening, "MOST_CODE", 1_000)
    notebook = nbformat.from_dict(NOTEBOOK)
    open_notebook(nbformat.writes(notebook).encode())
    change(notebook)
    with pytest.raises(NoNotebookError, match=said):
        open_notebook(nbformat.writes(notebook).encode())


def test_honest_work_stays_far_below_the_bounds(
    monkeypatch: pytest.MonkeyPatch, root: Path
) -> None:
    monkeypatch.setattr(opening, "MOST_CELLS", limits.MOST_CELLS // 20)
    monkeypatch.setattr(opening, "MOST_NODES", limits.MOST_NODES // 20)
    monkeypatch.setattr(opening, "MOST_CODE", limits.MOST_CODE // 20)
    exercises = sorted((root / "exercises").glob("*/*.ipynb"))
    assert exercises
    for path in exercises:
        assert open_notebook(path.read_bytes()).cells
