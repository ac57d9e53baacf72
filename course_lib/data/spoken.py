"""Spoken words and letters: 44 made voices say ten commands and the alphabet.

Each voice says each of ten words ("yes", "no", "left", ...) and each of the 26 letters once. Half
of the voices speak American English, half another English. `load` returns the clips as arrays of
8,000 numbers a second. A real recording is neither clean nor cut at the right places: `spell` says
letters one after another, with pauses or without, and `mix` adds noise.

The voices are those of the speech synthesizer espeak-ng 1.51, each with a timbre, a pitch and a
speed of its own; ``python -m course_lib.data.spoken FOLDER`` makes the files again, where
espeak-ng is installed. The program is under the GPL, version 3 or later, which does not reach what
it says: no part of the program is in its output. License of the clips: CC BY 4.0, as the text of
this course. They are compressed by Opus to 7 kilobits a second, about as much as a cheap telephone
connection; a decoder on another processor may differ in the last bit of a sample.

Known faults: no person spoke. A synthesizer says a letter alike each time, does not breathe,
hesitate or turn its head, and its accents are a few rules; voices that sound high or low are
settings and stand for nobody. Real voices differ more between people and more within one. Nothing
above 4,000 Hz is left, so "s" and "f" are hard to tell apart, as on a telephone. Not for saying how
well a method does on people, and not for anything about real accents, ages or genders.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "COMMANDS",
    "LETTERS",
    "RATE",
    "Spoken",
    "Voice",
    "load",
    "make",
    "mix",
    "spell",
    "stretch",
]

#: Samples per second.
RATE: Final = 8000

#: The ten words.
COMMANDS: Final = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")

#: The alphabet.
LETTERS: Final = tuple("abcdefghijklmnopqrstuvwxyz")

Floats = NDArray[np.float32]

_SOUND, _INDEX = "spoken.opus", "spoken.json"

# Silence between two clips in the file, in samples: a compressed sound rings on a little.
_GAP: Final = 160

# Every second voice is American.
_ACCENTS: Final = (
    "en-us", "en-gb", "en-us", "en-gb-scotland", "en-us-nyc", "en-gb-x-rp", "en-us",
    "en-gb-x-gbclan", "en-us", "en-029", "en-us-nyc", "en-gb-x-gbcwmd",
)  # fmt: skip

# The timbres ("variants") of espeak-ng, those of lower voices first, with the part of each.
_LOW: Final = {
    "train": "m1 m3 m4 m6 m7 klatt2 adam Andy antonio david Diogo Gene Henrique iven Lee max Marco "
    "pablo",
    "validation": "m8 Denis norbert benjamin",
    "test": "m2 m5 Alex edward gustave Jacky Michael Hugo",
}
_HIGH: Final = {
    "train": "f1 f4 f5 belinda Andrea grandma zac",
    "validation": "Nguyen shelby",
    "test": "f3 aunty linda Annie steph2",
}


class Voice(NamedTuple):
    """Who speaks.

    Attributes
    ----------
    name : str
        How espeak-ng calls the voice: an accent and a timbre, such as ``"en-gb+m3"``.
    pitch : int
        The setting of the pitch, from 0 to 99; 50 is the timbre's own.
    speed : int
        Words per minute.
    high : bool
        Whether the timbre is one of a higher voice.
    american : bool
        Whether the accent is American.
    part : str
        ``"train"``, ``"validation"`` or ``"test"``. No timbre is in two parts.
    """

    name: str
    pitch: int
    speed: int
    high: bool
    american: bool
    part: str


class Spoken(NamedTuple):
    """The clips, with what is said and by whom.

    Attributes
    ----------
    clips : tuple of ndarray of float32, each of shape (samples,)
        From -1 to 1, 8,000 samples a second.
    text : ndarray of str, shape (n,)
        A command, or a single letter.
    voice : ndarray of int, shape (n,)
        Rows of `voices`.
    voices : tuple of Voice
    """

    clips: tuple[Floats, ...]
    text: NDArray[np.str_]
    voice: NDArray[np.int64]
    voices: tuple[Voice, ...]

    def rows(self, part: str, *, letters: bool = False) -> NDArray[np.int64]:
        """Return which clips are of a part, commands or letters."""
        if part not in _LOW:
            raise ValueError(f"part is {part!r}, expected one of {', '.join(_LOW)}")
        right = np.array([self.voices[v].part == part for v in self.voice])
        return np.flatnonzero(right & ((np.char.str_len(self.text) == 1) == letters))


def _voices() -> tuple[Voice, ...]:
    """Give each timbre its accent, its pitch and its speed."""
    rng, voices = np.random.default_rng(0), []
    for part in _LOW:
        for high, timbres in ((False, _LOW[part]), (True, _HIGH[part])):
            for timbre in timbres.split():
                accent = _ACCENTS[len(voices) % len(_ACCENTS)]
                pitch, speed = int(rng.integers(35, 66)), int(rng.integers(160, 211))
                american = accent.startswith("en-us")
                voices.append(Voice(f"{accent}+{timbre}", pitch, speed, high, american, part))
    return tuple(voices)


@cache
def load() -> Spoken:
    """Load the clips.

    Returns
    -------
    Spoken
        1,584 clips: the 36 of the first voice, then the 36 of the second, and so on. The arrays
        cannot be written to, since all callers share them.

    Examples
    --------
    >>> spoken = load()
    >>> len(spoken.clips), str(spoken.text[4]), spoken.voices[spoken.voice[4]].name
    (1584, 'left', 'en-us+m1')
    >>> [len(spoken.rows(part)) for part in ("train", "validation", "test")]
    [250, 60, 130]
    """
    import soundfile

    folder = files("course_lib.data")
    sound, rate = soundfile.read(io.BytesIO((folder / _SOUND).read_bytes()), dtype="float32")
    assert rate == RATE
    index = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
    clips, start = [], 0
    for length in index["samples"]:
        clip = sound[start : start + length].copy()
        clip.flags.writeable = False
        clips.append(clip)
        start += length + _GAP
    voices = tuple(Voice(*voice) for voice in index["voices"])
    said = (*COMMANDS, *LETTERS)
    return Spoken(
        tuple(clips),
        np.array(said * len(voices)),
        np.repeat(np.arange(len(voices)), len(said)),
        voices,
    )


def mix(clip: Floats, seconds: float, db: float, rng: np.random.Generator) -> Floats:
    """Put a clip at a random place of a noisy recording.

    The noise is like that of a street: the lower the frequency, the more of it. Its power falls
    in proportion to the frequency, from 60 Hz on.

    Parameters
    ----------
    clip : ndarray, shape (samples,)
        Not longer than the recording.
    seconds : float
        Length of the recording.
    db : float
        Signal-to-noise ratio in decibels: at 0 the clip and the noise have the same power, at 20
        the clip has a hundred times as much, and at infinity there is no noise.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of float32, shape (round(8000 * seconds),)

    Raises
    ------
    ValueError
        If the clip is longer than the recording.

    Examples
    --------
    >>> mix(np.ones(4, np.float32), 0.001, np.inf, np.random.default_rng(0)).tolist()
    [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]
    """
    samples = round(RATE * seconds)
    if len(clip) > samples:
        raise ValueError(
            f"the clip is {len(clip) / RATE:.2f} s long, more than the recording of {seconds} s"
        )
    place = rng.integers(samples - len(clip) + 1)
    recording = np.zeros(samples, np.float32)
    recording[place : place + len(clip)] = clip
    if np.isfinite(db):
        # Somewhat longer than the recording: a transform of 960 k samples is a fast one.
        size = -(-samples // 960) * 960
        frequency = np.fft.rfftfreq(size, 1 / RATE)
        white = rng.normal(size=(2, len(frequency)))
        colored = (white[0] + 1j * white[1]) / np.sqrt(np.maximum(frequency, 60))
        colored[0] = 0
        noise = np.fft.irfft(colored, size)[:samples]
        power = np.mean(np.square(clip)) / np.mean(np.square(noise))
        recording += (np.sqrt(power / 10 ** (db / 10)) * noise).astype(np.float32)
    return recording


def stretch(clip: Floats, factor: float) -> Floats:
    """Play a clip faster or slower, which moves its pitch and its resonances as well.

    Parameters
    ----------
    clip : ndarray, shape (samples,)
    factor : float
        Above 1 for faster and higher.

    Returns
    -------
    ndarray of float32, shape (int(samples / factor),)

    Examples
    --------
    >>> stretch(np.arange(6, dtype=np.float32), 2).tolist()
    [0.0, 2.0, 4.0]
    """
    places = np.arange(int(len(clip) / factor)) * factor
    return np.interp(places, np.arange(len(clip)), clip).astype(np.float32)


def spell(
    text: str,
    letters: Mapping[str, Floats],
    rng: np.random.Generator,
    *,
    pause: tuple[float, float] = (-0.03, 0.08),
    space: tuple[float, float] = (0.2, 0.35),
) -> Floats:
    """Say a text letter by letter.

    Parameters
    ----------
    text : str
        Lower-case letters and spaces. A space is a longer pause.
    letters : mapping of str to ndarray
        A clip for each letter.
    rng : numpy.random.Generator
        Draws each pause anew.
    pause, space : (float, float)
        The shortest and the longest pause between two letters and between two words, in seconds.
        Where a pause is negative, the end of a letter fades out while the next one fades in.

    Returns
    -------
    ndarray of float32, shape (samples,)

    Examples
    --------
    >>> clip = np.ones(800, np.float32)  # a tenth of a second
    >>> len(spell("ab a", {"a": clip, "b": clip}, np.random.default_rng(0), pause=(0, 0)))
    4049
    """
    sound, gap = np.zeros(0, np.float32), 0.0
    for character in text:
        if character == " ":
            gap = rng.uniform(*space)
            continue
        clip = letters[character]
        between = round(RATE * gap)
        if between < 0:
            over = min(-between, len(clip), len(sound))
            fade = np.linspace(0, 1, over, dtype=np.float32)
            joint = sound[len(sound) - over :] * (1 - fade) + clip[:over] * fade
            sound = np.concatenate([sound[: len(sound) - over], joint, clip[over:]])
        else:
            sound = np.concatenate([sound, np.zeros(between, np.float32), clip])
        gap = rng.uniform(*pause)
    return sound


def _say(text: str, voice: Voice) -> Floats:
    """Have espeak-ng say a text, and cut it to the sound."""
    import soundfile
    from scipy.signal import resample_poly

    program = shutil.which("espeak-ng")
    if program is None:
        raise FileNotFoundError(
            "espeak-ng is not installed (Debian, Ubuntu: apt-get install espeak-ng; Fedora: dnf "
            "install espeak-ng; macOS: brew install espeak-ng). It is needed only for making the "
            "clips again."
        )
    said = text if len(text) > 1 else f"{text}."  # "a." is the letter, "a" may be the article
    how = ["-v", voice.name, "-p", str(voice.pitch), "-s", str(voice.speed), "-z", "--stdout"]
    spoken = subprocess.run([program, *how, said], capture_output=True, check=True).stdout
    sound, rate = soundfile.read(io.BytesIO(spoken))
    sound = resample_poly(sound, 160, 160 * rate // RATE)  # 22,050 to 8,000 samples a second
    peak = np.abs(sound).max()
    loud = np.flatnonzero(np.abs(sound) > 0.02 * peak)
    sound = sound[max(loud[0] - 80, 0) : loud[-1] + 160]
    return (0.7 / peak * sound).astype(np.float32)


def make(voice: Voice, texts: Sequence[str] = COMMANDS + LETTERS) -> list[Floats]:
    """Have a voice say texts, each as a clip. Needs espeak-ng.

    Parameters
    ----------
    voice : Voice
    texts : sequence of str
        By default all that is in the set.

    Returns
    -------
    list of ndarray of float32

    Raises
    ------
    FileNotFoundError
        If espeak-ng is not installed, saying how to install it.
    """
    return [_say(text, voice) for text in texts]


def _write(folder: Path) -> None:
    """Make all clips again, and write both files."""
    import soundfile

    voices = _voices()
    clips = [clip for voice in voices for clip in make(voice)]
    gap = np.zeros(_GAP, np.float32)
    sound = np.concatenate([part for clip in clips for part in (clip, gap)])
    folder.mkdir(parents=True, exist_ok=True)
    with soundfile.SoundFile(
        folder / _SOUND, "w", RATE, 1, "OPUS", format="OGG", compression_level=1.0
    ) as file:
        for start in range(0, len(sound), 10 * RATE):  # in pieces: a long one may crash libsndfile
            file.write(sound[start : start + 10 * RATE])
    index = {"voices": voices, "samples": [len(clip) for clip in clips]}
    (folder / _INDEX).write_text(json.dumps(index) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m course_lib.data.spoken FOLDER")
    _write(Path(sys.argv[1]))
