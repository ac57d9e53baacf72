"""Figures of the chapter *TPUs*."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from course_lib.plotting.drawings import arrow, blank, box, label
from course_lib.plotting.style import (
    COLORS,
    INK,
    LINE_STYLES,
    MARKERS,
    MUTED,
    logarithmic,
    new_figure,
    styled,
)

__all__ = ["array", "bits", "chip", "formats", "integers", "pulse", "utilization"]

PITCH = 0.8  # inches from cell to cell
SIDE = 0.62  # inches: a cell


@styled
def array() -> Figure:
    """Draw one cell, and an array of 3 by 3 of them with what comes in and goes out.

    Returns
    -------
    matplotlib.figure.Figure
    """
    width, height = 7.0, 3.55
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    # One cell, large.
    label(axes, (1.1, 3.35), "One cell", bold=True)
    _cell(axes, (1.1, 1.9), 0.95, "")
    label(axes, (1.1, 2.14), "keeps $w$", size=10)
    label(axes, (1.1, 1.72), "$s + w x$", size=12)
    for start, end, text, at in (
        ((0.15, 1.9), (0.62, 1.9), "$x$", (0.36, 2.06)),
        ((1.58, 1.9), (2.05, 1.9), "$x$", (1.82, 2.06)),
        ((1.1, 2.95), (1.1, 2.38), "$s$", (1.24, 2.7)),
        ((1.1, 1.42), (1.1, 0.85), "$s + w x$", (1.5, 1.12)),
    ):
        arrow(axes, start, end, gap=0, color=COLORS[0] if text == "$x$" else COLORS[1])
        label(axes, at, text, size=10.5)
    label(axes, (1.1, 0.4), "once a cycle", size=9.5, color=MUTED)
    # The array: weights in place, inputs shifted against each other.
    left, top = 4.7, 2.55
    label(axes, (left + PITCH, 3.35), "Nine cells", bold=True)
    for r in range(3):
        for c in range(3):
            x, y = left + PITCH * c, top - PITCH * r
            _cell(axes, (x, y), SIDE, f"$W_{{{r + 1}{c + 1}}}$")
            if c < 2:
                arrow(axes, (x + SIDE / 2, y), (x + PITCH - SIDE / 2, y), gap=0, color=COLORS[0])
            arrow(
                axes,
                (x, y - SIDE / 2),
                (x, y - PITCH + SIDE / 2 - (0.12 if r == 2 else 0)),
                gap=0,
                color=COLORS[1],
            )
        arrow(
            axes,
            (left - 0.62, top - PITCH * r),
            (left - SIDE / 2, top - PITCH * r),
            gap=0,
            color=COLORS[0],
        )
        for i in range(2):
            label(
                axes,
                (left - 0.85 - 0.48 * (i + r), top - PITCH * r),
                f"$X_{{{i + 1}{r + 1}}}$",
                size=10.5,
            )
    for c in range(3):
        label(axes, (left + PITCH * c, 0.27), f"$Y_{{1{c + 1}}}$", size=10.5)
    return figure


@styled
def pulse(
    X: ArrayLike, W: ArrayLike, number: int, row: ArrayLike, x: ArrayLike, sums: ArrayLike
) -> Figure:
    """Draw an array of weights in one cycle: what waits, what is in each cell, what has left.

    Parameters
    ----------
    X : array_like, shape (m, k)
    W : array_like, shape (k, n)
        Whole numbers.
    number : int
        The cycle.
    row, x, sums : array_like, shape (k, n)
        The row of X that each cell works on or -1, its input, and the sum that it hands down.

    Returns
    -------
    matplotlib.figure.Figure
    """
    X, W, row, x, sums = (np.asarray(a) for a in (X, W, row, x, sums))
    m, (k, n) = len(X), W.shape
    Y = X @ W
    width, height = 6.0, 0.75 + PITCH * k + 0.3 * (m + n - 1)
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    left, top = width - PITCH * n + 0.2, height - 0.8
    label(axes, (0.15, height - 0.25), f"cycle {number + 1}", bold=True, ha="left")
    label(
        axes,
        (0.15, height - 0.55),
        f"{(row >= 0).sum()} of {k * n} cells at work",
        size=9.5,
        ha="left",
    )
    for r in range(k):
        for c in range(n):
            at = left + PITCH * c, top - PITCH * r
            working = row[r, c] >= 0
            _cell(axes, at, SIDE, "", color=COLORS[row[r, c]] if working else None)
            label(axes, (at[0], at[1] + 0.19), f"w = {W[r, c]:g}", size=9)
            if working:
                label(axes, (at[0], at[1] + 0.01), f"row {row[r, c] + 1}", size=9)
                label(axes, (at[0], at[1] - 0.18), f"{sums[r, c]:g}", bold=True)
        # Inputs that have not entered yet, in the row and the order in which they will.
        for i in range(m):
            ahead = i + r - number
            if ahead > 0:
                place = left - 0.3 - 0.37 * ahead, top - PITCH * r
                _token(axes, place, f"{X[i, r]:g}", COLORS[i])
            elif -ahead < n:
                place = left + PITCH * -ahead - 0.4, top - PITCH * r
                label(axes, (place[0], place[1] + 0.19), f"{x[r, -ahead]:g}", size=9)
    for c in range(n):
        for i in range(m):
            behind = number - i - c - k + 1
            if behind >= 1:
                place = left + PITCH * c, top - PITCH * (k - 1) - 0.27 - 0.3 * behind
                _token(axes, place, f"{Y[i, c]:g}", COLORS[i])
    return figure


@styled
def utilization(
    widths: ArrayLike,
    shares: Mapping[str, ArrayLike],
    rows: ArrayLike,
    busy: Mapping[str, ArrayLike],
) -> Figure:
    """Draw which share of an array is used, against the width of a layer and the rows of a batch.

    Parameters
    ----------
    widths : array_like, shape (n,)
        Inputs and outputs of a layer.
    shares : mapping of str to array_like, shape (n,)
        From 0 to 1, by the name of the array.
    rows : array_like, shape (m,)
        Rows of the batch.
    busy : mapping of str to array_like, shape (m,)

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (left, right) = new_figure(1, 2, height=2.9, sharey=True)
    for axes, at, lines in ((left, widths, shares), (right, rows, busy)):
        for (name, values), color, style in zip(lines.items(), COLORS, LINE_STYLES, strict=False):
            axes.plot(at, 100 * np.asarray(values), color=color, linestyle=style, label=name)
    left.set(
        xlabel="width of the layer (inputs = outputs)",
        ylabel="multiplications used (%)",
        ylim=(0, 105),
    )
    left.set_xticks(np.arange(0, max(widths) + 1, 128))
    logarithmic(right.xaxis, base=2)
    right.set(xlabel="rows of the batch")
    right.legend(loc="lower right")
    return figure


@styled
def formats(rows: Sequence[tuple[str, Sequence[tuple[str, int]], str]]) -> Figure:
    """Draw the bits of number formats, each field in its place.

    Parameters
    ----------
    rows : sequence of (name, fields, says)
        Fields are (name, bits) from the left; `says` stands to the right.

    Returns
    -------
    matplotlib.figure.Figure
    """
    width, height = 7.0, 0.35 + 0.72 * len(rows)
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    bit, left = 0.148, 0.85
    colors = {"sign": COLORS[3], "exponent": COLORS[1], "fraction": COLORS[0], "integer": COLORS[2]}
    for number, (name, fields, says) in enumerate(rows):
        y = height - 0.6 - 0.72 * number
        label(axes, (left - 0.1, y), name, ha="right", bold=True, size=9.5)
        x = left
        for field, count in fields:
            for k in range(count):
                at = (x + k * bit, y - 0.14)
                _shaded(axes, at, (bit, 0.28), colors[field], 0.28)
            middle = x + count * bit / 2
            if count > 1:
                label(axes, (middle, y + 0.26), f"{field}, {count}", size=9)
            elif number == 0:
                label(axes, (middle, y + 0.26), field, size=9, ha="right")
            x += count * bit
        label(axes, (x + 0.12, y), says, ha="left", size=9)
    return figure


@styled
def integers(panels: Mapping[str, ArrayLike], widest: int) -> Figure:
    """Draw which integers the weights of each channel have become.

    Parameters
    ----------
    panels : mapping of str to array_like of int, shape (channels, weights)
    widest : int
        The largest integer.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, grid = new_figure(1, len(panels), height=3.0, sharey=True)
    for axes, (name, values), color, marker in zip(
        grid, panels.items(), COLORS, MARKERS, strict=False
    ):
        values = np.asarray(values)
        channel = np.repeat(np.arange(1, len(values) + 1), values.shape[1])
        axes.plot(
            values.ravel(), channel, marker, color=color, markersize=3.5, linestyle="", alpha=0.75
        )
        axes.set(title=name, xlabel="integer", xlim=(-1.08 * widest, 1.08 * widest))
        axes.set_xticks([-widest, 0, widest])
    grid[0].set(ylabel="output channel")
    grid[0].set_yticks([1, *range(4, len(values) + 1, 4)])
    grid[0].invert_yaxis()
    return figure


@styled
def bits(numbers: ArrayLike, accuracies: Mapping[str, ArrayLike], whole: ArrayLike) -> Figure:
    """Draw accuracy against bits, a line for each way to quantize and a point for each seed.

    Parameters
    ----------
    numbers : array_like of int, shape (n,)
        Bits.
    accuracies : mapping of str to array_like, shape (n, seeds)
    whole : array_like, shape (seeds,)
        Accuracies of the networks as they were trained.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.0)
    axes.axhline(100 * np.mean(whole), color=MUTED, linestyle=":", label="float32")
    for (name, values), color, style, marker in zip(
        accuracies.items(), COLORS, LINE_STYLES, MARKERS, strict=False
    ):
        values = 100 * np.asarray(values)
        axes.plot(numbers, values.mean(axis=1), color=color, linestyle=style, label=name)
        axes.plot(numbers, values, marker, color=color, markersize=4, linestyle="")
    axes.set(xlabel="bits per number", ylabel="test accuracy (%)")
    axes.set_xticks(list(numbers))
    axes.invert_xaxis()
    axes.legend(loc="lower left")
    return figure


@styled
def chip() -> Figure:
    """Draw what a TPU consists of.

    Returns
    -------
    matplotlib.figure.Figure
    """
    width, height = 7.0, 3.1
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    axes.add_patch(Rectangle((1.75, 0.1), 5.1, 2.65, fill=False, edgecolor=INK, linewidth=1.2))
    label(axes, (4.3, 2.93), "chip", bold=True)
    memory = box(axes, (0.75, 1.42), "memory", "HBM, gigabytes", width=1.3, height=1.5)
    near = box(axes, (2.75, 1.42), "memory", "on the chip", width=1.2, height=2.1)
    arrow(axes, memory, near, width=5, gap=0.05)
    arrow(axes, near, memory, width=5, gap=0.05)
    # The array is most of the arithmetic: drawn as its cells.
    left, bottom, side = 4.35, 1.0, 0.132
    for row in range(10):
        for column in range(10):
            corner = left + side * column, bottom + side * row
            _shaded(axes, corner, (side, side), COLORS[0], 0.22)
    label(axes, (left + 5 * side, 2.53), "matrix multiply unit", size=9.5)
    label(axes, (6.25, 1.66), "256 by 256\nor\n128 by 128\ncells", size=9.5, color=MUTED)
    vector = box(axes, (4.95, 0.62), "vector unit", width=1.2, height=0.42)
    box(axes, (6.2, 0.62), "scalar unit", width=1.1, height=0.42)
    for start, end in (
        ((near.right[0], 1.85), (left, 1.85)),
        ((left, 1.45), (near.right[0], 1.45)),
        ((near.right[0], 0.7), (vector.left[0], 0.7)),
        ((vector.left[0], 0.52), (near.right[0], 0.52)),
    ):
        arrow(axes, start, end, gap=0.03, width=2.4)
    return figure


def _cell(
    axes: Axes, at: tuple[float, float], side: float, text: str, color: str | None = None
) -> None:
    """Draw a cell of the array with its middle at a point, shaded where it works."""
    corner = at[0] - side / 2, at[1] - side / 2
    if color is not None:
        _shaded(axes, corner, (side, side), color, 0.25)
    else:
        # Not filled: in an animation, what is the same in all frames lies below.
        axes.add_patch(Rectangle(corner, side, side, fill=False, edgecolor=INK, linewidth=1.1))
    if text:
        label(axes, at, text, size=10.5)


def _token(axes: Axes, at: tuple[float, float], text: str, color: str) -> None:
    """Draw a number on its way."""
    _shaded(axes, (at[0] - 0.165, at[1] - 0.12), (0.33, 0.24), color, 0.25)
    label(axes, at, text, size=9)


def _shaded(
    axes: Axes,
    corner: tuple[float, float],
    size: tuple[float, float],
    color: str,
    alpha: float,
) -> None:
    """Draw a rectangle with a shade inside and an outline of the same color."""
    axes.add_patch(Rectangle(corner, *size, facecolor=color, alpha=alpha, linewidth=0))
    axes.add_patch(Rectangle(corner, *size, fill=False, edgecolor=color, linewidth=1.0))
