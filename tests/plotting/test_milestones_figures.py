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
