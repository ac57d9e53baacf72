"""What processes use of the machine, as Linux tells of them in ``/proc``."""

from __future__ import annotations

import os
import resource
from collections.abc import Sequence
from contextlib import suppress

__all__ = [
    "anonymous_memory",
    "by_namespace",
    "cpu_seconds",
    "held_by_sockets",
    "namespace",
    "resident_memory",
]

_PAGE = resource.getpagesize()
# What waits in a socket, at the most, since no larger buffer can be asked for (`seccomp`); and how
# many sockets somebody may have who fills none.
_SOCKET_BYTES = 256 << 10
_SOCKETS_OF_ITS_OWN = 64


def by_namespace() -> dict[int | None, list[int]]:
    """Return the numbers of all processes, by the pid namespace that they are in (`namespace`)."""
    found: dict[int | None, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdecimal():
            found.setdefault(namespace(int(name)), []).append(int(name))
    return found


# A process may end at any moment, also while its files are read: it uses nothing then.
_GONE = (OSError, KeyError, IndexError, ValueError)


def namespace(pid: int) -> int | None:
    """Return the number of the pid namespace that a process is in."""
    with suppress(OSError):
        return os.stat(f"/proc/{pid}/ns/pid").st_ino
    return None


def cpu_seconds(pid: int) -> float:
    """Return the processor seconds of a process and of the children that it waited for."""
    with suppress(*_GONE), open(f"/proc/{pid}/stat") as text:
        # The name before the last parenthesis may hold anything.
        fields = text.read().rpartition(")")[2].split()
        return sum(int(ticks) for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")
    return 0.0


def resident_memory(pid: int) -> int:
    """Return the bytes that a process has in memory, shared pages included: quick to read."""
    with suppress(*_GONE), open(f"/proc/{pid}/statm") as text:
        return int(text.read().split()[1]) * _PAGE
    return 0


def held_by_sockets(pids: Sequence[int]) -> int:
    """Return the most bytes that sockets of the processes' network namespace may hold."""
    for pid in pids:
        with suppress(*_GONE):
            if os.stat(f"/proc/{pid}/ns/net").st_ino == os.stat("/proc/self/ns/net").st_ino:
                return 0  # among them are the machine's
            with open(f"/proc/{pid}/net/unix", "rb") as table:
                count = table.read().count(b"\n") - 1
            return max(0, count - _SOCKETS_OF_ITS_OWN) * _SOCKET_BYTES
    return 0


def anonymous_memory(pid: int) -> int:
    """Return a process's bytes of memory that are no file's; shared pages count in parts."""
    with suppress(*_GONE), open(f"/proc/{pid}/smaps_rollup") as lines:
        sizes = {line.split()[0]: line.split()[1] for line in lines if line.endswith("kB\n")}
        return (int(sizes["Pss_Anon:"]) + int(sizes["Pss_Shmem:"])) * 1024
    return 0
