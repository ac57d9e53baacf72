"""CIFAR-10 at full size: 60,000 color photographs, 32 by 32 pixels, ten kinds. Fetched, 170 MB.

Collected from the web by searching for nouns (the *80 million tiny images*), then labeled by paid
students. The authors name no license; it is used for research and teaching, with a citation.

Known faults: the collection that it was taken from was withdrawn in 2020, because its search terms
and pictures include offensive ones (the ten kinds here are animals and vehicles); about 3 % of the
test pictures have near duplicates among those to train with. Not for judging what a model would do
with photographs of today, or larger ones.

References
----------
A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009.

B. Barz and J. Denzler, "Do we train on test data? Purging CIFAR of near-duplicates", 2020,
arXiv:1902.00423.
"""

from __future__ import annotations

import tarfile
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from course_lib.data.downloads import Remote, fetch

__all__ = ["CIFAR10", "NAMES", "REMOTE", "load"]

#: What the labels 0 to 9 stand for.
NAMES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)

# The version for C: plain bytes. The one for Python holds pickles, which can run anything.
REMOTE = Remote(
    "cifar-10-binary.tar.gz",
    ["https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"],
    "md5:c32a1d4ab5d03f1284b67883e8d87530",
    170_052_171,
)
"""Where the archive is fetched from, its checksum and its size in bytes.

:meta hide-value:
"""
_TRAIN = tuple(f"data_batch_{k}.bin" for k in range(1, 6))
_TEST = ("test_batch.bin",)


class CIFAR10(NamedTuple):
    """Pictures (n, 3, 32, 32), red, green and blue in bytes, and labels (n,)."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]


def load(*, progress: bool | None = None) -> CIFAR10:
    """Return all pictures, fetched on the first call.

    Parameters
    ----------
    progress : bool, optional
        As in `course_lib.data.downloads.fetch`.

    Returns
    -------
    CIFAR10
        50,000 pictures to train with and 10,000 to test, with their labels.

    Raises
    ------
    DownloadError
        If they are not there and cannot be fetched.
    """
    with tarfile.open(fetch(REMOTE, progress=progress)) as archive:
        # Read from the archive: nothing that it holds is written anywhere.
        contents = {
            member.name.rpartition("/")[2]: archive.extractfile(member).read()  # type: ignore[union-attr]
            for member in archive
            if member.isfile() and member.name.endswith(".bin")
        }
    parts: list[NDArray[np.uint8]] = []
    for names in (_TRAIN, _TEST):
        rows = np.frombuffer(b"".join(contents[name] for name in names), np.uint8)
        rows = rows.reshape(-1, 1 + 3 * 32 * 32)
        parts += [rows[:, 1:].reshape(-1, 3, 32, 32), rows[:, 0]]
    return CIFAR10(*parts)
