"""Grading many submissions in one process that writes the gradebook, and any number that do not.

`Recorder` is nbgrader's Autograde taken in two: first each notebook is mended in memory and made a
job, and when the job's outputs have come back, nbgrader's own steps run on it, with the outputs in
the place of execution. `Pages` is its GenerateFeedback. Both keep what nbgrader makes anew for
each submission: exporters, preprocessors, templates.

Whatever is killed, and whenever: the scores of a submission are written in one transaction, and
its graded notebooks get their names after that. So they are the sign that it came to its end, and
a submission without that sign is graded again by the next run. Beside their folder lies a note of
the files that were graded (see `digests`), by which a submission that is another now is known.
"""

from __future__ import annotations

import functools
import os
import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import HTMLExporter
from nbconvert.writers import FilesWriter
from nbformat import NotebookNode, validator
from nbgrader.api import Assignment, BaseCell, Grade, Gradebook, Notebook
from nbgrader.converters import Autograde, GenerateFeedback
from sqlalchemy import or_

from course_lib.grading.course.due import read_due
from course_lib.grading.course.folder import GradingError
from course_lib.grading.course.names import ByName
from course_lib.grading.engine.jobs import Job
from course_lib.grading.pages.feedback import PageExporter
from course_lib.grading.recording.digests import keep_note, look
from course_lib.grading.recording.gradebook import SharedGradebook, of_submission
from course_lib.grading.running.sandboxed import Execute, digest
from course_lib.grading.submissions.files import files_beside
from course_lib.grading.submissions.opening import NoNotebookError, open_notebook, read_bytes

__all__ = ["InPlace", "Pages", "Prepared", "Recorder"]


@dataclass
class Prepared:
    """A submission that was mended and is ready to be run."""

    student: str
    notebooks: dict[str, NotebookNode]
    jobs: dict[str, Job]
    seen: dict[str, Any]
    """What its files were when they were about to be read."""
    read_at: float = field(default_factory=time.time)
    """When its files were about to be read: what is younger was not seen."""
    begin: float = field(default_factory=time.monotonic)


class _Kept(ByName):
    """Keep the exporter and the writer of a converter from one submission to the next."""

    made = False

    def start(self) -> None:
        """Convert what the course directory names now."""
        self.init_notebooks()
        self.keep()
        before = os.getcwd()
        os.chdir(self.coursedir.root)  # type: ignore[attr-defined]
        try:
            self.convert_notebooks()  # type: ignore[attr-defined]
        finally:
            os.chdir(before)
            # It remembers the metadata of every notebook that it has seen.
            self.exporter._nb_metadata.clear()

    def keep(self) -> None:
        """Make the exporter and the writer, if they are not there."""
        if not self.made:
            self.made = True
            config = self.config  # type: ignore[attr-defined]
            self.writer = FilesWriter(parent=self, config=config)
            exporter_class = _without_copies(self.exporter_class)  # type: ignore[attr-defined]
            self.exporter = exporter_class(parent=self, config=config)
            # Validate once, at the end, and not behind each preprocessor.
            self.exporter.optimistic_validation = True
            for preprocessor in self.preprocessors:
                self.exporter.register_preprocessor(preprocessor)

    def write_single_notebook(self, output: str, resources: Any) -> None:
        """Write a notebook or a page so that it is there as a whole or not at all."""
        if resources.get("outputs"):
            super().write_single_notebook(output, resources)  # type: ignore[misc]
            return
        info = resources["nbgrader"]
        folder = Path(self._format_dest(info["assignment"], info["student"]))  # type: ignore[attr-defined]
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / (resources["unique_key"] + resources["output_extension"])
        half = path.with_name(f".{path.name}.part")
        half.write_text(output, encoding="utf-8")
        # What nbgrader's writer is asked for afterwards.
        self.writer.build_directory = str(folder)
        self.put_in_place(half, path)

    def put_in_place(self, half: Path, path: Path) -> None:
        """Give a file that is complete its name."""
        half.replace(path)


@functools.cache
def _without_copies(exporter_class: type[Any]) -> type[Any]:
    """Return an exporter that does not copy a notebook once more for its preprocessors."""

    class Exporter(exporter_class):
        #: Whether what it is given was handed in.
        opens = False

        def from_filename(self, filename: str, resources: Any = None, **kwargs: Any) -> Any:
            if not self.opens:
                return super().from_filename(filename, resources, **kwargs)
            resources["metadata"] = {
                "name": Path(filename).stem,
                "path": str(Path(filename).parent),
            }
            return self.from_notebook_node(_opened(filename), resources, **kwargs)

        def _preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
            _, nb = validator.normalize(nb)
            for preprocessor in self._preprocessors:
                nb, resources = preprocessor(nb, resources)
            nbformat.validate(nb, relax_add_props=True)
            return nb, resources

    return Exporter


def _opened(path: str) -> NotebookNode:
    """Open a notebook that was handed in."""
    try:
        return open_notebook(read_bytes(Path(path)))
    except NoNotebookError as error:
        raise GradingError(f"{Path(path).name} {error}") from error


class _Graded(_Kept, Autograde):
    """What both ways to grade a submission do otherwise than nbgrader's Autograde."""

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Prepare a submission, and ask for marks of what nbgrader does not look at again.

        Of a notebook that is missing, nbgrader scores everything with 0, and leaves marks as they
        are. When it comes, or is another, tests and answers are scored anew, but tasks are not.
        """
        super().init_assignment(assignment_id, student_id)
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
            here = {Path(path).stem for path in self.notebooks}
            # Only their names: what else nbgrader loads with a notebook counts points of the class.
            names = gradebook.db.query(Notebook.name).join(
                Assignment, Assignment.id == Notebook.assignment_id
            )
            for (notebook,) in names.filter(Assignment.name == assignment_id).all():
                place = (notebook, assignment_id, student_id)
                grades = of_submission(gradebook.db.query(Grade), Grade, *place)
                marked = Grade.manual_score.is_not(None)
                if notebook not in here:
                    # It was there when a person marked it.
                    for grade in grades.filter(marked):
                        grade.needs_manual_grade = True
                    continue
                given = or_(Grade.auto_score.is_not(None), marked)
                for grade in grades.filter(BaseCell.type == "TaskCell", given):
                    grade.auto_score = None
                    grade.needs_manual_grade = True
            due = read_due(Path(self.coursedir.root))
            if due is not None:
                due.enter(gradebook.find_submission(assignment_id, student_id))
            gradebook.db.commit()


class InPlace(_Graded):
    """nbgrader's Autograde, for notebooks that run in this process's kernels."""

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Prepare a submission; take down what it is before it is read."""
        folder = Path(self._format_source(assignment_id, student_id))
        self._read_at = time.time()
        self._seen = look(folder, self.coursedir.ignore)
        super().init_assignment(assignment_id, student_id)

    def _init_preprocessors(self) -> None:
        """Register the preprocessors of this step: the first one reads what was handed in."""
        super()._init_preprocessors()
        self.exporter.opens = self._sanitizing

    def set_permissions(self, assignment_id: str, student_id: str) -> None:
        """End a submission: all its notebooks are in their places."""
        super().set_permissions(assignment_id, student_id)
        folder = Path(self._format_dest(assignment_id, student_id))
        made = {path.name: path for path in folder.glob("*.ipynb") if path.is_file()}
        keep_note(folder, self._seen, made)
        for path in made.values():
            os.utime(path, (self._read_at, self._read_at))

    def put_in_place(self, half: Path, path: Path) -> None:
        """Give a file its name; until all is done it is as old as can be, so not current."""
        os.utime(half, (0, 0))
        super().put_in_place(half, path)


class Recorder(_Graded):
    """nbgrader's Autograde in two steps: `prepare`, and `start` with what was run in between."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.gradebook: SharedGradebook | None = None
        # Student and notebook to the digest of what was run, and what it did.
        self.prefetched: dict[tuple[str, str], tuple[str, bytes]] = {}
        self._read_at = 0.0
        self._seen: dict[str, Any] = {}
        self._halves: list[tuple[Path, Path]] = []
        self._mended: dict[tuple[str, str], NotebookNode] = {}
        self._kept_preprocessors: dict[bool, list[Any]] = {}

    def prepare(self, known: set[str]) -> Prepared:
        """Mend the notebooks of the submission that the course directory names; write nothing.

        Parameters
        ----------
        known : set of str
            The notebooks of the assignment.
        """
        read_at = time.time()
        self.init_notebooks()
        self.keep()
        self._sanitizing = True
        self._init_preprocessors()
        ((folder, paths),) = self.assignments.items()
        seen = look(Path(folder), self.coursedir.ignore)
        notebooks, jobs = {}, {}
        student = ""
        execute = self._execute()
        assert execute is not None
        for path in sorted(paths):
            name = Path(path).stem
            if name not in known:
                continue
            resources = self.init_single_notebook_resources(path)
            student = resources["nbgrader"]["student"]
            notebook, resources = self._only_preprocess(path, resources)
            notebooks[name] = notebook
            files = self._files(folder, resources["nbgrader"]["assignment"])
            jobs[name] = execute.job(notebook, resources, *files)
        self.exporter._nb_metadata.clear()
        return Prepared(student, notebooks, jobs, seen, read_at)

    def start(self) -> None:
        """Record what the course directory names now, as a whole or not at all."""
        self._halves = []
        try:
            with self.gradebook.together() if self.gradebook else nullcontext():
                super().start()
            for half, _ in self._halves:
                # So that work that was handed in while this was running is younger.
                os.utime(half, (self._read_at, self._read_at))
            # First: where notebooks are in their places, it is known what they were made of.
            for folder in {path.parent for _, path in self._halves}:
                keep_note(folder, self._seen, {path.name: half for half, path in self._halves})
            for half, path in self._halves:
                half.replace(path)
        finally:
            for half, _ in self._halves:
                half.unlink(missing_ok=True)

    def put_in_place(self, half: Path, path: Path) -> None:
        """Wait with the name until the scores are in the gradebook."""
        self._halves.append((half, path))

    def take(self, prepared: Prepared, results: dict[str, bytes]) -> None:
        """Take over a mended submission and what its notebooks did, for the next `start`."""
        self._read_at = prepared.read_at
        self._seen = prepared.seen
        self._mended = {
            (prepared.student, name): notebook for name, notebook in prepared.notebooks.items()
        }
        self.prefetched = {
            (prepared.student, name): (digest(prepared.notebooks[name]), text)
            for name, text in results.items()
        }

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """Grade a notebook that was mended before."""
        name = Path(notebook_filename).stem
        resources = self.init_single_notebook_resources(notebook_filename)
        info = resources["nbgrader"]
        notebook = self._mended.pop((info["student"], name), None)
        if notebook is None:
            raise GradingError(
                f"{name}.ipynb came while the others were being graded. Run the same command again."
            )
        self.log.info("Autograding %s", notebook_filename)
        folder = self._format_dest(info["assignment"], info["student"])
        resources["metadata"] = {"name": name, "path": folder}
        self._sanitizing = False
        self._init_preprocessors()
        try:
            # One by one, the scores of a notebook's cells would each be a message to the database.
            with self.gradebook.later() if self.gradebook else nullcontext():
                output, resources = self.exporter.from_notebook_node(notebook, resources)
            self.write_single_notebook(output, resources)
        finally:
            self._sanitizing = True

    def _init_preprocessors(self) -> None:
        """Register the preprocessors of this step, the same ones each time."""
        kept = self._kept_preprocessors.get(self._sanitizing)
        if kept is None:
            super()._init_preprocessors()
            self._kept_preprocessors[self._sanitizing] = self.exporter._preprocessors
        else:
            self.exporter._preprocessors = kept

    def runs_ahead(self) -> bool:
        """Tell whether notebooks run in a sandbox, and so before this process records them."""
        self.keep()
        execute = self._execute()
        return execute is not None and execute.engine == "sandboxed"

    def _execute(self) -> Execute | None:
        """Return the preprocessor that runs notebooks, with the course's settings."""
        if False not in self._kept_preprocessors:
            self._sanitizing = False
            self._init_preprocessors()
            self._sanitizing = True
            self._init_preprocessors()
        found = [pp for pp in self._kept_preprocessors[False] if isinstance(pp, Execute)]
        return found[0] if found else None

    def _only_preprocess(self, path: str, resources: Any) -> tuple[NotebookNode, Any]:
        """Return a notebook after its preprocessors, and not yet as text."""
        resources["metadata"] = {"name": Path(path).stem, "path": str(Path(path).parent)}
        # The exporter's own makes a page or a text of it.
        base = super(self.exporter_class, self.exporter)
        return base.from_notebook_node(_opened(path), resources=resources)

    def _files(self, folder: str, assignment: str) -> tuple[dict[str, bytes], dict[str, bytes]]:
        """Return what will lie beside the notebook, and what lies beside the teacher's.

        The first is what `init_assignment` will copy: what was handed in, and over it what is the
        course's.
        """
        source = self.coursedir.format_path(self.coursedir.source_directory, ".", assignment)
        ignored = self.coursedir.ignore
        course = files_beside([Path(source)], ignored)
        keep = set(self.exclude_overwriting.get(assignment, []))
        files = files_beside([Path(folder)], ignored)
        files |= {name: content for name, content in course.items() if name not in keep}
        return files, course


class Pages(_Kept, GenerateFeedback):
    """nbgrader's GenerateFeedback for one submission after another."""

    def keep(self) -> None:
        """Make the exporter; where it is the usual one, the quicker one."""
        if not self.made and self.exporter_class is HTMLExporter:
            self.exporter_class = PageExporter
        super().keep()
