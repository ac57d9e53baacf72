"""Fashion-MNIST at full size: 70,000 pictures of clothes, 28 by 28 pixels. Fetched, 31 MB.

Photographs of a shop's articles, made small and gray by its research group. They replace the
handwritten digits of MNIST with something harder, in the same form. License: MIT (Zalando SE).

Known faults: the ten kinds are one shop's and one year's; some labels are disputable (a shirt, a
T-shirt and a coat can look alike at this size); articles were photographed in one way, on white.
Not for judging what a model would do with photographs of people, or of other shops. Thousands of
papers have looked at the test set: small differences on it mean little.

References
----------
H. Xiao, K. Rasul and R. Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine
learning algorithms", 2017, arXiv:1708.07747.
"""

from __future__ import annotations

import gzip
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from course_lib.data.downloads import Remote, fetch

__all__ = ["FILES", "NAMES", "FashionMNIST", "load"]

#: What the labels 0 to 9 stand for.
NAMES = (
    "T-shirt",
    "trousers",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)

_PLACES = (
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
)
FILES = {
    "train-images-idx3-ubyte.gz": ("8d4fb7e6c68d591d4c3dfef9ec88bf0d", 26_421_880),
    "train-labels-idx1-ubyte.gz": ("25c81989df183df01b3e8a0aad5dffbe", 29_515),
    "t10k-images-idx3-ubyte.gz": ("bef4ecab320f06d8554ea6380940ec79", 4_422_102),
    "t10k-labels-idx1-ubyte.gz": ("bb300cfdad3c16e7a12a480ee83cd310", 5_148),
}
"""The four files, each with its MD5 checksum and its size in bytes.

:meta hide-value:
"""


class FashionMNIST(NamedTuple):
    """Pictures (n, 28, 28) and labels (n,), in bytes: 0 is the background."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]


def load(*, progress: bool | None = None) -> FashionMNIST:
    """Return all pictures, fetched on the first call.

    Parameters
    ----------
    progress : bool, optional
        As in `course_lib.data.downloads.fetch`.

    Returns
    -------
    FashionMNIST
        60,000 pictures to train with and 10,000 to test, with their labels.

    Raises
    ------
    DownloadError
        If they are not there and cannot be fetched.
    """
    parts = []
    for name, (digest, size) in FILES.items():
        remote = Remote(
            f"fashion-{name}", [f"{place}/{name}" for place in _PLACES], f"md5:{digest}", size
        )
        with gzip.open(fetch(remote, progress=progress)) as file:
            parts.append(_read_idx(file.read()))
    return FashionMNIST(*parts)


def _read_idx(content: bytes) -> NDArray[np.uint8]:
    """Read an array of bytes in the format of MNIST: dimensions, then values."""
    dimensions = content[3]
    shape = np.frombuffer(content, ">u4", dimensions, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)
