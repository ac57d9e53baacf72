"""The `course` command: what it does, and what it says when something is wrong."""

import os
import shutil
import subprocess
import sys

import nbformat
import pytest
import torch
from typer.testing import CliRunner

from course_lib import doctor, paths
from course_lib.assignments import sources
from course_lib.cli import app
from course_lib.hardware import fusion


def one_line(process):
    assert process.returncode != 0
    assert "Traceback" not in process.stderr
    return process.stderr.strip()


def test_importing_the_library_is_quick_because_it_imports_nothing_heavy():
    done = subprocess.run(
        [sys.executable, "-c", "import sys, course_lib; print('\\n'.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    heavy = {"numpy", "torch", "matplotlib", "nbgrader", "typer", "IPython", "yaml"}
    assert heavy & set(done.stdout.split()) == set()


def test_help_names_every_command(course, root):
    text = course("--help", cwd=root).stdout
    commands = "doctor start check progress release collect grade feedback export build serve lab"
    for command in [*commands.split(" "), "new", "similar", "kit", "report", "slides"]:
        assert command in text


def test_start_check_progress(course, tiny_course):
    sources.generate(tiny_course)
    assert "course check tiny" in course("start", "tiny", "--no-lab", cwd=tiny_course).stdout
    mine = paths.work_path(tiny_course, "tiny")
    notebook = nbformat.read(mine, as_version=4)
    cell = next(c for c in notebook.cells if sources.grade_id(c) == "double")
    cell.source = "def double(z):\n    return abs(2 * np.asarray(z))"
    nbformat.write(notebook, mine)
    before = mine.read_bytes()

    again = course("start", "tiny", "--no-lab", cwd=tiny_course)
    assert "as you left it" in again.stdout
    assert mine.read_bytes() == before

    shown = course("check", "tiny", cwd=tiny_course)
    assert shown.returncode == 0
    assert "2 of 6 points, and 3 by a person" in shown.stdout
    assert "Hint: Negative numbers too." in shown.stdout
    assert "2 / 6" in course("progress", cwd=tiny_course).stdout


def test_an_unknown_exercise_lists_the_nearest(course, tiny_course):
    for command in ("start", "check", "release"):
        told = one_line(course(command, "tinny", cwd=tiny_course))
        assert told == "course: No exercise is called 'tinny'. Did you mean tiny?"


def test_a_notebook_that_is_none_is_named(course, tiny_course):
    bad = tiny_course / "bad.ipynb"
    bad.write_text("{")
    told = one_line(course("check", "tiny", "--notebook", bad, cwd=tiny_course))
    assert "bad.ipynb is not a notebook" in told


def test_a_folder_that_is_no_course(course, tmp_path):
    told = one_line(course("progress", cwd=tmp_path, COURSE_ROOT=str(tmp_path)))
    assert "_toc.yml" in told


@pytest.mark.slow
def test_a_full_disk_is_told_in_one_line(course, tiny_course):
    """/dev/full takes nothing: the same error as a full disk."""
    if not os.path.exists("/dev/full"):
        pytest.fail("this test needs /dev/full, which Linux has")
    sources.generate(tiny_course)
    (tiny_course / "work").mkdir()
    shutil.copytree(tiny_course / "exercises" / "tiny", tiny_course / "work" / "tiny")
    partial = (
        "import pathlib; from course_lib import assignments, cli; "
        "from course_lib.assignments import progress; "
        "progress._file = lambda root: pathlib.Path('/dev/full'); "
        "pathlib.Path.with_suffix = lambda self, suffix: self; "
        "import sys; sys.argv = ['course', 'check', 'tiny']; cli.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", partial], cwd=tiny_course, capture_output=True, text=True
    )
    assert one_line(done).startswith("course: The disk is full")


@pytest.mark.parametrize(
    ("number", "words"), [("EROFS", "read-only"), ("EACCES", "No right"), ("EIO", "doctor")]
)
def test_faults_of_the_file_system_are_explained(number, words):
    import errno

    from course_lib.cli import _explain

    code = getattr(errno, number)
    told = _explain(OSError(code, os.strerror(code), "/some/file"))
    assert words in told
    assert "/some/file" in told


def test_old_python_is_told_in_one_line(root):
    script = (
        "import sys, runpy; sys.version_info = (3, 9, 1, 'final', 0); "
        "runpy.run_module('course_lib', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True)
    assert "this is Python 3.9; the course needs 3.11" in one_line(done)


def test_doctor_finds_nothing_wrong_here(course, root):
    done = course("doctor", cwd=root)
    assert done.returncode == 0, done.stdout
    for what in ("Python", "torch", "nbgrader", "device", "disk", "gradebook"):
        assert what in done.stdout


def test_doctor_names_the_extras_that_are_missing(tmp_path, monkeypatch):
    monkeypatch.setattr("course_lib.extras.missing", lambda: ["jax", "cv2"])
    frameworks, clouds = doctor._extras(tmp_path)
    assert (frameworks.state, frameworks.found) == ("note", "without jax, cv2")
    assert (clouds.state, clouds.found) == ("note", "missing")
    assert "make env LIGHT=0" in frameworks.advice and "make env LIGHT=0" in clouds.advice
    monkeypatch.setattr("course_lib.extras.missing", list)
    monkeypatch.setattr("course_lib.extras.cloud_python", lambda root: root)
    assert [finding.state for finding in doctor._extras(tmp_path)] == ["ok", "ok"]


def test_doctor_says_what_to_do(root, tmp_path, monkeypatch):
    (tmp_path / "requirements.txt").write_text("numpy==0.1\n")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: os.terminal_size((0, 0)))
    monkeypatch.setattr(
        doctor.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 9, 1)
    )
    monkeypatch.setattr(doctor.shutil, "which", lambda name, path=None: None)
    monkeypatch.setattr(doctor.sys, "version_info", (3, 9, 0, "final", 0))

    def refuse(dir):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refuse)
    monkeypatch.setenv("COURSE_DEVICE", "tpu9")
    refused = "course_lib.grading.engine.sandbox_check.missing_for_sandbox"
    monkeypatch.setattr(refused, lambda: ["This machine does not give the sandbox a namespace."])
    faults = {f.what: f for f in doctor.examine(tmp_path) if f.state != "ok"}
    assert set(faults) == {
        "Python",
        "numpy",
        "cloud clients",
        "device",
        "disk",
        "folder",
        "gradebook",
        "sandbox",
        "npm",
    }
    assert faults["sandbox"].state == "note" and "does not give" in faults["sandbox"].advice
    assert all(fault.advice for fault in faults.values())
    assert "tested with 0.1" in faults["numpy"].advice


@pytest.mark.slow
def test_serve_names_a_taken_port_and_a_missing_site(course, tiny_course):
    import socket

    assert "course build" in one_line(course("serve", cwd=tiny_course))
    site = tiny_course / "_build" / "html"
    site.mkdir(parents=True)
    (site / "index.html").write_text("here")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        told = one_line(course("serve", "--port", port, cwd=tiny_course))
    assert f"Port {port} is taken" in told
    # Of a block for documentation (RFC 5737): no machine has it.
    told = one_line(course("serve", "--host", "192.0.2.1", "--port", 0, cwd=tiny_course))
    assert "'192.0.2.1', which is no address of this machine" in told


@pytest.mark.slow
def test_new_writes_what_builds_and_proves_itself(course, tiny_course):
    (tiny_course / "tests" / "misconceptions").mkdir(parents=True)
    done = course("new", "my-topic", "--part", "part", "--title", "Signs: why?", cwd=tiny_course)
    assert done.returncode == 0, done.stderr
    entry = '- file: book/part/my-topic\n        title: "Signs"\n'
    assert entry in (tiny_course / "_toc.yml").read_text()
    from course_lib.assignments import proofs
    from course_lib.book.chapters import run_chapters

    (tiny_course / "requirements.txt").write_text("")
    (run,) = run_chapters(tiny_course, ["book/part/my-topic"])
    assert run.ran
    assert proofs.prove_reference(tiny_course, "my-topic") == []
    assert proofs.prove_release(tiny_course, "my-topic") == []
    assert proofs.prove_secrecy(tiny_course, "my-topic") == []
    kept = proofs.answers(tiny_course, "my-topic")
    assert len(kept) == 3
    assert [proofs.prove_answer(tiny_course, "my-topic", answer) for answer in kept] == [[]] * 3


def test_new_refuses_without_writing(course, tiny_course):
    before = sorted(tiny_course.rglob("*"))
    assert "cannot be a chapter's name" in one_line(course("new", "My Topic", cwd=tiny_course))
    assert "is taken" in one_line(course("new", "tiny", "--part", "part", cwd=tiny_course))
    assert "It has: part" in one_line(course("new", "fine", "--part", "nowhere", cwd=tiny_course))
    told = one_line(course("new", "fine", "--part", "part", "--title", "Why?", cwd=tiny_course))
    assert "a subject, a colon and a question" in told
    assert sorted(tiny_course.rglob("*")) == before


def test_grading_commands_on_another_course_explain_what_is_missing(course, tmp_path):
    told = one_line(course("grade", "hw1", "--course-dir", tmp_path / "none", cwd=tmp_path))
    assert "no course folder" in told.lower()


@pytest.mark.slow
def test_an_assignment_that_was_never_released_is_named(course, tiny_course):
    done = course("grade", "tiny", "--json", "--course-dir", tiny_course, cwd=tiny_course)
    assert done.stdout == ""
    assert "knows no assignment 'tiny': release it first" in one_line(done)


def test_what_others_wrote_does_nothing_to_a_terminal():
    from course_lib.cli import _escape

    assert _escape("\x1b[2J\x9b[bold]two\nlines") == "\ufffd[2J\ufffd\\[bold]two\nlines"


def test_doctor_measures_the_ceilings(monkeypatch):
    monkeypatch.setenv("COURSE_DEVICE", "cpu")
    # Compiling takes many seconds; it is tried with the library's own test.
    monkeypatch.setattr(fusion, "compiler", lambda device: "g++")
    monkeypatch.setattr(fusion, "speedup", lambda device, n: 2.4)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        rows, advice = doctor.ceilings(n=32, working_sets=[12_000, 1_200_000])
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert rows.pop() == (
        "three operations on one array, compiled (torch.compile)",
        "2.4 times as fast",
    )
    what, rate = rows.pop(3)
    assert what == "matrix product, float32, cpu, 1 thread" and rate.endswith("FLOP/s")
    assert [what.split(",")[1].strip() for what, _ in rows[:3]] == [
        "float32",
        "bfloat16",
        "float16",
    ]
    assert [what for what, _ in rows[3:]] == [
        "a = b + s c, 12 kB in all",
        "a = b + s c, 1.2 MB in all",
    ]
    assert all(rate.endswith("FLOP/s") for _, rate in rows[:3])
    assert all(rate.endswith("B/s") for _, rate in rows[3:])
    assert "FLOPs for each byte" in advice


def test_doctor_says_when_nothing_compiles(monkeypatch):
    monkeypatch.setenv("COURSE_DEVICE", "cpu")
    monkeypatch.setattr(fusion, "compiler", lambda device: "")
    rows, _ = doctor.ceilings(n=8, working_sets=[12_000])
    assert rows[-1][1] == "not measured: no C++ compiler here, such as g++"


def test_doctor_prints_the_ceilings(monkeypatch):
    measured = [("matrix product", "2 GFLOP/s")], "Below the ridge, memory is what it waits for."
    monkeypatch.setattr(doctor, "ceilings", lambda: measured)
    done = CliRunner().invoke(app, ["doctor", "--benchmark"])
    assert done.exit_code == 0, done.output
    assert "matrix product  2 GFLOP/s" in done.output and "Below the ridge" in done.output


@pytest.mark.parametrize(
    ("rate", "words"),
    [(1.234e13, "12.3 TB/s"), (5e9, "5 GB/s"), (2.5e6, "2.5 MB/s"), (40, "40 B/s")],
)
def test_rates_have_three_digits_and_a_prefix(rate, words):
    assert doctor._rate(rate, "B") == words
