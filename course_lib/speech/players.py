"""Recordings that a reader of a notebook can play, each with a label and its words."""

import base64
import io
import wave
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["Recordings", "listen", "to_wav"]


def to_wav(sound: ArrayLike, rate: int) -> bytes:
    """Write a sound as a WAV file, which every browser plays.

    Parameters
    ----------
    sound : array_like, shape (samples,)
        From -1 to 1. What lies outside is cut off.
    rate : int
        Samples per second.

    Returns
    -------
    bytes
        One channel of 16-bit numbers.

    Examples
    --------
    >>> len(to_wav([0.0, 0.5, -0.5], 8000))  # 44 bytes of header, 2 a sample
    50
    """
    numbers = np.round(32767 * np.clip(np.asarray(sound, dtype=float), -1, 1)).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(numbers.tobytes())
    return buffer.getvalue()


@dataclass(frozen=True)
class Recordings:
    """A table of players, shown as HTML by IPython.

    Attributes
    ----------
    rows : tuple of (str, str, str, float)
        Label, words, address of the sound, seconds.
    heads : (str, str)
        Names of the columns of labels and of words.
    """

    rows: tuple[tuple[str, str, str, float], ...]
    heads: tuple[str, str]

    def _repr_html_(self) -> str:
        body = "".join(
            f'<tr><th scope="row">{escape(label)}</th>'
            # On paper there is nothing to play.
            f'<td class="d-print-none"><audio controls preload="metadata" '
            f'style="width: 12rem; height: 2.5rem" '
            f'aria-label="{escape(f"{label}: {words}")}" src="{address}"></audio></td>'
            f"<td>{escape(words)}</td></tr>"
            for label, words, address, _ in self.rows
        )
        label, words = map(escape, self.heads)
        return (
            # On a telephone the table scrolls, and the page does not.
            f'<div style="overflow-x: auto"><table><thead><tr><th scope="col">{label}</th>'
            f'<th scope="col" class="d-print-none">listen</th><th scope="col">{words}</th></tr>'
            f"</thead><tbody>{body}</tbody></table></div>"
        )

    def __repr__(self) -> str:
        return "\n".join(
            f"{label}: {words} ({seconds:.1f} s of sound)" for label, words, _, seconds in self.rows
        )


def listen(
    sounds: Mapping[str, tuple[ArrayLike, str]],
    rate: int,
    *,
    heads: tuple[str, str] = ("recording", "words"),
) -> Recordings:
    """Make a table of recordings to play.

    Parameters
    ----------
    sounds : mapping of str to (array_like of shape (samples,), str)
        By label: the sound, and in writing what is said, for readers who cannot hear it.
    rate : int
        Samples per second.
    heads : (str, str)
        Names of the columns of labels and of words.

    Returns
    -------
    Recordings
        All are made louder or softer by one factor, so that the loudest fits and the others can be
        compared with it.

    Raises
    ------
    ValueError
        If there is nothing to hear.

    Examples
    --------
    >>> listen({"a tone": (np.sin(np.arange(800)), "no words")}, 8000)
    a tone: no words (0.1 s of sound)
    """
    loud = max((np.abs(sound).max(initial=0) for sound, _ in sounds.values()), default=0)
    if not loud > 0:
        raise ValueError(
            f"expected sounds to play, came {list(sounds) or 'none'} without any sound"
        )
    rows = []
    for label, (sound, words) in sounds.items():
        data = to_wav(0.9 / loud * np.asarray(sound, dtype=float), rate)
        address = "data:audio/wav;base64," + base64.b64encode(data).decode()
        rows.append((label, words, address, np.size(sound) / rate))
    return Recordings(tuple(rows), heads)
