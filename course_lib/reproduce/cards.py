"""The card of a reproduction: what was run, where, what came out, and what was published."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

import course_lib
from course_lib.reproduce.running import Experiment, Outcome, Run

__all__ = ["card", "device_name", "duration"]

_TOY = (
    "> **This is no reproduction.** It is a toy run (`--small`), which shows that everything works "
    "on this machine. Its numbers mean nothing."
)


def card(
    experiment: Experiment,
    settings: Any,
    run: Run,
    outcome: Outcome,
    *,
    command: str,
    picture: str = "",
    when: datetime | None = None,
) -> str:
    """Return the card as Markdown.

    Parameters
    ----------
    experiment : Experiment
    settings : dataclass
        What was run: the experiment's full settings, or others.
    run : Run
        Finished.
    outcome : Outcome
    command : str
        What somebody types to run it again.
    picture : str
        The file that holds the outcome's picture, as the card names it.
    when : datetime, optional
        The end; now by default.
    """
    small = settings != experiment.full
    when = when or datetime.now(UTC)
    parts = [f"# {experiment.title}"]
    if small:
        parts.append(_TOY)
    parts += [
        f"Chapter `{experiment.chapter}`. {experiment.what}"
        + (" So it is at full size; this toy run is smaller, as *Settings* says." if small else ""),
        "## What came out",
        _results(outcome),
        "## How this differs from what was published",
        "\n".join(f"- {difference}" for difference in experiment.differences),
    ]
    if outcome.curve:
        parts += [
            "## Training",
            _table(list(outcome.curve), zip(*outcome.curve.values(), strict=True)),
        ]
    if outcome.picture is not None:
        caption, _ = outcome.picture
        parts += ["## Samples", f"![{caption}]({picture})", caption + "."]
    for heading, text in outcome.shown.items():
        parts += [f"## {heading}", text]
    settled = [(name.replace("_", " "), _value(value)) for name, value in asdict(settings).items()]
    work = experiment.work(settings)
    parts += [
        "## Settings",
        _table(("setting", "value"), [("seed", f"{run.seed}"), *settled]),
        "## The run",
        _table(
            ("", ""),
            [
                ("command", f"`{command}`"),
                ("finished", f"{when:%Y-%m-%d %H:%M} UTC"),
                ("time", _time(run)),
                ("device", "; ".join(run.devices)),
                ("work", f"{work.steps:,} {work.step}; {work.parameters:,} parameters"),
                *versions(experiment.packages),
            ],
        ),
    ]
    return "\n\n".join(parts) + "\n"


def versions(packages: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Return the versions of what computes, each with its name."""
    found = [
        ("course_lib", course_lib.__version__),
        ("Python", platform.python_version()),
        ("PyTorch", torch.__version__),
    ]
    for package in ("numpy", *packages):
        try:
            found.append((package, version(package)))
        except PackageNotFoundError:
            found.append((package, "not installed"))
    if torch.version.cuda:
        found.append(("CUDA", torch.version.cuda))
    return [*found, ("system", f"{platform.system()}, {platform.machine()}")]


def device_name(device: torch.device) -> str:
    """Say what a device is, in words.

    Examples
    --------
    >>> device_name(torch.device("cpu")).startswith("CPU, ")
    True
    """
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)} (CUDA)"
    if device.type == "mps":
        return "Apple GPU (MPS)"
    threads = torch.get_num_threads()
    cores = os.cpu_count() or 1
    return f"CPU, {threads} thread{'s' * (threads > 1)} on {cores} core{'s' * (cores > 1)}"


def duration(seconds: float) -> str:
    """Say a time in hours, minutes and seconds.

    Examples
    --------
    >>> duration(7384), duration(61), duration(0.44)
    ('2 h 3 min', '1 min 1 s', '0.4 s')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} min {int(seconds % 60)} s"
    return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60)} min"


def _time(run: Run) -> str:
    pieces = "" if run.starts < 2 else f", in {run.starts} pieces: stopped and taken up again"
    return duration(run.seconds) + pieces


def _results(outcome: Outcome) -> str:
    rows = []
    for measured in outcome.measured:
        published = measured.published or (None,)
        for k, figure in enumerate(published):
            mine = (measured.name, f"**{measured.value}**") if k == 0 else ("", "")
            rows.append((*mine, *((figure.value, figure.source) if figure else ("", ""))))
    return _table(("", "this run", "published", "where"), rows)


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_value, value))
    if value is None:
        return "all"
    # A comma in thousands would look like a list.
    return str(value)


def _table(headings: Sequence[str], rows: Any) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def settings_digest(settings: Any, more: Mapping[str, Any]) -> str:
    """Return eight characters that are others where anything that decides a result is."""
    import hashlib
    import json

    said = json.dumps([asdict(settings), dict(more)], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:8]
