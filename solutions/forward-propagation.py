# ---
# jupyter:
#   course:
#     answers_in:
#     - course_lib.scratch.losses
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
# # Forward propagation: from pixels to one honest number
#
# - **Time:** 95 minutes. **Difficulty:** 2 of 5. **Points:** 31, of which a person gives 4.
# - **Needs:** the chapter *Forward propagation*, NumPy arrays, logarithms.
#
# You will send a batch through a network, play the guessing game that measures surprise, and write the losses
# that networks are trained on: cross-entropy, with hard and with smoothed labels, squared error, the loss for
# yes or no, and the surprise at a number with bell-shaped noise. Each must be right for logits of any size.
# In the last step your loss teaches. It is asked nothing but "what if this logit were a little larger, a
# little smaller?", and a network learns to read digits. Then the network shows you the digits that surprised
# it most.
#
# **What is special here**
#
# - `n` samples are the rows, `k` classes the columns. Classes are integers from 0 to k − 1.
# - All logarithms are natural, except those in Step 2, which counts bits.
# - Arrays may hold floats or integers. Losses are floats either way.
# - `relu`, `softmax` and `log_softmax` are those of the chapter *Activation functions*. They can take any
#   logits. Which of the last two a loss should use is up to you.
#
# `course_lib.scratch.losses` holds answers to this exercise: leave it closed. What holds in every
# exercise (how to check, what the tests look at, what counts) is on the page *How exercises work* in the
# appendix.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.data.digits import load as load_digits
from course_lib.plotting.style import COLORS, new_figure, styled
from course_lib.scratch.activations import log_softmax, relu, softmax

np.set_printoptions(suppress=True)

# %% [markdown]
# ## Step 1. From pixels to scores
#
# A network is a list of layers, and a layer is a pair `(W, b)`. Each layer computes $AW + b$ from what it is
# given. After every layer but the last comes the activation function `relu`. The output of the last layer is
# returned as it is: logits may be negative.
#
# The chapter's `forward` forgets everything on the way. Anyone who wants to know how the weights should
# change, as the next chapter does, needs what each layer was *given*. So yours can keep that.


# %% nbgrader={"grade": false, "grade_id": "forward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def forward(X, layers, keep=False):
    """Send a batch through a network of fully connected layers.

    Parameters
    ----------
    X : ndarray, shape (n, d)
        Samples, one per row.
    layers : list of (W, b)
        Weights of shape (d_in, d_out) and biases of shape (d_out,), from the first layer to the last;
        at least one.
    keep : bool
        Whether to return what each layer was given as well.

    Returns
    -------
    logits : ndarray, shape (n, k)
        k is the number of units in the last layer.
    inputs : list of ndarray
        Only if keep is True: what each layer was given, from the first layer, which was given `X`, to
        the last.

    Example
    -------
    >>> layers = [(np.array([[1.0, -1.0]]), np.zeros(2)), (np.array([[1.0], [1.0]]), np.array([-5.0]))]
    >>> X = np.array([[3.0], [-2.0]])
    >>> forward(X, layers)
    array([[-2.],
           [-3.]])
    >>> logits, inputs = forward(X, layers, keep=True)
    >>> inputs[1]
    array([[3., 0.],
           [0., 2.]])
    """
    ### BEGIN SOLUTION
    inputs = [X]
    for W, b in layers[:-1]:
        inputs.append(relu(inputs[-1] @ W + b))
    W, b = layers[-1]
    logits = inputs[-1] @ W + b
    return (logits, inputs) if keep else logits
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-forward", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

two_layers = [
    (np.array([[1.0, -1.0], [0.0, 2.0]]), np.array([0.0, 1.0])),
    (np.array([[1.0, 0.0, -1.0], [0.5, 1.0, 0.0]]), np.array([0.0, -4.0, 0.0])),
]
X = np.array([[2.0, 0.0], [-1.0, 1.0]])
logits = np.array([[2.0, -4.0, -2.0], [2.0, 0.0, 0.0]])
check(
    forward,
    {"X": X, "layers": two_layers},
    logits,
    what="forward of the samples [2, 0] and [-1, 1] through two layers, 2 to 2 to 3",
    hint="The first layer says [2, -1] and [-1, 4], and ReLU makes it [2, 0] and [0, 4]. If "
    "negative logits have become 0, ReLU was applied after the last layer, too. If rows add up to 1, "
    "softmax was applied: a loss wants logits. See 'From pixels to scores'.",
)
check(
    forward,
    {"X": X, "layers": two_layers, "keep": True},
    (logits, [X, np.array([[2.0, 0.0], [0.0, 4.0]])]),
    what="forward of the same samples with keep=True",
    hint="Two things: the logits, and a list with what each of the two layers was given. The first was "
    "given X, the second what ReLU made of the first. The logits are given to no layer.",
)

# %% nbgrader={"grade": true, "grade_id": "test-forward-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: other depths and widths, one sample, other kinds of numbers, what was kept.
### BEGIN HIDDEN TESTS
from itertools import pairwise

import numpy as np
import torch

from course_lib.exercises import check, check_kinds

rng = np.random.default_rng(seed=1)
for n, widths in [(4, [3, 2]), (1, [2, 5, 3]), (5, [4, 4, 4, 4]), (6, [1, 7, 2, 3, 1])]:
    X = rng.normal(size=(n, widths[0]))
    layers = [
        (rng.normal(size=(d_in, d_out)), rng.normal(size=d_out)) for d_in, d_out in pairwise(widths)
    ]
    inputs, A = [], torch.tensor(X)
    for W, b in layers:
        inputs.append(A.numpy())
        Z = A @ torch.tensor(W) + torch.tensor(b)
        A = Z.clamp(min=0)
    logits = Z.numpy()
    check(
        forward,
        {"X": X, "layers": layers},
        logits,
        what=f"forward of {n} samples through layers of the sizes {widths}",
        hint="Layer after layer: A @ W + b, then ReLU, and no ReLU after the last one, even if it is "
        "the only one, and none in front of the first. The bias is added to every row. "
        "See 'From pixels to scores'.",
    )
    check(
        forward,
        {"X": X, "layers": layers, "keep": True},
        (logits, inputs),
        what=f"forward of {n} samples through layers of the sizes {widths}, keep=True",
        hint="One array per layer: what that layer was given, after ReLU. The first is X. Each is an "
        "array of its own: one that is written over by the next layer keeps nothing.",
    )
check(
    forward,
    {
        "X": np.array([[1, 2]]),
        "layers": [
            (np.array([[1, 2], [3, -4]]), np.array([0, 1])),
            (np.array([[1], [1]]), np.array([0.5])),
        ],
    },
    np.array([[7.5]]),
    what="forward of the integers [1, 2], where one bias is 0.5",
    hint="Integers came in and the answer is a fraction.",
)
check_kinds(
    forward,
    {
        "X": np.array([[0.5, -1.0], [2.0, 0.25]]),
        "layers": [(np.array([[1.0, 0.5], [-2.0, 1.5]]), np.array([0.125, -0.25]))],
    },
    np.array([[2.625, -1.5], [1.625, 1.125]]),
    kinds=["float64", "float32", "strided"],
    what="forward through a single layer",
    hint="The only layer is the last one: no ReLU.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. How many questions?
#
# The guessing game: you believe that outcome $j$ has probability $p_j$, and ask accordingly. Its true
# probability is $r_j$. The average number of questions, in bits, is the cross-entropy
# $-\sum_j r_j \log_2 p_j$.
#
# Two places need thought. An outcome that never happens costs nothing, whatever was believed about it. An
# outcome that does happen but was believed impossible costs infinitely many questions: return `inf`.


# %% nbgrader={"grade": false, "grade_id": "questions", "locked": false, "schema_version": 3, "solution": true, "task": false}
def questions(truth, belief):
    """Average number of yes-or-no questions when you believe one thing and another is true.

    Parameters
    ----------
    truth : ndarray, shape (k,)
        How often each outcome happens; adds up to 1.
    belief : ndarray, shape (k,)
        What you believe about that; adds up to 1.

    Returns
    -------
    float
        Bits: 0 or more, possibly inf, never nan.

    Example
    -------
    >>> float(questions(np.array([0.5, 0.25, 0.25]), np.array([0.5, 0.25, 0.25])))
    1.5
    >>> float(questions(np.array([0.0, 1.0]), np.array([1.0, 0.0])))
    inf
    """
    ### BEGIN SOLUTION
    happens = truth > 0
    with np.errstate(divide="ignore"):
        surprise = -np.log2(belief[happens])
    return np.sum(truth[happens] * surprise)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-questions", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

belief = np.array([1 / 2, 1 / 4, 1 / 8, 1 / 8])
check(
    questions,
    {"truth": belief, "belief": belief},
    1.75,
    hint="1 question for a half, 2 for a quarter, 3 for an eighth, each as often as it happens. 1.21 "
    "is the same in nats: take the logarithm to base 2. See 'How surprised should you be?'.",
)
check(
    questions,
    {"truth": np.array([1 / 8, 1 / 2, 1 / 4, 1 / 8]), "belief": belief},
    2.25,
    hint="The surprise is that of the BELIEF, and it is averaged over the TRUTH. The other way around "
    "you get 2.375. See 'How surprised should you be?'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-questions-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: outcomes that never happen, outcomes believed impossible, and random truths.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check

never = (
    "An outcome with truth 0 costs 0 questions, also where 0 * log(0) would be nan: leave it out of "
    "the sum. "
)
rare = (
    "What was believed impossible and happens is an infinite surprise. A small number added before "
    "the logarithm, or a clipped probability, invents a finite one. "
)
for truth, belief, wanted, hint in (
    ([1.0, 0.0], [0.5, 0.5], 1.0, never),
    ([0.5, 0.5, 0.0], [0.25, 0.75, 0.0], -np.log2(0.25 * 0.75) / 2, never),
    ([1.0, 0.0], [1.0, 0.0], 0.0, "What is certain and happens surprises nobody. " + never),
    ([0.5, 0.5], [1.0, 0.0], np.inf, rare),
    ([0.0, 1.0], [1.0, 0.0], np.inf, rare),
    ([1.0, 0.0], [1e-300, 1.0], 300 * np.log2(10), rare),
    ([1, 0], [0.125, 0.875], 3.0, "A truth of integers is certain of one outcome. "),
):
    check(
        questions,
        {"truth": np.array(truth), "belief": np.array(belief)},
        wanted,
        hint=hint + "See 'How surprised should you be?'.",
    )
rng = np.random.default_rng(seed=2)
for k in (1, 2, 5, 30):
    truth, belief = rng.dirichlet(np.ones(k), size=2)
    check(
        questions,
        {"truth": truth, "belief": belief},
        sum(q * np.log(1 / p) for q, p in zip(truth, belief, strict=True)) / np.log(2),
        what=f"questions for a random truth and a random belief of {k} outcomes",
        hint="The sum of truth * -log2(belief), and not its mean. See 'How surprised should you be?'.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. Many losses, one number
#
# All the losses below end in the same way: one number per sample, or per entry, and then a *reduction*. Write
# it once. `"mean"` averages all numbers, `"sum"` adds them up, `"none"` returns them as they are. Anything
# else is a typo, and should not pass: raise a `ValueError`.


# %% nbgrader={"grade": false, "grade_id": "reduce_losses", "locked": false, "schema_version": 3, "solution": true, "task": false}
def reduce_losses(losses, reduction="mean"):
    """Turn many losses into one number, or leave them as they are.

    Parameters
    ----------
    losses : ndarray of any shape
    reduction : {"mean", "sum", "none"}

    Returns
    -------
    one number, or for "none" an ndarray of the shape of losses, which may be losses itself

    Raises
    ------
    ValueError
        If reduction is something else.

    Example
    -------
    >>> float(reduce_losses(np.array([1.0, 2.0, 6.0])))
    3.0
    """
    ### BEGIN SOLUTION
    if reduction == "mean":
        return np.mean(losses)
    if reduction == "sum":
        return np.sum(losses)
    if reduction == "none":
        return losses
    raise ValueError(f"reduction must be 'mean', 'sum' or 'none', but it is {reduction!r}")
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-reduce_losses", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

for reduction, wanted in {"mean": 3.0, "sum": 9.0, "none": np.array([1.0, 2.0, 6.0])}.items():
    check(
        reduce_losses,
        {"losses": np.array([1.0, 2.0, 6.0]), "reduction": reduction},
        wanted,
        hint="See 'One number for a batch' for the three reductions.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-reduce_losses-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: more axes, the default, integers, and reductions that do not exist.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds, check_raises

table = np.array([[1.0, 2.0, 6.0], [3.0, 5.0, 8.0]])
hint = (
    "A mean or a sum is one number for ALL losses, whatever their shape: no axis. Without a "
    "reduction the mean is meant. See 'One number for a batch'."
)
for given_too, wanted in (
    ({}, 25 / 6),
    ({"reduction": "mean"}, 25 / 6),
    ({"reduction": "sum"}, 25.0),
    ({"reduction": "none"}, table),
):
    check_kinds(
        reduce_losses,
        {"losses": table, **given_too},
        wanted,
        kinds=["float64", "float32", "integers", "strided"],
        hint=hint,
    )
check(reduce_losses, {"losses": table[:, :1], "reduction": "mean"}, 2.0, hint=hint)
for reduction in ("average", "", None):
    check_raises(
        ValueError,
        reduce_losses,
        {"losses": table, "reduction": reduction},
        hint="An unknown reduction must not be taken for one of the three: end with raise "
        "ValueError(...).",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. Cross-entropy, from logits
#
# The surprise at the right class of each sample, $-\log p_y$ with $p = \operatorname{softmax}(z)$, in nats,
# and then your reduction. Logits may be as large as 10,000, and the loss must still be finite and right.
#
# One more thing, which the chapter did not need: data sets have samples that nobody has labeled yet. Their
# label is −1. They cost nothing, and the mean is over the others only.


# %% nbgrader={"grade": false, "grade_id": "cross_entropy", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cross_entropy(logits, y, reduction="mean"):
    """How surprised a classifier is by the right classes.

    Parameters
    ----------
    logits : ndarray, shape (n, k)
        Scores, before any softmax; up to 10,000 on both sides.
    y : ndarray of int, shape (n,)
        The right classes, or -1 where nobody knows. At least one is known.
    reduction : {"mean", "sum", "none"}
        As in reduce_losses; the mean is over samples with a label.

    Returns
    -------
    one number, or for "none" an ndarray of shape (n,)
        In nats; 0 for samples without a label.

    Example
    -------
    >>> round(float(cross_entropy(np.zeros((2, 10)), np.array([3, 7]))), 4)  # log(10)
    2.3026
    >>> cross_entropy(np.zeros((3, 10)), np.array([3, -1, 7]), "none").round(4)
    array([2.3026, 0.    , 2.3026])
    """
    ### BEGIN SOLUTION
    known, losses = y >= 0, np.zeros(len(y))
    losses[known] = -log_softmax(logits)[known, y[known]]
    return reduce_losses(losses if reduction == "none" else losses[known], reduction)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-cross_entropy", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check, given


def lent_reduction(losses, reduction="mean"):
    return {"mean": np.mean, "sum": np.sum, "none": np.asarray}[reduction](losses)


with given(reduce_losses=lent_reduction):
    check(
        cross_entropy,
        {
            "logits": np.log([[0.5, 0.25, 0.25], [0.125, 0.125, 0.75]]) + 1,
            "y": np.array([0, 1]),
        },
        2 * np.log(2),
        what="cross_entropy of logits with the softmax [1/2, 1/4, 1/4] and [1/8, 1/8, 3/4], for the "
        "right classes 0 and 1",
        hint="The right classes have the probabilities 1/2 and 1/8: 1 and 3 bits, on average 2 bits or "
        "1.386 nats. 0.462, a third of that: you averaged over the classes as well as over the "
        "samples. 0.386: the logits were taken for logarithms of probabilities. 1.146: softmax was "
        "applied twice. 0.661: softmax went along the samples. 1.560: [:, y] takes all rows for each "
        "label, and [np.arange(n), y] one entry per row. See 'One number for a batch'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-cross_entropy-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: random logits against PyTorch, all reductions, one sample, samples without a label.
### BEGIN HIDDEN TESTS
import numpy as np
import torch

from course_lib.exercises import check, check_keyword, check_kinds, given


def lent_reduction(losses, reduction="mean"):
    return {"mean": np.mean, "sum": np.sum, "none": np.asarray}[reduction](losses)


def pytorch(logits, y, reduction):
    return torch.nn.functional.cross_entropy(
        torch.tensor(logits), torch.tensor(y), reduction=reduction, ignore_index=-1
    ).numpy()


rng = np.random.default_rng(seed=3)
with given(reduce_losses=lent_reduction):
    hint = (
        "One loss per sample, from its own row: minus the log-softmax at its own class. Softmax goes "
        "along the classes, the last axis. See 'One number for a batch'."
    )
    logits, y = rng.normal(scale=2, size=(5, 3)), np.array([2, 0, 1, 1, 2])
    check_keyword(
        cross_entropy,
        {"logits": logits, "y": y},
        "reduction",
        [(reduction, pytorch(logits, y, reduction)) for reduction in ("mean", "sum", "none")],
        hint=hint,
    )
    for n, k in [(1, 4), (5, 5), (6, 2), (3, 1), (40, 10)]:
        logits, y = rng.normal(scale=2, size=(n, k)), rng.integers(k, size=n)
        for reduction in ("mean", "sum", "none"):
            check(
                cross_entropy,
                {"logits": logits, "y": y, "reduction": reduction},
                pytorch(logits, y, reduction),
                atol=1e-7,
                hint=hint,
            )
    for labels in ([-1, 1, 0, -1, -1, 2], [0, -1, 1, 1], [2, -1]):
        y = np.array(labels)
        logits = rng.normal(scale=2, size=(len(y), 3))
        for reduction in ("none", "sum", "mean"):
            check(
                cross_entropy,
                {"logits": logits, "y": y, "reduction": reduction},
                pytorch(logits, y, reduction),
                atol=1e-7,
                what=f'cross_entropy for the labels {labels}, "{reduction}"',
                hint="-1 says that nobody knows the class; as an index it would take the last column. "
                "Such a sample costs 0, and the mean divides by the number of the others.",
            )
    check(
        cross_entropy,
        {"logits": np.zeros((4, 100)), "y": np.array([0, 99, 50, 1])},
        np.log(100),
        what="cross_entropy of 100 equal logits",
        hint="A network that knows nothing is surprised by log(k). "
        "See 'What the first number must be'.",
    )
    check_kinds(
        cross_entropy,
        {"logits": np.array([[0.0, 1.0], [3.0, 0.0]]), "y": np.array([1, 1])},
        (np.log(1 + np.exp(-1)) + np.log(1 + np.exp(3))) / 2,
        kinds=["float64", "float32", "integers", "strided"],
        hint="Logits may be integers, and losses have fractions all the same: work on floats.",
    )
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-cross_entropy-large-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: logits up to 10,000 on both sides.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, given


def lent_reduction(losses, reduction="mean"):
    return {"mean": np.mean, "sum": np.sum, "none": np.asarray}[reduction](losses)


with given(reduce_losses=lent_reduction):
    for dtype in ("float64", "float32"):
        z = np.array([[10_000, -10_000], [1000, 0], [-9999, -10_000], [0, 40]], dtype=dtype)
        wanted = np.array([20_000, 0, np.log(1 + np.e), 40])
        for reduction, total in (("none", wanted), ("mean", np.mean(wanted))):
            check(
                cross_entropy,
                {"logits": z, "y": np.array([1, 0, 1, 0]), "reduction": reduction},
                total,
                rtol=1e-5 if dtype == "float64" else 2e-3,  # float32 has 7 digits, 10,000 uses 5
                atol=1e-6,
                what=f"cross_entropy of [[10000, -10000], [1000, 0], [-9999, -10000], [0, 40]] for the "
                f'right classes 1, 0, 1, 0, "{reduction}" ({dtype})',
                hint="Two things go wrong with large logits. The logarithm of a probability that was "
                "rounded to 0 is -inf, and a small number added to it, or a clipped probability, invents "
                "an answer: log(1e-12) is -27.6. And what is taken out before exp must be the largest "
                "of each row, not of all. log_softmax minds both. See 'Never through the probability'.",
            )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. Less sure labels
#
# *Label smoothing* replaces the certainty of the labels by a distribution: the right class gets $1 - \alpha$,
# and $\alpha$ is shared evenly by **all** $k$ classes, including the right one. Write these targets.


# %% nbgrader={"grade": false, "grade_id": "smooth_labels", "locked": false, "schema_version": 3, "solution": true, "task": false}
def smooth_labels(y, k, alpha):
    """Turn classes into smoothed distributions over the classes.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
        The right classes.
    k : int
        Number of classes.
    alpha : float
        The share that all classes divide among themselves, from 0 to 1.

    Returns
    -------
    ndarray, shape (n, k)
        Each row adds up to 1.

    Example
    -------
    >>> smooth_labels(np.array([2, 0]), k=4, alpha=0.2)
    array([[0.05, 0.05, 0.85, 0.05],
           [0.85, 0.05, 0.05, 0.05]])
    """
    ### BEGIN SOLUTION
    return (1 - alpha) * np.eye(k)[y] + alpha / k
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-smooth_labels", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    smooth_labels,
    {"y": np.array([1, 0, 4]), "k": 5, "alpha": 0.5},
    np.array([[0.1, 0.6, 0.1, 0.1, 0.1], [0.6, 0.1, 0.1, 0.1, 0.1], [0.1, 0.1, 0.1, 0.1, 0.6]]),
    hint="The right class keeps 0.5, and the other 0.5 is shared by all five classes: 0.1 each, so the "
    "right one has 0.6. If your rows hold 0.5 and 0.125, you shared among the wrong classes only. "
    "See 'How sure should a network be?'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-smooth_labels-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Hidden: other numbers of classes and samples, no smoothing, and nothing but smoothing.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check

rng = np.random.default_rng(seed=4)
for n, k, alpha in [(6, 10, 0.1), (1, 2, 0.3), (3, 3, 0), (3, 3, 0.75), (2, 4, 1), (4, 1, 0.5)]:
    y = rng.integers(k, size=n)
    wanted = np.full((n, k), alpha / k)
    for i, right in enumerate(y):
        wanted[i, right] += 1 - alpha
    check(
        smooth_labels,
        {"y": y, "k": k, "alpha": alpha},
        wanted,
        hint="With alpha 0 the rows are one-hot, with 1 they are even, and they always add up to 1: the "
        "right class gets its share of alpha on top of 1 - alpha. k is the number of classes, even if "
        "some of them do not occur. "
        "See 'How sure should a network be?'.",
    )
### END HIDDEN TESTS

# %% [markdown]
# Now the loss for targets that are distributions: $-\sum_j r_j \log p_j$ per sample, from logits,
# and your reduction. For one-hot targets it is the cross-entropy of Step 4.


# %% nbgrader={"grade": false, "grade_id": "soft_cross_entropy", "locked": false, "schema_version": 3, "solution": true, "task": false}
def soft_cross_entropy(logits, targets, reduction="mean"):
    """How surprised a classifier is by what it was told to believe.

    Parameters
    ----------
    logits : ndarray, shape (n, k)
        Scores, before any softmax; up to 10,000 on both sides.
    targets : ndarray, shape (n, k)
        For each sample the shares of the classes; each row adds up to 1.
    reduction : {"mean", "sum", "none"}
        As in reduce_losses; the mean is over samples.

    Returns
    -------
    one number, or for "none" an ndarray of shape (n,)

    Example
    -------
    >>> logits = np.log(np.array([[0.5, 0.5]]))
    >>> round(float(soft_cross_entropy(logits, np.array([[0.9, 0.1]]))), 4)  # log(2)
    0.6931
    """
    ### BEGIN SOLUTION
    losses = -(targets * log_softmax(logits)).sum(axis=1)
    return reduce_losses(losses, reduction)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-soft_cross_entropy", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check, given


def lent_reduction(losses, reduction="mean"):
    return {"mean": np.mean, "sum": np.sum, "none": np.asarray}[reduction](losses)


with given(reduce_losses=lent_reduction):
    check(
        soft_cross_entropy,
        {
            "logits": np.log([[0.5, 0.25, 0.25], [0.125, 0.125, 0.75]]) - 2,
            "targets": np.array([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0]]),
        },
        2.25 * np.log(2),
        what="soft_cross_entropy of logits with the softmax [1/2, 1/4, 1/4] and [1/8, 1/8, 3/4] for "
        "the targets [1/2, 1/2, 0] and [0, 1, 0]",
        hint="The first sample costs half of 1 bit and half of 2 bits, the second 3 bits: on average "
        "2.25 bits or 1.560 nats. A third of that: the sum is over the classes, and the mean over the "
        "samples only. 1.040: the sum went over the samples. 1.386: only the largest target was looked "
        "at. See 'One number for a batch' and 'How sure should a network be?'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-soft_cross_entropy-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: random logits and targets against PyTorch, all reductions, integers, and large logits.
### BEGIN HIDDEN TESTS
import numpy as np
import torch

from course_lib.exercises import check, check_keyword, check_kinds, given


def lent_reduction(losses, reduction="mean"):
    return {"mean": np.mean, "sum": np.sum, "none": np.asarray}[reduction](losses)


def pytorch(logits, targets, reduction):
    return torch.nn.functional.cross_entropy(
        torch.tensor(logits), torch.tensor(targets), reduction=reduction
    ).numpy()


rng = np.random.default_rng(seed=5)
with given(reduce_losses=lent_reduction):
    hint = (
        "For each sample the sum over the classes of targets times log-softmax, with a minus; the "
        "truth is outside of the logarithm. See 'How surprised should you be?'."
    )
    logits, targets = rng.normal(scale=2, size=(3, 3)), rng.dirichlet(np.ones(3), size=3)
    check_keyword(
        soft_cross_entropy,
        {"logits": logits, "targets": targets},
        "reduction",
        [(reduction, pytorch(logits, targets, reduction)) for reduction in ("mean", "sum", "none")],
        hint=hint,
    )
    for n, k in [(1, 3), (4, 4), (6, 2), (20, 10)]:
        logits, targets = rng.normal(scale=2, size=(n, k)), rng.dirichlet(np.ones(k), size=n)
        for reduction in ("mean", "sum", "none"):
            check(
                soft_cross_entropy,
                {"logits": logits, "targets": targets, "reduction": reduction},
                pytorch(logits, targets, reduction),
                hint=hint,
            )
    check_kinds(
        soft_cross_entropy,
        {
            "logits": np.array([[0.0, 1.0], [3.0, 0.0]]),
            "targets": np.array([[1.0, 0.0], [0.0, 1.0]]),
        },
        np.log(1 + np.exp([1, 3])).mean(),
        kinds=["float64", "float32", "integers", "strided"],
        hint="Logits and one-hot targets may be integers, and losses have fractions all the same.",
    )
    check(
        soft_cross_entropy,
        {
            "logits": np.array([[10_000.0, -10_000.0, 0.0], [1000.0, 0.0, 0.0]]),
            "targets": np.array([[0.5, 0.5, 0.0], [0.98, 0.01, 0.01]]),
            "reduction": "none",
        },
        np.array([10_000.0, 20.0]),
        what="soft_cross_entropy of [[10000, -10000, 0], [1000, 0, 0]] for the targets "
        "[[0.5, 0.5, 0], [0.98, 0.01, 0.01]]",
        hint="A logarithm of a probability that was rounded to 0 is -inf, and 0 * -inf is nan. "
        "log_softmax has no such logarithm. See 'Never through the probability'.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. Answers that are numbers, and answers that are yes or no
#
# The squared error $(\hat y - y)^2$ of each entry, and your reduction over all entries. One trap deserves an
# error message: answers of shape $(n, 1)$ and targets of shape $(n,)$ are broadcast to $(n, n)$, every answer
# against every target, and the mean looks harmless. Refuse different shapes with a `ValueError`.


# %% nbgrader={"grade": false, "grade_id": "squared_error", "locked": false, "schema_version": 3, "solution": true, "task": false}
def squared_error(y_hat, y, reduction="mean"):
    """How far the answers are from the targets, squared.

    Parameters
    ----------
    y_hat : ndarray of any shape
        What the network answers.
    y : ndarray, same shape
        What is right.
    reduction : {"mean", "sum", "none"}
        As in reduce_losses.

    Returns
    -------
    one number, or for "none" an ndarray of the shape of y

    Raises
    ------
    ValueError
        If the shapes differ.

    Example
    -------
    >>> float(squared_error(np.array([1.0, 2.0]), np.array([1.0, 5.0])))
    4.5
    """
    ### BEGIN SOLUTION
    if y_hat.shape != y.shape:
        raise ValueError(f"answers of shape {y_hat.shape} for targets of shape {y.shape}")
    return reduce_losses((y_hat - y) ** 2, reduction)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-squared_error", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check, check_raises, given


def lent_reduction(losses, reduction="mean"):
    return {"mean": np.mean, "sum": np.sum, "none": np.asarray}[reduction](losses)


with given(reduce_losses=lent_reduction):
    check(
        squared_error,
        {"y_hat": np.array([[1.0], [2.0], [4.0]]), "y": np.array([[1.0], [5.0], [1.0]])},
        6.0,
        hint="0, 9 and 9: 6 on average. No factor of 1/2. See 'The most likely story'.",
    )
    check_raises(
        ValueError,
        squared_error,
        {"y_hat": np.array([[1.0], [2.0], [4.0]]), "y": np.array([1.0, 5.0, 1.0])},
        hint="Answers of shape (3, 1) for targets of shape (3,): NumPy would compare each answer with "
        "each target. Compare the shapes first.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-squared_error-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: more shapes, all reductions, integers, and other shapes that NumPy would broadcast.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_keyword, check_raises, given


def lent_reduction(losses, reduction="mean"):
    return {"mean": np.mean, "sum": np.sum, "none": np.asarray}[reduction](losses)


rng = np.random.default_rng(seed=6)
with given(reduce_losses=lent_reduction):
    for shape in [(5,), (4, 3), (2, 3, 2), (1, 1)]:
        y_hat, y = rng.normal(size=shape), rng.normal(size=shape)
        squares = y_hat**2 - 2 * y_hat * y + y**2
        for reduction, wanted in (
            ("mean", squares.sum() / squares.size),
            ("sum", squares.sum()),
            ("none", squares),
        ):
            check(
                squared_error,
                {"y_hat": y_hat, "y": y, "reduction": reduction},
                wanted,
                what=f'squared_error of arrays of shape {shape}, "{reduction}"',
                hint="Entry by entry, and the mean over all entries. See 'The most likely story'.",
            )
    check_keyword(
        squared_error,
        {"y_hat": np.array([1, 4]), "y": np.array([0.5, 2.5])},
        "reduction",
        [("none", np.array([0.25, 2.25])), ("mean", 1.25), ("sum", 2.5)],
        hint="Answers may be integers where targets have fractions.",
    )
    check(
        squared_error,
        {"y_hat": np.array([0.5, 2.5]), "y": np.array([1, 4]), "reduction": "none"},
        np.array([0.25, 2.25]),
        hint="Targets may be integers where answers have fractions.",
    )
    for one, other in [((3,), (3, 1)), ((1,), (4,)), ((2, 3), (3,)), ((), (2,))]:
        check_raises(
            ValueError,
            squared_error,
            {"y_hat": np.zeros(one), "y": np.zeros(other)},
            hint=f"Answers of shape {one} for targets of shape {other}: the shapes must be equal, not "
            "only fit together. A comparison of lengths, or of the numbers of axes, lets some of these "
            "through.",
        )
### END HIDDEN TESTS

# %% [markdown]
# For a yes-or-no question, one logit $z$ is enough: $\sigma(z)$ is the probability of *yes*. The loss is
# $-\log \sigma(z)$ if the answer was yes ($y = 1$) and $-\log(1 - \sigma(z))$ if it was no ($y = 0$). Both
# are logarithms of $1 + e^{\ldots}$. Write them so that they are finite and right for logits up to 10,000 on
# both sides. (`np.logaddexp` is worth a look.)


# %% nbgrader={"grade": false, "grade_id": "binary_cross_entropy", "locked": false, "schema_version": 3, "solution": true, "task": false}
def binary_cross_entropy(z, y, reduction="mean"):
    """How surprised a network is by a yes or a no.

    Parameters
    ----------
    z : ndarray of any shape
        Logits for yes, from -10,000 to 10,000.
    y : ndarray of int or float, same shape
        1 for yes, 0 for no.
    reduction : {"mean", "sum", "none"}
        As in reduce_losses.

    Returns
    -------
    one number, or for "none" an ndarray of the shape of z

    Example
    -------
    >>> binary_cross_entropy(np.array([0.0, 3.0]), np.array([1, 0]), "none").round(4)
    array([0.6931, 3.0486])
    """
    ### BEGIN SOLUTION
    return reduce_losses(np.logaddexp(0, z) - y * z, reduction)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-binary_cross_entropy", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check, given


def lent_reduction(losses, reduction="mean"):
    return {"mean": np.mean, "sum": np.sum, "none": np.asarray}[reduction](losses)


with given(reduce_losses=lent_reduction):
    check(
        binary_cross_entropy,
        {"z": np.log([1.0, 3.0, 3.0]), "y": np.array([1, 1, 0]), "reduction": "none"},
        np.log([2, 4 / 3, 4]),
        what='binary_cross_entropy of the logits [0, log 3, log 3] for yes, yes, no, "none"',
        hint="The probabilities of yes are 1/2, 3/4 and 3/4, so those of what happened are 1/2, 3/4 and "
        "1/4. A no is as informative as a yes: both terms are needed. "
        "See 'Never through the probability'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-binary_cross_entropy-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: random logits in several shapes, all reductions, integers, and logits up to 10,000.
### BEGIN HIDDEN TESTS
import numpy as np
import torch

from course_lib.exercises import check, check_keyword, check_kinds, given


def lent_reduction(losses, reduction="mean"):
    return {"mean": np.mean, "sum": np.sum, "none": np.asarray}[reduction](losses)


def pytorch(z, y, reduction):
    return torch.nn.functional.binary_cross_entropy_with_logits(
        torch.tensor(z), torch.tensor(y, dtype=torch.float64), reduction=reduction
    ).numpy()


rng = np.random.default_rng(seed=7)
with given(reduce_losses=lent_reduction):
    hint = (
        "log(1 + exp(-z)) for a yes, log(1 + exp(z)) for a no, entry by entry. "
        "See 'Never through the probability'."
    )
    for shape in [(5,), (4, 3), (2, 1, 3)]:
        z, y = rng.normal(scale=3, size=shape), rng.integers(2, size=shape)
        check_keyword(
            binary_cross_entropy,
            {"z": z, "y": y},
            "reduction",
            [(reduction, pytorch(z, y, reduction)) for reduction in ("mean", "sum", "none")],
            hint=hint,
        )
    for y in ([1, 0, 0], [1.0, 0.0, 0.0]):
        check_kinds(
            binary_cross_entropy,
            {"z": np.array([0.0, 3.0, -2.0]), "y": np.array(y), "reduction": "none"},
            np.log(1 + np.exp([0, 3, -2])),
            kinds=["float64", "float32", "integers", "strided"],
            hint="Logits and labels may be integers or floats: the losses are floats.",
        )
    check(
        binary_cross_entropy,
        {
            "z": np.array([10_000.0, -10_000.0, 10_000.0, -10_000.0, 50.0]),
            "y": np.array([0, 1, 1, 0, 0]),
            "reduction": "none",
        },
        np.array([10_000.0, 10_000.0, 0.0, 0.0, 50.0]),
        what="binary_cross_entropy of the logits [10000, -10000, 10000, -10000, 50] for no, yes, yes, "
        "no, no",
        hint="The logarithm of a sigmoid that was rounded to 0 is -inf, and the exponential of 10,000 "
        "overflows. np.logaddexp(0, z) is log(1 + exp(z)) with the larger exponent taken out. At 50 "
        "the sigmoid is 1 to the last digit, and 1 - 1 is 0. See 'Never through the probability'.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 7. The surprise at a number
#
# A network answers $\hat y$, and the numbers are believed to scatter around it in a bell of width $s$:
# $y \sim \mathcal N(\hat y, s^2)$. Write the surprise at each number, which is minus the logarithm of the
# bell's height at $y$, with all terms included, and reduce it. It may be negative: a narrow bell is higher
# than 1.


# %% nbgrader={"grade": false, "grade_id": "gaussian_surprise", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gaussian_surprise(y_hat, y, s, reduction="mean"):
    """Minus the log-density of the targets under a normal distribution around the answers.

    Parameters
    ----------
    y_hat, y : ndarray, shape (n,)
        Answers and targets.
    s : float
        Standard deviation of the noise; above 0.
    reduction : {"mean", "sum", "none"}
        As in reduce_losses.

    Returns
    -------
    one number, or for "none" an ndarray of shape (n,)
        In nats.

    Example
    -------
    >>> round(float(gaussian_surprise(np.array([0.0]), np.array([0.0]), s=1.0)), 4)
    0.9189
    """
    ### BEGIN SOLUTION
    losses = (y_hat - y) ** 2 / (2 * s**2) + np.log(s * np.sqrt(2 * np.pi))
    return reduce_losses(losses, reduction)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-gaussian_surprise", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check, given


def lent_reduction(losses, reduction="mean"):
    return {"mean": np.mean, "sum": np.sum, "none": np.asarray}[reduction](losses)


with given(reduce_losses=lent_reduction):
    check(
        gaussian_surprise,
        {
            "y_hat": np.array([1.0, 1.0]),
            "y": np.array([1.0, 4.0]),
            "s": 1.0,
            "reduction": "none",
        },
        np.array([0.91893853, 5.41893853]),
        hint="At the middle of the bell only log(sqrt(2 pi)) is left, and 3 off costs 3**2 / 2 more. "
        "See 'The most likely story'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-gaussian_surprise-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: narrow and wide bells against PyTorch, all reductions, integers, answers that are far off.
### BEGIN HIDDEN TESTS
import numpy as np
import torch

from course_lib.exercises import check, check_keyword, check_kinds, given


def lent_reduction(losses, reduction="mean"):
    return {"mean": np.mean, "sum": np.sum, "none": np.asarray}[reduction](losses)


rng = np.random.default_rng(seed=8)
with given(reduce_losses=lent_reduction):
    hint = (
        "The exponent has 2 * s**2 below the fraction, and the height of the bell has s * sqrt(2 pi): "
        "a wide bell is low, and log(s) is a part of the surprise, once for each number. "
        "See 'The most likely story'."
    )
    for s in (0.1, 0.5, 2.0, 30.0):
        y_hat, y = rng.normal(size=(2, 6))
        bell = torch.distributions.Normal(torch.tensor(y_hat), s)
        wanted = -bell.log_prob(torch.tensor(y)).numpy()
        for reduction in ("mean", "sum", "none"):
            check(
                gaussian_surprise,
                {"y_hat": y_hat, "y": y, "s": s, "reduction": reduction},
                lent_reduction(wanted, reduction),
                hint=hint,
            )
    check_keyword(
        gaussian_surprise,
        {"y_hat": y_hat, "y": y, "s": 30.0},
        "reduction",
        [(reduction, lent_reduction(wanted, reduction)) for reduction in ("mean", "sum", "none")],
        hint=hint,
    )
    check_kinds(
        gaussian_surprise,
        {
            "y_hat": np.array([0.0, 3.0]),
            "y": np.array([1.0, 5.0]),
            "s": 2,
            "reduction": "none",
        },
        np.array([0.125, 0.5]) + np.log(2 * np.sqrt(2 * np.pi)),
        kinds=["float64", "float32", "integers", "strided"],
        hint="Answers, targets and s may be integers: the surprise is a float.",
    )
    check(
        gaussian_surprise,
        {"y_hat": np.zeros(1), "y": np.array([1000.0]), "s": 1.0, "reduction": "sum"},
        500_000.9189385332,
        hint="exp(-500000) is rounded to 0, and its logarithm is -inf. The logarithm undoes the "
        "exponential: never form the density. See 'The most likely story'.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 8. Your loss teaches
#
# The network below has 64 inputs, 400 hidden units whose weights are random and remain so, and ten outputs
# that learn. To learn they need to know, for every image and every logit, how fast the loss changes with that
# logit. Chapter `backpropagation` computes this. Here your loss is asked, again and again: what if this logit
# were a little larger, a little smaller? Nothing is left to write.


# %% nbgrader={"grade": false, "grade_id": "digits", "locked": true, "schema_version": 3, "solution": false, "task": false}
def digits(seed=0):
    """Return 1,400 digits to learn from and 397 others, each as images (n, 64) and classes (n,)."""
    pixels, labels = load_digits()
    order = np.random.default_rng(seed).permutation(len(labels))
    X, y = pixels[order], labels[order]
    return (X[:1400], y[:1400]), (X[1400:], y[1400:])


def what_if(losses_of, logits, h=1e-4):
    """How fast the loss of each sample changes with each of its logits, by asking; shape (n, k)."""
    slopes = np.zeros(logits.shape)
    for j in range(logits.shape[1]):
        nudge = np.zeros(logits.shape[1])
        nudge[j] = h
        slopes[:, j] = (losses_of(logits + nudge) - losses_of(logits - nudge)) / (2 * h)
    return slopes


def learn(X, y, losses_of, units=400, steps=200, rate=0.25, seed=0):
    """Train the output layer by asking a loss; return the layers, and the loss before each step."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(scale=np.sqrt(2 / 64), size=(64, units)), rng.normal(scale=0.5, size=units)
    W, b = np.zeros((units, 10)), np.zeros(10)
    A, history = relu(forward(X, [hidden])), []
    for _ in range(steps):
        logits = forward(A, [(W, b)])
        history.append(cross_entropy(logits, y))
        G = what_if(losses_of, logits) / len(X)
        W, b = W - rate * A.T @ G, b - rate * G.sum(axis=0)
    return [hidden, (W, b)], history


# %%
(X, y), (X_new, y_new) = digits()
soft = smooth_labels(y, 10, 0.1)
wishes = {
    "labels as they are": lambda logits: cross_entropy(logits, y, "none"),
    "smoothed labels": lambda logits: soft_cross_entropy(logits, soft, "none"),
}
for name, losses_of in wishes.items():
    layers, history = learn(X, y, losses_of)
    logits = forward(X_new, layers)
    bits = cross_entropy(logits, y_new, "none") / np.log(2)
    right = np.mean(logits.argmax(axis=1) == y_new)
    sure = softmax(logits).max(axis=1).mean()
    print(f"{name:20} first loss {history[0]:.3f}   right {right:.1%}   sure {sure:.0%}")
    if name == "labels as they are":
        shown = history, logits, bits


# %%
@styled
def picture(history, logits, bits):
    """The loss while it falls, and the six digits that surprised the network most."""
    figure, axes = new_figure(rows=2, columns=4, width=7.2, height=4.0)
    for panel in axes[:, 0]:
        panel.remove()
    chart = figure.add_subplot(axes[0, 0].get_gridspec()[:, 0])
    chart.plot(history, color=COLORS[0])
    chart.axhline(np.log(10), color=COLORS[1], linestyle=":")
    chart.text(len(history), np.log(10), "log 10", ha="right", va="bottom", color=COLORS[1])
    chart.set(title="Loss", xlabel="step", ylabel="nats", ylim=(0, 2.6))
    for panel, i in zip(axes[:, 1:].flat, np.argsort(bits)[::-1], strict=False):
        panel.imshow(-X_new[i].reshape(8, 8), cmap="gray")
        answer = logits[i].argmax()
        said = "so it said" if answer == y_new[i] else f"it said {answer}"
        panel.set_title(f"a {y_new[i]}, {said}", fontsize=9.5)
        panel.set_xlabel(f"{bits[i]:.1f} bits")
        panel.set(xticks=[], yticks=[])
        panel.grid(visible=False)
    return figure


picture(*shown)

# %% [markdown]
# **What you see.** The loss starts at log 10, to the last digit, since all weights of the output layer are 0:
# anyone who knows nothing is surprised by 3.3 bits. Then it falls, and more than 95 in 100 new digits are
# read correctly, by a network that learned from nothing but your loss's answers. The gallery shows where it
# paid most. Would you have known? With smoothed labels about as many are right, but the network is less sure
# of itself, as it was told to be.
#
# Try another loss: add the line
# `"the probability itself": lambda logits: -softmax(logits)[np.arange(len(y)), y],` to `wishes`. It rewards
# the probability instead of its logarithm. How many digits does it get right in the same number of steps?
# Where it is wrong, what does it hear? (See 'A loss must not fall silent'.)

# %% [markdown]
# **Your network on the page.** The cell below writes the last network that your loss taught to the file
# `my-network.json`, beside this notebook. The chapter has a figure in which you draw a digit: load the file
# there, and your network will read what you draw, in place of the book's. The file stays on your machine, and
# no point depends on it.

# %%
from course_lib.sharing import write_network

print(f"written: {write_network(layers)}")

# %% [markdown]
# ## Step 9. Five first numbers
#
# *4 points, read by a person. About 150 words.*
#
# Five students train networks on ten classes, in batches of 50 samples. Each of them wrote their own loss.
# These are the first and the last numbers that they saw. All five learning rates were tuned.
#
# | | first loss | last loss | training images read correctly |
# |---|---|---|---|
# | A | 2.31 | 1.48 | all |
# | B | 0.231 | 0.002 | nearly all |
# | C | 115.4 | 0.9 | nearly all |
# | D | −0.04 | −8,310 | some |
# | E | 43.7 | 0.1 | nearly all |
#
# 1. What did each of the five probably do? Say what in the numbers tells you.
# 2. Two of them return a loss that differs from the right one by a constant factor. Whom does it harm if the
#    learning rate was tuned, and when does it do harm after all?
# 3. Whose mistake can't be seen in the first number? Name a test of the loss alone, without any training,
#    that would have found the mistake, and say what it would have shown.

# %% [markdown] nbgrader={"grade": true, "grade_id": "first-numbers", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# **1.** The right first number is log 10 = 2.30, the surprise of even guessing. A starts there and stops
# at 1.48, close to 1.46, although all images are right: softmax is applied twice, and even a perfect answer
# is charged log(1 + 9/e). B's 0.231 is a tenth of 2.31: the mean was taken over the classes as well as the
# samples. C's 115.4 is 50 times 2.31: a sum over the batch where the mean was meant. D falls without end
# and starts near 0: one-hot times logits, without the logarithm of the sum, so that raising logits is
# enough. E's
# loss is probably right, and its network is not: it starts out sure of things it cannot know. The inputs
# may not be scaled (pixels from 0 to 255), or the starting weights are too large.
#
# **2.** B and C. A constant factor multiplies all slopes and can be made up for by the learning rate, so
# within one tuned run nobody is harmed. It does harm when something else is added to the loss, such as a
# penalty on the weights, whose share then changes by the factor; when losses of different people or batch
# sizes are compared; and for C, when the batch size changes, since the slopes grow with it and the tuned
# rate is wrong again.
#
# **3.** A's. Compare the function with a value that is known: for logits of 1,000 at the right class and 0
# elsewhere, the loss must be 0 to many digits, and A's function returns 1.46. (Or compare it with PyTorch's
# on random logits.)
#
# === BEGIN MARK SCHEME ===
# Half points where the idea is there and the reason is not.
#
# 1. **Diagnoses, 2 points.** 0.4 for each of the five with what in the numbers tells it: A softmax twice
#    (stops at about 1.46 with all right); B mean over classes too (a tenth); C sum for mean (50 times); D
#    no normalization, one-hot times logits (near 0, falls without end); E large inputs or weights (far
#    above log 10; the loss is right). 0.2 for a diagnosis without its evidence. For A "learning rate too
#    small" or "not trained long enough": 0. Round up to the next half.
# 2. **A factor, 1 point.** Names B and C and says that a tuned rate makes up for it (0.5). Names a case
#    where it harms: a penalty or a second loss beside it, comparing numbers, another batch size, a clipped
#    gradient (0.5). ("Adam does not care" is right and earns the first half.)
# 3. **A test of the loss, 1 point.** A, with a test that needs no training and its outcome: very sure and
#    right logits give 1.46 and not 0; or a comparison with a library on random logits; or logits as large
#    as 10,000 must give a loss of that size and give 2.46 at most. (0.5 without the outcome. "Train on
#    ten samples" trains: 0.5. A test that A would pass, such as adding a constant to all logits: 0.)
# === END MARK SCHEME ===
