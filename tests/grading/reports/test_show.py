"""What the `course` command tells a teacher at the end, and while it works."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import small_course as small
from alike import INDEPENDENT, RENAMED
from click.testing import Result
from rich.console import Console
from typer.testing import CliRunner

from course_lib import cli, grading
from course_lib.grading import CellChange, Change, Report, StudentReport
from course_lib.grading.course.text import printable, shown
from course_lib.grading.reports.report import NEEDS_A_PERSON
from course_lib.grading.reports.show import class_table, outcome, passages_table, similar_table
from course_lib.grading.reports.similar import Pair, Passage, Similar


def text(*parts: object) -> str:
    """Return what a terminal of 100 columns shows, without the padding at the ends of lines."""
    console = Console(file=io.StringIO(), width=100, highlight=False)
    for part in parts:
        console.print(part)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


def a_report(students: int = 3) -> Report:
    rows = [
        StudentReport(f"s{number:03}", score=5, max_score=9, seconds=number / 10)
        for number in range(students)
    ]
    rows[0].status, rows[0].failed, rows[0].reason = NEEDS_A_PERSON, True, "[red]cut\x1b[31m off"
    rows[1].status, rows[1].reason = NEEDS_A_PERSON, "1 answer waits"
    rows[2].suspicious = ["The cell a ended the process that it ran in."]
    return Report("sums", rows, seconds=6.0)


def test_a_class_is_shown_with_who_needs_a_person_and_why() -> None:
    shown_text = text(*outcome(a_report()))
    # Nothing of a student's is markup or moves the cursor.
    assert "s000          -  needs a person: [red]cut\\x1b[31m off" in shown_text
    assert "s001      5 / 9  needs a person: 1 answer waits" in shown_text
    count = "3 submissions in 6 s (30 a minute): 1 graded, 1 waits for a person's marks, 1 could"
    assert count in shown_text
    assert "Slowest: s002 0.2 s, s001 0.1 s, s000 0.0 s" in shown_text
    assert "Worth a look, without judging anybody:" in shown_text
    assert "s002     The cell a ended the process that it ran in." in shown_text
    assert "alike" not in shown_text
    assert "changed" not in shown_text


def test_of_a_large_class_only_those_who_need_a_look_are_named() -> None:
    report = a_report(500)
    report.similar = 2
    shown_text = text(*outcome(report))
    assert "s002      5 / 9  graded" in shown_text
    assert "s003" not in shown_text
    assert "497 others are graded." in shown_text
    assert "2 pairs of submissions are unusually alike: `course similar sums`" in shown_text
    assert class_table(report).row_count == 500


def test_changes_are_a_table_with_sums() -> None:
    report = a_report()
    report.changes = [
        Change(
            "ann",
            6.5,
            8.5,
            [CellChange("t1", 0, 2), CellChange("t2", None, 1), CellChange("t3", 0, 2, kept=0.5)],
        ),
        Change("bob", 5, 4),
    ]
    lines = text(*outcome(report)).partition("Points that changed:\n")[2].splitlines()
    assert [line.split() for line in lines] == [
        ["student", "cell", "before", "after"],
        ["ann", "t1", "0", "2"],
        ["t2", "new", "1"],
        ["t3", "0", "2", "a", "person", "gave", "0.5,", "which", "stands"],
        ["all", "6.5", "8.5"],
        ["bob", "all", "5", "4"],
    ]


def test_pairs_and_passages_are_shown_without_judging() -> None:
    result = Similar("sums", 9, [Pair("ann", "b\x1bob", 0.93, 27.0)], ["cut"])
    shown_text = text(*similar_table(result))
    assert "ann  b\\x1bob   93 %" in shown_text
    assert "This judges nobody" in shown_text
    assert "Could not be read: cut" in shown_text
    none = text(*similar_table(Similar("sums", 9)))
    assert none == "Of 9 submissions none are unusually alike."
    part = Passage("sums/a", (1, 2), "x = 1\ny = [b]2[/b]", "sums/b", (5, 6), "u = 1\nv\x1b[2J", 20)
    shown_text = text(*passages_table("ann", "bob", [part]))
    assert "ann: sums/a, lines 1 to 2" in shown_text
    assert "bob: sums/b, lines 5 to 6" in shown_text
    assert "y = [b]2[/b]" in shown_text
    assert "\x1b" not in shown_text
    short = Passage("a", (1, 1), "x", "b", (1, 1), "x", 10)
    assert "share no passage" in text(*passages_table("ann", "bob", [short]))


def test_texts_are_made_fit_for_terminals() -> None:
    assert printable("a\tb\n\x1b[2J\x9b\u202e\ud800é小") == "a\\tb\n\\x1b[2J\\x9b\\u202e\\ud800é小"
    assert shown("a\n b. ", 20) == "a b"
    assert shown("x" * 50, 20) == "x" * 16 + " ..."


def test_where_no_terminal_is_progress_comes_in_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "err", Console(file=io.StringIO(), width=100))
    monkeypatch.setattr(cli, "SAY_EVERY", -1.0)
    with cli._progress_bar("grading") as advance:
        advance("ann", 0, 4)
        advance("b\x1bob", 2, 4)
    said = cli.err.file.getvalue()
    assert "grading: 2 of 4, " in said
    assert "minutes left" in said
    assert "\x1bob" not in said
    monkeypatch.setattr(cli, "err", Console(file=io.StringIO(), width=100))
    with cli._progress_bar("grading", quiet=True) as advance:
        advance("ann", 2, 4)
    assert cli.err.file.getvalue() == ""


# The commands


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("show") / "course"
    folder.mkdir()
    small.build(folder)
    grading.release([small.SLUG], folder)
    for name, answer in (INDEPENDENT | {"fay": RENAMED}).items():
        code = f"{answer}\n{small.TOTAL}"
        small.hand_in(folder, name, small.answered(folder, total=code, mean=small.MEAN))
    return folder


def run(*arguments: str, folder: Path) -> Result:
    """Run the command in this process: starting another takes seconds."""
    return CliRunner().invoke(cli.app, [*arguments, "--course-dir", str(folder)])


@pytest.mark.slow
def test_the_commands_of_a_teacher(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("grade", small.SLUG, "--json", folder=course)
    assert done.exit_code == 0, done.stderr
    assert done.stderr == ""
    report = Report.from_dict(json.loads(done.stdout))
    assert {row.score for row in report.students} == {7.0}
    assert report.similar == 1

    done = run("similar", small.SLUG, folder=course)
    assert "ann  fay" in done.stdout
    found = json.loads(run("similar", small.SLUG, "--json", folder=course).stdout)
    assert [(pair["first"], pair["second"]) for pair in found["pairs"]] == [("ann", "fay")]
    done = run("similar", small.SLUG, "--pair", "ann", "fay", folder=course)
    assert "ann: sums/total, lines" in done.stdout
    parts = json.loads(
        run("similar", small.SLUG, "--pair", "ann", "fay", "--json", folder=course).stdout
    )
    assert parts[0]["tokens"] > 50

    for format, name in (("canvas", "sums-canvas.csv"), ("gradescope", "sums-gradescope.zip")):
        done = run("export", small.SLUG, "--format", format, folder=course)
        assert done.exit_code == 0, done.stderr
        assert done.stdout.strip() == f"wrote {name}"
        assert (tmp_path / name).is_file()
        assert "nbgrader db student import" in " ".join(done.stderr.split())
