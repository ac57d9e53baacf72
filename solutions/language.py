# ---
# jupyter:
#   course:
#     answers_in:
#     - course_lib.translation
#     - course_lib.models.seq2seq
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
# # Language: pad, attend, search, score
#
# - **Time:** 110 minutes. **Difficulty:** 3 of 5. **Points:** 34, of which a person gives 3.
# - **Needs:** the chapter *Language*, PyTorch's tensors, Python's lists and dictionaries.
#
# A museum has its old labels in words, "one thousand eight hundred and twelve", and wants numbers for its
# catalog. You write the parts of the translator: batches with padding, attention over the encoder's states,
# shifted targets and their loss, beam search, BLEU and chrF. In the end your own code trains a translator,
# searches with it and scores what it finds.
#
# **What is special here**
#
# - Steps 1 to 3 are PyTorch: make new tensors on the device of the inputs. Steps 4 to 6 need only Python and
#   NumPy.
# - Masks are True where there is a token, and False where there is padding.
# - `given`, `wanted` and targets hold token numbers; 0 is padding unless a step says otherwise.
#
# `course_lib.translation` and `course_lib.models.seq2seq` hold answers to this exercise: leave them closed.
# What holds in every exercise (how to check, what the tests look at, what counts) is on the page *How
# exercises work* in the appendix.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import math
from collections import Counter

import numpy as np
import torch
from torch import nn

from course_lib import get_device, seed_everything
from course_lib.data import phrases

device = get_device()

# %% [markdown]
# ## Step 1. Sentences of different lengths
#
# A batch is a rectangle, and sentences are not. First pad short rows at the end. Then compute a mean over
# each sentence that leaves the padding out: the same sentence has the same mean, whatever else is in its
# batch.


# %% nbgrader={"grade": false, "grade_id": "pad", "locked": false, "schema_version": 3, "solution": true, "task": false}
def pad(rows, fill=0):
    """Put rows of tokens into one tensor.

    Parameters
    ----------
    rows : list of lists of int
        At least one row; none is empty.
    fill : int
        What short rows are filled up with, at the end.

    Returns
    -------
    tokens : Tensor of int64, shape (n, longest)
    mask : Tensor of bool, shape (n, longest)
        True where a token of `rows` stands, whatever its number.

    Example
    -------
    >>> tokens, mask = pad([[7, 8], [9]])
    >>> tokens.tolist(), mask.tolist()
    ([[7, 8], [9, 0]], [[True, True], [True, False]])
    """
    ### BEGIN SOLUTION
    longest = max(len(row) for row in rows)
    # Lists become tensors on the CPU; a batch moves to the model's device when it is used.
    filled = [list(row) + [fill] * (longest - len(row)) for row in rows]
    tokens = torch.tensor(filled)  # on the CPU
    lengths = torch.tensor([len(row) for row in rows])  # on the CPU
    return tokens, torch.arange(longest) < lengths[:, None]  # on the CPU
    ### END SOLUTION


def masked_mean(states, mask):
    """Compute the mean of each sentence's states, without the padding.

    Parameters
    ----------
    states : Tensor of float, shape (n, t, d)
        On padding there may be anything, nan and inf among it.
    mask : Tensor of bool, shape (n, t)
        Each row has at least one True.

    Returns
    -------
    Tensor, shape (n, d)

    Example
    -------
    >>> states = torch.tensor([[[2.0, 0.0], [4.0, 1.0], [9.0, 9.0]]])
    >>> masked_mean(states, torch.tensor([[True, True, False]])).tolist()
    [[3.0, 0.5]]
    """
    ### BEGIN SOLUTION
    kept = states.masked_fill(~mask[:, :, None], 0.0)
    return kept.sum(dim=1) / mask.sum(dim=1, keepdim=True)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-pad", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch

from course_lib import get_device
from course_lib.exercises import check

check(
    pad,
    {"rows": [[5, 6, 7], [8]]},
    (
        torch.tensor([[5, 6, 7], [8, 0, 0]]),
        torch.tensor([[True, True, True], [True, False, False]]),
    ),
    hint="Rows are filled up at the end, to the length of the longest. See 'Reading in order'.",
)
check(
    masked_mean,
    {
        "states": torch.tensor([[[1.0, 2.0], [3.0, 6.0], [50.0, 50.0]]], device=get_device()),
        "mask": torch.tensor([[True, True, False]], device=get_device()),
    },
    torch.tensor([[2.0, 4.0]]),
    rtol=1e-4,
    hint="Divide by how many tokens there are, and not by the length of the tensor. See 'Reading in order'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-pad-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: other fills, rows that hold the fill, one row, gradients, nan on padding.
### BEGIN HIDDEN TESTS
import torch

from course_lib import get_device
from course_lib.exercises import assert_close, call, check, check_keyword, probe

for rows in ([[4]], [[1, 2], [3, 4]], [[1], [2, 3, 4, 5], [6, 7]]):
    longest = max(map(len, rows))
    tokens = torch.zeros(len(rows), longest, dtype=torch.int64)
    mask = torch.zeros(len(rows), longest, dtype=torch.bool)
    for i, row in enumerate(rows):
        for j, token in enumerate(row):
            tokens[i, j], mask[i, j] = token, True
    check(
        pad,
        {"rows": rows},
        (tokens, mask),
        hint="As long as the longest row and no longer; int64 and bool. See 'Reading in order'.",
    )
check(
    pad,
    {"rows": [[0, 3], [0, 0, 5]]},
    (torch.tensor([[0, 3, 0], [0, 0, 5]]), torch.tensor([[True, True, False], [True, True, True]])),
    hint="The mask says where a row has a token, and not which token it is: here 0 is one.",
)
check_keyword(
    pad,
    {"rows": [[5], [6, 7]]},
    "fill",
    [
        (0, (torch.tensor([[5, 0], [6, 7]]), torch.tensor([[True, False], [True, True]]))),
        (-100, (torch.tensor([[5, -100], [6, 7]]), torch.tensor([[True, False], [True, True]]))),
    ],
    hint="Padding is what `fill` says.",
)
generator = torch.Generator().manual_seed(0)
states = torch.randn(4, 6, 3, generator=generator).to(get_device())
mask = (torch.rand(4, 6, generator=generator) < 0.5).to(get_device())
mask[:, 0] = True
mask[3, :] = True
wanted = torch.stack([s[m].mean(dim=0) for s, m in zip(states, mask, strict=True)]).cpu()
check(
    masked_mean,
    {"states": states, "mask": mask},
    wanted,
    rtol=1e-4,
    atol=1e-5,
    hint="Each sentence by its own number of tokens. See 'Reading in order'.",
)
broken = states.masked_fill(~mask[:, :, None], float("nan"))
broken[0, ~mask[0]] = float("inf")
check(
    masked_mean,
    {"states": broken, "mask": mask},
    wanted,
    rtol=1e-4,
    atol=1e-5,
    what="masked_mean with nan and inf on the padding",
    hint="0 times nan is nan: put zeros there (masked_fill, torch.where), do not multiply by the mask.",
)


def slopes(masked_mean, states, mask):
    free = states.clone().requires_grad_()
    mean = call(masked_mean, {"states": free, "mask": mask}, copies=False)
    if mean.requires_grad:
        (mean**2).sum().backward()
    return torch.zeros(()) if free.grad is None else free.grad.cpu()


free = states.cpu().clone().requires_grad_()
sum((s[m].mean(dim=0) ** 2).sum() for s, m in zip(free, mask.cpu(), strict=True)).backward()
assert_close(
    probe(slopes, masked_mean, states, mask),
    free.grad,
    rtol=1e-4,
    atol=1e-5,
    what="The gradient of masked_mean",
    hint="Compute with tensors throughout, so that the gradient comes back, and comes to tokens alone.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. Look back
#
# Each state of the decoder queries all states of the encoder. Scores are dot products, divided by the square
# root of the width $d$; weights are their softmax over the source's tokens, with none on the padding; the
# context is the weighted mean of the memory.


# %% nbgrader={"grade": false, "grade_id": "attend", "locked": false, "schema_version": 3, "solution": true, "task": false}
def attend(states, memory, mask):
    """Look up states of a decoder among those of an encoder.

    Parameters
    ----------
    states : Tensor, shape (n, t, d)
        Of the decoder: what asks.
    memory : Tensor, shape (n, s, d)
        Of the encoder: keys and values in one.
    mask : Tensor of bool, shape (n, s)
        True for tokens; at least one in each row.

    Returns
    -------
    context : Tensor, shape (n, t, d)
    weights : Tensor, shape (n, t, s)
        Exactly 0 on padding.

    Example
    -------
    >>> memory = torch.tensor([[[2.0, 0.0], [0.0, 2.0], [7.0, 7.0]]])
    >>> mask = torch.tensor([[True, True, False]])
    >>> context, weights = attend(torch.tensor([[[1.0, 1.0]]]), memory, mask)
    >>> weights.tolist(), context.tolist()
    ([[[0.5, 0.5, 0.0]]], [[[1.0, 1.0]]])
    """
    ### BEGIN SOLUTION
    scores = states @ memory.transpose(1, 2) / math.sqrt(memory.shape[2])
    weights = scores.masked_fill(~mask[:, None, :], -math.inf).softmax(dim=2)
    return weights @ memory, weights
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-attend", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch

from course_lib import get_device
from course_lib.exercises import check

memory = torch.tensor([[[4.0, 0.0, 0.0, 0.0], [0.0, 4.0, 0.0, 0.0], [9.0, 9.0, 9.0, 9.0]]])
share = 1 / (1 + torch.tensor(2.0).exp())
check(
    attend,
    {
        "states": torch.tensor([[[1.0, 0.0, 0.0, 0.0]]], device=get_device()),
        "memory": memory.to(get_device()),
        "mask": torch.tensor([[True, True, False]], device=get_device()),
    },
    (
        torch.stack([4 * (1 - share), 4 * share, 0 * share, 0 * share])[None, None],
        torch.stack([1 - share, share, 0 * share])[None, None],
    ),
    rtol=1e-4,
    atol=1e-6,
    hint="The scores of the two tokens are 4 and 0, divided by the root of 4. The padding gets none. See "
    "'Reading one thing, writing another'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-attend-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: other shapes and masks, large scores, padding that holds anything finite, gradients.
### BEGIN HIDDEN TESTS
import math

import torch

from course_lib import get_device
from course_lib.exercises import assert_close, call, check, probe


def by_hand(states, memory, mask):
    n, t, d = states.shape
    weights = torch.zeros(n, t, memory.shape[1], dtype=torch.float64)
    for i in range(n):
        at = [j for j in range(memory.shape[1]) if mask[i, j]]
        for k in range(t):
            scores = [
                float(states[i, k].double() @ memory[i, j].double()) / math.sqrt(d) for j in at
            ]
            top = max(scores)
            powers = [math.exp(score - top) for score in scores]
            for j, power in zip(at, powers, strict=True):
                weights[i, k, j] = power / sum(powers)
    return (weights @ memory.double()).float(), weights.float()


generator = torch.Generator().manual_seed(1)
for n, t, s, d in ((1, 1, 1, 3), (3, 2, 5, 4), (2, 6, 3, 3), (4, 4, 4, 4)):
    states = torch.randn(n, t, d, generator=generator)
    memory = 2 * torch.randn(n, s, d, generator=generator)
    mask = torch.rand(n, s, generator=generator) < 0.6
    mask[:, 0] = True
    check(
        attend,
        {
            k: v.to(get_device())
            for k, v in (("states", states), ("memory", memory), ("mask", mask))
        },
        by_hand(states, memory, mask),
        rtol=1e-3,
        atol=1e-5,
        what=f"attend of {t} states over {s} tokens of width {d}, {n} sentences",
        hint="Softmax over the source (the last dimension), root of the width d, each sentence with its own "
        "mask. See 'Reading one thing, writing another'.",
    )
far = memory.clone()
far[~mask] = 1e4
check(
    attend,
    {k: v.to(get_device()) for k, v in (("states", states), ("memory", far), ("mask", mask))},
    by_hand(states, far, mask),
    rtol=1e-3,
    atol=1e-5,
    what="attend with large states on the padding",
    hint="Set the scores of padding to minus infinity before the softmax. Multiplying weights by the mask "
    "afterwards leaves rows that do not add up to 1.",
)
large = 300 * torch.ones(1, 1, 4)
spread = torch.stack([torch.ones(4), -torch.ones(4), 2 * torch.ones(4)])[None]
check(
    attend,
    {
        "states": large.to(get_device()),
        "memory": spread.to(get_device()),
        "mask": torch.ones(1, 3, dtype=torch.bool, device=get_device()),
    },
    (2 * torch.ones(1, 1, 4), torch.tensor([[[0.0, 0.0, 1.0]]])),
    rtol=1e-4,
    atol=1e-6,
    what="attend with scores in the hundreds",
    hint="exp of several hundreds is inf, and inf / inf is nan: use softmax.",
)
negative = -300 * torch.ones(1, 1, 4)
check(
    attend,
    {
        "states": negative.to(get_device()),
        "memory": spread.to(get_device()),
        "mask": torch.tensor([[True, False, True]], device=get_device()),
    },
    (torch.ones(1, 1, 4), torch.tensor([[[1.0, 0.0, 0.0]]])),
    rtol=1e-4,
    atol=1e-6,
    what="attend where all tokens have scores far below 0",
    hint="Padding with a score of 0 would win here: its score is minus infinity. See 'Reading one thing, "
    "writing another'.",
)


def slopes(attend, states, memory, mask):
    free = [x.clone().requires_grad_() for x in (states, memory)]
    args = {"states": free[0], "memory": free[1], "mask": mask}
    context, _ = call(attend, args, copies=False)
    if context.requires_grad:
        context.pow(2).sum().backward()
    return [torch.zeros(()) if x.grad is None else x.grad.cpu() for x in free]


free = [x.double().requires_grad_() for x in (states, memory)]
scores = (free[0] @ free[1].mT / math.sqrt(d)).masked_fill(~mask[:, None], -math.inf)
(scores.softmax(2) @ free[1]).pow(2).sum().backward()
came = probe(slopes, attend, *(x.to(get_device()) for x in (states, memory, mask)))
for name, ours, theirs in zip(("states", "memory"), came, free, strict=True):
    assert_close(
        ours,
        theirs.grad.float(),
        rtol=1e-3,
        atol=1e-4,
        what=f"The gradient of the context in {name}",
        hint="Compute with tensors throughout: .item(), .detach() and NumPy stop the gradient.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. What is given, what is wanted
#
# In training the decoder is given the right tokens and says, at each position, which comes next. Both come
# from the same rows, shifted by one. Then the loss: the mean of the negative log-probability of the wanted
# token, over all tokens of the batch that are not padding. (A mean over tokens, not a mean of the sentences'
# means.)


# %% nbgrader={"grade": false, "grade_id": "teach", "locked": false, "schema_version": 3, "solution": true, "task": false}
def given_and_wanted(rows, start, end):
    """Make what a decoder is given and what it is to say.

    Parameters
    ----------
    rows : list of lists of int
        Targets, without start and end. A row may be empty.
    start, end : int
        The tokens that begin and end a target.

    Returns
    -------
    given : Tensor of int64, shape (n, longest + 1)
        The start, then the row, then padding (0).
    wanted : Tensor of int64, shape (n, longest + 1)
        The row, then the end, then padding (0).

    Example
    -------
    >>> given, wanted = given_and_wanted([[7, 8], [9]], start=1, end=2)
    >>> given.tolist(), wanted.tolist()
    ([[1, 7, 8], [1, 9, 0]], [[7, 8, 2], [9, 2, 0]])
    """
    ### BEGIN SOLUTION
    given, _ = pad([[start, *row] for row in rows])
    wanted, _ = pad([[*row, end] for row in rows])
    return given, wanted
    ### END SOLUTION


def token_loss(logits, wanted):
    """Compute the cross-entropy per token.

    Parameters
    ----------
    logits : Tensor, shape (n, t, vocabulary)
    wanted : Tensor of int64, shape (n, t)
        0 is padding, and left out. At least one token is none.

    Returns
    -------
    Tensor, shape ()

    Example
    -------
    >>> logits = torch.zeros(1, 3, 4)  # all of four tokens alike
    >>> round(token_loss(logits, torch.tensor([[3, 2, 0]])).item(), 4)  # the logarithm of 4
    1.3863
    """
    ### BEGIN SOLUTION
    return nn.functional.cross_entropy(logits.flatten(0, 1), wanted.flatten(), ignore_index=0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-teach", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import math

import torch

from course_lib import get_device
from course_lib.exercises import check, given


def reference_pad(rows, fill=0):
    longest = max(len(row) for row in rows)
    tokens = torch.tensor([[*row, *[fill] * (longest - len(row))] for row in rows])
    return tokens, torch.arange(longest) < torch.tensor([len(row) for row in rows])[:, None]


with given(pad=reference_pad):
    check(
        given_and_wanted,
        {"rows": [[5, 6, 7], [8]], "start": 1, "end": 2},
        (torch.tensor([[1, 5, 6, 7], [1, 8, 0, 0]]), torch.tensor([[5, 6, 7, 2], [8, 2, 0, 0]])),
        hint="At each place, wanted is what follows the given token; the end follows the last one, before any "
        "padding. See 'Reading one thing, writing another'.",
    )
logits = torch.tensor([[[0.0, math.log(3), 0.0], [0.0, 0.0, 0.0]]])
check(
    token_loss,
    {"logits": logits.to(get_device()), "wanted": torch.tensor([[1, 0]], device=get_device())},
    torch.tensor(math.log(5 / 3)),
    rtol=1e-4,
    hint="The second place is padding. At the first, the wanted token has a probability of 3 in 5. See "
    "'Reading one thing, writing another'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-teach-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: other starts and ends, empty rows, sentences of different lengths, large logits, gradients.
### BEGIN HIDDEN TESTS
import torch

from course_lib import get_device
from course_lib.exercises import assert_close, call, check, given, probe


def reference_pad(rows, fill=0):
    longest = max(len(row) for row in rows)
    tokens = torch.tensor([[*row, *[fill] * (longest - len(row))] for row in rows])
    return tokens, torch.arange(longest) < torch.tensor([len(row) for row in rows])[:, None]


with given(pad=reference_pad):
    for rows, start, end in (
        ([[4, 5], [6, 7]], 1, 2),
        ([[], [9, 9, 9]], 11, 12),
        ([[3]], 5, 4),
        ([[2, 1, 2], [1], []], 1, 2),
    ):
        n, longest = len(rows), max(map(len, rows)) + 1
        fed, said = (torch.zeros(n, longest, dtype=torch.int64) for _ in range(2))
        for i, row in enumerate(rows):
            fed[i, 0], said[i, len(row)] = start, end
            for j, token in enumerate(row):
                fed[i, j + 1], said[i, j] = token, token
        check(
            given_and_wanted,
            {"rows": rows, "start": start, "end": end},
            (fed, said),
            hint="Both are one longer than the longest row. The end stands behind each row's own last token. "
            "See 'Reading one thing, writing another'.",
        )
generator = torch.Generator().manual_seed(2)
logits = 3 * torch.randn(4, 5, 6, generator=generator)
wanted = torch.randint(1, 6, (4, 5), generator=generator)
for i, length in enumerate((1, 5, 3, 2)):
    wanted[i, length:] = 0


def by_hand(logits, wanted):
    total, count = 0.0, 0
    for scores, tokens in zip(logits.double(), wanted, strict=True):
        for row, token in zip(scores, tokens, strict=True):
            if token:
                total += row.logsumexp(0) - row[token]
                count += 1
    return total / count


check(
    token_loss,
    {"logits": logits.to(get_device()), "wanted": wanted.to(get_device())},
    by_hand(logits, wanted).float(),
    rtol=1e-4,
    hint="The sum over all tokens, divided by how many there are: padding counts in neither, and a short "
    "sentence weighs less than a long one. See 'Reading one thing, writing another'.",
)
same = wanted.clamp(min=1)
check(
    token_loss,
    {"logits": logits.to(get_device()), "wanted": same.to(get_device())},
    by_hand(logits, same).float(),
    rtol=1e-4,
    what="token_loss of a batch without padding",
    hint="Here it is the plain mean over all places.",
)
sure = torch.full((1, 2, 3), -400.0)
sure[0, :, 1] = 400.0
for tokens, loss in (([[1, 1]], 0.0), ([[2, 0]], 800.0)):
    check(
        token_loss,
        {"logits": sure.to(get_device()), "wanted": torch.tensor(tokens, device=get_device())},
        torch.tensor(loss),
        rtol=1e-4,
        atol=1e-6,
        what=f"token_loss with logits of 400 and -400, wanted {tokens}",
        hint="log(softmax(x)) is -inf or nan for large logits: use log_softmax or cross_entropy.",
    )


def slopes(token_loss, logits, wanted):
    free = logits.clone().requires_grad_()
    loss = call(token_loss, {"logits": free, "wanted": wanted}, copies=False)
    if loss.requires_grad:
        loss.backward()
    return torch.zeros(()) if free.grad is None else free.grad.cpu()


free = logits.clone().requires_grad_()
by_hand(free, wanted).backward()
assert_close(
    probe(slopes, token_loss, logits.to(get_device()), wanted.to(get_device())),
    free.grad,
    rtol=1e-3,
    atol=1e-6,
    what="The gradient of token_loss in the logits",
    hint="Tensors throughout; nothing flows into the logits of padding.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. Search
#
# The network is a function: `next_token(prefixes)` takes a list of $k$ prefixes of equal length, each a list of
# tokens that begins with `start`, and returns an array $(k, V)$ of log-probabilities of the next token.
#
# - Begin with one open prefix, `[start]`, with log-probability 0.
# - In each round, continue every open prefix with every token. Keep the `size - f` continuations with the
#   highest log-probability (that of the prefix plus that of the token), where `f` is how many are finished
#   already. Among equals, the earlier prefix and then the smaller token comes first.
# - A kept continuation with `end` is finished. The others are the open prefixes of the next round, from the
#   likeliest to the least likely.
# - Stop when nothing is open, or after `max_length` rounds. What is still open then counts as it is.
#
# The *score* of a translation is its log-probability divided by $n^\alpha$, where $n$ counts its tokens without
# `start` and, if it is finished, with `end`.


# %% nbgrader={"grade": false, "grade_id": "beam", "locked": false, "schema_version": 3, "solution": true, "task": false}
def beam_search(next_token, start, end, max_length, size, alpha=0.0):
    """Search for translations with a high score.

    Parameters
    ----------
    next_token : callable
        See above.
    start, end : int
    max_length : int
        Rounds at most, 1 or more.
    size : int
        The width of the beam, 1 or more.
    alpha : float
        0 compares log-probabilities as they are, 1 those per token.

    Returns
    -------
    list of (list of int, float)
        Translations, without start and end, each with its score; from the highest score to the lowest.

    Example
    -------
    >>> def next_token(prefixes):  # start 0, end 1, and a word 2
    ...     rows = {1: [0.0, 0.4, 0.6], 2: [0.0, 0.5, 0.5], 3: [0.0, 1.0, 0.0]}
    ...     return np.log(np.array([rows[len(prefix)] for prefix in prefixes]) + 1e-12)
    >>> [(tokens, round(np.exp(score), 2)) for tokens, score in beam_search(next_token, 0, 1, 5, 1)]
    [([2], 0.3)]
    >>> [(tokens, round(np.exp(score), 2)) for tokens, score in beam_search(next_token, 0, 1, 5, 2)]
    [([], 0.4), ([2], 0.3)]
    """
    ### BEGIN SOLUTION
    beams, finished = [([start], 0.0)], []
    for _ in range(max_length):
        total = np.asarray(next_token([prefix for prefix, _ in beams]), dtype=float)
        total = total + np.array([[before] for _, before in beams])
        order = np.argsort(-total, axis=None, kind="stable")[: size - len(finished)]
        kept = []
        for flat in order:
            row, token = divmod(int(flat), total.shape[1])
            made = (beams[row][0] + [token], float(total[row, token]))
            (finished if token == end else kept).append(made)
        beams = kept
        if not beams:
            break
    scored = [(prefix[1:-1], p / (len(prefix) - 1) ** alpha) for prefix, p in finished]
    scored += [(prefix[1:], p / (len(prefix) - 1) ** alpha) for prefix, p in beams]
    return sorted(scored, key=lambda entry: -entry[1])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-beam", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
import math

import numpy as np

from course_lib.exercises import assert_close, assert_equal, call, probe


def searched(beam_search, table, size, alpha, max_length, start=0, end=1):
    """What beam_search makes of probabilities that depend on the prefix's tokens after the start."""

    def next_token(prefixes):
        if len({len(prefix) for prefix in prefixes}) != 1 or any(p[0] != start for p in prefixes):
            raise ValueError(f"prefixes {prefixes}: equally long, and each begins with {start}")
        return np.log([table[tuple(prefix[1:])] for prefix in prefixes])

    args = {"next_token": next_token, "start": start, "end": end, "max_length": max_length}
    found = call(beam_search, {**args, "size": size, "alpha": alpha})
    return [[int(token) for token in tokens] for tokens, _ in found], [float(s) for _, s in found]


# Tokens: 0 start, 1 end, 2 and 3 words. Greedy begins with 2; the likeliest of all begins with 3.
table = {
    (): [0.01, 0.04, 0.5, 0.45],
    (2,): [0.01, 0.35, 0.3, 0.34],
    (3,): [0.01, 0.97, 0.01, 0.01],
}
tokens, scores = probe(searched, beam_search, table, 1, 0.0, 2)
assert_equal(tokens, [[2]], what="A beam of 1", hint="It takes the likeliest token each time.")
tokens, scores = probe(searched, beam_search, table, 2, 0.0, 2)
assert_equal(
    tokens,
    [[3], [2]],
    what="A beam of 2",
    hint="Both beginnings are continued, and the products are compared: 0.45 times 0.97 is more than 0.5 times "
    "0.35. See 'How good is a translation?'.",
)
assert_close(
    np.array(scores),
    np.log([0.45 * 0.97, 0.5 * 0.35]),
    what="The scores of a beam of 2",
    hint="With alpha = 0, the sum of the logarithms. See 'How good is a translation?'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-beam-hidden", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Hidden: every width and alpha against lists, all translations against a wide beam, ends, ties, cut-offs.
### BEGIN HIDDEN TESTS
import itertools
import math

import numpy as np

from course_lib.exercises import assert_close, assert_equal, call, probe


def searched(beam_search, table, size, alpha, max_length, start=0, end=1):
    """What beam_search makes of probabilities that depend on the prefix's tokens after the start."""

    def next_token(prefixes):
        if len({len(prefix) for prefix in prefixes}) != 1 or any(p[0] != start for p in prefixes):
            raise ValueError(f"prefixes {prefixes}: equally long, and each begins with {start}")
        return np.log([table[tuple(prefix[1:])] for prefix in prefixes])

    args = {"next_token": next_token, "start": start, "end": end, "max_length": max_length}
    found = call(beam_search, {**args, "size": size, "alpha": alpha})
    return [[int(token) for token in tokens] for tokens, _ in found], [float(s) for _, s in found]


def by_lists(table, size, alpha, max_length, start=0, end=1):
    """The same rules, by sorting lists of tuples."""
    open_, done = [((), 0.0)], []
    for _ in range(max_length):
        made = []
        for place, (words, p) in enumerate(open_):
            for token, chance in enumerate(table[words]):
                made.append((-(p + math.log(chance)), place, token, words))
        made.sort()
        made = made[: size - len(done)]
        done += [(words, -p, len(words) + 1) for p, _, token, words in made if token == end]
        open_ = [((*words, token), -p) for p, _, token, words in made if token != end]
        if not open_:
            break
    done += [(words, p, len(words)) for words, p in open_]
    ranked = sorted(((p / n**alpha, words) for words, p, n in done), key=lambda entry: -entry[0])
    return [list(words) for _, words in ranked], [score for score, _ in ranked]


def random_table(seed, vocabulary, depth, start=0, end=1):
    rng = np.random.default_rng(seed)
    words = [token for token in range(vocabulary) if token != end]
    return {
        prefix: rng.dirichlet(np.ones(vocabulary))
        for length in range(depth)
        for prefix in itertools.product(words, repeat=length)
    }


for seed, vocabulary, size, alpha, longest, start, end in (
    (0, 4, 1, 0.0, 4, 0, 1),
    (1, 4, 2, 0.0, 4, 0, 1),
    (2, 5, 3, 0.0, 4, 0, 1),
    (3, 5, 3, 1.0, 4, 0, 1),
    (4, 4, 4, 0.5, 5, 0, 1),
    (5, 4, 3, 0.0, 3, 2, 3),
    (6, 3, 5, 2.0, 4, 1, 0),
    (7, 4, 2, 1.0, 1, 0, 1),
):
    made = random_table(seed, vocabulary, longest, start, end)
    wanted = by_lists(made, size, alpha, longest, start, end)
    came = probe(searched, beam_search, made, size, alpha, longest, start, end)
    what = (
        f"beam_search with {vocabulary} tokens, size={size}, alpha={alpha}, max_length={longest}, "
    )
    what += f"start={start}, end={end}"
    assert_equal(
        came[0],
        wanted[0],
        what=f"The translations of {what}",
        hint="Finished ones take up places of the beam and are not continued; what is open at the end counts as "
        "it is; the order is that of the scores. See 'How good is a translation?'.",
    )
    assert_close(
        np.array(came[1]),
        np.array(wanted[1]),
        what=f"The scores of {what}",
        hint="The log-probability divided by n to the power alpha; n counts the end, and not the start. See 'How "
        "good is a translation?'.",
    )
made = random_table(8, 3, 4)
every = []
for length in range(4):
    for words in itertools.product((0, 2), repeat=length):
        p = sum(math.log(made[words[:k]][words[k]]) for k in range(length))
        every.append((p + math.log(made[words][1]), list(words)))
every += [
    (sum(math.log(made[words[:k]][words[k]]) for k in range(4)), list(words))
    for words in itertools.product((0, 2), repeat=4)
]
came = probe(searched, beam_search, made, 100, 0.0, 4)
assert_equal(
    came[0],
    [words for _, words in sorted(every, reverse=True)],
    what="A beam of 100, wide enough for all translations of up to four tokens",
    hint="Nothing is lost in a beam this wide: all come back, from the likeliest to the least.",
)
short = {
    (): [0.01, 0.3, 0.69],
    (2,): [0.01, 0.01, 0.98],
    (2, 2): [0.01, 0.01, 0.98],
    (2, 2, 2): [0.4, 0.41, 0.19],
}
for alpha, first in ((0.0, []), (1.0, [2, 2, 2])):
    tokens, _ = probe(searched, beam_search, short, 2, alpha, 4)
    assert_equal(
        tokens[0],
        first,
        what=f"The best translation with alpha={alpha}, where stopping at once has a probability of 0.3",
        hint="Without normalization, each further token makes a translation less likely. With it, the "
        "log-probability is divided by n to the power alpha. See 'How good is a translation?'.",
    )
even = {(): [0.25] * 4, (0,): [0.25] * 4, (2,): [0.25] * 4, (3,): [0.25] * 4}
tokens, _ = probe(searched, beam_search, even, 3, 0.0, 2)
assert_equal(
    sorted(tokens),
    [[], [0], [0, 0]],
    what="A beam of 3, all tokens equally likely, in any order",
    hint="Of equal continuations the earlier prefix and then the smaller token comes first, in each round; one "
    "that is finished takes up a place. argsort of the negated values with kind='stable'.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. BLEU
#
# Counts are over the whole test set. For n from 1 to `max_n`, count how many n-grams the translations have,
# and how many of these are right. An n-gram is right as often as it occurs in the reference that has it most
# often, but not more often than the translation has it. The length of the references, $r$, is a sum over the
# test set: for each translation, the length of the reference whose length is closest; if two are equally
# close, the shorter one. BLEU is the geometric mean of the precisions times the brevity penalty, in percent.
# If any precision is 0, or there are no n-grams of some length at all, it is 0.


# %% nbgrader={"grade": false, "grade_id": "bleu", "locked": false, "schema_version": 3, "solution": true, "task": false}
def clipped(translation, references, n):
    """Count the n-grams of a translation, and those that are right.

    Parameters
    ----------
    translation : str
        Words with spaces between them; may be empty.
    references : list of str
        One or more.
    n : int

    Returns
    -------
    right, made : int

    Example
    -------
    >>> clipped("the the the cat", ["the cat is on the mat"], 1)  # "the" counts twice, "cat" once
    (3, 4)
    """

    ### BEGIN SOLUTION
    def count(text):
        words = text.split()
        return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))

    made, allowed = count(translation), Counter()
    for reference in references:
        allowed |= count(reference)
    return sum((made & allowed).values()), sum(made.values())
    ### END SOLUTION


def bleu(translations, references, max_n=4):
    """Compute BLEU of a test set.

    Parameters
    ----------
    translations : list of str
    references : list of lists of str
        One or more for each translation.
    max_n : int

    Returns
    -------
    float
        From 0 to 100.

    Example
    -------
    >>> round(bleu(["a b c d"], [["a b c d e"]]), 2)  # all right, and one word short
    77.88
    """
    ### BEGIN SOLUTION
    right, made, c, r = [0] * max_n, [0] * max_n, 0, 0
    for translation, known in zip(translations, references, strict=True):
        length = len(translation.split())
        c += length
        r += min((abs(len(k.split()) - length), len(k.split())) for k in known)[1]
        for n in range(max_n):
            one, other = clipped(translation, known, n + 1)
            right[n] += one
            made[n] += other
    if not all(right):
        return 0.0
    mean = math.exp(sum(math.log(a / b) for a, b in zip(right, made, strict=True)) / max_n)
    return 100 * mean * min(1.0, math.exp(1 - r / c))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-bleu", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import math
from collections import Counter

from course_lib.exercises import check, given


def reference_clipped(translation, references, n):
    def count(text):
        words = text.split()
        return Counter(" ".join(words[i : i + n]) for i in range(len(words) - n + 1))

    made = count(translation)
    most = {gram: max(count(reference)[gram] for reference in references) for gram in made}
    return sum(min(made[gram], most[gram]) for gram in made), sum(made.values())


check(
    clipped,
    {"translation": "the cat the cat sat", "references": ["the cat sat down"], "n": 2},
    (2, 4),
    hint="'the cat' stands twice in the translation and once in the reference: it counts once. See 'How good is "
    "a translation?'.",
)
with given(clipped=reference_clipped):
    check(
        bleu,
        {"translations": ["a b c d e"], "references": [["a b c d f"]]},
        100 * (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25,
        hint="The fourth root of the product of four precisions. See 'How good is a translation?'.",
    )
    check(
        bleu,
        {"translations": ["a b c d"], "references": [["a b c d e f"]]},
        100 * math.exp(1 - 6 / 4),
        hint="All is right, and two words are missing: the brevity penalty. See 'How good is a translation?'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-bleu-hidden", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Hidden: several references, clipping over them, lengths, whole test sets against sacrebleu's rules, edges.
### BEGIN HIDDEN TESTS
import math
from collections import Counter

import numpy as np

from course_lib import translation as library
from course_lib.exercises import check, check_keyword, given


def reference_clipped(translation, references, n):
    def count(text):
        words = text.split()
        return Counter(" ".join(words[i : i + n]) for i in range(len(words) - n + 1))

    made = count(translation)
    most = {gram: max(count(reference)[gram] for reference in references) for gram in made}
    return sum(min(made[gram], most[gram]) for gram in made), sum(made.values())


for text, known, n, wanted in (
    ("a a a", ["a b a", "a"], 1, (2, 3)),
    ("a a b", ["a c", "b a a"], 1, (3, 3)),
    ("a a b b", ["a b", "b a a"], 1, (3, 4)),
    ("a b", ["a b c"], 3, (0, 0)),
    ("", ["a"], 1, (0, 0)),
    ("a b a b a", ["b a b"], 2, (2, 4)),
    ("a ab b", ["aa bb", "a b"], 1, (2, 3)),
    ("x y", ["z"], 1, (0, 2)),
    ("a bc", ["ab c"], 2, (0, 1)),
):
    check(
        clipped,
        {"translation": text, "references": known, "n": n},
        wanted,
        hint="Each n-gram counts as often as the one reference that has it most often, and not as often as all "
        "of them together. Words are whole words. See 'How good is a translation?'.",
    )
rng = np.random.default_rng(0)


def sentence(low, high):
    return " ".join(rng.choice(list("abcde"), size=rng.integers(low, high)))


with given(clipped=reference_clipped):
    for low, high, most in ((6, 12, 2), (4, 9, 4), (8, 9, 4), (3, 6, 1)):
        texts = [sentence(low, high) for _ in range(12)]
        known = [[sentence(5, 11) for _ in range(rng.integers(1, 4))] for _ in texts]
        check(
            bleu,
            {"translations": texts, "references": known, "max_n": most},
            library.bleu(texts, known, most),
            what=f"bleu of 12 translations with {low} to {high - 1} words, n-grams up to {most}",
            hint="Add up counts and lengths over the whole test set, then divide: it is not the mean of the "
            "sentences' scores. See 'How good is a translation?'.",
        )
    check_keyword(
        bleu,
        {"translations": ["a b c d e"], "references": [["a b c x e"]]},
        "max_n",
        [
            (1, 80.0),
            (2, 100 * (4 / 5 * 2 / 4) ** 0.5),
            (3, 100 * (4 / 5 * 2 / 4 * 1 / 3) ** (1 / 3)),
        ],
        hint="As many precisions as max_n, and as high a root.",
    )
    check(
        bleu,
        {"translations": ["a b c d e f g"], "references": [["a b c d e", "a b c d e f g h i"]]},
        100.0,
        what="bleu where the references have 5 and 9 words, and the translation 7",
        hint="Both are two words off: the shorter one counts, so there is no penalty.",
    )
    check(
        bleu,
        {"translations": ["a b c d"], "references": [["a b c d e f g h", "a b c d x"]]},
        100 * math.exp(1 - 5 / 4),
        hint="The reference with the closest length counts for the penalty, 5 words, whichever comes first.",
    )
    check(
        bleu,
        {"translations": ["a b c d e f", "a b c d"], "references": [["a b c d"], ["a b c d e f"]]},
        100 * ((8 / 10) * (6 / 8) * (4 / 6) * (2 / 4)) ** 0.25,
        what="bleu of two translations, one too long and one too short",
        hint="c and r are sums over the test set, 10 and 10 words: there is no penalty. See 'How good is a "
        "translation?'.",
    )
    for texts, known in ((["a x b y"], [["a b"]]), (["a b c"], [["a b c"]]), ([""], [["a"]])):
        check(
            bleu,
            {"translations": texts, "references": known},
            0.0,
            hint="If there is no right n-gram of some length, BLEU is 0: no error and no nan.",
        )
    check(
        bleu,
        {"translations": ["a b c d e", ""], "references": [["a b c d e"], ["a b c d e"]]},
        100 * math.exp(1 - 10 / 5),
        what="bleu with an empty translation beside a right one",
        hint="An empty translation adds nothing to c and its reference to r.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. chrF
#
# Spaces are removed, and the n-grams are runs of characters. For each n from 1 to 6, over the whole test set
# (one reference for each translation): precision is the share of the translations' n-grams that are right,
# clipped, and recall is the same number divided by the number of the references' n-grams. Lengths n for which
# either side has none are left out. $P$ and $R$ are the means over the others, and chrF is
# $100\,(1 + \beta^2) P R / (\beta^2 P + R)$; 0 if both are 0 or nothing is left.
#
# A reference too short to have n-grams of some length says nothing about them: for that sentence, the
# translation's n-grams of this length do not count either.


# %% nbgrader={"grade": false, "grade_id": "chrf", "locked": false, "schema_version": 3, "solution": true, "task": false}
def chrf(translations, references, beta=2.0):
    """Compute chrF of a test set, with one reference each.

    Parameters
    ----------
    translations, references : list of str
    beta : float
        How much more recall counts than precision.

    Returns
    -------
    float
        From 0 to 100.

    Example
    -------
    >>> round(chrf(["abc"], ["abx"]), 2)  # 2 of 3 characters, 1 of 2 pairs, 0 of 1
    38.89
    """

    ### BEGIN SOLUTION
    def count(text, n):
        letters = "".join(text.split())
        return Counter(letters[i : i + n] for i in range(len(letters) - n + 1))

    precisions, recalls = [], []
    for n in range(1, 7):
        right = made = there = 0
        for translation, reference in zip(translations, references, strict=True):
            ours, theirs = count(translation, n), count(reference, n)
            right += sum((ours & theirs).values())
            made += sum(ours.values()) if theirs else 0
            there += sum(theirs.values())
        if made and there:
            precisions.append(right / made)
            recalls.append(right / there)
    if not any(precisions):
        return 0.0
    p, r = sum(precisions) / len(precisions), sum(recalls) / len(recalls)
    return 100 * (1 + beta**2) * p * r / (beta**2 * p + r)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-chrf", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
from course_lib.exercises import check

check(
    chrf,
    {"translations": ["ab cd"], "references": ["abcd"]},
    100.0,
    hint="Spaces are removed first: both are 'abcd'. See 'How good is a translation?'.",
)
check(
    chrf,
    {"translations": ["ab"], "references": ["abc"]},
    100 * 5 * 1.0 * (7 / 12) / (4 * 1.0 + 7 / 12),
    hint="Precision is 1 for n = 1 and 2. Recall is 2/3 and 1/2, so 7/12 in the mean. Longer n-grams the "
    "translation has none of. See 'How good is a translation?'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-chrf-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: whole test sets, beta, short references, repeated characters, edges.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib import translation as library
from course_lib.exercises import check, check_keyword

rng = np.random.default_rng(1)


def sentence(low, high):
    return " ".join(
        "".join(rng.choice(list("aabc"), size=rng.integers(1, 6)))
        for _ in range(rng.integers(low, high))
    )


for low, high in ((3, 7), (1, 3), (1, 6)):
    texts, known = ([sentence(low, high) for _ in range(8)] for _ in range(2))
    check_keyword(
        chrf,
        {"translations": texts, "references": known},
        "beta",
        [(beta, library.chrf(texts, [[k] for k in known], beta=beta)) for beta in (2.0, 0.2)],
        hint="Counts over the whole test set, clipped, for each n; then the means of precision and recall; then "
        "the F-score. See 'How good is a translation?'.",
    )
for texts, known, wanted in (
    (["aaaa"], ["a"], 100 * 5 * 0.25 * 1 / (4 * 0.25 + 1)),
    (["abcdefgh"], ["abcdefgh"], 100.0),
    (["abc"], ["xyz"], 0.0),
    ([""], ["abc"], 0.0),
    (["abc"], [""], 0.0),
    (["aa", "bcdefgh"], ["a", "bcdefgh"], library.chrf(["aa", "bcdefgh"], [["a"], ["bcdefgh"]])),
    (["ABC"], ["abc"], 0.0),
):
    check(
        chrf,
        {"translations": texts, "references": known},
        wanted,
        hint="A character counts no more often than the reference has it. Lengths that a side has none of are "
        "left out, and not counted as 0. See 'How good is a translation?'.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 7. The catalog
#
# Everything together. A translator with your attention learns to read numbers, from batches that you pad, with
# your targets and your loss. Then your search writes, and your scores judge.

# %% nbgrader={"grade": false, "grade_id": "finale", "locked": true, "schema_version": 3, "solution": false, "task": false}
seed_everything(0)
labels = phrases.numbers(1400, seed=0)
words = sorted({word for text in labels.said for word in text.split()})
number = {word: i for i, word in enumerate(words, start=1)}
sign = {digit: i for i, digit in enumerate("0123456789", start=3)}  # 1 starts, 2 ends
said = [[number[word] for word in text.split()] for text in labels.said]
written = [[sign[digit] for digit in text.split()] for text in labels.written]
HELD = 100


class Translator(nn.Module):
    def __init__(self, width=48):
        super().__init__()
        self.source = nn.Embedding(len(words) + 1, width, padding_idx=0)
        self.target = nn.Embedding(13, width, padding_idx=0)
        self.encoder, self.decoder = (nn.LSTM(width, width, batch_first=True) for _ in range(2))
        self.head = nn.Sequential(nn.Linear(2 * width, width), nn.Tanh(), nn.Linear(width, 13))

    def encode(self, rows):
        tokens, mask = pad(rows)
        tokens, mask = tokens.to(device), mask.to(device)
        memory, _ = self.encoder(self.source(tokens))
        start = masked_mean(memory, mask)[None]
        return memory, mask, (start, torch.zeros_like(start))

    def decode(self, given, memory, mask, start):
        states, _ = self.decoder(self.target(given), start)
        context, weights = attend(states, memory, mask)
        return self.head(torch.cat([states, context], dim=2)), weights


model = Translator().to(device)
epochs, size = 6, 50
optimizer = torch.optim.Adam(model.parameters(), 0.02)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.02, total_steps=epochs * 26)
order = torch.Generator().manual_seed(0)
for epoch in range(epochs):
    for batch in (HELD + torch.randperm(1300, generator=order)).split(size):
        given_, wanted_ = given_and_wanted([written[i] for i in batch], start=1, end=2)
        logits, _ = model.decode(given_.to(device), *model.encode([said[i] for i in batch]))
        loss = token_loss(logits, wanted_.to(device))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    print(f"epoch {epoch + 1}: loss {loss.item():.3f}")


@torch.no_grad()
def translate(row, size):
    memory, mask, (h, c) = model.encode([row])

    def next_token(prefixes):
        k = len(prefixes)
        logits, _ = model.decode(
            torch.tensor(prefixes, device=device),
            memory.expand(k, -1, -1),
            mask.expand(k, -1),
            (h.expand(-1, k, -1).contiguous(), c.expand(-1, k, -1).contiguous()),
        )
        return logits[:, -1].log_softmax(dim=1).cpu().numpy()

    return beam_search(next_token, 1, 2, 6, size, alpha=1.0)


digits = {i: digit for digit, i in sign.items()}
for size in (1, 3):
    found = [translate(row, size)[0][0] for row in said[:HELD]]
    texts = [" ".join(digits.get(int(token), "?") for token in tokens) for tokens in found]
    right = np.mean([a == b for a, b in zip(texts, labels.written[:HELD], strict=True)])
    references = [[text] for text in labels.written[:HELD]]
    print(
        f"a beam of {size}: {right:.0%} of the new labels right, BLEU {bleu(texts, references, 2):.1f}, "
        f"chrF {chrf(texts, labels.written[:HELD]):.1f}"
    )
print(f"{labels.said[0]!r} -> {texts[0]}")

# %% [markdown]
# **What you see.** A network, made of your own parts, that learned to read numbers it had never seen. With a
# beam of 1, BLEU and chrF are higher than the share of labels that are right: a number with one wrong digit
# scores well and is wrong.
#
# ## Step 8. The letter to the museum
#
# *3 points, read by a person. About 100 words.*
#
# The museum's director writes: "Your translator has a BLEU of 97 on our labels, and our partner museum's
# older one, they say, had 92 on theirs. So we shall put its numbers into the catalog without looking at
# them."
#
# 1. Can the two numbers be compared? What would make them comparable?
# 2. Why is BLEU the wrong number for this decision, and which number would you report instead?
# 3. The labels of one collection were dictated by people who say "nineteen hundred and six" for 1906. Few of
#    them are in the training data. What do you measure, and what do you do with these labels?

# %% [markdown] nbgrader={"grade": true, "grade_id": "letter", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# 1. No. BLEU depends on the test set, on the references and on how they are cut into tokens. Both systems would
#    have to translate the same labels, scored against the same references by the same tool.
# 2. A number with one wrong digit has most of its n-grams right, and is wrong. Report the share of labels that
#    are right in full, with an interval, and how often the translator is sure and wrong.
# 3. The share right for this collection by itself. If it is lower, send its labels (and all of which the
#    translator is unsure) to a person, and collect more such sayings for training.
#
# === BEGIN MARK SCHEME ===
# 1. **One point** for "no", with a reason (other test set, references or tokens) and the remedy. Half without
#    the remedy.
# 2. **One point** for the share of exactly right labels and why BLEU is too kind. Half for another score
#    without a reason.
# 3. **One point** for measuring this group by itself and for a consequence (a person looks, or more data). Half
#    for one of the two.
# === END MARK SCHEME ===
