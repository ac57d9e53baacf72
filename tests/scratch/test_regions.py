"""Networks as lists of layers: against PyTorch, against sampling, and against what is known."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.scratch.regions import (
    collapse,
    count_parameters,
    count_pieces,
    crossings,
    forward,
    linear,
    tent,
)

WIDTHS = st.lists(st.integers(1, 7), min_size=2, max_size=6)
SEEDS = st.integers(0, 10_000)


def random_network(widths, rng):
    """Layers with weights of the size that keeps sums of size 1."""
    return [
        (rng.normal(size=(widths[i], widths[i + 1])) / np.sqrt(widths[i]), rng.normal(size=width))
        for i, width in enumerate(widths[1:])
    ]


def in_torch(layers, activation):
    """The same network, built from PyTorch's modules."""
    modules = []
    for W, b in layers:
        module = torch.nn.Linear(*W.shape).double()
        with torch.no_grad():
            module.weight.copy_(torch.tensor(W.T))
            module.bias.copy_(torch.tensor(b))
        modules += [module, activation]
    return torch.nn.Sequential(*modules[:-1])


def identity(Z):
    return Z


@settings(deadline=None, max_examples=60)
@given(WIDTHS, st.integers(0, 9), SEEDS)
def test_forward_agrees_with_pytorch(widths, n, seed):
    rng = np.random.default_rng(seed)
    layers, X = random_network(widths, rng), rng.normal(size=(n, widths[0]))
    seen = forward(X, layers)
    theirs = in_torch(layers, torch.nn.ReLU())
    with torch.no_grad():
        assert np.allclose(seen[-1], theirs(torch.tensor(X)), atol=1e-12)
    assert [A.shape for A in seen] == [(n, width) for width in widths]
    assert count_parameters(layers) == sum(p.numel() for p in theirs.parameters())


@settings(deadline=None, max_examples=60)
@given(WIDTHS, SEEDS)
def test_layers_with_nothing_between_are_one_layer(widths, seed):
    rng = np.random.default_rng(seed)
    layers, X = random_network(widths, rng), rng.normal(size=(20, widths[0]))
    before = [(W.copy(), b.copy()) for W, b in layers]
    W, b = collapse(layers)
    assert W.shape == (widths[0], widths[-1])
    assert b.shape == (widths[-1],)
    with torch.no_grad():
        theirs = in_torch(layers, torch.nn.Identity())(torch.tensor(X))
    assert np.allclose(linear(X, W, b), theirs, atol=1e-10)
    assert np.allclose(forward(X, layers, identity)[-1], theirs, atol=1e-10)
    for (W, b), (W_before, b_before) in zip(layers, before, strict=True):
        assert np.array_equal(W, W_before)
        assert np.array_equal(b, b_before)


def test_one_sample_alone_is_a_row():
    rng = np.random.default_rng(0)
    X, W, b = rng.normal(size=(4, 3)), rng.normal(size=(3, 2)), rng.normal(size=2)
    for x, z in zip(X, linear(X, W, b), strict=True):
        assert np.allclose(linear(x, W, b), z)


@pytest.mark.parametrize(
    ("X", "W", "b", "says"),
    [
        (np.ones((5, 2)), np.ones((3, 2)), np.ones(2), r"shape \(5, 2\) do not fit"),
        (np.ones((3, 3)), np.ones((3, 3)), np.ones((3, 1)), r"need \(3,\)"),
        (np.ones((5, 3)), np.ones((3, 2)), np.ones(5), "whatever the number of samples"),
        (np.ones((5, 3)), np.ones(3), np.ones(1), "in_features"),
    ],
)
def test_shapes_that_do_not_fit_are_explained(X, W, b, says):
    with pytest.raises(ValueError, match=says):
        linear(X, W, b)


def test_no_layers_and_no_folds_are_errors():
    for needs_layers in (collapse, count_pieces):
        with pytest.raises(ValueError, match="at least one layer, but was given none"):
            needs_layers([])
    with pytest.raises(ValueError, match="is 0"):
        tent(0)


@pytest.mark.parametrize(("x", "Z"), [([0.0, 1.0], [1.0, -1.0]), ([0.0, 1.0, 2.0], [[1.0], [2.0]])])
def test_crossings_of_other_shapes_are_explained(x, Z):
    with pytest.raises(ValueError, match=r"one row of Z for each point.*reshape"):
        crossings(x, Z)


def test_tiny_numbers_cross_zero_as_well():
    assert crossings([0.0, 1.0], [[-1e-200], [1e-200]]).tolist() == [0.5]


def test_layers_that_do_not_fit_cannot_be_collapsed():
    with pytest.raises(ValueError, match=r"\(2,\) do not fit weights of shape \(3, 1\)"):
        collapse([(np.ones((1, 2)), np.ones(2)), (np.ones((3, 1)), np.ones(1))])


def test_the_activation_function_has_a_former_name():
    layers = [(np.array([[1.0]]), np.array([0.0])), (np.array([[1.0]]), np.array([0.0]))]
    for given_by in ({"activation": np.abs}, {"bend": np.abs}):
        assert forward([[-2.0]], layers, **given_by)[-1].tolist() == [[2.0]]


def test_crossings_are_found_between_points_and_not_on_them():
    x = [0.0, 1.0, 3.0]
    Z = [[-1.0, 0.0, 1.0, -2.0], [3.0, 1.0, 0.0, -1.0], [3.0, -1.0, -1.0, -3.0]]
    assert crossings(x, Z).tolist() == [0.25, 2.0]
    assert crossings(x, np.ones((3, 2))).tolist() == []
    # Two units that cross at the same place make one corner.
    assert crossings([0.0, 1.0], [[-1.0, 2.0], [1.0, -2.0]]).tolist() == [0.5]


@pytest.mark.parametrize("folds", range(1, 13))
def test_a_tent_has_twice_as_many_pieces_with_each_fold(folds):
    layers = tent(folds)
    assert count_pieces(layers) == 2**folds
    assert count_parameters(layers) == 6 * folds + 1
    x = np.arange(2**folds + 1)[:, None] / 2**folds
    assert np.array_equal(forward(x, layers)[-1], np.resize([0.0, 1.0], len(x))[:, None])


def test_one_layer_has_a_corner_for_each_hinge_inside():
    hinges = np.array([-2.0, -0.5, 0.25, 0.25, 0.9, 1.0, 7.0])
    layers = [(np.ones((1, 7)), -hinges), (np.arange(1.0, 8.0)[:, None], np.zeros(1))]
    assert count_pieces(layers) == 3  # corners at 0.25 (twice the same) and 0.9
    assert count_pieces(layers, -3, 8) == 7
    assert count_pieces(layers, 3, 4) == 1


def test_corners_that_cancel_are_none():
    layers = [(np.ones((1, 2)), np.full(2, -0.5)), (np.array([[1.0], [-1.0]]), np.zeros(1))]
    assert count_pieces(layers) == 1
    linear_only = [(np.array([[2.0]]), np.ones(1))]
    assert count_pieces(linear_only) == 1


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.integers(2, 6), min_size=1, max_size=4), st.integers(1, 3), st.integers(1, 2), SEEDS
)
def test_pieces_agree_with_slopes_found_by_pytorch(hidden, d_in, d_out, seed):
    """Along a fine grid, the slopes that automatic differentiation finds are as many as pieces."""
    rng = np.random.default_rng(seed)
    layers = random_network([d_in, *hidden, d_out], rng)
    start, end = rng.normal(size=(2, d_in))
    network = in_torch(layers, torch.nn.ReLU())
    t = torch.linspace(0, 1, 4001, dtype=torch.float64)
    along = torch.tensor(end - start)
    points = torch.tensor(start) + t[:, None] * along

    def output(points):
        return network(points)

    _, slopes = torch.func.jvp(output, (points,), (along.expand_as(points),))
    changes = (slopes[1:] - slopes[:-1]).abs().amax(dim=1)
    sampled = 1 + int((changes > 1e-7 * slopes.abs().max()).sum())
    exact = count_pieces(layers, start, end)
    # A grid can miss pieces that are shorter than its steps, and can't see any that are not there.
    assert sampled <= exact
    # Two corners within one step of a search look like none: both ways must see them apart.
    found = _corners(layers, start, end), _computed_corners(layers, start, end)
    if min(np.diff(ends).min() for ends in found) > 1e-3:
        assert sampled == exact


def _computed_corners(layers, start, end):
    """Where units change their signs along the segment, layer by layer."""
    t = np.array([0.0, 1.0])
    A = start + t[:, None] * (end - start)
    for W, b in layers[:-1]:
        finer = np.union1d(t, crossings(t, A @ W + b))
        A = np.column_stack([np.interp(finer, t, column) for column in A.T])
        t, A = finer, np.maximum(A @ W + b, 0)
    return t


def _corners(layers, start, end):
    """Where any unit changes its sign along the segment, found by brute force."""
    t = np.linspace(0, 1, 20_001)
    seen = forward(start + t[:, None] * (end - start), layers)[1:-1]
    signs = np.concatenate([A > 0 for A in seen], axis=1)
    changed = np.any(signs[1:] != signs[:-1], axis=1)
    return np.concatenate([[0.0], t[1:][changed], [1.0]])
