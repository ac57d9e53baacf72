"""Draw the figures of the chapter *Deep learning*."""

import textwrap
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter
from numpy.typing import ArrayLike

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

__all__ = ["cost", "maps", "more_data", "pictures", "staircases"]

WIDTH = 5.8  # inches: narrow enough for the letters to stay legible on a phone
HALO = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.0, "alpha": 0.85}


@styled
def pictures(groups: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> Figure:
    """Draw a row of pictures for each group, with some of their pixels marked.

    Parameters
    ----------
    groups : mapping of str to (images, marked)
        What the pictures of a row have in common; the pictures, shape (m, h, h), from 0 (paper) to
        1 (ink); and which of their pixels to mark, in the same shape.

    Returns
    -------
    matplotlib.figure.Figure
    """
    columns = max(len(images) for images, _ in groups.values())
    figure, panels = new_figure(
        len(groups),
        columns + 1,
        width=WIDTH,
        height=0.78 * len(groups),
        width_ratios=[2.4, *[1] * columns],
    )
    panels = np.reshape(panels, (len(groups), columns + 1))
    for row, (name, (images, marked)) in zip(panels, groups.items(), strict=True):
        row[0].axis("off")
        row[0].text(0, 0.5, name, va="center", transform=row[0].transAxes)
        for axes, image, marks in zip(row[1:], images, marked, strict=False):
            _picture(axes, image)
            i, j = np.nonzero(marks)
            axes.plot(j, i, "x", color=COLORS[0], markersize=4.5, markeredgewidth=1.6)
        for axes in row[1 + len(images) :]:
            axes.set_visible(False)
    return figure


@styled
def maps(
    x: ArrayLike,
    y: ArrayLike,
    answers: Mapping[str, ArrayLike],
    points: ArrayLike,
    labels: ArrayLike,
    notes: Mapping[str, str],
) -> Figure:
    """Draw where in the plane each model answers which of two classes.

    Parameters
    ----------
    x : array_like, shape (w,)
    y : array_like, shape (h,)
        The grid on which the models were asked.
    answers : mapping of str to array_like, shape (h, w)
        Name of a model and how sure it is of class 1 at each place, from 0 to 1.
    points : array_like, shape (n, 2)
    labels : array_like, shape (n,)
        Points of the two classes, 0 and 1.
    notes : mapping of str to str
        A line below the panel of each model.

    Returns
    -------
    matplotlib.figure.Figure
    """
    points, labels = np.asarray(points), np.asarray(labels)
    columns = 2
    rows = -(-len(answers) // columns)
    figure, panels = new_figure(rows, columns, width=WIDTH, height=3.05 * rows)
    panels = np.ravel(panels)
    for axes, (name, sure) in zip(panels, answers.items(), strict=False):
        sure = np.asarray(sure)
        axes.contourf(x, y, sure, levels=[0.5, np.inf], colors=[COLORS[1]], alpha=0.22)
        axes.contourf(x, y, sure, levels=[-np.inf, 0.5], colors=[COLORS[0]], alpha=0.22)
        axes.contour(x, y, sure, levels=[0.5], colors=[INK], linewidths=1.3)
        for kind in (0, 1):
            axes.plot(
                *points[labels == kind].T,
                MARKERS[kind],
                color=COLORS[kind],
                markersize=3.4,
                markeredgecolor=PAPER,
                markeredgewidth=0.4,
            )
        axes.set(title=name, xticks=[], yticks=[], aspect="equal", xlabel=notes[name])
        axes.grid(visible=False)
    for axes in panels[len(answers) :]:
        axes.set_visible(False)
    return figure


@styled
def more_data(
    tasks: Mapping[str, tuple[ArrayLike, ArrayLike, Mapping[str, ArrayLike]]],
) -> Figure:
    """Draw what remains wrong as the number of examples grows, a panel a task.

    Parameters
    ----------
    tasks : mapping of str to (examples, sizes, wrong)
        Name of a task; a few of its pictures, shape (m, h, h), any brightness; numbers of training
        examples, shape (k,); and for each model its share of wrong answers on unseen pictures,
        shape (seeds, k). Medians are drawn, and ranges shaded.

    Returns
    -------
    matplotlib.figure.Figure
    """
    columns = len(tasks)
    figure, grid = new_figure(
        2, columns, width=7.0, height=4.3, height_ratios=(1, 5), squeeze=False
    )
    for axes in grid[1, 1:]:
        axes.sharey(grid[1, 0])
    for (strip, axes), (name, (examples, sizes, wrong)) in zip(grid.T, tasks.items(), strict=True):
        _strip(strip, np.asarray(examples))
        strip.set_title(name)
        sizes = np.asarray(sizes)
        for color, style, marker, (model, shares) in zip(
            COLORS, LINE_STYLES, MARKERS, wrong.items(), strict=False
        ):
            shares = np.atleast_2d(shares)
            axes.fill_between(
                sizes, shares.min(axis=0), shares.max(axis=0), color=color, alpha=0.18, linewidth=0
            )
            middle = np.median(shares, axis=0)
            axes.plot(sizes, middle, color=color, linestyle=style, marker=marker, label=model)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel("training examples")
    first = grid[1, 0]
    ticks = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1]
    first.set_yticks(ticks)
    first.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share:.0%}"))
    first.yaxis.set_minor_formatter(NullFormatter())
    first.set_ylabel("wrong on unseen pictures")
    for axes in grid[1, 1:]:
        axes.tick_params(labelleft=False)
    first.legend(loc="lower left")
    return figure


@styled
def cost(
    models: Mapping[str, tuple[ArrayLike, ArrayLike]], baseline: float, baseline_name: str
) -> Figure:
    """Draw how often models are right against what it cost to train them.

    Parameters
    ----------
    models : mapping of str to (multiply_adds, accuracy)
        Name of a model, and for each split of the data the multiply-adds of its
        training and its accuracy on unseen rows, each of shape (splits,).
    baseline : float
        How often somebody is right who has learned nothing: written at the lower edge.
    baseline_name : str
        What that is.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(width=WIDTH, height=3.3)
    for color, marker, (name, (paid, right)) in zip(COLORS, MARKERS, models.items(), strict=False):
        x, right = np.median(paid), 100 * np.asarray(right)
        axes.plot([x, x], [right.min(), right.max()], color=color, linewidth=3.2, alpha=0.5)
        axes.plot(x, right.mean(), marker, color=color, markersize=9)
        axes.annotate(
            textwrap.fill(name, 10),
            (x, right.min()),
            xytext=(0, -9),
            textcoords="offset points",
            ha="center",
            va="top",
            color=color,
            fontweight="bold",
        )
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.set_xlim(low / 3, high * 3)
    # Ranges are what is to be compared: an axis down to the baseline would hide them.
    lowest = min(100 * np.min(right) for _, right in models.values())
    axes.set_ylim(np.floor(lowest) - 2.5, 100.2)
    axes.text(
        0.99,
        0.03,
        f"{baseline_name}: {baseline:.0%} ↓",
        transform=axes.transAxes,
        color=MUTED,
        ha="right",
    )
    axes.set_xlabel("multiply-adds to train")
    axes.set_ylabel("right on unseen patients, %")
    return figure


@styled
def staircases(
    steps: Mapping[str, ArrayLike], baselines: Mapping[str, float], names: list[str]
) -> Figure:
    """Draw what is left of a claimed accuracy as one mistake after another is taken away.

    Parameters
    ----------
    steps : mapping of str to array_like, shape (k,)
        Name of a data set and the accuracy after each correction, beginning with the claim.
    baselines : mapping of str to float
        The accuracy of the commonest answer on each data set.
    names : list of str
        What was done at each step; at most a few words, lines separated by a newline.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, panels = new_figure(len(steps), 1, width=7.0, height=2.5 * len(steps), sharex=True)
    for color, hatch, axes, (name, shares) in zip(
        COLORS, ("", "//"), np.atleast_1d(panels), steps.items(), strict=False
    ):
        shares, baseline = 100 * np.asarray(shares, dtype=float), 100 * baselines[name]
        places = np.arange(len(shares))
        axes.bar(
            places,
            shares,
            width=0.72,
            color=_tint(color),
            edgecolor=color,
            hatch=hatch,
            linewidth=1.2,
        )
        axes.axhline(baseline, color=INK, linestyle="--", linewidth=1.4)
        axes.text(
            1.005,
            baseline,
            "commonest\nanswer",
            transform=axes.get_yaxis_transform(),
            va="center",
            fontsize=9,
        )
        for place, share in zip(places, shares, strict=True):
            axes.text(
                place, 5, f"{share:.0f} %", ha="center", color=color, weight="bold", bbox=HALO
            )
        axes.set_ylim(0, 105)
        axes.set_yticks([0, 50, 100])
        axes.set_title(name)
        axes.set_ylabel("right, %")
        axes.grid(visible=False, axis="x")
        axes.set_xticks(places, names)
    return figure


def _tint(color: str) -> tuple[float, float, float, float]:
    """Return a color that lets the page shine through."""
    return (*to_rgb(color), 0.25)


def _picture(axes: Axes, image: ArrayLike) -> None:
    """Draw ink as gray, between paper and ink of the light palette in both modes."""
    axes.imshow(np.asarray(image), cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_color(GRID)


def _strip(axes: Axes, images: np.ndarray) -> None:
    """Draw a few pictures side by side, each from its darkest to its brightest."""
    gap = np.full((images.shape[1], 1), np.nan)
    low, high = images.min(axis=(1, 2)), images.max(axis=(1, 2))
    scaled = (images - low[:, None, None]) / (high - low)[:, None, None]
    joined = np.hstack([part for image in scaled for part in (image, gap)][:-1])
    axes.imshow(joined, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
    axes.axis("off")
