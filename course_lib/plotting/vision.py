"""Figures of the chapter *Vision*."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from course_lib.plotting.drawings import Drawn, arrow, blank, box, label
from course_lib.plotting.style import (
    COLORS,
    GRID,
    INK,
    LINE_STYLES,
    MARKERS,
    MUTED,
    PAPER,
    new_figure,
    styled,
)

#: Colors of anchors, none of them that of a true box.
ANCHORS = (COLORS[0], COLORS[2], COLORS[3])

__all__ = [
    "anchors",
    "masks",
    "overlaps",
    "page",
    "patches",
    "pencils",
    "sizes",
    "suppression",
    "unet",
]


@styled
def page(image: ArrayLike, boxes: ArrayLike, labels: Sequence[int], masks: ArrayLike) -> Figure:
    """Draw a page, what stands where on it, and which of its pixels belong to what.

    Parameters
    ----------
    image : array_like, shape (size, size)
    boxes : array_like, shape (k, 4)
    labels : sequence of int
    masks : array_like of bool, shape (2, size, size)
        Digits and lines.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, panels = new_figure(1, 3, height=2.7)
    for axes, title in zip(panels, ("the page", "boxes and classes", "masks"), strict=True):
        axes.set_title(title, pad=12)
    _picture(panels[0], image)
    size = len(np.asarray(image))
    panels[0].axis("on")
    panels[0].set(xticks=(0, size), yticks=(0, size), xlabel="x (pixels)", ylabel="y (pixels)")
    _picture(panels[1], image)
    for one, digit in zip(np.asarray(boxes), labels, strict=True):
        _outline(panels[1], one, COLORS[1], name=str(digit))
    _mask(panels[2], masks)
    return figure


@styled
def masks(images: Sequence[ArrayLike], rows: Mapping[str, Sequence[ArrayLike]]) -> Figure:
    """Draw pages, and below each which pixels are called digit and line.

    Parameters
    ----------
    images : sequence of array_like, shape (size, size)
    rows : mapping of str to sequence of array_like of bool, shape (masks, size, size)
        Who says so, and what of each page.

    Returns
    -------
    matplotlib.figure.Figure
    """
    columns = len(images)
    height = 1.22 * (len(rows) + 1)
    figure, panels = new_figure(len(rows) + 1, columns, width=7.0, height=height)
    for axes, image in zip(panels[0], images, strict=True):
        _picture(axes, image)
    for line, (_, found) in zip(panels[1:], rows.items(), strict=True):
        for axes, mask in zip(line, found, strict=True):
            _mask(axes, mask)
    for axes, name in zip(panels[:, 0], ("page", *rows), strict=True):
        axes.text(-0.12, 0.5, name, transform=axes.transAxes, ha="right", va="center", size=9.5)
    return figure


@styled
def unet(size: int, channels: int, masks: int) -> Figure:
    """Draw a U-Net of three sizes: down, across and up.

    Parameters
    ----------
    size : int
        Height and width of the images.
    channels : int
        Of the largest maps.
    masks : int
        How many come out.

    Returns
    -------
    matplotlib.figure.Figure
    """
    width, height = 7.0, 3.1
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    levels = (2.6, 1.55, 0.5)

    def maps(x: float, level: int, name: str = "convolutions") -> Drawn:
        side, many = size // 2**level, channels * 2**level
        return box(axes, (x, levels[level]), name, f"({many}, {side}, {side})")

    start = box(axes, (0.62, levels[0]), "image", f"(1, {size}, {size})")
    down = [maps(2.0, 0), maps(2.45, 1)]
    bottom = maps(3.5, 2)
    up = [maps(4.55, 1), maps(5.0, 0)]
    end = box(axes, (6.4, levels[0]), "masks", f"({masks}, {size}, {size})")
    arrow(axes, start, down[0])
    for a, b in ((down[0], down[1]), (down[1], bottom)):
        arrow(axes, a.bottom, b.top)
    for a, b in ((bottom, up[0]), (up[0], up[1])):
        arrow(axes, a.top, b.bottom)
    arrow(axes, up[1], end)
    for a, b in ((down[0], up[1]), (down[1], up[0])):
        arrow(axes, a, b, "copy", style="--")
    label(
        axes, (1.35, 1.02), "each step down: half the\nside, twice the maps", size=9.5, color=MUTED
    )
    label(axes, (5.75, 1.02), "each step up:\nthe other way round", size=9.5, color=MUTED)
    return figure


@styled
def overlaps(pairs: Sequence[tuple[Sequence[float], Sequence[float]]], values: ArrayLike) -> Figure:
    """Draw pairs of boxes with what they share, and their intersection over union.

    Parameters
    ----------
    pairs : sequence of (box, box)
        Each ``(x1, y1, x2, y2)``, from 0 to 10.
    values : array_like
        The IoU of each pair.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, panels = new_figure(1, len(pairs), height=1.9)
    for axes, (a, b), value in zip(panels, pairs, np.asarray(values), strict=True):
        axes.set(xlim=(-0.5, 10.5), ylim=(10.5, -0.5), aspect="equal")
        axes.axis("off")
        low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
        if np.all(high > low):
            axes.add_patch(Rectangle(low, *(high - low), fc=COLORS[2], alpha=0.45, ec="none"))
        _outline(axes, a, COLORS[0])
        _outline(axes, b, COLORS[1], style="--")
        axes.set_title(f"IoU {value:.2f}", loc="center")
    return figure


@styled
def anchors(
    image: ArrayLike,
    grid: ArrayLike,
    cell: int,
    shown: Sequence[int],
    truth: ArrayLike,
    overlap: ArrayLike,
) -> Figure:
    """Draw the grid of cells on a page, the anchors of one cell, and the box that they stand for.

    Parameters
    ----------
    image : array_like, shape (size, size)
    grid : array_like, shape (m, 4)
        All anchors.
    cell : int
        Height and width of a cell, in pixels.
    shown : sequence of int
        Which anchors are drawn on the right.
    truth : array_like, shape (4,)
        The box of a digit.
    overlap : array_like
        The IoU of each shown anchor with it.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (left, right) = new_figure(1, 2, height=3.0)
    grid = np.asarray(grid)
    size = len(np.asarray(image))
    for axes in (left, right):
        _picture(axes, image)
    middles = (grid[:, :2] + grid[:, 2:]) / 2
    for edge in range(cell, size, cell):
        for along, across in (([0, size], [edge] * 2), ([edge] * 2, [0, size])):
            left.plot(along, across, color=MUTED, linewidth=0.6, linestyle="-")
    left.plot(*middles.T, ".", color=COLORS[0], markersize=4)
    left.set_title(f"{(size // cell) ** 2} cells, {len(grid)} anchors")
    for number, which in enumerate(shown):
        style = LINE_STYLES[number + 1]
        _outline(right, grid[which], ANCHORS[number], style=style)
    right.plot(*middles[list(shown)].T, "o", color=COLORS[0], markersize=4)
    _outline(right, np.asarray(truth), COLORS[1])
    right.set(xlim=(0, size), ylim=(size, -4))
    left.set(xlim=(0, size), ylim=(size, -4))
    right.set_title("a digit's box and its best anchors")
    handles = [Line2D([], [], color=COLORS[1], label="digit")] + [
        Line2D([], [], color=ANCHORS[n], linestyle=LINE_STYLES[n + 1], label=f"IoU {value:.2f}")
        for n, value in enumerate(np.asarray(overlap))
    ]
    right.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    return figure


@styled
def suppression(
    image: ArrayLike, before: Sequence[ArrayLike], after: Sequence[ArrayLike]
) -> Figure:
    """Draw what a detector answers on a page, and what non-maximum suppression leaves.

    Parameters
    ----------
    image : array_like, shape (size, size)
    before, after : (boxes, scores, labels)
        Shapes (k, 4), (k,) and (k,).

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, panels = new_figure(1, 2, height=3.4)
    classes = list(dict.fromkeys([*after[2], *before[2]]))
    for axes, (boxes, scores, labels), name in zip(
        panels, (before, after), ("before", "after"), strict=True
    ):
        _picture(axes, image)
        for n, (one, score, digit) in enumerate(zip(boxes, scores, labels, strict=True)):
            named = f"{digit}: {score:.2f}" if name == "after" else ""
            # The second name of a place stands at the other corner of its box.
            near = np.abs(np.asarray(boxes)[:n, :2] - np.asarray(one)[:2]).max(axis=1) < 3
            # A color and a dash for each class, so that a name's box can be told from others.
            kind = classes.index(digit)
            color, style = COLORS[1 + kind % 4], LINE_STYLES[kind % len(LINE_STYLES)]
            below = bool(near.any())
            _outline(axes, one, color, name=named, style=style, width=1.5, below=below)
        axes.set_title(f"{name}: {len(scores)} boxes", pad=12)
    return figure


@styled
def patches(image: ArrayLike, patch: int, width: int, blocks: int) -> Figure:
    """Draw how a vision transformer reads a picture: patches, vectors, positions, blocks, a mean.

    Parameters
    ----------
    image : array_like, shape (size, size)
    patch : int
        Height and width of a patch.
    width : int
        Numbers per patch.
    blocks : int
        Of attention.

    Returns
    -------
    matplotlib.figure.Figure
    """
    image = np.asarray(image, dtype=float)
    size = len(image)
    row = size // patch
    wide, height = 7.0, 2.9
    figure, axes = new_figure(width=wide, height=height)
    blank(axes, wide, height)
    side, left, low = 1.5, 0.1, 0.95
    how = {"cmap": "gray_r", "vmin": -0.2, "vmax": 1.2, "zorder": 2}
    axes.imshow(image, extent=(left, left + side, low, low + side), **how)
    step = side / row
    for k in range(row + 1):
        for x, y in (
            ([left + k * step] * 2, [low, low + side]),
            ([left, left + side], [low + k * step] * 2),
        ):
            axes.plot(x, y, color=COLORS[1], linewidth=1.0, linestyle="-", zorder=3)
    label(
        axes,
        (left + side / 2, low - 0.2),
        f"{row * row} patches\nof {patch} by {patch}",
        size=9.5,
        va="top",
    )
    shown = [0, 1, None, row * row - 1]
    levels = np.linspace(low + side - 0.15, low + 0.15, len(shown))
    ends = []
    for number, y in zip(shown, levels, strict=True):
        if number is None:
            label(axes, (2.3, y), "⋮", size=12)
            continue
        i, j = divmod(number, row)
        part = image[i * patch : (i + 1) * patch, j * patch : (j + 1) * patch]
        axes.imshow(
            part.reshape(1, -1), extent=(2.0, 2.6, y - 0.08, y + 0.08), aspect="auto", **how
        )
        axes.add_patch(Rectangle((2.0, y - 0.08), 0.6, 0.16, fill=False, ec=INK, zorder=3))
        ends.append(y)
        arrow(axes, (2.65, y), (3.25, y))
        axes.add_patch(Rectangle((3.3, y - 0.08), 0.55, 0.16, fc=COLORS[0], alpha=0.35, ec=INK))
        label(axes, (4.02, y), "+", size=10)
        axes.add_patch(Rectangle((4.17, y - 0.08), 0.55, 0.16, fc=COLORS[2], alpha=0.35, ec=INK))
    arrow(axes, (left + side + 0.05, low + side / 2), (1.93, low + side / 2))
    label(axes, (2.3, low - 0.2), f"{patch * patch} pixels\neach", size=9.5, va="top")
    label(axes, (3.58, low - 0.2), f"embedding:\n{width} numbers", size=9.5, va="top")
    label(axes, (4.45, low - 0.2), "learned\nposition", size=9.5, va="top")
    axes.set_xlim(0, wide)
    axes.set_ylim(0, height)
    name = "block" if blocks == 1 else "blocks"
    attention = box(axes, (5.5, low + side / 2), f"{blocks} {name}", "attention, MLP")
    for y in ends:
        arrow(axes, (4.77, y), attention.left)
    mean = box(axes, (6.62, low + side / 2), "mean", "→ class")
    arrow(axes, attention, mean)
    return figure


@styled
def sizes(
    counts: Sequence[int],
    accuracy: Mapping[str, ArrayLike],
    changed: Mapping[tuple[str, str], ArrayLike],
) -> Figure:
    """Draw the accuracy of networks against the number of training samples, and with augmentation.

    Parameters
    ----------
    counts : sequence of int
    accuracy : mapping of str to array_like, shape (seeds, counts)
    changed : mapping of (str, str) to array_like, shape (seeds,)
        Accuracy by what was done to the training images, and by what was tested on.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (left, right) = new_figure(1, 2, height=3.3, width_ratios=[1.25, 1])
    places = np.arange(len(counts))
    for (name, values), color, style, mark in zip(
        accuracy.items(), COLORS, LINE_STYLES, MARKERS, strict=False
    ):
        table = 100 * np.asarray(values)
        left.plot(places, table.mean(axis=0), color=color, linestyle=style, marker=mark, label=name)
        left.fill_between(places, table.min(axis=0), table.max(axis=0), color=color, alpha=0.18)
    left.set_xticks(places, [f"{count:,}" for count in counts])
    left.set_xlabel("training digits")
    left.set_ylabel("test digits read right (%)")
    left.legend(loc="lower right")
    names = list(dict.fromkeys(name for name, _ in changed))
    tests = list(dict.fromkeys(test for _, test in changed))
    for (name, test), values in changed.items():
        values, kind = 100 * np.asarray(values), tests.index(test)
        place = names.index(name) + 0.3 * (kind - (len(tests) - 1) / 2)
        color, mark = COLORS[kind + 2], MARKERS[kind + 2]
        text = f"tested on {test} digits" if name == names[0] else None
        right.plot([place] * len(values), values, mark, color=color, alpha=0.7, label=text)
        right.plot([place - 0.12, place + 0.12], [values.mean()] * 2, color=color, linestyle="-")
    right.set_xticks(range(len(names)), names)
    right.set_xlim(-0.5, len(names) - 0.5)
    right.set_ylabel("read right (%)")
    right.set_xlabel(f"augmentation ({counts[0]} training digits)")
    right.legend(loc="center", bbox_to_anchor=(0.5, 0.55))
    return figure


@styled
def pencils(recall: Mapping[str, Mapping[str, ArrayLike]]) -> Figure:
    """Draw which share of their digits each group of writers gets back.

    Parameters
    ----------
    recall : mapping of str to (mapping of str to array_like, shape (seeds,))
        The detector, then the group.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=1.3 + 0.7 * len(recall))
    groups = list(next(iter(recall.values())))
    high = len(recall)
    for n, group in enumerate(groups):
        color, mark = COLORS[n], MARKERS[n]
        for row, values in enumerate(recall.values()):
            found = 100 * np.asarray(values[group])
            name = group if row == 0 else None
            level = high - 1 - row
            axes.plot(found, [level] * len(found), mark, color=color, alpha=0.6, label=name)
            axes.plot([found.mean()] * 2, [level - 0.2, level + 0.2], color=color, linestyle="-")
    axes.set_yticks(range(high), list(recall)[::-1])
    axes.set_ylim(-0.5, high - 0.5)
    axes.set_xlim(0, 100)
    axes.set_xlabel("digits found and named right (%)")
    axes.legend(loc="center right")
    return figure


def _picture(axes: Axes, image: ArrayLike) -> None:
    """Show a page as dark ink, with pixel edges at whole numbers."""
    image = np.asarray(image, dtype=float)
    height, width = image.shape
    axes.imshow(image, cmap="gray_r", vmin=-0.5, vmax=1.3, extent=(0, width, height, 0))
    axes.grid(visible=False)
    axes.axis("off")


def _mask(axes: Axes, masks: ArrayLike) -> None:
    """Show masks in colors: digits, lines, and both."""
    masks = np.asarray(masks, dtype=bool)
    picture = np.ones((*masks.shape[1:], 4))
    for mask, color in zip(masks, (COLORS[0], COLORS[1]), strict=False):
        picture[mask, :3] = to_rgb(color)
    if len(masks) == 2:
        picture[masks.all(axis=0), :3] = to_rgb(INK)
    picture[~masks.any(axis=0)] = (0.5, 0.5, 0.5, 0.12)
    height, width = masks.shape[1:]
    axes.imshow(picture, extent=(0, width, height, 0))
    axes.grid(visible=False)
    axes.axis("off")


def _outline(
    axes: Axes,
    one: ArrayLike,
    color: str,
    *,
    name: str = "",
    style: object = "-",
    width: float = 1.6,
    below: bool = False,
) -> None:
    """Draw a box, and its name at its upper left corner."""
    x1, y1, x2, y2 = np.asarray(one, dtype=float)
    how = {"fill": False, "ec": color, "linestyle": style, "linewidth": width, "zorder": 4}
    axes.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, **how))
    if name:
        back = {"fc": PAPER, "ec": GRID, "boxstyle": "round,pad=0.12", "linewidth": 0.5}
        place = (x2, y2 - 0.3, "right", "bottom") if below else (x1, y1 - 0.2, "left", "bottom")
        x, y, side, height = place
        axes.text(x, y, name, size=9, ha=side, va=height, color=INK, bbox=back, zorder=5)
