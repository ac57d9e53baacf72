"""All-reduce in a ring: sums, bytes, and what workers may know."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.distributed import ring


@given(st.integers(1, 9), st.integers(0, 40), st.integers(0, 2**32 - 1))
def test_everybody_ends_with_the_same_sum(workers, length, seed):
    arrays = list(np.random.default_rng(seed).normal(size=(workers, length)))
    before = [array.copy() for array in arrays]
    reduced = ring.all_reduce(arrays)
    for mine, kept, array in zip(reduced.arrays, before, arrays, strict=True):
        assert np.allclose(mine, np.sum(before, axis=0))
        assert np.array_equal(mine, reduced.arrays[0])  # to the bit
        assert np.array_equal(array, kept)


@given(st.integers(1, 9), st.integers(0, 40))
def test_bytes_are_those_of_the_formula_in_the_mean(workers, length):
    reduced = ring.all_reduce([np.zeros(length, dtype=np.float32)] * workers)
    assert np.mean(reduced.sent) == pytest.approx(ring.bytes_sent(4 * length, workers))
    if length % workers == 0:
        assert len(set(reduced.sent)) == 1
    # Of parts that differ by one number, nobody sends more than 2 (n - 1) of the longest.
    assert max(reduced.sent) <= 2 * (workers - 1) * 4 * -(-length // workers)


def test_a_part_is_finished_at_one_worker_and_then_copied():
    seen = []
    ring.all_reduce([np.repeat(10.0**w, 4) for w in range(4)], watch=seen.append)
    assert len(seen) == 7
    after_scatter = np.array(seen[3])
    assert [(w, (w + 1) % 4) for w in range(4)] == [
        tuple(i) for i in np.argwhere(after_scatter == 1111)
    ]
    assert (np.array(seen[6]) == 1111).all()


def test_whole_numbers_stay_whole():
    reduced = ring.all_reduce([np.arange(5), np.arange(5)])
    assert reduced.arrays[0].dtype == np.arange(5).dtype and list(reduced.arrays[1]) == [
        0,
        2,
        4,
        6,
        8,
    ]


@pytest.mark.parametrize(
    "arrays",
    [[], [np.zeros(3), np.zeros(4)], [np.zeros(3), np.zeros(3, np.float32)], [np.zeros((2, 2))]],
)
def test_arrays_that_do_not_fit_are_named(arrays):
    with pytest.raises(ValueError, match="one length and type"):
        ring.all_reduce(arrays)
