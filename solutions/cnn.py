# ---
# jupyter:
#   course:
#     answers_in:
#     - course_lib.models.cnn
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
# # Convolutional networks: a reader for digits anywhere
#
# - **Time:** 110 minutes. **Difficulty:** 3 of 5. **Points:** 33, of which a person gives 4.
# - **Needs:** the chapter *Convolutional networks*, NumPy arrays, PyTorch's modules.
#
# The labels on parcels are photographed in a hurry, and the digit is never where it was last time. You build
# a reader for them part by part: the plan of its layers, what each unit sees, the convolution and its
# backward pass, pooling, and a residual block. In the end your parts form one network, which learns from
# 1,000 photographs, and you see what its kernels have become.
#
# **What is special here**
#
# - Steps 3 to 5 are NumPy: arrays of shape (n, channels, height, width), with any type of numbers. What you
#   return has at least the precision of the input, and no fractions are lost when the input is whole numbers.
# - Step 6 is a PyTorch module, which may be moved to a GPU.
# - Loops over the positions in an image, or over those in a kernel, are fast enough. Looping over the images
#   of a batch as well makes step 7 slow.
#
# `course_lib.models.cnn` holds an answer to this exercise: leave it closed. What holds in every exercise
# (how to check, what the tests look at, what counts) is on the page *How exercises work* in the
# appendix.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np
import torch
from torch import nn

from course_lib import get_device, seed_everything
from course_lib.data import digits, splits

device = get_device()

# %% [markdown]
# ## Step 1. The plan
#
# Before a network is built, its shapes are worked out. For a stack of convolutions and pooling layers, and
# images that are `size` pixels high and wide, list for each layer how many outputs it has in a row, how many
# pixels in a row each output can see, and how many pixels apart its outputs lie.
#
# A layer is a dictionary. Whatever is missing from it has PyTorch's default: stride 1, padding 0, dilation 1.
# If a window does not fit even once, raise a `ValueError` that says in which layer (counted from 1).


# %% nbgrader={"grade": false, "grade_id": "plan", "locked": false, "schema_version": 3, "solution": true, "task": false}
def plan(size, layers):
    """Work out the shapes of a stack of layers.

    Parameters
    ----------
    size : int
        Height and width of the images, in pixels.
    layers : list of dict
        ``{"kernel": 3, "stride": 2, "padding": 1, "dilation": 1}``, from the image upwards; all but
        the kernel may be missing.

    Returns
    -------
    list of (int, int, int)
        For each layer: its size, the width of its receptive field in pixels, and the distance of
        neighboring outputs in pixels. Padding counts as pixels.

    Raises
    ------
    ValueError
        If the window of a layer does not fit into what comes before it. The message has the number
        of the layer, from 1.

    Example
    -------
    >>> plan(28, [{"kernel": 5}, {"kernel": 2, "stride": 2}, {"kernel": 3, "padding": 1}])
    [(24, 5, 1), (12, 6, 2), (12, 10, 2)]
    """
    ### BEGIN SOLUTION
    field, step, shapes = 1, 1, []
    for number, layer in enumerate(layers, start=1):
        stride, padding = layer.get("stride", 1), layer.get("padding", 0)
        reach = layer.get("dilation", 1) * (layer["kernel"] - 1)
        free = size + 2 * padding - reach - 1
        if free < 0:
            raise ValueError(f"The window of layer {number} does not fit into {size} pixels.")
        size = free // stride + 1
        field, step = field + reach * step, step * stride
        shapes.append((size, field, step))
    return shapes
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-plan", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
from course_lib.exercises import check, check_raises

check(
    plan,
    {"size": 12, "layers": [{"kernel": 3}, {"kernel": 2, "stride": 2}, {"kernel": 3}]},
    [(10, 3, 1), (5, 4, 2), (3, 8, 2)],
    hint="The third layer's outputs see 4 + (3 - 1) * 2 pixels: its steps are as long as all strides "
    "before it multiplied. See 'What one number sees'.",
)
check_raises(
    ValueError,
    plan,
    {"size": 4, "layers": [{"kernel": 3}, {"kernel": 3}]},
    match="2",
    hint="After the first layer two pixels are left, and a window of 3 does not fit into them.",
)

# %% nbgrader={"grade": true, "grade_id": "test-plan-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: padding, strides that leave pixels over, dilation, windows that just fit, many layers.
### BEGIN HIDDEN TESTS
from course_lib.exercises import check, check_raises

for size in (11, 12, 13, 14):
    check(
        plan,
        {"size": size, "layers": [{"kernel": 3, "stride": 3, "padding": 1}]},
        [((size - 1) // 3 + 1, 3, 3)],
        hint="(size + 2 * padding - kernel) / stride, rounded down, plus 1: padding is put on both "
        "sides, and what does not fill a window is left out. See 'How large is the result?'.",
    )
check(
    plan,
    {
        "size": 33,
        "layers": [
            {"kernel": 3, "stride": 2},
            {"kernel": 3, "stride": 2},
            {"kernel": 5},
            {"kernel": 1, "stride": 3},
        ],
    },
    [(16, 3, 2), (7, 7, 4), (3, 23, 4), (1, 23, 12)],
    hint="Each layer adds (kernel - 1) steps, and a step is the product of all strides before it. A "
    "kernel of 1 adds nothing. See 'What one number sees'.",
)
check(
    plan,
    {
        "size": 20,
        "layers": [
            {"kernel": 3, "dilation": 4},
            {"kernel": 3, "dilation": 3, "stride": 2, "padding": 2},
        ],
    },
    [(12, 9, 1), (5, 15, 2)],
    hint="Dilation spreads the kernel over dilation * (kernel - 1) + 1 places, in the size and in the "
    "field. See 'How large is the result?'.",
)
check(
    plan,
    {"size": 5, "layers": [{"kernel": 5}, {"kernel": 1, "padding": 2}]},
    [(1, 5, 1), (5, 5, 1)],
    hint="A window that just fits has one place.",
)
check(
    plan,
    {"size": 3, "layers": [{"kernel": 5, "padding": 1}, {"kernel": 3, "padding": 2}]},
    [(1, 5, 1), (3, 7, 1)],
    hint="A window may be wider than the image if it fits with the padding on both sides, and the places "
    "in the padding count in the field: it may be wider than the image.",
)
check(plan, {"size": 9, "layers": []}, [], hint="No layers, no shapes.")
check_raises(
    ValueError,
    plan,
    {
        "size": 8,
        "layers": [{"kernel": 2, "stride": 2}, {"kernel": 1}, {"kernel": 3, "dilation": 2}],
    },
    match="3",
    hint="Spread by its dilation, the window of layer 3 is 5 wide, and 4 are left.",
)
check_raises(
    ValueError,
    plan,
    {"size": 2, "layers": [{"kernel": 5, "padding": 1, "stride": 3}]},
    match="1",
    hint="The window of layer 1 is 5 wide, and with the padding there are 4. Rounded down with a "
    "stride of 3, the formula gives 0 or 1 there: look at the window before the division.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. Which pixels
#
# A unit has responded, and you want to know what it was looking at. Go down layer by layer: output $i$ of a
# layer looks at the positions from $i \cdot s - p$ to $i \cdot s - p + d\,(k - 1)$ of the layer below it. In
# the padding, positions are negative or beyond the last one: leave them as they are.


# %% nbgrader={"grade": false, "grade_id": "looks_at", "locked": false, "schema_version": 3, "solution": true, "task": false}
def looks_at(layers, i):
    """Find the first and the last pixel in a row that output i of the last layer can see.

    Parameters
    ----------
    layers : list of dict
        As in `plan`.
    i : int
        From 0.

    Returns
    -------
    first, last : int
        Pixels count from 0; places in the padding are below 0 or beyond the last pixel.

    Example
    -------
    >>> looks_at([{"kernel": 3, "padding": 1}, {"kernel": 2, "stride": 2}], 1)  # outputs 2 and 3
    (1, 4)
    """
    ### BEGIN SOLUTION
    first = last = i
    for layer in reversed(layers):
        stride, padding = layer.get("stride", 1), layer.get("padding", 0)
        first = first * stride - padding
        last = last * stride - padding + layer.get("dilation", 1) * (layer["kernel"] - 1)
    return first, last
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-looks_at", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
from course_lib.exercises import check

check(
    looks_at,
    {"layers": [{"kernel": 3}, {"kernel": 3, "stride": 2}], "i": 2},
    (4, 8),
    hint="Output 2 of the second layer looks at outputs 4, 5 and 6 of the first, and these at pixels 4 "
    "to 8. Begin with the last layer. See 'What one number sees'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-looks_at-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: padding at both ends, strides in different places, dilation, no layers.
### BEGIN HIDDEN TESTS
from course_lib.exercises import check

stack = [
    {"kernel": 5, "stride": 2, "padding": 2},
    {"kernel": 3, "dilation": 2, "padding": 1},
    {"kernel": 2, "stride": 3},
]
for i, wanted in ((0, (-4, 10)), (1, (2, 16)), (5, (26, 40))):
    check(
        looks_at,
        {"layers": stack, "i": i},
        wanted,
        hint="From the last layer to the first: times its stride, minus its padding, and for the last "
        "place dilation * (kernel - 1) more. Negative places stay. See 'What one number sees'.",
    )
check(
    looks_at,
    {"layers": [{"kernel": 2, "stride": 3}, {"kernel": 5, "padding": 2}], "i": 4},
    (6, 19),
    hint="The strides do not commute with the padding: begin with the last layer.",
)
check(looks_at, {"layers": [], "i": 7}, (7, 7), hint="Without layers, an output is a pixel.")
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. The convolution
#
# Now add everything that the chapter's `conv2d` leaves out: a stride, zeros around the image, kernels that
# are not square. As in PyTorch, the kernel is not flipped. Each kernel spans all channels.


# %% nbgrader={"grade": false, "grade_id": "conv2d", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv2d(x, weight, bias, stride=1, padding=0):
    """Compute a convolution.

    Parameters
    ----------
    x : ndarray, shape (n, c_in, height, width)
    weight : ndarray, shape (c_out, c_in, k, m)
    bias : ndarray, shape (c_out,)
    stride : int
        Of both directions.
    padding : int
        Zeros on each of the four sides.

    Returns
    -------
    ndarray, shape (n, c_out, height', width')

    Example
    -------
    >>> x = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> conv2d(x, np.array([[[[1.0, 0.0], [0.0, -2.0]]]]), np.array([10.0])).tolist()
    [[[[2.0, 1.0], [-1.0, -2.0]]]]
    >>> conv2d(x, np.ones((1, 1, 3, 3)), np.zeros(1), stride=2, padding=1).tolist()
    [[[[8.0, 12.0], [20.0, 24.0]]]]
    """
    ### BEGIN SOLUTION
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]
    return np.einsum("nchwij,ocij->nohw", windows, weight, optimize=True) + bias[:, None, None]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-conv2d", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

image = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 3.0], [4.0, 0.0, 1.0]])
check(
    conv2d,
    {
        "x": image[None, None],
        "weight": np.array([[[[1.0, 10.0], [100.0, 1000.0]]]]),
        "bias": np.array([0.5]),
    },
    np.array([[[[1021.5, 3102.5], [410.5, 1031.5]]]]),
    hint="At the upper left, 1 * 1 + 10 * 2 + 100 * 0 + 1000 * 1, and the bias. 1201.5 there: the "
    "kernel was turned. See 'A window that slides'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-conv2d-hidden", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Hidden: many channels, batches, strides, padding, kernels and images that are not square, kinds.
### BEGIN HIDDEN TESTS
import numpy as np
import torch

from course_lib.exercises import check, check_keyword, check_kinds

rng = np.random.default_rng(3)


def torch_conv2d(x, weight, bias, stride=1, padding=0):
    tensors = [torch.tensor(np.asarray(a, dtype=float)) for a in (x, weight, bias)]
    return torch.nn.functional.conv2d(*tensors, stride=stride, padding=padding).numpy()


def made(n, ins, outs, height, width, k, m):
    return {
        "x": rng.normal(size=(n, ins, height, width)),
        "weight": rng.normal(size=(outs, ins, k, m)),
        "bias": rng.normal(size=outs),
    }


args = {name: np.rint(4 * value) for name, value in made(2, 3, 4, 6, 6, 3, 3).items()}
check(
    conv2d,
    args,
    torch_conv2d(**args),
    hint="Each output channel has a bias, and a kernel for each input channel: multiply first, then add "
    "up over the channels. See 'Many channels'.",
)
small = {
    "x": 1 + 1e-9 * rng.normal(size=(1, 1, 4, 4)),
    "weight": np.array([[[[1.0, -1.0], [0.0, 0.0]]]]) * 1e9,
    "bias": np.zeros(1),
}
check(
    conv2d,
    small,
    torch_conv2d(**small),
    dtype=np.float64,
    rtol=1e-4,
    atol=1e-4,
    hint="float64 came, so the result is as precise as float64: do not compute in float32.",
)
args = made(3, 2, 2, 5, 8, 2, 4)
check(
    conv2d,
    args,
    torch_conv2d(**args),
    hint="Neither image nor kernel is square: height and width each have their own number of places. "
    "See 'How large is the result?'.",
)
args = made(1, 2, 3, 7, 8, 3, 3)
check_keyword(
    conv2d,
    args,
    "stride",
    [(stride, torch_conv2d(**args, stride=stride)) for stride in (1, 2, 3)],
    hint="The window moves by `stride` places in both directions, and what does not fill a window at "
    "the right or lower edge is left out. See 'How large is the result?'.",
)
check_keyword(
    conv2d,
    {**args, "stride": 1},
    "padding",
    [(padding, torch_conv2d(**args, padding=padding)) for padding in (0, 1, 3)],
    hint="`padding` zeros on each side: left, right, top and bottom. See 'How large is the result?'.",
)
args = {**made(2, 2, 3, 9, 6, 2, 3), "stride": 2, "padding": 2}
check(
    conv2d,
    args,
    torch_conv2d(**args),
    hint="Stride and padding together: first the zeros, then the steps. See 'How large is the result?'.",
)
args = made(1, 1, 1, 4, 4, 1, 1)
check(conv2d, args, torch_conv2d(**args), hint="A kernel of 1 by 1 sees one place.")
args = {**made(1, 2, 2, 3, 4, 3, 4), "stride": 1, "padding": 0}
check(conv2d, args, torch_conv2d(**args), hint="A kernel as large as the image has one place.")
whole = {
    "x": rng.integers(-4, 5, size=(2, 2, 5, 5)).astype(float),
    "weight": rng.integers(-4, 5, size=(3, 2, 3, 3)).astype(float),
    "bias": rng.integers(-4, 5, size=3).astype(float),
    "stride": 1,
    "padding": 1,
}
check_kinds(
    conv2d,
    whole,
    torch_conv2d(**whole),
    kinds=["float64", "float32", "integers", "strided"],
    hint="The same numbers as another kind give the same results.",
)
halves = {**whole, "x": whole["x"].astype(int), "weight": whole["weight"] / 8, "stride": 2}
check(
    conv2d,
    halves,
    torch_conv2d(**halves),
    hint="Whole numbers in the image do not make the results whole: make room with np.zeros(shape), "
    "not with zeros_like(x).",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. Back through the convolution
#
# `G` holds the slopes of a loss in the results of `conv2d`, in the same shape. Return its slopes in the
# image, the weights and the bias. Each weight is used at every position, so the slopes of all positions add
# up; so do those of a pixel over all windows that contain it. A pixel in no window has slope 0, and the
# slopes in the padding belong to no pixel: cut them off.


# %% nbgrader={"grade": false, "grade_id": "conv2d_backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv2d_backward(G, x, weight, stride=1, padding=0):
    """Compute the slopes of a loss in what went into a convolution.

    Parameters
    ----------
    G : ndarray, shape (n, c_out, height', width')
        Its slopes in the result of ``conv2d(x, weight, bias, stride, padding)``.
    x, weight, stride, padding
        As in `conv2d`.

    Returns
    -------
    x_slopes, weight_slopes, bias_slopes : ndarray
        In the shapes of x, weight and bias.

    Example
    -------
    >>> x, weight = np.arange(9.0).reshape(1, 1, 3, 3), np.array([[[[1.0, 0.0], [0.0, -2.0]]]])
    >>> x_slopes, weight_slopes, bias_slopes = conv2d_backward(np.ones((1, 1, 2, 2)), x, weight)
    >>> x_slopes[0, 0].tolist()
    [[1.0, 1.0, 0.0], [1.0, -1.0, -2.0], [0.0, -2.0, -2.0]]
    >>> weight_slopes[0, 0].tolist(), bias_slopes.tolist()
    ([[8.0, 12.0], [20.0, 24.0]], [4.0])
    """
    ### BEGIN SOLUTION
    k, m = weight.shape[2:]
    around = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    rows, columns = ((length - 1) * stride + 1 for length in G.shape[2:])
    kind = np.result_type(G, weight, np.float32)
    x_slopes, weight_slopes = np.zeros(around.shape, kind), np.zeros(weight.shape, kind)
    for i in range(k):
        for j in range(m):
            # The pixels that weight (i, j) lies on, for all places of the window.
            under = np.s_[:, :, i : i + rows : stride, j : j + columns : stride]
            x_slopes[under] += np.einsum("nohw,oc->nchw", G, weight[:, :, i, j])
            weight_slopes[:, :, i, j] = np.einsum("nohw,nchw->oc", G, around[under])
    height, width = x.shape[2:]
    x_slopes = x_slopes[:, :, padding : padding + height, padding : padding + width]
    return x_slopes, weight_slopes, G.sum(axis=(0, 2, 3))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-conv2d_backward", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

image = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 3.0], [4.0, 0.0, 1.0]])
check(
    conv2d_backward,
    {
        "G": np.array([[[[1.0, 0.0], [0.0, 2.0]]]]),
        "x": image[None, None],
        "weight": np.array([[[[1.0, 10.0], [100.0, 1000.0]]]]),
    },
    (
        np.array([[[[1.0, 10.0, 0.0], [100.0, 1002.0, 20.0], [0.0, 200.0, 2000.0]]]]),
        np.array([[[[3.0, 8.0], [0.0, 3.0]]]]),
        np.array([3.0]),
    ),
    hint="The pixel in the middle lies in both windows that have a slope: 1 * 1000 + 2 * 1. The first "
    "weight lay on the 1 above and on the 1 in the middle: 1 * 1 + 2 * 1. If no pixels are left: with "
    "a padding of 0, [padding:-padding] is empty. See 'The same weights everywhere'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-conv2d_backward-hidden", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Hidden: many channels, batches, strides that leave pixels over, padding, kinds.
### BEGIN HIDDEN TESTS
import numpy as np
import torch

from course_lib.exercises import check, check_keyword, check_kinds

rng = np.random.default_rng(4)


def places(length, kernel, stride, padding):
    return (length + 2 * padding - kernel) // stride + 1


def made(n, ins, outs, height, width, k, m, stride=1, padding=0):
    shape = [places(height, k, stride, padding), places(width, m, stride, padding)]
    return {
        "G": rng.normal(size=(n, outs, *shape)),
        "x": rng.normal(size=(n, ins, height, width)),
        "weight": rng.normal(size=(outs, ins, k, m)),
        "stride": stride,
        "padding": padding,
    }


def slopes(G, x, weight, stride=1, padding=0):
    G, x, weight = (torch.tensor(np.asarray(a, dtype=float)) for a in (G, x, weight))
    bias = torch.zeros(len(weight), dtype=torch.float64)
    leaves = [tensor.requires_grad_() for tensor in (x, weight, bias)]
    out = torch.nn.functional.conv2d(*leaves, stride=stride, padding=padding)
    return tuple(slope.numpy() for slope in torch.autograd.grad(out, leaves, G))


for shape, settings, hint in (
    (
        (2, 3, 4, 5, 5, 3, 3),
        (1, 0),
        "Slopes add up over the images of the batch and over all places, in the weights and in the "
        "bias; in the image, over the output channels. See 'The same weights everywhere'.",
    ),
    (
        (1, 2, 3, 6, 8, 2, 4),
        (1, 0),
        "Neither image nor kernel is square. See 'How large is the result?'.",
    ),
    (
        (2, 2, 2, 8, 9, 3, 3),
        (2, 0),
        "With a stride of 2, the windows begin at every second place. In the image of 8 rows the last "
        "row lies in no window: its slopes are 0. See 'How large is the result?'.",
    ),
    (
        (2, 2, 3, 5, 6, 3, 3),
        (1, 2),
        "Put the zeros around the image first, and cut their slopes off at the end, on each side. "
        "See 'How large is the result?'.",
    ),
    (
        (2, 3, 2, 10, 7, 3, 2),
        (3, 1),
        "Stride and padding together, and a last window that does not reach the edge. "
        "See 'How large is the result?'.",
    ),
    ((1, 2, 2, 4, 4, 1, 1), (2, 0), "A kernel of 1 by 1 with a stride of 2 skips pixels."),
):
    args = made(*shape, *settings)
    check(conv2d_backward, args, slopes(**args), dtype=np.float64, hint=hint)
whole = {
    name: rng.integers(-4, 5, size=shape).astype(float)
    for name, shape in (("G", (2, 3, 4, 4)), ("x", (2, 2, 4, 4)), ("weight", (3, 2, 3, 3)))
}
whole |= {"stride": 1, "padding": 1}
check_kinds(
    conv2d_backward,
    whole,
    slopes(**whole),
    kinds=["float64", "float32", "integers", "strided"],
    hint="The same numbers as another kind give the same results.",
)
mixed = {**whole, "x": whole["x"].astype(int), "G": whole["G"] / 8}
check(
    conv2d_backward,
    mixed,
    slopes(**mixed),
    hint="Whole numbers in the image do not make its slopes whole: make room with np.zeros(shape), not "
    "with zeros_like(x).",
)
mixed = {**whole, "weight": whole["weight"].astype(int), "G": whole["G"] / 8}
check(
    conv2d_backward,
    mixed,
    slopes(**mixed),
    hint="Whole numbers in the weights do not make their slopes whole: make room with "
    "np.zeros(shape), not with zeros_like(weight).",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. The largest of each window
#
# Max-pooling with `k` by `k` windows side by side. Rows and columns at the end that do not fill a window are
# left out. On the way back, the slope of each window goes only to the position of its largest number; if
# several are equally large, to the first, reading line by line. All others get 0.


# %% nbgrader={"grade": false, "grade_id": "max_pool", "locked": false, "schema_version": 3, "solution": true, "task": false}
def max_pool(x, k):
    """Take the maximum of each window.

    Parameters
    ----------
    x : ndarray, shape (n, channels, height, width)
    k : int
        Height and width of the windows, and how far they lie apart.

    Returns
    -------
    ndarray, shape (n, channels, height // k, width // k)

    Example
    -------
    >>> max_pool(np.array([[[[1.0, 5.0, 9.0], [2.0, 0.0, 9.0]]]]), 2).tolist()
    [[[[5.0]]]]
    """
    ### BEGIN SOLUTION
    n, channels, height, width = x.shape
    rows, columns = height // k, width // k
    cut = x[:, :, : rows * k, : columns * k].reshape(n, channels, rows, k, columns, k)
    return cut.max(axis=(3, 5))
    ### END SOLUTION


def max_pool_backward(G, x, k):
    """Compute the slopes of a loss in what went into `max_pool`.

    Parameters
    ----------
    G : ndarray, shape (n, channels, height // k, width // k)
        Its slopes in the result.
    x, k
        As in `max_pool`.

    Returns
    -------
    ndarray, shape (n, channels, height, width)

    Example
    -------
    >>> x = np.array([[[[1.0, 5.0, 9.0], [5.0, 0.0, 9.0]]]])
    >>> max_pool_backward(np.array([[[[3.0]]]]), x, 2).tolist()
    [[[[0.0, 3.0, 0.0], [0.0, 0.0, 0.0]]]]
    """
    ### BEGIN SOLUTION
    n, channels, rows, columns = G.shape
    cut = x[:, :, : rows * k, : columns * k].reshape(n, channels, rows, k, columns, k)
    windows = cut.transpose(0, 1, 2, 4, 3, 5).reshape(n, channels, rows, columns, k * k)
    chosen = windows.argmax(axis=-1)[..., None] == np.arange(k * k)
    slopes = (chosen * G[..., None]).reshape(n, channels, rows, columns, k, k)
    out = np.zeros(x.shape, slopes.dtype)
    out[:, :, : rows * k, : columns * k] = slopes.transpose(0, 1, 2, 4, 3, 5).reshape(
        n, channels, rows * k, columns * k
    )
    return out
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-max_pool", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

image = np.array([[[[1.0, 7.0, 2.0, 0.0], [3.0, 5.0, 4.0, 6.0]]]])
check(
    max_pool,
    {"x": image, "k": 2},
    np.array([[[[7.0, 6.0]]]]),
    hint="The largest of the four on the left, and of the four on the right. "
    "See 'How large is the result?'.",
)
check(
    max_pool_backward,
    {"G": np.array([[[[0.5, -2.0]]]]), "x": image, "k": 2},
    np.array([[[[0.0, 0.5, 0.0, 0.0], [0.0, 0.0, 0.0, -2.0]]]]),
    hint="Each slope goes where the maximum came from, and the others get 0: a small change of theirs "
    "changes nothing.",
)

# %% nbgrader={"grade": true, "grade_id": "test-max_pool-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: batches, channels, other windows, negative numbers, ties, leftovers, kinds.
### BEGIN HIDDEN TESTS
import numpy as np
import torch

from course_lib.exercises import check, check_keyword, check_kinds

rng = np.random.default_rng(5)


def reference(x, k, G=None):
    x = torch.tensor(np.asarray(x, dtype=float)).requires_grad_()
    out = torch.nn.functional.max_pool2d(x, k)
    if G is None:
        return out.detach().numpy()
    return torch.autograd.grad(out, x, torch.tensor(np.asarray(G, dtype=float)))[0].numpy()


for shape, k in (((2, 3, 4, 6), 2), ((1, 2, 9, 6), 3), ((2, 1, 3, 3), 1), ((1, 1, 4, 4), 4)):
    x = -1 - rng.random(shape)
    G = rng.normal(size=(*shape[:2], shape[2] // k, shape[3] // k))
    check(
        max_pool,
        {"x": x, "k": k},
        reference(x, k),
        dtype=np.float64,
        hint="All numbers are negative here, and so are the largest of them: do not begin with 0. "
        "Channels and images do not mix. See 'How large is the result?'.",
    )
    check(
        max_pool_backward,
        {"G": G, "x": x, "k": k},
        reference(x, k, G),
        dtype=np.float64,
        hint="Each window's slope to the place of its largest number, in its own image and channel.",
    )
x = rng.normal(size=(2, 2, 7, 8))
check_keyword(
    max_pool,
    {"x": x},
    "k",
    [(2, reference(x, 2)), (3, reference(x, 3))],
    hint="Of 7 rows, three windows of 2 leave one out: what does not fill a window gives no number. "
    "See 'How large is the result?'.",
)
G = rng.normal(size=(2, 2, 2, 2))
check(
    max_pool_backward,
    {"G": G, "x": x, "k": 3},
    reference(x, 3, G),
    hint="Of 7 rows and 8 columns, windows of 3 leave one row and two columns out: their slopes are 0, "
    "and they are still there. See 'How large is the result?'.",
)
ties = np.array([[[[2.0, 2.0, 0.0, 1.0], [2.0, 2.0, 1.0, 1.0], [0, 3, 0, 0], [3, 3, 0, 0]]]])
G = np.array([[[[1.0, 2.0], [4.0, 8.0]]]])
check(
    max_pool_backward,
    {"G": G, "x": ties, "k": 2},
    np.array([[[[1.0, 0, 0, 2], [0, 0, 0, 0], [0, 4, 8, 0], [0, 0, 0, 0]]]]),
    hint="Of equals, the first gets the whole slope, read line by line (argmax finds it), and the "
    "others nothing. After a ReLU, windows full of zeros are common.",
)
whole = np.array([[[[1.0, 2.0, 0.0, 3.0], [4.0, -1.0, 5.0, -2.0]]]])
check_kinds(
    max_pool,
    {"x": whole, "k": 2},
    np.array([[[[4.0, 5.0]]]]),
    kinds=["float64", "float32", "integers", "strided"],
)
check(
    max_pool_backward,
    {"G": np.array([[[[0.25, -0.5]]]]), "x": whole.astype(int), "k": 2},
    np.array([[[[0, 0, 0, 0], [0.25, 0, -0.5, 0]]]]),
    hint="Whole numbers in the image do not make its slopes whole: make room with np.zeros(shape), not "
    "with zeros_like(x).",
)
check(
    max_pool_backward,
    {"G": np.array([[[[0.25, -0.5]]]], dtype=np.float32), "x": whole.astype(np.float32), "k": 2},
    np.array([[[[0, 0, 0, 0], [0.25, 0, -0.5, 0]]]]),
    hint="The same numbers as float32 give the same slopes.",
)
# A view with gaps: what reshape makes of it is a copy, and must not be written to in vain.
wide = rng.normal(size=(2, 2, 6, 12))
G = rng.normal(size=(2, 2, 3, 3))
check(
    max_pool_backward,
    {"G": G, "x": wide[..., ::2], "k": 2},
    reference(wide[..., ::2], 2, G),
    hint="An array that does not lie in one piece has the same slopes.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. A residual block
#
# The block of ResNet, in PyTorch: convolution, batch normalization, ReLU, convolution, batch normalization;
# then the input is *added*, and ReLU comes last. The first convolution has the stride. Where shapes change,
# the input cannot be added as it is: it goes through a 1 by 1 convolution with the same stride and its own
# batch normalization. A bias right before batch normalization would be subtracted again with the mean, so no
# convolution has one.


# %% nbgrader={"grade": false, "grade_id": "ResidualBlock", "locked": false, "schema_version": 3, "solution": true, "task": false}
class ResidualBlock(nn.Module):
    """Two convolutions of 3 by 3 that keep the size (but for the stride), and a path around them.

    Parameters
    ----------
    in_channels, out_channels : int
    stride : int
        Of the first convolution, and of the path around.

    Attributes
    ----------
    conv1, conv2 : nn.Conv2d
        Without bias.
    norm1, norm2 : nn.BatchNorm2d
        One behind each convolution.
    shortcut : nn.Module
        ``nn.Identity()`` if the stride is 1 and the channels stay as many; otherwise
        ``nn.Sequential`` of a convolution of 1 by 1 without bias and an ``nn.BatchNorm2d``.

    Example
    -------
    >>> block = ResidualBlock(2, 4, stride=2)
    >>> block(torch.ones(3, 2, 8, 6)).shape
    torch.Size([3, 4, 4, 3])
    >>> sum(p.numel() for p in block.parameters())  # 72 + 8 + 144 + 8, and 8 + 8 in the shortcut
    248
    """

    ### BEGIN SOLUTION
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(out_channels)
        self.shortcut = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, x):
        z = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(z)) + self.shortcut(x))

    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-ResidualBlock", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch
from torch import nn

from course_lib import get_device
from course_lib.exercises import assert_close, assert_equal, call, probe


def silenced(kind):
    block = call(kind, {"in_channels": 3, "out_channels": 3}).to(get_device())
    nn.init.zeros_(block.norm2.weight)
    nn.init.zeros_(block.norm2.bias)
    x = torch.linspace(-2, 2, 96).reshape(2, 3, 4, 4).to(get_device())
    out = call(block, [x], changes=[0])
    return out.detach().cpu(), sum(p.numel() for p in block.parameters())


out, count = probe(silenced, ResidualBlock)
assert_close(
    out,
    torch.linspace(-2, 2, 96).reshape(2, 3, 4, 4).clamp(min=0),
    what="What a block passes on whose second batch normalization has weights and biases 0",
    hint="Then the two convolutions add nothing, and what came in goes through the last ReLU alone. "
    "All 0: it was not added. See 'From LeNet to ResNet'.",
)
assert_equal(
    count,
    2 * 3 * 3 * 9 + 4 * 3,
    what="The number of parameters of ResidualBlock(3, 3)",
    hint="Two convolutions without bias, two batch normalizations with a weight and a bias for each "
    "channel, and nothing in the shortcut where the shapes are the same.",
)

# %% nbgrader={"grade": true, "grade_id": "test-ResidualBlock-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: values, shapes that change, odd sizes, modes, slopes, two blocks at once, the input.
### BEGIN HIDDEN TESTS
import torch
from torch import nn

from course_lib import get_device
from course_lib.exercises import assert_close, assert_equal, assert_true, call, probe, side_by_side


def normalized(z, norm, training):
    if training:
        mean, var = z.mean(dim=(0, 2, 3)), z.var(dim=(0, 2, 3), unbiased=False)
    else:
        mean, var = norm.running_mean, norm.running_var
    shape = (1, -1, 1, 1)
    z = (z - mean.reshape(shape)) / (var.reshape(shape) + norm.eps).sqrt()
    return z * norm.weight.reshape(shape) + norm.bias.reshape(shape)


def block_and_reference(kind, ins, outs, stride, size, training):
    torch.manual_seed(7)
    block = call(kind, {"in_channels": ins, "out_channels": outs, "stride": stride})
    block = block.to(get_device())
    names = [name for name, _ in block.named_children()]
    for name in ("conv1", "norm1", "conv2", "norm2", "shortcut"):
        if name not in names:
            return f"no module {name!r}: there are {names}", None, None, None
    for parameter in block.parameters():
        nn.init.normal_(parameter, 0.3, 0.5)
    for norm in (m for m in block.modules() if isinstance(m, nn.BatchNorm2d)):
        nn.init.uniform_(norm.running_mean, -1, 1)
        nn.init.uniform_(norm.running_var, 0.5, 2)
    block.train(training)
    x = torch.randn(4, ins, *size).to(get_device())
    kept = x.clone()
    before = {name: value.clone() for name, value in block.state_dict().items()}
    try:
        out = block(x)
    except NotImplementedError:
        raise
    except RuntimeError as error:
        return f"its forward raises {error}", None, None, None
    clean = torch.equal(x, kept)
    # The reference, from the block's own weights as they were.
    block.load_state_dict(before)
    conv = nn.functional.conv2d
    z = conv(kept, block.conv1.weight, stride=stride, padding=1)
    z = normalized(z, block.norm1, training).relu()
    z = normalized(conv(z, block.conv2.weight, padding=1), block.norm2, training)
    around = kept
    if stride != 1 or ins != outs:
        if not isinstance(block.shortcut, nn.Sequential):
            return f"a shortcut that is a {type(block.shortcut).__name__}", None, None, None
        around = conv(kept, block.shortcut[0].weight, stride=stride)
        around = normalized(around, block.shortcut[1], training)
    wanted = (z + around).relu()
    return (
        out.detach().cpu(),
        wanted.detach().cpu(),
        clean,
        sum(p.numel() for p in block.parameters()),
    )


for ins, outs, stride, size in (
    (3, 3, 1, (5, 6)),
    (2, 5, 1, (4, 4)),
    (3, 3, 2, (7, 8)),
    (2, 4, 3, (8, 5)),
):
    for training in (True, False):
        got, wanted, clean, count = probe(
            block_and_reference, ResidualBlock, ins, outs, stride, size, training
        )
        about = f"ResidualBlock({ins}, {outs}, stride={stride}) in {'training' if training else 'evaluation'} mode"
        assert_true(
            not isinstance(got, str),
            what=f"That {about} is built as asked for ({got if isinstance(got, str) else 'it is'})",
            hint="The attributes are conv1, norm1, conv2, norm2 and shortcut. Both paths end in the same "
            "shape: conv1 and the shortcut have the stride, and the shortcut has a convolution where the "
            "stride is not 1 or the channels change. See 'From LeNet to ResNet'.",
        )
        assert_close(
            got,
            wanted,
            rtol=1e-3,
            atol=1e-4,
            what=f"What {about} makes of 4 images of {size[0]} by {size[1]}",
            hint="relu(norm1(conv1(x))), then norm2(conv2(...)) without ReLU, plus shortcut(x), and "
            "ReLU last, after the sum. conv1 has the stride, conv2 does not, and both have a padding "
            "of 1. See 'From LeNet to ResNet'.",
        )
        assert_true(
            clean,
            what=f"That {about} leaves its input as it is",
            hint="nn.ReLU(inplace=True) and += write into what they are given.",
        )
    fits = stride == 1 and ins == outs
    assert_equal(
        count,
        9 * ins * outs + 9 * outs**2 + 4 * outs + (0 if fits else ins * outs + 2 * outs),
        what=f"The number of parameters of ResidualBlock({ins}, {outs}, stride={stride})",
        hint="No convolution has a bias. The shortcut has weights only where shapes change, and then a "
        "batch normalization as well.",
    )


def slope_at_the_input(kind):
    block = call(kind, {"in_channels": 2, "out_channels": 2}).to(get_device())
    nn.init.zeros_(block.norm2.weight)
    x = torch.ones(3, 2, 4, 4, device=get_device()).requires_grad_()
    block(x).sum().backward()
    return x.grad.cpu()


assert_close(
    probe(slope_at_the_input, ResidualBlock),
    torch.ones(3, 2, 4, 4),
    what="The slopes at the input of a block whose convolutions add nothing",
    hint="The path around passes slopes back as they are. See 'From LeNet to ResNet'.",
)


def weights_over_time(kind, value):
    block = kind(1, 1)
    yield len(list(block.parameters()))
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.fill_(value)
    yield [round(float(parameter.sum()), 4) for parameter in block.parameters()]
    yield [round(float(parameter.sum()), 4) for parameter in block.parameters()]


_ = side_by_side(
    weights_over_time, ResidualBlock, [0.5], [2.0], yields="the sums of its parameters"
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 7. The reader
#
# Your convolution and your pooling, forward and backward, become PyTorch layers; your residual block goes on
# top of them, followed by a mean over all positions. The network sees 1,000 photographs and is judged on
# 1,000 that were made from other digits. It takes a few seconds.

# %% nbgrader={"grade": false, "grade_id": "finale", "locked": true, "schema_version": 3, "solution": false, "task": false}
from course_lib.plotting import cnn as figures
from course_lib.training import fit, predict


class YourConvolution(torch.autograd.Function):
    """conv2d with a padding of 2, and the way back, on NumPy arrays."""

    @staticmethod
    def forward(ctx, x, weight, bias):
        ctx.arrays = [tensor.detach().cpu().numpy() for tensor in (x, weight)]
        return torch.as_tensor(conv2d(*ctx.arrays, bias.detach().cpu().numpy(), 1, 2)).to(x)

    @staticmethod
    def backward(ctx, G):
        with torch.enable_grad():  # in case that your way back asks autograd
            slopes = conv2d_backward(G.cpu().numpy(), *ctx.arrays, 1, 2)
        return tuple(torch.as_tensor(np.ascontiguousarray(part)).to(G) for part in slopes)


class YourPooling(torch.autograd.Function):
    """max_pool with windows of 2 by 2, and the way back."""

    @staticmethod
    def forward(ctx, x):
        ctx.array = x.detach().cpu().numpy()
        return torch.as_tensor(np.ascontiguousarray(max_pool(ctx.array, 2))).to(x)

    @staticmethod
    def backward(ctx, G):
        return torch.as_tensor(max_pool_backward(G.cpu().numpy(), ctx.array, 2)).to(G)


class Reader(nn.Module):
    def __init__(self, kernels=6):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(kernels, 1, 5, 5) * (2 / 25) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(kernels))
        self.block = ResidualBlock(kernels, 24, stride=2)
        self.last = nn.Linear(24, 10)

    def maps(self, x):
        return torch.relu(YourConvolution.apply(x, self.weight, self.bias))

    def forward(self, x):
        return self.last(self.block(YourPooling.apply(self.maps(x))).mean(dim=(2, 3)))


def album(part, n, seed):
    pictures, shown = digits.photographed(part.X, part.y, n, seed, size=12)
    return torch.tensor(pictures).reshape(n, 1, 12, 12), torch.tensor(shown)


seed_everything(0)
parts = splits.split(*digits.load(), seed=0)
learn, judge = album(parts.train, 1000, 0), album(parts.test, 1000, 1)
reader = Reader().to(device)
layers = [
    {"kernel": 5, "padding": 2},
    {"kernel": 2, "stride": 2},
    {"kernel": 3, "stride": 2, "padding": 1},
    {"kernel": 3, "padding": 1},
]
for number, (size, field, step) in enumerate(plan(12, layers), start=1):
    print(f"layer {number}: {size:2} by {size:2}, sees {field:2} pixels, {step} apart")
print("unit 1 of the last layer looks at pixels {} to {}".format(*looks_at(layers, 1)))
fit(
    reader,
    nn.functional.cross_entropy,
    torch.optim.Adam(reader.parameters(), lr=0.01),
    learn,
    epochs=8,
    batch_size=50,
    seed=0,
)
answers = predict(reader, judge[0]).argmax(dim=1)
print(f"right: {(answers == judge[1]).float().mean().item():.1%} of {len(answers)} photographs")
with torch.no_grad():
    found = reader.maps(judge[0][:1].to(device))[0].cpu()
figures.filters(reader.weight.detach().cpu()[:, 0], judge[0][0, 0], found)

# %% [markdown]
# **What you see.** Kernels that nobody wrote: differences between one side and the other and, in the maps
# below, the strokes without most of the light. The dense network of the chapter reads about half of such
# photographs, and one with fifteen times as many parameters as yours reads two thirds.
#
# ## Step 8. Where sharing is right
#
# *4 points, read by a person. About 120 words.*
#
# Three colleagues ask whether a convolutional network would help them.
#
# 1. *Blood.* 64 values for each of 5,000 patients, in alphabetical order of their names, written as an 8 by 8
#    "image".
# 2. *Leaves.* 2,000 photographs of leaves with the spots of a disease, which are small and may be anywhere on
#    the leaf. The answer is healthy or ill.
# 3. *Faces.* Passport portraits, always with the eyes in the same place. The network should say whether the
#    *left* eye is closed.
#
# For each: does the assumption of shared weights hold, and would you end the network with a mean over all
# positions, with a linear layer on all positions, or with something else? Give your reasons.

# %% [markdown] nbgrader={"grade": true, "grade_id": "where-sharing-is-right", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# 1. No. Neighbors in the alphabet have nothing in common, and a pattern found in one corner means nothing
#    in another. A dense network (or trees) on the 64 columns; in another order it would learn the same.
# 2. Yes: a spot looks alike everywhere. The answer should not depend on where it is, so it ends with a
#    pooling over all places. The spots are small, so the maximum is better than the mean, in which one
#    spot among many healthy places nearly vanishes.
# 3. The first layers can share their weights: edges and lids look alike on both sides. But the answer
#    depends on the place, and a mean over all places could not tell the left eye from the right. A linear
#    layer on all places, or cutting out the left eye first.
#
# === BEGIN MARK SCHEME ===
# 1. **One point** for "no", with the reason: order without meaning, no neighbors. "No, too little data"
#    alone gets none.
# 2. **One point** for "yes" and an end that does not depend on the place: the mean or, better for small
#    spots, the maximum.
# 3. **Two points.** One for seeing that features can be shared and the answer cannot: it depends on the
#    place. One for an end that knows the place (a linear layer on all places, cutting out, or coordinates
#    as further channels).
# === END MARK SCHEME ===
