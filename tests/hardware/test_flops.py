import pytest
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from course_lib.hardware import flops
from course_lib.models.cnn import LeNet
from course_lib.models.gpt import GPT, Config


def counted(function):
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        function()
    return counter.get_total_flops()


def dense():
    model = nn.Sequential(nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, 8), nn.ReLU())
    return model, torch.randn(5, 20)


def strided():
    model = nn.Sequential(
        nn.Conv2d(2, 4, 3, stride=2), nn.ReLU(), nn.Conv2d(4, 6, 3, padding=1), nn.Flatten()
    )
    return model, torch.randn(3, 2, 11, 13)


def grouped():
    return nn.Conv2d(4, 8, 3, groups=2), torch.randn(3, 4, 9, 9)


def lenet():
    return LeNet(12), torch.randn(4, 1, 12, 12)


@pytest.mark.parametrize("make", [dense, strided, lenet])
def test_hooks_count_what_pytorch_counts(make):
    model, x = make()
    cost = flops.count(model, x)
    with torch.no_grad():
        assert cost.forward == counted(lambda: model(x))
    assert cost.training == counted(lambda: model(x).sum().backward())
    x.requires_grad_()
    asked = flops.count(model, x)
    assert asked.training == 3 * cost.forward == counted(lambda: model(x).sum().backward())
    assert asked.backward == 2 * asked.forward


def test_groups_see_a_part_of_the_channels():
    # PyTorch's counter takes the slopes of grouped kernels for dense ones: the forward pass only.
    model, x = grouped()
    with torch.no_grad():
        assert flops.count(model, x).forward == counted(lambda: model(x))


def test_frozen_weights_cost_no_slopes_but_pass_them_on():
    model, x = dense()
    model[2].requires_grad_(False)
    cost = flops.count(model, x)
    assert cost.weights == flops.linear(5, 20, 30)
    assert cost.inputs == flops.linear(5, 30, 8)
    assert cost.training == counted(lambda: model(x).sum().backward())


def test_hooks_are_taken_off_again():
    model, x = dense()
    with pytest.raises(RuntimeError):
        flops.count(model, x[:, 1:])
    assert not any(module._forward_hooks for module in model.modules())
    assert flops.count(model, x) == flops.count(model, x)


@pytest.mark.parametrize(("layers", "context"), [(1, 8), (3, 8), (2, 40)])
def test_a_gpt_by_hand(layers, context):
    model = GPT(Config(vocabulary=50, context=64, width=32, layers=layers, heads=4))
    tokens = torch.randint(50, (3, context))
    by_hand = flops.transformer(3, context, 32, layers, 50)
    with torch.no_grad():
        assert by_hand == counted(lambda: model(tokens))
    assert 3 * by_hand == counted(lambda: model(tokens).sum().backward())


def test_the_formula_of_a_convolution():
    layer, x = nn.Conv2d(3, 7, 5, padding=2), torch.randn(4, 3, 9, 10)
    with torch.no_grad():
        assert flops.convolution(4, 3, 7, 5, 9, 10) == counted(lambda: layer(x))


def test_attention_grows_with_the_square_of_the_context():
    assert flops.attention(2, 100, 100, 16) == 100 * flops.attention(2, 10, 10, 16)
    assert flops.attention(1, 3, 50, 16) == 2 * (2 * 3 * 50 * 16)


def test_six_n_d_is_what_a_stack_of_matrices_costs():
    model = nn.Sequential(nn.Linear(6, 6, bias=False), nn.Linear(6, 6, bias=False))
    x = torch.randn(11, 6, requires_grad=True)
    assert flops.count(model, x).training == flops.six_n_d(72, 11)
