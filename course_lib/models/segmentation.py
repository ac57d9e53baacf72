"""A small U-Net for masks: for each pixel and each kind of thing, whether the pixel belongs to it.

Its sibling in `course_lib.models.unet` predicts noise and is told the time step. This one has two
convolutions per size, maps of the way down that are copied to the way up, and a score per pixel and
mask. A pixel may belong to several masks or to none, so each score has a sigmoid of its own.

References
----------
O. Ronneberger, P. Fischer and T. Brox, "U-Net: convolutional networks for biomedical image
segmentation", MICCAI 2015, arXiv:1505.04597.
F. Milletari, N. Navab and S.-A. Ahmadi, "V-Net: fully convolutional neural networks for volumetric
medical image segmentation", 3DV 2016, arXiv:1606.04797.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["MaskUNet", "dice_loss"]


class MaskUNet(nn.Module):
    """Two sizes down, two up, with copies across.

    Parameters
    ----------
    masks : int
        How many masks to predict.
    width : int
        Channels of the largest maps; each smaller size has twice as many.
    in_channels : int
    skips : bool
        False leaves the copies out, for comparison: the way up then sees the smallest maps alone.

    Raises
    ------
    ValueError
        In use, if height or width of the images cannot be divided by 4.

    Examples
    --------
    >>> MaskUNet(masks=2)(torch.zeros(5, 1, 28, 28)).shape
    torch.Size([5, 2, 28, 28])
    """

    def __init__(
        self, masks: int, width: int = 8, in_channels: int = 1, *, skips: bool = True
    ) -> None:
        super().__init__()
        self.skips = skips
        self.down1 = _convolutions(in_channels, width)
        self.down2 = _convolutions(width, 2 * width)
        self.bottom = _convolutions(2 * width, 4 * width)
        self.smaller = nn.MaxPool2d(2)
        self.larger2 = nn.ConvTranspose2d(4 * width, 2 * width, 2, stride=2)
        self.up2 = _convolutions(4 * width if skips else 2 * width, 2 * width)
        self.larger1 = nn.ConvTranspose2d(2 * width, width, 2, stride=2)
        self.up1 = _convolutions(2 * width if skips else width, width)
        self.head = nn.Conv2d(width, masks, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return a logit for each pixel and mask, (n, masks, h, w), for images (n, c, h, w)."""
        if x.shape[-1] % 4 or x.shape[-2] % 4:
            raise ValueError(
                f"Images of {x.shape[-2]} by {x.shape[-1]} cannot be halved twice: pad them to "
                "multiples of 4."
            )
        large = self.down1(x)
        middle = self.down2(self.smaller(large))
        small = self.bottom(self.smaller(middle))
        z = self.up2(self._beside(self.larger2(small), middle))
        z = self.up1(self._beside(self.larger1(z), large))
        return self.head(z)

    def _beside(self, z: Tensor, seen: Tensor) -> Tensor:
        return torch.cat([z, seen], dim=1) if self.skips else z


def dice_loss(logits: Tensor, masks: Tensor, *, eps: float = 1.0) -> Tensor:
    """Compute 1 minus the Dice coefficient of soft masks, as a mean over masks.

    The coefficient of two masks is twice the number of pixels in both, divided by the sum of their
    pixels. Here probabilities are counted, and all images of the batch together.

    Parameters
    ----------
    logits : Tensor, shape (n, masks, h, w)
    masks : Tensor, shape (n, masks, h, w)
        0 or 1 for each pixel and mask; a pixel may be in several.
    eps : float
        Added to numerator and denominator, so that an empty mask that is predicted empty is right.

    Returns
    -------
    Tensor
        A number from 0 to 1.

    Examples
    --------
    >>> far = 100.0
    >>> logits = torch.tensor([[[[far, far, -far]]]])
    >>> round(dice_loss(logits, torch.tensor([[[[1.0, 0.0, 0.0]]]]), eps=0.0).item(), 3)
    0.333
    """
    p = logits.sigmoid()
    over = (0, 2, 3)
    both, total = (p * masks).sum(over), (p + masks).sum(over)
    return (1 - (2 * both + eps) / (total + eps)).mean()


def _convolutions(ins: int, outs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(ins, outs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outs),
        nn.ReLU(),
        nn.Conv2d(outs, outs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outs),
        nn.ReLU(),
    )
