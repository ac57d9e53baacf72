r"""Randomized smoothing: a radius within which no change can alter the answer, proven by counting.

The smoothed classifier shows the network many noisy copies of an image and answers what most of
them are read as. If a share p of all copies is read as the winner, then no change shorter than
:math:`s\,\Phi^{-1}(p)` in L2 can make another class win: s is the standard deviation of the noise,
and :math:`\Phi` the distribution function of the standard normal distribution.

References
----------
J. M. Cohen, E. Rosenfeld and J. Z. Kolter, "Certified adversarial robustness via randomized
smoothing", ICML 2019, arXiv:1902.02918.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import beta, norm
from torch import Tensor

from course_lib.attacks.gradients import Model
from course_lib.training import evaluating

__all__ = ["certify", "lower_bound"]


def lower_bound(count: int, n: int, doubt: float = 0.001) -> float:
    """Bound a probability from below by what was counted (Clopper and Pearson's bound).

    Parameters
    ----------
    count, n : int
        How often something happened in n independent trials.
    doubt : float
        The chance that the bound is above the true probability after all.

    Returns
    -------
    float

    Examples
    --------
    >>> round(lower_bound(100, 100, doubt=0.05), 3)  # p ** 100 = 0.05
    0.97
    """
    return float(beta.ppf(doubt, count, n - count + 1)) if count else 0.0


@torch.no_grad()
def certify(
    model: Model,
    x: Tensor,
    noise: float,
    *,
    samples: int = 500,
    first: int = 50,
    doubt: float = 0.001,
    generator: torch.Generator | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Answer by the majority of noisy copies, with a radius for each answer.

    Parameters
    ----------
    model : callable
        Images (n, ...) to logits (n, k).
    x : Tensor, shape (n, ...)
    noise : float
        Standard deviation of the noise, on the scale of the pixels. Copies are not clipped: the
        proof is about Gaussian noise.
    samples : int
        Copies that are counted.
    first : int
        Other copies, which choose the class that is counted. Choosing and counting on the same
        ones would make the bound too large.
    doubt : float
        The chance, for each image, that its radius is too large.
    generator : torch.Generator, optional
        On the CPU.

    Returns
    -------
    answers : ndarray of int, shape (n,)
        -1 where no class is surely ahead.
    radius : ndarray, shape (n,)
        In L2, on the scale of the pixels; 0 where there is no answer.
    """
    answers, radius = np.full(len(x), -1), np.zeros(len(x))
    with evaluating(model):
        for i, image in enumerate(x):
            copies = image + noise * torch.randn(
                (first + samples, *image.shape), generator=generator
            ).to(image)
            read = model(copies).argmax(dim=1)
            winner = int(read[:first].bincount().argmax())
            p = lower_bound(int((read[first:] == winner).sum()), samples, doubt)
            if p > 0.5:
                answers[i], radius[i] = winner, noise * norm.ppf(p)
    return answers, radius
