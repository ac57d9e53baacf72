"""Are two answers the same? Not bit by bit: within a tolerance, and by name."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["difference", "differences", "must_agree"]


def difference(got: ArrayLike, wanted: ArrayLike) -> float:
    """Return the largest difference between two arrays, as a share of the largest wanted entry.

    A difference of 1e-3 is large beside gradients of 1e-2, and small beside logits of 1,000. Where
    all that is wanted is zero, it is the difference itself.

    Raises
    ------
    ValueError
        If the shapes differ: nothing is broadcast.

    Examples
    --------
    >>> difference([1.0, 20.0], [1.0, 20.5])
    0.024390243902439025
    """
    got, wanted = np.asarray(got, dtype=float), np.asarray(wanted, dtype=float)
    if got.shape != wanted.shape:
        raise ValueError(f"the shapes differ: {got.shape} came, {wanted.shape} was wanted.")
    if not np.isfinite(got).all():
        return np.inf
    scale = np.max(np.abs(wanted), initial=0.0) or 1.0
    return float(np.max(np.abs(got - wanted), initial=0.0) / scale)


def differences(got: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, float]:
    """Return the `difference` of each array, by name.

    Raises
    ------
    ValueError
        If the names differ, or the shapes of two arrays of one name.
    """
    if set(got) != set(wanted):
        raise ValueError(f"the names differ: {sorted(got)} came, {sorted(wanted)} was wanted.")
    return {name: difference(got[name], wanted[name]) for name in wanted}


def must_agree(got: Mapping[str, Any], wanted: Mapping[str, Any], tolerance: float) -> None:
    """Raise an AssertionError that names each array that differs by more than the tolerance.

    Examples
    --------
    >>> must_agree({"a": [1.0], "b": [2.0]}, {"a": [1.0], "b": [2.5]}, tolerance=1e-5)
    Traceback (most recent call last):
    AssertionError: 1 of 2 arrays differ by more than 1e-05: b (2.0e-01)
    """
    apart = {name: d for name, d in differences(got, wanted).items() if not d <= tolerance}
    if apart:
        told = ", ".join(f"{name} ({d:.1e})" for name, d in apart.items())
        raise AssertionError(
            f"{len(apart)} of {len(wanted)} arrays differ by more than {tolerance:g}: {told}"
        )
