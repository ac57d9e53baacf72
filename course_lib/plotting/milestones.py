"""How the published results on a benchmark came about over the years."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from course_lib.plotting.style import COLORS, INK, MUTED, new_figure, styled

__all__ = ["milestones"]


@styled
def milestones(
    years: Sequence[int],
    systems: Sequence[str],
    values: Sequence[float],
    metric: str,
    *,
    better: str,
    reference: tuple[str, float] | None = None,
) -> Figure:
    """Draw published results by year, the best until each year joined by steps.

    Parameters
    ----------
    years, systems, values : sequences of equal length
        Each result's year, the system that reached it, and its value.
    metric : str
        What the vertical axis shows, with its unit.
    better : str
        ``"lower"`` or ``"higher"``.
    reference : (str, float), optional
        A level to compare with, such as what people reach, and its name.
    """
    if better not in ("lower", "higher"):
        raise ValueError(f"better is {better!r}, expected 'lower' or 'higher'")
    if not len(years) == len(systems) == len(values):
        raise ValueError(
            f"came {len(years)} years, {len(systems)} systems and {len(values)} values, "
            "expected one of each per result"
        )
    figure, axes = new_figure(height=3.4)
    choose = min if better == "lower" else max
    best: dict[int, float] = {}
    for year, value in sorted(zip(years, values, strict=True)):
        before = list(best.values())[-1:]
        best[year] = choose([best.get(year, value), value, *before])
    axes.step(
        [*best, max(years) + 1],
        [*best.values(), list(best.values())[-1]],
        where="post",
        color=COLORS[0],
        alpha=0.6,
        zorder=1,
    )
    axes.plot(years, values, "o", color=COLORS[0], zorder=2)
    span = max(values) - min(values) or 1.0
    left, right = min(years) - 0.5, max(years) + 2.5
    low, high = min(values) - 0.25 * span, max(values) + 0.3 * span
    # An inch in the units of the axes: labels are put where they cover neither each other, nor a
    # result, nor the reference.
    across, up = (right - left) / 6.2, (high - low) / 2.7
    taken = [
        (y - 0.1 * across, v - 0.1 * up, y + 0.1 * across, v + 0.1 * up)
        for y, v in zip(years, values, strict=True)
    ]
    if reference is not None:
        taken.append((left, reference[1] - 0.02 * up, right, reference[1] + 0.02 * up))
    for year, system, value in sorted(zip(years, systems, values, strict=True)):
        wide, tall = 0.075 * max(len(system), 4) * across, 0.36 * up
        places = []
        for side, at in (("left", year + 0.05 * across), ("right", year - 0.05 * across - wide)):
            for edge, bottom in (("bottom", value + 0.1 * up), ("top", value - 0.1 * up - tall)):
                place = (at, bottom, at + wide, bottom + tall)
                covered = sum(_common(place, other) for other in taken)
                outside = wide * tall - _common(place, (left, low, right, high))
                places.append((covered + outside, side, edge, place))
        _, side, edge, place = min(places, key=lambda entry: entry[0])
        taken.append(place)
        axes.annotate(
            f"{system}\n{value:g}",
            (year, value),
            xytext=(3 if side == "left" else -3, 7 if edge == "bottom" else -7),
            textcoords="offset points",
            ha=side,
            va=edge,
            fontsize=9,
            color=INK,
        )
    if reference is not None:
        axes.axhline(reference[1], color=MUTED, linestyle="--", linewidth=1)
        axes.annotate(
            f"{reference[0]}: {reference[1]:g}",
            (right, reference[1]),
            xytext=(-4, 4),
            textcoords="offset points",
            ha="right",
            fontsize=9,
            color=MUTED,
        )
    axes.set(xlabel="year", ylabel=metric, xlim=(left, right), ylim=(low, high))
    axes.xaxis.get_major_locator().set_params(integer=True)
    return figure


def _common(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Return the area that two rectangles (left, bottom, right, top) have in common."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)
