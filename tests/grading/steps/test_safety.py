"""What a student displays, writes or raises does not act in the reader's browser."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import nbformat
import pytest
import small_course as small
from nbconvert.exporters import HTMLExporter

from course_lib import grading
from course_lib.grading.pages.markup import safe_html

# Each of these, if it runs, leaves its name in the page.
DISPLAYS = (
    r"""
from IPython.display import display

def act(name):
    return f"(window.ran = window.ran || []).push('{name}')"

def show(**bundle):
    display({kind.replace("__", "/").replace("_", "+"): value for kind, value in bundle.items()}
            | {"text/plain": "-"}, raw=True)

show(text__html=f"<script>{act('script')}</script><b>bold</b>")
show(text__html=f"<img src=x onerror=\"{act('onerror')}\">")
show(text__html=f"<svg onload=\"{act('svg in html')}\"><script>{act('svg script')}</script></svg>")
show(text__html=f"<iframe srcdoc=\"<script>parent.{act('iframe')[7:]}</script>\"></iframe>")
show(text__html=f"<a id=js href=\"javascript:{act('link')}\">click</a>")
show(text__html=f"<style>@import url(https://evil.example/style.css)</style>")
show(text__html="<img src=https://evil.example/pixel.png>")
show(text__html="<meta http-equiv=refresh content='0;url=https://evil.example/'>")
show(text__html="<form action=https://evil.example/><button id=send>Continue</button></form>")
show(text__html="</div></div></main></body><script>" + act("broken out") + "</script>")
show(text__html="<table><tr><td style='color: red; position: fixed'>kept</td></tr></table>")
show(image__svg_xml=f"<svg xmlns='http://www.w3.org/2000/svg'><script>{act('svg')}</script></svg>")
show(application__javascript=act("javascript"))
show(text__markdown=f"*leaning* <script>{act('markdown')}</script>")
show(text__latex=f"$x$ <script>{act('latex')}</script>")
show(text__latex=r"$\href{javascript:push('href')}{x}$", text__html="<b>href</b>")
show(text__latex=f"$\\text{{<img src=x onerror={act('formula')}>}}$")
show(text__latex=r"$\frac{1}{2}$")
show(image__png=f"\"><script>{act('png')}</script>")
display({"text/html": f"<script>{act('isolated')}</script>", "text/plain": "-"}, raw=True,
        metadata={"text/html": {"isolated": True}})
display({"image/png": "iVBORw0KGgo=", "text/plain": "-"}, raw=True,
        metadata={"image/png": {"width": f"1><script>{act('width')}</script>"}})
print(f"<script>{act('print')}</script>")
"""
    + small.TOTAL
)

RAISES = """
def mean(numbers):
    text = "<script>(window.ran = window.ran || []).push('raised')</script>"
    raise type(text, (Exception,), {})(text)
"""

WRITES = """
Because of *overflow*, where $a < b$ and `x < y`.

<script>(window.ran = window.ran || []).push('answer')</script>
<img src=x onerror="(window.ran = window.ran || []).push('answer image')">

[a link](javascript:(window.ran=window.ran||[]).push('answer-link')) and [a good
one](https://docs.python.org)

![pixel](https://evil.example/answer.png)

$\\href{javascript:(window.ran=window.ran||[]).push('href')}{x}$
$\\text{<img src=x onerror="(window.ran=window.ran||[]).push('text')">}$
![$\\text{" onerror="(window.ran=window.ran||[]).push('alt')" x="}$](data:image/png;base64,A)
"""


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unsafe")
    small.build(folder)
    grading.release([small.SLUG], folder)
    notebook = small.answered(folder, total=DISPLAYS, mean=RAISES, why=WRITES)
    attack = "x\"><script>(window.ran = window.ran || []).push('metadata')</script>"
    for cell in notebook.cells:
        cell.metadata["tags"] = [attack]
    extra = nbformat.v4.new_markdown_cell("An extra cell.")
    extra.metadata["nbgrader"] = {"grade": True, "solution": True, "grade_id": attack}
    notebook.cells.append(extra)
    notebook.metadata["title"] = attack
    small.hand_in(folder, "mallory", notebook)
    report = grading.grade(small.SLUG, folder)
    assert report["mallory"].points()["test-total"] == 3
    assert not report["mallory"].failed
    return folder


#: Why a page's requests end: for this reason, unlike others, it is not replaced by another page.
NOT_GOING = "aborted"


#: How long to wait for what a page runs: for what must come, and, where nothing may come, for what
#: would be late. Milliseconds.
WITHIN, LATE = 300_000, 1_000


def look(
    browser: Any, page_file: Path, wanted: Collection[str] = ()
) -> tuple[list[str], list[str], str]:
    """Open a page, click what there is to click; return what ran, what was fetched, its text.

    Nothing orders what a page says of itself: a script may run after a later one, and be heard
    later still. So what is ``wanted`` is waited for, and the rest is given a moment.
    """
    context = browser.new_context()
    ran: list[str] = []
    fetched: list[str] = []
    context.expose_function("report", lambda name: ran.append(name))
    context.add_init_script("window.ran = {push: name => window.report(name)}")
    page = context.new_page()
    # Nothing is fetched in tests: what a page asks for is noted, and refused.
    page.route(
        "http*://**", lambda route: (fetched.append(route.request.url), route.abort(NOT_GOING))
    )
    page.goto(page_file.as_uri(), wait_until="load")
    text = page.locator("body").inner_text() if page.url == page_file.as_uri() else ""
    for link in page.locator("a[href^='javascript' i]").all():
        link.click(timeout=WITHIN)
    # A page that runs nothing could say so: this is heard.
    page.evaluate("() => window.report('the end')")
    for _ in range(WITHIN // LATE):
        page.wait_for_timeout(LATE)
        if {"the end", *wanted} <= set(ran):
            break
    context.close()
    ran.remove("the end")
    return ran, fetched, text


OURS = "from course_lib.grading.course.config import configure\nc = get_config()\nconfigure(c)\n"


def formgrader_page(
    folder: Path, to: Path, monkeypatch: pytest.MonkeyPatch, configuration: str = OURS
) -> Path:
    """Return the page that the formgrader shows of the submission, made as it makes it."""
    from nbgrader.server_extensions.formgrader.formgrader import FormgradeExtension

    (folder / "nbgrader_config.py").write_text(configuration)
    monkeypatch.chdir(folder)
    extension = FormgradeExtension()
    extension.initialize([], root=str(folder))
    notebook = folder / "autograded" / "mallory" / small.SLUG / f"{small.SLUG}.ipynb"
    resources = {
        "assignment_id": small.SLUG,
        "notebook_id": small.SLUG,
        "submission_id": "1",
        "index": 0,
        "total": 1,
        "base_url": "",
        "student": "mallory",
        "last_name": None,
        "first_name": None,
        "notebook_path": "",
    }
    html, _ = HTMLExporter(config=extension.config).from_filename(str(notebook), resources)
    to.write_text(html, encoding="utf-8")
    return to


@pytest.mark.slow
@pytest.mark.browser
def test_the_feedback_page_runs_nothing(graded: Path, browser: Any) -> None:
    (page,) = grading.feedback(small.SLUG, graded)["mallory"]
    ran, fetched, text = look(browser, page)
    assert ran == []
    assert fetched == []
    # What is harmless is there.
    for kept in ("bold", "kept", "leaning", "and x < y", "a good one"):
        assert kept in text
    html = page.read_text(encoding="utf-8")
    assert "<mi>a</mi><mo>&lt;</mo><mi>b</mi>" in html
    assert "<mfrac><mn>1</mn><mn>2</mn></mfrac>" in html
    assert '<td style="color:red">kept</td>' in html
    assert "data:image/svg+xml;base64," in html
    assert 'href="https://docs.python.org"' in html


@pytest.mark.slow
@pytest.mark.browser
def test_the_formgraders_page_runs_nothing_of_the_students(
    graded: Path, browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = formgrader_page(graded, tmp_path / "formgrader.html", monkeypatch)
    ran, fetched, text = look(browser, page)
    assert ran == []
    assert [url for url in fetched if "evil" in url] == []
    assert "kept" in text


@pytest.mark.slow
@pytest.mark.browser
def test_the_attacks_do_run_on_an_unprotected_page(
    graded: Path, browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = formgrader_page(graded, tmp_path / "stock.html", monkeypatch, "c = get_config()\n")
    attacks = {"script", "onerror", "answer", "answer image", "answer-link", "markdown"}
    ran, fetched, _ = look(browser, page, attacks)
    assert attacks <= set(ran)
    assert any("evil" in url for url in fetched)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("<b>x</b>", "<b>x</b>"),
        ("<script>alert(1)</script>x", "x"),
        ("<SCRIPT\n>alert(1)</SCRIPT >x", "x"),
        ("<style>b { color: red }</style>x", "x"),
        ("<script>alert(1)", ""),
        ("<scr<script></script>ipt>alert(1)</script>", "ipt&gt;alert(1)"),
        (
            '<a href="https://python.org" onclick="alert(1)">x</a>',
            '<a href="https://python.org" rel="noopener noreferrer">x</a>',
        ),
        ('<img src="data:image/png;base64,AAAA">', '<img src="data:image/png;base64,AAAA">'),
        ('<img src="data:text/html,x">', "<img>"),
        ('<p style="border-right: 1px; font-weight: 7">x</p>', None),
        ("<math><mtext><img src=x onerror=alert(1)></mtext></math>", ""),
        ('<a href=" javascript:alert(1)">x</a>', '<a rel="noopener noreferrer">x</a>'),
        ('<a href="data:text/html,x">x</a>', '<a rel="noopener noreferrer">x</a>'),
        ('<img src="https://evil.example/x.png" alt="y">', '<img alt="y">'),
        ('<p style="color: red; background-image: url(x)">x</p>', '<p style="color:red">x</p>'),
        # What would lie over the points at the head of the page.
        ('<p style="margin-top: -900px; color: red; height: 0; line-height: 0">x</p>', "RED"),
        ('<p style="font-size: 900px; vertical-align: 9em; color: red; margin: -1em">x</p>', "RED"),
        ('<p class="navbar-fixed-top" style="color:red">x</p>', "RED"),
        ('<table class="dataframe panel"><tbody></tbody></table>', "TABLE"),
        ("a < b & c", "a &lt; b &amp; c"),
    ],
)
def test_safe_html(text: str, safe: str | None) -> None:
    # None: it is safe as it is, but for how it is spaced.
    wanted = text.replace(": ", ":").replace("; ", ";") if safe is None else safe
    wanted = {
        "RED": '<p style="color:red">x</p>',
        "TABLE": '<table class="dataframe"><tbody></tbody></table>',
    }.get(wanted, wanted)
    assert safe_html(text) == wanted
