"""Cut a data set into three parts: to learn from, to choose by, to judge by.

The chapter *Deep learning* says what each part is for.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Part", "Rows", "Split", "split", "split_rows"]


class Rows(NamedTuple):
    """Which rows of a data set belong to which part: arrays of whole numbers."""

    train: NDArray[np.intp]
    validation: NDArray[np.intp]
    test: NDArray[np.intp]


class Part(NamedTuple):
    """Samples, one a row, and what is right for each."""

    X: NDArray[Any]
    y: NDArray[Any]


class Split(NamedTuple):
    """The three parts of a data set."""

    train: Part
    validation: Part
    test: Part


def split_rows(n: int, seed: int, *, validation: float = 0.2, test: float = 0.2) -> Rows:
    """Shuffle the rows of a data set and cut them into three parts.

    Parameters
    ----------
    n : int
        How many rows there are.
    seed : int
        The same seed gives the same parts.
    validation, test : float
        The shares of these parts, rounded to whole rows. Training gets the rest.

    Returns
    -------
    Rows
        `train`, `validation` and `test`. Each row is in exactly one of them.

    Raises
    ------
    ValueError
        If a share is negative, or no row is left to train with.

    Examples
    --------
    >>> rows = split_rows(10, seed=0)
    >>> [len(part) for part in rows]
    [6, 2, 2]
    >>> sorted(int(row) for part in rows for row in part)
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    """
    if not (validation >= 0 and test >= 0):
        raise ValueError(
            f"Shares cannot be negative, but validation is {validation} and test is {test}."
        )
    chosen, judged = round(validation * n), round(test * n)
    if chosen + judged >= n:
        raise ValueError(
            f"Of {n} rows, {chosen} for validation and {judged} for the test leave none to train "
            "with. Give smaller shares, or more rows."
        )
    order = np.random.default_rng(seed).permutation(n)
    return Rows(*np.split(order, [n - chosen - judged, n - judged]))


def split(
    X: ArrayLike, y: ArrayLike, *, seed: int, validation: float = 0.2, test: float = 0.2
) -> Split:
    """Shuffle samples and their labels together and cut them into three parts.

    Parameters
    ----------
    X : array_like, shape (n, ...)
        Samples, one a row.
    y : array_like, shape (n, ...)
        What is right for each.
    seed : int
        The same seed gives the same parts.
    validation, test : float
        As in `split_rows`.

    Returns
    -------
    Split
        `train`, `validation` and `test`, each with its `X` and `y`.

    Raises
    ------
    ValueError
        If `X` and `y` differ in length, or the shares do not fit (see `split_rows`).

    Examples
    --------
    >>> train, validation, test = split([[1], [2], [3], [4], [5]], [1, 2, 3, 4, 5], seed=0)
    >>> train.X.shape, test.y.shape
    ((3, 1), (1,))
    """
    X, y = np.asarray(X), np.asarray(y)
    if len(X) != len(y):
        raise ValueError(f"There are {len(X)} samples and {len(y)} labels: one label a sample.")
    rows = split_rows(len(X), seed=seed, validation=validation, test=test)
    return Split(*(Part(X[part], y[part]) for part in rows))
