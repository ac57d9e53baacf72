"""Judging rankings: against scikit-learn, by hand, and at the edges."""

import doctest

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import ndcg_score

from course_lib import ranking


def test_examples():
    result = doctest.testmod(ranking)
    assert result.attempted and not result.failed


def made(seed, n=30, m=12):
    rng = np.random.default_rng(seed)
    known = rng.random((n, m)) < 0.3
    later = ~known & (rng.random((n, m)) < 0.3)
    return rng.normal(size=(n, m)), known, later


@pytest.mark.parametrize("k", [1, 3, 12])
def test_ndcg_is_that_of_scikit_learn(k):
    scores, known, later = made(0)
    ours = ranking.ndcg_at_k(ranking.top_k(scores, k, known), later)
    there = later.any(axis=1)
    assert there.sum() > 20
    theirs = [
        ndcg_score(later[[i]], np.where(known, -1e9, scores)[[i]], k=k, ignore_ties=True)
        for i in np.flatnonzero(there)
    ]
    assert_allclose(ours[there], theirs)
    assert np.isnan(ours[~there]).all()


def test_recall_counts_hits_and_nobody_is_nan():
    scores, known, later = made(1)
    later[3] = False
    ours = ranking.recall_at_k(ranking.top_k(scores, 4, known), later)
    for i in range(len(scores)):
        order = sorted(np.flatnonzero(~known[i]), key=lambda j, i=i: -scores[i, j])[:4]
        wanted = later[i].sum()
        share = sum(later[i, j] for j in order) / wanted if wanted else np.nan
        assert_allclose(ours[i], share)


def test_a_list_ends_where_nothing_is_left():
    known = np.array([[True, True, False], [True, True, True]])
    ranked = ranking.top_k(np.zeros((2, 3)), 5, known)
    assert_array_equal(ranked, [[2, -1, -1], [-1, -1, -1]])
    later = np.array([[False, False, True], [False, False, False]])
    assert_allclose(ranking.recall_at_k(ranked, later), [1, np.nan])
    assert_allclose(ranking.ndcg_at_k(ranked, later), [1, np.nan])
    # -1 is an empty place, not the last item.
    assert_allclose(ranking.recall_at_k([[-1]], [[False, False, True]]), [0])


def test_items_may_be_left_out_for_everybody():
    scores = np.arange(6.0).reshape(2, 3)
    assert_array_equal(ranking.top_k(scores, 1, np.array([False, False, True])), [[1], [1]])
    assert scores[1, 2] == 5, "the caller's scores stay as they are"


def test_rows_that_do_not_fit_are_an_error():
    with pytest.raises(ValueError, match=r"\(1, 2\).*\(2, 3\)"):
        ranking.recall_at_k([[0, 1]], np.ones((2, 3), bool))


def test_a_split_by_time_tears_no_ties_apart():
    time = np.array([3.0, 1.0, 2.0, 2.0, 5.0, 2.0])
    parts = ranking.split_by_time(time, 2.0, 4.0)
    assert [part.tolist() for part in parts] == [[1], [0, 2, 3, 5], [4]]
    assert sorted(np.concatenate(parts).tolist()) == list(range(6))


@pytest.mark.parametrize("m", [1, 7])
def test_the_effective_number_of_equals_is_their_number(m):
    assert_allclose(ranking.effective_number([3] * m + [0, 0]), m)


def test_interactions_write_values():
    matrix = ranking.interactions([0, 1], [1, 0], (2, 2), [4.5, 2.0])
    assert_array_equal(matrix, [[0, 4.5], [2.0, 0]])
