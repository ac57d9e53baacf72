"""What `make lab` changes of nbgrader's tools in JupyterLab.

*Validate* runs the engine of `course check`, and the formgrader does not warn of an exchange that
nobody has set up. It is an extension of Jupyter's server, for courses with nbgrader:
``jupyter/jupyter_server_config.py`` switches it on.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from html import escape
from pathlib import Path
from typing import Any

from jupyter_server.utils import url_path_join
from nbgrader.exchange.default import Exchange
from nbgrader.server_extensions.formgrader.handlers import ManageAssignmentsHandler
from nbgrader.server_extensions.validate_assignment.handlers import ValidateAssignmentHandler
from tornado import web

from course_lib.assignments.magic import exercise_of
from course_lib.paths import CourseError, find_root

#: Where nbgrader's exchange is, unless somebody says otherwise.
USUAL_EXCHANGE = Path(Exchange.class_traits()["root"].default_value)

__all__ = ["failed_cells", "has_exchange", "validate"]


def failed_cells(told: dict[str, Any]) -> list[dict[str, str]]:
    """Return the cells that did not pass, as nbgrader's *Validate* shows them.

    Parameters
    ----------
    told : dict
        What ``course check --json`` says.
    """
    cells = [
        (f"{name}", f"The cell stops with {error}")
        for name, error in told["broken"].items()
        # A step that is not written is told by its tests.
        if not error.startswith("NotImplementedError")
    ]
    cells += [
        (
            f"{test['grade_id']}: {test['points']:g} of {test['max_points']:g} points",
            test["message"],
        )
        for test in told["results"]
        if test["points"] is not None and test["points"] < test["max_points"]
    ]
    # The error is shown as markup, and holds what a student's code raised.
    return [{"source": s, "error": escape(e, quote=False), "raw_error": e} for s, e in cells]


def validate(path: Path) -> dict[str, Any] | None:
    """Check a notebook as `course check` does, and return what *Validate* shows.

    Parameters
    ----------
    path : Path
        The notebook, as it was saved.

    Returns
    -------
    dict or None
        As nbgrader answers: ``success``, and ``value``. None if the notebook is of no exercise of
        this course, which nbgrader then validates by itself.
    """
    try:
        root = find_root(path.parent)
        slug = exercise_of(root, path)
    except CourseError:
        return None
    if path.suffix != ".ipynb":
        return {
            "success": False,
            "value": f"{path.name} is the source of the exercise, and not an answer to it. "
            f"`course check {slug}` checks your copy of the exercise; `make test-exercises` tries "
            "the source with right and wrong answers.",
        }
    # A process of its own, as for `%check`: this one has threads, and the engine forks.
    command = [sys.executable, "-m", "course_lib", "check", slug, "--notebook", str(path), "--json"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    if done.returncode:
        return {"success": False, "value": done.stderr.strip().removeprefix("course: ")}
    failed = failed_cells(json.loads(done.stdout))
    return {"success": True, "value": {"failed": failed} if failed else {}}


class ValidateHandler(ValidateAssignmentHandler):
    """*Validate* in the notebook's toolbar."""

    @web.authenticated
    async def post(self) -> None:
        """Answer with the cells that fail."""
        try:
            path = self.get_argument("path")
        except web.MissingArgumentError:
            path = self.get_json_body()["path"]
        root = Path(self.root_dir).resolve()
        target = (root / path).resolve()
        if not target.is_relative_to(root):
            raise web.HTTPError(403, f"{path} lies outside of what this server shows.")
        loop = asyncio.get_running_loop()
        # Meanwhile, the server answers others.
        answer = await loop.run_in_executor(None, validate, target)
        self.finish(json.dumps(answer or self.validate_notebook(path)))


def has_exchange(config: Any) -> bool:
    """Tell whether somebody has set up an nbgrader exchange, or works on a JupyterHub.

    Parameters
    ----------
    config : traitlets.config.Config
        nbgrader's configuration.
    """
    named = any("root" in config.get(name, {}) for name in ("Exchange", "ExchangeList"))
    return named or USUAL_EXCHANGE.is_dir() or "JUPYTERHUB_USER" in os.environ


class AssignmentsHandler(ManageAssignmentsHandler):
    """The formgrader's first page."""

    def render(self, name: str, **given: Any) -> str:
        """Render it, without a warning where no exchange is missed."""
        if not has_exchange(self.settings["nbgrader_formgrader"].config):
            given["exchange_missing"] = False
        return super().render(name, **given)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Put these handlers before nbgrader's: the first that is added answers."""
    server.web_app.settings["root_dir"] = server.root_dir
    places = {
        "assignments/validate": ValidateHandler,
        "formgrader/manage_assignments/?": AssignmentsHandler,
    }
    base = server.web_app.settings["base_url"]
    handlers = [(url_path_join(base, place), kind) for place, kind in places.items()]
    server.web_app.add_handlers(".*$", handlers)
