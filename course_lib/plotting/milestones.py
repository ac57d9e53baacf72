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
    # Results of neighboring years are labeled above and below by turns.
    for n, (year, system, value) in enumerate(
        sorted(zip(years, systems, values, strict=True), key=lambda row: row[0])
    ):
        above = (better == "lower") == (n % 2 == 0)
        axes.annotate(
            f"{system}\n{value:g}",
            (year, value),
            xytext=(3, 7 if above else -7),
            textcoords="offset points",
            ha="left",
            va="bottom" if above else "top",
            fontsize=9,
            color=INK,
        )
    if reference is not None:
        axes.axhline(reference[1], color=MUTED, linestyle="--", linewidth=1)
        axes.annotate(
            f"{reference[0]}: {reference[1]:g}",
            (min(years), reference[1]),
            xytext=(0, 4),
            textcoords="offset points",
            fontsize=9,
            color=MUTED,
        )
    axes.set(
        xlabel="year",
        ylabel=metric,
        xlim=(min(years) - 0.5, max(years) + 2.5),
        ylim=(min(values) - 0.25 * span, max(values) + 0.3 * span),
    )
    axes.xaxis.get_major_locator().set_params(integer=True)
    return figure
