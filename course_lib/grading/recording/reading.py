"""Reading what grading came to: from the gradebook and the graded notebooks, a row a student."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.api import (
    Assignment,
    Grade,
    Gradebook,
    MissingEntry,
    SubmittedAssignment,
    SubmittedNotebook,
)
from sqlalchemy.orm import joinedload, selectinload, undefer

from course_lib.grading.course.due import lateness, read_due
from course_lib.grading.course.folder import Course, GradingError
from course_lib.grading.pages.feedback import ON_STDERR, MaskHiddenTests, failure_message
from course_lib.grading.reports.findings import findings
from course_lib.grading.reports.report import GRADED, NEEDS_A_PERSON, CellScore, StudentReport
from course_lib.grading.running.sandboxed import TEST_FAULT
from course_lib.grading.submissions.answers import answers_of
from course_lib.grading.submissions.repair import NOTES, metadata_of

__all__ = ["notebooks_of", "read_row", "without_a_name"]


def notebooks_of(course: Course, slug: str) -> dict[str, set[str]]:
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


def without_a_name(shown: str) -> StudentReport:
    """Return the row of a folder whose name is no text, as archives of other systems make them."""
    reason = (
        "The name of its folder is not written in UTF-8, and no gradebook can hold it. Rename the "
        "folder, then run the same command again."
    )
    return StudentReport(shown, NEEDS_A_PERSON, failed=True, reason=reason)


def read_row(
    course: Course, slug: str, student: str, *, for_students: bool = False
) -> StudentReport | None:
    """Return a student's row from the gradebook; None if grading did not come to its end.

    What hidden tests say is masked where it is to be shown to students.
    """
    folder = course.path("autograded", student, slug)
    row = StudentReport(student)
    untested: list[str] = []
    with course.gradebook() as gradebook:
        submission = _submission(gradebook, slug, student)
        if submission is None:
            return None
        row.penalty = submission.late_submission_penalty or 0.0
        row.score = max(0.0, submission.score - row.penalty)
        row.max_score = submission.max_score
        row.late = submission.total_seconds_late
        row.lateness = lateness(submission, read_due(course.folder))
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
            teachers = [course.path(kind, ".", slug) / path.name for kind in ("source", "release")]
            answers = answers_of(teachers)
            row.suspicious += findings(graded, f"{notebook.name}/" if several else "", answers)
    row.notes += [
        f"The test {cell.name} passed, and wrote to stderr, which costs its points: "
        f"{cell.message.removeprefix(ON_STDERR)}"
        for cell in row.cells
        if cell.message.startswith(ON_STDERR)
    ]
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
            f" The tests {', '.join(untested)} could not be run or counted, and gave no points: "
            "see the messages of these cells, then grade this student again with --force."
        )
    row.reason = row.reason.strip()
    return row


def _submission(gradebook: Gradebook, slug: str, student: str) -> SubmittedAssignment | None:
    """Return a submission with what a row needs of it, which would be fetched bit by bit."""
    entry = SubmittedAssignment
    sums = (entry.score, entry.max_score, entry.late_submission_penalty)
    query = gradebook.db.query(entry).join(Assignment, Assignment.id == entry.assignment_id)
    return (
        query.filter(Assignment.name == slug, entry.student_id == student)
        .options(
            *map(undefer, sums),
            joinedload(entry.assignment),
            selectinload(entry.notebooks).joinedload(SubmittedNotebook.notebook),
        )
        .one_or_none()
    )


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
