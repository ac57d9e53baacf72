"""Runs that are interrupted."""

import numpy as np
import pytest

from course_lib.distributed.preemption import expected, simulate, young

SPOT = {"cost": 0.1, "between": 5.0, "restart": 0.25}


@pytest.mark.parametrize(("work", "interval"), [(20, 1.0), (20, 3.0), (7, 2.5), (1, 4.0)])
def test_simulated_means_are_the_formula_s(work, interval):
    runs = simulate(work, interval, **SPOT, runs=4000, seed=1)
    error = runs.std() / np.sqrt(len(runs))
    assert abs(runs.mean() - expected(work, interval, **SPOT)) < 4.5 * error


def test_without_failures_only_saving_costs():
    runs = simulate(10, 2.5, cost=0.5, between=1e9, runs=3)
    assert np.allclose(runs, 10 + 4 * 0.5)
    assert expected(10, 2.5, cost=0.5, between=1e9) == pytest.approx(12, rel=1e-6)
    assert np.allclose(simulate(10, 4, cost=0.5, between=1e9, runs=3), 10 + 3 * 0.5)


def test_young_is_close_to_the_best():
    intervals = np.geomspace(0.1, 8, 300)
    best = min(expected(100, i, cost=0.02, between=6) for i in intervals)
    assert expected(100, young(0.02, 6), cost=0.02, between=6) < 1.001 * best
    # The comparison can fail: four times the interval is clearly worse.
    assert expected(100, 4 * young(0.02, 6), cost=0.02, between=6) > 1.05 * best


def test_a_seed_makes_runs():
    one, other = (simulate(10, 1, **SPOT, runs=5, seed=seed) for seed in (0, 1))
    assert not np.array_equal(one, other)
    assert np.array_equal(one, simulate(10, 1, **SPOT, runs=5, seed=0))


def test_nonsense_and_hopeless_runs_are_refused():
    with pytest.raises(ValueError, match="positive"):
        simulate(10, 0, **SPOT)
    with pytest.raises(ValueError, match="Save more often"):
        simulate(1000, 500, **SPOT)
