"""The tables of published results: their form, and that each row has a source that exists."""

import re
from pathlib import Path

import pytest

from course_lib.data import milestones

ROOT = Path(__file__).resolve().parents[2]
HEAD = "# benchmark: B\n# metric: error (%)\n# better: lower\nyear,system,value,source\n"


@pytest.mark.parametrize("name", milestones.names())
def test_each_table_is_in_its_form_and_has_its_sources(name):
    benchmark = milestones.load(name)
    text = (ROOT / "book/appendix/references.bib").read_text(encoding="utf-8")
    known = set(re.findall(r"^@\w+\{(\S+),", text, re.MULTILINE))
    assert {result.source for result in benchmark.results} <= known
    assert len(benchmark.results) >= 3
    assert len({(r.system, r.value) for r in benchmark.results}) == len(benchmark.results)


@pytest.mark.parametrize("name", milestones.names())
def test_each_table_is_drawn_in_a_page(name):
    pages = (ROOT / "book").rglob("*.md")
    assert any(f'milestones.load("{name}")' in page.read_text(encoding="utf-8") for page in pages)


def test_a_table_is_read():
    read = milestones.parse(HEAD + "2012,First,15.3,someone\n2015,Second,3.57,other\n", "b.csv")
    assert (read.name, read.metric, read.better) == ("B", "error (%)", "lower")
    assert read.results[1] == (2015, "Second", 3.57, "other")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("year,system,value,source\n", "begins with"),
        (HEAD.replace("lower", "less") + "2012,A,1,a\n", "better is 'less'"),
        (HEAD.replace("value", "error") + "2012,A,1,a\n", "has the columns"),
        (HEAD + "2012,A,x,a\n", "is not a year, a system, a number"),
        (HEAD + "2012,A\n", "is not a year, a system, a number"),
        (HEAD + "2015,A,1,a\n2012,B,2,b\n", "order of their years"),
        (HEAD, "order of their years"),
    ],
)
def test_a_table_in_another_form_is_refused(text, said):
    with pytest.raises(ValueError, match=said):
        milestones.parse(text, "b.csv")


def test_a_table_that_there_is_not_is_named():
    with pytest.raises(ValueError, match="no table of results is called 'imagine'"):
        milestones.load("imagine")
