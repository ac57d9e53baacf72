"""Figures of the chapter *Transformers*: a head, a mask, a block, and what was measured."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from course_lib.plotting import drawings
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
    "attention_head",
    "attention_maps",
    "block",
    "gpt",
    "look_up",
    "looking_back",
    "masking",
    "positions",
    "saturation",
]


@styled
def look_up(sizes: Sequence[int], right: Mapping[str, ArrayLike], chance: float) -> Figure:
    """Draw how often networks answer right against the number of entries in the book.

    Parameters
    ----------
    sizes : sequence of int
        Entries, evenly spaced in the figure.
    right : mapping of str to array_like, shape (seeds, sizes)
        The share of right answers of each network, by name. A point is a seed.
    chance : float
        What guessing gives.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=2.9)
    at = np.arange(len(sizes))
    for (name, values), color, style, marker in zip(
        right.items(), COLORS, LINE_STYLES, MARKERS, strict=False
    ):
        values = np.asarray(values)
        axes.plot(at, np.median(values, axis=0), color=color, linestyle=style, label=name)
        for row in values:
            axes.plot(at, row, marker, color=color, markersize=4.5, alpha=0.6)
    axes.axhline(chance, color=MUTED, linestyle=":", linewidth=1.2, label="guessing")
    axes.set_xticks(at, [str(size) for size in sizes])
    axes.set_ylim(0, 1.05)
    axes.set_yticks(np.linspace(0, 1, 6), [f"{share:.0%}" for share in np.linspace(0, 1, 6)])
    axes.set_xlabel("entries in the book")
    axes.set_ylabel("right answers")
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 0.12))
    return figure


@styled
def attention_head(scores: ArrayLike, weights: ArrayLike) -> Figure:
    """Draw one attention head: what is multiplied with what, and the shapes.

    Parameters
    ----------
    scores, weights : array_like, shape (n, n)
        Before the mask, and after mask and softmax; shaded by their size.

    Returns
    -------
    matplotlib.figure.Figure
    """
    scores, weights = np.asarray(scores), np.asarray(weights)
    width, height = drawings.WIDTH, 3.7
    figure, axes = new_figure(width=width, height=height)
    drawings.blank(axes, width, height)
    n, cell = len(scores), 0.2
    tall = n * cell
    bar = 0.78
    middle = {"Q": height - 0.75, "K": height / 2 - 0.06, "V": 0.63}
    x = drawings.matrix(
        axes, (0.12, middle["K"] + bar / 2), (n, 3), size=(0.42, bar), name="X", note="(n, d)"
    )
    parts = {}
    for name, note in (("Q", "queries"), ("K", "keys"), ("V", "values")):
        parts[name] = drawings.matrix(
            axes,
            (1.5, middle[name] + bar / 2),
            (n, 2),
            size=(0.32, bar),
            name=f"{name}, {note}",
            color=COLORS[{"Q": 0, "K": 2, "V": 3}[name]],
        )
        start = {"Q": (x.x + 0.21, x.y + 0.25), "K": x, "V": (x.x + 0.21, x.y - 0.25)}[name]
        tip = drawings.arrow(axes, start, parts[name].left)
        drawings.label(axes, tip, f"$W_{name}$", on_line=True)
    up = (middle["Q"] + middle["K"]) / 2
    table = drawings.matrix(
        axes,
        (2.85, up + tall / 2),
        scores,
        cell=cell,
        numbers=False,
        shade=True,
        name="scores",
        note="(n, n)",
    )
    for name, shift in (("Q", 0.2), ("K", -0.2)):
        drawings.arrow(axes, parts[name].right, (table.left[0], table.y + shift))
    drawings.label(axes, (2.38, up), "$QK^\\top/\\sqrt{d}$", size=9.5)
    shares = drawings.matrix(
        axes,
        (4.85, up + tall / 2),
        weights,
        cell=cell,
        numbers=False,
        shade=True,
        name="weights",
        note="(n, n)",
    )
    drawings.arrow(axes, table, shares, "mask,\nsoftmax")
    out = drawings.matrix(
        axes, (6.45, 0.75 + bar / 2), (n, 2), size=(0.32, bar), name="output", note="(n, d)"
    )
    times = drawings.node(axes, (shares.x, 0.75), "×", radius=0.17)
    drawings.arrow(axes, (shares.x, shares.bottom[1] - 0.22), times)
    drawings.arrow(axes, parts["V"].right, times)
    drawings.arrow(axes, times, out)
    drawings.label(axes, (3.4, 0.45), "each row: a weighted mean of the values", size=9.5)
    return figure


@styled
def masking(tokens: Sequence[str], scores: ArrayLike) -> Figure:
    """Draw what a causal mask does to a table of scores, in numbers.

    Parameters
    ----------
    tokens : sequence of str
        A short name for each position.
    scores : array_like, shape (n, n)

    Returns
    -------
    matplotlib.figure.Figure
    """
    scores = np.round(np.asarray(scores, dtype=float), 1)
    n = len(scores)
    seen = np.tril(np.ones((n, n), dtype=bool))
    powers = np.where(seen, np.exp(scores), 0.0)
    weights = powers / powers.sum(axis=1, keepdims=True)
    cell, gap = 0.39, 0.42
    width = 0.35 + 3 * n * cell + 2 * gap
    height = n * cell + 0.75
    figure, axes = new_figure(width=max(width, drawings.NARROW), height=height)
    drawings.blank(axes, width, height)
    top, grids = height - 0.48, []
    for column, (name, shown) in enumerate(
        (("scores", scores), ("masked", np.where(seen, scores, 0.0)), ("weights", weights))
    ):
        left = 0.32 + column * (n * cell + gap)
        grid = drawings.matrix(
            axes, (left, top), shown, cell=cell, numbers=False, shade=column == 2
        )
        drawings.label(axes, (grid.x, height - 0.1), name, bold=True)
        for i in range(n):
            drawings.label(axes, (left + (i + 0.5) * cell, top + 0.12), tokens[i], size=9)
            if not column:
                drawings.label(axes, (left - 0.15, top - (i + 0.5) * cell), tokens[i], size=9)
            for j in range(n):
                text = f"{shown[i, j]:.1f}" if column < 2 else f"{shown[i, j]:.2f}"
                if column and not seen[i, j]:
                    text = "−∞" if column == 1 else "0"
                color = INK if seen[i, j] or not column else MUTED
                drawings.label(
                    axes, grid.cell(i, j).center, text.replace("-", "−"), size=9, color=color
                )
        grids.append(grid)
    for one, other in pairwise(grids):
        drawings.arrow(axes, one, other, gap=0.05)
    return figure


@styled
def block() -> Figure:
    """Draw a transformer block around its residual stream, norms in front.

    Returns
    -------
    matplotlib.figure.Figure
    """
    width, height = drawings.WIDTH, 2.25
    figure, axes = new_figure(width=width, height=height)
    drawings.blank(axes, width, height)
    low, high = 0.5, 1.55
    x = 0.55
    drawings.label(axes, (0.22, low), "X", bold=True)
    parts = (
        ("attention", "between positions", COLORS[0]),
        ("perceptron", "each position alone", COLORS[2]),
    )
    for name, note, color in parts:
        norm = drawings.box(axes, (x + 0.5, high), "norm", width=0.62, height=0.5)
        part = drawings.box(
            axes, (x + 1.75, high), name, note, width=1.5, height=0.62, color=color, thick=True
        )
        plus = drawings.node(axes, (x + 2.8, low), "+", radius=0.16)
        # The branch leaves the stream, goes through two boxes, and is added to the stream.
        drawings.arrow(axes, (x + 0.5, low), (norm.x, norm.bottom[1]), gap=0.02)
        drawings.arrow(axes, norm, part)
        drawings.arrow(axes, part.right, (x + 2.8, high), head=False, gap=0)
        drawings.arrow(axes, (x + 2.8, high), plus)
        start = 0.4 if x < 1 else x - 0.05
        drawings.arrow(axes, (start, low), plus, width=3.2, color=INK, gap=0.02)
        x += 3.0
    drawings.arrow(axes, (x - 0.04, low), (width - 0.05, low), width=3.2, color=INK, gap=0.0)
    drawings.label(axes, (3.3, 0.18), "residual stream, (n, d)", size=9.5)
    return figure


@styled
def gpt(text: str) -> Figure:
    """Draw a GPT of two blocks, a column for each position, with the targets on top.

    Parameters
    ----------
    text : str
        n + 1 characters: all but the last are read, and all but the first are predicted.

    Returns
    -------
    matplotlib.figure.Figure
    """
    if len(text) < 2:
        raise ValueError(
            f"text: got {text!r}; give at least a character to read and one to predict"
        )
    n, height = len(text) - 1, 3.9
    figure, axes = new_figure(width=drawings.NARROW, height=height)
    drawings.blank(axes, drawings.NARROW, height)
    middle, wide = 2.35, 3.4
    xs = middle + (np.arange(n) - (n - 1) / 2) * (wide / n)
    layers = (
        (0.85, "embedding", "a row of d numbers for each token", INK),
        (1.6, "block 1", "", COLORS[0]),
        (2.25, "block 2", "", COLORS[0]),
        (3.0, "norm, transposed embedding", "a logit for each token", INK),
    )
    tall = {1.6: 0.4, 2.25: 0.4}
    boxes = [
        drawings.box(
            axes,
            (middle, y),
            name,
            note,
            width=wide + 0.1,
            height=tall.get(y, 0.5),
            color=color,
            thick=color != INK,
        )
        for y, name, note, color in layers
    ]
    for read, target, x in zip(text[:-1], text[1:], xs, strict=True):
        below = drawings.label(axes, (x, 0.25), read, size=11, bold=True)
        above = drawings.label(axes, (x, 3.65), target, size=11, bold=True)
        drawings.arrow(axes, (x, below.top[1] + 0.04), (x, boxes[0].bottom[1]))
        for lower, upper in pairwise(boxes):
            drawings.arrow(axes, (x, lower.top[1]), (x, upper.bottom[1]))
        drawings.arrow(axes, (x, boxes[-1].top[1]), (x, above.bottom[1]))
    left = middle + wide / 2 + 0.25
    for y, what in (
        (0.25, "tokens, (n,)"),
        (1.25, "stream, (n, d)"),
        (1.92, "stream, (n, d)"),
        (2.6, "stream, (n, d)"),
        (3.65, "targets, (n,)"),
    ):
        drawings.label(axes, (left, y), what, size=9.5, color=MUTED, ha="left")
    drawings.label(axes, (0.1, 0.25), "read", size=9.5, color=MUTED, ha="left")
    drawings.label(axes, (0.1, 3.65), "predict", size=9.5, color=MUTED, ha="left")
    return figure


@styled
def saturation(
    sizes: Sequence[int], largest: Mapping[str, ArrayLike], slopes: Mapping[str, ArrayLike]
) -> Figure:
    """Draw how sure a softmax over random scores is, and how steep, against the width d.

    Parameters
    ----------
    sizes : sequence of int
        Widths, evenly spaced in the figure.
    largest, slopes : mapping of str to array_like, shape (sizes,)
        The mean largest weight, and the size of the slopes, by what the scores were divided by.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(1, 2, height=2.9)
    at = np.arange(len(sizes))
    for panel, curves, title in (
        (axes[0], largest, "Largest weight of 32"),
        (axes[1], slopes, "Size of the softmax's slopes"),
    ):
        for (name, line), color, style, marker in zip(
            curves.items(), COLORS, LINE_STYLES, MARKERS, strict=False
        ):
            panel.plot(at, line, color=color, linestyle=style, marker=marker, label=name)
        panel.set_xticks(at, [str(size) for size in sizes])
        panel.set_ylim(bottom=0)
        panel.set_xlabel("width d of queries and keys")
        panel.set_title(title)
    axes[0].legend(loc="center right", bbox_to_anchor=(1.0, 0.42), title="divided by")
    return figure


@styled
def positions(waves: ArrayLike, distances: ArrayLike, scores: Mapping[str, ArrayLike]) -> Figure:
    """Draw waves over positions, and scores of turned arrows over distance.

    Parameters
    ----------
    waves : array_like, shape (n, k)
        A few columns of the sinusoidal positions.
    distances : array_like, shape (m,)
        From a query back to a key.
    scores : mapping of str to array_like, shape (m,)
        By where the query stands.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(1, 2, height=2.7)
    waves = np.asarray(waves)
    for column, color, style in zip(waves.T, COLORS, LINE_STYLES, strict=False):
        axes[0].plot(column, color=color, linestyle=style)
    axes[0].set_xlabel("position")
    axes[0].set_ylabel("what is added")
    axes[0].set_title("Waves of four speeds")
    for (name, line), color, marker in zip(scores.items(), COLORS, ("o", "x"), strict=False):
        axes[1].plot(distances, line, marker, color=color, markersize=5, label=name)
    axes[1].set_xlabel("distance back to the key")
    axes[1].set_ylabel("score")
    axes[1].set_title("Rotary: distance is all that counts")
    low, high = axes[1].get_ylim()
    axes[1].set_ylim(low, high + 0.3 * (high - low))  # room for the legend
    axes[1].legend(loc="upper right")
    return figure


@styled
def attention_maps(
    text: str, maps: Mapping[str, NDArray[np.float64]], shown: Sequence[str] | None = None
) -> Figure:
    """Draw where heads look: a row for each character, darker where the weight is larger.

    Parameters
    ----------
    text : str
        n characters.
    maps : mapping of str to ndarray, shape (n, n)
        Weights between 0 and 1, by title.
    shown : sequence of str, optional
        What to write for each character; a blank becomes "␣" otherwise.

    Returns
    -------
    matplotlib.figure.Figure
    """
    letters = [("␣" if c == " " else c) for c in text] if shown is None else list(shown)
    n = len(letters)
    figure, axes = new_figure(1, len(maps), height=3.75)
    for panel, (title, weights) in zip(np.atleast_1d(axes), maps.items(), strict=True):
        _shade(panel, np.asarray(weights))
        panel.set_xticks(range(n), letters)
        panel.set_yticks(range(n), letters)
        panel.tick_params(length=0, labelsize=9)
        panel.grid(visible=False)
        panel.set_xlim(-0.5, n - 0.5)
        panel.set_ylim(n - 0.5, -0.5)
        panel.set_aspect("equal")
        panel.set_xlabel("looked at")
        panel.set_title(title)
    np.atleast_1d(axes)[0].set_ylabel("looks from")
    return figure


@styled
def looking_back(text: str, maps: Mapping[str, ArrayLike], position: int) -> Figure:
    """Draw what heads look at from one character of a text: a frame of a film.

    Parameters
    ----------
    text : str
        n characters.
    maps : mapping of str to array_like, shape (n, n)
        Weights between 0 and 1, by title; row i holds what position i looks at.
    position : int
        The row to show, from 0 to n - 1.

    Returns
    -------
    matplotlib.figure.Figure
        A line of the text for each head. A character that is looked at has an arc, as thick as its
        weight; the weight of the character itself is the shade of the box around it.

    Raises
    ------
    ValueError
        If `position` is outside of the text.
    """
    n = len(text)
    if not 0 <= position < n:
        raise ValueError(f"The text has positions 0 to {n - 1}, but came with {position}.")
    pitch, rise, width = 0.34, 1.55, 0.34 * n + 0.4
    figure, axes = new_figure(width=width, height=rise * len(maps))
    # A film has many frames: nothing is laid out anew in each.
    figure.set_layout_engine("none")
    axes.set_position((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(0, rise * len(maps)), aspect="equal")
    axes.set_axis_off()
    for row, (title, weights) in enumerate(reversed(list(maps.items()))):
        y = 0.22 + rise * row
        axes.text(0.12, y + 1.14, title, ha="left", va="center", fontsize=11, fontweight="bold")
        for k, letter in enumerate(text):
            x = 0.37 + pitch * k
            color = MUTED if k > position else INK
            shown = "␣" if letter == " " else letter
            axes.text(x, y, shown, ha="center", va="center", fontsize=12, color=color)
        at = 0.37 + pitch * position
        look = np.asarray(weights, dtype=float)[position]
        axes.add_patch(
            Rectangle(
                (at - 0.15, y - 0.17),
                0.3,
                0.34,
                facecolor=COLORS[0],
                edgecolor="none",
                alpha=0.75 * float(look[position]),
            )
        )
        axes.add_patch(
            Rectangle((at - 0.15, y - 0.17), 0.3, 0.34, fill=False, edgecolor=INK, linewidth=1.4)
        )
        angle = np.linspace(0, np.pi, 25)
        for j in np.flatnonzero(look[:position] > 0.02):
            middle, radius = 0.37 + pitch * (position + j) / 2, pitch * (position - j) / 2
            axes.plot(
                middle + radius * np.cos(angle),
                y + 0.2 + min(radius, 0.75) * np.sin(angle),
                color=COLORS[0],
                linestyle="-",
                linewidth=0.5 + 7 * look[j],
                alpha=0.35 + 0.65 * float(look[j]),
                solid_capstyle="butt",
            )
    return figure


def _shade(axes: Axes, weights: NDArray[np.float64]) -> None:
    """Put a square into each cell that has some weight. Squares follow light and dark pages."""
    for i, j in np.argwhere(weights > 0.01):
        axes.add_patch(
            Rectangle(
                (j - 0.5, i - 0.5),
                1,
                1,
                facecolor=COLORS[0],
                alpha=float(min(1.0, weights[i, j])),
                edgecolor="none",
            )
        )
