"""Draw the figures of the chapter *Layers*."""

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
    MUTED,
    PAPER,
    logarithmic,
    new_figure,
    styled,
)

__all__ = ["folds", "maps", "paper", "pieces", "shapes", "units"]

WIDTH = 5.8  # inches: narrow enough for the letters to stay legible on a phone


@styled
def shapes(images: ArrayLike, arrays: Mapping[str, ArrayLike], samples: int) -> Figure:
    """Draw what each layer of a network makes of some images of a batch, a row for each image.

    Parameters
    ----------
    images : array_like, shape (rows, side * side)
        Some of the images, nowhere below 0.
    arrays : mapping of str to array_like, shape (rows, width)
        Name of a layer, and what it passes on for these images. The last holds a score for each
        class: its columns are numbered, and the highest score of a row is marked.
    samples : int
        How many samples the whole batch has.

    Returns
    -------
    matplotlib.figure.Figure
    """
    images = np.asarray(images, dtype=float)
    tall, gap = 0.5, 0.34  # inches: the height of an image, and the room between layers
    cell, wide = 0.054, 0.15  # inches: the width of a column, and of a score
    figure, axes = new_figure(width=7.0, height=1.02 + (tall + 0.12) * len(images))
    axes.set_axis_off()
    axes.set_aspect("equal")
    side = round(np.sqrt(images.shape[1]))
    bottoms = [(len(images) - 1 - row) * (tall + 0.12) for row in range(len(images))]
    top = bottoms[0] + tall
    for image, bottom in zip(images / images.max(), bottoms, strict=True):
        _cells(axes, image.reshape(side, side), 0.0, bottom, tall, tall)
    _name(axes, "input", (samples, images.shape[1]), tall / 2, top)
    left, last = tall, list(arrays)[-1]
    for name, values in arrays.items():
        values = np.asarray(values, dtype=float)
        width = values.shape[1] * (wide if name == last else cell)
        for row, bottom in zip(values / max(np.abs(values).max(), 1e-12), bottoms, strict=True):
            middle = bottom + tall / 2
            axes.annotate(
                "",
                (left + gap - 0.05, middle),
                (left + 0.05, middle),
                arrowprops={"arrowstyle": "-|>", "color": MUTED, "linewidth": 1.1},
            )
            _cells(axes, row[np.newaxis], left + gap, bottom, width, tall)
            if name == last:
                place = left + gap + row.argmax() * wide, bottom
                axes.add_patch(Rectangle(place, wide, tall, fill=False, ec=INK, linewidth=2.4))
        left += gap
        if name == last:
            for number in range(values.shape[1]):
                x = left + (number + 0.5) * wide
                axes.text(x, -0.05, f"{number}", ha="center", va="top", fontsize=9)
        _name(axes, name, (samples, values.shape[1]), left + width / 2, top)
        left += width
    axes.set(xlim=(-0.2, left + 0.02), ylim=(-0.25, top + 0.45))
    return figure


def _name(axes: Axes, name: str, shape: tuple[int, int], x: float, top: float) -> None:
    """Write the name of a layer and the shape of what it passes on above its first row."""
    axes.text(x, top + 0.24, name, ha="center", va="bottom", fontweight="bold")
    axes.text(x, top + 0.06, f"({shape[0]:,}, {shape[1]})", ha="center", va="bottom", fontsize=9)


def _cells(
    axes: Axes, values: np.ndarray, left: float, bottom: float, width: float, tall: float
) -> None:
    """Draw numbers from -1 to 1 as cells: blue above zero, vermilion with a minus sign below."""
    rows, columns = values.shape
    wide, high = width / columns, tall / rows
    for (row, column), value in np.ndenumerate(values):
        if abs(value) > 0.02:
            axes.add_patch(
                Rectangle(
                    (left + column * wide, bottom + (rows - 1 - row) * high),
                    wide,
                    high,
                    facecolor=COLORS[0] if value > 0 else COLORS[1],
                    edgecolor="none",
                    alpha=abs(value),
                )
            )
            if value < 0:  # a second sign, for those who cannot tell the colors apart
                x = left + (column + 0.5) * wide
                y = bottom + (rows - 0.5 - row) * high
                axes.plot([x - 0.03, x + 0.03], [y, y], color=INK, linestyle="-", linewidth=1)
    axes.add_patch(Rectangle((left, bottom), width, tall, fill=False, ec=INK, linewidth=1.0))


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
def maps(x: ArrayLike, y: ArrayLike, heights: Mapping[str, ArrayLike], threshold: float) -> Figure:
    """Draw side by side where functions of the plane are above zero, and above a threshold.

    Parameters
    ----------
    x, y : array_like, shape (m,), (k,)
        Coordinates of the grid.
    heights : mapping of str to array_like, shape (k, m)
        Title, and the values on the grid.
    threshold : float
        Above zero.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, panels = new_figure(1, len(heights), width=7.0, height=2.6, sharex=True, sharey=True)
    for axes, (title, values) in zip(np.atleast_1d(panels), heights.items(), strict=True):
        _shade(axes, x, y, np.asarray(values, dtype=float), threshold)
        axes.set_title(title, fontsize=9.5, loc="center")
    return figure


@styled
def paper(folds: int, pin: float = 0.3) -> Figure:
    """Draw a strip of paper that is folded in the middle again and again, and pierced once.

    Parameters
    ----------
    folds : int
        A row for one fold, for two, and so on up to this many.
    pin : float
        Where the pin goes through, as a share of the folded strip's length.

    Returns
    -------
    matplotlib.figure.Figure
    """
    long, gap, tall = 2.4, 0.075, 0.16  # inches: a strip, between two sheets, its drawn width
    left, right, row = 0.85, 3.95, 1.0
    figure, axes = new_figure(width=7.0, height=row * folds + 0.45)
    axes.set_axis_off()
    axes.set(xlim=(0, 7.0), ylim=(-row * folds, 0.45), aspect="equal")
    axes.text(left, 0.12, "folded, from the side", fontweight="bold")
    axes.text(right, 0.12, "opened", fontweight="bold")
    for count in range(1, folds + 1):
        sheets, middle = 2**count, -row * (count - 0.5)
        wide = long / sheets
        bottom = middle - gap * (sheets - 1) / 2
        x, y = _folded(count, wide, gap)
        axes.plot(left + x, bottom + y, color=COLORS[0], linestyle="-", linewidth=1.6)
        at = left + pin * wide
        axes.plot([at, at], [bottom - 0.1, -bottom + 2 * middle + 0.14], color=INK, linestyle="-")
        axes.plot([at], [-bottom + 2 * middle + 0.14], "o", color=INK, markersize=5)
        axes.text(left - 0.2, middle, f"{count} fold{'s'[: count - 1]}", ha="right", va="center")

        strip = Rectangle((right, middle - tall / 2), long, tall, fc=COLORS[0], alpha=0.25)
        axes.add_patch(strip)
        for crease in np.arange(1, sheets) * wide:
            ends = [middle - tall, middle + tall]
            axes.plot([right + crease] * 2, ends, color=MUTED, linestyle=":", linewidth=1.1)
        even = np.arange(sheets) % 2 == 0
        holes = (np.arange(sheets) + np.where(even, pin, 1 - pin)) * wide
        axes.plot(
            right + holes, np.full(sheets, middle), "o", mfc=PAPER, mec=INK, mew=1.2, markersize=4.5
        )
        axes.text(right + long + 0.1, middle, f"{sheets} holes", va="center")
    return figure


def _folded(folds: int, wide: float, gap: float) -> tuple[np.ndarray, np.ndarray]:
    """Follow a folded strip from its left end: sheets that lie flat, and round creases."""
    levels = [0]
    for _ in range(folds):
        # The right half of the stack turns over onto the left one, so its order is reversed.
        turned = [2 * len(levels) - 1 - level for level in levels]
        halves = list(zip(levels, turned, strict=True))
        levels = [end for i, pair in enumerate(halves) for end in (pair[::-1] if i % 2 else pair)]
    angles = np.linspace(-np.pi / 2, np.pi / 2, 13)
    x, y = [np.zeros(1)], [np.zeros(1)]
    for i, (level, following) in enumerate(zip(levels, [*levels[1:], None], strict=True)):
        end = wide if i % 2 == 0 else 0.0
        if following is None:
            x, y = [*x, np.array([end])], [*y, np.array([gap * level])]
            continue
        bulge = gap * abs(following - level) / 2 * np.cos(angles)
        x.append(end + bulge if i % 2 == 0 else end - bulge)
        y.append(gap * ((level + following) / 2 + (following - level) / 2 * np.sin(angles)))
    return np.concatenate(x), np.concatenate(y)


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
    logarithmic(axes.yaxis)
    axes.set_xlabel("parameters (the same for all)")
    axes.set_ylabel("straight pieces")
    axes.set_yticks([1, 10, 100, 1000], ["1", "10", "100", "1,000"])
    axes.set_xlim(parameters[0] - 1, parameters[-1] + 1)
    axes.set_ylim(0.8, None)
    return figure
