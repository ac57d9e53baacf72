"""Diffusion: noise is added in many small steps, and a network learns to take it out again.

A sample x_0 is mixed with standard normal noise, more of it at each of T steps. `Schedule` says how
much, for a single step and, in closed form, for all steps up to t at once. `Denoiser` is the
network: given x_t and the time t / T, it predicts the noise. `ddpm_step` and `ddim_step` go back, a
step or several at a time, and `sample` takes all of them from pure noise on. `guided` asks more
strongly for a label, and `flow_loss` and `flow_sample` are the same idea with straight
lines between samples and noise.

Time is 0 at the sample and 1 at the noise, for flow matching as well.

References
----------
J. Ho, A. Jain and P. Abbeel, "Denoising diffusion probabilistic models", 2020, arXiv:2006.11239.
J. Song, C. Meng and S. Ermon, "Denoising diffusion implicit models", 2021, arXiv:2010.02502.
J. Ho and T. Salimans, "Classifier-free diffusion guidance", 2022, arXiv:2207.12598.
Y. Lipman et al., "Flow matching for generative modeling", 2023, arXiv:2210.02747.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import TypeAlias

import torch
from torch import Tensor, nn

__all__ = [
    "Denoiser",
    "Schedule",
    "ddim_step",
    "ddpm_step",
    "flow_loss",
    "flow_sample",
    "guided",
    "noise_loss",
    "sample",
    "waves",
]

#: ``model(x, time)`` with x of shape (n, d) and times of shape (n,) gives a tensor like x.
Model: TypeAlias = Callable[[Tensor, Tensor], Tensor]

#: How many numbers describe a time.
WAVES = 32


class Schedule:
    """How much of the sample is left after each step: a cosine, by default.

    At step t, x_t = sqrt(alpha_bar[t]) x_0 + sqrt(1 - alpha_bar[t]) noise. The two factors are the
    cosine and the sine of an angle that grows evenly from 0 to just below a right angle, so that
    their squares always add up to 1.

    Parameters
    ----------
    steps : int
        T, the number of steps.
    end : float
        The last angle, as a share of a right angle. At 1 nothing of the sample would be left, and
        to divide by what is left would be to divide by 0.

    Attributes
    ----------
    steps : int
    alpha_bar : Tensor, shape (steps + 1,)
        The square of the sample's factor: 1 at step 0, nearly 0 at the last. Where samples have
        variance 1, it is their share in the variance.
    beta : Tensor, shape (steps + 1,)
        The variance of the noise that a single step adds; 0 at step 0, which is no step.

    Raises
    ------
    ValueError
        If there is no step, or `end` is not between 0 and 1.

    References
    ----------
    A. Nichol and P. Dhariwal, "Improved denoising diffusion probabilistic models", 2021,
    arXiv:2102.09672.

    Examples
    --------
    >>> schedule = Schedule(100)
    >>> [round(schedule.alpha_bar[t].item(), 3) for t in (0, 50, 100)]
    [1.0, 0.524, 0.002]
    """

    def __init__(self, steps: int, end: float = 0.97) -> None:
        if steps < 1 or not 0 < end < 1:
            raise ValueError(
                f"A schedule needs steps of at least 1 and an end between 0 and 1, but got "
                f"steps={steps} and end={end}."
            )
        angle = end * math.pi / 2 * torch.arange(steps + 1, dtype=torch.float64) / steps
        alpha_bar = angle.cos() ** 2
        beta = torch.zeros_like(alpha_bar)
        beta[1:] = 1 - alpha_bar[1:] / alpha_bar[:-1]
        self.steps, self.alpha_bar, self.beta = steps, alpha_bar.float(), beta.float()

    def noised(self, x0: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """Jump from samples to step t at once: the closed form.

        Parameters
        ----------
        x0 : Tensor, shape (n, d)
        t : Tensor of int64, shape (n,)
            A step for each sample, from 0 to `steps`.
        noise : Tensor, shape (n, d)
            Standard normal, and its own for each sample.

        Returns
        -------
        Tensor, shape (n, d)
        """
        kept = self.alpha_bar.to(x0.device)[t][:, None]
        return kept.sqrt() * x0 + (1 - kept).sqrt() * noise


def waves(time: Tensor) -> Tensor:
    """Describe times by waves of several lengths, as positions in a transformer.

    Parameters
    ----------
    time : Tensor, shape (n,)
        From 0 to 1.

    Returns
    -------
    Tensor, shape (n, 32)
        Sines and cosines: the slowest turns by 1 radian from time 0 to 1, the fastest by 30.
    """
    speed = torch.logspace(0, math.log10(30), WAVES // 2, device=time.device)
    angle = time[:, None] * speed
    return torch.cat([angle.sin(), angle.cos()], dim=1)


class Denoiser(nn.Module):
    """A network that predicts the noise in x_t, for points and for small pictures.

    Residual blocks on the sample as a row of numbers. The time, and a label where there are some,
    scale and shift what enters each block: how a network should answer changes by a factor with
    the time, and to learn a factor from something that is only added takes long.

    Parameters
    ----------
    in_features : int
        Numbers in a sample: 2 for a point, 64 for a digit of 8 by 8 pixels.
    hidden_size : int
    blocks : int
    num_classes : int
        How many labels there are; 0 for samples without.

    Examples
    --------
    >>> model = Denoiser(64, num_classes=10)
    >>> x, time = torch.randn(5, 64), torch.full((5,), 0.5)
    >>> model(x, time).shape, model(x, time, torch.arange(5)).shape
    (torch.Size([5, 64]), torch.Size([5, 64]))
    """

    def __init__(
        self, in_features: int, hidden_size: int = 64, blocks: int = 2, num_classes: int = 0
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.time = nn.Linear(WAVES, hidden_size)
        # One row more than there are labels: the last says that none was given.
        self.label = nn.Embedding(num_classes + 1, hidden_size) if num_classes else None
        self.enter = nn.Linear(in_features, hidden_size)
        self.blocks = nn.ModuleList(_Block(hidden_size) for _ in range(blocks))
        self.leave = nn.Linear(hidden_size, in_features)

    def forward(self, x: Tensor, time: Tensor, labels: Tensor | None = None) -> Tensor:
        """Predict the noise.

        Parameters
        ----------
        x : Tensor, shape (n, in_features)
        time : Tensor, shape (n,)
            t / T, from 0 to 1.
        labels : Tensor of int64, shape (n,), optional
            `num_classes` stands for *no label*, for single samples or, when left out, for all.

        Returns
        -------
        Tensor, shape (n, in_features)

        Raises
        ------
        ValueError
            If labels are given to a network without.
        """
        about = self.time(waves(time))
        if self.label is not None:
            if labels is None:
                labels = torch.full((len(x),), self.num_classes, device=x.device)
            about = about + self.label(labels)
        elif labels is not None:
            raise ValueError("This Denoiser was made without labels; give it num_classes.")
        h = self.enter(x)
        for block in self.blocks:
            h = block(h, nn.functional.silu(about))
        return self.leave(h)


class _Block(nn.Module):
    """Add to h what two layers make of it, scaled and shifted by what is known about the sample."""

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.about = nn.Linear(hidden_size, 2 * hidden_size)
        self.first = nn.Linear(hidden_size, hidden_size)
        self.second = nn.Linear(hidden_size, hidden_size)

    def forward(self, h: Tensor, about: Tensor) -> Tensor:
        scale, shift = self.about(about).chunk(2, dim=1)
        inner = self.first((h * (1 + scale) + shift).relu())
        return h + self.second(inner.relu())


def noise_loss(
    model: Model, schedule: Schedule, x0: Tensor, generator: torch.Generator | None = None
) -> Tensor:
    """Compute the training loss: the error in the predicted noise, each sample at its own step.

    Parameters
    ----------
    model : callable
    schedule : Schedule
    x0 : Tensor, shape (n, d)
    generator : torch.Generator, optional
        Where steps and noise come from.

    Returns
    -------
    Tensor, shape ()
        The mean squared error over all numbers.
    """
    t = torch.randint(1, schedule.steps + 1, (len(x0),), generator=generator, device=x0.device)
    noise = torch.randn(x0.shape, generator=generator, device=x0.device)
    return nn.functional.mse_loss(model(schedule.noised(x0, t, noise), t / schedule.steps), noise)


def ddpm_step(x: Tensor, predicted: Tensor, now: Tensor, to: Tensor, noise: Tensor) -> Tensor:
    """Go back from one step to an earlier one, and add new noise.

    Parameters
    ----------
    x : Tensor, shape (n, d)
        x_t.
    predicted : Tensor, shape (n, d)
        The noise that the network sees in it.
    now, to : Tensor, shape ()
        alpha_bar where x is, and where to go: larger, 1 for the sample itself.
    noise : Tensor, shape (n, d)
        Standard normal. On the way to the sample itself its factor is 0.

    Returns
    -------
    Tensor, shape (n, d)
    """
    beta = 1 - now / to
    mean = (x - beta / (1 - now).sqrt() * predicted) / (1 - beta).sqrt()
    return mean + ((1 - to) / (1 - now) * beta).sqrt() * noise


def ddim_step(x: Tensor, predicted: Tensor, now: Tensor, to: Tensor) -> Tensor:
    """Go back from one step to an earlier one without new noise.

    The predicted noise says what the sample would be; sample and noise are mixed again in the
    proportions of the earlier step.

    Parameters
    ----------
    x, predicted : Tensor, shape (n, d)
    now, to : Tensor, shape ()
        As in `ddpm_step`.

    Returns
    -------
    Tensor, shape (n, d)
    """
    x0 = (x - (1 - now).sqrt() * predicted) / now.sqrt()
    return to.sqrt() * x0 + (1 - to).sqrt() * predicted


@torch.no_grad()
def sample(
    model: Model,
    schedule: Schedule,
    x: Tensor,
    steps: int | None = None,
    *,
    generator: torch.Generator | None = None,
    watch: Callable[[int, Tensor], object] | None = None,
) -> Tensor:
    """Turn noise into samples.

    Parameters
    ----------
    model : callable
    schedule : Schedule
    x : Tensor, shape (n, d)
        Standard normal noise.
    steps : int, optional
        How many steps to take, evenly over those of the schedule; all of them by default.
    generator : torch.Generator, optional
        Where the new noise of each DDPM step comes from. Without one there is none: DDIM.
    watch : callable, optional
        ``watch(t, x)`` is called with where each step has led.

    Returns
    -------
    Tensor, shape (n, d)

    Raises
    ------
    ValueError
        If `steps` is below 1 or above those of the schedule.
    """
    steps = schedule.steps if steps is None else steps
    if not 1 <= steps <= schedule.steps:
        raise ValueError(f"steps must be from 1 to {schedule.steps}, but is {steps}.")
    alpha_bar = schedule.alpha_bar.to(x.device)
    path = [round(schedule.steps * k / steps) for k in range(steps, -1, -1)]
    for t, s in pairwise(path):
        time = torch.full((len(x),), t / schedule.steps, device=x.device)
        predicted = model(x, time)
        if generator is None:
            x = ddim_step(x, predicted, alpha_bar[t], alpha_bar[s])
        else:
            noise = torch.randn(x.shape, generator=generator, device=x.device)
            x = ddpm_step(x, predicted, alpha_bar[t], alpha_bar[s], noise)
        if watch is not None:
            watch(s, x)
    return x


def guided(model: Denoiser, labels: Tensor, weight: float) -> Model:
    """Return a model that asks for labels: classifier-free guidance.

    Parameters
    ----------
    model : Denoiser
        Trained with labels that were left out now and then.
    labels : Tensor of int64, shape (n,)
        What each sample is to be.
    weight : float
        0 asks for nothing, 1 for the label, and more exaggerates what the label changes. (The paper
        counts from the label on: its weight is one less.)

    Returns
    -------
    callable
    """

    def both(x: Tensor, time: Tensor) -> Tensor:
        without = model(x, time)
        return without + weight * (model(x, time, labels) - without)

    return both


def flow_loss(model: Model, x0: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Compute the loss of flow matching: straight lines lead to noise, their velocity is learned.

    Parameters
    ----------
    model : callable
        ``model(x, time)`` predicts the velocity, which is noise - x0 all along the line.
    x0 : Tensor, shape (n, d)
    generator : torch.Generator, optional

    Returns
    -------
    Tensor, shape ()
    """
    time = torch.rand(len(x0), generator=generator, device=x0.device)
    noise = torch.randn(x0.shape, generator=generator, device=x0.device)
    x = (1 - time[:, None]) * x0 + time[:, None] * noise
    return nn.functional.mse_loss(model(x, time), noise - x0)


@torch.no_grad()
def flow_sample(model: Model, x: Tensor, steps: int) -> Tensor:
    """Follow the learned velocity from noise at time 1 to samples at time 0, in equal steps.

    Parameters
    ----------
    model : callable
    x : Tensor, shape (n, d)
        Standard normal noise.
    steps : int
        At least 1.

    Returns
    -------
    Tensor, shape (n, d)
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, but is {steps}.")
    for k in range(steps, 0, -1):
        x = x - model(x, torch.full((len(x),), k / steps, device=x.device)) / steps
    return x
