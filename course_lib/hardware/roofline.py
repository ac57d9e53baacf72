"""The roofline: how fast an operation can be at most, on a machine with two limits.

A machine does so many operations a second (its *peak*), and moves so many bytes a second between
its memory and its arithmetic (its *bandwidth*). An operation needs both. The *arithmetic
intensity*, floating-point operations per byte moved, says which limit it meets first: below the
*ridge*, peak / bandwidth, memory is what it waits for, and above it, arithmetic.

References
----------
S. Williams, A. Waterman and D. Patterson, "Roofline: an insightful visual performance model for
multicore architectures", Communications of the ACM 52(4), 2009, doi:10.1145/1498765.1498785.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from course_lib.hardware.flops import linear

__all__ = ["Machine", "Operation", "elementwise", "matmul"]


class Operation(NamedTuple):
    """What a computation does and moves.

    Attributes
    ----------
    name : str
    flops : float
        Floating-point operations; a multiplication and an addition are two.
    bytes : float
        Bytes that must be moved at least: each input read once, each output written once.
    """

    name: str
    flops: float
    bytes: float

    @property
    def intensity(self) -> float:
        """FLOPs per byte."""
        return self.flops / self.bytes


class Machine(NamedTuple):
    """The two ceilings of a machine.

    Attributes
    ----------
    peak : float
        FLOPs per second at most.
    bandwidth : float
        Bytes per second at most, from and to memory.
    """

    peak: float
    bandwidth: float

    @property
    def ridge(self) -> float:
        """The intensity, in FLOPs per byte, at which the two limits meet."""
        return self.peak / self.bandwidth

    def attainable(self, operation: Operation) -> float:
        """Return the FLOPs per second that an operation can reach at most.

        Examples
        --------
        >>> Machine(peak=100e9, bandwidth=10e9).attainable(Operation("add", 1e6, 12e6)) / 1e9
        0.8333333333333333
        """
        return min(self.peak, self.bandwidth * operation.intensity)

    def seconds(self, operation: Operation) -> float:
        """Return the seconds that an operation takes at least: the longer of its two waits.

        Examples
        --------
        >>> Machine(peak=100e9, bandwidth=10e9).seconds(Operation("add", 1e6, 12e6))
        0.0012
        """
        return max(operation.flops / self.peak, operation.bytes / self.bandwidth)

    def bound(self, operation: Operation) -> Literal["memory", "compute"]:
        """Say which limit an operation meets first.

        Examples
        --------
        >>> machine = Machine(peak=100e9, bandwidth=10e9)
        >>> machine.bound(matmul(4, 4, 4)), machine.bound(matmul(1024, 1024, 1024))
        ('memory', 'compute')
        """
        return "memory" if operation.intensity < self.ridge else "compute"


def matmul(n: int, d: int, m: int, itemsize: int = 4) -> Operation:
    """Return the product of an (n, d) and a (d, m) matrix.

    Each of the n m results takes d multiplications and d additions. Three matrices are moved.

    Parameters
    ----------
    n, d, m : int
    itemsize : int
        Bytes per number: 4 for float32, 2 for bfloat16 and float16.

    Examples
    --------
    >>> matmul(1024, 1024, 1024).intensity
    170.66666666666666
    """
    _positive(n=n, d=d, m=m, itemsize=itemsize)
    return Operation(f"matmul {n} x {d} x {m}", linear(n, d, m), itemsize * (n * d + d * m + n * m))


def elementwise(
    name: str, n: int, *, inputs: int = 1, flops: int = 1, itemsize: int = 4
) -> Operation:
    """Return an operation on each of n elements by itself, such as an addition or a ReLU.

    Parameters
    ----------
    name : str
    n : int
        Elements of the result.
    inputs : int
        Arrays of n elements that are read; one is written.
    flops : int
        Operations per element.
    itemsize : int
        Bytes per number.

    Examples
    --------
    >>> elementwise("add", 1000, inputs=2).intensity  # 1 / 12
    0.08333333333333333
    """
    _positive(n=n, inputs=inputs, flops=flops, itemsize=itemsize)
    return Operation(name, flops * n, itemsize * (inputs + 1) * n)


def _positive(**sizes: int) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} is {size}: it counts something, so it is 1 or more")
