"""Keep a trained network in a file, and take from a file what fits another network.

A file holds tensors by name, as `torch.nn.Module.state_dict` gives them, and beside them what
somebody who loads it must know: on what it was trained, how its inputs were prepared, under which
license it may be used. It is read with ``weights_only=True``, so that a file from a stranger can
hold numbers and plain values, and no code.

`load` also reads files that hold a state dict and nothing else, as most checkpoints on the internet
do, such as those of torchvision.

References
----------
PyTorch, "Serialization semantics", https://docs.pytorch.org/docs/stable/notes/serialization.html.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

__all__ = ["Loaded", "load", "save"]

#: Raise this when a file of today could not be read by the code of yesterday.
_FORMAT = 1

#: So many names are written out in an error; of more, the first, and how many there are.
_SHOWN = 4


class Loaded(NamedTuple):
    """What `load` found in a file."""

    about: dict[str, Any]
    """What the file says about itself; empty where it holds tensors alone."""

    missing: list[str]
    """Entries of the model that the file lacks. They are as they were."""

    unexpected: list[str]
    """Entries of the file that the model lacks, or that were left out with the head."""


def save(model: nn.Module, path: str | os.PathLike[str], **about: Any) -> None:
    """Write a network's weights and statistics to a file, whole or not at all.

    Parameters
    ----------
    model : nn.Module
        All that its `state_dict` names is written, from whatever device.
    path : path
        The folder is made where there is none. A file that is there is replaced.
    **about
        What somebody who loads the file must know: numbers, texts, booleans, None, and lists and
        dictionaries of these.

    Raises
    ------
    TypeError
        If something in `about` is no plain value.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "line.pt"
    >>> save(nn.Linear(1, 1), path, trained_on="made data", license="CC0-1.0")
    >>> load(nn.Linear(1, 1), path).about["license"]
    'CC0-1.0'
    """
    _must_be_plain("about", about)
    path = Path(path)
    # A clone, since a tensor that is a view is otherwise written with all that it is a view of.
    state = {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        torch.save({"format": _FORMAT, "about": about, "state": state}, partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def load(
    model: nn.Module,
    path: str | os.PathLike[str],
    *,
    head: str | Iterable[str] = (),
    strict: bool = True,
) -> Loaded:
    """Fill a network with what a file holds. If anything is wrong, the network stays as it was.

    Parameters
    ----------
    model : nn.Module
        Filled in place, on the device that it is on.
    path : path
        Written by `save`, or a state dict written by `torch.save`.
    head : str or iterable of str
        Names of modules that keep what they have, such as the last layer of a network for another
        task. Whatever the file holds under these names is left out.
    strict : bool
        Whether the names of file and model must be the same, apart from the head's. False takes
        what both have; shapes must agree all the same, and at least one entry must be taken.

    Returns
    -------
    Loaded
        What the file says about itself, and which names were on one side only.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is no checkpoint, or holds objects that could run code; if names or shapes do
        not agree (the message names them); if the model has nothing under the name of the head; if
        nothing would be loaded.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "digits.pt"
    >>> save(nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)), path)
    >>> three_classes = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 3))
    >>> load(three_classes, path, head="2").unexpected
    ['2.weight', '2.bias']
    """
    state, about = _read(Path(path))
    heads = [head] if isinstance(head, str) else list(head)
    mine = model.state_dict()
    for name in heads:
        if not any(_is_under(name, entry) for entry in mine):
            raise ValueError(
                f"head: the model has no entry under {name!r}; it has {_named(list(mine))}."
            )

    def in_head(entry: str) -> bool:
        return any(_is_under(name, entry) for name in heads)

    wanted = [name for name in mine if not in_head(name)]
    offered = [name for name in state if not in_head(name)]
    missing = [name for name in wanted if name not in state]
    unexpected = [name for name in offered if name not in mine]
    common = [name for name in wanted if name in state]
    mismatched = [
        f"{name} is {tuple(state[name].shape)} there and {tuple(mine[name].shape)} here"
        for name in common
        if state[name].shape != mine[name].shape
    ]
    problems = [f"shapes differ: {_named(mismatched)}"] if mismatched else []
    if strict:
        problems += [f"missing in the file: {_named(missing)}"] if missing else []
        problems += [f"unexpected in the file: {_named(unexpected)}"] if unexpected else []
    elif not common:
        problems += [
            f"no name of the file ({_named(offered)}) is one of the model's ({_named(wanted)}), so "
            "nothing would be loaded"
        ]
    if problems:
        raise ValueError(
            f"{path} does not fit the model:\n  "
            + "\n  ".join(problems)
            + "\nBuild the model as the file's was built. For another head, name it: head='...'."
        )
    with torch.no_grad():
        for name in common:
            mine[name].copy_(state[name])
    return Loaded(about, missing, [name for name in state if name not in common])


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors of a file by name, and what it says about itself."""
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise ValueError(
            f"{path} cannot be read as tensors and plain values: it is damaged, not written by "
            "PyTorch, or holds other objects, which could run code when they are loaded. Ask its "
            "authors for a state dict."
        ) from error
    if isinstance(found, Mapping) and found.keys() == {"format", "about", "state"}:
        if found["format"] != _FORMAT:
            raise ValueError(
                f"{path} has format {found['format']!r}, and this course reads {_FORMAT}. Update "
                "the course, or save the model again."
            )
        return dict(found["state"]), dict(found["about"])
    if not isinstance(found, Mapping) or not all(isinstance(v, Tensor) for v in found.values()):
        held = (
            f"a dictionary with {_named([str(name) for name in found])}"
            if isinstance(found, Mapping)
            else f"a {type(found).__name__}"
        )
        raise ValueError(
            f"{path} holds {held}, and not a state dict (tensors by name). If the state dict is a "
            "part of it, take it out and save it alone."
        )
    return dict(found), {}


def _is_under(module: str, entry: str) -> bool:
    """Tell whether an entry belongs to a module: "2" has "2.bias", and not "20.bias"."""
    return entry == module or entry.startswith(f"{module}.")


def _named(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more if names else "nothing"


def _must_be_plain(path: str, value: Any) -> None:
    """Refuse what could not be read back with ``weights_only=True``, before anything is written."""
    if value is None or type(value) in (bool, int, float, str):
        return
    if type(value) in (list, tuple):
        for i, item in enumerate(value):
            _must_be_plain(f"{path}[{i}]", item)
        return
    if type(value) is dict:
        for key, item in value.items():
            _must_be_plain(f"a key of {path}", key)
            _must_be_plain(f"{path}[{key!r}]", item)
        return
    raise TypeError(
        f"{path} is a {type(value).__name__}. A checkpoint says about itself what can be read "
        "without running code: numbers, texts, booleans, None, lists and dictionaries of these. "
        "Convert it, for instance with float(...), str(...) or .tolist()."
    )
