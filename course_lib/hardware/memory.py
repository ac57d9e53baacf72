"""Count the bytes of training: weights, gradients, what the optimizer remembers, activations.

The first three depend on the network alone. Activations are what the forward pass keeps because
the backward pass will ask for it, and grow with the batch. `Watch` sees each tensor that PyTorch
puts aside, and notices when it is dropped.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Final

import torch
from torch import Tensor, nn

__all__ = ["COPIES", "Watch", "gradients", "optimizer_state", "sparse", "state", "weights"]

#: Numbers that training holds for each weight, itself and its gradient among them.
COPIES: Final = {"sgd": 2, "momentum": 3, "adam": 4}


def weights(model: nn.Module) -> int:
    """Count the bytes of a network's parameters."""
    return _bytes(model.parameters())


def gradients(model: nn.Module) -> int:
    """Count the bytes of the gradients that are there now."""
    return _bytes(p.grad for p in model.parameters() if p.grad is not None)


def optimizer_state(optimizer: torch.optim.Optimizer) -> int:
    """Count the bytes that an optimizer remembers between steps, about each weight.

    Adam's count of steps, a number for each tensor, is left out. Before the first step there is
    nothing yet.
    """
    return _bytes(
        kept
        for memory in optimizer.state.values()
        for name, kept in memory.items()
        if torch.is_tensor(kept) and name != "step"
    )


def state(count: int, optimizer: str = "adam", *, each: int = 4) -> int:
    """Estimate weights, gradients and optimizer state from the number of weights.

    Parameters
    ----------
    count : int
        Number of weights.
    optimizer : {"sgd", "momentum", "adam"}
    each : int
        Bytes of a number: 4 in float32.

    Returns
    -------
    int
        Bytes, without activations.

    Raises
    ------
    ValueError
        If the optimizer is none of the three.

    Examples
    --------
    >>> state(7_000_000_000) / 1e9  # GB
    112.0
    """
    if optimizer not in COPIES:
        raise ValueError(f"optimizer must be one of {tuple(COPIES)}, not {optimizer!r}.")
    return COPIES[optimizer] * each * count


def sparse(rows: int, nonzero: int, *, each: int = 4, index: int = 8) -> int:
    """Count the bytes of a matrix that stores its nonzero numbers alone, row by row (CSR).

    Each nonzero number brings the index of its column, and each row says where it begins.

    Examples
    --------
    >>> sparse(100, 1000), 100 * 100 * 4  # a tenth of the numbers, a third of the bytes
    (12808, 40000)
    """
    return nonzero * (each + index) + (rows + 1) * index


class Watch:
    """Record what autograd keeps for the backward pass while a block runs.

    Parameters
    ----------
    model : nn.Module
        Its parameters are not counted: they are there in any case.

    Attributes
    ----------
    live : int
        Bytes kept at this moment. Tensors that share their memory count once.
    peak : int
        The most that was kept at any moment.
    trace : list of int
        `live` after each change.

    Examples
    --------
    >>> model, x = nn.Sequential(nn.Linear(8, 4), nn.ReLU()), torch.zeros(10, 8)
    >>> with Watch(model) as watch:
    ...     _ = model(x)  # keeps x for the weights, and what ReLU has let through
    >>> watch.live == 4 * 10 * (8 + 4)
    True
    """

    def __init__(self, model: nn.Module) -> None:
        self.live = self.peak = 0
        self.trace = [0]
        self._own = {p.untyped_storage().data_ptr() for p in model.parameters()}
        self._holders: dict[int, int] = {}
        self._hooks = torch.autograd.graph.saved_tensors_hooks(self._pack, _Kept.unpack)

    def __enter__(self) -> Watch:
        self._hooks.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._hooks.__exit__(kind, error, at)

    def _pack(self, tensor: Tensor) -> _Kept:
        kept, storage = _Kept(tensor), tensor.untyped_storage()
        where, size = storage.data_ptr(), storage.nbytes()
        if where not in self._own and size:
            self._hold(where, size, 1)
            # The graph drops what it kept as soon as the backward pass has used it.
            weakref.finalize(kept, self._hold, where, size, -1)
        return kept

    def _hold(self, where: int, size: int, change: int) -> None:
        before = self._holders.get(where, 0)
        self._holders[where] = before + change
        # Only the first holder of a piece of memory adds it, and only the last one frees it.
        if 0 in (before, before + change):
            self.live += change * size
            self.peak = max(self.peak, self.live)
            self.trace.append(self.live)


class _Kept:
    """A tensor that the graph holds, and nobody else."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor.detach()

    def unpack(self) -> Tensor:
        return self.tensor


def _bytes(tensors: Iterable[Any]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
