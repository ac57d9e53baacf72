"""A dry run: what a warm process plays once, so that no child does it for the first time.

IPython, PyTorch and the engine itself load modules, compile patterns and fill tables on first use.
A child that does so pays for it, for each submission; a fork of a process that has done so does
not. So a tiny notebook is played here in both roles, each time with a fork in the other one. It is
the same for every course, and nothing of it is left but what libraries remember for themselves.
"""

from __future__ import annotations

import atexit
import linecache
import os
import socket
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from course_lib.grading.engine import judge, shells, student
from course_lib.grading.engine.asked import Asked
from course_lib.grading.engine.objects import Server
from course_lib.grading.engine.randomness import random_state

__all__ = ["play"]

# What the student's side runs. What some machine lacks only makes that part less of a dry run.
CELLS = (
    "import numpy as np\nprint('text')\n'a value'",
    "def double(x):\n    return 2 * x\n\ndef fail(x):\n    raise NotImplementedError",
    "np.arange(4.0)",
    "undefined",
    "if:",
    "import torch\nfrom torch import nn\ntorch.manual_seed(0)",
    "class Network(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    "        self.layers = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))\n\n"
    "    def forward(self, x):\n        return self.layers(x)",
    "def train(model, x, y, steps):\n    losses = []\n"
    "    for optimizer in (torch.optim.SGD(model.parameters(), lr=0.1), "
    "torch.optim.Adam(model.parameters())):\n"
    "        for _ in range(steps):\n            optimizer.zero_grad()\n"
    "            loss = nn.functional.cross_entropy(model(x), y)\n            loss.backward()\n"
    "            optimizer.step()\n            losses.append(loss.item())\n    return losses",
    "torch.ones(2, 2)",
)

# What the judge's side runs against it.
TEACHER = "import numpy as np\nimport torch\nfrom torch import nn"
TESTS = (
    "from course_lib.exercises import assert_close, assert_equal, assert_raises, rng\n"
    "assert_close(double(np.ones(3)), 2 * np.ones(3))\nassert_equal(double(rng().integers(9)), 1)",
    "assert double(3) == 6, 'twice'\nassert np.allclose(double(np.array([1.0, 2.0])), [2.0, 4.0])",
    "try:\n    fail(1)\nexcept NotImplementedError:\n    pass\nfail([1, 2])",
    "net = Network()\nassert sum(p.numel() for p in net.parameters()) == 17",
    "x = torch.randn(4, 2)\ny = torch.zeros(4).long()\nlosses = train(nn.Linear(2, 2), x, y, 2)\n"
    "assert len(losses) == 4 and torch.allclose(double(x), 2 * x)\n"
    "(double(x.requires_grad_()).sum() + Network()(x).sum()).backward()",
    "assert double(torch.ones(2)).tolist() == [3.0, 3.0]\ndouble(1)",
)


def play() -> None:
    """Play both roles in this process, one after the other, and make a shell for the next."""
    with _nothing_left():
        _against(_play_judge, _play_student)
        _against(_play_student, _play_judge)
    shells.make_ahead()


def _against(other: Callable[[socket.socket], None], one: Callable[[socket.socket], None]) -> None:
    """Play one role here, and the other one in a fork."""
    mine, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            mine.close()
            other(theirs)
        finally:
            os._exit(0)
    theirs.close()
    try:
        with mine:
            one(mine)
    finally:
        os.waitpid(pid, 0)


def _play_student(link: socket.socket) -> None:
    from IPython.core.interactiveshell import InteractiveShell

    shell = shells.new_shell()
    try:
        words = student.LastWords()
        for number, source in enumerate(CELLS, 1):
            student.run_cell(shell, f"cell {number}", source, words)
        Server(shell.user_ns).serve(link)
    finally:
        atexit.unregister(shell.atexit_operations)
        InteractiveShell.clear_instance()


def _play_judge(link: socket.socket) -> None:
    role = judge.Judge()
    role.prepare([TEACHER], ["numpy", "torch", "torch.nn"])
    role.locked(TEACHER, None)
    for test in TESTS:
        role.test(test, ({"Network": Asked()}, ["Network"]), [], random_state(), b"", 0, link)


@contextmanager
def _nothing_left() -> Iterator[None]:
    """Undo what a shell does to the process that it is made in."""
    before = shells.Surroundings.now()
    try:
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            os.environ["IPYTHONDIR"] = folder
            yield
    finally:
        before.put_back()
        for name in [name for name in linecache.cache if name.startswith("<")]:
            del linecache.cache[name]
