"""Make the Python environment of the course: ``python3 tools/environment.py .venv``.

It runs with the system's Python, before there is an environment: nothing but the standard library.

``requirements.txt`` names every package that Linux needs, so nothing is resolved: what it names is
installed as it stands, and ``pip check`` then tells whether something is missing (other systems
need a few packages more), which a second, resolving run of pip adds.

PyTorch goes its own way. The usual index has, for Linux, the build for NVIDIA cards: with its
libraries, 4 GB more than the build for the CPU, which PyTorch's own index has. A machine without a
card gets the latter, as long as that index answers within a few seconds.

The frameworks beside PyTorch are 2 GB more, and the clients of the clouds get an environment of
their own beside this one (``.venv-clouds``), since they want other versions. ``--light 1`` leaves
both out.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

#: PyTorch's own index of the builds for the CPU.
CPU_INDEX = "https://download.pytorch.org/whl/cpu"

#: How long that index is waited for, in seconds.
PATIENCE = 5.0

#: Where the packages are named: the course's, what the frameworks add, and the clouds' clients.
PINS = "requirements.txt"
FRAMEWORKS = "requirements-frameworks.txt"
CLOUDS = "requirements-clouds.txt"

#: How many pins may have no release for this Python before the environment is given up.
MOST_LEFT = 5


class Failed(Exception):
    """A step failed; the message is what a person needs to know."""


def main() -> None:
    """Read the command line and make the environment."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path, help="the environment, such as .venv")
    parser.add_argument("--torch", default="", help="cpu or cuda; found out by default")
    parser.add_argument(
        "--light", default="", help="1 leaves frameworks and clouds out, 0 does not"
    )
    arguments = parser.parse_args()
    try:
        make(arguments.folder, Path(), arguments.torch, arguments.light)
    except Failed as failed:
        sys.exit(str(failed))
    except KeyboardInterrupt:
        sys.exit("Stopped. The same command goes on.")


def make(folder: Path, root: Path, asked: str, light: str = "") -> None:
    """Make the environment, or bring it up to date, unless it is already.

    The stamp ``ready`` in it holds which build of PyTorch it has, and whether it is ``light`` or
    ``whole``. It is written last, so an interrupted run is repeated. Which build is there, and how
    much, changes only when somebody asks for another.
    """
    begin = time.monotonic()
    check_python(sys.version_info[:2])
    stamp = folder / "ready"
    words = stamp.read_text(encoding="utf-8").split() if stamp.is_file() else []
    there = words[0] if words else build_of(folder)
    extent = words[1] if len(words) > 1 else ""
    wanted = choose(asked, platform.system(), nvidia_card(Path("/")), say)
    build = wanted if asked else there or wanted
    size = extent_of(light, extent)
    # What students get has fewer files, and the library as a wheel.
    wheels = sorted((root / "wheels").glob("*.whl"))
    named = [root / name for name in (PINS, FRAMEWORKS, CLOUDS, "pyproject.toml")]
    inputs = [path for path in (*named, *wheels) if path.is_file()]
    fresh = stamp.is_file() and all(p.stat().st_mtime <= stamp.stat().st_mtime for p in inputs)
    if fresh and (there, extent) == (build, size):
        return
    # It is asked while other things go on.
    index = Index(CPU_INDEX, pinned(root, "torch")) if build == "cpu" else None
    # Another build of PyTorch leaves libraries behind: the environment begins anew.
    anew = bool(there) and there != build
    if anew and index is not None and index.trouble():
        raise Failed(f"{index.trouble()}, so {folder} stays as it is. TORCH=cpu needs that index.")
    say(f"Making the environment in {folder} (a few minutes the first time) ...")
    stamp.unlink(missing_ok=True)
    _run([sys.executable, "-m", "venv", *(["--clear"] if anew else []), str(folder)])
    extras = [root / FRAMEWORKS] if size == "whole" else []
    install(interpreter(folder), folder, root, index, extras)
    if size == "whole":
        install_clouds(folder.with_name(f"{folder.name}-clouds"), root / CLOUDS)
    # Without its own index, PyTorch may have come in another build than was wanted.
    built = build_of(folder) if build == "cpu" else build
    stamp.write_text(f"{built} {size}\n", encoding="utf-8")
    say(f"{'environment':<14}{'made':<42}{time.monotonic() - begin:6.1f} s")


def extent_of(asked: str, there: str) -> str:
    """Return how much to install: ``light`` or ``whole``, which includes the extras.

    What was installed is never taken away: an environment that is whole stays so.
    """
    if asked not in ("", "0", "1"):
        raise Failed(f"LIGHT={asked} is unknown: say LIGHT=1 or LIGHT=0, or leave it out.")
    if there == "whole" or asked == "0":
        return "whole"
    return "light" if asked else there or "whole"


def interpreter(folder: Path) -> str:
    """Return the Python of an environment."""
    return str(next(p for p in (folder / "bin", folder / "Scripts") if p.is_dir()) / "python")


def say(sentence: str) -> None:
    """Tell the person at the terminal."""
    print(sentence, flush=True)


def check_python(version: tuple[int, int]) -> None:
    """Refuse a Python that the pinned packages are not made for."""
    if not (3, 11) <= version <= (3, 13):
        # In a kit, this file lies beside what started it.
        kit = Path(__file__).with_name("start.py").is_file()
        again = "python3.11 start.py" if kit else "make course PYTHON=python3.11"
        raise Failed(
            f"This is Python {version[0]}.{version[1]}; the course needs 3.11, 3.12 or 3.13. "
            f"Install one and say: {again}"
        )


# ---------------------------------------------------------------------------- which build of torch


def choose(asked: str, system: str, card: bool, say: Callable[[str], None]) -> str:
    """Return which build of PyTorch to install: ``cpu`` or ``cuda``.

    ``cuda`` stands for what the usual index has, which on Linux is the build for NVIDIA cards.
    Other systems find one build there, without CUDA.
    """
    if asked not in ("", "cpu", "cuda"):
        raise Failed(f"TORCH={asked} is unknown: say TORCH=cpu or TORCH=cuda, or leave it out.")
    if system != "Linux":
        if asked:
            say(f"TORCH={asked} is for Linux; {system} takes the one build that the index has.")
        return "cuda"
    return asked or ("cuda" if card else "cpu")


def nvidia_card(root: Path) -> bool:
    """Tell whether there is an NVIDIA card with a driver: without one, PyTorch cannot use it.

    The last place is the driver of Windows, as the Linux inside it sees it.
    """
    places = ("dev/nvidiactl", "proc/driver/nvidia/version", "usr/lib/wsl/lib/nvidia-smi")
    return any((root / place).exists() for place in places)


def build_of(folder: Path) -> str:
    """Return which build of PyTorch an environment has; nothing when it has none."""
    for packages in ("lib/python*/site-packages", "Lib/site-packages"):
        for path in folder.glob(f"{packages}/torch/version.py"):
            # As in: cuda: Optional[str] = '13.0'
            text = path.read_text(encoding="utf-8")
            return "cuda" if re.search(r"^cuda\b.*= ['\"]", text, re.MULTILINE) else "cpu"
    return ""


def pinned(root: Path, name: str) -> str:
    """Return the version that the pins name."""
    text = (root / PINS).read_text(encoding="utf-8")
    found = re.search(rf"^{re.escape(name)}==(\S+)", text, re.MULTILINE)
    if found is None:
        raise Failed(f"{PINS} names no version of {name}.")
    return found.group(1)


class Index:
    """Asks an index, while other things go on, whether it has a version of PyTorch."""

    def __init__(self, url: str, version: str, patience: float = PATIENCE) -> None:
        self.url = url
        self.version = version
        self._until = time.monotonic() + patience
        self._answer = f"{url} does not answer"
        # A thread, since looking a name up takes as long as it likes.
        self._asking = threading.Thread(target=self._ask, args=(patience,), daemon=True)
        self._asking.start()

    def _ask(self, patience: float) -> None:
        try:
            with urllib.request.urlopen(f"{self.url}/torch/", timeout=patience) as page:
                listed = page.read().decode("utf-8", "replace")
        except (OSError, ValueError) as error:
            self._answer = f"{self.url} cannot be reached ({getattr(error, 'reason', error)})"
            return
        # Not 2.13.0 in 12.13.0, nor in 2.13.0.1.
        has = re.search(rf"torch-{re.escape(self.version)}(?:-|\+|%2B)", listed)
        self._answer = "" if has else f"{self.url} has no torch {self.version}"

    def trouble(self) -> str:
        """Return why the index cannot be used; nothing when it can."""
        self._asking.join(max(0.0, self._until - time.monotonic()))
        return self._answer


# ----------------------------------------------------------------------------------------- install


def install(python: str, folder: Path, root: Path, index: Index | None, extras: list[Path]) -> None:
    """Install the pinned packages and the course, complete what is missing, and compile."""
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # pip would compile on one core, one package after the other.
    add = [*pip, "--no-compile"]
    install_torch([*add, "--no-deps"], pinned(root, "torch"), index, say)
    # One core compiles PyTorch's modules while the other installs the rest.
    with subprocess.Popen(_compile(python, folder, "1")):
        pins = [line for path in [root / PINS, *extras] for line in _pins_of(path)]
        rest = [line for line in pins if not line.startswith("torch==")]
        left = install_pins([*add, "--no-deps"], folder / "pins-without-torch.txt", rest, say)
    if _complaint(python):
        kept = folder / "pins.txt"
        kept.write_text("\n".join(line for line in pins if line not in left), encoding="utf-8")
        _run([*add, "-r", str(kept)])
    _run([*add, "--no-deps", *library(root)])
    if complaint := _complaint(python):
        raise Failed(f"The packages do not fit together:\n{complaint}")
    subprocess.run(_compile(python, folder, "0"), check=False)


def _pins_of(path: Path) -> list[str]:
    """Return the lines of a file that name packages."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def install_pins(
    pip: list[str], file: Path, pins: list[str], say: Callable[[str], None]
) -> list[str]:
    """Install pinned packages as they stand, and leave out what this Python cannot have.

    A release may ask for a later patch of Python than the system has: Debian 12 has 3.11.2.

    Parameters
    ----------
    pip : list of str
        The command that installs, without what.
    file : Path
        Where the pins are written for it.
    pins : list of str
        Lines such as ``numpy==2.4.1``.

    Returns
    -------
    list of str
        The pins that were left out, at most `MOST_LEFT`. Where something needs them, pip has to
        choose another version.

    Raises
    ------
    Failed
        If pip fails for another reason: among others, when no version of a package is found.
    """
    left: list[str] = []
    while True:
        file.write_text("\n".join(pin for pin in pins if pin not in left), encoding="utf-8")
        try:
            _run([*pip, "-r", str(file)])
        except Failed as failed:
            told = str(failed)
            # The second is what pip says of a file, the first of what an index lists.
            found = re.search(r"No matching distribution found for ([^\s=]+)==", told)
            found = found or re.search(r"Package '(\S+)' requires a different Python", told)
            pin = next((p for p in pins if found and p.startswith(f"{found[1]}==")), None)
            if pin is None or "(from versions: none)" in told or len(left) == MOST_LEFT:
                raise
            left.append(pin)
            version = ".".join(map(str, sys.version_info[:3]))
            say(f"{pin} is not made for Python {version}: pip chooses another version.")
        else:
            return left


def library(root: Path) -> list[str]:
    """Return what tells pip to install the course: its folder or, in a kit, the wheel."""
    if (root / "pyproject.toml").is_file():
        return ["--no-build-isolation", "--editable", str(root)]
    # A newer kit may hold the same version: what is there is replaced.
    return ["--force-reinstall", *map(str, sorted((root / "wheels").glob("*.whl")))]


def install_clouds(folder: Path, pins: Path) -> None:
    """Install the clients of the clouds in an environment of their own."""
    _run([sys.executable, "-m", "venv", str(folder)])
    pip = [interpreter(folder), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "--no-compile", "-r", str(pins)])


def _compile(python: str, folder: Path, processes: str) -> list[str]:
    """Return the command that compiles what is not compiled yet.

    Some packages carry files for other Pythons, which do not compile; pip is silent on them, too.
    """
    return [python, "-m", "compileall", "-qq", "-j", processes, str(folder / "lib")]


def install_torch(
    pip: list[str], version: str, index: Index | None, say: Callable[[str], None]
) -> None:
    """Install PyTorch from its own index, or else from the usual one, and say so."""
    wanted = f"torch=={version}"
    if index is not None:
        trouble = index.trouble()
        if not trouble:
            try:
                _run([*pip, "--index-url", index.url, wanted])
                return
            except Failed as failed:
                trouble = f"{index.url} broke off ({str(failed).splitlines()[-1]})"
        say(f"PyTorch comes from the usual index, on Linux 4 GB more: {trouble}")
    _run([*pip, wanted])


def _complaint(python: str) -> str:
    """Return what ``pip check`` finds missing or at odds."""
    done = subprocess.run(
        [python, "-m", "pip", "--disable-pip-version-check", "check"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() if done.returncode else ""


def _run(command: list[str]) -> None:
    """Run a command without a word; when it fails, with its own words."""
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        # pip warns of much that is no fault; the last lines are to say what failed.
        lines = [line for line in lines if not line.startswith("WARNING: ")] or lines
        raise Failed("\n".join([f"This failed: {' '.join(command)}", *lines[-15:]]))


if __name__ == "__main__":
    main()
