"""What grading a class came to: a row for each student, cell by cell."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

__all__ = [
    "Collected",
    "CollectedRow",
    "GRADED",
    "NEEDS_A_PERSON",
    "CellChange",
    "CellScore",
    "Change",
    "Report",
    "StudentReport",
]

GRADED = "graded"
NEEDS_A_PERSON = "needs a person"


@dataclass(slots=True)
class CellScore:
    """The points of one graded cell."""

    name: str
    score: float
    max_score: float
    manual: bool = False
    """Whether a person marks this cell."""
    waiting: bool = False
    """Whether it still waits for that person."""
    message: str = ""
    """What the student is told about lost points, as one line or a few."""


@dataclass
class StudentReport:
    """What became of one submission."""

    student: str
    status: str = GRADED
    """`GRADED` or `NEEDS_A_PERSON`."""
    score: float = 0.0
    """Points after a late penalty, if there is one."""
    max_score: float = 0.0
    penalty: float = 0.0
    late: float = 0.0
    """Seconds after the due date, an extension included; 0 in time."""
    lateness: str = ""
    """The same in a sentence for the student, with what it costs."""
    reason: str = ""
    """Why a person is needed, and what to do."""
    failed: bool = False
    """Whether the submission could not be graded. Answers that wait to be marked are no failure."""
    cells: list[CellScore] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What was mended in the copy that was graded, and other things worth knowing."""
    seconds: float | None = None
    """How long it took; None when it had been graded before."""
    suspicious: list[str] = field(default_factory=list)
    """What is worth a look, a sentence each. It judges nobody, and no point depends on it."""

    def points(self) -> dict[str, float]:
        """Return the points of each graded cell by its name."""
        return {cell.name: cell.score for cell in self.cells}


@dataclass(slots=True)
class CellChange:
    """The points of a cell before and after it was graded again."""

    name: str
    before: float | None
    """None for a cell that was not there yet."""
    after: float
    kept: float | None = None
    """What a person gave, if anything: that stands, whatever the tests give."""


@dataclass(slots=True)
class Change:
    """How a student's points changed when the submission was graded again."""

    student: str
    before: float
    """All points, after a late penalty."""
    after: float
    cells: list[CellChange] = field(default_factory=list)


@dataclass
class Report:
    """What grading an assignment came to."""

    assignment: str
    students: list[StudentReport] = field(default_factory=list)
    seconds: float = 0.0
    changes: list[Change] = field(default_factory=list)
    """Whose points are others than before, where submissions were graded again."""
    similar: int = 0
    """How many pairs of submissions `course similar` has to show."""
    unlisted: dict[str, str] = field(default_factory=dict)
    """Who has handed in and is not on the roster, each with the id there that is nearest."""

    def __getitem__(self, student: str) -> StudentReport:
        """Return the row of one student."""
        for row in self.students:
            if row.student == student:
                return row
        raise KeyError(student)

    @property
    def failed(self) -> list[StudentReport]:
        """The submissions that could not be graded."""
        return [row for row in self.students if row.failed]

    @property
    def waiting(self) -> list[StudentReport]:
        """The graded submissions with answers that a person has yet to mark."""
        return [r for r in self.students if r.status == NEEDS_A_PERSON and not r.failed]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Report:
        """Return the report that `to_dict` was called on."""
        students = [
            StudentReport(**{**row, "cells": [CellScore(**cell) for cell in row["cells"]]})
            for row in data["students"]
        ]
        changes = [
            Change(**{**change, "cells": [CellChange(**cell) for cell in change["cells"]]})
            for change in data.get("changes", [])
        ]
        return cls(**{**data, "students": students, "changes": changes})


@dataclass
class CollectedRow:
    """What became of one submission of an archive."""

    label: str
    """How the archive calls it."""
    student: str | None = None
    """Whose it is; None where nobody is known to be meant, or it was not taken."""
    time: datetime | None = None
    late: bool | None = None
    """What the platform says."""
    outcome: str = ""
    """Where it went, or why nowhere."""


@dataclass
class Collected:
    """What collecting an archive came to."""

    assignment: str
    rows: list[CollectedRow]
    left: list[str]
    """Files of the archive that are nobody's, or may not be unpacked."""
    missing: list[str]
    """Who is on the roster and has handed in nothing."""
    matches: str = ""
    """The file in which a teacher says who is meant."""

    @property
    def unmatched(self) -> list[CollectedRow]:
        """What was not taken."""
        return [row for row in self.rows if row.student is None]
