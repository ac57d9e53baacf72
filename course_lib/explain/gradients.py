"""Explanations from one gradient: how a logit changes when a pixel does.

The *saliency* of an input is the gradient of the logit of one class. *Gradient times input* weighs
it by what is there, *SmoothGrad* averages it over noisy copies, and *guided backpropagation* lets
nothing negative pass a ReLU on the way back.

References
----------
K. Simonyan, A. Vedaldi and A. Zisserman, "Deep inside convolutional networks", 2013,
arXiv:1312.6034.
D. Smilkov, N. Thorat, B. Kim, F. Viegas and M. Wattenberg, "SmoothGrad: removing noise by adding
noise", 2017, arXiv:1706.03825.
J. T. Springenberg, A. Dosovitskiy, T. Brox and M. Riedmiller, "Striving for simplicity: the all
convolutional net", 2014, arXiv:1412.6806.
"""

import torch
from torch import Tensor, nn

from course_lib.training import evaluating

__all__ = [
    "chosen_logits",
    "gradient_times_input",
    "guided_backpropagation",
    "saliency",
    "smooth_gradient",
]


def chosen_logits(model: nn.Module, x: Tensor, targets: Tensor) -> Tensor:
    """Ask a network for one logit of each sample.

    Parameters
    ----------
    model : nn.Module
        Inputs (n, ...) to logits (n, k).
    x : Tensor, shape (n, ...)
    targets : Tensor of int, shape (n,)
        The class whose logit is wanted, for each sample.

    Returns
    -------
    Tensor, shape (n,)

    Raises
    ------
    ValueError
        If there is not one class per sample, or the network does not give a row of logits each.
    """
    if targets.shape != x.shape[:1]:
        raise ValueError(
            f"targets names one class per sample: wanted shape {tuple(x.shape[:1])}, "
            f"but it has {tuple(targets.shape)}."
        )
    logits = model(x)
    if logits.ndim != 2:
        raise ValueError(
            f"The network must return logits (n, classes), but returned {tuple(logits.shape)}."
        )
    return logits.gather(1, targets.to(logits.device)[:, None])[:, 0]


def saliency(model: nn.Module, x: Tensor, targets: Tensor) -> Tensor:
    """Compute the gradient of each sample's chosen logit in the sample itself.

    Parameters
    ----------
    model, x, targets
        As in `chosen_logits`.

    Returns
    -------
    Tensor, shape of x
        With its sign. A map for people is usually made of absolute values, of which the largest
        over the channels is shown: that is left to whoever draws it.

    Examples
    --------
    >>> model = nn.Linear(2, 3, bias=False)
    >>> _ = nn.init.eye_(model.weight)
    >>> saliency(model, torch.ones(1, 2), torch.tensor([1]))
    tensor([[0., 1.]])
    """
    x = x.detach().clone().requires_grad_()
    with evaluating(model), torch.enable_grad():
        # Samples do not meet in evaluation mode, so the sum's gradient is each one's own.
        total = chosen_logits(model, x, targets).sum()
        (gradient,) = torch.autograd.grad(total, x)
    return gradient


def gradient_times_input(model: nn.Module, x: Tensor, targets: Tensor) -> Tensor:
    """Weigh the gradient by the input: what would be lost, to first order, if it became 0.

    Parameters
    ----------
    model, x, targets
        As in `chosen_logits`.

    Returns
    -------
    Tensor, shape of x
    """
    return saliency(model, x, targets) * x.detach()


def smooth_gradient(
    model: nn.Module,
    x: Tensor,
    targets: Tensor,
    *,
    noise: float = 0.15,
    samples: int = 20,
    seed: int = 0,
) -> Tensor:
    """Average the gradient over copies of the input with normal noise (SmoothGrad).

    Parameters
    ----------
    model, x, targets
        As in `chosen_logits`.
    noise : float
        Standard deviation of the noise, in the units of x.
    samples : int
        Noisy copies per input.
    seed : int
        The same seed draws the same noise.

    Returns
    -------
    Tensor, shape of x
    """
    # Drawn on the CPU, so that every device sees the same noise.
    draw = torch.Generator().manual_seed(seed)
    total = torch.zeros_like(x)
    for _ in range(samples):
        noisy = x + noise * torch.randn(x.shape, generator=draw).to(x)
        total += saliency(model, noisy, targets)
    return total / samples


def guided_backpropagation(model: nn.Module, x: Tensor, targets: Tensor) -> Tensor:
    """Compute a gradient of which only the positive part passes each ReLU on the way back.

    Parameters
    ----------
    model, x, targets
        As in `chosen_logits`. Each ReLU must be a module, ``nn.ReLU()``, that is called once.

    Returns
    -------
    Tensor, shape of x
        Not the gradient of any function.

    Raises
    ------
    ValueError
        If the network has no ``nn.ReLU``.
    """
    relus = [module for module in model.modules() if isinstance(module, nn.ReLU)]
    if not relus:
        raise ValueError("guided_backpropagation changes nn.ReLU modules, and this model has none.")
    hooks = [relu.register_full_backward_hook(_positive_part) for relu in relus]
    try:
        return saliency(model, x, targets)
    finally:
        for hook in hooks:
            hook.remove()


def _positive_part(
    module: nn.Module, into: tuple[Tensor, ...], out: tuple[Tensor, ...]
) -> tuple[Tensor, ...]:
    """Drop what is negative of the gradient that leaves a ReLU toward the input."""
    return tuple(gradient.clamp(min=0) for gradient in into)
