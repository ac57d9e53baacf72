# ---
# jupyter:
#   course:
#     answers_in:
#     - course_lib.hardware.formats
#     - course_lib.hardware.systolic
#     - course_lib.models.quantization
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # TPUs: a network on integers
#
# - **Time:** 110 minutes. **Difficulty:** 3 of 5. **Points:** 38, of which a person gives 3.
# - **Needs:** the chapter *TPUs*, NumPy arrays. No TPU.
#
# The chapter's array keeps the weights in place. You build the other kind, in which each cell keeps a *sum*
# and both matrices stream through, and count what padding costs. Then you make numbers cheap: rounded to a
# few bits of fraction, then quantized to integers, which you multiply as a chip does. In the end a trained
# network reads digits using your integers, with one scale per layer and with one per channel, and you see
# which of the two it survives.
#
# **What is special here**
#
# - Cycles, rows, and columns are counted from 0.
# - Arrays are NumPy arrays. A function leaves its inputs as they are.
# - Loops are welcome: all arrays in the tests are small.
#
# `course_lib.hardware.systolic`, `course_lib.hardware.formats` and `course_lib.models.quantization` hold
# answers to this exercise: leave them closed. What holds in every exercise (how to check, what the tests
# look at, what counts) is on the page *How exercises work* in the appendix.


# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np
import torch
from torch import nn

from course_lib import get_device, seed_everything
from course_lib.data import digits, splits

device = get_device()


# %% [markdown]
# ## Step 1. What enters when
#
# The array has m rows and n columns of cells, for a product of an (m, k) matrix A and a (k, n) matrix B. Cell
# (i, j) will keep the sum for entry (i, j) of the product. A enters from the left: row i of A into row i of
# the array, one number per cycle, A[i, 0] first. B enters from the top: column j of B into column j, B[0, j]
# first. Both move on by one cell per cycle. In cell (i, j), A[i, p] and B[p, j] must meet: so row i is
# delayed by i cycles, and column j by j cycles.
#
# Write down what enters in each cycle, until the last pair has met in the last cell. Where nothing enters,
# write 0.


# %% nbgrader={"grade": false, "grade_id": "feeds", "locked": false, "schema_version": 3, "solution": true, "task": false}
def feeds(A, B):
    """Say which numbers enter the array on the left and at the top, in each cycle.

    Parameters
    ----------
    A : ndarray, shape (m, k)
    B : ndarray, shape (k, n)

    Returns
    -------
    left : ndarray, shape (cycles, m)
        ``left[t, i]`` enters row i of the array in cycle t.
    top : ndarray, shape (cycles, n)
        ``top[t, j]`` enters column j in cycle t. There are m + k + n - 2 cycles.

    Example
    -------
    >>> left, top = feeds(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0], [6.0]]))
    >>> left.tolist()  # row 1 begins a cycle later
    [[1.0, 0.0], [2.0, 3.0], [0.0, 4.0]]
    >>> top.tolist()
    [[5.0], [6.0], [0.0]]
    """
    ### BEGIN SOLUTION
    (m, k), n = A.shape, B.shape[1]
    cycles = m + k + n - 2
    left, top = np.zeros((cycles, m)), np.zeros((cycles, n))
    for i in range(m):
        left[i : i + k, i] = A[i]
    for j in range(n):
        top[j : j + k, j] = B[:, j]
    return left, top
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-feeds", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    feeds,
    {"A": np.array([[1.0, 2.0], [3.0, 4.0]]), "B": np.array([[5.0, 6.0], [7.0, 8.0]])},
    (
        np.array([[1.0, 0.0], [2.0, 3.0], [0.0, 4.0], [0.0, 0.0]]),
        np.array([[5.0, 0.0], [7.0, 6.0], [0.0, 8.0], [0.0, 0.0]]),
    ),
    hint="m + k + n - 2 is 4 cycles here. A row of A enters one row of the array, a column of B one column. "
    "Both are skewed: row 1 and column 1 begin in cycle 1. See 'Handed on, not fetched'.",
)


# %% nbgrader={"grade": true, "grade_id": "test-feeds-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: other shapes, long and flat, integers.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds

rng = np.random.default_rng(0)


def expected(A, B):
    (m, k), n = A.shape, B.shape[1]
    steps = range(m + k + n - 2)
    left = [[A[i, t - i] if 0 <= t - i < k else 0.0 for i in range(m)] for t in steps]
    top = [[B[t - j, j] if 0 <= t - j < k else 0.0 for j in range(n)] for t in steps]
    return np.array(left, dtype=float), np.array(top, dtype=float)


HINT = (
    "A[i, p] enters row i in cycle p + i, and B[p, j] enters column j in cycle p + j. Otherwise they do "
    "not meet in cell (i, j). See 'Handed on, not fetched'."
)
for m, k, n in ((2, 3, 4), (4, 3, 2), (1, 5, 3), (3, 1, 1), (1, 1, 1), (2, 6, 2), (5, 2, 1)):
    A, B = rng.normal(size=(m, k)), rng.normal(size=(k, n))
    check(feeds, {"A": A, "B": B}, expected(A, B), hint=HINT)
A, B = rng.integers(1, 9, size=(3, 2)) * 1.0, rng.integers(1, 9, size=(2, 3)) * 1.0
check_kinds(
    feeds,
    {"A": A, "B": B},
    expected(A, B),
    kinds=["float64", "float32", "integers", "strided"],
    hint=HINT,
)
### END HIDDEN TESTS


# %% [markdown]
# ## Step 2. The array at work
#
# Now the cells. In each cycle, cell (i, j)
#
# - takes a number from the left: what enters in this cycle if the cell is in column 0, otherwise what its
#   left neighbor had in the cycle before,
# - takes a number from above in the same way,
# - adds the product of the two to its sum, which starts at 0.
#
# Run the array for as many cycles as there are rows in `left`, and return the sums. The array does what it is
# told: it works for any numbers that are fed to it, correctly skewed or not.


# %% nbgrader={"grade": false, "grade_id": "run", "locked": false, "schema_version": 3, "solution": true, "task": false}
def run(left, top):
    """Run an array of cells that keep their sums.

    Parameters
    ----------
    left : ndarray, shape (cycles, m)
        ``left[t, i]`` enters row i in cycle t.
    top : ndarray, shape (cycles, n)
        ``top[t, j]`` enters column j in cycle t.

    Returns
    -------
    ndarray, shape (m, n)
        The sums after the last cycle.

    Example
    -------
    >>> run(np.array([[1.0], [2.0], [0.0]]), np.array([[5.0, 0.0], [6.0, 3.0], [0.0, 4.0]])).tolist()
    [[17.0, 11.0]]
    """
    ### BEGIN SOLUTION
    m, n = left.shape[1], top.shape[1]
    a, b, sums = np.zeros((m, n)), np.zeros((m, n)), np.zeros((m, n))
    for entering, falling in zip(left, top, strict=True):
        a = np.column_stack([entering, a[:, :-1]])
        b = np.vstack([falling, b[:-1]])
        sums = sums + a * b
    return sums
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-run", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    run,
    {
        "left": np.array([[1.0, 0.0], [2.0, 3.0], [0.0, 4.0], [0.0, 0.0]]),
        "top": np.array([[5.0, 0.0], [7.0, 6.0], [0.0, 8.0], [0.0, 0.0]]),
    },
    np.array([[19.0, 22.0], [43.0, 50.0]]),
    hint="These are the feeds of a product of 2 by 2 matrices. What a cell had in the last cycle, its right "
    "and its lower neighbor have in this one. See 'Handed on, not fetched'.",
)


# %% nbgrader={"grade": true, "grade_id": "test-run-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: other shapes, feeds that are not skewed, runs that end early.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds

rng = np.random.default_rng(1)


def expected(left, top):
    (cycles, m), n = left.shape, top.shape[1]
    sums = np.zeros((m, n))
    for i in range(m):
        for j in range(n):
            for t in range(max(i, j), cycles):
                sums[i, j] += left[t - j, i] * top[t - i, j]
    return sums


HINT = (
    "In cycle t, cell (i, j) has what entered row i in cycle t - j and column j in cycle t - i. "
    "See 'Handed on, not fetched'."
)
for cycles, m, n in ((8, 3, 3), (9, 2, 4), (9, 4, 2), (5, 1, 3), (5, 3, 1), (1, 2, 2), (3, 4, 4)):
    left, top = rng.normal(size=(cycles, m)), rng.normal(size=(cycles, n))
    check(run, {"left": left, "top": top}, expected(left, top), hint=HINT)
A, B = rng.normal(size=(3, 4)), rng.normal(size=(4, 2))
left, top = np.zeros((7, 3)), np.zeros((7, 2))
for i in range(3):
    left[i : i + 4, i] = A[i]
for j in range(2):
    top[j : j + 4, j] = B[:, j]
check(
    run,
    {"left": left, "top": top},
    A @ B,
    what="The product of a (3, 4) and a (4, 2) matrix, from feeds that are skewed as they should be",
    hint=HINT,
)
left, top = rng.integers(1, 9, size=(5, 2)) * 1.0, rng.integers(1, 9, size=(5, 3)) * 1.0
check_kinds(
    run,
    {"left": left, "top": top},
    expected(left, top),
    kinds=["float64", "float32", "integers", "strided"],
    hint=HINT,
)
### END HIDDEN TESTS


# %% [markdown]
# ## Step 3. What it costs
#
# A real array has a fixed size, `size` by `size` cells. The result, (m, n), is cut into blocks of at most
# `size` rows and columns, and each block is padded to the whole array. A block takes k + 2 size - 2 cycles,
# and the next one begins when it is done. (Sums leave while the next block is at work, which costs nothing.)
#
# Of all cells in all cycles, what share multiplies numbers that are neither padding nor waiting? There are m
# k n such multiplications.


# %% nbgrader={"grade": false, "grade_id": "cost", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cost(m, k, n, size):
    """Count the cycles of a product on an array that keeps sums, and how much of it is used.

    Parameters
    ----------
    m, k, n : int
        The matrices are (m, k) and (k, n).
    size : int
        The array has size by size cells.

    Returns
    -------
    cycles : int
    utilization : float
        From 0 to 1.

    Example
    -------
    >>> cost(4, 6, 4, size=4)  # one block: 6 + 8 - 2 cycles; 96 of 12 * 16 multiplications
    (12, 0.5)
    """
    ### BEGIN SOLUTION
    blocks = -(-m // size) * -(-n // size)
    cycles = blocks * (k + 2 * size - 2)
    return cycles, m * k * n / (cycles * size**2)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-cost", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
from course_lib.exercises import check

check(
    cost,
    {"m": 5, "k": 10, "n": 3, "size": 4},
    (32, 150 / (32 * 16)),
    hint="Five rows on an array of four take two blocks of 16 cycles, although the second holds one row "
    "only. See 'Full, half full, and nearly empty'.",
)


# %% nbgrader={"grade": true, "grade_id": "test-cost-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: several blocks in both directions, small matrices on large arrays, exact fits.
### BEGIN HIDDEN TESTS
from math import ceil

from course_lib.exercises import check

for m, k, n, size in (
    (4, 6, 4, 4),
    (8, 3, 12, 4),
    (9, 3, 13, 4),
    (1, 100, 1, 8),
    (128, 512, 128, 128),
    (129, 512, 128, 128),
    (128, 512, 129, 128),
    (1000, 4096, 300, 256),
    (7, 5, 3, 1),
):
    cycles = ceil(m / size) * ceil(n / size) * (k + 2 * size - 2)
    check(
        cost,
        {"m": m, "k": k, "n": n, "size": size},
        (cycles, m * k * n / (cycles * size * size)),
        hint="Blocks in both directions, each rounded up, each k + 2 size - 2 cycles on the whole array. "
        "k is not cut: it streams. See 'Full, half full, and nearly empty'.",
    )
### END HIDDEN TESTS


# %% [markdown]
# ## Step 4. Fewer bits of fraction
#
# `bfloat16` keeps 7 of the 23 bits of fraction of a `float32`, and TensorFloat-32, which GPUs use, keeps 10.
# Round numbers to any number of remaining bits: to the nearest such number, and if two are equally near, to
# the one whose last bit is 0. Return them as `float32`.
#
# - A carry may run into the exponent, and beyond the largest number lies infinity.
# - Infinity stays infinity, and whatever is not a number (NaN) stays not a number.
# - Very small numbers (subnormal ones, whose exponent is 0) follow the same rule, on their bits.
#
# `x.view(np.uint32)` shows the bits of a `float32` array as integers, and `.view(np.float32)` goes back.
# The last bit of the fraction is the last bit of the integer.


# %% nbgrader={"grade": false, "grade_id": "round_fraction", "locked": false, "schema_version": 3, "solution": true, "task": false}
def round_fraction(x, fraction=7):
    """Round float32 numbers to fewer bits of fraction, to nearest, ties to even.

    Parameters
    ----------
    x : ndarray of float32, any shape
    fraction : int
        Bits of fraction that stay, from 1 to 22.

    Returns
    -------
    ndarray of float32, same shape
        The other bits of fraction are 0.

    Example
    -------
    >>> x = np.array([1.0 + 3 / 256, 1.0 + 1 / 256, -1.999], dtype=np.float32)
    >>> round_fraction(x).tolist(), round_fraction(x, fraction=1).tolist()
    ([1.015625, 1.0, -2.0], [1.0, 1.0, -2.0])
    """
    ### BEGIN SOLUTION
    drop = 23 - fraction
    bits = np.ascontiguousarray(x).view(np.uint32).astype(np.uint64)
    last = (bits >> drop) & 1
    rounded = ((bits + (1 << (drop - 1)) - 1 + last) >> drop) << drop
    return np.where(np.isnan(x), x, rounded.astype(np.uint32).view(np.float32))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-round_fraction", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    round_fraction,
    {"x": np.array([1.0, 1.0 + 5 / 512, 1.0 + 1 / 256, 1.0 + 3 / 256, 1.998], dtype=np.float32)},
    np.array([1.0, 1.0 + 2 / 256, 1.0, 1.0 + 4 / 256, 2.0]),
    rtol=0,
    atol=0,
    hint="With 7 bits of fraction, numbers between 1 and 2 are 1/128 apart. The second is nearer to 1 + 1/128, "
    "and above it: 1.0 would be truncated elsewhere, too. The third and the fourth lie in the middle, and go "
    "to an even last bit. In the last, the carry runs into the exponent. See 'Half of a float'.",
)


# %% nbgrader={"grade": true, "grade_id": "test-round_fraction-hidden", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Hidden: random numbers of all sizes, every tie, other fractions, the ends, NaN, shapes.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_equal, call, check

rng = np.random.default_rng(2)
EXACT = {"rtol": 0, "atol": 0}


def expected(x, fraction):
    """The nearer of two neighbors, in float64."""
    results = []
    for pattern in x.ravel().view(np.uint32):
        sign, size = int(pattern) >> 31, int(pattern) & 0x7FFFFFFF
        unit = 1 << (23 - fraction)
        below = size // unit * unit

        def value(bits):
            exponent, part = bits >> 23, (bits & 0x7FFFFF) / 2.0**23
            return part * 2.0**-126 if exponent == 0 else (1 + part) * 2.0 ** (exponent - 127)

        down, up = value(size) - value(below), value(below + unit) - value(size)
        odd = below // unit % 2
        near = below + unit if up < down or (up == down and odd) else below
        number = np.inf if near >> 23 == 255 else value(near)
        results.append(-number if sign else number)
    return np.array(results, dtype=np.float32).reshape(x.shape)


def numbers(patterns):
    return np.array(patterns, dtype=np.uint32).view(np.float32)


HINT = (
    "To the nearer neighbor, up or down: add half of the last bit that stays to the bits of the number, a "
    "little less where that bit is 0, and clear the rest. See 'Half of a float'."
)
for fraction in (7, 10, 1, 22, 15):
    x = rng.normal(size=60).astype(np.float32)
    x = np.concatenate([x, x * np.float32(1e20), x * np.float32(1e-20)])
    args = {"x": x} if fraction == 7 else {"x": x, "fraction": fraction}
    check(round_fraction, args, expected(x, fraction), **EXACT, hint=HINT)
    half = 1 << (22 - fraction)
    kept = rng.integers(1 << 30, size=24) >> (23 - fraction) << (23 - fraction)
    ties = numbers(
        np.concatenate([kept + half, kept + half - (half > 1), kept + half + (half > 1)])
    )
    ties = np.concatenate([ties, -ties])
    check(
        round_fraction,
        {"x": ties, "fraction": fraction},
        expected(ties, fraction),
        **EXACT,
        what=f"Numbers in the middle between two neighbors and a bit beside it, with {fraction} bits of fraction",
        hint="In the middle, the neighbor whose last bit is 0, for negative numbers, too; a bit beside it, the "
        "nearer one. See 'Half of a float'.",
    )
carries = numbers([0x3FFFFFFF, 0xBFFFFFFF, 0x42FFFFF0, 0x007FFFFF])
check(
    round_fraction,
    {"x": carries},
    expected(carries, 7),
    **EXACT,
    what="Numbers whose fraction is all ones",
    hint="The carry runs into the exponent: 1.9999 becomes 2, and the largest subnormal number the smallest "
    "normal one. See 'Half of a float'.",
)
ends = numbers([0x7F7FFFFF, 0xFF7FFFFF, 0x7F7F0000, 0x7F800000, 0xFF800000])
check(
    round_fraction,
    {"x": ends},
    np.array([np.inf, -np.inf, ends[2], np.inf, -np.inf], dtype=np.float32),
    **EXACT,
    what="The largest numbers, and infinity",
    hint="Beyond the largest number with 7 bits lies infinity, and infinity stays what it is. "
    "See 'Half of a float'.",
)
small = numbers([0, 0x80000000, 1, 0x8000, 0x18000, 0x8001, 0x00123456, 0x80345678])
check(
    round_fraction,
    {"x": small},
    expected(small, 7),
    **EXACT,
    what="Zero and subnormal numbers",
    hint="Their exponent is 0, and their bits are rounded like all others. See 'Half of a float'.",
)
nans = numbers([0x7FC00000, 0xFFC00000, 0x7F800001, 0xFF800001, 0x7FFFFFFF, 0xFFFFFFFF])
assert_equal(
    np.isnan(call(round_fraction, {"x": nans})).tolist(),
    [True] * 6,
    what="Whether six patterns of bits that are NaN are NaN afterwards",
    hint="A NaN may have its only bit of fraction where bits are dropped, which leaves infinity, and adding "
    "to a NaN of all ones carries over into the sign. NaN needs a branch of its own. See 'Half of a float'.",
)
block = rng.normal(size=(4, 3, 2)).astype(np.float32)
for shaped in (block, block.transpose(2, 0, 1), block[:, ::2], block[0, 0, 0:1]):
    check(round_fraction, {"x": shaped}, expected(shaped, 7), **EXACT, hint=HINT)
### END HIDDEN TESTS


# %% [markdown]
# ## Step 5. A scale, and a zero point
#
# A number x is stored as an integer q, which stands for scale · (q - zero point). Choose the scale and the
# zero point.
#
# - `symmetric_scale`: the integers are from -(2^(b-1) - 1) to 2^(b-1) - 1 with b bits, and the zero point
#   is 0. The number with the largest absolute value becomes the largest integer, or minus that. With an
#   `axis`, each index along that axis has its own scale, such as each output channel of a kernel.
# - `affine_range`: the integers are from 0 to 2^b - 1, for numbers from `smallest` to `largest`. The number 0
#   must be stored exactly, so the range is first widened to include 0 if it does not.
#
# Where there are only zeros, the scale is 1 and the zero point 0.


# %% nbgrader={"grade": false, "grade_id": "scales", "locked": false, "schema_version": 3, "solution": true, "task": false}
def symmetric_scale(w, bits=8, axis=None):
    """Choose the scale of symmetric quantization.

    Parameters
    ----------
    w : ndarray
    bits : int
        2 or more.
    axis : int, optional
        None: one scale for all numbers.

    Returns
    -------
    ndarray of float
        With an axis, as many dimensions as w, all of length 1 but that axis, so that ``w / scale``
        works. Without one, shape ().

    Example
    -------
    >>> w = np.array([[-1.0, 0.5], [12.7, 2.54]])
    >>> round(float(symmetric_scale(w)), 4)
    0.1
    >>> symmetric_scale(w, bits=3, axis=0).round(4).tolist()  # integers from -3 to 3
    [[0.3333], [4.2333]]
    """
    ### BEGIN SOLUTION
    others = None if axis is None else tuple(d for d in range(w.ndim) if d != axis % w.ndim)
    largest = np.abs(np.asarray(w, dtype=float)).max(axis=others, keepdims=axis is not None)
    return np.asarray(np.where(largest > 0, largest / (2 ** (bits - 1) - 1), 1.0))
    ### END SOLUTION


def affine_range(smallest, largest, bits=8):
    """Choose scale and zero point of affine quantization.

    Parameters
    ----------
    smallest, largest : float
        The range of the numbers.
    bits : int

    Returns
    -------
    scale : float
    zero_point : int
        The integer that stands for 0, the nearest one.

    Example
    -------
    >>> affine_range(-1.0, 2.0, bits=2)  # integers 0 to 3 stand for -1, 0, 1, 2
    (1.0, 1)
    """
    ### BEGIN SOLUTION
    smallest, largest = min(smallest, 0.0), max(largest, 0.0)
    scale = (largest - smallest) / (2**bits - 1)
    if scale == 0:
        return 1.0, 0
    return float(scale), round(-smallest / scale)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-scales", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    symmetric_scale,
    {"w": np.array([[-25.4, 1.0], [3.0, 12.7]])},
    np.array(0.2),
    hint="The largest absolute value, 25.4, becomes -127. See 'Eight bits'.",
)
check(
    symmetric_scale,
    {"w": np.array([[-25.4, 1.0], [3.0, 12.7]]), "bits": 8, "axis": 0},
    np.array([[0.2], [0.1]]),
    hint="A scale for each row, with a dimension of length 1 for the columns. See 'A scale for each channel'.",
)
check(
    affine_range,
    {"smallest": -0.5, "largest": 2.05},
    (0.01, 50),
    hint="255 steps from -0.5 to 2.05. 0 lies 50 steps above the smallest: the zero point is positive. "
    "See 'Eight bits'.",
)


# %% nbgrader={"grade": true, "grade_id": "test-scales-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: axes of kernels, negative axes, bits, zeros, ranges that do not contain 0.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_keyword, check_kinds

rng = np.random.default_rng(3)
kernels = rng.normal(size=(4, 3, 2, 5))
kernels[1] *= 30
kernels[2] -= 8
for axis in (0, 1, 3, -1, -4, None):
    wanted = np.abs(kernels)
    if axis is None:
        wanted = np.array(wanted.max() / 127)
    else:
        for other in range(4):
            if other != axis % 4:
                wanted = wanted.max(axis=other, keepdims=True)
        wanted = wanted / 127
    check(
        symmetric_scale,
        {"w": kernels, "bits": 8, "axis": axis},
        wanted,
        hint="The largest absolute value along all other axes, divided by 127; the zeros stay zeros, so "
        "negative numbers count by their size. See 'A scale for each channel'.",
    )
check_keyword(
    symmetric_scale,
    {"w": kernels},
    "bits",
    [(b, np.array(np.abs(kernels).max() / (2 ** (b - 1) - 1))) for b in (8, 4, 2, 16)],
    hint="With b bits the largest integer is 2^(b-1) - 1: 127 with 8, 7 with 4. See 'Eight bits'.",
)
check(
    symmetric_scale,
    {"w": np.array([[0.0, 0.0], [-1.27, 0.5]]), "bits": 8, "axis": 0},
    np.array([[1.0], [0.01]]),
    hint="A channel of zeros has scale 1, and the others the scale that they have.",
)
check(symmetric_scale, {"w": np.zeros((2, 3))}, np.array(1.0), hint="Only zeros: the scale is 1.")
check_kinds(
    symmetric_scale,
    {"w": np.array([[-64.0, 3.0], [5.0, 1.0]])},
    np.array(64 / 127),
    kinds=["float64", "float32", "integers", "strided"],
    hint="See 'Eight bits'.",
)
check(
    symmetric_scale,
    {"w": np.array([[-128, 3], [5, 127]], dtype=np.int8)},
    np.array(128 / 127),
    hint="In int8 the absolute value of -128 is -128: compute it in floating point.",
)
for smallest, largest, bits, wanted in (
    (-1.0, 1.0, 8, (2 / 255, 128)),
    (-0.96, 1.73, 8, (2.69 / 255, 91)),
    (0.0, 6.0, 8, (6 / 255, 0)),
    (-6.0, 0.0, 8, (6 / 255, 255)),
    (2.0, 6.0, 8, (6 / 255, 0)),
    (-6.0, -2.0, 8, (6 / 255, 255)),
    (-1.0, 2.0, 4, (0.2, 5)),
    (-3.0, 4.5, 4, (0.5, 6)),
    (0.0, 0.0, 8, (1.0, 0)),
    (-10.0, 0.05, 6, (10.05 / 63, 63)),
):
    if wanted[1] == 128:  # 127.5: a tie, with two right answers
        continue
    check(
        affine_range,
        {"smallest": smallest, "largest": largest, "bits": bits},
        wanted,
        hint="2^b - 1 steps between the ends, after the range was widened to hold 0. Then q = 0 stands for "
        "the smallest number: the zero point is -smallest / scale, rounded to the nearest integer. "
        "See 'Eight bits'.",
    )
check_keyword(
    affine_range,
    {"smallest": -1.0, "largest": 2.0},
    "bits",
    [(8, (3 / 255, 85)), (4, (0.2, 5)), (2, (1.0, 1))],
    hint="See 'Eight bits'.",
)
### END HIDDEN TESTS


# %% [markdown]
# ## Step 6. There and back
#
# `quantize`: divide by the scale, round to the nearest integer (halfway, either neighbor), add the zero
# point, and move whatever lies outside to the nearest end, `low` or `high`. `dequantize`: return the numbers
# that the integers stand for. Integers come from a chip's memory, in small types such as `uint8`: be careful
# with their arithmetic.


# %% nbgrader={"grade": false, "grade_id": "quantize", "locked": false, "schema_version": 3, "solution": true, "task": false}
def quantize(x, scale, zero_point, low, high):
    """Store numbers as integers.

    Parameters
    ----------
    x : ndarray of float
    scale : float or ndarray that broadcasts with x
    zero_point : int
    low, high : int
        The smallest and the largest integer.

    Returns
    -------
    ndarray of int, same shape as x
        Any type of integers that holds them.

    Example
    -------
    >>> quantize(np.array([-1.0, 0.0, 0.26, 9.0]), 0.1, 5, 0, 15).tolist()
    [0, 5, 8, 15]
    """
    ### BEGIN SOLUTION
    return np.clip(np.rint(x / scale) + zero_point, low, high).astype(np.int32)
    ### END SOLUTION


def dequantize(q, scale, zero_point):
    """Return the numbers that integers stand for.

    Parameters
    ----------
    q : ndarray of int
    scale : float or ndarray that broadcasts with q
    zero_point : int

    Returns
    -------
    ndarray of float, same shape as q

    Example
    -------
    >>> dequantize(np.array([0, 5, 8, 15], dtype=np.uint8), 0.5, 5).tolist()
    [-2.5, 0.0, 1.5, 5.0]
    """
    ### BEGIN SOLUTION
    return scale * (np.asarray(q).astype(float) - zero_point)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-quantize", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    quantize,
    {
        "x": np.array([-0.5, 0.0, 0.014, 2.05, 7.0]),
        "scale": 0.01,
        "zero_point": 50,
        "low": 0,
        "high": 255,
    },
    np.array([0, 50, 51, 255, 255]),
    hint="The zero point is added, so that 0 becomes 50; 7.0 lies outside and becomes 255. See 'Eight bits'.",
)
check(
    dequantize,
    {"q": np.array([0, 50, 51, 255], dtype=np.uint8), "scale": 0.01, "zero_point": 50},
    np.array([-0.5, 0.0, 0.01, 2.05]),
    hint="The zero point is subtracted before the scale is multiplied in. In uint8, 0 - 50 is 206: convert "
    "first. See 'Eight bits'.",
)


# %% nbgrader={"grade": true, "grade_id": "test-quantize-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: negative numbers, scales per channel, the ends, small types, both ways.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_true, call, check

rng = np.random.default_rng(4)
HINT = "Round x / scale to the nearest, add the zero point, and only then clip to the ends. See 'Eight bits'."
for scale, zero, low, high in (
    (0.1, 0, -127, 127),
    (0.02, 30, 0, 255),
    (1.5, 3, 0, 15),
    (0.3, -20, -128, 127),
):
    x = rng.normal(0, 3, size=(5, 7))
    x[0, :3] = 1e6, -1e6, 0.0
    wanted = np.empty(x.shape, dtype=int)
    for place, number in np.ndenumerate(x):
        candidates = np.arange(low, high + 1)
        wanted[place] = candidates[np.abs(scale * (candidates - zero) - number).argmin()]
    args = {"x": x, "scale": scale, "zero_point": zero, "low": low, "high": high}
    check(quantize, args, wanted, hint=HINT)
    q = rng.integers(low, high + 1, size=(4, 6))
    kind = np.int8 if low < 0 else np.uint8
    check(
        dequantize,
        {"q": q.astype(kind), "scale": scale, "zero_point": zero},
        scale * (q - zero),
        hint="scale · (q - zero point), in a type that holds the difference. See 'Eight bits'.",
    )
    got = call(quantize, args)
    assert_true(
        np.issubdtype(got.dtype, np.integer),
        what=f"That quantize returns integers (it returned {got.dtype})",
        hint="Convert to a type of integers after clipping.",
    )
w = rng.normal(size=(3, 4)) * np.array([[1.0], [40.0], [0.01]])
scale = np.abs(w).max(axis=1, keepdims=True) / 127
wanted = np.round(w / scale).astype(int)
check(
    quantize,
    {"x": w, "scale": scale, "zero_point": 0, "low": -127, "high": 127},
    wanted,
    hint="A scale per row works like one for all. See 'A scale for each channel'.",
)
check(
    dequantize,
    {"q": wanted.astype(np.int8), "scale": scale, "zero_point": 0},
    scale * wanted,
    hint="A scale per row works like one for all. See 'A scale for each channel'.",
)
check(
    quantize,
    {
        "x": np.float32([[-1.27, 0.634], [0.0, 0.3]]),
        "scale": 0.01,
        "zero_point": 0,
        "low": -127,
        "high": 127,
    },
    np.array([[-127, 63], [0, 30]]),
    hint=HINT,
)
### END HIDDEN TESTS


# %% [markdown]
# ## Step 7. A product of integers
#
# Inputs q have a zero point, and this time the weights have one, too. Compute the sum over (q - z)(w - v),
# for zero points z of the inputs and v of the weights, exactly, in `int32`. A chip's array multiplies the
# stored integers as they are, so multiply out what is left to correct: a sum per row, a sum per column, and a
# constant. Or subtract first, if you like: the result is the same. Inputs come in 8 bits, which hold neither
# their products nor their sums.


# %% nbgrader={"grade": false, "grade_id": "accumulate", "locked": false, "schema_version": 3, "solution": true, "task": false}
def accumulate(q, w, z, v=0):
    """Multiply matrices of integers, with their zero points taken out.

    Parameters
    ----------
    q : ndarray of uint8 or int8, shape (n, k)
    w : ndarray of uint8 or int8, shape (k, m)
    z, v : int
        Zero points of q and of w.

    Returns
    -------
    ndarray of int32, shape (n, m)
        Exact, for sums that int32 can hold.

    Example
    -------
    >>> q, w = np.array([[200, 10]], dtype=np.uint8), np.array([[100], [-3]], dtype=np.int8)
    >>> accumulate(q, w, z=50).tolist()  # 150 * 100 + (-40) * (-3)
    [[15120]]
    """
    ### BEGIN SOLUTION
    q, w = q.astype(np.int32), w.astype(np.int32)
    rows, columns = q.sum(axis=1, keepdims=True), w.sum(axis=0, keepdims=True)
    return (q @ w - z * columns - v * rows + q.shape[1] * z * v).astype(np.int32)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-accumulate", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    accumulate,
    {
        "q": np.array([[200, 10], [50, 0]], dtype=np.uint8),
        "w": np.array([[100, 1], [-3, 7]], dtype=np.int8),
        "z": 50,
    },
    np.array([[15120, -130], [150, -350]]),
    dtype=np.int32,
    hint="(200 - 50) * 100 + (10 - 50) * (-3) is 15120. In 8 bits, 10 - 50 is 216. See 'Eight bits'.",
)


# %% nbgrader={"grade": true, "grade_id": "test-accumulate-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: long sums, both zero points, other types, many shapes.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check

rng = np.random.default_rng(5)
HINT = (
    "Convert to int32 before anything is multiplied or subtracted. The sum over (q - z)(w - v) is that over "
    "q w, minus z times the sum of each column of w, minus v times the sum of each row of q, plus k z v. "
    "See 'Eight bits'."
)
RANGES = {np.uint8: (0, 256), np.int8: (-128, 128)}
for n, k, m, kind, other, z, v in (
    (3, 4, 2, np.uint8, np.int8, 91, 0),
    (4, 300, 5, np.uint8, np.int8, 145, 0),
    (2, 50, 3, np.uint8, np.uint8, 128, 120),
    (5, 20, 1, np.int8, np.int8, -7, 5),
    (1, 7, 4, np.int8, np.uint8, 0, 200),
    (6, 1, 6, np.uint8, np.int8, 255, -3),
):
    q = rng.integers(*RANGES[kind], size=(n, k)).astype(kind)
    w = rng.integers(*RANGES[other], size=(k, m)).astype(other)
    wanted = (q.astype(int) - z) @ (w.astype(int) - v)
    args = {"q": q, "w": w, "z": z, "v": v} if v else {"q": q, "w": w, "z": z}
    check(accumulate, args, wanted.astype(np.int32), dtype=np.int32, hint=HINT)
q = rng.integers(128, 256, size=(2, 9000)).astype(np.uint8)
w = rng.integers(1, 128, size=(9000, 3)).astype(np.int8)
check(
    accumulate,
    {"q": q, "w": w, "z": 3},
    ((q.astype(int) - 3) @ w.astype(int)).astype(np.int32),
    dtype=np.int32,
    what="Sums of 9,000 products, all of them positive",
    hint="They lie near 100 million. float32 has 24 bits of digits and is exact only up to 17 million: add in "
    "int32. See 'Eight bits'.",
)
### END HIDDEN TESTS


# %% [markdown]
# ## Step 8. A network on your integers
#
# Everything together. A network learns digits from careless photographs in `float32`. Then one unit of its
# hidden layer is made 100 times as large, and the next layer undoes it, so the function is the same. Your
# functions quantize the network, and it reads 1,000 photographs that it has never seen, with one scale per
# layer and with one per unit. It takes a few seconds.


# %% nbgrader={"grade": false, "grade_id": "finale", "locked": true, "schema_version": 3, "solution": false, "task": false}
from course_lib.plotting import tpus as figures


def photographs(part, n, seed):
    pictures, shown = digits.photographed(part.X, part.y, n, seed)
    return torch.tensor(pictures), torch.tensor(shown)


seed_everything(0)
parts = splits.split(*digits.load(), seed=0)
learn, judge = photographs(parts.train, 2000, seed=0), photographs(parts.test, 1000, seed=1)
# The factors stand for a batch normalization: a number for each hidden unit, behind its sum.
first, second, factors = nn.Linear(100, 96), nn.Linear(96, 10), torch.ones(96)
net = nn.ModuleList([first, second]).to(device)
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
for _ in range(25):
    for rows in torch.randperm(2000).split(50):
        x, y = learn[0][rows].to(device), learn[1][rows].to(device)
        loss = nn.functional.cross_entropy(second(first(x).relu()), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
with torch.no_grad():
    first.weight[0] *= 100
    first.bias[0] *= 100
    factors[0] /= 100
W, b, V, c = (
    p.detach().double().cpu().numpy()
    for p in (first.weight.T, first.bias, second.weight.T, second.bias)
)
factors, pictures, shown = factors.double().numpy(), judge[0].double().numpy(), judge[1].numpy()


def hidden_units(x):
    return np.maximum((x @ W + b) * factors, 0)


def right(logits):
    return np.mean(logits.argmax(axis=1) == shown)


def on_integers(axis, bits=8):
    high = 2 ** (bits - 1) - 1
    seen = learn[0].double().numpy()
    ranges = [(a.min(), a.max()) for a in (seen, hidden_units(seen))]
    (s_x, z_x), (s_h, z_h) = (affine_range(float(low), float(top), bits) for low, top in ranges)
    s_w, s_v = symmetric_scale(W, bits, axis), symmetric_scale(V, bits, axis)
    q_w, q_v = (quantize(m, s, 0, -high, high).astype(np.int8) for m, s in ((W, s_w), (V, s_v)))
    q_x = quantize(pictures, s_x, z_x, 0, 2**bits - 1).astype(np.uint8)
    h = np.maximum((s_x * s_w * accumulate(q_x, q_w, z_x) + b) * factors, 0)
    q_h = quantize(h, s_h, z_h, 0, 2**bits - 1).astype(np.uint8)
    return s_h * s_v * accumulate(q_h, q_v, z_h) + c, q_w


print(f"float32: {right(hidden_units(pictures) @ V + c):.1%} right")
panels = {}
for name, axis in (("One scale per layer", None), ("One scale per unit", 1)):
    for bits in (8, 4):
        logits, integers = on_integers(axis, bits)
        print(f"{name}, {bits} bits: {right(logits):.1%} right")
        if bits == 8:
            panels[name] = integers.T[:16]

left, top = feeds(pictures[:6], W[:, :5])
print("the array agrees:", np.allclose(run(left, top), pictures[:6] @ W[:, :5]))
for batch in (1, 128, 1000):
    cycles, used = cost(batch, 100, 96, size=128)
    print(f"first layer, {batch} rows, array of 128 by 128: {cycles:,} cycles, {used:.1%} used")
for rule in (7, 3, 1):
    rounded = round_fraction(W.astype(np.float32), rule)
    error = np.abs(rounded - W).mean() / np.abs(W).mean()
    print(f"weights with {rule} bits of fraction: off by {error:.2%} on average")
figures.integers(panels, 127)


# %% [markdown]
# **What you see.** With one scale per layer, one large unit has taken the integers of all the others. With
# one per unit the network reads as it did before, and even 4 bits cost little. At best a fifth of the array
# is used: the sums of this layer are short, and each block must cross the whole array.
#
# ## Step 9. Ready to ship?
#
# *3 points, read by a person. About 100 words.*
#
# A colleague moves a speech recognizer to a chip with an array of 128 by 128 cells that keeps weights in
# place. It answers one speaker at a time. Its hidden layers are 130 wide. For the 8-bit version, she took
# the ranges of the activations from the test recordings, and reports the accuracy on these recordings: as
# good as in `float32`.
#
# 1. The array is hardly used. Name the two causes, and say what you would change for each.
# 2. What is wrong with the accuracy she reports, and how should it be measured?


# %% [markdown] nbgrader={"grade": true, "grade_id": "ready-to-ship", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# 1. One speaker at a time is a batch of one row: each tile's weights are loaded for a single
#    multiplication each. Collect requests of several speakers into a batch. And a width of 130 takes two
#    tiles in each direction, four instead of one, nearly all padding: choose 128 (or 256) and train again.
# 2. The ranges were chosen on the recordings on which she measures, so the integers fit just these.
#    Other recordings may lie outside and be clipped. Take the ranges from training or validation data,
#    and measure once on test recordings that have decided nothing.
#
# === BEGIN MARK SCHEME ===
# 1. **Two points.** One for the batch of one (few rows per tile; batch requests), one for the padding of
#    130 (two tiles per direction; 128 or another multiple). Half a point each for a cause without a remedy.
# 2. **One point** for the ranges taken from the test set, with training or validation data named as the
#    remedy. Half for "she should use more data".
# === END MARK SCHEME ===
