"""What a fork of the zygote does before and after its target: enter the sandbox, run, end."""

from __future__ import annotations

import importlib
import os
import pickle
import random
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NoReturn

from course_lib.grading.engine import sandbox
from course_lib.grading.engine.sandbox import SandboxError
from course_lib.grading.engine.zygote_messages import send

__all__ = ["be_child", "handled_signals"]


def be_child(
    setup: socket.socket,
    sockets: list[socket.socket],
    room: sandbox.Room | None,
    folder: str | None,
    handled: Sequence[int],
) -> NoReturn:
    """Be the child: build the sandbox, run the target, end."""
    code = 1
    try:
        function = _prepare(setup, sockets, room, folder, handled)
        code = _exit_code(function, sockets)
    finally:
        os._exit(code)


def _prepare(
    setup: socket.socket,
    sockets: list[socket.socket],
    room: sandbox.Room | None,
    folder: str | None,
    handled: Sequence[int],
) -> Callable[..., None]:
    """Do everything that comes before the target, and tell the supervisor how it went."""
    try:
        os.setsid()
        _reset_signals(handled)
        rooms = [room.descriptor] if room else []
        sandbox.keep_only([setup.fileno(), *(end.fileno() for end in sockets), *rooms])
        with setup.makefile("rb") as orders:
            target, limits, scratch, environment = pickle.load(orders)
        if room is not None:
            sandbox.enter(room, limits, scratch)
            room.close()
        else:
            sandbox.set_environment(folder)
            sandbox.write_scratch(folder, scratch)
            sandbox.set_limits(limits, processes=False)
        os.environ.update(environment)
        _reseed()
        module, _, name = target.partition(":")
        function = getattr(importlib.import_module(module), name)
    except SandboxError as error:
        send(setup, {"error": str(error)})
        raise
    except BaseException:
        send(setup, {"error": traceback.format_exc()})
        raise
    send(setup, {"ready": True})
    setup.close()
    return function


def _exit_code(function: Callable[..., None], sockets: list[socket.socket]) -> int:
    """Run the target and return the code that an interpreter would end with."""
    try:
        function(*sockets)
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def handled_signals() -> list[int]:
    """Return the signals that this process treats in another way than the system does."""
    return [
        int(number)
        for number in signal.valid_signals()
        if signal.getsignal(number) is not signal.SIG_DFL
    ]


def _reset_signals(handled: Sequence[int]) -> None:
    """Handle signals as a fresh interpreter does."""
    signal.set_wakeup_fd(-1)
    for number in handled:
        with suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _reseed() -> None:
    """Draw other random numbers than the zygote's other children."""
    random.seed()
    if "numpy" in sys.modules:
        # A number, which is all that is needed: anything else goes through much that a fork has yet
        # to touch.
        sys.modules["numpy"].random.seed(int.from_bytes(os.urandom(4), "big"))
    if "torch" in sys.modules:
        # Not torch.manual_seed, which seeds devices too and takes as long as the whole sandbox.
        seed = int.from_bytes(os.urandom(7), "big")
        sys.modules["torch"].default_generator.manual_seed(seed)
