"""Archives of learning platforms: who handed in what, and when.

The names follow what the platforms write. Canvas: ``lastfirst_LATE_USER_FILE_name.ipynb``, all in
one folder (canvas-lms, ``content_zipper.rb``). Moodle: ``First Last_ID_assignsubmission_file/``, or
the same before a file's name (``mod/assign/classes/downloader.php``). Gradescope: a folder
``submission_ID`` each, and ``submission_metadata.yml``. Or a folder for each student.

Nothing is unpacked here; what could lead out of a folder, or is no file, is left where it is.
"""

from __future__ import annotations

import csv
import re
import stat
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from course_lib.grading.course.folder import GradingError, shown_path
from course_lib.grading.engine.limits import DEEPEST_FOLDER, MIB, MOST_ENTRIES

__all__ = ["PLATFORMS", "Attempt", "File", "opened", "read_attempts"]

#: Bytes that one submission may unpack to, and a whole archive.
MOST_EACH, MOST_OF_ALL = 200 * MIB, 20_000 * MIB

#: What operating systems add.
_JUNK = re.compile(r"(^|/)(__MACOSX|\.DS_Store|Thumbs\.db|desktop\.ini|\.ipynb_checkpoints)(/|$)")

_CANVAS = re.compile(
    r"(?:(?P<name>.*?)_)??(?:(?P<late>LATE)_)?(?P<number>\d+)_(?P<file>\d+)_(?P<rest>.+)", re.I
)
_MOODLE = re.compile(
    r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_(?P<kind>[a-z]+)_?(?:/(?P<in>.+)|_?(?P<at>.+))"
)
_GRADESCOPE = re.compile(r"(?P<key>submission_\w+)/(?P<rest>.+)")
_METADATA = "submission_metadata.yml"


@dataclass(frozen=True)
class File:
    """A file of an archive."""

    entry: str
    """Its name there."""
    size: int
    read: Callable[[], bytes] = field(repr=False, compare=False)
    order: int = 0
    """Of two with one name, the one with the larger number is the newer."""


@dataclass
class Attempt:
    """What one person handed in.

    Attributes
    ----------
    label : str
        How the archive calls it.
    name, email, number : str
        What it says of the person.
    time : datetime or None
        When it was handed in, in UTC.
    late : bool or None
        What the platform says.
    files : dict
        By the path that a file is to have; of two with one path, the newer one.
    older : list of File
        Files that a newer one of their name replaces.
    """

    label: str
    name: str = ""
    email: str = ""
    number: str = ""
    time: datetime | None = None
    late: bool | None = None
    files: dict[str, File] = field(default_factory=dict)
    older: list[tuple[str, File]] = field(default_factory=list)

    def add(self, path: str, file: File) -> None:
        """Add a file; the older one of two stays beside."""
        known = self.files.get(path)
        if known is not None and known.order > file.order:
            self.older.append((path, file))
            return
        if known is not None:
            self.older.append((path, known))
        self.files[path] = file

    def problem(self) -> str:
        """Return why it is not unpacked; empty if nothing stands against it."""
        size = sum(file.size for file in self.files.values())
        if size > MOST_EACH:
            return f"it would unpack to {size / MIB:,.0f} MiB, and {MOST_EACH / MIB:g} are allowed"
        if len(self.files) > MOST_ENTRIES:
            return f"it holds {len(self.files):,} files, and {MOST_ENTRIES:,} are allowed"
        return ""


@contextmanager
def opened(path: Path) -> Iterator[tuple[list[File], list[str]]]:
    """Open an archive, or the folder that it was unpacked to.

    Yields
    ------
    files : list of File
    refused : list of str
        What is no file, or would lie elsewhere, and why.

    Raises
    ------
    GradingError
        If it is neither, or too large.
    """
    if path.is_dir():
        yield _in_folder(path)
        return
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise GradingError(f"There is no archive {shown_path(path)}.") from None
    except (zipfile.BadZipFile, OSError) as error:
        raise GradingError(
            f"{shown_path(path)} is no ZIP archive ({error}). Download it again; another kind of "
            "archive you unpack, and name the folder."
        ) from None
    with archive:
        yield _in_zip(archive)


def _in_zip(archive: zipfile.ZipFile) -> tuple[list[File], list[str]]:
    files, refused, total = [], [], 0
    for info in archive.infolist():
        name = _decoded(info)
        if info.is_dir() or _JUNK.search(name):
            continue
        if problem := _unfit(name, info.external_attr >> 16, bool(info.flag_bits & 1)):
            refused.append(f"{name}: {problem}")
            continue
        total += info.file_size
        if total > MOST_OF_ALL:
            raise GradingError(
                f"The archive would unpack to more than {MOST_OF_ALL / MIB:,.0f} MiB. Nothing was "
                "unpacked: is it the right one?"
            )
        # Of each, at most the size that it claims is read, and its checksum must be right.
        files.append(File(name, info.file_size, lambda info=info: archive.read(info)))
    return files, refused


def _in_folder(folder: Path) -> tuple[list[File], list[str]]:
    files, refused = [], []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        status = path.lstat()
        if stat.S_ISDIR(status.st_mode) or _JUNK.search(name):
            continue
        if problem := _unfit(name, status.st_mode, False):
            refused.append(f"{name}: {problem}")
        else:
            files.append(File(name, status.st_size, path.read_bytes))
    return files, refused


def _decoded(info: zipfile.ZipInfo) -> str:
    """Return an entry's name: what says that it is UTF-8 is forgotten by some programs."""
    name = info.orig_filename
    if not info.flag_bits & 0x800:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return unicodedata.normalize("NFC", name)


def _unfit(name: str, mode: int, locked: bool) -> str:
    parts = PurePosixPath(name).parts
    if name.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", name) or ":" in parts[0][:2]:
        return "leads out of the folder"
    if "\\" in name or "\0" in name:
        return "has a name that is none here"
    if len(parts) > DEEPEST_FOLDER:
        return f"lies in more than {DEEPEST_FOLDER} folders"
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "is no file (a link, for instance)"
    return "is encrypted" if locked else ""


# Platforms


def read_attempts(
    platform: str, files: list[File], worksheet: Path | None = None
) -> tuple[list[Attempt], list[str]]:
    """Return who handed in what, and the names of files that are nobody's.

    Parameters
    ----------
    platform : str
        One of `PLATFORMS`.
    files : list of File
        Of the archive.
    worksheet : path, optional
        Moodle's grading worksheet, which says who has which number, and when each handed in.
    """
    if platform not in PLATFORMS:
        raise GradingError(
            f"The platform {platform!r} is unknown. There are: {', '.join(PLATFORMS)}."
        )
    if worksheet is not None and platform != "moodle":
        raise GradingError("A grading worksheet is Moodle's: say --from moodle.")
    attempts, left = PLATFORMS[platform](files)
    if worksheet is not None:
        _read_worksheet(attempts, worksheet)
    if not attempts:
        shown = ", ".join(file.entry for file in files[:3]) or "no file"
        raise GradingError(
            f"Nothing in this archive is named as {platform.capitalize()} names what was handed in "
            f"(it holds {shown}). There are: {', '.join(PLATFORMS)}; say another with --from."
        )
    return sorted(attempts, key=lambda attempt: attempt.label), left


Read = tuple[list[Attempt], list[str]]


def _canvas(files: list[File]) -> Read:
    found: dict[str, Attempt] = {}
    left = []
    for file in files:
        match = _CANVAS.fullmatch(PurePosixPath(file.entry).name)
        if match is None:
            left.append(file.entry)
            continue
        name, number = match["name"] or "", match["number"]
        label = "_".join(filter(None, (name, number)))
        attempt = found.setdefault(label, Attempt(label, name=name, number=number, late=False))
        attempt.late = attempt.late or bool(match["late"])
        newer = File(file.entry, file.size, file.read, order=int(match["file"]))
        attempt.add(_as_it_was(match["rest"]), newer)
    return list(found.values()), left


def _as_it_was(name: str) -> str:
    """Return a file's name without the number that a platform gives to one that comes again."""
    return re.sub(r"(?: ?\(\d+\)|-\d+)(?=\.\w+$)", "", name)


def _moodle(files: list[File]) -> Read:
    found: dict[str, Attempt] = {}
    left = []
    for file in files:
        parts = file.entry.split("/")
        whole = ("/".join(parts[place:]) for place in range(len(parts)))
        match = next(filter(None, map(_MOODLE.fullmatch, whole)), None)
        if match is None:
            left.append(file.entry)
            continue
        label = f"{match['name']}_{match['number']}"
        attempt = found.setdefault(label, Attempt(label, name=match["name"]))
        attempt.add(_as_it_was(match["in"] or match["at"]), file)
    return list(found.values()), left


def _gradescope(files: list[File]) -> Read:
    import yaml

    (index, *more) = [file for file in files if file.entry.endswith(_METADATA)] or [None]
    if index is None or more:
        raise GradingError(
            f"A Gradescope export has one {_METADATA}, and this has {1 + len(more) if index else 0}"
            ". Download it with *Export Submissions* (on the page Review Grades)."
        )
    try:
        known = yaml.safe_load(index.read())
        if not isinstance(known, Mapping):
            raise ValueError("it lists no submissions")
    except (yaml.YAMLError, ValueError) as error:
        raise GradingError(f"{index.entry} cannot be read: {error}") from None
    groups: dict[str, list[tuple[str, File]]] = {}
    left = []
    for file in files:
        match = _GRADESCOPE.search(file.entry)
        if match is not None and match["key"] in known:
            groups.setdefault(match["key"], []).append((match["rest"], file))
        elif file is not index:
            left.append(file.entry)
    attempts = []
    for key, inside in groups.items():
        about = {str(name).lstrip(":"): value for name, value in dict(known[key]).items()}
        for submitter in about.get("submitters") or [{}]:
            told = {str(name).lstrip(":"): value for name, value in dict(submitter).items()}
            name, email, number = (str(told.get(k) or "") for k in ("name", "email", "sid"))
            time = _moment(about.get("created_at"))
            attempt = Attempt(f"{key} {name or email}".strip(), name, email, number, time)
            for path, file in inside:
                attempt.add(path, file)
            attempts.append(attempt)
    return attempts, left


def _folders(files: list[File]) -> Read:
    found: dict[str, Attempt] = {}
    paths = {file.entry: file.entry.split("/") for file in files}
    tops = {parts[0] for parts in paths.values()}
    # Unpacked, or packed as a whole, all lies in one folder more.
    if len(tops) == 1 and all(len(parts) > 2 for parts in paths.values()):
        paths = {entry: parts[1:] for entry, parts in paths.items()}
    left = []
    for file in files:
        top, *rest = paths[file.entry]
        if not rest:
            left.append(file.entry)
            continue
        attempt = found.setdefault(top, Attempt(top, name=top, number=top, email=top))
        attempt.add("/".join(rest), file)
    return list(found.values()), left


PLATFORMS: dict[str, Callable[[list[File]], Read]] = {
    "canvas": _canvas,
    "moodle": _moodle,
    "gradescope": _gradescope,
    "folder": _folders,
}


# Times


def _moment(value: Any) -> datetime | None:
    """Return a time of Gradescope's in UTC."""
    if isinstance(value, str):
        with suppress(ValueError):
            value = datetime.fromisoformat(value.strip().replace(" UTC", "+00:00"))
    if not isinstance(value, datetime):
        return None
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)


#: How Moodle writes times in English, with either clock, and as ISO.
_TIMES = ("%A, %d %B %Y, %I:%M %p", "%A, %d %B %Y, %H:%M", "%d/%m/%y, %H:%M", "%Y-%m-%d %H:%M")


def _read_worksheet(attempts: list[Attempt], path: Path) -> None:
    """Fill in what a grading worksheet of Moodle's says: email address, name, time."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise GradingError(f"{shown_path(path)} cannot be read: {error}") from None
    rows = list(csv.DictReader(text.splitlines()))
    if not rows or "Identifier" not in rows[0]:
        raise GradingError(
            f"{shown_path(path)} is no grading worksheet: it has no column Identifier. Download it "
            "from the assignment (*Download grading worksheet*)."
        )
    by_number = {re.sub(r"\D", "", row["Identifier"] or ""): row for row in rows}
    for attempt in attempts:
        row = by_number.get(attempt.label.rpartition("_")[2], {})
        attempt.email = (row.get("Email address") or "").strip()
        attempt.name = (row.get("Full name") or attempt.name).strip()
        said = (row.get("Last modified (submission)") or "").strip()
        for form in _TIMES:
            with suppress(ValueError):
                # The time of the server, as the teacher's machine has it.
                attempt.time = datetime.strptime(said, form).astimezone(UTC)
