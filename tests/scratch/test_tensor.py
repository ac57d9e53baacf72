"""Every operation of the autodiff engine, checked three ways, and the graph itself.

The oracles are PyTorch (values and gradients, with ties and repeated places), central differences
in float64, and values and gradients worked out by hand or from a closed form. Hypothesis draws the
shapes (zero-size and broadcast ones included), the type, the layout in memory and the numbers.
"""

import copy
import doctest
import gc
import math
import pickle
import weakref
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

from course_lib.scratch import tensor as tensor_module
from course_lib.scratch.optimizers import SGD
from course_lib.scratch.tensor import Tensor, concatenate, no_grad, stack, where

pytestmark = [
    pytest.mark.filterwarnings(
        "error",
        # Of what other tests left behind: chance decides when it is collected.
        "ignore::ResourceWarning",
        "ignore::pytest.PytestUnraisableExceptionWarning",
        "ignore::pytest.PytestUnhandledThreadExceptionWarning",
    ),
    # A mean or a variance over nothing is nan, with a warning, in both libraries.
    pytest.mark.filterwarnings("ignore:Mean of empty slice"),
    pytest.mark.filterwarnings("ignore:Degrees of freedom"),
    pytest.mark.filterwarnings("ignore:invalid value encountered"),
    pytest.mark.filterwarnings(r"ignore:var\(\)"),
]

quick = settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.filter_too_much]
)


# What an operation is, and how one is drawn -------------------------------------------------------


@dataclass(frozen=True)
class Drawn:
    """An operation with its arguments fixed, ours and PyTorch's, and shapes to try it on."""

    ours: Callable
    theirs: Callable
    shapes: list[tuple[int, ...]]


SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
SHAPES_WITH_AXIS = hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=3)
FULL_SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=3)


def entrywise(ours, theirs):
    return SHAPES.map(lambda shape: Drawn(ours, theirs, [shape]))


def broadcast(ours, theirs):
    pairs = hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=3)
    return pairs.map(lambda pair: Drawn(ours, theirs, list(pair.input_shapes)))


@st.composite
def chosen(draw):
    pair = draw(hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, min_side=0, max_side=3))
    first, second, third = pair.input_shapes
    condition = draw(hnp.arrays(bool, first))
    return Drawn(
        lambda a, b: where(condition, a, b),
        lambda a, b: torch.where(torch.tensor(condition), a, b),
        [second, third],
    )


@st.composite
def reduction(draw, name, shapes=SHAPES, **options):
    shape = draw(shapes)
    axes = st.none() | (hnp.valid_tuple_axes(len(shape), min_size=1) if shape else st.none())
    if shape:
        axes |= st.integers(-len(shape), len(shape) - 1)
    axis, keepdims = draw(axes), draw(st.booleans())
    everything = tuple(range(len(shape)))
    theirs = "amax" if name == "max" else name

    def in_torch(x):
        return getattr(torch, theirs)(
            x, dim=everything if axis is None else axis, keepdim=keepdims, **options
        )

    return Drawn(
        lambda x: getattr(x, name)(axis=axis, keepdims=keepdims, **options), in_torch, [shape]
    )


@st.composite
def along_axis(draw, name, with_keepdims=False):
    shape = draw(SHAPES_WITH_AXIS)
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    ours, theirs = {}, {}
    if with_keepdims:
        ours["keepdims"] = theirs["keepdim"] = draw(st.booleans())
    return Drawn(
        lambda x: getattr(x, name)(axis=axis, **ours),
        lambda x: getattr(torch, name)(x, dim=axis, **theirs),
        [shape],
    )


@st.composite
def matmul(draw):
    batches = draw(
        hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=2, min_side=0, max_side=2)
    ).input_shapes
    n, k, m = (draw(st.integers(0, 3)) for _ in range(3))
    left, right = (*batches[0], n, k), (*batches[1], k, m)
    if draw(st.integers(0, 3)) == 0:
        left = (k,)
    if draw(st.integers(0, 3)) == 0:
        right = (k,)
    return Drawn(lambda a, b: a @ b, torch.matmul, [left, right])


@st.composite
def reshape(draw):
    shape = draw(SHAPES)
    factors = [length for length in shape if length != 1]
    new = tuple(draw(st.permutations(factors)))
    if len(new) > 1 and draw(st.booleans()):
        new = (new[0] * new[1], *new[2:])
    new = (*new, *draw(st.sampled_from([(), (1,), (1, 1)])))
    if draw(st.booleans()) and math.prod(new) and new:
        new = (-1, *new[1:])
    return Drawn(lambda x: x.reshape(*new), lambda x: x.reshape(new), [shape])


@st.composite
def permute(draw):
    shape = draw(SHAPES)
    axes = draw(st.permutations(range(len(shape))))
    axes = [axis - draw(st.sampled_from([0, len(shape)])) for axis in axes]
    return Drawn(lambda x: x.permute(*axes), lambda x: x.permute(axes), [shape])


@st.composite
def transpose(draw):
    shape = draw(SHAPES_WITH_AXIS)
    i, j = (draw(st.integers(-len(shape), len(shape) - 1)) for _ in range(2))
    return Drawn(lambda x: x.transpose(i, j), lambda x: x.transpose(i, j), [shape])


@st.composite
def indexing(draw):
    shape = draw(SHAPES_WITH_AXIS)
    kinds = hnp.basic_indices(shape, allow_newaxis=True) | hnp.arrays(bool, shape)
    if math.prod(shape):
        places = hnp.array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=5)
        kinds |= hnp.integer_array_indices(shape, result_shape=places)
        row = hnp.arrays(np.int64, places, elements=st.integers(-shape[0], shape[0] - 1))
        kinds |= row | row.map(Tensor) | row.map(lambda rows: (rows, Ellipsis, None))
    key = draw(kinds)
    plain = key.data if isinstance(key, Tensor) else key
    # PyTorch knows no negative steps: give it the places instead, which may repeat.
    picked = torch.tensor(np.arange(math.prod(shape)).reshape(shape)[plain].copy())
    return Drawn(lambda x: x[key], lambda x: x.reshape(-1)[picked], [shape])


@st.composite
def joining(draw, ours, theirs, same_length):
    shape = list(draw(SHAPES_WITH_AXIS))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    shapes = []
    for _ in range(draw(st.integers(1, 3))):
        if not same_length:
            shape[axis] = draw(st.integers(0, 3))
        shapes.append(tuple(shape))
    if same_length:
        axis = draw(st.integers(-len(shape) - 1, len(shape)))
    return Drawn(lambda *x: ours(x, axis=axis), lambda *x: theirs(x, dim=axis), shapes)


SMOOTH = {
    "neg": entrywise(lambda x: -x, lambda x: -x),
    "exp": entrywise(Tensor.exp, torch.exp),
    "tanh": entrywise(Tensor.tanh, torch.tanh),
    "sigmoid": entrywise(Tensor.sigmoid, torch.sigmoid),
    "gelu": entrywise(Tensor.gelu, torch.nn.functional.gelu),
    "softplus": entrywise(Tensor.softplus, torch.nn.functional.softplus),
    "square": entrywise(lambda x: x**2, lambda x: x**2),
    "cube": entrywise(lambda x: x**3.0, lambda x: x**3.0),
    "power-0": entrywise(lambda x: x**0, lambda x: x**0),
    "power-1": entrywise(lambda x: x**1, lambda x: x**1),
    "add": broadcast(lambda a, b: a + b, torch.add),
    "sub": broadcast(lambda a, b: a - b, torch.sub),
    "mul": broadcast(lambda a, b: a * b, torch.mul),
    "where": chosen(),
    "number-left": entrywise(lambda x: 2 - 3 * (1.5 + x), lambda x: 2 - 3 * (1.5 + x)),
    "number-right": entrywise(lambda x: (x - 2) * 3 / 4 + 1.5, lambda x: (x - 2) * 3 / 4 + 1.5),
    "twice": entrywise(lambda x: x * x + x, lambda x: x * x + x),
    "sum": reduction("sum"),
    "mean": reduction("mean"),
    "var": reduction("var"),
    "var-uncorrected": reduction("var", correction=0),
    "softmax": along_axis("softmax"),
    "log_softmax": along_axis("log_softmax"),
    "logsumexp": along_axis("logsumexp", with_keepdims=True),
    "matmul": matmul(),
    "reshape": reshape(),
    "permute": permute(),
    "transpose": transpose(),
    "getitem": indexing(),
    "concatenate": joining(concatenate, torch.cat, same_length=False),
    "stack": joining(stack, torch.stack, same_length=True),
}
POSITIVE = {
    "log": entrywise(Tensor.log, torch.log),
    "div": broadcast(lambda a, b: a / b, torch.div),
    "inverse": entrywise(lambda x: x**-1, lambda x: x**-1),
    "root": entrywise(lambda x: x**0.5, lambda x: x**0.5),
    "number-over": entrywise(lambda x: 2 / x, lambda x: 2 / x),
}
KINKED = {
    "relu": entrywise(Tensor.relu, torch.relu),
    "abs": entrywise(Tensor.abs, torch.abs),
    "clip": entrywise(lambda x: x.clip(-1, 1), lambda x: x.clamp(-1, 1)),
    "clip-below": entrywise(lambda x: x.clip(min=0.5), lambda x: x.clamp(min=0.5)),
    "clip-above": entrywise(lambda x: x.clip(max=0.5), lambda x: x.clamp(max=0.5)),
    "maximum": broadcast(lambda a, b: a.maximum(b), torch.maximum),
    "maximum-number": entrywise(
        lambda x: x.maximum(0.5), lambda x: torch.maximum(x, torch.full_like(x, 0.5))
    ),
    "max": reduction("max", shapes=FULL_SHAPES),
}
OPERATIONS = SMOOTH | POSITIVE | KINKED

each_operation = pytest.mark.parametrize("name", OPERATIONS)


def numbers(rng: np.random.Generator, shape, name: str, dtype) -> np.ndarray:
    """Halves from -3 to 3: there are ties, zeros, and borders of clip among them."""
    array = rng.integers(-6, 7, size=shape) / 2
    if name in POSITIVE:
        array = np.abs(array) + 0.5
    return np.asarray(array, dtype=dtype)


LAYOUTS = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "strided": lambda a: np.repeat(a, 2, axis=-1)[..., ::2] if a.ndim else a,
    "reversed": lambda a: a[::-1].copy()[::-1] if a.ndim else a,
    "read-only": lambda a: _frozen(a),
}


def _frozen(array):
    array = array.copy()
    array.setflags(write=False)
    return array


def leaf(array: np.ndarray, layout: str = "C") -> Tensor:
    tensor = Tensor(array, requires_grad=True)
    # np.ascontiguousarray and others give arrays without axes one; take it away again.
    tensor.data = LAYOUTS[layout](tensor.data).reshape(array.shape)
    return tensor


def ours_on(drawn: Drawn, arrays, upstream_of, layout="C"):
    leaves = [leaf(array, layout) for array in arrays]
    out = drawn.ours(*leaves)
    upstream = upstream_of(out.shape).astype(out.dtype)
    out.backward(upstream)
    return out.data, [x.grad for x in leaves], upstream


# Two oracles on generated shapes ------------------------------------------------------------------


@each_operation
@quick
@given(data=st.data())
def test_agrees_with_pytorch(name, data):
    drawn = data.draw(OPERATIONS[name])
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    layout = data.draw(st.sampled_from(sorted(LAYOUTS)))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    arrays = [numbers(rng, shape, name, dtype) for shape in drawn.shapes]
    before = [array.copy() for array in arrays]

    value, grads, upstream = ours_on(drawn, arrays, lambda s: rng.normal(size=s), layout)

    theirs = [torch.tensor(array, requires_grad=True) for array in arrays]
    out = drawn.theirs(*theirs)
    assert value.shape == tuple(out.shape)
    assert value.dtype == dtype
    out.backward(torch.tensor(upstream))
    tolerance = {"rtol": 1e-5, "atol": 1e-5} if dtype == np.float32 else {"atol": 1e-12}
    assert_allclose(value, out.detach().numpy(), **tolerance)
    for x, grad in zip(theirs, grads, strict=True):
        assert grad.shape == tuple(x.shape)
        assert grad.dtype == dtype
        assert_allclose(grad, x.grad.numpy(), **tolerance)
    for array, original in zip(arrays, before, strict=True):
        assert_array_equal(array, original)


@each_operation
@quick
@given(data=st.data())
def test_agrees_with_central_differences(name, data):
    drawn = data.draw(OPERATIONS[name])
    layout = data.draw(st.sampled_from(sorted(LAYOUTS)))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    arrays = [numbers(rng, shape, name, np.float64) for shape in drawn.shapes]
    if name in KINKED:  # a difference across a corner is no slope: no ties, and none at a border
        places = iter(rng.permutation(sum(array.size for array in arrays)))
        arrays = [
            array
            + np.reshape([0.05 + 0.002 * next(places) for _ in range(array.size)], array.shape)
            for array in arrays
        ]
    value, grads, upstream = ours_on(drawn, arrays, lambda s: rng.normal(size=s), layout)
    assume(np.isfinite(value).all())  # the variance of one number has no slope to compare

    def loss(at):
        return float(np.sum(upstream * drawn.ours(*map(Tensor, at)).data))

    h = 1e-5
    for i, array in enumerate(arrays):
        measured = np.zeros_like(array)
        for place in np.ndindex(array.shape):
            sides = []
            for step in (h, -h):
                moved = [np.array(a) for a in arrays]
                moved[i][place] += step
                sides.append(loss(moved))
            measured[place] = (sides[0] - sides[1]) / (2 * h)
        assert_allclose(grads[i], measured, rtol=1e-6, atol=1e-6)


# The third oracle: known values -------------------------------------------------------------------

# Inputs, upstream gradient, value, gradients: worked out by hand.
KNOWN = {
    "neg": (lambda x: -x, [[1.0, 2.0]], [3.0, 5.0], [-1, -2], [[-3, -5]]),
    "exp": (Tensor.exp, [[0.0, math.log(3)]], [1.0, 2.0], [1, 3], [[1, 6]]),
    "log": (Tensor.log, [[1.0, 4.0]], [1.0, 2.0], [0, math.log(4)], [[1, 0.5]]),
    "tanh": (Tensor.tanh, [[0.0, math.log(2)]], [1.0, 25.0], [0, 0.6], [[1, 16]]),
    "sigmoid": (Tensor.sigmoid, [[0.0, math.log(3)]], [4.0, 16.0], [0.5, 0.75], [[1, 3]]),
    "relu": (Tensor.relu, [[-1.0, 0.0, 2.0]], [5.0, 6.0, 7.0], [0, 0, 2], [[0, 0, 7]]),
    "gelu": (Tensor.gelu, [[0.0]], [2.0], [0], [[1]]),
    "softplus": (Tensor.softplus, [[0.0]], [4.0], [math.log(2)], [[2]]),
    "abs": (Tensor.abs, [[-2.0, 0.0, 3.0]], [1.0, 1.0, 5.0], [2, 0, 3], [[-1, 0, 5]]),
    "clip": (
        lambda x: x.clip(-1, 1),
        [[-2.0, 1.0, 0.5]],
        [1.0, 2.0, 3.0],
        [-1, 1, 0.5],
        [[0, 2, 3]],
    ),
    "pow": (lambda x: x**3, [[2.0, -1.0]], [1.0, 10.0], [8, -1], [[12, 30]]),
    "add": (lambda a, b: a + b, [[1.0, 2.0], 3.0], [5.0, 7.0], [4, 5], [[5, 7], 12]),
    "sub": (lambda a, b: a - b, [[1.0, 2.0], 3.0], [5.0, 7.0], [-2, -1], [[5, 7], -12]),
    "mul": (lambda a, b: a * b, [[1.0, 2.0], 3.0], [5.0, 7.0], [3, 6], [[15, 21], 19]),
    "div": (lambda a, b: a / b, [6.0, [2.0, 3.0]], [2.0, 3.0], [3, 2], [2, [-3, -2]]),
    "maximum": (
        lambda a, b: a.maximum(b),
        [[1.0, 4.0, 2.0], [3.0, 0.0, 2.0]],
        [5.0, 6.0, 8.0],
        [3, 4, 2],
        [[0, 6, 4], [5, 0, 4]],
    ),
    "where": (
        lambda a, b: where([True, False], a, b),
        [[1.0, 2.0], [3.0, 4.0]],
        [5.0, 7.0],
        [1, 4],
        [[5, 0], [0, 7]],
    ),
    "matmul": (
        lambda a, b: a @ b,
        [[[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]]],
        [[1.0, 10.0]],
        [[13, 16]],
        [[[43, 65]], [[1, 10], [2, 20]]],
    ),
    "vectors": (lambda a, b: a @ b, [[1.0, 2.0], [3.0, 4.0]], 2.0, 11, [[6, 8], [2, 4]]),
    "sum": (
        lambda x: x.sum(axis=0),
        [[[1.0, 2.0], [3.0, 4.0]]],
        [5.0, 7.0],
        [4, 6],
        [[[5, 7]] * 2],
    ),
    "mean": (lambda x: x.mean(), [[1.0, 2.0, 6.0]], 6.0, 3, [[2, 2, 2]]),
    "var": (lambda x: x.var(), [[1.0, 3.0, 5.0]], 3.0, 4, [[-6, 0, 6]]),
    "max": (lambda x: x.max(), [[1.0, 5.0, 5.0]], 6.0, 5, [[0, 3, 3]]),
    "softmax": (Tensor.softmax, [[0.0, math.log(3)]], [16.0, 0.0], [0.25, 0.75], [[3, -3]]),
    "log_softmax": (
        Tensor.log_softmax,
        [[0.0, math.log(3)]],
        [4.0, 0.0],
        [-math.log(4), math.log(0.75)],
        [[3, -3]],
    ),
    "logsumexp": (Tensor.logsumexp, [[0.0, math.log(3)]], 4.0, math.log(4), [[1, 3]]),
    "reshape": (lambda x: x.reshape(2, 1), [[1.0, 2.0]], [[5.0], [7.0]], [[1], [2]], [[5, 7]]),
    "transpose": (lambda x: x.T, [[[1.0, 2.0]]], [[5.0], [7.0]], [[1], [2]], [[[5, 7]]]),
    "permute": (lambda x: x.permute(1, 0), [[[1.0, 2.0]]], [[5.0], [7.0]], [[1], [2]], [[[5, 7]]]),
    "slice": (lambda x: x[1:], [[1.0, 2.0, 3.0]], [5.0, 7.0], [2, 3], [[0, 5, 7]]),
    "repeated places": (
        lambda x: x[[1, 1, 0]],
        [[1.0, 2.0]],
        [5.0, 7.0, 9.0],
        [2, 2, 1],
        [[9, 12]],
    ),
    "concatenate": (
        lambda a, b: concatenate([a, b]),
        [[1.0], [2.0, 3.0]],
        [5.0, 7.0, 9.0],
        [1, 2, 3],
        [[5], [7, 9]],
    ),
    "stack": (
        lambda a, b: stack([a, b], axis=1),
        [[1.0], [2.0]],
        [[5.0, 7.0]],
        [[1, 2]],
        [[5], [7]],
    ),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_values(name):
    operation, inputs, upstream, value, gradients = KNOWN[name]
    leaves = [Tensor(x, requires_grad=True) for x in inputs]
    out = operation(*leaves)
    out.backward(upstream)
    assert out.shape == np.shape(value)
    assert_allclose(out.data, value, rtol=1e-15, atol=1e-15)
    for x, gradient in zip(leaves, gradients, strict=True):
        assert x.grad.shape == x.shape
        assert_allclose(x.grad, gradient, rtol=1e-14, atol=1e-15)


def test_large_scores_overflow_nowhere():
    x = Tensor([10_000.0, 0.0, -10_000.0], requires_grad=True)
    for out, value in [(x.softmax(), [1, 0, 0]), (x.log_softmax(), [0, -1e4, -2e4])]:
        assert_array_equal(out.data, value)
        x.grad = None
        out.sum().backward()
        assert np.isfinite(x.grad).all()
    x.grad = None
    out = x.logsumexp()
    out.backward()
    assert out.item() == 10_000
    assert_array_equal(x.grad, [1, 0, 0])
    assert Tensor([-np.inf, -np.inf]).logsumexp().item() == -np.inf
    x = Tensor([np.inf, 1e4, -np.inf], requires_grad=True)
    for out, value, grad in [
        (x.logsumexp(), np.inf, [1, 0, 0]),
        (x.softplus().sum(), np.inf, [1, 1, 0]),
    ]:
        x.grad = None
        out.backward()
        assert out.item() == value
        assert_array_equal(x.grad, grad)


# The graph ----------------------------------------------------------------------------------------


def test_a_value_used_twice_adds_its_gradients():
    x = Tensor(3.0, requires_grad=True)
    y = x * x  # twice in one product
    z = y + x  # and once more in a sum
    z.backward()
    assert x.grad == 2 * 3 + 1


def test_gradients_add_up_over_calls_until_they_are_cleared():
    x = Tensor([1.0, 2.0], requires_grad=True)
    for calls in (1, 2, 3):
        (x * x).sum().backward()
        assert_array_equal(x.grad, calls * 2 * x.data)
    x.grad = None
    (x * x).sum().backward()
    assert_array_equal(x.grad, 2 * x.data)


@quick
@given(seed=st.integers(0, 2**16), size=st.integers(1, 30))
def test_random_graphs_agree_with_pytorch(seed, size):
    """A value may be used many times, and in an order that differs from that of its making."""
    grads = []
    for make in (
        lambda a: Tensor(a, requires_grad=True),
        lambda a: torch.tensor(a, requires_grad=True),
    ):
        rng = np.random.default_rng(seed)
        leaves = [make(rng.normal(size=shape)) for shape in [(), (3,), (2, 1), (2, 3)]]
        values = list(leaves)
        for _ in range(size):
            a, b = values[rng.integers(len(values))], values[rng.integers(len(values))]
            values.append([a * b, a + b, a - b, (a * b).tanh(), (a + b).sigmoid()][rng.integers(5)])
        loss = sum((value.tanh().sum() for value in values), 0.0)
        loss.backward()
        grads.append([np.asarray(x.grad) for x in leaves])
    for ours, theirs in zip(*grads, strict=True):
        assert_allclose(ours, theirs, rtol=1e-9, atol=1e-11)


def test_paths_through_the_graph_are_not_followed_one_by_one():
    """Doubling 200 times has 2^200 paths from the end to the start, and 200 nodes."""
    x = y = Tensor(1.0, requires_grad=True)
    for _ in range(200):
        y = y + y
    y.backward()
    assert x.grad == 2.0**200


@pytest.mark.slow
def test_a_graph_of_a_hundred_thousand_operations_needs_no_recursion():
    x = y = Tensor(1.0, requires_grad=True)
    for _ in range(100_000):
        y = y + 1.0
    y.backward()
    assert x.grad == 1
    y = x
    for _ in range(100_000):
        y = y * 1.0
    del y  # taking down a graph that was never used must not recurse either


def test_only_leaves_keep_gradients_and_only_where_asked():
    x, c = Tensor([1.0], requires_grad=True), Tensor([2.0])
    y = x * c
    (y * y).sum().backward()
    assert y.grad is None and c.grad is None
    assert x.grad is not None
    assert x.is_leaf and c.is_leaf and not (x * c).is_leaf
    assert not (c * c).requires_grad and (c * c).is_leaf


def test_leaves_own_their_gradients():
    a, b = Tensor([1.0, 2.0], requires_grad=True), Tensor([3.0, 4.0], requires_grad=True)
    (a + b).sum().backward()
    a.grad *= 10  # as clipping does
    assert_array_equal(b.grad, [1, 1])
    upstream = np.array([1.0, 1.0])
    a.grad = None
    (a + 0.0).backward(upstream)
    a.grad *= 10
    assert_array_equal(upstream, [1, 1])


def test_detach_shares_numbers_and_stops_gradients():
    x = Tensor([2.0, 3.0], requires_grad=True)
    y = (x * x).detach()
    assert not y.requires_grad
    (y * x).sum().backward()
    assert_array_equal(x.grad, [4, 9])
    assert np.shares_memory(x.detach().data, x.data)


def test_no_grad_records_nothing_and_ends_even_after_an_error():
    x = Tensor([1.0], requires_grad=True)
    with no_grad():
        assert not (x * x).requires_grad
        with no_grad():
            assert not x.exp().requires_grad
        assert not (x * x).requires_grad
    with pytest.raises(IndexError), no_grad():
        x[5]
    assert (x * x).requires_grad

    @no_grad()
    def measure():
        return x * x

    assert not measure().requires_grad
    assert not measure().requires_grad


def test_weights_are_changed_in_place_inside_no_grad_only():
    w = Tensor([1.0, 2.0], requires_grad=True)
    same, array = w, w.data
    (w * w).sum().backward()
    with no_grad():
        w -= 0.5 * w.grad
        w += 1
        w *= Tensor([2.0, 4.0])
        w /= 2
    assert w is same and w.data is array and w.requires_grad
    assert_array_equal(w.data, [1, 2])
    with pytest.raises(RuntimeError, match="inside `with no_grad"):
        w -= 1
    total = Tensor(0.0)
    total += w.sum()
    total.backward()
    assert_array_equal(w.grad, [3, 5])


def test_a_graph_that_nobody_needs_is_freed_at_once():
    x = Tensor([1.0], requires_grad=True)
    gc.disable()
    try:
        middle = x * 2.0
        watched = weakref.ref(middle)
        out = middle.exp()
        del middle
        assert watched() is not None
        out.backward()
        assert watched() is None  # taken down although `out` lives on
        del out
    finally:
        gc.enable()


def test_gradients_are_computed_only_where_they_are_needed():
    X = Tensor(np.ones((4, 3)))
    W = Tensor(np.ones((3, 2)), requires_grad=True)
    assert len((X @ W)._edges) == 1


def test_parameters_can_be_copied_and_stored():
    w = Tensor([1.0, 2.0], requires_grad=True)
    (w * w).sum().backward()
    for twin in (copy.deepcopy(w), pickle.loads(pickle.dumps(w))):
        twin.data[0] = 7
        assert twin.requires_grad
        assert_array_equal(twin.grad, w.grad)
    assert w.data[0] == 1


# Numbers that change between the two passes -------------------------------------------------------


def doubled(x: Tensor, rng) -> None:
    x.data *= 2
    x.data += 1


def one_entry(x: Tensor, rng) -> None:
    if x.data.size:
        place = tuple(int(rng.integers(length)) for length in x.shape)
        x.data[place] += 1


def reversed_(x: Tensor, rng) -> None:
    x.data[...] = x.data.ravel()[::-1].reshape(x.shape).copy()


def negated(x: Tensor, rng) -> None:
    x.data[...] = -x.data


def through_a_view(x: Tensor, rng) -> None:
    x.detach().data[...] = 7.0


def by_an_operator(x: Tensor, rng) -> None:
    with no_grad():
        x -= 0.5


def by_an_optimizer(x: Tensor, rng) -> None:
    if x.is_leaf:
        x.grad = np.ones_like(x.data)
        SGD([x], lr=0.1).step()
        x.grad = None


def replaced(x: Tensor, rng) -> None:
    x.data = x.data + 1


CHANGES = [doubled, one_entry, reversed_, negated, through_a_view, by_an_operator, by_an_optimizer,
           replaced]  # fmt: skip
CHANGED = "its numbers have been changed since"


@each_operation
@quick
@given(data=st.data())
def test_a_change_is_refused_or_does_not_matter(name, data):
    """The gradient is that of the forward pass, or there is none."""
    drawn = data.draw(OPERATIONS[name])
    rng = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    arrays = [numbers(rng, shape, name, np.float64) for shape in drawn.shapes]
    _, expected, upstream = ours_on(drawn, arrays, lambda s: rng.normal(size=s))

    leaves = [Tensor(array, requires_grad=True) for array in arrays]
    out = drawn.ours(*leaves)
    changed = data.draw(st.sampled_from([*leaves, out]))
    data.draw(st.sampled_from(CHANGES))(changed, rng)
    try:
        out.backward(upstream)
    except RuntimeError as error:
        assert CHANGED in str(error)  # noqa: PT017
        assert all(x.grad is None for x in leaves)
    else:
        for x, gradient in zip(leaves, expected, strict=True):
            assert_array_equal(x.grad, gradient)


# PyTorch computes a number over x as a multiple of 1 / x, and needs that instead of x.
@pytest.mark.parametrize("name", [name for name in OPERATIONS if name != "number-over"])
@quick
@given(data=st.data())
def test_what_pytorch_accepts_is_accepted(name, data):
    """Neither counts what it does not need: the operands of a sum, say, may change."""
    drawn = data.draw(OPERATIONS[name])
    if name == "matmul":  # of stacks that are broadcast, PyTorch keeps copies
        assume(max(map(len, drawn.shapes)) == 2)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    arrays = [numbers(rng, shape, name, np.float64) for shape in drawn.shapes]
    which = data.draw(st.integers(0, len(arrays)))

    theirs = [torch.tensor(array, requires_grad=True) for array in arrays]
    out = drawn.theirs(*theirs)
    with torch.no_grad():
        [*theirs, out][which].mul_(2).add_(1)
    try:
        out.backward(torch.ones_like(out))
    except RuntimeError as error:
        assert "modified by an inplace operation" in str(error)  # noqa: PT017
        return
    ours = [Tensor(array, requires_grad=True) for array in arrays]
    out = drawn.ours(*ours)
    doubled([*ours, out][which], rng)
    out.backward(np.ones(out.shape))
    for x, y in zip(ours, theirs, strict=True):
        assert_allclose(x.grad, y.grad.numpy(), atol=1e-12)


def two_layers(make):
    rng = np.random.default_rng(0)
    X, W1, W2 = (rng.normal(size=shape) for shape in [(5, 3), (3, 4), (4, 2)])
    W1, W2 = make(W1), make(W2)
    return W1, W2, lambda: ((make(X, False) @ W1).tanh() @ W2).sum()


def test_a_step_before_backward_is_refused_as_in_pytorch():
    W1, W2, loss = two_layers(lambda a, grad=True: Tensor(a, requires_grad=grad))
    V1, V2, their_loss = two_layers(lambda a, grad=True: torch.tensor(a, requires_grad=grad))
    ours, theirs = loss(), their_loss()
    with no_grad(), torch.no_grad():
        W2 -= 0.1
        V2 -= 0.1
    with pytest.raises(RuntimeError, match=r"shape \(4, 2\).*before optimizer.step\(\)"):
        ours.backward()
    with pytest.raises(RuntimeError, match="inplace"):
        theirs.backward()
    assert W1.grad is None and W2.grad is None
    ours, theirs = loss(), their_loss()
    with no_grad(), torch.no_grad():
        W1 -= 0.1  # the input has no gradient, so nobody needs the first weights again
        V1 -= 0.1
    ours.backward()
    theirs.backward()
    for w, v in ((W1, V1), (W2, V2)):
        assert_allclose(w.grad, v.grad.numpy(), atol=1e-12)


def test_numbers_that_are_put_back_are_no_change():
    w = Tensor([1.0, np.nan], requires_grad=True)
    loss = (w * w).sum()
    kept = w.data[0]
    w.data[0] = 5.0
    w.data[0] = kept
    loss.backward()
    assert w.grad[0] == 2


@pytest.mark.parametrize("make", [lambda i: i, lambda i: Tensor(i), lambda i: (i,)])
def test_indices_and_masks_that_change_are_refused(make):
    x, places = Tensor([1.0, 2.0, 3.0], requires_grad=True), np.array([0, 2])
    key = make(places)
    picked = x[key]
    (key.data if isinstance(key, Tensor) else places)[0] = 1
    with pytest.raises(RuntimeError, match=CHANGED):
        picked.sum().backward()
    rows = [0, 2]
    picked = x[rows]
    rows[0] = 1  # a list is copied
    picked.sum().backward()
    assert_array_equal(x.grad, [1, 0, 1])
    mask = np.array([True, False, True])
    chosen = where(mask, x, 0.0)
    mask[1] = True
    with pytest.raises(RuntimeError, match=CHANGED):
        chosen.sum().backward()


# Beyond 64 KiB an array is not copied but summed up: every kind of change must still show.
LARGE_CHANGES = {
    "a digit": lambda a: a.__setitem__((3, 4), np.nextafter(a[3, 4], a.dtype.type(9))),
    "a zero's sign": lambda a: a.__setitem__((0, 0), -0.0),
    "nan for a number": lambda a: a.__setitem__((5, 6), np.nan),
    "a number for infinity": lambda a: a.__setitem__((1, 1), 3.0),
    "all signs": lambda a: np.negative(a, out=a),
    "two rows": lambda a: a.__setitem__([7, 8], a[[8, 7]]),
    "two entries": lambda a: a.__setitem__(([7, 8], [1, 2]), a[[8, 7], [2, 1]]),
    "the order": lambda a: a.__setitem__(..., a[::-1, ::-1].copy()),
    "a step": lambda a: np.subtract(a, 1e-3 * np.sign(a), out=a),
    "zeros": lambda a: a.fill(0),
}


@pytest.mark.parametrize("change", LARGE_CHANGES)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("layout", ["C", "Fortran", "strided"])
def test_changes_of_large_arrays_show(change, dtype, layout):
    array = np.random.default_rng(0).normal(size=(300, 200)).astype(dtype)
    array[0, 0], array[1, 1], array[2, 2] = 0, np.inf, np.nan
    x = leaf(array, layout)
    assert x.data.nbytes > 2**16
    for _ in range(2):
        x.grad = None
        loss = (x * x)[:2, 100:].sum()
        loss.backward()  # without a change it works, however often
    loss = (x * x).sum()
    LARGE_CHANGES[change](x.data)
    with pytest.raises(RuntimeError, match=CHANGED):
        loss.backward()


def test_data_of_another_shape_are_refused():
    w = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    loss = (w + 1.0).sum()
    w.data = np.array(1.0)
    with pytest.raises(RuntimeError, match=r"had shape \(3,\).*now have shape \(\)"):
        loss.backward()


# What a tensor is ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_do_not_change_the_type(dtype):
    x = Tensor(np.ones(2, dtype=dtype), requires_grad=True)
    for number in (2, 0.5, np.float64(0.5), np.int64(2), np.array(0.5), True):
        for y in (
            x * number,
            number * x,
            x + number,
            x - number,
            number - x,
            x / number,
            number / x,
        ):
            assert y.dtype == dtype
    assert (x ** np.float64(2.0)).dtype == dtype
    assert where([True, False], x, 0.0).dtype == dtype
    assert where([True, False], 1.0, np.ones(2, dtype)).dtype == dtype


def test_types_mix_and_each_leaf_gets_a_gradient_of_its_own():
    a = Tensor(np.ones(2, dtype=np.float32), requires_grad=True)
    b = Tensor(np.ones(2), requires_grad=True)
    (a * b).sum().backward()
    assert (a * b).dtype == np.float64
    assert a.grad.dtype == np.float32 and b.grad.dtype == np.float64


def test_integers_are_welcome_without_gradients():
    counts = Tensor([1, 2, 3])
    assert counts.dtype.kind == "i"
    assert (counts * 2).data.tolist() == [2, 4, 6]
    assert (counts * 0.5).data.tolist() == [0.5, 1, 1.5]
    x = Tensor([1.0, 1.0, 1.0], requires_grad=True)
    (x * counts).sum().backward()
    assert x.grad.tolist() == [1, 2, 3]


def test_arrays_and_lists_on_either_side():
    x = Tensor([1.0, 2.0], requires_grad=True)
    array = np.array([3.0, 4.0])
    for y in (array * x, x * array, [3.0, 4.0] * x, array + x, array - x, array / x):
        assert isinstance(y, Tensor) and y.requires_grad
    assert (np.eye(2) @ x).data.tolist() == [1, 2]
    assert (array @ x).item() == 11


def test_data_are_copied():
    array = np.ones(2)
    x = Tensor(array)
    array[:] = 7
    assert x.data.tolist() == [1, 1]


def test_comparisons_and_argmax_have_no_gradient():
    x = Tensor([1.0, 5.0, 3.0], requires_grad=True)
    for y, expected in [
        (x < 3, [1, 0, 0]),
        (x <= 3, [1, 0, 1]),
        (x > 3.0, [0, 1, 0]),
        (x >= Tensor([3.0, 3.0, 3.0]), [0, 1, 1]),
        (x == [1.0, 0.0, 3.0], [1, 0, 1]),
        (x != 1, [0, 1, 1]),
        (x.argmax(), 1),
    ]:
        assert_array_equal(y.data, expected)
        assert not y.requires_grad
    assert Tensor([[1.0, 2.0], [4.0, 3.0]]).argmax(axis=1).data.tolist() == [1, 0]
    assert len({x, x, Tensor(1.0)}) == 2


def test_small_things():
    x = Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    assert (x.shape, x.ndim, len(x), x.dtype) == ((2, 2), 2, 2, np.float64)
    assert [row.data.tolist() for row in x] == [[1, 2], [3, 4]]
    assert sum(x).data.tolist() == [4, 6]
    assert repr(x[0].detach()) == "Tensor([1., 2.])"
    assert repr(Tensor(1.5, requires_grad=True)) == "Tensor(1.5, requires_grad=True)"
    assert float(Tensor([2.5])) == 2.5 and isinstance(Tensor(1).item(), int)
    assert bool(Tensor(0.0)) is False
    assert_array_equal(np.asarray(x.detach()), x.data)
    assert x.detach().numpy() is x.data


# Misuse -------------------------------------------------------------------------------------------


def graph_used_twice():
    loss = (Tensor([1.0], requires_grad=True) * 2.0).sum()
    loss.backward()
    loss.backward()


def shared_graph_used_twice():
    hidden = Tensor([1.0], requires_grad=True).exp()
    (hidden * 2.0).sum().backward()
    (hidden * 3.0).sum().backward()


def ones(*shape, grad=True):
    return Tensor(np.ones(shape), requires_grad=grad)


MISUSE = {
    "integers": (lambda: Tensor([1, 2], requires_grad=True), TypeError, "int64.*Write 1.0"),
    "booleans": (lambda: Tensor([True], requires_grad=True), TypeError, "bool"),
    "integers, later": (
        lambda: setattr(Tensor([1]), "requires_grad", True),
        TypeError,
        "derivatives",
    ),
    "requires_grad inside": (
        lambda: setattr(ones(2) * 2, "requires_grad", False),
        RuntimeError,
        "detach",
    ),
    "several losses": (lambda: ones(2, 3).backward(), RuntimeError, r"\(2, 3\).*\.sum\(\)"),
    "no loss": (lambda: ones(0).backward(), RuntimeError, "one number"),
    "nothing to learn": (
        lambda: ones(1, grad=False).backward(),
        RuntimeError,
        "requires_grad=True",
    ),
    "twice": (graph_used_twice, RuntimeError, "Compute the loss again"),
    "shared": (shared_graph_used_twice, RuntimeError, "add the losses"),
    "gradient of another shape": (
        lambda: (ones(2) * 1.0).backward(np.ones(3)),
        ValueError,
        r"\(3,\).*\(2,\)",
    ),
    "add": (lambda: ones(2, 3) + ones(2), ValueError, r"add: shapes \(2, 3\) and \(2,\).*reshape"),
    "compare": (lambda: ones(2, 3) < ones(2), ValueError, r"less: shapes \(2, 3\) and \(2,\)"),
    "where": (
        lambda: where(np.ones(4, bool), ones(2), ones(3)),
        ValueError,
        r"\(4,\), \(2,\) and \(3,\)",
    ),
    "matmul": (lambda: ones(2, 3) @ ones(4, 5), ValueError, r"\(2, 3\) and \(4, 5\).*3 columns"),
    "matmul, right transposed": (lambda: ones(2, 3) @ ones(4, 3), ValueError, "right matrix fits"),
    "matmul, left transposed": (lambda: ones(3, 2) @ ones(3, 4), ValueError, "left matrix fits"),
    "matmul of vectors": (lambda: ones(2) @ ones(3), ValueError, r"\(2,\) and \(3,\)"),
    "matmul of numbers": (lambda: ones() @ ones(3, 3), ValueError, r"use \*"),
    "matmul by a number": (lambda: ones(3, 3) @ 2.0, ValueError, r"use \*"),
    "matmul of stacks": (lambda: ones(2, 3, 3) @ ones(4, 3, 3), ValueError, "stacks of matrices"),
    "reshape": (lambda: ones(2, 3).reshape(4), ValueError, r"\(2, 3\) has 6 numbers"),
    "T": (lambda: ones(2, 3, 4).T, ValueError, "transpose"),
    "max of nothing": (lambda: ones(0, 3).max(axis=0), ValueError, r"\(0, 3\)"),
    "concatenate": (
        lambda: concatenate([ones(2, 3), ones(2, 4)]),
        ValueError,
        r"\(2, 3\), \(2, 4\)",
    ),
    "concatenate nothing": (lambda: concatenate([]), ValueError, "no tensors"),
    "stack": (lambda: stack([ones(2), ones(3)]), ValueError, r"\(2,\), \(3,\)"),
    "stack nothing": (lambda: stack([]), ValueError, "no tensors"),
    "power of tensors": (lambda: ones(2) ** ones(2), TypeError, r"\(y \* x.log\(\)\).exp\(\)"),
    "power of an array": (lambda: ones(2) ** np.ones(2), TypeError, "one plain number"),
    "item": (lambda: ones(2).item(), ValueError, r"\(2,\).*mean"),
    "numpy": (lambda: ones(2).numpy(), RuntimeError, r"detach\(\).numpy\(\)"),
    "asarray": (lambda: np.asarray(ones(2)), RuntimeError, "detach"),
    "assignment": (lambda: ones(2).__setitem__(0, 1.0), TypeError, "where"),
    "tensor of a tensor": (lambda: Tensor(ones(2)), TypeError, "already a tensor"),
    "words": (lambda: Tensor(["a"]), TypeError, "real numbers"),
    "complex numbers": (lambda: Tensor([1j]), TypeError, "complex128"),
    "nothing at all": (lambda: Tensor(None), TypeError, "object"),
    "ragged": (lambda: Tensor([[1.0], [1.0, 2.0]]), ValueError, "same length"),
    "axis of a sum": (lambda: ones(2, 3).sum(axis=2), ValueError, r"axis 2 .* \(2, 3\).*-2 to 1"),
    "axis of a mean": (lambda: ones(2, 3).mean(axis=(0, -3)), ValueError, "axis -3 does not exist"),
    "axis of a number": (lambda: ones().var(axis=0), ValueError, "Leave it out"),
    "axis of logsumexp": (lambda: ones(2).logsumexp(axis=1), ValueError, "axis 1 does not exist"),
    "axis of max": (lambda: ones(2).max(axis=1), ValueError, "axis 1 does not exist"),
    "half an axis": (lambda: ones(2).sum(axis=0.5), TypeError, "axis must be an integer"),
    "axes exchanged": (lambda: ones(2).transpose(0, 1), ValueError, "axis 1 does not exist"),
    "axes forgotten": (lambda: ones(2, 3, 4).permute(1, 0), ValueError, "each of the 3 axes"),
    "axes twice": (lambda: ones(2, 3).permute(0, 0), ValueError, "each of the 2 axes"),
    "argmax of nothing": (lambda: ones(0, 3).argmax(axis=0), ValueError, r"\(0, 3\)"),
    "integers in place": (
        lambda: no_grad()(lambda: Tensor([1, 2]).__isub__(0.5))(),
        TypeError,
        r"shape \(2,\) and int64.*x = x \+ y",
    ),
    "broadcast in place": (
        lambda: no_grad()(lambda: ones(3).__isub__(np.ones((2, 3))))(),
        ValueError,
        r"shape \(3,\) .*shape \(2, 3\) in place",
    ),
    "length of a number": (lambda: len(ones()), TypeError, "no length"),
    "rows of a number": (lambda: list(ones()), TypeError, "no length"),
    "truth of many": (lambda: bool(ones(2)), ValueError, "ambiguous"),
}


@pytest.mark.parametrize("name", MISUSE)
def test_misuse_raises_an_error_that_teaches(name):
    misuse, kind, message = MISUSE[name]
    with pytest.raises(kind, match=message):
        misuse()


def test_a_refused_backward_changes_nothing():
    x = Tensor([1.0], requires_grad=True)
    hidden = x.exp()
    hidden.sum().backward()
    before = x.grad.copy()
    with pytest.raises(RuntimeError):
        (hidden + x).sum().backward()
    assert_array_equal(x.grad, before)


def test_examples_in_docstrings():
    assert doctest.testmod(tensor_module).failed == 0
