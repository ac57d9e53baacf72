"""The one table of prices and emission factors."""

from datetime import date

import pytest

from course_lib.distributed import prices


def test_each_row_has_a_value_a_unit_a_date_and_a_source():
    units = {"on-demand": "USD/h", "spot": "USD/h", "carbon": "gCO2e/kWh", "power": "W"}
    for row in prices.table():
        assert row.value > 0 and row.unit == units[row.kind]
        assert date(2026, 1, 1) < row.looked_up <= date.today()
        assert len(row.source) > 20 and "/" in row.source
    assert {row.provider for row in prices.find("spot")} == {"Amazon", "Google", "Microsoft"}


def test_each_spot_price_stands_beside_the_full_one():
    full, spot = prices.find("on-demand"), prices.find("spot")
    assert [(r.what, r.where) for r in full] == [(r.what, r.where) for r in spot]
    assert all(s.value < f.value for f, s in zip(full, spot, strict=True))


def test_sums_of_two_prices_say_so():
    for row in prices.table():
        if "host" in row.source:
            parts = [
                float(word) for word in row.source.split() if word.replace(".", "", 1).isdigit()
            ]
            assert sum(p for p in parts if p != 8) == pytest.approx(row.value, abs=1e-5)


def test_what_is_not_there_is_named():
    with pytest.raises(LookupError, match="It has: carbon Google"):
        prices.find("spot", provider="Nobody")
    with pytest.raises(LookupError, match="no 'free'"):
        prices.find("free")
    assert len(prices.find("spot", where="us-east-2")) == 1
