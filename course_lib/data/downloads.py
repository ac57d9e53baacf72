"""Fetch a large data set once, for those who ask for it: checked, kept, resumed where it broke.

No page and no exercise of the course needs a network. What is fetched here is for experiments at
full size. Files lie in one cache folder, which ``COURSE_DATA`` moves and `course doctor` shows;
deleting it loses nothing but the time to fetch them again.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["DownloadError", "Remote", "cache_folder", "fetch", "kept"]

#: Seconds without an answer after which a server counts as unreachable.
_PATIENCE = 20


class DownloadError(OSError):
    """A file could not be fetched; the message says why, and what to do."""


@dataclass(frozen=True)
class Remote:
    """A file of a data set somewhere else.

    Attributes
    ----------
    name : str
        What it is called in the cache folder.
    urls : sequence of str
        Where it can be had; the next is tried where one fails.
    digest : str
        Such as ``"sha256:..."`` or ``"md5:..."``, as its authors publish it.
    size : int
        Bytes, for the progress bar and for those who pay for them.
    """

    name: str
    urls: Sequence[str]
    digest: str
    size: int


def cache_folder() -> Path:
    """Return where fetched files are kept: ``COURSE_DATA``, or the user's cache folder.

    Examples
    --------
    >>> import os
    >>> os.environ["COURSE_DATA"] = "somewhere"
    >>> cache_folder().as_posix()
    'somewhere'
    >>> del os.environ["COURSE_DATA"]
    """
    given = os.environ.get("COURSE_DATA")
    if given:
        return Path(given).expanduser()
    import pooch

    return Path(pooch.os_cache("deep-learning-layer-by-layer"))


def kept() -> tuple[int, int]:
    """Return how many files the cache folder holds, and their bytes together."""
    folder = cache_folder()
    files = [path for path in folder.glob("*") if path.is_file()] if folder.is_dir() else []
    return len(files), sum(path.stat().st_size for path in files)


def fetch(remote: Remote, *, progress: bool | None = None) -> Path:
    """Return the path of a file, after fetching it if it is not there yet.

    A download that breaks leaves what it has behind, and the next call goes on from there. A file
    whose digest is wrong is deleted.

    Parameters
    ----------
    remote : Remote
    progress : bool, optional
        Show a bar; by default in a terminal, and nowhere else.

    Returns
    -------
    Path

    Raises
    ------
    DownloadError
        If no address answers, a download breaks off, or what came is not the file that its
        authors published.
    """
    import pooch

    folder = cache_folder()
    shown = sys.stderr.isatty() if progress is None else progress
    downloader = _Downloader(folder / f"{remote.name}.partial", remote, shown)
    # Pooch announces each download by a line of its own; the bar says more.
    pooch.get_logger().setLevel("WARNING")
    problems = []
    for url in remote.urls:
        try:
            found = pooch.retrieve(
                url, remote.digest, fname=remote.name, path=folder, downloader=downloader
            )
            return Path(found)
        except ValueError:
            problems.append(
                f"{url} sent a file whose {remote.digest.partition(':')[0]} digest is not "
                f"{remote.digest.partition(':')[2]}: it is damaged, or another file"
            )
        except OSError as error:
            problems.append(f"{url}: {_reason(error)}")
    size = f"{remote.size / 1e6:,.0f} MB"
    raise DownloadError(
        f"{remote.name} ({size}) could not be fetched.\n"
        + "".join(f"  {problem}.\n" for problem in problems)
        + "Nothing of the course needs it. To try again, call the same function: a broken download "
        f"goes on where it stopped. Or get the file in another way, and put it into {folder}."
    )


class _Downloader:
    """Fetches an address into a file for pooch, by way of a partial file that survives."""

    def __init__(self, partial: Path, remote: Remote, progress: bool) -> None:
        self.partial, self.remote, self.progress = partial, remote, progress

    def __call__(self, url: str, output_file: str | os.PathLike[str], _: Any) -> None:
        import requests

        have = self.partial.stat().st_size if self.partial.exists() else 0
        asked = {"Range": f"bytes={have}-"} if have else {}
        with requests.get(url, headers=asked, stream=True, timeout=_PATIENCE) as answer:
            if answer.status_code == requests.codes.requested_range_not_satisfiable:
                # What is there is as long as the file or longer: the digest decides below.
                pass
            else:
                answer.raise_for_status()
                whole = answer.status_code != requests.codes.partial_content
                self._receive(answer, 0 if whole else have)
        self.partial.replace(output_file)

    def _receive(self, answer: Any, have: int) -> None:
        """Write what comes behind what is there, and see that all of it came."""
        from tqdm import tqdm

        coming = answer.headers.get("Content-Length")
        total = have + int(coming) if coming else self.remote.size
        with (
            self.partial.open("ab" if have else "wb") as file,
            tqdm(
                desc=self.remote.name,
                disable=not self.progress,
                initial=have,
                total=total,
                unit="B",
                unit_scale=True,
            ) as bar,
        ):
            for chunk in answer.iter_content(1 << 16):
                bar.update(file.write(chunk))
        # Without this, a connection that closes early looks like the end of the file.
        got = self.partial.stat().st_size
        if coming and got < total:
            raise DownloadError(f"the connection closed after {got:,} of {total:,} bytes")


def _reason(error: OSError) -> str:
    """Say in a few words why an address did not answer."""
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return f"no answer within {_PATIENCE} seconds"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection closed before the end"
    if isinstance(error, requests.ConnectionError):
        return "cannot be reached (is this machine online?)"
    return str(error)
