"""The figures of the chapter on overfitting: what they show, from made-up arrays."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from course_lib.plotting import overfitting as figures
from course_lib.plotting.style import figure_to_svg

AT = np.linspace(-1, 1, 21)
WIDTHS = [2, 4, 8, 16, 32]


def make_two_labelings():
    learned = {"true": [[0.5, 1.0], [0.6, 0.9, 1.0]], "shuffled": [[0.1, 0.4, 0.8, 1.0]]}
    epochs = {"true": [[2, 2], [3, 1]], "shuffled": [[4, 8]]}
    return figures.two_labelings(learned, {"true": 0.96, "shuffled": 0.1}, [100, 200], epochs)


def make_three_regimes():
    rng = np.random.default_rng(0)
    fits = {p: np.sin(AT) + rng.normal(0, 0.1 * p, size=(5, 21)) for p in (2, 8, 32)}
    terms = {"test error": np.array([1, 0.5, 9, 2, 1]), "bias²": np.full(5, 0.1)}
    return figures.three_regimes(AT, np.sin(AT), fits, (AT[::3], np.zeros(7)), WIDTHS, terms)


def make_two_valleys():
    errors = {"true": [[0.7, 0.6, 20, 0.5, 0.3]] * 2, "ridge": [[0.7, 0.6, 0.5, 0.4, 0.3]] * 2}
    return figures.two_valleys([20, 50, 100, 200, 2000], errors, 100, 0.9)


def make_under_shifts():
    images = {kind: {s: np.full((8, 8), s / 4) for s in (0, 2, 4)} for kind in ("move", "blur")}
    falls = np.array([[0.9, 0.8, 0.5, 0.3, 0.1], [1.0, 0.8, 0.5, 0.3, 0.2]])
    stays = np.full((2, 5), 0.8)
    return figures.under_shifts(images, dict.fromkeys(images, falls), dict.fromkeys(images, stays))


def make_papers():
    images = np.random.default_rng(0).uniform(size=(2, 8, 8))
    accuracy = {"plain": [[1.0, 0.2], [0.9, 0.4]], "weighted": [[0.9, 0.8], [0.9, 0.7]]}
    return figures.papers(images, ["many", "few"], ["a 3; 500", "a 7; 26"], accuracy)


def make_learning_curves():
    curves = {"average": [[0.9, 1.0], [0.9, 0.92]], "worst": [[0.2, 0.4], [0.5, 0.7]]}
    points = {"average": [0.9, 0.9], "worst": [0.6, 0.8]}
    return figures.learning_curves([100, 400], curves, 120, points)


def make_symptoms():
    logs = {
        "script": {"losses": [2.0, 1.0], "rates": [0.1, 0.05], "norms": [3.0, 2.5]},
        "mended": {"losses": [2.0, 1.5], "rates": [0.1, 0.1], "norms": [3.0, 1.0]},
    }
    return figures.symptoms(logs)


MAKERS = [
    make_learning_curves,
    make_symptoms,
    make_two_labelings,
    make_three_regimes,
    make_two_valleys,
    make_under_shifts,
    make_papers,
]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure_and_draws_the_same_twice(make):
    first, second = make(), make()
    assert isinstance(first, Figure)
    assert figure_to_svg(first) == figure_to_svg(second)


def test_each_run_is_a_curve_and_the_test_is_in_the_legend():
    left, right = make_two_labelings().axes
    assert [len(line.get_xdata()) for line in left.lines] == [2, 3, 4]
    legend = [text.get_text() for text in left.get_legend().get_texts()]
    assert legend == ["true (test: 96%)", "shuffled (test: 10%)"]
    means = {line.get_label(): line.get_ydata().tolist() for line in right.lines}
    assert means["true"] == [2.5, 1.5]
    assert means["shuffled"] == [4, 8]


def test_three_fits_stand_over_one_curve():
    *above, below = make_three_regimes().axes
    titles = [panel.get_title(loc="left") for panel in above]
    assert titles == ["2 features", "8 features", "32 features"]
    assert all(len(panel.lines) == 2 for panel in above), "the truth and one fit"
    assert all(len(panel.collections[0].get_segments()) == 4 for panel in above), "the others thin"
    named = {line.get_label(): line.get_ydata() for line in below.lines}
    assert named["test error"].tolist() == [1, 0.5, 9, 2, 1]
    assert below.get_yscale() == "log"
    (mark,) = [line for line in below.lines if len(line.get_xdata()) == 2]
    assert list(mark.get_xdata()) == [7, 7]


def test_the_mean_of_the_splits_is_drawn_over_them():
    (axes,) = make_two_valleys().axes
    named = {line.get_label(): line.get_ydata() for line in axes.lines}
    assert np.allclose(named["true"], [0.7, 0.6, 20, 0.5, 0.3])
    assert "ignores the image" in [text.get_text() for text in axes.texts]


def test_a_shift_has_its_pictures_and_two_curves():
    panel, _ = make_under_shifts().axes
    assert [image.get_extent()[0] + 0.85 for image in panel.images] == [0, 2, 4]
    curves = {line.get_label(): line.get_ydata() for line in panel.lines}
    assert np.allclose(curves["accuracy"], [0.95, 0.8, 0.5, 0.3, 0.15])
    assert np.allclose(curves["confidence"], 0.8)


def test_each_group_has_its_sample_its_count_and_its_bars():
    many, few, left, right = make_papers().axes
    assert many.get_xlabel() == "a 3; 500"
    assert few.get_title(loc="left") == "few"
    assert [bar.get_height() for bar in right.patches] == pytest.approx([0.3, 0.75])
    assert [text.get_text() for text in left.texts] == ["95%", "90%"]


def test_learning_curves_have_their_mean_and_the_other_collection_stands_apart():
    (axes,) = make_learning_curves().axes
    named = {line.get_label(): line for line in axes.lines}
    assert named["worst"].get_ydata() == pytest.approx([0.3, 0.6])
    star = axes.containers[1].lines[0]
    assert (star.get_xdata()[0], star.get_ydata()[0]) == pytest.approx((120, 0.7))
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels[-1] == "worst, rare groups added"


def test_symptoms_are_three_curves_for_each_script():
    losses, rates, norms = make_symptoms().axes
    assert [list(line.get_ydata()) for line in losses.lines] == [[2.0, 1.0], [2.0, 1.5]]
    assert list(rates.lines[0].get_xdata()) == [1, 2]
    assert norms.get_title(loc="left") == "length of the gradient"
    (alone,) = figures.symptoms({"s": {"losses": [1], "rates": [1], "norms": [1]}}).axes[:1]
    assert alone.get_legend() is None, "one script needs no legend"
