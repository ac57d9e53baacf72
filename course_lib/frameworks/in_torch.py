"""The network in PyTorch: channels first, and the layout in which the weights travel."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import nn
from torch.nn import functional

from course_lib.frameworks.network import EPS, MOMENTUM, Array, Weights, checked

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Network", "arrays", "build", "gradients", "outputs", "step"]


class Network(nn.Module):
    """The network of `course_lib.frameworks.network`."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 8, kernel_size=3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8, eps=EPS, momentum=MOMENTUM)
        self.dense = nn.Linear(128, 10)

    def forward(self, images: "Tensor") -> "Tensor":
        """Compute logits (n, 10) of images (n, 1, 8, 8)."""
        maps = torch.relu(self.norm(self.conv(images)))
        return self.dense(functional.max_pool2d(maps, 2).flatten(1))


def build(weights: Weights) -> Network:
    """Return a network with these weights, in training mode."""
    network = Network()
    tensors = {name: torch.from_numpy(array) for name, array in checked(weights).items()}
    # The counter of batches is kept by PyTorch alone, and nothing here depends on it.
    network.load_state_dict(tensors, strict=False)
    return network


def arrays(network: nn.Module) -> dict[str, Array]:
    """Return copies of a network's weights as arrays, without PyTorch's counter of batches."""
    state = network.state_dict().items()
    return {name: w.cpu().numpy().copy() for name, w in state if "num_batches" not in name}


def outputs(weights: Weights, images: ArrayLike) -> Array:
    """Return the logits (n, 10) of images (n, 8, 8), in evaluation mode."""
    with torch.no_grad():
        return build(weights).eval()(_as_input(images)).numpy()


def gradients(weights: Weights, images: ArrayLike, labels: ArrayLike) -> dict[str, Array]:
    """Return the gradients of the mean cross-entropy, in training mode, by name."""
    network = build(weights)
    _loss(network, images, labels).backward()
    return {name: w.grad.numpy() for name, w in network.named_parameters()}


def step(weights: Weights, images: ArrayLike, labels: ArrayLike, rate: float) -> dict[str, Array]:
    """Return all weights after one step of gradient descent, running averages included."""
    network = build(weights)
    optimizer = torch.optim.SGD(network.parameters(), lr=rate)
    _loss(network, images, labels).backward()
    optimizer.step()
    return arrays(network)


def _as_input(images: ArrayLike) -> "Tensor":
    return torch.tensor(np.asarray(images, dtype=np.float32)[:, None])


def _loss(network: nn.Module, images: ArrayLike, labels: ArrayLike) -> "Tensor":
    return functional.cross_entropy(
        network(_as_input(images)), torch.tensor(np.asarray(labels)).long()
    )
