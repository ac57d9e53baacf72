import copy

import pytest
import torch
from torch import nn

from course_lib.models import lora
from course_lib.models.gpt import GPT, Config


def moved(layer, seed=0):
    with torch.no_grad():
        layer.B.normal_(generator=torch.Generator().manual_seed(seed))
    return layer


@pytest.mark.parametrize("bias", [True, False])
def test_it_is_the_formula(bias):
    base = nn.Linear(5, 3, bias=bias)
    layer, x = moved(lora.LoRA(base, rank=2, alpha=6.0)), torch.randn(4, 7, 5)
    expected = base(x) + 6.0 / 2 * torch.einsum("or,ri,bni->bno", layer.B, layer.A, x)
    torch.testing.assert_close(layer(x), expected)
    torch.testing.assert_close(layer.merged()(x), expected)
    assert (layer.merged().bias is None) == (not bias)


def test_it_begins_as_the_layer_and_can_learn():
    base, x = nn.Linear(5, 3), torch.randn(4, 5)
    layer = lora.LoRA(base, rank=2)
    assert torch.equal(layer(x), base(x))
    assert layer.scale == 2.0
    layer(x).pow(2).sum().backward()
    assert layer.B.grad.abs().sum() > 0  # A has a slope as soon as B has moved
    assert base.weight.grad is None and base.bias.grad is None


def test_a_model_keeps_its_weights_and_trains_few():
    torch.manual_seed(0)
    model, tokens = GPT(Config(20, 16, width=32, mlp="swiglu")), torch.randint(20, (2, 9))
    before = copy.deepcopy(model)
    total = sum(p.numel() for p in model.parameters())
    lora.adapt(model, rank=1)
    assert torch.equal(model(tokens), before(tokens))
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    assert trained and all(name.endswith((".A", ".B")) for name in trained)
    assert sum(p.numel() for p in trained.values()) < 0.06 * total
    optimizer = torch.optim.SGD(trained.values(), lr=1.0)
    model(tokens).pow(2).mean().backward()
    optimizer.step()
    changed = model(tokens)
    assert not torch.allclose(changed, before(tokens))
    lora.merge(model)
    assert not any(isinstance(module, lora.LoRA) for module in model.modules())
    torch.testing.assert_close(model(tokens), changed, rtol=1e-4, atol=1e-5)
    assert all(p.requires_grad for p in model.parameters())
    assert model.state_dict().keys() == before.state_dict().keys()


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="rank must be at least 1"):
        lora.LoRA(nn.Linear(2, 2), rank=0)
    with pytest.raises(ValueError, match="merge them first"):
        lora.adapt(lora.adapt(nn.Sequential(nn.Linear(2, 2)), rank=1), rank=1)
    with pytest.raises(ValueError, match=r"no nn\.Linear"):
        lora.adapt(nn.ReLU(), rank=1)
