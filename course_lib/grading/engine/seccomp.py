"""The system calls that a student's code has no business making, and the filter that refuses them.

A list of what is refused, not of what is allowed: PyTorch, NumPy and the C library call some
hundred different ones, and more with each version. The other barriers do not depend on this one.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import socket
import struct

from course_lib.grading.engine import kernel

__all__ = ["build", "install", "is_supported"]

# Name: number on x86_64, number on aarch64. From 424 on the numbers are the same everywhere.
REFUSED: dict[str, tuple[int | None, int | None]] = {
    # Looking into other processes, or at the kernel.
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "perf_event_open": (298, 241),
    "bpf": (321, 280),
    "syslog": (103, 116),
    "lookup_dcookie": (212, 18),
    "fanotify_init": (300, 262),
    # Large parts of the kernel with a long list of holes.
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "modify_ldt": (154, None),
    "personality": (135, 92),
    # The file system as it is mounted.
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "open_tree_attr": (467, 467),
    "statmount": (457, 457),
    "listmount": (458, 458),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "acct": (163, 89),
    "uselib": (134, None),
    "sysfs": (139, None),
    # Namespaces; clone is looked at more closely below.
    "unshare": (272, 97),
    "setns": (308, 268),
    # The machine itself.
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "create_module": (174, None),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "get_kernel_syms": (177, None),
    "query_module": (178, None),
    "iopl": (172, None),
    "ioperm": (173, None),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "vhangup": (153, 58),
    "nfsservctl": (180, 42),
    "_sysctl": (156, None),
    "ustat": (136, None),
    # Memory that belongs to no process, which no limit on a process would count.
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "mbind": (237, 235),
    "io_setup": (206, 0),
    "io_submit": (209, 2),
}

# The caller has another way of doing the same, and takes it when it is told that this one is
# missing. clone3 hides its flags behind a pointer, where a filter cannot look.
MISSING: dict[str, tuple[int, int]] = {"clone3": (435, 435), "memfd_create": (319, 279)}

SOCKET = (41, 198)
SOCKETPAIR = (53, 199)
CLONE = (56, 220)

# Calls with flags, and which of their arguments these are. Out-of-band data of Unix sockets is a
# young part of the kernel, of no use to anybody, that has led into it before.
WITH_FLAGS: dict[str, tuple[tuple[int, int], int]] = {
    "sendto": ((44, 206), 3),
    "sendmsg": ((46, 211), 2),
    "sendmmsg": ((307, 269), 3),
    "recvfrom": ((45, 207), 3),
    "recvmsg": ((47, 212), 2),
    "recvmmsg": ((299, 243), 3),
}

# The sizes of buffers are what bounds the memory that the kernel holds for a socket.
SETSOCKOPT = (54, 208)
_BUFFER_SIZES = (7, 8, 32, 33)  # SO_SNDBUF, SO_RCVBUF, and the same by force

# linux/audit.h: the machine, 64 bits, little-endian.
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
COLUMN = {"x86_64": 0, "aarch64": 1}
# On x86_64 the x32 interface is reached by numbers from here on.
X32_BIT = 0x40000000

NAMESPACE_FLAGS = (
    kernel.CLONE_NEWNS
    | kernel.CLONE_NEWCGROUP
    | kernel.CLONE_NEWUTS
    | kernel.CLONE_NEWIPC
    | kernel.CLONE_NEWUSER
    | kernel.CLONE_NEWPID
    | kernel.CLONE_NEWNET
)

# linux/filter.h and linux/seccomp.h.
_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _JUMP_IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16
_ALLOW = 0x7FFF0000
_KILL = 0x80000000
_FAIL = 0x00050000
_SECCOMP_MODE_FILTER = 2


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def is_supported() -> bool:
    """Tell whether the numbers of this machine's system calls are known here."""
    return kernel.machine() in ARCHITECTURES


def _instruction(code: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, operand)


def _on_number(number: int, *then: bytes) -> bytes:
    """Return instructions that run ``then``, which must return, for one system call."""
    skip = len(then)
    return _instruction(_JUMP_IF_EQUAL, number, 0, skip) + b"".join(then)


def _fail(reason: int) -> bytes:
    return _instruction(_RETURN, _FAIL | reason)


def _argument(
    place: int, jump: int, operand: int, *, holds: bytes, else_: bytes
) -> tuple[bytes, ...]:
    """Return instructions that look at the lower half of an argument."""
    return (
        _instruction(_LOAD, _ARGUMENTS_AT + 8 * place),
        _instruction(jump, operand, 0, 1),
        holds,
        else_,
    )


@functools.cache
def build(machine: str | None = None) -> bytes:
    """Return the filter as the kernel reads it.

    Parameters
    ----------
    machine : str, optional
        ``x86_64`` or ``aarch64``; this one by default.
    """
    machine = machine or kernel.machine()
    column = COLUMN[machine]
    allow, refuse = _instruction(_RETURN, _ALLOW), _fail(errno.EPERM)
    parts = [
        _instruction(_LOAD, _ARCHITECTURE_AT),
        _instruction(_JUMP_IF_EQUAL, ARCHITECTURES[machine], 1, 0),
        _instruction(_RETURN, _KILL),
        _instruction(_LOAD, _NUMBER_AT),
    ]
    if machine == "x86_64":
        parts += [
            _instruction(_JUMP_IF_AT_LEAST, X32_BIT, 0, 1),
            _instruction(_RETURN, _KILL),
        ]
    only_unix = _argument(0, _JUMP_IF_EQUAL, socket.AF_UNIX, holds=allow, else_=refuse)
    no_namespace = _argument(0, _JUMP_IF_ANY_BIT, NAMESPACE_FLAGS, holds=refuse, else_=allow)
    no_larger_buffer = [_instruction(_LOAD, _ARGUMENTS_AT + 8 * 2)]
    for option in _BUFFER_SIZES:
        no_larger_buffer += [_instruction(_JUMP_IF_EQUAL, option, 0, 1), refuse]
    parts += [
        _on_number(CLONE[column], *no_namespace),
        _on_number(SOCKET[column], *only_unix),
        _on_number(SOCKETPAIR[column], *only_unix),
        _on_number(SETSOCKOPT[column], *no_larger_buffer, allow),
    ]
    for numbers, place in WITH_FLAGS.values():
        in_band = _argument(place, _JUMP_IF_ANY_BIT, socket.MSG_OOB, holds=refuse, else_=allow)
        parts.append(_on_number(numbers[column], *in_band))
    parts += _refusals(REFUSED, column, refuse) + _refusals(MISSING, column, _fail(errno.ENOSYS))
    return b"".join([*parts, allow])


def _refusals(calls: dict, column: int, answer: bytes) -> list[bytes]:
    numbers = (pair[column] for pair in calls.values())
    return [_on_number(number, answer) for number in numbers if number is not None]


def install(program: bytes) -> None:
    """Put the filter over this process and everything that it will start; for good.

    ``no_new_privs`` must be set before.
    """
    buffer = ctypes.create_string_buffer(program, len(program))
    head = _Program(len(program) // 8, ctypes.cast(buffer, ctypes.c_char_p))
    kernel.prctl(
        kernel.PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(head), what="seccomp filter"
    )
