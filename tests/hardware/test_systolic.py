"""The systolic array: what leaves it is the product, and when is what the formula says."""

import doctest
from itertools import pairwise

import numpy as np
import pytest

from course_lib.hardware import systolic
from course_lib.hardware.systolic import cycles, product, pulse, utilization

RNG = np.random.default_rng(0)


def test_examples():
    result = doctest.testmod(systolic)
    assert result.attempted and not result.failed


@pytest.mark.parametrize(("m", "k", "n"), [(1, 1, 1), (4, 3, 2), (5, 7, 3), (2, 3, 6), (1, 4, 4)])
def test_each_sum_leaves_in_its_cycle(m, k, n):
    X, W = RNG.normal(size=(m, k)), RNG.normal(size=(k, n))
    stages = list(pulse(X, W))
    assert [stage.number for stage in stages] == list(range(m + k + n - 2))
    for i in range(m):
        for c in range(n):
            stage = stages[i + k - 1 + c]
            assert stage.row[-1, c] == i
            assert stage.sums[-1, c] == pytest.approx(X[i] @ W[:, c])


def test_a_cell_has_what_its_neighbor_had():
    X, W = RNG.normal(size=(5, 3)), RNG.normal(size=(3, 4))
    stages = list(pulse(X, W))
    for before, after in pairwise(stages):
        assert np.array_equal(after.x[:, 1:], before.x[:, :-1])
        assert np.allclose(after.sums[1:], before.sums[:-1] + W[1:] * after.x[1:])
        assert np.allclose(after.sums[0], W[0] * after.x[0])


def test_without_skew_rows_are_mixed():
    X, W = RNG.normal(size=(6, 4)), RNG.normal(size=(4, 5))
    Y = X @ W
    for stage in pulse(X, W, skew=False):
        for c, i in enumerate(stage.row[-1]):
            if i >= 0:
                assert stage.sums[-1, c] != pytest.approx(Y[i, c])


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8])
@pytest.mark.parametrize(
    ("m", "k", "n"), [(1, 1, 1), (4, 3, 2), (2, 13, 6), (5, 8, 8), (20, 9, 17)]
)
def test_products_of_any_size(m, k, n, size):
    X, W = RNG.normal(size=(m, k)), RNG.normal(size=(k, n))
    done = product(X, W, size)
    assert np.allclose(done.values, X @ W)
    assert done.cycles == cycles(m, k, n, size)
    assert done.busy == m * k * n
    assert done.fetched == k * n + m * k * -(-n // size)
    assert utilization(m, k, n, size) == pytest.approx(done.busy / (done.cycles * size**2))


def test_a_tile_is_hidden_only_behind_enough_rows():
    assert cycles(8, 16, 8, 8) - cycles(8, 8, 8, 8) == 8
    assert cycles(2, 16, 8, 8) - cycles(2, 8, 8, 8) == 8  # loading takes as long
    assert cycles(20, 16, 8, 8) - cycles(20, 8, 8, 8) == 20


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match=r"X has shape \(2, 3\) and W \(2, 3\)"):
        product(np.ones((2, 3)), np.ones((2, 3)), 2)
    with pytest.raises(ValueError, match="X has shape"):
        list(pulse(np.ones(3), np.ones((3, 1))))
    with pytest.raises(ValueError, match="size is 0"):
        cycles(1, 1, 1, 0)
    with pytest.raises(ValueError, match="size is 0"):
        product(np.ones((1, 1)), np.ones((1, 1)), 0)
