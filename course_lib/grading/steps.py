"""The steps of a graded assignment: release, collect, grade, feedback, export.

They are nbgrader's steps on nbgrader's folders and gradebook, for any nbgrader course; its own
commands may be used before, between and after them.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Grade, MissingEntry
from nbgrader.converters import GenerateAssignment
from nbgrader.utils import parse_utc
from sqlalchemy.orm import joinedload, undefer
from traitlets import TraitError

from course_lib.grading.course.cells import ADDED
from course_lib.grading.course.faults import advice
from course_lib.grading.course.folder import Course, GradingError, Progress, Result, Say, quiet
from course_lib.grading.exports import platforms
from course_lib.grading.exports.tables import COLUMNS, plain, rows, write
from course_lib.grading.pages.feedback import MaskHiddenTests, failure_message
from course_lib.grading.recording.changes import Earlier
from course_lib.grading.recording.record import (
    InPlace,
    Pages,
    Prepared,
    Recorder,
    SharedGradebook,
    alone,
    left_at_0,
    one_gradebook,
    was_graded,
)
from course_lib.grading.reports.findings import findings
from course_lib.grading.reports.logs import forget_halves, seconds_of, write_log
from course_lib.grading.reports.report import (
    GRADED,
    NEEDS_A_PERSON,
    CellScore,
    Report,
    StudentReport,
)
from course_lib.grading.reports.similar import similar
from course_lib.grading.running.pool import LostError, NotRunError, Pool, pool
from course_lib.grading.running.sandboxed import TEST_FAULT
from course_lib.grading.submissions.files import no_files
from course_lib.grading.submissions.repair import NOTES, metadata_of
from course_lib.paths import CourseError

__all__ = ["collect", "export", "feedback", "grade", "mark", "read_report", "release"]

FolderOrCourse = Path | str | Course

FORMATS = frozenset(("canvas", "csv", "gradescope", "json", "moodle"))

# How many submissions are tried once more at the end of a run. Where more fail it is no chance.
MOST_TRIED_AGAIN = 100

# Bytes. What says when something was handed in is one line.
LONGEST_TIME = 200

# Bytes. A notebook that is larger holds something else than answers.
LARGEST = 64 * 2**20


def release(
    slugs: Iterable[str],
    course_dir: FolderOrCourse = ".",
    *,
    tell: Callable[[str], None] | None = None,
) -> dict[str, Path]:
    """Make the students' notebooks and record points and tests in the gradebook.

    An assignment that was handed in may be released again: tests and points may change, and cells
    may be added; `grade` then finds their points. What would lose points, answers or comments is
    refused.

    Parameters
    ----------
    slugs : iterable of str
        The assignments; each has a folder in the course's source directory.
    course_dir : path
        The course.
    tell : callable, optional
        Called with a sentence about cells that were added to what was handed in.

    Returns
    -------
    dict
        The folder of each release.

    Raises
    ------
    GradingError
        If an assignment has no source, or nbgrader refuses it.
    """
    course = _course(course_dir)
    released = {}
    with course.gradebook():
        # What is wrong with it is said here, in our words.
        pass
    for slug in slugs:
        source = course.path("source", ".", slug)
        if not source.is_dir():
            raise GradingError(f"The assignment {slug!r} has no source folder {_show(source)}.")
        with _put_back(course.path("release", ".", slug)):
            result = course.convert(GenerateAssignment, slug, ".", force=True)
        if not result.success:
            if "CellsChangedError" in result.cause or "Cannot modify" in result.log:
                why = result.cause.partition("CellsChangedError: ")[2]
                raise GradingError(
                    f"{why or f'{slug!r} has more or fewer notebooks than before'}. The gradebook "
                    "holds submissions of it. Tests and points may change and cells may be added, "
                    f"but nothing may go: put back what is gone from {_show(source)} (in this "
                    f"course, from solutions/{slug}.py, of which that is made), or give the "
                    "assignment another name."
                )
            raise GradingError(f"{slug!r} cannot be released: {result.cause}")
        released[slug] = course.path("release", ".", slug)
        added = [line.partition(ADDED)[2] for line in result.log.splitlines() if ADDED in line]
        if added and tell:
            tell(
                f"New cells of {slug}, which has been handed in: {', '.join(added).strip()}. "
                f"`course grade {slug} --force` grades them, too."
            )
    return released


@contextmanager
def _put_back(release: Path) -> Iterator[None]:
    """Keep a release that nbgrader deletes when it refuses to make a new one."""
    with TemporaryDirectory(prefix="course-release-") as aside:
        kept = Path(aside, release.name)
        if release.is_dir():
            shutil.copytree(release, kept)
        try:
            yield
        finally:
            if kept.is_dir() and not release.is_dir():
                shutil.copytree(kept, release)


def collect(slug: str, course_dir: FolderOrCourse = ".") -> list[str]:
    """Fetch new submissions from nbgrader's exchange; return who has handed in.

    Raises
    ------
    GradingError
        If there is no exchange on this machine.
    """
    from nbgrader.exchange import ExchangeError, ExchangeFactory

    course = _course(course_dir)
    coursedir = course.coursedir
    coursedir.assignment_id = slug
    exchange = ExchangeFactory(parent=coursedir)
    try:
        collector = exchange.Collect(coursedir=coursedir, parent=coursedir)
        collector.log = course.log
        collector.update = True
        collector.start()
    except (ExchangeError, SystemExit, OSError) as error:
        submitted = course.path("submitted", "STUDENT", slug)
        raise GradingError(
            f"Nothing can be collected: there is no nbgrader exchange for this course here "
            f"({error or 'no exchange folder'}). Put each notebook into {_show(submitted)}, or "
            "collect an archive with `nbgrader zip_collect` (see the book's page For teachers)."
        ) from error
    return course.submissions(slug)


def grade(
    slug: str,
    course_dir: FolderOrCourse = ".",
    *,
    students: str = "*",
    force: bool = False,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
    say: Say | None = None,
) -> Report:
    """Grade the submissions of an assignment and record the points in the gradebook.

    Submissions are run on several workers; this process alone writes the gradebook, as results
    come. A run that was stopped, however, goes on where it was when it is started again.

    Parameters
    ----------
    slug : str
        The assignment.
    course_dir : path
        The course: this one, or any other nbgrader course.
    students : str
        A glob on the names of the students.
    force : bool
        Grade again what was graded. Scores and comments that a person gave stay.
    workers : int, optional
        How many submissions run at a time on this machine; by default, one for each processor.
    scheduler : str, optional
        The address of a Dask scheduler, such as ``"tcp://10.0.0.1:8786"``, whose workers run the
        submissions instead. They get bytes and return bytes.
    progress : callable, optional
        Called with the student's name, the number done and the number of all: once as each
        submission ends, not yet counting it, and once at the end.
    say : callable, optional
        Called with a sentence where the run has to wait: for a locked gradebook, for a worker.

    Returns
    -------
    Report
        A row for each submission. One that cannot be graded says so there, and stops no other.

    Raises
    ------
    GradingError
        If the assignment was never released, nobody handed it in, another run is at work, walls
        cannot be built here, or the gradebook or the scheduler fails. What was graded until then
        is kept.
    """
    begin = time.monotonic()
    course = _course(course_dir)
    names = course.submissions(slug, students)
    nameless = course.nameless(slug, students)
    notebooks = _notebooks(course, slug)
    if not names and not nameless:
        where = course.path("submitted", students, slug)
        raise GradingError(f"Nobody has handed in {slug!r}: there is no {_show(where)}.")
    report = Report(slug, students=[_without_a_name(name) for name in nameless])
    earlier = Earlier(course, slug)
    with alone(course), one_gradebook(course, writes=True, say=say) as gradebook:
        forget_halves(course, slug, names)
        rows = _grade_all(
            course, slug, names, notebooks, force, gradebook, workers, scheduler, earlier
        )
        for done, row in enumerate(rows):
            if progress:
                progress(row.student, done, len(names))
            report.students.append(row)
            change = earlier.change(row)
            if change is not None:
                report.changes.append(change)
    report.students.sort(key=lambda row: row.student)
    report.changes.sort(key=lambda change: change.student)
    if students == "*" and any(row.seconds is not None for row in report.students):
        report.similar = len(similar(slug, course).pairs)
    if progress:
        progress("", len(names), len(names))
    report.seconds = time.monotonic() - begin
    return report


def read_report(slug: str, course_dir: FolderOrCourse = ".", *, students: str = "*") -> Report:
    """Return what the gradebook and the graded notebooks say now, without grading anything."""
    course = _course(course_dir)
    _notebooks(course, slug)
    nameless = course.nameless(slug, students)
    report = Report(slug, students=[_without_a_name(name) for name in nameless])
    with one_gradebook(course):
        for name in course.submissions(slug, students):
            row = _read_row(course, slug, name)
            report.students.append(
                row
                or StudentReport(
                    name, NEEDS_A_PERSON, failed=True, reason="It has not been graded yet."
                )
            )
    return report


def _without_a_name(shown: str) -> StudentReport:
    """Return the row of a folder whose name is no text, as archives of other systems make them."""
    reason = (
        "The name of its folder is not written in UTF-8, and no gradebook can hold it. Rename the "
        "folder, then run the same command again."
    )
    return StudentReport(shown, NEEDS_A_PERSON, failed=True, reason=reason)


def mark(
    slug: str,
    student: str,
    cell: str,
    points: float,
    course_dir: FolderOrCourse = ".",
    *,
    notebook: str | None = None,
    comment: str | None = None,
) -> None:
    """Record what a person gives for a cell, as the formgrader does.

    Parameters
    ----------
    slug, student, cell : str
        The assignment, the student, and the ``grade_id`` of the cell.
    points : float
        The points; they stand in the place of the points that the tests gave, if any.
    course_dir : path
        The course.
    notebook : str, optional
        Its name; that of the assignment by default.
    comment : str, optional
        Shown to the student under an answer.

    Raises
    ------
    GradingError
        If the gradebook knows no such cell of this student.
    """
    course = _course(course_dir)
    with course.gradebook() as gradebook:
        place = (cell, notebook or slug, slug, student)
        try:
            entry = gradebook.find_grade(*place)
            entry.manual_score = float(points)
            entry.needs_manual_grade = False
            if comment is not None:
                gradebook.find_comment(*place).manual_comment = comment
            gradebook.db.commit()
        except MissingEntry as error:
            raise GradingError(f"There is nothing to mark: {error}") from error


def feedback(
    slug: str,
    course_dir: FolderOrCourse = ".",
    *,
    students: str = "*",
    progress: Progress | None = None,
) -> dict[str, list[Path]]:
    """Write the feedback pages of graded submissions, replacing older ones.

    Returns
    -------
    dict
        The pages of each student.

    Raises
    ------
    GradingError
        If nothing was graded, or a page cannot be made (after the others were).
    """
    course = _course(course_dir)
    names = [
        name
        for name in course.submissions(slug, students)
        if any(course.path("autograded", name, slug).glob("*.ipynb"))
    ]
    if not names:
        raise GradingError(f"No submission of {slug!r} has been graded yet.")
    pages: dict[str, list[Path]] = {}
    failed = []
    converter = course.converter(Pages, slug, force=True)
    with one_gradebook(course):
        for done, name in enumerate(names):
            if progress:
                progress(name, done, len(names))
            result = course.run(converter, name)
            if result.success:
                pages[name] = sorted(course.path("feedback", name, slug).glob("*.html"))
            else:
                failed.append(f"{name}: {result.cause}")
    if progress:
        progress("", len(names), len(names))
    if failed:
        raise GradingError(
            "Some feedback could not be made; the others have theirs. " + "; ".join(failed)
        )
    return pages


def export(
    course_dir: FolderOrCourse = ".",
    slug: str | None = None,
    *,
    format: str = "csv",
    to: Path | str = "grades.csv",
    worksheet: Path | str | None = None,
    tell: Callable[[str], None] | None = None,
) -> Path:
    """Write the gradebook as a table.

    Where points wait for a person, or what was handed in is not graded as it stands, the score is
    empty and not 0.

    Parameters
    ----------
    course_dir : path
        The course.
    slug : str, optional
        One assignment; all of them by default.
    format : str
        ``"csv"`` (nbgrader's columns), ``"json"`` (the same), or that of a learning platform:
        ``"canvas"``, ``"moodle"``, ``"gradescope"``.
    to : path
        The file to write; relative paths are relative to the current folder.
    worksheet : path, optional
        With ``"moodle"``: the grading worksheet of an assignment, to be filled in.
    tell : callable, optional
        Called with each sentence that a person should read: whose score is empty, who lacks what.

    Raises
    ------
    GradingError
        If the gradebook knows no such assignment, or the format asks for something else.
    """
    course = _course(course_dir)
    path = Path(to)
    if format not in FORMATS:
        raise GradingError(
            f"The format {format!r} is unknown. There are: {', '.join(sorted(FORMATS))}."
        )
    if worksheet and format != "moodle":
        raise GradingError("A grading worksheet is Moodle's: say --format moodle.")
    if slug is None and (format == "gradescope" or worksheet):
        raise GradingError("Name the assignment: this is written for one at a time.")
    with one_gradebook(course), course.gradebook() as gradebook:
        known = sorted(assignment.name for assignment in gradebook.assignments)
        if slug is not None and slug not in known:
            raise GradingError(
                f"The gradebook knows no assignment {slug!r}. It has: {', '.join(known) or 'none'}."
            )
        wanted = [slug] if slug else known
        handed_in = {name: _handed_in(course, name) for name in wanted}
        group = platforms.Class.read(gradebook, wanted, handed_in)
        if not group.students:
            raise GradingError("The gradebook knows no students: nothing has been graded yet.")
        # In nbgrader's own table, who handed in nothing has 0.
        group.note_open(missing=format not in ("csv", "json"))
        if format == "canvas":
            platforms.canvas(group, path)
        elif format == "moodle" and worksheet:
            platforms.worksheet(group, Path(worksheet), path)
        elif format == "moodle":
            platforms.moodle(group, path)
        elif format == "gradescope":
            platforms.gradescope(
                group, path, lambda name: _read_row(course, wanted[0], name, for_students=True)
            )
        else:
            table = rows(gradebook, set(wanted), handed_in=handed_in)
            if format == "csv":
                write(path, [COLUMNS, *([plain(row[key]) for key in COLUMNS] for row in table)])
            else:
                path.write_text(json.dumps(table, default=str) + "\n", encoding="utf-8")
    for note in group.notes:
        if tell:
            tell(note)
    return path


def _handed_in(course: Course, slug: str) -> dict[str, bool]:
    """Tell of each student with a submission whether it is graded as it stands."""
    names = course.submissions(slug)
    notebooks = set(_notebooks(course, slug)) if names else set()
    left = left_at_0(course, slug) if names else {}
    return {name: _stands(course, slug, name, notebooks, left.get(name, ())) for name in names}


def _stands(
    course: Course, slug: str, student: str, notebooks: set[str], left: Iterable[str]
) -> bool:
    graded = course.path("autograded", student, slug)
    if any((graded / f"{name}.ipynb").is_file() for name in left):
        return False
    try:
        return _is_current(course, slug, student, notebooks)
    except (OSError, CourseError):
        return False  # `grade` says what is wrong with it


# One submission


def _grade_all(
    course: Course,
    slug: str,
    names: list[str],
    notebooks: dict[str, set[str]],
    force: bool,
    gradebook: SharedGradebook,
    workers: int | None,
    scheduler: str | None,
    earlier: Earlier,
) -> Iterator[StudentReport]:
    """Yield the row of each submission as it ends, in any order."""
    recorder = course.converter(Recorder, slug, force=True)
    recorder.gradebook = gradebook
    try:
        ahead = recorder.runs_ahead()
    except TraitError as error:
        raise GradingError(
            f"The configuration of the course in {course.folder} cannot be used: {error}"
        ) from error
    if scheduler and not ahead:
        raise GradingError(
            "This course runs notebooks in stock kernels (its nbgrader_config.py says so), and "
            "those run on this machine only: grade without a scheduler."
        )
    waiting = iter(names)
    running: dict[Future[dict[str, bytes]], Prepared] = {}
    # What was running when a worker died, for example, though it need not be what killed it.
    lost: list[Prepared] = []
    with ExitStack() as stack:
        place: Pool | None = None
        while True:
            # As many as keep the workers busy while this process records, and no more: a class of
            # ten thousand takes no more memory than one of ten.
            while place is None or len(running) < place.in_flight():
                name = next(waiting, None)
                if name is None:
                    break
                row = _without_grading(course, slug, name, notebooks, force)
                if row is None:
                    earlier.remember(name)
                if row is None and not ahead:
                    row = _grade_here(course, slug, name, gradebook, earlier)
                if row is not None:
                    yield row
                    continue
                if place is None:
                    place = stack.enter_context(pool(workers, scheduler, gradebook.say))
                prepared = _prepare(course, slug, name, recorder, set(notebooks))
                if isinstance(prepared, StudentReport):
                    yield prepared
                else:
                    running[place.submit(prepared.jobs)] = prepared
            if place is None or not running:
                break
            done = place.wait(running)
            # In the order in which they were handed over.
            for future in [future for future in running if future in done]:
                prepared = running.pop(future)
                if isinstance(future.exception(), LostError) and len(lost) < MOST_TRIED_AGAIN:
                    lost.append(prepared)
                else:
                    yield _record(course, slug, prepared, future, recorder, earlier)
        for prepared in lost:
            # Alone, it takes nobody with it, and nobody takes it.
            assert place is not None
            future = place.submit(prepared.jobs)
            place.wait([future])
            yield _record(course, slug, prepared, future, recorder, earlier)


def _without_grading(
    course: Course, slug: str, student: str, notebooks: dict[str, set[str]], force: bool
) -> StudentReport | None:
    """Return the row of a submission that cannot be graded, or has been."""
    try:
        with quiet():
            problem = _unreadable(course, slug, student, notebooks)
        current = not (problem or force) and _is_current(course, slug, student, set(notebooks))
    except OSError as error:
        problem = f"Its folder cannot be read ({error}). {advice(str(error))}".rstrip()
    except CourseError as error:
        problem = str(error)
    if problem:
        row = StudentReport(student, NEEDS_A_PERSON, failed=True, reason=problem)
        write_log(course, slug, row)
        return row
    return _read_row(course, slug, student) if current else None


def _prepare(
    course: Course, slug: str, student: str, recorder: Recorder, known: set[str]
) -> Prepared | StudentReport:
    """Mend a submission; return what to run, or why it cannot be graded."""
    begin = time.monotonic()
    made: list[Prepared] = []
    result = course.run(recorder, student, lambda: made.append(recorder.prepare(known)))
    if result.success:
        return made[0]
    if recorder.gradebook is not None:
        recorder.gradebook.check()
    row = _ungraded(student, result.cause, begin)
    write_log(course, slug, row, said=result.log)
    return row


def _record(
    course: Course,
    slug: str,
    prepared: Prepared,
    future: Future[dict[str, bytes]],
    recorder: Recorder,
    earlier: Earlier,
) -> StudentReport:
    """Write what a submission came to into the gradebook."""
    student = prepared.student
    try:
        results = future.result()
    except NotRunError as error:
        row = _ungraded(student, str(error), prepared.begin)
        write_log(course, slug, row)
        return row
    submitted = course.path("submitted", student, slug)
    gone = [name for name in prepared.notebooks if not (submitted / f"{name}.ipynb").is_file()]
    if gone:
        # nbgrader would score it with 0, as one that was never handed in.
        cause = f"{gone[0]}.ipynb was moved or deleted while it was being graded. Put it back"
        row = _ungraded(student, f"{cause}, then run the same command again.", prepared.begin)
        write_log(course, slug, row)
        return row
    recorder.take(prepared, results)
    # Others ran and waited beside it: what counts is its own time.
    begin = time.monotonic() - seconds_of(results)
    result = course.run(recorder, student)
    if not result.success and recorder.gradebook is not None:
        recorder.gradebook.check()
    row = _finished(course, slug, student, result, begin, earlier)
    write_log(course, slug, row, results, result.log)
    return row


def _grade_here(
    course: Course, slug: str, student: str, gradebook: SharedGradebook, earlier: Earlier
) -> StudentReport:
    """Grade a submission as nbgrader does, from its beginning to its end."""
    begin = time.monotonic()
    result = course.convert(InPlace, slug, student, force=True)
    if not result.success:
        gradebook.check()
    row = _finished(course, slug, student, result, begin, earlier)
    write_log(course, slug, row, said=result.log)
    return row


def _finished(
    course: Course, slug: str, student: str, result: Result, begin: float, earlier: Earlier
) -> StudentReport:
    if result.success:
        earlier.settle(student)
    row = _read_row(course, slug, student) if result.success else None
    if row is None:
        return _ungraded(student, result.cause or "nbgrader gave no reason", begin)
    row.seconds = time.monotonic() - begin
    return row


def _ungraded(student: str, cause: str, begin: float) -> StudentReport:
    return StudentReport(
        student,
        NEEDS_A_PERSON,
        failed=True,
        seconds=time.monotonic() - begin,
        reason=f"It could not be graded: {cause} {advice(cause)}".rstrip(),
    )


def _unreadable(course: Course, slug: str, student: str, notebooks: dict[str, set[str]]) -> str:
    """Return why a submission cannot be graded, as far as can be said before trying."""
    folder = course.path("submitted", student, slug)
    top = Path(course.coursedir.submitted_directory).name
    problem = no_files(folder, top) or _no_time(folder / "timestamp.txt")
    if problem:
        return problem
    present = {path.stem: path for path in folder.glob("*.ipynb") if path.is_file()}
    if not set(present) & set(notebooks):
        wanted = " and ".join(f"{name}.ipynb" for name in notebooks)
        others = sorted(f"{path.name}{'/' * path.is_dir()}" for path in folder.iterdir())
        held = f"it holds {', '.join(others[:5])}" if others else "it is empty"
        return (
            f"The folder has no {wanted}; {held}. If the notebook was renamed or put into a folder "
            "of its own, give it its name and place back; otherwise ask for it."
        )
    for name in notebooks:
        if name not in present:
            # nbgrader scores a notebook that was not handed in with 0: no reason to stop.
            continue
        release = course.path("release", ".", slug) / f"{name}.ipynb"
        problem = _not_a_notebook(present[name], notebooks[name], release)
        if problem:
            return f"{present[name].name} {problem}"
    return ""


def _no_time(path: Path) -> str:
    """Return what is wrong with the file in which nbgrader keeps when something was handed in."""
    said = b""
    if path.is_file():
        with path.open("rb") as file:
            said = file.read(LONGEST_TIME + 1)
    text = said.decode("utf-8", errors="replace").strip()
    try:
        if len(said) > LONGEST_TIME:
            raise ValueError(text)
        if text:
            parse_utc(text)
    except Exception:
        return (
            f"Its timestamp.txt holds no time ({text[:40]!r}). Mend the file (2026-11-22 12:00:00 "
            "UTC, for instance), or delete it."
        )
    return ""


def _not_a_notebook(path: Path, wanted: set[str], release: Path) -> str:
    if path.stat().st_size > LARGEST:
        return f"is larger than {LARGEST >> 20} MiB. Ask for it again, with its outputs cleared."
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        return "is not a text file, so it is no notebook. Ask for it again."
    except OSError as error:
        return f"cannot be read: {error.strerror}. Mend its permissions, or ask for it again."
    if not text.strip():
        return "is empty. Ask for it again."
    nested = "is nested too deeply to be a notebook that somebody wrote. Ask for it again."
    try:
        data = json.loads(text)
    except RecursionError:
        return nested
    except ValueError:
        if text.lstrip()[:1] == "<":
            return "is a web page, not a notebook. Ask for the .ipynb file itself."
        return (
            "is not a notebook (not JSON): it may have been cut off while it was uploaded, or it "
            "may hold the marks of a merge. Ask for it again."
        )
    if not isinstance(data, dict) or not isinstance(data.get("nbformat"), int):
        return "is JSON but no notebook: it names no notebook format. Ask for the .ipynb file."
    try:
        notebook = nbformat.reads(text, as_version=4)
        names = {str(metadata_of(cell).get("grade_id")) for cell in notebook.cells}
        kinds = {cell.cell_type for cell in notebook.cells}
    except RecursionError:
        return nested
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        return f"is no valid notebook ({reason[:200]}). Ask for it again."
    if not kinds or not (names & wanted or _ids(notebook) & _ids_of(release)):
        return (
            "holds none of the cells of this exercise: it may be the notebook of another one, or "
            "it was saved by a program that drops cell metadata. Ask for the right one."
        )
    return ""


def _ids(notebook: NotebookNode) -> set[str]:
    return {str(cell.id) for cell in notebook.cells if "id" in cell}


def _ids_of(release: Path) -> set[str]:
    """Return the ids of the cells that were handed out: by them, cells without a name are known."""
    return _ids(nbformat.read(release, as_version=4)) if release.is_file() else set()


def _is_current(course: Course, slug: str, student: str, notebooks: set[str]) -> bool:
    """Return whether a submission was graded as it stands now, to its end."""
    folder = course.path("autograded", student, slug)
    submitted = course.path("submitted", student, slug)
    graded = {path.name: path.stat().st_mtime for path in folder.glob("*.ipynb")}
    # One that was mended and has yet to be run is as old as can be.
    if not graded or not all(graded.values()):
        return False
    files = [path for path in submitted.iterdir() if path.is_file()]
    wanted = {f"{name}.ipynb" for name in notebooks}
    if {path.name for path in files} & wanted != set(graded) & wanted:
        return False
    same = was_graded(submitted, folder, course.coursedir.ignore)
    if same is not None:
        return same
    read_at = min(graded.values())
    return all(path.stat().st_mtime <= read_at for path in files)


def _notebooks(course: Course, slug: str) -> dict[str, set[str]]:
    """Return the notebooks of an assignment and their cells, as the gradebook has them."""
    with course.gradebook() as gradebook:
        try:
            assignment = gradebook.find_assignment(slug)
        except MissingEntry:
            known = sorted(other.name for other in gradebook.assignments)
            raise GradingError(
                f"The gradebook knows no assignment {slug!r}: release it first. "
                f"It has: {', '.join(known) or 'none'}."
            ) from None
        notebooks = {
            notebook.name: {cell.name for cell in notebook.source_cells}
            for notebook in sorted(assignment.notebooks, key=lambda entry: entry.name)
        }
    if not notebooks:
        raise GradingError(f"The assignment {slug!r} has no notebooks: release it first.")
    return notebooks


def _read_row(
    course: Course, slug: str, student: str, *, for_students: bool = False
) -> StudentReport | None:
    """Return a student's row from the gradebook; None if grading did not come to its end.

    What hidden tests say is masked where it is to be shown to students.
    """
    folder = course.path("autograded", student, slug)
    row = StudentReport(student)
    untested: list[str] = []
    with course.gradebook() as gradebook:
        try:
            submission = gradebook.find_submission(slug, student)
        except MissingEntry:
            return None
        row.penalty = submission.late_submission_penalty or 0.0
        row.score = max(0.0, submission.score - row.penalty)
        row.max_score = submission.max_score
        several = len(submission.notebooks) > 1
        for notebook in sorted(submission.notebooks, key=lambda entry: entry.name):
            path = folder / f"{notebook.name}.ipynb"
            graded = _read_graded(path)
            if graded is None or (
                not path.is_file()
                and (course.path("submitted", student, slug) / path.name).is_file()
            ):
                return None
            if for_students:
                MaskHiddenTests(config=course.config).preprocess(graded, {"nbgrader": {}})
            cells = _graded_cells(graded)
            if not path.is_file():
                row.notes.append(f"{notebook.name}.ipynb was not handed in and scores 0.")
            order = {name: place for place, name in enumerate(cells)}
            # With their cells and most points, which would otherwise be fetched one by one.
            grades = gradebook.db.query(Grade).filter(Grade.notebook_id == notebook.id)
            named = grades.options(joinedload(Grade.cell), undefer(Grade.max_score)).all()
            for entry in sorted(named, key=lambda g: order.get(g.name, len(order))):
                cell = cells.get(entry.name)
                manual = entry.cell_type != "code" or bool(
                    cell is not None and metadata_of(cell).get("solution")
                )
                if path.is_file() and not manual and entry.auto_score is None:
                    return None
                task = entry.cell.type == "TaskCell"
                if path.is_file() and task and entry.auto_score is not None:
                    # The 0 of a missing notebook, which nbgrader's own command never takes back.
                    return None
                name = f"{notebook.name}/{entry.name}" if several else entry.name
                row.cells.append(
                    CellScore(
                        name,
                        score=entry.score,
                        max_score=entry.max_score,
                        manual=manual,
                        waiting=bool(entry.needs_manual_grade),
                        message=failure_message(cell) if entry.score < entry.max_score else "",
                    )
                )
            untested += [name for name, cell in cells.items() if _was_not_tested(cell)]
            row.notes += list(graded.metadata.get(NOTES, []))
            row.suspicious += findings(graded, f"{notebook.name}/" if several else "")
    waiting = [cell for cell in row.cells if cell.waiting]
    row.status = NEEDS_A_PERSON if waiting or untested else GRADED
    if waiting:
        points = sum(cell.max_score for cell in waiting)
        row.reason = (
            f"{len(waiting)} {'answer waits' if len(waiting) == 1 else 'answers wait'} to be "
            f"marked ({points:g} points): {', '.join(cell.name for cell in waiting)}."
        )
    if untested:
        row.reason += (
            f" The tests {', '.join(untested)} could not be run, and gave no points: see the "
            "messages of these cells, then grade this student again with --force."
        )
    row.reason = row.reason.strip()
    return row


def _read_graded(path: Path) -> NotebookNode | None:
    """Return a graded notebook; an empty one if there is none, None if it cannot be read.

    nbgrader wrote it: it is not validated.
    """
    if not path.is_file():
        return nbformat.v4.new_notebook()
    try:
        return nbformat.v4.reads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None


def _graded_cells(notebook: NotebookNode) -> dict[str, NotebookNode]:
    """Return the graded cells of a notebook in its order, by their names."""
    return {
        metadata_of(cell)["grade_id"]: cell
        for cell in notebook.cells
        if metadata_of(cell).get("grade") or metadata_of(cell).get("task")
    }


def _was_not_tested(cell: NotebookNode) -> bool:
    """Tell whether a test cell has no points for a reason that is not the student's."""
    outputs = cell.get("outputs", [])
    return any(out.output_type == "error" and out.ename == TEST_FAULT for out in outputs)


def _course(course: FolderOrCourse) -> Course:
    return course if isinstance(course, Course) else Course(course)


def _show(path: Path) -> str:
    """Return a path as short as it can be said from here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
