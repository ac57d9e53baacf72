"""The ring of clouds: where its points lie, and that its coverage counts what is there."""

import doctest

import numpy as np
import pytest

from course_lib.data import rings


def test_examples_and_data_card():
    result = doctest.testmod(rings)
    assert result.attempted and not result.failed
    assert "License" in rings.__doc__ and "Known faults" in rings.__doc__


@pytest.mark.parametrize("modes", [5, 8])
def test_points_lie_around_their_centers(modes):
    points, cloud = rings.ring(8000, seed=3, modes=modes)
    offset = points - rings.centers(modes)[cloud]
    assert np.abs(offset.mean(axis=0)).max() < 0.003
    assert np.allclose(offset.std(axis=0), rings.SPREAD, rtol=0.05)
    assert np.allclose(np.hypot(*rings.centers(modes).T), rings.RADIUS)
    assert np.bincount(cloud, minlength=modes).min() > 0.8 * 8000 / modes
    again, _ = rings.ring(8000, seed=3, modes=modes)
    assert np.array_equal(points, again)
    assert not np.array_equal(points, rings.ring(8000, seed=4, modes=modes)[0])


def test_coverage_of_real_points_of_some_clouds_and_of_none():
    points, cloud = rings.ring(20_000, seed=0)
    whole = rings.coverage(points)
    assert whole.modes == 8 and whole.inside > 0.999 and np.allclose(whole.shares, 1 / 8, atol=0.02)
    some = rings.coverage(points[cloud < 3])
    assert some.modes == 3 and np.all(some.shares[3:] == 0)
    assert rings.coverage(np.zeros((50, 2)))[1:] == (0, 0.0)
    # A cloud counts from a fortieth of the points on.
    center = rings.centers()
    few = np.concatenate([np.repeat(center[:1], 975, axis=0), np.repeat(center[1:2], 25, axis=0)])
    assert rings.coverage(few).modes == 2
    assert rings.coverage(few[:-1]).modes == 1


def test_a_point_counts_up_to_four_standard_deviations():
    right = np.array(
        [[rings.RADIUS + 3.9 * rings.SPREAD, 0.0], [rings.RADIUS + 4.1 * rings.SPREAD, 0]]
    )
    assert rings.coverage(right).inside == 0.5


@pytest.mark.parametrize("points", [np.zeros((0, 2)), np.zeros(4), np.zeros((4, 3))])
def test_what_are_no_points_of_the_plane_is_refused(points):
    with pytest.raises(ValueError, match="shape \\(n, 2\\) with n > 0, but have"):
        rings.coverage(points)
