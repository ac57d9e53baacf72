"""Figures of the chapter *Recurrent networks*."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_lib.plotting.drawings import Drawn, arrow, blank, box, brace, label, node
from course_lib.plotting.style import (
    COLORS,
    GRID,
    INK,
    LINE_STYLES,
    MARKERS,
    MUTED,
    new_figure,
    styled,
)

__all__ = [
    "bits",
    "carries",
    "clipping",
    "gradients_by_lag",
    "latch",
    "memory",
    "path_back",
    "shapes",
    "step_by_step",
    "unrolled",
]

#: The radius of a node, the side of a cell, the distance of steps and that of rows, in inches.
_RADIUS, _SIDE, _PITCH, _RISE = 0.19, 0.56, 1.16, 0.82


def _chain(axes: Axes, left: float, y: float, names: Sequence[str]) -> list[Drawn]:
    """Draw cells side by side, each with an input below and an output above."""
    cells = []
    for k, name in enumerate(names):
        x = left + k * _PITCH
        cells.append(
            box(axes, (x, y), "cell", width=_SIDE, height=_SIDE, color=COLORS[0], thick=True)
        )
        arrow(axes, node(axes, (x, y - _RISE), f"x{name}", radius=_RADIUS), cells[-1])
        arrow(axes, cells[-1], node(axes, (x, y + _RISE), f"ŷ{name}", radius=_RADIUS))
    return cells


@styled
def unrolled() -> Figure:
    """Draw a cell with its loop, and the same cell at four steps.

    Returns
    -------
    matplotlib.figure.Figure
    """
    width, height, y = 7.0, 2.75, 1.5
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    (cell,) = _chain(axes, 0.5, y, [""])
    # Out at the right and in again: the loop that the chain unrolls.
    right, far, step = cell.right[0], cell.right[0] + 0.34, 0.15
    axes.plot(
        [right, far, far], [y + step, y + step, y - step], color=COLORS[3], linewidth=1.8, zorder=2
    )
    arrow(axes, (far, y - step), (right, y - step), color=COLORS[3], width=1.8)
    label(axes, (far + 0.06, y), "h", ha="left", color=COLORS[3])
    label(axes, (1.68, y), "=", size=16)
    cells = _chain(axes, 2.95, y, ["₁", "₂", "₃", "₄"])
    chain = [node(axes, (2.2, y), "h₀", radius=_RADIUS, color=COLORS[3]), *cells]
    for (start, end), text in zip(pairwise(chain), ["", "h₁", "h₂", "h₃"], strict=True):
        arrow(axes, start, end, text, color=COLORS[3], width=1.8)
    label(axes, (cells[-1].right[0] + 0.16, y), "…", color=MUTED)
    tip = (cells[0].left[0], 0.42), (cells[-1].right[0], 0.42)
    brace(axes, tip[1], tip[0], "the same weights at every step", depth=0.1)
    return figure


@styled
def step_by_step(
    text: str, inputs: ArrayLike, states: ArrayLike, formulas: Sequence[str], step: int
) -> Figure:
    """Draw a unit that reads a text, unrolled up to a step: a frame of a film.

    Parameters
    ----------
    text : str
        T characters.
    inputs : array_like, shape (T,)
        What the unit is given for each.
    states : array_like, shape (T + 1,)
        Between -1 and 1: the state at the beginning, and after each step.
    formulas : sequence of T str
        How each state came about, shown in its frame.
    step : int
        The step that is shown, from 0 to T - 1.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If the lengths differ, or `step` is none of the text's.
    """
    steps = len(text)
    given, states = np.asarray(inputs), np.asarray(states, dtype=float)
    if not len(given) == len(formulas) == len(states) - 1 == steps:
        raise ValueError(
            f"A text of {steps} characters has as many inputs and formulas, and one more state; "
            f"but there are {len(given)}, {len(formulas)} and {len(states)}."
        )
    if not 0 <= step < steps:
        raise ValueError(f"The text has steps 0 to {steps - 1}, but came with {step}.")
    pitch, y = 0.86, 1.35
    width, height = pitch * (steps + 1) + 0.1, 2.75
    figure, axes = new_figure(width=width, height=height)
    # A film has many frames: nothing is laid out anew in each.
    figure.set_layout_engine("none")
    axes.set_position((0, 0, 1, 1))
    blank(axes, width, height)
    previous = node(
        axes, (0.45, y), f"{states[0]:.2f}".replace("-", "−"), radius=0.27, color=COLORS[3]
    )
    label(axes, (0.45, y + 0.46), "h₀", color=COLORS[3])
    for k, letter in enumerate(text):
        x = 0.45 + pitch * (k + 1)
        shown, ahead = "␣" if letter == " " else letter, k > step
        label(axes, (x, 0.2), shown, size=12, bold=not ahead, color=MUTED if ahead else INK)
        if ahead:
            continue
        value = f"{states[k + 1]:.2f}".replace("-", "−")
        now = node(
            axes, (x, y), value, radius=0.27, color=COLORS[0], thick=k == step, value=states[k + 1]
        )
        arrow(axes, (x, 0.68), now)
        label(axes, (x, 0.54), f"x = {given[k]:g}".replace("-", "−"), size=9)
        arrow(axes, previous, now, color=COLORS[3], width=1.8)
        previous = now
    label(axes, (width / 2, 2.42), formulas[step], size=11)
    return figure


@styled
def path_back(steps: int = 6, cut: int = 3) -> Figure:
    """Draw how the slope of a loss goes back through time, and where truncation ends its way.

    Parameters
    ----------
    steps : int, optional
        How many cells; the loss is at the last.
    cut : int, optional
        The last state through which no slope passes.

    Returns
    -------
    matplotlib.figure.Figure
    """
    width, height, y, left = 7.0, 2.3, 1.22, 0.55
    pitch = (width - 2 * left) / (steps - 1)
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    low = "₁₂₃₄₅₆₇₈₉"
    cells = [
        box(
            axes,
            (left + k * pitch, y),
            f"h{low[k]}",
            width=_SIDE,
            height=_SIDE,
            color=COLORS[0],
            thick=True,
        )
        for k in range(steps)
    ]
    for k, cell in enumerate(cells):
        x = node(axes, (cell.x, y - 0.82), f"x{low[k]}", radius=_RADIUS)
        arrow(axes, x, cell)
    loss = node(axes, (cells[-1].x, y + 0.82), "L", radius=_RADIUS, thick=True)
    up, down = loss.x - 0.11, loss.x + 0.11  # side by side, so that neither hides the other
    arrow(axes, (up, cells[-1].top[1]), (up, loss.y - 0.16))
    offset = 0.12
    for k, (a, b) in enumerate(pairwise(cells)):
        arrow(axes, (a.right[0], y - offset), (b.left[0], y - offset))
        if k >= cut:
            arrow(
                axes,
                (b.left[0], y + offset),
                (a.right[0], y + offset),
                color=COLORS[1],
                width=2.2,
                style="--",
            )
    arrow(
        axes,
        (down, loss.y - 0.16),
        (down, cells[-1].top[1]),
        color=COLORS[1],
        width=2.2,
        style="--",
    )
    x = (cells[cut - 1].x + cells[cut].x) / 2
    axes.plot([x, x], [y - 0.5, y + 0.62], color=INK, linewidth=1.6, linestyle=":", zorder=3)
    label(axes, (x, y + 0.76), "detach")
    back = "each step back:\ntimes (1 − h²), times Wₕᵀ"
    label(axes, ((x + loss.x) / 2 - 0.1, y + 0.6), back, size=9, color=COLORS[1])
    forward = "numbers pass,\nno slope returns"
    label(axes, ((cells[0].x + x) / 2 - 0.1, y + 0.6), forward, size=9, color=MUTED)
    return figure


@styled
def shapes() -> Figure:
    """Draw what goes in and comes out in four kinds of tasks.

    Returns
    -------
    matplotlib.figure.Figure
    """
    width, height, y, pitch = 7.0, 2.45, 1.22, 0.46
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    kinds = [
        ("one to many", "an image's caption", [1, 0, 0], [1, 1, 1]),
        ("many to one", "a review's verdict", [1, 1, 1], [0, 0, 1]),
        ("many to many", "the next letter", [1, 1, 1], [1, 1, 1]),
        ("many, then many", "a translation", [1, 1, 0, 0], [0, 0, 1, 1]),
    ]
    left = 0.42
    for title, example, inputs, outputs in kinds:
        cells = []
        for k, (has_input, has_output) in enumerate(zip(inputs, outputs, strict=True)):
            x = left + k * pitch
            cells.append(box(axes, (x, y), "", width=0.3, height=0.34, color=COLORS[0], thick=True))
            if has_input:
                below = node(axes, (x, y - 0.62), radius=0.12)
                arrow(axes, below, cells[-1])
            if has_output:
                above = node(axes, (x, y + 0.62), radius=0.12, thick=True)
                arrow(axes, cells[-1], above)
        for start, end in pairwise(cells):
            arrow(axes, start, end, color=COLORS[3])
        middle = (cells[0].x + cells[-1].x) / 2
        label(axes, (middle, y + 0.95), title, bold=True, size=9.5)
        label(axes, (middle, y - 0.98), example, size=9, color=MUTED)
        left += (len(inputs) - 1) * pitch + 0.68
    return figure


@styled
def latch(text: str, state: ArrayLike) -> Figure:
    """Draw a unit's state below the letters that it reads.

    Parameters
    ----------
    text : str
        At most some 75 letters, which is what a line of the page holds.
    state : array_like, shape (len(text),)
        The state after each letter, between -1 and 1.

    Returns
    -------
    matplotlib.figure.Figure
    """
    state = np.asarray(state)
    figure, axes = new_figure(height=2.1)
    at = np.arange(len(text))
    axes.bar(
        at, state, width=0.8, color=np.where(state > 0, COLORS[0], MUTED).tolist(), linewidth=0
    )
    axes.axhline(0, color=INK, linewidth=0.8)
    for x, letter in zip(at, text, strict=True):
        strong = letter in "()"
        axes.text(
            x,
            1.32,
            letter,
            ha="center",
            va="center",
            fontfamily="DejaVu Sans Mono",
            fontsize=9.5,
            color=COLORS[1] if strong else INK,
            fontweight="bold" if strong else "normal",
        )
    axes.set(xlim=(-0.8, len(text) - 0.2), ylim=(-1.1, 1.6), xticks=[], yticks=[-1, 0, 1])
    axes.grid(visible=False)
    axes.set_ylabel("state h")
    axes.set_xlabel("one bar per letter, read from left to right")
    return figure


@styled
def gradients_by_lag(panels: Mapping[str, Mapping[str, ArrayLike]]) -> Figure:
    """Draw the norm of the gradient against how many steps back it was taken.

    Parameters
    ----------
    panels : mapping of str to mapping of str to array_like
        By the title of a panel and the name of a curve: norms at lag 0, 1, 2, ...

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(1, len(panels), height=3.2, sharey=True)
    for panel, (title, curves) in zip(np.atleast_1d(axes), panels.items(), strict=True):
        for (name, norms), color, style in zip(curves.items(), COLORS, LINE_STYLES, strict=False):
            # Their logarithm on a plain axis: the same picture, with labels of our own.
            panel.plot(np.log10(np.asarray(norms)), color=color, linestyle=style, label=name)
        panel.set_title(title)
        panel.set_xlabel("steps back in time")
        panel.set_ylim(-12, 6)
        panel.set_yticks([-12, -6, 0, 6], ["10⁻¹²", "10⁻⁶", "1", "10⁶"])
    first = np.atleast_1d(axes)[0]
    first.set_ylabel("norm of the gradient,\nrelative to lag 0")
    for panel in np.atleast_1d(axes):
        panel.legend(loc="lower left")
    return figure


@styled
def clipping(runs: Mapping[str, Sequence[ArrayLike]]) -> Figure:
    """Draw losses in bits, several runs of each kind.

    Parameters
    ----------
    runs : mapping of str to sequence of array_like
        By name: the loss after each update, an array per seed.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=2.9)
    for (name, curves), color, style in zip(runs.items(), COLORS, LINE_STYLES, strict=False):
        for k, curve in enumerate(curves):
            axes.plot(
                np.log2(np.asarray(curve)),
                color=color,
                linestyle=style,
                linewidth=1.2,
                label=name if k == 0 else None,
            )
    top = max(np.log2(np.max(curve)) for curves in runs.values() for curve in curves)
    axes.set_ylim(1, top + 1.5)  # room for the legend
    axes.set_yticks(range(1, int(top) + 1), [str(2**k) for k in range(1, int(top) + 1)])
    axes.set_xlabel("update")
    axes.set_ylabel("loss (bits per character)")
    axes.legend(loc="upper left", ncols=2)
    return figure


@styled
def bits(values: Mapping[str, float | Sequence[float]]) -> Figure:
    """Draw how many bits a character costs, a bar for each model.

    Parameters
    ----------
    values : mapping of str to float or sequence of float
        Several numbers are seeds: the bar shows their mean, and dots show each.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=0.6 + 0.34 * len(values))
    for row, value in enumerate(values.values()):
        seeds = np.atleast_1d(value)
        several = len(seeds) > 1
        axes.barh(
            row,
            seeds.mean(),
            height=0.62,
            color=COLORS[0] if several else GRID,
            linewidth=0,
        )
        if several:
            axes.plot(seeds, [row] * len(seeds), "o", color=INK, markersize=3.5, zorder=3)
        axes.text(seeds.max() + 0.06, row, f"{seeds.mean():.2f}", va="center", color=INK)
    axes.set_yticks(range(len(values)), list(values))
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("bits per character of the validation text")
    return figure


@styled
def memory(lags: ArrayLike, shares: Mapping[str, ArrayLike], baseline: float) -> Figure:
    """Draw how well earlier letters can be read from the state.

    Parameters
    ----------
    lags : array_like of int, shape (m,)
        How many steps ago the letter was read.
    shares : mapping of str to array_like, shape (seeds, m)
        Share of letters that a linear probe gets right, by the kind of network.
    baseline : float
        The share of the most frequent character.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.0)
    for (name, found), color, style, marker in zip(
        shares.items(), COLORS, LINE_STYLES, MARKERS, strict=False
    ):
        found = np.atleast_2d(found)
        axes.plot(lags, found.mean(axis=0), color=color, linestyle=style, marker=marker, label=name)
    axes.axhline(
        baseline, color=MUTED, linestyle=":", linewidth=1.3, label="always the same answer"
    )
    axes.set_ylim(0, 1.03)
    axes.set_xticks(np.asarray(lags))
    axes.set_xlabel("how many letters ago")
    axes.set_ylabel("share of letters read\nfrom the state")
    axes.legend(loc="upper right")
    return figure


@styled
def carries(states: ArrayLike, carry: ArrayLike, most: int = 4000) -> Figure:
    """Draw states in the two directions in which they vary most, by the carry that they stand for.

    Parameters
    ----------
    states : array_like, shape (n, u)
    carry : array_like of int, shape (n,)
        0 or 1.
    most : int, optional
        No more points than these are drawn, the first ones.

    Returns
    -------
    matplotlib.figure.Figure
    """
    states, carry = np.asarray(states), np.asarray(carry)
    centered = states - states.mean(axis=0)
    _, directions = np.linalg.eigh(centered.T @ centered)
    at = (centered @ directions[:, :-3:-1])[:most]
    figure, axes = new_figure(height=3.6)
    for value, color, marker in zip((0, 1), COLORS, MARKERS, strict=False):
        chosen = at[carry[:most] == value]
        axes.plot(
            chosen[:, 0],
            chosen[:, 1],
            marker,
            color=color,
            markersize=4,
            alpha=0.5,
            markeredgewidth=0,
            label=f"carry {value}",
        )
    axes.set_xlabel("direction in which the states vary most")
    axes.set_ylabel("the next one")
    axes.legend(loc="best")
    return figure
