# ---
# jupyter:
#   course:
#     answers_in:
#     - course_lib.scratch.optimizers
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
# # Gradient descent: optimizers of your own
#
# - **Time:** 110 minutes. **Difficulty:** 3 of 5. **Points:** 37, of which a person gives 4.
# - **Needs:** the chapter *Gradient descent*, NumPy arrays, a little of Python's classes.
#
# A network has computed the gradients of its loss. What happens next is up to you. You will write plain
# descent with a limit on its steps, give it a memory and work out how long its steps may then be, give every
# weight a rate of its own, correct the means that start at 0, and shrink the weights that ought to shrink.
# Then a finder looks for a good learning rate, so that you do not have to guess. At the end your optimizers
# race against each other, and each of them wins.
#
# **What is special here**
#
# - `weights` is a list of arrays of `float64`, of any shapes, and the network holds the very same arrays. A
#   step changes the numbers *inside* them (`w -= ...`). A new array would be known to you alone.
# - `gradients` is a list of arrays of the same shapes: the slopes of the loss in each weight. They
#   belong to the network, which overwrites them for the next batch: do not change them, and do not
#   keep them.
# - Every optimizer keeps its learning rate as the attribute `rate`, and each step uses the value it has at
#   that moment: a schedule changes it between steps.
#
# `course_lib.scratch.optimizers` holds answers to this exercise: leave it closed. What holds in every
# exercise (how to check, what the tests look at, what counts) is on the page *How exercises work* in
# the appendix.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.data.digits import load as load_digits
from course_lib.data.splits import split
from course_lib.plotting.style import COLORS, LINE_STYLES, new_figure, styled
from course_lib.scratch.layers import Linear, ReLU, Sequential
from course_lib.scratch.losses import cross_entropy

np.set_printoptions(suppress=True)

# %% [markdown]
# ## Step 1. A step downhill, and not too far
#
# Move every weight at once against its gradient, by the rate times the gradient. That is the chapter's loop.
# It has a weakness, which the chapter showed at a rate of 10: one step that is far too long can throw the
# network to where every unit is dead. So add a limit. Take all gradients together as one long vector. If its
# length (the root of the sum of all squares) is above `max_norm`, scale the whole vector down to that length,
# and then take the step. The direction stays the same.


# %% nbgrader={"grade": false, "grade_id": "descend", "locked": false, "schema_version": 3, "solution": true, "task": false}
def descend(weights, gradients, rate, max_norm=None):
    """Take one step of plain gradient descent, of limited length.

    Parameters
    ----------
    weights : list of ndarray
        Changed in place.
    gradients : list of ndarray, the same shapes
        They stay as they are.
    rate : float
    max_norm : float, optional
        Gradients that are longer than this, all arrays taken together, are scaled down to this
        length. Shorter ones are used as they are, and so are all where it is None.

    Example
    -------
    >>> w, b = np.array([1.0]), np.array([2.0])
    >>> descend([w, b], [np.array([30.0]), np.array([-40.0])], rate=0.1, max_norm=5.0)
    >>> w.round(4).tolist(), b.round(4).tolist()  # gradients of 3 and -4
    ([0.7], [2.4])
    """
    ### BEGIN SOLUTION
    norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
    scale = max_norm / norm if max_norm is not None and norm > max_norm else 1.0
    for w, g in zip(weights, gradients, strict=True):
        w -= rate * scale * g
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-descend", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

gradients = [np.array([10.0, -10.0])]
for max_norm, after in ((None, [0.0, 3.0]), (50.0, [0.0, 3.0]), (2**0.5, [0.9, 2.1])):
    check(
        descend,
        {
            "weights": [np.array([1.0, 2.0])],
            "gradients": gradients,
            "rate": 0.1,
            "max_norm": max_norm,
        },
        changes={"weights": [np.array(after)]},
        hint="Larger weights where the gradient is positive: you went uphill; subtract. As they were: "
        "the array that the network holds did not change. `w = w - ...` makes a new array; `w -= ...` "
        "changes the old one. Wrong with one max_norm only: the gradients [10, -10] have the length "
        "14.14, and they are scaled down if that is above max_norm. See 'A step downhill'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-descend-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: several weights of different shapes, several steps, limits, gradients of 0.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import call, check, probe

start = [np.ones((2, 3)), np.arange(4.0), np.array([5.0])]
gradients = [np.full((2, 3), 2.0), np.array([1.0, 0.0, -1.0, 4.0]), np.array([-2.0])]
length = np.sqrt(sum(np.sum(g**2) for g in gradients))
for max_norm in (None, 0.5, 4.5, 100.0):
    scale = 1.0 if max_norm is None else min(1.0, max_norm / length)
    check(
        descend,
        {
            "weights": [w.copy() for w in start],
            "gradients": gradients,
            "rate": 0.25,
            "max_norm": max_norm,
        },
        changes={"weights": [w - 0.25 * scale * g for w, g in zip(start, gradients, strict=True)]},
        hint="Every array of the list moves, by rate times its own gradients, in place. max_norm: one "
        f"length for all arrays together, here {length:.3f}; above max_norm all are multiplied by "
        "max_norm / length, below it by nothing. The limit is on the gradients: the rate comes "
        "afterwards. See 'A step downhill'.",
    )
check(
    descend,
    {"weights": [np.ones(2)], "gradients": [np.zeros(2)], "rate": 0.25, "max_norm": 1.0},
    changes={"weights": [np.ones(2)]},
    hint="Gradients of 0 have the length 0, which is below every limit: the weights stay.",
)


def four_steps(descend, start, gradients):
    weights = [w.copy() for w in start]
    network = list(weights)
    for _ in range(4):
        call(
            descend,
            {"weights": weights, "gradients": gradients, "rate": 0.25},
            changes=["weights"],
        )
    return network


check(
    probe,
    [four_steps, descend, start, gradients],
    [w - g for w, g in zip(start, gradients, strict=True)],
    what="The network's weights after four steps with constant gradients and rate 0.25",
    hint="The network holds the arrays that it began with: change these, in every step. "
    "See 'A step downhill'.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. A memory
#
# Momentum keeps a velocity $v$ for every weight, which starts at 0:
#
# $$v \leftarrow \beta v + g, \qquad w \leftarrow w - \eta\, v.$$
#
# Nesterov's variant, which looks at where the velocity is about to carry the weights, updates $v$ in the same
# way, and then moves by $g + \beta v$ in place of $v$ (PyTorch writes it this way, too). With gradients of 1,
# a rate of 1 and $\beta = 0.5$, its first steps are 1.5, 1.75 and 1.875. The rate may change between steps,
# so it stays out of the velocity.


# %% nbgrader={"grade": false, "grade_id": "Momentum", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Momentum:
    """Gradient descent with momentum.

    Parameters
    ----------
    weights : list of ndarray
    rate : float
        Kept as the attribute `rate`, which may be changed between steps.
    beta : float
        The share of the velocity that each step keeps.
    nesterov : bool

    Example
    -------
    >>> w = np.array([0.0])
    >>> optimizer = Momentum([w], rate=1.0, beta=0.5)
    >>> for _ in range(3):
    ...     optimizer.step([np.array([1.0])])
    >>> w.tolist()  # velocities 1, 1.5 and 1.75
    [-4.25]
    """

    def __init__(self, weights, rate, beta=0.9, nesterov=False):
        ### BEGIN SOLUTION
        self.weights, self.rate, self.beta, self.nesterov = weights, rate, beta, nesterov
        self.velocities = [np.zeros(w.shape) for w in weights]
        ### END SOLUTION

    def step(self, gradients):
        """Move the weights once, in place."""
        ### BEGIN SOLUTION
        for w, v, g in zip(self.weights, self.velocities, gradients, strict=True):
            v *= self.beta
            v += g
            w -= self.rate * (g + self.beta * v if self.nesterov else v)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-Momentum", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import assert_close, call, probe


def three_steps(kind):
    w, seen = np.array([0.0]), []
    optimizer = call(kind, {"weights": [w], "rate": 1.0, "beta": 0.5}, changes=["weights"])
    for _ in range(3):
        call(optimizer.step, {"gradients": [np.array([1.0])]})
        seen.append(w.item())
    return seen


assert_close(
    probe(three_steps, Momentum),
    [-1.0, -2.5, -4.25],
    what="A weight that starts at 0, after each of three steps with gradient 1, rate 1 and beta 0.5",
    hint="The velocities are 1, 1.5 and 1.75: v = beta * v + g, and then w -= rate * v. Steps of "
    "0.5: (1 - beta) * g is not in this formula. Steps of the other sign: the velocity points "
    "uphill, and the weight moves against it. See 'A step with a memory'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-Momentum-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: several weights, changing gradients and rates, two optimizers side by side, Nesterov.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import call, side_by_side

rng = np.random.default_rng(4)
shapes = [(2, 3), (2, 3), (3,), (1,)]
one, other = [[[rng.normal(size=shape) for shape in shapes] for _ in range(8)] for _ in range(2)]
constant, falling = [0.1] * 8, [0.4, 0.4, 0.4, 0.1, 0.1, 0.05, 0.05, 0.01]


def training(kind, all_gradients, rates, settings):
    weights = [np.ones(g.shape) for g in all_gradients[0]]
    gradients = [np.zeros(w.shape) for w in weights]
    settings = {"rate": rates[0], **settings}
    optimizer = call(kind, {"weights": weights, **settings}, changes=["weights"])
    for t, now in enumerate(all_gradients):
        for place, g in zip(gradients, now, strict=True):
            place[...] = g  # the network overwrites its gradients
        if rates[t] != rates[t - 1]:
            optimizer.rate = rates[t]
        call(optimizer.step, {"gradients": gradients}, copies=False)
        yield weights


def expected(all_gradients, rates, beta=0.9, nesterov=False):
    weights, seen = [np.ones(shape) for shape in shapes], []
    for t, rate in enumerate(rates):
        for i, g in enumerate(all_gradients[t]):
            v = sum(beta ** (t - k) * all_gradients[k][i] for k in range(t + 1))
            weights[i] = weights[i] - rate * (g + beta * v if nesterov else v)
        seen.append(list(weights))
    return seen


for rates, first, second in (
    (constant, {"beta": 0.8}, {}),
    (constant, {"nesterov": True, "beta": 0.8}, {"nesterov": True, "beta": 0.3}),
    (falling, {"beta": 0.8}, {"nesterov": True, "beta": 0.5}),
):
    side_by_side(
        training,
        Momentum,
        (one, rates, first),
        (other, rates[::-1], second),
        expected=(expected(one, rates, **first), expected(other, rates[::-1], **second)),
        yields="weights",
        hint=f"The settings are {first} and {second}, and the rates begin with {rates[:4]} for the "
        "first. Each weight has a velocity of its own, in its own shape: with a single one for "
        "all, the weights push each other. It is an array of its own: the network overwrites that of "
        "the gradients. The rate (self.rate, as it is now) multiplies the velocity in the step and is "
        "no part of it. Nesterov: first the new v, then a step along g + beta * v. "
        "See 'A step with a memory'.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. The longest step, with a memory
#
# Near a minimum the loss is a bowl, $L = \tfrac{1}{2} w^\top H w$, with a symmetric matrix $H$. Its
# eigenvalues are the curvatures, and all are positive here. The chapter says where the edge is for plain
# descent: below a rate of 2 divided by the largest curvature, every start ends at the bottom; above it,
# almost none does. Where is the edge with momentum?
#
# Predict first: a velocity makes steps longer, so is the edge lower? Then try your `Momentum` on a bowl with
# a single weight and curvature 1. What you see *on* the edge gives you the formula: there, each step flips
# the sign of the weight and of the velocity, and changes the size of neither. Put $v_\text{new} = -v$ and
# $w_\text{new} = -w$ into the two formulas of step 2.


# %% nbgrader={"grade": false, "grade_id": "longest_rate", "locked": false, "schema_version": 3, "solution": true, "task": false}
def longest_rate(H, beta=0.0):
    """Compute the rate below which descent with momentum on a bowl converges.

    Parameters
    ----------
    H : ndarray, shape (d, d)
        Symmetric, with positive eigenvalues. It need not be diagonal, and stays as it is.
    beta : float, 0 <= beta < 1
        The share of the velocity that each step keeps; 0 is plain descent.

    Returns
    -------
    float
        Right to six digits.

    Example
    -------
    >>> longest_rate(np.diag([1.0, 10.0]))
    0.2
    """
    ### BEGIN SOLUTION
    return 2 * (1 + beta) / np.linalg.eigvalsh(H).max()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-longest_rate", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    longest_rate,
    {"H": np.diag([1.0, 10.0])},
    0.2,
    hint="A plain step multiplies the weight along a curvature c by 1 - rate * c. This must stay "
    "above -1 for every curvature, and the largest is the first to break it. "
    "See 'How long a step may be'.",
)
check(
    longest_rate,
    {"H": np.array([[1.0]]), "beta": 0.5},
    3.0,
    hint="On the edge v_new = -v and w_new = -w. The first formula then says -v = beta * v + c * w, "
    "the second -w = w + rate * v. Solve for the rate. See 'A step with a memory'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-longest_rate-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: bowls that are turned, of one weight and of many, close curvatures, whole numbers.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_keyword, check_kinds

rng = np.random.default_rng(2)
for d in (1, 2, 3, 20):
    turn, _ = np.linalg.qr(rng.normal(size=(d, d)))
    curvatures = np.geomspace(0.5, 40, d)
    check(
        longest_rate,
        {"H": (turn * curvatures) @ turn.T},
        2 / curvatures.max(),
        what=f"longest_rate for a turned bowl with {d} weight{'s' * (d > 1)}, largest curvature "
        f"{curvatures.max():g}",
        hint="2, divided by the largest curvature. When the bowl is turned, its curvatures are not "
        "on the diagonal: they are the eigenvalues of H (np.linalg.eigvalsh). "
        "See 'How long a step may be'.",
    )
# The steepest direction is orthogonal to (1, 1, 1, 1), and the next is nearly as steep.
turn = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]) / 2
for curvatures in ([1.0, 40.0, 39.6, 2.0], [5.0, 4.96, 4.95, 0.1]):
    check(
        longest_rate,
        {"H": (turn * curvatures) @ turn.T},
        2 / max(curvatures),
        what=f"longest_rate for a turned bowl with the curvatures {curvatures}",
        hint="Close curvatures need many rounds of the power method, and a start that is orthogonal "
        "to the steepest direction never finds it: np.linalg.eigvalsh needs neither. "
        "See 'How long a step may be'.",
    )
check_kinds(
    longest_rate,
    {"H": np.array([[2.0, 1.0], [1.0, 2.0]])},
    2 / 3,
    kinds=["float64", "float32", "integers", "strided"],
    hint="The curvatures of [[2, 1], [1, 2]] are 1 and 3. See 'How long a step may be'.",
)
check_keyword(
    longest_rate,
    {"H": np.array([[2.0, 1.0], [1.0, 2.0]])},
    "beta",
    [(0.0, 2 / 3), (0.25, 2.5 / 3), (0.9, 3.8 / 3)],
    hint="-v = beta * v + c * w and -w = w + rate * v give rate * c = 2 * (1 + beta): a memory moves "
    "the edge up, not down. See 'A step with a memory'.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. A rate for every weight
#
# Divide each gradient by the square root of a record of its squares. AdaGrad adds them all up:
# $q \leftarrow q + g^2$. RMSProp forgets: $q \leftarrow \beta q + (1-\beta)\, g^2$. Both then move by
# $\eta\, g / (\sqrt q + \epsilon)$, with $\epsilon$ *outside* the root. $q$ starts at 0.


# %% nbgrader={"grade": false, "grade_id": "AdaGrad", "locked": false, "schema_version": 3, "solution": true, "task": false}
class AdaGrad:
    """Gradient descent with gradients divided by the root of the sum of their squares so far.

    Parameters
    ----------
    weights : list of ndarray
    rate : float
        Kept as the attribute `rate`, which may be changed between steps.
    eps : float
        Added to the root.

    Example
    -------
    >>> w = np.array([0.0, 0.0])
    >>> optimizer = AdaGrad([w], rate=1.0)
    >>> optimizer.step([np.array([3.0, -0.01])])
    >>> w.round(4).tolist()  # the first step has the same length for every weight
    [-1.0, 1.0]
    """

    def __init__(self, weights, rate, eps=1e-10):
        ### BEGIN SOLUTION
        self.weights, self.rate, self.eps = weights, rate, eps
        self.squares = [np.zeros(w.shape) for w in weights]
        ### END SOLUTION

    def step(self, gradients):
        """Move the weights once, in place."""
        ### BEGIN SOLUTION
        for w, q, g in zip(self.weights, self.squares, gradients, strict=True):
            q += g**2
            w -= self.rate * g / (np.sqrt(q) + self.eps)
        ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "RMSProp", "locked": false, "schema_version": 3, "solution": true, "task": false}
class RMSProp:
    """Gradient descent with gradients divided by the root of a running mean of their squares.

    Parameters
    ----------
    weights : list of ndarray
    rate : float
        Kept as the attribute `rate`, which may be changed between steps.
    beta : float
        The share of the running mean that each step keeps.
    eps : float
        Added to the root.

    Example
    -------
    >>> w = np.array([0.0, 0.0])
    >>> optimizer = RMSProp([w], rate=1.0, beta=0.75)
    >>> optimizer.step([np.array([3.0, -0.1])])
    >>> w.round(4).tolist()  # 1 / sqrt(1 - 0.75)
    [-2.0, 2.0]
    """

    def __init__(self, weights, rate, beta=0.99, eps=1e-8):
        ### BEGIN SOLUTION
        self.weights, self.rate, self.beta, self.eps = weights, rate, beta, eps
        self.squares = [np.zeros(w.shape) for w in weights]
        ### END SOLUTION

    def step(self, gradients):
        """Move the weights once, in place."""
        ### BEGIN SOLUTION
        for w, q, g in zip(self.weights, self.squares, gradients, strict=True):
            q *= self.beta
            q += (1 - self.beta) * g**2
            w -= self.rate * g / (np.sqrt(q) + self.eps)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-AdaGrad", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import assert_close, call, probe


def two_steps(kind):
    w, seen = np.array([0.0, 0.0]), []
    optimizer = call(kind, {"weights": [w], "rate": 1.0}, changes=["weights"])
    for _ in range(2):
        call(optimizer.step, {"gradients": [np.array([3.0, -0.01])]})
        seen.append(w.copy())
    return seen


assert_close(
    probe(two_steps, AdaGrad),
    [[-1.0, 1.0], [-1 - 0.5**0.5, 1 + 0.5**0.5]],
    what="Two weights after each of two AdaGrad steps with gradients [3, -0.01] and rate 1",
    hint="After the first step q = g**2, so g / sqrt(q) is 1 or -1; after the second q = 2 g**2. A "
    "first step of 1/3: the root is missing. A second step of 1: q must keep what it has. "
    "See 'A rate for every weight'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-RMSProp", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import assert_close, call, probe


def two_steps(kind):
    w, seen = np.array([0.0, 0.0]), []
    optimizer = call(kind, {"weights": [w], "rate": 1.0, "beta": 0.75}, changes=["weights"])
    for _ in range(2):
        call(optimizer.step, {"gradients": [np.array([3.0, -0.1])]})
        seen.append(w.copy())
    return seen


q = np.array([0.25, 0.4375])
steps = np.cumsum(1 / np.sqrt(q))
assert_close(
    probe(two_steps, RMSProp),
    [[-steps[0], steps[0]], [-steps[1], steps[1]]],
    rtol=1e-5,
    what="Two weights after each of two RMSProp steps with gradients [3, -0.1], rate 1, beta 0.75",
    hint="q becomes 0.25 g**2 and then 0.4375 g**2: beta is the share that is *kept*, 1 - beta the "
    "share of the new square. See 'A rate for every weight'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-AdaGrad-RMSProp-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: several weights, changing gradients and rates, two at once, a large epsilon, gradients of 0.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_finite, call, side_by_side

rng = np.random.default_rng(6)
shapes = [(2, 3), (2, 3), (3,), (1,)]
one, other = [
    [[rng.normal(size=shape) * 10.0**-i for i, shape in enumerate(shapes)] for _ in range(8)]
    for _ in range(2)
]
constant, falling = [0.1] * 8, [0.4, 0.4, 0.4, 0.1, 0.1, 0.05, 0.05, 0.01]


def training(kind, all_gradients, rates, settings):
    weights = [np.ones(g.shape) for g in all_gradients[0]]
    gradients = [np.zeros(w.shape) for w in weights]
    settings = {"rate": rates[0], **settings}
    optimizer = call(kind, {"weights": weights, **settings}, changes=["weights"])
    for t, now in enumerate(all_gradients):
        for place, g in zip(gradients, now, strict=True):
            place[...] = g  # the network overwrites its gradients
        if rates[t] != rates[t - 1]:
            optimizer.rate = rates[t]
        call(optimizer.step, {"gradients": gradients}, copies=False)
        yield weights


def expected(all_gradients, rates, beta=None, eps=1e-8):
    weights, seen = [np.ones(shape) for shape in shapes], []
    for t, rate in enumerate(rates):
        for i, g in enumerate(all_gradients[t]):
            squares = [all_gradients[k][i] ** 2 for k in range(t + 1)]
            if beta is None:
                q = sum(squares)
            else:
                q = (1 - beta) * sum(beta ** (t - k) * square for k, square in enumerate(squares))
            weights[i] = weights[i] - rate * g / (np.sqrt(q) + eps)
        seen.append(list(weights))
    return seen


for kind, beta, usual in ((AdaGrad, {}, {}), (RMSProp, {"beta": 0.9}, {"beta": 0.99})):
    for rates, eps in ((constant, 0.1), (falling, 1e-8)):
        first, second = beta | {"eps": eps}, {"eps": 1.0}
        side_by_side(
            training,
            kind,
            (one, rates, first),
            (other, rates[::-1], second),
            expected=(
                expected(one, rates, **first),
                expected(other, rates[::-1], **usual, **second),
            ),
            yields="weights",
            hint=f"The settings are {first} and {second}, and the rates begin with {rates[:4]} for "
            "the first. Each weight has squares of its own, in its own shape. Wrong only where the "
            "rate changes: step reads self.rate. Wrong only with some eps or small gradients: eps is "
            "added to the root, sqrt(q) + eps, not inside of it. See 'A rate for every weight'.",
        )
    _, still = side_by_side(
        training, kind, (one[:3], [0.1] * 3, {}), ([[np.array([0.0, 1.0])]] * 3, [0.1] * 3, {})
    )
    assert_finite(
        still[-1][0],
        what="Weights after three steps, one of them with gradients of 0",
        hint="0 / 0 is nan. The epsilon in the divisor is there to keep it finite.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. What a young mean should have been
#
# A running mean $m \leftarrow \beta m + (1-\beta)\,x$ that starts at 0 is too small at first: after $t$
# values it holds only the fraction $1-\beta^t$ of a full mean. Divide by that fraction, and the first mean of
# a list is its first value. You will need it twice: in Adam, and to smooth a noisy curve.


# %% nbgrader={"grade": false, "grade_id": "corrected_means", "locked": false, "schema_version": 3, "solution": true, "task": false}
def corrected_means(values, beta):
    """Compute the running means of a list, each freed of the bias of having started at 0.

    Parameters
    ----------
    values : array_like, shape (n,)
        Floats or integers; n may be 0. They stay as they are.
    beta : float, 0 <= beta < 1
        The share of the running mean that each value keeps.

    Returns
    -------
    ndarray, shape (n,)
        After each value, the running mean divided by 1 - beta**t, where t counts from 1.

    Example
    -------
    >>> corrected_means([4.0, 4.0, 1.0], beta=0.5).round(4).tolist()
    [4.0, 4.0, 2.2857]
    """
    ### BEGIN SOLUTION
    means, m = [], 0.0
    for t, x in enumerate(values, start=1):
        m = beta * m + (1 - beta) * x
        means.append(m / (1 - beta**t))
    return np.array(means)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-corrected_means", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    corrected_means,
    {"values": [4.0, 4.0, 1.0], "beta": 0.5},
    np.array([4.0, 4.0, 2.0 / 0.875]),
    hint="The running means are 2, 3 and 2; the shares that they hold are 0.5, 0.75 and 0.875. "
    "See 'A rate for every weight'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-corrected_means-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: long lists, whole numbers, a mean that hardly forgets, one that forgets at once, no value.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds

rng = np.random.default_rng(8)


def expected(values, beta):
    n = len(values)
    shares = np.tril(beta ** np.abs(np.subtract.outer(np.arange(n), np.arange(n))))
    return shares @ values / shares.sum(axis=1)


hint = (
    "t counts from 1, and the correction is applied to what is returned: the running mean itself "
    "goes on uncorrected, or it would be corrected twice. See 'A rate for every weight'."
)
for beta in (0.0, 0.5, 0.9, 0.999):
    for n in (1, 2, 40):
        values = rng.normal(size=n) + 3
        check(
            corrected_means,
            {"values": values, "beta": beta},
            expected(values, beta),
            what=f"corrected_means of {n} value(s) with beta {beta}",
            hint=hint,
        )
whole = np.array([3.0, -1.0, 4.0, 1.0, -5.0])
check_kinds(corrected_means, {"values": whole, "beta": 0.7}, expected(whole, 0.7), hint=hint)
check(
    corrected_means,
    {"values": [], "beta": 0.9},
    np.zeros(0),
    hint="No values have no means: an array without entries.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. Adam, with weights that rest
#
# The chapter prints Adam's formula for one array: a running mean $m$ of the gradients, a running mean $q$ of
# their squares, both corrected, and a step of $\eta\, \hat m / (\sqrt{\hat q} + \epsilon)$. The correction is
# for the quotient only: $m$ and $q$ themselves stay uncorrected. Turn the formula into an optimizer for a
# list of arrays.
#
# A part of a network may rest, because its layer is frozen for a while or because the batch does not use it.
# Its gradient is then not 0, but None. Such a weight stays where it is, its memory stays as it is, and when
# it wakes up it goes on as if no time had passed. So what does $t$ count, and how many such counts are there?


# %% nbgrader={"grade": false, "grade_id": "Adam", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Adam:
    """Momentum, divided by the root of the mean square, both freed of their bias.

    Parameters
    ----------
    weights : list of ndarray
    rate : float
        Kept as the attribute `rate`, which may be changed between steps.
    betas : (float, float)
        The shares that the two running means keep: of the gradients, and of their squares.
    eps : float

    Example
    -------
    >>> w, b = np.array([0.0, 0.0]), np.array([5.0])
    >>> optimizer = Adam([w, b], rate=0.1)
    >>> optimizer.step([np.array([3.0, -0.01]), None])
    >>> w.round(4).tolist(), b.tolist()
    ([-0.1, 0.1], [5.0])
    """

    def __init__(self, weights, rate=0.001, betas=(0.9, 0.999), eps=1e-8):
        ### BEGIN SOLUTION
        self.weights, self.rate, self.betas, self.eps = weights, rate, betas, eps
        self.steps = [0 for _ in weights]
        self.means = [np.zeros(w.shape) for w in weights]
        self.squares = [np.zeros(w.shape) for w in weights]
        ### END SOLUTION

    def step(self, gradients):
        """Move the weights once, in place; those whose gradient is None rest."""
        ### BEGIN SOLUTION
        beta1, beta2 = self.betas
        for i, (w, g) in enumerate(zip(self.weights, gradients, strict=True)):
            if g is None:
                continue
            self.steps[i] += 1
            t, m, q = self.steps[i], self.means[i], self.squares[i]
            m *= beta1
            m += (1 - beta1) * g
            q *= beta2
            q += (1 - beta2) * g**2
            mean, square = m / (1 - beta1**t), q / (1 - beta2**t)
            w -= self.rate * mean / (np.sqrt(square) + self.eps)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-Adam", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import assert_close, call, probe


def first_step(kind):
    w = np.array([0.0, 0.0])
    optimizer = call(kind, {"weights": [w], "rate": 0.1}, changes=["weights"])
    call(optimizer.step, {"gradients": [np.array([3.0, -0.01])]})
    return w


assert_close(
    probe(first_step, Adam),
    [-0.1, 0.1],
    rtol=1e-4,
    what="Two weights after the first step of Adam with gradients [3, -0.01] and rate 0.1",
    hint="The first step has length rate, against the sign of the gradient, whatever its size. Steps "
    "of 0.316: the means were not corrected for having started at 0. nan: t must be 1 in the first "
    "step. See 'A rate for every weight'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-Adam-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: a hundred steps with changing gradients, several weights, two at once, weights that rest.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import call, side_by_side

rng = np.random.default_rng(10)


def training(kind, all_gradients, rates, settings):
    weights = [np.ones(g.shape) for g in all_gradients[0]]
    gradients = [np.zeros(w.shape) for w in weights]
    optimizer = call(kind, {"weights": weights, **settings}, changes=["weights"])
    for now, rate in zip(all_gradients, rates, strict=True):
        given = []
        for place, g in zip(gradients, now, strict=True):
            if g is not None:
                place[...] = g  # the network overwrites its gradients
            given.append(None if g is None else place)
        if rate is not None:
            optimizer.rate = rate
        call(optimizer.step, {"gradients": given}, copies=False)
        yield weights


def expected(all_gradients, rates, betas=(0.9, 0.999)):
    """Each weight by itself: weighted means of the gradients that it was given so far."""
    weights, seen = [np.ones(g.shape) for g in all_gradients[0]], []
    for t, rate in enumerate(rates):
        for i, g in enumerate(all_gradients[t]):
            if g is None:
                continue
            own = [now[i] for now in all_gradients[: t + 1] if now[i] is not None]
            first, second = (np.array([beta**k for k in range(len(own))])[::-1] for beta in betas)
            mean = np.tensordot(first / first.sum(), own, axes=1)
            square = np.tensordot(second / second.sum(), np.square(own), axes=1)
            weights[i] = weights[i] - (rate or 0.001) * mean / (np.sqrt(square) + 1e-8)
        seen.append(list(weights))
    return seen


def drawn(shapes, steps):
    """Gradients of either sign, none of them so small that it matters where epsilon stands."""
    return [
        [
            rng.choice([-1, 1], size=shape) * rng.uniform(0.5, 2, size=shape) * 2.0**-i
            for i, shape in enumerate(shapes)
        ]
        for _ in range(steps)
    ]


hint = (
    "Right after one step and wrong after many: the corrected means must not be kept, m and q go on "
    "uncorrected, t grows by 1 in each step, and each step reads self.rate, which is changed in "
    "between. Right for one weight and wrong for several: each weight has an m and a q of its own, "
    "and t counts steps, not weights. See 'A rate for every weight'."
)
shapes = [(2, 3), (2, 3), (3,), (1,)]
for shape_list, steps, betas in (
    ([(3,)], 100, (0.9, 0.999)),
    (shapes, 20, (0.5, 0.8)),
    (shapes, 20, (0.9, 0.999)),
):
    rates, settings = list(np.linspace(0.1, 0.01, steps)), {"rate": 0.3, "betas": betas}
    one, other = drawn(shape_list, steps), drawn(shape_list, steps)
    side_by_side(
        training,
        Adam,
        (one, rates, settings),
        (other, [None] * steps, {}),
        expected=(expected(one, rates, betas), expected(other, [None] * steps)),
        rtol=1e-5,
        yields="weights",
        hint=f"Adam with the betas {betas} and a rate that falls, and one with the usual settings. "
        + hint,
    )
resting = drawn([(2,), (2,)], 8)
for t in (1, 2, 3, 5):
    resting[t][1] = None
_ = side_by_side(
    training,
    Adam,
    (resting, [0.1] * 8, {}),
    (resting[::-1][:1] + resting[1:], [0.2] * 8, {}),
    expected=(
        expected(resting, [0.1] * 8),
        expected(resting[::-1][:1] + resting[1:], [0.2] * 8),
    ),
    rtol=1e-5,
    yields="weights",
    hint="The second weight rests in the steps 2, 3, 4 and 6. It stays, m and q stay (a gradient of 0 "
    "would shrink them), and so does its t: with one t for all, the correction believes that its "
    "means are older than they are. See 'A rate for every weight'.",
)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-Adam-eps-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: where epsilon stands, and gradients of 0.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_close, assert_finite, call, probe


def constant(kind, gradient, steps, settings):
    w = np.zeros(len(gradient))
    optimizer = call(kind, {"weights": [w], "rate": 1.0, **settings}, changes=["weights"])
    for _ in range(steps):
        call(optimizer.step, {"gradients": [np.array(gradient)]})
    return w


for eps in (1e-3, 1.0):
    assert_close(
        probe(constant, Adam, [3.0, -0.5], 4, {"eps": eps}),
        [-4 * 3 / (3 + eps), 4 * 0.5 / (0.5 + eps)],
        what=f"Two weights after 4 steps of Adam with constant gradients [3, -0.5], rate 1, eps={eps}",
        hint="Under constant gradients the corrected means are g and g**2, in every step, so each "
        "step is g / (|g| + eps). Another value: epsilon is inside of the root, or added before the "
        "correction of q. It belongs outside: sqrt(q_hat) + eps. See 'A rate for every weight'.",
    )
assert_close(
    probe(constant, Adam, [1e-6, -1e-6], 3, {}),
    [-3 / 1.01, 3 / 1.01],
    rtol=1e-4,
    what="Two weights after 3 steps of Adam with tiny gradients [1e-6, -1e-6], rate 1, the usual eps",
    hint="With eps = 1e-8 inside of the root, gradients below 1e-4 hardly count. It belongs outside. "
    "See 'A rate for every weight'.",
)
assert_finite(
    probe(constant, Adam, [0.0, 1.0], 3, {}),
    what="Weights after three steps of Adam, one of them with gradients of 0",
    hint="0 / 0 is nan: epsilon in the divisor keeps it finite.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 7. Shrinking the weights
#
# There are two ways to keep weights small, which are the same for plain descent but not for Adam. *Weight
# decay* multiplies them by $1 - \eta\lambda$ before a step. An *L2 penalty* adds $\lambda w$ to the
# gradients. Both spare the biases. In a network's list of weights, those are the arrays with fewer than two
# axes.


# %% nbgrader={"grade": false, "grade_id": "decay", "locked": false, "schema_version": 3, "solution": true, "task": false}
def decay(weights, rate, strength):
    """Shrink all matrices, in place, and leave the biases as they are.

    Parameters
    ----------
    weights : list of ndarray
        Arrays with two axes or more are shrunk by the factor 1 - rate * strength.
    rate, strength : float

    Example
    -------
    >>> W, b = np.ones((2, 2)), np.ones(2)
    >>> decay([W, b], rate=0.1, strength=0.5)
    >>> W.tolist(), b.tolist()
    ([[0.95, 0.95], [0.95, 0.95]], [1.0, 1.0])
    """
    ### BEGIN SOLUTION
    for w in weights:
        if w.ndim >= 2:
            w *= 1 - rate * strength
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "penalized", "locked": false, "schema_version": 3, "solution": true, "task": false}
def penalized(weights, gradients, strength):
    """Add the gradients of an L2 penalty, strength / 2 times the sum of all squared matrix entries.

    Parameters
    ----------
    weights, gradients : list of ndarray
        Both lists, and all arrays in them, stay as they are.
    strength : float

    Returns
    -------
    list of ndarray
        A new list. For matrices it holds new arrays; for biases, the gradients as they came, the
        same arrays or copies.

    Example
    -------
    >>> W, b = np.array([[4.0]]), np.array([4.0])
    >>> [g.tolist() for g in penalized([W, b], [np.array([[1.0]]), np.array([1.0])], 0.5)]
    [[[3.0]], [1.0]]
    """
    ### BEGIN SOLUTION
    return [g + strength * w if w.ndim >= 2 else g for w, g in zip(weights, gradients, strict=True)]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-decay", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    decay,
    {"weights": [np.full((2, 2), 4.0), np.full(2, 4.0)], "rate": 0.1, "strength": 0.5},
    changes={"weights": [np.full((2, 2), 3.8), np.full(2, 4.0)]},
    hint="The factor is 1 - rate * strength = 0.95, and the array changes in place. Biases are "
    "spared: only arrays with two axes or more shrink. See 'Shrinking the weights'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-penalized", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    penalized,
    {
        "weights": [np.full((2, 2), 4.0), np.full(2, 4.0)],
        "gradients": [np.ones((2, 2)), np.ones(2)],
        "strength": 0.5,
    },
    [np.full((2, 2), 3.0), np.ones(2)],
    hint="For the matrix 1 + 0.5 * 4 = 3: the gradient of strength / 2 * w**2 is strength * w. The 2 "
    "of the square and the half cancel. Biases have no penalty: their gradients are as before. "
    "See 'Shrinking the weights'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-decay-penalized-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: more axes, other strengths, and that both ways agree for plain descent.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_close, call, check

rng = np.random.default_rng(12)
shapes = [(2, 3), (3,), (1, 4), (2, 1, 3), (), (1,)]
start = [np.asarray(rng.normal(size=shape)) for shape in shapes]
pushes = [np.asarray(rng.normal(size=shape)) for shape in shapes]
names = "shapes (2, 3), (3,), (1, 4), (2, 1, 3), () and (1,)"

for rate, strength in ((0.25, 0.2), (0.5, 0.01)):
    weights = [w.copy() for w in start]
    check(
        decay,
        {"weights": weights, "rate": rate, "strength": strength},
        changes={"weights": [w * (1 - rate * strength * (w.ndim >= 2)) for w in start]},
        what=f"decay with rate {rate} and strength {strength}, arrays of the {names}",
        hint="Two axes or more: shrunk by 1 - rate * strength. Fewer: spared. "
        "See 'Shrinking the weights'.",
    )
    arguments = {"weights": start, "gradients": pushes, "strength": strength}
    check(
        penalized,
        arguments,
        [g + strength * w * (w.ndim >= 2) for w, g in zip(start, pushes, strict=True)],
        what=f"penalized with strength {strength}, arrays of the {names}",
        hint="The gradient of strength / 2 * w**2 is strength * w: the 2 of the square and the half "
        "cancel. Biases have no penalty. No rate belongs here: the step multiplies by it. "
        "See 'Shrinking the weights'.",
    )
    new = call(penalized, arguments)
    for w, before, g, push in zip(weights, start, new, pushes, strict=True):
        assert_close(
            w - rate * push,
            before - rate * np.asarray(g),
            what=f"Decay before a plain step, and a plain step with the penalty, shape {w.shape}",
            hint="For plain descent the two ways are the same. See 'Shrinking the weights'.",
        )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 8. A finder for the learning rate
#
# Raise the rate from step to step, from much too small to much too large, in a run that you throw away, and
# look at the loss. It falls, turns, and explodes. A good rate is well before the turn: this finder takes a
# tenth of the rate at which the *smoothed* loss is lowest. Single losses are noisy, so smooth with
# `corrected_means`. And stop at the explosion: what comes after it means nothing.


# %% nbgrader={"grade": false, "grade_id": "find_rate", "locked": false, "schema_version": 3, "solution": true, "task": false}
def find_rate(try_rate, rates, beta=0.8, explosion=4.0):
    """Look for a learning rate in one short run.

    Parameters
    ----------
    try_rate : callable
        try_rate(rate) takes one step with this rate and returns the loss before the step, which
        is a finite number the first time. It must be called once for each rate, in order, and no
        more after the explosion.
    rates : ndarray, shape (n,)
        From small to large, n at least 1. It stays as it is.
    beta : float
        For the smoothing, with corrected_means.
    explosion : float
        The run ends at the first loss that is not a finite number, or is larger than `explosion`
        times the smallest of all losses before it. This last loss is left out of the smoothing.

    Returns
    -------
    float
        A tenth of the rate whose smoothed loss is the lowest (of several, any).

    Example
    -------
    >>> losses = iter([2.0, 1.0, 0.5, 9.0])
    >>> find_rate(lambda rate: next(losses), np.array([0.1, 1.0, 10.0, 100.0]))
    1.0
    """
    ### BEGIN SOLUTION
    losses = []
    for rate in rates:
        loss = try_rate(rate)
        if not np.isfinite(loss) or (losses and loss > explosion * min(losses)):
            break
        losses.append(loss)
    return rates[np.argmin(corrected_means(losses, beta))] / 10
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-find_rate", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check, given


def lent_means(values, beta):
    means, m = [], 0.0
    for t, x in enumerate(values, start=1):
        m = beta * m + (1 - beta) * x
        means.append(m / (1 - beta**t))
    return np.array(means)


coming = iter([2.0, 1.0, 0.5, 9.0])


def try_rate(rate):
    return next(coming)


with given(corrected_means=lent_means):
    check(
        find_rate,
        {"try_rate": try_rate, "rates": np.array([0.1, 1.0, 10.0, 100.0])},
        1.0,
        what="find_rate for the rates 0.1, 1, 10, 100, whose losses are 2, 1, 0.5, 9",
        hint="9 is more than 4 times 0.5, so the run ends there without counting it. Of the first "
        "three, the smoothed loss is lowest at 10, and the answer is a tenth of it. See 'The race' "
        "for why a rate is looked for at all.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-find_rate-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: losses that are nan or infinite, noise, how often try_rate is called, and with what.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_close, assert_equal, call, given, probe


def lent_means(values, beta):
    means, m = [], 0.0
    for t, x in enumerate(values, start=1):
        m = beta * m + (1 - beta) * x
        means.append(m / (1 - beta**t))
    return np.array(means)


def found(find_rate, losses, rates, settings):
    called = []

    def try_rate(rate):
        called.append(float(rate))
        return losses[len(called) - 1] if len(called) <= len(losses) else 1.0

    rate = call(find_rate, {"try_rate": try_rate, "rates": np.array(rates), **settings})
    return float(rate), called


nan, inf = float("nan"), float("inf")
rates = [10.0**k for k in range(-4, 3)]
noise = [5.0, 1.5, 4.0, 3.0, 2.6, 2.4, 2.4]
cases = {
    "losses that end in nan": ([2.0, 1.9, 1.0, nan, nan, nan, nan], {}, 2, 4),
    "losses that end in infinity": ([2.0, 1.9, 1.8, 1.0, inf, inf, inf], {}, 3, 5),
    "losses that explode and come back": ([2.0, 1.9, 1.8, 20.0, 0.1, 0.1, 0.1], {}, 2, 4),
    "losses that never explode": ([7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0], {}, 6, 7),
    "losses that climb by less than four times a step": ([1.0, 2.0, 3.5, 6.0, 0.1, 0.1, 0.1], {}, 0, 4),
    "a high start and an explosion that smoothing would hide": ([10.0, 1.0, 4.5, 0.1, 0.1, 0.1, 0.1], {}, 1, 3),
    "one lucky loss among noise": (noise, {"beta": 0.9}, 6, 7),
    "the same losses, hardly smoothed": (noise, {"beta": 0.1}, 1, 7),
    "a smaller limit for the explosion": ([2.0, 1.0, 1.6, 0.2, 0.2, 0.2, 0.2], {"explosion": 1.5}, 1, 3),
    "a loss of exactly four times the smallest": ([1.0, 4.0, 0.1, 0.1, 0.1, 0.1, 0.1], {}, 6, 7),
}  # fmt: skip
with given(corrected_means=lent_means):
    for name, (losses, settings, place, calls) in cases.items():
        got, called = probe(found, find_rate, losses, rates, settings)
        assert_close(
            called,
            rates[:calls],
            what=f"The rates that find_rate tried, for {name} ({losses}, {settings})",
            hint="One call for each rate, in order, and none after the explosion: a network whose "
            "weights are nan has nothing more to tell. A loss is compared with the smallest of *all* "
            "before it, not of the first, nor with the one before it, and the limit is the argument "
            "`explosion`. See 'A step downhill' for what an explosion looks like.",
        )
        assert_close(
            got,
            rates[place] / 10,
            what=f"find_rate for {name} ({losses}, {settings})",
            hint="A tenth of the rate with the lowest *smoothed* loss: corrected_means of the losses "
            "before the explosion, with the argument `beta`, np.argmin of them, that rate, divided "
            "by 10. The loss of the explosion itself is not among them. "
            "See 'A rate for every weight' for the means.",
        )
assert_equal(len(called), 7, what="How often try_rate was called in the last case")
### END HIDDEN TESTS

# %% [markdown]
# ## Step 9. Three races, three winners
#
# Everything is there. A network with 64 inputs, 32 hidden units and ten outputs reads digits, and plain
# descent, momentum and Adam race to teach it, with the same random weights to start from, the same batches in
# the same order, five epochs, and your weight decay. What could be fairer than one learning rate for all
# three? Three referees agree that it is fair, and choose 0.003, 0.2 and 1.
#
# Nothing is left to write. Before you run the second cell below, write down who wins each race.

# %% nbgrader={"grade": false, "grade_id": "digits", "locked": true, "schema_version": 3, "solution": false, "task": false}
train, validation, test = split(*load_digits(), seed=0)


def new_network(seed):
    """Return a network with random weights, and the list of its arrays."""
    rng = np.random.default_rng(seed)
    network = Sequential(Linear(64, 32, rng=rng), ReLU(), Linear(32, 10, rng=rng))
    return network, [p.data for p in network.parameters()]


def gradients_of(network, X, y):
    """Return the loss on a batch, and the gradients in all weights."""
    network.zero_grad()
    loss = cross_entropy(network(X), y)
    loss.backward()
    return loss.item(), [p.grad for p in network.parameters()]


class Plain:
    """Your descend, with the interface of the other optimizers."""

    def __init__(self, weights, rate):
        self.weights, self.rate = weights, rate

    def step(self, gradients):
        """Move the weights once."""
        descend(self.weights, gradients, self.rate)


def learn(kind, rate, seed, epochs=5, batch=50, strength=1e-3):
    """Train a network on the training digits with one of your optimizers."""
    network, weights = new_network(seed)
    optimizer, rng = kind(weights, rate), np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        for _ in range(epochs):
            order = rng.permutation(len(train.y))
            for rows in np.split(order, range(batch, len(order), batch)):
                _, gradients = gradients_of(network, train.X[rows], train.y[rows])
                decay(weights, rate, strength)
                optimizer.step(gradients)
    return network


def share_read(network, part):
    """Return the share of digits that a network reads as what they are."""
    return np.mean(network(part.X).data.argmax(axis=1) == part.y)


def search(kind, rates, batch=50):
    """Let your finder look for a rate. Returns it, and all losses that it saw."""
    network, weights = new_network(seed=9)
    optimizer, rng, losses = kind(weights, rates[0]), np.random.default_rng(9), []

    def try_rate(rate):
        rows = rng.choice(len(train.y), batch)
        loss, gradients = gradients_of(network, train.X[rows], train.y[rows])
        losses.append(loss)
        optimizer.rate = rate
        optimizer.step(gradients)
        return loss

    with np.errstate(all="ignore"):
        return find_rate(try_rate, rates), losses


# %%
racers = {"plain descent": Plain, "Momentum": Momentum, "Adam": Adam}
races = {}
for rate in (0.003, 0.2, 1.0):
    scores = {
        name: np.median([share_read(learn(kind, rate, seed), validation) for seed in range(3)])
        for name, kind in racers.items()
    }
    races[f"{rate:g}\nfor all"] = scores
    print(f"rate {rate:g} for all:", ", ".join(f"{name} {scores[name]:.1%}" for name in scores))
    print(f"    the winner is {max(scores, key=scores.get)}\n")

# %% [markdown]
# Each referee has measured well: same start, same batches, three runs each, validation data. And each has
# crowned a different optimizer. Whoever chooses the one rate for all chooses the winner.
#
# So let nobody choose. Your finder looks for a rate for each optimizer in a separate run on the training
# digits, and the race is run once more.

# %%
rates = np.geomspace(1e-5, 30, 150)
searches = {name: search(kind, rates) for name, kind in racers.items()}
found = {name: rate for name, (rate, _) in searches.items()}
networks = {
    name: [learn(kind, found[name], seed) for seed in range(3)] for name, kind in racers.items()
}
races["each\nits own"] = {
    name: np.median([share_read(network, validation) for network in several])
    for name, several in networks.items()
}
for name, several in networks.items():
    read = np.median([share_read(network, test) for network in several])
    print(f"{name:13} at {found[name]:.4f} reads {read:.1%} of the test digits")


# %%
@styled
def compare(rates, searches, races):
    """Draw the searches with the rates that were found, and the results of the races."""
    figure, (left, right) = new_figure(1, 2, width=7.5, height=3.6)
    for place, name in enumerate(searches):
        color, style = COLORS[place], LINE_STYLES[place]
        rate, seen = searches[name]
        left.plot(rates[: len(seen)], seen, color=color, linestyle=style, linewidth=1.2)
        left.axvline(rate, color=color, linestyle=style, linewidth=1)
        read = [100 * scores[name] for scores in races.values()]
        right.bar(np.arange(len(read)) + 0.27 * (place - 1), read, 0.25, color=color, label=name)
    left.set(xscale="log", xlabel="learning rate", ylabel="loss", title="Your finder at work")
    left.set_ylim(0, 5)
    right.set(xlabel="learning rate", ylabel="digits read, in percent")
    right.set(title="Three referees, and your finder", ylim=(0, 119))
    right.set_xticks(range(len(races)), races, fontsize="small")
    right.legend(
        loc="upper center", ncols=3, fontsize=7.5, frameon=False, handlelength=1, columnspacing=1
    )
    for place, scores in enumerate(list(races.values())[:3]):
        winner = max(scores, key=scores.get)
        x = place + 0.27 * (list(scores).index(winner) - 1)
        right.annotate("wins", (x, 100 * scores[winner]), ha="center", va="bottom", fontsize=8)
    return figure


compare(rates, searches, races)

# %% [markdown]
# **What you see.** On the left, three valleys in three different places, and in each the rate that your
# finder chose, well before the turn. On the right, the three verdicts, and beside them the race in which each
# optimizer ran at a rate of its own: all three read most digits, using the lines that you wrote.
#
# ## Step 10. Who has won?
#
# *4 points, read by a person. About 150 words.*
#
# A colleague has invented an optimizer, Zoom, and reports: "I trained a network with Adam and with Zoom, both
# at a rate of 0.1, for three epochs, from the same random start. To be sure of the comparison I had first
# tried rates from 0.001 to 10 for Zoom, and 0.1 gave the best accuracy on the test set. Zoom reaches 94.2
# percent there, Adam 92.8, so Zoom is the better optimizer."
#
# 1. Why is one rate for both not a fair comparison, although it looks like one?
# 2. What is wrong with how the rate 0.1 was chosen, apart from question 1?
# 3. The test set has 359 images. What do you make of a difference of 1.4 points after one run each?
# 4. Describe the comparison that you would run instead, in three or four sentences.

# %% [markdown] nbgrader={"grade": true, "grade_id": "who-has-won", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# 1. A rate means something different for each optimizer: it multiplies a gradient in plain descent
#    and a nearly constant length in Adam. Their valleys of good rates lie in different places, and 0.1
#    is a hundred times Adam's default. With another rate another optimizer wins, as in the three
#    races. The comparison shows that Zoom likes 0.1.
# 2. The rate was chosen by the test set, so the accuracy of Zoom on that set is the best of several
#    tries and is too high. The test set has become a validation set. (And all the trials went to one
#    side.)
# 3. 1.4 points are five or six images. Another random start or another order of the batches changes
#    the result by as much (in the chapter, runs of one optimizer differ by more than a point). One
#    run each says nothing.
# 4. The same grid of rates, with the same number of trials, for both, each rate chosen by the loss
#    on validation data, median over a few starts. Then at least five new starts each, at the chosen
#    rates, with a budget that is long enough for both curves to flatten. Accuracy on the test set
#    once, at the end, reported with its spread. If the ranges overlap, say so.
#
# === BEGIN MARK SCHEME ===
# One point each; half points where the idea is there and the reason is not.
#
# 1. **Rates do not compare across optimizers.** Each has its own good range (what the rate
#    multiplies differs), so a shared rate favors the one that it suits. (0.5 for "Adam was not
#    tuned" without why the same number is not the same thing.)
# 2. **The choice was made on the test set**, so its score is an optimistic best of several; it
#    belongs on validation data. (0.5 for "only one of them was tuned", which belongs to question 1.)
# 3. **Too small for one run**: with a size: about five images, or a standard error of about 1.3
#    points, or the spread between seeds. (0.5 for "could be chance" without any size.)
# 4. **A fair design** with at least three of: equal tuning effort; validation data for the choice;
#    several fresh seeds with their spread; enough epochs; the test set once. (0.5 for two of them.)
# === END MARK SCHEME ===
