r"""Schedules: how the learning rate changes in the course of training.

A schedule holds an optimizer and sets its learning rate: once when it is made, for the first step,
and again at each call of `LRScheduler.step`. What a schedule counts is up to its owner: call
``step()`` after each step of the optimizer, or after each epoch.

Names, arguments, defaults and results are those of ``torch.optim.lr_scheduler``. The rate of the
next step is ``optimizer.lr``, and `LRScheduler.rate` tells the rate at any count. In the examples,
`optimizer` is one with a learning rate of 1.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence

from course_lib.scratch.optimizers import Optimizer

__all__ = [
    "CosineAnnealingLR",
    "ExponentialLR",
    "LRScheduler",
    "LinearLR",
    "SequentialLR",
    "StepLR",
]


class LRScheduler:
    """What all schedules share: a count, and the rate that belongs to it.

    A subclass says in ``rate`` what the learning rate is after t calls of ``step``.

    Parameters
    ----------
    optimizer : Optimizer
        Its learning rate at the time when its first schedule is made is where all of them start
        from; it is kept as ``optimizer.initial_lr``.

    Attributes
    ----------
    last_epoch : int
        How often ``step`` has been called, in PyTorch's name.
    """

    def __init__(self, optimizer: Optimizer):
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"A schedule needs the optimizer whose rate it shall set, but was given "
                f"{optimizer!r:.60} ({type(optimizer).__name__})."
            )
        if optimizer.initial_lr is None:
            optimizer.initial_lr = optimizer.lr
        self.optimizer = optimizer
        self.base_lr = optimizer.initial_lr
        self.last_epoch = 0
        optimizer.lr = self.rate(0)

    def rate(self, t: int) -> float:
        """Compute the learning rate after t calls of `step`."""
        raise NotImplementedError(f"{type(self).__name__} has no method rate(self, t).")

    def step(self) -> None:
        """Count one, and set the learning rate of the optimizer."""
        self.last_epoch += 1
        self.optimizer.lr = self.rate(self.last_epoch)


class StepLR(LRScheduler):
    r"""Multiply the rate by gamma every `step_size` counts.

    Parameters
    ----------
    optimizer : Optimizer
    step_size : int
    gamma : float

    Examples
    --------
    >>> schedule = StepLR(optimizer, step_size=2, gamma=0.5)
    >>> [schedule.rate(t) for t in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1):
        self.step_size, self.gamma = _at_least_one("step_size", step_size), gamma
        super().__init__(optimizer)

    def rate(self, t: int) -> float:
        """Compute the learning rate after t calls of `step`."""
        return self.base_lr * self.gamma ** (t // self.step_size)


class ExponentialLR(LRScheduler):
    """Multiply the rate by gamma at every count.

    Parameters
    ----------
    optimizer : Optimizer
    gamma : float

    Examples
    --------
    >>> schedule = ExponentialLR(optimizer, gamma=2.0)
    >>> [schedule.rate(t) for t in range(5)]
    [1.0, 2.0, 4.0, 8.0, 16.0]
    """

    def __init__(self, optimizer: Optimizer, gamma: float):
        self.gamma = gamma
        super().__init__(optimizer)

    def rate(self, t: int) -> float:
        """Compute the learning rate after t calls of `step`."""
        return self.base_lr * self.gamma**t


class LinearLR(LRScheduler):
    """Go from one factor of the rate to another in a straight line: a warm-up, by default.

    Parameters
    ----------
    optimizer : Optimizer
    start_factor, end_factor : float
        What the rate is multiplied by at first, and from `total_iters` on.
    total_iters : int
        How many counts the way takes.

    Examples
    --------
    >>> schedule = LinearLR(optimizer, start_factor=0.25, total_iters=3)
    >>> [schedule.rate(t) for t in range(5)]
    [0.25, 0.5, 0.75, 1.0, 1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
    ):
        for name, factor, allowed in (
            ("start_factor", start_factor, 0 < start_factor <= 1),
            ("end_factor", end_factor, 0 <= end_factor <= 1),
        ):
            if not allowed:
                raise ValueError(
                    f"{name} is a share of the optimizer's rate, at most 1"
                    f"{' and above 0' if name == 'start_factor' else ''}, but is {factor!r}. "
                    "Give the optimizer the largest rate of the schedule."
                )
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = _at_least_one("total_iters", total_iters)
        super().__init__(optimizer)

    def rate(self, t: int) -> float:
        """Compute the learning rate after t calls of `step`."""
        way = min(t / self.total_iters, 1)
        return self.base_lr * (self.start_factor + way * (self.end_factor - self.start_factor))


class CosineAnnealingLR(LRScheduler):
    r"""Fall along half a cosine: slowly at first, fast in the middle, slowly at the end.

    .. math:: \eta_t = \eta_\text{min}
        + \tfrac{1}{2} (\eta_0 - \eta_\text{min}) (1 + \cos(\pi t / T_\text{max}))

    After `T_max` counts it rises again, as in PyTorch.

    Parameters
    ----------
    optimizer : Optimizer
    T_max : int
        How many counts the fall takes.
    eta_min : float
        The rate at the lowest point.

    Examples
    --------
    >>> schedule = CosineAnnealingLR(optimizer, T_max=4)
    >>> [round(schedule.rate(t), 3) for t in range(5)]
    [1.0, 0.854, 0.5, 0.146, 0.0]
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0):
        self.T_max, self.eta_min = _at_least_one("T_max", T_max), eta_min
        super().__init__(optimizer)

    def rate(self, t: int) -> float:
        """Compute the learning rate after t calls of `step`."""
        height = (1 + math.cos(math.pi * t / self.T_max)) / 2
        return self.eta_min + (self.base_lr - self.eta_min) * height


class SequentialLR(LRScheduler):
    """One schedule after the other, each counting from 0 when its turn comes.

    Parameters
    ----------
    optimizer : Optimizer
    schedulers : sequence of LRScheduler
        Made with the same optimizer.
    milestones : sequence of int
        The counts at which the second schedule takes over, the third, and so on.

    Examples
    --------
    >>> warm_up = LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> fall = CosineAnnealingLR(optimizer, T_max=2)
    >>> schedule = SequentialLR(optimizer, [warm_up, fall], milestones=[2])
    >>> [round(schedule.rate(t), 3) for t in range(5)]
    [0.5, 0.75, 1.0, 0.5, 0.0]
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int]
    ):
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"There must be one milestone between every two schedules, but there are "
                f"{len(schedulers)} schedules and {len(milestones)} milestones."
            )
        if list(milestones) != sorted(milestones):
            raise ValueError(f"milestones must be in ascending order, but are {milestones!r}.")
        if any(schedule.optimizer is not optimizer for schedule in schedulers):
            raise ValueError("All schedules must have been made with the same optimizer.")
        self.schedulers, self.milestones = list(schedulers), list(milestones)
        super().__init__(optimizer)

    def rate(self, t: int) -> float:
        """Compute the learning rate after t calls of `step`."""
        turn = bisect_right(self.milestones, t)
        return self.schedulers[turn].rate(t - (self.milestones[turn - 1] if turn else 0))


def _at_least_one(name: str, value: int) -> int:
    if value < 1:
        raise ValueError(f"{name} must be 1 or more, but is {value!r}.")
    return value
