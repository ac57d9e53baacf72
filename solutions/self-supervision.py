# ---
# jupyter:
#   course:
#     answers_in:
#     - course_lib.models.contrastive
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
# # Self-supervised learning: two archives without a list
#
# - **Time:** 90 minutes. **Difficulty:** 2 of 5. **Points:** 31, of which a person gives 4.
# - **Needs:** the chapter *Self-supervised learning*, PyTorch's tensors.
#
# An archive holds each digit twice: scanned once by day, and once by night, shifted, dark on light, with its
# pixels in another order. For most pairs the list that says which belongs to which is lost. You will write
# the contrastive losses that learn from the pairs that are left, the measures that say what embeddings are
# like, a search with its recall, and a detector of collapse. At the end two small encoders find the lost
# partners.
#
# **What is special here**
#
# - Everything that you are given is a PyTorch tensor of floats, on any device. Stay on its device.
# - Training runs through Steps 1 to 3: gradients must reach the inputs, so no `.item()`, `.detach()` or NumPy
#   on the way. They return tensors. Steps 4 and 6 return Python floats.
# - No embedding is the zero vector, and no two cosines that decide an answer are equal.
#
# `course_lib.models.contrastive` holds answers to this exercise: leave it closed. What holds in every
# exercise (how to check, what the tests look at, what counts) is on the page *How exercises work* in the
# appendix.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import torch
from torch import nn

from course_lib import get_device, seed_everything
from course_lib.data import digits, splits

device = get_device()

# %% [markdown]
# ## Step 1. Find your partner
#
# Row $i$ of `logits` says how well query $i$ fits each of $n$ candidates, and its partner is candidate
# $i$. Return the mean over the rows of $-\log p_{ii}$, where $p$ is the softmax over the candidates.


# %% nbgrader={"grade": false, "grade_id": "info_nce", "locked": false, "schema_version": 3, "solution": true, "task": false}
def info_nce(logits):
    """Compute the InfoNCE loss of queries whose partners stand on the diagonal.

    Parameters
    ----------
    logits : Tensor, shape (n, n)
        A row for each query, a column for each candidate. They may be in the hundreds.

    Returns
    -------
    Tensor, shape ()
        The mean loss per query, in nats.

    Example
    -------
    >>> info_nce(torch.tensor([[3.0, 3.0], [0.0, 0.0]])).item()  # two guesses: log 2
    0.6931471824645996
    """
    ### BEGIN SOLUTION
    partners = torch.arange(len(logits), device=logits.device)
    return nn.functional.cross_entropy(logits, partners)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-info_nce", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import math

import torch

from course_lib import get_device
from course_lib.exercises import check

check(
    info_nce,
    {"logits": torch.tensor([[math.log(3), 0.0], [1.0, 1.0]], device=get_device())},
    (math.log(4 / 3) + math.log(2)) / 2,
    rtol=1e-5,
    hint="The first query gives its partner 3/4, the second 1/2: the mean of log(4/3) and log 2. "
    "See 'The same thing, twice'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-info_nce-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: more queries, tables that are not symmetric, large logits, gradients.
### BEGIN HIDDEN TESTS
import math

import torch

from course_lib import get_device
from course_lib.exercises import assert_close, call, check, probe

table = torch.tensor(
    [[0.3, 2.0, -1.0, 0.1], [1.5, -0.4, 0.2, 2.2], [-2.0, 0.7, 1.1, 0.0], [0.9, 0.8, -0.3, -1.2]]
)


def by_hand(rows):
    losses = []
    for i, row in enumerate(rows):
        top = max(row)
        losses.append(top + math.log(sum(math.exp(v - top) for v in row)) - row[i])
    return sum(losses) / len(losses)


for logits in (table, table[:3, :3], table.T.contiguous(), table[:1, :1], table.double()):
    check(
        info_nce,
        {"logits": logits.to(get_device())},
        by_hand(logits.tolist()),
        rtol=1e-4,
        atol=1e-6,
        hint="The softmax goes over the candidates, along each row, and the partner of row i is column i. "
        "The mean is over the rows. See 'The same thing, twice'.",
    )
check(
    info_nce,
    {"logits": 400 * table.to(get_device())},
    by_hand((400 * table).tolist()),
    rtol=1e-4,
    hint="exp of logits in the hundreds overflows. cross_entropy and logsumexp take the largest out first.",
)


def slopes(info_nce, logits):
    x = logits.clone().requires_grad_()
    call(info_nce, {"logits": x}, copies=False).backward()
    return torch.zeros(x.shape) if x.grad is None else x.grad.cpu()


p = table.softmax(dim=1)
assert_close(
    probe(slopes, info_nce, table.to(get_device())),
    (p - torch.eye(4)) / 4,
    rtol=1e-3,
    atol=1e-6,
    what="The slopes of the loss in the logits",
    hint="Gradients must reach the logits: no .item(), no .detach(), no new tensor made of numbers.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. Both ways
#
# Now you are given the embeddings of $n$ pairs, and both sides ask: each `a` looks for its partner among all
# `b`, and each `b` among all `a`. Scale all embeddings to length 1, divide the cosines by the temperature,
# and return the mean of the two InfoNCE losses. This is the loss of CLIP.


# %% nbgrader={"grade": false, "grade_id": "symmetric_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def symmetric_loss(a, b, temperature=0.1):
    """Compute the mean of the InfoNCE losses from a to b and from b to a.

    Parameters
    ----------
    a, b : Tensor, shape (n, d)
        Embeddings of any length: row i of one is the partner of row i of the other.
    temperature : float
        Cosines are divided by it.

    Returns
    -------
    Tensor, shape ()

    Example
    -------
    >>> a = torch.tensor([[2.0, 0.0], [0.0, 5.0]])
    >>> round(symmetric_loss(a, a, temperature=1.0).item(), 4)  # log(1 + 1/e)
    0.3133
    """
    ### BEGIN SOLUTION
    a, b = (nn.functional.normalize(side, dim=1) for side in (a, b))
    logits = a @ b.T / temperature
    return (info_nce(logits) + info_nce(logits.T)) / 2
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-symmetric_loss", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import math

import torch

from course_lib import get_device
from course_lib.exercises import check, given


def of_two_pairs(logits):
    """Step 1 for a table of two by two, so that a slip there costs nothing here."""
    lead = torch.stack([logits[0, 0] - logits[0, 1], logits[1, 1] - logits[1, 0]])
    return torch.nn.functional.softplus(-lead).mean()


a = torch.tensor([[2.0, 0.0], [0.0, 5.0]], device=get_device())
with given(info_nce=of_two_pairs):
    check(
        symmetric_loss,
        {"a": a, "b": 3 * a, "temperature": 0.5},
        math.log(1 + math.exp(-2)),
        rtol=1e-4,
        hint="Partners have a cosine of 1 and others of 0, whatever their lengths: divided by 0.5, the logits "
        "are 2 and 0. 0.4741: you multiplied by T. See 'The same thing, twice'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-symmetric_loss-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: pairs that do not agree, both directions, temperatures, gradients on both sides.
### BEGIN HIDDEN TESTS
import math

import torch

from course_lib import get_device
from course_lib.exercises import assert_true, call, check, check_keyword, given, probe


def reference_info_nce(logits):
    return (torch.logsumexp(logits, dim=1) - logits.diagonal()).mean()


def by_hand(a, b, temperature):
    a, b = a.double(), b.double()
    cosines = (a @ b.T) / a.norm(dim=1)[:, None] / b.norm(dim=1)
    z = cosines / temperature
    ways = [(torch.logsumexp(table, dim=1) - table.diagonal()).mean() for table in (z, z.T)]
    return (sum(ways) / 2).item()


generator = torch.Generator().manual_seed(3)
pairs = [2 * torch.randn(2, n, d, generator=generator) + 0.3 for n, d in ((4, 3), (7, 5))]
with given(info_nce=reference_info_nce):
    for a, b in pairs:
        check(
            symmetric_loss,
            {"a": a.to(get_device()), "b": b.to(get_device()), "temperature": 0.3},
            by_hand(a, b, 0.3),
            rtol=1e-4,
            hint="Scale each row to length 1, once on each side. The loss is the mean of two: over the rows "
            "of the table and over its columns. See 'The same thing, twice'.",
        )
    a, b = pairs[0]
    check_keyword(
        symmetric_loss,
        {"a": a.to(get_device()), "b": b.to(get_device())},
        "temperature",
        [(T, by_hand(a, b, T)) for T in (0.05, 0.3, 1.0)],
        rtol=1e-4,
        hint="Cosines are divided by the temperature. See 'The same thing, twice'.",
    )
    check(
        symmetric_loss,
        {"a": a.to(get_device()), "b": b.to(get_device())},
        by_hand(a, b, 0.1),
        rtol=1e-4,
        what="symmetric_loss without a temperature",
        hint="The default is 0.1.",
    )


def reached(symmetric_loss, a, b):
    a, b = a.clone().requires_grad_(), b.clone().requires_grad_()
    call(symmetric_loss, {"a": a, "b": b}, copies=False).backward()
    return [side.grad is not None and bool(side.grad.abs().max() > 0) for side in (a, b)]


with given(info_nce=reference_info_nce):
    got = probe(reached, symmetric_loss, *(side.to(get_device()) for side in pairs[1]))
assert_true(
    all(got),
    what="That gradients reach both sides",
    hint="Both encoders learn: no .detach() on either side, no .item().",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. Two views, and not oneself
#
# With one encoder and two views of each image, all $2n$ views ask, and the other first views are negatives,
# too. View $i$ of `a` has one positive, view $i$ of `b`, and the other way around. Only the view itself is
# not a candidate. Scale to length 1, divide by the temperature, and return the mean over all $2n$ views.


# %% nbgrader={"grade": false, "grade_id": "two_view_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def two_view_loss(a, b, temperature=0.5):
    """Compute the InfoNCE loss of 2n views, each among the 2n - 1 others.

    Parameters
    ----------
    a, b : Tensor, shape (n, d)
        Embeddings, of any length, of two views of the same n images; n is at least 2.
    temperature : float
        Cosines are divided by it.

    Returns
    -------
    Tensor, shape ()

    Example
    -------
    >>> z = torch.ones(4, 3)
    >>> round(two_view_loss(z, z).item(), 4)  # all alike: a guess among 7
    1.9459
    """
    ### BEGIN SOLUTION
    n = len(a)
    z = nn.functional.normalize(torch.cat([a, b]), dim=1)
    itself = torch.eye(2 * n, dtype=torch.bool, device=z.device)
    logits = (z @ z.T / temperature).masked_fill(itself, -torch.inf)
    partners = torch.arange(2 * n, device=z.device).roll(n)
    return nn.functional.cross_entropy(logits, partners)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-two_view_loss", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import math

import torch

from course_lib import get_device
from course_lib.exercises import check

a = torch.tensor([[2.0, 0.0], [0.0, 5.0]], device=get_device())
check(
    two_view_loss,
    {"a": a, "b": 3 * a, "temperature": 1.0},
    math.log(1 + 2 / math.e),
    rtol=1e-4,
    hint="Of its three candidates, one has a cosine of 1 and two have 0: log(1 + 2/e) = 0.5515. "
    "1.006: the view itself was left among them. See 'The same thing, twice'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-two_view_loss-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: views that do not agree, temperatures, gradients.
### BEGIN HIDDEN TESTS
import math

import torch

from course_lib import get_device
from course_lib.exercises import assert_close, call, check, check_keyword, probe


def by_hand(a, b, temperature):
    z = [row / math.hypot(*row) for row in torch.cat([a, b]).double().numpy()]
    n, total = len(a), 0.0
    for i in range(2 * n):
        score = {j: math.exp(float(z[i] @ z[j]) / temperature) for j in range(2 * n) if j != i}
        total -= math.log(score[(i + n) % (2 * n)] / sum(score.values()))
    return total / (2 * n)


generator = torch.Generator().manual_seed(4)
views = [2 * torch.randn(2, n, d, generator=generator) - 0.2 for n, d in ((2, 3), (5, 4))]
for a, b in views:
    check(
        two_view_loss,
        {"a": a.to(get_device()), "b": b.to(get_device()), "temperature": 0.4},
        by_hand(a, b, 0.4),
        rtol=1e-4,
        hint="2n views, each of length 1, each among 2n - 1 others: all of a and b but itself. The partner "
        "of view i of a is view i of b. Cosines are divided by the temperature, and the mean is over all 2n. "
        "See 'The same thing, twice'.",
    )
a, b = views[1]
on_device = {"a": a.to(get_device()), "b": b.to(get_device())}
check_keyword(
    two_view_loss,
    on_device,
    "temperature",
    [(T, by_hand(a, b, T)) for T in (0.07, 0.2, 0.8)],
    rtol=1e-4,
    hint="Cosines are divided by the temperature. See 'The same thing, twice'.",
)
check(
    two_view_loss,
    on_device,
    by_hand(a, b, 0.5),
    rtol=1e-4,
    what="two_view_loss without a temperature",
    hint="The default is 0.5.",
)


def reference(a, b):
    z = torch.cat([a, b])
    z = z / z.norm(dim=1, keepdim=True)
    n = len(a)
    logits = z @ z.T / 0.5 - 1e9 * torch.eye(2 * n, device=z.device, dtype=z.dtype)
    rows = torch.arange(2 * n, device=z.device)
    return (torch.logsumexp(logits, dim=1) - logits[rows, rows.roll(n)]).mean()


def slopes(two_view_loss, a, b):
    a, b = (side.double().requires_grad_() for side in (a, b))
    call(two_view_loss, {"a": a, "b": b}, copies=False).backward()
    found = [torch.zeros_like(side) if side.grad is None else side.grad for side in (a, b)]
    return torch.cat(found).cpu()


assert_close(
    probe(slopes, two_view_loss, *on_device.values()),
    slopes(reference, *on_device.values()),
    rtol=1e-4,
    atol=1e-7,
    what="The slopes of the loss in the embeddings of both views",
    hint="Gradients must reach both views, through every cosine: no .detach(), no .item().",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. Alignment and uniformity
#
# What does a contrastive loss want? It wants partners to lie close, and all points to spread over the sphere.
# Both can be measured, as Wang and Isola proposed in 2020. After scaling to length 1, *alignment* is the mean
# of $\lVert a_i - b_i \rVert^2$ over the pairs. *Uniformity* of $z$ is the logarithm of the mean of
# $\exp(-2 \lVert z_i - z_j \rVert^2)$ over all pairs $i < j$ of different points. For both, smaller is
# better.


# %% nbgrader={"grade": false, "grade_id": "alignment_uniformity", "locked": false, "schema_version": 3, "solution": true, "task": false}
def alignment(a, b):
    """Measure how close partners lie on the sphere.

    Parameters
    ----------
    a, b : Tensor, shape (n, d)
        Embeddings of any length: row i of one is the partner of row i of the other.

    Returns
    -------
    float
        From 0 (all partners equal) to 4 (all opposite).

    Example
    -------
    >>> alignment(torch.tensor([[3.0, 0.0], [0.0, 1.0]]), torch.tensor([[1.0, 0.0], [0.0, -1.0]]))
    2.0
    """
    ### BEGIN SOLUTION
    a, b = (nn.functional.normalize(side, dim=1) for side in (a, b))
    return (a - b).square().sum(dim=1).mean().item()
    ### END SOLUTION


def uniformity(z):
    """Measure how evenly points spread over the sphere.

    Parameters
    ----------
    z : Tensor, shape (n, d)
        Embeddings of any length; n is at least 2.

    Returns
    -------
    float
        0 if all points are equal, and negative otherwise.

    Example
    -------
    >>> uniformity(torch.tensor([[2.0, 0.0], [-5.0, 0.0]]))  # opposite: a squared distance of 4
    -8.0
    """
    ### BEGIN SOLUTION
    z = nn.functional.normalize(z, dim=1)
    squared = 2 - 2 * (z @ z.T)
    i, j = torch.triu_indices(len(z), len(z), offset=1, device=z.device)
    return (-2 * squared[i, j]).exp().mean().log().item()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-alignment_uniformity", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import math

import torch

from course_lib import get_device
from course_lib.exercises import check

where = get_device()
check(
    alignment,
    {
        "a": torch.tensor([[3.0, 0.0], [0.0, 1.0]], device=where),
        "b": torch.tensor([[0.0, 2.0], [0.0, 4.0]], device=where),
    },
    1.0,
    rtol=1e-5,
    hint="The first pair is at a right angle, a squared distance of 2, the second has the same direction, 0.",
)
check(
    uniformity,
    {"z": torch.tensor([[2.0, 0.0], [0.0, 5.0], [1.0, 0.0]], device=where)},
    math.log((1 + 2 * math.exp(-4)) / 3),
    rtol=1e-4,
    hint="Three pairs: two at a right angle, exp(-2 * 2) each, and one that agrees, exp(0). "
    "The logarithm comes after the mean.",
)

# %% nbgrader={"grade": true, "grade_id": "test-alignment_uniformity-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: more points, other dimensions, float64.
### BEGIN HIDDEN TESTS
import math

import torch

from course_lib import get_device
from course_lib.exercises import check


def unit(z):
    return [[v / math.hypot(*row) for v in row] for row in z.double().tolist()]


def squared(p, q):
    return sum((x - y) ** 2 for x, y in zip(p, q, strict=True))


generator = torch.Generator().manual_seed(6)
for n, d, dtype in ((2, 3, torch.float32), (5, 4, torch.float32), (9, 2, torch.float64)):
    a, b = (3 * torch.randn(2, n, d, generator=generator) + 0.5).to(dtype)
    together = [squared(p, q) for p, q in zip(unit(a), unit(b), strict=True)]
    check(
        alignment,
        {"a": a.to(get_device()), "b": b.to(get_device())},
        sum(together) / n,
        rtol=1e-4,
        hint="Scale each row to length 1 first. The squares are added over the d numbers of a pair, and the "
        "mean is over the n pairs.",
    )
    z = unit(a)
    apart = [math.exp(-2 * squared(z[i], z[j])) for i in range(n) for j in range(i)]
    check(
        uniformity,
        {"z": a.to(get_device())},
        math.log(sum(apart) / len(apart)),
        rtol=1e-4,
        atol=1e-6,
        hint="Scale to length 1. Each pair of different points counts once, no point is paired with itself, "
        "and the logarithm is taken of the mean.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. A search, and how good it is
#
# `nearest` returns for each query the numbers of the $k$ documents with the largest cosines, best first.
# Without documents, the queries are searched among themselves, and no query may then find itself.
# `recall_at_k` is the share of the queries whose right document is among those found.


# %% nbgrader={"grade": false, "grade_id": "nearest", "locked": false, "schema_version": 3, "solution": true, "task": false}
def nearest(queries, k, documents=None):
    """Find the most similar documents.

    Parameters
    ----------
    queries : Tensor, shape (n, d)
        Embeddings of any length.
    k : int
        How many to find for each query.
    documents : Tensor, shape (m, d), optional
        What is searched. Without them, the queries are, and no query finds itself.

    Returns
    -------
    Tensor of integers, shape (n, k)
        Rows of the documents, by falling cosine.

    Example
    -------
    >>> z = torch.tensor([[1.0, 0.0], [9.0, 1.0], [0.0, 1.0]])
    >>> nearest(z, 1).tolist()
    [[1], [0], [1]]
    >>> nearest(z[:1], 2, z).tolist()
    [[0, 1]]
    """
    ### BEGIN SOLUTION
    among_themselves = documents is None
    documents = queries if among_themselves else documents
    cosines = nn.functional.normalize(queries, dim=1) @ nn.functional.normalize(documents, dim=1).T
    if among_themselves:
        itself = torch.eye(len(queries), dtype=torch.bool, device=queries.device)
        cosines = cosines.masked_fill(itself, -torch.inf)
    return cosines.topk(k, dim=1).indices
    ### END SOLUTION


def recall_at_k(found, right):
    """Compute the share of queries whose right document was found.

    Parameters
    ----------
    found : Tensor of integers, shape (n, k)
        As `nearest` returns them.
    right : Tensor of integers, shape (n,)
        The one right document of each query.

    Returns
    -------
    float
        From 0 to 1.

    Example
    -------
    >>> recall_at_k(torch.tensor([[4, 2], [0, 1]]), torch.tensor([2, 3]))
    0.5
    """
    ### BEGIN SOLUTION
    return (found == right[:, None]).any(dim=1).double().mean().item()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-nearest", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch

from course_lib import get_device
from course_lib.exercises import check

where = get_device()
documents = torch.tensor([[1.0, 0.1], [10.0, 9.0], [0.0, 1.0], [-1.0, 0.0]], device=where)
check(
    nearest,
    {
        "queries": torch.tensor([[2.0, 0.0], [0.0, 0.1]], device=where),
        "k": 2,
        "documents": documents,
    },
    torch.tensor([[0, 1], [2, 1]], device=where),
    hint="By cosine, the length of a document does not count: 1 is long, and not the nearest of the first "
    "query. See 'A search through this book'.",
)
check(
    recall_at_k,
    {
        "found": torch.tensor([[0, 1], [2, 1], [3, 0], [1, 2]], device=where),
        "right": torch.tensor([1, 0, 3, 2], device=where),
    },
    0.75,
    hint="Three of four queries have their document among the two found.",
)

# %% nbgrader={"grade": true, "grade_id": "test-nearest-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: queries among themselves, k from 1 to all, lengths, recall at both ends.
### BEGIN HIDDEN TESTS
import math

import torch

from course_lib import get_device
from course_lib.exercises import check

where = get_device()
generator = torch.Generator().manual_seed(8)


def by_hand(queries, k, documents, skip):
    rows = []
    for i, q in enumerate(queries.double().tolist()):
        cosine = {
            j: sum(x * y for x, y in zip(q, d, strict=True)) / math.hypot(*q) / math.hypot(*d)
            for j, d in enumerate(documents.double().tolist())
            if not (skip and i == j)
        }
        rows.append(sorted(cosine, key=cosine.get, reverse=True)[:k])
    return torch.tensor(rows, device=where)


lengths = torch.tensor([0.1, 5.0, 1.0, 20.0, 0.5, 2.0, 8.0])[:, None]
archive = torch.randn(7, 3, generator=generator) * lengths
queries = torch.randn(4, 3, generator=generator)
for k in (1, 3, 7):
    check(
        nearest,
        {"queries": queries.to(where), "k": k, "documents": archive.to(where)},
        by_hand(queries, k, archive, skip=False),
        hint="The k largest cosines, the best first: scale queries and documents to length 1. Here no "
        "query is among the documents. See 'A search through this book'.",
    )
for k in (1, 2, 6):
    check(
        nearest,
        {"queries": archive.to(where), "k": k},
        by_hand(archive, k, archive, skip=True),
        hint="Without documents the queries are searched among themselves, and each would find itself "
        "first, with a cosine of 1: leave it out.",
    )
check(
    nearest,
    {"queries": archive[[2, 0]].to(where), "k": 2, "documents": archive.to(where)},
    by_hand(archive[[2, 0]], 2, archive, skip=False),
    hint="With documents, nothing is left out: a document that equals the query is its nearest.",
)
found = torch.tensor([[0, 5, 2], [1, 1, 1], [4, 3, 6], [2, 0, 9], [7, 8, 5]], device=where)
for right, share in (
    ([5, 1, 6, 9, 5], 1.0),
    ([1, 0, 2, 4, 6], 0.0),
    ([0, 0, 0, 0, 0], 0.4),
    ([2, 1, 9, 9, 0], 0.6),
):
    check(
        recall_at_k,
        {"found": found, "right": torch.tensor(right, device=where)},
        share,
        hint="A query counts once, whether its document is the first or the last of those found. Divide by "
        "the number of queries.",
    )
check(
    recall_at_k,
    {"found": found[:1], "right": torch.tensor([2], device=where)},
    1.0,
    hint="One query, found at the last place.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. A detector of collapse
#
# The detector returns two numbers. `spread` says what share of the squared lengths is deviation from the
# mean: the sum of $\lVert z_i - \bar z \rVert^2$ divided by the sum of $\lVert z_i \rVert^2$. The *effective
# rank* is $e^H$ with $H = -\sum_j p_j \log p_j$, where $p_j = s_j^2 / \sum s^2$ and $s$ are the singular
# values of $z - \bar z$; where $p_j$ is 0, it adds nothing. If all rows are equal, both are 0. Embeddings are
# not scaled to length 1 here.


# %% nbgrader={"grade": false, "grade_id": "collapse", "locked": false, "schema_version": 3, "solution": true, "task": false}
def collapse(z):
    """Measure how much embeddings vary, and in how many directions.

    Parameters
    ----------
    z : Tensor, shape (n, d)

    Returns
    -------
    spread : float
        From 0 to 1.
    rank : float
        The effective rank: from 1 to d, or 0 if all rows are equal.

    Example
    -------
    >>> spread, rank = collapse(torch.tensor([[2.0, 1.0], [2.0, -1.0]]))  # one direction
    >>> round(spread, 4), round(rank, 4)
    (0.2, 1.0)
    """
    ### BEGIN SOLUTION
    z = z.double()
    centered = z - z.mean(dim=0)
    variances = torch.linalg.svdvals(centered).square()
    total = variances.sum()
    if total <= 1e-20 * z.square().sum():
        return 0.0, 0.0
    spread = total / z.square().sum()
    return spread.item(), torch.special.entr(variances / total).sum().exp().item()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-collapse", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch

from course_lib import get_device
from course_lib.exercises import check

where = get_device()
check(
    collapse,
    {"z": torch.tensor([[3.0, 1.0], [3.0, -1.0], [4.0, 0.0], [2.0, 0.0]], device=where)},
    (0.1, 2.0),
    rtol=1e-4,
    hint="About the mean (3, 0) lie 1 + 1 + 1 + 1 of a sum of squares of 40, evenly in two directions. "
    "See 'Collapse'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-collapse-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: uneven directions, more rows than columns and fewer, exact collapse.
### BEGIN HIDDEN TESTS
import math

import numpy as np
import torch

from course_lib import get_device
from course_lib.exercises import check

where = get_device()
rng = np.random.default_rng(5)


def by_hand(z):
    centered = z - z.mean(axis=0)
    eigenvalues = np.linalg.eigvalsh(centered.T @ centered)
    p = eigenvalues[eigenvalues > 1e-9 * eigenvalues.sum()] / eigenvalues.sum()
    spread = (centered**2).sum() / (z**2).sum()
    return float(spread), math.exp(-float((p * np.log(p)).sum()))


for n, d, middle in ((20, 3, 0.0), (6, 6, 2.0), (4, 8, -1.0)):
    z = rng.normal(size=(n, d)) * np.linspace(3, 0.3, d) + middle
    check(
        collapse,
        {"z": torch.tensor(z, dtype=torch.float32, device=where)},
        by_hand(z),
        rtol=1e-3,
        hint="Subtract the mean row first. The shares are those of the squares of the singular values, and "
        "H is with the natural logarithm; a share of 0 adds nothing. See 'Collapse'.",
    )
line = np.outer(rng.normal(size=9), [1.0, 0.0, 0.0]) + 5
check(
    collapse,
    {"z": torch.tensor(line, dtype=torch.float64, device=where)},
    (by_hand(line)[0], 1.0),
    rtol=1e-4,
    hint="One direction: the other shares are 0 and add nothing to H, although log 0 is not finite.",
)
check(
    collapse,
    {"z": torch.tensor([[1.5, -2.0, 0.25]] * 4, device=where)},
    (0.0, 0.0),
    hint="All rows are equal: both numbers are 0, and nothing is divided by 0.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 7. The lost list
#
# 300 pairs are known. Two linear encoders, one for day and one for night, learn from them with
# `symmetric_loss`, and must find the partners of 300 digits that neither has seen. This takes a few seconds.
# The last run leaves the negatives out.

# %% nbgrader={"grade": false, "grade_id": "finale", "locked": true, "schema_version": 3, "solution": false, "task": false}
from course_lib.plotting import self_supervision as figures


def partners_agree(a, b):
    return -nn.functional.cosine_similarity(a, b).mean()


seed_everything(0)
parts = splits.split(*digits.load(), seed=0)
day = torch.tensor(parts.train.X, dtype=torch.float32)
order = torch.randperm(64, generator=torch.Generator().manual_seed(1))
night = 1 - day.view(-1, 8, 8).roll(2, dims=2).flatten(1)[:, order]
night = night + 0.3 * torch.randn(night.shape, generator=torch.Generator().manual_seed(2))
day, night = day.to(device), night.to(device)
known, lost = slice(0, 300), slice(300, 600)
spectra = {}
for name, loss in {"symmetric loss": symmetric_loss, "agreement alone": partners_agree}.items():
    torch.manual_seed(0)
    by_day, by_night = nn.Linear(64, 16).to(device), nn.Linear(64, 16).to(device)
    optimizer = torch.optim.Adam([*by_day.parameters(), *by_night.parameters()], lr=0.01)
    for _ in range(300):
        error = loss(by_day(day[known]), by_night(night[known]))
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
    with torch.no_grad():
        a, b = by_day(day[lost]), by_night(night[lost])
    found = nearest(a, 3, b)
    share = recall_at_k(found, torch.arange(300, device=device))
    spread, rank = collapse(a)
    print(f"{name}: recall@3 {share:.0%}, alignment {alignment(a, b):.3f},")
    print(f"  uniformity {uniformity(a):.2f}, spread {spread:.3f}, effective rank {rank:.1f}")
    values = torch.linalg.svdvals(a - a.mean(dim=0)) / a.norm()
    spectra[name] = values.cpu().numpy()[None]
figures.spectra(spectra)

# %% [markdown]
# **What you see.** The encoders that learned with negatives find about three in five of the lost partners
# among 300, with the pixels in another order, in another light and under noise. Those that were only asked to
# agree have by far the better alignment, yet find far fewer. Their embeddings are nearly one vector: the
# spread and the uniformity say so, and the loss does not. What they find, they find by what little is left of
# the differences, since cosines can rank even that.
#
# ## Step 8. A report
#
# *4 points, read by a person. About 120 words.*
#
# A colleague writes: "I trained an encoder on 10,000 unlabeled photographs of leaves, with views that are
# cropped, turned and changed in hue. The loss (minus the cosine of partners) fell to −0.999. I then trained a
# linear layer on 100 labeled leaves, with the encoder at a small learning rate. It is right on 71 percent of
# the test leaves, and a network trained on the 100 leaves as they are gets 58 percent. The 13 points are what
# self-supervision is worth."
#
# 1. What would you look at before believing that the encoder learned anything, and what do you expect?
# 2. Name two reasons why the 13 points do not measure what self-supervision is worth.
# 3. The labels are kinds of disease that show in the color of a leaf. What would you change in the views?

# %% [markdown] nbgrader={"grade": true, "grade_id": "report", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# 1. The spectrum and the spread of the embeddings of different leaves. The loss has no negatives and
#    nothing else that keeps embeddings apart, and it is at its least value: I expect a collapse.
# 2. The encoder was trained along with the layer, so it is fine-tuning and not a probe. And the rival saw
#    the labeled leaves without the augmentation, which alone is worth some points. (One run each, on one
#    split, is a third.)
# 3. Leave the change of hue out: it tells the encoder to forget the color, which is the answer.
#
# === BEGIN MARK SCHEME ===
# 1. **One point** for the spread, spectrum, effective rank or cosines between different leaves, with
#    collapse as the expectation.
# 2. **Two points**, one for each of: the encoder went on training; the rival had no augmentation; one run,
#    no seeds; a collapsed encoder trained further is a network with another start.
# 3. **One point** for leaving out the hue, with the reason.
# === END MARK SCHEME ===
