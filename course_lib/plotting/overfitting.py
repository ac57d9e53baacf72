"""Figures of the chapter *Overfitting and generalization*."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullLocator
from numpy.typing import ArrayLike, NDArray

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
    "learning_curves",
    "papers",
    "symptoms",
    "three_regimes",
    "two_labelings",
    "two_valleys",
    "under_shifts",
]


@styled
def learning_curves(
    sizes: Sequence[int],
    curves: Mapping[str, ArrayLike],
    other: int,
    points: Mapping[str, ArrayLike],
) -> Figure:
    """Draw accuracies against the number of samples, and beside them those of another collection.

    Parameters
    ----------
    sizes : sequence of int
        Numbers of samples.
    curves : mapping of str to array_like, shape (sizes, runs)
        Accuracies by name, from 0 to 1; the mean is a line, the runs a band.
    other : int
        The number of samples in the other collection.
    points : mapping of str to array_like, shape (runs,)
        Its accuracies, by the same names.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, panel = new_figure(height=3.0)
    for (name, values), color, style, marker in zip(
        curves.items(), COLORS, LINE_STYLES, MARKERS, strict=False
    ):
        values, apart = np.asarray(values), np.asarray(points[name])
        panel.plot(
            sizes, values.mean(axis=1), color=color, linestyle=style, marker=marker, label=name
        )
        panel.fill_between(
            sizes, values.min(axis=1), values.max(axis=1), color=color, alpha=0.18, lw=0
        )
        panel.errorbar(
            other,
            apart.mean(),
            [[apart.mean() - apart.min()], [apart.max() - apart.mean()]],
            color=color,
            marker="*",
            markersize=13,
            markeredgecolor=PAPER,
            linestyle="none",
            capsize=3,
            label=f"{name}, rare groups added",
        )
    _counts(panel, [*sizes, other])
    panel.axhline(0.5, color=MUTED, linestyle=":", linewidth=1.2)
    panel.text(1.08 * other, 0.515, "a coin", color=MUTED, fontsize=9.5, va="bottom")
    panel.set(xlabel="training samples", ylabel="test accuracy", ylim=(0, 1.03))
    panel.yaxis.set_major_formatter(_percent)
    panel.legend(loc="lower right", fontsize=9)
    return figure


@styled
def two_labelings(
    learned: Mapping[str, Sequence[ArrayLike]],
    tested: Mapping[str, float],
    sizes: Sequence[int],
    steps: Mapping[str, ArrayLike],
) -> Figure:
    """Draw how a network fits true and random labels, and how long that takes.

    Parameters
    ----------
    learned : mapping of str to sequence of array_like
        The share of training labels that are learned after each epoch, one curve per run.
    tested : mapping of str to float
        The share of test samples that are right at the end, by the same names.
    sizes : sequence of int
        Numbers of training samples.
    steps : mapping of str to array_like, shape (runs, sizes)
        After how many steps everything was learned.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (left, right) = new_figure(1, 2, height=3.2)
    for name, color, style in zip(learned, COLORS, LINE_STYLES, strict=False):
        for number, run in enumerate(learned[name]):
            left.plot(
                np.arange(1, len(run) + 1),
                run,
                color=color,
                linestyle=style,
                linewidth=1.4,
                label=f"{name} (test: {tested[name]:.0%})" if number == 0 else None,
            )
    left.set(xlabel="epoch", ylabel="training labels learned", ylim=(0, 1.03))
    left.yaxis.set_major_formatter(_percent)
    left.legend(loc="lower right")
    for name, color, style, marker in zip(steps, COLORS, LINE_STYLES, MARKERS, strict=False):
        runs = np.asarray(steps[name])
        right.plot(sizes, runs.mean(axis=0), color=color, linestyle=style, label=name)
        for run in runs:
            right.plot(sizes, run, color=color, linestyle="none", marker=marker, markersize=4)
    _counts(right, sizes)
    right.set(xlabel="training samples", ylabel="steps until all are learned")
    right.set_ylim(bottom=0)
    right.legend(loc="upper left")
    return figure


@styled
def symptoms(logs: Mapping[str, Mapping[str, Sequence[float]]]) -> Figure:
    """Draw what training scripts wrote down: loss, learning rate and gradient over the epochs.

    Parameters
    ----------
    logs : mapping of str to mapping
        By the name of the script, its "losses", "rates" and "norms", a number for each epoch.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(1, 3, height=2.6)
    titles = {
        "losses": "validation loss",
        "rates": "learning rate",
        "norms": "length of the gradient",
    }
    for panel, (name, title) in zip(axes, titles.items(), strict=True):
        for (script, log), color, style in zip(logs.items(), COLORS, LINE_STYLES, strict=False):
            epochs = np.arange(1, len(log[name]) + 1)
            panel.plot(epochs, log[name], color=color, linestyle=style, label=script)
        panel.set_title(title)
        panel.set_xlabel("epoch")
        panel.set_ylim(bottom=0)
    if len(logs) > 1:
        axes[0].legend(loc="best")
    return figure


@styled
def three_regimes(
    at: ArrayLike,
    truth: ArrayLike,
    fits: Mapping[int, NDArray[np.float64]],
    points: tuple[ArrayLike, ArrayLike],
    widths: Sequence[int],
    terms: Mapping[str, ArrayLike],
) -> Figure:
    """Draw fits with few, enough and many features, and below them what their error is made of.

    Parameters
    ----------
    at : array_like, shape (m,)
        Inputs at which the fits were asked.
    truth : array_like, shape (m,)
        The curve that the samples lie around.
    fits : mapping of int to ndarray, shape (sets, m)
        By number of features, what was fitted to each training set; the first is drawn thick.
    points : (x, y)
        The first training set.
    widths : sequence of int
        Numbers of features of the lower panel.
    terms : mapping of str to array_like, shape (widths,)
        The terms of the error, by name.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, _ = new_figure(height=5.6)
    figure.clf()
    grid = figure.add_gridspec(2, len(fits), height_ratios=[1, 1.25])
    n = len(np.asarray(points[0]))
    for place, (width, curves) in enumerate(fits.items()):
        panel = figure.add_subplot(grid[0, place])
        _like(panel)
        thin = [np.column_stack([at, curve]) for curve in curves[1:]]
        panel.add_collection(LineCollection(thin, colors=MUTED, linewidths=0.6, alpha=0.5))
        panel.plot(at, truth, color=COLORS[2], linestyle="--", label="truth")
        panel.plot(at, curves[0], color=COLORS[0], linestyle="-", label="one fit")
        panel.scatter(*points, s=22, color=INK, edgecolor=PAPER, linewidth=0.6, zorder=4)
        panel.set(ylim=(-2.6, 2.6), xlim=(-1, 1), xticks=[-1, 0, 1], yticks=[-2, 0, 2])
        panel.set_title(f"{width:,} features")
        panel.set_xlabel("x")
        if place:
            panel.set_yticklabels([])
        else:
            panel.set_ylabel("y")
            panel.legend(loc="lower right", handlelength=2.2)
    panel = figure.add_subplot(grid[1, :])
    _like(panel)
    panel.axvline(n, color=MUTED, linestyle=":", linewidth=1.2)
    for (name, values), color, style, marker in zip(
        terms.items(), (INK, *COLORS), LINE_STYLES, MARKERS, strict=False
    ):
        panel.plot(
            widths, values, color=color, linestyle=style, marker=marker, markersize=4, label=name
        )
    panel.set_yscale("log")
    panel.yaxis.set_major_formatter(_plain)
    panel.yaxis.set_minor_locator(NullLocator())
    _counts(panel, [2, 4, 8, 16, 32, 100, 300, 1000])
    top = float(np.max([np.max(values) for values in terms.values()]))
    panel.text(
        n * 1.2, top, f"as many features as samples ({n})", color=MUTED, fontsize=9.5, va="center"
    )
    panel.set(xlabel="features", ylabel="squared error")
    panel.legend(loc="center right")
    return figure


@styled
def two_valleys(
    widths: Sequence[int],
    errors: Mapping[str, ArrayLike],
    samples: int,
    trivial: float,
) -> Figure:
    """Draw the test error against the number of features, with both of its valleys.

    Parameters
    ----------
    widths : sequence of int
        Numbers of features.
    errors : mapping of str to array_like, shape (splits, widths)
        Test errors by name; each split is a thin line, their geometric mean a thick one.
    samples : int
        The number of training samples, which is marked.
    trivial : float
        The error of an answer that ignores the image.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, panel = new_figure(height=3.5)
    panel.axvline(samples, color=MUTED, linestyle=":", linewidth=1.2)
    panel.axhline(trivial, color=MUTED, linestyle=":", linewidth=1.2)
    for (name, values), color, style, marker in zip(
        errors.items(), COLORS, LINE_STYLES, MARKERS, strict=False
    ):
        values = np.asarray(values)
        panel.plot(widths, values.T, color=color, linestyle="-", linewidth=0.6, alpha=0.55)
        panel.plot(
            widths,
            np.exp(np.log(values).mean(axis=0)),
            color=color,
            linestyle=style,
            marker=marker,
            markersize=4,
            label=name,
        )
    panel.set_yscale("log")
    panel.yaxis.set_major_formatter(_plain)
    panel.yaxis.set_minor_locator(NullLocator())
    _counts(panel, [10, 20, 50, 100, 200, 500, 1000, 2000])
    panel.text(
        widths[-1], trivial * 1.12, "ignores the image", color=MUTED, fontsize=9.5, ha="right"
    )
    panel.set(xlabel="features", ylabel="squared error per test digit")
    panel.legend(loc="upper right")
    return figure


@styled
def under_shifts(
    images: Mapping[str, Mapping[int, ArrayLike]],
    accuracy: Mapping[str, ArrayLike],
    confidence: Mapping[str, ArrayLike],
) -> Figure:
    """Draw what corruptions do to a digit, to the accuracy, and to the confidence.

    Parameters
    ----------
    images : mapping of str to mapping of int to array_like, shape (height, width)
        One digit at some strengths, by the name of the corruption.
    accuracy, confidence : mapping of str to array_like, shape (runs, strengths)
        By the same names, from 0 to 1.

    Returns
    -------
    matplotlib.figure.Figure
    """
    count = np.shape(next(iter(accuracy.values())))[1]
    figure, axes = new_figure(1, len(images), height=3.4, sharey=True, squeeze=False)
    for place, (name, strip) in enumerate(images.items()):
        panel = axes[0, place]
        for strength, image in strip.items():
            low, high = strength - 0.85, strength + 0.85
            # Above the curves, as high as wide on the page.
            panel.imshow(
                1 - np.asarray(image),
                cmap="gray",
                vmin=0,
                vmax=1,
                extent=(low, high, 1.1, 1.36),
                aspect="auto",
                zorder=3,
            )
            panel.add_patch(
                Rectangle((low, 1.1), 1.7, 0.26, fill=False, edgecolor=GRID, lw=0.8, zorder=4)
            )
        panel.set_title(name)
        strengths = np.arange(count)
        for values, color, style, marker, label in (
            (confidence[name], COLORS[1], "--", "s", "confidence"),
            (accuracy[name], COLORS[0], "-", "o", "accuracy"),
        ):
            values = np.asarray(values)
            panel.plot(
                strengths,
                values.mean(axis=0),
                color=color,
                linestyle=style,
                marker=marker,
                markersize=4,
                label=label,
            )
            panel.fill_between(
                strengths, values.min(axis=0), values.max(axis=0), color=color, alpha=0.18, lw=0
            )
        panel.set(xlim=(-1, count), ylim=(0, 1.4), xticks=strengths, xlabel="strength")
        panel.set_yticks([0, 0.25, 0.5, 0.75, 1])
        panel.yaxis.set_major_formatter(_percent)
        panel.spines["left"].set_bounds(0, 1)
        if place == 1:
            panel.legend(loc="lower left", handlelength=2.2)
    return figure


@styled
def papers(
    images: ArrayLike,
    names: Sequence[str],
    notes: Sequence[str],
    accuracy: Mapping[str, ArrayLike],
) -> Figure:
    """Draw a sample of each group, and how many of the group are read right.

    Parameters
    ----------
    images : array_like, shape (groups, height, width)
        A sample of each group.
    names : sequence of str
        What the groups are called.
    notes : sequence of str
        A line below each sample.
    accuracy : mapping of str to array_like, shape (runs, groups)
        Test accuracy of each group, by what was trained.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(
        2, len(names), height=3.9, height_ratios=[1, 1.25], sharey="row", squeeze=False
    )
    for place, (image, name, note) in enumerate(zip(np.asarray(images), names, notes, strict=True)):
        above, below = axes[:, place]
        above.imshow(1 - image, cmap="gray", vmin=0, vmax=1)
        above.set(xticks=[], yticks=[])
        above.grid(False)
        above.spines[:].set(visible=True, color=GRID)
        above.set_title(name)
        above.set_xlabel(note)
        for bar, values in enumerate(accuracy.values()):
            values = np.asarray(values)[:, place]
            color = COLORS[bar]
            below.bar(
                bar,
                values.mean(),
                0.62,
                color=color,
                alpha=0.5,
                hatch="//" if bar else None,
                edgecolor=color,
            )
            below.plot(
                np.full(len(values), bar),
                values,
                "o",
                color=INK,
                markersize=3.2,
                markeredgecolor=PAPER,
                markeredgewidth=0.5,
            )
            below.text(
                bar, 1.04, f"{values.mean():.0%}", ha="center", va="bottom", fontsize=9.5, color=INK
            )
        below.set(
            xticks=range(len(accuracy)),
            xlim=(-0.6, len(accuracy) - 0.4),
            ylim=(0, 1.18),
            yticks=[0, 0.5, 1],
        )
        below.set_xticklabels(list(accuracy))
        below.grid(False, axis="x")
        if not place:
            below.set_ylabel("test accuracy")
            below.yaxis.set_major_formatter(_percent)
    return figure


def _like(panel: Axes) -> None:
    """Give a panel that was added later the grid of the others."""
    panel.grid(True, color=GRID, linewidth=0.6)


def _counts(panel: Axes, ticks: Sequence[int]) -> None:
    """Make the horizontal axis logarithmic, with these numbers at it."""
    panel.set_xscale("log")
    panel.xaxis.set_minor_locator(NullLocator())
    panel.set_xticks(list(ticks), [f"{tick:,}" for tick in ticks])


def _plain(value: float, _: object) -> str:
    """Write a number without exponents."""
    return f"{value:,.10g}"


def _percent(value: float, _: object) -> str:
    """Write a share as a percentage."""
    return f"{value:.0%}"
