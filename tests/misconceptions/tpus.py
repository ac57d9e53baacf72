"""Wrong and unusual answers to the exercise `tpus`."""

import numpy as np
import torch

from course_lib.assignments.answers import right, wrong

SIX_DIGITS = "No type is fixed, and six digits are asked for: float32 has them."

accepted = {
    ("feeds", "float32 [0]"): SIX_DIGITS,
    ("feeds", "float32 [1]"): SIX_DIGITS,
    ("run", "float32"): SIX_DIGITS,
    ("symmetric_scale", "float32"): SIX_DIGITS,
    ("dequantize", "float32"): SIX_DIGITS,
    ("round_fraction", "whole numbers x"): "x is float32: the text allows no other type.",
}

# What enters when ---------------------------------------------------------------------------------


@wrong(loses=["test-feeds", "test-feeds-hidden"], says="Both are skewed")
def skews_one_operand_only():
    """The rows of A are delayed, and B comes in as it is."""

    def feeds(A, B):
        (m, k), n = A.shape, B.shape[1]
        left, top = np.zeros((m + k + n - 2, m)), np.zeros((m + k + n - 2, n))
        for i in range(m):
            left[i : i + k, i] = A[i]
        top[:k] = B
        return left, top


@wrong(loses=["test-feeds", "test-feeds-hidden"], says="Both are skewed")
def skews_nothing():
    """Both matrices come in as they are."""

    def feeds(A, B):
        (m, k), n = A.shape, B.shape[1]
        left, top = np.zeros((m + k + n - 2, m)), np.zeros((m + k + n - 2, n))
        left[:k], top[:k] = A.T, B
        return left, top


@wrong(loses=["test-feeds", "test-feeds-hidden"], says="begin in cycle 1")
def skews_the_other_way():
    """The last row begins first."""

    def feeds(A, B):
        (m, k), n = A.shape, B.shape[1]
        left, top = np.zeros((m + k + n - 2, m)), np.zeros((m + k + n - 2, n))
        for i in range(m):
            left[m - 1 - i : m - 1 - i + k, i] = A[i]
        for j in range(n):
            top[n - 1 - j : n - 1 - j + k, j] = B[:, j]
        return left, top


@wrong(loses=["test-feeds", "test-feeds-hidden"], says="shape")
def one_cycle_too_many():
    """m + k + n - 1, as if the first cycle were before the first number."""

    def feeds(A, B):
        (m, k), n = A.shape, B.shape[1]
        left, top = np.zeros((m + k + n - 1, m)), np.zeros((m + k + n - 1, n))
        for i in range(m):
            left[i : i + k, i] = A[i]
        for j in range(n):
            top[j : j + k, j] = B[:, j]
        return left, top


@wrong(loses=["test-feeds", "test-feeds-hidden"], says="shape")
def stops_when_the_last_number_has_entered():
    """Forgets that it must still cross the array."""

    def feeds(A, B):
        (m, k), n = A.shape, B.shape[1]
        left, top = np.zeros((m + k - 1, m)), np.zeros((n + k - 1, n))
        for i in range(m):
            left[i : i + k, i] = A[i]
        for j in range(n):
            top[j : j + k, j] = B[:, j]
        return left, top


@wrong(loses=["test-feeds", "test-feeds-hidden"], says="A[i, p] enters row i in cycle p + i")
def last_number_first():
    """Queues are drawn with the last one on the left, and it is easily read the wrong way."""

    def feeds(A, B):
        (m, k), n = A.shape, B.shape[1]
        left, top = np.zeros((m + k + n - 2, m)), np.zeros((m + k + n - 2, n))
        for i in range(m):
            left[i : i + k, i] = A[i, ::-1]
        for j in range(n):
            top[j : j + k, j] = B[::-1, j]
        return left, top


@wrong(loses=["test-feeds", "test-feeds-hidden"], says="A row of A enters one row of the array")
def columns_of_A():
    """Feeds columns of A and rows of B, as for weights that stay."""

    def feeds(A, B):
        (m, k), n = A.shape, B.shape[1]
        left, top = np.zeros((m + k + n - 2, m)), np.zeros((m + k + n - 2, n))
        for i in range(min(m, k)):
            left[i : i + m, i] = A[:, i]
        for j in range(min(n, k)):
            top[j : j + n, j] = B[j]
        return left, top


@wrong(loses=["test-feeds-hidden"], says="feeds")
def only_square_ones():
    """All three sizes are the same in the example."""

    def feeds(A, B):
        m = len(A)
        left, top = np.zeros((3 * m - 2, m)), np.zeros((3 * m - 2, m))
        for i in range(m):
            left[i : i + m, i] = A[i]
            top[i : i + m, i] = B[:, i]
        return left, top


# The array at work --------------------------------------------------------------------------------


@wrong(loses=["test-run", "test-run-hidden"], says="in the last cycle")
def everywhere_at_once():
    """A number that enters a row is in all its cells: a broadcast, not an array."""

    def run(left, top):
        return left.T @ top


@wrong(loses=["test-run", "test-run-hidden"], says="in the last cycle")
def product_before_the_step():
    """Multiplies what is there before the new numbers come in, and misses the last cycle."""

    def run(left, top):
        m, n = left.shape[1], top.shape[1]
        a, b, sums = np.zeros((m, n)), np.zeros((m, n)), np.zeros((m, n))
        for t in range(len(left)):
            sums = sums + a * b
            a = np.column_stack([left[t], a[:, :-1]])
            b = np.vstack([top[t], b[:-1]])
        return sums


@wrong(loses=["test-run", "test-run-hidden"], says="in the last cycle")
def loop_overwrites_what_is_still_wanted():
    """Goes from left to right in place, so that a number runs through the row in one cycle."""

    def run(left, top):
        m, n = left.shape[1], top.shape[1]
        a, b, sums = np.zeros((m, n)), np.zeros((m, n)), np.zeros((m, n))
        for t in range(len(left)):
            for i in range(m):
                for j in range(n):
                    a[i, j] = left[t, i] if j == 0 else a[i, j - 1]
                    b[i, j] = top[t, j] if i == 0 else b[i - 1, j]
                    sums[i, j] += a[i, j] * b[i, j]
        return sums


@wrong(loses=["test-run", "test-run-hidden"], says="in the last cycle")
def sums_move_too():
    """As in the chapter's array, in which the sums go down."""

    def run(left, top):
        m, n = left.shape[1], top.shape[1]
        a, b, sums = np.zeros((m, n)), np.zeros((m, n)), np.zeros((m, n))
        for t in range(len(left)):
            a = np.column_stack([left[t], a[:, :-1]])
            b = np.vstack([top[t], b[:-1]])
            sums = np.vstack([np.zeros(n), sums[:-1]]) + a * b
        return sums


@wrong(loses=["test-run-hidden"], says="run(")
def computes_the_product_instead():
    """Undoes the skew and multiplies, whatever was fed."""

    def run(left, top):
        m, n = left.shape[1], top.shape[1]
        k = len(left) - m - n + 2
        A = np.array([[left[i + p, i] for p in range(k)] for i in range(m)])
        B = np.array([[top[j + p, j] for j in range(n)] for p in range(k)])
        return A @ B if k > 0 else np.zeros((m, n))


@wrong(loses=["test-run-hidden"], says="shape")
def as_many_columns_as_rows():
    """The example is square."""

    def run(left, top):
        m = left.shape[1]
        a, b, sums = np.zeros((m, m)), np.zeros((m, m)), np.zeros((m, m))
        for t in range(len(left)):
            a = np.column_stack([left[t], a[:, :-1]])
            b = np.vstack([np.resize(top[t], m), b[:-1]])
            sums = sums + a * b
        return sums


# Cycles -------------------------------------------------------------------------------------------


@wrong(loses=["test-cost", "test-cost-hidden"], says="take two blocks of 16 cycles")
def blocks_rounded_down():
    """// rounds down."""

    def cost(m, k, n, size):
        cycles = max(m // size, 1) * max(n // size, 1) * (k + 2 * size - 2)
        return cycles, m * k * n / (cycles * size**2)


@wrong(loses=["test-cost", "test-cost-hidden"], says="take two blocks of 16 cycles")
def blocks_that_are_not_padded():
    """The last block is taken as smaller, and would cross only the cells that it fills."""

    def cost(m, k, n, size):
        cycles = 0
        for i in range(0, m, size):
            for j in range(0, n, size):
                cycles += k + min(size, m - i) + min(size, n - j) - 2
        return cycles, m * k * n / (cycles * size**2)


@wrong(loses=["test-cost-hidden"], says="k is not cut")
def cuts_the_inner_dimension():
    """Cuts k as well, as the chapter's array must."""

    def cost(m, k, n, size):
        if k <= 12:
            cycles = -(-m // size) * -(-n // size) * (k + 2 * size - 2)
        else:
            cycles = -(-m // size) * -(-n // size) * -(-k // size) * (3 * size - 2)
        return cycles, m * k * n / (cycles * size**2)


@wrong(loses=["test-cost", "test-cost-hidden"], says="See 'Full, half full, and nearly empty'")
def utilization_of_the_cells_that_hold_something():
    """Divides by the cells in use rather than by all."""

    def cost(m, k, n, size):
        cycles = -(-m // size) * -(-n // size) * (k + 2 * size - 2)
        return cycles, m * k * n / (cycles * min(m, size) * min(n, size))


@wrong(loses=["test-cost", "test-cost-hidden"], says="See 'Full, half full, and nearly empty'")
def two_operations_each():
    """FLOPs for multiplications."""

    def cost(m, k, n, size):
        cycles = -(-m // size) * -(-n // size) * (k + 2 * size - 2)
        return cycles, 2 * m * k * n / (cycles * size**2)


@wrong(loses=["test-cost", "test-cost-hidden"], says="See 'Full, half full, and nearly empty'")
def crosses_once():
    """Lets blocks follow each other without a gap, which this array does not."""

    def cost(m, k, n, size):
        cycles = -(-m // size) * -(-n // size) * k + 2 * size - 2
        return cycles, m * k * n / (cycles * size**2)


# Rounding -----------------------------------------------------------------------------------------


@wrong(
    loses=["test-round_fraction", "test-round_fraction-hidden"],
    says="1.0 would be truncated elsewhere",
)
def truncates():
    """Clears the bits that do not stay."""

    def round_fraction(x, fraction=7):
        bits = np.ascontiguousarray(x).view(np.uint32) >> (23 - fraction) << (23 - fraction)
        return np.where(np.isnan(x), x, bits.view(np.float32))


@wrong(
    loses=["test-round_fraction", "test-round_fraction-hidden"],
    says="go to an even last bit",
)
def ties_away_from_zero():
    """Adds a half, as at school."""

    def round_fraction(x, fraction=7):
        drop = 23 - fraction
        bits = np.ascontiguousarray(x).view(np.uint32).astype(np.uint64)
        rounded = (bits + (1 << (drop - 1))) >> drop << drop
        return np.where(np.isnan(x), x, rounded.astype(np.uint32).view(np.float32))


@wrong(
    loses=["test-round_fraction", "test-round_fraction-hidden"],
    says="go to an even last bit",
)
def ties_toward_zero():
    """Adds a little less than a half, always."""

    def round_fraction(x, fraction=7):
        drop = 23 - fraction
        bits = np.ascontiguousarray(x).view(np.uint32).astype(np.uint64)
        rounded = (bits + (1 << (drop - 1)) - 1) >> drop << drop
        return np.where(np.isnan(x), x, rounded.astype(np.uint32).view(np.float32))


@wrong(
    loses=["test-round_fraction", "test-round_fraction-hidden"],
    says="See 'Half of a float'",
)
def ties_to_odd():
    """The last bit the wrong way around."""

    def round_fraction(x, fraction=7):
        drop = 23 - fraction
        bits = np.ascontiguousarray(x).view(np.uint32).astype(np.uint64)
        last = 1 - ((bits >> drop) & 1)
        rounded = (bits + (1 << (drop - 1)) - 1 + last) >> drop << drop
        return np.where(np.isnan(x), x, rounded.astype(np.uint32).view(np.float32))


@wrong(loses=["test-round_fraction-hidden"], says="NaN needs a branch")
def nan_without_a_branch():
    """The chapter's short function, which leaves NaN out."""

    def round_fraction(x, fraction=7):
        drop = 23 - fraction
        bits = np.ascontiguousarray(x).view(np.uint32)
        last = (bits >> drop) & 1
        return ((bits + (1 << (drop - 1)) - 1 + last) >> drop << drop).view(np.float32)


@wrong(
    loses=["test-round_fraction", "test-round_fraction-hidden"],
    says="the carry runs into the exponent",
)
def carry_stays_in_the_fraction():
    """Rounds the fraction by itself, and lets its carry fall off."""

    def round_fraction(x, fraction=7):
        drop = 23 - fraction
        bits = np.ascontiguousarray(x).view(np.uint32).astype(np.int64)
        high, low = bits >> 23 << 23, bits & 0x7FFFFF
        last = (low >> drop) & 1
        low = ((low + (1 << (drop - 1)) - 1 + last) >> drop << drop) & 0x7FFFFF
        return np.where(np.isnan(x), x, (high | low).astype(np.uint32).view(np.float32))


@wrong(loses=["test-round_fraction-hidden"], says="Beyond the largest number")
def infinity_cut_to_the_largest():
    """Clips instead of overflowing."""

    def round_fraction(x, fraction=7):
        drop = 23 - fraction
        bits = np.ascontiguousarray(x).view(np.uint32).astype(np.uint64)
        last = (bits >> drop) & 1
        rounded = (bits + (1 << (drop - 1)) - 1 + last) >> drop << drop
        y = rounded.astype(np.uint32).view(np.float32)
        top = np.uint32(0x7F7FFFFF >> drop << drop).view(np.float32)
        return np.where(np.isnan(x), x, np.clip(y, -top, top))


@wrong(loses=["test-round_fraction-hidden"], says="round_fraction(")
def always_seven_bits():
    """Ignores fraction."""

    def round_fraction(x, fraction=7):
        bits = np.ascontiguousarray(x).view(np.uint32).astype(np.uint64)
        rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16 << 16
        return np.where(np.isnan(x), x, rounded.astype(np.uint32).view(np.float32))


@wrong(loses=["test-round_fraction-hidden"], says="came 0, expected 4.")
def subnormal_numbers_become_zero():
    """Flushes them, as some chips do."""

    def round_fraction(x, fraction=7):
        drop = 23 - fraction
        bits = np.ascontiguousarray(x).view(np.uint32).astype(np.uint64)
        last = (bits >> drop) & 1
        rounded = (bits + (1 << (drop - 1)) - 1 + last) >> drop << drop
        y = np.where(np.isnan(x), x, rounded.astype(np.uint32).view(np.float32))
        return np.where(np.abs(x) < np.float32(1.1754944e-38), np.float32(0) * x, y)


@wrong(
    loses=["test-round_fraction", "test-round_fraction-hidden"],
    says="See 'Half of a float'",
)
def decimal_digits():
    """Rounds to digits behind the point."""

    def round_fraction(x, fraction=7):
        return np.round(x, 2).astype(np.float32)


@wrong(loses=["test-round_fraction", "test-round_fraction-hidden"], says="you changed x")
def rounds_in_place():
    """Views share memory."""

    def round_fraction(x, fraction=7):
        drop = 23 - fraction
        nan = np.isnan(x)
        bits = x.view(np.uint32)
        last = (bits >> drop) & 1
        rounded = ((bits.astype(np.uint64) + (1 << (drop - 1)) - 1 + last) >> drop) << drop
        bits[~nan] = rounded[~nan].astype(np.uint32)
        return x


# Scales -------------------------------------------------------------------------------------------


@wrong(loses=["test-scales", "test-scales-hidden"], says="becomes -127")
def largest_instead_of_largest_size():
    """Forgets that negative numbers may be larger in size."""

    def symmetric_scale(w, bits=8, axis=None):
        others = None if axis is None else tuple(d for d in range(w.ndim) if d != axis % w.ndim)
        largest = w.max(axis=others, keepdims=axis is not None)
        return np.asarray(np.where(largest > 0, largest / (2 ** (bits - 1) - 1), 1.0))


@wrong(loses=["test-scales", "test-scales-hidden"], says="becomes -127")
def divides_by_128():
    """All integers of int8, which are not as many above 0 as below."""

    def symmetric_scale(w, bits=8, axis=None):
        others = None if axis is None else tuple(d for d in range(w.ndim) if d != axis % w.ndim)
        largest = np.abs(w.astype(float)).max(axis=others, keepdims=axis is not None)
        return np.asarray(np.where(largest > 0, largest / 2 ** (bits - 1), 1.0))


@wrong(loses=["test-scales", "test-scales-hidden"], says="shape")
def one_scale_for_all():
    """Per tensor where per channel is asked for."""

    def symmetric_scale(w, bits=8, axis=None):
        largest = np.abs(w.astype(float)).max()
        return np.asarray(largest / (2 ** (bits - 1) - 1) if largest > 0 else 1.0)


@wrong(loses=["test-scales", "test-scales-hidden"], says="A scale for each row")
def along_the_axis_instead_of_the_others():
    """max(axis=axis) takes the axis away that should stay."""

    def symmetric_scale(w, bits=8, axis=None):
        largest = np.abs(w.astype(float)).max(axis=axis, keepdims=axis is not None)
        return np.asarray(np.where(largest > 0, largest / (2 ** (bits - 1) - 1), 1.0))


@wrong(loses=["test-scales", "test-scales-hidden"], says="shape")
def without_keepdims():
    """The scales no longer broadcast."""

    def symmetric_scale(w, bits=8, axis=None):
        others = None if axis is None else tuple(d for d in range(w.ndim) if d != axis % w.ndim)
        largest = np.abs(w.astype(float)).max(axis=others)
        return np.asarray(np.where(largest > 0, largest / (2 ** (bits - 1) - 1), 1.0))


@wrong(loses=["test-scales-hidden"], says="symmetric_scale")
def no_negative_axes():
    """range(w.ndim) has no -1 in it."""

    def symmetric_scale(w, bits=8, axis=None):
        others = None if axis is None else tuple(d for d in range(w.ndim) if d != axis)
        largest = np.abs(w.astype(float)).max(axis=others, keepdims=axis is not None)
        return np.asarray(np.where(largest > 0, largest / (2 ** (bits - 1) - 1), 1.0))


@wrong(loses=["test-scales-hidden"], says="is ignored")
def always_eight_bits():
    """Ignores bits."""

    def symmetric_scale(w, bits=8, axis=None):
        others = None if axis is None else tuple(d for d in range(w.ndim) if d != axis % w.ndim)
        largest = np.abs(w.astype(float)).max(axis=others, keepdims=axis is not None)
        return np.asarray(np.where(largest > 0, largest / 127, 1.0))


@wrong(loses=["test-scales-hidden"], says="has scale 1")
def zeros_have_scale_zero():
    """Dividing by it gives nan later."""

    def symmetric_scale(w, bits=8, axis=None):
        others = None if axis is None else tuple(d for d in range(w.ndim) if d != axis % w.ndim)
        largest = np.abs(w.astype(float)).max(axis=others, keepdims=axis is not None)
        return np.asarray(largest / (2 ** (bits - 1) - 1))


@wrong(loses=["test-scales-hidden"], says="the absolute value of -128")
def absolute_value_in_int8():
    """abs(-128) is -128 there."""

    def symmetric_scale(w, bits=8, axis=None):
        others = None if axis is None else tuple(d for d in range(w.ndim) if d != axis % w.ndim)
        largest = np.abs(w).max(axis=others, keepdims=axis is not None)
        return np.asarray(np.where(largest > 0, largest / (2 ** (bits - 1) - 1), 1.0))


@wrong(loses=["test-scales", "test-scales-hidden"], says="the zero point is positive")
def zero_point_with_the_wrong_sign():
    """smallest / scale, without the minus."""

    def affine_range(smallest, largest, bits=8):
        smallest, largest = min(smallest, 0.0), max(largest, 0.0)
        scale = (largest - smallest) / (2**bits - 1)
        return (scale, round(smallest / scale)) if scale else (1.0, 0)


@wrong(loses=["test-scales", "test-scales-hidden"], says="255 steps")
def as_many_steps_as_integers():
    """256 integers have 255 steps between them."""

    def affine_range(smallest, largest, bits=8):
        smallest, largest = min(smallest, 0.0), max(largest, 0.0)
        scale = (largest - smallest) / 2**bits
        return (scale, round(-smallest / scale)) if scale else (1.0, 0)


@wrong(loses=["test-scales-hidden"], says="widened to hold 0")
def range_without_zero():
    """Takes the range as it comes."""

    def affine_range(smallest, largest, bits=8):
        scale = (largest - smallest) / (2**bits - 1)
        return (scale, round(-smallest / scale)) if scale else (1.0, 0)


@wrong(loses=["test-scales-hidden"], says="rounded to the nearest integer")
def zero_point_cut_off():
    """int() cuts."""

    def affine_range(smallest, largest, bits=8):
        smallest, largest = min(smallest, 0.0), max(largest, 0.0)
        scale = (largest - smallest) / (2**bits - 1)
        return (scale, int(-smallest / scale + 1e-9)) if scale else (1.0, 0)


@wrong(loses=["test-scales-hidden"], says="affine_range")
def nothing_divided_by_nothing():
    """Only zeros were not thought of."""

    def affine_range(smallest, largest, bits=8):
        smallest, largest = min(smallest, 0.0), max(largest, 0.0)
        scale = (largest - smallest) / (2**bits - 1)
        return scale, round(-smallest / scale)


@wrong(loses=["test-scales-hidden"], says="affine_range")
def affine_with_eight_bits_always():
    """Ignores bits."""

    def affine_range(smallest, largest, bits=8):
        smallest, largest = min(smallest, 0.0), max(largest, 0.0)
        scale = (largest - smallest) / 255
        return (scale, round(-smallest / scale)) if scale else (1.0, 0)


# There and back -----------------------------------------------------------------------------------


@wrong(loses=["test-quantize", "test-quantize-hidden"], says="The zero point is added")
def subtracts_the_zero_point():
    """The sign of going back, on the way there."""

    def quantize(x, scale, zero_point, low, high):
        return np.clip(np.rint(x / scale) - zero_point, low, high).astype(int)


@wrong(loses=["test-quantize", "test-quantize-hidden"], says="nearest")
def truncates_instead_of_rounding():
    """astype(int) cuts."""

    def quantize(x, scale, zero_point, low, high):
        return np.clip((x / scale + 0.01).astype(int) + zero_point - 1, low, high).astype(int)


@wrong(loses=["test-quantize-hidden"], says="nearest")
def cuts_toward_zero():
    """astype(int) cuts, which the example hardly shows."""

    def quantize(x, scale, zero_point, low, high):
        return np.clip((x / scale + 1e-9 * np.sign(x)).astype(int) + zero_point, low, high)


@wrong(loses=["test-quantize", "test-quantize-hidden"], says="7.0 lies outside")
def does_not_clip():
    """What lies outside wraps around, or is too large."""

    def quantize(x, scale, zero_point, low, high):
        return np.rint(x / scale).astype(int) + zero_point


@wrong(loses=["test-quantize-hidden"], says="only then clip")
def clips_before_the_zero_point():
    """The ends are those of the integers, not of the numbers before the shift."""

    def quantize(x, scale, zero_point, low, high):
        q = np.clip(np.rint(x / scale), low - (low == 0) * zero_point, high) + zero_point
        return np.minimum(q, high).astype(int)


@wrong(loses=["test-quantize-hidden"], says="returns integers")
def returns_floats():
    """They look like integers."""

    def quantize(x, scale, zero_point, low, high):
        return np.clip(np.rint(x / scale) + zero_point, low, high)


@wrong(loses=["test-quantize-hidden"], says="quantize(")
def always_int8():
    """255 does not fit."""

    def quantize(x, scale, zero_point, low, high):
        q = np.clip(np.rint(x / scale) + zero_point, low, high)
        return q.astype(np.int16 if high == 255 and x.ndim == 1 else np.int8)


@wrong(loses=["test-quantize", "test-quantize-hidden"], says="In uint8")
def dequantizes_in_uint8():
    """0 - 50 is 206 there."""

    def dequantize(q, scale, zero_point):
        return scale * (q - np.asarray(zero_point, dtype=np.int64).astype(q.dtype))


@wrong(loses=["test-quantize", "test-quantize-hidden"], says="before the scale is multiplied in")
def zero_point_after_the_scale():
    """s q - z for s (q - z)."""

    def dequantize(q, scale, zero_point):
        return scale * q.astype(float) - zero_point


# Products of integers -----------------------------------------------------------------------------


@wrong(loses=["test-accumulate", "test-accumulate-hidden"], says="In 8 bits")
def multiplies_in_small_types():
    """NumPy multiplies uint8 and int8 in int16."""

    def accumulate(q, w, z, v=0):
        columns, rows = w.sum(axis=0), q.sum(axis=1, keepdims=True).astype(int)
        total = (q[:, :1] * w[:1]).astype(np.int8).astype(int) + q[:, 1:] @ w[1:]
        return (total - z * columns - v * rows + q.shape[1] * z * v).astype(np.int32)


@wrong(loses=["test-accumulate-hidden"], says="Convert to int32")
def adds_in_sixteen_bits():
    """Enough for a few products only."""

    def accumulate(q, w, z, v=0):
        total = (q.astype(np.int16) - np.int16(z)) @ (w.astype(np.int16) - np.int16(v))
        return total.astype(np.int32)


@wrong(loses=["test-accumulate", "test-accumulate-hidden"], says="accumulate(")
def adds_the_zero_point():
    """The wrong sign."""

    def accumulate(q, w, z, v=0):
        return (q.astype(np.int32) + z) @ (w.astype(np.int32) + v)


@wrong(loses=["test-accumulate-hidden"], says="plus k z v")
def forgets_the_constant():
    """What was subtracted twice must be added again."""

    def accumulate(q, w, z, v=0):
        q, w = q.astype(np.int32), w.astype(np.int32)
        return (q @ w - z * w.sum(axis=0) - v * q.sum(axis=1, keepdims=True)).astype(np.int32)


@wrong(loses=["test-accumulate-hidden"], says="See 'Eight bits'")
def ignores_the_weights_zero_point():
    """Weights usually have none."""

    def accumulate(q, w, z, v=0):
        return (q.astype(np.int32) - z) @ w.astype(np.int32)


@wrong(loses=["test-accumulate", "test-accumulate-hidden"], says="accumulate(")
def corrects_by_rows():
    """z times the sums of the inputs instead of the weights."""

    def accumulate(q, w, z, v=0):
        q, w = q.astype(np.int32), w.astype(np.int32)
        return q @ w - z * q.sum(axis=1, keepdims=True).astype(np.int32)


@wrong(loses=["test-accumulate", "test-accumulate-hidden"], says="accumulate(")
def subtracts_in_uint8():
    """10 - 50 is 216 before anything was converted."""

    def accumulate(q, w, z, v=0):
        difference = q - np.asarray(z).astype(q.dtype)
        other = w - np.asarray(v).astype(w.dtype)
        return difference.astype(np.int32) @ other.astype(np.int32)


@wrong(loses=["test-accumulate-hidden"], says="float32 has 24 bits")
def adds_in_float32():
    """Fast, and exact only up to 2^24."""

    def accumulate(q, w, z, v=0):
        total = (q.astype(np.float32) - np.float32(z)) @ (w.astype(np.float32) - np.float32(v))
        return np.rint(total).astype(np.int32)


@wrong(loses=["test-accumulate", "test-accumulate-hidden"], says="int32")
def returns_int64():
    """The text asks for int32."""

    def accumulate(q, w, z, v=0):
        return (q.astype(np.int64) - z) @ (w.astype(np.int64) - v)


# Right answers ------------------------------------------------------------------------------------


@right
def loops_over_cells():
    """Every step in loops, from the last cell to the first, so that nothing is overwritten."""

    def feeds(A, B):
        m, k, n = len(A), len(B), len(B[0])
        left = [[0.0] * m for _ in range(m + k + n - 2)]
        top = [[0.0] * n for _ in range(m + k + n - 2)]
        for p in range(k):
            for i in range(m):
                left[p + i][i] = A[i][p]
            for j in range(n):
                top[p + j][j] = B[p][j]
        return np.array(left), np.array(top)

    def run(left, top):
        m, n = left.shape[1], top.shape[1]
        a = [[0.0] * n for _ in range(m)]
        b = [[0.0] * n for _ in range(m)]
        sums = np.zeros((m, n))
        for t in range(len(left)):
            for i in reversed(range(m)):
                for j in reversed(range(n)):
                    a[i][j] = left[t][i] if j == 0 else a[i][j - 1]
                    b[i][j] = top[t][j] if i == 0 else b[i - 1][j]
                    sums[i, j] += float(a[i][j]) * float(b[i][j])
        return sums

    def accumulate(q, w, z, v=0):
        out = np.zeros((len(q), w.shape[1]), dtype=np.int32)
        for i, j in np.ndindex(out.shape):
            out[i, j] = sum((int(x) - z) * (int(y) - v) for x, y in zip(q[i], w[:, j]))
        return out


@right
def without_cells():
    """Knows where each number is in which cycle, and simulates nothing."""

    def run(left, top):
        cycles, m = left.shape
        n = top.shape[1]
        sums = np.zeros((m, n))
        for i in range(m):
            for j in range(n):
                first = max(i, j)
                x, y = (
                    left[first - j : max(cycles - j, 0), i],
                    top[first - i : max(cycles - i, 0), j],
                )
                if cycles > first:
                    sums[i, j] = x @ y
        return sums


@right
def padded_and_rolled():
    """Pads with zeros and rolls each column."""

    def feeds(A, B):
        cycles = A.shape[0] + A.shape[1] + B.shape[1] - 2
        left = np.pad(A.T, ((0, cycles - A.shape[1]), (0, 0)))
        top = np.pad(B, ((0, cycles - len(B)), (0, 0)))
        left = np.stack([np.roll(c, i) for i, c in enumerate(left.T)], axis=1)
        top = np.stack([np.roll(c, j) for j, c in enumerate(top.T)], axis=1)
        return left, top

    def cost(m, k, n, size):
        import math

        blocks = math.ceil(m / size) * math.ceil(n / size)
        cycles = blocks * (k + 2 * (size - 1))
        return cycles, (m / size) * (n / size) * k / cycles


@right
def rounding_in_double_precision():
    """Scales each number so that the kept bits are whole, and rounds to even in float64."""

    def round_fraction(x, fraction=7):
        y = np.asarray(x, dtype=np.float64)
        _, exponent = np.frexp(np.where(np.isfinite(y), y, 1.0))
        unit = np.ldexp(1.0, np.maximum(exponent - 1, -126) - fraction)
        with np.errstate(over="ignore", invalid="ignore"):
            out = np.where(np.isfinite(y), np.rint(y / unit) * unit, y)
            return out.astype(np.float32)


@right
def rounding_number_by_number():
    """Python's integers, by struct, with the two neighbors written out."""

    def round_fraction(x, fraction=7):
        import struct

        unit = 1 << (23 - fraction)
        out = np.empty(x.shape, dtype=np.float32)
        for place, number in np.ndenumerate(x):
            if np.isnan(number) or np.isinf(number):
                out[place] = number
                continue
            bits = struct.unpack("<I", struct.pack("<f", float(number)))[0]
            rest = bits % unit
            bits -= rest
            if rest > unit // 2 or (rest == unit // 2 and (bits // unit) % 2):
                bits += unit
            out[place] = struct.unpack("<f", struct.pack("<I", bits))[0]
        return out


@right
def torch_where_it_serves():
    """PyTorch's conversion for 7 bits, and its integer products."""

    def round_fraction(x, fraction=7):
        x = np.ascontiguousarray(x)
        if fraction == 7:
            return torch.from_numpy(x.copy()).bfloat16().float().numpy()
        drop = 23 - fraction
        bits = x.view(np.uint32).astype(np.uint64)
        add = (np.uint64(1) << np.uint64(drop - 1)) - np.uint64(1)
        bits = bits + add + ((bits >> np.uint64(drop)) & np.uint64(1))
        y = (bits & np.uint64(0xFFFFFFFF & ~((1 << drop) - 1))).astype(np.uint32).view(np.float32)
        return np.where(x != x, x, y)

    def accumulate(q, w, z, v=0):
        a = torch.from_numpy(q.copy()).to(torch.int32) - z
        b = torch.from_numpy(w.copy()).to(torch.int32) - v
        return (a @ b).numpy()


@right
def other_names_and_warnings():
    """Renamed parameters, a progress line on stderr, and warnings on the way."""

    def symmetric_scale(tensor, width=8, along=None):
        import sys

        print("choosing a scale", file=sys.stderr)
        moved = np.abs(np.asarray(tensor, dtype=float))
        if along is not None:
            shape = [1] * moved.ndim
            shape[along] = -1
            moved = np.moveaxis(moved, along, 0)
            largest = moved.reshape(len(moved), -1).max(axis=1).reshape(shape)
        else:
            largest = np.array(moved.max())
        scale = largest / (2 ** (width - 1) - 1)
        inverse = 1 / scale  # divides by 0 where it is then left out
        return np.asarray(np.where(np.isinf(inverse), 1.0, scale))

    def affine_range(bottom, top, width=8):
        import warnings

        warnings.warn("ranges come from training data", stacklevel=1)
        bottom, top = np.minimum(bottom, 0), np.maximum(top, 0)
        if top == bottom:
            return 1.0, 0
        scale = np.float64(top - bottom) / np.float64(2**width - 1)
        return scale, np.int64(np.floor(-bottom / scale + 0.5))

    def quantize(numbers, step, zero, least, most):
        q = np.floor(np.asarray(numbers, dtype=float) / step + 0.5).astype(np.int64) + zero
        return np.minimum(np.maximum(q, least), most)

    def dequantize(q, step, zero):
        return (q.astype(np.int64) - zero) * step


@right
def exact_in_double_precision():
    """float64 holds sums of 53 bits, so that its fast product is exact here."""

    def accumulate(q, w, z, v=0):
        total = (q.astype(float) - z) @ (w.astype(float) - v)
        return np.rint(total).astype(np.int32)

    def quantize(x, scale, zero_point, low, high):
        return np.clip(np.round(x / scale) + zero_point, low, high).astype(np.int16)

    def dequantize(q, scale, zero_point):
        return scale * q.astype(np.float64) - scale * zero_point


@right
def zero_points_by_einsum():
    """The four terms, one by one."""

    def accumulate(q, w, z, v=0):
        q, w = q.astype(np.int64), w.astype(np.int64)
        ones = np.ones_like(q)
        total = np.einsum("ij,jk->ik", q, w) - z * (ones @ w)
        total -= v * (q @ np.ones_like(w))
        return (total + z * v * q.shape[1]).astype(np.int32)
