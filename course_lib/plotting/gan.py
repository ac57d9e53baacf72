"""Figures of the chapter *Generative adversarial networks*."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_lib.plotting.drawings import arrow, blank, box, label
from course_lib.plotting.style import (
    COLORS,
    INK,
    LINE_STYLES,
    MUTED,
    new_figure,
    styled,
)

__all__ = ["best_judge", "contest", "orbits", "pictures", "rings"]


@styled
def contest() -> Figure:
    """Draw the contest: who sees what, and whose weights each loss moves.

    Returns
    -------
    matplotlib.figure.Figure
    """
    width, height = 7.0, 2.9
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    noise = box(axes, (0.6, 2.1), "noise", "z")
    generator = box(axes, (2.1, 2.1), "generator", "G", width=1.15, color=COLORS[0], thick=True)
    fake = box(axes, (3.65, 2.1), "fake", "G(z)", width=0.8)
    real = box(axes, (3.65, 1.15), "real", "x", width=0.8)
    judge = box(axes, (5.15, 1.62), "discriminator", "D", width=1.4, color=COLORS[1], thick=True)
    verdict = box(axes, (6.5, 1.62), "real?", "", width=0.75)
    arrow(axes, noise, generator)
    arrow(axes, generator, fake)
    arrow(axes, fake, judge)
    arrow(axes, real, judge)
    arrow(axes, judge, verdict)
    label(axes, (5.15, 0.72), "its loss: real → 1, fake → 0", size=9.5, color=COLORS[1])
    arrow(axes, verdict, judge, color=COLORS[1], style="--", bend=-0.75, width=1.8)
    label(axes, (4.15, 2.72), "the generator's loss: fake → 1", size=9.5, color=COLORS[0])
    arrow(axes, verdict, generator, color=COLORS[0], style="--", bend=0.24, width=1.8)
    label(
        axes,
        (1.65, 0.72),
        "dashed: gradients. Each loss\nmoves one network's weights.",
        size=9.5,
        color=MUTED,
    )
    return figure


@styled
def pictures(rows: Mapping[str, ArrayLike]) -> Figure:
    """Draw rows of small images, as many to a row as the first has.

    Parameters
    ----------
    rows : mapping of str to array_like, shape (n, height, width)
        Images in a range of 0 (paper) to 1 (ink), by what is written in front of them.

    Returns
    -------
    matplotlib.figure.Figure
    """
    images = [np.asarray(row, dtype=float) for row in rows.values()]
    columns = len(images[0])
    figure, grid = new_figure(len(images), columns, height=0.25 + 0.6 * len(images), squeeze=False)
    for row, name, line in zip(grid, rows, images, strict=True):
        for axes, image in zip(row, line, strict=True):
            axes.imshow(1 - image, cmap="gray", vmin=0, vmax=1)
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        row[0].set_ylabel(name, rotation=0, ha="right", va="center", labelpad=6)
    return figure


@styled
def best_judge(
    x: ArrayLike,
    real: ArrayLike,
    fake: ArrayLike,
    formula: ArrayLike,
    learned: ArrayLike,
) -> Figure:
    """Draw two densities, and how sure a judge is that a point is real.

    Parameters
    ----------
    x : array_like, shape (n,)
    real, fake : array_like, shape (n,)
        Densities at `x`.
    formula, learned : array_like, shape (n,)
        The probability of *real*: the best there is, and a network's.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(2, 1, height=3.6, sharex=True, height_ratios=[1, 1.2])
    axes[0].fill_between(x, real, color=COLORS[0], alpha=0.35, label="real", linewidth=0)
    axes[0].plot(x, real, color=COLORS[0])
    axes[0].plot(x, fake, color=COLORS[1], linestyle=LINE_STYLES[1], label="fake")
    axes[0].set(ylabel="density", ylim=(0, None))
    axes[0].legend(loc="upper left")
    axes[1].plot(x, formula, color=INK, linewidth=4, alpha=0.3, label="the best judge, computed")
    axes[1].plot(x, learned, color=COLORS[2], linestyle=LINE_STYLES[1], label="a network, trained")
    axes[1].axhline(0.5, color=MUTED, linewidth=0.8, linestyle=":")
    axes[1].set(xlabel="x", ylabel="probability of real", ylim=(-0.03, 1.03))
    axes[1].legend(loc="upper right")
    return figure


@styled
def orbits(paths: Mapping[str, ArrayLike]) -> Figure:
    """Draw how two players move around the point where neither would.

    Parameters
    ----------
    paths : mapping of str to array_like, shape (steps, 2)
        Where the players stand after each step, by how they move.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, grid = new_figure(1, len(paths), height=2.4, sharex=True, sharey=True)
    for axes, (name, path), color in zip(grid, paths.items(), COLORS, strict=False):
        path = np.asarray(path, dtype=float)
        axes.plot(*path.T, color=color, linestyle="-", linewidth=1.3)
        axes.plot(*path[0], "o", color=INK)
        axes.plot(0, 0, "+", color=INK, markersize=9, markeredgewidth=1.6)
        axes.set(title=name, xlabel="x (minimizes)", aspect="equal")
        axes.set(xlim=(-3, 3), ylim=(-3, 3), xticks=[-2, 0, 2], yticks=[-2, 0, 2])
    grid[0].set_ylabel("y (maximizes)")
    return figure


@styled
def rings(panels: Mapping[str, ArrayLike], *, real: ArrayLike = ()) -> Figure:
    """Draw points around a ring of clouds, a panel for each set.

    Parameters
    ----------
    panels : mapping of str to array_like, shape (n, 2)
        Points, by title.
    real : array_like, shape (m, 2), optional
        Points to draw behind those of each panel, in gray.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, grid = new_figure(1, len(panels), height=3.3, sharex=True, sharey=True, squeeze=False)
    for axes, (title, points), color in zip(grid[0], panels.items(), COLORS[1::-1], strict=False):
        if len(real):
            axes.scatter(*np.asarray(real, dtype=float).T, s=14, color=MUTED, linewidths=0)
        axes.scatter(*np.asarray(points, dtype=float).T, s=5, color=color, linewidths=0)
        axes.set(title=title, xlim=(-3, 3), ylim=(-3, 3), aspect="equal")
        axes.set(xticks=[-2, 0, 2], yticks=[-2, 0, 2])
    return figure
