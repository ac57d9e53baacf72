"""One call that makes a page or a notebook give the same numbers on every run."""

from __future__ import annotations

import random
import sys

import numpy as np


def seed_everything(seed: int = 0) -> np.random.Generator:
    """Seed Python's, NumPy's and (once it is imported, or as it is) PyTorch's random numbers.

    Parameters
    ----------
    seed : int
        From 0 to 2**32 - 1.

    Returns
    -------
    numpy.random.Generator
        A generator of its own with the same seed, for code that passes its generator along.

    Raises
    ------
    TypeError
        When the seed is no integer.
    ValueError
        When the seed is out of NumPy's range.

    Notes
    -----
    PyTorch is seeded only if it is already imported: importing it takes a second, and a page that
    does not use it should not pay. Import torch before seeding.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise TypeError(f"seed must be an integer; came {seed!r} ({type(seed).__name__})")
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed must lie in 0 ... 2**32 - 1; came {seed}")
    random.seed(int(seed))
    # Libraries that a page uses may draw from NumPy's old global generator.
    np.random.seed(int(seed))  # noqa: NPY002
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(int(seed))
    return np.random.default_rng(int(seed))
