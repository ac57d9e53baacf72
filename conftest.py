"""For every run of pytest here, nbval's of the notebooks included."""

import functools
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

# Sums come out otherwise, in their last digits, with other numbers of threads: pages are built with
# one, and their outputs are compared. Kernels are given what is set here.
os.environ.setdefault("OMP_NUM_THREADS", "1")

#: Seconds.
PATIENCE = 600


def pytest_configure(config: pytest.Config) -> None:
    """Let nbval's kernels talk through files: two that start together may take the same port.

    And let them take as long to start as a busy machine needs.
    """
    if config.getoption("nbval", False) or config.getoption("nbval_lax", False):
        import nbval.kernel

        folder = tempfile.TemporaryDirectory(prefix="nbval-")
        config.add_cleanup(folder.cleanup)
        nbval.kernel.KernelManager = functools.partial(
            nbval.kernel.KernelManager, transport="ipc", ip=str(Path(folder.name, "kernel"))
        )
        # Its own option for this takes no number.
        config.option.nbval_kernel_startup_timeout = PATIENCE


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give an output that nbval waits for the time that a busy machine needs.

    And let a test that can race be run once more when it fails.
    """
    for item in items:
        if hasattr(item, "output_timeout"):
            item.output_timeout = PATIENCE
        if item.get_closest_marker("races"):
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """List the tests that needed a second try: each of them is to be mended."""
    raced = sorted({report.nodeid for report in terminalreporter.stats.get("rerun", ())})
    # Of processes side by side, each reports to the first one.
    if not raced or hasattr(terminalreporter.config, "workerinput"):
        return
    terminalreporter.section("needed a second try, and to be mended")
    terminalreporter.write_line("\n".join(raced))
    # `make test` lists those of all its parts at its end.
    if listed := os.environ.get("COURSE_RACED"):
        with Path(listed).open("a", encoding="utf-8") as file:
            file.writelines(f"{name}\n" for name in raced)
