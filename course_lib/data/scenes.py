"""Made pages with several handwritten digits, of which every box and every pixel is known.

A page is lit unevenly, has up to two ruled lines and a little noise. On it stand one to four digits
of different sizes. Most writers use a pen. Some use a pencil, and all digits of such a page are
faint. The digits are those of `course_lib.data.digits` (or whichever are given), enlarged.

Boxes are ``(x1, y1, x2, y2)``, in pixels, with x to the right and y downwards: the *edges* of the
box, so that a digit in column 3 alone has x1 = 3 and x2 = 4. A picture is indexed the other way
around, ``image[y, x]``.

Made by these functions from scikit-learn's digits, whose license is CC BY 4.0; remade by calling
`compose` with the same seed. Known faults: digits do not overlap except at their rims, are upright,
and are enlarged from 8 by 8 pixels, so they are smooth; who writes with a pencil is drawn by chance
and has nothing to do with how they write. Not for claims about reading real pages, nor about how
often real detectors miss real groups of people.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["MOST", "Scenes", "compose"]

#: Digits on a page, at most.
MOST = 4

Box = tuple[int, int, int, int]

#: Height and width of a digit's sheet, in pixels, and how dark pen and pencil are.
_SIDES = (9, 14)
_PEN, _PENCIL = (0.6, 1.0), (0.25, 0.4)


class Scenes(NamedTuple):
    """Pages and what is on them.

    Attributes
    ----------
    images : ndarray of float32, shape (n, size, size)
        Dark is high, as in `course_lib.data.digits`.
    boxes : ndarray of float32, shape (n, 4, 4)
        ``(x1, y1, x2, y2)`` around each digit's mask; zeros where there are fewer digits.
    labels : ndarray of int, shape (n, 4)
        Which digit; -1 where there are fewer.
    masks : ndarray of bool, shape (n, 2, size, size)
        The pixels of digits, and those of ruled lines. A pixel where they cross is in both.
    pencil : ndarray of bool, shape (n,)
        Whether the page was written with a pencil.
    """

    images: NDArray[np.float32]
    boxes: NDArray[np.float32]
    labels: NDArray[np.int64]
    masks: NDArray[np.bool_]
    pencil: NDArray[np.bool_]


def compose(
    pixels: ArrayLike,
    digits: ArrayLike,
    n: int,
    seed: int,
    *,
    size: int = 32,
    pencil: float = 0.05,
    light: float = 0.3,
    lines: int = 2,
    noise: float = 0.05,
) -> Scenes:
    """Write pages with one to four digits each.

    Parameters
    ----------
    pixels : array_like, shape (m, 64)
        Images of digits to choose from, such as those of a training set.
    digits : array_like, shape (m,)
        What they show.
    n : int
        How many pages.
    seed : int
        The same seed gives the same pages.
    size : int
        Height and width of a page, in pixels, at least 16.
    pencil : float
        The share of pages written with a pencil, from 0 to 1.
    light : float
        Up to how much brightness changes from the middle of a page to its edge.
    lines : int
        The largest number of ruled lines.
    noise : float
        Standard deviation of what the camera adds to each pixel.

    Returns
    -------
    Scenes

    Raises
    ------
    ValueError
        If the page is too small, or `pencil` is no share.

    Examples
    --------
    >>> from course_lib.data import digits
    >>> pages = compose(*digits.load(), n=5, seed=0)
    >>> pages.images.shape, pages.boxes.shape, pages.masks.shape
    ((5, 32, 32), (5, 4, 4), (5, 2, 32, 32))
    """
    pixels, digits = np.asarray(pixels, dtype=float), np.asarray(digits)
    if size < 16:
        raise ValueError(f"A page needs a size of 16 or more for its digits, but size is {size}.")
    if not 0 <= pencil <= 1:
        raise ValueError(f"pencil is a share of the pages, from 0 to 1, but is {pencil}.")
    rng = np.random.default_rng(seed)
    made = Scenes(
        images=np.zeros((n, size, size), np.float32),
        boxes=np.zeros((n, MOST, 4), np.float32),
        labels=np.full((n, MOST), -1),
        masks=np.zeros((n, 2, size, size), bool),
        pencil=rng.random(n) < pencil,
    )
    for i in range(n):
        page, ruled = _ruled(rng, size, lines)
        darkness = rng.uniform(*(_PENCIL if made.pencil[i] else _PEN))
        taken: list[Box] = []
        for _ in range(rng.integers(1, MOST + 1)):
            row = rng.integers(len(pixels))
            ink = _enlarged(pixels[row].reshape(8, 8), rng.integers(*_SIDES))
            inside = _box(ink > 0.4)
            corner = _free_corner(rng, len(ink), inside, size, taken)
            if corner is None:
                continue
            x, y = corner
            part = (slice(y, y + len(ink)), slice(x, x + len(ink)))
            page[part] = np.maximum(page[part], darkness * ink)
            made.masks[i, 0][part] |= ink > 0.4
            made.labels[i, len(taken)] = digits[row]
            made.boxes[i, len(taken)] = box = _moved(inside, x, y)
            taken.append(box)
        made.masks[i, 1] = ruled
        across = np.linspace(-1, 1, size)
        tilt = rng.uniform(-light, light, 2)
        page += tilt[0] * across + tilt[1] * across[:, np.newaxis]
        made.images[i] = page + rng.normal(0, noise, page.shape)
    return made


def _enlarged(image: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Resize a digit, with straight lines between the middles of its pixels."""
    places = np.clip((np.arange(side) + 0.5) * len(image) / side - 0.5, 0, len(image) - 1)
    known = np.arange(len(image))
    weights = np.maximum(0, 1 - np.abs(places[:, np.newaxis] - known))  # (side, 8)
    return weights @ image @ weights.T


def _box(mask: NDArray[np.bool_]) -> Box:
    """Return the edges of the smallest box around a mask."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _moved(box: Box, x: int, y: int) -> Box:
    """Return a box that lies further to the right and below."""
    x1, y1, x2, y2 = box
    return x1 + x, y1 + y, x2 + x, y2 + y


def _free_corner(
    rng: np.random.Generator, side: int, inside: Box, size: int, taken: list[Box]
) -> tuple[int, int] | None:
    """Find where a digit's sheet can begin so that its box meets no other; give up after 20."""
    for x, y in rng.integers(size - side + 1, size=(20, 2)).tolist():
        x1, y1, x2, y2 = _moved(inside, x, y)
        if all(x2 <= a or c <= x1 or y2 <= b or d <= y1 for a, b, c, d in taken):
            return x, y
    return None


def _ruled(
    rng: np.random.Generator, size: int, most: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Make an empty page with ruled lines, slightly slanted, and the mask of the lines."""
    page, mask = np.zeros((size, size)), np.zeros((size, size), bool)
    columns = np.arange(size)
    for _ in range(rng.integers(most + 1)):
        slant = rng.uniform(-0.1, 0.1) * (columns - size / 2)
        rows = np.round(rng.uniform(2, size - 3) + slant).astype(int)
        inside = (rows >= 0) & (rows < size)
        page[rows[inside], columns[inside]] = rng.uniform(0.5, 0.9)
        mask[rows[inside], columns[inside]] = True
    return page, mask
