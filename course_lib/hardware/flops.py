r"""Count the arithmetic of a network: floating-point operations, FLOPs.

A multiplication and the addition of its product are two operations. Only matrix products count:
biases, activation functions and norms need a handful of operations per number, a product of
matrices needs hundreds. Backward, each product comes back twice, once for the slopes of its weights
and once for the slopes of its inputs, and the second only where somebody asked for them.

References
----------
J. Kaplan and others, "Scaling laws for neural language models", 2020, arXiv:2001.08361.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import nn

__all__ = ["Cost", "attention", "convolution", "count", "linear", "six_n_d", "transformer"]


class Cost(NamedTuple):
    """FLOPs of a computation and of its backward pass.

    Parameters
    ----------
    forward, weights, inputs : int
        The forward pass; backward, the slopes of the weights and the slopes of the inputs.
    """

    forward: int
    weights: int = 0
    inputs: int = 0

    @property
    def backward(self) -> int:
        """Return the FLOPs of the backward pass."""
        return self.weights + self.inputs

    @property
    def training(self) -> int:
        """Return the FLOPs of a forward and a backward pass."""
        return self.forward + self.backward


def linear(rows: int, d_in: int, d_out: int) -> int:
    """Count the product of a batch (rows, d_in) with weights (d_in, d_out).

    Examples
    --------
    >>> linear(32, 64, 10)
    40960
    """
    return 2 * rows * d_in * d_out


def convolution(
    n: int, in_channels: int, out_channels: int, kernel_size: int, height: int, width: int
) -> int:
    """Count a convolution whose *outputs* have shape (n, out_channels, height, width).

    Examples
    --------
    >>> convolution(1, 1, 6, 5, 12, 12)
    43200
    """
    return linear(n * height * width, in_channels * kernel_size**2, out_channels)


def attention(n: int, queries: int, keys: int, d: int) -> int:
    """Count both products with the table of scores, (queries, keys), of n sequences.

    All heads together have width d. A causal mask hides half of the table; what is counted is the
    whole of it, as a simple implementation computes it.

    Examples
    --------
    >>> attention(1, 64, 64, 32)
    524288
    """
    return linear(n * queries, d, keys) + linear(n * queries, keys, d)


def transformer(
    n: int, context: int, width: int, layers: int, vocabulary: int, *, hidden: int | None = None
) -> int:
    """Count the forward pass of a GPT over n sequences of `context` tokens.

    Parameters
    ----------
    n, context : int
        Sequences, and tokens in each.
    width, layers, vocabulary : int
        As in `course_lib.models.gpt.Config`.
    hidden : int, optional
        Width inside of the perceptron of a block; four times `width` if not given.

    Returns
    -------
    int
        Looking a token up in a table multiplies nothing.
    """
    tokens, hidden = n * context, 4 * width if hidden is None else hidden
    block = linear(tokens, width, 4 * width) + 2 * linear(tokens, width, hidden)
    return layers * (block + attention(n, context, context, width)) + linear(
        tokens, width, vocabulary
    )


def six_n_d(weights: int, tokens: int) -> int:
    """Estimate the training of a network that uses each weight once per token.

    Forward a weight costs 2 FLOPs per token, backward 4.

    Examples
    --------
    >>> f"{six_n_d(175_000_000_000, 300_000_000_000):.3g}"
    '3.15e+23'
    """
    return 6 * weights * tokens


def count(model: nn.Module, *inputs: Any) -> Cost:
    """Run a network once and count the products of its linear and convolutional layers.

    Parameters
    ----------
    model : nn.Module
        Other layers that multiply matrices, such as attention, are not counted.
    *inputs
        What the model is called with.

    Returns
    -------
    Cost
        Backward, the slopes of weights that are frozen and of inputs that need no slope are not
        counted: the first layer's inputs are data.

    Examples
    --------
    >>> import torch
    >>> count(nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)), torch.zeros(1, 64))
    Cost(forward=4736, weights=4736, inputs=640)
    """
    totals = [0, 0, 0]

    def seen(layer: nn.Module, arguments: tuple[Any, ...], output: Any) -> None:
        # Each output is the sum of as many products as it has weights.
        flops = 2 * output.numel() * layer.weight[0].numel()
        totals[0] += flops
        totals[1] += flops * layer.weight.requires_grad
        totals[2] += flops * arguments[0].requires_grad

    layers = [layer for layer in model.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
    hooks = [layer.register_forward_hook(seen) for layer in layers]
    try:
        model(*inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return Cost(*totals)
