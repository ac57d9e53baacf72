"""Draw the figures of the chapter *How do we keep a network from learning by heart?*."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import ArrayLike

from course_lib.plotting.style import COLORS, INK, LINE_STYLES, MARKERS, MUTED, new_figure, styled

__all__ = ["by_heart", "gaps", "used_pixels"]

WIDTH = 5.8  # inches: narrow enough for the letters to stay legible on a phone


@styled
def by_heart(
    curves: Mapping[str, ArrayLike], *, best: int | None = None, note: str = "stop here"
) -> Figure:
    """Draw shares that change from epoch to epoch.

    Parameters
    ----------
    curves : mapping of str to array_like, shape (epochs,) or (runs, epochs)
        Name of a share, and its values from 0 to 1. Of several runs the mean is drawn, and a band
        from the lowest to the highest.
    best : int, optional
        An epoch to mark, counted from 1.
    note : str
        What to write there.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(width=WIDTH, height=3.3)
    for color, style, (name, values) in zip(COLORS, LINE_STYLES, curves.items(), strict=False):
        runs = np.atleast_2d(np.asarray(values, dtype=float))
        epochs = np.arange(1, runs.shape[1] + 1)
        axes.fill_between(epochs, runs.min(axis=0), runs.max(axis=0), color=color, alpha=0.18, lw=0)
        axes.plot(epochs, runs.mean(axis=0), color=color, linestyle=style, label=name)
    if best is not None:
        axes.axvline(best, color=MUTED, linewidth=1, linestyle=":")
        axes.annotate(
            note, (best, 0.02), xytext=(5, 0), textcoords="offset points", color=MUTED, fontsize=9.5
        )
    axes.set(xlabel="epoch", ylabel="share", ylim=(0, 1.03))
    axes.set_xlim(left=1)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.legend(loc="center right")
    return figure


@styled
def gaps(results: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> Figure:
    """Draw for each method what it got right of what it had seen, and of what it had not.

    Parameters
    ----------
    results : mapping of str to (seen, unseen)
        Name of a method; shares from 0 to 1, one for each run.

    Returns
    -------
    matplotlib.figure.Figure
        Methods from the best on unseen samples, at the top, to the worst.
    """
    order = sorted(results, key=lambda name: float(np.mean(results[name][1])))
    figure, axes = new_figure(width=WIDTH, height=0.9 + 0.34 * len(order))
    for height, name in enumerate(order):
        seen, unseen = (np.asarray(part, dtype=float) for part in results[name])
        ends = [unseen.mean(), seen.mean()]
        axes.plot(ends, [height] * 2, color=MUTED, linestyle="-", linewidth=2, alpha=0.6)
        for runs, color, marker, label in (
            (unseen, COLORS[0], MARKERS[0], "unseen, right labels"),
            (seen, COLORS[1], MARKERS[1], "seen, a fifth of the labels wrong"),
        ):
            axes.plot(
                runs,
                np.full(len(runs), height),
                linestyle="",
                marker=marker,
                color=color,
                alpha=0.75,
                label=label if height == 0 else None,
            )
    axes.set_yticks(range(len(order)), order)
    axes.set(xlabel="share answered as labeled", ylim=(-0.6, len(order) - 0.4))
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.legend(loc="upper center", bbox_to_anchor=(0.4, -0.18), ncols=2, frameon=False)
    return figure


@styled
def used_pixels(weights: Mapping[str, ArrayLike]) -> Figure:
    """Draw how much each pixel weighs in the first layer, a panel for each network.

    Parameters
    ----------
    weights : mapping of str to array_like, shape (64, units)
        Name of a network and the weights of its first layer.

    Returns
    -------
    matplotlib.figure.Figure
        The area of a square is the mean size of a pixel's weights; a cross marks pixels all of
        whose weights are exactly 0.
    """
    sizes = {name: np.abs(np.asarray(w, dtype=float)).mean(axis=1) for name, w in weights.items()}
    figure, panels = new_figure(1, len(sizes), width=WIDTH, height=WIDTH / len(sizes) + 0.35)
    rows, columns = np.divmod(np.arange(64), 8)
    # The largest square nearly fills its pixel.
    side = 72 * 0.7 * WIDTH / len(sizes) / 8.2
    for panel, (name, size) in zip(np.atleast_1d(panels), sizes.items(), strict=True):
        used = size > 0
        area = side**2 * size[used] / size.max()
        panel.scatter(columns[used], rows[used], s=area, marker="s", color=COLORS[0], linewidth=0)
        panel.plot(columns[~used], rows[~used], "x", color=MUTED, markersize=3.5)
        panel.set(title=name, xlim=(-0.6, 7.6), ylim=(7.6, -0.6), aspect="equal")
        panel.set(xticks=[], yticks=[])
        panel.spines[["top", "right"]].set_visible(True)
        panel.spines[:].set_alpha(0.3)
    return figure
