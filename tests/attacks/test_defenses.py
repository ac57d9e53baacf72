"""Adversarial training, and the certificate of randomized smoothing."""

import numpy as np
import pytest
import torch
from scipy.stats import binom, norm
from torch import nn

from course_lib import get_device
from course_lib.attacks.pgd import pgd
from course_lib.attacks.smoothing import certify, lower_bound
from course_lib.attacks.training import fit_adversarially
from course_lib.training import fit, predict


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def blobs(n=300):
    """Two classes: one strong pixel that is safe, nine weak ones that are not."""
    y = torch.randint(2, (n,), generator=seeded(1))
    sign = (2 * y - 1)[:, None].float()
    weights = torch.tensor([0.25] + [0.04] * 9)
    noise = torch.randn(n, 10, generator=seeded(2)) * torch.tensor([0.12] + [0.03] * 9)
    return (0.5 + sign * weights + noise).clamp(0, 1), y


def model_of(seed=0):
    torch.manual_seed(seed)
    return nn.Linear(10, 2).to(get_device())


def robust(model, x, y, epsilon):
    where = next(model.parameters()).device
    moved = pgd(model, x.to(where), y.to(where), epsilon, steps=5, generator=seeded())
    return (predict(model, moved).argmax(1) == y).float().mean().item()


def test_adversarial_training_relies_on_what_is_safe():
    x, y = blobs()
    plain, hard = model_of(), model_of()
    loss, rate = nn.functional.cross_entropy, 0.03
    fit(plain, loss, torch.optim.Adam(plain.parameters(), rate), (x, y), epochs=40)
    adam = torch.optim.Adam(hard.parameters(), rate)
    history = fit_adversarially(hard, adam, (x, y), epsilon=0.08, epochs=40)
    weak = []
    for model in (plain, hard):
        w = (model.weight[1] - model.weight[0]).abs().detach().cpu()
        weak.append((w[1:].mean() / w[0]).item())
    # An attack of 0.08 outweighs what the weak pixels know, which is 0.04.
    assert weak[1] < 0.5 * weak[0], weak
    assert robust(hard, x, y, 0.08) > robust(plain, x, y, 0.08)
    assert not hard.training
    assert len(history) == 40
    assert history[-1] < history[0]


def test_with_no_change_allowed_it_is_plain_training():
    x, y = blobs()
    plain, hard = model_of(), model_of()
    fit(
        plain,
        nn.functional.cross_entropy,
        torch.optim.SGD(plain.parameters(), 0.1),
        (x, y),
        epochs=3,
        batch_size=50,
        seed=4,
    )
    fit_adversarially(
        hard, torch.optim.SGD(hard.parameters(), 0.1), (x, y), epsilon=0.0, epochs=3, seed=4
    )
    for one, other in zip(plain.parameters(), hard.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)


@pytest.mark.parametrize(
    ("count", "n", "doubt"), [(95, 100, 0.001), (500, 500, 0.01), (7, 30, 0.05)]
)
def test_the_bound_is_where_the_count_would_be_a_surprise(count, n, doubt):
    p = lower_bound(count, n, doubt)
    assert binom.sf(count - 1, n, p) == pytest.approx(doubt, rel=1e-6)
    assert p < count / n
    assert lower_bound(0, n) == 0.0


def test_the_certified_radius_of_a_half_space_is_the_distance_to_its_edge():
    w = torch.tensor([0.6, 0.8])

    def model(x):
        z = x @ w.to(x) - 0.5
        return torch.stack([-z, z], dim=1)

    x = torch.tensor([[0.7, 0.7], [0.2, 0.3], [0.5, 0.25]], device=get_device())
    distance = (x @ w.to(x) - 0.5).abs().cpu().numpy()
    answers, radius = certify(model, x, 0.25, samples=20_000, first=100, generator=seeded())
    assert answers.tolist() == [1, 0, -1]
    assert np.all(radius[:2] <= distance[:2])  # the bound is on the safe side
    assert radius[:2] == pytest.approx(distance[:2], abs=0.03)
    assert radius[2] == 0.0


def test_more_copies_prove_more_and_never_more_than_they_can():
    def sure(x):
        return torch.stack([torch.ones(len(x)), torch.zeros(len(x))], dim=1)

    for samples in (50, 500):
        _, (radius,) = certify(sure, torch.zeros(1, 3), 1.0, samples=samples, generator=seeded())
        assert radius == pytest.approx(norm.ppf(0.001 ** (1 / samples)))
