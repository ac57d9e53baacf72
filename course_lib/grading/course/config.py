"""The settings under which nbgrader grades this course.

`nbgrader_config.py` at the top of the course calls `configure`, and so does the sample class: one
place says what graded means, for nbgrader's own commands, the formgrader and `course grade`.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import nbgrader

__all__ = [
    "LATE_PENALTY",
    "SAFE_HTML",
    "STAND_INS",
    "configure",
    "find_alembic",
    "late_penalties",
    "safe_pages",
]

# nbgrader's preprocessors, and what takes their place. Used for courses that have lists of their
# own, too.
STAND_INS = {
    "nbgrader.preprocessors.execute.Execute": "course_lib.grading.running.sandboxed.Execute",
    "nbgrader.preprocessors.deduplicateids.DeduplicateIds": (
        "course_lib.grading.submissions.preprocessors.Repair"
    ),
    "nbgrader.preprocessors.getgrades.GetGrades": "course_lib.grading.pages.feedback.GetGrades",
    "nbgrader.preprocessors.overwritecells.OverwriteCells": (
        "course_lib.grading.submissions.preprocessors.OverwriteCells"
    ),
    "nbgrader.preprocessors.checkcellmetadata.CheckCellMetadata": (
        "course_lib.grading.submissions.preprocessors.CheckCellMetadata"
    ),
    "nbgrader.preprocessors.savecells.SaveCells": "course_lib.grading.course.cells.SaveCells",
}

# What nbgrader asks what lateness costs, where `due.toml` says so.
LATE_PENALTY = "course_lib.grading.course.due.LatePenalty"

# Runs whenever a notebook becomes a page: feedback, and the formgrader's view of a submission.
SAFE_HTML = "course_lib.grading.pages.feedback.SafeOutputs"

# Puts the marking scheme beside an answer, in the formgrader alone.
SCHEMES = "course_lib.grading.pages.schemes.MarkingSchemes"


def find_alembic() -> None:
    """Let nbgrader find `alembic`, which it starts by name when it makes a gradebook.

    It lies beside Python, and is not found where the environment is used without being activated.
    """
    if shutil.which("alembic") is None:
        beside = str(Path(sys.executable).parent)
        os.environ["PATH"] = os.pathsep.join([beside, os.environ.get("PATH", "")])


def safe_pages(c: Any) -> None:
    """Let pages that are made of submissions be safe to open, and feedback begin with its points.

    What a course has set for its pages stays.
    """
    html = c.HTMLExporter
    added = [name for name in (SAFE_HTML, SCHEMES) if name not in html.get("preprocessors", [])]
    html.preprocessors = [*html.get("preprocessors", []), *added]
    filters = {
        "markdown2html": "course_lib.grading.pages.feedback.safe_markdown",
        "ansi2html": "course_lib.grading.pages.feedback.safe_colors",
    }
    html.filters = filters | dict(html.get("filters", {}))
    if "extra_template_basedirs" not in html:
        # The templates here (of feedback, and of the formgrader's page for marking) extend
        # nbgrader's of the same names. nbconvert finds those as `feedback/` and `formgrade/` inside
        # a template called `templates`, which is nbgrader's whole folder.
        formgrader = Path(nbgrader.__file__).parent / "server_extensions" / "formgrader"
        own = Path(__file__).parents[1] / "pages" / "templates"
        html.extra_template_basedirs = list(map(str, (own, formgrader / "templates", formgrader)))


def late_penalties(c: Any, folder: Path) -> None:
    """Let what ``due.toml`` says be what lateness costs, if the course has no plugin for that."""
    if (folder / "due.toml").is_file() and "plugin_class" not in c.AssignLatePenalties:
        c.AssignLatePenalties.plugin_class = LATE_PENALTY
        c.LatePenalty.folder = str(folder)


def configure(c: Any) -> None:
    """Fill in nbgrader's configuration object `c`. Nothing in it depends on the machine."""
    find_alembic()
    c.CourseDirectory.source_directory = "_build/source"
    c.CourseDirectory.release_directory = "exercises"
    # nbgrader's own, and the network that an exercise writes for the site (course_lib.sharing).
    c.CourseDirectory.ignore = [
        ".ipynb_checkpoints",
        "*.pyc",
        "__pycache__",
        "feedback",
        "my-network.json",
    ]
    # A gradebook may outlive this name; an exchange, if there is one, has a folder of this name.
    c.CourseDirectory.course_id = "deep-learning-layer-by-layer"

    c.ClearSolutions.code_stub = {"python": "raise NotImplementedError"}
    c.ClearSolutions.text_stub = "*Write your answer here.*"

    # A right answer runs a whole notebook in 10 seconds (20 where it trains something).
    c.Execute.timeout = 30
    c.Execute.notebook_timeout = 300
    c.Execute.max_output_bytes = 500_000
    c.LimitOutput.max_lines = 300
    c.LimitOutput.max_traceback = 60

    c.Autograde.sanitize_preprocessors = [
        "nbgrader.preprocessors.ClearOutput",
        "course_lib.grading.submissions.preprocessors.Repair",
        "nbgrader.preprocessors.OverwriteKernelspec",
        "course_lib.grading.submissions.preprocessors.OverwriteCells",
        "course_lib.grading.submissions.preprocessors.CheckCellMetadata",
    ]
    c.Autograde.autograde_preprocessors = [
        "course_lib.grading.running.sandboxed.Execute",
        "nbgrader.preprocessors.LimitOutput",
        "nbgrader.preprocessors.SaveAutoGrades",
        "nbgrader.preprocessors.AssignLatePenalties",
        "course_lib.grading.submissions.preprocessors.CheckCellMetadata",
    ]
    c.GenerateFeedback.preprocessors = [
        "course_lib.grading.pages.feedback.GetGrades",
        "course_lib.grading.pages.feedback.MaskHiddenTests",
        "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
    ]
    safe_pages(c)
    # nbgrader's commands and its formgrader are started in the course's folder.
    late_penalties(c, Path.cwd())
    c.ExportApp.plugin_class = "course_lib.grading.exports.tables.CsvExport"
