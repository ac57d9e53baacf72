"""Linear probes: what can be read off a layer's activations.

A probe is a linear classifier that is trained on the activations of a network that is left as it
is. How well it does says what the layer knows, if a *control task* says how much of that the probe
has learned by itself.

References
----------
G. Alain and Y. Bengio, "Understanding intermediate layers using linear classifier probes", 2016,
arXiv:1610.01644.
J. Hewitt and P. Liang, "Designing and interpreting probes with control tasks", EMNLP 2019,
arXiv:1909.03368.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from course_lib.training import measuring

__all__ = ["activations", "linear_probe", "project_out"]


def activations(model: nn.Module, x: Tensor, layer: nn.Module) -> Tensor:
    """Record what a layer returns.

    Parameters
    ----------
    model : nn.Module
    x : Tensor, shape (n, ...)
    layer : nn.Module
        A module of the model.

    Returns
    -------
    Tensor, shape (n, d)
        The layer's output, a row per sample.
    """
    kept: list[Tensor] = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
    try:
        with measuring(model):
            model(x)
    finally:
        hook.remove()
    return kept[0].flatten(1).clone()


def linear_probe(
    features: Tensor, labels: Tensor, *, classes: int, weight_decay: float = 1e-3, steps: int = 50
) -> nn.Linear:
    """Train a linear classifier on activations.

    Parameters
    ----------
    features : Tensor, shape (n, d)
    labels : Tensor of int, shape (n,)
    classes : int
    weight_decay : float
        Half of the penalty on the squared weights, in units of the mean cross-entropy, on
        standardized features.
    steps : int
        Most iterations of L-BFGS.

    Returns
    -------
    nn.Linear
        From raw features (n, d) to logits (n, classes). It starts at 0, so that no seed matters.
    """
    mean, deviation = features.mean(dim=0), features.std(dim=0)
    # A unit that is always the same says nothing: dividing by 1 leaves it at 0.
    deviation = torch.where(deviation > 1e-8, deviation, torch.ones_like(deviation))
    standard = (features - mean) / deviation
    inner = nn.Linear(features.shape[1], classes).to(features)
    nn.init.zeros_(inner.weight)
    nn.init.zeros_(inner.bias)
    optimizer = torch.optim.LBFGS(inner.parameters(), max_iter=steps, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        error = functional.cross_entropy(inner(standard), labels)
        error = error + weight_decay / 2 * inner.weight.square().sum()
        error.backward()
        return error

    with torch.enable_grad():
        optimizer.step(loss)
    probe = nn.Linear(features.shape[1], classes).to(features)
    with torch.no_grad():
        # w (x - mean) / deviation + b, written as one linear map of x.
        probe.weight.copy_(inner.weight / deviation)
        probe.bias.copy_(inner.bias - probe.weight @ mean)
    return probe.requires_grad_(False)


def project_out(features: Tensor, directions: Tensor) -> Tensor:
    """Remove from activations all that lies along given directions.

    Parameters
    ----------
    features : Tensor, shape (n, d)
    directions : Tensor, shape (k, d)
        Such as the weights of a probe. They need not be orthogonal.

    Returns
    -------
    Tensor, shape (n, d)
        Orthogonal to each direction.
    """
    basis, _ = torch.linalg.qr(directions.T)
    return features - (features @ basis) @ basis.T
