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


def test_a_believer_of_the_truth_is_surprised_by_its_entropy_and_has_no_slope():
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


def test_answers_may_be_lists_and_whole_numbers():
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
    "column": (lambda: cross_entropy(ZEROS, [[0], [1]]), ValueError, r"\(2, 1\)"),
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
