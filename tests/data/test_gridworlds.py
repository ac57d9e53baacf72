"""Worlds of squares: the arrays against hand counts and Gymnasium, the steps against the arrays."""

import gymnasium as gym
import numpy as np
import pytest

from course_lib.data import gridworlds

UP, RIGHT, DOWN, LEFT = range(4)
NAMES = ["ice", "cliff", "crumbs"]


@pytest.fixture(params=NAMES)
def world(request):
    return gridworlds.load(request.param)


def test_chances_add_up_and_ends_hold(world):
    assert np.allclose(world.P.sum(axis=2), 1)
    assert world.P.min() >= 0
    for s in np.flatnonzero(world.terminal | (world.letters.ravel() == "#")):
        assert np.all(world.P[s, :, s] == 1)
        assert np.all(world.R[s] == 0)
    assert world.letters.ravel()[world.start] == "S"
    assert set(world.letters.ravel()[world.terminal]) <= set("GX")


def test_nobody_walks_into_walls(world):
    walls = np.flatnonzero(world.letters.ravel() == "#")
    others = np.flatnonzero(world.letters.ravel() != "#")
    assert np.all(world.P[np.ix_(others, range(4), walls)] == 0)


def test_a_move_and_its_slips():
    world = gridworlds.parse("...\n.S.\n...", slip=0.2)
    wanted = np.zeros(9)
    wanted[[1, 3, 5]] = 0.8, 0.1, 0.1  # up, and off to the left and right
    assert np.allclose(world.P[4, UP], wanted)
    wanted = np.zeros(9)
    wanted[[5, 1, 7]] = 0.8, 0.1, 0.1
    assert np.allclose(world.P[4, RIGHT], wanted)
    corner = np.zeros(9)
    corner[[0, 1]] = 0.9, 0.1  # up and left both stay in place
    assert np.allclose(world.P[0, UP], corner)


def test_rewards_are_paid_on_arrival_each_time():
    world = gridworlds.parse("So.G", {"o": 0.5, "G": 2.0}, step=-0.1)
    assert world.R[0, RIGHT, 1] == pytest.approx(0.4)
    assert world.R[1, UP, 1] == pytest.approx(0.4)
    assert world.R[2, RIGHT, 3] == pytest.approx(1.9)
    assert world.R[0, LEFT, 0] == pytest.approx(-0.1)


def test_the_cliff_is_gymnasiums_but_for_what_a_fall_does():
    ours = gridworlds.load("cliff")
    theirs = gym.make("CliffWalking-v1").unwrapped.P
    for s in range(48):
        if ours.terminal[s]:
            continue
        for a in range(4):
            ((chance, after, reward, _),) = theirs[s][a]
            if reward == -100:
                (fell,) = np.flatnonzero(ours.P[s, a])
                assert ours.letters.ravel()[fell] == "X"
                assert ours.R[s, a, fell] == -100
            else:
                assert ours.P[s, a, after] == chance == 1
                assert ours.R[s, a, after] == reward


def test_steps_happen_as_often_as_the_arrays_say():
    world = gridworlds.load("ice")
    env = world.make()
    env.reset(seed=4)
    counts, rewards = np.zeros(35), {}
    for _ in range(4000):
        env.reset()
        after, reward, terminated, truncated, info = env.step(RIGHT)
        counts[after] += 1
        rewards[after] = reward
        assert not terminated
        assert not truncated
        assert info == {}
    expected = world.P[world.start, RIGHT]
    assert np.all(np.abs(counts / 4000 - expected) < 0.03)
    assert np.all((counts > 0) == (expected > 0))
    assert all(world.R[world.start, RIGHT, t] == r for t, r in rewards.items())


def test_the_same_seed_is_the_same_walk():
    def walk(seed):
        env = gridworlds.load("ice").make(50)
        squares, over = [env.reset(seed=seed)[0]], False
        while not over:
            s, _, terminated, truncated, _ = env.step(len(squares) % 4)
            squares.append(s)
            over = terminated or truncated
        return squares

    assert walk(1) == walk(1)
    assert len({tuple(walk(seed)) for seed in range(5)}) > 1


def test_an_end_terminates_and_a_limit_truncates():
    env = gridworlds.parse("S.G", {"G": 1.0}).make(max_steps=2)
    env.reset(seed=0)
    assert env.step(LEFT)[2:4] == (False, False)
    assert env.step(LEFT)[2:4] == (False, True)
    with pytest.raises(RuntimeError, match="reset"):
        env.step(LEFT)
    env.reset()
    env.step(RIGHT)
    # In the last step that there is, an end is an end.
    assert env.step(RIGHT) == (2, 1.0, True, False, {})


def test_an_episode_may_begin_anywhere_on_the_floor():
    world = gridworlds.load("ice")
    env = world.make()
    first = env.reset(seed=0, options={"anywhere": True})[0]
    begun = {first, *(env.reset(options={"anywhere": True})[0] for _ in range(400))}
    floor = ~world.terminal & (world.letters.ravel() != "#")
    assert begun == set(np.flatnonzero(floor).tolist())
    assert env.reset()[0] == world.start


def test_changes_to_a_world():
    dry = gridworlds.load("ice", slip=0.0)
    assert set(np.unique(dry.P)) == {0.0, 1.0}
    paid = gridworlds.load("crumbs", rewards={"o": 0.25})
    assert paid.R[2, RIGHT, 3] == 0.25
    assert gridworlds.load("crumbs").R[2, RIGHT, 3] == 0
    assert paid.R[6, RIGHT, 7] == 1


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: gridworlds.parse("..\n..."), "same length"),
        (lambda: gridworlds.parse(""), "same length"),
        (lambda: gridworlds.parse("..G"), "one start"),
        (lambda: gridworlds.parse("SS"), "one start"),
        (lambda: gridworlds.parse("S.", {"G": 1.0}), "G"),
        (lambda: gridworlds.parse("S.", slip=1.5), "slip"),
        (lambda: gridworlds.load("lava"), "ice, cliff, crumbs"),
        (lambda: gridworlds.load("ice").make(0), "max_steps"),
    ],
)
def test_what_makes_no_sense_is_refused(make, says):
    with pytest.raises(ValueError, match=says):
        make()


def test_a_step_needs_an_episode_and_a_move_that_exists():
    env = gridworlds.load("ice").make()
    with pytest.raises(RuntimeError, match="reset"):
        env.step(UP)
    env.reset(seed=0)
    with pytest.raises(ValueError, match="0, 1, 2 or 3"):
        env.step(4)
