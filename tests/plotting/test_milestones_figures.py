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
    assert [text.get_text().split("\n")[0] for text in axes.texts] == SYSTEMS


def test_two_results_of_a_year_and_a_reference():
    figure = milestones(
        [2012, 2012, 2014], ["A", "B", "C"], [9.0, 7.0, 8.0], "m", better="lower",
        reference=("a person", 5.1),
    )  # fmt: skip
    steps = figure.axes[0].lines[0]
    assert steps.get_xdata().tolist() == [2012, 2014, 2015]
    assert steps.get_ydata().tolist() == [7, 7, 7]
    assert figure.axes[0].texts[-1].get_text() == "a person: 5.1"


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
