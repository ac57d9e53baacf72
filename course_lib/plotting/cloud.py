"""Figures of the chapter *The cloud*."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from course_lib.plotting.drawings import Drawn, arrow, blank, box, brace, label
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

__all__ = ["batches", "cuts", "data_parallel", "intervals", "ring", "speedups", "traffic"]


@styled
def data_parallel() -> Figure:
    """Draw a step of data-parallel training on three workers.

    Returns
    -------
    matplotlib.figure.Figure
    """
    width, height = 7.0, 3.75
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    batch = box(axes, (0.62, 2.15), "batch", "n rows", width=1.0, height=2.9)
    shared = box(
        axes, (4.72, 2.15), "all-\nreduce", width=0.85, height=2.9, color=COLORS[0], thick=True
    )
    for rank, y in enumerate((3.2, 2.15, 1.1)):
        part = box(axes, (1.98, y), f"part {rank}", width=0.8, height=0.6)
        net = box(axes, (3.35, y), "network", "forward, backward", width=1.45, height=0.6)
        step = box(axes, (6.2, y), "step", "same weights", width=1.2, height=0.6)
        arrow(axes, (batch.right[0], y), part.left)
        arrow(axes, part, net)
        arrow(axes, net.right, (shared.left[0], y), color=COLORS[1])
        arrow(axes, (shared.right[0], y), step.left, color=COLORS[0])
    label(axes, (1.98, 3.65), "shard", size=9.5, color=MUTED)
    label(axes, (4.18, 3.65), "own gradient", size=9.5, color=COLORS[1], ha="right")
    label(axes, (5.25, 3.65), "mean gradient", size=9.5, color=COLORS[0], ha="left")
    brace(axes, (4.2, 0.62), (1.5, 0.62), "each worker on its own")
    brace(axes, (5.2, 0.62), (4.25, 0.62), "together")
    brace(axes, (6.9, 0.62), (5.5, 0.62), "each on its own")
    return figure


@styled
def ring(
    holders: ArrayLike, step: int, sends: Sequence[int] | None = None, title: str = ""
) -> Figure:
    """Draw workers in a ring, what each of their parts holds, and what is being sent.

    Parameters
    ----------
    holders : array_like of bool, shape (n, n, n)
        ``holders[w, p, v]``: whether worker w's part p contains the number of worker v.
    step : int
        How many steps lie behind this picture.
    sends : sequence of int, shape (n,), optional
        The part that each worker sends to its right neighbor next.
    title : str
        What is going on.

    Returns
    -------
    matplotlib.figure.Figure
    """
    held = np.asarray(holders, dtype=bool)
    n = len(held)
    width, height = 7.0, 4.3
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    label(axes, (0.1, 4.12), f"step {step}", bold=True, ha="left")
    label(axes, (0.85, 4.12), title, ha="left", color=MUTED)
    centers = [
        (3.5 + 2.35 * np.sin(2 * np.pi * w / n), 2.05 + 1.38 * np.cos(2 * np.pi * w / n))
        for w in range(n)
    ]
    wide, tall = 0.42, 0.5
    places = []
    for w, (x, y) in enumerate(centers):
        left = x - n * wide / 2
        label(axes, (x, y + tall / 2 + 0.13), f"worker {w}", size=9.5, bold=True)
        places.append(Drawn(x, y, n * wide + 0.12, tall + 0.12))
        for p in range(n):
            full = held[w, p].all()
            moving = sends is not None and sends[w] == p
            axes.add_patch(
                Rectangle(
                    (left + p * wide, y - tall / 2),
                    wide,
                    tall,
                    facecolor=PAPER,
                    edgecolor=COLORS[1] if moving else INK,
                    linewidth=2.6 if moving else 0.9,
                    zorder=4 if moving else 3,
                )
            )
            for v in np.flatnonzero(held[w, p]):
                # One bar for each worker whose number is in this part.
                axes.add_patch(
                    Rectangle(
                        (left + (p + 0.12) * wide, y - tall / 2 + (0.1 + 0.82 * v / n) * tall),
                        0.76 * wide,
                        0.82 * tall / n * 0.8,
                        facecolor=COLORS[2] if full else COLORS[0],
                        alpha=0.85,
                        edgecolor="none",
                        zorder=5,
                    )
                )
    if sends is not None:
        for w in range(n):
            a, b = places[w], places[(w + 1) % n]
            arrow(axes, a, b, color=COLORS[1], width=1.8, gap=0.05)
            x = (centers[w][0] + centers[(w + 1) % n][0]) / 2
            y = (centers[w][1] + centers[(w + 1) % n][1]) / 2
            out = 1.22
            label(
                axes,
                (3.5 + (x - 3.5) * out, 2.05 + (y - 2.05) * out),
                f"part {sends[w]}",
                size=9.5,
                color=COLORS[1],
            )
    return figure


@styled
def cuts() -> Figure:
    """Draw what each of two workers holds, and which rows it sees, in four ways to divide.

    Returns
    -------
    matplotlib.figure.Figure
    """
    width, height = 7.0, 2.75
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    half = np.array([[1, 1, 0, 0]] * 4, dtype=bool)
    lower = np.array([[0] * 4] * 2 + [[1] * 4] * 2, dtype=bool)
    every = np.ones((4, 4), dtype=bool)
    ways = {
        "data": ((every, every), (0.5, 0.5)),
        "sharded data": ((half, ~half), (0.5, 0.5)),
        "pipeline": ((lower, ~lower), (1, 1)),
        "tensor": ((half, ~half), (1, 1)),
    }
    for y, text in ((1.62, "weights\nheld"), (0.62, "rows of\nthe batch")):
        label(axes, (0.38, y), text, size=9.5, color=MUTED)
    cell = 0.165
    for k, (name, (held, seen)) in enumerate(ways.items()):
        x = 0.85 + 1.55 * k
        label(axes, (x + 0.7, 2.62), name, bold=True)
        for worker, (parts, share) in enumerate(zip(held, seen, strict=True)):
            left = x + 0.76 * worker
            label(axes, (left + 2 * cell, 2.25), f"{worker}", size=9.5, color=MUTED)
            for (row, column), full in np.ndenumerate(parts):
                corner = left + column * cell, 1.3 + (3 - row) * cell
                _cell(axes, corner, cell, cell, COLORS[0] if full else None)
            for piece in range(2):
                full = share == 1 or piece == worker
                corner = left, 0.42 + (1 - piece) * 0.2
                _cell(axes, corner, 4 * cell, 0.2, COLORS[2] if full else None)
    return figure


def _cell(axes: Axes, corner: tuple[float, float], w: float, h: float, color: str | None) -> None:
    if color:
        axes.add_patch(Rectangle(corner, w, h, facecolor=color, alpha=0.45, linewidth=0))
    axes.add_patch(Rectangle(corner, w, h, fill=False, edgecolor=INK, linewidth=0.8))


@styled
def traffic(workers: ArrayLike, sent: Mapping[str, ArrayLike], size: float) -> Figure:
    """Draw what the busiest participant sends, against how many workers there are.

    Parameters
    ----------
    workers : array_like, shape (k,)
    sent : mapping of str to array_like of shape (k,)
        Bytes that the busiest one sends, by scheme.
    size : float
        Bytes of one gradient.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.0)
    for (name, values), color, style, marker in zip(
        sent.items(), COLORS, LINE_STYLES, MARKERS, strict=False
    ):
        axes.plot(
            np.log2(workers),
            np.log2(np.asarray(values) / size),
            color=color,
            linestyle=style,
            marker=marker,
            label=name,
        )
    _doubling(axes, "x", workers)
    _doubling(axes, "y", [1, 2, 4, 8, 16, 32, 64])
    axes.set(xlabel="workers", ylabel="sent by the busiest (gradients)")
    axes.legend(loc="upper left")
    return figure


@styled
def speedups(
    workers: ArrayLike, modeled: Mapping[str, ArrayLike], laws: Mapping[str, ArrayLike]
) -> Figure:
    """Draw how many times as fast several workers are, by a model and by laws.

    Parameters
    ----------
    workers : array_like, shape (k,)
    modeled, laws : mapping of str to array_like of shape (k,)
        Speedups, by name. The first of each are drawn in one color, and so on.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.5)
    at = np.log2(workers)
    axes.plot(at, at, color=MUTED, linestyle=":", label="ideal")
    pairs = zip(modeled.items(), laws.items(), COLORS, MARKERS, strict=False)
    for (name, values), (law, bound), color, marker in pairs:
        axes.plot(at, np.log2(bound), color=color, linestyle="--", label=law)
        axes.plot(at, np.log2(values), color=color, linestyle="none", marker=marker, label=name)
    _doubling(axes, "x", workers)
    _doubling(axes, "y", workers)
    axes.set(xlabel="workers", ylabel="speedup")
    axes.legend(loc="upper left")
    return figure


@styled
def batches(workers: ArrayLike, losses: Mapping[str, ArrayLike], guessing: float) -> Figure:
    """Draw the loss after the same epochs against the workers, each with a batch of its own.

    Parameters
    ----------
    workers : array_like, shape (k,)
    losses : mapping of str to array_like of shape (k, seeds)
        By how the learning rate was chosen.
    guessing : float
        The loss of whoever gives all classes the same probability.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.0)
    for (name, values), color, style, marker in zip(
        losses.items(), COLORS, LINE_STYLES, MARKERS, strict=False
    ):
        values = np.asarray(values)
        at = np.log2(workers)
        axes.plot(at, values.mean(1), color=color, linestyle=style, marker=marker, label=name)
        for column in values.T:
            axes.plot(at, column, linestyle="none", marker=".", color=color, alpha=0.6)
    _doubling(axes, "x", workers)
    axes.axhline(guessing, color=MUTED, linestyle=":")
    axes.text(0.0, guessing - 0.06, "guessing", fontsize=9.5, color=MUTED, va="top")
    axes.set(xlabel="workers", ylabel="test loss", ylim=(0, None))
    axes.legend(loc=(0.2, 0.42))
    return figure


@styled
def intervals(
    hours: ArrayLike,
    simulated: ArrayLike,
    expected: tuple[ArrayLike, ArrayLike],
    best: float,
    work: float,
) -> Figure:
    """Draw how long a run takes against how often it saves.

    Parameters
    ----------
    hours : array_like, shape (k,)
        Between two checkpoints.
    simulated : array_like, shape (k, runs)
        Hours that the runs took.
    expected : (array_like, array_like) of shape (m,)
        Hours between two checkpoints, finely spaced, and the mean by the formula.
    best : float
        The interval that Young's formula names.
    work : float
        Hours without any failure or checkpoint.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.2)
    runs, at = np.asarray(simulated), np.log2(hours)
    low, high = np.quantile(runs, (0.1, 0.9), axis=1)
    axes.fill_between(at, low, high, color=COLORS[0], alpha=0.2, linewidth=0)
    axes.plot(np.log2(expected[0]), expected[1], color=INK, linestyle="-", label="expected")
    axes.plot(
        at, runs.mean(1), color=COLORS[0], linestyle="none", marker="o", label="simulated, mean"
    )
    axes.axhline(work, color=MUTED, linestyle=":")
    axes.text(at[-1], work + 2, "the work itself", fontsize=9.5, color=MUTED, ha="right")
    axes.axvline(np.log2(best), color=COLORS[1], linestyle="--", label="Young's interval")
    _doubling(
        axes, "x", [t for t in (0.05, 0.1, 0.2, 0.5, 1, 2, 4) if min(hours) <= t <= max(hours)]
    )
    axes.set(xlabel="hours between two checkpoints", ylabel="hours in all")
    axes.legend(loc=(0.17, 0.62))
    return figure


def _doubling(axes: Axes, which: str, values: ArrayLike) -> None:
    """Label an axis of base-2 logarithms with the numbers themselves."""
    axes.set(
        **{
            f"{which}ticks": np.log2(values),
            f"{which}ticklabels": [f"{value:g}" for value in values],
        }
    )
