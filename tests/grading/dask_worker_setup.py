"""What the tests' Dask workers are told to load before they begin: `dask worker --preload`.

``GRADING_TEST`` in their environment says what is wrong with them.
"""

from __future__ import annotations

import os
import signal
import sys

from light import LIGHT

from course_lib.grading.engine import jobs, sandbox_check
from course_lib.grading.engine import zygote as zygote_module

TROUBLE = os.environ.get("GRADING_TEST", "")
ZYGOTE = zygote_module.Zygote
RUN_JOB = jobs.run_job


def dask_setup(worker: object) -> None:
    """Be quick to warm, and have the trouble that a test wants."""
    marker = os.environ["GRADING_MARKER"]
    zygote_module.Zygote = lambda **options: ZYGOTE((*LIGHT, marker), **options)
    jobs.run_job = run_job
    if TROUBLE == "old":
        here = jobs.environment()
        jobs.environment = lambda: here | {"Python": "3.9", "course_lib": "00000000"}
    elif TROUBLE == "no sandbox":
        sandbox_check.missing_for_sandbox = lambda: [
            "User namespaces are switched off: allow them."
        ]
    elif TROUBLE == "no course":
        for name in [name for name in sys.modules if name.startswith("course_lib")]:
            del sys.modules[name]
        sys.modules["course_lib"] = None


def run_job(job: jobs.Job) -> bytes:
    """Run a job; one that says so takes all memory, and the worker is killed for it."""
    if b"TAKES ALL MEMORY" in job.notebook:
        os.kill(os.getpid(), signal.SIGKILL)
    return RUN_JOB(job)
