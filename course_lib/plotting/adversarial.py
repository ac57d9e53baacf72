"""Figures of the chapter *Adversarial examples*."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle
from numpy.typing import ArrayLike, NDArray

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
    "Walk",
    "ball",
    "certified",
    "checks",
    "panels",
    "price",
    "robustness",
    "surface",
]


@dataclass(frozen=True)
class Walk:
    """An attack on an image of two pixels, step by step.

    Attributes
    ----------
    title : str
    norm : {"linf", "l2"}
    points : array_like, shape (steps + 1, 2)
        Where it stands at the start and after each step.
    proposals : array_like, shape (steps, 2)
        Where each step led before it was projected.
    single : array_like, shape (2,)
        Where one step of the largest allowed size leads.
    """

    title: str
    norm: str
    points: ArrayLike
    proposals: ArrayLike
    single: ArrayLike


@styled
def panels(images: Sequence[ArrayLike], titles: Sequence[str], notes: Sequence[str]) -> Figure:
    """Draw images side by side, with a title above and a note below each.

    Parameters
    ----------
    images : sequence of array_like, shape (height, width)
        0 is paper and 1 is ink. An image with negative numbers is a change: gray is no change.
    titles, notes : sequence of str
        One for each image; a note may have two lines.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, grid = new_figure(1, len(images), height=2.45)
    for axes, image, title, note in zip(grid, images, titles, notes, strict=True):
        image = np.asarray(image, dtype=float)
        low = -1.0 if image.min() < 0 else 0.0
        axes.imshow(-image, cmap="gray", vmin=-1, vmax=-low)
        axes.set_title(title, fontsize=9.5, loc="center")
        axes.set(xticks=[], yticks=[])
        axes.set_xlabel(note, fontsize=9.5)
        axes.grid(visible=False)
        for spine in axes.spines.values():
            spine.set(visible=True, color=MUTED)
    return figure


@styled
def ball(
    walks: Sequence[Walk],
    x: ArrayLike,
    epsilon: float,
    boundary: tuple[ArrayLike, ArrayLike],
) -> Figure:
    """Draw the ball around an image of two pixels, an attack within it, and the boundary.

    Parameters
    ----------
    walks : sequence of Walk
        A panel each.
    x : array_like, shape (2,)
        The image.
    epsilon : float
    boundary : (array_like, array_like)
        First and second pixel along the decision boundary. To the right of it the answer is wrong.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, grid = new_figure(1, len(walks), height=3.75, sharey=True, squeeze=False)
    x = np.asarray(x, dtype=float)
    first, second = (np.asarray(part, dtype=float) for part in boundary)
    for axes, walk in zip(grid[0], walks, strict=True):
        axes.fill_betweenx(second, first, 1.0, color=COLORS[1], alpha=0.13, linewidth=0)
        axes.plot(first, second, color=COLORS[1], linestyle="-", linewidth=1.6)
        edge = {"fill": False, "edgecolor": COLORS[0], "linewidth": 1.8}
        if walk.norm == "linf":
            axes.add_patch(Rectangle(x - epsilon, 2 * epsilon, 2 * epsilon, **edge))
        else:
            axes.add_patch(Circle(x, epsilon, **edge))
        _steps(axes, walk)
        axes.plot(*x, "o", color=INK, markersize=7, zorder=5)
        axes.annotate("image x", x, (-7, 7), textcoords="offset points", ha="right", fontsize=9.5)
        axes.plot(*np.asarray(walk.single).reshape(2), "X", color=COLORS[3], markersize=9, zorder=5)
        axes.set(xlim=(0.2, 0.86), ylim=(0.22, 0.78), aspect="equal", title=walk.title)
        axes.set(xticks=[0.25, 0.45, 0.65], yticks=[0.3, 0.5, 0.7], xlabel="first pixel")
        axes.text(0.85, 0.5, "read\nwrong", color=COLORS[1], ha="right", va="center", fontsize=9.5)
    grid[0][0].set_ylabel("second pixel")
    handles = [
        grid[0][0].plot([], [], "X", color=COLORS[3], markersize=8, label="one large step")[0],
        grid[0][0].plot(
            [], [], "o-", color=COLORS[2], linewidth=1.4, label="small steps, projected"
        )[0],
        grid[0][0].plot(
            [], [], "o", color=COLORS[2], markerfacecolor=PAPER, label="before projection"
        )[0],
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    return figure


@styled
def robustness(
    epsilons: ArrayLike,
    curves: Mapping[str, ArrayLike],
    *,
    chance: float = 0.1,
    xlabel: str = "largest change of a pixel, ε",
) -> Figure:
    """Draw the share of right answers against the size of the change.

    Parameters
    ----------
    epsilons : array_like, shape (m,)
    curves : mapping of str to array_like, shape (seeds, m)
        A line at the mean of the seeds and a band over their range, by what made the changes.
    chance : float
        The share that guessing gets.
    xlabel : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.3)
    _bands(axes, epsilons, curves)
    axes.axhline(chance, color=MUTED, linewidth=0.9, linestyle=":")
    axes.text(0, chance + 0.015, "guessing", color=MUTED, fontsize=9.5)
    axes.set(xlabel=xlabel, ylabel="share of right answers", ylim=(-0.02, 1.02))
    axes.legend(loc="center right")
    return figure


@styled
def surface(
    across: ArrayLike,
    along: ArrayLike,
    margins: ArrayLike,
    epsilon: float,
    lines: Mapping[str, ArrayLike],
) -> Figure:
    """Draw a network's margin around one image, on a plane and along lines.

    Parameters
    ----------
    across, along : array_like, shape (m,)
        How far along the two directions, in units of the largest change of a pixel.
    margins : array_like, shape (m, m)
        At ``along`` (rows) and ``across`` (columns): above 0 where the image is read right.
    epsilon : float
        Half the width of the square that is marked.
    lines : mapping of str to array_like, shape (seeds or draws, m)
        Margins along directions, against `along`, by name.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (plane, cut) = new_figure(1, 2, height=3.5, width_ratios=[1, 1.1])
    margins = np.asarray(margins, dtype=float)
    levels = np.arange(np.floor(margins.min() / 10) * 10, margins.max() + 5, 5.0)
    plane.contourf(across, along, margins, [margins.min() - 1, 0], colors=[COLORS[1]], alpha=0.2)
    drawn = plane.contour(
        across, along, margins, levels[levels != 0], colors=MUTED, linewidths=0.9, linestyles="-"
    )
    middle = margins[len(margins) // 2, margins.shape[1] // 2]
    # No number over the dot, and none that the frame would cut.
    named = [v for v in drawn.levels if abs(v - middle) > 4 and v < margins.max() - 5]
    plane.clabel(drawn, named, fmt=lambda v: f"{v:.0f}".replace("-", "−"), fontsize=9)
    plane.contour(across, along, margins, [0], colors=COLORS[1], linewidths=2.2, linestyles="-")
    plane.plot(0, 0, "o", color=INK, markersize=7)
    corner = (-epsilon, -epsilon)
    plane.add_patch(
        Rectangle(corner, 2 * epsilon, 2 * epsilon, fill=False, edgecolor=COLORS[0], linewidth=1.8)
    )
    plane.set(xlabel="along random signs", ylabel="along the gradient's signs", aspect="equal")
    plane.grid(visible=False)
    plane.set_title("The margin on a plane")
    for (name, values), color, style in zip(lines.items(), COLORS[1:], LINE_STYLES, strict=False):
        values = np.atleast_2d(np.asarray(values, dtype=float))
        for number, line in enumerate(values):
            cut.plot(
                along,
                line,
                color=color,
                linestyle=style,
                linewidth=2.2 if len(values) == 1 else 1.0,
                alpha=1.0 if len(values) == 1 else 0.8,
                label=name if not number else None,
            )
    cut.axhline(0, color=INK, linewidth=0.9)
    cut.set(xlabel="distance ε along the signs", ylabel="margin (logits)")
    cut.set_title("The margin along lines")
    cut.legend(loc="lower left")
    return figure


@styled
def price(
    epsilons: ArrayLike,
    curves: Mapping[str, ArrayLike],
    trained_for: Mapping[str, float],
) -> Figure:
    """Draw what networks that were trained for different changes withstand.

    Parameters
    ----------
    epsilons : array_like, shape (m,)
    curves : mapping of str to array_like, shape (seeds, m)
        The share of right answers under attack; at 0, without.
    trained_for : mapping of str to float
        The epsilon of the training, marked on the curve of that name.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.3)
    _bands(axes, epsilons, curves)
    for (name, values), color in zip(curves.items(), COLORS, strict=False):
        if name not in trained_for:
            continue
        at = trained_for[name]
        height = np.interp(at, epsilons, np.asarray(values, dtype=float).mean(axis=0))
        axes.plot(at, height, "o", color=color, markersize=9, markeredgecolor=INK, zorder=5)
    axes.set(xlabel="largest change of a pixel, ε", ylabel="share of right answers")
    axes.set_ylim(-0.02, 1.02)
    axes.legend(loc="lower left")
    return figure


@styled
def checks(table: Mapping[str, Mapping[str, float]], *, suspects: Sequence[str] = ()) -> Figure:
    """Draw for each network what is left of its accuracy under each attack.

    Parameters
    ----------
    table : mapping of str to (mapping of str to float)
        The share of right answers, by network and by attack.
    suspects : sequence of str
        Networks whose names are marked.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=0.9 + 0.52 * len(table))
    names = list(table)[::-1]
    axes.hlines(range(len(names)), 0, 1, color=GRID, linewidth=0.8)
    attacks = list(next(iter(table.values())))
    for attack, color, mark in zip(attacks, (INK, *COLORS), MARKERS, strict=False):
        filled = color if mark in "osD" else PAPER
        axes.plot(
            [table[name][attack] for name in names],
            range(len(names)),
            mark,
            color=color,
            markerfacecolor=filled,
            markeredgewidth=1.6,
            markersize=8,
            label=attack,
            linestyle="none",
        )
    axes.set_yticks(range(len(names)), names)
    for text, name in zip(axes.get_yticklabels(), names, strict=True):
        text.set_fontweight("bold" if name in suspects else "normal")
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.5, len(names) - 0.5), xlabel="share of right answers")
    axes.grid(visible=False, axis="y")
    figure.legend(loc="outside upper center", ncols=len(attacks), frameon=False, handlelength=1.2)
    return figure


@styled
def certified(radii: ArrayLike, curves: Mapping[str, ArrayLike]) -> Figure:
    """Draw which share of the answers is right and certain to stay so, against the radius.

    Parameters
    ----------
    radii : array_like, shape (m,)
        In L2.
    curves : mapping of str to array_like, shape (seeds, m)

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.0)
    _bands(axes, radii, curves)
    axes.set(xlabel="length of the change in L2", ylabel="share of right answers")
    axes.set_ylim(-0.02, 1.02)
    axes.legend(loc="upper right")
    return figure


def _bands(axes: Axes, at: ArrayLike, curves: Mapping[str, ArrayLike]) -> None:
    """Draw the mean of each curve's seeds, and a band over their range."""
    for (name, values), color, style in zip(curves.items(), COLORS, LINE_STYLES, strict=False):
        values: NDArray[np.float64] = np.atleast_2d(np.asarray(values, dtype=float))
        low, high = values.min(axis=0), values.max(axis=0)
        axes.fill_between(at, low, high, color=color, alpha=0.18, linewidth=0)
        axes.plot(at, values.mean(axis=0), color=color, linestyle=style, label=name)


def _steps(axes: Axes, walk: Walk) -> None:
    """Draw a walk: from each point to where its step led, and from there back into the ball."""
    points = np.asarray(walk.points, dtype=float)
    proposals = np.asarray(walk.proposals, dtype=float)
    axes.plot(*points.T, "o-", color=COLORS[2], linewidth=1.4, markersize=5, zorder=4)
    for before, out, after in zip(points[:-1], proposals, points[1:], strict=True):
        if np.abs(out - after).max() < 0.03:  # too short for an arrow
            continue
        axes.plot(*np.array([before, out]).T, ":", color=COLORS[2], linewidth=1.2, zorder=3)
        axes.annotate(
            "",
            after,
            out,
            arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 1.1, "shrinkB": 3},
            zorder=4,
        )
        axes.plot(*out, "o", color=COLORS[2], markerfacecolor=PAPER, markersize=5, zorder=4)
    axes.plot(*points[0], "s", color=COLORS[2], markersize=7, zorder=4)
