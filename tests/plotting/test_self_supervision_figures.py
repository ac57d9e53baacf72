"""The figures of the chapter on self-supervised learning: what they show, from made-up arrays."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from course_lib.plotting import self_supervision as figures
from course_lib.plotting.style import figure_to_svg

COSINES = np.round(np.random.default_rng(0).uniform(-1, 1, (6, 6)), 2)


def make_two_views():
    images = np.random.default_rng(1).uniform(size=(2, 3, 10, 10))
    return figures.two_views(*images, COSINES)


def make_accuracy_by_labels():
    scores = {
        "one": np.array([[0.4, 0.7], [0.6, 0.9]]),
        "other": np.array([[0.1, 0.2], [0.1, 0.2]]),
    }
    return figures.accuracy_by_labels((10, 50), scores, guess=0.1)


def make_spectra():
    values = {"wide": np.array([[1.0, 0.1, 0.01]]), "flat": np.array([[0.1, 1e-6, 0.0]] * 2)}
    return figures.spectra(values, floor=1e-4)


MAKERS = [make_two_views, make_accuracy_by_labels, make_spectra]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure_and_draws_the_same_twice(make):
    first, second = make(), make()
    assert isinstance(first, Figure)
    assert figure_to_svg(first) == figure_to_svg(second)


def test_every_two_views_are_compared_and_partners_are_bold():
    (axes,) = make_two_views().axes
    assert len(axes.images) == 6
    bold = [t.get_text() for t in axes.texts if t.get_fontweight() == "bold"]
    partners = [COSINES[i, (i + 3) % 6] for i in range(6)]
    written = [f"{value:.2f}".replace("-", "−") for value in partners]
    assert sorted(bold) == sorted([*written, "encoder"])
    texts = [t.get_text() for t in axes.texts]
    assert texts.count("×") == 6
    others = [COSINES[i, j] for i in range(6) for j in range(6) if i != j]
    for value in others:
        assert f"{value:.2f}".replace("-", "−") in texts


def test_two_views_wants_three_images_and_their_table():
    with pytest.raises(ValueError, match="three images"):
        figures.two_views(np.zeros((2, 8, 8)), np.zeros((2, 8, 8)), np.zeros((4, 4)))


def test_accuracies_are_means_with_a_point_for_each_seed():
    (axes,) = make_accuracy_by_labels().axes
    lines = {line.get_label(): line for line in axes.lines if line.get_label()[0] != "_"}
    assert np.allclose(lines["one"].get_ydata(), [50, 80])
    faint = [line for line in axes.lines if line.get_alpha()]
    assert len(faint) == 4
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["10", "50"]


def test_a_spectrum_is_logarithmic_down_to_its_floor():
    (axes,) = make_spectra().axes
    wide, flat, again = axes.lines
    assert np.allclose(wide.get_ydata(), [0, -1, -2])
    assert np.allclose(flat.get_ydata(), [-1, -4, -4])
    assert flat.get_label() == "flat"
    assert again.get_label().startswith("_")
    ticks = [tick.get_text() for tick in axes.get_yticklabels()]
    assert ticks == ["0.0001", "0.001", "0.01", "0.1", "1"]
