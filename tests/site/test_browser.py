"""The built site in a browser: what a reader sees, hears, and can do with a keyboard."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from course_lib.book.load import first_load
from course_lib.book.prerequisites import read_chapters
from course_lib.plotting import new_figure
from course_lib.plotting.animation import animate

if TYPE_CHECKING:
    from tests.site.conftest import Site

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.site, pytest.mark.browser]

CHAPTER = "book/foundations/activations.html"


@pytest.fixture
def opened(page: Page, site: Site) -> Callable[[str], Page]:
    """Return a function that opens a page of the site and waits for its fonts."""

    def open_page(name: str) -> Page:
        page.goto(site.url + name)
        settle(page)
        return page

    return open_page


def settle(page: Page) -> None:
    """Wait until the page is loaded, with its fonts."""
    page.wait_for_load_state("load")
    page.evaluate("document.fonts.ready.then(() => true)")


def brightness(element: Locator) -> float:
    """The mean brightness of what is seen of an element, from 0 (black) to 255."""
    element.scroll_into_view_if_needed()
    return float(np.asarray(Image.open(io.BytesIO(element.screenshot())).convert("L")).mean())


#: Adds up how far what is seen has moved by itself, as a share of the window (layout shift).
SHIFT = """
window.shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


def test_no_request_leaves_the_machine_none_fails_and_nothing_moves(
    browser: Browser, site: Site
) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_init_script(SHIFT)
    asked: list[str] = []
    moved: list[tuple[str, float]] = []
    # Whatever is for another machine is stopped here, so that a page which needs it looks broken.
    context.route(
        lambda url: not url.startswith((site.url, "data:", "blob:")), lambda route: route.abort()
    )
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("response", lambda answer: answer.status >= 400 and complaints.append(answer.url))
    names = [name for name in site.pages if not name.startswith("_")]
    assert CHAPTER in names
    for name in names:
        page.goto(site.url + name)
        settle(page)
        page.wait_for_load_state("networkidle")
        if (shift := page.evaluate("window.shift")) > 0.02:
            moved.append((name, shift))
        if name == CHAPTER:
            # What is counted as a page's weight is what a browser asks for.
            counted = first_load(site.folder / name)
            paths = [
                (site.folder / url[len(site.url) :].split("?")[0]) for url in asked_here(asked)
            ]
            assert {path.resolve() for path in paths if "live" not in path.parts} <= set(counted)
        asked.append("")
    context.close()
    asked = list(filter(None, asked))
    assert [url for url in asked if not url.startswith((site.url, "data:", "blob:"))] == []
    assert any("formulas/MathJax_Math-Italic.woff" in url for url in asked)
    assert complaints == []
    assert moved == []


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize(
    ("name", "late"),
    [("py-modindex.html", "img.toggler"), ("search.html?q=dropout", ".search > li > .context")],
    ids=["modules", "results"],
)
def test_what_a_script_adds_has_its_place_from_the_start(
    browser: Browser, site: Site, name: str, late: str, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900})
    context.add_init_script(SHIFT)
    page = context.new_page()
    page.goto(site.url + name)
    settle(page)
    expect(page.locator(late).first).to_be_visible()
    # A page in which something was found has a summary; a name in the library has a description.
    expect(page.locator(".search > li:not(:has(> .context, > span))")).to_have_count(0)
    assert page.evaluate("window.shift") < 0.005
    context.close()


def asked_here(asked: list[str]) -> list[str]:
    """Return the addresses behind the last empty one, of files alone."""
    last = max((number for number, url in enumerate(asked) if not url), default=-1)
    return [url for url in asked[last + 1 :] if url.startswith("http")]


def test_the_page_of_the_search_has_a_chapter_s_subject_first(
    opened: Callable[[str], Page],
) -> None:
    page = opened("search.html?q=lstm")
    found = page.locator("#search-results li a")
    expect(found.first).to_have_attribute("href", "book/architectures/lstm.html")


def test_results_come_while_one_types(opened: Callable[[str], Page], site: Site) -> None:
    page = opened(CHAPTER)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.split("?")[0].split("/")[-1]))
    page.keyboard.press("Control+k")
    field = page.locator("#pst-search-dialog input")
    field.press_sequentially("dropou")
    first = page.locator(".find-results a").first
    expect(first).to_have_attribute("href", re.compile(r"glossary\.html#term-dropout$"))
    expect(page.locator("#pst-search-dialog [role=status]")).to_contain_text("result")
    assert asked.count("searchindex.js") == 1
    # With the keyboard alone to the result and, after a word that is nowhere, back.
    page.keyboard.press("ArrowDown")
    assert first.evaluate("e => e === document.activeElement")
    page.keyboard.press("ArrowUp")
    field.fill("qqqq")
    expect(page.locator("#pst-search-dialog [role=status]")).to_have_text("Nothing was found.")
    assert page.locator(".find-results a").count() == 0
    assert page.evaluate("localStorage.getItem('sphinx_highlight_terms')") is None
    # What a chapter is about leads to the chapter, whatever else speaks of it.
    chapters = {chapter.subject: chapter.page for chapter in read_chapters(ROOT)}
    best = page.evaluate(
        """(subjects) => subjects.map((subject) => {
          finder.query = subject;
          return Search._performSearch(...Search._parseQuery(subject)).at(-1)?.[0];
        })""",
        list(chapters),
    )
    assert len(chapters) > 30 and dict(zip(chapters, best, strict=True)) == chapters
    field.fill("dropout")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/glossary.html*#term-dropout")


def test_formulas_are_set(opened: Callable[[str], Page]) -> None:
    page = opened(CHAPTER)
    written = page.locator("article .math").count()
    assert written > 5
    assert page.locator("article .math mjx-container").count() >= written
    assert page.locator("article mjx-container").first.bounding_box()["width"] > 3
    # In a font of MathJax's own, which came from this site.
    page.wait_for_function(
        "[...document.fonts].some(f => f.status === 'loaded' && f.family.includes('MJX'))"
    )


def test_a_question_is_answered_with_the_keyboard_alone(opened: Callable[[str], Page]) -> None:
    page = opened(CHAPTER)
    question = page.locator("fieldset.question").first
    answers = question.locator(".answer")
    assert [answer.is_visible() for answer in answers.all()] == [False] * answers.count()

    question.locator("input").first.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert question.locator("input").first.evaluate("e => e === document.activeElement")
    page.keyboard.press("Space")
    seen = []
    for number in range(answers.count()):
        if number:
            page.keyboard.press("ArrowDown")
        shown = [answer for answer in answers.all() if answer.is_visible()]
        assert len(shown) == 1, "one explanation at a time"
        assert question.locator(".choice").nth(number).locator(".answer").is_visible()
        seen.append(shown[0].inner_text())
    assert len(set(seen)) == len(seen)
    assert sum(text.startswith("Right.") for text in seen) == 1
    assert sum(text.startswith("Not this one.") for text in seen) == len(seen) - 1


def test_a_screen_reader_is_told_the_explanation(opened: Callable[[str], Page]) -> None:
    page = opened(CHAPTER)
    question = page.locator("fieldset.question").first
    legend = question.locator("legend").inner_text()
    before = question.aria_snapshot()
    assert before.startswith(f'- group "{legend}"') and "Right." not in before
    # The live regions are there, and empty, before anything is chosen: only then are they read.
    assert question.get_by_role("status").count() == question.locator("input").count()
    for choice in question.locator(".choice").all():
        button = choice.get_by_role("radio", name=choice.locator("label").inner_text())
        button.check()
        after = question.aria_snapshot()
        [verdict] = [words for words in ("Right.", "Not this one.") if words in after]
        [status] = [e for e in question.get_by_role("status").all() if e.inner_text().strip()]
        assert status.inner_text().startswith(verdict)
        assert "[checked]" in after


def test_explanations_can_be_read_without_scripts(browser: Browser, site: Site) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site.url + CHAPTER)
    first = page.locator("fieldset.question details").first
    assert not first.locator(".verdict").is_visible()
    first.locator("summary").click()
    assert first.locator(".verdict").is_visible()
    # Formulas, figures, folded code and the way to the other pages need none either.
    for selector in ("article mjx-container", "article figure img", "nav.bd-links a"):
        assert page.locator(selector).first.bounding_box()["width"] > 3, selector
    page.locator("article details > summary").first.click()
    assert page.locator("article details > :not(summary)").first.is_visible()
    context.close()


REVIEW = "book/appendix/review.html"


def test_what_was_missed_comes_back_until_it_is_known(
    page: Page, site: Site, tmp_path: Path
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    def at(day: str, name: str) -> None:
        page.clock.set_fixed_time(f"2026-{day}T12:00:00")
        page.goto(site.url + name)

    at("03-01", CHAPTER)
    question = page.locator("fieldset.question").first
    question.locator(".choice:has(.wrong) input").first.check()
    question.locator(".choice:has(.right) input").check()  # to read on; the first choice counts
    page.get_by_role("checkbox", name="I have read this chapter").check()
    expect(page.locator("nav.bd-links .reading-mark")).to_have_count(1)

    due = page.locator("[data-review=due]")
    said = due.locator("[role=status]").first
    at("03-01", REVIEW)
    expect(said).to_have_text(
        "Nothing is due today. 1 question will come back, the next on 2026-03-02."
    )
    row = page.locator("tr", has_text="Activation functions")
    expect(row).to_contain_text("0 of 1")
    expect(row.get_by_role("checkbox")).to_be_checked()
    # Known after a day, missed after three more, then known each time: a day, 3, 7 and 21 days.
    for day, kind, comes in (
        ("03-02", "right", "It comes back on 2026-03-05."),
        ("03-05", "wrong", "It comes back on 2026-03-06."),
        ("03-06", "right", "It comes back on 2026-03-09."),
        ("03-09", "right", "It comes back on 2026-03-16."),
        ("03-20", "right", "It comes back on 2026-04-10."),
        ("04-10", "right", "It will not come back."),
    ):
        at(day, REVIEW)
        expect(said).to_have_text("1 question due.")
        choice = due.locator(f".choice:has(.{kind})").first
        assert due.locator("mjx-container, legend").first.is_visible()
        choice.locator("input").focus()
        page.keyboard.press("Space")
        expect(choice.locator(".answer")).to_be_visible()
        expect(due).to_contain_text(comes)
        due.get_by_role("button", name="Finish").focus()
        page.keyboard.press("Enter")
        expect(said).to_be_focused()
    expect(said).to_have_text("Nothing is due: no question that you answered waits to come back.")

    # Points, and the data as a file: out, gone, and in again.
    points = page.get_by_label("Points in the exercise activations")
    points.fill("30.5")
    points.blur()
    total = page.locator("[data-review=chapters] [role=status]")
    expect(total).to_have_text("1 chapter read, 30.5 points.")
    points.fill("99")
    points.blur()
    expect(total).to_have_text("1 chapter read, 30.5 points.")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    kept = json.loads(file.read_text())
    [(key, known)] = kept["answers"].items()
    assert key.startswith("book/foundations/activations#q-") and known["first"] is False
    assert kept["points"] == {"activations": 30.5}
    assert kept["read"] == {"book/foundations/activations": "2026-03-01"}
    page.get_by_role("button", name="Delete everything").click()
    expect(total).to_have_text("1 chapter read, 30.5 points.")
    page.get_by_role("button", name="press again").click()
    expect(total).to_have_text("0 chapters read, 0 points.")
    assert page.evaluate("localStorage.getItem('deep-learning-layer-by-layer')") is None
    other = tmp_path / "other.json"
    data = page.locator("[data-review=data]")
    for wrong in (
        "no json",
        '{"version": 2}',
        json.dumps({**kept, "answers": {"a": {"first": 1}}}),
    ):
        other.write_text(wrong)
        data.locator("input").set_input_files(other)
        expect(data).to_contain_text("Nothing was changed.")
        expect(total).to_have_text("0 chapters read, 0 points.")
    data.locator("input").set_input_files(file)
    expect(total).to_have_text("1 chapter read, 30.5 points.")
    # All of it in this browser.
    assert [url for url in asked if not url.startswith((site.url, "data:", "blob:"))] == []


@pytest.fixture
def player(page: Page, tmp_path: Path) -> Page:
    """Open a page, from a file, with a figure of three frames: the dot goes from left to right."""

    def frame(x: float) -> Figure:
        figure, axes = new_figure(width=3, height=1)
        axes.set(xlim=(0, 3), ylim=(0, 1), xticks=[], yticks=[])
        axes.plot(x, 0.5, "o", markersize=20)
        return figure

    moving = animate((frame(x) for x in (0.5, 1.5, 2.5)), still=2, seconds=0.05)
    (tmp_path / "moving.svg").write_text(moving.svg)
    (tmp_path / "page.html").write_text(
        '<img class="animation frames-3 milliseconds-50 still-2" src="moving.svg" alt="A dot">'
        f'<script src="{(ROOT / "_static" / "animations.js").as_uri()}"></script>'
    )
    page.goto((tmp_path / "page.html").as_uri())
    return page


def dot(page: Page) -> float:
    """Where the dot is, from 0 (left) to 1."""
    shot = Image.open(io.BytesIO(page.locator("img").screenshot())).convert("RGB")
    pixels = np.asarray(shot, dtype=float)
    blue = pixels[..., 2] - pixels[..., 0] > 80
    return float(np.nonzero(blue)[1].mean() / blue.shape[1]) if blue.any() else float("nan")


def test_a_moving_figure_rests_until_it_is_played_with_the_keyboard(player: Page) -> None:
    button, slider = player.get_by_role("button"), player.get_by_role("slider")
    assert button.inner_text() == "Play" and slider.get_attribute("aria-valuetext") == "3 of 3"
    assert dot(player) > 0.7
    slider.focus()
    seen = []
    for _ in range(2):
        player.keyboard.press("ArrowLeft")
        seen.append(dot(player))
    assert 0.4 < seen[0] < 0.6 and seen[1] < 0.3
    assert slider.get_attribute("aria-valuetext") == "1 of 3"
    button.focus()
    player.keyboard.press("Space")
    # It goes on by itself, stops at the last frame, and can be played again.
    player.wait_for_function(
        "document.querySelector('.animation-controls span').textContent === '3 of 3'"
    )
    player.wait_for_function(
        "document.querySelector('.animation-controls button').textContent === 'Play'"
    )
    assert dot(player) > 0.7


def test_a_test_that_fails_leaves_a_picture_of_each_page(
    player: Page, screenshots: Any, tmp_path: Path
) -> None:
    screenshots.folder = tmp_path / "seen"
    empty = player.context.new_page()
    kept = screenshots.keep_all(player.context.browser, "failed-test_it[a/b]")
    assert [path.name for path in kept] == ["failed-test-it-a-b-1.png", "failed-test-it-a-b-2.png"]
    spread = [int(np.ptp(np.asarray(Image.open(path).convert("L")))) for path in kept]
    assert spread[0] > 50 and spread[1] == 0
    empty.close()
    assert len(screenshots.keep_all(player.context.browser, "again")) == 1


def test_a_moving_figure_shows_its_still_without_scripts(browser: Browser, player: Page) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(player.url)
    assert dot(page) > 0.7
    assert page.locator("button").count() == 0
    context.close()


def test_figures_follow_the_switch_for_light_and_dark(opened: Callable[[str], Page]) -> None:
    page = opened(CHAPTER)
    # A live part that is scrolled to takes its still's place (tests/site/test_live.py).
    figures = page.locator("article figure img:not(.live-still)")
    assert figures.count() >= 2
    light = [brightness(figure) for figure in figures.all()]
    switch = page.locator("button.theme-switch-button").first
    mode = page.locator("html")
    for _ in range(3):  # auto, light, dark, in an order that the theme chooses
        if mode.get_attribute("data-theme") == "dark":
            break
        switch.click()
    assert mode.get_attribute("data-theme") == "dark"
    dark = [brightness(figure) for figure in figures.all()]
    assert min(light) > 200 and max(dark) < 80, (light, dark)
    for figure in figures.all():
        style = figure.evaluate(
            "e => [getComputedStyle(e).filter, getComputedStyle(e).backgroundColor]"
        )
        assert style == ["none", "rgba(0, 0, 0, 0)"]  # the theme would dim it on a white card


def test_a_dark_page_prints_light(browser: Browser, site: Site) -> None:
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(site.url + CHAPTER)
    settle(page)
    figure = page.locator("article figure img").first
    assert brightness(figure) < 80
    page.emulate_media(media="print")
    assert brightness(figure) > 200
    for selector in ("article p", "article pre span", "article code"):
        ink = page.locator(selector).first.evaluate("e => getComputedStyle(e).color")
        assert max(map(int, ink[4:-1].split(","))) < 170, (selector, ink)
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == "rgb(255, 255, 255)"
    page.emulate_media(media="screen")
    assert brightness(figure) < 80
    context.close()


#: A chapter with all that a page can have: tables, formulas, code, folded code, a moving figure, a
#: live part, questions.
FULL = "book/architectures/transformers.html"

#: What is seen of these, and what is wider than the window, as (name, what it begins with).
SEEN = """(selector) => {
  const shown = (element) => element.checkVisibility({ visibilityProperty: true });
  const told = (element) => [element.localName, element.outerHTML.slice(0, 80)];
  return {
    clickable: [...document.querySelectorAll(selector)].filter(shown).map(told),
    wide: [...document.querySelectorAll("article *:not(mjx-container *, svg *)")].filter(
      (e) => shown(e) && e.getBoundingClientRect().right > innerWidth + 1).map(told),
    letters: [...document.querySelectorAll("article :is(p, pre, td, li)")].filter(shown)
      .map((e) => parseFloat(getComputedStyle(e).fontSize)),
  };
}"""


def test_a_chapter_prints_on_few_pages_and_nothing_on_them_asks_to_be_clicked(
    opened: Callable[[str], Page],
) -> None:
    page = opened(FULL)
    # As wide as what A4 leaves between its margins.
    page.set_viewport_size({"width": 665, "height": 1000})
    questions = page.locator("fieldset.question").count()
    choices = page.locator("fieldset.question .choice").count()
    assert questions >= 3
    # Code that goes on over the page, small figures, no list of sections: 22 pages without these.
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))) <= 16
    page.emulate_media(media="print")
    seen = page.evaluate(SEEN, "button, input, select, summary, nav, dialog, .headerlink")
    assert seen["clickable"] == [] and seen["wide"] == []
    assert min(seen["letters"]) >= 9 and max(seen["letters"]) <= 15
    # What was a live part, or moved, is a picture with its caption.
    for figure in ("#live-attention", "figure:has(img.animation)"):
        assert page.locator(f"{figure} img").first.bounding_box()["height"] > 50
        assert page.locator(f"{figure} figcaption").first.is_visible()
    # The title is there once; the answers are at the end, and gone on the screen.
    titles = page.locator("h1", has_text="Transformers")
    assert [title.is_visible() for title in titles.all()].count(True) == 1
    answers = page.locator(".printed-answers")
    expect(answers.locator("> ol > li")).to_have_count(questions)
    assert answers.get_by_text("Right.", exact=True).count() == questions
    assert answers.get_by_text("Not this one.", exact=True).count() == choices - questions
    assert page.evaluate("new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size") == (
        page.locator("[id]").count()
    )
    page.emulate_media(media="screen")
    expect(answers).to_have_count(0)


# What remains of the theme's own faults, each with its reason. It is empty: the others are mended
# by _static/accessible.js. Another entry is (rule, page or None for all, reason).
KNOWN: list[tuple[str, str | None, str]] = []


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("index.html", "light"),
        ("index.html", "dark"),
        (CHAPTER, "light"),
        (CHAPTER, "dark"),
        ("book/appendix/instructors.html", "dark"),
        ("search.html", "light"),
        (REVIEW, "light"),
    ],
)
def test_axe_finds_nothing_serious(
    browser: Browser, site: Site, screenshots: Any, name: str, mode: str
) -> None:
    script = ROOT / "node_modules" / "axe-core" / "axe.min.js"
    assert script.is_file(), "axe-core is missing: run `npm ci`"
    context = browser.new_context(color_scheme=mode, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(site.url + name)
    settle(page)
    screenshots.keep(page, f"{name}-{mode}")
    if page.locator("fieldset.question").count():
        page.locator("fieldset.question input").first.check()
    page.add_script_tag(path=script)
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    context.close()
    assert found["testEngine"]["name"] == "axe-core"
    known = {rule for rule, where, _ in KNOWN if where in (None, name)}
    faults = [
        (violation["id"], [node["html"][:120] for node in violation["nodes"]])
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical") and violation["id"] not in known
    ]
    assert faults == []


def test_every_page_fits_a_telephone(browser: Browser, site: Site, screenshots: Any) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740})
    page = context.new_page()
    wide = []
    for name in (name for name in site.pages if not name.startswith("_")):
        page.goto(site.url + name)
        settle(page)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > 360:
            wide.append((name, width))
        # Letters stay large enough to read.
        sizes = page.evaluate(
            "[...document.querySelectorAll('article p')]"
            ".map(e => parseFloat(getComputedStyle(e).fontSize))"
        )
        assert all(size >= 14 for size in sizes), name
        if name in ("index.html", CHAPTER):
            screenshots.keep(page, f"{name}-360")
    context.close()
    assert wide == []


def test_focus_can_be_seen(opened: Callable[[str], Page]) -> None:
    page = opened(CHAPTER)
    unseen = []
    for _ in range(25):
        page.keyboard.press("Tab")
        outline = page.evaluate(
            "(() => { const e = document.activeElement, s = getComputedStyle(e);"
            " return [e.outerHTML.slice(0, 80), s.outlineStyle, parseFloat(s.outlineWidth),"
            " s.boxShadow]; })()"
        )
        if (outline[1] == "none" or outline[2] < 1) and outline[3] == "none":
            unseen.append(outline)
    assert unseen == []
