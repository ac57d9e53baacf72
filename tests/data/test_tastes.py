"""Made viewers and films: what the log says, and that it says what it was made to say."""

import doctest

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from course_lib.data import tastes


def test_examples():
    result = doctest.testmod(tastes)
    assert result.attempted and not result.failed


def test_the_same_seed_gives_the_same_world_and_log():
    for one, other in zip(tastes.make(seed=3), tastes.make(seed=3), strict=True):
        assert_array_equal(one, other)
    world = tastes.make(seed=3)
    for one, other in zip(tastes.live(world, seed=1), tastes.live(world, seed=1), strict=True):
        assert_array_equal(one, other)
    assert len(tastes.live(world, seed=1).user) != len(tastes.live(world, seed=2).user)


def test_the_minority_leans_the_other_way():
    world = tastes.make(users=4000, seed=0)
    lean = world.tastes[:, 0]
    assert world.minority.mean() == tastes.MINORITY
    assert lean[world.minority].mean() == pytest.approx(-1.8, abs=0.1)
    assert lean[~world.minority].mean() == pytest.approx(0.9, abs=0.05)


def test_nobody_takes_a_film_twice_nor_before_it_is_out():
    world = tastes.make(seed=1)
    log = tastes.live(world, seed=1)
    pairs = set(zip(log.user.tolist(), log.item.tolist(), strict=True))
    assert len(pairs) == len(log.user)
    assert np.all(log.day >= world.released[log.item])
    assert log.day.min() >= 0 and log.day.max() <= tastes.DAYS
    assert log.stars.min() >= 1 and log.stars.max() <= 5


def test_first_takes_follow_exposure_times_taste():
    # All viewers join on day 0 and take their first film at once: a draw from one softmax.
    world = tastes.make(users=2, items=5, seed=4)
    world = world._replace(
        tastes=np.repeat(world.tastes[:1], 4000, axis=0),
        minority=np.zeros(4000, dtype=bool),
        released=np.zeros(5),
    )
    log = tastes.live(world, takes=2, seed=0)
    first = {}
    for user, item in zip(log.user.tolist(), log.item.tolist(), strict=True):
        first.setdefault(user, item)
    share = np.bincount(list(first.values()), minlength=5) / len(first)
    # With all films of one age, the day does not matter.
    logits = world.placement + tastes.enjoyment(world)[0]
    wanted = np.exp(logits - logits.max())
    assert_allclose(share, wanted / wanted.sum(), atol=0.03)


def test_stars_are_the_enjoyment_with_noise():
    world = tastes.make(seed=2)
    log = tastes.live(world, seed=2)
    likes = tastes.enjoyment(world)[log.user, log.item]
    inside = np.abs(likes) < 1.5
    error = log.stars[inside] - 3 - 2 / 3 * likes[inside]
    assert abs(error.mean()) < 0.02 and error.std() == pytest.approx(0.5, abs=0.02)


def test_tags_say_something_of_the_character():
    world = tastes.make(seed=0)
    X = np.column_stack([world.tags, np.ones(240)])
    fit = X[:160], world.characters[:160]
    weights = np.linalg.lstsq(*fit, rcond=None)[0]
    rest = world.characters[160:]
    explained = 1 - np.sum((rest - X[160:] @ weights) ** 2) / np.sum(rest**2)
    assert explained > 0.5


def test_films_age():
    world = tastes.make(seed=0)
    today, later = (tastes.shown(world, day) for day in (100.0, 100.0 + tastes.HALF_LIFE))
    out = np.isfinite(today)
    assert_allclose(later[out] - today[out], -np.log(2))
    assert np.all(~out == (world.released > 100))
