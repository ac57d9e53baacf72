"""Read a data set that does not fit in memory: shards on disk, a shuffle buffer, batches.

A *shard* is a piece of the set, a file for the samples and one for the labels. The files are
memory-mapped: the operating system reads the pages that are touched, when they are touched, and may
drop them again. `Shards` reads blocks of neighboring rows, because disks and networks are fast at
that and slow at single rows. `shuffled` mixes what passes by, `batched` cuts it into batches, and
`Batches` is the three of them, to be gone through as often as there are epochs.

Nothing here holds more than the buffer, a block and a batch.
"""

from collections.abc import Callable, Iterable, Iterator
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Batches", "Shards", "batched", "shuffled", "write_shards"]

#: Rows that are read at a time, unless told otherwise: enough that Python is not what takes long.
BLOCK = 128

Block = tuple[NDArray[Any], NDArray[Any]]
"""Samples, one a row, and a label for each."""


class Shards:
    """A data set in the shards of a folder, as `write_shards` leaves them.

    Parameters
    ----------
    folder : path

    Attributes
    ----------
    lengths : list of int
        The rows of each shard. Their sum is ``len(shards)``.

    Raises
    ------
    FileNotFoundError
        If the folder holds no shard.
    """

    def __init__(self, folder: str | PathLike[str]) -> None:
        self.folder = Path(folder)
        self.lengths: list[int] = []
        while self._file("y", len(self.lengths)).exists():
            self.lengths.append(len(self.open(len(self.lengths))[1]))
        if not self.lengths:
            raise FileNotFoundError(f"There is no shard in {folder}: write_shards makes them.")

    def __len__(self) -> int:
        return sum(self.lengths)

    def open(self, shard: int) -> Block:
        """Map a shard into memory: arrays whose rows are read when they are touched.

        Parameters
        ----------
        shard : int
            From 0.

        Returns
        -------
        X : memmap, shape (n, ...)
        y : memmap, shape (n,)
        """
        X, y = (np.load(self._file(part, shard), mmap_mode="r") for part in "Xy")
        return X, y

    def blocks(
        self, rows: int = BLOCK, *, order: Iterable[int] | None = None, together: int = 1
    ) -> Iterator[Block]:
        """Read everything once, in blocks of neighboring rows.

        Parameters
        ----------
        rows : int
            Rows in a block; the last one of a shard may be smaller.
        order : iterable of int, optional
            The shards to read, one after the other. By default all, as they were written.
        together : int
            How many shards are open at a time. They give a block each in turn, and when one is
            read to its end, the next takes its place.

        Yields
        ------
        X : ndarray, shape (at most rows, ...)
        y : ndarray, shape (at most rows,)
            Copies, so that they can be kept and changed.
        """
        waiting = iter(range(len(self.lengths)) if order is None else order)
        turns: list[Iterator[Block]] = []
        while True:
            while len(turns) < together and (shard := next(waiting, None)) is not None:
                turns.append(self._blocks_of(shard, rows))
            if not turns:
                return
            reader = turns.pop(0)
            if (block := next(reader, None)) is not None:
                yield block
                turns.append(reader)

    def _blocks_of(self, shard: int, rows: int) -> Iterator[Block]:
        X, y = self.open(shard)
        for start in range(0, len(y), rows):
            yield np.array(X[start : start + rows]), np.array(y[start : start + rows])

    def _file(self, part: str, shard: int) -> Path:
        return self.folder / f"{part}-{shard:05d}.npy"


def write_shards(folder: str | PathLike[str], blocks: Iterable[Block], rows: int) -> Shards:
    """Write a data set into shards, block by block as it comes.

    Parameters
    ----------
    folder : path
        Made where it is missing.
    blocks : iterable of (X, y)
        Samples (m, ...) and labels (m,), any number at a time. They are written in this order.
    rows : int
        Rows of a shard; the last one may be smaller.

    Returns
    -------
    Shards

    Raises
    ------
    ValueError
        If `rows` is not positive, a block has more samples than labels or fewer, or the folder
        holds shards already.

    Examples
    --------
    >>> import tempfile
    >>> X, y = np.arange(10).reshape(5, 2), np.arange(5)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     shards = write_shards(folder, [(X, y)], rows=2)
    ...     read = [labels.tolist() for _, labels in shards.blocks(order=[2, 0, 1])]
    >>> shards.lengths, read
    ([2, 2, 1], [[4], [0, 1], [2, 3]])
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if next(folder.glob("?-?????.npy"), None) is not None:
        raise ValueError(f"{folder} holds shards already. Give an empty folder.")
    for shard, (X, y) in enumerate(batched(blocks, rows)):
        np.save(folder / f"X-{shard:05d}.npy", X)
        np.save(folder / f"y-{shard:05d}.npy", y)
    return Shards(folder)


def shuffled(blocks: Iterable[Block], size: int, rng: np.random.Generator) -> Iterator[Block]:
    """Mix the rows of a stream in a buffer of limited size.

    Once the buffer is full, each row that comes takes the place of a random one, which leaves. A
    row can leave long after its neighbors, and never more than about `size` rows before its turn.

    Parameters
    ----------
    blocks : iterable of (X, y)
    size : int
        Rows in the buffer. With 1, rows leave as they come; with all rows, they leave in any
        order with the same chance.
    rng : numpy.random.Generator

    Yields
    ------
    X, y
        Every row once, in blocks of no particular size.

    Raises
    ------
    ValueError
        If `size` is not positive.

    Examples
    --------
    >>> block = np.arange(6)[:, np.newaxis], np.arange(6)
    >>> rng = np.random.default_rng(0)
    >>> [int(label) for _, y in shuffled([block], size=2, rng=rng) for label in y]
    [0, 1, 3, 2, 4, 5]
    """
    _positive("size", size)
    kept: Block | None = None
    filled = 0
    for X, y in blocks:
        if kept is None:
            kept = tuple(np.empty((size, *part.shape[1:]), part.dtype) for part in (X, y))
        start = min(size - filled, len(y))
        for buffer, part in zip(kept, (X, y), strict=True):
            buffer[filled : filled + start] = part[:start]
        filled += start
        # Not more at a time than there are places: each row needs one of its own.
        for begin in range(start, len(y), size):
            come = X[begin : begin + size], y[begin : begin + size]
            places = rng.choice(size, len(come[1]), replace=False)
            yield kept[0][places], kept[1][places]
            for buffer, part in zip(kept, come, strict=True):
                buffer[places] = part
    if kept is not None:
        order = rng.permutation(filled)
        for begin in range(0, filled, BLOCK):  # a copy of the whole buffer would need it twice
            places = order[begin : begin + BLOCK]
            yield kept[0][places], kept[1][places]


def batched(blocks: Iterable[Block], size: int) -> Iterator[Block]:
    """Cut a stream into batches of one size, across the borders of its blocks.

    Parameters
    ----------
    blocks : iterable of (X, y)
    size : int
        Rows in a batch; the last one may be smaller.

    Yields
    ------
    X, y

    Raises
    ------
    ValueError
        If `size` is not positive, or a block has more samples than labels or fewer.

    Examples
    --------
    >>> blocks = [(np.zeros((n, 3)), np.zeros(n)) for n in (2, 7, 1)]
    >>> [X.shape for X, y in batched(blocks, 4)]
    [(4, 3), (4, 3), (2, 3)]
    """
    _positive("size", size)
    waiting: list[Block] = []
    count = 0
    for X, y in blocks:
        if len(X) != len(y):
            raise ValueError(f"A block has {len(X)} samples and {len(y)} labels: one label each.")
        start = 0
        while start < len(y):
            stop = start + size - count
            waiting.append((X[start:stop], y[start:stop]))
            count += len(waiting[-1][1])
            start = stop
            if count == size:
                yield _joined(waiting)
                waiting, count = [], 0
    if count:
        yield _joined(waiting)


class Batches:
    """The batches of a data set in shards, to be gone through once per epoch.

    Parameters
    ----------
    shards : Shards
    batch_size : int
    buffer : int
        Rows of the shuffle buffer; 0 leaves rows as they are read.
    together : int
        How many shards are open at a time, each of which gives an equal share of a batch.
    seed : int or None
        Decides the order of the shards, another one in each epoch, and what the buffer does. With
        None, shards are read as they were written and nothing is shuffled.
    transform : callable, optional
        ``transform(X, y)`` makes of each batch what the model takes.

    Raises
    ------
    ValueError
        If there is to be a buffer and no seed.
    """

    def __init__(
        self,
        shards: Shards,
        batch_size: int,
        *,
        buffer: int = 0,
        together: int = 1,
        seed: int | None = 0,
        transform: Callable[[Any, Any], tuple[Any, Any]] | None = None,
    ) -> None:
        _positive("batch_size", batch_size)
        if buffer and seed is None:
            raise ValueError("A shuffle buffer needs a seed; without one, leave buffer at 0.")
        self.shards, self.batch_size = shards, batch_size
        self.buffer, self.together, self.transform = buffer, together, transform
        self._rng = None if seed is None else np.random.default_rng(seed)

    def __len__(self) -> int:
        return -(-len(self.shards) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        order = None
        if self._rng is not None:
            order = self._rng.permutation(len(self.shards.lengths)).tolist()
        # Of several open shards, each gives its share of every batch.
        rows = BLOCK if self.together == 1 else max(1, self.batch_size // self.together)
        stream = self.shards.blocks(rows, order=order, together=self.together)
        if self.buffer and self._rng is not None:
            stream = shuffled(stream, self.buffer, self._rng)
        for X, y in batched(stream, self.batch_size):
            yield (X, y) if self.transform is None else self.transform(X, y)


def _joined(blocks: list[Block]) -> Block:
    if len(blocks) == 1:
        return blocks[0]
    X, y = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return X, y


def _positive(name: str, value: int) -> None:
    if value < 1:
        raise ValueError(f"{name} must be at least 1, but is {value}.")
