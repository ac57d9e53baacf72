"""An actor that draws its actions from a normal distribution, and a critic that judges states.

Where an action is a number (a torque, the angle of a wheel), a policy cannot give each its own
probability. The actor's network gives the mean of a normal distribution, and a parameter of its own
the standard deviation: how much it tries out. The critic is a second network, for the value of a
state.

References
----------
V. R. Konda and J. N. Tsitsiklis, "Actor-Critic Algorithms", 1999.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from course_lib.models.policy import Scale

__all__ = ["ActorCritic"]


class ActorCritic(nn.Module):
    """Two networks side by side, for one action between about -1 and 1.

    Parameters
    ----------
    scale : sequence of float
        A factor for each number that is seen, which brings all of them to about one size.
    hidden : int
        Units of each of the two hidden layers of either network.
    spread : float
        Standard deviation of the actions at the beginning.
    worth : float
        What the critic's output is multiplied by, so that values of this size are easy to learn.

    Attributes
    ----------
    log_std : nn.Parameter, shape ()
        Logarithm of the standard deviation.

    Examples
    --------
    >>> agent = ActorCritic(scale=[1, 1, 0.25])
    >>> states = torch.zeros(5, 3)
    >>> agent.mean(states).shape, agent.value(states).shape
    (torch.Size([5]), torch.Size([5]))
    """

    def __init__(
        self, scale: Sequence[float], hidden: int = 64, *, spread: float = 0.6, worth: float = 10.0
    ) -> None:
        super().__init__()
        self.actor = _network(scale, hidden)
        self.critic = _network(scale, hidden)
        self.log_std = nn.Parameter(torch.tensor(math.log(spread)))
        self.worth = worth
        with torch.no_grad():  # nearly the same action everywhere, to begin with
            self.actor[-1].weight.mul_(0.1)

    def mean(self, states: Tensor) -> Tensor:
        """Return the middle of the distribution of actions, shape (...,), of states (..., d)."""
        return self.actor(states)[..., 0]

    def draw(self, states: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Draw an action for each state, shape (...,), without a gradient."""
        with torch.no_grad():
            mean = self.mean(states)
            noise = torch.randn(mean.shape, generator=generator, device=mean.device)
            return mean + self.log_std.exp() * noise

    def log_prob(self, states: Tensor, actions: Tensor) -> Tensor:
        """Return the logarithm of the density of each action, shape (...,)."""
        apart = (actions - self.mean(states)) / self.log_std.exp()
        return -0.5 * apart**2 - self.log_std - 0.5 * math.log(2 * math.pi)

    def value(self, states: Tensor) -> Tensor:
        """Return what the critic says that each state is worth, shape (...,)."""
        return self.worth * self.critic(states)[..., 0]


def _network(scale: Sequence[float], hidden: int) -> nn.Sequential:
    """Make a network with two hidden layers and one output."""
    return nn.Sequential(
        Scale([float(factor) for factor in scale]),
        nn.Linear(len(scale), hidden),
        nn.ReLU(),
        nn.Linear(hidden, hidden),
        nn.ReLU(),
        nn.Linear(hidden, 1),
    )
