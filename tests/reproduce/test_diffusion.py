"""The measures of the diffusion experiment, against what can be computed in another way."""

from __future__ import annotations

import doctest
import math

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from course_lib.models.diffusion import Schedule
from course_lib.reproduce import diffusion
from course_lib.reproduce.diffusion import Noised, bound, frechet


def test_examples():
    result = doctest.testmod(diffusion)
    assert result.attempted and not result.failed


def pixels(levels):
    return (torch.tensor(levels, dtype=torch.float32) / 127.5 - 1)[:, None]


def test_the_bound_of_the_best_model_lies_just_above_the_entropy():
    """Every gray value is as likely as every other: no model needs less than 8 bits a pixel."""
    steps, values = 240, pixels(range(256))[:, 0].double()
    schedule = Schedule(steps)
    # Noise that grows by the same factor at each step: the finer, the tighter is the bound.
    odds = torch.logspace(-4, 5, steps, dtype=torch.float64)
    schedule.alpha_bar = torch.cat([torch.ones(1), (1 / (1 + odds)).float()])

    def best(x, time):
        kept = schedule.alpha_bar.double()[(time * steps).round().long()][:, None]
        logits = -((x.double() - kept.sqrt() * values) ** 2) / (2 * (1 - kept))
        x0 = (logits.softmax(1) * values).sum(1, keepdim=True)
        return ((x.double() - kept.sqrt() * x0) / (1 - kept).sqrt()).float()

    def bits(model):
        chance = torch.Generator().manual_seed(0)
        return bound(model, schedule, pixels(range(256)), steps, chance).mean()

    least = bits(best)
    assert 8 < least < 8.5
    assert bits(lambda x, time: 0.9 * best(x, time)) > least + 0.05


def test_a_model_that_knows_the_image_pays_only_for_the_ends():
    schedule = Schedule(50, 0.99)
    image = pixels([100])

    def knows(x, time):
        kept = schedule.alpha_bar[(time * 50).round().long()][:, None]
        return (x - kept.sqrt() * image) / (1 - kept).sqrt()

    bits = bound(knows, schedule, image, 50, torch.Generator().manual_seed(0))
    kept = schedule.alpha_bar.double()
    start = kl_divergence(
        Normal(kept[-1].sqrt() * image.double(), (1 - kept[-1]).sqrt()), Normal(0.0, 1.0)
    )
    spread = Normal(0.0, (1 - kept[1]).sqrt())
    end = -(spread.cdf(torch.tensor(1 / 255)) - spread.cdf(torch.tensor(-1 / 255))).log()
    assert bits[0] == pytest.approx((start + end).item() / math.log(2), rel=1e-3)


def test_terms_are_divergences_of_the_steps_back():
    schedule = Schedule(20, 0.9)
    alpha_bar = schedule.alpha_bar.double()
    generator = torch.Generator().manual_seed(0)
    x0, noise, predicted = (torch.randn(6, 5, generator=generator) for _ in range(3))
    t = torch.tensor([2, 3, 7, 11, 19, 20])
    terms = diffusion._divergence(alpha_bar, t, noise, predicted)
    x = schedule.noised(x0, t, noise).double()
    for k in range(6):
        now, to = alpha_bar[t[k]], alpha_bar[t[k] - 1]
        beta = 1 - now / to
        spread = (beta * (1 - to) / (1 - now)).sqrt()
        # Equations 6 and 7 of the paper, with the true and with the estimated image.
        guess = (x[k] - (1 - now).sqrt() * predicted[k]) / now.sqrt()
        means = [
            to.sqrt() * beta / (1 - now) * image + (1 - beta).sqrt() * (1 - to) / (1 - now) * x[k]
            for image in (x0[k].double(), guess)
        ]
        expected = kl_divergence(*(Normal(mean, spread) for mean in means)).mean()
        assert terms[k].item() == pytest.approx(expected.item(), rel=1e-4)


def test_the_distance_is_that_of_normal_clouds():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(4000, 3))
    spread = np.diag([1.0, 2.0, 0.5])
    other = points @ spread + [1.0, 0.0, -2.0]
    # Along axes that both share, roots of covariances are numbers.
    expected = 5 + ((np.diag(spread) - 1) ** 2).sum()
    assert frechet(points, other) == pytest.approx(expected, rel=0.1)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    assert frechet(points @ turn, other @ turn) == pytest.approx(frechet(points, other), rel=1e-6)
    assert frechet(points, other) == pytest.approx(frechet(other, points), rel=1e-6)


def test_training_sees_each_image_once_with_the_noise_that_is_asked_for():
    schedule = Schedule(10)
    images = torch.rand(20, 4, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    seen = []
    for (x, time), noise in Noised(images, schedule, 8):
        t = (time * 10).round().long()
        assert t.min() >= 1 and t.max() <= 10
        kept = schedule.alpha_bar[t][:, None]
        x0 = (x - (1 - kept).sqrt() * noise) / kept.sqrt()
        gaps = (x0[:, None] - images).abs().amax(2)
        assert gaps.min(1).values.max() < 1e-4
        seen += gaps.argmin(1).tolist()
    assert sorted(seen) == list(range(20))


def test_what_is_measured_is_the_average_of_the_weights():
    torch.manual_seed(0)
    model = diffusion._Model(diffusion.EXPERIMENT.small)
    optimizer = torch.optim.SGD(model.network.parameters(), lr=0.1)
    x, time = torch.randn(2, 784), torch.tensor([0.1, 0.9])
    kept = []
    for _ in range(3):
        kept.append([p.detach().clone() for p in model.network.parameters()])
        optimizer.zero_grad()
        model((x, time)).square().sub(x).mean().backward()
        optimizer.step()
    for average, *weights in zip(model.average.parameters(), *kept, strict=True):
        # Each time half of the way to the weights at the start of the step.
        expected = ((weights[0] + weights[1]) / 2 + weights[2]) / 2
        assert torch.allclose(average, expected, atol=1e-6)
    model.eval()
    with torch.no_grad():
        model.network.head[-1].bias += 100
        before = model((x, time))
        model.average.module.head[-1].bias += 1
        assert torch.allclose(model((x, time)), before + 1, atol=1e-5)
