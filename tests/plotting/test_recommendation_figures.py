"""The figures of the chapter on recommendation: what they show, from made-up arrays."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from course_lib.plotting import recommendation as figures
from course_lib.plotting.style import figure_to_svg

RNG = np.random.default_rng(0)
STARS = np.where(RNG.random((7, 7)) < 0.5, 4.0, np.nan)
U, V = RNG.normal(size=(7, 3)), RNG.normal(size=(7, 3))


def make_cut_by_time():
    day = np.arange(0, 720, 2)
    return figures.cut_by_time(day, np.arange(360) % 4, [0, 300, 0, 600], (432, 576))


def make_factored():
    return figures.factored(STARS, U, V)


def make_tastes():
    panels = {"one": (U, U), "other": (U, 0 * U)}
    return figures.tastes(panels, ["explained: 100%", "explained: 0%"], ["a", "b", "c"])


def make_two_towers():
    return figures.two_towers()


def make_correction():
    taken = np.array([1, 10, 100])
    return figures.correction(taken, {"with": np.log(taken), "without": np.zeros(3)})


def make_cold_start():
    return figures.cold_start(
        {"tags": [0.4, 0.5], "any": [0.2, 0.1]}, (0, 1, 2), {"most": [[0.1, 0.2, 0.2]]}
    )


def make_disagreement():
    points = {"one": ([0.2, 0.3], [5.0, 6.0]), "other": ([0.1, 0.1], [8.0, 8.0])}
    return figures.disagreement(points, {"one": (8, 0), "other": (-8, 0)})


def make_service():
    return figures.service()


def make_narrowing():
    films = {"as it is": np.array([[120.0, 20, 12], [110, 22, 14]])}
    share = {"as it is": np.array([[0.12, 0.1, 0.05]] * 2), "by chance": np.full((2, 3), 0.125)}
    return figures.narrowing(films, share, 0.125)


def make_benchmarks():
    rows = [(2006, "first", 0.95), (2008, "worse", 0.97), (2009, "best", 0.86)]
    offsets = {name: (4, 4, "left") for _, name, _ in rows}
    return figures.benchmarks({"A": rows, "B": rows}, offsets, "error (stars)")


MAKERS = [
    make_cut_by_time,
    make_factored,
    make_tastes,
    make_two_towers,
    make_correction,
    make_cold_start,
    make_disagreement,
    make_service,
    make_narrowing,
    make_benchmarks,
]


@pytest.mark.slow
@pytest.mark.parametrize("make", MAKERS)
def test_a_figure_is_a_figure_and_draws_the_same_twice(make):
    first, second = make(), make()
    assert isinstance(first, Figure)
    assert figure_to_svg(first) == figure_to_svg(second)


def test_gaps_are_question_marks():
    texts = [text.get_text() for text in make_factored().axes[0].texts]
    assert texts.count("?") == np.isnan(STARS).sum()
    assert texts.count("4") == np.isfinite(STARS).sum()


def test_each_direction_of_taste_has_its_points():
    one, other = make_tastes().axes
    assert len(one.collections) == len(other.collections) == 3
    assert np.array_equal(one.collections[1].get_offsets(), U[:, [1, 1]])
    assert np.all(np.asarray(other.collections[2].get_offsets())[:, 1] == 0)


def test_films_stand_in_the_order_of_release_on_their_side_of_the_cuts():
    (axes,) = make_cut_by_time().axes
    learn, choose, judge = (np.asarray(dots.get_offsets()) for dots in axes.collections)
    assert learn[:, 0].max() < 432 <= choose[:, 0].min() <= choose[:, 0].max() < 576
    assert judge[0].tolist() == [576, 0] and len(learn) == 54  # every fourth: film 0, first
    assert [line.get_xdata()[0] for line in axes.lines] == [432, 576]


def test_a_film_of_a_correction_stands_at_its_count_and_score():
    up, flat = make_correction().axes
    assert np.allclose(
        up.collections[0].get_offsets(), [[1, 0], [10, np.log(10)], [100, np.log(100)]]
    )
    assert np.allclose(np.asarray(flat.collections[0].get_offsets())[:, 1], 0)


def test_cold_start_is_in_percent():
    left, right = make_cold_start().axes
    assert left.patches[0].get_height() == pytest.approx(45)
    assert right.lines[0].get_ydata() == pytest.approx([10, 20, 20])


def test_a_system_stands_at_its_mean():
    (axes,) = make_disagreement().axes
    large = [line.get_xydata()[0].tolist() for line in axes.lines if len(line.get_xdata()) == 1]
    assert large == [[pytest.approx(25), 5.5], [pytest.approx(10), 8.0]]


def test_the_loop_goes_around_four_blocks():
    texts = " ".join(text.get_text() for text in make_service().axes[0].texts)
    assert all(name in texts for name in ("model", "lists", "viewers", "log"))


def test_a_name_has_one_color_in_both_panels():
    left, right = make_narrowing().axes
    first = {line.get_label(): line.get_color() for line in left.lines}
    second = {line.get_label(): line.get_color() for line in right.lines}
    assert first["as it is"] == second["as it is"] != second["by chance"]
    means = [line for line in right.lines if line.get_label() == "as it is"]
    assert means[0].get_ydata()[-1] == pytest.approx(5) and len(right.lines) == 2 * 2 + 2 + 1


def test_a_result_stands_at_its_year_with_its_name():
    axes = make_benchmarks().axes[0]
    assert axes.lines[0].get_xydata().tolist() == [[2006, 0.95], [2008, 0.97], [2009, 0.86]]
    assert "best 0.86" in [text.get_text() for text in axes.texts]
