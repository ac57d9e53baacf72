"""The built site as files: it needs no other machine, its links lead somewhere, images speak."""

import ast
import json
import pkgutil
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup

import course_lib
from course_lib import imports
from course_lib.book.chapters import executed_path
from course_lib.book.load import BUDGET, page_loads, report
from course_lib.book.prerequisites import is_chapter
from course_lib.paths import toc_entries

pytestmark = pytest.mark.site

ROOT = Path(__file__).resolve().parents[2]

# Attributes that make a browser fetch something, by element. A link that a reader clicks is not
# among them.
FETCHING = {
    "audio": ["src"],
    "embed": ["src"],
    "iframe": ["src"],
    "image": ["href", "xlink:href"],
    "img": ["src", "srcset"],
    "input": ["src"],
    "object": ["data"],
    "script": ["src"],
    "source": ["src", "srcset"],
    "track": ["src"],
    "use": ["href", "xlink:href"],
    "video": ["src", "poster"],
}
ELSEWHERE = re.compile(r"\s*(https?:)?//", re.IGNORECASE)


@cache
def parsed(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


@pytest.fixture(scope="module")
def pages(site_folder: Path) -> dict[Path, BeautifulSoup]:
    return {
        path: parsed(path)
        for path in sorted(site_folder.rglob("*.html"))
        if not {"_static", "_modules"} & set(path.parts)
    }


def fetched(soup: BeautifulSoup) -> Iterator[str]:
    """Yield the addresses that opening a page fetches."""
    for name, attributes in FETCHING.items():
        for element in soup.find_all(name):
            yield from (element[key] for key in attributes if element.has_attr(key))
    for link in soup.find_all("link"):
        if set(link.get("rel", [])) & {
            "stylesheet",
            "icon",
            "preload",
            "modulepreload",
            "prefetch",
        }:
            yield link["href"]
    for style in soup.find_all("style"):
        yield from re.findall(r"url\(\s*['\"]?([^'\")]+)", style.get_text())


def test_there_is_a_page_for_every_line_of_the_table_of_contents(site_folder: Path) -> None:
    entries = toc_entries(ROOT)
    assert entries
    assert [e for e in entries if not (site_folder / f"{e}.html").is_file()] == []


def test_no_page_fetches_from_another_machine(pages: dict[Path, BeautifulSoup]) -> None:
    addresses = [(path.name, address) for path, soup in pages.items() for address in fetched(soup)]
    assert len(addresses) > 10 * len(pages) / 2
    assert [entry for entry in addresses if ELSEWHERE.match(entry[1])] == []


def test_no_style_sheet_or_picture_fetches_from_another_machine(site_folder: Path) -> None:
    files = [path for kind in ("css", "svg") for path in site_folder.rglob(f"*.{kind}")]
    assert files
    found = [
        (path.name, address)
        for path in files
        for address in re.findall(
            r"(?:url\(\s*['\"]?|@import\s+['\"]|href=\")([^'\")]+)",
            path.read_text(encoding="utf-8"),
        )
        if ELSEWHERE.match(address)
    ]
    assert found == []


def test_what_a_page_fetches_is_there(pages: dict[Path, BeautifulSoup]) -> None:
    missing = []
    for path, soup in pages.items():
        for address in fetched(soup):
            target = unquote(urlsplit(address).path)
            if target and not address.startswith("data:") and not (path.parent / target).is_file():
                missing.append((path.name, address))
    assert missing == []


def test_a_page_is_light(site_folder: Path) -> None:
    loads = page_loads(site_folder)
    assert len(loads) > 40
    assert [(load.page, load.size) for load in loads if load.size > BUDGET] == []
    by_page = {load.page: load for load in loads}
    chapter = by_page["book/foundations/activations.html"]
    # What a chapter cannot do without is counted, what it can do without is not there.
    names = {path.name for path in chapter.files}
    assert {"activations.html", "formulas.css", "MathJax_Math-Italic.woff", "course.css"} <= names
    assert sum("_images" in path.parts for path in chapter.files) >= 5
    assert not names & {"searchindex.js", "fontawesome.js", "tex-mml-chtml.js", "parabola.js"}
    assert {path.name for path in by_page["search.html"].files} >= {"searchindex.js"}
    said = report(site_folder)
    assert f"{len(loads)} pages" in said and loads[0].page in said and loads[10].page not in said


def test_icons_and_formulas_are_in_the_pages(pages: dict[Path, BeautifulSoup]) -> None:
    for path, soup in pages.items():
        assert soup.select("i[class*='fa-']") == [], path.name
        drawn = {f"#{symbol['id']}" for symbol in soup.select("svg.icons symbol[id]")}
        assert drawn and {use["href"] for use in soup.select(".svg-inline--fa use")} == drawn
    formulas = [math for soup in pages.values() for math in soup.select(".math")]
    assert len(formulas) > 1000
    # Each is set, and has MathML for who hears it.
    assert [m for m in formulas if not m.select("mjx-container mjx-assistive-mml math")] == []


def test_chapters_lead_to_the_glossary_where_a_term_is_used_first(
    pages: dict[Path, BeautifulSoup], site_folder: Path
) -> None:
    found = {
        path.name: [link["href"].partition("#")[2] for link in soup.select("a.first-use")]
        for path, soup in pages.items()
        if is_chapter(path.relative_to(site_folder).with_suffix("").as_posix())
    }
    assert sum(map(len, found.values())) > 200
    assert {name for name, terms in found.items() if len(set(terms)) != len(terms)} == set()
    assert pages[site_folder / "index.html"].select("a.first-use") == []


def test_every_internal_link_and_anchor_resolves(pages: dict[Path, BeautifulSoup]) -> None:
    anchors = {
        path.resolve(): {tag["id"] for tag in soup.find_all(id=True)}
        | {tag["name"] for tag in soup.find_all("a", attrs={"name": True})}
        for path, soup in pages.items()
    }
    broken, seen = [], 0
    for path, soup in pages.items():
        for link in soup.find_all("a", href=True):
            parts = urlsplit(link["href"])
            if parts.scheme or parts.netloc:
                continue
            seen += 1
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
            fragment = unquote(parts.fragment)
            if not target.is_file():
                broken.append((path.name, link["href"], "no such file"))
            elif fragment and target in anchors and fragment not in anchors[target]:
                broken.append((path.name, link["href"], "no such place"))
    assert seen > 100
    assert broken == []


def test_ids_are_unique_in_every_page(pages: dict[Path, BeautifulSoup]) -> None:
    doubled = []
    for path, soup in pages.items():
        ids = [tag["id"] for tag in soup.find_all(id=True)]
        doubled += [(path.name, name) for name in set(ids) if ids.count(name) > 1]
    assert doubled == []


def test_every_page_is_valid_html(pages: dict[Path, BeautifulSoup], tmp_path: Path) -> None:
    java = shutil.which("java")
    assert java, "java is missing, which epubcheck brings: sh tests/system.sh installs both"
    checker = ROOT / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
    # The last one shows that the checker looks.
    wrong = tmp_path / "wrong.html"
    wrong.write_text(
        '<!DOCTYPE html><html lang="en"><title>A</title><p>B<ul><li>C</ul></p></html>',
        encoding="utf-8",
    )
    done = subprocess.run(
        [java, "-Xss8m", "-jar", checker, "--errors-only", "--format", "json", *pages, wrong],
        capture_output=True,
        text=True,
    )
    found = [
        f"{Path(unquote(urlsplit(fault['url']).path)).name}: {fault['message']} "
        f"{fault.get('extract', '')!r}"
        for fault in json.loads(done.stderr)["messages"]
    ]
    assert [fault for fault in found if not fault.startswith("wrong.html: ")] == []
    assert found


def test_figures_have_text_for_those_who_cannot_see_them(site_folder: Path) -> None:
    written = {entry: parsed(site_folder / f"{entry}.html") for entry in toc_entries(ROOT)}
    images = [(entry, image) for entry in written for image in written[entry].select("article img")]
    assert len(images) >= 3
    for entry, image in images:
        text = image.get("alt", "")
        assert len(text.split()) >= 8, f"{entry}: {image['src']} has the alt text {text!r}"


def test_figures_are_numbered_and_say_what_they_show(pages: dict[Path, BeautifulSoup]) -> None:
    figures = [figure for soup in pages.values() for figure in soup.select("article figure")]
    assert figures
    for figure in figures:
        caption = figure.find("figcaption")
        assert caption and caption.find(class_="caption-number"), figure
        assert len(caption.find(class_="caption-text").get_text().split()) >= 6, caption


def test_no_cell_shows_an_error_or_a_warning(pages: dict[Path, BeautifulSoup]) -> None:
    shown = [
        (path.name, output.get_text()[:80])
        for path, soup in pages.items()
        for output in soup.select(".cell_output .traceback, .cell_output .stderr")
    ]
    assert shown == []


def test_the_page_of_the_library_has_every_room(site_folder: Path) -> None:
    text = (ROOT / "book" / "appendix" / "api.md").read_text()
    inner = {
        "assignments",
        "book",
        "exercises",
        "grading",
        "reproduce",
        "templates",
    }  # how the course works, not what it teaches
    rooms = [
        package.name
        for package in pkgutil.iter_modules(course_lib.__path__)
        if package.ispkg and package.name not in inner
    ]
    assert {"scratch", "plotting"} <= set(rooms)
    missing = [room for room in rooms if f".. modules:: course_lib.{room}\n" not in text]
    assert missing == [], "book/appendix/api.md needs a section for each"
    page = parsed(site_folder / "book" / "appendix" / "api.html")
    # What is documented leads to its source.
    documented = page.select("dl.function > dt, dl.class > dt")
    sources = [entry.select_one("a[href*='_modules/course_lib/']") for entry in documented]
    assert len(documented) > 200 and None not in sources
    assert page.find(id="course_lib.scratch.activations.softmax")
    assert page.find(id="course_lib.plotting.style.new_figure")


def test_the_lock_file_names_no_registry() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text())
    wanted = json.loads((ROOT / "package.json").read_text())
    assert [name for name, entry in lock["packages"].items() if "resolved" in entry] == []
    assert "://" not in json.dumps(lock)
    for name, version in {**wanted["dependencies"], **wanted["devDependencies"]}.items():
        entry = lock["packages"][f"node_modules/{name}"]
        assert entry["version"] == version
        assert entry["integrity"].startswith("sha512-")


# What MyST alone understands: a notebook would show it as it stands.
MYST = re.compile(r"\{[a-z:-]+\}`|^:::|^\s*```\{|_images/|<svg|</?div", re.MULTILINE)


def names_of(code: str) -> tuple[set[str], set[str]]:
    """Return the names that a cell gives values, and those that it only reads."""
    tree = imports.parsed(code)
    named = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    given = {node.id for node in named if isinstance(node.ctx, ast.Store)}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            given.add(node.name)
        elif isinstance(node, ast.arg):
            given.add(node.arg)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            given |= {(name.asname or name.name).partition(".")[0] for name in node.names}
    return given, {node.id for node in named} - given


def test_a_chapter_can_be_had_as_a_notebook(
    pages: dict[Path, BeautifulSoup], site_folder: Path
) -> None:
    for entry in filter(is_chapter, toc_entries(ROOT)):
        link = pages[site_folder / f"{entry}.html"].select_one("a.btn-download-notebook-button")
        path = ((site_folder / entry).parent / link["href"]).resolve()
        offered = nbformat.read(path, as_version=4)
        nbformat.validate(offered)
        ran = nbformat.read(executed_path(ROOT, entry), as_version=4).cells
        code = [cell for cell in ran if cell.cell_type == "code"]
        kept = [cell for cell in code if "remove-cell" not in cell.metadata.get("tags", [])]
        cells = [cell for cell in offered.cells if cell.cell_type == "code"]
        assert [cell.source for cell in cells] == [cell.source for cell in kept], entry
        assert [
            [output.get("data", output.get("text")) for output in cell.outputs] for cell in cells
        ] == [[output.get("data", output.get("text")) for output in cell.outputs] for cell in kept]
        # A reader runs the kept cells alone: nothing comes from the others.
        given: set[str] = set()
        dropped: set[str] = set()
        for cell in code:
            gives, reads = names_of(cell.source)
            if cell in kept:
                assert (reads & dropped) - given == set(), (entry, cell.source)
                given |= gives
            else:
                dropped |= gives
        text = "\n\n".join(c.source for c in offered.cells if c.cell_type == "markdown")
        prose = re.sub(r"^( *)(`{3,}).*?\n\1\2$", "", text, flags=re.DOTALL | re.MULTILINE)
        assert MYST.findall(prose) == [], entry
        # As many captions as the page has, with their numbers.
        captions = pages[site_folder / f"{entry}.html"].select("figcaption .caption-number")
        found = [caption.get_text(strip=True) for caption in captions]
        assert found == re.findall(r"^\*\*(Fig\. [\d.]+)\.\*\*", text, re.MULTILINE), entry
