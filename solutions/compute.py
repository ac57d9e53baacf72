# ---
# jupyter:
#   course:
#     answers_in:
#     - course_lib.hardware.flops
#     - course_lib.hardware.memory
#     - course_lib.hardware.energy
#     - course_lib.models.distillation
#     - course_lib.models.pruning
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
# # Compute: a model inside a budget
#
# - **Time:** 90 minutes. **Difficulty:** 3 of 5. **Points:** 34, of which a person gives 4.
# - **Needs:** the chapter *Compute*, NumPy arrays, PyTorch's tensors in step 6.
#
# You have a budget in FLOPs, in bytes and in kilowatt-hours, and must ship a network that reads careless
# digits and fits into it. You count what a training step costs when some layers are frozen, how many bytes it
# keeps when the network is cut into segments, and what the whole training takes from the budget. Then you
# make the result smaller: prune its smallest weights, remove the units that this has silenced, and write the
# loss with which it teaches a smaller network, partly from pictures that nobody has labeled. In the end all
# of it runs on digits, and you see what was shipped.
#
# **What is special here**
#
# - Networks are dense: layer $i$ multiplies by a matrix of shape (`sizes[i]`, `sizes[i + 1]`) and adds a
#   bias. Each hidden layer is followed by a ReLU.
# - Only matrix products are counted as FLOPs, as in the chapter. Numbers are float32: 4 bytes.
# - In step 6 tensors may be on a graphics card. Create nothing on the CPU that is combined with them.
#
# `course_lib.hardware`, `course_lib.models.distillation` and `course_lib.models.pruning` hold answers to
# this exercise: leave them closed. What holds in every exercise (how to check, what the tests look at,
# what counts) is on the page *How exercises work* in the appendix.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import copy
from itertools import pairwise

import numpy as np
import torch
from torch import nn

from course_lib import get_device, seed_everything

device = get_device()

# %% [markdown]
# ## Step 1. Count a step
#
# Forward, each layer is one product. Backward, a layer that is trained needs the gradient of its weights,
# which costs one more. And it may have to pass a gradient on to the layer before it, which costs another, but
# only if that gradient is needed: that is, if *any* earlier layer is trained. Layers may be frozen in any
# pattern, as in a pretrained network with a new first layer and a new last one.


# %% nbgrader={"grade": false, "grade_id": "step_flops", "locked": false, "schema_version": 3, "solution": true, "task": false}
def step_flops(sizes, n, trained=None):
    """Count the FLOPs of a training step of a dense network.

    Parameters
    ----------
    sizes : sequence of int
        Numbers per sample: of the input, and of each layer's output.
    n : int
        Samples in the batch.
    trained : sequence of bool, optional
        For each layer, whether its weights are trained. If it is not given, all are.

    Returns
    -------
    forward, backward : int

    Raises
    ------
    ValueError
        If `trained` has not one entry for each layer.

    Example
    -------
    >>> step_flops((64, 32, 10), n=1)  # backward: both weights, and 32 activations
    (4736, 5376)
    >>> step_flops((64, 32, 10), n=1, trained=(False, True))
    (4736, 640)
    """
    ### BEGIN SOLUTION
    layers = list(pairwise(sizes))
    trained = [True] * len(layers) if trained is None else list(trained)
    if len(trained) != len(layers):
        raise ValueError(f"{len(layers)} layers and {len(trained)} entries of trained.")
    forward = backward = 0
    waiting = False
    for (d_in, d_out), learns in zip(layers, trained, strict=True):
        product = 2 * n * d_in * d_out
        forward += product
        backward += product * (bool(learns) + waiting)
        waiting = waiting or bool(learns)
    return forward, backward
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-step_flops", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
from course_lib.exercises import check

check(
    step_flops,
    {"sizes": (64, 32, 10), "n": 1},
    (4736, 5376),
    hint="Forward 2 n d_in d_out for each layer. Backward as much for the weights of each, and once more "
    "for the inputs of every layer but the first, whose inputs are data. See 'Counting products'.",
)
check(
    step_flops,
    {"sizes": (64, 32, 10), "n": 1, "trained": (False, True)},
    (4736, 640),
    hint="The frozen layer needs no gradient of its weights, and nobody before it waits for one: one "
    "product is left, for the weights of the last layer. See 'Counting products'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-step_flops-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: deep networks, batches, frozen layers in any pattern, lists, errors.
### BEGIN HIDDEN TESTS
from itertools import pairwise

import numpy as np

from course_lib.exercises import check, check_keyword, check_raises

SECTION = "See 'Counting products'."


def counted(sizes, n, trained):
    products = [2 * n * a * b for a, b in pairwise(sizes)]
    backward = 0
    for i, product in enumerate(products):
        backward += product if trained[i] else 0
        backward += product if any(trained[:i]) else 0
    return sum(products), backward


for sizes, n, trained in (
    ((7, 11), 3, (True,)),
    ((5, 6, 7, 8), 10, (True, True, True)),
    ((5, 6, 7, 8), 10, (True, False, True)),
    ((5, 6, 7, 8), 10, (False, True, False)),
    ((5, 6, 7, 8), 10, (True, False, False)),
    ((9, 2, 9, 2, 9), 4, (False, False, True, False)),
    ((9, 2, 9, 2, 9), 4, (False, False, False, False)),
    ([3, 50, 4, 1], 32, [False, True, True]),
    ((100_000, 100_000, 100_000), 100_000, (True, True)),
):
    check(
        step_flops,
        {"sizes": sizes, "n": n, "trained": trained},
        counted(sizes, n, trained),
        hint="A layer computes the gradient of its weights if it is trained, and that of its inputs if any "
        "layer before it is trained, frozen or not itself: a gradient must pass through it. "
        + SECTION,
    )
check(
    step_flops,
    {"sizes": (6, 5, 4), "n": 8, "trained": np.array([False, True])},
    counted((6, 5, 4), 8, (False, True)),
    hint="A frozen first layer: neither its weights nor its inputs need a gradient, and so the second one "
    "passes none on. " + SECTION,
)
check_keyword(
    step_flops,
    {"sizes": (6, 5, 4), "n": 8},
    "trained",
    [
        (None, counted((6, 5, 4), 8, (True, True))),
        ((True, False), counted((6, 5, 4), 8, (True, False))),
    ],
    hint="If `trained` is not given, all layers are trained. " + SECTION,
)
for wrong in ((True,), (True, True, True), ()):
    check_raises(
        ValueError,
        step_flops,
        {"sizes": (6, 5, 4), "n": 8, "trained": wrong},
        hint="One entry for each layer: there is one layer fewer than there are sizes.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. Count what is kept
#
# Let $a_0$ be the batch and $a_i$ the output of layer $i$, after its ReLU. To go backward through layers $i +
# 1$ to $j$, all of $a_i, \dots, a_j$ must be in memory. (The last one, $a_l$, is also needed by the loss.) If
# everything is kept, that is $a_0$ to $a_l$ at once.
#
# With checkpoints, the network is cut into segments of `segment` layers, the last of which may have fewer.
# Only the *input* of each segment is kept. The backward pass begins with the last segment: it recomputes what
# is inside it, goes back through it, and drops all of its activations, including its input. So while it works
# on one segment, memory holds the inputs of all segments *before* it, and $a_i, \dots, a_j$ of this one. How
# much is there at the worst moment? Layers differ in size, so the worst moment need not be in the last
# segment.


# %% nbgrader={"grade": false, "grade_id": "peak_bytes", "locked": false, "schema_version": 3, "solution": true, "task": false}
def peak_bytes(sizes, n, segment=None):
    """Count the bytes of the activations at the worst moment of a backward pass.

    Parameters
    ----------
    sizes : sequence of int
        Numbers per sample: of the input, and of each layer's output.
    n : int
        Samples in the batch.
    segment : int, optional
        Layers in each segment. If it is not given, everything is kept.

    Returns
    -------
    int
        4 bytes for each number.

    Example
    -------
    >>> peak_bytes((100, 50, 200, 10), n=1)  # all of them
    1440
    >>> peak_bytes((100, 50, 200, 10), n=1, segment=2)  # 4 * (100 + 50 + 200), in the first segment
    1400
    """
    ### BEGIN SOLUTION
    layers = len(sizes) - 1
    segment = layers if segment is None else segment
    peak = before = 0
    for start in range(0, layers, segment):
        end = min(start + segment, layers)
        peak = max(peak, before + sum(sizes[start : end + 1]))
        before += sizes[start]
    return 4 * n * peak
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-peak_bytes", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
from course_lib.exercises import check

check(
    peak_bytes,
    {"sizes": (100, 50, 200, 10), "n": 1},
    1440,
    hint="100 + 50 + 200 + 10 numbers of 4 bytes. See 'Where the bytes are'.",
)
check(
    peak_bytes,
    {"sizes": (100, 50, 200, 10), "n": 1, "segment": 2},
    1400,
    hint="In the last segment: 100, the input of the first, and 200 + 10. In the first: 100 + 50 + 200, "
    "which is more. See 'Forget, and compute again'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-peak_bytes-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: batches, segments of all lengths, the worst moment at other places.
### BEGIN HIDDEN TESTS
from course_lib.exercises import check, check_keyword

SECTION = "See 'Forget, and compute again'."


def simulated(sizes, segment):
    """Walk backward and note what is there."""
    starts = list(range(0, len(sizes) - 1, segment))
    there, most = set(starts), 0
    for start in reversed(starts):
        inside = set(range(start, min(start + segment, len(sizes) - 1) + 1))
        most = max(most, sum(sizes[i] for i in there | inside))
        there -= {start}
    return most


networks = (
    [256] * 17,
    (100, 50, 200, 10),
    (10, 200, 50, 100, 300, 20),
    (500, 4, 3, 2, 400, 1),
    (3, 40, 50, 60, 70, 80, 90, 5),
    (90, 80, 70, 60, 50, 40, 3),
    (7, 9),
)
for sizes in networks:
    for segment in (1, 2, 3, 4, 16, 40):
        check(
            peak_bytes,
            {"sizes": sizes, "n": 32, "segment": segment},
            4 * 32 * simulated(sizes, segment),
            hint="For each segment: the inputs of all segments before it, and its own activations, "
            f"input and output among them. The most of these, times 4 n. {SECTION}",
        )
    check(
        peak_bytes,
        {"sizes": sizes, "n": 5},
        20 * sum(sizes),
        hint="Without segments everything is kept: the input and every output, 4 bytes for each number "
        f"of each sample. {SECTION}",
    )
check_keyword(
    peak_bytes,
    {"sizes": [256] * 17, "n": 1},
    "segment",
    [(4, 4 * 256 * 8), (2, 4 * 256 * 10)],
    hint=f"16 layers in segments of 4: 3 inputs before the last one, and its own 5. {SECTION}",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. What a training takes from the budget
#
# A training sees `samples` samples, in batches of `n`, and trains all layers with Adam. It takes
#
# - **FLOPs:** a training step for each sample; with segments, one more forward pass for each. (What the
#   optimizer computes is not counted.)
# - **bytes:** for each weight and each bias, the parameter itself, its gradient and Adam's two means, 4 bytes
#   each; and the activations at the worst moment of a batch.
# - **kWh:** the machines perform `per_joule` FLOPs for each joule that they draw, the data center draws `pue`
#   times what its machines do, and a kilowatt-hour is 3.6 million joules.


# %% nbgrader={"grade": false, "grade_id": "cost_of", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cost_of(sizes, samples, n, segment=None, per_joule=1e10, pue=1.0):
    """Compute what the training of a dense network takes.

    Parameters
    ----------
    sizes : sequence of int
        Numbers per sample: of the input, and of each layer's output.
    samples : int
        How many samples are gone through, all epochs together.
    n : int
        Samples in a batch.
    segment : int, optional
        Layers in each segment. If it is not given, everything is kept and nothing computed again.
    per_joule : float
        FLOPs per joule of the machines.
    pue : float
        Power usage effectiveness of the center.

    Returns
    -------
    flops : int
    bytes : int
    kwh : float

    Example
    -------
    >>> cost_of((64, 32, 10), samples=1000, n=10, per_joule=1e3, pue=1.8)
    (10112000, 42800, 0.005056)
    """
    ### BEGIN SOLUTION
    forward, backward = step_flops(sizes, samples)
    flops = forward + backward + (0 if segment is None else forward)
    parameters = sum(d_in * d_out + d_out for d_in, d_out in pairwise(sizes))
    memory = 16 * parameters + peak_bytes(sizes, n, segment)
    return flops, memory, flops / per_joule * pue / 3.6e6
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-cost_of", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
from itertools import pairwise

from course_lib.exercises import check, given


def true_step_flops(sizes, n, trained=None):
    products = [2 * n * a * b for a, b in pairwise(sizes)]
    return sum(products), 2 * sum(products) - products[0]


def true_peak_bytes(sizes, n, segment=None):
    segment = segment or len(sizes)
    starts = range(0, len(sizes) - 1, segment)
    return (
        4
        * n
        * max(
            sum(sizes[s] for s in starts if s < start) + sum(sizes[start : start + segment + 1])
            for start in starts
        )
    )


with given(step_flops=true_step_flops, peak_bytes=true_peak_bytes):
    check(
        cost_of,
        {"sizes": (64, 32, 10), "samples": 1000, "n": 10, "per_joule": 1e3, "pue": 1.8},
        (10112000, 42800, 0.005056),
        hint="10,112 FLOPs per sample; 16 bytes for each of 2,410 weights and biases, and 4,240 of "
        "activations; 10,112 joules times 1.8, over 3.6 million. See 'Kilowatt-hours and carbon'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-cost_of-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: each argument by itself, segments, batches that do not divide the samples.
### BEGIN HIDDEN TESTS
from itertools import pairwise

from course_lib.exercises import check, check_keyword, given


def true_step_flops(sizes, n, trained=None):
    products = [2 * n * a * b for a, b in pairwise(sizes)]
    return sum(products), 2 * sum(products) - products[0]


def true_peak_bytes(sizes, n, segment=None):
    segment = segment or len(sizes)
    starts = range(0, len(sizes) - 1, segment)
    return (
        4
        * n
        * max(
            sum(sizes[s] for s in starts if s < start) + sum(sizes[start : start + segment + 1])
            for start in starts
        )
    )


def wanted(sizes, samples, n, segment=None, per_joule=1e10, pue=1.0):
    products = [2 * a * b for a, b in pairwise(sizes)]
    flops = samples * (3 * sum(products) - products[0])
    flops += samples * sum(products) if segment else 0
    parameters = sum((a + 1) * b for a, b in pairwise(sizes))
    kept = true_peak_bytes(sizes, n, segment)
    return flops, 16 * parameters + kept, flops * pue / (per_joule * 3.6e6)


with given(step_flops=true_step_flops, peak_bytes=true_peak_bytes):
    for sizes, samples, n, segment, per_joule, pue in (
        ((144, 256, 10), 25_600, 128, None, 1e10, 1.0),
        ((144, 256, 10), 25_600, 64, None, 2e9, 1.58),
        ((144, 256, 10), 1000, 128, None, 1e10, 1.1),
        ([20, 30, 40, 50, 10], 777, 10, 2, 5e8, 1.3),
        ([20, 30, 40, 50, 10], 777, 10, 4, 5e8, 1.3),
        ([20, 30, 40, 50, 10], 777, 10, 1, 5e8, 1.3),
        ((8, 3), 5, 2, None, 1e6, 2.0),
    ):
        args = {"sizes": sizes, "samples": samples, "n": n, "segment": segment}
        check(
            cost_of,
            {**args, "per_joule": per_joule, "pue": pue},
            wanted(sizes, samples, n, segment, per_joule, pue),
            rtol=1e-9,
            atol=0.0,
            hint="FLOPs for all samples, however they are divided into batches; with segments a forward "
            "pass more, also if there is only one. Bytes for one batch, and 16 for each weight and each "
            "bias. kWh from joules. See 'Forget, and compute again' and 'Where the bytes are'.",
        )
    args = {"sizes": (20, 30, 10), "samples": 100, "n": 10}
    for name, values in (("segment", (None, 1)), ("per_joule", (1e6, 4e6)), ("pue", (1.2, 2.0))):
        check_keyword(
            cost_of,
            args,
            name,
            [(value, wanted(**args, **{name: value})) for value in values],
            hint="See 'Kilowatt-hours and carbon'.",
        )
    check(
        cost_of,
        args,
        wanted(**args),
        rtol=1e-9,
        atol=0.0,
        hint="By default nothing is computed again, 1e10 FLOPs cost a joule, and the PUE is 1.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. The smallest weights
#
# Prune by magnitude: of all entries of all matrices together, the share `share` goes, the smallest in
# absolute value. That is `share` times the number of entries, rounded to the nearest whole number.
#
# One thing is new. A layer with small weights can lose all of them, and then nothing passes through the
# network any more. So each matrix keeps at least its `least` largest entries, whatever the share: others go
# in their place, the next smallest of those that may go. If too few may go, all of those go.
#
# Among entries of equal absolute value, you choose which ones go, but not how many.


# %% nbgrader={"grade": false, "grade_id": "magnitude_masks", "locked": false, "schema_version": 3, "solution": true, "task": false}
def magnitude_masks(weights, share, least=0):
    """Choose the weights to keep.

    Parameters
    ----------
    weights : list of ndarray
        Matrices of any shapes.
    share : float
        Of all entries, this share is pruned; from 0 to 1.
    least : int
        Entries that each matrix keeps at least; all of them, if it has not more.

    Returns
    -------
    list of ndarray of bool
        For each matrix a mask of its shape, True where a weight is kept.

    Example
    -------
    >>> weights = [np.array([[0.5, -3.0]]), np.array([[0.1], [-0.2]])]
    >>> [mask.tolist() for mask in magnitude_masks(weights, 0.5)]
    [[[True, True]], [[False], [False]]]
    >>> [mask.tolist() for mask in magnitude_masks(weights, 0.5, least=1)]
    [[[False, True]], [[False], [True]]]
    """
    ### BEGIN SOLUTION
    sizes = [np.abs(w).ravel() for w in weights]
    safe = [np.zeros(s.size, dtype=bool) for s in sizes]
    for s, kept in zip(sizes, safe, strict=True):
        kept[np.argsort(s)[max(s.size - least, 0) :]] = True
    total = sum(s.size for s in sizes)
    # What is safe sorts behind everything else.
    order = np.lexsort((np.concatenate(sizes), np.concatenate(safe)))
    count = min(round(share * total), total - sum(kept.sum() for kept in safe))
    keep = np.ones(total, dtype=bool)
    keep[order[:count]] = False
    ends = np.cumsum([s.size for s in sizes])[:-1]
    return [part.reshape(w.shape) for part, w in zip(np.split(keep, ends), weights, strict=True)]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-magnitude_masks", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

weights = [np.array([[0.5, -3.0]]), np.array([[0.1], [-0.2]])]
check(
    magnitude_masks,
    {"weights": weights, "share": 0.5},
    [np.array([[True, True]]), np.array([[False], [False]])],
    hint="The two smallest of all four, in absolute value: 0.1 and -0.2. See 'Zeros are not free'.",
)
check(
    magnitude_masks,
    {"weights": weights, "share": 0.5, "least": 1},
    [np.array([[False, True]]), np.array([[False], [True]])],
    hint="Each matrix keeps its largest entry, -3 and -0.2; of the others the two smallest go.",
)

# %% nbgrader={"grade": true, "grade_id": "test-magnitude_masks-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: many matrices, layers of different scale, ties, both ends, kernels, integers.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_equal, assert_true, call, check

HINT = (
    "One ranking over all matrices, by absolute value, and as many go as the share says, rounded. "
    "See 'Zeros are not free'."
)
rng = np.random.default_rng(7)


def reference(weights, share, least):
    entries = []
    for number, w in enumerate(weights):
        ranked = sorted(range(w.size), key=lambda i: -abs(w.flat[i]))
        entries += [(abs(w.flat[i]), number, i) for i in ranked[least:]]
    masks = [np.ones(w.shape, dtype=bool) for w in weights]
    count = round(share * sum(w.size for w in weights))
    for _, number, i in sorted(entries)[:count]:
        masks[number].flat[i] = False
    return masks


def matrices(*shapes, scales):
    return [scale * rng.normal(size=shape) for shape, scale in zip(shapes, scales, strict=True)]


several = matrices((5, 8), (8, 7), (7, 2), scales=(1.0, 0.1, 3.0))
kernels = matrices((4, 2, 3, 3), (10, 10), scales=(1.0, 1.0))
for weights in (several, kernels, several[:1]):
    for share in (0.0, 0.3, 0.5, 0.8, 1.0):
        for least in (0, 3):
            check(
                magnitude_masks,
                {"weights": weights, "share": share, "least": least},
                reference(weights, share, least),
                hint=HINT + " Each matrix keeps its `least` largest, and others go in their place.",
            )
check(
    magnitude_masks,
    {"weights": several, "share": 0.9, "least": 20},
    reference(several, 0.9, 20),
    hint="A matrix with no more than `least` entries keeps all of them, and if too few may go, all go that "
    "may.",
)
one = [rng.permutation(np.arange(1.0, 101.0)).reshape(10, 10)]
check(
    magnitude_masks,
    {"weights": one, "share": 0.29},
    [one[0] > 29],
    hint="0.29 * 100 is 28.999999999999996 in floating point: round, do not cut off.",
)
check(
    magnitude_masks,
    {"weights": [np.array([[3, -1], [2, -5]])], "share": 0.5},
    [np.array([[True, False], [False, True]])],
    hint=HINT,
)
check(
    magnitude_masks,
    {"weights": [np.array([[3.0, 0.0], [0.0, -5.0]]), np.array([[1.0, 0.0]])], "share": 0.5},
    [np.array([[True, False], [False, True]]), np.array([[True, False]])],
    hint="What is zero already is the smallest, and counts as pruned. " + HINT,
)
for share, least in ((0.3, 0), (0.85, 2), (0.5, 5)):
    ties = [np.full((3, 4), 0.5), -np.full((2, 4), 0.5)]
    got = call(magnitude_masks, {"weights": ties, "share": share, "least": least})
    count = sum(int(np.sum(mask)) for mask in got)
    wanted = max(20 - round(share * 20), 2 * least)
    assert_equal(
        count,
        wanted,
        what=f"How many of 20 equal weights are kept at share={share}, least={least}",
        hint="A threshold keeps all of several equal weights, or none. Rank them, and let as many go as "
        "are wanted.",
    )
    assert_true(
        all(int(np.sum(mask)) >= least for mask in got),
        what=f"That each of two matrices of equal weights keeps {least} at share={share}",
        hint="Each matrix keeps its `least` largest entries.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. Make the zeros pay
#
# A mask saves nothing by itself. But a hidden unit that has lost all of its weights on one side can be
# removed for good, and a smaller *dense* network is faster everywhere.
#
# - A unit whose *outgoing* weights are all zero is heard by nobody.
# - A unit whose *incoming* weights are all zero hears nothing. Its output is always the same, the ReLU of its
#   bias. That is not nothing: what it adds to the next layer must go into that layer's biases.
#
# The smaller network must give the same answers as before, for every input.


# %% nbgrader={"grade": false, "grade_id": "squeeze", "locked": false, "schema_version": 3, "solution": true, "task": false}
def squeeze(W1, b1, W2, b2):
    """Remove the hidden units of relu(X @ W1 + b1) @ W2 + b2 that are not needed.

    Parameters
    ----------
    W1 : ndarray, shape (d, h)
    b1 : ndarray, shape (h,)
    W2 : ndarray, shape (h, k)
    b2 : ndarray, shape (k,)

    Returns
    -------
    W1, b1, W2, b2 : ndarray
        New ones, with fewer hidden units in the same order. For every X the outputs are the same.

    Example
    -------
    >>> W1, b1 = np.array([[1.0, 0.0, 2.0]]), np.array([0.0, 3.0, 0.0])
    >>> W2, b2 = np.array([[1.0], [2.0], [0.0]]), np.array([0.5])
    >>> [part.tolist() for part in squeeze(W1, b1, W2, b2)]  # the second says 3, the third is not heard
    [[[1.0]], [0.0], [[1.0]], [6.5]]
    """
    ### BEGIN SOLUTION
    W1, b1, W2, b2 = (np.asarray(part) for part in (W1, b1, W2, b2))
    hears, heard = (W1 != 0).any(axis=0), (W2 != 0).any(axis=1)
    constant = ~hears & heard
    stays = hears & heard
    b2 = b2 + np.maximum(b1[constant], 0) @ W2[constant]
    return W1[:, stays], b1[stays], W2[stays], b2
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-squeeze", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    squeeze,
    {
        "W1": np.array([[1.0, 0.0, 2.0]]),
        "b1": np.array([0.0, 3.0, 0.0]),
        "W2": np.array([[1.0], [2.0], [0.0]]),
        "b2": np.array([0.5]),
    },
    (np.array([[1.0]]), np.array([0.0]), np.array([[1.0]]), np.array([6.5])),
    hint="The second unit always says 3, which adds 3 * 2 to the output's bias; the third is heard by "
    "nobody. See 'Zeros are not free'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-squeeze-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: many units, negative biases, weights that cancel, nothing or everything to remove, kinds.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds

SECTION = "See 'Zeros are not free'."
rng = np.random.default_rng(11)


def smaller(W1, b1, W2, b2):
    keep = [j for j in range(len(b1)) if W1[:, j].any() and W2[j].any()]
    b2 = b2.astype(float)
    for j in range(len(b1)):
        if not W1[:, j].any():
            b2 = b2 + max(b1[j], 0) * W2[j]
    return W1[:, keep], b1[keep], W2[keep], b2


def network(d, h, k, deaf=(), mute=()):
    W1, b1 = rng.normal(size=(d, h)), rng.normal(size=h)
    W2, b2 = rng.normal(size=(h, k)), rng.normal(size=k)
    W1[:, list(deaf)] = 0
    W2[list(mute)] = 0
    b1[list(deaf)[::2]] *= -1
    return {"W1": W1, "b1": b1, "W2": W2, "b2": b2}


for given_ in (
    network(4, 6, 3),
    network(4, 6, 3, deaf=(1, 4)),
    network(4, 6, 3, mute=(0, 5)),
    network(5, 9, 2, deaf=(0, 3, 8), mute=(3, 4)),
    network(3, 4, 2, deaf=range(4)),
    network(3, 4, 2, mute=range(4)),
    network(6, 6, 6, deaf=(2, 3)),
):
    check(
        squeeze,
        given_,
        smaller(**given_),
        hint="Columns of W1 and rows of W2 belong to hidden units. One that hears nothing says "
        f"max(b1, 0) for ever: add that times its row of W2 to b2. {SECTION}",
    )
cancels = network(4, 5, 3)
cancels["W1"][:, 1] = [1.0, -1.0, 2.0, -2.0]
cancels["W2"][3] = [1.0, -1.0, 0.0]
cancels["W1"][:, 2] = [0.0, 0.0, 1e-9, 0.0]
cancels["b1"][0] = 0.0
check(
    squeeze,
    cancels,
    smaller(**cancels),
    hint="Weights that add up to zero are not all zero, one tiny weight is a weight, and a unit with a "
    "bias of zero may be a busy one. Remove what provably changes nothing.",
)
check_kinds(
    squeeze,
    {
        "W1": np.array([[1.0, 0.0, 2.0], [0.0, 0.0, 3.0]]),
        "b1": np.array([1.0, 3.0, -2.0]),
        "W2": np.array([[1.0, -1.0], [2.0, 5.0], [0.0, 4.0]]),
        "b2": np.array([1.0, -1.0]),
    },
    (
        np.array([[1.0, 2.0], [0.0, 3.0]]),
        np.array([1.0, -2.0]),
        np.array([[1.0, -1.0], [0.0, 4.0]]),
        np.array([7.0, 14.0]),
    ),
    kinds=["float64", "float32", "integers", "strided"],
    hint=f"The second unit says 3 for ever. {SECTION}",
)
mixed = {
    "W1": np.array([[0.0, 1.0]]),
    "b1": np.array([0.5, 0.0]),
    "W2": np.array([[1.0], [1.0]]),
    "b2": np.array([2]),
}
check(
    squeeze,
    mixed,
    (np.array([[1.0]]), np.array([0.0]), np.array([[1.0]]), np.array([2.5])),
    hint="The biases of the outputs may be whole numbers, and half a unit's worth is added: make a new array.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. What the teacher says
#
# The student learns from the teacher's logits and from labels. The loss is
#
# $$w\, T^2\, \mathrm{KL}\bigl(p^T_\text{teacher}\,\big\|\,p^T_\text{student}\bigr) + (1 - w)\,
# \text{cross-entropy},$$
#
# and here, too, something is new: not every picture has a label. A label of −1 says that there is none. The
# teacher's part is a mean over *all* pictures of the batch; the cross-entropy (without temperature) is a mean
# over the *labeled* ones. If there are no labeled ones, it is 0.
#
# Logits may be as large as 1000, and no gradient may reach the teacher.


# %% nbgrader={"grade": false, "grade_id": "distillation_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def distillation_loss(student, teacher, labels, temperature=4.0, weight=0.9):
    """Measure how far a student is from its teacher, and from the labels that there are.

    Parameters
    ----------
    student, teacher : Tensor, shape (n, k)
        Logits.
    labels : Tensor of int64, shape (n,)
        The right class, or -1 where nobody knows it.
    temperature : float
        T, above 0.
    weight : float
        The teacher's share, w, from 0 to 1.

    Returns
    -------
    Tensor, shape ()
        It has a gradient in `student`.

    Example
    -------
    >>> student, teacher = torch.tensor([[0.0, 0.0]]), torch.tensor([[2.0, 0.0]])
    >>> round(distillation_loss(student, teacher, torch.tensor([-1]), 2.0, weight=1.0).item(), 4)
    0.4438
    >>> round(distillation_loss(student, teacher, torch.tensor([1]), 2.0, weight=0.0).item(), 4)
    0.6931
    """
    ### BEGIN SOLUTION
    functional = nn.functional
    log_p = functional.log_softmax(teacher.detach() / temperature, dim=1)
    log_q = functional.log_softmax(student / temperature, dim=1)
    soft = (log_p.exp() * (log_p - log_q)).sum(dim=1).mean()
    known = labels >= 0
    # Of no labels at all, the sum is 0 and is divided by 1.
    hard = functional.cross_entropy(student, labels, ignore_index=-1, reduction="sum")
    hard = hard / known.sum().clamp(min=1)
    return weight * temperature**2 * soft + (1 - weight) * hard
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-distillation_loss", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch

from course_lib.exercises import check

student, teacher = torch.tensor([[0.0, 0.0]]), torch.tensor([[2.0, 0.0]])
check(
    distillation_loss,
    {
        "student": student,
        "teacher": teacher,
        "labels": torch.tensor([-1]),
        "temperature": 2.0,
        "weight": 1.0,
    },
    0.4437829,
    rtol=1e-4,
    hint="At T = 2 the teacher says 0.731 and 0.269, the student 0.5 and 0.5. The divergence is 0.111, "
    "times T squared. See 'Learning from a teacher'.",
)
check(
    distillation_loss,
    {
        "student": student,
        "teacher": teacher,
        "labels": torch.tensor([1]),
        "temperature": 2.0,
        "weight": 0.0,
    },
    0.6931472,
    rtol=1e-4,
    hint="With a weight of 0 the cross-entropy with the labels is left, at temperature 1.",
)

# %% nbgrader={"grade": true, "grade_id": "test-distillation_loss-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: batches, temperatures, weights, labels that are missing, large logits, gradients.
### BEGIN HIDDEN TESTS
import numpy as np
import torch

from course_lib import get_device
from course_lib.exercises import assert_close, assert_true, call, check, check_keyword, probe

SECTION = "See 'Learning from a teacher'."
rng = np.random.default_rng(5)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def reference(student, teacher, labels, temperature=4.0, weight=0.9):
    p, q = softmax(teacher / temperature), softmax(student / temperature)
    soft = np.mean(np.sum(p * np.log(p / q), axis=1))
    known = labels >= 0
    hard = -np.log(softmax(student)[known, labels[known]]).mean() if known.any() else 0.0
    return float(weight * temperature**2 * soft + (1 - weight) * hard)


def batch(n, k, unknown=0):
    student, teacher = 2 * rng.normal(size=(2, n, k))
    labels = rng.integers(k, size=n)
    labels[rng.permutation(n)[:unknown]] = -1
    return student, teacher, labels


def tensors(student, teacher, labels):
    return {
        "student": torch.tensor(student, dtype=torch.float32),
        "teacher": torch.tensor(teacher, dtype=torch.float32),
        "labels": torch.tensor(labels),
    }


for n, k, unknown in ((6, 4, 0), (9, 3, 5), (4, 10, 4), (1, 2, 0), (12, 5, 11)):
    arrays = batch(n, k, unknown)
    for temperature, weight in ((1.0, 0.5), (4.0, 0.9), (3.0, 1.0), (2.0, 0.0)):
        check(
            distillation_loss,
            {**tensors(*arrays), "temperature": temperature, "weight": weight},
            reference(*arrays, temperature, weight),
            rtol=1e-3,
            atol=1e-5,
            hint="T squared times the sum over classes of p log(p / q), p the teacher's, a mean over all "
            "pictures; the cross-entropy at temperature 1, a mean over the labeled ones alone, 0 if there "
            f"are none. {SECTION}",
        )
arrays = batch(7, 4, 2)
for name, values in (("temperature", (1.0, 6.0)), ("weight", (0.2, 0.8))):
    check_keyword(
        distillation_loss,
        tensors(*arrays),
        name,
        [(value, reference(*arrays, **{name: value})) for value in values],
        rtol=1e-3,
        hint=SECTION,
    )
check(
    distillation_loss,
    tensors(*arrays),
    reference(*arrays),
    rtol=1e-3,
    hint="By default, the temperature is 4 and the teacher's weight 0.9.",
)


def slopes(loss, student, teacher, labels, temperature, weight, device):
    student = torch.tensor(student, dtype=torch.float32, device=device, requires_grad=True)
    teacher = torch.tensor(teacher, dtype=torch.float32, device=device, requires_grad=True)
    labels = torch.tensor(labels, device=device)
    args = {"student": student, "teacher": teacher, "labels": labels}
    got = call(loss, {**args, "temperature": temperature, "weight": weight}, copies=False)
    got.backward()
    return got.item(), student.grad.cpu(), teacher.grad is None or not teacher.grad.any().item()


def true_slopes(student, teacher, labels, temperature, weight):
    n = len(labels)
    soft = (
        weight * temperature * (softmax(student / temperature) - softmax(teacher / temperature)) / n
    )
    known = labels >= 0
    hard = softmax(student)
    hard[known, labels[known]] -= 1
    return soft + (1 - weight) * hard * known[:, None] / max(known.sum(), 1)


for arrays, temperature, weight in (
    (batch(6, 4, 2), 3.0, 0.7),
    (batch(5, 3, 5), 2.0, 0.6),
):
    got = probe(slopes, distillation_loss, *arrays, temperature, weight, get_device())
    assert_close(
        got[1],
        true_slopes(*arrays, temperature, weight),
        rtol=1e-3,
        atol=1e-5,
        what=f"The gradient of the loss in the student's logits, temperature {temperature:g}",
        hint="A picture without a label has a gradient from the teacher alone. nan: the mean over no labels is "
        f"0 / 0, also where its value is thrown away. {SECTION}",
    )
    assert_true(
        got[2],
        what="That no gradient reaches the teacher",
        hint="The teacher is not to learn from its student: teacher.detach().",
    )
far = (np.array([[1000.0, 0.0, -1000.0]]), np.array([[0.0, 1000.0, -1000.0]]), np.array([1]))
got = probe(slopes, distillation_loss, *far, 1.0, 0.5, get_device())
assert_close(
    got[0],
    1000.0,
    rtol=1e-3,
    what="The loss for logits of 1000, 0, -1000 and a teacher's 0, 1000, -1000, T = 1, weight 0.5",
    hint="log(softmax(z)) is log(0) there; nn.functional.log_softmax never takes that way, and a class "
    "with p = 0 adds 0.",
)
assert_close(
    got[1],
    [[1.0, -1.0, 0.0]],
    rtol=1e-3,
    atol=1e-5,
    what="Its gradient in the student's logits",
    hint="log_softmax gives a finite gradient also where a probability is 0.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 7. Ship it
#
# Five widths are candidates, and the budget decides. The largest that fits becomes the teacher. Then there
# are two ways to shrink it: its own weights, pruned, trained a little more and squeezed; or a student of 32
# units, which learns from 500 labeled photographs and from the teacher's opinion of 3,500 others. It takes
# about three seconds.

# %% nbgrader={"grade": false, "grade_id": "finale", "locked": true, "schema_version": 3, "solution": false, "task": false}
from course_lib.data import digits, splits
from course_lib.plotting import compute as figures

LIMITS = 6e9, 1e6, 3e-7  # FLOPs, bytes, kWh
parts = splits.split(*digits.load(), seed=0)


def photos(part, n, seed):
    pictures, shown = digits.photographed(part.X, part.y, n, seed, size=12)
    return torch.tensor(pictures).to(device), torch.tensor(shown).to(device)


def dense(width, seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(144, width), nn.ReLU(), nn.Linear(width, 10)).to(device)


def learn(model, loss, X, targets, lr=0.03, steps=200, masks=None):
    draw = torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=steps)
    for _ in range(steps):
        rows = torch.randint(len(X), (128,), generator=draw).to(device)
        optimizer.zero_grad()
        loss(model(X[rows]), *(t[rows] for t in targets)).backward()
        optimizer.step()
        schedule.step()
        with torch.no_grad():
            for layer, mask in zip((model[0], model[2]), masks or (), strict=False):
                layer.weight.mul_(mask)
    return model


def right(model, data):
    with torch.no_grad():
        return (model(data[0]).argmax(dim=1) == data[1]).float().mean().item()


def of_numpy(W1, b1, W2, b2):
    small = dense(len(b1))
    with torch.no_grad():
        for layer, W, b in ((small[0], W1, b1), (small[2], W2, b2)):
            layer.weight.copy_(torch.tensor(W.T))
            layer.bias.copy_(torch.tensor(b))
    return small


seed_everything(0)
train, test = photos(parts.train, 4000, 0), photos(parts.test, 4000, 2)
inside = []
for width in (32, 64, 128, 256, 512):
    cost = cost_of((144, width, 10), samples=25_600, n=128, pue=1.58)
    fits = all(one <= limit for one, limit in zip(cost, LIMITS, strict=True))
    inside += [width] * fits
    print(
        f"width {width:3}: {cost[0] / 1e9:.2f} GFLOP, {cost[1] / 1e6:.2f} million bytes, "
        f"{cost[2]:.1e} kWh{'' if fits else ', too much'}"
    )
widest = max(inside)
cross_entropy = nn.functional.cross_entropy
teacher = learn(dense(widest), cross_entropy, train[0], train[1:])
with torch.no_grad():
    opinion = teacher(train[0])

pruned = copy.deepcopy(teacher)
kept = magnitude_masks(
    [layer.weight.detach().cpu().numpy() for layer in (pruned[0], pruned[2])], 0.9, least=10
)
kept = [torch.tensor(mask).to(device) for mask in kept]
with torch.no_grad():
    for layer, mask in zip((pruned[0], pruned[2]), kept, strict=True):
        layer.weight.mul_(mask)
learn(pruned, cross_entropy, train[0], train[1:], lr=0.02, steps=150, masks=kept)
arrays = [p.detach().cpu().numpy() for p in pruned.parameters()]
squeezed = of_numpy(*squeeze(arrays[0].T, arrays[1], arrays[2].T, arrays[3]))

known = train[1].clone()
known[500:] = -1
few = train[0][:500], train[1][:500]
alone = learn(dense(32), cross_entropy, few[0], few[1:])
taught = learn(dense(32), distillation_loss, train[0], (opinion, known))

shipped = {
    "teacher": (teacher, widest),
    "pruned": (pruned, widest),
    "squeezed": (squeezed, squeezed[0].out_features),
    "student alone": (alone, 32),
    "student taught": (taught, 32),
}
points = {}
for name, (model, width) in shipped.items():
    forward = step_flops((144, width, 10), 1)[0]
    points[name] = forward / 1e3, right(model, test)
    print(f"{name:14}: {width:3} hidden units, {forward:6,} FLOPs, {points[name][1]:.1%} right")
figures.frontier(
    {"the teacher": tuple([value] for value in points["teacher"])},
    {
        "pruned, then squeezed": tuple(zip(points["pruned"], points["squeezed"], strict=True)),
        "a student, alone and taught": tuple(
            zip(points["student alone"], points["student taught"], strict=True)
        ),
    },
)

# %% [markdown]
# **What you see.** The widest of the five networks exceeds each of the three limits, and the other four exceed
# none. Pruned by nine tenths, the teacher costs what it did before. Squeezed, it gives the same answers with half of its units: the others had
# lost all weights on one side. And a student with 500 labels, which is right half of the time when left
# alone, comes close to that with an eighth of the teacher's FLOPs, thanks to opinions on unlabeled pictures.
#
# ## Step 8. A data sheet
#
# *4 points, read by a person. About 120 words.*
#
# The sheet of a product says: "Our reader was pruned to 10 percent of its weights, and so needs a tenth of
# the energy. Its training cost $2ND$ FLOPs on 8 cards, 20 kWh in all, and emitted 1 kg of CO₂e. It fits into
# 40 MB, since it has 10 million weights of 4 bytes, and was trained on a card with as much memory."
#
# 1. One claim does not follow from what is said before it. Which, and what would you ask for?
# 2. One number is too small by a known factor. Which, and why?
# 3. Is 1 kg for 20 kWh possible? What does the number say about where the training ran, and what does it
#    leave out?
# 4. How many bytes did training with Adam need at least, and what comes on top?

# %% [markdown] nbgrader={"grade": true, "grade_id": "data-sheet", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# 1. The tenth of the energy. Zeros are multiplied like any number until a format or a machine leaves them
#    out, and energy is also spent on moving data. I would ask for a measurement: time and watts, before
#    and after, on the machine on which it will run.
# 2. $2ND$ is the forward pass. Backward costs twice as much, so that training takes $6ND$: three times.
# 3. It is 50 g per kWh, as in France or Norway in 2023; the world's mean was ten times that. It leaves out
#    the manufacture of the cards, failed and earlier runs, and perhaps the cooling (the PUE).
# 4. 16 bytes per weight: 160 MB. The activations come on top, and grow with the batch.
#
# === BEGIN MARK SCHEME ===
# 1. **One point** for the energy, with the reason (dense products multiply zeros) and a measurement asked
#    for. Half without either.
# 2. **One point** for a factor of 3, with the reason that backward is two products to forward's one.
# 3. **One point:** 50 g per kWh is possible on a grid with little carbon (half), and one thing that is
#    left out (half).
# 4. **One point** for 160 MB (half) and activations (half).
# === END MARK SCHEME ===
