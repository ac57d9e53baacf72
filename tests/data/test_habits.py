"""The habits of measuring, against scikit-learn and counts by hand."""

import doctest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.dummy import DummyClassifier
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import StandardScaler

from course_lib.data import habits

labels = hnp.arrays(np.int64, st.integers(1, 40), elements=st.integers(0, 3))
tables = st.tuples(st.integers(1, 12), st.integers(1, 12), st.integers(0, 4))
# Eighths: their sums are exact, so constant columns are constant to the last bit.
eighths = st.integers(-800, 800).map(lambda k: k / 8)


@given(st.data(), labels)
@settings(deadline=None)
def test_accuracy_is_that_of_scikit_learn(data, y):
    says = data.draw(hnp.arrays(np.int64, y.shape, elements=st.integers(0, 3)))
    assert habits.accuracy(y, says) == pytest.approx(accuracy_score(y, says))


@pytest.mark.parametrize(
    ("y", "says"), [([1, 0], [1]), ([1], [1, 0]), ([1, 0], [[1], [0]]), ([], []), (1, 1)]
)
def test_accuracy_wants_one_answer_for_each_label(y, says):
    with pytest.raises(ValueError, match="one answer for each label"):
        habits.accuracy(y, says)


def test_words_are_labels_too():
    assert habits.accuracy(["a", "b"], ["a", "a"]) == 0.5
    assert habits.baseline_accuracy(["a", "b", "b"], ["b", "a"]) == 0.5


@given(st.lists(labels, min_size=1, max_size=5), st.integers(0, 2**31))
@settings(deadline=None)
def test_pooled_accuracy_weighs_groups_by_their_size(groups, seed):
    rng = np.random.default_rng(seed)
    pairs = [(y, rng.integers(0, 4, len(y))) for y in groups]
    sizes = [len(y) for y in groups]
    shares = [habits.accuracy(*pair) for pair in pairs]
    assert habits.pooled_accuracy(pairs) == pytest.approx(np.average(shares, weights=sizes))


@given(labels, labels)
@settings(deadline=None)
def test_baseline_is_that_of_scikit_learn(y_train, y_test):
    dummy = DummyClassifier(strategy="most_frequent").fit(np.zeros((len(y_train), 1)), y_train)
    expected = dummy.score(np.zeros((len(y_test), 1)), y_test)
    assert habits.baseline_accuracy(y_train, y_test) == pytest.approx(expected)


@given(st.data(), tables)
@settings(deadline=None)
def test_standardize_is_that_of_scikit_learn(data, shape):
    n, m, d = shape
    X_train = data.draw(hnp.arrays(np.float64, (n, d), elements=eighths))
    X_new = data.draw(hnp.arrays(np.float64, (m, d), elements=eighths))
    before = X_train.copy(), X_new.copy()
    Z_train, Z_new = habits.standardize(X_train, X_new)
    if d:
        scaler = StandardScaler().fit(X_train)
        assert_allclose(Z_train, scaler.transform(X_train), atol=1e-9)
        assert_allclose(Z_new, scaler.transform(X_new), atol=1e-9)
    assert Z_train.shape == (n, d) and Z_new.shape == (m, d)
    assert_array_equal(X_train, before[0])
    assert_array_equal(X_new, before[1])


def test_a_constant_column_is_only_shifted():
    # The standard deviation of three times 0.1 is not exactly 0.
    Z_train, Z_new = habits.standardize([[0.1], [0.1], [0.1]], [[1.1], [0.1]])
    assert_allclose(Z_train, 0, atol=1e-12)
    assert_allclose(Z_new, [[1], [0]], atol=1e-12)


def always(label):
    return lambda X_train, y_train, X_new: np.full(len(X_new), label)


def remembers(X_train, y_train, X_new):
    known = {tuple(row): label for row, label in zip(X_train, y_train, strict=True)}
    return np.array([known.get(tuple(row), -1) for row in X_new])


def test_choose_judges_by_rows_that_were_not_learned_from():
    X, y = np.arange(8.0).reshape(8, 1), np.array([0, 1, 0, 1, 0, 1, 0, 0])
    train, validation = (X[:5], y[:5]), (X[5:], y[5:])
    assert habits.choose({"memory": remembers, "zero": always(0)}, train, validation) == "zero"
    assert habits.choose({"memory": remembers, "zero": always(0)}, train, train) == "memory"


def test_choose_takes_the_first_of_equals():
    train = validation = [[1.0], [2.0]], [0, 1]
    assert habits.choose({"z": always(1), "a": always(0)}, train, validation) == "z"
    assert (
        habits.choose({"bad": always(7), "z": always(0), "a": always(1)}, train, validation) == "z"
    )


def test_examples():
    result = doctest.testmod(habits)
    assert result.attempted and not result.failed
