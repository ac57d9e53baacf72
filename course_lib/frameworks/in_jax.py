"""The network in JAX: a pure function of weights and images, channels last.

JAX has no layers. Its convolution takes any layout that it is told (PyTorch's, if it is told none);
here it is TensorFlow's.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from course_lib import extras
from course_lib.frameworks.layouts import channels_first, channels_last
from course_lib.frameworks.network import (
    AVERAGES,
    EPS,
    LEARNED,
    MOMENTUM,
    Array,
    Weights,
)

__all__ = ["gradients", "logits", "loss", "outputs", "step"]

# Of the images, the kernels and the result.
_LAYOUT = ("NHWC", "HWIO", "NHWC")


def logits(weights: dict[str, Any], images: Any, batch: bool = False) -> tuple[Any, Any]:
    """Compute logits (n, 10) of images (n, 8, 8, 1), from weights that are channels last.

    Parameters
    ----------
    weights : dict of str to array
        As `course_lib.frameworks.layouts.channels_last` gives them.
    images : array, shape (n, 8, 8, 1)
    batch : bool
        Whether to normalize with the mean and variance of the batch, as in training.

    Returns
    -------
    logits : array, shape (n, 10)
    moments : (array, array)
        Mean and variance that were used, shape (8,) each.
    """
    jax = _jax()
    maps = jax.lax.conv_general_dilated(
        images, weights["conv.weight"], (1, 1), "SAME", dimension_numbers=_LAYOUT
    )
    mean, var = (weights[name] for name in AVERAGES)
    if batch:
        mean, var = maps.mean(axis=(0, 1, 2)), maps.var(axis=(0, 1, 2))
    maps = (maps - mean) / (var + EPS) ** 0.5 * weights["norm.weight"] + weights["norm.bias"]
    # The window and its steps, along samples, rows, columns and channels.
    pooled = jax.lax.reduce_window(
        jax.nn.relu(maps), -np.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID"
    )
    flat = pooled.reshape(len(images), 128)
    return flat @ weights["dense.weight"] + weights["dense.bias"], (mean, var)


def loss(weights: dict[str, Any], images: Any, labels: Any) -> tuple[Any, Any]:
    """Compute the mean cross-entropy in training mode, and the moments of the batch."""
    jax = _jax()
    z, moments = logits(weights, images, batch=True)
    return -jax.nn.log_softmax(z)[jax.numpy.arange(len(z)), labels].mean(), moments


def outputs(weights: Weights, images: ArrayLike) -> Array:
    """Return the logits (n, 10) of images (n, 8, 8), in evaluation mode."""
    jax = _jax()
    return np.asarray(jax.jit(logits)(channels_last(weights), _as_input(images))[0])


def gradients(weights: Weights, images: ArrayLike, labels: ArrayLike) -> dict[str, Array]:
    """Return the gradients of the mean cross-entropy, in training mode, by name."""
    slopes, _ = _gradients(channels_last(weights), images, labels)
    return channels_first({name: slopes[name] for name in LEARNED})


def step(weights: Weights, images: ArrayLike, labels: ArrayLike, rate: float) -> dict[str, Array]:
    """Return all weights after one step of gradient descent, running averages included."""
    before = channels_last(weights)
    slopes, (mean, var) = _gradients(before, images, labels)
    after = {name: before[name] - rate * slopes[name] for name in LEARNED}
    rows = 64 * len(images)  # a mean and a variance are over all places of all images
    for name, new in zip(AVERAGES, (mean, var * rows / (rows - 1)), strict=True):
        after[name] = (1 - MOMENTUM) * before[name] + MOMENTUM * new
    return channels_first(after)


def _gradients(weights: dict[str, Array], images: ArrayLike, labels: ArrayLike) -> Any:
    jax = _jax()
    both = jax.jit(jax.grad(loss, has_aux=True))
    return both(weights, _as_input(images), np.asarray(labels))


def _jax() -> Any:
    extras.require("jax")
    import jax

    return jax


def _as_input(images: ArrayLike) -> Array:
    return np.asarray(images, dtype=np.float32)[..., None]
