"""Grading a class that has everything in it, in a course that is not this one."""

from __future__ import annotations

import copy
import csv
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
import small_course as small
from nbformat import NotebookNode
from nbgrader import api
from sqlalchemy import Engine, event

from course_lib import grading
from course_lib.grading import NEEDS_A_PERSON, GradingError, Report

# Nothing here needs PyTorch.
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("light_zygote")]

ALL = {"test-total": 3, "test-mean": 2, "test-mean-parts": 2, "why": 2}

CRASH = "import os\n\ndef mean(numbers):\n    print('good bye')\n    os._exit(1)"
LOOP = "def total(numbers):\n    while True:\n        pass"
STUBBORN = """\
import time

def total(numbers):
    while True:
        try:
            while True:
                time.sleep(0.01)
        except KeyboardInterrupt:
            pass"""
CHATTY = f"for i in range(100_000):\n    print('x' * 60)\n{small.MEAN}"
PARTLY = "def mean(numbers):\n    return numbers[0]"
ANSWER = "Because the sum overflows."


def solved(folder: Path) -> NotebookNode:
    return small.answered(folder, total=small.TOTAL, mean=small.MEAN)


def duplicated(folder: Path) -> NotebookNode:
    """Somebody tried a second version of `total` in a copy of its cell, below the first."""
    notebook = solved(folder)
    extra = copy.deepcopy(small.named(notebook, "total"))
    small.named(notebook, "total").source = "def total(numbers):\n    return 0"
    notebook.cells.insert(2, extra)
    return notebook


def lacking(folder: Path) -> NotebookNode:
    """A test cell and an untouched written answer were deleted."""
    notebook = solved(folder)
    gone = ("test-total", "why")
    notebook.cells = [c for c in notebook.cells if c.metadata.nbgrader.grade_id not in gone]
    return notebook


def tampered(folder: Path) -> NotebookNode:
    """The tests are emptied, unlocked and worth more; a cell became text; one lost its metadata."""
    notebook = small.answered(folder, total="def total(numbers):\n    return 0", mean=small.MEAN)
    test = small.named(notebook, "test-total")
    test.source = "pass"
    test.metadata.nbgrader |= {"locked": False, "points": 100, "grade": False}
    mean = small.named(notebook, "mean")
    mean.cell_type = "raw"
    mean.pop("outputs")
    mean.pop("execution_count")
    small.named(notebook, "test-mean").metadata.nbgrader = "gone"
    return notebook


def old_format(folder: Path) -> NotebookNode:
    """Saved by a program that knows neither cell ids nor nbgrader's newest metadata."""
    notebook = solved(folder)
    notebook.nbformat_minor = 4
    for cell in notebook.cells:
        cell.pop("id")
        cell.metadata.nbgrader["schema_version"] = 1
        cell.metadata.nbgrader.pop("task")
    return notebook


def build_class(folder: Path) -> None:
    release = small.released(folder)
    small.hand_in(
        folder,
        "full",
        small.answered(folder, **{"total": small.TOTAL, "mean": small.MEAN, "why": ANSWER}),
    )
    small.hand_in(folder, "untouched", release)
    small.hand_in(folder, "partial", small.answered(folder, total=small.TOTAL, mean=PARTLY))
    small.hand_in(folder, "crash", small.answered(folder, total=small.TOTAL, mean=CRASH))
    small.hand_in(folder, "loop", small.answered(folder, total=LOOP, mean=small.MEAN))
    small.hand_in(folder, "stubborn", small.answered(folder, total=STUBBORN, mean=small.MEAN))
    small.hand_in(folder, "chatty", small.answered(folder, total=small.TOTAL, mean=CHATTY))
    small.hand_in(folder, "duplicated", duplicated(folder))
    small.hand_in(folder, "lacking", lacking(folder))
    small.hand_in(folder, "tampered", tampered(folder))
    small.hand_in(folder, "old-format", old_format(folder))
    text = small.answered(folder, total=small.TOTAL)
    small.hand_in(folder, "cut-off", nbformat.writes(text)[:700])
    small.hand_in(folder, "web-page", "<!DOCTYPE html><title>Sign in</title>")
    small.hand_in(folder, "empty", "")
    small.hand_in(folder, "binary", b"PK\x03\x04\xff\xfe\x00\x00")
    small.hand_in(folder, "some-json", '{"cells": []}')
    other = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("total = sum")])
    small.hand_in(folder, "other-exercise", other)
    renamed = small.hand_in(folder, "renamed", release)
    renamed.rename(renamed.with_name("sums (1).ipynb"))


# What a person has to do with each of those, in words of the report.
UNGRADED = {
    "cut-off": "cut off",
    "web-page": "web page",
    "empty": "empty",
    "binary": "not a text file",
    "some-json": "no notebook",
    "other-exercise": "another one",
    "renamed": "sums (1).ipynb",
}

SCORES = {
    "full": ALL | {"why": 0},
    "untouched": dict.fromkeys(ALL, 0),
    "partial": {"test-total": 3, "test-mean": 0, "test-mean-parts": 1, "why": 0},
    "crash": {"test-total": 3, "test-mean": 0, "test-mean-parts": 0, "why": 0},
    "loop": ALL | {"test-total": 0, "why": 0},
    "stubborn": ALL | {"test-total": 0, "why": 0},
    "chatty": ALL | {"why": 0},
    "duplicated": ALL | {"why": 0},
    "lacking": ALL | {"why": 0},
    "tampered": ALL | {"test-total": 0, "why": 0},
    "old-format": ALL | {"why": 0},
}


#: How long a cell may take. Two of the class take for ever.
SECONDS = 10


class GradedClass:
    """A graded class, and what was seen while it was graded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        small.build(folder, SECONDS)
        grading.release([small.SLUG], folder)
        build_class(folder)
        self.handed_in = self.submissions()
        self.progress: list[tuple[str, int, int]] = []
        self.report = grading.grade(
            small.SLUG, folder, progress=lambda *seen: self.progress.append(seen)
        )
        self.pages = grading.feedback(small.SLUG, folder)

    def submissions(self) -> dict[str, bytes]:
        files = (self.folder / "submitted").rglob("*")
        return {str(path): path.read_bytes() for path in files if path.is_file()}

    def page(self, student: str) -> str:
        (path,) = self.pages[student]
        return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory, light_zygote: None) -> GradedClass:
    return GradedClass(tmp_path_factory.mktemp("small"))


@pytest.fixture
def copied(graded: GradedClass, tmp_path: Path) -> Path:
    """A copy of the graded course, to be changed."""
    folder = tmp_path / "course"
    shutil.copytree(graded.folder, folder)
    return folder


# Scores


@pytest.mark.parametrize("student", SCORES)
def test_points_cell_by_cell(graded: GradedClass, student: str) -> None:
    row = graded.report[student]
    assert row.points() == SCORES[student]
    assert not row.failed
    assert row.score == sum(SCORES[student].values())
    assert row.max_score == 9
    assert row.seconds is not None


@pytest.mark.parametrize("student", UNGRADED)
def test_what_cannot_be_graded_is_named_with_what_to_do(graded: GradedClass, student: str) -> None:
    row = graded.report[student]
    assert row.failed
    assert row.status == NEEDS_A_PERSON
    assert UNGRADED[student] in row.reason
    assert "sk for" in row.reason or "give it its name back" in row.reason


def test_nobody_is_left_out_and_nothing_handed_in_is_changed(graded: GradedClass) -> None:
    assert {row.student for row in graded.report.students} == {*SCORES, *UNGRADED}
    assert graded.submissions() == graded.handed_in


def test_waiting_for_marks_is_no_failure(graded: GradedClass) -> None:
    row = graded.report["full"]
    assert row.status == NEEDS_A_PERSON
    assert not row.failed
    assert "why" in row.reason
    assert "2 points" in row.reason
    # An answer that was not given is 0, and waits for nobody.
    assert graded.report["untouched"].status == grading.GRADED
    assert [row.student for row in graded.report.waiting] == ["full"]


def test_what_was_mended_is_said(graded: GradedClass) -> None:
    def notes(student: str) -> str:
        return " ".join(graded.report[student].notes)

    assert "total was there 2 times" in notes("duplicated")
    assert "test-total was missing; put back" in notes("lacking")
    assert "why was missing; put back" in notes("lacking")
    assert "test-total had its" in notes("tampered")
    assert "points" in notes("tampered")
    assert "mean had become a raw cell" in notes("tampered")
    assert "test-mean had lost its name" in notes("tampered")
    assert graded.report["full"].notes == []


def test_messages_say_what_happened(graded: GradedClass) -> None:
    def message(student: str, name: str) -> str:
        (cell,) = [cell for cell in graded.report[student].cells if cell.name == name]
        return cell.message

    assert "ended the Python process" in message("crash", "test-mean")
    for student in ("loop", "stubborn"):
        assert f"longer than {SECONDS} seconds" in message(student, "test-total")
    assert message("untouched", "test-total") == "This step is not written yet."
    assert message("full", "test-total") == ""


def test_what_is_printed_is_bounded(graded: GradedClass) -> None:
    path = graded.folder / "autograded" / "chatty" / small.SLUG / f"{small.SLUG}.ipynb"
    assert path.stat().st_size < 1_000_000
    assert "Output truncated" in path.read_text()


def test_progress_is_told(graded: GradedClass) -> None:
    count = len(SCORES) + len(UNGRADED)
    assert len(graded.progress) == count + 1
    assert graded.progress[0] == ("binary", 0, count)
    assert graded.progress[-1] == ("", count, count)


def test_no_process_is_left(graded: GradedClass) -> None:
    alive = [
        " ".join(child.cmdline())
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE
    ]
    assert not [command for command in alive if "ipykernel" in command]


# Again


def test_a_second_run_grades_nothing_again(graded: GradedClass) -> None:
    report = grading.grade(small.SLUG, graded.folder, students="*o*")
    assert {row.student for row in report.students} >= {"loop", "stubborn", "cut-off"}
    for row in report.students:
        assert row.seconds is None or row.failed
        assert row.points() == graded.report[row.student].points()


def test_a_report_can_be_read_without_grading(graded: GradedClass) -> None:
    report = grading.read_report(small.SLUG, graded.folder, students="full")
    assert report["full"].points() == graded.report["full"].points()
    assert Report.from_dict(report.to_dict()) == report


def test_reading_opens_the_gradebook_for_the_class_and_not_for_each(
    graded: GradedClass, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def open_(url: str, **options: Any) -> Engine:
        opened.append(url)
        return original(url, **options)

    original = api.create_engine
    monkeypatch.setattr(api, "create_engine", open_)
    assert len(grading.read_report(small.SLUG, graded.folder).students) > 10
    # Once for the release, once for all that was handed in.
    assert len(opened) <= 2


def test_force_keeps_what_a_person_gave(copied: Path) -> None:
    grading.mark(small.SLUG, "full", "why", 1.5, copied, comment="Which sum?")
    assert grading.grade(small.SLUG, copied, students="full")["full"].score == 8.5
    again = grading.grade(small.SLUG, copied, students="full", force=True)["full"]
    assert again.points() == ALL | {"why": 1.5}
    assert again.seconds is not None
    # Neither the answer nor the tests' points have changed: the mark needs no second look.
    assert again.status == grading.GRADED
    (page,) = grading.feedback(small.SLUG, copied, students="full")["full"]
    assert "Which sum?" in page.read_text(encoding="utf-8")


def test_no_submission_is_looked_for_among_all(tmp_path: Path) -> None:
    """The time of a class must not grow with its square: nbgrader's tables lack indexes."""
    students = ("ann", "bob", "cem", "dan")
    folder = small.a_course(tmp_path / "course", {name: small.ANSWERS[name] for name in students})
    with sqlite3.connect(folder / "gradebook.db") as database:
        assert scanned(database, {"SELECT * FROM grade WHERE notebook_id = ?": ("x",)})
    said: list[str] = []
    asked: dict[str, Any] = {}

    def listen(_: Any, __: Any, statement: str, values: Any, ___: Any, several: bool) -> None:
        said.append(statement)
        asked[statement] = values[0] if several else values

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        report = grading.grade(small.SLUG, folder)
        grading.feedback(small.SLUG, folder)
    finally:
        event.remove(Engine, "before_cursor_execute", listen)
    assert not report.failed
    often = {
        statement: asked[statement]
        for statement, times in Counter(said).items()
        if times >= len(students) and statement.startswith(("SELECT", "UPDATE", "DELETE"))
    }
    assert len(often) > 10
    with sqlite3.connect(folder / "gradebook.db") as database:
        assert scanned(database, often) == []


# What has a row for each submission, or more.
LARGE = ("grade", "comment", "submitted_notebook", "submitted_assignment", "student")


def scanned(database: sqlite3.Connection, statements: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the statements for which the database reads all of a large table, and which."""
    return [
        (plan, statement)
        for statement, parameters in statements.items()
        for *_, plan in database.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        # An alias has a number behind the table's name.
        if plan.split()[0] == "SCAN" and plan.split()[1].rstrip("_0123456789") in LARGE
    ]


def test_a_newer_submission_is_graded_without_force(copied: Path) -> None:
    small.hand_in(copied, "untouched", small.answered(copied, total=small.TOTAL))
    row = grading.grade(small.SLUG, copied, students="untouched")["untouched"]
    assert row.points() == SCORES["untouched"] | {"test-total": 3}


def test_a_killed_run_is_finished_by_the_next(copied: Path) -> None:
    # What a kill in the middle of running the cells leaves: a copy without results in the folder,
    # and no points in the gradebook.
    course = grading.Course(copied)
    with course.gradebook() as gradebook:
        gradebook.find_grade("test-total", small.SLUG, small.SLUG, "partial").auto_score = None
        gradebook.db.commit()
    row = grading.grade(small.SLUG, copied, students="partial")["partial"]
    assert row.points() == SCORES["partial"]
    assert row.seconds is not None


# nbgrader's own commands


def nbgrader(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nbgrader", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)


def fresh(graded: GradedClass, folder: Path, students: tuple[str, ...]) -> Path:
    """Return a course with some of the class, ungraded."""
    folder.mkdir()
    small.build(folder)
    for student in students:
        shutil.copytree(graded.folder / "submitted" / student, folder / "submitted" / student)
    return folder


def test_stock_nbgrader_gives_the_same_points(stock: Path) -> None:
    """Its own class has three who handed in the same, whom it has released and graded."""
    report = grading.read_report(small.SLUG, stock)
    same = {"full": "ann", "untouched": "cem", "partial": "bob"}
    assert {student: report[twin].points() for student, twin in same.items()} == {
        student: SCORES[student] for student in same
    }


def test_nbgraders_commands_use_this_courses_settings(graded: GradedClass, tmp_path: Path) -> None:
    students = ("crash", "duplicated", "lacking")
    folder = fresh(graded, tmp_path / "ours", students)
    (folder / "nbgrader_config.py").write_text(
        "from course_lib.grading.course.config import configure\nc = get_config()\nconfigure(c)\n"
        "c.CourseDirectory.source_directory = 'source'\n"
        "c.CourseDirectory.release_directory = 'release'\nc.Execute.timeout = 60\n"
    )
    small.hand_in(folder, "junk", "not a notebook")
    link = folder / "submitted" / "just-a-link" / small.SLUG / "data.csv"
    shutil.copytree(folder / "submitted" / "crash" / small.SLUG, link.parent)
    link.symlink_to("/etc/passwd")
    assert nbgrader(folder, "generate_assignment", small.SLUG).returncode == 0
    done = nbgrader(folder, "autograde", small.SLUG)
    # nbgrader says so when a submission could not be graded; the others are.
    assert done.returncode == 1
    assert "junk" in done.stderr
    assert "holds a link (data.csv)" in done.stderr
    assert not (folder / "autograded" / "just-a-link" / small.SLUG).exists()
    report = grading.read_report(small.SLUG, folder, students="[!j]*")
    assert {row.student: row.points() for row in report.students} == {
        student: SCORES[student] for student in students
    }
    done = nbgrader(folder, "generate_feedback", small.SLUG)
    assert done.returncode == 0, done.stderr
    page = folder / "feedback" / "crash" / small.SLUG / f"{small.SLUG}.html"
    text = page.read_text(encoding="utf-8")
    assert "4242" not in text
    assert "What to look at" in text
    done = nbgrader(folder, "export")
    assert done.returncode == 0, done.stderr
    assert (folder / "grades.csv").read_text().startswith("assignment,duedate")


# Export


def test_export(copied: Path, tmp_path: Path) -> None:
    course = grading.Course(copied)
    with course.gradebook() as gradebook:
        gradebook.update_or_create_student("full", last_name="Full, Jr.", first_name="=1+1")
    path = grading.export(copied, small.SLUG, to=tmp_path / "grades.csv")
    with path.open(newline="", encoding="utf-8") as file:
        table = {row["student_id"]: row for row in csv.DictReader(file)}
    # Whoever handed in is there; what cannot be graded, or waits for marks, is not 0 points.
    assert set(table) == {*SCORES, *UNGRADED}
    assert {name for name, row in table.items() if not row["score"]} == {"full", *UNGRADED}
    assert table["full"]["raw_score"] == "7.0"
    assert table["partial"]["score"] == "4.0"
    assert table["partial"]["max_score"] == "9.0"
    assert table["full"]["last_name"] == "Full, Jr."
    # A spreadsheet must not take a name for a formula.
    assert table["full"]["first_name"] == "'=1+1"
    assert '"score": 4.0' in grading.export(copied, format="json", to=tmp_path / "g").read_text()


# What a teacher can get wrong


def test_unknown_names_are_explained(copied: Path, tmp_path: Path) -> None:
    with pytest.raises(GradingError, match=r"no assignment 'sum'.*release it first.*sums"):
        grading.grade("sum", copied)
    with pytest.raises(GradingError, match="Nobody has handed in 'sums'"):
        grading.grade(small.SLUG, copied, students="nobody")
    with pytest.raises(GradingError, match="no source folder"):
        grading.release(["other"], copied)
    with pytest.raises(GradingError, match="no course folder"):
        grading.grade(small.SLUG, tmp_path / "nowhere")
    with pytest.raises(GradingError, match="There are: canvas, csv, gradescope, json, moodle"):
        grading.export(copied, format="xls", to=tmp_path / "grades.xls")
    with pytest.raises(GradingError, match="knows no assignment 'sum'"):
        grading.export(copied, "sum", to=tmp_path / "grades.csv")
    with pytest.raises(GradingError, match="nothing to mark"):
        grading.mark(small.SLUG, "full", "no-such-cell", 1, copied)
    with pytest.raises(GradingError, match="no nbgrader exchange"):
        grading.collect(small.SLUG, copied)


def test_a_broken_configuration_is_explained(copied: Path) -> None:
    (copied / "nbgrader_config.py").write_text("c = get_config(\n")
    with pytest.raises(GradingError, match=r"configuration of the course .* cannot be loaded"):
        grading.grade(small.SLUG, copied)


def test_a_gradebook_that_is_none_is_explained(copied: Path) -> None:
    (copied / "gradebook.db").write_text("This was a gradebook once.")
    with pytest.raises(GradingError, match=r"is no gradebook, or is damaged.*from a backup"):
        grading.grade(small.SLUG, copied)


def test_a_changed_test_regrades(copied: Path) -> None:
    path = copied / "source" / small.SLUG / f"{small.SLUG}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    small.named(notebook, "test-mean").source = "assert mean([1, 3]) in (1, 2)"
    nbformat.write(notebook, path)
    grading.release([small.SLUG], copied)
    row = grading.grade(small.SLUG, copied, students="partial", force=True)["partial"]
    assert row.points() == SCORES["partial"] | {"test-mean": 2}


# Feedback


@pytest.mark.parametrize("student", SCORES)
def test_feedback_keeps_hidden_tests_and_solutions(graded: GradedClass, student: str) -> None:
    text = graded.page(student)
    for secret in ("4242", "total([]) ==", "MARK SCHEME", "word overflow"):
        assert secret not in text
    if student in ("untouched", "crash"):
        assert "sum(numbers) /" not in text
    assert "(hidden tests ran here)" in text
    assert "What to look at" in text


def test_feedback_shows_points_and_messages(graded: GradedClass) -> None:
    text = graded.page("tampered")
    assert "7 of" not in text
    assert "4 of" in text
    assert "total([1, 2, 3]) should be 6" in text
    assert "test-total had its" in text
    assert "not marked yet" in graded.page("full")


def test_without_the_teachers_notebook_nobody_is_graded(copied: Path) -> None:
    shutil.rmtree(copied / "source" / small.SLUG)
    (copied / "release" / small.SLUG / "sums.ipynb").unlink()
    before = small.contents(copied)
    report = grading.grade(small.SLUG, copied, students="partial", force=True)
    assert report["partial"].failed
    assert "There is no" in report["partial"].reason
    assert "Put it back" in report["partial"].reason
    assert small.contents(copied) == before


def test_imported_answers_are_told_and_refused_where_the_exercise_says_so(copied: Path) -> None:
    path = copied / "source" / small.SLUG / f"{small.SLUG}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata["course"] = {"answers_in": ["statistics"]}
    nbformat.write(notebook, path)
    imported = "import statistics\n\nmean = statistics.mean"
    small.hand_in(copied, "imports", small.answered(copied, total=small.TOTAL, mean=imported))
    told = grading.grade(small.SLUG, copied, students="imports")["imports"]
    assert told.points()["test-mean"] == 2
    (sentence,) = told.suspicious
    assert "The cell mean imports statistics, which holds answers" in sentence
    notebook.metadata["course"]["refuse_answers"] = True
    nbformat.write(notebook, path)
    refused = grading.grade(small.SLUG, copied, students="imports", force=True)["imports"]
    assert (refused.points()["test-mean"], refused.points()["test-total"]) == (0, 3)
    assert "and was not run" in refused.suspicious[0]
