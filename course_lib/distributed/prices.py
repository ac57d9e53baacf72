"""What a machine costs by the hour and a kilowatt-hour in carbon: one table, dated, with sources.

The table is ``prices.csv`` in this folder. A price is one region's on one day; spot prices change
daily and between zones of one region. Look up today's before you decide anything.
"""

from __future__ import annotations

import csv
from datetime import date
from functools import cache
from pathlib import Path
from typing import NamedTuple

__all__ = ["Row", "find", "table"]


class Row(NamedTuple):
    """A line of the table."""

    kind: str
    """``"on-demand"``, ``"spot"``, ``"carbon"`` or ``"power"``."""
    provider: str
    what: str
    """The machine, by the provider's name; or what the carbon is a mean of."""
    where: str
    value: float
    unit: str
    looked_up: date
    source: str
    """Repository, commit and file."""


@cache
def table() -> tuple[Row, ...]:
    """Read all rows, in their order."""
    with (Path(__file__).parent / "prices.csv").open(newline="", encoding="utf-8") as file:
        return tuple(
            Row(
                **{
                    **line,
                    "value": float(line["value"]),
                    "looked_up": date.fromisoformat(line["looked_up"]),
                }
            )
            for line in csv.DictReader(file)
        )


def find(kind: str, *, provider: str = "", where: str = "") -> list[Row]:
    """Return the rows of a kind, of a provider and of places that begin with `where`.

    Parameters
    ----------
    kind : {"on-demand", "spot", "carbon", "power"}
    provider : str
        All of them, if empty.
    where : str
        The beginning of a region's name; all, if empty.

    Returns
    -------
    list of Row

    Raises
    ------
    LookupError
        If there is none, naming what there is.

    Examples
    --------
    >>> find("spot", provider="Google")[0].value
    14.4308
    """
    rows = [
        row
        for row in table()
        if row.kind == kind
        and row.provider == (provider or row.provider)
        and row.where.startswith(where)
    ]
    if not rows:
        there = sorted({f"{row.kind} {row.provider} {row.where}" for row in table()})
        raise LookupError(
            f"The table has no {kind!r} of {provider or 'anybody'} in {where or 'any place'!r}. "
            f"It has: {'; '.join(there)}."
        )
    return rows
