"""The small Sphinx extensions of the book, each on a project of one page."""

import io
import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from bs4 import BeautifulSoup
from PIL import Image
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import docutils_namespace, patch_docutils

from course_lib.book.review import questions_in
from course_lib.book.site import build_site, site_path
from course_lib.book.sources import lines_of, source_page
from course_lib.book.weight import names_in_page, prune, with_icons


@pytest.fixture
def source(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    source.mkdir()
    (source / "index.md").write_text("# A page\n\nIts text.\n")
    return source


def build(source: Path, extension: str, **settings: object) -> tuple[int, str]:
    """Build with warnings as errors; return the status and what Sphinx said."""
    (source / "conf.py").write_text(
        "extensions = ['myst_parser', 'sphinx.ext.autodoc', 'sphinx.ext.napoleon',"
        f" 'course_lib.book.{extension}']\nautodoc_default_options = {{'members': True}}\n"
        "html_theme = 'basic'\nexclude_patterns = ['_build', 'node_modules']\n"
        + "".join(f"{name} = {value!r}\n" for name, value in settings.items())
    )
    out = source / "_build"
    said = io.StringIO()
    with patch_docutils(str(source)), docutils_namespace():
        app = Sphinx(
            str(source),
            str(source),
            str(out / "html"),
            str(out / "doctrees"),
            "html",
            status=said,
            warning=said,
            warningiserror=True,
            keep_going=True,
        )
        app.build()
    return app.statuscode, said.getvalue()


def run_page(source: Path, result: str) -> None:
    """Pretend that the page's notebook was run."""
    path = source / "_build" / "executed" / "index.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"result": result}))


def test_a_page_is_read_again_when_its_outputs_changed(source: Path) -> None:
    run_page(source, "1")
    build(source, "executed")
    assert "0 added, 0 changed" in build(source, "executed")[1]
    run_page(source, "2")
    assert "0 added, 1 changed" in build(source, "executed")[1]
    assert "0 added, 0 changed" in build(source, "executed")[1]


def test_running_a_page_to_the_same_end_reads_nothing(source: Path) -> None:
    run_page(source, "1")
    build(source, "executed")
    run_page(source, "1")
    assert "0 added, 0 changed" in build(source, "executed")[1]


def test_a_page_that_was_never_run_is_read_once(source: Path) -> None:
    build(source, "executed")
    assert "0 added, 0 changed" in build(source, "executed")[1]
    run_page(source, "1")
    assert "0 added, 1 changed" in build(source, "executed")[1]


def test_a_warning_fails_the_build_until_it_is_mended(source: Path) -> None:
    (source / "index.md").write_text("# A page\n\n[Nowhere](#nowhere)\n")
    for _ in range(2):
        status, said = build(source, "executed")
        assert status == 1
        assert "nowhere" in said
    (source / "index.md").write_text("# A page\n")
    assert build(source, "executed")[0] == 0


@pytest.fixture
def rooms(source: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package `house` with a room, and a page that lists its rooms."""
    folder = source.parent / "house"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "kitchen.py").write_text(
        '"""Where it is warm."""\ndef cook():\n    """Make tea."""\n'
    )
    (folder / "_cellar.py").write_text('"""Nobody goes there."""\n')
    (source / "index.md").write_text("# A page\n\n```{eval-rst}\n.. modules:: house\n```\n")
    monkeypatch.syspath_prepend(str(source.parent))
    yield folder
    for name in [name for name in sys.modules if name.split(".")[0] == "house"]:
        del sys.modules[name]


def test_a_package_is_listed_module_by_module(source: Path, rooms: Path) -> None:
    assert build(source, "library")[0] == 0
    page = (source / "_build" / "html" / "index.html").read_text()
    assert 'id="house.kitchen.cook"' in page and "Make tea." in page
    assert "_cellar" not in page


def test_a_new_module_appears_without_an_edit(source: Path, rooms: Path) -> None:
    build(source, "library")
    assert "0 added, 0 changed" in build(source, "library")[1]
    (rooms / "attic.py").write_text('"""Where it is dry."""\ndef dry():\n    """Hang up."""\n')
    assert "0 added, 1 changed" in build(source, "library")[1]
    page = (source / "_build" / "html" / "index.html").read_text()
    assert page.index("house.attic.dry") < page.index("house.kitchen.cook")


# Formulas -----------------------------------------------------------------------------------------

FORMULAS = {"myst_enable_extensions": ["dollarmath", "amsmath"], "html_math_renderer": "formulas"}


@pytest.fixture
def mathjax(source: Path, root: Path) -> Path:
    """Lend the project the MathJax of the book; return where its files come to lie."""
    assert (root / "node_modules" / "mathjax").is_dir(), "MathJax is missing: run `npm ci`"
    (source / "node_modules").symlink_to(root / "node_modules")
    return source / "_build" / "html" / "_static"


def test_formulas_are_set_in_the_page_and_their_characters_remembered(
    source: Path, mathjax: Path
) -> None:
    def characters(font: str) -> set[int]:
        from fontTools.ttLib import TTFont

        with TTFont(mathjax / "formulas" / font) as opened:
            return set(opened.getBestCmap())

    text = "# A page\n\nHalf of $x_1$:\n\n$$\\frac{x}{2} \\\\ y$$ (half)\n\nSee {eq}`half`.\n"
    (source / "index.md").write_text(text)
    status, said = build(source, "formulas", **FORMULAS)
    assert status == 0, said
    page = (source / "_build" / "html" / "index.html").read_text()
    inline, block = re.findall(r"<mjx-container.*?</mjx-container>", page, re.DOTALL)
    assert "<msub><mi>x</mi><mn>1</mn></msub>" in inline and 'display="true"' in block
    assert "<mtable" in block, "two lines stand below each other, as Sphinx has them"
    assert 'id="equation-half"' in page and '<span class="eqno">(1)' in page
    assert "tex-mml" not in page and "window.MathJax" not in page
    style = (mathjax / "formulas.css").read_text()
    assert 'content: "2"' in style and 'content: "z"' not in style
    fonts = set(re.findall(r"formulas/([\w-]+\.woff)", style))
    assert fonts == {path.name for path in (mathjax / "formulas").glob("*.woff")} - {
        "MathJax_Zero.woff"
    }
    assert not any("Fraktur" in name for name in fonts)
    assert ord("x") in characters("MathJax_Math-Italic.woff")
    assert ord("z") not in characters("MathJax_Math-Italic.woff")

    # The next build asks for what is new alone, and has the old in its style sheet all the same.
    (source / "index.md").write_text("# A page\n\nNow $z$.\n")
    assert build(source, "formulas", **FORMULAS)[0] == 0
    assert {ord("x"), ord("z")} <= characters("MathJax_Math-Italic.woff")
    style = (mathjax / "formulas.css").read_text()
    assert 'content: "2"' in style and 'content: "z"' in style
    # And one that has nothing new does not need Node.
    before = (source / "_build" / "doctrees" / "formulas.json").stat().st_mtime_ns
    assert "0 added, 0 changed" in build(source, "formulas", **FORMULAS)[1]
    assert (source / "_build" / "doctrees" / "formulas.json").stat().st_mtime_ns == before


def test_a_wrong_formula_fails_the_build_with_its_line(source: Path, mathjax: Path) -> None:
    (source / "index.md").write_text("# A page\n\nNone $x$.\n\nOne $\\frob$.\n\n$$\\frac{1$$\n")
    status, said = build(source, "formulas", **FORMULAS)
    assert status == 1
    assert "index.md:5: WARNING: The formula '\\frob' cannot be set: Undefined control" in said
    assert "index.md:7: WARNING: The formula '\\frac{1' cannot be set: Missing close brace" in said


def test_missing_mathjax_says_what_to_run(source: Path) -> None:
    with pytest.raises(ExtensionError, match="npm ci"):
        build(source, "formulas")


# What pages weigh ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("css", "kept"),
    [
        (".a{x:1}.b{x:2}", ".a{x:1}"),
        (".a .b,.a>#c{x:1}", ".a>#c{x:1}"),
        (".a:not(.b):hover::before{x:1}", ".a:not(.b):hover::before{x:1}"),
        ("p,my-element i{x:1}", "p{x:1}"),
        ("@media print{.b{x:1}}@media print{.a{x:1}.b{x:2}}", "@media print{.a{x:1}}"),
        ("/*! license *//* note */.a{x:1;\n  y:2}", "/*! license */\n.a{x:1; y:2}"),
        (".bs-tooltip-auto.a{x:1}", ".bs-tooltip-auto.a{x:1}"),
        (
            '@font-face{font-family:"F";x:1}.a{font-family:F}',
            '@font-face{font-family:"F";x:1}\n.a{font-family:F}',
        ),
        ('@font-face{font-family:"F";x:1}.b{font-family:F}', ""),
        ("@keyframes turn{to{x:1}}", "@keyframes turn{to{x:1}}"),
    ],
)
def test_rules_that_nothing_can_match_go(css: str, kept: str) -> None:
    assert prune(css, names_in_page('<p class="a d" id="c">')).strip() == kept


def test_icons_are_drawn_into_the_page_once(source: Path) -> None:
    page = (
        "<body data-x>\n<i class='none'></i>"
        '<i class="theme-switch fa-solid fa-sun   fa-lg" data-mode="light"></i>'
        '<i class="fas fa-bars"></i><i class="fa-solid fa-bars"></i>'
    )
    drawn = with_icons(page)
    assert drawn.count("<symbol") == 2 and drawn.count("<path") == 2
    assert drawn.count('<use href="#icon-fas-bars"/>') == 2
    [sun] = re.findall(r'<svg class="svg-inline--fa theme-switch fa-sun fa-lg"[^>]*>', drawn)
    assert 'data-mode="light"' in sun and 'aria-hidden="true"' in sun
    assert with_icons(drawn) == drawn, "what was built is looked at again in the next build"
    with pytest.raises(ExtensionError, match="fa-no-such"):
        with_icons('<i class="fa-solid fa-no-such"></i>')


def test_images_say_their_size_and_style_sheets_follow_what_changes(source: Path) -> None:
    (source / "a.svg").write_text('<?xml version="1.0"?>\n<svg width="72pt" height="36pt"/>')
    Image.new("RGB", (30, 20)).save(source / "b.png")
    (source / "c.svg").write_text('<svg viewBox="0 0 1 1"/>')
    (source / "index.md").write_text("# A page\n\n![A](a.svg) ![B](b.png) ![C](c.svg)\n")
    (source / "_static").mkdir()
    sheet = source / "_static" / "own.css"
    sheet.write_text(".document{color:red}.no-such{color:blue}")
    settings = {"html_static_path": ["_static"], "html_css_files": ["own.css"]}
    status, said = build(source, "weight", **settings)
    assert status == 0, said
    site = source / "_build" / "html"
    page = (site / "index.html").read_text()
    sizes = dict(re.findall(r'<img (?:width="(\d+" height="\d+)" )?[^>]*alt="([ABC])"', page))
    assert sizes == {'96" height="48': "A", '30" height="20': "B", "": "C"}
    assert (site / "_static" / "own.css").read_text() == ".document{color:red}\n"
    # A style sheet that changes is copied and gets another address, although no page has changed.
    [address] = re.findall(r"own\.css\?v=\w+", page)
    sheet.write_text(".document{color:green}")
    assert "0 added, 0 changed" in build(source, "weight", **settings)[1]
    assert "green" in (site / "_static" / "own.css").read_text()
    [other] = re.findall(r"own\.css\?v=\w+", (site / "index.html").read_text())
    assert other != address


# The search ---------------------------------------------------------------------------------------


def searched(source: Path) -> dict[str, Any]:
    """What the search of a built project knows."""
    text = (source / "_build" / "html" / "searchindex.js").read_text()
    return json.loads(text[text.index("(") + 1 : text.rindex(")")])


def test_the_search_knows_as_much_after_an_incremental_build_as_after_a_whole_one(
    source: Path,
) -> None:
    (source / "index.md").write_text("# A page\n\n```{toctree}\nother\nterms\n```\n")
    (source / "other.md").write_text(
        "# Another\n\n```{index} pair: gradient; descent\n```\n\nIt.\n"
    )
    (source / "terms.md").write_text(
        "# Terms\n\n```{eval-rst}\n.. glossary::\n\n   logit\n      What softmax takes.\n\n"
        "   epoch\n      A pass.\n\n.. index:: single: loss; of a batch\n   see: cost; loss\n\n"
        ".. py:function:: fit(x)\n\n   Fit.\n```\n"
    )
    status, said = build(source, "search_index")
    assert status == 0, said
    before = searched(source)
    assert {"logit", "epoch", "loss", "of a batch", "cost", "gradient"} <= set(
        before["indexentries"]
    )
    with (source / "other.md").open("a") as page:
        page.write("\nNow with a *sentence* about zebras.\n")
    assert "0 added, 1 changed, 0 removed" in build(source, "search_index")[1]
    after = searched(source)
    assert "zebra" in after["terms"] and after["indexentries"] == before["indexentries"]
    shutil.rmtree(source / "_build")
    assert build(source, "search_index")[0] == 0
    assert searched(source) == after
    # What a page that is gone had is gone as well.
    (source / "other.md").unlink()
    (source / "index.md").write_text("# A page\n\n```{toctree}\nterms\n```\n")
    assert "1 removed" in build(source, "search_index")[1]
    left = set(searched(source)["indexentries"])
    assert "logit" in left and "gradient" not in left


def test_the_search_has_no_numbers_that_code_printed_but_those_of_the_text(source: Path) -> None:
    (source / "index.md").unlink()
    settings: dict[str, object] = {"extensions": ["myst_nb", "course_lib.book.search_index"]}

    def index_with(seconds: str) -> str:
        code = nbformat.v4.new_code_cell(
            "clock()",
            id="clock",
            execution_count=1,
            outputs=[nbformat.v4.new_output("stream", text=f"epochs took {seconds} s with 64\n")],
        )
        text = nbformat.v4.new_markdown_cell("# A page\n\nA batch of 64 examples.", id="text")
        notebook = nbformat.v4.new_notebook(
            cells=[text, code], metadata={"language_info": {"name": "python"}}
        )
        nbformat.write(notebook, source / "index.ipynb")
        shutil.rmtree(source / "_build", ignore_errors=True)
        status, said = build(source, "search_index", nb_execution_mode="off", **settings)
        assert status == 0, said
        return (source / "_build" / "html" / "searchindex.js").read_text()

    first = index_with("217.5e3")
    assert {"batch", "64", "epoch", "took"} <= set(searched(source)["terms"])
    assert not {"217", "5e3"} & set(searched(source)["terms"])
    # Two builds that measured different times have the same index.
    assert index_with("318.25") == first


@pytest.mark.slow
def test_a_build_after_one_that_was_interrupted_searches_all_pages(tiny_course: Path) -> None:
    (tiny_course / "_config.yml").write_text("execute:\n  execute_notebooks: 'off'\n")
    assert build_site(tiny_course)
    whole = searched(tiny_course)
    # What was interrupted has read all pages, and never came to write the index.
    (site_path(tiny_course) / "searchindex.js").unlink()
    with (tiny_course / "book" / "part" / "other.md").open("a") as page:
        page.write("\nNow with a sentence about zebras.\n")
    assert build_site(tiny_course)
    found = searched(tiny_course)
    assert found["titles"] == whole["titles"] and len(found["titles"]) > 1
    assert set(found["terms"]) >= set(whole["terms"]) | {"zebra"}


# Figures that move --------------------------------------------------------------------------------


def test_an_image_with_frames_says_so_in_the_page_and_others_do_not(source: Path) -> None:
    moving = '<svg class="x" data-frames="12" data-seconds="0.25" data-still="7" width="1"/>'
    (source / "moving.svg").write_text(moving)
    (source / "resting.svg").write_text('<svg class="x" width="1"/>')
    (source / "index.md").write_text("# A page\n\n![It moves](moving.svg)\n![Not](resting.svg)\n")
    status, said = build(source, "animations")
    assert status == 0, said
    page = (source / "_build" / "html" / "index.html").read_text()
    assert 'class="animation frames-12 milliseconds-250 still-7"' in page
    assert page.count("animation") == 1


def test_a_page_that_was_not_run_here_says_so(source: Path) -> None:
    path = source / "_build" / "executed" / "index.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    for built, said in (({"kept": "frameworks"}, True), ({}, False)):
        path.write_text(json.dumps({"metadata": {"course_build": built}}))
        (source / "index.md").write_text(f"# A page\n\nIts text, {len(built)}.\n")
        status, words = build(source, "kept")
        assert status == 0, words
        page = (source / "_build" / "html" / "index.html").read_text()
        page = re.sub(r"<[^>]*>", "", page)
        assert ("computed elsewhere and kept" in page) == said
        assert ("make env LIGHT=0" in page) == said


def test_a_source_is_shown_with_its_lines(tmp_path: Path) -> None:
    text = (
        "@cache\ndef one(x):\n    return x < 2\n\n"
        "class Two:\n    @property\n    def three(self): ...\n"
    )
    path = tmp_path / "module.py"
    path.write_text(text)
    assert lines_of(path) == {"one": 1, "Two": 5, "Two.three": 6}
    page = BeautifulSoup(source_page("a.module", text, 2), "html.parser")
    assert page.find("pre").get_text().strip() == text.strip()
    places = {anchor["id"] for anchor in page.select("pre a[id]")}
    assert {f"line-{line}" for line in lines_of(path).values()} <= places
    assert page.select_one("link[rel=stylesheet]")["href"] == "../../_static/pygments.css"


def test_what_is_documented_leads_to_its_source(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "cottage").mkdir()
    (source / "cottage" / "__init__.py").write_text(
        "from .kitchen import cook\n__all__ = ['cook']\n"
    )
    text = '"""Where it is warm."""\n\n\ndef cook():\n    """Make tea."""\n'
    (source / "cottage" / "kitchen.py").write_text(text)
    monkeypatch.syspath_prepend(str(source))
    listed = (
        ".. automodule:: cottage.kitchen\n\n.. autofunction:: cottage.cook\n\n"
        ".. py:function:: elsewhere()\n   :module: no.such"
    )
    (source / "index.md").write_text(f"# A page\n\n```{{eval-rst}}\n{listed}\n```\n")
    status, said = build(source, "sources")
    assert status == 0, said
    site = source / "_build" / "html"
    page = BeautifulSoup((site / "index.html").read_text(), "html.parser")
    links = page.select("dt a:has(.viewcode-link)")
    assert [link["href"] for link in links] == ["_modules/cottage/kitchen.html#line-4"] * 2
    shown = site / "_modules" / "cottage" / "kitchen.html"
    assert 'id="line-4"' in shown.read_text()
    # It is written again when the module has changed, and only then.
    before = shown.stat().st_mtime_ns
    build(source, "sources")
    assert shown.stat().st_mtime_ns == before
    (source / "cottage" / "kitchen.py").write_text(f"{text}\n\nMORE = 1\n")
    build(source, "sources")
    assert "MORE" in shown.read_text()


# Terms and review ---------------------------------------------------------------------------------


def test_the_first_use_of_a_term_leads_to_the_glossary(source: Path) -> None:
    folder = source / "book" / "part"
    folder.mkdir(parents=True)
    glossary = (
        "# Terms\n\n```{glossary}\nbatch\n  Some.\n\nbatch size\n  How many.\n\n"
        "ReLU\n  A hinge.\n\nscale\n  More.\n```\n"
    )
    (source / "terms.md").write_text(glossary)
    (source / "index.md").write_text(
        "# A book of a batch\n\nA batch.\n\n```{toctree}\nterms\nbook/part/one\n```\n"
    )
    chapter = folder / "one.md"
    chapter.write_text(
        "# A batch\n\n*Needs:* ReLU.\n\nA `batch` on a scale, mini-batch. Batch sizes differ, "
        "batches too; a batch again.\n\n*ReLU* is stressed, so ReLU stays.\n"
    )
    status, said = build(source, "terms")
    assert status == 0, said

    def links() -> list[tuple[str, str]]:
        page = (source / "_build" / "html" / "book" / "part" / "one.html").read_text()
        return re.findall(
            r'<a class="first-use[^"]*" href="\.\./\.\./terms\.html#([^"]+)">(.*?)</a>', page
        )

    assert links() == [("term-batch-size", "Batch sizes"), ("term-batch", "batches")]
    assert "first-use" not in (source / "_build" / "html" / "index.html").read_text()
    # A new term reaches the chapter, which was not edited.
    (source / "terms.md").write_text(glossary.replace("scale\n  More.", "mini-batch\n  Few."))
    assert build(source, "terms")[0] == 0
    assert ("term-mini-batch", "mini-batch") in links()


def test_questions_are_moved_to_the_page_that_asks_them_again(tmp_path: Path) -> None:
    page = (
        '<p><a href="left.html">no</a></p><fieldset class="question" id="q-one"><legend>'
        '<a href="other.html#x">a</a><a href="#here">b</a><a href="https://c.org/d.html">c</a>'
        '<img src="../../_images/e.svg"></legend></fieldset>'
        '<fieldset class="question" id="q-two"></fieldset>'
    )
    found = questions_in(page, "book/part/one", "book/appendix")
    assert list(found) == ["q-one", "q-two"]
    addresses = re.findall(r'(?:href|src)="([^"]*)"', found["q-one"])
    assert addresses == [
        "../part/other.html#x",
        "../part/one.html#here",
        "https://c.org/d.html",
        "../../_images/e.svg",
    ]


# Live parts ---------------------------------------------------------------------------------------

LIVE = """# A page

:::{live} parabola
:name: live-parabola
:height: 20 25.5
:alt: What the still shows.
:try: Move the *rate*.

What is *found*.
:::
"""


def test_a_live_part_is_a_figure_with_its_still_and_its_data(source: Path) -> None:
    (source / "_static" / "live").mkdir(parents=True)
    for name in ("live.js", "tools.js", "live.css"):
        (source / "_static" / "live" / name).write_text("")
    status, said = build_live(source, LIVE)
    assert status == 0, said
    site = source / "_build" / "html"
    page = (site / "index.html").read_text()
    figure = re.search(r"<figure class=\"live[^>]*>.*?</figure>", page, re.DOTALL)[0]
    assert 'id="live-parabola"' in figure and "--wide:20rem;--narrow:25.5rem" in figure
    assert 'alt="What the still shows."' in figure
    assert '<p class="live-try" hidden>Move the <em>rate</em>.</p>' in figure
    assert "<figcaption>" in figure and "What is <em>found</em>." in figure
    assert (site / "_images" / "parabola.svg").read_text().startswith("<svg")
    data = (site / "_static" / "live" / "data" / "parabola.js").read_text()
    assert data == 'live.data["parabola"]={"start":1.0,"steps":8};\n'
    # Of all that stands in _static/live a page loads one small script.
    assert re.findall(r"_static/(live/[^\"?]+)", page) == ["live/live.js"]
    # Nothing has changed, so nothing is read again.
    assert "0 added, 0 changed" in build_live(source, LIVE)[1]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("live} parabola", "live} hyperbola", "'hyperbola' is none of "),
        (":try: Move the *rate*.\n", "", "needs the options try"),
        ("What is *found*.\n", "", "needs one paragraph, its caption"),
        ("What is *found*.\n", "One.\n\nTwo.\n", "needs one paragraph, its caption"),
    ],
)
def test_a_live_part_that_is_not_whole_fails_the_build(
    source: Path, old: str, new: str, said: str
) -> None:
    assert old in LIVE
    status, words = build_live(source, LIVE.replace(old, new))
    assert status == 1 and said in words, words


def build_live(source: Path, text: str) -> tuple[int, str]:
    """Build a page with live parts, with all scripts of _static named, as Jupyter Book does."""
    if not (source / "index.md").is_file() or (source / "index.md").read_text() != text:
        (source / "index.md").write_text(text)
    folder = source / "_static"
    folder.mkdir(exist_ok=True)
    more = {
        "myst_enable_extensions": ["colon_fence"],
        "numfig": True,
        "html_static_path": ["_static"],
    }
    for kind in ("js", "css"):
        named = sorted(path.relative_to(folder).as_posix() for path in folder.rglob(f"*.{kind}"))
        more[f"html_{kind}_files"] = named
    return build(source, "live", **more)
