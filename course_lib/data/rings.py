"""A ring of clouds: points in the plane around eight centers, to count what a generator leaves out.

Made by `ring`: each point belongs to a center drawn at random, and lies around it as a normal
distribution says. Since the centers are known, two questions that pictures leave open have an
answer: how many of the clouds does a generator draw, and how many of its points lie in one? A
standard test for generative networks since 2017. License: CC BY 4.0, as the text of this course.

Known faults: it has two dimensions, where a generator that learned its examples by heart would not
be noticed, and clouds that do not touch. Not for ranking generators of pictures.

References
----------
L. Metz, B. Poole, D. Pfau and J. Sohl-Dickstein, "Unrolled generative adversarial networks", 2017,
arXiv:1611.02163.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["RADIUS", "SPREAD", "Coverage", "centers", "coverage", "ring"]

#: The distance of the centers from the origin.
RADIUS = 2.0

#: The standard deviation of a cloud in each direction.
SPREAD = 0.05


class Coverage(NamedTuple):
    """What a set of points has of a ring.

    Attributes
    ----------
    shares : ndarray, shape (modes,)
        The share of all points that lie in each cloud.
    modes : int
        How many clouds have at least a fifth of the points that a fair share would be.
    inside : float
        The share of the points that lie in any cloud.
    """

    shares: NDArray[np.float64]
    modes: int
    inside: float


def centers(modes: int = 8) -> NDArray[np.float64]:
    """Return the centers, counterclockwise from the right: shape (modes, 2).

    Examples
    --------
    >>> centers(4).round(6).tolist()[0]
    [2.0, 0.0]
    """
    angle = 2 * np.pi * np.arange(modes) / modes
    return RADIUS * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def ring(n: int, seed: int, *, modes: int = 8) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Draw points from the clouds.

    Parameters
    ----------
    n : int
        How many points.
    seed : int
        The same seed gives the same points.
    modes : int
        How many clouds.

    Returns
    -------
    points : ndarray, shape (n, 2)
    cloud : ndarray, shape (n,)
        Which cloud each belongs to.

    Examples
    --------
    >>> points, cloud = ring(1000, seed=0)
    >>> points.shape, coverage(points).modes
    ((1000, 2), 8)
    """
    rng = np.random.default_rng(seed)
    cloud = rng.integers(modes, size=n)
    return centers(modes)[cloud] + rng.normal(0, SPREAD, (n, 2)), cloud


def coverage(points: ArrayLike, *, modes: int = 8) -> Coverage:
    """Count which clouds a set of points reaches, and how many points lie in one.

    Parameters
    ----------
    points : array_like, shape (n, 2)
        A point lies in a cloud if it is within four standard deviations of its center: of real
        points, all but three in ten thousand are.
    modes : int
        How many clouds the ring has.

    Returns
    -------
    Coverage

    Raises
    ------
    ValueError
        If there are no points, or they are not in the plane.
    """
    points = np.asarray(points, dtype=float)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ValueError(f"points must have shape (n, 2) with n > 0, but have {points.shape}.")
    distance = np.linalg.norm(points[:, np.newaxis] - centers(modes), axis=2)
    nearest = distance.argmin(axis=1)
    near = distance.min(axis=1) < 4 * SPREAD
    shares = np.bincount(nearest[near], minlength=modes) / len(points)
    return Coverage(shares, int((shares >= 0.2 / modes).sum()), float(near.mean()))
