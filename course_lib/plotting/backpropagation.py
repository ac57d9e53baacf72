"""Figures of the chapter on backpropagation."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_lib.plotting.drawings import Drawn, arrow, blank, box, label
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

    On each edge stand the slope of its step and, closer to the node at which it arrives, what the
    edge carries back: that slope times the slope of the loss in the result. `drawings.graph` has
    no room for both.

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
    columns, rows = zip(*places.values(), strict=True)
    width, wide, tall, head, margin = 6.84, 0.8, 0.68, 0.42, 0.03  # inches
    height = max(rows) - min(rows) + tall + head + 2 * margin
    figure, axes = new_figure(width=WIDTH, height=height + 0.16)
    blank(axes, width, height)
    pitch = (width - wide) / (max(columns) - min(columns))
    spots = {
        name: Drawn(
            wide / 2 + (x - min(columns)) * pitch,
            margin + tall / 2 + y - min(rows),
            wide - 2 * margin,
            tall,
        )
        for name, (x, y) in places.items()
    }
    drawn: dict[tuple[str, str], int] = {}
    for start, end, slope in edges:
        twins = sum((start, end) == edge[:2] for edge in edges)
        number = drawn[start, end] = drawn.get((start, end), -1) + 1
        side = number - (twins - 1) / 2  # 0 for an only edge, else above or below
        (x0, y0), (x1, y1) = spots[start].right, spots[end].left
        arrow(axes, (x0, y0), (x1, y1), bend=-1.1 * side)
        for text, share, color in (
            (f"×{slope:g}", 0.66, INK),
            (f"{slope * slopes[end]:+g}", 0.34, COLORS[1]),
        ):
            # A steep edge leaves little room between two boxes, and twins have none for two labels
            # in a row: theirs are stacked outside of the arcs.
            across = share if y0 == y1 else 0.5 + 0.3 * (share - 0.5)
            x = x0 + (across if twins == 1 else 0.5) * (x1 - x0)
            y = y0 + share * (y1 - y0) + side * (0.54 if color == INK else 0.90)
            label(axes, (x, y), _minus(text), size=9, color=color, bold=color != INK, on_line=True)
    for name, spot in spots.items():
        box(axes, spot.center, "", width=spot.width, height=tall)
        for row, (text, color) in enumerate(
            (
                (name, INK),
                (f"{values[name]:g}", COLORS[0]),
                (f"{slopes[name]:+g}", COLORS[1]),
            )
        ):
            at = spot.x, spot.y + 0.2 * (1 - row)
            label(axes, at, _minus(text), size=9.5, color=color, bold=row > 0)
    for x, text, color, ha in (
        (0.0, "forward: the value", COLORS[0], "left"),
        (0.46 * width, "× slope of the step", INK, "center"),
        (width, "backward: the slope of the loss", COLORS[1], "right"),
    ):
        label(axes, (x, height - 0.1), text, color=color, bold=color != INK, ha=ha)
    return figure


def _minus(text: str) -> str:
    return text.replace("-", "−")


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
