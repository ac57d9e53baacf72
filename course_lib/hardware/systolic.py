r"""A systolic array: arithmetic units in a grid, each of which hands on what it was given.

A cell holds one weight. In each cycle it takes a number from its left neighbor and a partial sum
from above, adds the number times its weight to the sum, and hands the sum down and the number to
the right. No cell reads a memory: numbers come in on the left edge, results leave at the bottom.
Google's Tensor Processing Units are built around such arrays, of 256 by 256 or 128 by 128 cells.

`pulse` shows the array at work, cycle by cycle, for one matrix of weights that fits. `product`
multiplies matrices of any size on an array of a given one: it pads them, takes them apart into
tiles, and loads the weights of a tile while those before are at work. `cycles` and `utilization`
are the formulas.

References
----------
H. T. Kung, "Why systolic architectures?", Computer 15(1), 37-46, 1982,
doi:10.1109/MC.1982.1653825.
N. P. Jouppi and others, "In-datacenter performance analysis of a tensor processing unit", ISCA
2017, arXiv:1704.04760.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Cycle", "Product", "cycles", "product", "pulse", "utilization"]


class Cycle(NamedTuple):
    """The array at the end of a cycle.

    Attributes
    ----------
    number : int
        Cycles before this one.
    row : ndarray of int, shape (k, n)
        The row of X that each cell works on; -1 where it works on none.
    x : ndarray, shape (k, n)
        The number that each cell was given from the left.
    sums : ndarray, shape (k, n)
        The partial sum that each cell hands down. The lowest ones leave the array.
    """

    number: int
    row: NDArray[np.int64]
    x: NDArray[np.float64]
    sums: NDArray[np.float64]


class Product(NamedTuple):
    """What an array computed, and how long it was at it.

    Attributes
    ----------
    values : ndarray, shape (m, n)
    cycles : int
        From the first weight that enters to the last sum that leaves.
    busy : int
        Multiplications of numbers that are not padding, in all cells and cycles.
    fetched : int
        Numbers that are not padding and entered at the left or at the top. X enters once for each
        column of tiles.
    """

    values: NDArray[np.float64]
    cycles: int
    busy: int
    fetched: int


def pulse(X: ArrayLike, W: ArrayLike, *, skew: bool = True) -> Iterator[Cycle]:
    """Multiply X by weights that lie in the array, and stop at each cycle.

    Row r of the array is given column r of X, one number per cycle, r cycles after the first row.
    So the sum that comes from above meets the number that belongs to it. Row i of the product
    leaves column c at the end of cycle i + (k - 1) + c.

    Parameters
    ----------
    X : array_like, shape (m, k)
    W : array_like, shape (k, n)
        Entry (r, c) lies in the cell of row r and column c.
    skew : bool
        False lets all rows begin at once, which mixes the rows of X.

    Yields
    ------
    Cycle
        m + k + n - 2 of them.

    Raises
    ------
    ValueError
        If X has not as many columns as W has rows.

    Examples
    --------
    >>> last = list(pulse([[1.0, 2.0]], [[3.0], [4.0]]))[-1]
    >>> last.number, last.sums[-1].tolist()
    (1, [11.0])
    """
    X, W = _operands(X, W)
    m, (k, n) = len(X), W.shape
    r = np.arange(k)
    delay = r[:, None] * skew + np.arange(n)
    x, sums = np.zeros((k, n)), np.zeros((k, n))
    for t in range(m + k + n - 2):
        row = t - delay  # the row of X that has come as far as each cell
        inside = (row >= 0) & (row < m)
        entering = np.where(inside[:, 0], X[row[:, 0].clip(0, m - 1), r], 0.0)
        x = np.column_stack([entering, x[:, :-1]])
        sums = np.vstack([np.zeros(n), sums[:-1]]) + W * x
        yield Cycle(t, np.where(inside, row, -1), x, sums)


def product(X: ArrayLike, W: ArrayLike, size: int) -> Product:
    """Multiply matrices of any size on an array of size by size cells, cycle by cycle.

    Both are padded with zeros to whole tiles. Each cell has a second register, in which its next
    weight waits. Weights come in at the top, a row of the tile per cycle, and sink while the array
    is at work: where X has `size` rows or more, loading costs no time, except for the first tile.
    Sums of tiles that belong together are added below the array.

    Parameters
    ----------
    X : array_like, shape (m, k)
    W : array_like, shape (k, n)
    size : int

    Returns
    -------
    Product

    Raises
    ------
    ValueError
        If the shapes do not fit, or size is less than 1.

    Examples
    --------
    >>> product(np.ones((4, 3)), np.ones((3, 2)), size=2).values.tolist()
    [[3.0, 3.0], [3.0, 3.0], [3.0, 3.0], [3.0, 3.0]]
    """
    X, W = _operands(X, W)
    (m, k), n = X.shape, W.shape[1]
    _positive(size=size)
    down, across = ceil(k / size), ceil(n / size)
    X = np.pad(X, ((0, 0), (0, down * size - k)))
    W = np.pad(W, ((0, down * size - k), (0, across * size - n)))
    tiles = [(i * size, j * size) for j in range(across) for i in range(down)]
    values = np.zeros((m, across * size))
    r, c = np.arange(size)[:, None], np.arange(size)
    weights, waiting, sinking, x, sums = (np.zeros((size, size)) for _ in range(5))
    period, busy, fetched = max(m, size), 0, 0
    end = (len(tiles) - 1) * period + m + 2 * size - 2
    for t in range(-size, end):
        # Which tile each cell is at, and which row of X has come that far.
        tile, row = np.divmod(t - r - c, period)
        inside = (tile >= 0) & (tile < len(tiles)) & (row < m)
        weights = np.where((tile >= 0) & (row == 0), waiting, weights)
        # Weights of the next tile sink past the cells, and each cell keeps its own.
        coming, number = np.divmod(t - r - c + size, period)
        top = np.zeros(size)
        for column in range(size):
            if coming[0, column] in range(len(tiles)) and number[0, column] < size:
                i, j = tiles[coming[0, column]]
                top[column] = W[i + number[0, column], j + column]
                fetched += i + number[0, column] < k and j + column < n
        sinking = np.vstack([top, sinking[:-1]])
        waiting = np.where(number == r, sinking, waiting)
        # Numbers go right, sums go down.
        entering = np.zeros(size)
        for place in np.flatnonzero(inside[:, 0]):
            i, j = tiles[tile[place, 0]]
            entering[place] = X[row[place, 0], i + place]
            fetched += i + place < k
        x = np.column_stack([entering, x[:, :-1]])
        sums = np.vstack([np.zeros(size), sums[:-1]]) + weights * x
        for place in np.flatnonzero(inside[-1]):
            i, j = tiles[tile[-1, place]]
            values[row[-1, place], j + place] += sums[-1, place]
        origin = np.array(tiles)[tile.clip(0, len(tiles) - 1)]
        busy += int((inside & (origin[..., 0] + r < k) & (origin[..., 1] + c < n)).sum())
    return Product(values[:, :n], end + size, busy, int(fetched))


def cycles(m: int, k: int, n: int, size: int) -> int:
    """Return how many cycles `product` takes for an (m, k) and a (k, n) matrix.

    `size` to load the first weights, then max(m, size) for each tile but the last, m for the rows
    that stream through that one, and 2 size - 2 until the last sum has crossed the array.

    Examples
    --------
    >>> cycles(4, 3, 3, size=3)  # 3 to load, and 4 + 3 + 3 - 2
    11
    """
    _positive(m=m, k=k, n=n, size=size)
    tiles = ceil(k / size) * ceil(n / size)
    return size + (tiles - 1) * max(m, size) + m + 2 * size - 2


def utilization(m: int, k: int, n: int, size: int) -> float:
    """Return the share of an array's multiplications that a product needs.

    Returns
    -------
    float
        m k n, divided by all the cells in all the cycles.

    Examples
    --------
    >>> utilization(1024, 128, 128, size=128) > 0.7, utilization(1024, 129, 129, size=128) < 0.25
    (True, True)
    """
    return m * k * n / (cycles(m, k, n, size) * size**2)


def _operands(X: ArrayLike, W: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    X, W = np.asarray(X, dtype=float), np.asarray(W, dtype=float)
    if X.ndim != 2 or W.ndim != 2 or X.shape[1] != len(W):
        raise ValueError(
            f"X has shape {X.shape} and W {W.shape}: both are matrices, and X has as many columns "
            "as W has rows"
        )
    return X, W


def _positive(**sizes: int) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} is {size}: it counts something, so it is 1 or more")
