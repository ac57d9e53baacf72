"""Figures of the chapter *Compute*."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator
from numpy.typing import ArrayLike

from course_lib.plotting.drawings import WIDTH, Drawn, arrow, blank, box, label
from course_lib.plotting.style import (
    COLORS,
    INK,
    LINE_STYLES,
    MARKERS,
    MUTED,
    new_figure,
    styled,
)

__all__ = ["budgets", "checkpointing", "frontier", "live_bytes", "pruned"]


@styled
def checkpointing() -> Figure:
    """Draw a training step of four layers twice: all activations kept, or every second one.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(width=WIDTH, height=4.4)
    blank(axes, WIDTH, 4.4)
    _keep_all(axes, 3.75)
    _keep_some(axes, 1.85)
    return figure


NAMES: Final = ("X", "A₁", "A₂", "A₃", "A₄")
SLOPES: Final = ("∇W₁", "∇W₂", "∇W₃", "∇W₄")
COLUMNS: Final = tuple(1.6 + 1.05 * i for i in range(5))


def _keep_all(axes: Axes, y: float) -> None:
    _heads(axes, "Keep every activation", {y: "forward", y - 0.75: "backward"}, y + 0.42)
    forward = _row(axes, y, NAMES, COLUMNS, kept=range(5))
    backward = _row(axes, y - 0.75, SLOPES, COLUMNS[1:])
    _through(axes, forward, backward, y - 0.375)
    for used, slope in zip(forward, backward, strict=False):
        arrow(axes, used, slope, color=COLORS[0], style=":")


def _keep_some(axes: Axes, y: float) -> None:
    rows = {y: "forward", y - 0.75: "once more", y - 1.5: "backward"}
    _heads(axes, "Keep every second one, and compute the others once more", rows, y + 0.42)
    forward = _row(axes, y, NAMES, COLUMNS, kept=(0, 2, 4))
    backward = _row(axes, y - 1.5, SLOPES, COLUMNS[1:])
    _through(axes, forward, backward, y - 0.75)
    for i in (1, 3):
        again = _block(axes, (COLUMNS[i], y - 0.75), NAMES[i], COLORS[1])
        arrow(axes, forward[i - 1], again, color=COLORS[1], style="--")
        arrow(axes, forward[i - 1], backward[i - 1], color=COLORS[0], style=":")
        arrow(axes, again, backward[i], color=COLORS[0], style=":")


def _heads(axes: Axes, title: str, rows: Mapping[float, str], top: float) -> None:
    label(axes, (0.1, top), title, bold=True, ha="left")
    for y, text in rows.items():
        label(axes, (0.1, y), text, size=9.5, ha="left", color=MUTED)


def _row(
    axes: Axes,
    y: float,
    names: Sequence[str],
    columns: Sequence[float],
    kept: Sequence[int] = (),
) -> list[Drawn]:
    return [
        _block(axes, (x, y), name, COLORS[0] if i in kept else None)
        for i, (x, name) in enumerate(zip(columns, names, strict=True))
    ]


def _block(axes: Axes, at: tuple[float, float], name: str, color: str | None) -> Drawn:
    return box(axes, at, name, width=0.62, height=0.36, color=color or MUTED, thick=bool(color))


def _through(
    axes: Axes, forward: Sequence[Drawn], backward: Sequence[Drawn], middle: float
) -> None:
    """Draw the way forward along one row, through the loss and back along the other."""
    loss = box(axes, (6.7, middle), "L", width=0.4, height=0.36)
    there = [*forward, loss, *reversed(backward)]
    for before, after in pairwise(there):
        arrow(axes, before, after, color=INK)


@styled
def live_bytes(traces: Mapping[str, ArrayLike]) -> Figure:
    """Draw how many bytes are kept for the backward pass, over one training step.

    Parameters
    ----------
    traces : mapping of str to array_like
        Bytes after each tensor that was kept or dropped, by name.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.2)
    for (name, trace), color, style in zip(traces.items(), COLORS, LINE_STYLES, strict=False):
        millions = np.asarray(trace) / 1e6
        axes.plot(millions, color=color, linestyle=style, drawstyle="steps-post", label=name)
    axes.set_xlabel("tensors kept or dropped since the step began")
    axes.set_ylabel("kept activations (MB)")
    axes.set_ylim(0)
    axes.set_xlim(0)
    axes.legend(loc="upper right")
    return figure


@styled
def budgets(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]],
) -> Figure:
    """Draw the loss that a budget buys against the size of the network that it is spent on.

    Parameters
    ----------
    curves : mapping of str to (weights, losses)
        For each budget, numbers of weights (m,) and losses (seeds, m).

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.2)
    ticks = sorted({int(w) for weights, _ in curves.values() for w in np.asarray(weights)})
    for (name, (weights, losses)), color, style, marker in zip(
        curves.items(), COLORS, LINE_STYLES, MARKERS, strict=False
    ):
        weights, losses = np.asarray(weights), np.asarray(losses)
        mean = losses.mean(axis=0)
        axes.plot(weights, mean, color=color, linestyle=style, label=name)
        for one in losses:
            axes.plot(weights, one, marker, color=color, markersize=3.5, alpha=0.6)
        best = int(mean.argmin())
        axes.plot(
            weights[best],
            mean[best],
            "o",
            markersize=13,
            fillstyle="none",
            color=color,
            markeredgewidth=1.6,
        )
    _log_ticks(axes, ticks, [f"{tick:,}" for tick in ticks])
    axes.set_xlabel("weights of the network")
    axes.set_ylabel("validation loss (nats)")
    axes.set_ylim(0)
    axes.legend(loc="upper left")
    return figure


@styled
def pruned(shares: ArrayLike, lines: Mapping[str, ArrayLike]) -> Figure:
    """Draw accuracy against the share of weights that were pruned.

    Parameters
    ----------
    shares : array_like, shape (m,)
    lines : mapping of str to array_like, shape (seeds, m)
        Accuracies, by name.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.2)
    for (name, found), color, style, marker in zip(
        lines.items(), COLORS, LINE_STYLES, MARKERS, strict=False
    ):
        found = 100 * np.asarray(found)
        x = 100 * np.asarray(shares)
        axes.plot(x, found.mean(axis=0), color=color, linestyle=style, marker=marker, label=name)
        for one in found:
            axes.plot(x, one, marker, color=color, markersize=3, alpha=0.5)
    axes.set_xlabel("weights pruned (%)")
    axes.set_ylabel("right on validation (%)")
    axes.set_ylim(0, 100)
    axes.legend(loc="lower left")
    return figure


@styled
def frontier(
    lines: Mapping[str, tuple[ArrayLike, ArrayLike]],
    moves: Mapping[str, tuple[ArrayLike, ArrayLike]],
) -> Figure:
    """Draw accuracy against cost, with the ways of moving there.

    Parameters
    ----------
    lines : mapping of str to (cost, accuracy)
        Curves, such as the same network in several sizes: thousands of FLOPs and shares.
    moves : mapping of str to (cost, accuracy)
        Two points each, before and after: drawn as an arrow.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=4.2)
    costs = np.concatenate([cost for cost, _ in (*lines.values(), *moves.values())])
    for (name, (cost, share)), color, style, marker in zip(
        lines.items(), COLORS, LINE_STYLES, MARKERS, strict=False
    ):
        cost, share = np.asarray(cost, dtype=float), 100 * np.asarray(share)
        axes.plot(cost, share, color=color, linestyle=style, marker=marker, label=name)
    # No triangles: beside an arrow, they would point somewhere.
    for (name, (cost, share)), color, marker in zip(
        moves.items(), COLORS[len(lines) :], ("D", "P", "X"), strict=False
    ):
        _move(axes, np.asarray(cost), 100 * np.asarray(share), color, marker, name)
    known = (3, 5, 10, 20, 50, 100, 200, 500)
    ticks = [t for t in known if costs.min() / 2 < t < 2 * costs.max()]
    _log_ticks(axes, ticks, [str(t) for t in ticks])
    axes.set_xlabel("cost of one picture (thousands of FLOPs)")
    axes.set_ylabel("right on the test set (%)")
    axes.legend(loc="lower right")
    return figure


def _move(axes: Axes, cost: Any, share: Any, color: str, marker: str, name: str) -> None:
    axes.plot(cost[:1], share[:1], marker, color=color, markersize=7, fillstyle="none")
    axes.plot(cost[1:], share[1:], marker, color=color, markersize=7, label=name)
    axes.annotate(
        "",
        (cost[1], share[1]),
        (cost[0], share[0]),
        arrowprops={
            "arrowstyle": "-|>",
            "color": color,
            "linewidth": 1.4,
            "shrinkA": 5,
            "shrinkB": 5,
        },
    )


def _log_ticks(axes: Axes, ticks: Sequence[float], names: Sequence[str]) -> None:
    """Label a logarithmic axis in words: powers of ten set in mathematics take a second each."""
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(list(ticks)))
    axes.xaxis.set_major_formatter(FixedFormatter(list(names)))
    axes.xaxis.set_minor_locator(NullLocator())
