"""Draw the figures of the chapter *Artificial neurons*."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

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

__all__ = ["bounds", "evidence", "race", "squares", "sum_of_mistakes", "two_neurons"]

WIDTH = 5.8  # inches: narrow enough for the letters to stay legible on a phone
HALO = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.0, "alpha": 0.85}
YES, NO = COLORS[0], COLORS[1]


@styled
def evidence(
    examples: Mapping[str, ArrayLike],
    regions: Mapping[str, tuple[slice, slice]],
    points: ArrayLike,
    labels: ArrayLike,
    w: ArrayLike,
    b: float,
) -> Figure:
    """Draw two numbers of each image, and the line that a neuron draws between two classes.

    Parameters
    ----------
    examples : mapping of str to array_like, shape (h, h)
        Name of a class and one of its images, between 0 and 1: first the class with label +1,
        then the one with label -1.
    regions : mapping of str to (rows, columns)
        What each of the two numbers is called, and the part of the image that it is the mean of.
    points : array_like, shape (n, 2)
        The two numbers of each image.
    labels : array_like, shape (n,)
        +1 or -1.
    w : array_like, shape (2,)
        Weights of the neuron.
    b : float
        Its bias.

    Returns
    -------
    matplotlib.figure.Figure
    """
    points, labels, w = np.asarray(points), np.asarray(labels), np.asarray(w, dtype=float)
    figure, panels = new_figure(2, 2, width=WIDTH, height=3.5, width_ratios=(1, 3.2))
    grid = panels[0, 1].get_gridspec()
    for axes in panels[:, 1]:
        axes.remove()
    chart = figure.add_subplot(grid[:, 1])
    for axes, (name, image) in zip(panels[:, 0], examples.items(), strict=True):
        squares(axes, image)
        axes.set_title(name)
        for style, (rows, columns) in zip(LINE_STYLES, regions.values(), strict=False):
            height, width = np.shape(image)
            top, bottom, _ = rows.indices(height)
            left, right, _ = columns.indices(width)
            axes.add_patch(
                Rectangle(
                    (left - 0.5, top - 0.5),
                    right - left,
                    bottom - top,
                    fill=False,
                    edgecolor=COLORS[3],
                    linestyle=style,
                    linewidth=1.8,
                )
            )
    for sign, color, marker, name in zip((1, -1), (YES, NO), MARKERS, examples, strict=False):
        chart.plot(
            *points[labels == sign].T,
            marker,
            color=color,
            markersize=4.5,
            markeredgecolor=PAPER,
            markeredgewidth=0.4,
            label=name,
        )
    low, high = points.min(axis=0), points.max(axis=0)
    chart.set_xlim(low[0] - 0.05, high[0] + 0.05)
    chart.set_ylim(low[1] - 0.05, high[1] + 0.05)
    chart.set_aspect("equal")
    foot = _line(chart, w, b)
    length = 0.22 * w / np.linalg.norm(w)
    chart.annotate(
        "",
        foot + length,
        foot,
        arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 1.6, "mutation_scale": 13},
    )
    chart.text(*(foot + 1.12 * length), "w", color=INK, fontweight="bold", va="top", bbox=HALO)
    inside, beside = regions
    chart.set_xlabel(f"{inside} (solid box)")
    chart.set_ylabel(f"{beside} (dashed box)")
    chart.legend(
        loc="lower right", bbox_to_anchor=(1, 1), ncols=2, handletextpad=0.2, columnspacing=1
    )
    return figure


@styled
def sum_of_mistakes(images: ArrayLike, labels: ArrayLike, weights: ArrayLike) -> Figure:
    """Draw the images that a neuron got wrong, and below each the weights after it.

    Parameters
    ----------
    images : array_like, shape (m, h, h)
        In the order of the mistakes.
    labels : array_like, shape (m,)
        +1 where the image was added to the weights, -1 where it was taken away.
    weights : array_like, shape (m, h, h)
        The weights after each mistake.

    Returns
    -------
    matplotlib.figure.Figure
    """
    images, labels, weights = np.asarray(images), np.asarray(labels), np.asarray(weights)
    count = len(images)
    figure, panels = new_figure(2, count, width=7.0, height=0.6 + 2 * 6.6 / max(count, 6))
    panels = np.reshape(panels, (2, count))
    word = "mistake " if count <= 6 else ""  # a narrow column has room for the number alone
    largest = np.abs(weights).max()
    for k in range(count):
        sign, color = ("+", YES) if labels[k] > 0 else ("−", NO)
        squares(panels[0, k], labels[k] * images[k])
        panels[0, k].set_title(f"{sign} {word}{k + 1}", color=color, fontsize=9.5)
        squares(panels[1, k], weights[k], largest)
    panels[0, 0].set_ylabel("image")
    panels[1, 0].set_ylabel("weights so far")
    return figure


@styled
def race(progress: ArrayLike, length: ArrayLike, gamma: float, longest: float) -> Figure:
    """Draw how the weights grow with the mistakes, between two bounds that meet.

    Parameters
    ----------
    progress, length : array_like, shape (m,)
        After each mistake: how far the weights reach in the direction of a separating neuron, and
        how long they are.
    gamma : float
        The margin of that neuron.
    longest : float
        The length of the longest sample.

    Returns
    -------
    matplotlib.figure.Figure
    """
    progress, length = np.asarray(progress), np.asarray(length)
    end = (longest / gamma) ** 2
    figure, axes = new_figure(width=WIDTH, height=3.9)
    m = np.geomspace(1, 3 * end, 200)
    low, high = gamma * m, longest * np.sqrt(m)
    axes.fill_between(m, low, high, where=low <= high, color=MUTED, alpha=0.12, linewidth=0)
    axes.plot(m, low, color=MUTED, linestyle=":", linewidth=1.6)
    axes.plot(m, high, color=MUTED, linestyle=":", linewidth=1.6)
    made = np.arange(1, len(length) + 1)
    axes.plot(made, length, color=COLORS[0], linestyle="-")
    axes.plot(made, progress, color=COLORS[1], linestyle="--")
    axes.plot([made[-1]] * 2, [progress[-1], length[-1]], "o", color=INK, markersize=4)
    axes.set_xscale("log")
    axes.set_yscale("log")
    bottom = min(gamma, progress[0]) / 2
    axes.set_ylim(bottom, 4 * longest * np.sqrt(end))
    axes.set_xlim(0.9, 3 * end)
    axes.plot([end, end], [bottom, longest**2 / gamma], color=MUTED, linewidth=1)
    axes.plot(end, longest**2 / gamma, "D", color=MUTED, markersize=6)

    def note(text: str, x: float, y: float, color: str, **place: object) -> None:
        axes.annotate(
            text,
            (x, y),
            xytext=place.pop("by", (0, 0)),
            textcoords="offset points",
            color=color,
            fontsize=9.5,
            bbox=HALO,
            **place,
        )

    i = len(made) // 12
    note("length of the weights", made[i], length[i], COLORS[0], by=(-6, 12), ha="center")
    note("progress", made[i], progress[i], COLORS[1], by=(8, -16))
    note("at most R√M", 1.2, longest * np.sqrt(1.2), MUTED, by=(0, 10))
    note("at least γM", 3, gamma * 3, MUTED, by=(8, -12))
    note(f"stopped\nafter {len(made):,}", made[-1], progress[-1], INK, by=(2, -34), ha="center")
    note(f"latest end\n{int(end):,}", end, bottom, MUTED, by=(-5, 8), ha="right")
    axes.set_xlabel("mistakes so far, M")
    axes.set_ylabel("length")
    return figure


@styled
def bounds(groups: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> Figure:
    """Draw the number of mistakes against its bound, one point a run.

    Parameters
    ----------
    groups : mapping of str to (bounds, mistakes)
        Name of a kind of data, and for each run on it the bound and what was measured.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(width=WIDTH, height=4.2)
    every = np.concatenate([np.ravel(side) for group in groups.values() for side in group])
    low, high = every.min() / 1.6, every.max() * 1.6
    edge = np.array([low, high])
    axes.fill_between(edge, edge, high, color=MUTED, alpha=0.15, linewidth=0)
    axes.plot(edge, edge, color=INK, linestyle="-", linewidth=1.4)
    for color, marker, (name, (bound, mistakes)) in zip(
        COLORS, MARKERS, groups.items(), strict=False
    ):
        axes.plot(
            np.ravel(bound),
            np.ravel(mistakes),
            marker,
            color=color,
            markersize=5,
            markeredgecolor=PAPER,
            markeredgewidth=0.5,
            label=name,
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    axes.text(
        0.05, 0.93, "no run can be here", transform=axes.transAxes, color=MUTED, va="top", bbox=HALO
    )
    axes.legend(
        loc="lower right",
        bbox_to_anchor=(1, 1),
        ncols=len(groups),
        handletextpad=0.2,
        columnspacing=1,
    )
    axes.set_xlabel("bound, (R/γ)²")
    axes.set_ylabel("mistakes made")
    return figure


@styled
def two_neurons(
    corners: ArrayLike,
    labels: ArrayLike,
    neurons: Mapping[str, tuple[ArrayLike, float]],
    hidden: ArrayLike,
    output: tuple[ArrayLike, float],
) -> Figure:
    """Draw a question that one line cannot answer, before and behind two hidden neurons.

    Parameters
    ----------
    corners : array_like, shape (n, 2)
        Inputs.
    labels : array_like, shape (n,)
        +1 or -1.
    neurons : mapping of str to (w, b)
        Names, weights and biases of the two hidden neurons.
    hidden : array_like, shape (n, 2)
        What the two answer to each input.
    output : (w, b)
        Weights and bias of the neuron behind them.

    Returns
    -------
    matplotlib.figure.Figure
    """
    corners, labels, hidden = np.asarray(corners), np.asarray(labels), np.asarray(hidden)
    figure, (before, behind) = new_figure(1, 2, width=WIDTH, height=3.3)
    views = [(before, corners, neurons), (behind, hidden, {"output": output})]
    for axes, points, lines in views:
        low, high = points.min(axis=0), points.max(axis=0)
        room = 0.45 * (high - low).max()
        axes.set_xlim(low[0] - room, high[0] + room)
        axes.set_ylim(low[1] - room, high[1] + room)
        axes.set_aspect("equal")
        side = np.linspace(0, 1, 161)
        x = axes.get_xlim()[0] + side * np.diff(axes.get_xlim())
        y = axes.get_ylim()[0] + side * np.diff(axes.get_ylim())
        mesh = np.stack(np.meshgrid(x, y), axis=-1)
        # Yes is where every line of the panel says yes.
        yes = np.min([mesh @ np.asarray(w, float) + b for w, b in lines.values()], axis=0)
        axes.contourf(x, y, yes, levels=[0, np.inf], colors=[YES], alpha=0.14)
        for color, style, (name, (w, b)) in zip(
            COLORS[2:], LINE_STYLES, lines.items(), strict=False
        ):
            w = np.asarray(w, dtype=float)
            foot = _line(axes, w, b, color=color, linestyle=style)
            inward = w / np.linalg.norm(w)
            # The name runs along the line, on the side where the answer is no; the arrow stands
            # beyond its end, where it crosses neither the name nor a point.
            start = foot + 0.95 * room * np.array([inward[1], -inward[0]]) * np.sign(inward[1])
            axes.annotate(
                "",
                start + 0.4 * room * inward,
                start,
                arrowprops={"arrowstyle": "-|>", "color": color, "linewidth": 1.5},
            )
            tilt = np.degrees(np.arctan2(inward[0], -inward[1]))
            axes.text(
                *(foot - 0.17 * room * inward),
                name,
                color=color,
                fontweight="bold",
                fontsize=9.5,
                rotation=(tilt + 90) % 180 - 90,
                rotation_mode="anchor",
                ha="center",
                va="center",
            )
        for sign, color, marker in zip((1, -1), (YES, NO), MARKERS, strict=False):
            axes.plot(
                *points[labels == sign].T,
                marker,
                color=color,
                markersize=12,
                markeredgecolor=PAPER,
                label="+1" if sign > 0 else "−1",
            )
        spots = np.unique(points, axis=0)
        for spot in spots:
            here = [
                "".join(f"{value:g}" for value in corner)
                for corner, point in zip(corners, points, strict=True)
                if np.array_equal(point, spot)
            ]
            axes.annotate(
                ", ".join(here),
                spot,
                xytext=(0, -19),
                textcoords="offset points",
                ha="center",
                fontsize=9.5,
                bbox=HALO,
            )
        axes.set_xticks(np.unique(points[:, 0]))
        axes.set_yticks(np.unique(points[:, 1]))
    before.set_title("Inputs")
    before.set_xlabel("$x_1$")
    before.set_ylabel("$x_2$")
    behind.set_title("Answers of the two neurons")
    first, second = neurons
    behind.set_xlabel(first)
    behind.set_ylabel(second)
    return figure


def squares(axes: Axes, values: ArrayLike, largest: float = 1.0) -> None:
    """Draw a table of numbers as squares: the area is the size, the color the sign.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    values : array_like, shape (rows, columns)
        Blue squares for positive numbers; for negative ones vermilion with a dark edge, so that
        the sign can be told without color.
    largest : float
        The size that fills a whole field.
    """
    values = np.asarray(values, dtype=float)
    rows, columns = values.shape
    sides = np.sqrt(np.clip(np.abs(values) / largest, 0, 1))
    for sign, color, edge in ((1, YES, "none"), (-1, NO, INK)):
        fields = [
            Rectangle((j - sides[i, j] / 2, i - sides[i, j] / 2), sides[i, j], sides[i, j])
            for i, j in np.argwhere(sign * values > 1e-12)
        ]
        width = 0 if sign > 0 else 0.5
        axes.add_collection(
            PatchCollection(fields, facecolor=color, edgecolor=edge, linewidth=width)
        )
    axes.set_xlim(-0.7, columns - 0.3)
    axes.set_ylim(rows - 0.3, -0.7)
    axes.set_aspect("equal")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_color(GRID)


def _line(axes: Axes, w: np.ndarray, b: float, **how: object) -> np.ndarray:
    """Draw where w . x + b is 0; return the point of that line nearest to the panel's middle."""
    middle = np.array([np.mean(axes.get_xlim()), np.mean(axes.get_ylim())])
    foot = middle - (w @ middle + b) / (w @ w) * w
    along = np.array([w[1], -w[0]]) / np.linalg.norm(w)
    reach = np.hypot(np.diff(axes.get_xlim()), np.diff(axes.get_ylim()))
    ends = np.stack([foot - reach * along, foot + reach * along], axis=1)
    limits = axes.get_xlim(), axes.get_ylim()
    axes.plot(*ends, **{"color": INK, "linewidth": 1.7, "linestyle": "-", **how})
    axes.set_xlim(limits[0])
    axes.set_ylim(limits[1])
    return foot
