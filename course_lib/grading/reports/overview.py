"""A page for the teacher: what an assignment came to, and which ideas the class has not got.

One HTML file without scripts, which asks the network for nothing. Everything that students can
have named or raised is text in it: the template escapes whatever it is given.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean, median
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from course_lib.grading.course.due import duration
from course_lib.grading.course.text import printable
from course_lib.grading.reports.ideas import Idea
from course_lib.grading.reports.report import Report, StudentReport
from course_lib.grading.reports.similar import Similar

__all__ = ["CellPoints", "Overview", "page", "points_by_cell"]

# Ideas that stand open on the page; the others are a click away.
OPEN = 15

# Of the slowest and of the pairs that are alike, so many are shown.
SLOWEST = 10
PAIRS = 30

# Bars of the distribution.
BARS = 10


@dataclass
class CellPoints:
    """How a class fared in one graded cell."""

    name: str
    step: str
    max_score: float
    manual: bool = False
    full: int = 0
    part: int = 0
    none: int = 0
    waiting: int = 0
    points: list[float] = field(default_factory=list)
    """Of those whose points stand."""

    @property
    def mean(self) -> float | None:
        """Mean points; None while all wait for marks."""
        return fmean(self.points) if self.points else None

    @property
    def count(self) -> int:
        """How many students have the cell."""
        return self.full + self.part + self.none + self.waiting


@dataclass
class Overview:
    """What the page shows.

    Attributes
    ----------
    report : Report
        What grading came to.
    ideas : list of Idea
        What students were told, the most frequent first.
    tests : list of CellPoints
        In the notebook's order.
    names : mapping
        Names as the roster has them, by id.
    missing : list of str
        Ids of the roster that have handed in nothing.
    seconds : mapping
        How long each submission ran.
    alike : Similar, optional
        Submissions that are alike.
    sections : mapping
        Where the sections that hints name can be read: address by title.
    pages : mapping
        The feedback page of each student, relative to the overview.
    """

    report: Report
    ideas: list[Idea] = field(default_factory=list)
    tests: list[CellPoints] = field(default_factory=list)
    names: Mapping[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    seconds: Mapping[str, float] = field(default_factory=dict)
    alike: Similar | None = None
    sections: Mapping[str, str] = field(default_factory=dict)
    pages: Mapping[str, str] = field(default_factory=dict)


def points_by_cell(report: Report, steps: Mapping[str, str]) -> list[CellPoints]:
    """Return how the class fared in each graded cell, in the order of `steps`."""
    found: dict[str, CellPoints] = {}
    for row in report.students:
        for cell in row.cells:
            entry = found.get(cell.name)
            if entry is None:
                step = steps.get(cell.name, "")
                entry = found[cell.name] = CellPoints(cell.name, step, cell.max_score, cell.manual)
            if cell.waiting:
                entry.waiting += 1
                continue
            entry.points.append(cell.score)
            if cell.score >= cell.max_score:
                entry.full += 1
            elif cell.score > 0:
                entry.part += 1
            else:
                entry.none += 1
    order = {name: place for place, name in enumerate(steps)}
    return sorted(found.values(), key=lambda entry: order.get(entry.name, len(order)))


def page(overview: Overview, now: datetime | None = None) -> str:
    """Return the page.

    Parameters
    ----------
    overview : Overview
    now : datetime, optional
        What the page gives as its date; the present time by default.
    """
    report = overview.report
    graded = [row for row in report.students if not row.failed]
    rows = sorted(report.students, key=lambda row: _sorted_by(overview, row.student))
    slowest = sorted(overview.seconds, key=lambda name: -overview.seconds[name])[:SLOWEST]
    return (
        _environment()
        .get_template("overview.html.j2")
        .render(
            overview=overview,
            report=report,
            rows=rows,
            graded=graded,
            late=[row for row in rows if row.late],
            looked=[row for row in rows if row.suspicious],
            failed=[row for row in rows if row.failed],
            waiting=[row for row in rows if row in report.waiting],
            mean=fmean(row.score for row in graded) if graded else None,
            median=median(row.score for row in graded) if graded else None,
            most=max((row.max_score for row in graded), default=0.0),
            bars=_bars(graded),
            steps=_by_step(overview.tests),
            hints=[idea for idea in overview.ideas if idea.kind == "hint"],
            open=OPEN,
            unwritten=[idea for idea in overview.ideas if idea.kind == "unwritten"],
            others=[idea for idea in overview.ideas if idea.kind == "other"],
            step_of={test.name: test.step for test in overview.tests},
            slowest=[(name, overview.seconds[name]) for name in slowest],
            pairs=overview.alike.pairs[:PAIRS] if overview.alike else [],
            more_pairs=max(0, len(overview.alike.pairs) - PAIRS) if overview.alike else 0,
            missing=sorted(overview.missing, key=lambda name: _sorted_by(overview, name)),
            now=(now or datetime.now(UTC)).astimezone(UTC),
        )
    )


def _sorted_by(overview: Overview, student: str) -> tuple[str, str]:
    """Return what students are sorted by: the last name first, as in a roster."""
    words = overview.names.get(student, "").casefold().split()
    return (" ".join([*words[-1:], *words[:-1]]) or student.casefold(), student)


@dataclass(frozen=True)
class Bar:
    """A bar of the distribution: from and to in percent of all points, and how many are there."""

    low: int
    high: int
    count: int
    share: float
    """Of the highest bar."""


def _bars(graded: list[StudentReport]) -> list[Bar]:
    counts = [0] * BARS
    for row in graded:
        share = row.score / row.max_score if row.max_score else 0.0
        counts[min(BARS - 1, max(0, int(BARS * share)))] += 1
    width = 100 // BARS
    top = max(counts, default=0) or 1
    return [Bar(n * width, (n + 1) * width, count, count / top) for n, count in enumerate(counts)]


def _by_step(tests: list[CellPoints]) -> list[tuple[str, list[CellPoints]]]:
    """Return the tests of each step, in order."""
    found: list[tuple[str, list[CellPoints]]] = []
    for test in tests:
        if not found or found[-1][0] != test.step:
            found.append((test.step, []))
        found[-1][1].append(test)
    return found


@functools.cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_fit,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["duration"] = duration
    made.filters["g"] = lambda value: f"{value:.3g}" if value % 1 else f"{value:g}"
    made.filters["address"] = lambda path: quote(path, safe="/#.-_")
    return made


def _fit(value: Any) -> Any:
    """Return what is shown with nothing in it that hides, or turns the direction of writing."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value
