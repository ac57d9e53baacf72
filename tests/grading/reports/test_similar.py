"""Finding submissions that are alike: copies are found, and what everybody writes is not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import small_course as small
from alike import INDEPENDENT, RENAMED

from course_lib import grading
from course_lib.grading import GradingError
from course_lib.grading.reports.similar import (
    LENGTH,
    WINDOW,
    Text,
    fingerprints,
    passages,
    read_text,
    runs,
    shared,
    similar,
    similar_texts,
    tokens_of,
)

ONE_LINER = "def double(x):\n    return 2 * x\n"


def texts(**sources: str) -> dict[str, Text]:
    return {name: Text.of([("answer", source)]) for name, source in sources.items()}


def found(**sources: str) -> list[tuple[str, str]]:
    return [(pair.first, pair.second) for pair in similar_texts(texts(**sources))]


def test_a_renamed_and_reordered_copy_is_found() -> None:
    assert found(**INDEPENDENT, fay=RENAMED) == [("ann", "fay")]
    (pair,) = similar_texts(texts(**INDEPENDENT, fay=RENAMED))
    assert pair.share > 0.8


def test_independent_answers_are_not_alike() -> None:
    assert found(**INDEPENDENT) == []


def test_one_copied_function_is_found() -> None:
    copied = INDEPENDENT["dan"].partition("def moving_average")[2]
    mine = "import numpy as np\n\ndef f(q):\n    return [w * w + 1 for w in q if w > 3]\n"
    stolen = "def moving_average" + copied.replace("window", "buf").replace("value", "item")
    assert found(**INDEPENDENT, gil=mine + stolen) == [("dan", "gil")]


def test_what_everybody_writes_the_same_way_is_quiet() -> None:
    assert found(**{f"s{number}": ONE_LINER for number in range(30)}) == []
    # A long text, too: from the lecture, say.
    assert found(**{f"s{number}": INDEPENDENT["ann"] for number in range(30)}) == []
    # And where each adds something that is their own.
    own = {
        f"s{n}": INDEPENDENT["ann"] + f"\nx{n} = " + " + ".join(f"np.f{n}_{k}(1)" for k in range(9))
        for n in range(30)
    }
    assert found(**own) == []


@pytest.mark.slow
def test_a_crowd_with_one_text_in_a_large_class_is_found() -> None:
    others = {
        f"s{n}": "\n".join(f"y = np.f{n}_{k}(y, axis=0) * np.g{n}_{k}(2)" for k in range(10))
        for n in range(500)
    }
    ring = {f"ring{n:02}": INDEPENDENT["cem"] for n in range(60)}
    pairs = similar_texts(texts(**others, **ring))
    assert {name for pair in pairs for name in (pair.first, pair.second)} == set(ring)


def test_what_the_release_gave_is_not_counted() -> None:
    given = INDEPENDENT["ann"]
    release = Text.of([("given", given)])
    mine = {"ann": given + ONE_LINER, "bob": given + "\nz = [k for k in 'abc']"}
    mine |= {name: INDEPENDENT[name] for name in ("cem", "dan", "eve")}
    both = {name: Text.of([("a", text)]) for name, text in mine.items()}
    assert [(p.first, p.second) for p in similar_texts(both)] == [("ann", "bob")]
    assert similar_texts(both, release) == []
    assert shared(both["ann"], both["bob"], runs(release)) == []


def test_order_of_names_and_a_class_of_one_do_not_matter() -> None:
    assert found(ann=INDEPENDENT["ann"]) == []
    assert found() == []
    backwards = dict(reversed((INDEPENDENT | {"fay": RENAMED}).items()))
    assert found(**backwards) == [("fay", "ann")]


# Tokens


def words(source: str) -> list[str]:
    return [text for text, _ in tokens_of(source)]


def test_comments_layout_docstrings_and_names_are_dropped() -> None:
    one = 'def f(a, b=1):\n    """Doc."""\n    # why\n    return np.exp(a) + len(b)'
    two = "def g(u,\n      v = 22):\n\n  return torch.exp( u )+len(v)  # what"
    assert words(one) == words(two)
    # Names that nobody chose stay.
    assert "exp" in words(one)
    assert "len" in words(one)
    assert words("x = np.exp(a)") != words("x = np.log(a)")
    # One's own attributes are one's own.
    assert words("self.w = 1\nself.w + 2") == words("me.weight = 3\nme.weight + 4")
    # A text in a list is no docstring.
    assert words("x = [\n    'a',\n    'b',\n]").count("''") == 2


@pytest.mark.parametrize(
    "source",
    [
        "def f(x):\n    y = (x + 1\n    return y * 2",
        "def f(x)\n    return 'abc",
        "%matplotlib inline\n!ls\nx = ?",
        "\tx = 1\n  y = 2\n z = 3",
        "",
        "\x00\x01",
        "𝕩 = 1; ☃ = 2",
    ],
)
def test_what_is_no_python_is_looked_at_roughly(source: str) -> None:
    tokens = tokens_of(source)
    assert all(isinstance(text, str) and line >= 1 for text, line in tokens)
    assert len(tokens) >= 3 or len(source) < 3


# Fingerprints


def test_any_shared_passage_of_the_guaranteed_length_is_found() -> None:
    """Winnowing's promise: LENGTH + WINDOW - 1 tokens in common leave a fingerprint in common."""
    random = np.random.default_rng(0)
    none = np.array([], dtype=np.uint64)

    def noise() -> str:
        return " ".join(f"q.m{n}" for n in random.integers(10**9, size=random.integers(5, 60)))

    for _ in range(200):
        passage = " ".join(f"+ {n} @" for n in range(LENGTH + WINDOW))
        # Numbers are all the same token: the operators and dots of the noise are not.
        left, right = (f"{noise()} {passage} {noise()}" for _ in range(2))
        first, second = Text.of([("", left)]), Text.of([("", right)])
        assert np.intersect1d(fingerprints(first, none), fingerprints(second, none)).size


def test_fingerprints_are_few() -> None:
    text = Text.of([("", "\n".join(f"x = np.f{n}(np.g{n}, 1)" for n in range(500)))])
    density = len(fingerprints(text, np.array([], dtype=np.uint64))) / len(words(text.sources[0]))
    assert density < 2 / (WINDOW + 1) + 0.05


# In a course


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("similar") / "course"
    folder.mkdir()
    small.build(folder)
    grading.release([small.SLUG], folder)
    for name, answer in (INDEPENDENT | {"fay": RENAMED}).items():
        small.hand_in(folder, name, small.answered(folder, total=answer, mean=small.MEAN))
    hidden = small.answered(folder, total=RENAMED.replace("averages", "zzz"), mean=small.MEAN)
    # Calling one's answer a test does not hide it.
    small.named(hidden, "total").metadata.nbgrader |= {"grade": True, "locked": True}
    small.hand_in(folder, "gil", hidden)
    small.hand_in(folder, "hal", "no notebook")
    small.hand_in(folder, "ida", json.dumps({"cells": [3], "nbformat": 4}))
    small.hand_in(folder, "jon", json.dumps([1, 2]))
    return folder


@pytest.mark.slow
def test_an_answer_in_a_cell_of_another_kind_is_code(tmp_path: Path) -> None:
    own = {"nbgrader": {"grade_id": "f", "cell_type": "code"}}
    cells = [{"cell_type": "raw", "source": INDEPENDENT["ann"], "metadata": own}]
    cells += [{"cell_type": "markdown", "source": "def g(): ...", "metadata": {}}]
    (tmp_path / "x.ipynb").write_text(json.dumps({"cells": cells}))
    assert read_text(tmp_path) == Text.of([("x/f", INDEPENDENT["ann"])])


def test_a_course_is_read_as_it_was_handed_in(course: Path) -> None:
    result = similar(small.SLUG, course)
    assert {(p.first, p.second) for p in result.pairs} == {
        ("ann", "fay"),
        ("ann", "gil"),
        ("fay", "gil"),
    }
    assert (result.pairs[0].first, result.pairs[0].second) == ("fay", "gil")
    assert result.unread == ["hal", "ida", "jon"]
    assert result.compared == 7
    with pytest.raises(GradingError, match="Nobody has handed in"):
        similar("nothing", course)


@pytest.mark.slow
def test_passages_are_shown_side_by_side(course: Path) -> None:
    parts = passages(small.SLUG, "ann", "fay", course)
    assert [part.tokens for part in parts] == sorted([p.tokens for p in parts], reverse=True)
    (loop,) = [part for part in parts if "range(len(values)" in part.first_text]
    assert loop.first_cell == loop.second_cell == "sums/total"
    assert "range(len(seq)" in loop.second_text
    assert loop.first_lines[0] < loop.first_lines[1]
    # The mean is what both wrote, and the signature is the release's.
    assert not any("NotImplementedError" in part.first_text for part in parts)
    with pytest.raises(GradingError, match="no submission of 'sums' by 'nobody'"):
        passages(small.SLUG, "ann", "nobody", course)


@pytest.mark.slow
def test_thousands_are_compared_without_comparing_each_with_each() -> None:
    random = np.random.default_rng(1)
    pool = [f"y = np.f{n}(y, axis={n % 3}) - np.g{n}(y)[k]" for n in range(4000)]
    sources = {
        f"s{number}": "\n".join(pool[i] for i in random.integers(4000, size=30))
        for number in range(1000)
    }
    sources["copy"] = sources["s17"].replace("y", "other")
    pairs = similar_texts(texts(**sources))
    assert [(p.first, p.second) for p in pairs if p.share > 0.9] == [("s17", "copy")]
