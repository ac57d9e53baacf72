"""The schedules, count for count beside PyTorch's."""

import doctest
import inspect
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from course_lib.scratch import schedules
from course_lib.scratch.optimizers import SGD
from course_lib.scratch.schedules import (
    CosineAnnealingLR,
    ExponentialLR,
    LinearLR,
    LRScheduler,
    SequentialLR,
    StepLR,
)
from course_lib.scratch.tensor import Tensor

quick = settings(deadline=None, max_examples=25)


def optimizer(lr=1.0):
    return SGD([Tensor([0.0], requires_grad=True)], lr=lr)


def rates(make, steps, lr=1.0):
    """The rates of the steps, as the optimizer gets them."""
    ours = optimizer(lr)
    schedule, seen = make(ours), []
    for _ in range(steps):
        seen.append(ours.lr)
        schedule.step()
    assert schedule.last_epoch == steps
    assert seen == [schedule.rate(t) for t in range(steps)]
    return seen


def rates_in_torch(make, steps, lr=1.0):
    theirs = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    schedule, seen = make(theirs), []
    for _ in range(steps):
        seen.append(theirs.param_groups[0]["lr"])
        theirs.step()
        schedule.step()
    return seen


SETTINGS = {
    StepLR: dict(step_size=st.integers(1, 8), gamma=st.floats(0.1, 1.0)),
    ExponentialLR: dict(gamma=st.floats(0.5, 1.1)),
    LinearLR: dict(
        start_factor=st.floats(0.01, 1.0),
        end_factor=st.floats(0.0, 1.0),
        total_iters=st.integers(1, 20),
    ),
    CosineAnnealingLR: dict(T_max=st.integers(2, 20), eta_min=st.floats(0.0, 0.05)),
}


@pytest.mark.parametrize("kind", SETTINGS)
@quick
@given(data=st.data(), lr=st.floats(0.1, 2.0))
def test_rates_agree_with_pytorch(kind, data, lr):
    chosen = data.draw(st.fixed_dictionaries(SETTINGS[kind]))
    twin = getattr(torch.optim.lr_scheduler, kind.__name__)
    assert_allclose(
        rates(lambda optimizer: kind(optimizer, **chosen), 45, lr),
        rates_in_torch(lambda optimizer: twin(optimizer, **chosen), 45, lr),
        rtol=1e-9,
        atol=1e-12,
    )


@quick
@given(warm=st.integers(1, 10), fall=st.integers(2, 20), rest=st.integers(1, 10))
def test_schedules_in_sequence_agree_with_pytorch(warm, fall, rest):
    def chain(of, optimizer):
        return of.SequentialLR(
            optimizer,
            [
                of.LinearLR(optimizer, start_factor=0.1, total_iters=warm),
                of.CosineAnnealingLR(optimizer, T_max=fall),
                of.StepLR(optimizer, step_size=2, gamma=0.5),
            ],
            milestones=[warm, warm + fall],
        )

    steps = warm + fall + rest
    assert_allclose(
        rates(lambda optimizer: chain(schedules, optimizer), steps, 0.3),
        rates_in_torch(lambda optimizer: chain(torch.optim.lr_scheduler, optimizer), steps, 0.3),
        rtol=1e-9,
        atol=1e-12,
    )


@pytest.mark.parametrize("kind", [*SETTINGS, SequentialLR])
def test_arguments_and_defaults_are_pytorchs(kind):
    ours = inspect.signature(kind).parameters
    theirs = inspect.signature(getattr(torch.optim.lr_scheduler, kind.__name__)).parameters
    assert list(ours) == list(theirs)[: len(ours)]
    for name, parameter in ours.items():
        assert parameter.default == theirs[name].default


def test_known_rates():
    assert rates(lambda o: StepLR(o, 2, gamma=0.5), 5) == [1, 1, 0.5, 0.5, 0.25]
    assert_allclose(rates(lambda o: LinearLR(o, 0.5, total_iters=2), 4), [0.5, 0.75, 1, 1])
    half = [(1 + math.cos(angle)) / 2 for angle in np.linspace(0, math.pi, 7)]
    assert_allclose(rates(lambda o: CosineAnnealingLR(o, 6), 7), half, atol=1e-15)


def test_a_schedule_starts_from_the_rate_that_the_optimizer_had_first():
    ours = optimizer(lr=0.5)
    LinearLR(ours, start_factor=0.1)
    assert ours.lr == pytest.approx(0.05)
    later = CosineAnnealingLR(ours, T_max=10)
    assert later.base_lr == ours.initial_lr == ours.lr == 0.5


def test_the_optimizer_steps_at_the_rate_of_the_schedule():
    ours = optimizer(lr=1.0)
    schedule = StepLR(ours, step_size=1, gamma=0.1)
    for _ in range(3):
        ours.params[0].grad = np.ones(1)
        ours.step()
        schedule.step()
    assert_allclose(ours.params[0].data, [-1.11])


def of_two_optimizers():
    first, second = optimizer(), optimizer()
    return SequentialLR(first, [StepLR(first, 1), StepLR(second, 1)], [1])


MISUSE = {
    "model": (lambda: StepLR(Tensor([1.0]), 3), TypeError, "Tensor"),
    "size": (lambda: StepLR(optimizer(), 0), ValueError, "step_size must be 1 or more, but is 0"),
    "T_max": (lambda: CosineAnnealingLR(optimizer(), 0), ValueError, "T_max"),
    "total": (lambda: LinearLR(optimizer(), total_iters=0), ValueError, "total_iters"),
    "from 0": (lambda: LinearLR(optimizer(), 0.0), ValueError, "start_factor .* above 0"),
    "beyond": (lambda: LinearLR(optimizer(), 1, 10), ValueError, "end_factor .* the largest rate"),
    "count": (
        lambda: SequentialLR(optimizer(), [], [3]),
        ValueError,
        "0 schedules and 1 milestones",
    ),
    "order": (
        lambda: SequentialLR((o := optimizer()), [StepLR(o, 1) for _ in "abc"], [5, 3]),
        ValueError,
        "ascending",
    ),
    "strangers": (of_two_optimizers, ValueError, "another optimizer"),
    "no rule": (lambda: LRScheduler(optimizer()), NotImplementedError, "no method rate"),
}


@pytest.mark.parametrize("name", MISUSE)
def test_misuse_raises_an_error_that_teaches(name):
    misuse, kind, message = MISUSE[name]
    with pytest.raises(kind, match=message):
        misuse()


def test_examples_in_docstrings():
    result = doctest.testmod(schedules, extraglobs={"optimizer": optimizer()})
    assert result.attempted >= 10
    assert result.failed == 0
