"""The files beside a notebook, which lie beside it again where it runs."""

from __future__ import annotations

import fnmatch
import itertools
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from course_lib.grading.engine.limits import DEEPEST_FOLDER, MIB, MOST_ENTRIES, MOST_FILES
from course_lib.paths import CourseError

__all__ = ["entries", "files_beside", "no_files"]


def entries(folder: Path) -> dict[str, os.stat_result]:
    """Return what lies below a folder, by relative paths, in their order; no link is followed.

    Raises
    ------
    CourseError
        If that is more than somebody hands in.
    OSError
        If some of it cannot be read.
    """
    found: dict[str, os.stat_result] = {}
    left = [""]
    while left:
        above = left.pop()
        with os.scandir(folder / above) as inside:
            for entry in inside:
                name = f"{above}/{entry.name}" if above else entry.name
                if len(found) == MOST_ENTRIES or name.count("/") == DEEPEST_FOLDER:
                    raise CourseError(
                        f"The folder holds more than {MOST_ENTRIES:,} files, or more than "
                        f"{DEEPEST_FOLDER} folders in each other. Leave there what the notebook "
                        "reads, and nothing else."
                    )
                found[name] = status = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    left.append(name)
    return dict(sorted(found.items()))


def files_beside(
    folders: Iterable[Path], ignore: Iterable[str] = (), most: int = MOST_FILES
) -> dict[str, bytes]:
    """Return the files in folders that are no notebooks, by their relative paths.

    A file in a later folder replaces one of the same name in an earlier one.

    Raises
    ------
    CourseError
        If there is more than a worker should be handed.
    """
    found: dict[str, Path] = {}
    left = most
    for folder in folders:
        for path in _walk(folder, tuple(ignore)):
            name = path.relative_to(folder).as_posix()
            left += found[name].lstat().st_size if name in found else 0
            left -= path.lstat().st_size
            if left < 0:
                raise CourseError(
                    f"The files beside the notebook in {folder} are more than {most // MIB} MiB, "
                    "too large to be run with it. Leave there what the notebook reads, and nothing "
                    "else."
                )
            found[name] = path
    return {name: path.read_bytes() for name, path in found.items()}


def no_files(folder: Path, top: str) -> str:
    """Return what is wrong with a submission that holds more than files and folders.

    Parameters
    ----------
    folder : Path
        The submission.
    top : str
        The name of the folder of all submissions. What lies above may be a link: it is the
        teacher's.
    """
    # A folder that is a link itself may be somebody else's work.
    above = itertools.takewhile(lambda path: path.name != top, [folder, *folder.parents])
    links = sorted(path.name for path in above if path.is_symlink())
    found: dict[str, os.stat_result] = {}
    if not links and folder.is_dir():
        try:
            found = entries(folder)
        except CourseError as error:
            return str(error)
    kinds = [(PurePosixPath(name).name, status.st_mode) for name, status in found.items()]
    links += sorted(name for name, mode in kinds if stat.S_ISLNK(mode))
    if links:
        # It could lead to the solutions, or to another student's work.
        return (
            f"The folder holds a link ({', '.join(links[:5])}), which could lead anywhere on this "
            "machine. Put the file itself there, or ask for it."
        )
    strange = sorted(name for name, mode in kinds if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)))
    if strange:
        return (
            f"The folder holds what is no file ({', '.join(strange[:5])}: a pipe, a socket or a "
            "device). Remove it, or ask for the files."
        )
    return ""


def _walk(folder: Path, ignore: tuple[str, ...]) -> Iterator[Path]:
    """Yield regular files; links could lead anywhere on the teacher's machine."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if name != ".ipynb_checkpoints" and not any(fnmatch.fnmatch(name, p) for p in ignore)
        )
        for name in sorted(names):
            path = Path(root, name)
            if name.endswith(".ipynb") or any(fnmatch.fnmatch(name, p) for p in ignore):
                continue
            if stat.S_ISREG(path.lstat().st_mode):
                yield path
