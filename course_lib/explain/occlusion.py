"""Occlusion: cover a part of the image and see what becomes of the logit.

References
----------
M. D. Zeiler and R. Fergus, "Visualizing and understanding convolutional networks", ECCV 2014,
arXiv:1311.2901.
"""

import torch
from torch import Tensor, nn

from course_lib.explain.gradients import chosen_logits
from course_lib.training import measuring

__all__ = ["occlusion"]


def occlusion(
    model: nn.Module,
    x: Tensor,
    targets: Tensor,
    *,
    size: int = 3,
    fill: float = 0.0,
) -> Tensor:
    """Measure by how much a logit falls while a square window covers each place.

    Parameters
    ----------
    model : nn.Module
        Images (n, channels, height, width) to logits (n, k).
    x : Tensor, shape (n, channels, height, width)
    targets : Tensor of int, shape (n,)
        The class whose logit is explained, for each image.
    size : int
        Height and width of the window, in pixels. It covers all channels, and moves by one pixel.
    fill : float
        What the covered pixels become.

    Returns
    -------
    Tensor, shape (n, height, width)
        Of each pixel, the mean fall over all windows that cover it. Positive where covering hurts.

    Raises
    ------
    ValueError
        If the window does not fit into the image.
    """
    height, width = x.shape[-2:]
    if not 1 <= size <= min(height, width):
        raise ValueError(
            f"A window of {size} by {size} does not fit into images of {height} by {width}: "
            f"give a size from 1 to {min(height, width)}."
        )
    falls = torch.zeros(len(x), height, width, dtype=x.dtype, device=x.device)
    windows = torch.zeros(height, width, dtype=x.dtype, device=x.device)
    with measuring(model):
        before = chosen_logits(model, x, targets)
        for top in range(height - size + 1):
            for left in range(width - size + 1):
                place = (..., slice(top, top + size), slice(left, left + size))
                covered = x.clone()
                covered[place] = fill
                fall = before - chosen_logits(model, covered, targets)
                falls[place] += fall[:, None, None]
                windows[place] += 1
    return falls / windows
