"""Figures of the chapter *Recommendation*."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_lib.plotting import drawings
from course_lib.plotting.drawings import arrow, blank, box, label, matrix
from course_lib.plotting.style import (
    COLORS,
    INK,
    LINE_STYLES,
    MARKERS,
    MUTED,
    new_figure,
    styled,
)

__all__ = [
    "benchmarks",
    "cold_start",
    "correction",
    "cut_by_time",
    "disagreement",
    "factored",
    "narrowing",
    "service",
    "tastes",
    "two_towers",
]


@styled
def cut_by_time(
    day: ArrayLike, item: ArrayLike, released: ArrayLike, cuts: tuple[float, float]
) -> Figure:
    """Draw a log as dots, films in the order of their release, and the two cuts.

    Parameters
    ----------
    day, item : array_like, shape (n,)
        When each interaction happened, and with which film. A quarter of them are drawn.
    released : array_like, shape (m,)
        The day on which each film came out.
    cuts : (float, float)
        Between learning and choosing, and between choosing and judging.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.3)
    place = np.argsort(np.argsort(released, kind="stable"), kind="stable")
    day, item = np.asarray(day), np.asarray(item)
    edges = [0, *cuts, 720]
    for number, name in enumerate(("learn", "choose", "judge")):
        part = np.flatnonzero((day >= edges[number]) & (day < edges[number + 1]))[::4]
        color = COLORS[number]
        axes.scatter(day[part], place[item[part]], s=3, color=color, linewidths=0, alpha=0.7)
        label(axes, (sum(edges[number : number + 2]) / 2, len(place) + 14), name, size=10)
    for cut in cuts:
        axes.axvline(cut, color=INK, linewidth=1.4, linestyle="--")
    axes.set_xlim(0, edges[-1])
    axes.set_ylim(-2, len(place) + 26)
    axes.set_xticks(edges)
    axes.set_xlabel("day")
    axes.set_ylabel("film, by release")
    axes.grid(visible=False)
    return figure


@styled
def factored(stars: ArrayLike, users: ArrayLike, items: ArrayLike) -> Figure:
    """Draw a table of ratings with gaps, and the two thin matrices whose product fills it.

    Parameters
    ----------
    stars : array_like, shape (n, m)
        Ratings; nan where there is none.
    users : array_like, shape (n, k)
    items : array_like, shape (m, k)
        Factors, which are shown as shades.

    Returns
    -------
    matplotlib.figure.Figure
    """
    stars, users, items = np.asarray(stars, dtype=float), np.asarray(users), np.asarray(items)
    (n, m), k = stars.shape, users.shape[1]
    cell, width, height = 0.3, 7.0, 0.3 * n + 0.95
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    top = height - 0.45
    table = matrix(axes, (0.35, top), (n, m), name="stars", note="a film", cell=cell)
    for i, j in np.argwhere(np.isfinite(stars)):
        label(axes, table.cell(i, j).center, f"{stars[i, j]:.0f}", size=9.5)
    for i, j in np.argwhere(~np.isfinite(stars)):
        label(axes, table.cell(i, j).center, "?", size=9, color=MUTED)
    label(axes, (0.16, table.y), "a viewer", size=9, color=MUTED)
    axes.texts[-1].set_rotation(90)
    x = table.right[0]
    label(axes, (x + 0.28, table.y), "≈", size=16)
    left = matrix(
        axes, (x + 0.6, top), users, name="U", note="tastes", cell=cell, numbers=False, shade=True
    )
    label(axes, (left.right[0] + 0.25, table.y), "·", size=18)
    matrix(
        axes,
        (left.right[0] + 0.5, table.y + k * cell / 2),
        items.T,
        name="Vᵀ",
        note="characters",
        cell=cell,
        numbers=False,
        shade=True,
    )
    return figure


@styled
def tastes(
    panels: Mapping[str, tuple[ArrayLike, ArrayLike]], notes: Sequence[str], names: Sequence[str]
) -> Figure:
    """Draw the coordinates of found tastes, turned to fit, against the true ones.

    Parameters
    ----------
    panels : mapping of str to (truth, found)
        Arrays of shape (n, k), by title.
    notes : sequence of str
        A line for each panel.
    names : sequence of str
        Of the k directions.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(1, len(panels), height=3.5, sharex=True, sharey=True)
    for panel, (title, (truth, found)), note in zip(axes, panels.items(), notes, strict=True):
        panel.plot([-3.5, 3.5], [-3.5, 3.5], color=MUTED, linestyle=":", linewidth=1.2)
        for column, name in enumerate(names):
            panel.scatter(
                np.asarray(truth)[:, column],
                np.asarray(found)[:, column],
                s=14,
                color=COLORS[column],
                marker=MARKERS[column],
                alpha=0.6,
                linewidths=0,
                label=name,
            )
        panel.set_title(title)
        panel.set_xlabel("true coordinate of the taste")
        panel.text(0.97, 0.05, note, transform=panel.transAxes, ha="right", fontsize=9.5)
    axes[0].set_ylabel("found, after turning")
    axes[0].legend(loc="upper left", handlelength=1, title=None)
    return figure


@styled
def two_towers() -> Figure:
    """Draw the two towers, what each reads, and the dot product on top."""
    width, height = 7.0, 3.55
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    columns = {
        1.7: ("history", "what the viewer took before", "user's tower", "two layers", "u", "(d,)"),
        5.3: (
            "film",
            "its number, and tags",
            "item's tower",
            "an embedding and a layer",
            "v",
            "(d,)",
        ),
    }
    tops = []
    for x, (below, reads, name, inside, out, shape) in columns.items():
        first = box(axes, (x, 0.5), below, reads, width=2.7, height=0.62)
        tower = box(
            axes, (x, 1.52), name, inside, width=2.3, height=0.62, color=COLORS[0], thick=True
        )
        top = box(axes, (x, 2.42), f"{out}  {shape}", width=1.1, height=0.42)
        arrow(axes, first, tower)
        arrow(axes, tower, top)
        tops.append(top)
    score = box(
        axes, (3.5, 3.1), "score", "u · v", width=1.15, height=0.62, color=COLORS[1], thick=True
    )
    for top in tops:
        arrow(axes, top, score)
    label(axes, (3.5, 2.1), "the towers meet\nonly here", size=9.5, color=MUTED)
    return figure


@styled
def correction(taken: ArrayLike, scores: Mapping[str, ArrayLike]) -> Figure:
    """Draw what two trainings think of each film on average, against how often it was taken.

    Parameters
    ----------
    taken : array_like, shape (m,)
        How often each film was taken in training; at least once.
    scores : mapping of str to array_like, shape (m,)
        The mean score of each film over the viewers, by panel.

    Returns
    -------
    matplotlib.figure.Figure
    """
    taken = np.asarray(taken)
    figure, axes = new_figure(1, len(scores), height=3.2, sharey=True)
    for number, (panel, (title, score)) in enumerate(zip(axes, scores.items(), strict=True)):
        panel.scatter(
            taken,
            score,
            s=16,
            color=COLORS[number],
            marker=MARKERS[number],
            alpha=0.65,
            linewidths=0,
        )
        panel.set_title(title)
        panel.set_xlabel("times that the film was taken")
        panel.set_xscale("log")
        panel.set_xticks([1, 10, 100], ["1", "10", "100"])
        panel.minorticks_off()
    axes[0].set_ylabel("mean score over viewers")
    return figure


@styled
def cold_start(
    new_films: Mapping[str, ArrayLike], seen: Sequence[int], new_viewers: Mapping[str, ArrayLike]
) -> Figure:
    """Draw what can be recommended of new films, and to new viewers.

    Parameters
    ----------
    new_films : mapping of str to array_like, shape (s,)
        Recall among new films, by method, one number a seed.
    seen : sequence of int
        How many takes of a new viewer are known.
    new_viewers : mapping of str to array_like, shape (s, len(seen))
        Recall, by method.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (left, right) = new_figure(1, 2, height=3.3, width_ratios=[1, 1.35])
    for row, values in enumerate(new_films.values()):
        values = 100 * np.asarray(values)
        left.bar(row, values.mean(), color=COLORS[row], alpha=0.35, width=0.6)
        left.plot(np.full(len(values), row), values, MARKERS[row], color=COLORS[row], linestyle="")
    left.set_xticks(range(len(new_films)), list(new_films))
    left.set_ylabel("recall@5 among new films (%)")
    left.set_title("New films")
    left.grid(axis="x", visible=False)
    for number, (name, values) in enumerate(new_viewers.items()):
        _band(right, seen, 100 * np.asarray(values), COLORS[number])
        right.plot(
            seen,
            100 * np.mean(values, axis=0),
            color=COLORS[number],
            linestyle=LINE_STYLES[number],
            marker=MARKERS[number],
            label=name,
        )
    right.set_xticks(seen)
    right.set_xlabel("films that the new viewer has taken so far")
    right.set_ylabel("recall@10 (%)")
    right.set_title("New viewers")
    right.set_ylim(bottom=0)
    right.legend(loc="lower right")
    return figure


@styled
def disagreement(
    systems: Mapping[str, tuple[ArrayLike, ArrayLike]], offsets: Mapping[str, tuple[float, float]]
) -> Figure:
    """Draw systems by what the log says of them and by what viewers would.

    Parameters
    ----------
    systems : mapping of str to (recall, liked)
        A number a seed each: recall in the log, and films liked of ten.
    offsets : mapping of str to (float, float)
        How far from its mean each name stands, in points.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.9)
    for number, (name, (recall, liked)) in enumerate(systems.items()):
        recall, liked = 100 * np.asarray(recall), np.asarray(liked)
        style = {
            "color": [*COLORS, INK, MUTED][number % 8],
            "marker": [*MARKERS, "*", "X"][number % 8],
        }
        axes.plot(recall, liked, linestyle="", markersize=4.5, alpha=0.55, **style)
        axes.plot(recall.mean(), liked.mean(), linestyle="", markersize=9, **style)
        x, y = offsets[name]
        axes.annotate(
            name,
            (recall.mean(), liked.mean()),
            xytext=(x, y),
            textcoords="offset points",
            ha="left" if x >= 0 else "right",
            va="center",
            fontsize=9.5,
            color=INK,
        )
    axes.set_xlim(0, 37)
    axes.set_xlabel("recall@10 in the log (%)")
    axes.set_ylabel("films liked of the ten shown")
    return figure


@styled
def service() -> Figure:
    """Draw the loop: the model shows, viewers take of it, and the log trains the model."""
    return drawings.training_loop(
        {
            "model": "guesses tastes",
            "lists": "ten films for each",
            "viewers": "take some of these",
            "log": "what was taken",
        },
        highlight="lists",
    )


@styled
def narrowing(
    effective: Mapping[str, ArrayLike], minority: Mapping[str, ArrayLike], start: float
) -> Figure:
    """Draw, by round, how many films are shown in effect and who is still there.

    Parameters
    ----------
    effective : mapping of str to array_like, shape (s, rounds)
        Effective number of films that the model puts on its lists, a row a seed.
    minority : mapping of str to array_like, shape (s, rounds)
        The minority's share of the viewers, which is drawn run by run.
    start : float
        Its share among those who join.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (left, right) = new_figure(1, 2, height=3.8)
    names = list(dict.fromkeys([*effective, *minority]))
    for panel, curves, factor in ((left, effective, 1), (right, minority, 100)):
        for name, values in curves.items():
            values, number = factor * np.asarray(values), names.index(name)
            color = COLORS[number] if name in effective else INK
            style = {"color": color, "linestyle": LINE_STYLES[number]}
            rounds = np.arange(1, values.shape[1] + 1)
            if panel is left:
                _band(panel, rounds, values, color)
            else:
                panel.plot(rounds, values.T, color=color, linestyle="-", linewidth=0.7, alpha=0.4)
            panel.plot(rounds, values.mean(axis=0), label=name, linewidth=2, **style)
        panel.set_xlabel("round")
        panel.set_xticks([1, *range(4, rounds[-1] + 1, 4)])
    left.set_yscale("log")
    left.set_ylim(3, 300)
    left.set_yticks([10, 20, 50, 100, 200], ["10", "20", "50", "100", "200"])
    left.minorticks_off()
    left.set_ylabel("effective number of films")
    left.set_title("What is shown")
    left.legend(loc="lower right", fontsize=9)
    right.axhline(100 * start, color=MUTED, linestyle=":", linewidth=1.2, label="those who join")
    right.set_ylim(0, 160 * start)
    right.yaxis.get_major_locator().set_params(integer=True, nbins=5)
    right.set_ylabel("minority's share of the viewers (%)")
    right.set_title("Who stays")
    right.legend(loc="lower left")
    return figure


def _band(axes: Axes, x: ArrayLike, values: ArrayLike, color: str) -> None:
    """Shade from the smallest to the largest of several runs."""
    axes.fill_between(
        x, np.min(values, axis=0), np.max(values, axis=0), color=color, alpha=0.15, linewidth=0
    )


@styled
def benchmarks(
    panels: Mapping[str, Sequence[tuple[int, str, float]]],
    offsets: Mapping[str, tuple[float, float, str]],
    metric: str,
) -> Figure:
    """Draw the published results on benchmarks, year by year.

    Parameters
    ----------
    panels : mapping of str to sequence of (year, system, value)
        By the benchmark's name.
    offsets : mapping of str to (float, float, str)
        For each system, how far from its point its name stands, in points, and which end of the
        name is there: "left", "center" or "right".
    metric : str
        What was measured, with its unit.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(1, len(panels), height=3.7)
    for panel, (title, results) in zip(axes, panels.items(), strict=True):
        years = np.array([year for year, _, _ in results])
        values = np.array([value for _, _, value in results])
        panel.plot(years, values, "o", color=COLORS[0], linestyle="", zorder=2)
        for year, system, value in results:
            x, y, ha = offsets[system]
            panel.annotate(
                f"{system} {value:g}",
                (year, value),
                xytext=(x, y),
                textcoords="offset points",
                ha=ha,
                va="center",
                fontsize=9,
                color=INK,
            )
        panel.set_title(title)
        panel.margins(x=0.1, y=0.12)
        panel.set_xlabel("year")
        panel.xaxis.get_major_locator().set_params(integer=True)
    axes[0].set_ylabel(metric)
    return figure
