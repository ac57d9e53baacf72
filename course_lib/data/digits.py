"""Handwritten digits of 8 by 8 pixels, 1,797 of them, as they come with scikit-learn.

Each pixel says how much ink lies in a block of 4 by 4 pixels of the scan. They are the test part
of *Optical Recognition of Handwritten Digits* by E. Alpaydin and C. Kaynak (1998), UCI Machine
Learning Repository, license CC BY 4.0. They were written by 13 people, and there is no list of who
wrote which. But neighbors in the file are often alike, as if one writer came after the other: a
lesson of the scikit-learn MOOC (doi:10.5281/zenodo.7220306) cuts it into stretches of about 130
images and takes them for writers. Split at random, the same hands are on both sides; split by such
stretches, most of them are not, and scores are lower.

Known faults: writers can only be guessed; the digits are centered and of one size, and a few cannot
be told apart by a person either. Not for claims about reading handwriting in general, nor for
ranking methods that differ by less than a few of the images of a test part.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["load", "photographed"]


def load() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Load the images and what they show.

    Returns
    -------
    pixels : ndarray, shape (1797, 64)
        One image a row, row by row: ink from 0 to 1, in sixteenths.
    digits : ndarray, shape (1797,)
        0 to 9, each of them between 174 and 183 times.

    Examples
    --------
    >>> pixels, digits = load()
    >>> pixels.shape, digits[:5].tolist()
    ((1797, 64), [0, 1, 2, 3, 4])
    """
    # scikit-learn's own loader reads the same file, after importing scikit-learn: most of a second.
    file = _file()
    if file is None:
        from sklearn import datasets

        pixels, digits = datasets.load_digits(return_X_y=True)
    else:
        table = np.loadtxt(file, delimiter=",")
        pixels, digits = table[:, :-1], table[:, -1].astype(np.int64)
    return pixels / 16, digits


def _file() -> Path | None:
    """Return where scikit-learn keeps the digits, or None if it has moved them."""
    spec = find_spec("sklearn")
    if spec is None or not spec.submodule_search_locations:
        return None
    file = Path(spec.submodule_search_locations[0], "datasets", "data", "digits.csv.gz")
    return file if file.is_file() else None


def photographed(
    pixels: ArrayLike, digits: ArrayLike, n: int, seed: int, *, size: int = 10
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Take careless photographs of digits: each somewhere on a sheet, in uneven light.

    The digit stands at a random place, and light that grows evenly in a random direction is added.
    One image makes as many different photographs as are wanted.

    Parameters
    ----------
    pixels : array_like, shape (m, 64)
        Images to choose from, such as those of a training set.
    digits : array_like, shape (m,)
        What they show.
    n : int
        How many photographs to take, each of an image drawn at random.
    seed : int
        The same seed gives the same photographs.
    size : int
        Height and width of the sheet, at least 8.

    Returns
    -------
    pictures : ndarray of float32, shape (n, size * size)
    shown : ndarray, shape (n,)
        The digit on each.

    Raises
    ------
    ValueError
        If the sheet is too small.
    """
    pixels, digits = np.asarray(pixels), np.asarray(digits)
    if size < 8:
        raise ValueError(f"A digit of 8 by 8 pixels does not fit on a sheet of {size} by {size}.")
    rng = np.random.default_rng(seed)
    rows = rng.integers(len(pixels), size=n)
    down, right = rng.integers(size - 7, size=(2, n))
    tilt = rng.uniform(-0.5, 0.5, (2, n, 1, 1))
    across = np.linspace(-1, 1, size)
    pictures = tilt[0] * across[:, np.newaxis] + tilt[1] * across
    for picture, image, i, j in zip(pictures, pixels[rows], down, right, strict=True):
        picture[i : i + 8, j : j + 8] += image.reshape(8, 8)
    return pictures.reshape(n, -1).astype(np.float32), digits[rows]
