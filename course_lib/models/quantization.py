r"""Quantization: a trained network computes with integers of 8 bits.

A real number :math:`x` is stored as an integer :math:`q`, and stands for
:math:`\hat{x} = s\,(q - z)`, with a *scale* :math:`s` and a *zero point* :math:`z`, the integer
that stands for 0. Symmetric quantization has :math:`z = 0`, and suits weights. Affine quantization
puts the ends of the integers on the smallest and the largest number, and suits activations, which
are rarely as often below 0 as above it.

`symmetric` and `affine` choose scale and zero point, one for a whole tensor or one for each index
along an axis. `matmul` and `conv2d` multiply integers and add in int32. `QuantizedNetwork` runs a
trained convolutional network with them.

References
----------
B. Jacob and others, "Quantization and training of neural networks for efficient
integer-arithmetic-only inference", CVPR 2018, arXiv:1712.05877.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

__all__ = ["Grid", "QuantizedNetwork", "affine", "conv2d", "matmul", "symmetric"]


class Grid(NamedTuple):
    """Which real numbers the integers from `low` to `high` stand for.

    Attributes
    ----------
    scale : ndarray
        The distance between neighbors, of a shape that broadcasts with the tensor.
    zero_point : ndarray of int
        The integer that stands for 0, in the same shape.
    low, high : int
    """

    scale: NDArray[np.float64]
    zero_point: NDArray[np.int64]
    low: int
    high: int

    def quantize(self, x: ArrayLike) -> NDArray[np.int32]:
        """Return the nearest integers; what lies beyond the ends is moved to them.

        Examples
        --------
        >>> symmetric([-1.0, 2.54]).quantize([-1.0, 0.031, 2.54, 9.0]).tolist()
        [-50, 2, 127, 127]
        """
        q = np.rint(np.asarray(x, dtype=float) / self.scale) + self.zero_point
        return q.clip(self.low, self.high).astype(np.int32)

    def dequantize(self, q: ArrayLike) -> NDArray[np.float64]:
        """Return the real numbers that integers stand for."""
        return self.scale * (np.asarray(q, dtype=np.int64) - self.zero_point)


def symmetric(x: ArrayLike, bits: int = 8, axis: int | None = None) -> Grid:
    """Choose a scale so that the largest size is the largest integer, and 0 stays 0.

    Parameters
    ----------
    x : array_like
    bits : int
        Integers go from -(2 ** (bits - 1) - 1) to 2 ** (bits - 1) - 1: as many below 0 as above.
    axis : int, optional
        A scale for each index along this axis, such as the output channels of a kernel. None: one
        scale for all.

    Returns
    -------
    Grid
        Where there are only zeros, the scale is 1.
    """
    x = np.asarray(x, dtype=float)
    high = 2 ** (bits - 1) - 1
    largest = np.abs(x).max(axis=_others(x, axis), keepdims=axis is not None)
    scale = np.where(largest > 0, largest / high, 1.0)
    return Grid(scale, np.zeros_like(scale, dtype=np.int64), -high, high)


def affine(x: ArrayLike, bits: int = 8, axis: int | None = None) -> Grid:
    """Choose scale and zero point so that the integers reach from the smallest to the largest.

    The range is widened to hold 0, which is then an integer exactly: padding with zeros, and the
    zeros of a ReLU, must not become something else.

    Parameters
    ----------
    x : array_like
    bits : int
        Integers go from 0 to 2 ** bits - 1.
    axis : int, optional

    Returns
    -------
    Grid

    Examples
    --------
    >>> grid = affine([-0.5, 2.05])
    >>> round(float(grid.scale), 4), int(grid.zero_point)
    (0.01, 50)
    """
    x = np.asarray(x, dtype=float)
    across, keep = _others(x, axis), axis is not None
    smallest = np.minimum(x.min(axis=across, keepdims=keep), 0.0)
    largest = np.maximum(x.max(axis=across, keepdims=keep), 0.0)
    high = 2**bits - 1
    scale = np.where(largest > smallest, (largest - smallest) / high, 1.0)
    return Grid(scale, np.rint(-smallest / scale).astype(np.int64), 0, high)


def matmul(
    q: ArrayLike, weights: ArrayLike, zero_point: int | NDArray[np.int64] = 0
) -> NDArray[np.int32]:
    """Multiply integers and add them in int32, with the zero point of the inputs taken out.

    The sum over (q - z) w is the sum over q w, which an array of multipliers computes, minus z
    times the sum of the weights, which is known before any input comes.

    Parameters
    ----------
    q : array_like of int, shape (..., k)
    weights : array_like of int, shape (k, n)
        With a zero point of 0.
    zero_point : int
        Of q.

    Returns
    -------
    ndarray of int32, shape (..., n)

    Examples
    --------
    >>> matmul(np.uint8([[200, 100]]), np.int8([[100], [100]]), zero_point=50).tolist()
    [[20000]]
    """
    q, weights = np.asarray(q, dtype=np.int32), np.asarray(weights, dtype=np.int32)
    correction = np.asarray(zero_point, dtype=np.int32) * weights.sum(axis=0, dtype=np.int32)
    # PyTorch's product of integers is the same as NumPy's, and several times as fast.
    total = torch.from_numpy(q) @ torch.from_numpy(weights)
    return total.numpy() - correction


def conv2d(q: ArrayLike, weights: ArrayLike, zero_point: int = 0) -> NDArray[np.int32]:
    """Convolve images of integers with kernels of odd size; the output is as large as the input.

    It is `matmul` on patches. The border is padded with the zero point, which stands for 0.

    Parameters
    ----------
    q : array_like of int, shape (n, channels, height, width)
    weights : array_like of int, shape (out, channels, size, size)
    zero_point : int
        Of q.

    Returns
    -------
    ndarray of int32, shape (n, out, height, width)
    """
    q, weights = np.asarray(q), np.asarray(weights)
    out, channels, size, _ = weights.shape
    edge = size // 2
    framed = np.pad(
        q, ((0, 0), (0, 0), (edge, edge), (edge, edge)), constant_values=int(zero_point)
    )
    patches = sliding_window_view(framed, (size, size), axis=(2, 3)).transpose(0, 2, 3, 1, 4, 5)
    rows = patches.reshape(*patches.shape[:3], channels * size * size)
    return matmul(rows, weights.reshape(out, -1).T, zero_point).transpose(0, 3, 1, 2)


class QuantizedNetwork:
    """A trained network of convolutions and dense layers that computes with integers.

    It takes an ``nn.Sequential`` of ``Conv2d`` (odd kernel, stride 1, as much padding as keeps the
    size), ``BatchNorm2d``, ``ReLU``, ``MaxPool2d``, ``Flatten`` and ``Linear``. Pixels and
    activations are affine, with one scale per layer, from the smallest and largest numbers that
    the given inputs lead to. Weights are symmetric. Products and sums are integers; then each
    channel's sum is multiplied by one number, shifted, and rounded to the next layer's integers.

    Parameters
    ----------
    model : nn.Sequential
        Used in evaluation mode, and left as it is.
    inputs : Tensor, shape (n, ...)
        From which the ranges of activations are taken: training data, not the test set.
    bits : int
        Of weights.
    activation_bits : int
    per_channel : bool
        A scale for each output channel of the weights; False is one for each layer.
    fold : bool
        Multiply the factors of batch normalization into the weights before they are rounded.
        False applies them afterwards.

    Attributes
    ----------
    layers : list
        For each layer with weights: its integers, scales and the like.
    nbytes : float
        What must be stored: weights, and two float32 numbers per output channel, a factor and a
        shift.

    Raises
    ------
    TypeError
        If the model has a layer of another kind.
    ValueError
        If sums could be too large for int32, which takes more bits than 8.
    """

    def __init__(
        self,
        model: nn.Sequential,
        inputs: Tensor,
        *,
        bits: int = 8,
        activation_bits: int = 8,
        per_channel: bool = True,
        fold: bool = True,
    ) -> None:
        self.layers: list[_Layer] = []
        x = inputs
        with torch.no_grad():
            for heavy, norm, rest in _groups(copy.deepcopy(model).eval()):
                weights, gain, shift = _arrays(heavy, norm, fold)
                grid = symmetric(weights, bits, axis=0 if per_channel else None)
                factor = np.broadcast_to(grid.scale.reshape(-1), shift.shape) * gain
                steps = [_STEPS[type(module)](module) for module in rest]
                before = affine(x.cpu().numpy(), activation_bits)
                if weights[0].size * grid.high * before.high >= 2**31:
                    raise ValueError(
                        f"sums of {weights[0].size} products of integers of {bits} and "
                        f"{activation_bits} bits need not fit into int32: take fewer bits"
                    )
                self.layers.append(_Layer(before, grid.quantize(weights), factor, shift, steps))
                for module in filter(None, (heavy, norm, *rest)):
                    x = module(x)
        numbers = sum(layer.weights.size for layer in self.layers)
        channels = sum(len(layer.shift) for layer in self.layers)
        self.nbytes = numbers * bits / 8 + 8 * channels

    def __call__(self, inputs: ArrayLike) -> NDArray[np.float64]:
        """Return logits, (n, classes), for a batch of inputs."""
        q = self.layers[0].grid.quantize(np.asarray(inputs))
        for layer, following in zip(self.layers, [*self.layers[1:], None], strict=True):
            q = layer.run(q, None if following is None else following.grid)
        return q


class _Layer(NamedTuple):
    """A layer on integers: products and sums, one factor and shift per channel, the rest."""

    grid: Grid
    weights: NDArray[np.int32]
    factor: NDArray[np.float64]
    shift: NDArray[np.float64]
    rest: list[Callable[[NDArray], NDArray]]

    def run(self, q: NDArray[np.int32], following: Grid | None) -> NDArray:
        if self.weights.ndim == 4:
            total = conv2d(q, self.weights, int(self.grid.zero_point))
            channel = (-1, 1, 1)
        else:
            total = matmul(q, self.weights.T, int(self.grid.zero_point))
            channel = (-1,)
        factor = (float(self.grid.scale) * self.factor).reshape(channel)
        z = factor * total + self.shift.reshape(channel)
        for step in self.rest:
            z = step(z)
        return z if following is None else following.quantize(z)


def _others(x: NDArray, axis: int | None) -> tuple[int, ...] | None:
    """Return all axes but one."""
    return None if axis is None else tuple(k for k in range(x.ndim) if k != axis % x.ndim)


def _groups(model: nn.Sequential) -> list[tuple[nn.Module, nn.Module | None, list[nn.Module]]]:
    """Take a model apart: a layer with weights, its batch normalization, what has no weights."""
    groups: list[tuple[nn.Module, nn.Module | None, list[nn.Module]]] = []
    for module in model:
        if isinstance(module, nn.Conv2d):
            size = module.kernel_size[0]
            plain = module.stride == module.dilation == (1, 1) and module.groups == 1
            if (
                not plain
                or module.kernel_size != (size, size)
                or module.padding != (size // 2,) * 2
            ):
                raise TypeError(
                    f"{module} cannot be quantized here: a convolution has a square kernel of odd "
                    "size, stride 1, and keeps the size of the image"
                )
            groups.append((module, None, []))
        elif isinstance(module, nn.Linear):
            groups.append((module, None, []))
        elif groups and isinstance(module, nn.BatchNorm2d) and not groups[-1][2]:
            groups[-1] = (groups[-1][0], module, [])
        elif groups and type(module) in _STEPS:
            groups[-1][2].append(module)
        else:
            raise TypeError(
                f"{type(module).__name__} cannot be quantized here: the model is a Sequential of "
                "Conv2d (with BatchNorm2d behind it), Linear, ReLU, MaxPool2d and Flatten"
            )
    return groups


def _arrays(
    heavy: nn.Module, norm: nn.Module | None, fold: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return a layer's weights, and what its outputs are multiplied with and shifted by."""
    weights = heavy.weight.detach().double().cpu().numpy()
    shift = np.zeros(len(weights)) if heavy.bias is None else heavy.bias.double().cpu().numpy()
    gain = np.ones(len(weights))
    if norm is not None:
        deviation = (norm.running_var + norm.eps).double().sqrt()
        gain = (norm.weight.double() / deviation).cpu().numpy()
        mean = norm.running_mean.double().cpu().numpy()
        shift = (shift - mean) * gain + norm.bias.double().cpu().numpy()
    if fold:
        weights = weights * gain.reshape(-1, *(1,) * (weights.ndim - 1))
        gain = np.ones(len(weights))
    return weights, gain, shift


def _pool(module: nn.MaxPool2d) -> Callable[[NDArray], NDArray]:
    size = int(module.kernel_size)

    def largest(z: NDArray) -> NDArray:
        n, channels, height, width = z.shape
        z = z[:, :, : height // size * size, : width // size * size]
        return z.reshape(n, channels, height // size, size, width // size, size).max(axis=(3, 5))

    return largest


_STEPS: dict[type[nn.Module], Callable[[nn.Module], Callable[[NDArray], NDArray]]] = {
    nn.ReLU: lambda _: lambda z: np.maximum(z, 0.0),
    nn.Flatten: lambda _: lambda z: z.reshape(len(z), -1),
    nn.MaxPool2d: _pool,
}
