"""The network in Keras 3, on the backend of your choice: TensorFlow, JAX or PyTorch.

Keras reads the name of its backend from the environment variable ``KERAS_BACKEND`` when it is
imported, and keeps it until the process ends. Each backend therefore gets a process of its own,
unless this one has imported Keras with the same backend already.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from course_lib import extras
from course_lib.frameworks.layouts import channels_first, channels_last
from course_lib.frameworks.network import EPS, LEARNED, MOMENTUM, SHAPES, Array, Weights

__all__ = ["BACKENDS", "Answers", "answers", "build", "gradients", "outputs", "step"]

BACKENDS: Final = ("tensorflow", "jax", "torch")

# What a process answers beside the outputs, and the names of these parts in its file.
_PARTS: Final = ("gradients", "step")

Answers = tuple[Array, dict[str, Array], dict[str, Array]]


def build(weights: Weights, eps: float = EPS, momentum: float = 1 - MOMENTUM) -> Any:
    """Return a model of Keras with these weights, compiled for plain gradient descent.

    Parameters
    ----------
    weights : mapping of str to array_like
        As `course_lib.frameworks.network` says.
    eps : float
        Added to the variance. The default of Keras is 1e-3.
    momentum : float
        Weight of the *old* average. The default of Keras is 0.99.
    """
    arrays = channels_last(weights)
    keras = _keras()
    keras.config.set_image_data_format("channels_last")  # the default, unless somebody changed it
    layers = keras.layers
    # The initial zeros are replaced below: to draw random numbers would take a second.
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(8, 3, padding="same", use_bias=False, kernel_initializer="zeros"),
            layers.BatchNormalization(epsilon=eps, momentum=momentum),
            layers.ReLU(),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(10, kernel_initializer="zeros"),
        ]
    )
    # Keras lists the learned weights of batch normalization before its running averages, too.
    model.set_weights([arrays[name] for name in SHAPES])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.SGD(1.0), loss=loss, jit_compile=False)
    return model


def outputs(weights: Weights, images: ArrayLike) -> Array:
    """Return the logits (n, 10) of images (n, 8, 8), in evaluation mode."""
    return np.asarray(build(weights).predict_on_batch(_as_input(images)))


def gradients(weights: Weights, images: ArrayLike, labels: ArrayLike) -> dict[str, Array]:
    """Return the gradients of the mean cross-entropy, in training mode, by name.

    Each backend has its own way to ask for a gradient. What all share is the step: one with rate 1
    takes off the gradient, and nothing else.
    """
    return _gradients(build(weights), weights, images, labels)


def step(weights: Weights, images: ArrayLike, labels: ArrayLike, rate: float) -> dict[str, Array]:
    """Return all weights after one step of gradient descent, running averages included."""
    return _step(build(weights), weights, images, labels, rate)


def answers(
    backend: str, weights: Weights, images: ArrayLike, labels: ArrayLike, rate: float
) -> Answers:
    """Return outputs, gradients and the weights after a step, on a backend of Keras.

    Parameters
    ----------
    backend : str
        One of `BACKENDS`.
    weights, images, labels, rate
        As in `step`.

    Raises
    ------
    ValueError
        If there is no such backend.
    ModuleNotFoundError
        If Keras or the backend is not installed.
    RuntimeError
        If the other process fails; its last lines are in the message.
    """
    if backend not in BACKENDS:
        raise ValueError(f"backend must be one of {', '.join(BACKENDS)}, but is {backend!r}.")
    extras.require("keras", backend)
    if "keras" in sys.modules and _keras().backend.backend() == backend:
        return _here(weights, images, labels, rate)
    return _in_a_process(backend, weights, images, labels, rate)


def _here(weights: Weights, images: ArrayLike, labels: ArrayLike, rate: float) -> Answers:
    """Answer with one model, since most of the time goes into compiling it."""
    model = build(weights)
    z = np.asarray(model.predict_on_batch(_as_input(images)))
    slopes = _gradients(model, weights, images, labels)
    return z, slopes, _step(model, weights, images, labels, rate)


def _gradients(
    model: Any, weights: Weights, images: ArrayLike, labels: ArrayLike
) -> dict[str, Array]:
    after = _step(model, weights, images, labels, rate=1.0)
    return {name: np.asarray(weights[name]) - after[name] for name in LEARNED}


def _step(
    model: Any, weights: Weights, images: ArrayLike, labels: ArrayLike, rate: float
) -> dict[str, Array]:
    arrays = channels_last(weights)
    model.set_weights([arrays[name] for name in SHAPES])
    model.optimizer.learning_rate = rate
    model.train_on_batch(_as_input(images), np.asarray(labels))
    return channels_first(dict(zip(SHAPES, model.get_weights(), strict=True)))


def _in_a_process(
    backend: str, weights: Weights, images: ArrayLike, labels: ArrayLike, rate: float
) -> Answers:
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_ENABLE_ONEDNN_OPTS": "0"}
    with tempfile.TemporaryDirectory() as folder:
        question, answer = Path(folder) / "question.npz", Path(folder) / "answer.npz"
        np.savez(question, images=images, labels=labels, rate=rate, **dict(weights))
        command = [sys.executable, "-m", __name__, str(question), str(answer)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode:
            last = "\n".join(done.stderr.splitlines()[-5:])
            raise RuntimeError(f"Keras on {backend} failed in its own process:\n{last}")
        found = dict(np.load(answer))
    z = found.pop("outputs")
    slopes, after = (
        {key.removeprefix(f"{part}/"): found[key] for key in found if key.startswith(part)}
        for part in _PARTS
    )
    return z, slopes, after


def _main(question: str, answer: str) -> None:
    """Answer from within a process whose environment names the backend."""
    # What Keras would import only because it is there takes as long as Keras itself.
    for other in {*BACKENDS, "matplotlib", "sklearn"} - {os.environ["KERAS_BACKEND"]}:
        sys.modules.setdefault(other, None)
    asked = dict(np.load(question))
    images, labels, rate = (asked.pop(name) for name in ("images", "labels", "rate"))
    z, *parts = _here(asked, images, labels, float(rate))
    named = zip(_PARTS, parts, strict=True)
    flat = {f"{part}/{name}": a for part, arrays in named for name, a in arrays.items()}
    np.savez(answer, outputs=z, **flat)


def _keras() -> Any:
    extras.require("keras")
    import keras

    return keras


def _as_input(images: ArrayLike) -> Array:
    return np.asarray(images, dtype=np.float32)[..., None]


if __name__ == "__main__":
    _main(*sys.argv[1:])
