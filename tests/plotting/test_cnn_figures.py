"""The figures of the chapter on convolutional networks: what they show, from made-up arrays."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from course_lib.plotting import cnn as figures
from course_lib.plotting.style import COLORS, figure_to_svg

IMAGE = np.arange(30).reshape(5, 6) % 7
KERNEL = np.array([[1, 0], [0, -2]])
LAYERS = [("first", 3, 1), ("second", 2, 2), ("third", 3, 1)]


def make_window():
    return figures.window(IMAGE, KERNEL, (1, 3))


def make_shared_weights():
    return figures.shared_weights(4, 3)


def make_channels():
    return figures.channels(3, 2, 3, ("red", "green", "blue"))


def make_pipeline():
    return figures.pipeline([(1, 12), (3, 12), (5, 6)], ["conv", "max", "linear"], 4)


def make_receptive_field():
    return figures.receptive_field(LAYERS, outputs=3)


def make_feature_maps():
    photograph = np.random.default_rng(0).uniform(size=(20, 30, 3))
    edges = photograph.mean(axis=2)[:, 2:] - photograph.mean(axis=2)[:, :-2]
    blurred = photograph.mean(axis=2)[1:-1, 1:-1]
    kernel = np.array([[-1.0, 0.0, 1.0]] * 3)
    return figures.feature_maps(
        photograph, {"edges": (kernel, edges), "blur": (np.full((3, 3), 1 / 9), blurred)}
    )


def make_filters():
    rng = np.random.default_rng(0)
    maps = rng.uniform(size=(4, 12, 12))
    return figures.filters(rng.normal(size=(4, 5, 5)), rng.uniform(size=(12, 12)), maps)


def make_moved():
    curves = {"dense": [[0.1, 0.9, 0.1], [0.2, 0.8, 0.3]], "pooled": [[0.7, 0.8, 0.7]] * 2}
    return figures.moved([-1, 0, 1], curves)


def make_depth():
    return figures.depth({"plain": [[2.0, 1.5], [1.8, 1.3]], "residual": [[2.0, 1.0]] * 2})


MAKERS = [
    make_window,
    make_shared_weights,
    make_channels,
    make_pipeline,
    make_receptive_field,
    make_feature_maps,
    make_filters,
    make_moved,
    make_depth,
]


def texts(axes):
    return [text.get_text() for text in axes.texts]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure_and_draws_the_same_twice(make):
    first, second = make(), make()
    assert isinstance(first, Figure)
    assert figure_to_svg(first) == figure_to_svg(second)


def test_the_window_writes_out_the_sum_at_its_place():
    (axes,) = make_window().axes
    # IMAGE[1, 3] is 2 and IMAGE[2, 4] is 2.
    assert (IMAGE[1, 3], IMAGE[2, 4]) == (2, 2)
    assert "2·1 + 2·(−2) = −2" in texts(axes)
    # All numbers of the image, the kernel and the 4 by 5 results.
    assert sum(text.lstrip("−").isdigit() for text in texts(axes)) == 30 + 4 + 20


def test_each_row_of_the_matrix_has_the_same_letters_further_right():
    (axes,) = make_shared_weights().axes
    letters = [text for text in axes.texts if text.get_text() in "abcdefghi"]
    assert len(letters) == 4 * 9
    assert "4 outputs" in texts(axes)
    rows = {}
    for text in letters:
        x, y = text.get_position()
        rows.setdefault(round(y, 6), []).append((x, text.get_text()))
    side = 6.2 / 16
    for where, first in zip((0, 1, 4, 5), sorted(rows, reverse=True), strict=True):
        written = sorted(rows[first])
        assert "".join(letter for _, letter in written) == "abcdefghi"
        columns = [round((x - 0.7) / side - 0.5) for x, _ in written]
        assert columns == [where + 4 * i + j for i in range(3) for j in range(3)]


def test_each_output_channel_has_a_kernel_for_each_input_channel():
    (axes,) = make_channels().axes
    assert texts(axes).count("sum of 3, + bias") == 2
    assert {"red", "green", "blue", "3 channels", "channel 1", "channel 2"} <= set(texts(axes))
    for color in COLORS[:2]:
        outlines = [p for p in axes.patches if p.get_linewidth() == 1.2 and not p.get_fill()]
        of_color = [p for p in outlines if to_hex(p.get_edgecolor()) == color]
        assert len(of_color) == 3 + 1  # kernels, and the output


def test_a_pipeline_has_a_plane_for_each_map_and_a_name_for_each_step():
    (axes,) = make_pipeline().axes
    assert {"image", "3 maps", "5 maps", "12 × 12", "6 × 6", "logits"} <= set(texts(axes))
    places = {text.get_text(): text.get_position()[0] for text in axes.texts}
    assert places["image"] < places["conv"] < places["3 maps"] < places["max"]
    assert places["max"] < places["5 maps"] < places["linear"] < places["logits"]
    outlines = [p for p in axes.patches if to_hex(p.get_edgecolor()) == COLORS[0]]
    assert len(outlines) == 3 + 5
    # A plane in front hides those behind it.
    of_five = sorted(outlines[3:], key=lambda p: p.get_x())
    assert [p.get_zorder() for p in of_five] == sorted(p.get_zorder() for p in of_five)[::-1]
    assert len({round(p.get_width(), 6) for p in outlines}) == 2


def test_the_receptive_field_is_counted_downwards():
    (axes,) = make_receptive_field().axes
    # The middle one of 3 units sees 3 of 5; these see 3 * 2 = 6 of 10; those see 8 of 12.
    assert {"1 unit", "3 units", "6 units", "8 pixels"} <= set(texts(axes))
    filled = [p for p in axes.patches if p.get_fill()]
    assert len(filled) == 3 + 5 + 10 + 12
    seen = [p for p in filled if to_hex(p.get_facecolor()) == COLORS[0]]
    assert len(seen) == 1 + 3 + 6 + 8
    image = sorted(p.get_x() for p in seen if p.get_y() == min(q.get_y() for q in seen))
    whole = sorted(p.get_x() for p in filled if p.get_y() == min(q.get_y() for q in filled))
    assert image == whole[2:10]


def test_zero_is_gray_in_a_map_with_negative_numbers():
    photograph, edges, blur, empty = make_feature_maps().axes
    low, high = edges.images[0].get_clim()
    assert low == -high
    assert blur.images[0].get_clim()[0] == 0
    assert texts(edges) == ["−1", "0", "1"] * 3
    assert texts(blur) == ["1/9"] * 9
    assert not texts(photograph)
    assert not empty.images


def test_kernels_share_a_scale_and_so_do_maps():
    (axes,) = make_filters().axes
    digit, maps = axes.images[-1], axes.images[:-1]
    assert len(maps) == 4
    assert len({image.get_clim() for image in maps}) == 1
    assert digit.get_array().shape == (12, 12)


def test_a_line_is_the_mean_of_the_seeds_and_its_band_their_range():
    (axes,) = make_moved().axes
    dense = next(line for line in axes.lines if line.get_label() == "dense")
    assert dense.get_ydata() == pytest.approx([0.15, 0.85, 0.2])
    band = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == (0.1, 0.9)
    assert len({line.get_marker() for line in axes.lines[:2]}) == 2


def test_epochs_count_from_one():
    (axes,) = make_depth().axes
    assert [line.get_xdata().tolist() for line in axes.lines] == [[1, 2], [1, 2]]
    assert axes.lines[0].get_ydata() == pytest.approx([1.9, 1.4])
    assert axes.get_ylim()[0] == 0
