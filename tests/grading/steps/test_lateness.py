"""Due dates, extensions and the penalty's rule; and who is not on the roster."""

from __future__ import annotations

import csv
from datetime import UTC, datetime

import pytest
import small_course as small

from course_lib import grading
from course_lib.grading.course.due import Rule, duration, read_due
from course_lib.grading.reports.show import outcome
from course_lib.paths import CourseError

DUE = """\
timezone = "Europe/Zurich"

[due]
sums = 2026-10-12 18:00:00

[late]
percent_per_day = 10
grace_minutes = 15
days = 3
"""
EXTENDED = DUE + "\n[extensions.sums]\nbob = 2026-10-14 18:00:00\n"

#: In UTC, two hours behind Zurich in October.
HANDED_IN = {
    "ann": "2026-10-12 16:10:00 UTC",  # within the grace
    "bob": "2026-10-14 10:00:00 UTC",  # 1 day 18 hours late
    "cem": "2026-10-16 00:00:00 UTC",  # too late
    "bobb": "2026-10-12 15:00:00 UTC",
}
POINTS = {"total": small.TOTAL, "mean": small.MEAN}
RULE = (
    "Each day after the due date, begun or whole, costs 10 % of the points that the work earned; "
    "the first 15 minutes cost nothing; after 3 days it gets no points."
)


@pytest.fixture(scope="module")
def graded(tmp_path_factory, light_zygote):
    """A class of four, graded with due dates and a roster; what was said, and the report."""
    folder = tmp_path_factory.mktemp("late") / "course"
    small.a_course(folder, dict.fromkeys(HANDED_IN, POINTS))
    (folder / "due.toml").write_text(DUE)
    (folder / "roster.csv").write_text("id,first_name\nann,Ann\nbob,Bob\ncem,Cem\neve,Eve\n")
    for student, time in HANDED_IN.items():
        place = folder / "submitted" / student / small.SLUG / "timestamp.txt"
        place.write_text(time)
    said: list[str] = []
    report = grading.grade(small.SLUG, folder, say=said.append)
    return folder, said, report


def table(folder, path):
    grading.export(folder, small.SLUG, to=path)
    return {row["student_id"]: row for row in csv.DictReader(path.open())}


def test_lateness_is_in_the_report_the_feedback_and_the_export(graded, tmp_path):
    folder, _, report = graded
    (folder / "due.toml").write_text(DUE)
    assert {r.student: (r.penalty, r.score) for r in report.students} == {
        "ann": (0, 7),
        "bob": (pytest.approx(1.4), pytest.approx(5.6)),
        "cem": (7, 0),
        "bobb": (0, 7),
    }
    assert (report["bob"].late, report["bobb"].late) == (42 * 3600, 0)
    from rich.console import Console

    console = Console(width=200)
    with console.capture() as shown:
        for part in outcome(report):
            console.print(part)
    assert "1 day 18 hours (-1.4)" in shown.get() and "10 minutes" in shown.get()

    grading.feedback(small.SLUG, folder)
    pages = {
        name: (folder / "feedback" / name / small.SLUG / "sums.html").read_text()
        for name in HANDED_IN
    }
    for name, late in (("bob", "1 day 18 hours"), ("cem", "3 days 8 hours")):
        told = f"Handed in {late} after it was due, on 12 October 2026 at 18:00 CEST. {RULE}"
        assert told in pages[name]
    assert "Handed in" not in pages["bobb"]
    rows = table(folder, tmp_path / "grades.csv")
    assert rows["bob"]["duedate"] == "2026-10-12 16:00:00"
    assert rows["bob"]["timestamp"] == "2026-10-14 10:00:00"
    assert float(rows["bob"]["late_submission_penalty"]) == pytest.approx(1.4)


def test_an_extension_and_marks_count_at_once(graded, tmp_path):
    folder, _, _ = graded
    (folder / "due.toml").write_text(EXTENDED)
    grading.mark(small.SLUG, "cem", "why", 2, folder)
    rows = table(folder, tmp_path / "grades.csv")
    assert float(rows["bob"]["late_submission_penalty"]) == 0
    assert rows["bob"]["duedate"] == "2026-10-14 16:00:00"
    assert rows["ann"]["duedate"] == "2026-10-12 16:00:00"
    # What comes too late gets nothing for the mark, either.
    assert float(rows["cem"]["late_submission_penalty"]) == 9
    assert grading.read_report(small.SLUG, folder)["bob"].late == 0
    # An extension that is taken back is gone.
    (folder / "due.toml").write_text(DUE)
    assert grading.read_report(small.SLUG, folder)["bob"].penalty == pytest.approx(1.4)


def test_without_a_rule_nothing_is_taken_off(graded, tmp_path):
    folder, _, _ = graded
    (folder / "due.toml").write_text("[due]\nsums = 2026-10-20T18:00:00Z\n")
    again = grading.Course(folder)
    row = grading.read_report(small.SLUG, again)["bob"]
    assert (row.late, row.lateness) == (0, "")
    (folder / "due.toml").unlink()
    # What nobody says anything of stays as it was.
    assert table(folder, tmp_path / "g.csv")["ann"]["duedate"] == "2026-10-20 18:00:00"


def test_who_is_not_on_the_roster_is_named_before_anything_runs(graded):
    folder, said, report = graded
    assert report.unlisted == {"bobb": "bob"}
    assert said[0].startswith("Not on the roster: bobb (bob?). They are graded under these names.")
    # They are in the gradebook by now, and are named all the same.
    again = grading.grade(small.SLUG, folder)
    assert again.unlisted == {"bobb": "bob"}
    (folder / "roster.csv").write_text("id\nann\nbob\ncem\nbobb\n")
    assert grading.grade(small.SLUG, folder).unlisted == {}


@pytest.mark.parametrize(
    ("days", "points"),
    [(0.01, 0), (0.02, 1), (1.0, 1), (1.01, 2), (3.0, 3), (3.01, 10)],
)
def test_what_lateness_costs(days, points):
    assert Rule(10, grace_minutes=15, days=3).penalty(10, days * 86_400) == pytest.approx(points)


def test_a_penalty_never_exceeds_what_was_earned():
    assert Rule(40).penalty(5, 9 * 86_400) == 5
    assert Rule(40).penalty(0, 9 * 86_400) == 0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(59, "1 minute"), (7200, "2 hours"), (90_061, "1 day 1 hour"), (86_460, "1 day 1 minute")],
)
def test_times_are_said_in_two_units(seconds, words):
    assert duration(seconds) == words


def test_times_are_those_of_the_zone(tmp_path):
    (tmp_path / "due.toml").write_text(
        'timezone = "America/New_York"\n[due]\na = 2026-01-05 23:59:00\n'
    )
    assert read_due(tmp_path).dates["a"] == datetime(2026, 1, 6, 4, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[due", "cannot be read"),
        ("[duedates]", "says duedates, which means nothing"),
        ("[due]\na = 2026-01-05 23:59:00", "in which timezone due.a is"),
        ("[due]\na = 2026-01-05", "a date with its time"),
        ('[due]\na = "tomorrow"', "a date with its time"),
        ('timezone = "Mars"', "the timezone 'Mars' is unknown"),
        ("[extensions.b]\nann = 2026-01-05T23:59:00Z", "extensions of 'b', which is not under"),
        (
            "[due]\na = 2026-01-05T23:59:00Z\n[extensions.a]\nann.lee = 2026-01-06T23:59:00Z",
            "stands in quotes",
        ),
        ("[late]\ndays = 3", "percent_per_day (0 to 100) is wanted"),
        ("[late]\npercent_per_day = 110", "It says {'percent_per_day': 110}"),
        ("[late]\npercent_per_day = true", "0 to 100"),
        ("due = 3", "a table [due] is wanted"),
    ],
)
def test_what_cannot_be_meant_is_told(tmp_path, text, words):
    (tmp_path / "due.toml").write_text(text)
    with pytest.raises(CourseError) as caught:
        read_due(tmp_path)
    assert words in str(caught.value)
