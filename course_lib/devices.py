"""Where PyTorch computes: a graphics card if there is one, the processor if not."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def get_device(preferred: str | None = None) -> torch.device:
    """Return the device to compute on.

    Parameters
    ----------
    preferred : str, optional
        ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"``. By default the variable
        ``COURSE_DEVICE``, then CUDA, then Apple's MPS, then the CPU.

    Raises
    ------
    ValueError
        When the wanted device is not a name that PyTorch knows, or is not in this machine.
    """
    import torch

    wanted = preferred or os.environ.get("COURSE_DEVICE")
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if wanted is None:
        return torch.device(next(kind for kind, available in there.items() if available))
    have = ", ".join(kind for kind, available in there.items() if available)
    try:
        device = torch.device(wanted)
    except RuntimeError:
        raise ValueError(f"no device is called {wanted!r}; this machine has: {have}") from None
    if device.type == "cuda" and there["cuda"] and (device.index or 0) >= torch.cuda.device_count():
        raise ValueError(
            f"there is no device {wanted!r}: this machine has {torch.cuda.device_count()} CUDA "
            "devices, counted from 0"
        )
    if not there.get(device.type, False):
        raise ValueError(f"device {wanted!r} is not in this machine, which has: {have}")
    return device
