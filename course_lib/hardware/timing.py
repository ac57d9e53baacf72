"""How long a computation takes, measured so that the number means something.

Three things make a clock lie. The first call does work that no later one does: libraries are
loaded, memory is asked for, kernels are compiled. A short call is over before the clock has moved.
And a GPU is *asynchronous*: a call hands over its work and returns at once, so that a clock which
does not wait for the device measures how long it takes to ask. `seconds` warms up, repeats, and
waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

__all__ = ["seconds", "synchronize"]


def synchronize(device: torch.device | str) -> None:
    """Wait until the device has done all that it was given; on a CPU there is nothing to wait for.

    Parameters
    ----------
    device : torch.device or str
    """
    kind = torch.device(device).type
    if kind == "cuda":
        torch.cuda.synchronize(device)
    elif kind == "mps":
        torch.mps.synchronize()


def seconds(
    function: Callable[[], object],
    device: torch.device | str = "cpu",
    *,
    least: float = 0.02,
    repeats: int = 5,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Measure how long a call takes.

    The function is called once without a clock. Then it is called as often as it takes for one
    measurement to last `least` seconds, the measurement is taken `repeats` times, and the shortest
    counts: other work on the machine can make a call longer, and nothing can make it shorter.

    Parameters
    ----------
    function : callable
        Called without arguments.
    device : torch.device or str
        Where it computes; it is waited for before the clock is read.
    least : float
        Seconds that one measurement should last.
    repeats : int
        Measurements, of which the shortest counts.
    clock : callable
        Returns seconds from any beginning.

    Returns
    -------
    float
        Seconds per call.

    Raises
    ------
    ValueError
        When there would be no measurement.
    """
    if repeats < 1 or least < 0:
        raise ValueError(
            f"repeats is {repeats} and least is {least:g} s: at least one measurement is wanted, "
            "of no negative length"
        )

    def measure(calls: int) -> float:
        synchronize(device)
        begin = clock()
        for _ in range(calls):
            function()
        synchronize(device)
        return clock() - begin

    measure(1)
    calls = 1
    while (took := measure(calls)) < least:
        # Aim a little above `least`, and never more than tenfold: a first estimate can be far off.
        calls = max(calls + 1, min(10 * calls, int(1.2 * calls * least / max(took, 1e-9)) + 1))
    return min([took, *(measure(calls) for _ in range(repeats - 1))]) / calls
