"""Names of assignments and students, and the folders that bear them.

nbgrader takes a name for a pattern where it looks for folders: ``hw [1]`` finds ``hw 1``, and ``*``
leaves out ``.ann``. And a name may be written in two ways: ``é`` as one character, or, as macOS
does in file names and archives, as an ``e`` with an accent. Both happens here and nowhere else.
"""

from __future__ import annotations

import fnmatch
import glob
import os
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from unittest import mock

from nbgrader import utils
from nbgrader.coursedir import CourseDirectory

from course_lib.paths import CourseError

__all__ = [
    "ByName",
    "alike",
    "by_name",
    "found_in",
    "matches",
    "move",
    "name_assignment",
    "settled",
]

# Folders that programs leave among those of students.
NOBODY = frozenset((".ipynb_checkpoints",))


def composed(name: str) -> str:
    """Return a name as one writes it: two that look the same are the same then."""
    return unicodedata.normalize("NFC", name)


def alike(names: Iterable[str]) -> list[list[str]]:
    """Return groups of different names that look the same."""
    groups: dict[str, set[str]] = {}
    for name in names:
        groups.setdefault(composed(name), set()).add(name)
    return [sorted(group) for group in groups.values() if len(group) > 1]


def matches(name: str, pattern: str) -> bool:
    """Tell whether a name fits a pattern such as ``a*``; ``*`` stands for a dot in front, too."""
    return fnmatch.fnmatchcase(composed(name), composed(pattern))


def found_in(coursedir: CourseDirectory, step: str, assignment: str) -> list[str]:
    """Return who has a folder in a step's directory of an assignment, sorted.

    Parameters
    ----------
    coursedir : CourseDirectory
    step : str
        The name of the directory, such as ``"submitted"``.
    assignment : str
    """
    structure = coursedir.directory_structure
    names = {"nbgrader_step": glob.escape(step), "assignment_id": glob.escape(assignment)}
    folders = structure.format(student_id="*", **names)
    pattern = os.path.join(glob.escape(coursedir.root), folders)
    before, _, after = coursedir.format_path(step, "\0", assignment).partition("\0")
    found = [
        folder[len(before) : len(folder) - len(after)]
        for folder in glob.glob(pattern, include_hidden=True)
        if os.path.isdir(folder) and folder.startswith(before) and folder.endswith(after)
    ]
    return sorted(set(found) - NOBODY)


def settled(name: str, known: Iterable[str]) -> str:
    """Return how a name is to be written: as it is known, or else composed."""
    same = [other for other in known if composed(other) == composed(name)]
    if name in same:
        return name
    return same[0] if same else composed(name)


def move(before: Path, after: Path) -> None:
    """Give a folder another name.

    Raises
    ------
    CourseError
        If the folder cannot be moved.
    """
    try:
        os.renames(before, after)
    except OSError as error:
        raise CourseError(
            f"The name of its folder is written with accents of their own, as macOS does, and it "
            f"cannot be renamed to {after}: {error.strerror}. Rename it, then run the same command "
            "again."
        ) from error


def name_assignment(coursedir: CourseDirectory, assignment: str) -> None:
    """Let a course directory stand at an assignment.

    Raises
    ------
    CourseError
        If nbgrader could not keep an assignment of that name.
    """
    wrong = ""
    if "+" in assignment:
        wrong = "a +, which stands between the parts of names in nbgrader's exchange"
    elif assignment != assignment.strip():
        wrong = "a blank at an end, which nbgrader takes away"
    elif not assignment or "/" in assignment or os.sep in assignment or assignment in (".", ".."):
        wrong = "what no folder's name has"
    if wrong:
        raise CourseError(
            f"The name of the assignment {assignment!r} has {wrong}. Give its folder another name, "
            "such as 'homework-1'."
        )
    coursedir.assignment_id = assignment


class ByName:
    """What goes before a converter of nbgrader's, so that names are no patterns to it."""

    #: Whose submission it converts.
    student = "."

    def init_notebooks(self) -> None:
        """Find the notebooks of one assignment of one student."""
        coursedir = self.coursedir  # type: ignore[attr-defined]
        folder = self._format_source(coursedir.assignment_id, self.student)  # type: ignore[attr-defined]
        pattern = os.path.join(glob.escape(folder), f"{coursedir.notebook_id}.ipynb")
        self.notebooks: list[str] = []
        found = glob.glob(pattern)
        if not found:
            raise CourseError(f"There is no notebook in {folder}.")
        self.assignments = {folder: found}

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Prepare a submission, in a time that does not grow with the square of its files."""
        with mock.patch.object(utils, "is_ignored", _is_ignored):
            super().init_assignment(assignment_id, student_id)  # type: ignore[misc]


def by_name(converter_class: type) -> type:
    """Return a converter to which names are no patterns."""
    if issubclass(converter_class, ByName):
        return converter_class
    return type(converter_class.__name__, (ByName, converter_class), {})


def _is_ignored(filename: str, patterns: Iterable[str] | None = None) -> bool:
    """Tell what nbgrader's function of that name tells, which reads the whole folder for it."""
    name = os.path.basename(filename)
    return any(
        fnmatch.fnmatch(name, pattern) and (name[:1] != "." or pattern[:1] == ".")
        for pattern in patterns or ()
    )
