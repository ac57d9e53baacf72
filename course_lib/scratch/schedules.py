r"""Schedules: how the learning rate changes during training.

A schedule holds an optimizer and sets its learning rate: once when the schedule is created, for the
first step, and again at each call of `LRScheduler.step`. What it counts is up to you: call
``step()`` after each step of the optimizer, or after each epoch.

Names, arguments, defaults and results are those of ``torch.optim.lr_scheduler``. The rate of the
next step is ``optimizer.lr``, and `LRScheduler.rate` returns the rate at any count. In the
examples, `optimizer` has a learning rate of 1.
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

    A subclass defines in ``rate`` the learning rate after t calls of ``step``.

    Parameters
    ----------
    optimizer : Optimizer
        All schedules start from its learning rate at the time when the first of them is created;
        that rate is kept as ``optimizer.initial_lr``.

    Attributes
    ----------
    last_epoch : int
        How often ``step`` has been called; the name is PyTorch's.

    Raises
    ------
    TypeError
        If `optimizer` is not an `Optimizer`.
    """

    def __init__(self, optimizer: Optimizer):
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"A schedule sets the learning rate of an Optimizer, but was given "
                f"{optimizer!r:.60} ({type(optimizer).__name__}). Create one first, such as "
                "SGD(model.parameters(), lr=0.1), and pass it; a SoftThreshold holds its own as "
                ".optimizer."
            )
        if optimizer.initial_lr is None:
            optimizer.initial_lr = optimizer.lr
        self.optimizer = optimizer
        self.base_lr = optimizer.initial_lr
        self.last_epoch = 0
        optimizer.lr = self.rate(0)

    def rate(self, t: int) -> float:
        """Compute the learning rate after t calls of `step`."""
        raise NotImplementedError(
            f"{type(self).__name__} has no method rate(self, t). Define it in the subclass, or use "
            "a schedule such as StepLR."
        )

    def step(self) -> None:
        """Add one to the count, and set the learning rate of the optimizer."""
        self.last_epoch += 1
        self.optimizer.lr = self.rate(self.last_epoch)


class StepLR(LRScheduler):
    r"""Multiply the rate by gamma every `step_size` counts.

    Parameters
    ----------
    optimizer : Optimizer
    step_size : int
        Counts between two changes, at least 1.
    gamma : float
        Factor of each change.

    Raises
    ------
    ValueError
        If `step_size` is less than 1.

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
        Factor of each change.

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
    """Change the rate linearly from one factor to another: a warm-up, by default.

    Parameters
    ----------
    optimizer : Optimizer
    start_factor, end_factor : float
        Factors of the rate at count 0, and from count `total_iters` on; at most 1.
    total_iters : int
        How many counts the change takes, at least 1.

    Raises
    ------
    ValueError
        If a setting is out of range.

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
        done = min(t / self.total_iters, 1)
        return self.base_lr * (self.start_factor + done * (self.end_factor - self.start_factor))


class CosineAnnealingLR(LRScheduler):
    r"""Fall along half a cosine: slowly at first, fast in the middle, slowly at the end.

    .. math:: \eta_t = \eta_\text{min}
        + \tfrac{1}{2} (\eta_0 - \eta_\text{min}) (1 + \cos(\pi t / T_\text{max}))

    After `T_max` counts it rises again, as in PyTorch.

    Parameters
    ----------
    optimizer : Optimizer
    T_max : int
        How many counts the fall takes, at least 1.
    eta_min : float
        The rate at the lowest point.

    Raises
    ------
    ValueError
        If `T_max` is less than 1.

    References
    ----------
    I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017,
    arXiv:1608.03983.

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
        Created with the same optimizer.
    milestones : sequence of int
        The counts at which the second schedule takes over, the third, and so on.

    Raises
    ------
    ValueError
        If the number or order of milestones does not fit, or a schedule has another optimizer.

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
                f"There must be one milestone fewer than schedules, but there are "
                f"{len(schedulers)} schedules and {len(milestones)} milestones. Pass at least one "
                "schedule, and the count at which each of the others takes over."
            )
        if list(milestones) != sorted(milestones):
            raise ValueError(
                f"milestones must be in ascending order, but are {milestones!r}. They are counts "
                "from the start of training: sort them, with their schedules."
            )
        for number, schedule in enumerate(schedulers):
            if schedule.optimizer is not optimizer:
                raise ValueError(
                    f"Schedule {number} was created with another optimizer than SequentialLR. "
                    "Create all of them with the same one."
                )
        self.schedulers, self.milestones = list(schedulers), list(milestones)
        super().__init__(optimizer)

    def rate(self, t: int) -> float:
        """Compute the learning rate after t calls of `step`."""
        turn = bisect_right(self.milestones, t)
        return self.schedulers[turn].rate(t - (self.milestones[turn - 1] if turn else 0))


def _at_least_one(name: str, value: int) -> int:
    if not value >= 1:
        raise ValueError(
            f"{name} must be 1 or more, but is {value!r}. It is a number of calls of step()."
        )
    return value
