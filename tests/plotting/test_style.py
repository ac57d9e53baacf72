"""Figures: the same on every run, readable on both backgrounds, told apart by every eye."""

import itertools
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.pylabtools import select_figure_formats
from matplotlib.figure import Figure

from course_lib.plotting import index
from course_lib.plotting.style import (
    COLORS,
    GRID,
    INK,
    LINE_STYLES,
    MARKERS,
    MUTED,
    PAPER,
    describe,
    figure_to_svg,
    new_figure,
    register_formatters,
    styled,
)

# Machado, Oliveira and Fernandes (2009), "A physiologically-based model for simulation of color
# vision deficiency", doi:10.1109/TVCG.2009.113: the matrices for full severity.
VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


def linear(color: str) -> np.ndarray:
    """Undo the gamma of an sRGB color such as ``#1c64c6``."""
    value = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """WCAG 2's contrast ratio."""
    light = sorted(float(linear(color) @ [0.2126, 0.7152, 0.0722]) for color in (one, other))
    return (light[1] + 0.05) / (light[0] + 0.05)


def oklab(color: np.ndarray) -> np.ndarray:
    """Ottosson's OKLab, in which distances are about as large as they look."""
    to_cones = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    to_lab = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return to_lab @ np.cbrt(to_cones @ color)


def closest(colors: list[str], vision: np.ndarray) -> float:
    """The smallest distance between two colors, for an eye."""
    seen = [oklab(np.clip(vision @ linear(color), 0, 1)) for color in colors]
    return min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(seen, 2))


@styled
def rich_figure() -> Figure:
    """A figure with one of everything."""
    figure, (left, right) = new_figure(1, 2, height=2.5)
    x = np.linspace(-3, 3, 50)
    for k in range(len(COLORS)):
        left.plot(x, np.tanh(x + k), label=f"$k={k}$")
    left.legend(loc="lower right")
    left.set(xlabel="$z$", ylabel="slope", title="Curves", yscale="symlog")
    right.plot(x, x**2, "o", markeredgecolor=PAPER)
    right.fill_between(x, x, x + 1, alpha=0.2, color=COLORS[1])
    right.bar([0], [4], hatch="//", color="white", edgecolor="black")
    right.axhline(0, color=MUTED)
    right.annotate("here", (0, 0), (1, 5), arrowprops={"arrowstyle": "->", "color": INK})
    return figure


def palettes(svg: str) -> tuple[dict[str, str], dict[str, str]]:
    """The light and the dark palette that an SVG declares."""
    light, dark = svg.split("@media (prefers-color-scheme:dark)")
    found = re.compile(r"--fig-([\w]+):(#[0-9a-f]{6})")
    return dict(found.findall(light)), dict(found.findall(dark.split("</style>")[0]))


@pytest.fixture(scope="module")
def svg() -> str:
    return figure_to_svg(rich_figure())


def test_the_same_figure_gives_the_same_text(svg: str) -> None:
    assert figure_to_svg(rich_figure()) == svg


@pytest.mark.slow
def test_drawing_a_figure_twice_changes_nothing() -> None:
    figure = rich_figure()
    assert figure_to_svg(figure) == figure_to_svg(figure)


@pytest.mark.slow
def test_another_process_gives_the_same_text() -> None:
    program = (
        "from course_lib.plotting.style import *\n"
        "figure, axes = new_figure(); axes.plot([1, 2], [3, 5]); axes.set_title('$x^2$')\n"
        "import sys; sys.stdout.write(figure_to_svg(figure))"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, check=True, timeout=600
        ).stdout
        for _ in range(2)
    }
    assert len(runs) == 1
    assert b"<svg" in runs.pop()


def test_nothing_in_it_tells_when_or_by_what_it_was_made(svg: str) -> None:
    assert "matplotlib" not in svg.lower()
    assert not re.search(r"\b20\d\d-\d\d-\d\d", svg)


def test_it_is_well_formed_and_every_reference_resolves(svg: str) -> None:
    root = ElementTree.fromstring(svg)
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', svg))
    assert used and used <= set(ids)


def test_two_figures_in_one_page_share_no_ids(svg: str) -> None:
    other, axes = new_figure()
    axes.plot([0, 1], [0, 1])
    ids = [set(re.findall(r' id="([^"]+)"', text)) for text in (svg, figure_to_svg(other))]
    assert all(ids) and not ids[0] & ids[1]


def test_no_ink_or_palette_color_is_hard_coded(svg: str) -> None:
    drawn = svg.split("</style>")[1]
    assert re.findall(r"#[0-9a-f]{6}\b", re.sub(r"#f[0-9a-f]{6}-\d+", "", drawn)) == []
    assert "var(--fig-ink)" in drawn and "var(--fig-paper)" in drawn
    light, dark = palettes(svg)
    assert set(re.findall(r"var\(--fig-(\w+)\)", drawn)) <= set(light) == set(dark)


def test_both_palettes_name_every_color_of_the_style(svg: str) -> None:
    light, dark = palettes(svg)
    assert list(light.values()) == [INK, MUTED, GRID, PAPER, *COLORS]
    assert len(dark) == len(light)
    assert all(dark[name] != light[name] for name in light)


def test_a_color_outside_the_palette_stays_as_it_is() -> None:
    figure, axes = new_figure()
    axes.plot([0, 1], [0, 1], color="#123456")
    assert "stroke: #123456" in figure_to_svg(figure)


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
def test_contrast_is_enough_on_its_own_paper(svg: str, mode: int) -> None:
    colors = palettes(svg)[mode]
    paper = colors.pop("paper")
    grid = colors.pop("grid")
    assert contrast(colors.pop("ink"), paper) >= 7
    assert contrast(colors.pop("muted"), paper) >= 4.5  # small text is drawn in it
    assert len(colors) == len(COLORS)
    for name, color in colors.items():
        assert contrast(color, paper) >= 3, name
    assert 1.1 < contrast(grid, paper) < 2  # there, and not in the way


@pytest.mark.parametrize("eye", VISION)
@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
def test_colors_stay_apart_for_every_eye(svg: str, mode: int, eye: str) -> None:
    colors = palettes(svg)[mode]
    curves = [colors[str(k + 1)] for k in range(len(COLORS))]
    # 0.02 is where a difference begins to be seen side by side (OKLab); curves lie farther apart.
    assert closest([*curves, colors["ink"]], VISION[eye]) >= 0.06
    assert closest(curves[:4], VISION[eye]) >= 0.09


def test_the_measure_of_distance_knows_a_bad_palette() -> None:
    pure = ["#d62728", "#2ca02c"]  # the red and green of many a plot
    assert closest(pure, VISION["normal"]) > 0.25
    assert closest(pure, VISION["deuteranopia"]) < 0.09


def test_color_is_never_the_only_difference() -> None:
    assert len(LINE_STYLES) == len(set(LINE_STYLES)) == len(COLORS)
    assert len(MARKERS) == len(set(MARKERS)) == len(COLORS)
    figure, axes = new_figure()
    for k in range(len(COLORS)):
        axes.plot([0, k])
    styles = re.findall(r'style="([^"]*stroke: var\(--fig-\d\)[^"]*)"', figure_to_svg(figure))
    patterns = {"".join(re.findall(r"stroke-dasharray: ([^;]*)", style)) for style in styles}
    assert len(patterns) == len(COLORS)


def test_importing_the_package_leaves_pyplot_and_the_settings_alone() -> None:
    program = (
        "import sys, matplotlib; before = dict(matplotlib.rcParams)\n"
        "from course_lib.plotting import new_figure; new_figure()\n"
        "assert 'matplotlib.pyplot' not in sys.modules, 'pyplot'\n"
        "assert dict(matplotlib.rcParams) == before, 'settings'"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr


def test_styled_settings_end_with_the_function() -> None:
    import matplotlib as mpl

    before = mpl.rcParams["lines.linewidth"]
    seen = styled(lambda: mpl.rcParams["lines.linewidth"])()
    assert seen != before == mpl.rcParams["lines.linewidth"]


@pytest.fixture
def shell():
    shell = InteractiveShell.instance()
    register_formatters()
    yield shell
    InteractiveShell.clear_instance()


@pytest.mark.slow
def test_a_notebook_shows_one_svg_and_no_png(shell: InteractiveShell) -> None:
    figure = rich_figure()
    data, _ = shell.display_formatter.format(figure)
    assert set(data) == {"text/plain", "image/svg+xml"}
    assert data["image/svg+xml"] == figure_to_svg(figure)
    assert data["text/plain"] == describe(figure)


def test_it_still_does_after_matplotlib_inline_has_set_up_png(shell: InteractiveShell) -> None:
    select_figure_formats(shell, {"png"})
    data, _ = shell.display_formatter.format(rich_figure())
    assert set(data) == {"text/plain", "image/svg+xml"}


def test_a_figure_of_ones_own_is_shown_the_same_way(shell: InteractiveShell) -> None:
    figure = Figure()
    figure.subplots().plot([1, 2])
    data, _ = shell.display_formatter.format(figure)
    assert set(data) == {"text/plain", "image/svg+xml"}
    assert "var(--fig-ink)" in data["image/svg+xml"]  # matplotlib's black follows the mode, too


def test_the_text_says_what_is_drawn() -> None:
    text = describe(rich_figure())
    assert text == "<Figure, 7 by 2.5 inches: Curves: slope against $z$>"


def test_points_through_layers_show_each_view_with_its_title() -> None:
    rng = np.random.default_rng(0)
    points = [rng.normal(size=(30, 2)) for _ in range(3)]
    labels = np.arange(30) % 2
    figure = index.views(
        points, labels, ["a", "b", "c"], notes=["1", "2", "3"], border=([1.0, 1.0], -0.5)
    )
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["a", "b", "c"]
    assert [axes.get_xlabel() for axes in figure.axes] == ["1", "2", "3"]
    for axes, seen in zip(figure.axes, points, strict=True):
        drawn = np.concatenate([line.get_xydata() for line in axes.lines[:2]])
        assert sorted(drawn.tolist()) == sorted(seen.tolist())
    # The border is where x + y - 0.5 is zero, and only in the last panel.
    assert [len(axes.lines) for axes in figure.axes] == [2, 2, 3]
    assert np.allclose(np.sum(figure.axes[-1].lines[-1].get_xy1()), 0.5)


def test_it_brings_its_own_paper_for_pages_that_do_not_say_their_mode(svg: str) -> None:
    # A notebook viewer may be light where the system is dark: ink alone would vanish there.
    first = re.search(r"</style>\s*(<[^>]*>)", svg)[1]
    assert first == '<rect class="paper" width="100%" height="100%"/>'
    assert ".book-figure .paper{fill:var(--fig-paper)}" in svg
