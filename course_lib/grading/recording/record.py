"""Grading many submissions in one process that writes the gradebook, and any number that do not.

`Recorder` is nbgrader's Autograde taken in two: first each notebook is mended in memory and made a
job, and when the job's outputs have come back, nbgrader's own steps run on it, with the outputs in
the place of execution. `Pages` is its GenerateFeedback. Both keep what nbgrader makes anew for
each submission: exporters, preprocessors, templates.

Whatever is killed, and whenever: the scores of a submission are written in one transaction, and
its graded notebooks get their names after that. So they are the sign that it came to its end, and
a submission without that sign is graded again by the next run. Beside their folder lies a note of
the files that were graded (see `was_graded`), by which a submission that is another now is known.
"""

from __future__ import annotations

import errno
import fnmatch
import functools
import glob
import hashlib
import json
import os
import stat
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import nbformat
from nbconvert.exporters import HTMLExporter
from nbconvert.writers import FilesWriter
from nbformat import NotebookNode, validator
from nbgrader import utils
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
from nbgrader.converters import Autograde, GenerateFeedback
from sqlalchemy import event, inspect, or_, text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session, scoped_session, sessionmaker, undefer

from course_lib.grading.course.folder import Course, GradingError, Say
from course_lib.grading.engine.jobs import Job
from course_lib.grading.pages.feedback import PageExporter
from course_lib.grading.running.sandboxed import Execute, digest
from course_lib.grading.submissions.files import entries, files_beside

__all__ = [
    "InPlace",
    "Pages",
    "Prepared",
    "Recorder",
    "alone",
    "left_at_0",
    "one_gradebook",
    "was_graded",
]

# Seconds after which a person is told that this process waits.
SAY_AFTER = 2.0

# Where nbgrader's tables are looked through for the entries of one submission. They have no index
# for it, so that grading a class would take a time that grows with its square.
_LOOKED_UP = (
    ("grade", "notebook_id"),
    ("comment", "notebook_id"),
    ("submitted_notebook", "assignment_id"),
)

# SQLite waits so long at a time, in seconds: Ctrl-C is heard in between.
_TRY_FOR = 0.5

# Bytes. Of a submission that holds more, only the sizes and times of its files are known.
_MOST_READ = 256 * 2**20

# Nanoseconds within which a file system may give two changes the same time.
_TICK = 2 * 10**9


@dataclass
class Prepared:
    """A submission that was mended and is ready to be run."""

    student: str
    notebooks: dict[str, NotebookNode]
    jobs: dict[str, Job]
    seen: dict[str, Any]
    """What its files were when they were about to be read."""
    read_at: float = field(default_factory=time.time)
    """When its files were about to be read: what is younger was not seen."""
    begin: float = field(default_factory=time.monotonic)


class _Kept:
    """Keep the exporter and the writer of a converter from one submission to the next."""

    made = False

    def init_notebooks(self) -> None:
        """Find the notebooks; what stands for other names in a pattern does not in a name."""
        coursedir = self.coursedir  # type: ignore[attr-defined]
        pattern = self._format_source(coursedir.assignment_id, coursedir.student_id)  # type: ignore[attr-defined]
        name = f"{coursedir.notebook_id}.ipynb"
        self.notebooks: list[str] = []
        self.assignments = {}
        for folder in glob.glob(pattern):
            if found := glob.glob(os.path.join(glob.escape(folder), name)):
                self.assignments[folder] = found
        if not self.assignments:
            raise GradingError(f"There is no notebook in {pattern}.")

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Prepare a submission, in a time that does not grow with the square of its files."""
        with mock.patch.object(utils, "is_ignored", _is_ignored):
            super().init_assignment(assignment_id, student_id)  # type: ignore[misc]

    def start(self) -> None:
        """Convert what the course directory names now."""
        self.init_notebooks()  # type: ignore[attr-defined]
        self.keep()
        before = os.getcwd()
        os.chdir(self.coursedir.root)  # type: ignore[attr-defined]
        try:
            self.convert_notebooks()  # type: ignore[attr-defined]
        finally:
            os.chdir(before)
            # It remembers the metadata of every notebook that it has seen.
            self.exporter._nb_metadata.clear()

    def keep(self) -> None:
        """Make the exporter and the writer, if they are not there."""
        if not self.made:
            self.made = True
            config = self.config  # type: ignore[attr-defined]
            self.writer = FilesWriter(parent=self, config=config)
            exporter_class = _without_copies(self.exporter_class)  # type: ignore[attr-defined]
            self.exporter = exporter_class(parent=self, config=config)
            # Validate once, at the end, and not behind each preprocessor.
            self.exporter.optimistic_validation = True
            for preprocessor in self.preprocessors:
                self.exporter.register_preprocessor(preprocessor)

    def write_single_notebook(self, output: str, resources: Any) -> None:
        """Write a notebook or a page so that it is there as a whole or not at all."""
        if resources.get("outputs"):
            super().write_single_notebook(output, resources)  # type: ignore[misc]
            return
        info = resources["nbgrader"]
        folder = Path(self._format_dest(info["assignment"], info["student"]))  # type: ignore[attr-defined]
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / (resources["unique_key"] + resources["output_extension"])
        half = path.with_name(f".{path.name}.part")
        half.write_text(output, encoding="utf-8")
        # What nbgrader's writer is asked for afterwards.
        self.writer.build_directory = str(folder)
        self.put_in_place(half, path)

    def put_in_place(self, half: Path, path: Path) -> None:
        """Give a file that is complete its name."""
        half.replace(path)


def _is_ignored(filename: str, patterns: Iterable[str] | None = None) -> bool:
    """Tell what nbgrader's function of that name tells, which reads the whole folder for it."""
    name = os.path.basename(filename)
    return any(
        fnmatch.fnmatch(name, pattern) and (name[:1] != "." or pattern[:1] == ".")
        for pattern in patterns or ()
    )


@functools.cache
def _without_copies(exporter_class: type[Any]) -> type[Any]:
    """Return an exporter that does not copy a notebook once more for its preprocessors."""

    class Exporter(exporter_class):
        def _preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
            _, nb = validator.normalize(nb)
            for preprocessor in self._preprocessors:
                nb, resources = preprocessor(nb, resources)
            nbformat.validate(nb, relax_add_props=True)
            return nb, resources

    return Exporter


class _Graded(_Kept, Autograde):
    """What both ways to grade a submission do otherwise than nbgrader's Autograde."""

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Prepare a submission, and ask for marks of what nbgrader does not look at again.

        Of a notebook that is missing, nbgrader scores everything with 0, and leaves marks as they
        are. When it comes, or is another, tests and answers are scored anew, but tasks are not.
        """
        super().init_assignment(assignment_id, student_id)
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
            here = {Path(path).stem for path in self.notebooks}
            # Only their names: what else nbgrader loads with a notebook counts points of the class.
            names = gradebook.db.query(Notebook.name).join(
                Assignment, Assignment.id == Notebook.assignment_id
            )
            for (notebook,) in names.filter(Assignment.name == assignment_id).all():
                place = (notebook, assignment_id, student_id)
                grades = _of_submission(gradebook.db.query(Grade), Grade, *place)
                marked = Grade.manual_score.is_not(None)
                if notebook not in here:
                    # It was there when a person marked it.
                    for grade in grades.filter(marked):
                        grade.needs_manual_grade = True
                    continue
                given = or_(Grade.auto_score.is_not(None), marked)
                for grade in grades.filter(BaseCell.type == "TaskCell", given):
                    grade.auto_score = None
                    grade.needs_manual_grade = True
            gradebook.db.commit()


class InPlace(_Graded):
    """nbgrader's Autograde, for notebooks that run in this process's kernels."""

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Prepare a submission; take down what it is before it is read."""
        folder = Path(self._format_source(assignment_id, student_id))
        self._read_at = time.time()
        self._seen = _look(folder, self.coursedir.ignore)
        super().init_assignment(assignment_id, student_id)

    def set_permissions(self, assignment_id: str, student_id: str) -> None:
        """End a submission: all its notebooks are in their places."""
        super().set_permissions(assignment_id, student_id)
        folder = Path(self._format_dest(assignment_id, student_id))
        made = {path.name: path for path in folder.glob("*.ipynb") if path.is_file()}
        _keep_note(folder, self._seen, made)
        for path in made.values():
            os.utime(path, (self._read_at, self._read_at))

    def put_in_place(self, half: Path, path: Path) -> None:
        """Give a file its name; until all is done it is as old as can be, so not current."""
        os.utime(half, (0, 0))
        super().put_in_place(half, path)


class Recorder(_Graded):
    """nbgrader's Autograde in two steps: `prepare`, and `start` with what was run in between."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.gradebook: SharedGradebook | None = None
        # Student and notebook to the digest of what was run, and what it did.
        self.prefetched: dict[tuple[str, str], tuple[str, bytes]] = {}
        self._read_at = 0.0
        self._seen: dict[str, Any] = {}
        self._halves: list[tuple[Path, Path]] = []
        self._mended: dict[tuple[str, str], NotebookNode] = {}
        self._kept_preprocessors: dict[bool, list[Any]] = {}

    def prepare(self, known: set[str]) -> Prepared:
        """Mend the notebooks of the submission that the course directory names; write nothing.

        Parameters
        ----------
        known : set of str
            The notebooks of the assignment.
        """
        read_at = time.time()
        self.init_notebooks()
        self.keep()
        self._sanitizing = True
        self._init_preprocessors()
        ((folder, paths),) = self.assignments.items()
        seen = _look(Path(folder), self.coursedir.ignore)
        notebooks, jobs = {}, {}
        student = ""
        execute = self._execute()
        assert execute is not None
        for path in sorted(paths):
            name = Path(path).stem
            if name not in known:
                continue
            resources = self.init_single_notebook_resources(path)
            student = resources["nbgrader"]["student"]
            notebook, resources = self._only_preprocess(path, resources)
            notebooks[name] = notebook
            files = self._files(folder, resources["nbgrader"]["assignment"])
            jobs[name] = execute.job(notebook, resources, *files)
        self.exporter._nb_metadata.clear()
        return Prepared(student, notebooks, jobs, seen, read_at)

    def start(self) -> None:
        """Record what the course directory names now, as a whole or not at all."""
        self._halves = []
        try:
            with self.gradebook.together() if self.gradebook else nullcontext():
                super().start()
            for half, _ in self._halves:
                # So that work that was handed in while this was running is younger.
                os.utime(half, (self._read_at, self._read_at))
            # First: where notebooks are in their places, it is known what they were made of.
            for folder in {path.parent for _, path in self._halves}:
                _keep_note(folder, self._seen, {path.name: half for half, path in self._halves})
            for half, path in self._halves:
                half.replace(path)
        finally:
            for half, _ in self._halves:
                half.unlink(missing_ok=True)

    def put_in_place(self, half: Path, path: Path) -> None:
        """Wait with the name until the scores are in the gradebook."""
        self._halves.append((half, path))

    def take(self, prepared: Prepared, results: dict[str, bytes]) -> None:
        """Take over a mended submission and what its notebooks did, for the next `start`."""
        self._read_at = prepared.read_at
        self._seen = prepared.seen
        self._mended = {
            (prepared.student, name): notebook for name, notebook in prepared.notebooks.items()
        }
        self.prefetched = {
            (prepared.student, name): (digest(prepared.notebooks[name]), text)
            for name, text in results.items()
        }

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """Grade a notebook that was mended before."""
        name = Path(notebook_filename).stem
        resources = self.init_single_notebook_resources(notebook_filename)
        info = resources["nbgrader"]
        notebook = self._mended.pop((info["student"], name), None)
        if notebook is None:
            raise GradingError(
                f"{name}.ipynb came while the others were being graded. Run the same command again."
            )
        self.log.info("Autograding %s", notebook_filename)
        folder = self._format_dest(info["assignment"], info["student"])
        resources["metadata"] = {"name": name, "path": folder}
        self._sanitizing = False
        self._init_preprocessors()
        try:
            # One by one, the scores of a notebook's cells would each be a message to the database.
            with self.gradebook.later() if self.gradebook else nullcontext():
                output, resources = self.exporter.from_notebook_node(notebook, resources)
            self.write_single_notebook(output, resources)
        finally:
            self._sanitizing = True

    def _init_preprocessors(self) -> None:
        """Register the preprocessors of this step, the same ones each time."""
        kept = self._kept_preprocessors.get(self._sanitizing)
        if kept is None:
            super()._init_preprocessors()
            self._kept_preprocessors[self._sanitizing] = self.exporter._preprocessors
        else:
            self.exporter._preprocessors = kept

    def runs_ahead(self) -> bool:
        """Tell whether notebooks run behind walls, and so before this process records them."""
        self.keep()
        execute = self._execute()
        return execute is not None and execute.engine == "walled"

    def _execute(self) -> Execute | None:
        """Return the preprocessor that runs notebooks, with the course's settings."""
        if False not in self._kept_preprocessors:
            self._sanitizing = False
            self._init_preprocessors()
            self._sanitizing = True
            self._init_preprocessors()
        found = [pp for pp in self._kept_preprocessors[False] if isinstance(pp, Execute)]
        return found[0] if found else None

    def _only_preprocess(self, path: str, resources: Any) -> tuple[NotebookNode, Any]:
        """Return a notebook after its preprocessors, and not yet as text."""
        exporter = self.exporter
        base = super(self.exporter_class, exporter)
        resources["metadata"] = {"name": Path(path).stem, "path": str(Path(path).parent)}
        with (
            mock.patch.object(exporter, "from_notebook_node", base.from_notebook_node),
            # Editors of Windows put a mark of the byte order first.
            open(path, encoding="utf-8-sig") as file,
        ):
            return exporter.from_file(file, resources=resources)

    def _files(self, folder: str, assignment: str) -> tuple[dict[str, bytes], dict[str, bytes]]:
        """Return what will lie beside the notebook, and what lies beside the teacher's.

        The first is what `init_assignment` will copy: what was handed in, and over it what is the
        course's.
        """
        source = self.coursedir.format_path(self.coursedir.source_directory, ".", assignment)
        ignored = self.coursedir.ignore
        course = files_beside([Path(source)], ignored)
        keep = set(self.exclude_overwriting.get(assignment, []))
        files = files_beside([Path(folder)], ignored)
        files |= {name: content for name, content in course.items() if name not in keep}
        return files, course


class Pages(_Kept, GenerateFeedback):
    """nbgrader's GenerateFeedback for one submission after another."""

    def keep(self) -> None:
        """Make the exporter; where it is the usual one, the quicker one."""
        if not self.made and self.exporter_class is HTMLExporter:
            self.exporter_class = PageExporter
        super().keep()


# What was graded


def was_graded(folder: Path, graded: Path, ignore: Iterable[str]) -> bool | None:
    """Tell whether a submission is the one that was graded; None if no note says so.

    There is none of what nbgrader's own commands or an earlier version of this course graded. Times
    tell nothing by themselves: archives bring their own. They only spare reading.

    Parameters
    ----------
    folder, graded : Path
        The submission, and the folder of its graded notebooks.
    ignore : iterable of str
        Patterns of names that do not count.
    """
    try:
        note = json.loads(_note_path(graded).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(note, dict) or not {"files", "contents"} <= note.keys():
        return None
    made = {path.name: path for path in graded.glob("*.ipynb") if path.is_file()}
    if note.get("graded") != _digest_of_notebooks(made):
        return None
    found = _files_in(folder, ignore)
    same_times = note["files"] == _digest_of_files(found)
    if same_times and note.get("settled"):
        return True
    contents = _digest_of_contents(folder, found)
    return note["contents"] == contents if contents else same_times


def _look(folder: Path, ignore: Iterable[str]) -> dict[str, Any]:
    """Return digests of what a submission's files are, and of what they hold."""
    now = time.time_ns()
    found = _files_in(folder, ignore)
    # What is written twice within a tick of the clock has the same times; and Windows keeps when a
    # file was made, not when it was changed.
    settled = os.name == "posix" and all(s.st_ctime_ns < now - _TICK for s in found.values())
    return {
        "files": _digest_of_files(found),
        "contents": _digest_of_contents(folder, found),
        "settled": settled,
    }


def _keep_note(graded: Path, seen: Mapping[str, Any], notebooks: Mapping[str, Path]) -> None:
    """Keep what a submission was, and which graded notebooks were made of it, by their names."""
    path = _note_path(graded)
    half = path.with_suffix(".part")
    try:
        text = json.dumps({"graded": _digest_of_notebooks(notebooks), **seen})
        half.write_text(text, encoding="utf-8")
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)


def _note_path(graded: Path) -> Path:
    """Return where the note lies: not among files that come from a student, or go to one."""
    return graded.with_name(f".{graded.name}.graded.json")


def _files_in(folder: Path, ignore: Iterable[str]) -> dict[str, os.stat_result]:
    patterns = tuple(ignore)

    def counts(name: str) -> bool:
        # These are read whatever is ignored.
        if "/" not in name and (name.endswith(".ipynb") or name == "timestamp.txt"):
            return True
        parts = name.split("/")
        return not any(fnmatch.fnmatch(part, pattern) for part in parts for pattern in patterns)

    return {
        name: status
        for name, status in entries(folder).items()
        if not stat.S_ISDIR(status.st_mode) and counts(name)
    }


def _digest_of_files(found: Mapping[str, os.stat_result]) -> str:
    # The second time is this machine's own: no archive brings it.
    return _digest([[n, s.st_size, s.st_mtime_ns, s.st_ctime_ns] for n, s in found.items()])


def _digest_of_notebooks(found: Mapping[str, Path]) -> str:
    # Not by their times: a copy of a course may keep them to the second, or not at all.
    return _digest(
        [[n, hashlib.sha256(path.read_bytes()).hexdigest()] for n, path in sorted(found.items())]
    )


def _digest_of_contents(folder: Path, found: Mapping[str, os.stat_result]) -> str:
    """Return a digest of what files hold; empty if that is too much or cannot be read."""
    regular = all(stat.S_ISREG(status.st_mode) for status in found.values())
    if not regular or sum(status.st_size for status in found.values()) > _MOST_READ:
        return ""
    try:
        held = [[n, hashlib.sha256((folder / n).read_bytes()).hexdigest()] for n in found]
    except OSError:
        return ""
    return _digest(held)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


# The gradebook


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
            "find_grade": (self.entries, Grade, BaseCell.name, _of_submission),
            "find_comment": (self.entries, Comment, BaseCell.name, _of_submission),
            "find_source_cell": (self.cells, SourceCell, SourceCell.name, _of_release),
            "find_grade_cell": (self.cells, GradeCell, GradeCell.name, _of_release),
            "find_graded_cell": (self.cells, GradeCell, GradeCell.name, _of_release),
        }
        changed = {name: self._finder(name, *how) for name, how in finders.items()}
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


def _of_submission(query: Any, kind: Any, notebook: str, assignment: str, student: str) -> Any:
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
