"""The optimizers, step for step beside PyTorch's, and where their steps are known beforehand."""

import doctest
import inspect

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from course_lib.scratch import optimizers
from course_lib.scratch.layers import Linear
from course_lib.scratch.optimizers import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop
from course_lib.scratch.tensor import Tensor

pytestmark = pytest.mark.filterwarnings(
    "error",
    # Of what other tests left behind: chance decides when it is collected.
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
    "ignore::pytest.PytestUnhandledThreadExceptionWarning",
)

quick = settings(deadline=None, max_examples=12)
ALL = [SGD, Adagrad, RMSprop, Adam, AdamW]
SHAPES = [(), (3,), (2, 4), (0, 5), (2, 1, 3)]
HALF, SINGLE, DOUBLE = np.float16, np.float32, np.float64
STEPS = 100


# Beside PyTorch -----------------------------------------------------------------------------------


def from_to(low, high):
    return st.floats(low, high, allow_subnormal=False)


RATES = st.sampled_from([1e-3, 0.01, 0.1])
DECAYS = st.just(0.0) | from_to(1e-4, 0.1)
BETAS = st.tuples(from_to(0.0, 0.95), from_to(0.5, 0.9999))
EPS = st.sampled_from([1e-10, 1e-8, 1e-3])
ADAM = dict(lr=RATES, betas=BETAS, eps=EPS, weight_decay=DECAYS, amsgrad=st.booleans())
HYPERPARAMETERS = {
    SGD: st.fixed_dictionaries(
        dict(lr=RATES, momentum=st.just(0.0) | from_to(0.1, 0.95), weight_decay=DECAYS)
    ).flatmap(
        lambda chosen: st.fixed_dictionaries(
            {name: st.just(value) for name, value in chosen.items()}
            | (dict(nesterov=st.booleans()) if chosen["momentum"] else {})
        )
    )
    | st.fixed_dictionaries(dict(lr=RATES, momentum=from_to(0.1, 0.95), dampening=from_to(0, 1))),
    Adagrad: st.fixed_dictionaries(
        dict(
            lr=RATES,
            lr_decay=st.just(0.0) | from_to(0.01, 1.0),
            weight_decay=DECAYS,
            initial_accumulator_value=st.just(0.0) | from_to(0.01, 1.0),
            eps=EPS,
        )
    ),
    RMSprop: st.fixed_dictionaries(
        dict(
            lr=RATES,
            alpha=from_to(0.5, 0.999),
            eps=EPS,
            weight_decay=DECAYS,
            momentum=st.just(0.0) | from_to(0.1, 0.95),
        )
    ),
    Adam: st.fixed_dictionaries(ADAM),
    AdamW: st.fixed_dictionaries(ADAM),
}


def side_by_side(kind, chosen, dtype, seed):
    """Take the same steps with both; the second parameter has no gradient in every third step."""
    rng = np.random.default_rng(seed)
    start = [np.asarray(rng.normal(size=shape), dtype=dtype) for shape in SHAPES]
    ours = [Tensor(array, requires_grad=True) for array in start]
    theirs = [torch.tensor(array, requires_grad=True) for array in start]
    our_optimizer = kind(ours, **chosen)
    their_optimizer = getattr(torch.optim, kind.__name__)(theirs, foreach=False, **chosen)
    scales = [10.0**exponent for exponent in (-3, 0, 2, 0, 1)]
    for step in range(STEPS):
        for number, (our, their, scale) in enumerate(zip(ours, theirs, scales, strict=True)):
            if number == 1 and step % 3 == 1:
                our.grad = their.grad = None
                continue
            gradient = np.asarray(scale * (rng.normal(size=our.shape) + 0.5), dtype=dtype)
            our.grad, their.grad = gradient, torch.tensor(gradient)
        our_optimizer.step()
        their_optimizer.step()
    for our, their in zip(ours, theirs, strict=True):
        yield our.data, their.detach().numpy()


@pytest.mark.parametrize("kind", ALL)
@quick
@given(data=st.data(), seed=st.integers(0, 2**16))
def test_a_hundred_steps_agree_with_pytorch(kind, data, seed):
    chosen = data.draw(HYPERPARAMETERS[kind])
    if kind is RMSprop and chosen["weight_decay"]:
        # A parameter near 0 divides the rounding of its own penalty by its size.
        chosen["eps"] = 1e-3
    for our, their in side_by_side(kind, chosen, np.float64, seed):
        assert our.dtype == np.float64
        assert_allclose(our, their, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("kind", ALL)
@quick
@given(data=st.data(), seed=st.integers(0, 2**16))
def test_a_hundred_steps_agree_in_single_precision(kind, data, seed):
    chosen = data.draw(HYPERPARAMETERS[kind])
    if kind in (Adagrad, RMSprop, Adam):
        # With a penalty, the rounding of a parameter comes back in a gradient that is divided by
        # its own size: near 0 two right answers part without limit.
        chosen["weight_decay"] = 0.0
    for our, their in side_by_side(kind, chosen, np.float32, seed):
        assert our.dtype == np.float32
        # Rounding in another order, at each step, of numbers as large as the largest on the way.
        assert_allclose(our, their, rtol=1e-5, atol=1e-5 * max(1.0, np.abs(our).max(initial=0)))


@quick
@given(
    alpha=from_to(0.5, 0.99), momentum=st.just(0.0) | from_to(0.1, 0.9), seed=st.integers(0, 2**16)
)
def test_centered_rmsprop_agrees_with_pytorch(alpha, momentum, seed):
    # The difference of two running means can vanish: eps keeps what its rounding does in bounds.
    chosen = dict(lr=0.01, alpha=alpha, momentum=momentum, centered=True, eps=1e-2)
    for our, their in side_by_side(RMSprop, chosen, np.float64, seed):
        assert_allclose(our, their, rtol=1e-6, atol=1e-7)


# Every gradient that may come ---------------------------------------------------------------------

# What float16 cannot hold squared, what it rounds to 0, and the largest that it holds.
SIZES = {
    HALF: [1e-7, 1e-4, 1.0, 3e4],
    SINGLE: [1e-30, 1e-12, 1.0, 1e15],
    DOUBLE: [1e-200, 1.0, 1e100],
}
COURSES = ["zeros", "constant", "constant, then zeros", "alternating", "random"]
METHODS = {
    "SGD": (SGD, dict(lr=1e-3)),
    "momentum": (SGD, dict(lr=1e-4, momentum=0.9)),
    "Nesterov": (SGD, dict(lr=1e-4, momentum=0.9, nesterov=True)),
    "Adagrad": (Adagrad, dict(lr=0.01)),
    "RMSprop": (RMSprop, dict(lr=0.01)),
    "RMSprop with momentum": (RMSprop, dict(lr=1e-3, momentum=0.9)),
    "Adam": (Adam, dict(lr=0.01)),
    "AMSGrad": (Adam, dict(lr=0.01, amsgrad=True)),
    "AdamW": (AdamW, dict(lr=0.01)),
}


@st.composite
def courses_of_gradients(draw):
    """Gradients for thirty steps of four entries, each with a course and a size of its own."""
    dtype = draw(st.sampled_from([HALF, SINGLE, DOUBLE]))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    columns = []
    for _ in range(4):
        course, size = draw(st.sampled_from(COURSES)), draw(st.sampled_from(SIZES[dtype]))
        columns.append({
            "zeros": np.zeros(30),
            "constant": np.full(30, size),
            "constant, then zeros": np.where(np.arange(30) < 10, -size, 0),
            "alternating": size * (-1.0) ** np.arange(30),
            "random": size * rng.uniform(-1, 1, 30),
        }[course])  # fmt: skip
    return rng.normal(size=4).astype(dtype), np.stack(columns, axis=1).astype(dtype)


def by_ours(kind, chosen, start, gradients):
    parameter = Tensor(start, requires_grad=True)
    optimizer = kind([parameter], **chosen)
    for gradient in gradients:
        parameter.grad = gradient.copy()
        optimizer.step()
    assert parameter.dtype == start.dtype
    return parameter.data


def by_pytorch(kind, chosen, start, gradients):
    """PyTorch's steps; those of float16 in float32, each rounded to float16 at its end."""
    wide = np.result_type(start.dtype, SINGLE)
    parameter = torch.tensor(start.astype(wide), requires_grad=True)
    optimizer = getattr(torch.optim, kind.__name__)([parameter], foreach=False, **chosen)
    for gradient in gradients:
        parameter.grad = torch.tensor(gradient.astype(wide))
        optimizer.step()
        if start.dtype == HALF:
            with torch.no_grad():
                parameter.copy_(parameter.half().float())
    return parameter.detach().numpy()


@pytest.mark.parametrize("name", METHODS)
@settings(deadline=None, max_examples=30)
@given(drawn=courses_of_gradients())
def test_every_gradient_leads_where_pytorch_goes_and_to_finite_numbers(name, drawn):
    kind, chosen = METHODS[name]
    start, gradients = drawn
    got, expected = by_ours(kind, chosen, *drawn), by_pytorch(kind, chosen, *drawn)
    assert np.isfinite(got).all()
    tolerance = 4 * np.finfo(start.dtype).eps if start.dtype == HALF else 1e-5
    # What was added and subtracted on the way is rounded by its own size.
    largest = np.abs(gradients.astype(float)).max(axis=0) if kind is SGD else np.zeros(4)
    for one, other, size in zip(got, expected, np.maximum(1, largest), strict=True):
        assert_allclose(one, other, rtol=tolerance, atol=tolerance * size)


@settings(deadline=None, max_examples=60)
@given(drawn=courses_of_gradients(), alpha=st.sampled_from([0.5, 0.9, 0.99]))
def test_a_centered_variance_is_never_negative(drawn, alpha):
    start, gradients = drawn
    # Where the gradient does not vary, the step is the gradient over eps.
    eps = 1e-2 if start.dtype == HALF else 1e-8
    with np.errstate(over="ignore"):  # 3e4 / 1e-2, times the rate, is more than float16 holds
        got = by_ours(RMSprop, dict(lr=1e-3, alpha=alpha, centered=True, eps=eps), *drawn)
    assert not np.isnan(got).any()
    assert np.isfinite(got[np.abs(gradients).max(axis=0) < 1e3]).all()


def test_a_constant_gradient_makes_pytorchs_centered_rmsprop_nan_and_not_ours():
    chosen = dict(lr=1e-3, alpha=0.5, centered=True)
    start, gradients = np.ones(1, SINGLE), np.full((100, 1), 0.3, SINGLE)
    assert np.isnan(by_pytorch(RMSprop, chosen, start, gradients)).all()
    assert np.isfinite(by_ours(RMSprop, chosen, start, gradients)).all()


@pytest.mark.parametrize("kind", [Adagrad, RMSprop, Adam, AdamW])
def test_a_zero_gradient_in_half_precision_moves_nothing(kind):
    chosen = dict(weight_decay=0.0) if kind is AdamW else {}
    zeros = np.zeros((5, 3), HALF)
    assert_array_equal(by_ours(kind, chosen, np.ones(3, HALF), zeros), np.ones(3))
    # In float16 itself PyTorch divides 0 by an eps that was rounded to 0.
    theirs = torch.ones(3, dtype=torch.float16, requires_grad=True)
    theirs.grad = torch.zeros(3, dtype=torch.float16)
    getattr(torch.optim, kind.__name__)([theirs], foreach=False, **chosen).step()
    assert torch.isnan(theirs).all()


@pytest.mark.parametrize("kind", ALL)
def test_arguments_and_defaults_are_pytorchs(kind):
    ours = inspect.signature(kind).parameters
    theirs = inspect.signature(getattr(torch.optim, kind.__name__)).parameters
    assert list(ours) == list(theirs)[: len(ours)]
    assert {name: ours[name].default for name in ours} == {
        name: theirs[name].default for name in ours
    }


@pytest.mark.parametrize("kind", ALL)
def test_a_network_is_trained_as_by_pytorch(kind):
    rng = np.random.default_rng(3)
    ours = Linear(4, 2, rng=rng)
    theirs = torch.nn.Linear(4, 2, dtype=torch.float64)
    with torch.no_grad():
        theirs.weight.copy_(torch.tensor(ours.weight.data.T))
        theirs.bias.copy_(torch.tensor(ours.bias.data))
    our_optimizer = kind(ours.parameters(), lr=0.05)
    their_optimizer = getattr(torch.optim, kind.__name__)(theirs.parameters(), lr=0.05)
    x, y = rng.normal(size=(20, 4)), rng.normal(size=(20, 2))
    for _ in range(STEPS):
        our_optimizer.zero_grad()
        ((ours(x) - y) ** 2).mean().backward()
        our_optimizer.step()
        their_optimizer.zero_grad()
        ((theirs(torch.tensor(x)) - torch.tensor(y)) ** 2).mean().backward()
        their_optimizer.step()
    assert_allclose(ours.weight.data, theirs.weight.detach().numpy().T, atol=1e-6)
    assert_allclose(ours.bias.data, theirs.bias.detach().numpy(), atol=1e-6)


# Closed forms -------------------------------------------------------------------------------------


def pushed(kind, gradient, steps, start=0.0, **chosen):
    """The parameter after some steps with always the same gradient."""
    gradient = np.asarray(gradient, dtype=float)
    parameter = Tensor(np.full(gradient.shape, start), requires_grad=True)
    optimizer = kind([parameter], **chosen)
    for _ in range(steps):
        parameter.grad = gradient.copy()
        optimizer.step()
    return parameter.data


GRADIENTS = np.array([1e-3, -2.0, 5e4])


def test_plain_steps_are_rate_times_slope():
    assert_allclose(pushed(SGD, GRADIENTS, 7, lr=0.1), -0.7 * GRADIENTS)


@pytest.mark.parametrize("steps", [1, 2, 10, 200])
def test_momentum_adds_up_a_geometric_series(steps):
    mu, t = 0.9, np.arange(1, steps + 1)
    velocities = (1 - mu**t) / (1 - mu)
    got = pushed(SGD, GRADIENTS, steps, lr=0.1, momentum=mu)
    assert_allclose(got, -0.1 * velocities.sum() * GRADIENTS)
    got = pushed(SGD, GRADIENTS, steps, lr=0.1, momentum=mu, nesterov=True)
    assert_allclose(got, -0.1 * (1 + mu * velocities).sum() * GRADIENTS)


@pytest.mark.parametrize("kind", [Adam, AdamW])
def test_the_first_step_of_adam_is_the_rate_against_the_sign(kind):
    assert_allclose(pushed(kind, GRADIENTS, 1, lr=0.1), -0.1 * np.sign(GRADIENTS), rtol=1e-4)


def test_adam_under_a_constant_gradient_keeps_the_length_of_its_step():
    got = pushed(Adam, GRADIENTS, 50, lr=0.1, eps=0.0)
    assert_allclose(got, -5.0 * np.sign(GRADIENTS))


def test_epsilon_is_added_outside_the_root():
    got = pushed(Adam, np.array([3.0]), 1, lr=1.0, eps=1.0)
    assert_allclose(got, -3.0 / (3.0 + 1.0))
    got = pushed(RMSprop, np.array([3.0]), 1, lr=1.0, alpha=0.0, eps=1.0)
    assert_allclose(got, -3.0 / (3.0 + 1.0))
    got = pushed(Adagrad, np.array([3.0]), 1, lr=1.0, eps=1.0)
    assert_allclose(got, -3.0 / (3.0 + 1.0))


@pytest.mark.parametrize("steps", [1, 2, 25])
def test_adagrad_slows_down_with_the_root_of_time(steps):
    expected = -0.1 * np.sign(GRADIENTS) * np.sum(1 / np.sqrt(np.arange(1, steps + 1)))
    assert_allclose(pushed(Adagrad, GRADIENTS, steps, lr=0.1), expected, rtol=1e-6)


@pytest.mark.parametrize("steps", [1, 2, 25])
def test_rmsprop_starts_with_long_steps(steps):
    t = np.arange(1, steps + 1)
    expected = -0.1 * np.sign(GRADIENTS) * np.sum(1 / np.sqrt(1 - 0.9**t))
    got = pushed(RMSprop, GRADIENTS, steps, lr=0.1, alpha=0.9)
    assert_allclose(got, expected, rtol=1e-4)


def test_weight_decay_shrinks_by_a_constant_factor_where_nothing_else_pushes():
    zeros = np.zeros(3)
    got = pushed(SGD, zeros, 10, start=2.0, lr=0.1, weight_decay=0.5)
    assert_allclose(got, 2 * 0.95**10)
    got = pushed(AdamW, zeros, 10, start=2.0, lr=0.1, weight_decay=0.5)
    assert_allclose(got, 2 * 0.95**10)
    # As an L2 penalty inside of Adam it is divided by its own size: a step of the full rate.
    got = pushed(Adam, zeros, 10, start=2.0, lr=0.1, weight_decay=0.5)
    assert_allclose(got, 2 - 10 * 0.1, rtol=0.03)


# What they remember, and what they leave alone ----------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "chosen"),
    [
        (SGD, dict(momentum=0.9)),
        (Adagrad, {}),
        (RMSprop, {}),
        (Adam, {}),
        (AdamW, dict(weight_decay=0.0)),  # its decay depends on where the parameter is
    ],
)
def test_each_parameter_has_a_state_of_its_own(kind, chosen):
    together = [Tensor([1.0, 2.0], requires_grad=True), Tensor([1.0, 2.0], requires_grad=True)]
    optimizer = kind(together, lr=0.1, **chosen)
    for step in range(5):
        together[0].grad = np.array([1.0, -2.0])
        together[1].grad = np.array([100.0 * step, 3.0])
        optimizer.step()
    alone = pushed(kind, [1.0, -2.0], 5, lr=0.1, **chosen) + [1.0, 2.0]
    assert_allclose(together[0].data, alone)
    assert not np.allclose(together[0].data, together[1].data)


@pytest.mark.parametrize("kind", ALL)
def test_a_parameter_without_gradient_stays_and_arrays_are_changed_in_place(kind):
    moved, stays = Tensor([1.0], requires_grad=True), Tensor([1.0], requires_grad=True)
    array, gradient = moved.data, np.array([2.0])
    optimizer = kind([moved, stays], lr=0.1)
    moved.grad = gradient
    optimizer.step()
    optimizer.step()
    assert moved.data is array and array[0] < 1
    assert_array_equal(stays.data, [1.0])
    assert_array_equal(gradient, [2.0])
    optimizer.zero_grad()
    assert moved.grad is None and stays.grad is None


def test_the_velocity_does_not_live_in_the_gradient():
    parameter = Tensor([0.0], requires_grad=True)
    optimizer = SGD([parameter], lr=1.0, momentum=0.5)
    parameter.grad = np.array([1.0])
    optimizer.step()
    parameter.grad[:] = 100.0
    parameter.grad[:] = 1.0
    optimizer.step()
    assert_allclose(parameter.data, -(1 + 1.5))
    assert_array_equal(parameter.grad, [1.0])


def test_the_rate_may_change_between_steps():
    parameter = Tensor([0.0], requires_grad=True)
    optimizer = SGD([parameter], lr=1.0)
    for rate in (1.0, 0.1):
        optimizer.lr = rate
        parameter.grad = np.array([1.0])
        optimizer.step()
    assert_allclose(parameter.data, [-1.1])


# Misuse -------------------------------------------------------------------------------------------


def used_up():
    model = Linear(2, 2)
    parameters = model.parameters()
    Adam(parameters)
    Adam(parameters)


def weights():
    return [Tensor([1.0], requires_grad=True)]


def twice():
    (weight,) = weights()
    SGD([weight, weight])


MISUSE = {
    "nothing": (lambda: SGD([]), ValueError, "no parameters"),
    "used up": (used_up, ValueError, "used only once"),
    "a tensor": (lambda: SGD(weights()[0]), TypeError, r"Write \[tensor\]"),
    "a number": (lambda: SGD(3), TypeError, r"3 \(int\)"),
    "an array": (lambda: Adam([np.ones(3)]), TypeError, "number 0 is .*ndarray"),
    "a group": (lambda: Adam([{"params": weights()}]), TypeError, "an optimizer for each group"),
    "integers": (lambda: SGD([Tensor([1, 2])]), TypeError, "holds int64.*from floats"),
    "a word": (
        lambda: SGD(weights(), lr="fast"),
        TypeError,
        "lr must be one number, but is 'fast'",
    ),
    "one beta": (lambda: Adam(weights(), betas=0.9), ValueError, r"two numbers.*but is 0.9"),
    "three betas": (lambda: Adam(weights(), betas=(0.9, 0.9, 0.9)), ValueError, "two numbers"),
    "twice": (twice, ValueError, r"Parameter 1, of shape \(1,\), appears twice"),
    "computed": (lambda: SGD([weights()[0] * 2.0]), ValueError, "computed from other tensors"),
    "rate": (lambda: SGD(weights(), lr=-0.1), ValueError, "lr must be 0 or more, but is -0.1"),
    "nan": (lambda: SGD(weights(), lr=float("nan")), ValueError, "lr must be .* nan"),
    "momentum": (lambda: SGD(weights(), momentum=-1), ValueError, "momentum"),
    "decay": (lambda: AdamW(weights(), weight_decay=-1), ValueError, "weight_decay"),
    "nesterov": (lambda: SGD(weights(), nesterov=True), ValueError, "needs momentum > 0"),
    "dampened": (
        lambda: SGD(weights(), momentum=0.9, dampening=0.1, nesterov=True),
        ValueError,
        "dampening = 0",
    ),
    "beta": (lambda: Adam(weights(), betas=(0.9, 1.0)), ValueError, r"betas\[1\] must .* 1.0"),
    "alpha": (lambda: RMSprop(weights(), alpha=-0.1), ValueError, "alpha"),
    "eps": (lambda: Adagrad(weights(), eps=-1e-8), ValueError, "eps"),
    "accumulator": (
        lambda: Adagrad(weights(), initial_accumulator_value=-1),
        ValueError,
        "initial_accumulator_value",
    ),
    "lr_decay": (lambda: Adagrad(weights(), lr_decay=-1), ValueError, "lr_decay"),
}


@pytest.mark.parametrize("name", MISUSE)
def test_misuse_raises_an_error_that_teaches(name):
    misuse, kind, message = MISUSE[name]
    with pytest.raises(kind, match=message):
        misuse()


@pytest.mark.parametrize("kind", ALL)
def test_a_gradient_of_another_shape_is_refused_and_moves_nothing(kind):
    weight = Tensor(np.ones((2, 3)), requires_grad=True)
    optimizer = kind([weight], lr=0.1)
    for gradient in (np.ones(3), np.ones((2, 1)), np.float64(1.0)):  # all of them would broadcast
        weight.grad = gradient
        with pytest.raises(ValueError, match=r"shape \(2, 3\) has a gradient of shape"):
            optimizer.step()
    assert_array_equal(weight.data, np.ones((2, 3)))


def test_an_optimizer_without_a_rule_says_so():
    optimizer = Optimizer(weights(), lr=0.1)
    optimizer.params[0].grad = np.ones(1)
    with pytest.raises(NotImplementedError, match="Optimizer has no method _update"):
        optimizer.step()


def test_examples_in_docstrings():
    assert doctest.testmod(optimizers).failed == 0
