"""Adversarial training: each batch is attacked before the network learns from it.

The loss to be minimized is the largest one inside of the ball around each image. Nobody can compute
that maximum, so a few steps of projected gradient descent stand for it.

References
----------
A. Madry, A. Makelov, L. Schmidt, D. Tsipras and A. Vladu, "Towards deep learning models resistant
to adversarial attacks", ICLR 2018, arXiv:1706.06083.
"""

import torch
from torch import Tensor, nn

from course_lib.attacks.pgd import pgd
from course_lib.training import batches

__all__ = ["fit_adversarially"]


def fit_adversarially(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    data: tuple[Tensor, Tensor],
    *,
    epsilon: float,
    epochs: int,
    steps: int = 3,
    batch_size: int = 50,
    seed: int = 0,
) -> list[float]:
    """Train a classifier on attacked images only.

    It takes as many updates as `course_lib.training.fit` with the same `epochs` and `batch_size`,
    on the same batches in the same order for the same `seed`, but `steps` + 1 times the backward
    passes.

    Parameters
    ----------
    model : nn.Module
        Images (n, ...) to logits (n, k). Afterwards it is in evaluation mode.
    optimizer : torch.optim.Optimizer
        Made with the model's parameters.
    data : (images, labels)
        Pixels from 0 to 1, and classes of type int64.
    epsilon : float
        Radius of the ball in L-infinity, on the scale of the pixels: what the network is to
        withstand.
    epochs : int
    steps : int
        Steps of the attack on each batch, which starts at random.
    batch_size : int
    seed : int
        Decides the order of the samples and the random starts.

    Returns
    -------
    list of float
        The mean loss on attacked images in each epoch.
    """
    device = next(model.parameters()).device
    # Two generators, so that the order of the samples does not depend on the attack.
    order, starts = (torch.Generator().manual_seed(seed) for _ in range(2))
    history = []
    for _ in range(epochs):
        total = 0.0
        for x, y in batches(data, batch_size, order):
            x, y = x.to(device), y.to(device)
            attacked = pgd(model, x, y, epsilon, steps=steps, generator=starts)
            model.train()
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(attacked), y)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y)
        history.append(total / len(data[1]))
    model.eval()
    return history
