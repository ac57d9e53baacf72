"""Grades in the forms that learning platforms take.

Canvas
    A CSV as its gradebook exports and imports it: five columns that say who, one for each
    assignment, and *Points Possible* as the first row (canvas-lms, ``gradebook_importer.rb``).
Moodle
    A CSV for *Grades, Import*, or a grading worksheet that was downloaded from an assignment, with
    its column *Grade* filled in.
Gradescope
    It imports no grades. What it does run is an autograder: here one that looks the student up and
    hands over the points and messages of this gradebook (*Autograder Specifications*).

Where points are not settled yet the field is empty, and not 0.
"""

from __future__ import annotations

import csv
import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, Student

from course_lib.grading.course.folder import GradingError
from course_lib.grading.course.names import alike
from course_lib.grading.exports.tables import (
    MISSING,
    STALE,
    WAITS,
    HandedIn,
    Standing,
    number,
    plain,
    standings,
    write,
)
from course_lib.grading.reports.report import StudentReport
from course_lib.grading.reports.show import listed

__all__ = ["Class", "canvas", "gradescope", "moodle", "worksheet"]


@dataclass
class Class:
    """A class and its points, as the writers here take them.

    Attributes
    ----------
    students : dict
        The gradebook's entry of each student; one who is known by a folder alone has a blank one.
    points : dict
        By student and assignment.
    """

    assignments: list[str]
    students: dict[str, Student]
    points: dict[tuple[str, str], Standing]
    notes: list[str] = field(default_factory=list)

    @classmethod
    def read(
        cls, gradebook: Gradebook, assignments: Iterable[str], handed_in: HandedIn | None = None
    ) -> Class:
        """Return what the gradebook holds."""
        names = list(assignments)
        entries = standings(gradebook, names, handed_in)
        known = {student.id: student for student in gradebook.students}
        students = {
            name: known.get(name) or Student(id=name)
            for name in sorted({entry.student for entry in entries})
        }
        return cls(names, students, {(e.student, e.assignment): e for e in entries})

    def max_score(self, assignment: str) -> float:
        """Return the points that an assignment is worth."""
        return max(e.max_score for e in self.points.values() if e.assignment == assignment)

    def score(self, student: str, assignment: str) -> float | None:
        """Return a student's points; None where they are not settled."""
        return self.points[student, assignment].score

    def note_open(self, *, missing: bool) -> None:
        """Note whose points are not settled; on demand, also who handed in nothing."""
        advice = {
            WAITS: "waits for a person's marks (formgrader: `make lab`)",
            STALE: "is handed in but not graded as it stands (`course grade` says why)",
        }
        if missing:
            advice[MISSING] = "is not handed in"
        for assignment in self.assignments:
            for why, what in advice.items():
                names = [
                    e.student
                    for e in self.points.values()
                    if e.assignment == assignment and e.open == why
                ]
                if names:
                    self.notes.append(
                        f"{assignment} {what}, so that no points are written: {listed(names)}."
                    )
            above = [
                e.student
                for e in self.points.values()
                if e.assignment == assignment and (e.score or 0.0) > e.max_score
            ]
            if above:
                self.notes.append(
                    f"More than all {number(self.max_score(assignment))} points of {assignment}, "
                    f"by extra credit: {listed(above)}. The platform may have to be told to allow "
                    "that."
                )

    def note_alike(self) -> None:
        """Note students who may be one: their points are in two rows."""
        for group in alike(self.students):
            self.notes.append(
                f"{len(group)} students of the gradebook have names that look the same "
                f"({', '.join(map(ascii, group))}). If they are one, remove the one without "
                "submissions with `nbgrader db student remove`, and export again."
            )

    def lacks(self, trait: str) -> list[str]:
        """Return the students of whom the gradebook does not know an email address or such."""
        return [name for name, person in self.students.items() if not usable(person, trait)]

    def note_lacking(self, trait: str, names: list[str], result: str) -> None:
        """Note who lacks something, what follows, and what to do."""
        if names:
            self.notes.append(
                f"The gradebook has no {trait} of {listed(names)}: {result} Add what is missing "
                f"with `nbgrader db student import roster.csv` (columns id and {trait}) and export "
                "again."
            )


def usable(person: Student, trait: str) -> str:
    """Return what tells a platform who a student is; empty if it would be taken for a formula."""
    text = one_line(getattr(person, trait))
    return text if plain(text) == text else ""


def one_line(text: str | None) -> str:
    """Return a text without line breaks, tabs and runs of spaces."""
    return " ".join((text or "").split())


def full_name(person: Student, *, last_first: bool = False) -> str:
    """Return a student's name, or what there is of it."""
    parts = [one_line(person.first_name), one_line(person.last_name)]
    if last_first:
        parts.reverse()
    return plain((", " if last_first else " ").join(part for part in parts if part))


# Canvas

CANVAS_COLUMNS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
POINTS_POSSIBLE = "    Points Possible"


def canvas(group: Class, path: Path) -> None:
    """Write the CSV that Canvas imports in *Gradebook, Import*.

    Canvas looks for a student by ID, then SIS User ID, SIS Login ID and name. nbgrader's
    ``lms_user_id`` is the first where it is a number, else the second; its ``id`` the third.
    """
    lines = [
        (*CANVAS_COLUMNS, *map(plain, group.assignments)),
        (POINTS_POSSIBLE, "", "", "", "", *(number(group.max_score(a)) for a in group.assignments)),
    ]
    for name, person in group.students.items():
        identity = usable(person, "lms_user_id")
        # Canvas reads the digits at the beginning of the column ID, whatever follows them.
        canvas_id, sis_id = (identity, "") if _is_canvas_id(identity) else ("", identity)
        scores = (number(group.score(name, assignment)) for assignment in group.assignments)
        who = (full_name(person, last_first=True), canvas_id, sis_id, usable(person, "id"), "")
        lines.append((*who, *scores))
    group.note_lacking(
        "lms_user_id",
        group.lacks("lms_user_id"),
        "Canvas will look for their nbgrader id among its login names, and then for their names.",
    )
    unknown = [
        name
        for name, person in group.students.items()
        if not any(usable(person, trait) for trait in ("lms_user_id", "id", "last_name"))
    ]
    group.note_lacking("lms_user_id", unknown, "Canvas cannot tell at all who they are.")
    write(path, lines)


def _is_canvas_id(text: str) -> bool:
    return text.isascii() and text.isdigit()


# Moodle

# What Moodle can know a student by: the heading of its own exports, and the gradebook's column.
MOODLE_KEYS = (("Email address", "email"), ("ID number", "lms_user_id"), ("Username", "id"))


def moodle(group: Class, path: Path) -> None:
    """Write the CSV that Moodle imports in *Grades, Import, CSV file*.

    One column says who a student is; whoever lacks it is left out. (Moodle gives the points of a
    row without it to the student of the row before, and stops at one that it does not know.)
    """
    known = [key for key in MOODLE_KEYS if len(group.lacks(key[1])) < len(group.students)]
    heading, trait = (known or MOODLE_KEYS)[0]
    lacking = group.lacks(trait)
    group.note_lacking(trait, lacking, "they are left out of the file.")
    lines = [(heading, "First name", "Last name", *map(plain, group.assignments))]
    for name, person in group.students.items():
        if name in lacking:
            continue
        who = (usable(person, trait), one_line(person.first_name), one_line(person.last_name))
        scores = (number(group.score(name, assignment)) for assignment in group.assignments)
        lines.append((*map(plain, who), *scores))
    group.notes.append(f"In Moodle, map from {heading} to {heading}.")
    write(path, lines)


def worksheet(group: Class, template: Path, path: Path) -> None:
    """Fill in the column *Grade* of a grading worksheet that Moodle gave.

    Its rows carry an identifier and a date that only Moodle knows; all else stays as it is.

    Raises
    ------
    GradingError
        If it is no such worksheet, or does not say who the students are.
    """
    (assignment,) = group.assignments
    try:
        with template.open(newline="", encoding="utf-8-sig") as file:
            header, *lines = [line for line in csv.reader(file) if line] or [[]]
    except UnicodeDecodeError as error:
        raise GradingError(
            f"{template} is not written in UTF-8: some other program has saved it. Download it "
            "from Moodle again."
        ) from error
    # A spreadsheet leaves out what is empty at the end of a row.
    lines = [line + [""] * (len(header) - len(line)) for line in lines]
    keys = [(header.index(h), trait) for h, trait in MOODLE_KEYS if h in header]
    if not {"Identifier", "Grade"} <= set(header) or not keys:
        raise GradingError(
            f"{template} is no grading worksheet of Moodle's in English: it must have the columns "
            "Identifier, Grade, and Email address, ID number or Username. Download it from the "
            "assignment's submissions (Download grading worksheet)."
        )
    place = header.index("Grade")
    traits = [trait for _, trait in keys]
    people = {(t, usable(person, t)): n for n, person in group.students.items() for t in traits}
    filled = set()
    for line in lines:
        name = _named(line, keys, people)
        score = None if name is None else group.score(name, assignment)
        if name is not None and score is not None:
            line[place] = number(score)
            filled.add(name)
    left = [n for n in group.students if n not in filled and group.score(n, assignment) is not None]
    if left:
        group.notes.append(
            f"These have points and no row in {template.name}: {listed(left)}. Look whether their "
            "email addresses are the same in Moodle and in the gradebook."
        )
    _compare_maximum(group, assignment, header, lines)
    write(path, [header, *lines])


def _named(
    line: list[str], keys: list[tuple[int, str]], people: dict[tuple[str, str], str]
) -> str | None:
    """Return the student whom a row of a worksheet is of."""
    fields = [(trait, line[index].strip()) for index, trait in keys]
    return next((people[entry] for entry in fields if entry[1] and entry in people), None)


def _compare_maximum(
    group: Class, assignment: str, header: list[str], lines: list[list[str]]
) -> None:
    columns = [place for place, title in enumerate(header) if title.lower() == "maximum grade"]
    given = {line[column].strip() for column in columns for line in lines} - {""}
    wanted = group.max_score(assignment)
    if {number(wanted)} != {_as_number(text) for text in given}:
        said = ", ".join(sorted(given)) or "not said"
        group.notes.append(
            f"Moodle's maximum grade is {said}, and {assignment} has {number(wanted)} points: set "
            "it to that in Moodle, so that points mean the same."
        )


def _as_number(text: str) -> str:
    """Return a number as it is written here; in some languages it comes as 9,00."""
    try:
        return number(float(text.replace(",", ".")))
    except ValueError:
        return text


# Gradescope

SETUP = """\
#!/usr/bin/env bash
# Made by `course export --format gradescope`.
command -v python3 > /dev/null || (apt-get update && apt-get install -y python3)
"""

RUN = '''\
#!/usr/bin/env python3
"""Hand over the points that were given elsewhere. Nothing of the submission is run.

Made by `course export --format gradescope`.
"""

import hashlib
import json
import pathlib
import sys

HOME = pathlib.Path("/autograder")

if __name__ == "__main__":
    told = json.loads((HOME / "submission_metadata.json").read_text(encoding="utf-8"))
    emails = [user["email"].strip().lower() for user in told["users"]]
    for email in emails:
        name = hashlib.sha256(email.encode()).hexdigest()
        found = HOME / "source" / "results" / f"{name}.json"
        if found.is_file():
            (HOME / "results").mkdir(exist_ok=True)
            (HOME / "results" / "results.json").write_bytes(found.read_bytes())
            break
    else:
        # No points is not 0 points: Gradescope shows that the autograder gave none.
        sys.exit("No points are settled for " + " and ".join(emails))
'''


def gradescope(group: Class, path: Path, read: Callable[[str], StudentReport | None]) -> None:
    """Write an autograder that hands each student's points over to Gradescope.

    Parameters
    ----------
    read : callable
        Returns what grading a student's submission came to, messages fit for the student.
    """
    (assignment,) = group.assignments
    lacking = group.lacks("email")
    group.note_lacking("email", lacking, "Gradescope cannot know them, and they are left out.")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (("setup.sh", SETUP), ("run_autograder", RUN)):
            _add(archive, name, text, executable=True)
        for name, person in group.students.items():
            score = group.score(name, assignment)
            row = None if name in lacking or score is None else read(name)
            if row is not None and score is not None:
                key = usable(person, "email").lower().encode()
                text = json.dumps(results(row, score), ensure_ascii=False, indent=1)
                _add(archive, f"results/{hashlib.sha256(key).hexdigest()}.json", text)
    group.notes.append(
        f"In Gradescope, give the programming assignment {number(group.max_score(assignment))} "
        "autograder points, upload this file as its autograder, and choose Regrade All Submissions."
    )


def _add(archive: zipfile.ZipFile, name: str, text: str, executable: bool = False) -> None:
    # The same points make the same file, whenever it is made.
    entry = zipfile.ZipInfo(name, date_time=(2000, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = (0o755 if executable else 0o644) << 16
    archive.writestr(entry, text)


def results(row: StudentReport, score: float) -> dict[str, Any]:
    """Return a student's points as Gradescope's ``results.json``."""
    said = [*row.notes]
    if row.penalty:
        said.insert(0, f"{number(row.penalty)} points were taken off for handing in late.")
    if row.lateness:
        said.insert(0, row.lateness)
    return {
        # It counts in the place of the sum of the tests: penalties are in it.
        "score": float(number(score)),
        "output": "\n".join(said),
        "visibility": "after_published",
        "stdout_visibility": "hidden",
        "tests": [
            {
                "name": cell.name,
                "score": float(number(cell.score)),
                "max_score": float(number(cell.max_score)),
                "output": cell.message,
            }
            for cell in row.cells
        ],
    }
