"""Published results that a skeptical reader can run again, with a GPU or with patience.

`course reproduce CHAPTER` runs an experiment at full size, shows the published figure beside its
own, and writes a card that says how both came about. A module holds each experiment; what they
share is in `course_lib.reproduce.running`, and the card in `course_lib.reproduce.cards`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_lib.paths import CourseError

if TYPE_CHECKING:
    from course_lib.reproduce.running import Experiment

__all__ = ["CHAPTERS", "experiment", "reproduce"]

#: The chapters that have an experiment; each names a module here.
CHAPTERS = ("cnn", "transformers", "diffusion", "reinforcement")


def experiment(chapter: str) -> Experiment:
    """Return the experiment of a chapter.

    Raises
    ------
    CourseError
        If the chapter has none; it names those that have.
    """
    if chapter not in CHAPTERS:
        raise CourseError(
            f"No experiment to reproduce is called {chapter!r}. There are: {', '.join(CHAPTERS)}."
        )
    return importlib.import_module(f"course_lib.reproduce.{chapter}").EXPERIMENT


def reproduce(
    chapter: str,
    root: Path,
    *,
    device: str | None = None,
    seed: int = 0,
    small: bool = False,
    target: Path | None = None,
    fresh: bool = False,
    say: Callable[[str], None] = print,
    console: Any = None,
) -> Path:
    """Run an experiment, or go on with it, and write its card.

    Parameters
    ----------
    chapter : str
        One of `CHAPTERS`.
    root : path
        The course. Checkpoints and cards are kept under ``_build/reproduced``.
    device : str, optional
        As in `course_lib.get_device`.
    seed : int
    small : bool
        A toy size, in seconds. The card says that it is no reproduction.
    target : path, optional
        Where the card is written.
    fresh : bool
        Delete the checkpoints of this very run first.
    say : callable
        Is given what there is to tell, a line at a time.
    console : rich.console.Console, optional
        Where progress is shown; nowhere by default.

    Returns
    -------
    path
        The card.

    Raises
    ------
    CourseError
        If there is no such experiment, no such device, `target` is a folder, the data cannot be
        fetched, the checkpoints cannot be read, or training diverges.
    """
    chosen = experiment(chapter)

    import shutil

    from course_lib.data.downloads import DownloadError
    from course_lib.devices import get_device
    from course_lib.reproduce.cards import card, device_name, duration, settings_digest
    from course_lib.reproduce.running import Run
    from course_lib.seeding import seed_everything

    try:
        where = get_device(device)
    except ValueError as error:
        raise CourseError(f"{str(error)[0].upper()}{str(error)[1:]}.") from None
    settings = chosen.small if small else chosen.full
    name = f"{chapter}-small" if small else chapter
    kept = root / "_build" / "reproduced"
    target = target or kept / f"{name}.md"
    # Told now, and not after hours.
    if target.is_dir():
        raise CourseError(f"{target} is a folder. Name a file for the card, such as card.md.")
    target.parent.mkdir(parents=True, exist_ok=True)
    # Another setting is another run: what was kept of the old one is no start for the new one.
    folder = kept / f"{name}-{settings_digest(settings, {'seed': seed})}"
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
    work = chosen.work(settings)
    run = Run(folder, where, seed, work.steps, console, device_name(where))

    say(f"{chosen.title}{': a toy size, no reproduction' if small else ''}")
    say(f"  steps        {work.steps:,} {work.step}")
    say(f"  parameters   {work.parameters:,}")
    say(f"  to download  {work.download()}")
    say(f"  device       {run.name}")
    if run.finished:
        say("  state        finished before; measured again (--fresh begins anew)")
    elif run.starts:
        say(f"  state        goes on where it stopped, after {duration(run.seconds)} of work")
    else:
        say("  state        begins; after a stop, the same command goes on")

    seed_everything(seed)
    try:
        with run:
            outcome = chosen.run(settings, run)
    except DownloadError as error:
        raise CourseError(str(error)) from None
    except ValueError as error:
        if "checkpoint" not in str(error):
            raise
        raise CourseError(f"{error}\nOr begin anew with --fresh.") from None

    for measured in outcome.measured:
        say(f"{measured.name}: {measured.value}")
        for figure in measured.published:
            say(f"  published: {figure.value} ({figure.source})")
    # The default is left out of the command, as somebody would type it.
    command = f"course reproduce {chapter}" + f" --seed {seed}" * (seed != 0) + " --small" * small
    picture = target.with_suffix(".png")
    if outcome.picture is not None:
        from matplotlib.image import imsave

        imsave(picture, outcome.picture[1], cmap="gray", vmin=0, vmax=255)
    text = card(chosen, settings, run, outcome, command=command, picture=picture.name)
    target.write_text(text, encoding="utf-8")
    return target
