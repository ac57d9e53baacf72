"""The losses, checked three ways: PyTorch, central differences, and values worked out by hand."""

import doctest
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from torch.nn import functional

from course_lib.scratch import losses
from course_lib.scratch.losses import binary_cross_entropy_with_logits, cross_entropy, mse_loss
from course_lib.scratch.tensor import Tensor

pytestmark = pytest.mark.filterwarnings(
    "error",
    # Of what other tests left behind: chance decides when it is collected.
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
    "ignore::pytest.PytestUnhandledThreadExceptionWarning",
)

quick = settings(deadline=None, max_examples=40)
REDUCTIONS = st.sampled_from(["mean", "sum", "none"])
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=4)
DTYPES = st.sampled_from([np.float32, np.float64])


def compare(ours, theirs, array, rng):
    """Compare value and gradient with PyTorch's, and in float64 with central differences."""
    x = Tensor(array, requires_grad=True)
    out = ours(x)
    upstream = rng.normal(size=out.shape).astype(array.dtype)
    out.backward(upstream)
    x_torch = torch.tensor(array, requires_grad=True)
    out_torch = theirs(x_torch)
    out_torch.backward(torch.tensor(upstream))
    tolerance = {"rtol": 2e-5, "atol": 1e-5} if array.dtype == np.float32 else {"atol": 1e-12}
    assert out.dtype == x.grad.dtype == array.dtype
    assert_allclose(out.data, out_torch.detach().numpy(), **tolerance)
    assert_allclose(x.grad, x_torch.grad.numpy(), **tolerance)
    if array.dtype == np.float64:
        h = 1e-5
        measured = np.zeros_like(array)
        for place in np.ndindex(array.shape):
            step = np.zeros_like(array)
            step[place] = h
            rise = ours(Tensor(array + step)).data - ours(Tensor(array - step)).data
            measured[place] = np.sum(upstream * rise) / (2 * h)
        assert_allclose(x.grad, measured, rtol=1e-6, atol=1e-6)


@quick
@given(
    n=st.integers(1, 5),
    k=st.integers(1, 5),
    seed=st.integers(0, 2**16),
    dtype=DTYPES,
    reduction=REDUCTIONS,
    smoothing=st.sampled_from([0.0, 0.1, 1.0]),
)
def test_cross_entropy(n, k, seed, dtype, reduction, smoothing):
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=3, size=(n, k)).astype(dtype)
    target = rng.integers(k, size=n)
    compare(
        lambda z: cross_entropy(z, target, label_smoothing=smoothing, reduction=reduction),
        lambda z: functional.cross_entropy(
            z, torch.tensor(target), label_smoothing=smoothing, reduction=reduction
        ),
        logits,
        rng,
    )


@quick
@given(
    n=st.integers(1, 5),
    k=st.integers(1, 5),
    seed=st.integers(0, 2**16),
    dtype=DTYPES,
    reduction=REDUCTIONS,
    smoothing=st.sampled_from([0.0, 0.1, 1.0]),
)
def test_cross_entropy_of_distributions(n, k, seed, dtype, reduction, smoothing):
    rng = np.random.default_rng(seed)
    # Every second row and column of a larger array: nothing here may count on the layout.
    logits = rng.normal(scale=3, size=(2 * n, 2 * k)).astype(dtype)[::2, ::2]
    truth = rng.dirichlet(np.ones(k), size=n).astype(dtype)
    options = {"label_smoothing": smoothing, "reduction": reduction}
    compare(
        lambda z: cross_entropy(z, truth, **options),
        lambda z: functional.cross_entropy(z, torch.tensor(truth), **options),
        logits.copy(),
        rng,
    )
    got = cross_entropy(logits, truth, **options)
    assert_array_equal(got.data, cross_entropy(logits.copy(), truth, **options).data)


@quick
@given(shape=SHAPES, seed=st.integers(0, 2**16), dtype=DTYPES, reduction=REDUCTIONS)
def test_binary_cross_entropy(shape, seed, dtype, reduction):
    rng = np.random.default_rng(seed)
    # Whole and half numbers, zero among them: max(z, 0) has its corner there, this loss has none.
    logits = np.asarray(rng.integers(-6, 7, size=shape) / 2, dtype=dtype)
    target = np.asarray(rng.integers(0, 3, size=shape) / 2, dtype=dtype)
    compare(
        lambda z: binary_cross_entropy_with_logits(z, target, reduction=reduction),
        lambda z: functional.binary_cross_entropy_with_logits(
            z, torch.tensor(target), reduction=reduction
        ),
        logits,
        rng,
    )


@quick
@given(shape=SHAPES, seed=st.integers(0, 2**16), dtype=DTYPES, reduction=REDUCTIONS)
def test_mse(shape, seed, dtype, reduction):
    rng = np.random.default_rng(seed)
    prediction, target = (np.asarray(rng.normal(size=shape), dtype=dtype) for _ in range(2))
    compare(
        lambda y_hat: mse_loss(y_hat, target, reduction=reduction),
        lambda y_hat: functional.mse_loss(y_hat, torch.tensor(target), reduction=reduction),
        prediction,
        rng,
    )


# Every logit that may come ------------------------------------------------------------------------

# Magnitudes whose sums every type still holds.
MAGNITUDES = {np.float16: 500.0, np.float32: 1e4, np.float64: 1e100}
ANY_DTYPE = st.sampled_from(list(MAGNITUDES))
TOLERANCES = {
    np.float16: {"rtol": 1e-2, "atol": 5e-3},
    np.float32: {"rtol": 1e-5, "atol": 1e-6},
    np.float64: {"rtol": 1e-12, "atol": 1e-12},
}


@st.composite
def logits_of_any_size(draw, shape, infinities):
    """Small, zero, huge and infinite, side by side."""
    dtype = draw(ANY_DTYPE)
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    most = MAGNITUDES[dtype]
    kinds = [
        rng.normal(size=shape),
        np.zeros(shape),
        rng.choice([-most, most], shape),
        20 * rng.normal(size=shape),
    ] + [np.full(shape, value) for value in infinities]
    return np.choose(rng.integers(len(kinds), size=shape), kinds).astype(dtype), rng  # fmt: skip


def check(out, z, expected, gradient, theirs, reduction):
    """Compare with what the definition says, and with PyTorch where its result is a number."""
    tolerance = TOLERANCES[z.dtype.type]
    assert out.dtype == z.dtype
    with np.errstate(over="ignore"):  # float64's sum may be more than float16 holds
        reduced = {"mean": np.mean, "sum": np.sum, "none": np.asarray}[reduction](expected)
        assert_allclose(out.data, reduced.astype(z.dtype), **tolerance)
    known = ~np.isnan(theirs)
    assert_allclose(out.data[known], theirs[known], **tolerance)
    out.backward(np.ones(out.shape))
    share = 1 / len(expected.ravel()) if reduction == "mean" else 1
    assert_allclose(z.grad, gradient * share, **tolerance)


@settings(deadline=None, max_examples=150)
@given(
    data=st.data(),
    n=st.integers(1, 4),
    k=st.integers(1, 5),
    kind=st.sampled_from(["classes", "one-hot", "distributions"]),
    smoothing=st.sampled_from([0.0, 0.1, 1.0]),
    reduction=REDUCTIONS,
)
def test_cross_entropy_of_any_logits(data, n, k, kind, smoothing, reduction):
    array, rng = data.draw(logits_of_any_size((n, k), infinities=[-np.inf]))
    array[np.arange(n), rng.integers(k, size=n)] = 1.0  # some class is possible
    labels = rng.integers(k, size=n)
    truth = np.eye(k)[labels]
    if kind == "distributions":
        # Zeros are frequent, also where the logit is -inf: 0 log 0 counts as 0.
        truth = rng.dirichlet(np.full(k, 0.3), size=n)
        truth[truth < 0.2] = 0
        truth /= truth.sum(axis=1, keepdims=True)
    target = labels if kind == "classes" else truth
    z = Tensor(array, requires_grad=True)
    out = cross_entropy(z, target, label_smoothing=smoothing, reduction=reduction)

    log_p = torch.tensor(array.astype(float)).log_softmax(1).numpy()
    r = (1 - smoothing) * truth + smoothing / k
    expected = -np.multiply(r, log_p, out=np.zeros((n, k)), where=r > 0).sum(axis=1)
    theirs = functional.cross_entropy(
        torch.tensor(array),
        torch.tensor(target if kind == "classes" else target.astype(array.dtype)),
        label_smoothing=smoothing,
        reduction=reduction,
    )
    check(out, z, expected, np.exp(log_p) - r, theirs.numpy(), reduction)


@settings(deadline=None, max_examples=150)
@given(data=st.data(), shape=SHAPES, reduction=REDUCTIONS)
def test_binary_cross_entropy_of_any_logits(data, shape, reduction):
    array, rng = data.draw(logits_of_any_size(shape, infinities=[-np.inf, np.inf]))
    target = rng.choice([0.0, 1.0, 0.5, 0.25], size=shape).astype(array.dtype)
    z = Tensor(array, requires_grad=True)
    out = binary_cross_entropy_with_logits(z, target, reduction=reduction)

    wide, y = torch.tensor(array.astype(float)), target.astype(float)
    yes, no = (-functional.logsigmoid(sign * wide).numpy() for sign in (1, -1))
    with np.errstate(invalid="ignore"):
        expected = np.where(y > 0, y * yes, 0) + np.where(y < 1, (1 - y) * no, 0)
    theirs = functional.binary_cross_entropy_with_logits(
        torch.tensor(array), torch.tensor(target), reduction=reduction
    )
    check(out, z, expected, wide.sigmoid().numpy() - y, theirs.numpy(), reduction)


@settings(deadline=None, max_examples=60)
@given(data=st.data(), shape=SHAPES, reduction=REDUCTIONS)
def test_mse_of_any_numbers(data, shape, reduction):
    array, rng = data.draw(logits_of_any_size(shape, infinities=[np.inf]))
    target = np.asarray(rng.normal(size=shape), dtype=array.dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        got = mse_loss(array, target, reduction=reduction)
    theirs = functional.mse_loss(torch.tensor(array), torch.tensor(target), reduction=reduction)
    assert got.dtype == array.dtype
    assert_allclose(got.data, theirs.numpy(), **TOLERANCES[array.dtype.type])


def test_zero_times_infinity_is_zero_where_pytorch_has_nan():
    impossible, certain = [[0.0, -np.inf]], [[1.0, 0.0]]
    z = Tensor(impossible, requires_grad=True)
    loss = cross_entropy(z, certain)
    loss.backward()
    assert loss.item() == 0
    assert_array_equal(z.grad, [[0, 0]])
    assert functional.cross_entropy(torch.tensor(impossible), torch.tensor(certain)).isnan()
    assert cross_entropy(impossible, [[0.5, 0.5]]).item() == np.inf
    z = Tensor([np.inf, -np.inf, np.inf, -np.inf], requires_grad=True)
    loss = binary_cross_entropy_with_logits(z, [1.0, 0.0, 0.0, 1.0], reduction="none")
    loss.backward(np.ones(4))
    assert_array_equal(loss.data, [0, 0, np.inf, np.inf])
    assert_array_equal(z.grad, [0, 0, 1, -1])
    theirs = functional.binary_cross_entropy_with_logits(torch.tensor([np.inf]), torch.ones(1))
    assert theirs.isnan()


def test_small_surprises_keep_their_digits():
    z = np.array([30.0, -30.0], dtype=np.float32)
    loss = binary_cross_entropy_with_logits(z, [1.0, 0.0], reduction="none")
    assert_allclose(loss.data, np.full(2, math.exp(-30)), rtol=1e-6)


def test_known_values():
    z = Tensor([[0.0, math.log(3)], [0.0, 0.0]], requires_grad=True)
    loss = cross_entropy(z, [0, 1])
    loss.backward()
    assert_allclose(loss.item(), (math.log(4) + math.log(2)) / 2)
    assert_allclose(z.grad, [[(0.25 - 1) / 2, 0.75 / 2], [0.25, (0.5 - 1) / 2]])

    z = Tensor([0.0, math.log(3)], requires_grad=True)
    loss = binary_cross_entropy_with_logits(z, [1.0, 0.0], reduction="sum")
    loss.backward()
    assert_allclose(loss.item(), math.log(2) + math.log(4))
    assert_allclose(z.grad, [0.5 - 1, 0.75])

    y_hat = Tensor([1.0, 2.0], requires_grad=True)
    loss = mse_loss(y_hat, [1.0, 5.0])
    loss.backward()
    assert loss.item() == 4.5
    assert_array_equal(y_hat.grad, [0, -3])


def test_a_class_is_the_distribution_with_a_single_one():
    z, y = np.random.default_rng(0).normal(size=(4, 3)), np.array([2, 0, 1, 1])
    for smoothing in (0.0, 0.3):
        for one_hot in (np.eye(3)[y], np.eye(3, dtype=int)[y], np.eye(3, dtype=bool)[y]):
            assert_allclose(
                cross_entropy(z, one_hot, label_smoothing=smoothing).item(),
                cross_entropy(z, y, label_smoothing=smoothing).item(),
            )


def test_smoothing_gives_each_class_its_share():
    log_p = [math.log(1 / 4), math.log(3 / 4)]
    loss = cross_entropy([[0.0, math.log(3)]], [1], label_smoothing=0.2)
    assert_allclose(loss.item(), -(0.1 * log_p[0] + 0.9 * log_p[1]))


def test_the_true_distribution_costs_its_entropy_and_has_no_gradient():
    q = np.array([[0.5, 0.25, 0.125, 0.125]])
    z = Tensor(np.log(q) + 7, requires_grad=True)
    loss = cross_entropy(z, q)
    loss.backward()
    assert_allclose(loss.item() / math.log(2), 1.75)
    assert_allclose(z.grad, np.zeros((1, 4)), atol=1e-15)


def test_equal_logits_cost_the_logarithm_of_the_number_of_classes():
    for k in (1, 2, 10, 1000):
        assert_allclose(cross_entropy(np.full((3, k), 5.0), [0, k - 1, 0]).item(), math.log(k))


def test_stays_finite_where_the_probability_is_rounded_to_zero():
    z = Tensor([[-1e4, 1e4]], requires_grad=True)
    loss = cross_entropy(z, [0])
    loss.backward()
    assert loss.item() == 2e4
    assert_array_equal(z.grad, [[-1, 1]])
    z = Tensor([-1e4, 1e4], requires_grad=True)
    loss = binary_cross_entropy_with_logits(z, [1.0, 1.0], reduction="none")
    loss.backward([1.0, 1.0])
    assert_array_equal(loss.data, [1e4, 0])
    assert_array_equal(z.grad, [-1, 0])


def test_targets_may_be_tensors_of_any_integer_or_float_type():
    logits = Tensor(np.zeros((2, 3), dtype=np.float32))
    assert cross_entropy(logits, Tensor(np.array([0, 2], dtype=np.uint8))).dtype == np.float32
    assert mse_loss(logits, np.ones((2, 3))).dtype == np.float32
    assert binary_cross_entropy_with_logits(logits, np.ones((2, 3), dtype=int)).dtype == np.float32
    assert cross_entropy(logits, np.eye(3)[:2]).dtype == np.float32
    target = Tensor([1.0], requires_grad=True)
    mse_loss(Tensor([3.0]), target).backward()
    assert_array_equal(target.grad, [-4])
    target = Tensor([[0.25, 0.75]], requires_grad=True)
    cross_entropy([[0.0, math.log(3)]], target).backward()
    assert_allclose(target.grad, [[math.log(4), math.log(4 / 3)]])


def test_outputs_may_be_lists_and_integers():
    assert mse_loss([1, 2], [1.5, 2.0]).item() == 0.125
    assert mse_loss(np.array([1], dtype=np.uint8), np.array([3], dtype=np.uint8)).item() == 4
    assert_allclose(cross_entropy([[0, 0]], [1]).item(), math.log(2))
    assert_allclose(binary_cross_entropy_with_logits([0, 0], [0, 1]).item(), math.log(2))


def test_an_empty_batch_has_no_losses_and_their_sum_is_zero():
    for loss, answers, target in (
        (cross_entropy, np.zeros((0, 3)), []),
        (cross_entropy, np.zeros((0, 3)), np.zeros((0, 3))),
        (binary_cross_entropy_with_logits, [], []),
        (mse_loss, np.zeros((0, 2)), np.zeros((0, 2))),
    ):
        z = Tensor(answers, requires_grad=True)
        total = loss(z, target, reduction="sum")
        total.backward()
        assert total.item() == 0
        assert z.grad.shape == np.shape(answers)
        assert loss(z, target, reduction="none").data.size == 0


ZEROS = Tensor(np.zeros((2, 3)))
MISUSE = {
    "one row": (lambda: cross_entropy(Tensor([0.0, 1.0]), [0]), ValueError, r"\(2,\).*reshape"),
    "no class": (lambda: cross_entropy(np.zeros((2, 0)), [0, 0]), ValueError, r"\(2, 0\)"),
    "other classes": (lambda: cross_entropy(ZEROS, np.eye(4)[:2]), ValueError, r"\(2, 4\)"),
    "scores": (lambda: cross_entropy(ZEROS, [[1, 0, 0], [3, -1, -1]]), ValueError, "row 1.*-1"),
    "counts": (lambda: cross_entropy(ZEROS, [[2, 1, 1], [1, 0, 0]]), ValueError, "up to 4"),
    "nan": (lambda: cross_entropy(ZEROS, [[np.nan, 1, 0], [1, 0, 0]]), ValueError, "row 0"),
    "column": (lambda: cross_entropy(ZEROS, [[0], [1]]), ValueError, r"\(2, 1\).*reshape\(-1\)"),
    "too many": (lambda: cross_entropy(ZEROS, [0, 1, 2]), ValueError, r"\(3,\). Give one target"),
    "floats": (lambda: cross_entropy(ZEROS, [0.0, 1.0]), TypeError, "float64"),
    "beyond": (lambda: cross_entropy(ZEROS, [0, 3]), ValueError, "0 to 2"),
    "negative": (lambda: cross_entropy(ZEROS, [0, -1]), ValueError, "-1 to 0"),
    "smoothing": (
        lambda: cross_entropy(ZEROS, [0, 1], label_smoothing=2.0),
        ValueError,
        "between 0 and 1",
    ),
    "reduction": (lambda: cross_entropy(ZEROS, [0, 1], reduction="max"), ValueError, "'max'"),
    "broadcast": (lambda: mse_loss(Tensor([[1.0], [2.0]]), [1.0, 2.0]), ValueError, r"\(2, 1\)"),
    "yes is +1": (
        lambda: binary_cross_entropy_with_logits([0.0, 0.0], [-1, 1]),
        ValueError,
        r"-1 to 1.*\(labels \+ 1\) / 2",
    ),
    "binary nan": (
        lambda: binary_cross_entropy_with_logits([0.0], [np.nan]),
        ValueError,
        "between 0",
    ),
    "binary": (lambda: binary_cross_entropy_with_logits(ZEROS, [1.0]), ValueError, r"\(1,\)"),
}


@pytest.mark.parametrize("name", MISUSE)
def test_misuse_raises_an_error_that_teaches(name):
    misuse, kind, message = MISUSE[name]
    with pytest.raises(kind, match=message):
        misuse()


def test_examples_in_docstrings():
    assert doctest.testmod(losses).failed == 0
