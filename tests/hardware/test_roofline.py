"""The roofline, the measured ceilings, and the simulated cache."""

import doctest

import pytest
import torch

from course_lib.hardware import caches, ceilings, roofline
from course_lib.hardware.roofline import Machine, Operation, elementwise, matmul


@pytest.mark.parametrize("module", [roofline, caches])
def test_examples(module):
    result = doctest.testmod(module)
    assert result.attempted and not result.failed


def test_a_product_counts_multiplications_and_additions_and_three_matrices():
    assert matmul(2, 3, 5)[1:] == (60, 4 * (6 + 15 + 10))
    assert matmul(2, 3, 5, itemsize=2).bytes == 2 * 31
    assert elementwise("relu", 7).bytes == 4 * 2 * 7
    assert elementwise("add", 7, inputs=2, flops=3)[1:] == (21, 4 * 3 * 7)


def test_both_limits_meet_at_the_ridge():
    machine = Machine(peak=60.0, bandwidth=5.0)
    assert machine.ridge == 12
    at, below, above = (Operation("", i * 10.0, 10.0) for i in (12, 3, 48))
    assert [machine.attainable(op) for op in (at, below, above)] == [60, 15, 60]
    assert [machine.bound(op) for op in (at, below, above)] == ["compute", "memory", "compute"]
    for op in (at, below, above):
        assert machine.seconds(op) == pytest.approx(op.flops / machine.attainable(op))


@pytest.mark.parametrize("sizes", [(0, 1, 1), (1, -1, 1), (1, 1, 0)])
def test_sizes_count_something(sizes):
    with pytest.raises(ValueError, match="it is 1 or more"):
        matmul(*sizes)


def test_ceilings_are_those_of_this_machine():
    machine, steps = ceilings.measure(n=64, working_sets=[120_000, 12_000])
    assert list(steps) == [12_000, 120_000] and machine.bandwidth == steps[120_000]
    # Any machine on which this runs does a million of each a second, and none a quadrillion.
    assert 1e6 < machine.bandwidth < 1e15 and 1e6 < machine.peak < 1e15


def test_a_ceiling_counts_what_was_done(monkeypatch):
    calls = []

    def a_second(function, *_, **__):
        calls.append(function())
        return 1.0

    monkeypatch.setattr(ceilings, "seconds", a_second)
    assert ceilings.peak(n=10) == 2000
    assert ceilings.bandwidth(1_200_005) == 1_200_000
    assert calls[0].shape == (10, 10) and torch.equal(calls[1], torch.full((100_000,), 1.5))


@pytest.mark.parametrize("size", [0, 11, -5])
def test_too_little_to_move_is_refused(size):
    with pytest.raises(ValueError, match="something to compute"):
        ceilings.bandwidth(size)


# The cache ----------------------------------------------------------------------------------------


def test_the_line_that_rested_longest_makes_room():
    assert caches.misses([0, 1, 0, 2, 0, 1], lines=2, line=1) == 4
    assert caches.misses([0, 1, 2, 0, 1, 2], lines=2, line=1) == 6
    assert caches.misses([0, 1, 2, 0, 1, 2], lines=3, line=1) == 3


def test_both_products_touch_the_same_numbers():
    n = 6
    for addresses in (caches.naive_product(n), caches.blocked_product(n, 2)):
        seen = list(addresses)
        assert set(seen) == set(range(3 * n * n))
        assert sum(address < n * n for address in seen) == n**3
        assert sum(n * n <= address < 2 * n * n for address in seen) == n**3


def test_a_cache_that_holds_everything_misses_each_line_once():
    n = 8
    for addresses in (caches.naive_product(n), caches.blocked_product(n, 4)):
        assert caches.misses(addresses, lines=1000, line=8) == 3 * n * n // 8


def test_misses_of_a_product_by_hand():
    # One line of one number more than a row of A and a column of B: B is fetched anew for each row.
    n = 5
    naive = caches.misses(caches.naive_product(n), lines=2 * n + 1, line=1)
    assert naive == n * n + n * n * n + n * n


def test_blocks_that_do_not_fill_are_refused():
    with pytest.raises(ValueError, match="take a divisor of 10"):
        list(caches.blocked_product(10, 4))
    with pytest.raises(ValueError, match="at least one"):
        caches.misses([1], lines=0, line=1)
