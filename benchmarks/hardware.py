"""What the pages say of time, measured on this machine: ratios of two things timed side by side.

    python benchmarks/hardware.py

Pages print times and assert none, because a busy machine or another processor would decide. Here
each sentence of a page that speaks of time stands beside the ratio that it promises. A machine may
well be an exception: one without vector units multiplies so slowly that even a batch of 16 waits
for arithmetic. Exit status 1 says that it is.

Rivals take turns, so that a busy machine slows all of them alike, and the fastest of several
rounds counts.
"""

# ruff: noqa: E402
import os

# Before NumPy, PyTorch and TensorFlow are imported, which read it once.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import importlib.util
import itertools
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from course_lib import get_device
from course_lib.data import streams
from course_lib.hardware import ceilings
from course_lib.hardware.timing import seconds
from course_lib.models.diffusion import Denoiser, Schedule, sample
from course_lib.training import fit

ROUNDS = 5
N = 4096  # inputs and outputs of the layer on the page about GPUs


@dataclass(frozen=True)
class Promise:
    """A sentence of a page: how many times as long `slow` takes as `fast`, at least or at most."""

    page: str
    sentence: str
    slow: Callable[[], object]
    fast: Callable[[], object]
    at_least: float = 0.0
    at_most: float = float("inf")
    work: float = 1.0  #: FLOPs or bytes of `slow` over those of `fast`: what a rate divides by

    def ratio(self, device: torch.device) -> float:
        """Measure both in turns, and return the ratio of their fastest rounds."""
        best = [float("inf"), float("inf")]
        for _ in range(ROUNDS):
            for i, run in enumerate((self.slow, self.fast)):
                best[i] = min(best[i], seconds(run, device, least=0.005, repeats=3))
        return best[0] / best[1] / self.work

    def kept(self, ratio: float) -> bool:
        """Whether this machine keeps the promise."""
        return self.at_least <= ratio <= self.at_most


# The sentences, page by page ----------------------------------------------------------------------


def of_gpus(device: torch.device) -> list[Promise]:
    """Return what the page about GPUs says: of products, sums, batches, kernels."""
    a, b = torch.rand(2, 800, 800, device=device)
    x, y = torch.rand(2, 32_000_000, device=device)
    out = torch.empty_like(x)
    w = torch.rand(N, N, device=device)
    rows = {size: torch.rand(size, N, device=device) for size in (1, 16, 64, 256)}
    z = torch.linspace(-9, 9, 16_000_000, device=device)
    network = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 64)).to(device)
    optimizer = torch.optim.Adam(network.parameters())
    pictures = torch.rand(512, 64, device=device)
    narrow, wide = torch.rand(512, 32, device=device), torch.rand(64, 32, device=device)

    def triad(working_set: int) -> Callable[[], object]:
        one, two, three = (torch.ones(working_set // 12, device=device) for _ in range(3))
        return lambda: torch.add(two, three, alpha=0.5, out=one)

    def step() -> None:
        optimizer.zero_grad()
        (network(pictures) - pictures).square().mean().backward()
        optimizer.step()

    def products() -> None:  # those of the step: two forward, three backward
        narrow @ wide.T, pictures @ wide
        narrow.T @ pictures, pictures @ wide, narrow.T @ pictures

    memory, cache = ceilings.WORKING_SETS[-1], ceilings.WORKING_SETS[2]
    found = [
        Promise(
            "gpus",
            "The product runs many times as fast [as the sum of arrays].",
            lambda: torch.add(x, y, alpha=0.5, out=out),
            lambda: a @ b,
            at_least=4,
            work=2 * len(x) / (2 * 800**3),
        ),
        Promise(
            "gpus",
            "Sixteen rows take far less than sixteen times as long as one.",
            lambda: rows[16] @ w,
            lambda: rows[1] @ w,
            at_most=8,
        ),
        Promise(
            "gpus",
            "Well beyond the ridge, the time grows with the rows [256 after 64].",
            lambda: rows[256] @ w,
            lambda: rows[64] @ w,
            at_least=1.8,
        ),
        Promise(
            "gpus",
            "Three kernels move six arrays, one moves two.",
            lambda: z.div_(6).add_(0.5).clamp_(0, 1),
            lambda: F.hardsigmoid(z, inplace=True),
            at_least=1.25,
        ),
        Promise(
            "gpus",
            "Of the time [of a step of a small network] the products take the smaller part.",
            step,
            products,
            at_least=2,
        ),
    ]
    if device.type == "cpu":
        found.append(
            Promise(
                "gpus",
                "Data that fit into a cache move faster than data that do not.",
                triad(memory),
                triad(cache),
                at_least=1.1,
                work=memory / cache,
            )
        )
    return found


def of_data(device: torch.device) -> list[Promise]:
    """Return what training on rows from files takes beside training on rows in memory."""
    rng = np.random.default_rng(0)
    stored, shown = rng.integers(0, 256, (24_000, 100), np.uint8), rng.integers(0, 10, 24_000)
    store = tempfile.TemporaryDirectory()
    shards = streams.write_shards(Path(store.name, "mixed"), [(stored, shown)], rows=1000)

    def tensors(pictures: np.ndarray, labels: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.from_numpy(pictures).float() / 85 - 1, torch.from_numpy(labels)

    def learn(data: object) -> None:
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(100, 64), nn.ReLU(), nn.Linear(64, 10)).to(device)
        optimizer = torch.optim.Adam(model.parameters(), 5e-3)
        fit(model, F.cross_entropy, optimizer, data, epochs=1, batch_size=200, seed=0)

    def from_disk(_kept: object = store) -> None:  # the folder lives as long as this function
        learn(streams.Batches(shards, 200, transform=tensors, buffer=500, seed=0))

    return [
        Promise(
            "data",
            "[From disk] the accuracy is the same, and the time not much longer.",
            from_disk,
            lambda: learn(tensors(stored, shown)),
            at_most=2,
        )
    ]


def of_diffusion(device: torch.device) -> list[Promise]:
    """Return what drawing in twenty passes takes beside drawing in one."""
    generator = nn.Sequential(
        nn.Linear(16, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 64)
    ).to(device)
    model, schedule = Denoiser(64, 160, num_classes=10).to(device), Schedule(steps=100)
    noise, z = torch.randn(1000, 16, device=device), torch.randn(1000, 64, device=device)

    @torch.no_grad()
    def gan() -> None:
        generator(noise)

    return [
        Promise(
            "diffusion",
            "A GAN draws with one pass. Here a drawing takes 20, and each costs more.",
            lambda: sample(model, schedule, z, 20),
            gan,
            at_least=20,
        )
    ]


def of_compute(device: torch.device) -> list[Promise]:
    """Return what a product with a pruned matrix takes beside one with a dense one."""
    batch, dense = torch.randn(1000, 144, device=device), torch.randn(256, 144, device=device)
    pruned = torch.where(dense.abs() < dense.abs().quantile(0.8), 0.0, dense)
    return [
        Promise(
            "compute",
            "[Of a matrix with four fifths zeros:] the same FLOPs, and about the same time.",
            lambda: batch @ pruned.T,
            lambda: batch @ dense.T,
            at_least=0.7,
            at_most=1.4,
        )
    ]


def of_frameworks(device: torch.device) -> list[Promise]:
    """Return what tracing a function anew takes beside calling it."""
    if importlib.util.find_spec("tensorflow") is None:
        print("frameworks is left out: tensorflow missing")
        return []
    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")  # it warns of retracing, which is what we measure

    @tf.function
    def scaled(x, factor):
        return factor * x

    x, new = tf.ones(3), itertools.count()
    scaled(x, -1)
    return [
        Promise(
            "frameworks",
            "Each retracing takes several times as long as running so small a graph.",
            lambda: scaled(x, next(new)),
            lambda: scaled(x, -1),
            at_least=3,
        )
    ]


def main() -> int:
    """Measure and print every promise; return 1 if this machine breaks one."""
    torch.set_num_threads(1)
    device = get_device()
    broken = 0
    print(f"{'page':12}{'promised':>12}{'measured':>10}  sentence")
    for of_page in (of_gpus, of_data, of_diffusion, of_compute, of_frameworks):
        for promise in of_page(device):
            ratio = promise.ratio(device)
            bounds = [
                f"{word} {limit:g}"
                for word, limit in (("≥", promise.at_least), ("≤", promise.at_most))
                if 0 < limit < float("inf")
            ]
            mark = "" if promise.kept(ratio) else "   not on this machine"
            broken += not promise.kept(ratio)
            print(
                f"{promise.page:12}{' '.join(bounds):>12}{ratio:10.2f}  {promise.sentence}{mark}",
                flush=True,
            )
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
