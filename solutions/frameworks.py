# ---
# jupyter:
#   course:
#     answers_in:
#     - course_lib.frameworks
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
# # Frameworks: the network that moved
#
# - **Time:** 100 minutes. **Difficulty:** 3 of 5. **Points:** 34, of which a person gives 4.
# - **Needs:** the chapter *Frameworks*, NumPy's axes, convolution and batch normalization.
#
# A hospital reads digits on forms with a network from a supplier. The supplier's files are in the layout of
# Keras, the hospital's machine runs PyTorch, and the person who wrote the converter has left. You rewrite it:
# the weights, the folding of batch normalization, its running averages, the verifier that says which array
# differs. Then you check and run the graph format that the machine reads, and count where a tracer has to
# give up. In the end the delivered network moves, and your verifier finds what its accuracy did not show.
#
# **What is special here**
#
# - Only NumPy and PyTorch are needed: Keras appears only through its layouts.
# - Kernels of Keras have shape (height, width, in, out), those of PyTorch (out, in, height, width).
#
# `course_lib.frameworks` holds answers to this exercise: leave it closed. What holds in every exercise
# (how to check, what the tests look at, what counts) is on the page *How exercises work* in the appendix.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np
import torch
from torch import nn

from course_lib import seed_everything
from course_lib.data import digits, splits

# %% [markdown]
# ## Step 1. The weights
#
# Bring one array of weights from Keras's layout to PyTorch's.
#
# - `"conv"`: (h, w, in, out) becomes (out, in, h, w).
# - `"dense"`: (in, out) becomes (out, in). If `maps` is given, the layer follows a flattening of feature maps
#   of that shape (h, w, c), and its inputs are in the order in which Keras flattens. PyTorch will flatten the
#   same maps as (c, h, w).
# - `"depthwise"`: each input channel has its own m kernels, and no others look at it. Keras keeps them as (h,
#   w, in, m). PyTorch wants (in * m, 1, h, w), where output channel `k * m + j` comes from the j-th kernel of
#   input channel k.


# %% nbgrader={"grade": false, "grade_id": "to_torch", "locked": false, "schema_version": 3, "solution": true, "task": false}
def to_torch(kind, weight, maps=None):
    """Bring an array of weights from the layout of Keras to that of PyTorch.

    Parameters
    ----------
    kind : str
        "conv", "dense" or "depthwise".
    weight : ndarray
        As Keras keeps it. Its data type is kept.
    maps : tuple of int, optional
        For "dense": height, width and channels of the maps that were flattened before it.

    Returns
    -------
    ndarray
        As PyTorch keeps it.

    Raises
    ------
    ValueError
        If there is no such kind, or the dense layer has not h * w * c inputs.

    Example
    -------
    >>> to_torch("dense", np.array([[1, 2], [3, 4], [5, 6]])).tolist()
    [[1, 3, 5], [2, 4, 6]]
    >>> to_torch("dense", np.array([[0], [1], [2], [3]]), maps=(1, 2, 2)).tolist()
    [[0, 2, 1, 3]]
    """
    ### BEGIN SOLUTION
    if kind == "conv":
        return weight.transpose(3, 2, 0, 1)
    if kind == "depthwise":
        h, w, channels, m = weight.shape
        return weight.transpose(2, 3, 0, 1).reshape(channels * m, 1, h, w)
    if kind != "dense":
        raise ValueError(f"kind must be conv, dense or depthwise, but is {kind!r}.")
    if maps is None:
        return weight.T
    if np.prod(maps) != len(weight):
        raise ValueError(f"maps of {maps} do not make {len(weight)} inputs.")
    out = weight.shape[1]
    return weight.reshape(*maps, out).transpose(3, 2, 0, 1).reshape(out, -1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-to_torch", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

kernel = np.arange(2 * 2 * 1 * 2).reshape(2, 2, 1, 2)
check(
    to_torch,
    {"kind": "conv", "weight": kernel},
    np.array([[[[0, 2], [4, 6]]], [[[1, 3], [5, 7]]]]),
    hint="The kernel of output channel 0 has the numbers weight[:, :, 0, 0]. Transpose the axes: a reshape "
    "leaves every number where it lies in memory. See 'Where the conventions differ'.",
)
check(
    to_torch,
    {"kind": "dense", "weight": np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])},
    np.array([[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]]),
    hint="PyTorch keeps a row for each output. See 'Where the conventions differ'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-to_torch-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: square arrays, maps that are not square, several kernels per channel, types, errors.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_raises

rng = np.random.default_rng(0)
for h, w, before, after in ((3, 3, 2, 2), (2, 3, 4, 5), (1, 3, 3, 3)):
    weight = rng.normal(size=(h, w, before, after)).astype(np.float32)
    wanted = np.zeros((after, before, h, w))
    for o in range(after):
        for i in range(before):
            wanted[o, i] = weight[:, :, i, o]
    check(
        to_torch,
        {"kind": "conv", "weight": weight},
        wanted,
        dtype=np.float32,
        hint="Each kernel must keep its height and its width, and go from its input to its output: "
        "result[o, i] is weight[:, :, i, o]. See 'Where the conventions differ'.",
    )
for h, w, channels, m in ((3, 2, 2, 1), (2, 2, 3, 2), (3, 3, 3, 3)):
    weight = rng.normal(size=(h, w, channels, m))
    wanted = np.zeros((channels * m, 1, h, w))
    for k in range(channels):
        for j in range(m):
            wanted[k * m + j, 0] = weight[:, :, k, j]
    check(
        to_torch,
        {"kind": "depthwise", "weight": weight},
        wanted,
        dtype=np.float64,
        hint="The m kernels of input channel k become the output channels k * m to k * m + m - 1. "
        "Transpose first so that these two axes stand side by side, then reshape. "
        "See 'Where the conventions differ'.",
    )
for size in ((4, 4), (2, 5)):
    weight = rng.normal(size=size)
    check(
        to_torch,
        {"kind": "dense", "weight": weight},
        np.array([[weight[i, o] for i in range(size[0])] for o in range(size[1])]),
        hint="A square matrix must be transposed as well. See 'Where the conventions differ'.",
    )
for maps, out in (((2, 3, 4), 5), ((1, 1, 3), 2), ((2, 2, 2), 8), ((3, 1, 2), 1)):
    h, w, c = maps
    weight = rng.normal(size=(h * w * c, out))
    wanted = np.zeros((out, c * h * w))
    for row in range(h):
        for column in range(w):
            for k in range(c):
                wanted[:, (k * h + row) * w + column] = weight[(row * w + column) * c + k]
    check(
        to_torch,
        {"kind": "dense", "weight": weight, "maps": maps},
        wanted,
        hint="Give the inputs back the axes that flattening took, (h, w, c), transpose, and flatten "
        "again. See 'Where the conventions differ'.",
    )
check_raises(
    ValueError,
    to_torch,
    {"kind": "linear", "weight": np.ones((2, 2))},
    hint="There are three kinds, and an unknown one is an error.",
)
check_raises(
    ValueError,
    to_torch,
    {"kind": "dense", "weight": np.ones((8, 2)), "maps": (2, 2, 1)},
    hint="Maps of 2 by 2 by 1 make 4 inputs, and the layer has 8.",
)
check_raises(
    ValueError,
    to_torch,
    {"kind": "dense", "weight": np.ones((4, 2)), "maps": (2, 2, 2)},
    hint="Maps of 2 by 2 by 2 make 8 inputs, and the layer has 4.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. Folding
#
# The chapter's exporter made batch normalization disappear into the convolution, and the chapter says what
# became of the kernel. Do it yourself, including the bias: in evaluation mode, the layer with the values you
# return computes what the layer and the normalization after it computed together. The first axis of the
# weights indexes outputs, whatever the layer is: dense weights have shape (out, in).


# %% nbgrader={"grade": false, "grade_id": "fold", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fold(weight, bias, gamma, beta, mean, var, eps=1e-5):
    """Fold a batch normalization in evaluation mode into the layer before it.

    Parameters
    ----------
    weight : ndarray, shape (out, ...)
        Of a convolution or a dense layer, as PyTorch keeps it.
    bias : ndarray, shape (out,), or None
        None for a layer without a bias.
    gamma, beta : ndarray, shape (out,)
        Learned scale and shift.
    mean, var : ndarray, shape (out,)
        Running mean and variance.
    eps : float
        Added to the variance.

    Returns
    -------
    weight : ndarray, shape (out, ...)
    bias : ndarray, shape (out,)

    Example
    -------
    >>> one = np.ones(1)
    >>> W, b = fold(np.array([[1.0, 2.0]]), None, 3 * one, 5 * one, 2 * one, 4 * one, eps=0.0)
    >>> W.tolist(), b.tolist()  # 3 * (x + 2 y - 2) / 2 + 5
    ([[1.5, 3.0]], [2.0])
    """
    ### BEGIN SOLUTION
    scale = gamma / np.sqrt(var + eps)
    shape = (-1,) + (1,) * (weight.ndim - 1)
    old = 0 if bias is None else bias
    return weight * scale.reshape(shape), beta + (old - mean) * scale
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-fold", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    fold,
    {
        "weight": np.array([[1.0, 2.0], [0.0, 1.0]]),
        "bias": np.array([1.0, 0.0]),
        "gamma": np.array([3.0, 1.0]),
        "beta": np.array([5.0, -1.0]),
        "mean": np.array([2.0, 1.0]),
        "var": np.array([4.0, 1.0]),
        "eps": 0.0,
    },
    (np.array([[1.5, 3.0], [0.0, 1.0]]), np.array([3.5, -2.0])),
    hint="The first output is 3 * (x + 2 y + 1 - 2) / 2 + 5: sort it by x, y and the rest. "
    "See 'Files as bridges'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-fold-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: convolutions, layers without a bias, small variances, float32.
### BEGIN HIDDEN TESTS
import numpy as np
import torch
from torch.nn import functional

from course_lib.exercises import assert_close, call, check, check_keyword, check_kinds

rng = np.random.default_rng(1)


def made(shape, biased, dtype=np.float64):
    out = shape[0]
    return {
        "weight": rng.normal(size=shape).astype(dtype),
        "bias": rng.normal(size=out).astype(dtype) if biased else None,
        "gamma": rng.normal(size=out).astype(dtype),
        "beta": rng.normal(size=out).astype(dtype),
        "mean": rng.normal(size=out).astype(dtype),
        "var": rng.uniform(1e-3, 2, size=out).astype(dtype),
    }


def normalized(layer, x, args, eps):
    """What PyTorch computes with the layer and the normalization apart."""
    t = {name: None if a is None else torch.tensor(a) for name, a in args.items()}
    z = layer(torch.tensor(x), t["weight"], t["bias"])
    return functional.batch_norm(z, t["mean"], t["var"], t["gamma"], t["beta"], eps=eps).numpy()


for shape, biased in (((4, 3, 3, 3), False), ((3, 3, 2, 2), True), ((5, 5), True), ((4, 2), False)):
    layer = functional.conv2d if len(shape) == 4 else functional.linear
    x = rng.normal(size=(6, shape[1], 5, 5) if len(shape) == 4 else (6, shape[1]))
    args = made(shape, biased)
    for eps in (1e-5, 1e-1):
        got = call(fold, {**args, "eps": eps})
        what = (
            f"fold for weights of shape {shape} {'with' if biased else 'without'} bias, eps={eps:g}"
        )
        assert_close(np.shape(got[0]), shape, what=f"The shape of the weights of {what}")
        assert_close(
            np.shape(got[1]),
            shape[:1],
            what=f"The shape of the bias of {what}",
        )
        assert_close(
            layer(torch.tensor(x), *(torch.tensor(np.asarray(a)) for a in got)).numpy(),
            normalized(layer, x, args, eps),
            rtol=1e-5,
            atol=1e-7,
            what=f"The outputs of the layer made by {what}",
            hint="The scale belongs to outputs, the first axis, also where the weights are square. The old "
            "bias goes through the normalization as well: it is shifted by the mean and scaled. "
            "See 'Files as bridges'.",
        )
args = made((2, 2), False)
scale = {eps: args["gamma"] / np.sqrt(args["var"] + eps) for eps in (1e-5, 1.0)}
answers = {
    eps: (args["weight"] * s[:, None], args["beta"] - args["mean"] * s) for eps, s in scale.items()
}
check(
    fold, args, answers[1e-5], hint="Without eps, it is 1e-5. See 'Where the conventions differ'."
)
check_keyword(
    fold,
    args,
    "eps",
    list(answers.items()),
    hint="eps is added to the variance before the root. See 'Files as bridges'.",
)
small = made((3, 2, 1, 1), True, np.float32)
s = small["gamma"] / np.sqrt(small["var"] + np.float32(1e-5))
check(
    fold,
    small,
    (small["weight"] * s[:, None, None, None], small["beta"] + (small["bias"] - small["mean"]) * s),
    rtol=1e-4,
    atol=1e-5,
    hint="In float32, too.",
)
whole = {
    "weight": np.array([[1.0, 2.0], [3.0, -1.0]]),
    "bias": np.array([1.0, 2.0]),
    "gamma": np.array([1.0, 3.0]),
    "beta": np.array([2.0, -1.0]),
    "mean": np.array([1.0, -2.0]),
    "var": np.array([2.0, 6.0]),
    "eps": 1.0,
}
s = whole["gamma"] / np.sqrt(np.array([3.0, 7.0]))
check_kinds(
    fold,
    whole,
    (whole["weight"] * s[:, None], whole["beta"] + (whole["bias"] - whole["mean"]) * s),
    kinds=["float64", "float32", "integers", "strided"],
    hint="Whole numbers come, and the results have fractions. See 'Files as bridges'.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. The running averages
#
# Outputs do not show the momentum, so the verifier will not either. Write what each framework does with its
# averages when it sees a batch in training mode:
#
# - `"torch"`: `momentum` is the weight of the new batch, and the batch's variance is divided by n - 1;
# - `"keras"`: `momentum` is the weight of the old average, and the variance is divided by n.
#
# Here n counts all numbers of a channel: samples times height times width.


# %% nbgrader={"grade": false, "grade_id": "update_averages", "locked": false, "schema_version": 3, "solution": true, "task": false}
def update_averages(mean, var, batch, momentum, convention):
    """Compute the running averages of batch normalization after one more batch.

    Parameters
    ----------
    mean, var : ndarray, shape (c,)
        Running mean and variance before.
    batch : ndarray, shape (n, c, h, w)
        What comes into the normalization.
    momentum : float
        As the framework counts it.
    convention : str
        "torch" or "keras".

    Returns
    -------
    mean, var : ndarray, shape (c,)

    Raises
    ------
    ValueError
        If there is no such convention.

    Example
    -------
    >>> batch = np.array([1.0, 3.0]).reshape(2, 1, 1, 1)  # mean 2, variance 2 (n - 1) or 1 (n)
    >>> mean, var = update_averages(np.zeros(1), np.ones(1), batch, 0.25, "torch")
    >>> mean.tolist(), var.tolist()
    ([0.5], [1.25])
    >>> mean, var = update_averages(np.zeros(1), np.ones(1), batch, 0.25, "keras")
    >>> mean.tolist(), var.tolist()
    ([1.5], [1.0])
    """
    ### BEGIN SOLUTION
    if convention not in ("torch", "keras"):
        raise ValueError(f"convention must be torch or keras, but is {convention!r}.")
    new = momentum if convention == "torch" else 1 - momentum
    batch_mean = batch.mean(axis=(0, 2, 3))
    batch_var = batch.var(axis=(0, 2, 3), ddof=1 if convention == "torch" else 0)
    return (1 - new) * mean + new * batch_mean, (1 - new) * var + new * batch_var
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-update_averages", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

for convention, wanted in (
    ("torch", (np.array([2.0]), np.array([1.6 + 0.2 * 10 / 3]))),
    ("keras", (np.array([8.0]), np.array([0.4 + 0.8 * 10 / 4]))),
):
    check(
        update_averages,
        {
            "mean": np.array([0.0]),
            "var": np.array([2.0]),
            "batch": np.array([8.0, 12.0, 9.0, 11.0]).reshape(2, 1, 1, 2),
            "momentum": 0.2,
            "convention": convention,
        },
        wanted,
        hint="The batch's mean is 10, and its squared distances add up to 10: divided by 3 in PyTorch, by 4 "
        "in Keras. Weight of the batch: 0.2 in PyTorch, 0.8 in Keras. See 'The same to six digits'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-update_averages-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: several channels, places that are not square, several batches, PyTorch's own layer, errors.
### BEGIN HIDDEN TESTS
import numpy as np
import torch
from torch import nn

from course_lib.exercises import check, check_kinds, check_raises

rng = np.random.default_rng(2)
for shape, momentum in (((4, 3, 2, 5), 0.1), ((2, 2, 1, 1), 0.3), ((3, 1, 4, 2), 0.99)):
    channels = shape[1]
    mean, var = rng.normal(size=channels), rng.uniform(0.5, 2, size=channels)
    batch = rng.normal(size=shape) * np.arange(1, channels + 1)[:, None, None] + 2
    layer = nn.BatchNorm2d(channels, momentum=momentum).double()
    layer.running_mean.copy_(torch.tensor(mean))
    layer.running_var.copy_(torch.tensor(var))
    layer(torch.tensor(batch))
    numbers = [batch[:, c].ravel() for c in range(channels)]
    means = np.array([np.sum(x) / len(x) for x in numbers])
    spreads = np.array([np.sum((x - m) ** 2) / len(x) for x, m in zip(numbers, means, strict=True)])
    for convention, wanted in (
        ("torch", (layer.running_mean.numpy(), layer.running_var.numpy())),
        (
            "keras",
            (
                momentum * mean + (1 - momentum) * means,
                momentum * var + (1 - momentum) * spreads,
            ),
        ),
    ):
        check(
            update_averages,
            {
                "mean": mean,
                "var": var,
                "batch": batch,
                "momentum": momentum,
                "convention": convention,
            },
            wanted,
            hint="A mean and a variance per channel, over samples, rows and columns. Momentum is the new "
            "batch's weight in PyTorch and the old average's in Keras; the variance of the batch is "
            "divided by n - 1 in PyTorch and by n in Keras. See 'The same to six digits'.",
        )
check_kinds(
    update_averages,
    {
        "mean": np.array([1.0, 2.0]),
        "var": np.array([3.0, 1.0]),
        "batch": np.array([1.0, 2.0, 4.0, 4.0, 3.0, 0.0, 1.0, 7.0]).reshape(2, 2, 2, 1),
        "momentum": 0.25,
        "convention": "keras",
    },
    (np.array([1.375, 3.5]), np.array([0.75 + 0.75 * 1.25, 0.25 + 0.75 * 4.5])),
    kinds=["float64", "float32", "integers", "strided"],
    hint="Whole numbers come, and the results have fractions.",
)
check_raises(
    ValueError,
    update_averages,
    {
        "mean": np.zeros(1),
        "var": np.ones(1),
        "batch": np.ones((2, 1, 1, 1)),
        "momentum": 0.1,
        "convention": "caffe",
    },
    hint="There are two conventions here, and an unknown one is an error.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. Which array differs
#
# Compare two dictionaries of arrays, such as the activations of every layer, and say what is wrong with each
# that differs, in the order of `wanted`, followed by those that were not wanted, in the order of `got`.
# Report the first of these that applies:
#
# - `"missing"`: not in `got`; `"unexpected"`: not in `wanted`;
# - `"shape"`: the shapes are not the same, even if NumPy could broadcast them;
# - `"not finite"`: an entry of the array in `got` is nan or infinite;
# - otherwise the index of the worst entry, as a tuple of integers, if any entry is further away than
#   `atol + rtol * abs(wanted entry)`. The worst entry is the one that exceeds this limit by the largest
#   amount.


# %% nbgrader={"grade": false, "grade_id": "verify", "locked": false, "schema_version": 3, "solution": true, "task": false}
def verify(got, wanted, rtol=1e-5, atol=1e-6):
    """Say which arrays differ, and where.

    Parameters
    ----------
    got, wanted : dict of str to ndarray
        All entries of `wanted` are finite.
    rtol, atol : float
        An entry may differ by atol + rtol * abs(wanted).

    Returns
    -------
    dict of str to (str or tuple of int)
        Empty if all agree.

    Example
    -------
    >>> wanted = {"conv": np.array([1.0, 100.0]), "norm": np.array([[0.0, 1.0]]), "out": np.ones(3)}
    >>> got = {"conv": np.array([1.0, 100.0001]), "norm": np.array([[0.0, 1.5]]), "out": np.ones((1, 3))}
    >>> verify(got, wanted)
    {'norm': (0, 1), 'out': 'shape'}
    """
    ### BEGIN SOLUTION
    found = {}
    for name, right in wanted.items():
        if name not in got:
            found[name] = "missing"
        elif got[name].shape != right.shape:
            found[name] = "shape"
        elif not np.isfinite(got[name]).all():
            found[name] = "not finite"
        elif right.size:
            excess = np.abs(got[name].astype(float) - right) - (atol + rtol * np.abs(right))
            if np.max(excess) > 0:
                worst = np.unravel_index(np.argmax(excess), right.shape)
                found[name] = tuple(int(i) for i in worst)
    for name in got:
        if name not in wanted:
            found[name] = "unexpected"
    return found
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-verify", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    verify,
    {
        "got": {"conv": np.array([1.0, 2.0]), "norm": np.array([[0.0, 1.5], [3.0, 3.1]])},
        "wanted": {"conv": np.array([1.0, 2.0]), "norm": np.array([[0.0, 1.0], [3.0, 3.0]])},
    },
    {"norm": (0, 1)},
    hint="conv agrees, and is not in the result. In norm two entries differ, and (0, 1) by more. "
    "See 'The same to six digits'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-verify-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: tolerances, shapes that broadcast, nan, names, order, several dimensions.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_equal, call, check, check_keyword

rng = np.random.default_rng(3)
a = rng.normal(size=(3, 4, 5))
check(
    verify,
    {"got": {"a": a, "b": a[0]}, "wanted": {"a": a, "b": a[0]}},
    {},
    hint="Where everything agrees, the result is empty.",
)
check(
    verify,
    {
        "got": {"a": a * (1 + 3e-6), "b": np.array([3e-7, 1000.003])},
        "wanted": {"a": a, "b": np.array([0.0, 1000.0])},
    },
    {},
    hint="Differences that rounding explains are none: no comparison with ==. An entry may differ by "
    "atol + rtol * abs(wanted). See 'The same to six digits'.",
)
for place in ((0, 0, 0), (2, 3, 4), (1, 2, 0)):
    off = a.copy()
    off[place] -= 0.5
    off[1, 1, 1] += 0.25
    check(
        verify,
        {"got": {"a": off}, "wanted": {"a": a}},
        {"a": place},
        hint="The place of the worst entry, as np.unravel_index makes it of a position. Differences "
        "below zero count as well. See 'The same to six digits'.",
    )
check(
    verify,
    {
        "got": {"a": np.array([1000.5, 1.4])},
        "wanted": {"a": np.array([1000.0, 1.0])},
        "rtol": 1e-3,
    },
    {"a": (1,)},
    hint="1000.5 is within its limit of about 1, 1.4 is not within its limit of about 0.001.",
)
for got, wanted, found in (
    (np.ones((1, 3)), np.ones(3), "shape"),
    (np.ones((3, 1)), np.ones((3, 3)), "shape"),
    (np.ones(3), np.ones((3, 3)), "shape"),
    (np.array(1.0), np.ones(1), "shape"),
    (np.full((2, 2), np.nan), np.ones(2), "shape"),
    (np.array([1.0, np.nan]), np.ones(2), "not finite"),
    (np.array([1.0, -np.inf]), np.ones(2), "not finite"),
    (np.array([5.0, np.nan]), np.ones(2), "not finite"),
):
    check(
        verify,
        {"got": {"z": got}, "wanted": {"z": wanted}},
        {"z": found},
        hint="Shapes are compared first, and nothing is broadcast. Then nan and inf, for which every "
        "comparison is False. See 'The same to six digits'.",
    )
one, two = np.ones(2), 2 * np.ones(2)
mixed = {
    "got": {"extra": one, "c": two, "a": one, "last": two},
    "wanted": {"a": one, "b": one, "c": one},
}
found = call(verify, mixed)
assert_equal(
    [(name, told) for name, told in found.items() if name != "c"],
    [("b", "missing"), ("extra", "unexpected"), ("last", "unexpected")],
    what="What verify tells of names that are missing or unexpected",
    hint="In the order of wanted, and after these what was not wanted, in the order of got.",
)
assert_equal(
    list(found),
    ["b", "c", "extra", "last"],
    what="The order in which verify tells of a, b and c, and of what came besides",
    hint="In the order of wanted, and after these what was not wanted, in the order of got.",
)
off = {"got": {"a": np.array([1.0, 3.05])}, "wanted": {"a": np.array([1.0, 3.0])}}
check_keyword(verify, off, "rtol", [(1e-3, {"a": (1,)}), (0.1, {})])
check_keyword(verify, off, "atol", [(1e-3, {"a": (1,)}), (0.1, {})])
check(
    verify,
    {
        "got": {"n": np.array([0, 9], np.uint8)},
        "wanted": {"n": np.array([255, 7], np.uint8)},
        "rtol": 0.0,
        "atol": 3.0,
    },
    {"n": (0,)},
    hint="Bytes wrap around: 0 - 255 is 1 in uint8. Compute the difference in floating point.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. A graph format
#
# The hospital's machine reads graphs in the style of ONNX. A graph is a list of nodes, each a dictionary:
#
# ```python
# {"op": "Gemm", "inputs": ["x", "W", "b"], "output": "z", "attributes": {"transB": 1}}
# ```
#
# It has "attributes" only where the operation needs some. There are five operations:
#
# | op | inputs | computes |
# |---|---|---|
# | `Gemm` | A, B, and perhaps C | A @ B + C, with the transpose of B if the attribute `transB` is 1 (otherwise it is 0 or not there) |
# | `Add` | A, B | A + B |
# | `Relu` | A | the larger of A and 0 |
# | `Transpose` | A | A with its axes in the order of the attribute `perm` |
# | `Flatten` | A | A with shape (n, everything else) |
#
# Nodes may be listed in any order: a node runs when everything it reads is available. First check a graph
# without running it, then run it.


# %% nbgrader={"grade": false, "grade_id": "graph", "locked": false, "schema_version": 3, "solution": true, "task": false}
def check_graph(nodes, names, outputs):
    """Find what is wrong with a graph, without running it.

    Parameters
    ----------
    nodes : list of dict
        As described above.
    names : list of str
        What is there before a node has run: the graph's inputs and weights.
    outputs : list of str
        What the graph is asked for.

    Returns
    -------
    dict of str to list of str
        "missing": names that are read or asked for, and neither there nor made by any node;
        "twice": names that are made by more than one node, or made though they are there before;
        "unused": names that are there or made, and neither read nor asked for.
        Each list in alphabetical order, without repetitions; empty if there is nothing to say.

    Example
    -------
    >>> nodes = [{"op": "Add", "inputs": ["x", "c"], "output": "y"}]
    >>> found = check_graph(nodes, ["x", "b"], ["y"])
    >>> found["missing"], found["twice"], found["unused"]
    (['c'], [], ['b'])
    """
    ### BEGIN SOLUTION
    made = [*names, *(node["output"] for node in nodes)]
    read = {name for node in nodes for name in node["inputs"]} | set(outputs)
    return {
        "missing": sorted(read - set(made)),
        "twice": sorted(name for name in set(made) if made.count(name) > 1),
        "unused": sorted(set(made) - read),
    }
    ### END SOLUTION


def run_graph(nodes, arrays, outputs):
    """Run a graph.

    Parameters
    ----------
    nodes : list of dict
        In any order.
    arrays : dict of str to ndarray
        What is there before: inputs and weights. It stays as it is.
    outputs : list of str
        What to return.

    Returns
    -------
    dict of str to ndarray
        The outputs, in the order in which they were asked for.

    Raises
    ------
    ValueError
        If an operation is not known (whether it is reached or not), if nodes are left that can never
        run, or if an output is not there in the end.

    Example
    -------
    >>> nodes = [{"op": "Relu", "inputs": ["y"], "output": "z"},
    ...          {"op": "Add", "inputs": ["x", "b"], "output": "y"}]
    >>> run_graph(nodes, {"x": np.array([1.0, -3.0]), "b": np.array([1.0, 1.0])}, ["z"])["z"].tolist()
    [2.0, 0.0]
    """

    ### BEGIN SOLUTION
    def gemm(attributes, a, b, c=0):
        return a @ (b.T if attributes.get("transB") else b) + c

    operations = {
        "Gemm": gemm,
        "Add": lambda attributes, a, b: a + b,
        "Relu": lambda attributes, a: np.maximum(a, 0),
        "Transpose": lambda attributes, a: a.transpose(attributes["perm"]),
        "Flatten": lambda attributes, a: a.reshape(len(a), -1),
    }
    for node in nodes:
        if node["op"] not in operations:
            raise ValueError(f"there is no operation {node['op']!r}.")
    there, left = dict(arrays), list(nodes)
    while left:
        ready = [node for node in left if all(name in there for name in node["inputs"])]
        if not ready:
            raise ValueError(f"these can never run: {[node['output'] for node in left]}.")
        for node in ready:
            read = [there[name] for name in node["inputs"]]
            there[node["output"]] = operations[node["op"]](node.get("attributes", {}), *read)
        left = [node for node in left if node not in ready]
    if absent := [name for name in outputs if name not in there]:
        raise ValueError(f"not there in the end: {absent}.")
    return {name: there[name] for name in outputs}
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-graph", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

nodes = [
    {"op": "Relu", "inputs": ["z"], "output": "a"},
    {"op": "Gemm", "inputs": ["x", "W", "b"], "output": "z", "attributes": {"transB": 1}},
]
check(
    check_graph,
    {"nodes": nodes, "names": ["x", "W", "v"], "outputs": ["a", "c"]},
    {"missing": ["b", "c"], "twice": [], "unused": ["v"]},
    hint="b is read and c is asked for, and nobody makes them. v is there and nobody reads it. "
    "See 'Files as bridges'.",
)
check(
    run_graph,
    {
        "nodes": nodes,
        "arrays": {
            "x": np.array([[1.0, 2.0]]),
            "W": np.array([[1.0, 1.0], [0.0, -1.0], [2.0, 0.0]]),
            "b": np.array([0.5, 0.5, 0.5]),
        },
        "outputs": ["a"],
    },
    {"a": np.array([[3.5, 0.0, 2.5]])},
    hint="The second node runs first: it makes z, which the first one reads. W has shape (out, in), so "
    "transB asks for x @ W.T. See 'Files as bridges'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-graph-hidden", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
# Hidden: every operation, any order, square weights, branches, cycles, unknown operations, names.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_equal, call, check, check_raises

rng = np.random.default_rng(4)


def node(op, inputs, output, **attributes):
    made = {"op": op, "inputs": inputs.split(), "output": output}
    return {**made, "attributes": attributes} if attributes else made


for nodes, names, outputs, missing, twice, unused in (
    ([], ["x"], ["x"], [], [], []),
    ([node("Relu", "x", "y")], ["x"], ["y"], [], [], []),
    ([node("Relu", "x", "y"), node("Relu", "x", "y")], ["x"], ["y"], [], ["y"], []),
    ([node("Relu", "x", "x")], ["x"], ["x"], [], ["x"], []),
    (
        [node("Add", "q p", "y"), node("Add", "q y", "z")],
        ["x", "a"],
        ["z"],
        ["p", "q"],
        [],
        ["a", "x"],
    ),
    ([node("Relu", "x", "y"), node("Relu", "x", "z")], ["x"], ["z"], [], [], ["y"]),
    ([node("Relu", "y", "z"), node("Relu", "x", "y")], ["x"], ["y", "z"], [], [], []),
    ([node("Add", "z z", "y")], ["z", "b", "a"], ["w", "y"], ["w"], [], ["a", "b"]),
):
    check(
        check_graph,
        {"nodes": nodes, "names": names, "outputs": outputs},
        {"missing": missing, "twice": twice, "unused": unused},
        hint="A name is made by a node or is there before; it is read by a node or asked for. Compare the "
        "two sets, and count how often each is made. See 'Files as bridges'.",
    )

x, W = rng.normal(size=(3, 4)), rng.normal(size=(4, 4))
b = rng.normal(size=4)
for attributes, wanted in (({"transB": 1}, x @ W.T), ({"transB": 0}, x @ W), ({}, x @ W)):
    for inputs, bias in (("x W", 0.0), ("x W b", b)):
        check(
            run_graph,
            {
                "nodes": [node("Gemm", inputs, "y", **attributes)],
                "arrays": {"x": x, "W": W, "b": b},
                "outputs": ["y"],
            },
            {"y": wanted + bias},
            hint="A square matrix must be transposed as well, and only if transB is 1; the third input may "
            "be absent. See 'Where the conventions differ'.",
        )
maps = rng.normal(size=(2, 3, 2, 4))
head = rng.normal(size=(24, 5))
nodes = [
    node("Add", "s t", "u"),
    node("Gemm", "f H", "t"),
    node("Flatten", "m", "f"),
    node("Transpose", "i", "m", perm=[0, 2, 3, 1]),
    node("Relu", "t", "s"),
]
flat = maps.transpose(0, 2, 3, 1).reshape(2, 24)
t = flat @ head
for order in ([0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [3, 2, 1, 4, 0], [2, 0, 4, 1, 3]):
    got = call(
        run_graph,
        {
            "nodes": [nodes[k] for k in order],
            "arrays": {"i": maps, "H": head},
            "outputs": ["u", "f", "m"],
        },
    )
    assert_equal(
        list(got),
        ["u", "f", "m"],
        what="The names of the outputs, asked for as u, f, m",
        hint="The outputs that were asked for, and no others.",
    )
    check(
        run_graph,
        {
            "nodes": [nodes[k] for k in order],
            "arrays": {"i": maps, "H": head},
            "outputs": ["u", "f", "m"],
        },
        {"u": np.maximum(t, 0) + t, "f": flat, "m": maps.transpose(0, 2, 3, 1)},
        hint="A node runs when all that it reads is there, wherever it stands in the list. Transpose puts "
        "the axes in the order of perm, and Flatten keeps the first. See 'Files as bridges'.",
    )
once = {"x": np.array([-1.0, 2.0])}
check(
    run_graph,
    {"nodes": [], "arrays": once, "outputs": ["x"]},
    {"x": np.array([-1.0, 2.0])},
    hint="An output may be an input.",
)
twins = [node("Relu", "x", "y"), node("Relu", "x", "z")]
check(
    run_graph,
    {"nodes": twins, "arrays": once, "outputs": ["z", "y"]},
    {"z": np.array([0.0, 2.0]), "y": np.array([0.0, 2.0])},
    hint="Two nodes may read the same.",
)
for nodes, outputs, why in (
    ([node("Tanh", "x", "y")], ["y"], "Tanh is none of the five operations."),
    (
        [node("Relu", "x", "y"), node("Relu", "y", "z"), node("Tanh", "q", "w")],
        ["z"],
        "No Tanh here.",
    ),
    ([node("Add", "x q", "y")], ["y"], "Nobody makes q, so this node can never run."),
    (
        [node("Add", "x z", "y"), node("Relu", "y", "z")],
        ["y"],
        "Each of the two waits for the other.",
    ),
    ([node("Relu", "x", "y"), node("Relu", "q", "z")], ["y"], "The second node can never run."),
    ([node("Relu", "x", "y")], ["w"], "Nobody makes w, which is asked for."),
):
    check_raises(
        ValueError,
        run_graph,
        {"nodes": nodes, "arrays": once, "outputs": outputs},
        hint=why + " See 'Files as bridges'.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. Where a tracer gives up
#
# Here is a small tracing machine. A `Traced` number or array passes through your function in place of the
# real one. Whatever is done with it is passed to its tracer: operations go to `record`, and when Python must
# know the value, for an `if` or for `.item()`, it goes to `ask`.

# %% nbgrader={"grade": false, "grade_id": "machine", "locked": true, "schema_version": 3, "solution": false, "task": false}
OPERATIONS = {
    "add": np.add,
    "mul": np.multiply,
    "div": np.divide,
    "gt": np.greater,
    "sum": np.sum,
    "exp": np.exp,
    "relu": lambda a: np.maximum(a, 0),
    "where": np.where,
}


class Traced:
    """An array on its way through a function that is being recorded."""

    __array_ufunc__ = None  # so that NumPy leaves `array * traced` to this class

    def __init__(self, value, tracer):
        self.value, self.tracer = value, tracer

    def __add__(self, other):
        return self.tracer.record("add", self, other)

    def __radd__(self, other):
        return self.tracer.record("add", other, self)

    def __mul__(self, other):
        return self.tracer.record("mul", self, other)

    def __rmul__(self, other):
        return self.tracer.record("mul", other, self)

    def __truediv__(self, other):
        return self.tracer.record("div", self, other)

    def __rtruediv__(self, other):
        return self.tracer.record("div", other, self)

    def __gt__(self, other):
        return self.tracer.record("gt", self, other)

    def sum(self):
        return self.tracer.record("sum", self)

    def exp(self):
        return self.tracer.record("exp", self)

    def relu(self):
        return self.tracer.record("relu", self)

    def where(self, yes, no):
        """Take from `yes` where this is true, from `no` elsewhere."""
        return self.tracer.record("where", self, yes, no)

    def __bool__(self):
        return bool(self.tracer.ask(self))

    def item(self):
        return float(self.tracer.ask(self))


# %% [markdown]
# Write the tracer, in the style of `torch.compile`. `record` computes the operation, notes its name in the
# graph that is being recorded, and returns a new `Traced`. `ask` is a graph break: it ends the graph that is
# being recorded, and returns the value. What comes after it belongs to a new graph. Graphs without an
# operation are not counted. `explain` then reports what became of a function.


# %% nbgrader={"grade": false, "grade_id": "explain", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Tracer:
    """Records operations, and notes where a value must be known.

    Attributes
    ----------
    graphs : list of list of str
        The names of the operations, graph by graph.
    breaks : int
        How often a value was asked for.
    """

    def __init__(self):
        ### BEGIN SOLUTION
        self.graphs, self.breaks, self.ended = [], 0, True
        ### END SOLUTION

    def record(self, op, *operands):
        """Compute an operation, note it, and return a Traced.

        Parameters
        ----------
        op : str
            A name in OPERATIONS.
        *operands : Traced, ndarray or float
        """
        ### BEGIN SOLUTION
        if self.ended:
            self.graphs.append([])
            self.ended = False
        self.graphs[-1].append(op)
        values = [x.value if isinstance(x, Traced) else x for x in operands]
        return Traced(OPERATIONS[op](*values), self)
        ### END SOLUTION

    def ask(self, traced):
        """Break the graph, and return the value of a Traced."""
        ### BEGIN SOLUTION
        self.breaks += 1
        self.ended = True
        return traced.value
        ### END SOLUTION


def explain(function, inputs):
    """Trace a function, and tell what was recorded.

    Parameters
    ----------
    function : callable
        Takes as many arguments as there are inputs, and returns one result.
    inputs : list of ndarray

    Returns
    -------
    result : ndarray or float
        What the function computes of the inputs: the value, not a Traced.
    graphs : list of list of str
        The operations of each graph.
    breaks : int

    Example
    -------
    >>> def halve_if_large(x):
    ...     if x.sum() > 1:
    ...         x = x * 0.5
    ...     return x.exp()
    >>> _, graphs, breaks = explain(halve_if_large, [np.ones(2)])
    >>> graphs, breaks
    ([['sum', 'gt'], ['mul', 'exp']], 1)
    """
    ### BEGIN SOLUTION
    tracer = Tracer()
    result = function(*(Traced(x, tracer) for x in inputs))
    value = result.value if isinstance(result, Traced) else result
    return value, tracer.graphs, tracer.breaks
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-explain", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import assert_close, assert_equal, call, probe


def capped(explain, start):
    def function(x):
        x = x.relu()
        total = x.sum()
        if total > 1:
            x = x / total
        return x.exp()

    return call(explain, {"function": function, "inputs": [start]})


result, graphs, breaks = probe(capped, explain, np.array([1.0, -1.0, 3.0]))
assert_equal(
    (graphs, breaks),
    ([["relu", "sum", "gt"], ["div", "exp"]], 1),
    what="The graphs and breaks of a function with an `if` on a value",
    hint="The comparison is an operation like others; the `if` asks for its value, and ends the graph. "
    "See 'Run or record'.",
)
assert_close(
    result,
    np.exp([0.25, 0.0, 0.75]),
    what="What explain returns as the result of this function",
    hint="The value, as the function would compute it untraced. See 'Run or record'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-explain-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: no break, breaks in a row, loops, breaks at the ends, several inputs, arrays beside traced ones.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_close, assert_equal, call, probe


def traced(explain, which, inputs):
    def whole(x, y):
        return (x.sum() > y.sum()).where(x, y).exp()

    def loop(x):
        while x.sum() > 1:
            x = x * 0.5
        return x

    def twice(x):
        total = x.sum()
        scale = total.item() + total.item()
        return x / scale + 1.0

    def first(x):
        return x + 1.0 if x.item() > 2 else x * 2.0

    def last(x):
        return x.exp().item()

    def nothing(x):
        return x

    def arrays(x, y):
        return 2.0 * x + np.array([1.0, 2.0]) * y + 1.0 / x

    functions = {f.__name__: f for f in (whole, loop, twice, first, last, nothing, arrays)}
    return call(explain, {"function": functions[which], "inputs": inputs})


x, y = np.array([1.0, 3.0]), np.array([5.0, 0.5])
one = np.array(3.0)
for which, inputs, result, graphs, breaks, hint in (
    (
        "whole",
        [x, y],
        np.exp(y),
        [["sum", "sum", "gt", "where", "exp"]],
        0,
        "A choice that is an operation breaks nothing.",
    ),
    (
        "loop",
        [x],
        x / 4,
        [["sum", "gt"], ["mul", "sum", "gt"], ["mul", "sum", "gt"]],
        3,
        "A loop asks in each round: 4 > 1, 2 > 1, 1 > 1.",
    ),
    (
        "twice",
        [x],
        x / 8 + 1,
        [["sum"], ["div", "add"]],
        2,
        "Two questions in a row are two breaks, and no graph without an operation lies between them.",
    ),
    ("first", [one], 4.0, [["add"]], 1, "A break before any operation makes no empty graph."),
    ("last", [one], np.exp(3.0), [["exp"]], 1, "Nothing comes after the break: one graph."),
    ("nothing", [one], 3.0, [], 0, "No operation, no graph."),
    (
        "arrays",
        [x, y],
        2 * x + np.array([1.0, 2.0]) * y + 1 / x,
        [["mul", "mul", "add", "div", "add"]],
        0,
        "Operands may be plain numbers and arrays, on either side.",
    ),
):
    # Twice: what one tracer remembers must not be there for the next.
    for _ in range(2):
        got = probe(traced, explain, which, inputs)
        assert_equal(
            ([list(graph) for graph in got[1]], got[2]),
            (graphs, breaks),
            what=f"The graphs and breaks of the function `{which}`",
            hint=hint + " See 'Run or record'.",
        )
        assert_equal(np.shape(got[2]), (), what="The shape of breaks, which is a number")
        assert_close(
            got[0],
            result,
            what=f"The result of the function `{which}`",
            hint="The value of what the function returns; it may be a plain number. See 'Run or record'.",
        )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 7. The delivery
#
# A network learns in PyTorch (a second or two), and the supplier delivers it in Keras's layout. Your
# functions bring it back. On the test set it reads as well as ever. Then `verify` looks at the
# activations, layer by layer.

# %% nbgrader={"grade": false, "grade_id": "finale", "locked": true, "schema_version": 3, "solution": false, "task": false}
from torch.nn import functional

from course_lib.plotting import frameworks as figures
from course_lib.training import fit

seed_everything(0)
train, _, test = splits.split(*digits.load(), seed=0)
images = torch.tensor(test.X.reshape(-1, 1, 8, 8), dtype=torch.float32)
network = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1, bias=False),
    nn.BatchNorm2d(8),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(128, 10),
)
fit(
    network,
    nn.CrossEntropyLoss(),
    torch.optim.Adam(network.parameters(), lr=3e-3),
    (torch.tensor(train.X.reshape(-1, 1, 8, 8), dtype=torch.float32), torch.tensor(train.y)),
    epochs=8,
)
conv, norm, dense = network[0], network[1], network[5]
own = {
    name: array.detach().numpy()
    for name, array in {
        "kernel": conv.weight,
        "gamma": norm.weight,
        "beta": norm.bias,
        "mean": norm.running_mean,
        "var": norm.running_var,
        "dense": dense.weight,
        "bias": dense.bias,
    }.items()
}
# What the supplier's converter wrote.
delivered = own | {
    "kernel": own["kernel"].transpose(2, 3, 1, 0),
    "dense": own["dense"].reshape(10, 8, 4, 4).transpose(2, 3, 1, 0).reshape(128, 10),
    "var": np.sqrt(own["var"]),
}
brought = delivered | {
    "kernel": to_torch("conv", delivered["kernel"]),
    "dense": to_torch("dense", delivered["dense"], maps=(4, 4, 8)),
}


def activations(w, eps=1e-5):
    w = {name: torch.tensor(array) for name, array in w.items()}
    maps = functional.conv2d(images, w["kernel"], padding=1)
    found = {"conv": maps}
    maps = functional.batch_norm(maps, w["mean"], w["var"], w["gamma"], w["beta"], eps=eps)
    found |= {"norm": maps, "pool": functional.max_pool2d(maps.relu(), 2)}
    found["logits"] = functional.linear(found["pool"].flatten(1), w["dense"], w["bias"])
    return {name: a.numpy() for name, a in found.items()}


wanted = activations(own)
apart, accuracy = {}, {}
for name, w, eps in (
    ("as delivered", brought, 1e-5),
    ("variance mended", brought | {"var": brought["var"] ** 2}, 1e-5),
    ("mended, Keras's ε", brought | {"var": brought["var"] ** 2}, 1e-3),
):
    got = activations(w, eps)
    apart[name] = np.abs(got["logits"] - wanted["logits"]).max() / np.abs(wanted["logits"]).max()
    apart[name] = max(float(apart[name]), 1e-7)  # a logarithmic axis has no zero
    accuracy[name] = np.mean(got["logits"].argmax(axis=1) == test.y)
    print(f"{name:18} {accuracy[name]:.1%}  differs: {list(verify(got, wanted, atol=1e-4))}")

constants = (own[name] for name in ("gamma", "beta", "mean", "var"))
kernel, bias = fold(own["kernel"], None, *constants)
folded = functional.conv2d(images, torch.tensor(kernel), torch.tensor(bias), padding=1).numpy()
print("folded:", verify({"norm": folded}, {"norm": wanted["norm"]}, atol=1e-4) or "the same")
head = [
    {
        "op": "Gemm",
        "inputs": ["flat", "dense", "bias"],
        "output": "logits",
        "attributes": {"transB": 1},
    },
    {"op": "Flatten", "inputs": ["pool"], "output": "flat"},
]
print("the graph of the last layer:", check_graph(head, ["pool", "dense", "bias"], ["logits"]))
logits = run_graph(head, {**own, "pool": wanted["pool"]}, ["logits"])
print("its outputs:", verify(logits, {"logits": wanted["logits"]}, atol=1e-4) or "the same")


def unsure(z):
    """Scale logits down while they are too sure of themselves."""
    while z.exp().sum() > 100:
        z = z * 0.8
    return z


_, graphs, breaks = explain(unsure, [wanted["logits"][0]])
print(f"the machine's last function: {len(graphs)} graphs, {breaks} breaks")
figures.mistakes(apart, accuracy, tolerance=1e-5)

# %% [markdown]
# **What you see.** The delivery read the digits about as well as the original, and from `norm` on every
# activation was wrong: the supplier's converter had written standard deviations where variances belong. The
# first name that `verify` reports is where to look. The last row is the other framework's ε: it shows at once
# in the outputs, and hardly or not at all in the accuracy.
#
# ## Step 8. A report
#
# *4 points, read by a person. About 120 words.*
#
# The supplier answers: "We have verified the port. On a black image, all zeros, outputs differ by 2e-8. On
# the test set both versions read 97.2 percent. Outputs there differ by up to 0.04, which is below our
# tolerance of 0.05. We chose the tolerance so that it holds on all images."
#
# 1. Why does the black image show so little? Name two mistakes from the chapter that it cannot show.
# 2. What is wrong with the tolerance, and what would you put in its place, for `float32`?
# 3. Name one thing besides outputs that must be compared if the hospital wants to continue training the
#    network, and say why outputs do not show it.

# %% [markdown] nbgrader={"grade": true, "grade_id": "report", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# 1. The convolution has no bias, so zeros stay zeros before the normalization, whatever the kernel is. A
#    kernel that was reshaped, or whose height and width were swapped, gives the same outputs. (All places
#    of a map are then equal, so height and width swapped in the flattening do not show either. Channels
#    mixed up do: each map has a value of its own.)
# 2. It was chosen after the result, so that it holds: it cannot fail. It must come from what rounding
#    explains, say 1e-5 of the largest output in float32, and a deliberate mistake must exceed it. A
#    difference of 0.04 is thousands of times too large: something is wrong, such as another ε.
# 3. The running averages after a training step, or the momentum itself: it does not enter the outputs,
#    and in the other framework it is the weight of the old average. Gradients and one training step would
#    be compared as well.
#
# === BEGIN MARK SCHEME ===
# 1. **Two points.** One for the reason: zeros multiply away the kernel (or: every input that tells
#    weights apart is zero). One for two mistakes that stay hidden: kernel reshaped, kernel's axes swapped;
#    half a point for one. A wrong order of flattening counts only if it stays within each map (height and width
#    swapped), with that reason.
# 2. **One point.** Half for "chosen so that it passes, it cannot fail". Half for a tolerance that comes
#    from rounding (1e-6 to 1e-4 of the scale of the outputs).
# 3. **One point** for momentum or running averages (or dropout's rate, or the optimizer's constants), with
#    the reason that evaluation mode does not use it. Half without a reason.
# === END MARK SCHEME ===
