"""A car on a winding road, small enough to drive thousands of them at once in NumPy.

A road is a closed curve. Where a car is on it, three numbers say: how far along the middle of the
lane it is, `s` (meters), how far to the left of the middle, `d` (meters), and by which angle its
heading is turned to the left of the road's, `psi` (radians). Cars keep a constant speed; what there
is to choose is the angle of the front wheels. The equations are those of the *kinematic bicycle*:
one front and one rear wheel that roll where they point. Two things go beyond it: grip limits how
sharply a car turns, and a command may reach the wheels some steps late.

What the driver sees is the state itself, or the picture of a camera with a single row of pixels.

The roads are drawn at random from a seed; they were made for this course, so there is no license
to mind. Known faults: constant speed, no other cars, no slope, wheels that never slide, one lane
whose width is the same everywhere, and a camera that sees nothing but the paint at its edges. Not
for judging a controller of a real car, nor for comparing methods beyond this course.

References
----------
R. Rajamani, "Vehicle Dynamics and Control", second edition, 2012, chapter 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "DT",
    "EDGE",
    "GRAVITY",
    "LIMIT",
    "SPEED",
    "Car",
    "Roads",
    "Traffic",
    "camera",
    "draw_cars",
    "draw_roads",
    "move",
    "wrap",
]

#: Seconds between two decisions.
DT = 0.1
#: Meters per second (36 km/h).
SPEED = 10.0
#: Meters from the middle of the lane to its edge: beyond it, the car has left the road.
EDGE = 2.0
#: The largest angle of the front wheels, in radians (29 degrees).
LIMIT = 0.5
#: Meters per second squared.
GRAVITY = 9.81

_POINTS = 512

Array = NDArray[np.float64]


def wrap(angle: ArrayLike) -> Array:
    """Bring angles (radians) into -pi ... pi, where a turn to the left and one to the right meet.

    Examples
    --------
    >>> wrap([0.5, 2 * np.pi + 0.5, -1.5 * np.pi]).round(4).tolist()
    [0.5, 0.5, 1.5708]
    """
    return (np.asarray(angle, dtype=float) + np.pi) % (2 * np.pi) - np.pi


@dataclass(frozen=True)
class Car:
    """What distinguishes one car from another; numbers, or arrays of one number per car.

    Attributes
    ----------
    wheelbase : float or ndarray, shape (n,)
        Meters from the front axle to the rear one. A longer car turns less for the same angle.
    grip : float or ndarray, shape (n,)
        The largest acceleration to the side, in units of gravity: about 0.9 on a dry road.
    delay : int or ndarray, shape (n,)
        Steps until a command reaches the wheels.
    """

    wheelbase: float | Array = 2.7
    grip: float | Array = 0.9
    delay: int | NDArray[np.int64] = 0


@dataclass(frozen=True)
class Roads:
    """Closed roads, each given at points with equal distances along its middle.

    Attributes
    ----------
    x, y : ndarray, shape (roads, points)
        The middle of the lane, in meters.
    heading : ndarray, shape (roads, points)
        Its direction, in radians. It grows by 2 pi along a lap.
    curvature : ndarray, shape (roads, points)
        One over the radius of the turn, in 1/meters; positive to the left.
    length : ndarray, shape (roads,)
        Of a lap, in meters.
    """

    x: Array
    y: Array
    heading: Array
    curvature: Array
    length: Array

    def at(self, road: NDArray[np.int64], s: ArrayLike) -> tuple[Array, Array, Array]:
        """Return x, y and heading of points `s` meters along roads, on any lap."""
        i, j, share = self._between(road, s)
        x, y = (
            part[road, i] + share * (part[road, j] - part[road, i]) for part in (self.x, self.y)
        )
        turn = wrap(self.heading[road, j] - self.heading[road, i])
        return x, y, self.heading[road, i] + share * turn

    def bend(self, road: NDArray[np.int64], s: ArrayLike) -> Array:
        """Return the curvature `s` meters along roads, on any lap."""
        i, j, share = self._between(road, s)
        here = self.curvature[road, i]
        return here + share * (self.curvature[road, j] - here)

    def _between(
        self, road: NDArray[np.int64], s: ArrayLike
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
        """Return the two points that `s` lies between, and how far on its way it is."""
        place = np.asarray(s) / self.length[road] * _POINTS
        below = np.floor(place)
        # The number of points is a power of two: cutting off bits is the remainder, and faster.
        i = below.astype(np.int64) & (_POINTS - 1)
        return i, (i + 1) & (_POINTS - 1), place - below


def draw_roads(n: int, seed: int, *, radius: float = 60.0, bends: float = 0.5) -> Roads:
    """Draw closed roads at random.

    Parameters
    ----------
    n : int
    seed : int
    radius : float
        Of the circle that each road winds around, in meters.
    bends : float
        How strongly it winds; 0 is a circle.

    Returns
    -------
    Roads
        No turn is tighter than a radius of 14 meters.

    Examples
    --------
    >>> roads = draw_roads(2, seed=0)
    >>> roads.x.shape, bool(abs(roads.curvature).max() < 1 / 14)
    ((2, 512), True)
    """
    rng = np.random.default_rng(seed)
    fine = np.linspace(0, 2 * np.pi, 4 * _POINTS, endpoint=False)
    waves = np.arange(2, 7)
    made: list[tuple[Array, Array, Array, Array, float]] = []
    while len(made) < n:
        size = bends * rng.uniform(0.2, 1, len(waves)) / waves**1.3
        angles = waves[:, None] * fine + rng.uniform(0, 2 * np.pi, (len(waves), 1))
        road = _resampled(fine, radius * (1 + size @ np.cos(angles)))
        if np.abs(road[3]).max() < 1 / 14:
            made.append(road)
    x, y, heading, curvature, length = (np.array(part) for part in zip(*made, strict=True))
    return Roads(x, y, heading, curvature, length)


def _resampled(angle: Array, r: Array) -> tuple[Array, Array, Array, Array, float]:
    """Turn a curve in polar coordinates into points with equal distances along it."""
    closed = np.append(r * np.exp(1j * angle), r[0])
    along = np.append(0, np.abs(np.diff(closed)).cumsum())
    s = np.arange(_POINTS) / _POINTS * along[-1]
    z = np.interp(s, along, closed.real) + 1j * np.interp(s, along, closed.imag)
    step = along[-1] / _POINTS
    heading = np.unwrap(np.angle(np.roll(z, -1) - np.roll(z, 1)))
    ahead, behind = np.append(heading[1:], heading[0] + 2 * np.pi), np.roll(heading, 1)
    behind[0] -= 2 * np.pi
    return z.real, z.imag, heading, (ahead - behind) / (2 * step), float(along[-1])


def draw_cars(
    n: int,
    seed: int,
    *,
    wheelbase: tuple[float, float] = (2.3, 4.0),
    grip: tuple[float, float] = (0.6, 1.0),
    delay: tuple[int, int] = (0, 4),
) -> Car:
    """Draw cars whose properties lie uniformly between two ends, both ends of `delay` included.

    Examples
    --------
    >>> draw_cars(3, seed=0).delay.shape
    (3,)
    """
    rng = np.random.default_rng(seed)
    return Car(
        rng.uniform(*wheelbase, n),
        rng.uniform(*grip, n),
        rng.integers(delay[0], delay[1] + 1, n),
    )


def move(state: Array, wheels: ArrayLike, curvature: ArrayLike, car: Car) -> Array:
    """Move cars by one step.

    Parameters
    ----------
    state : ndarray, shape (..., 3)
        `s`, `d` and `psi` of each car.
    wheels : array_like, shape (...,)
        Angle of the front wheels (radians), positive to the left. It is limited to ±`LIMIT`.
    curvature : array_like, shape (...,)
        Of the road where each car is.
    car : Car

    Returns
    -------
    ndarray, shape (..., 3)
        The states one step later.

    Examples
    --------
    >>> straight_ahead = move(np.array([0.0, 0.5, 0.1]), wheels=0.0, curvature=0.0, car=Car())
    >>> straight_ahead.round(3).tolist()
    [0.995, 0.6, 0.1]
    """
    s, d, psi = np.moveaxis(state, -1, 0)
    bend = np.tan(np.clip(wheels, -LIMIT, LIMIT)) / car.wheelbase
    most = car.grip * GRAVITY / SPEED**2
    bend = np.clip(bend, -most, most)
    # On the inside of a turn, a meter of the car's is more than a meter of the road's middle.
    along = SPEED * np.cos(psi) / np.maximum(1 - np.asarray(curvature) * d, 0.2)
    turned = psi + DT * (SPEED * bend - curvature * along)
    middle = (psi + turned) / 2
    return np.stack([s + DT * along, d + DT * SPEED * np.sin(middle), wrap(turned)], axis=-1)


def camera(
    roads: Roads,
    road: NDArray[np.int64],
    state: Array,
    *,
    pixels: int = 16,
    distance: float = 10.0,
    half_angle: float = 0.5,
    paint: ArrayLike = 1.0,
) -> Array:
    """Take a picture with one row of pixels, which looks at the ground some meters ahead.

    Parameters
    ----------
    roads : Roads
    road : ndarray of int, shape (n,)
        On which road each car is.
    state : ndarray, shape (n, 3)
        `s`, `d` and `psi` of each car.
    pixels : int
        From left to right.
    distance : float
        How far ahead the row lies on the ground, in meters.
    half_angle : float
        Half of the angle of view, in radians.
    paint : array_like
        How bright the lines at the edges of the lane are, one number or one per car; 1 is new
        paint, 0 none.

    Returns
    -------
    ndarray, shape (n, pixels)
        Brightness, from 0 to `paint`.

    Examples
    --------
    >>> roads = draw_roads(1, seed=0, bends=0)  # a circle
    >>> camera(roads, np.array([0]), np.zeros((1, 3))).shape
    (1, 16)
    """
    s, d, psi = state.T
    x, y, heading = roads.at(road, s)
    far_x, far_y, far_heading = roads.at(road, s + distance)
    looking = heading + psi
    away_x, away_y = far_x - (x - d * np.sin(heading)), far_y - (y + d * np.cos(heading))
    front = away_x * np.cos(looking) + away_y * np.sin(looking)
    left = away_y * np.cos(looking) - away_x * np.sin(looking)
    turned = np.clip(wrap(far_heading - looking), -1, 1)
    left = left + (distance - front) * np.tan(turned)  # of the middle, on the row itself
    row = distance * np.tan(np.linspace(half_angle, -half_angle, pixels))
    apart = np.abs(row - left[:, None]) * np.cos(turned)[:, None]
    pixel = 2 * distance * np.tan(half_angle) / pixels
    lines = np.exp(-0.5 * ((apart - EDGE) / (0.6 * pixel)) ** 2)
    return lines * np.reshape(paint, (-1, 1))


class Traffic:
    """Cars that drive side by side, each for itself, with the methods of Gymnasium's environments.

    A car that has left the road, or whose time is up, begins anew at once, anywhere on any road.
    What a driver sees is six numbers: `d`, five times `psi`, ten times the curvature of the road
    here and five meters ahead, and five times each of the last two commands. The reward of a step
    is 1, minus the square of `d`, minus twice the square of the change of the command, minus 2 for
    leaving the road.

    Parameters
    ----------
    n : int
        Cars.
    roads : Roads
    car : Car
        What all of them are, or each.
    limit : int
        Steps until a car is stopped (*truncated*) and begins anew.
    gust : float
        The wind turns each car by up to this angle (radians) in each step, to either side.
    start : float
        At a start, `d` lies between minus and plus this many meters.

    Attributes
    ----------
    state : ndarray, shape (n, 3)
        `s`, `d` and `psi`.
    road : ndarray of int, shape (n,)
        On which road each car is.

    Examples
    --------
    >>> traffic = Traffic(3, draw_roads(2, seed=0))
    >>> traffic.reset(seed=0)[0].shape
    (3, 6)
    >>> observations, rewards, terminated, truncated, info = traffic.step(np.zeros(3))
    >>> rewards.shape, info["final_obs"].shape
    ((3,), (3, 6))
    """

    def __init__(
        self,
        n: int,
        roads: Roads,
        car: Car | None = None,
        *,
        limit: int = 150,
        gust: float = 0.05,
        start: float = 0.5,
    ) -> None:
        self.n, self.roads, self.car = n, roads, car or Car()
        self.limit, self.gust, self.start = limit, gust, start
        self.delay = np.broadcast_to(np.asarray(self.car.delay), n)
        self.state, self.road = np.zeros((n, 3)), np.zeros(n, int)
        self._random: np.random.Generator | None = None

    def reset(self, *, seed: int, stagger: bool = False) -> tuple[Array, dict[str, Any]]:
        """Begin anew with all cars.

        Parameters
        ----------
        seed : int
        stagger : bool
            Begin as if each car had been on its way for a while already, so that their time is not
            up all at once.

        Returns
        -------
        observations : ndarray, shape (n, 6)
        info : dict
            Empty.
        """
        self._random = np.random.default_rng(seed)
        self._begin(np.ones(self.n, bool))
        if stagger:
            self._steps = self._random.integers(self.limit, size=self.n)
        return self.observe(), {}

    def _begin(self, which: NDArray[np.bool_]) -> None:
        """Put some cars at a start."""
        rng, k = self._random, int(which.sum())
        if which.all():
            self._steps = np.zeros(self.n, int)
            self._commands = np.zeros((self.n, max(2, int(self.delay.max()) + 1)))
        self.road[which] = rng.integers(len(self.roads.length), size=k)
        self.state[which] = np.stack(
            [
                rng.uniform(0, self.roads.length[self.road[which]]),
                rng.uniform(-self.start, self.start, k),
                rng.uniform(-0.05, 0.05, k),
            ],
            axis=1,
        )
        self._steps[which] = 0
        self._commands[which] = 0.0

    def curvature(self, ahead: float = 0.0) -> Array:
        """Return the curvature of the road, shape (n,), so many meters ahead of each car."""
        return self.roads.bend(self.road, self.state[:, 0] + ahead)

    def observe(self) -> Array:
        """Return what the drivers see, shape (n, 6)."""
        s, d, psi = self.state.T
        last, before = self._commands[:, 0], self._commands[:, 1]
        here, ahead = self.roads.bend(self.road, np.stack([s, s + 5.0]))
        return np.stack([d, 5 * psi, 10 * here, 10 * ahead, 5 * last, 5 * before], axis=1)

    def step(
        self, commands: Array
    ) -> tuple[Array, Array, NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Drive on for `DT` seconds.

        Parameters
        ----------
        commands : ndarray, shape (n,)
            The wanted angle of each car's front wheels, in radians, positive to the left.

        Returns
        -------
        observations : ndarray, shape (n, 6)
            Of a new start where a car has just come to an end.
        rewards : ndarray, shape (n,)
        terminated : ndarray of bool, shape (n,)
            Which cars have left the road, or turned by more than 1.2 radians away from it.
        truncated : ndarray of bool, shape (n,)
            Whose time was up.
        info : dict
            "final_obs", shape (n, 6): what was seen at the end of the step, before any new start;
            "d", shape (n,): the distance to the left of the middle at that moment.

        Raises
        ------
        RuntimeError
            Before the first `reset`.
        """
        if self._random is None:
            raise RuntimeError("No car is on its way: call reset(seed=...) before step().")
        commands = np.clip(commands, -LIMIT, LIMIT)
        change = commands - self._commands[:, 0]
        self._commands = np.concatenate([commands[:, None], self._commands[:, :-1]], axis=1)
        wheels = self._commands[np.arange(self.n), self.delay]
        self.state = move(self.state, wheels, self.curvature(), self.car)
        self.state[:, 2] += self._random.uniform(-self.gust, self.gust, self.n)
        self._steps += 1
        d = self.state[:, 1].copy()
        left = (np.abs(d) > EDGE) | (np.abs(self.state[:, 2]) > 1.2)
        stopped = (self._steps >= self.limit) & ~left
        rewards = 1 - d**2 - 2 * change**2 - 2.0 * left
        seen = self.observe()
        info = {"final_obs": seen, "d": d}
        if (left | stopped).any():
            self._begin(left | stopped)
            seen = self.observe()
        return seen, rewards, left, stopped, info
