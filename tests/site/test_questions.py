"""The `question` directive, on a project of one page."""

import io
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

GOOD = """\
# A page

See [the slope](#q-slope).

:::{question} What is the largest slope of the sigmoid, $\\sigma'(z)$?
:name: q-slope

```python
sigmoid(z)
```

- ( ) 1, as for `tanh`

  The slope of *tanh* at 0.

- (x) 1/4, at $z = 0$

  Since $s(1-s)$ is largest in the middle.

  And a second paragraph.

- ( ) It has none

  It has: the slope goes to 0 on both sides.
:::

:::{question} A second one?
- (X) Yes

  It is.
- ( ) No

  It is not.
:::
"""


def build(folder: Path, text: str, builder: str = "html") -> str:
    """Build one page, and return the warnings."""
    source = folder / "source"
    source.mkdir(exist_ok=True)
    (source / "conf.py").write_text(
        "extensions = ['myst_parser', 'course_lib.book.questions']\n"
        "myst_enable_extensions = ['colon_fence', 'dollarmath']\n"
        "html_theme = 'basic'\n"
    )
    (source / "index.md").write_text(text)
    warnings = io.StringIO()
    with patch_docutils(str(source)), docutils_namespace():
        app = Sphinx(
            str(source),
            str(source),
            str(folder / builder),
            str(folder / "doctrees"),
            builder,
            status=None,
            warning=warnings,
            freshenv=True,
        )
        app.build()
    return warnings.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("questions")
    assert build(folder, GOOD) == ""
    return folder


@pytest.fixture(scope="module")
def soup(folder: Path) -> BeautifulSoup:
    return BeautifulSoup((folder / "html" / "index.html").read_text(), "html.parser")


@pytest.fixture
def slope(soup: BeautifulSoup) -> Tag:
    return soup.find(id="q-slope")


def test_a_question_is_a_fieldset_with_the_question_as_its_legend(slope: Tag) -> None:
    assert slope.name == "fieldset"
    legend = slope.find("legend", recursive=False)
    assert legend.get_text().startswith("What is the largest slope of the sigmoid")
    assert legend.find(class_="math")


def test_its_name_is_a_target(soup: BeautifulSoup) -> None:
    assert soup.find("a", href="#q-slope").get_text() == "the slope"


def test_what_stands_before_the_list_is_shown_before_the_choices(slope: Tag) -> None:
    children = [child for child in slope.children if isinstance(child, Tag)]
    assert "highlight-python" in children[1]["class"]
    assert all("choice" in child["class"] for child in children[2:])


def test_every_choice_is_a_radio_button_with_its_label(soup: BeautifulSoup, slope: Tag) -> None:
    inputs = slope.find_all("input")
    assert [button["type"] for button in inputs] == ["radio"] * 3
    assert len({button["name"] for button in inputs}) == 1
    labels = [slope.find("label", {"for": button["id"]}).get_text() for button in inputs]
    assert labels[0] == "1, as for tanh"
    assert labels[1].startswith("1/4, at") and labels[2] == "It has none"
    assert slope.find("label").find("code")
    names = {button["name"] for button in soup.find_all("input", type="radio")}
    assert len(names) == 2  # two questions do not share their buttons


def test_every_explanation_can_be_opened_without_a_script(slope: Tag) -> None:
    details = slope.find_all("details")
    assert [("right" in entry["class"]) for entry in details] == [False, True, False]
    assert all(entry.find("summary", recursive=False).get_text().strip() for entry in details)
    assert not any(entry.has_attr("open") for entry in details)
    verdicts = [entry.find(class_="verdict").get_text() for entry in details]
    assert verdicts == ["Not this one.", "Right.", "Not this one."]
    assert "And a second paragraph." in details[1].get_text()
    assert details[0].find("em").get_text() == "tanh"


def test_no_mark_is_left_in_the_page(soup: BeautifulSoup) -> None:
    text = soup.get_text()
    assert "(x)" not in text.lower() and "( )" not in text


def test_plain_text_lists_the_choices_and_then_the_explanations(folder: Path) -> None:
    assert build(folder, GOOD, "text") == ""
    text = (folder / "text" / "index.txt").read_text()
    order = [
        "largest slope",
        "1. 1, as for",
        "3. It has none",
        "-[ Answers ]-",
        "1. **Not this",
        "2. **Right.",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert text.index("Since") > places[-1]


def test_latex_gets_the_same_and_the_target(folder: Path) -> None:
    assert build(folder, GOOD, "latex") == ""
    [source] = (folder / "latex").glob("*.tex")
    text = source.read_text()
    assert r"\label{\detokenize{index:q-slope}}" in text
    assert text.index("It has none") < text.index("Answers") < text.index("second paragraph")


@pytest.mark.parametrize(
    ("choices", "line", "says"),
    [
        ("- ( ) One\n\n  No.\n- ( ) Two\n\n  No.", 3, "exactly one right choice"),
        ("- (x) One\n\n  Yes.\n- (x) Two\n\n  Yes.", 3, "exactly one right choice"),
        ("- (x) One\n\n  Yes.\n- ( ) Two", 8, "no explanation for the choice 'Two'"),
        ("- (x) One\n\n  Yes.\n- Two\n\n  No.", 8, "neither '( )' nor '(x)'"),
        ("- (x) One\n\n  Yes.\n- [ ] Two\n\n  No.", 8, "neither '( )' nor '(x)'"),
        ("- (x) One\n\n  Yes.", 3, "at least two choices"),
        ("No list.", 3, "needs one list of choices"),
        ("- (x) One\n\n  Yes.\n- ( ) Two\n\n  No.\n\nMore.", 3, "at its end"),
    ],
)
def test_a_fault_is_a_warning_with_file_and_line(
    tmp_path: Path, choices: str, line: int, says: str
) -> None:
    warnings = build(tmp_path, f"# A page\n\n:::{{question}} Which?\n\n{choices}\n:::\n")
    assert says in warnings
    assert f"index.md:{line}: WARNING: The question 'Which?'" in warnings
    assert len(warnings.strip().splitlines()) == 1
