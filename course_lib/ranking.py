"""Judge a ranking of items for each user: what was found, at which place, and by what split.

The chapter *Recommendation* says why known items are left out, and why the split goes by time.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "effective_number",
    "interactions",
    "ndcg_at_k",
    "recall_at_k",
    "split_by_time",
    "top_k",
]


def interactions(
    user: ArrayLike, item: ArrayLike, shape: tuple[int, int], values: ArrayLike = 1.0
) -> NDArray[np.float64]:
    """Write a log of pairs as a matrix: a row per user, a column per item.

    Parameters
    ----------
    user, item : array_like of int, shape (n,)
        The pairs; none occurs twice.
    shape : (int, int)
        Numbers of users and items.
    values : array_like, shape (n,) or ()
        What to write for each pair.

    Returns
    -------
    ndarray, shape `shape`
        0 where there was no interaction.

    Examples
    --------
    >>> interactions([0, 1, 1], [2, 0, 2], (2, 3)).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 1.0]]
    """
    matrix = np.zeros(shape)
    matrix[user, item] = values
    return matrix


def split_by_time(time: ArrayLike, *cuts: float) -> list[NDArray[np.intp]]:
    """Divide the rows of a log at points in time.

    Parameters
    ----------
    time : array_like, shape (n,)
        When each row happened.
    *cuts : float
        In rising order. A row at the very time of a cut belongs to the part after it.

    Returns
    -------
    list of ndarray of int
        One more than there are cuts: the rows of each part, in the order of the log.

    Examples
    --------
    >>> [rows.tolist() for rows in split_by_time([1, 5, 2, 5, 9], 5, 8)]
    [[0, 2], [1, 3], [4]]
    """
    part = np.searchsorted(cuts, time, side="right")
    return [np.flatnonzero(part == number) for number in range(len(cuts) + 1)]


def top_k(scores: ArrayLike, k: int, exclude: ArrayLike | None = None) -> NDArray[np.intp]:
    """Find the items with the highest scores for each user.

    Parameters
    ----------
    scores : array_like, shape (n, m)
        A row per user, a column per item.
    k : int
        How many.
    exclude : array_like of bool, shape (n, m) or (m,), optional
        Items that must not be recommended, such as those that the user knows.

    Returns
    -------
    ndarray of int, shape (n, min(k, m))
        Item numbers, the best first; -1 where no item is left.

    Examples
    --------
    >>> top_k([[0.1, 0.9, 0.5]], 2).tolist()
    [[1, 2]]
    >>> top_k([[0.1, 0.9, 0.5]], 2, exclude=[[False, True, True]]).tolist()
    [[0, -1]]
    """
    scores = np.array(scores, dtype=float)
    if exclude is not None:
        scores[np.broadcast_to(np.asarray(exclude, dtype=bool), scores.shape)] = -np.inf
    ranked = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    left = np.take_along_axis(scores, ranked, axis=1) > -np.inf
    return np.where(left, ranked, -1)


def _hits(ranked: ArrayLike, relevant: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return which places hold a relevant item (n, k), and how many relevant ones there are."""
    ranked, relevant = np.asarray(ranked), np.asarray(relevant, dtype=bool)
    if ranked.ndim != 2 or relevant.ndim != 2 or len(ranked) != len(relevant):
        raise ValueError(
            f"ranked has shape {ranked.shape} and relevant {relevant.shape}: expected (n, k) item "
            "numbers and (n, m) truth values, a row for each of the same users"
        )
    hits = np.take_along_axis(relevant, np.maximum(ranked, 0), axis=1) & (ranked >= 0)
    return hits, relevant.sum(axis=1)


def recall_at_k(ranked: ArrayLike, relevant: ArrayLike) -> NDArray[np.float64]:
    """Compute the share of each user's relevant items that are in the list.

    Parameters
    ----------
    ranked : array_like of int, shape (n, k)
        Items for each user, best first, as from `top_k`; -1 for an empty place.
    relevant : array_like of bool, shape (n, m)
        Which items the user took later.

    Returns
    -------
    ndarray, shape (n,)
        nan for users without relevant items.

    Examples
    --------
    >>> recall_at_k([[1, 2]], [[True, False, True, True]]).round(3).tolist()
    [0.333]
    """
    hits, count = _hits(ranked, relevant)
    return np.where(count > 0, hits.sum(axis=1) / np.maximum(count, 1), np.nan)


def ndcg_at_k(ranked: ArrayLike, relevant: ArrayLike) -> NDArray[np.float64]:
    """Compute the normalized discounted cumulative gain of each user's list.

    A relevant item at place r counts 1 / log2(r + 1), and the sum is divided by the largest that
    any list of k could have.

    Parameters
    ----------
    ranked, relevant
        As in `recall_at_k`.

    Returns
    -------
    ndarray, shape (n,)
        Between 0 and 1; nan for users without relevant items.

    References
    ----------
    Järvelin and Kekäläinen, Cumulated gain-based evaluation of IR techniques, 2002.

    Examples
    --------
    >>> ndcg_at_k([[1, 0]], [[True, False, False]]).round(3).tolist()  # 1 / log2(3), of 1
    [0.631]
    """
    hits, count = _hits(ranked, relevant)
    k = hits.shape[1]
    discount = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.concatenate([[0.0], np.cumsum(discount)])[np.minimum(count, k)]
    return np.where(count > 0, hits @ discount / np.where(count > 0, ideal, 1), np.nan)


def effective_number(counts: ArrayLike) -> float:
    """Compute how many equally frequent kinds would be as varied: the exponential of the entropy.

    Parameters
    ----------
    counts : array_like, shape (m,)
        How often each kind occurred; at least one of them did.

    Returns
    -------
    float

    Examples
    --------
    >>> round(effective_number([5, 5, 5, 5]), 6), round(effective_number([97, 1, 1, 1]), 2)
    (4.0, 1.18)
    """
    share = np.asarray(counts, dtype=float)
    share = share[share > 0] / share.sum()
    return float(np.exp(-np.sum(share * np.log(share))))
