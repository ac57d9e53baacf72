import pytest

from course_lib.hardware import energy


def test_kilowatt_hours_are_power_times_time():
    assert energy.kilowatt_hours(1, 1000) == 1
    assert energy.kilowatt_hours(3, 250, devices=4, pue=1.2) == pytest.approx(3.6)


@pytest.mark.parametrize("wrong", [{"hours": -1}, {"watts": -1}, {"devices": -2}])
def test_negative_numbers_are_refused(wrong):
    with pytest.raises(ValueError, match="negative"):
        energy.kilowatt_hours(**{"hours": 1, "watts": 1} | wrong)


def test_a_center_that_draws_less_than_its_machines_is_refused():
    with pytest.raises(ValueError, match="pue"):
        energy.kilowatt_hours(1, 1, pue=0.9)


def test_hours_are_flops_over_speed():
    assert energy.hours(3600, 1, utilization=1) == 1
    assert energy.hours(7.2e15, 1e12, devices=4, utilization=0.25) == pytest.approx(2)


@pytest.mark.parametrize("share", [0, -0.1, 1.01])
def test_a_utilization_is_a_share(share):
    with pytest.raises(ValueError, match="utilization"):
        energy.hours(1, 1, utilization=share)


def test_carbon_is_in_kilograms():
    assert energy.carbon(1000, 481) == 481


def test_published_runs_agree_with_what_their_papers_say_of_the_grid():
    # Grams per kilowatt-hour that the papers state: 429 and 57.
    grams = [1e3 * run.tonnes / run.mwh for run in energy.RUNS.values()]
    assert grams == pytest.approx([429, 57], rel=0.01)
    # BLOOM: 1,082,990 hours of accelerators at 400 W.
    assert energy.kilowatt_hours(1_082_990, 400) == pytest.approx(433_196)
