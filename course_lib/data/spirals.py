"""Two spirals in a plane, one inside the other, as many points as wanted.

No straight line separates them. Made by this function, so there is no license to mind; the task is
as old as the networks that were first tried on it.

Known faults: two dimensions, almost no noise, and labels that are never wrong. Not for ranking
models: whoever knows that there are spirals can unwind them, and the nearest example does as well.

References
----------
K. J. Lang and M. J. Witbrock, "Learning to tell two spirals apart", Proceedings of the 1988
Connectionist Models Summer School.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["spirals"]


def spirals(n: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Draw points from two spirals.

    Parameters
    ----------
    n : int
        How many points. Even rows lie on the first spiral, odd rows on the second.
    seed : int
        The same seed gives the same points.

    Returns
    -------
    points : ndarray, shape (n, 2)
        Each spiral winds around the origin one and a quarter times, out to a radius of 1.5. Noise
        of standard deviation 0.03 is added.
    labels : ndarray, shape (n,)
        0 for the first spiral and 1 for the second.

    Examples
    --------
    >>> points, labels = spirals(400, seed=0)
    >>> points.shape, labels[:4].tolist()
    ((400, 2), [0, 1, 0, 1])
    """
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    radius = np.sqrt(rng.uniform(0.02, 1, n))
    angle = 2.5 * np.pi * radius + np.pi * labels
    points = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    return 1.5 * points + rng.normal(0, 0.03, (n, 2)), labels
