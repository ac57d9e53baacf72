"""Figures of the chapter on backpropagation."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
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

__all__ = ["agreement", "cost", "graph", "symmetry"]

WIDTH = 7.0
HALO = {"facecolor": PAPER, "edgecolor": "none", "alpha": 0.85, "boxstyle": "round,pad=0.15"}


@styled
def graph(
    places: Mapping[str, tuple[float, float]],
    values: Mapping[str, float],
    slopes: Mapping[str, float],
    edges: Sequence[tuple[str, str, float]],
) -> Figure:
    """Draw a computation as a graph, with the value and the slope of the loss at each node.

    Parameters
    ----------
    places : mapping of str to (float, float)
        What is written into a node, and the node's column and row; data flow to the right.
    values, slopes : mapping of str to float
        The number that each node holds, and the slope of the last node in it.
    edges : sequence of (str, str, float)
        From which node to which, and the slope of the second in the first. Two edges between the
        same nodes are drawn side by side.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(width=WIDTH, height=3.7)
    columns, rows = zip(*places.values(), strict=True)
    half_width, half_height = 0.38, 0.30
    drawn: dict[tuple[str, str], int] = {}
    for start, end, slope in edges:
        twins = sum((start, end) == edge[:2] for edge in edges)
        number = drawn[start, end] = drawn.get((start, end), -1) + 1
        bend = 0.0 if twins == 1 else 0.7 * (number - (twins - 1) / 2)
        (x0, y0), (x1, y1) = places[start], places[end]
        axes.add_patch(
            FancyArrowPatch(
                (x0 + half_width, y0),
                (x1 - half_width, y1),
                arrowstyle="-|>",
                mutation_scale=11,
                connectionstyle=f"arc3,rad={bend}",
                color=MUTED,
                linewidth=1.2,
                shrinkA=0,
                shrinkB=1,
                zorder=1,
            )
        )
        middle_x, middle_y = (x0 + x1) / 2, (y0 + y1) / 2
        axes.text(
            middle_x,
            middle_y - bend * (x1 - x0 - 2 * half_width) * 0.85,
            f"×{slope:g}".replace("-", "−"),
            ha="center",
            va="center",
            fontsize=9.5,
            color=INK,
            bbox=HALO,
            zorder=2,
        )
    for name, (x, y) in places.items():
        axes.add_patch(
            FancyBboxPatch(
                (x - half_width, y - half_height),
                2 * half_width,
                2 * half_height,
                boxstyle="round,pad=0,rounding_size=0.08",
                facecolor=PAPER,
                edgecolor=INK,
                linewidth=1.1,
                zorder=3,
            )
        )
        for text, height, color, weight in (
            (name, 0.17, INK, "normal"),
            (f"{values[name]:g}", -0.02, COLORS[0], "bold"),
            (f"{slopes[name]:+g}", -0.20, COLORS[1], "bold"),
        ):
            axes.text(
                x,
                y + height,
                text.replace("-", "−"),
                ha="center",
                va="center",
                fontsize=9.5,
                color=color,
                fontweight=weight,
                zorder=4,
            )
    x, y = min(columns) - half_width, max(rows) + 0.62
    axes.text(x, y, "forward: the value", color=COLORS[0], fontweight="bold", va="center")
    axes.text(
        max(columns) + half_width,
        y,
        "backward: the slope of the loss",
        color=COLORS[1],
        fontweight="bold",
        ha="right",
        va="center",
    )
    axes.text(
        (min(columns) + max(columns)) / 2 - 0.25,
        y,
        "× slope of the step",
        color=INK,
        ha="center",
        va="center",
    )
    axes.set_xlim(min(columns) - 0.45, max(columns) + 0.45)
    axes.set_ylim(min(rows) - 0.42, y + 0.2)
    axes.set_axis_off()
    return figure


@styled
def agreement(disagreements: Mapping[str, Mapping[str, float]], limit: float) -> Figure:
    """Draw how far gradients are from those of other ways to compute them.

    Parameters
    ----------
    disagreements : mapping of str to mapping of str to float
        Name of the other way, and for each expression the largest disagreement with it. Zero is
        drawn at the left border.
    limit : float
        A disagreement to mark.

    Returns
    -------
    matplotlib.figure.Figure
    """
    names = list(next(iter(disagreements.values())))
    figure, axes = new_figure(width=WIDTH, height=0.95 + 0.155 * len(names))
    rows = np.arange(len(names))[::-1]
    least = 1e-17
    for color, marker, (way, errors) in zip(COLORS, MARKERS, disagreements.items(), strict=False):
        worst = np.array([errors[name] for name in names])
        axes.plot(np.maximum(worst, least), rows, marker, color=color, linestyle="none", label=way)
    axes.axvline(limit, color=MUTED, linestyle=":", linewidth=1.4)
    axes.set_xscale("log")
    axes.set_xlim(least / 2, limit * 4)
    axes.set_yticks(rows, names, fontsize=8.5)
    axes.set_ylim(-0.7, len(names) - 0.3)
    axes.set_xlabel("largest disagreement of two gradients")
    axes.set_ylabel("expression")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(disagreements), frameon=False)
    return figure


@styled
def cost(weights: ArrayLike, passes: Mapping[str, ArrayLike]) -> Figure:
    """Draw what a gradient costs against the number of weights.

    Parameters
    ----------
    weights : array_like, shape (k,)
        Numbers of weights.
    passes : mapping of str to array_like, shape (k,)
        Name of a way to compute the gradient, and its cost in forward passes.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(width=WIDTH, height=3.4)
    for color, style, marker, (name, costs) in zip(
        COLORS, LINE_STYLES, MARKERS, passes.items(), strict=False
    ):
        axes.plot(weights, costs, color=color, linestyle=style, marker=marker)
        # The highest curve has its name above it; the others have the room below.
        above = costs[0] == max(other[0] for other in passes.values())
        axes.annotate(
            name,
            (weights[0], costs[0]) if above else (weights[1], costs[1]),
            xytext=(-4, 34) if above else (0, -16),
            textcoords="offset points",
            color=color,
            fontweight="bold",
            bbox=HALO,
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(0.1, None)
    axes.set_xlabel("number of weights")
    axes.set_ylabel("cost of one gradient,\nin forward passes")
    return figure


@styled
def symmetry(weights: ArrayLike, losses: ArrayLike) -> Figure:
    """Draw what the hidden units of the symmetry detector have learned, and how it came about.

    Parameters
    ----------
    weights : array_like, shape (d, units)
        Weights from each input to each hidden unit.
    losses : array_like, shape (sweeps, starts)
        The loss of each start in the course of training.

    Returns
    -------
    matplotlib.figure.Figure
    """
    weights, losses = np.asarray(weights), np.asarray(losses)
    figure, (left, right) = new_figure(1, 2, width=WIDTH, height=3.2, width_ratios=(1.15, 1))
    d, units = weights.shape
    inputs = np.arange(1, d + 1)
    width = 0.8 / units
    for unit in range(units):
        shift = (unit - (units - 1) / 2) * width
        left.bar(
            inputs + shift,
            weights[:, unit],
            width,
            color=COLORS[unit],
            edgecolor=INK,
            linewidth=0.6,
            hatch=("", "///")[unit % 2],
            label=f"hidden unit {unit + 1}",
        )
    left.axhline(0, color=INK, linewidth=0.8)
    left.axvline((d + 1) / 2, color=MUTED, linestyle=":", linewidth=1.4)
    top = np.abs(weights).max()
    left.set_ylim(-1.25 * top, 1.6 * top)
    left.set_xticks(inputs)
    left.set_title("What one start learned")
    left.set_xlabel("input, with the middle dotted")
    left.set_ylabel("weight")
    left.legend(loc="upper center", ncols=units, columnspacing=1.0)
    ends = losses[-1] < losses[0].mean() / 10
    for run, solved in zip(losses.T, ends, strict=True):
        right.plot(
            run,
            color=COLORS[2] if solved else MUTED,
            linestyle="-" if solved else "--",
            linewidth=0.9,
            alpha=0.8,
        )
    right.set_title(f"{np.sum(ends)} of {len(ends)} starts find it")
    right.set_xlabel("sweep")
    right.set_ylabel("error on all patterns")
    right.set_ylim(0, None)
    return figure
