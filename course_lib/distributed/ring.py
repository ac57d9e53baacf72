"""All-reduce in a ring: every worker ends with the sum, and speaks only to its neighbors.

Each of n workers holds an array of S bytes and wants the sum of all. In n - 1 steps of
*reduce-scatter* every worker becomes the owner of one finished part of the sum, in n - 1 steps of
*all-gather* the parts go around. A worker sends 2 (n - 1) / n S bytes in all, however many there
are.

References
----------
Patarasuk and Yuan, "Bandwidth optimal all-reduce algorithms for clusters of workstations",
Journal of Parallel and Distributed Computing 69, 2009, doi:10.1016/j.jpdc.2008.09.002.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Reduced", "all_reduce", "bytes_sent", "over_gloo", "worker"]


class Reduced(NamedTuple):
    """What came of an all-reduce."""

    arrays: list[NDArray[Any]]
    """What each worker holds at the end."""

    sent: list[int]
    """Bytes that each worker sent."""


def worker(
    rank: int, workers: int, mine: NDArray[Any]
) -> Generator[NDArray[Any], NDArray[Any], None]:
    """Play one worker's part: yield what goes to the right, take what comes from the left.

    Parameters
    ----------
    rank : int
        From 0. The worker to the right has the next rank, and after the last comes 0.
    workers : int
    mine : ndarray, shape (m,)
        Becomes the sum over all workers, in place.

    Yields
    ------
    ndarray
        A view of the part to send. The part from the left is to be sent into the generator.
    """
    parts = np.array_split(mine, workers)  # views
    for step in range(workers - 1):  # reduce-scatter
        received = yield parts[(rank - step) % workers]
        parts[(rank - step - 1) % workers] += received
    for step in range(workers - 1):  # all-gather
        received = yield parts[(rank - step + 1) % workers]
        parts[(rank - step) % workers][:] = received


def all_reduce(
    arrays: Sequence[NDArray[Any]], watch: Callable[[list[NDArray[Any]]], None] | None = None
) -> Reduced:
    """Sum arrays in a ring of simulated workers, which move in step.

    Parameters
    ----------
    arrays : sequence of n ndarrays of one shape (m,)
        One for each worker. They stay as they are.
    watch : callable, optional
        Called with copies of what every worker holds, before the first step and after each.

    Returns
    -------
    Reduced

    Raises
    ------
    ValueError
        If there is no worker, or the arrays are not of one shape with one axis and one type.

    Examples
    --------
    >>> reduced = all_reduce([np.array([1.0, 2.0, 3.0]), np.array([10.0, 20.0, 30.0])])
    >>> reduced.arrays[1], reduced.sent
    (array([11., 22., 33.]), [24, 24])
    """
    kinds = {(array.shape, array.dtype) for array in arrays}
    if len(kinds) != 1 or len(arrays[0].shape) != 1:
        raise ValueError(
            "Every worker needs an array of one axis, all of one length and type, but came: "
            f"{', '.join(f'{a.dtype} {a.shape}' for a in arrays) or 'nothing'}."
        )
    n = len(arrays)
    held = [array.copy() for array in arrays]
    show = watch or (lambda _: None)
    show([array.copy() for array in held])
    parts = [worker(rank, n, array) for rank, array in enumerate(held)]
    sent = [0] * n
    # Copies: a message is on its way while its sender goes on.
    messages = [next(part).copy() for part in parts] if n > 1 else []
    while messages:
        for rank, message in enumerate(messages):
            sent[rank] += message.nbytes
        following = []
        for rank, part in enumerate(parts):
            try:
                following.append(part.send(messages[rank - 1]))
            except StopIteration:
                continue
        show([array.copy() for array in held])
        messages = [message.copy() for message in following]
    return Reduced(held, sent)


def bytes_sent(size: int, workers: int) -> float:
    """Compute what a worker sends when `size` bytes are reduced in a ring.

    Examples
    --------
    >>> bytes_sent(100, 2), bytes_sent(100, 100)
    (100.0, 198.0)
    """
    return 2 * (workers - 1) / workers * size


def over_gloo(mine: NDArray[Any]) -> int:
    """Sum an array over the processes of the default group, by messages to neighbors alone.

    Parameters
    ----------
    mine : ndarray, shape (m,)
        As long in every process. Becomes the sum, in place.

    Returns
    -------
    int
        Bytes that this process sent.
    """
    import torch
    from torch import distributed

    rank, n = distributed.get_rank(), distributed.get_world_size()
    part = worker(rank, n, mine)
    sent = 0
    # Part k has the same size everywhere, and what comes from the left is one part further back.
    sizes = [len(p) for p in np.array_split(mine, n)]
    coming = [(rank - step - 1) % n for step in range(n - 1)]
    coming += [(rank - step) % n for step in range(n - 1)]
    message = next(part) if n > 1 else None
    for which in coming:
        outgoing = torch.from_numpy(message.copy())
        incoming = torch.empty(sizes[which], dtype=outgoing.dtype)
        # Sending does not wait: otherwise all would send, and nobody would receive.
        request = distributed.isend(outgoing, (rank + 1) % n)
        distributed.recv(incoming, (rank - 1) % n)
        request.wait()
        sent += outgoing.nbytes
        try:
            message = part.send(incoming.numpy())
        except StopIteration:
            break
    return sent
