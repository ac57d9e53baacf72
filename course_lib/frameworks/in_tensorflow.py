"""The network in TensorFlow, without Keras: operations, variables and a tape; channels last."""

import os
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

__all__ = ["gradients", "logits", "outputs", "step"]


def logits(weights: dict[str, Any], images: Any, batch: bool = False) -> tuple[Any, Any]:
    """Compute logits (n, 10) of images (n, 8, 8, 1), from weights that are channels last.

    Parameters
    ----------
    weights : dict of str to tensor or variable
        As `course_lib.frameworks.layouts.channels_last` gives them.
    images : tensor, shape (n, 8, 8, 1)
    batch : bool
        Whether to normalize with the mean and variance of the batch, as in training.

    Returns
    -------
    logits : tensor, shape (n, 10)
    moments : (tensor, tensor)
        Mean and variance that were used, shape (8,) each.
    """
    tf = _tensorflow()
    maps = tf.nn.conv2d(images, weights["conv.weight"], strides=1, padding="SAME")
    mean, var = (weights[name] for name in AVERAGES)
    if batch:
        mean, var = tf.nn.moments(maps, axes=[0, 1, 2])
    scale, shift = weights["norm.weight"], weights["norm.bias"]
    maps = tf.nn.batch_normalization(maps, mean, var, shift, scale, EPS)
    pooled = tf.nn.max_pool2d(tf.nn.relu(maps), ksize=2, strides=2, padding="VALID")
    flat = tf.reshape(pooled, (-1, 128))
    return flat @ weights["dense.weight"] + weights["dense.bias"], (mean, var)


def outputs(weights: Weights, images: ArrayLike) -> Array:
    """Return the logits (n, 10) of images (n, 8, 8), in evaluation mode."""
    return logits(channels_last(weights), _as_input(images))[0].numpy()


def gradients(weights: Weights, images: ArrayLike, labels: ArrayLike) -> dict[str, Array]:
    """Return the gradients of the mean cross-entropy, in training mode, by name."""
    _, slopes, _ = _taped(weights, images, labels)
    return channels_first({name: slope.numpy() for name, slope in slopes.items()})


def step(weights: Weights, images: ArrayLike, labels: ArrayLike, rate: float) -> dict[str, Array]:
    """Return all weights after one step of gradient descent, running averages included."""
    variables, slopes, (mean, var) = _taped(weights, images, labels)
    for name, slope in slopes.items():
        variables[name].assign_sub(rate * slope)
    rows = 64 * len(images)  # a mean and a variance are over all places of all images
    for name, new in zip(AVERAGES, (mean, var * rows / (rows - 1)), strict=True):
        variables[name].assign((1 - MOMENTUM) * variables[name] + MOMENTUM * new)
    return channels_first({name: variable.numpy() for name, variable in variables.items()})


def _taped(weights: Weights, images: ArrayLike, labels: ArrayLike) -> tuple[Any, Any, Any]:
    """Return the variables, the gradients of the loss, and the moments of the batch."""
    tf = _tensorflow()
    variables = {name: tf.Variable(array) for name, array in channels_last(weights).items()}
    learned = {name: variables[name] for name in LEARNED}
    with tf.GradientTape() as tape:
        z, moments = logits(variables, _as_input(images), batch=True)
        labels = np.asarray(labels, dtype=np.int64)
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=z)
        mean_loss = tf.reduce_mean(loss)
    return variables, tape.gradient(mean_loss, learned), moments


def _tensorflow() -> Any:
    extras.require("tensorflow")
    # Read when it is imported. Its log speaks of graphics cards that most readers do not have, and
    # with oneDNN its rounding depends on the processor.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    import tensorflow

    return tensorflow


def _as_input(images: ArrayLike) -> Array:
    return np.asarray(images, dtype=np.float32)[..., None]
