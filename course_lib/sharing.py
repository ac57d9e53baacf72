"""A network that reads the digits, as a file that the page *Forward propagation* loads.

An exercise that ends with a trained network writes it down, and the page's live part reads with it
in place of the book's: the file is chosen there by hand, and nothing leaves the browser.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["FORMAT", "MOST_HIDDEN", "MOST_UNITS", "PIXELS", "read_network", "write_network"]

#: The first words of a file; ``_static/live/digit.js`` knows them, too.
FORMAT = "course_lib network 1"

#: What goes in, an image of 8 by 8 pixels, and what comes out, a logit for each digit.
PIXELS, CLASSES = 64, 10

#: The most hidden layers, and units in one of them, for which the page has room.
MOST_HIDDEN, MOST_UNITS = 3, 512


def write_network(
    layers: Iterable[tuple[ArrayLike, ArrayLike]], path: Path | str = "my-network.json"
) -> Path:
    """Write down a network of fully connected layers with ReLU between them.

    Parameters
    ----------
    layers : iterable of (W, b)
        From the first layer to the last: weights of shape (d_in, d_out) and biases of shape
        (d_out,), in the layout ``X @ W + b``. 64 numbers come in, ink from 0 to 1, and ten logits
        go out; at most three hidden layers of at most 512 units.
    path : path
        Beside the notebook by default. A file that is there is replaced.

    Returns
    -------
    Path
        What was written. Numbers keep six digits, which changes no answer that was not a tie.

    Raises
    ------
    ValueError
        If the layers do not fit one another or the images, or a number is not finite. It says
        which layer, what came and what is wanted; no file is written then.
    """
    arrays = [(np.asarray(W, dtype=float), np.asarray(b, dtype=float)) for W, b in layers]
    _check(arrays)
    written = {
        "format": FORMAT,
        "layers": [{"W": _rounded(W), "b": _rounded(b)} for W, b in arrays],
    }
    path = Path(path)
    path.write_text(json.dumps(written, separators=(",", ":")), encoding="utf-8")
    return path


def read_network(path: Path | str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Read what `write_network` has written.

    Returns
    -------
    list of (W, b)

    Raises
    ------
    ValueError
        If the file is not of that kind.
    """
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
        if found["format"] != FORMAT:
            raise ValueError(f"its format is {found['format']!r}")
        layers = [(np.array(one["W"], float), np.array(one["b"], float)) for one in found["layers"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{Path(path).name} holds no network: {error}. Wanted is a file that write_network has "
            f"written, which begins with the format {FORMAT!r}."
        ) from error
    _check(layers)
    return layers


def _check(layers: list[tuple[np.ndarray, np.ndarray]]) -> None:
    """Refuse what the page cannot read with, naming the layer."""
    if not 1 <= len(layers) <= MOST_HIDDEN + 1:
        raise ValueError(
            f"The network has {len(layers)} layers; the page reads with 1 to {MOST_HIDDEN + 1}, "
            "the output counted."
        )
    width = PIXELS
    for number, (W, b) in enumerate(layers, start=1):
        last = number == len(layers)
        if W.ndim != 2 or b.shape != W.shape[1:]:
            raise ValueError(
                f"Layer {number} has W of shape {W.shape} and b of shape {b.shape}; wanted: (d_in, "
                "d_out) and (d_out,). PyTorch's linear.weight is the transpose: write weight.T."
            )
        if len(W) != width or (last and W.shape[1] != CLASSES):
            outputs = CLASSES if last else W.shape[1]
            raise ValueError(
                f"Layer {number} has W of shape {W.shape}, but ({width}, {outputs}) is wanted: "
                f"{PIXELS} pixels go into the first layer, {CLASSES} logits come out of the last, "
                "and each layer takes what the one before it gives."
            )
        if not last and W.shape[1] > MOST_UNITS:
            raise ValueError(
                f"Layer {number} has {W.shape[1]:,} units; the page has room for {MOST_UNITS}."
            )
        if not (np.isfinite(W).all() and np.isfinite(b).all()):
            raise ValueError(
                f"Layer {number} holds numbers that are not finite (nan or inf): the training "
                "diverged. Train with a smaller learning rate, then write the network again."
            )
        width = W.shape[1]


def _rounded(numbers: np.ndarray) -> list:
    """Return an array as lists of numbers with six digits."""
    if numbers.ndim > 1:
        return [_rounded(row) for row in numbers]
    return [float(f"{number:.6g}") for number in numbers]
