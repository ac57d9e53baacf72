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
# # Reinforcement learning: a depot without a map, and a pole
#
# - **Time:** 110 minutes. **Difficulty:** 3 of 5. **Points:** 36, of which a person gives 4.
# - **Needs:** the chapter *Reinforcement learning*, NumPy arrays, PyTorch's tensors and their gradients.
#
# A delivery robot is new in a depot with holes in the floor, and it has no map. You will write what it takes
# to learn from reward: what a step was worth in hindsight, when to try something else, what to learn from a
# single step, and how to judge the result exactly. Your agent learns the depot, once boldly and once with
# care. Then you will write the same for networks, and your loss teaches one to balance a pole.
#
# **What is special here**
#
# - Steps 1 to 4 are NumPy, steps 5 and 6 PyTorch. Tensors may be on a graphics card: make new ones on the
#   device of those you are given.
# - `terminated` means that there is nothing more to earn. `truncated` means that somebody stopped
#   watching.
# - States and actions are numbered from 0. `Q` has a row per state and a column per action.
#
# What holds in every exercise (how to check, what the tests look at, what counts) is on the page *How
# exercises work* in the appendix.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import gymnasium as gym
import numpy as np
import torch
from torch import nn

from course_lib import get_device, seed_everything
from course_lib.data import gridworlds
from course_lib.models.policy import network
from course_lib.plotting import reinforcement as figures

device = get_device()

# %% [markdown]
# ## Step 1. What a step was worth in hindsight
#
# An episode is over and its rewards are known. The return from step $t$ is its reward, plus $\gamma$ times
# the return from step $t + 1$. What follows the last reward depends on the ending: nothing, if the episode
# terminated, and, if it was truncated, an estimate of the worth of the state that it stopped in. The function
# is given that number as `value_after`.
#
# Episodes can be thousands of steps long.


# %% nbgrader={"grade": false, "grade_id": "returns", "locked": false, "schema_version": 3, "solution": true, "task": false}
def returns(rewards, gamma, value_after=0.0):
    """Compute the discounted return from each step of an episode on.

    Parameters
    ----------
    rewards : array_like, shape (n,)
        At least one.
    gamma : float
        Discount, from 0 to 1, both included.
    value_after : float
        Worth of the state after the last step; it counts one step later than the last reward.

    Returns
    -------
    ndarray, shape (n,)

    Raises
    ------
    ValueError
        If gamma does not lie in 0 ... 1.

    Example
    -------
    >>> returns([1, 2, 4], gamma=0.5).tolist()
    [3.0, 4.0, 4.0]
    >>> returns([1, 2, 4], gamma=0.5, value_after=8.0).tolist()
    [4.0, 6.0, 8.0]
    """
    ### BEGIN SOLUTION
    if not 0 <= gamma <= 1:
        raise ValueError(f"gamma must lie in 0 ... 1; came {gamma}")
    rewards = np.asarray(rewards, dtype=float)
    result = np.empty(len(rewards))
    later = value_after
    for t in reversed(range(len(rewards))):
        later = rewards[t] + gamma * later
        result[t] = later
    return result
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-returns", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    returns,
    {"rewards": np.array([0.0, 8.0, 2.0]), "gamma": 0.5},
    np.array([4.5, 9.0, 2.0]),
    hint="From the end: 2, then 8 + 0.5 * 2 = 9, then 0 + 0.5 * 9. A first entry of 0 or 10: the sum runs "
    "from the start, or nothing is discounted. See 'What to earn, and when'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-returns-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: many rewards, both ends of gamma, truncated episodes, long ones, kinds of numbers, refusals.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_keyword, check_kinds, check_raises

rng = np.random.default_rng(1)


def expected(rewards, gamma, value_after=0.0):
    n = len(rewards)
    return np.array(
        [
            sum(gamma ** (k - t) * rewards[k] for k in range(t, n)) + gamma ** (n - t) * value_after
            for t in range(n)
        ]
    )


check_kinds(
    returns,
    {"rewards": np.array([3.0, 0.0, -2.0, 5.0]), "gamma": 0.5},
    expected([3, 0, -2, 5], 0.5),
    hint="Each return is a reward plus gamma times the return after it. See 'What to earn, and when'.",
)
rewards = rng.normal(size=12)
check_keyword(
    returns,
    {"rewards": rewards},
    "gamma",
    [(gamma, expected(rewards, gamma)) for gamma in (0.0, 0.7, 1.0)],
    hint="At gamma = 0 only the reward itself counts, at 1 all that follow count fully. "
    "See 'What to earn, and when'.",
)
check_keyword(
    returns,
    {"rewards": rewards, "gamma": 0.8},
    "value_after",
    [(value, expected(rewards, 0.8, value)) for value in (0.0, 10.0, -25.0)],
    hint="The worth of the state after the last step comes one step after the last reward: it is "
    "discounted once for the last step, twice for the one before. See 'Learning without the map'.",
)
check(
    returns,
    {"rewards": [2.5], "gamma": 0.5, "value_after": 4.0},
    np.array([4.5]),
    hint="One step: its reward, and gamma times what the state after it is worth.",
)
long = rng.normal(size=5000)
wanted, later = np.empty(5000), 0.0
for t in range(4999, -1, -1):
    later = long[t] + 0.6 * later
    wanted[t] = later
check(
    returns,
    {"rewards": long, "gamma": 0.6},
    wanted,
    what="The returns of an episode of 5000 steps, gamma = 0.6",
    hint="Go through the episode once, from its end. Powers of gamma underflow to 0 in long episodes, "
    "and a function that calls itself gets too deep.",
)
for gamma in (-0.1, 1.5):
    check_raises(ValueError, returns, {"rewards": np.ones(3), "gamma": gamma})
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. Sometimes something else
#
# The ε-greedy rule of the chapter, as probabilities: with probability ε any of the actions, all equally
# likely; otherwise one of the best. Where several actions have exactly the largest value, they share equally:
# otherwise the robot would always turn the same way in a depot about which it knows nothing.


# %% nbgrader={"grade": false, "grade_id": "epsilon_greedy", "locked": false, "schema_version": 3, "solution": true, "task": false}
def epsilon_greedy(Q, epsilon):
    """Compute with which probability each action is chosen in each state.

    Parameters
    ----------
    Q : array_like, shape (S, A)
        Worth of each action in each state.
    epsilon : float
        From 0 to 1.

    Returns
    -------
    ndarray, shape (S, A)
        Each row adds up to 1.

    Example
    -------
    >>> epsilon_greedy([[0, 5, 1, 2], [7, 7, 0, 0]], epsilon=0.2).round(3).tolist()
    [[0.05, 0.85, 0.05, 0.05], [0.45, 0.45, 0.05, 0.05]]
    """
    ### BEGIN SOLUTION
    Q = np.asarray(Q)
    best = Q.max(axis=1, keepdims=True) == Q
    return epsilon / Q.shape[1] + (1 - epsilon) * best / best.sum(axis=1, keepdims=True)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-epsilon_greedy", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    epsilon_greedy,
    {"Q": np.array([[1.0, 3.0], [4.0, -2.0]]), "epsilon": 0.5},
    np.array([[0.25, 0.75], [0.75, 0.25]]),
    hint="Whoever explores takes any action, the best one included: 0.5 + 0.5 / 2. See 'Ten levers'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-epsilon_greedy-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: more states and actions, ties, both ends of epsilon, kinds of numbers.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_keyword, check_kinds

rng = np.random.default_rng(2)


def expected(Q, epsilon):
    rows = []
    for row in np.asarray(Q, dtype=float):
        best = [a for a in range(len(row)) if row[a] == row.max()]
        rows.append(
            [epsilon / len(row) + (1 - epsilon) / len(best) * (a in best) for a in range(len(row))]
        )
    return np.array(rows)


Q = rng.normal(size=(6, 4))
check_keyword(
    epsilon_greedy,
    {"Q": Q},
    "epsilon",
    [(epsilon, expected(Q, epsilon)) for epsilon in (0.0, 0.3, 1.0)],
    hint="epsilon is shared by all A actions of a state, the rest goes to its best one: the largest "
    "along its row. See 'Ten levers'.",
)
tied = np.array([[2.0, 5.0, 5.0], [0.0, 0.0, 0.0], [-1.0, -3.0, -1.0], [4.0, 1.0, 0.0]])
check_kinds(
    epsilon_greedy,
    {"Q": tied, "epsilon": 0.3},
    expected(tied, 0.3),
    hint="Actions with exactly the largest value share what is left of 1 after exploring. "
    "argmax knows only the first of them.",
)
check(
    epsilon_greedy,
    {"Q": np.array([[1.0, 1.0 - 1e-12, 0.0]]), "epsilon": 0.0},
    np.array([[1.0, 0.0, 0.0]]),
    hint="Nearly the largest is not the largest: a tie is exact.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. What a policy is worth, exactly
#
# Before we let anything learn, we want to judge it without playing a single episode. When the world is
# known, this is possible. The Bellman equation of the chapter asks for the best action; the worth of a
# *given* policy $\pi$ follows from nearly the same equation, with the mean over its actions in place of
# the maximum:
#
# $$V(s) = \sum_a \pi(a \mid s) \sum_{s'} P(s' \mid s, a)\,\bigl(R(s, a, s') + \gamma\,V(s')\bigr).$$
#
# Repeat it until nothing changes, or solve it: there are as many linear equations as states. The result must
# be right to six digits. States where an episode ends are part of the arrays: they lead to themselves and
# earn 0.


# %% nbgrader={"grade": false, "grade_id": "worth", "locked": false, "schema_version": 3, "solution": true, "task": false}
def worth(P, R, policy, gamma):
    """Compute the worth of each state for somebody who follows a policy.

    Parameters
    ----------
    P : ndarray, shape (S, A, S)
        ``P[s, a, t]`` is the chance that action a in state s leads to state t.
    R : ndarray, shape (S, A, S)
        The reward of that.
    policy : ndarray, shape (S, A)
        The probability of each action in each state; each row adds up to 1.
    gamma : float
        From 0 to 0.99.

    Returns
    -------
    ndarray, shape (S,)

    Example
    -------
    >>> P = np.zeros((2, 2, 2)); P[0, 0, 0] = P[0, 1, 1] = P[1, :, 1] = 1  # stay, or go to the end
    >>> R = np.zeros((2, 2, 2)); R[0, 1, 1] = 3.0
    >>> worth(P, R, np.array([[0.5, 0.5], [0.5, 0.5]]), gamma=0.5).round(6).tolist()
    [2.0, 0.0]
    """
    ### BEGIN SOLUTION
    moves = (policy[:, :, None] * P).sum(axis=1)
    earned = (policy[:, :, None] * P * R).sum(axis=(1, 2))
    return np.linalg.solve(np.eye(len(P)) - gamma * moves, earned)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-worth", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

P = np.zeros((3, 2, 3))
P[0, 0, 1] = P[0, 1, 2] = P[1, :, 2] = P[2, :, 2] = 1.0
R = np.zeros((3, 2, 3))
R[0, 0, 1], R[0, 1, 2], R[1, 0, 2], R[1, 1, 2] = 1.0, 3.0, 4.0, 8.0
check(
    worth,
    {"P": P, "R": R, "policy": np.array([[0.75, 0.25], [0.5, 0.5], [0.5, 0.5]]), "gamma": 0.5},
    np.array([0.75 * (1 + 0.5 * 6) + 0.25 * 3, 6.0, 0.0]),
    hint="State 1 earns 4 or 8, equally often: 6. State 0 goes there in three of four cases. 8 instead of 6: "
    "the best action, and not what this policy does. See 'What a state is worth'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-worth-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: worlds with chance, long horizons, rewards that depend on where one lands, other policies.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.data import gridworlds
from course_lib.exercises import check, check_keyword

rng = np.random.default_rng(3)


def expected(P, R, policy, gamma):
    V = np.zeros(len(P))
    for _ in range(4000):
        V = np.einsum("sa,sat,sat->s", policy, P, R + gamma * V)
    return V


P = rng.dirichlet(np.full(5, 0.4), size=(5, 3))
R = rng.normal(size=(5, 3, 5))
policy = rng.dirichlet(np.ones(3), size=5)
check_keyword(
    worth,
    {"P": P, "R": R, "policy": policy},
    "gamma",
    [(gamma, expected(P, R, policy, gamma)) for gamma in (0.0, 0.5, 0.95)],
    rtol=1e-5,
    atol=1e-6,
    hint="Mean over the actions (by policy) and over where they lead (by P) of R + gamma V there. The "
    "reward depends on all three. See 'What a state is worth'.",
)
check(
    worth,
    {"P": P, "R": R, "policy": policy, "gamma": 0.99},
    expected(P, R, policy, 0.99),
    rtol=1e-5,
    atol=1e-6,
    what="The worth of a policy at gamma = 0.99",
    hint="Each round shrinks the error by a factor of 0.99 only: a hundred rounds leave a third of it. "
    "Go on until nothing changes, or solve the equations. See 'What a state is worth'.",
)
other = np.eye(3)[[0, 2, 1, 1, 0]]
check(
    worth,
    {"P": P, "R": R, "policy": other, "gamma": 0.9},
    expected(P, R, other, 0.9),
    rtol=1e-5,
    atol=1e-6,
    hint="A policy that is sure of its actions has rows of zeros and a one, and its worth follows "
    "from these actions alone, whether or not they are the best.",
)
ice = gridworlds.load("ice")
anything = np.full((35, 4), 0.25)
check(
    worth,
    {"P": ice.P, "R": ice.R, "policy": anything, "gamma": 0.95},
    expected(ice.P, ice.R, anything, 0.95),
    rtol=1e-5,
    atol=1e-6,
    what="The worth of the squares of the frozen lake for somebody who moves at random",
    hint="Ends lead to themselves and earn 0: they are worth 0 without a special case.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. What one step teaches
#
# One entry of the table moves toward the target, by the rate times the *temporal-difference error* (the
# target minus what stood there). With `then` the function also does what neither of the chapter's agents
# does. SARSA drew its next move, and its targets inherit the luck of the draw. If the probabilities of the
# next moves are known, their mean can stand in for the draw:
#
# - `then` is None: the largest $Q$ of the next state counts, as in Q-learning.
# - `then` is an array of shape (A,): the mean of the next state's $Q$ under these probabilities counts. That
#   is *expected SARSA*.
#
# Look at the two kinds of ending: which of them has a future?


# %% nbgrader={"grade": false, "grade_id": "learn_step", "locked": false, "schema_version": 3, "solution": true, "task": false}
def learn_step(Q, step, rate, gamma, then=None):
    """Learn from one step: change one entry of Q, in place.

    Parameters
    ----------
    Q : ndarray of float, shape (S, A)
        The table.
    step : tuple of (s, a, reward, after, terminated, truncated)
        State, action, reward, next state, and two bools.
    rate : float
        Share of the way to the target.
    gamma : float
        Discount.
    then : ndarray, shape (A,), optional
        Probabilities of the actions in the next state; without them, the best action counts.

    Returns
    -------
    float
        The temporal-difference error, from before the change.

    Example
    -------
    >>> Q = np.array([[0.0, 1.0], [4.0, 2.0]])
    >>> learn_step(Q, (0, 1, 3.0, 1, False, False), rate=0.5, gamma=0.5)  # 3 + 0.5 * 4 - 1
    4.0
    >>> Q.tolist()
    [[0.0, 3.0], [4.0, 2.0]]
    """
    ### BEGIN SOLUTION
    s, a, reward, after, terminated, _ = step
    future = Q[after].max() if then is None else float(np.dot(then, Q[after]))
    error = reward + (0.0 if terminated else gamma * future) - Q[s, a]
    Q[s, a] += rate * error
    return float(error)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-learn_step", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    learn_step,
    {
        "Q": np.array([[1.0, 2.0], [8.0, 4.0], [0.0, 0.0]]),
        "step": (0, 0, 1.0, 1, False, False),
        "rate": 0.5,
        "gamma": 0.25,
    },
    2.0,
    changes={"Q": np.array([[2.0, 2.0], [8.0, 4.0], [0.0, 0.0]])},
    hint="Target 1 + 0.25 * 8 = 3, error 3 - 1 = 2, and the entry moves half of it. Only Q[0, 0] changes. "
    "See 'Learning without the map'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-learn_step-hidden", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Hidden: many steps, both endings, probabilities, rates and discounts, steps that stay in place.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_close, call, check, probe

rng = np.random.default_rng(4)


def expected(Q, step, rate, gamma, then=None):
    s, a, reward, after, terminated, _ = step
    next_ = (
        max(Q[after]) if then is None else sum(p * q for p, q in zip(then, Q[after], strict=True))
    )
    error = reward + gamma * next_ * (not terminated) - Q[s, a]
    changed = Q.copy()
    changed[s, a] += rate * error
    return error, changed


def tried(step, then, hint, rate=0.3, gamma=0.9, low=-3.0):
    Q = rng.uniform(low, low + 4.0, size=(5, 3))
    error, changed = expected(Q, step, rate, gamma, then)
    args = {"Q": Q, "step": step, "rate": rate, "gamma": gamma}
    if then is not None:
        args["then"] = then
    ending = "terminated" if step[4] else "truncated" if step[5] else "it goes on"
    way = "Q-learning" if then is None else "expected SARSA"
    check(
        learn_step,
        args,
        error,
        changes={"Q": changed},
        what=f"The error of learn_step ({way}; {ending}; rate {rate}, gamma {gamma})",
        hint=hint,
    )


for k in range(4):
    going = (k, k % 3, float(k - 1), 4 - k, False, False)
    tried(
        going,
        None,
        "reward + gamma * (largest Q of the next state) - Q[s, a]. See 'Learning without the map'.",
        rate=(0.1, 0.5, 1.0, 0.3)[k],
        gamma=(0.9, 0.5, 1.0, 0.0)[k],
    )
ended = (1, 2, -1.0, 3, True, False)
tried(
    ended,
    None,
    "Nothing follows an end: the target is the reward alone, whatever the table holds for the next "
    "state. See 'Learning without the map'.",
)
cut = (2, 0, 0.5, 4, False, True)
tried(
    cut,
    None,
    "Truncated is not terminated: somebody stopped watching, and the state is worth what it is worth. "
    "See 'Learning without the map'.",
)
both = (0, 1, 2.0, 2, True, True)
tried(both, None, "An end in the very last step that is watched is an end: nothing follows.")
then = np.array([0.1, 0.7, 0.2])
for step in (
    (3, 1, 1.0, 0, False, False),
    (0, 0, -1.0, 1, True, False),
    (4, 2, 0.0, 2, False, True),
):
    tried(
        step,
        then,
        "With probabilities, the mean of the next state's Q under them takes the place of the largest; "
        "ends are the same. See 'Along the edge'.",
    )
tried(
    (1, 1, 1.0, 1, False, False),
    None,
    "A step that stays in place: the target is computed from the table as it was before.",
    low=1.0,
)
sure = np.array([0.0, 0.0, 1.0])
tried(
    (0, 0, 1.0, 3, False, False), sure, "then names the action that follows; here surely the last."
)


def twice(learn_step):
    Q = np.array([[0.0, 0.0], [10.0, 2.0]])
    errors = [
        call(learn_step, {"Q": Q, "step": step, "rate": 0.5, "gamma": 0.5}, changes=["Q"])
        for step in ((0, 0, 1.0, 1, False, False), (0, 0, 1.0, 1, False, False))
    ]
    return errors, Q


got = probe(twice, learn_step)
assert_close(
    got[0],
    [6.0, 3.0],
    what="The errors of the same step, learned twice at rate 0.5",
    hint="The error before the change. After half of the way, half of it is left.",
)
assert_close(got[1], [[4.5, 0.0], [10.0, 2.0]], what="Q after the same step, learned twice")
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. Targets for a network
#
# The chapter's network claimed that a start is worth more than anything can be. One cause is the maximum: the
# largest of several noisy numbers is too large on average, even if each of them is right on average. *Double*
# Q-learning divides the work. The network that learns names the best action of the next state, and the target
# network says what that action is worth.
#
# The targets are answers: no gradient may lead back from them into either network. The endings hold one more
# trap. What `after` holds for a terminated step means nothing, and it may be nan. None of it may reach the
# target.


# %% nbgrader={"grade": false, "grade_id": "double_targets", "locked": false, "schema_version": 3, "solution": true, "task": false}
def double_targets(q, target, rewards, after, terminated, gamma):
    """Compute the targets of a batch of steps for a deep Q-network.

    Parameters
    ----------
    q, target : nn.Module
        ``q(states)`` gives a tensor of shape (n, A): the network that learns, and its older copy.
    rewards : Tensor, shape (n,)
    after : Tensor, shape (n, d)
        Next states; anything, also nan, where the step terminated.
    terminated : Tensor of bool, shape (n,)
    gamma : float

    Returns
    -------
    Tensor, shape (n,)
        Without gradient.

    Example
    -------
    >>> q, target = nn.Linear(1, 2), nn.Linear(1, 2)
    >>> with torch.no_grad():
    ...     for model, bias in ((q, [1.0, 2.0]), (target, [30.0, 20.0])):
    ...         _ = model.weight.zero_(), model.bias.copy_(torch.tensor(bias))
    >>> after, ends = torch.zeros(2, 1), torch.tensor([False, True])
    >>> double_targets(q, target, torch.tensor([1.0, 1.0]), after, ends, gamma=0.5).tolist()
    [11.0, 1.0]
    """
    ### BEGIN SOLUTION
    with torch.no_grad():
        best = q(after).argmax(dim=1, keepdim=True)
        future = target(after).gather(1, best)[:, 0]
        return rewards + gamma * torch.where(terminated, torch.zeros_like(future), future)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-double_targets", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch
from torch import nn

from course_lib import get_device
from course_lib.exercises import check


def constant(*values):
    model = nn.Linear(1, len(values)).to(get_device())
    with torch.no_grad():
        model.weight.zero_()
        model.bias.copy_(torch.tensor(values))
    return model


check(
    double_targets,
    {
        "q": constant(1.0, 3.0),
        "target": constant(8.0, 4.0),
        "rewards": torch.tensor([1.0, 1.0], device=get_device()),
        "after": torch.zeros(2, 1, device=get_device()),
        "terminated": torch.tensor([False, True], device=get_device()),
        "gamma": 0.5,
    },
    torch.tensor([3.0, 1.0]),
    hint="q prefers action 1, and target says that it is worth 4: 1 + 0.5 * 4. 5: the largest output of "
    "target. 2.5: the value that q itself gives. See 'A network for a table'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-double_targets-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: batches, more actions, what ended, nan, gradients.
### BEGIN HIDDEN TESTS
import torch
from torch import nn

from course_lib import get_device
from course_lib.exercises import assert_equal, assert_true, call, check, probe


def two_networks(seed, actions):
    torch.manual_seed(seed)
    return [
        nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, actions)).to(get_device())
        for _ in range(2)
    ]


def made(seed, n, actions):
    q, target = two_networks(seed, actions)
    generator = torch.Generator().manual_seed(seed)
    args = {
        "q": q,
        "target": target,
        "rewards": torch.randn(n, generator=generator).to(get_device()),
        "after": (3 * torch.randn(n, 3, generator=generator)).to(get_device()),
        "terminated": (torch.rand(n, generator=generator) < 0.3).to(get_device()),
    }
    return args


def expected(q, target, rewards, after, terminated, gamma):
    with torch.no_grad():
        chosen, valued = q(after).cpu(), target(after).cpu()
    out = [
        float(rewards[i])
        + (0.0 if terminated[i] else gamma * float(valued[i, int(chosen[i].argmax())]))
        for i in range(len(rewards))
    ]
    return torch.tensor(out)


for seed, n, actions, gamma in ((0, 30, 2, 0.99), (1, 40, 4, 0.5), (2, 1, 3, 0.9), (3, 4, 4, 1.0)):
    args = {**made(seed, n, actions), "gamma": gamma}
    check(
        double_targets,
        args,
        expected(**args),
        rtol=1e-4,
        atol=1e-5,
        what=f"The targets of {n} step(s) with {actions} actions, gamma = {gamma}",
        hint="For each step: q chooses the action (its largest output along dimension 1), target says what "
        "it is worth; where the step terminated, the reward alone counts. See 'A network for a table'.",
    )
args = {**made(4, 6, 3), "gamma": 0.9}
args["terminated"] = torch.tensor([True, False, True, False, False, True], device=get_device())
wanted = expected(**args)
args["after"][args["terminated"]] = float("nan")
check(
    double_targets,
    args,
    wanted,
    rtol=1e-4,
    atol=1e-5,
    what="The targets where the next states of terminated steps are nan",
    hint="0 times nan is nan: choose with torch.where, or compute the others alone. "
    "See 'Learning without the map'.",
)


def backward(double_targets, seed):
    args = {**made(seed, 8, 3), "gamma": 0.9}
    q, target = args["q"], args["target"]
    goal = call(double_targets, args, changes=["q", "target"])
    states = torch.ones(8, 3, device=get_device())
    loss = (q(states)[:, 0] - goal).square().mean()
    loss.backward()
    led = any(p.grad is not None and bool(p.grad.any()) for p in target.parameters())
    mine = torch.cat([p.grad.flatten() for p in q.parameters()]).cpu()
    q.zero_grad()
    (q(states)[:, 0] - goal.detach()).square().mean().backward()
    alone = torch.cat([p.grad.flatten() for p in q.parameters()]).cpu()
    return bool(goal.requires_grad), led, float((mine - alone).abs().max())


requires, led, apart = probe(backward, double_targets, 5)
assert_equal(
    requires or led,
    False,
    what="Whether the loss has a gradient through the targets",
    hint="A target plays the role of an answer: compute it inside `with torch.no_grad():`. "
    "See 'A network for a table'.",
)
assert_true(
    apart < 1e-6,
    what="That the network that learns has no gradient through the choice of the action",
    hint="Nothing of the target leads back into q.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. The loss of a policy
#
# Minimizing this loss is climbing the policy gradient: minus the mean over the steps of
# $\log \pi(a_t \mid s_t)$ times the advantage $G_t - V(s_t)$. The values come from a second network, which
# learns from its own loss. This loss must not move it.
#
# Policies tend to become sure too early, and then they no longer try anything new. So the loss also pays a
# `bonus` for undecided policies: it subtracts `bonus` times the mean over the steps of the entropy
# $-\sum_a \pi(a \mid s_t) \log \pi(a \mid s_t)$. Logits may be in the thousands. Take the advantages as they
# are: do not standardize them.


# %% nbgrader={"grade": false, "grade_id": "policy_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def policy_loss(logits, actions, returns, values, bonus=0.0):
    """Compute the loss of a policy with a baseline and a bonus for entropy.

    Parameters
    ----------
    logits : Tensor, shape (n, A)
        The policy's outputs in each step: softmax of a row gives the probabilities.
    actions : Tensor of int64, shape (n,)
        What was done.
    returns : Tensor, shape (n,)
        Rewards-to-go.
    values : Tensor, shape (n,)
        The baseline. Often the output of a network: no gradient goes into it.
    bonus : float
        Weight of the entropy.

    Returns
    -------
    Tensor, shape ()
        A mean over the steps.

    Example
    -------
    >>> logits = torch.log(torch.tensor([[0.5, 0.5], [0.25, 0.75]]))
    >>> actions = torch.tensor([0, 1])
    >>> loss = policy_loss(logits, actions, torch.tensor([5.0, 1.0]), torch.tensor([3.0, 3.0]))
    >>> round(loss.item(), 4)  # -(2 log 0.5 - 2 log 0.75) / 2
    0.4055
    """
    ### BEGIN SOLUTION
    log_p = logits.log_softmax(dim=1)
    chosen = log_p.gather(1, actions[:, None])[:, 0]
    entropy = -(log_p.exp() * log_p).sum(dim=1)
    return -(chosen * (returns - values.detach())).mean() - bonus * entropy.mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-policy_loss", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import math

import torch

from course_lib import get_device
from course_lib.exercises import check

check(
    policy_loss,
    {
        "logits": torch.tensor([[0.8, 0.2], [0.5, 0.5]]).log().to(get_device()),
        "actions": torch.tensor([1, 0], device=get_device()),
        "returns": torch.tensor([3.0, 2.0], device=get_device()),
        "values": torch.tensor([1.0, 3.0], device=get_device()),
    },
    torch.tensor(-(2 * math.log(0.2) - math.log(0.5)) / 2),
    rtol=1e-4,
    hint="Advantages 2 and -1, log-probabilities of what was done log 0.2 and log 0.5, minus the mean of "
    "their products. See 'Learning the policy itself'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-policy_loss-hidden", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
# Hidden: gradients, values that come from a network, the bonus, large logits, more actions.
### BEGIN HIDDEN TESTS
import torch

from course_lib import get_device
from course_lib.exercises import assert_close, assert_equal, call, check, check_keyword, probe


def made(seed, n, actions, size=1.0):
    generator = torch.Generator().manual_seed(seed)
    return {
        "logits": (size * torch.randn(n, actions, generator=generator)).to(get_device()),
        "actions": torch.randint(actions, (n,), generator=generator).to(get_device()),
        "returns": (5 + 3 * torch.randn(n, generator=generator)).to(get_device()),
        "values": (4 + torch.randn(n, generator=generator)).to(get_device()),
    }


def expected(logits, actions, returns, values, bonus=0.0):
    z = logits.double().cpu()
    log_p = z - torch.logsumexp(z, dim=1, keepdim=True)
    total = 0.0
    for i in range(len(z)):
        p = log_p[i].exp()
        total -= float(log_p[i, actions[i]]) * float(returns[i] - values[i])
        total += bonus * float((p * log_p[i]).sum())
    return torch.tensor(total / len(z))


for seed, n, actions in ((0, 20, 2), (1, 7, 5), (2, 1, 3), (3, 3, 3)):
    args = made(seed, n, actions)
    check(
        policy_loss,
        args,
        expected(**args),
        rtol=1e-4,
        atol=1e-5,
        what=f"The loss of {n} step(s) with {actions} actions, without a bonus",
        hint="-mean(log pi(a|s) * (returns - values)): one probability per step, that of the action that "
        "was done, in a softmax over the row. See 'Learning the policy itself'.",
    )
args = made(4, 9, 4)
check_keyword(
    policy_loss,
    args,
    "bonus",
    [(bonus, expected(**args, bonus=bonus)) for bonus in (0.0, 2.0, 10.0)],
    rtol=1e-4,
    atol=1e-5,
    hint="The entropy -sum(p log p) of each row, a mean over the rows, is subtracted: more entropy, a "
    "smaller loss.",
)
large = made(5, 6, 3, size=3000.0)
check(
    policy_loss,
    {**large, "bonus": 1.0},
    expected(**large, bonus=1.0),
    rtol=1e-4,
    atol=1e-4,
    what="The loss with logits in the thousands",
    hint="The softmax of such logits holds exact zeros, and their log is minus infinity: take log_softmax.",
)


def gradients(policy_loss, seed, bonus):
    args = made(seed, 8, 3)
    args["logits"].requires_grad_(True)
    source = args["values"].clone().requires_grad_(True)
    args["values"] = 1.0 * source  # as from a network
    loss = call(policy_loss, {**args, "bonus": bonus}, copies=False)
    loss.backward()
    came = args["logits"].grad
    return (None if came is None else came.cpu()), source.grad is None or not bool(
        source.grad.any()
    )


for seed, bonus in ((6, 0.0), (7, 0.5)):
    args = made(seed, 8, 3)
    p = args["logits"].double().cpu().softmax(dim=1)
    advantage = (args["returns"] - args["values"]).double().cpu()[:, None]
    done = torch.eye(3, dtype=torch.float64)[args["actions"].cpu()]
    entropy = -(p * p.log()).sum(dim=1, keepdim=True)
    slope = -((done - p) * advantage - bonus * p * (p.log() + entropy)) / 8
    came, still = probe(gradients, policy_loss, seed, bonus)
    assert_equal(
        still,
        True,
        what="Whether the values, which come from another network, have no gradient",
        hint="The baseline enters as a number: values.detach(). Otherwise the policy's loss moves the other "
        "network, too. See 'Learning the policy itself'.",
    )
    assert_equal(
        came is not None,
        True,
        what=f"Whether the logits have a gradient (bonus {bonus})",
        hint="Only the values are detached. Stay with tensors all the way: .item() or NumPy cuts the "
        "gradient.",
    )
    assert_close(
        came,
        slope,
        rtol=1e-3,
        atol=1e-5,
        what=f"The gradient of the loss in the logits, bonus {bonus}",
        hint="Through log pi, and through the entropy; not through the advantage. "
        "See 'Learning the policy itself'.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 7. The depot, and the pole
#
# First the depot. Two agents see no map. Both explore on one move in five: one learns by Q-learning, the
# other by expected SARSA with the probabilities of its own behavior. Your `worth` then judges each policy
# exactly, once as it behaves while exploring, and once with exploration switched off.

# %% nbgrader={"grade": false, "grade_id": "depot", "locked": true, "schema_version": 3, "solution": false, "task": false}
depot = gridworlds.parse(
    """
    ...........
    ...........
    S.XX.X.XX.G
    """,
    {"G": 20.0, "X": -40.0},
    step=-1.0,
)


def learn_depot(expected, seed, moves=40_000, epsilon=0.2, gamma=0.95):
    rng, env = np.random.default_rng(seed), depot.make(max_steps=100)
    Q = np.zeros((len(depot.P), 4))
    s, _ = env.reset(seed=seed)
    for k in range(moves):
        p = epsilon_greedy(Q[s : s + 1], epsilon)[0]
        a = int(np.searchsorted(p.cumsum(), rng.random() * p.sum()))
        after, reward, terminated, truncated, _ = env.step(a)
        then = epsilon_greedy(Q[after : after + 1], epsilon)[0] if expected else None
        rate = 0.5 / (1 + k / 4000)
        learn_step(Q, (s, a, reward, after, terminated, truncated), rate, gamma, then)
        s = env.reset()[0] if terminated or truncated else after
    return Q


maps = {}
for name, expected in (("Q-learning", False), ("expected SARSA", True)):
    Q = learn_depot(expected, seed=0)
    exploring, greedy = (
        worth(depot.P, depot.R, epsilon_greedy(Q, epsilon), 0.95)[depot.start]
        for epsilon in (0.2, 0.0)
    )
    print(f"{name:14}: the start is worth {exploring:6.2f} while exploring, {greedy:6.2f} without")
    maps[name] = (depot.letters, Q.max(axis=1), Q.argmax(axis=1))
figures.policies(maps, columns=1)

# %% [markdown]
# **What you see.** The bold one walks beside the holes, and the careful one a row above. Each is best at what
# it learned for: Q-learning for the day when exploration stops, expected SARSA for the days until then.
#
# Now the pole. Eight carts at a time play episodes with your network's policy, your `returns` say what
# came of each push, a second network learns to expect that, and your `policy_loss` does the rest.

# %% nbgrader={"grade": false, "grade_id": "pole", "locked": true, "schema_version": 3, "solution": false, "task": false}


def play(policy, n, seed, draw=True):
    env = gym.make_vec("CartPole-v1", num_envs=n, vectorization_mode="vector_entry_point")
    s, _ = env.reset(seed=seed)
    chance, going, record = np.random.default_rng(seed), np.ones(n, dtype=bool), []
    while going.any():
        with torch.no_grad():
            right = policy(torch.from_numpy(s).to(device)).softmax(dim=1)[:, 1].cpu().numpy()
        a = (right > (chance.random(n) if draw else 0.5)).astype(int)
        record.append((s, a, going))
        s, _, fell, stopped, _ = env.step(a)
        going = going & ~(fell | stopped)
    return [np.stack(part) for part in zip(*record, strict=True)]


seed_everything(0)
policy, critic = network(2).to(device), network(1).to(device)
climber = torch.optim.Adam(policy.parameters(), lr=0.03)
follower = torch.optim.Adam(critic.parameters(), lr=0.03)
before = play(policy, 20, seed=9, draw=False)[2].sum(axis=0).mean()
total = 0
for round_ in range(40):
    states, actions, going = play(policy, 8, seed=100 + round_)
    total += int(going.sum())
    G = [returns(np.ones(int(mine.sum())), gamma=0.99) for mine in going.T]
    G = torch.tensor(np.concatenate(G), dtype=torch.float32, device=device)
    s = torch.tensor(
        np.concatenate([states[mine, i] for i, mine in enumerate(going.T)]), device=device
    )
    a = torch.tensor(
        np.concatenate([actions[mine, i] for i, mine in enumerate(going.T)]), device=device
    )
    climber.zero_grad()
    policy_loss(policy(s), a, G, 100 * critic(s)[:, 0], bonus=0.1).backward()
    climber.step()
    for _ in range(5):
        follower.zero_grad()
        nn.functional.mse_loss(critic(s)[:, 0], G / 100).backward()
        follower.step()
    if round_ % 3 == 2:
        print(f"after {total:6,} steps: up for {going.sum() / 8 / 50:4.1f} seconds")
    if total > 20_000:
        break
states, _, going = play(policy, 20, seed=9, draw=False)
after = going.sum(axis=0).mean()
print(f"with the largest output: {before / 50:.1f} seconds before, {after / 50:.1f} after learning")
moments = np.linspace(0, going[:, 0].sum() - 1, 6).astype(int)
figures.frames({"your policy": (states[moments, 0], moments / 50)})

# %% [markdown]
# ## Step 8. What was paid for
#
# *4 points, read by a person. About 130 words.*
#
# A vacuum robot learns to clean a flat. It earns 1 for each crumb that it picks up, and an episode ends when
# it says "done" or, at the latest, after 500 moves. Its crumb container can be emptied anywhere. After a week
# of training its return is higher than anybody thought possible, and the flat is dirty. Meanwhile the team
# has found that their code sets `terminated` for both kinds of endings.
#
# 1. What has the robot probably learned, and why is that not the learning algorithm's fault?
# 2. Propose another reward, or an addition to it, and name one way in which your own proposal could be
#    gamed or go wrong.
# 3. What does the fault in the endings do to what the robot learns about moves late in an episode?

# %% [markdown] nbgrader={"grade": true, "grade_id": "what-was-paid-for", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# 1. To empty its container and pick the same crumbs up again, forever. Each crumb pays each time, so
#    this is the best policy for the reward as it stands: the algorithm maximized what it was told to.
# 2. Pay for the state of the flat rather than for the act: minus the crumbs on the floor, at the end or
#    in every move. It can go wrong, too: it may sweep crumbs under the carpet where the sensor does not
#    see them, or say "done" at once if every move costs. A reward for the change in crumbs on the floor
#    (a potential) would pay nothing for a round trip.
# 3. States at move 500 look like ends that are worth nothing, although the flat could go on being
#    cleaned. The target there is the reward alone, so good states get too low a value. Since the state
#    does not hold the time, this noise spreads to the same states earlier in an episode.
#
# === BEGIN MARK SCHEME ===
# 1. **One point** for the loop (empty, pick up again) together with the reason: the reward pays the act
#    each time. Half for the loop alone.
# 2. **Two points.** One for a reward that a round trip does not pay for (state of the floor, change of
#    it, each crumb once). One for a plausible way in which it fails. Half if the failure is only
#    "it could be gamed", without saying how.
# 3. **One point** for targets or values that are too low because a future is left out. Half for
#    "terminated and truncated differ" without the direction.
# === END MARK SCHEME ===
