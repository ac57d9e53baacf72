"""A GPT of characters on Shakespeare's plays, with the settings of nanoGPT's shakespeare_char.

References
----------
A. Karpathy, "nanoGPT", https://github.com/karpathy/nanoGPT: the README has the figure,
config/train_shakespeare_char.py and train.py the set-up.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from course_lib.data import shakespeare
from course_lib.models.gpt import GPT, Config
from course_lib.reproduce.running import (
    Experiment,
    Measured,
    Outcome,
    Published,
    Run,
    Work,
    complete,
    watched,
)
from course_lib.training import fit

__all__ = ["EXPERIMENT", "Settings", "Windows", "rate", "windows"]


@dataclass(frozen=True)
class Settings:
    """Those of nanoGPT."""

    layers: int = 6
    heads: int = 6
    width: int = 384
    context: int = 256
    dropout: float = 0.2
    characters: int | None = None
    train_part: float = 0.9
    steps: int = 5000
    measured_every: int = 250
    batch_size: int = 64
    learning_rate: float = 1e-3
    lowest_rate: float = 1e-4
    warmup: int = 100
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.1
    clip: float = 1.0
    sample: int = 500


_SMALL = Settings(
    layers=1,
    heads=2,
    width=16,
    context=16,
    characters=2000,
    steps=30,
    measured_every=10,
    batch_size=8,
    warmup=5,
    sample=60,
)

_SOURCE = Published(
    "1.4697", "nanoGPT, README (best validation loss), https://github.com/karpathy/nanoGPT"
)


class Windows:
    """So many random batches from a text each time it is gone through.

    Chance comes from PyTorch's global generator, which a checkpoint of `fit` holds.

    Parameters
    ----------
    tokens : Tensor of int, shape (n,)
    context : int
        Length of a window; n must be larger.
    batch_size, count : int
        Windows in a batch, and batches.
    """

    def __init__(self, tokens: Tensor, context: int, batch_size: int, count: int) -> None:
        self.tokens, self.context = tokens, context
        self.batch_size, self.count = batch_size, count

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        reach = torch.arange(self.context)
        for _ in range(self.count):
            first = torch.randint(len(self.tokens) - self.context, (self.batch_size, 1))
            rows = (first + reach).to(self.tokens.device)
            yield self.tokens[rows], self.tokens[rows + 1]


def windows(tokens: Tensor, context: int, batch_size: int) -> list[tuple[Tensor, Tensor]]:
    """Cut a text into windows side by side: every character is predicted once.

    Characters at the end that fill no window are left out.

    Parameters
    ----------
    tokens : Tensor of int, shape (n,)
    context, batch_size : int

    Returns
    -------
    list of (inputs, targets)
        Tensors of shape (up to batch_size, context).

    Examples
    --------
    >>> [(x.tolist(), y.tolist()) for x, y in windows(torch.arange(6), 2, 2)]
    [([[0, 1], [2, 3]], [[1, 2], [3, 4]])]
    """
    count = (len(tokens) - 1) // context
    inputs, targets = (
        part[: count * context].view(count, context) for part in (tokens, tokens[1:])
    )
    return list(zip(inputs.split(batch_size), targets.split(batch_size), strict=True))


def rate(step: int, settings: Settings) -> float:
    """Return the learning rate of a step: up in a line, then down in half a wave.

    Examples
    --------
    >>> [round(rate(step, Settings()), 6) for step in (0, 99, 100, 2550, 5000)]
    [1e-05, 0.00099, 0.001, 0.00055, 0.0001]
    """
    if step < settings.warmup:
        return settings.learning_rate * (step + 1) / (settings.warmup + 1)
    done = min(1.0, (step - settings.warmup) / (settings.steps - settings.warmup))
    span = settings.learning_rate - settings.lowest_rate
    return settings.lowest_rate + span * (1 + math.cos(math.pi * done)) / 2


def _network(settings: Settings, vocabulary: int) -> GPT:
    return GPT(
        Config(
            vocabulary,
            context=settings.context,
            width=settings.width,
            layers=settings.layers,
            heads=settings.heads,
            dropout=settings.dropout,
        )
    )


def _loss(logits: Tensor, targets: Tensor) -> Tensor:
    return nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


def _work(settings: Settings) -> Work:
    # Its card names 65 characters; a part of the text has fewer.
    parameters = sum(p.numel() for p in _network(settings, 65).parameters())
    step = f"steps, each on {settings.batch_size} windows of {settings.context} characters"
    return Work(settings.steps, step, parameters, (shakespeare.REMOTE,))


def _run(settings: Settings, run: Run) -> Outcome:
    text = shakespeare.load()
    known = sorted(set(text))
    text = text[: settings.characters]
    number = {character: k for k, character in enumerate(known)}
    tokens = torch.from_numpy(np.array([number[c] for c in text])).to(run.device)
    cut = int(settings.train_part * len(tokens))

    network = _network(settings, len(known)).to(run.device)
    matrices = [p for p in network.parameters() if p.dim() >= 2]
    others = [p for p in network.parameters() if p.dim() < 2]
    optimizer = torch.optim.AdamW(
        [
            {"params": matrices, "weight_decay": settings.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ],
        lr=settings.learning_rate,
        betas=settings.betas,
    )
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: rate(step, settings) / settings.learning_rate
    )
    passes = settings.steps // settings.measured_every
    history = fit(
        network,
        watched(_loss, run, scheduler),
        optimizer,
        Windows(tokens[:cut], settings.context, settings.batch_size, settings.measured_every),
        epochs=passes,
        validation=windows(tokens[cut:], settings.context, settings.batch_size),
        scheduler=scheduler,
        clip=settings.clip,
        # Never stops, and ends with the weights that were best.
        patience=passes,
        mixed_precision=True,
        checkpoint=run.checkpoint(),
        progress=False,
    )
    complete(history, passes)
    losses = history["validation_loss"]
    best = int(np.argmin(losses))
    begin = torch.tensor([[number["\n"]]], device=run.device)
    chance = torch.Generator(run.device).manual_seed(run.seed)
    written = network.generate(begin, settings.sample, generator=chance)[0, 1:]
    sample = "".join(known[k] for k in written.tolist())
    return Outcome(
        (
            Measured("lowest validation loss (nats a character)", f"{min(losses):.4f}", (_SOURCE,)),
            Measured("after so many steps", f"{(best + 1) * settings.measured_every:,}"),
            Measured("validation loss at the end", f"{losses[-1]:.4f}"),
        ),
        {
            "step": [f"{(k + 1) * settings.measured_every:,}" for k in range(passes)],
            "training loss": [f"{loss:.4f}" for loss in history["loss"]],
            "validation loss": [f"{loss:.4f}" for loss in losses],
        },
        {
            "What it writes": "With the best weights, at temperature 1, after a line break:\n\n"
            + "\n".join(f"    {line}" for line in sample.split("\n"))
        },
    )


EXPERIMENT = Experiment(
    chapter="transformers",
    title="A GPT of characters on Shakespeare's plays",
    what=(
        "A GPT of 6 blocks (course_lib.models.gpt.GPT) learns to predict the next character of the "
        "first nine tenths of *Tiny Shakespeare* by AdamW with a warm-up, a cosine schedule and "
        "clipped gradients. The last tenth is for validation. The loss is the lowest of those "
        "measured every 250 steps: like the published one, it is chosen on the part that it is "
        "measured on, and is no test loss."
    ),
    full=Settings(),
    small=_SMALL,
    work=_work,
    run=_run,
    differences=(
        "The validation loss is the mean over windows side by side, which predict every character "
        "once (up to 255 at the end are left out). nanoGPT's is an estimate on 200 random batches "
        "of the same part; both measure windows of 256 characters from their first on.",
        "Linear layers and norms have biases here (nanoGPT's settings for this run have none), and "
        "initial weights have a standard deviation of 0.5 / sqrt(width), 0.0255, where nanoGPT has "
        "0.02.",
        "Dropout is behind the embedding and behind each of a block's parts. nanoGPT also has it "
        "on the attention weights.",
        "On a CUDA card this run computes in 16 bits where the course's training loop does. "
        "Elsewhere it computes in 32 bits.",
        "Measured after steps 250 to 5,000 here. nanoGPT measures before the first step, too.",
        "The published figure is of one run.",
    ),
)
