"""Watching a detector at work: what moved, since when, and which labels are there by now.

A detector is trained on the past and used in the future. Two things get in the way of knowing how
good it still is. What it looks at changes, and labels arrive late: what looks honest today may be
reported as fraud in a month. These functions compare distributions (`population_stability_index`,
with the limit that chance allows, `index_limit`), give the labels that were known at some hour
(`labels_at`), and cut time into parts to learn from and parts to be tested on (`forward_windows`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2

__all__ = [
    "Window",
    "bin_edges",
    "forward_windows",
    "index_limit",
    "labels_at",
    "population_stability_index",
]

Floats = NDArray[np.float64]


class Window(NamedTuple):
    """Rows to learn from, and later rows to be tested on.

    Attributes
    ----------
    now : float
        The time at which the detector is trained. Labels that arrive later do not exist yet.
    train, test : ndarray of int
        Row numbers.
    """

    now: float
    train: NDArray[np.int64]
    test: NDArray[np.int64]


def bin_edges(reference: ArrayLike, bins: int = 10) -> Floats:
    """Cut a sample into bins that hold about equally many of its values.

    Parameters
    ----------
    reference : array_like, shape (n,)
    bins : int
        How many, at most: where many values are equal, bins become fewer.

    Returns
    -------
    ndarray, shape (bins - 1,) or shorter
        The edges between the bins. The outer bins have no outer edge, so every value, however
        large, falls into a bin. A value on an edge belongs to the bin above it.

    Raises
    ------
    ValueError
        If there is no value, one is not finite, or there are fewer than two bins.

    Examples
    --------
    >>> bin_edges([1.0, 2.0, 3.0, 4.0], bins=2)
    array([3.])
    """
    values = _finite(reference, "reference")
    if bins < 2:
        raise ValueError(f"bins must be 2 or more, but is {bins}.")
    # Edges that are values of the sample leave no bin of it empty.
    edges = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1], method="higher"))
    # Nothing lies below the smallest value: an edge there would make an empty bin.
    return edges[edges > values.min()]


def population_stability_index(reference: ArrayLike, current: ArrayLike, bins: int = 10) -> float:
    """Measure how far the values of today are distributed otherwise than those of a reference.

    With a share ``p`` of the reference and a share ``q`` of today's values in a bin, the bin adds
    ``(q - p) * log(q / p)``.

    Parameters
    ----------
    reference : array_like, shape (n,)
        The bins come from these alone, see `bin_edges`.
    current : array_like, shape (m,)
    bins : int

    Returns
    -------
    float
        0 for equal shares, and more the more they differ. An empty bin counts as half a value,
        since the logarithm of 0 would make any empty bin an infinite change.

    Raises
    ------
    ValueError
        If a sample is empty or holds a value that is not finite.

    References
    ----------
    B. Yurdakul and J. Naranjo, "Statistical properties of the population stability index", Journal
    of Risk Model Validation 14(4), 2020, doi:10.21314/JRMV.2020.227.

    Examples
    --------
    >>> round(population_stability_index([1, 2, 3, 4], [1, 2, 3, 3], bins=2), 4)
    0.0
    >>> round(population_stability_index([1, 2, 3, 4], [1, 3, 3, 3], bins=2), 4)
    0.2747
    """
    old, new = _finite(reference, "reference"), _finite(current, "current")
    edges = bin_edges(old, bins)
    p, q = (_shares(values, edges) for values in (old, new))
    return float(np.sum((q - p) * np.log(q / p)))


def index_limit(n: int, m: int, bins: int = 10, level: float = 0.99) -> float:
    """Compute how large the index becomes by chance, when nothing has changed.

    For samples that are not small, the index of two samples of one distribution is about
    ``1 / n + 1 / m`` times a chi-squared variable with ``bins - 1`` degrees of freedom.

    Parameters
    ----------
    n, m : int
        Independent values in the reference, and in the current sample.
    bins : int
    level : float
        The share of unchanged samples that stay below the limit.

    Returns
    -------
    float

    References
    ----------
    B. Yurdakul and J. Naranjo, "Statistical properties of the population stability index", Journal
    of Risk Model Validation 14(4), 2020, doi:10.21314/JRMV.2020.227.

    Examples
    --------
    >>> round(index_limit(100_000, 100_000), 4), round(index_limit(60, 30, bins=5), 2)
    (0.0004, 0.66)
    """
    if n < 1 or m < 1 or bins < 2 or not 0 < level < 1:
        raise ValueError(
            "n and m must be 1 or more, bins 2 or more and level between 0 and 1, but they are "
            f"{n}, {m}, {bins} and {level}."
        )
    return float(chi2.ppf(level, bins - 1) * (1 / n + 1 / m))


def labels_at(known: ArrayLike, now: float) -> NDArray[np.int64]:
    """Give the labels that are there at some time: 1 for what has been reported by then.

    Parameters
    ----------
    known : array_like, shape (n,)
        When each is reported; infinite for what never is.
    now : float

    Returns
    -------
    ndarray of int, shape (n,)
        0 says "honest, or not reported yet".

    Examples
    --------
    >>> labels_at([5.0, 9.0, np.inf], now=7.0)
    array([1, 0, 0])
    """
    return (np.asarray(known, dtype=float) <= now).astype(np.int64)


def forward_windows(
    time: ArrayLike, *, length: float, wait: float, test: float, start: float, stop: float
) -> Iterator[Window]:
    """Walk through time: learn from the past, wait for the labels, be tested on what follows.

    Parameters
    ----------
    time : array_like, shape (n,)
        When each row happened.
    length : float
        How much of the past is learned from.
    wait : float
        How much of the latest past is left out, since most of its labels have not arrived.
    test : float
        How long a detector is used before the next one is trained.
    start, stop : float
        When the first detector is trained, and when the last test ends.

    Yields
    ------
    Window
        Training on ``now - wait - length <= time < now - wait``, tests on
        ``now <= time < now + test``, cut at `stop`.

    Raises
    ------
    ValueError
        If a length is not above 0, or `wait` is below 0.

    Examples
    --------
    >>> [(w.now, w.train.tolist(), w.test.tolist()) for w in forward_windows(
    ...     [0, 1, 2, 3, 4, 5], length=2, wait=1, test=2, start=3, stop=6)]
    [(3.0, [0, 1], [3, 4]), (5.0, [2, 3], [5])]
    """
    if length <= 0 or test <= 0 or wait < 0:
        raise ValueError(
            f"length and test must be above 0 and wait at least 0, but they are {length}, {test} "
            f"and {wait}."
        )
    when = np.asarray(time, dtype=float)
    now = float(start)
    while now < stop:
        past = (when >= now - wait - length) & (when < now - wait)
        coming = (when >= now) & (when < min(now + test, stop))
        yield Window(now, np.flatnonzero(past), np.flatnonzero(coming))
        now += test


def _finite(values: ArrayLike, name: str) -> Floats:
    array = np.asarray(values, dtype=float)
    if array.ndim != 1 or not array.size:
        raise ValueError(f"{name} must have shape (n,) with n at least 1, but has {array.shape}.")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds a value that is not finite, which belongs to no bin.")
    return array


def _shares(values: Floats, edges: Floats) -> Floats:
    """Return which share of the values falls into each bin; an empty bin counts half a value."""
    counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
    filled = np.maximum(counts, 0.5)
    return filled / filled.sum()
