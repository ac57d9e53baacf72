"""Small networks for an agent that balances a pole: policies, values, and Q-values.

The four numbers of a CartPole state differ in size. An angle of 0.2 is already the end, a position
of 2.4 as well. `Scale` brings them to one size before anything is learned, as standardization does
for a table; the factors are fixed, since an agent has no data set to take them from.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["Scale", "network"]


class Scale(nn.Module):
    """Multiply each number of a state by a fixed factor.

    Parameters
    ----------
    factors : sequence of float
        One for each number of a state; by default those for CartPole: position (meters), velocity,
        angle (radians), angular velocity.

    Examples
    --------
    >>> Scale()(torch.tensor([[2.0, 2.0, 0.2, 2.0]])).tolist()
    [[2.0, 1.0, 1.0, 1.0]]
    """

    def __init__(self, factors: Sequence[float] = (1.0, 0.5, 5.0, 0.5)) -> None:
        super().__init__()
        # A buffer moves to a device with the model, and is no parameter.
        self.register_buffer("factors", torch.tensor(factors))

    def forward(self, states: Tensor) -> Tensor:
        """Scale states of shape (..., d)."""
        return states * self.factors


def network(
    outputs: int, hidden: Sequence[int] = (32,), activation: type[nn.Module] = nn.Tanh
) -> nn.Sequential:
    """Make a network for CartPole's states.

    Parameters
    ----------
    outputs : int
        2 for a policy (logits of the actions) or for Q-values, 1 for the value of a state.
    hidden : sequence of int
        Units of the hidden layers.
    activation : type
        Made anew after each hidden layer.

    Returns
    -------
    nn.Sequential
        From states of shape (n, 4) to (n, outputs).

    Examples
    --------
    >>> network(2)(torch.zeros(5, 4)).shape
    torch.Size([5, 2])
    """
    layers: list[nn.Module] = [Scale()]
    before = 4
    for units in hidden:
        layers += [nn.Linear(before, units), activation()]
        before = units
    return nn.Sequential(*layers, nn.Linear(before, outputs))
