"""The perceptron, checked against PyTorch, scikit-learn, exact fractions and known counts.

The rule has no slope anywhere, so central differences have nothing to say about it. In their place
stand fractions (every number of the rule is a fraction of the samples' numbers), scikit-learn's
perceptron, and the theorem that bounds the number of mistakes.
"""

import doctest
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import Perceptron

from course_lib.scratch import perceptron as p

pytestmark = pytest.mark.filterwarnings(
    "error",
    # Of what other tests left behind: chance decides when it is collected.
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
    "ignore::pytest.PytestUnhandledThreadExceptionWarning",
)

CORNERS = np.array(list(product([0.0, 1.0], repeat=2)))
XOR = np.array([-1, 1, 1, -1])

sizes = st.tuples(st.integers(0, 6), st.integers(0, 5))
# Quarters: exact in floating point, so sums do not depend on their order.
quarters = st.integers(-20, 20).map(lambda k: k / 4)


@st.composite
def neurons(draw):
    n, d = draw(sizes)
    X = draw(hnp.arrays(np.float64, (n, d), elements=quarters))
    w = draw(hnp.arrays(np.float64, d, elements=quarters))
    return X, w, draw(quarters)


@st.composite
def labeled(draw):
    X, _, _ = draw(neurons())
    y = draw(hnp.arrays(np.int64, len(X), elements=st.sampled_from([-1, 1])))
    return X, y


def in_fractions(X, y, passes):
    """The rule in whole numbers and fractions: no rounding, no NumPy."""
    rows = [[Fraction(value) for value in row] for row in X.tolist()]
    w, b, mistakes = [Fraction(0)] * X.shape[1], Fraction(0), []
    for _ in range(passes):
        wrong = []
        for i, (x, label) in enumerate(zip(rows, y.tolist(), strict=True)):
            z = sum((u * v for u, v in zip(w, x, strict=True)), b)
            if (1 if z > 0 else -1) != label:
                w = [u + label * v for u, v in zip(w, x, strict=True)]
                b += label
                wrong.append(i)
        mistakes.append(wrong)
        if not wrong:
            break
    return [float(u) for u in w], float(b), mistakes


def separable(seed, gap=0.3, n=40, d=3):
    """Points on both sides of a plane, none within `gap`/2 of it."""
    rng = np.random.default_rng(seed)
    u = rng.normal(size=d)
    u /= np.linalg.norm(u)
    X = rng.uniform(-1, 1, (4 * n, d))
    X = X[np.abs(X @ u + 0.1) > gap / 2][:n]
    return X, np.where(X @ u + 0.1 > 0, 1, -1), u, 0.1


def test_examples_in_the_docstrings():
    assert doctest.testmod(p).failed == 0


@given(neurons())
def test_weighted_sum_is_that_of_pytorch(case):
    X, w, b = case
    expected = torch.nn.functional.linear(
        torch.tensor(X), torch.tensor(w)[None], torch.tensor([b], dtype=torch.float64)
    )[:, 0]
    assert_array_equal(p.weighted_sum(X, w, b), expected.numpy())


@given(neurons())
def test_weighted_sum_in_closed_form_and_from_any_layout(case):
    X, w, b = case
    expected = [
        float(sum(Fraction(u) * Fraction(v) for u, v in zip(row, w.tolist(), strict=True)))
        for row in X.tolist()
    ]
    assert_array_equal(p.weighted_sum(X, w, b), np.array(expected) + b)
    assert_array_equal(p.weighted_sum(np.asfortranarray(X), w, b), np.array(expected) + b)
    assert_array_equal(p.weighted_sum(X[::-1], w, b)[::-1], np.array(expected) + b)


@given(neurons())
def test_a_batch_is_its_samples(case):
    X, w, b = case
    one_by_one = [p.answer(x, w, b).item() for x in X]
    assert p.answer(X, w, b).tolist() == one_by_one
    assert set(one_by_one) <= {-1, 1}


def test_at_zero_the_answer_is_no():
    assert p.answer([0.0, 0.0], [1.0, 1.0], 0.0) == -1


@settings(deadline=None)
@given(labeled())
def test_learning_is_that_in_fractions(case):
    X, y = case
    w, b, mistakes = p.learn(X, y, passes=30)
    assert (w.tolist(), b, mistakes) == in_fractions(X, y, passes=30)


@pytest.mark.parametrize("seed", range(5))
def test_learning_is_that_of_scikit_learn(seed):
    X, y, _, _ = separable(seed)
    # Scikit-learn also corrects a positive sample with sum 0, as we do, and a negative one.
    first = np.flatnonzero(y == 1)[0]
    order = np.r_[first, np.delete(np.arange(len(y)), first)]
    X, y = X[order], y[order]
    w, b, mistakes = p.learn(X, y)
    theirs = Perceptron(shuffle=False, tol=None, max_iter=len(mistakes)).fit(X, y)
    assert_allclose(w, theirs.coef_[0], rtol=1e-12)
    assert_allclose(b, theirs.intercept_[0])


@pytest.mark.parametrize("seed", range(10))
def test_every_separating_neuron_bounds_the_mistakes(seed):
    X, y, u, c = separable(seed)
    w, b, mistakes = p.learn(X, y)
    made = sum(map(len, mistakes))
    assert mistakes[-1] == [] and np.array_equal(p.answer(X, w, b), y)
    assert 0 < made <= p.mistake_bound(X, y, u, c)
    assert made <= p.mistake_bound(X, y, w, b)
    assert_allclose(p.mistake_bound(X, y, u, c), p.mistake_bound(X, y, 7 * u, 7 * c))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])
def test_distances_are_those_to_the_nearest_point_of_the_line(seed, scale):
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=4)
    direction /= np.linalg.norm(direction)
    far, along = rng.normal(size=6), rng.normal(size=(6, 4))
    along -= np.outer(along @ direction, direction)
    X = 0.7 * direction + along + np.outer(far, direction)
    assert_allclose(p.distances(X, scale * direction, -0.7 * scale), far, rtol=1e-9, atol=1e-12)


def test_one_hot_samples_need_half_of_the_bound():
    n = 12
    X, y = np.eye(n), np.where(np.arange(n) % 2 == 0, 1, -1)
    _, _, mistakes = p.learn(X, y)
    assert sum(map(len, mistakes)) == n
    assert p.mistake_bound(X, y, y.astype(float), 0.0) == 2 * n


def test_xor_is_never_learned_and_comes_back_to_where_it_was():
    states = [p.learn(CORNERS, XOR, passes=k)[:2] for k in range(1, 12)]
    as_tuples = [(*w, b) for w, b in states]
    assert len(set(as_tuples)) < len(as_tuples)
    assert p.learn(CORNERS, XOR, passes=500)[2][-1] != []


def test_fourteen_of_sixteen():
    learned = [p.learn(CORNERS, np.array(y))[2][-1] == [] for y in product([-1, 1], repeat=4)]
    assert sum(learned) == 14


@given(labeled(), st.integers(0, 10))
def test_a_right_answer_changes_nothing_and_a_wrong_one_moves_toward_the_label(case, i):
    X, y = case
    if not len(X):
        return
    x, label = X[i % len(X)], int(y[i % len(X)])
    start = np.linspace(-1, 1, X.shape[1])
    w, b = p.corrected(start, 0.5, x, label)
    moved = label * (p.weighted_sum(x, w, b) - p.weighted_sum(x, start, 0.5))
    if p.answer(x, start, 0.5) == label:
        assert_array_equal(w, start)
        assert b == 0.5
    else:
        assert_allclose(moved, x @ x + 1)
    assert_array_equal(start, np.linspace(-1, 1, X.shape[1]))


def test_nothing_to_learn_from():
    w, b, mistakes = p.learn(np.zeros((0, 3)), np.zeros(0, dtype=int))
    assert (w.tolist(), b, mistakes) == ([0, 0, 0], 0, [[]])


def test_float32_stays_and_integers_become_floats():
    assert p.weighted_sum(np.ones((2, 2), np.float32), np.ones(2, np.float32), 0.0).dtype == "f4"
    assert p.weighted_sum([[1, 2]], [3, 4], 5).dtype == "f8"


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: p.weighted_sum([[1.0, 2.0]], [1.0], 0.0), ValueError, "one weight for each"),
        (lambda: p.weighted_sum([[1.0]], [[1.0]], 0.0), ValueError, "one weight for each"),
        (lambda: p.weighted_sum(1.0, [1.0], 0.0), ValueError, "one weight for each"),
        (lambda: p.weighted_sum(["a"], [1.0], 0.0), TypeError, "X must hold real numbers"),
        (lambda: p.weighted_sum([1.0], [1j], 0.0), TypeError, "w must hold real numbers"),
        (lambda: p.learn([[1.0], [2.0]], [0, 1]), ValueError, "0 is among them"),
        (lambda: p.learn([[1.0], [2.0]], [True, False]), ValueError, "False is among them"),
        (lambda: p.learn([[1.0], [2.0]], [np.nan, 1]), ValueError, "nan is among them"),
        (lambda: p.learn([[1.0], [2.0]], [1]), ValueError, "the shape (n,)"),
        (lambda: p.learn([1.0, 2.0], [1, -1]), ValueError, "the shape (n, d)"),
        (lambda: p.learn([[1.0]], [1], passes=0), ValueError, "1 or more"),
        (lambda: p.corrected([1.0], 0.0, [1.0], 0), ValueError, "0 is among them"),
        (lambda: p.distances([[1.0]], [0.0], 1.0), ValueError, "draws no line"),
        (lambda: p.weighted_sum([[1.0], [2.0]], [1.0], [0.0, 1.0]), ValueError, "a single bias"),
        (lambda: p.weighted_sum([[1.0], [1.0, 2.0]], [1.0], 0.0), ValueError, "the same length"),
        (lambda: p.corrected([1.0], 0.0, [[1.0], [2.0]], 1), ValueError, "For many samples"),
        (lambda: p.corrected([1.0], 0.0, [1.0], [1]), ValueError, "one sample of shape"),
        (lambda: p.mistake_bound([[1.0], [-1.0]], [[1], [-1]], [1.0], 0.0), ValueError, "reshape"),
        (lambda: p.mistake_bound(CORNERS, XOR, [1.0, 1.0], -0.5), ValueError, "no margin"),
        (lambda: p.mistake_bound([[0.0]], [-1], [1.0], 0.0), ValueError, "no margin"),
    ],
)
def test_misuse_is_refused_with_words_that_help(call, error, words):
    with pytest.raises(error) as raised:
        call()
    assert words in str(raised.value)
