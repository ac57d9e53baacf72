"""The feedback page: what a student gets to see of points, errors and formulas, anywhere."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import pytest
import small_course as small
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output

from course_lib import grading
from course_lib.grading.pages import feedback, markup, renderer
from course_lib.grading.pages.feedback import REMOVED, MaskHiddenTests, failure_message

ROOT = Path(__file__).resolve().parents[3]

DRAWS = r"""
%matplotlib inline
import matplotlib.pyplot as plt
from IPython.display import Markdown, Math, display
display(Math(r"\hat y = \sigma(w \cdot x)"), Markdown("The slope is $a(1-a)$."))
plt.plot([1, 2])
plt.show()
"""

FAILS = """\
import numpy as np

def mean(numbers):
    return np.linalg.inv(np.zeros((2, 2)))

mean([1])"""

WRITES = r"""
The sum $\sum_{i=1}^n x_i$ overflows above $2^{63} - 1$:

$$\begin{aligned} s &= x_1 + \dots + x_n \\ &\approx 10^{19} \end{aligned}$$

| a | b |
|---|---|
| 1 | $\unknown{2}$ |
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a student with a picture, formulas, an error and lost points."""
    folder = tmp_path_factory.mktemp("feedback")
    small.build(folder)
    grading.release([small.SLUG], folder)
    answers = {"total": DRAWS + small.TOTAL, "mean": FAILS, "why": WRITES}
    small.hand_in(folder, "ann", small.answered(folder, **answers))
    report = grading.grade(small.SLUG, folder)
    assert list(report["ann"].points().values()) == [3, 0, 0, 0]
    (page,) = grading.feedback(small.SLUG, folder)["ann"]
    # Students get the file, and nothing beside it.
    alone = tmp_path_factory.mktemp("alone") / "sums.html"
    alone.write_bytes(page.read_bytes())
    return alone


@pytest.mark.slow
@pytest.mark.browser
def test_the_page_needs_nothing_but_itself(page: Path, browser: Any) -> None:
    shown = browser.new_page()
    asked: list[str] = []
    said: list[str] = []
    shown.on("request", lambda request: asked.append(request.url))
    shown.on("console", lambda message: said.append(message.text))
    shown.goto(page.as_uri(), wait_until="networkidle")
    assert [url for url in asked if not url.startswith("data:image/")] == [page.as_uri()]
    assert said == []
    assert shown.evaluate("[...document.images].map(i => i.naturalWidth > 100)") == [True]
    assert shown.evaluate("document.scripts.length") == 0
    # Every formula is drawn, and what cannot be is shown as it was written.
    sizes = shown.evaluate(
        "[...document.querySelectorAll('math')].map(m => m.getBoundingClientRect().height)"
    )
    assert len(sizes) == 5
    assert min(sizes) > 5
    assert shown.locator("code", has_text="unknown").inner_text() == r"$\unknown{2}$"
    texts = " ".join(shown.locator(".rendered_html").all_inner_texts())
    assert "$" not in texts.replace(r"$\unknown{2}$", "")
    shown.close()


@pytest.mark.slow
@pytest.mark.browser
def test_a_page_that_somebody_tampered_with_runs_and_fetches_nothing(
    page: Path, browser: Any, tmp_path: Path
) -> None:
    """What the page allows itself holds even where something slipped through."""
    evil = (
        "<script>document.title = 'ran'</script><img src=x onerror=\"document.title = 'ran'\">"
        "<img src=https://evil.example/x.png><iframe src=https://evil.example/></iframe>"
    )
    path = tmp_path / "evil.html"
    path.write_text(page.read_text(encoding="utf-8").replace("</main>", f"{evil}</main>"))
    shown = browser.new_page()
    left: list[str] = []
    shown.route("http*://**", lambda route: (left.append(route.request.url), route.abort()))
    shown.goto(path.as_uri(), wait_until="load")
    shown.wait_for_timeout(200)
    assert shown.title() == "sums"
    assert left == []
    shown.close()


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 380])
def test_axe_finds_nothing_serious(page: Path, browser: Any, width: int) -> None:
    script = ROOT / "node_modules" / "axe-core" / "axe.min.js"
    assert script.is_file(), "axe-core is missing: run `npm ci`"
    context = browser.new_context(bypass_csp=True, viewport={"width": width, "height": 800})
    shown = context.new_page()
    shown.goto(page.as_uri(), wait_until="load")
    shown.add_script_tag(path=str(script))
    found = shown.evaluate("axe.run({resultTypes: ['violations']})")
    assert found["testEngine"]["name"] == "axe-core"
    serious = [
        f"{v['id']}: {node['html'][:150]}"
        for v in found["violations"]
        if v["impact"] in ("serious", "critical")
        for node in v["nodes"]
    ]
    assert serious == []
    wide = shown.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0, f"the page is {wide} pixels wider than its window"
    context.close()


@pytest.mark.slow
def test_each_lost_point_says_why(page: Path) -> None:
    html = page.read_text(encoding="utf-8")
    rows = html.split("<tbody>")[1].split("</tbody>")[0].split("<tr")[1:]
    assert len(rows) == 4
    assert "LinAlgError: Singular matrix" in rows[1]
    assert "LinAlgError: Singular matrix" in rows[2]
    assert "not marked yet" in rows[3]


@pytest.mark.slow
def test_stack_traces_are_the_students_own_lines(page: Path) -> None:
    html = page.read_text(encoding="utf-8")
    assert "line 6 in &lt;module&gt;: mean([1])" in html
    assert "line 4 in mean: return np.linalg.inv(np.zeros((2, 2)))" in html
    for foreign in ("site-packages", "_raise_linalgerror", "engine/", "4242"):
        assert foreign not in html


def test_what_kernels_say_is_trimmed_too() -> None:
    frames = [
        "\x1b[31m----\x1b[39m",
        "\x1b[31mLinAlgError\x1b[39m     Traceback (most recent call last)",
        "\x1b[36mCell\x1b[39m\x1b[36m \x1b[39m\x1b[32mIn[2]\x1b[39m, line 6\n----> 6 mean([1])",
        "\x1b[36mFile \x1b[39m\x1b[32m~/.venv/lib/site-packages/numpy/linalg.py:561\x1b[39m",
        "File /usr/lib/python3.11/json/decoder.py:355, in raw_decode",
        "File ~/sums/helper.py:3, in help_me",
        "LinAlgError: Singular matrix",
    ]
    cell = new_code_cell("mean([1])")
    cell.outputs = [new_output("error", ename="LinAlgError", evalue="", traceback=list(frames))]
    MaskHiddenTests().preprocess(new_notebook(cells=[cell]), {"nbgrader": {}})
    assert cell.outputs[0].traceback == [*frames[:3], *frames[5:]]


def test_hidden_tests_are_masked_where_something_quotes_them() -> None:
    secret = "assert total([-17, 4242]) == 4225"
    test = new_code_cell(
        f"assert total([1]) == 1\n### BEGIN HIDDEN TESTS\n{secret}\n### END HIDDEN TESTS"
    )
    quoted = f"what follows failed:\n  {secret}, 'why'\nand so on"
    test.outputs = [
        new_output("stream", text=quoted),
        new_output("error", ename="ValueError", evalue=quoted, traceback=[quoted]),
    ]
    later = new_code_cell("print(caught)")
    later.outputs = [
        new_output("stream", text=quoted),
        new_output("error", ename="KeyError", evalue=quoted, traceback=["above", quoted]),
        new_output("display_data", data={"text/html": quoted, "text/plain": quoted}),
    ]
    resources: dict[str, Any] = {"nbgrader": {}}
    page, resources = MaskHiddenTests().preprocess(new_notebook(cells=[test, later]), resources)
    assert "4242" not in str(page) + str(resources)
    assert "and so on" in test.outputs[0].evalue
    assert REMOVED in later.outputs[0].text
    assert "assert total([1]) == 1" in test.source


def test_a_message_leaves_room_for_others() -> None:
    error = new_output("error", ename="ValueError", evalue="z" * 10_000, traceback=[])
    assert len(failure_message(NotebookNode(outputs=[error]))) < 2100


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        (r"a < b", "<mo>&lt;</mo>"),
        (r"\text{<script>}", "&lt;script&gt;"),
        (r"\text{\"x\"}", ""),
        (r"\begin{split} a &= b \end{split}", "<mtable"),
        (r"x = 1 \label{eq:x}", "<mn>1</mn>"),
        (r"\mbox{if } x", "<mtext>if"),
        (r"\color{red}{x}", "#FF0000"),
        (r"\operatorname{softmax}(z)", "<mi>softmax</mi>"),
    ],
)
def test_formulas_become_mathml(text: str, holds: str) -> None:
    made = markup.formula(text)
    assert made is not None
    assert made.startswith("<math>")
    assert holds in made


@pytest.mark.parametrize(
    "text",
    [
        r"\href{javascript:alert(1)}{x}",
        r"\style{color: url(https://evil.example)}{x}",
        r"\class{x}{y}",
        r"\unknown{x}",
        r"x_{",
        r"\def\x{\x\x}\x",
        r"\include{/etc/passwd}",
    ],
)
def test_what_is_no_formula_stays_text(text: str) -> None:
    assert markup.formula(text) is None
    shown = renderer.markdown(f"${text}$")
    assert "<math" not in shown
    assert "<script" not in shown


@pytest.mark.parametrize(
    "made",
    [
        "<math><script>x</script></math>",
        '<math><mi onclick="x">x</mi></math>',
        '<math><mi href="javascript:x">x</mi></math>',
        '<math><mi style="background: url(x)">x</mi></math>',
        "<math><mi>x</math>",
        "<p>x</p>",
    ],
)
def test_what_a_converter_should_not_make_is_refused(
    made: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Converter:
        def convert_with_local_state(self, latex: str, *, displaystyle: bool) -> str:
            return made

    monkeypatch.setattr(markup, "_converter", Converter)
    assert markup.formula("x") is None


@pytest.mark.slow
def test_a_text_that_loops_or_crashes_costs_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    maker = renderer._Maker()
    monkeypatch.setattr(renderer, "_maker", maker)
    assert "<mi>x</mi>" in renderer.markdown("$x$ first")
    ask = maker.ask

    def ask_quickly(function: str, text: str, *rest: Any) -> Any:
        """What loops has a second; what does not, as long as the machine takes."""
        loops = rest[-1:] != (False,) and "short" not in text
        monkeypatch.setattr(renderer, "LIMIT", 1.0 if loops else 60.0)
        return ask(function, text, *rest)

    monkeypatch.setattr(maker, "ask", ask_quickly)
    # Without its formula a text is still Markdown.
    assert renderer.markdown(f"*a* ${'[' * 60}$").startswith("<p><em>a</em> <code>$[[")
    assert renderer.markdown(f"*b* ${'{' * 19_000}$").startswith("<p><em>b</em> <code>${{")
    # As text, nothing is lost of it. So many marks are not even tried.
    slow = "\\\\[" * 50_000
    lost = maker._process
    assert renderer.markdown(slow) == f"<pre>{slow}</pre>"
    assert maker._process is lost
    assert renderer.safe_html("<b>" + "x" * renderer.LONGEST).startswith("<pre>&lt;b&gt;xxx")
    # Somebody who writes many of them is not waited for each time, and nobody else has to wait.
    renderer._page.spent = 1e9
    assert renderer.markdown("*short* of a page that is over") == (
        "<pre>*short* of a page that is over</pre>"
    )
    assert renderer.safe_html("<b>short") == "<pre>&lt;b&gt;short</pre>"
    assert renderer.latex_output("$short$") is None
    assert renderer.colored("\x1b[31mred\x1b[0m <") == "red &lt;"
    renderer.begin_page()
    assert renderer.markdown("*short* of a page that is over").startswith("<p><em>short</em>")
    assert "<mfrac>" in renderer.markdown(r"$\frac{1}{2}$ short")
    process = maker._process
    assert process is not None
    maker.close()
    assert process.poll() is not None


def test_colors_take_no_time_that_grows_with_their_square(monkeypatch: pytest.MonkeyPatch) -> None:
    assert renderer.colored("\x1b[31mred\x1b[0m <") == '<span class="ansi-red-fg">red</span> &lt;'
    monkeypatch.setattr(renderer, "ansi2html", None)
    assert renderer.colored("\x1b[31ma\x1b[0m<" * 40_000) == "a&lt;" * 40_000
    assert renderer.colored("<\x1b[" + "0;" * 200 + "mred") == "&lt;red"


def test_a_cell_without_end_is_shown_without_colors() -> None:
    source = "x = '<'\n" * 20_000
    made = feedback._colored("ipython3", source)
    assert made == f'<div class="highlight"><pre>{html.escape(source)}</pre></div>'
    assert '<span class="' in feedback._colored("ipython3", "x = 1")


def test_a_formula_ends_no_attribute() -> None:
    shown = markup.markdown('![a $\\text{" onerror="x}$](data:image/png;base64,AAAA)', {})
    assert shown.count("<img") == 1
    assert "<math" not in shown
    assert 'onerror="' not in shown


def test_outputs_that_are_a_formula() -> None:
    assert markup.latex_output(r"$\displaystyle x$") is not None
    assert 'display="block"' in (markup.latex_output("$$x$$") or "")
    assert markup.latex_output(r"\begin{align}a&=b\end{align}") is not None
    assert markup.latex_output("$x$ and $y$") is None
    assert markup.latex_output("x") is None
