"""Shapley values against Captum, all orders of arrival, and the axioms."""

from itertools import permutations

import numpy as np
import pytest
import torch
from captum import attr
from torch import nn

from course_lib.explain import shapley


def game(players, seed=0):
    """Make a game of which every coalition has a value of its own."""
    values = np.random.default_rng(seed).normal(size=2**players)
    return lambda coalitions: values[coalitions @ (1 << np.arange(players))]


def by_all_orders(value, players):
    gains = np.zeros(players)
    orders = list(permutations(range(players)))
    for order in orders:
        present = np.zeros(players, dtype=bool)
        for player in order:
            before = value(present[np.newaxis])[0]
            present[player] = True
            gains[player] += value(present[np.newaxis])[0] - before
    return gains / len(orders)


@pytest.mark.parametrize("players", [1, 2, 3, 5])
def test_exact_values_are_the_mean_over_all_orders(players):
    value = game(players)
    assert shapley.exact(value, players) == pytest.approx(by_all_orders(value, players))


def test_the_axioms_hold():
    value = game(4)
    found = shapley.exact(value, 4)
    ends = value(np.array([[False] * 4, [True] * 4]))
    assert found.sum() == pytest.approx(ends[1] - ends[0])

    def with_a_dummy(coalitions):  # the last player adds 2 to whatever the others reach
        return value(np.insert(coalitions[:, :3], 3, False, axis=1)) + 2 * coalitions[:, 3]

    assert shapley.exact(with_a_dummy, 4)[3] == pytest.approx(2)

    def alike(coalitions):  # players 0 and 1 are interchangeable
        return (coalitions[:, 0] | coalitions[:, 1]) * (1.0 + 2 * coalitions[:, 2])

    first, second, third = shapley.exact(alike, 3)
    assert first == pytest.approx(second) == pytest.approx(5 / 6)
    assert third == pytest.approx(4 / 3)


def test_sampling_is_complete_and_closes_in_at_the_root_of_n():
    value = game(6)
    exact, ends = shapley.exact(value, 6), value(np.array([[False] * 6, [True] * 6]))
    errors = []
    for n in (25, 400):
        found = np.array([shapley.sampled(value, 6, n, seed) for seed in range(60)])
        assert found.sum(axis=1) == pytest.approx(ends[1] - ends[0])
        errors.append(np.sqrt(np.mean((found - exact) ** 2)))
    assert 3.4 < errors[0] / errors[1] < 4.7
    one = shapley.sampled(value, 6, 3, seed=1)
    assert np.array_equal(one, shapley.sampled(value, 6, 3, seed=1))
    assert not np.array_equal(one, shapley.sampled(value, 6, 3, seed=2))


def test_a_network_against_captum():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Dropout(0.5), nn.Linear(8, 3))
    sample, background = torch.randn(5), torch.randn(1, 5)
    value = shapley.values_of(model, sample, background, target=1)
    ours = shapley.exact(value, 5)
    assert model.training
    model.eval()
    theirs = attr.ShapleyValues(model).attribute(sample[None], baselines=background, target=1)
    assert ours == pytest.approx(theirs[0].detach().numpy(), abs=1e-5)
    torch.manual_seed(1)
    drawn = attr.ShapleyValueSampling(model).attribute(
        sample[None], baselines=background, target=1, n_samples=400
    )
    many = shapley.sampled(value, 5, 400, seed=0)
    assert many == pytest.approx(drawn[0].detach().numpy(), abs=0.1)


def test_several_rows_of_background_are_averaged():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))
    sample, background = torch.randn(3), torch.randn(7, 3)
    together = shapley.values_of(model, sample, background, 0, batch_size=20)
    each = [shapley.values_of(model, sample, row[None], 0) for row in background]
    coalitions = shapley.all_coalitions(3)
    mean = np.mean([value(coalitions) for value in each], axis=0)
    assert together(coalitions) == pytest.approx(mean, abs=1e-6)
    assert together(coalitions)[-1] == pytest.approx(model(sample[None])[0, 0].item(), abs=1e-6)


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(ValueError, match="2 \\*\\* 30"):
        shapley.all_coalitions(30)
    with pytest.raises(ValueError, match="1 or more"):
        shapley.sampled(game(2), 2, 0, seed=0)
