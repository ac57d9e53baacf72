"""The photographs: what is in them, and what shrinking does."""

import doctest

import numpy as np
import pytest

from course_lib.data import photographs


@pytest.mark.parametrize("name", photographs.AUTHORS)
def test_a_photograph_is_an_array_of_colors_from_0_to_1(name):
    picture = photographs.load(name)
    assert picture.shape == (427, 640, 3)
    assert picture.dtype == np.float64
    assert picture.min() == 0
    assert picture.max() == 1


def test_the_pictures_are_the_right_way_up_and_their_channels_in_order():
    china, flower = photographs.load("china"), photographs.load("flower")
    # A bright sky above a darker court; a dark, green background in the corner of the flower.
    assert china[:60].mean() > china[-60:].mean() + 0.1
    red, green, blue = flower[:100, :100].mean(axis=(0, 1))
    assert green > red
    assert green > blue


@pytest.mark.parametrize("shrink", [2, 4, 7])
def test_shrinking_takes_the_mean_of_each_block(shrink):
    large, small = photographs.load("flower"), photographs.load("flower", shrink=shrink)
    assert small.shape == (427 // shrink, 640 // shrink, 3)
    for i, j in ((0, 0), (3, 8), (small.shape[0] - 1, small.shape[1] - 1)):
        block = large[i * shrink : (i + 1) * shrink, j * shrink : (j + 1) * shrink]
        assert np.allclose(small[i, j], block.reshape(-1, 3).mean(axis=0), rtol=0, atol=1e-12)


def test_each_call_gives_an_array_of_its_own():
    photographs.load("china")[:] = 0
    assert photographs.load("china").max() == 1


@pytest.mark.parametrize("arguments", [("cat",), ("china", 0), ("china", 428)])
def test_what_is_not_there_is_named(arguments):
    name, *shrink = arguments
    with pytest.raises(
        ValueError, match="choose one of china, flower|shrink must be from 1 to 427"
    ):
        photographs.load(name, **({"shrink": shrink[0]} if shrink else {}))


def test_examples_and_data_card():
    result = doctest.testmod(photographs)
    assert result.attempted
    assert not result.failed
    assert "license" in photographs.__doc__
