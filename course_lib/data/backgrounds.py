"""Digits on striped paper: a task in which the paper gives the answer away, as long as it lasts.

Each image of a digit (see `course_lib.data.digits`) is put on paper with level or upright stripes.
Its label says whether the digit is 5 or more. In a biased collection, most of the small digits lie
on level stripes and most of the large ones on upright stripes: a network can read the paper instead
of the digit, and nobody who looks at its average accuracy will notice. `striped` says how large
"most" is, and returns the group of each sample, so that accuracy can be measured in each.

The four groups are numbered ``2 * label + paper``: 0 is a small digit on level stripes, 1 a small
one on upright stripes, 2 a large digit on level stripes, 3 a large one on upright stripes. Groups 1
and 2 contradict the rule of the paper.

Made from digits.csv.gz of scikit-learn, CC BY 4.0; the stripes are made here. License: CC BY 4.0.
The idea is that of the waterbirds of Sagawa and others, who put photographs of birds on pictures of
land and water.

Known faults: the stripes are far easier to see than any real background, and which group a sample
belongs to is known here, for all samples and without mistake. Not for ranking methods.

References
----------
S. Sagawa, P. W. Koh, T. B. Hashimoto and P. Liang, "Distributionally robust neural networks for
group shifts", 2020, arXiv:1911.08731.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["GROUPS", "Striped", "striped"]

#: What the groups are called, by number.
GROUPS: Final = ("small, level", "small, upright", "large, level", "large, upright")


class Striped(NamedTuple):
    """Digits on striped paper.

    Attributes
    ----------
    X : ndarray, shape (n, 64)
        The images, ink from 0 to 1.
    y : ndarray of int, shape (n,)
        The labels: 1 where the digit is 5 or more, otherwise 0.
    groups : ndarray of int, shape (n,)
        ``2 * label + paper``, where the paper is 0 for level and 1 for upright stripes.
    """

    X: NDArray[np.float64]
    y: NDArray[np.int64]
    groups: NDArray[np.int64]


def striped(
    pixels: ArrayLike, digits: ArrayLike, *, agree: float, seed: int, ink: float = 0.5
) -> Striped:
    """Put each digit on striped paper.

    Every second row (or column) of pixels has a stripe, beginning with the first or the second,
    which is drawn for each image. Where a digit has more ink than the stripe, the digit is seen.

    Parameters
    ----------
    pixels : array_like, shape (n, 64)
        Images of digits.
    digits : array_like of int, shape (n,)
        What they show, 0 to 9.
    agree : float
        The share of images of each label whose paper goes with it, rounded to whole images: 0.5 is
        a paper that says nothing, 1 one that says all.
    seed : int
        The same seed gives the same papers.
    ink : float
        How dark the stripes are, from 0 to 1.

    Returns
    -------
    Striped
        `X`, `y` and `groups`, in the order in which the images came.

    Raises
    ------
    ValueError
        If shapes do not fit, or `agree` or `ink` is not a share.

    Examples
    --------
    >>> paper = striped(np.zeros((4, 64)), [0, 4, 5, 9], agree=0.5, seed=0)
    >>> paper.y.tolist(), np.bincount(paper.groups).tolist()
    ([0, 0, 1, 1], [1, 1, 1, 1])
    """
    pixels, digits = np.asarray(pixels, dtype=float), np.asarray(digits)
    if pixels.ndim != 2 or pixels.shape[1] != 64 or digits.shape != pixels.shape[:1]:
        raise ValueError(
            "pixels must have shape (n, 64) and digits shape (n,), but have "
            f"{pixels.shape} and {digits.shape}."
        )
    for name, share in (("agree", agree), ("ink", ink)):
        if not 0 <= share <= 1:
            raise ValueError(f"{name} must be from 0 to 1, but is {share}.")
    rng = np.random.default_rng(seed)
    labels = (digits >= 5).astype(np.int64)
    paper = labels.copy()
    for label in (0, 1):
        rows = rng.permutation(np.flatnonzero(labels == label))
        paper[rows[round(agree * len(rows)) :]] = 1 - label
    rows, columns = np.indices((8, 8))
    along = np.where(paper[:, None, None] == 1, columns, rows)
    stripes = ink * ((along + rng.integers(2, size=(len(labels), 1, 1))) % 2)
    images = np.maximum(pixels.reshape(-1, 8, 8), stripes).reshape(len(labels), 64)
    return Striped(images, labels, 2 * labels + paper)
