"""Grad-CAM: the places of the last feature maps that speak for a class.

References
----------
R. R. Selvaraju, M. Cogswell, A. Das, R. Vedantam, D. Parikh and D. Batra, "Grad-CAM: visual
explanations from deep networks via gradient-based localization", ICCV 2017, arXiv:1610.02391.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from course_lib.explain.gradients import chosen_logits
from course_lib.training import evaluating

__all__ = ["enlarge", "grad_cam"]


def grad_cam(model: nn.Module, x: Tensor, targets: Tensor, layer: nn.Module) -> Tensor:
    """Add up a layer's feature maps, each weighed by its mean slope, and keep what is positive.

    Parameters
    ----------
    model : nn.Module
        Images to logits (n, k).
    x : Tensor, shape (n, channels, height, width)
    targets : Tensor of int, shape (n,)
        The class whose logit is explained, for each image.
    layer : nn.Module
        A module of the model that returns feature maps (n, c, h, w), usually the last one to do
        so. Nothing after it may change the maps in place.

    Returns
    -------
    Tensor, shape (n, h, w)
        At the size of the feature maps. `enlarge` brings it to the size of the image.

    Raises
    ------
    ValueError
        If the layer does not return feature maps.
    """
    kept: list[Tensor] = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
    try:
        with evaluating(model), torch.enable_grad():
            # Weights that are frozen would leave the maps without a gradient.
            x = x.detach().clone().requires_grad_()
            total = chosen_logits(model, x, targets).sum()
            (maps,) = kept
            if maps.ndim != 4:
                raise ValueError(
                    "layer must return feature maps (n, c, h, w), but returned "
                    f"{tuple(maps.shape)}."
                )
            (slopes,) = torch.autograd.grad(total, maps)
    finally:
        hook.remove()
    weights = slopes.mean(dim=(2, 3), keepdim=True)
    return torch.relu((weights * maps).sum(dim=1)).detach()


def enlarge(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Bring maps to the size of the image that they belong to, by bilinear interpolation.

    Parameters
    ----------
    maps : Tensor, shape (n, h, w)
    size : (int, int)
        Height and width wanted.

    Returns
    -------
    Tensor, shape (n, *size)
    """
    return functional.interpolate(maps[:, None], size=size, mode="bilinear", align_corners=False)[
        :, 0
    ]
