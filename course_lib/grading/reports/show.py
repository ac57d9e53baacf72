"""What grading came to, as a person reads it in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from course_lib.grading.course.due import duration
from course_lib.grading.course.text import printable
from course_lib.grading.reports.report import Collected, Report, StudentReport
from course_lib.grading.reports.similar import LENGTH, WINDOW, Passage, Similar

__all__ = ["class_table", "collected", "outcome", "passages_table", "similar_table", "unlisted"]

# A class that is larger is shown by those whom a person should look at.
SMALL_CLASS = 60

# How many of the slowest are named, and of the pairs and passages that are alike.
SLOWEST = 3
NAMED = 10
PAIRS = 50
PASSAGES = 12


def _table(*headings: str, right: tuple[str, ...] = ()) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="right" if heading in right else "left")
    return table


def _row(table: Table, *fields: str) -> None:
    # As texts: what students named or raised is neither markup nor a control sequence.
    table.add_row(*(Text(printable(field)) for field in fields))


def class_table(report: Report, *, everybody: bool = True) -> Table:
    """Return a class's scores: everybody's, or those whom a person should look at."""
    late = ["late"] * any(row.late for row in report.students)
    table = _table("student", "points", *late, "state", right=("points",))
    for row in report.students:
        if everybody or row.failed or row.status != "graded" or row.suspicious:
            points = "-" if row.failed else f"{row.score:g} / {row.max_score:g}"
            state = row.status + (f": {row.reason}" if row.reason else "")
            came = [_late(row)] * len(late)
            _row(table, row.student, points, *came, "\n".join([state, *row.notes]))
    return table


def _late(row: StudentReport) -> str:
    """Return how late a submission came, and what that cost."""
    said = duration(row.late) if row.late else ""
    return f"{said} (-{row.penalty:g})" if row.penalty else said


def unlisted(names: Mapping[str, str]) -> str:
    """Say who is not on the roster, and who may be meant."""
    told = [name + (f" ({near}?)" if near else "") for name, near in names.items()]
    return (
        f"Not on the roster: {listed(told)}. They are graded under these names. Is one misspelled? "
        "Rename the folder, or add a line to roster.csv."
    )


def outcome(report: Report) -> Iterator[RenderableType]:
    """Yield what a teacher wants to know at the end, one thing after the other."""
    small = len(report.students) <= SMALL_CLASS
    table = class_table(report, everybody=small)
    if table.row_count:
        yield table
    if report.unlisted:
        yield Text(printable(f"\n{unlisted(report.unlisted)}"))
    if not small:
        yield Text(f"\n{len(report.students) - table.row_count} others are graded.")
    yield Text(f"\n{_count(report)}")
    slowest = _slowest(report)
    if slowest:
        named = ", ".join(f"{row.student} {row.seconds:.1f} s" for row in slowest)
        yield Text(printable(f"Slowest: {named}"))
    if any(row.suspicious for row in report.students):
        yield Text("\nWorth a look, without judging anybody:")
        looked = _table("student", "what was seen")
        for row in report.students:
            for number, sentence in enumerate(row.suspicious):
                _row(looked, row.student if number == 0 else "", sentence)
        yield looked
    if report.similar:
        pairs = "pair of submissions is" if report.similar == 1 else "pairs of submissions are"
        yield Text(
            f"\n{report.similar} {pairs} unusually alike: `course similar {report.assignment}` "
            "shows them."
        )
    if report.changes:
        yield Text("\nPoints that changed:")
        yield changes_table(report)


def _count(report: Report) -> str:
    count, failed, waiting = len(report.students), len(report.failed), len(report.waiting)
    rate = f" ({60 * count / report.seconds:.0f} a minute)" if report.seconds and count else ""
    some = "1 submission" if count == 1 else f"{count} submissions"
    return (
        f"{some} in {report.seconds:.0f} s{rate}: {count - failed - waiting} graded, "
        f"{waiting} {'waits' if waiting == 1 else 'wait'} for a person's marks, "
        f"{failed} could not be graded"
    )


def _slowest(report: Report) -> list[StudentReport]:
    timed = [row for row in report.students if row.seconds is not None]
    return sorted(timed, key=lambda row: -(row.seconds or 0.0))[:SLOWEST]


def changes_table(report: Report) -> Table:
    """Return whose points changed: each cell, and the sum."""
    table = _table("student", "cell", "before", "after", "", right=("before", "after"))
    for change in report.changes:
        for number, cell in enumerate(change.cells):
            before = "new" if cell.before is None else f"{cell.before:g}"
            kept = "" if cell.kept is None else f"a person gave {cell.kept:g}, which stands"
            who = change.student if number == 0 else ""
            _row(table, who, cell.name, before, f"{cell.after:g}", kept)
        who = "" if change.cells else change.student
        _row(table, who, "all", f"{change.before:g}", f"{change.after:g}", "")
    return table


# What was collected


def collected(result: Collected) -> Iterator[RenderableType]:
    """Yield what became of each submission of an archive, those that need a person first."""
    table = _table("in the archive", "student", "handed in", "what became of it")
    for row in sorted(result.rows, key=lambda row: row.student is not None):
        when = f"{row.time:%Y-%m-%d %H:%M} UTC" if row.time else ""
        when = ", ".join(filter(None, (when, "late" if row.late else "")))
        _row(table, row.label, row.student or "-", when, row.outcome)
    yield table
    taken = len(result.rows) - len(result.unmatched)
    yield Text(f"\n{taken} of {len(result.rows)} submissions have their place.")
    if result.unmatched:
        yield Text(
            printable(
                f"The others are in the archive as before. Write into {result.matches} whose they "
                "are, then run the same command again."
            )
        )
    if any(row.late and not row.time for row in result.rows):
        yield Text(
            "Canvas says who was late, and not by how much: where that counts, write the time into "
            f"submitted/STUDENT/{result.assignment}/timestamp.txt (2026-11-22 12:00:00 UTC)."
        )
    if result.left:
        yield Text(printable(f"Left in the archive: {listed(result.left)}"))
    if result.missing:
        yield Text(printable(f"On the roster, and nothing handed in: {listed(result.missing)}"))


def listed(names: list[str]) -> str:
    """Return names as a sentence holds them."""
    rest = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {rest} more" if rest > 0 else "")


# Submissions that are alike


def similar_table(result: Similar) -> Iterator[RenderableType]:
    """Yield the pairs that are alike, and what that means."""
    if not result.pairs:
        yield Text(f"Of {result.compared} submissions none are unusually alike.")
    else:
        table = _table("", "", "alike", "fingerprints", right=("alike", "fingerprints"))
        for pair in result.pairs[:PAIRS]:
            _row(table, pair.first, pair.second, f"{100 * pair.share:.0f} %", f"{pair.evidence:g}")
        yield table
        if len(result.pairs) > PAIRS:
            yield Text(f"and {len(result.pairs) - PAIRS} more pairs (--json lists all)")
        first = result.pairs[0]
        yield Text(
            "\nAlike: what part of the smaller one's own code, weighed by how rare it is in the "
            "class, the other has too, under whatever names. This judges nobody: two people may "
            "have worked together, or read the same page. Look at the passages: "
            f"`course similar {result.assignment} --pair {first.first} {first.second}`"
        )
    if result.unread:
        yield Text(printable(f"Could not be read: {', '.join(result.unread)}"))


def passages_table(first: str, second: str, found: list[Passage]) -> Iterator[RenderableType]:
    """Yield the passages of two submissions side by side, longest first."""
    long = [part for part in found if part.tokens >= LENGTH + WINDOW - 1]
    if not long:
        yield Text(f"{printable(first)} and {printable(second)} share no passage of some length.")
        return
    for part in long[:PASSAGES]:
        grid = Table.grid(expand=True)
        grid.add_column(ratio=1)
        grid.add_column(ratio=1)
        grid.add_row(
            _panel(first, part.first_cell, part.first_lines, part.first_text),
            _panel(second, part.second_cell, part.second_lines, part.second_text),
        )
        yield Group(grid)
    if len(long) > PASSAGES:
        yield Text(f"and {len(long) - PASSAGES} shorter ones (--json lists all)")


def _panel(who: str, cell: str, lines: tuple[int, int], text: str) -> Panel:
    place = f"{who}: {cell}, lines {lines[0]} to {lines[1]}"
    return Panel(Text(printable(text)), title=Text(printable(place)), title_align="left")
