"""What chapters need: read, checked against the order of the book, and drawn."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from course_lib.book.prerequisites import Chapter, levels, read_chapters, svg
from course_lib.paths import CourseError

ROOT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"


def course(folder: Path, chapters: dict[str, str], order: list[str] | None = None) -> Path:
    """Make a course of pages with the given front matter."""
    part = folder / "book" / "part"
    part.mkdir(parents=True)
    (folder / "solutions").mkdir()
    (folder / "solutions" / "known.py").touch()
    for slug, front in chapters.items():
        (part / f"{slug}.md").write_text(
            f"---\n{front}\n---\n\n# Letter {slug}: what is it?\n\nText.\n"
        )
    files = "\n".join(f"      - file: book/part/{slug}" for slug in order or chapters)
    toc = f"root: index\nparts:\n  - caption: A part\n    chapters:\n{files}\n"
    others = ("appendix/notation", "teaching/week")
    apart = "".join(f"      - file: book/{page}\n" for page in others)
    (folder / "_toc.yml").write_text(toc + apart)
    return folder


def front(needs: str = "[]", exercise: str = "known") -> str:
    return f"course:\n  needs: {needs}\n  exercise: {exercise}"


def test_chapters_are_read_in_the_order_of_the_book(tmp_path: Path) -> None:
    root = course(tmp_path, {"b": front(), "a": front("[b]")})
    assert read_chapters(root) == [
        Chapter("book/part/b", "Letter b: what is it?", 5, (), "known"),
        Chapter("book/part/a", "Letter a: what is it?", 5, ("b",), "known"),
    ]


@pytest.mark.parametrize(
    ("chapters", "said"),
    [
        ({"a": "title: x"}, r"a\.md has no `course:`"),
        ({"a": front("layers")}, r"`needs` is 'layers'; wanted: a list"),
        ({"a": front(exercise="lost")}, r"'lost' has no solutions/lost\.py"),
        ({"a": front("[b]")}, r"needs 'b', which is not in _toc\.yml"),
        ({"a": front("[b]"), "b": front()}, r"needs 'b', which does not come before it"),
        ({"a": front("[b]"), "b": front("[a]")}, r"a\.md needs 'b', which does not come before"),
        ({"a": front("[a]")}, r"needs 'a', which does not come before it"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, chapters: dict[str, str], said: str) -> None:
    with pytest.raises(CourseError, match=said):
        read_chapters(course(tmp_path, chapters))


def test_all_that_is_wrong_is_named_at_once(tmp_path: Path) -> None:
    root = course(tmp_path, {"a": front("layers"), "b": front("[z]")}, ["a", "b", "gone"])
    with pytest.raises(CourseError) as caught:
        read_chapters(root)
    assert re.findall(r"book/part/(\w+)\.md", str(caught.value)) == ["a", "gone", "b"]


def test_rows_put_each_chapter_below_its_needs() -> None:
    def chapter(slug: str, *needs: str) -> Chapter:
        return Chapter(f"book/part/{slug}", slug, 10, needs, None)

    chapters = [chapter("a"), chapter("b", "a"), chapter("c", "a"), chapter("d", "b", "c")]
    assert [[c.slug for c in row] for row in levels(chapters)] == [["a"], ["b", "c"], ["d"]]


def test_the_map_links_each_chapter_and_draws_each_need() -> None:
    chapters = [
        Chapter("book/p/a", "This & that: why <not>, and when?", 10, (), None),
        Chapter("book/p/b", "Time: then?", 15, ("a",), None),
        Chapter("book/p/c", "Choice: or?", 15, ("a",), None),
    ]
    text = svg(chapters, {c.page: f"{c.page}.html" for c in chapters})
    drawn = ElementTree.fromstring(text.replace("<svg ", f'<svg xmlns="{SVG[1:-1]}" ', 1))
    links = drawn.findall(f"{SVG}a")
    assert [link.get("href") for link in links] == [f"book/p/{x}.html" for x in "abc"]
    assert "".join(links[0].itertext()) == "This & that10 minWhy <not>, and when?"
    assert len(drawn.findall(f"{SVG}path")) == 2
    boxes = [link.find(f"{SVG}rect") for link in links]
    corners = [(float(box.get("x", "")), float(box.get("y", ""))) for box in boxes]
    width = float(boxes[0].get("width", ""))
    # Side by side, below the first, and nothing over the edge.
    assert corners[1][1] == corners[2][1] > corners[0][1]
    assert corners[1][0] + width < corners[2][0]
    assert corners[2][0] + width <= float(drawn.get("viewBox", "").split()[2])


def test_a_map_of_a_part_names_what_lies_outside_and_keeps_its_width() -> None:
    chapters = [Chapter("book/p/a", "First: why?", 10, ("z",), None)]
    chapters += [Chapter(f"book/p/{x}", f"{x.upper()}: or?", 15, ("a",), None) for x in "bcdef"]
    assert {c.part for c in chapters} == {"p"}
    text = svg(chapters, {c.page: c.page for c in chapters}, {"z": "The end"})
    drawn = ElementTree.fromstring(text.replace("<svg ", f'<svg xmlns="{SVG[1:-1]}" ', 1))
    links = drawn.findall(f"{SVG}a")
    assert "".join(links[0].itertext()) == "First10 minWhy?after The end"
    assert not any("after" in "".join(link.itertext()) for link in links[1:])
    assert len(drawn.findall(f"{SVG}path")) == 5
    boxes = [link.find(f"{SVG}rect") for link in links]
    heights = {float(box.get("height", "")) for box in boxes}
    assert len(heights) == 1
    rows = [float(box.get("y", "")) for box in boxes]
    # The five stand three and two; the fourth begins a row of its own below the third.
    assert rows[1] == rows[2] == rows[3] and rows[4] == rows[5] >= rows[3] + heights.pop()
    lowest = max(float(line.get("y", "")) for line in links[0].findall(f"{SVG}text"))
    assert lowest < rows[0] + float(boxes[0].get("height", ""))


def test_opening_pages_are_no_chapters(tmp_path: Path) -> None:
    root = course(tmp_path, {"a": front("[]")}, ["index", "a"])
    (root / "book/part/index.md").write_text("# About this part\n", encoding="utf-8")
    assert [chapter.slug for chapter in read_chapters(root)] == ["a"]


def test_this_book_agrees_with_its_order() -> None:
    chapters = read_chapters(ROOT)
    assert len(chapters) >= 4
    assert [c.slug for c in chapters if c.exercise != c.slug] == []


def test_what_a_page_says_of_its_needs_is_what_its_front_matter_says() -> None:
    chapters = {chapter.slug: chapter for chapter in read_chapters(ROOT)}

    def all_needs(slug: str) -> set[str]:
        direct = chapters[slug].needs
        return set(direct).union(*(all_needs(need) for need in direct))

    for slug, chapter in chapters.items():
        text = (ROOT / f"{chapter.page}.md").read_text(encoding="utf-8")
        (line,) = re.findall(r"^\*Needs:\*(.*)$", text, re.MULTILINE)
        named = {page.rpartition("/")[2] for page in re.findall(r"\{doc\}`[^`<]+<([^`>]+)>`", line)}
        assert set(chapter.needs) <= named <= all_needs(slug), slug
