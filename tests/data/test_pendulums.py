"""Our pendulums are Gymnasium's, step by step."""

import doctest

import gymnasium as gym
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from course_lib.data import pendulums
from course_lib.data.pendulums import Pendulums


def test_examples():
    result = doctest.testmod(pendulums)
    assert result.attempted and not result.failed


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_steps_are_those_of_gymnasium(seed):
    ours, theirs = Pendulums(3, limit=10**9), gym.make("Pendulum-v1").unwrapped
    ours.reset(seed=seed)
    theirs.reset(seed=seed)
    rng = np.random.default_rng(seed)
    start = rng.uniform([-20, -8], [20, 8])
    ours.state[1] = theirs.state = start
    for _ in range(100):
        torque = rng.uniform(-3, 3)
        seen, rewards, ended, _, _ = ours.step(np.array([0.0, torque, 1.0]))
        its, reward, *_ = theirs.step(np.array([torque]))
        assert_allclose(seen[1], its, atol=1e-6)
        assert_allclose(rewards[1], reward, rtol=1e-9)
        assert not ended.any()


def test_starts_are_drawn_from_gymnasiums_range():
    swing = Pendulums(4000)
    swing.reset(seed=0)
    low, high = swing.state.min(axis=0), swing.state.max(axis=0)
    assert_allclose(low, [-np.pi, -1], atol=0.01)
    assert_allclose(high, [np.pi, 1], atol=0.01)


def test_time_is_up_after_the_limit_and_another_one_begins():
    swing = Pendulums(5, limit=3)
    swing.reset(seed=0)
    cuts = []
    for _ in range(7):
        seen, _, _, cut, info = swing.step(np.zeros(5))
        cuts.append(cut.copy())
        assert np.allclose(seen, info["final_obs"]) == (not cut.any())
    assert_array_equal(np.array(cuts)[:, 0], [0, 0, 1, 0, 0, 1, 0])


def test_staggered_ones_are_not_cut_all_at_once():
    swing = Pendulums(200, limit=50)
    swing.reset(seed=0, stagger=True)
    cuts = [swing.step(np.zeros(200))[3].sum() for _ in range(50)]
    assert sum(cuts) == 200 and max(cuts) < 20


def test_nothing_swings_before_a_reset():
    with pytest.raises(RuntimeError, match="reset"):
        Pendulums(1).step(np.zeros(1))
