"""Who bears the mistakes: rates by group, calibration by group, thresholds under a constraint.

Groups are named by any array of labels, one per sample. Class 1 is what is looked for, and an
answer of 1 is an alarm. The chapter *Evaluation* shows which of these rates exclude each other.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_lib.metrics import Reliability, binned, confusion_matrix

__all__ = [
    "Rates",
    "calibration_error",
    "demographic_parity_difference",
    "equalized_odds_difference",
    "gap",
    "implied_false_positive_rate",
    "rates_by_group",
    "reliability_of_scores",
    "thresholds_for_rate",
    "thresholds_within",
]

Floats = NDArray[np.float64]


class Rates(NamedTuple):
    """What the answers are worth in one group. A rate with nothing to divide by is nan.

    Attributes
    ----------
    count : int
        Samples in the group.
    base_rate : float
        Share of class 1 among them.
    selection_rate : float
        Share that was answered 1.
    accuracy : float
        Share of right answers.
    false_positive_rate, false_negative_rate : float
        Of class 0, the share answered 1; of class 1, the share answered 0.
    precision : float
        Of those answered 1, the share of class 1 (the positive predictive value).
    """

    count: int
    base_rate: float
    selection_rate: float
    accuracy: float
    false_positive_rate: float
    false_negative_rate: float
    precision: float


def rates_by_group(answers: ArrayLike, targets: ArrayLike, groups: ArrayLike) -> dict[Any, Rates]:
    """Compute the rates of each group by itself.

    Parameters
    ----------
    answers, targets : array_like of int, shape (n,)
        0 and 1.
    groups : array_like, shape (n,)
        The group of each sample.

    Returns
    -------
    dict
        By the name of the group, in sorted order.

    Raises
    ------
    ValueError
        If shapes differ, or an answer or a target is neither 0 nor 1.

    Examples
    --------
    >>> rates = rates_by_group([1, 0, 1, 1], [1, 1, 0, 1], ["a", "a", "b", "b"])
    >>> rates["a"].false_negative_rate, rates["b"].false_positive_rate, rates["b"].precision
    (0.5, 1.0, 0.5)
    """
    given, wanted, names = _columns(answers, targets, groups)
    for what, values in (("answers", given), ("targets", wanted)):
        if not np.isin(values, (0, 1)).all():
            raise ValueError(f"{what} must be 0 and 1, but hold {np.unique(values)[:5].tolist()}.")
    result = {}
    for name in np.unique(names):
        inside = names == name
        ((right_no, alarm), (missed, found)) = confusion_matrix(
            given[inside].astype(int), wanted[inside].astype(int), classes=2
        )
        n = int(inside.sum())
        result[name.item()] = Rates(
            n,
            _share(missed + found, n),
            _share(alarm + found, n),
            _share(right_no + found, n),
            _share(alarm, right_no + alarm),
            _share(missed, missed + found),
            _share(found, alarm + found),
        )
    return result


def gap(rates: dict[Any, Rates], name: str) -> float:
    """Compute how far the groups are apart in one rate.

    Parameters
    ----------
    rates : dict
        As `rates_by_group` returns it.
    name : str
        A field of `Rates`.

    Returns
    -------
    float
        The largest minus the smallest; nan if the rate of a group is.

    Examples
    --------
    >>> gap(rates_by_group([1, 0, 1, 1], [1, 1, 0, 1], ["a", "a", "b", "b"]), "selection_rate")
    0.5
    """
    values = np.array([getattr(of_group, name) for of_group in rates.values()], dtype=float)
    return float(values.max() - values.min())


def demographic_parity_difference(
    answers: ArrayLike, targets: ArrayLike, groups: ArrayLike
) -> float:
    """Compute how far the groups are apart in the share that is answered 1.

    Parameters
    ----------
    answers, targets, groups
        As in `rates_by_group`.

    Returns
    -------
    float
        0 where each group is selected as often as every other.
    """
    return gap(rates_by_group(answers, targets, groups), "selection_rate")


def equalized_odds_difference(answers: ArrayLike, targets: ArrayLike, groups: ArrayLike) -> float:
    """Compute how far the groups are apart in false positive or in false negative rate.

    Parameters
    ----------
    answers, targets, groups
        As in `rates_by_group`.

    Returns
    -------
    float
        The larger of the two gaps: 0 where both error rates are equal.

    References
    ----------
    M. Hardt, E. Price and N. Srebro, "Equality of opportunity in supervised learning", 2016,
    arXiv:1610.02413.
    """
    rates = rates_by_group(answers, targets, groups)
    return max(gap(rates, "false_positive_rate"), gap(rates, "false_negative_rate"))


def implied_false_positive_rate(
    base_rate: ArrayLike, precision: ArrayLike, false_negative_rate: ArrayLike
) -> Floats:
    """Compute the one false positive rate that a base rate and the other two leave open.

    Of class 1, a share ``1 - false_negative_rate`` is found, and for each found there are
    ``(1 - precision) / precision`` false alarms. Divided by the share of class 0, that is the rate.

    Parameters
    ----------
    base_rate, precision, false_negative_rate : array_like
        Numbers from 0 to 1, of shapes that fit together.

    Returns
    -------
    ndarray

    References
    ----------
    A. Chouldechova, "Fair prediction with disparate impact: a study of bias in recidivism
    prediction instruments", Big Data, 2017, doi:10.1089/big.2016.0047.

    Examples
    --------
    >>> implied_false_positive_rate([0.2, 0.5], 0.6, 0.4).round(2).tolist()
    [0.1, 0.4]
    """
    share, ppv, fnr = (
        np.asarray(x, dtype=float) for x in (base_rate, precision, false_negative_rate)
    )
    return np.asarray(share / (1 - share) * (1 - ppv) / ppv * (1 - fnr))


def reliability_of_scores(scores: ArrayLike, targets: ArrayLike, bins: int = 10) -> Reliability:
    """Compare the chances that were given for class 1 with how often it came.

    `course_lib.metrics.reliability` looks at the confidence in the answer, whichever it is. Here it
    is the chance of class 1 itself, which a decision with a threshold reads.

    Parameters
    ----------
    scores : array_like, shape (n,)
        The chance of class 1, from 0 to 1.
    targets : array_like, shape (n,)
        0 and 1.
    bins : int
        Parts of equal width from 0 to 1; a value on an edge belongs to the part below it.

    Returns
    -------
    Reliability
        Here `accuracy` is the share of class 1 in each bin that holds a sample.

    Raises
    ------
    ValueError
        If shapes differ, there is nothing to count, or a score is not from 0 to 1.
    """
    p, wanted, _ = _columns(scores, targets, targets)
    if not np.all((p >= 0) & (p <= 1)):
        raise ValueError(
            "Scores must be chances from 0 to 1. If these are logits, take the sigmoid."
        )
    return binned(p, wanted, bins)


def calibration_error(scores: ArrayLike, targets: ArrayLike, bins: int = 10) -> float:
    """Compute the mean distance of the chances given from the shares found, weighted by samples.

    Parameters
    ----------
    scores, targets, bins
        As in `reliability_of_scores`.

    Returns
    -------
    float

    Examples
    --------
    >>> calibration_error([0.25, 0.25, 0.25, 0.25], [0, 0, 0, 1])
    0.0
    """
    return reliability_of_scores(scores, targets, bins).error


def thresholds_for_rate(
    scores: ArrayLike,
    targets: ArrayLike,
    groups: ArrayLike,
    *,
    at_most: float,
    rate: str = "false_positive_rate",
) -> dict[Any, float]:
    """Find for each group the lowest threshold that keeps its share of alarms within a limit.

    The answer is 1 where the score reaches the threshold. A lower threshold finds more of class 1
    and raises more alarms, so the lowest that is allowed is the one to take.

    Parameters
    ----------
    scores : array_like, shape (n,)
    targets : array_like, shape (n,)
        0 and 1.
    groups : array_like, shape (n,)
    at_most : float
        The limit, from 0 to 1.
    rate : {"false_positive_rate", "selection_rate"}
        Of which samples a share is taken: of class 0, or of all.

    Returns
    -------
    dict
        A threshold for each group: one of its scores, or infinity where no score is allowed.

    Raises
    ------
    ValueError
        If shapes differ, the limit is not from 0 to 1, or the rate has another name.

    Examples
    --------
    >>> scores, targets = [0.9, 0.8, 0.4, 0.3, 0.2], [1, 0, 1, 0, 0]
    >>> thresholds_for_rate(scores, targets, ["a"] * 5, at_most=0.4)
    {'a': 0.4}
    """
    s, wanted, names = _columns(scores, targets, groups)
    if not 0 <= at_most <= 1:
        raise ValueError(f"at_most must be from 0 to 1, but is {at_most}.")
    if rate not in ("false_positive_rate", "selection_rate"):
        raise ValueError(
            f'rate must be "false_positive_rate" or "selection_rate", but is {rate!r}.'
        )
    result = {}
    for name in np.unique(names):
        inside = names == name
        counted = inside if rate == "selection_rate" else inside & (wanted == 0)
        candidates = np.unique(s[inside])
        reached = counted.sum() - np.searchsorted(np.sort(s[counted]), candidates, side="left")
        allowed = candidates[reached <= at_most * counted.sum()]
        result[name.item()] = float(allowed[0]) if len(allowed) else float("inf")
    return result


def thresholds_within(
    scores: ArrayLike,
    targets: ArrayLike,
    groups: ArrayLike,
    *,
    gap: float,
    miss: float = 1.0,
    alarm: float = 1.0,
    candidates: ArrayLike | None = None,
) -> tuple[dict[Any, float], float]:
    """Find the cheapest thresholds whose false positive rates are at most a gap apart.

    In the best choice some group has the lowest rate, and all others lie at most `gap` above it.
    So each rate is tried as the lowest, and each group takes its cheapest threshold in that window.

    Parameters
    ----------
    scores : array_like, shape (n,)
    targets : array_like, shape (n,)
        0 and 1.
    groups : array_like, shape (n,)
        Each group needs a sample of class 0.
    gap : float
        How far the largest and the smallest rate may be apart, from 0 to 1.
    miss, alarm : float
        What a sample of class 1 answered 0 costs, and one of class 0 answered 1.
    candidates : array_like, optional
        Thresholds to choose from; by default -inf, all scores, and inf.

    Returns
    -------
    thresholds : dict
        One for each group. The answer is 1 where the score reaches it.
    cost : float
        The mean cost per sample.

    Raises
    ------
    ValueError
        If shapes differ, the gap is not from 0 to 1, a group has no class 0, or no thresholds
        among the candidates are close enough.

    Examples
    --------
    >>> scores, targets = [0.9, 0.6, 0.4, 0.8, 0.7, 0.3], [1, 1, 0, 1, 0, 0]
    >>> thresholds_within(scores, targets, list("aaabbb"), gap=0)
    ({'a': 0.6, 'b': 0.8}, 0.0)
    """
    s, wanted, names = _columns(scores, targets, groups)
    if not 0 <= gap <= 1:
        raise ValueError(f"gap must be from 0 to 1, but is {gap}.")
    tried = (
        np.concatenate([[-np.inf], np.unique(s), [np.inf]])
        if candidates is None
        else np.unique(np.asarray(candidates, dtype=float))
    )
    kinds = np.unique(names)
    rates, costs = np.empty((2, len(kinds), len(tried)))
    for row, name in enumerate(kinds):
        ill, well = (np.sort(s[(names == name) & (wanted == k)]) for k in (1, 0))
        if not len(well):
            raise ValueError(f"Group {name!r} has no target 0, so no false positive rate.")
        alarms = len(well) - np.searchsorted(well, tried, side="left")
        rates[row] = alarms / len(well)
        costs[row] = miss * np.searchsorted(ill, tried, side="left") + alarm * alarms
    best, chosen = np.inf, None
    for lowest in np.unique(rates):
        # Rounding must not shut out a rate that lies exactly on the edge.
        inside = (rates >= lowest) & (rates <= lowest + gap + 1e-12)
        priced = np.where(inside, costs, np.inf)
        total = priced.min(axis=1).sum()
        if total < best:
            best, chosen = total, priced.argmin(axis=1)
    if chosen is None:
        raise ValueError(
            f"No candidates have false positive rates within {gap}: give more of them."
        )
    thresholds = {name.item(): float(tried[i]) for name, i in zip(kinds, chosen, strict=True)}
    return thresholds, float(best / len(s))


def _columns(
    first: ArrayLike, targets: ArrayLike, groups: ArrayLike
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    columns = np.asarray(first), np.asarray(targets), np.asarray(groups)
    shapes = [column.shape for column in columns]
    if len(set(shapes)) > 1 or len(shapes[0]) != 1 or not len(columns[0]):
        raise ValueError(
            "There must be one score or answer, one target and one group per sample, all of shape "
            f"(n,), but the shapes are {shapes[0]}, {shapes[1]} and {shapes[2]}."
        )
    return columns


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")
