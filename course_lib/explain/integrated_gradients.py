"""Integrated gradients: collect the gradient along the straight path from a baseline to the input.

At each point of the path, the gradient says which pixels move the logit there. Its mean over the
path, times the distance that each pixel travels, adds up to the difference between the logits at
the two ends. This is called *completeness*.

References
----------
M. Sundararajan, A. Taly and Q. Yan, "Axiomatic attribution for deep networks", ICML 2017,
arXiv:1703.01365.
"""

import torch
from torch import Tensor, nn

from course_lib.explain.gradients import chosen_logits, saliency
from course_lib.training import measuring

__all__ = ["completeness_gap", "integrated_gradients"]


def integrated_gradients(
    model: nn.Module,
    x: Tensor,
    targets: Tensor,
    *,
    baseline: Tensor | float = 0.0,
    steps: int = 50,
) -> Tensor:
    r"""Attribute the difference of a logit between a baseline and the input to the input's parts.

    .. math:: \phi_i = (x_i - x'_i) \int_0^1 \frac{\partial f}{\partial x_i}(x' + \alpha (x - x'))
              \, d\alpha

    Parameters
    ----------
    model : nn.Module
        Inputs (n, ...) to logits (n, k).
    x : Tensor, shape (n, ...)
    targets : Tensor of int, shape (n,)
        The class whose logit is explained, for each sample.
    baseline : Tensor that broadcasts to x, or float
        Where the path begins, x': what counts as "nothing there".
    steps : int
        Points on the path, in the middle of `steps` equal pieces (the midpoint rule).

    Returns
    -------
    Tensor, shape of x

    Raises
    ------
    ValueError
        If there is no step.

    Examples
    --------
    >>> model = nn.Linear(2, 1, bias=False)
    >>> _ = nn.init.constant_(model.weight, 3.0)
    >>> integrated_gradients(model, torch.tensor([[1.0, 2.0]]), torch.tensor([0]), steps=1)
    tensor([[3., 6.]])
    """
    if steps < 1:
        raise ValueError(f"steps must be 1 or more, but is {steps}.")
    start = torch.as_tensor(baseline, dtype=x.dtype, device=x.device).expand_as(x)
    total = torch.zeros_like(x)
    for step in range(steps):
        share = (step + 0.5) / steps
        total += saliency(model, start + share * (x - start), targets)
    return (x - start) * total / steps


def completeness_gap(
    model: nn.Module,
    x: Tensor,
    targets: Tensor,
    attribution: Tensor,
    *,
    baseline: Tensor | float = 0.0,
) -> Tensor:
    """Measure by how much attributions miss the difference that they should add up to.

    Parameters
    ----------
    model, x, targets, baseline
        As in `integrated_gradients`.
    attribution : Tensor, shape of x

    Returns
    -------
    Tensor, shape (n,)
        The sum of each sample's attributions minus (logit at x minus logit at the baseline).
    """
    start = torch.as_tensor(baseline, dtype=x.dtype, device=x.device).expand_as(x)
    with measuring(model):
        difference = chosen_logits(model, x, targets) - chosen_logits(model, start, targets)
    return attribution.flatten(1).sum(dim=1) - difference
