"""Convolutional networks: shapes, parameters counted by hand, and what their parts do."""

import doctest

import pytest
import torch
from torch import nn

from course_lib import get_device
from course_lib.models import cnn


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def test_examples():
    result = doctest.testmod(cnn)
    assert result.attempted
    assert not result.failed


# LeNet --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "in_channels", "channels", "kernel_size", "classes"),
    [(12, 1, (6, 16), 5, 10), (16, 3, (4, 5), 3, 7), (15, 2, (3, 8), 1, 2), (4, 1, (1, 1), 5, 3)],
)
def test_lenet_has_the_shapes_and_parameters_of_its_formula(
    size, in_channels, channels, kernel_size, classes
):
    network = cnn.LeNet(size, in_channels, channels, kernel_size, classes)
    images = torch.randn(3, in_channels, size, size)
    maps = network.features(images)
    assert maps.shape == (3, channels[1], size // 2 // 2, size // 2 // 2)
    assert network(images).shape == (3, classes)
    window = kernel_size**2
    assert parameters(network.features) == (
        channels[0] * (in_channels * window + 1) + channels[1] * (channels[0] * window + 1)
    )
    assert parameters(network.head) == classes * (channels[1] * (size // 4) ** 2 + 1)


def test_lenet_computes_what_its_docstring_says():
    network = cnn.LeNet(8)
    x = torch.randn(2, 1, 8, 8)
    z = x
    for conv in (network.features[0], network.features[3]):
        z = nn.functional.max_pool2d(
            nn.functional.relu(nn.functional.conv2d(z, conv.weight, conv.bias, padding=2)), 2
        )
    linear = network.head[1]
    assert torch.allclose(network(x), z.flatten(1) @ linear.weight.T + linear.bias, atol=1e-5)


def test_lenet_names_what_it_cannot_do():
    with pytest.raises(ValueError, match="size must be 4 or more"):
        cnn.LeNet(3)
    with pytest.raises(ValueError, match="kernel_size must be odd"):
        cnn.LeNet(12, kernel_size=4)


# Residual blocks ----------------------------------------------------------------------------------


def silenced(block):
    nn.init.zeros_(block.norm2.weight)
    nn.init.zeros_(block.norm2.bias)
    return block


def test_a_block_without_a_correction_passes_its_input_on():
    x = torch.randn(2, 4, 6, 6)
    assert torch.equal(silenced(cnn.ResidualBlock(4, 4))(x), x.relu())
    plain = silenced(cnn.ResidualBlock(4, 4, residual=False))
    assert not plain(x).any()


def test_a_block_adds_what_its_two_convolutions_find():
    block = cnn.ResidualBlock(3, 5, stride=2)
    block.eval()
    x = torch.randn(2, 3, 7, 7)
    # A batch norm in evaluation mode at its beginning does nothing but divide by sqrt(1 + eps).
    shrink = (1 + block.norm1.eps) ** -0.5
    z = nn.functional.conv2d(x, block.conv1.weight, stride=2, padding=1).mul(shrink).relu()
    z = nn.functional.conv2d(z, block.conv2.weight, padding=1) * shrink
    z = z + nn.functional.conv2d(x, block.shortcut[0].weight, stride=2) * shrink
    assert block(x).shape == (2, 5, 4, 4)
    assert torch.allclose(block(x), z.relu(), atol=1e-5)


@pytest.mark.parametrize(
    ("channels", "stride", "free"), [((4, 4), 1, True), ((4, 4), 2, False), ((4, 8), 1, False)]
)
def test_the_path_around_has_weights_only_where_shapes_differ(channels, stride, free):
    block = cnn.ResidualBlock(*channels, stride)
    assert (parameters(block.shortcut) == 0) == free
    plain = cnn.ResidualBlock(*channels, stride, residual=False)
    assert parameters(block) - parameters(plain) == parameters(block.shortcut)


# ResNet -------------------------------------------------------------------------------------------


def test_the_resnets_of_the_paper_have_their_depths_and_their_parameters():
    # Table 6 of He and others: 0.27 M parameters at depth 20 and 0.46 M at 32, for color images.
    # (Their path around has no weights; ours has a few where shapes change.)
    for blocks, depth, millions in ((3, 20, 0.27), (5, 32, 0.46)):
        network = cnn.ResNet(blocks, in_channels=3)
        assert network.depth == depth
        weights = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
        on_the_way = [m for m in weights if getattr(m, "kernel_size", None) != (1, 1)]
        assert len(on_the_way) == depth
        assert parameters(network) / 1e6 == pytest.approx(millions, abs=0.01)


@pytest.mark.parametrize("size", [8, 12, 31])
def test_a_resnet_takes_images_of_any_size(size):
    network = cnn.ResNet(1, widths=(4, 8), in_channels=2, num_classes=3)
    assert network(torch.randn(2, 2, size, size)).shape == (2, 3)
    maps = network.blocks(network.stem(torch.randn(2, 2, size, size)))
    assert maps.shape == (2, 8, -(-size // 2), -(-size // 2))


def test_a_plain_network_differs_in_the_paths_around_only():
    torch.manual_seed(0)
    residual, plain = (cnn.ResNet(2, (4, 8), residual=flag) for flag in (True, False))
    assert residual.depth == plain.depth == 10
    extra = parameters(residual) - parameters(plain)
    assert extra == 4 * 8 + 2 * 8  # one 1 by 1 convolution with its norm


@pytest.mark.parametrize(
    "make", [lambda: cnn.LeNet(12), lambda: cnn.ResNet(1, (4, 8)), lambda: cnn.ResidualBlock(1, 2)]
)
def test_a_network_runs_where_it_is_put_and_every_weight_learns(make):
    device = get_device()
    network = make().to(device)
    outputs = network(torch.randn(4, 1, 12, 12, device=device))
    assert outputs.device.type == device.type
    outputs.square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())
