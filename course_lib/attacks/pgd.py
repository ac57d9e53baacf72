"""Projected gradient descent: many small steps uphill, each followed by a way back into the ball.

The *ball* of radius epsilon around an image holds every image that is near enough to count. In the
norm L-infinity it is a box: no pixel is off by more than epsilon. In L2 it is round: the root of
the sum of all squared changes is at most epsilon.

References
----------
A. Madry, A. Makelov, L. Schmidt, D. Tsipras and A. Vladu, "Towards deep learning models resistant
to adversarial attacks", ICLR 2018, arXiv:1706.06083.
"""

from typing import Literal

import torch
from torch import Tensor

from course_lib.attacks.gradients import (
    Model,
    check,
    input_gradient,
    per_sample_loss,
)
from course_lib.training import evaluating

__all__ = ["Norm", "pgd", "project", "random_change", "steepest"]

Norm = Literal["linf", "l2"]


def project(change: Tensor, epsilon: float, norm: Norm = "linf") -> Tensor:
    """Find the change nearest to this one that is small enough.

    Parameters
    ----------
    change : Tensor, shape (n, ...)
        What is added to each image.
    epsilon : float
        The radius of the ball: per pixel in L-infinity, of the whole image in L2.
    norm : {"linf", "l2"}

    Returns
    -------
    Tensor, in the shape of change
        What lies inside of the ball stays as it is.

    Examples
    --------
    >>> change = torch.tensor([[0.3, -0.4], [0.1, 0.0]])
    >>> project(change, 0.25)
    tensor([[ 0.2500, -0.2500],
            [ 0.1000,  0.0000]])
    >>> project(change, 0.25, "l2")
    tensor([[ 0.1500, -0.2000],
            [ 0.1000,  0.0000]])
    """
    if norm == "linf":
        return change.clamp(-epsilon, epsilon)
    length = _length(change)
    return change * (epsilon / length.clamp(min=1e-12)).clamp(max=1.0)


def steepest(gradient: Tensor, norm: Norm = "linf") -> Tensor:
    """Find the change of length 1 along which a linear loss would grow most.

    Parameters
    ----------
    gradient : Tensor, shape (n, ...)
    norm : {"linf", "l2"}

    Returns
    -------
    Tensor, in the shape of gradient
        In L-infinity the sign of each entry, in L2 the gradient divided by its length. Where the
        gradient is 0, no direction is better than another one, and the change is 0.
    """
    if norm == "linf":
        return gradient.sign()
    return gradient / _length(gradient).clamp(min=1e-12)


def random_change(
    like: Tensor, epsilon: float, norm: Norm = "linf", generator: torch.Generator | None = None
) -> Tensor:
    """Draw a change at random, evenly from the whole ball.

    Parameters
    ----------
    like : Tensor, shape (n, ...)
        Images, for the shape, type and device.
    epsilon : float
    norm : {"linf", "l2"}
    generator : torch.Generator, optional
        On the CPU, so that the same seed gives the same changes on every device.

    Returns
    -------
    Tensor, in the shape of like
    """
    if norm == "linf":
        drawn = 2 * torch.rand(like.shape, generator=generator) - 1
    else:
        # A direction without preference, and a radius such that no part of the ball is preferred.
        drawn = steepest(torch.randn(like.shape, generator=generator), "l2")
        radius = torch.rand(len(like), generator=generator) ** (1 / like[0].numel())
        drawn = drawn * radius.reshape(-1, *[1] * (like.ndim - 1))
    return epsilon * drawn.to(like)


def pgd(
    model: Model,
    x: Tensor,
    y: Tensor,
    epsilon: float,
    *,
    steps: int = 20,
    step_size: float | None = None,
    norm: Norm = "linf",
    random_start: bool = True,
    restarts: int = 1,
    targeted: bool = False,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Look for the worst image in the ball, step by step.

    Parameters
    ----------
    model : callable
        Images (n, ...) to logits (n, k). It is used in evaluation mode and left as it was.
    x : Tensor, shape (n, ...)
        Images, with pixels from 0 to 1.
    y : Tensor of int64, shape (n,)
        The right classes; with `targeted`, the classes that the network is to answer.
    epsilon : float
        Radius of the ball around each image, on the scale of the pixels.
    steps : int
    step_size : float, optional
        Length of a step in the same norm; by default ``2.5 * epsilon / steps``, enough to get from
        any point of the ball to any other, and then some.
    norm : {"linf", "l2"}
    random_start : bool
        Begin anywhere in the ball, and not at its center.
    restarts : int
        How many times to begin. Of all ends, each image keeps the one with the highest loss (with
        `targeted`, the lowest). More than one makes sense with a random start only.
    targeted : bool
        Lower the loss of `y` instead of raising it.
    generator : torch.Generator, optional
        Where the random starts come from.

    Returns
    -------
    Tensor, in the shape of x
        Images in the ball, with pixels from 0 to 1.

    Raises
    ------
    ValueError
        If shapes, pixels or numbers make no sense.
    """
    check(x, y, epsilon)
    if steps < 1 or restarts < 1:
        raise ValueError(f"steps and restarts must be 1 or more, but are {steps} and {restarts}.")
    step_size = 2.5 * epsilon / steps if step_size is None else step_size
    direction = -1.0 if targeted else 1.0
    worst, worst_loss = x.clone(), torch.full_like(x.flatten(1)[:, 0], -torch.inf)
    for _ in range(restarts):
        moved = x.clone()
        if random_start:
            moved = (x + random_change(x, epsilon, norm, generator)).clamp(0, 1)
        for _ in range(steps):
            uphill = direction * steepest(input_gradient(model, moved, y), norm)
            moved = (moved + step_size * uphill).clamp(0, 1)
            # The ball is around the image that we began with, not around the last step. It is
            # clipped once more because x + (1 - x) can be a little more than 1.
            moved = (x + project(moved - x, epsilon, norm)).clamp(0, 1)
        with torch.no_grad(), evaluating(model):
            loss = direction * per_sample_loss(model(moved), y)
        better = loss > worst_loss
        worst[better], worst_loss[better] = moved[better], loss[better]
    return worst


def _length(change: Tensor) -> Tensor:
    """Compute the Euclidean length of each sample, in a shape that divides them."""
    return change.flatten(1).norm(dim=1).reshape(-1, *[1] * (change.ndim - 1))
