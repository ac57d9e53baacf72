"""Figures of the chapter *Transfer learning*."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from course_lib.plotting.drawings import Drawn, arrow, blank, box, brace, label
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

__all__ = ["labels_needed", "layers_carried", "regimes", "sheets"]

MOVES: Final = COLORS[1]
STAYS: Final = COLORS[0]

#: Where the middles of the blocks are, in inches from the bottom.
_HEIGHTS: Final = {"layer 1": 0.9, "layer 2": 1.46, "layer 3": 2.02, "head": 2.74}


@styled
def sheets(rows: Mapping[str, tuple[ArrayLike, Sequence[object]]]) -> Figure:
    """Show images in rows, each with what it is labeled.

    Parameters
    ----------
    rows : mapping of str to (images, labels)
        A title for each row; images of shape (m, height, width), and a label for each. All rows
        have the same number of images.

    Returns
    -------
    matplotlib.figure.Figure
    """
    count = {len(labels) for _, labels in rows.values()}
    if len(count) != 1:
        raise ValueError(f"rows: they have {sorted(count)} images; give each as many")
    columns, tall = count.pop(), 1.62
    figure, axes = new_figure(height=0.98 * len(rows) + 0.1)
    blank(axes, 1.12 * columns, tall * len(rows))
    for row, (title, (images, labels)) in enumerate(rows.items()):
        top = tall * (len(rows) - row) - 0.34
        label(axes, (0, top + 0.05), title, bold=True, ha="left", va="bottom")
        for column, (image, text) in enumerate(zip(np.asarray(images), labels, strict=True)):
            left = 1.12 * column
            extent = (left, left + 1, top - 1, top)
            axes.imshow(image, cmap="gray_r", extent=extent, zorder=2)
            frame = Rectangle((left, top - 1), 1, 1, fill=False, ec=GRID, linewidth=0.8, zorder=3)
            axes.add_patch(frame)
            label(axes, (left + 0.5, top - 1.04), str(text), size=9, va="top")
    # imshow has set limits of its own.
    axes.set(xlim=(0, 1.12 * columns), ylim=(0, tall * len(rows)))
    return figure


@styled
def regimes(trained: Mapping[str, int]) -> Figure:
    """Draw a network whose body is borrowed, and what moves in each way of using it.

    Parameters
    ----------
    trained : mapping of str to int
        How many parameters move "from scratch", with a "frozen body" and in "fine-tuning".

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(width=7, height=3.75)
    blank(axes, 7, 3.75)
    own, every = dict.fromkeys(_HEIGHTS, "new"), dict.fromkeys(_HEIGHTS, True)
    borrowed = dict.fromkeys(_HEIGHTS, "borrowed") | {"head": "new"}
    nothing = dict.fromkeys(_HEIGHTS, False)
    _upright(axes, 0.7, "from scratch", own, every)
    source = _upright(axes, 2.4, "source network", {name: name for name in _HEIGHTS}, nothing)
    _upright(axes, 4.65, "frozen body", borrowed, nothing | {"head": True})
    _upright(axes, 6.25, "fine-tuning", borrowed, every)
    for x, way in ((0.7, "from scratch"), (4.65, "frozen body"), (6.25, "fine-tuning")):
        label(axes, (x, 0.1), f"{trained[way]:,} move", size=9.5)
    label(axes, (2.4, 0.1), "trained before", size=9.5, color=MUTED)
    # The old head is cut off, and the body is copied.
    y = (source["layer 3"].top[1] + source["head"].bottom[1]) / 2
    axes.plot([1.68, 3.12], [y, y], "--", color=MOVES, linewidth=1.6, zorder=6)
    right = source["layer 2"].right[0] + 0.1
    top, bottom = source["layer 3"].top[1], source["layer 1"].bottom[1]
    tip = brace(axes, (right, top), (right, bottom), depth=0.14)
    arrow(axes, (tip[0] + 0.03, tip[1]), (tip[0] + 0.5, tip[1]), "copy", color=INK)
    return figure


@styled
def labels_needed(
    counts: Sequence[int],
    scores: Mapping[str, NDArray[np.float64]],
    guess: float,
) -> Figure:
    """Draw accuracy against the number of labels, for several ways of learning.

    Parameters
    ----------
    counts : sequence of int, length m
        Numbers of labels, growing.
    scores : mapping of str to ndarray, shape (seeds, m)
        Accuracies by name; the line is their mean, each seed a faint point.
    guess : float
        What guessing gets.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.7)
    where = np.log(np.asarray(counts, dtype=float))
    for (name, found), color, style, marker in zip(
        scores.items(), COLORS, LINE_STYLES, MARKERS, strict=False
    ):
        for run in found:
            axes.plot(where, run, marker, color=color, markersize=3.5, alpha=0.35)
        mean = found.mean(axis=0)
        axes.plot(where, mean, color=color, linestyle=style, marker=marker, label=name)
    axes.axhline(guess, color=MUTED, linewidth=1, linestyle=":")
    axes.text(where[-1], guess + 0.01, "guessing", ha="right", va="bottom", color=MUTED)
    _percent(axes)
    axes.set_xticks(where, [f"{count:,}" for count in counts])
    axes.set_xlabel("labeled photographs of the new digits (logarithmic scale)")
    axes.set_ylabel("accuracy on new photographs")
    axes.legend(loc="upper left")
    return figure


@styled
def layers_carried(
    panels: Mapping[str, Mapping[str, NDArray[np.float64]]],
) -> Figure:
    """Draw accuracy against how many layers came from the source, a panel for each source.

    Parameters
    ----------
    panels : mapping of str to mapping of str to ndarray, shape (seeds, m)
        By title and name of the curve: accuracies with 0, 1, ..., m - 1 layers carried over.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(1, len(panels), height=3.2, sharey=True)
    for panel, (title, curves) in zip(np.atleast_1d(axes), panels.items(), strict=True):
        for (name, found), color, style, marker in zip(
            curves.items(), COLORS, LINE_STYLES, MARKERS, strict=False
        ):
            at = np.arange(found.shape[1])
            for run in found:
                panel.plot(at, run, marker, color=color, markersize=3.5, alpha=0.35)
            mean = found.mean(axis=0)
            panel.plot(at, mean, color=color, linestyle=style, marker=marker, label=name)
        panel.axhline(found[:, 0].mean(), color=MUTED, linewidth=1, linestyle=":")
        panel.set_xticks(at)
        panel.set_xlabel("layers carried over")
        panel.set_title(title)
        _percent(panel)
    panels_drawn = np.atleast_1d(axes)
    panels_drawn[0].set_ylabel("accuracy on new photographs")
    panels_drawn[-1].legend(loc="upper right")
    return figure


def _upright(
    axes: Axes,
    x: float,
    title: str,
    texts: Mapping[str, str],
    moves: Mapping[str, bool],
) -> dict[str, Drawn]:
    """Draw a network from its input at the bottom to its answer; what moves has a thick outline."""
    label(axes, (x, 3.6), title, bold=True)
    label(axes, (x, 0.36), "photograph", size=9, color=MUTED)
    places, below = {}, (x, 0.45)
    for name, y in _HEIGHTS.items():
        look = {"color": MOVES if moves[name] else STAYS, "thick": moves[name]}
        places[name] = box(axes, (x, y), texts[name], width=1.15, height=0.36, **look)
        arrow(axes, below, places[name].bottom)
        below = places[name].top
    arrow(axes, below, (x, 3.2))
    label(axes, (x, 3.29), "answer", size=9, color=MUTED)
    return places


def _percent(axes: Axes) -> None:
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
