"""Quantization, against PyTorch's rounding, its convolution, and networks in float32."""

import doctest

import numpy as np
import pytest
import torch
from torch import nn

from course_lib.models import quantization
from course_lib.models.quantization import QuantizedNetwork, affine, conv2d, matmul, symmetric

RNG = np.random.default_rng(0)


def network(seed=0):
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1, bias=False),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 8, 5, padding=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(8 * 9, 4),
    )
    with torch.no_grad():  # as after some training
        model[1].running_mean.uniform_(-0.5, 0.5)
        model[1].running_var.uniform_(0.5, 2)
        model[1].weight.uniform_(-1.5, 1.5)
        model[1].bias.uniform_(-0.5, 0.5)
    return model, torch.randn(30, 2, 7, 7)


def test_examples():
    result = doctest.testmod(quantization)
    assert result.attempted and not result.failed


@pytest.mark.parametrize("bits", [8, 4, 2])
@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_symmetric_rounding_is_pytorchs(bits, axis):
    w = RNG.normal(size=(4, 3, 5)) * RNG.uniform(0.1, 9, size=(4, 3, 5))
    grid = symmetric(w, bits, axis)
    q = grid.quantize(w)
    assert np.abs(q).max() == 2 ** (bits - 1) - 1 and (grid.zero_point == 0).all()
    tensor, low, high = torch.tensor(w), grid.low, grid.high
    if axis is None:
        theirs = torch.fake_quantize_per_tensor_affine(tensor, float(grid.scale), 0, low, high)
    else:
        scale = torch.tensor(grid.scale.ravel(), dtype=torch.float32)
        zeros = torch.zeros(len(scale), dtype=torch.int32)
        theirs = torch.fake_quantize_per_channel_affine(
            tensor.float(), scale, zeros, axis % 3, low, high
        )
        assert (np.abs(np.moveaxis(q, axis, 0)).reshape(len(scale), -1).max(axis=1) == high).all()
    assert np.allclose(grid.dequantize(q), theirs.numpy(), atol=1e-5)


@pytest.mark.parametrize(("low", "high"), [(-0.96, 1.73), (0, 6), (2, 6), (-6, -2), (-1, 1e-3)])
def test_affine_reaches_from_end_to_end_and_keeps_zero(low, high):
    x = RNG.uniform(low, high, size=500)
    x[:2] = low, high
    grid = affine(x)
    q = grid.quantize(x)
    assert grid.dequantize(grid.quantize(0.0)) == 0
    assert 0 <= grid.zero_point <= 255 and q.min() >= 0 and q.max() <= 255
    assert np.abs(grid.dequantize(q) - x).max() <= 1.01 * grid.scale
    theirs = torch.fake_quantize_per_tensor_affine(
        torch.tensor(x), float(grid.scale), int(grid.zero_point), 0, 255
    )
    assert np.allclose(grid.dequantize(q), theirs.numpy(), atol=1e-5)


def test_zeros_have_a_scale():
    assert symmetric(np.zeros(3)).scale == 1 and affine(np.zeros(3)).scale == 1
    grid = symmetric(np.array([[0.0, 0.0], [1.27, 0.0]]), axis=0)
    assert np.allclose(grid.scale, [[1], [0.01]])


def test_integers_are_added_in_int32():
    q = np.full((1, 1000), 255, dtype=np.uint8)
    w = np.full((1000, 1), -127, dtype=np.int8)
    total = matmul(q, w, zero_point=5)
    assert total.dtype == np.int32 and total.item() == 1000 * 250 * -127
    many = RNG.integers(0, 256, size=(2, 3, 7)).astype(np.uint8)
    w = RNG.integers(-127, 128, size=(7, 4)).astype(np.int8)
    assert np.array_equal(matmul(many, w, 9), (many.astype(int) - 9) @ w.astype(int))


@pytest.mark.parametrize("size", [1, 3, 5])
def test_convolution_of_integers_is_pytorchs(size):
    q = RNG.integers(0, 256, size=(2, 3, 6, 7)).astype(np.uint8)
    w = RNG.integers(-127, 128, size=(4, 3, size, size)).astype(np.int8)
    theirs = nn.functional.conv2d(
        torch.tensor(q).double() - 17, torch.tensor(w).double(), padding=size // 2
    )
    ours = conv2d(q, w, zero_point=17)
    assert ours.dtype == np.int32 and np.array_equal(ours, theirs.numpy())


@pytest.mark.parametrize("fold", [True, False])
@pytest.mark.parametrize("per_channel", [True, False])
def test_a_network_of_many_bits_is_the_network(fold, per_channel):
    model, x = network()
    small = QuantizedNetwork(
        model, x, bits=12, activation_bits=11, per_channel=per_channel, fold=fold
    )
    assert model.training  # left as it was
    with torch.no_grad():
        wanted = model.eval()(x).numpy()
    assert np.abs(small(x) - wanted).max() < 0.01 * np.abs(wanted).max()


def test_eight_bits_are_near_and_four_are_not():
    model, x = network(1)
    with torch.no_grad():
        wanted = model.eval()(x).numpy()
    error = {
        bits: np.abs(QuantizedNetwork(model, x, bits=bits, activation_bits=bits)(x) - wanted).mean()
        for bits in (8, 4)
    }
    assert error[8] < 0.02 * np.abs(wanted).mean() < error[4] / 2


def test_sums_that_do_not_fit_are_refused():
    model, x = network()
    with pytest.raises(ValueError, match="sums of 18 products of integers of 16 and 15 bits"):
        QuantizedNetwork(model, x, bits=16, activation_bits=15)


def test_size():
    model, x = network()
    weights, channels = 6 * 2 * 9 + 8 * 6 * 25 + 4 * 72, 6 + 8 + 4
    assert QuantizedNetwork(model, x).nbytes == weights + 8 * channels
    assert QuantizedNetwork(model, x, bits=4).nbytes == weights / 2 + 8 * channels


def test_other_layers_are_named():
    for model in (
        nn.Sequential(nn.Linear(3, 2), nn.Tanh()),
        nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(1)),
    ):
        with pytest.raises(TypeError, match="cannot be quantized here"):
            QuantizedNetwork(model, torch.zeros(2, 3))


def test_what_is_a_convolution_of_another_kind_is_named():
    for conv in (
        nn.Conv2d(2, 2, 3),
        nn.Conv2d(2, 2, 3, padding=1, stride=2),
        nn.Conv2d(2, 2, 3, padding=1, groups=2),
        nn.Conv2d(2, 2, 3, padding=2, dilation=2),
    ):
        with pytest.raises(TypeError, match="keeps the size"):
            QuantizedNetwork(nn.Sequential(conv), torch.zeros(2, 2, 6, 6))
