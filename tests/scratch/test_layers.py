"""Modules: what they compute, how they find their parameters, and what they remember."""

import doctest

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits

from course_lib.scratch import layers
from course_lib.scratch.layers import (
    GELU,
    BatchNorm1d,
    Dropout,
    LayerNorm,
    Linear,
    Module,
    ReLU,
    Residual,
    Sequential,
    Sigmoid,
    Tanh,
)
from course_lib.scratch.losses import cross_entropy
from course_lib.scratch.tensor import Tensor

quick = settings(deadline=None, max_examples=40)
LAYOUTS = {
    "rows": np.ascontiguousarray,
    "columns": np.asfortranarray,
    "strided": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "reversed": lambda a: a[::-1].copy()[::-1],
}


def copied_to_torch(network: Sequential) -> torch.nn.Sequential:
    twins = {
        ReLU: torch.nn.ReLU,
        GELU: torch.nn.GELU,
        Tanh: torch.nn.Tanh,
        Sigmoid: torch.nn.Sigmoid,
    }
    modules = []
    for module in network:
        if isinstance(module, Linear):
            twin = torch.nn.Linear(*module.weight.shape, dtype=torch.float64)
            with torch.no_grad():
                twin.weight.copy_(torch.tensor(module.weight.data.T))
                twin.bias.copy_(torch.tensor(module.bias.data))
            modules.append(twin)
        else:
            modules.append(twins[type(module)]())
    return torch.nn.Sequential(*modules)


@pytest.mark.parametrize("activation", [ReLU, GELU, Tanh, Sigmoid])
def test_a_network_agrees_with_pytorch(activation):
    rng = np.random.default_rng(0)
    network = Sequential(Linear(5, 7, rng=rng), activation(), Linear(7, 3, rng=rng))
    X, y = rng.normal(size=(6, 5)), rng.integers(3, size=6)
    loss = cross_entropy(network(X), y)
    loss.backward()
    twin = copied_to_torch(network)
    loss_torch = torch.nn.functional.cross_entropy(twin(torch.tensor(X)), torch.tensor(y))
    loss_torch.backward()
    assert_allclose(loss.item(), loss_torch.item(), rtol=1e-12)
    for ours, theirs in zip(network.parameters(), twin.parameters(), strict=True):
        expected = theirs.grad.numpy()
        assert_allclose(ours.grad, expected.T if expected.ndim == 2 else expected, atol=1e-12)


def test_linear_takes_stacks_of_rows_and_may_have_no_bias():
    layer = Linear(3, 2, bias=False, rng=np.random.default_rng(0))
    x = np.arange(24.0).reshape(2, 4, 3)
    assert layer.bias is None and len(list(layer.parameters())) == 1
    assert_allclose(layer(x).data, x @ layer.weight.data)
    assert layer(x[0, 0]).shape == (2,)


def test_initial_weights_are_bounded_and_follow_the_generator():
    first, same, other = (Linear(100, 50, rng=np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first.weight.data, same.weight.data)
    assert not np.array_equal(first.weight.data, other.weight.data)
    assert 0.099 < np.abs(first.weight.data).max() <= 0.1
    assert not np.array_equal(Linear(3, 3).weight.data, Linear(3, 3).weight.data)


class Odd(Module):
    """Parameters in lists, shared, frozen, and beside things that are none."""

    def __init__(self):
        self.first = Linear(2, 2)
        self.again = self.first
        self.list = [Tensor(1.0, requires_grad=True), (Linear(2, 3), "text")]
        self.frozen = Tensor(1.0)
        self.number = 3
        self.last = (self.list[0] * 2.0).exp()  # computed, not a parameter

    def forward(self, x):
        return self.list[1][0](self.again(self.first(x))) * self.list[0]


def test_parameters_are_found_once_and_in_order():
    odd = Odd()
    expected = [odd.first.weight, odd.first.bias, odd.list[0], *odd.list[1][0].parameters()]
    found = list(odd.parameters())
    assert len(found) == len(expected)
    assert all(a is b for a, b in zip(found, expected, strict=True))


def test_zero_grad_clears_all_of_them():
    odd = Odd()
    odd(np.ones((4, 2))).sum().backward()
    assert all(p.grad is not None for p in odd.parameters())
    odd.zero_grad()
    assert all(p.grad is None for p in odd.parameters())


def test_sequential_is_a_list_of_modules():
    network = Sequential(Linear(4, 3), ReLU(), Linear(3, 2, bias=False))
    assert len(network) == 3
    assert isinstance(network[1], ReLU)
    assert repr(network) == "Sequential(Linear(4, 3), ReLU(), Linear(3, 2, bias=False))"


def test_a_module_without_forward_says_so():
    class Empty(Module):
        pass

    with pytest.raises(NotImplementedError, match="Empty has no method forward"):
        Empty()(np.ones(2))


@pytest.mark.parametrize("seed", range(3))
def test_a_small_network_learns_digits(seed):
    pixels, labels = load_digits(return_X_y=True)
    X = pixels / 16
    rng = np.random.default_rng(seed)
    network = Sequential(Linear(64, 32, rng=rng), ReLU(), Linear(32, 10, rng=rng))
    for _ in range(10):
        for rows in np.array_split(rng.permutation(1400), 22):
            network.zero_grad()
            cross_entropy(network(X[rows]), labels[rows]).backward()
            for parameter in network.parameters():
                parameter.data -= 0.5 * parameter.grad
    accuracy = np.mean(network(X[1400:]).argmax(axis=1).data == labels[1400:])
    assert accuracy > 0.85


# Normalization, dropout and residual connections --------------------------------------------------


def in_layout(array: np.ndarray, layout: str) -> Tensor:
    x = Tensor(array, requires_grad=True)
    x.data = LAYOUTS[layout](x.data)
    return x


def measured_slopes(loss, array: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """Central differences of a loss, which is a function of an array that is changed in place."""
    slopes = np.zeros_like(array)
    for place in np.ndindex(array.shape):
        before = array[place]
        sides = []
        for step in (h, -h):
            array[place] = before + step
            sides.append(loss())
        array[place] = before
        slopes[place] = (sides[0] - sides[1]) / (2 * h)
    return slopes


def check_slopes(module: Module, x: Tensor, rng: np.random.Generator) -> None:
    """Compare the gradients of x and of the parameters with central differences."""
    upstream = rng.normal(size=x.shape)
    module(x).backward(upstream)
    for tensor in (x, *module.parameters()):
        measured = measured_slopes(lambda: np.sum(upstream * module(x).data), tensor.data)
        assert_allclose(tensor.grad, measured, rtol=1e-6, atol=1e-6)


def wander(module: Module, twin: torch.nn.Module, rng: np.random.Generator) -> None:
    """Give a module and its twin in PyTorch the same scale and shift, away from 1 and 0."""
    for ours, theirs in zip(module.parameters(), twin.parameters(), strict=True):
        ours.data[...] = rng.normal(size=ours.shape)
        with torch.no_grad():
            theirs.copy_(torch.tensor(ours.data))


@quick
@given(
    sizes=st.lists(st.integers(2, 6), min_size=1, max_size=4),
    d=st.integers(1, 4),
    momentum=st.sampled_from([0.1, 0.0, 1.0, 0.3]),
    eps=st.sampled_from([1e-5, 0.1]),
    dtype=st.sampled_from([np.float32, np.float64]),
    layout=st.sampled_from(sorted(LAYOUTS)),
    seed=st.integers(0, 2**16),
)
def test_batch_norm_agrees_with_pytorch_batch_after_batch(
    sizes, d, momentum, eps, dtype, layout, seed
):
    rng = np.random.default_rng(seed)
    norm = BatchNorm1d(d, eps=eps, momentum=momentum)
    twin = torch.nn.BatchNorm1d(d, eps=eps, momentum=momentum, dtype=torch.float64)
    wander(norm, twin, rng)
    for n in sizes:  # in training ...
        compare_with_twin(norm, twin, halves(rng, (n, d), dtype), layout, rng)
        assert_allclose(norm.running_mean, twin.running_mean.numpy(), rtol=1e-5, atol=1e-6)
        assert_allclose(norm.running_var, twin.running_var.numpy(), rtol=1e-5, atol=1e-6)
    before = norm.state_dict()
    norm.eval()
    twin.eval()
    for n in (0, 1, 3):  # ... and in use, where one sample is enough and nothing is remembered
        compare_with_twin(norm, twin, halves(rng, (n, d), dtype), layout, rng)
    for name, array in norm.state_dict().items():
        assert_array_equal(array, before[name])


@quick
@given(
    shape=hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=4),
    d=st.integers(1, 5),
    eps=st.sampled_from([1e-5, 0.1]),
    dtype=st.sampled_from([np.float32, np.float64]),
    layout=st.sampled_from(sorted(LAYOUTS)),
    seed=st.integers(0, 2**16),
)
def test_layer_norm_agrees_with_pytorch(shape, d, eps, dtype, layout, seed):
    rng = np.random.default_rng(seed)
    norm, twin = LayerNorm(d, eps=eps), torch.nn.LayerNorm(d, eps=eps, dtype=torch.float64)
    wander(norm, twin, rng)
    for mode in (True, False):
        norm.train(mode)
        compare_with_twin(norm, twin, halves(rng, (*shape, d), dtype), layout, rng)


def halves(rng, shape, dtype):
    """From -3 to 3: a column varies enough for float32, or not at all."""
    return (rng.integers(-6, 7, size=shape) / 2).astype(dtype)


def compare_with_twin(module, twin, array, layout, rng):
    """Compare outputs and gradients with those of PyTorch, which computes in float64."""
    x = in_layout(array, layout)
    x_twin = torch.tensor(array.astype(np.float64), requires_grad=True)
    module.zero_grad()
    twin.zero_grad()
    out, out_twin = module(x), twin(x_twin)
    upstream = rng.normal(size=out.shape)
    out.backward(upstream)
    out_twin.backward(torch.tensor(upstream))
    tolerance = {"atol": 1e-10} if array.dtype == np.float64 else {"rtol": 1e-4, "atol": 1e-3}
    assert out.shape == array.shape
    assert_allclose(out.data, out_twin.detach().numpy(), **tolerance)
    for ours, theirs in zip((x, *module.parameters()), (x_twin, *twin.parameters()), strict=True):
        assert_allclose(ours.grad, theirs.grad.numpy(), **tolerance)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("seed", range(3))
def test_normalizations_agree_with_central_differences(seed, layout):
    rng = np.random.default_rng(seed)
    # Momentum 0: measuring calls the module again and again, and must not move its averages.
    batch = BatchNorm1d(3, momentum=0.0)
    batch.running_mean[:], batch.running_var[:] = rng.normal(size=3), rng.uniform(0.5, 2, size=3)
    for module in (batch, batch.eval(), LayerNorm(3)):
        for parameter in module.parameters():
            parameter.data[...] = rng.normal(size=3)
            parameter.grad = None
        check_slopes(module, in_layout(rng.normal(size=(5, 3)), layout), rng)


def test_normalizations_in_closed_form():
    X = np.array([[1.0, 10.0], [3.0, 30.0]])
    batch, layer = BatchNorm1d(2, eps=3.0), LayerNorm(2, eps=3.0)
    # Columns: means 2 and 20, variances 1 and 100. Rows: means 5.5 and 16.5.
    assert_allclose(batch(X).data, [[-1 / 2, -10 / 103**0.5], [1 / 2, 10 / 103**0.5]])
    assert_allclose(
        layer(X).data,
        [[-4.5 / 23.25**0.5, 4.5 / 23.25**0.5], [-13.5 / 185.25**0.5, 13.5 / 185.25**0.5]],
    )
    # A tenth of the means, and of the variances with n - 1 in place of n: 2 and 200.
    assert_allclose(batch.running_mean, [0.2, 2])
    assert_allclose(batch.running_var, [0.9 + 0.2, 0.9 + 20])
    assert_allclose(batch.eval()(X).data, (X - [0.2, 2]) / (np.array([1.1, 20.9]) + 3) ** 0.5)
    batch.weight.data[:], batch.bias.data[:] = [2, -1], [5, 7]
    assert_allclose(
        batch(X).data, (X - [0.2, 2]) / (np.array([1.1, 20.9]) + 3) ** 0.5 * [2, -1] + [5, 7]
    )


def test_no_features_are_no_error():
    assert BatchNorm1d(0)(np.ones((4, 0))).shape == (4, 0)  # PyTorch fails here


def test_constant_features_are_safe():
    X = np.full((4, 3), 1e6)
    for norm in (BatchNorm1d(3), LayerNorm(3)):
        x = Tensor(X, requires_grad=True)
        out = norm(x)
        out.sum().backward()
        assert_array_equal(out.data, np.zeros((4, 3)))
        assert_array_equal(x.grad, np.zeros((4, 3)))


@quick
@given(
    shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    p=st.sampled_from([0.0, 0.3, 0.5, 1.0]),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 2**16),
)
def test_dropout_zeroes_or_scales_up(shape, p, dtype, seed):
    rng = np.random.default_rng(seed)
    x = Tensor(rng.uniform(1, 2, size=shape).astype(dtype), requires_grad=True)
    dropout = Dropout(p, rng=np.random.default_rng(seed))
    out = dropout(x)
    upstream = rng.uniform(1, 2, size=shape).astype(dtype)
    out.backward(upstream)
    # The closed form, from the same draws. PyTorch's are others: it can be compared by mask alone.
    survives = np.random.default_rng(seed).random(shape) >= p if p else np.ones(shape, bool)
    factor = np.where(survives, 1 / (1 - p) if p < 1 else 0, 0)
    assert out.shape == shape and out.dtype == x.grad.dtype == dtype
    assert_allclose(out.data, x.data * factor, rtol=1e-6)
    assert_allclose(x.grad, upstream * factor, rtol=1e-6)
    assert dropout.eval()(x) is x


@pytest.mark.parametrize("p", [0.2, 0.5, 0.9])
def test_dropout_keeps_the_mean_and_drops_the_share(p):
    X = np.ones((200, 500))
    ours = Dropout(p, rng=np.random.default_rng(0))(X).data
    torch.manual_seed(0)
    theirs = torch.nn.Dropout(p)(torch.tensor(X)).numpy()
    for values in (ours, theirs):
        assert abs(values.mean() - 1) < 0.04
        assert abs((values == 0).mean() - p) < 0.01
    assert_allclose(np.unique(ours), np.unique(theirs))


def test_dropout_draws_anew_and_follows_its_generator():
    first, same = (Dropout(0.5, rng=np.random.default_rng(4)) for _ in range(2))
    X = np.ones((10, 10))
    one, two = first(X).data, first(X).data
    assert not np.array_equal(one, two)
    assert_array_equal(one, same(X).data)
    assert not np.array_equal(Dropout()(X).data, Dropout()(X).data)


@quick
@given(
    shape=hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3),
    d=st.integers(1, 4),
    seed=st.integers(0, 2**16),
)
def test_residual_adds_its_input(shape, d, seed):
    rng = np.random.default_rng(seed)
    inner = Sequential(Linear(d, 3, rng=rng), Tanh(), Linear(3, d, rng=rng))
    block, twin = Residual(inner), copied_to_torch(inner)
    X = rng.normal(size=(*shape, d))
    x, x_twin = Tensor(X, requires_grad=True), torch.tensor(X, requires_grad=True)
    out, out_twin = block(x), x_twin + twin(x_twin)
    out.sum().backward()
    out_twin.sum().backward()
    assert_allclose(out.data, out_twin.detach().numpy(), atol=1e-12)
    assert_allclose(x.grad, x_twin.grad.numpy(), atol=1e-12)
    assert list(block.parameters()) == list(inner.parameters())


def test_residual_agrees_with_central_differences():
    rng = np.random.default_rng(0)
    block = Residual(Sequential(Linear(3, 3, rng=rng), GELU()))
    check_slopes(block, Tensor(rng.normal(size=(2, 3)), requires_grad=True), rng)


# Training and evaluation mode, saving and restoring -----------------------------------------------


def deep_network(seed: int) -> Sequential:
    rng = np.random.default_rng(seed)
    block = Residual(Sequential(BatchNorm1d(4), ReLU(), Linear(4, 4, rng=rng)))
    return Sequential(Linear(3, 4, rng=rng), block, Dropout(0.5, rng=rng), LayerNorm(4))


def test_train_and_eval_reach_every_module():
    network = deep_network(0)
    inner = network[1].module[0]
    assert network.training and inner.training
    assert network.eval() is network
    assert not any(m.training for m in (network, *network, network[1].module, inner))
    assert network.train() is network
    assert all(m.training for m in (network, *network, network[1].module, inner))
    assert not network.train(False).training
    assert Sequential().training


def test_state_has_pytorch_s_names():
    twin = torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.ReLU(), torch.nn.LayerNorm(4)
    )
    network = Sequential(Linear(3, 4), BatchNorm1d(4), ReLU(), LayerNorm(4))
    theirs = [name for name in twin.state_dict() if "num_batches" not in name]  # we count none
    assert list(network.state_dict()) == theirs
    assert [n for n, _ in network.named_parameters()] == [n for n, _ in twin.named_parameters()]
    assert "1.module.0.running_var" in deep_network(0).state_dict()


def test_a_state_restores_everything():
    rng = np.random.default_rng(0)
    network, other = deep_network(1), deep_network(2)
    X = rng.normal(size=(5, 3))
    network(X)  # moves the running averages
    state = network.state_dict()
    expected = network.eval()(X).data
    for parameter in network.parameters():
        parameter.data += 1.0
    network.train()(X + 5)
    assert not np.array_equal(network.eval()(X).data, expected)  # and the copies did not change
    weight = other[0].weight
    for module in (network, other):
        module.load_state_dict(state)
        assert_array_equal(module.eval()(X).data, expected)
    assert other[0].weight is weight  # an optimizer still holds the right tensors
    for name, array in state.items():
        assert not np.shares_memory(array, dict(other._state())[name])


def test_the_state_of_odd_modules():
    state = Odd().state_dict()
    assert list(state) == ["first.weight", "first.bias", "list.0", "list.1.0.weight",
                           "list.1.0.bias", "frozen"]  # fmt: skip
    odd = Odd()
    odd.frozen.data[...] = 7.0
    odd.load_state_dict(state)
    assert odd.frozen.item() == 1.0
    odd.itself = odd  # a module may know itself
    assert list(odd.state_dict()) == list(state)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"2.weight": np.ones(3)}, "no place for.*2.weight"),
        ({"0.weight": None}, "lacks.*0.weight"),
        ({"0.weight": np.ones((3, 2))}, r"0.weight has shape \(2, 3\).*\(3, 2\)"),
        ({"1.running_var": 1.0}, r"1.running_var has shape \(3,\)"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change, message):
    network = Sequential(Linear(2, 3), BatchNorm1d(3))
    before = network.state_dict()
    state = {name: array + 1 for name, array in before.items()} | change
    state = {name: array for name, array in state.items() if array is not None}
    with pytest.raises(ValueError, match=message):
        network.load_state_dict(state)
    for name, array in network.state_dict().items():
        assert_array_equal(array, before[name])


MISUSE = {
    "batch of one": (lambda: BatchNorm1d(3)(np.ones((1, 3))), r"\(1, 3\).*\.eval\(\)"),
    "batch of none": (lambda: BatchNorm1d(3)(np.ones((0, 3))), "at least two samples"),
    "features": (lambda: BatchNorm1d(3)(np.ones((4, 5))), r"\(n, 3\).*\(4, 5\)"),
    "one sample": (lambda: BatchNorm1d(3).eval()(np.ones(3)), "one sample per row"),
    "layer": (lambda: LayerNorm(3)(np.ones((3, 4))), r"\(\.\.\., 3\).*\(3, 4\)"),
    "number": (lambda: LayerNorm(3)(1.0), r"\(\)"),
    "no features": (lambda: LayerNorm(0), "at least 1, but it is 0"),
    "probability": (lambda: Dropout(1.5), "between 0 and 1, but is 1.5"),
    "percent": (lambda: Dropout(50), "but is 50"),
    "nan": (lambda: Dropout(float("nan")), "but is nan"),
    "residual": (lambda: Residual(Linear(3, 1))(np.ones((2, 3))), r"\(2, 3\).*\(2, 1\)"),
    "negative length": (lambda: Linear(-1, 2), "in_features must be at least 0, but it is -1"),
    "negative width": (lambda: BatchNorm1d(-1), "num_features must be at least 0, but it is -1"),
}
WRONG_TYPE = {
    "half a feature": (lambda: Linear(2, 2.5), "out_features must be an integer, but is 2.5"),
    "a shape": (lambda: LayerNorm((3,)), r"normalized_shape must be an integer, but is \(3,\)"),
    "a class": (lambda: Sequential(Linear(2, 2), ReLU), r"number 1 is the class ReLU.*ReLU\("),
    "a list": (lambda: Sequential([Linear(2, 2)]), r"number 0 is a list.*Sequential\(\*modules\)"),
    "an array of words": (lambda: ReLU()(np.array(["a"])), "real numbers"),
}


@pytest.mark.parametrize("name", MISUSE)
def test_misuse_raises_an_error_that_teaches(name):
    misuse, message = MISUSE[name]
    with pytest.raises(ValueError, match=message):
        misuse()


@pytest.mark.parametrize("name", WRONG_TYPE)
def test_what_is_of_the_wrong_type_raises_an_error_that_teaches(name):
    misuse, message = WRONG_TYPE[name]
    with pytest.raises(TypeError, match=message):
        misuse()


def test_a_seed_and_its_generator_give_the_same():
    for make in (lambda rng: Linear(3, 2, rng=rng), lambda rng: Sequential(Linear(3, 2, rng=rng))):
        for ours, theirs in zip(
            make(5).parameters(), make(np.random.default_rng(5)).parameters(), strict=True
        ):
            assert_array_equal(ours.data, theirs.data)
    x = np.ones((4, 5))
    assert_array_equal(
        Dropout(0.5, rng=3)(x).data, Dropout(0.5, rng=np.random.default_rng(3))(x).data
    )


def test_a_refused_batch_leaves_the_averages_alone():
    norm = BatchNorm1d(2)
    with pytest.raises(ValueError, match="two samples"):
        norm(np.ones((1, 2)))
    assert_array_equal(norm.running_mean, [0, 0])
    assert_array_equal(norm.running_var, [1, 1])


def test_new_modules_tell_what_they_are():
    assert repr(deep_network(0)) == (
        "Sequential(Linear(3, 4), Residual(Sequential(BatchNorm1d(4), ReLU(), Linear(4, 4))), "
        "Dropout(0.5), LayerNorm(4))"
    )


def test_examples_in_docstrings():
    assert doctest.testmod(layers).failed == 0
