"""Our framework beside PyTorch, NumPy and a scalar engine, in one run on one thread.

    python benchmarks/scratch.py

Three questions: how long one epoch on digits takes (1,437 images, a network of 64, 128 and 10
units, batches of 64, plain gradient descent) with our engine, with PyTorch, and with an engine
that makes a node of every number, as micrograd does; how much the engine adds to the three
products of a 1024 x 1024 matrix product and its gradients; and whether the limits that the project
has set itself are kept (exit status 1 if not).

Rivals take turns, so that a busy machine slows all of them alike, and the fastest of several
rounds counts.
"""

# ruff: noqa: E402
import os

# Before NumPy and PyTorch are imported, which read it once.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import gc
import math
import sys
import time
from collections.abc import Callable
from itertools import chain

import numpy as np
import torch
from sklearn.datasets import load_digits

from course_lib.scratch.layers import Linear, ReLU, Sequential
from course_lib.scratch.losses import cross_entropy
from course_lib.scratch.tensor import Tensor

BATCH, RATE = 64, 0.1
AT_MOST_TIMES_PYTORCH = 3.0
AT_LEAST_TIMES_FASTER_THAN_SCALARS = 100.0
AT_MOST_TIMES_NUMPY = 1.2


# One epoch, three ways ----------------------------------------------------------------------------


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Return four fifths of the digits: images of shape (1437, 64) and their classes."""
    pixels, labels = load_digits(return_X_y=True)
    return (pixels / 16).astype(np.float32)[:1437], labels[:1437]


def starting_weights(rng: np.random.Generator) -> list[np.ndarray]:
    """Return W1, b1, W2, b2, the same for every engine."""
    network = Sequential(Linear(64, 128, rng=rng), ReLU(), Linear(128, 10, rng=rng))
    return [p.data.astype(np.float32) for p in network.parameters()]


def epoch_with_ours(X: np.ndarray, y: np.ndarray, weights: list[np.ndarray]) -> float:
    """Train for one epoch with `course_lib.scratch`, and return the last batch's loss."""
    network = Sequential(Linear(64, 128), ReLU(), Linear(128, 10))
    for parameter, start in zip(network.parameters(), weights, strict=True):
        parameter.data = start.copy()
    parameters = list(network.parameters())
    for first in range(0, len(X), BATCH):
        loss = cross_entropy(network(X[first : first + BATCH]), y[first : first + BATCH])
        network.zero_grad()
        loss.backward()
        for parameter in parameters:
            parameter.data -= RATE * parameter.grad
    return loss.item()


def epoch_with_pytorch(X: np.ndarray, y: np.ndarray, weights: list[np.ndarray]) -> float:
    """Train for one epoch with PyTorch, and return the last batch's loss."""
    network = torch.nn.Sequential(
        torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10)
    )
    with torch.no_grad():
        for parameter, start in zip(network.parameters(), weights, strict=True):
            parameter.copy_(torch.tensor(start.T))
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE)
    images, labels = torch.from_numpy(X), torch.from_numpy(y)
    for first in range(0, len(X), BATCH):
        logits = network(images[first : first + BATCH])
        loss = torch.nn.functional.cross_entropy(logits, labels[first : first + BATCH])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


class Value:
    """One number that remembers how it was computed, in micrograd's manner."""

    __slots__ = ("_backward", "_parents", "data", "grad")

    def __init__(self, data: float, parents: tuple["Value", ...] = ()):
        self.data, self.grad = data, 0.0
        self._parents = parents
        self._backward: Callable[[], None] = lambda: None

    def __add__(self, other: "Value") -> "Value":
        out = Value(self.data + other.data, (self, other))

        def backward() -> None:
            self.grad += out.grad
            other.grad += out.grad

        out._backward = backward
        return out

    def __mul__(self, other: "Value") -> "Value":
        out = Value(self.data * other.data, (self, other))

        def backward() -> None:
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = backward
        return out

    def relu(self) -> "Value":
        """Keep the number if it is positive."""
        out = Value(max(self.data, 0.0), (self,))

        def backward() -> None:
            self.grad += (out.data > 0) * out.grad

        out._backward = backward
        return out

    def exp(self) -> "Value":
        """Return the exponential."""
        out = Value(math.exp(self.data), (self,))

        def backward() -> None:
            self.grad += out.data * out.grad

        out._backward = backward
        return out

    def log(self) -> "Value":
        """Return the natural logarithm."""
        out = Value(math.log(self.data), (self,))

        def backward() -> None:
            self.grad += out.grad / self.data

        out._backward = backward
        return out

    def backward(self) -> None:
        """Compute the slope of this number in all that it depends on."""
        order, entered, stack = [], set(), [(self, False)]
        while stack:
            value, parents_are_listed = stack.pop()
            if parents_are_listed:
                order.append(value)
            elif value not in entered:
                entered.add(value)
                stack.append((value, True))
                stack.extend((parent, False) for parent in value._parents)
        self.grad = 1.0
        for value in reversed(order):
            value._backward()


def batch_with_scalars(X: np.ndarray, y: np.ndarray, weights: list[np.ndarray]) -> float:
    """Take one step of gradient descent with a node for every number; return the loss."""

    def values(array: np.ndarray) -> list:
        return [values(row) if row.ndim else Value(float(row)) for row in array]

    def layer(x: list, W: list, b: list) -> list:
        return [
            sum((x[i] * W[i][j] for i in range(1, len(x))), x[0] * W[0][j]) + b[j]
            for j in range(len(b))
        ]

    W1, b1, W2, b2 = (values(array) for array in weights)
    total = Value(0.0)
    for row, label in zip(X, y, strict=True):
        hidden = [z.relu() for z in layer([Value(float(pixel)) for pixel in row], W1, b1)]
        logits = layer(hidden, W2, b2)
        exponentials = [z.exp() for z in logits]
        total = total + sum(exponentials[1:], exponentials[0]).log() + logits[label] * Value(-1.0)
    loss = total * Value(1 / len(X))
    loss.backward()
    for parameter in chain(*W1, b1, *W2, b2):
        parameter.data -= RATE * parameter.grad
    return loss.data


# One large product --------------------------------------------------------------------------------


def products_with_numpy(a: np.ndarray, b: np.ndarray, slopes: np.ndarray) -> None:
    """Compute a product, and the two products that are its gradients."""
    a @ b
    slopes @ b.T
    a.T @ slopes


def products_with_ours(a: Tensor, b: Tensor, slopes: np.ndarray) -> None:
    """Compute the same three products as a forward and a backward pass."""
    a.grad = b.grad = None
    (a @ b).backward(slopes)


# Taking turns -------------------------------------------------------------------------------------


def seconds(function: Callable[[], object]) -> float:
    """Time one call, without the garbage collector, which would hit the scalar engine hardest."""
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        function()
        return time.perf_counter() - start
    finally:
        gc.enable()


def fastest(rivals: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Let the rivals take turns, and return each one's best time in seconds."""
    times: dict[str, list[float]] = {name: [] for name in rivals}
    for rival in rivals.values():
        rival()  # warm: caches, lazy imports, memory
    for _ in range(rounds):
        for name, rival in rivals.items():
            times[name].append(seconds(rival))
    return {name: min(runs) for name, runs in times.items()}


def main() -> int:
    """Measure, print, and tell whether the limits are kept."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    X, y = digits()
    weights = starting_weights(rng)

    ours, theirs = epoch_with_ours(X, y, weights), epoch_with_pytorch(X, y, weights)
    assert math.isclose(ours, theirs, rel_tol=1e-4), f"the engines disagree: {ours}, {theirs}"
    few = 8
    loss = batch_with_scalars(X[:few], y[:few], weights)
    network = Sequential(Linear(64, 128), ReLU(), Linear(128, 10))
    for parameter, start in zip(network.parameters(), weights, strict=True):
        parameter.data = start
    ours = cross_entropy(network(X[:few]), y[:few]).item()
    assert math.isclose(ours, loss, rel_tol=1e-4), f"the engines disagree: {ours}, {loss}"

    epoch = fastest(
        {
            "ours": lambda: epoch_with_ours(X, y, weights),
            "PyTorch": lambda: epoch_with_pytorch(X, y, weights),
        },
        rounds=20,
    )
    scalars = seconds(lambda: batch_with_scalars(X[:few], y[:few], weights)) * len(X) / few
    print("One epoch of a 64-128-10 network on digits, batches of 64, float32, one thread")
    print(f"  PyTorch            {1e3 * epoch['PyTorch']:9.1f} ms")
    print(f"  ours               {1e3 * epoch['ours']:9.1f} ms")
    print(f"  a node a number    {1e3 * scalars:9.0f} ms   ({few} images, scaled to {len(X)})")
    to_pytorch = epoch["ours"] / epoch["PyTorch"]
    to_scalars = scalars / epoch["ours"]
    print(f"  ours / PyTorch     {to_pytorch:9.2f}      at most {AT_MOST_TIMES_PYTORCH:g}")
    print(
        f"  scalars / ours     {to_scalars:9.0f}      at least "
        f"{AT_LEAST_TIMES_FASTER_THAN_SCALARS:g}"
    )

    a, b, slopes = (rng.normal(size=(1024, 1024)) for _ in range(3))
    a_tensor, b_tensor = Tensor(a, requires_grad=True), Tensor(b, requires_grad=True)
    product = fastest(
        {
            "NumPy": lambda: products_with_numpy(a, b, slopes),
            "ours": lambda: products_with_ours(a_tensor, b_tensor, slopes),
        },
        rounds=20,
    )
    to_numpy = product["ours"] / product["NumPy"]
    print("\nA 1024 x 1024 product and its two gradients, float64, one thread")
    print(f"  NumPy              {1e3 * product['NumPy']:9.1f} ms")
    print(f"  ours               {1e3 * product['ours']:9.1f} ms")
    print(f"  ours / NumPy       {to_numpy:9.2f}      at most {AT_MOST_TIMES_NUMPY:g}")

    kept = (
        to_pytorch <= AT_MOST_TIMES_PYTORCH
        and to_scalars >= AT_LEAST_TIMES_FASTER_THAN_SCALARS
        and to_numpy <= AT_MOST_TIMES_NUMPY
    )
    print("\nAll limits kept." if kept else "\nA limit is broken.")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
