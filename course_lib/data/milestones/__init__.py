"""Published results on the benchmarks of the applications, year by year, each with its source.

One file a benchmark, ``NAME.csv``: three lines that begin with ``#`` say what the benchmark is,
what was measured with its unit, and which direction is better; the rows that follow give the year,
the system, its value, and the key of its source in the book's bibliography.

Facts have no license to mind. Known faults: the rows are a choice, systems differ in what they were
trained on, and a published value is the best of the many that its authors tried. Not for ranking
systems: each value holds under the rules of its own paper.
"""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

__all__ = ["Benchmark", "Result", "load", "names"]

_FOLDER = Path(__file__).parent


class Result(NamedTuple):
    """What one system reached: its year, its name, the value, and the source's key."""

    year: int
    system: str
    value: float
    source: str


@dataclass(frozen=True)
class Benchmark:
    """A benchmark, and what was reached on it.

    Attributes
    ----------
    name : str
        What the benchmark is.
    metric : str
        What was measured, with its unit.
    better : str
        ``"lower"`` or ``"higher"``.
    results : tuple of Result
        By year.
    """

    name: str
    metric: str
    better: str
    results: tuple[Result, ...]


def names() -> list[str]:
    """Return the benchmarks that there are, in alphabetical order."""
    return sorted(path.stem for path in _FOLDER.glob("*.csv"))


def load(name: str) -> Benchmark:
    """Read a benchmark's table.

    Parameters
    ----------
    name : str
        One of `names`, such as ``"imagenet"``.

    Raises
    ------
    ValueError
        When there is no such table, naming those that there are, or when a table is not in the
        form that the package describes.
    """
    path = _FOLDER / f"{name}.csv"
    if not path.is_file():
        raise ValueError(f"no table of results is called {name!r}; there are {', '.join(names())}")
    return parse(path.read_text(encoding="utf-8"), path.name)


def parse(text: str, file: str) -> Benchmark:
    """Read the text of a table; `file` names it in errors."""
    lines = text.splitlines()
    head = dict(
        line.removeprefix("#").strip().split(": ", 1)
        for line in lines
        if line.startswith("#") and ": " in line
    )
    if list(head) != ["benchmark", "metric", "better"]:
        raise ValueError(
            f"{file} begins with {list(head)}, expected the lines '# benchmark: ...', "
            "'# metric: ...' and '# better: lower' or '# better: higher'"
        )
    if head["better"] not in ("lower", "higher"):
        raise ValueError(f"{file}: better is {head['better']!r}, expected 'lower' or 'higher'")
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    if rows.fieldnames != ["year", "system", "value", "source"]:
        raise ValueError(
            f"{file} has the columns {rows.fieldnames}, expected year, system, value, source"
        )
    results = []
    for row in rows:
        try:
            found = Result(int(row["year"]), row["system"], float(row["value"]), row["source"])
        except (TypeError, ValueError):
            raise ValueError(
                f"{file}: the row {row} is not a year, a system, a number and a source"
            ) from None
        results.append(found)
    years = [result.year for result in results]
    if not results or years != sorted(years):
        raise ValueError(
            f"{file}: rows stand in the order of their years, and there is one or more"
        )
    return Benchmark(head["benchmark"], head["metric"], head["better"], tuple(results))
