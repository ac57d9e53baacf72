"""No page asserts what a clock has measured.

A busy machine or another processor would decide whether such a page can be built. Pages print times
with their unit; what they say of them is compared in ``benchmarks/hardware.py``.
"""

import ast
from pathlib import Path

import pytest

from course_lib.book.chapters import chapter_pages, read_chapter

ROOT = Path(__file__).parents[2]

#: Functions and attributes that read a clock, as pages write them.
CLOCKS = {
    "ceilings.bandwidth",
    "ceilings.measure",
    "ceilings.peak",
    "time.monotonic",
    "time.perf_counter",
    "time.process_time",
    "time.time",
}
_TIMING = "course_lib.hardware.timing"
_ATTRIBUTES = {"cpu_time_total", "device_time_total", "self_cpu_time_total", "wall_s"}


def timed_claims(code: str) -> list[str]:
    """Return the assertions of a page that depend on a clock.

    Names that hold a time are followed through assignments, loops and functions, from the first
    line to the last.
    """
    reader = _Reader()
    reader.visit(ast.parse(code))
    return reader.claims


class _Reader(ast.NodeVisitor):
    """Follows the names that hold what a clock has said."""

    def __init__(self) -> None:
        self.timed: set[str] = set()  # what reads a clock by itself, too
        self.claims: list[str] = []

    def depends(self, node: ast.AST) -> bool:
        """Whether an expression or a function's body reads a clock or a name that holds a time."""
        for part in ast.walk(node):
            if isinstance(part, ast.Attribute):
                if part.attr in _ATTRIBUTES or ast.unparse(part) in CLOCKS:
                    return True
            elif isinstance(part, ast.Name) and part.id in self.timed:
                return True
        return False

    def bind(self, to: ast.AST, timed: bool, also: bool = False) -> None:
        """Remember what the names of a target hold from now on; `also` keeps what they held."""
        whole = isinstance(to, ast.Name | ast.Tuple | ast.List)
        while isinstance(to, ast.Subscript | ast.Attribute):  # a part of what this name holds
            to = to.value
        for part in ast.walk(to):
            if isinstance(part, ast.Name):
                if timed:
                    self.timed.add(part.id)
                elif whole and not also:
                    self.timed.discard(part.id)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.module == _TIMING:
            self.timed |= {name.asname or name.name for name in node.names}

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        outside = set(self.timed)
        self.timed -= {a.arg for a in (*node.args.args, *node.args.kwonlyargs)}
        timed = any(self.depends(line) for line in node.body)
        self.timed = outside
        self.bind(ast.Name(node.name), timed)

    def visit_Assign(self, node: ast.Assign) -> None:
        for to in node.targets:
            self.bind(to, self.depends(node.value))

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.bind(node.target, self.depends(node.value), also=True)

    def visit_For(self, node: ast.For) -> None:
        self.bind(node.target, self.depends(node.iter))
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        # A list that a time is put into.
        function = node.func
        if (
            isinstance(function, ast.Attribute)
            and function.attr in {"append", "extend", "insert"}
            and any(self.depends(argument) for argument in node.args)
        ):
            self.bind(function.value, True)
        self.generic_visit(node)

    def visit_Assert(self, node: ast.Assert) -> None:
        if self.depends(node.test):
            self.claims.append(ast.unparse(node))


@pytest.mark.parametrize("page", chapter_pages(ROOT), ids=lambda page: page.rsplit("/", 1)[-1])
def test_no_page_asserts_a_time(page):
    cells = [c.source for c in read_chapter(ROOT, page).cells if c.cell_type == "code"]
    code = "\n".join(
        line for cell in cells for line in cell.splitlines() if not line.startswith(("%", "!"))
    )
    assert timed_claims(code) == []


@pytest.mark.parametrize(
    ("code", "claims"),
    [
        ("took = seconds(f)\nassert took < 1", ["assert took < 1"]),
        ("a = time.time()\nb = [a]\nfor c in b:\n    assert c > 2", ["assert c > 2"]),
        ("def ms(f):\n    return 1e3 * seconds(f)\nassert ms(g) < 5", ["assert ms(g) < 5"]),
        ("m, steps = ceilings.measure()\nassert steps[0] > 1", ["assert steps[0] > 1"]),
        ("ts = []\nts.append(time.time())\nassert max(ts) < 3", ["assert max(ts) < 3"]),
        ("assert sum(r.self_cpu_time_total for r in rows) < 2", None),
        ("d = {}\nd['a'] = seconds(f)\nassert d['a'] < 1", ["assert d['a'] < 1"]),
        ("t = time.time()\ndef f(t):\n    return t\nassert f(2) == 2", []),
        ("t = time.time()\nt = 3\nassert t == 3", []),
        ("assert Machine(1, 2).seconds(op) == 4 and ring_seconds(4) < 2", []),
    ],
)
def test_times_are_found(code, claims):
    found = timed_claims(f"from course_lib.hardware.timing import seconds\n{code}")
    assert len(found) == 1 if claims is None else found == claims
