"""The habits of measuring: a baseline, a standardization that does not leak, a fair choice.

Each is a few lines, written by the student in the exercise of *What is deep learning, and when is
it worth it?*, whose tests lend these to the later steps. Splits are in `course_lib.data.splits`.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Candidate", "accuracy", "baseline_accuracy", "choose", "pooled_accuracy", "standardize"]

Candidate = Callable[[Any, Any, Any], ArrayLike]
"""``candidate(X_train, y_train, X_new)`` learns, and returns the labels that it gives to X_new."""

Data = tuple[ArrayLike, ArrayLike]
"""Samples, one a row, and their labels."""


def accuracy(y: ArrayLike, says: ArrayLike) -> float:
    """Compute the share of right answers.

    Parameters
    ----------
    y : array_like, shape (n,)
        What is right.
    says : array_like, shape (n,)
        What was answered.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the shapes differ or there is nothing to count.

    Examples
    --------
    >>> accuracy([1, 0, 1, 1], [1, 1, 1, 1])
    0.75
    """
    y, says = np.asarray(y), np.asarray(says)
    if y.shape != says.shape or y.ndim != 1 or not y.size:
        # NumPy would compare a single answer with every label, and (n, 1) with (n,) as (n, n).
        raise ValueError(
            f"There must be one answer for each label, but the labels have shape {y.shape} and the "
            f"answers {says.shape}. Both must be (n,), with n at least 1."
        )
    return float(np.mean(y == says))


def pooled_accuracy(groups: list[tuple[ArrayLike, ArrayLike]]) -> float:
    """Compute the share of right answers among all rows of several groups.

    Parameters
    ----------
    groups : list of (y, says)
        Labels and answers of each group, such as a hospital or a batch. Groups may differ in size.

    Returns
    -------
    float

    Examples
    --------
    >>> pooled_accuracy([([1], [1]), ([0, 0, 0], [1, 1, 1])])  # the mean over groups would be 0.5
    0.25
    """
    labels, answers = zip(*groups, strict=True)
    return accuracy(np.concatenate(labels), np.concatenate(answers))


def baseline_accuracy(y_train: ArrayLike, y_test: ArrayLike) -> float:
    """Compute how often the commonest label of the training set is right on other rows.

    Parameters
    ----------
    y_train : array_like, shape (n,)
        Labels from which the commonest is taken; of several, the smallest.
    y_test : array_like, shape (m,)
        Labels on which it is tried.

    Returns
    -------
    float

    Examples
    --------
    >>> baseline_accuracy([0, 0, 1], [1, 1, 1, 0])
    0.25
    """
    kinds, counts = np.unique(y_train, return_counts=True)
    return accuracy(y_test, np.full(np.shape(y_test), kinds[counts.argmax()]))


def standardize(X_train: ArrayLike, X_new: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    """Subtract the training set's mean of each column, and divide by its standard deviation.

    Parameters
    ----------
    X_train : array_like, shape (n, d)
        Rows that may be looked at. A column that is constant in them is only shifted.
    X_new : array_like, shape (m, d)
        Rows that may not: they are shifted and divided by the numbers of the others.

    Returns
    -------
    Z_train : ndarray, shape (n, d)
    Z_new : ndarray, shape (m, d)

    Examples
    --------
    >>> Z_train, Z_new = standardize([[1.0], [3.0]], [[5.0]])
    >>> Z_train.tolist(), Z_new.tolist()
    ([[-1.0], [1.0]], [[3.0]])
    """
    X_train, X_new = np.asarray(X_train), np.asarray(X_new)
    mean, spread = X_train.mean(axis=0), X_train.std(axis=0)
    spread = np.where(np.ptp(X_train, axis=0) > 0, spread, 1)
    return (X_train - mean) / spread, (X_new - mean) / spread


def choose(candidates: Mapping[str, Candidate], train: Data, validation: Data) -> str:
    """Name the candidate that learns from one set and is right most often on another.

    Parameters
    ----------
    candidates : mapping of str to Candidate
        In the order in which they are preferred: of several that are equally good, the first wins.
    train, validation : (X, y)
        The rows to learn from and the rows to choose by.

    Returns
    -------
    str

    Examples
    --------
    >>> always = {str(k): lambda X, y, X_new, k=k: [k] * len(X_new) for k in (0, 1)}
    >>> choose(always, ([[5.0]], [0]), ([[6.0], [7.0]], [1, 1]))
    '1'
    """
    X, y = validation
    # max keeps the first of equals.
    return max(candidates, key=lambda name: accuracy(y, candidates[name](*train, X)))
