"""Grading again after a test was mended or added; what grading tells beside points."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
import small_course as small
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output

from course_lib import grading
from course_lib.grading import GradingError, Report
from course_lib.grading.course.folder import Course
from course_lib.grading.course.text import printable
from course_lib.grading.engine.limits import LOG_CHARACTERS
from course_lib.grading.reports.findings import findings
from course_lib.grading.reports.logs import bounded, log_path
from course_lib.grading.reports.report import GRADED, NEEDS_A_PERSON

pytestmark = pytest.mark.slow

FIRST = "def mean(numbers):\n    return numbers[0]"
ANSWERS = {
    "ann": {"total": small.TOTAL, "mean": small.MEAN, "why": "Because of the overflow."},
    "bob": {"total": small.TOTAL, "mean": FIRST, "why": "It overflows."},
    "cem": {"total": "def total(numbers):\n    return 6"},
}


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graded class: a person has marked answers, and changed what a test gave."""
    folder = tmp_path_factory.mktemp("regrade") / "course"
    folder.mkdir()
    small.build(folder)
    grading.release([small.SLUG], folder)
    for student, answers in ANSWERS.items():
        small.hand_in(folder, student, small.answered(folder, **answers))
    report = grading.grade(small.SLUG, folder)
    assert report.changes == []
    grading.mark(small.SLUG, "ann", "why", 1.5, folder, comment="Which sum?")
    grading.mark(small.SLUG, "bob", "why", 2, folder, comment="Yes.")
    grading.mark(small.SLUG, "bob", "test-mean", 0.5, folder)
    with Course(folder).gradebook() as gradebook:
        gradebook.find_grade("test-total", small.SLUG, small.SLUG, "ann").extra_credit = 1.0
        gradebook.db.commit()
    return folder


@pytest.fixture
def course(marked: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "course"
    shutil.copytree(marked, folder)
    return folder


def rewritten(folder: Path, change: Callable[[NotebookNode], Any]) -> list[str]:
    """Change the source, release it, and return what that told."""
    path = folder / "source" / small.SLUG / f"{small.SLUG}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    nbformat.write(notebook, path)
    told: list[str] = []
    grading.release([small.SLUG], folder, tell=told.append)
    return told


def mend(notebook: NotebookNode) -> None:
    """Let the first number do as a mean."""
    small.named(notebook, "test-mean").source = "assert mean([1, 3]) in (1, 2)"


def changes(report: Report) -> dict[str, list[tuple[Any, ...]]]:
    return {
        change.student: [(c.name, c.before, c.after, c.kept) for c in change.cells]
        for change in report.changes
    }


def comments(folder: Path, student: str) -> dict[str, str]:
    with Course(folder).gradebook() as gradebook:
        notebook = gradebook.find_submission_notebook(small.SLUG, small.SLUG, student)
        return {comment.name: comment.manual_comment for comment in notebook.comments}


def test_a_mended_test_tells_whose_points_change(course: Path) -> None:
    assert rewritten(course, mend) == []
    report = grading.grade(small.SLUG, course, force=True)
    # A person had given half a point for what the test now gives: that stands, and waits for them.
    assert changes(report) == {"bob": [("test-mean", 0.0, 2.0, 0.5)]}
    (change,) = report.changes
    assert change.before == change.after == 6.5
    assert report["bob"].status == NEEDS_A_PERSON
    assert "test-mean" in report["bob"].reason
    assert "why" not in report["bob"].reason
    # Elsewhere nothing changed that a mark was given for.
    assert report["ann"].status == GRADED
    assert report["ann"].score == 9.5
    assert comments(course, "ann")["why"] == "Which sum?"
    assert comments(course, "bob")["why"] == "Yes."
    again = Report.from_dict(json.loads(json.dumps(report.to_dict())))
    assert again == report


def test_a_test_that_nobody_overruled_changes_the_sum(course: Path) -> None:
    def loosen(notebook: NotebookNode) -> None:
        small.named(notebook, "test-total").source = "assert total([1, 2, 3]) == 6"

    rewritten(course, loosen)
    report = grading.grade(small.SLUG, course, force=True)
    assert changes(report) == {"cem": [("test-total", 0.0, 3.0, None)]}
    assert [(c.before, c.after) for c in report.changes] == [(0.0, 3.0)]
    # That the students' tests are those of the release they were given is no reproach.
    assert [row.suspicious for row in report.students] == [[], [], []]
    said = ["The cell test-total is that of an earlier release; graded as it is now."]
    assert [row.notes for row in report.students] == [said] * 3


def test_an_answer_that_changed_waits_for_another_look(course: Path) -> None:
    answers = ANSWERS["ann"] | {"why": "Because of the carry."}
    small.hand_in(course, "ann", small.answered(course, **answers))
    report = grading.grade(small.SLUG, course, students="ann", force=True)
    assert report["ann"].status == NEEDS_A_PERSON
    assert report["ann"].points()["why"] == 1.5


NEW_TEST = small.cell(
    "code", "test-new", "assert mean([4]) == 4", grade=True, locked=True, points=1
)
NEW_QUESTION = small.cell(
    "markdown", "why-not", "Why not?", grade=True, solution=True, locked=False, points=2
)
NEW_STEP = small.cell("code", "extra", "def extra():\n    pass", solution=True)
NEW_TASK = small.cell("markdown", "a-task", "Draw it.", task=True, locked=True, points=1)


def add(notebook: NotebookNode) -> None:
    notebook.cells.insert(6, NEW_TEST)
    notebook.cells += [NEW_QUESTION, NEW_STEP, NEW_TASK]


def test_cells_may_be_added_to_what_was_handed_in(course: Path) -> None:
    (told,) = rewritten(course, add)
    assert told == (
        "New cells of sums, which has been handed in: test-new, why-not, extra, a-task. "
        "`course grade sums --force` grades them, too."
    )
    with Course(course).gradebook() as gradebook:
        assert gradebook.find_assignment(small.SLUG).max_score == 13
        assert gradebook.find_grade("test-total", small.SLUG, small.SLUG, "ann").auto_score == 3
    # A new test has no points yet, so that what was graded is not done.
    report = grading.grade(small.SLUG, course)
    assert changes(report) == {
        "ann": [("test-new", None, 1.0, None), ("why-not", None, 0.0, None)],
        "bob": [("test-new", None, 1.0, None), ("why-not", None, 0.0, None)],
        "cem": [("test-new", None, 0.0, None), ("why-not", None, 0.0, None)],
    }
    row = report["ann"]
    assert row.score == 10.5
    assert row.max_score == 13
    assert row.points()["why"] == 1.5
    assert comments(course, "ann")["why"] == "Which sum?"
    assert set(comments(course, "ann")) == {"total", "mean", "why", "why-not", "extra", "a-task"}
    # Who hands in from now on has the cells, and is graded like everybody.
    small.hand_in(course, "dan", small.answered(course, total=small.TOTAL, mean=small.MEAN))
    assert grading.grade(small.SLUG, course)["dan"].points()["test-new"] == 1
    (page,) = grading.feedback(small.SLUG, course, students="ann")["ann"]
    assert "test-new" in page.read_text(encoding="utf-8")
    # Nothing is added twice.
    assert rewritten(course, lambda notebook: None) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda nb: nb.cells.pop(2), "cells test-total are gone from sums.*put back"),
        (
            lambda nb: small.named(nb, "total").metadata.nbgrader.update(grade=True, points=1),
            "cells total of sums are no longer tests, answers or tasks",
        ),
    ],
)
def test_what_would_lose_points_is_refused(
    course: Path, change: Callable[[NotebookNode], Any], words: str
) -> None:
    before = grading.read_report(small.SLUG, course).to_dict()
    release = small.released(course)
    with pytest.raises(GradingError, match=words):
        rewritten(course, change)
    assert grading.read_report(small.SLUG, course).to_dict() == before
    # nbgrader deletes a release that it does not replace, and grading mends from it.
    assert small.released(course) == release


def test_a_notebook_cannot_be_added_once_there_are_submissions(course: Path) -> None:
    folder = course / "source" / small.SLUG
    shutil.copy(folder / "sums.ipynb", folder / "more.ipynb")
    with pytest.raises(GradingError, match="has more or fewer notebooks than before"):
        grading.release([small.SLUG], course)


# Logs


def test_each_submission_has_a_log_that_no_student_gets(course: Path) -> None:
    small.hand_in(course, "eve", "cut off")
    loud = "print('\\x1b[2J\\x07' * 3)\nraise ValueError('\\x1b]0;owned\\x07 \\u202e' + 'x' * 9000)"
    small.hand_in(course, "fay", small.answered(course, total=loud))
    grading.grade(small.SLUG, course, force=True)
    logs = {
        name: log_path(Course(course), small.SLUG, name).read_text(encoding="utf-8")
        for name in (*ANSWERS, "eve", "fay")
    }
    assert "0 of 3  test-total" in logs["cem"]
    assert "sums.ipynb: " in logs["cem"]
    assert "cell   2" in logs["cem"]
    assert "is not a notebook" in logs["eve"]
    assert "ValueError: \\x1b]0;owned\\x07 \\u202e" in logs["fay"]
    for text in logs.values():
        assert text == printable(text)
        assert max(map(len, text.splitlines())) < 600
    assert not list((course / "autograded").rglob("*.log"))
    grading.feedback(small.SLUG, course)
    assert not list((course / "feedback").rglob("*.log"))


def test_a_log_is_bounded() -> None:
    text = bounded(["begin", *("x" * 1000 for _ in range(10_000)), "end"])
    assert len(text) < LOG_CHARACTERS + 100
    assert text.startswith("begin\n")
    assert text.endswith("end\n")
    assert "characters left out" in text
    assert "[3,000 lines left out]" in bounded([str(number) for number in range(5_000)])


def test_a_log_that_cannot_be_written_costs_no_points(course: Path) -> None:
    (course / "logs" / "ann").rename(course / "logs" / "elsewhere")
    (course / "logs" / "ann").write_text("in the way")
    row = grading.grade(small.SLUG, course, students="ann", force=True)["ann"]
    assert row.score == 9.5
    assert any("log could not be written" in note for note in row.notes)


# Worth a look


def failed(name: str, kind: str, message: str, **flags: bool) -> NotebookNode:
    cell = new_code_cell("x") if not name else small.cell("code", name, "x", **flags)
    cell.outputs = [new_output("error", ename=kind, evalue=message, traceback=[])]
    return cell


def test_what_is_worth_a_look_is_said_plainly() -> None:
    test = dict(grade=True, locked=True)
    notebook = new_notebook(
        cells=[
            failed("a", "KernelDied", "This cell ended ..."),
            failed("b", "PermissionError", "[Errno 1] Operation not permitted: '/etc'"),
            failed(
                "", "URLError", "<urlopen error [Errno -3] Temporary failure in name resolution>"
            ),
            failed("c", "OSError", "[Errno 30] Read-only file system: '/x'"),
            failed(
                "t", "StudentGone", "what came from the student cannot be read: too \x1b[2J", **test
            ),
            failed("u", "PermissionError", "of a test", **test),
            failed("d", "ValueError", "an honest mistake"),
            failed(
                "v", "StudentGone", "the student's code ended the process or was stopped", **test
            ),
            failed("e", "FileNotFoundError", "[Errno 2] No such file or directory: 'data.csv'"),
            failed("f", "FileNotFoundError", "[Errno 2] No such file or directory: '/home/me/x'"),
        ]
    )
    notebook.metadata["course_mended"] = [
        "The cell x had its text changed by hand; restored.",
        "The cell y was missing; put back from the release.",
    ]
    found = findings(notebook, "one/")
    assert [line.partition(":")[0] for line in found] == [
        "The cell x had its text changed by hand; restored.",
        "The cell one/a ended the process that it ran in.",
        "The cell one/b wanted something that is not allowed there",
        "The cell one/number 3 wanted the network, which is not there while grading",
        "The cell one/c wanted to write where nothing can be written",
        "At the cell one/t, the process with the student's code sent something that ordinary code "
        "does not",
        "The cell one/f wanted a file from elsewhere on the machine, where it has only its own "
        "folder",
    ]
    assert all(line == printable(line) for line in found)


# Writes to every socket that its process holds, while it is tested.
SPOOF = """\
import os, stat

def total(numbers):
    for descriptor in range(3, 64):
        try:
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                os.write(descriptor, MESSAGE)
        except OSError:
            pass
    return 0
"""
OUTSIDE = "open('/root/solutions.txt')"
LEAVES = "import os\nos._exit(0)"
# Three processes, of which each alone holds no more than it may.
HOARDS = """\
import os, time

for _ in range(2):
    if os.fork() == 0:
        break
held = b"x" * (200 << 20)
time.sleep(60)
"""


def test_attempts_are_seen_in_a_class(course: Path) -> None:
    answers = {
        "garbage": SPOOF.replace("MESSAGE", "b'garbage' * 100"),
        "longer": SPOOF.replace("MESSAGE", "(2**60).to_bytes(8, 'little')"),
        "outside": OUTSIDE,
        "leaves": LEAVES,
        "hoards": HOARDS,
    }
    with (course / "nbgrader_config.py").open("a") as file:
        file.write("\nc.Execute.memory = 300\n")
    for student, answer in answers.items():
        small.hand_in(course, student, small.answered(course, total=answer, mean=small.MEAN))
    report = grading.grade(small.SLUG, course)
    told = {name: " ".join(report[name].suspicious) for name in answers}
    assert "sent something that ordinary code does not" in told["garbage"]
    assert "sent something that ordinary code does not" in told["longer"]
    assert "wanted a file from elsewhere" in told["outside"] or "not allowed" in told["outside"]
    assert told["leaves"] == "The cell total ended the process that it ran in."
    assert told["hoards"] == (
        "The cell total was stopped: its process, with all that it had started, used more memory "
        "than the 300 MiB that a submission may use. Work with fewer or smaller arrays at a time."
    )
    for student in answers:
        assert report[student].points()["test-total"] == 0
    assert [report[student].suspicious for student in ANSWERS] == [[], [], []]


def test_changes_by_hand_are_told_from_earlier_releases(course: Path) -> None:
    notebook = small.answered(course, total=small.TOTAL)
    small.named(notebook, "test-total").source = "pass"
    small.hand_in(course, "gil", notebook)
    honest = small.answered(course, total=small.TOTAL)

    def reprice(source: NotebookNode) -> None:
        small.named(source, "test-mean").metadata.nbgrader.points = 4

    rewritten(course, reprice)
    small.hand_in(course, "hal", honest)
    report = grading.grade(small.SLUG, course, students="[gh]*")
    text = "The cell test-total had its text changed by hand; restored."
    assert report["gil"].suspicious == [text]
    assert report["hal"].suspicious == []
    earlier = "The cell test-mean is that of an earlier release; graded as it is now."
    assert report["hal"].notes == [earlier]
    assert report["hal"].max_score == 11
