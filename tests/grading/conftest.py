"""What the grading tests share: courses to grade, and a browser to look with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from course_lib.grading.engine import jobs
from course_lib.grading.engine import zygote as zygote_module

# The tests' own helpers lie beside them.
sys.path.insert(0, str(Path(__file__).parent))


def _talk_through_files(folder: Path, place: str) -> None:
    """Let the stock kernels of a course talk through files.

    A port may be taken by somebody else between its choice and its use.
    """
    with (folder / "nbgrader_config.py").open("a") as file:
        file.write(
            f"c.KernelManager.transport = 'ipc'\nc.KernelManager.ip = '{place}/k'\n"
            "c.Execute.startup_timeout = 600\n"
        )


@pytest.fixture
def over_files() -> Iterator[Callable[[Path], None]]:
    """Return a function that lets the stock kernels of a course talk through files."""
    # The name of a socket has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="k-") as place:
        yield lambda folder: _talk_through_files(folder, place)


@pytest.fixture(scope="session")
def _stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small class, released and graded by stock nbgrader, once for all processes of a run."""
    import small_course as small

    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    place, folder = shared / "stock", shared / "stock" / "course"
    with FileLock(shared / "stock.lock"), tempfile.TemporaryDirectory(prefix="k-") as sockets:
        if (place / "graded").exists():
            return folder
        shutil.rmtree(place, ignore_errors=True)
        folder.mkdir(parents=True)
        small.build(folder)
        _talk_through_files(folder, sockets)
        for step in ("generate_assignment", "autograde"):
            if step == "autograde":
                for student, answers in small.ANSWERS.items():
                    small.hand_in(folder, student, small.answered(folder, **answers))
            command = [sys.executable, "-m", "nbgrader", step, small.SLUG]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
            assert done.returncode == 0, done.stderr
        (place / "graded").touch()
    return folder


@pytest.fixture
def stock(_stock: Path, tmp_path: Path) -> Path:
    """A copy of the small class as stock nbgrader has released and graded it."""
    return shutil.copytree(_stock, tmp_path / "stock")


@pytest.fixture(scope="session", autouse=True)
def _pages_have_time(pages_have_time: None) -> None:
    """Pages are made in many of these tests."""


@pytest.fixture(scope="module")
def light_zygote() -> Iterator[None]:
    """Zygotes that know no PyTorch, and are warm in a moment."""
    from light import LIGHT

    jobs.close()

    class Light(zygote_module.Zygote):
        def __init__(self, *, wait: bool = True) -> None:
            super().__init__(LIGHT, wait=wait)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zygote_module, "Zygote", Light)
        yield
        jobs.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[object]:
    """A PostgreSQL server of our own."""
    from postgres_server import PostgresServer

    server = PostgresServer()
    yield server
    server.close()
