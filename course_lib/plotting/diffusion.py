"""Figures of the chapter *Diffusion models*."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_lib.plotting.drawings import arrow, blank, box, label
from course_lib.plotting.style import (
    COLORS,
    INK,
    LINE_STYLES,
    MARKERS,
    MUTED,
    new_figure,
    styled,
)

__all__ = ["chain", "clouds", "field", "quality", "trade"]


@styled
def chain(pictures: ArrayLike) -> Figure:
    """Draw the chain from a picture to noise and back, and the network with what it is given.

    Parameters
    ----------
    pictures : array_like, shape (4, height, width)
        x_0, x_{t-1}, x_t and x_T, in a range of 0 (paper) to 1 (ink).

    Returns
    -------
    matplotlib.figure.Figure
    """
    images = np.asarray(pictures, dtype=float)
    width, height, side, middle = 7.0, 3.3, 0.86, 2.3
    figure, axes = new_figure(width=width, height=height)
    places, names = (0.7, 2.55, 4.45, 6.3), ("$x_0$", "$x_{t-1}$", "$x_t$", "$x_T$")
    for x, name, image in zip(places, names, images, strict=True):
        extent = (x - side / 2, x + side / 2, middle - side / 2, middle + side / 2)
        axes.imshow(1 - image, cmap="gray", vmin=0, vmax=1, extent=extent, zorder=1)
        axes.plot(
            [extent[k] for k in (0, 1, 1, 0, 0)],
            [extent[k] for k in (2, 2, 3, 3, 2)],
            "-",
            color=INK,
            linewidth=0.8,
        )
        label(axes, (x, middle + side / 2 + 0.16), name, size=12)
    blank(axes, width, height)
    near, up, down = side / 2 + 0.06, middle + 0.2, middle - 0.2
    for left, right in pairwise(places):
        # Between neighbors a single step; to the ends of the chain, many.
        one = left == places[1]
        dots = "" if one else "· · ·"
        label(axes, ((left + right) / 2, middle), dots, size=11, color=MUTED)
        arrow(axes, (left + near, up), (right - near, up), color=COLORS[0], gap=0)
        arrow(axes, (right - near, down), (left + near, down), color=COLORS[1], style="--", gap=0)
    label(axes, (3.5, middle + side / 2 + 0.16), "add noise", size=9.5, color=COLORS[0])
    network = box(
        axes, (3.5, 0.75), "network", "which noise is in it?", color=COLORS[1], thick=True
    )
    time = box(axes, (5.9, 0.75), "$t$", "")
    top = 0.75 + network.height / 2
    arrow(axes, (4.45, middle - side / 2), (4.05, top), color=MUTED)
    label(axes, (4.45, 1.42), "$x_t$", size=11)
    arrow(axes, time, network)
    arrow(axes, (3.3, top), (3.3, down), color=COLORS[1], style="--")
    label(axes, (3.13, 1.45), r"$\hat\varepsilon$", size=13, color=COLORS[1])
    label(axes, (1.25, 0.75), "dashed: take a part\nof that noise out", size=9.5, color=COLORS[1])
    return figure


@styled
def clouds(
    panels: Mapping[str, ArrayLike],
    *,
    labels: ArrayLike = (),
    real: ArrayLike = (),
    reach: float = 2.6,
) -> Figure:
    """Draw points in the plane, a panel for each set.

    Parameters
    ----------
    panels : mapping of str to array_like, shape (n, 2)
        Points, by title.
    labels : array_like, shape (n,), optional
        0 or 1 for each point of a panel: two colors and markers.
    real : array_like, shape (m, 2), optional
        Points to draw behind those of each panel, in gray.
    reach : float
        The panels show -reach to reach in both directions.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, grid = new_figure(
        1, len(panels), height=7 / len(panels) + 0.3, sharex=True, sharey=True, squeeze=False
    )
    labels = np.asarray(labels)
    for axes, (title, points) in zip(grid[0], panels.items(), strict=True):
        points = np.asarray(points, dtype=float)
        if len(real):
            axes.scatter(*np.asarray(real, dtype=float).T, s=9, color=MUTED, linewidths=0)
        if len(labels):
            for k in (0, 1):
                there = points[labels == k]
                how = {"s": 5, "color": COLORS[k], "marker": MARKERS[k], "linewidths": 0}
                axes.scatter(*there.T, **how)
        else:
            axes.scatter(*points.T, s=5, color=COLORS[0], linewidths=0)
        axes.set(title=title, xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
        axes.set(xticks=[-2, 0, 2], yticks=[-2, 0, 2])
    return figure


@styled
def field(
    panels: Mapping[str, ArrayLike],
    at: ArrayLike,
    exact: Mapping[str, ArrayLike],
    sites: Mapping[str, ArrayLike],
) -> Figure:
    """Draw which way points are pushed: a network's arrows over the exact ones.

    Parameters
    ----------
    panels : mapping of str to array_like, shape (n, 2)
        The learned arrow at each place, by title.
    at : array_like, shape (n, 2)
        The places.
    exact : mapping of str to array_like, shape (n, 2)
        The exact arrows, by the same titles.
    sites : mapping of str to array_like, shape (m, 2)
        Crosses: where the arrows should lead, by the same titles.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, grid = new_figure(1, len(panels), height=3.7, sharex=True, sharey=True, squeeze=False)
    at = np.asarray(at, dtype=float)
    how = {"angles": "xy", "scale_units": "xy", "scale": 3.2, "zorder": 3}
    for axes, (title, learned) in zip(grid[0], panels.items(), strict=True):
        axes.quiver(
            *at.T, *np.asarray(exact[title], dtype=float).T, color=MUTED, width=0.011, **how
        )
        axes.quiver(*at.T, *np.asarray(learned, dtype=float).T, color=COLORS[1], width=0.005, **how)
        axes.plot(*np.asarray(sites[title], dtype=float).T, "+", color=INK, markersize=9)
        axes.set(title=title, xlim=(-3, 3), ylim=(-3, 3), aspect="equal")
        axes.set(xticks=[-2, 0, 2], yticks=[-2, 0, 2])
    return figure


@styled
def quality(steps: Sequence[int], curves: Mapping[str, ArrayLike], what: str) -> Figure:
    """Draw how good samples are against the number of steps, a curve for each way of going back.

    Parameters
    ----------
    steps : sequence of int
        Numbers of steps, drawn at equal distances.
    curves : mapping of str to array_like, shape (seeds, steps)
        Percent, by name: the curve is the mean over seeds, and each seed is a marker.
    what : str
        The label of the axis.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.2)
    at = np.arange(len(steps))
    looks = zip(curves.items(), COLORS, LINE_STYLES, MARKERS, strict=False)
    for k, ((name, values), color, line, marker) in enumerate(looks):
        values = np.asarray(values, dtype=float)
        # Side by side, so that markers of different curves do not hide each other.
        x = at + 0.06 * (k - (len(curves) - 1) / 2)
        axes.plot(x, values.mean(axis=0), color=color, linestyle=line, label=name)
        axes.plot(x, values.T, marker, color=color, markersize=4)
    axes.set(xlabel="steps from noise to sample", ylabel=what, ylim=(-3, 103))
    axes.set_xticks(at, [str(count) for count in steps])
    axes.legend(loc="lower right")
    return figure


@styled
def trade(
    weights: Sequence[float], fidelity: ArrayLike, diversity: ArrayLike, real: tuple[float, float]
) -> Figure:
    """Draw what guidance gives and what it takes.

    Parameters
    ----------
    weights : sequence of float
    fidelity, diversity : array_like, shape (seeds, weights)
        Percent; and a mean distance between samples.
    real : (float, float)
        Both numbers for real samples: dotted lines.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, grid = new_figure(1, 2, height=2.8, sharex=True)
    names = "drawn as asked (%)", "distance within a digit"
    at = np.arange(len(weights))
    for axes, values, name, level, k in zip(
        grid, (fidelity, diversity), names, real, (0, 1), strict=True
    ):
        values = np.asarray(values, dtype=float)
        axes.axhline(level, color=MUTED, linestyle=":", label="real digits")
        axes.plot(at, values.mean(axis=0), color=COLORS[k], linestyle=LINE_STYLES[k], label="drawn")
        axes.plot(at, values.T, MARKERS[k], color=COLORS[k], markersize=4)
        axes.set(xlabel="weight of the guidance", ylabel=name)
        axes.set_xticks(at, [f"{weight:g}" for weight in weights])
        axes.legend(loc="lower right" if k == 0 else "center right")
    return figure
