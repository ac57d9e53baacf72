"""Figures of the chapter *Language*."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_lib.plotting.drawings import arrow, blank, box, label
from course_lib.plotting.style import (
    COLORS,
    GRID,
    INK,
    MARKERS,
    MUTED,
    new_figure,
    styled,
)

__all__ = ["alignment", "beams", "forms", "names", "seq2seq"]


@styled
def forms(accuracy: Mapping[str, Mapping[str, ArrayLike]]) -> Figure:
    """Draw how well each method reads sentences of each form.

    Parameters
    ----------
    accuracy : mapping of str to (mapping of str to array_like, shape (seeds,))
        The method, then the form.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.3)
    kinds = list(next(iter(accuracy.values())))
    for n, (name, by_form) in enumerate(accuracy.items()):
        for place, kind in enumerate(kinds):
            values = 100 * np.asarray(by_form[kind])
            x = place + 0.24 * (n - (len(accuracy) - 1) / 2)
            text = name if place == 0 else None
            axes.plot([x] * len(values), values, MARKERS[n], color=COLORS[n], alpha=0.7, label=text)
            axes.plot([x - 0.09, x + 0.09], [values.mean()] * 2, color=COLORS[n], linestyle="-")
    axes.axhline(50, color=MUTED, linestyle="--", linewidth=1)
    axes.set_xticks(range(len(kinds)), kinds)
    axes.set_ylabel("read right (%)")
    axes.set_ylim(-4, 104)
    axes.set_xlim(-0.5, len(kinds) - 0.5)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.16), ncols=3, frameon=False)
    axes.grid(axis="x", visible=False)
    return figure


@styled
def seq2seq(source: Sequence[str], target: Sequence[str]) -> Figure:
    """Draw an encoder that reads, a decoder that writes, and what the decoder looks back at.

    Parameters
    ----------
    source : sequence of str
        What is read.
    target : sequence of str
        What is written, without the start and the end.

    Returns
    -------
    matplotlib.figure.Figure
    """
    width, height = 7.0, 3.35
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    cell = {"width": 0.42, "height": 0.36}
    low, high = 0.75, 2.55
    read = np.linspace(0.5, 3.35, len(source))
    for x, word in zip(read, source, strict=True):
        label(axes, (x, low - 0.62), word, size=9.5)
        arrow(axes, (x, low - 0.5), (x, low - 0.18))
    memory = [box(axes, (x, low), "", color=COLORS[0], **cell) for x in read]
    for left, right in itertools.pairwise(memory):
        arrow(axes, left, right)
    given = ["<start>", *target]
    wanted = [*target, "<end>"]
    wrote = np.linspace(4.35, 6.6, len(given))
    states = [box(axes, (x, low), "", color=COLORS[2], **cell) for x in wrote]
    arrow(axes, memory[-1], states[0])
    for left, right in itertools.pairwise(states):
        arrow(axes, left, right)
    for x, word, said in zip(wrote, given, wanted, strict=True):
        label(axes, (x, low - 0.62), word, size=9.5)
        arrow(axes, (x, low - 0.5), (x, low - 0.18))
        label(axes, (x, high + 0.35), said, size=9.5, bold=True)
        arrow(axes, (x, low + 0.18), (x, high + 0.2))
    # One step of attention: the second state asks all states of the encoder.
    asking = 1
    look = box(axes, (1.95, 1.85), "attention", "weights add up to 1", color=COLORS[1])
    for x, state in zip(read, memory, strict=True):
        end = (look.x + 0.4 * (x - look.x), look.bottom[1])
        axes.plot([x, end[0]], [state.top[1], end[1]], color=COLORS[1], linestyle=":", lw=1.3)
    arrow(axes, (wrote[asking] - 0.02, 1.45), (look.right[0], 1.7), "query", color=COLORS[1])
    arrow(axes, look.right, (wrote[asking] - 0.02, 2.2), "context", color=COLORS[1])
    label(axes, (read.mean(), height - 0.1), "encoder", size=10, bold=True, color=COLORS[0])
    label(axes, (wrote.mean(), height - 0.1), "decoder", size=10, bold=True, color=COLORS[2])
    return figure


@styled
def alignment(maps: Sequence[tuple[Sequence[str], Sequence[str], ArrayLike]]) -> Figure:
    """Draw where a decoder looked before it wrote each token.

    Parameters
    ----------
    maps : sequence of (source, target, weights)
        What was read, what was written, and the weights, (target, source).

    Returns
    -------
    matplotlib.figure.Figure
    """
    wide = [len(target) for _, target, _ in maps]
    figure, panels = new_figure(1, len(maps), height=3.9, width_ratios=wide)
    for axes, (source, target, weights) in zip(panels, maps, strict=True):
        weights = np.asarray(weights).T
        axes.set(xlim=(-0.5, len(target) - 0.5), ylim=(len(source) - 0.5, -0.5))
        for i, row in enumerate(weights):
            for j, weight in enumerate(row):
                # Area in proportion to the weight: seen on light and on dark paper alike.
                axes.plot(
                    j, i, "s", color=COLORS[0], markersize=13 * np.sqrt(weight), markeredgewidth=0
                )
        axes.set_xticks(range(len(target)), target)
        axes.set_yticks(range(len(source)), source)
        axes.set_xlabel("written")
        axes.xaxis.tick_top()
        axes.xaxis.set_label_position("top")
    panels[0].set_ylabel("read")
    return figure


@styled
def beams(
    lengths: Sequence[int],
    log_probabilities: Sequence[float],
    texts: Sequence[str],
    chosen: Mapping[str, int],
) -> Figure:
    """Draw what a beam found, by length and probability, and what each rule takes of it.

    Parameters
    ----------
    lengths, log_probabilities : sequences of equal length
    texts : sequence of str
        The translations.
    chosen : mapping of str to int
        For each rule, which translation it takes.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.3)
    lengths, log_probabilities = np.asarray(lengths, float), np.asarray(log_probabilities)
    axes.plot(lengths, log_probabilities, "o", color=MUTED)
    best = min(log_probabilities / lengths, key=abs)
    line = np.array([0, lengths.max() + 1])
    axes.plot(line, best * line, color=COLORS[2], linestyle="--")
    axes.axhline(log_probabilities.max(), color=COLORS[1], linestyle=":")
    for n, (rule, which) in enumerate(chosen.items()):
        color = COLORS[n + 1]
        at = (lengths[which], log_probabilities[which])
        axes.plot(*at, MARKERS[n + 1], color=color, markersize=10, fillstyle="none", mew=2)
        axes.annotate(
            f"{rule}:\n“{texts[which]}”",
            at,
            xytext=((0.02, 0.06), (0.99, 0.97))[n],
            textcoords="axes fraction",
            ha=("left", "right")[n],
            va=("bottom", "top")[n],
            fontsize=9.5,
            color=INK,
            arrowprops={
                "arrowstyle": "-",
                "color": color,
                "shrinkB": 7,
                "relpos": ((0.9, 1.0), (0.97, 0.0))[n],
            },
        )
    axes.set(xlim=(0, lengths.max() + 1), xlabel="tokens, with the end")
    axes.set_ylim(1.3 * log_probabilities.min(), 0)
    axes.set_ylabel("log-probability")
    return figure


@styled
def names(read: Mapping[str, Mapping[str, ArrayLike]]) -> Figure:
    """Draw which share of the praise for each group of people is read as praise.

    Parameters
    ----------
    read : mapping of str to (mapping of str to array_like, shape (seeds,))
        The method, then the group.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=2.7)
    groups = list(next(iter(read.values())))
    for row, by_group in enumerate(list(read.values())[::-1]):
        means = [100 * np.mean(values) for values in by_group.values()]
        axes.plot(means, [row, row], color=GRID, linestyle="-", linewidth=4, zorder=1)
        for n, values in enumerate(by_group.values()):
            found = 100 * np.asarray(values)
            name = groups[n] if row == 0 else None
            axes.plot(found, [row] * len(found), MARKERS[n], color=COLORS[n], alpha=0.6, label=name)
            axes.plot([found.mean()] * 2, [row - 0.22, row + 0.22], color=COLORS[n], linestyle="-")
    axes.set_yticks(range(len(read)), list(read)[::-1])
    axes.set_ylim(-0.6, len(read) - 0.4)
    axes.set_xlim(None, 101)
    axes.set_xlabel("praise that is read as praise (%)")
    axes.legend(loc="lower left")
    axes.grid(axis="y", visible=False)
    return figure
