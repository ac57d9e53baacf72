"""JupyterLab: nbgrader's tools and text files as notebooks for teachers, `work/` for students."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import quote

from course_lib.paths import is_kit

__all__ = ["lab_command"]


def lab_command(
    root: Path, *, port: int | None = None, browser: bool = True, open_path: Path | None = None
) -> tuple[list[str], dict[str, str]]:
    """Return the command that starts JupyterLab on the course, and its environment.

    Run it in the folder `root`: that is where nbgrader's formgrader looks for the course. The
    settings come from ``jupyter/`` there; nothing is written to the user's own configuration. Of a
    student's kit, ``work/`` is what JupyterLab shows.

    Parameters
    ----------
    root : Path
        The course.
    port : int, optional
        Where to listen; Jupyter looks for a free port by default.
    browser : bool
        Whether to open a browser.
    open_path : Path, optional
        A file to open; the address that Jupyter prints opens it.
    """
    environment = dict(os.environ)
    shown = root / "work" if is_kit(root) else root
    settings = root / "jupyter"
    if settings.is_dir():
        known = environment.get("JUPYTER_CONFIG_PATH", "")
        environment["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, [str(settings), known]))
    # The kernels inherit this: results then do not depend on how many cores there are.
    environment.setdefault("OMP_NUM_THREADS", "1")
    # nbgrader starts alembic by name; notebooks start `course`.
    beside = str(Path(sys.executable).parent)
    environment["PATH"] = os.pathsep.join([beside, environment.get("PATH", "")])
    command = [sys.executable, "-m", "jupyterlab"]
    if shown != root:
        command.append(f"--ServerApp.root_dir={shown}")
    if port is not None:
        command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    if not browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # In a container everybody is root; Jupyter wants to hear that this is known.
        command.append("--allow-root")
    if open_path is not None:
        place = quote(open_path.relative_to(shown).as_posix())
        # A file that is named would be opened by the browser alone, and not by the address.
        command.append(f"--LabApp.default_url=/lab/tree/{place}")
    return command, environment
