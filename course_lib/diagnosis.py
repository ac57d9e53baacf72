"""What a test or a model is worth for a patient: rates, predictive values, net benefit.

Class 1 is the illness, and an answer of 1 is an alarm. *Sensitivity* and *specificity* describe
the test. What a result means for a patient (the *predictive values*) depends as well on how common
the illness is among those who are tested, the *prevalence*. `course_lib.metrics` has the counts and
curves of which these are made.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_lib.metrics import confusion_matrix, recalls

__all__ = [
    "PredictiveValues",
    "Rates",
    "at_prevalence",
    "net_benefit",
    "net_benefit_of_all",
    "predictive_values",
    "rates",
]

Floats = NDArray[np.float64]


class Rates(NamedTuple):
    """How often a test is right about the ill and about the healthy; nan where there are none."""

    sensitivity: float
    specificity: float


class PredictiveValues(NamedTuple):
    """Of those with an alarm, the share that is ill; of those without, the share that is not."""

    positive: Floats
    negative: Floats


def rates(answers: ArrayLike, targets: ArrayLike) -> Rates:
    """Compute sensitivity and specificity.

    Parameters
    ----------
    answers, targets : array_like of int, shape (n,)
        0 and 1.

    Returns
    -------
    Rates

    Examples
    --------
    >>> rates([1, 1, 0, 0, 1], [1, 1, 1, 0, 0])
    Rates(sensitivity=0.6666666666666666, specificity=0.5)
    """
    healthy, ill = recalls(confusion_matrix(answers, targets, classes=2))
    return Rates(float(ill), float(healthy))


def predictive_values(
    sensitivity: ArrayLike, specificity: ArrayLike, prevalence: ArrayLike
) -> PredictiveValues:
    """Compute what an alarm and its absence mean, by Bayes' rule.

    Parameters
    ----------
    sensitivity, specificity, prevalence : array_like
        From 0 to 1, of shapes that fit together.

    Returns
    -------
    PredictiveValues
        nan where there is no alarm, or nothing but alarms.

    Raises
    ------
    ValueError
        If one of them is not between 0 and 1 (90 percent is 0.9).

    Examples
    --------
    >>> ppv, npv = predictive_values(0.9, 0.9, [0.5, 0.01])
    >>> ppv.round(3).tolist(), npv.round(3).tolist()
    ([0.9, 0.083], [0.9, 0.999])
    """
    se = _share(sensitivity, "sensitivity")
    sp = _share(specificity, "specificity")
    q = _share(prevalence, "prevalence")
    found, missed = se * q, (1 - se) * q
    alarm, quiet = (1 - sp) * (1 - q), sp * (1 - q)
    return PredictiveValues(_ratio(found, found + alarm), _ratio(quiet, quiet + missed))


def net_benefit(
    risks: ArrayLike,
    targets: ArrayLike,
    thresholds: ArrayLike,
    prevalence: float | None = None,
) -> Floats:
    """Follow a decision curve: what treating from a threshold on is worth.

    An ill patient who is treated counts 1. A healthy one counts ``t / (1 - t)`` against it: at a
    risk of exactly ``t`` the two cancel, which is what choosing that threshold says.

    Parameters
    ----------
    risks : array_like, shape (n,)
        Of being ill. A patient is treated if hers is at least the threshold.
    targets : array_like of int, shape (n,)
        0 and 1.
    thresholds : array_like, shape (m,)
        Above or equal to 0, below 1.
    prevalence : float, optional
        Weigh the ill and the healthy so that this share is ill. By default as they come.

    Returns
    -------
    ndarray, shape (m,)
        Per patient; nobody treated is 0.

    Raises
    ------
    ValueError
        If shapes do not fit, a threshold is not from 0 to below 1, or a class is missing that is to
        be weighed.

    References
    ----------
    A. J. Vickers and E. B. Elkin, "Decision curve analysis: a novel method for evaluating
    prediction models", Medical Decision Making 26, 2006, doi:10.1177/0272989X06295361.

    Examples
    --------
    >>> net_benefit([0.1, 0.4, 0.6, 0.9], [0, 1, 0, 1], [0.2, 0.5]).tolist()
    [0.4375, 0.0]
    """
    p, ill = np.asarray(risks, dtype=float), np.asarray(targets)
    if p.shape != ill.shape or p.ndim != 1 or not len(p):
        raise ValueError(
            f"risks and targets must both have shape (n,), but have {p.shape} and {ill.shape}."
        )
    if not np.isin(ill, (0, 1)).all():
        raise ValueError(f"targets must be 0 and 1, but hold {np.unique(ill)[:5].tolist()}.")
    t = _thresholds(thresholds)
    share = ill.mean() if prevalence is None else float(_share(prevalence, "prevalence"))
    treated = p >= t[:, np.newaxis]  # (m, n)
    found = _weighed(treated[:, ill == 1], share, "ill")
    harmed = _weighed(treated[:, ill == 0], 1 - share, "healthy")
    return found - harmed * t / (1 - t)


def net_benefit_of_all(prevalence: float, thresholds: ArrayLike) -> Floats:
    """Compute the net benefit of treating everybody, which needs no model.

    Parameters
    ----------
    prevalence : float
    thresholds : array_like, shape (m,)

    Returns
    -------
    ndarray, shape (m,)
        0 where the threshold is the prevalence.
    """
    t, q = _thresholds(thresholds), float(_share(prevalence, "prevalence"))
    return q - (1 - q) * t / (1 - t)


def at_prevalence(risks: ArrayLike, old: float, new: float) -> Floats:
    """Move risks from one prevalence to another.

    The odds of each patient are multiplied by how much higher the odds of the illness are. That is
    right if the ill look as they did before, and the healthy, and if the risks were calibrated.

    Parameters
    ----------
    risks : array_like
        Calibrated where a share `old` is ill.
    old, new : float
        Between 0 and 1.

    Returns
    -------
    ndarray
        The shape of `risks`.

    References
    ----------
    C. Elkan, "The foundations of cost-sensitive learning", IJCAI 2001.

    Examples
    --------
    >>> at_prevalence([0.5, 0.9], old=0.5, new=0.1).round(3).tolist()
    [0.1, 0.5]
    """
    p = _share(risks, "risks")
    for name, share in (("old", old), ("new", new)):
        if not 0 < share < 1:
            raise ValueError(f"{name} must lie between 0 and 1, but is {share}.")
    # Dividing by (1 - p) would fail for p = 1: multiply it out.
    ill, healthy = p * new / old, (1 - p) * (1 - new) / (1 - old)
    return ill / (ill + healthy)


def _weighed(treated: NDArray[np.bool_], share: float, who: str) -> Floats:
    """Return the share of all patients that is of this class and treated, per threshold."""
    if treated.shape[1]:
        return share * treated.mean(axis=1)
    if share > 0:
        raise ValueError(
            f"Nobody among the targets is {who}, so they cannot be {share:.3g} of all."
        )
    return np.zeros(len(treated))


def _thresholds(values: ArrayLike) -> Floats:
    t = np.asarray(values, dtype=float)
    if t.ndim != 1 or not ((t >= 0) & (t < 1)).all():
        raise ValueError(
            "thresholds must be a list of numbers from 0 to below 1: at 1 no harm would ever be "
            f"worth it. They are {values}."
        )
    return t


def _share(values: ArrayLike, name: str) -> Floats:
    shares = np.asarray(values, dtype=float)
    if not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError(f"{name} must lie between 0 and 1, but is {values}.")
    return shares


def _ratio(part: Any, whole: Any) -> Floats:
    part, whole = np.broadcast_arrays(part, whole)
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
