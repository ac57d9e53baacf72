"""Digits on striped paper: groups, shares, and what is drawn."""

import doctest

import numpy as np
import pytest

from course_lib.data import backgrounds, digits

PIXELS, DIGITS = digits.load()


def test_examples_and_data_card():
    result = doctest.testmod(backgrounds)
    assert result.attempted and not result.failed
    assert "License" in backgrounds.__doc__ and "Known faults" in backgrounds.__doc__


@pytest.mark.parametrize("agree", [0.0, 0.5, 0.9, 1.0])
def test_the_paper_goes_with_the_label_as_often_as_it_says(agree):
    X, y, groups = backgrounds.striped(PIXELS, DIGITS, agree=agree, seed=0)
    assert X.shape == PIXELS.shape and np.array_equal(y, DIGITS >= 5)
    assert np.array_equal(groups // 2, y)
    for label in (0, 1):
        assert np.mean(groups[y == label] % 2 == label) == pytest.approx(agree, abs=0.001)


def test_stripes_are_level_or_upright_behind_the_digit():
    blank = backgrounds.striped(np.zeros((300, 64)), np.arange(300) % 10, agree=0.5, seed=1)
    for image, group in zip(blank.X.reshape(-1, 8, 8), blank.groups, strict=True):
        lines = image if group % 2 else image.T  # upright: every row is the same
        assert np.all(lines == lines[0])
        assert sorted(np.unique(lines[0])) == [0, 0.5]
        assert np.all(lines[0][::2] != lines[0][1::2])
    starts = blank.X[:, 0]
    assert 0.35 < np.mean(starts > 0) < 0.65, "either the first or the second line has the stripe"
    full = backgrounds.striped(np.ones((4, 64)), [0, 1, 8, 9], agree=1, seed=0)
    assert np.all(full.X == 1), "ink covers the stripes"


def test_the_seed_decides_and_the_images_stay():
    kept = PIXELS.copy()
    first, again, other = (
        backgrounds.striped(PIXELS, DIGITS, agree=0.9, seed=seed) for seed in (0, 0, 1)
    )
    assert np.array_equal(first.X, again.X) and np.array_equal(first.groups, again.groups)
    assert not np.array_equal(first.groups, other.groups)
    assert np.array_equal(PIXELS, kept)


def test_fainter_ink():
    found = backgrounds.striped(np.zeros((10, 64)), np.zeros(10), agree=1, seed=0, ink=0.2)
    assert found.X.max() == 0.2


@pytest.mark.parametrize(
    ("pixels", "shown", "more", "match"),
    [
        (np.zeros((3, 8, 8)), np.zeros(3), {"agree": 0.5}, r"shape \(n, 64\)"),
        (np.zeros((3, 64)), np.zeros(4), {"agree": 0.5}, r"\(4,\)"),
        (np.zeros((3, 64)), np.zeros(3), {"agree": 1.5}, "agree"),
        (np.zeros((3, 64)), np.zeros(3), {"agree": 1, "ink": -1}, "ink"),
    ],
)
def test_what_does_not_fit_is_refused(pixels, shown, more, match):
    with pytest.raises(ValueError, match=match):
        backgrounds.striped(pixels, shown, seed=0, **more)
