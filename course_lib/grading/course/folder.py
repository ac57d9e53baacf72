"""An nbgrader course folder: its configuration, its paths, its gradebook."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from nbformat.warnings import DuplicateCellId, MissingIDFieldWarning
from nbgrader.api import Course as CourseEntry
from nbgrader.api import Gradebook, Student
from nbgrader.apps.baseapp import NbGrader
from nbgrader.converters import GenerateAssignment, GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SQLAlchemyError
from traitlets.config import Config, LoggingConfigurable

from course_lib.grading.course.config import (
    LATE_PENALTY,
    STAND_INS,
    find_alembic,
    late_penalties,
    safe_pages,
)
from course_lib.grading.course.faults import gradebook_fault, shown, without_password
from course_lib.grading.course.names import (
    alike,
    by_name,
    found_in,
    matches,
    move,
    name_assignment,
    settled,
)
from course_lib.grading.course.text import decoded
from course_lib.grading.course.times import instant
from course_lib.paths import CourseError

__all__ = ["Course", "FolderOrCourse", "GradingError", "course_in", "shown_path"]

# Seconds to wait for a gradebook that another program writes to. A course says otherwise with
# `c.Gradebook.wait` in its nbgrader_config.py.
LOCKED_FOR = 30.0

# Seconds within which a gradebook's server must answer, where the environment says nothing.
_SERVER_WITHIN = "20"


class GradingError(CourseError):
    """Something a teacher can put right; the message says how."""


class Course:
    """The nbgrader course in a folder.

    Its own ``nbgrader_config.py`` is loaded and honored. Where that file does not say otherwise,
    notebooks are run and mended, and pages are made safe, as in this course.

    Parameters
    ----------
    folder : path
        The folder that holds the course.

    Raises
    ------
    GradingError
        If there is no such folder, or its configuration cannot be loaded.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder).expanduser().resolve()
        if not self.folder.is_dir():
            raise GradingError(f"There is no course folder {self.folder}.")
        self.log = _quiet_log()
        find_alembic()
        # Plugins that the configuration names (of late penalties, of exports) may lie beside it.
        if str(self.folder) not in sys.path:
            sys.path.append(str(self.folder))
        os.environ.setdefault("PGCONNECT_TIMEOUT", _SERVER_WITHIN)
        self.config = self._load()
        self.wait = self._wait()
        self.coursedir = CourseDirectory(parent=_Parent(config=self.config, log=self.log))

    def _load(self) -> Config:
        """Return the configuration that nbgrader's own commands use in this folder."""
        app = NbGrader()
        app.log = self.log
        app.raise_config_file_errors = True
        with _inside(self.folder):
            try:
                app.load_config_file()
            except Exception as error:
                raise GradingError(
                    f"The configuration of the course in {self.folder} cannot be loaded: "
                    f"{type(error).__name__}: {error}"
                ) from error
        config = app.config
        if "root" not in config.CourseDirectory:
            config.CourseDirectory.root = str(self.folder)
        config.CourseDirectory.root = str(self.folder / config.CourseDirectory.root)
        safe_pages(config)
        late_penalties(config, self.folder)
        return config

    def counts_lateness(self) -> bool:
        """Tell whether ``due.toml`` says what lateness costs, and no plugin of the course's own."""
        return self.config.AssignLatePenalties.get("plugin_class") == LATE_PENALTY

    def _wait(self) -> float:
        """Return how many seconds a locked gradebook is waited for."""
        wait = self.config.Gradebook.get("wait", LOCKED_FOR)
        if isinstance(wait, int | float) and wait >= 0:
            return float(wait)
        raise GradingError(
            f"c.Gradebook.wait is {wait!r} in the nbgrader_config.py of {self.folder}. It must be "
            "a number of seconds, such as 30."
        )

    @contextmanager
    def gradebook(self) -> Iterator[Gradebook]:
        """Open the gradebook.

        Raises
        ------
        GradingError
            If it cannot be used, now or in the middle.
        """
        with ExitStack() as stack:
            stack.enter_context(quiet())
            try:
                opened = Gradebook(self.coursedir.db_url, self.coursedir.course_id)
                _name_the_course(opened, self.coursedir.course_id)
            except (SQLAlchemyError, ImportError, ValueError) as error:
                raise self.gradebook_error(error) from error
            try:
                yield stack.enter_context(opened)
            except SQLAlchemyError as error:
                raise self.gradebook_error(error) from error

    def gradebook_error(self, error: BaseException) -> GradingError:
        """Return what went wrong with the gradebook, in words that say what to do."""
        return GradingError(gradebook_fault(error, self.coursedir.db_url, self.wait))

    @property
    def gradebook_name(self) -> str:
        """The gradebook's URL, without a password."""
        return shown(self.coursedir.db_url)

    # Paths

    def path(self, step: str, student: str, assignment: str) -> Path:
        """Return the folder of a step (``"submitted"``, ``"autograded"``, ...)."""
        directory = getattr(self.coursedir, f"{step}_directory")
        return Path(self.coursedir.format_path(directory, student, assignment))

    def submissions(self, assignment: str, students: str = "*") -> list[str]:
        """Return the names of the students who handed in, sorted. `students` is a pattern."""
        return [name for name in self._handed_in(assignment, students) if _is_text(name)]

    def nameless(self, assignment: str, students: str = "*") -> list[str]:
        """Return what can be shown of names that are no text, which no gradebook can hold."""
        found = [name for name in self._handed_in(assignment, students) if not _is_text(name)]
        return [os.fsencode(name).decode("utf-8", "backslashreplace") for name in found]

    def settle_names(self, assignment: str, names: list[str]) -> tuple[list[str], dict[str, str]]:
        """Give folders of submissions the names of their students, where a name has two spellings.

        Parameters
        ----------
        assignment : str
        names : list of str
            Students who handed in.

        Returns
        -------
        list of str, dict of str to str
            Whose submission can be found by the student's name; and whose cannot, with the reason.
        """
        everybody = self.submissions(assignment)
        # Two folders for what looks like one name: nobody but a person knows which of them counts.
        twice = {name: group for group in alike(everybody) for name in group}
        with self.gradebook() as gradebook:
            known = [name for (name,) in gradebook.db.query(Student.id)]
        good, bad = [], {}
        for name in names:
            if name in twice:
                bad[name] = (
                    f"{len(twice[name])} folders have names that look like this one "
                    f"({', '.join(map(ascii, twice[name]))}). Keep the one that counts under the "
                    "name that the gradebook has, then run the same command again."
                )
                continue
            right = settled(name, known)
            try:
                if right != name:
                    move(*(self.path("submitted", who, assignment) for who in (name, right)))
                good.append(right)
            except CourseError as error:
                bad[name] = str(error)
        return good, bad

    def _handed_in(self, assignment: str, students: str) -> list[str]:
        found = found_in(self.coursedir, self.coursedir.submitted_directory, assignment)
        return [name for name in found if matches(name, students)]

    # nbgrader's converters

    def convert(self, converter_class: type, assignment: str, student: str, force: bool) -> Result:
        """Run one of nbgrader's converters on one submission (or, for a release, on a source)."""
        converter = self.converter(converter_class, assignment, force=force)
        return self.run(converter, student)

    def converter(self, converter_class: type, assignment: str, *, force: bool) -> Any:
        """Return one of nbgrader's converters, with this course's stand-ins."""
        parent = _Parent(config=self.config, log=self.log)
        coursedir = _Directory(parent=parent)
        name_assignment(coursedir, assignment)
        converter = by_name(converter_class)(coursedir=coursedir, parent=parent)
        converter.log = self.log
        converter.force = force
        for name in ("sanitize_preprocessors", "autograde_preprocessors"):
            if converter.has_trait(name):
                setattr(converter, name, [stand_in(pp) for pp in getattr(converter, name)])
        if issubclass(converter_class, GenerateFeedback):
            converter.preprocessors = _with_mask(converter.preprocessors)
        if issubclass(converter_class, GenerateAssignment):
            converter.preprocessors = [stand_in(pp) for pp in converter.preprocessors]
        return converter

    def run(self, converter: Any, student: str, action: Callable[[], Any] | None = None) -> Result:
        """Let a converter do its work (or another action of it) on one submission."""
        converter.student = converter.coursedir.student_id = student
        records = _Records()
        self.log.addHandler(records)
        try:
            with quiet():
                (action or converter.start)()
        except KeyboardInterrupt:
            raise
        except (Exception, SystemExit) as error:
            said = _first_line(error)
            ours = isinstance(error, CourseError)
            if action is not None and not ours and said != type(error).__name__:
                said = f"{type(error).__name__}: {said}"
            cause = without_password(records.cause() or said, self.coursedir.db_url)
            return Result(False, cause, records.text())
        finally:
            self.log.removeHandler(records)
        return Result(True, "", records.text())


#: Whoever names a course names its folder.
FolderOrCourse = Path | str | Course


def course_in(course: FolderOrCourse) -> Course:
    """Return the course in a folder."""
    return course if isinstance(course, Course) else Course(course)


def shown_path(path: Path) -> str:
    """Return a path as short as it can be said from here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _name_the_course(gradebook: Gradebook, name: str) -> None:
    """Enter a course without a name, as nbgrader does with others.

    Assignments refer to it; SQLite does not mind, but servers insist that it is there.
    """
    if gradebook.engine.dialect.name == "sqlite":
        return
    if gradebook.db.get(CourseEntry, name) is None:
        gradebook.db.add(CourseEntry(id=name))
        gradebook.db.commit()


@dataclass
class Result:
    """How a converter ended."""

    success: bool
    cause: str
    """The line that says why not."""
    log: str


class _Parent(LoggingConfigurable):
    """What converters look for in the application that starts them."""

    logfile = ""

    def __init__(self, log: logging.Logger, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.log = log


class _Directory(CourseDirectory):
    """nbgrader's course directory, which reads times for what they are."""

    def get_existing_timestamp(self, dest_path: str) -> datetime | None:
        """Return when something was handed in, in UTC, if it says."""
        path = Path(dest_path, "timestamp.txt")
        # What grading refuses may lie there from an earlier time.
        with suppress(ValueError):
            text = decoded(path.read_bytes()).strip() if path.is_file() else ""
            return instant(text) if text else None
        return None


class _Records(logging.Handler):
    """Keep what a converter logs, for the report."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[tuple[int, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        # Now: what is logged may be an entry of the gradebook, which says nothing once it is shut.
        self.lines.append((record.levelno, record.getMessage().rstrip()))

    def text(self) -> str:
        return "\n".join(f"{logging.getLevelName(level)}: {line}" for level, line in self.lines)

    def cause(self) -> str:
        """Return the last line of the first traceback: what went wrong, in its own words."""
        errors = [message for level, message in self.lines if level >= logging.ERROR]
        for message in errors:
            # What it came of may stand before it, without a traceback of its own.
            if "Traceback (most recent call last):" in message.splitlines():
                last = [line for line in message.splitlines() if line and line[0] != " "][-1]
                name, separator, rest = last.partition(": ")
                return f"{name.rpartition('.')[2]}{separator}{rest}"
        return errors[0].strip().splitlines()[0] if errors else ""


def stand_in(preprocessor: Any) -> Any:
    """Return what takes the place of one of nbgrader's own preprocessors."""
    name = preprocessor
    if isinstance(preprocessor, type):
        name = f"{preprocessor.__module__}.{preprocessor.__qualname__}"
    for known, replacement in STAND_INS.items():
        module, _, short = known.rpartition(".")
        if name in (known, f"{module.rpartition('.')[0]}.{short}"):
            return replacement
    return preprocessor


def _with_mask(preprocessors: list[Any]) -> list[Any]:
    """Return the preprocessors of a feedback page, hidden tests masked."""
    mask = "course_lib.grading.pages.feedback.MaskHiddenTests"
    stand_ins = [stand_in(preprocessor) for preprocessor in preprocessors]
    if mask in stand_ins:
        return stand_ins
    # It lists the points, so it comes after they were read.
    grades = "course_lib.grading.pages.feedback.GetGrades"
    place = stand_ins.index(grades) + 1 if grades in stand_ins else len(stand_ins)
    return [*stand_ins[:place], mask, *stand_ins[place:]]


def _quiet_log() -> logging.Logger:
    """Return a logger that keeps to itself: progress and the report say what people need."""
    log = logging.getLogger("course_lib.grading")
    log.setLevel(logging.INFO)
    log.propagate = False
    if not log.handlers:
        log.addHandler(logging.NullHandler())
    return log


@contextmanager
def quiet() -> Iterator[None]:
    """Silence what tells a teacher nothing.

    SQLAlchemy 2 warns of nbgrader's order of insertion, which is harmless. nbformat warns of cells
    that share an id or have none; it mends them as it reads. nbgrader's gradebook writes a
    traceback for each thing that the database refuses, and then raises an error that we explain.
    """
    with warnings.catch_warnings(), _disabled(logging.getLogger("tornado.application")):
        warnings.simplefilter("ignore", DuplicateCellId)
        warnings.simplefilter("ignore", MissingIDFieldWarning)
        warnings.filterwarnings("ignore", message="Object of type .* not in session")
        yield


@contextmanager
def _disabled(log: logging.Logger) -> Iterator[None]:
    before = log.disabled
    log.disabled = True
    try:
        yield
    finally:
        log.disabled = before


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """Change to a folder for a while: configuration files are written for that."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _is_text(name: str) -> bool:
    """Tell whether a file's name is text; other bytes are kept in it as lone surrogates."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


Progress = Callable[[str, int, int], None]
"""Called with a student's name, how many are done, and how many there are."""

Say = Callable[[str], None]
"""Called with a sentence for the person who looks on: what is waited for, and how long."""
