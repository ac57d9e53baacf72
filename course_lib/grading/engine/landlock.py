"""Landlock: the kernel's second opinion on which files a process may touch.

The mounts already hold what a student's code sees; should one of them be wrong, this still stands.
A kernel without Landlock, or with an older one, gives less of it.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable

from course_lib.grading.engine import kernel

__all__ = ["confine", "version"]

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_FOR_VERSION = 1
_RULE_PATH_BENEATH = 1

EXECUTE = 1 << 0
READ_FILE = 1 << 2
READ_DIRECTORY = 1 << 3
# Bits that each version of Landlock knows: thirteen, then refer, truncate, ioctl on devices.
_FILE_BITS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_NEWEST_FILE_BITS = 16
_TCP_BIND_AND_CONNECT = 0b11
_ABSTRACT_SOCKETS_AND_SIGNALS = 0b11


def version() -> int:
    """Return the version of Landlock's interface; 0 where there is none."""
    nothing = ctypes.c_void_p(None)
    try:
        return kernel.system_call(
            _CREATE_RULESET, nothing, 0, _ASK_FOR_VERSION, what="Landlock's version"
        )
    except OSError:
        return 0


def confine(writable: Iterable[str]) -> None:
    """Allow reading everywhere, and writing beneath these folders only; for good.

    ``no_new_privs`` must be set before. TCP, abstract Unix sockets of others and signals to
    processes outside are refused as well where the kernel can.
    """
    newest = version()
    if newest == 0:
        return
    every_right = (1 << _FILE_BITS.get(newest, _NEWEST_FILE_BITS)) - 1
    fields = [every_right]
    if newest >= 4:
        fields.append(_TCP_BIND_AND_CONNECT)
    if newest >= 6:
        fields.append(_ABSTRACT_SOCKETS_AND_SIGNALS)
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    ruleset = kernel.system_call(
        _CREATE_RULESET, ctypes.c_char_p(attributes), len(attributes), 0, what="Landlock's rules"
    )
    try:
        _allow_beneath("/", EXECUTE | READ_FILE | READ_DIRECTORY, ruleset)
        for folder in writable:
            _allow_beneath(folder, every_right, ruleset)
        kernel.system_call(_RESTRICT_SELF, ruleset, 0, what="Landlock")
    finally:
        os.close(ruleset)


def _allow_beneath(folder: str, rights: int, ruleset: int) -> None:
    descriptor = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = ctypes.c_char_p(struct.pack("=Qi", rights, descriptor))
        kernel.system_call(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0, what="Landlock's rule")
    finally:
        os.close(descriptor)
