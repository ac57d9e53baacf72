"""Starting the warm process before anything else is imported, where there is something to grade.

Half of what a teacher waits for before the first score is what the warm process imports, and the
other half is nbgrader: side by side they take as long as the longer one. So this module and what it
imports are small.
"""

from __future__ import annotations

import fnmatch
import glob
import sys
from contextlib import suppress
from pathlib import Path

__all__ = ["begin"]


def begin(folder: Path, slug: str, students: str = "*", *, force: bool = False) -> bool:
    """Start the warm process if an assignment seems to have submissions that are to be graded.

    A guess is enough: where it is wrong, the process is started later, or for nothing. Who grades
    decides what is graded.

    Parameters
    ----------
    folder : path
        The course. In one whose folders have other names than nbgrader's, nothing is found.
    slug : str
        The assignment.
    students : str
        A glob on the names of the students.
    force : bool
        Whether what was graded is graded again.

    Returns
    -------
    bool
        Whether it was started.
    """
    if not sys.platform.startswith("linux"):
        return False
    with suppress(OSError):
        for submitted in Path(folder, "submitted").glob(f"*/{glob.escape(slug)}"):
            student = submitted.parent.name
            if fnmatch.fnmatchcase(student, students) and (
                force or _is_new(submitted, Path(folder, "autograded", student, slug))
            ):
                from course_lib.grading.engine import jobs

                jobs.begin()
                return True
    return False


def _is_new(submitted: Path, graded: Path) -> bool:
    """Tell whether a submission has files that came after its graded notebooks were made of it."""
    made = [path.stat().st_mtime for path in graded.glob("*.ipynb")]
    return not made or any(path.stat().st_ctime > min(made) for path in submitted.iterdir())
