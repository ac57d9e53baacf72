"""Draw the figures of the chapter *Activation functions*."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import ArrayLike

from course_lib.plotting.style import (
    COLORS,
    INK,
    LINE_STYLES,
    MARKERS,
    MUTED,
    PAPER,
    logarithmic,
    new_figure,
    power,
    styled,
)

__all__ = ["chain", "curves", "dead_units", "fits", "hinges", "ranges"]

WIDTH = 5.8  # inches: narrow enough for the letters to stay legible on a phone
HALO = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.0, "alpha": 0.85}


@styled
def fits(x: ArrayLike, target: ArrayLike, networks: Mapping[str, ArrayLike]) -> Figure:
    """Draw what each network made of a curve that it was to learn.

    Parameters
    ----------
    x : array_like, shape (n,)
        Inputs, in ascending order.
    target : array_like, shape (n,)
        The curve.
    networks : mapping of str to array_like, shape (n,)
        Name of a network and what it answers at `x`; at most three.

    Returns
    -------
    matplotlib.figure.Figure
    """
    x, target = np.asarray(x), np.asarray(target)
    figure, axes = new_figure(width=WIDTH, height=3.1)
    axes.plot(x, target, color=MUTED, linewidth=6, alpha=0.35, solid_capstyle="round")
    lowest = int(np.argmin(target))
    _label(axes, "target", x[lowest], target[lowest], MUTED, dx=-18, dy=18)
    # Names stand where a period of a sine and a line through it are far from each other: below
    # the line behind the middle, and left of the top.
    places = ((0.60, 8, -12, "left"), (0.66, -8, 4, "right"), (0.30, 8, -12, "left"))
    for (place, dx, dy, side), color, style, (name, answer) in zip(
        places, COLORS, LINE_STYLES, networks.items(), strict=False
    ):
        answer = np.asarray(answer)
        axes.plot(x, answer, color=color, linestyle=style)
        i = int(place * len(x))
        _label(axes, name, x[i], answer[i], color, dx=dx, dy=dy, ha=side)
    axes.set_xlabel("input x")
    axes.set_ylabel("output")
    return figure


@styled
def curves(z: ArrayLike, functions: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> Figure:
    """Draw functions and their slopes, a panel each, on common axes.

    Parameters
    ----------
    z : array_like, shape (n,)
        Where the functions were computed.
    functions : mapping of str to (values, slopes)
        Name of a function, its values and its slopes at `z`, each of shape (n,). A name may carry
        a second line.

    Returns
    -------
    matplotlib.figure.Figure
    """
    z = np.asarray(z)
    columns = 2
    rows = -(-len(functions) // columns)
    figure, panels = new_figure(
        rows, columns, width=WIDTH, height=2.0 * rows, sharex=True, sharey=True
    )
    panels = np.ravel(panels)
    for axes, (name, (values, slopes)) in zip(panels, functions.items(), strict=False):
        values, slopes = np.asarray(values), np.asarray(slopes)
        axes.axhline(0, color=MUTED, linewidth=0.8)
        axes.axvline(0, color=MUTED, linewidth=0.8)
        axes.plot(z, values, color=COLORS[0], linestyle="-", linewidth=2.2)
        for start, stop in _pieces(slopes):
            axes.plot(z[start:stop], slopes[start:stop], color=COLORS[1], linestyle="--")
        axes.set_title(name)
        axes.set_ylim(-1.3, 2.3)
        steepest = float(np.nanmax(slopes))
        axes.text(
            0.96,
            0.04,
            f"steepest: {steepest:.3g}",
            transform=axes.transAxes,
            ha="right",
            fontsize=9.5,
            color=COLORS[1],
            bbox=HALO,
        )
    for axes in panels[len(functions) :]:
        axes.set_visible(False)
    _name_curves(panels[0], z, *next(iter(functions.values())))
    for axes in panels[::columns]:
        axes.set_ylabel("value, slope")
    for axes in panels[-columns:]:
        axes.set_xlabel("pre-activation z")
    return figure


@styled
def chain(slopes: Mapping[str, ArrayLike], largest: float) -> Figure:
    """Draw what is left of a slope behind a chain of neurons.

    Parameters
    ----------
    slopes : mapping of str to array_like, shape (k + 1,)
        Name of an activation function and the slope of the chain behind 0, 1, ..., k neurons.
    largest : float
        A factor that one neuron cannot exceed; its powers are drawn as a bound.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(width=WIDTH, height=3.4)
    depth = max(len(np.asarray(slope)) for slope in slopes.values()) - 1
    layers = np.arange(depth + 1)
    axes.fill_between(layers, largest**layers, 10.0, color=MUTED, alpha=0.10, linewidth=0)
    axes.plot(layers, largest**layers, color=MUTED, linestyle=":", linewidth=1.4)
    # In the upper right of the shade, where the bound has fallen furthest.
    axes.text(
        depth * 0.98,
        largest ** (0.45 * depth),
        f"out of reach for sigmoids:\nabove {largest:g}ᵏ, dotted",
        ha="right",
        va="center",
        color=MUTED,
        fontsize=9.5,
    )
    for color, style, marker, (name, slope) in zip(
        COLORS, LINE_STYLES, MARKERS, slopes.items(), strict=False
    ):
        slope = np.asarray(slope)
        axes.plot(layers, slope, color=color, linestyle=style, marker=marker)
        end = slope[-1]
        shown = f"{end:.2g}" if end >= 0.01 else _power(end)
        axes.annotate(
            f"{name}: {shown}",
            (depth, end),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=color,
            fontweight="bold",
        )
    logarithmic(axes.yaxis)
    axes.set_ylim(min(float(np.min(s)) for s in slopes.values()) / 4, 4)
    axes.set_xlim(-0.2, depth * 1.28)
    axes.set_xticks(layers[::2])
    axes.set_xlabel("neurons in the chain, k")
    axes.set_ylabel("slope of the chain")
    return figure


@styled
def hinges(
    x: ArrayLike,
    target: ArrayLike,
    parts: ArrayLike,
    corners: ArrayLike,
    units: Sequence[int],
    errors: Mapping[str, ArrayLike],
    goal: float,
) -> Figure:
    """Draw hinges, the curve that they add up to, and its error as they grow in number.

    Parameters
    ----------
    x, target : array_like, shape (n,)
        The curve that was asked for.
    parts : array_like, shape (n, k + 1)
        What is added up: each unit times its output weight, and the bias last.
    corners : array_like, shape (k,)
        Where the fit bends.
    units : sequence of int
        Numbers of units.
    errors : mapping of str to array_like, shape (len(units),) or (seeds, len(units))
        Name of a way to choose the units, and its mean squared error; with several seeds, the
        median is drawn and the range is shaded. `nan` where nothing was measured.
    goal : float
        An error to mark.

    Returns
    -------
    matplotlib.figure.Figure
    """
    x, parts, corners = np.asarray(x), np.asarray(parts), np.asarray(corners)
    fit = parts.sum(axis=1)
    figure, (first, upper, lower) = new_figure(
        3, 1, width=WIDTH, height=7.8, height_ratios=(1, 1, 1.5)
    )
    for i, (corner, part) in enumerate(zip(corners, parts.T[:-1], strict=True)):
        color = COLORS[i % len(COLORS)]
        beyond = x >= corner - 1e-9  # before its corner it is 0, and would hide the others
        first.plot(x[beyond], part[beyond], color=color, linestyle="-")
        first.plot(corner, 0, "o", color=color, markersize=6, zorder=5)
    first.plot(x, parts[:, -1], color=MUTED, linestyle=":")
    first.set_title("Each unit times its weight, and the bias (dotted)")
    first.set_ylabel("part")
    first.sharex(upper)
    first.tick_params(labelbottom=False)
    upper.plot(x, target, color=MUTED, linewidth=6, alpha=0.35)
    upper.plot(x, fit, color=COLORS[0], linestyle="-")
    upper.plot(corners, np.interp(corners, x, fit), "o", color=COLORS[0], markersize=6)
    upper.set_title(f"Their sum: {len(corners)} ReLU units")
    upper.set_xlabel("input x")
    upper.set_ylabel("output")

    lower.axhline(goal, color=MUTED, linestyle=":", linewidth=1.4)
    ends = {}
    lower.text(units[0], goal * 0.8, f"{goal:g}", color=MUTED, fontsize=9.5, va="top")
    for color, style, marker, (name, error) in zip(
        COLORS, LINE_STYLES, MARKERS, errors.items(), strict=False
    ):
        runs = np.atleast_2d(error)
        measured = ~np.isnan(runs).any(axis=0)
        n, runs = np.asarray(units)[measured], runs[:, measured]
        middle = np.median(runs, axis=0)
        if len(runs) > 1:
            low, high = runs.min(axis=0), runs.max(axis=0)
            lower.fill_between(n, low, high, color=color, alpha=0.18, linewidth=0)
        lower.plot(n, middle, color=color, linestyle=style, marker=marker)
        ends[name] = (n[-1], middle[-1], color)
    lower.set_xscale("log", base=2)
    logarithmic(lower.yaxis)
    lower.set_xticks(list(units), [f"{n}" for n in units])
    lower.minorticks_off()
    lower.set_xlim(units[0] * 0.85, units[-1] * 3.6)
    _label_ends(lower, ends)
    lower.set_title("Error as units grow")
    lower.set_xlabel("number of units")
    lower.set_ylabel("mean squared error")
    return figure


@styled
def dead_units(
    rates: Sequence[float],
    dead: Mapping[str, ArrayLike],
    accuracy: Mapping[str, ArrayLike],
) -> Figure:
    """Draw dead units and accuracy against the learning rate.

    Parameters
    ----------
    rates : sequence of float
        Learning rates.
    dead, accuracy : mapping of str to array_like, shape (seeds, len(rates))
        Name of an activation function, and for each seed and rate the share of dead units and the
        accuracy, both between 0 and 1. The median is drawn and the range is shaded.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, panels = new_figure(2, 1, width=WIDTH, height=5.6, sharex=True, sharey=True)
    places = np.arange(len(rates))  # evenly spaced: the rates are neither linear nor geometric
    titles = ("Dead units", "Accuracy on the validation set")
    for axes, title, shares in zip(panels, titles, (dead, accuracy), strict=True):
        ends = {}
        for color, style, marker, (name, runs) in zip(
            COLORS, LINE_STYLES, MARKERS, shares.items(), strict=False
        ):
            runs = np.atleast_2d(runs)
            middle = np.median(runs, axis=0)
            axes.fill_between(
                places, runs.min(axis=0), runs.max(axis=0), color=color, alpha=0.18, linewidth=0
            )
            axes.plot(places, middle, color=color, linestyle=style, marker=marker)
            ends[name] = (places[-1], middle[-1], color)
        axes.set_title(title)
        axes.set_xticks(places, [f"{rate:g}" for rate in rates])
        axes.set_xlim(-0.3, 1.25 * len(rates) - 1)
        axes.set_ylim(-0.03, 1.05)
        _label_ends(axes, ends)
        axes.yaxis.set_major_formatter(PercentFormatter(1))
    panels[0].set_ylabel("share of hidden units")
    panels[1].set_ylabel("share of images")
    panels[1].set_xlabel("learning rate")
    return figure


@styled
def ranges(panels: Mapping[str, ArrayLike]) -> Figure:
    """Draw where each unit's pre-activations lie, and which units never cross zero.

    Parameters
    ----------
    panels : mapping of str to array_like, shape (n, units)
        Title, and the pre-activations of n samples in each unit.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, row = new_figure(1, len(panels), width=WIDTH, height=3.2, sharey=True)
    for axes, (title, z) in zip(np.ravel(row), panels.items(), strict=True):
        low, high = np.min(z, axis=0), np.max(z, axis=0)
        order = np.argsort(low + high)
        low, high = low[order], high[order]
        groups = {  # name: which units, color, width of the bar, where the count is written
            "on and off": ((low <= 0) & (high > 0), MUTED, 1.0, None),
            "dead": (high <= 0, COLORS[1], 2.2, (0.97, 0.05, "right")),
            "never off": (low > 0, COLORS[0], 2.2, (0.03, 0.95, "left")),
        }
        axes.axhline(0, color=INK, linewidth=1.0)
        for name, (these, color, width, place) in groups.items():
            units = np.flatnonzero(these)
            axes.vlines(units, low[units], high[units], color=color, linewidth=width)
            if place:
                across, up, side = place
                axes.text(
                    across,
                    up,
                    f"{name}: {len(units)}",
                    transform=axes.transAxes,
                    ha=side,
                    va="center",
                    color=color,
                    fontweight="bold",
                )
        axes.set_title(title)
        axes.set_xticks([])
        axes.set_xlabel("hidden units, sorted")
    np.ravel(row)[0].set_ylabel("pre-activation z")
    return figure


def _label(
    axes: Axes,
    text: str,
    x: float,
    y: float,
    color: str = INK,
    dx: float = 6,
    dy: float = 0,
    ha: str = "left",
) -> None:
    axes.annotate(
        text,
        (x, y),
        xytext=(dx, dy),
        textcoords="offset points",
        ha=ha,
        va="center",
        color=color,
        fontweight="bold",
        bbox=HALO,
    )


def _name_curves(axes: Axes, z: np.ndarray, values: ArrayLike, slopes: ArrayLike) -> None:
    """Write "value" and "slope" above the right ends of a panel's curves."""
    for name, color, heights in zip(("value", "slope"), COLORS, (values, slopes), strict=False):
        i = int(0.93 * len(z))
        axes.annotate(
            name,
            (z[i], np.asarray(heights)[i]),
            xytext=(0, 5),
            textcoords="offset points",
            ha="center",
            va="bottom",
            color=color,
        )


def _label_ends(axes: Axes, ends: Mapping[str, tuple[float, float, str]]) -> None:
    """Write each curve's name behind its last point, moving names apart where they would overlap.

    `ends` maps a name to the point (x, y) and the color. The limits of the axes must be set.
    """
    to_share = axes.transScale + axes.transLimits  # data to shares of the panel's width and height
    places = {name: to_share.transform((x, y)) for name, (x, y, _) in ends.items()}
    lowest_free = -np.inf
    for name in sorted(places, key=lambda name: places[name][1]):
        across, up = places[name]
        up = max(up, lowest_free)
        lowest_free = up + 0.075
        axes.text(
            across + 0.03,
            up,
            name,
            transform=axes.transAxes,
            va="center",
            color=ends[name][2],
            fontweight="bold",
            fontsize=9.5,
        )


def _pieces(slopes: np.ndarray) -> list[tuple[int, int]]:
    """Split at jumps, so that no vertical line is drawn where a slope is undefined."""
    jumps = np.flatnonzero(np.abs(np.diff(slopes)) > 0.5) + 1
    ends = [0, *jumps.tolist(), len(slopes)]
    return list(pairwise(ends))


def _power(value: float) -> str:
    """Write 2.4e-07 as a number times a power of ten."""
    exponent = int(np.floor(np.log10(value)))
    return f"{value / 10.0**exponent:.1f}×{power(10.0**exponent)}"
