"""Figures of the chapter *Data*."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from course_lib.plotting.drawings import arrow, blank, box, label
from course_lib.plotting.style import (
    COLORS,
    INK,
    LINE_STYLES,
    MARKERS,
    MUTED,
    PAPER,
    new_figure,
    styled,
)

__all__ = [
    "buffers",
    "four_tensors",
    "label_curves",
    "noise",
    "operating_points",
    "optimism",
    "pipeline",
]


@styled
def pipeline() -> Figure:
    """Draw how samples travel from a sorted file to the network.

    Returns
    -------
    matplotlib.figure.Figure
    """
    width, height = 7.0, 2.45
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    size, top = 0.23, 1.95
    middle = top - 1.5 * size
    label(axes, (0.62, 2.32), "shards on disk", bold=True)
    for row, digit in enumerate(("0", "1", "2", "3")):
        _cells(axes, (0.16, top - 0.36 * row), [digit] * 4, size)
    label(axes, (0.62, 0.4), "memory-mapped,\nsorted by class", size=9, color=MUTED)

    label(axes, (2.75, 2.32), "shuffle buffer", bold=True)
    for row, digits in enumerate(("2013", "3102", "1203", "0321")):
        marked = {2} if row == 1 else set()
        _cells(axes, (2.29, top - size * row), list(digits), size, marked)
    label(axes, (2.75, 0.83), "as large as\nmemory allows", size=9, color=MUTED)

    label(axes, (4.85, 2.32), "batch", bold=True)
    _cells(axes, (4.27, middle), list("31020"), size)
    label(axes, (4.85, 1.12), "(5, …) samples\n(5,) labels", size=9, color=MUTED)
    network = box(axes, (6.42, middle), "network", width=0.95)

    arrow(axes, (1.2, middle), (2.22, middle), "a row comes")
    arrow(axes, (3.28, middle), (4.2, middle), "one leaves")
    arrow(axes, (5.5, middle), network)
    label(axes, (1.71, 1.2), "and takes the\nfreed place", size=9, color=MUTED)
    label(axes, (3.74, 1.2), "drawn at\nrandom", size=9, color=MUTED)
    return figure


@styled
def four_tensors(
    table: tuple[Sequence[str], Sequence[str], ArrayLike],
    note: tuple[str, Sequence[str], Sequence[int]],
    wave: tuple[ArrayLike, ArrayLike, float],
    picture: ArrayLike,
) -> Figure:
    """Draw four raw things, and the tensor that each becomes.

    Parameters
    ----------
    table : (lines, names, values)
        Lines of a table as they were written, the columns that they become by name, and the
        values of these, shape (rows, columns).
    note : (text, words, numbers)
        A note, its words with padding, and the number of each.
    wave : (samples, frames, rate)
        A waveform (n,), its frames (m, width), and how many samples a second has.
    picture : array_like of uint8, shape (height, width)

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(
        4, 2, height=6.8, width_ratios=[1, 1.25], height_ratios=[1, 0.3, 1.2, 1.2]
    )
    # The places are known: finding them anew for a hundred texts takes seconds.
    figure.set_layout_engine(None)
    figure.subplots_adjust(0.08, 0.02, 0.99, 0.92, wspace=0.13, hspace=0.72)
    lines, columns, values = table
    for panel in axes[[0, 1], 0]:
        panel.set_axis_off()
    axes[0, 0].set_title("Rows of a table")
    axes[0, 0].text(0, 0.9, "\n".join(lines), va="top", family="DejaVu Sans Mono", fontsize=9.5)
    _numbers(axes[0, 1], np.asarray(values), "{:.1f}")
    axes[0, 1].set_title("numbers, {} by {}".format(*np.shape(values)), pad=18)
    for column, name in enumerate(columns):
        axes[0, 1].text(column, -0.65, name, ha="center", va="bottom", fontsize=9, color=MUTED)

    text, words, numbers = note
    axes[1, 0].set_title("A note")
    axes[1, 0].text(0, 0.8, text, va="top", family="DejaVu Sans Mono", fontsize=9.5)
    _numbers(axes[1, 1], np.asarray(numbers)[np.newaxis], "{:.0f}")
    for column, word in enumerate(words):
        axes[1, 1].text(
            column, -0.62, word, ha="center", va="bottom", fontsize=9, color=MUTED, rotation=35
        )
    axes[1, 1].set_title(f"numbers of words, padded to {len(numbers)}", pad=32)

    samples, frames, rate = wave
    samples, frames = np.asarray(samples), np.asarray(frames)
    axes[2, 0].plot(np.arange(len(samples)) / rate, samples, linewidth=1)
    axes[2, 0].set(title="A waveform", xlabel="time (s)", ylabel="movement", yticks=[])
    axes[2, 1].imshow(frames, aspect="auto", cmap="gray", interpolation="nearest")
    axes[2, 1].set(
        title="frames, {} by {}".format(*frames.shape),
        xlabel="sample in the frame",
        ylabel="frame",
        yticks=range(0, len(frames), 2),
    )
    axes[2, 1].grid(visible=False)

    image = np.asarray(picture)
    axes[3, 0].imshow(image, cmap="gray", vmin=0, vmax=255)
    axes[3, 0].set(title="A picture", xticks=[], yticks=[])
    axes[3, 0].grid(visible=False)
    corner = image[2:6, 2:8] / 255
    _numbers(axes[3, 1], corner, "{:.2f}")
    axes[3, 1].set_title("bytes / 255, {} by {} (a corner)".format(*image.shape))
    return figure


@styled
def buffers(
    seen: Mapping[str, ArrayLike],
    share: ArrayLike,
    accuracy: ArrayLike,
    reference: float,
) -> Figure:
    """Draw what classes the batches hold, and what a network learns from them.

    Parameters
    ----------
    seen : mapping of str to array_like, shape (batches, classes)
        How many samples of each class were in each batch, by a title.
    share : array_like, shape (k,)
        Size of the buffer as a share of the data.
    accuracy : array_like, shape (seeds, k)
        What was learned with each.
    reference : float
        Mean accuracy after training in random order.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = new_figure(height=3.7)[0]
    figure.clear()
    figure.set_layout_engine(None)
    grid = figure.add_gridspec(
        len(seen), 2, width_ratios=[1.2, 1], left=0.06, right=0.985, bottom=0.13, top=0.94,
        wspace=0.2, hspace=0.5,
    )  # fmt: skip
    first = None
    for row, (title, counts) in enumerate(seen.items()):
        panel = figure.add_subplot(grid[row, 0], sharex=first)
        first = first or panel
        counts = np.asarray(counts)
        panel.imshow(counts.T, aspect="auto", cmap="Blues", interpolation="nearest")
        panel.set_title(title)
        panel.set(yticks=[0, 9], ylabel="digit")
        panel.grid(visible=False)
        if row < len(seen) - 1:
            panel.tick_params(labelbottom=False)
    panel.set_xlabel("batch")
    panel = figure.add_subplot(grid[:, 1])
    share, accuracy = np.asarray(share), np.asarray(accuracy)
    panel.plot(share * 100, accuracy.mean(axis=0) * 100, color=COLORS[0], marker="o")
    for line in accuracy:
        panel.plot(share * 100, line * 100, "o", color=COLORS[0], markersize=3, alpha=0.6)
    panel.axhline(
        reference * 100, color=MUTED, linestyle=":", linewidth=1.4, label="random order, in memory"
    )
    panel.set(
        title="What is learned",
        xlabel="buffer (% of the data)",
        ylabel="right on validation (%)",
        ylim=(0, 100),
    )
    panel.legend(loc="lower right")
    return figure


@styled
def noise(shares: ArrayLike, curves: Mapping[str, ArrayLike]) -> Figure:
    """Draw test accuracy against the share of wrong labels.

    Parameters
    ----------
    shares : array_like, shape (k,)
    curves : mapping of str to array_like, shape (seeds, k)
        Accuracies by what was done about it.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.1)
    x = 100 * np.asarray(shares)
    for (name, values), color, style, marker in zip(
        curves.items(), COLORS, LINE_STYLES, MARKERS, strict=False
    ):
        values = 100 * np.asarray(values)
        axes.plot(x, values.mean(axis=0), color=color, linestyle=style, marker=marker, label=name)
        axes.fill_between(
            x, values.min(axis=0), values.max(axis=0), color=color, alpha=0.15, linewidth=0
        )
    axes.set(xlabel="wrong labels in training (%)", ylabel="right on the test set (%)", xticks=x)
    axes.legend(loc="lower left")
    return figure


@styled
def operating_points(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]],
    points: Mapping[str, tuple[float, float]],
    base: float,
) -> Figure:
    """Draw precision against recall, and where a threshold puts each model.

    Parameters
    ----------
    curves : mapping of str to (recall, precision)
        At all thresholds, by model.
    points : mapping of str to (recall, precision)
        At the threshold of one half, for the same models.
    base : float
        The share of positives: the precision of guessing.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.3)
    for (name, (recall, precision)), color, style, marker in zip(
        curves.items(), COLORS, LINE_STYLES, MARKERS, strict=False
    ):
        axes.plot(recall, precision, color=color, linestyle=style, label=name)
        axes.plot(
            *points[name],
            marker=marker,
            color=color,
            markersize=10,
            markeredgecolor=PAPER,
            linestyle="none",
            label=f"{name}, threshold ½",
            zorder=4,
        )
    axes.axhline(base, color=MUTED, linestyle=":", linewidth=1.2, label="guessing")
    axes.set(
        xlabel="recall: share of the eights that are found",
        ylabel="precision",
        xlim=(0, 1.02),
        ylim=(0, 1.04),
    )
    axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5))
    return figure


@styled
def optimism(reported: Mapping[str, ArrayLike], true: Mapping[str, ArrayLike]) -> Figure:
    """Draw what a split reports beside what turns out, a line for each repetition.

    Parameters
    ----------
    reported, true : mapping of str to array_like, shape (seeds,)
        Accuracies by the way of splitting, on its test set and on new people.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, grid = new_figure(1, len(reported), height=2.7, sharey=True)
    for axes, name, color, marker in zip(grid, reported, COLORS, MARKERS, strict=False):
        pairs = 100 * np.stack([np.asarray(reported[name]), np.asarray(true[name])])
        axes.plot([0, 1], pairs, color=color, linestyle="-", marker=marker, alpha=0.55, linewidth=1)
        axes.plot([0, 1], pairs.mean(axis=1), color=INK, linestyle="--", marker="_", markersize=14)
        axes.set(title=name, xticks=[0, 1], xlim=(-0.35, 1.35), ylim=(45, 102))
        axes.set_xticklabels(["its test set", "new people"])
    grid[0].set_ylabel("right (%)")
    return figure


@styled
def label_curves(labels: ArrayLike, curves: Mapping[str, ArrayLike]) -> Figure:
    """Draw accuracy against how many labels were paid for.

    Parameters
    ----------
    labels : array_like, shape (k,)
    curves : mapping of str to array_like, shape (seeds, k)
        Accuracies by the way of choosing.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.1)
    for (name, values), color, style, marker in zip(
        curves.items(), COLORS, LINE_STYLES, MARKERS, strict=False
    ):
        values = 100 * np.asarray(values)
        axes.plot(labels, values.T, color=color, linestyle=style, alpha=0.3, linewidth=0.9)
        axes.plot(
            labels, values.mean(axis=0), color=color, linestyle=style, marker=marker, label=name
        )
    axes.set(xlabel="labeled digits", ylabel="right on the test set (%)")
    axes.legend(loc="lower right")
    return figure


def _cells(
    axes: Axes,
    corner: tuple[float, float],
    digits: Sequence[str],
    size: float,
    marked: set[int] = frozenset(),
) -> None:
    """Draw a row of samples, each with its class in it, from the upper left corner."""
    for column, digit in enumerate(digits):
        left, bottom = corner[0] + size * column, corner[1] - size / 2
        thick = column in marked
        axes.add_patch(
            Rectangle(
                (left, bottom),
                size,
                size,
                facecolor=COLORS[int(digit) % 4],
                alpha=0.28,
                edgecolor="none",
            )
        )
        axes.add_patch(
            Rectangle(
                (left, bottom),
                size,
                size,
                fill=False,
                edgecolor=INK,
                linewidth=2.2 if thick else 0.9,
                zorder=4 if thick else 3,
            )
        )
        label(axes, (left + size / 2, bottom + size / 2), digit, size=9.5)


def _numbers(axes: Axes, values: np.ndarray, form: str) -> None:
    """Draw a matrix as a grid of numbers."""
    rows, columns = values.shape
    for row in range(rows):
        for column in range(columns):
            text = form.format(values[row, column]).replace("-", "−")
            axes.text(column, row, text, ha="center", va="center", fontsize=9)
            axes.add_patch(
                Rectangle(
                    (column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor=MUTED, linewidth=0.8
                )
            )
    axes.set(xlim=(-0.6, columns - 0.4), ylim=(rows - 0.4, -0.6))
    axes.set_axis_off()
