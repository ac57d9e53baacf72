"""The spoken words: who speaks, that a voice is in one part alone, and that the clips are remade."""

import doctest
import shutil
from pathlib import Path

import numpy as np
import pytest

from course_lib.data import spoken


def test_examples():
    result = doctest.testmod(spoken)
    assert result.attempted and not result.failed


def test_each_voice_says_everything_once():
    data = spoken.load()
    assert len(data.clips) == len(data.text) == len(data.voice) == 44 * 36
    for voice in range(44):
        said = data.text[data.voice == voice].tolist()
        assert sorted(said) == sorted([*spoken.COMMANDS, *spoken.LETTERS])


def test_clips_are_short_sounds():
    for clip in spoken.load().clips:
        assert clip.dtype == np.float32 and clip.ndim == 1 and not clip.flags.writeable
        assert 600 < len(clip) <= 4800 and 0.3 < np.abs(clip).max() <= 1.0


def test_no_timbre_is_in_two_parts():
    data = spoken.load()
    parts = {}
    for voice in data.voices:
        parts.setdefault(voice.name.split("+")[1], set()).add(voice.part)
    assert len(parts) == 44 and all(len(part) == 1 for part in parts.values())
    rows = [
        set(data.rows(part, letters=letters).tolist())
        for part in ("train", "validation", "test")
        for letters in (False, True)
    ]
    assert sum(map(len, rows)) == len(set().union(*rows)) == 44 * 36


def test_groups_are_in_every_part():
    voices = spoken.load().voices
    for part in ("train", "validation", "test"):
        mine = [voice for voice in voices if voice.part == part]
        assert {voice.high for voice in mine} == {voice.american for voice in mine} == {True, False}


def pitch(clip):
    """The median over loud frames of the rate at which the sound repeats, in Hz."""
    found = []
    for start in range(0, len(clip) - 400, 160):
        part = clip[start : start + 400] - clip[start : start + 400].mean()
        if np.mean(part**2) > 0.005:
            repeats = np.correlate(part, part, "full")[399:]
            lag = 20 + repeats[20:133].argmax()
            if repeats[lag] > 0.5 * repeats[0]:
                found.append(spoken.RATE / lag)
    return found


def test_high_voices_are_high():
    data = spoken.load()
    for number, voice in enumerate(data.voices):
        rows = np.flatnonzero(data.voice == number)[::3]
        middle = np.median(np.concatenate([pitch(data.clips[i]) for i in rows]))
        assert (middle > 160) == voice.high, voice.name


def test_an_unknown_part_is_named():
    with pytest.raises(ValueError, match="part is 'dev'"):
        spoken.load().rows("dev")


@pytest.mark.parametrize("db", [0, 10, 20])
def test_noise_has_the_power_that_was_asked_for(db):
    clip = spoken.load().clips[0]
    rng = np.random.default_rng(0)
    noisy = spoken.mix(clip, len(clip) / spoken.RATE, db, rng)
    power = np.mean(np.square(noisy - clip)) / np.mean(np.square(clip))
    assert abs(10 * np.log10(power) + db) < 0.1


def test_noise_is_low():
    noise = spoken.mix(np.ones(1, np.float32), 1.0, 0, np.random.default_rng(0))[1:]
    power = np.abs(np.fft.rfft(noise)) ** 2
    assert power[60:500].mean() > 4 * power[2000:].mean()


def test_a_clip_longer_than_the_recording_is_refused():
    with pytest.raises(ValueError, match="more than the recording"):
        spoken.mix(np.ones(900, np.float32), 0.1, 20, np.random.default_rng(0))


def test_spelling_joins_letters():
    clip = np.ones(800, np.float32)
    letters, rng = {"a": clip, "b": -clip}, np.random.default_rng(0)
    apart = spoken.spell("ab", letters, rng, pause=(0.01, 0.01))
    assert len(apart) == 1680 and not apart[800:880].any() and apart[-1] == -1
    over = spoken.spell("ab", letters, rng, pause=(-0.05, -0.05))
    assert len(over) == 1200 and np.all(np.diff(over[400:800]) < 0)
    words = spoken.spell("a b", letters, rng, space=(0.2, 0.2))
    assert len(words) == 1600 + 1600
    assert len(spoken.spell("", letters, rng)) == 0


def test_the_shipped_files_are_small():
    folder = Path(spoken.__file__).parent
    assert sum((folder / f"spoken.{end}").stat().st_size for end in ("opus", "json")) < 420_000


def test_without_the_program_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(FileNotFoundError, match="apt-get install espeak-ng"):
        spoken.make(spoken.load().voices[0], ["yes"])


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
def test_the_command_makes_the_clips_again():
    data = spoken.load()
    for number in (0, 20, 43):
        texts = ["left", "w", "off"]
        for text, made in zip(texts, spoken.make(data.voices[number], texts), strict=True):
            (row,) = np.flatnonzero((data.voice == number) & (data.text == text))
            kept = data.clips[row]
            # Another version of the program may speak a little differently.
            assert abs(len(made) - len(kept)) < 0.1 * len(kept)
            envelopes = [
                np.sqrt(np.square(x[: len(x) // 80 * 80]).reshape(-1, 80).mean(axis=1))
                for x in (made, kept)
            ]
            n = min(map(len, envelopes))
            assert np.corrcoef(envelopes[0][:n], envelopes[1][:n])[0, 1] > 0.8, (number, text)
