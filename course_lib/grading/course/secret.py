"""The secret of a course, from which the hidden inputs of its tests follow.

It lies in the course's folder as ``course.secret``, is made when an assignment first asks for it,
and never leaves the process that records grades: a job carries what was derived of it for one
student's notebook, and the student's process not even that. Whoever loses the file grades again
with other numbers.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from nbformat import NotebookNode

from course_lib.grading.course.folder import GradingError
from course_lib.grading.engine.notebooks import role

__all__ = ["FILE", "asks_for_seed", "digest_of", "seed_for"]

FILE = "course.secret"

# Bytes of the secret, and of what is derived from it.
SIZE = 32


def seed_for(
    root: Path,
    assignment: str,
    notebook: str,
    student: str,
    handed_in: str = "",
    *,
    shared: bool = False,
) -> bytes:
    """Return what the hidden inputs of a student's notebook follow from.

    Parameters
    ----------
    root : Path
        The course's folder. The secret is made there if there is none.
    assignment, notebook, student : str
        Their names in the gradebook.
    handed_in : str
        A digest of the answers (`digest_of`): who hands in something else, perhaps after having
        read what the tests of the first try were given, meets other numbers.
    shared : bool
        Whether the course's group may read the secret, as nbgrader's ``groupshared`` says.

    Raises
    ------
    GradingError
        If the secret can be neither read nor made.
    """
    place = json.dumps([assignment, notebook, student, handed_in]).encode()
    return hmac.digest(_secret(Path(root) / FILE, shared), place, "sha256")


def digest_of(cells: Iterable[NotebookNode], files: Mapping[str, bytes]) -> str:
    """Return a digest of what is the student's own in a notebook and beside it.

    It follows from the submission alone: grading it again brings the same, also after a test of
    the teacher's was mended.

    Parameters
    ----------
    cells : iterable of NotebookNode
        All cells of the notebook.
    files : mapping
        Name to content of the files that the student handed in beside it.
    """
    own = [cell.source for cell in cells if role(cell) in ("solution", "free")]
    held = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return hashlib.sha256(json.dumps([own, held], sort_keys=True).encode()).hexdigest()


def asks_for_seed(cells: Iterable[NotebookNode], files: Mapping[str, bytes]) -> bool:
    """Tell whether cells, or the modules beside them, name `rng`."""
    return any("rng" in cell.source for cell in cells) or any(
        name.endswith(".py") and b"rng" in content for name, content in files.items()
    )


def _secret(path: Path, shared: bool) -> bytes:
    mode = 0o660 if shared else 0o600
    try:
        with contextlib.suppress(FileNotFoundError):
            return _read(path, mode)
        _make(path, mode)
        return _read(path, mode)
    except OSError as error:
        raise GradingError(
            f"The tests draw hidden inputs from the course's secret, and {path} cannot be read or "
            f"made: {error.strerror or error}. Give yourself the right to it; it belongs to the "
            "gradebook, and a copy of it does, too."
        ) from error


def _read(path: Path, mode: int) -> bytes:
    with path.open("rb") as file:
        text = file.read(4 * SIZE).strip()
        if os.name == "posix" and os.fstat(file.fileno()).st_mode & 0o777 & ~mode:
            # Copied by something that does not keep rights. Another owner's is theirs to mend.
            with contextlib.suppress(PermissionError):
                os.fchmod(file.fileno(), mode)
    try:
        secret = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        secret = b""
    if len(secret) != SIZE:
        raise GradingError(
            f"{path} does not hold a secret of {2 * SIZE} hexadecimal digits. Put back the copy "
            "that was kept with the gradebook. If there is none, delete the file: another is made, "
            "and who is graded again meets other numbers."
        )
    return secret


def _make(path: Path, mode: int) -> None:
    """Write a new secret so that it is there as a whole, or another one that came first."""
    descriptor, half = tempfile.mkstemp(prefix=f".{FILE}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(SIZE) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.chmod(half, mode)
        try:
            os.link(half, path)
        except FileExistsError:
            pass
        except OSError:
            # A file system without links; `alone` keeps other runs away.
            os.replace(half, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(half)
