# ---
# jupyter:
#   course:
#     answers_in:
#     - course_lib.models.checkpoints
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
# # Transfer learning: standing on a trained network
#
# - **Time:** 100 minutes. **Difficulty:** 3 of 5. **Points:** 35, of which a person gives 4.
# - **Needs:** the chapter *Transfer learning*, PyTorch's modules, optimizers and state dicts.
#
# A workshop reads part numbers from careless photographs. A network for the digits 0 to 4 exists, and now 5
# to 9 are needed, with a handful of labels each. You will freeze a body so that nothing in it moves, swap the
# head, give each layer a rate of its own, load a file that fits only in part, and answer by the nearest class
# mean. At the end you see what all of this is worth: accuracy against the number of labels, from your own
# code.
#
# **What is special here**
#
# - A model may be on a graphics card, and its numbers may be float32 or float64. Make tensors where they are
#   needed: `w.new_zeros(...)`, `layer.to(w)`.
# - The layers of a network are its children, in the order in which the inputs pass through them:
#   `model.named_children()`. The last child is called `head`.
#
# `course_lib.models.checkpoints` holds an answer to this exercise: leave it closed. What holds in every
# exercise (how to check, what the tests look at, what counts) is on the page *How exercises work* in the
# appendix.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import copy
from collections import OrderedDict

import numpy as np
import torch
from torch import nn

from course_lib import get_device
from course_lib.data import digits, splits

device = get_device()

# %% [markdown]
# ## Step 1. What moves?
#
# Before you train, look at what will move. Count the parameters of each child of a network: how many numbers
# need a gradient, and how many there are. Two layers may share a parameter (the same tensor under two names).
# It is one parameter, and counts toward the child in which it occurs first.


# %% nbgrader={"grade": false, "grade_id": "count_parameters", "locked": false, "schema_version": 3, "solution": true, "task": false}
def count_parameters(model):
    """Count the parameters of each child of a network.

    Parameters
    ----------
    model : nn.Module
        All of its parameters belong to its children, which may have children of their own.

    Returns
    -------
    dict of str to (int, int)
        For the name of each child, in order: how many numbers need a gradient, and how many there are.

    Example
    -------
    >>> model = nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1))
    >>> _ = model[0].requires_grad_(False)
    >>> count_parameters(model)
    {'0': (0, 8), '1': (0, 0), '2': (3, 3)}
    """
    ### BEGIN SOLUTION
    seen, table = set(), {}
    for name, child in model.named_children():
        own = [w for w in child.parameters() if id(w) not in seen]
        seen.update(map(id, own))
        moving = sum(w.numel() for w in own if w.requires_grad)
        table[name] = (moving, sum(w.numel() for w in own))
    return table
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-count_parameters", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch
from torch import nn

from course_lib.exercises import assert_equal, call, probe


def counted(count_parameters):
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    model[2].bias.requires_grad_(False)
    return call(count_parameters, {"model": model})


assert_equal(
    probe(counted, count_parameters),
    {"0": (15, 15), "1": (0, 0), "2": (6, 8)},
    what="The parameters of Linear(4, 3), ReLU, Linear(3, 2) whose last bias is frozen",
    hint="numel() counts the numbers of a tensor, requires_grad says whether it moves. See 'Head and body'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-count_parameters-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: children with children, buffers, frozen parts, parameters that are shared.
### BEGIN HIDDEN TESTS
import torch
from torch import nn

from course_lib.exercises import assert_equal, call, probe


def counted(count_parameters, kind):
    block = nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4), nn.ReLU())
    model = nn.Sequential()
    model.add_module("first", block)
    model.add_module("second", nn.Sequential(nn.Linear(4, 4), nn.Sequential(nn.Linear(4, 4))))
    model.add_module("head", nn.Linear(4, 5, bias=False))
    if kind == "frozen":
        model.first.requires_grad_(False)
        model.second[1].requires_grad_(False)
    elif kind == "shared between children":
        model.head.weight = nn.Parameter(torch.zeros(4, 4))
        model.second[0].weight = model.head.weight
    elif kind == "shared within a child":
        model.second[1][0].weight = model.second[0].weight
    elif kind == "shared and frozen":
        model.second[0].bias = model.first[1].bias
        model.first[1].bias.requires_grad_(False)
    return call(count_parameters, {"model": model})


for kind, wanted, hint in (
    ("plain", [(32, 32), (40, 40), (20, 20)], "Children of children count with their child. The "
     "running statistics of batch normalization are buffers and no parameters."),
    ("frozen", [(0, 32), (20, 40), (20, 20)], "Each parameter has its own requires_grad."),
    ("shared between children", [(32, 32), (40, 40), (0, 0)], "The head's only weight is one that the "
     "child before it has, too: it is one parameter, and counts there."),
    ("shared within a child", [(32, 32), (24, 24), (20, 20)], "Two layers of a child share a weight: "
     "parameters() names it once, a state dict twice."),
    ("shared and frozen", [(28, 32), (36, 36), (20, 20)], "A bias of the second child is one of the "
     "first, and frozen."),
):  # fmt: skip
    assert_equal(
        probe(counted, count_parameters, kind),
        dict(zip(("first", "second", "head"), wanted, strict=True)),
        what=f"The parameters of each child of a network ({kind})",
        hint=f"{hint} See 'Head and body'.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. Frozen, and it stays so
#
# A training loop calls `model.train()`, which wakes the batch normalization and the dropout of a frozen body.
# Write a module around a body in which nothing moves:
#
# - no parameter of the body needs a gradient;
# - the body, and each module in it, is in evaluation mode from the start, and stays there when the module or
#   a network around it is put into another mode (`nn.Module.train` and `eval` call the `train` method of each
#   child);
# - gradients still pass through it, to whatever comes before.


# %% nbgrader={"grade": false, "grade_id": "Frozen", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Frozen(nn.Module):
    """A body in which nothing moves.

    Parameters
    ----------
    body : nn.Module
        Kept itself, and not a copy, as the attribute `body`.

    Example
    -------
    >>> around = nn.Sequential(Frozen(nn.Dropout(0.5)), nn.Linear(2, 1))
    >>> _ = around.train()
    >>> around[0](torch.ones(1, 2)).tolist(), around[0].body.training, around[1].training
    ([[1.0, 1.0]], False, True)
    """

    def __init__(self, body):
        ### BEGIN SOLUTION
        super().__init__()
        self.body = body.requires_grad_(False)
        self.train()
        ### END SOLUTION

    def forward(self, inputs):
        """Return what the body answers in evaluation mode."""
        ### BEGIN SOLUTION
        return self.body(inputs)
        ### END SOLUTION

    def train(self, mode=True):
        """Return this module, as `nn.Module.train` does, with its body still in evaluation mode."""
        ### BEGIN SOLUTION
        super().train(mode)
        self.body.eval()
        return self
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-Frozen", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch
from torch import nn

from course_lib.exercises import assert_close, assert_equal, call, probe


def in_training(Frozen):
    frozen = call(Frozen, {"body": nn.BatchNorm1d(2)}, changes=["body"])
    around = nn.Sequential(frozen, nn.Linear(2, 1)).train()
    out = around[0](torch.tensor([[1.0, 2.0], [3.0, 6.0]]))
    return out.detach(), [w.requires_grad for w in frozen.parameters()], frozen.body.running_mean


out, needs, mean = probe(in_training, Frozen)
assert_close(
    mean,
    [0.0, 0.0],
    what="The running mean of a frozen batch normalization after two samples in a network in training mode",
    hint="train() of the network around calls train() of your module: let yours put the body into "
    "evaluation mode whatever `mode` is. See 'Frozen, and yet it moves'.",
)
assert_equal(
    needs,
    [False, False],
    what="Whether the parameters in the body need a gradient",
    hint="body.requires_grad_(False). See 'Head and body'.",
)
assert_close(
    out,
    [[1.0, 2.0], [3.0, 6.0]],
    rtol=1e-4,
    what="What a fresh batch normalization, frozen, makes of two samples",
    hint="In evaluation mode its mean is 0 and its variance 1. See 'Frozen, and yet it moves'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-Frozen-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: steps of an optimizer, every mode, modules in modules, gradients to what comes before, two at once.
### BEGIN HIDDEN TESTS
import copy

import torch
from torch import nn

from course_lib import get_device
from course_lib.exercises import assert_close, assert_equal, call, probe


def body_of(seed):
    torch.manual_seed(seed)
    inner = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4))
    return nn.Sequential(nn.Linear(3, 6), nn.BatchNorm1d(6), nn.Dropout(0.5), inner)


def trained_around(Frozen, switch):
    device = get_device()
    body = body_of(1).to(device)
    reference = copy.deepcopy(body).eval()
    x = torch.randn(16, 3, generator=torch.Generator().manual_seed(2)).to(device) * 2 + 1
    frozen = call(Frozen, {"body": body}, changes=["body"])
    modes = [module.training for module in body.modules()]
    below, above = nn.Linear(3, 3).to(device), nn.Linear(4, 1).to(device)
    model = nn.Sequential(below, frozen, above)
    weights = below.weight.detach().clone()
    optimizer = torch.optim.SGD([w for w in model.parameters() if w.requires_grad], lr=0.1)
    for _ in range(3):
        switch(model, frozen)
        optimizer.zero_grad()
        model(x).square().sum().backward()
        optimizer.step()
        modes += [module.training for module in body.modules()]
    same = all(
        torch.equal(a, b)
        for a, b in zip(reference.state_dict().values(), body.state_dict().values(), strict=True)
    )
    z = x.detach().clone().requires_grad_()
    returned = frozen.train(True) is frozen and frozen.eval() is frozen
    frozen(z).square().sum().backward()
    wanted = x.detach().clone().requires_grad_()
    reference(wanted).square().sum().backward()
    return {
        "kept": frozen.body is body,
        "modes": any(modes),
        "same": same,
        "below": not torch.equal(weights, below.weight),
        "around": [below.training, above.training],
        "returned": returned,
        "gradient": torch.zeros_like(x).cpu() if z.grad is None else z.grad.cpu(),
        "wanted": wanted.grad.cpu(),
        "out": frozen(x).detach().cpu(),
        "right": reference(x).detach().cpu(),
    }


for name, switch in (
    ("model.train()", lambda model, frozen: model.train()),
    ("model.eval(), then model.train()", lambda model, frozen: model.eval().train()),
    ("model.train(), then frozen.train(True)", lambda model, frozen: model.train()[1].train(True)),
):
    got = probe(trained_around, Frozen, switch)
    about = f" after three steps with {name} before each"
    assert_equal(
        got["kept"],
        True,
        what="Whether frozen.body is the body that was given",
        hint="Keep the body itself, and no copy of it.",
    )
    assert_equal(
        got["returned"],
        True,
        what="Whether train and eval of the frozen body return the module itself",
        hint="`return self` at the end of train, so that calls can be chained: model.train().to(device).",
    )
    assert_equal(
        got["modes"],
        False,
        what="Whether any module of the body was in training mode, from the start and" + about,
        hint="Evaluation mode from the start (in __init__), and after each call of train, whatever its "
        "argument. See 'Frozen, and yet it moves'.",
    )
    assert_equal(
        got["same"],
        True,
        what="Whether all weights and statistics of the body are as they were" + about,
        hint="Weights stay without a gradient, statistics in evaluation mode. "
        "See 'Frozen, and yet it moves'.",
    )
    assert_equal(
        got["around"],
        [True, True],
        what="Whether the layers around it are in training mode" + about,
        hint="Only the body stays in evaluation mode; your train must not stop those around it.",
    )
    assert_close(
        got["out"],
        got["right"],
        rtol=1e-4,
        atol=1e-5,
        what="What the frozen body answers" + about,
        hint="The same as the body in evaluation mode, without dropout. See 'Frozen, and yet it moves'.",
    )
    assert_close(
        got["gradient"],
        got["wanted"],
        rtol=1e-3,
        atol=1e-5,
        what="The gradient in the inputs of the frozen body",
        hint="Frozen weights need no gradient, but what comes before may: torch.no_grad() or detach() "
        "in forward would stop it.",
    )
    assert_equal(
        got["below"],
        True,
        what="Whether a trainable layer before the frozen body has moved" + about,
        hint="Gradients pass through frozen layers: torch.no_grad() in forward would stop them.",
    )


def two_at_once(Frozen):
    one, two = body_of(3).eval(), body_of(4).eval()
    x = torch.ones(2, 3)
    right = [one(x).detach().clone(), two(x).detach().clone()]
    first, second = Frozen(one), Frozen(two)
    second.train()
    first.eval()
    awake = [module.training for body in (one, two) for module in body.modules()]
    return [first(x).detach(), second(x).detach()], right, any(awake)


got, right, awake = probe(two_at_once, Frozen)
for came, wanted, which in zip(got, right, ("first", "second"), strict=True):
    assert_close(
        came,
        wanted,
        rtol=1e-4,
        atol=1e-6,
        what=f"What the {which} of two frozen bodies answers",
        hint="Each has a body of its own (self.body).",
    )
assert_equal(awake, False, what="Whether any module of two frozen bodies is in training mode")
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. A new head
#
# Copy a network and give the copy a new head for another number of classes: an `nn.Linear` as PyTorch makes
# it, created right after `torch.manual_seed(seed)`. It is on the device of the old head, holds numbers of the
# same type, and has a bias if the old one had. It can learn, even if the old one was frozen. Everything else
# is as in the original network, which stays as it is.


# %% nbgrader={"grade": false, "grade_id": "swap_head", "locked": false, "schema_version": 3, "solution": true, "task": false}
def swap_head(model, classes, seed):
    """Copy a network, with a new head.

    Parameters
    ----------
    model : nn.Module
        Its attribute `head` is an `nn.Linear`.
    classes : int
        How many outputs the new head has.
    seed : int
        Decides the numbers that it begins with.

    Returns
    -------
    nn.Module
        A copy that shares nothing with `model`.

    Example
    -------
    >>> model = nn.Sequential(OrderedDict(body=nn.Linear(4, 3), head=nn.Linear(3, 10)))
    >>> swap_head(model, classes=2, seed=0).head
    Linear(in_features=3, out_features=2, bias=True)
    """
    ### BEGIN SOLUTION
    model = copy.deepcopy(model)
    old = model.head
    torch.manual_seed(seed)
    model.head = nn.Linear(old.in_features, classes, bias=old.bias is not None).to(old.weight)
    return model
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-swap_head", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
from collections import OrderedDict

import torch
from torch import nn

from course_lib.exercises import assert_equal, call, probe


def swapped(swap_head):
    torch.manual_seed(0)
    model = nn.Sequential(OrderedDict(body=nn.Linear(4, 3), head=nn.Linear(3, 10)))
    new = call(swap_head, {"model": model, "classes": 2, "seed": 0})
    kept = torch.equal(new.body.weight, model.body.weight)
    return list(new.head.weight.shape), list(model.head.weight.shape), kept


assert_equal(
    probe(swapped, swap_head),
    ([2, 3], [10, 3], True),
    what="Shapes of the new and the old head's weight, and whether the body's weights were copied",
    hint="Copy first (copy.deepcopy), then replace the head of the copy by nn.Linear(in_features, "
    "classes). See 'Head and body'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-swap_head-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: types, devices, biases, frozen networks, modes, seeds, what is shared.
### BEGIN HIDDEN TESTS
from collections import OrderedDict

import torch
from torch import nn

from course_lib import get_device
from course_lib.exercises import assert_close, assert_equal, assert_true, call, probe


def swapped(swap_head, classes, seed, dtype, bias, frozen, training):
    torch.manual_seed(5)
    body = nn.Sequential(nn.Linear(6, 50), nn.BatchNorm1d(50), nn.ReLU())
    model = nn.Sequential(OrderedDict(body=body, head=nn.Linear(50, 4, bias=bias)))
    where = get_device() if dtype == "float32" else torch.device("cpu")
    model.to(where, getattr(torch, dtype)).train(training)
    model.body[0].requires_grad_(False)
    if frozen:
        model.requires_grad_(False)
    model.body[1].eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    needs = [w.requires_grad for w in model.body.parameters()]
    new = call(swap_head, {"model": model, "classes": classes, "seed": seed})
    again = call(swap_head, {"model": model, "classes": classes, "seed": seed})
    other = call(swap_head, {"model": model, "classes": classes, "seed": seed + 1})
    same = {
        "numbers of the network that came": all(
            torch.equal(value, before[name]) for name, value in model.state_dict().items()
        ),
        "numbers of the copy's body": all(
            torch.equal(value, before[f"body.{name}"])
            for name, value in new.body.state_dict().items()
        ),
        "which weights of the copy's body need a gradient": needs
        == [w.requires_grad for w in new.body.parameters()],
        "which weights of the body that came need a gradient": needs
        == [w.requires_grad for w in model.body.parameters()],
        "modes of the copy's body": [m.training for m in new.body.modules()]
        == [m.training for m in model.body.modules()],
    }
    theirs = {t.data_ptr() for t in model.state_dict().values()}
    shared = any(t.data_ptr() in theirs for t in new.state_dict().values())
    head = {
        "shape": list(new.head.weight.shape),
        "has a bias": new.head.bias is not None,
        "type": str(new.head.weight.dtype),
        "device": new.head.weight.device == model.head.weight.device,
        "needs gradients": all(w.requires_grad for w in new.head.parameters()),
    }
    seeds = (
        torch.equal(new.head.weight, again.head.weight),
        torch.equal(new.head.weight, other.head.weight),
    )
    weight = new.head.weight.detach().cpu().double()
    return same, shared, head, seeds, (weight.std(), weight.abs().max())


for classes, seed, dtype, bias, frozen, training in (
    (4, 0, "float32", True, False, True),
    (40, 7, "float64", True, True, False),
    (9, 3, "float32", False, True, True),
):
    same, shared, head, seeds, size = probe(
        swapped, swap_head, classes, seed, dtype, bias, frozen, training
    )
    about = f" (50 features, {classes} classes, {dtype}, {'a' if bias else 'no'} bias" + (
        ", all frozen)" if frozen else ")"
    )
    for what, kept in same.items():
        assert_equal(
            kept,
            True,
            what=f"Whether the {what} are as they were" + about,
            hint="Copy the whole network, and change nothing but the head of the copy. "
            "See 'Head and body'.",
        )
    assert_equal(
        shared,
        False,
        what="Whether the copy shares numbers with the network that came" + about,
        hint="copy.copy copies the outside alone: the layers are shared. copy.deepcopy copies all.",
    )
    wanted = {
        "shape": [classes, 50],
        "has a bias": bias,
        "type": f"torch.{dtype}",
        "device": True,
        "needs gradients": True,
    }
    assert_equal(
        head,
        wanted,
        what="The new head" + about,
        hint="As many inputs as the old one, the same type and device (.to(old.weight)), a bias if there "
        "was one, and ready to learn. See 'Head and body'.",
    )
    assert_equal(
        seeds,
        (True, False),
        what="Whether the same seed gives the same head, and another seed the same" + about,
        hint="torch.manual_seed(seed) right before the new layer is made.",
    )
    # PyTorch draws evenly from -1/sqrt(50) to 1/sqrt(50).
    assert_true(
        0.06 < size[0] < 0.105 and 0.11 < size[1] < 0.1415,
        what=f"That the new weights are drawn as nn.Linear draws them{about}",
        hint="Leave its initialization as it is: neither zeros nor rows of the old head.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. A rate for each layer
#
# *Discriminative learning rates*: the head learns at the full rate, the layer below it at `decay` times that,
# the one below that at `decay` squared times the full rate, and so on down. Return what an optimizer takes: a
# list of groups, `{"params": [...], "lr": ...}`.
#
# Children without parameters (`nn.ReLU()`) are not layers, and are not counted. A frozen layer is counted,
# but an optimizer has no business with what is frozen: leave out parameters that need no gradient, and groups
# that would be empty. The order of the groups does not matter.


# %% nbgrader={"grade": false, "grade_id": "layer_rates", "locked": false, "schema_version": 3, "solution": true, "task": false}
def layer_rates(model, rate, decay):
    """Make parameter groups with a learning rate for each layer.

    Parameters
    ----------
    model : nn.Module
        Its children are its layers, the last is the head.
    rate : float
        The head's learning rate.
    decay : float
        What a rate is multiplied by from a layer to the one below it.

    Returns
    -------
    list of dict
        With ``"params"``, a list of parameters, and ``"lr"``.

    Example
    -------
    >>> model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    >>> groups = layer_rates(model, rate=0.1, decay=0.5)
    >>> sorted((group["lr"], sum(w.numel() for w in group["params"])) for group in groups)
    [(0.05, 15), (0.1, 8)]
    """
    ### BEGIN SOLUTION
    groups = []
    for child in reversed(list(model.children())):
        weights = list(child.parameters())
        if not weights:
            continue
        moving = [w for w in weights if w.requires_grad]
        if moving:
            groups.append({"params": moving, "lr": rate})
        rate = rate * decay
    return groups
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-layer_rates", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch
from torch import nn

from course_lib.exercises import assert_close, call, probe


def rates_of(layer_rates, rate, decay):
    model = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 3), nn.Linear(3, 2))
    groups = call(layer_rates, {"model": model, "rate": rate, "decay": decay})
    optimizer = torch.optim.SGD(groups)
    found = {id(w): group["lr"] for group in optimizer.param_groups for w in group["params"]}
    return [found.get(id(layer.weight), float("nan")) for layer in model]


assert_close(
    probe(rates_of, layer_rates, 0.8, 0.5),
    [0.2, 0.4, 0.8],
    what="The rates of three layers, from the inputs to the head, with rate 0.8 and decay 0.5",
    hint="The last layer has the full rate; each one before it has half of the one behind it. "
    "See 'What the old task loses'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-layer_rates-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: children without parameters, frozen layers, blocks, steps of an optimizer.
### BEGIN HIDDEN TESTS
import torch
from torch import nn

from course_lib.exercises import assert_close, assert_equal, assert_true, call, probe


def rates_of(layer_rates, rate, decay, kind):
    torch.manual_seed(0)
    block = nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4), nn.ReLU())
    children = [
        block,
        nn.ReLU(),
        nn.Linear(4, 4),
        nn.Tanh(),
        nn.Linear(4, 3, bias=False),
        nn.Linear(3, 2),
    ]
    model = nn.Sequential(*children)
    if kind == "the second layer is frozen":
        model[2].requires_grad_(False)
    elif kind == "single weights are frozen":
        model[0][1].requires_grad_(False)
        model[5].bias.requires_grad_(False)
    elif kind == "all but the first layer is frozen":
        model[2:].requires_grad_(False)
    needs = [w.requires_grad for w in model.parameters()]
    groups = call(layer_rates, {"model": model, "rate": rate, "decay": decay})
    rates = {}
    for group in groups:
        for w in group["params"]:
            rates.setdefault(id(w), []).append(float(group["lr"]))
    names = {name: rates.get(id(w), []) for name, w in model.named_parameters()}
    empty = any(not list(group["params"]) for group in groups)
    same = needs == [w.requires_grad for w in model.parameters()]
    strangers = set(rates) - {id(w) for w in model.parameters()}
    torch.optim.Adam(groups)
    return names, empty, same, len(strangers)


LAYER = {"0": 3, "2": 2, "4": 1, "5": 0}
ASLEEP = {
    "nothing is frozen": (),
    "the second layer is frozen": ("2.",),
    "single weights are frozen": ("0.1.", "5.bias"),
    "all but the first layer is frozen": ("2.", "4.", "5."),
}
for (kind, asleep), (rate, decay) in zip(
    ASLEEP.items(), ((0.8, 0.25), (0.1, 0.5), (0.01, 0.1), (1.0, 1.0)), strict=True
):
    names, empty, same, strangers = probe(rates_of, layer_rates, rate, decay, kind)
    about = f" where {kind}, rate {rate}, decay {decay}"
    assert_equal(same, True, what="Whether the network needs the same gradients as before" + about)
    assert_equal(
        (empty, strangers),
        (False, 0),
        what="Whether a group is empty, and how many tensors in the groups are not the network's"
        + about,
        hint="Put the parameters themselves into the groups, and leave out groups without any.",
    )
    for name, found in names.items():
        if name.startswith(asleep or ("none",)):
            assert_equal(
                found,
                [],
                what=f"The rates under which the frozen {name} is given to the optimizer" + about,
                hint="Leave out what needs no gradient. See 'Head and body'.",
            )
            continue
        assert_true(
            len(found) == 1,
            what=f"That {name} is in one group, and it is in {len(found)}" + about,
            hint="Each parameter that needs a gradient is in one group, whatever kind it is: weights, "
            "biases, and those of batch normalization.",
        )
        assert_close(
            found[0],
            rate * decay ** LAYER[name[0]],
            what=f"The rate of {name}" + about,
            hint="Count from the head down, frozen layers too, but not children without parameters. "
            "See 'What the old task loses'.",
        )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. A file that fits only in part
#
# A state dict comes from somewhere: some of its entries are the network's, some have a different shape (the
# old head), some are unknown. Fill in what fits, and say what did not. Often every name in the file has the
# same beginning, such as `module.`: that is `prefix`, which is taken off first; an entry without it fits
# nothing.
#
# - An entry fits if the network has one with that name and the same shape. Buffers (running means) count.
# - The network's own parameters are filled: an optimizer that holds them must still hold the right ones.
#   Nothing is shared with the file's tensors, which stay as they are, and types and devices stay the same as
#   well.
# - If nothing fits, raise a ValueError, and leave the network as it is: a network that silently starts from
#   scratch is the worst outcome.


# %% nbgrader={"grade": false, "grade_id": "load_matching", "locked": false, "schema_version": 3, "solution": true, "task": false}
def load_matching(model, state, prefix=""):
    """Fill a network with the entries of a state dict that fit.

    Parameters
    ----------
    model : nn.Module
        Filled in place.
    state : dict of str to Tensor
    prefix : str
        What the names in `state` begin with.

    Returns
    -------
    taken, left : list of str
        Names of the network's own state dict, in its order: those that were filled, and the others.

    Raises
    ------
    ValueError
        If no entry fits.

    Example
    -------
    >>> state = {"net.0.weight": torch.ones(1, 2), "net.0.bias": torch.ones(3)}
    >>> model = nn.Sequential(nn.Linear(2, 1))
    >>> load_matching(model, state, prefix="net.")
    (['0.weight'], ['0.bias'])
    >>> model[0].weight.tolist()
    [[1.0, 1.0]]
    """
    ### BEGIN SOLUTION
    own = model.state_dict()
    found = {name[len(prefix) :]: value for name, value in state.items() if name.startswith(prefix)}
    taken = [name for name in own if name in found and found[name].shape == own[name].shape]
    if not taken:
        raise ValueError(f"none of the {len(state)} entries fits the network")
    with torch.no_grad():
        for name in taken:
            own[name].copy_(found[name])
    return taken, [name for name in own if name not in taken]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-load_matching", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch
from torch import nn

from course_lib.exercises import assert_equal, call, probe


def loaded(load_matching):
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 3))
    state = {"0.weight": torch.eye(2), "0.bias": torch.ones(2), "1.weight": torch.ones(5, 2)}
    result = call(load_matching, {"model": model, "state": state}, changes=["model"])
    return [list(names) for names in result], model[0].weight.tolist()


names, weight = probe(loaded, load_matching)
assert_equal(
    names,
    [["0.weight", "0.bias"], ["1.weight", "1.bias"]],
    what="What was taken and what was left, of a file with 0.weight, 0.bias and a 1.weight of another shape",
    hint="Two lists of the network's names: 1.weight is in both, but does not fit, and 1.bias is missing. "
    "See 'A network in a file'.",
)
assert_equal(
    weight,
    [[1.0, 0.0], [0.0, 1.0]],
    what="The network's 0.weight afterwards",
    hint="Copy the numbers of the file into the network. See 'A network in a file'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-load_matching-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: buffers, prefixes, types, optimizers that hold the parameters, memory, nothing that fits.
### BEGIN HIDDEN TESTS
import torch
from torch import nn

from course_lib import get_device
from course_lib.exercises import assert_equal, call, check_raises, probe


def network(seed, classes=3):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, classes))
    model(torch.randn(10, 4))  # moves the running statistics
    return model


def loaded(load_matching, prefix, drop, half):
    device = get_device()
    source, model = network(1, classes=7), network(2).to(device)
    state = {prefix + name: value.clone() for name, value in source.state_dict().items()}
    state[prefix + "extra.weight"] = torch.ones(2)
    for name in drop:
        del state[prefix + name]
    if prefix:
        # Without the prefix it is another network's, although the name would fit.
        state["0.bias"] = torch.full((5,), 9.0)
        state["other" + prefix + "0.bias"] = torch.full((5,), 8.0)
    if half:
        state = {n: v.double() if v.is_floating_point() else v for n, v in state.items()}
    parameters, before = (
        list(model.parameters()),
        {n: v.clone() for n, v in model.state_dict().items()},
    )
    kinds = [(value.dtype, value.device) for value in model.state_dict().values()]
    args = {"model": model, "state": state}
    args |= {"prefix": prefix} if prefix else {}
    # The file's tensors themselves, since they are overwritten below.
    result = call(load_matching, args, changes=["model"], copies=False)
    own = model.state_dict()
    now = {name: value.clone() for name, value in own.items()}
    kept = all(a is b for a, b in zip(parameters, model.parameters(), strict=True))
    learn = all(w.requires_grad and w.is_leaf for w in model.parameters())
    same_kinds = kinds == [(value.dtype, value.device) for value in own.values()]
    for value in state.values():
        value.zero_()
    shared = any(not torch.equal(now[name], value) for name, value in model.state_dict().items())
    filled, untouched = [], []
    for name in own:
        there = source.state_dict()[name]
        if there.shape == now[name].shape and torch.equal(now[name].cpu(), there):
            filled.append(name)
        elif torch.equal(now[name], before[name]):
            untouched.append(name)
    return [list(names) for names in result], [filled, untouched], kept, learn, same_kinds, shared


ALL = ["0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var"]
ALL += ["1.num_batches_tracked", "3.weight", "3.bias"]
for prefix, drop, half in (
    ("", (), False),
    ("module.", ("0.bias", "1.running_var"), False),
    ("a.b.", ("0.weight",), True),
):
    got, really, kept, learn, same_kinds, shared = probe(loaded, load_matching, prefix, drop, half)
    about = f" from a file{f' whose names begin with {prefix}' if prefix else ''}" + (
        f", without {' and '.join(drop)}" if drop else ""
    )
    # A count of batches and a fresh norm are the same in both networks: they count as filled.
    left = [name for name in ALL if name in drop or name.startswith("3.")]
    assert_equal(
        got,
        [[name for name in ALL if name not in left], left],
        what="What load_matching says it took and left" + about,
        hint="The names of the network's state dict, buffers too, in its order. Entries whose name does "
        "not begin with the prefix fit nothing. See 'A network in a file'.",
    )
    assert_equal(
        [name in really[1] for name in ALL if name in left],
        [True] * len(left),
        what="Whether the entries that it left are as they were" + about,
        hint="Fill only what has the same name, after the prefix, and the same shape.",
    )
    assert_equal(
        [name for name in ALL if name not in left and name not in really[0]],
        [],
        what="Entries that it says it took, and that do not hold the file's numbers" + about,
        hint="Buffers such as running_mean are in state_dict() and not among the parameters.",
    )
    assert_equal(
        (kept, learn, same_kinds),
        (True, True, True),
        what="Whether the network has the same parameters as before, they can learn, and types and "
        "devices are the same" + about,
        hint="Copy into the network's own tensors (copy_, under torch.no_grad()): an optimizer made before "
        "would hold parameters that nobody uses. See 'Head and body'.",
    )
    assert_equal(
        shared,
        False,
        what="Whether the network changes when the file's tensors are overwritten afterwards",
        hint="Copy the numbers; do not keep the file's tensors.",
    )


def nothing_fits(load_matching, kind):
    model, before = network(2), network(2).state_dict()
    state = {
        "other names": {f"module.{name}": value for name, value in network(1).state_dict().items()},
        "other shapes": {"0.weight": torch.ones(5, 5), "3.bias": torch.ones(1)},
        "an empty file": {},
    }[kind]
    args = {"model": model, "state": state}
    check_raises(
        ValueError,
        load_matching,
        args,
        hint=f"Where nothing fits ({kind}), the network would start from scratch, and nobody would know. "
        "See 'A network in a file'.",
    )
    return all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


for kind in ("other names", "other shapes", "an empty file"):
    assert_equal(
        probe(nothing_fits, load_matching, kind),
        True,
        what=f"Whether the network is as it was after the error ({kind})",
        hint="Look first, and fill then.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. The nearest mean
#
# The strongest thing that one can do with three labels per class needs no training: the mean of the features
# of each class, and for each query the class whose mean is nearest (in Euclidean distance). Classes are whole
# numbers, which need not begin with 0 and may have gaps. Of means that are equally near, the one of the
# smallest class counts.


# %% nbgrader={"grade": false, "grade_id": "nearest_mean", "locked": false, "schema_version": 3, "solution": true, "task": false}
def nearest_mean(features, labels, queries):
    """Classify by the nearest class mean.

    Parameters
    ----------
    features : Tensor, shape (n, d)
        Features of labeled samples; float32 or float64.
    labels : Tensor of int64, shape (n,)
        Their classes.
    queries : Tensor, shape (m, d)
        Features of other samples.

    Returns
    -------
    Tensor of int64, shape (m,)
        A class that occurs in `labels` for each query.

    Example
    -------
    >>> features = torch.tensor([[0.0, 0.0], [0.0, 2.0], [5.0, 5.0]])
    >>> nearest_mean(features, torch.tensor([7, 7, 3]), torch.tensor([[1.0, 1.0], [4.0, 4.0]])).tolist()
    [7, 3]
    """
    ### BEGIN SOLUTION
    classes = labels.unique()  # sorted
    means = torch.stack([features[labels == k].mean(dim=0) for k in classes])
    distances = (queries[:, None] - means).square().sum(dim=2)
    return classes[distances.argmin(dim=1)]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-nearest_mean", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch

from course_lib.exercises import check

check(
    nearest_mean,
    {
        "features": torch.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 9.0]]),
        "labels": torch.tensor([6, 6, 5]),
        "queries": torch.tensor([[3.0, 1.0], [0.0, 6.0], [2.0, 2.0]]),
    },
    torch.tensor([6, 5, 6]),
    hint="The mean of class 6 is (2, 0), that of class 5 (0, 9). What comes back are the classes, 5 and 6, "
    "and not their places in a list. See 'How many labels?'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-nearest_mean-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: many classes with gaps, classes of unequal size, types, ties, one sample, one class.
### BEGIN HIDDEN TESTS
import numpy as np
import torch

from course_lib.exercises import check

rng = np.random.default_rng(6)


def reference(features, labels, queries):
    classes = np.unique(labels)
    means = np.array([features[labels == k].mean(axis=0) for k in classes])
    return classes[((queries[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)]


for n, d, m, names, kind in (
    (60, 5, 200, [0, 1, 2], torch.float64),
    (50, 1, 80, [9, 5, -3, 40], torch.float32),
    (7, 12, 3, [4], torch.float64),
    (40, 20, 100, [5, 6, 7, 8, 9], torch.float32),
):
    labels = np.concatenate([names, rng.choice(names, size=n - len(names), p=None)])
    centers = {k: rng.normal(size=d) for k in names}
    # Whole numbers of 64ths: exact in both types. Classes are of unequal size and width.
    features = np.array(
        [centers[k] + rng.normal(size=d) * (1 + i % 3) for i, k in enumerate(labels)]
    )
    features = np.round(features * 64) / 64
    queries = np.round(rng.normal(size=(m, d)) * 64) / 64
    wanted = reference(features, labels, queries)
    check(
        nearest_mean,
        {
            "features": torch.tensor(features, dtype=kind),
            "labels": torch.tensor(labels),
            "queries": torch.tensor(queries, dtype=kind),
        },
        torch.tensor(wanted),
        dtype=np.int64,
        hint="The mean over the samples of a class (not the nearest sample, not the sum), the Euclidean "
        "distance (all d differences squared and added), and the name of the nearest class. "
        "See 'How many labels?'.",
    )
corners = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]])
for labels in ([8, 3, 5], [1, 2, 3], [3, 2, 1]):
    check(
        nearest_mean,
        {
            "features": corners,
            "labels": torch.tensor(labels),
            "queries": torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]),
        },
        torch.tensor([min(labels[0], labels[1]), min(labels[0], labels[2]), min(labels)]),
        hint="Of classes that are equally near, the smallest: sort the classes (unique does) and take the "
        "first of the nearest.",
    )
far = torch.tensor([[10000.0, 0.0], [10000.5, 0.0], [10003.0, 0.0]])
check(
    nearest_mean,
    {
        "features": far,
        "labels": torch.tensor([0, 1, 2]),
        "queries": torch.tensor([[10000.375, 0.0], [10001.5, 0.0], [10002.0, 0.0]]),
    },
    torch.tensor([1, 1, 2]),
    hint="Subtract before squaring: the squares of numbers near 10,000 have no digits left for a difference "
    "of one half in float32.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 7. Ready to train
#
# Put the pieces together. From a trained network, make the network and the optimizer of a transfer: a new
# head (step 3), the first `frozen` children each inside a `Frozen` of its own under its old name (step 2),
# and Adam with a rate for each layer (step 4). Mind the order: which tensors the optimizer holds is decided
# when it is made. With `frozen=0` nothing is frozen, and that is fine-tuning. A child that was frozen in the
# original network, and is not among the first `frozen`, can learn again.


# %% nbgrader={"grade": false, "grade_id": "prepare", "locked": false, "schema_version": 3, "solution": true, "task": false}
def prepare(source, classes, frozen, rate, decay, seed):
    """Make a network and its optimizer for a new task.

    Parameters
    ----------
    source : nn.Sequential
        A trained network whose last child is called `head`. It stays as it is.
    classes : int
        Outputs of the new head.
    frozen : int
        How many of the first children are frozen; not the head.
    rate, decay : float
        As in `layer_rates`.
    seed : int
        As in `swap_head`.

    Returns
    -------
    model : nn.Sequential
        With children of the same names.
    optimizer : torch.optim.Adam

    Example
    -------
    >>> source = nn.Sequential(OrderedDict(body=nn.Linear(4, 3), head=nn.Linear(3, 10)))
    >>> model, optimizer = prepare(source, classes=2, frozen=1, rate=0.01, decay=0.5, seed=0)
    >>> type(model.body).__name__, [group["lr"] for group in optimizer.param_groups]
    ('Frozen', [0.01])
    """
    ### BEGIN SOLUTION
    model = swap_head(source, classes, seed).requires_grad_(True)
    for name, child in list(model.named_children())[:frozen]:
        setattr(model, name, Frozen(child))
    return model, torch.optim.Adam(layer_rates(model, rate, decay))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-prepare", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
from collections import OrderedDict

import torch
from torch import nn

from course_lib.exercises import assert_equal, call, probe


def prepared(prepare):
    layers = {"one": nn.Linear(4, 3), "two": nn.Linear(3, 3)}
    source = nn.Sequential(OrderedDict(**layers, head=nn.Linear(3, 10)))
    args = {"source": source, "classes": 2, "frozen": 0, "rate": 0.1, "decay": 0.5, "seed": 0}
    model, optimizer = call(prepare, args)
    held = {id(w) for group in optimizer.param_groups for w in group["params"]}
    return [any(id(w) in held for w in child.parameters()) for child in model]


assert_equal(
    probe(prepared, prepare),
    [True, True, True],
    what="Whether the optimizer holds parameters of each child (two layers, of which none is frozen, and the "
    "new head)",
    hint="The head first, then the optimizer: it holds the tensors that it was given. See 'Head and body'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-prepare-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: steps in training mode, rates, names, the source afterwards. Earlier steps are lent.
### BEGIN HIDDEN TESTS
import copy
from collections import OrderedDict

import torch
from torch import nn

from course_lib import get_device
from course_lib.exercises import assert_close, assert_equal, call, given, probe


class LentFrozen(nn.Module):
    def __init__(self, body):
        super().__init__()
        self.body = body.requires_grad_(False)
        self.train()

    def forward(self, inputs):
        return self.body(inputs)

    def train(self, mode=True):
        super().train(mode)
        self.body.eval()
        return self


def lent_swap_head(model, classes, seed):
    model = copy.deepcopy(model)
    torch.manual_seed(seed)
    old = model.head
    model.head = nn.Linear(old.in_features, classes, bias=old.bias is not None).to(old.weight)
    return model


def lent_layer_rates(model, rate, decay):
    groups = []
    for child in reversed([c for c in model.children() if list(c.parameters())]):
        moving = [w for w in child.parameters() if w.requires_grad]
        groups += [{"params": moving, "lr": rate}] if moving else []
        rate = rate * decay
    return groups


def some_steps(prepare, classes, frozen, rate, decay, seed, asleep):
    device = get_device()
    torch.manual_seed(1)
    layers = {
        f"layer{i}": nn.Sequential(nn.Linear(6, 6), nn.BatchNorm1d(6), nn.ReLU()) for i in range(3)
    }
    source = nn.Sequential(OrderedDict(**layers, head=nn.Linear(6, 4))).to(device)
    if asleep:
        source.requires_grad_(False)
        source.eval()
    before = {name: value.clone() for name, value in source.state_dict().items()}
    needs = [w.requires_grad for w in source.parameters()]
    args = dict(classes=classes, frozen=frozen, rate=rate, decay=decay, seed=seed)
    model, optimizer = call(prepare, {"source": source, **args})
    again, _ = call(prepare, {"source": source, **args})
    other, _ = call(prepare, {"source": source, **args, "seed": seed + 1})
    seeds = [torch.equal(model.head.weight, net.head.weight) for net in (again, other)]
    names = [name for name, _ in model.named_children()]
    x = torch.randn(12, 6, generator=torch.Generator().manual_seed(2)).to(device) + 1
    y = (torch.arange(12) % classes).to(device)
    start = [{n: v.clone() for n, v in child.state_dict().items()} for child in model]
    rates = {id(w): g["lr"] for g in optimizer.param_groups for w in g["params"]}
    found = [sorted({rates.get(id(w), 0.0) for w in child.parameters()}) for child in model]
    for _ in range(3):
        model.train()
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    moved = [
        [not torch.equal(old[n], v) for n, v in child.state_dict().items()]
        for old, child in zip(start, model, strict=True)
    ]
    return {
        "names": names,
        "adam": type(optimizer).__name__,
        "outputs": model.head.out_features,
        "borrowed": all(
            torch.equal(v, before[f"layer{i}.{n.removeprefix('body.')}"])
            for i, old in enumerate(start[:3])
            for n, v in old.items()
        ),
        "rates": found,
        "still": [any(child) for child in moved[:frozen]],
        "all moved": [all(child) for child in moved[frozen:]],
        "source": all(torch.equal(v, before[n]) for n, v in source.state_dict().items())
        and needs == [w.requires_grad for w in source.parameters()],
        "seeds": seeds,
    }


for classes, frozen, rate, decay, seed, asleep in (
    (5, 3, 0.05, 0.5, 0, False),
    (3, 0, 0.02, 0.25, 4, True),
    (2, 1, 0.08, 0.5, 9, False),
    (6, 2, 0.03, 0.1, 2, True),
):
    with given(Frozen=LentFrozen, swap_head=lent_swap_head, layer_rates=lent_layer_rates):
        got = probe(some_steps, prepare, classes, frozen, rate, decay, seed, asleep)
    about = f" with {classes} classes and the first {frozen} of 3 layers frozen" + (
        ", from a source whose weights are all frozen" if asleep else ""
    )
    assert_equal(
        (got["names"], got["adam"], got["outputs"], got["borrowed"]),
        (["layer0", "layer1", "layer2", "head"], "Adam", classes, True),
        what="Names of the children, kind of optimizer, outputs, and whether the body's numbers are the "
        "source's" + about,
        hint="setattr(model, name, Frozen(child)) keeps a child's place and name. See 'Head and body'.",
    )
    assert_equal(
        got["source"],
        True,
        what="Whether the source network is as it was" + about,
        hint="Freeze the layers of the copy, and not those of the source.",
    )
    assert_equal(
        got["still"],
        [False] * frozen,
        what="Whether anything in the frozen layers moved in three steps" + about,
        hint="Each of the first layers inside a Frozen: weights and statistics stay. "
        "See 'Frozen, and yet it moves'.",
    )
    assert_equal(
        got["all moved"],
        [True] * (4 - frozen),
        what="Whether all of the other layers, and the new head, moved in three steps" + about,
        hint="A head that stays as it was is not the one that the optimizer holds; a layer that stays was "
        "frozen in the source: requires_grad_(True) wakes the copy. See 'Head and body'.",
    )
    for child, (found, layer) in enumerate(zip(got["rates"], (3, 2, 1, 0), strict=True)):
        assert_close(
            found,
            [0.0] if child < frozen else [rate * decay**layer],
            what=f"The rates of child {child} in the optimizer, 0 for none," + about,
            hint="The optimizer comes last, from layer_rates of the finished network, with rate and decay "
            "as they were given. See 'What the old task loses'.",
        )
    assert_equal(
        got["seeds"],
        [True, False],
        what="Whether the same seed gives the same head, and another seed the same" + about,
        hint="Hand the seed on to swap_head.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 8. Accuracy against labels
#
# Now all of it with your own functions. A network learns the digits 0 to 4, its state goes through a file as
# several graphics cards would write it, and four ways of learning get 5 to 100 labels of the digits 5 to 9.
# This takes a few seconds.

# %% nbgrader={"grade": false, "grade_id": "finale", "locked": true, "schema_version": 3, "solution": false, "task": false}
from course_lib.plotting import transfer as figures


def photographs(part, n, seed, first):
    pictures, shown = digits.photographed(part.X, part.y, n, seed, size=12)
    return torch.tensor(pictures).to(device), torch.tensor(shown - first).to(device)


def task(first, counts):
    X, y = digits.load()
    rows = (y >= first) & (y < first + 5)
    parts = splits.split(X[rows], y[rows], seed=0)
    return [
        photographs(part, n, 10 * first + k, first)
        for k, (part, n) in enumerate(zip(parts, counts, strict=True))
    ]


def new_network(seed):
    torch.manual_seed(seed)
    layers = OrderedDict()
    for i, (d_in, d_out) in enumerate(((144, 128), (128, 128), (128, 64))):
        block = nn.Sequential(nn.Linear(d_in, d_out), nn.BatchNorm1d(d_out), nn.ReLU())
        layers[f"layer{i + 1}"] = block
    return nn.Sequential(OrderedDict(**layers, head=nn.Linear(64, 5))).to(device)


def train(model, optimizer, samples, steps, size=32):
    inputs, targets = samples
    order = torch.Generator().manual_seed(0)
    while steps > 0:
        for rows in torch.randperm(len(inputs), generator=order).split(size):
            model.train()
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(inputs[rows]), targets[rows])
            loss.backward()
            optimizer.step()
            steps -= 1
            if not steps:
                break


def right(answers, samples):
    return (answers == samples[1]).float().mean().item()


def answers(model, inputs):
    model.eval()
    with torch.no_grad():
        return model(inputs)


old, _, old_judge = task(0, (6000, 1, 1000))
new, _, judge = task(5, (3000, 1, 2000))
source = new_network(0)
train(source, torch.optim.Adam(source.parameters(), lr=0.003), old, steps=250, size=128)
file = {f"module.{name}": value for name, value in source.state_dict().items()}
borrowed = new_network(1)
taken, left = load_matching(borrowed, file, prefix="module.")
print(f"{len(taken)} entries taken, {len(left)} left;", end=" ")
print(f"0 to 4: {right(answers(borrowed, old_judge[0]).argmax(1), old_judge):.1%}")
ready, _ = prepare(borrowed, 5, frozen=3, rate=0.003, decay=1.0, seed=0)
print("moving and all, frozen body:", count_parameters(ready))

counts, seeds = (5, 20, 100), range(2)
ways = {  # network, frozen layers, decay of the rates
    "from scratch": (new_network(2), 0, 1.0),
    "frozen body": (borrowed, 3, 1.0),
    "fine-tuning": (borrowed, 0, 0.3),
}
scores = {way: np.zeros((len(seeds), len(counts))) for way in (*ways, "nearest mean")}
for seed in seeds:
    for i, n in enumerate(counts):
        # Each seed has labels of its own; those for fewer are among those for more.
        place = 500 * seed
        rows = (
            torch.cat([torch.nonzero(new[1][place:] == k)[: n // 5, 0] for k in range(5)]) + place
        )
        few = new[0][rows], new[1][rows]
        for way, (start, frozen, decay) in ways.items():
            model, optimizer = prepare(start, 5, frozen, rate=0.003, decay=decay, seed=seed)
            train(model, optimizer, few, steps=96)
            scores[way][seed, i] = right(answers(model, judge[0]).argmax(1), judge)
        body = borrowed[:-1]
        said = nearest_mean(answers(body, few[0]), few[1], answers(body, judge[0]))
        scores["nearest mean"][seed, i] = right(said, judge)
for way, found in scores.items():
    print(f"{way:12}", *(f"{mean:6.1%}" for mean in found.mean(axis=0)))
figures.labels_needed(counts, scores, guess=0.2)

# %% [markdown]
# **What you see.** From twenty labels on, everything that stands on the borrowed layers is far above the
# network from scratch. The nearest mean, which trains nothing, keeps up with the trained heads. And the file
# did load: had the prefix been forgotten, your function would have refused, instead of handing back a network
# of random numbers.
#
# ## Step 9. A report
#
# *4 points, read by a person. About 120 words.*
#
# A colleague writes: "I have 60 labeled X-rays and a network that was trained on photographs from the
# internet. I froze all its weights, trained a new head for 30 epochs, and tried five learning rates. The best
# had 81 percent on the validation set of 30. Odd: the body's features of one and the same X-ray differ
# between epoch 1 and epoch 30, although no weight moved. I will publish the network with its weights."
#
# 1. Name two comparisons or measurements without which the 81 percent says little, and why.
# 2. What moved, what may it have done to the result, and how do you stop it?
# 3. Name two things about the borrowed network that she should find out before she publishes, and why.

# %% [markdown] nbgrader={"grade": true, "grade_id": "a-report", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# 1. A network from scratch (and the commonest answer) with the same five tries: photographs of the world may be
#    a source that does not help with X-rays. And a test set that chose nothing: 81 percent is the best of five
#    on 30 images, where one image is 3 percent, so it is too high, and uncertain by some 14 points either way.
#    Several seeds or cross-validation would say more.
# 2. The running means and variances of batch normalization, which are no parameters. In training mode they
#    follow each batch of X-rays. The head was trained on features of batches and is used with running
#    statistics, and the old head would no longer fit. Put the body into evaluation mode, and keep it there
#    after model.train(), or compute the features once.
# 3. The license of the weights and of the photographs, which may forbid it. How inputs were scaled and cropped
#    in training, since no error tells. Whether her X-rays were among the photographs. Which biases it has:
#    they can survive the new training.
#
# === BEGIN MARK SCHEME ===
# 1. **Two points**, one for each of two with a reason: a comparison from scratch or with a trivial answer; a
#    test set apart from the choices; more seeds, folds or an interval, since 30 images are few. Half a point
#    where the reason is missing.
# 2. **One point** for batch normalization's statistics in training mode and evaluation mode as the cure. Half
#    for one of the two.
# 3. **One point** for two of: license, preparation of the inputs, overlap with test data, biases, each with a
#    reason. Half for one.
# === END MARK SCHEME ===
