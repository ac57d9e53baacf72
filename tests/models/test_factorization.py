"""Factorizations: against a library, against gradients, and on tastes that are known."""

import doctest

import numpy as np
import pytest
import torch
from implicit.als import AlternatingLeastSquares
from numpy.testing import assert_allclose
from scipy.linalg import orthogonal_procrustes
from scipy.sparse import csr_matrix

from course_lib.models import factorization as fz


def test_examples():
    result = doctest.testmod(fz)
    assert result.attempted and not result.failed


def table(seed, n=14, m=9):
    rng = np.random.default_rng(seed)
    rated = rng.random((n, m)) < 0.6
    return np.where(rated, rng.integers(1, 6, size=(n, m)), 0.0), rated


@pytest.mark.parametrize(("k", "penalty"), [(0, 1.0), (1, 0.3), (3, 2.0)])
def test_the_objective_of_ratings_falls_to_where_slopes_are_zero(k, penalty):
    stars, rated = table(0)
    fit = fz.fit_ratings(stars, rated, k, penalty, steps=400)
    assert np.all(np.diff(fit.objective) < 1e-9)
    parts = [
        torch.tensor(x, requires_grad=True) for x in (fit.U, fit.V, fit.user_bias, fit.item_bias)
    ]
    U, V, b, c = parts
    guess = fit.mean + b[:, None] + c + U @ V.T
    error = torch.where(torch.tensor(rated), guess - torch.tensor(stars), torch.zeros(()).double())
    loss = error.square().sum() + penalty * sum(part.square().sum() for part in parts)
    assert loss.item() == pytest.approx(fit.objective[-1])
    for slope in torch.autograd.grad(loss, parts):
        assert slope.abs().max() < 1e-3 if slope.numel() else True


def test_what_is_not_rated_does_not_matter():
    stars, rated = table(1)
    one = fz.fit_ratings(stars, rated, 2, 1.0)
    other = fz.fit_ratings(np.where(rated, stars, 99.0), rated, 2, 1.0)
    assert_allclose(one.scores(), other.scores())


def test_implicit_agrees_with_the_package_step_by_step():
    taken = (np.random.default_rng(2).random((20, 15)) < 0.3).astype(float)
    start = np.random.default_rng(3).normal(0, 0.1, (15, 3))
    for steps in (1, 5):
        U, V = fz.fit_implicit(taken, 3, 0.7, 4.0, steps=steps, start=start)
        theirs = AlternatingLeastSquares(
            factors=3,
            regularization=0.7,
            alpha=5.0,
            iterations=steps,
            dtype=np.float64,
            use_cg=False,
            num_threads=1,
        )
        theirs.item_factors, theirs.user_factors = start.copy(), np.zeros((20, 3))
        theirs.fit(csr_matrix(taken), show_progress=False)
        assert_allclose(theirs.user_factors, U, atol=1e-9)
        assert_allclose(theirs.item_factors, V, atol=1e-9)


def test_the_implicit_objective_falls():
    taken = (np.random.default_rng(4).random((20, 15)) < 0.3).astype(float)
    values = [
        fz.implicit_objective(taken, *fz.fit_implicit(taken, 3, 1.0, 2.0, steps=s), 1.0, 2.0)
        for s in (1, 2, 5, 20)
    ]
    assert np.all(np.diff(values) < 0)


def test_folding_in_gives_the_factors_that_a_user_has():
    taken = (np.random.default_rng(5).random((30, 15)) < 0.3).astype(float)
    _, V = fz.fit_implicit(taken, 3, 1.0, 2.0, steps=30)
    U = fz.fold_in(taken, V, 1.0, 2.0)
    best = fz.implicit_objective(taken, U, V, 1.0, 2.0)
    for change in np.random.default_rng(6).normal(0, 0.05, (5, *U.shape)):
        assert fz.implicit_objective(taken, U + change, V, 1.0, 2.0) > best
    assert_allclose(fz.fold_in(np.zeros((1, 15)), V, 1.0, 2.0), 0)


def test_alignment_sees_through_rotations_and_not_through_noise():
    rng = np.random.default_rng(7)
    truth = rng.normal(size=(300, 3))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    halves = np.arange(150), np.arange(150, 300)
    assert fz.aligned_r2(0.2 * truth @ turn - 4, truth, *halves) == pytest.approx(1)
    assert fz.aligned_r2(rng.permutation(truth), truth, *halves) < 0.05
    # The rotation is SciPy's.
    A, B = (x - x.mean(axis=0) for x in (truth @ turn + rng.normal(size=truth.shape), truth))
    Q, size = orthogonal_procrustes(A, B)
    wanted = 1 - np.sum((B - size / np.sum(A**2) * A @ Q) ** 2) / np.sum(B**2)
    rows = np.arange(300)
    assert fz.aligned_r2(A, B, rows, rows) == pytest.approx(wanted)
