"""Draw the figures of the chapter *What do input, hidden and output layers do?*."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from course_lib.plotting.style import (
    COLORS,
    INK,
    LINE_STYLES,
    MARKERS,
    new_figure,
    styled,
)

__all__ = ["folds", "pieces", "shapes", "units"]

WIDTH = 5.8  # inches: narrow enough for the letters to stay legible on a phone


@styled
def shapes(arrays: Mapping[str, ArrayLike], samples: int) -> Figure:
    """Draw a batch as it passes through a network, and the shapes of the weights between.

    Parameters
    ----------
    arrays : mapping of str to array_like, shape (rows, width)
        Name of a layer, and what it passes on for some of the samples.
    samples : int
        How many samples the whole batch has.

    Returns
    -------
    matplotlib.figure.Figure
    """
    gap, tall = 38.0, 62.0  # in units of one column
    figure, axes = new_figure(width=7.0, height=2.4)
    left, before = 0.0, None
    for i, (name, values) in enumerate(arrays.items()):
        values = np.asarray(values, dtype=float)
        width = values.shape[1]
        if before is not None:
            axes.annotate(
                "",
                (left + gap - 3, tall / 2),
                (left + 3, tall / 2),
                arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 1.3},
            )
            about = {"x": left + gap / 2, "ha": "center", "color": COLORS[3]}
            axes.text(y=tall / 2 + 3, s=f"$W_{i}$", va="bottom", **about)
            axes.text(y=tall / 2 - 4, s=f"({before}, {width})", va="top", fontsize=9, **about)
            left += gap
        _cells(axes, values / max(np.abs(values).max(), 1e-12), left, width, tall)
        middle = left + width / 2
        axes.text(middle, tall + 3, name, ha="center", va="bottom", fontweight="bold")
        axes.text(middle, -3, f"({samples:,}, {width})", ha="center", va="top", fontsize=9.5)
        left, before = left + width, width
    axes.set(xlim=(-14, left + 16), ylim=(-12, tall + 12), aspect="equal")
    axes.set_axis_off()
    return figure


def _cells(axes: Axes, values: np.ndarray, left: float, width: float, tall: float) -> None:
    """Draw numbers from -1 to 1 as cells: blue above zero, vermilion below."""
    height = tall / len(values)
    for (row, column), value in np.ndenumerate(values):
        if abs(value) > 0.02:
            axes.add_patch(
                Rectangle(
                    (left + column, tall - (row + 1) * height),
                    1,
                    height,
                    facecolor=COLORS[0] if value > 0 else COLORS[1],
                    edgecolor="none",
                    alpha=abs(value),
                )
            )
    axes.add_patch(Rectangle((left, 0), width, tall, fill=False, edgecolor=INK, linewidth=1.2))


@styled
def units(
    x: ArrayLike,
    y: ArrayLike,
    layers: Mapping[str, Sequence[tuple[str, ArrayLike, float]]],
    points: ArrayLike,
    labels: ArrayLike,
) -> Figure:
    """Draw where in the plane the units of each layer are active.

    Parameters
    ----------
    x, y : array_like, shape (m,), (k,)
        Coordinates of the grid.
    layers : mapping of str to sequence of (note, activations, threshold)
        Name of a row, and for each of its units a few words, its activation on the grid (shape
        (k, m), nowhere below 0), and the threshold at which it tells the classes apart best.
    points : array_like, shape (n, 2)
        Samples, drawn into every panel.
    labels : array_like, shape (n,)
        0 or 1.

    Returns
    -------
    matplotlib.figure.Figure
    """
    points, labels = np.asarray(points), np.asarray(labels)
    count = max(len(row) for row in layers.values())
    side = 6.4 / count
    figure, panels = new_figure(
        len(layers), count, width=7.0, height=len(layers) * (side + 0.22), sharex=True, sharey=True
    )
    panels = np.reshape(panels, (len(layers), count))
    for row, (name, seen) in zip(panels, layers.items(), strict=True):
        for axes in row[len(seen) :]:
            axes.set_axis_off()
        for axes, (note, values, threshold) in zip(row, seen, strict=False):
            _shade(axes, x, y, np.asarray(values, dtype=float), threshold)
            for kind, color in ((0, INK), (1, COLORS[1])):
                axes.plot(
                    *points[labels == kind].T,
                    MARKERS[kind],
                    color=color,
                    markersize=1.8,
                    markeredgewidth=0,
                )
            axes.set_title(note, fontsize=9, fontweight="normal", loc="center")
        row[0].set_ylabel(name, fontweight="bold")
    return figure


def _shade(axes: Axes, x: ArrayLike, y: ArrayLike, values: np.ndarray, threshold: float) -> None:
    """Shade lightly where a unit is active, darkly where it is above a threshold."""
    for level, alpha in ((0.0, 0.18), (max(threshold, 0.0), 0.42)):
        if values.max() > level:
            level = max(level, 1e-6 * values.max())
            axes.contourf(x, y, values, levels=[level, np.inf], colors=[COLORS[0]], alpha=alpha)
    if values.min() < threshold < values.max():
        axes.contour(x, y, values, levels=[threshold], colors=[INK], linewidths=1.2)
    axes.set(aspect="equal", xticks=[], yticks=[])
    axes.grid(visible=False)
    axes.spines[["top", "right"]].set_visible(True)
    axes.spines[:].set_alpha(0.3)


@styled
def folds(curves: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> Figure:
    """Draw curves of straight pieces side by side, with their corners.

    Parameters
    ----------
    curves : mapping of str to (x, y)
        Title, and the places and heights of all ends of pieces.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, panels = new_figure(
        1, len(curves), width=7.0, height=2.3, sharey=True, gridspec_kw={"wspace": 0.04}
    )
    for axes, (title, (x, y)) in zip(np.atleast_1d(panels), curves.items(), strict=True):
        axes.plot(x, y, color=COLORS[0], linestyle="-", linewidth=1.6)
        axes.plot(x, y, "o", color=INK, markersize=2.6)
        axes.set_title(title, fontsize=9.5)
        axes.set_xlabel("x")
        axes.set_xticks([0, 0.5, 1], ["0", "½", "1"])
        axes.set_yticks([0, 1])
        axes.set_ylim(-0.08, 1.12)
    np.atleast_1d(panels)[0].set_ylabel("output")
    return figure


@styled
def pieces(parameters: ArrayLike, counts: Mapping[str, ArrayLike]) -> Figure:
    """Draw how many straight pieces networks make of a line, against their parameters.

    Parameters
    ----------
    parameters : array_like, shape (k,)
        Parameters of each network.
    counts : mapping of str to array_like, shape (k,) or (runs, k)
        Name of a kind of network and its pieces; for several runs the median is drawn, and a band
        from the least to the most.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(width=WIDTH, height=3.9)
    parameters, ends = np.asarray(parameters), []
    for color, style, marker, (name, runs) in zip(
        COLORS, LINE_STYLES, MARKERS, counts.items(), strict=False
    ):
        runs = np.atleast_2d(runs)
        middle = np.median(runs, axis=0)
        if len(runs) > 1:
            axes.fill_between(
                parameters,
                runs.min(axis=0),
                runs.max(axis=0),
                color=color,
                alpha=0.18,
                linewidth=0,
            )
        axes.plot(
            parameters,
            middle,
            color=color,
            linestyle=style,
            marker=marker,
            markersize=4,
            label=name,
        )
        ends.append((middle[-1], name, color))
    below = -np.inf
    for end, name, color in sorted(ends):
        # Names stand at the ends of their lines, and at least a line of text apart.
        below = max(np.log10(end), below + 0.16)
        axes.annotate(
            name,
            (parameters[-1], 10**below),
            xytext=(7, 0),
            textcoords="offset points",
            color=color,
            fontsize=9.5,
            va="center",
            annotation_clip=False,
        )
    axes.set_yscale("log")
    axes.set_xlabel("parameters (the same for all)")
    axes.set_ylabel("straight pieces")
    axes.set_yticks([1, 10, 100, 1000], ["1", "10", "100", "1,000"])
    axes.set_xlim(parameters[0] - 1, parameters[-1] + 1)
    axes.set_ylim(0.8, None)
    return figure
