"""A one-stage detector: one pass over the picture, an answer for each anchor of a grid.

Convolutions and pooling turn the picture into a grid of cells. Behind them a convolution of 1 by 1
answers for each anchor of each cell which class it stands for, background among them, and how the
box lies relative to the anchor.

References
----------
W. Liu and others, "SSD: single shot multibox detector", ECCV 2016, arXiv:1512.02325.
S. Ren, K. He, R. Girshick and J. Sun, "Faster R-CNN: towards real-time object detection with region
proposal networks", NeurIPS 2015, arXiv:1506.01497.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Detector", "WindowClassifier", "crops", "detection_loss", "trunk"]


def trunk(channels: tuple[int, int, int] = (12, 32, 64), in_channels: int = 1) -> nn.Sequential:
    """Make three convolutions with normalization and ReLU, which divide height and width by 4.

    Parameters
    ----------
    channels : (int, int, int)
        Feature maps of each.
    in_channels : int

    Returns
    -------
    nn.Sequential
        Images (n, in_channels, h, w) to maps (n, channels[2], h // 4, w // 4): cells of 4 by 4
        pixels, of which each has seen 18 by 18.

    Examples
    --------
    >>> trunk()(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 64, 7, 7])
    """
    first, second, third = channels
    return nn.Sequential(
        # The stride comes early: at full size, a layer costs as much as all others together.
        *_layer(nn.Conv2d(in_channels, first, 4, stride=2, padding=1, bias=False)),
        *_layer(nn.Conv2d(first, second, 3, padding=1, bias=False)),
        nn.MaxPool2d(2),
        *_layer(nn.Conv2d(second, third, 3, padding=1, bias=False)),
    )


def _layer(convolution: nn.Conv2d) -> tuple[nn.Module, ...]:
    return convolution, nn.BatchNorm2d(convolution.out_channels), nn.ReLU()


class Detector(nn.Module):
    """Answer for each anchor: which class, and where the box lies relative to it.

    Parameters
    ----------
    anchors : int
        Anchors in each cell of 4 by 4 pixels.
    channels : (int, int, int)
        Feature maps of the trunk.
    num_classes : int
        Without background.

    Examples
    --------
    >>> classes, offsets = Detector(anchors=2)(torch.zeros(5, 1, 28, 28))
    >>> classes.shape, offsets.shape
    (torch.Size([5, 98, 11]), torch.Size([5, 98, 4]))
    """

    def __init__(
        self,
        anchors: int,
        channels: tuple[int, int, int] = (12, 32, 64),
        num_classes: int = 10,
    ) -> None:
        super().__init__()
        self.answers = num_classes + 5
        self.trunk = trunk(channels)
        self.head = nn.Conv2d(channels[-1], anchors * self.answers, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (n, m, num_classes + 1), background first, and offsets (n, m, 4).

        The m anchors are in the order of `course_lib.detection.anchor_grid`: row by row of the
        grid, cell by cell, shape by shape.
        """
        maps = self.head(self.trunk(x))  # (n, anchors * answers, rows, columns)
        answers = maps.permute(0, 2, 3, 1).reshape(len(x), -1, self.answers)
        return answers[..., :-4], answers[..., -4:]


class WindowClassifier(nn.Module):
    """Say what is in a window: a class, or background. For sliding over a picture.

    Parameters
    ----------
    side : int
        Height and width of the windows, a multiple of 4.
    channels : (int, int, int)
        Feature maps of the trunk.
    num_classes : int
        Without background.

    Examples
    --------
    >>> WindowClassifier(side=12)(torch.zeros(5, 1, 12, 12)).shape
    torch.Size([5, 11])
    """

    def __init__(
        self,
        side: int,
        channels: tuple[int, int, int] = (12, 32, 64),
        num_classes: int = 10,
    ) -> None:
        super().__init__()
        places = (side // 4) ** 2
        self.trunk = trunk(channels)
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(places * channels[-1], num_classes + 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (n, num_classes + 1), background first, for windows (n, 1, side, side)."""
        return self.head(self.trunk(x))


def crops(images: Tensor, rows: Tensor, boxes: Tensor, side: int) -> Tensor:
    """Cut windows out of images, and resize each to one size.

    Parameters
    ----------
    images : Tensor, shape (n, channels, h, w)
    rows : Tensor of int, shape (k,)
        The image of each window.
    boxes : Tensor, shape (k, 4)
        ``(x1, y1, x2, y2)`` in pixels. Outside of the image its rim goes on.
    side : int
        Height and width of what is returned.

    Returns
    -------
    Tensor, shape (k, channels, side, side)
        Between pixels, bilinear.

    Examples
    --------
    >>> image = torch.arange(16.0).reshape(1, 1, 4, 4)
    >>> crops(image, torch.tensor([0]), torch.tensor([[1.0, 2.0, 3.0, 4.0]]), 2)[0, 0].tolist()
    [[9.0, 10.0], [13.0, 14.0]]
    """
    height, width = images.shape[-2:]
    steps = (torch.arange(side, device=images.device) + 0.5) / side
    corner, sides = boxes[:, :2], boxes[:, 2:] - boxes[:, :2]
    # grid_sample counts from -1 at the left edge to 1 at the right one.
    x = 2 * (corner[:, :1] + sides[:, :1] * steps) / width - 1
    y = 2 * (corner[:, 1:] + sides[:, 1:] * steps) / height - 1
    shape = (len(boxes), side, side)
    grid = torch.stack([x[:, None].expand(shape), y[:, :, None].expand(shape)], dim=-1)
    how = {"align_corners": False, "padding_mode": "border"}
    return functional.grid_sample(images[rows], grid.to(images), **how)


def detection_loss(
    outputs: tuple[Tensor, Tensor], classes: Tensor, offsets: Tensor, *, weight: float = 1.0
) -> Tensor:
    """Add the errors of a detector: in the class of each anchor, and in the place of each box.

    Parameters
    ----------
    outputs : (Tensor, Tensor)
        Logits, shape (n, m, k + 1), and offsets, shape (n, m, 4).
    classes : Tensor of int, shape (n, m)
        0 for background, a class plus 1, or -1 where no answer counts.
    offsets : Tensor, shape (n, m, 4)
        Looked at where the class is above 0.
    weight : float
        Of the second error.

    Returns
    -------
    Tensor
        A number. Both sums are divided by the number of anchors that stand for a box: in a mean
        over all anchors, those on empty ground would make the errors that matter small.
    """
    logits, moved = outputs
    positive = classes > 0
    count = positive.sum().clamp(min=1)
    kind = functional.cross_entropy(
        logits.flatten(0, 1), classes.flatten(), ignore_index=-1, reduction="sum"
    )
    place = functional.smooth_l1_loss(moved[positive], offsets[positive], reduction="sum", beta=0.1)
    return (kind + weight * place) / count
