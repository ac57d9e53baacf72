"""Running a notebook in the sandbox: the student's cells in one process, the tests in another.

`Execute` takes the place of nbgrader's preprocessor of the same name. It hands the notebook to
`course_lib.grading.engine` and writes what comes back into the cells, so that every later step
(points, feedback, the formgrader) is nbgrader's. A teacher who trusts what is handed in may say
``c.Execute.engine = "kernel"`` in ``nbgrader_config.py``: notebooks then run in a stock kernel.
"""

from __future__ import annotations

import functools
import hashlib
import json
import platform
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_output
from traitlets import Enum, Integer, validate

from course_lib.grading.course.folder import GradingError, shown_path
from course_lib.grading.course.secret import asks_for_seed, digest_of, seed_for
from course_lib.grading.engine import asked
from course_lib.grading.engine.credit import as_told
from course_lib.grading.engine.jobs import Job, run_job
from course_lib.grading.engine.runner import OVER_MEMORY, OVER_PROCESSOR_TIME
from course_lib.grading.running.kernel import KERNEL_DIED, NOT_RUN, TEST_FAULT, TIMED_OUT
from course_lib.grading.running.kernel import Execute as KernelExecute
from course_lib.grading.submissions.answers import NONE_NAMED, read_answers, without_answers
from course_lib.grading.submissions.files import files_beside
from course_lib.grading.submissions.repair import whole_characters

__all__ = ["TEST_FAULT", "Execute", "digest", "missing_for_sandbox", "require_sandbox"]

MIB = 1 << 20

# What the engine 'sandboxed' was called before, as configurations may still have it.
_OLD_NAME = "walled"

# How the sentences begin on a cell that was stopped for what its processes used.
STOPPED = "This cell was stopped: its process, with all that it had started, used"

# What a kernel says of itself; feedback pages color code by it.
LANGUAGE = {
    "name": "python",
    "version": platform.python_version(),
    "mimetype": "text/x-python",
    "file_extension": ".py",
    "pygments_lexer": "ipython3",
    "nbconvert_exporter": "python",
    "codemirror_mode": {"name": "ipython", "version": 3},
}


class Execute(KernelExecute):
    """nbgrader's ``Execute``, in a sandbox."""

    engine = Enum(
        ["sandboxed", "kernel", _OLD_NAME],
        default_value="sandboxed",
        help="How notebooks are run: 'sandboxed' keeps what students handed in away from the "
        "tests, the gradebook and this machine; 'kernel' runs it in a stock kernel with all the "
        "rights that you have. 'walled' is what 'sandboxed' was called before.",
    ).tag(config=True)

    @validate("engine")
    def _engine_by_its_name(self, proposal: Any) -> str:
        """Take the name that the sandbox had before, and say that it has another one."""
        if proposal["value"] != _OLD_NAME:
            return str(proposal["value"])
        self.log.warning(
            "c.Execute.engine is %r, which is called 'sandboxed' now: say so in "
            "nbgrader_config.py. Notebooks run in the sandbox, as before.",
            _OLD_NAME,
        )
        return "sandboxed"

    memory = Integer(
        1024,
        help="MiB that a notebook may use on top of its libraries (engine 'sandboxed').",
    ).tag(config=True)

    def preprocess(
        self, nb: NotebookNode, resources: Any = None, km: Any = None
    ) -> tuple[NotebookNode, Any]:
        """Run every code cell of `nb`, in place."""
        if self.engine == "kernel":
            return super().preprocess(nb, resources, km)
        text = self._prefetched(nb, resources)
        if text is None:
            require_sandbox()
            folder = (resources or {}).get("metadata", {}).get("path") or ""
            # It holds what was handed in and, over that, the course's files.
            files = files_beside([Path(folder)]) if folder else {}
            text = run_job(self.job(nb, resources, files, self._course_files(resources)))
        runs = json.loads(text)
        # Half a character can be printed, and cannot be written to a file.
        self.write(nb, whole_characters(runs) if b"\\ud" in text else runs)
        return nb, resources

    def job(
        self,
        nb: NotebookNode,
        resources: Any,
        files: dict[str, bytes],
        course_files: dict[str, bytes],
    ) -> Job:
        """Return the job that runs `nb`, with the files beside it and beside the teacher's.

        Raises
        ------
        GradingError
            If the notebook is not Python's.
        """
        kernel = nb.metadata.get("kernelspec", {})
        language = str(kernel.get("language") or kernel.get("name") or "python")
        if not language.lower().startswith("python"):
            raise GradingError(
                f"The notebook is written in {language}, and only Python runs in a sandbox. If "
                'you trust what is handed in, say c.Execute.engine = "kernel" in '
                "nbgrader_config.py."
            )
        source = self._source(resources)
        answers = read_answers(source) if source else NONE_NAMED
        return Job(
            notebook=json.dumps(without_answers(nb, answers)).encode(),
            source=source,
            files=files,
            course_files=course_files,
            # nbgrader: no limit at all.
            cell_seconds=self.notebook_timeout if self.timeout is None else self.timeout,
            notebook_seconds=self.notebook_timeout,
            memory=self.memory * MIB,
            seed=self._seed(nb, resources, files, course_files),
        )

    def write(self, nb: NotebookNode, runs: list[dict[str, Any]]) -> None:
        """Write into the cells of `nb` what they did."""
        nb.metadata["language_info"] = NotebookNode(LANGUAGE)
        count = 0
        for run in runs:
            if "index" not in run:
                continue
            cell = nb.cells[run["index"]]
            if not cell.source.strip():
                continue
            count += 1
            cell.execution_count = count
            cell.outputs = self._bounded([NotebookNode(output) for output in run["outputs"]])
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = count
            said = self._said(run)
            if said:
                # What the cell put out before its end stays; what the engine says is said better.
                cell.outputs = [out for out in cell.outputs if out.output_type != "error"]
                self._add_error(cell, *said)
                if said[0] == NOT_RUN:
                    cell.execution_count = None
        self._settle(nb)

    # The parts of a job

    def _prefetched(self, nb: NotebookNode, resources: Any) -> bytes | None:
        """Return what the cells did when this notebook was run ahead of time, if it was."""
        converter = getattr(self.parent, "parent", None)
        results = getattr(converter, "prefetched", None)
        info = (resources or {}).get("nbgrader")
        if not results or not info:
            return None
        known, text = results.get((info["student"], info["notebook"]), ("", None))
        return text if known == digest(nb) else None

    def _source(self, resources: Any) -> bytes | None:
        """Return the teacher's notebook; the release where there is no source.

        Raises
        ------
        GradingError
            If there is neither, or the release does not say what is asked for.
        """
        converter = getattr(self.parent, "parent", None)
        coursedir = getattr(converter, "coursedir", None)
        info = (resources or {}).get("nbgrader")
        if coursedir is None or not info:
            return None
        directories = (coursedir.source_directory, coursedir.release_directory)
        folders = [coursedir.format_path(one, ".", info["assignment"]) for one in directories]
        source, release = (Path(folder) / f"{info['notebook']}.ipynb" for folder in folders)
        found = next((path for path in (source, release) if path.is_file()), None)
        text = None if found is None else _read_source(found, found.stat().st_mtime_ns)
        cut = asked.are_cut(nbformat.v4.reads(text.decode())) if text and found == release else []
        if text is None or cut:
            there = f"the release says nothing of {', '.join(cut)}" if cut else "no release either"
            raise GradingError(
                f"There is no {shown_path(source)}, and {there}: which classes the exercise asks "
                "for is read from the teacher's notebook, and without it wrong answers may pass "
                "and right ones fail. Put it back, then run the same command again."
            )
        return text

    def _course_files(self, resources: Any) -> dict[str, bytes]:
        """Return the files beside the teacher's notebook."""
        coursedir = getattr(getattr(self.parent, "parent", None), "coursedir", None)
        info = (resources or {}).get("nbgrader")
        if coursedir is None or not info:
            return {}
        folder = coursedir.format_path(coursedir.source_directory, ".", info["assignment"])
        return files_beside([Path(folder)], coursedir.ignore)

    def _seed(
        self,
        nb: NotebookNode,
        resources: Any,
        files: dict[str, bytes],
        course_files: dict[str, bytes],
    ) -> bytes:
        """Return what the hidden inputs of the tests follow from, where tests draw any."""
        coursedir = getattr(getattr(self.parent, "parent", None), "coursedir", None)
        info = (resources or {}).get("nbgrader")
        if coursedir is None or not info or not asks_for_seed(nb.cells, course_files):
            return b""
        own = {name: content for name, content in files.items() if name not in course_files}
        place = (info["assignment"], info["notebook"], info["student"], digest_of(nb.cells, own))
        return seed_for(Path(coursedir.root), *place, shared=coursedir.groupshared)

    # What is written into cells

    def _said(self, run: dict[str, Any]) -> tuple[str, str] | None:
        """Return the error's name and message for a cell that did not come to its own end."""
        status, why = run["status"], run["error"]
        if status == "timeout":
            if "notebook" in why:
                seconds = self.notebook_timeout
                return NOT_RUN, (
                    f"This cell was not run: the notebook had used up its {seconds} seconds."
                )
            return TIMED_OUT, self._timeout_error(self._limit(run))["evalue"]
        if status == "died" and why == OVER_MEMORY:
            return KERNEL_DIED, (
                f"{STOPPED} more memory than the {self.memory:,} MiB that a submission may use. "
                "Work with fewer or smaller arrays at a time."
            )
        if status == "died" and why == OVER_PROCESSOR_TIME:
            return KERNEL_DIED, (
                f"{STOPPED} more processor time than a submission may use. Does a thread or a "
                "process go on after its cell has ended?"
            )
        if status == "died":
            detail = f" ({why})" if why and "ended the Python process" not in why else ""
            return KERNEL_DIED, (
                "This cell ended the Python process it ran in"
                f"{detail}: with os._exit, by running out of memory, or in a library that crashed."
            )
        if status == "judge":
            return TEST_FAULT, as_told(why)
        if status == "not run":
            return NOT_RUN, f"This cell was not run: {why.rstrip('.') or 'no reason is known'}."
        return None

    def _limit(self, run: dict[str, Any]) -> int | None:
        """Return the seconds that a stopped cell had: its limit, or what the notebook had left."""
        if self.timeout is None or run["seconds"] >= self.timeout - 1:
            return self.timeout or self.notebook_timeout
        return max(1, round(run["seconds"]))

    def _bounded(self, outputs: list[NotebookNode]) -> list[NotebookNode]:
        """Return outputs with no more bytes than are kept of one cell."""
        room = self.max_output_bytes
        kept: list[NotebookNode] = []
        for output in outputs:
            size = 0
            if output.output_type == "stream":
                if room <= 0 and not self._first_of(kept, output.name):
                    continue
                output.text = self._shorten(output.text, max(room, 200))
                size = len(output.text)
            elif output.output_type == "error":
                output.evalue = self._shorten(output.evalue, 10_000)
                output.traceback = [self._shorten(line, 10_000) for line in output.traceback[-100:]]
            else:
                size = sum(len(str(value)) for value in output.data.values())
                if size > room:
                    if output.output_type == "display_data" and room <= 0:
                        continue
                    # The plain text stays: a number there is a test cell's partial credit.
                    plain = str(output.data.get("text/plain", ""))
                    text = self._shorten(plain, max(room, 2_000))
                    output = new_output(output.output_type, data={"text/plain": text})
                    size = len(text)
            room -= max(size, 100)
            kept.append(output)
        return kept


def require_sandbox() -> None:
    """Make sure that a sandbox can be built here.

    Raises
    ------
    GradingError
        If none can; the message says why, and what to do.
    """
    missing = missing_for_sandbox()
    if missing:
        raise GradingError(
            "What students handed in cannot be kept in a sandbox on this machine. "
            f"{' '.join(missing)} Grade on a Linux machine that can (or on several: --scheduler). "
            "If you trust everything that was handed in with all that you may do here, say "
            'c.Execute.engine = "kernel" in nbgrader_config.py.'
        )


_sandbox_stands = False


def missing_for_sandbox() -> list[str]:
    """Return why no sandbox can be built here; once nothing was missing, it is not asked again."""
    global _sandbox_stands
    if _sandbox_stands:
        return []
    if not sys.platform.startswith("linux"):
        return ["A sandbox is made of parts of Linux, and this is another system."]
    from course_lib.grading.engine import sandbox_check

    missing = sandbox_check.missing_for_sandbox()
    _sandbox_stands = not missing
    return missing


def digest(nb: NotebookNode) -> str:
    """Return a digest of what a run of a notebook depends on: its code cells, in their order."""
    lines = [
        [cell.source, cell.metadata.get("nbgrader", {})]
        for cell in nb.cells
        if cell.cell_type == "code"
    ]
    return hashlib.sha256(json.dumps(lines, sort_keys=True).encode()).hexdigest()


@functools.lru_cache(maxsize=16)
def _read_source(path: Path, _changed: int) -> bytes:
    return nbformat.v4.writes(nbformat.read(path, as_version=4)).encode()
