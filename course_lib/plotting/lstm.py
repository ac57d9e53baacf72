"""Figures of the chapter *LSTM and GRU*."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from numpy.typing import ArrayLike

from course_lib.plotting import drawings as draw
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

__all__ = ["adding", "cells", "copied", "gates_over_text", "gradients_by_lag"]

_STATE = COLORS[0]  # what runs through all steps
_TALL = 2.62  # inches: where the state enters and leaves


@styled
def cells() -> Figure:
    """Draw the cell of an LSTM, and the cell of a GRU beside it.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(width=7.0, height=3.3)
    figure.get_layout_engine().set(w_pad=0, h_pad=0, wspace=0, hspace=0)
    draw.blank(axes, 7.0, 3.3)
    _lstm_cell(axes, 0.08)
    _gru_cell(axes, 4.18)
    return figure


def _lstm_cell(axes: Axes, x: float) -> None:
    """Draw an LSTM cell whose left end is at x."""
    _frame(axes, x + 0.34, 3.32, "LSTM")
    at = [x + 0.67, x + 1.24, x + 1.94, x + 2.69]
    gates = [
        draw.box(axes, (place, 1.1), text, note, width=width)
        for place, text, note, width in zip(
            at,
            ("σ", "σ", "tanh", "σ"),
            ("forget", "input", "candidate", "output"),
            (0.54, 0.5, 0.8, 0.6),
            strict=True,
        )
    ]
    _bus(axes, x, at)
    keep = _operation(axes, (at[0], _TALL), "×")
    write = _operation(axes, ((at[1] + at[2]) / 2, 1.9), "×")
    add = _operation(axes, ((at[1] + at[2]) / 2, _TALL), "+")
    show = _operation(axes, (x + 3.3, 1.1), "×")
    squash = draw.box(axes, (x + 3.3, 1.9), "tanh", width=0.5)
    for start, end in (
        (gates[0], keep),
        (gates[1], write),
        (gates[2], write),
        (write, add),
        (gates[3], show),
        ((x + 3.3, _TALL), squash),
        (squash, show),
    ):
        draw.arrow(axes, start, end)
    for place, name in (
        ((at[0] - 0.07, 2.26), "f"),
        ((at[1] + 0.03, 1.52), "i"),
        ((at[2] - 0.03, 1.52), "g"),
        ((at[3] + 0.35, 1.27), "o"),
    ):
        draw.label(axes, place, name, ha="right" if name in "fi" else "left")
    _state(axes, [(x + 0.1, _TALL), keep, add, (x + 3.88, _TALL)])
    draw.arrow(axes, show, (x + 3.88, 1.1))
    draw.label(axes, (x + 0.02, _TALL + 0.18), "cₜ₋₁", ha="left", color=_STATE, bold=True)
    draw.label(axes, (x + 3.88, _TALL + 0.18), "cₜ", ha="right", color=_STATE, bold=True)
    draw.label(axes, (x + 3.88, 1.28), "hₜ", ha="right", bold=True)


def _gru_cell(axes: Axes, x: float) -> None:
    """Draw a GRU cell whose left end is at x."""
    _frame(axes, x + 0.34, 2.24, "GRU")
    at = [x + 0.7, x + 1.29, x + 2.13]
    update, reset, candidate = (
        draw.box(axes, (place, 1.1), text, note, width=width)
        for place, text, note, width in zip(
            at,
            ("σ", "σ", "tanh"),
            ("update", "reset", "candidate"),
            (0.6, 0.5, 0.8),
            strict=True,
        )
    )
    _bus(axes, x, at)
    keep = _operation(axes, (at[0], _TALL), "×")
    write = _operation(axes, (at[2], 1.9), "×")
    add = _operation(axes, (at[2], _TALL), "+")
    for start, end in (
        (update, keep),
        (reset, candidate),
        (candidate, write),
        (write, add),
        ((at[0], 1.9), write),
    ):
        draw.arrow(axes, start, end)
    draw.label(axes, (at[0] - 0.07, 2.26), "z", ha="right")
    draw.label(axes, (x + 1.63, 1.25), "r")
    draw.label(axes, (at[2] + 0.07, 1.52), "g", ha="left")
    draw.label(axes, (at[1], 2.02), "1 − z")
    _state(axes, [(x + 0.1, _TALL), keep, add, (x + 2.76, _TALL)])
    draw.label(axes, (x + 0.02, _TALL + 0.18), "hₜ₋₁", ha="left", color=_STATE, bold=True)
    draw.label(axes, (x + 2.76, _TALL + 0.18), "hₜ", ha="right", color=_STATE, bold=True)


def _frame(axes: Axes, left: float, width: float, name: str) -> None:
    """Draw the outline of a cell, and its name above it."""
    draw.label(axes, (left + width / 2, 3.17), name, bold=True)
    shape = {"boxstyle": "round,pad=0,rounding_size=0.12", "linewidth": 1.4}
    axes.add_patch(
        FancyBboxPatch((left, 0.42), width, 2.6, fill=False, edgecolor=GRID, zorder=1, **shape)
    )


def _bus(axes: Axes, x: float, at: Sequence[float]) -> None:
    """Draw the line that brings the input and the last hidden state to every gate."""
    draw.arrow(axes, (x + 0.1, 0.6), (at[-1], 0.6), head=False)
    draw.arrow(axes, (x + 0.5, 0.26), (x + 0.5, 0.6), head=False)
    for place in at:
        draw.arrow(axes, (place, 0.6), (place, 0.83))
    draw.label(axes, (x + 0.02, 0.74), "hₜ₋₁", ha="left", bold=True)
    draw.label(axes, (x + 0.5, 0.14), "xₜ", bold=True)


def _operation(axes: Axes, at: tuple[float, float], sign: str) -> draw.Drawn:
    """Draw a sum or a product entry by entry."""
    return draw.node(axes, at, sign, radius=0.14)


def _state(axes: Axes, stations: Sequence[draw.Drawn | tuple[float, float]]) -> None:
    """Draw the thick line along which the state goes from step to step."""
    for start, end in pairwise(stations):
        draw.arrow(axes, start, end, color=_STATE, width=3.0, head=end is stations[-1])


@styled
def adding(
    values: ArrayLike,
    marked: ArrayLike,
    curves: Mapping[str, Sequence[ArrayLike]],
    baseline: float,
) -> Figure:
    """Draw one sequence of the adding problem, and how networks learn it.

    Parameters
    ----------
    values : array_like, shape (t,)
    marked : array_like of bool, shape (t,)
        The two that are to be added.
    curves : mapping of str to sequence of array_like
        By name: for each seed, the loss of each batch. Shown as the mean of 20 in a row.
    baseline : float
        The loss of the best constant answer.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (one, learning) = new_figure(2, 1, height=4.4, height_ratios=[1, 2.2])
    values, marked = np.asarray(values), np.asarray(marked, dtype=bool)
    step = np.arange(1, len(values) + 1)
    one.vlines(step[~marked], 0, values[~marked], color=MUTED, linewidth=1.2)
    one.vlines(step[marked], 0, values[marked], color=COLORS[1], linewidth=3.5)
    for k in np.flatnonzero(marked):
        one.annotate(
            f"{values[k]:.2f}",
            (step[k], values[k]),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            color=COLORS[1],
            fontweight="bold",
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1},
        )
    one.set(ylim=(0, 1.35), xlim=(0, len(values) + 1), yticks=[0, 1], xlabel="step")
    one.set_ylabel("value")
    one.set_title(f"Target: {values[marked].sum():.2f}")
    styles = list(zip(COLORS, LINE_STYLES, strict=True))
    for (name, runs), (color, style) in zip(curves.items(), styles, strict=False):
        for number, run in enumerate(runs):
            mean = np.convolve(np.asarray(run), np.full(20, 1 / 20), mode="valid")
            learning.plot(
                np.arange(20, 20 + len(mean)),
                mean,
                color=color,
                linestyle=style,
                linewidth=1.6,
                label=name if number == 0 else None,
            )
    learning.axhline(baseline, color=INK, linewidth=1, linestyle=":", label="always answering 1")
    learning.set(xlabel="updates", ylim=(0, 0.26))
    learning.set_ylabel("squared error")
    learning.legend(loc="lower left")
    return figure


@styled
def gradients_by_lag(
    panels: Mapping[str, Mapping[str, tuple[ArrayLike, ArrayLike | None]]],
) -> Figure:
    """Draw how much of a gradient arrives some steps back.

    Parameters
    ----------
    panels : mapping of str to mapping of str to (norms, gates)
        By title and name: the norm of the gradient k steps before the last (k = 0, 1, ...), as a
        share of that in the last, and what the forget gates alone would have left of it (or
        None), drawn as a thin line.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(1, len(panels), height=3.5, sharey=True)
    lowest = -30.0
    for panel, (title, lines) in zip(np.atleast_1d(axes), panels.items(), strict=True):
        for (name, (norms, gates)), color, style in zip(
            lines.items(), COLORS, LINE_STYLES, strict=False
        ):
            with np.errstate(divide="ignore"):
                panel.plot(np.log10(norms), color=color, linestyle=style, label=name)
                if gates is not None:
                    panel.plot(
                        np.log10(gates),
                        color=color,
                        linestyle="-",
                        linewidth=0.9,
                        marker="|",
                        markevery=6,
                        label=f"{name}, forget gates alone",
                    )
        panel.set_title(title)
        panel.set_xlabel("steps back from the last")
        panel.set_ylim(lowest, 3)
        ticks = list(range(int(lowest), 1, 10))
        panel.set_yticks(ticks, ["1" if k == 0 else f"10{_raised(k)}" for k in ticks])
        panel.legend(loc="lower left")
    np.atleast_1d(axes)[0].set_ylabel("gradient that arrives, as a share")
    return figure


def _raised(number: int) -> str:
    """Write a whole number as an exponent."""
    return str(number).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


@styled
def gates_over_text(text: str, rows: Mapping[str, ArrayLike], shaded: ArrayLike) -> Figure:
    """Draw numbers for each letter of a text, a row of bars each.

    Parameters
    ----------
    text : str
        n letters.
    rows : mapping of str to array_like, shape (n,)
        Between -1 and 1; a row that is never negative starts at 0.
    shaded : array_like of bool, shape (n,)
        Letters with a shade behind all rows.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(len(rows), 1, height=0.5 + 1.15 * len(rows), sharex=True)
    place = np.arange(len(text))
    for panel, (name, values), color in zip(
        np.atleast_1d(axes), rows.items(), COLORS, strict=False
    ):
        values = np.asarray(values)
        low = -1.0 if values.min() < 0 else 0.0
        for k in np.flatnonzero(shaded):
            panel.axvspan(k - 0.5, k + 0.5, color=GRID, alpha=0.7, linewidth=0, zorder=0)
        panel.bar(place, values, width=0.8, color=color, edgecolor=PAPER, linewidth=0.3, zorder=2)
        panel.axhline(0, color=INK, linewidth=0.8)
        panel.set(ylim=(low - 0.02, 1.05), xlim=(-0.6, len(text) - 0.4))
        panel.set_yticks([low, 0, 1] if low else [0, 1])
        panel.set_ylabel(name)
        panel.grid(visible=False)
        panel.tick_params(axis="x", length=0)
        panel.spines["bottom"].set_visible(False)  # the line at 0 stands for it
    last = np.atleast_1d(axes)[-1]
    last.set_xticks(place, list(text), fontfamily="DejaVu Sans Mono", fontsize=9)
    return figure


@styled
def copied(
    lengths: Sequence[int], shares: Mapping[str, ArrayLike], trained: tuple[int, int]
) -> Figure:
    """Draw how much of a row is written down rightly, against its length.

    Parameters
    ----------
    lengths : sequence of int
    shares : mapping of str to array_like
        By name: the share of right tokens at each length.
    trained : (int, int)
        The shortest and the longest row that was trained on.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.0)
    axes.axvspan(
        trained[0] - 0.5,
        trained[1] + 0.5,
        color=GRID,
        alpha=0.6,
        linewidth=0,
        label="trained on these lengths",
    )
    for (name, share), color, style, marker in zip(
        shares.items(), COLORS, LINE_STYLES, MARKERS, strict=False
    ):
        axes.plot(lengths, share, color=color, linestyle=style, marker=marker, label=name)
    axes.axhline(0.1, color=INK, linewidth=1, linestyle=":", label="guessing")
    axes.set(ylim=(0, 1.04), xlim=(lengths[0] - 0.5, lengths[-1] + 0.5))
    axes.set_xticks(list(lengths))
    axes.set_xlabel("digits in the row")
    axes.set_ylabel("share of right digits")
    axes.legend(loc="lower left")
    return figure
