r"""A small U-Net: from a noisy image and its time step to the noise in it.

Images become smaller and gain channels on the way down, and the other way round on the way up.
Each block on the way up also gets what a block on the way down saw at the same size, so that
details need not pass through the smallest maps. The time step enters every block as an offset for
each channel.

References
----------
O. Ronneberger, P. Fischer and T. Brox, "U-Net: convolutional networks for biomedical image
segmentation", MICCAI 2015, arXiv:1505.04597.
J. Ho, A. Jain and P. Abbeel, "Denoising diffusion probabilistic models", NeurIPS 2020,
arXiv:2006.11239.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["AttentionBlock", "TimeBlock", "UNet", "time_embedding"]

#: Channels in a group of the normalization, where they can be divided so.
_GROUP = 8


def time_embedding(t: Tensor, size: int) -> Tensor:
    """Return waves of many frequencies at a time step, as for the positions of a transformer.

    Parameters
    ----------
    t : Tensor, shape (n,)
        Time steps.
    size : int
        Even: half of the numbers are sines, half cosines.

    Returns
    -------
    Tensor, shape (n, size)

    Examples
    --------
    >>> time_embedding(torch.tensor([0]), 4).tolist()
    [[0.0, 0.0, 1.0, 1.0]]
    """
    half = size // 2
    powers = torch.arange(half, device=t.device) / max(half - 1, 1)
    angles = t[:, None].float() * torch.exp(-math.log(10_000) * powers)
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class TimeBlock(nn.Module):
    """Two convolutions with normalization in front, the time step between them, a path around.

    Parameters
    ----------
    in_channels, out_channels : int
    time_size : int
        Numbers that describe the time step.
    dropout : float
        Before the second convolution.

    Notes
    -----
    The second convolution begins at zero, so that a new block passes its input on.
    """

    def __init__(
        self, in_channels: int, out_channels: int, time_size: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.first = nn.Sequential(
            _norm(in_channels), nn.SiLU(), nn.Conv2d(in_channels, out_channels, 3, padding=1)
        )
        self.time = nn.Linear(time_size, out_channels)
        self.second = nn.Sequential(
            _norm(out_channels),
            nn.SiLU(),
            nn.Dropout(dropout),
            _zero(nn.Conv2d(out_channels, out_channels, 3, padding=1)),
        )
        self.shortcut: nn.Module = nn.Identity()
        if in_channels != out_channels:
            self.shortcut = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """Map (n, in_channels, height, width), times (n, time_size), to out_channels."""
        z = self.first(x) + self.time(time)[:, :, None, None]
        return self.shortcut(x) + self.second(z)


class AttentionBlock(nn.Module):
    """Every place of a feature map looks at every other place; the result is added.

    Parameters
    ----------
    channels : int
    heads : int
        Must divide the channels.
    """

    def __init__(self, channels: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.norm = _norm(channels)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.output = _zero(nn.Conv2d(channels, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, height, width) to the same shape."""
        n, channels, height, width = x.shape
        query, key, value = (
            part.view(n, self.heads, channels // self.heads, height * width).transpose(2, 3)
            for part in self.qkv(self.norm(x)).chunk(3, dim=1)
        )
        mixed = nn.functional.scaled_dot_product_attention(query, key, value)
        return x + self.output(mixed.transpose(2, 3).reshape(n, channels, height, width))


class UNet(nn.Module):
    """Predict the noise in an image from the image and its time step.

    Parameters
    ----------
    channels : int
        Of the images.
    width : int
        Channels of the largest feature maps.
    multiples : sequence of int
        How many times as many channels the maps of each size have, from the largest. Each size but
        the first is half of the one before.
    attention : sequence of bool, optional
        At which sizes places look at each other; by default at all but the largest.
    blocks : int
        Blocks of each size on the way down; on the way up there is one more.
    dropout : float

    Raises
    ------
    ValueError
        If `attention` is not as long as `multiples`, or (in use) if an image cannot be halved so
        many times.

    Examples
    --------
    >>> network = UNet(width=8, multiples=(1, 2))
    >>> network(torch.zeros(5, 1, 28, 28), torch.arange(5)).shape
    torch.Size([5, 1, 28, 28])
    """

    def __init__(
        self,
        channels: int = 1,
        width: int = 64,
        multiples: Sequence[int] = (1, 2, 2),
        *,
        attention: Sequence[bool] | None = None,
        blocks: int = 2,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if attention is None:
            attention = [level > 0 for level in range(len(multiples))]
        if len(attention) != len(multiples):
            raise ValueError(
                f"attention has {len(attention)} entries and multiples {len(multiples)}: give one "
                "for each size of the maps."
            )
        self.width = width
        size = 4 * width
        self.time = nn.Sequential(nn.Linear(width, size), nn.SiLU(), nn.Linear(size, size))
        self.stem = nn.Conv2d(channels, width, 3, padding=1)

        self.down, self.smaller = nn.ModuleList(), nn.ModuleList()
        now, seen = width, [width]
        for level, (multiple, looks) in enumerate(zip(multiples, attention, strict=True)):
            stage = nn.ModuleList()
            for _ in range(blocks):
                stage.append(_Stage(now, multiple * width, size, dropout, looks))
                now = multiple * width
                seen.append(now)
            self.down.append(stage)
            if level < len(multiples) - 1:
                self.smaller.append(nn.Conv2d(now, now, 3, stride=2, padding=1))
                seen.append(now)

        self.middle = nn.ModuleList(
            [_Stage(now, now, size, dropout, True), _Stage(now, now, size, dropout, False)]
        )

        self.up, self.larger = nn.ModuleList(), nn.ModuleList()
        for level, (multiple, looks) in reversed(
            list(enumerate(zip(multiples, attention, strict=True)))
        ):
            stage = nn.ModuleList()
            for _ in range(blocks + 1):
                stage.append(_Stage(now + seen.pop(), multiple * width, size, dropout, looks))
                now = multiple * width
            self.up.append(stage)
            if level:
                self.larger.append(
                    nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(now, now, 3, padding=1))
                )
        self.head = nn.Sequential(
            _norm(now), nn.SiLU(), _zero(nn.Conv2d(now, channels, 3, padding=1))
        )

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """Return the noise (n, channels, height, width) in images of that shape at times (n,)."""
        halved = 2 ** len(self.smaller)
        if x.shape[-1] % halved or x.shape[-2] % halved:
            raise ValueError(
                f"Images of {x.shape[-2]} by {x.shape[-1]} cannot be halved {len(self.smaller)} "
                f"times: height and width must be multiples of {halved}."
            )
        time = self.time(time_embedding(t, self.width))
        z = self.stem(x)
        seen = [z]
        for level, stage in enumerate(self.down):
            for block in stage:
                z = block(z, time)
                seen.append(z)
            if level < len(self.smaller):
                z = self.smaller[level](z)
                seen.append(z)
        for block in self.middle:
            z = block(z, time)
        for level, stage in enumerate(self.up):
            for block in stage:
                z = block(torch.cat([z, seen.pop()], dim=1), time)
            if level < len(self.larger):
                z = self.larger[level](z)
        return self.head(z)


class _Stage(nn.Module):
    """A block, and attention behind it where it is wanted."""

    def __init__(
        self, in_channels: int, out_channels: int, time_size: int, dropout: float, looks: bool
    ) -> None:
        super().__init__()
        self.block = TimeBlock(in_channels, out_channels, time_size, dropout)
        self.attention: nn.Module = AttentionBlock(out_channels) if looks else nn.Identity()

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        return self.attention(self.block(x, time))


def _norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(math.gcd(channels, max(1, channels // _GROUP)), channels)


def _zero(layer: nn.Conv2d) -> nn.Conv2d:
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
