"""A cache of a few lines, simulated, to count how often a computation goes to memory.

Memory hands out whole *lines* of neighboring numbers, and a cache keeps the lines that were used
last. What is in it costs nothing here, and what is not costs a *miss*: a line is fetched, and the
one that has rested longest makes room (*least recently used*). Real caches have several levels and
may keep a line in a few places only; what order of access does to them is seen with one level.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator

__all__ = ["blocked_product", "misses", "naive_product"]


def misses(addresses: Iterable[int], *, lines: int, line: int) -> int:
    """Count the lines that are fetched from memory.

    Parameters
    ----------
    addresses : iterable of int
        The numbers that are read and written, by their place in memory.
    lines : int
        Lines that the cache holds.
    line : int
        Numbers per line.

    Returns
    -------
    int

    Examples
    --------
    >>> misses(range(100), lines=4, line=10), misses([0, 50, 0, 50], lines=1, line=10)
    (10, 4)
    """
    if lines < 1 or line < 1:
        raise ValueError(f"lines is {lines} and line is {line}: a cache has at least one of one")
    held: OrderedDict[int, None] = OrderedDict()
    count = 0
    for address in addresses:
        place = address // line
        if place in held:
            held.move_to_end(place)
            continue
        count += 1
        held[place] = None
        if len(held) > lines:
            held.popitem(last=False)
    return count


def naive_product(n: int) -> Iterator[int]:
    """Yield what ``C[i, j] += A[i, k] * B[k, j]`` touches, a row of C at a time.

    A lies at 0, B after it and C last, each of n rows of n numbers. Each C[i, j] is written once.
    """
    for i in range(n):
        for j in range(n):
            for k in range(n):
                yield n * i + k
                yield n * n + n * k + j
            yield 2 * n * n + n * i + j


def blocked_product(n: int, block: int) -> Iterator[int]:
    """Yield what the same product touches, computed a block of `block` by `block` at a time.

    Three blocks are at work at once, and each is used up before the next is fetched.

    Raises
    ------
    ValueError
        When the blocks do not fill the matrix.
    """
    if block < 1 or n % block:
        raise ValueError(f"blocks of {block} do not fill {n} rows: take a divisor of {n}")
    steps = range(0, n, block)
    for top in steps:
        for left in steps:
            for inner in steps:
                for i in range(top, top + block):
                    for j in range(left, left + block):
                        for k in range(inner, inner + block):
                            yield n * i + k
                            yield n * n + n * k + j
                        yield 2 * n * n + n * i + j
