"""What the tests of the zygote let run in its children, besides ``attacks.py``."""

from __future__ import annotations

import json
import os
import random
import sys
import time
from pathlib import Path


def answer(line):
    """Send what there is to know about a fresh child."""
    line.sendall(json.dumps(_facts()).encode())


def _facts():
    import numpy as np

    facts = {
        "random": random.random(),
        "numpy": float(np.random.rand()),
        "threads": len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 1,
        "handlers": _own_handlers(),
        "argv": sys.argv,
        "cwd": os.getcwd(),
    }
    if "torch" in sys.modules:
        import torch

        facts["torch"] = float(torch.rand(1, dtype=torch.float64))
        facts["private"] = private_memory()
        before = set(sys.modules)
        model = torch.nn.Linear(10, 1)
        optimizer = torch.optim.Adam(model.parameters())
        for _ in range(20):
            optimizer.zero_grad()
            model(torch.randn(32, 10)).square().mean().backward()
            optimizer.step()
        facts["loaded"] = sorted(set(sys.modules) - before)
        facts["torch threads"] = torch.get_num_threads()
        facts["private after"] = private_memory()
    return facts


def _own_handlers():
    import signal

    return [
        int(number)
        for number in signal.valid_signals()
        if callable(signal.getsignal(number)) and number != signal.SIGINT
    ]


def private_memory():
    """Return the bytes that this process shares with no other."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Private"))


def leave(line):
    sys.exit(int(line.recv(16)))


def leave_at_once(line):
    os._exit(int(line.recv(16)))


def end_by_signal(line):
    os.kill(os.getpid(), int(line.recv(16)))
    time.sleep(10)


def fail(_line):
    raise ValueError("as planned")


def sleep():
    time.sleep(100)


def sleep_with_a_child():
    if os.fork() == 0:
        time.sleep(100)
    time.sleep(100)


def read_all(line):
    """Return the working folder and the files in it."""
    files = {str(path): path.read_text() for path in Path().rglob("*") if path.is_file()}
    line.sendall(json.dumps([os.getcwd(), files, sorted(os.environ)]).encode())
