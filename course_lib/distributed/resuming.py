"""Kill a training in the middle, take it up again, and see what a checkpoint must hold.

The training is `course_lib.training.fit`, which writes a checkpoint after each epoch. The network
has dropout and the optimizer momentum, so that four things change from step to step: the weights,
the optimizer's state, the generator that shuffles, and the one that drops.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from course_lib.data import digits, splits
from course_lib.training import fit

__all__ = ["PARTS", "kill_while_training", "train", "without"]

#: What can be missing from a checkpoint, and what it then begins with.
PARTS = ("optimizer", "order", "dropout")


def train(path: Path | None, epochs: int, *, tell: bool = False) -> Tensor:
    """Train on digits, from the checkpoint if there is one.

    Parameters
    ----------
    path : Path or None
        The checkpoint, read at the start and written after each epoch.
    epochs : int
        Counted from the beginning of the first run.
    tell : bool
        Print a line when the steps of an epoch are done, before its checkpoint is written, and go
        on when a line comes in.

    Returns
    -------
    Tensor, shape (m,)
        All weights, one after the other.
    """
    torch.set_num_threads(1)  # sums in the same order, wherever it runs
    torch.manual_seed(0)
    part = splits.split(*digits.load(), seed=0).train
    data = torch.tensor(part.X, dtype=torch.float32), torch.tensor(part.y)
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)

    def told(*_: Tensor) -> float:
        print("the steps of an epoch", flush=True)
        sys.stdin.readline()
        return 0.0

    spoken = {"validation": data, "metrics": {"told": told}} if tell else {}
    fit(
        model,
        nn.functional.cross_entropy,
        optimizer,
        data,
        epochs=epochs,
        checkpoint=path,
        progress=False,
        **spoken,
    )
    return nn.utils.parameters_to_vector(model.parameters()).detach()


def kill_while_training(path: Path, after: int, *, limit: float = 60) -> int:
    """Start a training in a process of its own and kill it in the middle, without a warning.

    It is killed between the last step of an epoch and its checkpoint, which is therefore that of
    the epoch before, on machines of any speed.

    Parameters
    ----------
    path : Path
        Where it writes its checkpoints.
    after : int
        The epoch, from 1, after whose last step it is killed.
    limit : float
        Seconds to wait for them.

    Returns
    -------
    int
        What became of the process: minus the number of the signal, -9 (on Windows 1).

    Raises
    ------
    RuntimeError
        If it ended before, with what it said.
    """
    command = [sys.executable, "-m", "course_lib.distributed.resuming", str(path), str(limit)]
    process = subprocess.Popen(
        command,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for epoch in range(after):
            if not process.stdout.readline():
                raise RuntimeError(
                    f"It ended in epoch {epoch + 1}:\n{process.stderr.read()[-2000:]}"
                )
            if epoch + 1 < after:
                process.stdin.write("go on\n")
                process.stdin.flush()
    finally:
        process.kill()  # SIGKILL: it has no chance to tidy up
        process.communicate()
    return process.returncode


def without(path: Path, part: str, copy: Path) -> Path:
    """Write a copy of a checkpoint in which one part is as it was before the first step.

    Parameters
    ----------
    path : Path
        A checkpoint of `train`.
    part : {"optimizer", "order", "dropout"}
        The momentum, the state of the generator that shuffles, or of the one that drops.
    copy : Path
        Where to write.

    Returns
    -------
    Path
        `copy`.
    """
    if part not in PARTS:
        raise ValueError(f"part must be one of {', '.join(PARTS)}, but is {part!r}.")
    state = torch.load(path, weights_only=False)
    if part == "optimizer":
        state["parts"]["optimizer"]["state"] = {}
    else:
        generator = torch.Generator().manual_seed(0)
        state["random"]["order" if part == "order" else "torch"] = generator.get_state()
    torch.save(state, copy)
    return copy


if __name__ == "__main__":
    # If nobody kills it, it ends by itself.
    if hasattr(signal, "alarm"):
        signal.alarm(round(float(sys.argv[2])))
    train(Path(sys.argv[1]), 10_000, tell=True)
