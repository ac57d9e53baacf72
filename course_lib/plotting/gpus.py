"""Figures of the chapter *GPUs*."""

from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from course_lib.plotting.drawings import arrow, blank, brace, label, matrix
from course_lib.plotting.style import (
    COLORS,
    INK,
    LINE_STYLES,
    MARKERS,
    MUTED,
    PAPER,
    logarithmic,
    new_figure,
    styled,
)

__all__ = ["batches", "blocks", "chips", "gradients", "roofline", "steps", "waiting"]


@styled
def steps(sizes: ArrayLike, rates: ArrayLike) -> Figure:
    """Draw how fast data move, against how many there are.

    Parameters
    ----------
    sizes : array_like, shape (n,)
        Bytes that are moved again and again.
    rates : array_like, shape (n,)
        Bytes per second.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=2.9)
    axes.plot(np.asarray(sizes) / 1e6, np.asarray(rates) / 1e9, marker=MARKERS[0])
    logarithmic(axes.xaxis)
    axes.set(xlabel="bytes in all (MB)", ylabel="moved (GB/s)", ylim=(0, None))
    return figure


@styled
def roofline(
    peak: float, bandwidths: Mapping[str, float], measured: Mapping[str, tuple[float, float]]
) -> Figure:
    """Draw the ceilings of a machine, and where operations lie below them.

    Parameters
    ----------
    peak : float
        FLOPs per second.
    bandwidths : mapping of str to float
        Bytes per second, by where the bytes come from; memory first.
    measured : mapping of str to (float, float)
        FLOPs per byte and FLOPs per second, by the name of the operation.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.9)
    ridges = [peak / rate for rate in bandwidths.values()]
    reach = [value for value, _ in measured.values()] + ridges
    left, right = min(reach) / 2.5, max(reach) * 2.5
    low = min([rate for _, rate in measured.values()] + [left * max(bandwidths.values())]) / 3e9
    high = peak * 3 / 1e9
    # The angle of a line with slope 1 on these axes, which are about 6.1 by 3.3 inches.
    slope = np.degrees(np.arctan2(3.3 / np.log(high / low), 6.1 / np.log(right / left)))
    for (name, rate), ridge, style in zip(bandwidths.items(), ridges, LINE_STYLES, strict=False):
        axes.plot([left, ridge], [rate * left / 1e9, peak / 1e9], color=INK, linestyle=style)
        axes.annotate(
            f"bytes from {name}",
            ((left * ridge) ** 0.5, rate * (left * ridge) ** 0.5 / 1e9),
            xytext=(-3, 5),
            textcoords="offset points",
            ha="center",
            va="bottom",
            rotation=slope,
            rotation_mode="anchor",
            fontsize=9.5,
            color=MUTED,
        )
    axes.plot([min(ridges), right], [peak / 1e9] * 2, color=INK, linestyle="-")
    axes.text(right / 1.1, peak * 1.2 / 1e9, "peak", fontsize=9.5, color=MUTED, ha="right")
    for (name, (intensity, rate)), marker, color in zip(
        measured.items(), MARKERS, COLORS, strict=False
    ):
        axes.plot(intensity, rate / 1e9, marker, color=color, markersize=7, label=name)
    logarithmic(axes.xaxis)
    logarithmic(axes.yaxis)
    axes.set(
        xlabel="arithmetic intensity (FLOPs per byte)",
        ylabel="speed (GFLOP/s)",
        xlim=(left, right),
        ylim=(low, high),
    )
    axes.legend(loc="lower right")
    return figure


@styled
def blocks(n: int = 8, block: int = 4) -> Figure:
    """Draw what a matrix product reads: a row and a column, or two blocks.

    Parameters
    ----------
    n : int
        Rows and columns of each matrix.
    block : int
        Rows and columns of a block.

    Returns
    -------
    matplotlib.figure.Figure
    """
    width, height = 7.0, 3.75
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    cell, top = 0.16, (3.35, 1.55)
    for y, rows, columns, cells, text in (
        (top[0], (3, 0, 1, n), (0, 5, n, 1), (3, 5, 1, 1), "number\nby number"),
        (
            top[1],
            (0, 0, block, block),
            (0, block, block, block),
            (0, block, block, block),
            "block\nby block",
        ),
    ):
        label(axes, (0.6, y - 0.65), text, bold=True)
        for x, name, marked in ((1.5, "A", rows), (3.5, "B", columns), (5.5, "C", cells)):
            matrix(axes, (x, y), (n, n), cell=cell, name=name, numbers=False, highlight=[marked])
        label(axes, (3.14, y - 0.65), "@", size=12)
        label(axes, (5.14, y - 0.65), "=", size=12)
    per = block * block
    label(
        axes,
        (4.1, 1.9),
        f"read {2 * n} numbers, make 1",
        size=9.5,
        color=MUTED,
    )
    label(
        axes,
        (4.1, 0.1),
        f"read {2 * per} numbers, add {block} products to each of {per}",
        size=9.5,
        color=MUTED,
    )
    return figure


@styled
def chips() -> Figure:
    """Draw what the area of a processor and of a graphics chip is spent on.

    Returns
    -------
    matplotlib.figure.Figure
    """
    width, height = 7.0, 3.35
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)

    def area(x: float, y: float, w: float, h: float, color: str, alpha: float) -> None:
        axes.add_patch(
            Rectangle((x, y), w, h, facecolor=color, alpha=alpha, edgecolor="none", linewidth=0)
        )
        axes.add_patch(Rectangle((x, y), w, h, fill=False, edgecolor=color, linewidth=1.1))

    label(axes, (1.65, 3.2), "processor (CPU)", bold=True)
    for x in (0.2, 1.75):
        for y in (2.15, 1.25):
            area(x, y, 0.72, 0.8, COLORS[1], 0.25)
            area(x + 0.76, y, 0.64, 0.8, COLORS[0], 0.25)
            label(axes, (x + 0.36, y + 0.4), "control", size=9)
            label(axes, (x + 1.08, y + 0.4), "ALU", size=9)
    area(0.2, 0.72, 2.95, 0.45, COLORS[2], 0.25)
    label(axes, (1.67, 0.945), "cache", size=9.5)
    label(axes, (5.2, 3.2), "graphics chip (GPU)", bold=True)
    for row in range(8):
        y = 2.72 - 0.215 * row
        area(3.75, y, 0.1, 0.17, COLORS[1], 0.35)
        area(3.75 + 0.12, y, 0.12, 0.17, COLORS[2], 0.25)
        for column in range(16):
            area(4.05 + 0.165 * column, y, 0.14, 0.17, COLORS[0], 0.25)
    area(3.75, 0.72, 2.94, 0.42, COLORS[2], 0.25)
    label(axes, (5.2, 0.93), "cache", size=9.5)
    for x, w, name in ((0.2, 2.95, "memory"), (3.75, 2.94, "memory of its own")):
        axes.add_patch(Rectangle((x, 0.1), w, 0.34, fill=False, edgecolor=INK, linewidth=1.1))
        label(axes, (x + w / 2, 0.27), name, size=9.5)
    arrow(axes, (1.67, 0.44), (1.67, 0.72), width=2.2, gap=0)
    arrow(axes, (5.2, 0.44), (5.2, 0.72), width=7, gap=0)
    arrow(axes, (3.15, 0.27), (3.75, 0.27), width=1.2, gap=0)
    return figure


@styled
def batches(
    sizes: ArrayLike, measured: ArrayLike, roofs: Mapping[str, Callable[[float], float]]
) -> Figure:
    """Draw how many rows a layer answers per second, against how many it is given at once.

    Parameters
    ----------
    sizes : array_like, shape (n,)
        Rows per batch.
    measured : array_like, shape (n,)
        Rows per second, on the clock.
    roofs : mapping of str to callable
        Rows to rows per second at most, by where the bytes come from.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.1)
    fine = np.geomspace(min(sizes), max(sizes), 65)
    rates = list(measured)
    for (name, roof), style in zip(roofs.items(), LINE_STYLES, strict=False):
        most = [roof(size) for size in fine]
        axes.plot(fine, most, color=INK, linestyle=style, label=f"at most, bytes from {name}")
        rates += most
    axes.plot(sizes, measured, color=COLORS[0], linestyle="-", marker=MARKERS[0], label="measured")
    logarithmic(axes.xaxis, base=2)
    logarithmic(axes.yaxis)
    ticks = [d * 10.0**k for k in range(12) for d in (1, 2, 5)]
    axes.set_yticks([t for t in ticks if min(rates) / 1.5 < t < max(rates) * 1.5])
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set(xlabel="batch size (rows)", ylabel="rows per second")
    axes.legend(loc="lower right")
    return figure


@styled
def gradients(
    exponents: Mapping[str, ArrayLike], smallest: float, largest: float, scale: float
) -> Figure:
    """Draw how large gradients are, and what float16 can hold.

    Parameters
    ----------
    exponents : mapping of str to array_like
        Base-2 logarithms of the gradients' sizes, zeros left out, by the name of the row.
    smallest, largest : float
        Base-2 logarithms of what float16 can hold at least and at most.
    scale : float
        Base-2 logarithm of the factor by which the last row was multiplied.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, grid = new_figure(
        len(exponents),
        1,
        height=0.7 + 1.15 * len(exponents),
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    edges = np.arange(-46, 20)
    for (axes,), (name, values), color in zip(grid, exponents.items(), COLORS, strict=False):
        values = np.asarray(values, dtype=float)
        counts = np.histogram(values, edges)[0] / len(values)
        axes.bar(edges[:-1], counts, width=1, align="edge", color=color, alpha=0.75, linewidth=0)
        axes.axvspan(edges[0], smallest, color=MUTED, alpha=0.22, linewidth=0)
        axes.axvspan(largest, edges[-1], color=MUTED, alpha=0.22, linewidth=0)
        axes.set(title=name, ylabel="share", xlim=(edges[0], edges[-1]))
        axes.grid(False, axis="x")
    top = grid[0][0]
    for x, text in ((smallest - 1, "zero in float16"), (largest + 0.4, "inf")):
        top.text(
            x,
            0.93,
            text,
            transform=top.get_xaxis_transform(),
            ha="right" if x < 0 else "left",
            va="top",
            fontsize=9.5,
        )
    last = grid[-1][0]
    last.set_xlabel("size of a gradient at the output, as a power of two")
    last.annotate(
        "",
        (np.median(list(exponents.values())[-1]), 0.9),
        (np.median(list(exponents.values())[-1]) - scale, 0.9),
        xycoords=("data", "axes fraction"),
        arrowprops=dict(arrowstyle="->", color=INK),
    )
    return figure


@styled
def waiting() -> Figure:
    """Draw what a clock reads that does not wait for the device, and one that does.

    Returns
    -------
    matplotlib.figure.Figure
    """
    width, height = 7.0, 2.25
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    for y, name in ((1.6, "program"), (0.7, "device")):
        label(axes, (0.95, y), name, ha="right")
        axes.plot([1.05, 6.9], [y, y], color=MUTED, linewidth=0.8, linestyle="-")
    start = 1.35
    for k in range(3):
        _span(axes, start + 0.62 * k, 1.6, 0.54, COLORS[1], "launch")
        _span(axes, start + 0.36 + 1.45 * k, 0.7, 1.4, COLORS[0], f"compute {k + 1}")
        arrow(
            axes,
            (start + 0.62 * k + 0.3, 1.42),
            (start + 0.4 + 1.45 * k + 0.1, 0.89),
            width=1,
            gap=0,
        )
    asked, done = start + 0.62 * 2 + 0.54, start + 0.36 + 1.45 * 2 + 1.4
    _span(axes, asked + 0.08, 1.6, done - asked - 0.08, MUTED, "synchronize: wait")
    brace(axes, (start, 1.85), (asked, 1.85), "without waiting", color=COLORS[1])
    brace(axes, (done, 0.46), (start, 0.46), "what it takes", color=COLORS[0])
    return figure


def _span(axes, x: float, y: float, length: float, color: str, text: str) -> None:
    """Draw a stretch of time with a text in it."""
    axes.add_patch(
        Rectangle((x, y - 0.17), length, 0.34, facecolor=PAPER, edgecolor=color, zorder=3)
    )
    axes.add_patch(Rectangle((x, y - 0.17), length, 0.34, facecolor=color, alpha=0.2, zorder=3))
    label(axes, (x + length / 2, y), text, size=9)
