"""Two laws and a ring's time."""

import pytest

from course_lib.distributed.scaling import amdahl, gustafson, ring_seconds


def test_the_laws_at_their_ends():
    for law in (amdahl, gustafson):
        assert law(1, 0.3) == pytest.approx(1)
        assert law(8, 0.0) == pytest.approx(8)
        assert law(8, 1.0) == pytest.approx(1)
    assert 9.9 < amdahl(10**6, 0.1) < 10


def test_a_law_is_the_ratio_of_two_times():
    serial, divided = 2.0, 6.0  # seconds of one worker
    assert amdahl(3, 2 / 8) == pytest.approx((serial + divided) / (serial + divided / 3))
    # Three workers in 8 seconds, of which 2 are not divided: one would take 2 + 3 * 6.
    assert gustafson(3, 2 / 8) == pytest.approx((2 + 3 * 6) / 8)


def test_a_ring_waits_for_each_message():
    assert ring_seconds(1e6, 1, 1e9, 1.0) == 0
    assert ring_seconds(0, 5, 1e9, 0.1) == pytest.approx(0.8)
    assert ring_seconds(1e9, 5, 1e9, 0.0) == pytest.approx(1.6)


@pytest.mark.parametrize(("workers", "serial"), [(0, 0.1), (2, -0.1), (2, 1.1)])
def test_nonsense_is_refused(workers, serial):
    for law in (amdahl, gustafson):
        with pytest.raises(ValueError, match="serial share"):
            law(workers, serial)
