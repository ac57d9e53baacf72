"""Figures of the chapter on gradient descent."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
from numpy.typing import ArrayLike

from course_lib.plotting.style import (
    COLORS,
    INK,
    LINE_STYLES,
    MARKERS,
    MUTED,
    PAPER,
    new_figure,
    styled,
)

__all__ = ["edge", "paths", "race", "schedules", "speed"]

WIDTH = 7.0
HALO = {"facecolor": PAPER, "edgecolor": "none", "alpha": 0.85, "boxstyle": "round,pad=0.15"}


@styled
def edge(
    rates: ArrayLike,
    growth: Mapping[str, ArrayLike],
    steps: ArrayLike,
    curvatures: Mapping[float, ArrayLike],
) -> Figure:
    """Draw where steps become too long: on bowls, and in a network while it learns.

    Parameters
    ----------
    rates : array_like, shape (k,)
        Learning rates, times the largest curvature of the bowl.
    growth : mapping of str to array_like, shape (k,)
        Name of a bowl, and by what factor the distance from its bottom has changed at the end.
    steps : array_like, shape (m,)
        When the curvature of the network was measured.
    curvatures : mapping of float to array_like, shape (m,)
        A learning rate, and the largest curvature in the course of training with it.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (left, right) = new_figure(1, 2, width=WIDTH, height=3.3)
    for color, style, (name, factors) in zip(COLORS, LINE_STYLES, growth.items(), strict=False):
        left.plot(rates, factors, color=color, linestyle=style, label=name)
    left.axvline(2, color=MUTED, linestyle=":", linewidth=1.4)
    left.axhline(1, color=MUTED, linewidth=0.8)
    left.set_yscale("log")
    left.set_title("A bowl")
    left.set_xlabel("learning rate × largest curvature")
    left.set_ylabel("distance at the end / at the start")
    left.legend(loc="upper left")
    last = np.asarray(steps)[-1]
    for color, style, (rate, curvature) in zip(
        COLORS, LINE_STYLES, curvatures.items(), strict=False
    ):
        right.axhline(2 / rate, color=color, linestyle=":", linewidth=1.2)
        right.plot(steps, curvature, color=color, linestyle=style)
        right.annotate(
            f"rate {rate:g}",
            (last, 2 / rate),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=color,
            fontweight="bold",
            bbox=HALO,
        )
    right.set_xticks([tick for tick in right.get_xticks() if 0 <= tick <= last])
    right.set_xlim(None, 1.3 * last)
    right.set_ylim(0, None)
    right.set_title("A network that learns digits")
    right.set_xlabel("step")
    right.set_ylabel("largest curvature of the loss")
    return figure


@styled
def paths(
    landscapes: Mapping[str, tuple[ArrayLike, ArrayLike, ArrayLike]],
    routes: Mapping[str, Mapping[str, ArrayLike]],
    bottoms: Mapping[str, tuple[float, float]],
) -> Figure:
    """Draw the ways of optimizers through landscapes, a row a landscape, a column an optimizer.

    Parameters
    ----------
    landscapes : mapping of str to (array_like of shape (a,), (b,), (b, a))
        Name of a landscape, coordinates along both axes, and the height at each point.
    routes : mapping of str to mapping of str to array_like, shape (steps + 1, 2)
        For each landscape, the name of an optimizer and the places that it has been to.
    bottoms : mapping of str to (float, float)
        The lowest point of each landscape.

    Returns
    -------
    matplotlib.figure.Figure
    """
    names = list(next(iter(routes.values())))
    figure, panels = new_figure(
        len(landscapes), len(names), width=WIDTH, height=2.15 * len(landscapes), squeeze=False
    )
    for row, (place, (x, y, height)) in zip(panels, landscapes.items(), strict=True):
        height = np.asarray(height)
        low, high = np.log(height[height > 0].min() + 1e-3), np.log(height.max())
        for color, axes, name in zip(COLORS, row, names, strict=False):
            axes.contour(
                x, y, height, levels=np.exp(np.linspace(low, high, 12)), colors=MUTED,
                linewidths=0.6, alpha=0.6,
            )  # fmt: skip
            route = np.asarray(routes[place][name])
            axes.plot(*route.T, color=color, linestyle="-", linewidth=1.3, marker="o", markersize=2)
            axes.plot(*route[0], marker="s", color=INK, markersize=5)
            axes.plot(*bottoms[place], marker="*", color=INK, markersize=9)
            axes.set_xlim(np.min(x), np.max(x))
            axes.set_ylim(np.min(y), np.max(y))
            axes.grid(visible=False)
            axes.set_xticks([])
            axes.set_yticks([])
            axes.set_xlabel("one weight")
        row[0].set_ylabel(f"{place}\nanother weight")
    for axes, name in zip(panels[0], names, strict=True):
        axes.set_title(name)
    return figure


@styled
def speed(conditions: ArrayLike, steps: Mapping[str, ArrayLike]) -> Figure:
    """Draw how many steps it takes to the bottom, against how stretched the bowl is.

    Parameters
    ----------
    conditions : array_like, shape (k,)
        Condition numbers.
    steps : mapping of str to array_like, shape (k,)
        Name of an optimizer, and how many steps it took.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(width=5.8, height=3.2)
    conditions = np.asarray(conditions)
    for color, style, marker, (name, taken) in zip(
        COLORS, LINE_STYLES, MARKERS, steps.items(), strict=False
    ):
        slope = np.polyfit(np.log(conditions), np.log(taken), 1)[0]
        axes.plot(
            conditions, taken, color=color, linestyle=style, marker=marker,
            label=f"{name}: slope {slope:.2f}",
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("condition number of the bowl")
    axes.set_ylabel("steps to a millionth\nof the distance")
    axes.legend(loc="upper left")
    return figure


@styled
def schedules(rates: Mapping[str, ArrayLike], losses: Mapping[str, ArrayLike]) -> Figure:
    """Draw learning rates in the course of training, and what they did to the loss.

    Parameters
    ----------
    rates : mapping of str to array_like, shape (steps,)
        Name of a schedule, and the learning rate of each step.
    losses : mapping of str to array_like, shape (runs, epochs)
        For the same names, the loss after each epoch of several runs.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (left, right) = new_figure(1, 2, width=WIDTH, height=3.1)
    for color, style, marker, name in zip(COLORS, LINE_STYLES, MARKERS, rates, strict=False):
        left.plot(rates[name], color=color, linestyle=style)
        _median_and_range(right, losses[name], color, style, marker, name)
    left.set_title("What the schedule says")
    left.set_xlabel("step")
    left.set_ylabel("learning rate")
    left.set_ylim(0, None)
    right.set_title("What the network does")
    right.set_yscale("log")
    right.set_xlabel("epoch")
    right.set_ylabel("loss on the training set")
    right.legend(loc="upper right")
    return figure


@styled
def race(
    rates: ArrayLike,
    tried: Mapping[str, ArrayLike],
    chosen: Mapping[str, float],
    curves: Mapping[str, ArrayLike],
) -> Figure:
    """Draw how well each optimizer does at each learning rate, and the race at the best.

    Parameters
    ----------
    rates : array_like, shape (k,)
        Learning rates.
    tried : mapping of str to array_like, shape (k,)
        Name of an optimizer, and the loss that it ended with at each rate.
    chosen : mapping of str to float
        For the same names, the rate for the race.
    curves : mapping of str to array_like, shape (runs, epochs)
        For the same names, the loss after each epoch of several runs.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (left, right) = new_figure(1, 2, width=WIDTH, height=3.6, sharey=True)
    rates = list(rates)
    for color, style, marker, name in zip(COLORS, LINE_STYLES, MARKERS, tried, strict=False):
        left.plot(rates, tried[name], color=color, linestyle=style, linewidth=1.5)
        left.plot(
            chosen[name], tried[name][rates.index(chosen[name])],
            marker=marker, color=color, markersize=7, markeredgecolor=PAPER,
        )  # fmt: skip
        median = np.median(curves[name], axis=0)
        right.plot(
            1 + np.arange(len(median)), median, color=color, linestyle=style, linewidth=1.5,
            marker=marker, label=name,
        )  # fmt: skip
    left.set_xscale("log")
    left.set_yscale("log")
    left.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    left.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    left.yaxis.set_minor_formatter(NullFormatter())
    left.set_title("Choosing the rate")
    left.set_xlabel("learning rate")
    left.set_ylabel("loss on the validation set")
    right.set_title("The race at the chosen rates")
    right.set_xlabel("epoch")
    right.legend(loc="upper right")
    return figure


def _median_and_range(
    axes: Axes, runs: ArrayLike, color: str, style: str, marker: str, name: str
) -> None:
    runs = np.asarray(runs)
    x = 1 + np.arange(runs.shape[1])
    axes.fill_between(x, runs.min(axis=0), runs.max(axis=0), color=color, alpha=0.15, linewidth=0)
    axes.plot(x, np.median(runs, axis=0), color=color, linestyle=style, marker=marker, label=name)
