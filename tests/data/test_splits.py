"""Splits: every row in exactly one part, shuffled, the same for the same seed."""

import doctest
import inspect
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from course_lib.data import splits

SEEDS = st.integers(0, 2**32 - 1)


@given(st.integers(1, 200), SEEDS, st.floats(0, 0.45), st.floats(0, 0.45))
@settings(deadline=None)
def test_each_row_is_in_exactly_one_part(n, seed, validation, test):
    if round(validation * n) + round(test * n) >= n:
        with pytest.raises(ValueError, match="leave none to train"):
            splits.split_rows(n, seed, validation=validation, test=test)
        return
    rows = splits.split_rows(n, seed, validation=validation, test=test)
    assert sorted(np.concatenate(rows).tolist()) == list(range(n))
    assert len(rows.validation) == round(validation * n)
    assert len(rows.test) == round(test * n)


@given(SEEDS)
@settings(deadline=None)
def test_a_seed_gives_the_same_parts_and_another_one_others(seed):
    first, again = splits.split_rows(50, seed), splits.split_rows(50, seed)
    other = splits.split_rows(50, (seed + 1) % 2**32)
    for part, same in zip(first, again, strict=True):
        assert_array_equal(part, same)
    assert any(
        part.tolist() != another.tolist() for part, another in zip(first, other, strict=True)
    )


@pytest.mark.parametrize("part", splits.Rows._fields)
def test_every_row_has_the_same_chance_to_be_in_a_part(part):
    times = np.zeros(40)
    for seed in range(500):
        times[getattr(splits.split_rows(40, seed), part)] += 1
    share = {"train": 0.6, "validation": 0.2, "test": 0.2}[part]
    # Five standard deviations of a count of 500 tosses.
    assert np.all(np.abs(times - 500 * share) < 5 * np.sqrt(500 * share * (1 - share)))


def test_labels_stay_with_their_samples():
    X = np.arange(60).reshape(20, 3)
    for part in splits.split(X, X[:, 0] * 10, seed=3):
        assert_array_equal(part.y, part.X[:, 0] * 10)
    assert_array_equal(X, np.arange(60).reshape(20, 3))


def test_a_split_and_its_rows_agree():
    X, y = np.random.default_rng(0).normal(size=(33, 2)), np.arange(33)
    rows, parts = splits.split_rows(33, seed=5), splits.split(X, y, seed=5)
    for part, where in zip(parts, rows, strict=True):
        assert_array_equal(part.X, X[where])
        assert_array_equal(part.y, where)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: splits.split_rows(10, 0, validation=-0.1), "cannot be negative"),
        (lambda: splits.split_rows(10, 0, test=float("nan")), "cannot be negative"),
        (lambda: splits.split_rows(10, 0, validation=0.5, test=0.5), "leave none to train"),
        (lambda: splits.split_rows(0, 0), "more rows"),
        (lambda: splits.split(np.zeros((3, 1)), [1, 2], seed=0), "one label a sample"),
    ],
)
def test_misuse_says_what_to_do(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_examples():
    result = doctest.testmod(splits)
    assert result.attempted and not result.failed


def test_the_chapter_quotes_the_code_of_the_library():
    chapter = (
        Path(__file__).resolve().parents[2] / "book/foundations/deep-learning.md"
    ).read_text()
    (quoted,) = re.findall(r"```python\n# course_lib/data/splits.py[^\n]*\n(.*?)```", chapter, re.S)
    own = [line.strip() for line in inspect.getsource(splits.split_rows).splitlines()]
    assert [line.strip() for line in quoted.splitlines()] == own[-2:]
