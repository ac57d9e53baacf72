"""No exercise writes a device down: its notebook runs on a graphics card as it stands."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import jupytext
import pytest

from course_lib.paths import exercise_slugs, find_root, source_path

ROOT = find_root(Path(__file__))
SLUGS = [slug for slug in exercise_slugs(ROOT) if source_path(ROOT, slug).is_file()]

#: Functions of torch that make a tensor where they are told, or else on the default device.
FACTORIES = {
    *("arange", "as_tensor", "empty", "eye", "full", "linspace", "logspace", "normal", "ones"),
    *("rand", "randint", "randn", "randperm", "scalar_tensor", "tensor", "tril_indices"),
    *("triu_indices", "zeros"),
}

#: A line that makes a tensor on the CPU on purpose says so in these words.
ON_PURPOSE = "on the CPU"


def faults(code: str, *, solution: bool) -> Iterator[str]:
    """Name what would break on a graphics card, or would not use it."""
    lines = code.splitlines()
    tree = ast.parse(code)
    moved = {
        id(node.func.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"to", "type_as"}
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        said = f"line {node.lineno}: {lines[node.lineno - 1].strip()}"
        words = [argument for argument in node.args if isinstance(argument, ast.Constant)]
        words += [k.value for k in node.keywords if isinstance(k.value, ast.Constant)]
        named = any(re.fullmatch(r"cuda(:\d+)?|mps", str(word.value)) for word in words)
        if (isinstance(node.func, ast.Attribute) and node.func.attr == "cuda") or named:
            yield f"{said} (asks for one kind of device)"
        if not solution or ON_PURPOSE in lines[node.lineno - 1]:
            continue
        if any(
            k.arg == "device" and getattr(k.value, "value", None) == "cpu" for k in node.keywords
        ):
            yield f"{said} (keeps to the CPU)"
        function = node.func
        if (
            isinstance(function, ast.Attribute)
            and isinstance(function.value, ast.Name)
            and function.value.id == "torch"
            and function.attr in FACTORIES
            and not any(k.arg == "device" for k in node.keywords)
            and id(node) not in moved
        ):
            yield f"{said} (made on the default device: give the device of what it meets)"


def cells(slug: str) -> Iterator[tuple[str, str, bool]]:
    """Yield the name and code of each cell, and whether it is the student's to write."""
    for number, cell in enumerate(jupytext.read(source_path(ROOT, slug)).cells):
        if cell.cell_type == "code":
            about = cell.metadata.get("nbgrader", {})
            yield about.get("grade_id", f"cell {number}"), cell.source, about.get("solution", False)


@pytest.mark.parametrize("slug", SLUGS)
def test_no_device_is_written_down(slug: str) -> None:
    uses_torch = "import torch" in source_path(ROOT, slug).read_text(encoding="utf-8")
    found = [
        f"{name}, {fault}"
        for name, code, solution in cells(slug)
        if uses_torch
        for fault in faults(code, solution=solution)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("x = torch.zeros(3)", ["default device"]),
        ("x = torch.zeros(3, device=y.device)", []),
        ("x = torch.zeros(3).to(y)", []),
        ("x = torch.zeros_like(y) + y.new_ones(3)", []),
        ("x = y[torch.arange(3)]", ["default device"]),
        ("rows = torch.randperm(3)  # on the CPU, as the data are", []),
        ("x = torch.ones(3, device='cpu')", ["keeps to the CPU"]),
        ("model.cuda()", ["one kind of device"]),
        ("x = y.to('cuda')", ["one kind of device"]),
        ("x = y.to(device='cuda:0')", ["one kind of device"]),
        ("x = np.zeros(3)", []),
    ],
)
def test_what_is_found(code: str, says: list[str]) -> None:
    found = list(faults(code, solution=True))
    assert len(found) == len(says)
    assert all(say in fault for say, fault in zip(says, found, strict=True))


def test_a_test_may_compute_on_the_cpu_and_may_not_ask_for_a_card() -> None:
    assert not list(faults("x = torch.zeros(3)", solution=False))
    assert len(list(faults("x = torch.zeros(3).cuda()", solution=False))) == 1
