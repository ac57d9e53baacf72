"""Warming up: what a process imports and touches ahead, so that no fork of it does it again."""

from __future__ import annotations

import gc
import importlib
import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from course_lib.grading.engine import kernel
from course_lib.imports import WEB_ADDRESSES, without

__all__ = ["DEFAULT_PRELOAD", "DRY_RUN", "large_pages", "warm", "warm_torch"]

DEFAULT_PRELOAD = (
    "numpy",
    "numpy.random",
    "numpy.testing",
    "matplotlib",
    "matplotlib.backends.backend_agg",
    "matplotlib.pyplot",
    "torch",
    "torch.testing",
    "torch.nn.functional",
    "torch.optim",
    "torch.utils.data",
    "IPython.core.interactiveshell",
    "course_lib",
    "course_lib.exercises",
    "course_lib.grading.engine.judge",
    "course_lib.grading.engine.student",
    "course_lib.grading.engine.dry_run",
)

#: What is preloaded only where many notebooks are run: it takes as long as some submissions.
DRY_RUN = "course_lib.grading.engine.dry_run"

_LARGE_PAGE = 2 << 20


def warm(preload: Sequence[str]) -> None:
    """Import modules, and make them load what they load on first use."""
    # Modules come to stay, and looking for garbage among them takes a tenth of their time.
    gc.disable()
    with without(WEB_ADDRESSES):
        for name in preload:
            try:
                importlib.import_module(name)
            except ModuleNotFoundError as error:
                if error.name != name.partition(".")[0]:
                    raise
            _check_threads(f"importing {name}")
    if "torch.optim" in preload:
        warm_torch()
        _check_threads("warming torch")
    if "matplotlib.pyplot" in sys.modules:
        _warm_matplotlib()
        _check_threads("warming matplotlib")
    if DRY_RUN in preload:
        # For a class: what makes each of many forks quicker. It leaves garbage, which is looked for
        # there alone: among the modules it would take as long as two submissions.
        gc.freeze()
        sys.modules[DRY_RUN].play()
        _check_threads("the dry run")
        gc.collect()
    # What is there now is never garbage: looking at it would copy the pages that children share.
    gc.freeze()
    gc.enable()


def large_pages() -> Iterator[None]:
    """Let pages of 2 MiB hold what this process has in memory, where the kernel can (Linux 6.1).

    Most of what a fork costs is copying the list of pages, and most of what an exit costs is
    going through it again: a short list halves both. To make one page takes milliseconds, and all
    of them as long as some submissions: each step makes one, so that whoever has something else
    to do need not wait for the rest.
    """
    with suppress(FileNotFoundError), open("/proc/self/maps") as maps:
        for line in maps.readlines():
            addresses, rights, *_, name = [*line.split(maxsplit=5), ""]
            if rights == "rw-p" and (name.strip() in ("", "[heap]")):
                start, end = (int(address, 16) for address in addresses.split("-"))
                for address in range(-(-start // _LARGE_PAGE) * _LARGE_PAGE, end, _LARGE_PAGE):
                    if address + _LARGE_PAGE <= end:
                        kernel.collapse(address, _LARGE_PAGE)
                        yield


def warm_torch() -> None:
    """Take one step with Adam, which loads a compiler, and one comparison."""
    torch: Any = importlib.import_module("torch")
    importlib.import_module("torch.testing")
    torch.set_num_threads(1)
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.Adam(model.parameters())
    torch.nn.functional.mse_loss(model(torch.ones(1, 2)), torch.ones(1, 1)).backward()
    optimizer.step()
    torch.testing.assert_close(torch.ones(1), torch.ones(1))


def _warm_matplotlib() -> None:
    """Draw one figure as a notebook shows it, which loads the fonts."""
    pyplot = sys.modules["matplotlib.pyplot"]
    figure, axes = pyplot.subplots()
    axes.plot([0, 1])
    figure.savefig(io.BytesIO(), bbox_inches="tight")
    pyplot.close(figure)


def _check_threads(after: str) -> None:
    """Refuse to fork a process with threads: only one of them would live on, and might wait."""
    with suppress(FileNotFoundError):  # not Linux
        count = len(os.listdir("/proc/self/task"))
        if count > 1:
            raise RuntimeError(f"The warm process has {count} threads after {after}.")
