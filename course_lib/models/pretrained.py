"""Networks that come with the course, trained already.

`python -m course_lib.book.checkpoints` makes their files anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from course_lib.models import checkpoints
from course_lib.models.gpt import GPT, Config

__all__ = ["GPT_CONFIG", "GPT_FILE", "gpt"]

GPT_FILE = Path(__file__).with_name("weights") / "gpt.pt"

GPT_CONFIG = Config(
    vocabulary=768,  # 256 bytes and 512 merges
    context=64,
    width=64,
    layers=3,
    heads=4,
    positions="rotary",
    norm="rms",
    mlp="swiglu",
)
"""The choices of today's models, at a size that is trained in minutes."""


def gpt() -> tuple[GPT, dict[str, Any]]:
    """Load a small base model: it has read this book and worksheets of sums, and goes on writing.

    Returns
    -------
    model : GPT
        In evaluation mode, with 198,016 weights.
    about : dict
        What its file says: ``merges`` for `course_lib.data.bpe.BytePairs`, ``bits_per_byte`` on
        held-out text, ``sums`` (the share of held-out sums that it completes), ``config``,
        ``text_digest``, ``steps``, ``trained_on``, ``license``.

    Examples
    --------
    >>> model, about = gpt()
    >>> len(about["merges"]), about["license"]
    (512, 'MIT')
    """
    model = GPT(GPT_CONFIG)
    return model.eval(), checkpoints.load(model, GPT_FILE).about
