"""What students get: exercises without solutions, the library as a wheel, pins, the site.

What goes in is listed here, and nothing else does: the modules that a reader's commands need, and
those that chapters and exercises import. `leaks` looks into every file of a finished kit for
solutions, hidden tests and marking schemes, as the proofs look into a release.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from course_lib import paths
from course_lib.assignments.kit.install import add_install_cell, wheel_address
from course_lib.imports import ImportGraph, imported_modules
from course_lib.paths import CourseError, exercise_slugs, known_slug, release_path

__all__ = ["Kit", "make_kit", "pins", "student_modules"]

#: Parts of the library that teach, grade and build. Of these, students get what they run.
TEACHERS = ("assignments", "book", "grading", "reproduce", "templates")

#: What a reader's commands import.
READERS = (
    "course_lib.assignments.checking",
    "course_lib.assignments.magic",
    "course_lib.assignments.progress",
    "course_lib.assignments.shown",
    "course_lib.doctor",
    "course_lib.grading.course.lab",
)

#: What is started by name, or in another process: the whole engine that runs cells.
ENGINE = "course_lib.grading.engine"

#: What nobody imports and everybody needs. Where notebooks run already, it is there: the wheel does
#: not ask for it.
ALWAYS = ("ipykernel", "jupyterlab")

#: What the course's own dependencies import only to build and to grade.
NEVER = ("grimp", "jupytext", "nbgrader")

#: What JupyterLab would ask at its first start: whether it may fetch news from its own server.
QUIET = {
    "@jupyterlab/apputils-extension:notification": {"checkForUpdates": False, "fetchNews": "false"}
}

_HERE = Path(__file__).parent
_LIBRARY = Path(paths.__file__).parent


@dataclass(frozen=True)
class Kit:
    """A finished kit.

    Attributes
    ----------
    folder, archive : Path
        The same, as a folder and packed.
    exercises : list of str
    site : bool
        Whether the site is in it.
    packages : int
        How many packages its environment has.
    """

    folder: Path
    archive: Path
    exercises: list[str]
    site: bool
    packages: int


def make_kit(
    root: Path,
    target: Path,
    slugs: Iterable[str] = (),
    site: Path | None = None,
    address: str = "",
) -> Kit:
    """Make what students get, and prove that it gives nothing away.

    Parameters
    ----------
    root : Path
        The course. Its releases are handed out as they are.
    target : Path
        The folder to make; the archive beside it has its name. A kit that is there is replaced.
    slugs : iterable of str
        Some exercises; all that are released by default.
    site : Path, optional
        The built site.
    address : str, optional
        Where students will find the wheel. Every notebook then begins with a cell that installs it
        where the library is missing.

    Raises
    ------
    CourseError
        If an exercise is not released, something else than a kit lies at `target`, or what was
        made would show a solution, a hidden test or a marking scheme; if `address` is none that
        pip can install from.
    """
    chosen = [known_slug(root, slug) for slug in slugs] or exercise_slugs(root)
    # In the order of the book, each once.
    chosen = [slug for slug in exercise_slugs(root) if slug in set(chosen)]
    unreleased = [slug for slug in chosen if not release_path(root, slug).is_file()]
    if unreleased:
        raise CourseError(
            f"Not released yet: {', '.join(unreleased)}. `course release {' '.join(unreleased)}` "
            "makes what students get."
        )
    if target.exists() and not paths.is_kit(target):
        raise CourseError(f"{target} is there and is no kit. Name another folder with --to.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".kit-", dir=target.parent) as place:
        made = Path(place, target.name)
        packages = _fill(root, made, chosen, site, address)
        from course_lib.assignments.kit.secrecy import leaks

        if found := leaks(root, made):
            listed = "\n".join(found[:10])
            raise CourseError(f"Nothing was written: the kit would give away\n{listed}")
        packed = _pack(made)
        if target.exists():
            shutil.rmtree(target)
        made.replace(target)
        archive = target.with_name(f"{target.name}.zip")
        packed.replace(archive)
    return Kit(target, archive, chosen, site is not None, packages)


def _fill(root: Path, kit: Path, slugs: list[str], site: Path | None, address: str) -> int:
    """Write the files of a kit; return how many packages it pins."""
    kit.mkdir()
    for slug in slugs:
        shutil.copytree(
            release_path(root, slug).parent,
            kit / "exercises" / slug,
            ignore=shutil.ignore_patterns(".*"),
        )
    if site is not None:
        shutil.copytree(site, kit / "site", ignore=shutil.ignore_patterns(".buildinfo*", ".doc*"))
    requirements = sorted(_requirements(student_modules(), kit))
    wheel = build_wheel(kit / "wheels", wheel_requirements(requirements))
    if address:
        address = wheel_address(address, wheel.name)
        for slug in slugs:
            add_install_cell(release_path(kit, slug), address)
    pinned = pins(root, requirements)
    (kit / "requirements.txt").write_text(
        "# What the exercises need, at the versions that the course was tested with.\n"
        + "".join(f"{name}=={version}\n" for name, version in sorted(pinned.items())),
        encoding="utf-8",
    )
    shutil.copy(_LIBRARY.parent / "tools" / "environment.py", kit / "environment.py")
    shutil.copy(_HERE / "start.py.tmpl", kit / "start.py")
    quiet = kit / "jupyter" / "labconfig" / "default_setting_overrides.json"
    quiet.parent.mkdir(parents=True)
    quiet.write_text(json.dumps(QUIET, indent=1) + "\n", encoding="utf-8")
    words = {
        "exercises": "\n".join(f"- `{slug}`" for slug in slugs),
        "first": slugs[0] if slugs else "SLUG",
        "site": "The book is in `site/`: open `site/index.html`; it needs no network."
        if site
        else "The book is where your teacher says.",
        "elsewhere": (
            "On Google Colab or a JupyterHub, open the notebook and run its first cell. It "
            f"installs the course's library from {address}, and leaves PyTorch and NumPy as they "
            "are."
            if address
            else f"On Google Colab or a JupyterHub, upload `wheels/{wheel.name}` and the notebook, "
            f"and run this in its first cell:\n\n```\n%pip install --quiet {wheel.name}\n```"
        ),
    }
    readme = (_HERE / "readme.md.tmpl").read_text(encoding="utf-8")
    for name, text in words.items():
        readme = readme.replace(f"{{{name}}}", text)
    (kit / "README.md").write_text(readme, encoding="utf-8")
    # Last: it is what makes the folder a kit.
    listed = json.dumps({"exercises": slugs}, indent=1)
    (kit / paths.KIT).write_text(listed + "\n", encoding="utf-8")
    return len(pinned)


def _pack(kit: Path) -> Path:
    """Pack a kit; the same files give the same bytes."""
    packed = kit.with_suffix(".zip")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(kit.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(f"{kit.name}/{path.relative_to(kit).as_posix()}")
                entry.external_attr = 0o644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())
    return packed


# The library


@functools.cache
def _graph() -> ImportGraph:
    return ImportGraph(_LIBRARY.parent, types=False)


@functools.cache
def student_modules() -> frozenset[str]:
    """Return the modules of the library that students get."""
    graph = _graph()
    library = {name for name in graph.modules if not _is_under(name, TEACHERS)}
    engine = {name for name in graph.modules if f"{name}.".startswith(f"{ENGINE}.")}
    return frozenset(library | graph.behind([*READERS, *engine]))


def _is_under(module: str, parts: Iterable[str]) -> bool:
    return any(f"{module}.".startswith(f"course_lib.{part}.") for part in parts)


def build_wheel(folder: Path, requirements: list[str]) -> Path:
    """Build the wheel of the students' library with setuptools; no network is asked.

    Parameters
    ----------
    folder : Path
        Where it goes.
    requirements : list of str
        What it asks for on installation.
    """
    settings = tomllib.loads((_LIBRARY.parent / "pyproject.toml").read_text(encoding="utf-8"))
    known = settings["project"]
    project = {key: known[key] for key in ("name", "version", "description", "requires-python")}
    project["dependencies"] = requirements
    lines = ["[build-system]", 'requires = ["setuptools"]']
    lines += ['build-backend = "setuptools.build_meta"', "[project]"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in project.items()]
    lines += ["[project.scripts]"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in known["scripts"].items()]
    lines += ["[tool.setuptools.packages.find]", 'include = ["course_lib*"]']
    data = settings["tool"]["setuptools"]["package-data"]["course_lib"]
    lines += ["[tool.setuptools.package-data]", f"course_lib = {json.dumps(data)}"]
    with tempfile.TemporaryDirectory(prefix="course-wheel-") as place:
        _copy_library(Path(place))
        Path(place, "pyproject.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
        build = "from setuptools import build_meta; build_meta.build_wheel('made')"
        done = subprocess.run(
            [sys.executable, "-c", build],
            cwd=place,
            # The same files give the same wheel.
            env={**os.environ, "SOURCE_DATE_EPOCH": "315532800"},
            capture_output=True,
            text=True,
        )
        made = list(Path(place, "made").glob("*.whl"))
        if done.returncode or not made:
            raise CourseError(f"The wheel could not be built:\n{done.stderr.strip()[-2000:]}")
        folder.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(made[0], folder))


def _copy_library(place: Path) -> None:
    """Copy the students' modules, and the data that lies beside them."""
    for _, path in _graph().files(student_modules()):
        target = place / path.relative_to(_LIBRARY.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    for path in _LIBRARY.rglob("*"):
        name = ".".join(path.relative_to(_LIBRARY.parent).parts[:-1])
        if path.is_file() and path.suffix not in (".py", ".pyc", ".tmpl", ".j2"):
            target = place / path.relative_to(_LIBRARY.parent)
            if not _is_under(name, TEACHERS) and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)


# The packages


def _requirements(modules: Iterable[str], kit: Path) -> set[str]:
    """Return which of the course's dependencies the students' modules and notebooks import."""
    from importlib.metadata import packages_distributions

    from packaging.requirements import Requirement

    files = [path for _, path in _graph().files(modules) if path.suffix == ".py"]
    code = [path.read_text(encoding="utf-8") for path in files]
    for path in kit.glob("exercises/*/*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code += ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    tops = {name.partition(".")[0] for name in imported_modules(code)}
    homes = packages_distributions()
    imported = {_plain(home) for top in tops for home in homes.get(top, ())} | set(ALWAYS)
    settings = tomllib.loads((_LIBRARY.parent / "pyproject.toml").read_text(encoding="utf-8"))
    named = settings["project"]["dependencies"]
    wanted = imported - set(NEVER)
    return {line for line in named if _plain(Requirement(line).name) in wanted}


def wheel_requirements(requirements: Iterable[str]) -> list[str]:
    """Return what the wheel asks for: names without versions, and no JupyterLab.

    Where it is installed on its own, a kernel runs already, with a PyTorch and a NumPy that fit the
    machine: pip is to leave them alone, and adds what is missing.

    Parameters
    ----------
    requirements : iterable of str
        What the course asks for, such as ``torch==2.13.0``.
    """
    from packaging.requirements import Requirement

    names = {_plain(Requirement(line).name) for line in requirements}
    return sorted(names - set(ALWAYS))


def pins(root: Path, requirements: Iterable[str]) -> dict[str, str]:
    """Return packages and versions: what is asked for, what that asks for, and so on."""
    from importlib.metadata import PackageNotFoundError, requires

    from packaging.requirements import Requirement

    text = (root / "requirements.txt").read_text(encoding="utf-8")
    if not text.strip():
        text = (_LIBRARY.parent / "requirements.txt").read_text(encoding="utf-8")
    known = {
        _plain(name): version
        for name, version in re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;]+)", text, re.MULTILINE)
    }
    found: dict[str, str] = {}
    waiting = [Requirement(line) for line in requirements]
    while waiting:
        wanted = waiting.pop()
        name = _plain(wanted.name)
        if name in found or name not in known:
            continue
        if wanted.marker and not wanted.marker.evaluate({"extra": ""}):
            continue
        found[name] = known[name]
        try:
            more = [Requirement(line) for line in requires(name) or ()]
        except PackageNotFoundError:
            continue
        extras = wanted.extras or {""}
        waiting += [
            Requirement(re.sub(r"\s*;.*", "", str(one)))
            for one in more
            if not one.marker or any(one.marker.evaluate({"extra": extra}) for extra in extras)
        ]
    return found


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
