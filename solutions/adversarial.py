# ---
# jupyter:
#   course:
#     answers_in:
#     - course_lib.attacks.fgsm
#     - course_lib.attacks.gradients
#     - course_lib.attacks.pgd
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
# # Adversarial examples: which defense cheats?
#
# - **Time:** 110 minutes. **Difficulty:** 3 of 5. **Points:** 36, of which a person gives 4.
# - **Needs:** the chapter *Adversarial examples*, PyTorch's tensors, modules and `autograd`.
#
# Three networks are offered to a bank that reads digits on checks, all three as "robust". You write the
# gradient with respect to the input, an attack of one large step and one of many projected ones, the count
# that cannot flatter, and the signs by which a hidden gradient gives itself away. In the end you train one of
# the three yourself, find out which of them cheats, and break it.
#
# **What is special here**
#
# - Images are tensors whose first dimension counts samples, with any dimensions after it and pixels in the
#   range 0 to 1. They are on the device of the model: create new tensors there, with the images' dtype.
# - A model may come in any mode. It is always run in evaluation mode, and left as it came: every module in
#   its own mode, every parameter and its `.grad` as they were.
# - Later steps may call earlier ones. Their tests bring correct versions of those.
#
# `course_lib.attacks` holds answers to this exercise: leave it closed. What holds in every exercise (how
# to check, what the tests look at, what counts) is on the page *How exercises work* in the appendix.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np
import torch
from torch import nn

from course_lib import get_device
from course_lib.data import digits, splits

device = get_device()

# %% [markdown]
# ## Step 1. Which way is up?
#
# Compute the gradient of each sample's cross-entropy with respect to its own image. It must not depend on how
# many other samples are in the batch: with the mean over a batch of 100, each gradient would be a hundredth
# of what it should be.


# %% nbgrader={"grade": false, "grade_id": "input_gradient", "locked": false, "schema_version": 3, "solution": true, "task": false}
def input_gradient(model, x, y):
    """Compute the gradient of each sample's loss in its image.

    Parameters
    ----------
    model : nn.Module
        ``model(x)`` gives logits, shape (n, k). Asked in evaluation mode, left as it came.
    x : Tensor, shape (n, ...)
        Images. Left as they are.
    y : Tensor of int64, shape (n,)
        Classes.

    Returns
    -------
    Tensor, in the shape of x
        Row i is the gradient of the cross-entropy of sample i, without a graph behind it
        (``requires_grad`` is False).

    Example
    -------
    >>> model = nn.Linear(2, 2, bias=False)
    >>> with torch.no_grad():
    ...     _ = model.weight.copy_(torch.tensor([[0.0, 0.0], [1.0, -2.0]]))
    >>> input_gradient(model, torch.zeros(1, 2), torch.tensor([1]))  # softmax is (1/2, 1/2)
    tensor([[-0.5000,  1.0000]])
    """
    ### BEGIN SOLUTION
    modes = {module: module.training for module in model.modules()}
    model.eval()
    x = x.detach().clone().requires_grad_()
    loss = nn.functional.cross_entropy(model(x), y, reduction="sum")
    (gradient,) = torch.autograd.grad(loss, x)
    for module, mode in modes.items():
        module.training = mode
    return gradient
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-input_gradient", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch
from torch import nn

from course_lib.exercises import assert_close, call, probe


def of_two_images(input_gradient):
    model = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[0.0, 0.0], [1.0, -2.0]]))
    x, y = torch.zeros(2, 2), torch.tensor([1, 0])
    return call(input_gradient, {"model": model, "x": x, "y": y}, changes=["model"])


assert_close(
    probe(of_two_images, input_gradient),
    torch.tensor([[-0.5, 1.0], [0.5, -1.0]]),
    what="The gradients at two black images of a model with the logits 0 and x[0] - 2 x[1]",
    hint="Both images are as likely to be either class, so the slope in the right logit is -1/2. Half of "
    "these numbers: you took the mean over the batch, or a softmax before cross_entropy, which has its own. "
    "See 'What the attacker may do'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-input_gradient-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: dropout and batch normalization, modes of every module, gradients of the weights, batches.
### BEGIN HIDDEN TESTS
import torch
from torch import nn

from course_lib.exercises import assert_close, assert_equal, call, probe


def watched(input_gradient, n, training, frozen):
    torch.manual_seed(5)
    model = nn.Sequential(
        nn.Flatten(),
        nn.Linear(12, 8),
        nn.BatchNorm1d(8),
        nn.Tanh(),
        nn.Dropout(0.6),
        nn.Linear(8, 4),
    ).double()
    with torch.no_grad():
        model[2].running_mean += 0.3
        model[2].running_var *= 2.0
    x = torch.rand(n, 3, 4, dtype=torch.float64)
    y = torch.arange(n) % 4
    model.eval()
    wanted = []
    for image, label in zip(x, y, strict=True):
        leaf = image[None].clone().requires_grad_()
        wanted.append(
            torch.autograd.grad(nn.functional.cross_entropy(model(leaf), label[None]), leaf)[0][0]
        )
    model.train(training)
    if frozen:
        model[2].eval()
    for number, parameter in enumerate(model.parameters()):
        parameter.grad = None if number % 2 else torch.full_like(parameter, 7.0)
    modes = [module.training for module in model.modules()]
    running = model[2].running_mean.clone()
    before = [p.detach().clone() for p in model.parameters()]
    got = call(input_gradient, {"model": model, "x": x, "y": y}, changes=["model"])
    same_modes = modes == [module.training for module in model.modules()]
    left_alone = all(
        p.grad is None if number % 2 else p.grad is not None and bool((p.grad == 7.0).all())
        for number, p in enumerate(model.parameters())
    )
    as_before = all(
        torch.equal(p.detach(), b) for p, b in zip(model.parameters(), before, strict=True)
    )
    learns = all(p.requires_grad for p in model.parameters())
    graph = got.requires_grad
    return (
        got.detach(),
        torch.stack(wanted),
        torch.equal(running, model[2].running_mean),
        same_modes,
        left_alone,
        as_before and learns,
        graph,
    )


for n, training, frozen in ((5, False, False), (4, True, False), (1, True, True), (7, True, True)):
    got, wanted, running, modes, left_alone, weights, graph = probe(
        watched, input_gradient, n, training, frozen
    )
    state = "training mode" if training else "evaluation mode"
    about = f"{n} image(s), a model with dropout and batch normalization that came in {state}"
    assert_close(
        got,
        wanted,
        what=f"The gradients for {about}",
        hint="In evaluation mode each sample has its own gradient, whatever else is in the batch: call "
        "model.eval() first, and add the losses up (reduction='sum'). "
        "See 'What the attacker may do'.",
    )
    assert_equal(
        running,
        True,
        what=f"Whether the running means are as they were, for {about}",
        hint="They move in training mode: model.eval() comes before the first call of the model.",
    )
    assert_equal(
        modes,
        True,
        what=f"Whether every module is in the mode in which it came, for {about}"
        + (", with batch normalization frozen" if frozen else ""),
        hint="Note the mode of each module in model.modules() before, and put each one back. "
        "model.train() at the end would turn on what was off.",
    )
    assert_equal(
        left_alone,
        True,
        what=f"Whether each parameter's .grad is as it was, for {about}",
        hint="loss.backward() adds to the gradients of the weights as well. "
        "torch.autograd.grad(loss, x) computes the one that is asked for.",
    )
    assert_equal(
        weights,
        True,
        what=f"Whether the parameters are as they were and still learn, for {about}",
        hint="Only the gradient in the image is wanted: nothing has to be changed in the model.",
    )
    assert_equal(
        graph,
        False,
        what="requires_grad of the result",
        hint="Return numbers without a graph: detach the result if you need to.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. One large step
#
# The fast gradient sign method: every pixel moves by $\epsilon$ in the direction that raises the loss of `y`.
# With `targeted`, `y` holds the classes that the attacker *wants*, and the loss should fall. The result is an
# image again: pixels from 0 to 1. A pixel whose slope is exactly 0 stays where it is.


# %% nbgrader={"grade": false, "grade_id": "fgsm", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fgsm(model, x, y, epsilon, targeted=False):
    """Attack images with one step.

    Parameters
    ----------
    model : nn.Module
        As in `input_gradient`.
    x : Tensor, shape (n, ...)
        Images, pixels from 0 to 1. Left as they are.
    y : Tensor of int64, shape (n,)
    epsilon : float
        The largest change of a pixel.
    targeted : bool

    Returns
    -------
    Tensor, in the shape of x

    Example
    -------
    >>> model = nn.Linear(2, 2, bias=False)
    >>> with torch.no_grad():
    ...     _ = model.weight.copy_(torch.tensor([[0.0, 0.0], [1.0, -2.0]]))
    >>> fgsm(model, torch.tensor([[0.5, 0.9]]), torch.tensor([1]), 0.25)  # 1.15 would be no pixel
    tensor([[0.2500, 1.0000]])
    """
    ### BEGIN SOLUTION
    direction = -1 if targeted else 1
    return (x + direction * epsilon * input_gradient(model, x, y).sign()).clamp(0, 1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-fgsm", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch
from torch import nn

from course_lib.exercises import assert_close, call, given, probe


def right_gradient(model, x, y):
    modes = {module: module.training for module in model.modules()}
    model.eval()
    leaf = x.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(
        nn.functional.cross_entropy(model(leaf), y, reduction="sum"), leaf
    )
    for module, mode in modes.items():
        module.training = mode
    return gradient


def one_step(fgsm, targeted):
    model = nn.Linear(3, 2, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[0.0, 0.0, 0.0], [1.0, -2.0, 0.5]]))
    x = torch.tensor([[0.5, 0.5, 0.25]])
    args = {"model": model, "x": x, "y": torch.tensor([1]), "epsilon": 0.125}
    if targeted:
        args["targeted"] = True
    return call(fgsm, args, changes=["model"])


with given(input_gradient=right_gradient):
    for targeted, wanted in ((False, [[0.375, 0.625, 0.125]]), (True, [[0.625, 0.375, 0.375]])):
        assert_close(
            probe(one_step, fgsm, targeted),
            torch.tensor(wanted),
            what="One step of 0.125 on the image (0.5, 0.5, 0.25), where class 1 has the logit "
            "x[0] - 2 x[1] + x[2] / 2 and class 0 has 0" + (", toward class 1" if targeted else ""),
            hint="Add epsilon times the sign of the gradient to raise the loss, subtract it with "
            "`targeted`. A step that depends on the size of the slope is another attack. "
            "See 'What the attacker may do'.",
        )

# %% nbgrader={"grade": true, "grade_id": "test-fgsm-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: pixels at the ends of their range, slopes of 0, several sizes, larger networks.
### BEGIN HIDDEN TESTS
import torch
from torch import nn

from course_lib.exercises import assert_close, call, given, probe


def right_gradient(model, x, y):
    modes = {module: module.training for module in model.modules()}
    model.eval()
    leaf = x.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(
        nn.functional.cross_entropy(model(leaf), y, reduction="sum"), leaf
    )
    for module, mode in modes.items():
        module.training = mode
    return gradient


def attacked(fgsm, epsilon, targeted, training):
    torch.manual_seed(8)
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(12, 9), nn.Tanh(), nn.Dropout(0.5), nn.Linear(9, 5)
    )
    model = model.double().train(training)
    with torch.no_grad():
        model[1].weight[:, 3] = 0.0  # no unit looks at this pixel
    x = torch.rand(6, 1, 3, 4, dtype=torch.float64)
    x = 0.05 + 0.9 * x
    if not targeted:
        x[0, 0, 0, :2] = torch.tensor([0.0, 1.0])
    y = torch.arange(6) % 5
    slope = right_gradient(model, x, y)
    step = epsilon * torch.where(slope > 0, 1.0, torch.where(slope < 0, -1.0, 0.0))
    wanted = torch.minimum(torch.maximum(x - step if targeted else x + step, 0 * x), 0 * x + 1)
    args = {"model": model, "x": x, "y": y, "epsilon": epsilon, "targeted": targeted}
    return call(fgsm, args, changes=["model"]), wanted, x


with given(input_gradient=right_gradient):
    for epsilon, targeted, training in (
        (0.1, False, False),
        (0.35, False, True),
        (0.02, True, False),
        (0.5, True, True),
        (0.0, False, False),
    ):
        got, wanted, x = probe(attacked, fgsm, epsilon, targeted, training)
        about = f"One step of {epsilon}" + (", targeted" if targeted else "")
        assert_close(
            got.reshape(6, 12)[:, 3],
            x.reshape(6, 12)[:, 3],
            what=f"{about}: a pixel that no unit looks at",
            hint="Its slope is 0, so it stays as it is: the sign of 0 is 0, for torch.sign too. "
            "A test such as `gradient > 0` makes it +1 or -1.",
        )
        assert_close(
            got,
            wanted,
            what=f"{about} on six images, some of their pixels close to 0 or 1",
            hint="Pixels outside of 0 to 1: clip after adding, not before. Changes of another size than "
            "epsilon: it is on the scale of the pixels. See 'What the attacker may do'.",
        )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. Back into the ball
#
# `project` takes the change of each image and returns the nearest one that is small enough. For `"linf"`, no
# entry may be larger than $\epsilon$ in absolute value. For `"l2"`, the root of the sum of an image's squared
# entries may not exceed $\epsilon$: a longer change is scaled down, image by image. A change that is small
# enough stays as it is.


# %% nbgrader={"grade": false, "grade_id": "project", "locked": false, "schema_version": 3, "solution": true, "task": false}
def project(change, epsilon, norm="linf"):
    """Find the nearest change inside of the ball.

    Parameters
    ----------
    change : Tensor, shape (n, ...)
        One change for each of n images. Left as it is.
    epsilon : float
        The radius, above 0.
    norm : {"linf", "l2"}

    Returns
    -------
    Tensor, in the shape of change

    Example
    -------
    >>> change = torch.tensor([[0.3, -0.4], [0.1, 0.0]])
    >>> project(change, 0.25)
    tensor([[ 0.2500, -0.2500],
            [ 0.1000,  0.0000]])
    >>> project(change, 0.25, "l2")  # the first has the length 0.5
    tensor([[ 0.1500, -0.2000],
            [ 0.1000,  0.0000]])
    """
    ### BEGIN SOLUTION
    if norm == "linf":
        return change.clamp(-epsilon, epsilon)
    length = change.flatten(1).norm(dim=1).reshape(-1, *[1] * (change.ndim - 1))
    return torch.where(length > epsilon, change * (epsilon / length.clamp(min=1e-12)), change)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-project", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch

from course_lib.exercises import check

change = torch.tensor([[0.6, -0.8], [0.3, 0.1]])
check(
    project,
    {"change": change, "epsilon": 0.5},
    torch.tensor([[0.5, -0.5], [0.3, 0.1]]),
    hint="Cut each entry at -epsilon and epsilon. See 'What the attacker may do'.",
)
check(
    project,
    {"change": change, "epsilon": 0.5, "norm": "l2"},
    torch.tensor([[0.3, -0.4], [0.3, 0.1]]),
    hint="The first change has the length 1 and is halved; the second is shorter than 0.5 and stays. "
    "See 'What the attacker may do'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-project-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: images of several shapes, changes of 0, several radii, both norms.
### BEGIN HIDDEN TESTS
import numpy as np
import torch

from course_lib.exercises import assert_equal, call, check

rng = np.random.default_rng(6)


def by_hand(change, epsilon, norm):
    out = change.copy()
    for row in out.reshape(len(out), -1):
        if norm == "linf":
            row[:] = np.minimum(np.maximum(row, -epsilon), epsilon)
        elif (row**2).sum() > epsilon**2:
            row *= epsilon / (row**2).sum() ** 0.5
    return out


for shape in ((4, 3), (5, 1, 4, 4), (3, 2, 5), (1, 7), (2, 3, 2, 2)):
    for epsilon in (0.1, 0.7, 3.0):
        change = rng.normal(size=shape) * rng.choice(
            [0.1, 1.0, 4.0], size=(shape[0],) + (1,) * len(shape[1:])
        )
        for norm in ("linf", "l2"):
            args = {"change": torch.tensor(change), "epsilon": epsilon, "norm": norm}
            check(
                project,
                args,
                torch.tensor(by_hand(change, epsilon, norm)),
                hint="Each image has its own length, over all of its entries, however they are arranged: "
                "change.flatten(1).norm(dim=1). A length of the whole batch, or of a row of an image, is "
                "another number. Only what is too long is scaled. See 'What the attacker may do'.",
            )
nothing = torch.zeros(2, 1, 3, 3)
nothing[1, 0, 0, 0] = 2.0
wanted = torch.zeros(2, 1, 3, 3)
wanted[1, 0, 0, 0] = 0.5
check(
    project,
    {"change": nothing, "epsilon": 0.5, "norm": "l2"},
    wanted,
    hint="A change of 0 has no direction, and 0 / 0 is nan. It is small enough: leave it as it is.",
)
same = call(project, {"change": torch.tensor([[0.3, -0.2]]), "epsilon": 0.5, "norm": "l2"})
assert_equal(
    same.dtype == torch.float32,
    True,
    what="Whether a change in float32 stays float32",
    hint="Compute in the type of what came.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. Many small steps
#
# `random_start` draws where an attack begins: a change for each pixel, uniformly between $-\epsilon$ and
# $\epsilon$, added to the image and clipped to the range of pixels. `pgd` climbs from there, in
# $\lVert\cdot\rVert_\infty$: a step of `step_size` along the sign of the gradient *at the point that it has
# reached*, back into the ball around `x`, back into the range of pixels, `steps` times in all.


# %% nbgrader={"grade": false, "grade_id": "pgd", "locked": false, "schema_version": 3, "solution": true, "task": false}
def random_start(x, epsilon, generator):
    """Draw a random image in the ball around each image.

    Parameters
    ----------
    x : Tensor, shape (n, ...)
        Images, pixels from 0 to 1. Left as they are.
    epsilon : float
    generator : torch.Generator
        On the CPU: everything random comes from it, so that the same seed gives the same start on
        each device.

    Returns
    -------
    Tensor, in the shape of x

    Example
    -------
    >>> x = torch.full((2, 3), 0.5)
    >>> start = random_start(x, 0.1, torch.Generator().manual_seed(0))
    >>> start.shape, bool((abs(start - x) <= 0.1 + 1e-6).all())
    (torch.Size([2, 3]), True)
    """
    ### BEGIN SOLUTION
    drawn = 2 * torch.rand(x.shape, generator=generator, device=generator.device) - 1
    return (x + epsilon * drawn.to(x)).clamp(0, 1)
    ### END SOLUTION


def pgd(model, x, y, epsilon, step_size, steps, start=None):
    """Attack images with many small steps, each projected.

    Parameters
    ----------
    model : nn.Module
        As in `input_gradient`.
    x : Tensor, shape (n, ...)
        Images, pixels from 0 to 1. Left as they are.
    y : Tensor of int64, shape (n,)
        The classes whose loss is to grow.
    epsilon : float
        The largest change of a pixel.
    step_size : float
    steps : int
    start : Tensor, in the shape of x, optional
        Images in the ball to begin at; by default `x` itself. Left as they are.

    Returns
    -------
    Tensor, in the shape of x

    Example
    -------
    >>> model = nn.Linear(2, 2, bias=False)
    >>> with torch.no_grad():
    ...     _ = model.weight.copy_(torch.tensor([[0.0, 0.0], [1.0, -2.0]]))
    >>> pgd(model, torch.tensor([[0.5, 0.5]]), torch.tensor([1]), 0.25, 0.125, 1)
    tensor([[0.3750, 0.6250]])
    >>> pgd(model, torch.tensor([[0.5, 0.5]]), torch.tensor([1]), 0.25, 0.125, 9)
    tensor([[0.2500, 0.7500]])
    """
    ### BEGIN SOLUTION
    moved = x if start is None else start
    for _ in range(steps):
        moved = moved + step_size * input_gradient(model, moved, y).sign()
        moved = (x + project(moved - x, epsilon)).clamp(0, 1)
    return moved
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-pgd", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch
from torch import nn

from course_lib.exercises import assert_close, call, given, probe


def right_gradient(model, x, y):
    modes = {module: module.training for module in model.modules()}
    model.eval()
    leaf = x.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(
        nn.functional.cross_entropy(model(leaf), y, reduction="sum"), leaf
    )
    for module, mode in modes.items():
        module.training = mode
    return gradient


def right_projection(change, epsilon, norm="linf"):
    return change.clamp(-epsilon, epsilon)


def climbed(pgd, steps, start):
    model = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[0.0, 0.0], [1.0, -2.0]]))
    x, y = torch.tensor([[0.5, 0.875]]), torch.tensor([1])
    args = {"model": model, "x": x, "y": y, "epsilon": 0.25, "step_size": 0.125, "steps": steps}
    if start:
        args["start"] = torch.tensor([[0.75, 0.75]])
    return call(pgd, args, changes=["model"])


with given(input_gradient=right_gradient, project=right_projection):
    for steps, start, wanted in (
        (1, False, [0.375, 1.0]),
        (3, False, [0.25, 1.0]),
        (1, True, [0.625, 0.875]),
        (3, True, [0.375, 1.0]),
    ):
        assert_close(
            probe(climbed, pgd, steps, start),
            torch.tensor([wanted]),
            what=f"{steps} step(s) of 0.125 from {'(0.75, 0.75)' if start else 'the image'}, in the ball of "
            "radius 0.25 around the image (0.5, 0.875)",
            hint="Three steps would lead 0.375 away, and the ball ends at 0.25: project the change from x "
            "after each step. Then clip to pixels. See 'Many small steps'.",
        )

# %% nbgrader={"grade": true, "grade_id": "test-pgd-hidden", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Hidden: networks whose gradient turns, starts, step sizes, the distribution of random starts.
### BEGIN HIDDEN TESTS
import numpy as np
import torch
from torch import nn

from course_lib.exercises import assert_close, assert_equal, assert_true, call, given, probe


def right_gradient(model, x, y):
    modes = {module: module.training for module in model.modules()}
    model.eval()
    leaf = x.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(
        nn.functional.cross_entropy(model(leaf), y, reduction="sum"), leaf
    )
    for module, mode in modes.items():
        module.training = mode
    return gradient


def right_projection(change, epsilon, norm="linf"):
    return change.clamp(-epsilon, epsilon)


class Bent(nn.Module):
    """Logits that rise and fall within the ball, and ask whether they are in evaluation mode."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(2)
        self.first, self.second = nn.Linear(6, 12).double(), nn.Linear(12, 3).double()
        self.modes = []

    def forward(self, x):
        self.modes.append(self.training)
        return 3 * self.second(torch.sin(9 * self.first(x.flatten(1))))


def compared(pgd, epsilon, step_size, steps, with_start, training):
    model = Bent().train(training)
    rows = torch.Generator().manual_seed(4)
    x = torch.rand(5, 1, 2, 3, generator=rows, dtype=torch.float64)
    x[0, 0, 0, :2] = torch.tensor([0.0, 1.0])
    y = torch.arange(5) % 3
    start = x
    if with_start:
        change = 2 * torch.rand(x.shape, generator=rows, dtype=torch.float64) - 1
        start = (x + epsilon * change).clamp(0, 1)
    moved = start.clone()
    for _ in range(steps):
        moved = moved + step_size * right_gradient(model, moved, y).sign()
        moved = torch.maximum(torch.minimum(moved, x + epsilon), x - epsilon).clamp(0, 1)
    model.modes.clear()
    args = {
        "model": model,
        "x": x,
        "y": y,
        "epsilon": epsilon,
        "step_size": step_size,
        "steps": steps,
    }
    got = call(pgd, {**args, "start": start} if with_start else args, changes=["model"])
    return got, moved, (got - x).abs().max().item(), any(model.modes), model.training


with given(input_gradient=right_gradient, project=right_projection):
    for epsilon, step_size, steps, with_start, training in (
        (0.2, 0.05, 1, False, False),
        (0.2, 0.03, 12, False, True),
        (0.1, 0.04, 7, True, False),
        (0.3, 0.5, 4, True, True),
        (0.05, 0.0125, 10, False, False),
    ):
        got, wanted, far, trained, mode = probe(
            compared, pgd, epsilon, step_size, steps, with_start, training
        )
        about = f"pgd with epsilon {epsilon}, {steps} step(s) of {step_size}"
        about += ", from a start of its own" if with_start else ""
        assert_true(
            far <= epsilon + 1e-6,
            what=f"{about}: the largest change of a pixel, {far:.3f}, is no larger than epsilon",
            hint="The ball is around x, as it was written, not around the start or the last step. "
            "See 'Many small steps'.",
        )
        assert_close(
            got,
            wanted,
            what=about,
            hint="In each step: the gradient at the point that was reached (not at x), a step of "
            "step_size, the projection, the clipping. A step after the last projection leaves the ball. "
            "See 'Many small steps'.",
        )
        assert_equal(
            trained,
            False,
            what="Whether the model was asked in training mode",
            hint="input_gradient asks it in evaluation mode.",
        )
        assert_equal(mode, training, what="The mode of the model afterwards, True for training")


def drawn(random_start, fill, epsilon, seed, dtype):
    x = torch.full((40, 1, 10, 10), fill, dtype=dtype)
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(99)
    first = call(
        random_start, {"x": x, "epsilon": epsilon, "generator": generator}, changes=["generator"]
    )
    second = call(
        random_start, {"x": x, "epsilon": epsilon, "generator": generator}, changes=["generator"]
    )
    torch.manual_seed(100)
    generator = torch.Generator().manual_seed(seed)
    again = call(
        random_start, {"x": x, "epsilon": epsilon, "generator": generator}, changes=["generator"]
    )
    return first, torch.equal(first, again), torch.equal(first, second), first.dtype == dtype


for fill, epsilon, seed, dtype in ((0.5, 0.25, 0, torch.float32), (0.5, 0.01, 3, torch.float64)):
    first, same, stuck, kept = probe(drawn, random_start, fill, epsilon, seed, dtype)
    change = ((first - fill) / epsilon).double().numpy().ravel()
    assert_true(
        np.abs(change).max() <= 1 + 1e-4,
        what=f"The largest random change, {np.abs(change).max():.2f} epsilon, is no larger than epsilon",
        hint="Draw between -epsilon and epsilon. See 'What the attacker may do'.",
    )
    shares = np.array([np.mean(change < edge) for edge in (-0.5, 0.0, 0.5)])
    assert_true(
        np.abs(shares - [0.25, 0.5, 0.75]).max() < 0.05,
        what="The shares of random changes below -epsilon / 2, 0 and epsilon / 2, which are "
        f"{shares[0]:.2f}, {shares[1]:.2f} and {shares[2]:.2f}, are close to 1/4, 1/2 and 3/4",
        hint="Evenly between -epsilon and epsilon: 2 * torch.rand(...) - 1 is even between -1 and 1. "
        "torch.rand alone is never negative.",
    )
    assert_true(
        len(np.unique(change.round(5))) > 1000,
        what="Each pixel of each image has a change of its own",
        hint="Draw as many numbers as x has.",
    )
    assert_equal(same, True, what="Whether a generator with the same seed gives the same start")
    assert_equal(
        stuck,
        False,
        what="Whether the same generator, used twice, gives the same start twice",
        hint="Draw from the generator that is given: it moves on by itself.",
    )
    assert_equal(kept, True, what=f"Whether the start of images in {dtype} has their type")
first, *_ = probe(drawn, random_start, 0.95, 0.2, 1, torch.float32)
assert_true(
    bool(first.max() <= 1) and bool(first.min() < 0.8),
    what=f"Random starts around 0.95 with epsilon 0.2 lie between 0.75 and 1 (they reach from "
    f"{first.min():.2f} to {first.max():.2f})",
    hint="Clip to pixels after adding. See 'Many small steps'.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. A count that cannot flatter
#
# Several attacks have changed the same images. A sample counts as right only if it is read correctly *as it
# was written and after every attack*: an attacker needs to win only once. The share is of *all* samples,
# including those that the network never read correctly. And an attack that left the ball, or the range of
# pixels, by more than $10^{-5}$ proves nothing: in that case raise a `ValueError`.


# %% nbgrader={"grade": false, "grade_id": "robust_accuracy", "locked": false, "schema_version": 3, "solution": true, "task": false}
def robust_accuracy(model, x, y, attacked, epsilon):
    """Compute the share of samples that withstand all attacks.

    Parameters
    ----------
    model : nn.Module
        Asked in evaluation mode, left as it came.
    x : Tensor, shape (n, ...)
        Images.
    y : Tensor of int64, shape (n,)
        Their classes.
    attacked : list of Tensor, each in the shape of x
        What each attack made of x; may be empty.
    epsilon : float
        The largest change of a pixel that was allowed.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If an attacked pixel is more than 1e-5 outside of 0 to 1, or further than epsilon + 1e-5
        from where it was.

    Example
    -------
    >>> x = torch.tensor([[0.6, 0.4], [0.7, 0.5], [0.5, 0.6]])
    >>> y = torch.tensor([0, 0, 0])  # the logits are the two pixels: the last is wrong as it is
    >>> attacked = [torch.tensor([[0.5, 0.5001], [0.7, 0.5], [0.5, 0.5]])]
    >>> round(robust_accuracy(nn.Identity(), x, y, attacked, 0.15), 4)
    0.3333
    """
    ### BEGIN SOLUTION
    for images in attacked:
        if images.min() < -1e-5 or images.max() > 1 + 1e-5:
            raise ValueError("An attack made pixels outside of 0 to 1.")
        far = (images - x).abs().max()
        if far > epsilon + 1e-5:
            raise ValueError(f"An attack changed a pixel by {far:.4f}, and {epsilon} was allowed.")
    modes = {module: module.training for module in model.modules()}
    model.eval()
    with torch.no_grad():
        right = torch.stack([model(images).argmax(dim=1) == y for images in (x, *attacked)])
    for module, mode in modes.items():
        module.training = mode
    return right.all(dim=0).double().mean().item()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-robust_accuracy", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch
from torch import nn

from course_lib.exercises import assert_close, call, check_raises, probe


def counted(robust_accuracy, attacks):
    x = torch.tensor([[0.6, 0.4], [0.7, 0.5], [0.5, 0.6], [0.3, 0.5]])
    first = torch.tensor([[0.5, 0.55], [0.7, 0.5], [0.6, 0.5], [0.3, 0.5]])
    second = torch.tensor([[0.6, 0.4], [0.55, 0.6], [0.5, 0.6], [0.35, 0.5]])
    args = {"model": nn.Identity(), "x": x, "y": torch.tensor([0, 0, 0, 1])}
    return call(robust_accuracy, {**args, "attacked": [first, second][:attacks], "epsilon": 0.16})


for attacks, wanted in ((0, 0.75), (1, 0.5), (2, 0.25)):
    assert_close(
        probe(counted, robust_accuracy, attacks),
        wanted,
        what=f"Robust accuracy after {attacks} attack(s) on four samples, of which three are read right",
        hint="The first attack fools sample 0, the second sample 1. Sample 2 was wrong as written, and it "
        "stays wrong when an attack happens to mend it. See 'Many small steps'.",
    )

x = torch.full((1, 2), 0.5)
args = {
    "model": nn.Identity(),
    "x": x,
    "y": torch.tensor([0]),
    "attacked": [x + 0.2],
    "epsilon": 0.1,
}
check_raises(
    ValueError,
    robust_accuracy,
    args,
    hint="This attack moved pixels by 0.2 where 0.1 was allowed: it proves nothing.",
)

# %% nbgrader={"grade": true, "grade_id": "test-robust_accuracy-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: many samples, several attacks, modes, attacks that leave the ball or the range of pixels.
### BEGIN HIDDEN TESTS
import torch
from torch import nn

from course_lib.exercises import assert_close, assert_equal, call, check_raises, probe


class Reads(nn.Module):
    """Answers by the first pixels; in training mode, at random."""

    def __init__(self):
        super().__init__()
        self.inner, self.frozen = nn.Dropout(0.5), nn.Dropout(0.5)
        self.recorded = []

    def forward(self, x):
        self.recorded.append((self.training or self.inner.training, torch.is_grad_enabled()))
        logits = x.flatten(1)[:, :4]
        return logits if not self.training else logits.flip(1)


def measured(robust_accuracy, n, attacks, training):
    rows = torch.Generator().manual_seed(n)
    x = 0.1 + 0.8 * torch.rand(n, 1, 2, 3, generator=rows)
    y = x.flatten(1)[:, :4].argmax(dim=1)
    y[::5] = (y[::5] + 1) % 4  # a fifth is read wrong, and right after each attack
    for i in range(0, n, 5):
        x[i].view(-1)[y[i]] = x[i].view(-1)[:4].max() - 0.04
    attacked = [x + 0.099 * (2 * torch.rand(x.shape, generator=rows) - 1) for _ in range(attacks)]
    for images in attacked:
        images[::5] = x[::5]
        images[torch.arange(0, n, 5), 0, y[::5] // 3, y[::5] % 3] += 0.099
    right = [True] * n
    for images in (x, *attacked):
        for i, image in enumerate(images):
            right[i] &= int(image.flatten()[:4].argmax()) == int(y[i])
    model = Reads().train(training)
    model.frozen.eval()
    args = {"model": model, "x": x, "y": y, "attacked": attacked, "epsilon": 0.1}
    got = call(robust_accuracy, args, changes=["model"])
    modes = [model.training, model.inner.training, model.frozen.training]
    return float(got), sum(right) / n, model.recorded, modes, isinstance(got, float)


for n, attacks, training in ((20, 1, False), (57, 3, True), (200, 2, True), (1, 0, False)):
    got, wanted, recorded, modes, plain = probe(measured, robust_accuracy, n, attacks, training)
    assert_close(
        got,
        wanted,
        what=f"Robust accuracy of {n} sample(s) after {attacks} attack(s)",
        hint="Count a sample only if all its versions are read right, and divide by the number of all "
        "samples. The mean over attacks, or the worst single attack, flatters: different attacks fool "
        "different samples. See 'Many small steps'.",
    )
    assert_equal(plain, True, what="Whether robust_accuracy returns a Python float")
    assert_equal(
        [mode for mode, _ in recorded if mode],
        [],
        what="Calls of the model in training mode",
        hint="Measure in evaluation mode: model.eval() first.",
    )
    assert_equal(
        modes,
        [training, training, False],
        what="The modes of the model, of a part of it, and of a part that was frozen, afterwards",
        hint="Put each module back into the mode in which it came.",
    )

fine = torch.full((3, 1, 2, 2), 0.5)
args = {"model": nn.Flatten(), "x": fine, "y": torch.tensor([0, 0, 0]), "epsilon": 0.1}
far, negative, bright = fine.clone(), torch.full((3, 1, 2, 2), 0.02), torch.full((3, 1, 2, 2), 0.98)
far[1, 0, 1, 0] -= 0.11
check_raises(
    ValueError,
    robust_accuracy,
    {**args, "attacked": [fine, far]},
    hint="One pixel of one image moved by 0.11 where 0.1 was allowed, downward, in the second attack.",
)
for base, step in ((negative, -0.05), (bright, 0.05)):
    check_raises(
        ValueError,
        robust_accuracy,
        {**args, "x": base, "attacked": [base + step]},
        hint="A pixel below 0 or above 1 is no pixel, even inside of the ball.",
    )
edge = [fine + 0.1 + 4e-6, (fine - 0.1)]
assert_close(
    float(call(robust_accuracy, {**args, "attacked": edge})),
    1.0,
    what="Robust accuracy where attacks moved each pixel by epsilon, and 0.000004 for rounding",
    hint="Leave room for rounding: only what is off by more than 1e-5 is refused.",
)
whole = torch.stack([torch.zeros(4), torch.ones(4)]).reshape(2, 1, 2, 2)
assert_close(
    float(
        call(robust_accuracy, {**args, "x": whole, "y": torch.tensor([0, 0]), "attacked": [whole]})
    ),
    1.0,
    what="Robust accuracy of images with pixels of exactly 0 and 1",
    hint="0 and 1 are pixels.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. Three signs of a mask
#
# An attack with gradients (`white`) failed. Is the network robust, or is its gradient hidden? You are also
# given an attack that needs no gradient of the model (`black`). Collect the signs:
#
# - `"flat"`: the share of samples whose gradient is 0 in *every* pixel;
# - `"gap"`: the robust accuracy under `white` alone minus that under `black` alone, at `epsilon`. Above 0,
#   the black box is stronger;
# - `"unbounded"`: the robust accuracy under `white` with an $\epsilon$ of 1, which allows every image;
# - `"masked"`: True if `flat` is above 0.5, or `gap` above 0.05, or `unbounded` above 0.05.


# %% nbgrader={"grade": false, "grade_id": "masking_signs", "locked": false, "schema_version": 3, "solution": true, "task": false}
def masking_signs(model, x, y, epsilon, white, black):
    """Collect the signs by which a masked gradient is recognized.

    Parameters
    ----------
    model : nn.Module
        Left as it came.
    x : Tensor, shape (n, ...)
        Images, pixels from 0 to 1.
    y : Tensor of int64, shape (n,)
    epsilon : float
    white, black : callable
        ``attack(model, x, y, epsilon)`` returns attacked images. Call each attack once for each
        epsilon that it is needed for.

    Returns
    -------
    dict
        ``flat``, ``gap`` and ``unbounded`` (float), and ``masked`` (bool).

    Example
    -------
    >>> x, y = torch.tensor([[0.6, 0.4], [0.4, 0.6]]), torch.tensor([0, 1])
    >>> asleep = lambda model, x, y, epsilon: x
    >>> swaps = lambda model, x, y, epsilon: x.flip(1)
    >>> signs = masking_signs(nn.Identity(), x, y, 0.2, white=asleep, black=swaps)
    >>> signs["flat"], signs["gap"], signs["unbounded"], signs["masked"]
    (0.0, 1.0, 1.0, True)
    """
    ### BEGIN SOLUTION
    flat = (input_gradient(model, x, y).flatten(1) == 0).all(dim=1).double().mean().item()
    left = [
        robust_accuracy(model, x, y, [attack(model, x, y, size)], size)
        for attack, size in ((white, epsilon), (black, epsilon), (white, 1.0))
    ]
    gap, unbounded = left[0] - left[1], left[2]
    masked = flat > 0.5 or gap > 0.05 or unbounded > 0.05
    return {"flat": flat, "gap": gap, "unbounded": unbounded, "masked": masked}
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-masking_signs", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch
from torch import nn

from course_lib.exercises import assert_close, assert_equal, call, given, probe


def right_gradient(model, x, y):
    leaf = x.detach().clone().requires_grad_()
    return torch.autograd.grad(nn.functional.cross_entropy(model(leaf), y, reduction="sum"), leaf)[
        0
    ]


def right_count(model, x, y, attacked, epsilon):
    right = torch.stack([model(images).argmax(dim=1) == y for images in (x, *attacked)])
    return right.all(dim=0).double().mean().item()


def asleep(model, x, y, epsilon):
    return x


def swaps_half(model, x, y, epsilon):
    return torch.cat([x[:2].flip(1), x[2:]])


def searched(masking_signs):
    x = torch.tensor([[0.6, 0.4], [0.4, 0.6], [0.55, 0.45], [0.6, 0.5]])
    args = {"model": nn.Identity(), "x": x, "y": torch.tensor([0, 1, 0, 0]), "epsilon": 0.2}
    return call(masking_signs, {**args, "white": asleep, "black": swaps_half})


with given(input_gradient=right_gradient, robust_accuracy=right_count):
    signs = probe(searched, masking_signs)
assert_close(
    [signs["flat"], signs["gap"], signs["unbounded"]],
    [0.0, 0.5, 1.0],
    what="flat, gap and unbounded where `white` does nothing and `black` fools half of the samples",
    hint="flat: no gradient is 0 here. gap: 1 under white minus 1/2 under black. unbounded: white at "
    "epsilon 1 fools nobody either. See 'Two defenses that cost nothing'.",
)
assert_equal(bool(signs["masked"]), True, what="masked, for the same network")

# %% nbgrader={"grade": true, "grade_id": "test-masking_signs-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: each sign alone, gradients that are 0 in part, honest networks, which attack is called how.
### BEGIN HIDDEN TESTS
import torch
from torch import nn

from course_lib.exercises import assert_close, assert_equal, call, given, probe


def right_gradient(model, x, y):
    leaf = x.detach().clone().requires_grad_()
    return torch.autograd.grad(nn.functional.cross_entropy(model(leaf), y, reduction="sum"), leaf)[
        0
    ]


def right_count(model, x, y, attacked, epsilon):
    for images in attacked:
        if (images - x).abs().max() > epsilon + 1e-5:
            raise ValueError(f"A pixel moved by more than {epsilon}.")
    right = torch.stack([model(images).argmax(dim=1) == y for images in (x, *attacked)])
    return right.all(dim=0).double().mean().item()


class Steps(nn.Module):
    """The first two pixels as logits; for images that are bright in the third, without a slope."""

    def forward(self, x):
        x = x.flatten(1)
        flat = (x[:, 2] > 0.5)[:, None]
        return torch.where(flat, x[:, :2].detach() + 0 * x[:, :2], x[:, :2])


def examined(masking_signs, flat, near, far, other, n=20):
    """flat of n samples have no slope; white leaves `near` and, unbounded, `far`; black `other`."""
    y = torch.arange(n) % 2
    x = torch.full((n, 1, 2, 2), 0.25)
    x[torch.arange(n), 0, 0, y] = 0.5
    x.view(n, -1)[:flat, 2] = 0.75
    asked = []

    def fooling(left):
        def attack(x, y, epsilon):
            moved = x.clone()
            flip = moved[left:, :, 0].flip(2)
            step = (flip - moved[left:, :, 0]).clamp(-epsilon, epsilon)
            moved[left:, :, 0] += step
            return moved

        return attack

    def white(model, x, y, epsilon):
        asked.append(("white", round(float(epsilon), 6)))
        moved = fooling(far if epsilon == 1 else near)(x, y, epsilon)
        if epsilon == 1:
            moved[:, 0, 1, 1] = 1.0  # far outside of the small ball
        return moved

    def black(model, x, y, epsilon):
        asked.append(("black", round(float(epsilon), 6)))
        return fooling(other)(x, y, epsilon)

    args = {"model": Steps(), "x": x, "y": y, "epsilon": 0.3, "white": white, "black": black}
    signs = call(masking_signs, args, changes=["model", "white", "black"])
    masked = bool(signs["masked"])
    return {**signs, "masked": masked}, sorted(asked), list(signs)


cases = (
    ((0, 10, 0, 12), False, "an honest network"),
    (
        (0, 20, 0, 20),
        False,
        "a network that nobody fools within epsilon, and everybody without bounds",
    ),
    ((8, 5, 1, 5), False, "a network with a few flat gradients"),
    ((12, 5, 0, 8), True, "a network whose gradient is 0 for most samples"),
    ((0, 16, 0, 10), True, "a network that the black box fools more often"),
    ((0, 10, 4, 12), True, "a network that survives an attack without bounds"),
    ((0, 10, 0, 10), False, "a network that both attacks fool as often"),
)
with given(input_gradient=right_gradient, robust_accuracy=right_count):
    for (flat, near, far, other), masked, name in cases:
        signs, asked, keys = probe(examined, masking_signs, flat, near, far, other)
        assert_equal(
            sorted(keys), ["flat", "gap", "masked", "unbounded"], what="The keys of the result"
        )
        assert_close(
            [signs["flat"], signs["gap"], signs["unbounded"]],
            [flat / 20, (near - other) / 20, far / 20],
            what=f"flat, gap and unbounded for {name}",
            hint="flat: a sample counts if all of its pixels have slope 0 (some pixels always may). gap: "
            "white minus black, each alone, both at epsilon. unbounded: white at 1. "
            "See 'Two defenses that cost nothing'.",
        )
        assert_equal(
            signs["masked"],
            masked,
            what=f"masked, for {name}",
            hint="One sign is enough. A gap below 0 is no sign: there the white box is stronger, as it "
            "should be. See 'Two defenses that cost nothing'.",
        )
        assert_equal(
            asked,
            [("black", 0.3), ("white", 0.3), ("white", 1.0)],
            what="Which attack was called with which epsilon",
            hint="Each once: white and black at epsilon, white at 1.",
        )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 7. Behind the mask
#
# Some layers have a slope of 0 wherever they have one, and yet change their input little: rounding, for
# instance. Going forward, `straight_through` computes `function(x)`. Going backward, it pretends that nothing
# was done: the gradient passes to `x` unchanged, whatever the slope of `function` is.


# %% nbgrader={"grade": false, "grade_id": "straight_through", "locked": false, "schema_version": 3, "solution": true, "task": false}
def straight_through(function, x):
    """Apply a function going forward, and the identity going backward.

    Parameters
    ----------
    function : callable
        Tensor to tensor of the same shape.
    x : Tensor
        Left as it is.

    Returns
    -------
    Tensor
        The values of ``function(x)``, with a gradient in `x` as if it were `x`.

    Example
    -------
    >>> x = torch.tensor([0.2, 1.7], requires_grad=True)
    >>> z = straight_through(torch.round, x)
    >>> (z * torch.tensor([3.0, 5.0])).sum().backward()
    >>> z.detach(), x.grad
    (tensor([0., 2.]), tensor([3., 5.]))
    """
    ### BEGIN SOLUTION
    return x + (function(x) - x).detach()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-straight_through", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch

from course_lib.exercises import assert_close, probe


def through(straight_through):
    x = torch.tensor([0.25, 1.75, -0.75], requires_grad=True)
    z = straight_through(torch.round, x)
    if z.requires_grad:
        (z * torch.tensor([3.0, 5.0, -2.0])).sum().backward()
    return z.detach(), torch.zeros(3) if x.grad is None else x.grad


values, slopes = probe(through, straight_through)
assert_close(
    values,
    torch.tensor([0.0, 2.0, -1.0]),
    what="straight_through(torch.round, (0.25, 1.75, -0.75)), going forward",
    hint="Going forward it is function(x). See 'Two defenses that cost nothing'.",
)
assert_close(
    slopes,
    torch.tensor([3.0, 5.0, -2.0]),
    what="The slopes that arrive at x, where (3, 5, -2) arrive at the result",
    hint="They pass unchanged. Zeros: autograd went through the rounding; detach what it must not see. "
    "See 'Two defenses that cost nothing'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-straight_through-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: functions with a slope of their own, images, layers behind, no gradient wanted.
### BEGIN HIDDEN TESTS
import torch

from course_lib.exercises import assert_close, call, probe


def steep(x):
    return 3 * x**2 + 1


def eighths(x):
    return torch.round(8 * x) / 8


def through_layers(straight_through, function):
    x = torch.rand(2, 1, 3, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    leaf = x.clone().requires_grad_()
    z = straight_through(function, leaf)
    if z.requires_grad:
        (z**2).sum().backward()
    arrived = torch.zeros_like(x) if leaf.grad is None else leaf.grad
    plain = call(straight_through, {"function": function, "x": x})
    return z.detach(), arrived, function(x), plain.detach()


for name, function in (
    ("3 x^2 + 1", steep),
    ("rounding to eighths", eighths),
    ("tanh", torch.tanh),
):
    values, slopes, wanted, plain = probe(through_layers, straight_through, function)
    assert_close(
        values,
        wanted,
        what=f"straight_through with {name}, going forward",
        hint="Going forward it is function(x). See 'Two defenses that cost nothing'.",
    )
    assert_close(
        slopes,
        2 * wanted,
        what=f"The slopes of the sum of squares behind {name}, as they arrive at x",
        hint="2 z arrives at the result z, and passes to x unchanged: the function's own slope is to "
        "play no part, and no second part of the graph may add to it. "
        "See 'Two defenses that cost nothing'.",
    )
    assert_close(plain, wanted, what=f"straight_through with {name} for an x without a gradient")
### END HIDDEN TESTS

# %% [markdown]
# ## Step 8. Three offers
#
# The bank has three offers, all of them for digits of 8 by 8 pixels and $\epsilon = 0.15$. Offer 1 was
# trained on noisy images, offer 2 on images that *your* `pgd` attacks at each step, and offer 3 cleans its
# images before it reads them. You run your survey on 150 digits that none of them has trained on. It takes
# about five seconds.

# %% nbgrader={"grade": false, "grade_id": "finale", "locked": true, "schema_version": 3, "solution": false, "task": false}
from course_lib.attacks.square import square_attack
from course_lib.plotting import adversarial as figures


class Cleans(nn.Module):
    """Rounds pixels to quarters, so that small changes vanish, and then asks a network."""

    def __init__(self, network, rounding):
        super().__init__()
        self.network, self.rounding = network, rounding

    def forward(self, x):
        return self.network(self.rounding(x))


def quarters(x):
    return torch.round(4 * x) / 4


def trained(change, seed=0, epochs=15):
    """Train a network on images that `change(model, x, y)` has changed."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 10)).to(device)
    adam = torch.optim.Adam(model.parameters(), lr=0.005)
    rows = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        for batch in torch.randperm(len(learn[0]), generator=rows).split(64):
            x, y = learn[0][batch], learn[1][batch]
            adam.zero_grad()
            nn.functional.cross_entropy(model(change(model, x, y)), y).backward()
            adam.step()
    return model


def ten_steps(model, x, y, epsilon):
    start = random_start(x, epsilon, torch.Generator().manual_seed(1))
    return pgd(model, x, y, epsilon, epsilon / 4, 10, start)


def search(model, x, y, epsilon):
    images = square_attack(
        lambda z: model(z.flatten(1)), x.reshape(-1, 1, 8, 8), y, epsilon, queries=150
    )
    return images.flatten(1)


parts = splits.split(*digits.load(), seed=0)
learn, judge = (
    (torch.tensor(part.X[:n], dtype=torch.float32).to(device), torch.tensor(part.y[:n]).to(device))
    for part, n in ((parts.train, 1079), (parts.validation, 150))
)
noise = torch.Generator().manual_seed(2)
x, y = judge
epsilon = 0.15
offers = {
    "offer 1": trained(lambda model, x, y: random_start(x, epsilon, noise)),
    "offer 2": trained(
        lambda model, x, y: pgd(model, x, y, epsilon, 0.1, 3, random_start(x, epsilon, noise))
    ),
}
network = trained(lambda model, x, y: x)
offers["offer 3"] = Cleans(network, quarters)

table = {}
for name, model in offers.items():
    table[name] = {
        label: robust_accuracy(
            model, x, y, [] if attack is None else [attack(model, x, y, epsilon)], epsilon
        )
        for label, attack in (
            ("no attack", None),
            ("FGSM", fgsm),
            ("PGD", ten_steps),
            ("square", search),
        )
    }
    signs = masking_signs(model, x, y, epsilon, ten_steps, search)
    print(
        f"{name}: gradient 0 for {signs['flat']:.0%}, gap {signs['gap']:+.2f}, "
        f"right without bounds {signs['unbounded']:.0%}: {'masked' if signs['masked'] else 'not masked'}"
    )
behind = Cleans(network, lambda z: straight_through(quarters, z))
images = ten_steps(behind, x, y, epsilon)
broken = robust_accuracy(offers["offer 3"], x, y, [images], epsilon)
print(f"offer 3 under PGD: {table['offer 3']['PGD']:.0%}; under PGD behind its mask: {broken:.0%}")
figures.checks(table, suspects=["offer 3"])

# %% [markdown]
# **What you see.** Judged by FGSM and PGD, offer 3 is the best by far, but the search without gradients
# breaks it. All three signs are there. With the gradient passed straight through the rounding, PGD breaks it,
# too. Offer 1 is honest, but hardly robust: it withstands noise, which no attacker uses. Offer 2 was trained
# against the attack that you wrote. It is right less often on clean digits, but is the only one to keep a
# good part of them under every attack here.
#
# ## Step 9. What you tell the bank
#
# *4 points, read by a person. About 120 words.*
#
# The vendor of offer 3 replies: "Our network keeps more than nine in ten answers under attack. We attacked it with FGSM and PGD, up
# to 1,000 steps and 50 restarts, and PGD is known to be the strongest attack there is."
#
# 1. Why do more steps and restarts not answer your objection? Which two of your measurements do?
# 2. The vendor now adds random noise to each image before reading it, and reports that your straight-through
#    attack is weaker. Name one thing that you would change in the attack, and say why.
# 3. Checks are scanned from paper, by the bank's own machine. Describe a threat model that fits, in one or
#    two sentences, and say which part of it $\epsilon = 0.15$ per pixel does not describe well.

# %% [markdown] nbgrader={"grade": true, "grade_id": "the-bank", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# 1. A step along a gradient of 0 goes nowhere, however often it is repeated and wherever it starts. The
#    share of gradients that are 0 says so directly; the search without gradients is stronger than PGD; and
#    with an epsilon of 1, where any image may be turned into any other, PGD still fails.
# 2. Take the mean gradient over many draws of the noise in each step: one draw is a noisy direction, and
#    the answer that counts is the one on average. And count over several draws.
# 3. The attacker writes on paper, wants a larger amount to be read, and may try as often as checks are
#    accepted, without seeing the network. Pen strokes change few pixels by much, and what is printed passes
#    through a scanner: a bound on each pixel describes neither.
#
# === BEGIN MARK SCHEME ===
# 1. **Two points.** One for the reason (zero or useless gradient: steps and restarts do not help). One for
#    two of: flat gradients, black box stronger than white box, failure without bounds, the
#    straight-through result. Half for one of them.
# 2. **One point** for averaging gradients over draws (expectation over transformation), or for fixing the
#    noise and attacking many draws at once, or for a black-box or transfer attack with repeated queries,
#    with the reason. Half without the reason.
# 3. **One point** for who, what they know, and what they may change, with the remark that a few pixels by
#    much (pen strokes, printing and scanning) are not described by a small bound on each pixel. Half if one
#    of the two is missing.
# === END MARK SCHEME ===
