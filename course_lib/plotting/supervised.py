"""Figures of the chapter *Supervised learning*."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from course_lib.metrics import Reliability
from course_lib.plotting.style import (
    COLORS,
    GRID,
    INK,
    LINE_STYLES,
    MUTED,
    PAPER,
    new_figure,
    styled,
)

__all__ = ["confusion", "diagrams", "thresholds", "what_a_loss_asks"]


@styled
def what_a_loss_asks(
    hours: ArrayLike,
    minutes: ArrayLike,
    at: ArrayLike,
    answers: Mapping[str, ArrayLike],
) -> Figure:
    """Draw trips by the hour of departure, and what networks with different losses answer.

    Parameters
    ----------
    hours, minutes : array_like, shape (n,)
        Departure of each trip and how long it took.
    at : array_like, shape (m,)
        Hours at which the networks were asked.
    answers : mapping of str to array_like, shape (m,)
        What each said, by name.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.6)
    axes.scatter(hours, minutes, s=6, color=MUTED, alpha=0.45, linewidths=0, label="one trip")
    for (name, line), color, style in zip(answers.items(), COLORS, LINE_STYLES, strict=False):
        axes.plot(at, line, color=color, linestyle=style, label=name)
    axes.set_ylim(15, 95)
    axes.set_xlim(0, 24)
    axes.set_xticks(range(0, 25, 4))
    axes.set_xlabel("hour of departure")
    axes.set_ylabel("length of the trip (minutes)")
    axes.legend(loc="upper left")
    return figure


@styled
def confusion(
    table: NDArray[np.int64],
    images: Sequence[ArrayLike],
    notes: Sequence[str],
) -> Figure:
    """Draw a confusion matrix with its mistakes in front, and some of the images behind them.

    Parameters
    ----------
    table : ndarray of int, shape (k, k)
        A row per right class, a column per answer.
    images : sequence of array_like, shape (height, width)
        Samples that were got wrong.
    notes : sequence of str
        A line for each image.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(1, 2, height=3.9, width_ratios=[1.25, 1])
    panel, classes = axes[0], len(table)
    wrong = table - np.diag(np.diag(table))
    most = max(1, int(wrong.max()))
    for row in range(classes):
        for column in range(classes):
            count = int(table[row, column])
            if row == column:
                panel.text(column, row, count, ha="center", va="center", color=MUTED, fontsize=9)
            elif count:
                side = 0.35 + 0.6 * np.sqrt(count / most)
                corner = (column - side / 2, row - side / 2)
                panel.add_patch(
                    _square(corner, side, facecolor=COLORS[1], edgecolor="none", zorder=2)
                )
                panel.text(
                    column, row, count, ha="center", va="center", color=PAPER, fontsize=9, zorder=3
                )
    panel.set_xlim(-0.5, classes - 0.5)
    panel.set_ylim(classes - 0.5, -0.5)
    panel.set_xticks(range(classes))
    panel.set_yticks(range(classes))
    panel.set_aspect("equal")
    panel.set_xlabel("answer")
    panel.set_ylabel("right digit")
    panel.set_title("Counts")
    _thumbnails(axes[1], images, notes)
    return figure


@styled
def diagrams(
    panels: Mapping[str, Reliability],
    notes: Sequence[str],
) -> Figure:
    """Draw reliability diagrams side by side.

    Parameters
    ----------
    panels : mapping of str to Reliability
        What `course_lib.metrics.reliability` found, by title.
    notes : sequence of str
        A short text for the corner of each panel.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(1, len(panels), height=3.4, sharey=True)
    for panel, (title, found), note in zip(axes, panels.items(), notes, strict=True):
        panel.plot([0, 1], [0, 1], color=MUTED, linestyle=":", label="as right as sure")
        below = np.minimum(found.confidence, found.accuracy)
        panel.vlines(
            found.confidence,
            below,
            np.maximum(found.confidence, found.accuracy),
            color=COLORS[1],
            linewidth=3,
            alpha=0.55,
            label="the gap",
        )
        share = np.sqrt(found.count / found.count.max())
        panel.scatter(
            found.confidence, found.accuracy, s=12 + 70 * share, color=COLORS[0], zorder=3
        )
        panel.set_title(title)
        panel.set_xlim(0, 1.02)
        panel.set_ylim(0, 1.02)
        panel.set_aspect("equal")
        panel.set_xlabel("confidence")
        panel.text(0.97, 0.05, note, ha="right", va="bottom", color=INK, fontsize=9.5)
    axes[0].set_ylabel("share of right answers")
    axes[0].legend(loc="upper left")
    return figure


@styled
def thresholds(
    grid: ArrayLike,
    costs: Mapping[str, NDArray[np.float64]],
    theory: float,
) -> Figure:
    """Draw what decisions cost against the threshold, on several sets of data.

    Parameters
    ----------
    grid : array_like, shape (m,)
        Thresholds, above 0.
    costs : mapping of str to ndarray, shape (m,)
        Mean cost per sample at each threshold. The lowest point of each is marked.
    theory : float
        The threshold that a calibrated probability asks for.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.2)
    grid = np.asarray(grid)
    for (name, cost), color, style in zip(costs.items(), COLORS, LINE_STYLES, strict=False):
        axes.plot(grid, cost, color=color, linestyle=style, label=name, drawstyle="steps-mid")
        best = int(np.argmin(cost))
        axes.plot(grid[best], cost[best], "o", color=color, markersize=7)
    axes.axvline(theory, color=MUTED, linestyle=":", linewidth=1.2, label="asked for by the costs")
    axes.set_xscale("log")
    # At the right end every tumor is missed: that would leave the rest no room.
    axes.set_ylim(0, 2.5 * max(float(cost[0]) for cost in costs.values()))
    axes.set_xlabel("threshold on the probability of a malignant tumor")
    axes.set_ylabel("cost per patient")
    axes.legend(loc="upper left")
    return figure


def _square(corner: tuple[float, float], side: float, **style: object) -> object:
    from matplotlib.patches import Rectangle

    return Rectangle(corner, side, side, **style)


def _thumbnails(axes: object, images: Sequence[ArrayLike], notes: Sequence[str]) -> None:
    """Put images into a grid of one panel, each with a line below."""
    axes.set_axis_off()
    axes.set_title("Some of the mistakes")
    columns = 2
    for place, (image, note) in enumerate(zip(images, notes, strict=True)):
        row, column = divmod(place, columns)
        left, top = 1.25 * column, 1.35 * row
        axes.imshow(
            np.asarray(image),
            cmap="gray_r",
            vmin=0,
            vmax=1,
            extent=(left, left + 1, top + 1, top),
            zorder=2,
        )
        axes.add_patch(_square((left, top), 1, fill=False, edgecolor=GRID, linewidth=0.8, zorder=3))
        axes.text(left + 0.5, top + 1.16, note, ha="center", va="center", fontsize=9)
    rows = -(-len(images) // columns)
    axes.set_xlim(-0.05, 1.25 * columns - 0.2)
    axes.set_ylim(1.35 * rows, -0.05)
    axes.set_aspect("equal")
