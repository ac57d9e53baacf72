"""A course of somebody else's, with PyTorch and all that graders trip over: as stock nbgrader."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import nbformat
import pytest
import small_course as small
from nbformat.v4 import new_notebook
from small_course import contents

from course_lib import grading

pytestmark = pytest.mark.slow

SLUG = "fitting"

ANSWER = {"solution": True}
TEST = {"grade": True, "locked": True}
MARKED = {"grade": True, "solution": True}

#: Name, kind, flags, and the text, or for answers the solutions below.
CELLS: list[tuple[str, str, dict[str, object], str]] = [
    ("setup", "code", {"locked": True}, "import torch\nfrom torch import nn\ntorch.manual_seed(0)"),
    ("net", "code", ANSWER, ""),
    ("test-net", "code", TEST | {"points": 2}, """
        net = Net(hidden=5)
        assert isinstance(net, nn.Module) and net(torch.zeros(7, 2)).shape == (7, 1)
        ### BEGIN HIDDEN TESTS
        assert sum(p.numel() for p in net.parameters()) == 2 * 5 + 5 + 5 + 1
        with torch.no_grad():
            for p in net.parameters():
                p.fill_(-1.0)
        assert net(torch.ones(1, 2)).item() == -1.0, "ReLU is missing"
        ### END HIDDEN TESTS
        """),
    ("train", "code", ANSWER, ""),
    ("test-train", "code", TEST | {"points": 3}, """
        model, X = nn.Linear(2, 1), torch.randn(64, 2)
        before, y = model.weight.detach().clone(), X @ torch.tensor([[1.0], [-2.0]])
        losses = list(train(model, X, y, steps=60))
        assert len(losses) == 60 and losses[-1] < losses[0] / 10
        ### BEGIN HIDDEN TESTS
        assert not torch.equal(model.weight, before)
        assert torch.allclose(model.weight, torch.tensor([[1.0, -2.0]]), atol=0.1)
        ### END HIDDEN TESTS
        """),
    ("center", "code", ANSWER, ""),
    ("test-center", "code", TEST | {"points": 2}, """
        A = torch.arange(6.0).reshape(3, 2)
        same = A
        assert center_(A) is None
        assert torch.allclose(same.mean(dim=0), torch.zeros(2))
        """),
    ("batches", "code", ANSWER, ""),
    ("test-batches", "code", TEST | {"points": 3}, """
        points = 0
        parts = batches(10, 4)
        if iter(parts) is parts or hasattr(parts, "__iter__"):
            points += 1
        found = [list(map(int, part)) for part in parts]
        print("sizes:", [len(part) for part in found])
        if [len(part) for part in found] == [4, 4, 2]:
            points += 0.5
        if sorted(sum(found, [])) == list(range(10)):
            points += 1.5
        points
        """),
    ("score", "code", ANSWER, ""),
    ("test-score", "code", TEST | {"points": 2}, """
        tally = Tally()
        tally.add("a")
        tally.add("a")
        assert tally.most == "a" and tally.counts == {"a": 2} and tally == {"a": 2}
        try:
            Tally().most
        except LookupError as error:
            assert "empty" in str(error)
        else:
            raise AssertionError("a Tally of nothing has no most frequent word")
        """),
    ("picture", "code", MARKED | {"points": 2}, "# Plot what you found."),
    ("why", "markdown", MARKED | {"points": 2}, "Why does the loss fall?"),
    ("essay", "markdown", {"task": True, "locked": True, "points": 4}, "Write a page."),
]  # fmt: skip

RIGHT = {
    "net": """
        class Net(nn.Module):
            def __init__(self, hidden=3):
                super().__init__()
                self.layers = nn.Sequential(nn.Linear(2, hidden), nn.ReLU(), nn.Linear(hidden, 1))

            def forward(self, x):
                return self.layers(x)
        """,
    "train": """
        def train(model, X, y, steps):
            optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
            for _ in range(steps):
                optimizer.zero_grad()
                loss = nn.functional.mse_loss(model(X), y)
                loss.backward()
                optimizer.step()
                yield loss.item()
        """,
    "center": "def center_(A):\n    A -= A.mean(dim=0)",
    "batches": """
        def batches(n, size):
            for begin in range(0, n, size):
                yield list(range(begin, min(n, begin + size)))
        """,
    "score": """
        class Tally:
            def __init__(self):
                self.counts = {}

            def add(self, word):
                self.counts[word] = self.counts.get(word, 0) + 1

            @property
            def most(self):
                if not self.counts:
                    raise LookupError("the tally is empty")
                return max(self.counts, key=self.counts.get)

            def __eq__(self, other):
                return self.counts == other
        """,
    "picture": "import matplotlib.pyplot as plt\n_ = plt.plot([1, 2])",
    "why": "Because of the slope.",
}

#: Right in another way: other loops, other types, other classes.
OTHERWISE = RIGHT | {
    "net": """
        Base = nn.Module

        class Hidden(Base):
            def __init__(self, hidden):
                super().__init__()
                self.weight = nn.Parameter(torch.randn(hidden, 2))
                self.bias = nn.Parameter(torch.zeros(hidden))

            def forward(self, x):
                return (x @ self.weight.T + self.bias).clamp(min=0)

        class Net(Base):
            def __init__(self, hidden):
                super().__init__()
                self.first, self.second = Hidden(hidden), nn.Linear(hidden, 1)

            def forward(self, x):
                return self.second(self.first(x))
        """,
    "train": """
        def train(model, X, y, steps):
            losses = []
            for _ in range(steps):
                loss = ((model(X) - y) ** 2).mean()
                for p, g in zip(model.parameters(), torch.autograd.grad(loss, model.parameters())):
                    p.data -= 0.2 * g
                losses.append(loss.item())
            return losses
        """,
    "center": "def center_(A):\n    torch.sub(A, A.mean(0, keepdim=True), out=A)",
    "batches": """
        class batches:
            def __init__(self, n, size):
                self.left, self.size = torch.randperm(n), size

            def __iter__(self):
                return iter(self.left.split(self.size))
        """,
    "score": """
        from collections import Counter

        class Tally(Counter):
            counts = property(lambda self: self)

            def add(self, word):
                self.update([word])

            @property
            def most(self):
                if not self:
                    raise IndexError("empty")
                return self.most_common(1)[0][0]
        """,
}

#: Each cell is wrong in its own way, and some get a part of their points. One does what is asked,
#: and PyTorch warns: by nbgrader's rule that fails.
WRONG = RIGHT | {
    "net": RIGHT["net"].replace("nn.ReLU()", "nn.Identity()"),
    "train": RIGHT["train"].replace("loss.item()", "float(loss)"),
    "center": "def center_(A):\n    A = A - A.mean(dim=0)",
    "batches": "def batches(n, size):\n    return torch.arange(n // size * size).split(size)",
    "score": "class Tally:\n    counts = {}\n    def add(self, word):\n        return 1 / 0",
    "picture": "raise RuntimeError('no picture')",
}

ANSWERS = {"right": RIGHT, "otherwise": OTHERWISE, "wrong": WRONG}
POINTS = {
    "right": {"test-net": 2, "test-train": 3, "test-center": 2, "test-batches": 3, "test-score": 2},
    "otherwise": {
        "test-net": 2,
        "test-train": 3,
        "test-center": 2,
        "test-batches": 3,
        "test-score": 2,
    },
    "wrong": {"test-net": 0, "test-train": 0, "test-center": 0, "test-batches": 1, "test-score": 0},
}


def a_course(folder: Path) -> Path:
    """Return the course, released and handed in."""
    source = folder / "source" / SLUG
    source.mkdir(parents=True)
    cells = []
    for name, kind, flags, text in CELLS:
        if flags == ANSWER:
            text = f"### BEGIN SOLUTION\n{dedent(RIGHT[name]).strip()}\n### END SOLUTION"
        cells.append(small.cell(kind, name, dedent(text).strip(), **flags))
    notebook = new_notebook(cells=cells, metadata={"kernelspec": small.KERNELSPEC})
    nbformat.write(notebook, source / f"{SLUG}.ipynb")
    (folder / "nbgrader_config.py").write_text(
        "c = get_config()\nc.Execute.timeout = 120\nc.Execute.startup_timeout = 600\n"
        "c.Execute.iopub_timeout = 60\n"
    )
    grading.release([SLUG], folder)
    for student, answers in ANSWERS.items():
        made = nbformat.read(folder / "release" / SLUG / f"{SLUG}.ipynb", as_version=4)
        for name, text in answers.items():
            small.named(made, name).source = dedent(text).strip()
        place = folder / "submitted" / student / SLUG
        place.mkdir(parents=True)
        nbformat.write(made, place / f"{SLUG}.ipynb")
    return folder


def test_the_gradebook_is_that_of_stock_nbgrader_cell_by_cell(
    tmp_path: Path, over_files: Callable[[Path], None]
) -> None:
    ours, theirs = a_course(tmp_path / "ours"), a_course(tmp_path / "theirs")
    report = grading.grade(SLUG, ours)
    for row in report.students:
        points = row.points()
        assert {name: points[name] for name in POINTS[row.student]} == POINTS[row.student]
    over_files(theirs)
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "autograde", SLUG],
        cwd=theirs,
        capture_output=True,
        text=True,
        timeout=540,
    )
    assert done.returncode == 0, done.stderr
    found = contents(ours, SLUG)
    assert found == contents(theirs, SLUG)
    # Waiting for a person: a code cell, an answer and a task.
    for name in ("picture", "why", "essay"):
        assert found[f"right/{SLUG}/{name}"][3], name
