"""Figures of the chapter *Evaluation*."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_lib.metrics import Reliability
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
    "by_group",
    "claims",
    "frontier",
    "intervals",
    "leaks",
    "paired",
    "sources",
    "winners",
]


@styled
def sources(spreads: Mapping[str, float], together: float) -> Figure:
    """Draw where a score gets its chance from, and how much each source adds.

    Parameters
    ----------
    spreads : mapping of str to float
        The standard deviation of the score, in percentage points, when one thing alone is drawn
        anew. The last thing is the test set, which meets the network only after training.
    together : float
        The same when all of them are drawn anew.

    Returns
    -------
    matplotlib.figure.Figure
    """
    width, height = 7.0, 3.4
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    network = box(axes, (4.95, 2.1), "network", width=1.0, height=0.5)
    score = box(axes, (6.4, 2.1), "score", width=0.85, height=0.5, color=COLORS[0], thick=True)
    for row, (name, spread) in enumerate(spreads.items()):
        y = 2.95 - 0.8 * row
        box(axes, (3.12, y), name, width=1.6, height=0.42)
        _bell(axes, (1.58, y - 0.2), spread, COLORS[1])
        label(axes, (0.85, y), f"{spread:.1f} points", size=9.5, ha="right")
        last = row == len(spreads) - 1
        arrow(axes, (3.95, y), score if last else network, bend=0.12 if last else 0.0)
    for points in (-5, 0, 5):
        label(axes, (1.58 + 0.09 * points, y - 0.34), f"{points}".replace("-", "−"), size=9)
    arrow(axes, network, score)
    _bell(axes, (6.3, 2.65), together, COLORS[0])
    label(axes, (6.3, 3.25), f"together {together:.1f} points", size=9.5, color=COLORS[0])
    return figure


def _bell(axes: Axes, at: tuple[float, float], spread: float, color: str) -> None:
    """Draw a normal distribution, 0.09 inches wide for each percentage point of its spread."""
    z = np.linspace(-2.8, 2.8, 80)
    x = at[0] + 0.09 * spread * z
    y = at[1] + 0.45 * np.exp(-(z**2) / 2)
    axes.fill_between(x, at[1], y, color=color, alpha=0.3, linewidth=0, zorder=2)
    axes.plot(x, y, color=color, linestyle="-", linewidth=1.4, zorder=3)
    axes.plot([at[0] - 0.68, at[0] + 0.68], [at[1]] * 2, color=MUTED, linestyle="-", linewidth=0.8)


@styled
def intervals(
    low: ArrayLike,
    high: ArrayLike,
    truth: float,
    coverage: Mapping[str, Mapping[str, tuple[float, float]]],
) -> Figure:
    """Draw many intervals for one truth, and how often intervals of several kinds cover theirs.

    Parameters
    ----------
    low, high : array_like, shape (n,)
        Ends of the intervals, as shares.
    truth : float
    coverage : mapping of str to mapping of str to (float, float)
        For each setting, by the kind of interval, the share that covers, and its standard error.

    Returns
    -------
    matplotlib.figure.Figure
    """
    low, high = 100 * np.asarray(low), 100 * np.asarray(high)
    figure, (left, right) = new_figure(1, 2, height=4.2, width_ratios=[1, 1.15])
    order = np.argsort(low + high, kind="stable")
    misses = (low[order] > 100 * truth) | (high[order] < 100 * truth)
    rows = np.arange(len(order))
    for hit, color, style, thick, name in (
        (~misses, COLORS[0], "-", 1.1, "covers"),
        (misses, COLORS[1], "-", 2.0, "misses"),
    ):
        left.hlines(
            rows[hit],
            low[order][hit],
            high[order][hit],
            color=color,
            linestyle=style,
            linewidth=thick,
            label=f"{name}: {hit.sum()}",
        )
    left.axvline(100 * truth, color=INK, linestyle=":", linewidth=1.4)
    left.set(
        xlabel="accuracy (%)", yticks=[], title=f"{len(rows)} test sets, {len(rows)} intervals"
    )
    left.grid(False)
    left.legend(loc="upper left", handlelength=1.4)
    left.set_xlim(min(low.min(), 100 * truth - 25) - 1, 101)
    kinds = list(next(iter(coverage.values())))
    for k, (kind, color, marker) in enumerate(zip(kinds, COLORS, MARKERS, strict=False)):
        shares = 100 * np.array([setting[kind][0] for setting in coverage.values()])
        errors = 200 * np.array([setting[kind][1] for setting in coverage.values()])
        right.errorbar(
            shares,
            np.arange(len(shares)) + 0.24 * (k - (len(kinds) - 1) / 2),
            xerr=errors,
            color=color,
            marker=marker,
            linestyle="none",
            label=kind,
            capsize=2,
        )
    right.axvline(95, color=INK, linestyle=":", linewidth=1.4)
    right.set_yticks(range(len(coverage)), list(coverage))
    right.invert_yaxis()
    right.set(xlabel="intervals that cover the truth (%)", title="Promised: 95 %", xlim=(0, 103))
    right.legend(loc="lower left")
    return figure


@styled
def paired(first: ArrayLike, second: ArrayLike, apart: ArrayLike, names: Sequence[str]) -> Figure:
    """Draw pairs of scores, and how much their differences vary, paired and unpaired.

    Parameters
    ----------
    first, second : array_like, shape (n,)
        Scores of two recipes in run i, in percent.
    apart : array_like, shape (m,)
        Differences of scores from runs that have nothing in common, in percentage points.
    names : sequence of str
        The two recipes.

    Returns
    -------
    matplotlib.figure.Figure
    """
    first, second = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    figure, (left, right) = new_figure(1, 2, height=3.4, width_ratios=[1, 1.5])
    for a, b in zip(first[:16], second[:16], strict=True):
        up = b >= a
        left.plot(
            [0, 1],
            [a, b],
            color=COLORS[0] if up else COLORS[1],
            linestyle="-" if up else "--",
            marker="o",
            markersize=3.5,
            linewidth=1.3,
        )
    left.set_xticks([0, 1], names)
    left.set(xlim=(-0.3, 1.3), ylabel="accuracy (%)", title="Sixteen pairs of runs")
    together = second - first
    edge = max(np.abs(together).max(), np.abs(apart).max())
    # A point wide, around whole points: scores of 300 answers are thirds of a point.
    bins = np.arange(np.ceil(edge) + 1) + 0.5
    bins = np.concatenate([-bins[::-1], bins])
    right.hist(
        apart,
        bins=bins,
        weights=np.full(len(apart), 100 / len(apart)),
        color=COLORS[1],
        alpha=0.35,
        label="unpaired",
        hatch="///",
        edgecolor=COLORS[1],
        linewidth=0.4,
    )
    right.hist(
        together,
        bins=bins,
        weights=np.full(len(together), 100 / len(together)),
        histtype="step",
        color=COLORS[0],
        linewidth=2,
        linestyle="-",
        label="paired",
    )
    right.axvline(0, color=INK, linestyle=":", linewidth=1.4)
    right.set(xlabel=f"{names[1]} minus {names[0]} (points)", ylabel="pairs (%)")
    right.set_title("Differences")
    right.legend(loc="upper left")
    return figure


@styled
def winners(panels: Mapping[str, tuple[ArrayLike, ArrayLike]], names: Sequence[str]) -> Figure:
    """Draw what candidates scored where one was chosen, and what they score elsewhere.

    Parameters
    ----------
    panels : mapping of str to (array_like, array_like), each of shape (n,)
        The two scores of each candidate, in points above the mean of all, by title. The winner is
        the first of those with the highest first score.
    names : sequence of str
        Where the two scores were measured.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, grid = new_figure(1, len(panels), height=3.7, sharey=True, squeeze=False)
    for axes, (title, (chosen, fresh)) in zip(grid[0], panels.items(), strict=True):
        before, after = np.asarray(chosen, dtype=float), np.asarray(fresh, dtype=float)
        best = int(before.argmax())
        for i, ends in enumerate(zip(before, after, strict=True)):
            if i != best:
                axes.plot([0, 1], ends, color=MUTED, linestyle="-", linewidth=0.8, alpha=0.7)
        axes.plot(
            [0, 1],
            [before[best], after[best]],
            color=COLORS[1],
            linestyle="-",
            marker="o",
            linewidth=2.6,
            label="the winner",
        )
        for x, value, side in ((0, before[best], "right"), (1, after[best], "left")):
            axes.annotate(
                f"{value:+.1f}".replace("-", "−"),
                (x, value),
                (-9 if side == "right" else 9, 0),
                textcoords="offset points",
                color=COLORS[1],
                fontsize=10.5,
                ha=side,
                va="bottom",
            )
        axes.axhline(0, color=INK, linestyle=":", linewidth=1.4)
        axes.set_xticks([0, 1], names)
        axes.set(xlim=(-0.4, 1.4), title=title)
    grid[0, 0].set_ylabel("points above the mean of all")
    grid[0, -1].legend(loc="upper right")
    return figure


@styled
def leaks(
    panels: Mapping[str, tuple[ArrayLike, ArrayLike]], leaked: ArrayLike, xlabel: str
) -> Figure:
    """Draw each test item's score against how much of it the training data hold.

    Parameters
    ----------
    panels : mapping of str to (array_like, array_like), each of shape (n,)
        Overlap and score of each item, as shares, by title.
    leaked : array_like of bool, shape (n,)
        Which items were planted in the training data.
    xlabel : str
        What the overlap is a share of.

    Returns
    -------
    matplotlib.figure.Figure
    """
    planted = np.asarray(leaked, dtype=bool)
    figure, grid = new_figure(1, len(panels), height=3.1, sharey=True, squeeze=False)
    for axes, (title, (overlap, score)) in zip(grid[0], panels.items(), strict=True):
        x, y = 100 * np.asarray(overlap), 100 * np.asarray(score)
        axes.scatter(
            x[~planted],
            y[~planted],
            s=26,
            marker=MARKERS[0],
            facecolor="none",
            edgecolor=COLORS[0],
            linewidths=1.1,
            label="clean",
        )
        axes.scatter(
            x[planted],
            y[planted],
            s=34,
            marker=MARKERS[2],
            color=COLORS[1],
            edgecolor=PAPER,
            linewidths=0.4,
            label="leaked",
        )
        axes.set(title=title, xlabel=xlabel, xlim=(-4, 104), ylim=(0, 104))
    grid[0, 0].set_ylabel("next word right (%)")
    grid[0, -1].legend(loc="lower right")
    return figure


@styled
def by_group(
    panels: Mapping[str, Mapping[str, Reliability]], notes: Sequence[Sequence[str]]
) -> Figure:
    """Draw reliability diagrams with a line for each group.

    Parameters
    ----------
    panels : mapping of str to mapping of str to Reliability
        By title, then by the name of the group.
    notes : sequence of sequence of str
        Lines for the corner of each panel, one for each group in its color.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, grid = new_figure(1, len(panels), height=3.8, sharey=True, squeeze=False)
    for axes, (title, groups), lines in zip(grid[0], panels.items(), notes, strict=True):
        axes.plot([0, 100], [0, 100], color=MUTED, linestyle=":", linewidth=1.4)
        for k, ((name, found), line) in enumerate(zip(groups.items(), lines, strict=True)):
            axes.plot(
                100 * found.confidence,
                100 * found.accuracy,
                color=COLORS[k],
                linestyle=LINE_STYLES[k],
                marker=MARKERS[k],
                label=name,
            )
            axes.text(
                0.97,
                0.1 - 0.075 * k,
                line,
                transform=axes.transAxes,
                ha="right",
                color=COLORS[k],
                fontsize=9.5,
            )
        axes.set(title=title, xlabel="chance given (%)", xlim=(0, 100), ylim=(0, 100))
    grid[0, 0].set_ylabel("share that is ill (%)")
    grid[0, 0].legend(loc="upper left")
    return figure


@styled
def frontier(
    gaps: ArrayLike, costs: Mapping[str, ArrayLike], points: Mapping[str, tuple[float, float]]
) -> Figure:
    """Draw what a constraint on the gap between two groups costs.

    Parameters
    ----------
    gaps : array_like, shape (n,)
        How far the false positive rates may be apart, in percentage points.
    costs : mapping of str to array_like, shape (n,)
        Mistakes in 1,000 patients at each, by name.
    points : mapping of str to (float, float)
        Single policies: their gap and their mistakes.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.5)
    for k, (name, cost) in enumerate(costs.items()):
        axes.plot(gaps, cost, color=COLORS[k], linestyle=LINE_STYLES[k], label=name)
    for k, (name, (gap, cost)) in enumerate(points.items()):
        axes.plot(
            [gap],
            [cost],
            color=COLORS[k + 1],
            marker=MARKERS[k + 1],
            markersize=9,
            linestyle="none",
            label=name,
        )
    axes.set_xlabel("gap between the false positive rates of the two clinics (points)")
    axes.set_ylabel("mistakes in 1,000 patients")
    axes.legend(loc="upper right")
    return figure


@styled
def claims(rows: Mapping[str, tuple[float, float, float]]) -> Figure:
    """Draw what is left of a claimed gain, line by line.

    Parameters
    ----------
    rows : mapping of str to (float, float, float)
        The gain and the two ends of its interval, as shares, from the top down.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=0.9 + 0.5 * len(rows))
    for line, (gain, low, high) in enumerate(rows.values()):
        holds = low > 0 or high < 0
        color = COLORS[0] if holds else COLORS[1]
        axes.plot(
            [100 * low, 100 * high],
            [line, line],
            color=color,
            linestyle="-" if holds else "--",
            linewidth=2.6,
        )
        axes.plot([100 * gain], [line], color=color, marker="o", markersize=8, linestyle="none")
    axes.axvline(0, color=INK, linestyle=":", linewidth=1.4)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel("new minus old (points); dashed: the interval holds 0")
    return figure
