"""How often a training should save itself on a machine that can be taken away at any moment.

References
----------
Young, "A first order approximation to the optimum checkpoint interval", Communications of the ACM
17(9), 1974, doi:10.1145/361147.361115.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["expected", "simulate", "young"]


def young(cost: float, between: float) -> float:
    """Compute the best interval between two checkpoints, to first order.

    Parameters
    ----------
    cost : float
        Hours that saving takes.
    between : float
        Mean hours between two failures; more than `cost` by far.

    Returns
    -------
    float
        Hours of work between two checkpoints, ``sqrt(2 cost between)``.

    Examples
    --------
    >>> young(0.05, 10)
    1.0
    """
    return math.sqrt(2 * cost * between)


def expected(
    work: float, interval: float, *, cost: float, between: float, restart: float = 0.0
) -> float:
    """Compute the mean hours that a run takes, where failures come without memory.

    Parameters
    ----------
    work : float
        Hours that it would take undisturbed.
    interval : float
        Hours of work between two checkpoints.
    cost, between : float
        As in `young`.
    restart : float
        Hours from a failure until the work goes on from the last checkpoint.

    Returns
    -------
    float
    """
    segments, rest = divmod(work, interval)
    sizes = [interval] * round(segments) + ([rest] if rest > 1e-9 * interval else [])
    # A segment of length s is begun anew until no failure hits it: exp(s / between) - 1 failures
    # on the way, which cost as many times (between + restart) in the mean.
    return sum((between + restart) * math.expm1((size + cost) / between) for size in sizes)


def simulate(
    work: float,
    interval: float,
    *,
    cost: float,
    between: float,
    restart: float = 0.0,
    runs: int = 200,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Let runs fail at random, begin again at the last checkpoint, and count the hours.

    Parameters
    ----------
    work, interval, cost, between, restart : float
        As in `expected`. A failure while saving loses the segment; there is none in the `restart`.
    runs : int
    seed : int

    Returns
    -------
    ndarray, shape (runs,)
        Hours until the work is done.

    Raises
    ------
    ValueError
        If a number makes no sense, or a segment would almost never be finished.
    """
    if min(work, interval, between) <= 0 or min(cost, restart) < 0:
        raise ValueError(
            "work, interval and between must be positive, cost and restart not negative; came "
            f"{work}, {interval}, {between}, {cost}, {restart}."
        )
    if min(interval, work) + cost > 12 * between:
        raise ValueError(
            f"A segment of {min(interval, work) + cost:.3g} hours, with a failure every {between} "
            "hours, would hardly ever be finished. Save more often."
        )
    rng = np.random.default_rng(seed)
    done, hours = np.zeros(runs), np.zeros(runs)
    while (left := work - done > 1e-9).any():
        going = np.flatnonzero(left)
        segment = np.minimum(interval, work - done[going])
        failure = rng.exponential(between, len(going))  # without memory: drawn anew each time
        survived = failure >= segment + cost
        hours[going] += np.where(survived, segment + cost, failure + restart)
        done[going] += np.where(survived, segment, 0.0)
    return hours
