"""The shifts of digits: what each strength does, and that nothing else happens."""

import doctest

import numpy as np
import pytest

from course_lib.data import digits, shifts

PIXELS = digits.load()[0][:200]


def test_examples_and_data_card():
    result = doctest.testmod(shifts)
    assert result.attempted and not result.failed
    assert "License" in shifts.__doc__ and "Known faults" in shifts.__doc__


@pytest.mark.parametrize("kind", shifts.KINDS)
def test_stronger_is_further_away_and_the_images_stay_images(kind):
    kept = PIXELS.copy()
    found = [shifts.corrupted(PIXELS, kind, strength, seed=0) for strength in range(5)]
    away = [np.abs(images - PIXELS).mean() for images in found]
    assert away[0] == 0
    assert np.all(np.diff(away) > 0.01)
    assert all(images.shape == PIXELS.shape for images in found)
    assert all(images.min() >= 0 and images.max() <= 1 for images in found)
    assert np.array_equal(PIXELS, kept)
    found[0][:] = 0
    assert np.array_equal(PIXELS, kept), "strength 0 returns a copy"


@pytest.mark.parametrize("kind", ["move", "noise"])
def test_the_seed_decides(kind):
    first, again, other = (shifts.corrupted(PIXELS, kind, 2, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_move_by_a_pixel_is_a_move_by_a_pixel_in_all_eight_directions():
    dot = np.zeros((400, 8, 8))
    dot[:, 3, 4] = 1
    moved = shifts.corrupted(dot.reshape(400, 64), "move", 2, seed=0).reshape(400, 8, 8)
    assert np.all((moved == 1).sum(axis=(1, 2)) == 1)
    places = {tuple(place) for place in np.argwhere(moved)[:, 1:]}
    assert places == {(i, j) for i in (2, 3, 4) for j in (3, 4, 5)} - {(3, 4)}


def test_half_a_pixel_spreads_the_ink_and_keeps_it():
    dot = np.zeros((50, 8, 8))
    dot[:, 3, 4] = 1
    moved = shifts.corrupted(dot.reshape(50, 64), "move", 1, seed=0)
    assert np.allclose(moved.sum(axis=1), 1)
    assert set(np.unique(moved)) == {0, 0.25, 0.5}


def test_one_image_alone_can_be_moved():
    assert shifts.corrupted(PIXELS[:1], "move", 3, seed=2).shape == (1, 64)


def test_noise_has_the_width_that_it_says():
    gray = np.full((500, 64), 0.5)
    added = shifts.corrupted(gray, "noise", 1, seed=0) - 0.5
    assert abs(added.std() - shifts.LEVELS["noise"][1]) < 0.005
    assert abs(added.mean()) < 0.005


def test_contrast_keeps_the_mean_and_takes_its_share():
    found = shifts.corrupted(PIXELS, "contrast", 3, seed=0)
    assert np.allclose(found.mean(axis=1), PIXELS.mean(axis=1))
    assert np.allclose(found.std(axis=1), 0.3 * PIXELS.std(axis=1))


def test_blur_agrees_with_scipy():
    from scipy.ndimage import gaussian_filter

    found = shifts.corrupted(PIXELS, "blur", 3, seed=0).reshape(-1, 8, 8)
    images = PIXELS.reshape(-1, 8, 8)
    wanted = np.array([gaussian_filter(i, 1.0, mode="constant", truncate=9) for i in images])
    assert np.allclose(found, wanted, atol=1e-6)


@pytest.mark.parametrize(
    ("args", "match"),
    [
        ((np.zeros((3, 8, 8)), "noise", 1), r"shape \(n, 64\)"),
        ((PIXELS, "rotate", 1), "move, noise, contrast, blur"),
        ((PIXELS, "noise", 5), "from 0 to 4"),
        ((PIXELS, "noise", 0.5), "from 0 to 4"),
    ],
)
def test_what_cannot_be_done_is_refused(args, match):
    with pytest.raises(ValueError, match=match):
        shifts.corrupted(*args, seed=0)
