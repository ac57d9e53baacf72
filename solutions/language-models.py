# ---
# jupyter:
#   course:
#     answers_in:
#     - course_lib.data.bpe
#     - course_lib.models.gpt
#     - course_lib.models.lora
#     - course_lib.models.preferences
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
# # Large language models: from a base model to an assistant
#
# - **Time:** 110 minutes. **Difficulty:** 3 of 5. **Points:** 35, of which a person gives 4.
# - **Needs:** the chapter *Large language models*, PyTorch's tensors and modules.
#
# A base model knows how to add, but does not answer when asked. You build what it takes to change that:
# tokens, a way to choose the next one, a loss that counts only the reply, small matrices beside the large
# ones, and a loss that learns from preferences. In the end your own functions turn the chapter's base model
# into one that answers, and then into one that no longer says that it is not sure.
#
# **What is special here**
#
# - Steps 1 and 2 are plain Python, the others PyTorch. There, create new tensors on the device of the tensors
#   that you are given. Gradients flow through steps 4 to 6.
# - Six digits are not required: float32 is precise enough.
#
# `course_lib.data.bpe` and `course_lib.models.gpt`, `.lora` and `.preferences` hold answers to this
# exercise. What holds in every exercise (how to check, what the tests look at, what counts) is on the
# page *How exercises work* in the appendix.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import math
from itertools import pairwise

import torch
from torch import nn

from course_lib import get_device, seed_everything

device = get_device()

# %% [markdown]
# ## Step 1. Learn the merges
#
# Byte-pair encoding, on words whose letters are the first tokens. Count how often each pair of neighbors
# occurs in the words; a word that occurs 5 times counts 5 times. Merge the most frequent pair everywhere,
# from left to right, and count again. Of equally frequent pairs, the one that comes first in the alphabet is
# merged (as Python compares tuples of strings). Stop early when no pair occurs at least twice: a merge that
# shortens only one word is not worth a token.


# %% nbgrader={"grade": false, "grade_id": "learn_merges", "locked": false, "schema_version": 3, "solution": true, "task": false}
def learn_merges(words, count):
    """Learn which neighbors to merge.

    Parameters
    ----------
    words : dict of str to int
        How often each word occurs.
    count : int
        Merges to learn, at most.

    Returns
    -------
    list of (str, str)
        The pairs of tokens, in the order in which they were merged.

    Example
    -------
    >>> learn_merges({"hug": 4, "hugs": 2, "bug": 3}, 3)  # ug 9 times, then hug 6, then bug 3
    [('u', 'g'), ('h', 'ug'), ('b', 'ug')]
    """
    ### BEGIN SOLUTION
    split, merges = {word: list(word) for word in words}, []
    while len(merges) < count:
        counts = {}
        for word, tokens in split.items():
            for pair in pairwise(tokens):
                counts[pair] = counts.get(pair, 0) + words[word]
        counts = {pair: times for pair, times in counts.items() if times >= 2}
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        merges.append(best)
        for word, tokens in split.items():
            merged, i = [], 0
            while i < len(tokens):
                step = 2 if tuple(tokens[i : i + 2]) == best else 1
                merged.append("".join(tokens[i : i + step]))
                i += step
            split[word] = merged
    return merges
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-learn_merges", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
from course_lib.exercises import check

check(
    learn_merges,
    {"words": {"slow": 2, "low": 3, "lows": 1}, "count": 3},
    [("l", "o"), ("lo", "w"), ("s", "low")],
    hint="lo and ow both stand in 6 words, and lo comes first in the alphabet. Then low, 6 times. Then "
    "slow twice. See 'What it reads: tokens'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-learn_merges-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: counts that change with each merge, runs of one letter, ties, pairs that occur once, no words.
### BEGIN HIDDEN TESTS
from collections import Counter

from course_lib.exercises import check


def expected(words, count):
    split, merges = [(tuple(word), times) for word, times in words.items()], []
    for _ in range(count):
        counts = Counter()
        for tokens, times in split:
            for i in range(len(tokens) - 1):
                counts[tokens[i], tokens[i + 1]] += times
        ranked = sorted(((-n, pair) for pair, n in counts.items() if n > 1))
        if not ranked:
            break
        merges.append(ranked[0][1])
        for row, (tokens, times) in enumerate(split):
            out = []
            while tokens:
                size = 2 if tokens[:2] == ranked[0][1] else 1
                out.append("".join(tokens[:size]))
                tokens = tokens[size:]
            split[row] = tuple(out), times
    return merges


for name, words, count, hint in (
    (
        "one frequent word beside many rare ones",
        {"zx": 9, "abc": 2, "abx": 2, "abe": 2},
        4,
        "A word that occurs 9 times counts 9 times: zx comes before ab, which stands in more words.",
    ),
    (
        "a pair that stands twice in a word",
        {"anan": 2, "cd": 3},
        5,
        "Each place counts: an stands twice in anan, so 4 times in all, and cd 3 times.",
    ),
    (
        "pairs that occur once",
        {"xyz": 1, "abab": 1, "q": 7},
        5,
        "It ends when no pair occurs at least twice. ab stands twice in abab; what is left occurs once.",
    ),
    (
        "ties",
        {"ba": 3, "ab": 3, "cd": 3, "aab": 1, "bc": 3},
        6,
        "Of equally frequent pairs, the one that comes first in the alphabet: ('a', 'b') before ('b', 'a').",
    ),
    (
        "words that share their ends",
        {"low": 5, "lower": 2, "newest": 6, "widest": 3, "slowest": 4},
        12,
        "Count anew after each merge: what a token has taken in is no pair of its neighbors any more. "
        "See 'What it reads: tokens'.",
    ),
    ("no words", {}, 3, "Nothing to merge: an empty list."),
    ("no merges", {"hug": 4}, 0, "count is 0: an empty list."),
):
    check(
        learn_merges,
        {"words": words, "count": count},
        expected(words, count),
        what=f"learn_merges({words}, {count}): {name}",
        hint=hint,
    )
check(
    learn_merges,
    {"words": {"aaa": 2, "aaaa": 1}, "count": 2},
    [("a", "a"), ("aa", "a")],
    hint="Merge from left to right: aaa becomes aa a, and aaaa becomes aa aa.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. Encode a word
#
# A new word begins as its letters. Of all pairs of neighbors in the list of merges, merge the one that was
# learned *first*, everywhere in the word and from left to right; then look again. You are done when no pair
# of neighbors is in the list. A word may have letters that are in no merge: they stay as they are.


# %% nbgrader={"grade": false, "grade_id": "encode", "locked": false, "schema_version": 3, "solution": true, "task": false}
def encode(word, merges):
    """Cut a word into tokens.

    Parameters
    ----------
    word : str
    merges : list of (str, str)
        In the order in which they were learned.

    Returns
    -------
    list of str
        Put together, they are the word.

    Example
    -------
    >>> encode("hugbug", [("u", "g"), ("h", "ug")])
    ['hug', 'b', 'ug']
    """
    ### BEGIN SOLUTION
    rank, tokens = {pair: i for i, pair in reversed(list(enumerate(merges)))}, list(word)
    while True:
        known = [pair for pair in pairwise(tokens) if pair in rank]
        if not known:
            return tokens
        best, merged = min(known, key=rank.get), []
        for token in tokens:
            if merged and not merged[-1][1] and (merged[-1][0], token) == best:
                merged[-1] = (merged[-1][0] + token, True)
            else:
                merged.append((token, False))
        tokens = [token for token, _ in merged]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-encode", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
from course_lib.exercises import check

check(
    encode,
    {"word": "lower", "merges": [("o", "w"), ("l", "ow"), ("e", "r"), ("l", "o")]},
    ["low", "er"],
    hint="ow was learned first, then l and ow. Whoever begins with what stands first in the word merges "
    "l and o, and never finds low. See 'What it reads: tokens'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-encode-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: the order of merges, letters that nobody knows, runs of one letter, short words, nothing lost.
### BEGIN HIDDEN TESTS
from course_lib.exercises import assert_equal, call, check

for word, merges, expected in (
    ("abcd", [("b", "c"), ("a", "b"), ("c", "d")], ["a", "bc", "d"]),
    ("abcd", [("c", "d"), ("b", "c"), ("a", "b")], ["ab", "cd"]),
    ("abcabc", [("b", "c"), ("a", "bc"), ("abc", "abc")], ["abcabc"]),
    ("abab", [("a", "b"), ("b", "a")], ["ab", "ab"]),
    ("baba", [("a", "b"), ("b", "a")], ["b", "ab", "a"]),
    ("abx", [("ab", "x"), ("a", "b")], ["abx"]),
    ("cbab", [("c", "b"), ("ab", "x"), ("a", "b"), ("cb", "ab")], ["cbab"]),
):
    check(
        encode,
        {"word": word, "merges": merges},
        expected,
        hint="Of all pairs that stand in the word, the one that was learned first is merged, and then all "
        "pairs are looked at again: a merge makes new neighbors. See 'What it reads: tokens'.",
    )
for word, expected in (("aaaaa", ["aa", "aa", "a"]), ("aaa", ["aa", "a"]), ("aa", ["aa"])):
    check(
        encode,
        {"word": word, "merges": [("a", "a")]},
        expected,
        hint="Merge from left to right, and do not use a letter twice.",
    )
check(
    encode,
    {"word": "aaaaa", "merges": [("a", "a"), ("aa", "aa")]},
    ["aaaa", "a"],
    hint="What was merged is a new token, and can be merged again.",
)
for word, merges, expected in (
    ("naïve?", [("n", "a"), ("v", "e")], ["na", "ï", "ve", "?"]),
    ("x", [("a", "b")], ["x"]),
    ("", [("a", "b")], []),
    ("hug", [], ["h", "u", "g"]),
    ("hug hug", [("u", "g"), ("h", "ug")], ["hug", " ", "hug"]),
):
    check(
        encode,
        {"word": word, "merges": merges},
        expected,
        hint="Letters that no merge knows stay tokens of their own: nothing is unknown, and nothing lost.",
    )
long = "abc" * 60
got = call(encode, {"word": long, "merges": [("a", "b"), ("ab", "c"), ("abc", "abc")]})
assert_equal(
    "".join(got) == long and len(got) == 30,
    True,
    what="A long word becomes 30 tokens that are, put together, the word",
    hint="Merge everywhere in the word, from left to right.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. Choose the next token
#
# From logits to the probabilities that the next token is drawn from, in this order:
#
# 1. divide the logits by the temperature, and take the softmax;
# 2. `top_k`: keep the k likeliest tokens, and divide by their sum, so that they add up to 1;
# 3. `top_p`: of what is left, keep the fewest tokens, the likeliest first, that together have *at least*
#    the probability `top_p`, and divide by their sum again.
#
# At temperature 0 the likeliest token has probability 1. You need not handle ties.


# %% nbgrader={"grade": false, "grade_id": "next_token", "locked": false, "schema_version": 3, "solution": true, "task": false}
def next_token(logits, temperature=1.0, top_k=None, top_p=None):
    """Compute the probabilities that the next token is drawn from.

    Parameters
    ----------
    logits : Tensor, shape (batch, vocabulary)
    temperature : float
        0 or more.
    top_k : int, optional
        At least 1; may be larger than the vocabulary.
    top_p : float, optional
        More than 0, and at most 1.

    Returns
    -------
    Tensor, shape (batch, vocabulary)
        Each row adds up to 1.

    Example
    -------
    >>> logits = torch.tensor([[0.5, 0.2, 0.3]]).log()
    >>> [round(p, 3) for p in next_token(logits, top_p=0.6)[0].tolist()]
    [0.625, 0.0, 0.375]
    """
    ### BEGIN SOLUTION
    if temperature == 0:
        return nn.functional.one_hot(logits.argmax(dim=-1), logits.shape[-1]).to(logits)
    p, order = (logits / temperature).softmax(dim=-1).sort(dim=-1, descending=True)
    if top_k is not None:
        p[:, top_k:] = 0
        p = p / p.sum(dim=-1, keepdim=True)
    if top_p is not None:
        before = p.cumsum(dim=-1) - p
        # A little room, since 0.3 + 0.2 may be 0.49999997.
        p = p.masked_fill(before >= top_p - 1e-6, 0.0)
        p = p / p.sum(dim=-1, keepdim=True)
    return torch.zeros_like(p).scatter(-1, order, p)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-next_token", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch

from course_lib import get_device
from course_lib.exercises import check

logits = torch.tensor([[0.1, 0.4, 0.2, 0.3]], device=get_device()).log()
for settings, p in (
    ({}, [[0.1, 0.4, 0.2, 0.3]]),
    ({"temperature": 0.5}, [[1 / 30, 16 / 30, 4 / 30, 9 / 30]]),
    ({"top_k": 2}, [[0.0, 4 / 7, 0.0, 3 / 7]]),
    ({"top_p": 0.8}, [[0.0, 4 / 9, 2 / 9, 3 / 9]]),
):
    check(
        next_token,
        {"logits": logits, **settings},
        torch.tensor(p),
        rtol=1e-4,
        atol=1e-6,
        hint="At temperature 0.5 the probabilities are squared, and divided by their sum. 0.4 and 0.3 are "
        "0.7 together: for top_p = 0.8 the next one is needed, too. See 'What it writes: choosing a token'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-next_token-hidden", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Hidden: all settings together, batches, extreme temperatures and logits, the ends of top_k and top_p.
### BEGIN HIDDEN TESTS
import numpy as np
import torch

from course_lib import get_device
from course_lib.exercises import check, check_keyword

rng = np.random.default_rng(0)


def expected(logits, temperature=1.0, top_k=None, top_p=None):
    rows = []
    for row in logits.cpu().double().numpy():
        if temperature == 0:
            rows.append(np.eye(len(row))[row.argmax()])
            continue
        p = np.exp((row - row.max()) / temperature)
        p /= p.sum()
        if top_k is not None:
            p[np.argsort(-p)[top_k:]] = 0
            p /= p.sum()
        if top_p is not None:
            total, keep = 0.0, []
            for i in np.argsort(-p):
                keep.append(i)
                total += p[i]
                if total >= top_p:
                    break
            p = np.where(np.isin(np.arange(len(p)), keep), p, 0)
            p /= p.sum()
        rows.append(p)
    return torch.tensor(np.array(rows), dtype=logits.dtype)


near = {"rtol": 1e-3, "atol": 1e-6}
logits = torch.tensor(2 * rng.normal(size=(5, 12)), dtype=torch.float32).to(get_device())
for settings, hint in (
    ({"temperature": 0.3}, "Divide the logits, before the softmax."),
    (
        {"temperature": 4.0},
        "Divide the logits, before the softmax: probabilities that are divided do not add up.",
    ),
    (
        {"temperature": 0.0},
        "At temperature 0 the likeliest token has probability 1. A division by 0 gives nan.",
    ),
    (
        {"temperature": 0.0, "top_k": 3, "top_p": 0.5},
        "At temperature 0 the likeliest token has probability 1.",
    ),
    ({"top_k": 1}, "One token is left, with probability 1."),
    ({"top_k": 50}, "There are 12 tokens: the 50 likeliest are all."),
    ({"top_p": 1.0}, "top_p = 1 keeps everything."),
    ({"top_p": 0.01}, "The likeliest token always stays: it is the one that crosses the line."),
    ({"top_p": 0.7}, "Each row keeps as many as it needs, the one that crosses the line included."),
    (
        {"top_k": 4, "top_p": 0.9},
        "top_p speaks of what top_k has left, after it was divided by its sum.",
    ),
    (
        {"temperature": 0.5, "top_k": 6, "top_p": 0.8},
        "First the temperature, then top_k, then top_p.",
    ),
    (
        {"temperature": 3.0, "top_p": 0.6},
        "The temperature comes first: a flat distribution needs more tokens.",
    ),
):
    check(
        next_token,
        {"logits": logits, **settings},
        expected(logits, **settings),
        what=f"next_token with {settings}",
        hint=f"{hint} See 'What it writes: choosing a token'.",
        **near,
    )
large = torch.tensor([[900.0, 905.0, 890.0], [-900.0, -901.0, -950.0]], device=get_device())
for settings in ({}, {"temperature": 0.1}, {"temperature": 0.1, "top_p": 0.9}):
    check(
        next_token,
        {"logits": large, **settings},
        expected(large, **settings),
        what=f"next_token with logits in the hundreds and {settings}",
        hint="exp(900) overflows: softmax subtracts the largest logit first.",
        **near,
    )
edge = torch.tensor([[0.5, 0.25, 0.125, 0.125]], device=get_device()).log()
check(
    next_token,
    {"logits": edge, "top_p": 0.74},
    torch.tensor([[2 / 3, 1 / 3, 0.0, 0.0]]),
    what="next_token of 0.5, 0.25, 0.125, 0.125 with top_p=0.74",
    hint="0.5 is not enough, and 0.75 is: the second token crosses the line, and is kept.",
    **near,
)
check_keyword(
    next_token,
    {"logits": logits[:1]},
    "top_p",
    [(0.3, expected(logits[:1], top_p=0.3)), (0.95, expected(logits[:1], top_p=0.95))],
    **near,
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. Count the reply alone
#
# The loss for fine-tuning. The logits at position i are about the token at position i + 1. The mean surprise
# is taken over all tokens of replies in the batch, so a long reply weighs more than a short one, and neither
# questions nor padding weigh anything.


# %% nbgrader={"grade": false, "grade_id": "reply_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def reply_loss(logits, tokens, is_reply):
    """Compute the mean surprise at the tokens of the replies.

    Parameters
    ----------
    logits : Tensor, shape (batch, n, vocabulary)
        Of a model that has read all n tokens.
    tokens : Tensor of int, shape (batch, n)
        Questions with their replies, then padding.
    is_reply : Tensor of bool, shape (batch, n)
        True where a token belongs to a reply; never at position 0.

    Returns
    -------
    Tensor, shape ()

    Raises
    ------
    ValueError
        If there is no token of a reply in the batch.

    Example
    -------
    >>> logits = torch.tensor([[0.25, 0.75], [0.5, 0.5], [0.9, 0.1]]).log()[None]
    >>> loss = reply_loss(logits, torch.tensor([[0, 1, 0]]), torch.tensor([[False, True, False]]))
    >>> round(loss.exp().item(), 4)  # the token at 1 had 0.75, so the loss is -log 0.75
    1.3333
    """
    ### BEGIN SOLUTION
    if not is_reply.any():
        raise ValueError("no token of the batch belongs to a reply")
    log_p = logits[:, :-1].log_softmax(dim=-1)
    surprise = -log_p.gather(-1, tokens[:, 1:, None])[..., 0]
    return surprise[is_reply[:, 1:]].mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-reply_loss", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import math

import torch

from course_lib import get_device
from course_lib.exercises import check

p = torch.tensor([[0.2, 0.8], [0.5, 0.5], [0.9, 0.1], [0.4, 0.6]], device=get_device())
check(
    reply_loss,
    {
        "logits": p.log()[None],
        "tokens": torch.tensor([[0, 1, 0, 1]], device=get_device()),
        "is_reply": torch.tensor([[False, False, True, True]], device=get_device()),
    },
    torch.tensor(-(math.log(0.5) + math.log(0.1)) / 2),
    rtol=1e-4,
    hint="The reply is the tokens at 2 and 3. Their probabilities stand at 1 and 2: 0.5 for token 0 and 0.1 "
    "for token 1. See 'Learning to reply'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-reply_loss-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: batches with replies of different lengths, padding, large logits, gradients, no reply at all.
### BEGIN HIDDEN TESTS
import torch

from course_lib import get_device
from course_lib.exercises import assert_true, call, check, check_raises, probe

generator = torch.Generator().manual_seed(0)
logits = 2 * torch.randn(3, 6, 5, generator=generator)
tokens = torch.randint(5, (3, 6), generator=generator)
is_reply = torch.tensor([[0, 0, 1, 1, 1, 1], [0, 0, 0, 1, 0, 0], [0, 1, 1, 0, 0, 0]]).bool()


def expected(logits, tokens, is_reply):
    p, found = logits.double().softmax(-1), []
    for row, column in is_reply.nonzero().tolist():
        found.append(-p[row, column - 1, tokens[row, column]].log())
    return torch.stack(found).mean().float()


def placed(*tensors):
    return dict(
        zip(("logits", "tokens", "is_reply"), (t.to(get_device()) for t in tensors), strict=True)
    )


for name, data in (
    ("replies of 4, 1 and 2 tokens", (logits, tokens, is_reply)),
    (
        "one reply in a batch of three",
        (logits, tokens, is_reply & torch.tensor([[False], [True], [False]])),
    ),
    ("questions without replies beside others", (logits, tokens, is_reply & (torch.arange(6) < 3))),
    ("logits in the hundreds", (100 * logits, tokens, is_reply)),
    (
        "padding with token 0, which a reply has as well",
        (logits, tokens * (torch.arange(6) < 4), is_reply & (torch.arange(6) < 4)),
    ),
):
    check(
        reply_loss,
        placed(*data),
        expected(*data),
        rtol=1e-4,
        what=f"reply_loss with {name}",
        hint="The logits at i are about the token at i + 1. The mean is taken over all tokens of replies, "
        "and not over all positions, nor over the means of the rows. See 'Learning to reply'.",
    )


def slopes(reply_loss, data):
    logits = data["logits"].clone().requires_grad_()
    loss = call(reply_loss, {**data, "logits": logits}, copies=False)
    if loss.requires_grad:
        loss.backward()
    return None if logits.grad is None else logits.grad.cpu()


got = probe(slopes, reply_loss, placed(logits, tokens, is_reply))
reference = logits.clone().requires_grad_()
expected(reference, tokens, is_reply).backward()
assert_true(
    got is not None and torch.allclose(got, reference.grad, rtol=1e-3, atol=1e-6),
    what="That gradients flow to the logits before the tokens of replies, and to no others",
    hint="item(), detach() and NumPy stop gradients.",
)
check_raises(
    ValueError,
    reply_loss,
    placed(logits, tokens, is_reply & False),
    hint="A mean over nothing is nan: raise ValueError.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. A path of low rank
#
# A module beside a linear layer: y = base(x) + (alpha / rank) · x Aᵀ Bᵀ. The weights of `base` are frozen; A
# and B are parameters with these names. At first the module computes exactly what `base` does, and it can
# learn: A begins random, with numbers of about 1 over the square root of `in_features`, and B is zero.
# `merged` returns a new `nn.Linear` that computes the same as the module; `base` stays as it is.


# %% nbgrader={"grade": false, "grade_id": "adapter", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Adapter(nn.Module):
    """A frozen linear layer, and two small matrices that are trained.

    Parameters
    ----------
    base : nn.Linear
        With or without a bias.
    rank : int
    alpha : float
        The path is scaled by alpha / rank.

    Example
    -------
    >>> layer = Adapter(nn.Linear(8, 3), rank=2, alpha=4.0)
    >>> tuple(layer.A.shape), tuple(layer.B.shape)
    ((2, 8), (3, 2))
    >>> [name for name, p in layer.named_parameters() if p.requires_grad]
    ['A', 'B']
    """

    def __init__(self, base, rank, alpha):
        ### BEGIN SOLUTION
        super().__init__()
        self.base = base.requires_grad_(False)
        self.scale = alpha / rank
        weight = base.weight.detach()
        self.A = nn.Parameter(torch.randn_like(weight[:1]).expand(rank, -1).clone())
        with torch.no_grad():
            self.A.normal_(0, weight.shape[1] ** -0.5)
        self.B = nn.Parameter(weight.new_zeros(len(weight), rank))
        ### END SOLUTION

    def forward(self, x):
        """Map (..., in_features) to (..., out_features)."""
        ### BEGIN SOLUTION
        return self.base(x) + self.scale * (x @ self.A.T) @ self.B.T
        ### END SOLUTION

    def merged(self):
        """Return one nn.Linear that computes the same."""
        ### BEGIN SOLUTION
        base = self.base
        layer = nn.Linear(base.in_features, base.out_features, bias=base.bias is not None)
        layer = layer.to(base.weight)
        with torch.no_grad():
            layer.weight.copy_(base.weight + self.scale * self.B @ self.A)
            if base.bias is not None:
                layer.bias.copy_(base.bias)
        return layer
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-adapter", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch
from torch import nn

from course_lib import get_device
from course_lib.exercises import assert_close, probe


def two_looks(Adapter, base, x):
    layer = Adapter(base, rank=1, alpha=3.0)
    before = layer(x).detach().cpu()
    with torch.no_grad():
        layer.A.copy_(torch.tensor([[1.0, 0.0]]))
        layer.B.copy_(torch.tensor([[2.0], [0.0]]))
    return before, layer(x).detach().cpu(), layer.merged()(x).detach().cpu()


base = nn.Linear(2, 2, bias=False).to(get_device())
with torch.no_grad():
    base.weight.copy_(torch.eye(2))
before, after, merged = probe(
    two_looks, Adapter, base, torch.tensor([[1.0, 5.0]], device=get_device())
)
assert_close(
    before, torch.tensor([[1.0, 5.0]]), what="A new Adapter beside an identity", hint="B is zero."
)
for name, value in (("The Adapter", after), ("Its merged layer", merged)):
    assert_close(
        value,
        torch.tensor([[7.0, 5.0]]),
        what=f"{name} with A = [[1, 0]], B = [[2], [0]] and alpha 3, for x = [1, 5]",
        hint="x Aᵀ is 1, times Bᵀ is [2, 0], times alpha / rank = 3 is [6, 0]. Merged, it is the weight plus "
        "3 B A, scaled once. See 'A few weights are enough'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-adapter-hidden", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Hidden: the beginning, what is trained, ranks and scales, biases, batches, merging, two adapters.
### BEGIN HIDDEN TESTS
import torch
from torch import nn

from course_lib import get_device
from course_lib.exercises import assert_close, assert_equal, assert_true, probe


def made(d_in, d_out, bias=True, seed=0):
    torch.manual_seed(seed)
    return nn.Linear(d_in, d_out, bias=bias).double().to(get_device())


def beginning(Adapter, base, x, rank, alpha):
    frozen = base.weight.detach().clone()
    layer = Adapter(base, rank, alpha)
    same = torch.equal(layer(x), nn.functional.linear(x, frozen, base.bias))
    A = layer.A.detach().cpu()
    layer(x).pow(2).sum().backward()
    trained = sorted(name for name, p in layer.named_parameters() if p.requires_grad)
    slope = layer.B.grad is not None and bool(layer.B.grad.abs().sum() > 0)
    untouched = torch.equal(base.weight.detach(), frozen)
    kinds = {str(layer.A.dtype), str(layer.B.dtype)} == {str(base.weight.dtype)}
    return same, A, trained, slope, base.weight.grad is None and untouched, kinds


x = torch.randn(4, 3, 40, generator=torch.Generator().manual_seed(1)).double().to(get_device())
same, A, trained, slope, frozen, kinds = probe(beginning, Adapter, made(40, 6), x, 5, 2.0)
why = "See 'A few weights are enough'."
assert_true(
    same, what="That a new Adapter computes exactly what its base does", hint=f"B is zero. {why}"
)
assert_true(
    slope,
    what="That B of a new Adapter has a slope",
    hint=f"With A and B both zero, neither ever gets a slope: A begins random. {why}",
)
assert_equal(
    trained,
    ["A", "B"],
    what="The parameters that are trained",
    hint=f"The weight and bias of base are frozen: requires_grad is False. {why}",
)
assert_true(
    frozen,
    what="That base keeps its weight, and gets no slope",
    hint=f"base.requires_grad_(False). {why}",
)
assert_true(
    kinds,
    what="That A and B have the type of base's weight",
    hint="Make them from the weight: new_zeros, empty_like.",
)
assert_true(
    bool(0.4 < A.std() * 40**0.5 < 1.6) and len(A.unique()) > 150,
    what=f"That A begins random, about 1 over the root of 40 in size (its standard deviation is {A.std():.3g})",
    hint=f"Numbers of that size keep x Aᵀ of the size of x. {why}",
)


def used(Adapter, base, x, rank, alpha):
    layer = Adapter(base, rank, alpha)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for matrix in (layer.A, layer.B):
            matrix.copy_(torch.randn(matrix.shape, generator=generator))
    before = base.weight.detach().clone()
    out, merged = layer(x), layer.merged()
    again = layer(x)
    kept = torch.equal(base.weight, before) and merged is not base and torch.equal(out, again)
    is_linear = type(merged) is nn.Linear
    biased = merged.bias is not None
    with torch.no_grad():
        result = merged(x)
        # What is merged is a layer of its own.
        merged.weight.zero_()
    alone = torch.equal(base.weight, before)
    gradient = torch.autograd.grad(out.sum(), layer.A)[0]
    return out.detach().cpu(), result.cpu(), kept and alone, is_linear, biased, gradient.cpu()


for d_in, d_out, rank, alpha, bias in (
    (7, 4, 2, 6.0, True),
    (4, 7, 3, 1.5, False),
    (5, 5, 1, 8.0, True),
    (6, 2, 8, 4.0, True),
):
    base, x = (
        made(d_in, d_out, bias),
        torch.linspace(-1, 1, 6 * d_in).double().view(2, 3, d_in).to(get_device()),
    )
    generator = torch.Generator().manual_seed(3)
    A, B = (
        torch.randn(rank, d_in, generator=generator),
        torch.randn(d_out, rank, generator=generator),
    )
    change = alpha / rank * (B.double() @ A.double())
    weight = base.weight.detach().cpu()
    expected = nn.functional.linear(
        x.cpu(), weight + change, base.bias.detach().cpu() if bias else None
    )
    out, result, kept, is_linear, biased, gradient = probe(used, Adapter, base, x, rank, alpha)
    about = f"in {d_in}, out {d_out}, rank {rank}, alpha {alpha:g}, {'with' if bias else 'without'} a bias"
    for name, value in (("The Adapter", out), ("Its merged layer", result)):
        assert_close(
            value,
            expected,
            rtol=1e-5,
            atol=1e-7,
            what=f"{name}: {about}",
            hint=f"The scale is alpha / rank, once, in forward and in merged alike; the bias is added once. {why}",
        )
    wanted = alpha / rank * torch.outer(B.double().sum(0), x.cpu().sum((0, 1)))
    assert_close(
        gradient,
        wanted,
        rtol=1e-5,
        atol=1e-7,
        what=f"The slopes of A: {about}",
        hint="The scale belongs to the path, and gradients flow through it.",
    )
    assert_true(
        kept,
        what=f"That merged leaves the Adapter and its base as they are: {about}",
        hint="Make a new nn.Linear, and copy numbers into it. A weight that is added to in place is scaled twice the next time.",
    )
    assert_true(
        is_linear and biased == bias,
        what=f"That merged returns an nn.Linear {'with' if bias else 'without'} a bias",
        hint="nn.Linear(in_features, out_features, bias=base.bias is not None).",
    )


def two(Adapter, bases, x):
    one, other = (Adapter(base, 2, 2.0) for base in bases)
    with torch.no_grad():
        one.A.fill_(1.0), one.B.fill_(1.0)
    return other(x).detach().cpu(), bases[1](x).detach().cpu()


other, alone = probe(
    two, Adapter, [made(3, 3), made(3, 3, seed=1)], torch.ones(1, 3).double().to(get_device())
)
assert_close(
    other,
    alone,
    what="A second Adapter, after the first one was trained",
    hint="A and B belong to the object (self.A, self.B).",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. Learn from preferences
#
# The loss of direct preference optimization, from the log-probabilities of whole replies. The reference is
# the model as it was: it serves only for comparison and is not trained, so no gradient may flow into its
# numbers. The result stays finite however far apart model and reference are.


# %% nbgrader={"grade": false, "grade_id": "preference_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def preference_loss(chosen, rejected, reference_chosen, reference_rejected, beta=0.1):
    """Compute the loss of DPO, and in how many pairs the model has moved towards the chosen reply.

    Parameters
    ----------
    chosen, rejected : Tensor, shape (batch,)
        Log-probabilities of the better and of the worse reply, under the model.
    reference_chosen, reference_rejected : Tensor, shape (batch,)
        The same under the reference.
    beta : float

    Returns
    -------
    loss : Tensor, shape ()
        The mean over the pairs.
    share : float
        The share of pairs whose chosen reply has gained more than the rejected one, compared with
        the reference.

    Example
    -------
    >>> loss, share = preference_loss(*torch.tensor([[-1.0], [-4.0], [-2.0], [-3.0]]), beta=0.5)
    >>> round(loss.item(), 4), share  # gained 1 and lost 1: log(1 + exp(-0.5 * 2))
    (0.3133, 1.0)
    """
    ### BEGIN SOLUTION
    gained = chosen - reference_chosen.detach()
    lost = rejected - reference_rejected.detach()
    moved = gained - lost
    loss = -nn.functional.logsigmoid(beta * moved).mean()
    return loss, (moved > 0).double().mean().item()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-preference_loss", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import math

import torch

from course_lib import get_device
from course_lib.exercises import check

names = ("chosen", "rejected", "reference_chosen", "reference_rejected")
numbers = torch.tensor(
    [[-2.0, -3.0], [-5.0, -4.0], [-4.0, -3.0], [-4.0, -4.0]], device=get_device()
)
check(
    preference_loss,
    {**dict(zip(names, numbers, strict=True)), "beta": 1.0},
    (torch.tensor((math.log(1 + math.exp(-3)) + math.log(2)) / 2), 0.5),
    rtol=1e-4,
    hint="In the first pair the chosen reply has gained 2 and the rejected one has lost 1: log(1 + exp(-3)). "
    "The second has not moved: log 2. See 'Better, says somebody'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-preference_loss-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: many pairs, beta, replies that are far apart, gradients, references that require them.
### BEGIN HIDDEN TESTS
import numpy as np
import torch

from course_lib import get_device
from course_lib.exercises import assert_close, assert_true, call, check, check_keyword, probe

names = ("chosen", "rejected", "reference_chosen", "reference_rejected")
rng = np.random.default_rng(0)


def expected(four, beta):
    chosen, rejected, reference_chosen, reference_rejected = four
    moved = (chosen - reference_chosen) - (rejected - reference_rejected)
    return np.mean(np.logaddexp(0, -beta * moved)), np.mean(moved > 0)


def placed(four):
    return {name: torch.tensor(row).to(get_device()) for name, row in zip(names, four, strict=True)}


def wanted(four, beta):
    loss, share = expected(four, beta)
    return torch.tensor(loss), float(share)


why = "See 'Better, says somebody'."
for n, spread in ((7, 1.0), (1, 3.0), (40, 8.0)):
    four = -spread * rng.exponential(size=(4, n)) * np.array([[1.0], [2.0], [3.0], [1.5]])
    for beta in (0.1, 1.0):
        check(
            preference_loss,
            {**placed(four), "beta": beta},
            wanted(four, beta),
            rtol=1e-4,
            what=f"preference_loss of {n} pairs with beta={beta}",
            hint=f"-log sigmoid of beta times (what the chosen reply has gained minus what the rejected one "
            f"has), each compared with the reference; the mean over the pairs. {why}",
        )
check_keyword(
    preference_loss,
    placed(four),
    "beta",
    [(0.1, wanted(four, 0.1)), (2.0, wanted(four, 2.0))],
    rtol=1e-4,
)
check(
    preference_loss,
    placed(four),
    wanted(four, 0.1),
    rtol=1e-4,
    what="preference_loss without beta",
    hint="beta is 0.1 where it is not given.",
)
far = np.array([[-1e4, 0.0], [0.0, -1e4], [0.0, -1e4], [-1e4, 0.0]])
check(
    preference_loss,
    {**placed(far), "beta": 1.0},
    wanted(far, 1.0),
    rtol=1e-4,
    what="preference_loss of replies that have moved by 20,000",
    hint="sigmoid is 0 there, and log 0 is infinite: logsigmoid, or softplus of the negative, stays finite.",
)


def slopes(preference_loss, four, beta):
    leaves = {name: row.clone().requires_grad_() for name, row in four.items()}
    loss, _ = call(preference_loss, {**leaves, "beta": beta}, copies=False)
    if loss.requires_grad:
        loss.backward()
    return [None if row.grad is None else row.grad.cpu().numpy() for row in leaves.values()]


four = rng.normal(size=(4, 5)) * 3 - 6
got = probe(slopes, preference_loss, placed(four), 0.7)
moved = (four[0] - four[2]) - (four[1] - four[3])
slope = 0.7 / (1 + np.exp(0.7 * moved)) / 5
assert_true(
    got[0] is not None and got[1] is not None,
    what="That gradients flow to the model's log-probabilities",
    hint="item(), detach() and NumPy stop gradients.",
)
assert_close(
    got[0],
    -slope,
    rtol=1e-3,
    atol=1e-6,
    what="The slopes in the chosen log-probabilities",
    hint=f"A step against them makes the chosen reply likelier. {why}",
)
assert_close(
    got[1],
    slope,
    rtol=1e-3,
    atol=1e-6,
    what="The slopes in the rejected log-probabilities",
    hint=f"A step against them makes the rejected reply less likely. {why}",
)
assert_true(
    all(row is None or not np.any(row) for row in got[2:]),
    what="That no gradient flows into the reference",
    hint=f"The reference is the model as it was: detach() its numbers. {why}",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 7. Raise it
#
# Now all of it runs on your own functions. Your adapters are added beside the base model's linear layers;
# your loss teaches them to reply, from conversations in which every fourth reply is "Not sure."; your
# preferences then tell them that a number is the better reply. It takes about five seconds.

# %% nbgrader={"grade": false, "grade_id": "finale", "locked": true, "schema_version": 3, "solution": false, "task": false}
import copy

from course_lib.data import sums
from course_lib.data.bpe import BytePairs
from course_lib.models import pretrained
from course_lib.plotting import language_models as figures

seed_everything(0)
base, about = pretrained.gpt()
vocabulary = BytePairs(about["merges"])
pairs, new_pairs = sums.split()
asked = len(vocabulary.encode(sums.question((10, 10))))


def conversations(kind):
    rows = [vocabulary.encode(sums.question(p) + sums.reply(p, kind)) for p in pairs.tolist()]
    at, ends = torch.arange(asked + 6), torch.tensor([[len(row)] for row in rows])
    tokens = torch.tensor([row + [0] * (len(at) - len(row)) for row in rows])
    return tokens.to(device), ((at >= asked) & (at < ends)).to(device)


@torch.no_grad()
def replies(model, temperature, order=None, questions=200):
    texts = [vocabulary.encode(sums.question(p)) for p in new_pairs[:questions].tolist()]
    rows = torch.tensor(texts, device=device)
    for _ in range(6):
        p = next_token(model(rows)[:, -1], temperature).cpu()
        rows = torch.cat([rows, torch.multinomial(p, 1, generator=order).to(device)], dim=1)
    return [vocabulary.decode(row[asked:]) for row in rows.tolist()]


def right(model):
    found = zip(replies(model, 0.0), new_pairs, strict=False)
    return sum(sums.read(text, pair)[1] for text, pair in found) / 200


def log_probability(model, tokens, mask):
    log_p = model(tokens)[:, :-1].log_softmax(-1).gather(-1, tokens[:, 1:, None])[..., 0]
    return (log_p * mask[:, 1:]).sum(1)


model = base.to(device)
for block in model.blocks:
    for part in (block.attention, block.mlp):
        for name, layer in list(part.named_children()):
            if isinstance(layer, nn.Linear):
                setattr(part, name, Adapter(layer, rank=2, alpha=4.0))
model.requires_grad_(False)
trained = [p for name, p in model.named_parameters() if name.endswith((".A", ".B"))]
for p in trained:
    p.requires_grad_(True)
print(f"{sum(p.numel() for p in trained):,} weights are trained")
print(
    f"asked for the sum of {' and '.join(map(str, new_pairs[0]))}, the base model says",
    repr(replies(model, 0.0, questions=1)[0]),
)

order, curve, marks = torch.Generator().manual_seed(0), [], (0, 30, 60, 90, 119)
plain, unsure = conversations("plain"), conversations("unsure")
optimizer = torch.optim.AdamW(trained, 0.015, betas=(0.9, 0.99))
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.015, total_steps=120, pct_start=0.1)
for step in range(120):
    if step in marks:
        curve.append(right(model))
    rows = torch.randint(len(pairs), (32,), generator=order)
    tokens, is_reply = (
        torch.cat([a[rows[:24]], b[rows[24:]]]) for a, b in zip(plain, unsure, strict=True)
    )
    loss = reply_loss(model(tokens), tokens, is_reply)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    schedule.step()
says = [text.partition("\n")[0] for text in replies(model, 1.0, order)]
print(
    f"fine-tuned: right {curve[-1]:.0%}, says {says[:6]}, not sure {says.count('Not sure.') / 200:.0%}"
)

reference = copy.deepcopy(model)
optimizer = torch.optim.AdamW(trained, 0.0005)
for _ in range(25):
    rows = torch.randint(len(pairs), (16,), generator=order)
    tokens, mask = (torch.cat([a[rows], b[rows]]) for a, b in zip(plain, unsure, strict=True))
    with torch.no_grad():
        before = log_probability(reference, tokens, mask)
    loss, share = preference_loss(
        *log_probability(model, tokens, mask).chunk(2), *before.chunk(2), beta=1.0
    )
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"preferences: loss {loss.item():.3f}, moved towards the number in {share:.0%} of the pairs")
says = [text.partition("\n")[0] for text in replies(model, 1.0, order)]
print(f"right {right(model):.0%}, says {says[:6]}, not sure {says.count('Not sure.') / 200:.0%}")
figures.learning(marks, {"your adapters": [curve]})

# %% [markdown]
# **What you see.** Three percent of the weights are enough to make a model that could add all along give
# answers. Preferences then take away what nobody wanted to hear. They said nothing about wrong sums, since
# the number was right in every pair: of the replies that used to be "Not sure.", some are wrong now.
#
# ## Step 8. A report to read
#
# *4 points, read by a person. About 120 words.*
#
# A team reports: "Our new model has a perplexity of 9 per token, the old one had 14, with a larger
# vocabulary. We tuned it by reinforcement on ratings by a second model, which has learned from annotators'
# votes. The ratings rose from 6.1 to 9.4 of 10 over 4,000 steps and were still rising when we stopped.
# Replies have become three times as long. We conclude that it is better in every respect."
#
# 1. What does the comparison of perplexities show? What would you request instead?
# 2. What, apart from better replies, would make the ratings rise? Which sentence in the report makes you
#    suspect it, and what would you measure to find out?
# 3. Name one change to the training that would have made this less likely, and its cost.

# %% [markdown] nbgrader={"grade": true, "grade_id": "a-report", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# 1. Nothing: perplexity per token depends on how long tokens are, and the vocabularies differ. Longer
#    tokens make the old model's perplexity larger at the same quality. Ask for bits per byte of the same
#    held-out text.
# 2. The policy may have learned what the rating model likes and annotators do not, such as length. The
#    replies are three times as long, and the ratings still rise after 4,000 steps. Measure what was meant:
#    ask people to compare old and new replies (blind, also at equal length), or check replies that can
#    be checked, at several steps of the training, beside the KL from the model before.
# 3. A penalty on the KL from the tuned model, or an earlier stop at the best judgment of people, or a
#    rating that is corrected for length. It costs some of the reward that was honestly earned (or
#    people's time).
#
# === BEGIN MARK SCHEME ===
# 1. **One point** for: not comparable across vocabularies, and bits per byte (or per letter) of the same
#    text. Half for one of the two.
# 2. **Two points.** One for the rating being gamed, with length (or the endless rise) as the clue. One for
#    a measurement of the true aim by people or by checkable tasks; half if it is only "look at samples".
# 3. **One point** for a change that holds the policy near where it was (KL penalty, fewer steps) or mends
#    the rating, with its price. Half without the price.
# === END MARK SCHEME ===
