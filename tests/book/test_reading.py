"""How much there is to read on a page."""

import pytest

from course_lib.book.reading import code_lines, minutes, prose

PAGE = """\
---
course:
  needs: []
---

# Signs: why?

Three words here.

```{code-cell} ipython3
:tags: [hide-input]

import folded
```

```{code-cell} ipython3
a = 1

b = 2
```

```{code-cell} ipython3
---
tags: [remove-cell]
---
assert a
```

```{code-cell} ipython3
---
mystnb:
  figure:
    caption: |
      Words that stand in options.
---
draw()
```

```python
# course_lib/quoted.py
quoted = 1
```

```bash
a terminal is no code to read
```

$$a = b$$

:::{admonition} Predict, then try
:class: tip
Boxed words.
:::

Last line.
"""


def test_prose_is_what_is_read_in_a_row():
    assert prose(PAGE).split() == [
        "#",
        "Signs:",
        "why?",
        "Three",
        "words",
        "here.",
        "Last",
        "line.",
    ]


def test_only_code_that_is_shown_counts():
    assert code_lines(PAGE) == len(["a", "b", "draw", "# course_lib", "quoted"])


@pytest.mark.parametrize(
    ("words", "lines", "wanted"),
    [(0, 0, 5), (1000, 0, 5), (1001, 0, 10), (0, 60, 5), (0, 61, 10), (2400, 96, 20)],
)
def test_words_and_lines_each_have_a_pace(words, lines, wanted):
    cell = "```{code-cell} ipython3\n" + "x\n" * lines + "```\n"
    assert minutes("word " * words + "\n" + cell) == wanted


def test_boxes_take_time_too():
    assert minutes(":::{question} Why?\n" + "word " * 1001 + "\n:::\n") == 10
