"""Draw the figures of the chapter *Initialization and normalization*."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import ArrayLike

from course_lib.plotting.drawings import arrow, blank, box, brace, label, matrix, node
from course_lib.plotting.style import (
    COLORS,
    LINE_STYLES,
    MARKERS,
    MUTED,
    PAPER,
    logarithmic,
    new_figure,
    styled,
)

__all__ = [
    "normalized",
    "rescue",
    "residual_block",
    "rows_and_columns",
    "through_depth",
    "window",
]

WIDTH = 5.8  # inches: narrow enough for the letters to stay legible on a phone

HALO = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.5}
Runs = Mapping[str, ArrayLike]


@styled
def through_depth(signal: Runs, gradient: Runs) -> Figure:
    """Draw the size of what passes through a deep network, on its way forward and back.

    Parameters
    ----------
    signal : mapping of str to array_like, shape (seeds, depth + 1)
        Name of a way to choose weights, and the size of the activations behind 0, 1, ... layers.
        The median over the seeds is drawn and the range is shaded.
    gradient : mapping of the same names to array_like of the same shapes
        The size of the gradients at the same places.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (upper, lower) = new_figure(2, 1, width=WIDTH, height=5.6, sharex=True)
    for axes, runs in ((upper, signal), (lower, gradient)):
        for i, sizes in enumerate(map(np.atleast_2d, runs.values())):
            layers = np.arange(sizes.shape[1])
            axes.fill_between(
                layers, sizes.min(axis=0), sizes.max(axis=0), color=COLORS[i], alpha=0.2, lw=0
            )
            axes.plot(layers, np.median(sizes, axis=0), color=COLORS[i], linestyle=LINE_STYLES[i])
        logarithmic(axes.yaxis)
        axes.plot(layers[[0, -1]], [1, 1], color=MUTED, linestyle="-", linewidth=0.8, zorder=0)
    depth = len(layers) - 1
    upper.set_xlim(-0.5, depth * 1.4)
    upper.set_xticks(range(0, depth + 1, 10))
    _name_ends(upper, signal)
    upper.set_title("Forward: size of the activations  \N{RIGHTWARDS ARROW}")
    lower.set_title("Back: size of the gradients  \N{LEFTWARDS ARROW}")
    upper.set_ylabel("root mean square")
    lower.set_ylabel("root mean square")
    lower.set_xlabel("layer")
    return figure


@styled
def rows_and_columns(n: int, d: int) -> Figure:
    """Draw what the two normalizations of a matrix take together: a column, and a row.

    Parameters
    ----------
    n, d : int
        Number of samples (rows) and of features (columns).

    Returns
    -------
    matplotlib.figure.Figure
    """
    cell, between, left = 0.26, 1.75, 1.05
    across, down = d * cell, n * cell
    width, height = left + 2 * across + between + 0.6, down + 1.2
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    top = height - 0.45
    kinds = (
        ("batch norm", "one mean, one variance\nper column, over the batch", (0, d // 2, n, 1)),
        ("layer norm", "one mean, one variance\nper row, over the features", (n // 2, 0, 1, d)),
    )
    for i, (name, note, block) in enumerate(kinds):
        corner = (left + i * (across + between), top)
        grid = matrix(axes, corner, (n, d), name=name, note=note, cell=cell, highlight=[block])
        label(axes, (grid.x - across / 2 - 0.1, grid.y), f"{n} samples", color=MUTED, ha="right")
    return figure


@styled
def normalized(panels: Mapping[str, ArrayLike], marked: int) -> Figure:
    """Draw small batches as lines across their features, one for each sample.

    Parameters
    ----------
    panels : mapping of str to array_like, shape (n, d)
        Title, and the numbers of n samples in d features.
    marked : int
        The sample to draw in color in every panel.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, row = new_figure(1, len(panels), width=WIDTH, height=3.0, sharex=True)
    for axes, (title, numbers) in zip(np.ravel(row), panels.items(), strict=True):
        numbers = np.asarray(numbers)
        features = np.arange(1, numbers.shape[1] + 1)
        others = np.delete(numbers, marked, axis=0)
        axes.axhline(0, color=MUTED, linewidth=0.8)
        axes.plot(features, others.T, color=MUTED, ls="-", lw=0.7, marker=".", ms=3, alpha=0.7)
        axes.plot(features, numbers[marked], color=COLORS[1], linestyle="-", marker="s", ms=4)
        axes.set_title(title)
        axes.set_xticks(features)
        axes.set_xlabel("feature")
    np.ravel(row)[0].set_ylabel("value")
    return figure


@styled
def window(scales: Sequence[float], accuracy: Runs) -> Figure:
    """Draw how well networks learn against the scale of their starting weights.

    Parameters
    ----------
    scales : sequence of float
        Factors on the starting weights, each a power of two.
    accuracy : mapping of str to array_like, shape (seeds, len(scales))
        Name of a kind of network, and its accuracy between 0 and 1. The median is drawn and the
        range is shaded.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(width=WIDTH, height=3.3)
    for i, runs in enumerate(map(np.atleast_2d, accuracy.values())):
        axes.fill_between(
            scales, runs.min(axis=0), runs.max(axis=0), color=COLORS[i], alpha=0.18, lw=0
        )
        middle = np.median(runs, axis=0)
        axes.plot(scales, middle, color=COLORS[i], linestyle=LINE_STYLES[i], marker=MARKERS[i])
    axes.set_xscale("log", base=2)
    axes.set_xticks(scales, [f"{scale:g}" for scale in scales])
    axes.minorticks_off()
    axes.set_xlim(scales[0] * 0.85, scales[-1] * (scales[-1] / scales[0]) ** 0.45)
    axes.set_ylim(0, 1)
    _name_ends(axes, accuracy, scales[-1])
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_xlabel("starting weights, as a multiple of He's")
    axes.set_ylabel("validation digits read correctly")
    return figure


@styled
def residual_block(parts: Sequence[str]) -> Figure:
    """Draw a residual block: a row of parts, and the connection that skips them.

    Parameters
    ----------
    parts : sequence of str
        Names of what the block computes with, in order.

    Returns
    -------
    matplotlib.figure.Figure
    """
    row, above, fork, gap = 0.8, 1.5, 0.6, 0.28
    widths = [0.2 + 0.105 * len(name) for name in parts]  # about as wide as the bold letters
    ends = fork + 0.02 + np.cumsum([gap + block for block in widths])
    width = ends[-1] + 1.75
    figure, axes = new_figure(width=width, height=1.9)
    blank(axes, width, 1.9)
    a = label(axes, (0.25, row), "$a$", size=12)
    plus = node(axes, (ends[-1] + 0.5, row), "+", radius=0.16)
    label(axes, (plus.x + 0.62, row), "$a + f(a)$", size=10.5, ha="left")
    boxes = [
        box(axes, (stop - block / 2, row), name, width=block)
        for name, block, stop in zip(parts, widths, ends, strict=True)
    ]
    for start, stop in zip([a, *boxes], [*boxes, plus], strict=True):
        arrow(axes, start, stop)
    arrow(axes, plus, (plus.x + 0.58, row))
    skip = {"color": COLORS[0], "width": 2.4, "gap": 0.0}
    arrow(axes, (fork, row), (fork, above), head=False, **skip)
    arrow(axes, (fork, above), (plus.x, above), head=False, **skip)
    arrow(axes, (plus.x, above), plus.top, **skip)
    axes.plot(fork, row, marker="o", markersize=5, color=COLORS[0], zorder=5)
    middle = (fork + plus.x) / 2
    label(axes, (middle, above + 0.2), "skip connection: nothing happens here", color=COLORS[0])
    brace(axes, (boxes[-1].right[0], row - 0.3), (boxes[0].left[0], row - 0.3), "$f(a)$")
    return figure


@styled
def rescue(losses: Runs, likeness: Runs, gradient: Runs) -> Figure:
    """Draw deep networks side by side: how they learn, and what they were like before.

    Parameters
    ----------
    losses : mapping of str to array_like, shape (seeds, steps)
        Name of a kind of network, and the loss in every step of its training.
    likeness : mapping of the same names to array_like, shape (seeds, places)
        How alike different samples are, from 0 to 1, at places along the untrained network.
    gradient : mapping of the same names to array_like, shape (seeds, layers)
        Length of the gradient of each layer's weights in the untrained network.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, panels = new_figure(3, 1, width=WIDTH, height=7.0)
    for axes, runs in zip(panels, (losses, likeness, gradient), strict=True):
        for i, (name, values) in enumerate(runs.items()):
            values = np.atleast_2d(values)
            if axes is panels[0]:
                values = _smooth(values)
            places = np.linspace(0, 1, values.shape[1])
            color, style = COLORS[i], LINE_STYLES[i]
            axes.fill_between(
                places, values.min(axis=0), values.max(axis=0), color=color, alpha=0.2, lw=0
            )
            axes.plot(places, np.median(values, axis=0), color=color, linestyle=style, label=name)
        axes.set_xlim(-0.01, 1.42)
    top, middle, bottom = panels
    steps = np.atleast_2d(next(iter(losses.values()))).shape[1]
    top.set_xticks([0, steps // 2 / steps, 1], ["0", f"{steps // 2}", f"{steps}"])
    top.set(title="Learning", xlabel="step", ylabel="loss")
    middle.set(title="Before the first step: samples", ylabel="likeness", ylim=(0, 1.05))
    bottom.set(title="Before the first step: gradients", ylabel="length")
    for axes in (top, bottom):
        logarithmic(axes.yaxis)
    for axes in (middle, bottom):
        axes.set_xticks([0, 1], ["first layer", "last layer"])
    _name_ends(top, {name: _smooth(np.atleast_2d(runs)) for name, runs in losses.items()}, 1)
    _name_ends(middle, likeness, 1)
    _name_ends(bottom, gradient, 1)
    return figure


def _smooth(runs: np.ndarray, width: int = 11) -> np.ndarray:
    """Average every number with its neighbors, with fewer of them at both ends."""
    kernel = np.ones(min(width, runs.shape[1]))
    weights = np.convolve(np.ones(runs.shape[1]), kernel, mode="same")
    return np.array([np.convolve(run, kernel, mode="same") / weights for run in runs])


def _name_ends(axes: Axes, runs: Runs, x: float | None = None) -> None:
    """Write each name behind the median's last point.

    Names that would overlap are moved apart, up and down alike: each stays as close to its curve
    as its neighbors allow.

    The limits of the x-axis must be set; those of the y-axis are taken as they are.
    """
    axes.set_ylim(axes.get_ylim())
    to_share = axes.transScale + axes.transLimits  # data to shares of the panel's width and height
    ends = {}
    for i, (name, values) in enumerate(runs.items()):
        last = np.median(np.atleast_2d(values), axis=0)
        ends[name] = (*to_share.transform((len(last) - 1 if x is None else x, last[-1])), COLORS[i])
    line = 0.19 / (axes.get_position().height * axes.figure.get_figheight())
    stacks: list[tuple[list[str], float, float]] = []  # names that touch, their middle, half of all
    for name, (_, up, _) in sorted(ends.items(), key=lambda end: end[1][1]):
        names, middle, half = [name], up, line * (1 + name.count("\n")) / 2
        while stacks and stacks[-1][1] + stacks[-1][2] > middle - half:
            below, lower, more = stacks.pop()
            middle = (len(below) * lower + len(names) * middle) / (len(below) + len(names))
            names, half = below + names, half + more
        stacks.append((names, middle, half))
    heights = {}
    for names, middle, half in stacks:
        bottom = middle - half
        for name in names:
            tall = line * (1 + name.count("\n"))
            heights[name] = bottom + tall / 2
            bottom += tall
    for name, (across, _, color) in ends.items():
        axes.text(
            across + 0.02,
            heights[name],
            name,
            transform=axes.transAxes,
            va="center",
            color=color,
            fontweight="bold",
            fontsize=9.5,
            bbox=HALO,
        )
