"""An nbgrader course of somebody else's: one assignment, nothing in it from this book.

It has what graders trip over: hidden tests, partial credit, a written answer, a cell that prints.
Its folders are nbgrader's defaults.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.utils import determine_grade

from course_lib import grading

SLUG = "sums"

KERNELSPEC = {"name": "python3", "display_name": "Python 3", "language": "python"}


def cell(kind: str, name: str, source: str, **flags: Any) -> NotebookNode:
    """Return a cell with nbgrader's metadata."""
    metadata = {"grade": False, "solution": False, "locked": False, "task": False}
    metadata |= {"schema_version": 3, "grade_id": name} | flags
    make = new_code_cell if kind == "code" else new_markdown_cell
    made = make(source, metadata={"nbgrader": metadata})
    made.id = name
    return made


SOURCE = [
    ("markdown", "sums", "# Sums", {"locked": True}),
    (
        "code",
        "total",
        "def total(numbers):\n    ### BEGIN SOLUTION\n"
        "    return sum(numbers)\n    ### END SOLUTION",
        {"solution": True},
    ),
    (
        "code",
        "test-total",
        "assert total([1, 2, 3]) == 6, 'total([1, 2, 3]) should be 6'\n"
        "### BEGIN HIDDEN TESTS\n"
        "assert total([]) == 0, 'An empty list has the sum 0.'\n"
        "assert total([-17, 4242]) == 4225, 'Numbers may be negative.'\n"
        "### END HIDDEN TESTS",
        {"grade": True, "locked": True, "points": 3},
    ),
    (
        "code",
        "mean",
        "def mean(numbers):\n    ### BEGIN SOLUTION\n"
        "    return sum(numbers) / len(numbers)\n    ### END SOLUTION",
        {"solution": True},
    ),
    (
        "code",
        "test-mean",
        "assert mean([1, 3]) == 2",
        {"grade": True, "locked": True, "points": 2},
    ),
    (
        "code",
        "test-mean-parts",
        "points = 0\nif mean([2]) == 2:\n    points += 1\nif mean([1, 2]) == 1.5:\n"
        "    points += 1\npoints",
        {"grade": True, "locked": True, "points": 2},
    ),
    (
        "markdown",
        "why",
        "=== BEGIN MARK SCHEME ===\nOne point for the word overflow.\n=== END MARK SCHEME ===",
        {"grade": True, "solution": True, "points": 2},
    ),
]

TOTAL = "def total(numbers):\n    return sum(numbers)"
MEAN = "def mean(numbers):\n    return sum(numbers) / len(numbers)"


def build(folder: Path, seconds: int = 60) -> None:
    """Write the course's source notebook, and a configuration with the seconds of a cell."""
    notebook = new_notebook(metadata={"kernelspec": KERNELSPEC})
    notebook.cells = [cell(kind, name, text, **flags) for kind, name, text, flags in SOURCE]
    path = folder / "source" / SLUG / f"{SLUG}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)
    (folder / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.Execute.timeout = {seconds}\nc.Execute.iopub_timeout = 30\n"
    )


def released(folder: Path) -> NotebookNode:
    """Return the release."""
    return nbformat.read(folder / "release" / SLUG / f"{SLUG}.ipynb", as_version=4)


def named(notebook: NotebookNode, name: str) -> NotebookNode:
    """Return a cell by its grade id."""
    (found,) = [c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == name]
    return found


def answered(folder: Path, **answers: str) -> NotebookNode:
    """Return the release with the text of some cells replaced (``_`` for ``-`` in names)."""
    notebook = released(folder)
    for name, text in answers.items():
        named(notebook, name.replace("_", "-")).source = text
    return notebook


def hand_in(folder: Path, student: str, notebook: NotebookNode | str | bytes) -> Path:
    """Put a notebook (or any bytes in its place) where a student's submission goes."""
    path = folder / "submitted" / student / SLUG / f"{SLUG}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(notebook, bytes):
        path.write_bytes(notebook)
    elif isinstance(notebook, str):
        path.write_text(notebook, encoding="utf-8")
    else:
        # Not nbformat.write, which would mend or refuse what students do hand in.
        path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


# A class, and what its gradebook must say

# Answers as a class gives them: right, wrong, partly right, not given.
ANSWERS = {
    "ann": {"total": TOTAL, "mean": MEAN, "why": "Because of the overflow."},
    "bob": {"total": TOTAL, "mean": "def mean(numbers):\n    return numbers[0]"},
    "cem": {},
    "dan": {"total": "def total(numbers):\n    return 6", "mean": MEAN},
    "eve": {"total": TOTAL, "mean": "def mean(numbers):\n    print('hm')\n    return 1 / 0"},
    "fay": {"total": "def total(numbers:", "mean": MEAN},
}
POINTS = {
    "ann": [3, 2, 2, 0],
    "bob": [3, 0, 1, 0],
    "cem": [0, 0, 0, 0],
    "dan": [0, 2, 2, 0],
    "eve": [3, 0, 0, 0],
    "fay": [0, 2, 2, 0],
}


def a_course(folder: Path, students: dict[str, dict[str, str]], settings: str = "") -> Path:
    """Return the small course with submissions to it, released and not graded."""
    folder.mkdir()
    build(folder)
    with (folder / "nbgrader_config.py").open("a") as file:
        file.write(settings)
    grading.release([SLUG], folder)
    for student, answers in students.items():
        hand_in(folder, student, answered(folder, **answers))
    return folder


def contents(folder: Path, slug: str = SLUG) -> dict[str, Any]:
    """Return all that a gradebook says of an assignment."""
    found: dict[str, Any] = {}
    with grading.Course(folder).gradebook() as gradebook:
        for submission in gradebook.assignment_submissions(slug):
            for notebook in submission.notebooks:
                place = f"{submission.student.id}/{notebook.name}"
                found[place] = (notebook.score, notebook.max_score, notebook.written_score)
                found[f"{place} late"] = notebook.late_submission_penalty
                for grade in notebook.grades:
                    found[f"{place}/{grade.name}"] = (
                        grade.auto_score,
                        grade.manual_score,
                        grade.extra_credit,
                        bool(grade.needs_manual_grade),
                        grade.max_score,
                    )
                for comment in notebook.comments:
                    found[f"{place}/{comment.name} comment"] = comment.comment
    return found


def agrees_with_notebooks(folder: Path, slug: str = SLUG) -> bool:
    """Tell whether each graded notebook, counted as nbgrader counts, gives the gradebook's points.

    Whoever has no graded notebook has no points, or all of an earlier time.
    """
    log = logging.getLogger("counting")
    with grading.Course(folder).gradebook() as gradebook:
        for path in sorted((folder / "autograded").glob(f"*/{slug}/*.ipynb")):
            student = path.parts[-3]
            for part in nbformat.read(path, as_version=4).cells:
                if part.metadata.get("nbgrader", {}).get("grade"):
                    name = part.metadata.nbgrader.grade_id
                    entry = gradebook.find_grade(name, path.stem, slug, student)
                    if entry.auto_score != determine_grade(part, log)[0]:
                        return False
    return True
