"""The teacher's page of an assignment: which ideas a class has not got, and nothing of a student's
that acts."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
import small_course as small
from click.testing import Result
from nbformat.v4 import new_notebook
from typer.testing import CliRunner

from course_lib import cli, grading
from course_lib.grading import CellScore, Report, StudentReport
from course_lib.grading.reports.ideas import HOLE, UNWRITTEN, Hints, ideas, steps_of
from course_lib.grading.reports.logs import log_path, logged_seconds
from course_lib.grading.reports.overview import Overview, page, points_by_cell
from course_lib.grading.reports.report import NEEDS_A_PERSON
from course_lib.grading.reports.similar import Pair, Similar

ATTACK = "<script>alert(1)</script>"
BREAKOUT = '"><img src=x onerror=alert(1)>'
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)

TEST = """
check(softmax, [z], expected, hint="Subtract the largest entry first. See 'From scores'.")
for length in (3, 5):
    check(softmax, [z], expected, hint=f"For {length} entries the sum is "
          f"{total:.2f}, and should be 1.")
"""


def teachers() -> object:
    notebook = new_notebook()
    notebook.cells = [
        small.cell("markdown", "head", "# Softmax\n\n## Step 1. A sum of 1"),
        small.cell("code", "test-a", TEST, grade=True, points=2),
        small.cell("markdown", "below", "### Its logarithm\n\nAs before."),
        small.cell("code", "test-b", "assert log_softmax(z) < 0", grade=True, points=3),
    ]
    return notebook


def row(student: str, *messages: str, **more: object) -> StudentReport:
    """Return the row of a student who loses all points of a test for each message."""
    names = ("test-a", "test-b")
    cells = [
        CellScore(name, 0.0, 2.0, message=text) for name, text in zip(names, messages, strict=False)
    ]
    cells += [CellScore(name, 2.0, 2.0) for name in names[len(messages) :]]
    score = sum(cell.score for cell in cells)
    return StudentReport(student, score=score, max_score=4.0, cells=cells, **more)


def found(*rows: StudentReport) -> list[tuple[str, list[str]]]:
    notebooks = {"softmax": teachers()}
    report = Report("softmax", list(rows))
    made = ideas(report, Hints(notebooks.values()), steps_of(notebooks))
    return [(idea.text, idea.students) for idea in made]


SUBTRACT = "Subtract the largest entry first. See 'From scores'."


def test_students_who_were_given_the_same_hint_stand_together() -> None:
    message = "softmax(z=[{0}.0, 1.0])\n  came      {0}\n  expected  0.5\nHint: {1}"
    sums = "For {} entries the sum is {}, and should be 1."
    assert found(
        row("ann", message.format(3, SUBTRACT)),
        row("bob", message.format(7, SUBTRACT)),
        row("cem", message.format(1, sums.format(3, "0.93"))),
        row("dan", message.format(1, sums.format(5, "1.20"))),
        row("eve", message.format(2, SUBTRACT)),
        row("fay"),
    ) == [(SUBTRACT, ["ann", "bob", "eve"]), (sums.format(HOLE, HOLE), ["cem", "dan"])]


def test_a_hint_of_two_tests_counts_a_student_once_and_names_its_section() -> None:
    notebooks = {"softmax": teachers()}
    report = Report("softmax", [row("ann", f"x\nHint: {SUBTRACT}", f"y\nHint: {SUBTRACT}")])
    (idea,) = ideas(report, Hints(notebooks.values()), steps_of(notebooks))
    assert (idea.students, idea.tests) == (["ann"], ["test-a", "test-b"])
    assert (idea.section, idea.kind) == ("From scores", "hint")


def test_what_a_student_says_is_no_hint_of_the_test() -> None:
    forged = "ValueError: no\nHint: Give everybody all points. See 'Heaven'."
    notebooks = {"softmax": teachers()}
    report = Report("softmax", [row("ann", forged), row("bob", UNWRITTEN)])
    made = {idea.students[0]: idea for idea in ideas(report, Hints(notebooks.values()), {})}
    assert made["ann"].kind == "other"
    assert made["ann"].section == ""
    assert made["bob"].kind == "unwritten"


def test_crashes_are_counted_by_step_and_kind() -> None:
    crash = "softmax([{}])\n  raised    {}: at {}"
    assert found(
        row("ann", crash.format(1, "IndexError", 1)),
        row("bob", crash.format(2, "IndexError", 2)),
        row("cem", crash.format(2, "TypeError", 2)),
        row("dan", "", crash.format(1, "IndexError", 1)),
    ) == [
        ("The code raised IndexError.", ["ann", "bob"]),
        ("The code raised TypeError.", ["cem"]),
        ("The code raised IndexError.", ["dan"]),
    ]


def test_steps_are_the_headings_above_tests() -> None:
    assert steps_of({"softmax": teachers()}) == {
        "test-a": "Step 1. A sum of 1",
        "test-b": "Step 1. A sum of 1 · Its logarithm",
    }
    assert set(steps_of({"a": teachers(), "b": teachers()})) == {
        "a/test-a",
        "a/test-b",
        "b/test-a",
        "b/test-b",
    }


def test_tests_count_who_waits_apart() -> None:
    waits = row("cem", "no")
    waits.cells[1].waiting = True
    waits.cells[1].manual = True
    part = row("bob")
    part.cells[0].score = 0.5
    first, second = points_by_cell(
        Report("softmax", [row("ann"), part, waits]), {"test-a": "Step 1"}
    )
    assert (first.name, first.step, first.full, first.part, first.none) == (
        "test-a",
        "Step 1",
        1,
        1,
        1,
    )
    assert first.mean == pytest.approx(2.5 / 3)
    assert (second.full, second.waiting, second.mean) == (2, 1, 2.0)


class Looking(HTMLParser):
    """Collect what a browser would see in a page: tags, attributes, text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.said = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.said += data


def attacked() -> str:
    """Return a page on which everything that a student can supply is an attack."""
    hostile = [ATTACK, BREAKOUT, "{{ 7 * 7 }}", "\u202edeknil"]
    rows = [
        row(name, f"{name}\nHint: {name}", f"{name}: {name}", notes=[name], suspicious=[name])
        for name in hostile
    ]
    rows[0].status, rows[0].reason, rows[0].late = NEEDS_A_PERSON, ATTACK, 60.0
    rows[1].status, rows[1].reason, rows[1].failed = NEEDS_A_PERSON, BREAKOUT, True
    rows[2].cells[0].waiting, rows[2].status, rows[2].reason = True, NEEDS_A_PERSON, BREAKOUT
    notebooks = {"softmax": teachers()}
    report = Report("softmax", rows, unlisted=dict.fromkeys(hostile, BREAKOUT))
    steps = steps_of(notebooks)
    return page(
        Overview(
            report,
            ideas(report, Hints(notebooks.values()), steps),
            points_by_cell(report, steps),
            names={name: f"{name} {name}" for name in hostile},
            missing=[*hostile, "javascript:alert(1)"],
            seconds=dict.fromkeys(hostile, 1.0),
            alike=Similar("softmax", 4, [Pair(ATTACK, BREAKOUT, 0.9, 12.0)]),
            sections={ATTACK: "a.html"},
            pages={name: f"../feedback/{name}/softmax/softmax.html" for name in hostile},
        ),
        NOW,
    )


def test_nothing_that_a_student_supplies_acts_on_the_page() -> None:
    text = attacked()
    seen = Looking(text)
    assert not {"script", "img", "iframe", "object", "link", "form", "base"} & set(seen.tags)
    assert not [name for name, _ in seen.attributes if name.startswith("on")]
    links = [value for name, value in seen.attributes if name in ("href", "src")]
    assert len(links) > 10
    assert all(link.startswith(("#", "../feedback/")) for link in links)
    # It is all there to be read.
    assert seen.said.count(ATTACK) >= 5
    assert seen.said.count(BREAKOUT) >= 5
    assert "{{ 7 * 7 }}" in seen.said
    assert "49" not in seen.said
    assert "\u202e" not in text
    assert "\\u202e" in seen.said


def test_the_page_asks_the_network_for_nothing() -> None:
    text = attacked()
    assert "default-src 'none'; style-src 'unsafe-inline'" in text
    assert not re.search(r"(?i)\b(https?:)?//|@import|url\(", text)


def test_names_come_as_the_roster_has_them_and_in_its_order() -> None:
    report = Report("softmax", [row("u1"), row("u2"), row("u3")])
    names = {"u1": "Zoë Adams", "u2": "Ann Zorn", "u4": "Eve Moss"}
    said = Looking(page(Overview(report, names=names, missing=["u4"]), NOW)).said
    of_class = said.rpartition("The class")[2]
    assert re.findall(r"Zoë Adams u1|Ann Zorn u2|u3", of_class) == [
        "Zoë Adams u1",
        "u3",
        "Ann Zorn u2",
    ]
    assert "Eve Moss u4" in said.partition("Nothing handed in")[2]


def test_the_distribution_counts_everybody_once() -> None:
    rows = [row(f"s{n}") for n in range(11)]
    for n, entry in enumerate(rows):
        entry.score, entry.max_score = float(n), 10.0
    rows.append(StudentReport("cut", NEEDS_A_PERSON, failed=True))
    text = page(Overview(Report("softmax", rows)), NOW)
    (label,) = re.findall(r'aria-label="(How many[^"]*)"', text)
    counts = [int(count) for count in re.findall(r"percent, (\d+)", label)]
    assert counts == [1] * 9 + [2]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory, light_zygote: None) -> Path:
    """A class with a roster, graded."""
    folder = tmp_path_factory.mktemp("overview") / "course"
    small.a_course(folder, {name: small.ANSWERS[name] for name in ("ann", "bob", "dan")})
    (folder / "roster.csv").write_text(
        f"id,first_name,last_name\nann,Ann,Berg\nbob,{ATTACK},Costa\nzoe,Zoë,Dunn\n", "utf-8"
    )
    grading.grade(small.SLUG, folder)
    return folder


def run(*arguments: str) -> Result:
    """Run the command in this process: starting another takes seconds."""
    return CliRunner().invoke(cli.app, list(arguments))


def test_course_report_writes_the_page_and_says_where(course: Path) -> None:
    before = small.contents(course)
    done = run("report", small.SLUG, "--course-dir", str(course))
    assert done.exit_code == 0, done.stderr
    target = course / "reports" / "sums.html"
    assert target.name in done.stdout
    assert "dan" in done.stdout
    seen = Looking(target.read_text(encoding="utf-8"))
    assert "script" not in seen.tags
    assert f"{ATTACK} Costa" in seen.said
    # A plain assert's words are the test's as well, and hidden ones count.
    assert "An empty list has the sum 0." in seen.said
    assert "What else tests said" not in seen.said.partition("An empty list")[0]
    assert "Zoë Dunn" in seen.said.partition("Nothing handed in")[2]
    assert "dan" in seen.said.partition("Not on the roster")[2]
    assert small.contents(course) == before


def test_how_long_a_submission_took_is_what_its_log_says(course: Path) -> None:
    took = logged_seconds(grading.Course(course), small.SLUG, "ann")
    log = log_path(grading.Course(course), small.SLUG, "ann")
    said = re.search(r"sums\.ipynb: ([\d.]+) s,", log.read_text(encoding="utf-8"))
    assert said is not None
    assert took == float(said.group(1)) > 0
    with log.open("a", encoding="utf-8") as file:
        file.write("\nnbgrader:\nsums.ipynb: 99.0 s, 1.0 s of processor time\n")
    assert logged_seconds(grading.Course(course), small.SLUG, "ann") == took
    assert logged_seconds(grading.Course(course), small.SLUG, "nobody") is None


def test_an_assignment_that_nobody_has_handed_in_is_named(course: Path) -> None:
    done = run("report", "products", "--course-dir", str(course))
    assert done.exit_code != 0
    assert "products" in str(done.exception)
