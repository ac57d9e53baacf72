"""The figures of the chapter on medicine: what they show, from made-up arrays."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from course_lib.plotting import medicine as figures
from course_lib.plotting.style import figure_to_svg

T = np.linspace(0, 0.9, 10)
PLACES = [(0.35, 0.72), (0.85, 1.08), (0.85, 1.72), (1.35, 0.72), (1.85, 1.08)]
BONDS = [(0, 1), (1, 2), (1, 3), (3, 4)]


def make_patients():
    return figures.patients({"here": (30, 20, 5, 945), "there": (1, 20, 0, 979)})


def make_decisions():
    return figures.decisions(T, {"model": 30 - 10 * T, "everybody": 30 - 90 * T}, -10, 40)


def make_hospitals():
    runs = {"home": [0.8, 0.9], "away": [0.4, 0.6]}
    return figures.hospitals({"one": runs, "other": runs})


def make_messages():
    names = ["CH3", "CH", "NH2", "CH2", "OH"]
    return figures.messages(names, PLACES, BONDS, [3, 1, 2, 2, 1], [4, 8, 3, 4, 3], at=1)


def make_splits():
    return figures.splits({"few": ([0.1, 0.2], [0.3, 0.5]), "many": ([0.2, 0.2], [0.2, 0.4])})


def make_smoothing():
    errors = {
        "last": np.array([[0.4, 0.2], [0.5, 0.3]]),
        "kept": np.array([[0.4, 0.1], [0.4, 0.1]]),
    }
    return figures.smoothing([0, 1], [0.9, 0.5], errors)


def make_confounding():
    return figures.confounding()


MAKERS = [
    make_patients,
    make_confounding,
    make_decisions,
    make_hospitals,
    make_messages,
    make_splits,
    make_smoothing,
]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure_and_draws_the_same_twice(make):
    first, second = make(), make()
    assert isinstance(first, Figure)
    assert figure_to_svg(first) == figure_to_svg(second)


def test_each_patient_is_an_icon():
    for panel, counts in zip(
        make_patients().axes, ((30, 20, 5, 945), (1, 20, 0, 979)), strict=True
    ):
        groups = [len(group.get_offsets()) for group in panel.collections]
        assert groups == list(counts)
        places = {tuple(at) for group in panel.collections for at in group.get_offsets()}
        assert len(places) == 1000
        assert f"alarms: {counts[0]} ill, {counts[1]} healthy" in [
            t.get_text() for t in panel.texts
        ]


def test_the_score_is_reached_by_two_paths():
    (axes,) = make_confounding().axes
    texts = [text.get_text() for text in axes.texts]
    assert {"hospital", "illness", "marker", "cells", "score"} <= set(texts)
    assert {"the honest path", "the shortcut"} <= set(texts)
    assert all(text.get_fontsize() >= 9 for text in axes.texts)


def test_decision_curves_are_in_percent_and_nobody_is_a_line():
    (axes,) = make_decisions().axes
    named = {line.get_label(): line for line in axes.lines}
    assert np.allclose(named["model"].get_xdata(), 100 * T)
    assert np.allclose(named["everybody"].get_ydata(), 30 - 90 * T)
    assert named["model"].get_linestyle() != named["everybody"].get_linestyle()
    assert axes.get_ylim() == (-10, 40)


def test_every_run_and_their_mean_stand_at_their_place():
    (axes,) = make_hospitals().axes
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["home", "away"]
    means = [line.get_ydata()[0] for line in axes.lines if line.get_markersize() > 8]
    assert np.allclose(means, [0.85, 0.5, 0.85, 0.5])
    assert len({line.get_marker() for line in axes.lines if line.get_markersize() > 8}) == 2


def test_messages_show_the_sum_and_what_became_of_each_atom():
    (axes,) = make_messages().axes
    texts = [text.get_text() for text in axes.texts]
    assert "1 + 3 + 2 + 2 = 8" in texts
    assert texts.count("NH2") == 3 and texts.count("8") == 1
    assert all(text.get_fontsize() >= 9 for text in axes.texts)


def test_each_method_has_two_means():
    (axes,) = make_splits().axes
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["few", "many"]
    means = [line.get_xdata()[0] for line in axes.lines if line.get_markersize() == 8]
    assert np.allclose(means, [0.15, 0.4, 0.2, 0.3])


def test_smoothing_shows_means_and_bands():
    left, right = make_smoothing().axes
    assert np.allclose(left.lines[0].get_ydata(), [0.9, 0.5])
    named = {line.get_label(): line.get_ydata() for line in right.lines}
    assert np.allclose(named["last"], [0.45, 0.25])
    assert len(right.collections) == 2
