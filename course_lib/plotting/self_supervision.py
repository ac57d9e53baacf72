"""Figures of the chapter *Self-supervised learning*."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from course_lib.plotting.drawings import arrow, blank, box, label, matrix
from course_lib.plotting.style import (
    COLORS,
    GRID,
    INK,
    LINE_STYLES,
    MARKERS,
    MUTED,
    new_figure,
    styled,
)

__all__ = ["accuracy_by_labels", "spectra", "two_views"]


@styled
def two_views(first: ArrayLike, second: ArrayLike, cosines: ArrayLike) -> Figure:
    """Draw two views of each image on their way through one encoder, and how similar they become.

    Parameters
    ----------
    first, second : array_like, shape (3, height, width)
        Two views of each of three images: ink from 0 to 1.
    cosines : array_like, shape (6, 6)
        The similarity of every two embeddings, the first views before the second ones.

    Returns
    -------
    matplotlib.figure.Figure
    """
    views = [*np.asarray(first, dtype=float), *np.asarray(second, dtype=float)]
    table = np.asarray(cosines, dtype=float)
    if len(views) != 6 or table.shape != (6, 6):
        raise ValueError(
            f"two_views draws two views of three images and a (6, 6) table, but got {len(views)} "
            f"views and {table.shape}."
        )
    width, height = 7.0, 3.75
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    side, cell, top, left = 0.42, 0.48, 3.2, 3.95
    names = [f"{letter}{number}" for letter in "ab" for number in (1, 2, 3)]
    encoder = box(
        axes,
        (2.2, top - 3 * cell),
        "encoder",
        "+ projection",
        height=1.5,
        color=COLORS[0],
        thick=True,
    )
    grid = matrix(axes, (left, top), (6, 6), cell=cell)
    for i, (view, name) in enumerate(zip(views, names, strict=True)):
        y = top - (i + 0.5) * cell
        _picture(axes, view, (0.62, y), side)
        label(axes, (0.2, y), name, size=9.5)
        arrow(axes, (0.9, y), (encoder.left[0], encoder.y + 0.4 * (y - encoder.y)))
        arrow(axes, (encoder.right[0], encoder.y + 0.4 * (y - encoder.y)), (left - 0.32, y))
        label(axes, (left - 0.17, y), name, size=9.5)
        label(axes, (left + (i + 0.5) * cell, top + 0.13), name, size=9.5)
    for i in range(6):
        for j in range(6):
            middle = grid.cell(i, j).center
            if i == j:
                label(axes, middle, "×", color=MUTED, size=11)
                continue
            partners = abs(i - j) == 3
            if partners:
                _filled(axes, middle, cell, COLORS[2])
            text = f"{table[i, j]:.2f}".replace("-", "−")
            label(axes, middle, text, size=9.0, bold=partners, color=INK)
    label(
        axes,
        (left + 3 * cell, top - 6 * cell - 0.2),
        "bold: partners, pulled together\nplain: all others, pushed apart\n× itself, left out",
        size=9.5,
        color=MUTED,
        va="top",
    )
    label(axes, (2.2, encoder.y - 1.05), "one network\nfor all views", size=9.5, color=MUTED)
    axes.set_ylim(-0.45, height - 0.2)
    return figure


@styled
def accuracy_by_labels(
    counts: Sequence[int], scores: Mapping[str, NDArray[np.float64]], guess: float
) -> Figure:
    """Draw accuracy against the number of labels, with the span of the seeds.

    Parameters
    ----------
    counts : sequence of int, length m
        Numbers of labels, growing; drawn at equal distances.
    scores : mapping of str to ndarray, shape (seeds, m)
        Accuracies by name: a line through their means, a faint point for each seed.
    guess : float
        What guessing gets.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.5)
    at = np.arange(len(counts))
    for (name, found), color, style, marker in zip(
        scores.items(), COLORS, LINE_STYLES, MARKERS, strict=False
    ):
        for run in found:
            axes.plot(at, 100 * run, marker, color=color, markersize=3.5, alpha=0.35)
        mean = 100 * np.mean(found, axis=0)
        axes.plot(at, mean, color=color, linestyle=style, marker=marker, label=name)
    axes.axhline(100 * guess, color=MUTED, linewidth=1, linestyle=":")
    axes.text(at[-1], 100 * guess + 1, "guessing", ha="right", va="bottom", color=MUTED)
    axes.set_ylim(0, 100)
    axes.set_xticks(at, [str(count) for count in counts])
    axes.set_xlabel("labeled digits")
    axes.set_ylabel("accuracy on new digits (%)")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return figure


@styled
def spectra(values: Mapping[str, NDArray[np.float64]], floor: float = 1e-5) -> Figure:
    """Draw the singular values of embeddings, a curve for each seed.

    Parameters
    ----------
    values : mapping of str to ndarray, shape (seeds, d)
        Singular values by name, falling, as shares of the embeddings' length.
    floor : float
        A power of ten. Smaller values are drawn there.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.3)
    lowest = round(np.log10(floor))
    for (name, runs), color, style, marker in zip(
        values.items(), COLORS, LINE_STYLES, MARKERS, strict=False
    ):
        for k, run in enumerate(runs):
            axes.plot(
                np.arange(1, len(run) + 1),
                np.log10(np.maximum(run, floor)),
                color=color,
                linestyle=style,
                marker=marker,
                markersize=3,
                linewidth=1.4,
                label=name if k == 0 else None,
            )
    ticks = np.arange(lowest, 1)
    # Powers written in full: labels in mathematical type would cost a second.
    axes.set_yticks(ticks, [f"{10.0**t:.{max(0, -t)}f}" for t in ticks])
    axes.set_ylim(lowest - 0.2, 0.1)
    axes.set_xlabel("number of the singular value")
    axes.set_ylabel("share of the length\n(logarithmic scale)")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return figure


def _picture(
    axes: Axes, image: NDArray[np.float64], middle: tuple[float, float], side: float
) -> None:
    """Put an image on a drawing, dark ink on light paper, with the edge of its sheet."""
    x, y = middle
    half = side / 2
    axes.imshow(
        1 - np.clip(image, 0, 1),
        cmap="gray",
        vmin=0,
        vmax=1,
        extent=(x - half, x + half, y - half, y + half),
        aspect="equal",
        zorder=3,
    )
    corner = (x - half, y - half)
    axes.add_patch(Rectangle(corner, side, side, fill=False, ec=GRID, linewidth=0.8, zorder=4))


def _filled(axes: Axes, middle: tuple[float, float], side: float, color: str) -> None:
    """Shade a cell of a table."""
    corner = (middle[0] - side / 2, middle[1] - side / 2)
    axes.add_patch(Rectangle(corner, side, side, fc=color, ec="none", alpha=0.25, zorder=3))
