r"""Floating-point formats by their bits, and how float32 is rounded to bfloat16.

A number of such a format has a bit for its sign, some for an exponent :math:`e`, and some for a
fraction :math:`f`, and is :math:`\pm 1.f \cdot 2^{e - \text{bias}}`. With an exponent of zeros it
is :math:`\pm 0.f \cdot 2^{1 - \text{bias}}` (zero and the *subnormal* numbers), with an exponent
of ones it is infinite, or, if the fraction is not zero, not a number.

bfloat16 is the upper half of float32: the same exponent, 7 bits of fraction instead of 23.

References
----------
D. Kalamkar and others, "A study of BFLOAT16 for deep learning training", 2019, arXiv:1905.12322.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["BFLOAT16", "FLOAT16", "FLOAT32", "Format", "from_bfloat16", "to_bfloat16", "truncate"]


class Format(NamedTuple):
    """How many bits of a floating-point number say what.

    Attributes
    ----------
    name : str
    exponent, fraction : int
        Bits of each; there is one more for the sign.
    """

    name: str
    exponent: int
    fraction: int

    @property
    def bits(self) -> int:
        """Bits in all."""
        return 1 + self.exponent + self.fraction

    @property
    def bias(self) -> int:
        """What is subtracted from the bits of the exponent."""
        return 2 ** (self.exponent - 1) - 1

    @property
    def largest(self) -> float:
        """The largest finite number."""
        return (2 - 2.0**-self.fraction) * 2.0**self.bias

    @property
    def smallest_normal(self) -> float:
        """The smallest positive number that has all of its digits."""
        return 2.0 ** (1 - self.bias)

    @property
    def step(self) -> float:
        """The distance from 1 to the next larger number."""
        return 2.0**-self.fraction

    def fields(self, pattern: int) -> tuple[int, int, int]:
        """Take a pattern of bits apart.

        Returns
        -------
        sign, exponent, fraction : int

        Examples
        --------
        >>> BFLOAT16.fields(0b1_10000000_1000000)  # -1.5 * 2 ** (128 - 127)
        (1, 128, 64)
        """
        return (
            pattern >> (self.bits - 1),
            (pattern >> self.fraction) & (2**self.exponent - 1),
            pattern & (2**self.fraction - 1),
        )

    def value(self, pattern: int) -> float:
        """Return the number that a pattern of bits stands for.

        Examples
        --------
        >>> BFLOAT16.value(0b1_10000000_1000000), FLOAT16.value(0b0_11111_0000000000)
        (-3.0, inf)
        """
        sign, exponent, fraction = self.fields(pattern)
        part = fraction / 2**self.fraction
        if exponent == 2**self.exponent - 1:
            size = float("nan") if fraction else float("inf")
        elif exponent == 0:
            size = part * self.smallest_normal
        else:
            size = (1 + part) * 2.0 ** (exponent - self.bias)
        return -size if sign else size


FLOAT32: Final = Format("float32", 8, 23)
BFLOAT16: Final = Format("bfloat16", 8, 7)
FLOAT16: Final = Format("float16", 5, 10)


def to_bfloat16(x: ArrayLike) -> NDArray[np.uint16]:
    """Round float32 numbers to the nearest bfloat16, and of two equally near to the even one.

    Half of the last bit that stays is added to the bits, a little less where that bit is 0, and
    the lower half is dropped. A carry runs on into the exponent, as it should: it stands left of
    the fraction. Beyond the largest number it makes the exponent all ones, which is infinity.

    Parameters
    ----------
    x : array_like of float32, any shape

    Returns
    -------
    ndarray of uint16
        The bits. Every NaN becomes 0x7FC0, with its sign.

    Examples
    --------
    >>> [f"{bits:#06x}" for bits in to_bfloat16([1.0, 1.00390625, 1.01171875, 3.4e38])]
    ['0x3f80', '0x3f80', '0x3f82', '0x7f80']
    """
    x = np.ascontiguousarray(x, dtype=np.float32)
    bits = x.view(np.uint32)
    last = (bits >> 16) & 1
    rounded = ((bits.astype(np.uint64) + 0x7FFF + last) >> 16).astype(np.uint16)
    # The fraction of a NaN may lie in the half that is dropped, which would leave an infinity.
    nan = ((bits >> 16) & 0x8000 | 0x7FC0).astype(np.uint16)
    return np.where(np.isnan(x), nan, rounded)


def truncate(x: ArrayLike) -> NDArray[np.uint16]:
    """Drop the lower half of float32 numbers, which rounds them toward zero.

    Examples
    --------
    >>> f"{truncate([1.0078])[0]:#06x}"  # a little below 1 + 1/128
    '0x3f80'
    """
    return (np.ascontiguousarray(x, dtype=np.float32).view(np.uint32) >> 16).astype(np.uint16)


def from_bfloat16(bits: ArrayLike) -> NDArray[np.float32]:
    """Return the numbers that the bits of bfloat16 stand for, exactly.

    Examples
    --------
    >>> from_bfloat16([0x3F80, 0xC040]).tolist()
    [1.0, -3.0]
    """
    return (np.asarray(bits, dtype=np.uint32) << 16).view(np.float32)
