"""Metrics beside scikit-learn's, over generated answers, and what is refused."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as theirs

from course_lib import metrics as ours

#: Few different scores, so that there are ties.
SCORES = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=40).filter(
    lambda pairs: 0 < sum(positive for _, positive in pairs) < len(pairs)
)
ANSWERS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40)


@given(ANSWERS)
def test_counts_agree(pairs):
    given_, wanted = np.array(pairs).T
    table = ours.confusion_matrix(given_, wanted, classes=4)
    labels = range(4)
    assert np.array_equal(table, theirs.confusion_matrix(wanted, given_, labels=labels))
    assert ours.accuracy(given_, wanted) == pytest.approx(theirs.accuracy_score(wanted, given_))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted_scores = theirs.precision_recall_fscore_support(
            wanted, given_, labels=labels, zero_division=np.nan
        )
    for got, expected in zip(
        (ours.precisions(table), ours.recalls(table), ours.f1_scores(table)),
        wanted_scores[:3],
        strict=True,
    ):
        np.testing.assert_allclose(got, expected, rtol=1e-12)


@given(SCORES)
def test_curves_agree(pairs):
    scores, targets = np.array(pairs, dtype=float).T
    assert ours.auroc(scores, targets) == pytest.approx(theirs.roc_auc_score(targets, scores))
    assert ours.average_precision(scores, targets) == pytest.approx(
        theirs.average_precision_score(targets, scores)
    )
    got = ours.roc_curve(scores, targets)
    expected = theirs.roc_curve(targets, scores, drop_intermediate=False)
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(a, b)
    precision, recall, thresholds = theirs.precision_recall_curve(targets, scores)
    for a, b in zip(
        ours.precision_recall_curve(scores, targets),
        (precision[:-1], recall[:-1], thresholds),
        strict=True,
    ):
        np.testing.assert_allclose(a[::-1], b)


@given(SCORES)
def test_auroc_is_the_chance_that_the_positive_wins(pairs):
    scores, targets = np.array(pairs, dtype=float).T
    up, down = scores[targets == 1, np.newaxis], scores[targets == 0]
    wins = np.mean((up > down) + 0.5 * (up == down))
    assert ours.auroc(scores, targets) == pytest.approx(wins)
    assert ours.auroc(-scores, targets) == pytest.approx(1 - wins)


def test_tensors_and_scores_are_taken():
    scores = torch.tensor([[0.1, 0.7, 0.2], [2.0, 0.0, 1.0]])
    assert ours.accuracy(scores, torch.tensor([1, 2])) == 0.5
    assert ours.confusion_matrix(scores.argmax(1), torch.tensor([1, 2])).tolist() == [
        [0, 0, 0],
        [0, 1, 0],
        [1, 0, 0],
    ]


def test_reliability_by_hand():
    p = np.array([[0.95, 0.05], [0.92, 0.08], [0.4, 0.6], [0.7, 0.3], [0.5, 0.5]])
    found = ours.reliability(p, [0, 1, 1, 0, 1])
    # 0.5 and 0.6 lie on edges, and belong to the part below.
    np.testing.assert_allclose(found.confidence, [0.5, 0.6, 0.7, 0.935])
    np.testing.assert_allclose(found.accuracy, [0, 1, 1, 0.5])
    assert found.count.tolist() == [1, 1, 1, 2]
    error = (0.5 + 0.4 + 0.3 + 2 * 0.435) / 5
    assert ours.expected_calibration_error(p, [0, 1, 1, 0, 1]) == pytest.approx(error)
    assert ours.expected_calibration_error(p, [0, 1, 1, 0, 1], bins=1) == pytest.approx(
        abs(p.max(axis=1).mean() - 0.6)
    )


def test_a_calibrated_classifier_has_a_small_error_and_a_boastful_one_has_not():
    rng = np.random.default_rng(0)
    p = rng.dirichlet([1, 1, 1], size=20_000)
    targets = (rng.random((20_000, 1)) > p.cumsum(axis=1)).sum(axis=1)
    assert ours.expected_calibration_error(p, targets) < 0.02
    sharper = p**3 / (p**3).sum(axis=1, keepdims=True)
    assert ours.expected_calibration_error(sharper, targets) > 0.15


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: ours.accuracy(np.zeros((4, 1)), np.zeros(4)), r"\(4, 1\)"),
        (lambda: ours.accuracy([], []), "shape"),
        (lambda: ours.confusion_matrix([0.5], [1]), "argmax"),
        (lambda: ours.confusion_matrix([-1], [1]), "one is -1"),
        (lambda: ours.confusion_matrix([3], [1], classes=3), "0 to 2, but one is 3"),
        (lambda: ours.recalls([[1, 2, 3]]), "is square"),
        (lambda: ours.auroc([1.0, 2.0], [1, 1]), "no target 0"),
        (lambda: ours.auroc([1.0, 2.0], [0, 0]), "no target 1"),
        (lambda: ours.auroc([1.0, 2.0], [1, 2]), "must be 0 and 1"),
        (lambda: ours.auroc([1.0, np.nan], [0, 1]), "is nan"),
        (lambda: ours.reliability([[3.0, -1.0]], [0]), "softmax first"),
        (lambda: ours.reliability([0.5, 0.5], [0, 1]), r"must be \(n, k\)"),
        (lambda: ours.reliability([[0.5, 0.5]], [0], bins=0), "bins must be 1 or more"),
    ],
)
def test_what_makes_no_sense_is_refused(call, said):
    with pytest.raises(ValueError, match=said):
        call()
