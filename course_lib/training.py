"""The training loop in PyTorch: `fit` learns, `evaluate` measures, a killed run goes on exactly.

The middle of `fit` is the loop of Part I (a batch, its loss, the gradients, a step). Around it
stands what longer runs need: a validation set, early stopping, gradient clipping, schedules, mixed
precision, a progress bar, checkpoints.
"""

from __future__ import annotations

import copy
import math
import os
import random
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["History", "batches", "evaluate", "evaluating", "fit", "measuring", "predict"]

Loss = Callable[[Any, Any], Tensor]
Metric = Callable[[Any, Any], float]

#: Raise this when a checkpoint of today could not be read by the code of yesterday.
_FORMAT = 1


class History(dict[str, list[float]]):
    """What happened in training: the name of a quantity, and its value after each epoch.

    `fit` writes ``"loss"`` (the mean over the samples of the epoch, while the weights moved),
    ``"learning_rate"`` (at the end of the epoch), and, with a validation set,
    ``"validation_loss"`` and ``"validation_<name>"`` for each metric.
    """

    def plot(self) -> Any:
        """Draw each loss against the epoch, and each other quantity of validation beside it.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from course_lib.plotting.training import history

        return history(self)


def fit(
    model: nn.Module,
    loss: Loss,
    optimizer: torch.optim.Optimizer,
    data: Any,
    *,
    epochs: int,
    batch_size: int = 32,
    validation: Any = None,
    metrics: Mapping[str, Metric] | None = None,
    scheduler: Any = None,
    clip: float | None = None,
    patience: int | None = None,
    mixed_precision: bool = False,
    seed: int = 0,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: bool | None = None,
) -> History:
    """Train a network, and return how it went.

    Batches are moved to the device that the model's parameters are on. After training the model
    is in evaluation mode.

    Parameters
    ----------
    model : nn.Module
        ``model(inputs)`` gives what `loss` compares with the targets.
    loss : callable
        ``loss(outputs, targets)`` returns a scalar tensor, a mean over the batch.
    optimizer : torch.optim.Optimizer
        Made with the model's parameters, after the model was moved to its device.
    data : (inputs, targets) or DataLoader
        A tuple of two tensors with one sample per row (arrays are converted), shuffled anew in
        each epoch; or anything that gives such pairs batch by batch each time it is gone through.
    epochs : int
        How often to go through the samples, counted from the first run of a checkpoint.
    batch_size : int
        Samples per step, where `data` is two tensors; the last batch may be smaller.
    validation : (inputs, targets) or DataLoader, optional
        Samples to measure on after each epoch, without learning from them.
    metrics : mapping of str to callable, optional
        ``metric(outputs, targets)`` on all outputs of the validation set at once, as tensors on
        the CPU: a mean over batches of unequal size would be another number.
    scheduler : torch.optim.lr_scheduler.LRScheduler, optional
        Stepped after each step of the optimizer; a `ReduceLROnPlateau` after each epoch, with the
        validation loss (the training loss where there is no validation).
    clip : float, optional
        Gradients are scaled down together so that the norm of all of them is at most this.
    patience : int, optional
        Stop after this many epochs in a row without a new lowest validation loss. The model ends
        with the weights of the epoch with the lowest, also when training was not cut short.
    mixed_precision : bool
        Compute in 16 bits where the device is a CUDA card: in bfloat16, or in float16 with a
        scaled loss where the card is too old for it. On other devices nothing changes.
    seed : int
        Decides the order of the samples, where `data` is two tensors.
    checkpoint : path, optional
        A file that is written after each epoch. If it is there at the start, training goes on from
        it, with the same result to the last bit as if it had never stopped.
    progress : bool, optional
        Show a bar with the loss and the time left; by default in a terminal, and nowhere else.

    Returns
    -------
    History
        One value per epoch for each quantity. If the loss stops being finite, training ends with
        that epoch.

    Raises
    ------
    ValueError
        If inputs and targets differ in length or are empty, the optimizer holds none of the
        model's parameters, a number makes no sense, `patience` comes without `validation`, or the
        checkpoint is of another model.

    Examples
    --------
    >>> _ = torch.manual_seed(0)
    >>> x = torch.linspace(-1, 1, 20)[:, None]
    >>> line = nn.Linear(1, 1)
    >>> optimizer = torch.optim.SGD(line.parameters(), lr=0.1)
    >>> history = fit(line, nn.functional.mse_loss, optimizer, (x, 3 * x), epochs=50, batch_size=5)
    >>> round(line.weight.item(), 2), len(history["loss"])
    (3.0, 50)
    """
    _check(model, optimizer, epochs, batch_size, validation, clip, patience)
    device = _device(model)
    generator = torch.Generator().manual_seed(seed)
    dtype, scaler = _precision(device, mixed_precision)
    run = _Run(model, optimizer, scheduler, scaler, generator)
    if checkpoint is not None:
        run.resume(Path(checkpoint))
    with _bar(progress, epochs, len(run.history["loss"])) as report:
        while not run.done and len(run.history["loss"]) < epochs:
            model.train()
            total, seen = 0.0, 0
            for inputs, targets in batches(data, batch_size, generator):
                inputs, targets = _to(inputs, device), _to(targets, device)
                optimizer.zero_grad()
                with _autocast(device, dtype):
                    error = loss(model(inputs), targets)
                count = _count(inputs)
                total, seen = total + error.item() * count, seen + count
                if not math.isfinite(total):
                    break
                scaler.scale(error).backward()
                if clip is not None:
                    scaler.unscale_(optimizer)
                    nn.utils.clip_grad_norm_(model.parameters(), clip)
                scaler.step(optimizer)
                scaler.update()
                if scheduler is not None and not _on_plateau(scheduler):
                    scheduler.step()
            epoch = {"loss": total / seen, "learning_rate": optimizer.param_groups[0]["lr"]}
            if validation is not None:
                measured = evaluate(
                    model, loss, validation, metrics, batch_size=max(batch_size, 256)
                )
                epoch |= {f"validation_{name}": value for name, value in measured.items()}
            if _on_plateau(scheduler):
                scheduler.step(epoch.get("validation_loss", epoch["loss"]))
            run.record(epoch, patience)
            if checkpoint is not None:
                run.save(Path(checkpoint))
            report(epoch)
    if run.best is not None:
        model.load_state_dict(run.best)
    model.eval()
    return run.history


def evaluate(
    model: nn.Module,
    loss: Loss,
    data: Any,
    metrics: Mapping[str, Metric] | None = None,
    *,
    batch_size: int = 256,
) -> dict[str, float]:
    """Measure a network: its mean loss per sample, and metrics of all its outputs.

    Parameters
    ----------
    model : nn.Module
        Measured in evaluation mode and without gradients, and left in the mode that it was in.
    loss : callable
        ``loss(outputs, targets)`` returns a scalar tensor, a mean over the batch.
    data : (inputs, targets) or DataLoader
        As in `fit`.
    metrics : mapping of str to callable, optional
        ``metric(outputs, targets)`` on everything at once, as tensors on the CPU.
    batch_size : int
        Samples that go through the model at a time, where `data` is two tensors. It changes no
        result but for rounding.

    Returns
    -------
    dict of str to float
        ``"loss"`` and the metrics by their names.

    Raises
    ------
    ValueError
        As in `fit`, for the data.
    """
    device, total, seen = _device(model), 0.0, 0
    kept: list[tuple[Tensor, Tensor]] = []
    with measuring(model):
        for inputs, targets in batches(data, batch_size):
            outputs = model(_to(inputs, device))
            count = _count(inputs)
            total += loss(outputs, _to(targets, device)).item() * count
            seen += count
            if metrics:
                kept.append((outputs.cpu(), targets.cpu()))
    result = {"loss": total / seen}
    if metrics:
        outputs, targets = (torch.cat(parts) for parts in zip(*kept, strict=True))
        result |= {name: float(metric(outputs, targets)) for name, metric in metrics.items()}
    return result


def predict(model: nn.Module, inputs: Any, *, batch_size: int = 256) -> Tensor:
    """Compute a network's outputs, in evaluation mode and without gradients.

    Parameters
    ----------
    model : nn.Module
        Left in the mode that it was in.
    inputs : tensor or array_like of n samples
    batch_size : int
        Samples that go through the model at a time.

    Returns
    -------
    Tensor
        On the CPU.
    """
    device, inputs = _device(model), torch.as_tensor(inputs)
    with measuring(model):
        return torch.cat([model(part.to(device)).cpu() for part in inputs.split(batch_size)])


def batches(
    data: Any, batch_size: int, generator: torch.Generator | None = None
) -> Iterator[tuple[Any, Any]]:
    """Go through data once, batch by batch.

    Parameters
    ----------
    data : (inputs, targets) or DataLoader
        Two tensors or arrays are cut into batches; anything else is gone through as it is.
    batch_size : int
        Samples per batch, where `data` is two tensors; the last batch may be smaller.
    generator : torch.Generator, optional
        Where the order of the samples comes from; without one, they come as they are stored.

    Yields
    ------
    inputs, targets

    Raises
    ------
    ValueError
        If inputs and targets differ in length, or there are none.
    """
    if not isinstance(data, tuple):
        yield from _not_empty(data)
        return
    if len(data) != 2:
        raise ValueError(
            f"data must be (inputs, targets) or a DataLoader, but is {len(data)} things. For a "
            "model with several inputs, give a DataLoader."
        )
    inputs, targets = (torch.as_tensor(part) for part in data)
    if len(inputs) != len(targets):
        raise ValueError(
            f"There are {len(inputs)} inputs and {len(targets)} targets: shapes "
            f"{tuple(inputs.shape)} and {tuple(targets.shape)}. Give one target per sample."
        )
    if not len(inputs):
        raise ValueError(f"There is no sample: inputs have shape {tuple(inputs.shape)}.")
    if generator is None:
        yield from zip(inputs.split(batch_size), targets.split(batch_size), strict=True)
        return
    for rows in torch.randperm(len(inputs), generator=generator).split(batch_size):
        rows = rows.to(inputs.device)
        yield inputs[rows], targets[rows.to(targets.device)]


@contextmanager
def evaluating(model: Callable[..., Any]) -> Iterator[None]:
    """Put a network into evaluation mode while the block runs; gradients are recorded as before.

    Parameters
    ----------
    model : nn.Module or callable
        Each module of it is then put back into the mode that it was in: a part that was frozen in
        evaluation mode stays there. Other functions have no mode and are left alone.
    """
    before = {}
    if isinstance(model, nn.Module):
        before = {module: module.training for module in model.modules()}
        model.eval()
    try:
        yield
    finally:
        for module, training in before.items():
            module.training = training


@contextmanager
def measuring(model: Callable[..., Any]) -> Iterator[None]:
    """Put a network into evaluation mode and record no gradients while the block runs.

    Parameters
    ----------
    model : nn.Module or callable
        Put back into its modes as `evaluating` does.
    """
    with evaluating(model), torch.no_grad():
        yield


class _Run:
    """All that changes while a network trains, so that it can be saved and taken up again."""

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        scheduler: Any,
        scaler: torch.amp.GradScaler,
        generator: torch.Generator,
    ) -> None:
        self.model, self.optimizer = model, optimizer
        self.scheduler, self.scaler, self.generator = scheduler, scaler, generator
        self.history = History(loss=[])
        self.best: dict[str, Tensor] | None = None
        self.lowest, self.waited, self.done = math.inf, 0, False

    def record(self, epoch: dict[str, float], patience: int | None) -> None:
        """Take down an epoch, and decide whether it was the last."""
        for name, value in epoch.items():
            self.history.setdefault(name, []).append(value)
        if not math.isfinite(epoch["loss"]):
            self.done = True
        if patience is None:
            return
        if epoch["validation_loss"] < self.lowest:
            self.lowest, self.waited = epoch["validation_loss"], 0
            self.best = copy.deepcopy(self.model.state_dict())
        else:
            self.waited += 1
            self.done = self.done or self.waited >= patience

    def save(self, path: Path) -> None:
        """Write everything, whole or not at all."""
        parts = {name: part.state_dict() for name, part in self._parts().items()}
        random_states = {
            "python": random.getstate(),
            "numpy": np.random.get_state(),  # noqa: NPY002
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
            "order": self.generator.get_state(),
        }
        state = {
            "format": _FORMAT,
            "history": dict(self.history),
            "best": self.best,
            "stopping": (self.lowest, self.waited, self.done),
            "parts": parts,
            "random": random_states,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
        torch.save(state, partial)
        partial.replace(path)

    def resume(self, path: Path) -> None:
        """Take everything from a file, if it is there."""
        if not path.exists():
            return
        state = _read(path)
        mine, theirs = self.model.state_dict(), state["parts"]["model"]
        other = sorted(
            name
            for name in mine.keys() | theirs.keys()
            if name not in mine or name not in theirs or mine[name].shape != theirs[name].shape
        )
        if other or state["parts"].keys() != self._parts().keys():
            what = f"{', '.join(other[:3])} differ" if other else "one has a scheduler"
            raise ValueError(
                f"The checkpoint {path} is of another run ({what}). Make model, optimizer and "
                "scheduler as in the run that wrote it, name another file, or delete this one."
            )
        for name, part in self._parts().items():
            part.load_state_dict(state["parts"][name])
        self.history = History(state["history"])
        self.best = state["best"]
        self.lowest, self.waited, self.done = state["stopping"]
        random_states = state["random"]
        random.setstate(random_states["python"])
        np.random.set_state(random_states["numpy"])  # noqa: NPY002
        torch.set_rng_state(random_states["torch"])
        if torch.cuda.is_available() and random_states["cuda"]:
            torch.cuda.set_rng_state_all(random_states["cuda"])
        self.generator.set_state(random_states["order"])

    def _parts(self) -> dict[str, Any]:
        parts = {"model": self.model, "optimizer": self.optimizer, "scaler": self.scaler}
        return parts if self.scheduler is None else parts | {"scheduler": self.scheduler}


def _read(path: Path) -> dict[str, Any]:
    try:
        # Written by us for ourselves: it holds the states of generators, which are no tensors.
        state = torch.load(path, map_location="cpu", weights_only=False)
        if isinstance(state, dict) and state.get("format") == _FORMAT:
            return state
    except Exception as error:
        raise ValueError(
            f"{path} cannot be read as a checkpoint ({type(error).__name__}: {error}). It may have "
            "been cut off while it was copied. Delete it to start from the beginning."
        ) from error
    raise ValueError(
        f"{path} is not a checkpoint of this version of `fit`. Name another file, or delete it to "
        "start from the beginning."
    )


def _check(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    epochs: int,
    batch_size: int,
    validation: Any,
    clip: float | None,
    patience: int | None,
) -> None:
    if epochs < 0:
        raise ValueError(f"epochs must be 0 or more, but is {epochs}.")
    if batch_size < 1:
        raise ValueError(f"batch_size must be 1 or more, but is {batch_size}.")
    if clip is not None and not clip > 0:
        raise ValueError(f"clip must be a positive norm, or None for no clipping, but is {clip}.")
    if patience is not None and patience < 1:
        raise ValueError(f"patience must be 1 epoch or more, but is {patience}.")
    if patience is not None and validation is None:
        raise ValueError(
            "patience waits for the validation loss, and there is no validation set. Give "
            "`validation`, or leave `patience` out."
        )
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    if held.isdisjoint(id(p) for p in model.parameters()):
        raise ValueError(
            "The optimizer holds none of the model's parameters, so the model would not learn. "
            "Make the optimizer after the model and its layers, with model.parameters()."
        )


def _not_empty(data: Iterable[Any]) -> Iterator[Any]:
    if isinstance(data, Sized) and not len(data):
        raise ValueError(
            "There is no batch in the data. A DataLoader with drop_last=True leaves "
            "out a batch that is not full: choose a smaller batch_size."
        )
    yield from data


def _device(model: nn.Module) -> torch.device:
    return next((p.device for p in model.parameters()), torch.device("cpu"))


def _to(batch: Any, device: torch.device) -> Any:
    """Move what a batch holds (a tensor, or several in a tuple) to a device."""
    if isinstance(batch, tuple | list):
        return type(batch)(_to(part, device) for part in batch)
    return torch.as_tensor(batch).to(device, non_blocking=True)


def _count(batch: Any) -> int:
    """Count the samples in a batch (a tensor, or several in a tuple)."""
    return _count(batch[0]) if isinstance(batch, tuple | list) else len(batch)


def _precision(
    device: torch.device, mixed: bool
) -> tuple[torch.dtype | None, torch.amp.GradScaler]:
    """Return the type to compute in, if it is another, and what scales the loss, if it must be."""
    dtype = None
    if mixed and device.type == "cuda":
        dtype = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return dtype, torch.amp.GradScaler(device.type, enabled=dtype is torch.float16)


def _autocast(device: torch.device, dtype: torch.dtype | None) -> AbstractContextManager[Any]:
    return nullcontext() if dtype is None else torch.autocast(device.type, dtype)


def _on_plateau(scheduler: Any) -> bool:
    return isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau)


@contextmanager
def _bar(
    progress: bool | None, epochs: int, before: int
) -> Iterator[Callable[[dict[str, float]], None]]:
    """Show a bar while the block runs, and give what is to be called after each epoch."""
    if progress is None:
        progress = sys.stderr.isatty()
    if not progress:
        yield lambda epoch: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("epoch"),
        MofNCompleteColumn(),
        BarColumn(),
        TextColumn("{task.description}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=epochs, completed=before)

        def report(epoch: dict[str, float]) -> None:
            shown = {n.replace("_", " "): v for n, v in epoch.items() if n.endswith("loss")}
            said = ", ".join(f"{name} {value:.4g}" for name, value in shown.items())
            bar.update(task, advance=1, description=said)

        yield report
