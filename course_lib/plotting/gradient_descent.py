"""Figures of the chapter on gradient descent."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, PercentFormatter, StrMethodFormatter
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

__all__ = ["edge", "parabola", "paths", "race", "saddle", "schedules", "speed"]

WIDTH = 7.0
HALO = {"facecolor": PAPER, "edgecolor": "none", "alpha": 0.85, "boxstyle": "round,pad=0.15"}


@styled
def parabola(routes: Mapping[str, ArrayLike], curvature: float = 1.0) -> Figure:
    """Draw where steps lead on one parabola, a panel for each learning rate.

    Parameters
    ----------
    routes : mapping of str to array_like, shape (steps + 1,)
        Title of a panel, and the weight before the first step and after each.
    curvature : float
        Of the parabola, ``curvature * w ** 2 / 2``.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, row = new_figure(1, len(routes), width=WIDTH, height=2.5, sharey=True, squeeze=False)
    farthest = 1.1 * max(np.max(np.abs(route)) for route in routes.values())
    w = np.linspace(-farthest, farthest, 121)
    for axes, color, (title, route) in zip(row[0], COLORS, routes.items(), strict=False):
        route = np.asarray(route)
        heights = curvature * route**2 / 2
        axes.plot(w, curvature * w**2 / 2, color=MUTED, linestyle="-", linewidth=1.2)
        axes.plot(
            route, heights, color=color, linestyle="-", linewidth=1.2, marker="o", markersize=3.5
        )
        axes.plot(route[0], heights[0], marker="s", color=INK, markersize=6)
        axes.set_title(title)
        axes.set_xlabel("weight $w$")
        axes.set_yticks([])
        axes.set_xticks([0])
        axes.grid(visible=False)
    row[0, 0].set_ylabel("loss")
    return figure


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
    """Draw the paths of optimizers: a row for each landscape, a column for each optimizer.

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
        row[0].set_ylabel(f"{place}\nsecond weight")
    for axes in panels[-1]:
        axes.set_xlabel("first weight")
    for axes, name in zip(panels[0], names, strict=True):
        axes.set_title(name)
    return figure


@styled
def saddle(
    landscape: tuple[ArrayLike, ArrayLike, ArrayLike],
    routes: Mapping[str, ArrayLike],
    losses: Mapping[str, ArrayLike],
) -> Figure:
    """Draw paths past a saddle point, and the loss along them.

    Parameters
    ----------
    landscape : (array_like of shape (a,), (b,), (b, a))
        Coordinates along both axes, and the height at each point; the saddle is at the origin.
    routes : mapping of str to array_like, shape (steps + 1, 2)
        Name of a path, and the places that it has been to.
    losses : mapping of str to array_like, shape (steps + 1,)
        For the same names, the height of each place.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (left, right) = new_figure(1, 2, width=WIDTH, height=3.1)
    x, y, height = landscape
    left.contour(x, y, height, levels=14, colors=MUTED, linewidths=0.6, alpha=0.6)
    for color, style, (name, route) in zip(COLORS, LINE_STYLES, routes.items(), strict=False):
        route = np.asarray(route)
        left.plot(*route.T, color=color, linestyle=style)
        left.plot(*route[0], marker="s", color=INK, markersize=5)
        right.plot(losses[name], color=color, linestyle=style, label=name)
    left.plot(0, 0, marker="X", color=INK, markersize=8)
    left.annotate(
        "saddle point", (0, 0), xytext=(-8, -3), textcoords="offset points", ha="right",
        va="top", fontsize=9.5, bbox=HALO,
    )  # fmt: skip
    left.set_xlim(np.min(x), np.max(x))
    left.set_ylim(np.min(y), np.max(y))
    left.set_aspect("equal")
    left.grid(visible=False)
    left.set_title("Where the weights go")
    left.set_xlabel("first weight")
    left.set_ylabel("second weight")
    right.set_title("What the loss shows")
    right.set_xlabel("step")
    right.set_ylabel("loss")
    right.legend(title="distance from the ridge", loc="upper right")
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
    results: Mapping[str, ArrayLike],
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
    results : mapping of str to array_like, shape (runs,)
        For the same names, the accuracy of each run at that rate, between 0 and 1. The median is
        marked by a line.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (left, right) = new_figure(1, 2, width=WIDTH, height=3.6)
    rates = list(rates)
    styles = zip(COLORS, LINE_STYLES, MARKERS, tried, strict=False)
    for place, (color, style, marker, name) in enumerate(styles):
        left.plot(rates, tried[name], color=color, linestyle=style, linewidth=1.5)
        left.plot(
            chosen[name], tried[name][rates.index(chosen[name])],
            marker=marker, color=color, markersize=7, markeredgecolor=PAPER,
        )  # fmt: skip
        right.plot(
            results[name], np.full(len(results[name]), place), linestyle="none", marker=marker,
            color=color, alpha=0.75,
        )  # fmt: skip
        middle = np.median(results[name])
        right.plot(
            [middle, middle], [place - 0.35, place + 0.35], color=color, linestyle="-",
            linewidth=2.2,
        )  # fmt: skip
    left.set_xscale("log")
    left.set_yscale("log")
    left.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    left.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    left.yaxis.set_minor_formatter(NullFormatter())
    left.set_title("Choosing the rate")
    left.set_xlabel("learning rate")
    left.set_ylabel("loss on the validation set")
    right.set_yticks(range(len(tried)), list(tried))
    right.set_ylim(len(tried) - 0.5, -0.5)
    for label, color in zip(right.get_yticklabels(), COLORS, strict=False):
        label.set_color(color)
        label.set_fontweight("bold")
    right.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    right.set_title("The race at the chosen rates")
    right.set_xlabel("test digits read correctly")
    return figure


def _median_and_range(
    axes: Axes, runs: ArrayLike, color: str, style: str, marker: str, name: str
) -> None:
    runs = np.asarray(runs)
    x = 1 + np.arange(runs.shape[1])
    axes.fill_between(x, runs.min(axis=0), runs.max(axis=0), color=color, alpha=0.15, linewidth=0)
    axes.plot(x, np.median(runs, axis=0), color=color, linestyle=style, marker=marker, label=name)
