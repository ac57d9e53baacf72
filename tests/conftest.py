"""What many tests share: the course, small courses to break, and the `course` command."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# No time is asserted in tests. CI draws the same examples each time, so that what it says of a
# change is about the change; elsewhere every run looks at new ones.
calm: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("course", **calm)
settings.register_profile("ci", derandomize=True, **calm)
settings.load_profile("ci" if os.environ.get("CI") else "course")

os.environ.setdefault("MPLBACKEND", "agg")
# What somebody set for other programs: colors in what is compared, another PostgreSQL, a proxy.
_FOREIGN = ("FORCE_COLOR", "CLICOLOR_FORCE", "PY_COLORS", "PYTEST_ADDOPTS")
for _name in [name for name in os.environ if name in _FOREIGN or name.startswith("PG")]:
    del os.environ[_name]
os.environ["no_proxy"] = os.environ["NO_PROXY"] = "127.0.0.1,localhost"
# nbgrader calls alembic by its name.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "tests" / "data"

# Chromium itself would ask its makers for updates; what a page asks for is left as it is.
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

#: How long the browser waits for what must come, in milliseconds.
PATIENCE = 300_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long, so that side by side no process waits for the last."""
    marks = ("slow", "site", "browser")
    long = {item.path for item in items if any(map(item.get_closest_marker, marks))}
    items.sort(key=lambda item: item.path not in long)


class Screenshots:
    """Pictures of what tests see in a browser, to be looked at."""

    def __init__(self, folder: Path = ROOT / "_build" / "screenshots") -> None:
        self.folder = folder

    def keep(self, page: Any, name: str, within: int = PATIENCE) -> Path:
        """Keep what a page shows under a name, in the place of an earlier picture of that name."""
        self.folder.mkdir(parents=True, exist_ok=True)
        plain = re.sub(r"[^A-Za-z0-9]+", "-", name.replace(".html", "")).strip("-")
        path = self.folder / f"{plain[:120]}.png"
        page.screenshot(path=path, animations="disabled", timeout=within)
        return path

    def keep_all(self, browser: Any, name: str) -> list[Path]:
        """Keep what each open page of a browser shows, for a test that has failed.

        A page that can show nothing any more is passed over: the test's own failure is what counts.
        """
        from playwright.sync_api import Error

        kept: list[Path] = []
        for page in (page for context in browser.contexts for page in context.pages):
            try:
                kept.append(self.keep(page, f"{name}-{len(kept) + 1}", within=20_000))
            except Error:
                continue
        return kept


@pytest.fixture
def screenshots() -> Screenshots:
    """Keeps pictures in `_build/screenshots/`."""
    return Screenshots()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Leave pictures of what a browser showed when a test failed, and say where they are."""
    report = yield
    browser = getattr(item, "funcargs", {}).get("browser")
    if report.when == "call" and report.failed and browser is not None:
        kept = Screenshots().keep_all(browser, f"failed-{item.name}")
        if kept:
            report.sections.append(("Screenshots", "\n".join(map(str, kept))))
    return report


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture
def tiny_course(tmp_path):
    """Return a course with one small exercise, `tiny`, in a folder of its own."""
    folder = tmp_path / "course"
    shutil.copytree(DATA / "tiny_course", folder)
    return folder


@pytest.fixture(scope="session")
def pages_have_time() -> None:
    """The limit is for what hangs, and not for a machine that stalls."""
    from course_lib.grading.pages import renderer

    renderer.LIMIT = 120.0


@pytest.fixture(scope="module")
def course_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this course with its exercise generated, to be changed as tests please."""
    from course_lib.assignments.sources import generate

    root = tmp_path_factory.mktemp("course")
    for name in ("_toc.yml", "jupytext.toml", "nbgrader_config.py", "requirements.txt"):
        shutil.copy(ROOT / name, root)
    for name in ("jupyter", "sample_class", "solutions"):
        shutil.copytree(ROOT / name, root / name)
    chapter = Path("book", "foundations", "activations.md")
    (root / chapter).parent.mkdir(parents=True)
    shutil.copy(ROOT / chapter, root / chapter)
    (root / "exercises").mkdir()
    generate(root, ["activations"])
    return root


@pytest.fixture
def course():
    """Return a function that runs the `course` command and gives the finished process."""

    def run(*arguments, cwd, **environment):
        return subprocess.run(
            [sys.executable, "-m", "course_lib", *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, "COLUMNS": "160", "NO_COLOR": "1", **environment},
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


# For a module, not the session: playwright keeps an event loop running, and tests of other modules
# in the same process start loops of their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, without a window. Its pages wait for as long as a busy machine may need."""
    from playwright.sync_api import sync_playwright

    found = os.environ.get("CHROMIUM") or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if not found:
        pytest.fail(
            "No Chromium to look at the pages with. Install one (on Debian and Ubuntu: "
            "`apt-get install chromium`), or set CHROMIUM to the program's path."
        )
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=found, args=CHROMIUM, timeout=PATIENCE
        )
        for name in ("new_context", "new_page"):
            setattr(chromium, name, _patient(getattr(chromium, name)))
        yield chromium
        chromium.close()


def _patient(make: Any) -> Any:
    def make_patient(**options: Any) -> Any:
        made = make(**options)
        made.set_default_timeout(PATIENCE)
        return made

    return make_patient
