# ---
# jupyter:
#   course:
#     answers_in:
#     - course_lib.models.lstm
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
# # LSTM and GRU: read it, and write it down again
#
# - **Time:** 100 minutes. **Difficulty:** 3 of 5. **Points:** 34, of which a person gives 4.
# - **Needs:** the chapter *LSTM and GRU*, PyTorch's tensors.
#
# Somebody reads a row of digits to you, and you write it down from memory. You build a network that does this
# from your own cells: an LSTM and a GRU that run over sequences, another library's weights rearranged into
# your order, a forget bias that fits the distance, and a decoder that writes one digit after another and
# reads what it has written. At the end you see how many digits each of them can hold.
#
# **What is special here**
#
# - Everything is PyTorch. Weights are applied from the right, as in the chapter: `x @ W_x + h @ W_h + b`,
#   with `W_x` of shape (d, 4 u), for u units.
# - Gradients must flow through what you write: no `.item()`, no `.detach()`, nothing copied into NumPy.
# - Make new tensors on the device of the inputs, and with their dtype (`x.new_zeros`): they may be on a GPU.
#
# `course_lib.models.lstm` holds answers to this exercise: leave it closed, and write the cells yourself
# instead of calling those of `torch.nn`. What holds in every exercise (how to check, what the tests look
# at, what counts) is on the page *How exercises work* in the appendix.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import math

import torch
from torch import nn

from course_lib import get_device, seed_everything

device = get_device()

# %% [markdown]
# ## Step 1. Blocks in another order
#
# Some libraries store the four blocks of an LSTM as forget, candidate, input, output; others in yet another
# order. Rearrange them into the chapter's order i, f, g, o. `order` names the blocks as they come: `"fgio"`
# says that the first quarter of the columns belongs to the forget gate.


# %% nbgrader={"grade": false, "grade_id": "reorder", "locked": false, "schema_version": 3, "solution": true, "task": false}
def reorder(blocks, order):
    """Bring the four blocks of an LSTM's weights or biases into the order i, f, g, o.

    Parameters
    ----------
    blocks : Tensor, shape (..., 4 * u)
        Weights of any shape, or biases; along the last dimension, four blocks of u.
    order : str
        Which block each is: the letters i, f, g and o, once each.

    Returns
    -------
    Tensor
        Of the same shape and dtype. The one that came stays as it is.

    Raises
    ------
    ValueError
        If `order` does not have these four letters, once each.

    Example
    -------
    >>> reorder(torch.tensor([1, 1, 2, 2, 3, 3, 4, 4]), "fgio").tolist()
    [3, 3, 1, 1, 2, 2, 4, 4]
    """
    ### BEGIN SOLUTION
    if sorted(order) != sorted("ifgo"):
        raise ValueError(f"order must have the letters i, f, g and o once each, but is {order!r}.")
    parts = dict(zip(order, blocks.chunk(4, dim=-1), strict=True))
    return torch.cat([parts[name] for name in "ifgo"], dim=-1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-reorder", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch

from course_lib import get_device
from course_lib.exercises import check

blocks = torch.tensor([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]], device=get_device())
check(
    reorder,
    {"blocks": blocks, "order": "oifg"},
    blocks[:, [1, 2, 3, 0]],
    hint="The first column is the output gate's, and goes to the end. See 'A state that is added to'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-reorder-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: every order, blocks of several columns, biases, several dimensions, whole numbers, wrong orders.
### BEGIN HIDDEN TESTS
from itertools import permutations

import torch

from course_lib import get_device
from course_lib.exercises import check, check_raises

hint = (
    "The block of each letter goes to the place of the letter in ifgo: the first block that comes out is "
    "blocks[..., k * u:(k + 1) * u] with k the place of i in the order that came, and not the other way "
    "around. See 'A state that is added to'."
)
for number, letters in enumerate(permutations("ifgo")):
    order, u = "".join(letters), 1 + number % 3
    shape = [(4 * u,), (3, 4 * u), (2, 3, 4 * u)][number % 3]
    made = torch.arange(math.prod(shape), device=get_device()).reshape(shape)
    made = made if number % 2 else made.double() / 8
    columns = [order.index(name) * u + k for name in "ifgo" for k in range(u)]
    check(reorder, {"blocks": made, "order": order}, made[..., columns], hint=hint)
for order in ("ifg", "iffo", "ifgoo", "ifgx", "IFGO"):
    check_raises(
        ValueError,
        reorder,
        {"blocks": torch.zeros(4), "order": order},
        hint="Four letters, once each: sorted(order) says it.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. An LSTM
#
# Apply the cell at each step of a batch of sequences, from any state. Also return, for each unit, the share
# of the *first* cell state that the forget gates have left in the last one. The chapter has the formula: it
# is the slope along the direct path (see 'How far does the gradient reach?').


# %% nbgrader={"grade": false, "grade_id": "lstm", "locked": false, "schema_version": 3, "solution": true, "task": false}
def lstm(x, W_x, W_h, b, state=None):
    """Go through sequences with an LSTM.

    Parameters
    ----------
    x : Tensor, shape (n, t, d)
        n sequences of t steps, at least 1.
    W_x : Tensor, shape (d, 4 * u)
    W_h : Tensor, shape (u, 4 * u)
    b : Tensor, shape (4 * u,)
        Blocks in the order i, f, g, o.
    state : (h, c), optional
        Tensors of shape (n, u): the hidden state and the cell state before the first step. Without
        it, zeros.

    Returns
    -------
    outputs : Tensor, shape (n, t, u)
        The hidden state after each step.
    state : tuple (h, c)
        Both after the last step.
    kept : Tensor, shape (n, u)
        The product of the forget gates of all steps.

    Example
    -------
    >>> one = torch.ones(1, 1, 1)
    >>> W_x, W_h = torch.zeros(1, 4), torch.zeros(1, 4)
    >>> b = torch.tensor([100.0, 0.0, 100.0, 100.0])  # write 1, keep half, show all
    >>> outputs, (h, c), kept = lstm(torch.cat([one, one], dim=1), W_x, W_h, b)
    >>> c.tolist(), kept.tolist()  # 1, then half of it and 1 again
    ([[1.5]], [[0.25]])
    """
    ### BEGIN SOLUTION
    zeros = x.new_zeros(len(x), len(W_h))
    h, c = (zeros, zeros) if state is None else state
    kept, outputs = torch.ones_like(zeros), []
    for step in x.unbind(dim=1):
        i, f, g, o = (step @ W_x + h @ W_h + b).chunk(4, dim=1)
        f = torch.sigmoid(f)
        c = f * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        kept = kept * f
        outputs.append(h)
    return torch.stack(outputs, dim=1), (h, c), kept
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-lstm", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import math

import torch

from course_lib import get_device
from course_lib.exercises import check

where = get_device()
x = torch.tensor([[[math.log(3.0)], [0.0]]], device=where)
W_x = torch.tensor([[1.0, 0.0, 1.0, 0.0]], device=where)
no = torch.zeros(1, 4, device=where)
# The candidates are tanh(log 3) = 0.8 and 0, the input gates 3/4 and 1/2, the others 1/2.
first, second = 0.75 * 0.8, 0.5 * 0.75 * 0.8
check(
    lstm,
    {"x": x, "W_x": W_x, "W_h": no, "b": torch.zeros(4, device=where)},
    (
        torch.tensor([[[0.5 * math.tanh(first)], [0.5 * math.tanh(second)]]]),
        (torch.tensor([[0.5 * math.tanh(second)]]), torch.tensor([[second]])),
        torch.tensor([[0.25]]),
    ),
    rtol=1e-5,
    hint="Step 1 writes sigmoid(log 3) tanh(log 3) = 3/4 of 0.8 into the cell. Step 2 keeps half of it. "
    "What is shown is half of the tanh of the cell. See 'A state that is added to'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-lstm-hidden", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
# Hidden: several units, each gate by itself, states, single steps, double precision, slopes, two calls in a row.
### BEGIN HIDDEN TESTS
import math

import torch
from torch import nn

from course_lib import get_device
from course_lib.exercises import assert_close, call, check, probe

where = get_device()
generator = torch.Generator().manual_seed(2)


def drawn(*shape, dtype=torch.float32, size=1.0):
    return (size * torch.randn(*shape, generator=generator, dtype=torch.float64)).to(where, dtype)


def squash(z):
    return 1 / (1 + math.exp(-z))


def number_by_number(x, W_x, W_h, b, state):
    """Plain numbers, unit by unit."""
    x, W_x, W_h, b = (v.double().tolist() for v in (x, W_x, W_h, b))
    u, rows, last_h, last_c, shares = len(W_h), [], [], [], []
    for k, sequence in enumerate(x):
        h, c = (v[k].double().tolist() for v in state)
        kept, row = [1.0] * u, []
        for step in sequence:
            a = [
                b[j]
                + sum(s * W_x[m][j] for m, s in enumerate(step))
                + sum(s * W_h[m][j] for m, s in enumerate(h))
                for j in range(4 * u)
            ]
            c = [squash(a[u + j]) * c[j] + squash(a[j]) * math.tanh(a[2 * u + j]) for j in range(u)]
            h = [squash(a[3 * u + j]) * math.tanh(c[j]) for j in range(u)]
            kept = [kept[j] * squash(a[u + j]) for j in range(u)]
            row.append(h)
        rows.append(row)
        last_h.append(h)
        last_c.append(c)
        shares.append(kept)
    make = lambda v: torch.tensor(v, dtype=torch.float64)  # noqa: E731
    return make(rows), (make(last_h), make(last_c)), make(shares)


def in_kind(value, dtype):
    if isinstance(value, tuple):
        return tuple(in_kind(part, dtype) for part in value)
    return value.to(dtype)


hints = (
    "i, f and o are sigmoids and g is a tanh; c = f c + i g; the output is h = o tanh(c), and not c. Blocks "
    "in the order i, f, g, o. See 'A state that is added to'.",
    "The first step goes on from the h and c that came. See 'A state that is added to'.",
)
for n, t, d, u, dtype in (
    (2, 4, 3, 2, torch.float32),
    (1, 1, 1, 3, torch.float64),
    (3, 7, 4, 4, torch.float64),
    (4, 3, 2, 1, torch.float32),
):
    args = {
        "x": drawn(n, t, d, dtype=dtype),
        "W_x": drawn(d, 4 * u, dtype=dtype),
        "W_h": drawn(u, 4 * u, dtype=dtype),
        "b": drawn(4 * u, dtype=dtype),
    }
    near = {"rtol": 1e-4, "atol": 1e-5} if dtype == torch.float32 else {"rtol": 1e-9}
    zeros = torch.zeros(n, u, dtype=dtype)
    state = (drawn(n, u, dtype=dtype), drawn(n, u, dtype=dtype, size=2.0))
    for begin, hint in ((None, hints[0]), (state, hints[1]), (None, hints[0])):
        wanted = number_by_number(*args.values(), (zeros, zeros) if begin is None else begin)
        given_state = {} if begin is None else {"state": begin}
        check(lstm, {**args, **given_state}, in_kind(wanted, dtype), hint=hint, **near)


def slopes(lstm, names, values, state, mask):
    things = {
        name: value.clone().requires_grad_() for name, value in zip(names, values, strict=True)
    }
    begin = tuple(part.clone().requires_grad_() for part in state)
    outputs, (h, c), kept = call(lstm, {**things, "state": begin}, copies=False)
    ((outputs * mask).sum() + (h * c).sum() + kept.sum()).backward()
    every = (*things.values(), *begin)
    return [(torch.zeros_like(v) if v.grad is None else v.grad).cpu() for v in every]


def right(x, W_x, W_h, b, state=None):
    h, c = state
    kept, outputs = torch.ones_like(c), []
    for k in range(x.shape[1]):
        a = nn.functional.linear(x[:, k], W_x.T, b) + nn.functional.linear(h, W_h.T)
        gates = a.view(len(x), 4, -1)
        i, f, o = (gates[:, j].sigmoid() for j in (0, 1, 3))
        c = f * c + i * gates[:, 2].tanh()
        h, kept = o * c.tanh(), kept * f
        outputs.append(h)
    return torch.stack(outputs, dim=1), (h, c), kept


names = ("x", "W_x", "W_h", "b")
values = [drawn(2, 5, 3), drawn(3, 8), drawn(2, 8), drawn(8)]
state, mask = (drawn(2, 2), drawn(2, 2)), drawn(2, 5, 2)
got = probe(slopes, lstm, names, values, state, mask)
for name, came, wanted in zip(
    (*names, "h", "c"), got, slopes(right, names, values, state, mask), strict=True
):
    assert_close(
        came,
        wanted,
        rtol=1e-3,
        atol=1e-5,
        what=f"The slopes in {name} of a sum over outputs, states and kept",
        hint="Slopes must go through every step: nothing detached, no number taken out with .item(), nothing "
        "written over in place.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. A bias for the distance
#
# A cell that keeps a share $f$ per step holds on for about $1/(1-f)$ steps: call that its *reach*. Set the
# forget block of a bias so that a fresh cell has the desired reach. (In a fresh cell, what the weights add to
# the bias is near 0: ignore it.) A single number applies to all units; a tensor has one for each.


# %% nbgrader={"grade": false, "grade_id": "with_reach", "locked": false, "schema_version": 3, "solution": true, "task": false}
def with_reach(b, reach):
    """Replace the forget block of an LSTM's bias.

    Parameters
    ----------
    b : Tensor, shape (4 * u,)
        Blocks in the order i, f, g, o. It stays as it is.
    reach : float, or Tensor of shape (u,)
        The steps that each cell is to hold on for: 1 / (1 - f), where f is the sigmoid of the bias.

    Returns
    -------
    Tensor, shape (4 * u,)
        A new bias, of the same dtype: like `b`, with another forget block.

    Raises
    ------
    ValueError
        If a reach is not above 1: no forget gate has it.

    Example
    -------
    >>> with_reach(torch.tensor([5.0, 5.0, 5.0, 5.0]), 2.0).tolist()  # f = 1/2, so the bias is 0
    [5.0, 0.0, 5.0, 5.0]
    """
    ### BEGIN SOLUTION
    u = len(b) // 4
    reach = torch.as_tensor(reach, dtype=b.dtype, device=b.device)
    if not (reach > 1).all():
        raise ValueError(f"a reach must be above 1, but it is {reach.tolist()}.")
    out = b.clone()
    out[u : 2 * u] = torch.log(reach - 1)  # sigmoid(log(r - 1)) = 1 - 1/r
    return out
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-with_reach", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import math

import torch

from course_lib import get_device
from course_lib.exercises import check

check(
    with_reach,
    {"b": torch.zeros(8, device=get_device()), "reach": 4.0},
    torch.tensor([0.0, 0.0, math.log(3.0), math.log(3.0), 0.0, 0.0, 0.0, 0.0]),
    rtol=1e-5,
    hint="1 / (1 - f) = 4 asks for f = 3/4, and sigmoid(log 3) is 3/4. See 'What a bias decides'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-with_reach-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: other biases, a reach for each unit, short and long reaches, both dtypes, impossible reaches.
### BEGIN HIDDEN TESTS
import math

import torch

from course_lib import get_device
from course_lib.exercises import check, check_keyword, check_raises

where = get_device()
hint = (
    "Solve 1 / (1 - f) = reach for f, and find the bias whose sigmoid it is: log(f / (1 - f)). Only the "
    "second of the four blocks changes. See 'What a bias decides'."
)
for dtype in (torch.float32, torch.float64):
    b = (torch.arange(12) / 8 - 1).to(where, dtype)
    for reach in (1.5, 2.0, 3, 50.0, 1000.0):
        wanted = b.clone()
        wanted[3:6] = math.log(reach - 1)
        check(with_reach, {"b": b, "reach": reach}, wanted, rtol=1e-5, atol=1e-6, hint=hint)
    reaches = torch.tensor([1.25, 9.0, 200.0], dtype=dtype, device=where)
    wanted = b.clone()
    wanted[3:6] = torch.log(reaches - 1)
    check(with_reach, {"b": b, "reach": reaches}, wanted, rtol=1e-5, atol=1e-6, hint=hint)
for reach in (1.0, 0.5, -3.0, torch.tensor([4.0, 1.0], device=where)):
    check_raises(
        ValueError,
        with_reach,
        {"b": torch.zeros(8, device=where), "reach": reach},
        hint="A sigmoid is above 0, so every cell holds on for more than 1 step.",
    )
check_keyword(
    with_reach,
    {"b": torch.ones(4, device=where)},
    "reach",
    [
        (3.0, torch.tensor([1.0, math.log(2), 1.0, 1.0])),
        (9.0, torch.tensor([1.0, math.log(8), 1.0, 1.0])),
    ],
    rtol=1e-5,
    hint=hint,
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. A GRU
#
# Blocks in the order r, z, g (reset, update, candidate). As in the chapter, r acts on the product with the
# weights, `b_h` included. The update gate comes in both conventions: with `z_keeps` (the chapter's and
# PyTorch's), z near 1 keeps the old state; without it, z near 1 overwrites it.


# %% nbgrader={"grade": false, "grade_id": "gru", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gru(x, W_x, W_h, b_x, b_h, h=None, z_keeps=True):
    """Go through sequences with a GRU.

    Parameters
    ----------
    x : Tensor, shape (n, t, d)
        n sequences of t steps, at least 1.
    W_x : Tensor, shape (d, 3 * u)
    W_h : Tensor, shape (u, 3 * u)
    b_x, b_h : Tensor, shape (3 * u,)
        Blocks in the order r, z, g. `b_x` is added to x @ W_x, and `b_h` to h @ W_h.
    h : Tensor, shape (n, u), optional
        The state before the first step; zeros without it.
    z_keeps : bool
        Whether the new state is z h + (1 - z) g, or (1 - z) h + z g.

    Returns
    -------
    outputs : Tensor, shape (n, t, u)
        The state after each step.
    h : Tensor, shape (n, u)
        The state after the last step.

    Example
    -------
    >>> x, W, no = torch.zeros(1, 1, 1), torch.zeros(1, 3), torch.zeros(3)
    >>> b_x = torch.tensor([0.0, 0.0, 100.0])  # z = 1/2, and a candidate of 1
    >>> outputs, h = gru(x, W, W, b_x, no, h=torch.tensor([[0.5]]))
    >>> h.tolist()
    [[0.75]]
    """
    ### BEGIN SOLUTION
    h = x.new_zeros(len(x), len(W_h)) if h is None else h
    outputs = []
    for step in x.unbind(dim=1):
        from_x, from_h = (step @ W_x + b_x).chunk(3, dim=1), (h @ W_h + b_h).chunk(3, dim=1)
        r, z = (torch.sigmoid(from_x[k] + from_h[k]) for k in (0, 1))
        g = torch.tanh(from_x[2] + r * from_h[2])
        h = z * h + (1 - z) * g if z_keeps else (1 - z) * h + z * g
        outputs.append(h)
    return torch.stack(outputs, dim=1), h
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-gru", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import math

import torch

from course_lib import get_device
from course_lib.exercises import check

where = get_device()
log3 = math.log(3.0)
args = {
    "x": torch.zeros(1, 1, 1, device=where),
    "W_x": torch.zeros(1, 3, device=where),
    "W_h": torch.tensor([[0.0, 0.0, 1.0]], device=where),
    "b_x": torch.tensor([0.0, log3, 0.0], device=where),
    "b_h": torch.tensor([0.0, 0.0, log3], device=where),
    "h": torch.tensor([[log3]], device=where),
}
# r = 1/2 and z = 3/4; the candidate is tanh(1/2 (log 3 + log 3)) = 0.8.
check(
    gru,
    args,
    (
        torch.tensor([[[0.75 * log3 + 0.25 * 0.8]]]),
        torch.tensor([[0.75 * log3 + 0.25 * 0.8]]),
    ),
    rtol=1e-5,
    hint="r is 1/2 and multiplies h W_h + b_h = 2 log 3, so the candidate is tanh(log 3) = 0.8; z = 3/4 "
    "keeps. See 'One state, two gates'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-gru-hidden", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Hidden: PyTorch's GRU, several units, beginnings, the other convention, double precision, slopes.
### BEGIN HIDDEN TESTS
import torch
from torch import nn

from course_lib import get_device
from course_lib.exercises import assert_close, call, check, check_keyword, probe

where = get_device()


def theirs(d, u, dtype, seed):
    torch.manual_seed(seed)
    layer = nn.GRU(d, u, batch_first=True).to(dtype)
    with torch.no_grad():
        for weight in layer.parameters():
            weight.mul_(2 * u**0.5)
    return layer


def arguments(layer, x, z_sign=1):
    """PyTorch's weights as the arguments of gru; z_sign -1 turns z into 1 - z."""
    u = layer.hidden_size
    sign = torch.ones(3 * u, dtype=x.dtype)
    sign[u : 2 * u] = z_sign
    weights = [layer.weight_ih_l0.T * sign, layer.weight_hh_l0.T * sign]
    weights += [layer.bias_ih_l0 * sign, layer.bias_hh_l0 * sign]
    weights = [w.detach().contiguous().to(where) for w in weights]
    return dict(zip(("x", "W_x", "W_h", "b_x", "b_h"), (x.to(where), *weights), strict=True))


hint = (
    "r and z are sigmoids; g = tanh(x W_xg + b_xg + r (h W_hg + b_hg)), with r behind the product; blocks in "
    "the order r, z, g; with z_keeps the new state is z h + (1 - z) g. See 'One state, two gates'."
)
for seed, (n, t, d, u, dtype) in enumerate(
    (
        (2, 4, 3, 2, torch.float32),
        (3, 6, 2, 5, torch.float64),
        (1, 1, 1, 3, torch.float64),
        (4, 3, 2, 1, torch.float32),
    )
):
    layer = theirs(d, u, dtype, seed)
    x, h = torch.randn(n, t, d, dtype=dtype), torch.randn(n, u, dtype=dtype)
    near = {"rtol": 1e-3, "atol": 1e-5} if dtype == torch.float32 else {"rtol": 1e-8}
    with torch.no_grad():
        fresh, going_on = layer(x), layer(x, h[None])
    for z_sign, convention in ((1, {}), (1, {"z_keeps": True}), (-1, {"z_keeps": False})):
        args = arguments(layer, x, z_sign)
        what = "The other convention: z near 1 overwrites. " if z_sign < 0 else ""
        check(gru, {**args, **convention}, (fresh[0], fresh[1][0]), hint=what + hint, **near)
        check(
            gru,
            {**args, "h": h.to(where), **convention},
            (going_on[0], going_on[1][0]),
            hint=what + hint,
            **near,
        )
one = arguments(theirs(2, 3, torch.float32, 9), torch.randn(1, 2, 2))
flipped = arguments(theirs(2, 3, torch.float32, 9), one["x"].cpu(), -1)
with torch.no_grad():
    layer = theirs(2, 3, torch.float32, 9)
    forward = layer(one["x"].cpu())
    for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
        getattr(layer, name)[3:6] *= -1
    other = layer(one["x"].cpu())
check_keyword(
    gru,
    one,
    "z_keeps",
    [(True, (forward[0], forward[1][0])), (False, (other[0], other[1][0]))],
    rtol=1e-3,
    atol=1e-5,
    hint="Without z_keeps the new state is (1 - z) h + z g. See 'One state, two gates'.",
)


def slopes(gru, args, mask):
    things = {name: value.clone().requires_grad_() for name, value in args.items()}
    outputs, h = call(gru, things, copies=False)
    ((outputs * mask).sum() + (h * h).sum()).backward()
    every = things.values()
    return [(torch.zeros_like(v) if v.grad is None else v.grad).cpu() for v in every]


def right(x, W_x, W_h, b_x, b_h):
    layer = nn.GRU(x.shape[2], len(W_h), batch_first=True).to(where)
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    weights = dict(zip(names, (W_x.T, W_h.T, b_x, b_h), strict=True))
    outputs, h = torch.func.functional_call(layer, weights, (x,))
    return outputs, h[0]


args = arguments(theirs(3, 4, torch.float32, 5), torch.randn(2, 5, 3))
mask = torch.randn(2, 5, 4).to(where)
got = probe(slopes, gru, args, mask)
for name, came, wanted in zip(args, got, slopes(right, args, mask), strict=True):
    assert_close(
        came,
        wanted,
        rtol=1e-3,
        atol=1e-5,
        what=f"The slopes in {name} of a sum over outputs and the last state",
        hint="Slopes must go through every step: nothing detached, nothing written over in place.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. What the decoder reads
#
# A decoder begins with the state that the encoder left, and predicts one digit after another. In training,
# before it predicts a digit, it reads the *true* digit of the step before. Before the first it reads a
# token that says "start".


# %% nbgrader={"grade": false, "grade_id": "delayed", "locked": false, "schema_version": 3, "solution": true, "task": false}
def delayed(targets, start):
    """Make the inputs of a decoder from its targets.

    Parameters
    ----------
    targets : Tensor of int64, shape (n, t)
        What is to be predicted at each step. It stays as it is.
    start : int
        The token that stands before the first.

    Returns
    -------
    Tensor of int64, shape (n, t)
        At each step, the target of the step before.

    Example
    -------
    >>> delayed(torch.tensor([[3, 1, 4], [1, 5, 9]]), start=10).tolist()
    [[10, 3, 1], [10, 1, 5]]
    """
    ### BEGIN SOLUTION
    first = targets.new_full((len(targets), 1), start)
    return torch.cat([first, targets[:, :-1]], dim=1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-delayed", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch

from course_lib import get_device
from course_lib.exercises import check

check(
    delayed,
    {"targets": torch.tensor([[2, 7, 1, 8]], device=get_device()), "start": 5},
    torch.tensor([[5, 2, 7, 1]]),
    hint="The decoder may not read what it has to predict: everything moves one step to the right, the last "
    "target is read by nobody.",
)

# %% nbgrader={"grade": true, "grade_id": "test-delayed-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: several rows, single steps, other start tokens.
### BEGIN HIDDEN TESTS
import torch

from course_lib import get_device
from course_lib.exercises import check, check_keyword

where = get_device()
for n, t, start in ((3, 5, 10), (4, 1, 0), (1, 7, 99), (5, 2, 3)):
    targets = torch.randint(
        10, (n, t), generator=torch.Generator().manual_seed(10 * n + t), dtype=torch.int64
    ).to(where)
    wanted = [[start, *row[:-1]] for row in targets.tolist()]
    check(
        delayed,
        {"targets": targets, "start": start},
        torch.tensor(wanted),
        hint="At each step the target of the step before, and the start token first. The last row of another "
        "sample has nothing to do with it: move along dimension 1.",
    )
check_keyword(
    delayed,
    {"targets": torch.tensor([[1, 2]], device=where)},
    "start",
    [(7, torch.tensor([[7, 1]])), (4, torch.tensor([[4, 1]]))],
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. Writing
#
# In use there are no true digits. The decoder reads its own last answer: the start token first, then at
# each step the token with the highest score of the step before (of equal ones, the smallest).


# %% nbgrader={"grade": false, "grade_id": "write", "locked": false, "schema_version": 3, "solution": true, "task": false}
def write(decode, state, n, start, length):
    """Let a decoder write.

    Parameters
    ----------
    decode : callable
        ``decode(tokens, state)`` takes the tokens that were written last, int64 of shape (n,), and a
        state. It returns scores of shape (n, k) for the next token, and the next state.
    state : object
        What the encoder left. Hand it on as it is: it may be a tensor, or a pair of them.
    n : int
        How many rows are written at once.
    start : int
        The token that is read before the first.
    length : int
        How many tokens to write, at least 1.

    Returns
    -------
    Tensor of int64, shape (n, length)
        The tokens that were written, on the device of the scores.

    Example
    -------
    >>> def count_down(tokens, state):  # after 3 comes 2, whatever the state
    ...     return nn.functional.one_hot(tokens - 1, 10).float(), state
    >>> write(count_down, None, n=2, start=5, length=3).tolist()
    [[4, 3, 2], [4, 3, 2]]
    """
    ### BEGIN SOLUTION
    tokens = torch.full((n,), start, device=device)
    written = []
    for _ in range(length):
        scores, state = decode(tokens, state)
        tokens = scores.argmax(dim=1)
        written.append(tokens)
    return torch.stack(written, dim=1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-write", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch
from torch import nn

from course_lib.exercises import assert_equal, call, probe


def counting(write):
    def decode(tokens, state):
        return nn.functional.one_hot((tokens + state) % 10, 10).float(), state + 1

    args = {"decode": decode, "state": 1, "n": 2, "start": 3, "length": 4}
    return call(write, args).tolist()


assert_equal(
    probe(counting, write),
    [[4, 6, 9, 3]] * 2,
    what="What a decoder writes that adds 1 to its first token, 2 to the next, 3, 4, beginning with 3",
    hint="3 + 1, then 4 + 2, 6 + 3, 9 + 4: each step reads the token and the state of the step before. The "
    "start token itself is not a part of what is written.",
)

# %% nbgrader={"grade": true, "grade_id": "test-write-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: rows that differ, pairs as states, single tokens, equal scores, how often and with what decode is called, two
# calls in a row.
### BEGIN HIDDEN TESTS
import torch
from torch import nn

from course_lib import get_device
from course_lib.exercises import assert_equal, call, probe


def watched(write, n, start, length, k, seed):
    table = torch.randint(0, 4, (k, k), generator=torch.Generator().manual_seed(seed))
    table = table.float().to(get_device())
    calls = []

    def decode(tokens, state):
        memory, turn = state
        calls.append((tokens.tolist(), str(tokens.dtype), list(tokens.shape), turn))
        scores = table[tokens] + memory
        return scores, (memory.roll(1, dims=1) * 0.5, turn + 1)

    memory = torch.randint(0, 3, (n, k), generator=torch.Generator().manual_seed(seed + 1))
    memory = memory.float().to(get_device())
    args = {"decode": decode, "state": (memory, 0), "n": n, "start": start, "length": length}
    written = call(write, args)
    return written.tolist(), str(written.dtype), calls


def right(decode, state, n, start, length):
    tokens, columns = [start] * n, []
    for _ in range(length):
        scores, state = decode(torch.tensor(tokens, device=get_device()), state)
        tokens = [row.index(max(row)) for row in scores.tolist()]
        columns.append(tokens)
    return torch.tensor(columns).T


for n, start, length, k, seed in (
    (3, 4, 6, 5, 1),
    (1, 0, 1, 3, 2),
    (4, 7, 9, 8, 3),
    (2, 2, 2, 4, 4),
):
    wanted, _, their_calls = watched(right, n, start, length, k, seed)
    written, dtype, calls = probe(watched, write, n, start, length, k, seed)
    about = f"with {n} rows, start {start} and length {length}"
    assert_equal(
        [seen for seen, *_ in calls],
        [seen for seen, *_ in their_calls],
        what=f"The tokens that decode was given {about}, call by call",
        hint="First the start token in each row, then what was written last: the place of the highest score, "
        "of equal ones the first. One call for each token that is written.",
    )
    assert_equal(
        [turn for *_, turn in calls],
        list(range(length)),
        what=f"The state that decode was given {about}: the number in it, call by call",
        hint="Each call gets the state that the call before returned, and the first the state that came.",
    )
    assert_equal(
        [tuple(more) for _, *more, _ in calls],
        [("torch.int64", [n])] * length,
        what=f"The dtype and the shape of the tokens that decode was given {about}",
        hint="Whole numbers of type int64, shape (n,).",
    )
    assert_equal(
        (written, dtype),
        (wanted, "torch.int64"),
        what=f"What was written {about}, and its dtype",
        hint="All answers side by side, (n, length), without the start token.",
    )


def begun_twice(write):
    def decode(tokens, state):
        return nn.functional.one_hot((tokens + state) % 10, 10).float(), state

    rest = {"n": 1, "start": 3, "length": 3}
    return [call(write, {"decode": decode, "state": by, **rest}).tolist() for by in (2, 4)]


assert_equal(
    probe(begun_twice, write),
    [[[5, 7, 9]], [[7, 1, 5]]],
    what="What a decoder writes that adds its state to each digit, called with the states 2 and 4",
    hint="Each call of write begins with the state that it is given, whatever came before.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 7. From memory
#
# Now all of it runs on your own functions. The encoder reads a row of 2 to 5 digits, its last state goes to
# the decoder, and the decoder writes. An LSTM and a GRU with the same number of units learn this from the
# same rows, which takes a few seconds. Then they are asked for rows of up to 11 digits.

# %% nbgrader={"grade": false, "grade_id": "finale", "locked": true, "schema_version": 3, "solution": false, "task": false}
from course_lib.plotting import lstm as figures

START, UNITS = 10, 64


class Copier(nn.Module):
    """Reads digits with one cell, and writes them with another."""

    def __init__(self, blocks):
        super().__init__()
        self.blocks = blocks
        self.embed = nn.Embedding(11, 16)
        self.readout = nn.Linear(UNITS, 10)
        for part in ("encoder", "decoder"):
            for name, shape in (("W_x", (16,)), ("W_h", (UNITS,)), ("b", ()), ("b_h", ())):
                weight = torch.empty(*shape, blocks * UNITS).uniform_(-1, 1) / math.sqrt(UNITS)
                if name == "b" and blocks == 4:
                    weight = with_reach(weight, 12.0)
                self.register_parameter(f"{part}_{name}", nn.Parameter(weight))

    def run(self, part, x, state=None):
        W_x, W_h, b, b_h = (getattr(self, f"{part}_{name}") for name in ("W_x", "W_h", "b", "b_h"))
        if self.blocks == 4:
            outputs, state, _ = lstm(x, W_x, W_h, b, state)
            return outputs, state
        return gru(x, W_x, W_h, b, b_h, state)

    def forward(self, rows):
        _, state = self.run("encoder", self.embed(rows))
        outputs, _ = self.run("decoder", self.embed(delayed(rows, START)), state)
        return self.readout(outputs)

    @torch.no_grad()
    def from_memory(self, rows):
        def decode(tokens, state):
            outputs, state = self.run("decoder", self.embed(tokens)[:, None], state)
            return self.readout(outputs[:, 0]), state

        _, state = self.run("encoder", self.embed(rows))
        return write(decode, state, len(rows), START, rows.shape[1])


def rows_of(n, length, generator):
    return torch.randint(10, (n, length), generator=generator).to(device)


def train(blocks, updates=250):
    seed_everything(0)
    model = Copier(blocks).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.02, total_steps=updates)
    generator = torch.Generator().manual_seed(0)
    for _ in range(updates):
        length = int(torch.randint(2, 6, (1,), generator=generator))
        rows = rows_of(64, length, generator)
        loss = nn.functional.cross_entropy(model(rows).flatten(0, 1), rows.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return model


lengths, shares = range(2, 12), {}
for name, blocks in (("LSTM", 4), ("GRU", 3)):
    model = train(blocks)
    generator = torch.Generator().manual_seed(1)
    shares[name] = []
    for length in lengths:
        rows = rows_of(300, length, generator)
        written = model.from_memory(rows)
        shares[name].append((written == rows).float().mean().item())
        if length in (4, 5, 9):
            read, wrote = ("".join(map(str, row[0].tolist())) for row in (rows, written))
            print(f"{name} read {read:>9}, wrote {wrote:>9}")
figures.copied(lengths, shares, trained=(2, 5))

# %% [markdown]
# **What you see.** In rows as long as those they were trained on, both write down most or all of the digits,
# with nothing but one state of fixed size between encoder and decoder. Beyond that length they do not stop:
# the first digits are still right, and then come digits, read or not, in some order. Nobody has taught them
# where to put a sixth.
#
# ## Step 8. What does not fit
#
# *4 points, read by a person. About 120 words.*
#
# A team translates sentences of up to 20 words with such an encoder and decoder, and is satisfied. Now it has
# to translate paragraphs of 200 words. "We will use ten times as many units," says one member. "We will set
# the forget bias to 10, so that nothing is lost," says another.
#
# 1. What does each proposal change on the path from the text to the translation, and what does it leave
#    unchanged?
# 2. What would you measure to find out whether the *state* limits them, or the training?
# 3. Name one change to the architecture that removes the limit, and its cost.

# %% [markdown] nbgrader={"grade": true, "grade_id": "what-does-not-fit", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# 1. More units make the state larger, but it stays of a fixed size, and everything must pass through it;
#    the weights grow with the square. A bias of 10 lets old content and its slopes survive from the start.
#    It makes no room: 200 words are added up in the same cells, and a gate that never closes clears nothing.
# 2. Quality against the length of the sentence, and on training data as well as on new data: if even
#    sentences that it was trained on get worse with length, and more units at the same training mend it,
#    the state is too small. If only lengths that were not trained on fail, train on longer ones first.
# 3. Let the decoder look back at all states of the encoder (attention). Memory grows with the length of the
#    text, and the work with the product of both lengths.
#
# === BEGIN MARK SCHEME ===
# 1. **Two points**, one for each proposal: what it changes (size of the state; how long content and slopes
#    last) and what it does not (fixed size for any length; capacity). Half if one side is missing.
# 2. **One point** for a measurement against length that separates capacity from training, for instance on
#    training data or with several state sizes at equal training. Half for "validation loss" alone.
# 3. **One point** for attention over the encoder's states, or reading in pieces, with a cost (memory or
#    time that grows with length). Half without the cost.
# === END MARK SCHEME ===
