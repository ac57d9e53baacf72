"""Train the networks that the book keeps as files: `python -m course_lib.book.checkpoints gpt`.

A page that had to train its base model each time would take minutes. So the model is a file in
`course_lib/models/weights`, and this command makes it anew. The file says on what text it was
trained, how it is built, and which loss it has; a test compares all of that with the code.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from course_lib.data import corpus, sums
from course_lib.data.bpe import BytePairs
from course_lib.models import checkpoints
from course_lib.models.gpt import GPT
from course_lib.models.pretrained import GPT_CONFIG, GPT_FILE

__all__ = ["bits_per_byte", "make_gpt", "text_digest"]

_CONTEXT = GPT_CONFIG.context
_STEPS, _RATE, _DROPOUT = 2000, 0.006, 0.1


def make_gpt(path: Path = GPT_FILE, *, steps: int = _STEPS) -> dict[str, float]:
    """Train the base model of the chapter *Large language models*, and write it to a file.

    Half of each batch is the book's text, half is worksheets of sums. It takes two to three
    minutes on one processor core.

    Parameters
    ----------
    path : Path
    steps : int
        Batches to learn from.

    Returns
    -------
    dict
        What it measured: ``bits_per_byte`` on the held-out text and ``sums``, the share of held-out
        sums that it completes after two examples.
    """
    torch.manual_seed(0)
    text, held_out = corpus.split()
    tokens = BytePairs.train(text, GPT_CONFIG.vocabulary - 256)
    pairs, new_pairs = sums.split()
    drawn = np.random.default_rng(0).integers(len(pairs), size=150_000)
    parts = [
        torch.tensor(tokens.encode(part)) for part in (text, sums.worksheet(pairs[drawn].tolist()))
    ]
    model = GPT(replace(GPT_CONFIG, dropout=_DROPOUT)).train()
    order = torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(model.parameters(), _RATE, betas=(0.9, 0.99), weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, _RATE, total_steps=max(steps, 100), pct_start=0.05
    )
    for step in range(steps):
        loss = _next_token_loss(model, torch.cat([_windows(part, 12, order) for part in parts]))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 200 == 199:
            sys.stdout.write(f"step {step + 1:,} of {steps:,}: loss {loss.item():.2f}\n")
            sys.stdout.flush()
    # Half precision halves the file; what is measured is what the file holds.
    model = model.eval().half().float()
    measured = {
        "bits_per_byte": bits_per_byte(model, tokens, held_out),
        "sums": _completed(model, tokens, new_pairs[:400]),
    }
    checkpoints.save(
        model.half(),
        path,
        trained_on="the book's text (course_lib.data.corpus) and worksheets of sums",
        license="MIT",
        text_digest=text_digest(),
        config=asdict(GPT_CONFIG),
        merges=tokens.merges,
        steps=steps,
        **measured,
    )
    return measured


def text_digest() -> str:
    """Return a digest of the text that the base model has learned from."""
    return hashlib.sha256(corpus.load().encode()).hexdigest()


@torch.no_grad()
def bits_per_byte(model: nn.Module, tokens: BytePairs, text: str) -> float:
    """Measure how many bits a model needs for a byte of text.

    Whatever its tokens are: their surprise is divided by the bytes that they stand for.

    Parameters
    ----------
    model : nn.Module
        Maps tokens (batch, n) to logits, for n up to 64.
    tokens : BytePairs
    text : str

    Returns
    -------
    float
    """
    windows = torch.tensor(tokens.encode(text)).unfold(0, _CONTEXT + 1, _CONTEXT)
    bytes_each = torch.tensor([len(token) for token in tokens.vocabulary])
    nats = _next_token_loss(model, windows).item() * windows[:, 1:].numel()
    return nats / math.log(2) / int(bytes_each[windows[:, 1:]].sum())


def _completed(model: GPT, tokens: BytePairs, pairs: np.ndarray) -> float:
    """Return the share of sums that a model completes correctly, after two examples."""
    starts = [tokens.encode(f"13+31=44\n20+30=50\n{a}+{b}=") for a, b in pairs.tolist()]
    written = model.generate(torch.tensor(starts), 4, temperature=0)[:, -4:]
    lines = [tokens.decode(row).partition("\n")[0] for row in written]
    return sum(
        line == str(a + b) for line, (a, b) in zip(lines, pairs.tolist(), strict=True)
    ) / len(pairs)


def _windows(part: Tensor, count: int, order: torch.Generator) -> Tensor:
    first = torch.randint(len(part) - _CONTEXT, (count, 1), generator=order)
    return part[first + torch.arange(_CONTEXT + 1)]


def _next_token_loss(model: nn.Module, windows: Tensor) -> Tensor:
    logits = model(windows[:, :-1])
    return nn.functional.cross_entropy(logits.flatten(0, 1), windows[:, 1:].flatten())


def main() -> None:
    """Make what is named on the command line."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("network", choices=["gpt"])
    parser.parse_args()
    torch.set_num_threads(1)
    measured = make_gpt()
    sys.stdout.write(
        f"{GPT_FILE.name}: {GPT_FILE.stat().st_size:,} bytes, {measured['bits_per_byte']:.3f} bits "
        f"per byte of held-out text, {measured['sums']:.1%} of held-out sums\n"
    )


if __name__ == "__main__":
    main()
