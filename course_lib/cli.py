"""The `course` command.

What a command needs is imported inside it, so that each starts as quickly as it can.
"""

import errno
import gc
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from course_lib.imports import WEB_ADDRESSES, without
from course_lib.paths import (
    FOR_STUDENTS,
    CourseError,
    exercise_slugs,
    find_root,
    is_kit,
    known_slug,
    release_path,
    source_path,
    work_path,
)

if TYPE_CHECKING:
    from course_lib.assignments.checking import CheckResult

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Work on the exercises of *Deep Learning, Layer by Layer*."
    if FOR_STUDENTS
    else "Read, solve, grade and build *Deep Learning, Layer by Layer*.",
)
out = Console(highlight=False)
err = Console(stderr=True, highlight=False, soft_wrap=True)

# Containers that are made before Python looks for garbage among the young.
_OBJECTS_BETWEEN_LOOKS = 50_000

# Seconds between two lines on how far a long command is, where no terminal shows a bar.
SAY_EVERY = 30.0

Slug = Annotated[str, typer.Argument(help="The exercise, named as its chapter.")]


def main() -> None:
    """Run the command; say what went wrong in a line or two, without a traceback."""
    # nbgrader calls alembic by its name.
    from course_lib.doctor import search_path

    os.environ["PATH"] = search_path()
    # Modules come to stay: looking for garbage among them, again and again while they are imported
    # and once more at the end, takes a fifth of a short command.
    gc.set_threshold(_OBJECTS_BETWEEN_LOOKS)
    try:
        with without(WEB_ADDRESSES):
            app()
    except CourseError as error:
        _stop(str(error))
    except KeyboardInterrupt:
        _stop("Stopped. What was finished is kept: run the same command to go on.", code=130)
    except BrokenPipeError:
        os._exit(0)
    except OSError as error:
        _stop(_explain(error))
    finally:
        gc.freeze()


def _stop(message: str, code: int = 1) -> None:
    err.print(f"course: {message}", markup=False)
    sys.exit(code)


def _explain(error: OSError) -> str:
    place = f" ({error.filename})" if error.filename else ""
    if error.errno == errno.ENOSPC:
        return f"The disk is full{place}. Make room, then run the same command again."
    if error.errno == errno.EROFS:
        return f"This folder is read-only{place}. Copy the course to a folder of your own."
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"No right to write or read here{place}. Copy the course to a folder of your own."
    return f"{error.strerror or error}{place}. `course doctor` looks for the cause."


@app.command()
def doctor(
    benchmark: Annotated[
        bool,
        typer.Option("--benchmark", help="Measure the machine's ceilings instead (a minute)."),
    ] = False,
) -> None:
    """Look at Python, packages, device and disk, and say what to do about each fault."""
    from course_lib.doctor import ceilings, examine

    if benchmark:
        with out.status("Measuring ..."):
            rows, advice = ceilings()
        table = Table(box=None, pad_edge=False)
        table.add_column("")
        table.add_column("at most", justify="right")
        for what, rate in rows:
            table.add_row(what, rate)
        out.print(table)
        out.print(advice)
        return
    findings = examine(find_root())
    table = Table(box=None, pad_edge=False)
    for heading in ("", "", "found", "what to do"):
        table.add_column(heading)
    color = {"ok": "green", "note": "yellow", "fault": "red"}
    for finding in findings:
        state = f"[{color[finding.state]}]{finding.state}[/]"
        table.add_row(finding.what, state, finding.found, finding.advice)
    out.print(table)
    if any(finding.state == "fault" for finding in findings):
        raise typer.Exit(1)


Browser = Annotated[bool, typer.Option(help="Open a browser; without, the address is printed.")]
Port = Annotated[int | None, typer.Option(min=1, max=65535, help="Where JupyterLab listens.")]


@app.command()
def start(
    slug: Slug,
    lab: Annotated[bool, typer.Option(help="Open it in JupyterLab.")] = True,
    browser: Browser = True,
    port: Port = None,
) -> None:
    """Copy an exercise to `work/` (never over your own work) and open it."""
    from course_lib.assignments.progress import start as copy

    root = find_root()
    fresh = copy(root, slug)
    mine = work_path(root, slug)
    where = "Your copy" if fresh else "Your copy is already there, as you left it"
    out.print(f"{where}: {_shown(mine)}")
    out.print(f"Next: solve it in Jupyter, then `course check {slug}`")
    if lab:
        _open_lab(root, mine, browser=browser, port=port)


@app.command()
def check(
    slug: Slug,
    notebook: Annotated[
        Path | None, typer.Option(help="Another notebook than work/SLUG/SLUG.ipynb.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="Stop a cell after this time.")] = 30.0,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Run the visible and hidden tests on your notebook, and show points and hints."""
    from course_lib.assignments.sandboxed import engine

    root = find_root()
    known_slug(root, slug)
    mine = notebook or work_path(root, slug)
    # The engine imports what the notebook does while this process imports what the check does.
    with err.status("Running the tests ..."), engine(root, slug, mine) as graders:
        from course_lib.assignments import checking, shown

        result = checking.check(root, slug, mine, seconds_per_cell=seconds, graders=graders)
    if as_json:
        from course_lib.assignments.magic import as_json as written

        print(written(result))
    else:
        out.print(shown.check_table(result))
        for name, error in result.broken.items():
            out.print(f"The cell {name} stops with {error}", markup=False)
        if result.notes:
            out.print("\nMended in the copy that was checked:")
        for note in result.notes:
            out.print(note, markup=False)
        out.print(f"\n{shown.summary(result)}")
    if notebook is None:
        _remember(root, slug, mine, result)


def _remember(root: Path, slug: str, notebook: Path, result: "CheckResult") -> None:
    """Keep points for `course progress`, and tries for `course answer`."""
    from course_lib.assignments.progress import record

    tries = None
    if not FOR_STUDENTS and source_path(root, slug).is_file():
        from course_lib.assignments.answering import tried
        from course_lib.assignments.checking import read_notebook
        from course_lib.assignments.sources import source_notebook

        release = release_path(root, slug)
        handed_out = read_notebook(release if release.is_file() else notebook, slug)
        tries = tried(
            source_notebook(root, slug), handed_out, read_notebook(notebook, slug), result
        )
    record(root, slug, result, tries)


@app.command()
def answer(
    slug: Slug,
    step: Annotated[str, typer.Argument(help="The name of the cell, as `course check` has it.")],
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Before you have tried; you know what you give up.")
    ] = False,
) -> None:
    """Show a step's model answer, once the step is passed or was tried three times."""
    from course_lib.assignments.answering import model_answer
    from course_lib.assignments.progress import known_steps

    root = find_root()
    found = model_answer(root, slug, step, known_steps(root, slug), anyway=anyway)
    out.print(found.text, markup=False, soft_wrap=True)
    if found.reasons:
        out.print("\nWhy so, and what the tests look for:")
    for reason in found.reasons:
        out.print(f"- {reason}", markup=False, soft_wrap=True)


@app.command()
def progress() -> None:
    """Show your exercises and points, and where to go on."""
    from course_lib.assignments.progress import next_step
    from course_lib.assignments.progress import progress as read

    entries = read(find_root())
    table = Table(box=None, pad_edge=False)
    for heading in ("exercise", "points", "state"):
        table.add_column(heading)
    for entry in entries:
        state = "complete" if entry.complete else "begun" if entry.started else ""
        points = "" if entry.points is None else f"{entry.points:g} / {entry.max_points:g}"
        table.add_row(entry.slug, points, state)
    out.print(table)
    done = sum(entry.complete for entry in entries)
    out.print(f"\n{done} of {len(entries)} exercises complete")
    step = next_step(entries)
    if step:
        out.print(f"Next: {step}")


CourseDir = Annotated[
    Path | None,
    typer.Option("--course-dir", help="Another nbgrader course than this one."),
]
Students = Annotated[str, typer.Option(help="Only these students, such as 'a*'.")]


@app.command()
def release(
    slugs: Annotated[list[str] | None, typer.Argument(help="The exercises.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All exercises.")] = False,
    course_dir: CourseDir = None,
) -> None:
    """Make the students' notebooks, and record points and tests in the gradebook."""
    from course_lib import grading
    from course_lib.assignments.sources import generate

    slugs = slugs or []
    if not slugs and not everything:
        raise CourseError("Name the exercises to release, or say --all.")
    if course_dir is None:
        root = find_root()
        if everything:
            slugs = [slug for slug in exercise_slugs(root) if source_path(root, slug).is_file()]
        for slug in slugs:
            known_slug(root, slug)
        generate(root, slugs)
        released = grading.release(slugs, root, tell=_tell)
        # nbgrader writes the same notebook, but for the newline at its end.
        generate(root, slugs)
    else:
        if everything:
            raise CourseError("--all is for this course; name the assignments of another one.")
        released = grading.release(slugs, course_dir, tell=_tell)
    for slug, folder in released.items():
        out.print(f"released {slug}: {_shown(folder)}")
    out.print(f"Next: hand them out; when they come back, `course grade {next(iter(released))}`")


@app.command()
def kit(
    slugs: Annotated[list[str] | None, typer.Argument(help="Some exercises.")] = None,
    to: Annotated[
        Path, typer.Option(help="The folder to make; the archive lies beside it.")
    ] = Path("_build/kit/exercises"),
    address: Annotated[
        str,
        typer.Option(
            help="Where students will find the wheel (https://...): notebooks then begin with a "
            "cell that installs it, for Colab and JupyterHub."
        ),
    ] = "",
) -> None:
    """Make what students get: exercises, library, pins, site, and no solution anywhere."""
    from course_lib.assignments.kit import make_kit
    from course_lib.book.exercises import generate_changed
    from course_lib.book.site import site_path

    root = find_root()
    site = site_path(root)
    with err.status("Making the kit, and looking for secrets in it ..."):
        generate_changed(root)
        made = make_kit(
            root,
            root / to,
            slugs or (),
            site=site if (site / "index.html").is_file() else None,
            address=address,
        )
    count = "1 exercise" if len(made.exercises) == 1 else f"{len(made.exercises)} exercises"
    out.print(f"{count}, {made.packages} packages pinned")
    if not made.site:
        out.print("The site is not built, and not in it: `course build`, then this again.")
    out.print(f"Kit: {_shown(made.archive)} (unpacked: {_shown(made.folder)})", soft_wrap=True)
    if address:
        (wheel,) = (made.folder / "wheels").glob("*.whl")
        out.print(f"Put {_shown(wheel)} where {address} says", soft_wrap=True)
    out.print("Next: hand out the archive; its README has the one command that students need")


@app.command()
def collect(
    slug: Slug,
    course_dir: CourseDir = None,
    archive: Annotated[
        Path | None, typer.Option(help="A learning platform's archive, or what it unpacks to.")
    ] = None,
    platform: Annotated[
        str, typer.Option("--from", help="canvas, moodle, gradescope or folder.")
    ] = "",
    worksheet: Annotated[
        Path | None, typer.Option(help="With moodle: the grading worksheet, for times and names.")
    ] = None,
) -> None:
    """Take submissions from a learning platform's archive, or from nbgrader's exchange."""
    from course_lib import grading

    folder = course_dir or find_root()
    if archive is None:
        students = grading.collect(slug, folder)
        out.print(f"{len(students)} have handed in {slug}")
    elif not platform:
        raise CourseError("Say where the archive is --from: canvas, moodle, gradescope or folder.")
    else:
        from course_lib.grading.reports.show import collected

        result = grading.collect_archive(slug, archive, platform, folder, worksheet=worksheet)
        for part in collected(result):
            out.print(part)
    out.print(f"Next: `course grade {slug}`")


@app.command()
def grade(
    slug: Slug,
    course_dir: CourseDir = None,
    students: Students = "*",
    force: Annotated[
        bool, typer.Option("--force", help="Grade again; what a person gave stays.")
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How many run at a time here; one for each processor by default. Without effect "
            "with --scheduler.",
        ),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Run on a Dask cluster, such as tcp://10.0.0.1:8786."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Grade the submissions, and record the points in the gradebook."""
    from course_lib.grading.running import ahead

    folder = course_dir or find_root()
    if scheduler is None:
        ahead.begin(folder, slug, students, force=force)
    from course_lib import grading

    with _progress_bar("grading", quiet=as_json) as advance:
        report = grading.grade(
            slug,
            folder,
            students=students,
            force=force,
            workers=workers,
            scheduler=scheduler,
            progress=advance,
            say=lambda sentence: err.print(sentence, markup=False),
        )
    if as_json:
        import json

        print(json.dumps(report.to_dict(), indent=1))
    else:
        from course_lib.grading.reports.show import outcome

        for part in outcome(report):
            out.print(part)
        where = f" --course-dir {course_dir}" if course_dir else ""
        formgrader = "`make lab`" if course_dir is None else "`jupyter lab` in that folder"
        out.print(
            f"\nNext: the formgrader ({formgrader}), `course report {slug}{where}` for what the "
            f"class has not got, `course feedback {slug}{where}`, `course export {slug}{where}`. "
            "What each submission did is in logs/."
        )
    if report.failed:
        raise typer.Exit(1)


@app.command()
def feedback(slug: Slug, course_dir: CourseDir = None, students: Students = "*") -> None:
    """Write the feedback pages of the graded submissions."""
    from course_lib import grading

    with _progress_bar("feedback") as advance:
        pages = grading.feedback(
            slug, course_dir or find_root(), students=students, progress=advance
        )
    out.print(f"wrote the feedback of {len(pages)} students, under feedback/STUDENT/{slug}/")


@app.command()
def report(slug: Slug, course_dir: CourseDir = None) -> None:
    """Write a page for the teacher: points, the ideas the class has not got, who needs a person."""
    from course_lib import grading
    from course_lib.grading.reports.show import outcome

    folder = course_dir or find_root()
    sections = {}
    if course_dir is None:
        from course_lib.book.sections import exercise_sections

        sections = exercise_sections(folder, slug)
    with _progress_bar("reading") as advance:
        result, page = grading.write_overview(slug, folder, sections=sections, progress=advance)
    for part in outcome(result):
        out.print(part)
    out.print(f"\nOverview: {_shown(page)} (open it in a browser)", markup=False, soft_wrap=True)


@app.command()
def similar(
    slug: Slug,
    course_dir: CourseDir = None,
    students: Students = "*",
    pair: Annotated[
        tuple[str, str] | None,
        typer.Option("--pair", metavar="STUDENT STUDENT", help="Show their passages."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Point out submissions that are unusually alike; what that means is for a person to say."""
    import json
    from dataclasses import asdict

    from course_lib.grading.reports import show
    from course_lib.grading.reports.similar import passages
    from course_lib.grading.reports.similar import similar as compare

    folder = course_dir or find_root()
    if pair:
        found = passages(slug, *pair, folder)
        table = show.passages_table(*pair, found)
        plain: object = [asdict(part) for part in found]
    else:
        with err.status("Comparing ..."):
            result = compare(slug, folder, students=students)
        table = show.similar_table(result)
        plain = asdict(result)
    if as_json:
        print(json.dumps(plain, indent=1))
    else:
        for part in table:
            out.print(part)


@app.command()
def export(
    slug: Annotated[str | None, typer.Argument(help="One exercise; all by default.")] = None,
    course_dir: CourseDir = None,
    format: Annotated[str, typer.Option(help="csv, json, canvas, moodle or gradescope.")] = "csv",
    to: Annotated[Path | None, typer.Option(help="The file to write.")] = None,
    worksheet: Annotated[
        Path | None,
        typer.Option(help="With moodle: a downloaded grading worksheet, to be filled in."),
    ] = None,
) -> None:
    """Write the grades as a table, or as a learning platform takes them."""
    from course_lib import grading

    name = f"{slug or 'grades'}-{format}" if format in ("canvas", "moodle") else "grades"
    ending = {"json": "json", "gradescope": "zip"}.get(format, "csv")
    if format == "gradescope":
        name = f"{slug}-gradescope"
    target = to or Path(f"{name}.{ending}")
    written = grading.export(
        course_dir or find_root(), slug, format=format, to=target, worksheet=worksheet, tell=_tell
    )
    out.print(f"wrote {_shown(written)}", markup=False)


def _tell(sentence: str) -> None:
    """Say something that a person should know, where it is in nobody's way."""
    from course_lib.grading.course.text import printable

    err.print(printable(sentence), markup=False)


@contextmanager
def _progress_bar(what: str, quiet: bool = False) -> Iterator[Callable[[str, int, int], None]]:
    """Show who is being worked on and the time left, where a person looks on."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeft

    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeLeft(),
        TextColumn("{task.fields[who]}"),
    )
    from course_lib.grading.course.text import printable

    begin = said = time.monotonic()
    with Progress(*columns, console=err, transient=True, disable=quiet) as bar:
        task = bar.add_task(what, total=None, who="", rate="")

        def advance(who: str, done: int, total: int) -> None:
            nonlocal said
            now = time.monotonic()
            per_second = done / (now - begin) if done else 0.0
            rate = f"{60 * per_second:.0f} a minute" if done else ""
            bar.update(task, completed=done, total=total, who=_escape(printable(who)), rate=rate)
            if not (quiet or err.is_terminal) and done and now - said > SAY_EVERY:
                # A log gets lines.
                said = now
                left = (total - done) / per_second / 60
                err.print(f"{what}: {done} of {total}, {rate}, {left:.0f} minutes left")

        yield advance


@app.command()
def lab(browser: Browser = True, port: Port = None) -> None:
    """Open JupyterLab with nbgrader; chapters and exercise sources open as notebooks."""
    root = find_root()
    if is_kit(root):
        (root / "work").mkdir(exist_ok=True)
    else:
        from course_lib.assignments.sources import generate

        generate(root)
    _open_lab(root, browser=browser, port=port)


def _open_lab(
    root: Path, notebook: Path | None = None, *, browser: bool = True, port: int | None = None
) -> None:
    """Become JupyterLab with the course's settings."""
    from course_lib.grading.course.lab import lab_command

    command, environment = lab_command(root, open_path=notebook, browser=browser, port=port)
    os.chdir(root)
    os.execvpe(command[0], command, environment)


@app.command()
def build(
    serve: Annotated[bool, typer.Option("--serve", help="Serve the site afterwards.")] = False,
    sample_class: Annotated[
        bool, typer.Option("--sample-class", help="Grade the sample class too.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Do everything again.")] = False,
    port: Annotated[int, typer.Option(help="Where --serve listens.")] = 8000,
    form: Annotated[
        str, typer.Option("--format", help="site, epub, or pdf (which needs Chromium).")
    ] = "site",
) -> None:
    """Run the chapters, generate the exercises, build the site; only what has changed.

    With --format epub or pdf, build the whole book as one file in place of the site.
    """
    import json

    from course_lib.book.chapters import ChapterRun, run_chapters
    from course_lib.book.exercises import generate_changed
    from course_lib.book.removing import orphans
    from course_lib.book.site import build_site, site_path

    root = find_root()
    if form not in ("site", "epub", "pdf"):
        raise CourseError(f"--format is {form!r}; wanted: site, epub or pdf.")
    if form != "site" and (serve or sample_class):
        raise CourseError("--serve and --sample-class go with the site, not with --format.")
    times: dict[str, float] = {}

    def timed(step: str, begin: float, what: str) -> None:
        times[step] = time.perf_counter() - begin
        out.print(f"{step:<14}{what:<42}{times[step]:6.1f} s")

    begin = time.perf_counter()

    def told(run: ChapterRun) -> None:
        if run.ran:
            out.print(f"  ran {run.page} in {run.seconds:.1f} s")

    runs = run_chapters(root, force=force, report=told)
    ran = sum(run.ran for run in runs)
    timed("chapters", begin, f"{ran} run, {len(runs) - ran} unchanged")

    if form != "site":
        from course_lib.book.paper import build_epub, build_pdf

        begin = time.perf_counter()
        with err.status(f"Building the {form.upper()} ..."):
            made = (build_epub if form == "epub" else build_pdf)(root)
        timed(form, begin, f"{made.stat().st_size / 1e6:.1f} MB")
        out.print(f"\nBook: {_shown(made)}")
        return

    begin = time.perf_counter()
    changed = generate_changed(root, force=force)
    timed("exercises", begin, f"{sum(changed.values())} changed of {len(changed)}")

    begin = time.perf_counter()
    built = build_site(root, force=force)
    timed("site", begin, "built" if built else "unchanged")

    if sample_class:
        from course_lib.assignments.sample import grade_sample_class, sample_classes

        begin = time.perf_counter()
        reports = [
            grade_sample_class(root / "_build", slug, force=force) for slug in sample_classes(root)
        ]
        timed("sample class", begin, f"{sum(len(r.students) for r in reports)} students")
        from course_lib.grading.reports.show import class_table

        for report in reports:
            out.print()
            out.print(class_table(report))

    for sentence in orphans(root):
        _tell(sentence)

    # For the table at the end of `make test`: chapters have a budget of their own.
    kept = root / "_build" / "times" / "build.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(times), encoding="utf-8")

    out.print(f"\nSite: {_shown(site_path(root) / 'index.html')}")
    if serve:
        _serve(site_path(root), port)
    else:
        out.print("Next: `make serve` to read it, `make lab` to work in it")


@app.command()
def slides(
    chapters: Annotated[list[str] | None, typer.Argument(help="The chapters.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All chapters.")] = False,
    pdf: Annotated[bool, typer.Option("--pdf", help="Print each deck, with Chromium.")] = False,
    to: Annotated[
        Path | None, typer.Option(help="The folder for the decks; _build/slides by default.")
    ] = None,
) -> None:
    """Make slides of chapters: their questions, figures, predictions, with notes to speak from."""
    from course_lib.book.prerequisites import read_chapters
    from course_lib.book.slides.writing import write_decks

    root = find_root()
    slugs = [chapter.slug for chapter in read_chapters(root)] if everything else chapters or []
    if not slugs:
        raise CourseError("Name the chapters to make slides of, or say --all.")
    for deck in write_decks(root, slugs, to, pdf=pdf, tell=_tell):
        out.print(f"{deck.slides} slides: {_shown(deck.page)}", markup=False, soft_wrap=True)
        if deck.pdf:
            out.print(f"PDF: {_shown(deck.pdf)}", markup=False, soft_wrap=True)
    out.print("Next: open one in a browser; S shows the notes, F fills the screen")


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="Where to listen.")] = 8000,
    host: Annotated[
        str, typer.Option(help="0.0.0.0 lets other machines read, too; a container needs it.")
    ] = "127.0.0.1",
) -> None:
    """Serve the built site, on this machine alone unless --host says otherwise."""
    from course_lib.book.site import site_path

    _serve(site_path(find_root()), port, host)


@app.command()
def reproduce(
    chapter: Annotated[str, typer.Argument(help="cnn, transformers, diffusion or reinforcement.")],
    device: Annotated[
        str | None,
        typer.Option(help="cpu, cuda, cuda:1 or mps; by default the fastest kind there is."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Decides all chance.")] = 0,
    small: Annotated[
        bool, typer.Option("--small", help="A toy size, in seconds, on a piece of the same data.")
    ] = False,
    card: Annotated[
        Path | None,
        typer.Option(help="Where the card is written; _build/reproduced/CHAPTER.md by default."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Forget what was kept of this run, and begin anew.")
    ] = False,
) -> None:
    """Run a chapter's experiment at full size, beside the figure that was published.

    It says first how much work that is. A full run takes minutes to hours on a GPU, and up to days
    without one. Stop it when you like: the same command goes on from the last checkpoint, with the
    same result. At the end it writes a card (Markdown) with what was run, on what, for how long,
    what came out, what was published where, and how the two set-ups differ.
    """
    from course_lib.reproduce import reproduce as run

    written = run(
        chapter,
        find_root(),
        device=device,
        seed=seed,
        small=small,
        target=card,
        fresh=fresh,
        say=lambda line: out.print(line, markup=False, soft_wrap=True),
        console=err,
    )
    out.print(f"Card: {_shown(written)}", markup=False)


@app.command()
def new(
    slug: Annotated[
        str, typer.Argument(help="Small letters and hyphens, such as gradient-descent.")
    ],
    part: Annotated[str, typer.Option(help="The folder under book/.")] = "foundations",
    title: Annotated[
        str, typer.Option(help="Subject and question: 'Layers: what do they do?'.")
    ] = "",
) -> None:
    """Write a chapter, its exercise and its wrong answers from templates, for you to fill."""
    from course_lib.templates import write_templates

    for path in write_templates(find_root(), slug, part=part, title=title):
        out.print(f"wrote {_shown(path)}")
    out.print("Next: fill them in, then `course build` and `make test-exercises`")


@app.command()
def remove(
    slug: Annotated[str, typer.Argument(help="The chapter.")],
    force: Annotated[
        bool, typer.Option("--force", help="Also what git does not hold as it stands.")
    ] = False,
) -> None:
    """Take a chapter out: page, exercise, kept answers, figures' tests, and its line in the toc.

    What readers and classes have done in it stays.
    """
    from course_lib.book.removing import remove as take_out

    root = find_root()
    done = take_out(root, slug, force=force)
    for path in done.gone:
        out.print(f"removed {_shown(path)}", markup=False)
    out.print("removed its line in _toc.yml")
    for sentence in done.left:
        err.print(sentence, markup=False)
    out.print("Next: `course build`, and what CHANGELOG.md has to say of it")


def _serve(folder: Path, port: int, host: str = "127.0.0.1") -> None:
    import socket

    from course_lib.book.serving import make_server

    if not (folder / "index.html").is_file():
        raise CourseError("The site is not built yet. Build it with `course build`.")
    try:
        server = make_server(folder, port, host=host)
    except socket.gaierror:
        raise CourseError(
            f"--host is {host!r}, and this machine has no such address. 127.0.0.1 is this machine "
            "alone; 0.0.0.0 is all of its addresses."
        ) from None
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            raise CourseError(
                f"--host is {host!r}, which is no address of this machine. 127.0.0.1 is this "
                "machine alone; 0.0.0.0 is all of its addresses."
            ) from None
        if error.errno != errno.EADDRINUSE:
            raise
        raise CourseError(
            f"Port {port} is taken. Choose another: `course serve --port {port + 1}`."
        ) from None
    shown = "127.0.0.1" if host == "0.0.0.0" else host
    out.print(f"The book: http://{shown}:{port} (Ctrl+C ends it)")
    with server:
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            out.print("Ended.")


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _escape(text: str) -> str:
    """Return a text that others wrote as one that only shows itself, on every terminal."""
    import unicodedata

    from rich.markup import escape

    return escape(
        "".join(c if c == "\n" or unicodedata.category(c) != "Cc" else "\ufffd" for c in text)
    )


if FOR_STUDENTS:
    # What a kit has no modules for, it does not offer.
    _STUDENTS = {
        doctor: None,
        start: None,
        check: "Run the tests that are here on your notebook, and show points and hints.",
        progress: None,
        lab: "Open JupyterLab on your work.",
    }
    app.registered_commands = [
        command for command in app.registered_commands if command.callback in _STUDENTS
    ]
    for command in app.registered_commands:
        command.help = _STUDENTS[command.callback] or command.help


if __name__ == "__main__":
    main()
