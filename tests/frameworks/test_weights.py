"""The weights on their way: shapes, layouts, and the comparison."""

import doctest

import numpy as np
import pytest

from course_lib.frameworks import comparing, layouts, network
from course_lib.frameworks.comparing import difference, differences, must_agree
from course_lib.frameworks.layouts import (
    channels_first,
    channels_last,
    dense_after_flatten,
    dense_before_flatten,
)

RNG = np.random.default_rng(0)
WEIGHTS = {
    name: RNG.uniform(0.1, 1.0, size=shape).astype(np.float32)
    for name, shape in network.SHAPES.items()
}


def test_each_kernel_keeps_its_height_and_width():
    last = channels_last(WEIGHTS)["conv.weight"]
    assert last.shape == (3, 3, 1, 8)
    for out in range(8):
        np.testing.assert_array_equal(last[:, :, 0, out], WEIGHTS["conv.weight"][out, 0])


@pytest.mark.parametrize("maps", [(2, 3, 4), (8, 4, 4), (1, 2, 2), (3, 1, 1)])
def test_a_dense_layer_reads_the_same_maps_in_both_orders(maps):
    first = RNG.normal(size=(5, *maps))  # samples, channels, rows, columns
    weight = RNG.normal(size=(7, np.prod(maps)))
    wanted = first.reshape(5, -1) @ weight.T
    flat_last = np.stack([np.moveaxis(sample, 0, 2).ravel() for sample in first])
    moved = dense_after_flatten(weight, maps)
    np.testing.assert_allclose(flat_last @ moved, wanted)
    np.testing.assert_array_equal(dense_before_flatten(moved, maps), weight)


def test_there_and_back():
    back = channels_first(channels_last(WEIGHTS))
    assert list(back) == list(WEIGHTS)
    for name, array in WEIGHTS.items():
        np.testing.assert_array_equal(back[name], array)


def test_weights_are_checked_and_copied():
    arrays = network.checked(WEIGHTS)
    arrays["dense.bias"][:] = 0
    assert WEIGHTS["dense.bias"].any()
    with pytest.raises(ValueError, match="names"):
        network.checked({"conv.weight": WEIGHTS["conv.weight"]})
    with pytest.raises(ValueError, match=r"dense.weight must have shape \(10, 128\)"):
        network.checked(WEIGHTS | {"dense.weight": WEIGHTS["dense.weight"].T})


def test_differences_are_shares_of_the_largest_entry():
    assert difference([1.0, -1.0], [1.0, 4.0]) == 5 / 4
    assert difference([0.01], [0.02]) == 0.5
    assert difference([0.25], [0.0]) == 0.25
    assert difference([np.nan], [0.0]) == np.inf
    assert difference([], []) == 0
    with pytest.raises(ValueError, match="shapes differ"):
        difference([[1.0, 2.0]], [1.0, 2.0])
    with pytest.raises(ValueError, match="names differ"):
        differences({"a": 1.0}, {"b": 1.0})


def test_what_differs_is_named():
    wanted = {"a": [1.0, 2.0], "b": [1.0], "c": [3.0]}
    must_agree(wanted, wanted, tolerance=0)
    with pytest.raises(AssertionError, match=r"2 of 3 .*a \(5.0e-01\), c \(inf\)"):
        must_agree({"a": [1.0, 1.0], "b": [1.0], "c": [np.nan]}, wanted, tolerance=1e-3)


@pytest.mark.parametrize("module", [comparing, layouts])
def test_the_examples_are_right(module):
    result = doctest.testmod(module)
    assert result.attempted and not result.failed
