"""Stills of the live parts: what paper shows, and a browser without scripts."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from course_lib.plotting.style import (
    COLORS,
    INK,
    LINE_STYLES,
    MUTED,
    PAPER,
    logarithmic,
    new_figure,
    styled,
)

__all__ = ["borders", "choices", "distances", "hinges", "maps", "reading", "spread"]


@styled
def borders(
    axis: ArrayLike, scores: Mapping[str, ArrayLike], points: ArrayLike, labels: ArrayLike
) -> Figure:
    """Draw which class networks see where in the plane.

    Parameters
    ----------
    axis : array_like, shape (k,)
        Coordinates along both axes.
    scores : mapping of str to array_like, shape (k, k)
        Name of a network, and its score at each place: above 0 it sees the second class.
    points : array_like, shape (n, 2)
    labels : array_like, shape (n,)
        0 or 1.

    Returns
    -------
    matplotlib.figure.Figure
    """
    points, labels = np.asarray(points), np.asarray(labels)
    figure, row = new_figure(1, len(scores), height=2.6)
    for axes, (name, score) in zip(row, scores.items(), strict=True):
        for side, color in ((-1, COLORS[0]), (1, COLORS[1])):
            axes.contourf(
                axis, axis, side * np.asarray(score), levels=[0, np.inf], colors=[color], alpha=0.2
            )
        for label, (color, marker) in enumerate(zip(COLORS, "os", strict=False)):
            axes.plot(*points[labels == label].T, marker, color=color, markersize=2)
        axes.set(aspect="equal", xticks=[], yticks=[])
        axes.set_title(name)
    return figure


@styled
def choices(panels: Mapping[str, tuple[Sequence[str], ArrayLike, int]]) -> Figure:
    """Draw the likeliest next tokens, and which of them may be drawn.

    Parameters
    ----------
    panels : mapping of str to (sequence of str, array_like of shape (n,), int)
        Title; the tokens and their probabilities, the largest first; how many are kept.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, row = new_figure(1, len(panels), height=2.6, sharex=True, sharey=True)
    for axes, (title, (names, p, kept)) in zip(row, panels.items(), strict=True):
        at = np.arange(len(names))
        colors = [COLORS[0] if k < kept else "none" for k in at]
        axes.barh(at, p, color=colors, edgecolor=[COLORS[0] if k < kept else MUTED for k in at])
        axes.set_title(title)
        axes.set_xlabel("probability")
        axes.set_yticks(at, names)
        axes.tick_params(axis="y", labelleft=True)
        axes.grid(visible=False, axis="y")
    row[0].invert_yaxis()
    return figure


@styled
def distances(runs: Mapping[str, ArrayLike], goal: float) -> Figure:
    """Draw how far several runs are from the bottom of a bowl, step by step.

    Parameters
    ----------
    runs : mapping of str to array_like, shape (steps + 1,)
        Name of a run, and its distance as a share of the first.
    goal : float
        The distance that counts as arrived.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.0)
    for color, style, (name, distance) in zip(COLORS, LINE_STYLES, runs.items(), strict=False):
        axes.plot(np.asarray(distance), color=color, linestyle=style, label=name, linewidth=1.5)
    axes.axhline(goal, color=MUTED, linewidth=0.8)
    logarithmic(axes.yaxis)
    axes.set_ylim(goal / 3, 3000)  # Room for the legend.
    axes.set_xlim(0, None)
    axes.set_xlabel("step")
    axes.set_ylabel("distance, share of the first")
    axes.legend(loc="upper right", ncols=2)
    return figure


@styled
def hinges(x: ArrayLike, target: ArrayLike, parts: ArrayLike, bias: float) -> Figure:
    """Draw hinges, their sum, and the curve that the sum is to follow.

    Parameters
    ----------
    x, target : array_like, shape (n,)
    parts : array_like, shape (n, units)
        Each unit's output times its weight.
    bias : float
        What the sum has where no unit is active.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.0)
    parts = np.asarray(parts)
    for number, part in enumerate(parts.T):
        name = "each hinge" if number == 0 else None
        axes.plot(x, part, color=COLORS[3], linestyle="-", linewidth=1.0, alpha=0.7, label=name)
    axes.plot(x, target, color=COLORS[1], linestyle="--", label="sine")
    axes.plot(x, parts.sum(axis=1) + bias, color=COLORS[0], linestyle="-", label="sum")
    axes.set_ylim(-2.2, 2.2)
    axes.set_xlim(np.min(x), np.max(x))
    axes.set_xlabel("$x$")
    axes.legend(loc="upper left", ncols=3)
    return figure


@styled
def maps(image: ArrayLike, results: Mapping[str, ArrayLike]) -> Figure:
    """Show a small image and what kernels make of it, plus in blue and minus in red.

    Parameters
    ----------
    image : array_like, shape (height, width)
        From 0 to 1.
    results : mapping of str to array_like, shape (height', width')

    Returns
    -------
    matplotlib.figure.Figure
    """
    image = np.asarray(image)
    figure, row = new_figure(1, 1 + len(results), height=2.0)
    panels = {"image": image, **results}
    for axes, (name, values) in zip(row, panels.items(), strict=True):
        values = np.asarray(values, dtype=float)
        most = np.abs(values).max()
        for (i, j), value in np.ndenumerate(values):
            color = INK if name == "image" else COLORS[1] if value < 0 else COLORS[0]
            axes.add_patch(
                Rectangle((j, i), 1, 1, facecolor=color, alpha=abs(value) / most, edgecolor="none")
            )
            if name != "image" and value < -0.15 * most:
                axes.plot([j + 0.3, j + 0.7], [i + 0.5] * 2, color=PAPER, linestyle="-")
        height, width = values.shape
        axes.set(xlim=(0, image.shape[1]), ylim=(image.shape[0], 0), aspect="equal")
        axes.add_patch(Rectangle((0, 0), width, height, fill=False, edgecolor=MUTED))
        axes.set_title(name)
        axes.set_axis_off()
    return figure


@styled
def reading(image: ArrayLike, hidden: Sequence[ArrayLike], probabilities: ArrayLike) -> Figure:
    """Draw an image, the activations of hidden layers, and what the network makes of them.

    Parameters
    ----------
    image : array_like, shape (height, width)
        Ink from 0 to 1.
    hidden : sequence of array_like, shape (units,)
    probabilities : array_like, shape (classes,)

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (left, middle, right) = new_figure(1, 3, height=2.3, width_ratios=(1, 1.6, 1.6))

    def cells(axes: Axes, values: np.ndarray, top: float = 0) -> None:
        for (i, j), value in np.ndenumerate(values):
            place = (j, top + i)
            axes.add_patch(Rectangle(place, 1, 1, facecolor=INK, alpha=value, edgecolor="none"))
        height, width = values.shape
        axes.add_patch(
            Rectangle((0, top), width, height, fill=False, edgecolor=MUTED, clip_on=False)
        )

    image = np.asarray(image)
    cells(left, image)
    left.set(xlim=(0, image.shape[1]), ylim=(image.shape[0], 0), aspect="equal", title="image")
    left.set_axis_off()
    rows = np.array([np.asarray(values) / np.max(values) for values in hidden])
    for number, row in enumerate(rows):
        cells(middle, row.reshape(2, -1), top=3 * number)
    middle.set(xlim=(0, rows.shape[1] / 2), ylim=(3 * len(rows) - 1, 0), title="hidden layers")
    middle.set_axis_off()
    classes = np.arange(len(np.asarray(probabilities)))
    right.bar(classes, probabilities, color=COLORS[0])
    right.set(xticks=classes, ylim=(0, 1), title="probabilities", xlabel="digit")
    return figure


@styled
def spread(panels: Mapping[str, ArrayLike], whole: ArrayLike) -> Figure:
    """Draw what many networks with silenced units say, beside what the whole network says.

    Parameters
    ----------
    panels : mapping of str to array_like, shape (n, classes)
        Title, and the probabilities of n networks.
    whole : array_like, shape (classes,)
        The probabilities with all units.

    Returns
    -------
    matplotlib.figure.Figure
    """
    whole = np.asarray(whole)
    classes = np.arange(len(whole))
    figure, row = new_figure(1, len(panels), height=2.4, sharey=True)
    for axes, (title, p) in zip(row, panels.items(), strict=True):
        p = np.asarray(p)
        # Beside each other, as far as there is room: equal ones would hide each other.
        places = classes + np.linspace(-0.28, 0.28, len(p))[:, None]
        axes.plot(places, p, ".", color=COLORS[0], markersize=2.5, alpha=0.7)
        axes.hlines(whole, classes - 0.4, classes + 0.4, color=COLORS[1], linewidth=1.5)
        axes.set(xticks=classes, ylim=(-0.03, 1.03), title=title, xlabel="digit")
    row[0].set_ylabel("probability")
    return figure
