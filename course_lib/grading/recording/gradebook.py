"""One writer for the gradebook: a single connection and transaction a submission, and locks.

nbgrader opens the gradebook for each step of each submission. Here it is opened once for a run
(`one_gradebook`), no second run may write at the same time (`alone`), and what belongs to a
submission is written together or not at all.
"""

from __future__ import annotations

import errno
import os
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any
from unittest import mock

from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    Notebook,
    SourceCell,
    SubmittedAssignment,
    SubmittedNotebook,
)
from sqlalchemy import event, inspect, text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session, scoped_session, sessionmaker, undefer

from course_lib.grading.course.folder import Course, GradingError, Say

__all__ = ["SharedGradebook", "alone", "left_at_0", "of_submission", "one_gradebook"]

# Seconds after which a person is told that this process waits.
SAY_AFTER = 2.0

# Where nbgrader's tables are looked through for the entries of one submission. They have no index
# for it, so that grading a class would take a time that grows with its square.
_LOOKED_UP = (
    ("grade", "notebook_id"),
    ("comment", "notebook_id"),
    ("submitted_notebook", "assignment_id"),
)

# What nbgrader asks for again in each step of a submission. It counts points with each answer.
_FOUND_AGAIN = (
    "find_assignment",
    "find_notebook",
    "find_student",
    "find_submission",
    "find_submission_notebook",
)

# SQLite waits so long at a time, in seconds: Ctrl-C is heard in between.
_TRY_FOR = 0.5


@contextmanager
def one_gradebook(
    course: Course, *, writes: bool = False, say: Say | None = None
) -> Iterator[SharedGradebook]:
    """Let nbgrader open the gradebook once, and not for each step of each submission.

    Inside, whatever opens the gradebook of this course shares one connection. Each still gets a
    session of its own, which ends when it closes. The entries of a notebook are fetched together
    when one of them is asked for, where nbgrader asks for them one by one.

    Parameters
    ----------
    course : Course
        Whose gradebook.
    writes : bool
        Whether scores are written: only one process may do that at a time.
    say : callable, optional
        Called with a sentence where this process has to wait.

    Raises
    ------
    GradingError
        If the gradebook cannot be used, or another process writes scores.
    """
    with course.gradebook() as gradebook:
        shared = SharedGradebook(gradebook, course, say)
        if not writes:
            with shared.in_place():
                yield shared
            return
        with _sole_writer(gradebook, course):
            shared.add_indexes()
            with shared.in_place(), shared.writing_ahead():
                yield shared


class _Session(Session):
    """A session that can put off its commits: what is written together is committed together."""

    def __init__(self, *args: Any, shared: SharedGradebook, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._shared = shared

    def commit(self) -> None:
        """Commit, or write without committing."""
        if self._shared.is_later:
            return
        if self._shared.is_together:
            self.flush()
        else:
            super().commit()


class SharedGradebook:
    """A gradebook that is handed to everybody who opens it."""

    def __init__(self, gradebook: Gradebook, course: Course, say: Say | None = None) -> None:
        self.course = course
        self.url = course.coursedir.db_url
        self.owner = gradebook
        self.engine = gradebook.engine
        self.is_together = False
        self.is_later = False
        # What went wrong with the gradebook itself, rather than with something that is in it.
        self.fault: SQLAlchemyError | None = None
        self.say = say or (lambda _: None)
        self._sqlite = self.engine.dialect.name == "sqlite"
        gradebook.db.remove()
        # Nobody else writes, so that nothing needs to be read again after it was written.
        make = sessionmaker(bind=self.engine, class_=_Session, expire_on_commit=False, shared=self)
        self.db = gradebook.db = scoped_session(make)
        self.parts = dict(vars(gradebook))
        self.courses: set[str] = set()
        self.users = 0
        # Grades and comments of the submissions that the present session has seen.
        self.entries: dict[tuple[Any, ...], dict[str, Any]] = {}
        # What else it was asked for by name.
        self.found: dict[tuple[str, ...], Any] = {}
        # Cells of the release: they stay the same while their submissions are graded.
        self.cells: dict[tuple[Any, ...], dict[str, Any]] = {}

    def add_indexes(self) -> None:
        """Let the database find the entries of one submission without reading everybody's.

        Whoever lacks the right to do that, or finds the tables in use, grades without.
        """
        with suppress(SQLAlchemyError), self.engine.begin() as connection:
            known = inspect(connection)
            for table, column in _LOOKED_UP:
                if all(index["column_names"][:1] != [column] for index in known.get_indexes(table)):
                    limit = "PRAGMA busy_timeout" if self._sqlite else "SET LOCAL lock_timeout"
                    connection.exec_driver_sql(f"{limit} = {round(_TRY_FOR * 1000)}")
                    name = f"ix_{table}_{column}"
                    connection.exec_driver_sql(
                        f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({column})"
                    )

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Put this gradebook in the place of all that are opened from now on."""
        init, close = Gradebook.__init__, Gradebook.close

        def open_shared(
            gradebook: Gradebook, db_url: str, course_id: str = "default_course", *rest: Any
        ) -> None:
            if db_url != self.url:
                init(gradebook, db_url, course_id, *rest)
                return
            self.users += 1
            vars(gradebook).update(self.parts, course_id=course_id, authenticator=None)
            if course_id not in self.courses:
                gradebook.check_course(course_id=course_id)
                self.courses.add(course_id)

        def close_shared(gradebook: Gradebook) -> None:
            if gradebook is self.owner or gradebook.engine is not self.engine:
                close(gradebook)
                return
            self._leave()

        finders = {
            "find_grade": (self.entries, Grade, BaseCell.name, of_submission),
            "find_comment": (self.entries, Comment, BaseCell.name, of_submission),
            "find_source_cell": (self.cells, SourceCell, SourceCell.name, _of_release),
            "find_grade_cell": (self.cells, GradeCell, GradeCell.name, _of_release),
            "find_graded_cell": (self.cells, GradeCell, GradeCell.name, _of_release),
        }
        changed = {name: self._finder(name, *how) for name, how in finders.items()}
        changed |= {name: self._remembering(name) for name in _FOUND_AGAIN}
        changed |= {"__init__": open_shared, "close": close_shared}
        with ExitStack() as stack:
            event.listen(self.engine, "handle_error", self._note)
            stack.callback(event.remove, self.engine, "handle_error", self._note)
            for name, function in changed.items():
                stack.enter_context(mock.patch.object(Gradebook, name, function))
            yield

    def _leave(self) -> None:
        self.users -= 1
        if self.users == 0:
            self.db.remove()
            self.entries.clear()
            self.found.clear()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Write everything that is written inside in one transaction.

        Another program that writes is waited for, as long as the course says.
        """
        # Nobody's close ends the session before its end.
        self.users += 1
        try:
            with self._patience():
                self._begin()
                self.is_together = True
                yield
                self.is_together = False
                self.db.commit()
        except BaseException:
            self.is_together = False
            with suppress(SQLAlchemyError):
                self.db.rollback()
            # A rollback lets go of all that was fetched.
            self.cells.clear()
            self.courses.clear()
            self.found.clear()
            raise
        finally:
            self._leave()

    @contextmanager
    def later(self) -> Iterator[None]:
        """Write what is written inside at its end, all at once, or before somebody reads it."""
        self.is_later = self.is_together
        try:
            yield
        finally:
            self.is_later = False
        self.db.flush()

    def check(self) -> None:
        """Make sure that the gradebook can still be used.

        Raises
        ------
        GradingError
            If it failed since this was asked last; nothing of that submission was written.
        """
        fault, self.fault = self.fault, None
        if fault is not None:
            raise self.course.gradebook_error(fault) from fault

    def _note(self, context: Any) -> None:
        error = context.sqlalchemy_exception
        # What does not fit into a column, or is there already, concerns one submission.
        if isinstance(error, DBAPIError) and not isinstance(error, DataError | IntegrityError):
            self.fault = error

    @contextmanager
    def writing_ahead(self) -> Iterator[None]:
        """Let SQLite write ahead of its file: one write per submission, and readers go on reading.

        Afterwards it is one file again, as it was: course folders lie on network disks, too, and
        there a second machine must not open a gradebook that writes ahead.
        """
        if not self._sqlite:
            yield
            return

        def connected(connection: Any, _: Any) -> None:
            connection.execute(f"PRAGMA busy_timeout={round(self.course.wait * 1000)}")
            # What is committed stays, also when the power fails: notebooks are written after it.
            connection.execute("PRAGMA synchronous=FULL")

        self.engine.dispose()
        event.listen(self.engine, "connect", connected)
        try:
            # Where the file system cannot share memory, it stays as it is.
            self._insist("PRAGMA journal_mode=WAL")
            self.db.remove()
            yield
        finally:
            self.db.remove()
            # Somebody else who reads it now (the formgrader) keeps it so until the end of a later
            # run.
            with suppress(DBAPIError), self.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA busy_timeout=1000")
                connection.exec_driver_sql("PRAGMA journal_mode=DELETE")

    def _begin(self) -> None:
        """Begin to write: from here on, nobody else does."""
        if self._sqlite:
            self._insist("BEGIN IMMEDIATE")
        elif self.engine.dialect.name == "postgresql":
            wait = round(self.course.wait * 1000)
            self.db.connection().exec_driver_sql(f"SET LOCAL lock_timeout = {wait}")

    def _insist(self, statement: str) -> None:
        """Say something to SQLite until it is not locked any more, or the time is over."""
        begin = time.monotonic()
        told = False
        while True:
            connection = self.db.connection()
            try:
                connection.exec_driver_sql(f"PRAGMA busy_timeout={round(_TRY_FOR * 1000)}")
                connection.exec_driver_sql(statement)
                connection.exec_driver_sql(f"PRAGMA busy_timeout={round(self.course.wait * 1000)}")
                self.fault = None
                return
            except OperationalError as error:
                self.db.rollback()
                waited = time.monotonic() - begin
                if "locked" not in str(error) or waited > self.course.wait:
                    raise
                if waited > SAY_AFTER and not told:
                    told = True
                    self._say_waiting()

    @contextmanager
    def _patience(self) -> Iterator[None]:
        """Tell a person if a server takes so long that they ask themselves why."""
        if self._sqlite:  # it says so itself
            yield
            return
        timer = threading.Timer(SAY_AFTER, self._say_waiting)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _say_waiting(self) -> None:
        self.say(
            "Waiting for the gradebook: it seems that another program is writing to it. It is "
            f"waited for up to {self.course.wait:g} seconds."
        )

    def _finder(self, name: str, known: dict, kind: Any, named: Any, of: Any) -> Callable[..., Any]:
        original = getattr(Gradebook, name)

        def find(gradebook: Gradebook, cell: str, *place: str) -> Any:
            if gradebook.db is not self.db:
                return original(gradebook, cell, *place)
            found = known.get((kind, *place))
            if found is None:
                rows = of(gradebook.db.query(named, kind), kind, *place)
                if kind is Grade:
                    # Feedback asks each for it.
                    rows = rows.options(undefer(Grade.max_score))
                found = known[kind, *place] = dict(rows.all())
            entry = found.get(cell)
            # What was not there yet may have come since; if not, the message is nbgrader's.
            return original(gradebook, cell, *place) if entry is None else entry

        return find

    def _remembering(self, name: str) -> Callable[..., Any]:
        """Return nbgrader's finder of an entry, which does not look twice within a session."""
        original = getattr(Gradebook, name)

        def find(gradebook: Gradebook, *place: str, **named: str) -> Any:
            if gradebook.db is not self.db or named:
                return original(gradebook, *place, **named)
            key = (name, *place)
            if key not in self.found:
                self.found[key] = original(gradebook, *place)
            return self.found[key]

        return find


def of_submission(query: Any, kind: Any, notebook: str, assignment: str, student: str) -> Any:
    """Return of a query of grades or comments those of one notebook of one submission."""
    return (
        query.join(BaseCell, BaseCell.id == kind.cell_id)
        .join(SubmittedNotebook, SubmittedNotebook.id == kind.notebook_id)
        .join(Notebook, Notebook.id == SubmittedNotebook.notebook_id)
        .join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .filter(
            Notebook.name == notebook,
            Assignment.name == assignment,
            SubmittedAssignment.student_id == student,
        )
    )


def left_at_0(course: Course, slug: str) -> dict[str, list[str]]:
    """Return by student which notebooks have tasks that were scored with 0, as if missing."""
    found: dict[str, list[str]] = {}
    with course.gradebook() as gradebook:
        names = gradebook.db.query(SubmittedAssignment.student_id, Notebook.name)
        tasks = (
            names.select_from(Grade)
            .join(BaseCell, BaseCell.id == Grade.cell_id)
            .join(SubmittedNotebook, SubmittedNotebook.id == Grade.notebook_id)
            .join(Notebook, Notebook.id == SubmittedNotebook.notebook_id)
            .join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
            .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
            .filter(Assignment.name == slug, BaseCell.type == "TaskCell")
            .filter(Grade.auto_score.is_not(None))
        )
        for student, notebook in tasks.distinct():
            found.setdefault(student, []).append(notebook)
    return found


def _of_release(query: Any, kind: Any, notebook: str, assignment: str) -> Any:
    return (
        query.join(Notebook, Notebook.id == kind.notebook_id)
        .join(Assignment, Assignment.id == Notebook.assignment_id)
        .filter(Notebook.name == notebook, Assignment.name == assignment)
    )


@contextmanager
def _sole_writer(gradebook: Gradebook, course: Course) -> Iterator[None]:
    """Keep a second run, on whatever machine, from writing scores into a server's gradebook.

    A file's is kept by its folder; see `alone`.
    """
    if gradebook.engine.dialect.name != "postgresql":
        yield
        return
    key = zlib.crc32(f"course grade {course.coursedir.course_id}".encode())
    # The lock is the connection's, and ends with it. Between statements it holds no transaction.
    connection = gradebook.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    try:
        asked = connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": key})
        if not asked.scalar_one():
            raise GradingError(
                f"Another run is grading into the gradebook {course.gradebook_name}. Wait for its "
                "end: it and this one would write the same scores."
            )
        yield
    finally:
        # A server notices a closed connection when it gets to it: a run that follows at once would
        # find the lock still held.
        with suppress(SQLAlchemyError):
            connection.execute(text("SELECT pg_advisory_unlock_all()"))
        # Closed for good: in the pool, it would keep a lock that could not be given back.
        connection.invalidate()
        connection.close()


@contextmanager
def alone(course: Course) -> Iterator[None]:
    """Keep a second run from grading in the same course at the same time.

    Raises
    ------
    GradingError
        If another one is at work.
    """
    try:
        import fcntl
    except ImportError:  # not on Windows
        yield
        return
    # The folder itself is locked: no file stays behind, whatever happens.
    folder = os.open(course.folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            raise GradingError(
                f"Another run is grading in {course.folder}. Wait for its end: it and this one "
                "would write the same scores."
            ) from error
        yield
    finally:
        os.close(folder)
