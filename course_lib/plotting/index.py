"""The figure of the front page: what the layers of a network make of points in a plane."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_lib.plotting.style import COLORS, INK, MARKERS, PAPER, new_figure, styled

__all__ = ["views"]


@styled
def views(
    points: Sequence[ArrayLike],
    labels: ArrayLike,
    titles: Sequence[str],
    *,
    notes: Sequence[str] = (),
    border: tuple[ArrayLike, float] | None = None,
) -> Figure:
    """Show the same points as each layer passes them on.

    Parameters
    ----------
    points : sequence of array_like, each of shape (n, 2)
        The points at the input, after the first layer, and so on.
    labels : array_like, shape (n,)
        Which class each point belongs to: 0, 1, ...
    titles : sequence of str
        One for each panel.
    notes : sequence of str, optional
        A line below each panel.
    border : (array_like of shape (2,), float), optional
        Weights and bias of the last neuron; the line where it changes its mind is drawn into the
        last panel.

    Returns
    -------
    matplotlib.figure.Figure
    """
    labels = np.asarray(labels)
    count = len(points)
    # Square panels, with a line of text above and perhaps one below.
    figure, panels = new_figure(1, count, width=7.0, height=7.0 / count + (0.6 if notes else 0.35))
    panels = np.atleast_1d(panels)
    for panel, seen, title in zip(panels, points, titles, strict=True):
        seen = np.asarray(seen)
        _draw_points(panel, seen, labels)
        center = (seen.min(axis=0) + seen.max(axis=0)) / 2
        reach = 0.56 * (seen.max(axis=0) - seen.min(axis=0)).max()
        panel.set(
            title=title,
            aspect="equal",
            xlim=(center[0] - reach, center[0] + reach),
            ylim=(center[1] - reach, center[1] + reach),
            xticks=[],
            yticks=[],
        )
        panel.spines[["top", "right"]].set_visible(True)
        panel.spines[:].set_alpha(0.3)
    for panel, note in zip(panels, notes, strict=False):
        panel.set_xlabel(note)
    if border is not None:
        _draw_border(panels[-1], *border)
    return figure


def _draw_points(panel: Any, seen: np.ndarray, labels: np.ndarray) -> None:
    """Draw each class in a color and with a marker of its own."""
    for kind in np.unique(labels):
        panel.plot(
            *seen[labels == kind].T,
            linestyle="",
            marker=MARKERS[kind],
            markersize=3.4,
            color=COLORS[kind],
            markeredgecolor=PAPER,
            markeredgewidth=0.3,
        )


def _draw_border(panel: Any, weights: ArrayLike, bias: float) -> None:
    """Draw the line where ``weights @ point + bias`` is zero."""
    normal = np.asarray(weights, dtype=float)
    foot = -bias * normal / (normal @ normal)
    along = np.array([-normal[1], normal[0]])
    panel.axline(foot, foot + along, color=INK, linewidth=1.3, linestyle="--")
