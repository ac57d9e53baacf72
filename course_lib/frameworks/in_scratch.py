"""The network in `course_lib.scratch`, the library that the first chapters write, in 64 bits.

It has no convolution, and needs none: a convolution is a matrix product of all patches of the
images with all kernels, a row per patch. Batch normalization of feature maps is then that of the
rows, and pooling a maximum over two axes.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

from course_lib.frameworks.network import EPS, LEARNED, MOMENTUM, Array, Weights, checked
from course_lib.scratch.layers import BatchNorm1d, Linear, Module
from course_lib.scratch.losses import cross_entropy
from course_lib.scratch.optimizers import SGD
from course_lib.scratch.tensor import Tensor

__all__ = ["Network", "gradients", "outputs", "step"]


class Network(Module):
    """The network of `course_lib.frameworks.network`."""

    def __init__(self, weights: Weights) -> None:
        w = checked(weights, dtype=np.float64)
        self.kernels = Tensor(w["conv.weight"].reshape(8, 9).T, requires_grad=True)
        self.norm = BatchNorm1d(8, eps=EPS, momentum=MOMENTUM)
        self.norm.weight = Tensor(w["norm.weight"], requires_grad=True)
        self.norm.bias = Tensor(w["norm.bias"], requires_grad=True)
        self.norm.running_mean = w["norm.running_mean"]
        self.norm.running_var = w["norm.running_var"]
        self.dense = Linear(128, 10)
        self.dense.weight = Tensor(w["dense.weight"].T, requires_grad=True)
        self.dense.bias = Tensor(w["dense.bias"], requires_grad=True)

    def forward(self, images: Array) -> Tensor:
        """Compute logits (n, 10) of images (n, 8, 8)."""
        n = len(images)
        padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
        patches = sliding_window_view(padded, (3, 3), axis=(1, 2)).reshape(n * 64, 9)
        maps = self.norm(Tensor(patches) @ self.kernels).relu()
        # Rows of a map in pairs, columns in pairs: the maximum of each block of four.
        pooled = maps.reshape(n, 4, 2, 4, 2, 8).max(axis=(2, 4))
        return self.dense(pooled.permute(0, 3, 1, 2).reshape(n, 128))

    def learned(self) -> dict[str, Tensor]:
        """Return the parameters by the names of `course_lib.frameworks.network`."""
        norm, dense = self.norm, self.dense
        parameters = (self.kernels, norm.weight, norm.bias, dense.weight, dense.bias)
        return dict(zip(LEARNED, parameters, strict=True))


def outputs(weights: Weights, images: ArrayLike) -> Array:
    """Return the logits (n, 10) of images (n, 8, 8), in evaluation mode."""
    return Network(weights).eval()(np.asarray(images, dtype=np.float64)).data


def gradients(weights: Weights, images: ArrayLike, labels: ArrayLike) -> dict[str, Array]:
    """Return the gradients of the mean cross-entropy, in training mode, by name."""
    network = _after_backward(weights, images, labels)
    return _as_weights({name: w.grad for name, w in network.learned().items()})


def step(weights: Weights, images: ArrayLike, labels: ArrayLike, rate: float) -> dict[str, Array]:
    """Return all weights after one step of gradient descent, running averages included."""
    network = _after_backward(weights, images, labels)
    SGD(network.parameters(), lr=rate).step()
    averages = {
        "norm.running_mean": network.norm.running_mean,
        "norm.running_var": network.norm.running_var,
    }
    return _as_weights({name: w.data for name, w in network.learned().items()}) | averages


def _after_backward(weights: Weights, images: ArrayLike, labels: ArrayLike) -> Network:
    network = Network(weights)
    logits = network(np.asarray(images, dtype=np.float64))
    cross_entropy(logits, np.asarray(labels)).backward()
    return network


def _as_weights(arrays: dict[str, Array]) -> dict[str, Array]:
    """Put back the shapes of PyTorch: a kernel was a column, a dense layer (in, out)."""
    kernels, dense = np.asarray(arrays["conv.weight"]), np.asarray(arrays["dense.weight"])
    return arrays | {"conv.weight": kernels.T.reshape(8, 1, 3, 3), "dense.weight": dense.T}
