"""What gradebooks and disks say when they fail, in words that say what to do.

A gradebook's URL may hold a password. What is made here never shows it.
"""

from __future__ import annotations

import errno
from urllib.parse import quote, quote_plus

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

__all__ = ["advice", "gradebook_fault", "shown", "without_password"]

_AGAIN = "What was graded is kept: then run the same command again."
_SETTING = "c.CourseDirectory.db_url in nbgrader_config.py"

# What SQLite calls its errors (the beginning of the name), PostgreSQL its states (likewise), and
# what either says where it names no state; then what to do. The first that fits counts.
_FAULTS: list[tuple[tuple[str, ...], tuple[str, ...], str]] = [
    (
        ("SQLITE_BUSY", "SQLITE_LOCKED", "55P03"),
        (),
        "is locked: another program writes to it, and {wait:g} seconds were not enough for that to "
        "end. Close what works on it (a database browser, a backup, another grading program). "
        + _AGAIN,
    ),
    (
        ("SQLITE_READONLY", "25006", "42501"),
        ("read-only",),
        "is read-only here ({said}). Give yourself the right to write to it, and to its folder if "
        "it is a file. " + _AGAIN,
    ),
    (
        ("SQLITE_CANTOPEN",),
        (),
        "cannot be opened ({said}). Its folder must be there, and yours to read and write; the "
        "place is " + _SETTING + ".",
    ),
    (
        ("SQLITE_FULL", "SQLITE_IOERR", "53100"),
        (),
        "cannot be written ({said}): the disk is full, or a limit on the size of files or a quota "
        "is reached. Make room. " + _AGAIN,
    ),
    (
        ("SQLITE_NOTADB", "SQLITE_CORRUPT"),
        (),
        "is no gradebook, or is damaged ({said}). Put a copy from a backup in its place.",
    ),
    (
        ("28",),
        ("password authentication failed", "no password supplied", "no pg_hba.conf entry"),
        "does not let this user in ({said}). Mend the user or the password: they are in "
        + _SETTING + ", or, better, in ~/.pgpass.",
    ),
    (
        ("3D000",),
        ("FATAL:  database",),
        "is not there ({said}). Make the database (`createdb`), or mend " + _SETTING + ".",
    ),
    (
        ("42P01", "42703"),
        ("no such table", "no such column"),
        "was made by another version of nbgrader ({said}). Make a copy of it, then run "
        "`nbgrader db upgrade`.",
    ),
]  # fmt: skip

_OUT_OF_REACH = (
    "cannot be reached: {said}. Its server must run, and be where "
    + _SETTING
    + " says. What was graded is kept: when the server is there, run the same command again."
)
_WRONG_URL = (
    "cannot be used: {said}. "
    + _SETTING
    + " must be a URL such as sqlite:////path/to/gradebook.db "
    "or postgresql://user@host/name, and names its driver, which must be installed (for "
    "PostgreSQL: pip install 'psycopg[binary]')."
)

# What is wrong with a disk or a folder, and what to do.
_DISK = [
    (
        (errno.ENOSPC, errno.EFBIG, errno.EDQUOT),
        "The disk is full, or a limit on the size of files or a quota is reached: make room",
    ),
    ((errno.EROFS,), "The file system is read-only: grade in a folder that you may write to"),
    (
        (errno.EACCES, errno.EPERM),
        "You have no right to read or write there: mend the rights of the file and its folder",
    ),
    ((errno.ENOENT,), "It was there a moment ago, and was moved or deleted: put it back"),
]


def gradebook_fault(error: BaseException, url: str, wait: float) -> str:
    """Return what is wrong with a gradebook, and what to do about it.

    Parameters
    ----------
    error : BaseException
        What SQLAlchemy or the driver raised.
    url : str
        The gradebook's.
    wait : float
        The seconds that a locked gradebook is waited for.
    """
    if not isinstance(error, SQLAlchemyError) and isinstance(error.__context__, SQLAlchemyError):
        error = error.__context__  # nbgrader gives what the database refused a name of its own
    cause = getattr(error, "orig", None) or error
    name = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or ""
    lines = str(cause).strip().splitlines() or [type(cause).__name__]
    said = without_password(lines[0].strip().rstrip("."), url)
    sentence = _OUT_OF_REACH if hasattr(error, "orig") else _WRONG_URL
    for names, words, meaning in _FAULTS:
        if (name and name.startswith(names)) or any(word in said for word in words):
            sentence = meaning
            break
    return f"The gradebook {shown(url)} " + sentence.format(said=said, wait=wait)


def advice(cause: str) -> str:
    """Return what to do about an error of the file system, given as text; "" for other errors."""
    for numbers, sentence in _DISK:
        if any(f"[Errno {number}]" in cause for number in numbers):
            return f"{sentence}, then run the same command again."
    return ""


def shown(url: str) -> str:
    """Return a gradebook's URL as it may be printed."""
    try:
        # A query may hold a password, too.
        return make_url(url).set(query={}).render_as_string(hide_password=True)
    except (ArgumentError, ValueError):
        return f"of {_SETTING}"


def without_password(text: str, url: str) -> str:
    """Return a text with the password of a URL crossed out, in whatever form it is there."""
    try:
        parsed = make_url(url)
        hidden = [value for key, value in parsed.query.items() if "pass" in key]
        secrets = [parsed.password, *hidden]
    except (ArgumentError, ValueError):
        # It is not known which part of it is the password.
        secrets = [url, url.partition("//")[2]]
    for secret in filter(None, map(str, secrets)):
        for form in (secret, quote(secret, safe=""), quote_plus(secret)):
            text = text.replace(form, "***")
    return text
