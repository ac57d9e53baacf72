"""When something was handed in: an instant whatever machine reads it, or nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime

import pytest

from course_lib.grading.course.times import EXAMPLES, instant


@pytest.fixture(params=["UTC", "America/Los_Angeles", "Europe/London"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine in another zone, by whose abbreviations nothing must be read."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-07-22 12:00:00 UTC", 12),
        ("2026-07-22 12:00:00.25 UTC", 12),
        ("2026-07-22 12:00:00", 12),
        ("2026-07-22T12:00:00Z", 12),
        ("Jul 22, 2026 3:00 PM", 15),
        ("2026-07-22 12:00:00 +0100", 11),
        ("2026-07-22 12:00:00 -05:00", 17),
        ("2026-07-22T12:00:00+02", 10),
        ("2026-07-22 12:00:00 Europe/Berlin", 10),
        ("2026-07-22 12:00 America/Los_Angeles", 19),
        ("2026-07-22", 0),
    ],
)
def test_a_time_is_the_same_everywhere(text: str, hour: int) -> None:
    assert instant(text).replace(microsecond=0) == datetime(2026, 7, 22, hour)


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize(
    "text",
    [
        *(f"2026-07-22 12:00:00 {zone}" for zone in ("PST", "PDT", "CEST", "BST", "IST", "XYZ")),
        "Wed Jul 22 12:00:00 CET 2026",
        "2026-07-22 12:00:00 localtime",
        "12:00 UTC",
        "in time",
        "2026-07-22 25:00:00",
    ],
)
def test_what_several_places_mean_otherwise_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="."):
        instant(text)


def test_what_is_told_to_be_written_is_read() -> None:
    for text in EXAMPLES.split(" or "):
        assert instant(text).date() == datetime(2026, 11, 22).date()
