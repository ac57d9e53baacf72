"""Grade an assignment: run each submission in the sandbox, and record its points."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack

from traitlets import TraitError

from course_lib.grading.course.faults import advice
from course_lib.grading.course.folder import (
    Course,
    FolderOrCourse,
    GradingError,
    Progress,
    Result,
    Say,
    course_in,
    quiet,
    shown_path,
)
from course_lib.grading.course.text import printable
from course_lib.grading.recording.changes import Earlier
from course_lib.grading.recording.digests import is_current
from course_lib.grading.recording.gradebook import SharedGradebook, alone, one_gradebook
from course_lib.grading.recording.lateness import settle_lateness
from course_lib.grading.recording.pipeline import InPlace, Prepared, Recorder
from course_lib.grading.recording.reading import notebooks_of, read_row, without_a_name
from course_lib.grading.reports.logs import forget_halves, seconds_of, write_log
from course_lib.grading.reports.report import NEEDS_A_PERSON, Report, StudentReport
from course_lib.grading.reports.show import unlisted
from course_lib.grading.reports.similar import similar
from course_lib.grading.running.pool import LostError, NotRunError, Pool, pool
from course_lib.grading.submissions.reading import unreadable
from course_lib.grading.submissions.roster import read_roster
from course_lib.paths import CourseError

__all__ = ["grade"]

# How many submissions are tried once more at the end of a run. Where more fail it is no chance.
MOST_TRIED_AGAIN = 100


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
        If the assignment was never released, nobody handed it in, another run is at work, no
        sandbox can be built here, or the gradebook or the scheduler fails. What was graded until
        then is kept.
    """
    begin = time.monotonic()
    course = course_in(course_dir)
    names = course.submissions(slug, students)
    nameless = course.nameless(slug, students)
    notebooks = notebooks_of(course, slug)
    if not names and not nameless:
        where = course.path("submitted", students, slug)
        raise GradingError(f"Nobody has handed in {slug!r}: there is no {shown_path(where)}.")
    report = Report(slug, students=[without_a_name(name) for name in nameless])
    earlier = Earlier(course, slug)
    with alone(course), one_gradebook(course, writes=True, say=say) as gradebook:
        names, unclear = course.settle_names(slug, names)
        for name, reason in unclear.items():
            row = StudentReport(name, NEEDS_A_PERSON, failed=True, reason=reason)
            write_log(course, slug, row)
            report.students.append(row)
        report.unlisted = read_roster(course).unlisted(names)
        if report.unlisted and say:
            say(printable(unlisted(report.unlisted)))
        with course.gradebook() as entries:
            settle_lateness(course, slug, entries)
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
            problem = unreadable(course, slug, student, notebooks)
        current = not (problem or force) and is_current(course, slug, student, set(notebooks))
    except OSError as error:
        problem = f"Its folder cannot be read ({error}). {advice(str(error))}".rstrip()
    except CourseError as error:
        problem = str(error)
    if problem:
        row = StudentReport(student, NEEDS_A_PERSON, failed=True, reason=problem)
        write_log(course, slug, row)
        return row
    return read_row(course, slug, student) if current else None


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
    row = read_row(course, slug, student) if result.success else None
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
