"""One style for every figure, and one picture that suits a light and a dark page.

A figure is drawn with the colors of the light palette. `figure_to_svg` then replaces each color
that has a dark counterpart by a CSS variable, and writes both palettes into the SVG. An SVG that
is shown through ``<img>`` follows the ``color-scheme`` of the page, so the book's light/dark
switch reaches into the figures without a second file and without a filter.

Colors alone never carry a meaning: give each curve its own line style or marker as well, and let
the caption name that or the label, not the color.
"""

import hashlib
import io
import math
import re
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

import matplotlib as mpl
from cycler import cycler
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.scale import LogScale
from matplotlib.ticker import LogLocator, NullLocator

__all__ = [
    "COLORS",
    "GRID",
    "INK",
    "LINE_STYLES",
    "MARKERS",
    "MUTED",
    "PAPER",
    "figure_to_svg",
    "logarithmic",
    "new_figure",
    "power",
    "register_formatters",
    "styled",
]

P = ParamSpec("P")
R = TypeVar("R")

INK: Final = "#24292f"
"""Text, axes and anything else that would be black on paper."""

MUTED: Final = "#656d76"
"""Annotations and reference lines that should stand back."""

GRID: Final = "#d0d7de"
"""Grid lines, seen when looked for."""

PAPER: Final = "#ffffff"
"""The page, for edges of markers that overlap and boxes behind text."""

# The Okabe-Ito hues, moved in lightness by a search until every color has a contrast of at least
# 3 on its background and every two stay apart for each kind of color blindness. The tests compute
# both; the first four are the farthest apart, so use them first.
COLORS: Final = ("#1c64c6", "#f33313", "#139b65", "#a02c9b", "#7a8022", "#1a97ea")
"""Blue, vermilion, green, purple, olive and sky, which color-blind readers can tell apart."""

LINE_STYLES: Final = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 3)))
"""A second way to tell curves apart, in step with `COLORS`."""

MARKERS: Final = ("o", "s", "^", "D", "v", "P")
"""A second way to tell points apart, in step with `COLORS`."""

# Light color -> (CSS variable, dark color). The dark paper is the book's dark background.
_DARK: Final[dict[str, tuple[str, str]]] = {
    INK: ("ink", "#d6d9dd"),
    MUTED: ("muted", "#9aa4af"),
    GRID: ("grid", "#3a3f45"),
    PAPER: ("paper", "#121212"),
    COLORS[0]: ("1", "#67a4ff"),
    COLORS[1]: ("2", "#f57720"),
    COLORS[2]: ("3", "#17dca2"),
    COLORS[3]: ("4", "#cc7dc1"),
    COLORS[4]: ("5", "#dfcd49"),
    COLORS[5]: ("6", "#afc9fd"),
}

_RAISED: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

# Matplotlib's own ink, for figures that were not made by `new_figure`.
_SAME_AS: Final = {"#000000": INK}

_STYLE: Final[dict[str, Any]] = {
    "axes.axisbelow": True,
    "axes.edgecolor": INK,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 10,
    "axes.linewidth": 0.8,
    "axes.prop_cycle": cycler(color=COLORS) + cycler(linestyle=LINE_STYLES),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "figure.facecolor": "none",
    "figure.titlesize": 11,
    "font.family": "DejaVu Sans",  # Comes with matplotlib: the same glyphs on every machine.
    "font.size": 10,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "hatch.color": INK,
    "legend.edgecolor": GRID,
    "legend.facecolor": PAPER,
    "legend.fontsize": 9.5,
    "legend.framealpha": 0.85,
    "legend.handlelength": 2.8,  # Long enough to show the line style.
    "lines.linewidth": 1.9,
    "lines.markersize": 5,
    "mathtext.fontset": "dejavusans",
    "patch.edgecolor": INK,
    "savefig.bbox": None,
    "svg.fonttype": "path",
    "svg.hashsalt": "deep learning, layer by layer",
    "text.color": INK,
    "xtick.color": INK,
    "xtick.labelsize": 9.5,
    "ytick.color": INK,
    "ytick.labelsize": 9.5,
}


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Make what a function draws follow the style of the book.

    `new_figure` already styles axes, ticks, grid and the color cycle. Widths, legends and fonts of
    what is added later are read from matplotlib's settings when it is added: this decorator has
    the book's settings in force for the whole function, and leaves the reader's own as they were.

    Parameters
    ----------
    draw : callable
        A function that makes a figure and returns it.

    Returns
    -------
    callable
        The same function in the book's style.
    """

    @wraps(draw)
    def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        with mpl.rc_context(_STYLE):
            return draw(*args, **kwargs)

    return inner


def new_figure(
    rows: int = 1,
    columns: int = 1,
    *,
    width: float = 7.0,
    height: float = 3.2,
    sharex: bool | str = False,
    sharey: bool | str = False,
    **grid: Any,
) -> tuple[Figure, Any]:
    """Make an empty figure in the style of the book.

    Parameters
    ----------
    rows, columns : int
        The grid of panels.
    width, height : float
        Size in inches. The book's text is 7 inches wide at the size its figures are shown.
    sharex, sharey : bool or {"none", "all", "row", "col"}
        As in `matplotlib.figure.Figure.subplots`.
    **grid
        More for `matplotlib.figure.Figure.subplots`, such as ``width_ratios``.

    Returns
    -------
    figure : matplotlib.figure.Figure
    axes : matplotlib.axes.Axes or numpy.ndarray of Axes
        One `Axes` for one panel, an array without axes of length one otherwise.
    """
    with mpl.rc_context(_STYLE):
        figure = _BookFigure(figsize=(width, height), layout="constrained")
        axes = figure.subplots(rows, columns, sharex=sharex, sharey=sharey, **grid)
    return figure, axes


class _BookFigure(Figure):
    """A figure of the book.

    It is a class of its own because ``%matplotlib inline`` removes every formatter that was
    registered for `Figure` itself; those for this class stay.
    """

    def __repr__(self) -> str:
        return describe(self)


def logarithmic(axis: Axis, base: int = 10) -> None:
    """Make an axis logarithmic, and label the powers of its base and nothing between them.

    Without mathtext: parsing the labels of a logarithmic axis takes as long as all the rest of a
    figure several times over.

    Parameters
    ----------
    axis : matplotlib.axis.Axis
        ``axes.xaxis`` or ``axes.yaxis``.
    base : int
    """
    axis.axes.set(**{f"{axis.axis_name}scale": LogScale(axis, base=base)})
    axis.set_major_locator(LogLocator(base=base, numticks=9))
    axis.set_major_formatter(lambda value, _: power(value, base))
    axis.set_minor_locator(NullLocator())


def power(value: float, base: int = 10) -> str:
    """Write a power in superscript digits, 1e-07 as 10⁻⁷.

    Examples
    --------
    >>> power(1e-7), power(1024, base=2)
    ('10⁻⁷', '2¹⁰')
    """
    return f"{base}{str(round(math.log(value, base))).translate(_RAISED)}"


def describe(figure: Figure) -> str:
    """Say in a line what a figure holds, for places that show no pictures.

    Parameters
    ----------
    figure : matplotlib.figure.Figure

    Returns
    -------
    str
        Size, and what each panel plots against what.
    """
    width, height = figure.get_size_inches()
    panels = []
    for axes in figure.axes:
        x, y = axes.get_xlabel(), axes.get_ylabel()
        title = axes.get_title(loc="left") or axes.get_title() or axes.get_title(loc="right")
        against = f"{y} against {x}" if x and y else y or x
        panels.append(": ".join(filter(None, (title, against))))
    named = "; ".join(" ".join(panel.split()) for panel in panels if panel)
    size = f"Figure, {width:g} by {height:g} inches"
    return f"<{size}: {named}>" if named else f"<{size}>"


def figure_to_svg(figure: Figure) -> str:
    """Draw a figure as SVG that follows light and dark mode.

    The same figure gives the same text on every run and every machine: no date, no random
    identifiers, glyphs as outlines of a font that comes with matplotlib.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        A figure made by `new_figure`, or any other.

    Returns
    -------
    str
        One ``<svg>`` element, without XML declaration.
    """
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with mpl.rc_context(_STYLE):
        _settle(figure)
        figure.savefig(buffer, format="svg", facecolor="none", metadata=nothing)
    return _finish(buffer.getvalue())


def _settle(figure: Figure, passes: int = 6) -> None:
    """Let the layout come to rest, so that drawing a figure twice gives the same picture.

    Room for labels depends on the ticks, ticks on the room for the panel: matplotlib goes around
    that circle once per drawing.
    """
    before: list[tuple[float, ...]] = []
    for _ in range(passes):
        figure.draw_without_rendering()
        after = [axes.get_position().bounds for axes in figure.axes]
        if after == before:
            break
        before = after


def _palette(dark: bool) -> str:
    """List the CSS variables of one mode."""
    return "".join(
        f"--fig-{name}:{darker if dark else lighter};" for lighter, (name, darker) in _DARK.items()
    )


# Two selectors matter. Everything is scoped to the class, since a notebook may put several figures
# into one page. And the dark palette asks for `:root`: it is for a figure that is a document of
# its own (in an <img>), where the page's color scheme decides. Pasted into a page, a figure cannot
# know that page's colors, and stays light on its own paper.
_CSS: Final = (
    f".book-figure{{{_palette(dark=False)}fill:var(--fig-ink)}}"
    f"@media (prefers-color-scheme:dark){{.book-figure:root{{{_palette(dark=True)}}}}}"
    ".book-figure *{stroke-linejoin:round;stroke-linecap:butt}"
    ".book-figure .paper{fill:var(--fig-paper)}"
)


def _finish(svg: str) -> str:
    """Turn matplotlib's SVG into the book's: smaller, and with variables for colors."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"\s*<defs>\s*<style[^>]*>.*?</style>\s*</defs>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(?<=[ "])(fill|stroke|stop-color): (#[0-9a-f]{6})', _as_variable, svg)
    # Hatched areas carry their color as an attribute, which cannot hold a variable.
    svg = re.sub(r' (fill)="(#[0-9a-f]{6})"', lambda m: f' style="{_as_variable(m)}"', svg)
    # A hundredth of a point is far below what a screen shows, and a third of the file.
    svg = re.sub(r'(?<= )(d|x|y|points)="([^"]*)"', lambda m: f'{m[1]}="{_rounded(m[2])}"', svg)
    svg = re.sub(r"translate\(([^)]*)\)", lambda m: f"translate({_rounded(m[1])})", svg)
    svg = re.sub(r"\n\s*", "\n", svg)
    # Matplotlib repeats the style for each marker of a cloud: once for the group is enough.
    svg = re.sub(
        r'<g(?P<of>[^>]*)>\n(?P<marks>(?:<use [^>]*(?P<style> style="[^"]*")/>\n)'
        r"(?:<use [^>]*(?P=style)/>\n)+)</g>",
        lambda m: f"<g{m['of']}{m['style']}>\n{m['marks'].replace(m['style'], '')}</g>",
        svg,
    )
    svg = _short_ids(svg)
    head, rest = svg.split(">", 1)
    head = re.sub(r"\s+", " ", head).replace("<svg", '<svg class="book-figure"', 1)
    paper = '<rect class="paper" width="100%" height="100%"/>'
    return f"{head}>\n<style>{_CSS}</style>\n{paper}{rest}"


def _short_ids(svg: str) -> str:
    """Keep only identifiers that something refers to, and make them the figure's own.

    Matplotlib derives them from coordinates to the last bit, which drawing twice can change. Here
    they are numbered, behind a digest of the figure: two figures in one page never mix.
    """
    used = dict.fromkeys(re.findall(r'(?:url\(|href=")#([^)"]+)', svg))
    numbers = {name: f"#{number}" for number, name in enumerate(used)}
    svg = re.sub(r' id="([^"]*)"', lambda m: f' id="{numbers[m[1]]}"' if m[1] in used else "", svg)
    svg = re.sub(r'(url\(|href=")#([^)"]+)', lambda m: m[1] + numbers[m[2]], svg)
    digest = hashlib.sha256(svg.encode()).hexdigest()[:6]
    svg = re.sub(r' id="#(\d+)"', rf' id="f{digest}-\1"', svg)
    return re.sub(r'(url\(|href=")#(\d+)', rf"\1#f{digest}-\2", svg)


def _as_variable(match: re.Match[str]) -> str:
    """Write ``fill: #24292f`` as ``fill: var(--fig-ink)`` where there is a dark counterpart."""
    color = _SAME_AS.get(match[2], match[2])
    value = f"var(--fig-{_DARK[color][0]})" if color in _DARK else color
    return f"{match[1]}: {value}"


def _rounded(numbers: str) -> str:
    """Round each decimal number in a piece of SVG to hundredths, and join its lines."""
    numbers = " ".join(numbers.split())
    return re.sub(r"-?\d+\.\d+(?!e)", lambda m: f"{round(float(m[0]), 2) + 0.0:g}", numbers)


def register_formatters() -> None:
    """Show figures as SVG in the running IPython shell; do nothing outside of one.

    There is no PNG beside the SVG: it would be stored in every executed notebook and shown
    nowhere.
    """
    if "IPython" not in sys.modules:
        return
    shell = sys.modules["IPython"].get_ipython()
    if shell is None:
        return
    formatters = shell.display_formatter.formatters
    for kind in (Figure, _BookFigure):
        for mime in ("image/png", "image/jpeg", "application/pdf"):
            formatters[mime].for_type(kind, _nothing)
        formatters["image/svg+xml"].for_type(kind, figure_to_svg)


def _nothing(_: Figure) -> None:
    """Offer no picture in this format."""
