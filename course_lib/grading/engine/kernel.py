"""The system calls of Linux that Python 3.11 does not offer, each under its own name.

Every function raises :class:`OSError` with the kernel's reason.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct

__all__ = [
    "CAP_SETUID",
    "CAP_SYS_ADMIN",
    "collapse",
    "drop_bounding_set",
    "drop_capabilities",
    "effective_capabilities",
    "machine",
    "mount",
    "pivot_root",
    "prctl",
    "restrict_mounts",
    "setns",
    "system_call",
    "umount",
    "unshare",
]

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MNT_DETACH = 0x2

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_SECUREBITS = 28
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4

# Each of no-root, no-setuid-fixup, keep-caps (off) and no-ambient, and the lock on each.
SECUREBITS_ALL_LOCKED = 0b11101111

MADV_COLLAPSE = 25

CAP_SETUID = 7
CAP_SYS_ADMIN = 21

MOUNT_SETATTR = 442
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}

_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True) if os.name == "posix" else None


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


def machine() -> str:
    """Return the processor's name as the kernel gives it: ``x86_64``, ``aarch64``, ..."""
    return platform.machine()


def _checked(result: int, what: str) -> int:
    """Return what a call returned, or raise what it left in ``errno``."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def system_call(number: int, *arguments: object, what: str) -> int:
    """Make the system call of this number.

    Parameters
    ----------
    number : int
        Its number on this machine.
    *arguments
        Numbers and ctypes objects; each takes a whole register.
    what : str
        Its name, for the error.
    """
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return _checked(_libc.syscall(ctypes.c_long(number), *wide), what)


def unshare(flags: int) -> None:
    """Leave the namespaces that the flags name for new ones."""
    _checked(_libc.unshare(ctypes.c_int(flags)), "unshare")


def setns(descriptor: int, flags: int) -> None:
    """Join the namespaces behind a descriptor (of a namespace, or a pidfd of their owner)."""
    _checked(_libc.setns(ctypes.c_int(descriptor), ctypes.c_int(flags)), "setns")


def mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    """Mount something; see mount(2)."""
    result = _libc.mount(
        os.fsencode(source),
        os.fsencode(target),
        kind.encode() if kind else None,
        ctypes.c_ulong(flags),
        options.encode() if options else None,
    )
    _checked(result, f"mount {target}")


def umount(target: str, flags: int = 0) -> None:
    """Take a mount away; see umount2(2)."""
    _checked(_libc.umount2(os.fsencode(target), ctypes.c_int(flags)), f"umount {target}")


def restrict_mounts(target: str, flags: int) -> None:
    """Add flags to a mount and all that is mounted in it; see mount_setattr(2), Linux 5.12.

    The flags that say read-only, nosuid, nodev and noexec are the ones of mount(2).
    """
    attributes = ctypes.c_char_p(struct.pack("=4Q", flags, 0, 0, 0))
    here, recursive, path = -100, 0x8000, ctypes.c_char_p(os.fsencode(target))
    what = f"mount_setattr {target}"
    system_call(MOUNT_SETATTR, here, path, recursive, attributes, 32, what=what)


def pivot_root(new: str, old: str) -> None:
    """Make ``new`` the root and put the old root at ``old``."""
    paths = (ctypes.c_char_p(os.fsencode(new)), ctypes.c_char_p(os.fsencode(old)))
    system_call(PIVOT_ROOT[machine()], *paths, what="pivot_root")


def prctl(option: int, *arguments: int, what: str = "prctl") -> int:
    """Change something about this process; see prctl(2). What is not given is zero."""
    four = [ctypes.c_ulong(a) for a in (*arguments, 0, 0, 0, 0)[:4]]
    return _checked(_libc.prctl(ctypes.c_int(option), *four), what)


def collapse(address: int, size: int) -> bool:
    """Ask for large pages at these addresses; tell whether there are."""
    where, length = ctypes.c_void_p(address), ctypes.c_size_t(size)
    return _libc.madvise(where, length, ctypes.c_int(MADV_COLLAPSE)) == 0


def effective_capabilities() -> int:
    """Return the capabilities in force, one bit each."""
    with open("/proc/self/status") as lines:
        for line in lines:
            if line.startswith("CapEff:"):
                return int(line.split()[1], 16)
    return 0


def drop_bounding_set() -> None:
    """Make sure that no program started from here gains a capability.

    It needs a capability itself, so it goes before :func:`drop_capabilities` and before the
    change of user.
    """
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, what="clearing ambient capabilities")
    for capability in range(64):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:  # past the last one that this kernel knows
            break
    prctl(PR_SET_SECUREBITS, SECUREBITS_ALL_LOCKED, what="locking the secure bits")


def drop_capabilities() -> None:
    """Give up every capability of this process."""
    header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    _checked(_libc.capset(ctypes.byref(header), ctypes.byref(nothing)), "capset")
