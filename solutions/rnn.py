# ---
# jupyter:
#   course:
#     answers_in:
#     - course_lib.models.rnn
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
# # Recurrent networks: a network that learns to carry
#
# - **Time:** 100 minutes. **Difficulty:** 3 of 5. **Points:** 31, of which a person gives 4.
# - **Needs:** the chapter *Recurrent networks*, NumPy arrays of three dimensions.
#
# At school you add two long numbers digit by digit, from the right, and remember one thing on the way:
# whether to carry a one. You write a recurrent network that learns this from sums of small numbers: the cell
# and its path through sequences of different lengths, the path of the slopes back through time, a loss that
# does not count padding, and clipping. In the end it adds numbers more than ten times as long as any it has
# seen, and you look at where it keeps the carry.
#
# **What is special here**
#
# - Everything is NumPy. Sequences are arrays of shape (n, t, d): sample, step, number.
# - Weights are applied from the right, as in the book: `x @ W_x + h @ W_h + b`.
# - Shorter sequences are padded at the end. The padding may hold any numbers, and they must not matter.
#
# `course_lib.models.rnn` holds answers to this exercise: leave it closed. What holds in every exercise
# (how to check, what the tests look at, what counts) is on the page *How exercises work* in the
# appendix.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib import seed_everything

# %% [markdown]
# ## Step 1. Through time
#
# The same cell at every step, for a batch of sequences. A sequence that has ended keeps its state: whatever
# is in the padding changes nothing. The last column of the result therefore holds the last true state of
# every sequence, however long it was. Without `h0`, each call begins with states of zeros.


# %% nbgrader={"grade": false, "grade_id": "run", "locked": false, "schema_version": 3, "solution": true, "task": false}
def run(x, lengths, W_x, W_h, b, h0=None):
    """Compute the hidden state after each step.

    Parameters
    ----------
    x : ndarray, shape (n, t, d)
        A batch of sequences, filled up at the end.
    lengths : ndarray of int, shape (n,)
        How many steps of each sequence are real, from 1 to t.
    W_x : ndarray, shape (d, u)
    W_h : ndarray, shape (u, u)
    b : ndarray, shape (u,)
        The cell: tanh of the input times W_x, plus the last state times W_h, plus b.
    h0 : ndarray, shape (n, u), optional
        The states before the first step; zeros without it.

    Returns
    -------
    ndarray, shape (n, t, u)
        The state after each step. Behind the end of a sequence, its last state.

    Example
    -------
    >>> x = np.array([[[1.0], [0.0], [5.0]]])  # one sequence, two steps, one of padding
    >>> run(x, np.array([2]), np.array([[1.0]]), np.array([[2.0]]), np.zeros(1)).round(3).tolist()
    [[[0.762], [0.909], [0.909]]]
    """
    ### BEGIN SOLUTION
    n, t, _ = x.shape
    h = np.zeros((n, len(b))) if h0 is None else h0
    states = []
    for step in range(t):
        moved = np.tanh(x[:, step] @ W_x + h @ W_h + b)
        h = np.where((step < lengths)[:, None], moved, h)
        states.append(h)
    return np.stack(states, axis=1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-run", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

one, two = np.tanh(1.0), np.tanh(2 * np.tanh(1.0))
check(
    run,
    {
        "x": np.array([[[1.0], [0.0], [5.0]], [[1.0], [0.0], [0.0]]]),
        "lengths": np.array([2, 3]),
        "W_x": np.array([[1.0]]),
        "W_h": np.array([[2.0]]),
        "b": np.zeros(1),
    },
    np.array([[[one], [two], [two]], [[one], [two], [np.tanh(2 * two)]]]),
    hint="h = tanh(x W_x + h W_h + b), step by step; behind the end of a sequence its state stays. "
    "See 'The same cell at every step'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-run-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: wide states, weights that are not symmetric, beginnings, lengths of 1, whole numbers, two calls in a row.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds

rng = np.random.default_rng(1)


def one_sequence(x, length, W_x, W_h, b, h):
    rows = []
    for step in range(len(x)):
        if step < length:
            z = [
                sum(x[step, i] * W_x[i, k] for i in range(W_x.shape[0]))
                + sum(h[j] * W_h[j, k] for j in range(len(b)))
                + b[k]
                for k in range(len(b))
            ]
            h = np.tanh(z)
        rows.append(np.array(h))
    return np.array(rows)


def made(n, t, d, u):
    return {
        "x": rng.normal(size=(n, t, d)),
        "lengths": rng.integers(1, t + 1, size=n),
        "W_x": rng.normal(size=(d, u)),
        "W_h": 0.6 * rng.normal(size=(u, u)),
        "b": rng.normal(size=u),
    }


def wanted(args, h0):
    n = len(args["x"])
    weights = args["W_x"], args["W_h"], args["b"]
    return np.array(
        [one_sequence(args["x"][i], args["lengths"][i], *weights, h0[i]) for i in range(n)]
    )


hint = (
    "h = tanh(x W_x + h W_h + b), with the state of the step before, for all real steps; then it stays. "
    "See 'The same cell at every step'."
)
for n, t, d, u in ((3, 5, 2, 4), (4, 4, 4, 4), (1, 6, 3, 2), (2, 1, 1, 3)):
    args = made(n, t, d, u)
    check(run, args, wanted(args, np.zeros((n, u))), hint=hint)
    h0 = rng.normal(size=(n, u))
    check(
        run,
        {**args, "h0": h0},
        wanted(args, h0),
        hint="The first step begins with h0, which is the state before it and not a part of the result.",
    )
args = {**made(3, 4, 2, 3), "lengths": np.array([1, 4, 2])}
for _ in range(2):  # the second call begins anew
    check(
        run,
        args,
        wanted(args, np.zeros((3, 3))),
        what="run, called again with the same sequences",
        hint="Without h0 every call begins with zeros: nothing of the last batch's states may be left "
        "in a default argument or a global variable. See 'Sentences of different lengths'.",
    )
whole = {
    "x": np.array([[[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 1.0], [9.0, 9.0]]]),
    "W_x": np.array([[1.0, -1.0], [0.0, 1.0]]),
    "W_h": np.array([[0.0, 1.0], [-1.0, 1.0]]),
    "b": np.array([0.0, -1.0]),
    "h0": np.array([[1.0, 0.0], [0.0, -1.0]]),
}
lengths = np.array([3, 2])
order = ("x", "W_x", "W_h", "b", "h0")
result = wanted({**whole, "lengths": lengths}, whole["h0"])


check_kinds(
    run,
    {"x": whole["x"], "lengths": lengths, **{name: whole[name] for name in order[1:]}},
    result,
    kinds=["float64", "float32", "integers", "strided"],
    hint=hint,
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. Back through time
#
# The chapter gives the rule for the slopes $G_t$ in the pre-activations, and the slopes that follow for
# $W_h$. Write it, and find the slopes for everything else that the states were made from. `slopes` says what
# each state does to the loss directly, apart from what it does through later states. After the end of a
# sequence it is 0, and nothing else has to be done there. Check it by changing a weight a little.


# %% nbgrader={"grade": false, "grade_id": "backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def backward(x, states, slopes, W_x, W_h, h0):
    """Backpropagate through time.

    Parameters
    ----------
    x : ndarray, shape (n, t, d)
        The inputs.
    states : ndarray, shape (n, t, u)
        The state after each step, as `run` returned it.
    slopes : ndarray, shape (n, t, u)
        Slopes of the loss in each state, as far as the loss uses that state itself.
    W_x : ndarray, shape (d, u)
    W_h : ndarray, shape (u, u)
    h0 : ndarray, shape (n, u)
        The states before the first step.

    Returns
    -------
    dict of str to ndarray
        The gradients of the loss for "W_x", "W_h", "b", "x" and "h0", each in the shape of its thing.

    Example
    -------
    >>> x, W = np.ones((1, 2, 1)), np.array([[1.0]])
    >>> states = np.array([[[0.5], [0.5]]])  # not tanh of anything, but the rule is the same
    >>> got = backward(x, states, np.array([[[0.0], [1.0]]]), W, 2 * W, np.zeros((1, 1)))
    >>> got["b"].tolist(), got["W_h"].tolist()  # 0.75 + 0.75 * 2 * 0.75, and 0.5 * 0.75
    ([1.875], [[0.375]])
    """
    ### BEGIN SOLUTION
    n, t, u = states.shape
    before = np.concatenate([h0[:, None], states[:, :-1]], axis=1)
    G = np.zeros((n, t, u))
    later = np.zeros((n, u))
    for step in reversed(range(t)):
        G[:, step] = (slopes[:, step] + later) * (1 - states[:, step] ** 2)
        later = G[:, step] @ W_h.T
    return {
        "W_x": np.einsum("ntd,ntu->du", x, G),
        "W_h": np.einsum("nti,ntu->iu", before, G),
        "b": G.sum(axis=(0, 1)),
        "x": G @ W_x.T,
        "h0": later,
    }
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-backward", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    backward,
    {
        "x": np.ones((1, 2, 1)),
        "states": np.array([[[0.5], [0.5]]]),
        "slopes": np.array([[[0.0], [1.0]]]),
        "W_x": np.array([[1.0]]),
        "W_h": np.array([[2.0]]),
        "h0": np.zeros((1, 1)),
    },
    {
        "W_x": np.array([[1.875]]),
        "W_h": np.array([[0.375]]),
        "b": np.array([1.875]),
        "x": np.array([[[1.125], [0.75]]]),
        "h0": np.array([[2.25]]),
    },
    hint="At the second step G is 1 times the slope of tanh, 1 - 0.25. At the first it is G of the second "
    "times W_h, 2, times 0.75 again: 1.125. The bias gets both, W_h meets the state before each step (0 and "
    "0.5), and h0 lies one more step back: 1.125 times 2. See 'The way back'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-backward-hidden", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
# Hidden: many steps and sequences, losses at each step and at the last alone, padding, beginnings, whole numbers.
### BEGIN HIDDEN TESTS
import numpy as np
import torch

from course_lib.exercises import check

rng = np.random.default_rng(2)


def by_autograd(x, lengths, W_x, W_h, b, h0, slopes):
    things = {"x": x, "W_x": W_x, "W_h": W_h, "b": b, "h0": h0}
    made = {name: torch.tensor(value, requires_grad=True) for name, value in things.items()}
    h, states, loss = made["h0"], [], 0.0
    for step in range(x.shape[1]):
        moved = torch.tanh(made["x"][:, step] @ made["W_x"] + h @ made["W_h"] + made["b"])
        h = torch.where(torch.tensor(step < lengths)[:, None], moved, h)
        states.append(h)
        loss = loss + (h * torch.tensor(slopes[:, step])).sum()
    loss.backward()
    states = torch.stack(states, dim=1).detach().numpy()
    return states, {name: value.grad.numpy() for name, value in made.items()}


hints = {
    "each step": "Each step's own slopes, and what comes back from the step behind: later = G @ W_h.T "
    "(without it, you detach at every step). Sum over samples and steps. For W_h the state before the "
    "first step is h0, and h0 itself gets what comes back from the first step. See 'The way back'.",
    "the last step alone": "The slopes of the last step go back to the first. Without what comes from later "
    "steps, only the last one learns: that is detaching at every step. See 'The way back'.",
    "padding": "Slopes behind the end are 0, and so is G there: nothing is added, and nothing goes back.",
}
for where, (n, t, d, u) in (
    ("each step", (3, 5, 2, 4)),
    ("the last step alone", (2, 6, 3, 3)),
    ("padding", (4, 5, 2, 3)),
    ("each step", (1, 1, 2, 3)),
    ("the last step alone", (3, 12, 3, 3)),
):
    lengths = np.full(n, t) if where != "padding" else np.array([1, 3, t, 4])
    x, W_x = rng.normal(size=(n, t, d)), rng.normal(size=(d, u))
    W_h, b = 0.8 * rng.normal(size=(u, u)), rng.normal(size=u)
    h0, slopes = rng.normal(size=(n, u)), rng.normal(size=(n, t, u))
    slopes *= (np.arange(t) < lengths[:, None])[:, :, None]
    if where == "the last step alone":
        slopes[:, :-1] = 0
    states, gradients = by_autograd(x, lengths, W_x, W_h, b, h0, slopes)
    check(
        backward,
        {"x": x, "states": states, "slopes": slopes, "W_x": W_x, "W_h": W_h, "h0": h0},
        {name: gradients[name] for name in ("W_x", "W_h", "b", "x", "h0")},
        rtol=1e-5,
        what=f"The gradients for {n} sequence(s) of {t} step(s), {u} units, slopes at {where}",
        hint=hints[where],
    )
whole = {
    "x": rng.integers(-1, 2, size=(2, 3, 2)),
    "W_x": np.array([[1, 0, -1], [0, 1, 1]]),
    "W_h": np.array([[0, 1, 0], [-1, 1, 0], [0, 0, 1]]),
    "h0": np.array([[1, 0, -1], [0, 1, 0]]),
}
slopes = rng.integers(-2, 3, size=(2, 3, 3))
states, gradients = by_autograd(
    lengths=np.array([3, 3]),
    b=np.array([0.5, -0.5, 0.0]),
    slopes=slopes.astype(float),
    **{name: value.astype(float) for name, value in whole.items()},
)
check(
    backward,
    {
        "x": whole["x"],
        "states": states,
        "slopes": slopes,
        "W_x": whole["W_x"],
        "W_h": whole["W_h"],
        "h0": whole["h0"],
    },
    {name: gradients[name] for name in ("W_x", "W_h", "b", "x", "h0")},
    rtol=1e-5,
    what="The gradients where inputs, slopes, weights and h0 are whole numbers",
    hint="Gradients have fractions: make them in arrays of floats.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. A loss that does not count padding
#
# At each step the network says whether the digit of the sum is 1, by a logit $z$ that stands for the
# probability $\sigma(z)$. The loss is the binary cross-entropy of {0, 1} targets, averaged over *all real
# steps of the batch*: a long sequence counts for more than a short one. Logits may be in the thousands.


# %% nbgrader={"grade": false, "grade_id": "masked_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def masked_loss(logits, targets, lengths):
    """Compute the binary cross-entropy of the real steps, and its slopes.

    Parameters
    ----------
    logits : ndarray, shape (n, t)
    targets : ndarray, shape (n, t)
        0 or 1 at real steps; anything, even nan, behind them.
    lengths : ndarray of int, shape (n,)
        How many steps of each sequence are real, at least 1.

    Returns
    -------
    loss : float
        The mean over all real steps of -log of the probability of the target.
    slopes : ndarray, shape (n, t)
        The slopes of that mean in the logits; 0 behind the end.

    Example
    -------
    >>> loss, slopes = masked_loss(np.zeros((2, 2)), np.array([[1.0, 0.0], [1.0, 7.0]]), np.array([2, 1]))
    >>> round(loss, 4), (3 * slopes).tolist()  # log 2, and three real steps
    (0.6931, [[-0.5, 0.5], [-0.5, 0.0]])
    """
    ### BEGIN SOLUTION
    real = np.arange(logits.shape[1]) < np.asarray(lengths)[:, None]
    z, y = logits[real].astype(float), targets[real].astype(float)
    slopes = np.zeros(logits.shape)
    slopes[real] = (0.5 + 0.5 * np.tanh(z / 2) - y) / len(z)
    return float(np.mean(np.logaddexp(0, z) - y * z)), slopes
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-masked_loss", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    masked_loss,
    {
        "logits": np.zeros((2, 2)),
        "targets": np.array([[1.0, 0.0], [1.0, 7.0]]),
        "lengths": np.array([2, 1]),
    },
    (np.log(2), np.array([[-0.5, 0.5], [-0.5, 0.0]]) / 3),
    hint="Three steps are real, and each costs log 2. Dividing by four counts the padding. "
    "See 'Sentences of different lengths'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-masked_loss-hidden", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Hidden: lengths that differ widely, large logits, nan behind the end, whole numbers.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds

rng = np.random.default_rng(3)


def expected(logits, targets, lengths):
    total, slopes, count = 0.0, np.zeros(logits.shape), int(lengths.sum())
    for i, length in enumerate(lengths):
        for t in range(length):
            z, y = float(logits[i, t]), float(targets[i, t])
            total += np.logaddexp(0, -z) if y else np.logaddexp(0, z)
            slopes[i, t] = (np.exp(-np.logaddexp(0, -z)) - y) / count
    return total / count, slopes


for lengths, t, where in (
    (
        [6, 1],
        6,
        "A long sequence and a short one: the mean is over steps, not over sequences' means.",
    ),
    ([3, 3, 3], 3, "No padding at all: the plain mean."),
    ([2, 5, 1, 4], 7, "Steps that are padding in every sequence."),
    ([1], 1, "One step."),
):
    lengths = np.array(lengths)
    logits = 3 * rng.normal(size=(len(lengths), t))
    targets = rng.integers(0, 2, size=logits.shape).astype(float)
    check(
        masked_loss,
        {"logits": logits, "targets": targets, "lengths": lengths},
        expected(logits, targets, lengths),
        hint=where + " Slopes: (sigmoid(z) - y) / number of real steps. "
        "See 'Sentences of different lengths'.",
    )
logits = np.array([[3000.0, -3000.0, 2.0], [-2000.0, 5.0, 0.0]])
targets = np.array([[0.0, 0.0, 1.0], [1.0, np.nan, np.nan]])
lengths = np.array([3, 1])
check(
    masked_loss,
    {"logits": logits, "targets": targets, "lengths": lengths},
    expected(logits, targets, lengths),
    hint="The loss of a logit z is log(1 + exp(z)) - y z, and np.logaddexp(0, z) does not overflow. "
    "Behind the end, 0 times nan is nan: choose the real steps instead of multiplying by the mask.",
)
check_kinds(
    masked_loss,
    {
        "logits": np.array([[1.0, -2.0], [3.0, 0.0]]),
        "targets": np.array([[1.0, 1.0], [0.0, 0.0]]),
        "lengths": np.array([2, 1]),
    },
    expected(
        np.array([[1.0, -2.0], [3.0, 0.0]]), np.array([[1.0, 1.0], [0.0, 0.0]]), np.array([2, 1])
    ),
    kinds=["float64", "float32", "integers", "strided"],
    hint="Slopes have fractions: make them in an array of floats.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. Clip
#
# Use one norm over all gradients together and one factor for all of them, in place: the numbers in the arrays
# change, and the list holds the same arrays as before. Gradients that are small enough stay as they are, to
# the last bit.


# %% nbgrader={"grade": false, "grade_id": "clip", "locked": false, "schema_version": 3, "solution": true, "task": false}
def clip(gradients, limit):
    """Scale gradients down together, so that their common norm is at most the limit.

    Parameters
    ----------
    gradients : list of ndarray of float
        The gradients of all parameters, of any shapes. Changed in place.
    limit : float
        Larger than 0.

    Returns
    -------
    float
        The norm of all gradients together, as it was before.

    Example
    -------
    >>> gradients = [np.array([3.0, 0.0]), np.array([[4.0]])]
    >>> round(clip(gradients, limit=1.0), 6), gradients[0].round(3).tolist(), gradients[1].round(3).tolist()
    (5.0, [0.6, 0.0], [[0.8]])
    """
    ### BEGIN SOLUTION
    norm = float(np.sqrt(sum(np.sum(g**2) for g in gradients)))
    if norm > limit:
        for g in gradients:
            g *= limit / norm
    return norm
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-clip", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    clip,
    {"gradients": [np.array([3.0, 0.0]), np.array([[4.0]])], "limit": 1.0},
    5.0,
    changes={"gradients": [np.array([0.6, 0.0]), np.array([[0.8]])]},
    hint="3 and 4 together have a norm of 5, so everything is multiplied by 1/5. Each array by its own norm "
    "would turn the direction. Change the numbers in the arrays themselves (g *= ...): new arrays in the "
    "list leave the old ones as they were. See 'A step that is too long'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-clip-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: gradients below the limit, at it, zero, many shapes, other limits, tiny ones, arrays on their side.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check

rng = np.random.default_rng(4)
for limit, size in ((1.0, 10.0), (0.25, 3.0), (5.0, 40.0)):
    gradients = [size * rng.normal(size=shape) for shape in ((3, 4), (4, 4), (4,), (1,))]
    norm = np.linalg.norm(np.concatenate([g.ravel() for g in gradients]))
    check(
        clip,
        {"gradients": gradients, "limit": limit},
        float(norm),
        changes={"gradients": [g * (limit / norm) for g in gradients]},
        hint="One norm over all entries of all arrays (not one for each array, no largest entry, and no "
        "np.linalg.norm(g, 2), which of a matrix is something else), and one factor, limit / norm. Returned is "
        "the norm before. See 'A step that is too long'.",
    )
check(
    clip,
    {"gradients": [3e-5 * np.ones((2, 2)), np.array([8e-5])], "limit": 1e-5},
    1e-4,
    changes={"gradients": [3e-6 * np.ones((2, 2)), np.array([8e-6])]},
    rtol=1e-5,
    atol=0,
    hint="The factor is limit / norm also where both are tiny: a small number added to the norm, so that "
    "nothing divides by 0, is not small beside them. Where the norm is 0, nothing is divided.",
)
lying = np.arange(6.0).reshape(2, 3).T  # columns lie in one piece, rows do not
check(
    clip,
    {"gradients": [lying], "limit": 1.0},
    float(np.sqrt(55.0)),
    changes={"gradients": [lying / np.sqrt(55.0)]},
    hint="Of an array whose rows do not lie in one piece, ravel, flatten and reshape make a copy. "
    "`g *= ...` or `g[...] = ...` change the array itself.",
)
for gradients, norm in (
    ([np.array([0.3, -0.4]), np.zeros((2, 2))], 0.5),
    ([np.array([0.6]), np.array([[0.8]])], 1.0),
    ([np.zeros(3), np.zeros((2, 1))], 0.0),
    ([np.array([3.0, 0.0]), np.array([[4.0]])], 5.0),  # a norm without rounding
):
    check(
        clip,
        {"gradients": gradients, "limit": max(norm, 1.0)},
        norm,
        changes={"gradients": [g.copy() for g in gradients]},
        rtol=0 if norm == 5 else 1e-6,
        atol=0 if norm == 5 else 1e-9,
        hint="Clipping only ever makes gradients smaller: at or below the limit they stay, to the "
        "last bit, also where the norm is 0. See 'A step that is too long'.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. How far back?
#
# How much of a loss at the last step reaches the states before it? Here `last` holds the slopes of the loss
# in the last states. Follow them back, and return the norm at each lag: that of the slopes in the last
# states, in the states one step earlier, and so on back to the first.


# %% nbgrader={"grade": false, "grade_id": "reach", "locked": false, "schema_version": 3, "solution": true, "task": false}
def reach(states, last, W_h):
    """Compute the norm of the slopes at each lag.

    Parameters
    ----------
    states : ndarray, shape (n, t, u)
        The state after each step, all of them real.
    last : ndarray, shape (n, u)
        Slopes of the loss in the states after the last step.
    W_h : ndarray, shape (u, u)

    Returns
    -------
    ndarray, shape (t,)
        Entry k is the norm of the slopes in the states k steps before the last, over all sequences and
        units together.

    Example
    -------
    >>> states = np.zeros((1, 3, 1))  # where tanh has a slope of 1
    >>> reach(states, np.array([[8.0]]), np.array([[0.5]])).tolist()
    [8.0, 4.0, 2.0]
    """
    ### BEGIN SOLUTION
    norms, slopes = [], last
    for step in reversed(range(states.shape[1])):
        norms.append(np.linalg.norm(slopes))
        slopes = (slopes * (1 - states[:, step] ** 2)) @ W_h.T
    return np.array(norms)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-reach", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    reach,
    {
        "states": np.array([[[0.0], [0.0], [0.5]]]),
        "last": np.array([[8.0]]),
        "W_h": np.array([[0.5]]),
    },
    np.array([8.0, 3.0, 1.5]),
    hint="From the last state, where tanh has a slope of 1 - 0.25, one step back: 8 * 0.75 * 0.5. Then once "
    "more, from a state of 0: times 1 times 0.5. See 'The way back'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-reach-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: many units and sequences, weights that are not symmetric, growth, one step.
### BEGIN HIDDEN TESTS
import numpy as np
import torch

from course_lib.exercises import check

rng = np.random.default_rng(5)


def norms_by_autograd(x, W_h, last):
    h = torch.zeros(len(x), len(W_h), dtype=torch.float64, requires_grad=True)
    W, states = torch.tensor(W_h), []
    for step in range(x.shape[1]):
        h = torch.tanh(torch.tensor(x[:, step]) + h @ W)
        states.append(h)
    slopes = torch.autograd.grad((states[-1] * torch.tensor(last)).sum(), states)
    norms = [s.norm().item() for s in reversed(slopes)]
    return torch.stack(states, dim=1).detach().numpy(), np.array(norms)


for n, t, u, scale, size in (
    (2, 5, 3, 0.7, 1.0),
    (1, 20, 4, 0.9, 0.1),
    (3, 8, 5, 1.5, 0.2),
    (2, 1, 3, 1.0, 1.0),
):
    W_h, last = scale * rng.normal(size=(u, u)), rng.normal(size=(n, u))
    states, norms = norms_by_autograd(size * rng.normal(size=(n, t, u)), W_h, last)
    check(
        reach,
        {"states": states, "last": last, "W_h": W_h},
        norms,
        rtol=1e-5,
        hint="From the slopes in a state to those one step earlier: times the slope of tanh at the state "
        "that they leave, 1 - h**2, then @ W_h.T. Entry 0 is the norm of `last`, over all sequences and units: "
        "the root of the sum of all squares. See 'The way back'.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. The network learns to add
#
# Now all of it runs on your own functions. The network sees two binary numbers, lowest digits first, and says
# at each step whether the digit of their sum is 1. It learns from numbers of one to eight digits and is then
# given numbers of a hundred. It takes a few seconds.

# %% nbgrader={"grade": false, "grade_id": "finale", "locked": true, "schema_version": 3, "solution": false, "task": false}
from course_lib.plotting import rnn as figures


def sums(n, digits, rng, shortest=1):
    """Pairs of numbers with up to this many digits: inputs (n, t, 2), sums, lengths, carries."""
    lengths = rng.integers(shortest, digits + 1, size=n)
    # One step more than digits: the last carry has to be written down, too.
    there = np.arange(digits + 1) < lengths[:, None]
    x = rng.integers(0, 2, size=(n, digits + 1, 2)) * there[:, :, None]
    totals, carry = [], np.zeros(n, dtype=int)
    for step in range(digits + 1):
        totals.append(x[:, step].sum(axis=1) + carry)
        carry = totals[-1] // 2
    totals = np.stack(totals, axis=1)
    return x.astype(float), totals % 2, lengths + 1, totals // 2


def long_sums(weights, digits, rng):
    """Share of long sums that are right in every digit, and states and carries on the way."""
    x, answer, lengths, carried = sums(300, digits, rng, shortest=digits)
    W_x, W_h, b, w, c = weights
    states = run(x, lengths, W_x, W_h, b)
    return np.mean(np.all((states @ w + c[0] > 0) == answer, axis=1)), states, carried


rng = seed_everything(0)
u = 12
weights = [
    rng.normal(0, 0.5, (2, u)),
    rng.normal(0, 0.9 / np.sqrt(u), (u, u)),
    np.zeros(u),
    rng.normal(0, 0.3, u),
    np.zeros(1),
]
means = [[np.zeros_like(p), np.zeros_like(p)] for p in weights]
losses, norms = [], []
for update in range(1, 1001):
    x, answer, lengths, _ = sums(64, 8, rng)
    W_x, W_h, b, w, c = weights
    states = run(x, lengths, W_x, W_h, b)
    loss, slopes = masked_loss(states @ w + c[0], answer, lengths)
    inside = backward(x, states, slopes[:, :, None] * w, W_x, W_h, np.zeros((64, u)))
    gradients = [inside["W_x"], inside["W_h"], inside["b"]]
    gradients += [np.einsum("ntu,nt->u", states, slopes), slopes.sum(keepdims=True)[0]]
    norms.append(clip(gradients, limit=1.0))
    losses.append(loss)
    for p, g, (m, q) in zip(weights, gradients, means, strict=True):  # Adam
        m += 0.1 * (g - m)
        q += 0.01 * (g**2 - q)
        p -= 0.02 * (m / (1 - 0.9**update)) / (np.sqrt(q / (1 - 0.99**update)) + 1e-8)
    if update % 250 == 0:
        print(f"update {update}: loss {np.mean(losses[-50:]):.4f}")

for digits in (8, 20, 100):
    share, states, carried = long_sums(weights, digits, rng)
    print(f"{digits:3} digits: {share:.0%} of the sums are right in every digit")
back = reach(states[:, :20], np.ones_like(states[:, 0]), weights[1])
print(f"after training, a slope keeps {back[10] / back[0]:.1e} of its size over ten steps")
figures.carries(states.reshape(-1, u), carried.ravel())

# %% [markdown]
# **What you see.** The network learned from sums of at most eight digits and adds numbers of a hundred
# digits. It could do so only by finding the rule: nothing but the carry passes from one digit to the next.
# The picture shows states from long sums, in the two directions in which they vary most. They lie in clumps,
# about one for each combination of a pair of digits and an incoming carry, and those that carry a one lie
# apart from the others. Nobody told the network that there is such a thing as a carry.
#
# ## Step 7. A report from a colleague
#
# *4 points, read by a person. About 120 words.*
#
# A colleague trains a recurrent network on reviews, in batches of 32 that are padded to the longest in each
# batch. She writes: "I carry the state from one batch to the next, detached, so that nothing is lost.
# Gradients are clipped, each entry to between −0.1 and 0.1. The loss is the mean over all 32 × t steps, and
# it is lower in batches with one very long review, so the network is better at long reviews. It says nothing
# useful about the beginning of a review, so I will clip at 1 instead."
#
# 1. Three things in her loop are wrong. Which are they, and what does each do?
# 2. Why does her conclusion about long reviews not follow?
# 3. Will clipping at 1 help with the beginnings? Say why, and what would.

# %% [markdown] nbgrader={"grade": true, "grade_id": "report", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# 1. The state of one batch says nothing about the reviews of the next, which begin with what strangers
#    left behind: begin with zeros. Clipping entry by entry turns the direction of the gradient: scale
#    all by one factor, from the norm of all. And the loss counts padding: average over real steps only.
# 2. In a batch with one very long review most steps are padding, which is easy to predict. The mean falls
#    because of that share, whatever happens on real words.
# 3. No. Clipping bounds gradients that are too large. From the beginning of a long review hardly any
#    gradient arrives, since each step back multiplies it by W_h and by slopes of tanh, and a larger limit
#    does not change that. A cell that keeps its state by itself (LSTM), attention, or reading from both
#    ends would.
#
# === BEGIN MARK SCHEME ===
# 1. **Two points.** Two for three faults with what each does (state from unrelated reviews; entries
#    clipped separately turn the direction; padding in the mean). One for two of them, half for one.
# 2. **One point** for: the share of padding differs between batches, so the means are not comparable.
# 3. **One point** for: no, gradients vanish there, and clipping only makes large ones smaller. Half if
#    "no" without the reason. No point for "a lower limit".
# === END MARK SCHEME ===
