"""The roster: who is in the class, and who of them a name from elsewhere means.

It is ``roster.csv`` in the course's folder, with nbgrader's columns (id, first_name, last_name,
email, lms_user_id), or, without such a file, what the gradebook was told of students before they
handed in anything.
"""

from __future__ import annotations

import csv
import difflib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from nbgrader.api import Student

from course_lib.grading.course.folder import Course, GradingError, shown_path

__all__ = ["Found", "Person", "Roster", "read_roster"]

#: The file, and its columns; the first one must be there.
ROSTER = "roster.csv"
COLUMNS = ("id", "first_name", "last_name", "email", "lms_user_id")

#: Letters that no decomposition takes apart.
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe", "ı": "i"})


@dataclass(frozen=True)
class Person:
    """A line of the roster."""

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_user_id: str = ""

    @property
    def name(self) -> str:
        """The full name, or the id where there is none."""
        return " ".join(filter(None, (self.first_name, self.last_name))) or self.id


@dataclass(frozen=True)
class Found:
    """Whom a name from elsewhere means: a student, or nobody, and why."""

    student: str | None
    why: str = ""


@dataclass(frozen=True)
class Roster:
    """A class.

    Attributes
    ----------
    people : dict
        By id.
    """

    people: dict[str, Person] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.people)

    def find(self, *, name: str = "", email: str = "", number: str = "") -> Found:
        """Return whom a learning platform means.

        A number (of the platform, or of the university) goes first, then the email address, then
        the name: whatever its case, accents, order and blanks. Whoever has another number than the
        one that was given is not meant.

        Parameters
        ----------
        name, email, number : str
            What the platform says; empty where it says nothing.
        """
        for given, what in ((number, "number"), (email, "email address")):
            who = [p.id for p in self.people.values() if given and given.lower() in _known(p, what)]
            if len(who) == 1:
                return Found(who[0])
            if who:
                return Found(None, f"{_and(who)} have one {what}, {given}")
        wanted = _letters(name)
        if not wanted:
            return Found(None, f"nobody on the roster has the number {number or email}")
        named = [p for p in self.people.values() if wanted in _spellings(p)]
        if len(named) > 1:
            return Found(None, f"{_and([p.id for p in named])} are called so")
        if not named:
            return Found(None, "nobody on the roster is called so" + self._near(name))
        (person,) = named
        other = person.lms_user_id
        # An id of letters is another kind of number, and says nothing.
        if number and other.isdigit() and number.isdigit() and other != number:
            return Found(None, f"{person.id} is called so, and has the number {other}")
        return Found(person.id)

    def _near(self, name: str) -> str:
        spelled = {spelling: p.id for p in self.people.values() for spelling in _spellings(p)}
        near = difflib.get_close_matches(_letters(name), spelled, n=1, cutoff=0.75)
        return f" ({spelled[near[0]]}?)" if near else ""

    def unlisted(self, names: Iterable[str]) -> dict[str, str]:
        """Return the names of folders that are nobody's id, each with the id that is nearest.

        Where there is no roster, nobody is missing from it.
        """
        if not self:
            return {}
        ids = list(self.people)
        return {
            name: (difflib.get_close_matches(name, ids, n=1, cutoff=0.75) or [""])[0]
            for name in names
            if name not in self.people
        }


def read_roster(course: Course) -> Roster:
    """Return who is in the class; what ``roster.csv`` says goes into the gradebook, too.

    Raises
    ------
    GradingError
        If the file cannot be read, has no column ``id``, or has an id twice.
    """
    path = course.folder / ROSTER
    with course.gradebook() as gradebook:
        known = {student.id: student for student in gradebook.students}
        if not path.is_file():
            # Who is known by a folder alone has come with a submission.
            entered = {
                id: Person(id, *(getattr(student, column) or "" for column in COLUMNS[1:]))
                for id, student in known.items()
            }
            return Roster({id: p for id, p in entered.items() if p != Person(id)})
        people = _read(path)
        for person in people.values():
            told = {column: getattr(person, column) for column in COLUMNS[1:]}
            told = {column: text for column, text in told.items() if text}
            student = known.get(person.id)
            if student is None:
                gradebook.db.add(Student(id=person.id, **told))
            else:
                for column, text in told.items():
                    setattr(student, column, text)
        gradebook.db.commit()
    return Roster(people)


def _read(path: Path) -> dict[str, Person]:
    where = shown_path(path)
    try:
        # Spreadsheets put a mark of the byte order first, and semicolons where commas are decimal.
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise GradingError(f"{where} is not written in UTF-8. Save it as CSV in UTF-8.") from None
    first = text.partition("\n")[0]
    rows = list(csv.DictReader(text.splitlines(), delimiter=";" if ";" in first else ","))
    if not rows or "id" not in rows[0]:
        raise GradingError(
            f"{where} has no column id. Its first line must name the columns: {', '.join(COLUMNS)} "
            "(all but id may be left out)."
        )
    people: dict[str, Person] = {}
    for row in rows:
        values = {column: (row.get(column) or "").strip() for column in COLUMNS}
        values = {key: unicodedata.normalize("NFC", value) for key, value in values.items()}
        name = values["id"]
        if not name:
            continue
        if name in people:
            raise GradingError(f"{where} has the id {name} twice. An id is one student's.")
        if "/" in name or "\\" in name or name in (".", "..") or "+" in name:
            raise GradingError(
                f"{where} has the id {name!r}, which cannot be a folder's name. Choose one without "
                "/, \\ and +."
            )
        people[name] = Person(**values)
    return people


def _known(person: Person, what: str) -> set[str]:
    """Return what tells a person by a number or an address, in small letters."""
    if what == "email address":
        return {person.email.lower()} - {""}
    return {person.lms_user_id.lower(), person.id.lower()} - {""}


def _letters(text: str) -> str:
    """Return the letters and digits of a name, small and without accents, its words in order."""
    return "".join(sorted(_words(text)))


def _words(text: str) -> list[str]:
    parts = unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN))
    letters = "".join(char for char in parts if not unicodedata.combining(char))
    return re.findall(r"\w+", letters.replace("_", " "))


def _spellings(person: Person) -> set[str]:
    """Return how platforms write a name: in either order, with blanks and without."""
    first, last = _words(person.first_name), _words(person.last_name)
    if not first + last:
        return {_letters(person.id)}
    return {"".join(sorted(first + last)), "".join(last + first), "".join(first + last)}


def _and(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
