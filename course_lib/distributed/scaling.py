"""How much faster n workers are than one: two laws, and a model of the ring.

References
----------
Amdahl, "Validity of the single processor approach to achieving large scale computing
capabilities", 1967, doi:10.1145/1465482.1465560. Gustafson, "Reevaluating Amdahl's law", 1988,
doi:10.1145/42411.42415.
"""

from __future__ import annotations

__all__ = ["amdahl", "gustafson", "ring_seconds"]


def amdahl(workers: float, serial: float) -> float:
    """Compute the speedup when the work is fixed.

    Parameters
    ----------
    workers : float
    serial : float
        Share of one worker's time that cannot be divided, from 0 to 1.

    Returns
    -------
    float
        How many times as fast. It stays below ``1 / serial``.

    Examples
    --------
    >>> amdahl(16, 0.1)
    6.4
    """
    _check(workers, serial)
    return 1 / (serial + (1 - serial) / workers)


def gustafson(workers: float, serial: float) -> float:
    """Compute the speedup when the work grows with the workers, and the time stays.

    Parameters
    ----------
    workers : float
    serial : float
        Share of the time *of the n workers* that is not divided, from 0 to 1.

    Returns
    -------
    float
        How many times as much work in the same time.

    Examples
    --------
    >>> gustafson(16, 0.1)
    14.5
    """
    _check(workers, serial)
    return serial + (1 - serial) * workers


def ring_seconds(size: float, workers: int, bandwidth: float, latency: float) -> float:
    """Estimate how long a ring takes: 2 (n - 1) messages in a row, each of a part.

    Parameters
    ----------
    size : float
        Bytes to reduce.
    workers : int
    bandwidth : float
        Bytes per second that a worker can send.
    latency : float
        Seconds until a message begins to arrive.

    Returns
    -------
    float

    Examples
    --------
    >>> ring_seconds(128e6, 4, bandwidth=1e9, latency=0.0)
    0.192
    """
    return 2 * (workers - 1) * (latency + size / workers / bandwidth)


def _check(workers: float, serial: float) -> None:
    if workers < 1 or not 0 <= serial <= 1:
        raise ValueError(
            f"At least one worker, and a serial share from 0 to 1; came {workers} and {serial}."
        )
