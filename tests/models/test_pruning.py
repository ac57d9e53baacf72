import pytest
import torch
from torch import nn

from course_lib.models.cnn import LeNet
from course_lib.models.pruning import apply_masks, magnitude_masks, sparsity


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, 10))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999, 1.0])
def test_as_many_go_as_are_wanted_and_they_are_the_smallest(share):
    model = network()
    masks = magnitude_masks(model, share)
    assert set(masks) == {"0.weight", "2.weight"}
    kept = torch.cat([model.get_parameter(n).detach().abs()[m] for n, m in masks.items()])
    gone = torch.cat([model.get_parameter(n).detach().abs()[~m] for n, m in masks.items()])
    assert len(gone) == round(share * 900)
    if len(kept) and len(gone):
        assert gone.max() <= kept.min()


def test_the_whole_network_is_one_list():
    model = network()
    with torch.no_grad():
        model[0].weight.mul_(0.01)
    masks = magnitude_masks(model, 0.5)
    assert not masks["0.weight"][model[0].weight.abs() < 1e-3].any()
    assert masks["2.weight"].float().mean() > 0.9 > masks["0.weight"].float().mean() + 0.4


def test_of_equal_weights_as_many_go_as_are_wanted():
    layer = nn.Linear(10, 10)
    nn.init.ones_(layer.weight)
    assert magnitude_masks(layer, 0.25)["weight"].sum() == 75


def test_masks_are_applied_in_place_to_matrices_alone():
    model = network()
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    masks = magnitude_masks(model, 0.8)
    assert all(torch.equal(p, before[name]) for name, p in model.named_parameters())
    apply_masks(model, masks)
    for name, p in model.named_parameters():
        expected = before[name] * masks[name] if name in masks else before[name]
        assert torch.equal(p, expected)
    assert sparsity(model) == pytest.approx(0.8)
    assert model[0].weight.requires_grad


def test_what_was_pruned_is_pruned_first():
    model = network()
    first = magnitude_masks(model, 0.5)
    apply_masks(model, first)
    second = magnitude_masks(model, 0.7)
    assert not any((second[name] & ~first[name]).any() for name in first)


def test_kernels_are_pruned_too():
    masks = magnitude_masks(LeNet(12), 0.9)
    assert masks["features.0.weight"].shape == (6, 1, 5, 5)
    assert sum(int(m.sum()) for m in masks.values()) == pytest.approx(0.1 * (150 + 2400 + 1440), 1)


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_is_a_share(share):
    with pytest.raises(ValueError, match="share"):
        magnitude_masks(network(), share)
