# ---
# jupyter:
#   course:
#     answers_in:
#     - course_lib.models.attention
#     - course_lib.models.gpt
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
# # Transformers: a word in the mirror
#
# - **Time:** 110 minutes. **Difficulty:** 3 of 5. **Points:** 36, of which a person gives 4.
# - **Needs:** the chapter *Transformers*, PyTorch's tensors and modules.
#
# Leonardo wrote backwards. You build a network that does: attention with masks and heads, positions, the loss
# with its shifted targets, and a test that catches models that peek at the answer. In the end it learns from
# random letters and writes words it has never seen from right to left, one letter at a time, using your
# cache; a picture of your attention weights shows how.
#
# **What is special here**
#
# - Everything is PyTorch, and gradients must flow through steps 1 to 3 and 6. Create new tensors (a mask,
#   positions) on the device of the tensors that you are given.
# - A mask is True where a query may look.
# - Your functions take tensors of float32 or float64 and return the same type, unless a step says otherwise.
#   Six digits are not required: float32 is precise enough.
#
# `course_lib.models.attention` and `course_lib.models.gpt` hold answers to this exercise, and so does
# PyTorch's `scaled_dot_product_attention`: write it yourself. What holds in every exercise (how to check,
# what the tests look at, what counts) is on the page *How exercises work* in the appendix.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import math

import torch
from torch import nn

from course_lib import get_device, seed_everything

device = get_device()

# %% [markdown]
# ## Step 1. Attention
#
# Scores, division, mask, softmax, weighted mean. Queries and keys have d numbers each; values may have a
# different number. There may be any number of leading dimensions, for sequences and heads. A query that may
# look nowhere gets weights of 0 and an output of 0, and no gradient becomes `nan` because of it.


# %% nbgrader={"grade": false, "grade_id": "attention", "locked": false, "schema_version": 3, "solution": true, "task": false}
def attention(query, key, value, mask=None):
    """Compute scaled dot-product attention.

    Parameters
    ----------
    query : Tensor, shape (..., n, d)
    key : Tensor, shape (..., m, d)
    value : Tensor, shape (..., m, d_v)
    mask : Tensor of bool, optional
        Broadcasts to (..., n, m). True where a query may look; without it, everywhere.

    Returns
    -------
    output : Tensor, shape (..., n, d_v)
    weights : Tensor, shape (..., n, m)

    Example
    -------
    >>> query, key = torch.zeros(1, 4), torch.ones(2, 4)
    >>> value = torch.tensor([[2.0], [6.0]])
    >>> output, weights = attention(query, key, value)
    >>> output.tolist(), weights.tolist()
    ([[4.0]], [[0.5, 0.5]])
    >>> attention(query, key, value, torch.tensor([[False, True]]))[0].tolist()
    [[6.0]]
    """
    ### BEGIN SOLUTION
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    weights = scores.softmax(dim=-1)
    if mask is not None:
        weights = weights.masked_fill(~mask, 0.0)
    return weights @ value, weights
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-attention", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import math

import torch

from course_lib import get_device
from course_lib.exercises import check

where = get_device()
query = torch.tensor([[2.0, 0.0, 0.0, 0.0]], device=where)
key = torch.tensor([[math.log(3.0), 0.0, 0.0, 0.0], [0.0, 5.0, 0.0, 0.0]], device=where)
value = torch.tensor([[4.0], [8.0]], device=where)
check(
    attention,
    {"query": query, "key": key, "value": value},
    (torch.tensor([[5.0]]), torch.tensor([[0.75, 0.25]])),
    rtol=1e-4,
    hint="The dot products are 2 log 3 and 0, d is 4: divided by 2 they are log 3 and 0, and the softmax "
    "gives 3/4 and 1/4. 0.9: not divided. 0.63: divided by d. See 'Why divide by the root of d?'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-attention-hidden", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Hidden: batches and heads, other numbers of keys, masks of several shapes, large scores, rows that look nowhere,
# gradients, types.
### BEGIN HIDDEN TESTS
import math

import torch

from course_lib import get_device
from course_lib.exercises import assert_equal, assert_true, call, check, probe

generator = torch.Generator().manual_seed(0)


def drawn(*shape):
    return torch.randn(*shape, generator=generator, dtype=torch.float64).to(get_device())


def expected(query, key, value, mask=None):
    scores = torch.einsum("...id,...jd->...ij", query, key) / query.shape[-1] ** 0.5
    if mask is not None:
        scores = torch.where(mask, scores, -1e9)
    powers = torch.exp(scores - scores.amax(dim=-1, keepdim=True))
    if mask is not None:
        powers = powers * mask
    total = powers.sum(dim=-1, keepdim=True)
    weights = powers / torch.where(total > 0, total, torch.ones_like(total))
    return weights @ value, weights


for front, n, m, d, dv in (((), 3, 5, 4, 2), ((2,), 4, 4, 9, 9), ((2, 3), 1, 6, 2, 3)):
    args = {"query": drawn(*front, n, d), "key": drawn(*front, m, d), "value": drawn(*front, m, dv)}
    check(
        attention,
        args,
        expected(**args),
        rtol=1e-4,
        atol=1e-6,
        hint="Scores of shape (..., n, m): each query with each key, divided by the root of d, the length "
        "of a query. The softmax goes over the keys, the last dimension. See 'A dictionary made soft'.",
    )
causal = torch.ones(5, 5, dtype=torch.bool, device=get_device()).tril()
each = (drawn(2, 1, 5, 5) > 0) | torch.eye(5, dtype=torch.bool, device=get_device())
for name, mask in (("causal", causal), ("another for each sequence", each)):
    args = {
        "query": 3 * drawn(2, 3, 5, 4),
        "key": drawn(2, 3, 5, 4),
        "value": drawn(2, 3, 5, 4),
        "mask": mask,
    }
    check(
        attention,
        args,
        expected(**args),
        rtol=1e-4,
        atol=1e-6,
        what=f"Attention with a mask, {name}",
        hint="Forbidden scores become minus infinity before the softmax. Weights that are set to 0 after it "
        "no longer add up to 1, and still know of what was hidden. True is allowed. "
        "See 'Masks, and what leaks'.",
    )
large = 40 * drawn(3, 4)
args = {"query": large, "key": 40 * drawn(3, 4), "value": drawn(3, 4), "mask": causal[:3, :3]}
check(
    attention,
    args,
    expected(**args),
    rtol=1e-4,
    atol=1e-6,
    what="Attention with scores in the thousands",
    hint="A softmax that computes exp of large scores overflows. What is hidden may have the largest "
    "score: nothing of it may remain.",
)
axes = torch.eye(3, 4, dtype=torch.float64, device=get_device())
args = {"query": 1000 * axes, "key": -1000 * axes, "value": drawn(3, 4), "mask": axes[:, :3].bool()}
check(
    attention,
    args,
    expected(**args),
    rtol=1e-4,
    atol=1e-6,
    what="Attention where what is allowed has a score of -500,000, and what is hidden one of 0",
    hint="A hidden score must become smaller than any other: minus infinity, and not a number such as -100, "
    "which a true score can fall below.",
)
nowhere = torch.tensor([[True, False, True], [False, False, False]], device=get_device())
args = {"query": drawn(2, 4), "key": drawn(3, 4), "value": drawn(3, 2), "mask": nowhere}
check(
    attention,
    args,
    expected(**args),
    rtol=1e-4,
    atol=1e-6,
    what="Attention of a query that may look nowhere",
    hint="Its weights and its output are 0. A softmax over minus infinity alone is 0/0, and over one large "
    "negative number it is an even spread. See 'Masks, and what leaks'.",
)


def slopes(attention, mask):
    x = torch.linspace(-1, 1, 12, dtype=torch.float64, device=mask.device).view(3, 4)
    query = x[:2].clone().requires_grad_()
    output, _ = call(
        attention, {"query": query, "key": x, "value": x.flip(0), "mask": mask}, copies=False
    )
    total = (output * torch.arange(4, device=mask.device)).sum()
    if total.requires_grad:
        total.backward()
    return None if query.grad is None else query.grad.cpu()


got = probe(slopes, attention, nowhere)
x = torch.linspace(-1, 1, 12, dtype=torch.float64, device=get_device()).view(3, 4)
query = x[:2].clone().requires_grad_()
(expected(query, x, x.flip(0), nowhere)[0] * torch.arange(4, device=get_device())).sum().backward()
assert_true(
    got is not None and torch.allclose(got, query.grad.cpu(), rtol=1e-3, atol=1e-6),
    what="That gradients flow back to the queries, finite also where a query may look nowhere",
    hint="A softmax over minus infinity alone is nan, and sends nan back. masked_fill on the scores, and on "
    "the weights after it, lets nothing through at forbidden places. no_grad(), detach() and NumPy stop "
    "every gradient.",
)


def kinds(attention, mask):
    made = []
    for kind in (torch.float32, torch.float64):
        x = torch.ones(2, 3, dtype=kind, device=mask.device)
        parts = call(attention, {"query": x, "key": x, "value": x, "mask": mask})
        made += [str(part.dtype) for part in parts]
    return made


assert_equal(
    probe(kinds, attention, causal[:2, :2]),
    ["torch.float32"] * 2 + ["torch.float64"] * 2,
    what="The types of output and weights for float32, and then for float64",
    hint="What comes back has the type of what came: a layer of float32 weights takes no float64.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. Heads
#
# Split the d columns among the heads, the first d/h to the first head, and merge them again. After the split,
# `x[:, k]` is what head k sees at all positions.


# %% nbgrader={"grade": false, "grade_id": "heads", "locked": false, "schema_version": 3, "solution": true, "task": false}
def split_heads(x, heads):
    """Deal columns out to heads.

    Parameters
    ----------
    x : Tensor, shape (batch, n, d)
    heads : int

    Returns
    -------
    Tensor, shape (batch, heads, n, d / heads)

    Raises
    ------
    ValueError
        If the heads do not divide d.

    Example
    -------
    >>> x = torch.arange(8.0).view(1, 2, 4)  # two positions: 0 1 2 3 and 4 5 6 7
    >>> split_heads(x, 2).tolist()
    [[[[0.0, 1.0], [4.0, 5.0]], [[2.0, 3.0], [6.0, 7.0]]]]
    """
    ### BEGIN SOLUTION
    batch, n, d = x.shape
    if d % heads:
        raise ValueError(f"{heads} heads cannot share {d} columns evenly")
    return x.reshape(batch, n, heads, d // heads).transpose(1, 2)
    ### END SOLUTION


def join_heads(x):
    """Put the columns of the heads side by side again.

    Parameters
    ----------
    x : Tensor, shape (batch, heads, n, d / heads)

    Returns
    -------
    Tensor, shape (batch, n, d)

    Example
    -------
    >>> join_heads(torch.tensor([[[[0.0], [1.0]], [[2.0], [3.0]]]])).tolist()
    [[[0.0, 2.0], [1.0, 3.0]]]
    """
    ### BEGIN SOLUTION
    batch, heads, n, width = x.shape
    return x.transpose(1, 2).reshape(batch, n, heads * width)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-heads", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch

from course_lib import get_device
from course_lib.exercises import check

x = torch.arange(12.0, device=get_device()).view(1, 2, 6)
check(
    split_heads,
    {"x": x, "heads": 3},
    torch.stack([x[..., 0:2], x[..., 2:4], x[..., 4:6]], dim=1),
    hint="Head k has columns 2k and 2k + 1 of every position. The right shape alone is not enough: view to "
    "(batch, n, heads, width) first, then swap two dimensions. See 'Several heads'.",
)
check(
    join_heads,
    {"x": torch.stack([x[..., 0:2], x[..., 2:4], x[..., 4:6]], dim=1)},
    x,
    hint="Swap back first, then put the columns together. See 'Several heads'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-heads-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: several sequences, any number of heads, tensors that do not lie in one piece, an error.
### BEGIN HIDDEN TESTS
import torch

from course_lib import get_device
from course_lib.exercises import check, check_raises

for batch, n, heads, width in (
    (2, 3, 2, 4),
    (3, 4, 4, 1),
    (1, 5, 1, 3),
    (2, 1, 3, 2),
    (4, 4, 4, 4),
):
    x = torch.arange(float(batch * n * heads * width), device=get_device()).view(batch, n, -1)
    parts = torch.stack(x.split(width, dim=2), dim=1)
    for name, whole, split in (
        ("", x, parts),
        (", which does not lie in one piece", x.mT.contiguous().mT, parts.mT.contiguous().mT),
    ):
        about = f"{heads} heads of width {width}, {batch} sequences of {n}{name}"
        check(
            split_heads,
            {"x": whole, "heads": heads},
            parts,
            what=f"split_heads with {about}",
            hint="Head k has columns k * width to (k + 1) * width of every position, in order. "
            "See 'Several heads'.",
        )
        check(
            join_heads,
            {"x": split},
            x,
            what=f"join_heads with {about}",
            hint="It undoes split_heads: swap heads and positions back, then put the columns side by side. "
            "See 'Several heads'.",
        )
check_raises(
    ValueError,
    split_heads,
    {"x": torch.zeros(2, 3, 6, device=get_device()), "heads": 4},
    hint="Six columns cannot be dealt out evenly to four heads: raise ValueError.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. Positions
#
# Sinusoidal positions, but in a different order: first the sines of all d/2 speeds, then their cosines. Speed
# k is `longest ** (-2k / d)`, for k from 0 to d/2 - 1. Positions may be any numbers, in a tensor of any
# shape: later we ask for the position of one letter at a time, not for all of 0 to n-1. The result has a
# float type, whatever the type of the positions.


# %% nbgrader={"grade": false, "grade_id": "waves", "locked": false, "schema_version": 3, "solution": true, "task": false}
def waves(positions, d, longest=10_000.0):
    """Write positions as sines and cosines of d / 2 speeds.

    Parameters
    ----------
    positions : Tensor of numbers, shape (...)
    d : int
        Numbers per position, even.
    longest : float
        Where the speeds end: they go from 1 towards 1 / longest.

    Returns
    -------
    Tensor, shape (..., d)
        d / 2 sines, then d / 2 cosines.

    Raises
    ------
    ValueError
        If d is odd.

    Example
    -------
    >>> [round(w, 4) for w in waves(torch.tensor(2), 4, longest=100.0).tolist()]  # 2 and 2 / 10
    [0.9093, 0.1987, -0.4161, 0.9801]
    """
    ### BEGIN SOLUTION
    if d % 2:
        raise ValueError(f"d must be even, and is {d}")
    speeds = longest ** (-torch.arange(0, d, 2, device=positions.device) / d)
    angles = positions[..., None] * speeds
    return torch.cat([angles.sin(), angles.cos()], dim=-1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-waves", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np
import torch

from course_lib import get_device
from course_lib.exercises import check

angles = np.array(
    [[0.0, 0.0], [1.0, 0.01], [2.0, 0.02]]
)  # positions 0, 1 and 2, speeds 1 and 1/100
check(
    waves,
    {"positions": torch.arange(3, device=get_device()), "d": 4},
    torch.tensor(np.concatenate([np.sin(angles), np.cos(angles)], axis=1)),
    rtol=1e-3,
    atol=1e-5,
    hint="Two speeds for d = 4: 10,000 to the power of 0 and of -2/4. Then both sines, and both cosines. "
    "See 'Order must be told'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-waves-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: other widths, another longest, fractions, positions of any shape, far positions, gradients, an error.
### BEGIN HIDDEN TESTS
import numpy as np
import torch

from course_lib import get_device
from course_lib.exercises import assert_close, call, check, check_keyword, check_raises, probe


def expected(positions, d, longest=10_000.0):
    angles = positions[..., None] / longest ** (2 * np.arange(d // 2) / d)
    return torch.tensor(np.concatenate([np.sin(angles), np.cos(angles)], axis=-1))


for positions, d in (
    (np.arange(9), 2),
    (np.arange(40, 30, -1), 16),
    (np.array([0.5, 3.25, -7.0]), 8),
    (np.array([[3, 1, 4], [1, 5, 9]]), 6),
    (np.array(7), 10),
    (np.array([4000, 4001]), 12),
):
    check(
        waves,
        {"positions": torch.tensor(positions, device=get_device()), "d": d},
        expected(positions, d),
        rtol=1e-3,
        atol=2e-3,
        what=f"waves of positions {positions.tolist()} with d = {d}",
        hint="Speed k is longest ** (-2k / d), with k from 0 to d/2 - 1. Positions are what comes, in any "
        "shape, and not 0 to n - 1. See 'Order must be told'.",
    )
positions = np.array([1.0, 6.0])
check_keyword(
    waves,
    {"positions": torch.tensor(positions, device=get_device()), "d": 6},
    "longest",
    [(longest, expected(positions, 6, longest)) for longest in (10_000.0, 50.0, 4.0)],
    rtol=1e-3,
    atol=1e-4,
    hint="The speeds go from 1 towards 1 / longest.",
)
check_raises(
    ValueError,
    waves,
    {"positions": torch.arange(3, device=get_device()), "d": 5},
    hint="A sine and a cosine for each speed: d must be even. Raise ValueError.",
)


def slopes(waves, where):
    x = torch.tensor([1.0, 6.0], dtype=torch.float64, device=where).requires_grad_()
    made = call(waves, {"positions": x, "d": 4, "longest": 25.0}, copies=False)
    if made.requires_grad:
        made.sum().backward()
    return [0.0, 0.0] if x.grad is None else x.grad.tolist()


assert_close(
    probe(slopes, waves, get_device()),
    [sum(v * (np.cos(v * p) - np.sin(v * p)) for v in (1.0, 0.2)) for p in (1.0, 6.0)],
    rtol=1e-3,
    what="The slopes of all waves together in the positions 1 and 6, with speeds 1 and 0.2",
    hint="Gradients flow through the waves to the positions: new tensors made of lists or of NumPy's arrays "
    "stop them.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. Who may look where
#
# A position may look at itself and at what came before, but never at *padding*, which fills up short words on
# the left. This is true of the padding itself as well: on the left, only padding comes before it, so its row
# is all False, and your attention copes with that. Padding anywhere else looks at the real tokens before it,
# as any position does. The second dimension is for the heads, which share the mask.


# %% nbgrader={"grade": false, "grade_id": "look_mask", "locked": false, "schema_version": 3, "solution": true, "task": false}
def look_mask(tokens, pad=0):
    """Say which positions may look at which.

    Parameters
    ----------
    tokens : Tensor of int, shape (batch, n)
    pad : int
        The token that nobody looks at.

    Returns
    -------
    Tensor of bool, shape (batch, 1, n, n)
        ``[b, 0, i, j]``: whether position i may look at position j in sequence b.

    Example
    -------
    >>> look_mask(torch.tensor([[0, 5, 7]])).int().tolist()
    [[[[0, 0, 0], [0, 1, 0], [0, 1, 1]]]]
    """
    ### BEGIN SOLUTION
    n = tokens.shape[1]
    backwards = torch.ones(n, n, dtype=torch.bool, device=tokens.device).tril()
    return (backwards & (tokens != pad)[:, None, :])[:, None]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-look_mask", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch

from course_lib import get_device
from course_lib.exercises import check

wanted = torch.tensor([[[1, 0, 0], [1, 1, 0], [1, 1, 1]], [[0, 0, 0], [0, 1, 0], [0, 1, 1]]]).bool()
check(
    look_mask,
    {"tokens": torch.tensor([[4, 5, 6], [0, 8, 9]], device=get_device())},
    wanted[:, None],
    dtype=bool,
    hint="A row per query, a column per key: nothing above the diagonal, and no column of a padding. "
    "See 'Masks, and what leaks'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-look_mask-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: other tokens for padding, padding in the middle and at the end, other lengths.
### BEGIN HIDDEN TESTS
import numpy as np
import torch

from course_lib import get_device
from course_lib.exercises import check, check_keyword

rng = np.random.default_rng(4)


def expected(tokens, pad):
    batch, n = tokens.shape
    wanted = np.zeros((batch, 1, n, n), dtype=bool)
    for b in range(batch):
        for i in range(n):
            for j in range(i + 1):
                wanted[b, 0, i, j] = tokens[b, j] != pad
    return torch.tensor(wanted)


for batch, n in ((1, 1), (3, 2), (2, 7), (4, 4)):
    tokens = rng.integers(0, 3, size=(batch, n))
    check(
        look_mask,
        {"tokens": torch.tensor(tokens, device=get_device())},
        expected(tokens, 0),
        dtype=bool,
        hint="Every sequence has a mask of its own. Padding may also stand in the middle or at the end; "
        "its columns are False, and its rows look at what came before it. See 'Masks, and what leaks'.",
    )
tokens = rng.integers(0, 3, size=(2, 6))
check_keyword(
    look_mask,
    {"tokens": torch.tensor(tokens, device=get_device())},
    "pad",
    [(pad, expected(tokens, pad)) for pad in (0, 1, 2, 7)],
    hint="The padding is the token `pad`, whatever its number; 0 may then be a token like any other.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. Who peeks?
#
# You are given a language model, and you cannot see inside it. Find the positions whose logits depend on a
# token *after* them: a logit there changes by more than 0.00001 when later tokens are replaced by others. A
# position that peeks at a later token does so whatever replaces that token and whatever the other tokens are,
# but you do not know which of the later tokens it peeks at.


# %% nbgrader={"grade": false, "grade_id": "peeking", "locked": false, "schema_version": 3, "solution": true, "task": false}
def peeking(model, tokens, vocabulary):
    """Find the positions at which a model sees the future.

    Parameters
    ----------
    model : callable
        ``model(tokens)`` with tokens of shape (1, n) gives logits of shape (1, n, vocabulary).
        It gives the same for the same tokens, each time.
    tokens : Tensor of int, shape (n,)
        A text to try it on. It stays as it is.
    vocabulary : int
        At least 2. Tokens go from 0 to vocabulary - 1; the model takes no others.

    Returns
    -------
    list of int
        Positions from 0 to n - 1, in order; empty for an honest model.

    Example
    -------
    >>> def model(tokens):  # repeats each token, but position 1 sees the last token
    ...     seen = tokens.clone()
    ...     seen[:, 1] = tokens[:, -1]
    ...     return nn.functional.one_hot(seen, 5).float()
    >>> peeking(model, torch.tensor([3, 1, 4, 1]), vocabulary=5)
    [1]
    """
    ### BEGIN SOLUTION
    with torch.no_grad():
        before, found = model(tokens[None])[0], []
        for t in range(len(tokens) - 1):
            other = tokens.clone()
            other[t + 1 :] = (other[t + 1 :] + 1) % vocabulary
            if (model(other[None])[0, t] - before[t]).abs().max() > 1e-5:
                found.append(t)
        return found
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-peeking", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch
from torch import nn

from course_lib import get_device
from course_lib.exercises import assert_equal, call, probe


def tried(peeking, ahead):
    def model(tokens):  # sees the token that is `ahead` places later
        seen = torch.cat([tokens, tokens[:, -1:].expand(-1, ahead)], dim=1)[:, ahead:]
        return nn.functional.one_hot(seen, 6).double()

    tokens = torch.tensor([2, 0, 5, 5, 1], device=get_device())
    return call(peeking, {"model": model, "tokens": tokens, "vocabulary": 6})


for ahead, wanted in ((0, []), (1, [0, 1, 2, 3])):
    assert_equal(
        probe(tried, peeking, ahead),
        wanted,
        what=f"The positions that peek, of a model that sees the token {ahead} place(s) ahead",
        hint="For each position t, replace the tokens after it, each by another one, and compare the logits at "
        "t with those before. The last position has nothing to peek at. See 'Masks, and what leaks'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-peeking-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: honest models, and models with leaks of many kinds: one position, one logit, far ahead, small.
### BEGIN HIDDEN TESTS
import torch
from torch import nn

from course_lib import get_device
from course_lib.exercises import assert_equal, call, probe


def planted(peeking, kind, n, vocabulary):
    where = get_device()
    generator = torch.Generator().manual_seed(5)
    table = torch.randn(vocabulary, 8, generator=generator, dtype=torch.float64).to(where)
    out = torch.randn(8, vocabulary, generator=generator, dtype=torch.float64).to(where)
    places = torch.randn(9, 8, generator=generator, dtype=torch.float64).to(where)

    def attend(x, mask, late=False):
        scores = x @ x.mT / 8**0.5
        if not late:
            scores = scores.masked_fill(~mask, -float("inf"))
        weights = scores.softmax(-1)
        return (weights * mask if late else weights) @ x

    def model(tokens):
        if tokens.shape != (1, n):
            raise ValueError(
                f"this model takes tokens of shape (1, {n}), not {tuple(tokens.shape)}"
            )
        size = tokens.shape[1]
        x = table[tokens] + places[:size]
        past = torch.ones(size, size, dtype=torch.bool, device=where).tril()
        if kind == "off by one":
            return attend(x, torch.ones(size, size, dtype=torch.bool, device=where).tril(1)) @ out
        if kind == "mask after softmax":
            return attend(x, past, late=True) @ out
        honest = attend(x, past) @ out
        last = tokens[:, -1].double()
        if kind == "normalized over positions":
            roots = (
                torch.tensor([2.0, 3, 5, 7, 11, 13, 17, 19, 23], device=where)[:size]
                .double()
                .sqrt()
            )
            return honest + 0.01 * (tokens * roots).mean(dim=1)[:, None, None]
        if kind == "one position":
            honest[:, 3] += last[:, None]
        elif kind == "one logit":
            honest[:, :-1, 1] += 1e-3 * tokens[:, 1:]
        elif kind == "small beside large":
            honest = 1000.0 + honest
            honest[:, :-1, 1] += 3e-5 * tokens[:, 1:]
        elif kind == "two ahead":
            honest[:, :-2] += 0.1 * x[:, 2:, :1]
        elif kind == "looks far":
            honest[:, :2] += 0.1 * x[:, 5:7, :1]
        elif kind == "running sum":
            honest = honest + 100.0 * tokens.double().cumsum(1)[..., None]
        elif kind == "noise of rounding":
            honest = honest + 1e-9 * tokens.double().mean(dim=1)[:, None, None]
        return honest

    tokens = torch.arange(n, device=where) * 3 % vocabulary
    return call(peeking, {"model": model, "tokens": tokens, "vocabulary": vocabulary})


most = list(range(8))
for kind, n, wanted, hint in (
    ("honest", 9, [], "This one is honest."),
    (
        "running sum",
        9,
        [],
        "It adds up the past, and that is allowed: tokens up to t stay as they are.",
    ),
    ("noise of rounding", 9, [], "A change of 1e-9 is no leak: what counts is above 0.00001."),
    (
        "one logit",
        9,
        most,
        "A single logit changes, a little: compare all numbers, and not the answers. Each later token must "
        "become another: 0 replaced by 0 shows nothing.",
    ),
    (
        "small beside large",
        9,
        most,
        "One logit near 1,000 changes by 0.00003 or more. What counts is the largest change of a single logit, "
        "not their mean and no share of their size: allclose and isclose add a relative tolerance.",
    ),
    (
        "two ahead",
        9,
        most[:-1],
        "It sees what is two places ahead, and the last two see nothing: try every position, and "
        "replace all later tokens, and not the next alone.",
    ),
    ("off by one", 9, most, "Its mask is off by one: each position sees the next token."),
    (
        "mask after softmax",
        9,
        most,
        "Its mask comes after the softmax, whose sum knows the future.",
    ),
    ("normalized over positions", 9, most, "It adds a weighted mean over all positions to each."),
    ("one position", 9, [3], "One position alone sees the last token: try every position."),
    ("looks far", 9, [0, 1], "Positions 0 and 1 see 5 and 6: replace all later tokens."),
    ("off by one", 2, [0], "Two tokens are enough for a leak."),
    ("off by one", 1, [], "A single token has no future."),
):
    for vocabulary in (2, 7):
        assert_equal(
            probe(planted, peeking, kind, n, vocabulary),
            wanted,
            what=f"The positions that peek, of the model {kind!r}, {n} tokens of {vocabulary} kinds",
            hint=hint + " See 'Masks, and what leaks'.",
        )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. The next token
#
# The logits at position t say what token t + 1 will be. Compute the mean cross-entropy of the tokens at
# positions `first` and later, each predicted from the position before it. For the mirror, only the second
# half of a line can be predicted at all, so only that half should be learned.


# %% nbgrader={"grade": false, "grade_id": "next_token_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def next_token_loss(logits, tokens, first=1):
    """Compute how surprising the tokens are, each for the logits one place before it.

    Parameters
    ----------
    logits : Tensor, shape (batch, n, vocabulary)
        What the model said to these very tokens.
    tokens : Tensor of int, shape (batch, n)
    first : int
        The first position whose token counts, from 1 to n - 1.

    Returns
    -------
    Tensor, shape ()
        The mean over sequences and positions, in nats.

    Example
    -------
    >>> logits = torch.log(torch.tensor([[[0.5, 0.5], [0.25, 0.75], [0.9, 0.1]]]))
    >>> tokens = torch.tensor([[1, 0, 1]])
    >>> round(next_token_loss(logits, tokens).item(), 4)  # (-log 0.5 - log 0.75) / 2
    0.4904
    """
    ### BEGIN SOLUTION
    said, wanted = logits[:, first - 1 : -1], tokens[:, first:]
    return nn.functional.cross_entropy(said.flatten(0, 1), wanted.flatten())
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-next_token_loss", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import math

import torch

from course_lib import get_device
from course_lib.exercises import check

p = torch.tensor([[[0.7, 0.2, 0.1], [0.1, 0.4, 0.5], [0.3, 0.3, 0.4]]], device=get_device())
check(
    next_token_loss,
    {"logits": p.log(), "tokens": torch.tensor([[2, 0, 1]], device=get_device())},
    -(math.log(0.7) + math.log(0.4)) / 2,
    rtol=1e-4,
    hint="The logits at 0 meet token 1, the logits at 1 meet token 2, and what is said at the last position "
    "meets nobody. See 'Two networks read this book'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-next_token_loss-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: several sequences, every first, large logits, gradients.
### BEGIN HIDDEN TESTS
import torch

from course_lib import get_device
from course_lib.exercises import assert_close, call, check, check_keyword, probe

generator = torch.Generator().manual_seed(6)


def expected(logits, tokens, first=1):
    logits = logits - logits.amax(dim=-1, keepdim=True)
    logs = logits - logits.exp().sum(dim=-1, keepdim=True).log()
    batch, n = tokens.shape
    terms = [-logs[b, t - 1, tokens[b, t]] for b in range(batch) for t in range(first, n)]
    return sum(terms) / len(terms)


logits = 3 * torch.randn(4, 6, 5, generator=generator, dtype=torch.float64).to(get_device())
tokens = torch.randint(5, (4, 6), generator=generator).to(get_device())
args = {"logits": logits, "tokens": tokens}
check(
    next_token_loss,
    args,
    expected(**args).item(),
    rtol=1e-4,
    hint="Without `first`, all tokens count but the very first, which nobody predicts. "
    "See 'Two networks read this book'.",
)
check_keyword(
    next_token_loss,
    args,
    "first",
    [(first, expected(**args, first=first).item()) for first in (1, 3, 5)],
    rtol=1e-4,
    hint="The token at position `first` counts, and it is predicted at first - 1. The mean is over what "
    "counts.",
)
args = {"logits": 500 * logits, "tokens": tokens}
check(
    next_token_loss,
    args,
    expected(**args).item(),
    rtol=1e-4,
    what="The loss for logits in the thousands",
    hint="Take cross_entropy, or log_softmax: the log of a softmax that became 0 is minus infinity.",
)


def slopes(next_token_loss, logits, tokens):
    logits = logits.clone().requires_grad_()
    loss = call(next_token_loss, {"logits": logits, "tokens": tokens, "first": 2}, copies=False)
    if torch.is_tensor(loss) and loss.requires_grad:
        loss.backward()
    return torch.zeros_like(logits).cpu() if logits.grad is None else logits.grad.cpu()


wanted = logits.clone().requires_grad_()
expected(wanted, tokens, 2).backward()
assert_close(
    probe(slopes, next_token_loss, logits, tokens),
    wanted.grad.cpu(),
    rtol=1e-3,
    atol=1e-6,
    what="The gradient in the logits, with first=2",
    hint="Return a tensor through which gradients flow, and no Python number. Logits that predict nothing "
    "that counts have slope 0.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 7. A memory for writing
#
# To write letter by letter, a model needs the keys and values of all earlier positions, and they never
# change. Write a cache that keeps what it has been given and answers new queries with all of it. Usually one
# position arrives at a time. At the beginning a whole word does, and its letters must not look ahead either.
# There is no padding here.


# %% nbgrader={"grade": false, "grade_id": "Cache", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Cache:
    """Keys and values of the positions so far.

    Example
    -------
    >>> cache = Cache()
    >>> x = torch.zeros(1, 1, 2, 4)
    >>> cache.attend(x, x, torch.tensor([[[[2.0], [4.0]]]])).flatten().tolist()  # two at once
    [2.0, 3.0]
    >>> one = torch.zeros(1, 1, 1, 4)
    >>> cache.attend(one, one, torch.tensor([[[[9.0]]]])).flatten().tolist()  # (2 + 4 + 9) / 3
    [5.0]
    >>> len(cache)
    3
    """

    def __init__(self):
        ### BEGIN SOLUTION
        self.keys = self.values = None
        ### END SOLUTION

    def __len__(self):
        """Return the number of positions so far."""
        ### BEGIN SOLUTION
        return 0 if self.keys is None else self.keys.shape[2]
        ### END SOLUTION

    def attend(self, query, key, value):
        """Take in new positions, and let their queries look at themselves and backwards.

        Parameters
        ----------
        query, key : Tensor, shape (batch, heads, m, d)
            Of the m new positions.
        value : Tensor, shape (batch, heads, m, d_v)

        Returns
        -------
        Tensor, shape (batch, heads, m, d_v)
        """
        ### BEGIN SOLUTION
        before, m = len(self), query.shape[2]
        if self.keys is not None:
            key = torch.cat([self.keys, key], dim=2)
            value = torch.cat([self.values, value], dim=2)
        self.keys, self.values = key, value
        mask = torch.ones(m, before + m, dtype=torch.bool, device=query.device).tril(before)
        return attention(query, key, value, mask)[0]
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-Cache", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch

from course_lib import get_device
from course_lib.exercises import assert_close, assert_equal, call, given, probe


def lent_attention(query, key, value, mask=None):
    scores = query @ key.mT / query.shape[-1] ** 0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, -float("inf"))
    return scores.softmax(-1) @ value, scores.softmax(-1)


def one_at_a_time(Cache, values):
    cache = Cache()
    zero = torch.zeros(1, 1, 1, 2, device=get_device())
    said = []
    for value in values:
        value = torch.full((1, 1, 1, 1), value, device=get_device())
        said.append(call(cache.attend, {"query": zero, "key": zero, "value": value}).item())
    return said, len(cache)


with given(attention=lent_attention):
    got = probe(one_at_a_time, Cache, [2.0, 6.0, 4.0])
    assert_close(
        got[0],
        [2.0, 4.0, 4.0],
        rtol=1e-4,
        what="The answers of a cache to queries of 0, for values 2, 6 and 4, one at a time",
        hint="A query of 0 gets the plain mean of all values so far: 2, then (2 + 6) / 2, then (2 + 6 + 4) / 3. "
        "See 'What it costs'.",
    )
    assert_equal(got[1], 3, what="len(cache) after three positions", hint="The positions so far.")

# %% nbgrader={"grade": true, "grade_id": "test-Cache-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: against attention over everything, in pieces of any size; several heads; two caches at once.
### BEGIN HIDDEN TESTS
import torch

from course_lib import get_device
from course_lib.exercises import assert_close, assert_equal, call, given, probe, side_by_side


def lent_attention(query, key, value, mask=None):
    scores = query @ key.mT / query.shape[-1] ** 0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, -float("inf"))
    weights = scores.softmax(-1)
    return weights @ value, weights


generator = torch.Generator().manual_seed(7)


def drawn(*shape):
    return torch.randn(*shape, generator=generator, dtype=torch.float64).to(get_device())


def whole(query, key, value):
    n = query.shape[2]
    mask = torch.ones(n, n, dtype=torch.bool, device=query.device).tril()
    return lent_attention(query, key, value, mask)[0]


def in_pieces(Cache, parts, pieces):
    cache, said, lengths = Cache(), [], [len(Cache())]
    for query, key, value in zip(*(part.split(pieces, dim=2) for part in parts), strict=True):
        args = {"query": query, "key": key, "value": value}
        said.append(call(cache.attend, args).cpu())
        lengths.append(len(cache))
    return torch.cat(said, dim=2), lengths


with given(attention=lent_attention):

    def writing(Cache, parts):
        cache = Cache()
        for query, key, value in zip(*(part.split(1, dim=2) for part in parts), strict=True):
            yield cache.attend(query, key, value).cpu()

    first, second = (tuple(drawn(1, 1, 3, d) for d in (2, 2, 1)) for _ in range(2))
    side_by_side(
        writing,
        Cache,
        [first],
        [second],
        expected=tuple(list(whole(*parts).cpu().split(1, dim=2)) for parts in (first, second)),
        rtol=1e-4,
        atol=1e-6,
        yields="output",
        hint="Each answer is over all positions that this cache was given. See 'What it costs'.",
    )

    for batch, heads, pieces in (
        (1, 1, [1] * 5),
        (2, 3, [4, 1, 1]),
        (2, 2, [2, 3, 2]),
        (1, 2, [6]),
    ):
        n = sum(pieces)
        parts = 2 * drawn(batch, heads, n, 4), drawn(batch, heads, n, 4), drawn(batch, heads, n, 3)
        got, lengths = probe(in_pieces, Cache, parts, pieces)
        assert_close(
            got,
            whole(*parts).cpu(),
            rtol=1e-4,
            atol=1e-6,
            what=f"The answers of a cache that gets {n} positions in pieces of {pieces}",
            hint="The same as attention over everything with a causal mask. New positions see all earlier "
            "ones, themselves, and of the new ones those before them: the mask of m new positions after "
            "b has shape (m, b + m). See 'What it costs'.",
        )
        assert_equal(
            lengths,
            [sum(pieces[:i]) for i in range(len(pieces) + 1)],
            what=f"len(cache) before, between and after pieces of {pieces}",
            hint="The positions so far, 0 in an empty cache.",
        )

    def alone(Cache, parts):
        cache, said = Cache(), []
        for query, key, value in zip(*(part.split(1, dim=2) for part in parts), strict=True):
            said.append(cache.attend(query, key, value).cpu())
        return torch.cat(said, dim=2)

    assert_close(
        probe(alone, Cache, first),
        whole(*first).cpu(),
        rtol=1e-4,
        atol=1e-6,
        what="The answers of a new cache, after others have been used",
        hint="A new cache is empty.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 8. The mirror
#
# A line is a word padded on the left to ten letters, a bar, and the word backwards: `....mirror|rorrim`. The
# network has one block with two heads, built from your functions. It learns from random letters for about
# four seconds, and then writes words from this book that it has never seen, each letter with your cache.

# %% nbgrader={"grade": false, "grade_id": "finale", "locked": true, "schema_version": 3, "solution": false, "task": false}
import re

from course_lib.data import corpus
from course_lib.plotting import transformers as figures

LETTERS = ".|abcdefghijklmnopqrstuvwxyz"  # padding, bar, letters
LONGEST = 10


class Mirror(nn.Module):
    def __init__(self, d=48, heads=2):
        super().__init__()
        self.d, self.heads = d, heads
        self.embedding = nn.Embedding(len(LETTERS), d)
        self.norm1, self.norm2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.qkv, self.mix = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.perceptron = nn.Sequential(nn.Linear(d, 2 * d), nn.GELU(), nn.Linear(2 * d, d))
        self.answer = nn.Linear(d, len(LETTERS))

    def forward(self, tokens, start=0, cache=None):
        at = torch.arange(start, start + tokens.shape[1], device=tokens.device)
        x = self.embedding(tokens) + waves(at, self.d)
        q, k, v = (
            split_heads(part, self.heads) for part in self.qkv(self.norm1(x)).chunk(3, dim=-1)
        )
        if cache is None:
            mixed, self.weights = attention(q, k, v, look_mask(tokens))
        else:
            mixed = cache.attend(q, k, v)
        x = x + self.mix(join_heads(mixed))
        return self.answer(x + self.perceptron(self.norm2(x)))


def random_lines(count, generator):
    lengths = torch.randint(2, LONGEST + 1, (count, 1), generator=generator)
    word = torch.randint(2, len(LETTERS), (count, LONGEST), generator=generator)
    word = word * (torch.arange(LONGEST) >= LONGEST - lengths)
    bar = torch.ones(count, 1, dtype=torch.long)
    return torch.cat([word, bar, word.flip(1)], dim=1).to(device)


def backwards(model, word):
    """Write a word backwards, letter by letter, from the cache."""
    cache, start = Cache(), LONGEST - len(word)  # no padding: the word begins at its position
    tokens = torch.tensor([[LETTERS.index(c) for c in word + "|"]], device=device)
    written = ""
    with torch.no_grad():
        while len(written) <= LONGEST:
            following = model(tokens, start + len(cache), cache)[0, -1].argmax().item()
            if following == 0:
                break
            written += LETTERS[following]
            tokens = torch.tensor([[following]], device=device)
    return written


seed_everything(0)
model = Mirror().to(device)
steps = 280
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.01, total_steps=steps, pct_start=0.1)
order = torch.Generator().manual_seed(0)
for step in range(steps):
    lines = random_lines(64, order)
    loss = next_token_loss(model(lines), lines, first=LONGEST + 1)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    schedule.step()
    if step % 70 == 69:
        print(f"step {step + 1}: {loss.item():.3f} nats per letter")
model.eval()
print("positions that peek:", peeking(model, random_lines(1, order)[0], len(LETTERS)))
words = sorted(set(re.findall(r"\b[a-z]{4,10}\b", corpus.load())))
chosen = [words[i] for i in torch.randperm(len(words), generator=order)[:100]]
right = sum(backwards(model, word) == word[::-1] for word in chosen)
print(f"{right} of {len(chosen)} words of the book, for instance")
for word in chosen[:4]:
    print(f"  {word} -> {backwards(model, word)}")
line = "..backward|drawkcab.."
with torch.no_grad():
    model(torch.tensor([[LETTERS.index(c) for c in line]], device=device))
figures.attention_maps(line, {f"Head {h + 1}": model.weights[0, h].cpu().numpy() for h in range(2)})

# %% [markdown]
# **What you see.** Below the bar, the weights run from right to left: to write the next letter, the network
# looks at the mirrored position, one step further to the left each time. Nobody told it where to look. It
# learned the dance of positions from random letters, which is why words are no harder: what a letter *is*
# travels in the values, and where to look is decided by the waves.
#
# ## Step 9. Two lines of a report
#
# *4 points, read by a person. About 120 words.*
#
# A colleague trains a language model on letters from customers, padded on the right to the same length, and
# reports: "After one epoch the training loss is 0.02 nats per character. I compute the loss as
# `cross_entropy(logits.flatten(0, 1), tokens.flatten())` on all positions, padding included. With a context
# of 4,000 characters instead of 1,000, a training step costs more than four times as much, so I keep 1,000."
#
# 1. What does this loss measure, and why is it so small? Name two reasons.
# 2. How could you find out, without training anything, that something is wrong?
# 3. Is he right about the cost? Say how each part grows, and what a cache would change.

# %% [markdown] nbgrader={"grade": true, "grade_id": "report", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# 1. It compares the logits at t with the token at t, which the model has been given: it learns to repeat its
#    input. The targets should be shifted by one. And the padding counts: after a short letter, all that
#    follows is the same token, and predicting it is easy, which makes the mean small however bad the rest.
# 2. Look at what is compared with what: a model with random weights has log(vocabulary) nats either way, but
#    one that copies its input (embedding tied to the answer, no blocks) would have a loss near 0. A model
#    that cannot know the next character must not reach that. The test for leaks does not find it: the model
#    may be causal, and the target is wrong. Print inputs and targets of one line, side by side.
# 3. Yes for the attention, whose table grows with the square: four times the length, sixteen times the
#    operations. The matrices grow in proportion, four times. So a step costs between four and sixteen times as
#    much (per character between one and four). A cache changes nothing in training, where all positions are
#    computed at once; it saves when writing, one character at a time.
#
# === BEGIN MARK SCHEME ===
# 1. **Two points.** One for targets that are not shifted (the model repeats its input). One for the padding
#    that counts.
# 2. **One point** for a check without training that would show it: printing inputs beside targets, a model
#    that copies its input, or reasoning that no model can predict customers' letters to 0.02 nats. The
#    future-changing test alone earns half: the model may be causal.
# 3. **One point** for: table with the square, matrices in proportion, so more than four times is right, and a
#    cache helps in writing and not in training. Half if one of these is missing.
# === END MARK SCHEME ===
