"""Packages that the course does without: who wants one is told how to get it.

The frameworks beside PyTorch (TensorFlow, Keras, JAX, ONNX, OpenCV) are an extra of about 2 GB,
and the clients of the cloud vendors live in an environment of their own, since they want other
versions than the course. `make course` installs both, ``make course LIGHT=1`` leaves both out.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

__all__ = ["FRAMEWORKS", "cloud_python", "missing", "require"]

#: What the extra `frameworks` brings: the modules' names, with those of their packages.
FRAMEWORKS = {
    "tensorflow": "tensorflow-cpu",
    "keras": "keras",
    "jax": "jax",
    "onnx": "onnx",
    "onnxscript": "onnxscript",
    "onnxruntime": "onnxruntime",
    "cv2": "opencv-python-headless",
}

#: Where the pins of the two are.
PINS = ("requirements-frameworks.txt", "requirements-clouds.txt")


def missing(*modules: str) -> list[str]:
    """Return those of the modules, by default of all `FRAMEWORKS`, that are not installed."""
    return [name for name in modules or FRAMEWORKS if find_spec(name) is None]


def require(*modules: str) -> None:
    """Raise an error that says what to do unless every module is installed.

    Parameters
    ----------
    *modules : str
        Names as they are imported, such as ``"cv2"``.

    Raises
    ------
    ModuleNotFoundError
        Naming what is missing and the command that installs it.
    """
    if absent := missing(*modules):
        verb = "is" if len(absent) == 1 else "are"
        packages = ", ".join(FRAMEWORKS.get(name, name) for name in absent)
        raise ModuleNotFoundError(
            f"{packages} {verb} not installed. The frameworks beside "
            "PyTorch are an extra of about 2 GB: say `make env LIGHT=0`, or "
            f"`pip install -r {PINS[0]}`.",
            name=absent[0],
        )


def cloud_python(root: Path) -> Path:
    """Return the interpreter of the environment that holds the cloud vendors' clients.

    Parameters
    ----------
    root : Path
        The course.

    Raises
    ------
    ModuleNotFoundError
        When that environment was not made, naming the command that makes it.
    """
    places: Iterable[Path] = (
        root / ".venv-clouds" / "bin" / "python",
        root / ".venv-clouds" / "Scripts" / "python.exe",
    )
    for place in places:
        if place.is_file() and os.access(place, os.X_OK):
            return place
    raise ModuleNotFoundError(
        f"The cloud vendors' clients have an environment of their own, and there is no "
        f"{root / '.venv-clouds'}. Say `make env LIGHT=0` (about 260 MB)."
    )
