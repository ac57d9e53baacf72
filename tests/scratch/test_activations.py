"""The activation functions and their derivatives, checked three ways.

The oracles are PyTorch (values and gradients by autograd), central differences, and closed forms
evaluated one number at a time with 150 digits by ``decimal``. None of them shares code with
``course_lib.scratch``.
"""

import doctest
import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, localcontext

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

from course_lib.scratch import activations as act

# A warning from NumPy (overflow, inf - inf, division by zero) fails a test.
pytestmark = pytest.mark.filterwarnings(
    "error",
    # Of what other tests left behind: chance decides when it is collected.
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
    "ignore::pytest.PytestUnhandledThreadExceptionWarning",
)


# Closed forms with many digits --------------------------------------------------------------------


def _exactly(formula: Callable[[Decimal], Decimal]) -> Callable[[float], float]:
    def value(z: float) -> float:
        with localcontext(prec=150):
            return float(formula(Decimal(z)))

    return value


PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494")


def _sigmoid(z: Decimal) -> Decimal:
    return 1 / (1 + (-z).exp())


def _tanh(z: Decimal) -> Decimal:
    return (z.exp() - (-z).exp()) / (z.exp() + (-z).exp())


def _normal_density(z: Decimal) -> Decimal:
    return (-z * z / 2).exp() / (2 * PI).sqrt()


def _normal_cdf(z: Decimal) -> Decimal:
    """1/2 + density(z) * (z + z^3/3 + z^5/(3*5) + ...), a series whose terms have one sign."""
    term = total = z
    n = 1
    while abs(term) > Decimal(10) ** -70:
        n += 2
        term *= z * z / n
        total += term
    return Decimal("0.5") + _normal_density(z) * total


ROOT, CUBIC = (2 / PI).sqrt(), Decimal("0.044715")


def _gelu_tanh(z: Decimal) -> Decimal:
    return z / 2 * (1 + _tanh(ROOT * (z + CUBIC * z**3)))


def _gelu_tanh_derivative(z: Decimal) -> Decimal:
    t = _tanh(ROOT * (z + CUBIC * z**3))
    return (1 + t) / 2 + z / 2 * (1 - t * t) * ROOT * (1 + 3 * CUBIC * z * z)


@dataclass(frozen=True)
class Case:
    """One activation function: ours, PyTorch's, the closed forms and the limits at infinity."""

    ours: Callable
    derivative: Callable
    torch: Callable
    closed_form: Callable[[float], float]
    closed_derivative: Callable[[float], float]
    left: tuple[float, float]  # value and slope at -inf
    right: tuple[float, float]  # value and slope at +inf


CASES = {
    "sigmoid": Case(
        act.sigmoid,
        act.sigmoid_derivative,
        torch.sigmoid,
        _exactly(_sigmoid),
        _exactly(lambda z: _sigmoid(z) * (1 - _sigmoid(z))),
        (0, 0),
        (1, 0),
    ),
    "tanh": Case(
        act.tanh,
        act.tanh_derivative,
        torch.tanh,
        _exactly(_tanh),
        _exactly(lambda z: 1 - _tanh(z) ** 2),
        (-1, 0),
        (1, 0),
    ),
    "relu": Case(
        act.relu,
        act.relu_derivative,
        torch.relu,
        lambda z: z if z > 0 else 0.0,
        lambda z: 1.0 if z > 0 else 0.0,
        (0, 0),
        (np.inf, 1),
    ),
    "leaky_relu": Case(
        act.leaky_relu,
        act.leaky_relu_derivative,
        torch.nn.functional.leaky_relu,
        lambda z: z if z > 0 else 0.01 * z,
        lambda z: 1.0 if z > 0 else 0.01,
        (-np.inf, 0.01),
        (np.inf, 1),
    ),
    "steep_leaky_relu": Case(
        lambda z: act.leaky_relu(z, negative_slope=0.3),
        lambda z: act.leaky_relu_derivative(z, negative_slope=0.3),
        lambda z: torch.nn.functional.leaky_relu(z, 0.3),
        lambda z: z if z > 0 else 0.3 * z,
        lambda z: 1.0 if z > 0 else 0.3,
        (-np.inf, 0.3),
        (np.inf, 1),
    ),
    "gelu": Case(
        act.gelu,
        act.gelu_derivative,
        torch.nn.functional.gelu,
        _exactly(lambda z: z * _normal_cdf(z)),
        _exactly(lambda z: _normal_cdf(z) + z * _normal_density(z)),
        (0, 0),
        (np.inf, 1),
    ),
    "gelu_tanh": Case(
        lambda z: act.gelu(z, approximate="tanh"),
        lambda z: act.gelu_derivative(z, approximate="tanh"),
        lambda z: torch.nn.functional.gelu(z, approximate="tanh"),
        _exactly(_gelu_tanh),
        _exactly(_gelu_tanh_derivative),
        (0, 0),
        (np.inf, 1),
    ),
}

each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
each_function = pytest.mark.parametrize(
    "function",
    [f for case in CASES.values() for f in (case.ours, case.derivative)],
    ids=[f"{name}{suffix}" for name in CASES for suffix in ("", "-derivative")],
)

SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)


def arrays(dtype, limit: float = 1e4, shape=SHAPES):
    width = np.dtype(dtype).itemsize * 8
    return hnp.arrays(dtype, shape, elements=st.floats(-limit, limit, width=width))


def torch_value_and_slope(function: Callable, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    leaf = torch.tensor(z, requires_grad=True)
    value = function(leaf)
    value.sum().backward()
    return value.detach().numpy(), leaf.grad.numpy()


# One entry at a time: values and slopes -----------------------------------------------------------


@each_case
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_agrees_with_pytorch(case, data):
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    z = data.draw(arrays(dtype))
    value, slope = torch_value_and_slope(case.torch, z)
    # float32 GELU in PyTorch adds 1 to a number near -1: that is its error, about 1e-6 here.
    tolerance = {"rtol": 2e-6, "atol": 2e-6} if dtype == np.float32 else {"atol": 1e-13}
    for got, expected in [(case.ours(z), value), (case.derivative(z), slope)]:
        assert got.shape == z.shape
        assert got.dtype == dtype
        assert_allclose(got, expected, **tolerance)


@each_case
def test_agrees_with_the_closed_form_to_the_last_digits(case):
    # Zero belongs to the list: the closed forms of ReLU take the left side's slope there.
    for z in [-12.0, -5.5, -3.0, -1.0, -0.1, -1e-9, 0.0, 1e-9, 0.25, 1.0, 2.5, 6.0, 12.0, 20.0]:
        # erfc and exp lose a few digits to the rounding of their argument, in proportion to z^2.
        rtol = 1e-15 * (4 + z * z)
        assert_allclose(case.ours(z), case.closed_form(z), rtol=rtol, err_msg=f"z = {z}")
        assert_allclose(case.derivative(z), case.closed_derivative(z), rtol=2 * rtol, atol=1e-30)


@each_case
@given(z=arrays(np.float64, limit=20))
@settings(deadline=None, max_examples=60)
def test_derivative_agrees_with_central_differences(case, z):
    h = 1e-5
    z = np.where(np.abs(z) < 2 * h, 1.0, z)  # a difference across ReLU's corner is no slope
    difference = (case.ours(z + h) - case.ours(z - h)) / (2 * h)
    assert_allclose(case.derivative(z), difference, rtol=1e-7, atol=1e-9)


@each_case
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_limits_are_reached_far_out_and_at_infinity(case, dtype):
    (left, left_slope), (right, right_slope) = case.left, case.right
    edge = {np.float16: 1e4, np.float32: 3e38, np.float64: 1e308}[dtype]
    for z, value, slope in [(-np.inf, left, left_slope), (np.inf, right, right_slope)]:
        assert_allclose(case.ours(dtype(z)), dtype(value), atol=0)
        assert_allclose(case.derivative(dtype(z)), dtype(slope), atol=0)
        for far in (np.copysign(1e4, z), np.copysign(edge, z)):
            assert np.isfinite(case.ours(dtype(far)))
            assert_allclose(case.derivative(dtype(far)), dtype(slope), atol=0)
            if np.isfinite(value):
                assert_allclose(case.ours(dtype(far)), dtype(value), atol=0)


@each_function
def test_nan_stays_nan_and_does_not_spread(function):
    got = function(np.array([1.0, np.nan]))
    assert np.isnan(got[1])
    assert got[0] == function(np.array([1.0]))[0]


@each_function
@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, np.bool_])
def test_integers_and_booleans_become_float64(function, dtype):
    z = np.array([0, 1, 3]).astype(dtype)
    got = function(z)
    assert got.dtype == np.float64
    assert_array_equal(got, function(z.astype(np.float64)))


@each_function
def test_lists_and_single_numbers_are_welcome(function):
    assert_array_equal(function([[-1.0, 2.0]]), function(np.array([[-1.0, 2.0]])))
    assert np.shape(function(2)) == ()
    assert function(2) == function([2.0])[0]


@each_function
@given(shape=hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=3))
@settings(deadline=None, max_examples=20)
def test_layout_in_memory_does_not_matter_and_nothing_is_overwritten(function, shape):
    big = np.linspace(-3, 3, 2 * math.prod(shape)).reshape(*shape[:-1], 2 * shape[-1])
    strided = big[..., ::2][::-1].T
    strided.setflags(write=False)
    got = function(strided)
    assert_array_equal(got, function(np.ascontiguousarray(strided)))
    assert not np.shares_memory(got, strided)


@given(z=arrays(np.float64, limit=1e300))
def test_bounds_of_the_slopes(z):
    # Rounding may add one unit in the last place to the largest slope.
    eps = np.finfo(act.sigmoid_derivative(z).dtype).eps
    assert (act.sigmoid_derivative(z) <= (1 + eps) / 4).all()
    assert (act.tanh_derivative(z) <= 1).all()
    assert (act.sigmoid_derivative(z) >= 0).all()


def test_gelu_approximation_is_close_and_not_the_same():
    z = np.linspace(-6, 6, 1201)
    gap = np.abs(act.gelu(z) - act.gelu(z, approximate="tanh")).max()
    assert 1e-4 < gap < 5e-4


def test_gelu_keeps_its_digits_in_the_far_tail():
    # Phi(-10) = 7.619853024160527e-24; 1 + erf would have rounded it to 0.
    assert_allclose(act.gelu(-10.0), -7.619853024160527e-23, rtol=1e-13)


# Whole axes: softmax ------------------------------------------------------------------------------


@st.composite
def scores_and_axis(draw, dtype=np.float64, limit=1e4, min_side=0):
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=min_side, max_side=4))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    return draw(arrays(dtype, limit, shape)), axis


@pytest.mark.parametrize(
    ("ours", "reference"), [(act.softmax, torch.softmax), (act.log_softmax, torch.log_softmax)]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@settings(deadline=None, max_examples=100)
@given(data=st.data())
def test_softmax_functions_agree_with_pytorch_along_any_axis(ours, reference, dtype, data):
    z, axis = data.draw(scores_and_axis(dtype))
    got = ours(z, axis=axis)
    assert got.shape == z.shape
    assert got.dtype == dtype
    rtol = 1e-5 if dtype == np.float32 else 1e-12
    assert_allclose(got, reference(torch.tensor(z), axis).numpy(), rtol=rtol, atol=rtol * 1e-2)


def test_softmax_agrees_with_the_closed_form():
    scores = [2.0, -1.0, 0.5, 30.0]
    with localcontext(prec=150):
        powers = [Decimal(score).exp() for score in scores]
        p = [power / sum(powers) for power in powers]
        log_p = [float(probability.ln()) for probability in p]
    assert_allclose(act.softmax(scores), [float(probability) for probability in p], rtol=1e-14)
    assert_allclose(act.log_softmax(scores), log_p, rtol=1e-14, atol=1e-16)


@given(case=scores_and_axis(min_side=1))
@settings(deadline=None)
def test_softmax_is_a_distribution_along_the_axis(case):
    z, axis = case
    p = act.softmax(z, axis=axis)
    assert (p >= 0).all()
    assert_allclose(p.sum(axis=axis), 1, rtol=1e-14)
    assert_allclose(act.softmax(z + 7, axis=axis), p, atol=1e-10)  # only differences count
    assert_allclose(np.exp(act.log_softmax(z, axis=axis)), p, atol=1e-10)


def test_softmax_uses_the_last_axis_unless_told():
    z = np.array([[0.0, 1.0], [0.0, 3.0]])
    assert_allclose(act.softmax(z).sum(axis=1), [1, 1])
    assert_allclose(act.softmax(z, axis=0)[0, 0], 0.5)
    assert_array_equal(act.softmax(z, axis=np.int64(1)), act.softmax(z))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_softmax_is_finite_and_exact_at_extremes(dtype):
    z = np.array([[1e4, 1e4, -1e4], [-1e4, 0, 1e4]], dtype=dtype)
    assert_array_equal(act.softmax(z), [[0.5, 0.5, 0], [0, 0, 1]])
    log_half = dtype(-math.log(2))
    expected = [[log_half, log_half, dtype(-2e4) + log_half], [-2e4, -1e4, 0]]
    assert_allclose(act.log_softmax(z), np.array(expected, dtype=dtype), rtol=1e-3)
    assert_array_equal(act.softmax_jacobian(z)[1], np.zeros((3, 3)))
    assert np.isfinite(act.log_softmax_jacobian(z)).all()


def test_softmax_at_infinity():
    masked = np.array([0.0, -np.inf, 0.0])
    assert_array_equal(act.softmax(masked), [0.5, 0, 0.5])
    assert_allclose(act.log_softmax(masked), [-math.log(2), -np.inf, -math.log(2)])
    assert_array_equal(act.softmax([np.inf, 3.0, -np.inf]), [1, 0, 0])
    assert_array_equal(act.log_softmax([np.inf, 3.0]), [0, -np.inf])
    assert_array_equal(act.softmax([np.inf, np.inf, 3.0]), [0.5, 0.5, 0])
    assert_array_equal(act.softmax([-np.inf, -np.inf]), [0.5, 0.5])
    assert np.isnan(act.softmax([np.nan, 1.0])).all()


@pytest.mark.parametrize(
    ("jacobian", "function", "reference"),
    [
        (act.softmax_jacobian, act.softmax, torch.softmax),
        (act.log_softmax_jacobian, act.log_softmax, torch.log_softmax),
    ],
)
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_jacobians_agree_with_pytorch_and_differences(jacobian, function, reference, data):
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3))
    z = data.draw(arrays(dtype, limit=20, shape=shape))
    k = shape[-1]
    got = jacobian(z)
    assert got.shape == (*shape, k)
    assert got.dtype == dtype
    rows, got = z.reshape(-1, k).astype(np.float64), got.reshape(-1, k, k)
    for row, matrix in zip(rows, got, strict=True):
        by_torch = torch.autograd.functional.jacobian(lambda r: reference(r, -1), torch.tensor(row))
        assert_allclose(matrix, by_torch, atol=1e-6 if dtype == np.float32 else 1e-13)
        h = 1e-5
        steps = h * np.eye(k)
        difference = (function(row + steps) - function(row - steps)).T / (2 * h)
        assert_allclose(matrix, difference, atol=1e-6)


def test_jacobians_by_hand():
    # Scores 0 and log 3 give the probabilities 1/4 and 3/4.
    z = [0.0, math.log(3)]
    assert_allclose(act.softmax_jacobian(z), np.array([[3, -3], [-3, 3]]) / 16)
    assert_allclose(act.log_softmax_jacobian(z), np.array([[3, -3], [-1, 1]]) / 4)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 4)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_empty_arrays_stay_empty(shape, dtype):
    z = np.zeros(shape, dtype=dtype)
    for axis in range(-len(shape), len(shape)):
        for function in (act.softmax, act.log_softmax):
            assert function(z, axis=axis).shape == shape
            assert function(z, axis=axis).dtype == dtype
    for function in (act.softmax_jacobian, act.log_softmax_jacobian):
        assert function(z).shape == (*shape, shape[-1])


def test_softmax_of_integers_lists_and_strided_arrays():
    assert act.softmax(np.array([1, 2], dtype=np.int8)).dtype == np.float64
    assert act.log_softmax([True, False]).dtype == np.float64
    big = np.linspace(-3, 3, 24).reshape(4, 6)
    strided = big[::2, ::-2].T
    before = strided.copy()
    for function in (act.softmax, act.log_softmax, act.softmax_jacobian, act.log_softmax_jacobian):
        assert_array_equal(function(strided), function(np.ascontiguousarray(strided)))
    assert_array_equal(strided, before)


# Errors -------------------------------------------------------------------------------------------

EVERY_FUNCTION = [getattr(act, name) for name in act.__all__]


@pytest.mark.parametrize("function", EVERY_FUNCTION, ids=act.__all__)
@pytest.mark.parametrize("bad", [["one"], [1j], None, [None]])
def test_what_is_not_a_real_number_is_named(function, bad):
    with pytest.raises(TypeError, match=r"z must hold real numbers, but its dtype is .*Convert"):
        function(bad)


@pytest.mark.parametrize("function", EVERY_FUNCTION, ids=act.__all__)
def test_rows_of_different_length_are_named(function):
    with pytest.raises(ValueError, match=r"z must be .*Give every row the same length"):
        function([[1.0], [1.0, 2.0]])


@pytest.mark.parametrize("function", [act.softmax, act.log_softmax])
def test_a_wrong_axis_is_named(function):
    with pytest.raises(ValueError, match=r"axis 2 .* shape \(2, 3\).* from -2 to 1"):
        function(np.zeros((2, 3)), axis=2)
    with pytest.raises(ValueError, match=r"axis -3 does not exist"):
        function(np.zeros((2, 3)), axis=-3)
    with pytest.raises(ValueError, match=r"A single number has no axis"):
        function(3.0)
    for bad in (None, 1.0, (0, 1)):
        with pytest.raises(TypeError, match=r"axis must be one integer"):
            function(np.zeros((2, 3)), axis=bad)


@pytest.mark.parametrize("function", [act.softmax_jacobian, act.log_softmax_jacobian])
def test_a_jacobian_needs_an_axis(function):
    with pytest.raises(ValueError, match=r"A single number has no axis"):
        function(3.0)


@pytest.mark.parametrize("function", [act.leaky_relu, act.leaky_relu_derivative])
def test_a_wrong_slope_is_named(function):
    for bad in (np.nan, np.inf):
        with pytest.raises(ValueError, match=r"negative_slope must be finite, but it is"):
            function(1.0, negative_slope=bad)
    for bad in (None, "steep", [0.1, 0.2]):
        with pytest.raises(TypeError, match=r"negative_slope must be one number, but it is"):
            function(1.0, negative_slope=bad)


@pytest.mark.parametrize("function", [act.gelu, act.gelu_derivative])
@pytest.mark.parametrize("bad", ["erf", None, True])
def test_a_wrong_approximation_is_named(function, bad):
    with pytest.raises(ValueError, match=r"approximate must be 'none' or 'tanh', but it is"):
        function(1.0, approximate=bad)


def test_slope_of_another_dtype_does_not_change_the_result_dtype():
    z = np.zeros(2, dtype=np.float32)
    assert act.leaky_relu(z, np.float64(0.1)).dtype == np.float32
    assert act.leaky_relu_derivative(z, np.float64(0.1)).dtype == np.float32


# The module as a page -----------------------------------------------------------------------------


def test_examples_in_the_docstrings():
    result = doctest.testmod(act)
    assert result.attempted >= len(act.__all__)
    assert result.failed == 0


def test_every_public_function_is_listed_and_explained():
    defined = {
        name
        for name, value in vars(act).items()
        if callable(value) and getattr(value, "__module__", "") == act.__name__ and name[0] != "_"
    }
    assert defined == set(act.__all__)
    for function in EVERY_FUNCTION:
        for section in ("Parameters", "Returns", "Raises", "Examples"):
            assert f"{section}\n    ---" in function.__doc__, (function.__name__, section)
