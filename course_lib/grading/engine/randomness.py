"""The state of the random numbers, which student and judge hand on: one stream for both."""

from __future__ import annotations

import contextlib
import ctypes
import math
import random
import struct
import sys
from collections.abc import Container
from typing import Any

import numpy as np

from course_lib.grading.engine import protocol

__all__ = ["follow_random_state", "random_state", "random_streams", "scramble", "set_random_state"]


def random_state() -> bytes:
    """Return the state of the random numbers, so that both sides draw from one stream."""
    global _packed
    version, internal, gauss = random.getstate()
    torch = sys.modules.get("torch")
    numbers = _PYTHONS.pack(*internal)
    numpys = _numpys_state()
    torchs = None if torch is None else torch.get_rng_state().numpy().tobytes()
    now = (version, numbers, gauss, torchs)
    if _packed is None or _packed[0] != now or _packed[1] is not numpys:
        state = [
            [version, np.frombuffer(numbers, np.uint32), gauss],
            numpys,
            None if torchs is None else np.frombuffer(torchs, np.uint8),
        ]
        _packed = (now, numpys, protocol.pack(state, lambda value: ["?"]))
    return _packed[2]


def random_streams() -> tuple[Any, ...]:
    """Return the state of each of the sources of random numbers."""
    torch = sys.modules.get("torch")
    return (
        random.getstate(),
        protocol.pack(_numpys_state(), _nothing),
        None if torch is None else torch.get_rng_state().numpy().tobytes(),
    )


def scramble(streams: Container[int]) -> None:
    """Let those random numbers go on from anywhere, so that what begins them anew shows."""
    if 0 in streams:
        random.seed()
    if 1 in streams:
        with contextlib.suppress(TypeError):  # another kind of generator
            np.random.seed()  # noqa: NPY002
        _forget()
    if 2 in streams and "torch" in sys.modules:
        sys.modules["torch"].seed()


# The last state and how it was packed: mostly, nothing was drawn since.
_packed: tuple[tuple[Any, ...], list[Any], bytes] | None = None

_PYTHONS = struct.Struct("=625I")

# The numbers of NumPy's generator and the place among them, as they lie in memory.
_NUMPYS_BYTES = 625 * 4

_numpys: tuple[bytes, list[Any]] | None = None


def _numpys_state() -> list[Any]:
    """Return the state of NumPy's random numbers.

    Asking NumPy takes longer than all the rest of an answer. Where the memory of its generator is
    what it was when it had no second normal number in store, nothing has been drawn since.
    """
    global _numpys
    generator = np.random.get_bit_generator()
    raw = b""
    if type(generator) is np.random.MT19937:
        raw = ctypes.string_at(generator.ctypes.state_address, _NUMPYS_BYTES)
        if _numpys is not None and _numpys[0] == raw:
            return _numpys[1]
    kind, keys, position, has_gauss, cached = np.random.get_state()  # noqa: NPY002
    state = [kind, keys, int(position), int(has_gauss), float(cached)]
    _numpys = (raw, state) if raw and not has_gauss else None
    return state


def _forget() -> None:
    global _numpys
    _numpys = None


def set_random_state(packed: bytes | None) -> None:
    """Continue the other side's random numbers.

    Raises
    ------
    WireError, ValueError, TypeError, RuntimeError
        When it is no such state.
    """
    if not packed or packed == random_state():
        return
    (version, internal, gauss), numpys, torchs = protocol.unpack(packed, _nothing)
    _, keys, position, _, cached = numpys
    # Before the first of them is set: all or none.
    _check_twister(keys, position, cached)
    _check_twister(internal[:-1], int(internal[-1]), gauss)
    if torchs is not None:
        _check_torchs(torchs)
    random.setstate((version, tuple(internal.tolist()), gauss))
    if protocol.pack(numpys, _nothing) != protocol.pack(_numpys_state(), _nothing):
        _forget()
        np.random.set_state(tuple(numpys))  # noqa: NPY002
    torch = sys.modules.get("torch")
    if torch is not None and torchs is not None:
        torch.set_rng_state(torch.from_numpy(torchs))


def _check_twister(words: Any, position: Any, normal: Any) -> None:
    """Refuse a state of a Mersenne twister that no drawing leads to.

    One of zeros alone stays so, and what draws until a number fits never ends; behind the last
    number NumPy would read whatever lies there.
    """
    if type(position) is not int or not 0 <= position <= len(words):
        raise protocol.WireError(f"the random numbers have no place {position!r:.40}")
    if normal is not None and not (type(normal) in (int, float) and math.isfinite(normal)):
        raise protocol.WireError("the random numbers have no next normal number")
    # Of the first word, the highest bit alone counts.
    if not (int(words[0]) >> 31 or words[1:].any()):
        raise protocol.WireError("the random numbers stand still")


# PyTorch's state: the seed, two counters and another one, the words, and what else it keeps.
_TORCHS_WORDS = slice(24, 24 + 624 * 8)


def _check_torchs(state: Any) -> None:
    words = state[_TORCHS_WORDS]
    if words.dtype != np.uint8 or len(words) != 624 * 8:
        raise protocol.WireError("the random numbers of PyTorch have another length")
    _check_twister(words.view(np.uint64), 0, None)


def follow_random_state(packed: Any) -> None:
    """Continue the other side's random numbers, or one's own where it says what is no such state.

    It may come from a process of the student's that speaks for itself: a test runs all the same.
    """
    with contextlib.suppress(Exception):
        set_random_state(packed)


def _nothing(description: list[Any]) -> Any:
    raise protocol.WireError("objects do not travel here")
