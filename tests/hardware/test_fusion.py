"""What a compiler saves: the function is the field's, and what is missing is named."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from course_lib.hardware import fusion


def test_three_operations_are_the_hard_sigmoid():
    z = torch.linspace(-5, 5, 101, dtype=torch.float64)
    torch.testing.assert_close(fusion.hard_sigmoid(z), F.hardsigmoid(z))


def test_a_compiler_is_found_by_its_name(monkeypatch, tmp_path):
    for name in ("g++", "mycc"):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    assert fusion.compiler() == "g++"
    monkeypatch.setenv("CXX", "mycc")
    assert fusion.compiler() == "mycc"
    monkeypatch.setenv("PATH", str(tmp_path / "none"))
    assert fusion.compiler() == ""
    with pytest.raises(RuntimeError, match=r"nothing here compiles for cpu.*such as g\+\+"):
        fusion.speedup()


@pytest.mark.slow
@pytest.mark.skipif(not fusion.compiler(), reason="no C++ compiler on this machine")
def test_the_compiled_function_gives_the_same():
    z = torch.linspace(-7, 7, 10_001)
    torch.testing.assert_close(torch.compile(fusion.hard_sigmoid)(z), fusion.hard_sigmoid(z))


def test_what_is_compared_is_the_function_as_written_and_compiled(monkeypatch):
    ran = []

    def compiled(function):
        assert function is fusion.hard_sigmoid
        return lambda z: ran.append(len(z))

    def clock(call, device, **_):
        before = len(ran)
        call()
        return 2.0 if len(ran) > before else 6.0

    monkeypatch.setattr(fusion, "compiler", lambda device: "g++")
    monkeypatch.setattr(torch, "compile", compiled)
    monkeypatch.setattr(fusion, "seconds", clock)
    # Six seconds as written, two compiled.
    assert fusion.speedup(n=100) == 3.0
    assert ran == [100]
