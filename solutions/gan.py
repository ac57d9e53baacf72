# ---
# jupyter:
#   course:
#     answers_in:
#     - course_lib.data.rings
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
# # Generative adversarial networks: the rules of the contest
#
# - **Time:** 90 minutes. **Difficulty:** 3 of 5. **Points:** 29, of which a person gives 3.
# - **Needs:** the chapter *Generative adversarial networks*, PyTorch's modules and optimizers.
#
# Two networks play against each other, and you write the rules: both losses, a step in which exactly one of
# the two learns, the penalty that calms the judge, and the count that reveals what a generator leaves out. At
# the end your rules run a contest on a ring of six clouds, and your count says who won.
#
# **What is special here**
#
# - A discriminator answers with *logits*: real is positive, fake is negative, and sigmoid(logit) is the
#   probability of real.
# - Networks may be on a GPU, and their inputs are on the same device. Create nothing on the CPU that is
#   combined with them. Each step returns a Python number.
#
# `course_lib.data.rings` holds an answer to this exercise: leave it closed. What holds in every exercise
# (how to check, what the tests look at, what counts) is on the page *How exercises work* in the appendix.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
from itertools import pairwise

import numpy as np
import torch
from torch import nn

from course_lib import get_device, seed_everything

device = get_device()

# %% [markdown]
# ## Step 1. Two losses
#
# The discriminator's loss is two cross-entropies: real samples should get a large logit, fakes a small one.
# It has one argument that the chapter's does not: with `smoothing` of 0.1, say, the discriminator should give
# real samples a probability of 0.9 instead of 1, so that it never gains by becoming infinitely sure.
# (*One-sided label smoothing*: fakes should still get 0.) The generator's loss is the non-saturating one.
#
# Logits may be large: at 1000 and at −1000 both losses are finite, and so are their gradients.


# %% nbgrader={"grade": false, "grade_id": "losses", "locked": false, "schema_version": 3, "solution": true, "task": false}
def discriminator_loss(on_real, on_fake, smoothing=0.0):
    """Compute the discriminator's loss from its logits.

    Parameters
    ----------
    on_real : Tensor, shape (n,) or (n, 1)
        Logits of real samples.
    on_fake : Tensor, shape (m,) or (m, 1)
        Logits of fakes; m may be another number than n.
    smoothing : float, between 0 and 1
        The target for real samples is 1 - smoothing.

    Returns
    -------
    Tensor, shape ()
        The mean cross-entropy of the real samples plus that of the fakes; it has a gradient.

    Example
    -------
    >>> round(discriminator_loss(torch.zeros(3), torch.zeros(5)).item(), 4)  # 2 log 2
    1.3863
    >>> round(discriminator_loss(torch.tensor([2.0]), torch.tensor([-1.0])).item(), 4)
    0.4402
    """
    ### BEGIN SOLUTION
    softplus = nn.functional.softplus
    return (softplus(-on_real) + smoothing * on_real).mean() + softplus(on_fake).mean()
    ### END SOLUTION


def generator_loss(on_fake):
    """Compute the generator's non-saturating loss from the discriminator's logits.

    Parameters
    ----------
    on_fake : Tensor, shape (m,) or (m, 1)
        Logits of fakes.

    Returns
    -------
    Tensor, shape ()
        A mean over the fakes; it has a gradient.

    Example
    -------
    >>> round(generator_loss(torch.tensor([-1.0, 2.0])).item(), 4)
    0.7201
    """
    ### BEGIN SOLUTION
    return nn.functional.softplus(-on_fake).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-losses", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch

from course_lib.exercises import check

SECTION = "See 'A judge instead of a loss'."
real, fake = torch.tensor([2.0, -1.0, 0.5]), torch.tensor([0.0, 3.0])
check(
    discriminator_loss,
    {"on_real": real, "on_fake": fake},
    2.5089561,
    rtol=1e-4,
    hint="softplus(-logit) for real samples and softplus(logit) for fakes, a mean over each group, "
    f"and the two means added. {SECTION}",
)
check(
    generator_loss,
    {"on_fake": fake},
    0.3708671,
    rtol=1e-4,
    hint=f"The mean of -log sigmoid(logit), which is softplus(-logit). {SECTION}",
)

# %% nbgrader={"grade": true, "grade_id": "test-losses-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: other shapes, smoothing, large logits, and the gradients.
### BEGIN HIDDEN TESTS
import torch
from torch.nn import functional

from course_lib import get_device
from course_lib.exercises import assert_close, check, check_keyword, probe

SECTION = "See 'A judge instead of a loss'."
generator = torch.Generator().manual_seed(0)


def cross(logits, target):
    return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


for shape in ((7,), (4, 1), (1,)):
    real = 3 * torch.randn(shape, generator=generator)
    fake = 3 * torch.randn((5, *shape[1:]), generator=generator)
    check(
        discriminator_loss,
        {"on_real": real, "on_fake": fake},
        (cross(real, 1.0) + cross(fake, 0.0)).item(),
        rtol=1e-4,
        hint=f"The groups may differ in size: a mean over each, then the sum. {SECTION}",
    )
    check(
        generator_loss,
        {"on_fake": fake},
        cross(fake, 1.0).item(),
        rtol=1e-4,
        hint="softplus(-logit): the generator wants its fakes to be believed. "
        "See 'A loss that dies when it is needed'.",
    )
args = {"on_real": real, "on_fake": fake}
check_keyword(
    discriminator_loss,
    args,
    "smoothing",
    [(s, (cross(real, 1.0 - s) + cross(fake, 0.0)).item()) for s in (0.1, 0.4)],
    rtol=1e-4,
    hint="Smoothing moves the target of real samples alone: (1 - s) softplus(-logit) + s "
    "softplus(logit) for them, and fakes are still to get 0.",
)


def slopes(discriminator_loss, generator_loss, device):
    real = torch.tensor([1000.0, -1000.0, 1.0], device=device, requires_grad=True)
    fake = torch.tensor([1000.0, -1000.0, -2.0], device=device, requires_grad=True)
    first = discriminator_loss(real, fake)
    first.backward()
    found = [first.item(), real.grad.cpu(), fake.grad.cpu()]
    fake = fake.detach().requires_grad_()
    second = generator_loss(fake)
    second.backward()
    return [*found, second.item(), fake.grad.cpu()]


got = probe(slopes, discriminator_loss, generator_loss, get_device())
p, q = torch.tensor(1.0).sigmoid(), torch.tensor(-2.0).sigmoid()
names = (
    "discriminator_loss for logits of 1000, -1000 and 1 on real, 1000, -1000 and -2 on fakes",
    "its slopes in the logits of real samples",
    "its slopes in the logits of fakes",
    "generator_loss for logits of 1000, -1000 and -2",
    "its slopes in the logits of the fakes",
)
expected = (
    (1000 - p.log().item()) / 3 + (1000 - (1 - q).log().item()) / 3,
    torch.stack([torch.tensor(0.0), torch.tensor(-1.0), p - 1]) / 3,
    torch.stack([torch.tensor(1.0), torch.tensor(0.0), q]) / 3,
    (1000 - q.log().item()) / 3,
    torch.stack([torch.tensor(0.0), torch.tensor(-1.0), q - 1]) / 3,
)
for name, one, other in zip(names, got, expected, strict=True):
    assert_close(
        one,
        other,
        rtol=1e-4,
        atol=1e-6,
        what=name,
        hint="log(sigmoid(-1000)) is log(0). nn.functional.softplus (or logsigmoid, or the "
        f"binary cross-entropy with logits) never takes that way. {SECTION}",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. What the best judge pays
#
# The chapter says what the best judge answers: $p/(p + q)$. What does it pay? Let there be $k$ kinds of
# samples, real ones with probabilities $p$ and fakes with $q$. Compute the loss of the best judge,
#
# $$-\sum_i p_i \log \frac{p_i}{p_i + q_i} - \sum_i q_i \log \frac{q_i}{p_i + q_i}.$$
#
# A kind with probability 0 adds nothing to its sum, whatever the other probability is.


# %% nbgrader={"grade": false, "grade_id": "best_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def best_loss(p, q):
    """Compute the lowest loss that any discriminator can reach.

    Parameters
    ----------
    p, q : array_like, shape (k,)
        Probabilities of k kinds: of real samples, and of fakes. Each sums to 1; entries may be 0.

    Returns
    -------
    float
        In nats: 2 log 2 if p and q are equal, 0 if no kind is in both.

    Example
    -------
    >>> round(best_loss([0.5, 0.5], [0.5, 0.5]), 4), best_loss([1.0, 0.0], [0.0, 1.0])
    (1.3863, 0.0)
    """
    ### BEGIN SOLUTION
    p, q = np.asarray(p, dtype=float), np.asarray(q, dtype=float)
    total = 0.0
    for share in (p, q):
        there = share > 0
        total -= np.sum(share[there] * np.log(share[there] / (p + q)[there]))
    return float(total) + 0.0
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-best_loss", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
from course_lib.exercises import check

check(
    best_loss,
    {"p": [0.5, 0.3, 0.2], "q": [0.2, 0.3, 0.5]},
    1.2534657,
    rtol=1e-5,
    hint="Two sums: real samples pay -log of p / (p + q), and fakes -log of q / (p + q). "
    "See 'A judge instead of a loss'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-best_loss-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: zeros on either side, many kinds, equal and disjoint distributions, kinds of numbers.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds


def reference(p, q):
    p, q = np.asarray(p, dtype=float), np.asarray(q, dtype=float)
    with np.errstate(all="ignore"):
        terms = p * np.log(p / (p + q)), q * np.log(q / (p + q))
    return -sum(np.nansum(term) for term in terms)


HINT = (
    "0 times log 0 is nan on a computer, and counts as 0 here: leave such entries out of their sum, "
    "but not out of the other one. See 'A judge instead of a loss'."
)
check_kinds(
    best_loss,
    {"p": np.array([1, 0]), "q": np.array([1, 0])},
    2 * np.log(2),
    hint=HINT,
)
rng = np.random.default_rng(1)
for k in (3, 40):
    p, q = rng.dirichlet(np.ones(k)), rng.dirichlet(np.ones(k))
    check(
        best_loss,
        {"p": p, "q": q},
        float(reference(p, q)),
        hint="Weigh -log(p / (p + q)) by p and -log(q / (p + q)) by q, and add both up over all "
        "kinds: no mean. See 'A judge instead of a loss'.",
    )
    p[: k // 2], q[-1] = 0, 0
    p, q = p / p.sum(), q / q.sum()
    check(best_loss, {"p": p, "q": q}, float(reference(p, q)), hint=HINT)
check(best_loss, {"p": [0.0, 0.0, 1.0], "q": [0.5, 0.5, 0.0]}, 0.0, atol=1e-9, hint=HINT)
check(best_loss, {"p": [0.0, 0.5, 0.5], "q": [0.0, 0.5, 0.5]}, 2 * np.log(2), hint=HINT)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. The penalty
#
# The judge's friction: `weight / 2` times the mean, over the real samples, of the squared length of the
# gradient of the logit *in the sample*. It becomes part of the judge's loss, so it needs a gradient
# itself: `create_graph=True`.
#
# Samples may have any shape after the first dimension: points are (n, 2), pictures (n, 1, 8, 8). Computing
# the penalty changes nothing: neither the samples (which come without `requires_grad`, and stay so) nor any
# `.grad` of the discriminator.


# %% nbgrader={"grade": false, "grade_id": "gradient_penalty", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gradient_penalty(discriminator, real, weight):
    """Compute the penalty on the discriminator's slope at real samples.

    Parameters
    ----------
    discriminator : nn.Module
        ``discriminator(samples)`` gives logits, shape (n, 1). A sample's logit depends on that
        sample alone.
    real : Tensor, shape (n, ...)
        Real samples; left as they are.
    weight : float
        Twice the factor in front of the mean: the gamma of the chapter.

    Returns
    -------
    Tensor, shape ()
        weight / 2 times the mean squared norm; it has a gradient in the discriminator's weights.

    Example
    -------
    >>> line = nn.Linear(2, 1)
    >>> _ = nn.init.constant_(line.weight, 3.0)  # the slope is (3, 3) everywhere
    >>> gradient_penalty(line, torch.zeros(5, 2), weight=1.0).item()
    9.0
    """
    ### BEGIN SOLUTION
    samples = real.detach().clone().requires_grad_()
    (slope,) = torch.autograd.grad(discriminator(samples).sum(), samples, create_graph=True)
    return weight / 2 * slope.flatten(start_dim=1).square().sum(dim=1).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-gradient_penalty", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch
from torch import nn

from course_lib import get_device
from course_lib.exercises import assert_close, call, probe


def on_a_line(gradient_penalty, device, weight):
    line = nn.Linear(2, 1).to(device)
    with torch.no_grad():
        line.weight.copy_(torch.tensor([[3.0, -4.0]]))
    args = {"discriminator": line, "real": torch.ones(6, 2, device=device), "weight": weight}
    return call(gradient_penalty, args).item()


assert_close(
    probe(on_a_line, gradient_penalty, get_device(), 0.2),
    2.5,
    rtol=1e-5,
    what="The penalty of weight 0.2 for a discriminator whose slope is (3, -4) everywhere",
    hint="The squared length is 9 + 16, and 0.2 / 2 times that is 2.5: sum over the entries of a "
    "sample, mean over the samples, no root. See 'A contest is not a descent'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-gradient_penalty-hidden", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Hidden: pictures, a curved discriminator, the penalty's own gradient, and what must stay as it is.
### BEGIN HIDDEN TESTS
import torch
from torch import nn

from course_lib import get_device
from course_lib.exercises import assert_close, assert_equal, call, probe

SECTION = "See 'A contest is not a descent'."


def reference(discriminator, real, weight):
    samples = real.detach().clone().requires_grad_()
    (slope,) = torch.autograd.grad(discriminator(samples).sum(), samples, create_graph=True)
    return weight / 2 * slope.flatten(start_dim=1).square().sum(dim=1).mean()


def curved(penalty, shape, weight, device, called=True):
    torch.manual_seed(2)
    numbers = int(torch.tensor(shape[1:]).prod())
    judge = nn.Sequential(nn.Flatten(), nn.Linear(numbers, 5), nn.Tanh(), nn.Linear(5, 1))
    real = torch.randn(shape).to(device)
    judge = judge.to(device)
    args = {"discriminator": judge, "real": real, "weight": weight}
    value = call(penalty, args, copies=False) if called else penalty(**args)
    touched = [w.grad is not None for w in judge.parameters()]
    asks = real.requires_grad
    moves = bool(value.requires_grad)
    if moves:
        value.backward()
    slopes = [w.grad for w in judge.parameters()]
    flat = torch.cat(
        [s.detach().cpu().flatten() for s in slopes if s is not None] or [torch.zeros(1)]
    )
    return value.item(), touched, asks, moves, flat


for shape, weight in (((4, 3), 1.0), ((6, 1, 3, 2), 0.5), ((1, 2), 3.0)):
    got = probe(curved, gradient_penalty, shape, weight, get_device())
    wanted = curved(reference, shape, weight, "cpu", called=False)
    about = f"for real samples of shape {shape} and weight {weight}"
    assert_close(
        got[0],
        wanted[0],
        rtol=1e-4,
        what=f"The penalty {about}",
        hint="The gradient of each sample's logit in that sample (take the gradient of the sum of "
        "the logits, not of their mean), squared, summed over all dimensions but the first, then "
        f"the mean over the samples. {SECTION}",
    )
    assert_equal(
        got[1],
        [False] * 4,
        what=f"Whether weights of the discriminator have a .grad after gradient_penalty {about}",
        hint="torch.autograd.grad returns the gradient you ask for and fills no .grad; backward() "
        "fills all of them.",
    )
    assert_equal(
        got[2],
        False,
        what="real.requires_grad afterwards",
        hint="Ask for gradients in a tensor of your own: real.detach().clone().requires_grad_().",
    )
    assert_equal(
        got[3],
        True,
        what="Whether the penalty has a gradient itself",
        hint=f"create_graph=True keeps what is needed to differentiate the slope again. {SECTION}",
    )
    assert_close(
        got[4],
        wanted[4],
        rtol=1e-3,
        atol=1e-6,
        what=f"The gradient of the penalty in the discriminator's weights {about}",
        hint=f"Between the slope and the result there must be no detach, item or numpy. {SECTION}",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. One learns at a time
#
# One step for each player. In each, *exactly one* network changes: its weights move by its optimizer, and the
# other network keeps its weights *and its gradients*. The loop of the chapter is careless about the second
# (the generator's step fills the judge's `.grad`, and the next step throws it away). Yours leaves no trace:
# whatever `.grad` the other network had before, `None` or not, it still has afterwards.
#
# The discriminator's step uses the loss and the penalty of the steps before (`smoothing` is 0). Both
# return their loss as it was before the step, without the penalty.


# %% nbgrader={"grade": false, "grade_id": "steps", "locked": false, "schema_version": 3, "solution": true, "task": false}
def discriminator_step(generator, discriminator, optimizer, real, noise, weight=0.0):
    """Let the discriminator learn once.

    Parameters
    ----------
    generator, discriminator : nn.Module
        ``generator(noise)`` gives fakes of the shape of `real`; the discriminator gives logits.
    optimizer : torch.optim.Optimizer
        Made with the discriminator's parameters.
    real : Tensor, shape (n, ...)
    noise : Tensor, shape (m, ...)
    weight : float
        Of the gradient penalty; with 0 there is none.

    Returns
    -------
    float
        The discriminator's loss before the step, without the penalty.
    """
    ### BEGIN SOLUTION
    with torch.no_grad():
        fake = generator(noise)
    loss = discriminator_loss(discriminator(real), discriminator(fake))
    total = loss + gradient_penalty(discriminator, real, weight) if weight else loss
    optimizer.zero_grad()
    total.backward()
    optimizer.step()
    return loss.item()
    ### END SOLUTION


def generator_step(generator, discriminator, optimizer, noise):
    """Let the generator learn once.

    Parameters
    ----------
    generator, discriminator : nn.Module
    optimizer : torch.optim.Optimizer
        Made with the generator's parameters.
    noise : Tensor, shape (m, ...)

    Returns
    -------
    float
        The generator's loss before the step.
    """
    ### BEGIN SOLUTION
    loss = generator_loss(discriminator(generator(noise)))
    weights = [w for w in generator.parameters() if w.requires_grad]
    optimizer.zero_grad()
    for w, slope in zip(weights, torch.autograd.grad(loss, weights), strict=True):
        w.grad = slope
    optimizer.step()
    return loss.item()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-steps", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch
from torch import nn
from torch.nn import functional

from course_lib import get_device
from course_lib.exercises import assert_close, call, given, probe


def true_loss(on_real, on_fake, smoothing=0.0):
    return (functional.softplus(-on_real) + smoothing * on_real).mean() + functional.softplus(
        on_fake
    ).mean()


def on_two_lines(step, player, device):
    """Generator z -> a z with a = 2, discriminator x -> b x with b = 1, rate 1."""
    generator, discriminator = (nn.Linear(1, 1, bias=False).to(device) for _ in range(2))
    nn.init.constant_(generator.weight, 2.0)
    nn.init.constant_(discriminator.weight, 1.0)
    mover = discriminator if player == "discriminator" else generator
    args = {"generator": generator, "discriminator": discriminator}
    args["optimizer"] = torch.optim.SGD(mover.parameters(), lr=1.0)
    if player == "discriminator":
        args["real"] = torch.ones(3, 1, device=device)
    args["noise"] = torch.full((2, 1), 0.5, device=device)
    loss = call(step, args, changes=["generator", "discriminator", "optimizer"])
    return loss, generator.weight.item(), discriminator.weight.item()


with given(
    discriminator_loss=true_loss,
    generator_loss=lambda on_fake: functional.softplus(-on_fake).mean(),
):
    for player, step, wanted in (
        ("discriminator", discriminator_step, (1.6265234, 2.0, 0.5378828)),
        ("generator", generator_step, (0.3132617, 2.1344707, 1.0)),
    ):
        got = probe(on_two_lines, step, player, get_device())
        for name, one, other in zip(
            ("returned", "generator's", "discriminator's"), got, wanted, strict=True
        ):
            assert_close(
                one,
                other,
                rtol=1e-4,
                what=f"The number that {player}_step returned"
                if name == "returned"
                else f"The {name} weight after {player}_step (rate 1, real 1, fake 2 * 0.5)",
                hint="Forget old gradients, one backward pass of this player's loss, one step of "
                "its optimizer. The other one stays. See 'Cycling and collapse'.",
            )

# %% nbgrader={"grade": true, "grade_id": "test-steps-hidden", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
# Hidden: several steps, Adam, the penalty, old gradients of both players, frozen weights.
### BEGIN HIDDEN TESTS
import torch
from torch import nn
from torch.nn import functional

from course_lib import get_device
from course_lib.exercises import assert_close, assert_equal, call, given, probe


def true_loss(on_real, on_fake, smoothing=0.0):
    return (functional.softplus(-on_real) + smoothing * on_real).mean() + functional.softplus(
        on_fake
    ).mean()


def true_generator_loss(on_fake):
    return functional.softplus(-on_fake).mean()


def true_penalty(discriminator, real, weight):
    samples = real.detach().clone().requires_grad_()
    (slope,) = torch.autograd.grad(discriminator(samples).sum(), samples, create_graph=True)
    return weight / 2 * slope.flatten(start_dim=1).square().sum(dim=1).mean()


def true_discriminator_step(generator, discriminator, optimizer, real, noise, weight=0.0):
    loss = true_loss(discriminator(real), discriminator(generator(noise).detach()))
    optimizer.zero_grad()
    (loss + true_penalty(discriminator, real, weight)).backward()
    optimizer.step()
    return loss.item()


def true_generator_step(generator, discriminator, optimizer, noise):
    loss = true_generator_loss(discriminator(generator(noise)))
    optimizer.zero_grad()
    weights = list(generator.parameters())
    for w, slope in zip(weights, torch.autograd.grad(loss, weights), strict=True):
        w.grad = slope
    optimizer.step()
    return loss.item()


def several(step, player, weight, old, device):
    torch.manual_seed(4)
    generator = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 2))
    discriminator = nn.Sequential(nn.Linear(2, 6), nn.Tanh(), nn.Linear(6, 1))
    real, noise = torch.randn(3, 8, 2).to(device), torch.randn(3, 5, 3).to(device)
    generator, discriminator = generator.to(device), discriminator.to(device)
    mover, other = generator, discriminator
    if player == "discriminator":
        mover, other = other, mover
    for w in [*mover.parameters(), *other.parameters()] if old else []:
        w.grad = torch.full_like(w, 0.5)
    optimizer = torch.optim.Adam(mover.parameters(), lr=0.01)
    losses = []
    for k in range(3):
        args = {"generator": generator, "discriminator": discriminator, "optimizer": optimizer}
        if player == "discriminator":
            args["real"] = real[k]
        args["noise"] = noise[k]
        if player == "discriminator":
            args["weight"] = weight
        losses.append(call(step, args, changes=["generator", "discriminator", "optimizer"]))

    def flat(model):
        return torch.cat([w.detach().cpu().flatten() for w in model.parameters()])

    grads = [None if w.grad is None else w.grad.cpu() for w in other.parameters()]
    asks = [w.requires_grad for w in (*generator.parameters(), *discriminator.parameters())]
    modes = generator.training, discriminator.training
    return losses, flat(mover), flat(other), grads, asks, modes


lent = {
    "discriminator_loss": true_loss,
    "generator_loss": true_generator_loss,
    "gradient_penalty": true_penalty,
}
SECTION = "See 'Cycling and collapse'."
with given(**lent):
    for player, step, true_step, weight, old in (
        ("discriminator", discriminator_step, true_discriminator_step, 0.0, False),
        ("discriminator", discriminator_step, true_discriminator_step, 2.0, True),
        ("generator", generator_step, true_generator_step, 0.0, False),
        ("generator", generator_step, true_generator_step, 0.0, True),
    ):
        got = probe(several, step, player, weight, old, get_device())
        wanted = several(true_step, player, weight, False, "cpu")
        other = {"generator": "discriminator", "discriminator": "generator"}[player]
        about = f"after three calls of {player}_step" + (f" with weight {weight}" if weight else "")
        assert_close(
            got[2],
            wanted[2],
            what=f"The {other}'s weights {about}",
            hint=f"In this step the {other} does not learn. {SECTION}",
        )
        assert_close(
            got[1],
            wanted[1],
            rtol=1e-3,
            atol=1e-5,
            what=f"The {player}'s weights {about}" + (", old gradients lying about" if old else ""),
            hint="zero_grad before the backward pass, the right loss (and the penalty added to it "
            f"before backward), one step. {SECTION}",
        )
        assert_close(
            got[0],
            wanted[0],
            rtol=1e-3,
            what=f"What {player}_step returned in three calls",
            hint="The loss as it was before the step, a Python number, without the penalty.",
        )
        before = [0.5 if old else None] * 4
        after = [None if g is None else float(g.mean()) for g in got[3]]
        assert_equal(
            after,
            before,
            what=f"The mean .grad of each parameter of the {other} {about} (before: {before[0]})",
            hint="backward() fills every .grad on its way. In the discriminator's step cut the way "
            "(detach, or no_grad around the generator). In the generator's, ask for its own "
            "gradients alone: torch.autograd.grad, or backward(inputs=...).",
        )
        assert_equal(
            got[4],
            [True] * 8,
            what=f"requires_grad of all weights {about}",
            hint="Who switches it off for a step switches it on again.",
        )
        assert_equal(got[5], (True, True), what=f"The modes of both networks {about}")
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. Counting modes
#
# How many of the clouds does a generator reach? A point belongs to the cloud with the nearest center, if
# it is *within* `radius` of it (exactly at `radius` counts). A cloud is reached if at least the share
# `least` of *all* points belongs to it.


# %% nbgrader={"grade": false, "grade_id": "count_modes", "locked": false, "schema_version": 3, "solution": true, "task": false}
def count_modes(points, centers, radius, least=0.02):
    """Count which clouds a set of points reaches.

    Parameters
    ----------
    points : ndarray, shape (n, d)
        Samples of a generator, n > 0.
    centers : ndarray, shape (k, d)
        No point is equally near to two of them.
    radius : float
        How far from its center a cloud reaches.
    least : float
        The share of all points that a cloud needs to be reached.

    Returns
    -------
    reached : int
        How many clouds are reached.
    inside : float
        The share of all points that belong to any cloud.
    shares : ndarray, shape (k,)
        The share of all points that belongs to each cloud.

    Example
    -------
    >>> centers = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    >>> points = np.array([[0.0, 1.0], [0.5, 0.0], [9.0, 0.0], [5.1, 0.0]])
    >>> reached, inside, shares = count_modes(points, centers, radius=2.0)
    >>> reached, inside, shares.tolist()
    (2, 0.75, [0.5, 0.25, 0.0])
    """
    ### BEGIN SOLUTION
    distance = np.linalg.norm(points[:, np.newaxis] - centers, axis=2)
    nearest = distance.argmin(axis=1)
    near = distance[np.arange(len(points)), nearest] <= radius
    shares = np.bincount(nearest[near], minlength=len(centers)) / len(points)
    return int(np.sum(shares >= least)), float(near.mean()), shares
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-count_modes", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    count_modes,
    {
        "points": np.array([[0.0, 0.5], [4.0, 0.0], [4.0, 1.0], [8.0, 8.0]]),
        "centers": np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]]),
        "radius": 1.5,
    },
    (2, 0.75, np.array([0.25, 0.5, 0.0])),
    hint="Distances from each point to each center, the nearest of them, and whether it is near "
    "enough. All shares are of all points. See 'Cycling and collapse'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-count_modes-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: many clouds, other dimensions, edges of radius and share, nothing inside.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_keyword, check_kinds

HINT = (
    "The nearest center of each point; it counts within the radius, its edge included; shares are "
    "of all points, also of those that lie in no cloud. See 'Cycling and collapse'."
)


def reference(points, centers, radius, least=0.02):
    shares = np.zeros(len(centers))
    for point in points:
        distance = [np.sqrt(np.sum((point - center) ** 2)) for center in centers]
        if min(distance) <= radius:
            shares[int(np.argmin(distance))] += 1 / len(points)
    return int(np.sum(shares >= least - 1e-12)), float(shares.sum()), shares


rng = np.random.default_rng(3)
for k, d in ((6, 2), (4, 5), (1, 1)):
    centers = 6.0 * rng.permutation(k * d).reshape(k, d)
    points = centers[rng.integers(max(1, k - 1), size=300)] + rng.normal(0, 1.0, (300, d))
    radius = 1.6 * np.sqrt(d)
    args = {"points": points, "centers": centers, "radius": radius}
    check(count_modes, args, reference(**args), hint=HINT)
args = {"points": np.array([[3, 4], [6, 8], [60, 80]]), "centers": np.array([[0, 0], [60, 85]])}
check_kinds(
    count_modes,
    {**args, "radius": 5},
    (2, 2 / 3, np.array([1 / 3, 1 / 3])),
    kinds=["float64", "float32", "integers", "strided"],
    hint=f"(3, 4) lies exactly at distance 5. {HINT}",
)
check(count_modes, {**args, "radius": 1.0}, (0, 0.0, np.zeros(2)), hint=HINT)
wide = {"points": np.array([[1.0], [2.5], [9.0], [9.5]]), "centers": np.array([[0.0], [10.0]])}
check(
    count_modes,
    {**wide, "radius": 20.0},
    (2, 1.0, np.array([0.5, 0.5])),
    hint=f"Where clouds overlap, a point belongs to the nearest center alone. {HINT}",
)
many = {
    "points": np.repeat([[0.0, 0.0], [5.0, 0.0], [0.0, 5.0]], [70, 25, 5], axis=0),
    "centers": np.array([[0.0, 0.0], [5.0, 0.0], [0.0, 5.0], [5.0, 5.0]]),
    "radius": 1.0,
}
shares = np.array([0.7, 0.25, 0.05, 0.0])
check_keyword(
    count_modes,
    many,
    "least",
    [(0.25, (2, 1.0, shares)), (0.05, (3, 1.0, shares)), (0.26, (1, 1.0, shares))],
    hint=f"A share of exactly `least` is enough. {HINT}",
)
check(count_modes, many, (3, 1.0, shares), hint=HINT)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. The contest
#
# Your rules, on a ring of six clouds: once with Adam's usual momentum, and once without momentum but with
# your penalty. It takes about ten seconds.

# %% nbgrader={"grade": false, "grade_id": "finale", "locked": true, "schema_version": 3, "solution": false, "task": false}
from course_lib.plotting import gan as figures

angle = 2 * np.pi * np.arange(6) / 6
centers = 2 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
rng = np.random.default_rng(0)
ring = centers[rng.integers(6, size=4000)] + rng.normal(0, 0.06, (4000, 2))
samples = torch.tensor(ring, dtype=torch.float32, device=device)


def network(*sizes):
    parts = []
    for d_in, d_out in pairwise(sizes):
        parts += [nn.Linear(d_in, d_out), nn.ReLU()]
    return nn.Sequential(*parts[:-1]).to(device)


def contest(momentum, weight, steps=800, seed=0):
    seed_everything(seed)
    players = network(8, 48, 48, 2), network(2, 48, 48, 1)
    optimizers = [
        torch.optim.Adam(p.parameters(), lr=3e-3, betas=(momentum, 0.99), fused=True)
        for p in players
    ]
    for _ in range(steps):
        rows = torch.randint(len(samples), (64,), device=device)
        noise = torch.randn(2, 64, 8, device=device)
        judge = discriminator_step(*players, optimizers[1], samples[rows], noise[0], weight)
        generator_step(*players, optimizers[0], noise[1])
    with torch.no_grad():
        drawn = players[0](torch.randn(2000, 8, device=device))
    return judge, drawn.cpu().double().numpy()


panels = {}
for name, momentum, weight in (("Momentum 0.9", 0.9, 0.0), ("None, and a penalty", 0.0, 0.1)):
    judge, drawn = contest(momentum, weight)
    reached, inside, shares = count_modes(drawn, centers, radius=0.24)
    lowest = best_loss(np.full(7, 1 / 6) * (np.arange(7) < 6), np.append(shares, 1 - inside))
    print(f"{name}: {reached} of 6 clouds, {inside:.0%} of the points in one")
    print(
        f"  the judge's last loss {judge:.2f}; with the best judge of these seven kinds {lowest:.2f}"
    )
    panels[name] = drawn
figures.rings(panels, real=ring[:300])

# %% [markdown]
# **What you see.** The last line of each run is worth a look. The best judge of the seven kinds (six clouds
# and *elsewhere*) pays less than $2 \log 2$ as long as points lie elsewhere or shares are uneven. A network
# as judge usually pays more, although it could look at more than seven kinds (at where in its cloud a point
# lies, for one): it is far from the best judge, and that is what the generator lives on.
#
# ## Step 7. A report
#
# *3 points, read by a person. About 100 words.*
#
# A team trained a GAN on 50,000 X-ray pictures, of which 2 % show a rare fracture, to make training data
# that can be shared. They report: "The discriminator's loss has settled at 1.38, so the pictures are
# indistinguishable from real ones. A radiologist looked at 100 of them and called 96 real."
#
# 1. What does the loss show, and what does it not show?
# 2. What have they not measured, and why does it matter here? Say how you would measure it.
# 3. The pictures may be shared, the team says, because they show no real person. What else must be checked
#    first?

# %% [markdown] nbgrader={"grade": true, "grade_id": "report", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# 1. 2 log 2 = 1.386 is what a judge pays who says one half to everything. Either the pictures are as good
#    as real, or this discriminator is too weak to tell. The loss alone cannot say which.
# 2. Diversity. All 96 may be the same kind of chest, and the rare fracture may be missing: a judge of
#    single pictures cannot see that. Count kinds among many drawn pictures with a classifier that took no
#    part (or let the radiologist count): is the fracture there in 2 %, and how many different ones?
# 3. Whether pictures are copies of training pictures, that is, of patients: compare each with its nearest
#    training picture, beside the same distance for real pictures that were kept away from training.
#
# === BEGIN MARK SCHEME ===
# 1. **One point** for both explanations of 1.38 (perfect fakes, or a poor judge). Half for one of them.
# 2. **One point** for diversity (or mode collapse, the missing fracture) with a way to count it by
#    something outside of the contest. Half without a way.
# 3. **One point** for copies of training pictures (memorized patients), with a comparison to the nearest
#    training pictures. Half for "privacy" without a check.
# === END MARK SCHEME ===
