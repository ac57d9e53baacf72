"""The table at the end of `make test`, and the tests that are run once more."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def parts():
    spec = importlib.util.spec_from_file_location("parts", ROOT / "tools" / "parts.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["parts"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["parts"]


def a_program(tmp_path, text):
    """Return a command that runs a text of Python, to which the name of the part is given."""
    path = tmp_path / "part.py"
    path.write_text(text)
    return [sys.executable, str(path)]


def test_each_part_is_run_and_listed_below_its_budget(parts, tmp_path, capsys):
    folder = tmp_path / "times"
    folder.mkdir()
    (folder / "raced").write_text("of an earlier run\n")
    steps = json.dumps({"chapters": 0.0})
    command = a_program(
        tmp_path,
        "import os, sys\nfrom pathlib import Path\n"
        f"folder = Path({str(folder)!r})\n"
        "if sys.argv[1] == 'course':\n"
        f"    (folder / 'build.json').write_text({steps!r})\n"
        "if sys.argv[1] == 'test-code':\n"
        "    Path(os.environ['COURSE_RACED']).write_text('tests/test_a.py::test_b\\n')\n",
    )
    assert parts.run(parts.PARTS, folder, command) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[1].split() == ["part", "seconds", "budget"]
    names = [line[:28].rstrip() for line in said[2:-2]]
    assert names == [
        "chapters",
        "nbval",
        "plain processor",
        "proofs",
        "everything else",
        "  exercises, site, class",
        "  form",
        "  tests of the code",
        "all",
    ]
    assert said[-1].strip() == "tests/test_a.py::test_b"
    kept = json.loads((folder / "parts.json").read_text())
    assert [entry["part"] for entry in kept][:3] == ["chapters", "exercises, site, class", "form"]


def test_all_that_is_wrong_is_found_in_one_run(parts, tmp_path, capsys):
    fails = "{'lint': 2, 'test-exercises': 3}"
    command = a_program(tmp_path, f"import sys\nsys.exit({fails}.get(sys.argv[1], 0))")
    assert parts.run(parts.PARTS, tmp_path / "times", command) == 2
    said = capsys.readouterr().out
    assert "lint failed; the other parts are run all the same." in said
    assert "tests of the code" in said and "plain processor" in said
    assert said.endswith("failed: lint, test-exercises\n")


def test_nothing_is_run_after_the_build_has_failed(parts, tmp_path, capsys):
    command = a_program(tmp_path, "import sys\nsys.exit(2 * (sys.argv[1] == 'course'))")
    assert parts.run(parts.PARTS, tmp_path / "times", command) == 2
    said = capsys.readouterr().out
    assert "course failed; the other parts need it and were not run." in said
    assert "  exercises, site, class" in said and "tests of the code" not in said
    assert said.endswith("failed: course\n")


def test_what_is_above_its_budget_says_so(parts):
    taken = [
        parts.Taken("chapters", "chapters", 480.4),
        parts.Taken("nbval", "nbval", 479.0),
        parts.Taken("form", "everything else", 5.0),
    ]
    taken[0] = parts.Taken("chapters", "chapters", 481.0)
    lines = parts.table(taken)
    assert lines[1] == "chapters                          481      480   above its budget"
    assert lines[2] == "nbval                             479      480"
    assert lines[-1].split() == ["all", "965", str(sum(parts.BUDGETS.values()))]


def test_chapters_are_counted_apart_from_what_else_a_part_does(parts, tmp_path):
    (tmp_path / "build.json").write_text('{"chapters": 30.0, "site": 20.0}')
    whole = parts.Taken("exercises, site, class", "everything else", 100.0)
    first, second = parts.split(whole, tmp_path)
    assert (first.budget, first.seconds) == ("chapters", 30.0)
    assert (second.budget, second.seconds) == ("everything else", 70.0)
    # What is read once is not counted for the next part.
    assert parts.split(whole, tmp_path) == [whole]


def test_every_part_is_a_target_of_the_makefile(parts):
    targets = (ROOT / "Makefile").read_text()
    for target in parts.PARTS:
        assert f"\n{target}: env" in targets


FLAKY = """
import pathlib, pytest

def tries(name):
    path = pathlib.Path(__file__).with_name(name)
    path.write_text((path.read_text() if path.exists() else "") + "x")
    return len(path.read_text())

@pytest.mark.races
def test_second_time():
    assert tries("second") == 2

@pytest.mark.races
def test_never():
    assert tries("never") == 0

def test_unmarked():
    assert tries("unmarked") == 2
"""


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["alone", "side by side"])
def test_only_a_test_that_is_marked_has_a_second_try(tmp_path, options):
    shutil.copy(ROOT / "conftest.py", tmp_path)
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\nmarkers = ["races: x"]\n')
    (tmp_path / "test_flaky.py").write_text(FLAKY)
    listed = tmp_path / "raced"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "COURSE_RACED": str(listed)},
        timeout=300,
    )
    assert done.returncode == 1
    assert "2 failed, 1 passed, 2 rerun" in done.stdout
    tries = {name: len((tmp_path / name).read_text()) for name in ("second", "never", "unmarked")}
    assert tries == {"second": 2, "never": 2, "unmarked": 1}
    names = ["test_flaky.py::test_never", "test_flaky.py::test_second_time"]
    assert listed.read_text().split() == names
    section = done.stdout.partition("needed a second try, and to be mended")[2]
    assert all(name in section for name in names)
