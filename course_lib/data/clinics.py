"""Made patients of two clinics with different base rates, for which all answers are known.

In the north three patients in ten are ill, in the south seven in ten. In both, the measurements of
the ill look alike, and so do those of the healthy: the clinics differ in nothing but how many of
their patients are ill. The best prediction is then a single neuron that also sees the clinic.

Made by these functions, so there is no license to mind. Known faults: two measurements, no noise in
the labels beyond the overlap, and the clinics differ in nothing else, which real ones never do. Not
for saying anything about patients, nor how large such differences are elsewhere.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["BASE_RATES", "SHIFTS", "Patients", "draw"]

#: The share that is ill in the north (0) and in the south (1).
BASE_RATES = (0.3, 0.7)

#: How far the two measurements of the ill lie above those of the healthy, in standard deviations.
SHIFTS = (1.0, 0.8)


class Patients(NamedTuple):
    """Patients, one a row."""

    X: NDArray[np.float64]
    clinic: NDArray[np.int64]
    ill: NDArray[np.int64]


def draw(n: int, seed: int) -> Patients:
    """Draw patients, about half of them from each clinic.

    Parameters
    ----------
    n : int
        How many.
    seed : int
        The same seed gives the same patients.

    Returns
    -------
    Patients
        `X`, shape (n, 2): two measurements, each with a standard deviation of 1 among the ill and
        among the healthy. `clinic`, shape (n,): 0 in the north, 1 in the south. `ill`, shape (n,):
        0 or 1.

    Examples
    --------
    >>> patients = draw(1000, seed=0)
    >>> patients.X.shape, int(patients.clinic.sum()), int(patients.ill.sum())
    ((1000, 2), 537, 503)
    """
    rng = np.random.default_rng(seed)
    clinic = rng.integers(2, size=n)
    ill = (rng.random(n) < np.array(BASE_RATES)[clinic]).astype(np.int64)
    return Patients(rng.normal(np.outer(ill, SHIFTS), 1.0), clinic, ill)
