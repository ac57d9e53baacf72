r"""Convolutional networks: one of 1998 and one of 2015, small enough to train on a laptop.

Images are batches of shape (n, channels, height, width), and what a convolution makes of them are
*feature maps*, a channel each. `LeNet` is two convolutions with pooling and a layer behind them.
`ResNet` is many convolutions in residual blocks, and a mean over all places instead of a layer for
each.

References
----------
Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to document
recognition", Proceedings of the IEEE 86(11), 2278-2324, 1998, doi:10.1109/5.726791.
K. He, X. Zhang, S. Ren and J. Sun, "Deep residual learning for image recognition", CVPR 2016,
arXiv:1512.03385.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["LeNet", "ResNet", "ResidualBlock"]


class LeNet(nn.Module):
    """Two convolutions, each followed by ReLU and max-pooling, then one linear layer.

    The first half of LeNet-5 of 1998, with what is common today: ReLU for its scaled tanh, the
    maximum for its weighted mean, one linear layer for its three, and padding, so that a
    convolution keeps the size of the image.

    Parameters
    ----------
    size : int
        Height and width of the images, at least 4.
    in_channels : int
        1 for gray images, 3 for color.
    channels : (int, int)
        Feature maps of the two convolutions. LeNet-5 has 6 and 16.
    kernel_size : int
        Height and width of all kernels, odd.
    num_classes : int

    Attributes
    ----------
    features : nn.Sequential
        Images (n, in_channels, size, size) to feature maps (n, channels[1], size // 4, size // 4).
    head : nn.Sequential
        Feature maps to logits (n, num_classes). It has weights of its own for every place.

    Raises
    ------
    ValueError
        If the images are smaller than 4 by 4, or the kernel has no middle.

    Examples
    --------
    >>> network = LeNet(size=12)
    >>> network(torch.zeros(5, 1, 12, 12)).shape
    torch.Size([5, 10])
    >>> sum(p.numel() for p in network.parameters())
    4022
    """

    def __init__(
        self,
        size: int,
        in_channels: int = 1,
        channels: tuple[int, int] = (6, 16),
        kernel_size: int = 5,
        num_classes: int = 10,
    ) -> None:
        super().__init__()
        if size < 4:
            raise ValueError(f"size must be 4 or more, since it is halved twice, but is {size}.")
        if kernel_size % 2 == 0:
            raise ValueError(
                f"kernel_size must be odd, so that a kernel has a middle, but is {kernel_size}."
            )
        first, second = channels
        keep = kernel_size // 2
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, first, kernel_size, padding=keep),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(first, second, kernel_size, padding=keep),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(second * (size // 4) ** 2, num_classes))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, (n, num_classes), for images (n, in_channels, size, size)."""
        return self.head(self.features(x))


class ResidualBlock(nn.Module):
    """Two convolutions of 3 by 3 with batch normalization, and a path around them.

    Parameters
    ----------
    in_channels, out_channels : int
    stride : int
        Of the first convolution and of the path around: 2 halves height and width.
    residual : bool
        False leaves the path around out: a plain block, for comparison.

    Attributes
    ----------
    shortcut : nn.Module
        Nothing where input and output have the same shape. Otherwise a convolution of 1 by 1 with
        batch normalization, which makes them fit.

    Examples
    --------
    >>> block = ResidualBlock(8, 16, stride=2)
    >>> block(torch.zeros(5, 8, 12, 12)).shape
    torch.Size([5, 16, 6, 6])
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int = 1, *, residual: bool = True
    ) -> None:
        super().__init__()
        # A bias before batch normalization would be subtracted again with the mean.
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(out_channels)
        self.shortcut: nn.Module | None = None
        if residual:
            self.shortcut = nn.Identity()
            if stride != 1 or in_channels != out_channels:
                self.shortcut = nn.Sequential(
                    nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                    nn.BatchNorm2d(out_channels),
                )

    def forward(self, x: Tensor) -> Tensor:
        """Return feature maps, (n, out_channels, height, width), divided by the stride."""
        z = torch.relu(self.norm1(self.conv1(x)))
        z = self.norm2(self.conv2(z))
        return torch.relu(z if self.shortcut is None else z + self.shortcut(x))


class ResNet(nn.Module):
    """A convolution, stages of residual blocks, the mean over all places, and a linear layer.

    Each stage but the first begins by halving height and width. With one convolution before and
    one linear layer behind, the depth is ``2 * len(widths) * blocks + 2``: the networks that He and
    others trained on the small images of CIFAR-10 have widths 16, 32 and 64, and blocks 3, 5, 7, 9
    or 18 per stage. Since a mean is taken over places, images may have any size.

    Parameters
    ----------
    blocks : int
        Residual blocks in each stage.
    widths : sequence of int
        Feature maps in each stage.
    in_channels, num_classes : int
    residual : bool
        False makes the plain network of the same depth.

    Examples
    --------
    >>> network = ResNet(blocks=3)
    >>> network(torch.zeros(5, 1, 12, 12)).shape
    torch.Size([5, 10])
    >>> network.depth
    20
    """

    def __init__(
        self,
        blocks: int,
        widths: Sequence[int] = (16, 32, 64),
        in_channels: int = 1,
        num_classes: int = 10,
        *,
        residual: bool = True,
    ) -> None:
        super().__init__()
        self.depth = 2 * len(widths) * blocks + 2
        self.stem = nn.Sequential(
            nn.Conv2d(in_channels, widths[0], 3, padding=1, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(),
        )
        layers: list[nn.Module] = []
        before = widths[0]
        for stage, width in enumerate(widths):
            for number in range(blocks):
                stride = 2 if stage and number == 0 else 1
                layers.append(ResidualBlock(before, width, stride, residual=residual))
                before = width
        self.blocks = nn.Sequential(*layers)
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, num_classes)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, (n, num_classes), for images (n, in_channels, height, width)."""
        return self.head(self.blocks(self.stem(x)))
