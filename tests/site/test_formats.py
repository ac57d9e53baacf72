"""Chapters as notebooks, the EPUB and the PDF, on projects of one chapter.

What the book itself makes of them is looked at by test_pages.py.
"""

import base64
import io
import re
import shutil
import subprocess
import tomllib
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from nbformat import v4
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import docutils_namespace, patch_docutils

from course_lib.book.notebooks import install_cell, launch_links, needed_packages
from course_lib.book.paper import build_pdf, contents, pages_of, print_book
from course_lib.book.still import as_xhtml
from course_lib.paths import CourseError

ROOT = Path(__file__).resolve().parents[2]

HEAD = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

"""

PAGE = r"""# Slopes: how steep?

*Needs:* {doc}`/index`.\
*Then:* **draw** a $f'(x)$, or two.

A [link](https://example.org/a) and a first `x_1 * 2`. In {numref}`fig-line` 3 * 4 < 13 and 5_000_.

## One

```{code-cell} ipython3
:tags: [hide-input]
x = 1
```

```{code-cell} ipython3
:tags: [remove-cell]
assert x == 1
```

```{code-cell} ipython3
---
mystnb:
  image:
    alt: A line.
  figure:
    name: fig-line
    caption: |
      Its slope is $2$.
---
x
```

| a | b |
|---|---|
| $\|v\|$ | `p` |

$$a = b, \\ c = d$$

1. First.

   ![A dot](dot.png)
2. Second.

:::{admonition} Predict, then try
:class: tip

What comes of `x`?
:::

:::{question} Is it?

- ( ) No

  Look again.

- (x) Yes, *always*

  As $x$ says.
:::

```python
y = 2
```
"""

DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return project(tmp_path / "source")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, built without an address of its repository."""
    source = project(tmp_path_factory.mktemp("notebooks") / "source")
    status, said = build(source, **theme(repository_url=""))
    assert status == 0, said
    return source


def theme(**options: str) -> dict[str, Any]:
    launchers = {"binderhub_url": "https://binder.example", "colab_url": "https://colab.example"}
    options = {"launch_buttons": launchers, "repository_branch": "main", **options}
    return {"html_theme": "sphinx_book_theme", "html_theme_options": options}


def project(folder: Path) -> Path:
    """A project of a chapter, which borrows the book's MathJax."""
    (folder / "book" / "part").mkdir(parents=True)
    (folder / "index.md").write_text("# Start\n\n```{toctree}\n:numbered:\nbook/part/slopes\n```\n")
    (folder / "book" / "part" / "slopes.md").write_text(HEAD + PAGE)
    (folder / "book" / "part" / "dot.png").write_bytes(DOT)
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "a"\nversion = "1"\ndependencies = ["numpy>=1"]\n'
    )
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    (folder / "course_lib").mkdir()
    (folder / "course_lib" / "__init__.py").write_text("")
    return folder


EXTENSIONS = [
    "myst_nb",
    "sphinx_book_theme",
    *(
        f"course_lib.book.{name}"
        for name in ("formulas", "live", "notebooks", "questions", "review", "still")
    ),
]


def build(source: Path, builder: str = "html", **settings: Any) -> tuple[int, str]:
    """Build with warnings as errors; return the status and what Sphinx said."""
    from course_lib.book.chapters import _cache, cache_path, executed_path, read_chapter

    notebook = read_chapter(source, "book/part/slopes")
    for number, cell in enumerate(c for c in notebook.cells if c.cell_type == "code"):
        cell.execution_count = number + 1
        cell.outputs = []
    picture = {"image/svg+xml": "<svg xmlns='http://www.w3.org/2000/svg'/>", "text/plain": "1"}
    cell.outputs = [v4.new_output("execute_result", picture, execution_count=3)]
    notebook.metadata["course_build"] = {"fingerprint": "f", "seconds": 1}
    path = executed_path(source, "book/part/slopes")
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    _cache(source, "book/part/slopes")
    settings["nb_execution_cache_path"] = str(cache_path(source))
    (source / "conf.py").write_text(
        f"extensions = {EXTENSIONS}\n"
        "myst_enable_extensions = ['colon_fence', 'dollarmath']\nnumfig = True\n"
        "numfig_secnum_depth = 1\nnb_execution_mode = 'cache'\nproject = 'The Book'\n"
        "exclude_patterns = ['_build', 'course_lib', 'node_modules']\n"
        "html_math_renderer = 'formulas'\n"
        + "".join(f"{name} = {value!r}\n" for name, value in settings.items())
    )
    said = io.StringIO()
    out = source / "_build"
    with patch_docutils(str(source)), docutils_namespace():
        app = Sphinx(
            str(source),
            str(source),
            str(out / builder),
            str(out / "doctrees"),
            builder,
            status=said,
            warning=said,
            warningiserror=True,
            keep_going=True,
        )
        app.build()
    return app.statuscode, said.getvalue()


def made(source: Path) -> Any:
    path = source / "_build" / "html" / "_sources" / "book" / "part" / "slopes.ipynb"
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def test_a_chapter_becomes_a_notebook_without_what_is_for_the_build(built: Path) -> None:
    about, title, one, first, second, rest = made(built).cells
    assert "The Book" in about.source and "make lab" in about.source
    assert title.source == (
        "# Slopes: how steep?\n\n"
        "*Needs:* Start.\\\n*Then:* **draw** a $f'(x)$, or two.\n\n"
        "A [link](https://example.org/a) and a first `x_1 * 2`. "
        "In Fig. 1.1 3 \\* 4 \\< 13 and 5\\_000\\_."
    )
    assert one.source == "## One"
    assert (first.source, first.execution_count) == ("x = 1", 1)
    assert first.metadata == {"tags": ["hide-input"], "jupyter": {"source_hidden": True}}
    # The claim between them is gone, and so is the gap in the numbers.
    assert (second.source, second.execution_count, second.metadata) == ("x", 2, {})
    assert second.outputs[0].execution_count == 2
    assert "image/svg+xml" in second.outputs[0].data
    assert rest.source.startswith("**Fig. 1.1.** Its slope is $2$.\n\n| a | b |\n| --- | --- |\n")


def test_what_is_special_in_markdown_comes_out_as_it_went_in(built: Path) -> None:
    text = made(built).cells[-1].source
    # A bar in a formula would end the cell of a table.
    assert r"| $\vert{}v\vert{}$ | `p` |" in text
    assert "$$\n\\begin{split}a = b, \\\\ c = d\\end{split}\n$$" in text
    assert "1. First.\n\n   ![A dot](attachment:dot.png)\n\n2. Second." in text
    assert "> **Predict, then try**\n>\n> What comes of `x`?" in text
    assert "```python\ny = 2\n```" in text
    assert "{" + "doc}" not in text and ":::" not in text
    picture = made(built).cells[-1].attachments["dot.png"]["image/png"]
    assert base64.b64decode(picture) == DOT


def test_a_question_keeps_its_answers_folded(built: Path) -> None:
    text = made(built).cells[-1].source
    asked, _, told = text.partition("<details>\n<summary>Answers</summary>\n\n")
    assert asked.rstrip().endswith("**Is it?**\n\n- A. No\n- B. Yes, *always*")
    assert told.startswith(
        "- A. **Not this one.** Look again.\n\n- B. **Right.** As $x$ says.\n\n</details>"
    )


def test_what_has_no_form_in_a_notebook_fails_the_build(source: Path) -> None:
    page = source / "book" / "part" / "slopes.md"
    page.write_text(page.read_text() + "\n```{eval-rst}\n:a: b\n\n.. function:: f(x)\n```\n")
    status, said = build(source)
    assert status == 1
    assert "There is no notebook of this page" in said


def test_there_are_no_buttons_without_an_address(built: Path) -> None:
    page = BeautifulSoup(
        (built / "_build" / "html" / "book" / "part" / "slopes.html").read_text(), "html.parser"
    )
    assert page.select(".dropdown-launch-buttons") == []
    assert [link["href"] for link in page.select("a.btn-download-notebook-button")] == [
        "../../_sources/book/part/slopes.ipynb"
    ]


def test_an_address_switches_everything_on(source: Path) -> None:
    address = "https://github.com/owner/course"
    status, said = build(source, **theme(repository_url=address))
    assert status == 0, said
    page = BeautifulSoup(
        (source / "_build" / "html" / "book" / "part" / "slopes.html").read_text(), "html.parser"
    )
    found = {
        link.get_text(strip=True): link["href"]
        for link in page.select(".dropdown-launch-buttons a")
    }
    assert found == {
        "Binder": "https://binder.example/v2/gh/owner/course/main"
        "?urlpath=lab%2Ftree%2Fbook%2Fpart%2Fslopes.md",
        "Colab": "https://colab.example/github/owner/course/blob/gh-pages"
        "/_sources/book/part/slopes.ipynb",
    }
    first = made(source).cells[0]
    assert first.cell_type == "code"
    assert "git+https://github.com/owner/course@main" in first.source


def test_an_address_without_an_owner_is_refused(source: Path) -> None:
    with pytest.raises(ExtensionError, match="OWNER/NAME"):
        build(source, **theme(repository_url="https://github.com/course"))


@pytest.mark.parametrize(
    ("url", "binder", "colab"),
    [
        ("https://github.com/o/n.git", "gh/o/n/b", True),
        ("https://gitlab.com/o/p/n/", "gl/o%2Fp%2Fn/b", False),
        ("https://git.example.org/o/n", "git/https%3A%2F%2Fgit.example.org%2Fo%2Fn/b", False),
    ],
)
def test_where_the_buttons_lead(url: str, binder: str, colab: bool) -> None:
    found = dict(
        launch_links("a/b", url=url, branch="b", notebook_branch="p", binder="B", colab="C")
    )
    assert found["Binder"] == f"B/v2/{binder}?urlpath=lab%2Ftree%2Fa%2Fb.md"
    assert ("Colab" in found) == colab


def run_cell(code: str, status: int, missing: set[str]) -> list[list[str]]:
    """Run an install cell where some modules are missing; return what pip was asked."""
    asked: list[list[str]] = []

    def run(command: list[str], **_: object) -> SimpleNamespace:
        asked.append(command[1:])
        return SimpleNamespace(returncode=status, stderr="no network")

    from importlib import util

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "run", run)
        patch.setattr(util, "find_spec", lambda name: None if name in missing else object())
        exec(compile(code, "cell", "exec"), {})
    return asked


CELL = install_cell("git+ADDRESS@main", {"torch": "torch==2", "sklearn": "scikit-learn"})
PIP = ["-m", "pip", "install", "--quiet"]


def test_a_first_cell_installs_what_is_missing_and_nothing_else() -> None:
    assert run_cell(CELL, 0, set()) == []
    assert run_cell(CELL, 0, {"course_lib", "sklearn"}) == [
        [*PIP, "--no-deps", "git+ADDRESS@main"],
        [*PIP, "scikit-learn"],
    ]
    with pytest.raises(RuntimeError, match=r"(?s)git\+ADDRESS@main was not.*no network"):
        run_cell(CELL, 1, {"course_lib"})


def test_a_page_s_packages_are_those_of_the_course(root: Path) -> None:
    found = needed_packages(root, ["from course_lib.models import cnn\nimport sklearn.svm"])
    declared = tomllib.loads((root / "pyproject.toml").read_text())["project"]["dependencies"]
    assert found["torch"] in declared and found["sklearn"] == "scikit-learn"
    assert "course_lib" not in found and "json" not in found
    assert set(found.values()) <= set(declared)


# The EPUB and paper -------------------------------------------------------------------------------

STILL = """
:::{live} parabola
:name: live-parabola
:height: 27 32
:alt: A bowl & a path.
:try: Move it.

It *falls*.
:::

:::{review} due
:::

<table><tr><th scope="row">low voice</th><td>heard</td><td class="d-print-none"><audio controls
src="data:audio/wav;base64,UklGRg=="></audio></td></tr></table>

{download}`The file </pyproject.toml>`&nbsp;is here.
"""


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with everything that a browser would work, as an EPUB and as one page."""
    source = project(tmp_path_factory.mktemp("still") / "source")
    page = source / "book" / "part" / "slopes.md"
    page.write_text(page.read_text() + STILL)
    config = yaml.safe_load((ROOT / "_config.yml").read_text())["sphinx"]["config"]
    known = {key: value for key, value in config.items() if key.startswith("epub_")}
    more = {"html_title": "The Book", "author": "somebody", "copyright": "2026", "version": "1"}
    for builder in ("epub", "singlehtml"):
        status, said = build(source, builder, **known, **more)
        assert status == 0, said
    return source / "_build"


def test_the_epub_validates(still: Path) -> None:
    program = shutil.which("epubcheck")
    assert program, "epubcheck is missing: sh tests/system.sh says how to install it"
    jar = Path(program).resolve()
    # Debian's is an archive for Java, which not every machine can start by itself.
    command = ["java", "-jar", str(jar)] if jar.read_bytes()[:2] == b"PK" else [program]
    (book,) = (still / "epub").glob("*.epub")
    done = subprocess.run([*command, str(book)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No errors or warnings detected" in done.stdout
    # It would find one.
    wrong = still / "wrong.epub"
    with zipfile.ZipFile(book) as whole, zipfile.ZipFile(wrong, "w") as broken:
        for entry in whole.infolist():
            data = whole.read(entry)
            if entry.filename.endswith("slopes.xhtml"):
                data = data.replace(b"<math ", b"<meth ").replace(b"</math>", b"</meth>")
            broken.writestr(entry, data)
    assert subprocess.run([*command, str(wrong)], capture_output=True).returncode != 0


def test_the_epub_holds_what_the_page_shows_and_nothing_to_work(still: Path) -> None:
    (book,) = (still / "epub").glob("*.epub")
    with zipfile.ZipFile(book) as whole:
        names = whole.namelist()
        text = whole.read("book/part/slopes.xhtml").decode()
    assert names[0] == "mimetype"
    assert [name for name in names if name.endswith((".js", ".html", ".woff"))] == []
    assert {"_images/parabola.svg", "_images/dot.png", "_static/still.css"} <= set(names)
    page = ElementTree.fromstring(text)
    assert len(list(page.iter("{http://www.w3.org/1998/Math/MathML}math"))) >= 5
    assert "mjx" not in text and "live-try" not in text and "Move it" not in text
    for wanted in ("A bowl &amp; a path.", "Fig. 1.1", "<summary>Show code cell source</summary>"):
        assert wanted in text, wanted
    tags = {element.tag.rpartition("}")[2] for element in page.iter()}
    assert not tags & {"script", "input", "button", "noscript", "fieldset"}
    assert "\xa0is here." in text and "_downloads" not in text


def test_answers_stand_at_the_end_of_the_chapter(still: Path) -> None:
    for name in ("epub/book/part/slopes.xhtml", "singlehtml/index.html"):
        text = (still / name).read_text()
        asked, _, told = text.partition(">Answers<")
        assert "Is it?" in asked and "Look again." not in asked and "Right." not in asked
        assert told.index("Is it?") < told.index("Look again.") < told.index("Right.")


def test_sounds_stay_in_the_site(still: Path) -> None:
    for name in ("epub/book/part/slopes.xhtml", "singlehtml/index.html"):
        text = (still / name).read_text()
        assert "low voice" in text and "<td>heard</td>" in text and "audio" not in text, name


def test_paper_has_no_folded_code_and_formulas_with_their_fonts(still: Path) -> None:
    text = (still / "singlehtml" / "index.html").read_text()
    assert "<details" not in text and "x = 1" not in text.replace("&#x27;", "'")
    assert "<mjx-container" in text
    styles = re.findall(r'href="_static/([^"]+\.css)"', text)
    assert styles == ["still.css", "formulas.css", "paper.css"]
    assert all((still / "singlehtml" / "_static" / style).is_file() for style in styles)


def test_what_is_no_xml_is_told_with_its_place() -> None:
    assert as_xhtml("<p>a&nbsp;b &lt; &eacute;</p>") == "<p>a\xa0b &lt; é</p>"
    with pytest.raises(ValueError, match=r"mismatched tag.*<p>open<br></p>"):
        as_xhtml("<p>open<br></p>")


BOOK = """<!DOCTYPE html>
<html lang="en">
<head><title>A Book</title>
<style>STYLE</style></head>
<body>
<section><h1>Front</h1></section>
<span id="document-book/part/index"></span><section><h2>The part</h2></section>
<span id="document-book/part/one"></span><section>
<h2><span class="section-number">1. </span>One: <em>why</em> &amp; how?</h2><p>.</p>
<p style="break-before: page">.</p></section>
<span id="document-book/part/two"></span><section>
<h2><span class="section-number">2. </span>Two</h2></section>
</body>
</html>
"""


def test_a_table_of_contents_is_read_from_the_headings() -> None:
    assert contents(BOOK) == [
        ("document-book/part/index", "", "The part"),
        ("document-book/part/one", "1", "One: why & how?"),
        ("document-book/part/two", "2", "Two"),
    ]


@pytest.mark.browser
def test_the_printed_book_says_on_which_pages_its_chapters_begin(tmp_path: Path) -> None:
    page, target = tmp_path / "index.html", tmp_path / "made" / "book.pdf"
    folder = ROOT / "course_lib" / "book"
    style = (folder / "still.css").read_text() + (folder / "paper.css").read_text()
    page.write_text(BOOK.replace("STYLE", style))
    # A title, the contents, the front; the first chapter has two pages.
    wanted = {"document-book/part/index": 4, "document-book/part/one": 5}
    wanted["document-book/part/two"] = 7
    assert print_book(page, target) == wanted
    pdf = target.read_bytes()
    assert pdf.startswith(b"%PDF") and b"/Outlines" in pdf
    soup = BeautifulSoup(page.read_text(), "html.parser")
    listed = [[part.get_text(strip=True) for part in item.contents] for item in soup.select("li")]
    assert listed == [
        ["", "The part", "4"],
        ["1", "One: why & how?", "5"],
        ["2", "Two", "7"],
    ]
    assert [item.get("class") for item in soup.select("li")] == [["part"], None, None]
    assert {link["href"] for link in soup.select("nav a")} == {f"#{place}" for place in wanted}


def test_without_a_browser_nothing_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CourseError, match="no Chromium"):
        build_pdf(ROOT)


def test_what_is_no_pdf_is_told() -> None:
    with pytest.raises(CourseError, match="no PDF"):
        pages_of(b"<html>", [])
