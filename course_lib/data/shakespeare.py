"""Scenes from Shakespeare's plays: 1,115,394 letters. Fetched, 1 MB.

The text that character models have been shown on since 2015, known as *Tiny Shakespeare*: 40,000
lines of several plays, with the speakers' names. License: none needed, the plays are in the public
domain.

Known faults: spelling and punctuation are a later editor's, and it is one author's verse of about
1600: what learns from it knows no other English. Not for judging language models but very small
ones.

References
----------
A. Karpathy, "The unreasonable effectiveness of recurrent neural networks", 2015,
https://karpathy.github.io/2015/05/21/rnn-effectiveness/.
"""

from __future__ import annotations

from course_lib.data.downloads import Remote, fetch

__all__ = ["REMOTE", "load"]

REMOTE = Remote(
    "tiny-shakespeare.txt",
    [
        "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
    ],
    "sha256:86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
    1_115_394,
)
"""Where the text is fetched from, its checksum and its size in bytes.

:meta hide-value:
"""


def load(*, progress: bool | None = None) -> str:
    """Return the whole text, fetched on the first call.

    Parameters
    ----------
    progress : bool, optional
        As in `course_lib.data.downloads.fetch`.

    Returns
    -------
    str
        ASCII, 65 different characters.

    Raises
    ------
    DownloadError
        If it is not there and cannot be fetched.
    """
    return fetch(REMOTE, progress=progress).read_text(encoding="ascii")
