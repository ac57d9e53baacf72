"""A vision transformer: a picture cut into patches, read as a sequence.

Each patch becomes a vector, and is told its place by a learned one that is added. Blocks of
attention and a small network follow, as in a language model but without a mask, and the mean over
all patches is classified.

References
----------
A. Dosovitskiy and others, "An image is worth 16x16 words: transformers for image recognition at
scale", ICLR 2021, arXiv:2010.11929.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from course_lib.models.attention import MultiHeadAttention

__all__ = ["Block", "ViT", "patches"]


def patches(images: Tensor, size: int) -> Tensor:
    """Cut images into squares that do not overlap, row by row, each flattened.

    Parameters
    ----------
    images : Tensor, shape (n, channels, h, w)
    size : int
        Height and width of a patch; must divide h and w.

    Returns
    -------
    Tensor, shape (n, h / size * w / size, channels * size * size)
        In a patch: channel by channel, row by row, as in the weights of a convolution.

    Raises
    ------
    ValueError
        If patches do not fill the images.

    Examples
    --------
    >>> patches(torch.arange(16.0).reshape(1, 1, 4, 4), 2)[0, 1].tolist()
    [2.0, 3.0, 6.0, 7.0]
    """
    n, channels, height, width = images.shape
    if height % size or width % size:
        raise ValueError(
            f"Patches of {size} pixels do not fill images of {height} by {width}: pad them."
        )
    cut = images.reshape(n, channels, height // size, size, width // size, size)
    return cut.permute(0, 2, 4, 1, 3, 5).reshape(n, -1, channels * size * size)


class Block(nn.Module):
    """Attention and a network of two layers, each behind a normalization, each added to its input.

    Parameters
    ----------
    width : int
        Numbers per patch.
    heads : int
    hidden : int
        Units between the two layers.
    """

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = MultiHeadAttention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, patches, width) to the same shape."""
        x = x + self.attention(self.norm1(x))[0]
        return x + self.mlp(self.norm2(x))


class ViT(nn.Module):
    """Patches, their places, blocks, and a mean.

    Parameters
    ----------
    size : int
        Height and width of the images.
    patch : int
        Height and width of a patch; must divide `size`.
    width, heads, hidden : int
        Of the blocks.
    blocks : int
        How many.
    in_channels, num_classes : int

    Notes
    -----
    The network of Dosovitskiy and others reads its answer from a patch of its own that is added at
    the front; they found the mean over patches as good.

    Examples
    --------
    >>> ViT(size=12, patch=3)(torch.zeros(5, 1, 12, 12)).shape
    torch.Size([5, 10])
    """

    def __init__(
        self,
        size: int,
        patch: int,
        width: int = 16,
        heads: int = 2,
        hidden: int = 32,
        blocks: int = 2,
        in_channels: int = 1,
        num_classes: int = 10,
    ) -> None:
        super().__init__()
        if size % patch:
            raise ValueError(f"Patches of {patch} pixels do not fill images of {size}.")
        self.patch = patch
        self.embed = nn.Linear(in_channels * patch**2, width)
        self.places = nn.Parameter(0.5 * torch.randn((size // patch) ** 2, width))
        self.blocks = nn.Sequential(*(Block(width, heads, hidden) for _ in range(blocks)))
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, num_classes))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, (n, num_classes), for images (n, in_channels, size, size)."""
        z = self.embed(patches(x, self.patch)) + self.places
        return self.head(self.blocks(z).mean(dim=1))
