"""Streams: every row once, shuffled within the buffer's reach, under a limit that is enforced."""

import doctest
import os
import subprocess
import sys
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from course_lib.data import streams

SIZES = st.lists(st.integers(0, 9), max_size=8)


def numbered(sizes):
    """Blocks of these sizes, in which row k holds k three times and has the label k."""
    start = 0
    for size in sizes:
        rows = np.arange(start, start + size)
        yield np.repeat(rows[:, np.newaxis], 3, axis=1), rows
        start += size


def labels(blocks):
    found = []
    for X, y in blocks:
        assert_array_equal(X, np.repeat(y[:, np.newaxis], 3, axis=1), "samples keep their labels")
        found += y.tolist()
    return found


@pytest.fixture
def shards(tmp_path):
    return streams.write_shards(tmp_path / "shards", numbered([10, 13, 20]), rows=8)


def test_shards_hold_what_was_written(shards):
    assert shards.lengths == [8, 8, 8, 8, 8, 3]
    assert len(shards) == 43
    assert labels(shards.blocks(5)) == list(range(43))
    X, y = shards.open(2)
    assert isinstance(X, np.memmap) and isinstance(y, np.memmap)
    assert y.tolist() == list(range(16, 24))
    assert streams.Shards(shards.folder).lengths == shards.lengths


def test_blocks_are_neighbors_in_copies(shards):
    for X, y in shards.blocks(5, order=[4, 1]):
        assert len(y) in (5, 3)
        assert all(b - a == 1 for a, b in pairwise(y.tolist()))
        X[:], y[:] = 0, 0  # must not reach the file
    assert labels(shards.blocks(order=[4, 1])) == [*range(32, 40), *range(8, 16)]


def test_shards_that_are_open_together_take_turns(shards):
    came = [int(y[0]) for _, y in shards.blocks(4, order=[0, 5, 2, 1], together=2)]
    # Shard 5 has one block, and shard 2 takes its place; then shard 1 that of shard 0.
    assert came == [0, 40, 4, 16, 8, 20, 12]
    assert sorted(labels(shards.blocks(3, together=4))) == list(range(43))


@given(SIZES, st.integers(1, 12), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_every_row_leaves_the_buffer_once_and_none_too_early(sizes, size, seed):
    out = labels(streams.shuffled(numbered(sizes), size, np.random.default_rng(seed)))
    assert sorted(out) == list(range(sum(sizes)))
    # When row k leaves, at most k + size rows have come, and all but size of them have left.
    assert all(row <= place + size for place, row in enumerate(out))


def test_a_buffer_of_one_keeps_the_order():
    out = labels(streams.shuffled(numbered([4, 7]), 1, np.random.default_rng(0)))
    assert out == list(range(11))


def test_a_buffer_for_all_gives_every_order_the_same_chance():
    rng = np.random.default_rng(1)
    orders = Counter(tuple(labels(streams.shuffled(numbered([3]), 3, rng))) for _ in range(3000))
    assert len(orders) == 6
    # Five standard deviations of a count.
    assert all(abs(count - 500) < 5 * np.sqrt(500) for count in orders.values())


def test_the_place_of_a_row_that_comes_is_random():
    rng = np.random.default_rng(2)
    first = Counter(labels(streams.shuffled(numbered([4] * 5), 4, rng))[0] for _ in range(2000))
    assert set(first) == {0, 1, 2, 3}
    assert all(abs(count - 500) < 5 * np.sqrt(500) for count in first.values())


@given(SIZES, st.integers(1, 12))
@settings(deadline=None)
def test_batches_have_one_size_but_the_last(sizes, size):
    cut = list(streams.batched(numbered(sizes), size))
    assert labels(cut) == list(range(sum(sizes)))
    assert [len(y) for _, y in cut[:-1]] == [size] * (len(cut) - 1)
    assert all(0 < len(y) <= size for _, y in cut[-1:])


def test_each_epoch_has_every_row_in_an_order_of_its_own(shards):
    batches = streams.Batches(shards, 10, buffer=6, seed=3)
    assert len(batches) == 5
    first, second = labels(batches), labels(batches)
    assert sorted(first) == sorted(second) == list(range(43))
    assert first != second
    assert first == labels(streams.Batches(shards, 10, buffer=6, seed=3))
    assert first != labels(streams.Batches(shards, 10, buffer=6, seed=4))


def test_without_a_seed_rows_come_as_they_were_written(shards):
    assert labels(streams.Batches(shards, 7, seed=None)) == list(range(43))


def test_shards_in_random_order_are_whole_without_a_buffer(shards):
    out = labels(streams.Batches(shards, 7, seed=0))
    assert out != list(range(43))
    starts = [row for row in out if row % 8 == 0]
    assert [row for start in starts for row in range(start, min(start + 8, 43))] == out


def test_a_batch_has_rows_of_all_open_shards(tmp_path):
    shards = streams.write_shards(tmp_path, numbered([40]), rows=10)
    for _, y in streams.Batches(shards, 8, together=4):
        assert Counter((y // 10).tolist()) == {0: 2, 1: 2, 2: 2, 3: 2}


def test_a_transform_sees_each_batch(shards):
    batches = streams.Batches(shards, 20, seed=None, transform=lambda X, y: (X / 2, -y))
    X, y = next(iter(batches))
    assert X.dtype == np.float64 and y.tolist() == [-row for row in range(20)]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda f: streams.Shards(f), FileNotFoundError, "write_shards makes them"),
        (lambda f: streams.write_shards(f, numbered([3]), 0), ValueError, "size must be at least"),
        (lambda f: list(streams.shuffled([], 0, np.random.default_rng())), ValueError, "size must"),
        (
            lambda f: list(streams.batched([(np.zeros((3, 1)), np.zeros(2))], 1)),
            ValueError,
            "3 sam",
        ),
        (lambda f: streams.Batches(None, 0), ValueError, "batch_size must"),
        (lambda f: streams.Batches(None, 1, buffer=3, seed=None), ValueError, "needs a seed"),
    ],
)
def test_misuse_says_what_to_do(tmp_path, call, error, words):
    with pytest.raises(error, match=words):
        call(tmp_path)


def test_a_folder_is_not_written_twice(shards):
    with pytest.raises(ValueError, match="empty folder"):
        streams.write_shards(shards.folder, numbered([2]), rows=2)


_UNDER_A_LIMIT = """
import resource, sys
import numpy as np
from course_lib.data import streams

shards = streams.Shards(sys.argv[1])
for _ in streams.Batches(shards, 100, buffer=1000):  # once, so that all modules are there
    break
with open("/proc/self/status") as status:
    used = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmData"))
resource.setrlimit(resource.RLIMIT_DATA, (used + int(sys.argv[2]), resource.RLIM_INFINITY))
total = sum(int(X.sum()) for X, _ in streams.Batches(shards, 100, buffer=1000))
try:
    np.concatenate([shards.open(k)[0] for k in range(len(shards.lengths))])
except MemoryError:
    print(total, "too large to load")
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the limit is Linux's")
def test_a_set_of_ten_times_the_memory_is_read(tmp_path):
    limit, row = 8_000_000, np.arange(2000) % 7
    blocks = ((np.tile(row.astype(np.uint8), (1000, 1)), np.zeros(1000, int)) for _ in range(40))
    shards = streams.write_shards(tmp_path, blocks, rows=1000)
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) >= 10 * limit
    command = [sys.executable, "-c", _UNDER_A_LIMIT, str(shards.folder), str(limit)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.stdout.split(" ", 1) == [str(40_000 * int(row.sum())), "too large to load\n"], (
        done.stderr
    )


def test_examples():
    result = doctest.testmod(streams)
    assert result.attempted and not result.failed
