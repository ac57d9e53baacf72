"""The figures of the chapter on large language models, from made-up arrays."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from course_lib.plotting import language_models as figures
from course_lib.plotting.style import figure_to_svg

RNG = np.random.default_rng(0)


def make_stages():
    return figures.stages()


def make_next_tokens():
    names = [" the", " a", ".", " of"]
    return figures.next_tokens(
        {"A": (names, [0.9, 0.05, 0.03, 0.01]), "B": (names, [0.3, 0.25, 0.2, 0.15])}, 2, 0.75
    )


def make_learning():
    return figures.learning([0, 10, 20], {"all": RNG.random((3, 3)), "few": RNG.random((3, 3))})


def make_hacking():
    curves = {"reward": RNG.random((3, 9)), "right": RNG.random((3, 9))}
    return figures.hacking({"honest": curves, "planted": curves})


def make_merging():
    return figures.merging([("as bytes", "abc"), ("merge 1", ["ab", "c"]), ("merge 2", ["abc"])])


def make_adapter():
    return figures.adapter(10, 20, 2)


MAKERS = [make_stages, make_next_tokens, make_learning, make_hacking, make_merging, make_adapter]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure(make):
    figure = make()
    assert isinstance(figure, Figure)
    assert figure_to_svg(figure) == figure_to_svg(figure)


def test_stages_say_on_what_and_by_which_loss():
    texts = " ".join(text.get_text() for text in figures.stages().axes[0].texts)
    for word in ("pretraining", "fine-tuning", "preferences", "log p", "reward", "base model"):
        assert word in texts


def test_top_p_keeps_the_token_that_crosses():
    left, right = make_next_tokens().axes
    kept = [sum(bar.get_height() for bar in axes.containers[0]) for axes in (left, right)]
    np.testing.assert_allclose(kept, [0.9, 0.75])
    assert [len(axes.containers[0]) for axes in (left, right)] == [1, 3]
    assert left.lines[0].get_xdata()[0] == 1.5


def test_curves_are_medians_over_the_seeds():
    values = np.array([[0.0, 0.2], [0.1, 0.9], [0.0, 0.5]])
    axes = figures.learning([0, 10], {"all": values}).axes[0]
    assert axes.lines[0].get_ydata().tolist() == [0.0, 0.5]
    assert len(axes.lines) == 4
    first, second = figures.hacking({"one": {"reward": values}, "two": {"reward": 1 - values}}).axes
    assert first.lines[0].get_ydata().tolist() == [0.0, 0.5]
    assert second.lines[0].get_ydata().tolist() == [1.0, 0.5]
    assert (first.get_title(loc="left"), second.get_title(loc="left")) == ("one", "two")


def test_a_word_grows_together_and_what_is_new_is_thick():
    (axes,) = make_merging().axes
    texts = [text.get_text() for text in axes.texts]
    assert [text for text in texts if text in ("a", "b", "c", "ab", "abc")] == [
        *("a", "b", "c"),
        *("ab", "c"),
        "abc",
    ]
    assert [text for text in texts if "token" in text] == ["3 tokens", "2 tokens", "1 token"]
    thick = [patch for patch in axes.patches if patch.get_linewidth() == 2.4]
    # A token keeps the room of its letters: the third row's is as wide as all three.
    widths = [patch.get_width() for patch in thick]
    assert len(thick) == 2 and widths[1] == pytest.approx(widths[0] + 0.5)


def test_the_adapter_writes_the_shapes_of_both_paths():
    (axes,) = make_adapter().axes
    texts = [text.get_text() for text in axes.texts]
    for text in (
        "W, frozen",
        "(10, 20), 200 numbers",
        "A, trained",
        "(2, 20), 40 numbers",
        "B, trained",
        "(10, 2), 20 numbers",
        "20 numbers",
        "10 numbers",
        "2 numbers",
    ):
        assert texts.count(text) == 1, text


@pytest.mark.parametrize("make", [make_merging, make_adapter])
def test_nothing_in_a_drawing_leaves_the_sheet(make):
    figure = make()
    figure.draw_without_rendering()
    (axes,) = figure.axes
    wide, tall = axes.get_xlim()[1], axes.get_ylim()[1]
    for text in axes.texts:
        box = text.get_window_extent().transformed(axes.transData.inverted())
        assert box.x0 >= 0 and box.x1 <= wide and box.y0 >= 0 and box.y1 <= tall, text.get_text()
