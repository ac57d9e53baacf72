"""Pages with several digits: what is drawn is where the boxes and masks say."""

import doctest

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from course_lib.data import digits, scenes

X, Y = digits.load()


def test_examples():
    result = doctest.testmod(scenes)
    assert result.attempted and not result.failed


def test_boxes_hold_the_masks_and_nothing_else():
    pages = scenes.compose(X, Y, n=80, seed=1, size=28)
    assert 1.5 < (pages.labels >= 0).sum(axis=1).mean() < 3
    for boxes, labels, mask in zip(pages.boxes, pages.labels, pages.masks[:, 0], strict=True):
        left = mask.copy()
        assert_array_equal(boxes[labels < 0], 0)
        for x1, y1, x2, y2 in boxes[labels >= 0].astype(int):
            part = mask[y1:y2, x1:x2]
            for side in (part[0], part[-1], part[:, 0], part[:, -1]):
                assert side.any()  # the smallest box
            left[y1:y2, x1:x2] = False
        assert not left.any()


def test_without_light_lines_and_noise_ink_is_where_the_mask_is():
    pages = scenes.compose(X, Y, n=60, seed=2, light=0, lines=0, noise=0, pencil=0.5)
    assert not pages.masks[:, 1].any() and 0.3 < pages.pencil.mean() < 0.7
    for image, mask, faint in zip(pages.images, pages.masks[:, 0], pages.pencil, strict=True):
        top = image.max()
        assert (0.2 < top <= 0.4) if faint else (0.55 < top <= 1)
        assert image[mask].min() > 0.35 * top and image[~mask].max() < 0.6 * top


def test_lines_and_light_are_where_they_are_said_to_be():
    ruled = scenes.compose(X, Y, n=40, seed=3, light=0, noise=0)
    line = ruled.masks[:, 1] & ~ruled.masks[:, 0]
    assert line.any() and ruled.images[line].min() >= 0.49
    lit = scenes.compose(X, Y, n=40, seed=3, lines=0, noise=0)
    corners = lit.images[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert np.abs(corners).max() > 0.3


def test_a_seed_gives_the_same_pages():
    one, same, other = (scenes.compose(X, Y, n=5, seed=seed) for seed in (4, 4, 5))
    for first, again in zip(one, same, strict=True):
        assert_array_equal(first, again)
    assert np.abs(one.images - other.images).max() > 0.1


def test_what_makes_no_sense_is_named():
    with pytest.raises(ValueError, match="size of 16 or more"):
        scenes.compose(X, Y, n=1, seed=0, size=12)
    with pytest.raises(ValueError, match="from 0 to 1"):
        scenes.compose(X, Y, n=1, seed=0, pencil=2)
