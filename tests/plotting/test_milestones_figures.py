"""The figure of published results: every system, and the best until each year."""

import pytest

from course_lib.plotting.milestones import milestones

YEARS, SYSTEMS, ERRORS = [2012, 2013, 2014, 2015], ["A", "B", "C", "D"], [15.0, 11.0, 12.0, 4.0]


@pytest.mark.parametrize(
    ("better", "best"), [("lower", [15, 11, 11, 4, 4]), ("higher", [15, 15, 15, 15, 15])]
)
def test_the_line_is_the_best_until_each_year(better, best):
    figure = milestones(YEARS, SYSTEMS, ERRORS, "error (%)", better=better)
    (axes,) = figure.axes
    steps, dots = axes.lines
    assert steps.get_ydata().tolist() == best
    assert dots.get_xdata().tolist() == YEARS and dots.get_ydata().tolist() == ERRORS
    assert axes.get_ylabel() == "error (%)"
    assert sorted(text.get_text().split("\n")[0] for text in axes.texts) == SYSTEMS
    # The last step is seen as one, and no empty year follows.
    assert steps.get_xdata()[-1] == axes.get_xlim()[1] == 2015.5


def test_two_results_of_a_year_and_a_reference():
    figure = milestones(
        [2012, 2012, 2014], ["A", "B", "C"], [9.0, 7.0, 8.0], "m", better="lower",
        reference=("a person", 5.1),
    )  # fmt: skip
    steps = figure.axes[0].lines[0]
    assert steps.get_xdata().tolist() == [2012, 2014, 2014.5]
    assert steps.get_ydata().tolist() == [7, 7, 7]
    assert figure.axes[0].texts[-1].get_text() == "a person: 5.1"


def test_a_negative_value_has_a_minus_sign():
    figure = milestones([2012, 2013], ["A", "B"], [-15.57, 3.0], "m", better="higher")
    written = [text.get_text() for text in figure.axes[0].texts]
    assert "A\n−15.57" in written and not any("-" in text for text in written)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="better is 'less'"):
        milestones(YEARS, SYSTEMS, ERRORS, "m", better="less")
    with pytest.raises(ValueError, match="4 years, 3 systems and 4 values"):
        milestones(YEARS, SYSTEMS[:3], ERRORS, "m", better="lower")


def test_labels_cover_neither_each_other_nor_the_reference():
    # Two results of one year, two close ones of neighboring years, and one beside the reference.
    figure = milestones(
        [2010, 2011, 2011, 2012, 2017],
        ["a long name", "another one", "a third name", "fourth", "fifth"],
        [28.0, 26.0, 15.0, 14.5, 4.0],
        "error (%)",
        better="lower",
        reference=("a person", 5.1),
    )
    figure.canvas.draw()
    (axes,) = figure.axes
    *labels, _ = (text.get_window_extent() for text in axes.texts)
    for number, one in enumerate(labels):
        assert not any(one.overlaps(other) for other in labels[number + 1 :])
    level = axes.transData.transform((2010, 5.1))[1]
    assert not any(one.y0 < level < one.y1 for one in labels)


def test_labels_of_one_year_stand_at_their_own_results():
    # The numbers of LibriSpeech and of WMT 2014, where labels once stood at the wrong result or
    # across the steps.
    for years, values, better in (
        ([2015, 2016, 2018, 2019, 2020, 2020], [13.97, 12.73, 7.64, 5.8, 3.3, 2.6], "lower"),
        ([2014, 2015, 2016, 2017, 2017, 2018], [20.7, 20.9, 24.6, 25.16, 28.4, 29.3], "higher"),
    ):
        systems = [f"the system {number}" for number in range(len(years))]
        figure = milestones(years, systems, values, "m", better=better)
        figure.canvas.draw()
        (axes,) = figure.axes
        dots = axes.transData.transform(list(zip(years, values, strict=True)))
        boxes = {text.get_text(): text.get_window_extent() for text in axes.texts}
        steps = axes.lines[0].get_path().interpolated(50).vertices
        for number, system in enumerate(systems):
            box = boxes[f"{system}\n{values[number]:g}"]
            away = [
                abs(min(max(x, box.x0), box.x1) - x) + abs(min(max(y, box.y0), box.y1) - y)
                for x, y in dots
            ]
            assert away[number] == min(away) > 0
            places = axes.transData.transform(steps)
            assert not any(box.contains(x, y) for x, y in places)
