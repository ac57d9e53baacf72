"""What all reproductions share: what an experiment says of itself, its progress, and its time.

An experiment trains through `course_lib.training.fit`, which keeps everything in a checkpoint. A
run that was killed goes on from it and ends with the weights of a run that was not.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from course_lib.data.downloads import Remote, cache_folder
from course_lib.paths import CourseError

__all__ = ["Experiment", "Measured", "Outcome", "Published", "Run", "Work", "watched"]

#: Seconds between two lines on how far a run is, where no terminal shows a bar.
SAY_EVERY = 30.0

#: Seconds between two writings of the time that a run has taken.
_KEEP_EVERY = 10.0


@dataclass(frozen=True)
class Work:
    """How much there is to do, said before it begins.

    Attributes
    ----------
    steps : int
        Steps of the progress bar.
    step : str
        What a step is, such as "batches of 128 images".
    parameters : int
        Numbers that are learned.
    downloads : sequence of Remote
        Files that are fetched, where they are not there yet.
    """

    steps: int
    step: str
    parameters: int
    downloads: tuple[Remote, ...] = ()

    def download(self) -> str:
        """Say how much is fetched."""
        if not self.downloads:
            return "nothing"
        folder = cache_folder()
        missing = sum(
            remote.size for remote in self.downloads if not (folder / remote.name).is_file()
        )
        whole = f"{sum(remote.size for remote in self.downloads) / 1e6:,.0f} MB"
        if not missing:
            return f"nothing: the data ({whole}) are here already"
        return whole if whole == f"{missing / 1e6:,.0f} MB" else f"{missing / 1e6:,.0f} of {whole}"


@dataclass(frozen=True)
class Published:
    """A figure that somebody published, and where it is found."""

    value: str
    source: str


@dataclass(frozen=True)
class Measured:
    """A number of this run, and the published figures to hold beside it."""

    name: str
    value: str
    published: tuple[Published, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What a run found.

    Attributes
    ----------
    measured : sequence of Measured
    curve : mapping of str to sequence
        How training went: columns of a table by their headings, all of one length.
    shown : mapping of str to str
        More to show on the card: Markdown by its heading.
    picture : (str, ndarray of uint8, shape (height, width)), optional
        Something to look at: its caption, and its gray values.
    """

    measured: tuple[Measured, ...]
    curve: Mapping[str, list[str]] = field(default_factory=dict)
    shown: Mapping[str, str] = field(default_factory=dict)
    picture: tuple[str, Any] | None = None


@dataclass(frozen=True)
class Experiment:
    """An experiment that is published, at full size and as a toy.

    Attributes
    ----------
    chapter, title : str
    what : str
        What is run, in a few sentences.
    full, small : dataclass
        The settings: whatever decides the result but for the seed.
    work : callable
        Settings to `Work`.
    run : callable
        Settings and a `Run` to an `Outcome`.
    differences : sequence of str
        How the set-up differs from the published one, a sentence or two each.
    packages : sequence of str
        Packages whose versions matter, beside Python, PyTorch and NumPy.
    """

    chapter: str
    title: str
    what: str
    full: Any
    small: Any
    work: Callable[[Any], Work]
    run: Callable[[Any, Run], Outcome]
    differences: tuple[str, ...]
    packages: tuple[str, ...] = ()


class Run:
    """One run of an experiment: its device, its seed, its folder, its progress and its time.

    Used as a context: time is counted, and a bar is shown, while the block runs.

    Parameters
    ----------
    folder : path
        Where the checkpoints are kept. A run in a folder that is there goes on from them.
    device : torch.device
    seed : int
    steps : int
        Until progress is complete.
    console : rich.console.Console, optional
        Where progress is shown: a bar in a terminal, lines elsewhere. Without one, nowhere.
    name : str
        What the device is called.
    """

    def __init__(
        self,
        folder: Path,
        device: torch.device,
        seed: int,
        steps: int,
        console: Any = None,
        name: str = "",
    ) -> None:
        self.folder, self.device, self.seed, self.steps = folder, device, seed, steps
        self.console, self.name = console, name or str(device)
        self._kept = {"seconds": 0.0, "starts": 0, "devices": [], "finished": False}
        if self._file.is_file():
            self._kept |= json.loads(self._file.read_text(encoding="utf-8"))
        self._bar: Any = None

    @property
    def _file(self) -> Path:
        return self.folder / "time.json"

    @property
    def seconds(self) -> float:
        """Time that all starts of this run took together."""
        return self._kept["seconds"]

    @property
    def starts(self) -> int:
        """How often the run was begun or taken up again before it was finished."""
        return self._kept["starts"]

    @property
    def devices(self) -> list[str]:
        """The devices that it ran on."""
        return self._kept["devices"]

    @property
    def finished(self) -> bool:
        """Whether it was finished before."""
        return self._kept["finished"]

    def checkpoint(self, name: str = "training") -> Path:
        """Return where a part of the run keeps its state."""
        return self.folder / f"{name}.pt"

    def __enter__(self) -> Run:
        self._last = self._written = self._said = time.monotonic()
        self._first: tuple[float, int] | None = None
        if not self.finished:
            self._kept["starts"] += 1
            if self.name not in self.devices:
                self.devices.append(self.name)
        self._keep()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        self._count()
        self._kept["finished"] = self.finished or kind is None
        self._keep()

    def at(self, step: int, note: str = "") -> None:
        """Say that so many steps are done, and a word on how it goes."""
        now = self._count()
        if now - self._written > _KEEP_EVERY:
            self._keep()
        if self._first is None:
            # Not before: a download shows a bar of its own.
            self._first = now, step
            self._open()
        if self._bar is not None:
            self._bar.update(self._task, completed=step, description=note)
        elif self.console is not None and now - self._said > SAY_EVERY and step < self.steps:
            self._said = now
            began, before = self._first
            left = (self.steps - step) * (now - began) / max(step - before, 1)
            words = ", ".join(filter(None, (f"{step:,} of {self.steps:,}", note, _left(left))))
            self.console.print(words, markup=False)

    def _open(self) -> None:
        """Show the bar, where there is a terminal for it."""
        if self.console is not None and self.console.is_terminal:
            from rich.progress import (
                BarColumn,
                MofNCompleteColumn,
                Progress,
                TextColumn,
                TimeRemainingColumn,
            )

            self._bar = Progress(
                MofNCompleteColumn(),
                BarColumn(),
                TextColumn("{task.description}"),
                TimeRemainingColumn(),
                TextColumn("left"),
                console=self.console,
                transient=True,
            )
            self._task = self._bar.add_task("", total=self.steps)
            self._bar.start()

    def _count(self) -> float:
        """Add the time since the last look, and return what time it is."""
        now = time.monotonic()
        if not self.finished:
            self._kept["seconds"] += now - self._last
        self._last = now
        return now

    def _keep(self) -> None:
        self._written = time.monotonic()
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self._file.with_suffix(".partial")
        partial.write_text(json.dumps(self._kept), encoding="utf-8")
        partial.replace(self._file)


def watched(
    loss: Callable[[Any, Any], Tensor], run: Run, scheduler: Any
) -> Callable[[Any, Any], Tensor]:
    """Return a loss for `fit` that reports each step.

    Parameters
    ----------
    loss : callable
    run : Run
    scheduler : torch.optim.lr_scheduler.LRScheduler
        It knows how many steps were taken, also those before a checkpoint.
    """

    def measure(outputs: Any, targets: Any) -> Tensor:
        error = loss(outputs, targets)
        # Measurements between the steps have no gradients.
        if torch.is_grad_enabled():
            run.at(scheduler.last_epoch + 1, f"loss {error.item():.3f}")
        return error

    return measure


def complete(history: Mapping[str, list[float]], passes: int) -> None:
    """Refuse a result of a training that came to no end.

    Raises
    ------
    CourseError
        If the loss stopped being finite.
    """
    losses = history["loss"]
    if len(losses) < passes or not all(map(math.isfinite, losses)):
        raise CourseError(
            f"The loss stopped being finite in part {len(losses)} of {passes}. Training has "
            "diverged, and there is nothing to compare. Try another --seed."
        )


def _left(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} seconds left"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} minutes left"
    return f"{seconds / 3600:.1f} hours left"
