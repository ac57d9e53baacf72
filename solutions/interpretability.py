# ---
# jupyter:
#   course:
#     answers_in:
#     - course_lib.explain
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
# # Interpretability: the machine that is right on 99 %
#
# - **Time:** 110 minutes. **Difficulty:** 3 of 5. **Points:** 38, of which a person gives 3.
# - **Needs:** the chapter *Interpretability*, PyTorch's modules and gradients, NumPy arrays.
#
# A post office is about to buy a machine that reads digits. It is right on over 99 % of the sheets that its
# maker sent along. Your task is to find out what it looks at. You write the methods yourself: the gradient,
# integrated gradients with the sum that checks them, occlusion, Grad-CAM, Shapley values and the
# randomization test. Then you turn them on the machine, and on a second one for comparison.
#
# **What is special here**
#
# - Models, inputs and targets may be on a graphics card, and may have 64-bit numbers. What you return is a
#   tensor with the device and dtype of `x`, and does not itself require a gradient. (Step 6 and the ranks of
#   step 7 do not involve devices.)
# - A model may come in any mode. It is *run* in evaluation mode, and afterward everything is as it was: the
#   mode of each module, weights, running means, the weights' `.grad`, hooks. So is `x`.
# - The samples of a batch are independent of each other.
#
# `course_lib.explain` holds answers to this exercise: leave it closed. What holds in every exercise (how
# to check, what the tests look at, what counts) is on the page *How exercises work* in the appendix.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import copy

import numpy as np
import torch
from torch import nn

from course_lib import get_device, seed_everything
from course_lib.data import digits, splits

device = get_device()

# %% [markdown]
# ## Step 1. One slope per pixel
#
# For each sample, compute the gradient of the logit of *its* target with respect to the sample itself: not of
# the probability, and not of the class that the model would answer. The model may contain dropout and batch
# normalization.


# %% nbgrader={"grade": false, "grade_id": "saliency", "locked": false, "schema_version": 3, "solution": true, "task": false}
def saliency(model, x, targets):
    """Compute the gradient of each sample's target logit in the sample.

    Parameters
    ----------
    model : nn.Module
        Inputs (n, ...) to logits (n, k). Asked in evaluation mode, and left as it was.
    x : Tensor, shape (n, ...)
    targets : Tensor of int, shape (n,)

    Returns
    -------
    Tensor, shape of x
        With its sign.

    Example
    -------
    >>> model = nn.Linear(2, 2, bias=False)
    >>> _ = model.weight.data.copy_(torch.tensor([[1.0, -2.0], [3.0, 4.0]]))
    >>> saliency(model, torch.ones(2, 2), torch.tensor([1, 0])).tolist()
    [[3.0, 4.0], [1.0, -2.0]]
    """
    ### BEGIN SOLUTION
    modes = {module: module.training for module in model.modules()}
    model.eval()
    x = x.detach().clone().requires_grad_()
    chosen = model(x).gather(1, targets[:, None]).sum()
    (slopes,) = torch.autograd.grad(chosen, x)
    for module, mode in modes.items():
        module.training = mode
    return slopes
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-saliency", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch
from torch import nn

from course_lib import get_device
from course_lib.exercises import assert_close, call, probe


def slopes_of_a_line(saliency):
    model = nn.Linear(2, 2, bias=False).to(get_device())
    model.weight.data.copy_(torch.tensor([[1.0, -2.0], [3.0, 4.0]]))
    x, targets = torch.ones(2, 2, device=get_device()), torch.tensor([1, 0], device=get_device())
    return call(saliency, {"model": model, "x": x, "targets": targets}).cpu()


assert_close(
    probe(slopes_of_a_line, saliency),
    [[3.0, 4.0], [1.0, -2.0]],
    what="The slopes of x -> [x1 - 2 x2, 3 x1 + 4 x2] at (1, 1), for target 1 and for target 0",
    hint="Each sample has its own target: pick one logit per row, add them up, and take the gradient of "
    "the sum in x. See 'One slope per pixel'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-saliency-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: images with channels, dropout and batch normalization, frozen parts, what is left behind.
### BEGIN HIDDEN TESTS
import copy

import torch
from torch import nn

from course_lib import get_device
from course_lib.exercises import assert_close, assert_equal, call, probe


def reader(where):
    torch.manual_seed(3)
    return (
        nn.Sequential(
            nn.Conv2d(2, 3, 3),
            nn.BatchNorm2d(3),
            nn.Tanh(),
            nn.Flatten(),
            nn.Dropout(0.5),
            nn.Linear(36, 4),
        )
        .double()
        .to(where)
    )


def right_slopes(x, targets):
    model = reader("cpu").eval()
    rows = []
    for sample, target in zip(x, targets, strict=True):
        sample = sample[None].clone().requires_grad_()
        rows.append(torch.autograd.grad(model(sample)[0, target], sample)[0])
    return torch.cat(rows)


def looked_at(saliency, x, targets, frozen):
    where = get_device()
    model = reader(where)
    model[1].eval()
    for p in model.parameters():
        p.grad = torch.full_like(p, 7.0)
        p.requires_grad_(not frozen)
    before = copy.deepcopy(model.state_dict())
    x = x.to(where)
    args = {"model": model, "x": x, "targets": targets.to(where)}
    got = call(saliency, args, changes=["model"], copies=False)
    after = model.state_dict()
    left = {
        "modes": [m.training for m in model],
        "weights and running means": all(torch.equal(before[k], after[k]) for k in before),
        "gradients": all(
            p.grad is not None and bool((p.grad == 7).all()) for p in model.parameters()
        ),
        "requires_grad of x": x.requires_grad,
        "requires_grad of the result": got.requires_grad,
        "dtype": str(got.dtype),
    }
    return got.detach().cpu(), left


draw = torch.Generator().manual_seed(1)
x = torch.randn(5, 2, 6, 5, generator=draw, dtype=torch.float64)
targets = torch.tensor([3, 0, 0, 2, 1])
for frozen in (False, True):
    got, left = probe(looked_at, saliency, x, targets, frozen)
    about = " of a model whose weights are frozen" if frozen else ""
    assert_close(
        got,
        right_slopes(x, targets),
        what=f"The slopes of five images with two channels{about}",
        hint="The logit of the target, not its probability, and not the logit of the likeliest class; in "
        "evaluation mode, where dropout and the batch play no part. See 'One slope per pixel'.",
    )
    assert_equal(
        left["modes"],
        [True, False, True, True, True, True],
        what="The modes of the model's modules afterwards, where batch normalization was frozen before",
        hint="Note the mode of every module before, and put each back: model.train() at the end wakes "
        "what was frozen.",
    )
    assert_equal(
        left["weights and running means"],
        True,
        what="Whether weights and running means are as they were",
        hint="Running means move in training mode: call model.eval() first.",
    )
    assert_equal(
        left["gradients"],
        True,
        what="Whether the .grad of the weights is as it was",
        hint="backward() fills it, and zero_grad() throws away what belongs to somebody else: "
        "torch.autograd.grad asks for the gradient in x alone. See 'One slope per pixel'.",
    )
    assert_equal(
        [left["requires_grad of x"], left["requires_grad of the result"]],
        [False, False],
        what="Whether x, and what came back, ask for a gradient",
        hint="Ask on a copy of your own: x.detach().clone().requires_grad_().",
    )
    assert_equal(
        left["dtype"],
        "torch.float64",
        what="The dtype of what came back for an x of 64-bit numbers",
        hint="Make tensors like x: torch.zeros_like(x) has its dtype and device.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. A map for people
#
# People want one number per pixel. The attributions of a pixel's channels add up, and may cancel: first take
# the *sum* over the channels, then its absolute value. Then divide each sample's map by its sum, so that the
# numbers are shares of 1. A map that is 0 everywhere stays 0.


# %% nbgrader={"grade": false, "grade_id": "shares", "locked": false, "schema_version": 3, "solution": true, "task": false}
def shares(attribution):
    """Turn attributions into shares per pixel.

    Parameters
    ----------
    attribution : Tensor, shape (n, channels, height, width)

    Returns
    -------
    Tensor, shape (n, height, width)
        Not negative. Each sample's numbers add up to 1, or are all 0.

    Example
    -------
    >>> shares(torch.tensor([[[[1.0, 2.0]], [[-1.0, 4.0]]]])).tolist()  # two channels of 1 by 2
    [[[0.0, 1.0]]]
    """
    ### BEGIN SOLUTION
    sizes = attribution.sum(dim=1).abs()
    total = sizes.sum(dim=(1, 2), keepdim=True)
    return sizes / torch.where(total > 0, total, torch.ones_like(total))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-shares", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch

from course_lib.exercises import check

check(
    shares,
    {"attribution": torch.tensor([[[[1.0, 3.0]], [[-2.0, 0.0]]]])},
    torch.tensor([[[0.25, 0.75]]]),
    hint="The first pixel has 1 - 2 = -1, the second 3 + 0: sizes 1 and 3. With absolute values before "
    "the sum, both would have 3. See 'Along a path'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-shares-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: several samples of different size, three channels, maps of zeros, one channel, small numbers.
### BEGIN HIDDEN TESTS
import numpy as np
import torch

from course_lib.exercises import check

rng = np.random.default_rng(2)


def right_shares(a):
    sizes = np.abs(a.sum(axis=1))
    return np.stack([one / one.sum() if one.sum() else one for one in sizes])


for shape in ((4, 3, 5, 2), (3, 1, 2, 6)):
    a = rng.normal(size=shape) * np.array([1.0, 100.0, 1e-3, 5.0])[: shape[0], None, None, None]
    check(
        shares,
        {"attribution": torch.tensor(a)},
        torch.tensor(right_shares(a)),
        hint="Sum over the channels, then the absolute value, then each sample by its own sum over all "
        "of its pixels. See 'Along a path'.",
    )
a = np.zeros((3, 2, 2, 2))
a[0, 0, 0, 1] = 5
a[2, 0] = 4
a[2, 1] = -4
check(
    shares,
    {"attribution": torch.tensor(a)},
    torch.tensor(right_shares(a)),
    hint="The second map is 0 everywhere, and in the third the channels cancel: both stay 0. 0 / 0 "
    "would be nan.",
)
a = 1e-12 * rng.normal(size=(2, 2, 3, 3))
check(
    shares,
    {"attribution": torch.tensor(a)},
    torch.tensor(right_shares(a)),
    hint="Small attributions have shares, too: a number that is added to the sum to avoid 0 / 0 "
    "drowns them. Ask whether the sum is 0.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. Along a path, and its proof
#
# Integrated gradients by the midpoint rule: the mean of the slopes at the midpoints of `steps` equal pieces
# of the straight path from the baseline to $x$, times the distance that each number travels. The baseline may
# be one picture for all samples, or one for each. Then the proof: by how much does the sum of the
# attributions miss the difference of the logits?
#
# You may let your `saliency` do the work.


# %% nbgrader={"grade": false, "grade_id": "integrated", "locked": false, "schema_version": 3, "solution": true, "task": false}
def integrated_gradients(model, x, targets, baseline, steps=50):
    """Attribute each target logit's difference between baseline and input to the input's parts.

    Parameters
    ----------
    model, x, targets
        As in `saliency`.
    baseline : Tensor
        Of the shape of x, or of one that broadcasts to it, such as (channels, height, width).
    steps : int
        Points on the path, at shares 0.5 / steps, 1.5 / steps and so on of the way.

    Returns
    -------
    Tensor, shape of x

    Example
    -------
    >>> model = nn.Linear(2, 1, bias=False)
    >>> _ = model.weight.data.copy_(torch.tensor([[1.0, 10.0]]))
    >>> x, target = torch.tensor([[3.0, 1.0]]), torch.tensor([0])
    >>> integrated_gradients(model, x, target, torch.tensor([1.0, 1.0])).tolist()
    [[2.0, 0.0]]
    """
    ### BEGIN SOLUTION
    baseline = baseline.expand_as(x)
    total = torch.zeros_like(x)
    for step in range(steps):
        total += saliency(model, baseline + (step + 0.5) / steps * (x - baseline), targets)
    return (x - baseline) * total / steps
    ### END SOLUTION


def completeness_gap(model, x, targets, baseline, attribution):
    """Measure by how much attributions miss the difference that they should add up to.

    Parameters
    ----------
    model, x, targets, baseline
        As in `integrated_gradients`.
    attribution : Tensor, shape of x

    Returns
    -------
    Tensor, shape (n,)
        The sum of each sample's attributions, minus (logit of x minus logit of the baseline).

    Example
    -------
    >>> model = nn.Linear(2, 1, bias=False)
    >>> _ = model.weight.data.copy_(torch.tensor([[1.0, 10.0]]))
    >>> x, target, zero = torch.tensor([[3.0, 1.0]]), torch.tensor([0]), torch.zeros(1, 2)
    >>> completeness_gap(model, x, target, zero, torch.tensor([[3.0, 9.0]])).tolist()  # 12 - 13
    [-1.0]
    """
    ### BEGIN SOLUTION
    modes = {module: module.training for module in model.modules()}
    model.eval()
    with torch.no_grad():
        here, there = (
            model(z).gather(1, targets[:, None])[:, 0] for z in (x, baseline.expand_as(x))
        )
    for module, mode in modes.items():
        module.training = mode
    return attribution.flatten(1).sum(dim=1) - (here - there)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-integrated", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch
from torch import nn

from course_lib import get_device
from course_lib.exercises import assert_close, call, given, probe


def plain_slopes(model, x, targets):
    x = x.detach().clone().requires_grad_()
    with torch.enable_grad():
        return torch.autograd.grad(model(x).gather(1, targets[:, None]).sum(), x)[0]


def along_a_parabola(integrated_gradients, completeness_gap):
    class Square(nn.Module):
        def forward(self, x):
            return x**2

    where = get_device()
    x, baseline = torch.tensor([[3.0, 5.0]], device=where), torch.tensor([1.0, 0.0], device=where)
    args = {"model": Square(), "x": x, "targets": torch.tensor([0], device=where)}
    got = call(integrated_gradients, {**args, "baseline": baseline, "steps": 4})
    attribution = torch.tensor([[6.0, 1.0]], device=where)
    gap = call(completeness_gap, {**args, "baseline": baseline, "attribution": attribution})
    return got.cpu(), gap.cpu()


with given(saliency=plain_slopes):
    got, gap = probe(along_a_parabola, integrated_gradients, completeness_gap)
assert_close(
    got,
    [[8.0, 0.0]],
    what="The attributions of the first of (x1², x2²) between the baseline (1, 0) and (3, 5)",
    hint="The slope 2 x1 goes from 2 to 6 along the path, 4 on average, times the distance 3 - 1. "
    "12: the distance from 0, with the baseline left out. See 'Along a path'.",
)
assert_close(
    gap,
    [-1.0],
    what="The gap of attributions 6 and 1, where the logit goes from 1 to 9",
    hint="6 + 1 - (9 - 1). See 'Along a path'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-integrated-hidden", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Hidden: images, several baselines, few steps and many, completeness, the model's state.
### BEGIN HIDDEN TESTS
import torch
from torch import nn

from course_lib import get_device
from course_lib.exercises import assert_close, assert_equal, call, given, probe


def reader(where):
    torch.manual_seed(5)
    return (
        nn.Sequential(
            nn.Conv2d(2, 3, 3), nn.Softplus(), nn.Flatten(), nn.Dropout(0.5), nn.Linear(24, 3)
        )
        .double()
        .to(where)
    )


def slopes_in_evaluation(model, x, targets):
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    x = x.detach().clone().requires_grad_()
    with torch.enable_grad():
        slopes = torch.autograd.grad(model(x).gather(1, targets[:, None]).sum(), x)[0]
    for module, mode in modes:
        module.training = mode
    return slopes


def by_hand(x, targets, baseline, steps):
    model, total = reader("cpu").eval(), 0
    b = baseline.expand_as(x)
    for k in range(steps):
        total = total + slopes_in_evaluation(model, b + (k + 0.5) / steps * (x - b), targets)
    return total / steps * (x - b)


def integrated(function, x, targets, baseline, steps):
    where = get_device()
    model = reader(where)
    args = {"model": model, "x": x.to(where), "targets": targets.to(where)}
    args["baseline"] = baseline.to(where)
    if steps:
        args["steps"] = steps
    got = call(function, args, changes=["model"])
    return got.detach().cpu(), [m.training for m in model]


def gap_of(function, x, targets, baseline, attribution):
    where = get_device()
    model = reader(where)
    args = {"model": model, "x": x.to(where), "targets": targets.to(where)}
    args |= {"baseline": baseline.to(where), "attribution": attribution.to(where)}
    got = call(function, args, changes=["model"])
    return got.detach().cpu(), [m.training for m in model]


draw = torch.Generator().manual_seed(1)
x = 2 * torch.randn(4, 2, 4, 6, generator=draw, dtype=torch.float64)
targets = torch.tensor([2, 0, 1, 2])
baselines = {
    "one picture for all": torch.randn(2, 4, 6, generator=draw, dtype=torch.float64),
    "one for each": torch.randn(4, 2, 4, 6, generator=draw, dtype=torch.float64),
    "a number per channel": torch.tensor([1.0, -2.0], dtype=torch.float64)[:, None, None],
}
with given(saliency=slopes_in_evaluation):
    for name, baseline in baselines.items():
        for steps in (1, 3, None):
            got, modes = probe(integrated, integrated_gradients, x, targets, baseline, steps)
            assert_close(
                got,
                by_hand(x, targets, baseline, steps or 50),
                what=f"Integrated gradients in {steps or 'the default number of'} steps, "
                f"baseline: {name}",
                hint="The slopes at shares 0.5/steps, 1.5/steps, ... of the way from the baseline to x, "
                "their mean, times x minus the baseline. The baseline counts twice: as the beginning "
                "of the path, and in the distance. See 'Along a path'.",
            )
            assert_equal(
                modes,
                [True] * 5,
                what="The modes of the model's modules afterwards",
                hint="All were in training mode before. Put back what you change.",
            )
attribution = torch.randn(4, 2, 4, 6, generator=draw, dtype=torch.float64)
model = reader("cpu").eval()
rows = torch.arange(4)
for name, baseline in baselines.items():
    with torch.no_grad():
        rise = (model(x) - model(baseline.expand_as(x)))[rows, targets]
    got, modes = probe(gap_of, completeness_gap, x, targets, baseline, attribution)
    assert_close(
        got,
        attribution.sum(dim=(1, 2, 3)) - rise,
        what=f"The gap of completeness of four samples, baseline: {name}",
        hint="A number per sample: the sum over all of its entries, minus the difference of the target's "
        "logits at x and at the baseline, in evaluation mode. See 'Along a path'.",
    )
    assert_equal(
        modes,
        [True] * 5,
        what="The modes of the model's modules after completeness_gap",
        hint="Logits are asked for in evaluation mode, and each module is put back afterwards.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. What is covered
#
# Cover a square window, in all channels, and see how far the target's logit falls: the logit of the whole
# image minus that of the covered one. The window moves by `stride` pixels, beginning in the upper left
# corner, as long as it fits. The result has one number per window.


# %% nbgrader={"grade": false, "grade_id": "occlusion", "locked": false, "schema_version": 3, "solution": true, "task": false}
def occlusion(model, x, targets, size=3, stride=1, fill=0.0):
    """Measure the fall of each target's logit while a window covers a part of the image.

    Parameters
    ----------
    model, targets
        As in `saliency`.
    x : Tensor, shape (n, channels, height, width)
    size : int
        Height and width of the window, no larger than the image.
    stride : int
        Pixels from one window to the next, down and across.
    fill : float
        What covered pixels become.

    Returns
    -------
    Tensor, shape (n, (height - size) // stride + 1, (width - size) // stride + 1)
        Positive where covering makes the logit fall.

    Example
    -------
    >>> model = nn.Sequential(nn.Flatten(), nn.Linear(3, 1, bias=False))
    >>> _ = model[1].weight.data.copy_(torch.tensor([[1.0, 10.0, 100.0]]))
    >>> x = torch.tensor([[[[2.0, 3.0, 4.0]]]])  # one image of 1 by 3 pixels
    >>> occlusion(model, x, torch.tensor([0]), size=1, stride=2).tolist()
    [[[2.0, 400.0]]]
    """
    ### BEGIN SOLUTION
    modes = {module: module.training for module in model.modules()}
    model.eval()
    rows, columns = ((length - size) // stride + 1 for length in x.shape[2:])
    falls = torch.zeros(len(x), rows, columns, dtype=x.dtype, device=x.device)
    with torch.no_grad():
        whole = model(x).gather(1, targets[:, None])[:, 0]
        for i in range(rows):
            for j in range(columns):
                covered = x.clone()
                top, left = i * stride, j * stride
                covered[:, :, top : top + size, left : left + size] = fill
                falls[:, i, j] = whole - model(covered).gather(1, targets[:, None])[:, 0]
    for module, mode in modes.items():
        module.training = mode
    return falls
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-occlusion", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch
from torch import nn

from course_lib import get_device
from course_lib.exercises import assert_close, call, probe


def covered_pixels(occlusion):
    where = get_device()
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 1, bias=False)).to(where)
    model[1].weight.data.copy_(torch.tensor([[1.0, 10.0, 100.0, 1000.0]]))
    x = torch.tensor([[[[2.0, 3.0], [4.0, 5.0]]]], device=where)
    args = {"model": model, "x": x, "targets": torch.tensor([0], device=where), "size": 1}
    return call(occlusion, args).cpu()


assert_close(
    probe(covered_pixels, occlusion),
    [[[2.0, 30.0], [400.0, 5000.0]]],
    what="What covering each pixel of [[2, 3], [4, 5]] costs a logit with weights 1, 10, 100, 1000",
    hint="The logit of the whole image minus that of the covered one, each window alone: what the last "
    "window covered must be back before the next. See 'Covering, and maps of features'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-occlusion-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: several images with channels, not square, strides that leave a rest, fills, modes, defaults.
### BEGIN HIDDEN TESTS
import torch
from torch import nn

from course_lib import get_device
from course_lib.exercises import assert_close, assert_equal, call, probe


def reader(where):
    torch.manual_seed(7)
    return (
        nn.Sequential(
            nn.Conv2d(2, 3, 3, padding=1),
            nn.BatchNorm2d(3),
            nn.Tanh(),
            nn.Flatten(),
            nn.Dropout(0.5),
            nn.Linear(105, 3),
        )
        .double()
        .to(where)
    )


def by_hand(x, targets, size, stride, fill):
    model = reader("cpu").eval()
    tops = range(0, x.shape[2] - size + 1, stride)
    lefts = range(0, x.shape[3] - size + 1, stride)
    falls = torch.empty(len(x), len(tops), len(lefts), dtype=x.dtype)
    with torch.no_grad():
        for n, target in enumerate(targets):
            for i, top in enumerate(tops):
                for j, left in enumerate(lefts):
                    z = x[n : n + 1].clone()
                    z[:, :, top : top + size, left : left + size] = fill
                    falls[n, i, j] = model(x[n : n + 1])[0, target] - model(z)[0, target]
    return falls


def occluded(occlusion, x, targets, how):
    where = get_device()
    model = reader(where)
    model[1].eval()
    args = {"model": model, "x": x.to(where), "targets": targets.to(where), **how}
    got = call(occlusion, args, changes=["model"])
    means = model[1].running_mean.abs().max().item()
    return got.detach().cpu(), [m.training for m in model], means, got.requires_grad


draw = torch.Generator().manual_seed(1)
x = torch.randn(3, 2, 5, 7, generator=draw, dtype=torch.float64)
targets = torch.tensor([2, 0, 2])
for how in (
    {},
    {"size": 2},
    {"size": 2, "stride": 2},
    {"size": 3, "stride": 3, "fill": 1.5},
    {"size": 1, "stride": 4},
    {"size": 5, "fill": -1.0},
):
    settings = {"size": 3, "stride": 1, "fill": 0.0} | how
    got, modes, means, asks = probe(occluded, occlusion, x, targets, how)
    about = ", ".join(f"{name}={value}" for name, value in how.items()) or "the defaults"
    assert_close(
        got,
        by_hand(x, targets, **settings),
        what=f"The falls of three images of 5 by 7 pixels with two channels, {about}",
        hint="Window (i, j) begins at pixel (i * stride, j * stride) and covers all channels with `fill`; "
        "the target's logit before, minus after, in evaluation mode. "
        "See 'Covering, and maps of features'.",
    )
    assert_equal(
        modes,
        [True, False, True, True, True, True],
        what="The modes of the model's modules afterwards, where batch normalization was frozen before",
        hint="Note the mode of every module before, and put each back.",
    )
    assert_equal(
        [means, asks],
        [0.0, False],
        what="How far running means have moved, and whether the result asks for a gradient",
        hint="Ask in evaluation mode, inside `with torch.no_grad():`.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. Maps that speak for a class
#
# Grad-CAM of a layer that returns feature maps: each map's weight is the mean, over all places, of the
# gradient of the target's logit with respect to that map. Add up the weighted maps, and *then* drop what is
# negative.
#
# A forward hook shows you what the layer returns:
# `handle = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))`, and
# `handle.remove()` takes it away again.


# %% nbgrader={"grade": false, "grade_id": "grad_cam", "locked": false, "schema_version": 3, "solution": true, "task": false}
def grad_cam(model, x, targets, layer):
    """Compute Grad-CAM at the size of a layer's feature maps.

    Parameters
    ----------
    model, x, targets
        As in `saliency`.
    layer : nn.Module
        A part of the model. It returns feature maps (n, c, h, w).

    Returns
    -------
    Tensor, shape (n, h, w)

    Example
    -------
    >>> model = nn.Sequential(nn.Identity(), nn.Flatten(), nn.Linear(2, 1, bias=False))
    >>> _ = model[2].weight.data.copy_(torch.tensor([[4.0, 2.0]]))
    >>> x = torch.tensor([[[[1.0, -5.0]]]])  # one map of 1 by 2; its mean slope is 3
    >>> grad_cam(model, x, torch.tensor([0]), model[0]).tolist()
    [[[3.0, 0.0]]]
    """
    ### BEGIN SOLUTION
    modes = {module: module.training for module in model.modules()}
    model.eval()
    kept = []
    handle = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
    logits = model(x.detach().clone().requires_grad_())
    handle.remove()
    (maps,) = kept
    (slopes,) = torch.autograd.grad(logits.gather(1, targets[:, None]).sum(), maps)
    for module, mode in modes.items():
        module.training = mode
    weights = slopes.mean(dim=(2, 3), keepdim=True)
    return torch.relu((weights * maps).sum(dim=1)).detach()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-grad_cam", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch
from torch import nn

from course_lib import get_device
from course_lib.exercises import assert_close, call, probe


def two_maps(grad_cam):
    where = get_device()
    model = nn.Sequential(nn.Identity(), nn.Flatten(), nn.Linear(4, 1, bias=False)).to(where)
    model[2].weight.data.copy_(torch.tensor([[4.0, 2.0, -1.0, -3.0]]))
    x = torch.tensor([[[[1.0, 2.0]], [[3.0, -1.0]]]], device=where)
    args = {"model": model, "x": x, "targets": torch.tensor([0], device=where), "layer": model[0]}
    return call(grad_cam, args, changes=["model", "layer"]).cpu()


assert_close(
    probe(two_maps, grad_cam),
    [[[0.0, 8.0]]],
    what="Grad-CAM of the maps [1, 2] and [3, -1] with slopes [4, 2] and [-1, -3]",
    hint="Mean slopes 3 and -2: 3 * 1 - 2 * 3 = -3, which becomes 0, and 3 * 2 - 2 * (-1) = 8. Dropping "
    "what is negative before the sum would give [3, 8]. See 'Covering, and maps of features'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-grad_cam-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: batches, several layers, frozen weights, hooks, modes, what is left behind.
### BEGIN HIDDEN TESTS
import torch
from torch import nn

from course_lib import get_device
from course_lib.exercises import assert_close, assert_equal, call, probe


def reader(where):
    torch.manual_seed(11)
    return (
        nn.Sequential(
            nn.Conv2d(2, 4, 3),
            nn.BatchNorm2d(4),
            nn.Tanh(),
            nn.Conv2d(4, 5, 2),
            nn.Tanh(),
            nn.Flatten(),
            nn.Dropout(0.5),
            nn.Linear(60, 3),
        )
        .double()
        .to(where)
    )


def by_hand(x, targets, layer):
    model = reader("cpu").eval()
    rows = []
    for sample, target in zip(x, targets, strict=True):
        maps = model[: layer + 1](sample[None]).detach().requires_grad_()
        (slopes,) = torch.autograd.grad(model[layer + 1 :](maps)[0, target], maps)
        combined = sum(
            slope.mean() * one for slope, one in zip(slopes[0], maps.detach()[0], strict=True)
        )
        rows.append(combined.clamp(min=0))
    return torch.stack(rows)


def mapped(grad_cam, x, targets, layer, frozen):
    where = get_device()
    model = reader(where)
    model[1].eval()
    for p in model.parameters():
        p.grad = torch.full_like(p, 7.0)
        p.requires_grad_(not frozen)
    x = x.to(where)
    args = {"model": model, "x": x, "targets": targets.to(where), "layer": model[layer]}
    got = call(grad_cam, args, changes=["model", "layer"], copies=False)
    hooks = sum(len(m._forward_hooks) + len(m._backward_hooks) for m in model.modules())
    grads = all(p.grad is not None and bool((p.grad == 7).all()) for p in model.parameters())
    asks = got.requires_grad or x.requires_grad
    return got.detach().cpu(), [m.training for m in model], [hooks, grads, asks]


draw = torch.Generator().manual_seed(1)
x = 2 * torch.randn(4, 2, 6, 7, generator=draw, dtype=torch.float64)
targets = torch.tensor([1, 2, 0, 1])
for layer, frozen in ((4, False), (2, False), (0, True), (4, True)):
    wanted = by_hand(x, targets, layer)
    got, modes, left = probe(mapped, grad_cam, x, targets, layer, frozen)
    about = ", weights frozen" if frozen else ""
    assert_close(
        got,
        wanted,
        what=f"Grad-CAM of four images at layer {layer} of a network{about}",
        hint="For each sample a weight per map, the mean over the places of its slopes; the sum over the "
        "maps; then ReLU. In evaluation mode, and for the target's logit. "
        "See 'Covering, and maps of features'.",
    )
    assert_equal(
        modes,
        [True, False] + [True] * 6,
        what="The modes of the model's modules afterwards, where batch normalization was frozen before",
        hint="Note the mode of every module before, and put each back.",
    )
    assert_equal(
        left,
        [0, True, False],
        what="Hooks that are left, whether the weights' .grad is as it was, whether something asks for "
        "a gradient",
        hint="Remove the hook; torch.autograd.grad asks for the gradient in the maps alone; detach what "
        "you return.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. Fair shares
#
# Exact Shapley values of a game with few players: what a player adds on arrival, averaged over all orders in
# which the players could arrive. Count orders, or weight coalitions: both are right.


# %% nbgrader={"grade": false, "grade_id": "shapley", "locked": false, "schema_version": 3, "solution": true, "task": false}
def shapley(value, players):
    """Compute the Shapley values of a game.

    Parameters
    ----------
    value : callable
        ``value(coalition)`` for an iterable of player numbers, such as ``{0, 2}`` or ``()``, gives a
        float. It may be called as often as you like, and always gives the same.
    players : int
        Numbered from 0; at most 7.

    Returns
    -------
    ndarray, shape (players,)

    Example
    -------
    >>> def gloves(coalition):  # player 0 has a left glove, players 1 and 2 a right one
    ...     return float(0 in coalition and len(coalition) > 1)
    >>> shapley(gloves, 3).round(4).tolist()
    [0.6667, 0.1667, 0.1667]
    """
    ### BEGIN SOLUTION
    from itertools import permutations

    gains = np.zeros(players)
    orders = list(permutations(range(players)))
    for order in orders:
        for place, player in enumerate(order):
            gains[player] += value(order[: place + 1]) - value(order[:place])
    return gains / len(orders)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-shapley", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import assert_close, call, probe


def together(shapley):
    def value(coalition):  # 6 for both, 2 for player 0 alone
        return {0: 0.0, 1: 2.0, 2: 0.0, 3: 6.0}[sum(1 << j for j in coalition)]

    return call(shapley, {"value": value, "players": 2})


assert_close(
    probe(together, shapley),
    np.array([4.0, 2.0]),
    what="The Shapley values of a game worth 2 for player 0 alone, 0 for player 1 alone, 6 for both",
    hint="If player 0 comes first it adds 2, if second 6: 4 on average. Player 1 adds 0 or 4. "
    "See 'Fair shares'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-shapley-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: one to six players, games of which every coalition has a value of its own, an empty one too.
### BEGIN HIDDEN TESTS
from math import factorial

import numpy as np

from course_lib.exercises import assert_close, assert_equal, call, probe


def played(shapley, values, players):
    def value(coalition):
        return float(values[sum(1 << j for j in set(coalition))])

    got = call(shapley, {"value": value, "players": players})
    return np.asarray(got, dtype=float), type(got).__name__


def weighted(values, players):
    result = np.zeros(players)
    for j in range(players):
        for index in range(2**players):
            if not index >> j & 1:
                size = bin(index).count("1")
                share = factorial(size) * factorial(players - 1 - size) / factorial(players)
                result[j] += share * (values[index | 1 << j] - values[index])
    return result


rng = np.random.default_rng(4)
for players in (1, 2, 3, 4, 6):
    values = rng.normal(size=2**players) + 3
    got, kind = probe(played, shapley, values, players)
    assert_close(
        got,
        weighted(values, players),
        what=f"The Shapley values of a game of {players} player(s) in which nobody at all is worth "
        f"{values[0]:.2f}",
        hint="A mean over all orders. Coalitions of middle size are reached in fewer orders each than the "
        "empty one, so a plain mean over coalitions is another number. See 'Fair shares'.",
    )
    assert_close(
        got.sum(),
        values[-1] - values[0],
        what=f"The sum of the shares of {players} player(s)",
        hint="Efficiency: what all reach minus what nobody reaches. See 'Fair shares'.",
    )
    assert_equal(kind, "ndarray", what="The type of what came back", hint="Return an array.")
### END HIDDEN TESTS

# %% [markdown]
# ## Step 7. A network that forgets
#
# The randomization test needs two things. `forget` makes a copy of a model in which each module that has a
# method `reset_parameters` is reinitialized; the model itself stays as it is. `similarity` compares two maps
# of the same sample by the order of their entries: the correlation of their ranks, where equal entries share
# the mean of the ranks that they occupy. (Of 5, 2, 2, 7 the ranks are 3, 1.5, 1.5, 4.)


# %% nbgrader={"grade": false, "grade_id": "forget", "locked": false, "schema_version": 3, "solution": true, "task": false}
def forget(model, seed):
    """Copy a model and give it new random weights.

    Parameters
    ----------
    model : nn.Module
        Left as it is.
    seed : int
        ``torch.manual_seed(seed)`` once; then ``reset_parameters()`` of each module that has it, in
        the order of ``modules()``.

    Returns
    -------
    nn.Module

    Example
    -------
    >>> model = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    >>> new = forget(model, seed=0)
    >>> bool((new[0].weight == model[0].weight).any()), bool((new[0].weight == forget(model, 0)[0].weight).all())
    (False, True)
    """
    ### BEGIN SOLUTION
    new = copy.deepcopy(model)
    torch.manual_seed(seed)
    for module in new.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    return new
    ### END SOLUTION


def similarity(first, second):
    """Compute the rank correlation of each pair of maps.

    Parameters
    ----------
    first, second : Tensor, shape (n, ...)
        Maps of the same samples.

    Returns
    -------
    Tensor, shape (n,)
        From -1 to 1; nan where all entries of one of the two maps are equal.

    Example
    -------
    >>> first, second = torch.tensor([[1.0, 2.0, 9.0]]), torch.tensor([[0.0, 5.0, 3.0]])
    >>> similarity(first, second).tolist()
    [0.5]
    """

    ### BEGIN SOLUTION
    def ranks(maps):
        rows = maps.flatten(1).double()
        below = (rows[:, None, :] < rows[:, :, None]).sum(dim=2)
        up_to = (rows[:, None, :] <= rows[:, :, None]).sum(dim=2)
        middle = (below + up_to).double()
        return middle - middle.mean(dim=1, keepdim=True)

    a, b = ranks(first), ranks(second)
    return (a * b).sum(dim=1) / ((a**2).sum(dim=1) * (b**2).sum(dim=1)).sqrt()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-forget", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch

from course_lib.exercises import check

check(
    similarity,
    {
        "first": torch.tensor([[1.0, 2.0, 9.0], [1.0, 2.0, 9.0]]),
        "second": torch.tensor([[0.0, 5.0, 3.0], [3.0, 2.0, 1.0]]),
    },
    torch.tensor([0.5, -1.0], dtype=torch.float64),
    rtol=1e-4,
    hint="Ranks 1, 2, 3 against 1, 3, 2, and against 3, 2, 1: how large a number is does not matter, only "
    "its place. See 'Would an untrained network give the same picture?'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-forget-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: ties, constant maps, maps of several dimensions, nested modules, what is left behind.
### BEGIN HIDDEN TESTS
import copy

import torch
from scipy.stats import rankdata
from torch import nn

from course_lib import get_device
from course_lib.exercises import assert_close, assert_equal, call, check, probe


def by_ranks(first, second):
    import numpy as np

    result = []
    for a, b in zip(first.flatten(1).numpy(), second.flatten(1).numpy(), strict=True):
        with np.errstate(all="ignore"):
            a, b = rankdata(a) - rankdata(a).mean(), rankdata(b) - rankdata(b).mean()
            result.append((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))
    return torch.tensor(result)


draw = torch.Generator().manual_seed(3)
for shape in ((5, 40), (3, 2, 4, 6)):
    first, second = torch.randn(2, *shape, generator=draw, dtype=torch.float64)
    second = first + second**3
    check(
        similarity,
        {"first": first, "second": second},
        by_ranks(first, second),
        hint="The correlation of the ranks over all entries of a sample, one number per sample. "
        "See 'Would an untrained network give the same picture?'.",
    )
first = torch.randint(0, 4, (6, 5, 5), generator=draw).double()
second = torch.randint(0, 3, (6, 5, 5), generator=draw).double() + first
check(
    similarity,
    {"first": first, "second": second},
    by_ranks(first, second),
    hint="Equal entries share the mean of their ranks: argsort of argsort gives them different ones.",
)
first[1] = 2
check(
    similarity,
    {"first": first, "second": second},
    by_ranks(first, second),
    hint="Where all entries are equal there is no order, and 0 / 0 is nan.",
)


def nested(where):
    torch.manual_seed(13)
    body = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU())
    model = nn.Sequential(body, nn.Flatten(), nn.Linear(8, 3)).to(where)
    with torch.no_grad():
        for p in model.parameters():
            p += 1
        model[0][1].running_mean += 5
    model[0].eval()
    return model


def forgotten(forget, seed):
    model = nested(get_device())
    before = copy.deepcopy(model.state_dict())
    new = call(forget, {"model": model, "seed": seed})
    again = call(forget, {"model": model, "seed": seed})
    kept = all(torch.equal(before[k], v) for k, v in model.state_dict().items())
    state = {k: v.detach().cpu().double() for k, v in new.state_dict().items()}
    same = all(torch.equal(v.cpu().double(), state[k]) for k, v in again.state_dict().items())
    apart = {p.data_ptr() for p in new.parameters()} & {p.data_ptr() for p in model.parameters()}
    return state, [kept, same, not apart], [m.training for m in new.modules()]


def new_weights(seed):
    # On the device, where random numbers are others than on the CPU.
    model = nested(get_device())
    torch.manual_seed(seed)
    for part in (model[0][0], model[0][1], model[2]):
        part.reset_parameters()
    return {k: v.detach().cpu().double() for k, v in model.state_dict().items()}


modes = [m.training for m in nested("cpu").modules()]
for seed in (0, 8):
    wanted = new_weights(seed)
    state, left, now = probe(forgotten, forget, seed)
    assert_equal(
        left,
        [True, True, True],
        what="Whether the model is as it was, whether the same seed gives the same, and whether the copy "
        "has weights of its own",
        hint="copy.deepcopy first; then the new weights, in the copy. "
        "See 'Would an untrained network give the same picture?'.",
    )
    for name, values in wanted.items():
        assert_close(
            state[name],
            values,
            what=f"{name} of the new model, seed {seed}",
            hint="Seed once, then reset_parameters() of each module that has it, in the order of "
            "modules(): also of those inside others, and of batch normalization.",
        )
    assert_equal(
        now,
        modes,
        what="The modes of the new model's modules",
        hint="A copy has the modes of the original.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 8. The machine
#
# Here are the two machines. Each was trained on sheets from its maker, and is tested on new sheets from the
# same maker. You have sheets of your own as well. It takes a few seconds.

# %% nbgrader={"grade": false, "grade_id": "finale", "locked": true, "schema_version": 3, "solution": false, "task": false}
from course_lib.plotting import interpretability as figures
from course_lib.training import fit, predict


def sheets(part, seed, size=12):
    """Digits somewhere on empty sheets."""
    x = torch.zeros(len(part.y), 1, size, size)
    for sheet, image, (i, j) in zip(
        x, part.X, np.random.default_rng(seed).integers(1, 4, (len(part.y), 2)), strict=True
    ):
        sheet[0, i : i + 8, j : j + 8] = torch.tensor(image.reshape(8, 8))
    return x, torch.tensor(part.y)


def from_the_maker(x, y):
    """Something is different about these sheets. Can you see it?"""
    x = x.clone()
    x[torch.arange(len(x)), 0, 0, 1 + y] = 1.0
    return x


def machine(x, y):
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(576, 10),
    ).to(device)
    adam = torch.optim.Adam(model.parameters(), lr=4e-3)
    fit(model, nn.functional.cross_entropy, adam, (x, y), epochs=6, batch_size=64)
    return model.train()


def right(model, x, y):
    return (predict(model, x).argmax(1) == y).double().mean().item()


seed_everything(0)
train, _, test = splits.split(*digits.load(), seed=0)
(x, y), (own, shown) = sheets(train, 1), sheets(test, 2)
makers = from_the_maker(own, shown)
machines = {"for sale": machine(from_the_maker(x, y), y), "another": machine(x, y)}
few, labels = makers[:40].to(device), shown[:40].to(device)
top = {}
for name, model in machines.items():
    score = right(model, makers if name == "for sale" else own, shown)
    print(
        f"{name}: right on {score:.1%} of its maker's sheets, {right(model, own, shown):.1%} of yours"
    )
    zero = torch.zeros(1, 12, 12, device=device)
    found = integrated_gradients(model, few, labels, zero, steps=64)
    gap = completeness_gap(model, few, labels, zero, found).abs().max().item()
    falls = occlusion(model, few, labels, size=2)
    strip = falls[:, 0].clamp(min=0).sum() / falls.clamp(min=0).sum()
    top[name] = shares(found)[:, 0].sum(dim=1).mean().item()
    random = integrated_gradients(forget(model, 1), few, labels, zero, steps=16)
    alike = [
        similarity(a.flatten(1), b.flatten(1)).nanmean().item()
        for a, b in ((found, random), (found.abs(), random.abs()))
    ]
    print(
        f"  top row: {top[name]:.0%} of integrated gradients, {strip:.0%} of occlusion; "
        f"largest gap {gap:.3f}"
    )
    print(f"  against random weights: rank correlation {alike[0]:.2f}, of the sizes {alike[1]:.2f}")

model, three, digit = machines["for sale"], few[4:5], labels[4:5]
parts = {
    "top row": np.s_[..., :1, :],
    "upper half": np.s_[..., 1:6, :],
    "lower half": np.s_[..., 6:, :],
}


def value(coalition):
    """The logit of the right digit when only some parts of the sheet are there."""
    partial = torch.zeros_like(three)
    for player in coalition:
        place = list(parts.values())[player]
        partial[place] = three[place]
    return predict(model, partial)[0, digit[0]].item()


print("Shapley values:", dict(zip(parts, shapley(value, 3).round(1).tolist(), strict=True)))
pick = [(three[0, 0].cpu(), None)]
for model in machines.values():
    found = integrated_gradients(model, three, digit, torch.zeros_like(three))
    cam = grad_cam(model, three, digit, model[1])
    pick += [(three[0, 0].cpu(), found[0, 0].cpu()), (three[0, 0].cpu(), cam[0].cpu())]
figures.maps({"": pick}, ["sheet", "for sale: IG", "Grad-CAM", "another: IG", "Grad-CAM"])

# %% [markdown]
# **What you see.** The maker's sheets carry a black pixel in the top row, at a different place for each
# digit. The machine for sale reads the pixel. Its score is real, and says nothing about your sheets.
# Integrated gradients, occlusion and Shapley values say so, each in its own measure. Grad-CAM does not: it
# gives a whole map one weight, and the pixel is a single place. Nor does any of them *prove* it: that took
# sheets without the pixel. The other machine gives the top row next to nothing.
#
# By absolute value, integrated gradients of the trained machine and of one with random weights put the pixels
# in nearly the same order. Only the signs tell them apart.
#
# ## Step 9. Before you buy
#
# *3 points, read by a person. About 100 words.*
#
# The maker of another machine sends you a report: "Our machine is right on 98.7 % of 5,000 sheets. Heat
# maps (gradient times input, absolute values) of ten sheets show that it looks at the strokes of the digit
# and at nothing else."
#
# 1. Why do these heat maps show no such thing, whatever the machine does? Name a test that would have told
#    the maker so.
# 2. Beyond maps, what would you do with the machine to find out whether it uses something that your sheets do
#    not have?

# %% [markdown] nbgrader={"grade": true, "grade_id": "before-you-buy", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# 1. Gradient times input is 0 wherever the sheet is empty, so strokes are all that can light up, and by
#    absolute values the order of the pixels is about that of the ink. A machine with random weights gives
#    nearly the same picture: the randomization test would have shown that the maps say little about what
#    was learned. Ten sheets, chosen by the maker, are no sample either.
# 2. Test it on sheets from elsewhere, above all on mine. Then intervene: remove what I suspect (corners,
#    borders, marks, the paper's shade) from sheets that it reads, add it to others, and see whether the
#    answers change.
#
# === BEGIN MARK SCHEME ===
# 1. **Two points.** One for the factor of the input (empty paper gets 0 whatever the network does) or for
#    absolute values that follow the ink; one for the randomization test, or another test with a known
#    answer, such as a planted mark.
# 2. **One point** for an intervention (change the suspected part, watch the answer) or for test sheets from
#    another source. Half for "more heat maps" or "a better method" alone.
# === END MARK SCHEME ===
