"""The figures of the chapter on robotics: what they show, from made-up arrays."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from course_lib.plotting import robotics as figures
from course_lib.plotting.style import figure_to_svg

RNG = np.random.default_rng(0)


def make_lane():
    return figures.lane(RNG.random(16), edge=2.0)


def make_camera():
    films = {
        "long": (RNG.random((40, 16)), np.zeros(40)),
        "short": (RNG.random((20, 16)), np.linspace(0, 2, 20)),
    }
    return figures.camera(films, seconds=0.1, edge=2.0)


def make_drift():
    near, share = np.linspace(0, 1, 50), np.linspace(1, 0.5, 50)
    return figures.drift({"one": [near, 2 * near]}, {"one": [share, share / 2]}, seconds=0.1)


def make_moment():
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    road = 50 * np.cos(angle), 30 * np.sin(angle)
    path = np.stack(road, axis=1)[:20]
    return figures.moment(road, 2.0, {"on": (path, None), "off": (path[:5], 3.0)}, seconds=12.0)


def make_learning():
    runs = [([0, 100], [-1200, -200]), ([0, 100], [-1000, -150])]
    return figures.learning({"one": runs}, {"the rule": -150.0})


def make_delays():
    shares = {"one": [[1.0, 0.5, 0.0]], "other": [[1.0, 1.0, 1.0]]}
    far = {"one": [[0.1, 0.4, np.nan]], "other": [[0.2, 0.2, 0.3]]}
    return figures.delays([0, 0.1, 0.2], shares, far, (0, 0.1))


def make_shield():
    d, psi = np.linspace(-2, 2, 9), np.linspace(-40, 40, 7)
    allowed = RNG.random((7, 9))
    allowed[0] = np.nan
    path = RNG.normal(size=(30, 2))
    return figures.shield(d, psi, allowed, path, path[:, 0] > 1, edge=2.0)


def make_paint():
    return figures.paint([1.0, 0.5], {"one": [[0.1, 0.4], [0.2, 0.8]], "other": [[0, 0.1]]})


MAKERS = [
    make_lane,
    make_camera,
    make_drift,
    make_moment,
    make_learning,
    make_delays,
    make_shield,
    make_paint,
]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure(make):
    figure = make()
    assert isinstance(figure, Figure)
    assert figure_to_svg(figure) == figure_to_svg(figure)


def test_the_lane_names_what_the_driver_is_told():
    (axes,) = make_lane().axes
    texts = " ".join(text.get_text() for text in axes.texts)
    for word in ("$d$", r"\psi", r"\delta", "pixels", "edge", "middle"):
        assert word in texts


def test_a_film_that_ends_early_says_so():
    first, second = [axes for axes in make_camera().axes if axes.get_title(loc="left")]
    assert not first.texts
    assert "off the road" in second.texts[0].get_text()


def test_drift_has_a_line_for_the_mean_and_a_band_for_the_seeds():
    left, right = make_drift().axes
    assert np.allclose(left.lines[0].get_ydata(), 1.5 * np.linspace(0, 1, 50))
    band = right.collections[0].get_paths()[0].vertices[:, 1]
    assert np.isclose(band.max(), 100) and np.isclose(band.min(), 25)


def test_a_moment_says_who_has_left():
    (axes,) = make_moment().axes
    texts = [text.get_text() for text in axes.texts]
    assert "12 s" in texts and "off the road after 3 s" in texts


def test_delays_leave_out_what_nobody_reached():
    left, right = make_delays().axes
    one = next(line for line in right.lines if line.get_label() == "one")
    assert len(one.get_xdata()) == 2
    assert [line.get_ydata().max() for line in left.lines] == [100, 100]


def test_paint_wears_off_to_the_right():
    (axes,) = make_paint().axes
    left, right = axes.get_xlim()
    assert left > right
    assert np.allclose(axes.lines[0].get_ydata(), [15, 60])
