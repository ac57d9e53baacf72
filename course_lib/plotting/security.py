"""Figures of the chapter *Security*."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from course_lib.plotting.drawings import arrow, blank, box, label
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
    "areas",
    "by_kind",
    "costs",
    "curves",
    "probing",
    "stream",
    "watch",
]

Floats = NDArray[np.float64]


@styled
def stream(
    spans: Mapping[str, tuple[float, float]],
    now: float,
    frauds: Sequence[tuple[float, float]],
    payments: ArrayLike,
    end: float,
) -> Figure:
    """Draw a stream of payments, the windows in it, and labels that arrive late.

    Parameters
    ----------
    spans : mapping of str to (float, float)
        The parts of the time before and after `now`, in weeks, by what they are for.
    now : float
        The week in which the detector is trained.
    frauds : sequence of (float, float)
        When each fraud happened, and when it was reported.
    payments : array_like, shape (n,)
        When some honest payments happened.
    end : float
        The last week.

    Returns
    -------
    matplotlib.figure.Figure
    """
    width, height = 7.0, 3.1
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    left, scale = 0.25, (width - 0.5) / end

    def at(week: float) -> float:
        return left + scale * week

    line, reports = 1.25, 2.2
    for number, (name, (start, stop)) in enumerate(spans.items()):
        axes.add_patch(
            Rectangle(
                (at(start), line - 0.28),
                scale * (stop - start),
                0.56,
                facecolor=COLORS[number] if number < 4 else GRID,
                alpha=0.16,
                edgecolor="none",
                zorder=1,
            )
        )
        label(axes, (at((start + stop) / 2), line - 0.46), name, size=9.5, va="top")
    axes.plot([left, at(end)], [line, line], color=INK, linewidth=1, linestyle="-", zorder=2)
    axes.plot(
        [at(x) for x in np.asarray(payments)],
        np.full(np.shape(payments), line),
        "|",
        color=MUTED,
        markersize=7,
        markeredgewidth=0.9,
        zorder=3,
    )
    axes.plot([left, at(end)], [reports] * 2, color=GRID, linewidth=1, linestyle="-", zorder=1)
    for happened, reported in frauds:
        late = reported > now
        axes.plot(
            at(happened),
            line,
            "D",
            markersize=7,
            markeredgecolor=COLORS[1],
            markerfacecolor=PAPER if late else COLORS[1],
            markeredgewidth=1.6,
            zorder=5,
        )
        foot, tip = (at(happened), line + 0.12), (at(reported), reports)
        near = tuple(a + 0.8 * (b - a) for a, b in zip(foot, tip, strict=True))
        arrow(axes, foot, near, color=COLORS[1], style=":" if late else "-", width=1.2, head=False)
        arrow(axes, near, tip, color=COLORS[1], width=1.2)
    axes.plot([at(now)] * 2, [line - 0.36, reports + 0.5], color=INK, linestyle="--", linewidth=1.3)
    label(axes, (at(now), reports + 0.56), "the detector is trained", size=9.5, va="bottom")
    for row, (face, text) in enumerate(((COLORS[1], "known by then"), (PAPER, "not yet known"))):
        y = reports + 0.62 - 0.25 * row
        axes.plot(
            at(0.77 * end), y, "D", markersize=7, markeredgecolor=COLORS[1], markerfacecolor=face,
            markeredgewidth=1.6,
        )  # fmt: skip
        label(axes, (at(0.79 * end), y), text, size=9.5, ha="left")
    label(axes, (left, reports + 0.12), "reports", size=9.5, ha="left", va="bottom", color=MUTED)
    label(axes, (left, line + 0.36), "payments", size=9.5, ha="left", va="bottom", color=MUTED)
    for week in range(0, int(end) + 1, 2):
        label(axes, (at(week), 0.4), f"{week}", size=9, color=MUTED)
    label(axes, (width / 2, 0.12), "week", size=9.5, color=MUTED)
    return figure


@styled
def areas(honest: int, found: int, missed: int, alarms: int) -> Figure:
    """Draw payments as a square of little squares, and what a detector says of them.

    Parameters
    ----------
    honest : int
        Honest payments that are left alone.
    found, missed : int
        Frauds with and without an alarm.
    alarms : int
        Honest payments with an alarm.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (axes, words) = new_figure(1, 2, height=3.7, width_ratios=[1, 0.85])
    total = honest + found + missed + alarms
    side = int(np.ceil(np.sqrt(total)))
    axes.add_patch(Rectangle((0, 0), side, side, facecolor=GRID, alpha=0.45, edgecolor="none"))
    # Spread over the square, the same way each time; a place holds one payment.
    places = np.random.default_rng(0).choice(total, size=found + missed + alarms, replace=False)
    kinds = (
        (alarms, COLORS[1], "s", COLORS[1]),
        (found, COLORS[0], "D", COLORS[0]),
        (missed, INK, "D", PAPER),
    )
    start = 0
    for count, edge, marker, face in kinds:
        chosen = places[start : start + count]
        start += count
        large = marker == "D"
        axes.plot(
            chosen % side + 0.5,
            chosen // side + 0.5,
            marker,
            color=face,
            markeredgecolor=edge,
            markeredgewidth=1.3 if large else 0,
            markersize=6 if large else 2.6,
            linestyle="none",
            zorder=4 if large else 3,
            clip_on=False,
        )
    axes.set(xlim=(-0.5, side + 0.5), ylim=(side + 0.5, -0.5), aspect="equal")
    axes.set_axis_off()
    axes.set_title(f"{total:,} payments")
    blank(words, 3.0, 3.2)
    rows = (
        (found, "frauds found", "D", COLORS[0], COLORS[0], 8),
        (missed, "frauds missed", "D", PAPER, INK, 8),
        (alarms, "honest, with an alarm", "s", COLORS[1], COLORS[1], 4.5),
        (honest, "honest, left alone", "s", GRID, GRID, 9),
    )
    for row, (count, name, marker, face, edge, size) in enumerate(rows):
        y = 2.6 - 0.55 * row
        words.plot(
            0.2, y, marker, color=face, markeredgecolor=edge, markersize=size, markeredgewidth=1.3
        )
        label(words, (1.1, y), f"{count:,}", ha="right", bold=True)
        label(words, (1.25, y), name, ha="left")
    right = found / max(found + alarms, 1)
    label(words, (0.1, 0.35), f"{right:.0%} of the alarms are right", ha="left", size=9.5)
    return figure


@styled
def curves(
    roc: tuple[Floats, Floats],
    precision: tuple[Floats, Floats],
    areas: tuple[float, float],
    share: float,
    recall: float = 0.8,
) -> Figure:
    """Draw an ROC curve, and beside it precision against recall, with one recall marked in both.

    Parameters
    ----------
    roc : (ndarray, ndarray)
        False and true positive rates.
    precision : (ndarray, ndarray)
        Recall, rising, and precision.
    areas : (float, float)
        AUROC and average precision, for the titles.
    share : float
        The share of frauds: the precision of scores that say nothing.
    recall : float
        What is marked.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (left, right) = new_figure(1, 2, height=3.4)
    left.plot(*_corners(*roc), color=COLORS[0])
    right.plot(*_corners(*precision), color=COLORS[0], drawstyle="steps-pre")
    left.plot([0, 1], [0, 1], color=MUTED, linestyle=":", linewidth=1.2)
    right.axhline(share, color=MUTED, linestyle=":", linewidth=1.2)
    left.set(xlabel="false positive rate", ylabel="true positive rate")
    left.set_title(f"ROC: area {areas[0]:.2f}")
    right.set(xlabel="recall: frauds found", ylabel="precision: alarms right")
    right.set_title(f"Average precision {areas[1]:.2f}")
    for axes in (left, right):
        axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.05))
    i, j = (int(np.searchsorted(values, recall)) for values in (roc[1], precision[0]))
    places = (left, roc[0][i], roc[1][i]), (right, precision[0][j], precision[1][j])
    notes = (
        f"{roc[1][i]:.0%} of the frauds,\n{roc[0][i]:.1%} of the honest",
        f"{precision[0][j]:.0%} of the frauds,\n{precision[1][j]:.0%} of alarms right",
    )
    for (axes, x, y), note, to in zip(places, notes, ((0.1, 0.64), (0.55, 0.62)), strict=True):
        axes.plot(x, y, "o", color=COLORS[1], markersize=7, zorder=4)
        axes.annotate(
            note,
            (x, y),
            xytext=to,
            fontsize=9.5,
            color=INK,
            arrowprops={"arrowstyle": "-", "color": MUTED, "linewidth": 1},
        )
    return figure


@styled
def costs(fee: float, look: float) -> Figure:
    """Draw the table of what each outcome costs, and the line between the two decisions.

    Parameters
    ----------
    fee, look : float
        Euros that a missed fraud costs beside its amount, and that an alarm costs.

    Returns
    -------
    matplotlib.figure.Figure
    """
    width, height = 7.0, 2.7
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    for x, name in ((2.1, "it is honest"), (3.9, "it is a fraud")):
        label(axes, (x, 2.4), name, bold=True)
    for y, name in ((1.75, "let pass"), (0.85, "alarm")):
        label(axes, (1.05, y), name, bold=True, ha="right")
    box(axes, (2.1, 1.75), "0", "nothing happens", width=1.6, height=0.8)
    box(
        axes, (3.9, 1.75), f"amount + {fee:g}", "the bank pays", width=1.6, height=0.8,
        color=COLORS[1], thick=True,
    )  # fmt: skip
    box(axes, (2.1, 0.85), f"{look:g}", "a call, an annoyed\ncustomer", width=1.6, height=0.8)
    box(axes, (3.9, 0.85), f"{look:g}", "a call, and the\nmoney is saved", width=1.6, height=0.8)
    label(axes, (5.85, 1.95), "expected cost", size=9.5, color=MUTED)
    label(axes, (5.85, 1.65), f"p · (amount + {fee:g})", color=COLORS[1])
    label(axes, (5.85, 1.3), "against", size=9.5, color=MUTED)
    label(axes, (5.85, 0.95), f"{look:g}", color=INK)
    label(axes, (3.0, 0.22), "euros", size=9.5, color=MUTED)
    return figure


@styled
def by_kind(
    found: Mapping[str, Mapping[str, float]],
    spread: Mapping[str, Mapping[str, tuple[float, float]]],
) -> Figure:
    """Draw which share of each kind of fraud is found by each detector.

    Parameters
    ----------
    found : mapping of str to mapping of str to float
        The share, by detector and kind.
    spread : mapping of str to mapping of str to (float, float)
        The lowest and the highest share of several banks.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.1)
    kinds = list(next(iter(found.values())))
    wide = 0.8 / len(found)
    hatches = ("", "///", "...", "xxx")
    for number, (name, shares) in enumerate(found.items()):
        x = np.arange(len(kinds)) + (number - (len(found) - 1) / 2) * wide
        heights = [100 * shares[kind] for kind in kinds]
        axes.bar(
            x, heights, 0.9 * wide, facecolor=COLORS[number], alpha=0.75, hatch=hatches[number],
            edgecolor=PAPER, linewidth=0, label=name,
        )  # fmt: skip
        for place, height in zip(x, heights, strict=True):
            if height < 1:
                axes.text(place, 1.5, f"{height:.0f}", ha="center", fontsize=9.5)
        low, high = (np.array([100 * spread[name][kind][k] for kind in kinds]) for k in (0, 1))
        axes.vlines(x, low, high, color=INK, linewidth=1.2, zorder=4)
    axes.set_xticks(range(len(kinds)), kinds)
    axes.set_ylabel("found (%)")
    axes.set_ylim(0, 100)
    axes.grid(visible=False, axis="x")
    axes.legend(loc="upper right", ncols=2)
    return figure


@styled
def watch(
    weeks: ArrayLike,
    worlds: Mapping[str, tuple[ArrayLike, ArrayLike, ArrayLike]],
    anew: float,
    limits: ArrayLike,
    usual: Sequence[float] = (0.1, 0.25),
) -> Figure:
    """Draw how good a detector is over time, beside two indexes that might tell.

    Parameters
    ----------
    weeks : array_like, shape (t,)
        The middle of each period.
    worlds : mapping of str to (array_like, array_like, array_like)
        For each world the average precision, the index of all payments and the index of reported
        frauds, each of shape (t,).
    anew : float
        The average precision of a detector that is trained anew before the last period of the first
        world.
    limits : array_like, shape (t,)
        How large chance makes the index of the reported frauds.
    usual : sequence of float
        The usual thresholds.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, panels = new_figure(1, 3, height=3.6)
    titles = ("Quality", "All payments", "Reported frauds")
    units = ("average precision", "stability index", "stability index")
    for number, (panel, title, unit) in enumerate(zip(panels, titles, units, strict=True)):
        for (name, values), color, style, marker in zip(
            worlds.items(), COLORS, LINE_STYLES, MARKERS, strict=False
        ):
            panel.plot(
                weeks, values[number], color=color, linestyle=style, marker=marker, label=name
            )
        panel.set(xlabel="week", ylabel=unit)
        panel.set_title(title, fontsize=10)
        panel.set_ylim(bottom=0)
    panels[0].plot(
        np.asarray(weeks)[-1],
        anew,
        linestyle="none",
        marker="*",
        markersize=11,
        color=COLORS[0],
        label="fraud moves, retrained",
    )
    for level in usual:
        panels[1].axhline(level, color=MUTED, linestyle=":", linewidth=1.2)
        panels[1].text(
            float(np.min(weeks)), level + 0.004, f"{level:g}", color=MUTED, fontsize=9, va="bottom"
        )
    panels[1].set_ylim(0, 1.25 * max(usual))
    panels[2].plot(weeks, limits, color=MUTED, linestyle=":", linewidth=1.4)
    panels[2].text(
        float(np.min(weeks)),
        float(np.max(limits)) + 0.04,
        "limit of chance",
        color=MUTED,
        fontsize=9,
    )
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


@styled
def probing(tries: ArrayLike, got: Mapping[str, ArrayLike], first: float) -> Figure:
    """Draw how much money passes with a stolen card, against the tries that it is allowed.

    Parameters
    ----------
    tries : array_like, shape (t,)
    got : mapping of str to array_like, shape (t,)
        Euros a card, by what the bank does and the thief knows.
    first : float
        What the thief asks for at first.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.5)
    for (name, values), color, style, marker in zip(
        got.items(), COLORS, LINE_STYLES, MARKERS, strict=False
    ):
        axes.plot(tries, values, color=color, linestyle=style, marker=marker, label=name)
    axes.axhline(first, color=MUTED, linestyle=":", linewidth=1.2)
    axes.text(float(np.max(tries)), first + 12, "all of it", color=MUTED, fontsize=9, ha="right")
    axes.set(xlabel="tries before the card is locked", ylabel="passes per card (euros)")
    axes.set_ylim(0, 1.15 * first)
    axes.set_xticks(np.asarray(tries))
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def _corners(x: Floats, y: Floats, step: float = 0.002) -> tuple[Floats, Floats]:
    """Drop points that no eye could tell from the one before; a curve of ROC has thousands."""
    a, b = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    cell = np.round(np.stack([a, b]) / step)
    kept = np.append(True, np.any(np.diff(cell) != 0, axis=0))
    kept[-1] = True
    return a[kept], b[kept]
