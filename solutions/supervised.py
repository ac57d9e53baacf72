# ---
# jupyter:
#   course:
#     answers_in:
#     - course_lib.metrics
#     - course_lib.training
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
# # Supervised learning: from answers to decisions
#
# - **Time:** 100 minutes. **Difficulty:** 2 of 5. **Points:** 33, of which a person gives 4.
# - **Needs:** the chapter *Supervised learning*, PyTorch's tensors and modules, NumPy arrays.
#
# A sorting office reads the digits on parcels from careless photographs. You will write the loop that trains
# its network and a measurement that does not fool itself, count which digits are mixed up, and measure how
# far the network's confidence can be trusted. Then you will repair the confidence with one number, and decide
# from costs which parcels a person must look at. At the end you see what each repair was worth, on
# photographs that were used for none of them.
#
# **What is special here**
#
# - A model may be on a graphics card. Batches arrive on the CPU: move them to the device of the model's
#   parameters. What you return is plain: Python numbers, or NumPy arrays.
# - Steps 1 and 2 work with any model, any loss and any iterable of batches, of which the last may be smaller.
#   The iterable may be a generator, so go through it only once.
#
# `course_lib.training` and `course_lib.metrics` hold answers to this exercise: leave them closed. What
# holds in every exercise (how to check, what the tests look at, what counts) is on the page *How
# exercises work* in the appendix.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np
import torch
from torch import nn

from course_lib import get_device, seed_everything
from course_lib.data import digits, splits

device = get_device()

# %% [markdown]
# ## Step 1. One epoch
#
# For each batch: forget the old gradients, compute the loss, send it back, take a step. Return the epoch's
# mean loss *per sample*, with each batch's loss as it was before its step.


# %% nbgrader={"grade": false, "grade_id": "train_epoch", "locked": false, "schema_version": 3, "solution": true, "task": false}
def train_epoch(model, loss, optimizer, batches):
    """Train a model on each batch once.

    Parameters
    ----------
    model : nn.Module
        Trained in training mode, in whatever mode it comes, and left in it.
    loss : callable
        ``loss(outputs, targets)`` returns a tensor with one number, the mean over a batch.
    optimizer : torch.optim.Optimizer
        Made with the model's parameters.
    batches : iterable of (inputs, targets)
        Tensors on the CPU; the first dimension counts samples.

    Returns
    -------
    float
        The mean loss over all samples.

    Example
    -------
    >>> model = nn.Linear(1, 1, bias=False)
    >>> nn.init.zeros_(model.weight).tolist()
    [[0.0]]
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    >>> pairs = [(torch.ones(3, 1), torch.ones(3, 1)), (torch.ones(1, 1), 3 * torch.ones(1, 1))]
    >>> train_epoch(model, nn.functional.mse_loss, optimizer, pairs)  # (3 * 1 + 1 * 9) / 4
    3.0
    """
    ### BEGIN SOLUTION
    device = next(model.parameters()).device
    model.train()
    total, count = 0.0, 0
    for inputs, targets in batches:
        inputs, targets = inputs.to(device), targets.to(device)
        optimizer.zero_grad()
        error = loss(model(inputs), targets)
        error.backward()
        optimizer.step()
        total, count = total + error.item() * len(inputs), count + len(inputs)
    return total / count
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-train_epoch", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch
from torch import nn

from course_lib import get_device
from course_lib.exercises import assert_close, call, probe


def one_epoch(train_epoch, sizes):
    model = nn.Linear(1, 1, bias=False).to(get_device())
    nn.init.zeros_(model.weight)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.25)
    batches = [(torch.ones(n, 1), torch.full((n, 1), float(n))) for n in sizes]
    args = {"model": model, "loss": nn.functional.mse_loss, "optimizer": optimizer}
    mean = call(train_epoch, {**args, "batches": batches}, changes=["model", "optimizer"])
    return mean, model.weight.item()


got = probe(one_epoch, train_epoch, [2])
assert_close(
    got[1],
    1.0,
    what="The weight of x -> w x, which starts at 0, after one step with rate 0.25 on x = 1, y = 2",
    hint="The slope of (w - 2)^2 at 0 is -4, and the step -0.25 times that. 0: no step was taken, or "
    "there was no backward pass before it. See 'The loop, once more'.",
)
assert_close(
    got[0],
    4.0,
    what="What train_epoch returns for one batch with a loss of 4 before its step",
    hint="The loss as it was before the step, as a number: error.item(). See 'The loop, once more'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-train_epoch-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: several batches of unequal size, modes, other losses and optimizers, generators.
### BEGIN HIDDEN TESTS
import torch
from torch import nn

from course_lib import get_device
from course_lib.exercises import assert_close, assert_equal, assert_true, call, probe


def reference(model, loss, optimizer, batches):
    model.train()
    total, count = 0.0, 0
    for inputs, targets in batches:
        optimizer.zero_grad()
        error = loss(model(inputs), targets)
        error.backward()
        optimizer.step()
        total, count = total + error.item() * len(inputs), count + len(inputs)
    return total / count


def epochs(train, loss, kind, sizes, times, where):
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(sum(sizes), 3, generator=generator)
    y = (x @ torch.tensor([[1.0], [2.0], [-1.0]])).tanh()
    modes = []

    class Watch(nn.Identity):
        def forward(self, x):
            modes.append(self.training)
            return x

    torch.manual_seed(5)
    model = nn.Sequential(Watch(), nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).to(where)
    model.eval()
    losses = {"squared": nn.functional.mse_loss, "absolute": nn.functional.l1_loss}
    optimizer = getattr(torch.optim, kind)(model.parameters(), lr=0.05)
    means, changes = [], ["model", "optimizer", "batches"]
    for _ in range(times):
        batches = zip(x.split(sizes), y.split(sizes), strict=True)
        args = {"model": model, "loss": losses[loss], "optimizer": optimizer, "batches": batches}
        means.append(call(train, args, changes=changes))
    weights = torch.cat([w.detach().cpu().flatten() for w in model.parameters()])
    return means, weights, modes, model.training


for loss, kind, sizes, times in (
    ("squared", "SGD", [4, 4, 3], 1),
    ("absolute", "SGD", [8, 8, 2], 3),
    ("squared", "Adam", [5, 2], 3),
):
    wanted = epochs(reference, loss, kind, sizes, times, "cpu")
    got = probe(epochs, train_epoch, loss, kind, sizes, times, get_device())
    about = f"{times} epoch(s) on batches of {sizes} samples, {loss} error, {kind}"
    assert_true(
        len(got[2]) >= times * len(sizes) and all(got[2]),
        what=f"That the model was in training mode for each batch of {about}",
        hint="It came in evaluation mode, as after a measurement: call model.train() first. "
        "See 'The loop, once more'.",
    )
    assert_close(
        got[1],
        wanted[1],
        rtol=1e-3,
        atol=1e-5,
        what=f"The weights and biases after {about}",
        hint="One step per batch, each with the gradients of that batch alone: without "
        "optimizer.zero_grad() those of all batches add up. See 'The loop, once more'.",
    )
    assert_close(
        got[0],
        wanted[0],
        rtol=1e-4,
        what=f"What train_epoch returned in {about}",
        hint="The mean over the samples: multiply the loss of each batch by its number of samples "
        "before adding up, and divide by the number of all. See 'The loop, once more'.",
    )
    assert_equal(
        got[3],
        True,
        what="Whether the model is in training mode afterwards",
        hint="train_epoch leaves it in training mode; measuring is another function's work.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. A measurement that changes nothing
#
# Measure the share of right answers over all samples, in evaluation mode, without gradients. Afterwards the
# model, and each module in it, is in the mode that it was in before: somebody may have frozen a part of it in
# evaluation mode, and `model.train()` at the end would wake that part.


# %% nbgrader={"grade": false, "grade_id": "evaluate", "locked": false, "schema_version": 3, "solution": true, "task": false}
def evaluate(model, batches):
    """Compute the accuracy of a classifier.

    Parameters
    ----------
    model : nn.Module
        ``model(inputs)`` gives a score for each class, shape (batch, classes). Measured in
        evaluation mode; every module in it is then put back into the mode that it was in.
    batches : iterable of (inputs, targets)
        Tensors on the CPU; targets are integers, shape (batch,).

    Returns
    -------
    float
        The share of all samples whose largest score is that of the target.

    Example
    -------
    >>> a = (torch.tensor([[3.0, 1.0], [0.0, 2.0]]), torch.tensor([0, 1]))
    >>> b = (torch.tensor([[1.0, 0.0]]), torch.tensor([1]))
    >>> round(evaluate(nn.Identity(), [a, b]), 4)  # 2 of 3
    0.6667
    """
    ### BEGIN SOLUTION
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    modes = {module: module.training for module in model.modules()}
    model.eval()
    right = count = 0
    with torch.no_grad():
        for inputs, targets in batches:
            answers = model(inputs.to(device)).argmax(dim=1).cpu()
            right, count = right + (answers == targets).sum().item(), count + len(targets)
    for module, mode in modes.items():
        module.training = mode
    return right / count
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-evaluate", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import torch
from torch import nn

from course_lib.exercises import assert_close, call, probe


def measured(evaluate):
    scores = torch.tensor([[3.0, 1.0], [6.0, 7.0], [5.0, 4.0], [2.0, 9.0]])
    batches = [(scores[:2], torch.tensor([0, 1])), (scores[2:], torch.tensor([1, 1]))]
    return call(evaluate, {"model": nn.Identity(), "batches": batches})


assert_close(
    probe(measured, evaluate),
    0.75,
    what="The accuracy of four samples of which three are right",
    hint="The answer is the class with the largest score (argmax over dimension 1). nn.Identity has no "
    "parameters: where there are none, the data may stay on the CPU. See 'Which mistakes'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-evaluate-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: unequal batches, dropout, modes of every module, gradients, generators.
### BEGIN HIDDEN TESTS
import torch
from torch import nn

from course_lib import get_device
from course_lib.exercises import assert_close, assert_equal, call, probe


def watched(evaluate, frozen, training, sizes):
    class Watch(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = nn.BatchNorm1d(3)
            self.drop = nn.Dropout(0.9)
            self.recorded = []

        def forward(self, x):
            self.recorded.append((self.training, torch.is_grad_enabled()))
            return self.drop(self.norm(x))

    model = Watch().to(get_device())
    model.train(training)
    if frozen:
        model.norm.eval()
    before = model.norm.running_mean.clone()
    n = sum(sizes)
    scores = torch.eye(3)[torch.arange(n) % 3] + 0.1
    targets = torch.where(
        torch.arange(n) < sizes[0], torch.arange(n) % 3, (torch.arange(n) + 1) % 3
    )
    batches = zip(scores.split(sizes), targets.split(sizes), strict=True)
    got = call(evaluate, {"model": model, "batches": batches}, changes=["model", "batches"])
    modes = [model.training, model.norm.training, model.drop.training]
    same = torch.equal(before, model.norm.running_mean)
    return got, modes, same, model.recorded


for frozen, training, sizes in (
    (False, True, [6, 6]),
    (False, False, [9, 2]),
    (True, True, [8, 8, 1]),
    (False, True, [12, 1]),
):
    got, modes, same, recorded = probe(watched, evaluate, frozen, training, sizes)
    assert_equal(
        [mode for mode, _ in recorded],
        [False] * len(sizes),
        what="Whether the model was in training mode during the measurement, per batch",
        hint="Call model.eval() first: otherwise dropout is still at work. One call of the model per "
        "batch is enough. See 'The loop, once more'.",
    )
    assert_equal(
        [gradients for _, gradients in recorded],
        [False] * len(sizes),
        what="Whether gradients were recorded, per batch",
        hint="Measure inside `with torch.no_grad():`, which saves time and memory.",
    )
    assert_equal(
        same,
        True,
        what="Whether the running means of batch normalization are as they were",
        hint="They move in training mode. Call model.eval() before the first batch.",
    )
    assert_close(
        got,
        sizes[0] / sum(sizes),
        what=f"The accuracy when all of the first of {len(sizes)} batches ({sizes} samples) is right",
        hint="Count right answers and samples over all batches, and divide once: the mean of the "
        "batches' accuracies is another number. See 'The loop, once more'.",
    )
    assert_equal(
        modes,
        [training, training and not frozen, training],
        what="The modes of model, norm and dropout after evaluate"
        + (", with norm frozen in evaluation mode before" if frozen else ""),
        hint="Note the mode of every module in model.modules() before, and put each back: "
        "model.train() at the end wakes what was frozen, and turns on what was off.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. Which mistakes
#
# Count every pair: a row per right class, a column per answer. Then read the table in both directions. The
# *recall* of a class is the share of its samples that were found, its *precision* the share of the answers
# with its name that are right. Where there is nothing to divide by, the share is `nan`: for a class that does
# not occur, nobody can say how many were found.


# %% nbgrader={"grade": false, "grade_id": "confusion", "locked": false, "schema_version": 3, "solution": true, "task": false}
def confusion(answers, targets, classes):
    """Count how often each class was answered for each class.

    Parameters
    ----------
    answers, targets : array_like of int, shape (n,)
        Classes, from 0 to classes - 1.
    classes : int

    Returns
    -------
    ndarray of int, shape (classes, classes)
        ``table[i, j]`` counts samples of class i that were called j.

    Example
    -------
    >>> confusion([0, 1, 1], [0, 0, 1], classes=3).tolist()
    [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
    """
    ### BEGIN SOLUTION
    table = np.zeros((classes, classes), dtype=int)
    np.add.at(table, (np.asarray(targets), np.asarray(answers)), 1)
    return table
    ### END SOLUTION


def precision_recall(table):
    """Compute precision and recall of each class.

    Parameters
    ----------
    table : ndarray of int, shape (k, k)
        As `confusion` returns it.

    Returns
    -------
    precision, recall : ndarray, shape (k,)
        nan where there is nothing to divide by.

    Example
    -------
    >>> precision, recall = precision_recall(np.array([[1, 1], [0, 2]]))
    >>> precision.round(3).tolist(), recall.tolist()
    ([1.0, 0.667], [0.5, 1.0])
    """
    ### BEGIN SOLUTION
    with np.errstate(invalid="ignore"):
        return np.diag(table) / table.sum(axis=0), np.diag(table) / table.sum(axis=1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-confusion", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    confusion,
    {"answers": np.array([0, 1, 1, 2]), "targets": np.array([0, 0, 1, 2]), "classes": 3},
    np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1]]),
    hint="A row per right class, a column per answer. Rows and columns the other way around: the target "
    "is the first index. See 'Which mistakes'.",
)
check(
    precision_recall,
    {"table": np.array([[3, 1], [2, 4]])},
    (np.array([0.6, 0.8]), np.array([0.75, 4 / 6])),
    hint="Precision divides by what was called so (the sum of a column), recall by what is so (the sum "
    "of a row). See 'Which mistakes'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-confusion-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: many samples, classes that do not occur, lists, repeated pairs.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check

rng = np.random.default_rng(1)
for n, classes in ((1, 1), (40, 3), (500, 10)):
    answers, targets = rng.integers(classes, size=(2, n))
    wanted = np.array(
        [[np.sum((targets == i) & (answers == j)) for j in range(classes)] for i in range(classes)]
    )
    for kind in (np.asarray, list):
        check(
            confusion,
            {"answers": kind(answers), "targets": kind(targets), "classes": classes},
            wanted,
            hint="Each sample counts once, also when the same pair comes again: table[i, j] += 1 with "
            "arrays i and j counts a repeated pair only once (np.add.at counts all). "
            "See 'Which mistakes'.",
        )
check(
    confusion,
    {"answers": [2, 2], "targets": [0, 2], "classes": 5},
    np.array([[0, 0, 1, 0, 0], [0] * 5, [0, 0, 1, 0, 0], [0] * 5, [0] * 5]),
    hint="The table has a row and a column for every class, also for those that do not occur.",
)
table = rng.integers(1, 50, size=(4, 4))
check(
    precision_recall,
    {"table": table},
    (np.diag(table) / table.sum(axis=0), np.diag(table) / table.sum(axis=1)),
    hint="Precision: a column. Recall: a row. See 'Which mistakes'.",
)
check(
    precision_recall,
    {"table": np.array([[4, 0, 1], [0, 0, 0], [2, 0, 3]])},
    (np.array([4 / 6, np.nan, 3 / 4]), np.array([4 / 5, np.nan, 3 / 5])),
    hint="Class 1 was neither answered nor there: both shares are 0 / 0, which is nan and not 0.",
)
check(
    precision_recall,
    {"table": np.array([[4, 2], [0, 0]])},
    (np.array([1.0, 0.0]), np.array([4 / 6, np.nan])),
    hint="Class 1 was answered twice and wrong each time: its precision is 0. It does not occur, so its "
    "recall is nan.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. Sure, and right?
#
# Sort the answers into bins by their confidence, which is the largest probability. In each bin, compare the
# mean confidence with the share of right answers. The *expected calibration error* is the mean of these gaps,
# each weighted by the share of samples in its bin. A bin without samples has no gap.
#
# The bins are $(0, 1/b]$, $(1/b, 2/b]$, … up to $((b-1)/b, 1]$: a confidence on an edge belongs to the
# bin below it.


# %% nbgrader={"grade": false, "grade_id": "calibration_error", "locked": false, "schema_version": 3, "solution": true, "task": false}
def calibration_error(probabilities, targets, bins=10):
    """Compute the expected calibration error.

    Parameters
    ----------
    probabilities : ndarray, shape (n, k)
        Each row adds up to 1.
    targets : ndarray of int, shape (n,)
    bins : int
        Bins of equal width from 0 to 1.

    Returns
    -------
    float

    Example
    -------
    >>> p = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    >>> round(calibration_error(p, np.array([0, 1, 0, 1])), 4)  # 2/4 * 0.4 + 1/4 * 0.4 + 1/4 * 0.2
    0.35
    """
    ### BEGIN SOLUTION
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == targets
    place = np.ceil(confidence * bins).astype(int)
    error = 0.0
    for number in np.unique(place):
        inside = place == number
        error += inside.mean() * abs(confidence[inside].mean() - right[inside].mean())
    return float(error)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-calibration_error", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    calibration_error,
    {
        "probabilities": np.array([[0.85, 0.15], [0.85, 0.15], [0.65, 0.35], [0.25, 0.75]]),
        "targets": np.array([0, 1, 0, 1]),
    },
    0.5 * 0.35 + 0.25 * 0.35 + 0.25 * 0.25,
    hint="Two answers at 85 %, of which one is right: a gap of 0.35, with half of the samples. One at "
    "65 %, right: 0.35. One at 75 %, right: 0.25. See 'How sure is sure?'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-calibration_error-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: many samples, several numbers of bins, edges, gaps of both signs, one class.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_keyword

rng = np.random.default_rng(2)


def reference(p, targets, bins):
    confidence, right = p.max(axis=1), p.argmax(axis=1) == targets
    total = 0.0
    for b in range(bins):
        inside = (confidence > b / bins) & (confidence <= (b + 1) / bins)
        if inside.any():
            total += inside.sum() * abs(confidence[inside].mean() - right[inside].mean())
    return total / len(targets)


# Too sure and not sure enough in turns, so that wide bins hide the gaps.
confidence = 0.5 + 0.5 * (np.arange(600) + 0.5) / 600
p = np.column_stack([confidence, 0.7 * (1 - confidence), 0.3 * (1 - confidence)])
targets = np.where((confidence * 20).astype(int) % 2 == 0, 0, 1 + (np.arange(600) % 2))
check_keyword(
    calibration_error,
    {"probabilities": p, "targets": targets},
    "bins",
    [(bins, reference(p, targets, bins)) for bins in (1, 8, 20)],
    hint="In each bin the gap between mean confidence and share of right answers, weighted by the share "
    "of all samples in it. See 'How sure is sure?'.",
)
p, targets = rng.dirichlet(np.full(4, 0.5), size=600), rng.integers(4, size=600)
check(
    calibration_error,
    {"probabilities": p, "targets": targets},
    reference(p, targets, 10),
    hint="Bins hold different numbers of samples, and each gap is weighted by its share of all. Without "
    "`bins` there are 10. See 'How sure is sure?'.",
)
edges = np.array(
    [[0.5, 0.25, 0.25], [0.375, 0.3125, 0.3125], [0.75, 0.125, 0.125], [0.625, 0.25, 0.125]]
)
check(
    calibration_error,
    {"probabilities": edges, "targets": np.array([0, 1, 1, 0]), "bins": 4},
    0.5 * 0.0625 + 0.5 * 0.1875,
    hint="0.5 and 0.75 lie on edges of four bins, and belong to the bins below them: 0.375 and 0.5 are "
    "together, and so are 0.625 and 0.75. In the first bin the network is less sure than right, in the "
    "second more: both are gaps, and do not cancel. See 'How sure is sure?'.",
)
check(
    calibration_error,
    {"probabilities": np.eye(3)[[0, 1, 2, 2]], "targets": np.array([0, 1, 2, 0])},
    0.25,
    hint="A confidence of 1 belongs to the last bin. An error of 0 here: these answers fell out of "
    "every bin.",
)
check(
    calibration_error,
    {"probabilities": np.array([[0.7, 0.3]]), "targets": np.array([1])},
    0.7,
    hint="One answer, at 70 % and wrong. Bins without samples count nothing: their mean would be nan.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. One number
#
# Divide all logits by a temperature $T$, and choose the $T$ at which the true classes are least surprising:
# the mean cross-entropy of `softmax(logits / T)` is smallest. Any method of searching will do if it comes
# within a hundredth of the best $T$ anywhere between 0.2 and 20. The loss has a single valley.


# %% nbgrader={"grade": false, "grade_id": "best_temperature", "locked": false, "schema_version": 3, "solution": true, "task": false}
def best_temperature(logits, targets):
    """Find the temperature at which the cross-entropy is smallest.

    Parameters
    ----------
    logits : ndarray, shape (n, k)
        Of samples that the network was not trained on.
    targets : ndarray of int, shape (n,)

    Returns
    -------
    float
        Between 0.2 and 20, to one part in a hundred.

    Example
    -------
    >>> logits = np.log(np.array([[0.75, 0.25]] * 4))  # a network that is right in three of four
    >>> round(best_temperature(3 * logits, np.array([0, 0, 0, 1])), 1)  # and three times too sure
    3.0
    """
    ### BEGIN SOLUTION
    rows = np.arange(len(targets))

    def surprise(log_t):
        z = logits / np.exp(log_t)
        z = z - z.max(axis=1, keepdims=True)
        return np.mean(np.log(np.exp(z).sum(axis=1)) - z[rows, targets])

    low, high = np.log(0.1), np.log(40.0)
    while high - low > 1e-4:
        left, right = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, right) if surprise(left) < surprise(right) else (left, high)
    return float(np.exp((low + high) / 2))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-best_temperature", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

logits = np.log(np.array([[0.75, 0.25]] * 4))
for times in (1.0, 3.0):
    check(
        best_temperature,
        {"logits": times * logits, "targets": np.array([0, 0, 0, 1])},
        times,
        rtol=0.02,
        what=f"The best temperature for a network that is right in 3 of 4 and says so, logits times {times:g}",
        hint="Divide the logits by T. Where they are three times too large, T is 3. 1/3: you multiplied. "
        "See 'How sure is sure?'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-best_temperature-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: many logits, too sure and not sure enough, large logits.
### BEGIN HIDDEN TESTS
import numpy as np
from scipy.optimize import minimize_scalar

from course_lib.exercises import assert_true, call, check

rng = np.random.default_rng(3)


def surprise(logits, targets, T):
    z = logits / T
    z = z - z.max(axis=1, keepdims=True)
    return np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(targets)), targets])


def best(logits, targets):
    ends = (np.log(0.05), np.log(60))
    found = minimize_scalar(lambda t: surprise(logits, targets, np.exp(t)), bounds=ends)
    return np.exp(found.x)


p = rng.dirichlet(np.full(5, 0.6), size=300)
targets = (rng.random((300, 1)) > p.cumsum(axis=1)).sum(axis=1)
for times in (0.3, 1.0, 2.5, 12.0):
    logits = times * np.log(p + 1e-12)
    check(
        best_temperature,
        {"logits": logits, "targets": targets},
        best(logits, targets),
        rtol=0.02,
        what=f"The best temperature for calibrated logits times {times:g}",
        hint="The temperature at which the mean cross-entropy is smallest; below 1 where the network is "
        "not sure enough. The largest accuracy does not help: it is the same at every T. "
        "See 'How sure is sure?'.",
    )
shifted = np.log(p + 1e-12) * 2.0 + rng.normal(0, 5000, size=(300, 1))
got = call(best_temperature, {"logits": shifted, "targets": targets})
assert_true(
    0.98 < got / best(np.log(p + 1e-12) * 2.0, targets) < 1.02,
    what=f"The best temperature ({got:.4g}) is the same when a number is added to all logits of a sample",
    hint="Softmax is the same then, if its largest logit is subtracted before exp: exp(700) overflows.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. What a person must look at
#
# A parcel whose digit is misread goes astray, which costs `miss`. A person who looks at it costs `look` and
# reads it right. So a person looks where the network's confidence is *below* a threshold, and the mean cost
# per parcel is (`look` times the number looked at, plus `miss` times the number misread among the rest)
# divided by the number of parcels.
#
# Choose the threshold on the validation set, among its own confidences and infinity (a person looks at
# everything); of several that cost the same there, the smallest. Then report what it costs on the test
# set.


# %% nbgrader={"grade": false, "grade_id": "choose_threshold", "locked": false, "schema_version": 3, "solution": true, "task": false}
def choose_threshold(validation, test, miss, look):
    """Choose a threshold of confidence, and measure what it costs.

    Parameters
    ----------
    validation, test : tuple of (confidence, right)
        Two arrays of shape (n,): the network's confidence in each answer, and whether the answer is
        right (bool).
    miss : float
        The cost of an answer that is wrong and that nobody looked at.
    look : float
        The cost of a person who looks at one.

    Returns
    -------
    threshold : float
        A person looks at every answer with a smaller confidence.
    cost : float
        The mean cost per sample of the test set, with this threshold.

    Example
    -------
    >>> validation = np.array([0.5, 0.7, 0.9, 0.95]), np.array([False, True, True, True])
    >>> test = np.array([0.6, 0.8, 0.99]), np.array([True, False, True])
    >>> choose_threshold(validation, test, miss=6.0, look=1.5)  # looks at the first, misses the second
    (0.7, 2.5)
    """

    ### BEGIN SOLUTION
    def cost(confidence, right, threshold):
        looked = confidence < threshold
        return np.mean(np.where(looked, look, np.where(right, 0.0, miss)))

    candidates = [*np.sort(validation[0]), np.inf]
    # min keeps the first of equals, which is the smallest.
    threshold = min(candidates, key=lambda t: cost(*validation, t))
    return float(threshold), float(cost(*test, threshold))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-choose_threshold", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    choose_threshold,
    {
        "validation": (np.array([0.5, 0.7, 0.9, 0.95]), np.array([False, True, True, True])),
        "test": (np.array([0.6, 0.8, 0.99]), np.array([True, False, True])),
        "miss": 6.0,
        "look": 1.5,
    },
    (0.7, 2.5),
    hint="A threshold of 0.7 sends the validation set's only mistake to a person. On the test set a "
    "person then looks at the first (1.5) and the second is missed (6): 7.5 / 3. A cost of 0.5 would "
    "be that of a threshold chosen on the test set itself. See 'Where to draw the line'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-choose_threshold-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: many parcels, costs at both ends, ties, sets that disagree.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check

rng = np.random.default_rng(4)


def cost(confidence, right, threshold, miss, look):
    looked = confidence < threshold
    return (look * looked.sum() + miss * np.sum(~looked & ~right)) / len(right)


def made(n, honest):
    confidence = rng.integers(50, 128, size=n) / 128
    return confidence, rng.random(n) < confidence**honest


for miss, look, honest in ((10.0, 1.0, 1), (3.0, 1.0, 2), (50.0, 2.0, 1), (2.0, 0.5, 0.5)):
    validation, test = made(80, honest), made(60, 3)
    candidates = [*np.unique(validation[0]), np.inf]
    prices = [cost(*validation, t, miss, look) for t in candidates]
    best = candidates[int(np.argmin(np.round(prices, 9)))]
    check(
        choose_threshold,
        {"validation": validation, "test": test, "miss": miss, "look": look},
        (best, cost(*test, best, miss, look)),
        hint="The threshold with the lowest cost on the validation set, of equals the smallest; the cost "
        "is that of the test set. A confidence equal to the threshold is not looked at. "
        "See 'Where to draw the line'.",
    )
some = np.array([0.6, 0.7, 0.8])
check(
    choose_threshold,
    {
        "validation": (some, np.zeros(3, bool)),
        "test": (some, some > 0.65),
        "miss": 9.0,
        "look": 1.0,
    },
    (np.inf, 1.0),
    hint="Where the network is always wrong, a person looks at everything: the threshold is infinite.",
)
check(
    choose_threshold,
    {"validation": (some, np.ones(3, bool)), "test": (some, some > 0.65), "miss": 9.0, "look": 1.0},
    (0.6, 3.0),
    hint="Where it is always right, nobody looks. No confidence is below the smallest of them, 0.6.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 7. The sorting office
#
# Now all of it with your own functions: a network learns from 1,000 careless photographs, its confidence is
# repaired on a second set, the threshold is chosen there, and a third set, never looked at before, shows what
# it was worth. This takes about ten seconds.

# %% nbgrader={"grade": false, "grade_id": "finale", "locked": true, "schema_version": 3, "solution": false, "task": false}
from course_lib import metrics
from course_lib.plotting import supervised as figures


def parcels(part, n, seed):
    pictures, shown = digits.photographed(part.X, part.y, n, seed)
    return torch.tensor(pictures), torch.tensor(shown)


def in_batches(data, size, generator=None):
    order = (
        torch.arange(len(data[0]))
        if generator is None
        else torch.randperm(len(data[0]), generator=generator)
    )
    return [(data[0][rows], data[1][rows]) for rows in order.split(size)]


def logits_of(model, data):
    with torch.no_grad():
        return model(data[0].to(device)).cpu().double().numpy(), data[1].numpy()


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


seed_everything(0)
parts = splits.split(*digits.load(), seed=0)
learn, check_set, judge = (
    parcels(part, n, seed)
    for seed, (part, n) in enumerate(zip(parts, (1000, 1500, 3000), strict=True))
)
model = nn.Sequential(nn.Linear(100, 128), nn.ReLU(), nn.Linear(128, 10)).to(device)
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
order = torch.Generator().manual_seed(0)
for epoch in range(60):
    mean = train_epoch(model, nn.functional.cross_entropy, optimizer, in_batches(learn, 32, order))
    if epoch % 20 == 19:
        print(
            f"epoch {epoch + 1}: loss {mean:.4f}, right {evaluate(model, in_batches(check_set, 256)):.1%}"
        )
model.eval()
(check_logits, check_targets), (logits, targets) = (
    logits_of(model, check_set),
    logits_of(model, judge),
)
T = best_temperature(check_logits, check_targets)


def confidences(logits, targets, T):
    p = softmax(logits / T)
    return p.max(axis=1), p.argmax(axis=1) == targets


print(f"temperature {T:.2f}")
for name, t in (("as trained", 1.0), ("repaired", T)):
    threshold, cost = choose_threshold(
        confidences(check_logits, check_targets, t),
        confidences(logits, targets, t),
        miss=10.0,
        look=1.0,
    )
    error = calibration_error(softmax(logits / t), targets)
    print(
        f"{name}: calibration error {error:.3f}, a person looks below {threshold:.2f}, "
        f"cost per parcel {cost:.3f}"
    )
wrong = np.mean(confidences(logits, targets, 1.0)[1] == 0)
print(f"nobody looks: {10 * wrong:.3f}, a person looks at everything: 1.000")
precision, recall = precision_recall(confusion(logits.argmax(axis=1), targets, 10))
print(f"hardest to find: {np.nanargmin(recall)}, recall {np.nanmin(recall):.1%}")
figures.diagrams(
    {
        "As trained": metrics.reliability(softmax(logits), targets),
        "Repaired": metrics.reliability(softmax(logits / T), targets),
    },
    [f"error {calibration_error(softmax(logits / t), targets):.3f}" for t in (1.0, T)],
)

# %% [markdown]
# **What you see.** The repaired network makes the same mistakes but says honestly how sure it is, so that its
# confidence can be read as a probability. The cheapest threshold picks nearly the same parcels either way:
# the order of the confidences has hardly changed, and an order is all that a threshold needs. But only the
# repaired one agrees with the costs, which say 0.9: a person is worth asking where the network errs more
# often than once in ten.
#
# ## Step 8. Three numbers
#
# *4 points, read by a person. About 120 words.*
#
# A colleague reports on her network: "It reads 91.3 percent of the 500 labeled parcels that we have. I
# trained it on 400 of them. With the other 100 I chose when to stop, then the temperature, then the
# threshold, and on these 100 the calibration error is 0.012 and the cost per parcel 0.31."
#
# 1. Two of these three numbers were measured on samples that decided something, and one also counts samples
#    that were trained on. Which is which, and in which direction is each wrong?
# 2. She can label no more than these 500. Describe how you would divide and use them to get one honest number
#    for the cost.
# 3. The honest number comes from few parcels. What would you report beside it?

# %% [markdown] nbgrader={"grade": true, "grade_id": "three-numbers", "locked": false, "points": 4, "schema_version": 3, "solution": true, "task": false}
# 1. 91.3 percent is over all 500, and 400 of them were trained on: too high. The calibration error and
#    the cost were measured on the 100 that chose the end of training, the temperature and the threshold:
#    both are too small, since each choice made them as small as chance allowed.
# 2. Three parts, shuffled: for instance 300 to train, 100 to choose all three, 100 kept away until the
#    end, used once for the cost. With so few, cross-validation is better: repeat it for five divisions,
#    each with its own choices, and average the five costs.
# 3. An interval: over the divisions, or by the bootstrap over the test parcels. With 100 parcels and some
#    ten mistakes, the number is uncertain by about a third.
#
# === BEGIN MARK SCHEME ===
# 1. **Two points.** One for the accuracy (trained on, too high). One for the other two (chosen on the
#    same samples, too small; half a point if the direction is missing).
# 2. **One point** for a part that is used once, after all choices; cross-validation with the choices
#    inside each fold earns it, too. Half a point if a set is kept apart and then used for one of the
#    choices.
# 3. **One point** for an interval or standard error, with a word on where it comes from (folds, seeds,
#    bootstrap, or the square root of the counts). Half for "more data".
# === END MARK SCHEME ===
