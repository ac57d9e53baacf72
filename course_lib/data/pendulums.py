"""Gymnasium's Pendulum, many at once.

A rod hangs from an axle with a motor that is too weak to lift it: it has to be swung up. The
equations are those of ``Pendulum-v1``, step by step the same, and that they are is tested. Running
a hundred of them takes one call here and a hundred there.

Gymnasium is under the MIT license; nothing of its code is in here. Known faults: no friction, a
step of 0.05 seconds that adds energy, and a start that is drawn anew when the time is up, so that a
run never ends by itself. Not for comparing with published numbers: those begin all episodes at 0
and stop after 200 steps, which is what `limit=200` and `stagger=False` do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["TORQUE", "Pendulums"]

#: The largest torque of the motor, in newton meters.
TORQUE = 2.0

Array = NDArray[np.float64]


class Pendulums:
    """Pendulums that swing side by side, with the methods of Gymnasium's environments.

    Parameters
    ----------
    n : int
        Pendulums.
    limit : int
        Steps until one is stopped (*truncated*) and begins anew.

    Attributes
    ----------
    state : ndarray, shape (n, 2)
        Angle from upright (radians, growing without bounds) and angular velocity (radians/second).

    Examples
    --------
    >>> swing = Pendulums(2)
    >>> swing.reset(seed=0)[0].shape
    (2, 3)
    >>> swing.step(np.zeros(2))[1].shape
    (2,)
    """

    def __init__(self, n: int, *, limit: int = 200) -> None:
        self.n, self.limit = n, limit
        self.state = np.zeros((n, 2))
        self._random: np.random.Generator | None = None

    def reset(self, *, seed: int, stagger: bool = False) -> tuple[Array, dict[str, Any]]:
        """Begin anew with all pendulums.

        Parameters
        ----------
        seed : int
        stagger : bool
            Begin as if each had been swinging for a while already, so that their time is not up all
            at once.

        Returns
        -------
        observations : ndarray, shape (n, 3)
            Cosine and sine of the angle, and the angular velocity.
        info : dict
            Empty.
        """
        self._random = np.random.default_rng(seed)
        self.state = self._starts(self.n)
        self._steps = np.zeros(self.n, int)
        if stagger:
            self._steps = self._random.integers(self.limit, size=self.n)
        return self.observe(), {}

    def _starts(self, k: int) -> Array:
        """Draw states to begin with, shape (k, 2)."""
        return self._random.uniform([-np.pi, -1], [np.pi, 1], (k, 2))

    def observe(self) -> Array:
        """Return what can be seen, shape (n, 3)."""
        angle, velocity = self.state.T
        return np.stack([np.cos(angle), np.sin(angle), velocity], axis=1)

    def step(
        self, torques: Array
    ) -> tuple[Array, Array, NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Swing on for 0.05 seconds.

        Parameters
        ----------
        torques : ndarray, shape (n,)
            In newton meters, limited to ±`TORQUE`.

        Returns
        -------
        observations : ndarray, shape (n, 3)
            Of a new start where the time was up.
        rewards : ndarray, shape (n,)
            Minus the square of the angle (wrapped), a tenth of that of the velocity, and a
            thousandth of that of the torque, all before the step.
        terminated : ndarray of bool, shape (n,)
            None: nothing ends this.
        truncated : ndarray of bool, shape (n,)
            Whose time was up.
        info : dict
            "final_obs", shape (n, 3): what was seen at the end of the step, before any new start.

        Raises
        ------
        RuntimeError
            Before the first `reset`.
        """
        if self._random is None:
            raise RuntimeError("Nothing swings yet: call reset(seed=...) before step().")
        angle, velocity = self.state.T
        torques = np.clip(torques, -TORQUE, TORQUE)
        wrapped = (angle + np.pi) % (2 * np.pi) - np.pi
        rewards = -(wrapped**2 + 0.1 * velocity**2 + 0.001 * torques**2)
        velocity = np.clip(velocity + 0.05 * (15 * np.sin(angle) + 3 * torques), -8, 8)
        self.state = np.stack([angle + 0.05 * velocity, velocity], axis=1)
        self._steps += 1
        seen = self.observe()
        info = {"final_obs": seen}
        stopped = self._steps >= self.limit
        if stopped.any():
            self.state[stopped] = self._starts(int(stopped.sum()))
            self._steps[stopped] = 0
            seen = self.observe()
        return seen, rewards, np.zeros(self.n, bool), stopped, info
