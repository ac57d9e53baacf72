"""How good answers are: counts of right and wrong, curves over thresholds, calibration.

Every function takes arrays or tensors, looks at all samples at once, and says what came when shapes
do not fit. A mean of batches' accuracies is not the accuracy, so give them everything.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Reliability",
    "accuracy",
    "auroc",
    "average_precision",
    "binned",
    "confusion_matrix",
    "expected_calibration_error",
    "f1_scores",
    "precision_recall_curve",
    "precisions",
    "recalls",
    "reliability",
    "roc_curve",
]

Floats = NDArray[np.float64]


class Reliability(NamedTuple):
    """What a reliability diagram shows, for each bin that holds a sample.

    Attributes
    ----------
    confidence : ndarray
        Mean of the probabilities that were given.
    accuracy : ndarray
        Share of the answers that were right.
    count : ndarray of int
        How many answers.
    """

    confidence: Floats
    accuracy: Floats
    count: NDArray[np.int64]

    @property
    def error(self) -> float:
        """The mean distance of confidence from accuracy, each bin weighted by its samples."""
        return float(np.average(np.abs(self.confidence - self.accuracy), weights=self.count))


def accuracy(answers: ArrayLike, targets: ArrayLike) -> float:
    """Compute the share of right answers.

    Parameters
    ----------
    answers : array_like, shape (n,) or (n, k)
        Classes; or a score for each class, of which the largest (the first of equals) is the
        answer.
    targets : array_like of int, shape (n,)

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        If there is not one answer per target, or nothing to count.

    Examples
    --------
    >>> accuracy([[0.2, 0.8], [0.9, 0.1], [0.4, 0.6]], [1, 0, 0])
    0.6666666666666666
    """
    given, wanted = np.asarray(answers), np.asarray(targets)
    if given.ndim == 2 and given.shape[1] > 1:
        given = given.argmax(axis=1)
    _same_shape(given, wanted, "answers")
    return float(np.mean(given == wanted))


def confusion_matrix(
    answers: ArrayLike, targets: ArrayLike, classes: int | None = None
) -> NDArray[np.int64]:
    """Count how often each class was answered for each class.

    Parameters
    ----------
    answers, targets : array_like of int, shape (n,)
        Classes, counted from 0.
    classes : int, optional
        How many classes there are; by default as many as the largest that occurs says.

    Returns
    -------
    ndarray of int, shape (classes, classes)
        A row per right class, a column per answer: what is right stands on the diagonal.

    Raises
    ------
    ValueError
        If shapes differ, or a class is negative, no integer or not below `classes`.

    Examples
    --------
    >>> confusion_matrix([0, 1, 1, 1], [0, 0, 1, 1]).tolist()
    [[1, 1], [0, 2]]
    """
    given, wanted = np.asarray(answers), np.asarray(targets)
    _same_shape(given, wanted, "answers")
    for name, values in (("answers", given), ("targets", wanted)):
        if not np.issubdtype(values.dtype, np.integer):
            raise ValueError(
                f"{name} must be whole numbers that name classes, but are {values.dtype}. Take the "
                "argmax of scores first."
            )
    count = int(max(given.max(), wanted.max())) + 1 if classes is None else classes
    low, high = min(given.min(), wanted.min()), max(given.max(), wanted.max())
    if low < 0 or high >= count:
        raise ValueError(
            f"Classes must be 0 to {count - 1}, but one is {low if low < 0 else high}."
        )
    pairs = np.bincount(wanted * count + given, minlength=count * count)
    return pairs.reshape(count, count)


def precisions(confusion: ArrayLike) -> Floats:
    """Compute for each class how many of the answers that name it are right.

    Parameters
    ----------
    confusion : array_like, shape (k, k)
        As `confusion_matrix` returns it.

    Returns
    -------
    ndarray, shape (k,)
        nan for a class that was never answered.

    Examples
    --------
    >>> precisions([[1, 1], [0, 2]]).round(3).tolist()
    [1.0, 0.667]
    """
    table = _square(confusion)
    return _shares(np.diag(table), table.sum(axis=0))


def recalls(confusion: ArrayLike) -> Floats:
    """Compute for each class how many of its samples were found.

    Parameters
    ----------
    confusion : array_like, shape (k, k)
        As `confusion_matrix` returns it.

    Returns
    -------
    ndarray, shape (k,)
        nan for a class that does not occur.

    Examples
    --------
    >>> recalls([[1, 1], [0, 2]]).tolist()
    [0.5, 1.0]
    """
    table = _square(confusion)
    return _shares(np.diag(table), table.sum(axis=1))


def f1_scores(confusion: ArrayLike) -> Floats:
    """Compute for each class the harmonic mean of precision and recall.

    Parameters
    ----------
    confusion : array_like, shape (k, k)
        As `confusion_matrix` returns it.

    Returns
    -------
    ndarray, shape (k,)
        nan for a class that neither occurs nor was answered.
    """
    table = _square(confusion)
    return _shares(2 * np.diag(table), table.sum(axis=0) + table.sum(axis=1))


def roc_curve(scores: ArrayLike, targets: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Follow false and true positive rates while the threshold falls.

    Parameters
    ----------
    scores : array_like, shape (n,)
        The higher, the more the sample looks like class 1.
    targets : array_like, shape (n,)
        0 and 1, each at least once.

    Returns
    -------
    false_positive_rate, true_positive_rate, thresholds : ndarray
        From (0, 0), with an infinite threshold, to (1, 1). What scores at least the threshold
        counts as positive; samples of equal score pass it together.

    Raises
    ------
    ValueError
        If shapes differ, a score is nan, a target is neither 0 nor 1, or one of them is missing.
    """
    thresholds, found, alarms = _counts(scores, targets)
    if not alarms[-1]:
        raise ValueError("There is no target 0, so there is no false positive rate.")
    return alarms / alarms[-1], found / found[-1], thresholds


def auroc(scores: ArrayLike, targets: ArrayLike) -> float:
    """Compute the area under the ROC curve.

    It is the probability that a random sample of class 1 scores higher than a random one of class
    0, where a tie counts as one half.

    Parameters
    ----------
    scores, targets : array_like, shape (n,)
        As in `roc_curve`.

    Returns
    -------
    float

    Examples
    --------
    >>> auroc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    0.75
    """
    across, up, _ = roc_curve(scores, targets)
    return float(np.trapezoid(up, across))


def precision_recall_curve(scores: ArrayLike, targets: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Follow precision and recall while the threshold falls.

    Parameters
    ----------
    scores, targets : array_like, shape (n,)
        As in `roc_curve`.

    Returns
    -------
    precision, recall, thresholds : ndarray
        One entry per different score, from the highest to the lowest.
    """
    thresholds, found, alarms = _counts(scores, targets)
    precision = found[1:] / (found[1:] + alarms[1:])
    return precision, found[1:] / found[-1], thresholds[1:]


def average_precision(scores: ArrayLike, targets: ArrayLike) -> float:
    """Compute the mean of the precisions at which each sample of class 1 is found.

    Parameters
    ----------
    scores, targets : array_like, shape (n,)
        As in `roc_curve`.

    Returns
    -------
    float
        For scores that tell nothing, about the share of class 1.

    Examples
    --------
    >>> round(average_precision([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]), 4)
    0.8333
    """
    precision, recall, _ = precision_recall_curve(scores, targets)
    return float(np.sum(np.diff(recall, prepend=0) * precision))


def reliability(probabilities: ArrayLike, targets: ArrayLike, bins: int = 10) -> Reliability:
    """Compare how sure a classifier is with how often it is right.

    Parameters
    ----------
    probabilities : array_like, shape (n, k)
        A probability for each class; each row adds up to 1. The largest is the confidence in the
        answer.
    targets : array_like of int, shape (n,)
    bins : int
        Confidence is cut into this many parts of equal width from 0 to 1; a value on an edge
        belongs to the part below it.

    Returns
    -------
    Reliability

    Raises
    ------
    ValueError
        If shapes do not fit, or rows do not add up to 1 (are they logits?).
    """
    p, wanted = np.asarray(probabilities, dtype=float), np.asarray(targets)
    if p.ndim != 2 or wanted.shape != p.shape[:1] or not p.size:
        raise ValueError(
            f"probabilities must be (n, k) and targets (n,), but they are {p.shape} and "
            f"{wanted.shape}."
        )
    if bins < 1:
        raise ValueError(f"bins must be 1 or more, but is {bins}.")
    if not (np.all(p >= 0) and np.allclose(p.sum(axis=1), 1, atol=1e-3)):
        raise ValueError(
            "Each row of probabilities must be positive and add up to 1. If these are logits, "
            "take their softmax first."
        )
    return binned(p.max(axis=1), p.argmax(axis=1) == wanted, bins)


def binned(confidence: ArrayLike, happened: ArrayLike, bins: int = 10) -> Reliability:
    """Put chances into bins, and compare each bin's mean with how often it happened.

    Parameters
    ----------
    confidence : array_like, shape (n,)
        From 0 to 1.
    happened : array_like of bool, shape (n,)
    bins : int
        Parts of equal width from 0 to 1; a value on an edge belongs to the part below it.

    Returns
    -------
    Reliability
        Of the bins that hold a sample.

    Examples
    --------
    >>> [part.tolist() for part in binned([0.1, 0.3, 0.9], [0, 1, 1], bins=2)]
    [[0.2, 0.9], [0.5, 1.0], [2, 1]]
    """
    chances = np.asarray(confidence, dtype=float)
    place = np.clip(np.ceil(chances * bins).astype(int) - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    held = count > 0
    return Reliability(
        np.bincount(place, chances, minlength=bins)[held] / count[held],
        np.bincount(place, np.asarray(happened), minlength=bins)[held] / count[held],
        count[held],
    )


def expected_calibration_error(
    probabilities: ArrayLike, targets: ArrayLike, bins: int = 10
) -> float:
    """Compute the mean distance of confidence from accuracy, each bin weighted by its samples.

    Parameters
    ----------
    probabilities, targets, bins
        As in `reliability`.

    Returns
    -------
    float
        From 0 (in each bin as sure as right) to 1.

    References
    ----------
    C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On calibration of modern neural networks",
    ICML 2017, arXiv:1706.04599.
    """
    return reliability(probabilities, targets, bins).error


def _counts(scores: ArrayLike, targets: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Return thresholds, and how many of class 1 and of class 0 reach each."""
    s, y = np.asarray(scores, dtype=float), np.asarray(targets)
    _same_shape(s, y, "scores")
    if np.isnan(s).any():
        raise ValueError("A score is nan, so it has no place in the order of scores.")
    if not np.isin(y, (0, 1)).all():
        raise ValueError(f"Targets must be 0 and 1, but are {np.unique(y)[:5].tolist()}.")
    if not np.any(y == 1):
        raise ValueError("There is no target 1, so nothing can be found.")
    order = np.argsort(-s, kind="stable")
    s, y = s[order], y[order].astype(float)
    last_of_equals = np.append(np.diff(s) != 0, True)
    found, alarms = np.cumsum(y)[last_of_equals], np.cumsum(1 - y)[last_of_equals]
    start = np.zeros(1)
    return (
        np.concatenate([[np.inf], s[last_of_equals]]),
        np.concatenate([start, found]),
        np.concatenate([start, alarms]),
    )


def _same_shape(given: NDArray[Any], wanted: NDArray[Any], name: str) -> None:
    if given.shape != wanted.shape or given.ndim != 1 or not given.size:
        # NumPy would compare (n, 1) with (n,) as (n, n).
        raise ValueError(
            f"There must be one of the {name} per target, both of shape (n,), but the {name} have "
            f"shape {given.shape} and the targets {wanted.shape}."
        )


def _square(confusion: ArrayLike) -> NDArray[Any]:
    table = np.asarray(confusion)
    if table.ndim != 2 or table.shape[0] != table.shape[1]:
        raise ValueError(f"A confusion matrix is square, but this one has shape {table.shape}.")
    return table


def _shares(part: NDArray[Any], whole: NDArray[Any]) -> Floats:
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
