"""A colleague's table of voices: 300 people, 2,000 measurements each. All of it is invented.

The exercise of *Deep learning* asks what can be learned from it.
**Whoever wants to find out should stop reading here.**

Nothing can: the measurements are random numbers that know nothing of the labels. On such a table
whatever is better than the commonest label was gained by the way of measuring. Made by this
function, so there is no license to mind.

Known faults: it looks like data. Not for anything but the exercise.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["load"]

PEOPLE, HEALTHY, MEASUREMENTS = 300, 180, 2000


def load() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Load the colleague's table.

    Returns
    -------
    X : ndarray, shape (300, 2000)
        One person a row. Each column has a size and a spread of its own.
    y : ndarray, shape (300,)
        1 for ill and 0 for healthy, sorted as in the colleague's file: the 180 healthy come first.

    Examples
    --------
    >>> X, y = load()
    >>> X.shape, int(y.sum())
    ((300, 2000), 120)
    """
    rng = np.random.default_rng(1)
    center, spread = rng.uniform(-100, 100, MEASUREMENTS), rng.uniform(0.5, 50, MEASUREMENTS)
    X = center + spread * rng.normal(size=(PEOPLE, MEASUREMENTS))
    return X, (np.arange(PEOPLE) >= HEALTHY).astype(np.int64)
