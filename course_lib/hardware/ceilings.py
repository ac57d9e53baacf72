"""The ceilings of the machine that this runs on, measured.

The peak is what a large matrix product reaches, the operation that everything is built for. The
bandwidth is what ``a = b + s c`` on long arrays reaches, the *triad* of the STREAM benchmark, which
does next to nothing but move. Done on shorter arrays, the same line finds the caches: the less
there is to move, the nearer to the arithmetic it can be kept.

What a vendor states is higher than what is measured here, as nothing ever reaches a stated peak.

References
----------
J. D. McCalpin, "Memory bandwidth and machine balance in current high performance computers", IEEE
TCCA Newsletter, December 1995 (STREAM).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from course_lib.hardware.roofline import Machine
from course_lib.hardware.timing import seconds

__all__ = ["WORKING_SETS", "bandwidth", "measure", "peak"]

#: Bytes of three arrays together, from what every cache holds to what none does.
WORKING_SETS = tuple(24_000 * 4**k for k in range(8))


def peak(
    device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32, n: int = 512
) -> float:
    """Measure the FLOPs per second of an (n, n) by (n, n) matrix product.

    Parameters
    ----------
    device : torch.device or str
    dtype : torch.dtype
        A floating-point type.
    n : int
        A GPU wants some thousands.

    Returns
    -------
    float
        FLOPs per second.
    """
    _wanted("n", n)
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.rand(n, n, generator=generator).to(device, dtype) for _ in range(2))
    out = torch.empty(n, n, device=device, dtype=dtype)
    # Many short measurements: where other programs run, one of them is left in peace.
    took = seconds(lambda: torch.matmul(a, b, out=out), device, least=0, repeats=15)
    return 2 * n**3 / took


def bandwidth(working_set: int, device: torch.device | str = "cpu") -> float:
    """Measure the bytes per second of ``a = b + s c`` in float32.

    Parameters
    ----------
    working_set : int
        Bytes of the three arrays together, at least 12.
    device : torch.device or str

    Returns
    -------
    float
        Bytes per second: two arrays read and one written. (A processor that reads what it is about
        to overwrite moves a third more than is counted here.)
    """
    n = int(working_set) // 12
    _wanted("working_set // 12", n)
    a, b, c = (torch.ones(n, device=device) for _ in range(3))
    return (
        12 * n / seconds(lambda: torch.add(b, c, alpha=0.5, out=a), device, least=0.01, repeats=7)
    )


def measure(
    device: torch.device | str = "cpu",
    *,
    dtype: torch.dtype = torch.float32,
    n: int | None = None,
    working_sets: Sequence[int] | None = None,
) -> tuple[Machine, dict[int, float]]:
    """Measure both ceilings, and the bandwidth of smaller working sets.

    Parameters
    ----------
    device : torch.device or str
    dtype : torch.dtype
        Of the matrix product.
    n : int, optional
        Of the matrix product. By default the best of 512 and 1,024, of 1,024 and 4,096 on a GPU.
    working_sets : sequence of int, optional
        In bytes. By default `WORKING_SETS`, from 24 kB in steps of four to 393 MB.

    Returns
    -------
    machine : Machine
        Its bandwidth is that of the largest working set.
    steps : dict
        Working set in bytes to bytes per second.
    """
    usual = (512, 1024) if torch.device(device).type == "cpu" else (1024, 4096)
    best = max(peak(device, dtype, size) for size in ([n] if n else usual))
    sizes = sorted(working_sets or WORKING_SETS)
    steps = {size: bandwidth(size, device) for size in sizes}
    return Machine(best, steps[sizes[-1]]), steps


def _wanted(name: str, size: int) -> None:
    if size < 1:
        raise ValueError(f"{name} is {size}: there must be something to compute, so 1 or more")
