"""What the supervisor and the zygote say to each other: orders, and how a child ended."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["MOST_SOCKETS", "ORDER", "Exit", "receive", "send"]

#: An order, beside which sockets come: bytes of memory and seconds of processor time of a child.
ORDER = struct.Struct("!qq")

#: How many sockets come with an order at the most.
MOST_SOCKETS = 64


@dataclass(frozen=True)
class Exit:
    """How a child ended.

    Parameters
    ----------
    code : int or None
        Its exit code, if it ended by itself.
    signal : int or None
        The signal that ended it, otherwise.
    max_rss : int
        The most memory that one of its processes had at a time, in bytes, shared memory included.
    cpu_seconds : float
        What it and the children that it waited for computed.
    reason : str
        ``exit``; ``killed``, by :meth:`Child.kill`; ``memory`` or ``cpu``, over the limit;
        ``signal`` otherwise.
    """

    code: int | None
    signal: int | None
    max_rss: int
    cpu_seconds: float
    reason: str


def send(line: socket.socket, message: Mapping[str, Any]) -> None:
    """Send a message: its length in four bytes, then JSON."""
    text = json.dumps(message).encode()
    line.sendall(len(text).to_bytes(4, "big") + text)


def receive(line: socket.socket) -> dict[str, Any] | None:
    """Return the next message, or None at the end."""
    head = _exactly(line, 4)
    if head is None:
        return None
    text = _exactly(line, int.from_bytes(head, "big"))
    return None if text is None else json.loads(text)


def _exactly(line: socket.socket, count: int) -> bytes | None:
    got = b""
    while len(got) < count:
        more = line.recv(count - len(got))
        if not more:
            return None
        got += more
    return got
