"""Draw the figures of the chapter *Regularization*."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import ArrayLike

from course_lib.plotting import drawings
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

__all__ = ["boundaries", "by_heart", "dropped", "gaps", "penalties", "used_pixels"]

WIDTH = 5.8  # inches: narrow enough for the letters to stay legible on a phone


@styled
def by_heart(
    curves: Mapping[str, ArrayLike], *, best: int | None = None, note: str = "stop here"
) -> Figure:
    """Draw shares that change from epoch to epoch.

    Parameters
    ----------
    curves : mapping of str to array_like, shape (epochs,) or (runs, epochs)
        Name of a share, and its values from 0 to 1. Of several runs the mean is drawn, and a band
        from the lowest to the highest.
    best : int, optional
        An epoch to mark, counted from 1.
    note : str
        What to write there.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(width=WIDTH, height=3.3)
    for color, style, (name, values) in zip(COLORS, LINE_STYLES, curves.items(), strict=False):
        runs = np.atleast_2d(np.asarray(values, dtype=float))
        epochs = np.arange(1, runs.shape[1] + 1)
        axes.fill_between(epochs, runs.min(axis=0), runs.max(axis=0), color=color, alpha=0.18, lw=0)
        axes.plot(epochs, runs.mean(axis=0), color=color, linestyle=style, label=name)
    if best is not None:
        axes.axvline(best, color=MUTED, linewidth=1, linestyle=":")
        axes.annotate(
            note, (best, 0.02), xytext=(5, 0), textcoords="offset points", color=MUTED, fontsize=9.5
        )
    axes.set(xlabel="epoch", ylabel="share", ylim=(0, 1.03))
    axes.set_xlim(left=1)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.legend(loc="center right")
    return figure


@styled
def gaps(
    results: Mapping[str, tuple[Sequence[float], Sequence[float]]], *, right: float | None = None
) -> Figure:
    """Draw for each method what it got right of what it had seen, and of what it had not.

    Parameters
    ----------
    results : mapping of str to (seen, unseen)
        Name of a method; shares from 0 to 1, one for each run.
    right : float, optional
        The share of the labels that are right. A network without a fault would repeat so many of
        those that it has seen, and all of the others: both places are marked.

    Returns
    -------
    matplotlib.figure.Figure
        Methods from the best on unseen samples, at the top, to the worst.
    """
    order = sorted(results, key=lambda name: float(np.mean(results[name][1])))
    figure, axes = new_figure(width=WIDTH, height=1.1 + 0.34 * len(order))
    for height, name in enumerate(order):
        seen, unseen = (np.asarray(part, dtype=float) for part in results[name])
        ends = [unseen.mean(), seen.mean()]
        axes.plot(ends, [height] * 2, color=MUTED, linestyle="-", linewidth=2, alpha=0.6)
        for runs, color, marker, label in (
            (unseen, COLORS[0], MARKERS[0], "unseen, right labels"),
            (seen, COLORS[1], MARKERS[1], "seen, a fifth of the labels wrong"),
        ):
            axes.plot(
                runs,
                np.full(len(runs), height),
                linestyle="",
                marker=marker,
                color=color,
                alpha=0.75,
                label=label if height == 0 else None,
            )
    if right is not None:
        top = len(order) - 0.35
        for place, color, style, words, side in (
            (right, COLORS[1], LINE_STYLES[1], "ideal, seen", "center"),
            (1.0, COLORS[0], LINE_STYLES[0], "ideal, unseen", "center"),
        ):
            axes.axvline(place, color=color, linestyle=style, linewidth=1.2, alpha=0.8)
            axes.text(place, top, words, color=color, fontsize=9, ha=side, va="bottom")
    axes.set_yticks(range(len(order)), order)
    axes.set(xlabel="share answered as labeled", ylim=(-0.6, len(order) - 0.4))
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    handles, names = axes.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=2, frameon=False)
    return figure


@styled
def used_pixels(weights: Mapping[str, ArrayLike]) -> Figure:
    """Draw how much each pixel weighs in the first layer, a panel for each network.

    Parameters
    ----------
    weights : mapping of str to array_like, shape (64, units)
        Name of a network and the weights of its first layer.

    Returns
    -------
    matplotlib.figure.Figure
        The area of a square is the mean size of a pixel's weights; a cross marks pixels all of
        whose weights are exactly 0.
    """
    sizes = {name: np.abs(np.asarray(w, dtype=float)).mean(axis=1) for name, w in weights.items()}
    width = WIDTH if len(sizes) < 4 else 7.0
    figure, panels = new_figure(1, len(sizes), width=width, height=width / len(sizes) + 0.35)
    rows, columns = np.divmod(np.arange(64), 8)
    # The largest square nearly fills its pixel.
    side = 72 * 0.7 * width / len(sizes) / 8.2
    for panel, (name, size) in zip(np.atleast_1d(panels), sizes.items(), strict=True):
        used = size > 0
        area = side**2 * size[used] / size.max()
        panel.scatter(columns[used], rows[used], s=area, marker="s", color=COLORS[0], linewidth=0)
        panel.plot(columns[~used], rows[~used], "x", color=MUTED, markersize=3.5)
        panel.set(title=name, xlim=(-0.6, 7.6), ylim=(7.6, -0.6), aspect="equal")
        panel.set(xticks=[], yticks=[])
        panel.spines[["top", "right"]].set_visible(True)
        panel.spines[:].set_alpha(0.3)
    return figure


@styled
def boundaries(
    reach: float,
    regions: Mapping[str, ArrayLike],
    points: ArrayLike,
    labels: ArrayLike,
    wrong: ArrayLike,
) -> Figure:
    """Draw where networks with two inputs say yes, a panel for each, and what they learned from.

    Parameters
    ----------
    reach : float
        Both inputs go from minus this number to this number.
    regions : mapping of str to array_like, shape (m, m)
        Name of a network, and by how much it prefers yes on an even grid: a row for each value of
        the second input, from the lowest.
    points : array_like, shape (n, 2)
        Samples.
    labels : array_like, shape (n,)
        1 for yes and 0 for no.
    wrong : array_like of bool, shape (n,)
        Which of the labels are wrong; these get a ring.

    Returns
    -------
    matplotlib.figure.Figure
    """
    points, labels, wrong = np.asarray(points), np.asarray(labels), np.asarray(wrong)
    figure, panels = new_figure(1, len(regions), width=7.0, height=7.0 / len(regions) + 0.2)
    for panel, (name, yes) in zip(np.atleast_1d(panels), regions.items(), strict=True):
        yes = np.asarray(yes, dtype=float)
        x = np.linspace(-reach, reach, len(yes))
        panel.contourf(x, x, yes, levels=[0, np.inf], colors=[COLORS[0]], alpha=0.16)
        panel.contour(x, x, yes, levels=[0], colors=[INK], linewidths=1.4, linestyles="-")
        for value, color, marker, label in (
            (1, COLORS[0], MARKERS[0], "labeled yes"),
            (0, COLORS[1], MARKERS[1], "labeled no"),
        ):
            panel.plot(
                *points[labels == value].T,
                marker,
                color=color,
                markersize=4.5,
                markeredgecolor=PAPER,
                markeredgewidth=0.4,
                label=label,
            )
        panel.plot(
            *points[wrong].T,
            "o",
            markersize=10,
            markerfacecolor="none",
            markeredgecolor=INK,
            markeredgewidth=1.1,
            label="wrong label",
        )
        panel.set(title=name, aspect="equal", xlim=(-reach, reach), ylim=(-reach, reach))
        panel.set(xticks=[], yticks=[], xlabel="$x_1$", ylabel="$x_2$")
        panel.spines[["top", "right"]].set_visible(True)
    handles, names = np.atleast_1d(panels)[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=3, frameon=False)
    return figure


@styled
def penalties(
    hessian: ArrayLike, bottom: ArrayLike, best: Mapping[str, ArrayLike], budget: float
) -> Figure:
    """Draw a bowl of two weights, and the lowest place that each penalty lets them reach.

    Parameters
    ----------
    hessian : array_like, shape (2, 2)
        Curvatures of the loss.
    bottom : array_like, shape (2,)
        Where the loss is lowest.
    best : mapping of str to array_like, shape (2,)
        ``"L2"`` and ``"L1"``, and the lowest place on or inside the circle or the diamond.
    budget : float
        How far circle and diamond reach along each axis.

    Returns
    -------
    matplotlib.figure.Figure
    """
    hessian, bottom = np.asarray(hessian, dtype=float), np.asarray(bottom, dtype=float)
    turn = np.linspace(0, 2 * np.pi, 361)
    shapes = {
        "L2": ("a circle", np.column_stack([np.cos(turn), np.sin(turn)])),
        "L1": ("a diamond", np.array([[1, 0], [0, 1], [-1, 0], [0, -1], [1, 0]])),
    }
    low, high = -1.35 * budget, 1.6 * bottom.max()
    side = np.linspace(low, high, 121)
    away = np.stack(np.meshgrid(side, side), axis=-1) - bottom
    loss = np.einsum("...i,ij,...j->...", away, hessian, away) / 2
    figure, panels = new_figure(1, 2, width=7.0, height=3.5, sharey=True)
    for panel, (name, place) in zip(panels, best.items(), strict=True):
        words, outline = shapes[name]
        there = np.asarray(place, dtype=float)
        touched = (there - bottom) @ hessian @ (there - bottom) / 2
        panel.contour(
            side,
            side,
            loss,
            levels=touched * np.array([0.05, 0.25, 0.6, 1.0, 1.6, 2.4]),
            colors=[MUTED],
            linewidths=[0.8, 0.8, 0.8, 1.6, 0.8, 0.8],
            linestyles="-",
        )
        panel.fill(*(budget * outline).T, color=COLORS[0], alpha=0.18, linewidth=0)
        panel.plot(*(budget * outline).T, color=COLORS[0], linestyle="-", linewidth=1.8)
        panel.axhline(0, color=INK, linewidth=0.8)
        panel.axvline(0, color=INK, linewidth=0.8)
        panel.plot(*bottom, "P", color=INK, markersize=8)
        panel.annotate(
            "bottom",
            bottom,
            (7, 7),
            textcoords="offset points",
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.8, "alpha": 0.85},
        )
        panel.plot(*there, "o", color=COLORS[1], markersize=8, markeredgecolor=PAPER)
        panel.set(title=f"{name}: {words}", aspect="equal", xlabel="$w_1$")
        panel.set(xlim=(low, high), ylim=(low, high))
        panel.set(xticks=budget * np.arange(-1, 3), yticks=budget * np.arange(-1, 3))
        panel.grid(visible=False)
    panels[0].set_ylabel("$w_2$")
    return figure


@styled
def dropped(masks: Mapping[str, Sequence[ArrayLike]], *, ends: tuple[int, int] = (3, 2)) -> Figure:
    """Draw the network that is left for each of several samples when units are silenced.

    Parameters
    ----------
    masks : mapping of str to sequence of array_like of bool, each of shape (units,)
        Name of a sample, and for each hidden layer which units remain.
    ends : (int, int)
        How many inputs and outputs to draw.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, panels = new_figure(1, len(masks), width=7.0, height=3.5)
    # Titles and frames first: a network is fitted into what they leave of a panel.
    for panel, name in zip(np.atleast_1d(panels), masks, strict=True):
        panel.set_title(name)
        panel.set_axis_off()
    for panel, layers in zip(np.atleast_1d(panels), masks.values(), strict=True):
        remain = [np.asarray(layer, dtype=bool) for layer in layers]
        sizes = (ends[0], *map(len, remain), ends[1])
        drawings.network(
            sizes,
            labels=["input", *[f"hidden {k + 1}" for k in range(len(remain))], "output"],
            silenced=[
                (depth, int(unit))
                for depth, layer in enumerate(remain, start=1)
                for unit in np.flatnonzero(~layer)
            ],
            axes=panel,
        )
    return figure
