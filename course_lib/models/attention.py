"""Attention, written out: look up by likeness, and take the weighted mean of what is found.

Sequences are arrays of shape (..., n, d): a row for each of n positions, after any number of
dimensions that count sequences (or heads), each of which is attended to by itself.

A *mask* is True where a position may look, as in PyTorch's `scaled_dot_product_attention`.
(`nn.MultiheadAttention` and `nn.Transformer` have it the other way around: True is forbidden.)

References
----------
Vaswani et al., "Attention Is All You Need", 2017, arXiv:1706.03762.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

__all__ = [
    "MultiHeadAttention",
    "causal_mask",
    "rotary",
    "scaled_dot_product_attention",
    "sinusoidal_positions",
]


def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Attend: the weighted mean of values, by the likeness of their keys to each query.

    Parameters
    ----------
    query : Tensor, shape (..., n, d)
    key : Tensor, shape (..., m, d)
    value : Tensor, shape (..., m, d_v)
    mask : Tensor of bool, shape (n, m) or one that broadcasts to (..., n, m), optional
        True where a query may look.

    Returns
    -------
    output : Tensor, shape (..., n, d_v)
        A query that may look nowhere gets zeros.
    weights : Tensor, shape (..., n, m)
        Each row adds up to 1 (to 0 where a query may look nowhere).

    Raises
    ------
    ValueError
        If shapes do not fit, or the mask is not of type bool.

    Examples
    --------
    >>> key = torch.tensor([[4.0, 0.0], [0.0, 4.0]])
    >>> value = torch.tensor([[10.0], [20.0]])
    >>> output, weights = scaled_dot_product_attention(torch.tensor([[4.0, 0.0]]), key, value)
    >>> round(output.item(), 3)
    10.0
    """
    _check(query, key, value, mask)
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    weights = scores.softmax(dim=-1)
    if mask is not None:
        # exp(-inf) / 0 is nan in a row without any place to look.
        weights = weights.masked_fill(~mask, 0.0)
    return weights @ value, weights


class MultiHeadAttention(nn.Module):
    """Several small attentions side by side, each on projections of its own.

    Parameters
    ----------
    embed_dim : int
        Numbers per position, d.
    num_heads : int
        Heads, each with d / num_heads numbers; a divisor of `embed_dim`.
    bias : bool
        Whether the four projections have one.

    Raises
    ------
    ValueError
        If the heads do not divide the width.
    """

    def __init__(self, embed_dim: int, num_heads: int, *, bias: bool = True) -> None:
        super().__init__()
        if num_heads < 1 or embed_dim % num_heads:
            raise ValueError(
                f"{num_heads} heads cannot share a width of {embed_dim} evenly: choose a number "
                "of heads that divides it."
            )
        self.num_heads = num_heads
        self.query = nn.Linear(embed_dim, embed_dim, bias=bias)
        self.key = nn.Linear(embed_dim, embed_dim, bias=bias)
        self.value = nn.Linear(embed_dim, embed_dim, bias=bias)
        self.output = nn.Linear(embed_dim, embed_dim, bias=bias)

    def forward(
        self, x: Tensor, context: Tensor | None = None, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Let each position of `x` look at `context`.

        Parameters
        ----------
        x : Tensor, shape (..., n, embed_dim)
            Where the queries come from.
        context : Tensor, shape (..., m, embed_dim), optional
            Where keys and values come from: `x` itself, if it is not given (self-attention).
        mask : Tensor of bool, shape (n, m) or one that broadcasts to (..., num_heads, n, m)

        Returns
        -------
        output : Tensor, shape (..., n, embed_dim)
        weights : Tensor, shape (..., num_heads, n, m)
        """
        context = x if context is None else context
        query, key, value = self.query(x), self.key(context), self.value(context)
        mixed, weights = scaled_dot_product_attention(
            self.split(query), self.split(key), self.split(value), mask
        )
        return self.output(self.join(mixed)), weights

    def split(self, x: Tensor) -> Tensor:
        """Cut each row into heads: (..., n, d) becomes (..., num_heads, n, d / num_heads)."""
        return x.unflatten(-1, (self.num_heads, -1)).transpose(-3, -2)

    def join(self, x: Tensor) -> Tensor:
        """Undo `split`: (..., num_heads, n, d / num_heads) becomes (..., n, d)."""
        return x.transpose(-3, -2).flatten(-2)


def causal_mask(n: int, m: int | None = None, *, device: torch.device | None = None) -> Tensor:
    """Return the mask with which n positions look at themselves and backwards.

    Parameters
    ----------
    n : int
        Queries.
    m : int, optional
        Keys, of which the last n are the queries' own positions; n if not given.
    device : torch.device, optional

    Returns
    -------
    Tensor of bool, shape (n, m)

    Examples
    --------
    >>> causal_mask(3).int().tolist()
    [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    """
    m = n if m is None else m
    return torch.ones(n, m, dtype=torch.bool, device=device).tril(m - n)


def sinusoidal_positions(n: int, d: int) -> Tensor:
    """Return the waves of Vaswani et al.: a sine and a cosine for each of d / 2 speeds.

    Parameters
    ----------
    n : int
        Positions, from 0.
    d : int
        Numbers per position, even.

    Returns
    -------
    Tensor, shape (n, d)
        Sines at even places, cosines at odd ones.
    """
    angles = _angles(torch.arange(n), d)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)


def rotary(x: Tensor, positions: Tensor) -> Tensor:
    """Turn each query or key by an angle that grows with its position.

    Two places of a row are one arrow in a plane. All arrows of a position are turned, each at a
    speed of its own; the product of a turned query and a turned key depends on nothing but the
    two and the distance between their positions.

    Parameters
    ----------
    x : Tensor, shape (..., n, d)
        d must be even. Place i belongs together with place i + d / 2.
    positions : Tensor of int, shape (n,)

    Returns
    -------
    Tensor, shape (..., n, d)

    References
    ----------
    Su et al., "RoFormer: Enhanced Transformer with Rotary Position Embedding", arXiv:2104.09864.
    """
    angles = _angles(positions, x.shape[-1]).to(x)
    first, second = x.chunk(2, dim=-1)
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)


def _angles(positions: Tensor, d: int) -> Tensor:
    """Multiply positions by d / 2 speeds from 1 to nearly 1 / 10,000: shape (n, d / 2)."""
    if d % 2:
        raise ValueError(f"Positions come in pairs of numbers: the width must be even, not {d}.")
    speeds = 10_000.0 ** (-torch.arange(0, d, 2, device=positions.device) / d)
    return positions[:, None] * speeds


def _check(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> None:
    if query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise ValueError(
            f"Shapes do not fit: query {tuple(query.shape)}, key {tuple(key.shape)}, value "
            f"{tuple(value.shape)}. A query is as long as a key (last dimension), and there is a "
            "value for each key (last but one)."
        )
    if mask is not None and mask.dtype != torch.bool:
        raise ValueError(
            f"The mask has type {mask.dtype}; give one of torch.bool, True where a query may look."
        )
