"""Initial weights: closed forms, PyTorch's own draws, and what they do to a signal."""

import doctest
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

from course_lib.scratch import initializers
from course_lib.scratch.initializers import (
    calculate_gain,
    kaiming_normal_,
    kaiming_uniform_,
    normal_,
    orthogonal_,
    xavier_normal_,
    xavier_uniform_,
    zeros_,
)
from course_lib.scratch.tensor import Tensor

pytestmark = pytest.mark.filterwarnings(
    "error",
    # Of what other tests left behind: chance decides when it is collected.
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
    "ignore::pytest.PytestUnhandledThreadExceptionWarning",
)

GAINS = [("linear", None), ("sigmoid", None), ("tanh", None), ("relu", None), ("leaky_relu", None)]
GAINS += [("leaky_relu", slope) for slope in (0, 0.2, -1.0, math.sqrt(5))]
FILLERS = {
    "xavier_uniform_": (xavier_uniform_, {"gain": 5 / 3}),
    "xavier_normal_": (xavier_normal_, {"gain": 0.5}),
    "kaiming_uniform_": (kaiming_uniform_, {}),
    "kaiming_uniform_-torch's-linear": (kaiming_uniform_, {"a": math.sqrt(5)}),
    "kaiming_uniform_-out": (kaiming_uniform_, {"mode": "fan_out", "nonlinearity": "tanh"}),
    "kaiming_normal_": (kaiming_normal_, {"a": 0.2}),
    "kaiming_normal_-out": (kaiming_normal_, {"mode": "fan_out", "nonlinearity": "relu"}),
    "orthogonal_": (orthogonal_, {"gain": math.sqrt(2)}),
}
each_filler = pytest.mark.parametrize("name", FILLERS)


def empty(*shape: int, dtype=np.float64) -> Tensor:
    return Tensor(np.full(shape, np.nan, dtype=dtype), requires_grad=True)


@pytest.mark.parametrize(("name", "param"), GAINS)
def test_gains_are_pytorch_s(name, param):
    assert calculate_gain(name, param) == pytest.approx(torch.nn.init.calculate_gain(name, param))


@each_filler
def test_sizes_are_pytorch_s_on_the_transpose(name):
    fill, options = FILLERS[name]
    ours = fill(empty(90, 400), **options, rng=np.random.default_rng(0)).data
    torch.manual_seed(0)
    theirs = getattr(torch.nn.init, fill.__name__)(torch.empty(400, 90), **options).numpy().T
    assert_allclose(ours.std(), theirs.std(), rtol=0.02)
    assert abs(ours.mean()) < 0.02 * ours.std()
    largest = np.abs(theirs).max()
    if "uniform" in name:
        assert_allclose(np.abs(ours).max(), largest, rtol=1e-3)
    else:
        assert 0.7 * largest < np.abs(ours).max() < 1.4 * largest


def test_variances_are_those_of_the_papers():
    rng = np.random.default_rng(1)
    for fill, options, expected in [
        (xavier_uniform_, {}, 2 / 400),
        (xavier_normal_, {}, 2 / 400),
        (xavier_normal_, {"gain": 3.0}, 9 * 2 / 400),
        (kaiming_uniform_, {}, 2 / 100),
        (kaiming_normal_, {}, 2 / 100),
        (kaiming_normal_, {"mode": "fan_out"}, 2 / 300),
        (kaiming_normal_, {"nonlinearity": "linear"}, 1 / 100),
        (kaiming_normal_, {"a": 1.0}, 1 / 100),
    ]:
        weight = fill(empty(100, 300), **options, rng=rng)
        assert_allclose(weight.data.var(), expected, rtol=0.03)


@given(seed=st.integers(0, 2**16), fan_in=st.integers(1, 5), fan_out=st.integers(1, 5))
def test_draws_in_closed_form(seed, fan_in, fan_out):
    def rng():
        return np.random.default_rng(seed)

    shape = fan_in, fan_out
    for fill, draws, variance in [
        (xavier_uniform_, rng().uniform(-math.sqrt(3), math.sqrt(3), shape), 2 / sum(shape)),
        (xavier_normal_, rng().normal(size=shape), 2 / sum(shape)),
        (kaiming_uniform_, rng().uniform(-math.sqrt(3), math.sqrt(3), shape), 2 / fan_in),
        (kaiming_normal_, rng().normal(size=shape), 2 / fan_in),
    ]:
        weight = fill(empty(*shape), rng=rng())
        # Near 0 two terms as large as the bound cancel, and leave what was rounded of them.
        assert_allclose(weight.data, math.sqrt(variance) * draws, rtol=1e-12, atol=1e-14)


@given(seed=st.integers(0, 2**16), fan_in=st.integers(1, 6), fan_out=st.integers(1, 6))
def test_orthogonal_keeps_lengths(seed, fan_in, fan_out):
    W = orthogonal_(empty(fan_in, fan_out), gain=3.0, rng=np.random.default_rng(seed)).data
    gram = W @ W.T if fan_in <= fan_out else W.T @ W
    assert_allclose(gram, 9 * np.eye(min(fan_in, fan_out)), atol=1e-12)


def test_orthogonal_prefers_no_direction():
    rng = np.random.default_rng(0)
    draws = np.array([orthogonal_(empty(2, 2), rng=rng).data for _ in range(2000)])
    assert np.abs(draws.mean(axis=0)).max() < 0.06  # numpy's own Q has one sign on its diagonal
    assert 0.45 < (np.linalg.det(draws) > 0).mean() < 0.55


@each_filler
def test_fills_in_place_what_is_there(name):
    fill, options = FILLERS[name]
    for dtype in (np.float32, np.float64):
        weight = empty(3, 5, dtype=dtype)
        array = weight.data
        assert fill(weight, **options, rng=np.random.default_rng(0)) is weight
        assert weight.data is array
        assert array.dtype == dtype
        assert np.isfinite(array).all()
        assert weight.requires_grad and weight.is_leaf
    strided, whole = empty(6, 5), empty(3, 5)
    strided.data = strided.data[::2]  # non-contiguous: every second row
    for weight in (strided, whole):
        fill(weight, **options, rng=np.random.default_rng(0))
    assert_array_equal(strided.data, whole.data)


@each_filler
def test_follows_the_generator(name):
    fill, options = FILLERS[name]
    first, same, other = (
        fill(empty(4, 4), **options, rng=np.random.default_rng(seed)).data for seed in (1, 1, 2)
    )
    assert_array_equal(first, same)
    assert not np.array_equal(first, other)
    assert not np.array_equal(fill(empty(4, 4)).data, fill(empty(4, 4)).data)


@each_filler
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_nothing_to_fill_is_no_error(name, shape):
    fill, options = FILLERS[name]
    assert fill(empty(*shape), **options).shape == shape


@given(shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
def test_normal_and_zeros_fill_any_shape(shape):
    draws = np.random.default_rng(3).normal(1.0, 2.0, shape)
    assert_array_equal(
        normal_(empty(*shape), 1.0, 2.0, rng=np.random.default_rng(3)).data, np.asarray(draws)
    )
    assert_array_equal(zeros_(empty(*shape)).data, np.zeros(shape))


@pytest.mark.parametrize("seed", range(3))
def test_he_keeps_a_signal_through_thirty_layers_of_relu(seed):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(64, 512))
    before = np.mean(A**2)
    for _ in range(30):
        A = np.maximum(A @ kaiming_normal_(empty(512, 512), rng=rng).data, 0)
    assert 1 / 4 < np.mean(A**2) / before < 4  # 2^-30 for half the variance


MISUSE = {
    "bias": (lambda: xavier_normal_(empty(3)), r"\(3,\).*zeros_"),
    "stack": (lambda: kaiming_uniform_(empty(2, 3, 4)), r"\(2, 3, 4\)"),
    "vector": (lambda: orthogonal_(empty(4)), r"\(4,\)"),
    "name": (lambda: calculate_gain("gelu"), "'gelu'.*relu for GELU"),
    "nonlinearity": (lambda: kaiming_normal_(empty(3, 3), nonlinearity="ReLU"), "'ReLU'"),
    "mode": (lambda: kaiming_normal_(empty(3, 3), mode="fan_avg"), "'fan_avg'"),
    "std": (lambda: normal_(empty(3), std=-1.0), "std .* 0 or more, but is -1.0"),
}


@pytest.mark.parametrize("name", MISUSE)
def test_misuse_raises_an_error_that_teaches(name):
    misuse, message = MISUSE[name]
    with pytest.raises(ValueError, match=message):
        misuse()


def test_examples_in_docstrings():
    assert doctest.testmod(initializers).failed == 0


@pytest.mark.parametrize(
    "fill",
    [kaiming_normal_, kaiming_uniform_, normal_, orthogonal_, xavier_normal_, xavier_uniform_],
)
def test_integers_are_refused_and_a_seed_is_enough(fill):
    whole = Tensor(np.zeros((3, 3), dtype=int))
    with pytest.raises(TypeError, match=r"holds int64.*np.zeros\(shape\)"):
        fill(whole)
    assert not whole.data.any()
    by_seed, by_generator = (
        fill(empty(3, 3), rng=7),
        fill(empty(3, 3), rng=np.random.default_rng(7)),
    )
    assert np.array_equal(by_seed.data, by_generator.data)
