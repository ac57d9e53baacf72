"""A diffusion model with a U-Net on Fashion-MNIST.

References
----------
J. Ho, A. Jain and P. Abbeel, "Denoising diffusion probabilistic models", NeurIPS 2020,
arXiv:2006.11239.
H. Xiao, K. Rasul and R. Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine
learning algorithms", 2017, arXiv:1708.07747.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from course_lib.data import fashion_mnist
from course_lib.data.downloads import Remote
from course_lib.models.cnn import ResNet
from course_lib.models.diffusion import Schedule, sample
from course_lib.models.unet import UNet
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
from course_lib.training import fit, measuring

__all__ = ["EXPERIMENT", "Linear", "Noised", "Settings", "bound", "frechet"]

#: Height and width of the images.
_SIZE = 28


@dataclass(frozen=True)
class Settings:
    """Those of Ho and others for CIFAR-10, made smaller for smaller images."""

    width: int = 32
    multiples: tuple[int, ...] = (1, 2, 2)
    attention: tuple[bool, ...] = (False, True, True)
    blocks: int = 2
    dropout: float = 0.1
    noise_steps: int = 1000
    betas: tuple[float, float] = (1e-4, 0.02)
    train_images: int = 60_000
    test_images: int = 10_000
    epochs: int = 60
    batch_size: int = 128
    learning_rate: float = 2e-4
    warmup: int = 1000
    clip: float = 1.0
    average_decay: float = 0.999
    bound_times: int = 10
    samples: int = 2000
    sampling_steps: int = 250
    classifier_epochs: int = 5

    @property
    def steps(self) -> int:
        """Steps of the optimizer."""
        return self.epochs * math.ceil(self.train_images / self.batch_size)


_SMALL = Settings(
    width=4,
    multiples=(1, 1, 1),
    attention=(False, False, False),
    blocks=1,
    noise_steps=20,
    betas=(1e-4, 0.5),
    train_images=32,
    test_images=16,
    epochs=2,
    batch_size=16,
    warmup=2,
    average_decay=0.5,
    bound_times=2,
    samples=16,
    sampling_steps=2,
    classifier_epochs=1,
)

_NONE = Published("none that is comparable", "see below")


class Linear(Schedule):
    """The schedule of Ho and others: the variance of the steps grows in a line.

    It begins with more noise than the chapter's cosine. The last step back then decides between
    neighboring gray values, as the bound wants it to.

    Parameters
    ----------
    steps : int
    first, last : float
        The variance that the first and the last step add.

    Examples
    --------
    >>> schedule = Linear(1000, 1e-4, 0.02)
    >>> [round(schedule.alpha_bar[t].item(), 5) for t in (0, 1, 1000)]
    [1.0, 0.9999, 4e-05]
    """

    def __init__(self, steps: int, first: float, last: float) -> None:
        super().__init__(steps)
        beta = torch.linspace(first, last, steps, dtype=torch.float64)
        beta = torch.cat([torch.zeros(1, dtype=torch.float64), beta])
        self.beta, self.alpha_bar = beta.float(), (1 - beta).cumprod(0).float()


class _Model(nn.Module):
    """A U-Net for images that are rows of pixels, and the running average of its weights.

    Training works on the weights, and everything else uses their average. The average is brought
    up to date at the start of a training step, so that a checkpoint holds both.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.scale = settings.noise_steps
        self.network = UNet(
            1,
            settings.width,
            settings.multiples,
            attention=settings.attention,
            blocks=settings.blocks,
            dropout=settings.dropout,
        )
        decay = get_ema_multi_avg_fn(settings.average_decay)
        self.average = AveragedModel(self.network, multi_avg_fn=decay).requires_grad_(False)

    def forward(self, inputs: tuple[Tensor, Tensor]) -> Tensor:
        """Return the noise (n, d) in rows of pixels (n, d) at times (n,) from 0 to 1."""
        x, time = inputs
        if self.training:
            self.average.update_parameters(self.network)
        network = self.network if self.training else self.average
        return network(x.view(-1, 1, _SIZE, _SIZE), self.scale * time).flatten(1)

    def denoise(self, x: Tensor, time: Tensor) -> Tensor:
        """Do the same, with the arguments of `course_lib.models.diffusion.sample`."""
        return self((x, time))


class Noised:
    """Images with noise, batch by batch: other images together, times and noise each time.

    Chance comes from PyTorch's global generator, which a checkpoint of `fit` holds.

    Parameters
    ----------
    images : Tensor, shape (n, d)
        From -1 to 1.
    schedule : Schedule
    batch_size : int
    """

    def __init__(self, images: Tensor, schedule: Schedule, batch_size: int) -> None:
        self.images, self.schedule, self.batch_size = images, schedule, batch_size

    def __iter__(self) -> Iterator[tuple[tuple[Tensor, Tensor], Tensor]]:
        device = self.images.device
        for rows in torch.randperm(len(self.images)).split(self.batch_size):
            x0 = self.images[rows.to(device)]
            t = torch.randint(1, self.schedule.steps + 1, (len(rows),)).to(device)
            noise = torch.randn(x0.shape, device="cpu").to(device)
            yield (self.schedule.noised(x0, t, noise), t / self.schedule.steps), noise


@torch.no_grad()
def bound(
    denoise: Any,
    schedule: Schedule,
    images: Tensor,
    times: int,
    generator: torch.Generator,
    batch_size: int = 256,
) -> NDArray[np.float64]:
    """Estimate the variational bound on the negative log-likelihood of images, in bits a pixel.

    The term of a random step in each of `times` parts of the schedule stands for all of that part.
    Parts are short where there is little noise, since terms differ most there. Each step back has
    the variance of the true step, given the image; the last one, which has none, that of the first
    step of noise. The image itself is then the brightness, of 256, in whose interval the last step
    ends.

    Parameters
    ----------
    denoise : callable
        ``denoise(x, time)`` predicts the noise.
    schedule : Schedule
    images : Tensor, shape (n, d)
        One of 256 equally spaced values from -1 to 1 in each place.
    times : int
        Terms per image, at most the steps of the schedule.
    generator : torch.Generator
        On the CPU.

    Returns
    -------
    ndarray, shape (n,)
        A value for each image; their mean estimates the bound.

    References
    ----------
    Ho et al., arXiv:2006.11239, equation 5 and section 3.3.
    """
    device, steps = images.device, schedule.steps
    # In double precision, which not every device has.
    alpha_bar = schedule.alpha_bar.double()
    edges = [max(k, round(steps * (k / times) ** 3)) for k in range(times + 1)]
    values = []
    for x0 in images.cpu().split(batch_size):
        # What remains of the image at the end, where the sampler begins with pure noise.
        left = alpha_bar[-1]
        prior = 0.5 * (left * x0.double().square() - left - torch.log1p(-left)).mean(1)
        total = torch.zeros(len(x0), dtype=torch.float64)
        for k in range(times):
            begin, end = edges[k], edges[k + 1]
            t = torch.randint(begin + 1, end + 1, (len(x0),), generator=generator)
            noise = torch.randn(x0.shape, generator=generator)
            x = schedule.noised(x0, t, noise)
            predicted = denoise(x.to(device), (t / steps).to(device)).cpu()
            term = _divergence(alpha_bar, t, noise, predicted)
            first = t == 1
            if first.any():
                term[first] = _decoded(alpha_bar, x0[first], noise[first], predicted[first])
            total += (end - begin) * term
        values.append((total + prior) / math.log(2))
    return torch.cat(values).numpy()


def _divergence(alpha_bar: Tensor, t: Tensor, noise: Tensor, predicted: Tensor) -> Tensor:
    """Return the divergence of the true step back from the model's, in nats a pixel, for t > 1."""
    now, to = alpha_bar[t], alpha_bar[t - 1]
    beta = 1 - now / to
    # Both are normal with the same variance; their means differ by the error in the noise.
    weight = beta / (2 * (1 - beta) * (1 - to).clamp(min=1e-12))
    return weight * (noise.double() - predicted.double()).square().mean(1)


def _decoded(alpha_bar: Tensor, x0: Tensor, noise: Tensor, predicted: Tensor) -> Tensor:
    """Return minus the log-probability of an image after the last step, in nats a pixel."""
    x0, noise, predicted = x0.double(), noise.double(), predicted.double()
    kept = alpha_bar[1]
    # The last step goes to what the predicted noise leaves of x_1.
    mean = x0 + ((1 - kept) / kept).sqrt() * (noise - predicted)
    normal = torch.distributions.Normal(mean, (1 - kept).sqrt())
    half = 1 / 255
    above = torch.where(x0 > 1 - half, 1.0, normal.cdf(x0 + half))
    below = torch.where(x0 < -1 + half, 0.0, normal.cdf(x0 - half))
    return -(above - below).clamp(min=1e-12).log().mean(1)


def frechet(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return the squared Fréchet distance of two clouds of points, taken for normal ones.

    Parameters
    ----------
    first, second : ndarray, shapes (n, d) and (m, d)

    Returns
    -------
    float
        0 where means and covariances agree.

    Examples
    --------
    >>> points = np.random.default_rng(0).normal(size=(50, 3))
    >>> round(frechet(points, points), 6), round(frechet(points, points + 2), 6)
    (0.0, 12.0)
    """
    mean = first.mean(0) - second.mean(0)
    one, other = np.cov(first.T), np.cov(second.T)
    # The trace of the root of the product; rounding may leave small negative or imaginary parts.
    root = np.sqrt(np.linalg.eigvals(one @ other).real.clip(0)).sum()
    return float(mean @ mean + np.trace(one) + np.trace(other) - 2 * root)


def _remotes() -> tuple[Remote, ...]:
    return tuple(
        Remote(f"fashion-{name}", (), digest, size)
        for name, (digest, size) in fashion_mnist.FILES.items()
    )


def _work(settings: Settings) -> Work:
    parameters = sum(p.numel() for p in _Model(settings).network.parameters())
    step = f"steps, each on {settings.batch_size} images"
    return Work(settings.steps, step, parameters, _remotes())


def _run(settings: Settings, run: Run) -> Outcome:
    found = fashion_mnist.load()
    train, test = (
        torch.from_numpy(images[:count].reshape(-1, _SIZE**2) / np.float32(127.5) - 1)
        for images, count in (
            (found.train_images, settings.train_images),
            (found.test_images, settings.test_images),
        )
    )
    train, test = train.to(run.device), test.to(run.device)
    labels = torch.from_numpy(found.train_labels[: len(train)].astype(np.int64)).to(run.device)

    schedule = Linear(settings.noise_steps, *settings.betas)
    model = _Model(settings).to(run.device)
    optimizer = torch.optim.Adam(model.network.parameters(), lr=settings.learning_rate)
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / settings.warmup)
    )
    history = fit(
        model,
        watched(nn.functional.mse_loss, run, scheduler),
        optimizer,
        Noised(train, schedule, settings.batch_size),
        epochs=settings.epochs,
        scheduler=scheduler,
        clip=settings.clip,
        mixed_precision=True,
        checkpoint=run.checkpoint(),
        progress=False,
    )
    complete(history, settings.epochs)
    features = _features(settings, run, train, labels)
    with measuring(model):
        bits = bound(
            model.denoise,
            schedule,
            test,
            settings.bound_times,
            torch.Generator().manual_seed(run.seed),
        )
        drawn = _drawn(settings, run, model, schedule)
    real = features(test)
    reference = frechet(features(train[: settings.samples]), real)
    error = bits.std(ddof=1) / math.sqrt(len(bits))
    every = max(1, settings.epochs // 10)
    at = range(every - 1, settings.epochs, every)
    grid = drawn[:16].clamp(-1, 1).view(2, 8, _SIZE, _SIZE).permute(0, 2, 1, 3)
    return Outcome(
        (
            Measured(
                "bound on the test images, bits a pixel (standard error)",
                f"{bits.mean():.3f} ({error:.3f})",
                (_NONE,),
            ),
            Measured(
                f"distance of {settings.samples:,} samples from the test images",
                f"{frechet(features(drawn), real):.3f}",
                (_NONE,),
            ),
            Measured("the same for as many training images", f"{reference:.3f}"),
        ),
        {
            "epoch": [str(epoch + 1) for epoch in at],
            "training loss": [f"{history['loss'][epoch]:.5f}" for epoch in at],
        },
        picture=(
            "Sixteen samples, the first that were drawn",
            ((grid.reshape(2 * _SIZE, 8 * _SIZE) + 1) * 127.5).round().byte().cpu().numpy(),
        ),
    )


def _drawn(settings: Settings, run: Run, model: _Model, schedule: Schedule) -> Tensor:
    """Draw samples, rows of pixels."""
    chance = torch.Generator(run.device).manual_seed(run.seed)
    parts = []
    for begin in range(0, settings.samples, 256):
        run.at(settings.steps, f"draws samples: {begin:,} of {settings.samples:,}")
        count = min(256, settings.samples - begin)
        noise = torch.randn(count, _SIZE**2, generator=chance, device=run.device)
        parts.append(
            sample(model.denoise, schedule, noise, settings.sampling_steps, generator=chance)
        )
    return torch.cat(parts)


def _features(settings: Settings, run: Run, train: Tensor, labels: Tensor) -> Any:
    """Train a classifier, and return what it sees in images: the maps before its last layer."""
    torch.manual_seed(run.seed)
    classifier = ResNet(blocks=1).to(run.device)
    fit(
        classifier,
        nn.functional.cross_entropy,
        torch.optim.Adam(classifier.parameters(), lr=1e-3),
        (train.view(-1, 1, _SIZE, _SIZE), labels),
        epochs=settings.classifier_epochs,
        batch_size=settings.batch_size,
        seed=run.seed,
        checkpoint=run.checkpoint("classifier"),
        progress=False,
    )

    @torch.no_grad()
    def features(images: Tensor) -> NDArray[np.float64]:
        parts = [
            classifier.blocks(classifier.stem(part.view(-1, 1, _SIZE, _SIZE))).mean((2, 3)).cpu()
            for part in images.clamp(-1, 1).split(256)
        ]
        return torch.cat(parts).double().numpy()

    return features


EXPERIMENT = Experiment(
    chapter="diffusion",
    title="A diffusion model on Fashion-MNIST",
    what=(
        "A U-Net (course_lib.models.unet) learns to predict the noise in the 60,000 training "
        "images of Fashion-MNIST, with the loss of Ho et al. (arXiv:2006.11239). Two things are "
        "measured with a running average of its weights. One is the variational bound on the "
        "negative log-likelihood of the test images, estimated at ten steps for each image. The "
        "other is how far 2,000 samples are from the test images: the Fréchet distance between "
        "their features in a classifier that is trained here."
    ),
    full=Settings(),
    small=_SMALL,
    work=_work,
    run=_run,
    differences=(
        "No published figure is comparable, as far as we found: neither a bound nor a distance, of "
        "a diffusion model on these images at 28 by 28 pixels, with a set-up to compare. Ho et al. "
        "report a distance of 3.17 on CIFAR-10 (arXiv:2006.11239): other images, and the features "
        "of another classifier (Inception). Do not hold it beside the distance here.",
        "The distance of training images from test images is what a perfect model would have here. "
        "Without it, the scale of the distance means nothing.",
        "The U-Net is smaller, and trained for 28,140 steps. Ho et al. train for 800,000 on "
        "CIFAR-10.",
        "On a CUDA card, training computes in 16 bits where the course's training loop does.",
    ),
)
