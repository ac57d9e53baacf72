"""The fast gradient sign method: one step, as large as allowed, in every pixel.

References
----------
I. J. Goodfellow, J. Shlens and C. Szegedy, "Explaining and harnessing adversarial examples", ICLR
2015, arXiv:1412.6572.
"""

from torch import Tensor

from course_lib.attacks.gradients import Model, check, input_gradient

__all__ = ["fgsm"]


def fgsm(model: Model, x: Tensor, y: Tensor, epsilon: float, *, targeted: bool = False) -> Tensor:
    r"""Move every pixel by epsilon, up or down, whichever raises the loss.

    If the loss were linear in the input, no change of at most epsilon per pixel could raise it
    more: it grows by epsilon times the sum of the absolute values of its gradient.

    Parameters
    ----------
    model : callable
        Images (n, ...) to logits (n, k). It is used in evaluation mode and left as it was.
    x : Tensor, shape (n, ...)
        Images, with pixels from 0 to 1.
    y : Tensor of int64, shape (n,)
        The right classes; with `targeted`, the classes that the network is to answer.
    epsilon : float
        The largest change of a pixel, on the scale of the pixels: 0.1 is a tenth of the way from
        white to black.
    targeted : bool
        Lower the loss of `y` instead of raising it.

    Returns
    -------
    Tensor, in the shape of x
        Changed images, clipped to pixels from 0 to 1. A pixel whose slope is 0 stays as it is.

    Raises
    ------
    ValueError
        If shapes, pixels or epsilon make no sense.

    Examples
    --------
    >>> import torch
    >>> w = torch.tensor([[1.0, -2.0]])  # two logits, 0 and w @ x
    >>> model = lambda x: torch.cat([torch.zeros(len(x), 1), x @ w.T], dim=1)
    >>> fgsm(model, torch.full((1, 2), 0.5), torch.tensor([1]), 0.25)
    tensor([[0.2500, 0.7500]])
    """
    check(x, y, epsilon)
    uphill = input_gradient(model, x, y).sign()
    change = -epsilon * uphill if targeted else epsilon * uphill
    return (x + change).clamp(0, 1)
