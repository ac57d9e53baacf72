"""Modules: what they compute, and how they find their parameters."""

import doctest

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from sklearn.datasets import load_digits

from course_lib.scratch import layers
from course_lib.scratch.layers import GELU, Linear, Module, ReLU, Sequential, Sigmoid, Tanh
from course_lib.scratch.losses import cross_entropy
from course_lib.scratch.tensor import Tensor


def copied_to_torch(network: Sequential) -> torch.nn.Sequential:
    bends = {
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
            modules.append(bends[type(module)]())
    return torch.nn.Sequential(*modules)


@pytest.mark.parametrize("bend", [ReLU, GELU, Tanh, Sigmoid])
def test_a_network_agrees_with_pytorch(bend):
    rng = np.random.default_rng(0)
    network = Sequential(Linear(5, 7, rng=rng), bend(), Linear(7, 3, rng=rng))
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


def test_starting_weights_are_bounded_and_follow_the_generator():
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


def test_examples_in_docstrings():
    assert doctest.testmod(layers).failed == 0
