"""Figures of the chapter *Reinforcement learning*, and the drawing of a cart with its pole."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter
from numpy.typing import ArrayLike, NDArray

from course_lib.plotting import drawings
from course_lib.plotting.style import (
    COLORS,
    GRID,
    INK,
    LINE_STYLES,
    MUTED,
    PAPER,
    new_figure,
    styled,
)

__all__ = [
    "agent_and_environment",
    "backup",
    "cart_pole",
    "carts",
    "cliff",
    "deep_q_network",
    "frames",
    "gradients",
    "learning",
    "policies",
    "regret",
]

# Where the four moves of `course_lib.data.gridworlds` point, on a map whose rows count downward.
_MOVES = ((0, -1), (1, 0), (0, 1), (-1, 0))

#: What a curve over seeds is: one array of steps and one of values per seed.
Runs = Sequence[tuple[ArrayLike, ArrayLike]]


@styled
def agent_and_environment() -> Figure:
    """Draw the loop of an agent and its environment.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(width=6.0, height=1.5)
    drawings.blank(axes, 5.8, 1.4)
    agent = drawings.box(
        axes, (0.9, 0.7), "agent", r"policy $\pi$", width=1.35, height=0.95, thick=True
    )
    world = drawings.box(
        axes, (4.8, 0.7), "environment", "transitions $P$\nrewards $R$", width=1.6, height=1.05
    )
    right, left = agent.x + agent.width / 2, world.x - world.width / 2
    drawings.arrow(axes, (right, 0.95), (left, 0.95))
    drawings.label(axes, ((right + left) / 2, 1.06), "action $a_t$", va="bottom")
    drawings.arrow(axes, (left, 0.45), (right, 0.45))
    drawings.label(
        axes,
        ((right + left) / 2, 0.34),
        "next state $s_{t+1}$, reward $r_t$",
        va="top",
    )
    return figure


@styled
def backup(state: str, moves: Mapping[str, Sequence[tuple[float, str, float]]]) -> Figure:
    """Draw how the value of a state comes from those of the states behind its moves.

    Parameters
    ----------
    state : str
        What the state is called.
    moves : mapping of str to sequence of (probability, name, value)
        For each move, by its name: where it may lead, each with its probability and with what is
        had there, R + γ V(s'). Two moves are drawn well, with up to three outcomes each.

    Returns
    -------
    matplotlib.figure.Figure
    """
    pitch, gap = 0.98, 0.3
    width = sum(map(len, moves.values())) * pitch + gap * (len(moves) - 1) + 1.9
    figure, axes = new_figure(width=width, height=3.0)
    drawings.blank(axes, width, 3.0)
    values = {
        move: sum(chance * value for chance, _, value in outcomes)
        for move, outcomes in moves.items()
    }
    best = max(values, key=lambda move: values[move])
    top = drawings.node(axes, ((width + 1.5) / 2, 2.62), state, radius=0.26, thick=True)
    signed = _signed(values[best])
    drawings.label(axes, (top.x + 0.4, 2.74), f"$V(s)$ = {signed}", ha="left", bold=True)
    left = 1.9
    for move, outcomes in moves.items():
        places = left + pitch * np.arange(len(outcomes))
        color = COLORS[0] if move == best else MUTED
        action = drawings.node(axes, (float(places.mean()), 1.66), radius=0.09, color=color)
        drawings.arrow(axes, top, action, color=color, width=2.2 if move == best else 1.2)
        text = f"{move}: $Q$ = {_signed(values[move])}"
        side = -1 if action.x < top.x else 1  # away from the arrow
        drawings.label(
            axes, (action.x + 0.16 * side, 1.72), text, ha="right" if side < 0 else "left"
        )
        for x, (chance, name, value) in zip(places, outcomes, strict=True):
            end = drawings.node(axes, (float(x), 0.62), name, radius=0.24)
            drawings.arrow(axes, action, end, color=color)
            drawings.label(axes, ((x + action.x) / 2, 1.17), f"{chance:g}", size=9, on_line=True)
            drawings.label(axes, (float(x), 0.2), _signed(value), size=10)
        left = float(places[-1]) + pitch + gap
    for y, text in (
        (2.14, "the largest"),
        (1.17, "the mean"),
        (0.2, r"$R + \gamma\,V(s')$"),
    ):
        drawings.label(axes, (0.1, y), text, ha="left", color=MUTED)
    return figure


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


@styled
def deep_q_network(every: str = "now and then") -> Figure:
    """Draw the loop of a deep Q-network: acting, remembering, and learning from what is remembered.

    Parameters
    ----------
    every : str
        When the target network becomes a copy of the other.

    Returns
    -------
    matplotlib.figure.Figure
    """
    width, height = 7.2, 3.1
    figure, axes = new_figure(width=width, height=height)
    drawings.blank(axes, width, height)
    world = drawings.box(axes, (0.95, 2.45), "environment", width=1.45, height=0.62)
    memory = drawings.box(axes, (0.95, 0.62), "replay memory", width=1.55, height=0.62)
    network = drawings.box(
        axes,
        (3.95, 2.45),
        "network",
        "$Q(s, a)$",
        width=1.5,
        height=0.7,
        color=COLORS[0],
        thick=True,
    )
    target = drawings.box(
        axes, (3.95, 0.62), "target network", r"largest $Q(s', a')$", width=1.75, height=0.7
    )
    loss = drawings.box(
        axes, (6.35, 1.54), "loss", r"$(Q - \mathrm{target})^2$", width=1.45, height=0.74
    )
    drawings.arrow(axes, (network.left[0], 2.6), (world.right[0], 2.6))
    drawings.label(axes, (2.43, 2.67), "action $a$", va="bottom", size=9)
    drawings.arrow(axes, (world.right[0], 2.3), (network.left[0], 2.3))
    drawings.label(axes, (2.43, 2.23), "state $s$", va="top", size=9)
    drawings.arrow(axes, world, memory)
    drawings.label(axes, (1.05, 1.54), "$s,\\ a,\\ r,\\ s',$ end", ha="left", size=9)
    drawings.arrow(axes, memory, target)
    drawings.label(axes, (2.42, 0.72), "a random batch", va="bottom", size=9)
    drawings.label(axes, (2.42, 0.52), "$r,\\ s',$ end", va="top", size=9)
    drawings.arrow(axes, (memory.right[0], 0.8), (network.left[0], 2.12))
    drawings.label(axes, (2.5, 1.46), "$s,\\ a$", size=9, on_line=True)
    drawings.arrow(axes, network, target, style="--")
    drawings.label(axes, (4.05, 1.54), f"copied\n{every}", ha="left", size=9)
    drawings.arrow(axes, target, loss)
    drawings.label(
        axes, (5.3, 0.86), r"$r + \gamma \max_{a'} Q(s', a')$", ha="left", va="top", size=9
    )
    drawings.arrow(axes, (network.right[0], 2.3), (6.1, loss.top[1]))
    drawings.arrow(axes, (6.55, loss.top[1]), (network.right[0], 2.62), color=COLORS[1], width=1.8)
    drawings.label(axes, (6.0, 2.62), "gradient", ha="left", va="bottom", size=9, color=COLORS[1])
    return figure


@styled
def regret(curves: Mapping[str, NDArray[np.float64]]) -> Figure:
    """Draw how much each strategy has lost after each pull of a lever.

    Parameters
    ----------
    curves : mapping of str to ndarray, shape (runs, pulls)
        The loss of each pull against the best lever, by name of the strategy. The band holds the
        middle half of the runs.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.4)
    for (name, lost), color, style in zip(curves.items(), COLORS, LINE_STYLES, strict=False):
        total = lost.cumsum(axis=1)
        pulls = np.arange(1, total.shape[1] + 1)
        low, high = np.percentile(total, [25, 75], axis=0)
        axes.fill_between(pulls, low, high, color=color, alpha=0.15, linewidth=0)
        axes.plot(pulls, total.mean(axis=0), color=color, linestyle=style, label=name)
    axes.set_xlim(0, pulls[-1])
    axes.set_ylim(bottom=0)
    axes.set_xlabel("pulls")
    axes.set_ylabel("regret so far (reward)")
    axes.legend(loc="upper left")
    return figure


@styled
def policies(
    panels: Mapping[str, tuple[NDArray[np.str_], ArrayLike, ArrayLike]], columns: int = 2
) -> Figure:
    """Draw worlds of squares with what each square is worth and the move that is made there.

    Parameters
    ----------
    panels : mapping of str to (letters, values, moves)
        By title: the map, shape (height, width), and for each square, row by row, its value and its
        move (0 up, 1 right, 2 down, 3 left; -1 for none). Walls, goals and holes have neither.
    columns : int
        Panels side by side.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = -(-len(panels) // columns)
    height, width = next(iter(panels.values()))[0].shape
    side = 7.0 / columns / width
    figure, axes = new_figure(rows, columns, height=rows * (side * height + 0.4), squeeze=False)
    for panel in axes.flat[len(panels) :]:
        panel.set_axis_off()
    for panel, (title, (letters, values, moves)) in zip(axes.flat, panels.items(), strict=False):
        panel.set_title(title)
        _world(panel, letters)
        values, moves = np.asarray(values), np.asarray(moves)
        largest = np.abs(values).max() or 1.0
        for square, letter in enumerate(letters.flat):
            row, column = divmod(square, letters.shape[1])
            if letter in "#GX":
                continue
            _shade(panel, row, column, values[square] / largest)
            panel.text(
                column,
                row + 0.3,
                f"{values[square]:.2f}".replace("-", "−"),
                ha="center",
                va="center",
                fontsize=9,
                color=INK,
                zorder=4,
            )
            if moves[square] >= 0:
                dx, dy = _MOVES[int(moves[square])]
                panel.annotate(
                    "",
                    (column + 0.22 * dx, row - 0.16 + 0.22 * dy),
                    (column - 0.22 * dx, row - 0.16 - 0.22 * dy),
                    arrowprops={"arrowstyle": "-|>", "color": INK, "shrinkA": 0, "shrinkB": 0},
                    zorder=4,
                )
    return figure


@styled
def cliff(
    letters: NDArray[np.str_],
    paths: Mapping[str, Sequence[int]],
    returns: Mapping[str, NDArray[np.float64]],
    window: int = 20,
) -> Figure:
    """Draw two walks along a cliff, and what was earned while they were learned.

    Parameters
    ----------
    letters : ndarray of str, shape (height, width)
        The map.
    paths : mapping of str to sequence of int
        The squares of a walk, by name.
    returns : mapping of str to ndarray, shape (seeds, episodes)
        What each episode earned, by the same names. The band holds the middle half of the seeds.
    window : int
        How many episodes a point of the curve averages.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (above, below) = new_figure(2, 1, height=5.2, height_ratios=[1, 1.15])
    _world(above, letters)
    width = letters.shape[1]
    for (name, path), color, style, shift in zip(
        paths.items(), COLORS, LINE_STYLES, (-0.08, 0.08), strict=False
    ):
        rows, columns = np.divmod(np.asarray(path), width)
        along = rows + shift
        along[-1] = rows[-1] - 0.46  # up to the goal, and not through its name
        above.plot(columns + shift, along, color=color, linestyle=style, linewidth=2.4, label=name)
    above.set_title("The walk after learning")
    for (name, earned), color, style in zip(returns.items(), COLORS, LINE_STYLES, strict=False):
        smooth = np.array([np.convolve(run, np.ones(window) / window, "valid") for run in earned])
        at = np.arange(window, earned.shape[1] + 1)
        low, high = np.percentile(smooth, [25, 75], axis=0)
        below.fill_between(at, low, high, color=color, alpha=0.18, linewidth=0)
        below.plot(at, smooth.mean(axis=0), color=color, linestyle=style, label=name)
    below.set_xlim(0, earned.shape[1])
    below.set_ylim(-100, 0)
    below.set_xlabel("episode")
    below.set_ylabel("return while learning")
    below.legend(loc="lower right")
    return figure


@styled
def gradients(estimates: Mapping[str, NDArray[np.float64]]) -> Figure:
    """Draw estimates of one gradient, a dot each, along the direction of their common mean.

    Parameters
    ----------
    estimates : mapping of str to ndarray, shape (n,)
        The component of each estimate along the mean gradient, in units of its length, by the kind
        of estimate.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=2.7)
    rng = np.random.default_rng(0)
    names = list(estimates)
    limit = max(float(np.percentile(np.abs(part), 98)) for part in estimates.values())
    for place, (name, color) in enumerate(zip(names, COLORS, strict=False)):
        part, at = estimates[name], len(names) - 1 - place
        high = at + rng.uniform(-0.28, 0.28, len(part))
        axes.scatter(part, high, s=7, color=color, alpha=0.45, linewidths=0)
        low, top = part.mean() - part.std(), part.mean() + part.std()
        axes.plot([low, top], [at, at], color=INK, linewidth=1.6, linestyle="-")
        axes.plot([low, top], [at, at], "|", color=INK, markersize=11, markeredgewidth=1.6)
    axes.axvline(1, color=MUTED, linestyle=":", linewidth=1.4)
    axes.axvline(0, color=INK, linewidth=0.8, linestyle="-")
    axes.set_xlim(-limit, limit)
    axes.set_ylim(-0.5, len(names) - 0.5)
    axes.set_yticks(range(len(names)), names[::-1])
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("component along the mean gradient, in units of its length")
    return figure


@styled
def learning(curves: Mapping[str, Runs], best: float) -> Figure:
    """Draw what agents earn against the steps that they have made, a band over the seeds.

    Parameters
    ----------
    curves : mapping of str to sequence of (steps, returns)
        One pair of arrays per seed, by name. The line is the mean over the seeds, the band reaches
        from the lowest to the highest.
    best : float
        The highest return there is.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=3.6)
    axes.axhline(best, color=MUTED, linestyle=":", linewidth=1.2)
    for (name, runs), color, style in zip(curves.items(), COLORS, LINE_STYLES, strict=False):
        first = max(float(np.asarray(steps)[0]) for steps, _ in runs)
        last = min(float(np.asarray(steps)[-1]) for steps, _ in runs)
        at = np.linspace(first, last, 120)
        each = np.array([np.interp(at, steps, returns) for steps, returns in runs])
        axes.fill_between(
            at, each.min(axis=0), each.max(axis=0), color=color, alpha=0.15, linewidth=0
        )
        axes.plot(at, each.mean(axis=0), color=color, linestyle=style, label=name)
    axes.set_xlim(left=0)
    axes.set_ylim(0, 1.05 * best)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
    axes.set_xlabel("steps in the environment")
    axes.set_ylabel("steps balanced per episode")
    axes.legend(loc="lower right")
    return figure


@styled
def frames(rows: Mapping[str, tuple[ArrayLike, Sequence[float]]]) -> Figure:
    """Draw moments of CartPole episodes, an episode a row.

    Parameters
    ----------
    rows : mapping of str to (states, seconds)
        By title: states of shape (k, 4), the same k in each row, and the time of each.

    Returns
    -------
    matplotlib.figure.Figure
    """
    count = len(next(iter(rows.values()))[1])
    figure, axes = new_figure(
        len(rows),
        count + 1,
        height=0.85 * len(rows),
        squeeze=False,
        width_ratios=[0.85] + [1] * count,
    )
    for line, (title, (states, seconds)) in zip(axes, rows.items(), strict=True):
        line[0].set_axis_off()
        line[0].text(0, 0.4, title, va="center", fontweight="bold", color=INK)
        for panel, state, second in zip(line[1:], np.asarray(states), seconds, strict=True):
            cart_pole(state, panel)
            panel.set_title(f"{second:.2f} s", fontsize=9.5, fontweight="normal", loc="center")
    return figure


@styled
def carts(panels: Mapping[str, tuple[ArrayLike, float | None]], seconds: float) -> Figure:
    """Draw one moment of several CartPole episodes side by side: a frame of a film.

    Parameters
    ----------
    panels : mapping of str to (state, seconds or None)
        By title: a state of shape (4,), and when the pole fell; None while it has not.
    seconds : float
        The time of this moment.

    Returns
    -------
    matplotlib.figure.Figure
    """
    apart = 5.6
    figure, axes = new_figure(height=1.45)
    # One panel without ticks, at a place of its own: a film has many frames, and each is laid out.
    figure.set_layout_engine("none")
    axes.set(position=(0, 0, 1, 1), xticks=[], yticks=[], aspect="equal")
    axes.set(xlim=(-apart / 2, (len(panels) - 0.5) * apart), ylim=(-1.15, 2.2))
    axes.set_axis_off()
    for k, (title, (state, fell)) in enumerate(panels.items()):
        _cart(axes, state, k * apart)
        axes.text(k * apart, 1.6, title, ha="center", fontsize=11, fontweight="bold", color=INK)
        says = f"up for {seconds:.1f} s" if fell is None else f"over after {fell:.1f} s"
        axes.text(k * apart, -0.42, says, ha="center", va="top", fontsize=10, color=INK)
    return figure


def cart_pole(state: ArrayLike, axes: Axes) -> None:
    """Draw one moment of CartPole from its state.

    Parameters
    ----------
    state : array_like, shape (4,)
        Position of the cart (meters), its velocity, the angle of the pole (radians, to the right
        of upright) and its angular velocity, as Gymnasium's CartPole gives them. The velocities
        are not drawn.
    axes : matplotlib.axes.Axes
        Get limits, lose their frame. For a film, clear them before each moment.
    """
    axes.set_axis_off()
    axes.set_xlim(-2.65, 2.65)
    axes.set_ylim(-0.35, 1.5)
    axes.set_aspect("equal")
    _cart(axes, state)


def _cart(axes: Axes, state: ArrayLike, middle: float = 0.0) -> None:
    """Draw a cart with its pole on a track whose middle is somewhere."""
    x, angle = middle + float(np.asarray(state)[0]), float(np.asarray(state)[2])
    ends = [middle - 2.4, middle + 2.4]  # beyond these the episode is over
    axes.plot(ends, [0, 0], color=MUTED, linewidth=1.2, linestyle="-", zorder=1)
    for end in ends:
        axes.plot([end, end], [-0.18, 0.18], color=MUTED, linewidth=1.2, linestyle="-", zorder=1)
    axes.add_patch(
        Rectangle((x - 0.35, -0.16), 0.7, 0.32, facecolor=PAPER, edgecolor=INK, linewidth=1.3)
    )
    tip = x + np.sin(angle), 0.16 + np.cos(angle)
    axes.plot([x, tip[0]], [0.16, tip[1]], color=COLORS[1], linewidth=3.2, linestyle="-", zorder=3)
    axes.plot([x], [0.16], marker="o", color=INK, markersize=3.5, zorder=4)


def _world(axes: Axes, letters: NDArray[np.str_]) -> None:
    """Draw the squares of a world: walls, holes, start and goal."""
    height, width = letters.shape
    for row in range(height):
        for column in range(width):
            letter = str(letters[row, column])
            how = {"facecolor": "none", "edgecolor": GRID, "linewidth": 0.8, "zorder": 2}
            if letter == "#":
                how |= {"facecolor": MUTED, "edgecolor": MUTED}
            axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, **how))
            if letter in "GX":
                color = COLORS[2] if letter == "G" else COLORS[1]
                mark = Rectangle((column - 0.42, row - 0.42), 0.84, 0.84, facecolor="none")
                mark.set(edgecolor=color, linewidth=1.8, zorder=3)
                axes.add_patch(mark)
                text = {"G": "goal", "X": "hole"}[letter]
                axes.text(column, row, text, ha="center", va="center", fontsize=9, color=INK)
            elif letter not in ".#":
                axes.text(
                    column - 0.44,
                    row - 0.42,
                    letter,
                    ha="left",
                    va="top",
                    fontsize=9,
                    fontweight="bold",
                    color=INK,
                )
    axes.set_xlim(-0.52, width - 0.48)
    axes.set_ylim(height - 0.48, -0.52)
    axes.set_aspect("equal")
    axes.set_axis_off()


def _shade(axes: Axes, row: int, column: int, share: float) -> None:
    """Shade a square by a number between -1 and 1; a negative one is hatched as well."""
    how = {"facecolor": COLORS[0]} if share >= 0 else {"facecolor": COLORS[1], "hatch": "///"}
    axes.add_patch(
        Rectangle(
            (column - 0.5, row - 0.5),
            1,
            1,
            alpha=0.45 * abs(share),
            edgecolor="none",
            zorder=1,
            **how,
        )
    )
