"""Write the feedback pages of graded submissions."""

from __future__ import annotations

from pathlib import Path

from course_lib.grading.course.folder import FolderOrCourse, GradingError, Progress, course_in
from course_lib.grading.recording.gradebook import one_gradebook
from course_lib.grading.recording.lateness import settle_lateness
from course_lib.grading.recording.pipeline import Pages

__all__ = ["feedback"]


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
    course = course_in(course_dir)
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
        with course.gradebook() as gradebook:
            settle_lateness(course, slug, gradebook)
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
