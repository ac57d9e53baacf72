"""What checking a notebook came to, as a reader sees it: in a terminal, and below a cell."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from course_lib.assignments.checking import CheckResult, TestResult
from course_lib.grading.course.text import printable

__all__ = ["NOT_WRITTEN", "check_table", "entry", "summary"]

#: What is said of points that no test here gives.
BY_A_PERSON, WITH_GRADING = "a person marks this", "hidden: comes with grading"

#: What the test of a step says that was left as it was handed out.
NOT_WRITTEN = "Not written yet."


def entry(result: TestResult) -> tuple[str, str, str]:
    """Return the points of a test, what is said of it, and a style: its row in a table."""
    if result.points is None:
        said = WITH_GRADING if result.later else BY_A_PERSON
        return f"- / {result.max_points:g}", said, ""
    style = "green" if result.points >= result.max_points else "yellow"
    return f"{result.points:g} / {result.max_points:g}", result.message, style


def check_table(result: CheckResult) -> Table:
    """Return the points and hints of each test."""
    table = Table(box=None, pad_edge=False)
    table.add_column("test")
    table.add_column("points", justify="right")
    table.add_column("hint")
    for test in result.results:
        points, said, style = entry(test)
        # As texts: what a student's code raised is neither markup nor a control sequence.
        table.add_row(Text(printable(test.grade_id)), Text(points, style), Text(printable(said)))
    return table


def summary(result: CheckResult) -> str:
    """Say in a sentence how many points there are, and which ones come later."""
    more = []
    if result.later_points:
        more.append(f"{result.later_points:g} by hidden tests, which come with grading")
    if result.manual_points:
        more.append(f"{result.manual_points:g} by a person")
    points = f"{result.points:g} of {result.max_points:g} points"
    said = ", and ".join([points, *more])
    unwritten = sum(test.message == NOT_WRITTEN for test in result.results)
    if unwritten:
        tests = "1 test is" if unwritten == 1 else f"{unwritten} tests are"
        said += f"; {tests} of steps that are not written yet"
    return said
