# ---
# jupyter:
#   course:
#     answers_in:
#     - course_lib.distributed.ring
#     - course_lib.distributed.ddp
#     - course_lib.training
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
# # The cloud: a training on rented machines
#
# - **Time:** 110 minutes. **Difficulty:** 3 of 5. **Points:** 40, of which a person gives 3.
# - **Needs:** the chapter *The cloud*, PyTorch's modules and optimizers, NumPy arrays.
#
# A small laboratory trains on whatever machines are cheap this week, four at a time. You deal out the rows of
# an epoch, weight what the workers found, pass parts of a sum around a ring whose messages are weighed, save
# a run so that it resumes exactly, to the bit, and bill runs that are interrupted. At the end your functions
# train one network on four workers, one run is killed in the middle, and you look for the spot in the curve.
#
# **What is special here**
#
# - All workers live in this notebook. What each worker holds is an entry of a list, and its *rank* is its
#   index in that list, from 0.
# - Input arrays, tensors and lists stay as they are, unless a step says otherwise.
# - Tensors in a result are on the device of the input tensors.
#
# `course_lib.distributed` and `course_lib.training` hold answers to this exercise: leave `ring`, `ddp` and
# `training` closed. What holds in every exercise (how to check, what the tests look at, what counts) is on
# the page *How exercises work* in the appendix.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import copy

import numpy as np
import torch
from torch import nn

from course_lib import get_device

device = get_device()

# %% [markdown]
# ## Step 1. Who takes which rows?
#
# In each epoch all workers draw the same order of the rows,
# `np.random.default_rng([seed, epoch]).permutation(n)`, and worker `rank` takes every `workers`-th row of it,
# beginning with the one at index `rank`. Together they see each row once.


# %% nbgrader={"grade": false, "grade_id": "shard", "locked": false, "schema_version": 3, "solution": true, "task": false}
def shard(n, rank, workers, epoch, seed=0):
    """Choose a worker's rows for one epoch, in the order in which it will take them.

    Parameters
    ----------
    n : int
        Rows of the data.
    rank : int
        The worker, from 0.
    workers : int
    epoch : int
        From 0.
    seed : int
        The same for all workers.

    Returns
    -------
    ndarray of int
        Row numbers. Shards of different workers may differ in length by one.

    Raises
    ------
    ValueError
        When there is no worker of that rank.

    Example
    -------
    >>> print(np.random.default_rng([0, 0]).permutation(7))
    [2 4 3 6 5 0 1]
    >>> print(shard(7, rank=1, workers=3, epoch=0))
    [4 5]
    """
    ### BEGIN SOLUTION
    if not 0 <= rank < workers:
        raise ValueError(f"rank must be from 0 to {workers - 1}, but is {rank}")
    return np.random.default_rng([seed, epoch]).permutation(n)[rank::workers]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-shard", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
from course_lib.exercises import check

check(
    shard,
    {"n": 8, "rank": 0, "workers": 2, "epoch": 0},
    np.random.default_rng([0, 0]).permutation(8)[[0, 2, 4, 6]],
    hint="Draw the order that all share, then take every second row of it. See 'Half a batch each'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-shard-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: other sizes, epochs and seeds, all rows once, ranks that there are not.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_raises

HINT = (
    "The order follows from the seed and the epoch alone, [seed, epoch] in this order, and is the same "
    "for all workers; then every workers-th row, from place rank on. See 'Half a batch each'."
)
for n, workers, epoch, seed in (
    (10, 3, 0, 0),
    (10, 3, 1, 0),
    (10, 3, 1, 5),
    (64, 4, 7, 2),
    (3, 5, 2, 1),
):
    order = np.random.default_rng([seed, epoch]).permutation(n)
    for rank in range(workers):
        args = {"n": n, "rank": rank, "workers": workers, "epoch": epoch}
        args |= {"seed": seed} if seed else {}
        mine = np.array([order[k] for k in range(n) if k % workers == rank], dtype=int)
        check(shard, args, mine, hint=HINT)
for rank in (-1, 3, 4):
    check_raises(
        ValueError,
        shard,
        {"n": 10, "rank": rank, "workers": 3, "epoch": 0},
        hint="Ranks go from 0 to workers - 1. A slice would accept others, and hand out wrong rows.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. The gradient of all rows
#
# Each worker has computed the *mean* gradient of its rows, one tensor for each parameter. Combine them into
# the mean gradient of all rows. Shards may be unequal, and a worker may have had no rows at all: what it
# holds is then worthless (a mean of nothing is nan) and must not count.


# %% nbgrader={"grade": false, "grade_id": "mean_gradient", "locked": false, "schema_version": 3, "solution": true, "task": false}
def mean_gradient(gradients, rows):
    """Combine the mean gradients of workers into the mean over all their rows.

    Parameters
    ----------
    gradients : list of list of Tensor
        For each worker its gradients, one for each parameter, in the parameters' shapes.
    rows : list of int
        How many rows each worker has seen, 0 or more.

    Returns
    -------
    list of Tensor
        One for each parameter.

    Raises
    ------
    ValueError
        When no worker has seen a row.

    Example
    -------
    >>> mean_gradient([[torch.tensor([1.0, 2.0])], [torch.tensor([5.0, 6.0])]], [3, 1])
    [tensor([2., 3.])]
    """
    ### BEGIN SOLUTION
    total = sum(rows)
    if total == 0:
        raise ValueError("no worker has seen a row, so there is no gradient")
    busy = [(mine, n) for mine, n in zip(gradients, rows, strict=True) if n > 0]
    return [
        sum(n / total * gradient for gradient, (_, n) in zip(of_one, busy, strict=True))
        for of_one in zip(*(mine for mine, _ in busy), strict=True)
    ]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-mean_gradient", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
from course_lib.exercises import check

check(
    mean_gradient,
    {
        "gradients": [
            [torch.tensor([4.0, 0.0]), torch.tensor(8.0)],
            [torch.tensor([0.0, 4.0]), torch.tensor(0.0)],
        ],
        "rows": [30, 10],
    },
    [torch.tensor([3.0, 1.0]), torch.tensor(6.0)],
    hint="Each of the 40 rows counts the same. See 'Half a batch each'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-mean_gradient-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: more workers, shapes of parameters, workers without rows, nothing at all.
### BEGIN HIDDEN TESTS
import numpy as np
import torch

from course_lib import get_device
from course_lib.exercises import check, check_raises, rng

HINT = (
    "A worker with n_r of the n rows counts n_r / n. Leave out workers without rows: 0 times nan is nan. "
    "See 'Half a batch each'."
)
draw = rng()
shapes = [(3, 2), (2,), (1, 4), ()]
for rows in ([5, 5], [7, 2, 4], [0, 3, 1], [6, 0, 0, 1], [9]):
    values = [[draw.normal(size=shape) for shape in shapes] for _ in rows]
    for worker, n in enumerate(rows):
        if n == 0:
            values[worker] = [np.full(shape, np.nan) for shape in shapes]
    expected = [
        sum(n * mine[k] for n, mine in zip(rows, values, strict=True) if n) / sum(rows)
        for k in range(len(shapes))
    ]

    def tensors(arrays):
        return [torch.tensor(np.asarray(a, dtype=np.float32), device=get_device()) for a in arrays]

    check(
        mean_gradient,
        {"gradients": [tensors(mine) for mine in values], "rows": rows},
        tensors(expected),
        rtol=1e-4,
        atol=1e-6,
        hint=HINT,
    )
for rows in ([0], [0, 0]):
    check_raises(
        ValueError,
        mean_gradient,
        {"gradients": [[torch.full((2,), float("nan"))] for _ in rows], "rows": rows},
        hint="Without any row there is no mean: say so.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. One machine as many
#
# A batch does not fit into memory, so it goes through the model in *micro-batches* of at most `size` rows,
# in their order; the last may be smaller. Leave in each parameter's `.grad` the gradient of the mean loss
# over all rows, and nothing of what was there before. Do not take a step.


# %% nbgrader={"grade": false, "grade_id": "accumulate", "locked": false, "schema_version": 3, "solution": true, "task": false}
def accumulate(model, loss, X, y, size):
    """Compute the gradient of a whole batch, a few rows at a time.

    Parameters
    ----------
    model : nn.Module
        It never sees more than `size` rows at once. Its gradients are set.
    loss : callable
        ``loss(outputs, targets)`` returns the mean over the rows it is given, a scalar tensor.
    X : Tensor of shape (n, ...)
        On the device of the model.
    y : Tensor of shape (n, ...)
    size : int
        Rows of a micro-batch.

    Returns
    -------
    float
        The mean loss over all n rows.

    Example
    -------
    >>> line = nn.Linear(1, 1, bias=False)
    >>> _ = nn.init.zeros_(line.weight)
    >>> X = torch.tensor([[1.0], [2.0], [3.0]])
    >>> round(accumulate(line, nn.functional.mse_loss, X, X, size=2), 4)  # (1 + 4 + 9) / 3
    4.6667
    >>> line.weight.grad  # -2 (1 + 4 + 9) / 3
    tensor([[-9.3333]])
    """
    ### BEGIN SOLUTION
    model.zero_grad()
    total = 0.0
    for inputs, targets in zip(X.split(size), y.split(size), strict=True):
        share = len(inputs) / len(X) * loss(model(inputs), targets)
        share.backward()
        total += share.item()
    return total
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-accumulate", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
from course_lib.exercises import assert_close, call, probe


def on_a_line(accumulate, size):
    line = nn.Linear(1, 1, bias=False, device=device)
    nn.init.zeros_(line.weight)
    X = torch.tensor([[1.0], [2.0], [3.0], [4.0]], device=device)
    args = {"model": line, "loss": nn.functional.mse_loss, "X": X, "y": 2 * X, "size": size}
    value = call(accumulate, args, changes=["model"])
    return float(value), float(line.weight.grad)


for size in (4, 2):
    assert_close(
        probe(on_a_line, accumulate, size),
        (30.0, -30.0),
        what=f"loss and gradient of a line with weight 0 on four rows with y = 2x, {size} at a time",
        hint="Two micro-batches of two rows each have half of a share. See 'One machine as many'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-accumulate-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: last micro-batches that are smaller, old gradients, the largest batch that the model sees, the weights.
### BEGIN HIDDEN TESTS
import torch
from torch import nn

from course_lib import get_device
from course_lib.exercises import assert_close, assert_equal, call, probe

SECTION = "See 'One machine as many'."


def in_pieces(accumulate, device, n, size):
    """Losses, gradients, lengths of what the model saw; beside those of the whole batch."""
    torch.manual_seed(n)
    seen = []

    class Watched(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 4))

        def forward(self, x):
            seen.append(x.detach().cpu().clone())
            return self.layers(x)

    model = Watched().to(device)
    X, y = torch.randn(n, 3, device=device), torch.randint(0, 4, (n,), device=device)
    wanted = nn.functional.cross_entropy(model.layers(X), y)
    slopes = torch.autograd.grad(wanted, list(model.parameters()))
    before = [p.detach().clone() for p in model.parameters()]
    for p in model.parameters():
        p.grad = torch.full_like(p, 100.0)
    args = {"model": model, "loss": nn.functional.cross_entropy, "X": X, "y": y, "size": size}
    value = call(accumulate, args, changes=["model"])
    moved = any(not torch.equal(p, b) for p, b in zip(model.parameters(), before, strict=True))
    got = [torch.zeros_like(p) if p.grad is None else p.grad for p in model.parameters()]
    got, slopes = (torch.cat([g.cpu().flatten() for g in each]) for each in (got, slopes))
    return {
        "loss": (float(value), wanted.item()),
        "gradients": (got, slopes),
        "lengths": [len(part) for part in seen],
        "rows": (torch.cat(seen) if seen else torch.zeros(0), X.cpu()),
        "moved": moved,
        "plain": isinstance(value, float),
    }


for n, size in ((12, 4), (12, 5), (7, 3), (5, 1), (6, 100), (64, 10)):
    found = probe(in_pieces, accumulate, get_device(), n, size)
    name = f"with {n} rows, {size} at a time"
    assert_equal(
        max(found["lengths"], default=0) <= size,
        True,
        what=f"that the model never sees more than {size} rows at once, {name}",
        hint=f"It saw {found['lengths']}. Cut the batch, and run forward and backward on each piece.",
    )
    got, rows = found["rows"]
    assert_close(
        got, rows, what=f"the rows that went through the model, {name}", hint="Each row once."
    )
    got, slopes = found["gradients"]
    assert_close(
        got,
        slopes,
        rtol=1e-4,
        atol=1e-6,
        what=f"the gradients, {name}, after older ones of 100",
        hint="The mean loss of a piece counts as much as its share of the rows, and older gradients do "
        f"not count at all. {SECTION}",
    )
    assert_close(
        *found["loss"],
        rtol=1e-4,
        what=f"the loss that is returned, {name}",
        hint=f"The mean over all rows: pieces are weighted by their rows. {SECTION}",
    )
    assert_equal(
        found["moved"], False, what=f"that the weights moved, {name}", hint="No step is taken."
    )
    assert_equal(
        found["plain"],
        True,
        what="that the loss is returned as a Python float",
        hint="`.item()` makes one of a tensor. A tensor would keep all activations in memory.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. Around the ring: sums
#
# Now the workers sum their arrays in a ring of `P = len(arrays)`. Cut each array into `P` parts with
# `np.array_split` (they need not be equally long). In the first phase, *reduce-scatter*, every worker sends
# one part to its right neighbor in each of `P - 1` steps, and adds what comes from the left to its own. In
# the chapter the finished parts end up one place further on. Here **part `r` of the sum must end up at worker
# `r`**: work out which part each worker has to begin with.
#
# Parts travel only over the network: `send(source, target, part)` weighs a message and returns what arrives
# at the target. It refuses a target that is not the right neighbor `(source + 1) % P`.


# %% nbgrader={"grade": false, "grade_id": "reduce_scatter", "locked": false, "schema_version": 3, "solution": true, "task": false}
def reduce_scatter(arrays, send):
    """Sum arrays in a ring, until each worker has its own part of the sum.

    Parameters
    ----------
    arrays : list of P ndarrays of shape (m,)
        What each worker holds.
    send : callable
        ``send(source, target, part)`` returns the part as it arrives.

    Returns
    -------
    list of P ndarrays
        Part r of the sum, at place r, in the type of the arrays.

    Example
    -------
    >>> def send(source, target, part):
    ...     print(f"{source} to {target}: {part.tolist()}")
    ...     return part.copy()
    >>> parts = reduce_scatter([np.array([1, 2, 3]), np.array([10, 20, 30])], send)
    0 to 1: [3]
    1 to 0: [10, 20]
    >>> [part.tolist() for part in parts]
    [[11, 22], [33]]
    """
    ### BEGIN SOLUTION
    workers = len(arrays)
    held = [np.array_split(array.copy(), workers) for array in arrays]
    for step in range(workers - 1):
        for rank in range(workers):
            part, right = (rank - 1 - step) % workers, (rank + 1) % workers
            held[right][part] += send(rank, right, held[rank][part])
    return [held[rank][rank] for rank in range(workers)]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-reduce_scatter", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
from course_lib.exercises import assert_close, assert_equal, call, probe


def on_a_network(reduce_scatter, arrays):
    workers, sent, wrong = len(arrays), [0] * len(arrays), []

    def send(source, target, part):
        if target != (source + 1) % workers:
            wrong.append((int(source), int(target)))
        sent[source] += part.size
        return part.copy()

    parts = call(reduce_scatter, {"arrays": arrays, "send": send})
    return list(parts), sent, wrong


arrays = [10.0**rank * np.arange(1, 7) for rank in range(3)]
parts, sent, wrong = probe(on_a_network, reduce_scatter, arrays)
SECTION = "See 'A ring'."
assert_equal(wrong, [], what="messages to others than the right neighbor", hint=SECTION)
assert_close(
    np.array(parts),
    np.array([[111.0, 222.0], [333.0, 444.0], [555.0, 666.0]]),
    what="the parts after the reduce-scatter of three workers",
    hint=f"What arrives in the last step must be part r at worker r: count back from there. {SECTION}",
)
assert_equal(
    sent, [4, 4, 4], what="numbers that each worker has sent", hint=f"Two parts each. {SECTION}"
)

# %% nbgrader={"grade": true, "grade_id": "test-reduce_scatter-hidden", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Hidden: more workers, lengths that cannot be divided, one worker, whole numbers; who sent how much, in how many messages.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_close, assert_equal, call, probe, rng

SECTION = "See 'A ring'."


def weighed(reduce_scatter, arrays):
    """The parts, and what went over the network."""
    workers = len(arrays)
    sent, messages, wrong = [0] * workers, [0] * workers, []

    def send(source, target, part):
        if not (0 <= source < workers and target == (source + 1) % workers):
            wrong.append((int(source), int(target)))
        sent[source % workers] += part.nbytes
        messages[source % workers] += 1
        return part.copy()

    parts = [np.asarray(p) for p in call(reduce_scatter, {"arrays": arrays, "send": send})]
    return parts, [str(part.dtype) for part in parts], sent, messages, wrong


draw = rng()
cases = [
    ("two workers, 5 numbers", draw.normal(size=(2, 5))),
    ("four workers, 8 numbers", draw.normal(size=(4, 8))),
    ("four workers, 10 numbers", draw.normal(size=(4, 10))),
    ("five workers, 3 numbers", draw.normal(size=(5, 3))),
    ("seven workers, 30 whole numbers", draw.integers(-99, 99, size=(7, 30))),
    ("one worker", draw.normal(size=(1, 4))),
]
for name, stacked in cases:
    arrays = list(stacked)
    workers = len(arrays)
    parts, types, sent, messages, wrong = probe(weighed, reduce_scatter, arrays)
    assert_equal(
        wrong,
        [],
        what=f"messages (from, to) that do not go to the right neighbor, {name}",
        hint=f"Worker r speaks to (r + 1) % P alone, also the last one. {SECTION}",
    )
    expected = np.array_split(sum(arrays), workers)
    assert_equal(
        [np.shape(part) for part in parts],
        [part.shape for part in expected],
        what=f"the shapes of the parts that are returned, {name}",
        hint=f"One part for each worker, cut by np.array_split, part r at place r. {SECTION}",
    )
    assert_equal(
        types,
        [str(stacked.dtype)] * workers,
        what=f"the types of the parts, {name}",
        hint="A sum of whole numbers is whole, and no digits get lost on the way.",
    )
    assert_close(
        np.concatenate(parts),
        np.concatenate(expected),
        what=f"the parts of the sum, one after the other, {name}",
        hint="The part that worker r is to own has been everywhere else before: it begins at the right "
        f"neighbor of r, and comes to r last. {SECTION}",
    )
    assert_equal(
        messages,
        [workers - 1] * workers,
        what=f"messages that each worker has sent, {name}",
        hint=f"P - 1 steps, one part in each. {SECTION}",
    )
    sizes = [len(part) * stacked.itemsize for part in expected]
    assert_equal(
        sent,
        [sum(sizes) - sizes[rank] for rank in range(workers)],
        what=f"bytes that each worker has sent, {name}",
        hint=f"Every part but its own, once, however long the parts are. {SECTION}",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. Around the ring: copies
#
# In the second phase, *all-gather*, the finished parts go around, again to the right and in `P - 1` steps,
# until every worker has all of them. The network is as before.


# %% nbgrader={"grade": false, "grade_id": "all_gather", "locked": false, "schema_version": 3, "solution": true, "task": false}
def all_gather(parts, send):
    """Pass finished parts around a ring, until each worker has the whole.

    Parameters
    ----------
    parts : list of P ndarrays with one axis
        Part r, at place r. Lengths may differ.
    send : callable
        ``send(source, target, part)`` returns the part as it arrives.

    Returns
    -------
    list of P ndarrays of shape (m,)
        What each worker holds at the end: the parts one after the other. No two share memory.

    Example
    -------
    >>> def send(source, target, part):
    ...     print(f"{source} to {target}: {part.tolist()}")
    ...     return part.copy()
    >>> [whole.tolist() for whole in all_gather([np.array([11, 22]), np.array([33])], send)]
    0 to 1: [11, 22]
    1 to 0: [33]
    [[11, 22, 33], [11, 22, 33]]
    """
    ### BEGIN SOLUTION
    workers = len(parts)
    held = [{rank: part} for rank, part in enumerate(parts)]
    for step in range(workers - 1):
        for rank in range(workers):
            which, right = (rank - step) % workers, (rank + 1) % workers
            held[right][which] = send(rank, right, held[rank][which])
    return [np.concatenate([mine[k] for k in range(workers)]) for mine in held]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-all_gather", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
from course_lib.exercises import assert_close, assert_equal, probe

parts = [np.array([1.0, 2.0]), np.array([3.0]), np.array([4.0])]
wholes, sent, wrong = probe(on_a_network, all_gather, parts)
assert_equal(wrong, [], what="messages to others than the right neighbor", hint="See 'A ring'.")
assert_close(
    np.array(wholes),
    np.array([[1.0, 2.0, 3.0, 4.0]] * 3),
    what="what three workers hold after the all-gather",
    hint="In each step a worker passes on what it received in the last. See 'A ring'.",
)
assert_equal(sent, [3, 3, 2], what="numbers that each worker has sent", hint="See 'A ring'.")

# %% nbgrader={"grade": true, "grade_id": "test-all_gather-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: more workers, other lengths, one worker, messages; results that share nothing.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import assert_close, assert_equal, call, probe, rng

SECTION = "See 'A ring'."


def gathered(all_gather, parts):
    workers = len(parts)
    sent, messages, wrong = [0] * workers, [0] * workers, []

    def send(source, target, part):
        if not (0 <= source < workers and target == (source + 1) % workers):
            wrong.append((int(source), int(target)))
        sent[source % workers] += part.nbytes
        messages[source % workers] += 1
        return part.copy()

    # The parts themselves: results must not share memory with them.
    wholes = list(call(all_gather, {"parts": parts, "send": send}, copies=False))
    result = [np.array(whole) for whole in wholes]
    kept = [part.copy() for part in parts]
    shared = []
    for k, whole in enumerate(wholes):
        if isinstance(whole, np.ndarray) and whole.size:
            whole += 1000
            others = [w for j, w in enumerate(wholes) if j > k]
            shared += [
                not np.array_equal(w, r) for w, r in zip(others, result[k + 1 :], strict=True)
            ]
    shared += [not np.array_equal(part, k) for part, k in zip(parts, kept, strict=True)]
    return result, sent, messages, wrong, any(shared)


draw = rng()
for name, lengths in (
    ("two workers", (3, 2)),
    ("four workers", (2, 2, 2, 2)),
    ("five workers, two of them without a number", (1, 1, 1, 0, 0)),
    ("six workers", (5, 5, 5, 4, 4, 4)),
    ("one worker", (4,)),
):
    parts = [draw.normal(size=length) for length in lengths]
    workers, size, whole = len(parts), sum(lengths), np.concatenate(parts)
    wholes, sent, messages, wrong, shared = probe(gathered, all_gather, parts)
    assert_equal(
        wrong,
        [],
        what=f"messages (from, to) that do not go to the right neighbor, {name}",
        hint=SECTION,
    )
    assert_equal(
        [np.shape(whole) for whole in wholes],
        [(size,)] * workers,
        what=f"the shapes of what the workers hold, {name}",
        hint=f"All parts, one after the other, for each worker. {SECTION}",
    )
    assert_close(
        np.array(wholes),
        np.array([whole] * workers),
        what=f"what each worker holds, {name}",
        hint=f"Pass on what came in the step before, {workers - 1} times. {SECTION}",
    )
    assert_equal(
        messages,
        [workers - 1] * workers,
        what=f"messages that each worker has sent, {name}",
        hint=f"P - 1 steps, one part in each. {SECTION}",
    )
    # Worker r sends all parts but that of its right neighbor.
    assert_equal(
        sent,
        [8 * (size - lengths[(rank + 1) % workers]) for rank in range(workers)],
        what=f"bytes that each worker has sent, {name}",
        hint=f"One part in each step: its own first, and never its right neighbor's. {SECTION}",
    )
    assert_equal(
        shared,
        False,
        what=f"that results share memory with each other or with the parts, {name}",
        hint="Workers are machines of their own: give each an array of its own.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. Killed, and taken up again
#
# A run consists of a model (with dropout, say), an optimizer, a `torch.Generator` that draws the order of the
# rows, and the number of steps that it has taken. Save everything that must be known to resume exactly, and
# restore it. The models of this step are on the CPU, where dropout draws from the generator whose state
# `torch.get_rng_state()` returns.
#
# What you save must stay as it is while training goes on, must not change when it is restored (somebody may
# need it twice), and must consist of tensors, numbers, strings, None, lists, tuples and dictionaries, so that
# `torch.save` writes it and `torch.load(..., weights_only=True)` reads it again.


# %% nbgrader={"grade": false, "grade_id": "capture", "locked": false, "schema_version": 3, "solution": true, "task": false}
def capture(model, optimizer, generator, step):
    """Write down the state of a run.

    Parameters
    ----------
    model : nn.Module
    optimizer : torch.optim.Optimizer
    generator : torch.Generator
    step : int

    Returns
    -------
    dict
        Whatever `restore` needs. It changes nothing in the run.
    """
    ### BEGIN SOLUTION
    return copy.deepcopy(
        {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "order": generator.get_state(),
            "dropout": torch.get_rng_state(),
            "step": step,
        }
    )
    ### END SOLUTION


def restore(state, model, optimizer, generator):
    """Bring a run into the state that was written down.

    Parameters
    ----------
    state : dict
        From `capture`, possibly of another process. It stays as it is, whatever the run does next.
    model, optimizer, generator
        Made like those of the run. They are changed.

    Returns
    -------
    int
        The steps that had been taken.
    """
    ### BEGIN SOLUTION
    state = copy.deepcopy(state)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    generator.set_state(state["order"])
    torch.set_rng_state(state["dropout"])
    return state["step"]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-resume", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
from course_lib.exercises import assert_equal, probe


def goes_on(capture, restore):
    """Take steps, go back, take them again; return the largest difference and the step."""

    def steps(count):
        for _ in range(count):
            rows = torch.randperm(12, generator=generator)[:4]
            optimizer.zero_grad()
            model(X[rows]).square().mean().backward()
            optimizer.step()
        return torch.cat([p.detach().flatten() for p in model.parameters()])

    torch.manual_seed(0)
    X, generator = torch.randn(12, 3), torch.Generator().manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    steps(3)
    state = capture(model, optimizer, generator, 3)
    first = steps(3)
    step = restore(state, model, optimizer, generator)
    return float((steps(3) - first).abs().max()), int(step)


assert_equal(
    probe(goes_on, capture, restore),
    (0.0, 3),
    what="the largest difference between weights after going back and taking the same steps, and the step",
    hint="Weights, momentum, the order and dropout must all be as they were. See 'Killed'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-resume-hidden", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Hidden: another process (through a file, into fresh objects), other optimizers, twice, and what must not change.
### BEGIN HIDDEN TESTS
import io

import torch
from torch import nn

from course_lib.exercises import assert_equal, probe

SECTION = "See 'Killed'."


def resumed(capture, restore, kind):
    """Differences in weights after the same steps: by what was tried."""

    class Run:
        def __init__(self, seed):
            torch.manual_seed(seed)
            self.model = nn.Sequential(
                nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 1)
            )
            make = {
                "SGD": lambda p: torch.optim.SGD(p, lr=0.1),
                "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
                "Adam": lambda p: torch.optim.Adam(p, lr=0.05),
            }
            self.optimizer = make[kind](self.model.parameters())
            self.generator = torch.Generator().manual_seed(seed)
            self.parts = self.model, self.optimizer, self.generator

        def steps(self, count):
            X = torch.linspace(-1, 1, 36).reshape(12, 3)
            for _ in range(count):
                rows = torch.randperm(12, generator=self.generator)[:4]
                self.optimizer.zero_grad()
                self.model(X[rows]).square().mean().backward()
                self.optimizer.step()
            state = self.model.state_dict()
            return torch.cat([value.double().flatten() for value in state.values()])

    def gap(a, b):
        return float((a - b).abs().max())

    found = {}
    plain = Run(0)
    plain.steps(4)
    undisturbed = plain.steps(5)

    run = Run(0)
    run.steps(4)
    state = capture(*run.parts, 4)
    found["after writing it down"] = gap(run.steps(5), undisturbed)
    buffer = io.BytesIO()
    torch.save(state, buffer)
    buffer.seek(0)
    try:
        loaded = torch.load(buffer, weights_only=True)
    except Exception as error:
        return {"unreadable": f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"}
    other = Run(1)
    other.steps(2)
    torch.manual_seed(99)
    found["step"] = int(restore(loaded, *other.parts))
    found["in another process"] = gap(other.steps(5), undisturbed)
    restore(loaded, *other.parts)
    found["a second time from the same"] = gap(other.steps(5), undisturbed)
    run.steps(3)
    restore(state, *run.parts)
    found["in the old process, after it had gone on"] = gap(run.steps(5), undisturbed)
    return found


for kind in ("SGD", "momentum", "Adam"):
    found = probe(resumed, capture, restore, kind)
    assert_equal(
        found.get("unreadable", ""),
        "",
        what="what torch.load(..., weights_only=True) complains of after torch.save",
        hint="A file holds tensors, numbers, texts and containers of them, and no objects: state_dict() "
        f"gives such things. {SECTION}",
    )
    assert_equal(found.pop("step"), 4, what="the step that restore returns", hint=SECTION)
    for name, hint in (
        (
            "after writing it down",
            "Writing down must change nothing in the run: it draws no numbers.",
        ),
        (
            "in another process",
            "Everything that changes from step to step: parameters and statistics, the optimizer's state, "
            "the generator of the order, and the one that dropout draws from.",
        ),
        (
            "a second time from the same",
            "What was written down belongs to the file: copy it before you hand it to model or optimizer, "
            "which may go on writing into the very tensors that they are given.",
        ),
        (
            "in the old process, after it had gone on",
            "state_dict() hands out the tensors themselves, which change with the next step: copy them.",
        ),
    ):
        assert_equal(
            found[name],
            0.0,
            what=f"the largest difference to an undisturbed run, {name} ({kind})",
            hint=f"{hint} {SECTION}",
        )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 7. The bill of an interrupted run
#
# A run needs `work` hours of computing. After every `every` hours of computing it saves a checkpoint, and
# once more at the end, where the last stretch may be shorter: the result is a checkpoint, too. Saving takes
# `save` hours. `failures` are the hours on the clock at which machines of this kind are taken away, in
# increasing order. A failure undoes everything since the last checkpoint that was finished by then (finished
# at that very moment counts). It takes `restart` hours until there is a new machine, and failures *before* it
# is there have no effect. Then the run goes on from the checkpoint.
#
# You pay `price` per hour, for the hours in which you have a machine.


# %% nbgrader={"grade": false, "grade_id": "bill", "locked": false, "schema_version": 3, "solution": true, "task": false}
def bill(work, every, save, failures, restart, price):
    """Follow a run through its failures.

    Parameters
    ----------
    work : float
        Hours of computing.
    every : float
        Hours of computing between two checkpoints.
    save : float
        Hours that a checkpoint takes.
    failures : list of float
        Hours on the clock, from the start of the run, in increasing order.
    restart : float
        Hours from a failure to the next machine.
    price : float
        Per hour.

    Returns
    -------
    hours, paid : float
        On the clock when the last checkpoint is finished, and what it cost.

    Raises
    ------
    ValueError
        When `every` is not positive.

    Example
    -------
    >>> bill(work=4, every=2, save=0.5, failures=[1.0, 4.0], restart=0.25, price=10)
    (6.75, 62.5)

    The first hour is lost. From 1.25 to 3.75 the first half is done and saved. A quarter of an hour of
    the second half is lost at 4.0, and from 4.25 on it takes another 2.5 hours.
    """
    ### BEGIN SOLUTION
    if every <= 0:
        raise ValueError(f"every must be positive, but is {every}")
    clock = paid = done = 0.0
    failures = list(failures)
    while done < work:
        stretch = min(every, work - done)
        while failures and failures[0] < clock:  # there was no machine to hit
            failures.pop(0)
        if failures and failures[0] < clock + stretch + save:
            failure = failures.pop(0)
            paid += failure - clock
            clock = failure + restart
        else:
            clock += stretch + save
            paid += stretch + save
            done += stretch
    return clock, price * paid
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-bill", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
from course_lib.exercises import check

args = {"work": 4, "every": 2, "save": 0.5, "failures": [], "restart": 0.25, "price": 10}
HINT = (
    "Go from checkpoint to checkpoint; a failure on the way throws you back, and you pay for the hours with "
    "a machine. See 'A machine that may be taken away'."
)
check(bill, args, (5.0, 50.0), hint=HINT)
check(bill, {**args, "failures": [1.5]}, (6.75, 65.0), hint=HINT)

# %% nbgrader={"grade": true, "grade_id": "test-bill-hidden", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Hidden: failures while saving, at the end of saving, during a restart, after the end; short last stretches; no time to save.
### BEGIN HIDDEN TESTS
from course_lib.exercises import check, check_raises

SECTION = "See 'A machine that may be taken away'."
base = {"work": 4, "every": 2, "save": 0.5, "failures": [], "restart": 0.25, "price": 10}
for what, changed, expected, hint in (
    (
        "without a failure, in stretches of 2, 2 and 1 hours",
        {"work": 5},
        (6.5, 65.0),
        "The last stretch is shorter, and is saved as well.",
    ),
    (
        "checkpoints rarer than the work is long",
        {"every": 50},
        (4.5, 45.0),
        "It saves at the end alone.",
    ),
    (
        "a failure while saving",
        {"failures": [2.25]},
        (7.5, 72.5),
        "A checkpoint counts when it is finished.",
    ),
    (
        "a failure at the moment at which a checkpoint is finished",
        {"failures": [2.5]},
        (5.25, 50.0),
        "The checkpoint counts, and the machine is gone.",
    ),
    (
        "failures while there is no machine",
        {"failures": [1.0, 1.125, 1.1875]},
        (6.25, 60.0),
        "They hit nobody.",
    ),
    (
        "failures one after the other",
        {"failures": [1.0, 2.0, 3.0]},
        (8.25, 75.0),
        "Each throws the run back to its last checkpoint.",
    ),
    ("failures after the end", {"failures": [5.0, 9.0]}, (5.0, 50.0), "The run is over by then."),
    (
        "a failure in the second half",
        {"failures": [4.5], "restart": 2.0},
        (9.0, 70.0),
        "Only what was done since the last checkpoint is lost, and waiting costs nothing but time.",
    ),
    (
        "saving takes no time",
        {"save": 0.0, "failures": [3.0]},
        (5.25, 50.0),
        "2 hours are safe by then.",
    ),
    (
        "another price",
        {"price": 2.5, "failures": [1.0]},
        (6.25, 15.0),
        "Hours with a machine, times price.",
    ),
    ("no work", {"work": 0}, (0.0, 0.0), "Nothing to do, nothing to save."),
):
    check(
        bill, {**base, **changed}, expected, what=f"bill(...) with {what}", hint=f"{hint} {SECTION}"
    )
for every in (0, -1):
    check_raises(
        ValueError, bill, {**base, "every": every}, hint="It would never come to a checkpoint."
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 8. Four workers, one killed run
#
# All of it at once. One machine trains with batches of 64 rows. Four workers train with 16 rows each: your
# shards, your ring, your mean. Their run is killed in the middle, in the third epoch, and resumed from your
# checkpoint by a program that has nothing but the file.

# %% nbgrader={"grade": false, "grade_id": "finale", "locked": true, "schema_version": 3, "solution": false, "task": false}
import io

from course_lib.data import digits, splits
from course_lib.plotting import new_figure
from course_lib.plotting.style import MUTED

part = splits.split(*digits.load(), seed=0).train
X, y = torch.tensor(part.X, dtype=torch.float32, device=device), torch.tensor(part.y, device=device)
WORKERS, ROWS, KILLED = 4, 16, 60
weighed = [0] * WORKERS


def send(source, target, message):
    weighed[source] += message.nbytes
    return message.copy()


class Run:
    """Four workers with one network, which lives here once, since all would hold the same."""

    def __init__(self, seed):
        torch.manual_seed(seed)
        self.model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)).to(device)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.3, momentum=0.9)
        self.generator = torch.Generator().manual_seed(seed)
        self.parts = self.model, self.optimizer, self.generator
        self.step = 0

    def batches(self):
        """The rows of each worker for the coming step."""
        per_epoch = len(X) // (WORKERS * ROWS) + 1
        epoch, place = divmod(self.step, per_epoch)
        shards = [shard(len(X), rank, WORKERS, epoch) for rank in range(WORKERS)]
        return [rows[place * ROWS : (place + 1) * ROWS] for rows in shards]

    def take_step(self, together):
        """One step, by one machine or by four; return the loss."""
        shares = [np.concatenate(self.batches())] if together else self.batches()
        losses, gradients, rows = [], [], [len(share) for share in shares]
        for share in shares:
            if len(share):
                loss = accumulate(self.model, nn.functional.cross_entropy, X[share], y[share], ROWS)
                losses.append(len(share) * loss)
            gradients.append([p.grad.clone() for p in self.model.parameters()])
        if not together:  # what each adds to the mean goes through the ring
            total = sum(rows)
            flat = [
                torch.cat([n / total * g.flatten() for g in mine]).cpu().double().numpy()
                for mine, n in zip(gradients, rows, strict=True)
            ]
            around = all_gather(reduce_scatter(flat, send), send)
            combined = mean_gradient(gradients, rows)
            by_ring = torch.tensor(around[0], device=device).float()
            for p, g, r in zip(
                self.model.parameters(),
                combined,
                by_ring.split([p.numel() for p in self.model.parameters()]),
                strict=True,
            ):
                assert torch.allclose(g.flatten(), r, atol=1e-5), "ring and mean disagree"
                p.grad = r.reshape(p.shape)
        self.optimizer.step()
        self.step += 1
        return sum(losses) / sum(rows)


alone, crew = Run(0), Run(0)
one_machine = [alone.take_step(together=True) for _ in range(120)]
four_workers = [crew.take_step(together=False) for _ in range(KILLED)]
file = io.BytesIO()
torch.save(capture(*crew.parts, crew.step), file)
file.seek(0)
del crew  # the machine is gone

again = Run(1)  # other weights, other numbers
again.step = restore(torch.load(file, weights_only=True), *again.parts)
four_workers += [again.take_step(together=False) for _ in range(120 - KILLED)]

size = 8 * sum(p.numel() for p in again.model.parameters())
print(f"bytes sent by each worker: {np.mean(weighed) / size / 120:.3f} gradients a step")
print(
    f"largest difference of the losses: {np.abs(np.subtract(one_machine, four_workers)).max():.0e}"
)
for name, every in (("every half hour", 0.5), ("every 4 hours", 4), ("never", 24)):
    hours, paid = bill(24, every, 1 / 32, [3.0, 7.5, 9.0, 16.0, 21.0, 30.0, 33.0, 41.0], 0.25, 8.0)
    print(f"24 hours of work at 8 an hour, saved {name}: {hours:.1f} hours, {paid:.0f} to pay")
figure, axes = new_figure(height=3.0)
axes.plot(one_machine, color=MUTED, linewidth=4, alpha=0.4, label="one machine")
axes.plot(four_workers, linewidth=1.2, label="four workers, killed once")
axes.set(xlabel="step", ylabel="loss", ylim=(0, None))
_ = axes.legend()
figure

# %% [markdown]
# **What you see.** One curve lies on top of the other, and nothing shows where the run was killed. That is
# the point of all seven steps: how many machines there are, and how often one of them dies, affects time and
# money, and must not affect what is learned.
#
# ## Step 9. A run of two weeks
#
# *3 points, read by a person. About 120 words.*
#
# A training run takes 14 days on one machine with eight GPUs. You may rent the machine at the full price, or
# as a spot instance at 35 % of it, where it is taken away every 6 hours on average. Writing a checkpoint
# takes 3 minutes, and a new machine arrives after 10.
#
# 1. How often should the run save a checkpoint, and about how much longer than 14 days does it take on spot
#    instances? Is it worth it?
# 2. A colleague saves only the weights, "since the optimizer fills up again by itself". What is your answer?
# 3. Somebody proposes four machines with the same batch *per machine*, to be done in three and a half days.
#    Name two things that could keep that from coming true.

# %% [markdown] nbgrader={"grade": true, "grade_id": "plan", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# 1. Young: sqrt(2 * 0.05 h * 6 h) = 0.77 hours, about every 46 minutes. Saving costs 0.05 / 0.77 = 6.5 % of
#    the time, a failure every 6 hours undoes half an interval (6.5 %) and waits 10 minutes (3 %): about 16 to
#    18 % longer, 16.5 days. 0.35 * 1.17 = 41 % of the full bill: worth it, if the date allows it and there is
#    always a machine to come.
# 2. It is another run from then on: the running means begin at zero, the first steps have other sizes, with
#    56 failures in two weeks again and again. And nobody can reproduce a fault. The means cost twice the
#    weights on the disk, which is cheap.
# 3. The all-reduce (links, latency, stragglers) takes part of each step; the batch is four times as large, so
#    the learning rate has to grow with it, and at some point that does not hold any more, so more epochs are
#    needed. Also: four machines fail four times as often.
#
# === BEGIN MARK SCHEME ===
# 1. **One point** for about 46 minutes (40 to 50) and an overhead of 10 to 25 % with a reasoned yes. Half for
#    one of the two.
# 2. **One point** for "another run" with a consequence (steps, momentum or means from zero; not
#    reproducible). Half for the claim alone.
# 3. **One point** for two of: communication, learning rate or limits of large batches, more failures, unequal
#    workers, data loading. Half for one.
# === END MARK SCHEME ===
