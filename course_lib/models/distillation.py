r"""Distillation: a small network learns from a large one's answers, wrong classes and all.

Divided by a temperature T above 1, the teacher's logits show which wrong classes it finds less
wrong than others. The student is to show the same.

References
----------
G. Hinton, O. Vinyals and J. Dean, "Distilling the knowledge in a neural network", 2015,
arXiv:1503.02531.
"""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["distillation_loss"]


def distillation_loss(
    student: Tensor,
    teacher: Tensor,
    labels: Tensor | None = None,
    *,
    temperature: float = 4.0,
    weight: float = 1.0,
) -> Tensor:
    r"""Measure how far a student's answers are from its teacher's, and from the labels.

    .. math:: w\, T^2\, \mathrm{KL}\bigl(p_T^\text{teacher} \,\|\, p_T^\text{student}\bigr)
              + (1 - w)\, \text{cross-entropy}

    The slopes of the divergence shrink as 1 / T². The factor T² makes up for it, so that the weight
    means the same at each temperature.

    Parameters
    ----------
    student, teacher : Tensor, shape (n, k)
        Logits. No gradient flows to the teacher.
    labels : Tensor of int, shape (n,), optional
        Needed where `weight` is below 1.
    temperature : float
        Above 0.
    weight : float
        The teacher's share, w, from 0 to 1.

    Returns
    -------
    Tensor
        A mean over the batch, shape ().

    Raises
    ------
    ValueError
        If the temperature or the weight makes no sense, or labels are missing.

    Examples
    --------
    >>> import torch
    >>> z = torch.tensor([[2.0, 0.0, -1.0]])
    >>> distillation_loss(z + 3.0, z).item()  # the same probabilities
    0.0
    """
    if temperature <= 0 or not 0 <= weight <= 1:
        raise ValueError(
            f"temperature must be above 0 and weight from 0 to 1; came {temperature} and {weight}."
        )
    if weight < 1 and labels is None:
        raise ValueError(f"A weight of {weight} leaves a share to the labels: give them.")
    log_p = nn.functional.log_softmax(student / temperature, dim=-1)
    log_q = nn.functional.log_softmax(teacher.detach() / temperature, dim=-1)
    divergence = nn.functional.kl_div(log_p, log_q, reduction="batchmean", log_target=True)
    loss = weight * temperature**2 * divergence
    if weight < 1:
        loss = loss + (1 - weight) * nn.functional.cross_entropy(student, labels)
    return loss
