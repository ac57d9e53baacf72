"""Matrix factorization: a few numbers for each user and each item, whose products fill a matrix.

For stars (`fit_ratings`) only what was rated counts. For what was taken (`fit_implicit`) everything
counts, the taken more. Both alternate between two least-squares problems with exact solutions.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Ratings",
    "aligned_r2",
    "fit_implicit",
    "fit_ratings",
    "fold_in",
    "implicit_objective",
]

Array = NDArray[np.float64]


class Ratings(NamedTuple):
    """A factorization of stars: mean + user_bias + item_bias + U @ V.T."""

    mean: float
    user_bias: Array
    item_bias: Array
    U: Array
    V: Array
    objective: list[float]

    def scores(self) -> Array:
        """Return the predicted stars of every user for every item, shape (n, m)."""
        return self.mean + self.user_bias[:, None] + self.item_bias + self.U @ self.V.T


def _solve(weight: Array, target: Array, factors: Array, penalty: float) -> Array:
    """Solve a small ridge regression for each row of `target`.

    Row i minimizes sum_j weight[i, j] (target[i, j] - x . factors[j])^2 + penalty |x|^2.
    """
    k = factors.shape[1]
    squares = (factors[:, :, None] * factors[:, None, :]).reshape(len(factors), k * k)
    left = (weight @ squares).reshape(-1, k, k) + penalty * np.eye(k)
    right = (weight * target) @ factors
    return np.linalg.solve(left, right[..., None])[..., 0]


def fit_ratings(
    stars: ArrayLike,
    rated: ArrayLike,
    k: int,
    penalty: float,
    *,
    steps: int = 12,
    seed: int = 0,
) -> Ratings:
    """Factorize the ratings that are there, with biases, by alternating least squares.

    Parameters
    ----------
    stars : array_like, shape (n, m)
        Ratings, a row per user, a column per item. What is not rated may hold any number.
    rated : array_like of bool, shape (n, m)
        Which entries are ratings.
    k : int
        Numbers per taste; 0 fits the biases alone.
    penalty : float
        Strength of the penalty on all factors and biases.
    steps : int
        How often both sides are solved for.
    seed : int
        For the first V.

    Returns
    -------
    Ratings
        With the objective after each step, which never rises.

    References
    ----------
    Koren, Bell and Volinsky, Matrix factorization techniques for recommender systems, 2009.

    Examples
    --------
    >>> stars = np.array([[5, 1, 5], [1, 5, 1], [5, 1, 0]])
    >>> fit = fit_ratings(stars, stars > 0, k=1, penalty=0.1)
    >>> bool(fit.scores()[2, 2] > 4)
    True
    """
    stars, weight = np.asarray(stars, dtype=float), np.asarray(rated, dtype=float)
    (n, m), mean = stars.shape, float(stars[weight > 0].mean())
    V, item_bias, objective = np.random.default_rng(seed).normal(0, 0.1, (m, k)), np.zeros(m), []
    for _ in range(steps):
        # A bias is one more factor, whose partner is the constant 1.
        X = _solve(weight, stars - mean - item_bias, np.column_stack([V, np.ones(m)]), penalty)
        U, user_bias = X[:, :-1], X[:, -1]
        rest = (stars - mean - user_bias[:, None]).T
        X = _solve(weight.T, rest, np.column_stack([U, np.ones(n)]), penalty)
        V, item_bias = X[:, :-1], X[:, -1]
        error = weight * (stars - mean - user_bias[:, None] - item_bias - U @ V.T)
        sizes = sum(np.sum(part**2) for part in (U, V, user_bias, item_bias))
        objective.append(float(np.sum(error**2) + penalty * sizes))
    return Ratings(mean, user_bias, item_bias, U, V, objective)


def fold_in(taken: ArrayLike, V: Array, penalty: float, weight: float) -> Array:
    """Find the factors of users from what they took, with the items' factors fixed.

    Parameters
    ----------
    taken : array_like, shape (n, m)
        1 for what was taken, 0 for the rest.
    V : ndarray, shape (m, k)
        Factors of the items.
    penalty, weight : float
        As in `fit_implicit`.

    Returns
    -------
    ndarray, shape (n, k)
    """
    taken = np.asarray(taken, dtype=float)
    return _solve(1 + weight * taken, taken, V, penalty)


def fit_implicit(
    taken: ArrayLike,
    k: int,
    penalty: float,
    weight: float,
    *,
    steps: int = 12,
    start: Array | None = None,
    seed: int = 0,
) -> tuple[Array, Array]:
    """Factorize what was taken: 1 with a large weight, against 0 with a small one.

    Parameters
    ----------
    taken : array_like, shape (n, m)
        1 for what was taken, 0 for the rest.
    k : int
        Numbers per taste.
    penalty : float
        Strength of the penalty on all factors.
    weight : float
        What was taken counts 1 + weight, the rest counts 1.
    steps : int
        How often both sides are solved for.
    start : ndarray, shape (m, k), optional
        The first factors of the items; random ones otherwise.
    seed : int
        For these.

    Returns
    -------
    U : ndarray, shape (n, k)
    V : ndarray, shape (m, k)

    References
    ----------
    Hu, Koren and Volinsky, Collaborative filtering for implicit feedback datasets, 2008.

    Examples
    --------
    >>> taken = np.array([[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 1, 1]])
    >>> U, V = fit_implicit(taken, k=2, penalty=0.1, weight=3)
    >>> np.round(U @ V.T).astype(int).tolist()
    [[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 1, 1]]
    """
    taken = np.asarray(taken, dtype=float)
    V = np.random.default_rng(seed).normal(0, 0.1, (taken.shape[1], k)) if start is None else start
    for _ in range(steps):
        U = fold_in(taken, V, penalty, weight)
        V = fold_in(taken.T, U, penalty, weight)
    return U, V


def implicit_objective(
    taken: ArrayLike, U: Array, V: Array, penalty: float, weight: float
) -> float:
    """Compute what `fit_implicit` makes small.

    Examples
    --------
    >>> implicit_objective([[1, 0]], np.array([[1.0]]), np.array([[1.0], [1.0]]), 0.5, 3)
    2.5
    """
    taken = np.asarray(taken, dtype=float)
    error = (1 + weight * taken) * (taken - U @ V.T) ** 2
    return float(error.sum() + penalty * (np.sum(U**2) + np.sum(V**2)))


def aligned_r2(found: Array, truth: Array, fit: ArrayLike, judge: ArrayLike) -> float:
    """Measure how well factors agree with true ones up to rotation, reflection, scale and shift.

    The rotation is found on some rows (orthogonal Procrustes) and judged on others, so that
    numbers that have nothing to do with the truth get about 0 or less.

    Parameters
    ----------
    found, truth : ndarray, shape (n, k)
        A row for each user, or for each item.
    fit, judge : array_like of int or bool
        The rows to find the rotation with, and those to judge it on.

    Returns
    -------
    float
        The share of the variance of `truth[judge]` that the turned factors explain, at most 1.

    Examples
    --------
    >>> truth = np.random.default_rng(0).normal(size=(100, 2))
    >>> turned = 3 * truth @ np.array([[0.0, 1.0], [-1.0, 0.0]]) + 5
    >>> round(aligned_r2(turned, truth, np.arange(50), np.arange(50, 100)), 6)
    1.0
    """
    found, truth = np.asarray(found, dtype=float), np.asarray(truth, dtype=float)
    A, B = (X - X[fit].mean(axis=0) for X in (found, truth))
    left, sizes, right = np.linalg.svd(A[fit].T @ B[fit])
    scale = sizes.sum() / np.sum(A[fit] ** 2)
    error = B[judge] - scale * A[judge] @ left @ right
    spread = truth[judge] - truth[judge].mean(axis=0)
    return float(1 - np.sum(error**2) / np.sum(spread**2))
