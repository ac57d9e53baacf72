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
    # Half a year on, so that the last step is seen as one.
    left, right = min(years) - 0.5, max(years) + 0.5
    marks, levels = [*best, right], [*best.values(), list(best.values())[-1]]
    axes.step(marks, levels, where="post", color=COLORS[0], alpha=0.6, zorder=1)
    axes.plot(years, values, "o", color=COLORS[0], zorder=2)
    span = max(values) - min(values) or 1.0
    low, high = min(values) - 0.33 * span, max(values) + 0.3 * span
    # An inch in the units of the axes: labels are put where they cover neither each other, nor a
    # result, nor the steps, nor the reference.
    across, up = (right - left) / 6.2, (high - low) / 2.7
    dots = [
        (y - 0.08 * across, v - 0.08 * up, y + 0.08 * across, v + 0.08 * up)
        for y, v in zip(years, values, strict=True)
    ]
    lines = [
        (start, level - 0.03 * up, end, level + 0.03 * up)
        for start, end, level in zip(marks, marks[1:], levels, strict=False)
    ] + [
        (year - 0.03 * across, min(pair), year + 0.03 * across, max(pair))
        for year, *pair in zip(marks[1:-1], levels, levels[1:], strict=False)
    ]
    if reference is not None:
        lines.append((left, reference[1] - 0.02 * up, right, reference[1] + 0.02 * up))
        wide = 0.075 * len(f"{reference[0]}: {reference[1]:g}") * across
        lines.append((right - wide, reference[1], right, reference[1] + 0.2 * up))
    # The last years first, since they have the least room. A second and a third round move labels
    # out of the way of those that came later.
    results = sorted(
        zip(years, values, systems, strict=True), key=lambda result: result[:2], reverse=True
    )
    chosen: dict[int, tuple[str, str, tuple[float, ...]]] = {}
    for number in 3 * list(range(len(results))):
        year, value, system = results[number]
        wide, tall = 0.075 * max(len(system), 4) * across, 0.36 * up
        places = []
        for side, at in (("left", year + 0.05 * across), ("right", year - 0.05 * across - wide)):
            for edge, bottom in (("bottom", value + 0.1 * up), ("top", value - 0.1 * up - tall)):
                places.append((side, edge, at, bottom))
        for side, at in (("left", year + 0.12 * across), ("right", year - 0.12 * across - wide)):
            places.append((side, "center", at, value - tall / 2))
        others = dots + [place for other, (*_, place) in chosen.items() if other != number]
        costs = []
        for side, edge, at, bottom in places:
            place = (at, bottom, at + wide, bottom + tall)
            # A label on another result would be read as that one's, and two labels not at all.
            covered = sum(_common(place, other) for other in lines)
            covered += 5 * sum(_common(place, other) for other in others)
            outside = wide * tall - _common(place, (left, low, right, high))
            costs.append((covered + 3 * outside, side, edge, place))
        chosen[number] = min(costs, key=lambda entry: entry[0])[1:]
    for number, (side, edge, _) in chosen.items():
        year, value, system = results[number]
        axes.annotate(
            f"{system}\n{_number(value)}",
            (year, value),
            xytext=(
                (8 if edge == "center" else 3) * (1 if side == "left" else -1),
                {"bottom": 7, "top": -7, "center": 0}[edge],
            ),
            textcoords="offset points",
            ha=side,
            va=edge,
            fontsize=9,
            color=INK,
        )
    if reference is not None:
        axes.axhline(reference[1], color=MUTED, linestyle="--", linewidth=1)
        axes.annotate(
            f"{reference[0]}: {_number(reference[1])}",
            (right, reference[1]),
            xytext=(-4, 4),
            textcoords="offset points",
            ha="right",
            fontsize=9,
            color=MUTED,
        )
    axes.set(xlabel="year", ylabel=metric, xlim=(left, right), ylim=(low, high))
    axes.xaxis.get_major_locator().set_params(integer=True)
    if min(values) >= 0:  # the room below is for labels, and no error is negative
        axes.set_yticks([tick for tick in axes.get_yticks() if 0 <= tick <= high])
    return figure


def _number(value: float) -> str:
    """Write a value, with a minus sign in place of a hyphen."""
    return f"{value:g}".replace("-", "−")


def _common(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Return the area that two rectangles (left, bottom, right, top) have in common."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)
