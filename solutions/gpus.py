# ---
# jupyter:
#   course:
#     answers_in:
#     - course_lib.hardware.roofline
#     - course_lib.hardware.timing
#     - course_lib.hardware.flops
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
# # GPUs: how fast could it be?
#
# - **Time:** 90 minutes. **Difficulty:** 3 of 5. **Points:** 36, of which a person gives 3.
# - **Needs:** the chapter *GPUs*, PyTorch's optimizers. No graphics card.
#
# Before anyone rents a faster machine, somebody should work out what the present one could do. You count what
# layers cost, say what limits their speed, fix a benchmark that makes every machine look splendid, and write
# the part of mixed precision that keeps gradients from vanishing. At the end your functions draw the roofline
# of the machine in front of you.
#
# **What is special here**
#
# - A FLOP is one floating-point operation: a multiplication and an addition are two.
# - Bytes are the minimum that must be moved: each input and each weight is read once, and each output is
#   written once.
# - *Devices* in the tests are simulated: they have their own clock, and reading it at the wrong moment gives
#   a wrong time.
#
# `course_lib.hardware` holds answers to this exercise: leave `roofline`, `timing` and `flops` closed. What
# holds in every exercise (how to check, what the tests look at, what counts) is on the page *How exercises
# work* in the appendix.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import math

import torch
from torch import nn

from course_lib import get_device, seed_everything

device = get_device()

# %% [markdown]
# ## Step 1. What a dense layer costs
#
# Count the forward pass of a dense layer, $XW + b$, for a batch: its FLOPs, and the minimum number of bytes
# that it moves. The bias is added once to each output. What is left out costs nothing: a layer without a bias
# has none to read or add.


# %% nbgrader={"grade": false, "grade_id": "dense_cost", "locked": false, "schema_version": 3, "solution": true, "task": false}
def dense_cost(batch, d_in, d_out, itemsize=4, bias=True):
    """Count what the forward pass of a dense layer does and moves.

    Parameters
    ----------
    batch : int
        Rows of X.
    d_in, d_out : int
        Columns of X, and of the result.
    itemsize : int
        Bytes per number.
    bias : bool
        Whether there is a bias, of d_out numbers.

    Returns
    -------
    flops, bytes : int

    Example
    -------
    >>> dense_cost(1, 2, 3)  # 12 FLOPs for the product and 3 for the bias; 2 + 6 + 3 + 3 numbers
    (15, 56)
    """
    ### BEGIN SOLUTION
    flops = 2 * batch * d_in * d_out + bias * batch * d_out
    numbers = batch * d_in + d_in * d_out + bias * d_out + batch * d_out
    return flops, itemsize * numbers
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-dense_cost", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
from course_lib.exercises import check

check(
    dense_cost,
    {"batch": 4, "d_in": 3, "d_out": 5},
    (140, 208),
    hint="Each of the outputs takes d_in multiplications and as many additions, and one more for the "
    "bias. Four arrays are moved. See 'The roofline'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-dense_cost-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: other sizes, other numbers of bytes, no bias.
### BEGIN HIDDEN TESTS
from course_lib.exercises import check, check_keyword

HINT = (
    "2 batch d_in d_out FLOPs for the product; then read X, W and b, and write the result. "
    "See 'The roofline'."
)
for batch, d_in, d_out in ((1, 7, 2), (64, 10, 3), (128, 1, 1), (3, 1000, 2000)):
    size = batch * d_in + d_in * d_out + batch * d_out
    check(
        dense_cost,
        {"batch": batch, "d_in": d_in, "d_out": d_out},
        ((2 * d_in + 1) * batch * d_out, 4 * (size + d_out)),
        hint=HINT,
    )
args = {"batch": 6, "d_in": 5, "d_out": 4}
check_keyword(
    dense_cost,
    args,
    "itemsize",
    [(1, (264, 78)), (2, (264, 156)), (8, (264, 624))],
    hint=f"Fewer bits move fewer bytes, and the FLOPs stay. {HINT}",
)
check_keyword(
    dense_cost,
    args,
    "bias",
    [(True, (264, 312)), (False, (240, 296))],
    hint=f"A layer without a bias does not read one, and does not add it. {HINT}",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. What a convolution costs
#
# The same for a convolution without a bias, with a square kernel. A kernel of `kernel` by `kernel` spans all
# `c_in` channels, and there are `c_out` of them. The picture is padded with `padding` zeros on each side
# (padding is not stored anywhere, so it is not read) and the kernel moves by `stride`: a side of the result
# is floor((side + 2 padding - kernel) / stride) + 1. Count a multiplication and an addition for each number
# under the kernel, zeros of the padding included. The whole input is read once, including what no kernel
# reaches.


# %% nbgrader={"grade": false, "grade_id": "conv_cost", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv_cost(batch, c_in, c_out, height, width, kernel, stride=1, padding=0, itemsize=4):
    """Count what the forward pass of a convolution does and moves.

    Parameters
    ----------
    batch, c_in, c_out, height, width : int
        The input has shape (batch, c_in, height, width), the output c_out channels.
    kernel, stride, padding : int
        The same in both directions.
    itemsize : int
        Bytes per number.

    Returns
    -------
    flops, bytes : int

    Raises
    ------
    ValueError
        When the kernel is larger than the padded picture.

    Example
    -------
    >>> conv_cost(1, 1, 1, 4, 4, kernel=3)  # a result of 2 by 2, 9 products each
    (72, 116)
    """
    ### BEGIN SOLUTION
    sides = [(side + 2 * padding - kernel) // stride + 1 for side in (height, width)]
    if kernel > min(height, width) + 2 * padding:
        raise ValueError(
            f"a kernel of {kernel} does not fit into {height} x {width}, padded by {padding}"
        )
    results = batch * c_out * sides[0] * sides[1]
    numbers = batch * c_in * height * width + c_out * c_in * kernel**2 + results
    return 2 * results * c_in * kernel**2, itemsize * numbers
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-conv_cost", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
from course_lib.exercises import check

check(
    conv_cost,
    {"batch": 2, "c_in": 3, "c_out": 4, "height": 8, "width": 6, "kernel": 3, "padding": 1},
    (20736, 3120),
    hint="How many numbers has the result, and how many products does each take? Then read the "
    "pictures and the kernels, and write the result. See 'The roofline'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-conv_cost-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: strides, padding, pictures that are not square, kernels that do not fit.
### BEGIN HIDDEN TESTS
from course_lib.exercises import check, check_keyword, check_raises

HINT = (
    "A side of the result is floor((side + 2 padding - kernel) / stride) + 1, and each of its numbers "
    "takes c_in kernel² products. See 'The roofline'."
)


def reference(batch, c_in, c_out, height, width, kernel, stride=1, padding=0, itemsize=4):
    places = 1
    for side in (height, width):
        places *= len(range(0, side + 2 * padding - kernel + 1, stride))
    flops = 2 * batch * c_out * places * c_in * kernel * kernel
    moved = batch * c_in * height * width + c_out * c_in * kernel * kernel + batch * c_out * places
    return flops, itemsize * moved


for sizes in ((1, 1, 1, 5, 5, 5), (8, 3, 16, 9, 12, 3), (2, 4, 1, 7, 3, 1), (1, 2, 3, 4, 11, 4)):
    args = dict(zip(("batch", "c_in", "c_out", "height", "width", "kernel"), sizes, strict=True))
    check(conv_cost, args, reference(**args), hint=HINT)
    both = {**args, "stride": 2, "padding": 1}
    check(conv_cost, both, reference(**both), hint=HINT)
args = {"batch": 3, "c_in": 2, "c_out": 5, "height": 10, "width": 13, "kernel": 3}
for keyword, values in (("stride", (2, 3, 20)), ("padding", (1, 2)), ("itemsize", (1, 2, 8))):
    cases = [(value, reference(**args, **{keyword: value})) for value in values]
    check_keyword(conv_cost, args, keyword, cases, hint=HINT)
for height, width in ((4, 9), (9, 4)):
    small = {"batch": 1, "c_in": 1, "c_out": 1, "height": height, "width": width, "kernel": 5}
    check_raises(
        ValueError, conv_cost, small, hint="A kernel that does not fit has no result: say so."
    )
    check(
        conv_cost,
        {**small, "kernel": 6, "padding": 1},
        reference(**{**small, "kernel": 6, "padding": 1}),
        hint=f"With its padding the picture is large enough. {HINT}",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. Which limit, and which batch?
#
# `least_time` gives the minimum time an operation takes on a machine, and what it waits for: `"memory"` left
# of the ridge, `"compute"` at the ridge and right of it.
#
# `smallest_batch` answers a question that everyone who trains asks: how many rows must a batch have for a
# dense layer (without a bias) to stop being memory-bound? For thin layers there is no such batch, since
# inputs and outputs must be moved, too: then the answer is None.


# %% nbgrader={"grade": false, "grade_id": "least_time", "locked": false, "schema_version": 3, "solution": true, "task": false}
def least_time(flops, bytes, peak, bandwidth):
    """Say how long an operation takes at least, and what sets its pace.

    Parameters
    ----------
    flops, bytes : float
        What it does and moves; bytes is more than 0.
    peak : float
        FLOPs per second of the machine.
    bandwidth : float
        Bytes per second of the machine.

    Returns
    -------
    seconds : float
    bound : str
        "memory" or "compute".

    Example
    -------
    >>> least_time(flops=100, bytes=50, peak=10, bandwidth=10)
    (10.0, 'compute')
    """
    ### BEGIN SOLUTION
    bound = "memory" if flops / bytes < peak / bandwidth else "compute"
    return max(flops / peak, bytes / bandwidth), bound
    ### END SOLUTION


def smallest_batch(d_in, d_out, peak, bandwidth, itemsize=4):
    """Find the smallest batch with which a dense layer is not memory-bound.

    Parameters
    ----------
    d_in, d_out : int
        The layer has no bias.
    peak, bandwidth : float
        FLOPs and bytes per second of the machine.
    itemsize : int
        Bytes per number.

    Returns
    -------
    int or None
        None when the layer is memory-bound with any batch.

    Example
    -------
    >>> smallest_batch(4096, 4096, peak=100e9, bandwidth=10e9)
    21
    """
    ### BEGIN SOLUTION
    moved = itemsize * peak / bandwidth  # FLOPs that each number must be worth
    gained = 2 * d_in * d_out - moved * (d_in + d_out)  # by each row
    if gained <= 0:
        return None
    return max(1, math.ceil(moved * d_in * d_out / gained))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-least_time", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
from course_lib.exercises import check

check(
    least_time,
    {"flops": 6e9, "bytes": 2e9, "peak": 1e11, "bandwidth": 1e10},
    (0.2, "memory"),
    hint="The bytes take 0.2 s, the FLOPs 0.06 s, and both go on at the same time. See 'The roofline'.",
)
check(
    smallest_batch,
    {"d_in": 100, "d_out": 100, "peak": 1.9e11, "bandwidth": 1e10},
    159,
    hint="Write down the intensity of the layer for B rows, and solve for B. See 'The roofline'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-least_time-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: both sides of the ridge and the ridge itself; batches by trying them all.
### BEGIN HIDDEN TESTS
from course_lib.exercises import assert_equal, call, check, check_keyword

ROOF = "The longer of the two waits counts, and the ridge is peak / bandwidth. See 'The roofline'."
for flops, moved, peak, bandwidth in (
    (4e9, 1e9, 8e9, 4e9),
    (1e9, 4e9, 8e9, 4e9),
    (1.0, 1000.0, 3.0, 5.0),
    (1000.0, 1.0, 3.0, 5.0),
    (0.0, 12.0, 3.0, 4.0),
):
    check(
        least_time,
        {"flops": flops, "bytes": moved, "peak": peak, "bandwidth": bandwidth},
        (
            max(flops / peak, moved / bandwidth),
            "memory" if flops * bandwidth < moved * peak else "compute",
        ),
        hint=ROOF,
    )
check(
    least_time,
    {"flops": 64, "bytes": 16, "peak": 8, "bandwidth": 2},
    (8.0, "compute"),
    hint=f"Exactly at the ridge both waits are equally long: the text calls that compute. {ROOF}",
)

BATCH = (
    "Each row adds 2 d_in d_out FLOPs and d_in + d_out numbers; the weights are moved once. Where a "
    "row's FLOPs do not pay for its own numbers, no batch is large enough. See 'The batch'."
)


def enough(batch, d_in, d_out, ridge, itemsize):
    moved = itemsize * (batch * d_in + d_in * d_out + batch * d_out)
    return 2 * batch * d_in * d_out >= ridge * moved


def by_trying(d_in, d_out, ridge, itemsize=4):
    found = (b for b in range(1, 50_000) if enough(b, d_in, d_out, ridge, itemsize))
    return next(found, None)


for d_in, d_out, ridge in (
    (512, 512, 10.1),
    (64, 1000, 7.3),
    (1000, 64, 7.3),
    (300, 200, 25.7),
    (2048, 2048, 0.3),
    (4096, 4096, 150.7),
    (64, 64, 15.975),  # hardly enough: a batch of some 20,000
):
    check(
        smallest_batch,
        {"d_in": d_in, "d_out": d_out, "peak": ridge * 1e9, "bandwidth": 1e9},
        by_trying(d_in, d_out, ridge),
        hint=BATCH,
    )
check(
    smallest_batch,
    {"d_in": 64, "d_out": 64, "peak": 8e9, "bandwidth": 1e9},
    32,
    hint=f"32 rows are exactly at the ridge, and that is not memory-bound. {BATCH}",
)
for d_in, d_out, ridge in ((16, 16, 10.0), (2, 5000, 3.0), (1, 1, 1.0)):
    assert_equal(
        call(
            smallest_batch,
            {"d_in": d_in, "d_out": d_out, "peak": ridge * 1e9, "bandwidth": 1e9},
        ),
        None,
        what=f"smallest_batch for {d_in} inputs, {d_out} outputs and a ridge of {ridge:g}",
        hint=BATCH,
    )
check_keyword(
    smallest_batch,
    {"d_in": 700, "d_out": 500, "peak": 30.3e9, "bandwidth": 1e9},
    "itemsize",
    [(size, by_trying(700, 500, 30.3, size)) for size in (1, 2, 4)],
    hint=BATCH,
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. Blocks that fit
#
# A product of two (n, n) matrices is computed in blocks, as in the chapter: for each block of the result,
# a row of blocks of A and a column of blocks of B come in, one pair after the other, and the block of the
# result stays in the cache until it is finished and is then written once. Blocks at the edge are smaller
# where `block` does not divide n.
#
# `largest_block` finds the largest block size at which three blocks, one from each matrix, fit into a cache.
# `traffic` counts the bytes that are read and written in all.


# %% nbgrader={"grade": false, "grade_id": "traffic", "locked": false, "schema_version": 3, "solution": true, "task": false}
def largest_block(cache, itemsize=4):
    """Find the side of the largest block of which three fit into a cache.

    Parameters
    ----------
    cache : int
        Bytes.
    itemsize : int
        Bytes per number.

    Returns
    -------
    int
        0 if not even three numbers fit.

    Example
    -------
    >>> largest_block(1024), largest_block(10)
    (9, 0)
    """
    ### BEGIN SOLUTION
    return math.isqrt(cache // (3 * itemsize))
    ### END SOLUTION


def traffic(n, block, itemsize=4):
    """Count the bytes that a product of (n, n) matrices moves, computed in blocks.

    Parameters
    ----------
    n : int
    block : int
        Rows and columns of a block, at most n.
    itemsize : int
        Bytes per number.

    Returns
    -------
    int

    Example
    -------
    >>> traffic(4, 2)  # each number of A and B is read twice, each of C is written once
    320
    """
    ### BEGIN SOLUTION
    blocks = -(-n // block)
    return itemsize * (2 * blocks + 1) * n * n
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-traffic", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
from course_lib.exercises import check

check(
    largest_block,
    {"cache": 30_000},
    50,
    hint="Three squares of side b are 3 b² numbers. See 'A product in blocks'.",
)
check(
    traffic,
    {"n": 100, "block": 20},
    440_000,
    hint="How often is a number of A needed, once for each column of blocks of the result? See 'A "
    "product in blocks'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-traffic-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: blocks that fit exactly, blocks that do not divide n, one block, single numbers.
### BEGIN HIDDEN TESTS
from course_lib.exercises import check, check_keyword

FIT = "The largest whole b with 3 b² itemsize <= cache. See 'A product in blocks'."
for cache in (0, 11, 12, 47, 48, 299, 300, 32_768, 12 * 1000**2 - 1, 12 * 1000**2):
    expected = next(b for b in range(1002) if 12 * (b + 1) ** 2 > cache)
    check(largest_block, {"cache": cache}, expected, hint=FIT)
check_keyword(
    largest_block, {"cache": 4800}, "itemsize", [(1, 40), (2, 28), (4, 20), (8, 14)], hint=FIT
)


def counted(n, block, itemsize=4):
    starts = range(0, n, block)
    read = written = 0
    for top in starts:
        for left in starts:
            rows, columns = min(block, n - top), min(block, n - left)
            for inner in starts:
                depth = min(block, n - inner)
                read += rows * depth + depth * columns
            written += rows * columns
    return itemsize * (read + written)


MOVED = (
    "For each column of blocks in the result all of A is read, for each row of blocks all of B, and C "
    "is written once. A last block that is smaller counts as a block. See 'A product in blocks'."
)
for n, block in ((8, 8), (8, 1), (12, 5), (30, 4), (7, 6), (1, 1), (64, 16)):
    check(traffic, {"n": n, "block": block}, counted(n, block), hint=MOVED)
check_keyword(
    traffic,
    {"n": 10, "block": 3},
    "itemsize",
    [(size, counted(10, 3, size)) for size in (1, 2, 8)],
    hint=MOVED,
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. A benchmark that lies
#
# Somebody has published this benchmark, along with splendid numbers. It raises no error. Five things are
# wrong with it.
#
# A *device* has a `clock()`, which returns seconds, and a `synchronize()`, which waits until the device has
# done everything it was asked to do. `make()` makes an input on the device, and `run(x)` asks the device for
# one operation on it. Both return at once, and the device works later.


# %% nbgrader={"grade": false, "grade_id": "lies", "locked": true, "schema_version": 3, "solution": false, "task": false}
def lying_benchmark(device, make, run, flops, calls=10, repeats=5, warmup=2):
    """Measure the FLOP/s of an operation, wrongly in five ways."""
    measured = []
    for _ in range(repeats):
        begin = device.clock()
        for _ in range(calls):
            x = make()
            run(x)
        end = device.clock()
        measured.append((end - begin) / 1000)  # from milliseconds to seconds
    return flops * calls / (sum(measured) / repeats)


class Pretended:
    """A device of which everything is known.

    Asking takes `ask` seconds, an operation `work` and making an input `making` on the device. The
    first operation takes `first` seconds more. Waiting costs `wait` seconds each time.
    """

    def __init__(self, ask=1e-5, work=2e-3, making=0.0, first=0.0, wait=0.0):
        self.ask, self.work, self.making, self.first, self.wait = ask, work, making, first, wait
        self.now = self.busy_until = 0.0
        self.runs = 0

    def clock(self):
        return self.now

    def synchronize(self):
        self.now = max(self.now, self.busy_until) + self.wait

    def _queue(self, seconds):
        self.now += self.ask
        self.busy_until = max(self.now, self.busy_until) + seconds

    def make(self):
        self._queue(self.making)

    def run(self, x):
        self._queue(self.work + (self.first if self.runs == 0 else 0.0))
        self.runs += 1


card = Pretended(making=1e-3, first=0.5)
claimed = lying_benchmark(card, card.make, card.run, flops=2e9)
print(f"true: {2e9 / card.work / 1e12:.1f} TFLOP/s, claimed: {claimed / 1e12:,.0f} TFLOP/s")

# %% [markdown]
# Write it again, without the five faults. The input should be made once, and be finished before a clock is
# read. `warmup` operations come first and are not measured. Then `repeats` times: `calls` operations are
# asked for one after the other, the device is waited for once while the clock runs, and the time of all of
# them is noted. The shortest of these times counts.


# %% nbgrader={"grade": false, "grade_id": "benchmark", "locked": false, "schema_version": 3, "solution": true, "task": false}
def benchmark(device, make, run, flops, calls=10, repeats=5, warmup=2):
    """Measure the FLOPs per second of an operation.

    Parameters
    ----------
    device : object
        With `clock()`, which returns seconds, and `synchronize()`.
    make : callable
        `make()` asks for an input.
    run : callable
        `run(x)` asks for one operation on an input.
    flops : float
        Of one operation.
    calls : int
        Operations in a measurement.
    repeats : int
        Measurements, of which the shortest counts.
    warmup : int
        Operations before the first measurement.

    Returns
    -------
    float
        FLOPs per second.

    Example
    -------
    >>> card = Pretended(work=2e-3, making=1e-3, first=0.5)
    >>> round(benchmark(card, card.make, card.run, flops=2e9, calls=100) / 1e12, 2)
    1.0
    """
    ### BEGIN SOLUTION
    x = make()
    for _ in range(warmup):
        run(x)
    device.synchronize()
    shortest = math.inf
    for _ in range(repeats):
        begin = device.clock()
        for _ in range(calls):
            run(x)
        device.synchronize()
        shortest = min(shortest, device.clock() - begin)
    return flops * calls / shortest
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-benchmark", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
from course_lib.exercises import assert_close, call, probe


def on_a_plain_device(benchmark, Pretended):
    card = Pretended(ask=1e-6, work=1e-3)
    args = {"device": card, "make": card.make, "run": card.run, "flops": 1e9}
    return call(benchmark, {**args, "calls": 1000}, copies=False)


assert_close(
    probe(on_a_plain_device, benchmark, Pretended),
    1e12,
    rtol=0.01,
    what="benchmark of an operation of 1e9 FLOPs that takes a millisecond",
    hint="FLOPs of all calls, divided by the seconds until the device has done them. See 'A clock "
    "that waits'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-benchmark-waits", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: the clock is read when the device has finished, and the device is waited for once.
### BEGIN HIDDEN TESTS
from course_lib.exercises import assert_close, call, probe


def measured(benchmark, Pretended, settings, options):
    card = Pretended(**settings)
    args = {"device": card, "make": card.make, "run": card.run, "flops": 6e8}
    return call(benchmark, {**args, **options}, copies=False)


assert_close(
    probe(measured, benchmark, Pretended, {"work": 3e-3}, {"calls": 50}),
    6e8 / 3e-3,
    rtol=0.02,
    what="benchmark of an operation of 6e8 FLOPs that takes 3 ms and is asked for in 10 µs",
    hint="Wait for the device before the clock is read at the end. See 'A clock that waits'.",
)
assert_close(
    probe(measured, benchmark, Pretended, {"work": 1e-4, "wait": 1e-3}, {"calls": 20}),
    6e8 * 20 / (20 * 1e-4 + 1e-3 + 1e-5),
    rtol=0.02,
    what="benchmark where waiting costs 1 ms each time",
    hint="Ask for all calls first and wait once: a device that is waited for after each call rests "
    "in between. See 'A clock that waits'.",
)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-benchmark-inputs", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: the input is made before, and is finished.
### BEGIN HIDDEN TESTS
from course_lib.exercises import assert_close, assert_equal, call, probe


def measured(benchmark, Pretended, making):
    card = Pretended(work=1e-3, making=making, ask=1e-7)
    made, used = [], []

    def make():
        made.append(len(made))
        card.make()
        return f"input {made[-1]}"

    def run(x):
        used.append(x)
        card.run(x)

    args = {"device": card, "make": make, "run": run, "flops": 1e6, "repeats": 1, "warmup": 1}
    return call(benchmark, {**args, "calls": 100}, copies=False), len(made), sorted(set(used))


def unwarmed(benchmark, Pretended):
    card = Pretended(work=1e-3, making=10.0, ask=1e-7)
    args = {"device": card, "make": card.make, "run": card.run, "flops": 1e6, "warmup": 0}
    return call(benchmark, {**args, "calls": 100, "repeats": 1}, copies=False)


got = probe(measured, benchmark, Pretended, 10.0)
HINT = "Make the input once, and wait for it before the clock is read for the first time."
assert_equal(
    got[1:], (1, ["input 0"]), what="how many inputs were made, and which were used", hint=HINT
)
assert_close(
    got[0],
    1e9,
    rtol=0.01,
    what="benchmark where making an input takes the device 10 s",
    hint=HINT,
)
got = probe(unwarmed, benchmark, Pretended)
assert_close(got, 1e9, rtol=0.01, what="the same with warmup=0", hint=HINT)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-benchmark-warmup", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: the first calls are not measured.
### BEGIN HIDDEN TESTS
from course_lib.exercises import assert_close, assert_equal, call, probe


def measured(benchmark, Pretended, warmup, calls, repeats):
    card = Pretended(work=1e-3, ask=1e-7, first=5.0)
    args = {"device": card, "make": card.make, "run": card.run, "flops": 1e6, "warmup": warmup}
    rate = call(benchmark, {**args, "calls": calls, "repeats": repeats}, copies=False)
    return rate, card.runs


HINT = (
    "`warmup` operations come first, and the device has finished them before the clock is read. See "
    "'A clock that waits'."
)
rate, runs = probe(measured, benchmark, Pretended, 1, 40, 1)
assert_equal(runs, 41, what="operations in all, for warmup=1, calls=40, repeats=1", hint=HINT)
assert_close(rate, 1e9, rtol=0.01, what="benchmark where the first call takes 5 s more", hint=HINT)
rate, runs = probe(measured, benchmark, Pretended, 0, 40, 1)
assert_equal(runs, 40, what="operations in all, for warmup=0, calls=40, repeats=1", hint=HINT)
assert_close(rate, 40e6 / 5.04, rtol=0.01, what="the same without any warm-up", hint=HINT)
rate, runs = probe(measured, benchmark, Pretended, 3, 7, 4)
assert_equal(runs, 31, what="operations in all, for warmup=3, calls=7, repeats=4", hint=HINT)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-benchmark-shortest", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: the shortest of the measurements counts, and the default arguments are the text's.
### BEGIN HIDDEN TESTS
from course_lib.exercises import assert_close, assert_equal, call, probe


def measured(benchmark, Pretended, slow, options):
    class Disturbed(Pretended):
        """Another program makes some operations slower."""

        def run(self, x):
            self.work = slow.get(self.runs, 1e-3)
            super().run(x)

    card = Disturbed(ask=1e-7)
    args = {"device": card, "make": card.make, "run": card.run, "flops": 1e6}
    return call(benchmark, {**args, **options}, copies=False), card.runs


HINT = (
    "Other programs can only make a measurement longer: the shortest of `repeats` counts, no mean. "
    "See 'A clock that waits'."
)
# Warm-up: run 0. Measurements: 1-20, 21-40, 41-60. The second is left in peace.
rate, _ = probe(
    measured, benchmark, Pretended, {5: 0.5, 50: 0.02}, {"calls": 20, "repeats": 3, "warmup": 1}
)
assert_close(
    rate,
    1e9,
    rtol=0.01,
    what="benchmark where two of three measurements were disturbed",
    hint=HINT,
)
# Each measurement is disturbed, and the last one least.
rate, _ = probe(
    measured,
    benchmark,
    Pretended,
    {2: 0.5, 22: 0.3, 42: 0.1},
    {"calls": 20, "repeats": 3, "warmup": 1},
)
assert_close(
    rate,
    20e6 / (19e-3 + 0.1),
    rtol=0.01,
    what="benchmark where all of three measurements were disturbed",
    hint=f"A measurement is the time of all its calls. {HINT}",
)
rate, runs = probe(measured, benchmark, Pretended, {}, {})
assert_equal(runs, 52, what="operations in all, with the default arguments", hint=HINT)
assert_close(rate, 1e9, rtol=0.01, what="benchmark with the default arguments", hint=HINT)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. What gets lost
#
# Two questions to ask of a network before it is trained in 16 bits. What share of its gradients becomes zero?
# And by how much may the loss be multiplied before one of them becomes infinite?
#
# Multiply in `float32`, then round to the 16-bit type.


# %% nbgrader={"grade": false, "grade_id": "lost_share", "locked": false, "schema_version": 3, "solution": true, "task": false}
def lost_share(gradients, factor=1.0, dtype=torch.float16):
    """Find the share of the gradients that a type with fewer bits rounds to zero.

    Parameters
    ----------
    gradients : list of Tensor, float32
        Of any shapes. Entries that are zero already cannot be lost: they do not count.
    factor : float
        What the loss, and with it each gradient, is multiplied by.
    dtype : torch.dtype

    Returns
    -------
    float
        Between 0 and 1; 0 if there are no entries that could be lost.

    Example
    -------
    >>> lost_share([torch.tensor([1e-9, 1e-3, 0.0])]), lost_share([torch.tensor([1e-9])], 2.0**16)
    (0.5, 0.0)
    """
    ### BEGIN SOLUTION
    lost = there = 0
    for gradient in gradients:
        kept = (gradient * factor).to(dtype) != 0
        there += int((gradient != 0).sum())
        lost += int(((gradient != 0) & ~kept).sum())
    return lost / there if there else 0.0
    ### END SOLUTION


def largest_factor(gradients, dtype=torch.float16):
    """Find the largest power of two by which the loss may be multiplied.

    Parameters
    ----------
    gradients : list of Tensor, float32
        At least one entry is above 1e-20 in size.
    dtype : torch.dtype

    Returns
    -------
    float
        The largest power of two (1/2, 1, 2, 4, ...) for which no gradient becomes infinite in `dtype`.

    Example
    -------
    >>> largest_factor([torch.tensor([0.5, -3.0]), torch.tensor([[0.25]])])  # 3 * 16384 < 65504
    16384.0
    """
    ### BEGIN SOLUTION
    largest = max(gradient.abs().max() for gradient in gradients if gradient.numel())
    power = 127 - math.floor(math.log2(largest.item()))
    while (largest.double() * 2.0**power).to(dtype).isinf():
        power -= 1
    return 2.0**power
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-lost_share", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch

from course_lib.exercises import check

gradients = [torch.tensor([[1e-3, -1e-9], [2e-8, 0.0]]), torch.tensor([-5e-7, 3e-10])]
check(
    lost_share,
    {"gradients": gradients},
    0.6,
    hint="Of the five entries that are not zero, three become zero: float16 rounds what is below about "
    "3e-8 to zero. See 'Fewer bits'.",
)
check(
    largest_factor,
    {"gradients": gradients},
    33554432.0,
    hint="0.001 times 2^25 is 33,554, and times 2^26 it is more than 65,504. See 'Fewer bits'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-lost_share-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: other types and factors, zeros, the exact edges.
### BEGIN HIDDEN TESTS
import torch

from course_lib.exercises import check, check_keyword

SHARE = "Multiply, round with .to(dtype), and count among the entries that were not zero. See 'Fewer bits'."
generator = torch.Generator().manual_seed(0)
spread = [
    2.0 ** torch.randint(-40, 4, shape, generator=generator).float()
    for shape in ((6, 5), (40,), (2, 3, 4))
]
flat = torch.cat([part.flatten() for part in spread])
check_keyword(
    lost_share,
    {"gradients": spread},
    "factor",
    [(f, ((flat * f).half() == 0).double().mean().item()) for f in (1.0, 2.0**10, 2.0**-5)],
    hint=f"A factor helps if it comes before the rounding. {SHARE}",
)
check(
    lost_share,
    {"gradients": [torch.tensor([4e-8, -3.1e-8, 2.9e-8, 5.9e-8])]},
    0.25,
    hint=f"Let PyTorch round: what is nearer to the smallest number than to zero stays. {SHARE}",
)
tiny = [torch.tensor([1e-39, 1e-45, 1e-30, -1e-41])]
check_keyword(
    lost_share,
    {"gradients": tiny},
    "dtype",
    [(torch.bfloat16, 0.5), (torch.float16, 1.0), (torch.float32, 0.0)],
    hint=SHARE,
)
for empty in ([torch.zeros(3)], [torch.zeros(0)], []):
    check(lost_share, {"gradients": empty}, 0.0, hint=f"Nothing can be lost here. {SHARE}")
check(
    lost_share,
    {"gradients": [torch.zeros(7), torch.tensor([-1e-9, 1e-2]), torch.zeros(0, 4)]},
    0.5,
    hint=f"Zeros do not count, neither as lost nor as kept. {SHARE}",
)
# One large array and one small: a share of all entries, no mean of shares.
check(
    lost_share,
    {"gradients": [torch.full((9,), 1e-9), torch.tensor([1.0])]},
    0.9,
    hint=f"Count over all gradients together. {SHARE}",
)

MOST = (
    "Only the largest entry decides, whatever its sign. 65,504 is the largest float16, and what is "
    "rounded to it still counts as finite. See 'Fewer bits'."
)
for largest, expected in (
    (3.0, 16384.0),
    (1.0, 32768.0),
    (65504.0, 1.0),
    (65519.0, 1.0),
    (65520.0, 0.5),
    (300000.0, 0.125),
    (1e-6, 2.0**35),
):
    for sign in (1, -1):
        check(
            largest_factor,
            {"gradients": [torch.tensor([0.0, 1e-9]), torch.tensor([[sign * largest]])]},
            expected,
            hint=MOST,
        )
check_keyword(
    largest_factor,
    {"gradients": [torch.tensor([2.0**100])]},
    "dtype",
    [(torch.bfloat16, 2.0**27), (torch.float16, 2.0**-85)],
    hint=MOST,
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 7. A loss scaler
#
# Nobody computes the largest factor by hand. A *loss scaler* finds it while training goes on:
#
#     loss = ...
#     scaler.scale(loss).backward()
#     scaler.step(optimizer)
#
# `scale` multiplies the loss by the present factor. `step` divides the gradients of all of the optimizer's
# parameters by it. If all are finite (no inf, no nan), the optimizer takes its step. After `patience` such
# steps in a row the factor is multiplied by `growth`, and the count starts over. If any entry is not finite,
# the optimizer takes no step, the factor is multiplied by `backoff`, and the count starts over as well (what
# the gradients are after a bad step does not matter). `step` returns True if the optimizer took its step, and
# False if not.
#
# A parameter may have no gradient (`None`): it is left alone.


# %% nbgrader={"grade": false, "grade_id": "LossScaler", "locked": false, "schema_version": 3, "solution": true, "task": false}
class LossScaler:
    """Find the factor of the loss with which 16-bit gradients neither vanish nor overflow.

    Parameters
    ----------
    factor : float
        To begin with; 2**16 by default.
    growth, backoff : float
        What the factor is multiplied by after `patience` good steps, and after a bad one; 2 and 1/2 by
        default.
    patience : int
        Good steps in a row before the factor grows; 2,000 by default.

    Attributes
    ----------
    factor : float
        The present one.

    Example
    -------
    >>> w = torch.nn.Parameter(torch.ones(2))
    >>> optimizer, scaler = torch.optim.SGD([w], lr=0.5), LossScaler(factor=8.0, patience=1)
    >>> scaler.scale(w.sum()).backward()
    >>> scaler.step(optimizer), w.tolist(), scaler.factor
    (True, [0.5, 0.5], 16.0)
    """

    ### BEGIN SOLUTION
    def __init__(self, factor=2.0**16, growth=2.0, backoff=0.5, patience=2000):
        self.factor, self.growth, self.backoff, self.patience = factor, growth, backoff, patience
        self.good = 0

    def scale(self, loss):
        return loss * self.factor

    def step(self, optimizer):
        gradients = [
            p.grad
            for group in optimizer.param_groups
            for p in group["params"]
            if p.grad is not None
        ]
        for gradient in gradients:
            gradient.div_(self.factor)
        if not all(gradient.isfinite().all() for gradient in gradients):
            self.factor *= self.backoff
            self.good = 0
            return False
        optimizer.step()
        self.good += 1
        if self.good == self.patience:
            self.factor *= self.growth
            self.good = 0
        return True

    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-LossScaler", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch

from course_lib import get_device
from course_lib.exercises import assert_close, assert_equal, call, probe


def two_steps(LossScaler, device):
    w = torch.nn.Parameter(torch.tensor([1.0, 2.0], device=device))
    optimizer = torch.optim.SGD([w], lr=0.1)
    scaler = call(LossScaler, {"factor": 1024.0, "patience": 1000})
    seen = []
    for broken in (False, True):
        optimizer.zero_grad()
        scaler.scale((w * w).sum()).backward()
        seen.append(w.grad.tolist())
        if broken:
            w.grad[0] = float("inf")
        seen.append([bool(scaler.step(optimizer)), w.tolist(), float(scaler.factor)])
    return seen


got = probe(two_steps, LossScaler, get_device())
SECTION = "See 'Fewer bits'."
assert_close(
    got[0],
    [2048.0, 4096.0],
    what="the gradients of w1² + w2² at (1, 2), with a factor of 1,024",
    hint=f"`scale` multiplies the loss by the factor. {SECTION}",
)
assert_close(
    got[1][1],
    [0.8, 1.6],
    what="w after SGD's step with a rate of 0.1",
    hint=f"The optimizer must see the gradient of the loss as it was: divide first. {SECTION}",
)
assert_equal(
    [got[1][0], got[1][2], got[3][0], got[3][2]],
    [True, 1024.0, False, 512.0],
    what="whether a step was taken, and the factor after it, for a good step and then a bad one",
    hint=f"step returns whether the optimizer took its step. After a bad one the factor shrinks. {SECTION}",
)
assert_close(
    got[3][1], [0.8, 1.6], what="w after the bad step", hint=f"No step was to be taken. {SECTION}"
)

# %% nbgrader={"grade": true, "grade_id": "test-LossScaler-hidden", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Hidden: growth and backoff, what resets the count, several parameters and groups, no gradient, two scalers.
### BEGIN HIDDEN TESTS
import torch

from course_lib import get_device
from course_lib.exercises import assert_close, assert_equal, call, probe

SECTION = "See 'Fewer bits'."


def factors(LossScaler, device, options, bad, steps):
    """The factor after each step; bad ones have an entry that is not finite."""
    w = torch.nn.Parameter(torch.ones(3, device=device))
    optimizer = torch.optim.SGD([w], lr=0.0)
    scaler = call(LossScaler, options)
    seen = []
    for k in range(steps):
        w.grad = torch.ones(3, device=device)
        if k in bad:
            w.grad[k % 3] = bad[k]
        scaler.step(optimizer)
        seen.append(float(scaler.factor))
    return seen


inf, nan = float("inf"), float("nan")
for what, options, bad, expected in (
    (
        "growth after every third good step",
        {"factor": 4.0, "patience": 3},
        {},
        [4.0, 4.0, 8.0, 8.0, 8.0, 16.0, 16.0],
    ),
    (
        "a bad step among good ones, which begins the count anew",
        {"factor": 4.0, "patience": 3},
        {1: inf, 4: -inf},
        [4.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 2.0],
    ),
    (
        "a gradient that is not a number",
        {"factor": 1.0, "patience": 2},
        {0: nan, 3: nan},
        [0.5, 0.5, 1.0, 0.5, 0.5, 1.0],
    ),
    (
        "growth of 3 and backoff of 0.25",
        {"factor": 16.0, "growth": 3.0, "backoff": 0.25, "patience": 2},
        {2: inf},
        [16.0, 48.0, 12.0, 12.0, 36.0],
    ),
    ("the default arguments", {}, {1: inf}, [65536.0, 32768.0, 32768.0]),
):
    got = probe(factors, LossScaler, get_device(), options, bad, len(expected))
    assert_close(
        got,
        expected,
        what=f"the factor after each step: {what}",
        hint="`patience` good steps in a row make it grow, one bad step (inf or nan) makes it shrink, "
        f"and both begin the count anew. {SECTION}",
    )
got = probe(
    factors, LossScaler, get_device(), {"factor": 1.0, "patience": 2}, {0: 1e30, 1: -3e38}, 3
)
assert_close(
    got,
    [1.0, 2.0, 2.0],
    what="the factor after each step, with gradients of 1e30 and -3e38, which are finite",
    hint=f"Ask of each entry whether it is finite: a sum of squares overflows sooner. {SECTION}",
)
got = probe(factors, LossScaler, get_device(), {}, {}, 2001)
assert_close(
    got[-2:],
    [131072.0, 131072.0],
    what="the default factor after 2,000 and 2,001 good steps",
    hint=f"patience is 2,000 by default, growth 2. {SECTION}",
)


def groups(LossScaler, device):
    """Two groups, one parameter without a gradient; gradients of two shapes."""
    made = [torch.nn.Parameter(torch.ones(shape, device=device)) for shape in (2, (2, 2), 1, 3)]
    first, second, resting, apart = made
    optimizer = torch.optim.SGD(
        [{"params": [first, resting]}, {"params": [second], "lr": 2.0}], lr=1.0
    )
    scaler = call(LossScaler, {"factor": 8.0})
    scaler.scale(first.sum() + 3 * second.sum() + apart.sum()).backward()
    taken = [bool(scaler.step(optimizer))]
    after = [p.tolist() for p in made]
    # Only the second group has an entry that is not finite.
    first.grad, second.grad = torch.ones_like(first), torch.ones_like(second)
    second.grad[1, 1] = float("nan")
    taken.append(bool(scaler.step(optimizer)))
    again = [p.tolist() for p in made]
    return taken, after, again, apart.grad.tolist(), resting.grad is None


taken, after, again, other, rests = probe(groups, LossScaler, get_device())
HINT = (
    "All groups of optimizer.param_groups count, parameters without a gradient are left alone, and "
    f"one bad entry anywhere means that nothing moves. {SECTION}"
)
assert_equal(taken, [True, False], what="whether the two steps were taken", hint=HINT)
expected = [[0.0, 0.0], [[-5.0, -5.0], [-5.0, -5.0]], [1.0], [1.0, 1.0, 1.0]]
for step, got in (("a good step", after), ("a bad one after it", again)):
    for name, one, wanted in zip(
        ("first group", "second group", "one that rests", "one of nobody"),
        got,
        expected,
        strict=True,
    ):
        assert_close(one, wanted, what=f"the parameter of the {name} after {step}", hint=HINT)
assert_close(
    other,
    [8.0, 8.0, 8.0],
    what="the gradient of a parameter that is not the optimizer's",
    hint="Only the optimizer's parameters are touched.",
)
assert_equal(rests, True, what="that a parameter without a gradient still has none", hint=HINT)


def two_at_once(LossScaler, device):
    w = torch.nn.Parameter(torch.ones(1, device=device))
    optimizer = torch.optim.SGD([w], lr=0.0)
    one, two = LossScaler(factor=2.0, patience=2), LossScaler(factor=32.0, patience=3)
    seen = []
    for _ in range(3):
        for scaler in (one, two):
            w.grad = torch.ones(1, device=device)
            scaler.step(optimizer)
            seen.append(float(scaler.factor))
    return seen


assert_close(
    probe(two_at_once, LossScaler, get_device()),
    [2.0, 32.0, 4.0, 32.0, 4.0, 64.0],
    what="the factors of two scalers that take turns",
    hint="What a scaler counts belongs to it (self. ...), not to the class.",
)


def like_float32(LossScaler, device):
    """Steps with a factor that grows, beside those with a factor of 1."""
    ends = []
    for factor, patience in ((1.0, 1000), (4096.0, 2)):
        w = torch.nn.Parameter(torch.linspace(-1, 1, 5, device=device))
        optimizer = torch.optim.SGD([w], lr=0.1)
        scaler = LossScaler(factor=factor, patience=patience)
        for _ in range(5):
            optimizer.zero_grad()
            loss = scaler.scale(((w - 0.3) ** 2).sum())
            loss.backward()
            scaler.step(optimizer)
        ends.append(w.detach().cpu())
    return ends


one, other = probe(like_float32, LossScaler, get_device())
assert_close(
    other,
    one,
    rtol=1e-4,
    what="the weights after five steps with a factor of 4,096 that grows, beside a factor of 1",
    hint="The gradients are divided by the factor with which this loss was scaled, before it grows. "
    f"{SECTION}",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 8. Your machine
#
# Your functions now run on the machine in front of you. First come its ceilings, then some layers: where they
# could be, and where they are.

# %% nbgrader={"grade": false, "grade_id": "finale", "locked": true, "schema_version": 3, "solution": false, "task": false}
import time

from course_lib.hardware import ceilings
from course_lib.hardware.timing import synchronize
from course_lib.plotting import gpus as figures


class Machine:
    """The device that this notebook runs on."""

    clock = staticmethod(time.perf_counter)

    @staticmethod
    def synchronize():
        synchronize(device)


machine, moved = ceilings.measure(device, working_sets=[1_500_000, 384_000_000])
seed_everything(0)
measured = {}
for batch, d_in, d_out in ((1, 2048, 2048), (16, 2048, 2048), (256, 2048, 2048), (4096, 16, 16)):
    layer = nn.Linear(d_in, d_out, device=device).requires_grad_(False)
    flops, moved_bytes = dense_cost(batch, d_in, d_out)
    rate = benchmark(
        Machine, lambda b=batch, d=d_in: torch.rand(b, d, device=device), layer, flops, calls=4
    )
    seconds, bound = least_time(flops, moved_bytes, machine.peak, machine.bandwidth)
    print(
        f"{batch:5} rows, {d_in:4} to {d_out:4}: at most {flops / seconds / 1e9:7.1f} GFLOP/s ({bound}), "
        f"measured {rate / 1e9:7.1f}"
    )
    measured[f"{batch:,} x {d_in:,} to {d_out:,}"] = flops / moved_bytes, rate
enough = smallest_batch(2048, 2048, machine.peak, machine.bandwidth)
print(f"smallest batch with which a layer of 2,048 by 2,048 is not memory-bound: {enough}")
figures.roofline(
    machine.peak, {"memory": machine.bandwidth, "a cache": max(moved.values())}, measured
)

# %% [markdown]
# **What you see.** The last layer has 4,096 rows and is still far left: with 16 inputs and 16 outputs, one
# FLOP for each byte is all that it ever does, and where the ridge is above 4 FLOPs per byte, no batch is
# large enough (ask `smallest_batch`). Points between the two slanted lines were partly served by a cache.
#
# ## Step 9. An offer
#
# *3 points, read by a person. About 100 words.*
#
# A vendor offers a card with three times the FLOP/s of yours and the same memory bandwidth, at twice the
# price. Your workloads are a recommender that looks up and adds vectors (some 90 % of its time, element by
# element), and a language model that answers one user at a time.
#
# 1. How much faster would each become, and why?
# 2. What would you do for each instead, without buying anything?
# 3. The vendor shows a benchmark: "0.02 ms per layer, for any batch size." What do you ask?

# %% [markdown] nbgrader={"grade": true, "grade_id": "offer", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# 1. Hardly at all, both of them. Adding vectors does a fraction of a FLOP per byte, and a batch of one does
#    about one FLOP for each byte of the weights in 16 bits: both are far left of the ridge, where bandwidth
#    sets the pace, and the ridge even moves to the right.
# 2. Move less. The recommender: 16-bit vectors, fused lookup and sum. The language model: collect requests
#    of several users into a batch (the weights are read once for all of them), fewer bits per weight.
# 3. Whether the device was waited for before the clock was read. A time that does not depend on the batch
#    size is the time of asking. Then: warm-up, which type, which sizes.
#
# === BEGIN MARK SCHEME ===
# 1. **One point** for "(almost) not faster, both" with memory-bound, or low intensity, as the reason. Half
#    for one of the two.
# 2. **One point** for a measure that moves fewer bytes or uses each byte more often, for both. Half for one.
# 3. **One point** for the missing synchronization. Half for warm-up or other doubts alone.
# === END MARK SCHEME ===
