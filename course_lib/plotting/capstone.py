"""Figures of the chapter *Capstone*: what a project is made of, and what its numbers are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_lib.plotting.drawings import arrow, blank, box
from course_lib.plotting.style import COLORS, INK, MARKERS, MUTED, new_figure, styled

__all__ = ["advantages", "photographs", "project", "spread"]


@styled
def advantages(
    found: Mapping[str, tuple[float, float, float]], label: str, *, percent: bool = False
) -> Figure:
    """Draw advantages over a baseline, each with its interval, one below the other.

    Parameters
    ----------
    found : mapping of str to (mean, low, high)
        What was compared, from top to bottom.
    label : str
        What the axis shows, with its unit.
    percent : bool
        Whether the numbers are shares, to be shown in points of 100.
    """
    factor, digits = (100, 1) if percent else (1, 3)
    figure, axes = new_figure(height=0.9 + 0.5 * len(found))
    for row, (mean, low, high) in enumerate(found.values()):
        color, marker = COLORS[row % len(COLORS)], MARKERS[row % len(MARKERS)]
        axes.plot([factor * low, factor * high], [row, row], "-", color=color, linewidth=2)
        axes.plot(factor * mean, row, marker, color=color)
        axes.annotate(
            " to ".join(
                f"{factor * end:.{digits}f}".replace("-", "\N{MINUS SIGN}") for end in (low, high)
            ),
            (factor * high, row),
            xytext=(7, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=INK,
        )
    axes.axvline(0, color=MUTED, linestyle="--", linewidth=1)
    lows, highs = zip(*((low, high) for _, low, high in found.values()), strict=True)
    left, right = min(0, *lows) * factor, max(0, *highs) * factor
    span = (right - left) or 1.0
    axes.set(
        yticks=range(len(found)),
        yticklabels=list(found),
        ylim=(len(found) - 0.5, -0.5),
        xlim=(left - 0.05 * span, right + 0.28 * span),
        xlabel=label,
    )
    axes.grid(False, axis="y")
    return figure


@styled
def photographs(
    pictures: ArrayLike,
    sheets: Sequence[str],
    size: int,
    *,
    said: ArrayLike | None = None,
    wrong: ArrayLike | None = None,
) -> Figure:
    """Draw several photographs of each of a few sheets, a sheet a row.

    Parameters
    ----------
    pictures : array_like, shape (rows, columns, size * size)
    sheets : sequence of str
        What each row is called.
    size : int
        Height and width of a photograph in pixels.
    said : array_like, shape (rows, columns), optional
        What was read in each photograph, which stands above it.
    wrong : array_like of bool, shape (rows, columns), optional
        Which readings are mistakes: these are bold and in parentheses.
    """
    pictures = np.asarray(pictures)
    rows, columns = pictures.shape[:2]
    each = 0.8 if said is None else 1.05
    figure, axes = new_figure(
        rows, columns, width=0.75 * columns + 0.9, height=each * rows, squeeze=False
    )
    mistakes = np.zeros((rows, columns), dtype=bool) if wrong is None else np.asarray(wrong)
    low, high = pictures.min(), pictures.max()
    for row, name in enumerate(sheets):
        for column in range(columns):
            panel = axes[row, column]
            picture = pictures[row, column].reshape(size, size)
            panel.imshow(picture, cmap="gray", vmin=low, vmax=high)
            panel.set(xticks=[], yticks=[])
            panel.grid(False)
            if said is not None:
                text, bad = str(np.asarray(said)[row, column]), mistakes[row, column]
                panel.set_title(
                    f"({text})" if bad else text,
                    fontsize=10,
                    fontweight="bold" if bad else "normal",
                    color=COLORS[1] if bad else INK,
                    loc="center",
                    pad=3,
                )
        axes[row, 0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=10)
    return figure


@styled
def project() -> Figure:
    """Draw what a project is made of, and what is locked away until the end."""
    width, height = 7.4, 3.5
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    question = box(axes, (0.85, 2.6), "1  question", note="who acts on it?", color=COLORS[0])
    data = box(axes, (2.75, 2.6), "2  data and card", note="rows, groups", color=COLORS[0])
    axes.text(4.75, 3.38, "3  split", ha="center", va="center", fontsize=10, color=INK)
    parts = [
        box(axes, (4.75, y), name, color=color)
        for name, y, color in (
            ("training", 2.95, COLORS[0]),
            ("validation", 2.25, COLORS[0]),
            ("test, locked", 1.45, COLORS[1]),
        )
    ]
    model = box(axes, (6.5, 2.6), "4, 5  both models", note="baseline, model", color=COLORS[0])
    judged = box(axes, (6.5, 0.75), "6, 7  two scores", note="paired, interval", color=COLORS[1])
    errors = box(axes, (4.35, 0.5), "8  errors, one by one", color=COLORS[2])
    claim = box(
        axes, (1.85, 0.5), "9  cost and harm", note="10  in three sentences", color=COLORS[2]
    )
    arrow(axes, question, data)
    for part in parts:
        arrow(axes, data, part)
    arrow(axes, parts[0], model)
    arrow(axes, parts[1], model)
    arrow(axes, model, judged)
    arrow(axes, parts[2], judged)
    arrow(axes, judged, errors)
    arrow(axes, errors, claim)
    return figure


@styled
def spread(panels: Mapping[str, ArrayLike], label: str) -> Figure:
    """Draw what repeated runs came to, a row of dots for each way of repeating.

    Parameters
    ----------
    panels : mapping of str to array_like, shape (runs,)
        What was changed from run to run, from top to bottom, and the score of each run.
    label : str
        What the axis shows, with its unit.
    """
    figure, axes = new_figure(height=0.9 + 0.55 * len(panels))
    for row, values in enumerate(panels.values()):
        values = np.sort(np.asarray(values, dtype=float))
        # Equal values lie on each other: each is moved a little, in a fixed pattern.
        moved = row + 0.12 * ((np.arange(len(values)) % 3) - 1)
        color, marker = COLORS[row % len(COLORS)], MARKERS[row % len(MARKERS)]
        axes.plot(values, moved, marker, color=color, alpha=0.7, markersize=5)
    axes.set(
        yticks=range(len(panels)),
        yticklabels=list(panels),
        ylim=(len(panels) - 0.5, -0.5),
        xlabel=label,
    )
    axes.grid(False, axis="y")
    return figure
