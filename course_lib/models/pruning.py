"""Pruning by magnitude: the smallest weights become zero, and stay it.

A mask for each weight matrix says which entries remain. Biases and other vectors are left alone:
there are few of them. Masked weights go on costing what they did, in time and in memory, until a
format or a machine leaves them out.

References
----------
S. Han, J. Pool, J. Tran and W. J. Dally, "Learning both weights and connections for efficient
neural networks", NIPS 2015, arXiv:1506.02626.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

__all__ = ["apply_masks", "magnitude_masks", "sparsity"]


def magnitude_masks(model: nn.Module, share: float) -> dict[str, Tensor]:
    """Choose which weights to keep: all but the given share, the smallest of the whole network.

    Parameters
    ----------
    model : nn.Module
        Left as it is.
    share : float
        Of all entries of weight matrices and kernels, this share is pruned, rounded to whole
        entries; from 0 to 1.

    Returns
    -------
    dict of str to Tensor of bool
        By the name of the parameter, in its shape: True where a weight stays. Layers with small
        weights lose more of them. What was zero before is pruned first.

    Raises
    ------
    ValueError
        If the share is not from 0 to 1.

    Examples
    --------
    >>> layer = nn.Linear(4, 1)
    >>> _ = nn.init.zeros_(layer.weight)
    >>> layer.weight.data[0] = torch.tensor([0.5, -0.1, -2.0, 0.3])
    >>> magnitude_masks(layer, 0.5)["weight"]
    tensor([[ True, False,  True, False]])
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share must be from 0 to 1, but is {share}.")
    matrices = {name: p.detach() for name, p in model.named_parameters() if p.dim() > 1}
    sizes = torch.cat([p.abs().flatten() for p in matrices.values()])
    keep = torch.ones_like(sizes, dtype=torch.bool)
    # An order, not a threshold: of equal weights, as many go as are wanted.
    keep[sizes.argsort(stable=True)[: round(share * len(sizes))]] = False
    parts = keep.split([p.numel() for p in matrices.values()])
    return {
        name: part.reshape(p.shape) for (name, p), part in zip(matrices.items(), parts, strict=True)
    }


@torch.no_grad()
def apply_masks(model: nn.Module, masks: Mapping[str, Tensor]) -> None:
    """Set the weights that are not kept to zero, in place.

    An optimizer moves zeros like any weight: call it after each of its steps.

    Parameters
    ----------
    model : nn.Module
    masks : mapping of str to Tensor of bool
        As `magnitude_masks` returns them.
    """
    for name, mask in masks.items():
        model.get_parameter(name).mul_(mask)


def sparsity(model: nn.Module) -> float:
    """Compute the share of zeros among the entries of weight matrices and kernels.

    Examples
    --------
    >>> sparsity(nn.Linear(3, 2))
    0.0
    """
    matrices = [p for p in model.parameters() if p.dim() > 1]
    zeros = sum(int((p == 0).sum()) for p in matrices)
    return zeros / sum(p.numel() for p in matrices)
