"""Draw the thing itself: a neuron, a network, a batch on its way, the loop of training.

Two kinds of helpers live here. *Drawings* (`neuron`, `network`, `rectangles`, `batch_through`,
`training_loop`, `graph`) return a figure; given `axes`, they draw into that panel instead, beside
a curve for example. *Primitives* (`blank`, `label`, `node`, `box`, `arrow`, `brace`, `matrix`,
`curve`, `cycle`) each put one thing on axes that `blank` has prepared, and return where it is, so
that arrows can be drawn between things. A convolution, a cell of an LSTM or an attention head is
built from these.

One unit of a drawing is one inch of the page. Letters keep their size in points, so every drawing
measures its texts first and then takes the room that they need. A panel that is too small is an
error that says how many inches are missing: letters are never made smaller than 9 points.

What a color says is said a second time without it: a negative number has a dashed line, what is
highlighted a thick border.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, zip_longest
from math import cos, hypot, isfinite, pi, sin
from numbers import Real
from typing import Any, Final, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.textpath import TextPath
from numpy.typing import ArrayLike

from course_lib.plotting.style import COLORS, GRID, INK, MUTED, PAPER, new_figure, styled

__all__ = [
    "Drawn",
    "Grid",
    "arrow",
    "batch_through",
    "blank",
    "box",
    "brace",
    "curve",
    "cycle",
    "graph",
    "label",
    "matrix",
    "network",
    "neuron",
    "node",
    "rectangles",
    "training_loop",
]

WIDTH: Final = 7.0  # inches: the width of the book's text
NARROW: Final = 5.8  # inches: drawings with little in them are not stretched further than this
SMALL: Final = 9.0  # points: the smallest letters
MARGIN: Final = 0.08  # inches around a drawing
POSITIVE, NEGATIVE = COLORS[0], COLORS[1]

Point: TypeAlias = tuple[float, float]
Activation: TypeAlias = str | tuple[str, Callable[[np.ndarray], np.ndarray]]

# Name in code -> (name in the text, the function). The library's own activations are written for
# learners, in a package that figures do not depend on; a picture needs no more than the curve.
_ACTIVATIONS: Final[dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]]] = {
    "step": ("step", lambda z: np.where(z > 0, 1.0, 0.0)),
    "sign": ("sign", lambda z: np.where(z > 0, 1.0, -1.0)),
    "identity": ("identity", lambda z: z),
    "relu": ("ReLU", lambda z: np.maximum(z, 0.0)),
    "leaky_relu": ("leaky ReLU", lambda z: np.where(z > 0, z, 0.1 * z)),
    "sigmoid": ("sigmoid", lambda z: 0.5 + 0.5 * np.tanh(z / 2)),
    "tanh": ("tanh", np.tanh),
    "softplus": ("softplus", lambda z: np.logaddexp(0.0, z)),
    "silu": ("SiLU", lambda z: z * (0.5 + 0.5 * np.tanh(z / 2))),
    "gelu": (
        "GELU",
        lambda z: 0.5 * z * (1 + np.tanh(np.sqrt(2 / pi) * (z + 0.044715 * z**3))),
    ),
}


# Where things are ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Drawn:
    """Where a thing is, and where lines touch it.

    Parameters
    ----------
    x, y : float
        Its middle.
    width, height : float
        Its size.
    is_round : bool
        Whether its outline is a circle rather than a rectangle.
    """

    x: float
    y: float
    width: float
    height: float
    is_round: bool = False

    @property
    def center(self) -> Point:
        """The middle."""
        return self.x, self.y

    @property
    def left(self) -> Point:
        """The middle of the left side."""
        return self.x - self.width / 2, self.y

    @property
    def right(self) -> Point:
        """The middle of the right side."""
        return self.x + self.width / 2, self.y

    @property
    def top(self) -> Point:
        """The middle of the upper side."""
        return self.x, self.y + self.height / 2

    @property
    def bottom(self) -> Point:
        """The middle of the lower side."""
        return self.x, self.y - self.height / 2

    def edge(self, towards: Point) -> Point:
        """Find where the line from the middle to a point leaves the outline.

        Parameters
        ----------
        towards : (float, float)

        Returns
        -------
        (float, float)
            The middle itself, if that is the point.
        """
        dx, dy = towards[0] - self.x, towards[1] - self.y
        if not (dx or dy):
            return self.center
        if self.is_round:
            share = self.width / 2 / hypot(dx, dy)
        else:
            share = 1 / max(abs(dx) / (self.width / 2), abs(dy) / (self.height / 2))
        return self.x + share * dx, self.y + share * dy


@dataclass(frozen=True)
class Grid(Drawn):
    """Where a matrix is, and each of its cells."""

    rows: int = 1
    columns: int = 1

    def cell(self, i: int, j: int, rows: int = 1, columns: int = 1) -> Drawn:
        """Find a cell, or a block of cells.

        Parameters
        ----------
        i, j : int
            Row and column of its upper left cell, from 0.
        rows, columns : int
            How many cells it is high and wide.

        Returns
        -------
        Drawn
        """
        if not (i >= 0 and i + rows <= self.rows and j >= 0 and j + columns <= self.columns):
            raise ValueError(
                f"cell: the block of {rows} by {columns} cells at ({i}, {j}) is not inside a "
                f"matrix of {self.rows} by {self.columns}; count rows and columns from 0"
            )
        wide, tall = self.width / self.columns, self.height / self.rows
        return Drawn(
            self.x - self.width / 2 + (j + columns / 2) * wide,
            self.y + self.height / 2 - (i + rows / 2) * tall,
            columns * wide,
            rows * tall,
        )


# Primitives ---------------------------------------------------------------------------------------


def blank(axes: Axes, width: float, height: float) -> Axes:
    """Make axes a sheet to draw on: no frame, no ticks, the same scale in both directions.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    width, height : float
        The sheet reaches from (0, 0) at the lower left to (width, height).

    Returns
    -------
    matplotlib.axes.Axes
        The same axes.
    """
    axes.set_axis_off()
    axes.set(xlim=(0, width), ylim=(0, height), aspect="equal")
    return axes


def label(
    axes: Axes,
    at: Point,
    text: str,
    *,
    size: float = 10.0,
    color: str = INK,
    bold: bool = False,
    ha: str = "center",
    va: str = "center",
    on_line: bool = False,
) -> Drawn:
    """Write a text.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    at : (float, float)
    text : str
        May have several lines.
    size : float, optional
        Points, at least 9.
    color : str, optional
        A color of `course_lib.plotting.style`.
    bold : bool, optional
    ha, va : str, optional
        Which point of the text is at `at`, as in `matplotlib.axes.Axes.text`.
    on_line : bool, optional
        Whether to interrupt the line that the text stands on.

    Returns
    -------
    Drawn
        Where the text is.
    """
    if size < SMALL:
        raise ValueError(f"size: got {size:g} points; letters need at least {SMALL:g} to be read")
    axes.text(
        *at,
        text,
        fontsize=size,
        color=color,
        fontweight="bold" if bold else "normal",
        fontfamily="DejaVu Sans",
        ha=ha,
        va=va,
        zorder=6,
        bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1.5} if on_line else None,
    )
    width, height = _extent(text, size, bold)
    x = at[0] + {"left": width / 2, "center": 0, "right": -width / 2}[ha]
    y = at[1] + {"bottom": height / 2, "center": 0, "top": -height / 2}.get(va, 0)
    return Drawn(x, y, width, height)


def node(
    axes: Axes,
    at: Point,
    text: str = "",
    *,
    radius: float = 0.2,
    color: str = INK,
    value: float | None = None,
    thick: bool = False,
    style: str = "-",
) -> Drawn:
    """Draw a circle, such as a unit of a network or an operation, with a text in it.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    at : (float, float)
    text : str, optional
    radius : float, optional
    color : str, optional
        Of its outline.
    value : float, optional
        Between -1 and 1: the stronger the value, the deeper the shade inside. A negative value
        has another color and a dashed outline.
    thick : bool, optional
        Whether the node is highlighted.
    style : str, optional
        Of its outline, as in `matplotlib.lines.Line2D`.

    Returns
    -------
    Drawn
    """
    axes.add_patch(Circle(at, radius, facecolor=PAPER, edgecolor="none", zorder=3))
    if value is not None:
        shade = POSITIVE if value >= 0 else NEGATIVE
        strength = 0.55 * min(abs(value), 1.0)
        axes.add_patch(
            Circle(at, radius, facecolor=shade, alpha=strength, edgecolor="none", zorder=4)
        )
        style = style if value >= 0 else "--"
    axes.add_patch(
        Circle(
            at,
            radius,
            fill=False,
            edgecolor=color,
            linewidth=2.4 if thick else 1.2,
            linestyle=style,
            zorder=5,
        )
    )
    if text:
        label(axes, at, text)
    return Drawn(*at, 2 * radius, 2 * radius, is_round=True)


def box(
    axes: Axes,
    at: Point,
    text: str,
    note: str = "",
    *,
    width: float | None = None,
    height: float | None = None,
    color: str = INK,
    thick: bool = False,
) -> Drawn:
    """Draw a block with a name, such as a layer in a diagram of layers.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    at : (float, float)
        Its middle.
    text : str
        Its name; empty for a block that is filled by other means.
    note : str, optional
        A smaller second line, such as a shape or a formula.
    width, height : float, optional
        As large as the text asks, when not given.
    color : str, optional
        Of the outline.
    thick : bool, optional
        Whether the block is highlighted: a thick outline, and a shade inside.

    Returns
    -------
    Drawn
    """
    asked = _box_size(text, note)
    width, height = width or asked[0], height or asked[1]
    if width < asked[0] - 0.1 or height < asked[1] - 0.1:
        raise ValueError(
            f"box: {text!r} needs {asked[0]:.2f} by {asked[1]:.2f} inches, and got {width:.2f} by "
            f"{height:.2f}; make the box larger or its texts shorter"
        )
    corner = at[0] - width / 2, at[1] - height / 2
    shape = {"boxstyle": "round,pad=0,rounding_size=0.08"}
    axes.add_patch(FancyBboxPatch(corner, width, height, fc=PAPER, ec="none", zorder=3, **shape))
    if thick:
        axes.add_patch(
            FancyBboxPatch(
                corner, width, height, fc=color, alpha=0.16, ec="none", zorder=4, **shape
            )
        )
    axes.add_patch(
        FancyBboxPatch(
            corner,
            width,
            height,
            fill=False,
            ec=color,
            linewidth=2.4 if thick else 1.2,
            zorder=5,
            **shape,
        )
    )
    low = _extent(note, 9.5)[1] if note else 0.0
    high = _extent(text, 10.0, bold=True)[1]
    if text:
        label(axes, (at[0], at[1] + low / 2), text, bold=True)
    if note:
        label(axes, (at[0], at[1] - high / 2), note, size=9.5)
    return Drawn(*at, width, height)


def arrow(
    axes: Axes,
    start: Drawn | Point,
    end: Drawn | Point,
    text: str = "",
    *,
    color: str = MUTED,
    width: float = 1.4,
    style: str = "-",
    bend: float = 0.0,
    head: bool = True,
    gap: float = 0.03,
    below: bool = False,
) -> Point:
    """Draw an arrow between two things, or two points, and a text beside it.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    start, end : Drawn or (float, float)
        Things are left and reached at their outline.
    text : str, optional
        Written beside the middle of the arrow, where the arrow does not cross it.
    color : str, optional
    width : float, optional
        Points.
    style : str, optional
        As in `matplotlib.lines.Line2D`.
    bend : float, optional
        How far the middle lies to the right of the straight line, in shares of half its length.
    head : bool, optional
        Whether it has an arrowhead.
    gap : float, optional
        Inches between the arrow and the things.
    below : bool, optional
        Whether the text is on the lower side (the right one of an upright arrow).

    Returns
    -------
    (float, float)
        The middle of the arrow.
    """
    a, b = _middle(start), _middle(end)
    turn = (b[0] - a[0], b[1] - a[1])
    over = (a[0] + b[0]) / 2 + bend * turn[1], (a[1] + b[1]) / 2 - bend * turn[0]
    a, b = _leave(start, over, gap), _leave(end, over, gap)
    axes.add_patch(
        FancyArrowPatch(
            a,
            b,
            arrowstyle="-|>" if head else "-",
            mutation_scale=11,
            connectionstyle=f"arc3,rad={bend}",
            color=color,
            linewidth=width,
            linestyle=style,
            shrinkA=0,
            shrinkB=0,
            zorder=2,
        )
    )
    dx, dy = b[0] - a[0], b[1] - a[1]
    x, y = (a[0] + b[0]) / 2 + bend * dy / 2, (a[1] + b[1]) / 2 - bend * dx / 2
    if text:
        wide, tall = _extent(text, 9.5)
        length = hypot(dx, dy) or 1.0
        normal = (-dy / length, dx / length)
        if normal[1] < 0 or (abs(normal[1]) < 1e-9 and normal[0] > 0):
            normal = (-normal[0], -normal[1])
        side = -1 if below else 1
        off = abs(normal[0]) * wide / 2 + abs(normal[1]) * tall / 2 + 0.06
        label(axes, (x + side * off * normal[0], y + side * off * normal[1]), text, size=9.5)
    return x, y


def brace(
    axes: Axes, start: Point, end: Point, text: str = "", *, depth: float = 0.12, color: str = MUTED
) -> Point:
    """Draw a curly brace along a line, and a text at its tip.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    start, end : (float, float)
        The tip is on the left of the way from start to end: above a brace that is drawn from left
        to right.
    text : str, optional
    depth : float, optional
        How far the tip stands off.
    color : str, optional

    Returns
    -------
    (float, float)
        The tip.
    """
    (x, y), dx, dy = start, end[0] - start[0], end[1] - start[1]
    length = hypot(dx, dy)
    if length < 4 * depth:
        depth = length / 4
    if not length:
        raise ValueError("brace: start and end are the same point; give it a line to embrace")
    along, normal = (dx / length, dy / length), (-dy / length, dx / length)

    def place(t: float, s: float) -> Point:
        return x + t * along[0] + s * normal[0], y + t * along[1] + s * normal[1]

    half, d = length / 2, depth
    path = [
        (0, 0), (0, d / 2), (0, d / 2), (d / 2, d / 2),
        (half - d / 2, d / 2),
        (half, d / 2), (half, d / 2), (half, d),
        (half, d / 2), (half, d / 2), (half + d / 2, d / 2),
        (length - d / 2, d / 2),
        (length, d / 2), (length, d / 2), (length, 0),
    ]  # fmt: skip
    four, line = [Path.CURVE4] * 3, [Path.LINETO]
    codes = [Path.MOVETO, *four, *line, *four, *four, *line, *four]
    points = [place(*step) for step in path]
    axes.add_patch(
        PathPatch(Path(points, codes), fill=False, edgecolor=color, linewidth=1.2, zorder=2)
    )
    tip = place(half, depth)
    if text:
        wide, tall = _extent(text, 9.5)
        off = abs(normal[0]) * wide / 2 + abs(normal[1]) * tall / 2 + 0.05
        label(axes, (tip[0] + off * normal[0], tip[1] + off * normal[1]), text, size=9.5)
    return tip


def matrix(
    axes: Axes,
    corner: Point,
    values: ArrayLike | tuple[int, int],
    *,
    name: str = "",
    note: str = "",
    cell: float | None = None,
    size: tuple[float, float] | None = None,
    numbers: bool = True,
    shade: bool = False,
    color: str = INK,
    highlight: Sequence[tuple[int, int, int, int]] = (),
) -> Grid:
    """Draw a matrix: a rectangle, its cells and what is in them.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    corner : (float, float)
        Its upper left corner.
    values : array_like, shape (rows, columns), or (rows, columns)
        Numbers to write, or only how many cells there are.
    name : str, optional
        Written above it.
    note : str, optional
        Written below it, such as its shape.
    cell : float, optional
        Side of a cell; when not given, as large as the widest number asks.
    size : (float, float), optional
        Width and height of the whole, instead of `cell`: then no cells are drawn and no numbers
        written.
    numbers : bool, optional
        Whether to write the numbers.
    shade : bool, optional
        Whether to shade each cell by its number: blue for positive, vermilion and hatched for
        negative numbers.
    color : str, optional
        Of the outline.
    highlight : sequence of (row, column, rows, columns), optional
        Blocks of cells with a thick outline and a shade, such as the window of a convolution.

    Returns
    -------
    Grid
        Where it and its cells are.
    """
    array, rows, columns = _as_matrix(values)
    texts = [] if array is None else [_number(value) for value in array.ravel()]
    if size is None:
        widest = max((_extent(text, SMALL)[0] for text in texts), default=0) if numbers else 0
        cell = cell or max(0.22, widest + 0.1)
        if widest > cell - 0.02:
            raise ValueError(
                f"cell: {cell:g} inches is too small for the widest number, which needs "
                f"{widest + 0.1:.2f}; make it larger, round the numbers or say numbers=False"
            )
    width, height = size or (columns * cell, rows * cell)
    x, y = corner
    grid = Grid(x + width / 2, y - height / 2, width, height, rows=rows, columns=columns)
    low, left = y - height, x
    axes.add_patch(Rectangle((left, low), width, height, fc=PAPER, ec="none", zorder=2))
    if array is not None and shade:
        largest = np.abs(array).max() or 1.0
        for i, j in np.argwhere(array):
            _patch(axes, grid.cell(i, j), array[i, j] / largest)
    for i, j, tall, wide in highlight:
        place = grid.cell(i, j, tall, wide)
        _rectangle(axes, place, fc=COLORS[3], alpha=0.22, ec="none", zorder=3)
    if size is None:
        lines = [[(x + j * cell, low), (x + j * cell, y)] for j in range(1, columns)]
        lines += [[(x, y - i * cell), (x + width, y - i * cell)] for i in range(1, rows)]
        axes.add_collection(LineCollection(lines, colors=GRID, linewidths=0.8, zorder=3))
        if numbers:
            for k, text in enumerate(texts):
                label(axes, grid.cell(*divmod(k, columns)).center, text, size=SMALL)
    _rectangle(axes, grid, fill=False, ec=color, linewidth=1.2, zorder=4)
    for i, j, tall, wide in highlight:
        place = grid.cell(i, j, tall, wide)
        _rectangle(axes, place, fill=False, ec=COLORS[3], linewidth=2.2, zorder=5)
    if name:
        label(axes, (grid.x, y + 0.05), name, bold=True, va="bottom")
    if note:
        label(axes, (grid.x, low - 0.05), note, size=SMALL, color=MUTED, va="top")
    return grid


def curve(
    axes: Axes,
    at: Point,
    activation: Activation,
    *,
    size: float = 0.62,
    mark: float | None = None,
    frame: bool = True,
) -> Drawn:
    """Draw the small curve of an activation function.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    at : (float, float)
        Its middle.
    activation : str or (str, callable)
        A known name (``"step"``, ``"sign"``, ``"identity"``, ``"relu"``, ``"leaky_relu"``,
        ``"sigmoid"``, ``"tanh"``, ``"softplus"``, ``"silu"``, ``"gelu"``), or a name of yours and
        its function.
    size : float, optional
        Side of the square.
    mark : float, optional
        A pre-activation to mark with a dot on the curve.
    frame : bool, optional
        Whether to draw the square around it.

    Returns
    -------
    Drawn
    """
    _, function = _activation(activation)
    reach = 3.0 if mark is None else max(3.0, 1.3 * abs(mark))
    z = np.linspace(-reach, reach, 241)
    values = np.asarray(function(z), dtype=float)
    low, high = min(values.min(), 0.0), max(values.max(), 0.0)
    tall = (high - low) or 1.0
    inner = 0.76 * size

    def place(z: Any, value: Any) -> tuple[Any, Any]:
        return at[0] + inner / 2 * z / reach, at[1] + inner * ((value - low) / tall - 0.5)

    square = Drawn(*at, size, size)
    if frame:
        corner = at[0] - size / 2, at[1] - size / 2
        style = {"boxstyle": "round,pad=0,rounding_size=0.08", "linewidth": 1.2}
        axes.add_patch(FancyBboxPatch(corner, size, size, fc=PAPER, ec=INK, zorder=3, **style))
    across, up = place(np.array([-reach, reach]), 0.0), place(0.0, np.array([low, high]))
    for x, y in (across, up):
        axes.plot(np.broadcast_to(x, 2), np.broadcast_to(y, 2), "-", color=GRID, lw=0.9, zorder=4)
    axes.plot(*place(z, values), "-", color=POSITIVE, linewidth=2.0, zorder=5)
    if mark is not None:
        spot = place(mark, float(function(np.asarray(float(mark)))))
        axes.plot(*spot, "o", color=INK, markersize=5.5, markeredgecolor=PAPER, zorder=6)
    return square


def cycle(
    axes: Axes,
    center: Point,
    stages: Mapping[str, str],
    *,
    radii: tuple[float, float] = (2.5, 1.35),
    highlight: str | Sequence[str] = (),
) -> dict[str, Drawn]:
    """Draw blocks around an ellipse, clockwise from the top, and an arrow from each to the next.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    center : (float, float)
    stages : mapping of str to str
        The name of each block, and what is written below it.
    radii : (float, float), optional
        Half the width and half the height of the ellipse through the middles of the blocks.
    highlight : str or sequence of str, optional
        Names of blocks to draw with a thick outline.

    Returns
    -------
    dict of str to Drawn
        Where each block is.
    """
    chosen = [highlight] if isinstance(highlight, str) else list(highlight)
    for name in chosen:
        _one_of("highlight", name, stages)
    if len(stages) < 2:
        raise ValueError(f"stages: got {len(stages)}; a cycle goes around at least two")
    sizes = [_box_size(name, note) for name, note in stages.items()]
    width, height = max(size[0] for size in sizes), max(size[1] for size in sizes)

    def on_ellipse(angle: Any) -> tuple[Any, Any]:
        return center[0] + radii[0] * np.cos(angle), center[1] + radii[1] * np.sin(angle)

    angles = [pi / 2 - 2 * pi * k / len(stages) for k in range(len(stages))]
    places = {}
    for angle, (name, note) in zip(angles, stages.items(), strict=True):
        x, y = (float(value) for value in on_ellipse(angle))
        where = {"width": width, "height": height, "thick": name in chosen}
        places[name] = box(
            axes, (x, y), name, note, color=POSITIVE if name in chosen else INK, **where
        )
    blocks = list(places.values())
    for k, angle in enumerate(angles):
        x, y = on_ellipse(np.linspace(angle, angle - 2 * pi / len(stages), 241))
        free = np.ones(len(x), dtype=bool)
        for block in (blocks[k], blocks[(k + 1) % len(blocks)]):
            free &= (abs(x - block.x) > width / 2 + 0.06) | (abs(y - block.y) > height / 2 + 0.06)
        if free.sum() < 8:
            raise ValueError(
                f"stages: the blocks are {width:.1f} inches wide and leave no room for arrows on "
                f"an ellipse of {2 * radii[0]:g} by {2 * radii[1]:g}; shorten the texts "
                "or raise radii"
            )
        points = np.stack([x[free], y[free]], axis=1)[:: max(1, free.sum() // 24)]
        axes.add_patch(
            FancyArrowPatch(
                path=Path(points),
                arrowstyle="-|>",
                mutation_scale=13,
                color=MUTED,
                linewidth=1.8,
                zorder=2,
            )
        )
    return places


# Drawings -----------------------------------------------------------------------------------------


@styled
def neuron(
    inputs: int | Sequence[str | float] = 2,
    weights: Sequence[str | float] | None = None,
    bias: str | float | None = "b",
    activation: Activation = "step",
    output: str = "a",
    *,
    names: Sequence[str] | None = None,
    most: int = 8,
    axes: Axes | None = None,
) -> Figure:
    """Draw a neuron: its inputs, their weights, the sum, the activation function, the output.

    With numbers for inputs, weights and bias, the drawing works one sample through: it shows each
    product, the sum z, where z lies on the curve, and what comes out.

    Parameters
    ----------
    inputs : int, or sequence of str or float, optional
        How many inputs, their names, or their numbers.
    weights : sequence of str or float, optional
        One for each input. Numbers set width and style of the edges: the wider, the larger, and
        dashed when negative. By default w₁, w₂, ...
    bias : str, float or None, optional
        None draws no bias.
    activation : str or (str, callable), optional
        As in `curve`.
    output : str, optional
        The name of the output.
    names : sequence of str, optional
        Names of inputs that are numbers; by default x₁, x₂, ...
    most : int, optional
        More inputs than these are abbreviated by dots.
    axes : matplotlib.axes.Axes, optional
        A panel to draw into.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> figure = neuron([1.0, 0.5], [0.8, -1.2], bias=0.1, activation="relu")
    >>> [text.get_text() for text in figure.axes[0].texts if "z" in text.get_text()]
    ['z = 0.3']
    """
    parts = _Parts.of(inputs, weights, bias, activation, output, names, most)
    radius = max(0.2, *(_extent(text)[0] / 2 + 0.07 for text in parts.inside))
    pitch = 2 * radius + (0.08 if len(parts.rows) < 9 else 0.04)
    tall = (len(parts.rows) - 1) * pitch
    side, sum_radius = 0.66, 0.27
    available = WIDTH - 2 * MARGIN if axes is None else _panel_size(axes)[0]
    for slack in (1.0, 0.5, 0.0):  # the room between the columns gives way first
        at = _neuron_columns(parts, radius, sum_radius, side, tall, slack)
        if at["end"] <= available:
            break
    above = max(tall / 2 + radius, side / 2, at["out radius"]) + 0.3  # for the names of the columns
    under = max(tall / 2 + radius, side / 2, sum_radius + (0.78 if parts.bias_text else 0))
    axes, x0, y0 = _sheet(axes, at["end"], above + under)
    at = {name: x0 + x for name, x in at.items()}
    y = y0 + under

    total = node(axes, (at["sum"], y), radius=sum_radius)
    label(axes, total.center, "Σ", size=15)
    level = [y + tall / 2 - i * pitch for i in range(len(parts.rows))]
    for i, k in enumerate(parts.rows):
        if k is None:
            _dots(axes, (at["input"], level[i]))
            continue
        # The wires arrive at the left of the sum, spread over its outline.
        rise = 0.62 * sum_radius * (1 - 2 * i / (len(parts.rows) - 1)) if i or tall else 0.0
        end = at["sum"] - (sum_radius**2 - rise**2) ** 0.5, y + rise
        _wire(axes, at, level[i], end, parts, k)
        node(axes, (at["input"], level[i]), parts.inside[i], radius=radius)
        if parts.beside[i]:
            spot = at["input"] - radius - 0.06, level[i]
            color = MUTED if parts.inside[i] else INK
            label(axes, spot, parts.beside[i], ha="right", color=color)
    if parts.bias_text:
        foot = at["sum"], y - sum_radius - 0.3
        look = _look(parts.bias if parts.weighted else None, parts.largest)
        axes.add_patch(PathPatch(Path([foot, total.bottom]), fill=False, zorder=2, **look))
        label(axes, (foot[0], foot[1] - 0.12), parts.bias_text, bold=parts.z is not None)
        label(axes, (foot[0], foot[1] - 0.32), "bias", size=SMALL, color=MUTED)
    bend = curve(axes, (at["curve"], y), activation, size=side, mark=parts.z)
    out = node(axes, (at["output"], y), parts.out_inside, radius=at["out radius"] - x0, thick=True)
    if parts.out_beside:
        color = MUTED if parts.out_inside else INK
        label(axes, (out.right[0] + 0.06, y), parts.out_beside, ha="left", color=color)
    arrow(axes, total, bend, parts.z_text)
    arrow(axes, bend, out)

    left = y + tall / 2 + radius + 0.18
    right = y + max(side / 2, at["out radius"] - x0) + 0.18
    if abs(left - right) < 0.4:  # too little to be two lines
        left = right = max(left, right)
    some = "s" if len(parts.rows) > 1 else ""
    heads = {"input": f"input{some}", "weight": f"weight{some}"}
    heads |= {"product": f"product{some}"} if parts.products else {}
    for name, text in heads.items():
        label(axes, (at[name], left), text, size=SMALL, color=MUTED)
    for name, text in {"sum": "sum", "curve": parts.function, "output": "output"}.items():
        label(axes, (at[name], right), text, size=SMALL, color=MUTED)
    return axes.figure


@dataclass(frozen=True)
class _Parts:
    """What a drawing of a neuron says: a row for each input that is shown, None for the dots."""

    rows: list[int | None]
    inside: list[str]
    beside: list[str]
    weights: list[Any]
    weight_texts: list[str]
    products: list[str]
    weighted: bool
    largest: float
    bias: Any
    bias_text: str
    z: float | None
    z_text: str
    function: str
    out_inside: str
    out_beside: str

    @classmethod
    def of(
        cls,
        inputs: int | Sequence[str | float],
        weights: Sequence[str | float] | None,
        bias: str | float | None,
        activation: Activation,
        output: str,
        names: Sequence[str] | None,
        most: int,
    ) -> "_Parts":
        """Check the arguments of `neuron`, and work its sample through if there is one."""
        count = inputs if isinstance(inputs, int) else len(inputs)
        if count < 1:
            raise ValueError(f"inputs: got {count}; a neuron needs at least one input")
        inputs = _counted("x", count) if isinstance(inputs, int) else list(inputs)
        weights = _counted("w", count) if weights is None else list(weights)
        _as_many("weights", weights, count, "one for each input")
        given = _are_numbers("inputs", inputs)
        weighted = _are_numbers("weights", weights)
        if names is not None and not given:
            raise ValueError("names: they are for inputs that are numbers; give names as inputs")
        names = _counted("x", count) if names is None else list(names)
        _as_many("names", names, count, "one for each input")
        if not (bias is None or isinstance(bias, str) or isfinite(bias)):
            raise ValueError(f"bias: got {bias}; give a finite number")

        shown = _abbreviated(count, most)
        texts = [_text(inputs[k]) if k is not None else "" for k in shown]
        # Long names stand before their circles, and numbers have their names there.
        outside = [names[k] if k is not None else "" for k in shown] if given else texts
        fits = given or max(_extent(text)[0] for text in texts) <= 0.45
        shown_name, function = _activation(activation)
        z = answer = None
        if given and weighted and not isinstance(bias, str):
            z = float(np.dot(inputs, weights)) + (bias or 0.0)
            answer = _number(float(function(np.asarray(z))))
        short = _extent(output)[0] <= 0.45
        return cls(
            rows=shown,
            inside=texts if fits else [""] * len(texts),
            beside=outside if given or not fits else [""] * len(texts),
            weights=weights,
            weight_texts=[
                ("× " if weighted else "") + _text(weights[k]) if k is not None else ""
                for k in shown
            ],
            products=[]
            if z is None
            else [_number(inputs[k] * weights[k]) if k is not None else "" for k in shown],
            weighted=weighted,
            largest=max(abs(w) for w in weights) if weighted else 1.0,
            bias=bias,
            bias_text=_signed(bias),
            z=z,
            z_text="z" if z is None else f"z = {_number(z)}",
            function=shown_name,
            out_inside=answer or (output if short else ""),
            out_beside=output if answer or not short else "",
        )


def _neuron_columns(
    parts: _Parts, radius: float, sum_radius: float, side: float, tall: float, slack: float
) -> dict[str, float]:
    """Find where the columns of a neuron stand, from what is written in each."""

    def widest(texts: Sequence[str]) -> float:
        return max((_extent(text)[0] for text in texts), default=0.0)

    names, weight, product = (
        widest(parts.beside),
        widest(parts.weight_texts),
        widest(parts.products),
    )
    out = max(0.2, _extent(parts.out_inside)[0] / 2 + 0.07)
    at = {"input": (names + 0.06 if names else 0.0) + max(radius, 0.22)}
    at["weight"] = at["input"] + max(radius + 0.12 + 0.08 * slack + weight / 2, 0.54 + 0.08 * slack)
    at["wire"] = at["input"] + radius
    at["product"] = at["weight"]
    if parts.products:
        at["product"] += max((weight + product) / 2 + 0.12 + 0.1 * slack, 0.6)
    at["turn"] = at["product"] + (product if parts.products else weight) / 2 + 0.1
    at["sum"] = at["turn"] + 0.28 + slack * (0.22 + min(0.18 * tall, 0.5)) + sum_radius
    room = _extent(parts.z_text, 9.5)[0] + 0.22 + 0.1 * slack
    at["curve"] = at["sum"] + sum_radius + room + side / 2
    at["output"] = at["curve"] + side / 2 + max(0.28 + 0.12 * slack, 0.6 - out) + out
    beside = _extent(parts.out_beside)[0] + 0.06 if parts.out_beside else 0.0
    at["end"] = at["output"] + max(out + beside, 0.24)
    at["out radius"] = out
    return at


def _wire(axes: Axes, at: Mapping[str, float], y: float, end: Point, parts: _Parts, k: int) -> None:
    """Draw the line of an input from text to text, and from the last one into the sum."""
    row = parts.rows.index(k)
    look = _look(parts.weights[k] if parts.weighted else None, parts.largest)
    x = at["wire"]
    texts = {"weight": parts.weight_texts[row]}
    texts |= {"product": parts.products[row]} if parts.products else {}
    for name, text in texts.items():
        bold = name == "product"
        half = _extent(text, 10.0, bold)[0] / 2 + 0.05
        piece = Path([(x, y), (at[name] - half, y)])
        axes.add_patch(PathPatch(piece, fill=False, zorder=2, **look))
        label(axes, (at[name], y), text, bold=bold)
        x = at[name] + half
    half = (at["turn"] + end[0]) / 2
    points = [(x, y), (at["turn"], y), (half, y), (half, end[1]), end]
    codes = [Path.MOVETO, Path.LINETO, *[Path.CURVE4] * 3]
    axes.add_patch(PathPatch(Path(points, codes), fill=False, zorder=2, **look))


@styled
def network(
    sizes: Sequence[int],
    *,
    labels: Sequence[str] | None = None,
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
    activations: Sequence[str | None] = (),
    weights: Sequence[ArrayLike] | None = None,
    values: Sequence[ArrayLike] | None = None,
    numbers: bool = False,
    parameters: bool = False,
    highlight: tuple[int, int] | None = None,
    silenced: Sequence[tuple[int, int]] = (),
    most: int = 8,
    axes: Axes | None = None,
) -> Figure:
    """Draw a multilayer perceptron: a column of units for each layer, and the edges between.

    Parameters
    ----------
    sizes : sequence of int
        Numbers of units: inputs, hidden layers, outputs.
    labels : sequence of str, optional
        Names of the layers; by default input, hidden 1, ..., output.
    inputs, outputs : sequence of str, optional
        Names of the units of the first and of the last layer.
    activations : sequence of str or None, optional
        For each layer after the first: a name that `curve` knows, which is drawn below the layer,
        or any other (``"softmax"``), which is written there.
    weights : sequence of array_like, each of shape (d_in, d_out), optional
        Width of an edge shows the size of its weight; negative weights are dashed, and of another
        color.
    values : sequence of array_like, each of shape (units,), optional
        What each unit holds for one sample, inputs first, as a shade; negative values have a
        dashed outline, and another color.
    numbers : bool, optional
        Whether to write the values into the units.
    parameters : bool, optional
        Whether to count weights and biases below the edges.
    highlight : (int, int), optional
        Layer and unit, from 0: this unit and the edges that enter it are drawn heavily.
    silenced : sequence of (int, int), optional
        Layer and unit, from 0, of units that take no part, as dropout has it.
    most : int, optional
        A layer with more units than these is abbreviated by dots.
    axes : matplotlib.axes.Axes, optional
        A panel to draw into.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> figure = network((64, 32, 10), activations=("relu", "softmax"), parameters=True)
    >>> [text.get_text() for text in figure.axes[0].texts][:2]
    ['input', '64 inputs']
    """
    sizes = [int(size) for size in sizes]
    depth = len(sizes)
    if depth < 2 or min(sizes) < 1:
        raise ValueError(
            f"sizes: got {tuple(sizes)}; give at least two layers with at least one unit each"
        )
    if labels is None:
        middle = ["hidden"] if depth == 3 else [f"hidden {k}" for k in range(1, depth - 1)]
        labels = ["input", *middle, "output"]
    _as_many("labels", labels, depth, "one for each layer")
    _as_many("inputs", inputs or [""] * sizes[0], sizes[0], "one for each unit of the first layer")
    _as_many("outputs", outputs or [""] * sizes[-1], sizes[-1], "one for each unit of the last")
    activations = list(activations) or [None] * (depth - 1)
    _as_many("activations", activations, depth - 1, "one for each layer after the first")
    matrices = None if weights is None else _as_weights(weights, sizes)
    held = None if values is None else _as_values(values, sizes)
    if numbers and held is None:
        raise ValueError("numbers: there are no values to write; give values as well")
    shown = [_abbreviated(size, most) for size in sizes]
    _as_units("highlight", [highlight] if highlight else [], shown, sizes, most)
    _as_units("silenced", silenced, shown, sizes, most)

    # Heights: names of the layers, units, what stands below them.
    written = (
        [_number(held[c][k], 2) for c in range(depth) for k in shown[c] if k is not None]
        if numbers and held
        else []
    )
    radius = max([0.15, *(max(0.2, _extent(text, SMALL)[0] / 2 + 0.05) for text in written)])
    pitch = 2 * radius + 0.13
    tall = max(len(column) - 1 for column in shown) * pitch + 2 * radius
    head = 0.46
    foot = 0.72 if any(activations) or parameters else 0.0

    # Widths: a column is as wide as what is written above and below it.
    counts = [
        f"{size:,} {'unit' if c else 'input'}{'s' * (size > 1)}" for c, size in enumerate(sizes)
    ]
    feet = [
        0.0,
        *(max(_extent(_shown(name), SMALL)[0], 0.44) if name else 0.0 for name in activations),
    ]
    halves = [
        max(_extent(labels[c], 10, True)[0], _extent(counts[c], SMALL)[0], feet[c], 2 * radius) / 2
        for c in range(depth)
    ]
    left, right = (
        max(half, radius + 0.08 + max((_extent(text)[0] for text in side), default=0.0))
        for half, side in ((halves[0], inputs), (halves[-1], outputs))
    )
    sums = _parameter_counts(sizes) if parameters else []
    taken = [(feet[c] + feet[c + 1]) / 2 + 0.16 for c in range(depth - 1)]
    gap = max(0.85, *(halves[c] + halves[c + 1] + 0.12 for c in range(depth - 1)))
    if parameters:
        gap = max(gap, *(_widest(sums[-1][c]) + taken[c] for c in range(depth - 1)))
    need = left + right + gap * (depth - 1)
    wish = left + right + 2.3 * (depth - 1)
    axes, x0, y0, width = _stretched(axes, need, wish, tall + head + foot)
    step = (width - left - right) / (depth - 1)
    xs = [x0 + left + c * step for c in range(depth)]
    top, base = y0 + foot + tall + head, y0 + foot

    def level(c: int, k: int | None) -> float:
        return base + tall / 2 + ((len(shown[c]) - 1) / 2 - shown[c].index(k)) * pitch

    ys = [{k: level(c, k) for k in shown[c] if k is not None} for c in range(depth)]
    for c in range(depth - 1):
        _edges(axes, xs[c : c + 2], ys[c : c + 2], c, matrices, highlight, silenced)
    for c, x in enumerate(xs):
        _units(axes, x, ys[c], c, radius, held, numbers, highlight, silenced)
        if None in shown[c]:
            _dots(axes, (x, level(c, None)))
        label(axes, (x, top - 0.11), labels[c], bold=True)
        label(axes, (x, top - 0.29), counts[c], size=SMALL, color=MUTED)
    for texts, x, ha in (
        (inputs, xs[0] - radius - 0.08, "right"),
        (outputs, xs[-1] + radius + 0.08, "left"),
    ):
        for k, y in (ys[0] if ha == "right" else ys[-1]).items():
            if texts:
                label(axes, (x, y), texts[k], ha=ha)
    for x, name in zip(xs[1:], activations, strict=True):
        if name in _ACTIVATIONS:
            curve(axes, (x, base - 0.31), name, size=0.44, frame=False)
        if name:
            label(axes, (x, base - 0.63), _shown(name), size=SMALL, color=MUTED)
    if parameters:
        # All of them as long as the narrowest gap lets them be.
        fits = (
            s for s in sums if all(_widest(t) + f <= step for t, f in zip(s, taken, strict=True))
        )
        chosen = next(fits, sums[-1])
        for c, lines in enumerate(chosen):
            x = (xs[c] + feet[c] / 2 + xs[c + 1] - feet[c + 1] / 2) / 2
            for i, line in enumerate(reversed(lines)):
                label(axes, (x, base - 0.63 + 0.18 * i), line, size=SMALL, color=MUTED)
        if chosen == sums[-1]:
            at = x0, base - 0.4
            label(axes, at, "parameters", size=SMALL, color=MUTED, ha="left")
    return axes.figure


def _edges(
    axes: Axes,
    xs: Sequence[float],
    ys: Sequence[Mapping[int, float]],
    layer: int,
    weights: Sequence[np.ndarray] | None,
    highlight: tuple[int, int] | None,
    silenced: Sequence[tuple[int, int]],
) -> None:
    """Draw the edges between two layers as one collection."""
    segments, widths, colors, styles = [], [], [], []
    many = len(ys[0]) * len(ys[1]) > 40
    pairs = [
        (i, j)
        for i in ys[0]
        for j in ys[1]
        if (layer, i) not in silenced and (layer + 1, j) not in silenced
    ]
    for i, j in pairs:
        chosen = highlight == (layer + 1, j)
        if weights is not None:
            look = _look(float(weights[layer][i, j]), float(np.abs(weights[layer]).max()))
            style = (
                look["linewidth"] * (0.75 if many else 1.0),
                look["edgecolor"],
                look["linestyle"],
            )
        elif chosen:
            style = 2.0, INK, "-"
        else:
            style = 0.6 if many else 0.9, MUTED if highlight is None else GRID, "-"
        segments.append([(xs[0], ys[0][i]), (xs[1], ys[1][j])])
        for several, one in zip((widths, colors, styles), style, strict=True):
            several.append(one)
    axes.add_collection(
        LineCollection(segments, linewidths=widths, colors=colors, linestyles=styles, zorder=1)
    )


def _units(
    axes: Axes,
    x: float,
    ys: Mapping[int, float],
    layer: int,
    radius: float,
    values: Sequence[np.ndarray] | None,
    numbers: bool,
    highlight: tuple[int, int] | None,
    silenced: Sequence[tuple[int, int]],
) -> None:
    """Draw the units of a layer."""
    largest = 1.0 if values is None else float(np.abs(values[layer]).max()) or 1.0
    for k, y in ys.items():
        if (layer, k) in silenced:
            node(axes, (x, y), "×", radius=radius, color=MUTED, style=":")
            continue
        value = None if values is None else float(values[layer][k])
        share = None if value is None else value / largest
        unit = node(axes, (x, y), radius=radius, value=share, thick=(layer, k) == highlight)
        if numbers and value is not None:
            label(axes, unit.center, _number(value, 2), size=SMALL)


def _parameter_counts(sizes: Sequence[int]) -> list[list[list[str]]]:
    """Write how many parameters each layer has: in full, shorter, and shortest."""
    pairs = [(d, h, f"{d * h + h:,}") for d, h in pairwise(sizes)]
    return [
        [
            [f"{d:,}·{h:,} weights + {h:,} bias{'es' * (h > 1)}", f"= {total} parameters"]
            for d, h, total in pairs
        ],
        [[f"{d:,}·{h:,} + {h:,}", f"= {total}"] for d, h, total in pairs],
        [[total] for _, _, total in pairs],
    ]


@styled
def rectangles(
    rows: Mapping[str, Sequence[Any]] | Sequence[Sequence[Any]],
    *,
    note: str = "",
    axes: Axes | None = None,
) -> Figure:
    """Draw equations between matrices, each matrix as a rectangle with its shape.

    Sides that have the same length in the drawing are the same number. Up to 12 the scale is exact
    and cells are drawn; beyond that, lengths grow with the square root.

    Parameters
    ----------
    rows : mapping of str to sequence, or sequence of sequences
        An equation a row, with what is written before it. A term is a matrix, ``(name, shape)``
        or ``(name, shape, "row")`` or ``(name, shape, "column")`` to mark one of its rows or
        columns; or the name of an activation function, drawn as an arrow; or a sign such as
        ``"@"``, ``"+"``, ``"="``; or ``""`` for some room.
    note : str, optional
        What is marked.
    axes : matplotlib.axes.Axes, optional
        A panel to draw into.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> figure = rectangles([[("X", (8, 3)), "@", ("W", (3, 5)), "=", ("Z", (8, 5))]])
    >>> "(8, 5)" in [text.get_text() for text in figure.axes[0].texts]
    True
    """
    titles = list(rows) if isinstance(rows, Mapping) else [""] * len(rows)
    lines = [list(row) for row in (rows.values() if isinstance(rows, Mapping) else rows)]
    if not lines or not all(lines):
        raise ValueError("rows: got an empty equation; give each row at least one matrix")
    shapes = [_as_shape(term) for line in lines for term in line if not isinstance(term, str)]
    sides = [side for shape in shapes for side in shape]
    exact = max(sides) <= 12
    wide = max((_extent(title, 10, True)[0] for title in titles), default=0.0)
    indent = wide + 0.2 if wide else 0.0
    available = WIDTH - 2 * MARGIN if axes is None else _panel_size(axes)[0]

    def length(side: int, unit: float) -> float:
        share = side / max(sides)
        return max(0.13, unit * (share if exact else share**0.5))

    def measured(line: list[Any], unit: float) -> list[float]:
        return [_term_width(term, lambda side: length(side, unit)) for term in line]

    for unit in np.arange(1.4, 0.29, -0.05):
        widths = [measured(line, unit) for line in lines]
        need = indent + max(sum(line) for line in widths)
        if need <= available:
            break
    # Terms stand below each other where the shorter rows begin as the longest does.
    longest = max(lines, key=len)
    if all(_pattern(line) == _pattern(longest)[: len(line)] for line in lines):
        columns = [max(column) for column in zip_longest(*widths, fillvalue=0.0)]
        if indent + sum(columns) <= available:
            widths = [columns[: len(line)] for line in lines]
            need = indent + sum(columns)
    heights = [
        max(length(_as_shape(t)[0], unit) for t in line if not isinstance(t, str)) + 0.52
        for line in lines
    ]
    low = 0.3 if note else 0.0
    between = 0.12
    axes, x0, y0 = _sheet(axes, need, sum(heights) + between * (len(lines) - 1) + low)
    y = y0 + low + sum(heights) + between * (len(lines) - 1)
    for title, line, steps, tall in zip(titles, lines, widths, heights, strict=True):
        middle = y - tall / 2
        if title:
            label(axes, (x0, middle), title, bold=True, ha="left")
        x = x0 + indent
        for term, step in zip(line, steps, strict=True):
            _term(axes, term, (x, middle), step, lambda side: length(side, unit), exact)
            x += step
        y -= tall + between
    if note:
        x = x0 + indent
        strip = Drawn(x + 0.16, y0 + 0.1, 0.32, 0.11)
        _marked(axes, strip)
        label(axes, (x + 0.4, y0 + 0.1), note, size=9.5, ha="left")
    return axes.figure


def batch_through(
    n: int,
    sizes: Sequence[int],
    *,
    activations: Sequence[str | None] = (),
    backward: bool = False,
    axes: Axes | None = None,
) -> Figure:
    """Draw a batch on its way through the layers, or the slopes on their way back.

    Parameters
    ----------
    n : int
        Samples in the batch: the rows.
    sizes : sequence of int
        Numbers in a sample before the first layer, after it, and so on.
    activations : sequence of str or None, optional
        For each layer; by default ReLU for all but the last.
    backward : bool, optional
        Whether to draw the products of the backward pass instead.
    axes : matplotlib.axes.Axes, optional
        A panel to draw into.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> figure = batch_through(32, (64, 32, 10))
    >>> [text.get_text() for text in figure.axes[0].texts][:3]
    ['layer 1', 'X', '(32, 64)']
    """
    sizes = [int(size) for size in sizes]
    depth = len(sizes) - 1
    if n < 1 or depth < 1 or min(sizes) < 1:
        raise ValueError(
            f"n, sizes: got {n}, {tuple(sizes)}; give a batch of at least one sample and at least "
            "two sizes of at least 1"
        )
    activations = list(activations) or ["relu"] * (depth - 1) + [None]
    _as_many("activations", activations, depth, "one for each layer")
    rows = {}
    for k in range(1, depth + 1):
        d, h = sizes[k - 1], sizes[k]
        mark = str(k).translate(_LOW) if depth > 1 else ""
        before = "X" if k == 1 else "A" + str(k - 1).translate(_LOW)
        if backward:
            row = [
                (f"{before}ᵀ", (d, n), "column"), "@", (f"G{mark}", (n, h), "row"),
                "=", (f"∂L/∂W{mark}", (d, h)),
            ]  # fmt: skip
            if k > 1:
                row += ["", (f"G{mark}", (n, h), "row"), "@", (f"W{mark}ᵀ", (h, d))]
                row += ["=", (f"∂L/∂{before}", (n, d), "row")]
        else:
            row = [
                (before, (n, d), "row"), "@", (f"W{mark}", (d, h)), "+", (f"b{mark}", (h,)),
                "=", (f"Z{mark}", (n, h), "row"),
            ]  # fmt: skip
            if activations[k - 1]:
                row += [activations[k - 1], (f"A{mark}", (n, h), "row")]
        rows[f"layer {k}" if depth > 1 else ""] = row
    if backward:
        rows = dict(reversed(rows.items()))
    return rectangles(rows, note="one sample", axes=axes)


@styled
def training_loop(
    stages: Mapping[str, str] | None = None,
    *,
    highlight: str | Sequence[str] = (),
    axes: Axes | None = None,
) -> Figure:
    """Draw the loop of training around the parameters that it changes.

    Parameters
    ----------
    stages : mapping of str to str, optional
        Other blocks for the loop, and what is written into them; then the middle stays empty.
    highlight : str or sequence of str, optional
        Stages to draw heavily: batch, forward pass, loss, backward pass, optimizer step.
    axes : matplotlib.axes.Axes, optional
        A panel to draw into.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> figure = training_loop(highlight="backward pass")
    >>> "∇L" in " ".join(text.get_text() for text in figure.axes[0].texts)
    True
    """
    usual = stages is None
    stages = dict(_STAGES) if stages is None else dict(stages)
    size = np.max([_box_size(name, note) for name, note in stages.items()], axis=0)
    radii = 2.5, 1.4
    # How far the middles of the outermost blocks are from the center.
    turns = [pi / 2 - 2 * pi * k / len(stages) for k in range(len(stages))]
    reach = max(abs(radii[0] * cos(turn)) for turn in turns)
    depth = max(-radii[1] * sin(turn) for turn in turns)
    under = max(depth + size[1] / 2, radii[1] + 0.05)  # the ellipse may reach below the blocks
    width, height = 2 * reach + size[0], radii[1] + size[1] / 2 + under
    axes, x0, y0 = _sheet(axes, width, height)
    center = x0 + width / 2, y0 + under
    places = cycle(axes, center, stages, radii=radii, highlight=highlight)
    if usual:
        step, forward = places["optimizer step"], places["forward pass"]
        theta = node(axes, (center[0], step.y), radius=0.3)
        label(axes, theta.center, "θ", size=15)
        arrow(axes, step, theta, "changes", style="--")
        arrow(axes, theta, forward, "is used by", style="--")
        label(axes, (center[0], theta.bottom[1] - 0.2), "all weights and biases", size=9.5)
        text = "once around: one batch\nall batches once: one epoch"
        label(axes, (center[0], theta.bottom[1] - 0.6), text, size=SMALL, color=MUTED)
    return axes.figure


_STAGES: Final = {
    "batch": "X, y",
    "forward pass": "X, θ → ŷ",
    "loss": "ŷ, y → L",
    "backward pass": "L → ∇L",
    "optimizer step": "θ ← θ − η∇L",
}


@styled
def graph(
    places: Mapping[str, tuple[float, float]],
    edges: Sequence[tuple[str, ...]],
    *,
    lines: Mapping[str, Sequence[str]] | None = None,
    legend: Sequence[str] = (),
    axes: Axes | None = None,
) -> Figure:
    """Draw a computation as a graph of named steps.

    Parameters
    ----------
    places : mapping of str to (float, float)
        Name of each node, and its column and row; rows count upward.
    edges : sequence of (str, str) or (str, str, str)
        From which node to which, and what is written on the edge. Two edges between the same
        nodes are drawn side by side.
    lines : mapping of str to sequence of str, optional
        More lines for a node: the first in blue, such as its value, the second in vermilion, such
        as its slope.
    legend : sequence of str, optional
        What those lines are, written above the graph in their colors; one more than there are
        lines says what is on the edges.
    axes : matplotlib.axes.Axes, optional
        A panel to draw into.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> figure = graph({"x": (0, 0), "x²": (1, 0)}, [("x", "x²", "×2x")])
    >>> sorted(text.get_text() for text in figure.axes[0].texts)
    ['x', 'x²', '×2x']
    """
    lines = dict(lines or {})
    for name in lines:
        _one_of("lines", name, places)
    for edge in edges:
        for end in edge[:2]:
            _one_of("edges", end, places)
    columns, rows = zip(*places.values(), strict=True)
    marked = max((len(several) for several in lines.values()), default=0)
    texts = {name: [name, *(_minus(line) for line in lines.get(name, ()))] for name in places}
    wide = max(_extent(text, 9.5, True)[0] for node in texts.values() for text in node) + 0.2
    tall = 0.18 * max(len(node) for node in texts.values()) + 0.14
    on_edges = max((_extent(_minus(e[2]), 9.5)[0] for e in edges if len(e) > 2), default=0.0)
    across, up = max(columns) - min(columns), max(rows) - min(rows)
    nearest = _closest(columns)
    head = 0.34 if legend else 0.0
    pitch_x = (wide + on_edges + 0.42) / nearest if across else 1.0
    pitch_y = (tall + 0.36) / _closest(rows)
    height = up * pitch_y + tall + head
    wides = [_extent(text, 10.0, True)[0] for text in legend]
    need = max(across * pitch_x + wide, sum(wides) + 0.3 * max(len(wides) - 1, 0))
    axes, x0, y0, width = _stretched(axes, need, max(need, across * 1.9 + wide), height)
    pitch_x = (width - wide) / across if across else 1.0
    first = x0 + (wide if across else width) / 2
    spots = {
        name: Drawn(
            first + (x - min(columns)) * pitch_x,
            y0 + tall / 2 + (y - min(rows)) * pitch_y,
            wide,
            tall,
        )
        for name, (x, y) in places.items()
    }
    drawn: dict[tuple[str, ...], int] = {}
    for edge in edges:
        ends = edge[:2]
        twins = sum(ends == tuple(other[:2]) for other in edges)
        number = drawn[ends] = drawn.get(ends, -1) + 1
        bend = 0.0 if twins == 1 else 0.7 * (number - (twins - 1) / 2)
        start, end = (spots[name] for name in ends)
        if start.x + wide / 2 < end.x - wide / 2:
            middle = arrow(axes, start.right, end.left, bend=bend)
        else:
            middle = arrow(axes, start, end, bend=bend)
        if len(edge) > 2:
            label(axes, middle, _minus(edge[2]), size=9.5, on_line=True)
    for name, spot in spots.items():
        box(axes, spot.center, "", width=wide, height=tall)
        for k, text in enumerate(texts[name]):
            at = spot.x, spot.y + 0.18 * ((len(texts[name]) - 1) / 2 - k)
            label(axes, at, text, size=9.5, color=(INK, *COLORS)[k], bold=k > 0)
    free = (width - sum(wides)) / max(len(legend) - 1, 1)
    for k, text in enumerate(legend):
        x = x0 + sum(wides[:k]) + k * free
        color = COLORS[k] if k < marked else INK
        label(axes, (x, y0 + height - 0.1), text, color=color, bold=True, ha="left")
    return axes.figure


# Room, texts and checks ---------------------------------------------------------------------------

_LOW: Final = str.maketrans("0123456789-", "₀₁₂₃₄₅₆₇₈₉₋")


def _sheet(axes: Axes | None, width: float, height: float) -> tuple[Axes, float, float]:
    """Find room of a size; return the axes and the lower left corner of the room."""
    axes, x, y, _ = _stretched(axes, width, width, height)
    return axes, x, y


def _stretched(
    axes: Axes | None, need: float, wish: float, height: float
) -> tuple[Axes, float, float, float]:
    """Find room that is at least `need` wide and at most `wish`.

    Returns the axes, the lower left corner of the room, and its width.
    """
    if axes is None:
        most = WIDTH - 2 * MARGIN
        page = min(WIDTH, max(NARROW, wish + 2 * MARGIN))
        if need > most:
            raise ValueError(
                f"The drawing needs {need:.1f} inches of width and the page has {most:.1f}; "
                "shorten its labels, or show fewer things"
            )
        figure, axes = new_figure(width=page, height=height + 2 * MARGIN)
        figure.get_layout_engine().set(w_pad=0, h_pad=0, wspace=0, hspace=0)
        room, tall = page, height + 2 * MARGIN
    else:
        room, tall = _panel_size(axes)
        # The panel still gains or loses a little when its neighbors get their labels.
        if need > 1.03 * room or height > 1.03 * tall:
            raise ValueError(
                f"The drawing needs {need:.1f} by {height:.1f} inches and this panel has "
                f"{room:.1f} by {tall:.1f}; make the figure larger, or give the panel more of it "
                "with width_ratios or height_ratios"
            )
        room, tall = max(room, need), max(tall, height)
    blank(axes, room, tall)
    width = max(need, min(wish, room - (2 * MARGIN if room - 2 * MARGIN > need else 0)))
    return axes, (room - width) / 2, (tall - height) / 2, width


def _panel_size(axes: Axes) -> tuple[float, float]:
    """Tell how many inches a panel is wide and high, once its figure is laid out."""
    axes.set_axis_off()
    figure = axes.get_figure()
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
    place = axes.get_position(original=True)
    width, height = figure.get_size_inches()
    return float(place.width * width), float(place.height * height)


@lru_cache(maxsize=4096)
def _extent(text: str, size: float = 10.0, bold: bool = False) -> tuple[float, float]:
    """Measure a text, in inches."""
    font = FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")
    rows = text.split("\n")
    widths = [
        TextPath((0, 0), row, size=size, prop=font).get_extents().x1 for row in rows if row.strip()
    ]
    return max(widths, default=0.0) / 72, size / 72 * (1.16 + 1.4 * (len(rows) - 1))


def _box_size(text: str, note: str) -> tuple[float, float]:
    """Tell how large a block must be for its texts."""
    width, height = _extent(text, 10.0, bold=True) if text else (0.0, 0.0)
    if note:
        wide, tall = _extent(note, 9.5)
        width, height = max(width, wide), height + tall
    return width + 0.24, height + 0.2


def _middle(thing: Drawn | Point) -> Point:
    """Give the middle of a thing, or the point itself."""
    return thing.center if isinstance(thing, Drawn) else thing


def _leave(thing: Drawn | Point, towards: Point, gap: float) -> Point:
    """Find where an arrow leaves a thing, with a gap; a point is left where it is."""
    if not isinstance(thing, Drawn):
        return thing
    x, y = thing.edge(towards)
    dx, dy = towards[0] - thing.x, towards[1] - thing.y
    length = hypot(dx, dy) or 1.0
    return x + gap * dx / length, y + gap * dy / length


def _look(weight: float | str | None, largest: float) -> dict[str, Any]:
    """Choose how the line of a weight looks: its width, its color and its style."""
    if not isinstance(weight, Real):
        return {"edgecolor": INK, "linewidth": 1.3, "linestyle": "-"}
    share = abs(weight) / largest if largest else 0.0
    width = 0.7 + 2.5 * min(share, 1.0)
    return {
        "edgecolor": POSITIVE if weight >= 0 else NEGATIVE,
        "linewidth": width,
        # Matplotlib counts dashes in widths of the line; these are 4.5 points, 2.5 apart.
        "linestyle": "-" if weight >= 0 else (0, (4.5 / width, 2.5 / width)),
    }


def _dots(axes: Axes, at: Point) -> None:
    """Draw three dots below each other: more of the same."""
    x, y = at
    axes.plot([x] * 3, [y - 0.09, y, y + 0.09], linestyle="", marker="o", color=INK, markersize=2.4)


def _rectangle(axes: Axes, place: Drawn, **how: Any) -> None:
    """Draw the outline of a place."""
    corner = place.x - place.width / 2, place.y - place.height / 2
    axes.add_patch(Rectangle(corner, place.width, place.height, **how))


def _patch(axes: Axes, place: Drawn, value: float) -> None:
    """Shade a cell by a number between -1 and 1."""
    how = {"fc": POSITIVE} if value > 0 else {"fc": NEGATIVE, "hatch": "///"}
    _rectangle(axes, place, alpha=0.5 * abs(value), ec="none", zorder=2, **how)


def _marked(axes: Axes, place: Drawn) -> None:
    """Mark a row or a column of a rectangle."""
    _rectangle(axes, place, fc=POSITIVE, alpha=0.45, ec="none", zorder=3)
    _rectangle(axes, place, fill=False, ec=INK, linewidth=0.9, zorder=4)


def _pattern(line: Sequence[Any]) -> list[str]:
    """Tell which terms of an equation are matrices, and what the others are."""
    return [term if isinstance(term, str) else "matrix" for term in line]


def _term_width(term: Any, length: Callable[[int], float]) -> float:
    """Tell how much width a term of an equation asks for."""
    if isinstance(term, str):
        if term in _ACTIVATIONS:
            return _extent(_shown(term), SMALL)[0] + 0.3
        return _extent(term, 12.0)[0] + 0.2 if term else 0.5
    shape = _as_shape(term)
    texts = _extent(term[0], 10.0, True)[0], _extent(_shape_text(term[1]), SMALL)[0]
    return max(length(shape[1]), *texts) + 0.06


def _term(
    axes: Axes, term: Any, at: Point, width: float, length: Callable[[int], float], exact: bool
) -> None:
    """Draw a term of an equation, with the middle of its left side at a point."""
    x, y = at[0] + width / 2, at[1]
    if isinstance(term, str):
        if term in _ACTIVATIONS:
            arrow(axes, (at[0] + 0.06, y), (at[0] + width - 0.06, y))
            label(axes, (x, y + 0.14), _shown(term), size=SMALL)
        elif term:
            label(axes, (x, y), term, size=12.0)
        return
    rows, columns = _as_shape(term)
    wide, tall = length(columns), length(rows)
    place = Grid(x, y, wide, tall, rows=rows, columns=columns)
    _rectangle(axes, place, fc=PAPER, ec="none", zorder=2)
    if exact and min(wide / columns, tall / rows) > 0.05:
        left, top = x - wide / 2, y + tall / 2
        cells = [
            [(left + wide * j / columns, top - tall), (left + wide * j / columns, top)]
            for j in range(1, columns)
        ] + [
            [(left, top - tall * i / rows), (left + wide, top - tall * i / rows)]
            for i in range(1, rows)
        ]
        axes.add_collection(LineCollection(cells, colors=GRID, linewidths=0.8, zorder=2.5))
    if len(term) > 2:
        _marked(axes, _strip(place, term[2], exact))
    _rectangle(axes, place, fill=False, ec=INK, linewidth=1.3, zorder=5)
    label(axes, (x, y + tall / 2 + 0.04), term[0], bold=True, va="bottom")
    text = _shape_text(term[1])
    label(axes, (x, y - tall / 2 - 0.04), text, size=SMALL, color=MUTED, va="top")


def _strip(place: Grid, which: str, exact: bool) -> Drawn:
    """Find the row or column of a rectangle that is marked: a third of the way in."""
    if which == "row":
        i = place.rows // 3
        cell = place.cell(i, 0, 1, place.columns)
        return cell if exact else Drawn(cell.x, cell.y, cell.width, max(cell.height, 0.06))
    j = place.columns // 3
    cell = place.cell(0, j, place.rows, 1)
    return cell if exact else Drawn(cell.x, cell.y, max(cell.width, 0.06), cell.height)


def _as_shape(term: Any) -> tuple[int, int]:
    """Check a matrix of an equation; return its rows and columns."""
    fits = isinstance(term, tuple) and len(term) in (2, 3) and isinstance(term[1], tuple)
    if not fits or (len(term) == 3 and term[2] not in ("row", "column")):
        raise ValueError(
            f"rows: got the term {term!r}; a matrix is (name, shape) or (name, shape, 'row') or "
            "(name, shape, 'column'), and everything else a string"
        )
    shape = term[1]
    if len(shape) not in (1, 2) or min(shape) < 1:
        raise ValueError(
            f"rows: {term[0]} has shape {shape}; a rectangle has one or two sides of at least 1"
        )
    return (1, int(shape[0])) if len(shape) == 1 else (int(shape[0]), int(shape[1]))


def _shape_text(shape: tuple[int, ...]) -> str:
    """Write a shape as NumPy does."""
    return f"({shape[0]},)" if len(shape) == 1 else f"({shape[0]}, {shape[1]})"


def _as_matrix(values: Any) -> tuple[np.ndarray | None, int, int]:
    """Check what a matrix holds; return the numbers, if any, and how many rows and columns."""
    if isinstance(values, tuple) and all(isinstance(side, int) for side in values):
        array, shape = None, values
    else:
        array = np.asarray(values)
        shape = array.shape
    if len(shape) != 2 or min(shape) < 1:
        raise ValueError(
            f"values: got shape {tuple(shape)}; give numbers in rows and columns, or (rows, "
            "columns)"
        )
    return array, int(shape[0]), int(shape[1])


def _as_weights(weights: Sequence[ArrayLike], sizes: Sequence[int]) -> list[np.ndarray]:
    """Check that the weights fit the layers."""
    _as_many("weights", weights, len(sizes) - 1, "one matrix for each layer after the first")
    arrays = [np.asarray(w, dtype=float) for w in weights]
    for k, (array, shape) in enumerate(zip(arrays, pairwise(sizes), strict=True)):
        if array.shape != shape:
            raise ValueError(
                f"weights: matrix {k} has shape {array.shape}; between layers of {shape[0]} and "
                f"{shape[1]} units it is {shape}, inputs by outputs"
            )
    return arrays


def _as_values(values: Sequence[ArrayLike], sizes: Sequence[int]) -> list[np.ndarray]:
    """Check that the values fit the layers."""
    _as_many("values", values, len(sizes), "one array for each layer, inputs first")
    arrays = [np.asarray(v, dtype=float) for v in values]
    for k, (array, size) in enumerate(zip(arrays, sizes, strict=True)):
        if array.shape != (size,) or not all(isfinite(v) for v in array):
            raise ValueError(
                f"values: those of layer {k} have shape {array.shape}; give {size} finite numbers, "
                "one for each unit"
            )
    return arrays


def _as_many(name: str, given: Sequence[Any], count: int, wanted: str) -> None:
    """Check how many things were given."""
    if len(given) != count:
        raise ValueError(f"{name}: got {len(given)}; give {count}, {wanted}")


def _as_units(
    name: str,
    units: Sequence[tuple[int, int]],
    shown: Sequence[Sequence[int | None]],
    sizes: Sequence[int],
    most: int,
) -> None:
    """Check that units exist, and are drawn."""
    for layer, unit in units:
        if not (0 <= layer < len(sizes) and 0 <= unit < sizes[layer]):
            raise ValueError(
                f"{name}: there is no unit {unit} in layer {layer} of {tuple(sizes)}; count layers "
                "and units from 0"
            )
        if unit not in shown[layer]:
            raise ValueError(
                f"{name}: unit {unit} of layer {layer} is one that the dots stand for; choose one "
                f"that is drawn, or raise most above {most}"
            )


def _one_of(name: str, given: str, known: Any) -> None:
    """Check that a name is known."""
    if given not in known:
        raise ValueError(f"{name}: got {given!r}; choose one of {', '.join(map(repr, known))}")


def _activation(activation: Activation) -> tuple[str, Callable[[np.ndarray], np.ndarray]]:
    """Find an activation function: how it is written, and what it computes."""
    if isinstance(activation, str):
        if activation not in _ACTIVATIONS:
            raise ValueError(
                f"activation: got {activation!r}; choose one of {', '.join(_ACTIVATIONS)}, or "
                "give a name and a function"
            )
        return _ACTIVATIONS[activation]
    return activation


def _shown(name: str) -> str:
    """Write the name of an activation function as the text does."""
    return _ACTIVATIONS[name][0] if name in _ACTIVATIONS else name


def _abbreviated(size: int, most: int) -> list[int | None]:
    """List the units of a layer that are drawn; None stands for the dots."""
    if most < 4:
        raise ValueError(f"most: got {most}; a layer with dots needs room for at least 4")
    return list(range(size)) if size <= most else [*range(most - 2), None, size - 1]


def _counted(letter: str, count: int) -> list[str]:
    """Write a letter with the indices from 1."""
    return [letter + str(k).translate(_LOW) for k in range(1, count + 1)]


def _are_numbers(name: str, given: Sequence[str | float]) -> bool:
    """Tell whether all are numbers, and check that they are finite; or all are names."""
    numbers = [value for value in given if isinstance(value, Real)]
    if numbers and len(numbers) < len(given):
        raise ValueError(f"{name}: got {list(given)}; give either names or numbers")
    if not all(isfinite(value) for value in numbers):
        raise ValueError(f"{name}: got {list(given)}; give finite numbers")
    return bool(numbers)


def _signed(bias: str | float | None) -> str:
    """Write a bias: nothing, its name, or its number with its sign."""
    if bias is None or isinstance(bias, str):
        return bias or ""
    return ("+ " if bias >= 0 else "− ") + _number(abs(bias))


def _widest(lines: Sequence[str]) -> float:
    """Measure the widest of some small lines."""
    return max(_extent(line, SMALL)[0] for line in lines)


def _text(value: str | float) -> str:
    """Write a name or a number."""
    return value if isinstance(value, str) else _number(value)


def _number(value: float, digits: int = 3) -> str:
    """Write a number with few digits and a real minus sign."""
    value = float(value)
    size = abs(value)
    if size >= 10**digits:
        text = f"{value:,.0f}"
    elif size >= 0.1:
        text = f"{value:.{digits}g}"
    elif size >= 10**-digits:
        text = f"{round(value, digits):g}"
    else:  # one digit says how small it is
        text = f"{value:.0e}".replace("e-0", "e-") if 0 < size < 1e-4 else f"{value:.1g}"
    return _minus("0" if text == "-0" else text)


def _minus(text: str) -> str:
    """Turn hyphens before digits into minus signs."""
    return text.replace("-", "−")


def _closest(positions: Sequence[float]) -> float:
    """Find the smallest distance between two different positions."""
    steps = np.diff(np.unique(positions))
    return float(steps.min()) if len(steps) else 1.0
