"""How far a score can be trusted: intervals and tests that draw the data again.

A score is a mean over a sample, and another sample would have given another score. The bootstrap
imitates other samples by drawing from the one that is there; a permutation test asks how large a
difference would be if the two names meant nothing. Every function that draws is handed a
``numpy.random.Generator``, so that a result can be repeated.

The chapter *Evaluation* shows how often these intervals cover the truth, and when they do not.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

__all__ = [
    "Interval",
    "bootstrap",
    "holm",
    "paired_bootstrap",
    "permutation_test",
    "resample",
    "sign_flip_test",
    "standard_error",
    "wilson",
]

Floats = NDArray[np.float64]
Statistic = Callable[..., Any]

#: Numbers drawn at a time: 32 MiB of them, however many resamples are asked for.
_AT_ONCE = 4_000_000


class Interval(NamedTuple):
    """What was measured, and from where to where it could have come out.

    Attributes
    ----------
    estimate : float
        The statistic of the sample itself.
    low, high : float
        The ends of the interval.
    """

    estimate: float
    low: float
    high: float


def standard_error(values: ArrayLike) -> float:
    """Estimate by how much the mean of a sample varies from sample to sample.

    The standard deviation says how much single values vary. Their mean varies less, by the root of
    their number.

    Parameters
    ----------
    values : array_like, shape (n,)
        At least two independent values.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If there are fewer than two values.

    Examples
    --------
    >>> standard_error([1.0, 3.0])
    1.0
    """
    x = _sample(values, "values")
    if len(x) < 2:
        raise ValueError("One value says nothing about how much values vary: give at least two.")
    return float(x.std(ddof=1) / math.sqrt(len(x)))


def wilson(right: int, n: int, level: float = 0.95) -> Interval:
    """Compute Wilson's interval for a share: all the truths that would not be surprised by it.

    Parameters
    ----------
    right : int
        How many of the answers are right.
    n : int
        How many answers there are.
    level : float
        How often intervals of this kind are to cover the truth, between 0 and 1.

    Returns
    -------
    Interval
        Inside 0 to 1, and never empty: also where no answer is wrong.

    Raises
    ------
    ValueError
        If `right` is not between 0 and `n`, or `level` not between 0 and 1.

    References
    ----------
    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal
    of the American Statistical Association, 1927, doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> [round(end, 3) for end in wilson(10, 10)]
    [1.0, 0.722, 1.0]
    """
    _check_level(level)
    if not (n > 0 and 0 <= right <= n):
        raise ValueError(f"{right} right answers of {n} is no share: right must be from 0 to n.")
    z, share = float(ndtri((1 + level) / 2)), right / n
    center = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # Rounding must not cut off a share of exactly 0 or 1.
    return Interval(share, min(share, max(0.0, center - half)), max(share, min(1.0, center + half)))


def resample(
    n: int, times: int, rng: np.random.Generator, groups: ArrayLike | None = None
) -> NDArray[np.int64]:
    """Draw samples from a sample, with replacement, and count how often each row was drawn.

    Counts are enough for every statistic that is made of sums, and they keep their shape when
    groups of unequal size are drawn: ``counts @ values / counts.sum(axis=1)`` are the means.

    Parameters
    ----------
    n : int
        How many rows there are.
    times : int
        How many samples to draw.
    rng : numpy.random.Generator
    groups : array_like, shape (n,), optional
        The unit that each row belongs to, such as its patient. Whole units are drawn, as many as
        there are, so that a row comes along with all others of its unit.

    Returns
    -------
    ndarray of int, shape (times, n)

    Examples
    --------
    >>> counts = resample(4, 3, np.random.default_rng(0), groups=["a", "a", "a", "b"])
    >>> counts.tolist()
    [[1, 1, 1, 1], [1, 1, 1, 1], [0, 0, 0, 2]]
    """
    unit, units = _units(n, groups)
    return rng.multinomial(units, np.full(units, 1 / units), size=times)[:, unit]


def bootstrap(
    values: ArrayLike,
    statistic: Statistic = np.mean,
    *,
    rng: np.random.Generator,
    level: float = 0.95,
    times: int = 2000,
    method: str = "percentile",
    groups: ArrayLike | None = None,
) -> Interval:
    """Estimate how far a statistic could have come out otherwise, by drawing the sample again.

    Parameters
    ----------
    values : array_like, shape (n,)
        One value per row, such as 1 for a right answer and 0 for a wrong one.
    statistic : callable
        ``statistic(samples, axis=-1)`` takes the last axis away, as NumPy's functions do.
    rng : numpy.random.Generator
    level : float
        How often intervals of this kind are to cover the truth, between 0 and 1.
    times : int
        How many samples to draw.
    method : {"percentile", "bca"}
        Between which quantiles of the drawn statistics the interval lies: those of `level` itself,
        or corrected for bias and for an error that changes with the value ("bca").
    groups : array_like, shape (n,), optional
        The unit of each row, as in `resample`. Rows of one unit are not independent, and drawing
        them one by one gives intervals that are too narrow.

    Returns
    -------
    Interval

    Raises
    ------
    ValueError
        If there is no value or one is nan, `level` or `times` makes no sense, `method` is unknown,
        or "bca" comes with `groups`.

    References
    ----------
    B. Efron, "Bootstrap methods: another look at the jackknife", The Annals of Statistics, 1979,
    doi:10.1214/aos/1176344552.

    Examples
    --------
    >>> answers = np.array([1] * 90 + [0] * 10)
    >>> estimate, low, high = bootstrap(answers, rng=np.random.default_rng(0))
    >>> round(estimate, 2), round(low, 2), round(high, 2)
    (0.9, 0.84, 0.96)
    """
    x = _sample(values, "values")
    _check_level(level)
    if times < 1:
        raise ValueError(f"times must be 1 or more, but is {times}.")
    if method not in ("percentile", "bca"):
        raise ValueError(f'method must be "percentile" or "bca", but is {method!r}.')
    if method == "bca" and groups is not None:
        raise ValueError('"bca" is for independent rows: with groups, take method="percentile".')
    drawn = _statistics(x, statistic, times, rng, groups)
    estimate, ends = float(statistic(x, axis=-1)), np.array([1 - level, 1 + level]) / 2
    if method == "bca":
        ends = _corrected(ends, x, statistic, drawn, estimate)
    low, high = np.quantile(drawn, ends)
    return Interval(estimate, float(low), float(high))


def paired_bootstrap(
    a: ArrayLike,
    b: ArrayLike,
    *,
    rng: np.random.Generator,
    level: float = 0.95,
    times: int = 2000,
    groups: ArrayLike | None = None,
) -> Interval:
    """Estimate the mean difference of two models that were measured on the same rows.

    What makes a row hard for both falls out of its difference, so the interval is narrower than
    two separate ones suggest.

    Parameters
    ----------
    a, b : array_like, shape (n,)
        What each model scored on row i (or with seed i).
    rng, level, times, groups
        As in `bootstrap`.

    Returns
    -------
    Interval
        Of the mean of ``a - b``.

    Raises
    ------
    ValueError
        If shapes differ, and as in `bootstrap`.

    Examples
    --------
    >>> a, b = np.array([0.9, 0.7, 0.8]), np.array([0.8, 0.6, 0.7])
    >>> [round(end, 6) for end in paired_bootstrap(a, b, rng=np.random.default_rng(0))]
    [0.1, 0.1, 0.1]
    """
    difference = _differences(a, b)
    return bootstrap(difference, rng=rng, level=level, times=times, groups=groups)


def sign_flip_test(
    a: ArrayLike,
    b: ArrayLike,
    *,
    rng: np.random.Generator,
    times: int = 9999,
    groups: ArrayLike | None = None,
) -> float:
    """Test whether two models measured on the same rows differ, by exchanging them row by row.

    If the two are equal, it is chance which of a row's two scores is called a. Exchanging them
    turns the sign of the difference.

    Parameters
    ----------
    a, b : array_like, shape (n,)
        What each model scored on row i (or with seed i).
    rng : numpy.random.Generator
    times : int
        How many exchanges to draw. Where there are no more than this in all, each is tried once,
        and nothing is drawn.
    groups : array_like, shape (n,), optional
        The unit of each row, as in `resample`: a unit's rows are exchanged together.

    Returns
    -------
    float
        The two-sided p value: the share of exchanges with a mean difference at least as far from 0
        as the one measured. What was measured counts as one of the drawn, so it is never 0.

    Raises
    ------
    ValueError
        If shapes differ, there is no row, or a value is nan.

    Examples
    --------
    >>> sign_flip_test([3.0, 4.0, 2.0], [1.0, 1.0, 1.0], rng=np.random.default_rng(0))
    0.25
    """
    difference = _differences(a, b)
    unit, units = _units(len(difference), groups)
    totals = np.bincount(unit, difference, minlength=units)
    # A unit without a difference is the same either way.
    totals = totals[totals != 0]
    units = len(totals)
    observed = abs(totals.sum())
    if units <= 30 and 2**units <= times:
        signs = 1 - 2 * (np.arange(2**units)[:, np.newaxis] >> np.arange(units) & 1)
        return float(np.mean(_reaches(signs @ totals, observed, totals)))
    count, step = 1, max(1, _AT_ONCE // units)
    for start in range(0, times, step):
        signs = rng.choice([-1.0, 1.0], size=(min(step, times - start), units))
        count += int(np.sum(_reaches(signs @ totals, observed, totals)))
    return count / (times + 1)


def permutation_test(
    a: ArrayLike, b: ArrayLike, *, rng: np.random.Generator, times: int = 9999
) -> float:
    """Test whether two separate samples differ in their means, by dealing all values out anew.

    Parameters
    ----------
    a : array_like, shape (n,)
    b : array_like, shape (m,)
        Values that do not belong together in pairs.
    rng : numpy.random.Generator
    times : int
        How many deals to draw.

    Returns
    -------
    float
        The two-sided p value, as in `sign_flip_test`.

    Raises
    ------
    ValueError
        If one of the samples has no value, or a value is nan.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> permutation_test(np.zeros(20), np.ones(20), rng=rng, times=999)
    0.001
    """
    first, second = _sample(a, "a"), _sample(b, "b")
    together = np.concatenate([first, second])
    n, m = len(first), len(second)
    observed = abs(first.mean() - second.mean()) * n * m / (n + m)
    centered = together - together.mean()
    count, step = 1, max(1, _AT_ONCE // (n + m))
    for start in range(0, times, step):
        deals = rng.permuted(np.tile(centered, (min(step, times - start), 1)), axis=1)
        count += int(np.sum(_reaches(deals[:, :n].sum(axis=1), observed, centered)))
    return count / (times + 1)


def holm(p_values: ArrayLike) -> Floats:
    """Adjust p values for being the smallest of several.

    The smallest of m is multiplied by m, the next by m - 1, and so on, and none becomes smaller
    than one before it. Whoever then calls those of at most 5 % a finding is wrong about even one of
    them in at most 5 % of such families, however the tests depend on each other.

    Parameters
    ----------
    p_values : array_like, shape (m,)

    Returns
    -------
    ndarray, shape (m,)
        In the order in which they came, at most 1.

    Raises
    ------
    ValueError
        If there is none, or one is not between 0 and 1.

    References
    ----------
    S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics, 1979.

    Examples
    --------
    >>> holm([0.04, 0.01, 0.03]).round(6).tolist()
    [0.06, 0.03, 0.06]
    """
    p = _sample(p_values, "p_values")
    if not np.all((p >= 0) & (p <= 1)):
        raise ValueError(f"p values are from 0 to 1, but these are {p[:5].tolist()}.")
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    factors = np.arange(len(p), 0, -1)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * factors))
    return adjusted


def _statistics(
    x: Floats,
    statistic: Statistic,
    times: int,
    rng: np.random.Generator,
    groups: ArrayLike | None,
) -> Floats:
    """Return the statistic of each drawn sample, shape (times,)."""
    n = len(x)
    if groups is not None:
        counts = resample(n, times, rng, groups)
        return np.array([float(statistic(np.repeat(x, c), axis=-1)) for c in counts])
    step = max(1, _AT_ONCE // n)
    parts = [
        np.asarray(statistic(x[rng.integers(n, size=(min(step, times - start), n))], axis=-1))
        for start in range(0, times, step)
    ]
    return np.concatenate(parts)


def _corrected(
    ends: Floats, x: Floats, statistic: Statistic, drawn: Floats, estimate: float
) -> Floats:
    """Return the quantiles of "bca": corrected for bias, and with an acceleration."""
    # Half of the ties count as below, as in SciPy.
    below = (np.mean(drawn < estimate) + np.mean(drawn <= estimate)) / 2
    if not 0 < below < 1 or np.ptp(drawn) == 0:
        return ends
    bias = ndtri(below)
    n = len(x)
    others = np.array([float(statistic(np.delete(x, i), axis=-1)) for i in range(n)])
    pull = others.mean() - others
    spread = np.sum(pull**2)
    acceleration = np.sum(pull**3) / (6 * spread**1.5) if spread > 0 else 0.0
    shifted = bias + ndtri(ends)
    return np.asarray(ndtr(bias + shifted / (1 - acceleration * shifted)))


def _reaches(totals: Floats, observed: float, values: Floats) -> NDArray[np.bool_]:
    """Return which totals are as far from 0 as the observed one, rounding aside."""
    room = 1e-12 * np.abs(values).sum()
    return np.abs(totals) >= observed - room


def _units(n: int, groups: ArrayLike | None) -> tuple[NDArray[np.intp], int]:
    """Return the number of each row's unit, and how many units there are."""
    if groups is None:
        return np.arange(n), n
    names = np.asarray(groups)
    if names.shape != (n,):
        raise ValueError(f"groups must name a unit for each of the {n} rows, but is {names.shape}.")
    kinds, unit = np.unique(names, return_inverse=True)
    return unit, len(kinds)


def _differences(a: ArrayLike, b: ArrayLike) -> Floats:
    first, second = _sample(a, "a"), _sample(b, "b")
    if first.shape != second.shape:
        raise ValueError(
            f"a and b must be pairs, but have shapes {first.shape} and {second.shape}. Samples "
            "that do not belong together are for permutation_test."
        )
    return first - second


def _sample(values: ArrayLike, name: str) -> Floats:
    x = np.asarray(values, dtype=float)
    if x.ndim != 1 or not len(x):
        raise ValueError(f"{name} must be one-dimensional and not empty, but has shape {x.shape}.")
    if np.isnan(x).any():
        raise ValueError(f"One of {name} is nan: leave out or repair what was not measured.")
    return x


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, such as 0.95, but is {level}.")
