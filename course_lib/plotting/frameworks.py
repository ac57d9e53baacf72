"""Figures of the chapter *Frameworks*."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_lib.plotting.drawings import Drawn, arrow, blank, box, label
from course_lib.plotting.style import (
    COLORS,
    GRID,
    INK,
    MARKERS,
    MUTED,
    logarithmic,
    new_figure,
    styled,
)

__all__ = ["conventions", "memory", "mistakes", "traced"]

# Framework -> what it has by default: axes of images, axes of kernels, constants of batch
# normalization, sizes that pooling does not divide, order of flattening, dense weights.
_CONVENTIONS: Final[dict[str, tuple[str, ...]]] = {
    "PyTorch": ("n, c, h, w", "out, in, h, w", "ε 1e-5\nnew: 0.1", "down", "c, h, w", "out, in"),
    "TensorFlow\nand Keras": (
        "n, h, w, c",
        "h, w, in, out",
        "ε 1e-3\nold: 0.99",
        "down",
        "h, w, c",
        "in, out",
    ),
    "JAX": (
        "n, c, h, w\nor as told",
        "out, in, h, w\nor as told",
        "none",
        "down",
        "as told",
        "as told",
    ),
    "ONNX": ("n, c, h, w", "out, in, h, w", "ε 1e-5\nold: 0.9", "down", "c, h, w", "by a flag"),
    "Caffe": ("n, c, h, w", "out, in, h, w", "ε 1e-5\nold: 0.999", "up", "c, h, w", "out, in"),
    "course_lib\n.scratch": ("as told", "none", "ε 1e-5\nnew: 0.1", "none", "as told", "in, out"),
}


@styled
def conventions() -> Figure:
    """Draw the network, and below each part of it what each framework expects there.

    Returns
    -------
    matplotlib.figure.Figure
    """
    width, height = 7.0, 4.25
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    stages = {"images": 1.5, "conv": 2.48, "norm": 3.37, "pool": 4.28, "flatten": 5.3, "dense": 6.4}
    shown = [
        box(axes, (x, 3.95), name, thick=True, color=COLORS[0], height=0.36)
        for name, x in stages.items()
    ]
    for start, end in pairwise(shown):
        arrow(axes, start, end)
    y = 3.38
    for row, (name, expected) in enumerate(_CONVENTIONS.items()):
        if row:
            line = [y + 0.29, y + 0.29]
            axes.plot([0.05, width - 0.05], line, color=GRID, linewidth=0.8, linestyle="-")
        label(axes, (0.05, y), name, bold=True, ha="left", size=9.5)
        for x, text, first in zip(stages.values(), expected, _CONVENTIONS["PyTorch"], strict=True):
            # What PyTorch has, too, is gray, so that the others stand out.
            lines = text.split("\n")
            for k, part in enumerate(lines):
                same = row and part in first.split("\n")
                up = 0.09 * (len(lines) - 1 - 2 * k)
                label(axes, (x, y + up), part, size=9, color=MUTED if same else INK)
        y -= 0.6
    return figure


@styled
def memory() -> Figure:
    """Draw a picture of three channels, its numbers in memory in two orders, and a mix-up.

    Below it stands where one entry of eight maps of 4 by 4 lies after flattening in each order.

    Returns
    -------
    matplotlib.figure.Figure
    """
    width, height = 7.0, 3.5
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    planes = [[(c, p) for p in range(4)] for c in range(3)]
    first = [cell for plane in planes for cell in plane]
    last = [(c, p) for p in range(4) for c in range(3)]
    mixed = [[first[3 * p + c] for p in range(4)] for c in range(3)]
    left = _planes(axes, 0.15, 2.42, planes, "the picture")
    tapes = []
    for y, cells, name in (
        (2.85, first, "channels first (NCHW)"),
        (1.95, last, "channels last (NHWC)"),
    ):
        label(axes, (2.85, y + 0.4), name, ha="left", size=9.5)
        for k, cell in enumerate(cells):
            _cell(axes, 2.85 + 0.335 * k, y - 0.15, cell)
        tapes.append(Drawn(2.85 + 0.335 * 6, y, 0.335 * 12, 0.33))
    for tape in tapes:
        arrow(axes, (left, 2.4), (2.8, tape.y))
    label(axes, (2.85, 1.35), "the first row, read as channels last:", ha="left", size=9.5)
    _planes(axes, 2.85, 0.8, mixed, "every channel a mixture")
    label(axes, (0.15, 1.35), "one entry of 8 maps of 4 by 4,", ha="left", size=9.5)
    label(axes, (0.15, 1.13), "at c = 0, h = 1, w = 1:", ha="left", size=9.5)
    c, h, w = 0, 1, 1
    for y, name, sum_, place in (
        (0.75, "c, h, w", f"16·{c} + 4·{h} + {w}", 16 * c + 4 * h + w),
        (0.45, "h, w, c", f"32·{h} + 8·{w} + {c}", 32 * h + 8 * w + c),
    ):
        label(axes, (0.15, y), name, ha="left", size=9.5, color=MUTED)
        label(axes, (0.85, y), f"{sum_} =", ha="left", size=9.5)
        label(axes, (2.4, y), str(place), ha="right", bold=True)
    return figure


def _planes(
    axes: Axes, x: float, y: float, planes: Sequence[Sequence[tuple[int, int]]], name: str
) -> float:
    """Draw the three channels side by side, 2 by 2 each; return where they end."""
    for k, plane in enumerate(planes):
        for p, cell in enumerate(plane):
            _cell(axes, x + 0.78 * k + 0.335 * (p % 2), y - 0.335 * (p // 2), cell)
    end = x + 0.78 * 2 + 0.67
    label(axes, ((x + end) / 2, y - 0.5), name, size=9.5, va="center")
    return end + 0.06


def _cell(axes: Axes, x: float, y: float, cell: tuple[int, int]) -> None:
    channel, place = cell
    color = (COLORS[1], COLORS[2], COLORS[0])[channel]  # red, green and blue
    axes.add_patch(Rectangle((x, y), 0.31, 0.31, facecolor=color, alpha=0.22, edgecolor="none"))
    axes.add_patch(Rectangle((x, y), 0.31, 0.31, fill=False, edgecolor=color, linewidth=1.1))
    label(axes, (x + 0.155, y + 0.15), "rgb"[channel] + str(place + 1), size=9)


@styled
def mistakes(
    differences: Mapping[str, float], accuracies: Mapping[str, float], tolerance: float
) -> Figure:
    """Draw what each mistake does to the outputs, and beside it to the accuracy.

    Parameters
    ----------
    differences : mapping of str to float
        Largest difference of the outputs, by what was done wrong; above 0.
    accuracies : mapping of str to float
        Share of right answers, by the same names.
    tolerance : float
        The difference from which a check speaks.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (left, right) = new_figure(
        1, 2, height=0.6 + 0.38 * len(differences), sharey=True, width_ratios=(1.5, 1)
    )
    names, places = list(differences), np.arange(len(differences))[::-1]
    left.plot(list(differences.values()), places, MARKERS[0], color=COLORS[0])
    left.axvline(tolerance, color=COLORS[1], linestyle="--")
    left.text(
        tolerance * 1.4, places[0] + 0.42, "tolerance", color=COLORS[1], fontsize=9.5, va="center"
    )
    logarithmic(left.xaxis)
    left.set(
        xlabel="largest difference / largest output",
        xlim=(1e-8, 10),
        ylim=(-0.6, len(names) - 0.3),
        yticks=places,
        yticklabels=names,
    )
    shares = [100 * accuracies[name] for name in names]
    right.barh(places, shares, height=0.5, color=COLORS[0], alpha=0.8)
    for share, place in zip(shares, places, strict=True):
        inside = share > 60
        right.text(
            share - 2 if inside else share + 2,
            place,
            f"{share:.1f}",
            ha="right" if inside else "left",
            va="center",
            fontsize=9.5,
            color="white" if inside else INK,
        )
    right.set(xlabel="accuracy (%)", xlim=(0, 100))
    right.grid(visible=False)  # the numbers stand in the bars
    return figure


@styled
def traced() -> Figure:
    """Draw what three compilers make of one function with an ``if`` on a value.

    Returns
    -------
    matplotlib.figure.Figure
    """
    width, height = 7.0, 3.9
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    columns = {"torch.compile": 1.15, "tf.function": 3.5, "jax.jit": 5.85}
    for name, x in columns.items():
        label(axes, (x, 3.72), name, bold=True)
    high = {name: (columns[name], 3.1) for name in columns}

    def graph(x: float, top: float, bottom: float) -> None:
        axes.add_patch(
            Rectangle(
                (x - 0.95, bottom),
                1.9,
                top - bottom,
                facecolor=COLORS[0],
                alpha=0.1,
                edgecolor="none",
            )
        )
        axes.add_patch(
            Rectangle(
                (x - 0.95, bottom),
                1.9,
                top - bottom,
                fill=False,
                edgecolor=COLORS[0],
                linewidth=1.2,
                linestyle="--",
            )
        )

    for name, (x, y) in high.items():
        start = box(axes, (x, y), "relu, sum, > 1")
        if name == "torch.compile":
            graph(x, 3.48, 2.62)
            asked = box(axes, (x, 2.05), "if", "Python decides", color=COLORS[1])
            end = box(axes, (x, 0.95), "divide, exp")
            graph(x, 1.3, 0.6)
            arrow(axes, start, asked)
            arrow(axes, asked, end)
            label(axes, (x, 0.3), "two graphs, one break", size=9.5)
        elif name == "tf.function":
            graph(x, 3.48, 0.6)
            asked = box(axes, (x, 2.05), "If", "both branches kept")
            end = box(axes, (x, 0.95), "exp")
            arrow(axes, start, asked)
            arrow(axes, asked, end)
            label(axes, (x, 0.3), "one graph, with the choice", size=9.5)
        else:
            graph(x, 3.48, 2.62)
            asked = box(axes, (x, 2.05), "if", "has no value yet", color=COLORS[1])
            arrow(axes, start, asked)
            label(
                axes, (x, 1.1), "an error:\nthe choice must be\nwritten as an operation", size=9.5
            )
            label(axes, (x, 0.3), "no graph: tracing stops", size=9.5)
    return figure
