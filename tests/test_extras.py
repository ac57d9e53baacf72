"""What is not installed is named, with the command that installs it."""

import pytest

from course_lib import extras


def test_a_missing_framework_is_named_with_the_command(monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "cv2" else object())
    extras.require("jax", "tensorflow")
    assert extras.missing() == ["cv2"] and extras.missing("jax") == []
    with pytest.raises(ModuleNotFoundError) as raised:
        extras.require("jax", "cv2")
    said = str(raised.value)
    assert said.startswith("opencv-python-headless is not installed.")
    assert "make env LIGHT=0" in said and "requirements-frameworks.txt" in said
    assert raised.value.name == "cv2"


def test_the_clients_of_the_clouds_have_an_interpreter_or_a_command_that_makes_it(tmp_path):
    with pytest.raises(ModuleNotFoundError, match=r"no .*\.venv-clouds. Say `make env LIGHT=0`"):
        extras.cloud_python(tmp_path)
    python = tmp_path / ".venv-clouds" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("")
    with pytest.raises(ModuleNotFoundError):
        extras.cloud_python(tmp_path)
    python.chmod(0o755)
    assert extras.cloud_python(tmp_path) == python
