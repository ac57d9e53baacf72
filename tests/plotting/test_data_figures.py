"""The figures of the chapter on data: what they show, from made-up arrays."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from course_lib.plotting import data as figures
from course_lib.plotting.style import COLORS, figure_to_svg

RNG = np.random.default_rng(0)
SHARES = [0, 0.5, 1]


def make_pipeline():
    return figures.pipeline()


def make_four_tensors():
    table = (["age  shoes", " 65  boots"], ["age", "boots"], np.array([[-0.5, 1.0]]))
    note = ("Walks well", ["walks", "well", "·"], [4, 7, 0])
    wave = np.arange(8.0)
    picture = np.arange(100, dtype=np.uint8).reshape(10, 10)
    return figures.four_tensors(table, note, (wave, wave.reshape(2, 4), 4.0), picture)


def make_buffers():
    seen = {"none": np.eye(10).repeat(2, axis=0) * 5, "all": np.full((20, 10), 0.5)}
    return figures.buffers(seen, SHARES, [[0.1, 0.5, 0.7], [0.1, 0.7, 0.9]], 0.8)


def make_noise():
    return figures.noise(SHARES, {"end": [[0.9, 0.8, 0.4], [0.9, 0.6, 0.2]], "early": [[0.9] * 3]})


def make_operating_points():
    recall, precision = np.linspace(0, 1, 5), np.linspace(1, 0.1, 5)
    curves = {"plain": (recall, precision), "weights": (recall, precision / 2)}
    return figures.operating_points(curves, {"plain": (0.2, 0.9), "weights": (0.9, 0.1)}, 0.02)


def make_optimism():
    return figures.optimism(
        {"by row": [0.9, 0.8], "by person": [0.6, 0.8]},
        {"by row": [0.7, 0.7], "by person": [0.7, 0.7]},
    )


def make_label_curves():
    return figures.label_curves([20, 50], {"random": [[0.5, 0.7], [0.7, 0.9]], "asked": [[0.6, 1]]})


MAKERS = [
    make_pipeline,
    make_four_tensors,
    make_buffers,
    make_noise,
    make_operating_points,
    make_optimism,
    make_label_curves,
]


def texts(axes):
    return [text.get_text() for text in axes.texts]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure_and_draws_the_same_twice(make):
    first, second = make(), make()
    assert isinstance(first, Figure)
    assert figure_to_svg(first) == figure_to_svg(second)


def test_the_pipeline_mixes_sorted_shards():
    (axes,) = make_pipeline().axes
    shown = [text for text in texts(axes) if text.isdigit()]
    shards, held, batch = shown[:16], shown[16:32], shown[32:]
    assert shards == sorted(shards) and set(shards) == set("0123")
    assert all(len(set(shards[k : k + 4])) == 1 for k in range(0, 16, 4))
    # Each class is in the buffer as often as in the shards, and no row of it is a class.
    assert sorted(held) == sorted(shards)
    assert all(len(set(held[k : k + 4])) > 2 for k in range(0, 16, 4))
    assert len(batch) == 5 and len(set(batch)) == 4
    for stage in ("shards on disk", "shuffle buffer", "batch", "network"):
        assert stage in texts(axes)


def test_each_raw_thing_stands_beside_its_tensor():
    panels = make_four_tensors().axes
    assert texts(panels[1]) == ["−0.5", "1.0", "age", "boots"]
    assert texts(panels[3]) == ["4", "7", "0", "walks", "well", "·"]
    assert np.array_equal(panels[4].lines[0].get_xdata(), np.arange(8) / 4)
    assert np.array_equal(panels[5].images[0].get_array(), np.arange(8).reshape(2, 4))
    assert panels[6].images[0].get_array().shape == (10, 10)
    assert texts(panels[7])[0] == f"{22 / 255:.2f}"


def test_batches_and_what_they_teach():
    first, second, curve = make_buffers().axes
    assert np.array_equal(first.images[0].get_array(), np.eye(10).repeat(2, axis=0).T * 5)
    assert second.get_xlabel() == "batch"
    mean = curve.lines[0]
    assert mean.get_xdata() == pytest.approx([0, 50, 100])
    assert mean.get_ydata() == pytest.approx([10, 60, 80])
    assert curve.lines[-1].get_ydata() == [80, 80]


def test_noise_shows_means_and_ranges():
    (axes,) = make_noise().axes
    assert axes.lines[0].get_ydata() == pytest.approx([90, 70, 30])
    low, high = (f(axes.collections[0].get_paths()[0].vertices[:, 1]) for f in (min, max))
    assert (low, high) == pytest.approx((20, 90))
    assert len({line.get_linestyle() for line in axes.lines}) == 2


def test_a_point_has_the_color_of_its_curve():
    (axes,) = make_operating_points().axes
    plain, point, weights, other, guess = axes.lines
    assert to_hex(plain.get_color()) == to_hex(point.get_color()) == COLORS[0]
    assert to_hex(weights.get_color()) == to_hex(other.get_color())
    assert point.get_xydata().tolist() == [[0.2, 0.9]]
    assert point.get_marker() != other.get_marker()
    assert guess.get_ydata() == [0.02, 0.02]


def test_each_repetition_is_a_line_from_promise_to_truth():
    row, person = make_optimism().axes
    assert [line.get_ydata().tolist() for line in row.lines[:2]] == [[90, 70], [80, 70]]
    assert row.lines[-1].get_ydata() == pytest.approx([85, 70])
    assert person.lines[-1].get_ydata() == pytest.approx([70, 70])


def test_label_curves_show_runs_and_their_mean():
    (axes,) = make_label_curves().axes
    assert axes.lines[2].get_ydata() == pytest.approx([60, 80])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["random", "asked"]
