"""Figures of the chapter *Interpretability*.

Maps of signed numbers are drawn as squares: the larger the number, the larger the square's area.
Positive ones are filled, negative ones hollow, so that the sign can be told without color.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from course_lib.plotting.drawings import arrow, blank, label, node
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

__all__ = ["coalitions", "faithfulness", "maps", "path", "shapley_values"]

#: A picture, and numbers for its pixels (None: the picture alone).
Pair = tuple[ArrayLike, ArrayLike | None]


@styled
def maps(
    rows: Mapping[str, Sequence[Pair]],
    columns: Sequence[str],
    notes: Sequence[Sequence[str]] | None = None,
) -> Figure:
    """Draw pictures and maps of signed numbers over them, in a table.

    Parameters
    ----------
    rows : mapping of str to sequence of (picture, map)
        What stands in each row, by the row's name. A picture has ink from 0 to 1; a map has its
        shape, and is drawn on its own scale.
    columns : sequence of str
        A title for each column.
    notes : sequence of sequence of str, optional
        A short text below each panel.

    Returns
    -------
    matplotlib.figure.Figure
    """
    gap = 0.2 if len(columns) < 8 else 0.07
    low = 0.3 if notes else 0.6 * gap
    left = 0.15 + 0.085 * max(len(name) for name in rows)
    side = min(1.2, (7.0 - left) / len(columns) - gap)
    titled = 0.36 if any(columns) else 0.08
    height = titled + len(rows) * (side + low)
    figure, axes = new_figure(width=7.0, height=height)
    blank(axes, 7.0, height)
    left += (7.0 - left - len(columns) * (side + gap) + gap) / 2
    for i, (name, row) in enumerate(rows.items()):
        top = height - titled - i * (side + low)
        if name:
            label(axes, (left - 0.12, top - side / 2), name, ha="right", size=10)
        for j, (picture, values) in enumerate(row):
            corner = (left + j * (side + gap), top)
            _panel(axes, corner, side, picture, values)
            if i == 0 and columns[j]:
                label(axes, (corner[0] + side / 2, top + 0.16), columns[j], size=9.5, bold=True)
            if notes and notes[i][j]:
                label(axes, (corner[0] + side / 2, top - side - 0.14), notes[i][j], size=9.5)
    return figure


@styled
def path(
    pictures: ArrayLike, gradients: ArrayLike, attribution: ArrayLike, logits: Sequence[float]
) -> Figure:
    """Draw the straight path from a baseline to an input, and what is collected on it.

    Parameters
    ----------
    pictures, gradients : array_like, shape (m, height, width)
        Points of the path at equal distances, the baseline first, and the gradient at each.
    attribution : array_like, shape (height, width)
        What integrated gradients make of them.
    logits : sequence of m floats
        What the network says at each point.

    Returns
    -------
    matplotlib.figure.Figure
    """
    pictures, gradients = np.asarray(pictures), np.asarray(gradients)
    width, height, side = 7.0, 3.0, 0.9
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    top, under, left, step = 2.72, 1.17, 0.3, 1.13
    largest = float(np.abs(gradients).max())
    for k, (picture, gradient) in enumerate(zip(pictures, gradients, strict=True)):
        x = left + k * step
        share = k / (len(pictures) - 1)
        ends = {0: "baseline x′", len(pictures) - 1: "input x"}
        name = ends.get(k, f"α = {share:g}")
        label(axes, (x + side / 2, top + 0.16), name, size=10, bold=k in ends)
        _panel(axes, (x, top), side, picture, None)
        label(
            axes,
            (x + side / 2, top - side - 0.14),
            f"logit {logits[k]:.1f}".replace("-", "−"),
            size=9.5,
        )
        arrow(axes, (x + side / 2, top - side - 0.26), (x + side / 2, under + 0.03))
        _panel(axes, (x, under), side, 0 * picture, gradient, largest)
        if k:
            arrow(axes, (x - step + side, top - side / 2), (x, top - side / 2), gap=0.04)
    last = left + (len(pictures) - 1) * step + side
    label(axes, ((left + last) / 2, under - side - 0.17), "gradient of the logit at each point")
    end = last + 0.28
    _panel(axes, (end, under), width - end - 0.12, pictures[-1], attribution)
    arrow(axes, (last, under - side / 2), (end, under - side / 2), gap=0.04)
    middle = (end + width - 0.12) / 2
    label(axes, (middle, under + 0.34), "mean of many,\ntimes x − x′", size=9.5)
    label(axes, (middle, under - side - 0.17), "attribution")
    return figure


@styled
def coalitions(names: Sequence[str], values: ArrayLike, player: int = 0) -> Figure:
    """Draw the eight coalitions of three players, and what one player adds to each of four.

    Parameters
    ----------
    names : sequence of 3 str
    values : array_like, shape (8,)
        Of the coalitions, in binary order: bit j of the index says that player j is present.
    player : int
        Whose arrivals are marked.

    Returns
    -------
    matplotlib.figure.Figure
    """
    values = np.asarray(values, dtype=float)
    width, height = 7.0, 3.7
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    others = [j for j in range(3) if j != player]
    spots = {}
    for index in range(8):
        present = [index >> j & 1 for j in range(3)]
        # The marked player's arrival goes to the right; the others' go down or up.
        row = present[others[0]] + 2 * present[others[1]]
        x = 1.85 if not present[player] else 4.95
        y = (3.25, 2.35, 1.45, 0.55)[row]
        who = [names[j] for j in range(3) if present[j]]
        text = " + ".join(who) if who else "nobody"
        spots[index] = node(axes, (x, y), f"{values[index]:.2f}".replace("-", "−"), radius=0.3)
        away = -1 if not present[player] else 1
        label(axes, (x + away * 0.38, y), text, ha="right" if away < 0 else "left", size=9.5)
    shares = {0: "1/3", 1: "1/6", 2: "1/3"}
    for index in range(8):
        if index >> player & 1:
            continue
        after = index | 1 << player
        size = sum(index >> j & 1 for j in range(3))
        gain = values[after] - values[index]
        text = f"{gain:+.2f}, in {shares[size]} of the orders".replace("-", "−")
        arrow(axes, spots[index], spots[after], text, color=COLORS[0], width=2.0)
    return figure


@styled
def shapley_values(
    names: Sequence[str],
    values: ArrayLike,
    counts: Sequence[int],
    errors: Mapping[str, ArrayLike],
) -> Figure:
    """Draw one sample's Shapley values, and the error of sampled ones.

    Parameters
    ----------
    names : sequence of d str
    values : array_like, shape (d,)
    counts : sequence of int
        How many orders were drawn.
    errors : mapping of str to array_like, shape (len(counts),)
        Root mean squared errors, by what they belong to.

    Returns
    -------
    matplotlib.figure.Figure
    """
    values = np.asarray(values, dtype=float)
    figure, (bars, lines) = new_figure(1, 2, height=3.3, width_ratios=[1.25, 1])
    order = np.argsort(values)
    at = np.arange(len(values))
    fills = [COLORS[0] if values[k] >= 0 else "none" for k in order]
    edges = [COLORS[0] if values[k] >= 0 else COLORS[1] for k in order]
    bars.barh(at, values[order], color=fills, edgecolor=edges, linewidth=1.4, height=0.7)
    bars.set_yticks(at, [names[k] for k in order])
    bars.axvline(0, color=INK, linewidth=0.8)
    bars.grid(axis="y", visible=False)
    bars.set_xlabel("share of the logit")
    bars.set_title("Exact, one tumor")
    place = np.log2(np.asarray(counts, dtype=float))
    for (name, error), color, style, marker in zip(
        errors.items(), COLORS, LINE_STYLES, MARKERS, strict=False
    ):
        lines.plot(place, error, color=color, linestyle=style, marker=marker, label=name)
    first = np.asarray(next(iter(errors.values())), dtype=float)
    root = first[0] * np.sqrt(counts[0] / np.asarray(counts, dtype=float))
    lines.plot(place, root, color=MUTED, linestyle=":", label="1/√n")
    lines.set_yscale("log", base=2)
    ticks = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5]
    lines.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    # Room for the legend below the lines.
    lines.set_ylim(0.3 * min(np.min(error) for error in errors.values()), None)
    lines.minorticks_off()
    lines.set_xticks(place, [str(count) for count in counts])
    lines.set_xlabel("orders drawn, n")
    lines.set_ylabel("error of a share")
    lines.set_title("Sampled")
    lines.legend(loc="lower left")
    return figure


@styled
def faithfulness(
    shares: ArrayLike, deleted: Mapping[str, ArrayLike], inserted: Mapping[str, ArrayLike]
) -> Figure:
    """Draw what is left of an answer while pixels are deleted, or inserted, in different orders.

    Parameters
    ----------
    shares : array_like, shape (m,)
        Share of the pixels that were changed, from 0 to 1.
    deleted, inserted : mapping of str to array_like, shape (m,)
        Mean probability of the answer, by the order.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, panels = new_figure(1, 2, height=3.4, sharey=True)
    titles = ("Deleting the first pixels", "Inserting the first pixels")
    for axes, title, curves in zip(panels, titles, (deleted, inserted), strict=True):
        for (name, curve), color, style, marker in zip(
            curves.items(), (*COLORS, MUTED), (*LINE_STYLES, ":"), (*MARKERS, "x"), strict=False
        ):
            axes.plot(
                shares,
                curve,
                color=color,
                linestyle=style,
                marker=marker,
                markevery=3,
                markersize=4.5,
                label=name,
            )
        axes.set_title(title)
        axes.set_xlabel("share of the pixels")
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.02)
    panels[0].set_ylabel("probability of the answer")
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=min(4, len(names)))
    return figure


def _panel(
    axes: Axes,
    corner: tuple[float, float],
    side: float,
    picture: ArrayLike,
    values: ArrayLike | None,
    largest: float | None = None,
) -> None:
    """Draw a picture, and numbers over it as squares, into a square of the sheet."""
    picture = np.asarray(picture, dtype=float)
    left, top = corner
    ink = np.empty((*picture.shape, 4))
    ink[..., :3] = to_rgb(MUTED)  # dark enough on white, light enough on black
    ink[..., 3] = np.clip(picture, 0, 1) * (0.95 if values is None else 0.5)
    axes.imshow(ink, extent=(left, left + side, top - side, top), interpolation="nearest", zorder=2)
    frame = {"fill": False, "edgecolor": GRID, "linewidth": 0.9, "zorder": 4}
    axes.add_patch(Rectangle((left, top - side), side, side, **frame))
    # imshow chooses new limits: the sheet keeps its own.
    axes.autoscale(False)
    if values is None:
        return
    numbers: NDArray[np.float64] = np.asarray(values, dtype=float)
    most = largest or float(np.abs(numbers).max()) or 1.0
    cell = side / len(numbers)
    for positive in (True, False):
        squares = []
        for i, j in np.argwhere((numbers > 0) == positive):
            size = 0.95 * cell * np.sqrt(min(1.0, abs(numbers[i, j]) / most))
            if size < 0.12 * cell:
                continue
            x, y = left + (j + 0.5) * cell, top - (i + 0.5) * cell
            squares.append(Rectangle((x - size / 2, y - size / 2), size, size))
        color = COLORS[0] if positive else COLORS[1]
        look = {"facecolor": color if positive else "none", "edgecolor": color}
        axes.add_collection(PatchCollection(squares, linewidth=0.8, zorder=3, **look))
