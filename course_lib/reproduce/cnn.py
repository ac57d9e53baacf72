"""The ResNet-20 of He and others on CIFAR-10.

References
----------
K. He, X. Zhang, S. Ren and J. Sun, "Deep residual learning for image recognition", CVPR 2016,
arXiv:1512.03385. Section 4.2 has the set-up, Table 6 the figure.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from course_lib.data import cifar10
from course_lib.models.cnn import ResNet
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
from course_lib.training import evaluate, fit

__all__ = ["EXPERIMENT", "Augmented", "Settings"]


@dataclass(frozen=True)
class Settings:
    """The paper's, but for the number of epochs, which makes its 64,000 steps a whole number."""

    blocks: int = 3
    widths: tuple[int, ...] = (16, 32, 64)
    train_images: int = 50_000
    test_images: int = 10_000
    epochs: int = 164
    batch_size: int = 128
    learning_rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 1e-4
    divided_by_10_at: tuple[int, ...] = (32_000, 48_000)
    padding: int = 4

    @property
    def steps(self) -> int:
        """Steps of the optimizer."""
        return self.epochs * math.ceil(self.train_images / self.batch_size)


_SMALL = Settings(
    blocks=1,
    widths=(4, 8, 16),
    train_images=64,
    test_images=64,
    epochs=3,
    batch_size=32,
    divided_by_10_at=(3, 5),
)

_PAPER = Published("8.75 %", "He et al., CVPR 2016, arXiv:1512.03385, Table 6 (ResNet-20)")


class Augmented:
    """Training images, batch by batch: shuffled, shifted and mirrored anew each time.

    Chance comes from PyTorch's global generator, which a checkpoint of `fit` holds.

    Parameters
    ----------
    images : Tensor of float, shape (n, channels, height, width)
        Prepared; the border that a shift brings in is 0.
    labels : Tensor of int, shape (n,)
    batch_size : int
    padding : int
        The most pixels that an image is shifted by, in each direction.
    """

    def __init__(self, images: Tensor, labels: Tensor, batch_size: int, padding: int) -> None:
        self.images, self.labels = images, labels
        self.batch_size, self.padding = batch_size, padding

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for rows in torch.randperm(len(self.images)).split(self.batch_size):
            rows = rows.to(self.images.device)
            yield self._changed(self.images[rows]), self.labels[rows]

    def _changed(self, images: Tensor) -> Tensor:
        n, channels, height, width = images.shape
        reach, device = 2 * self.padding + 1, images.device
        down, right = (torch.randint(reach, (n, 1), device="cpu").to(device) for _ in range(2))
        mirrored = (torch.rand(n, 1, device="cpu") < 0.5).to(device)
        columns = torch.arange(width, device=device)
        i = down + torch.arange(height, device=device)
        j = right + torch.where(mirrored, columns.flip(0), columns)
        padded = nn.functional.pad(images, (self.padding,) * 4)
        return padded[
            torch.arange(n, device=device)[:, None, None, None],
            torch.arange(channels, device=device)[None, :, None, None],
            i[:, None, :, None],
            j[:, None, None, :],
        ]


def _network(settings: Settings) -> ResNet:
    network = ResNet(settings.blocks, settings.widths, in_channels=3)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    return network


def _work(settings: Settings) -> Work:
    parameters = sum(p.numel() for p in _network(settings).parameters())
    step = f"steps, each on {settings.batch_size} images"
    return Work(settings.steps, step, parameters, (cifar10.REMOTE,))


def _run(settings: Settings, run: Run) -> Outcome:
    found = cifar10.load()
    parts = []
    for images, labels, count in (
        (found.train_images, found.train_labels, settings.train_images),
        (found.test_images, found.test_labels, settings.test_images),
    ):
        parts.append(torch.from_numpy(images[:count].copy()).to(run.device) / 255)
        parts.append(torch.from_numpy(labels[:count].copy()).long().to(run.device))
    train_images, train_labels, test_images, test_labels = parts
    # The mean of each pixel, and one spread for all, both from the training images.
    mean, spread = train_images.mean(0), train_images.std()
    train_images, test_images = ((images - mean) / spread for images in (train_images, test_images))

    network = _network(settings).to(run.device)
    optimizer = torch.optim.SGD(
        network.parameters(),
        lr=settings.learning_rate,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
    )
    scheduler = torch.optim.lr_scheduler.MultiStepLR(
        optimizer, list(settings.divided_by_10_at), gamma=0.1
    )
    history = fit(
        network,
        watched(nn.functional.cross_entropy, run, scheduler),
        optimizer,
        Augmented(train_images, train_labels, settings.batch_size, settings.padding),
        epochs=settings.epochs,
        scheduler=scheduler,
        checkpoint=run.checkpoint(),
        progress=False,
    )
    complete(history, settings.epochs)
    # The test set is looked at once, when nothing is left to choose.
    result = evaluate(
        network,
        nn.functional.cross_entropy,
        (test_images, test_labels),
        {"error": lambda logits, labels: (logits.argmax(1) != labels).float().mean().item()},
    )
    every = max(1, settings.epochs // 10)
    at = range(every - 1, settings.epochs, every)
    return Outcome(
        (Measured("test error", f"{100 * result['error']:.2f} %", (_PAPER,)),),
        {
            "epoch": [str(epoch + 1) for epoch in at],
            "training loss": [f"{history['loss'][epoch]:.4f}" for epoch in at],
            "learning rate": [f"{history['learning_rate'][epoch]:g}" for epoch in at],
        },
    )


EXPERIMENT = Experiment(
    chapter="cnn",
    title="A ResNet-20 on CIFAR-10",
    what=(
        "A residual network of 20 layers (course_lib.models.cnn.ResNet) learns to tell the ten "
        "kinds of CIFAR-10 apart from all 50,000 training images, shifted and mirrored at random, "
        "by stochastic gradient descent with momentum. The error is that of the last weights on "
        "the 10,000 test images, which are looked at once."
    ),
    full=Settings(),
    small=_SMALL,
    work=_work,
    run=_run,
    differences=(
        "Where a stage begins with another shape, the paths around the blocks are convolutions of "
        "1 by 1 with batch normalization here. The paper pads them with zeros, which has no "
        "parameters (its option A).",
        "164 whole epochs, with the last batch of each smaller, are 64,124 steps here. The paper "
        "has 64,000.",
        "The training images are divided by their standard deviation after the mean of each pixel "
        "is subtracted. The paper names only the subtraction.",
        "The paper names no number of runs for this figure. Results of one seed and another differ "
        "by some tenths of a percent: run other seeds before you read much into a difference.",
    ),
)
