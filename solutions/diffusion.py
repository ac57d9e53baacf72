# ---
# jupyter:
#   course:
#     answers_in:
#     - course_lib.models.diffusion
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
# # Diffusion models: letters out of noise
#
# - **Time:** 100 minutes. **Difficulty:** 3 of 5. **Points:** 32, of which a person gives 3.
# - **Needs:** the chapter *Diffusion models*, PyTorch's tensors and modules.
#
# You build the chain in both directions, and go a step further than the page. Networks may predict the noise,
# the clean sample or a velocity; a step back may be DDIM, DDPM or anything in between; and guidance takes a
# single pass. In the end your own code pulls three letters out of noise, and you ask for one of them.
#
# **What is special here**
#
# - `alpha_bar` is a tensor of shape (T + 1,): entry t belongs to step t, and entry 0 is 1.
# - Samples may have any shape after the first dimension: points are (n, 2), pictures (n, 1, 8, 8).
# - Tensors may be on a GPU. Create new ones on the device, and with the dtype, of the tensors they are
#   combined with.
#
# `course_lib.models.diffusion` holds answers to this exercise: leave it closed. What holds in every
# exercise (how to check, what the tests look at, what counts) is on the page *How exercises work* in the
# appendix.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
from itertools import pairwise

import torch
from torch import nn

from course_lib import get_device, seed_everything

device = get_device()

# %% [markdown]
# ## Step 1. What is left
#
# The chapter starts from an angle and derives each $\beta_t$. Many schedules come the other way around,
# as a list of $\beta_1$ to $\beta_T$. Compute $\bar\alpha_t$ from it, with the entry for step 0 in front.


# %% nbgrader={"grade": false, "grade_id": "alpha_bars", "locked": false, "schema_version": 3, "solution": true, "task": false}
def alpha_bars(betas):
    """Compute the share of the sample in the variance after each step.

    Parameters
    ----------
    betas : Tensor, shape (T,)
        The variance of the noise of steps 1 to T.

    Returns
    -------
    Tensor, shape (T + 1,)
        For steps 0 to T, in the dtype and on the device of `betas`; the first is 1.

    Raises
    ------
    ValueError
        If a beta is not strictly between 0 and 1.

    Example
    -------
    >>> alpha_bars(torch.tensor([0.5, 0.5])).tolist()
    [1.0, 0.5, 0.25]
    """
    ### BEGIN SOLUTION
    if not bool(((betas > 0) & (betas < 1)).all()):
        raise ValueError(f"Each beta must be between 0 and 1, but they are {betas.tolist()}.")
    return torch.cat([torch.ones_like(betas[:1]), torch.cumprod(1 - betas, dim=0)])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-alpha_bars", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch

from course_lib import get_device
from course_lib.exercises import check

check(
    alpha_bars,
    {"betas": torch.tensor([0.1, 0.2, 0.5], device=get_device())},
    torch.tensor([1.0, 0.9, 0.72, 0.36]),
    rtol=1e-5,
    hint="Each step keeps 1 - beta of the variance that was there: a running product, with 1 for step 0 "
    "in front. See 'All steps at once'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-alpha_bars-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: a long schedule, one step, both precisions, betas that cannot be.
### BEGIN HIDDEN TESTS
import torch

from course_lib import get_device
from course_lib.exercises import check, check_raises

HINT = (
    "A running product of 1 - beta over the steps, behind a 1 for step 0, in the dtype of betas. "
    "See 'All steps at once'."
)
for betas in (torch.linspace(1e-4, 0.2, 60), torch.tensor([0.25])):
    for dtype, rtol in ((torch.float32, 1e-4), (torch.float64, 1e-9)):
        left, wanted = 1.0, [1.0]
        made = betas.to(dtype)
        for beta in made.tolist():
            left *= 1 - beta
            wanted.append(left)
        check(
            alpha_bars,
            {"betas": made.to(get_device())},
            torch.tensor(wanted, dtype=dtype),
            rtol=rtol,
            dtype=str(dtype).removeprefix("torch."),
            hint=HINT,
        )
for betas in ([0.1, 1.0], [0.0, 0.1], [0.1, -0.2, 0.1], [0.2, 1.5]):
    check_raises(
        ValueError,
        alpha_bars,
        {"betas": torch.tensor(betas, device=get_device())},
        hint="A step with a beta of 0 adds nothing, and one of 1 leaves nothing: refuse both, and "
        "whatever lies beyond.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. Spoil a batch
#
# The closed form, for a batch in which each sample has its own step. Samples may have any shape.


# %% nbgrader={"grade": false, "grade_id": "noised", "locked": false, "schema_version": 3, "solution": true, "task": false}
def noised(x0, t, noise, alpha_bar):
    """Bring samples to step t at once.

    Parameters
    ----------
    x0 : Tensor, shape (n, ...)
    t : Tensor of int64, shape (n,)
        A step for each sample, 0 to T.
    noise : Tensor, shape (n, ...)
        Standard normal, of the shape of `x0`.
    alpha_bar : Tensor, shape (T + 1,)

    Returns
    -------
    Tensor, shape (n, ...)

    Example
    -------
    >>> alpha_bar = torch.tensor([1.0, 0.64, 0.36])
    >>> noised(torch.ones(2, 1), torch.tensor([0, 2]), torch.ones(2, 1), alpha_bar).round(decimals=4)
    tensor([[1.0000],
            [1.4000]])
    """
    ### BEGIN SOLUTION
    kept = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1))
    return kept.sqrt() * x0 + (1 - kept).sqrt() * noise
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-noised", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch

from course_lib import get_device
from course_lib.exercises import check

where = get_device()
check(
    noised,
    {
        "x0": torch.tensor([[1.0, 2.0]], device=where),
        "t": torch.tensor([1], device=where),
        "noise": torch.tensor([[1.0, -1.0]], device=where),
        "alpha_bar": torch.tensor([1.0, 0.64], device=where),
    },
    torch.tensor([[1.4, 1.0]]),
    rtol=1e-5,
    hint="The factors are roots: 0.8 of the sample and 0.6 of the noise, whose squares add up to 1. "
    "See 'All steps at once'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-noised-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: a step for each sample, pictures, as many samples as pixels, both ends of the chain.
### BEGIN HIDDEN TESTS
import torch

from course_lib import get_device
from course_lib.exercises import check

where = get_device()
draw = torch.Generator().manual_seed(1)
alpha_bar = torch.tensor([1.0, 0.9, 0.5, 0.2, 0.01], dtype=torch.float64)
for shape in ((6, 3), (4, 4), (5, 1, 4, 4), (3,), (1, 2)):
    x0 = torch.randn(shape, generator=draw, dtype=torch.float64)
    noise = torch.randn(shape, generator=draw, dtype=torch.float64)
    t = torch.randint(0, 5, shape[:1], generator=draw)
    t[0] = 0
    rows = [
        alpha_bar[k] ** 0.5 * a + (1 - alpha_bar[k]) ** 0.5 * b
        for k, a, b in zip(t, x0, noise, strict=True)
    ]
    for dtype, rtol in ((torch.float64, 1e-6), (torch.float32, 1e-4)):
        check(
            noised,
            {
                "x0": x0.to(where, dtype),
                "t": t.to(where),
                "noise": noise.to(where, dtype),
                "alpha_bar": alpha_bar.to(where, dtype),
            },
            torch.stack(rows),
            rtol=rtol,
            atol=1e-6,
            hint="alpha_bar[t] has shape (n,): bring it to (n, 1, ..., 1), so that each sample has its own "
            "factor. Then roots, of alpha_bar and of 1 - alpha_bar. See 'All steps at once'.",
        )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. Three ways to say the same
#
# A network may predict the noise $\varepsilon$, the clean sample $x_0$, or the *velocity*
# $v = \sqrt{\bar\alpha_t}\,\varepsilon - \sqrt{1 - \bar\alpha_t}\,x_0$: how $x_t$ moves along the arc
# from sample to noise. Since $x_t$ is known, each can be computed from the others. Turn any of the three
# into the noise.


# %% nbgrader={"grade": false, "grade_id": "to_noise", "locked": false, "schema_version": 3, "solution": true, "task": false}
def to_noise(predicted, x, kept, kind):
    """Compute the noise from what a network has predicted.

    Parameters
    ----------
    predicted, x : Tensor, shape (n, ...)
        The prediction, and x_t.
    kept : Tensor, shape (n,)
        alpha_bar of each sample's step, strictly between 0 and 1.
    kind : str
        What was predicted: "noise", "sample" or "velocity".

    Returns
    -------
    Tensor, shape (n, ...)

    Raises
    ------
    ValueError
        If `kind` is none of the three.

    Example
    -------
    >>> x, kept = torch.tensor([[1.4]]), torch.tensor([0.64])  # 0.8 * 1 + 0.6 * 1
    >>> [round(to_noise(torch.tensor([[p]]), x, kept, k).item(), 4)
    ...  for p, k in ((1.0, "noise"), (1.0, "sample"), (0.2, "velocity"))]
    [1.0, 1.0, 1.0]
    """
    ### BEGIN SOLUTION
    kept = kept.reshape(-1, *[1] * (x.ndim - 1))
    if kind == "noise":
        return predicted
    if kind == "sample":
        return (x - kept.sqrt() * predicted) / (1 - kept).sqrt()
    if kind == "velocity":
        return (1 - kept).sqrt() * x + kept.sqrt() * predicted
    raise ValueError(f"kind must be 'noise', 'sample' or 'velocity', but is {kind!r}.")
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-to_noise", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch

from course_lib import get_device
from course_lib.exercises import check

where = get_device()
x0, noise = torch.tensor([[1.0, -2.0]]), torch.tensor([[0.5, 1.0]])
args = {"x": (0.8 * x0 + 0.6 * noise).to(where), "kept": torch.tensor([0.64], device=where)}
for kind, predicted in (("noise", noise), ("sample", x0), ("velocity", 0.8 * noise - 0.6 * x0)):
    check(
        to_noise,
        {"predicted": predicted.to(where), **args, "kind": kind},
        noise,
        rtol=1e-4,
        hint="x_t is sqrt(kept) x_0 + sqrt(1 - kept) noise: solve for the noise. For the velocity you have "
        "two equations for two unknowns. See 'Fewer steps'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-to_noise-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: a step for each sample, pictures, other kinds.
### BEGIN HIDDEN TESTS
import torch

from course_lib import get_device
from course_lib.exercises import check, check_raises

where = get_device()
draw = torch.Generator().manual_seed(2)
for shape in ((5, 3), (3, 3), (4, 1, 4, 4), (6,)):
    x0, noise = torch.randn((2, *shape), generator=draw)
    kept = torch.rand(shape[0], generator=draw) * 0.9 + 0.05
    wide = kept.reshape(-1, *[1] * (len(shape) - 1))
    signal, grain = wide.sqrt(), (1 - wide).sqrt()
    made = {"noise": noise, "sample": x0, "velocity": signal * noise - grain * x0}
    for kind, predicted in made.items():
        check(
            to_noise,
            {
                "predicted": predicted.to(where),
                "x": (signal * x0 + grain * noise).to(where),
                "kept": kept.to(where),
                "kind": kind,
            },
            noise,
            rtol=1e-3,
            atol=1e-4,
            hint="Each sample has its own kept, of shape (n,). Multiply v by sqrt(kept) and x by "
            "sqrt(1 - kept), and add: x_0 drops out. See 'Fewer steps'.",
        )
for kind in ("score", "Noise", ""):
    check_raises(
        ValueError,
        to_noise,
        {
            "predicted": x0.to(where),
            "x": noise.to(where),
            "kept": kept.to(where),
            "kind": kind,
        },
        hint="Three kinds are known; a typing error should not pass for one of them.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. The loss
#
# For each sample of the batch draw a step from 1 to T (all equally likely) and noise, spoil it, and
# compare what the model predicts with its target, which `kind` names as in step 3. The model is given
# the spoiled samples and their *times* $t/T$. Use torch's random numbers (no seed of your own).


# %% nbgrader={"grade": false, "grade_id": "training_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def training_loss(model, x0, alpha_bar, kind="noise"):
    """Compute the loss of a batch.

    Parameters
    ----------
    model : callable
        ``model(x, time)``, with x of shape (n, ...) and floating-point times of shape (n,), predicts
        a tensor like x. It is called once.
    x0 : Tensor, shape (n, ...)
        Clean samples.
    alpha_bar : Tensor, shape (T + 1,)
    kind : str
        What the model predicts: "noise", "sample" or "velocity".

    Returns
    -------
    Tensor, shape ()
        The mean squared error over all numbers of the batch; it has a gradient.

    Example
    -------
    >>> loss = training_loss(lambda x, time: 0 * x, torch.ones(8, 2), torch.tensor([1.0, 0.5]), "sample")
    >>> loss.item()  # the samples are 1, and 0 is predicted
    1.0
    """
    ### BEGIN SOLUTION
    steps = len(alpha_bar) - 1
    t = torch.randint(1, steps + 1, (len(x0),), device=x0.device)
    noise = torch.randn_like(x0)
    kept = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1))
    targets = {
        "noise": noise,
        "sample": x0,
        "velocity": kept.sqrt() * noise - (1 - kept).sqrt() * x0,
    }
    predicted = model(noised(x0, t, noise, alpha_bar), t.to(x0.dtype) / steps)
    return (predicted - targets[kind]).square().mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-training_loss", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch

from course_lib import get_device
from course_lib.exercises import assert_close, call, given, probe


def true_noised(x0, t, noise, alpha_bar):
    kept = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1))
    return kept.sqrt() * x0 + (1 - kept).sqrt() * noise


def losses(training_loss, device):
    torch.manual_seed(0)
    x0 = torch.full((4000, 2), 2.0, device=device)
    alpha_bar = torch.tensor([1.0, 0.5], device=device)
    found = []
    for says in (0.0, 1.0):
        args = {"model": lambda x, time: 0 * x + says, "x0": x0, "alpha_bar": alpha_bar}  # noqa: B023
        found.append(call(training_loss, args).item())
    return found


with given(noised=true_noised):
    got = probe(losses, training_loss, get_device())
assert_close(
    got,
    [1.0, 2.0],
    rtol=0.1,
    what="The loss of a model that always says 0, and of one that always says 1",
    hint="The target is the noise, of variance 1, not the sample: a mean of squares over all numbers. "
    "See 'Guess the noise'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-training_loss-hidden", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Hidden: what the model is shown (steps, times, noise of its own for each sample), all three targets.
### BEGIN HIDDEN TESTS
import torch

from course_lib import get_device
from course_lib.exercises import assert_close, assert_equal, assert_true, call, given, probe

SECTION = "See 'Guess the noise'."


def true_noised(x0, t, noise, alpha_bar):
    kept = alpha_bar[t].reshape(-1, *[1] * (x0.ndim - 1))
    return kept.sqrt() * x0 + (1 - kept).sqrt() * noise


def watched(training_loss, shape, kind, device):
    torch.manual_seed(3)
    alpha_bar = torch.tensor([1.0, 0.95, 0.7, 0.4, 0.1], device=device)
    x0 = torch.randn(shape).to(device) + 1
    scale = torch.tensor(0.5, device=device, requires_grad=True)
    seen = []

    def model(x, time):
        seen.append((x.detach().cpu(), time.detach().cpu()))
        return scale * x

    args = {"model": model, "x0": x0, "alpha_bar": alpha_bar}
    if kind:
        args["kind"] = kind
    loss = call(training_loss, args)
    shape_of_loss = tuple(loss.shape)
    loss.sum().backward()
    return (
        seen,
        loss.detach().cpu(),
        shape_of_loss,
        float(scale.grad),
        x0.cpu(),
        alpha_bar.cpu(),
    )


for shape in ((800, 3), (400, 1, 2, 2)):
    for kind in ("", "noise", "sample", "velocity"):
        with given(noised=true_noised):
            seen, loss, size, slope, x0, alpha_bar = probe(
                watched, training_loss, shape, kind, get_device()
            )
        assert_equal(
            (len(seen), size),
            (1, ()),
            what="How often the model was called, and the shape of the loss",
            hint="One call for the whole batch, and one number.",
        )
        x, times = seen[0]
        assert_equal(
            tuple(times.shape),
            (shape[0],),
            what="The shape of the times that the model was given",
            hint=f"One for each sample. {SECTION}",
        )
        steps = 4 * times.double()
        assert_true(
            bool((steps - steps.round()).abs().max() < 1e-4 and steps.min() > 0.5)
            and steps.max() < 4.5,
            what="That the times are t / T, with t from 1 to T",
            hint=f"With T = 4 they are 1/4, 2/4, 3/4 and 1. The model is given t / T, not t. {SECTION}",
        )
        t = steps.round().long()
        counts = torch.bincount(t, minlength=5)[1:].double() / len(t)
        assert_close(
            counts,
            torch.full((4,), 0.25),
            atol=0.08,
            rtol=0,
            what="The shares of the steps 1 to 4 among the samples of a batch",
            hint=f"Each sample draws its own step, from 1 to T with T included; 0 is no step. {SECTION}",
        )
        kept = alpha_bar[t].reshape(-1, *[1] * (x.ndim - 1))
        noise = (x - kept.sqrt() * x0) / (1 - kept).sqrt()
        flat = noise.flatten(1)
        assert_true(
            bool(abs(noise.mean()) < 0.12 and abs(noise.std() - 1) < 0.12),
            what="That what was added to the samples is standard normal noise, scaled for their steps",
            hint="x = noised(x0, t, noise, alpha_bar), with the same t that the model is told, and "
            f"torch.randn_like(x0). {SECTION}",
        )
        assert_true(
            bool(flat.std(dim=0).min() > 0.8 and flat.std(dim=1).mean() > 0.6),
            what="That each number of each sample has noise of its own",
            hint="torch.randn_like(x0) draws for the whole batch. Noise that is drawn once and spread over "
            f"the samples is the same for all. {SECTION}",
        )
        target = {
            "sample": x0,
            "velocity": kept.sqrt() * noise - (1 - kept).sqrt() * x0,
        }.get(kind, noise)
        assert_close(
            loss,
            (0.5 * x - target).square().mean(),
            rtol=1e-3,
            what=f"The loss of a model that says x / 2, kind {kind or 'left out'}",
            hint="The mean of the squared errors against the target that kind names. For the velocity: "
            f"sqrt(kept) noise - sqrt(1 - kept) x0. {SECTION}",
        )
        assert_close(
            slope,
            (2 * (0.5 * x - target) * x).mean(),
            rtol=1e-2,
            atol=1e-3,
            what="The slope of the loss in a weight of the model",
            hint="Between prediction and loss there must be no detach, item or no_grad.",
        )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. A step back, with as much new noise as you like
#
# DDIM and DDPM are two ends of a family. Go from step $t$ to an earlier step $s$ like this: from the noise
# compute $\hat x_0$; put it together with the predicted noise in the proportions of step $s$, as DDIM does.
# But of the variance $1 - \bar\alpha_s$ that the noise should have there, take
#
# $$s_\eta^2 = \eta^2\, \frac{1 - \bar\alpha_s}{1 - \bar\alpha_t} \Bigl(1 - \frac{\bar\alpha_t}{\bar\alpha_s}\Bigr)$$
#
# from new noise, and only the rest from the predicted noise. With $\eta = 0$ that is DDIM, with
# $\eta = 1$ and $s = t - 1$ it is DDPM.


# %% nbgrader={"grade": false, "grade_id": "step_back", "locked": false, "schema_version": 3, "solution": true, "task": false}
def step_back(x, predicted, t, s, alpha_bar, eta=0.0, noise=None):
    """Go from step t to an earlier step.

    Parameters
    ----------
    x, predicted : Tensor, shape (n, ...)
        x_t, and the noise that is predicted in it.
    t, s : int
        Where the samples are and where to go, 0 <= s < t <= T; the same for all samples.
    alpha_bar : Tensor, shape (T + 1,)
    eta : float, 0 to 1
        How much of the noise is new.
    noise : Tensor, shape (n, ...), optional
        Standard normal. It may be left out if eta is 0.

    Returns
    -------
    Tensor, shape (n, ...)

    Example
    -------
    >>> alpha_bar = torch.tensor([1.0, 0.64, 0.36])
    >>> x = 0.6 * torch.tensor([[2.0]]) + 0.8 * torch.tensor([[1.0]])  # x_0 = 2, noise = 1
    >>> round(step_back(x, torch.tensor([[1.0]]), 2, 1, alpha_bar).item(), 4)  # 0.8 * 2 + 0.6 * 1
    2.2
    """
    ### BEGIN SOLUTION
    now, to = alpha_bar[t], alpha_bar[s]
    x0 = (x - (1 - now).sqrt() * predicted) / now.sqrt()
    new = eta**2 * (1 - to) / (1 - now) * (1 - now / to)
    result = to.sqrt() * x0 + (1 - to - new).clamp(min=0).sqrt() * predicted
    return result if noise is None else result + new.sqrt() * noise
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-step_back", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch

from course_lib import get_device
from course_lib.exercises import check

where = get_device()
check(
    step_back,
    {
        "x": torch.tensor([[2.0, -1.0]], device=where),
        "predicted": torch.tensor([[1.0, 0.5]], device=where),
        "t": 2,
        "s": 1,
        "alpha_bar": torch.tensor([1.0, 0.64, 0.36], device=where),
    },
    torch.tensor([[2.2, -1.5666667]]),
    rtol=1e-4,
    hint="x_0 is (x - 0.8 predicted) / 0.6 here. Mix it again: 0.8 x_0 + 0.6 predicted. See 'Fewer steps'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-step_back-hidden", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Hidden: DDPM as the chapter has it, in between, long steps, the last step, pictures.
### BEGIN HIDDEN TESTS
import torch

from course_lib import get_device
from course_lib.exercises import check

where = get_device()
draw = torch.Generator().manual_seed(4)
alpha_bar = torch.cat([torch.ones(1), torch.cumprod(1 - torch.linspace(0.02, 0.4, 8), 0)]).double()


def asked(x, predicted, t, s, **more):
    args = {"x": x, "predicted": predicted, "alpha_bar": alpha_bar, **more}
    args = {k: v.to(where) if hasattr(v, "to") else v for k, v in args.items()}
    order = ("x", "predicted", "t", "s", "alpha_bar", "eta", "noise")
    args = {**args, "t": t, "s": s}
    return {name: args[name] for name in order if name in args}


for shape in ((5, 2), (3, 1, 4, 4)):
    x, predicted, noise = torch.randn((3, *shape), generator=draw, dtype=torch.float64)
    for t in (8, 4, 2):
        beta = 1 - alpha_bar[t] / alpha_bar[t - 1]
        mean = (x - beta / (1 - alpha_bar[t]) ** 0.5 * predicted) / (1 - beta) ** 0.5
        spread = (beta * (1 - alpha_bar[t - 1]) / (1 - alpha_bar[t])) ** 0.5
        check(
            step_back,
            asked(x, predicted, t, t - 1, eta=1.0, noise=noise),
            mean + spread * noise,
            rtol=1e-5,
            hint="With eta = 1 this is DDPM's step: new noise with the root of that variance, and the "
            "predicted noise with the root of 1 - alpha_bar[s] - variance. See 'The way back'.",
        )
    for t, s in ((8, 7), (8, 3), (5, 1)):
        for eta in (0.0, 0.3, 0.8):
            x0 = (x - (1 - alpha_bar[t]) ** 0.5 * predicted) / alpha_bar[t] ** 0.5
            new = (
                eta**2 * (1 - alpha_bar[s]) / (1 - alpha_bar[t]) * (1 - alpha_bar[t] / alpha_bar[s])
            )
            wanted = alpha_bar[s] ** 0.5 * x0 + (1 - alpha_bar[s] - new) ** 0.5 * predicted
            check(
                step_back,
                asked(x, predicted, t, s, eta=eta, noise=noise),
                wanted + new**0.5 * noise,
                rtol=1e-5,
                hint="The formula holds for any s below t; eta is squared in the variance. See 'Fewer "
                "steps'.",
            )
        check(
            step_back,
            asked(x, predicted, t, s),
            alpha_bar[s] ** 0.5 * x0 + (1 - alpha_bar[s]) ** 0.5 * predicted,
            rtol=1e-5,
            hint="Without eta and noise this is DDIM. See 'Fewer steps'.",
        )
    for t in (8, 1):
        check(
            step_back,
            asked(x, predicted, t, 0, eta=1.0, noise=1e3 * noise),
            (x - (1 - alpha_bar[t]) ** 0.5 * predicted) / alpha_bar[t] ** 0.5,
            rtol=1e-5,
            hint="On the way to step 0 there is no room for noise, old or new: 1 - alpha_bar[0] is 0. "
            "See 'The way back'.",
        )
check(
    step_back,
    asked(x.float(), predicted.float(), 3, 0, eta=1.0, noise=noise.float())
    | {"alpha_bar": alpha_bar.float().to(where)},
    (x - (1 - alpha_bar[3]) ** 0.5 * predicted) / alpha_bar[3] ** 0.5,
    rtol=1e-4,
    atol=1e-5,
    hint="In 32 bits rounding may push a variance below 0, and its root is nan.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. Guidance in a single pass
#
# Two guesses are needed, with and without the label, and two passes cost twice the overhead. Stack both
# halves into a batch of 2n and call the model *once*. The weight may differ from sample to sample.


# %% nbgrader={"grade": false, "grade_id": "guided_noise", "locked": false, "schema_version": 3, "solution": true, "task": false}
def guided_noise(model, x, time, labels, weight, nothing):
    """Predict the noise with classifier-free guidance.

    Parameters
    ----------
    model : callable
        ``model(x, time, labels)`` predicts noise. Each sample's answer depends on that sample alone.
    x : Tensor, shape (n, ...)
    time : Tensor, shape (n,)
    labels : Tensor of int64, shape (n,)
    weight : float, or Tensor of shape (n,)
        0: the guess without a label; 1: the guess with it; more exaggerates the difference.
    nothing : int
        The label that stands for *no label*.

    Returns
    -------
    Tensor, shape (n, ...)

    Example
    -------
    >>> def model(x, time, labels):
    ...     return x + labels[:, None]
    >>> x, time = torch.zeros(2, 1), torch.ones(2)
    >>> guided_noise(model, x, time, torch.tensor([3, 5]), 2.0, nothing=1).tolist()  # 1 + 2 (3 - 1)
    [[5.0], [9.0]]
    """
    ### BEGIN SOLUTION
    both = model(
        torch.cat([x, x]),
        torch.cat([time, time]),
        torch.cat([labels, torch.full_like(labels, nothing)]),
    )
    asked, free = both.chunk(2)
    if isinstance(weight, torch.Tensor):
        weight = weight.reshape(-1, *[1] * (x.ndim - 1))
    return free + weight * (asked - free)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-guided_noise", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch

from course_lib import get_device
from course_lib.exercises import assert_close, call, probe


def by_label(guided_noise, weight, device):
    def model(x, time, labels):
        return x * time[:, None] + labels[:, None]

    args = {
        "model": model,
        "x": torch.tensor([[1.0], [2.0]], device=device),
        "time": torch.tensor([0.5, 1.0], device=device),
        "labels": torch.tensor([4, 6], device=device),
        "weight": weight,
        "nothing": 2,
    }
    return call(guided_noise, args).cpu()


for weight, wanted in ((3.0, [[8.5], [16.0]]), (0.0, [[2.5], [4.0]])):
    assert_close(
        probe(by_label, guided_noise, weight, get_device()),
        torch.tensor(wanted),
        rtol=1e-5,
        what=f"guided_noise with weight {weight}, for labels that each add themselves to the guess",
        hint="Start at the guess without a label and go `weight` times the difference towards the one "
        "with it. See 'Digits, and how to ask for one'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-guided_noise-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: a weight for each sample, pictures, negative weights, a single call.
### BEGIN HIDDEN TESTS
import torch

from course_lib import get_device
from course_lib.exercises import assert_close, assert_equal, call, probe

SECTION = "See 'Digits, and how to ask for one'."


def curved(x, time, labels):
    wide = [-1, *[1] * (x.ndim - 1)]
    return (x * time.reshape(wide) + labels.reshape(wide)).sin()


def watched(guided_noise, shape, weight, nothing, device):
    draw = torch.Generator().manual_seed(5)
    x = torch.randn(shape, generator=draw).to(device)
    time = torch.rand(shape[0], generator=draw).to(device)
    labels = torch.randint(0, 4, shape[:1], generator=draw).to(device)
    calls = []

    def model(x, time, labels):
        calls.append((len(x), len(time), len(labels)))
        return curved(x, time, labels)

    weight = weight.to(device) if hasattr(weight, "to") else weight
    args = {"model": model, "x": x, "time": time, "labels": labels, "weight": weight}
    got = call(guided_noise, {**args, "nothing": nothing})
    return got.cpu(), calls, x.cpu(), time.cpu(), labels.cpu()


draw = torch.Generator().manual_seed(6)
for shape in ((5, 2), (3, 3), (4, 1, 4, 4), (1, 2)):
    for weight in (0.0, 1.0, 2.5, -1.0, torch.rand(shape[0], generator=draw) * 4):
        for nothing in (4, 0):
            got, calls, x, time, labels = probe(
                watched, guided_noise, shape, weight, nothing, get_device()
            )
            free = curved(x, time, torch.full_like(labels, nothing))
            asked = curved(x, time, labels)
            each = weight
            if hasattr(weight, "reshape"):
                each = weight.reshape(-1, *[1] * (len(shape) - 1))
            assert_close(
                got,
                (1 - each) * free + each * asked,
                rtol=1e-4,
                atol=1e-5,
                what=f"guided_noise for x of shape {shape}, weight {weight}, nothing {nothing}",
                hint="free + weight * (asked - free), with a weight for each sample where it is a "
                f"tensor. {SECTION}",
            )
            n = shape[0]
            assert_equal(
                calls,
                [(2 * n, 2 * n, 2 * n)],
                what="The batches that the model was called with (rows of x, times, labels)",
                hint="torch.cat both halves, call once, and split the answer.",
            )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 7. Letters out of noise
#
# Three letters made of points, one network, and your functions. The network predicts velocities. It takes
# about five seconds.

# %% nbgrader={"grade": false, "grade_id": "finale", "locked": true, "schema_version": 3, "solution": false, "task": false}
from course_lib.plotting import diffusion as figures

STROKES = {
    "A": [(-1, -1.5, 0, 1.5), (0, 1.5, 1, -1.5), (-0.5, -0.2, 0.5, -0.2)],
    "L": [(-0.8, 1.5, -0.8, -1.5), (-0.8, -1.5, 0.9, -1.5)],
    "Z": [(-0.9, 1.5, 0.9, 1.5), (0.9, 1.5, -0.9, -1.5), (-0.9, -1.5, 0.9, -1.5)],
}


def letters(n):
    """Draw n points of each letter: (3 n, 2), and which letter each is of."""
    points = []
    for strokes in STROKES.values():
        line = torch.tensor(strokes)[torch.randint(len(strokes), (n,))]
        along = torch.rand(n, 1)
        points.append((1 - along) * line[:, :2] + along * line[:, 2:] + 0.03 * torch.randn(n, 2))
    return torch.cat(points).to(device), torch.arange(3, device=device).repeat_interleave(n)


class Network(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.about, self.enter = nn.Linear(16, 4 * width), nn.Linear(2, width)
        self.label, self.leave = nn.Embedding(4, 4 * width), nn.Linear(width, 2)
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(2))

    def forward(self, x, time, labels):
        angle = time[:, None] * 30 ** torch.linspace(0, 1, 8, device=x.device)
        about = self.about(torch.cat([angle.sin(), angle.cos()], dim=1)) + self.label(labels)
        h, parts = self.enter(x), about.chunk(4, dim=1)
        for layer, scale, shift in zip(self.layers, parts[:2], parts[2:], strict=True):
            h = h + layer((h * (1 + scale) + shift).relu())
        return self.leave(h.relu())


seed_everything(0)
schedule = alpha_bars(torch.linspace(0.001, 0.2, 50, device=device))
points, names = letters(1500)
network = Network().to(device)
adam = torch.optim.Adam(network.parameters(), lr=5e-3)
for step in range(1000):
    rows = torch.randint(len(points), (128,), device=device)
    given_names = names[rows].masked_fill(torch.rand(128, device=device) < 0.2, 3)
    loss = training_loss(
        lambda x, time: network(x, time, given_names),  # noqa: B023
        points[rows],
        schedule,
        kind="velocity",
    )
    adam.zero_grad()
    loss.backward()
    adam.step()
    adam.param_groups[0]["lr"] = 5e-3 * (1 - step / 1000)


def draw(weight, steps, eta, n=900):
    x, asked = torch.randn(n, 2, device=device), torch.arange(3, device=device).repeat(n // 3)
    path = torch.linspace(50, 0, steps + 1).round().long().tolist()
    with torch.no_grad():
        for t, s in pairwise(path):
            kept, time = schedule[t].expand(n), torch.full((n,), t / 50, device=device)

            def as_noise(x, time, labels, kept=kept):
                twice = torch.cat([kept, kept])
                return to_noise(network(x, time, labels), x, twice, "velocity")

            guess = guided_noise(as_noise, x, time, asked, weight, nothing=3)
            x = step_back(x, guess, t, s, schedule, eta, torch.randn_like(x))
    return x, asked


def shares(drawn, real):
    """Return which share of the drawn points lies on the letter, and how much of it they cover."""
    apart = torch.cdist(drawn, real)
    return [float((apart.min(dim=dim).values < 0.15).double().mean()) for dim in (1, 0)]


panels = {"No letter": draw(0.0, 50, 1.0)[0]}
print("              on the letter, of the letter")
for name, weight, steps, eta in (
    ("50 steps", 1.0, 50, 1.0),
    ("10 steps", 1.0, 10, 0.0),
    ("weight 3", 3.0, 50, 1.0),
):
    drawn, asked = draw(weight, steps, eta)
    for label, letter in enumerate(STROKES):
        panels[f"{letter}, {name}"] = drawn[asked == label]
        on, of = shares(drawn[asked == label], points[names == label])
        print(f"{letter}, {name} {on:8.0%} {of:14.0%}")

shown = ("No letter", "A, 50 steps", "L, 10 steps", "Z, weight 3")
panels = {name: panels[name][:300].cpu().numpy() for name in shown}
figures.clouds(panels)

# %% [markdown]
# **What you see.** Without a label all three letters lie on top of each other. With one, the same network
# draws a single letter. The table says how many of the points lie on their letter, and how much of the letter
# has points nearby. Ten steps of DDIM do about what fifty of DDPM do. With a larger weight, fewer points of Z
# go astray, but about a fifth of it and a quarter of A are no longer drawn: guidance gives up variety for
# points that are typical.
#
# ## Step 8. A report
#
# *3 points, read by a person. About 100 words.*
#
# A hospital trains a diffusion model on pictures of skin, labeled *harmless* or *melanoma*, to make more
# training data for its classifier. They draw 10,000 pictures of melanoma with a weight of 6, because "at
# this weight doctors recognize 99 % of them, and only 80 % of real ones". The training loss, they add, is
# 0.02, "so 98 % of the noise is understood".
#
# 1. What does the loss show, and what does it not show?
# 2. Why is 99 % not a good sign? What will a classifier learn from such pictures?
# 3. What would you measure, and how, before the pictures are used?

# %% [markdown] nbgrader={"grade": true, "grade_id": "report", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# 1. The loss is a mean over all steps and depends on the schedule and on the size of the pictures. Its
#    lower bound is not 0, and how good the drawings are cannot be read off it.
# 2. A large weight draws typical cases: fidelity is bought with diversity. Real melanomas include those
#    that are hard to recognize, and these are the ones that matter. A classifier trained on the drawings
#    sees none of them, and will be sure of what is typical and miss the rest.
# 3. Diversity beside fidelity: distances within the class, or the share of real pictures that have a
#    drawing nearby, against real ones, for several weights. And whether the classifier gets better on
#    real pictures that took no part. (Also: whether drawings are copies of patients' pictures.)
#
# === BEGIN MARK SCHEME ===
# 1. **One point** for: the loss has a lower bound above 0 (or depends on schedule and data) and does not
#    measure drawings. Half for "a low loss says nothing" without a reason.
# 2. **One point** for the trade of guidance (typical, less diverse) with its consequence for hard cases.
#    Half for one of the two.
# 3. **One point** for a measure of diversity or coverage against real pictures, or the classifier's score
#    on real held-out pictures, with how to compute it. Half without how.
# === END MARK SCHEME ===
