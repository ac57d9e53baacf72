"""The text corpus: frozen, plain, large enough, and made by its command as it says."""

import doctest
import hashlib
from pathlib import Path

import pytest

from course_lib.book.corpus import make_corpus, plain_text
from course_lib.data import corpus

ROOT = Path(__file__).resolve().parents[2]


def test_examples_and_data_card():
    result = doctest.testmod(corpus)
    assert result.attempted and not result.failed
    for said in ("license", "Its authors", "no benchmark"):
        assert said in corpus.__doc__


def test_the_snapshot_is_the_one_that_chapters_learned_from():
    text = corpus.load()
    assert len(text) == 175_366 >= 150_000
    assert len(set(text)) == 86 and text.isascii()
    digest = hashlib.sha256(text.encode()).hexdigest()
    # `python -m course_lib.book.corpus` moves this, and the numbers of every page that reads it.
    assert digest[:16] == "3583edc9bfb868e0"


def test_every_paragraph_has_its_place():
    found = corpus.paragraphs()
    assert len(found) == 833
    assert list(dict.fromkeys(p.chapter for p in found))[::9] == [
        "Deep learning",
        "Supervised learning",
    ]
    joined = corpus.load()
    assert all(p.text in joined and "\n" not in p.text and p.text.strip() for p in found)
    assert not any(p.text.startswith("#") for p in found)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_parts_share_no_section_and_lose_nothing(seed):
    train, held_out = corpus.split(seed=seed, validation=0.2)
    blocks = [part.strip().split("\n\n") for part in (train, held_out)]
    assert sorted(blocks[0] + blocks[1]) == sorted(corpus.load().strip().split("\n\n"))
    assert 0.2 <= len(held_out) / len(corpus.load()) < 0.25
    assert corpus.split(seed=seed, validation=0.2) == (train, held_out)
    assert corpus.split(seed=seed + 1, validation=0.2)[1] != held_out
    # Whole sections: each heading lies with all its paragraphs, in reading order.
    everything = corpus.load()
    for section in held_out.split("\n\n## ")[1:]:
        text = section.partition("\n\n## ")[0].partition("\n\n# ")[0].strip()
        assert text in everything


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, float("nan")])
def test_a_share_that_makes_no_sense_is_named(share):
    with pytest.raises(ValueError, match="must lie between 0 and 1, but is"):
        corpus.split(validation=share)


def test_characters_go_there_and_back():
    letters = corpus.Characters(corpus.load())
    text = corpus.load()[1000:1200]
    assert len(letters) == 86 and letters.decode(letters.encode(text)) == text
    with pytest.raises(ValueError, match="'é' is not in the vocabulary of 86"):
        letters.encode("café")


PAGE = """---
course:
  needs: []
---

# Title: what is it?

*Time to read:* 5 minutes.\\
*Needs:* nothing.

A *term* costs $n$ of 3 **big** `calls()` {cite}`a1999`. This needs $\\frac12$ of it. A naïve one. See
{numref}`fig-a`, {doc}`Layers </book/foundations/layers>` and [a link](http://x.org); it costs 5 % −1.

```{code-cell} ipython3
---
mystnb:
  image:
    alt: What is seen.
  figure:
    name: fig-a
    caption: |
      What it means.
---
draw()
```

$$
x = 1
$$

| a | table |

:::{admonition} Predict, then try
:class: tip

What happens?
:::

## Check yourself

:::{question} Is `x ** 2` large?
:name: q-a

- ( ) No

  Look again.

- (x) Yes

  It is.
:::

## Going further

- {cite:t}`a1999` is good.
"""


def test_a_page_becomes_plain_text():
    assert plain_text(PAGE).split("\n\n") == [
        "# Title: what is it?",
        "A term costs n of 3 big calls(). See the figure, Layers and a link; it costs 5% -1.",
        "What it means.",
        "What is seen.",
        "What happens?",
        "## Check yourself",
        "Is x ** 2 large?",
        "No",
        "Look again.",
        "Yes",
        "It is.",
    ]


def test_the_command_would_make_a_corpus_of_these_pages():
    made = make_corpus(ROOT)
    assert len(made) >= 150_000 and made.isascii() and made.count("\n# ") >= 8
    assert not {"{", "}", "$", "\\", "`"} & set(made)
