"""The simulated cars: roads close, equations hold, and cars do not disturb each other."""

import doctest

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.integrate import solve_ivp

from course_lib.data import driving
from course_lib.data.driving import DT, EDGE, GRAVITY, LIMIT, SPEED, Car, Traffic, wrap

ROADS = driving.draw_roads(6, seed=3)


def test_examples():
    result = doctest.testmod(driving)
    assert result.attempted and not result.failed


@pytest.mark.parametrize("turns", [-3, -1, 0, 1, 5])
def test_an_angle_is_wrapped_whatever_the_number_of_turns(turns):
    angle = np.linspace(-3.1, 3.1, 50)
    assert_allclose(wrap(angle + 2 * np.pi * turns), angle, atol=1e-12)


def test_roads_are_closed_and_their_parts_fit_together():
    x, y, heading = ROADS.at(np.arange(6), 0.0)
    again = ROADS.at(np.arange(6), ROADS.length)
    assert_allclose(again[:2], [x, y], atol=1e-9)
    step = ROADS.length / 512
    assert_allclose(
        np.hypot(np.diff(ROADS.x), np.diff(ROADS.y)), np.tile(step[:, None], 511), rtol=2e-3
    )
    # Headings turn once around, and curvature is how fast they do.
    assert_allclose((ROADS.curvature * step[:, None]).sum(axis=1), 2 * np.pi, rtol=1e-6)
    assert np.abs(ROADS.curvature).max() < 1 / 14
    assert_allclose(wrap(heading - ROADS.heading[:, 0]), 0, atol=1e-12)


def test_a_place_lies_between_its_neighbors_also_across_the_seam():
    road = np.zeros(3, int)
    s = ROADS.length[0] - np.array([0.1, 0.05, 0.0])
    x, y, heading = ROADS.at(road, s)
    assert_allclose(np.hypot(np.diff(x), np.diff(y)), 0.05, rtol=1e-2)
    assert np.abs(wrap(np.diff(heading))).max() < 0.01
    assert_allclose(ROADS.bend(road, s), ROADS.curvature[0, 0], atol=2e-3)


def test_a_circle_has_the_curvature_of_its_radius():
    circle = driving.draw_roads(1, seed=0, radius=50, bends=0)
    assert_allclose(circle.curvature, 1 / 50, rtol=1e-3)
    assert_allclose(circle.length, 2 * np.pi * 50, rtol=1e-4)


def test_the_same_seed_draws_the_same_roads_and_cars():
    again = driving.draw_roads(6, seed=3)
    assert_array_equal(again.x, ROADS.x)
    assert not np.array_equal(driving.draw_roads(6, seed=4).x, ROADS.x)
    one, other = driving.draw_cars(5, 0), driving.draw_cars(5, 0)
    assert_array_equal(one.wheelbase, other.wheelbase)
    many = driving.draw_cars(2000, 1)
    assert set(many.delay) == {0, 1, 2, 3, 4}
    assert many.grip.min() >= 0.6 and many.wheelbase.max() <= 4.0


def test_a_step_is_the_bicycle_on_the_plane():
    """On a straight road, many small steps follow the equations in x, y and heading."""
    wheels, car = 0.1, Car()

    def slopes(_, state):
        return [
            SPEED * np.cos(state[2]),
            SPEED * np.sin(state[2]),
            SPEED * np.tan(wheels) / car.wheelbase,
        ]

    exact = solve_ivp(slopes, (0, 5 * DT), [0, 0.4, -0.1], rtol=1e-9).y[:, -1]
    state = np.array([0.0, 0.4, -0.1])
    for _ in range(5):
        state = driving.move(state, wheels, 0.0, car)
    assert_allclose(state, exact, atol=0.09)


def test_the_middle_is_kept_by_the_angle_that_the_bend_asks_for():
    state = np.array([0.0, 0.0, 0.0])
    for _ in range(30):
        state = driving.move(state, np.arctan(2.7 * 0.03), 0.03, Car())
    assert_allclose(state, [30 * SPEED * DT, 0, 0], atol=1e-9)


def test_grip_and_the_stop_of_the_wheels_limit_the_turn():
    start = np.zeros(3)
    most = DT * GRAVITY * 0.5 / SPEED
    assert_allclose(driving.move(start, LIMIT, 0.0, Car(grip=0.5))[2], most)
    weak = Car(wheelbase=20.0)
    assert_allclose(driving.move(start, 9.0, 0.0, weak), driving.move(start, LIMIT, 0.0, weak))


def seen_at(row):
    """Where the two lines cross a fine row of pixels, in meters to the left, the left one first."""
    at = 10 * np.tan(np.linspace(0.5, -0.5, len(row)))
    middle = (row @ at) / row.sum()
    return [(row[side] @ at[side]) / row[side].sum() for side in (at > middle, at < middle)]


def test_the_camera_sees_the_edges_where_they_are():
    straight = driving.draw_roads(1, seed=0, radius=1e4, bends=0)
    road = np.array([0])

    def look(d, psi, **how):
        return driving.camera(straight, road, np.array([[0.0, d, psi]]), pixels=801, **how)[0]

    assert_allclose(seen_at(look(0, 0)), [EDGE, -EDGE], atol=0.1)
    # A car to the left sees the lines further to the right, and so does one that looks left.
    assert_allclose(seen_at(look(1, 0)), [1.0, -3.0], atol=0.1)
    wanted = -10 * np.tan(0.2) + np.array([EDGE, -EDGE]) / np.cos(0.2)
    assert_allclose(seen_at(look(0, 0.2)), wanted, atol=0.1)
    assert_allclose(look(0.3, 0, paint=0.5), look(0.3, 0) / 2)


def test_a_left_bend_is_seen_on_the_left():
    circle = driving.draw_roads(1, seed=0, radius=40, bends=0)
    row = driving.camera(circle, np.array([0]), np.zeros((1, 3)), pixels=201)[0]
    at = 10 * np.tan(np.linspace(0.5, -0.5, 201))
    assert (row @ at) / row.sum() > 0.5


def test_a_command_arrives_late_by_the_delay():
    car = Car(delay=np.array([0, 1, 3]))
    traffic = Traffic(3, ROADS, car, gust=0.0)
    traffic.reset(seed=0)
    traffic.state[:] = [0.0, 0.0, 0.0]
    turned = []
    for _ in range(4):
        traffic.state[:, :] = 0.0
        before = traffic.curvature()
        traffic.step(np.full(3, 0.2))
        turned.append(traffic.state[:, 2] + DT * SPEED * before > 0.03)
    assert np.array(turned).sum(axis=0).tolist() == [4, 3, 1]


def test_endings_are_told_apart_and_begin_anew():
    traffic = Traffic(4, ROADS, limit=5, gust=0.0, start=0.1)
    traffic.reset(seed=1)
    for _ in range(4):
        *_, left, stopped, _ = traffic.step(np.zeros(4))
        assert not left.any() and not stopped.any()
    seen, rewards, left, stopped, info = traffic.step(np.zeros(4))
    assert stopped.all() and not left.any()
    assert np.abs(traffic.state[:, 1]).max() <= 0.1
    assert not np.allclose(seen, info["final_obs"])
    traffic.state[0, 1] = 1.99
    traffic.state[0, 2] = 0.8
    seen, rewards, left, stopped, info = traffic.step(np.zeros(4))
    assert left.tolist() == [True, False, False, False] and not stopped.any()
    assert info["d"][0] > EDGE and rewards[0] < -1.5 and abs(seen[0, 0]) <= 0.1


def test_rewards_are_those_of_the_document():
    traffic = Traffic(2, ROADS, gust=0.0)
    traffic.reset(seed=2)
    traffic.step(np.array([0.1, -0.1]))
    _, rewards, _, _, info = traffic.step(np.array([0.2, -0.3]))
    assert_allclose(rewards, 1 - info["d"] ** 2 - 2 * np.array([0.1, 0.2]) ** 2)


def test_the_same_seed_gives_the_same_drive_and_gusts_stay_within_their_bound():
    drives = []
    for _ in range(2):
        traffic = Traffic(50, ROADS, gust=0.02, limit=10**9)
        traffic.reset(seed=7)
        states = []
        for _ in range(3):
            before = driving.move(traffic.state, 0.0, traffic.curvature(), traffic.car)
            traffic.step(np.zeros(50))
            states.append(traffic.state.copy())
            assert np.abs(wrap(traffic.state[:, 2] - before[:, 2])).max() <= 0.02
        drives.append(states)
    assert_array_equal(drives[0], drives[1])


def test_a_drive_needs_a_start():
    with pytest.raises(RuntimeError, match="reset"):
        Traffic(1, ROADS).step(np.zeros(1))
