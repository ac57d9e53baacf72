# ---
# jupyter:
#   course:
#     answers_in:
#     - course_lib.data.driving
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
# # Robotics: a parcel robot in its corridor
#
# - **Time:** 120 minutes. **Difficulty:** 3 of 5. **Points:** 39, of which a person gives 3.
# - **Needs:** the chapter *Robotics*, NumPy arrays, PyTorch's tensors and their gradients.
#
# A robot carries parcels along the corridors of a hospital. You write what moves it: an expert that keeps it
# in the middle, the loss of a network that copies the expert, DAgger's loop around both, advantages for
# learning from reward, and a filter that brakes in time. In the end a clone and a DAgger student drive on
# winding paths, a pendulum learns to swing up from your advantages, and your filter meets a robot whose
# brakes are worse than its data sheet says.
#
# **What is special here**
#
# - Step 3 is PyTorch; all others are NumPy. Tensors may be on a GPU: make new ones on the device of those
#   that you are given.
# - Angles are in radians, positive to the left. A compass does not count turns: 6.2 and −0.083 are nearly the
#   same heading.
# - `terminated` means that there is no more reward to earn. `truncated` means that somebody stopped watching.
#
# `course_lib.data.driving` holds answers to this exercise: leave it closed. What holds in every exercise
# (how to check, what the tests look at, what counts) is on the page *How exercises work* in the appendix.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np
import torch
from torch import nn

from course_lib import get_device, seed_everything
from course_lib.plotting import robotics as figures

device = get_device()

# %% [markdown]
# ## Step 1. Which way to turn
#
# From one heading to another there are two ways around. Return the shorter one, with its sign: how far to
# turn, positive to the left, to get from `start` to `goal`. If both are exactly half a turn, the answer is
# −π.


# %% nbgrader={"grade": false, "grade_id": "turn", "locked": false, "schema_version": 3, "solution": true, "task": false}
def turn(start, goal):
    """Compute the shorter turn from one heading to another.

    Parameters
    ----------
    start, goal : array_like, radians
        Of shapes that broadcast. Any number of whole turns may be in them.

    Returns
    -------
    ndarray, radians, from -pi (included) to pi

    Example
    -------
    >>> turn([0.0, 3.0, 0.5], [0.5, -3.0, 6.0]).round(4).tolist()
    [0.5, 0.2832, -0.7832]
    """
    ### BEGIN SOLUTION
    apart = np.asarray(goal, dtype=float) - np.asarray(start, dtype=float)
    return (apart + np.pi) % (2 * np.pi) - np.pi
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-turn", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    turn,
    {"start": np.array([0.2, 3.1]), "goal": np.array([-0.3, -3.1])},
    np.array([-0.5, 2 * np.pi - 6.2]),
    hint="From 3.1 to -3.1 it is a small turn to the left, across the seam: the difference, brought into "
    "-pi ... pi. See 'A car in its lane'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-turn-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: many whole turns, both directions, shapes that broadcast, kinds of numbers, half a turn.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds

rng = np.random.default_rng(1)
apart = rng.uniform(-3.1, 3.1, size=(5, 1))
start = rng.uniform(-3, 3, size=(5, 1))
turns = 2 * np.pi * np.array([-7, -1, 0, 1, 12])
check(
    turn,
    {"start": start, "goal": start + apart + turns},
    np.broadcast_to(apart, (5, 5)).copy(),
    what="turn of 5 starts to goals with -7, -1, 0, 1 and 12 whole turns in them",
    hint="Whole turns change nothing, however many. Adding or taking away one of them is not enough. "
    "See 'A car in its lane'.",
)
check(
    turn,
    {"start": start[::-1] + 0.5, "goal": start[::-1] + 0.5 - apart},
    -apart,
    hint="How far from this start to this goal. See 'A car in its lane'.",
)
check_kinds(
    turn,
    {"start": np.array([0.0, 5.0, -2.0]), "goal": np.array([4.0, 0.0, 2.0])},
    np.array([4 - 2 * np.pi, 2 * np.pi - 5, 4 - 2 * np.pi]),
    hint="The shorter way around has less than half a turn. See 'A car in its lane'.",
)
check(
    turn,
    {"start": 2.5, "goal": np.array([3.0, -3.5])},
    np.array([0.5, 2 * np.pi - 6]),
    hint="One start for all goals. See 'A car in its lane'.",
)
check(
    turn,
    {"start": 0.0, "goal": np.array([np.pi, -np.pi])},
    np.array([-np.pi, -np.pi]),
    hint="Exactly half a turn is -pi, whichever way it was written.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. The expert
#
# The robot drives at a constant speed. It chooses how fast to turn, in radians per second. It is `d`
# meters to the left of the middle, its compass shows `heading`, and the corridor runs along
# `corridor`. A PD controller steers against $d$ and against the robot's own heading relative to the
# corridor, $\psi$:
#
# $$-k_p\,d - k_d\,\psi,$$
#
# limited to `limit` in both directions. You may use `turn` from step 1.


# %% nbgrader={"grade": false, "grade_id": "expert", "locked": false, "schema_version": 3, "solution": true, "task": false}
def expert(d, heading, corridor, kp=1.0, kd=2.0, limit=1.5):
    """Compute how fast to turn.

    Parameters
    ----------
    d : array_like, shape (n,), meters
        To the left of the middle.
    heading : array_like, shape (n,), radians
        What the compass shows.
    corridor : float or array_like, shape (n,), radians
        Where the corridor leads.
    kp, kd : float
        Gains.
    limit : float, radians per second
        The fastest turn, to either side.

    Returns
    -------
    ndarray, shape (n,), radians per second
        Positive to the left.

    Example
    -------
    >>> expert([0.1, 0.0, 5.0], [0.0, 6.2, 0.0], corridor=0.0).round(4).tolist()
    [-0.1, 0.1664, -1.5]
    """
    ### BEGIN SOLUTION
    psi = turn(corridor, heading)
    return np.clip(-kp * np.asarray(d, dtype=float) - kd * psi, -limit, limit)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-expert", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check, given


def way_around(start, goal):
    apart = np.asarray(goal, dtype=float) - np.asarray(start, dtype=float)
    return (apart + np.pi) % (2 * np.pi) - np.pi


with given(turn=way_around):
    check(
        expert,
        {"d": np.array([0.5, -0.25]), "heading": np.array([0.1, 0.3]), "corridor": 0.2},
        np.array([-0.3, 0.05]),
        hint="Left of the middle, or turned to the left: steer to the right, which is negative. "
        "See 'A car in its lane'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-expert-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: headings across the seam, gains, limits, a corridor for each, kinds of numbers.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_keyword, check_kinds, given

rng = np.random.default_rng(2)


def way_around(start, goal):
    apart = np.asarray(goal, dtype=float) - np.asarray(start, dtype=float)
    return (apart + np.pi) % (2 * np.pi) - np.pi


def expected(d, psi, kp=1.0, kd=2.0, limit=1.5):
    return np.minimum(limit, np.maximum(-limit, -kp * d - kd * psi))


d, psi = rng.uniform(-0.5, 0.5, 9), rng.uniform(-0.4, 0.4, 9)
corridor = np.array([-3.1, 3.1, 0.0, 1.5, -40.0, 3.0, -3.0, 2.0, 30.0])
with given(turn=way_around):
    check(
        expert,
        {
            "d": d,
            "heading": corridor + psi + 2 * np.pi * rng.integers(-3, 4, 9),
            "corridor": corridor,
        },
        expected(d, psi),
        hint="Where heading and corridor lie on both sides of the seam, their difference is nearly a whole "
        "turn, although they are nearly the same. Use turn. See 'A car in its lane'.",
    )
    check(
        expert,
        {
            "d": np.array([4.0, -4.0, 4.0, -4.0]),
            "heading": np.array([1.0, -1.0, -1.0, 1.0]),
            "corridor": 0.0,
        },
        np.array([-1.5, 1.5, -1.5, 1.5]),
        hint="Limit the sum on both sides, and not each part: -4 and 2 are -2, which is limited to -1.5.",
    )
    args = {"d": d, "heading": corridor + psi, "corridor": corridor}
    for name, values in (
        ("kp", (1.0, 0.0, 0.4)),
        ("kd", (2.0, 0.0, 0.7)),
        ("limit", (1.5, 0.1, 0.4)),
    ):
        check_keyword(
            expert,
            args,
            name,
            [(value, expected(d, psi, **{name: value})) for value in values],
            hint="Gains multiply d and psi, limit holds on both sides. See 'A car in its lane'.",
        )
    check_kinds(
        expert,
        {
            "d": np.array([1.0, -1.0, 0.0]),
            "heading": np.array([4.0, 0.0, 9.0]),
            "corridor": np.array([3.0, 0.0, 3.0]),
            "kp": 0.5,
        },
        np.array([-1.5, 0.5, min(1.5, 2 * (2 * np.pi - 6))]),
        hint="A corridor for each robot, whatever kind the numbers are of. See 'A car in its lane'.",
    )
    check_kinds(
        expert,
        {
            "d": np.array([1.0, -1.0, 0.0]),
            "heading": np.array([0.0, 0.0, 6.0]),
            "corridor": 0.0,
            "kp": 0.5,
        },
        np.array([-0.5, 0.5, min(1.5, 2 * (2 * np.pi - 6))]),
        hint="-kp d - kd psi, whatever kind the numbers are of. See 'A car in its lane'.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. The loss of a clone
#
# The mean of the squared differences between what a network says and what the expert did. Two things make it
# more than one line. A network with one output gives a column, (n, 1), and the answers often come as (n,):
# subtracting one from the other makes a square. And a drive is still being recorded when the robot is already
# stuck against the wall: only the rows where `valid` is True count.


# %% nbgrader={"grade": false, "grade_id": "cloning_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cloning_loss(outputs, answers, valid):
    """Compute the mean squared error over the rows that count.

    Parameters
    ----------
    outputs : Tensor, shape (n, 1) or (n,)
        Of the network; the gradient flows into them.
    answers : Tensor, shape (n, 1) or (n,)
        Of the expert; no gradient flows into them, even if they require one.
    valid : Tensor of bool, shape (n,)

    Returns
    -------
    Tensor, shape ()

    Raises
    ------
    ValueError
        If no row counts.

    Example
    -------
    >>> outputs, answers = torch.tensor([[1.0], [2.0], [9.0]]), torch.tensor([0.0, 4.0, 0.0])
    >>> cloning_loss(outputs, answers, torch.tensor([True, True, False])).item()
    2.5
    """
    ### BEGIN SOLUTION
    if not valid.any():
        raise ValueError("no row counts: valid is False everywhere")
    off = outputs.reshape(-1)[valid] - answers.detach().reshape(-1)[valid]
    return (off**2).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-cloning_loss", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch

from course_lib import get_device
from course_lib.exercises import check

device = get_device()
check(
    cloning_loss,
    {
        "outputs": torch.tensor([[1.0], [0.0], [2.0], [5.0]], device=device),
        "answers": torch.tensor([0.0, 1.0, 4.0, 0.0], device=device),
        "valid": torch.tensor([True, True, True, False], device=device),
    },
    torch.tensor(2.0),
    rtol=1e-5,
    hint="(1 + 1 + 4) / 3. A column minus a row makes a square of all pairs; zeros in place of the rows "
    "that do not count still count in the mean. See 'Copying an expert'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-cloning_loss-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: all four pairs of shapes, one row, gradients, rows that hold nan, refusals.
### BEGIN HIDDEN TESTS
import torch

from course_lib import get_device
from course_lib.exercises import assert_close, assert_true, call, check, check_raises, probe

device = get_device()
generator = torch.Generator().manual_seed(3)
y, z = torch.randn(2, 7, generator=generator)
valid = torch.tensor([True, False, True, True, False, True, True])
wanted = sum((float(a) - float(b)) ** 2 for a, b, v in zip(y, z, valid, strict=True) if v) / 5
for one in ((7,), (7, 1)):
    for other in ((7,), (7, 1)):
        check(
            cloning_loss,
            {
                "outputs": y.reshape(one).to(device),
                "answers": z.reshape(other).to(device),
                "valid": valid.to(device),
            },
            torch.tensor(wanted),
            rtol=1e-4,
            hint="Bring both to one shape first, whichever they have. Each output meets its own answer. "
            "See 'Copying an expert'.",
        )
check(
    cloning_loss,
    {
        "outputs": torch.tensor([[3.0]], device=device),
        "answers": torch.tensor([1.0], device=device),
        "valid": torch.tensor([True], device=device),
    },
    torch.tensor(4.0),
    hint="One row: its squared difference, of shape ().",
)
broken = z.clone()
broken[~valid] = float("nan")
check(
    cloning_loss,
    {"outputs": y[:, None].to(device), "answers": broken.to(device), "valid": valid.to(device)},
    torch.tensor(wanted),
    rtol=1e-4,
    what="The loss where the rows that do not count hold nan",
    hint="nan times 0 is nan: leave these rows out before you compute with them.",
)


def slopes(cloning_loss, outputs, answers, valid):
    outputs, answers = outputs.clone().requires_grad_(), answers.clone().requires_grad_()
    args = {"outputs": outputs, "answers": answers, "valid": valid}
    loss = call(cloning_loss, args, copies=False)
    if loss.requires_grad:
        loss.backward()
    none = torch.zeros(())
    return tuple((none if part.grad is None else part.grad.cpu()) for part in (outputs, answers))


into, back = probe(slopes, cloning_loss, y[:, None].to(device), z.to(device), valid.to(device))
right = torch.where(valid, 2 * (y - z) / 5, torch.zeros(7))[:, None]
assert_close(
    into,
    right,
    rtol=1e-4,
    atol=1e-7,
    what="The gradient of the loss in the outputs",
    hint="Compute with tensors throughout: .item(), .detach() of the outputs and NumPy stop the gradient.",
)
assert_true(
    bool((back == 0).all()),
    what="That no gradient flows into the answers",
    hint="The expert is right by definition: detach the answers.",
)
check_raises(
    ValueError,
    cloning_loss,
    {
        "outputs": torch.ones(3, 1, device=device),
        "answers": torch.ones(3, device=device),
        "valid": torch.zeros(3, dtype=torch.bool, device=device),
    },
    hint="The mean of no rows is nan, and a network that learns from it is lost.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. DAgger's loop
#
# You are given three functions. Put them into the right order:
#
# - `drive(policy, k)` lets a policy drive in round `k` and returns the states that it reached, (n, p).
# - `ask(states)` returns what the expert would do there, (n,).
# - `learn(states, answers)` returns a new policy that has learned from everything it is given.
#
# In round 0 the policy that drives is `ask` itself: the expert. In each later round it is the policy that was
# learned last. After each round's drive, the expert is asked about the new states, and a new policy learns
# from *all* states and answers so far, the oldest first. Return the policy that was learned last.


# %% nbgrader={"grade": false, "grade_id": "dagger", "locked": false, "schema_version": 3, "solution": true, "task": false}
def dagger(drive, ask, learn, rounds):
    """Imitate an expert in the places where the student goes.

    Parameters
    ----------
    drive : callable
        ``drive(policy, k)``, an ndarray of shape (n, p); n may differ from round to round.
    ask : callable
        ``ask(states)``, an ndarray of shape (n,).
    learn : callable
        ``learn(states, answers)``, a policy.
    rounds : int
        At least 1.

    Returns
    -------
    callable
        The policy that was learned last.

    Example
    -------
    >>> def drive(policy, k):
    ...     return np.full((2, 1), k)
    >>> def ask(states):
    ...     return 10.0 * states[:, 0]
    >>> def learn(states, answers):
    ...     print(states[:, 0].tolist(), answers.tolist())
    ...     return lambda states: np.zeros(len(states))
    >>> student = dagger(drive, ask, learn, rounds=2)
    [0, 0] [0.0, 0.0]
    [0, 0, 1, 1] [0.0, 0.0, 10.0, 10.0]
    """
    ### BEGIN SOLUTION
    policy, states, answers = ask, [], []
    for k in range(rounds):
        states.append(drive(policy, k))
        answers.append(ask(states[-1]))
        policy = learn(np.concatenate(states), np.concatenate(answers))
    return policy
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-dagger", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import assert_equal, call, probe


def diary(dagger, rounds, sizes):
    """Run the loop, and write down who drives and what is learned."""
    names, lines = [], []

    def ask(states):
        return states[:, 0] + 0.5

    def drive(policy, k):
        mine = [name for name, known in names if known is policy]
        lines.append(f"{'expert' if policy is ask else (mine or ['?'])[0]} drives, round {k}")
        return np.full((sizes[k], 2), float(k))

    def learn(states, answers):
        lines.append(f"learns {np.asarray(states)[:, 0].tolist()} {np.asarray(answers).tolist()}")

        def policy(states):
            return np.zeros(len(states))

        names.append((f"student {len(names) + 1}", policy))
        return policy

    last = call(
        dagger, {"drive": drive, "ask": ask, "learn": learn, "rounds": rounds}, copies=False
    )
    lines.append("returns " + ([name for name, known in names if known is last] or ["?"])[0])
    return lines


assert_equal(
    probe(diary, dagger, 2, [2, 1]),
    [
        "expert drives, round 0",
        "learns [0.0, 0.0] [0.5, 0.5]",
        "student 1 drives, round 1",
        "learns [0.0, 0.0, 1.0] [0.5, 0.5, 1.5]",
        "returns student 2",
    ],
    what="What happens in two rounds",
    hint="Drive, ask the expert about these states, learn from all so far; in the next round the student "
    "drives. See 'Copying an expert'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-dagger-hidden", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Hidden: other numbers of rounds, drives of other lengths, twice in a row, answers that depend on states.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_close, assert_equal, call, probe


def diary(dagger, rounds, sizes):
    """Run the loop, and write down who drives and what is learned."""
    names, lines = [], []

    def ask(states):
        return states[:, 0] + 0.5

    def drive(policy, k):
        mine = [name for name, known in names if known is policy]
        lines.append(f"{'expert' if policy is ask else (mine or ['?'])[0]} drives, round {k}")
        return np.full((sizes[k], 2), float(k))

    def learn(states, answers):
        lines.append(f"learns {np.asarray(states)[:, 0].tolist()} {np.asarray(answers).tolist()}")

        def policy(states):
            return np.zeros(len(states))

        names.append((f"student {len(names) + 1}", policy))
        return policy

    last = call(
        dagger, {"drive": drive, "ask": ask, "learn": learn, "rounds": rounds}, copies=False
    )
    lines.append("returns " + ([name for name, known in names if known is last] or ["?"])[0])
    return lines


def wanted(rounds, sizes):
    lines, states = [], []
    for k in range(rounds):
        lines.append(f"{f'student {k}' if k else 'expert'} drives, round {k}")
        states += [float(k)] * sizes[k]
        lines.append(f"learns {states} {[s + 0.5 for s in states]}")
    return [*lines, f"returns student {rounds}"]


for rounds, sizes in ((1, [3]), (4, [2, 1, 3, 1]), (3, [1, 2, 2])):
    assert_equal(
        probe(diary, dagger, rounds, sizes),
        wanted(rounds, sizes),
        what=f"What happens in {rounds} round(s) with drives of {sizes} states",
        hint="The expert drives once, in round 0, and answers in each round. Nothing is thrown away, "
        "and what was learned last is returned. See 'Copying an expert'.",
    )


def in_a_corridor(dagger):
    """A student with one weight for d alone, on a robot that drifts."""

    def ask(states):
        return -states[:, 0] - 2 * states[:, 1]

    def drive(policy, k):
        state, seen = np.array([[0.3, 0.0]]), []
        for _ in range(20):
            seen.append(state)
            state = state + 0.2 * np.stack([state[:, 1], policy(state) + 0.05], axis=1)
        return np.concatenate(seen)

    def learn(states, answers):
        weights, *_ = np.linalg.lstsq(states[:, :1], answers, rcond=None)
        return lambda states: states[:, :1] @ weights

    args = {"drive": drive, "ask": ask, "learn": learn, "rounds": 5}
    policy = call(dagger, args, copies=False)
    return [float(policy(np.array([[1.0, 0.0]]))[0]), len(drive(policy, 0))]


def by_hand():
    states, weight = [], None
    for _ in range(5):
        d, v, seen = 0.3, 0.0, []
        for _ in range(20):
            seen.append((d, v))
            command = -d - 2 * v if weight is None else weight * d
            d, v = d + 0.2 * v, v + 0.2 * (command + 0.05)
        states += seen
        x = np.array(states)
        y = -x[:, 0] - 2 * x[:, 1]
        weight = float(x[:, 0] @ y / (x[:, 0] @ x[:, 0]))
    return weight


assert_close(
    probe(in_a_corridor, dagger)[0],
    by_hand(),
    rtol=1e-5,
    what="The command of a student with one weight at d = 1, after five rounds",
    hint="States from the student's own drives, answers from the expert. Answers of the student teach it "
    "nothing. See 'Copying an expert'.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. Advantages, through the endings
#
# The chapter had the value of the next state ready for each step. Many programs do not. They keep the
# critic's values of the observations that the actor *saw*, `values`, one row more than there are steps. But
# after an ending, the next row already belongs to a new episode. The value of the observation at the very end
# is passed separately, in `last_values`, which holds nan where no episode ended. For the value of what came
# after step $t$, therefore, use:
#
# - no ending: the next row of `values`,
# - truncated: `last_values`,
# - terminated: 0. `last_values` may hold any number there, or nan. Where both are True, the episode
#   terminated.
#
# Compute generalized advantages. Return them, and the targets of the critic: the advantages plus the
# values of the states in which the actions were taken.


# %% nbgrader={"grade": false, "grade_id": "gae", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gae(rewards, values, last_values, terminated, truncated, gamma=0.99, lam=0.95):
    """Estimate advantages.

    Parameters
    ----------
    rewards : array_like, shape (steps, n)
        Of n environments side by side.
    values : array_like, shape (steps + 1, n)
        Worth of what the actor saw.
    last_values : array_like, shape (steps, n)
        Worth of the last observation of an episode; nan where none ended.
    terminated, truncated : array_like of bool, shape (steps, n)
    gamma, lam : float
        From 0 to 1.

    Returns
    -------
    advantages : ndarray, shape (steps, n)
    targets : ndarray, shape (steps, n)

    Example
    -------
    >>> A, targets = gae([[1.0], [1.0]], [[2.0], [4.0], [8.0]], [[np.nan], [6.0]],
    ...                  [[False], [False]], [[False], [True]], gamma=0.5, lam=0.5)
    >>> A.tolist(), targets.tolist()
    ([[1.0], [0.0]], [[3.0], [4.0]])
    """
    ### BEGIN SOLUTION
    rewards, values = np.asarray(rewards, dtype=float), np.asarray(values, dtype=float)
    terminated, truncated = np.asarray(terminated, bool), np.asarray(truncated, bool)
    after = np.where(truncated, np.asarray(last_values, dtype=float), values[1:])
    after = np.where(terminated, 0.0, after)
    delta = rewards + gamma * after - values[:-1]
    advantages, later = np.empty_like(delta), np.zeros(delta.shape[1])
    for t in reversed(range(len(delta))):
        later = delta[t] + gamma * lam * np.where(terminated[t] | truncated[t], 0.0, later)
        advantages[t] = later
    return advantages, advantages + values[:-1]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-gae", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

nan = np.nan
check(
    gae,
    {
        "rewards": np.array([[1.0], [2.0], [4.0]]),
        "values": np.array([[2.0], [4.0], [6.0], [8.0]]),
        "last_values": np.array([[nan], [nan], [nan]]),
        "terminated": np.zeros((3, 1), bool),
        "truncated": np.zeros((3, 1), bool),
        "gamma": 0.5,
        "lam": 0.5,
    },
    (np.array([[1.375], [1.5], [2.0]]), np.array([[3.375], [5.5], [8.0]])),
    hint="From the end: 4 + 0.5 * 8 - 6 = 2, then 2 + 0.5 * 6 - 4 + 0.25 * 2, then the first. Targets add "
    "the values of the same rows. See 'Where nobody knows the answer'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-gae-hidden", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
# Hidden: both endings in the middle and at the end, several environments, gamma and lam, kinds of numbers.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_keyword, check_kinds

rng = np.random.default_rng(5)


def expected(rewards, values, last_values, terminated, truncated, gamma=0.99, lam=0.95):
    """Each advantage as a sum over the rest of its own episode."""
    steps, n = rewards.shape
    delta = np.empty((steps, n))
    for t in range(steps):
        for i in range(n):
            after = values[t + 1, i]
            if terminated[t, i]:
                after = 0.0
            elif truncated[t, i]:
                after = last_values[t, i]
            delta[t, i] = rewards[t, i] + gamma * after - values[t, i]
    A = np.zeros((steps, n))
    for i in range(n):
        for t in range(steps):
            for k in range(t, steps):
                A[t, i] += (gamma * lam) ** (k - t) * delta[k, i]
                if terminated[k, i] or truncated[k, i]:
                    break
    return A, A + values[:-1]


steps, n = 9, 5
args = {
    "rewards": rng.normal(size=(steps, n)),
    "values": 3 * rng.normal(size=(steps + 1, n)),
    "last_values": np.full((steps, n), np.nan),
    "terminated": np.zeros((steps, n), bool),
    "truncated": np.zeros((steps, n), bool),
}
args["terminated"][3, 0] = args["terminated"][8, 1] = True
check(
    gae,
    args,
    expected(**args),
    what="gae where episodes terminate, and last_values holds nan there",
    hint="After a terminated episode nothing is to be earned: 0, and neither nan nor the next row, which "
    "belongs to a new episode. The sum starts anew. See 'Where nobody knows the answer'.",
)
args["last_values"][3, 0] = 50.0
args["truncated"][3, 0] = True
check(
    gae,
    args,
    expected(**args),
    what="gae where an episode is terminated and truncated in the same step, with a last value",
    hint="Terminated counts: what follows is worth 0.",
)
for t, i in ((0, 2), (5, 2), (8, 3), (4, 4), (5, 4)):
    args["truncated"][t, i], args["last_values"][t, i] = True, 4 * rng.normal()
check(
    gae,
    args,
    expected(**args),
    what="gae where episodes are truncated in the middle and at the end",
    hint="A truncated state keeps its value, which is in last_values and not in the next row. The sum of "
    "advantages stops there all the same. See 'Where nobody knows the answer'.",
)
for name, values in (("gamma", (0.99, 0.0, 0.6, 1.0)), ("lam", (0.95, 0.0, 0.5, 1.0))):
    check_keyword(
        gae,
        args,
        name,
        [(value, expected(**args, **{name: value})) for value in values],
        hint="gamma discounts what comes after, gamma times lam weighs later differences. "
        "See 'Where nobody knows the answer'.",
    )
whole = {
    "rewards": np.array([[1.0, 0.0], [0.0, 3.0], [2.0, 1.0]]),
    "values": np.array([[2.0, 1.0], [0.0, 5.0], [1.0, 1.0], [4.0, 7.0]]),
    "last_values": np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 0.0]]),
    "terminated": np.array([[0, 0], [0, 0], [0, 1]], bool),
    "truncated": np.array([[0, 0], [1, 0], [0, 0]], bool),
}
check_kinds(
    gae,
    {**whole, "gamma": 0.5, "lam": 0.5},
    expected(**whole, gamma=0.5, lam=0.5),
    hint="Whole numbers give fractions.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. Advantages of one size
#
# Before they weight a gradient, advantages are normalized: their mean is subtracted, and they are divided by
# their standard deviation. Only entries where `valid` is True count, in the mean, in the deviation and in the
# result, which is 0 elsewhere. Where all that count are equal, nothing is better than anything else, and the
# result is 0 everywhere, even where rounding makes their deviation 1e-17 instead of 0: deviations below `eps`
# count as 0.


# %% nbgrader={"grade": false, "grade_id": "normalized", "locked": false, "schema_version": 3, "solution": true, "task": false}
def normalized(advantages, valid, eps=1e-8):
    """Bring advantages to mean 0 and standard deviation 1.

    Parameters
    ----------
    advantages : array_like, any shape
    valid : array_like of bool, the same shape
        At least one is True. The others may hold nan.
    eps : float
        Deviations below it count as 0.

    Returns
    -------
    ndarray, the same shape
        The standard deviation is the one that divides by the number of entries.

    Example
    -------
    >>> normalized([1.0, 3.0, 99.0], [True, True, False]).tolist()
    [-1.0, 1.0, 0.0]
    """
    ### BEGIN SOLUTION
    advantages, valid = np.asarray(advantages, dtype=float), np.asarray(valid, bool)
    result = np.zeros(advantages.shape)
    some = advantages[valid]
    if some.std() >= eps:
        result[valid] = (some - some.mean()) / some.std()
    return result
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-normalized", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    normalized,
    {"advantages": np.array([[4.0, 8.0], [100.0, 6.0]]), "valid": np.array([[1, 1], [0, 1]], bool)},
    np.array([[-np.sqrt(1.5), np.sqrt(1.5)], [0.0, 0.0]]),
    hint="Mean 6 and deviation sqrt(8 / 3) of the three that count. See 'Where nobody knows the answer'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-normalized-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: nan where nothing counts, equal entries, eps, kinds of numbers.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_keyword, check_kinds

rng = np.random.default_rng(6)
advantages = 5 + 3 * rng.normal(size=(4, 6))
valid = rng.random((4, 6)) < 0.6
advantages[~valid] = np.nan
some = [float(a) for a, v in zip(advantages.ravel(), valid.ravel(), strict=True) if v]
mean = sum(some) / len(some)
deviation = (sum((a - mean) ** 2 for a in some) / len(some)) ** 0.5
check(
    normalized,
    {"advantages": advantages, "valid": valid},
    np.where(valid, (np.nan_to_num(advantages) - mean) / deviation, 0.0),
    hint="Take out the entries that count before anything else: nan times 0 is nan. One mean for all of "
    "them, not one per row.",
)
for value in (0.1, 0.7, 7.0):
    check(
        normalized,
        {"advantages": np.full(3, value), "valid": np.ones(3, bool)},
        np.zeros(3),
        atol=1e-6,
        hint="All are equal: their deviation is 0 but for rounding, and dividing by it would make noise of "
        "size 1 out of nothing.",
    )
spread = np.array([1.0, 1.2, 0.8])
check_keyword(
    normalized,
    {"advantages": spread, "valid": np.ones(3, bool)},
    "eps",
    [(1e-8, (spread - 1) / spread.std()), (0.5, np.zeros(3))],
    hint="eps is a threshold for the deviation, and is not added to it.",
)
check_kinds(
    normalized,
    {"advantages": np.array([1.0, 2.0, 6.0]), "valid": np.array([True, True, True])},
    np.array([-2.0, -1.0, 3.0]) / np.sqrt(14 / 3),
    hint="Whole numbers give fractions.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 7. Stopping in time
#
# Somebody steps into the corridor, `gap` meters ahead. The driver requests a speed. The filter allows it only
# if the robot can still stop afterward, whatever happens. If it drives one step of `dt` seconds at speed $v$,
# then needs `delay` seconds until the brakes act, and then slows down by $b$ meters per second each second,
# it has traveled
#
# $$v\,dt + v\,t_\text{delay} + \frac{v^2}{2b}$$
#
# meters further when it comes to a stop. Return the largest speed that is not above `wanted` and not below 0,
# and for which this is at most the gap. Where there is no gap (0 or less), it is 0. Nobody knows exactly how
# good the brakes of this robot are: `braking` and `delay` list several robots that it could be, and the speed
# must be safe for each of them.


# %% nbgrader={"grade": false, "grade_id": "safe_speed", "locked": false, "schema_version": 3, "solution": true, "task": false}
def safe_speed(wanted, gap, braking, delay, dt=0.1):
    """Limit speeds so that any of the possible robots can stop in time.

    Parameters
    ----------
    wanted : array_like, shape (n,), meters per second
        At least 0.
    gap : array_like, shape (n,), meters
    braking : array_like, shape (m,), meters per second squared
        Of each robot that it could be; more than 0.
    delay : array_like, shape (m,), seconds
        Of the same robots.
    dt : float, seconds

    Returns
    -------
    ndarray, shape (n,), meters per second

    Example
    -------
    >>> safe_speed([2.0, 2.0, 0.5], [1.5, -1.0, 1.5], [1.0], [0.4]).round(6).tolist()
    [1.302776, 0.0, 0.5]
    """
    ### BEGIN SOLUTION
    wanted, gap = np.asarray(wanted, dtype=float), np.asarray(gap, dtype=float)[:, None]
    b, wait = np.asarray(braking, dtype=float), np.asarray(delay, dtype=float) + dt
    room = np.maximum(gap, 0.0)
    fastest = b * (np.sqrt(wait**2 + 2 * room / b) - wait)
    return np.minimum(wanted, fastest.min(axis=1))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-safe_speed", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    safe_speed,
    {
        "wanted": np.array([3.0, 3.0]),
        "gap": np.array([1.5, 100.0]),
        "braking": np.array([1.0]),
        "delay": np.array([0.9]),
    },
    np.array([1.0, 3.0]),
    hint="At 1 m/s: 0.1 m in this step, 0.9 m until the brakes act, 0.5 m of braking, which is the gap. "
    "It is a quadratic equation in v: solve it for the root that is not negative.",
)

# %% nbgrader={"grade": true, "grade_id": "test-safe_speed-hidden", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Hidden: many gaps, none at all, several robots, dt, kinds of numbers, whole drives.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_keyword, check_kinds

rng = np.random.default_rng(7)


def expected(wanted, gap, braking, delay, dt=0.1):
    """By halving: the largest speed at which all robots stop within the gap."""
    low, high = np.zeros(len(gap)), np.array(wanted, dtype=float)
    for _ in range(200):
        middle = (low + high) / 2
        needed = np.max(
            [middle * (dt + t) + middle**2 / (2 * b) for b, t in zip(braking, delay, strict=True)],
            axis=0,
        )
        fits = needed <= np.asarray(gap)
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    return np.where(np.asarray(gap) > 0, low, 0.0)


gap = np.concatenate([rng.uniform(0, 6, 12), [0.0, -0.5, 1e-3, 40.0]])
wanted = rng.uniform(0, 4, 16)
wanted[3] = 0.0
one = {"wanted": wanted, "gap": gap, "braking": np.array([1.3]), "delay": np.array([0.25])}
check(
    safe_speed,
    one,
    expected(**one),
    rtol=1e-5,
    atol=1e-7,
    hint="v²/(2b) + v (dt + delay) = gap has one solution that is not negative. A gap of 0 or less: 0. "
    "Never faster than wanted.",
)
several = {**one, "braking": np.array([0.4, 2.0, 1.0]), "delay": np.array([0.1, 1.2, 0.5])}
check(
    safe_speed,
    several,
    expected(**several),
    rtol=1e-5,
    atol=1e-7,
    what="safe_speed for three robots: one brakes badly, one late",
    hint="The slowest of the speeds, gap by gap: near a wall the late robot decides, far away the one "
    "that brakes badly. A robot made of the worst of both would be slower still. See 'A shield'.",
)
check_keyword(
    safe_speed,
    several,
    "dt",
    [(dt, expected(**several, dt=dt)) for dt in (0.1, 0.0, 1.0)],
    rtol=1e-5,
    atol=1e-7,
    hint="The step that is driven before anybody can brake takes dt seconds.",
)
check_kinds(
    safe_speed,
    {
        "wanted": np.array([5.0, 1.0, 9.0]),
        "gap": np.array([3.0, 7.0, -2.0]),
        "braking": np.array([2.0, 1.0]),
        "delay": np.array([1.0, 0.0]),
        "dt": 0.5,
    },
    expected([5, 1, 9], [3, 7, -2], [2, 1], [1, 0], 0.5),
    hint="Whole numbers give fractions.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 8. Into the yard
#
# Everything together. The robot leaves the corridor for the winding paths of the yard, the roads of the
# chapter, and sees them through a camera with one row of pixels. A clone and a DAgger student get the same
# number of your expert's answers. Then a pendulum learns from your advantages, and your filter meets a robot
# with worn brakes.

# %% nbgrader={"grade": false, "grade_id": "finale", "locked": true, "schema_version": 3, "solution": false, "task": false}
from course_lib.data import driving
from course_lib.data.pendulums import Pendulums
from course_lib.models.actor_critic import ActorCritic

seed_everything(0)
practice, yard = driving.draw_roads(20, 0), driving.draw_roads(20, 2)
eye = np.random.default_rng(0)
here = practice


def places(traffic):
    """Where each robot is (n, 4): s, d, psi and the number of its path."""
    return np.column_stack([traffic.state, traffic.road])


def look(states):
    rows = driving.camera(here, states[:, 3].astype(int), states[:, :3])
    return torch.tensor(
        rows + 0.1 * eye.normal(size=rows.shape), dtype=torch.float32, device=device
    )


def answer(states):
    """Your expert at the wheel: the path's bend, and what it adds to it."""
    road = states[:, 3].astype(int)
    along = here.at(road, states[:, 0])[2]
    rate = expert(states[:, 1], along + states[:, 2], along, kp=0.185, kd=1.85)
    return np.arctan(2.7 * here.bend(road, states[:, 0])) + 0.27 * rate


def drive(policy, k, cars=4, steps=100):
    traffic, rows = driving.Traffic(cars, here, start=0.1), []
    traffic.reset(seed=k)
    for _ in range(steps):
        rows.append(places(traffic))
        traffic.step(policy(rows[-1]))
    return np.concatenate(rows)


def learn(states, answers):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 1)).to(device)
    x, y = look(states), torch.tensor(5 * answers, dtype=torch.float32, device=device)
    adam, all_of_them = torch.optim.Adam(model.parameters(), 3e-3), torch.ones(100, dtype=bool)
    for _ in range(500):
        rows = torch.randint(len(y), (100,)).to(device)
        adam.zero_grad()
        cloning_loss(model(x[rows]), y[rows], all_of_them.to(device)).backward()
        adam.step()

    def policy(states):
        with torch.no_grad():
            return model(look(states))[:, 0].double().cpu().numpy() / 5

    return policy


same = np.concatenate([drive(answer, k) for k in range(10)])
drivers = {
    "the expert": answer,
    "cloning": learn(same, answer(same)),
    "DAgger": dagger(drive, answer, learn, 10),
}
here, ways = yard, {}
for name, policy in drivers.items():
    traffic, on, rows = driving.Traffic(100, yard, limit=10**9, start=0.1), np.ones(100, bool), []
    traffic.reset(seed=99)
    for _ in range(400):
        *_, left, _, info = traffic.step(policy(places(traffic)))
        on = on & ~left
        rows.append((np.where(on, np.abs(info["d"]), driving.EDGE), on))
    ways[name] = [np.array(part).mean(axis=1) for part in zip(*rows, strict=True)]
    print(f"{name:10}: {on.mean():4.0%} still on the path after 40 seconds")

env, agent = Pendulums(64), ActorCritic([1, 1, 0.25])
adam = torch.optim.Adam(agent.parameters(), 5e-3)
seen, _ = env.reset(seed=0, stagger=True)


def worth(seen):
    return agent.value(torch.tensor(seen, dtype=torch.float32)).detach().double().numpy()


for k in range(1, 21):
    rows = []
    for _ in range(32):
        state = torch.tensor(seen, dtype=torch.float32)
        action = agent.draw(state)
        seen, r, end, cut, info = env.step(2 * action.double().numpy())
        last = np.where(end | cut, worth(info["final_obs"]), np.nan)
        rows.append((state.numpy(), action.numpy(), r, last, end, cut))
    s, a, r, last, end, cut = (np.array(part) for part in zip(*rows, strict=True))
    A, targets = gae(r, np.concatenate([worth(s), worth(seen)[None]]), last, end, cut, gamma=0.95)
    A = normalized(A, np.ones_like(end))
    s, a, A, targets = (torch.tensor(part).float().flatten(0, 1) for part in (s, a, A, targets))
    with torch.no_grad():
        before = agent.log_prob(s, a)
    for _ in range(8):
        for i in torch.randperm(len(s)).split(1024):
            ratio = (agent.log_prob(s[i], a[i]) - before[i]).exp()
            gain = torch.minimum(ratio * A[i], ratio.clamp(0.8, 1.2) * A[i]).mean()
            off = ((agent.value(s[i]) - targets[i]) ** 2).mean() / 100
            adam.zero_grad()
            (off - gain).backward()
            adam.step()
    if k % 5 == 0:
        print(f"pendulum, round {k:2}: {200 * r.mean():6.0f} per episode while it explores")


sheet, worse = ([1.0], [0.2]), ([1.0, 0.7], [0.2, 0.4])
for title, (braking, delay) in (("the data sheet alone", sheet), ("a worse robot as well", worse)):
    gap = np.linspace(0.2, 4, 50)
    v = safe_speed(np.full(50, 2.0), gap, braking, delay)
    needed = v * (0.1 + 0.4) + v**2 / (2 * 0.7)
    print(
        f"the filter knows {title}: the robot with worn brakes hits {np.mean(needed > gap + 1e-9):.0%}"
    )
figures.drift(
    {name: [far] for name, (far, _) in ways.items()},
    {name: [on] for name, (_, on) in ways.items()},
    driving.DT,
)

# %% [markdown]
# **What you see.** The same expert and the same number of answers, requested in two different ways. A
# pendulum that was told nothing but a cost. And a filter that keeps its promise for every robot on its list,
# and for no other.
#
# ## Step 9. A robot for the wards
#
# *3 points, read by a person. About 100 words.*
#
# A company offers a robot for your wards and writes: "Our network was trained on 2,000 hours of drives by
# staff with a joystick. On 100 hours of further drives that it had not seen, its commands differ from
# theirs by 2 % on average. A certified safety filter rules out collisions."
#
# 1. What does the 2 % not tell you, and which experiment would tell you?
# 2. Name two things in a ward for which the certificate may not hold, and say why.
# 3. The company wants to improve the robot while it is in use, from the moments in which nurses take over.
#    What is good about that, and what is missing from these data?

# %% [markdown] nbgrader={"grade": true, "grade_id": "wards", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# 1. It is measured where the staff drove. The robot's own errors lead it elsewhere, where its errors may be
#    larger, and they add up. Let it drive, in a simulator or an empty corridor, and count how often it
#    touches something or needs help, per hour, with an interval.
# 2. The proof is about a model: how well the brakes work (a wet floor, a heavy load, a worn brake), how late
#    they act, and what the sensors see (a glass door, a hanging cable, a child that runs toward the
#    robot while the model has people stand still).
# 3. These are states that the robot itself came to, with a better command: DAgger. What is missing are the
#    moments in which nobody took over although it went badly or nearly so, and wards and people that
#    interrupt less often. What is not taken over is not labeled as right.
#
# === BEGIN MARK SCHEME ===
# 1. **One point** for the shift between the staff's states and the robot's own, with an experiment in which
#    the robot drives. Half without the experiment.
# 2. **One point** for two different assumptions of the model with a reason each. Half for one.
# 3. **One point** for both: on the student's own states, and what is not interrupted is not seen. Half for
#    one of them.
# === END MARK SCHEME ===
