"""Live parts in a browser: their numbers are Python's, and nobody is left out."""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from course_lib.book import live_parts
from course_lib.book.chapters import read_chapter
from course_lib.paths import toc_entries
from course_lib.plotting.style import COLORS, figure_to_svg, new_figure
from course_lib.scratch.optimizers import SGD
from course_lib.scratch.tensor import Tensor

if TYPE_CHECKING:
    from tests.site.conftest import Site

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.site, pytest.mark.browser]

#: Which page has which live part, as the pages say.
PLACES = {
    name: page
    for page in toc_entries(ROOT)
    for name in re.findall(r"^:::\{live\} (\S+)$", (ROOT / f"{page}.md").read_text(), re.MULTILINE)
}

#: What a page may load more than before, all live parts together, before one is scrolled to.
FIRST_LOAD = 4_000


def page_code(page: str, *names: str, **given: Any) -> Any:
    """Return functions that a page defines, made from the code that the page ran."""
    found = {}
    for cell in read_chapter(ROOT, page).cells:
        if cell.cell_type == "code":
            source = re.sub(r"\A---\n.*?\n---\n", "", cell.source, flags=re.DOTALL)
            for statement in ast.parse(source).body:
                if isinstance(statement, ast.FunctionDef) and statement.name in names:
                    found[statement.name] = ast.unparse(statement)
    assert set(found) == set(names), f"{page} defines {sorted(found)} of {sorted(names)}"
    space = {"np": np, **given}
    for source in found.values():
        exec(source, space)
    return space[names[0]] if len(names) == 1 else [space[name] for name in names]


def box_of(page: Page, name: str) -> Locator:
    return page.locator(f".live-box[data-live='{name}']")


def wake(page: Page, name: str) -> Locator:
    """Scroll to a live part, and wait until it is there."""
    box = box_of(page, name)
    box.scroll_into_view_if_needed()
    expect(page.locator(f".live-box[data-live='{name}'][data-ready]")).to_have_count(1)
    return box


def shown(box: Locator) -> Any:
    """What a part shows, unrounded."""
    return box.locator(".live-stage").evaluate("stage => stage.shown")


def move(slider: Locator, to: float) -> None:
    """Move a slider as a hand would: to a value, with an event."""
    slider.evaluate(
        "(input, to) => { input.value = to;"
        " input.dispatchEvent(new Event('input', { bubbles: true })); }",
        to,
    )


@pytest.fixture
def opened(page: Page, site: Site) -> Iterator[Callable[[str], Locator]]:
    """Return a function that opens the page of a live part; the page must not complain."""
    complaints: list[str] = []
    page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))

    def open_part(name: str) -> Locator:
        page.goto(f"{site.url}{PLACES[name]}.html")
        return wake(page, name)

    yield open_part
    assert complaints == []


# Every live part ----------------------------------------------------------------------------------


def test_each_part_is_in_one_page_and_has_its_script() -> None:
    assert PLACES.keys() == live_parts.PARTS.keys()
    scripts = {path.stem for path in (ROOT / "_static" / "live").glob("*.js")}
    assert scripts - {"live", "tools"} == live_parts.PARTS.keys()


@pytest.mark.parametrize("name", PLACES)
def test_a_part_loads_when_it_is_scrolled_to(page: Page, site: Site, name: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.split("_static/")[-1]))
    page.goto(f"{site.url}{PLACES[name]}.html")
    page.wait_for_load_state("networkidle")
    before = [file for file in asked if file.startswith("live/")]
    assert [file.split("?")[0] for file in before] == ["live/live.js"]
    box = box_of(page, name)
    still = box.locator("img.live-still")
    assert still.is_visible() and box.locator(".live-stage").count() == 0
    wake(page, name)
    assert any(file.startswith(f"live/{name}.js") for file in asked)
    assert any(file.startswith(f"live/data/{name}.js") for file in asked)
    assert not still.is_visible() and box.locator(".live-stage").is_visible()


def test_a_page_loads_little_more_than_before(site: Site) -> None:
    folder = site.folder / "_static" / "live"
    page = (site.folder / f"{PLACES['parabola']}.html").read_text()
    loaded = re.findall(r'_static/live/([^"?]+)', page)
    assert loaded == ["live.js"]
    assert sum((folder / file).stat().st_size for file in loaded) < FIRST_LOAD


@pytest.mark.parametrize("name", PLACES)
def test_a_part_works_from_a_file(page: Page, site: Site, name: str) -> None:
    page.goto((site.folder / f"{PLACES[name]}.html").as_uri())
    assert shown(wake(page, name)) is not None


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("name", PLACES)
def test_nothing_moves_when_a_part_arrives(
    browser: Browser, site: Site, name: str, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 740}, has_touch=width < 600)
    page = context.new_page()
    page.goto(f"{site.url}{PLACES[name]}.html")
    page.wait_for_load_state("load")
    box = box_of(page, name)
    before = box.bounding_box()
    wake(page, name)
    after = box.bounding_box()
    assert after["height"] == before["height"], "mend the part's `height` in the page"
    room = after["y"] + after["height"]
    stage = box.locator(".live-stage").bounding_box()
    spare = room - (stage["y"] + stage["height"])
    assert 0 <= spare < 110, f"{spare} px are spare: mend the part's `height` in the page"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # Nothing that one works with is smaller than a finger can hit.
    for control in box.locator(":is(input[type=range], button, select)").all():
        assert control.bounding_box()["height"] >= 24
    context.close()


@pytest.mark.parametrize("name", PLACES)
def test_the_still_is_there_without_scripts_and_on_paper(
    browser: Browser, site: Site, name: str
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.url}{PLACES[name]}.html")
    box = box_of(page, name)
    still = box.locator("img.live-still")
    still.scroll_into_view_if_needed()
    assert still.is_visible() and not box.locator(".live-try").is_visible()
    assert abs(box.bounding_box()["height"] - still.bounding_box()["height"]) < 30
    context.close()

    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(f"{site.url}{PLACES[name]}.html")
    box = wake(page, name)
    page.emulate_media(media="print")
    assert box.locator("img.live-still").is_visible()
    assert not box.locator(".live-stage").is_visible()
    context.close()


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("name", PLACES)
def test_a_part_is_for_everybody(browser: Browser, site: Site, name: str, mode: str) -> None:
    context = browser.new_context(color_scheme=mode, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(f"{site.url}{PLACES[name]}.html")
    box = wake(page, name)
    page.add_script_tag(path=ROOT / "node_modules" / "axe-core" / "axe.min.js")
    found = page.evaluate("axe.run('.live-box', {resultTypes: ['violations']})")
    faults = [
        (fault["id"], [node["html"][:120] for node in fault["nodes"]])
        for fault in found["violations"]
    ]
    assert faults == []
    # It is as light or dark as the page.
    pixels = np.asarray(Image.open(io.BytesIO(box.screenshot())).convert("L"))
    assert np.median(pixels) > 200 if mode == "light" else np.median(pixels) < 60
    # Every control can be reached by Tab, in the order of the page, and has a name.
    controls = box.locator(".live-stage :is(input, button, select, canvas[tabindex])")
    assert controls.count() > 0
    assert box.get_by_role("status").inner_text().strip()
    for control in controls.all():
        assert control.evaluate(
            "e => e.tabIndex >= 0 && Boolean(e.labels?.length || e.ariaLabel || e.innerText)"
        )
    context.close()


def test_the_colors_are_those_of_the_figures(opened: Callable[[str], Locator]) -> None:
    box = opened("parabola")
    figure, _ = new_figure()
    light, dark = (
        dict(re.findall(r"--fig-(\w+):(#[0-9a-f]+)", part))
        for part in re.findall(r"\.book-figure(?::root)?\{([^}]*)\}", figure_to_svg(figure))[:2]
    )
    assert light["1"] == COLORS[0] and light.keys() == dark.keys() and light != dark
    for mode, wanted in (("light", light), ("dark", dark)):
        box.page.evaluate("mode => { document.documentElement.dataset.theme = mode; }", mode)
        for name, color in wanted.items():
            got = box.locator(".live-stage").evaluate(
                "(e, name) => getComputedStyle(e).getPropertyValue(name)", f"--live-{name}"
            )
            assert got.strip() == color, (mode, name)


# Gradient descent ---------------------------------------------------------------------------------


def test_the_parabola_takes_the_steps_of_the_page(opened: Callable[[str], Locator]) -> None:
    steps_down = page_code(PLACES["parabola"], "steps_down")
    box = opened("parabola")
    rate, steps = box.get_by_label("Learning rate"), box.get_by_label("Steps")
    status = box.get_by_role("status")
    said = {
        "0": "No step moves it.",
        "0.3": "stays on the right side",
        "1": "The first step ends at the bottom.",
        "1.8": "jumps across and lands lower",
        "2": "back and forth between two places",
        "2.1": "it diverges",
    }
    for count in (8, 1, 30):
        move(steps, count)
        for value, words in said.items():
            move(rate, float(value))
            got = shown(box)
            wanted = steps_down(float(value), steps=count)
            assert got["rate"] == float(value)
            assert np.array_equal(got["places"], wanted)
            ours = live_parts.route(np.ones(1), np.ones(1), float(value), 0.0, count)[:, 0]
            assert np.allclose(got["places"], ours, rtol=1e-12)
            text = status.inner_text().replace("−", "-")
            assert words in text
            number = re.search(r"w = (-?[\d.]*\d)", text)
            if "·10" not in text:
                assert abs(float(number[1]) - wanted[-1]) <= 0.006 * max(abs(wanted[-1]), 1e-9)
            assert ("outside the picture" in text) == (abs(wanted[-1]) > 1.9)


def test_the_parabola_is_worked_with_the_keyboard(opened: Callable[[str], Locator]) -> None:
    box = opened("parabola")
    rate = box.get_by_label("Learning rate")
    before = shown(box)["rate"]
    rate.focus()
    box.page.keyboard.press("ArrowRight")
    assert shown(box)["rate"] == pytest.approx(before + 0.05)
    assert rate.get_attribute("aria-valuetext") == f"{before + 0.05:.2f}"
    box.page.keyboard.press("End")
    assert "it diverges" in box.get_by_role("status").inner_text()


def test_a_finger_moves_a_slider(browser: Browser, site: Site) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740}, has_touch=True)
    page = context.new_page()
    page.goto(f"{site.url}{PLACES['parabola']}.html")
    box = wake(page, "parabola")
    slider = box.get_by_label("Learning rate")
    slider.scroll_into_view_if_needed()
    place = slider.bounding_box()
    page.touchscreen.tap(place["x"] + 0.8 * place["width"], place["y"] + place["height"] / 2)
    page.wait_for_function(
        "document.querySelector('.live-box[data-live=parabola] .live-stage').shown.rate > 1.5"
    )
    context.close()


def test_the_bowl_needs_the_steps_of_the_page(opened: Callable[[str], Locator]) -> None:
    steps_needed = page_code(PLACES["bowl"], "steps_needed")
    given = live_parts.PARTS["bowl"].data()
    curvatures, start = np.array(given["curvatures"]), np.array(given["start"])
    assert curvatures.max() / curvatures.min() == pytest.approx(100)
    box = opened("bowl")
    rate, momentum = box.get_by_label("Learning rate"), box.get_by_label("Momentum")
    status = box.get_by_role("status")

    def wanted(lr: float, beta: float) -> int:
        w = Tensor(np.zeros(20), requires_grad=True)
        return steps_needed(SGD([w], lr=lr, momentum=beta), curvatures, start)

    taken = {}
    for lr, beta in [(0.01, 0.5), (0.019, 0.0), (0.033, 0.67), (0.033, 0.9), (0.033, 0.99)]:
        move(rate, lr)
        move(momentum, beta)
        got = shown(box)
        taken[lr, beta] = got["moving"]["steps"]
        assert taken[lr, beta] == wanted(lr, beta)
        assert f"with momentum {beta:.2f}, {taken[lr, beta]:,} steps" in status.inner_text()
        ours = live_parts.route(curvatures, start, lr, beta, 80)
        shares = np.linalg.norm(ours, axis=1) / np.linalg.norm(ours[0])
        assert np.allclose(got["moving"]["shares"][:81], shares, rtol=1e-9)
        if lr > 0.02:
            assert got["plain"]["steps"] is None
            assert "without, never: it diverges" in status.inner_text()
        else:
            assert got["plain"]["steps"] == wanted(lr, 0.0)
    # What the caption, the alt text and the invitation say.
    rates = np.arange(1, 20) / 1000  # from 0.02 on it never arrives
    at_best = min(wanted(lr, 0.0) for lr in rates[14:])
    assert at_best == taken[0.019, 0.0] and abs(at_best - 540) < 10
    assert abs(taken[0.033, 0.67] - 80) < 8
    assert at_best / taken[0.033, 0.67] == pytest.approx(7, abs=0.5)
    assert abs(taken[0.033, 0.9] - 250) < 15
    assert taken[0.033, 0.67] < taken[0.033, 0.9] < at_best < taken[0.033, 0.99]
    last = live_parts.route(curvatures, start, 0.033, 0.99, 700)[-1]
    assert np.linalg.norm(last) > 0.01 * np.linalg.norm(start)
