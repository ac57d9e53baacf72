"""`%check` in a notebook: the table of `course check` below the cell.

%load_ext course_lib
%check
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Any

from course_lib.assignments.checking import CheckResult, TestResult
from course_lib.assignments.shown import NOT_WRITTEN, entry, summary
from course_lib.paths import CourseError, exercise_slugs, find_root, work_path

__all__ = ["Checked", "as_json", "check_here", "exercise_of", "register"]

# What quiets a row, in light and in dark mode, and what marks one.
_STYLES = {"green": "color: #1a7f37", "yellow": "font-weight: bold", "": "", "dim": "opacity: 0.6"}


def register(shell: Any) -> None:
    """Add `%check` to an IPython shell."""
    shell.register_magic_function(lambda line: check_here(shell, line), "line", "check")


def as_json(result: CheckResult) -> str:
    """Return what a check came to as JSON, for programs and for `%check`."""
    return json.dumps(asdict(result), indent=1)


@dataclass(frozen=True)
class Checked:
    """What `%check` shows: a table where there is room for one, and text elsewhere."""

    result: CheckResult
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        rows = [(test.grade_id, *entry(test)[:2]) for test in self.result.results]
        wide = max((len(name) for name, _, _ in rows), default=0)
        lines = [f"{name:<{wide}}  {points:>9}  {said}".rstrip() for name, points, said in rows]
        return "\n".join([*lines, "", *self._below()])

    def _repr_html_(self) -> str:
        rows = "".join(map(_row, self.result.results))
        below = "".join(f"<p>{escape(line)}</p>" for line in self._below())
        heads = "".join(
            f'<th style="text-align: left">{h}</th>' for h in ("test", "points", "hint")
        )
        return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>{below}"

    def _below(self) -> list[str]:
        broken = [
            f"The cell {name} stops with {error}" for name, error in self.result.broken.items()
        ]
        return [*broken, summary(self.result), *self.notes]


def _row(test: TestResult) -> str:
    points, said, style = entry(test)
    style = _STYLES["dim" if test.points is None or said == NOT_WRITTEN else style]
    hint = f'<td style="text-align: left; white-space: pre-wrap">{escape(said)}</td>'
    return (
        f'<tr style="{style}"><td style="text-align: left">{escape(test.grade_id)}</td>'
        f"<td>{points}</td>{hint}</tr>"
    )


def check_here(shell: Any, line: str = "") -> Checked | None:
    """Check the notebook that a shell runs, as it was saved last.

    Parameters
    ----------
    shell : InteractiveShell
    line : str
        The exercise, where the notebook is not called as it is.
    """
    try:
        path, root = _notebook(shell), find_root()
        slug = line.strip() or exercise_of(root, path)
        command = [sys.executable, "-m", "course_lib", "check", slug, "--json"]
        if path != work_path(root, slug):
            command += ["--notebook", str(path)]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True)
        if done.returncode:
            raise CourseError(done.stderr.strip().removeprefix("course: "))
    except CourseError as error:
        print(error, file=sys.stderr)
        return None
    told = json.loads(done.stdout)
    results = [TestResult(**test) for test in told["results"]]
    saved = time.strftime("%H:%M:%S", time.localtime(path.stat().st_mtime))
    notes = [f"Checked as saved at {saved}."]
    if not _is_saved(shell, path):
        notes.append(
            "The cell that you ran last is not in it: save the notebook (Ctrl+S), and check again."
        )
    return Checked(CheckResult(results, told["broken"]), tuple(notes))


def _notebook(shell: Any) -> Path:
    """Return the file of the notebook that a kernel runs.

    Jupyter says which it is, and so does Visual Studio Code. Elsewhere it is the only one in the
    folder.
    """
    said = shell.user_ns.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME") or ""
    for path in (Path(said), Path(Path(said).name)):
        if said.endswith(".ipynb") and path.is_file():
            return path.resolve()
    here = sorted(Path().glob("*.ipynb"))
    if len(here) == 1:
        return here[0].resolve()
    raise CourseError(
        f"Which notebook this is cannot be told here ({Path.cwd()} holds {len(here)}). Check it in "
        "a terminal: `course check SLUG --notebook FILE`."
    )


def exercise_of(root: Path, path: Path) -> str:
    """Return the exercise that a notebook is of, by its name or its folder's.

    Raises
    ------
    CourseError
        If neither is that of an exercise.
    """
    slugs = exercise_slugs(root)
    for name in (path.stem, path.parent.name):
        if name in slugs:
            return name
    raise CourseError(f"{path.name} is called as no exercise is. Say which: `%check SLUG`.")


def _is_saved(shell: Any, path: Path) -> bool:
    """Tell whether the cell that was run before this one is in the file as it was run."""
    # As it was typed, before IPython made Python of it; the last one is `%check` itself.
    ran = [text.strip() for text in shell.history_manager.input_hist_raw[:-1] if text.strip()]
    cells = json.loads(path.read_text(encoding="utf-8")).get("cells", [])
    return not ran or ran[-1] in {"".join(cell["source"]).strip() for cell in cells}
