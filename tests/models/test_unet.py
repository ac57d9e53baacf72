"""The U-Net: shapes, what each part sees, and that it can learn what it is for."""

import doctest
import math

import pytest
import torch
from torch import nn

from course_lib.models import unet
from course_lib.models.unet import AttentionBlock, TimeBlock, UNet, time_embedding


def alive(module):
    """Fill what begins at zero, so that it does something."""
    torch.manual_seed(0)
    for parameter in module.parameters():
        if parameter.dim() > 1:
            nn.init.normal_(parameter, std=0.2)
    return module


def test_examples():
    result = doctest.testmod(unet)
    assert result.attempted and not result.failed


@pytest.mark.parametrize("size", [28, 12])
@pytest.mark.parametrize("channels", [1, 3])
def test_noise_has_the_shape_of_the_image_and_begins_at_zero(size, channels):
    network = UNet(channels, width=8, multiples=(1, 2, 3), blocks=1)
    x = torch.randn(2, channels, size, size)
    out = network(x, torch.tensor([0, 999]))
    assert out.shape == x.shape
    # The last convolution begins at zero: the first guess is that there is no noise.
    assert torch.equal(out, torch.zeros_like(x))


def test_every_parameter_is_used():
    network = alive(UNet(width=8, multiples=(1, 2), blocks=1, dropout=0.1))
    network(torch.randn(2, 1, 8, 8), torch.tensor([3, 500])).square().sum().backward()
    unused = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert unused == []


def test_the_time_step_matters_and_images_of_a_batch_do_not_mix():
    network = alive(UNet(width=8, multiples=(1, 2), blocks=1)).eval()
    x, t = torch.randn(3, 1, 8, 8), torch.tensor([1, 300, 900])
    whole = network(x, t)
    alone = torch.cat([network(x[k : k + 1], t[k : k + 1]) for k in range(3)])
    assert torch.allclose(whole, alone, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(whole, network(x, t.flip(0)), atol=1e-3)


def test_details_pass_beside_the_smallest_maps():
    network = alive(UNet(width=8, multiples=(1, 1), attention=(False, False), blocks=1)).eval()
    x = torch.randn(1, 1, 8, 8)
    before = network(x, torch.tensor([5]))
    # Without what is below, there still is a path from the input to the output.
    for module in [*network.smaller, *network.middle.modules()]:
        for parameter in module.parameters(recurse=False):
            nn.init.zeros_(parameter)
    after = network(x, torch.tensor([5]))
    assert not torch.allclose(before, after)
    assert not torch.allclose(after, network(x + 1, torch.tensor([5])))


def test_a_new_block_passes_its_input_on():
    x, time = torch.randn(2, 8, 4, 4), torch.randn(2, 5)
    assert torch.equal(TimeBlock(8, 8, 5)(x, time), x)
    assert torch.equal(AttentionBlock(8)(x), x)


def test_attention_knows_no_places():
    block = alive(AttentionBlock(8))
    x = torch.randn(1, 8, 3, 4)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(1))
    mixed = x.flatten(2)[:, :, order].view(1, 8, 3, 4)
    assert torch.allclose(
        block(mixed).flatten(2), block(x).flatten(2)[:, :, order], atol=1e-5, rtol=1e-4
    )


def test_time_embedding_is_its_formula():
    out = time_embedding(torch.tensor([7]), 6)[0]
    angles = [7 / 10_000 ** (k / 2) for k in range(3)]
    expected = [math.sin(a) for a in angles] + [math.cos(a) for a in angles]
    assert torch.allclose(out, torch.tensor(expected), atol=1e-6)


def test_wrong_sizes_are_named():
    with pytest.raises(ValueError, match="30 by 28 cannot be halved 2 times.* multiples of 4"):
        UNet(width=8, blocks=1)(torch.zeros(1, 1, 30, 28), torch.zeros(1))
    with pytest.raises(ValueError, match="attention has 1 entries and multiples 2"):
        UNet(width=8, multiples=(1, 2), attention=(True,))
