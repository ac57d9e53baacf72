"""Release an assignment: the students' notebooks, and points and tests in the gradebook."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbgrader.converters import GenerateAssignment

from course_lib.grading.course.cells import ADDED
from course_lib.grading.course.folder import FolderOrCourse, GradingError, course_in, shown_path
from course_lib.grading.course.lint import faults

__all__ = ["release"]


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
        Called with a sentence about cells that were added to what was handed in, and about tests
        that are worth a look.

    Returns
    -------
    dict
        The folder of each release.

    Raises
    ------
    GradingError
        If an assignment has no source, or nbgrader refuses it.
    """
    course = course_in(course_dir)
    released = {}
    with course.gradebook():
        # What is wrong with it is said here, in our words.
        pass
    for slug in slugs:
        source = course.path("source", ".", slug)
        if not source.is_dir():
            raise GradingError(
                f"The assignment {slug!r} has no source folder {shown_path(source)}."
            )
        with _put_back(course.path("release", ".", slug)):
            result = course.convert(GenerateAssignment, slug, ".", force=True)
        if not result.success:
            if "CellsChangedError" in result.cause or "Cannot modify" in result.log:
                why = result.cause.partition("CellsChangedError: ")[2]
                raise GradingError(
                    f"{why or f'{slug!r} has more or fewer notebooks than before'}. The gradebook "
                    "holds submissions of it. Tests and points may change and cells may be added, "
                    f"but nothing may go: put back what is gone from {shown_path(source)} (in this "
                    f"course, from solutions/{slug}.py, of which that is made), or give the "
                    "assignment another name."
                )
            raise GradingError(f"{slug!r} cannot be released: {result.cause}")
        released[slug] = course.path("release", ".", slug)
        for path in sorted(source.glob("*.ipynb")) if tell else ():
            for sentence in faults(nbformat.read(path, as_version=4)):
                tell(f"Worth a look in {slug}: {sentence}")
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
