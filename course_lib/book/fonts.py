"""Fonts with no more characters than pages show."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

__all__ = ["write_subset"]


def write_subset(source: Path, target: Path, characters: Iterable[str]) -> None:
    """Write a font, as WOFF, with some of its characters.

    Parameters
    ----------
    source : Path
        The font, in any format that fontTools reads.
    target : Path
        Where it is written.
    characters : iterable of str
        One character each. Those that the font does not have are left out.
    """
    # Matplotlib, which draws the figures, brings it.
    from fontTools import subset

    options = subset.Options(flavor="woff", notdef_outline=True, layout_features=[])
    # FontForge's note of when the font was made.
    options.drop_tables += ["FFTM"]
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    font = subset.load_font(str(source), options)
    only = subset.Subsetter(options)
    only.populate(unicodes=[ord(character) for character in characters])
    only.subset(font)
    target.parent.mkdir(parents=True, exist_ok=True)
    subset.save_font(font, str(target), options)
