"""Low-rank adapters (LoRA): tune a large matrix by two small ones beside it.

A linear layer y = x Wᵀ + b stays as it is. Beside it stands a second path, x Aᵀ Bᵀ, whose A is
(rank, in_features) and B is (out_features, rank): with a small rank, both have few weights. Only
these are trained. Afterwards B A, scaled, is added to W, and the layer costs what it did before.

References
----------
Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", 2022, arXiv:2106.09685.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

__all__ = ["LoRA", "adapt", "merge"]


class LoRA(nn.Module):
    """A frozen linear layer with a trained path of low rank beside it.

    Parameters
    ----------
    base : nn.Linear
        Its parameters are frozen.
    rank : int
        Rows of A, and columns of B.
    alpha : float, optional
        The path is scaled by alpha / rank, so that the learning rate need not change with the
        rank; 2 * rank if not given.

    Raises
    ------
    ValueError
        If the rank is less than 1.

    Examples
    --------
    >>> layer = LoRA(nn.Linear(64, 64), rank=2)
    >>> sum(p.numel() for p in layer.parameters() if p.requires_grad)
    256
    """

    def __init__(self, base: nn.Linear, rank: int, alpha: float | None = None) -> None:
        super().__init__()
        if rank < 1:
            raise ValueError(f"rank must be at least 1, but is {rank}.")
        self.base = base.requires_grad_(False)
        self.scale = (2.0 * rank if alpha is None else alpha) / rank
        weight = base.weight
        bound = 1 / math.sqrt(base.in_features)
        self.A = nn.Parameter(weight.new_empty(rank, base.in_features).uniform_(-bound, bound))
        # B of zeros: the path adds nothing at first. Were A zero too, neither would get a gradient.
        self.B = nn.Parameter(weight.new_zeros(base.out_features, rank))

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., in_features) to (..., out_features)."""
        return self.base(x) + self.scale * (x @ self.A.T) @ self.B.T

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """Return one linear layer that computes the same, and can be trained again."""
        base = self.base
        layer = nn.Linear(base.in_features, base.out_features, bias=base.bias is not None)
        layer.to(base.weight)
        layer.weight.copy_(base.weight + self.scale * self.B @ self.A)
        if base.bias is not None:
            layer.bias.copy_(base.bias)
        return layer


def adapt(model: nn.Module, rank: int, alpha: float | None = None) -> nn.Module:
    """Freeze a model, and give each of its linear layers a path of low rank, in place.

    Returns
    -------
    nn.Module
        The model itself. What requires a gradient are the A and B alone.

    Raises
    ------
    ValueError
        If it has no linear layer, or has adapters already.
    """
    if any(isinstance(module, LoRA) for module in model.modules()):
        raise ValueError("The model has adapters already: merge them first.")
    model.requires_grad_(False)
    found = [
        (module, name, child)
        for module in model.modules()
        for name, child in module.named_children()
        if isinstance(child, nn.Linear)
    ]
    if not found:
        raise ValueError("There is no nn.Linear in the model to set an adapter beside.")
    for module, name, child in found:
        setattr(module, name, LoRA(child, rank, alpha))
    return model


def merge(model: nn.Module) -> nn.Module:
    """Put one linear layer in the place of each adapter, in place; all can be trained again."""
    found = [
        (module, name, child)
        for module in model.modules()
        for name, child in module.named_children()
        if isinstance(child, LoRA)
    ]
    for module, name, child in found:
        setattr(module, name, child.merged())
    return model.requires_grad_(True)
