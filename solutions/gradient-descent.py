# ---
# jupyter:
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
# - **Needs:** the chapter *How do the weights move?*, NumPy arrays, a little of Python's classes.
#
# A network has computed the slope of its loss in every weight. You decide what happens next. You
# will write plain descent and work out how long its steps may be, give it a memory, give every
# weight a rate of its own, correct the means that start at 0, and shrink the weights that ought to
# shrink. Then a finder looks for a good learning rate, so that you need not guess. In the last step
# three of your optimizers teach the same network to read, and you see who gets there first.
#
# **How to check.** Each step has a test below it: run it, and it is silent when all is well.
# *Validate* in the notebook's toolbar runs all of them. `course check gradient-descent` in a
# terminal also runs the hidden tests, which try what the visible ones do not, and shows points and
# hints in a table. A wrong step does not cost you the later ones: where a test says `given(...)`, it
# lends your function a right version of what an earlier step was to build. Section names in the hints
# are those of the chapter.
#
# **What holds in every step**
#
# - `weights` is a list of arrays of `float64`, of any shapes, and the network holds the very same
#   arrays. A step changes the numbers *inside* them (`w -= ...`). A new array would be yours alone.
# - `slopes` is a list of arrays of the same shapes: the slopes of the loss in each weight. They
#   belong to the network, which overwrites them for the next batch: leave them as they are, and do
#   not keep them.
# - Every optimizer keeps its rate as the attribute `rate`, and each step uses what stands there at
#   that moment: a schedule changes it between two steps.
# - Loops or whole arrays, a class of your own beside the one that is asked for: all of it counts.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.data.digits import load as load_digits
from course_lib.plotting.style import COLORS, LINE_STYLES, new_figure, styled
from course_lib.scratch.layers import Linear, ReLU, Sequential
from course_lib.scratch.losses import cross_entropy

np.set_printoptions(suppress=True)

# %% [markdown]
# ## Step 1. A step downhill
#
# The slope says how fast the loss grows when a weight grows. So go the other way, by the rate times
# the slope, in every weight at once.


# %% nbgrader={"grade": false, "grade_id": "descend", "locked": false, "schema_version": 3, "solution": true, "task": false}
def descend(weights, slopes, rate):
    """Take one step of plain gradient descent.

    Parameters
    ----------
    weights : list of ndarray
        Changed in place.
    slopes : list of ndarray, the same shapes
    rate : float

    Example
    -------
    >>> w = np.array([1.0, 2.0])
    >>> descend([w], [np.array([10.0, -10.0])], rate=0.1)
    >>> w.tolist()
    [0.0, 3.0]
    """
    ### BEGIN SOLUTION
    for w, g in zip(weights, slopes, strict=True):
        w -= rate * g
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-descend", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import assert_close, probe


def one_step(descend):
    w = np.array([1.0, 2.0])
    descend([w], [np.array([10.0, -10.0])], 0.1)
    return w


assert_close(
    probe(one_step, descend),
    [0.0, 3.0],
    what="The weights [1, 2] after descend with slopes [10, -10] and rate 0.1",
    hint="[2, 1]: you went uphill; subtract. [1, 2]: the array that the network holds did not "
    "change. `w = w - ...` makes a new array; `w -= ...` changes the old one. "
    "See 'A step downhill'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-descend-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: several weights of different shapes, several steps, and what must stay as it was.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_close, assert_equal, probe


def several(descend, steps):
    weights = [np.ones((2, 3)), np.arange(4.0), np.array([5.0])]
    slopes = [np.full((2, 3), 2.0), np.array([1.0, 0.0, -1.0, 4.0]), np.array([-2.0])]
    kept = [g.copy() for g in slopes]
    network = list(weights)
    for _ in range(steps):
        descend(weights, slopes, 0.25)
    untouched = all(np.array_equal(g, k) for g, k in zip(slopes, kept, strict=True))
    return network, untouched


for steps in (1, 4):
    got, untouched = probe(several, descend, steps)
    wanted = [np.ones((2, 3)), np.arange(4.0), np.array([5.0])]
    moves = [np.full((2, 3), 2.0), np.array([1.0, 0.0, -1.0, 4.0]), np.array([-2.0])]
    for name, g, w, move in zip(
        ("of shape (2, 3)", "of shape (4,)", "of shape (1,)"), got, wanted, moves, strict=True
    ):
        assert_close(
            g,
            w - 0.25 * steps * move,
            what=f"The weight {name} after {steps} step(s) with constant slopes and rate 0.25",
            hint="Every array of the list moves, by rate times its own slopes, in place. "
            "See 'A step downhill'.",
        )
    assert_equal(
        untouched,
        True,
        what="Whether the slopes are as they were",
        hint="descend changed the slopes, which belong to the network. Compute rate * g in a new "
        "array.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. The longest step
#
# Near a minimum the loss is a bowl, $L = \tfrac{1}{2} w^\top H w$, with a symmetric matrix $H$. Its
# eigenvalues are the curvatures, and all are positive here. Which rate is exactly on the edge: below
# it every start ends at the bottom, above it nearly none does?


# %% nbgrader={"grade": false, "grade_id": "longest_rate", "locked": false, "schema_version": 3, "solution": true, "task": false}
def longest_rate(H):
    """Compute the rate below which plain descent on a bowl converges.

    Parameters
    ----------
    H : ndarray, shape (d, d)
        Symmetric, with positive eigenvalues. It need not be diagonal.

    Returns
    -------
    float

    Example
    -------
    >>> longest_rate(np.diag([1.0, 10.0]))
    0.2
    """
    ### BEGIN SOLUTION
    return 2 / np.linalg.eigvalsh(H).max()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-longest_rate", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import assert_close

assert_close(
    longest_rate(np.diag([1.0, 10.0])),
    0.2,
    what="longest_rate for the curvatures 1 and 10",
    hint="A step multiplies the weight along a curvature c by 1 - rate * c. This must stay above "
    "-1 for every curvature, and the largest is the first to break it. "
    "See 'How long a step may be'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-longest_rate-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: bowls that are turned, of one weight and of many.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_close

rng = np.random.default_rng(2)
for d in (1, 2, 3, 20):
    turn, _ = np.linalg.qr(rng.normal(size=(d, d)))
    curvatures = np.geomspace(0.5, 40, d)
    assert_close(
        longest_rate((turn * curvatures) @ turn.T),
        2 / curvatures.max(),
        what=f"longest_rate for a turned bowl with {d} weight{'s' * (d > 1)}, largest curvature "
        f"{curvatures.max():g}",
        hint="2, divided by the largest curvature. When the bowl is turned, its curvatures are not "
        "on the diagonal: they are the eigenvalues of H (np.linalg.eigvalsh). "
        "See 'How long a step may be'.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. A memory
#
# Momentum keeps a velocity $v$ for every weight, which starts at 0:
#
# $$v \leftarrow \beta v + g, \qquad w \leftarrow w - \eta\, v.$$
#
# Nesterov's variant, which looks at where the velocity is about to carry the weights, updates $v$ in
# the same way, and then moves by $g + \beta v$ in place of $v$ (PyTorch writes it so, too). With
# slopes of 1, a rate of 1 and $\beta = 0.5$, its first steps are 1.5, 1.75 and 1.875. The rate may
# change between two steps, so it stays outside of the velocity.


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

    def step(self, slopes):
        """Move the weights once, in place."""
        ### BEGIN SOLUTION
        for w, v, g in zip(self.weights, self.velocities, slopes, strict=True):
            v *= self.beta
            v += g
            w -= self.rate * (g + self.beta * v if self.nesterov else v)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-Momentum", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import assert_close, probe


def three_steps(Momentum):
    w, seen = np.array([0.0]), []
    optimizer = Momentum([w], 1.0, 0.5)
    for _ in range(3):
        optimizer.step([np.array([1.0])])
        seen.append(w.item())
    return seen


assert_close(
    probe(three_steps, Momentum),
    [-1.0, -2.5, -4.25],
    what="A weight that starts at 0, after each of three steps with slope 1, rate 1 and beta 0.5",
    hint="The velocities are 1, 1.5 and 1.75: v = beta * v + g, and then w -= rate * v. Steps of "
    "0.5: (1 - beta) * g is not in this formula. Steps of the other sign: the velocity points "
    "uphill, and the weight moves against it. See 'A step with a memory'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-Momentum-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: several weights, changing slopes and rates, two optimizers side by side, Nesterov.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_close, assert_true, probe

rng = np.random.default_rng(4)
shapes = [(2, 3), (2, 3), (3,), (1,)]
all_slopes = [[rng.normal(size=shape) for shape in shapes] for _ in range(8)]


def follow(kind, shapes, all_slopes, rates, settings):
    weights = [np.ones(shape) for shape in shapes]
    slopes = [np.zeros(shape) for shape in shapes]
    optimizer, clean = kind(weights, rates[0], **settings), True
    for now, rate in zip(all_slopes, rates, strict=True):
        for place, g in zip(slopes, now, strict=True):
            place[...] = g  # the network overwrites its slopes
        optimizer.rate = rate
        optimizer.step(slopes)
        clean = clean and all(np.array_equal(a, b) for a, b in zip(slopes, now, strict=True))
    return weights, clean


def expected(all_slopes, rates, beta, nesterov, i):
    w = np.ones(np.shape(all_slopes[0][i]))
    for t, rate in enumerate(rates):
        v = sum(beta ** (t - k) * all_slopes[k][i] for k in range(t + 1))
        w = w - rate * (all_slopes[t][i] + beta * v if nesterov else v)
    return w


for nesterov in (False, True):
    for rates in ([0.1] * 8, [0.4, 0.4, 0.4, 0.1, 0.1, 0.05, 0.05, 0.01]):
        got, clean = probe(
            follow, Momentum, shapes, all_slopes, rates, {"beta": 0.8, "nesterov": nesterov}
        )
        assert_true(
            clean,
            what="The slopes are as they were after step",
            hint="A velocity that *is* the first slopes (v = g without a copy) is changed together "
            "with them. Start from zeros, or copy.",
        )
        for i, shape in enumerate(shapes):
            assert_close(
                got[i],
                expected(all_slopes, rates, 0.8, nesterov, i),
                what=f"Weight {i} of shape {shape} after 8 steps with beta 0.8, "
                f"nesterov={nesterov}, {'a rate that falls' if rates[0] > 0.1 else 'rate 0.1'}",
                hint="Each weight has a velocity of its own, in its own shape: with a single one "
                "for all, the weights push each other. It is an array of its own: the network "
                "overwrites that of the slopes. The rate (self.rate, as it is now) multiplies the "
                "velocity in the step and is no part of it. Nesterov: first the new v, then a step "
                "along g + beta * v. See 'A step with a memory'.",
            )


def two_side_by_side(kind):
    first, second = np.zeros(2), np.zeros(2)
    a, b = kind([first], 1.0), kind([second], 1.0)
    a.step([np.array([1.0, -1.0])])
    b.step([np.array([10.0, 10.0])])
    a.step([np.array([1.0, -1.0])])
    return first


assert_close(
    probe(two_side_by_side, Momentum),
    [-2.9, 2.9],
    what="A weight after two steps, while another optimizer moved another weight in between",
    hint="What an optimizer remembers belongs to it (self. ...), not to the class or the module.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. A rate for every weight
#
# Divide each slope by the root of what its squares have been like. AdaGrad adds them all up:
# $q \leftarrow q + g^2$. RMSProp forgets: $q \leftarrow \beta q + (1-\beta)\, g^2$. Both then move by
# $\eta\, g / (\sqrt q + \epsilon)$, with $\epsilon$ *outside* of the root. $q$ starts at 0.


# %% nbgrader={"grade": false, "grade_id": "AdaGrad", "locked": false, "schema_version": 3, "solution": true, "task": false}
class AdaGrad:
    """Gradient descent with slopes divided by the root of the sum of their squares so far.

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

    def step(self, slopes):
        """Move the weights once, in place."""
        ### BEGIN SOLUTION
        for w, q, g in zip(self.weights, self.squares, slopes, strict=True):
            q += g**2
            w -= self.rate * g / (np.sqrt(q) + self.eps)
        ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "RMSProp", "locked": false, "schema_version": 3, "solution": true, "task": false}
class RMSProp:
    """Gradient descent with slopes divided by the root of a running mean of their squares.

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

    def step(self, slopes):
        """Move the weights once, in place."""
        ### BEGIN SOLUTION
        for w, q, g in zip(self.weights, self.squares, slopes, strict=True):
            q *= self.beta
            q += (1 - self.beta) * g**2
            w -= self.rate * g / (np.sqrt(q) + self.eps)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-AdaGrad", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import assert_close, probe


def two_steps(kind):
    w, seen = np.array([0.0, 0.0]), []
    optimizer = kind([w], 1.0)
    for _ in range(2):
        optimizer.step([np.array([3.0, -0.01])])
        seen.append(w.copy())
    return seen


assert_close(
    probe(two_steps, AdaGrad),
    [[-1.0, 1.0], [-1 - 0.5**0.5, 1 + 0.5**0.5]],
    what="Two weights after each of two AdaGrad steps with slopes [3, -0.01] and rate 1",
    hint="After the first step q = g**2, so g / sqrt(q) is 1 or -1; after the second q = 2 g**2. A "
    "first step of 1/3: the root is missing. A second step of 1: q must keep what it has. "
    "See 'A rate for every weight'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-RMSProp", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import assert_close, probe


def two_steps(kind):
    w, seen = np.array([0.0, 0.0]), []
    optimizer = kind([w], 1.0, 0.75)
    for _ in range(2):
        optimizer.step([np.array([3.0, -0.1])])
        seen.append(w.copy())
    return seen


q = np.array([0.25, 0.4375])
steps = np.cumsum(1 / np.sqrt(q))
assert_close(
    probe(two_steps, RMSProp),
    [[-steps[0], steps[0]], [-steps[1], steps[1]]],
    rtol=1e-5,
    what="Two weights after each of two RMSProp steps with slopes [3, -0.1], rate 1, beta 0.75",
    hint="q becomes 0.25 g**2 and then 0.4375 g**2: beta is the share that is *kept*, 1 - beta the "
    "share of the new square. See 'A rate for every weight'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-AdaGrad-RMSProp-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: several weights, changing slopes and rates, a large epsilon, and slopes of 0.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_close, assert_finite, assert_true, probe

rng = np.random.default_rng(6)
shapes = [(2, 3), (2, 3), (3,), (1,)]
all_slopes = [
    [rng.normal(size=shape) * 10.0**-i for i, shape in enumerate(shapes)] for _ in range(8)
]


def follow(kind, shapes, all_slopes, rates, settings):
    weights = [np.ones(shape) for shape in shapes]
    slopes = [np.zeros(shape) for shape in shapes]
    optimizer, clean = kind(weights, rates[0], **settings), True
    with np.errstate(all="ignore"):
        for now, rate in zip(all_slopes, rates, strict=True):
            for place, g in zip(slopes, now, strict=True):
                place[...] = g  # the network overwrites its slopes
            optimizer.rate = rate
            optimizer.step(slopes)
            clean = clean and all(np.array_equal(a, b) for a, b in zip(slopes, now, strict=True))
    return weights, clean


def expected(all_slopes, rates, beta, eps, i):
    w = np.ones(np.shape(all_slopes[0][i]))
    for t, rate in enumerate(rates):
        squares = [all_slopes[k][i] ** 2 for k in range(t + 1)]
        if beta is None:
            q = sum(squares)
        else:
            q = (1 - beta) * sum(beta ** (t - k) * square for k, square in enumerate(squares))
        w = w - rate * all_slopes[t][i] / (np.sqrt(q) + eps)
    return w


for kind, name, beta in ((AdaGrad, "AdaGrad", None), (RMSProp, "RMSProp", 0.9)):
    for eps in (1e-8, 0.1):
        for rates in ([0.1] * 8, [0.4, 0.4, 0.4, 0.1, 0.1, 0.05, 0.05, 0.01]):
            settings = {"eps": eps} if beta is None else {"beta": beta, "eps": eps}
            got, clean = probe(follow, kind, shapes, all_slopes, rates, settings)
            assert_true(
                clean, what="The slopes are as they were after step", hint="Square a copy of them."
            )
            for i, shape in enumerate(shapes):
                assert_close(
                    got[i],
                    expected(all_slopes, rates, beta, eps, i),
                    what=f"Weight {i} of shape {shape} after 8 steps of {name}, eps={eps}, "
                    f"{'a rate that falls' if rates[0] > 0.1 else 'rate 0.1'}",
                    hint="Each weight has squares of its own, in its own shape. Wrong only where "
                    "the rate falls: step reads self.rate, which was changed. Wrong only with some "
                    "eps or small slopes: eps is added to the root, sqrt(q) + eps, not inside of "
                    "it. See 'A rate for every weight'.",
                )
    settings = {} if beta is None else {"beta": beta}
    still, _ = probe(follow, kind, [(2,)], [[np.array([0.0, 1.0])]] * 3, [0.1] * 3, settings)
    assert_finite(
        still[0],
        what=f"Weights after three steps of {name}, one of them with slopes of 0",
        hint="0 / 0 is nan. The epsilon in the divisor is there to keep it finite.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. What a young mean should have been
#
# A running mean $m \leftarrow \beta m + (1-\beta)\,x$ that starts at 0 is too small at first: after
# $t$ values it holds only the share $1-\beta^t$ of a full mean. Divide by that share, and the first
# mean of a list is its first value. You will need it twice: in Adam, and to smooth a noisy curve.


# %% nbgrader={"grade": false, "grade_id": "corrected_means", "locked": false, "schema_version": 3, "solution": true, "task": false}
def corrected_means(values, beta):
    """Compute the running means of a list, each freed of the bias of having started at 0.

    Parameters
    ----------
    values : list of float, or ndarray, shape (n,)
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

from course_lib.exercises import assert_close

assert_close(
    corrected_means([4.0, 4.0, 1.0], 0.5),
    [4.0, 4.0, 2.0 / 0.875],
    what="corrected_means of [4, 4, 1] with beta 0.5",
    hint="The running means are 2, 3 and 2; the shares that they hold are 0.5, 0.75 and 0.875. "
    "See 'A rate for every weight'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-corrected_means-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: long lists, a mean that hardly forgets, one that forgets at once, and no value at all.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_close, probe

rng = np.random.default_rng(8)


def quietly(corrected_means, values, beta):
    with np.errstate(all="ignore"):
        return corrected_means(values, beta)


for beta in (0.0, 0.5, 0.9, 0.999):
    for n in (1, 2, 40):
        values = rng.normal(size=n) + 3
        shares = np.tril(beta ** np.abs(np.subtract.outer(np.arange(n), np.arange(n))))
        assert_close(
            probe(quietly, corrected_means, values, beta),
            shares @ values / shares.sum(axis=1),
            what=f"corrected_means of {n} value(s) with beta {beta}",
            hint="t counts from 1, and the correction is applied to what is returned: the running "
            "mean itself goes on uncorrected, or it would be corrected twice. "
            "See 'A rate for every weight'.",
        )
assert_close(
    np.reshape(corrected_means([], 0.9), -1),
    np.zeros(0),
    what="corrected_means of an empty list: an array without entries",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. Adam
#
# Put it together: a running mean $m$ of the slopes, a running mean $q$ of their squares, both
# corrected, and a step of $\eta\, \hat m / (\sqrt{\hat q} + \epsilon)$. The correction is for the
# quotient only: $m$ and $q$ themselves go on uncorrected. $t$ counts steps, from 1.


# %% nbgrader={"grade": false, "grade_id": "Adam", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Adam:
    """Momentum, divided by the root of the mean square, both freed of their bias.

    Parameters
    ----------
    weights : list of ndarray
    rate : float
        Kept as the attribute `rate`, which may be changed between steps.
    betas : (float, float)
        The shares that the two running means keep: of the slopes, and of their squares.
    eps : float

    Example
    -------
    >>> w = np.array([0.0, 0.0])
    >>> optimizer = Adam([w], rate=0.1)
    >>> optimizer.step([np.array([3.0, -0.01])])
    >>> w.round(4).tolist()
    [-0.1, 0.1]
    """

    def __init__(self, weights, rate=0.001, betas=(0.9, 0.999), eps=1e-8):
        ### BEGIN SOLUTION
        self.weights, self.rate, self.betas, self.eps = weights, rate, betas, eps
        self.t = 0
        self.means = [np.zeros(w.shape) for w in weights]
        self.squares = [np.zeros(w.shape) for w in weights]
        ### END SOLUTION

    def step(self, slopes):
        """Move the weights once, in place."""
        ### BEGIN SOLUTION
        self.t += 1
        beta1, beta2 = self.betas
        for w, m, q, g in zip(self.weights, self.means, self.squares, slopes, strict=True):
            m *= beta1
            m += (1 - beta1) * g
            q *= beta2
            q += (1 - beta2) * g**2
            mean, square = m / (1 - beta1**self.t), q / (1 - beta2**self.t)
            w -= self.rate * mean / (np.sqrt(square) + self.eps)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-Adam", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import assert_close, probe


def first_step(Adam):
    w = np.array([0.0, 0.0])
    with np.errstate(all="ignore"):
        Adam([w], 0.1).step([np.array([3.0, -0.01])])
    return w


assert_close(
    probe(first_step, Adam),
    [-0.1, 0.1],
    rtol=1e-4,
    what="Two weights after the first step of Adam with slopes [3, -0.01] and rate 0.1",
    hint="The first step has length rate, against the sign of the slope, whatever its size. Steps "
    "of 0.316: the means were not corrected for having started at 0. nan: t must be 1 in the first "
    "step. See 'A rate for every weight'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-Adam-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: a hundred steps with changing slopes, several weights, other betas, a falling rate.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_close, assert_true, probe

rng = np.random.default_rng(10)


def follow(kind, shapes, all_slopes, rates, settings):
    weights = [np.ones(shape) for shape in shapes]
    slopes = [np.zeros(shape) for shape in shapes]
    optimizer, clean = kind(weights, rates[0], **settings), True
    with np.errstate(all="ignore"):
        for now, rate in zip(all_slopes, rates, strict=True):
            for place, g in zip(slopes, now, strict=True):
                place[...] = g  # the network overwrites its slopes
            optimizer.rate = rate
            optimizer.step(slopes)
            clean = clean and all(np.array_equal(a, b) for a, b in zip(slopes, now, strict=True))
    return weights, clean


def expected(all_slopes, rates, betas, i):
    slopes = np.array([now[i] for now in all_slopes])
    steps = len(slopes)
    ages = np.subtract.outer(np.arange(steps), np.arange(steps))
    means = []
    for beta, x in ((betas[0], slopes), (betas[1], slopes**2)):
        shares = np.tril(beta ** np.abs(ages))
        shares = shares / shares.sum(axis=1, keepdims=True)
        means.append(np.tensordot(shares, x, axes=1))
    moves = means[0] / (np.sqrt(means[1]) + 1e-8)
    return 1 - np.tensordot(np.array(rates), moves, axes=1)


for shapes in ([(3,)], [(2, 3), (2, 3), (3,), (1,)]):
    for steps, betas in ((1, (0.9, 0.999)), (100, (0.9, 0.999)), (20, (0.5, 0.8))):
        all_slopes = [
            [rng.normal(size=shape) * 10.0**-i + 0.1 for i, shape in enumerate(shapes)]
            for _ in range(steps)
        ]
        rates = np.linspace(0.1, 0.01, steps)
        got, clean = probe(follow, Adam, shapes, all_slopes, rates, {"betas": betas})
        assert_true(
            clean,
            what="The slopes are as they were after step",
            hint="Compute in arrays of your own.",
        )
        for i, shape in enumerate(shapes):
            assert_close(
                got[i],
                expected(all_slopes, rates, betas, i),
                rtol=1e-5,
                atol=1e-6,
                what=f"Weight {i} of {len(shapes)}, shape {shape}, after {steps} "
                f"step{'s' * (steps > 1)} of Adam with betas {betas} and a rate that falls",
                hint="Right after one step and wrong after many: the corrected means must not be "
                "kept, m and q go on uncorrected, t grows by 1 in each step, and each step reads "
                "self.rate, which is changed in between. Right for one "
                "weight and wrong for several: each weight has an m and a q of its own, and t "
                "counts steps, not weights. See 'A rate for every weight'.",
            )
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-Adam-eps-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: where epsilon stands, and slopes of 0.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_close, assert_finite, probe


def constant(Adam, slope, steps, settings):
    w = np.zeros(len(slope))
    with np.errstate(all="ignore"):
        optimizer = Adam([w], 1.0, **settings)
        for _ in range(steps):
            optimizer.step([np.array(slope)])
    return w


for eps in (1e-3, 1.0):
    assert_close(
        probe(constant, Adam, [3.0, -0.5], 4, {"eps": eps}),
        [-4 * 3 / (3 + eps), 4 * 0.5 / (0.5 + eps)],
        what=f"Two weights after 4 steps of Adam with constant slopes [3, -0.5], rate 1, eps={eps}",
        hint="Under constant slopes the corrected means are g and g**2, in every step, so each step "
        "is g / (|g| + eps). Another value: epsilon is inside of the root, or added before the "
        "correction of q. It belongs outside: sqrt(q_hat) + eps. See 'A rate for every weight'.",
    )
assert_close(
    probe(constant, Adam, [1e-6, -1e-6], 3, {}),
    [-3 / 1.01, 3 / 1.01],
    rtol=1e-4,
    what="Two weights after 3 steps of Adam with tiny slopes [1e-6, -1e-6], rate 1, the usual eps",
    hint="With eps = 1e-8 inside of the root, slopes below 1e-4 hardly count. It belongs outside. "
    "See 'A rate for every weight'.",
)
assert_finite(
    probe(constant, Adam, [0.0, 1.0], 3, {}),
    what="Weights after three steps of Adam, one of them with slopes of 0",
    hint="0 / 0 is nan: epsilon in the divisor keeps it finite.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 7. Shrinking the weights
#
# Two ways to keep weights small, which are the same for plain descent and not for Adam. *Weight
# decay* multiplies them by $1 - \eta\lambda$ before a step. An *L2 penalty* adds $\lambda w$ to the
# slopes. Both spare the biases. In the list of a network's weights, these are the arrays with fewer
# than two axes.


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
def penalized(weights, slopes, strength):
    """Add the slopes of an L2 penalty, strength / 2 times the sum of all squared matrix entries.

    Parameters
    ----------
    weights, slopes : list of ndarray
        Both stay as they are.
    strength : float

    Returns
    -------
    list of ndarray
        New slopes. Those of biases are as before, and may be the same arrays.

    Example
    -------
    >>> W, b = np.array([[4.0]]), np.array([4.0])
    >>> [g.tolist() for g in penalized([W, b], [np.array([[1.0]]), np.array([1.0])], 0.5)]
    [[[3.0]], [1.0]]
    """
    ### BEGIN SOLUTION
    return [
        g + strength * w if w.ndim >= 2 else g.copy() for w, g in zip(weights, slopes, strict=True)
    ]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-decay", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import assert_close, probe


def shrunk(decay):
    W, b = np.full((2, 2), 4.0), np.full(2, 4.0)
    decay([W, b], 0.1, 0.5)
    return W, b


W, b = probe(shrunk, decay)
assert_close(
    W,
    np.full((2, 2), 3.8),
    what="A matrix of fours after decay with rate 0.1 and strength 0.5",
    hint="The factor is 1 - rate * strength = 0.95, and the array changes in place. "
    "See 'Shrinking the weights'.",
)
assert_close(
    b,
    [4.0, 4.0],
    what="A bias of fours after decay",
    hint="Biases are spared: only arrays with two axes or more shrink. See 'Shrinking the weights'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-penalized", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import assert_close, probe


def with_penalty(penalized):
    weights, slopes = [np.full((2, 2), 4.0), np.full(2, 4.0)], [np.ones((2, 2)), np.ones(2)]
    return list(penalized(weights, slopes, 0.5))


matrix, bias = probe(with_penalty, penalized)
assert_close(
    matrix,
    np.full((2, 2), 3.0),
    what="The penalized slopes of a matrix of fours, with slopes of 1 and strength 0.5",
    hint="1 + 0.5 * 4 = 3: the slope of strength / 2 * w**2 is strength * w. The 2 of the square "
    "and the half cancel. See 'Shrinking the weights'.",
)
assert_close(
    bias,
    [1.0, 1.0],
    what="The penalized slopes of a bias of fours, with slopes of 1",
    hint="Biases have no penalty: their slopes are as before. See 'Shrinking the weights'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-decay-penalized-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: more axes, what must stay as it was, and that both ways agree for plain descent.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_close, assert_equal, probe

rng = np.random.default_rng(12)
shapes = [(2, 3), (3,), (1, 4), (2, 1, 3), (), (1,)]
start = [rng.normal(size=shape) for shape in shapes]
pushes = [rng.normal(size=shape) for shape in shapes]


def tried(decay, penalized, start, pushes):
    weights = [w.copy() for w in start]
    decay(weights, 0.25, 0.2)
    kept, slopes = [w.copy() for w in start], [g.copy() for g in pushes]
    new = penalized(kept, slopes, 0.2)
    clean = all(
        np.array_equal(a, b) for a, b in zip([*kept, *slopes], [*start, *pushes], strict=True)
    )
    return weights, list(new), clean


shrunk, new, clean = probe(tried, decay, penalized, start, pushes)
for w, before, g, push, shape in zip(shrunk, start, new, pushes, shapes, strict=True):
    matrix = len(shape) >= 2
    assert_close(
        w,
        before * (0.95 if matrix else 1),
        what=f"A weight of shape {shape} after decay with rate 0.25 and strength 0.2",
        hint="Two axes or more: shrunk by 1 - 0.25 * 0.2. Fewer: spared. "
        "See 'Shrinking the weights'.",
    )
    assert_close(
        g,
        push + (0.2 * before if matrix else 0),
        what=f"The penalized slopes of a weight of shape {shape}, strength 0.2",
        hint="The slope of strength / 2 * w**2 is strength * w: the 2 of the square and the half "
        "cancel. Biases have no penalty. No rate belongs here: the step multiplies by it. "
        "See 'Shrinking the weights'.",
    )
    # What decay and a plain step do, the penalty does in one.
    assert_close(
        w - 0.25 * push,
        before - 0.25 * g,
        what=f"Decay before a plain step, and a plain step with the penalty, shape {shape}",
        hint="For plain descent the two ways are the same. See 'Shrinking the weights'.",
    )
assert_equal(
    clean,
    True,
    what="Whether weights and slopes are as they were after penalized",
    hint="penalized returns new arrays: g + ..., not g += ...",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 8. A finder for the learning rate
#
# Raise the rate from step to step, from much too small to much too large, in a run that you throw
# away, and look at the loss. It falls, turns, and explodes. A good rate is well before the turn: this
# finder takes a tenth of the rate at which the *smoothed* loss is lowest. Single losses are noisy, so
# smooth with `corrected_means`. And stop at the explosion: what comes behind it means nothing.


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
        From small to large.
    beta : float
        For the smoothing, with corrected_means.
    explosion : float
        The run ends at the first loss that is not a finite number, or is larger than `explosion`
        times the smallest loss so far. This loss is not counted.

    Returns
    -------
    float
        A tenth of the rate whose smoothed loss is the lowest.

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

from course_lib.exercises import assert_close, given, probe


def lent_means(values, beta):
    means, m = [], 0.0
    for t, x in enumerate(values, start=1):
        m = beta * m + (1 - beta) * x
        means.append(m / (1 - beta**t))
    return np.array(means)


def found(find_rate, losses, rates, settings):
    coming = iter(losses)
    with np.errstate(all="ignore"):
        return float(find_rate(lambda rate: next(coming), np.array(rates), **settings))


with given(corrected_means=lent_means):
    got = probe(found, find_rate, [2.0, 1.0, 0.5, 9.0], [0.1, 1.0, 10.0, 100.0], {})
assert_close(
    got,
    1.0,
    what="find_rate for the rates 0.1, 1, 10, 100, whose losses are 2, 1, 0.5, 9",
    hint="9 is more than 4 times 0.5, so the run ends there without counting it. Of the first "
    "three, the smoothed loss is lowest at 10, and the answer is a tenth of it. See 'The race' for "
    "why a rate is looked for at all.",
)

# %% nbgrader={"grade": true, "grade_id": "test-find_rate-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: losses that are nan or infinite, noise, how often try_rate is called, and with what.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_close, assert_equal, given, probe


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

    with np.errstate(all="ignore"):
        return float(find_rate(try_rate, np.array(rates), **settings)), called


nan, inf = float("nan"), float("inf")
rates = [10.0**k for k in range(-4, 3)]
cases = {
    "losses that end in nan": ([2.0, 1.9, 1.0, nan, nan, nan, nan], {}, 2, 4),
    "losses that end in infinity": ([2.0, 1.9, 1.8, 1.0, inf, inf, inf], {}, 3, 5),
    "losses that explode and come back": ([2.0, 1.9, 1.8, 20.0, 0.1, 0.1, 0.1], {}, 2, 4),
    "losses that never explode": ([7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0], {}, 6, 7),
    "losses that climb by less than four times a step": ([1.0, 2.0, 3.5, 6.0, 0.1, 0.1, 0.1], {}, 0, 4),
    "one lucky loss among noise": ([5.0, 1.5, 4.0, 3.0, 2.6, 2.4, 2.4], {"beta": 0.9}, 6, 7),
    "a smaller limit for the explosion": ([2.0, 1.0, 1.6, 0.2, 0.2, 0.2, 0.2], {"explosion": 1.5}, 1, 3),
    "a loss of exactly four times the smallest": ([1.0, 4.0, 0.1, 0.1, 0.1, 0.1, 0.1], {}, 6, 7),
}  # fmt: skip
with given(corrected_means=lent_means):
    for name, (losses, settings, place, calls) in cases.items():
        got, called = probe(found, find_rate, losses, rates, settings)
        assert_close(
            called,
            rates[:calls],
            what=f"The rates that find_rate tried, for {name} ({losses})",
            hint="One call for each rate, in order, and none after the explosion: a network whose "
            "weights are nan has nothing more to tell. A loss is compared with the smallest of *all* "
            "before it, not of the first, nor with the one before it, and the limit is the argument "
            "`explosion`. See 'A step downhill' for what an explosion looks like.",
        )
        assert_close(
            got,
            rates[place] / 10,
            what=f"find_rate for {name} ({losses})",
            hint="A tenth of the rate with the lowest *smoothed* loss: corrected_means of the losses "
            "before the explosion, with the argument `beta`, np.argmin of them, that rate, divided "
            "by 10. The loss of the explosion itself is not among them. "
            "See 'A rate for every weight' for the means.",
        )
assert_equal(len(called), 7, what="How often try_rate was called in the last case")
### END HIDDEN TESTS

# %% [markdown]
# ## Step 9. Three optimizers learn to read
#
# Everything is there. A network with 64 inputs, 32 hidden units and ten outputs reads digits. For
# each of three optimizers, your finder looks for the rate in a run of its own, and then the training
# starts from the same weights, with the same batches and your weight decay. Nothing is left to
# write: run, and look.


# %% nbgrader={"grade": false, "grade_id": "digits", "locked": true, "schema_version": 3, "solution": false, "task": false}
def digits(seed=0):
    """Return 1,400 digits to train on and 397 to test, each as images (n, 64) and classes (n,)."""
    pixels, labels = load_digits()
    order = np.random.default_rng(seed).permutation(len(labels))
    X, y = pixels[order], labels[order]
    return (X[:1400], y[:1400]), (X[1400:], y[1400:])


def new_network(seed=0):
    """Return a network with random weights, and the list of its arrays."""
    rng = np.random.default_rng(seed)
    network = Sequential(Linear(64, 32, rng=rng), ReLU(), Linear(32, 10, rng=rng))
    return network, [p.data for p in network.parameters()]


def slopes_of(network, X, y):
    """Return the loss on a batch, and the slopes in all weights."""
    network.zero_grad()
    loss = cross_entropy(network(X), y)
    loss.backward()
    return loss.item(), [p.grad for p in network.parameters()]


class Plain:
    """Your descend, in the dress of the other optimizers."""

    def __init__(self, weights, rate):
        self.weights, self.rate = weights, rate

    def step(self, slopes):
        """Move the weights once."""
        descend(self.weights, slopes, self.rate)


def search(kind, X, y, rates, batch=50):
    """Let your finder look for a rate. Returns it, and all losses that it saw."""
    network, weights = new_network()
    optimizer, rng, losses = kind(weights, rates[0]), np.random.default_rng(1), []

    def try_rate(rate):
        rows = rng.choice(len(y), batch)
        loss, slopes = slopes_of(network, X[rows], y[rows])
        losses.append(loss)
        optimizer.rate = rate
        optimizer.step(slopes)
        return loss

    with np.errstate(all="ignore"):
        return find_rate(try_rate, rates), losses


def train(kind, rate, X, y, epochs=12, batch=50, strength=1e-3):
    """Train with one of your optimizers. Returns the network and the loss of each step."""
    network, weights = new_network()
    optimizer, rng, losses = kind(weights, rate), np.random.default_rng(2), []
    for _ in range(epochs):
        for rows in rng.permutation(len(y)).reshape(-1, batch):
            loss, slopes = slopes_of(network, X[rows], y[rows])
            decay(weights, rate, strength)
            optimizer.step(slopes)
            losses.append(loss)
    return network, losses


# %%
(X, y), (X_test, y_test) = digits()
rates = np.geomspace(1e-5, 30, 150)
searches, runs = {}, {}
for name, kind in {"plain descent": Plain, "Momentum": Momentum, "Adam": Adam}.items():
    rate, seen = search(kind, X, y, rates)
    network, losses = train(kind, rate, X, y)
    searches[name], runs[name] = (rate, seen), losses
    right = np.mean(network(X_test).data.argmax(axis=1) == y_test)
    print(f"{name:13} finds the rate {rate:.4f} and reads {right:.1%} of digits it has never seen")

# %% [markdown]
# On the left, the searches: the loss of each step while the rate is raised, and the rate that your
# finder chose. On the right, the trainings with these rates.


# %%
@styled
def compare(rates, searches, runs):
    """Draw the three searches with the rates that were found, and the three trainings."""
    figure, (left, right) = new_figure(1, 2, width=7.5, height=3.4)
    for color, style, name in zip(COLORS, LINE_STYLES, runs, strict=False):
        rate, seen = searches[name]
        left.plot(rates[: len(seen)], seen, color=color, linestyle=style, linewidth=1.2)
        left.axvline(rate, color=color, linestyle=style, linewidth=1)
        smooth = np.convolve(runs[name], np.ones(14) / 14, mode="valid")
        right.plot(smooth, color=color, linestyle=style, label=name)
    left.set(xscale="log", xlabel="learning rate", ylabel="loss", title="Your finder at work")
    left.set_ylim(0, 5)
    right.set(yscale="log", xlabel="step", ylabel="loss", title="Your optimizers at work")
    right.legend()
    return figure


compare(rates, searches, runs)

# %% [markdown]
# **What you see.** Three valleys in three different places, and in each the rate that your finder
# chose, well before the turn. Then three curves that come down, all of them on your own lines. Adam's
# rate is less than a tenth of that of plain descent, and it is no slower for it: its steps have
# another length. Plain descent comes last. Is it the slowest of the three? Add a cell, run
# `train(Plain, 1.0, X, y)`, and compare its last losses with the picture before you say so.
#
# ## Step 10. Who has won?
#
# *4 points, read by a person. About 150 words.*
#
# A colleague has invented an optimizer, Zoom, and reports: "I trained a network with Adam and with
# Zoom, both at a rate of 0.1, for three epochs, from the same random start. To be sure of the
# comparison I had tried rates from 0.001 to 10 for Zoom before, and 0.1 gave the best accuracy on the
# test set. Zoom reaches 94.1 percent there, Adam 92.7, so Zoom is the better optimizer."
#
# 1. Why is one rate for both not a fair comparison, although it looks like one?
# 2. What is wrong with how the rate 0.1 was chosen, apart from question 1?
# 3. The test set has 397 images. What do you make of the difference of 1.4 points after one run each?
# 4. Describe the comparison that you would run instead, in three or four sentences.

# %% [markdown] nbgrader={"grade": true, "grade_id": "who-has-won", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# 1. A rate means something different for each optimizer: it multiplies a slope in plain descent and
#    a nearly constant length in Adam. Their valleys of good rates lie in different places, and 0.1 is
#    a hundred times Adam's default and three times the best rate that the chapter found for it. The
#    comparison shows that Zoom likes 0.1.
# 2. The rate was chosen by the test set, so the accuracy of Zoom on that set is the best of several
#    tries and is too high. The test set has become a validation set. (And all the trials went to one
#    side.)
# 3. 1.4 points are five or six images. Another random start or another order of the batches changes
#    the result by as much (in the chapter, five runs of one optimizer differ by one to nearly seven
#    points). One run each says nothing.
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
# 3. **Too small for one run**: with a size: about five images, or a standard error of about 1.2
#    points, or the spread between seeds. (0.5 for "could be chance" without any size.)
# 4. **A fair design** with at least three of: equal tuning effort; validation data for the choice;
#    several fresh seeds with their spread; enough epochs; the test set once. (0.5 for two of them.)
# === END MARK SCHEME ===
