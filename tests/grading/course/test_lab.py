"""`make lab` seen in a browser: nbgrader's tools, and text files as notebooks."""

from __future__ import annotations

import difflib
import json
import os
import random
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat
import pytest

from course_lib import grading
from course_lib.grading.course.lab import lab_command

pytestmark = [pytest.mark.slow, pytest.mark.browser]

TOKEN = "for-this-test-only"
# Machines that run these tests run others, too.
PATIENCE = 600_000


def a_port() -> int:
    """Return a free port that nobody is given who asks for any."""
    given = Path("/proc/sys/net/ipv4/ip_local_port_range")
    words = given.read_text().split() if given.exists() else ("32768", "60999")
    lowest, highest = map(int, words)
    # Below lie the ports of services, some of which browsers refuse.
    others = [*range(10_240, lowest), *range(highest + 1, 65_536)] or range(20_000, 60_000)
    for port in random.sample(others, min(50, len(others))):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


def save_when_asked_only(root: Path) -> None:
    """Keep JupyterLab from saving by itself, in the midst of a test."""
    path = root / "jupyter" / "labconfig" / "default_setting_overrides.json"
    settings = json.loads(path.read_text())
    settings["@jupyterlab/docmanager-extension:plugin"]["autosave"] = False
    path.write_text(json.dumps(settings))


@pytest.fixture(scope="module")
def lab(course_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """JupyterLab on a copy of the course, with an empty home; its address."""
    port = a_port()
    save_when_asked_only(course_root)
    command, environment = lab_command(course_root, port=port, browser=False)
    command.append("--expose-app-in-browser")
    home = tmp_path_factory.mktemp("home")
    environment = {k: v for k, v in environment.items() if not k.startswith("JUPYTERLAB_")}
    environment |= {"HOME": str(home), "JUPYTER_TOKEN": TOKEN}
    log = home / "lab.log"
    with log.open("w") as file:
        server = subprocess.Popen(
            command,
            cwd=course_root,
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 600
        while time.monotonic() < deadline:
            assert server.poll() is None, log.read_text()
            try:
                urllib.request.urlopen(f"{address}/api/status?token={TOKEN}", timeout=5).close()
                break
            except OSError:
                time.sleep(0.5)
        else:
            pytest.fail(f"JupyterLab did not answer:\n{log.read_text()}")
        yield address
    finally:
        stop(server, address)


def stop(server: subprocess.Popen[bytes], address: str) -> None:
    """End the server as its File menu does, and with force what is left after that."""
    try:
        request = urllib.request.Request(
            f"{address}/api/shutdown", method="POST", headers={"Authorization": f"token {TOKEN}"}
        )
        urllib.request.urlopen(request, timeout=5).close()
        server.wait(15)
    except (OSError, subprocess.TimeoutExpired):
        server.kill()
        server.wait()
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)


@pytest.fixture
def page(lab: str, browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1500, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{lab}/lab?token={TOKEN}&reset")
    page.wait_for_selector("#jp-main-dock-panel")
    # The list of files may be there before the setting that says what opens them.
    page.wait_for_function(
        "window.jupyterapp?.docRegistry.defaultWidgetFactory('a.py')?.name === 'Jupytext Notebook'"
    )
    yield page
    context.close()


def open_by_double_click(page: Any, *names: str) -> None:
    """Walk through folders in the file browser and open what comes last."""
    for name in names:
        entry = page.locator(".jp-DirListing-item", has=page.get_by_text(name, exact=True))
        entry.first.dblclick()
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell")


@pytest.mark.races
def test_a_teacher_changes_points_and_nothing_else_changes(page: Any, course_root: Path) -> None:
    source = course_root / "solutions" / "activations.py"
    before = source.read_text(encoding="utf-8")
    open_by_double_click(page, "solutions", "activations.py")
    page.get_by_text("Create Assignment", exact=True).first.click()
    # The value of an input is a property, which selectors do not see: look for it by hand.
    page.wait_for_function(
        "[...document.querySelectorAll('.nbgrader-CellId input')]"
        ".some(input => input.value === 'test-sigmoid')"
    )
    place = page.evaluate(
        "[...document.querySelectorAll('.nbgrader-CellWidget')].findIndex("
        "cell => cell.querySelector('.nbgrader-CellId input')?.value === 'test-sigmoid')"
    )
    cell = page.locator(".nbgrader-CellWidget").nth(place)
    total = page.locator(".nbgrader-TotalPointsInput")
    old_total = float(total.input_value())
    points = cell.locator(".nbgrader-CellPoints input")
    points.fill("7")
    points.press("Tab")
    page.wait_for_function(
        f"Number(document.querySelector('.nbgrader-TotalPointsInput').value) == {old_total + 6}"
    )
    page.locator(".jp-NotebookPanel").first.click(position={"x": 5, "y": 200})
    # The file is written in place: it is whole when the server has answered, and not before.
    with page.expect_response(
        lambda answer: answer.request.method == "PUT" and "/api/contents/" in answer.url
    ) as saved:
        page.keyboard.press("Control+s")
    assert saved.value.ok, saved.value.status
    after = source.read_text(encoding="utf-8")
    source.write_text(before, encoding="utf-8")
    changed = [
        line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line[0] in "+-"
    ]
    assert [line[0] for line in changed] == ["-", "+"], changed
    assert '"grade_id": "test-sigmoid"' in changed[0]
    assert changed[1][1:] == changed[0][1:].replace('"points": 1', '"points": 7')


@pytest.mark.races
def test_a_chapter_opens_as_a_notebook(page: Any) -> None:
    open_by_double_click(page, "book", "foundations", "activations.md")
    # Cells far below the window are made while the notebook is being looked at.
    page.locator(".jp-NotebookPanel .jp-CodeCell").nth(3).wait_for(state="attached")


@pytest.mark.races
def test_validate_says_what_fails(page: Any, lab: str, screenshots: Any) -> None:
    page.goto(f"{lab}/lab/tree/exercises/activations/activations.ipynb?reset")
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
    page.get_by_role("button", name="Validate").first.click()
    page.get_by_text("Validation Results").wait_for()
    dialog = page.locator(".jp-Dialog")
    text = dialog.inner_text()
    assert "The following cell failed" in text
    assert "test-relu: 0 of 1 points" in text and "Not written yet." in text
    screenshots.keep(page, "jupyterlab-validate")
    # Hidden tests, too, as `course check` has them; and no traces of errors.
    assert "test-relu-hidden" in text and "NotImplementedError" not in text


@pytest.mark.races
def test_the_formgrader_finds_the_course(page: Any, lab: str, screenshots: Any) -> None:
    page.goto(f"{lab}/formgrader/manage_assignments")
    page.get_by_role("link", name="activations", exact=True).wait_for()
    screenshots.keep(page, "formgrader")
    # Nobody has set up an exchange, and nobody is told to.
    assert page.locator(".alert").count() == 0
    page.goto(f"{lab}/lab?reset")
    # The menu of the Lab leads there, too, by one entry.
    page.get_by_role("menuitem", name="Nbgrader").click()
    entries = page.locator(".lm-Menu-content .lm-Menu-item:visible")
    entries.filter(has_text="Formgrader").first.wait_for()
    # (Behind a label stands the place of its keys.)
    assert [text.strip() for text in entries.all_inner_texts()] == [
        "Formgrader",
        "Create assignment",
    ]
    page.get_by_role("menuitem", name="Formgrader").click()
    frame = page.frame_locator("iframe")
    frame.get_by_role("link", name="activations", exact=True).wait_for()


@pytest.mark.races
def test_the_formgraders_buttons_grade_and_give_feedback_and_its_page_is_for_marking(
    page: Any, lab: str, course_root: Path
) -> None:
    page.goto(f"{lab}/formgrader/manage_assignments")
    page.locator("td.assign a").first.click()
    page.get_by_text("Successfully created").wait_for()
    release = course_root / "exercises" / "activations" / "activations.ipynb"
    mine = course_root / "submitted" / "ada" / "activations" / "activations.ipynb"
    mine.parent.mkdir(parents=True)
    notebook = nbformat.read(release, as_version=4)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "relu":
            cell.source = "def relu(z):\n    return np.maximum(z, 0)"
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "sigmoid":
            # What stock nbgrader gives the whole notebook up for.
            cell.source = "import os\n\ndef sigmoid(z):\n    os._exit(1)"
        if cell.metadata.get("nbgrader", {}).get("points") == 4:
            cell.source = "The loss is $x^2$."
    nbformat.write(notebook, mine)
    page.goto(f"{lab}/formgrader/manage_submissions/activations")
    page.locator("td.autograde a").first.click()
    page.get_by_text("Successfully autograded").wait_for()
    points = grading.read_report("activations", course_root, students="ada")["ada"].points()
    assert {name for name, score in points.items() if score} == {"test-relu", "test-relu-hidden"}
    mark_the_answer(page, lab)
    page.goto(f"{lab}/formgrader/manage_submissions/activations")
    page.locator("td.generate-feedback a").first.click()
    page.get_by_text("Successfully generated feedback").wait_for()
    made = course_root / "feedback" / "ada" / "activations" / "activations.html"
    text = made.read_text(encoding="utf-8")
    assert "What to look at" in text
    assert "BEGIN HIDDEN" not in text
    assert "3 / 4" in text and "Reads the loss" not in text


def mark_the_answer(page: Any, lab: str) -> None:
    """Give the one written answer that waits three points, beside its scheme and by keys."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{lab}/formgrader/gradebook/activations/activations")
    page.get_by_role("link", name="Submission #1").click()
    scheme = page.locator("aside.course-scheme")
    scheme.wait_for()
    assert "Reads the loss, and doubts." in scheme.inner_text()
    assert page.locator("#course-keys kbd").count() == 9
    answer = page.locator(".course-marked .nbgrader_cell")
    # Beside it, not below.
    left, right = answer.bounding_box(), scheme.bounding_box()
    assert right["x"] >= left["x"] + left["width"]
    assert answer.locator("math").count() == 1
    points = page.locator(".course-marked input.score")
    # What comes from the gradebook has come: until then, nothing is saved.
    page.wait_for_function("formgrader.loaded && formgrader.grades.loaded")
    points.focus()
    points.fill("3")
    with page.expect_response(
        lambda answer: answer.request.method == "PUT" and "/api/grade/" in answer.url
    ) as saved:
        page.keyboard.press("Escape")
    assert saved.value.ok
    # The keys work, and no other server was asked for what they need.
    page.keyboard.press("Control+.")
    page.wait_for_url("**/formgrader/gradebook/activations/activations")
    assert not [url for url in asked if not url.startswith((lab, "data:"))]


def test_settings_lie_in_the_course_and_not_at_home(course_root: Path) -> None:
    command, environment = lab_command(course_root, browser=False)
    assert environment["JUPYTER_CONFIG_PATH"].split(os.pathsep)[0] == str(course_root / "jupyter")
    overrides = course_root / "jupyter" / "labconfig" / "default_setting_overrides.json"
    viewers = json.loads(overrides.read_text())["@jupyterlab/docmanager-extension:plugin"]
    assert viewers["defaultViewers"]["python"] == "Jupytext Notebook"
    assert "--no-browser" in command
    mine = course_root / "work" / "a b" / "a b.ipynb"
    command, _ = lab_command(course_root, open_path=mine)
    # Jupyter prints this as part of the address; spaces have no place there.
    assert "--LabApp.default_url=/lab/tree/work/a%20b/a%20b.ipynb" in command
