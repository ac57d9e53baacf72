"""Figures of the chapter *Convolutional networks*."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from course_lib.plotting.drawings import Drawn, Grid, arrow, blank, brace, label, matrix
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

__all__ = [
    "channels",
    "depth",
    "feature_maps",
    "filters",
    "moved",
    "pipeline",
    "receptive_field",
    "shared_weights",
    "window",
]


@styled
def window(image: ArrayLike, kernel: ArrayLike, at: tuple[int, int]) -> Figure:
    """Draw a kernel at one place of an image, the products there, and the whole result.

    Parameters
    ----------
    image : array_like, shape (rows, columns)
        Whole numbers are easiest to follow.
    kernel : array_like, shape (k, k)
    at : (int, int)
        The place in the result that is shown: row and column.

    Returns
    -------
    matplotlib.figure.Figure
    """
    image, kernel = np.asarray(image, dtype=float), np.asarray(kernel, dtype=float)
    k, (i, j) = len(kernel), at
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    result = (windows * kernel).sum(axis=(2, 3))
    cell, gap = 0.36, 0.5
    tall = image.shape[0] * cell
    figure, axes = new_figure(height=tall + 0.9)
    blank(axes, 7.0, tall + 0.9)
    middle = 0.55 + tall / 2
    wide = (image.shape[1] + kernel.shape[1] + result.shape[1]) * cell + 2 * gap
    x = (7.0 - wide) / 2

    def grid(values: np.ndarray, left: float, name: str, **how: object) -> Grid:
        corner = (left, middle + len(values) * cell / 2)
        return matrix(axes, corner, values, name=name, cell=cell, **how)

    where = (i, j, k, kernel.shape[1])
    seen = grid(image, x, "image", highlight=[where])
    x += image.shape[1] * cell + gap
    weights = grid(kernel, x, "kernel", shade=True)
    x += kernel.shape[1] * cell + gap
    made = grid(result, x, "result", highlight=[(i, j, 1, 1)])
    label(axes, ((seen.right[0] + weights.left[0]) / 2, middle), "∗", size=14)
    label(axes, ((weights.right[0] + made.left[0]) / 2, middle), "=", size=14)
    products = [
        f"{_plain(a)}·{_in_brackets(b)}"
        for a, b in zip(windows[i, j].ravel(), kernel.ravel(), strict=True)
        if b
    ]
    text = " + ".join(products) + f" = {_plain(result[i, j])}"
    label(axes, (3.5, 0.2), text, size=9.5)
    return figure


@styled
def shared_weights(size: int, kernel_size: int) -> Figure:
    """Draw a convolution as the matrix of a linear layer: an output a row, an input a column.

    Parameters
    ----------
    size : int
        Height and width of the image.
    kernel_size : int
        Height and width of the kernel, of which each weight gets a letter.

    Returns
    -------
    matplotlib.figure.Figure
    """
    out = size - kernel_size + 1
    rows, columns = out**2, size**2
    side = 6.2 / columns
    width, height = 7.0, rows * side + 0.8
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    left, top = 0.7, rows * side + 0.12
    frame = {"ec": INK, "fill": False, "linewidth": 1.2, "zorder": 4}
    axes.add_patch(Rectangle((left, top - rows * side), columns * side, rows * side, **frame))
    lines = [[(left + c * side, 0.12), (left + c * side, top)] for c in range(1, columns)]
    lines += [
        [(left, top - r * side), (left + columns * side, top - r * side)] for r in range(rows)
    ]
    axes.add_collection(LineCollection(lines, colors=GRID, linewidths=0.6, zorder=3))
    for row in range(rows):
        for number in range(kernel_size**2):
            down, across = divmod(number, kernel_size)
            i, j = divmod(row, out)
            column = (i + down) * size + j + across
            corner = (left + column * side, top - (row + 1) * side)
            color = COLORS[down % len(COLORS)]
            axes.add_patch(Rectangle(corner, side, side, fc=color, alpha=0.22, ec="none", zorder=2))
            middle = (corner[0] + side / 2, corner[1] + side / 2)
            label(axes, middle, "abcdefghijklmnopqrstuvwxy"[number], size=9)
    for row in range(size):
        start = left + row * size * side
        tip = ((start + 0.03, top + 0.04), (start + size * side - 0.03, top + 0.04))
        brace(axes, *tip, f"image row {row + 1}")
    label(axes, (left - 0.12, top - rows * side / 2), f"{rows} outputs", ha="right", size=9.5)
    axes.texts[-1].set_rotation(90)
    return figure


@styled
def channels(ins: int, outs: int, kernel_size: int, names: Sequence[str] = ()) -> Figure:
    """Draw a convolution with channels: each output channel has a kernel for each input channel.

    Parameters
    ----------
    ins, outs : int
        Channels before and after, at most 4 each.
    kernel_size : int
    names : sequence of str, optional
        What the input channels are.

    Returns
    -------
    matplotlib.figure.Figure
    """
    width, height = 7.0, 0.55 + outs * 1.05
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    middle = (height - 0.35) / 2
    step = 0.2
    for plane, front in enumerate(_planes(axes, (1.0, middle + 0.1), ins, 1.3, step)):
        if names:
            at = (front.right[0] - 0.04, front.top[1] - 0.02)
            label(axes, at, names[plane], size=9, ha="right", va="top", color=MUTED)
    front = Drawn(1.0, middle + 0.1 - (ins - 1) / 2 * step, 1.3, 1.3)
    label(axes, (1.0 + (ins - 1) * step / 2, height - 0.16), "input", bold=True)
    note = f"{ins} channels"
    label(axes, (1.0 + (ins - 1) * step / 2, front.bottom[1] - 0.14), note, size=9.5, color=MUTED)
    label(axes, (3.4, height - 0.16), "kernels", bold=True)
    label(axes, (5.95, height - 0.16), "output", bold=True)
    start = (0.35 + 1.3 + (ins - 1) * step + 0.08, middle)
    side = 0.17 * kernel_size
    for out in range(outs):
        y = height - 0.85 - out * 1.05
        color = COLORS[out % len(COLORS)]
        at = (3.0 + side / 2, y)
        _planes(axes, at, ins, side, step, rise=0.6 * step, color=color, cells=kernel_size)
        end = (3.0 + side + (ins - 1) * step + 0.06, y)
        arrow(axes, start, (3.0 - 0.06, y))
        corner = (5.5, y + 0.42)
        plane = matrix(axes, corner, (5, 5), size=(0.9, 0.84), color=color)
        arrow(axes, end, (plane.left[0] - 0.05, y), f"sum of {ins}, + bias")
        label(axes, plane.center, f"channel {out + 1}", size=9, color=MUTED)
    return figure


@styled
def pipeline(stages: Sequence[tuple[int, int]], steps: Sequence[str], classes: int) -> Figure:
    """Draw a convolutional network as stacks of maps that become smaller and more numerous.

    Parameters
    ----------
    stages : sequence of (channels, size)
        The image, and the maps after each step but the last.
    steps : sequence of str
        What leads from each stage to the next, and from the last to the logits.
    classes : int
        How many logits there are.

    Returns
    -------
    matplotlib.figure.Figure
    """
    width, height, middle = 7.0, 2.05, 1.07
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    largest = max(size for _, size in stages)
    sides = [0.25 + 0.55 * size / largest for _, size in stages]
    # More maps lie closer together, so that a stack of 16 is not much wider than one of 6.
    gaps = [0.12 / max(count - 1, 1) ** 0.6 for count, _ in stages]
    wide = [
        side + gap * (count - 1) for side, gap, (count, _) in zip(sides, gaps, stages, strict=True)
    ]
    last = 0.2
    between = (width - 0.3 - sum(wide) - last) / len(steps)
    x, ends = 0.15, []
    for (count, size), side, gap, reach in zip(stages, sides, gaps, wide, strict=True):
        at = (x + side / 2, middle)
        color = COLORS[0] if ends else INK
        _planes(axes, at, count, side, gap, rise=0.5 * gap, color=color)
        name = f"{count} maps" if ends else "image"
        label(axes, (x + reach / 2, height - 0.17), name, bold=True, size=9.5)
        label(axes, (x + reach / 2, height - 0.38), f"{size} × {size}", size=9, color=MUTED)
        ends.append((x, x + reach))
        x += reach + between
    tall = 1.0
    axes.add_patch(Rectangle((x, middle - tall / 2), last, tall, fc=PAPER, ec=INK, linewidth=1.2))
    lines = [
        [
            (x, middle - tall / 2 + k * tall / classes),
            (x + last, middle - tall / 2 + k * tall / classes),
        ]
        for k in range(1, classes)
    ]
    axes.add_collection(LineCollection(lines, colors=GRID, linewidths=0.8, zorder=3))
    label(axes, (x + last / 2, height - 0.17), "logits", bold=True, size=9.5)
    label(axes, (x + last / 2, height - 0.38), f"{classes}", size=9, color=MUTED)
    ends.append((x, x + last))
    for text, (_, start), (end, _) in zip(steps, ends, ends[1:], strict=False):
        arrow(axes, (start + 0.06, middle), (end - 0.06, middle))
        label(axes, ((start + end) / 2, 0.3), text, size=9)
    return figure


@styled
def receptive_field(layers: Sequence[tuple[str, int, int]], outputs: int = 1) -> Figure:
    """Draw, from the side, which pixels one output of a stack of convolutions can see.

    Parameters
    ----------
    layers : sequence of (name, kernel, stride)
        From the image upwards.
    outputs : int
        How many units the last layer has in the drawing; the middle one is followed down.

    Returns
    -------
    matplotlib.figure.Figure
    """
    counts = [outputs]
    for _, kernel, stride in reversed(layers):
        counts.insert(0, (counts[0] - 1) * stride + kernel)
    seen = [(outputs // 2, outputs // 2)]
    for _, kernel, stride in reversed(layers):
        first, last = seen[0]
        seen.insert(0, (first * stride, last * stride + kernel - 1))
    # Where units stand: in the middle of the window that they look at.
    places = [np.arange(counts[0], dtype=float)]
    for (_, kernel, stride), count in zip(layers, counts[1:], strict=True):
        below = places[-1]
        starts = np.arange(count) * stride
        places.append((below[starts] + below[starts + kernel - 1]) / 2)
    side = min(0.3, 5.0 / counts[0])
    left, rise = 1.75, 0.72
    width, height = 7.0, 0.55 + rise * len(layers) + 0.2
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    for level, (where, (first, last)) in enumerate(zip(places, seen, strict=True)):
        y = 0.28 + rise * level
        for number, x in enumerate(where):
            inside = first <= number <= last
            corner = (left + x * side + 0.02, y)
            size = side - 0.04
            color = COLORS[0] if inside else GRID
            fill = {"fc": color, "alpha": 0.35 if inside else 0.25, "zorder": 2}
            axes.add_patch(Rectangle(corner, size, size, ec="none", **fill))
            edge = {"ec": COLORS[0] if inside else MUTED, "linewidth": 1.4 if inside else 0.6}
            axes.add_patch(Rectangle(corner, size, size, fill=False, zorder=3, **edge))
        name = "image" if level == 0 else layers[level - 1][0]
        label(axes, (left - 0.15, y + side / 2), name, ha="right", size=9.5)
        count = last - first + 1
        text = f"{count} pixels" if level == 0 else f"{count} unit{'s' if count > 1 else ''}"
        right = left + counts[0] * side + 0.12
        label(axes, (right, y + side / 2), text, ha="left", size=9.5, bold=True)
        if level:
            _, kernel, stride = layers[level - 1]
            below = places[level - 1]
            for number in range(first, last + 1):
                low = below[number * stride], below[number * stride + kernel - 1] + 1
                ends = (where[number], where[number] + 1)
                for a, b in zip(low, ends, strict=True):
                    line = [left + a * side, left + b * side]
                    tops = [y - rise + side, y]
                    axes.plot(line, tops, color=COLORS[0], linewidth=0.7, alpha=0.6, linestyle="-")
    return figure


@styled
def feature_maps(
    picture: ArrayLike, maps: Mapping[str, tuple[ArrayLike, ArrayLike]], columns: int = 2
) -> Figure:
    """Show a photograph and what kernels make of it, each kernel beside its name.

    Parameters
    ----------
    picture : array_like, shape (height, width) or (height, width, 3)
    maps : mapping of str to (kernel, map)
        Shapes (k, k) and (height', width'). A map with negative numbers is shown with 0 in gray.
    columns : int
        Panels beside each other.

    Returns
    -------
    matplotlib.figure.Figure
    """
    picture = np.asarray(picture)
    panels = [("photograph", None, picture)] + [(n, *pair) for n, pair in maps.items()]
    rows = -(-len(panels) // columns)
    each = 6.6 / columns * picture.shape[0] / picture.shape[1] + 0.35
    figure, axes = new_figure(rows, columns, height=rows * each)
    for panel in np.ravel(axes):
        panel.set_axis_off()
    for panel, (name, kernel, image) in zip(np.ravel(axes), panels, strict=False):
        image = np.asarray(image, dtype=float)
        most = np.quantile(np.abs(image), 0.995)
        low = -most if image.min() < -1e-6 else 0.0
        panel.imshow(image, cmap="gray", vmin=low, vmax=most, interpolation="nearest")
        panel.set_title(name, fontsize=10)
        if kernel is not None:
            _inset(panel, np.asarray(kernel, dtype=float), image.shape)
    return figure


@styled
def filters(kernels: ArrayLike, image: ArrayLike, maps: ArrayLike) -> Figure:
    """Show the kernels of a first layer, and what each makes of an image.

    Parameters
    ----------
    kernels : array_like, shape (c, k, k)
    image : array_like, shape (height, width)
    maps : array_like, shape (c, height, width)
        After ReLU.

    Returns
    -------
    matplotlib.figure.Figure
    """
    kernels, maps = np.asarray(kernels, dtype=float), np.asarray(maps, dtype=float)
    count, size = len(kernels), kernels.shape[1]
    step = 5.7 / count
    side = 0.86 * step
    width, height = 7.0, 2 * step + 0.25
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    largest = np.abs(kernels).max()
    for number, (kernel, found) in enumerate(zip(kernels, maps, strict=True)):
        x = 1.2 + number * step
        cell = side / size
        matrix(axes, (x, height - 0.1), kernel / largest, cell=cell, shade=True, numbers=False)
        _picture(axes, found, (x, 0.05, side), most=maps.max())
    _picture(axes, np.asarray(image, dtype=float), (0.08, 0.05, side), most=None)
    label(axes, (0.08, height - 0.1 - side / 2), "kernels", bold=True, ha="left")
    label(axes, (0.08, 0.05 + side + 0.12), "digit", bold=True, ha="left")
    return figure


@styled
def moved(shifts: ArrayLike, curves: Mapping[str, ArrayLike], chance: float = 0.1) -> Figure:
    """Draw accuracy against how far the images were moved.

    Parameters
    ----------
    shifts : array_like of int, shape (m,)
        Pixels.
    curves : mapping of str to array_like, shape (seeds, m)
        Accuracies, by network: the line is their mean, the band reaches from least to most.
    chance : float
        What guessing gives.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.3)
    looks = zip(COLORS, LINE_STYLES, MARKERS, strict=True)
    for (name, values), (color, style, marker) in zip(curves.items(), looks, strict=False):
        values = np.asarray(values)
        axes.fill_between(
            shifts, values.min(axis=0), values.max(axis=0), color=color, alpha=0.15, linewidth=0
        )
        axes.plot(
            shifts, values.mean(axis=0), color=color, linestyle=style, marker=marker, label=name
        )
    axes.axhline(chance, color=MUTED, linestyle=":", linewidth=1.2)
    axes.set_ylim(0, 1.02)
    axes.set_xticks(np.asarray(shifts))
    axes.set_xlabel("shift to the right (pixels)")
    axes.set_ylabel("share of right answers")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure


@styled
def depth(losses: Mapping[str, ArrayLike]) -> Figure:
    """Draw the training loss of networks of different depth after each epoch.

    Parameters
    ----------
    losses : mapping of str to array_like, shape (seeds, epochs)
        By network: the line is the mean, the band reaches from least to most.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=2.9)
    looks = zip(COLORS, LINE_STYLES, MARKERS, strict=True)
    for (name, values), (color, style, marker) in zip(losses.items(), looks, strict=False):
        values = np.asarray(values)
        epochs = np.arange(1, values.shape[1] + 1)
        axes.fill_between(
            epochs, values.min(axis=0), values.max(axis=0), color=color, alpha=0.15, linewidth=0
        )
        axes.plot(
            epochs, values.mean(axis=0), color=color, linestyle=style, marker=marker, label=name
        )
    axes.set_ylim(bottom=0)
    axes.set_xticks(epochs)
    axes.set_xlabel("epoch")
    axes.set_ylabel("training loss")
    axes.legend(loc="lower left")
    return figure


def _plain(value: float) -> str:
    """Write a number without a needless .0, with a real minus sign."""
    return f"{value:g}".replace("-", "−")


def _in_brackets(value: float) -> str:
    return f"({_plain(value)})" if value < 0 else _plain(value)


def _planes(
    axes: object,
    at: tuple[float, float],
    count: int,
    side: float,
    step: float,
    *,
    rise: float | None = None,
    color: str = INK,
    cells: int = 1,
) -> list[Drawn]:
    """Draw maps one behind the other, the first in front, each hiding what lies behind it.

    The first has its middle at the x of `at`; the heights of all have their mean at its y.
    """
    rise = step if rise is None else rise
    made = []
    for plane in range(count):
        x, y = at[0] + plane * step, at[1] + (plane - (count - 1) / 2) * rise
        corner, over = (x - side / 2, y - side / 2), 2 + (count - plane) * 0.02
        axes.add_patch(Rectangle(corner, side, side, fc=PAPER, ec="none", zorder=over))
        cuts = [k * side / cells for k in range(1, cells)]
        lines = [
            [(corner[0] + cut, corner[1]), (corner[0] + cut, corner[1] + side)] for cut in cuts
        ]
        lines += [
            [(corner[0], corner[1] + cut), (corner[0] + side, corner[1] + cut)] for cut in cuts
        ]
        if lines:
            axes.add_collection(
                LineCollection(lines, colors=GRID, linewidths=0.8, zorder=over + 0.005)
            )
        thin = 1.2 if step > 0.03 else 0.6  # where edges lie close together
        outline = {"fill": False, "ec": color, "linewidth": thin, "zorder": over + 0.01}
        axes.add_patch(Rectangle(corner, side, side, **outline))
        made.append(Drawn(x, y, side, side))
    return made


def _inset(panel: object, kernel: np.ndarray, shape: tuple[int, ...]) -> None:
    """Draw a kernel into the upper right corner of a picture, with its numbers where they fit."""
    height, width = shape[:2]
    side = 0.34 * height
    left, top = width - side - 0.03 * width, 0.05 * height
    k = len(kernel)
    cell = side / k
    panel.add_patch(Rectangle((left, top), side, side, fc=PAPER, ec=INK, linewidth=1.2, zorder=3))
    for i in range(k):
        for j in range(k):
            middle = (left + (j + 0.5) * cell, top + (i + 0.5) * cell)
            panel.text(
                *middle, _fraction(kernel[i, j]), ha="center", va="center", fontsize=9, zorder=4
            )


def _fraction(value: float) -> str:
    """Write 1/9 as a fraction and whole numbers as they are."""
    if value and abs(value) < 1 and abs(1 / value - round(1 / value)) < 1e-9:
        return f"{'−' if value < 0 else ''}1/{round(1 / abs(value))}"
    return _plain(value)


def _picture(
    axes: object, image: np.ndarray, place: tuple[float, float, float], most: float | None
) -> None:
    """Put a picture at (left, low) with a side, dark where its numbers are large."""
    left, low, side = place
    extent = (left, left + side, low, low + side)
    top = image.max() if most is None else most
    axes.imshow(image, cmap="gray_r", vmin=min(0.0, image.min()), vmax=top, extent=extent, zorder=2)
    axes.add_patch(Rectangle((left, low), side, side, fill=False, ec=GRID, linewidth=0.8, zorder=3))
