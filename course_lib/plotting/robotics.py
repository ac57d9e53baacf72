"""Figures of the chapter *Robotics*, and the drawing of a car in its lane."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle
from numpy.typing import ArrayLike, NDArray

from course_lib.plotting.drawings import arrow, label
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
    "camera",
    "delays",
    "drift",
    "lane",
    "learning",
    "moment",
    "paint",
    "shield",
]

Floats = NDArray[np.float64]


@styled
def lane(picture: ArrayLike, edge: float) -> Figure:
    """Draw a car in its lane, what describes where it is, and what its camera sees.

    Parameters
    ----------
    picture : array_like, shape (pixels,)
        One row of the camera, from left to right.
    edge : float
        From the middle of the lane to either line, in meters.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(width=7.0, height=4.2)
    axes.set(xlim=(-2.9, 17.1), ylim=(-6.5, 5.3), aspect="equal")
    axes.set_axis_off()
    axes.add_patch(Rectangle((-2.6, -edge), 17.2, 2 * edge, facecolor=GRID, alpha=0.35, zorder=0))
    for side in (-edge, edge):
        axes.plot([-2.6, 14.6], [side, side], color=INK, linewidth=2, linestyle="-", zorder=1)
    axes.plot([-2.6, 14.6], [0, 0], color=MUTED, linewidth=1.1, linestyle="--", zorder=1)
    d, psi, wheels = 0.95, np.radians(-9), np.radians(24)
    place = np.array([0.0, d])
    _car(axes, place, psi, wheels, size=2.7, color=COLORS[0])
    arrow(axes, (-1.7, 0), (-1.7, d), color=COLORS[1], width=1.6)
    label(axes, (-1.95, d / 2), "$d$", ha="right", color=COLORS[1], size=11)
    far = place + 5.2 * np.array([np.cos(psi), np.sin(psi)])
    axes.plot(*zip(place, far, strict=True), color=COLORS[0], linewidth=1, linestyle=":", zorder=3)
    axes.plot([0, 5.2], [d, d], color=MUTED, linewidth=1, linestyle=":", zorder=2)
    label(axes, (5.35, d - 0.4), r"$\psi$", ha="left", color=COLORS[0], size=11)
    front = place + 2.7 * np.array([np.cos(psi), np.sin(psi)])
    rolls = front + 2.5 * np.array([np.cos(psi + wheels), np.sin(psi + wheels)])
    axes.plot(*zip(front, rolls, strict=True), color=INK, linewidth=1, linestyle=":", zorder=9)
    label(axes, (rolls[0] + 0.1, rolls[1] + 0.25), r"$\delta$", ha="left", color=INK, size=11)
    turned = np.array([np.cos(psi), np.sin(psi)]), np.array([-np.sin(psi), np.cos(psi)])
    middle, half = place + 10 * turned[0], 10 * np.tan(0.5)
    ends = [middle + side * half * turned[1] for side in (1, -1)]
    for end in ends:
        axes.plot(*zip(place + 2.2 * turned[0], end, strict=True), color=GRID, linewidth=1,
                  linestyle="-", zorder=1)  # fmt: skip
    values = np.asarray(picture, dtype=float)
    edges = np.linspace(0, 1, len(values) + 1)[:, None] * (ends[1] - ends[0]) + ends[0]
    for value, a, b in zip(values, edges, edges[1:], strict=False):
        corners = [a, b, b + 0.45 * turned[0], a + 0.45 * turned[0]]
        axes.add_patch(
            Polygon(corners, facecolor=COLORS[2], alpha=float(np.clip(value, 0, 1)), zorder=4)
        )
        axes.add_patch(Polygon(corners, fill=False, edgecolor=INK, linewidth=0.6, zorder=5))
    label(axes, (11.5, 4.0), "the camera's row of pixels,\n10 m ahead", ha="left", size=9.5)
    label(axes, (14.8, edge), "edge", ha="left", size=9.5)
    label(axes, (14.8, 0), "middle", ha="left", size=9.5, color=MUTED)
    label(axes, (14.8, -edge), "edge", ha="left", size=9.5)
    return figure


def _car(
    axes: Axes, place: ArrayLike, heading: float, wheels: float, size: float, color: str
) -> None:
    """Draw a car seen from above, its rear axle at a place."""
    along = np.array([np.cos(heading), np.sin(heading)])
    across = np.array([-along[1], along[0]])
    rear = np.asarray(place, dtype=float)
    front, wide = rear + size * along, 0.3 * size
    body = [
        rear - 0.3 * size * along + wide * across,
        front + 0.25 * size * along + wide * across,
        front + 0.25 * size * along - wide * across,
        rear - 0.3 * size * along - wide * across,
    ]
    axes.add_patch(
        Polygon(body, facecolor=PAPER, edgecolor=color, linewidth=1.6, zorder=6, joinstyle="round")
    )
    axes.plot(*zip(rear, front, strict=True), color=color, linewidth=1, linestyle="-", zorder=7)
    for axle, angle in ((rear, heading), (front, heading + wheels)):
        wheel = 0.17 * size * np.array([np.cos(angle), np.sin(angle)])
        ends = zip(axle - wheel, axle + wheel, strict=True)
        axes.plot(*ends, color=INK, linewidth=3.2, linestyle="-", zorder=8)


@styled
def camera(films: Mapping[str, tuple[ArrayLike, ArrayLike]], seconds: float, edge: float) -> Figure:
    """Draw what a camera has seen, one row of pixels above the other, and where the car was.

    Parameters
    ----------
    films : mapping of str to (pictures, d)
        By title: pictures of shape (steps, pixels), and meters to the left of the middle, shape
        (steps,); both end where the car leaves the road.
    seconds : float
        Of one step.
    edge : float
        From the middle to the edge, in meters.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, grid = new_figure(2, 1, height=4.2, sharex=True)
    longest = max(len(np.asarray(d)) for _, d in films.values()) * seconds
    for axes, (title, (pictures, d)) in zip(grid, films.items(), strict=True):
        shown = np.asarray(pictures, dtype=float)
        end = len(shown) * seconds
        axes.set_title(title)
        # Left is up, as in a car that drives to the right.
        shades = np.clip(shown.T, 0, 1)
        layer = np.zeros((*shades.shape, 4))
        layer[..., :3] = tuple(int(COLORS[0][k : k + 2], 16) / 255 for k in (1, 3, 5))
        layer[..., 3] = shades
        axes.imshow(layer, extent=(0, end, 0.5, -0.5), aspect="auto", interpolation="nearest")
        axes.grid(visible=False)
        axes.set(ylim=(0.5, -0.5), yticks=[-0.42, 0.42], yticklabels=["left", "right"])
        axes.set_xlim(0, longest)
        over = axes.twinx()
        over.plot(np.arange(len(d)) * seconds, d, color=COLORS[1], linestyle="-", linewidth=1.8)
        over.set(ylim=(-1.25 * edge, 1.25 * edge), yticks=[-edge, 0, edge])
        over.set_ylabel("$d$ (m)", color=COLORS[1])
        over.grid(visible=False)
        over.spines["right"].set_visible(True)
        if end < longest - seconds:
            axes.axvline(end, color=INK, linewidth=1.4, linestyle="-")
            axes.text(end + 0.4, 0, "off the road", va="center", fontsize=10, color=INK)
    grid[-1].set_xlabel("time (s)")
    return figure


@styled
def drift(
    distances: Mapping[str, ArrayLike], shares: Mapping[str, ArrayLike], seconds: float
) -> Figure:
    """Draw how far cars are from the middle of their lane over time, and how many are still on it.

    Parameters
    ----------
    distances, shares : mapping of str to array_like, shape (seeds, steps)
        Mean distance of all cars (meters), and the share of them on the road, by driver. The bands
        reach from the lowest seed to the highest.
    seconds : float
        Of one step.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (left, right) = new_figure(1, 2, height=3.3)
    for axes, rows, factor in ((left, distances, 1.0), (right, shares, 100.0)):
        for (name, runs), color, style in zip(rows.items(), COLORS, LINE_STYLES, strict=False):
            runs = factor * np.atleast_2d(np.asarray(runs, dtype=float))
            at = seconds * np.arange(1, runs.shape[1] + 1)
            axes.fill_between(at, runs.min(0), runs.max(0), color=color, alpha=0.16, linewidth=0)
            axes.plot(at, runs.mean(axis=0), color=color, linestyle=style, label=name)
        axes.set_xlim(0, at[-1])
        axes.set_xlabel("time (s)")
    left.set_ylim(bottom=0)
    left.set_ylabel("distance from the middle (m)")
    right.set_ylim(0, 104)
    right.set_ylabel("cars still on the road (%)")
    right.legend(loc="lower left")
    return figure


@styled
def moment(
    road: tuple[ArrayLike, ArrayLike],
    edge: float,
    cars: Mapping[str, tuple[ArrayLike, float | None]],
    seconds: float,
) -> Figure:
    """Draw a moment of several cars on one road: a frame of a film.

    Parameters
    ----------
    road : (x, y), each of shape (points,)
        The middle of the lane, a closed curve, in meters.
    edge : float
        From the middle to the edge, in meters.
    cars : mapping of str to (path, seconds or None)
        By title: where the car was so far, shape (steps, 2), and when it left the road; None while
        it has not.
    seconds : float
        The time of this moment.

    Returns
    -------
    matplotlib.figure.Figure
    """
    x, y = (np.append(part, np.asarray(part)[0]) for part in road)
    apart = float(np.ptp(x)) + 22
    figure, axes = new_figure(height=3.0)
    # One panel without ticks, at a place of its own: a film has many frames, and each is laid out.
    figure.set_layout_engine("none")
    axes.set(position=(0, 0, 1, 1), xticks=[], yticks=[], aspect="equal")
    axes.set(
        xlim=(x.min() - 9, x.min() + len(cars) * apart - 13),
        ylim=(y.min() - 8, y.max() + 24),
    )
    axes.set_axis_off()
    tangent = np.stack([np.gradient(x), np.gradient(y)])
    normal = np.stack([-tangent[1], tangent[0]]) / np.hypot(*tangent)
    looks = zip(cars.items(), COLORS[1:], MARKERS, strict=False)
    for k, ((title, (path, left)), color, mark) in enumerate(looks):
        for side in (-edge, edge):
            line = np.stack([x, y]) + side * normal
            axes.plot(
                k * apart + line[0, ::4], line[1, ::4], color=MUTED, linewidth=0.9, linestyle="-"
            )
        been = np.asarray(path, dtype=float)
        axes.plot(k * apart + been[:, 0], been[:, 1], color=color, linewidth=1.6, linestyle="-")
        axes.plot(k * apart + been[-1, 0], been[-1, 1], mark, color=color, markersize=9, zorder=5)
        middle = k * apart + (x.min() + x.max()) / 2
        says = f"{seconds:.0f} s" if left is None else f"off the road after {left:.0f} s"
        axes.text(middle, y.max() + 13, title, ha="center", fontweight="bold", color=INK)
        axes.text(middle, y.max() + 5, says, ha="center", fontsize=10, color=INK)
    return figure


@styled
def learning(
    curves: Mapping[str, Sequence[tuple[ArrayLike, ArrayLike]]], levels: Mapping[str, float]
) -> Figure:
    """Draw what agents earn in an episode against the steps that they have made.

    Parameters
    ----------
    curves : mapping of str to sequence of (steps, returns)
        One pair of arrays per seed, by name. The line is the mean over the seeds, the band reaches
        from the lowest to the highest.
    levels : mapping of str to float
        What to compare with.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.5)
    last = 0.0
    for (name, runs), color, style in zip(curves.items(), COLORS, LINE_STYLES, strict=False):
        at = np.asarray(runs[0][0], dtype=float)
        each = np.array([returns for _, returns in runs], dtype=float)
        axes.fill_between(at, each.min(0), each.max(0), color=color, alpha=0.15, linewidth=0)
        axes.plot(at, each.mean(axis=0), color=color, linestyle=style, label=name)
        last = max(last, float(at[-1]))
    for name, value in levels.items():
        axes.axhline(value, color=MUTED, linewidth=1.3, linestyle=(0, (2, 2)))
        axes.text(0.01 * last, value + 18, name, fontsize=9.5, color=MUTED, va="bottom")
    axes.set_xlim(0, last)
    axes.set_ylim(top=60)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}".replace("-", "−"))
    axes.set_xlabel("steps in the environment")
    axes.set_ylabel("return of an episode")
    handles, names = axes.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=2)
    return figure


@styled
def delays(
    seconds: ArrayLike,
    shares: Mapping[str, ArrayLike],
    distances: Mapping[str, ArrayLike],
    known: tuple[float, float],
) -> Figure:
    """Draw how drivers do in cars whose wheels obey later and later.

    Parameters
    ----------
    seconds : array_like, shape (k,)
        The delays.
    shares, distances : mapping of str to array_like, shape (seeds, k)
        Share of the cars still on the road at the end, and mean distance from the middle of those
        that are (meters; nan where none is), by driver.
    known : (float, float)
        The delays that the randomized simulator holds.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (left, right) = new_figure(1, 2, height=3.3)
    for axes, rows, factor in ((left, shares, 100.0), (right, distances, 1.0)):
        axes.axvspan(*known, color=GRID, alpha=0.4, linewidth=0)
        looks = zip(rows.items(), COLORS, LINE_STYLES, MARKERS, strict=False)
        for (name, runs), color, style, mark in looks:
            runs = factor * np.asarray(runs, dtype=float)
            there = ~np.isnan(runs).any(axis=0)
            at = np.asarray(seconds, dtype=float)[there]
            runs = runs[:, there]
            axes.fill_between(at, runs.min(0), runs.max(0), color=color, alpha=0.15, linewidth=0)
            axes.plot(at, runs.mean(axis=0), color=color, linestyle=style, marker=mark, label=name)
        axes.set_xlabel("delay of the steering (s)")
        axes.set_xlim(-0.02, max(np.asarray(seconds)) + 0.02)
    left.set_ylim(0, 104)
    left.set_ylabel("cars still on the road (%)")
    right.set_ylim(bottom=0)
    right.set_ylabel("distance from the middle (m)")
    handles, names = left.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=3)
    return figure


@styled
def shield(
    d: ArrayLike, psi: ArrayLike, allowed: ArrayLike, path: ArrayLike, taken: ArrayLike, edge: float
) -> Figure:
    """Draw which commands a shield allows in each state, and the states of a car behind it.

    Parameters
    ----------
    d : array_like, shape (m,)
        Meters to the left of the middle.
    psi : array_like, shape (k,)
        Heading, in degrees to the left.
    allowed : array_like, shape (k, m)
        The share of all commands that are let through; nan where the fallback itself leaves the
        road.
    path : array_like, shape (steps, 2)
        `d` (meters) and `psi` (degrees) of a car, step by step.
    taken : array_like of bool, shape (steps,)
        Where the shield took over.
    edge : float
        From the middle to the edge, in meters.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.9)
    share = np.asarray(allowed, dtype=float)
    lost = np.isnan(share)
    axes.contourf(d, psi, np.where(lost, 0.0, 1.0), levels=[-0.5, 0.5], colors=[GRID], alpha=0.75)
    levels = [0.001, 0.25, 0.5, 0.75, 0.999, 1.5]
    for k, strength in enumerate((0.42, 0.32, 0.22, 0.12, 0.0)):
        within = (share > levels[k]) & (share <= levels[k + 1])
        axes.contourf(
            d, psi, np.where(within, 1.0, 0.0), levels=[0.5, 1.5], colors=[COLORS[1]],
            alpha=strength,
        )  # fmt: skip
    states, stopped = np.asarray(path, dtype=float), np.asarray(taken, dtype=bool)
    axes.plot(*states.T, color=COLORS[0], linewidth=0.9, linestyle="-", alpha=0.7)
    axes.plot(
        *states[~stopped].T, "o", color=COLORS[0], markersize=3.5, label="command let through"
    )
    axes.plot(*states[stopped].T, "D", color=COLORS[1], markersize=5, label="the shield steers")
    for side in (-edge, edge):
        axes.axvline(side, color=INK, linewidth=1.6, linestyle="-")
    axes.set_xlim(-1.12 * edge, 1.12 * edge)
    axes.set_xlabel("$d$: meters to the left of the middle")
    axes.set_ylabel("ψ: heading to the left (degrees)")
    axes.legend(loc="upper right")
    return figure


@styled
def paint(brightness: ArrayLike, exits: Mapping[str, ArrayLike]) -> Figure:
    """Draw how often cars leave roads whose lines are worn.

    Parameters
    ----------
    brightness : array_like, shape (k,)
        Of the lines; 1 is new paint.
    exits : mapping of str to array_like, shape (seeds, k)
        Share of the cars that left the road, by driver.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.2)
    looks = zip(exits.items(), COLORS[1:], LINE_STYLES, MARKERS, strict=False)
    for (name, runs), color, style, mark in looks:
        runs = 100 * np.asarray(runs, dtype=float)
        axes.fill_between(
            brightness, runs.min(0), runs.max(0), color=color, alpha=0.16, linewidth=0
        )
        axes.plot(
            brightness, runs.mean(axis=0), color=color, linestyle=style, marker=mark, label=name
        )
    axes.set_xlim(max(np.asarray(brightness)) + 0.02, min(np.asarray(brightness)) - 0.02)
    axes.set_ylim(0, 104)
    axes.set_xlabel("brightness of the lines (1 is new paint)")
    axes.set_ylabel("cars that leave the road (%)")
    axes.legend(loc="upper left")
    return figure
