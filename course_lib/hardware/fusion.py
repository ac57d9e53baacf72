"""What a compiler saves by doing several operations on one trip through memory, measured.

`hard_sigmoid`, written as three operations, reads and writes memory three times. PyTorch's compiler
makes one loop of them, *fused*, that reads once and writes once. On a processor it writes C++, so
that a C++ compiler must be there; on a GPU it writes Triton.
"""

from __future__ import annotations

import os
import shutil

import torch

from course_lib.hardware.timing import seconds

__all__ = ["compiler", "hard_sigmoid", "speedup"]


def hard_sigmoid(z: torch.Tensor) -> torch.Tensor:
    """Return max(0, min(1, z/6 + 1/2)), a sigmoid of straight pieces, in three operations."""
    return (z / 6).add(0.5).clamp(0, 1)


def compiler(device: torch.device | str = "cpu") -> str:
    """Return what PyTorch's compiler would use on a device; empty where that is missing.

    Parameters
    ----------
    device : torch.device or str
    """
    if torch.device(device).type == "cpu":
        # CXX is how one asks for another; PyTorch looks there, too.
        for name in (os.environ.get("CXX", ""), "g++", "clang++"):
            if name and shutil.which(name):
                return name
        return ""
    try:
        import triton
    except ImportError:
        return ""
    return f"triton {triton.__version__}"


def speedup(device: torch.device | str = "cpu", n: int = 16_000_000) -> float:
    """Measure how many times faster `hard_sigmoid` is when it is compiled.

    Parameters
    ----------
    device : torch.device or str
    n : int
        How many numbers, more than the caches hold: then the three operations wait for memory.

    Returns
    -------
    float
        Seconds as written over seconds compiled, without the time that compiling takes.

    Raises
    ------
    RuntimeError
        When there is nothing to compile with, saying what to install.
    """
    if not compiler(device):
        wanted = "a C++ compiler, such as g++" if torch.device(device).type == "cpu" else "triton"
        raise RuntimeError(
            f"nothing here compiles for {device}: torch.compile wants {wanted}, so install it"
        )
    z = torch.linspace(-6, 6, n, device=device)
    compiled = torch.compile(hard_sigmoid)
    written = seconds(lambda: hard_sigmoid(z), device, least=0.05)
    return written / seconds(lambda: compiled(z), device, least=0.05)
