"""Figures of the chapter *Speech*."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_lib.plotting.drawings import arrow, blank, label, node
from course_lib.plotting.style import (
    COLORS,
    INK,
    LINE_STYLES,
    MARKERS,
    MUTED,
    new_figure,
    styled,
)

__all__ = [
    "filters",
    "groups",
    "lattice",
    "noise",
    "pictures",
    "spelling",
    "thresholds",
]

#: How a blank is written.
BLANK = "–"


@styled
def pictures(
    sound: ArrayLike, rate: int, power: ArrayLike, mel: ArrayLike, length: int, hop: int
) -> Figure:
    """Draw a sound three times: as samples, as a spectrogram, and as a log-mel spectrogram.

    Parameters
    ----------
    sound : array_like, shape (samples,)
    rate : int
        Samples per second.
    power : array_like, shape (frames, frequencies)
        On the samples of the sound, in decibels.
    mel : array_like, shape (frames, bands)
        Logarithms.
    length, hop : int
        Of the frames, in samples.

    Returns
    -------
    matplotlib.figure.Figure
    """
    sound, power, mel = (np.asarray(a, dtype=float) for a in (sound, power, mel))
    end = len(sound) / rate
    figure, (top, middle, bottom) = new_figure(
        3, 1, height=5.4, sharex=True, height_ratios=[1, 1.25, 1.1]
    )
    top.plot(np.arange(len(sound)) / rate, sound, color=COLORS[0], linewidth=0.8)
    high = 1.18 * np.abs(sound).max()
    for number in range(4):
        start = (1 + number) * hop / rate
        level = high * (1.02 + 0.16 * number)
        top.plot([start, start + length / rate], [level] * 2, color=COLORS[1], linestyle="-")
    top.text(
        (5 * hop + length) / rate,
        high * 1.26,
        f"frames of {1000 * length / rate:g} ms, one every {1000 * hop / rate:g} ms",
        fontsize=9,
        va="center",
        color=COLORS[1],
    )
    top.set(ylim=(-high, 1.75 * high), ylabel="amplitude")
    top.set_title(f"{len(sound):,} samples")
    start = length / 2 / rate
    across = (start, start + (len(mel) - 1) * hop / rate)
    half = hop / 2 / rate
    place = (across[0] - half, across[1] + half)
    how = {"aspect": "auto", "origin": "lower", "cmap": "magma", "interpolation": "nearest"}
    middle.imshow(
        power.T,
        extent=(*place, 0, rate / 2),
        vmin=power.max() - 60,
        vmax=power.max(),
        **how,
    )
    middle.set(ylabel="frequency (Hz)")
    middle.set_title(f"power: {power.shape[0]} frames of {power.shape[1]} frequencies")
    bottom.imshow(mel.T, extent=(*place, 0, mel.shape[1]), **how)
    bottom.set(ylabel="mel band", xlabel="time (s)", xlim=(0, end))
    bottom.set_title(f"log-mel: {mel.shape[0]} frames of {mel.shape[1]} bands")
    for axes in (middle, bottom):
        axes.grid(visible=False)
    return figure


@styled
def filters(
    frequency: ArrayLike,
    leakage: Mapping[str, ArrayLike],
    bank: ArrayLike,
    shown: Sequence[int],
) -> Figure:
    """Draw the spectrum of a pure tone with and without a window, and some mel filters.

    Parameters
    ----------
    frequency : array_like, shape (frequencies,)
        In Hz.
    leakage : mapping of str to array_like, shape (frequencies,)
        Power in decibels below the largest, by window.
    bank : array_like, shape (bands, frequencies)
    shown : sequence of int
        Which filters are drawn dark.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (left, right) = new_figure(1, 2, height=2.9)
    for (name, values), color, style in zip(leakage.items(), COLORS, LINE_STYLES, strict=False):
        left.plot(frequency, values, color=color, linestyle=style, label=name, linewidth=1.6)
    left.set(xlabel="frequency (Hz)", ylabel="power (dB below the top)", ylim=(-90, 5))
    left.legend(loc="lower right")
    left.set_title("one pure tone")
    for number, values in enumerate(np.asarray(bank, dtype=float)):
        if number in shown:
            color = COLORS[list(shown).index(number) % len(COLORS)]
            right.plot(frequency, values, color=color, linestyle="-")
            right.fill_between(np.asarray(frequency), values, color=color, alpha=0.2)
        else:
            right.plot(frequency, values, color=MUTED, linestyle="-", linewidth=0.7, alpha=0.7)
    right.set(xlabel="frequency (Hz)", ylabel="weight", ylim=(0, 1.08))
    right.set_title(f"{len(np.asarray(bank))} mel filters")
    return figure


@styled
def noise(levels: Sequence[float], right: Mapping[str, ArrayLike]) -> Figure:
    """Draw how many words are recognized at each level of noise.

    Parameters
    ----------
    levels : sequence of float
        Signal-to-noise ratios in decibels, the cleanest first.
    right : mapping of str to array_like, shape (seeds, levels)
        Share of words that are recognized.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=2.9)
    places = np.arange(len(levels))
    for (name, values), color, style, mark in zip(
        right.items(), COLORS, LINE_STYLES, MARKERS, strict=False
    ):
        table = 100 * np.atleast_2d(np.asarray(values, dtype=float))
        axes.plot(places, table.mean(axis=0), color=color, linestyle=style, marker=mark, label=name)
        axes.fill_between(places, table.min(axis=0), table.max(axis=0), color=color, alpha=0.2)
    axes.axhline(10, color=MUTED, linestyle=":", linewidth=1)
    axes.annotate(
        "guessing",
        (places[-1], 10),
        xytext=(0, 4),
        textcoords="offset points",
        ha="right",
        fontsize=9,
        color=MUTED,
    )
    axes.set_xticks(places, [f"{level:g} dB" for level in levels])
    axes.set(xlabel="speech above noise", ylabel="words recognized (%)", ylim=(0, 102))
    axes.legend(loc="lower left")
    return figure


@styled
def thresholds(
    threshold: ArrayLike,
    accepted: ArrayLike,
    refused: ArrayLike,
    equal: tuple[float, float],
    rates: Mapping[str, Mapping[str, ArrayLike]],
) -> Figure:
    """Draw both errors of a verifier against its threshold, and equal error rates.

    Parameters
    ----------
    threshold, accepted, refused : array_like, shape (thresholds,)
        The threshold, the share of impostors accepted and of true speakers refused at it.
    equal : (float, float)
        Where the two are equal: threshold and rate.
    rates : mapping of str to (mapping of str to array_like, shape (seeds,))
        Equal error rates: by method, then by the kind of trial.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (left, right) = new_figure(1, 2, height=3.3, width_ratios=[1, 1.15])
    for values, name, color, style in (
        (accepted, "impostors accepted", COLORS[1], "--"),
        (refused, "true speakers refused", COLORS[0], "-"),
    ):
        left.plot(threshold, 100 * np.asarray(values), color=color, linestyle=style, label=name)
    left.plot(equal[0], 100 * equal[1], "o", color=INK, zorder=5)
    left.annotate(
        f"equal: {100 * equal[1]:.0f} %",
        (equal[0], 100 * equal[1]),
        xytext=(-12, -1),
        textcoords="offset points",
        fontsize=9.5,
        ha="right",
        va="center",
    )
    left.set(xlabel="threshold on the cosine", ylabel="errors (%)", ylim=(0, 100))
    left.legend(loc="lower left", bbox_to_anchor=(-0.05, 1.0), frameon=False)
    trials = list(next(iter(rates.values())))
    for row, (name, by_trial) in enumerate(rates.items()):
        for n, trial in enumerate(trials):
            values = 100 * np.asarray(by_trial[trial], dtype=float)
            at = n + 0.22 * (row - (len(rates) - 1) / 2)
            right.plot(
                [at] * len(values),
                values,
                MARKERS[row],
                color=COLORS[row],
                alpha=0.75,
                label=name if n == 0 else None,
            )
    right.set_xticks(range(len(trials)), trials)
    right.set(ylabel="equal error rate (%)", xlim=(-0.6, len(trials) - 0.4), ylim=(0, None))
    right.legend(loc="lower left", bbox_to_anchor=(-0.05, 1.0), frameon=False, ncols=2)
    return figure


@styled
def lattice(text: str, steps: int, path: Sequence[int]) -> Figure:
    """Draw all paths that spell a text, as a lattice of states and steps.

    Parameters
    ----------
    text : str
        At least one letter.
    steps : int
        How many steps the network answers at.
    path : sequence of int, of length `steps`
        A state at each step, counted from the top, of the path that is drawn thick.

    Returns
    -------
    matplotlib.figure.Figure
    """
    states = [BLANK]
    for letter in text:
        states += [letter, BLANK]
    rows = len(states)
    wide, tall = 7.0, 0.62 * rows + 0.5
    figure, axes = new_figure(width=wide, height=tall)
    blank(axes, wide, tall)
    xs = np.linspace(0.95, wide - 0.4, steps)
    ys = tall - 0.4 - 0.62 * np.arange(rows)
    # A state is on some path if it can be reached from the start and still reach the end.
    reached = np.zeros((steps, rows), dtype=bool)
    reached[0, :2] = True
    edges = []
    for t in range(1, steps):
        for s in range(rows):
            before = [s, s - 1]
            if s >= 2 and states[s] != BLANK and states[s] != states[s - 2]:
                before.append(s - 2)
            for b in before:
                if b >= 0 and reached[t - 1, b]:
                    reached[t, s] = True
                    edges.append((t, b, s))
    alive = np.zeros_like(reached)
    alive[-1, -2:] = reached[-1, -2:]
    for t, b, s in reversed(edges):
        alive[t - 1, b] |= alive[t, s] and reached[t - 1, b]
    places = {}
    for t in range(steps):
        for s in range(rows):
            if not alive[t, s]:
                axes.plot(xs[t], ys[s], "o", color=MUTED, markersize=3, alpha=0.6)
                continue
            on = path[t] == s
            places[t, s] = node(
                axes,
                (xs[t], ys[s]),
                states[s],
                color=COLORS[1] if on else INK,
                radius=0.17,
            )
    for t, b, s in edges:
        if alive[t, s] and alive[t - 1, b]:
            on = path[t] == s and path[t - 1] == b
            arrow(
                axes,
                places[t - 1, b],
                places[t, s],
                color=COLORS[1] if on else MUTED,
                width=2.4 if on else 0.9,
            )
    for s in range(rows):
        label(axes, (0.35, ys[s]), "blank" if states[s] == BLANK else states[s], size=9.5)
    for t in range(steps):
        label(axes, (xs[t], 0.22), f"step {t + 1}", size=9.5, color=MUTED)
    return figure


@styled
def spelling(
    mel: ArrayLike, probabilities: ArrayLike, names: Sequence[str], seconds: float, text: str
) -> Figure:
    """Draw a recording, and what the network answers at each step.

    Parameters
    ----------
    mel : array_like, shape (frames, bands)
    probabilities : array_like, shape (steps, labels)
        The blank is label 0.
    names : sequence of str
        Of all labels.
    seconds : float
        Length of the recording.
    text : str
        What was said.

    Returns
    -------
    matplotlib.figure.Figure
    """
    mel, p = np.asarray(mel, dtype=float), np.asarray(probabilities, dtype=float)
    figure, (top, bottom) = new_figure(2, 1, height=3.8, sharex=True, height_ratios=[1, 1.2])
    how = {"aspect": "auto", "origin": "lower", "cmap": "magma", "interpolation": "nearest"}
    top.imshow(mel.T, extent=(0, seconds, 0, mel.shape[1]), **how)
    top.set(ylabel="mel band")
    top.grid(visible=False)
    top.set_title(f"“{text}”, spelled")
    times = (np.arange(len(p)) + 0.5) * seconds / len(p)
    bottom.plot(times, p[:, 0], color=MUTED, linestyle=":", label="blank", linewidth=1.4)
    best = p[:, 1:].argmax(axis=1) + 1
    bottom.bar(
        times,
        p[np.arange(len(p)), best],
        width=0.9 * seconds / len(p),
        color=COLORS[0],
        edgecolor="none",
        label="likeliest letter",
    )
    winners = p.argmax(axis=1)
    step, last = seconds / len(p), -np.inf
    for t, winner in enumerate(winners):
        if not winner or (t and winners[t - 1] == winner):
            continue
        run = t + int(np.argmax(np.append(winners[t:] != winner, True)))
        # Above the bars, in the middle of its steps; two letters side by side keep apart.
        last = max((t + run) / 2 * step, last + 0.016 * seconds)
        bottom.text(
            last,
            1.1,
            "␣" if names[winner] == " " else names[winner],
            ha="center",
            va="baseline",
            fontsize=10,
            fontweight="bold",
        )
    bottom.set(xlabel="time (s)", ylabel="probability", ylim=(0, 1.3), xlim=(0, seconds))
    bottom.set_yticks([0, 0.25, 0.5, 0.75, 1])
    figure.legend(loc="outside lower right", ncols=2, frameon=False)
    return figure


@styled
def groups(rates: Mapping[str, Mapping[str, ArrayLike]], xlabel: str) -> Figure:
    """Draw error rates by training set and by group of voices.

    Parameters
    ----------
    rates : mapping of str to (mapping of str to array_like, shape (seeds,))
        By training set, then by group. Shares.
    xlabel : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = new_figure(height=2.6)
    names = list(next(iter(rates.values())))
    high = len(rates)
    for n, group in enumerate(names):
        for row, values in enumerate(rates.values()):
            found, level = 100 * np.asarray(values[group], dtype=float), high - 1 - row
            axes.plot(
                found,
                [level] * len(found),
                MARKERS[n],
                color=COLORS[n],
                alpha=0.65,
                label=group if row == 0 else None,
            )
            axes.plot([found.mean()] * 2, [level - 0.2, level + 0.2], color=COLORS[n], ls="-")
    axes.set_yticks(range(high), list(rates)[::-1])
    axes.set(ylim=(-0.5, high - 0.5), xlim=(0, None), xlabel=xlabel)
    axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), frameon=False, ncols=2)
    return figure
