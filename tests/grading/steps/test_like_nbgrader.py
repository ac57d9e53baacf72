"""Late penalties, extra credit, several notebooks and data files: as stock nbgrader counts them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
import small_course as small
from nbformat.v4 import new_notebook
from small_course import contents

from course_lib import grading
from course_lib.grading.course.folder import Course

pytestmark = pytest.mark.slow

SLUG = "two"
LATE = """\
from nbgrader.plugins import BasePlugin


class PerHour(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return 0.5 * round(total_seconds_late / 3600)
"""
SETTINGS = """\
c = get_config()
c.Execute.timeout = 120
c.Execute.startup_timeout = 600
c.Execute.iopub_timeout = 60
c.AssignLatePenalties.plugin_class = "late.PerHour"
"""

# The second notebook reads a file beside it; its last test is worth nothing, its first a bonus.
FIRST = [
    ("total", "def total(numbers):\n    ### BEGIN SOLUTION\n    return sum(numbers)\n"
     "    ### END SOLUTION", {"solution": True}),
    ("test-total", "assert total([1, 2]) == 3", {"grade": True, "locked": True, "points": 3}),
    ("bonus", "assert total(range(4)) == 6", {"grade": True, "locked": True, "points": 0}),
]  # fmt: skip
SECOND = [
    ("rows", "def rows():\n    ### BEGIN SOLUTION\n    return open('data/rows.csv').readlines()\n"
     "    ### END SOLUTION", {"solution": True}),
    ("test-rows", "points = 0\nif len(rows()) == 3:\n    points += 1\n"
     "if rows()[0] == 'a,b\\n':\n    points += 1\npoints",
     {"grade": True, "locked": True, "points": 2}),
]  # fmt: skip
ROWS = "def rows():\n    return open('data/rows.csv').readlines()"

# What each hands in: when, and the answers of each notebook (None: not handed in).
HANDED_IN: dict[str, tuple[str, dict[str, str] | None, dict[str, str] | None]] = {
    "punctual": ("2026-01-01 09:00:00 UTC", {"total": small.TOTAL}, {"rows": ROWS}),
    "late": ("2026-01-01 13:00:00 UTC", {"total": small.TOTAL}, {"rows": "rows = lambda: 'abc'"}),
    "very-late": ("2026-01-02 09:00:00 UTC", {"total": small.TOTAL}, None),
}  # fmt: skip


def a_course(folder: Path) -> Path:
    """Return a course with two notebooks an assignment, a due date, and three submissions."""
    source = folder / "source" / SLUG
    (source / "data").mkdir(parents=True)
    (source / "data" / "rows.csv").write_text("a,b\n1,2\n3,4\n")
    for name, cells in (("first", FIRST), ("second", SECOND)):
        made = [small.cell("code", grade_id, text, **flags) for grade_id, text, flags in cells]
        notebook = new_notebook(cells=made, metadata={"kernelspec": small.KERNELSPEC})
        nbformat.write(notebook, source / f"{name}.ipynb")
    (folder / "nbgrader_config.py").write_text(SETTINGS)
    (folder / "late.py").write_text(LATE)
    grading.release([SLUG], folder)
    with Course(folder).gradebook() as gradebook:
        gradebook.update_or_create_assignment(SLUG, duedate="2026-01-01 10:00:00 UTC")
    for student, (when, *answers) in HANDED_IN.items():
        place = folder / "submitted" / student / SLUG
        (place / "data").mkdir(parents=True)
        # A student's own copy of a data file is not what counts.
        (place / "data" / "rows.csv").write_text("mine\n")
        (place / "timestamp.txt").write_text(when)
        for name, texts in zip(("first", "second"), answers, strict=True):
            if texts is None:
                continue
            notebook = nbformat.read(folder / "release" / SLUG / f"{name}.ipynb", as_version=4)
            for cell, text in texts.items():
                small.named(notebook, cell).source = text
            nbformat.write(notebook, place / f"{name}.ipynb")
    return folder


def give(folder: Path) -> None:
    """Let a person add extra credit and a bonus, before anything is graded."""
    with Course(folder).gradebook() as gradebook:
        for student in ("late", "punctual"):
            gradebook.add_student(student)
            gradebook.add_submission(SLUG, student)
        gradebook.find_grade("test-total", "first", SLUG, "late").extra_credit = 1.5
        gradebook.find_grade("bonus", "first", SLUG, "punctual").manual_score = 2.0
        gradebook.db.commit()


def test_the_gradebook_is_that_of_stock_nbgrader(
    tmp_path: Path, over_files: Callable[[Path], None]
) -> None:
    ours, theirs = a_course(tmp_path / "ours"), a_course(tmp_path / "theirs")
    for folder in (ours, theirs):
        give(folder)
    report = grading.grade(SLUG, ours, workers=2)
    over_files(theirs)
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "autograde", SLUG],
        cwd=theirs,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    found = contents(ours, SLUG)
    assert found == contents(theirs, SLUG)
    assert found["late/first/test-total"][:3] == (3.0, None, 1.5)
    assert found["punctual/first/bonus"][:3] == (0.0, 2.0, None)
    # A penalty is counted by notebook, from points with the extra credit, and never exceeds them.
    scores = {row.student: (row.score, row.penalty, row.max_score) for row in report.students}
    assert scores == {"punctual": (7, 0, 5), "late": (3, 2.5, 5), "very-late": (0, 3, 5)}
    assert report["very-late"].notes == ["second.ipynb was not handed in and scores 0."]


def test_a_plugin_that_is_not_there_is_explained(tmp_path: Path) -> None:
    folder = a_course(tmp_path / "course")
    with (folder / "nbgrader_config.py").open("a") as file:
        file.write('c.AssignLatePenalties.plugin_class = "nowhere.Plugin"\n')
    with pytest.raises(grading.GradingError, match=r"configuration .* 'nowhere.Plugin' could not"):
        grading.grade(SLUG, folder)
