"""Figures of the chapter *Medicine*."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from course_lib.plotting.drawings import Point, arrow, blank, box, label, node
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

__all__ = ["confounding", "decisions", "hospitals", "messages", "patients", "smoothing", "splits"]

_ROWS = 25


@styled
def patients(panels: Mapping[str, Sequence[int]]) -> Figure:
    """Draw patients as icons: the ill and the healthy, with an alarm and without.

    Parameters
    ----------
    panels : mapping of str to sequence of int
        For each panel four counts: ill with an alarm, healthy with an alarm, ill without, healthy
        without. Each icon is a patient; those with an alarm stand first.

    Returns
    -------
    matplotlib.figure.Figure
    """
    names = ("ill, alarm", "healthy, alarm", "ill, no alarm", "healthy, no alarm")
    looks = (
        {"marker": "s", "s": 13, "color": COLORS[1], "linewidths": 0},
        {"marker": "^", "s": 14, "color": COLORS[0], "linewidths": 0},
        {"marker": "s", "s": 11, "facecolors": PAPER, "edgecolors": COLORS[1], "linewidths": 1.2},
        {"marker": "o", "s": 5, "color": MUTED, "alpha": 0.5, "linewidths": 0},
    )
    figure, axes = new_figure(1, len(panels), height=3.3)
    for panel, (title, counts) in zip(np.atleast_1d(axes), panels.items(), strict=True):
        start = 0
        for name, look, count in zip(names, looks, counts, strict=True):
            column, row = np.divmod(np.arange(start, start + count), _ROWS)
            panel.scatter(column, -row, label=name, **look)
            start += count
        panel.set_title(title)
        panel.text(
            0, -_ROWS - 0.6, f"alarms: {counts[0]} ill, {counts[1]} healthy", va="top", fontsize=9.5
        )
        panel.set_axis_off()
        panel.set_xlim(-1, 40)
        panel.set_ylim(-_ROWS - 3, 1)
        panel.set_aspect("equal")
    handles, labels = np.atleast_1d(axes)[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=4, frameon=False, markerscale=1.8,
        handletextpad=0.1, columnspacing=1.4,
    )  # fmt: skip
    return figure


@styled
def confounding() -> Figure:
    """Draw what the hospital does: it is the only thing that joins the marker and the illness.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=1.9)
    blank(axes, 7.0, 1.9)
    hospital = box(axes, (0.8, 0.95), "hospital", color=COLORS[1], thick=True)
    illness = box(axes, (2.95, 1.5), "illness")
    marker = box(axes, (2.95, 0.4), "marker", color=COLORS[1])
    cells = box(axes, (5.0, 1.5), "cells")
    score = box(axes, (6.4, 0.95), "score")
    # Which hospital a patient goes to depends on the illness, and not the other way: no head.
    arrow(axes, hospital, illness, "85 % of the ill", color=COLORS[1], head=False, style="--")
    arrow(axes, hospital, marker, "its machine", color=COLORS[1], width=2.0, below=True)
    arrow(axes, illness, cells, "the honest path")
    arrow(axes, cells, score)
    arrow(axes, marker, score, "the shortcut", color=COLORS[1], width=2.0, below=True)
    return figure


@styled
def decisions(
    thresholds: ArrayLike,
    curves: Mapping[str, ArrayLike],
    low: float,
    high: float,
) -> Figure:
    """Draw decision curves: net benefit against the threshold.

    Parameters
    ----------
    thresholds : array_like, shape (m,)
        From 0 to 1.
    curves : mapping of str to array_like, shape (m,)
        Net benefit in patients of 100.
    low, high : float
        Ends of the vertical axis: treating everybody falls without end.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.3)
    axes.axhline(0, color=MUTED, linewidth=1.2)
    for (name, values), color, style in zip(curves.items(), COLORS, LINE_STYLES, strict=False):
        axes.plot(100 * np.asarray(thresholds), values, color=color, linestyle=style, label=name)
    axes.text(50, -0.6, "treat nobody", va="top", color=MUTED, fontsize=9.5)
    axes.set_ylim(low, high)
    axes.set_xlim(0, 100)
    axes.set_xlabel("treated at a predicted risk of at least (%)")
    axes.set_ylabel("net benefit (per 100 patients)")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
    return figure


@styled
def hospitals(models: Mapping[str, Mapping[str, ArrayLike]]) -> Figure:
    """Draw how well models rank patients at home and elsewhere.

    Parameters
    ----------
    models : mapping of str to mapping of str to array_like, shape (runs,)
        For each model, AUROC by where it was measured. The same places for each.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.2)
    places = list(next(iter(models.values())))
    axes.axhline(0.5, color=MUTED, linestyle=":", linewidth=1.2)
    axes.text(-0.45, 0.51, "coin", va="bottom", color=MUTED, fontsize=9.5)
    for k, ((name, found), color, marker) in enumerate(
        zip(models.items(), COLORS, MARKERS, strict=False)
    ):
        shift = 0.2 * (k - (len(models) - 1) / 2)
        for x, place in enumerate(places):
            runs = np.asarray(found[place], dtype=float)
            axes.plot(
                np.full(len(runs), x + shift), runs, marker, color=color, markersize=3.5, alpha=0.4,
                markeredgewidth=0,
            )  # fmt: skip
            axes.plot(
                x + shift, runs.mean(), marker, color=color, markersize=8.5,
                label=name if x == 0 else None,
            )  # fmt: skip
    axes.set_xticks(range(len(places)), places)
    axes.set_xlim(-0.5, len(places) - 0.5)
    axes.grid(visible=False, axis="x")
    axes.set_ylabel("AUROC")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(models), frameon=False)
    return figure


@styled
def messages(
    symbols: Sequence[str],
    places: Sequence[Point],
    bonds: Sequence[tuple[int, int]],
    before: Sequence[int],
    after: Sequence[int],
    at: int,
) -> Figure:
    """Draw a molecule as a graph, the messages to one atom, and all atoms after a round.

    Parameters
    ----------
    symbols : sequence of str
        What stands beside each atom.
    places : sequence of (float, float)
        Where each is drawn, in inches, from the corner of its panel.
    bonds : sequence of (int, int)
        Each once.
    before, after : sequence of int
        A number for each atom, before and after the round.
    at : int
        The atom whose messages are shown.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=2.5)
    blank(axes, 7.0, 2.5)
    around = [j if i == at else i for i, j in bonds if at in (i, j)]
    panels = (
        ("1. A number per atom", before),
        ("2. Neighbors send theirs", before),
        ("3. Own number + sum", after),
    )
    for k, (title, numbers) in enumerate(panels):
        left = 0.1 + 2.36 * k
        label(axes, (left, 2.33), title, bold=True, ha="left", size=9.5)
        drawn = []
        for i, (x, y) in enumerate(places):
            marked = (k == 1 and i == at) or k == 2
            drawn.append(
                node(
                    axes, (left + x, y), str(numbers[i]), radius=0.19, thick=marked,
                    color=COLORS[1] if k == 1 and i == at else INK,
                )
            )  # fmt: skip
            dx, dy = _aside(i, places, bonds)
            label(axes, (left + x + dx, y + dy), symbols[i], size=9.5, color=MUTED)
        for i, j in bonds:
            sends = k == 1 and at in (i, j)
            if not sends:
                arrow(
                    axes, drawn[i], drawn[j], head=False, gap=0.0, color=GRID if k == 1 else MUTED
                )
        if k == 1:
            for i in around:
                arrow(axes, drawn[i], drawn[at], color=COLORS[1], width=2.0, gap=0.02)
    terms = " + ".join(str(before[i]) for i in (at, *around))
    label(axes, (2.36 + 0.1, 0.14), f"{terms} = {after[at]}", ha="left", color=COLORS[1])
    return figure


def _aside(i: int, places: Sequence[Point], bonds: Sequence[tuple[int, int]]) -> Point:
    """Return where a name stands beside its atom: away from the bonds, or below."""
    near = [places[b if a == i else a] for a, b in bonds if i in (a, b)]
    dx = sum(places[i][0] - x for x, _ in near)
    dy = sum(places[i][1] - y for _, y in near)
    length = np.hypot(dx, dy)
    return (0.0, -0.32) if length < 0.3 else (0.4 * dx / length, 0.32 * dy / length)


@styled
def splits(errors: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> Figure:
    """Draw the errors of several methods on two kinds of split.

    Parameters
    ----------
    errors : mapping of str to (array_like, array_like), shape (runs,)
        RMSE on random splits and on splits by scaffold, for each method.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=0.9 + 0.42 * len(errors))
    for y, (random, scaffold) in enumerate(errors.values()):
        axes.plot(
            [np.mean(random), np.mean(scaffold)], [y, y], color=GRID, linestyle="-", linewidth=3,
            zorder=1, solid_capstyle="butt",
        )  # fmt: skip
        for runs, color, marker, name in (
            (random, COLORS[0], "o", "split at random"),
            (scaffold, COLORS[1], "s", "split by scaffold"),
        ):
            values = np.asarray(runs, dtype=float)
            axes.plot(
                values.mean(), y, marker, color=color, markersize=8, label=name if y == 0 else None
            )
            axes.plot(  # on top of the means, with a rim: none is hidden
                values, np.full(len(values), y), marker, color=color, markersize=4,
                markeredgecolor=PAPER, markeredgewidth=0.6, zorder=3,
            )  # fmt: skip
    axes.set_yticks(range(len(errors)), list(errors))
    axes.set_ylim(len(errors) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("RMSE on test molecules (log units)")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
    return figure


@styled
def smoothing(
    rounds: ArrayLike,
    spread: ArrayLike,
    errors: Mapping[str, NDArray[np.float64]],
) -> Figure:
    """Draw what rounds of averaging do to atoms, and to a prediction from them.

    Parameters
    ----------
    rounds : array_like, shape (m,)
    spread : array_like, shape (m,)
        How different the atoms of one molecule are, as a share of how different all atoms are.
    errors : mapping of str to ndarray, shape (runs, m)
        RMSE on test molecules.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(1, 2, height=3.1)
    axes[0].plot(rounds, spread, marker="o", color=INK)
    for k, (name, runs) in enumerate(errors.items()):
        color, style = COLORS[k], LINE_STYLES[k]
        axes[1].plot(
            rounds, runs.mean(axis=0), marker=MARKERS[k], color=color, linestyle=style, label=name
        )
        axes[1].fill_between(
            rounds, runs.min(axis=0), runs.max(axis=0), color=color, alpha=0.18, linewidth=0
        )
    axes[0].set_title("Within a molecule")
    axes[0].set_ylabel("variance within molecules (share)")
    axes[1].set_title("Prediction")
    axes[1].set_ylabel("RMSE (log units)")
    for panel in axes:
        panel.set_ylim(bottom=0)
        panel.set_xlabel("rounds")
    axes[1].legend(loc="lower right")
    return figure
