"""Draw the figures of the chapter *Forward propagation*."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from course_lib.plotting.neurons import squares
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

__all__ = ["best_answers", "from_image_to_error", "saturation", "surprise"]

WIDTH = 5.8  # inches: narrow enough for the letters to stay legible on a phone


@styled
def from_image_to_error(
    images: ArrayLike,
    logits: ArrayLike,
    probabilities: ArrayLike,
    labels: ArrayLike,
    bits: ArrayLike,
) -> Figure:
    """Draw what becomes of a few images on the way from pixels to an error, one image a row.

    Parameters
    ----------
    images : array_like, shape (n, height, width)
        Ink from 0 to 1.
    logits, probabilities : array_like, shape (n, k)
        What the network says about each image, and its softmax.
    labels : array_like of int, shape (n,)
        The right classes.
    bits : array_like, shape (n,)
        The surprise at the right class.

    Returns
    -------
    matplotlib.figure.Figure
    """
    images, logits, probabilities, labels, bits = map(
        np.asarray, (images, logits, probabilities, labels, bits)
    )
    n, k = logits.shape
    figure, panels = new_figure(
        n,
        4,
        width=7.0,
        height=1.15 * n + 0.75,
        sharex="col",
        width_ratios=(1, 1.9, 1.9, 1.6),
    )
    for row, image, z, p, y, surprised in zip(
        np.reshape(panels, (n, 4)), images, logits, probabilities, labels, bits, strict=True
    ):
        squares(row[0], image)
        row[0].set_ylabel(f"a {y}", rotation=0, ha="right", va="center", fontweight="bold")
        _bars(row[1], z, y)
        _bars(row[2], p, y)
        row[1].set_ylim(1.08 * min(logits.min(), 0), 1.08 * max(logits.max(), 0))
        row[2].set_ylim(0, 1.05)
        row[2].set_yticks([0, 0.5, 1], ["0", "½", "1"])
        row[3].barh([0], [surprised], height=0.5, color=COLORS[1])
        row[3].annotate(
            f"{surprised:.2f}",
            (surprised, 0),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontweight="bold",
        )
        row[3].set_ylim(-0.7, 0.7)
        row[3].set_yticks([])
        row[3].set_xlim(0, 1.6 * max(bits.max(), 1e-12))
    first, last = np.reshape(panels, (n, 4))[[0, -1]]
    for axes, title in zip(first, ("pixels", "logits", "probabilities", "surprise"), strict=True):
        axes.set_title(title)
    for axes in last[1:3]:
        axes.set_xticks(range(k))
        axes.set_xlabel("class")
    last[3].set_xlabel("bits")
    return figure


def _bars(axes: Axes, heights: np.ndarray, right: int) -> None:
    """Draw a bar for each class; the right one is filled and carries a mark."""
    for j, height in enumerate(heights):
        color = COLORS[0] if j == right else MUTED
        axes.bar([j], [height], color=color, alpha=1.0 if j == right else 0.55)
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.plot([right], [0], "^", color=COLORS[0], markersize=6, clip_on=False, zorder=5)
    axes.set_xlim(-0.7, len(heights) - 0.3)
    axes.grid(visible=False, axis="x")


@styled
def surprise(belief: Mapping[str, float]) -> Figure:
    """Draw a guessing game of yes and no, and the curve that its questions lie on.

    Parameters
    ----------
    belief : mapping of str to float
        What may turn out, and how likely it is: 1/2, 1/4, and so on, each half of what is left,
        and the last two equal. Each question asks for one of them.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (game, curve) = new_figure(
        1, 2, width=7.0, height=3.7, sharey=True, width_ratios=(1.6, 1)
    )
    names, shares = list(belief), np.array(list(belief.values()), dtype=float)
    depths = -np.log2(shares)
    starts = np.concatenate([[0.0], np.cumsum(shares)[:-1]])
    _cell(game, 0.0, 1.0, 0.0, "anything", None)
    for i, (name, share, depth, start) in enumerate(
        zip(names, shares, depths, starts, strict=True)
    ):
        _cell(game, start, share, depth, name, COLORS[i % len(COLORS)])
        if i < len(names) - 2:
            rest = start + share
            others = "neither" if i else f"not {name}"
            _cell(game, rest, 1 - rest, depth, others, None)
        if i < len(names) - 1:
            game.text(
                start + share,
                depth - 0.5,
                f"{name}?",
                ha="center",
                va="center",
                fontsize=9.5,
                style="italic",
                color=INK,
            )
    game.set_xlim(-0.02, 1.02)
    game.set_xticks([0, 0.5, 1], ["0", "½", "1"])
    game.set_xlabel("share of the belief")
    game.set_ylabel("questions, or bits")
    game.set_title("A game of halves")
    game.grid(visible=False)

    p = np.linspace(0.03, 1, 300)
    curve.plot(p, -np.log2(p), color=INK, linestyle="-")
    for i, (name, share, depth) in enumerate(zip(names, shares, depths, strict=True)):
        if name == names[-1] and share == shares[-2]:
            continue  # the same point as the one before
        curve.plot([share], [depth], MARKERS[i], color=COLORS[i % len(COLORS)], markersize=8)
        label = f"{name}, {names[-1]}" if share == shares[-1] else name
        curve.annotate(
            label,
            (share, depth),
            xytext=(9, 3),
            textcoords="offset points",
            color=COLORS[i % len(COLORS)],
            fontweight="bold",
        )
    curve.set_title("−log₂ p")
    curve.set_xlabel("probability p")
    curve.set_xlim(0, 1.04)
    curve.set_xticks([0, 0.25, 0.5, 1], ["0", "¼", "½", "1"])
    curve.set_ylim(-0.4, 5.1)
    nats = curve.secondary_yaxis(
        "right", functions=(lambda bits: bits * np.log(2), lambda nats: nats / np.log(2))
    )
    nats.set_ylabel("nats")
    return figure


def _cell(
    axes: Axes, left: float, width: float, depth: float, name: str, color: str | None
) -> None:
    """Draw one possible state of the game as a box as wide as its probability."""
    axes.add_patch(
        Rectangle(
            (left, depth - 0.24),
            width,
            0.48,
            facecolor=color or MUTED,
            edgecolor=PAPER,
            linewidth=1.5,
            alpha=1.0 if color else 0.25,
        )
    )
    axes.text(
        left + width / 2,
        depth,
        name,
        ha="center",
        va="center",
        fontsize=9.5,
        color=PAPER if color else INK,
        fontweight="bold" if color else "normal",
    )


@styled
def best_answers(
    measured: ArrayLike, answers: ArrayLike, losses: Mapping[str, ArrayLike]
) -> Figure:
    """Draw measurements, and which answer to them each of some losses likes best.

    Parameters
    ----------
    measured : array_like, shape (n,)
        In meters.
    answers : array_like, shape (m,)
        Answers that were tried, in ascending order.
    losses : mapping of str to array_like, shape (m,)
        Name of a loss, and its mean over the measurements for each answer, above 0.

    Returns
    -------
    matplotlib.figure.Figure
    """
    measured, answers = np.sort(measured), np.asarray(answers)
    figure, (dots, curves) = new_figure(
        2, 1, width=WIDTH, height=4.4, sharex=True, height_ratios=(1, 2.6)
    )
    _, first, counts = np.unique(measured.round(6), return_index=True, return_counts=True)
    heights = np.arange(len(measured)) - np.repeat(first, counts)  # equal ones on top of each other
    dots.plot(measured, heights, "o", color=INK, markersize=5, mec=PAPER, mew=0.8, zorder=3)
    dots.set_ylim(-0.7, max(heights.max() + 0.7, 2))
    dots.set_yticks([])
    dots.grid(visible=False)
    dots.spines["left"].set_visible(False)
    dots.set_title("Measurements")
    for color, style, marker, (name, loss) in zip(
        COLORS, LINE_STYLES, MARKERS, losses.items(), strict=False
    ):
        shares = np.asarray(loss) / np.min(loss)
        best = answers[shares.argmin()]
        curves.plot(answers, shares, color=color, linestyle=style, label=name)
        for axes in (dots, curves):
            axes.axvline(best, color=color, linestyle=style, linewidth=1, alpha=0.6, zorder=0.5)
        curves.plot([best], [1], marker, color=color, markersize=8, zorder=4)
    curves.legend(loc="lower right")  # below 1 there is nothing, as 1 is the least
    curves.set_ylim(0, 5)
    curves.set_title("Mean loss")
    curves.set_xlabel("answer, in meters")
    curves.set_ylabel("multiples of its least")
    return figure


@styled
def saturation(
    z: ArrayLike,
    slopes: Mapping[str, ArrayLike],
    starts: ArrayLike,
    steps: Mapping[str, ArrayLike],
) -> Figure:
    """Draw how loudly two losses complain, and how long a network takes that starts out wrong.

    Parameters
    ----------
    z : array_like, shape (m,)
        Pre-activations of a sigmoid whose right answer is 1.
    slopes : mapping of str to array_like, shape (m,)
        Name of a loss, and the size of its slope at `z`; at most two.
    starts : array_like, shape (s,)
        What was added to the bias of the output before training.
    steps : mapping of str to array_like, shape (seeds, s)
        Name of a way to train, and how many steps it took; the median is drawn, and a band over
        the range.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (upper, lower) = new_figure(2, 1, width=WIDTH, height=5.9, height_ratios=(1, 1.35))
    z, starts = np.asarray(z), np.asarray(starts)
    for color, style, (name, slope), place in zip(
        COLORS, LINE_STYLES, slopes.items(), (0.28, 0.2), strict=False
    ):
        slope = np.asarray(slope)
        upper.plot(z, slope, color=color, linestyle=style)
        at = int(place * len(z))
        upper.annotate(
            name,
            (z[at], slope[at]),
            xytext=(0, 9),
            textcoords="offset points",
            ha="center",
            va="bottom",
            color=color,
            fontweight="bold",
        )
    upper.set_ylim(-0.03, 1.24)
    upper.set_title("Slope of the loss, where the right answer is 1")
    upper.set_xlabel("pre-activation z")
    upper.set_ylabel("size of the slope")

    ends = []
    for color, style, marker, (name, runs) in zip(
        COLORS, LINE_STYLES, MARKERS, steps.items(), strict=False
    ):
        runs = np.atleast_2d(runs)
        middle = np.median(runs, axis=0)
        lower.fill_between(
            starts, runs.min(axis=0), runs.max(axis=0), color=color, alpha=0.18, linewidth=0
        )
        lower.plot(starts, middle, color=color, linestyle=style, marker=marker)
        ends.append((middle[-1], name, color))
    logarithmic(lower.yaxis)
    low, high = lower.get_ylim()
    below = -np.inf
    for end, name, color in sorted(ends):
        # Names stand behind their lines, and at least a line of text apart.
        below = max(np.log(end), below + 0.085 * np.log(high / low))
        lower.annotate(
            name,
            (starts[-1], np.exp(below)),
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
            color=color,
            fontweight="bold",
            fontsize=9.5,
        )
    span = np.ptp(starts)
    direction = np.sign(starts[-1] - starts[0])
    lower.set_xlim(starts[0] - 0.05 * span * direction, starts[-1] + 0.62 * span * direction)
    lower.set_xticks(starts, [f"{start:g}".replace("-", "−") for start in starts])
    lower.set_yticks([10, 30, 100, 300, 1000], ["10", "30", "100", "300", "1,000"])
    lower.set_ylim(low, high)
    lower.set_title("Steps until nine in ten are right")
    lower.set_xlabel("bias of the output at the start")
    lower.set_ylabel("steps")
    return figure
