"""What every attack with gradients needs: the slope of the loss in the input.

In training the input is fixed and the weights move. Here the weights are fixed and the input
moves, so the gradient is taken for the input alone, and the model is left as it was: no gradient is
stored with its parameters, and each of its modules stays in the mode that it was in.
"""

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor, nn

from course_lib.training import evaluating

__all__ = ["Model", "check", "input_gradient", "per_sample_loss"]

#: What is attacked: images to logits, (n, ...) to (n, k). It may be a module or a function.
Model: TypeAlias = Callable[[Tensor], Tensor]


def per_sample_loss(logits: Tensor, y: Tensor) -> Tensor:
    """Compute the cross-entropy of each sample.

    Parameters
    ----------
    logits : Tensor, shape (n, k)
    y : Tensor of int64, shape (n,)

    Returns
    -------
    Tensor, shape (n,)
    """
    return nn.functional.cross_entropy(logits, y, reduction="none")


def input_gradient(model: Model, x: Tensor, y: Tensor) -> Tensor:
    """Compute the gradient of each sample's cross-entropy in its own input.

    The losses are added up, not averaged: a sample's gradient does not depend on how many others
    are in the batch.

    Parameters
    ----------
    model : callable
        Images (n, ...) to logits (n, k). In evaluation mode meanwhile, so that no sample changes
        another one's logits through batch normalization.
    x : Tensor, shape (n, ...)
    y : Tensor of int64, shape (n,)

    Returns
    -------
    Tensor, in the shape of x

    Examples
    --------
    >>> w = torch.tensor([[1.0, -2.0]])  # two logits, 0 and w @ x: class 1 against class 0
    >>> model = lambda x: torch.cat([torch.zeros(len(x), 1), x @ w.T], dim=1)
    >>> input_gradient(model, torch.zeros(1, 2), torch.tensor([1]))
    tensor([[-0.5000,  1.0000]])
    """
    x = x.detach().clone().requires_grad_()
    with torch.enable_grad(), evaluating(model):
        loss = per_sample_loss(model(x), y).sum()
        # autograd.grad, unlike loss.backward(), leaves the parameters' own .grad alone.
        (gradient,) = torch.autograd.grad(loss, x)
    return gradient


def check(x: Tensor, y: Tensor, epsilon: float) -> None:
    """Refuse what no attack can work with.

    Parameters
    ----------
    x : Tensor, shape (n, ...)
        Must lie between 0 and 1.
    y : Tensor of int64, shape (n,)
    epsilon : float

    Raises
    ------
    ValueError
        If there is not one label per image, a pixel lies outside of 0 to 1, or `epsilon` is
        negative.
    """
    if y.shape != x.shape[:1]:
        raise ValueError(
            f"There must be one label per image, shape ({len(x)},), but y has shape "
            f"{tuple(y.shape)}."
        )
    if x.numel() and not (x.min() >= 0 and x.max() <= 1):
        raise ValueError(
            f"Pixels must lie between 0 and 1, but reach from {x.min():g} to {x.max():g}. Put the "
            "standardization into the model, as its first layer: epsilon is in units of a pixel."
        )
    if epsilon < 0:
        raise ValueError(f"epsilon must be 0 or more, but is {epsilon:g}.")
