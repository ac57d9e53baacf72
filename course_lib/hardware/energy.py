"""From machines and hours to kilowatt-hours and to carbon, with published figures in one table.

Each factor is a range in practice: machines idle and throttle, a data center's overhead depends on
the weather, a grid's mix on the hour. The figures below were looked up in November 2026 and are as
old as they say.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["GRIDS", "PUE", "RUNS", "Run", "carbon", "hours", "kilowatt_hours"]


class Run(NamedTuple):
    """A training run, as published.

    Parameters
    ----------
    mwh : float
        Electricity, in megawatt-hours.
    tonnes : float
        Carbon dioxide and what warms as much (CO2e), from this electricity.
    source : str
    """

    mwh: float
    tonnes: float
    source: str


#: Two language models of nearly the same size.
RUNS: Final = {
    "GPT-3, 175 billion weights": Run(1287, 552, "Patterson and others 2021, arXiv:2104.10350"),
    # Dynamic consumption of the accelerators alone. With idling and manufacture it is 50.5 tonnes.
    "BLOOM, 176 billion weights": Run(433.196, 24.7, "Luccioni and others 2023, arXiv:2211.02001"),
}

#: Grams of CO2e per kilowatt-hour, yearly means of 2023, over the life cycle. Source: Ember, as
#: shown by Our World in Data (grapher/carbon-intensity-electricity) and by Statista (943137).
GRIDS: Final = {"Norway": 30, "France": 56, "Germany": 381, "world": 481, "India": 713}

#: All power that a center draws, per power of its machines. The mean is that of Uptime Institute's
#: survey of 2023; large new centers report about 1.1.
PUE: Final = {"large and new": 1.1, "mean of a survey": 1.58}


def hours(flops: float, peak: float, *, devices: int = 1, utilization: float = 0.4) -> float:
    """Estimate how long a computation takes.

    Parameters
    ----------
    flops : float
    peak : float
        FLOPs that a device could do in a second.
    devices : int
    utilization : float
        The share of the peak that is reached, above 0 and at most 1. It is a guess until it has
        been measured.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the utilization is no such share.

    Examples
    --------
    >>> hours(3.6e18, 1e14, devices=2, utilization=0.5)
    10.0
    """
    if not 0 < utilization <= 1:
        raise ValueError(f"utilization must be above 0 and at most 1, but is {utilization}.")
    return flops / (devices * peak * utilization) / 3600


def kilowatt_hours(hours: float, watts: float, *, devices: int = 1, pue: float = 1.0) -> float:
    """Compute the electricity of a run.

    Parameters
    ----------
    hours : float
        How long it takes.
    watts : float
        Mean power of a device, with its share of the machine around it.
    devices : int
    pue : float
        Power usage effectiveness of the center, at least 1: all power over that of the machines.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a number is negative, or `pue` is below 1.

    Examples
    --------
    >>> kilowatt_hours(10, 300, devices=8, pue=1.5)
    36.0
    """
    if min(hours, watts, devices) < 0:
        raise ValueError(
            f"Hours, watts and devices cannot be negative; came {hours}, {watts} and {devices}."
        )
    if pue < 1:
        raise ValueError(f"pue is at least 1, since it counts the machines too, but is {pue}.")
    return hours * watts * devices * pue / 1000


def carbon(kwh: float, grams: float) -> float:
    """Compute kilograms of CO2e from kilowatt-hours and grams per kilowatt-hour.

    Examples
    --------
    >>> carbon(36.0, GRIDS["world"])
    17.316
    """
    return kwh * grams / 1000
