"""Which build of PyTorch an environment gets, and what an index that does not answer costs."""

import base64
import hashlib
import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def environment():
    spec = importlib.util.spec_from_file_location("environment", ROOT / "tools" / "environment.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def a_wheel(folder, version, name="torch", python=">=3"):
    """Write a package whose only module says which version it is."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}/__init__.py": f"__version__ = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        f"Requires-Python: {python}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
    }
    record = []
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
            record.append(f"{name},sha256={digest.rstrip(b'=').decode()},{len(text)}")
        wheel.writestr(f"{info}/RECORD", "\n".join([*record, f"{info}/RECORD,,", ""]))
    return path


class Indexes(BaseHTTPRequestHandler):
    """Serve ``/KIND/torch/``: an index of each kind that there may be."""

    wheels: ClassVar[dict[str, Path]] = {}

    def do_GET(self):
        _, kind, _, name = [*self.path.split("/"), ""][:4]
        if kind == "refuses":
            self.send_error(403)
        elif kind == "hangs":
            time.sleep(600)
        elif kind == "drips":
            self.send_response(200)
            self.end_headers()
            for _ in range(6000):
                self.wfile.write(b" ")
                time.sleep(0.1)
        elif kind == "breaks" and name:
            self.send_error(500)
        else:
            wheel = self.wheels[{"breaks": "cpu"}.get(kind, kind)]
            link = wheel.name.replace("+", "%2B")
            body = wheel.read_bytes() if name else f'<a href="{link}">{wheel.name}</a>'.encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/zip" if name else "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_):
        """Keep the tests' output for the tests."""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheels")
    Indexes.wheels = {
        "cpu": a_wheel(folder, "2.13.0+cpu"),
        "usual": a_wheel(folder, "2.13.0"),
        "later": a_wheel(folder, "12.13.0+cpu"),
    }
    with ThreadingHTTPServer(("127.0.0.1", 0), Indexes) as server:
        # What hangs is not waited for, and does not tell that nobody listens any more.
        server.daemon_threads, server.block_on_close = True, False
        server.handle_error = lambda *_: None
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("asked", "system", "card", "chosen"),
    [
        ("", "Linux", False, "cpu"),
        ("", "Linux", True, "cuda"),
        ("cpu", "Linux", True, "cpu"),
        ("cuda", "Linux", False, "cuda"),
        ("", "Darwin", False, "cuda"),
        ("", "Windows", True, "cuda"),
    ],
)
def test_a_machine_without_a_card_gets_the_build_for_the_cpu(
    environment, asked, system, card, chosen
):
    said = []
    assert environment.choose(asked, system, card, said.append) == chosen
    assert said == []


def test_what_cannot_be_chosen_is_said(environment):
    said = []
    assert environment.choose("cpu", "Darwin", False, said.append) == "cuda"
    assert "TORCH=cpu is for Linux" in said[0]
    with pytest.raises(environment.Failed, match="TORCH=gpu is unknown: say TORCH=cpu or TORCH=cu"):
        environment.choose("gpu", "Linux", False, said.append)


@pytest.mark.parametrize(
    "place", ["dev/nvidiactl", "proc/driver/nvidia/version", "usr/lib/wsl/lib/nvidia-smi"]
)
def test_a_card_is_known_by_its_driver(environment, tmp_path, place):
    assert not environment.nvidia_card(tmp_path)
    (tmp_path / place).parent.mkdir(parents=True)
    (tmp_path / place).touch()
    assert environment.nvidia_card(tmp_path)


@pytest.mark.parametrize("version", [(3, 10), (3, 14)])
def test_another_python_is_refused_with_what_to_do(environment, version):
    with pytest.raises(environment.Failed, match=r"needs 3.11, 3.12 or 3.13.*PYTHON=python3.11"):
        environment.check_python(version)


def test_the_pins_name_a_version_of_torch_without_a_label(environment, tmp_path):
    assert "+" not in environment.pinned(ROOT, "torch")
    (tmp_path / "requirements.txt").write_text("mytorch==1\ntorch==2.13.0\n    # via x\n")
    assert environment.pinned(tmp_path, "torch") == "2.13.0"
    with pytest.raises(environment.Failed, match="names no version of numpy"):
        environment.pinned(tmp_path, "numpy")


@pytest.fixture
def install(environment, address, tmp_path, monkeypatch):
    """Return a function that installs from an index, and gives what came and what was said."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        if name != "PIP_CONFIG_FILE":
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_INDEX_URL", f"{address}/usual")

    def run(url, patience=120.0):
        said = []
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-cache-dir"]
        pip += ["--no-compile", "--disable-pip-version-check", "--retries", "0"]
        target = tmp_path / "target"
        index = url and environment.Index(url, "2.13.0", patience)
        environment.install_torch([*pip, "--target", str(target)], "2.13.0", index, said.append)
        return (target / "torch" / "__init__.py").read_text().split("'")[1], said

    return run


def test_an_index_that_answers_gives_the_build_for_the_cpu(install, address):
    assert install(f"{address}/cpu") == ("2.13.0+cpu", [])


def test_without_another_index_the_usual_one_is_taken(install):
    assert install(None) == ("2.13.0", [])


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("refuses", r"cannot be reached \(Forbidden\)"),
        ("later", "has no torch 2.13.0"),
        ("breaks", "broke off"),
    ],
)
def test_an_index_of_no_use_gives_way_to_the_usual_one(install, address, kind, reason):
    version, said = install(f"{address}/{kind}")
    assert version == "2.13.0"
    (line,) = said
    assert line.startswith("PyTorch comes from the usual index")
    assert re.search(reason, line), line


def test_an_index_that_nobody_serves_gives_way_to_the_usual_one(install):
    with socket.socket() as held:
        # Bound and not listening: every call is refused.
        held.bind(("127.0.0.1", 0))
        version, said = install(f"http://127.0.0.1:{held.getsockname()[1]}/cpu")
    assert version == "2.13.0"
    assert "cannot be reached" in said[0]


@pytest.mark.parametrize("kind", ["hangs", "drips"])
def test_an_index_that_hangs_is_left_when_patience_ends(environment, install, address, kind):
    # Nothing that lasts longer than the patience is begun: the index would be waited for 600 s.
    version, said = install(f"{address}/{kind}", patience=0.5)
    assert version == "2.13.0"
    assert "does not answer" in said[0] or "timed out" in said[0]
    assert environment.PATIENCE <= 5


@pytest.fixture
def pins(environment, tmp_path, monkeypatch):
    """Return a function that installs pins from a folder of two packages, one of a later Python."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    a_wheel(wheels, "1.0", "soup")
    a_wheel(wheels, "2.0", "soup", python=">=3.99")
    a_wheel(wheels, "1.0", "spoon")

    def run(*lines):
        said = []
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
        pip += ["--no-compile", "--find-links", str(wheels), "--target", str(tmp_path / "target")]
        left = environment.install_pins(pip, tmp_path / "pins.txt", list(lines), said.append)
        return left, said, sorted(path.name for path in (tmp_path / "target").glob("s*n"))

    return run


def test_a_pin_that_is_not_made_for_this_python_is_left_to_pip(pins):
    # As soupsieve 4.1.2, which asks for Python 3.11.5, where Debian 12 has 3.11.2.
    left, (told,), there = pins("soup==2.0", "spoon==1.0")
    assert left == ["soup==2.0"]
    assert told.startswith("soup==2.0 is not made for Python 3.")
    assert there == ["spoon"]


def test_without_an_index_no_pin_is_left_out(environment, pins):
    with pytest.raises(environment.Failed, match="No matching distribution found for fork"):
        pins("fork==1.0")


def test_what_starts_a_kit_says_how_to_start_it_with_another_python(tmp_path):
    (tmp_path / "start.py").write_text("")
    copied = shutil.copy(ROOT / "tools" / "environment.py", tmp_path)
    code = "import environment as e\ntry: e.check_python((3, 9))\nexcept e.Failed as f: print(f)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert copied and "say: python3.11 start.py" in done.stdout


@pytest.fixture
def made(environment, tmp_path, monkeypatch):
    """Return a function that makes an environment, in words: what is run and which index is asked.

    What PyTorch's index has to say is in `trouble`; the usual index has the build for CUDA.
    """
    pins = ("requirements.txt", "requirements-frameworks.txt", "requirements-clouds.txt")
    for name in (*pins, "pyproject.toml"):
        (tmp_path / name).write_text("torch==2.13.0\n")
    folder = tmp_path / "env"
    version = folder / "lib" / "python3.11" / "site-packages" / "torch" / "version.py"
    done = []

    class Asked:
        def __init__(self, url, version):
            done.append("asked")

        def trouble(self):
            return made.trouble

    def run(command):
        assert command[:3] == [sys.executable, "-m", "venv"]
        done.append(" ".join(["venv", *command[3:-1]]))
        (folder / "bin").mkdir(parents=True, exist_ok=True)
        if "--clear" in command:
            version.unlink()

    def install(python, folder, root, index, extras):
        kind = "cuda" if index is None or index.trouble() else "cpu"
        done.append(f"installed {kind}" + "".join(f" and {path.stem}" for path in extras))
        version.parent.mkdir(parents=True, exist_ok=True)
        if not version.exists():
            value = "None" if kind == "cpu" else "'13.0'"
            version.write_text(f"cuda: Optional[str] = {value}\nhip: Optional[str] = None\n")

    def made(asked="", light="1"):
        done.clear()
        environment.make(folder, tmp_path, asked, light)
        return list(done)

    def clouds(folder, pins):
        assert (folder.name, pins.name) == ("env-clouds", "requirements-clouds.txt")
        done.append("clouds")

    monkeypatch.setattr(environment, "_run", run)
    monkeypatch.setattr(environment, "install", install)
    monkeypatch.setattr(environment, "install_clouds", clouds)
    monkeypatch.setattr(environment, "Index", Asked)
    monkeypatch.setattr(environment.platform, "system", lambda: "Linux")
    monkeypatch.setattr(environment, "nvidia_card", lambda root: False)
    made.trouble = ""
    made.stamp = folder / "ready"
    return made


def test_what_is_up_to_date_is_left_alone(made):
    assert made() == ["asked", "venv", "installed cpu"]
    assert made() == made("cpu") == []
    # Pins that have changed are installed.
    os.utime(made.stamp, (0, 0))
    assert made() == ["asked", "venv", "installed cpu"]


def test_another_build_is_a_new_environment_and_stays(made):
    made()
    assert made("cuda") == ["venv --clear", "installed cuda"]
    assert made() == made("cuda") == []
    os.utime(made.stamp, (0, 0))
    assert made() == ["venv", "installed cuda"]
    assert made("cpu") == ["asked", "venv --clear", "installed cpu"]


def test_an_environment_of_an_earlier_time_is_kept(made):
    made("cuda")
    # Then, the stamp was empty.
    made.stamp.write_text("")
    assert made() == ["venv", "installed cuda"]
    assert made("cpu") == ["asked", "venv --clear", "installed cpu"]


def test_an_index_that_was_away_can_be_asked_again(environment, made):
    made.trouble = "no answer"
    assert made() == ["asked", "venv", "installed cuda"]
    assert made() == []
    # What is there is not thrown away for what cannot be had.
    with pytest.raises(environment.Failed, match=r"no answer, so .*env stays as it is"):
        made("cpu")
    assert made() == []
    made.trouble = ""
    assert made("cpu") == ["asked", "venv --clear", "installed cpu"]


WHOLE = ["asked", "venv", "installed cpu and requirements-frameworks", "clouds"]


def test_the_extras_come_unless_they_are_left_out_and_stay(made):
    assert made(light="1") == ["asked", "venv", "installed cpu"]
    # Who left them out is not made to take them by the next command.
    assert made(light="") == made(light="1") == []
    assert made(light="0") == WHOLE
    assert made(light="") == made(light="0") == made(light="1") == []
    os.utime(made.stamp, (0, 0))
    assert made(light="1") == WHOLE


def test_the_extras_come_to_an_environment_of_an_earlier_time(made):
    assert made(light="") == WHOLE
    # Then, the stamp held the build alone.
    made.stamp.write_text("cpu\n")
    assert made(light="") == WHOLE


def test_what_light_cannot_be_is_said(environment, made):
    with pytest.raises(environment.Failed, match="LIGHT=yes is unknown: say LIGHT=1 or LIGHT=0"):
        made(light="yes")


def test_a_run_that_was_stopped_is_repeated(environment, made, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(environment, "install", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            made()
    assert not made.stamp.exists()
    assert made() == ["asked", "venv", "installed cpu"]


def test_it_needs_nothing_but_the_standard_library():
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(ROOT / "tools" / "environment.py"), "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "cpu or cuda" in done.stdout
