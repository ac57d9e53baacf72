# ---
# jupyter:
#   course:
#     answers_in:
#     - course_lib.scratch.perceptron
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Neurons: weigh, answer, learn
#
# - **Time:** 90 minutes. **Difficulty:** 1 of 5. **Points:** 31, of which a person gives 4.
# - **Needs:** the chapter *Artificial neurons*, NumPy arrays, a loop.
#
# You will write a neuron, let it learn from its mistakes, and compute for your own data why the learning had
# to come to an end. Then you will set three neurons by hand for a question that one cannot answer. At the end
# 45 copies of your neuron, one for each pair of digits, read handwriting that they have never seen, and you
# look at what each of them looks at.
#
# **What is special here**
#
# - `X` holds samples, one per row: shape `(n, d)`. `w` holds a weight for each input: shape `(d,)`. They may
#   hold `float64`, `float32` or integers. `b` is a single number.
# - Labels `y` are +1 and −1, and so are answers.
#
# `course_lib.scratch.perceptron` holds answers to this exercise: leave it closed. What holds in every
# exercise (how to check, what the tests look at, what counts) is on the page *How exercises work* in
# the appendix.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np
from scipy.optimize import nnls

from course_lib.data.digits import load as load_digits
from course_lib.plotting import neurons as figures
from course_lib.plotting.style import new_figure, styled

np.set_printoptions(suppress=True)

# %% [markdown]
# ## Step 1. Weigh and answer
#
# A neuron multiplies each input by its weight, adds the products and then the bias:
# $z = x_1 w_1 + \dots + x_d w_d + b$. That is its *weighted sum*.
#
# Write it for a batch: `X` of shape `(n, d)` gives `n` sums. A single sample of shape `(d,)` gives a
# single number.


# %% nbgrader={"grade": false, "grade_id": "weighted_sum", "locked": false, "schema_version": 3, "solution": true, "task": false}
def weighted_sum(X, w, b):
    """Weigh the inputs and add the bias.

    Parameters
    ----------
    X : ndarray, shape (n, d) or (d,)
        Samples, one per row, or a single sample.
    w : ndarray, shape (d,)
        Weights.
    b : float
        Bias.

    Returns
    -------
    ndarray of shape (n,), or a number for a single sample
        Right to five digits.

    Example
    -------
    >>> weighted_sum(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([10.0, 1.0]), -5.0)
    array([ 7., 29.])
    """
    ### BEGIN SOLUTION
    return X @ w + b
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-weighted_sum", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    weighted_sum,
    {
        "X": np.array([[1.0, 2.0], [3.0, 4.0], [0.0, 0.0]]),
        "w": np.array([10.0, 1.0]),
        "b": -5.0,
    },
    np.array([7.0, 29.0, -5.0]),
    hint="Three samples, three sums: each row of X is a sample, and X[i] is a whole row. The sum of "
    "the sample (0, 0) is the bias alone. See 'Weighing two pieces of evidence'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-weighted_sum-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: square and wide batches, one sample, other kinds of numbers.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds

rng = np.random.default_rng(seed=1)
for n, d in [(3, 3), (1, 4), (5, 1), (2, 6), (40, 64)]:
    X, w = rng.normal(size=(n, d)), rng.normal(size=d)
    b = float(rng.normal())
    check(
        weighted_sum,
        {"X": X, "w": w, "b": b},
        np.einsum("ij,j->i", X, w) + b,
        rtol=1e-5,
        atol=1e-5,
        hint="The sum runs along a row, over the inputs, and gives one number per sample. With as "
        "many samples as inputs, w @ X runs down the columns and raises no error. "
        "See 'Weighing two pieces of evidence'.",
    )
check(
    weighted_sum,
    {"X": np.array([1.0, 2.0, 3.0]), "w": np.array([1.0, 0.5, -1.0]), "b": 0.25},
    -0.75,
    hint="A single sample has shape (d,), and its answer is a single number. X @ w does both. "
    "See 'Weighing two pieces of evidence'.",
)
check_kinds(
    weighted_sum,
    {"X": np.array([[1.0, 2.0], [3.0, 4.0]]), "w": np.array([2.0, -1.0]), "b": 0.25},
    np.array([0.25, 2.25]),
    kinds=["float64", "float32", "integers", "strided"],
    hint="Weights and samples may be integers where the bias is a fraction, and so are the sums then. "
    "An array made with np.zeros_like of an array of integers cuts them off.",
)
check(
    weighted_sum,
    {"X": np.array([[1, 2], [3, 4]]), "w": np.array([0.5, 0.25]), "b": 0},
    np.array([1.0, 2.5]),
    hint="Integers came in as samples, and the sums are fractions.",
)
### END HIDDEN TESTS

# %% [markdown]
# The neuron says +1 where the sum is above 0, and −1 everywhere else, including where it is exactly 0.


# %% nbgrader={"grade": false, "grade_id": "answer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def answer(X, w, b):
    """What the neuron says: +1 where the weighted sum is above 0, otherwise -1.

    Parameters
    ----------
    X : ndarray, shape (n, d) or (d,)
        Samples, one per row, or a single sample.
    w : ndarray, shape (d,)
        Weights.
    b : float
        Bias.

    Returns
    -------
    ndarray of shape (n,), or a number for a single sample

    Example
    -------
    >>> answer(np.array([[0, 0], [0, 1], [1, 1]]), np.array([1.0, 1.0]), -1.0)
    array([-1, -1,  1])
    """
    ### BEGIN SOLUTION
    return np.where(weighted_sum(X, w, b) > 0, 1, -1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-answer", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check, given
from course_lib.scratch import perceptron as reference

with given(weighted_sum=reference.weighted_sum):
    check(
        answer,
        {
            "X": np.array([[2.0, 0.0], [0.0, 2.0], [0.5, 0.0]]),
            "w": np.array([1.0, -1.0]),
            "b": -1.0,
        },
        [1, -1, -1],
        hint="The three sums are 1, -3 and -0.5. The answers are +1 and -1, not 1 and 0, and not "
        "True and False. See 'Weighing two pieces of evidence'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-answer-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: sums of exactly 0, one sample, a larger batch, sums between -1 and 1.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, given
from course_lib.scratch import perceptron as reference

with given(weighted_sum=reference.weighted_sum):
    check(
        answer,
        {"X": np.array([[0, 0], [1, 1], [2, 1], [1, 2]]), "w": np.array([1, -1]), "b": 0},
        [-1, -1, 1, -1],
        hint="A sum of exactly 0 is not above 0, so the answer is -1. np.sign would say 0, which is "
        "no answer at all, and >= would say +1. See 'Weighing two pieces of evidence'.",
    )
    check(
        answer,
        {"X": np.array([3.0]), "w": np.array([1.0]), "b": -2.0},
        1,
        hint="A single sample gets a single answer, +1 or -1.",
    )
    check(
        answer,
        {"X": np.array([[1, 0], [0, 1]]), "w": np.array([0.5, -0.5]), "b": 0.25},
        [1, -1],
        hint="The sums are 0.75 and -0.25: fractions decide as well as integers do.",
    )
    X = np.random.default_rng(seed=2).normal(size=(200, 7)).astype(np.float32)
    w = np.linspace(-1, 1, 7, dtype=np.float32)
    sums = [sum(float(a) * float(c) for a, c in zip(row, w, strict=True)) + 0.1 for row in X]
    check(
        answer,
        {"X": X, "w": w, "b": 0.1},
        [1 if z > 0 else -1 for z in sums],
        hint="Each sample gets its own answer. See 'Weighing two pieces of evidence'.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. Labels that can teach
#
# Data rarely come labeled +1 and −1. The digits come with labels from 0 to 9, and a single neuron can be
# asked only one thing about them, such as "is this a 7?". Turn the labels into +1 where they are the class in
# question, and −1 elsewhere.


# %% nbgrader={"grade": false, "grade_id": "plus_minus", "locked": false, "schema_version": 3, "solution": true, "task": false}
def plus_minus(labels, yes):
    """Turn the labels of many classes into +1 for one class and -1 for all others.

    Parameters
    ----------
    labels : ndarray, shape (n,)
        A class for each sample: integers or words.
    yes : int or str
        The class that shall be +1.

    Returns
    -------
    ndarray, shape (n,)

    Example
    -------
    >>> plus_minus(np.array([7, 1, 0, 7]), yes=7)
    array([ 1, -1, -1,  1])
    """
    ### BEGIN SOLUTION
    return np.where(labels == yes, 1, -1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-plus_minus", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    plus_minus,
    {"labels": np.array([7, 1, 0, 7]), "yes": 7},
    [1, -1, -1, 1],
    hint="The other classes become -1. With 0 for them, the rule of the next step would multiply by "
    "0, and mistakes on them would teach nothing. If the class 1 came out as +1, a new label was "
    "taken for an old one: compare all labels first, then write. See 'Learning from mistakes'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-plus_minus-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: two classes 0 and 1 either way round, words, unsigned integers.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check

for labels, yes, expected in [
    (np.array([0, 1, 1, 0]), 1, [-1, 1, 1, -1]),
    (np.array([0, 1, 1, 0]), 0, [1, -1, -1, 1]),
    (np.array([0, 1, 2, 9], dtype=np.uint8), 0, [1, -1, -1, -1]),
    (np.array([-1, 1, 3, -1]), -1, [1, -1, -1, 1]),
    (np.array([4, 5, 4]), 6, [-1, -1, -1]),
    (np.array(["cat", "dog", "cat"]), "dog", [-1, 1, -1]),
]:
    check(
        plus_minus,
        {"labels": labels, "yes": yes},
        expected,
        hint="Compare with yes, whatever the classes are called. 2 * labels - 1 works for the "
        "classes 0 and 1 alone, and only when 1 is the one that is asked for. "
        "See 'Learning from mistakes'.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. One correction
#
# Now the rule. Show the neuron one sample `x` with its label `y`. If the answer is right, nothing changes. If
# it is wrong, the sample pulls the weights over to its side: $w \leftarrow w + y\,x$ and
# $b \leftarrow b + y$. The neuron's answer decides: at a sum of exactly 0 it is −1, which is a mistake where
# the label is +1, and not where it is −1.
#
# Return `w` and `b` as they are now. After a mistake `w` is a new array: somebody may still need the old one.


# %% nbgrader={"grade": false, "grade_id": "corrected", "locked": false, "schema_version": 3, "solution": true, "task": false}
def corrected(w, b, x, y):
    """Show the neuron one sample, and change it only if its answer is wrong.

    Parameters
    ----------
    w : ndarray, shape (d,)
        Weights.
    b : float
        Bias.
    x : ndarray, shape (d,)
        The sample.
    y : int
        Its label, +1 or -1.

    Returns
    -------
    w : ndarray, shape (d,)
    b : float

    Example
    -------
    >>> corrected(np.array([1.0, -1.0]), 0.0, np.array([1.0, 2.0]), y=1)
    (array([2., 1.]), 1.0)
    """
    ### BEGIN SOLUTION
    if answer(x, w, b) == y:
        return w, b
    return w + y * x, b + y
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-corrected", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check, given
from course_lib.scratch import perceptron as reference

with given(weighted_sum=reference.weighted_sum, answer=reference.answer):
    for y, x, new_w, new_b in [
        (1, [1.0, 2.0], [2.0, 1.0], 1.0),
        (-1, [2.0, 1.0], [-1.0, -2.0], -1.0),
        (1, [1.0, 1.0], [2.0, 0.0], 1.0),  # a sum of exactly 0
    ]:
        check(
            corrected,
            {"w": np.array([1.0, -1.0]), "b": 0.0, "x": np.array(x), "y": y},
            (np.array(new_w), new_b),
            hint="The answer was wrong, so y * x is added to the weights, once, and y to the bias. The "
            "difference y - answer is 2 or -2, twice as much. (At a sum of exactly 0 the answer is "
            "-1.) Where only [1] is wrong: the bias learns too. Without it every line that the neuron "
            "can draw goes through the origin. See 'Learning from mistakes'.",
        )

# %% nbgrader={"grade": true, "grade_id": "test-corrected-right-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: samples that are answered rightly.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, given
from course_lib.scratch import perceptron as reference

with given(weighted_sum=reference.weighted_sum, answer=reference.answer):
    for y, x, b in [(1, [2.0, 1.0], 0.0), (-1, [1.0, 2.0], 0.0), (-1, [1.0, 1.0], 0.0)]:
        check(
            corrected,
            {"w": np.array([1.0, -1.0]), "b": b, "x": np.array(x), "y": y},
            (np.array([1.0, -1.0]), b),
            hint="The answer was right, and a right answer changes nothing: the rule learns from "
            "mistakes alone. (At a sum of exactly 0 the answer is -1.) "
            "See 'Learning from mistakes'.",
        )
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-corrected-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: many samples, and integers among fractions.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, given
from course_lib.scratch import perceptron as reference

rng = np.random.default_rng(seed=3)
with given(weighted_sum=reference.weighted_sum, answer=reference.answer):
    for trial in range(30):
        d = 1 + trial % 5
        w, x = rng.integers(-3, 4, size=d), rng.integers(-3, 4, size=d) / 2
        if trial % 2:
            w, x = x, w  # fractions in one, integers in the other
        b, y = float(rng.integers(-2, 3)), int(rng.choice([-1, 1]))
        wrong = (1 if sum(w * x) + b > 0 else -1) != y
        check(
            corrected,
            {"w": w, "b": b, "x": x, "y": y},
            (w + y * x, b + y) if wrong else (w, b),
            hint="After a mistake w + y * x and b + y, otherwise w and b as they were. For the "
            "label -1 the sample is taken away. (At a sum of exactly 0 the answer is -1.) "
            "See 'Learning from mistakes'.",
        )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. Learn, and go on learning
#
# Start with all weights and the bias at 0. Show the samples in order, one after the other, each time to the
# neuron as it is *by then*. That is a pass. Go on with further passes until one brings no mistake at all, or
# until there have been `passes` of them. In either case, return `w` and `b` as the last pass left them.
#
# Also keep a record: how many mistakes there were in each pass. For a neuron that has finished learning, the
# last number in the record is 0. (The chapter's `learn` kept the rows of the mistakes; here only their number
# per pass is wanted.)
#
# The chapter's neuron always began with nothing. Yours can also begin with what another one has learned,
# `start`. So two times three passes, the second three beginning where the first three stopped, make the same
# mistakes as six at once.


# %% nbgrader={"grade": false, "grade_id": "learn", "locked": false, "schema_version": 3, "solution": true, "task": false}
def learn(X, y, passes=1000, start=None):
    """Show the samples in turn until a whole pass brings no mistake.

    Parameters
    ----------
    X : ndarray, shape (n, d)
        Samples, one per row.
    y : ndarray, shape (n,)
        Labels, +1 and -1.
    passes : int
        When to give up.
    start : (w, b), optional
        Weights, an ndarray of shape (d,), and bias to begin with. All 0 if None.

    Returns
    -------
    w : ndarray, shape (d,)
    b : float
    mistakes : list of int
        The number of mistakes in each pass.

    Example
    -------
    >>> X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([-1, 1, 1, 1])
    >>> learn(X, y)
    (array([1., 1.]), 0.0, [1, 2, 1, 0])
    >>> w, b, _ = learn(X, y, passes=2)
    >>> learn(X, y, start=(w, b))
    (array([1., 1.]), 0.0, [1, 0])
    """
    ### BEGIN SOLUTION
    w, b = (np.zeros(X.shape[1]), 0.0) if start is None else start
    mistakes = []
    for _ in range(passes):
        wrong = 0
        for i in range(len(X)):
            if answer(X[i], w, b) != y[i]:
                w, b = corrected(w, b, X[i], y[i])
                wrong += 1
        mistakes.append(wrong)
        if wrong == 0:
            break
    return w, b, mistakes
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-learn", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check, given
from course_lib.scratch import perceptron as reference

X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([-1, -1, -1, 1])
with given(
    weighted_sum=reference.weighted_sum,
    answer=reference.answer,
    corrected=reference.corrected,
):
    check(
        learn,
        {"X": X, "y": y},
        (np.array([2.0, 1.0]), -2.0, [1, 3, 3, 2, 1, 0]),
        what="What learn returned for the question 'both?'",
        hint="Expected are the weights [2, 1], the bias -2 and the mistakes [1, 3, 3, 2, 1, 0]: one "
        "number per pass (how many mistakes, not which), and the last is the 0 of the pass that brought "
        "no mistake. Each sample is shown to the neuron as it is by then, with all corrections so far, "
        "and the weights are not set back between passes. Count wrong answers, not changes of w: a "
        "mistake on (0, 0) changes only b. See 'Learning from mistakes'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-learn-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: other data, one sample, labels of one kind, other starts.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, given
from course_lib.scratch import perceptron as reference


def learned(X, y, passes, w, b):
    """Return weights, bias and the number of mistakes in each pass."""
    mistakes = []
    while len(mistakes) < passes and mistakes[-1:] != [0]:
        mistakes.append(0)
        for x, label in zip(X, y, strict=True):
            if (1 if sum(x * w) + b > 0 else -1) != label:
                w, b = w + label * x, b + label
                mistakes[-1] += 1
    return w, b, mistakes


with given(
    weighted_sum=reference.weighted_sum,
    answer=reference.answer,
    corrected=reference.corrected,
):
    for seed, d in [(0, 2), (1, 3), (2, 5)]:
        rng = np.random.default_rng(seed)
        X = rng.integers(-4, 5, size=(30, d)) / 4
        y = np.where(X @ rng.normal(size=d) > 0.3, 1, -1)
        check(
            learn,
            {"X": X, "y": y},
            learned(X, y, 1000, np.zeros(d), 0.0),
            what=f"What learn returned for 30 samples with {d} inputs",
            hint="[0] are the weights: from 0, with y * x for every mistake. [1] is the bias, [2] has one "
            "number per pass. The samples come in the order of the rows, again and again, and learning "
            "ends with the first pass that brings no mistake. See 'Learning from mistakes'.",
        )
        for passes in (2, 1000):
            w, b = rng.integers(-8, 9, size=d) / 4, float(rng.integers(-3, 4)) / 2
            check(
                learn,
                {"X": X, "y": y, "passes": passes, "start": (w, b)},
                learned(X, y, passes, w, b),
                what=f"What learn returned for 30 samples with {d} inputs, passes={passes} and a start "
                "that is not 0",
                hint="Begin with the weights and the bias that came as `start`, in an array of your own. "
                "The record begins with the first pass of this call.",
            )
    check(
        learn,
        {"X": np.array([[2.0, 1.0]]), "y": np.array([1])},
        (np.array([2.0, 1.0]), 1.0, [1, 0]),
        hint="At the start every sum is 0 and every answer -1: the first pass brings one mistake, "
        "the second none.",
    )
    check(
        learn,
        {"X": np.array([[2.0, 1.0], [1.0, 1.0]]), "y": np.array([-1, -1])},
        (np.zeros(2), 0.0, [0]),
        hint="At the start every answer is -1, which is right here: one pass, no mistake.",
    )
    check(
        learn,
        {
            "X": np.array([[2, 1], [-1, 0]]),
            "y": np.array([1, -1]),
            "start": (np.array([0.5, 0.25]), -0.125),
        },
        (np.array([0.5, 0.25]), -0.125, [0]),
        hint="With this start there is nothing to learn: one pass without a mistake, and w and b as they "
        "were, with their fractions.",
    )
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-learn-gives-up-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: a question that no neuron can answer.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, given
from course_lib.scratch import perceptron as reference

X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([-1, 1, 1, -1])
with given(
    weighted_sum=reference.weighted_sum,
    answer=reference.answer,
    corrected=reference.corrected,
):
    for passes, w, b in [
        (1, [-1.0, 0.0], 0.0),
        (2, [-1.0, 0.0], 1.0),
        (7, [-1.0, 0.0], 1.0),
    ]:
        expected = [2, 3, 4, 4, 4, 4, 4][:passes]
        check(
            learn,
            {"X": X, "y": y, "passes": passes},
            (np.array(w), b, expected),
            what=f"What learn returned for XOR, with passes={passes}",
            hint="XOR is never learned, so learn must give up after exactly as many passes as it "
            f"is allowed. Expected are the mistakes {expected}, one number per pass; a mistake on (0, 0) "
            "counts although it changes only b. The weights and the bias are those at the end of the "
            "last pass. See 'The question it can never answer'.",
        )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. Why it had to end
#
# How far is a sample from the line of a neuron? The sum $z$ alone does not say, for it doubles when `w` and
# `b` are doubled, while the line stays where it was. The distance is $z / \lVert w\rVert$, where
# $\lVert w\rVert$ is the length of `w`: the root of the sum of its squares. Keep its sign: positive on the
# side where the neuron says +1.


# %% nbgrader={"grade": false, "grade_id": "distances", "locked": false, "schema_version": 3, "solution": true, "task": false}
def distances(X, w, b):
    """How far each sample lies from the neuron's line; negative where it says -1.

    Parameters
    ----------
    X : ndarray, shape (n, d)
        Samples, one per row.
    w : ndarray, shape (d,)
        Weights, not all 0.
    b : float
        Bias.

    Returns
    -------
    ndarray, shape (n,)

    Example
    -------
    >>> distances(np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([3.0, 4.0]), -5.0)
    array([-1.,  4.])
    """
    ### BEGIN SOLUTION
    return weighted_sum(X, w, b) / np.sqrt(np.sum(np.square(w)))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-distances", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check, given
from course_lib.scratch import perceptron as reference

with given(weighted_sum=reference.weighted_sum, answer=reference.answer):
    check(
        distances,
        {
            "X": np.array([[0.0, 0.0], [3.0, 4.0], [1.0, 0.5]]),
            "w": np.array([3.0, 4.0]),
            "b": -5.0,
        },
        [-1.0, 4.0, 0.0],
        hint="The sums are -5, 20 and 0, and the length of w is 5. The sign stays. See 'The line'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-distances-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: the same line with other weights, other numbers of inputs, other kinds of numbers.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds, given
from course_lib.scratch import perceptron as reference

rng = np.random.default_rng(seed=5)
with given(weighted_sum=reference.weighted_sum, answer=reference.answer):
    for d in (1, 2, 3, 10):
        direction = rng.normal(size=d)
        direction /= np.linalg.norm(direction)
        far = rng.normal(size=6)
        # Points at known distances from the plane through `anchor`.
        anchor, along = rng.normal(size=d), rng.normal(size=(6, d))
        along -= np.outer(along @ direction, direction)
        X = anchor + along + np.outer(far, direction)
        for scale in (0.1, 1.0, 30.0):
            check(
                distances,
                {"X": X, "w": scale * direction, "b": -scale * float(anchor @ direction)},
                far.tolist(),
                rtol=1e-5,
                atol=1e-5,
                what=f"distances of a batch of shape (6, {d}), for weights of length {scale}",
                hint="Divide by the length of w, which is the root of the sum of its squares. The "
                "bias is no part of that length, and the line does not care how long w is. "
                "See 'The line'.",
            )
    check_kinds(
        distances,
        {"X": np.array([[1.0, 2.0], [-3.0, 0.0], [0.0, 0.0]]), "w": np.array([6.0, 8.0]), "b": 1},
        [2.3, -1.7, 0.1],
        kinds=["float64", "float32", "integers", "strided"],
        hint="Integers can have distances with fractions.",
    )
### END HIDDEN TESTS

# %% [markdown]
# Now Novikoff's bound. Append a 1 to every sample, so that the bias is a weight like any other. Let $R$ be
# the length of the longest sample, with its 1. Let $\gamma$ be the smallest $y\,z / \lVert(w, b)\rVert$ over
# all samples, where $\lVert(w, b)\rVert$ is the length of `w` with `b` appended. Then no order of the samples
# leads to more than $(R/\gamma)^2$ mistakes. (Mind the two lengths: $\lVert(w, b)\rVert$ is not the
# $\lVert w\rVert$ that `distances` divides by, so $\gamma$ is not the smallest of your `distances`.)
#
# The bound is valid for the `w` and `b` of *any* neuron that has every sample on its right side. If even one
# sample is on the wrong side, or on the line, there is no margin and no bound: raise a `ValueError`.


# %% nbgrader={"grade": false, "grade_id": "mistake_bound", "locked": false, "schema_version": 3, "solution": true, "task": false}
def mistake_bound(X, y, w, b):
    """How many mistakes learn can make at most, from any neuron that separates the labels.

    Parameters
    ----------
    X : ndarray, shape (n, d)
        Samples, one per row.
    y : ndarray, shape (n,)
        Labels, +1 and -1.
    w : ndarray, shape (d,)
        Weights of a neuron that answers every sample rightly.
    b : float
        Its bias.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a sample lies on the wrong side of the line, or on it.

    Example
    -------
    >>> mistake_bound(np.array([[1.0], [-1.0]]), np.array([1, -1]), np.array([1.0]), 0.0)
    2.0
    """
    ### BEGIN SOLUTION
    closest = np.min(y * weighted_sum(X, w, b))
    if closest <= 0:
        raise ValueError("w and b do not separate the labels: there is no margin")
    with_one = np.column_stack([X, np.ones(len(X))])
    R = np.linalg.norm(with_one, axis=1).max()
    gamma = closest / np.linalg.norm(np.append(w, b))
    return (R / gamma) ** 2
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-mistake_bound", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check, given
from course_lib.scratch import perceptron as reference

with given(
    weighted_sum=reference.weighted_sum,
    answer=reference.answer,
    distances=reference.distances,
):
    check(
        mistake_bound,
        {
            "X": np.array([[1.0], [-1.0]]),
            "y": np.array([1, -1]),
            "w": np.array([1.0]),
            "b": 0.0,
        },
        2.0,
        hint="With its 1 appended each sample is (±1, 1), and its length is the root of 2. The "
        "margin is 1. See 'Why it must end'.",
    )
    check(
        mistake_bound,
        {
            "X": np.array([[0.0, 0.0], [2.0, 2.0], [0.0, 1.0]]),
            "y": np.array([-1, 1, -1]),
            "w": np.array([2.0, 2.0]),
            "b": -4.0,
        },
        54.0,
        hint="R is the length of (2, 2, 1): 3. The smallest y * z is 2, and the length of (2, 2, "
        "-4) is the root of 24. See 'Why it must end'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-mistake_bound-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: random samples, the same line with other weights, integers, neurons that do not separate.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds, check_raises, given
from course_lib.scratch import perceptron as reference

with given(
    weighted_sum=reference.weighted_sum,
    answer=reference.answer,
    distances=reference.distances,
):
    for seed, d in [(0, 1), (1, 2), (2, 6)]:
        rng = np.random.default_rng(seed)
        w, b = rng.normal(size=d), float(rng.normal())
        X = rng.normal(size=(25, d))
        y = np.where(X @ w + b > 0, 1, -1)
        closest = min(label * (sum(x * w) + b) for x, label in zip(X, y, strict=True))
        longest = max(sum(x**2) + 1 for x in X)
        expected = longest * (sum(w**2) + b**2) / closest**2
        for scale in (1.0, 7.0):
            check(
                mistake_bound,
                {"X": X, "y": y, "w": scale * w, "b": scale * b},
                expected,
                rtol=1e-5,
                hint="R is the longest sample and not the average one, gamma the smallest y * z "
                "divided by the length of w with b appended, and R / gamma is squared. The same "
                "line has the same bound, however long w is. See 'Why it must end'.",
            )
    check_kinds(
        mistake_bound,
        {
            "X": np.array([[4.0, 1.0], [0.0, -3.0], [2.0, 2.0]]),
            "y": np.array([1, -1, 1]),
            "w": np.array([1.0, 2.0]),
            "b": -3,
        },
        28.0,
        kinds=["float64", "float32", "integers", "strided"],
        hint="The longest is (4, 1, 1), the smallest y * z is 3, and the length of (1, 2, -3) is the "
        "root of 14.",
    )
    X, y = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([1, -1, -1])
    check(
        mistake_bound,
        {"X": X, "y": y, "w": np.array([-1.0, 0.0]), "b": 0.5},
        15.0,
        hint="Every sample is on its right side here, at 0.5: there is a bound. 3 * 1.25 / 0.25.",
    )
    for w, b, why in [
        ([1.0, -1.0], 0.5, "every sample is on the wrong side"),
        ([-1.0, 1.0], 0.0, "one sample lies on the line"),
        ([-1.0, 2.0], -0.5, "one sample is on the wrong side"),
    ]:
        check_raises(
            ValueError,
            mistake_bound,
            {"X": X, "y": y, "w": np.array(w), "b": b},
            hint=f"Here {why}. Multiply each sum by its label before you look for the smallest: a sample "
            "on the wrong side then counts as negative. Its absolute value would hide it. Where the "
            "smallest is not above 0, raise ValueError(...). See 'Why it must end'.",
        )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. Three neurons for "exactly one"
#
# Is exactly one of three bits 1? One neuron cannot answer it: hold the third bit at 0, and what is left is
# XOR. Two neurons that look at the three bits, with a third that looks at their two answers, can. Choose
# their weights by hand, as the chapter did for two bits.
#
# The two hidden neurons see the bits as 0 and 1 and answer −1 or +1, like your `answer`. The third sees those
# two answers and nothing else. Choose them so that the bits may also be a little off: the last answer must be
# right as long as each bit is within 0.15 of 0 or 1.


# %% nbgrader={"grade": false, "grade_id": "xor_neurons", "locked": false, "schema_version": 3, "solution": true, "task": false}
def exactly_one():
    """Weights and biases of three neurons that together tell whether exactly one of three bits is 1.

    Returns
    -------
    first, second, output : (w, b)
        Each a pair: weights and a bias. The weights of `first` and `second` have shape (3,), those of
        `output` shape (2,): its inputs are the answers, -1 or +1, of `first` and `second`, in this
        order.

    Example
    -------
    A neuron that says +1 if the first bit is 1 and the others are 0 would be the pair
    (np.array([1.0, -1.0, -1.0]), -0.5).
    """
    ### BEGIN SOLUTION
    at_least_one = np.array([1.0, 1.0, 1.0]), -0.5
    less_than_two = np.array([-1.0, -1.0, -1.0]), 1.5
    both_say_yes = np.array([1.0, 1.0]), -1.0
    return at_least_one, less_than_two, both_say_yes
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-xor_neurons", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import assert_close, assert_equal, assert_true, call
from course_lib.scratch import perceptron as reference


def answers_of(neurons, bits):
    """What the third neuron says, for bits of shape (n, 3)."""
    hint = "Return three pairs, (w, b), (w, b), (w, b), with weights of shapes (3,), (3,) and (2,)."
    assert_true(
        isinstance(neurons, list | tuple)
        and len(neurons) == 3
        and all(isinstance(neuron, list | tuple) and len(neuron) == 2 for neuron in neurons),
        what="That exactly_one() returns three pairs",
        hint=hint,
    )
    # A bias such as np.array([-0.5]) is one number as well.
    shapes = [(np.shape(w), np.shape(np.squeeze(b))) for w, b in neurons]
    wanted = [((3,), ()), ((3,), ()), ((2,), ())]
    assert_equal(shapes, wanted, what="The shapes of weights and biases", hint=hint)
    first, second, output = [(np.asarray(w, dtype=float), float(np.squeeze(b))) for w, b in neurons]
    hidden = np.column_stack([reference.answer(bits, *first), reference.answer(bits, *second)])
    return reference.answer(hidden, *output)


bits = np.array(
    [[0, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0], [1, 1, 0], [1, 0, 1], [0, 1, 1], [1, 1, 1]]
)
assert_close(
    answers_of(call(exactly_one), bits),
    np.where(bits.sum(axis=1) == 1, 1, -1),
    what="The answers of your three neurons to the bits 000, 001, 010, 100, 110, 101, 011 and 111",
    hint="Say it in words first: 'at least one' and 'less than two'. The third neuron sees answers of -1 "
    "and +1, so for 'and' their sum must be 2. A neuron whose sum is exactly 0 says -1. "
    "See 'Two more neurons'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-xor_neurons-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: bits that are off by up to 0.15.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_close, assert_equal, assert_true, call
from course_lib.scratch import perceptron as reference


def answers_of(neurons, bits):
    """What the third neuron says, for bits of shape (n, 3)."""
    hint = "Return three pairs, (w, b), (w, b), (w, b), with weights of shapes (3,), (3,) and (2,)."
    assert_true(
        isinstance(neurons, list | tuple)
        and len(neurons) == 3
        and all(isinstance(neuron, list | tuple) and len(neuron) == 2 for neuron in neurons),
        what="That exactly_one() returns three pairs",
        hint=hint,
    )
    # A bias such as np.array([-0.5]) is one number as well.
    shapes = [(np.shape(w), np.shape(np.squeeze(b))) for w, b in neurons]
    wanted = [((3,), ()), ((3,), ()), ((2,), ())]
    assert_equal(shapes, wanted, what="The shapes of weights and biases", hint=hint)
    first, second, output = [(np.asarray(w, dtype=float), float(np.squeeze(b))) for w, b in neurons]
    hidden = np.column_stack([reference.answer(bits, *first), reference.answer(bits, *second)])
    return reference.answer(hidden, *output)


neurons = call(exactly_one)
off = np.array([[a, b, c] for a in (-1, 0, 1) for b in (-1, 0, 1) for c in (-1, 0, 1)]) * 0.15
for number in range(8):
    bits = np.array([number >> 2 & 1, number >> 1 & 1, number & 1], dtype=float)
    assert_close(
        answers_of(neurons, bits + off),
        np.full(27, 1 if bits.sum() == 1 else -1),
        what=f"The answers of your three neurons near the bits {bits}",
        hint="A line that runs close by a corner is crossed when the bits are a little off. Let it "
        "run half-way between the corners that it separates. See 'Two more neurons'.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 7. Ten digits, two at a time
#
# A single neuron can tell one digit from one other. Here are 45 of yours, one for each pair, all learning
# from the first 1,400 images. To read a new image they vote: the neuron for 3 against 8 votes for 3 or for 8,
# and so on, and the digit with the most votes wins. Nothing is left to write: read it and find your
# functions.

# %% nbgrader={"grade": false, "grade_id": "digits", "locked": true, "schema_version": 3, "solution": false, "task": false}
pixels, digits = load_digits()  # (1797, 64): ink from 0 to 1; (1797,): 0 to 9


def two_digits(i, j, rows):
    """Images of the digits i and j among the rows, and labels: +1 for i, -1 for j."""
    kept = rows[(digits[rows] == i) | (digits[rows] == j)]
    return pixels[kept], np.asarray(plus_minus(digits[kept], i))


def widest(X, y):
    """The neuron that separates the labels with the widest margin."""
    rows = y[:, None] * np.column_stack([X, np.ones(len(X))])
    goal = np.append(np.zeros(rows.shape[1]), 1.0)
    shares, _ = nnls(np.vstack([rows.T, np.ones(len(rows))]), goal)
    u = shares @ rows
    return u[:-1], u[-1]


# %%
known, unseen = np.arange(1400), np.arange(1400, len(digits))
neurons, table = {}, []
votes = np.zeros((len(unseen), 10))
for i in range(10):
    for j in range(i):
        X, y = two_digits(i, j, known)
        w, b, mistakes = learn(X, y)
        neurons[i, j] = np.asarray(w), b
        table.append((sum(mistakes), mistake_bound(X, y, *widest(X, y)), i, j))
        for_i = np.asarray(answer(pixels[unseen], w, b)) == 1
        votes[:, i] += for_i
        votes[:, j] += ~for_i

print("pair    mistakes   at most")
for made, most, i, j in sorted(table)[:3] + sorted(table)[-3:]:
    print(f"{i} or {j}   {made:8}   {most:7.0f}")
print(f"all 45 below their bounds: {all(made <= most for made, most, _, _ in table)}")
read = votes.argmax(axis=1)
print(f"unseen images read rightly: {np.mean(read == digits[unseen]):.1%} of {len(unseen)}")


# %%
@styled
def what_they_look_at(neurons):
    """The weights of all 45 neurons in one table: row i, column j is 'i, not j'."""
    size = 10
    big = np.zeros((9 * size, 9 * size))
    for (i, j), (w, _) in neurons.items():
        top, left = (i - 1) * size + 1, j * size + 1
        big[top : top + 8, left : left + 8] = w.reshape(8, 8) / np.abs(w).max()
    figure, axes = new_figure(width=7.0, height=6.8)
    figures.squares(axes, big)
    middles = size * np.arange(9) + 4.5
    axes.set_xticks(middles, range(9))
    axes.set_yticks(middles, range(1, 10))
    axes.set_xlabel("and not this one")
    axes.set_ylabel("this digit")
    return figure


what_they_look_at(neurons)

# %% [markdown]
# **What you see.** Each little picture is one neuron. Plain squares are pixels that speak for the digit of
# the row, edged squares are pixels that speak for the digit of the column. Look along the first column, where
# the other digit is 0: most rows ask for ink in the middle, where a zero has none. Find 8 against 3: the
# plain squares on the left are the ink that closes a 3 into an 8. Nobody told a neuron where to look, and
# each of these pictures is a sum of the images that it once got wrong.
#
# And a vote among neurons is a second layer of neurons. What you have built reads digits with 45 hidden
# neurons, each of which was given its own question by a person. Networks that find the questions themselves
# are what the rest of the course is about.

# %% [markdown]
# ## Step 8. Twelve mistakes that stay
#
# *4 points, read by a person. About 150 words.*
#
# A colleague has 500 patients with three measurements each: age in years, blood pressure in pascals (around
# 16,000), and whether the patient smokes (0 or 1). A perceptron is to predict who will fall ill. After 1,000
# passes there are still about 12 mistakes in each pass. She wants to let it run for 100,000 passes, "because
# Novikoff has proved that it converges".
#
# 1. What exactly did Novikoff prove, and what does it say about her case?
# 2. Name two different explanations for the mistakes that stay. Under which of them would more passes help?
# 3. How would you find out which of the two it is? Say what you would do, and what each outcome
#    would tell you.
# 4. Suppose that no line separates the patients. What would you report or use in place of the
#    weights at the last pass?

# %% [markdown] nbgrader={"grade": true, "grade_id": "why-mistakes-stay", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# Novikoff proved: *if* some line separates the classes, there are at most $(R/\gamma)^2$ mistakes in
# all, in any order. He says nothing about classes that no line separates, and her 1,000 passes do
# not show that one exists. Nor is the bound small: with blood pressures around 16,000, $R$ is about
# 16,000 while the margin may be set by a difference in age or smoking, so $(R/\gamma)^2$ can be in
# the hundreds of millions. 12,000 mistakes are then no evidence of anything.
#
# So either no line separates them, as is likely with patients: two with the same measurements may
# fare differently. Then no number of passes helps. Or a line exists and the margin is tiny compared
# with $R$. Then more passes help in the end, and rescaling helps at once.
#
# I would standardize each measurement (blood pressure in units of its own spread) and learn again:
# if the mistakes go to zero, it was the scale. If they stay, I would ask a linear program, or the
# closest mixture of signed samples, whether any line exists, or look for two patients with equal
# measurements and different labels: one such pair is a proof that none does.
#
# If there is none, I would keep the weights that made the fewest mistakes along the way (or let all
# of them vote) and report the error on patients that were not used for learning, beside that of
# saying "healthy" to everyone. The weights of the last pass are those after the latest mistake, and
# may be poor.
#
# === BEGIN MARK SCHEME ===
# One point each; half points where the idea is there and the reason is not.
#
# 1. **The condition.** The theorem presupposes that a line separates the classes; not known here. (0.5
#    for "it only works for separable data" without applying it to her case.)
# 2. **Two explanations.** Not separable: more passes never help. Separable with a small margin
#    against a large R (units of pascals): more passes would help in the end, or rescaling. (0.5 for
#    one of the two, or for both without saying where passes help.)
# 3. **A test that can tell, with both outcomes.** For example: standardize and learn again; a linear
#    program or widest margin; two equal patients with different labels; weights that return to an
#    earlier state. (0.5 if only one outcome is interpreted. "Run longer and see" is not a test: 0.)
# 4. **What to use.** The best weights so far, an average or vote, another model that tolerates
#    overlap; judged on data not used for learning. (0.5 without the unseen data.)
#
# An answer that notices that labels must be +1 and -1, or that two groups of unequal size make "12
# mistakes" look better than it is, earns a point that was lost elsewhere (never more than 4).
# === END MARK SCHEME ===
