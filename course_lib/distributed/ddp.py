"""PyTorch's DistributedDataParallel on local processes: what is started, and what comes back.

Each process holds the whole network and a part of the batch. Its backward pass ends with an
all-reduce that gives every process the mean of all gradients.

References
----------
Li and others, "PyTorch Distributed: Experiences on Accelerating Data Parallel Training", 2020,
doi:10.14778/3415478.3415530.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from course_lib.distributed.launch import torchrun

__all__ = ["Case", "gradient", "network", "run"]

Case = tuple[list[int], list[float]]
"""Rows for each worker, in their order, and what each multiplies its mean loss by."""


def network(seed: int) -> nn.Module:
    """Make the network of the chapter: 64 pixels, 32 hidden units, 10 digits."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


def gradient(model: nn.Module) -> Tensor:
    """Return all gradients of a network, one after the other, shape (m,)."""
    return torch.cat([p.grad.flatten() for p in model.parameters()])


def run(
    X: NDArray[np.float32],
    y: NDArray[np.int64],
    cases: dict[str, Case],
    *,
    workers: int = 2,
    micro: int = 0,
) -> dict[str, Any]:
    """Compute gradients of a batch with DDP on local processes.

    Parameters
    ----------
    X, y : ndarray of shape (n, 64), (n,)
        The global batch.
    cases : dict of str to (rows, factors)
        How many rows each worker takes, and by what it multiplies the mean loss of its rows.
    workers : int
        Processes.
    micro : int
        If not 0, each worker also goes through its equal share in micro-batches of so many rows,
        and is in touch with the others only for the last of them.

    Returns
    -------
    dict
        ``"gradients"``: by case, an array of shape (workers, m) with what every worker then holds.
        ``"start"``: the weights after wrapping, shape (workers, m), though each worker drew its
        own. ``"ring"`` and ``"library"``: an array summed by `ring.over_gloo` and by
        `torch.distributed.all_reduce`, each of shape (workers, 1003), and ``"sent"``, the bytes
        that each worker sent in the ring. With `micro` also ``"accumulated"``.
    """
    for name, (rows, factors) in cases.items():
        if len(rows) != workers or len(factors) != workers or sum(rows) != len(y):
            raise ValueError(
                f"{name}: {workers} workers need {workers} counts that add up to the {len(y)} rows "
                f"of the batch, and as many factors, but came {rows} and {factors}."
            )
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "batch.npz", X=X, y=y)
        (Path(folder) / "cases.json").write_text(json.dumps({"cases": cases, "micro": micro}))
        torchrun("course_lib.distributed.ddp", [folder], workers=workers)
        parts = [torch.load(Path(folder) / f"rank-{rank}.pt") for rank in range(workers)]
    found: dict[str, Any] = {
        name: np.stack([part[name].numpy() for part in parts])
        for name in parts[0]
        if isinstance(parts[0][name], Tensor)
    }
    found["sent"] = [part["sent"] for part in parts]
    found["gradients"] = {
        name: np.stack([part["gradients"][name].numpy() for part in parts]) for name in cases
    }
    return found


def one_step(model: nn.Module, X: Tensor, y: Tensor, factor: float) -> Tensor:
    """Run a worker's forward and backward pass; DDP averages the gradients on the way."""
    model.zero_grad()
    loss = factor * cross_entropy(model(X), y)
    loss.backward()
    return gradient(model)


def accumulated(
    model: nn.parallel.DistributedDataParallel, X: Tensor, y: Tensor, micro: int
) -> Tensor:
    """Add the gradients of micro-batches, and speak to the others only for the last."""
    model.zero_grad()
    pieces = list(zip(X.split(micro), y.split(micro), strict=True))
    for inputs, targets in pieces[:-1]:
        with model.no_sync():
            (cross_entropy(model(inputs), targets, reduction="sum") / len(y)).backward()
    inputs, targets = pieces[-1]
    (cross_entropy(model(inputs), targets, reduction="sum") / len(y)).backward()
    return gradient(model)


def _work(folder: Path) -> None:
    """Be one of the processes."""
    from torch import distributed

    from course_lib.distributed.ring import over_gloo

    rank, workers = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=workers
    )
    model = nn.parallel.DistributedDataParallel(network(seed=rank))
    batch = np.load(folder / "batch.npz")
    X, y = torch.tensor(batch["X"]), torch.tensor(batch["y"])
    asked = json.loads((folder / "cases.json").read_text())
    found: dict[str, Any] = {"start": nn.utils.parameters_to_vector(model.parameters()).detach()}
    found["gradients"] = {
        name: one_step(model, X.split(rows)[rank], y.split(rows)[rank], factors[rank])
        for name, (rows, factors) in asked["cases"].items()
    }
    if asked["micro"]:
        mine = slice(rank * len(y) // workers, (rank + 1) * len(y) // workers)
        found["accumulated"] = accumulated(model, X[mine], y[mine], asked["micro"])
    array = np.random.default_rng(rank).normal(size=1003)
    found["library"] = torch.tensor(array)
    distributed.all_reduce(found["library"])
    found["sent"] = over_gloo(array)
    found["ring"] = torch.tensor(array)
    torch.save(found, folder / f"rank-{rank}.pt")
    distributed.destroy_process_group()


if __name__ == "__main__":
    _work(Path(sys.argv[1]))
