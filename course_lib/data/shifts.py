"""Digits under a shift: the same images moved, noised, faded or blurred, at five graded strengths.

A *distribution shift* is whatever makes the images of use differ from those of training. Here it
is made: `corrupted` takes images of 8 by 8 pixels, such as those of `course_lib.data.digits`, and
changes all of them in one of four ways (`KINDS`). What an image shows stays the same, so its label
does, too. Strength 0 changes nothing, and strengths 1 to 4 change more and more (`LEVELS`). The
idea is that of the corrupted ImageNet of Hendrycks and Dietterich. License: CC BY 4.0, as the text
of this course.

Known faults: a real shift is rarely of one kind, rarely the same for all images, and rarely known
beforehand. A network that was trained on these corruptions is not robust against others. Pixels
that are moved over the edge are lost: at strength 4 of "move", about a quarter of the ink.

References
----------
D. Hendrycks and T. Dietterich, "Benchmarking neural network robustness to common corruptions and
perturbations", 2019, arXiv:1903.12261.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["KINDS", "LEVELS", "corrupted"]

SIDE: Final = 8  # pixels

#: What the strengths 0 to 4 mean, for each kind of corruption.
#: "move": pixels, in one of eight directions drawn for each image. "noise": standard deviation of
#: what is added to each pixel. "contrast": share of an image's contrast that is taken away.
#: "blur": width of a Gaussian, its standard deviation in pixels.
LEVELS: Final[Mapping[str, tuple[float, ...]]] = {
    "move": (0.0, 0.5, 1.0, 1.5, 2.0),
    "noise": (0.0, 0.15, 0.3, 0.45, 0.6),
    "contrast": (0.0, 0.3, 0.5, 0.7, 0.85),
    "blur": (0.0, 0.5, 0.75, 1.0, 1.5),
}

#: The names of the corruptions.
KINDS: Final = tuple(LEVELS)


def corrupted(pixels: ArrayLike, kind: str, strength: int, seed: int) -> NDArray[np.float64]:
    """Corrupt images of digits.

    Parameters
    ----------
    pixels : array_like, shape (n, 64)
        Images, row by row: ink from 0 to 1.
    kind : {"move", "noise", "contrast", "blur"}
        In what way.
    strength : int
        From 0, which changes nothing, to 4.
    seed : int
        Decides directions and noise. The same seed gives the same images.

    Returns
    -------
    ndarray, shape (n, 64)
        New images, from 0 to 1.

    Raises
    ------
    ValueError
        If the images have another shape, or the kind or the strength is unknown.

    Examples
    --------
    >>> dot = np.zeros((1, 64))
    >>> dot[0, 27] = 1.0
    >>> corrupted(dot, "contrast", 2, seed=0).max().round(4)  # halfway to the mean, 1/64
    np.float64(0.5078)
    """
    images = np.asarray(pixels, dtype=float)
    if images.ndim != 2 or images.shape[1] != SIDE * SIDE:
        raise ValueError(
            f"pixels must have shape (n, {SIDE * SIDE}), one image of {SIDE} by {SIDE} a row, but "
            f"have shape {images.shape}."
        )
    if kind not in LEVELS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, but is {kind!r}.")
    if strength not in range(len(LEVELS[kind])):
        raise ValueError(
            f"strength must be a whole number from 0 to {len(LEVELS[kind]) - 1}, but is {strength}."
        )
    if strength == 0:
        return images.copy()
    level, rng = LEVELS[kind][strength], np.random.default_rng(seed)
    if kind == "noise":
        images = images + rng.normal(0, level, images.shape)
    elif kind == "contrast":
        mean = images.mean(axis=1, keepdims=True)
        images = mean + (1 - level) * (images - mean)
    elif kind == "blur":
        smear = _gaussian(level)
        images = (smear @ images.reshape(-1, SIDE, SIDE) @ smear.T).reshape(images.shape)
    else:
        images = _moved(images, level, rng)
    return np.clip(images, 0, 1)


def _moved(
    images: NDArray[np.float64], distance: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Move each image in a direction of its own; half a pixel spreads ink over two."""
    directions = np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j])
    drawn = rng.integers(len(directions), size=len(images))
    moved = np.empty_like(images)
    for number, (down, right) in enumerate(directions):
        mine = images[drawn == number].reshape(-1, SIDE, SIDE)
        shifted = _mover(down * distance) @ mine @ _mover(right * distance).T
        moved[drawn == number] = shifted.reshape(len(mine), SIDE * SIDE)
    return moved


def _mover(distance: float) -> NDArray[np.float64]:
    """Return the matrix that moves a column of pixels down by a distance: shape (8, 8)."""
    behind = np.arange(SIDE)[:, np.newaxis] - np.arange(SIDE) - distance
    return np.maximum(0, 1 - np.abs(behind))


def _gaussian(width: float) -> NDArray[np.float64]:
    """Return the matrix that blurs a column of pixels, white beyond its ends: shape (8, 8)."""
    apart = np.arange(SIDE)[:, np.newaxis] - np.arange(SIDE)
    far = np.arange(-4 * SIDE, 4 * SIDE + 1)
    return np.exp(-((apart / width) ** 2) / 2) / np.exp(-((far / width) ** 2) / 2).sum()
