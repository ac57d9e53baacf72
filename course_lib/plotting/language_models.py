"""Figures of the chapter *Large language models*: stages, next tokens, what tuning does."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_lib.plotting.drawings import Grid, arrow, blank, box, label, matrix, node
from course_lib.plotting.style import (
    COLORS,
    INK,
    LINE_STYLES,
    MARKERS,
    MUTED,
    new_figure,
    styled,
)

__all__ = ["adapter", "hacking", "learning", "merging", "next_tokens", "stages"]


@styled
def merging(rows: Sequence[tuple[str, Sequence[str]]]) -> Figure:
    """Draw how the letters of a word become fewer and longer tokens.

    Parameters
    ----------
    rows : sequence of (str, sequence of str)
        From the letters to the end: what has been done, and the tokens that the word has then.
        What was not in the row before is highlighted.

    Returns
    -------
    matplotlib.figure.Figure
    """
    letter, step, left = 0.5, 0.5, 1.7
    width = left + letter * len("".join(rows[0][1])) + 1.35
    height = step * len(rows) + 0.05
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    before = list(rows[0][1])
    for number, (name, tokens) in enumerate(rows):
        y = height - step * (number + 0.5)
        label(axes, (left - 0.2, y), name, ha="right")
        x = left
        for token in tokens:
            room = letter * len(token)
            is_new = token not in before
            box(
                axes,
                (x + room / 2, y),
                token,
                width=room - 0.08,
                height=0.36,
                color=COLORS[0] if is_new else INK,
                thick=is_new,
            )
            x += room
        count = f"{len(tokens)} token{'s' if len(tokens) > 1 else ''}"
        label(axes, (x + 0.15, y), count, ha="left", color=MUTED)
        before = list(tokens)
    return figure


@styled
def adapter(out_features: int, in_features: int, rank: int) -> Figure:
    """Draw a linear layer with LoRA: the frozen matrix, and beside it the two thin ones.

    Parameters
    ----------
    out_features, in_features, rank : int
        The shapes that are written. The thin sides are drawn thicker than they are.

    Returns
    -------
    matplotlib.figure.Figure
    """
    width, height = 7.0, 3.7
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    side, thin, upper, lower = 1.1, 0.16, 2.72, 0.86
    middle = (upper + lower) / 2
    x = box(axes, (0.5, middle), "x", f"{in_features} numbers", width=0.95)
    y = box(axes, (6.45, middle), "y", f"{out_features} numbers", width=0.95)
    total = node(axes, (5.45, middle), "+", radius=0.16)

    def draw_matrix(
        at: tuple[float, float], shape: tuple[int, int], name: str, wide: float, tall: float
    ) -> Grid:
        trained = "trained" in name
        return matrix(
            axes,
            (at[0] - wide / 2, at[1] + tall / 2),
            (1, 1),
            size=(wide, tall),
            numbers=False,
            name=name,
            note=f"{shape}, {shape[0] * shape[1]:,} numbers",
            color=COLORS[1] if trained else MUTED,
            highlight=[(0, 0, 1, 1)] if trained else (),
        )

    frozen = draw_matrix((3.15, upper), (out_features, in_features), "W, frozen", side, side)
    down = draw_matrix((2.3, lower), (rank, in_features), "A, trained", side, thin)
    up = draw_matrix((4.0, lower), (out_features, rank), "B, trained", thin, side)
    scale = box(axes, (5.05, lower), "× α / r")
    for start, end in (
        (x, frozen.left),
        (frozen.right, total),
        (x, down.left),
        (up, scale),
        (scale, total),
        (total, y),
    ):
        arrow(axes, start, end)
    arrow(axes, down, up, f"{rank} numbers")
    return figure


@styled
def stages() -> Figure:
    """Draw the stages from random weights to an assistant: on what, by which loss.

    Returns
    -------
    matplotlib.figure.Figure
    """
    width, height = 7.0, 3.05
    figure, axes = new_figure(width=width, height=height)
    blank(axes, width, height)
    columns = (1.32, 3.56, 5.8)
    row = 1.55
    parts = (
        ("pretraining", "text, as it is", "−log p of every token", "base model"),
        (
            "fine-tuning",
            "questions with replies",
            "−log p of the reply's\ntokens only",
            "follows a format",
        ),
        (
            "preferences",
            "two replies, which is\nbetter; or a reward",
            "DPO, or −reward,\nheld near what it was",
            "assistant",
        ),
    )
    before = None
    for x, (name, data, loss, result), color in zip(columns, parts, COLORS, strict=False):
        block = box(axes, (x, row), name, result, width=1.62, height=0.72, color=color, thick=True)
        label(axes, (x, 2.68), data, size=9.5)
        arrow(axes, (x, 2.46), block)
        label(axes, (x, 0.42), loss, size=9.5, color=color)
        arrow(axes, (x, 0.68), block, style="--", color=color)
        if before is not None:
            arrow(axes, before, block)
        before = block
    label(axes, (0.02, 2.68), "learns\nfrom", size=9.5, color=MUTED, ha="left")
    label(axes, (0.02, 0.42), "loss", size=9.5, color=MUTED, ha="left")
    return figure


@styled
def next_tokens(
    panels: Mapping[str, tuple[Sequence[str], ArrayLike]], top_k: int, top_p: float
) -> Figure:
    """Draw the most likely next tokens after some beginnings, and what top-k and top-p keep.

    Parameters
    ----------
    panels : mapping of str to (sequence of str, array_like of shape (n,))
        By beginning: the names of tokens and their probabilities, the largest first.
    top_k : int
    top_p : float

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, grid = new_figure(1, len(panels), height=3.1, squeeze=False)
    for axes, (title, (names, p)) in zip(grid[0], panels.items(), strict=True):
        p = np.asarray(p, dtype=float)
        kept = np.cumsum(p) - p < top_p
        at = np.arange(len(p))
        axes.bar(at[kept], p[kept], color=COLORS[0], width=0.75, label=f"kept by top-p = {top_p:g}")
        axes.bar(
            at[~kept],
            p[~kept],
            color="none",
            edgecolor=MUTED,
            hatch="///",
            width=0.75,
            label="left out",
        )
        axes.axvline(
            top_k - 0.5, color=COLORS[1], linestyle="--", label=f"top-k = {top_k} ends here"
        )
        axes.set_xticks(at, names, rotation=60, ha="right", rotation_mode="anchor")
        axes.set(title=title, ylabel="probability", xlim=(-0.7, len(p) - 0.3))
        axes.grid(visible=False, axis="x")
    # From the first panel: where nothing is left out, there is no bar to show how that looks.
    figure.legend(*grid[0][0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure


@styled
def learning(steps: Sequence[int], shares: Mapping[str, ArrayLike]) -> Figure:
    """Draw the share of right replies while a model is tuned.

    Parameters
    ----------
    steps : sequence of int
    shares : mapping of str to array_like, shape (seeds, steps)
        By what is tuned.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=2.9)
    for (name, values), color, style, marker in zip(
        shares.items(), COLORS, LINE_STYLES, MARKERS, strict=False
    ):
        values = np.asarray(values, dtype=float)
        axes.plot(steps, np.median(values, axis=0), color=color, linestyle=style, label=name)
        for row in values:
            axes.plot(steps, row, marker, color=color, markersize=4, alpha=0.6)
    axes.set_ylim(-0.03, 1.05)
    axes.set_yticks(np.linspace(0, 1, 6), [f"{share:.0%}" for share in np.linspace(0, 1, 6)])
    axes.set(xlabel="steps of fine-tuning", ylabel="right replies, new sums")
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 0.08))
    return figure


@styled
def hacking(panels: Mapping[str, Mapping[str, ArrayLike]]) -> Figure:
    """Draw the reward that a policy is given and the score that was meant, step by step.

    Parameters
    ----------
    panels : mapping of str to mapping of str to array_like, shape (seeds, steps)
        By title: curves by name, the same names in each panel.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, grid = new_figure(1, len(panels), height=2.8, sharey=True, squeeze=False)
    for axes, (title, curves) in zip(grid[0], panels.items(), strict=True):
        for (name, values), color, style in zip(
            curves.items(), (INK, *COLORS[1:]), LINE_STYLES, strict=False
        ):
            values = np.asarray(values, dtype=float)
            steps = np.arange(1, values.shape[1] + 1)
            middle = np.median(values, axis=0)
            axes.plot(steps, middle, color=color, linestyle=style, label=name)
            axes.fill_between(
                steps, values.min(axis=0), values.max(axis=0), color=color, alpha=0.15, linewidth=0
            )
        axes.set(title=title, xlabel="steps", ylim=(-0.03, 1.03))
    ticks = np.linspace(0, 1, 6)
    grid[0][0].set_yticks(ticks, [f"{share:.0%}" for share in ticks])
    grid[0][0].set_ylabel("share of replies")
    grid[0][0].legend(loc="lower left")
    return figure
