"""Watching a detector: the index by hand, its limit by simulation, labels and windows in time."""

import doctest

import numpy as np
import pytest
from scipy import stats

from course_lib import monitoring


def test_the_examples_in_the_docstrings():
    assert doctest.testmod(monitoring).failed == 0


def test_the_index_by_hand():
    # Two bins of the reference, cut at 3: shares 1/2 and 1/2, today 1/4 and 3/4.
    expected = (0.25 - 0.5) * np.log(0.5) + (0.75 - 0.5) * np.log(1.5)
    found = monitoring.population_stability_index([1, 2, 3, 4], [0, 9, 9, 1e9], bins=2)
    assert found == pytest.approx(
        (0.25 - 0.5) * np.log(0.25 / 0.5) + (0.75 - 0.5) * np.log(0.75 / 0.5)
    )
    assert found == pytest.approx(expected)


def test_bins_come_from_the_reference_alone():
    rng = np.random.default_rng(0)
    old, new = rng.normal(size=500), rng.normal(1, 2, size=300)
    moved = np.where(new > new.max() - 1e-9, 1e6, new)  # a far value stays in the outer bin
    index = monitoring.population_stability_index
    assert index(old, new) == index(old, moved)
    # Symmetric only when the bins are: they are those of the first sample.
    assert index(old, new) != pytest.approx(index(new, old), rel=0.02)
    assert index(old, old) == 0


def test_monotone_transforms_change_nothing():
    rng = np.random.default_rng(1)
    old, new = rng.gamma(2, 1, 999), rng.gamma(3, 1, 400)
    index = monitoring.population_stability_index
    assert index(np.log(old), np.log(new)) == index(old, new)


def test_equal_values_make_fewer_bins_and_empty_ones_stay_finite():
    assert monitoring.bin_edges([0, 0, 0, 0, 0, 0, 0, 0, 1, 1]).tolist() == [1.0]
    assert monitoring.bin_edges([3.0, 3.0]).size == 0
    assert monitoring.population_stability_index([3.0, 3.0], [4.0]) == 0.0
    found = monitoring.population_stability_index([1, 2, 3, 4], [5, 6], bins=2)
    p, q = np.array([0.5, 0.5]), np.array([0.5, 2]) / 2.5
    assert found == pytest.approx(np.sum((q - p) * np.log(q / p)))


def test_the_limit_is_kept_by_samples_that_did_not_change():
    rng = np.random.default_rng(2)
    n, m = 400, 200
    limit = monitoring.index_limit(n, m, bins=8, level=0.95)
    above = [
        monitoring.population_stability_index(rng.normal(size=n), rng.normal(size=m), 8) > limit
        for _ in range(800)
    ]
    assert np.mean(above) == pytest.approx(0.05, abs=0.02)
    assert limit == pytest.approx(stats.chi2.isf(0.05, 7) * (1 / n + 1 / m))


def test_labels_arrive():
    known = np.array([3.0, 7.0, np.inf, 7.5])
    assert monitoring.labels_at(known, 7.0).tolist() == [1, 1, 0, 0]
    assert monitoring.labels_at(known, 1e9).tolist() == [1, 1, 0, 1]


def test_windows_keep_past_and_future_apart():
    time = np.arange(0, 100, 0.5)
    windows = list(monitoring.forward_windows(time, length=20, wait=5, test=15, start=40, stop=95))
    assert [w.now for w in windows] == [40, 55, 70, 85]
    for w in windows:
        assert time[w.train].min() == w.now - 25 and time[w.train].max() < w.now - 5
        assert time[w.test].min() == w.now
    assert time[windows[-1].test].max() == 94.5
    tested = np.concatenate([w.test for w in windows])
    assert np.array_equal(tested, np.flatnonzero((time >= 40) & (time < 95)))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: monitoring.population_stability_index([], [1.0]), "reference"),
        (lambda: monitoring.population_stability_index([1.0], [np.nan]), "not finite"),
        (lambda: monitoring.bin_edges([1.0, 2.0], bins=1), "bins"),
        (lambda: monitoring.index_limit(0, 1), "n and m"),
        (
            lambda: list(
                monitoring.forward_windows([1.0], length=0, wait=0, test=1, start=0, stop=1)
            ),
            "length",
        ),
    ],
)
def test_errors_say_what_came(call, says):
    with pytest.raises(ValueError, match=says):
        call()
