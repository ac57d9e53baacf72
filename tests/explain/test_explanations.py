"""Explanations of a network's answer, against Captum, finite differences and closed forms."""

import copy
import doctest
import importlib

import numpy as np
import pytest
import torch
from captum import attr
from torch import nn

from course_lib.explain import randomization
from course_lib.explain.grad_cam import enlarge, grad_cam
from course_lib.explain.gradients import (
    chosen_logits,
    gradient_times_input,
    guided_backpropagation,
    saliency,
    smooth_gradient,
)
from course_lib.explain.integrated_gradients import completeness_gap, integrated_gradients
from course_lib.explain.occlusion import occlusion

TARGETS = torch.tensor([2, 0, 1, 2])


def reader(channels=2, classes=3):
    """Make a small convolutional network, in training mode, with dropout and batch norm in it."""
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(channels, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Conv2d(4, 5, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(45, classes),
    )


@pytest.fixture
def model():
    return reader()


@pytest.fixture
def x():
    return torch.randn(4, 2, 6, 6, generator=torch.Generator().manual_seed(2))


METHODS = {
    "saliency": saliency,
    "gradient times input": gradient_times_input,
    "smooth": smooth_gradient,
    "guided": guided_backpropagation,
    "integrated": integrated_gradients,
    "occlusion": occlusion,
    "grad-cam": lambda model, x, targets: grad_cam(model, x, targets, model[4]),
}


@pytest.mark.parametrize("name", ["gradients", "integrated_gradients", "shapley"])
def test_examples(name):
    result = doctest.testmod(importlib.import_module(f"course_lib.explain.{name}"))
    assert result.attempted
    assert not result.failed


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_a_network_is_left_as_it_was(model, x, method):
    model[1].eval()
    model.requires_grad_(False)
    model[0].requires_grad_(True)
    before, kept = copy.deepcopy(model.state_dict()), x.clone()
    first, second = method(model, x, TARGETS), method(model, x, TARGETS)
    assert torch.equal(first, second), "evaluation mode: dropout would differ from call to call"
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in before.items())
    assert [module.training for module in model] == [True, False] + [True] * 7
    assert all(p.grad is None for p in model.parameters())
    assert torch.equal(x, kept)
    assert not x.requires_grad
    assert not first.requires_grad
    hooks = [m for m in model if m._forward_hooks or m._backward_hooks]
    assert hooks == []


#: Without SmoothGrad, whose noise is drawn for the batch as a whole.
ALONE = {name: method for name, method in METHODS.items() if name != "smooth"}


@pytest.mark.parametrize("method", ALONE.values(), ids=ALONE)
def test_a_sample_is_explained_by_itself_whoever_is_in_the_batch(model, x, method):
    together = method(model, x, TARGETS)
    for i in range(len(x)):
        alone = method(model, x[i : i + 1], TARGETS[i : i + 1])
        assert torch.allclose(alone[0], together[i], atol=1e-5)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_methods_work_where_no_gradients_are_recorded(model, x, method):
    with torch.no_grad():
        inside = method(model, x, TARGETS)
    assert torch.equal(inside, method(model, x, TARGETS))


def test_one_class_per_sample_is_asked_for(model, x):
    with pytest.raises(ValueError, match=r"wanted shape \(4,\), but it has \(2,\)"):
        saliency(model, x, TARGETS[:2])
    with pytest.raises(ValueError, match="must return logits"):
        chosen_logits(nn.Identity(), x, TARGETS)


def test_saliency_is_captums_and_that_of_small_steps(model, x):
    ours = saliency(model, x, TARGETS)
    model.eval()
    theirs = attr.Saliency(model).attribute(x.clone().requires_grad_(), TARGETS, abs=False)
    assert torch.allclose(ours, theirs, atol=1e-6)
    double, h = copy.deepcopy(model).double(), 1e-6
    for place in ((0, 0, 2, 3), (3, 1, 5, 0)):
        up, down = x.double(), x.double()
        up[place] += h
        down[place] -= h
        rise = (chosen_logits(double, up, TARGETS) - chosen_logits(double, down, TARGETS)).sum()
        assert ours[place].item() == pytest.approx(rise.item() / (2 * h), abs=1e-4)
    assert torch.allclose(gradient_times_input(model, x, TARGETS), ours * x)


def test_guided_backpropagation_is_captums(model, x):
    ours = guided_backpropagation(model, x, TARGETS)
    model.eval()
    captum = attr.GuidedBackprop(model)
    theirs = captum.attribute(x.clone().requires_grad_(), TARGETS)
    assert torch.allclose(ours, theirs, atol=1e-6)
    assert not torch.allclose(ours, saliency(model, x, TARGETS), atol=1e-2)
    with pytest.raises(ValueError, match="none"):
        guided_backpropagation(nn.Linear(2, 2), torch.ones(1, 2), torch.tensor([0]))


def test_smoothing_without_noise_is_the_gradient_and_with_it_a_mean(model, x):
    plain = saliency(model, x, TARGETS)
    assert torch.allclose(smooth_gradient(model, x, TARGETS, noise=0, samples=3), plain, atol=1e-6)
    one, other = (smooth_gradient(model, x, TARGETS, seed=s, samples=200) for s in (0, 1))
    few = smooth_gradient(model, x, TARGETS, samples=2)
    assert (one - other).norm() < 0.4 * (one - few).norm()


def test_integrated_gradients_are_captums(model, x):
    baseline = torch.full_like(x, 0.3)
    ours = integrated_gradients(model, x, TARGETS, baseline=0.3, steps=20)
    model.eval()
    captum = attr.IntegratedGradients(model)
    how = {"n_steps": 20, "method": "riemann_middle", "target": TARGETS}
    theirs = captum.attribute(x, baselines=baseline, **how)
    assert torch.allclose(ours, theirs.float(), atol=1e-5)
    assert torch.allclose(
        ours, integrated_gradients(model, x, TARGETS, baseline=baseline, steps=20)
    )


def test_integrated_gradients_are_complete_in_the_limit(model, x):
    gaps = []
    for steps in (4, 64, 1024):
        found = integrated_gradients(model, x, TARGETS, steps=steps)
        gaps.append(completeness_gap(model, x, TARGETS, found).abs().max().item())
    assert gaps[2] < 1e-3 < gaps[1] < gaps[0]
    # A quadratic has a straight slope, which one midpoint integrates exactly.
    square = type("Square", (nn.Module,), {"forward": lambda self, z: z.square()})()
    found = integrated_gradients(square, torch.tensor([[3.0, 1.0]]), torch.tensor([0]), steps=1)
    assert found.tolist() == [[9.0, 0.0]]
    with pytest.raises(ValueError, match="1 or more"):
        integrated_gradients(model, x, TARGETS, steps=0)


@pytest.mark.parametrize("size", [1, 2, 3, 6])
def test_occlusion_is_captums(model, x, size):
    ours = occlusion(model, x, TARGETS, size=size, fill=0.5)
    model.eval()
    theirs = attr.Occlusion(model).attribute(
        x, sliding_window_shapes=(2, size, size), baselines=0.5, target=TARGETS
    )
    # Captum gives every channel the value of the window that covers them all.
    assert torch.allclose(ours, theirs[:, 0], atol=1e-5)
    assert torch.allclose(ours, theirs[:, 1], atol=1e-5)
    with pytest.raises(ValueError, match="does not fit"):
        occlusion(model, x, TARGETS, size=7)


def test_grad_cam_is_captums_and_never_negative(model, x):
    ours = grad_cam(model, x, TARGETS, model[4])
    model.eval()
    captum = attr.LayerGradCam(model, model[4])
    theirs = captum.attribute(x, TARGETS, relu_attributions=True)
    assert ours.shape == (4, 6, 6)
    assert torch.allclose(ours, theirs[:, 0], atol=1e-6)
    assert ours.min() == 0
    assert ours.max() > 0
    with pytest.raises(ValueError, match=r"returned \(4, 45\)"):
        grad_cam(model, x, TARGETS, model[6])


def test_grad_cam_after_a_mean_over_places_is_the_class_activation_map(x):
    torch.manual_seed(3)
    model = nn.Sequential(
        nn.Conv2d(2, 5, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 3)
    )
    maps = model[:2](x)
    by_weights = torch.relu(torch.einsum("nchw,nc->nhw", maps, model[4].weight[TARGETS])) / 16
    assert torch.allclose(grad_cam(model, x, TARGETS, model[1]), by_weights, atol=1e-6)


def test_maps_are_enlarged_to_the_image():
    maps = torch.tensor([[[0.0, 4.0], [0.0, 4.0]]])
    large = enlarge(maps, (4, 4))
    assert large.shape == (1, 4, 4)
    assert large[0, 0].tolist() == [0.0, 1.0, 3.0, 4.0]


def test_the_cascade_forgets_from_the_last_layer_to_the_first(model):
    before = copy.deepcopy(model.state_dict())
    torch.manual_seed(9)
    expected = torch.rand(1)
    torch.manual_seed(9)
    stages = list(randomization.cascade(model, seed=0))
    assert torch.equal(torch.rand(1), expected), "the caller's random numbers stay as they were"
    assert [name for name, _ in stages] == ["8", "3", "1", "0"]
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in before.items())
    for number, (_, changed) in enumerate(stages):
        for depth, name in enumerate(("8", "3", "0")):
            same = torch.equal(changed.get_submodule(name).weight, model.get_submodule(name).weight)
            assert same == (depth > (number if number < 2 else number - 1))
    again = dict(randomization.cascade(model, seed=0))
    other = dict(randomization.cascade(model, seed=1))
    assert torch.equal(again["0"][0].weight, stages[-1][1][0].weight)
    assert not torch.equal(other["0"][0].weight, stages[-1][1][0].weight)


def test_rank_correlation_is_spearmans_also_with_ties():
    from scipy.stats import spearmanr

    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 5, size=(2, 6, 4, 4)).astype(float)
    ours = randomization.rank_correlation(torch.tensor(first), torch.tensor(second))
    for i in range(6):
        theirs = spearmanr(first[i].ravel(), second[i].ravel()).statistic
        assert ours[i].item() == pytest.approx(theirs, abs=1e-12)
    assert torch.isnan(randomization.rank_correlation(torch.zeros(1, 3), torch.ones(1, 3))).all()
    with pytest.raises(ValueError, match="same shape"):
        randomization.rank_correlation(torch.zeros(1, 3), torch.zeros(1, 4))
