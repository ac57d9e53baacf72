"""Live parts in a browser: their numbers are Python's, and nobody is left out."""

from __future__ import annotations

import base64
import io
import itertools
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect
from torch import nn

from course_lib import sharing
from course_lib.attacks.fgsm import fgsm
from course_lib.book import live_parts
from course_lib.book.chapters import read_chapter
from course_lib.book.page_code import run_page_code
from course_lib.data import digits
from course_lib.data.bpe import BytePairs
from course_lib.data.splits import split
from course_lib.models import pretrained
from course_lib.models.diffusion import Denoiser, Schedule, ddim_step, ddpm_step, guided
from course_lib.models.gpt import GPT, Config, attention_maps
from course_lib.paths import toc_entries
from course_lib.plotting.style import COLORS, figure_to_svg, new_figure
from course_lib.scratch.activations import relu, softmax
from course_lib.scratch.layers import Dropout, Linear, Module, ReLU, Sequential, Tanh
from course_lib.scratch.losses import binary_cross_entropy_with_logits
from course_lib.scratch.optimizers import SGD, Adam
from course_lib.scratch.tensor import Tensor
from course_lib.training import fit, predict

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
    space = run_page_code(page, *names, root=ROOT, **{"np": np, **given})
    return space[names[0]] if len(names) == 1 else [space[name] for name in names]


def data_of(site: Site, name: str) -> dict[str, Any]:
    """What the built site gives a part: nothing is trained a second time to test it."""
    text = (site.folder / "_static" / "live" / "data" / f"{name}.js").read_text()
    return json.loads(text.partition("=")[2].strip().removesuffix(";"))


def with_halves(model: nn.Module, given: dict[str, Any]) -> nn.Module:
    """Give a model the weights of a part's data; those that the part needs not stay as they are."""
    halves = np.frombuffer(base64.b64decode(given["weights"]), dtype="<f2").astype(np.float32)
    parameters, at = dict(model.named_parameters()), 0
    for name, size in given["shapes"]:
        part = torch.tensor(halves[at : at + size]).reshape(parameters[name].shape)
        parameters[name].data = part.to(parameters[name])
        at += size
    assert at == len(halves)
    return model.eval()


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
def test_a_part_loads_when_it_is_scrolled_to(
    page: Page, site: Site, screenshots: Any, name: str
) -> None:
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
    screenshots.keep(page, f"live-{name}")


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


def at_every_end(box: Locator) -> Iterator[None]:
    """Move each slider to both of its ends in turn."""
    for slider in box.get_by_role("slider").all():
        for end in ("min", "max"):
            move(slider, float(slider.get_attribute(end)))
            yield


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
    # Nor does anything move when it is worked: a long sentence has its room, too.
    for _ in at_every_end(box):
        assert box.bounding_box()["height"] == before["height"]
        assert box.locator(".live-stage").bounding_box()["height"] <= before["height"]
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


@pytest.mark.parametrize("missing", ["tools.js", "parabola.js", "data/parabola.js", "live.css"])
def test_a_part_that_does_not_load_leaves_its_still(page: Page, site: Site, missing: str) -> None:
    page.route(f"**/_static/live/{missing}*", lambda route: route.abort())
    page.goto(f"{site.url}{PLACES['parabola']}.html")
    box = box_of(page, "parabola")
    with page.expect_console_message(
        lambda said: f"{missing}" in said.text and "load" in said.text
    ):
        box.scroll_into_view_if_needed()
    expect(box).not_to_have_class(re.compile("live-waiting|live-on"))
    assert box.locator("img.live-still").is_visible() and box.locator(".live-stage").count() == 0
    assert not box.locator(".live-try").is_visible()


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
    controls = box.locator(".live-stage :is(input, button, textarea, [tabindex])")
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
    rate, momentum = (box.get_by_role("slider", name=n) for n in ("Learning rate", "Momentum"))
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
        n = min(len(got["moving"]["shares"]), 81)  # it stops where it arrives
        assert n > 70 and np.allclose(got["moving"]["shares"][:n], shares[:n], rtol=1e-9)
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


# Convolutional networks ---------------------------------------------------------------------------


def test_the_kernel_slides_as_in_the_page(opened: Callable[[str], Locator]) -> None:
    slide = page_code(PLACES["kernel"], "slide")
    X, y = digits.load()
    box = opened("kernel")
    entries = box.get_by_role("spinbutton")
    status = box.get_by_role("status")
    rng = np.random.default_rng(0)
    for digit in (7, 0, 4):
        image = X[y == digit][0].reshape(8, 8)
        move(box.get_by_role("slider", name="Digit"), digit)
        kernel = rng.integers(-6, 7, size=(3, 3)) / 2
        for entry, value in zip(entries.all(), kernel.ravel(), strict=True):
            entry.fill(str(value))
        got, wanted = shown(box), slide(image, kernel)
        assert np.array_equal(got["image"], image) and np.array_equal(got["kernel"], kernel)
        assert np.allclose(got["map"], wanted, rtol=0, atol=1e-12)
        for number in (1, 8, 36):
            move(box.get_by_role("slider", name="Window"), number)
            row, column = divmod(number - 1, 6)
            assert (shown(box)["row"], shown(box)["column"]) == (row, column)
            said = re.findall(r"-?\d+\.\d\d", status.inner_text().replace("−", "-"))
            numbers = [wanted[row, column], wanted.min(), wanted.max()]
            assert [float(text) for text in said] == pytest.approx(numbers, abs=0.0051)
    box.get_by_role("button", name="Half a turn").click()
    assert np.array_equal(shown(box)["kernel"], kernel[::-1, ::-1])
    for name, wanted in (
        ("Vertical edges", [[-1, 0, 1]] * 3),
        ("Copy", np.eye(3)[1] * np.eye(3)[1:2].T),
    ):
        box.get_by_role("button", name=name).click()
        assert np.array_equal(shown(box)["kernel"], wanted)
    # What is being typed is no number yet.
    entries.first.fill("")
    assert shown(box)["kernel"][0][0] == 0


def test_what_is_said_of_kernels_holds(opened: Callable[[str], Locator]) -> None:
    slide = page_code(PLACES["kernel"], "slide")
    image = np.array(live_parts.PARTS["kernel"].data()["digits"][7])
    edge = np.array([[-1, 0, 1]] * 3)
    vertical, horizontal = slide(image, edge), slide(image, edge.T)
    stroke = slide(image, np.ones((3, 3))).argmax(axis=1)
    for row in (3, 4, 5):  # the stroke of the seven: blue on its left, red on its right
        assert vertical[row, stroke[row] - 1] > 0 > vertical[row, stroke[row] + 1]
    assert np.all(horizontal[0] < 0)  # below the bar
    assert np.all(slide(image, np.ones((3, 3))) >= 0)
    assert np.all(slide(np.full((8, 8), 0.6), edge) == 0)


# Activation functions -----------------------------------------------------------------------------


def test_the_hinges_add_up_as_in_the_page(opened: Callable[[str], Locator]) -> None:
    inputs = np.linspace(-np.pi, np.pi, 1001)
    target = np.sin(inputs)
    evenly, fit_output_weights = page_code(
        PLACES["hinges"], "evenly", "fit_output_weights", inputs=inputs, target=target
    )
    _, least = fit_output_weights(relu, evenly(6), target)
    box = opened("hinges")
    status = box.get_by_role("status")
    sliders = box.get_by_role("slider").all()
    assert len(sliders) == 7
    rng = np.random.default_rng(0)
    for settings in (np.zeros(7), rng.integers(-50, 51, size=7) / 20):
        for slider, value in zip(sliders, settings, strict=True):
            move(slider, float(value))
        got = shown(box)
        assert [*got["weights"], got["bias"]] == settings.tolist()
        wanted = relu(inputs[:, None] - evenly(6)) @ settings[:-1] + settings[-1]
        assert got["error"] == pytest.approx(np.mean((wanted - target) ** 2), rel=1e-9)
        assert got["least"] == pytest.approx(least, rel=1e-6)
    box.get_by_role("button", name="Best weights").click()
    assert shown(box)["error"] == pytest.approx(least, rel=1e-6)
    assert status.inner_text().count(f"{least:.3g}") == 2
    # Nearly as good with the sliders' own stops, which is what a hand can reach.
    box.get_by_role("slider").last.press("ArrowRight")
    box.get_by_role("slider").last.press("ArrowLeft")
    assert least < shown(box)["error"] < 10 * least
    box.get_by_role("button", name="All to 0").click()
    assert shown(box)["error"] == pytest.approx(np.mean(target**2), rel=1e-9)


def test_a_corner_is_dragged_and_moved_with_the_keyboard(opened: Callable[[str], Locator]) -> None:
    inputs = np.linspace(-np.pi, np.pi, 1001)
    evenly, fit_output_weights = page_code(
        PLACES["hinges"], "evenly", "fit_output_weights", inputs=inputs, target=np.sin(inputs)
    )
    box = opened("hinges")
    page = box.page
    # The invitation's last question has an answer: a hinge that is not needed is of use elsewhere.
    better = np.array([-np.pi, -2.3, -1.6, -0.8, 0.9, 1.8])
    assert fit_output_weights(relu, better, np.sin(inputs))[1] < (
        0.75 * fit_output_weights(relu, evenly(6), np.sin(inputs))[1]
    )

    def height(got: dict[str, Any], x: float) -> float:
        return float(relu(x - np.array(got["corners"])) @ got["weights"] + got["bias"])

    def least(got: dict[str, Any]) -> None:
        wanted = fit_output_weights(relu, np.array(got["corners"]), np.sin(inputs))[1]
        assert got["least"] == pytest.approx(wanted, rel=1e-6)

    # Dragged from left to right onto the sine, the sum follows it.
    rings = box.get_by_role("application")
    assert rings.count() == 7
    places = [*evenly(6), np.pi]
    for i, (ring, x) in enumerate(zip(rings.all(), places, strict=True)):
        ring.scroll_into_view_if_needed()
        place = ring.bounding_box()
        middle = (place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
        scale = box.locator(".live-drag").bounding_box()["height"] - 68  # from 2.2 to -2.2
        before = height(shown(box), x)
        page.mouse.move(*middle)
        page.mouse.down()
        page.mouse.move(middle[0], middle[1] - (np.sin(x) - before) * scale / 4.4, steps=3)
        page.mouse.up()
        got = shown(box)
        assert height(got, got["corners"][i] if i < 6 else np.pi) == pytest.approx(
            np.sin(x), abs=0.1
        )
        least(got)
    assert got["error"] < 0.01
    # With the keyboard: sideways a corner moves, at its height; upwards the weight before it grows.
    ring = rings.nth(3)
    ring.focus()
    before = shown(box)
    page.keyboard.press("ArrowRight")
    after = shown(box)
    assert after["corners"][3] == pytest.approx(before["corners"][3] + 0.05)
    at = [height(got, got["corners"][3]) for got in (before, after)]
    assert at[0] == pytest.approx(at[1], abs=0.03)
    least(after)
    page.keyboard.press("ArrowUp")
    assert shown(box)["weights"][2] == pytest.approx(after["weights"][2] + 0.05)
    expect(ring).to_be_focused()
    for _ in range(60):  # it stops before its neighbor
        page.keyboard.press("ArrowRight")
    assert shown(box)["corners"][3] == pytest.approx(shown(box)["corners"][4] - 0.1)
    assert np.isfinite(shown(box)["least"])
    box.get_by_role("button", name="All to 0").click()
    assert shown(box)["corners"] == evenly(6).tolist()


# Layers -------------------------------------------------------------------------------------------


def network_of(shown: dict[str, Any]) -> Sequential:
    """Build the playground's network with the course's own layers, and its weights."""
    layers: list[Module] = []
    for number, given in enumerate(shown["layers"]):
        outputs = len(given["b"])
        layer = Linear(len(given["W"]) // outputs, outputs, rng=np.random.default_rng(0))
        layer.weight.data[:] = np.reshape(given["W"], layer.weight.shape)
        layer.bias.data[:] = given["b"]
        layers.append(layer)
        if number + 1 < len(shown["layers"]) and shown["kind"] != "none":
            layers.append({"ReLU": ReLU, "tanh": Tanh}[shown["kind"]]())
    return Sequential(*layers)


def same_weights(shown: dict[str, Any], network: Sequential, rtol: float) -> bool:
    mine = [np.ravel(p.data) for p in network.parameters()]
    theirs = [given[name] for given in shown["layers"] for name in ("W", "b")]
    return all(np.allclose(a, b, rtol=rtol, atol=rtol) for a, b in zip(mine, theirs, strict=True))


@pytest.mark.parametrize(("kind", "depth"), [("ReLU", 3), ("tanh", 2), ("none", 2), ("ReLU", 0)])
def test_the_playground_computes_the_gradients_of_the_course(
    opened: Callable[[str], Locator], kind: str, depth: int
) -> None:
    given = live_parts.PARTS["playground"].data()
    points, labels = np.array(given["points"]), np.array(given["labels"])[:, None]
    box = opened("playground")
    move(box.get_by_role("slider", name="Width"), 5)
    move(box.get_by_role("slider", name="Hidden layers"), depth)
    box.get_by_role("radio", name=kind).check()
    before = shown(box)
    assert before["step"] == 0 and len(before["layers"]) == depth + 1
    network = network_of(before)
    optimizer = Adam(network.parameters(), lr=given["rate"])
    for step in range(1, 4):
        network.zero_grad()
        scores = network(points)
        loss = binary_cross_entropy_with_logits(scores, labels)
        loss.backward()
        got = shown(box)
        assert np.allclose(got["scores"], scores.data[:, 0], rtol=1e-9, atol=1e-12)
        assert got["loss"] == pytest.approx(loss.item(), rel=1e-9)
        assert got["right"] == np.mean((scores.data > 0) == labels)
        gradients = [part[name] for part in got["gradients"] for name in ("W", "b")]
        for ours, parameter in zip(gradients, network.parameters(), strict=True):
            assert np.allclose(ours, np.ravel(parameter.grad), rtol=1e-8, atol=1e-12)
        optimizer.step()
        box.get_by_role("button", name="One step").click()
        assert shown(box)["step"] == step
        assert same_weights(shown(box), network, rtol=1e-7)
    fresh, truth = np.array(given["fresh"]), np.array(given["truth"])[:, None]
    assert shown(box)["fresh"] == np.mean((network(fresh).data > 0) == truth)


def test_what_the_still_of_the_playground_shows() -> None:
    given = live_parts.PARTS["playground"].data()
    fresh, truth = np.array(given["fresh"]), np.array(given["truth"])[:, None]
    right = {
        name: np.mean((network(fresh).data > 0) == truth)
        for name, network in live_parts.spiral_networks().items()
    }
    straight, one, three = right.values()
    assert 0.6 < straight < 0.72 and one > 0.97 and three > 0.97, right


def test_the_playground_trains_until_it_is_paused(opened: Callable[[str], Locator]) -> None:
    box = opened("playground")
    status = box.get_by_role("status")
    before = shown(box)
    assert before["step"] == 0 and not before["running"]
    box.get_by_role("button", name="Train").click()
    stage = "document.querySelector('.live-box[data-live=playground] .live-stage')"
    box.page.wait_for_function(f"{stage}.shown.step > 20")
    # While it runs, nothing is read out; afterwards, where it has come to.
    assert status.get_attribute("aria-live") == "off"
    box.get_by_role("button", name="Pause").click()
    after = shown(box)
    assert not after["running"] and after["loss"] < before["loss"]
    assert status.get_attribute("aria-live") == "polite"
    assert f"After {after['step']:,} steps: loss {after['loss']:.3f}" in status.inner_text()
    box.get_by_role("button", name="Other start").click()
    other = shown(box)
    assert other["step"] == 0 and other["layers"] != before["layers"]


def test_a_playground_that_must_not_move_takes_its_steps_at_once(
    browser: Browser, site: Site
) -> None:
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{site.url}{PLACES['playground']}.html")
    box = wake(page, "playground")
    reached = {}
    for kind, depth in (("none", 3), ("ReLU", 3)):
        move(box.get_by_role("slider", name="Hidden layers"), depth)
        box.get_by_role("radio", name=kind).check()
        for count in (1, 2):
            box.get_by_role("button", name="Train").click()
            page.wait_for_function(
                "count => { const { shown } = document.querySelector("
                "'.live-box[data-live=playground] .live-stage');"
                " return shown.step === 200 * count && !shown.running; }",
                arg=count,
            )
        reached[kind] = shown(box)["fresh"]
    # What the caption says of borders that stay straight, and of three layers.
    assert 0.6 < reached["none"] < 0.72 and reached["ReLU"] > 0.98
    context.close()


# Forward propagation ------------------------------------------------------------------------------


def weights_of_the_page() -> list[tuple[np.ndarray, np.ndarray]]:
    """Run the cell in which the page trains its network, and give what it has learned."""
    from sklearn.neural_network import MLPClassifier

    cells = read_chapter(ROOT, PLACES["digit"]).cells
    [source] = [
        c.source for c in cells if c.cell_type == "code" and "layers = list(zip(" in c.source
    ]
    space = {
        "np": np,
        "digits": digits,
        "split": split,
        "relu": relu,
        "MLPClassifier": MLPClassifier,
    }
    exec(source.split("logits =")[0], space)
    return space["layers"]


def test_the_digit_is_read_by_the_network_of_the_page(opened: Callable[[str], Locator]) -> None:
    page_layers = weights_of_the_page()
    forward = page_code(PLACES["digit"], "forward", relu=relu)
    _, (images, _), _ = split(*digits.load(), seed=0)

    # Rounded for the page, the weights give the same answers.
    exact = softmax(forward(images, page_layers))
    rounded = live_parts.read_digit(images)[-1]
    assert np.array_equal(exact.argmax(axis=1), rounded.argmax(axis=1))
    assert np.abs(exact - rounded).max() < 0.01

    box = opened("digit")
    status = box.get_by_role("status")
    for digit in range(10):
        move(box.get_by_role("slider", name="Example"), digit)
        got = shown(box)
        pixels = np.array(got["pixels"])
        assert np.any(np.all(images == pixels, axis=1))
        first, second, probabilities = (v[0] for v in live_parts.read_digit(pixels[None]))
        for ours, theirs in zip(got["hidden"], (first, second), strict=True):
            assert np.allclose(ours, theirs, rtol=1e-9, atol=1e-12)
        assert np.allclose(got["probabilities"], probabilities, rtol=1e-9, atol=1e-15)
        assert np.allclose(
            got["probabilities"], softmax(forward(pixels[None], page_layers)), atol=0.01
        )
        best = int(probabilities.argmax())
        assert (
            f"The network reads {best} ({100 * probabilities[best]:.1f} %)" in status.inner_text()
        )


def stroke(page: Page, pad: Locator, points: list[tuple[float, float]]) -> None:
    """Draw with the mouse, in shares of the pad."""
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place)
    page.mouse.up()


def test_a_drawn_digit_is_read(opened: Callable[[str], Locator]) -> None:
    box = opened("digit")
    pad = box.get_by_role("img", name="Draw a digit here")
    turns = np.linspace(0, 2 * np.pi, 24)
    drawings = {
        0: [[(0.5 + 0.22 * np.sin(t), 0.5 - 0.35 * np.cos(t)) for t in turns]],
        1: [[(0.5, 0.2), (0.5, 0.8)]],
        4: [[(0.55, 0.15), (0.25, 0.6), (0.75, 0.6)], [(0.62, 0.4), (0.62, 0.88)]],
        7: [[(0.25, 0.2), (0.7, 0.2), (0.45, 0.85)], [(0.35, 0.52), (0.7, 0.52)]],
    }
    _, (images, _), _ = split(*digits.load(), seed=0)
    for digit, strokes in drawings.items():
        box.get_by_role("button", name="Clear").click()
        assert sum(shown(box)["pixels"]) == 0
        for points in strokes:
            stroke(box.page, pad, points)
        got = shown(box)
        pixels = np.array(got["pixels"])
        assert np.all(pixels * 16 == np.round(pixels * 16))
        assert pixels.min() >= 0 and pixels.max() <= 1
        assert 0.5 < pixels.mean() / images.mean() < 1.5
        assert np.all(pixels.reshape(8, 8)[[0, -1]].max(axis=1) > 0)  # scaled to the whole height
        assert int(np.argmax(got["probabilities"])) == digit
    # The picture is a bitmap, 32 by 32, counted in blocks: a line is as dark as it is wide.
    box.get_by_role("button", name="Clear").click()
    stroke(box.page, pad, [(0.3, 0.2), (0.3, 0.4)])
    pixels = np.reshape(shown(box)["pixels"], (8, 8))
    assert np.all(pixels[1:7, [3, 4]] == 0.75) and pixels[:, [0, 1, 2, 5, 6, 7]].sum() == 0


def test_a_digit_is_filled_in_with_the_keyboard(opened: Callable[[str], Locator]) -> None:
    box = opened("digit")
    page = box.page
    box.get_by_role("button", name="Clear").click()
    grid = box.get_by_role("application")
    grid.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "Space"):
        page.keyboard.press(key)
    pixels = np.reshape(shown(box)["pixels"], (8, 8))
    assert pixels[1, 2] == 0.5 and pixels.sum() == 0.5
    assert "Row 2, column 3: ink 0.50. The network reads" in box.get_by_role("status").inner_text()
    page.keyboard.press("Space")
    page.keyboard.press("Space")
    assert sum(shown(box)["pixels"]) == 0
    page.keyboard.press("Tab")
    assert "Row" not in box.get_by_role("status").inner_text()


def own_network(path: Path, *hidden: int, seed: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    """Write a network with random weights as an exercise does, and give what the file holds."""
    rng = np.random.default_rng(seed)
    widths = [64, *hidden, 10]
    layers = [
        (rng.normal(size=(a, c)) / np.sqrt(a), rng.normal(size=c))
        for a, c in itertools.pairwise(widths)
    ]
    return sharing.read_network(sharing.write_network(layers, path))


def test_the_reader_s_own_network_reads(opened: Callable[[str], Locator], tmp_path: Path) -> None:
    forward = page_code(PLACES["digit"], "forward", relu=relu)
    examples = np.array(live_parts.PARTS["digit"].data()["examples"])
    box = opened("digit")
    page, status = box.page, box.get_by_role("status")
    file = box.get_by_label("Your own network")
    keep, back = box.get_by_label("Keep it"), box.get_by_role("button", name="The book’s network")
    expect(keep).to_be_disabled()
    expect(back).to_be_disabled()
    books = shown(box)

    def choose(path: Path) -> None:
        with page.expect_file_chooser() as asked:
            file.click()
        asked.value.set_files(path)

    def reads(layers: list[tuple[np.ndarray, np.ndarray]], digit: int) -> None:
        move(box.get_by_role("slider", name="Example"), digit)
        wanted = softmax(forward(examples[[digit]], layers))[0]
        got = shown(box)
        assert got["own"] and np.allclose(got["probabilities"], wanted, rtol=1e-9, atol=1e-15)
        assert [len(values) for values in got["hidden"]] == [len(b) for _, b in layers[:-1]]
        assert f"Your network reads {wanted.argmax()}" in status.inner_text()

    # Of each depth and width that may be, the last one kept.
    for hidden in ((), (400,), (512, 3), (48, 32, 16)):
        path = tmp_path / "my-network.json"
        layers = own_network(path, *hidden)
        choose(path)
        expect(
            box.get_by_text(f"Your network: {' → '.join(map(str, (64, *hidden, 10)))}.")
        ).to_be_visible()
        right = np.sum(forward(examples, layers).argmax(axis=1) == np.arange(10))
        assert f"it reads {right} of the ten examples" in status.inner_text()
        for digit in (0, 8):
            reads(layers, digit)
    keep.check()
    # What is no network is refused by its name, and the one at work stays.
    text = path.read_text()
    wide, nan = tmp_path / "wide.json", tmp_path / "nan.json"
    wide.write_text(text.replace(sharing.FORMAT, "another"))
    rows = json.loads(text)
    rows["layers"][1]["W"].pop()
    nan.write_text(json.dumps(rows))
    (picture := tmp_path / "seven.png").write_bytes(bytes(range(256)))
    for wrong, why in (
        (picture, "it is no JSON text"),
        (wide, f"does not say that its format is “{sharing.FORMAT}”"),
        (nan, "its layer 2 wants 48 rows of 32 numbers"),
    ):
        choose(wrong)
        expect(status).to_contain_text(f"{wrong.name} was not loaded: ")
        assert (
            why in status.inner_text()
            and "Wanted is the file my-network.json" in status.inner_text()
        )
        reads(layers, 3)
    # It was kept, until it is given back.
    page.reload()
    box = wake(page, "digit")
    reads(layers, 5)
    expect(keep).to_be_checked()
    back.click()
    assert "The network reads" in status.inner_text()
    move(box.get_by_role("slider", name="Example"), 3)
    assert not shown(box)["own"] and shown(box)["probabilities"] == books["probabilities"]
    page.reload()
    assert not shown(wake(page, "digit"))["own"]


def test_a_network_can_be_dropped_and_everything_kept_be_deleted(
    opened: Callable[[str], Locator], site: Site, tmp_path: Path
) -> None:
    path = tmp_path / "my-network.json"
    own_network(path, 8)
    box = opened("digit")
    page = box.page
    dropped = page.evaluate_handle(
        "text => { const all = new DataTransfer();"
        " all.items.add(new File([text], 'my-network.json')); return all; }",
        path.read_text(),
    )
    stage = box.locator(".live-stage")
    stage.dispatch_event("dragover", {"dataTransfer": dropped})
    expect(stage).to_have_class(re.compile("live-over"))
    stage.dispatch_event("drop", {"dataTransfer": dropped})
    expect(box.get_by_text("Your network: 64 → 8 → 10.")).to_be_visible()
    expect(stage).not_to_have_class(re.compile("live-over"))
    box.get_by_label("Keep it").check()
    assert page.evaluate("reading.network()") == path.read_text()
    page.goto(f"{site.url}book/appendix/review.html")
    erase = page.get_by_role("button", name="Delete everything")
    erase.click()
    erase.click()
    assert page.evaluate("reading.network()") is None
    # The theme keeps which colors are wanted, and nothing else is left.
    assert set(page.evaluate("Object.keys(localStorage)")) <= {"mode", "theme"}


# Language models ----------------------------------------------------------------------------------


def test_the_gpt_gives_the_probabilities_of_the_page(opened: Callable[[str], Locator]) -> None:
    base, about = pretrained.gpt()
    tokens = BytePairs(about["merges"])
    box = opened("gpt")
    temperature, top = (box.get_by_role("slider", name=n) for n in ("Temperature", "Top-p"))
    prompt = box.get_by_role("textbox", name="A text begins")
    long = (ROOT / f"{PLACES['gpt']}.md").read_text()[2000:2300]
    for text in ("The network", "13+31=44\n47+38=", "naïve 12½ → \u0663 …  x", long):
        prompt.fill(text)
        got = shown(box)
        wanted = tokens.encode(text)
        assert got["tokens"] == wanted
        with torch.no_grad():
            logits = base(torch.tensor([wanted[-base.config.context :]]))[0, -1]
        assert np.allclose(got["scores"], logits, atol=2e-4)
        for T, share in ((1.0, 1.0), (0.5, 0.9), (1.5, 0.9), (1.0, 0.05)):
            move(temperature, T)
            move(top, share)
            next_ = shown(box)["next"]
            p = (logits / T).softmax(-1)
            assert np.allclose(next_["p"], p, atol=1e-4)
            likely, order = p.sort(descending=True, stable=True)
            kept = int((likely.cumsum(0) - likely < share).sum())
            # A token on the very edge may fall either way.
            edge = likely.cumsum(0)[max(kept - 2, 0) : kept + 1]
            assert next_["kept"] == kept or (edge - share).abs().min() < 1e-4
            assert next_["order"][0] == order[0]
            assert (
                f"It draws from {next_['kept']} of 768 tokens"
                in box.get_by_role("status").inner_text()
            )
    # What the caption says of a high temperature, and the alt text of the others.
    prompt.fill("The network")
    kept = {}
    for T in (0.5, 1.0, 1.5):
        move(temperature, T)
        move(top, 0.9)
        kept[T] = shown(box)["next"]["kept"]
    assert kept[0.5] < 20 < kept[1.0] < 100 < kept[1.5]


def test_the_gpt_writes_what_the_page_writes(browser: Browser, site: Site) -> None:
    base, about = pretrained.gpt()
    tokens = BytePairs(about["merges"])
    write = page_code(PLACES["gpt"], "write", torch=torch, tokens=tokens)
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{site.url}{PLACES['gpt']}.html")
    box = wake(page, "gpt")
    count = live_parts.PARTS["gpt"].data()["count"]
    done = (
        "(count) => { const { shown } = document.querySelector("
        "'.live-box[data-live=gpt] .live-stage');"
        " return !shown.running && shown.tokens.length === shown.typed + count; }"
    )
    move(box.get_by_role("slider", name="Temperature"), 0)
    for text in ("13+31=44\n20+30=50\n47+38=", "The network"):
        box.get_by_role("textbox").fill(text)
        # Twice: the second time, the context is full and goes on from its last half.
        for times in (1, 2):
            box.get_by_role("button", name="Write").click()
            page.wait_for_function(done, arg=times * count)
            assert shown(box)["written"] == write(base, text, times * count, temperature=0)
        if "=" in text:
            assert shown(box)["written"].startswith("85\n")
    # With chance: every token is one of those that may be drawn, and no two texts are the same.
    move(box.get_by_role("slider", name="Temperature"), 1)
    move(box.get_by_role("slider", name="Top-p"), 0.5)
    texts = set()
    for _ in range(2):
        box.get_by_role("button", name="From the beginning").click()
        box.get_by_role("button", name="Write").click()
        page.wait_for_function(done, arg=count)
        got = shown(box)
        texts.add(got["written"])
        row = torch.tensor([got["tokens"]])
        for k in range(got["typed"], row.shape[1]):
            with torch.no_grad():
                p = base(row[:, :k])[0, -1].softmax(-1)
            likelier = p[p > p[row[0, k]]].sum()
            assert likelier < 0.5 + 1e-4
    assert len(texts) == 2
    context.close()


# Adversarial examples -----------------------------------------------------------------------------


def test_the_attack_is_that_of_the_page(opened: Callable[[str], Locator]) -> None:
    pictures, new_network, learn = page_code(
        PLACES["attack"],
        "pictures",
        "new_network",
        "learn",
        torch=torch,
        nn=nn,
        F=nn.functional,
        fit=fit,
    )
    part = split(*digits.load(), seed=0)
    model = learn(new_network(0), pictures(part.train), 0)
    x, y = pictures(part.validation)
    image, label = x[209:210], y[209:210]

    box = opened("attack")
    status = box.get_by_role("status")
    slider = box.get_by_role("slider", name="Epsilon")
    given = live_parts.PARTS["attack"].data()
    assert given["label"] == label.item() == 4
    random = torch.tensor(given["directions"]["random"]).reshape(image.shape)
    assert set(random.ravel().tolist()) == {-1.0, 1.0} and abs(random.mean().item()) < 0.2
    reads = {}
    for epsilon in (0.0, 0.03, 0.06, 0.1, 0.2):
        for name in ("computed", "random"):
            box.get_by_role("radio", name=name).check()
            move(slider, epsilon)
            got = shown(box)
            if name == "computed":
                wanted = fgsm(model, image, label, epsilon)
            else:
                wanted = (image + epsilon * random).clamp(0, 1)
            assert np.allclose(got["changed"], wanted.ravel(), atol=1e-6)
            p = predict(model, wanted).softmax(dim=1)[0]
            assert np.allclose(got["probabilities"], p, atol=0.01)  # the weights have four decimals
            best = int(np.argmax(got["probabilities"]))
            reads[name, epsilon] = best
            percent = 100 * got["probabilities"][best]
            said = f"{'still' if best == 4 else 'now'} reads {best}, with {percent:.1f} %"
            assert said in status.inner_text()
    # What the caption and the alt text say.
    assert [reads["computed", e] for e in (0.0, 0.03, 0.06, 0.1, 0.2)] == [4, 4, 9, 9, 9]
    assert {reads["random", e] for e in (0.0, 0.03, 0.06, 0.1, 0.2)} == {4}


# Transformers -------------------------------------------------------------------------------------


def test_the_heads_look_where_those_of_the_page_do(
    opened: Callable[[str], Locator], site: Site
) -> None:
    given = data_of(site, "attention")
    model = with_halves(
        GPT(Config(len(given["characters"]), positions="rotary", **given["config"])), given
    )
    box = opened("attention")
    page, status = box.page, box.get_by_role("status")
    field = box.get_by_role("textbox", name="Your sentence")
    place = box.get_by_role("slider", name="Looks from")
    for text in (given["start"], "a", "12 = 3 * 4, or (x)?", "n" * given["longest"]):
        field.fill(text)
        got = shown(box)
        assert got["text"] == text
        with torch.no_grad():
            tokens = torch.tensor([[given["characters"].index(c) for c in text]])
            maps = attention_maps(model, tokens)[:, 0].numpy()
        assert np.allclose(got["maps"], maps, atol=1e-4)
        for block, head, at in ((1, 1, len(text)), (2, 3, 1), (2, 4, (len(text) + 1) // 2)):
            box.get_by_role("group", name="Block").get_by_label(str(block)).check()
            box.get_by_role("group", name="Head").get_by_label(str(head)).check()
            move(place, at)
            got = shown(box)
            wanted = maps[block - 1, head - 1]
            assert got["from"] == at - 1 and np.allclose(got["weights"], wanted, atol=1e-4)
            # It says the three largest weights of the row.
            said = [int(n) / 100 for n in re.findall(r"(\d+) % on (?!the)", status.inner_text())]
            assert np.allclose(said, np.sort(wanted[at - 1, :at])[::-1][:3], atol=0.0051)
            if len(text) > 1:
                mean = np.diagonal(wanted, -1).mean()
                said = re.search(r"whole sentence, (\d+) %", status.inner_text())
                assert int(said[1]) / 100 == pytest.approx(mean, abs=0.0051)
    # What it has never read is left out, and said; an empty field is a space.
    field.fill("naïve 𝔘")
    assert shown(box)["text"] == "nave " and "ï 𝔘 are left out" in status.inner_text()
    field.fill("")
    assert shown(box)["text"] == " "
    # A finger on the table chooses the row, and the keyboard with the slider.
    field.fill("abcdef")
    table = box.get_by_role("img").bounding_box()
    page.mouse.click(table["x"] + table["width"] / 2, table["y"] + 22 + 2.5 * 24)
    assert shown(box)["from"] == 2
    place.press("ArrowRight")
    assert shown(box)["from"] == 3
    # What the still's alt text says, and the question of the invitation.
    field.fill(given["start"])
    maps = np.concatenate(shown(box)["maps"])
    before = np.array([np.diagonal(m, -1).mean() for m in maps])
    near = np.array([(np.diagonal(m, -1) + np.diagonal(m)[1:]).mean() for m in maps])
    assert before.max() > 0.3 and near[before.argmax()] > 0.5 > near[before.argmin()]
    rows = maps[before.argmin()][6:]  # far back, on the first two characters
    assert np.sum(rows[:, :2].sum(axis=1) > 0.25) >= 3


# Diffusion models ---------------------------------------------------------------------------------


def test_the_drawing_takes_the_steps_of_the_page(
    opened: Callable[[str], Locator], site: Site
) -> None:
    given = data_of(site, "diffusion")
    schedule = Schedule(len(given["alpha_bar"]) - 1)
    assert np.allclose(given["alpha_bar"], schedule.alpha_bar, atol=1e-6)
    model = with_halves(Denoiser(64, given["hidden"], given["blocks"], given["classes"]), given)
    box = opened("diffusion")
    status = box.get_by_role("status")
    sliders = {
        name: box.get_by_role("slider", name=name, exact=True)
        for name in ("Digit", "Guidance", "Steps in all", "Steps taken")
    }
    starts = set()
    for digit, weight, count, noise in (
        (3, 2, 20, "none"),
        (7, 1, 5, "each step"),
        (0, 0, 2, "each step"),
        (9, 4, 1, "none"),
    ):
        move(sliders["Digit"], digit)
        move(sliders["Guidance"], [0, 0.5, 1, 2, 4].index(weight))
        move(sliders["Steps in all"], given["counts"].index(count))
        box.get_by_role("radio", name=noise).check()
        box.get_by_role("button", name="Other noise").click()
        path = shown(box)["path"]
        assert len(path) == count + 1 and [step["t"] for step in path] == [
            round(100 * k / count) for k in range(count, -1, -1)
        ]
        steered = guided(model, torch.tensor([digit]), weight)
        x = torch.tensor([path[0]["x"]])
        starts.add(path[0]["x"][0])
        assert abs(x.mean()) < 0.5 and abs(x.std() - 1) < 0.35
        for here, there in itertools.pairwise(path):
            now, to = schedule.alpha_bar[here["t"]], schedule.alpha_bar[there["t"]]
            with torch.no_grad():
                predicted = steered(x, torch.tensor([here["t"] / schedule.steps]))
            guess = (x - (1 - now).sqrt() * predicted) / now.sqrt()
            # Where hardly anything of the sample is left, its guess is divided by next to nothing.
            assert np.allclose(here["guess"], guess[0], atol=5e-3, rtol=1e-3)
            if noise == "none":
                assert "drawn" not in here
                x = ddim_step(x, predicted, now, to)
            else:
                x = ddpm_step(x, predicted, now, to, torch.tensor([here["drawn"]]))
            assert np.allclose(there["x"], x[0], atol=5e-3)
            x = torch.tensor([there["x"]])  # so that roundings do not add up
        assert path[-1]["guess"] == path[-1]["x"]
        asked = "No digit is asked for" if weight == 0 else f"A {digit} is asked for"
        assert asked in status.inner_text() and "the finished drawing" in status.inner_text()
        move(sliders["Steps taken"], 0)
        assert shown(box)["at"] == 0
        steps = f"After 0 of {count} step{'s' if count > 1 else ''}: step 100 of 100"
        assert steps in status.inner_text() and "where 0 % of the variance" in status.inner_text()
    assert len(starts) == 4


def test_a_drawing_moves_when_it_is_asked_to(opened: Callable[[str], Locator]) -> None:
    box = opened("diffusion")
    status = box.get_by_role("status")
    assert shown(box)["at"] == 20 and not shown(box)["running"]
    box.get_by_role("button", name="Play").click()
    assert status.get_attribute("aria-live") == "off"
    stage = "document.querySelector('.live-box[data-live=diffusion] .live-stage')"
    box.page.wait_for_function(f"{stage}.shown.at > 1 && {stage}.shown.at < 20")
    box.page.wait_for_function(f"{stage}.shown.at === 20 && !{stage}.shown.running")
    assert status.get_attribute("aria-live") == "polite"
    box.page.emulate_media(reduced_motion="reduce")
    box.get_by_role("button", name="Play").click()
    assert shown(box)["at"] == 0 and not shown(box)["running"]


# Regularization -----------------------------------------------------------------------------------


def test_units_are_silenced_as_in_the_page(opened: Callable[[str], Locator], site: Site) -> None:
    given = data_of(site, "dropout")
    weights = [(np.array(layer["W"]), np.array(layer["b"])) for layer in given["layers"]]
    box = opened("dropout")
    status = box.get_by_role("status")
    silenced = box.get_by_role("slider", name="p", exact=True)
    # The course's own network, whose dropout layers take the masks of the page.
    rng = np.random.default_rng(0)
    first, second, last = (Linear(*W.shape, rng=rng) for W, _ in weights)
    for layer, (W, b) in zip((first, second, last), weights, strict=True):
        layer.weight.data[:], layer.bias.data[:] = W, b

    class Given:
        def __init__(self) -> None:
            self.numbers: np.ndarray = np.ones(1)

        def random(self, shape: tuple[int, ...]) -> np.ndarray:
            return self.numbers.reshape(shape)

    masks = Given(), Given()
    drops = [Dropout(0.5, rng=rng) for _ in masks]
    for drop, mask in zip(drops, masks, strict=True):
        drop.rng = mask
    network = Sequential(first, ReLU(), drops[0], second, ReLU(), drops[1], last)
    X, _ = digits.load()
    for digit, p, rest in (
        (8, 0.5, "divided by 1 − p"),
        (3, 0.9, "divided by 1 − p"),
        (5, 0.3, "unscaled"),
        (1, 0.0, "divided by 1 − p"),
    ):
        move(box.get_by_role("slider", name="Example"), digit)
        move(silenced, p)
        box.get_by_role("radio", name=rest).check()
        before = shown(box)["masks"]
        box.get_by_role("button", name="Other selections").click()
        got = shown(box)
        assert (got["masks"] != before) == (p > 0)
        image = np.array(got["pixels"])
        assert np.any(np.all(image == X, axis=1))
        chosen = np.array(got["masks"])  # (60, 2, 64)
        assert abs(1 - chosen.mean() - p) < 0.03
        wanted = []
        for one in chosen:
            for drop, mask, row in zip(drops, masks, one, strict=True):
                drop.p, mask.numbers = p, np.where(row, 1.0, -1.0)
                if rest != "divided by 1 − p":
                    drop.p, mask.numbers = 0.0, np.ones(64)
            if rest == "divided by 1 − p":
                wanted.append(softmax(network.train()(image[None]).data[0]))
            else:
                wanted.append(live_parts.silenced(weights, image, one[None], 1.0)[2][0])
        runs = np.array([run["probabilities"] for run in got["runs"]])
        assert np.allclose(runs, wanted, rtol=1e-8, atol=1e-12)
        whole = softmax(network.eval()(image[None]).data[0])
        assert np.allclose(got["whole"], whole, rtol=1e-9)
        assert got["right"] == np.sum(runs.argmax(axis=1) == digit)
        assert np.allclose(got["average"], runs.mean(axis=0))
        text = status.inner_text()
        assert f"{got['right']} read a {digit}, with {100 * runs[:, digit].mean():.0f} %" in text
        assert f"all units give it {100 * whole[digit]:.0f} %" in text
        # What the caption says of the sums into the second layer.
        full, shrunk = 1.0, 1 - p
        about = full if rest == "divided by 1 − p" else shrunk
        assert got["size"] == pytest.approx(about, abs=0.2 if p > 0.5 else 0.08)
        assert f"are {got['size']:.2f} times those in use" in text


def test_what_the_still_of_dropout_shows(site: Site) -> None:
    given = data_of(site, "dropout")
    weights = [(np.array(layer["W"]), np.array(layer["b"])) for layer in given["layers"]]
    rng, image = np.random.default_rng(1), np.array(given["examples"][4])
    kinds, spread, whole = {}, {}, np.ones((1, 2, 64), dtype=bool)
    for p in (0.2, 0.5, 0.8):
        chosen = rng.random((400, 2, 64)) >= p
        said = live_parts.silenced(weights, image, chosen, 1 / (1 - p))[2]
        kinds[p] = len(np.unique(said.argmax(axis=1)))
        spread[p] = np.mean(said.argmax(axis=1) == 4)
    assert spread[0.2] > 0.98 and spread[0.5] > 0.85 and spread[0.8] < 0.6, spread
    assert kinds[0.8] > 5 and 0.8 < live_parts.silenced(weights, image, whole, 1.0)[2][0, 4] < 0.92
