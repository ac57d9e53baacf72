"""Two towers: what they read, and what the correction of their loss makes them learn."""

import doctest

import numpy as np
import pytest
import torch
from torch.nn import functional

from course_lib.models import two_towers
from course_lib.models.two_towers import TwoTowers, histories, sampled_softmax


def test_examples():
    result = doctest.testmod(two_towers)
    assert result.attempted and not result.failed


def test_scores_are_dot_products_of_the_towers():
    torch.manual_seed(0)
    net = TwoTowers(np.eye(5, 3), width=4).eval()
    history, item = torch.rand(6, 5).round(), torch.tensor([4, 0])
    scores = net(history, item)
    assert scores.shape == (6, 2)
    assert torch.allclose(scores, net.users(history) @ net.items(item).T)


def test_a_new_item_is_known_by_its_tags_alone():
    torch.manual_seed(0)
    net = TwoTowers([[1, 0], [1, 0], [0, 1]]).eval()
    unknown = torch.zeros(3, dtype=torch.bool)
    first, same, other = net.items(torch.arange(3), unknown)
    assert torch.equal(first, same) and not torch.allclose(first, other)
    first, same, _ = net.items(torch.arange(3))
    assert not torch.allclose(first, same)


def test_numbers_are_forgotten_in_training_only():
    torch.manual_seed(0)
    net = TwoTowers(np.zeros((4, 2)), forget=0.5)
    bias = net.described.bias
    item = torch.zeros(4000, dtype=torch.long)
    hidden = torch.isclose(net.items(item), bias).all(dim=1).float().mean()
    assert hidden.item() == pytest.approx(0.5, abs=0.04)
    assert not torch.isclose(net.eval().items(item), bias).all(dim=1).any()


def test_repeated_items_are_no_negatives():
    scores = torch.randn(3, 3)
    item = torch.tensor([7, 1, 7])
    wanted = (
        functional.cross_entropy(scores[0, :2][None], torch.tensor([0]))
        + functional.cross_entropy(scores[1][None], torch.tensor([1]))
        + functional.cross_entropy(scores[2, 1:][None], torch.tensor([1]))
    ) / 3
    assert torch.allclose(sampled_softmax(scores, item), wanted)


def learned(corrected, seed=0, m=40, steps=500):
    """Scores of items for everybody, learned from draws with known shares."""
    rng = np.random.default_rng(seed)
    share = torch.tensor(rng.dirichlet(np.full(m, 2.0))).float()
    score = torch.zeros(m, requires_grad=True)
    optimizer = torch.optim.Adam([score], lr=0.05)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        item = torch.multinomial(share, 64, replacement=True, generator=generator)
        loss = sampled_softmax(score[item].expand(64, -1), item, share.log() if corrected else None)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return score.detach().numpy(), share.log().numpy()


def test_the_correction_brings_popularity_back():
    score, log_share = learned(corrected=True)
    assert np.polyfit(log_share, score, 1)[0] > 0.6
    score, log_share = learned(corrected=False)
    assert abs(np.polyfit(log_share, score, 1)[0]) < 0.2


def test_histories_are_what_came_before():
    rng = np.random.default_rng(0)
    pairs = rng.permutation([(u, i) for u in range(4) for i in range(5)])[:14]
    before, after = histories(pairs[:, 0], pairs[:, 1], (5, 5))
    for row, (user, _) in enumerate(pairs):
        wanted = np.zeros(5)
        wanted[[i for u, i in pairs[:row] if u == user]] = 1
        assert before[row].tolist() == wanted.tolist()
    assert after.sum() == 14 and after[4].sum() == 0
