"""Figures of the chapter *Unsupervised learning*."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle
from matplotlib.textpath import TextPath
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator
from matplotlib.transforms import Affine2D
from numpy.typing import ArrayLike, NDArray

from course_lib.plotting import drawings
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
    "alternation",
    "autoencoder",
    "directions",
    "gallery",
    "how_many",
    "maps",
    "segments",
    "shapes",
    "starts",
    "strangers",
    "topics",
]


@styled
def gallery(rows: Sequence[tuple[str, ArrayLike]], notes: Sequence[object] = ()) -> Figure:
    """Draw rows of images with a name before each row.

    Parameters
    ----------
    rows : sequence of (str, array_like of shape (m, height, width))
        The name of a row and its images, ink from 0 to 1. Every row has as many images.
    notes : sequence, optional
        A word or a number for each image of the last row, to stand below it.

    Returns
    -------
    matplotlib.figure.Figure
    """
    columns = len(rows[0][1])
    left = 0.15 + 0.13 * max(len(name) for name, _ in rows)  # in widths of an image
    wide, tall = left + 1.1 * columns, 1.1 * len(rows) + (0.3 if len(notes) else 0)
    figure, axes = new_figure(height=0.12 + 6.9 * tall / wide)
    for row, (name, images) in enumerate(rows):
        top = 1.1 * row
        axes.text(left - 0.15, top + 0.5, name, ha="right", va="center", fontsize=9.5)
        for column, image in enumerate(images):
            _picture(axes, image, (left + 1.1 * column, top))
    for column, note in enumerate(notes):
        at = left + 1.1 * column + 0.5, 1.1 * len(rows) + 0.08
        axes.text(*at, note, ha="center", va="center", fontsize=9)
    _bare(axes, wide, tall)
    return figure


@styled
def alternation(
    points: NDArray[np.float64],
    steps: Sequence[tuple[str, ArrayLike, ArrayLike | None, ArrayLike | None]],
) -> Figure:
    """Draw k-means at work: a panel for each half of a step.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
    steps : sequence of (title, centers, labels, before)
        `centers` has shape (k, 2); `labels`, shape (n,), says which center each point has, None
        that no point has one yet; from `before`, shape (k, 2), arrows lead to where centers are
        now.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, row = new_figure(1, len(steps), height=1.85, sharex=True, sharey=True, squeeze=False)
    for axes, (title, centers, labels, before) in zip(row[0], steps, strict=True):
        centers = np.asarray(centers)
        if labels is None:
            axes.scatter(*points.T, s=12, color=MUTED, linewidths=0)
        else:
            labels = np.asarray(labels)
            for j, center in enumerate(centers):
                mine = points[labels == j]
                color, marker = COLORS[j % len(COLORS)], MARKERS[j % len(MARKERS)]
                lines = [(point, center) for point in mine]
                axes.add_collection(LineCollection(lines, colors=color, linewidths=0.6, alpha=0.5))
                axes.scatter(*mine.T, s=12, color=color, marker=marker, linewidths=0)
        for j, center in enumerate(centers):
            start = center if before is None else np.asarray(before)[j]
            if np.linalg.norm(center - start) > 0.05 * np.ptp(points):  # too short to be seen
                look = {"arrowstyle": "-|>", "mutation_scale": 8, "color": INK, "shrinkA": 0}
                axes.annotate("", center, start, arrowprops=look)
            axes.scatter(
                *center,
                s=70,
                color=COLORS[j % len(COLORS)],
                marker=MARKERS[j % len(MARKERS)],
                edgecolors=INK,
                linewidths=1.3,
                zorder=4,
            )
        axes.set_title(title)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_aspect("equal")
    return figure


@styled
def starts(
    points: ArrayLike, found: Mapping[str, ArrayLike], errors: Mapping[str, ArrayLike]
) -> Figure:
    """Draw where centers ended after two ways to start, and how well each way did in many runs.

    Parameters
    ----------
    points : array_like, shape (n, 2)
    found : mapping of str to array_like, shape (k, 2)
        The centers of one run, by the way it started.
    errors : mapping of str to array_like, shape (runs,)
        For the same names, the error of each run as a multiple of the best that is known.

    Returns
    -------
    matplotlib.figure.Figure
    """
    count = len(found)
    figure, row = new_figure(1, count + 1, height=2.75, width_ratios=[1] * count + [1.15])
    points = np.asarray(points)
    for axes, color, (name, centers) in zip(row, COLORS, found.items(), strict=False):
        axes.scatter(*points.T, s=3, color=MUTED, alpha=0.5, linewidths=0)
        axes.plot(*np.asarray(centers).T, "X", color=color, markeredgecolor=PAPER, markersize=8)
        axes.set_title(name)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_aspect("equal")
    last = row[count]
    for color, style, (name, error) in zip(COLORS, LINE_STYLES, errors.items(), strict=False):
        ordered = np.sort(np.asarray(error))
        last.plot(np.arange(1, len(ordered) + 1), ordered, color=color, linestyle=style, label=name)
    last.set_ylim(0, 1.4 * max(np.max(error) for error in errors.values()))
    last.set_xlabel("run, from best to worst")
    last.set_ylabel("error / best error")
    last.set_title("All runs")
    last.legend(loc="upper left")
    return figure


@styled
def how_many(
    counts: ArrayLike,
    errors: Mapping[str, ArrayLike],
    silhouettes: Mapping[str, ArrayLike],
) -> Figure:
    """Draw what is looked at to choose a number of clusters.

    Parameters
    ----------
    counts : array_like of int, shape (m,)
        Numbers of clusters.
    errors : mapping of str to array_like, shape (m,)
        Name of a data set, and the share of its variance that is left within clusters.
    silhouettes : mapping of str to array_like, shape (m,)
        For the same names, the mean silhouette.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (left, right) = new_figure(1, 2, height=2.9)
    for axes, curves in ((left, errors), (right, silhouettes)):
        for color, style, marker, (name, values) in zip(
            COLORS, LINE_STYLES, MARKERS, curves.items(), strict=False
        ):
            look = {"color": color, "linestyle": style, "marker": marker, "markersize": 3.5}
            axes.plot(counts, values, **look, label=name)
        axes.set_xlabel("number of clusters k")
    # On a logarithmic axis, equal steps down are equal factors.
    left.set_yscale("log")
    ticks = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1)
    left.yaxis.set_major_locator(FixedLocator(ticks))
    left.yaxis.set_major_formatter(FixedFormatter([f"{tick:g}" for tick in ticks]))
    left.yaxis.set_minor_locator(NullLocator())
    right.set_ylim(0, None)
    left.set_ylabel("error / error with one cluster")
    right.set_ylabel("mean silhouette")
    left.set_title("Elbow")
    right.set_title("Silhouette")
    left.legend(loc="lower left")
    return figure


@styled
def shapes(panels: Mapping[str, tuple[ArrayLike, ArrayLike, ArrayLike]]) -> Figure:
    """Draw which points were put together, a panel for each attempt.

    Parameters
    ----------
    panels : mapping of str to (points, labels, centers)
        Arrays of shape (n, 2), (n,) and (k, 2), by title.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, row = new_figure(1, len(panels), height=2.4, squeeze=False)
    for axes, (title, (points, labels, centers)) in zip(row[0], panels.items(), strict=True):
        points, labels = np.asarray(points), np.asarray(labels)
        for j, center in enumerate(np.asarray(centers)):
            color, marker = COLORS[j % len(COLORS)], MARKERS[j % len(MARKERS)]
            axes.scatter(*points[labels == j].T, s=9, color=color, marker=marker, linewidths=0)
            axes.plot(*center, "X", color=INK, markeredgecolor=PAPER, markersize=8, zorder=4)
        axes.set_title(title)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_aspect("equal")
    return figure


@styled
def directions(mean: ArrayLike, components: ArrayLike, shares: ArrayLike) -> Figure:
    """Draw the mean image, the first principal components, and how much variance they explain.

    Parameters
    ----------
    mean : array_like, shape (height, width)
        Ink from 0 to 1.
    components : array_like, shape (m, height, width)
        Blue where a component adds ink, vermilion and hatched where it takes ink away.
    shares : array_like, shape (d,)
        The share of the variance along each component, largest first.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (left, right) = new_figure(1, 2, height=2.6, width_ratios=[1.25, 1])
    components = np.asarray(components)
    columns = (len(components) + 2) // 2
    _picture(left, mean, (0, 0))
    left.text(0.5, 1.13, "mean", ha="center", va="center", fontsize=9)
    for j, component in enumerate(components, start=1):
        row, column = divmod(j, columns)
        corner = 1.12 * column, 1.38 * row
        _signed_picture(left, component, corner)
        text = f"{np.asarray(shares)[j - 1]:.0%}"
        left.text(corner[0] + 0.5, corner[1] + 1.13, text, ha="center", va="center", fontsize=9)
    _bare(left, 1.12 * columns - 0.1, 2.65)
    left.set_title("Mean and first components")
    total = np.concatenate([[0], np.cumsum(shares)])
    right.plot(np.arange(len(total)), total, color=COLORS[0], marker="o", markersize=2.5)
    for share in (0.5, 0.9):
        right.axhline(share, color=MUTED, linestyle=":", linewidth=1.2)
    right.set_ylim(0, 1.02)
    right.set_xlim(0, len(total) - 1)
    right.set_xlabel("number of components")
    right.set_ylabel("share of the variance")
    right.set_title("Explained together")
    return figure


@styled
def autoencoder(image: ArrayLike, code: ArrayLike, rebuilt: ArrayLike) -> Figure:
    """Draw an autoencoder with a sample on its way: image, encoder, code, decoder, image.

    Parameters
    ----------
    image, rebuilt : array_like, shape (height, width)
        Ink from 0 to 1.
    code : array_like, shape (m,)
        The numbers in the middle.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=2.5)
    drawings.blank(axes, 6.84, 2.34)
    middle, side, cell = 1.35, 1.2, 0.2
    shown = [f"{number:.1f}".replace("-", "−") for number in np.asarray(code)]
    for x, picture, name in ((0.65, image, "input"), (6.19, rebuilt, "output")):
        _picture(axes, picture, (x - side / 2, middle + side / 2), side=side, down=False)
        drawings.label(axes, (x, middle + side / 2 + 0.16), name, bold=True)
        drawings.label(
            axes, (x, middle - side / 2 - 0.14), f"{np.size(picture)} numbers", size=9, color=MUTED
        )
    tall = cell * len(shown)
    for (x0, x1), text, (high, low) in (
        ((1.75, 2.75), "encoder", (side, tall)),
        ((4.09, 5.09), "decoder", (tall, side)),
    ):
        corners = [(x0, high / 2), (x1, low / 2), (x1, -low / 2), (x0, -high / 2)]
        axes.add_patch(
            Polygon(
                [(x, middle + y) for x, y in corners],
                facecolor=PAPER,
                edgecolor=COLORS[0],
                linewidth=1.8,
            )
        )
        drawings.label(axes, ((x0 + x1) / 2, middle), text, bold=True)
    top = middle + tall / 2
    for k, number in enumerate(shown):
        y = top - cell * (k + 0.5)
        axes.add_patch(
            Rectangle(
                (3.16, y - cell / 2), 0.52, cell, facecolor=PAPER, edgecolor=INK, linewidth=1.2
            )
        )
        drawings.label(axes, (3.42, y), number, size=9)
    drawings.label(axes, (3.42, middle + side / 2 + 0.16), "code", bold=True)
    drawings.label(
        axes, (3.42, middle - side / 2 - 0.14), f"{len(shown)} numbers", size=9, color=MUTED
    )
    for start, end in ((1.3, 1.72), (2.78, 3.13), (3.71, 4.06), (5.12, 5.54)):
        drawings.arrow(axes, (start, middle), (end, middle))
    loss = drawings.box(axes, (3.42, 0.24), "loss", width=0.9)
    for x, end in ((0.65, loss.left), (6.19, loss.right)):
        axes.plot([x, x], [middle - side / 2 - 0.3, 0.24], color=MUTED, linestyle="-", lw=1.4)
        drawings.arrow(axes, (x, 0.24), end)
    return figure


@styled
def maps(panels: Mapping[str, tuple[NDArray[np.float64], ArrayLike]]) -> Figure:
    """Draw samples at their two-number codes, each as the digit that it shows.

    Parameters
    ----------
    panels : mapping of str to (codes, digits)
        Arrays of shape (n, 2) and (n,), by title.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, row = new_figure(1, len(panels), height=3.7, squeeze=False)
    for axes, (title, (codes, digits)) in zip(row[0], panels.items(), strict=True):
        digits = np.asarray(digits)
        for digit in np.unique(digits):
            axes.scatter(
                *codes[digits == digit].T,
                s=26,
                color=COLORS[int(digit) % len(COLORS)],
                marker=_numeral(int(digit)),
                linewidths=0,
            )
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.set_title(title)
        axes.set_xlabel("first number of the code")
        axes.set_ylabel("second number of the code")
    return figure


@styled
def strangers(
    errors: Mapping[str, ArrayLike],
    threshold: float,
    sizes: ArrayLike,
    curves: Sequence[ArrayLike],
    points: Mapping[str, tuple[float, ArrayLike]],
) -> Figure:
    """Draw reconstruction errors with a threshold, and how detection depends on the code's size.

    Parameters
    ----------
    errors : mapping of str to array_like
        Errors of the normal samples and of the strangers, by name.
    threshold : float
    sizes : array_like of int, shape (m,)
        Sizes of PCA's code.
    curves : sequence of array_like, shape (m,)
        The AUROC of PCA at each, a curve for each split.
    points : mapping of str to (size, array_like of shape (splits,))
        Other detectors: the size of their code and their AUROC on each split.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (left, right) = new_figure(1, 2, height=3.1)
    longest = max(np.max(values) for values in errors.values())
    edges = np.linspace(0, longest, 19)
    for color, hatch, (name, values) in zip(COLORS, ("", "////"), errors.items(), strict=False):
        weights = np.full(len(values), 100 / len(values))
        left.hist(
            values,
            edges,
            weights=weights,
            color=color,
            alpha=0.45,
            hatch=hatch,
            edgecolor=color,
            label=name,
        )
    left.axvline(threshold, color=INK, linestyle="--", linewidth=1.4, label="threshold")
    left.set_xlabel("reconstruction error")
    left.set_ylabel("percent of each kind")
    left.set_title("Errors of the autoencoder")
    left.legend(loc="upper right")
    for number, curve in enumerate(curves):
        right.plot(
            sizes,
            curve,
            color=COLORS[0],
            linestyle="-",
            linewidth=1.3,
            marker="o",
            markersize=2.5,
            label="PCA" if not number else None,
        )
    for color, marker, (name, (size, values)) in zip(
        COLORS[1:], MARKERS[1:], points.items(), strict=False
    ):
        right.plot(
            np.full(len(values), size),
            values,
            marker,
            color=color,
            markersize=6,
            linestyle="none",
            label=name,
        )
    right.axhline(0.5, color=MUTED, linestyle=":", linewidth=1.2)
    right.set_ylim(0, 1.02)
    right.set_xlabel("numbers in the code")
    right.set_ylabel("AUROC")
    right.set_title("Finding the strangers")
    right.legend(loc=(0.14, 0.04))
    return figure


@styled
def topics(table: NDArray[np.int64], chapters: Sequence[str], words: Sequence[str]) -> Figure:
    """Draw how many paragraphs of each chapter belong to each topic.

    Parameters
    ----------
    table : ndarray of int, shape (topics, chapters)
        The larger a count, the larger the area of its rectangle; the largest of each row stands
        out and, like other large ones, is written down.
    chapters : sequence of str
        A name for each column.
    words : sequence of str
        The most telling words of each topic.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=4.2)
    most = table.max()
    for (row, column), count in np.ndenumerate(table):
        if not count:
            continue
        side = 0.92 * np.sqrt(count / most)
        color = COLORS[0] if count == table[row].max() else MUTED
        corner = column - side / 2, row - side / 2
        axes.add_patch(Rectangle(corner, side, side, facecolor=color, edgecolor="none", zorder=2))
        if side > 0.54:
            axes.text(column, row, count, ha="center", va="center", color=PAPER, fontsize=9)
    axes.set_xlim(-0.5, len(chapters) - 0.5)
    axes.set_ylim(len(words) - 0.5, -0.5)
    axes.set_xticks(range(len(chapters)), chapters, rotation=40, ha="right")
    axes.set_yticks(range(len(words)), words)
    return figure


@styled
def segments(
    photograph: NDArray[np.float64],
    panels: Mapping[str, NDArray[np.int64]],
    boxes: Mapping[str, tuple[int, int, int, int]],
) -> Figure:
    """Draw a photograph, and the segments that it was cut into.

    Parameters
    ----------
    photograph : ndarray, shape (height, width, 3)
        Colors from 0 to 1.
    panels : mapping of str to ndarray of int, shape (height, width)
        The segment of each pixel, by title; at most five segments. The darker a segment is in the
        photograph, the darker it is drawn.
    boxes : mapping of str to (top, bottom, left, right)
        Regions to mark, by name.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, grid = new_figure(2, (len(panels) + 2) // 2, height=4.9)
    cells = list(np.ravel(grid))
    cells[0].imshow(photograph)
    cells[0].set_title("Photograph")
    for axes, (title, labels) in zip(cells[1:], panels.items(), strict=False):
        kinds = np.unique(labels)
        brightness = [photograph[labels == kind].mean() for kind in kinds]
        paint = np.zeros(photograph.shape)
        for kind, color in zip(kinds[np.argsort(brightness)], _SEGMENTS, strict=False):
            paint[labels == kind] = color
        axes.imshow(paint, interpolation="nearest")
        axes.set_title(title)
    for axes in cells:
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_frame_on(False)
        axes.grid(visible=False)
        for name, (top, bottom, left, right) in boxes.items():
            corner = left - 0.5, top - 0.5
            size = right - left, bottom - top
            axes.add_patch(Rectangle(corner, *size, fill=False, edgecolor="white", linewidth=2.6))
            axes.add_patch(Rectangle(corner, *size, fill=False, edgecolor="black", linewidth=1.0))
            if axes is cells[0]:
                axes.text(
                    left + 2,
                    top + 2,
                    name,
                    color="white",
                    fontsize=9,
                    fontweight="bold",
                    va="top",
                )
    return figure


#: From dark to bright, for segments: every two differ in lightness, so no hue has to be told.
_SEGMENTS = tuple(
    np.array(color) / 255
    for color in ((20, 30, 75), (165, 50, 35), (60, 150, 140), (240, 190, 80), (250, 245, 225))
)


def _picture(
    axes: Axes, image: ArrayLike, corner: tuple[float, float], side: float = 1, down: bool = True
) -> None:
    """Put an image with ink from 0 to 1 at its upper left corner; `down` if y grows downwards."""
    (x, y), below = corner, side if down else -side
    look: dict[str, Any] = {"cmap": "gray_r", "vmin": 0, "vmax": 1, "zorder": 2}
    axes.imshow(np.asarray(image), extent=(x, x + side, y + below, y), **look)
    outline = {"fill": False, "edgecolor": GRID, "linewidth": 0.8, "zorder": 3}
    axes.add_patch(Rectangle((x, y), side, below, **outline))


def _signed_picture(axes: Axes, image: ArrayLike, corner: tuple[float, float]) -> None:
    """Put an image of numbers of both signs: the deeper a pixel, the larger its number."""
    image, (x, y) = np.asarray(image), corner
    height, width = image.shape
    largest = np.abs(image).max() or 1.0
    pixels, strokes = [], []
    for i, j in np.ndindex(image.shape):
        left, top = x + j / width, y + i / height
        pixels.append(Rectangle((left, top), 1 / width, 1 / height))
        if image[i, j] < -0.25 * largest:
            strokes.append([(left, top + 1 / height), (left + 1 / width, top)])
    colors = [COLORS[0] if value > 0 else COLORS[1] for value in image.ravel()]
    shades = np.abs(image).ravel() / largest
    filled = PatchCollection(pixels, facecolors=colors, alpha=shades, edgecolors="none", zorder=2)
    axes.add_collection(filled)
    axes.add_collection(LineCollection(strokes, colors=INK, linewidths=0.5, zorder=3))
    outline = {"fill": False, "edgecolor": GRID, "linewidth": 0.8, "zorder": 3}
    axes.add_patch(Rectangle((x, y), 1, 1, **outline))


def _numeral(digit: int) -> Any:
    """Return a digit as the outline of a marker, around its own middle."""
    path = TextPath((0, 0), str(digit), size=1)
    box = path.get_extents()
    middle = Affine2D().translate(-(box.x0 + box.x1) / 2, -(box.y0 + box.y1) / 2)
    return path.transformed(middle)


def _bare(axes: Axes, width: float, height: float) -> None:
    """Leave nothing of the axes but what is in them, y growing downwards from 0."""
    axes.set_axis_off()
    axes.set_xlim(-0.02, width + 0.02)
    axes.set_ylim(height + 0.02, -0.02)
    axes.set_aspect("equal")
