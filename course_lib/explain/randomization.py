"""The randomization test: whether an explanation changes when the network forgets.

Layers lose their weights one after the other, beginning with the last. An explanation that looks
the same for the network that knows nothing cannot have told what the network knows.

References
----------
J. Adebayo, J. Gilmer, M. Muelly, I. Goodfellow, M. Hardt and B. Kim, "Sanity checks for saliency
maps", NeurIPS 2018, arXiv:1810.03292.
"""

import copy
from collections.abc import Iterator

import torch
from torch import Tensor, nn

__all__ = ["cascade", "rank_correlation"]


def cascade(model: nn.Module, seed: int) -> Iterator[tuple[str, nn.Module]]:
    """Re-initialize a network's layers one after the other, from the last to the first.

    Parameters
    ----------
    model : nn.Module
        Left as it is. Layers with weights are re-initialized by their ``reset_parameters()``; the
        last one is the one that was registered last.
    seed : int
        The same seed gives the same weights. The caller's random numbers stay as they were.

    Yields
    ------
    name : str
        Of the layer that has lost its weights last.
    model : nn.Module
        A new copy, in which this layer and all behind it are new.
    """
    layers = [name for name, part in model.named_modules() if hasattr(part, "reset_parameters")]
    changed = copy.deepcopy(model)
    devices = sorted({p.device.index or 0 for p in model.parameters() if p.device.type == "cuda"})
    for number, name in enumerate(reversed(layers)):
        with torch.random.fork_rng(devices):
            torch.manual_seed(seed + 1000 * number)
            changed.get_submodule(name).reset_parameters()
        yield name, copy.deepcopy(changed)


def rank_correlation(first: Tensor, second: Tensor) -> Tensor:
    """Compare maps by the order of their entries (Spearman), one number per sample.

    Parameters
    ----------
    first, second : Tensor, shape (n, ...)
        Maps of the same samples. Equal entries share the mean of their ranks.

    Returns
    -------
    Tensor, shape (n,)
        1 for the same order, 0 for unrelated ones, -1 for the opposite; nan where all entries of a
        map are equal, and nothing is ordered.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    if first.shape != second.shape:
        raise ValueError(
            f"Maps of the same shape are compared, but these have {tuple(first.shape)} and "
            f"{tuple(second.shape)}."
        )
    a, b = (_ranks(maps.flatten(1).double()) for maps in (first, second))
    a, b = a - a.mean(dim=1, keepdim=True), b - b.mean(dim=1, keepdim=True)
    return (a * b).sum(dim=1) / (a.square().sum(dim=1) * b.square().sum(dim=1)).sqrt()


def _ranks(rows: Tensor) -> Tensor:
    """Rank the entries of each row, where equals share their mean rank."""
    below = (rows[:, None, :] < rows[:, :, None]).sum(dim=2)
    up_to = (rows[:, None, :] <= rows[:, :, None]).sum(dim=2)
    return (below + up_to).double()
