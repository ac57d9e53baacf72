"""Attacks: what they may change, what they find, and the field's library beside them."""

import doctest
import importlib
import itertools

import numpy as np
import pytest
import torch
from torch import nn

from course_lib import get_device
from course_lib.attacks.fgsm import fgsm
from course_lib.attacks.gradients import input_gradient, per_sample_loss
from course_lib.attacks.pgd import pgd, project, random_change, steepest
from course_lib.attacks.square import margin, square_attack


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def network(seed=0, dtype=torch.float64):
    torch.manual_seed(seed)
    layers = [nn.Flatten(), nn.Linear(36, 16), nn.Tanh(), nn.Linear(16, 4)]
    return nn.Sequential(*layers).to(get_device(), dtype)


def batch(n=12, dtype=torch.float64):
    x = torch.rand(n, 1, 6, 6, generator=seeded(1), dtype=dtype).to(get_device())
    return x, (torch.arange(n) % 4).to(x.device)


def mean_loss(model, x, y):
    return per_sample_loss(model(x), y).mean().item()


@pytest.mark.parametrize("name", ["fgsm", "gradients", "pgd", "square", "smoothing"])
def test_examples(name):
    result = doctest.testmod(importlib.import_module(f"course_lib.attacks.{name}"))
    assert result.attempted
    assert not result.failed


# The gradient ------------------------------------------------------------------------------------


def test_the_gradient_agrees_with_central_differences_and_not_with_the_batch():
    model, (x, y) = network(), batch(3)
    gradient = input_gradient(model, x, y)
    for i, place in itertools.product(range(3), (0, 7, 35)):
        step = torch.zeros(36, dtype=x.dtype, device=x.device)
        step[place] = 1e-5
        step = step.reshape(1, 1, 6, 6)
        up, down = (mean_loss(model, x[i : i + 1] + s * step, y[i : i + 1]) for s in (1, -1))
        assert gradient[i].flatten()[place].item() == pytest.approx((up - down) / 2e-5, abs=1e-6)
    assert torch.allclose(gradient[1:2], input_gradient(model, x[1:2], y[1:2]))


def test_the_model_is_left_as_it_came():
    model = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(36), nn.Dropout(0.5), nn.Linear(36, 4))
    model = model.double().to(get_device()).train()
    model[1].eval()
    x, y = batch()
    before = model[1].running_mean.clone()
    for attack in (
        lambda: input_gradient(model, x, y),
        lambda: fgsm(model, x, y, 0.1),
        lambda: pgd(model, x, y, 0.1, steps=2, generator=seeded()),
        lambda: square_attack(model, x, y, 0.1, queries=5, generator=seeded()),
    ):
        kept = x.clone()
        assert torch.equal(attack(), attack()), "dropout was at work"
        assert [m.training for m in model.modules()] == [True, True, False, True, True]
        assert torch.equal(before, model[1].running_mean)
        assert all(p.grad is None and p.requires_grad for p in model.parameters())
        assert torch.equal(kept, x)
        assert not x.requires_grad


def test_what_makes_no_sense_is_refused():
    model, (x, y) = network(), batch()
    with pytest.raises(ValueError, match="one label per image"):
        fgsm(model, x, y[:3], 0.1)
    with pytest.raises(ValueError, match="between 0 and 1"):
        fgsm(model, 255 * x, y, 8)
    with pytest.raises(ValueError, match="0 or more"):
        pgd(model, x, y, -0.1)
    with pytest.raises(ValueError, match="1 or more"):
        pgd(model, x, y, 0.1, steps=0)
    with pytest.raises(ValueError, match="channels, height, width"):
        square_attack(model, x.flatten(1), y, 0.1)
    with pytest.raises(ValueError, match="share"):
        square_attack(model, x, y, 0.1, share=0.0)


# FGSM --------------------------------------------------------------------------------------------


def test_one_step_is_the_best_on_a_linear_model():
    torch.manual_seed(0)
    model = nn.Linear(10, 2).double().to(get_device())
    x = torch.full((1, 10), 0.5, dtype=torch.float64, device=get_device())
    y = torch.zeros(1, dtype=torch.int64, device=x.device)
    moved = fgsm(model, x, y, 0.1)
    w = model.weight[0] - model.weight[1]
    drop = (margin(model(x), y) - margin(model(moved), y)).item()
    assert drop == pytest.approx(0.1 * w.abs().sum().item())
    corners = itertools.product((-0.1, 0.1), repeat=10)
    losses = model(x + torch.tensor(list(corners), dtype=x.dtype, device=x.device))
    best = per_sample_loss(losses, y.expand(len(losses))).max()
    assert per_sample_loss(model(moved), y).item() == pytest.approx(best.item())


def test_a_targeted_step_lowers_the_loss_of_the_wanted_class():
    model, (x, y) = network(), batch()
    wanted = (y + 1) % 4
    before = mean_loss(model, x, wanted)
    assert mean_loss(model, fgsm(model, x, wanted, 0.05, targeted=True), wanted) < before
    assert mean_loss(model, fgsm(model, x, wanted, 0.05), wanted) > before


# PGD ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_projection_finds_the_nearest_change(norm):
    change = torch.randn(6, 1, 2, 2, generator=seeded(3), dtype=torch.float64)
    change[0] = 0.0
    got = project(change, 0.7, norm)
    size = got.abs().flatten(1).amax(1) if norm == "linf" else got.flatten(1).norm(dim=1)
    assert size.max() <= 0.7 + 1e-9
    inside = random_change(got, 0.7, norm, seeded(4))
    for other in (inside, -inside, 0.5 * got):
        assert torch.all(
            (change - got).flatten(1).norm(dim=1) <= (change - other).flatten(1).norm(dim=1) + 1e-9
        )
    assert torch.allclose(project(got, 0.7, norm), got)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_random_changes_fill_the_ball_evenly(norm):
    like = torch.zeros(4000, 3, dtype=torch.float64)
    drawn = random_change(like, 0.5, norm, seeded(5))
    size = drawn.abs().amax(1) if norm == "linf" else drawn.norm(dim=1)
    assert size.max() <= 0.5
    # Half of the volume lies within this share of the radius.
    assert (size < 0.5 * 0.5 ** (1 / 3)).double().mean() == pytest.approx(0.5, abs=0.03)
    assert drawn.mean(dim=0).abs().max() < 0.02
    assert torch.equal(drawn, random_change(like, 0.5, norm, seeded(5)))


def test_steepest_has_length_one_and_rests_where_there_is_no_slope():
    gradient = torch.tensor([[3.0, -4.0], [0.0, 0.0]])
    assert steepest(gradient).tolist() == [[1, -1], [0, 0]]
    assert torch.allclose(steepest(gradient, "l2"), torch.tensor([[0.6, -0.8], [0.0, 0.0]]))


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_pgd_stays_in_the_ball_and_finds_more_than_one_step(norm):
    model, (x, y) = network(), batch(40)
    epsilon = 0.2 if norm == "linf" else 1.0
    found = pgd(model, x, y, epsilon, norm=norm, generator=seeded())
    change = (found - x).flatten(1)
    size = change.abs().amax(1) if norm == "linf" else change.norm(dim=1)
    assert size.max() <= epsilon + 1e-9
    assert found.min() >= 0
    assert found.max() <= 1
    once = pgd(model, x, y, epsilon, steps=1, step_size=epsilon, norm=norm, random_start=False)
    assert mean_loss(model, found, y) >= mean_loss(model, once, y) > mean_loss(model, x, y)
    if norm == "linf":
        assert torch.equal(once, fgsm(model, x, y, epsilon))


def test_restarts_keep_the_worst_of_each_image():
    model, (x, y) = network(), batch(40)
    ends = [pgd(model, x, y, 0.3, steps=1, step_size=0.05, generator=seeded(s)) for s in (7, 8)]
    losses = torch.stack([per_sample_loss(model(end), y) for end in ends])
    one, two = seeded(7), seeded(8)

    class InTurn:
        """Gives the starts of two generators one after the other."""

        turns = iter([one, two])

    def start(like, epsilon, norm, generator):
        return random_change(like, epsilon, norm, next(InTurn.turns))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("course_lib.attacks.pgd.random_change", start)
        both = pgd(model, x, y, 0.3, steps=1, step_size=0.05, restarts=2)
    assert torch.allclose(per_sample_loss(model(both), y), losses.max(dim=0).values)
    assert 0 < losses.argmax(dim=0).sum() < 40, "each start should win somewhere"


def test_a_targeted_attack_with_restarts_keeps_the_lowest_loss():
    model, (x, y) = network(), batch()
    wanted = (y + 1) % 4
    once = pgd(model, x, wanted, 0.2, steps=3, targeted=True, generator=seeded())
    more = pgd(model, x, wanted, 0.2, steps=3, restarts=4, targeted=True, generator=seeded())
    first, best = (per_sample_loss(model(found), wanted) for found in (once, more))
    assert torch.all(best <= first + 1e-12)
    assert best.mean() < mean_loss(model, x, wanted)


@pytest.mark.slow
@pytest.mark.parametrize("targeted", [False, True])
def test_the_fields_library_agrees(targeted):
    from art.attacks.evasion import FastGradientMethod, ProjectedGradientDescent
    from art.estimators.classification import PyTorchClassifier

    model, (x, y) = network(dtype=torch.float32).cpu(), batch(30, torch.float32)
    x, y = x.cpu(), y.cpu()
    theirs = PyTorchClassifier(
        model,
        nn.CrossEntropyLoss(),
        input_shape=(1, 6, 6),
        nb_classes=4,
        clip_values=(0, 1),
        device_type="cpu",
    )
    one = FastGradientMethod(theirs, eps=0.1, targeted=targeted).generate(x.numpy(), y.numpy())
    assert np.abs(one - fgsm(model, x, y, 0.1, targeted=targeted).numpy()).max() < 1e-6
    for norm, name, epsilon in ((np.inf, "linf", 0.1), (2, "l2", 0.8)):
        many = ProjectedGradientDescent(
            theirs,
            norm=norm,
            eps=epsilon,
            eps_step=epsilon / 4,
            max_iter=8,
            num_random_init=0,
            targeted=targeted,
            verbose=False,
        ).generate(x.numpy(), y.numpy())
        ours = pgd(
            model,
            x,
            y,
            epsilon,
            steps=8,
            step_size=epsilon / 4,
            norm=name,
            random_start=False,
            targeted=targeted,
        )
        assert np.abs(many - ours.numpy()).max() < 1e-5, name


# The square attack -------------------------------------------------------------------------------


def test_the_square_attack_needs_no_gradient_and_stays_in_the_ball():
    inner, (x, y) = network(), batch(40)
    y = inner(x).argmax(dim=1)  # all are read right
    asked = []

    def model(images):
        assert not torch.is_grad_enabled()
        asked.append(len(images))
        return inner(images).detach().round(decimals=6)

    few, many = (
        square_attack(model, x, y, 0.3, queries=queries, generator=seeded()) for queries in (3, 150)
    )
    for found in (few, many):
        assert (found - x).abs().max() <= 0.3 + 1e-9
        assert found.min() >= 0
        assert found.max() <= 1
    left_few, left_many = ((inner(found).argmax(1) == y).sum() for found in (few, many))
    assert left_many < left_few < 40
    assert asked[0] == 40
    assert len(asked) <= 3 + 150
    assert asked[-1] < 40, "images that fool it already are left alone"


def test_margins_by_hand():
    logits = torch.tensor([[1.0, 4.0, 2.0], [1.0, 4.0, 2.0], [3.0, 3.0, 0.0]])
    assert margin(logits, torch.tensor([1, 2, 0])).tolist() == [2.0, -2.0, 0.0]
