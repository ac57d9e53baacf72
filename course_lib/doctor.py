"""Look at the machine, and say what to do about each fault."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from course_lib.paths import is_kit

#: What `make course` makes: the environment's packages aside, the site and executed chapters.
_GIGABYTES_WANTED = 1.0

_PACKAGES = (
    "numpy",
    "torch",
    "matplotlib",
    "jupyterlab",
    "jupytext",
    "nbgrader",
    "jupyter-book",
)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes
    ----------
    what : str
        What was looked at.
    state : str
        ``"ok"``, ``"note"`` (something optional is missing) or ``"fault"``.
    found : str
        What is there.
    advice : str
        What to do, if anything.
    """

    what: str
    state: str
    found: str
    advice: str = ""


def examine(root: Path) -> list[Finding]:
    """Look at everything that the course needs; nothing is changed."""
    looks: list[Callable[[], list[Finding]]] = [
        _python,
        lambda: _packages(root),
        _device,
        lambda: _folder(root),
        _data_sets,
    ]
    if not is_kit(root):
        # Students neither build nor grade.
        looks[2:2] = [lambda: _extras(root)]
        looks += [_nbgrader_tools, _sandbox, _node]
    return [finding for look in looks for finding in look()]


def ceilings(
    n: int | None = None, working_sets: Sequence[int] | None = None
) -> tuple[list[tuple[str, str]], str]:
    """Measure how fast the device computes and moves, at most.

    Parameters
    ----------
    n : int, optional
        Rows and columns of the matrices that are multiplied.
    working_sets : sequence of int, optional
        Bytes that are moved, in each measurement.

    Returns
    -------
    rows : list of (str, str)
        What was measured, and the rate with its unit.
    advice : str
        How to read it.
    """
    import torch

    from course_lib.devices import get_device
    from course_lib.hardware import ceilings as measured
    from course_lib.hardware import fusion

    device = get_device()
    machine, steps = measured.measure(device, n=n, working_sets=working_sets)
    # Where these types are not built in, a large product would take minutes.
    small = n or (4096 if device.type != "cpu" else 512)
    rates = {torch.float32: machine.peak}
    for dtype in (torch.bfloat16, torch.float16):
        rates[dtype] = measured.peak(device, dtype, small)
    threads = f", {torch.get_num_threads()} threads" if device.type == "cpu" else ""
    rows = [
        (f"matrix product, {str(dtype).removeprefix('torch.')}, {device}{threads}", _rate(rate))
        for dtype, rate in rates.items()
    ]
    if device.type == "cpu" and (together := torch.get_num_threads()) > 1:
        torch.set_num_threads(1)
        rows.append(
            ("matrix product, float32, cpu, 1 thread", _rate(measured.peak(device, n=small)))
        )
        torch.set_num_threads(together)
    rows += [
        (f"a = b + s c, {_size(size)} in all", _rate(rate, "B")) for size, rate in steps.items()
    ]
    what = "three operations on one array, compiled (torch.compile)"
    if fusion.compiler(device):
        times = fusion.speedup(device, *([] if n is None else [n]))
        rows.append((what, f"{times:.2g} times as fast"))
    else:
        rows.append((what, "not measured: no C++ compiler here, such as g++"))
    return rows, (
        f"An operation in float32 that does fewer than {machine.ridge:.0f} FLOPs for each byte it "
        "moves to or from memory waits for memory; the chapter 'gpus' explains these numbers."
    )


def _rate(per_second: float, unit: str = "FLOP") -> str:
    for prefix, factor in (("T", 1e12), ("G", 1e9), ("M", 1e6)):
        if per_second >= factor:
            return f"{per_second / factor:.3g} {prefix}{unit}/s"
    return f"{per_second:.3g} {unit}/s"


def _size(size: int) -> str:
    return f"{size / 1e6:.3g} MB" if size >= 1e6 else f"{size / 1e3:.3g} kB"


def _python() -> list[Finding]:
    version = platform.python_version()
    if (3, 11) <= sys.version_info[:2] <= (3, 13):
        return [Finding("Python", "ok", version)]
    return [
        Finding(
            "Python",
            "fault",
            version,
            "The course needs 3.11, 3.12 or 3.13: install one, then "
            "`rm -r .venv` and `make course PYTHON=python3.11`.",
        )
    ]


def pinned_versions(root: Path) -> dict[str, str]:
    """Return package to version, as ``requirements.txt`` pins them."""
    try:
        text = (root / "requirements.txt").read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    return dict(re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;]+)", text, re.MULTILINE))


def _packages(root: Path) -> list[Finding]:
    pins = pinned_versions(root)
    findings = []
    for name in _PACKAGES:
        wanted = pins.get(name)
        if wanted is None and is_kit(root):
            continue
        try:
            # A label such as +cpu tells how a version was built, not which it is.
            found = metadata.version(name).partition("+")[0]
        except metadata.PackageNotFoundError:
            findings.append(Finding(name, "fault", "missing", "`pip install -r requirements.txt`"))
            continue
        if wanted is None or found == wanted.partition("+")[0]:
            findings.append(Finding(name, "ok", found))
        else:
            advice = f"The course was tested with {wanted}: `pip install -r requirements.txt`"
            findings.append(Finding(name, "fault", found, advice))
    return findings


def _device() -> list[Finding]:
    try:
        from course_lib.devices import get_device

        device = get_device()
    except Exception as error:
        return [Finding("device", "fault", str(error), "Unset COURSE_DEVICE or mend the driver.")]
    advice = (
        "No graphics card is needed: every exercise runs on the CPU."
        if device.type == "cpu"
        else ""
    )
    return [Finding("device", "ok", str(device), advice), _build()]


def _build() -> Finding:
    """Say which build of PyTorch is installed, and what the other one would cost or bring."""
    import torch

    card = nvidia_card(Path("/"))
    if torch.version.cuda is None:
        advice = (
            "For the NVIDIA card: `make env TORCH=cuda` makes the environment anew, 4 GB larger."
            if card
            else ""
        )
        return Finding("PyTorch", "note" if advice else "ok", "built for the CPU", advice)
    advice = (
        ""
        if card
        else "4 GB of the environment are for NVIDIA cards, and none with a driver is here: "
        "`make env TORCH=cpu` makes it anew without them."
    )
    return Finding(
        "PyTorch", "note" if advice else "ok", f"built for CUDA {torch.version.cuda}", advice
    )


def nvidia_card(root: Path) -> bool:
    """Tell whether there is an NVIDIA card with a driver, as `tools/environment.py` does."""
    places = ("dev/nvidiactl", "proc/driver/nvidia/version", "usr/lib/wsl/lib/nvidia-smi")
    return any((root / place).exists() for place in places)


def _folder(root: Path) -> list[Finding]:
    findings = []
    free = shutil.disk_usage(root).free / 1e9
    low = free < _GIGABYTES_WANTED
    findings.append(
        Finding(
            "disk",
            "fault" if low else "ok",
            f"{free:.1f} GB free",
            f"Make at least {_GIGABYTES_WANTED:g} GB free." if low else "",
        )
    )
    try:
        with tempfile.TemporaryFile(dir=root):
            pass
        findings.append(Finding("folder", "ok", "can be written"))
    except OSError as error:
        advice = "Copy the course to a folder of your own, or ask for the right to write here."
        findings.append(Finding("folder", "fault", error.strerror or str(error), advice))
    return findings


def _extras(root: Path) -> list[Finding]:
    """Look for what single chapters need, and what the course does without."""
    from course_lib import extras

    advice = "Some chapters then show outputs that were kept: `make env LIGHT=0` brings it."
    absent = extras.missing()
    state, found = ("note", f"without {', '.join(absent)}") if absent else ("ok", "all there")
    findings = [Finding("frameworks", state, found, advice if absent else "")]
    try:
        extras.cloud_python(root)
        findings.append(Finding("cloud clients", "ok", "there"))
    except ModuleNotFoundError:
        findings.append(Finding("cloud clients", "note", "missing", advice))
    return findings


def _data_sets() -> list[Finding]:
    from course_lib.data.downloads import cache_folder, kept

    files, size = kept()
    found = f"{files} file{'s' * (files != 1)}, {size / 1e6:.1f} MB" if files else "none fetched"
    advice = f"Larger sets, for those who fetch them, lie in {cache_folder()} (COURSE_DATA)."
    return [Finding("data sets", "ok", found, advice)]


def _nbgrader_tools() -> list[Finding]:
    # nbgrader calls alembic by its name when it opens a gradebook.
    if shutil.which("alembic", path=search_path()):
        return [Finding("gradebook", "ok", "alembic is there")]
    advice = "`pip install -r requirements.txt` in the environment that runs `course`."
    return [Finding("gradebook", "fault", "alembic is missing", advice)]


def _sandbox() -> list[Finding]:
    """Look whether other people's work can be graded here: a sandbox is built, and tried."""
    # Not by way of what grades: the library that students get has no part in that.
    if sys.platform.startswith("linux"):
        from course_lib.grading.engine.sandbox_check import missing_for_sandbox

        missing = missing_for_sandbox()
    else:
        missing = ["A sandbox is made of parts of Linux, and this is another system."]
    if not missing:
        return [Finding("sandbox", "ok", "can be built")]
    advice = f"Only needed to grade what others hand in. {' '.join(missing)}"
    return [Finding("sandbox", "note", "cannot be built", advice)]


def _node() -> list[Finding]:
    npm = shutil.which("npm")
    if npm is None:
        advice = "Only needed to build the site: install Node.js 18 or newer."
        return [Finding("npm", "note", "missing", advice)]
    version = subprocess.run([npm, "--version"], capture_output=True, text=True).stdout.strip()
    return [Finding("npm", "ok", version)]


def search_path() -> str:
    """Return PATH with this environment's own commands first."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
