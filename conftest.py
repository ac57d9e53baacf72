"""For every run of pytest here, nbval's of the notebooks included."""

import functools
import os
import tempfile
from pathlib import Path

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
    """Give an output that nbval waits for the time that a busy machine needs."""
    for item in items:
        if hasattr(item, "output_timeout"):
            item.output_timeout = PATIENCE
