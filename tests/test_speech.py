"""Frames, mel filters, CTC, warping and error rates, against other ways of computing the same."""

import base64
import doctest
import io
from itertools import groupby, product

import numpy as np
import pytest
import soundfile
import torch
from bs4 import BeautifulSoup
from scipy.signal import ShortTimeFFT, get_window
from torch.nn import functional

from course_lib import speech
from course_lib.speech import ctc, errors, frames, mel, players, warping


@pytest.mark.parametrize("module", [ctc, errors, frames, mel, players, warping])
def test_examples(module):
    result = doctest.testmod(module)
    assert result.attempted and not result.failed


# Frames -------------------------------------------------------------------------------------------


def test_the_window_is_scipys():
    for length in (2, 7, 200):
        np.testing.assert_allclose(speech.hann(length), get_window("hann", length), atol=1e-12)


@pytest.mark.parametrize(("length", "hop", "points"), [(200, 80, 256), (16, 16, 16), (10, 3, 32)])
def test_power_is_scipys(length, hop, points):
    sound = np.random.default_rng(0).normal(size=1000)
    theirs = ShortTimeFFT(speech.hann(length), hop=hop, fs=1.0, mfft=points)
    # SciPy's slice p begins at sample p * hop - m_num_mid.
    first = -(-theirs.m_num_mid // hop)
    start = first * hop - theirs.m_num_mid
    ours = speech.power_spectrogram(sound[start:], length, hop, points)
    slices = theirs.stft(sound, p0=first, p1=first + len(ours))
    np.testing.assert_allclose(ours, np.abs(slices.T) ** 2, rtol=1e-9, atol=1e-9)


def test_the_window_contains_a_tone():
    tone = np.sin(2 * np.pi * 0.123 * np.arange(200))
    with_window = speech.power_spectrogram(tone, 200, 200, 256)[0]
    without = np.abs(np.fft.rfft(tone, 256)) ** 2
    far = slice(64, 129)
    assert with_window[far].max() / with_window.max() < 1e-6
    assert without[far].max() / without.max() > 1e-5


def test_frames_are_a_copy():
    sound = np.zeros(8)
    speech.frame(sound, 4, 2)[0, 0] = 1
    assert not sound.any()


@pytest.mark.parametrize(
    ("sound", "length", "hop", "said"),
    [
        (np.zeros(3), 4, 1, "pad it with zeros"),
        (np.zeros((2, 8)), 4, 1, "one row of samples"),
        (np.zeros(8), 4, 0, "hop is 0"),
    ],
)
def test_frames_that_cannot_be(sound, length, hop, said):
    with pytest.raises(ValueError, match=said):
        speech.frame(sound, length, hop)


def test_a_transform_is_not_shorter_than_a_frame():
    with pytest.raises(ValueError, match="points is 4"):
        speech.power_spectrogram(np.zeros(10), 8, 2, 4)


# Mel filters --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "points", "rate", "low"), [(32, 256, 8000, 100), (5, 65, 900, 0)]
)
def test_filters_are_triangles_between_corners(count, points, rate, low):
    bank = speech.mel_filters(count, points, rate, low)
    corners = mel.from_mel(np.linspace(mel.to_mel(low), mel.to_mel(rate / 2), count + 2))
    hertz = np.arange(points // 2 + 1) * rate / points
    for i, row in enumerate(bank):
        np.testing.assert_allclose(row, np.interp(hertz, corners[i : i + 3], [0, 1, 0]), atol=1e-12)


def test_mel_and_back():
    hertz = np.array([0.0, 50, 700, 1000, 8000])
    np.testing.assert_allclose(mel.from_mel(mel.to_mel(hertz)), hertz, atol=1e-9)
    assert abs(float(mel.to_mel(1000)) - 1000) < 0.1


def test_filters_too_narrow_are_named():
    with pytest.raises(ValueError, match="filter 0 lies between two frequencies"):
        speech.mel_filters(60, 64, 8000)


def test_silence_has_a_logarithm():
    quiet = speech.log_mel(np.zeros(400), 8000, length=200, hop=80, points=256, count=32)
    np.testing.assert_allclose(quiet, np.log(1e-3))
    assert quiet.shape == (3, 32)


# CTC ----------------------------------------------------------------------------------------------


def log_probs(steps, labels, seed):
    values = torch.randn(steps, labels, generator=torch.Generator().manual_seed(seed)).double()
    return functional.log_softmax(2 * values, dim=1)


@pytest.mark.parametrize("blank", [0, 2])
def test_the_loss_adds_up_all_paths(blank):
    for seed, text in enumerate(([], [1], [1, 1], [3, 1], [3, 1, 3], [1, 1, 3], [1, 1, 1])):
        p = log_probs(5, 4, seed).numpy()
        listed = sum(
            np.exp(sum(p[t, k] for t, k in enumerate(path)))
            for path in product(range(4), repeat=5)
            if [k for k, _ in groupby(path) if k != blank] == text
        )
        assert np.isclose(speech.ctc_loss(p, text, blank), -np.log(listed))


def test_the_loss_is_torchs():
    rng = np.random.default_rng(0)
    for seed in range(20):
        steps, size = int(rng.integers(1, 60)), int(rng.integers(0, 9))
        text, p = rng.integers(1, 5, size=size), log_probs(steps, 5, seed)
        theirs = functional.ctc_loss(
            p[:, None],
            torch.tensor(text)[None],
            torch.tensor([steps]),
            torch.tensor([size]),
            reduction="sum",
        )
        assert np.isclose(speech.ctc_loss(p, text.tolist()), theirs.item())


def test_a_text_that_does_not_fit_has_an_infinite_loss():
    assert speech.ctc_loss(log_probs(2, 4, 0), [1, 1]) == np.inf
    assert np.isfinite(speech.ctc_loss(log_probs(3, 4, 0), [1, 1]))


def test_a_blank_in_the_text_is_refused():
    with pytest.raises(ValueError, match="have the blank, 0"):
        speech.ctc_loss(log_probs(3, 4, 0), [1, 0])


def test_merging_comes_before_leaving_out():
    assert speech.collapse([1, 0, 1]) == [1, 1] and speech.collapse([1, 1]) == [1]
    assert speech.collapse([]) == [] and speech.collapse([2, 0, 2], blank=2) == [0]
    assert speech.greedy(np.eye(3)[[1, 1, 0, 1, 2]]) == [1, 1, 2]


# Errors -------------------------------------------------------------------------------------------


def test_the_distance_is_a_distance():
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abc"), rng.integers(0, 7))) for _ in range(12)]
    d = np.array([[speech.edit_distance(a, b) for b in words] for a in words])
    assert np.array_equal(d, d.T) and np.all(np.diag(d) == 0)
    assert np.all(d[:, None] <= d[:, :, None] + d[None])
    lengths = np.array([len(w) for w in words])
    assert np.all(d >= abs(lengths[:, None] - lengths))
    assert np.all(d <= np.maximum(lengths[:, None], lengths))


def test_the_rate_divides_by_what_was_said():
    assert speech.word_error_rate(["go"], ["go go go"]) == 2
    assert speech.word_error_rate(["a b c d", "e"], ["a b c d", "f"]) == 0.2
    with pytest.raises(ValueError, match="no words"):
        speech.word_error_rate([" "], ["go"])
    with pytest.raises(ValueError, match="came 1 references and 2"):
        speech.word_error_rate(["go"], ["go", "on"])


def test_equal_error_rate_is_where_the_errors_are_equal():
    rng = np.random.default_rng(0)
    same = rng.random(4000) < 0.3
    scores = rng.normal(size=4000) + 2 * same
    rate, threshold = speech.equal_error_rate(scores, same)
    assert abs(np.mean(scores[~same] >= threshold) - rate) < 2e-3
    assert abs(np.mean(scores[same] < threshold) - rate) < 2e-3
    assert abs(rate - 0.1587) < 0.02  # two normal curves, two standard deviations apart
    assert abs(speech.equal_error_rate(rng.normal(size=4000), same)[0] - 0.5) < 0.03


@pytest.mark.parametrize(
    ("scores", "same", "rate"),
    [
        ([4, 3, 2, 1], [1, 1, 0, 0], 0),
        ([4, 3, 2, 1], [0, 0, 1, 1], 1),
        ([1, 1, 1, 1], [1, 1, 1, 0], 0.5),
        ([4, 3, 2, 1, 0], [1, 0, 1, 0, 0], 1 / 3),
    ],
)
def test_equal_error_rates_that_are_known(scores, same, rate):
    assert np.isclose(speech.equal_error_rate(scores, same)[0], rate)


@pytest.mark.parametrize("same", [[1, 1], [0, 0]])
def test_both_kinds_of_pairs_are_wanted(same):
    with pytest.raises(ValueError, match="both kinds"):
        speech.equal_error_rate([0.1, 0.2], same)


# Warping ------------------------------------------------------------------------------------------


def warped_slowly(template, recording):
    cost = np.linalg.norm(template[:, None] - recording, axis=2)

    def best(i, j):
        if i == 0:
            return cost[0, j]
        return cost[i, j] + min(best(i - 1, k) for k in (j, j - 1, j - 2) if k >= 0)

    return min(best(len(template) - 1, j) for j in range(len(recording))) / len(template)


def test_warping_is_the_best_of_all_ways():
    rng = np.random.default_rng(0)
    templates = [rng.normal(size=(n, 3)) for n in (1, 4, 6)]
    recording = rng.normal(size=(7, 3))
    wanted = [warped_slowly(template, recording) for template in templates]
    np.testing.assert_allclose(speech.warped_distance(templates, recording), wanted)


def test_speed_does_not_matter_to_warping():
    word = np.random.default_rng(1).normal(size=(8, 4))
    slow, fast = np.repeat(word, 2, axis=0), word[::2]
    other = np.random.default_rng(2).normal(size=(8, 4))
    assert speech.warped_distance([word], slow)[0] < 1e-6
    assert speech.warped_distance([fast], word)[0] < 1e-6
    assert speech.warped_distance([other], slow)[0] > 1


# Recordings to play -------------------------------------------------------------------------------


def test_a_player_plays_the_sound_that_came():
    quiet, loud = 0.1 * np.sin(np.arange(400)), np.sin(np.arange(800.0))
    shown = speech.listen({"one & two": (quiet, "<yes>"), "loud": (loud, "no")}, 8000)
    page = BeautifulSoup(shown._repr_html_(), "html.parser")
    players = page.find_all("audio")
    for player, sound in zip(players, (quiet, loud), strict=True):
        kind, data = player["src"].split(",")
        assert kind == "data:audio/wav;base64" and player.has_attr("controls")
        played, rate = soundfile.read(io.BytesIO(base64.b64decode(data)))
        assert rate == 8000
        np.testing.assert_allclose(played, 0.9 / np.abs(loud).max() * sound, atol=1e-4)
    assert speech.listen({"a": (quiet, "x")}, 8000) == speech.listen({"a": (quiet, "x")}, 8000)


def test_a_player_has_a_label_and_its_words_in_writing():
    shown = speech.listen({"one & two": (np.ones(800), "<yes>")}, 8000, heads=("voice", "word"))
    page = BeautifulSoup(shown._repr_html_(), "html.parser")
    assert page.audio["aria-label"] == "one & two: <yes>"
    assert [head.text for head in page.find_all("th")] == ["voice", "listen", "word", "one & two"]
    assert page.find_all("td")[-1].text == "<yes>"
    assert "d-print-none" in page.audio.parent["class"]
    assert repr(shown) == "one & two: <yes> (0.1 s of sound)"


@pytest.mark.parametrize("sounds", [{}, {"silence": (np.zeros(9), "nothing")}])
def test_nothing_to_hear_is_refused(sounds):
    with pytest.raises(ValueError, match="expected sounds to play"):
        speech.listen(sounds, 8000)
