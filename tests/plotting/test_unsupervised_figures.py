"""The figures of the chapter on unsupervised learning: what they show, from made-up arrays."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from course_lib.plotting import unsupervised as figures
from course_lib.plotting.style import figure_to_svg

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(20, 2))
IMAGES = RNG.uniform(size=(4, 8, 8))


def make_gallery():
    return figures.gallery([("clean", IMAGES), ("rebuilt", IMAGES / 2)], notes=[7, 8, 9, 10])


def make_alternation():
    start, moved = np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([[0.9, -0.9], [1.0, 1.01]])
    labels = np.arange(20) % 2
    steps = [
        ("start", start, None, None),
        ("join", start, labels, None),
        ("move", moved, labels, start),
    ]
    return figures.alternation(POINTS, steps)


def make_starts():
    errors = {"random": [3.0, 1.0, 2.0], "careful": [1.0, 1.0, 1.5]}
    return figures.starts(POINTS, {"random": POINTS[:3], "careful": POINTS[3:6]}, errors)


def make_how_many():
    counts = [2, 4, 8]
    errors = {"houses": [0.5, 0.1, 0.01], "digits": [0.9, 0.8, 0.7]}
    return figures.how_many(counts, errors, {"houses": [0.2, 0.4, 0.7], "digits": [0.1, 0.1, 0.1]})


def make_shapes():
    labels = np.arange(20) % 2
    return figures.shapes(
        {"two": (POINTS, labels, POINTS[:2]), "one": (POINTS, 0 * labels, POINTS[:1])}
    )


def make_directions():
    components = np.zeros((5, 8, 8))
    components[:, 2, 3], components[:, 5, 5] = 1.0, -0.9
    return figures.directions(IMAGES[0], components, [0.5, 0.2, 0.15, 0.1, 0.05])


def make_autoencoder():
    return figures.autoencoder(IMAGES[0], [0.5, -1.25, 2.0], IMAGES[1])


def make_maps():
    digits = np.arange(20) % 4
    return figures.maps({"PCA": (POINTS, digits), "Autoencoder": (POINTS**2, digits)})


def make_strangers():
    errors = {"normal": [0.1, 0.2, 0.2, 0.4], "strangers": [0.5, 0.9]}
    curves = [[0.5, 0.8, 0.6], [0.4, 0.9, 0.7]]
    return figures.strangers(errors, 0.45, [1, 5, 9], curves, {"mean": (0, [0.2, 0.3])})


def make_topics():
    table = np.array([[30, 2, 0], [1, 9, 16]])
    return figures.topics(table, ["one", "two", "three"], ["rate, step", "image, filter"])


def make_segments():
    photograph = np.zeros((6, 9, 3))
    photograph[:, 3:6], photograph[:, 6:] = 0.5, 1.0
    labels = np.repeat([2, 0, 1], 3)[np.newaxis].repeat(6, axis=0)
    panels = {"color": labels, "learned": (labels + 1) % 3, "both": labels}
    return figures.segments(photograph, panels, {"left": (1, 4, 0, 2)})


MAKERS = [
    make_gallery,
    make_alternation,
    make_starts,
    make_how_many,
    make_shapes,
    make_directions,
    make_autoencoder,
    make_maps,
    make_strangers,
    make_topics,
    make_segments,
]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure_and_draws_the_same_twice(make):
    first, second = make(), make()
    assert isinstance(first, Figure)
    assert figure_to_svg(first) == figure_to_svg(second)


def test_every_image_of_a_row_is_shown_with_its_note():
    (axes,) = make_gallery().axes
    assert len(axes.images) == 8
    assert np.array_equal(axes.images[5].get_array(), IMAGES[1] / 2)
    texts = [text.get_text() for text in axes.texts]
    assert texts == ["clean", "rebuilt", "7", "8", "9", "10"]
    # The second row lies below the first, in axes whose y grows downwards.
    low, high = axes.get_ylim()
    assert low > high
    assert axes.images[4].get_extent()[3] > axes.images[0].get_extent()[2]


def test_a_step_of_k_means_joins_points_to_centers_and_shows_long_moves():
    start, join, move = make_alternation().axes
    assert len(start.collections) == 3, "the points, and two centers"
    lines = [
        line
        for part in join.collections
        if hasattr(part, "get_segments")
        for line in part.get_segments()
    ]
    assert len(lines) == 20
    ends = {tuple(line[1]) for line in lines}
    assert ends == {(0.0, 0.0), (1.0, 1.0)}
    # One center has moved far, the other too little to see.
    assert len(move.texts) == 1
    assert not join.texts


def test_runs_are_drawn_from_best_to_worst():
    *_, runs = make_starts().axes
    named = {line.get_label(): line.get_ydata() for line in runs.lines}
    assert list(named["random"]) == [1.0, 2.0, 3.0]
    assert runs.get_ylim()[0] == 0


def test_both_data_sets_are_in_both_panels():
    left, right = make_how_many().axes
    for axes in (left, right):
        assert [line.get_label() for line in axes.lines] == ["houses", "digits"]
    assert left.get_yscale() == "log"
    assert [tick.get_text() for tick in left.get_yticklabels()][:2] == ["0.005", "0.01"]


def test_each_cluster_has_its_marks_and_its_center():
    two, one = make_shapes().axes
    assert [len(part.get_offsets()) for part in two.collections] == [10, 10]
    assert [len(part.get_offsets()) for part in one.collections] == [20]
    assert (len(two.lines), len(one.lines)) == (2, 1)


def test_negative_parts_of_a_component_are_hatched_and_shares_add_up():
    left, right = make_directions().axes
    strokes = [part for part in left.collections if hasattr(part, "get_segments")]
    assert [len(part.get_segments()) for part in strokes] == [1] * 5
    assert [text.get_text() for text in left.texts] == ["mean", "50%", "20%", "15%", "10%", "5%"]
    assert right.lines[0].get_ydata() == pytest.approx([0, 0.5, 0.7, 0.85, 0.95, 1])


def test_the_code_is_written_with_real_minus_signs_between_two_images():
    (axes,) = make_autoencoder().axes
    texts = [text.get_text() for text in axes.texts]
    assert {"0.5", "−1.2", "2.0", "encoder", "decoder", "3 numbers", "loss"} <= set(texts)
    assert texts.count("64 numbers") == 2
    first, last = axes.images
    assert first.get_extent()[1] < last.get_extent()[0]
    # Upright: the first row of pixels on top.
    assert first.get_extent()[3] > first.get_extent()[2]
    assert first.origin == "upper"


def test_a_map_draws_each_digit_as_a_numeral_of_its_own():
    left, right = make_maps().axes
    assert [len(part.get_offsets()) for part in left.collections] == [5] * 4
    outlines = {part.get_paths()[0].vertices.tobytes() for part in left.collections}
    assert len(outlines) == 4
    assert right.get_title(loc="left") == "Autoencoder"


def test_errors_are_percentages_of_their_kind():
    left, right = make_strangers().axes
    heights = np.array([patch.get_height() for patch in left.patches])
    assert heights.sum() == pytest.approx(200)
    assert left.lines[0].get_xdata() == [0.45, 0.45]
    assert right.lines[0].get_label() == "PCA"
    assert list(right.lines[2].get_xdata()) == [0, 0]


def test_larger_counts_are_larger_and_the_main_chapter_stands_out():
    (axes,) = make_topics().axes
    areas = [patch.get_width() for patch in axes.patches]
    assert len(areas) == 5, "nothing is drawn for a count of 0"
    assert areas[0] == max(areas)
    assert [text.get_text() for text in axes.texts] == ["30", "16"]
    colors = [patch.get_facecolor() for patch in axes.patches]
    assert colors[0] == colors[4] != colors[1]


def test_the_darker_a_segment_the_darker_it_is_drawn():
    photograph, color, learned, both = make_segments().axes
    assert photograph.texts[0].get_text() == "left"
    painted = [axes.images[0].get_array() for axes in (color, learned, both)]
    assert np.array_equal(painted[0], painted[1]), "numbers of segments mean nothing"
    dark, middle, bright = painted[0][0, 1].mean(), painted[0][0, 4].mean(), painted[0][0, 7].mean()
    assert dark < middle < bright
