# ---
# jupyter:
#   course:
#     answers_in:
#     - course_lib.speech.ctc
#     - course_lib.speech.errors
#     - course_lib.speech.frames
#     - course_lib.speech.mel
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Speech: from samples to words
#
# - **Time:** 100 minutes. **Difficulty:** 3 of 5. **Points:** 27, of which a person gives 3.
# - **Needs:** the chapter *Speech*, NumPy arrays.
#
# A telephone company wants to know what its callers say, and whether they are who they claim to be. You write
# what comes before the network and what comes after it: frames, windows and mel filters, then CTC's two moves
# and its recursion over all paths, and finally the measures that judge the result. In the end your code reads
# what a network hears.
#
# **What is special here**
#
# - Everything is NumPy and plain Python. Only the last step trains a network.
# - Label 0 is the blank, unless an argument says otherwise.
#
# `course_lib.speech` holds answers to this exercise: leave it closed. What holds in every exercise (how to
# check, what the tests look at, what counts) is on the page *How exercises work* in the appendix.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib import get_device, seed_everything

# %% [markdown]
# ## Step 1. Frames and their power
#
# Cut a sound into frames: the first begins at sample 0, the next `hop` samples later, and so on as long as a
# whole frame fits. Whatever is left over at the end is dropped. Then compute the power spectrogram: multiply
# each frame by the *periodic* Hann window, whose value at sample n of `length` is 0.5 − 0.5 cos(2π n /
# length), pad it with zeros to `points` samples, and take the squared absolute values of its Fourier
# coefficients (`np.fft.rfft`).


# %% nbgrader={"grade": false, "grade_id": "power", "locked": false, "schema_version": 3, "solution": true, "task": false}
def frame(sound, length, hop):
    """Cut a sound into frames.

    Parameters
    ----------
    sound : ndarray, shape (samples,)
        At least one frame long.
    length, hop : int
        Samples in a frame, and from the start of one to the start of the next. `hop` may be more than
        `length`.

    Returns
    -------
    ndarray, shape (frames, length)

    Raises
    ------
    ValueError
        If the sound is shorter than a frame.

    Example
    -------
    >>> frame(np.arange(1, 8), length=4, hop=2).tolist()
    [[1, 2, 3, 4], [3, 4, 5, 6]]
    """
    ### BEGIN SOLUTION
    sound = np.asarray(sound)
    if len(sound) < length:
        raise ValueError(f"the sound has {len(sound)} samples, less than a frame of {length}")
    starts = np.arange(0, len(sound) - length + 1, hop)
    return sound[starts[:, np.newaxis] + np.arange(length)]
    ### END SOLUTION


def power_spectrogram(sound, length, hop, points):
    """Compute the power of each frame at each frequency.

    Parameters
    ----------
    sound : array_like, shape (samples,)
    length, hop : int
        As for `frame`.
    points : int
        Of the Fourier transform, at least `length`.

    Returns
    -------
    ndarray of float, shape (frames, points // 2 + 1)

    Example
    -------
    >>> wave = np.cos(2 * np.pi * 2 * np.arange(8) / 8)
    >>> (power_spectrogram(wave, length=8, hop=8, points=8) + 0.0).round(3).tolist()
    [[0.0, 1.0, 4.0, 1.0, 0.0]]
    """
    ### BEGIN SOLUTION
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    return np.abs(np.fft.rfft(frame(sound, length, hop) * window, n=points)) ** 2
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-power", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib import speech as reference
from course_lib.exercises import check, given

check(
    frame,
    {"sound": np.arange(10.0), "length": 4, "hop": 3},
    np.array([[0.0, 1, 2, 3], [3, 4, 5, 6], [6, 7, 8, 9]]),
    hint="A frame of 4 every 3 samples. The third one ends with the last sample. See 'From a sound to a "
    "picture'.",
)
wave = np.cos(2 * np.pi * 2 * np.arange(16) / 8)
with given(frame=reference.frame):
    check(
        power_spectrogram,
        {"sound": wave, "length": 8, "hop": 4, "points": 8},
        np.array([[0.0, 1, 4, 1, 0]] * 3),
        hint="Two periods in eight samples: frequency 2, and half the amplitude beside it, from the window. "
        "Power is the square of the amplitude. See 'From a sound to a picture'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-power-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: leftovers, hops longer than a frame, short sounds, padding, kinds of numbers.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib import speech as reference
from course_lib.exercises import check, check_kinds, check_raises, given

generator = np.random.default_rng(2)
for samples, length, hop in ((12, 5, 2), (11, 4, 4), (20, 3, 7), (6, 6, 3), (9, 1, 1)):
    sound = generator.normal(size=samples)
    rows = [sound[i : i + length] for i in range(0, samples, hop) if i + length <= samples]
    check(
        frame,
        {"sound": sound, "length": length, "hop": hop},
        np.array(rows),
        what=f"frame of {samples} samples, length {length}, hop {hop}",
        hint="Only whole frames, and all of them: the last begins at the latest at samples - length. See "
        "'From a sound to a picture'.",
    )
check_raises(
    ValueError,
    frame,
    {"sound": np.ones(3), "length": 4, "hop": 2},
    hint="No frame fits. Somebody should hear of it.",
)


def by_hand(sound, length, hop, points):
    rows = []
    for start in range(0, len(sound) - length + 1, hop):
        part = [
            sound[start + n] * np.sin(np.pi * n / length) ** 2 for n in range(length)
        ]  # the same window, written as a square
        rows.append(
            [
                abs(sum(v * np.exp(-2j * np.pi * k * n / points) for n, v in enumerate(part))) ** 2
                for k in range(points // 2 + 1)
            ]
        )
    return np.array(rows)


with given(frame=reference.frame):
    for samples, length, hop, points in ((20, 6, 4, 6), (15, 5, 3, 8), (9, 4, 2, 7)):
        sound = 3 * generator.normal(size=samples)
        check(
            power_spectrogram,
            {"sound": sound, "length": length, "hop": hop, "points": points},
            by_hand(sound, length, hop, points),
            what=f"power_spectrogram of {samples} samples, length {length}, hop {hop}, points {points}",
            hint="The window belongs to the frame, before the zeros are added at its end: n=points in "
            "rfft. It is periodic, so it is divided by length, not by length - 1. Squares, without a "
            "factor. See 'From a sound to a picture'.",
        )
    check_kinds(
        power_spectrogram,
        {"sound": np.array([3.0, -1, 4, 1, -5, 9, 2, 6]), "length": 5, "hop": 3, "points": 5},
        by_hand([3.0, -1, 4, 1, -5, 9, 2, 6], 5, 3, 5),
        hint="The window has fractions: a product stored as integers loses them.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 2. Mel filters
#
# `count + 2` corners are equally spaced in mels, from `low` Hz to half the sampling rate. Filter i rises in a
# straight line (in Hz) from 0 at corner i to 1 at corner i + 1, and falls to 0 at corner i + 2. Elsewhere it
# is 0. Column k is its value at the frequency of coefficient k, which is k · rate / points. A frequency of f
# Hz is 2595 log₁₀(1 + f / 700) mels.


# %% nbgrader={"grade": false, "grade_id": "mel", "locked": false, "schema_version": 3, "solution": true, "task": false}
def mel_filters(count, points, rate, low=0.0):
    """Make triangular filters whose tops are equally far apart in mels.

    Parameters
    ----------
    count : int
    points : int
        Of the Fourier transform; may be odd.
    rate : float
        Samples per second.
    low : float
        Where the first filter begins, in Hz.

    Returns
    -------
    ndarray of float, shape (count, points // 2 + 1)

    Example
    -------
    >>> mel_filters(count=2, points=8, rate=8000).round(2).tolist()
    [[0.0, 0.68, 0.0, 0.0, 0.0], [0.0, 0.32, 0.91, 0.45, 0.0]]
    """
    ### BEGIN SOLUTION
    lowest, highest = (2595 * np.log10(1 + hertz / 700) for hertz in (low, rate / 2))
    corners = 700 * (10 ** (np.linspace(lowest, highest, count + 2) / 2595) - 1)
    frequencies = np.arange(points // 2 + 1) * rate / points
    return np.array(
        [
            np.interp(frequencies, corners[i : i + 3], [0, 1, 0], left=0, right=0)
            for i in range(count)
        ]
    )
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-mel", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    mel_filters,
    {"count": 3, "points": 16, "rate": 8000},
    np.array(
        [
            [0.0, 0.8934592, 0.1656918, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            [0.0, 0.1065408, 0.8343082, 0.6508237, 0.1987153, 0.0, 0.0, 0.0, 0.0],
            [0.0, 0.0, 0.0, 0.3491763, 0.8012847, 0.8425854, 0.5617236, 0.2808618, 0.0],
        ]
    ),
    atol=1e-6,
    hint="Five corners, equally far apart in mels, turned back into Hz. Between two corners a straight "
    "line in Hz. See 'From a sound to a picture'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-mel-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: other rates, starts, numbers of filters, odd transforms.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_keyword


def triangles(count, points, rate, low):
    def hertz(mel):
        return 700 * (10 ** (mel / 2595) - 1)

    first, last = (2595 * np.log10(1 + f / 700) for f in (low, rate / 2))
    step, table = (last - first) / (count + 1), np.zeros((count, points // 2 + 1))
    for i in range(count):
        a, b, c = (hertz(first + (i + k) * step) for k in range(3))
        for k in range(points // 2 + 1):
            f = k * rate / points
            if a <= f <= b:
                table[i, k] = (f - a) / (b - a)
            elif b < f <= c:
                table[i, k] = (c - f) / (c - b)
    return table


for count, points, rate, low in (
    (8, 64, 8000, 0.0),
    (5, 48, 16000, 300.0),
    (4, 33, 11025, 50.0),
    (1, 32, 4000, 0.0),
):
    check(
        mel_filters,
        {"count": count, "points": points, "rate": rate, "low": low},
        triangles(count, points, rate, low),
        what=f"mel_filters(count={count}, points={points}, rate={rate}, low={low})",
        hint="Corners from low to rate / 2, with count + 2 of them. Coefficient k has the frequency "
        "k * rate / points. Each triangle is 1 at its top, however wide it is. See 'From a sound to a "
        "picture'.",
    )
check_keyword(
    mel_filters,
    {"count": 4, "points": 64, "rate": 8000},
    "low",
    [(0.0, triangles(4, 64, 8000, 0.0)), (200.0, triangles(4, 64, 8000, 200.0))],
    hint="low is in Hz, and turned into mels first.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 3. From a path to a text
#
# `collapse`: merge labels that are repeated directly after each other, then leave out the blanks. `greedy`:
# take the likeliest label at each step (in a tie, the first) and collapse the path.


# %% nbgrader={"grade": false, "grade_id": "greedy", "locked": false, "schema_version": 3, "solution": true, "task": false}
def collapse(path, blank=0):
    """Turn a path into the labels that it spells.

    Parameters
    ----------
    path : sequence of int
        May be empty.
    blank : int

    Returns
    -------
    list of int

    Example
    -------
    >>> collapse([0, 3, 3, 0, 3, 1, 1, 0])
    [3, 3, 1]
    """
    ### BEGIN SOLUTION
    labels, last = [], None
    for label in path:
        if label != last and label != blank:
            labels.append(int(label))
        last = label
    return labels
    ### END SOLUTION


def greedy(log_probs, blank=0):
    """Read what a network says, by its likeliest label at each step.

    Parameters
    ----------
    log_probs : ndarray, shape (T, K)
        Logarithms of the probabilities of K labels at each of T steps.
    blank : int

    Returns
    -------
    list of int

    Example
    -------
    >>> greedy(np.log([[0.1, 0.9], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6]]))
    [1, 1]
    """
    ### BEGIN SOLUTION
    return collapse(np.argmax(log_probs, axis=1).tolist(), blank)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-greedy", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib import speech as reference
from course_lib.exercises import check, given

check(
    collapse,
    {"path": [1, 1, 0, 2, 2, 0, 2, 2]},
    [1, 2, 2],
    hint="Merge repeats first: 1 0 2 0 2. Then leave out the blanks. See 'What was said?'.",
)
with given(collapse=reference.collapse):
    check(
        greedy,
        {"log_probs": np.log([[0.2, 0.1, 0.7], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.1, 0.7, 0.2]])},
        [2, 1],
        hint="The likeliest labels are 2, 0, 1, 1. Collapse that path. See 'What was said?'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-greedy-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Hidden: other blanks, empty paths, long runs.
### BEGIN HIDDEN TESTS
from itertools import groupby

import numpy as np

from course_lib import speech as reference
from course_lib.exercises import check, check_keyword, given

generator = np.random.default_rng(4)
for size in (0, 1, 9, 40):
    path = generator.integers(3, size=size).tolist()
    for blank in (0, 2):
        check(
            collapse,
            {"path": path, "blank": blank},
            [label for label, _ in groupby(path) if label != blank],
            hint="First merge, then leave out the blanks: a blank between two equal labels keeps them "
            "apart. See 'What was said?'.",
        )
check(collapse, {"path": [0, 0, 0]}, [], hint="Only blanks: an empty list.")
check(
    collapse,
    {"path": [4, 4, 4, 4]},
    [4],
    hint="A label that lasts four steps is one label. See 'What was said?'.",
)
with given(collapse=reference.collapse):
    scores = generator.normal(size=(12, 4)) - 5
    paths = [
        [k for k, _ in groupby(scores.argmax(axis=1).tolist()) if k != blank] for blank in (0, 3, 1)
    ]
    check_keyword(
        greedy,
        {"log_probs": scores},
        "blank",
        list(zip((0, 3, 1), paths, strict=True)),
        hint="The largest of each row, then collapse with this blank.",
    )
    check(
        greedy,
        {"log_probs": np.array([[-1.0, -1, -3], [-2, -1, -1]])},
        [1],
        hint="Of equal ones, the first: 0, 1.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 4. All paths at once
#
# CTC's loss is minus the logarithm of the probability of a text, summed over all paths that spell it. Write
# the chapter's recursion. The states are the labels, with a blank before, between and after them. A path
# begins in the first blank or on the first label, and ends on the last label or in the last blank. From one
# step to the next, it stays, or moves on by one state, or by two if that skips a blank between two
# *different* labels.
#
# Work with logarithms (`np.logaddexp`): a product of hundreds of probabilities is smaller than the smallest
# number. A text that does not fit into T steps has probability 0, and its loss is infinite. An empty text is
# spelled with blanks alone.


# %% nbgrader={"grade": false, "grade_id": "ctc", "locked": false, "schema_version": 3, "solution": true, "task": false}
def ctc_loss(log_probs, labels, blank=0):
    """Compute minus the logarithm of the probability of a text.

    Parameters
    ----------
    log_probs : ndarray, shape (T, K)
        T is 1 or more.
    labels : list of int
        The text, without blanks. May be empty.
    blank : int

    Returns
    -------
    float

    Example
    -------
    >>> half = np.log([[0.5, 0.5], [0.5, 0.5]])
    >>> round(float(np.exp(-ctc_loss(half, [1]))), 6)  # three of four paths
    0.75
    """
    ### BEGIN SOLUTION
    log_probs = np.asarray(log_probs, dtype=float)
    states = [blank]
    for label in labels:
        states += [label, blank]
    alpha = [log_probs[0, state] if s < 2 else -np.inf for s, state in enumerate(states)]
    for step in log_probs[1:]:
        following = []
        for s, state in enumerate(states):
            total = alpha[s]
            if s >= 1:
                total = np.logaddexp(total, alpha[s - 1])
            if s >= 2 and state != blank and state != states[s - 2]:
                total = np.logaddexp(total, alpha[s - 2])
            following.append(total + step[state])
        alpha = following
    return float(-np.logaddexp.reduce(alpha[-2:]))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-ctc", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

p = np.array([[0.5, 0.3, 0.2], [0.1, 0.6, 0.3], [0.4, 0.2, 0.4]])
check(
    ctc_loss,
    {"log_probs": np.log(p), "labels": [1, 2]},
    float(
        -np.log(
            0.3 * 0.6 * 0.4 + 0.3 * 0.3 * 0.4 + 0.3 * 0.1 * 0.4 + 0.5 * 0.6 * 0.4 + 0.3 * 0.3 * 0.4
        )
    ),
    hint="Five paths spell it in three steps: 112, 122, 102, 012 and 120. See 'What was said?'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-ctc-hidden", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Hidden: repeats, empty texts, texts that do not fit, long recordings, other blanks, tensors of torch as judge.
### BEGIN HIDDEN TESTS
from itertools import groupby, product

import numpy as np
import torch
from torch.nn import functional

from course_lib.exercises import check, check_keyword


def listed(log_probs, labels, blank=0):
    """Add up all paths, one by one."""
    T, K = log_probs.shape
    total = sum(
        np.exp(sum(log_probs[t, k] for t, k in enumerate(path)))
        for path in product(range(K), repeat=T)
        if [k for k, _ in groupby(path) if k != blank] == list(labels)
    )
    return float(-np.log(total)) if total else np.inf


def logs(T, K, seed):
    values = np.random.default_rng(seed).normal(size=(T, K))
    return values - np.log(np.exp(values).sum(axis=1, keepdims=True))


for T, labels, why in (
    (
        5,
        [1, 1],
        "Two equal labels: no path goes from one to the other without a blank between them.",
    ),
    (6, [1, 2, 2], "Skip a blank between different labels, and only there."),
    (5, [2, 1, 2], "The labels 1 and 2 steps apart are equal here, and neighbors are not."),
    (4, [], "An empty text is spelled by blanks alone: one state."),
    (1, [2], "One step: the path begins and ends on the label."),
    (1, [], "One step, one blank."),
    (3, [1, 2, 1], "It just fits, by a single path."),
):
    check(
        ctc_loss,
        {"log_probs": logs(T, 3, T), "labels": labels},
        listed(logs(T, 3, T), labels),
        what=f"ctc_loss of {labels} in {T} steps",
        hint=why + " See 'What was said?'.",
    )
for T, labels in ((2, [1, 2, 1]), (3, [1, 1, 2]), (1, [1, 1])):
    check(
        ctc_loss,
        {"log_probs": logs(T, 3, 1), "labels": labels},
        np.inf,
        what=f"ctc_loss of {labels} in {T} steps",
        hint="It does not fit: its probability is 0, and minus the logarithm of 0 is infinite.",
    )
check_keyword(
    ctc_loss,
    {"log_probs": logs(5, 3, 8), "labels": [1]},
    "blank",
    [(0, listed(logs(5, 3, 8), [1])), (2, listed(logs(5, 3, 8), [1], 2))],
    hint="The blank may be any label.",
)
for seed, (T, K, size) in enumerate(((40, 6, 12), (700, 5, 60))):
    generator = np.random.default_rng(seed)
    table, text = 3 * logs(T, K, seed), generator.integers(1, K, size=size).tolist()
    table -= np.log(np.exp(table).sum(axis=1, keepdims=True))
    judge = functional.ctc_loss(
        torch.tensor(table)[:, None],
        torch.tensor([text]),
        torch.tensor([T]),
        torch.tensor([size]),
        reduction="sum",
    )
    check(
        ctc_loss,
        {"log_probs": table, "labels": text},
        float(judge),
        what=f"ctc_loss of {size} labels in {T} steps",
        hint="Add with np.logaddexp and multiply by adding: the probability itself is smaller than the "
        "smallest number. See 'What was said?'.",
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 5. Counting errors
#
# The edit distance: the fewest substitutions, deletions and insertions that turn one sequence into the other.
# The word error rate of a whole set: all edits of words, divided by all words *of the references*. Words are
# what `str.split()` returns for a text.


# %% nbgrader={"grade": false, "grade_id": "edit", "locked": false, "schema_version": 3, "solution": true, "task": false}
def edit_distance(reference, hypothesis):
    """Count the fewest edits that turn one sequence into the other.

    Parameters
    ----------
    reference, hypothesis : str or list
        Either may be empty.

    Returns
    -------
    int

    Example
    -------
    >>> edit_distance("kitten", "sitting")
    3
    """
    ### BEGIN SOLUTION
    above = list(range(len(hypothesis) + 1))
    for i, wanted in enumerate(reference, start=1):
        row = [i]
        for j, came in enumerate(hypothesis, start=1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (wanted != came)))
        above = row
    return above[-1]
    ### END SOLUTION


def word_error_rate(references, hypotheses):
    """Compute the word error rate of a set of transcripts.

    Parameters
    ----------
    references, hypotheses : list of str
        What was said and what was understood, as many of one as of the other. At least one word was said.

    Returns
    -------
    float
        May exceed 1.

    Example
    -------
    >>> round(word_error_rate(["turn left now"], ["turn right"]), 4)  # one wrong, one missing
    0.6667
    """
    ### BEGIN SOLUTION
    edits = sum(
        edit_distance(said.split(), heard.split())
        for said, heard in zip(references, hypotheses, strict=True)
    )
    return edits / sum(len(said.split()) for said in references)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-edit", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
from course_lib import speech as reference
from course_lib.exercises import check, given

check(
    edit_distance,
    {"reference": "saturday", "hypothesis": "sunday"},
    3,
    hint="Two deletions and one substitution. See 'Counting the errors'.",
)
with given(edit_distance=reference.edit_distance):
    check(
        word_error_rate,
        {"references": ["go left", "stop"], "hypotheses": ["go right", "stop"]},
        1 / 3,
        hint="One substitution, and three words were said. See 'Counting the errors'.",
    )

# %% nbgrader={"grade": true, "grade_id": "test-edit-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: empty sequences, lists, insertions, sets of different lengths.
### BEGIN HIDDEN TESTS
from functools import cache

import numpy as np

from course_lib import speech as reference
from course_lib.exercises import check, given


def slow(a, b):
    """The recursion, from the definition."""

    @cache
    def rest(i, j):
        if i == len(a) or j == len(b):
            return len(a) - i + len(b) - j
        return min(1 + rest(i + 1, j), 1 + rest(i, j + 1), (a[i] != b[j]) + rest(i + 1, j + 1))

    return rest(0, 0)


generator = np.random.default_rng(6)
pairs = [("", ""), ("", "abc"), ("abc", ""), ("abc", "abc"), ("ab", "ba"), ("abcdef", "bcdefa")]
pairs += [
    tuple("".join(generator.choice(list("abc"), generator.integers(1, 9))) for _ in range(2))
    for _ in range(6)
]
for a, b in pairs:
    check(
        edit_distance,
        {"reference": a, "hypothesis": b},
        slow(a, b),
        hint="A substitution costs 1, and so do an insertion and a deletion. Two neighbors that changed "
        "places are two edits. See 'Counting the errors'.",
    )
check(
    edit_distance,
    {"reference": ["turn", "left"], "hypothesis": ["turn", "it", "left"]},
    1,
    hint="Lists of words are compared word by word.",
)
with given(edit_distance=reference.edit_distance):
    for said, heard, rate, why in (
        (
            ["left"],
            ["turn left right now"],
            3.0,
            "Three insertions, one word was said: more than 1.",
        ),
        (
            ["one two three four five six", "go"],
            ["one two three four five six", "no"],
            1 / 7,
            "All edits of the set over all its words. The mean over sentences is another number.",
        ),
        (["a b c d"], ["a"], 0.75, "Three deletions, and four words were said, not one."),
        (
            ["go now", ""],
            ["", "oh"],
            1.5,
            "A text may be empty: two deletions, one insertion, two words.",
        ),
        (["  turn   left "], ["turn left"], 0.0, "Words are what split() makes of a text."),
        (
            ["stop it"],
            ["atop it"],
            0.5,
            "Words are right or wrong as a whole, not letter by letter.",
        ),
    ):
        check(
            word_error_rate,
            {"references": said, "hypotheses": heard},
            rate,
            hint=why + " See 'Counting the errors'.",
        )
### END HIDDEN TESTS

# %% [markdown]
# ## Step 6. The equal error rate
#
# A verifier accepts a pair if its score is *at least* a threshold. Let the threshold fall from above the
# highest score, stopping at each score that occurs. At each stop there are two shares: of the impostors
# (pairs of two speakers) that are accepted, and of the true pairs (the same speaker twice) that are refused.
# The first begins at 0 and rises to 1, the second begins at 1 and falls to 0. The equal error rate is where
# they are the same. If that happens between two stops, join each share from stop to stop by straight lines;
# the lines cross at the equal error rate.


# %% nbgrader={"grade": false, "grade_id": "eer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def equal_error_rate(scores, same):
    """Compute the equal error rate of a verifier.

    Parameters
    ----------
    scores : array_like, shape (n,)
        Similarity of each pair; several may be equal.
    same : array_like of bool, shape (n,)
        Whether it is the same speaker twice. There are pairs of both kinds.

    Returns
    -------
    float

    Example
    -------
    >>> round(equal_error_rate([0.9, 0.8, 0.6, 0.4, 0.3, 0.1], [1, 1, 0, 1, 0, 0]), 4)
    0.3333
    """
    ### BEGIN SOLUTION
    scores, same = np.asarray(scores, dtype=float), np.asarray(same, dtype=bool)
    accepted, refused = 0.0, 1.0
    for threshold in np.unique(scores)[::-1]:
        before = accepted, refused
        accepted = np.mean(scores[~same] >= threshold)
        refused = np.mean(scores[same] < threshold)
        if accepted >= refused:
            share = (before[1] - before[0]) / (before[1] - before[0] + accepted - refused)
            return float(before[0] + share * (accepted - before[0]))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-eer", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
import numpy as np

from course_lib.exercises import check

check(
    equal_error_rate,
    {
        "scores": np.array([0.9, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]),
        "same": np.array([True, True, False, True, True, False, False, False]),
    },
    0.25,
    hint="Down to 0.5, one of four impostors is accepted and one of four true pairs is refused. See "
    "'Whose voice?'.",
)

# %% nbgrader={"grade": true, "grade_id": "test-eer-hidden", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Hidden: unequal numbers, crossings between two stops, ties, perfect and useless scores, other scales.
### BEGIN HIDDEN TESTS
import numpy as np

from course_lib.exercises import check, check_kinds


def crossing(scores, same):
    """Halve the interval of stops in which the two lines cross, sixty times."""
    scores, same = np.asarray(scores, float), np.asarray(same, bool)
    stops = [np.inf, *sorted(set(scores.tolist()), reverse=True)]
    a = [sum(s >= t for s in scores[~same]) / sum(~same) for t in stops]
    r = [sum(s < t for s in scores[same]) / sum(same) for t in stops]
    left, right = 0.0, len(stops) - 1.0
    for _ in range(60):
        middle = (left + right) / 2
        if np.interp(middle, range(len(stops)), a) < np.interp(middle, range(len(stops)), r):
            left = middle
        else:
            right = middle
    return float(np.interp(right, range(len(stops)), a))


for scores, same, why in (
    ([0.9, 0.8, 0.2, 0.1], [1, 1, 0, 0], "Perfect scores have a rate of 0."),
    ([0.9, 0.8, 0.2, 0.1], [0, 0, 1, 1], "Scores the wrong way round have a rate of 1."),
    ([0.5, 0.5, 0.5, 0.5], [1, 0, 0, 1], "Scores that are all equal say nothing: one half."),
    (
        [0.9, 0.6, 0.5, 0.3, 0.2],
        [1, 0, 1, 0, 0],
        "Three impostors and two true pairs: the lines cross between two stops.",
    ),
    ([3, 2, 1, 0], [1, 0, 1, 0], "Scores need not lie between 0 and 1."),
    ([-0.1, -0.4, -0.6, -0.9, -1.2], [1, 0, 1, 0, 0], "Scores may be below 0."),
    (
        [0.9, 0.7, 0.7, 0.7, 0.2, 0.1],
        [1, 1, 0, 0, 1, 0],
        "Equal scores are one stop: all of them are accepted at once.",
    ),
):
    check(
        equal_error_rate,
        {"scores": np.array(scores, dtype=float), "same": np.array(same, dtype=bool)},
        crossing(scores, same),
        hint=why + " See 'Whose voice?'.",
    )
generator = np.random.default_rng(9)
for n in (40, 41):
    same = generator.random(n) < 0.3
    scores = (generator.normal(size=n) + 1.5 * same).round(1)
    check(
        equal_error_rate,
        {"scores": scores, "same": same},
        crossing(scores, same),
        what=f"equal_error_rate of {same.sum()} true pairs and {(~same).sum()} impostors",
        hint="Each share is of its own kind: accepted ones among the impostors, refused ones among the "
        "true pairs. Between two stops, both lines are straight. See 'Whose voice?'.",
    )
check_kinds(
    equal_error_rate,
    {"scores": np.array([9.0, 7, 6, 5, 3, 2]), "same": np.array([1.0, 0, 1, 1, 0, 0])},
    crossing([9, 7, 6, 5, 3, 2], [1, 0, 1, 1, 0, 0]),
    hint="same may come as 1 and 0: make it a boolean array before you index with it or negate it.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Step 7. Reading what a network hears
#
# Everything together. Your frames, windows and filters make the pictures, PyTorch trains a small network with
# its own CTC loss, and your `greedy` and `word_error_rate` read and judge what it says about voices that it
# has never heard. The callers spell with six letters.

# %% nbgrader={"grade": false, "grade_id": "finale", "locked": true, "schema_version": 3, "solution": false, "task": false}
import torch
from torch.nn import functional

from course_lib.data import spoken
from course_lib.models.speech import SpellingNet
from course_lib.plotting import speech as figures

seed_everything(0)
device, data, names = get_device(), spoken.load(), "– aeonst"
letters = {}
for clip, text, voice in zip(data.clips, data.text, data.voice, strict=True):
    letters.setdefault(int(voice), {})[str(text)] = clip
filters = mel_filters(count=32, points=256, rate=spoken.RATE, low=100.0)
rng = np.random.default_rng(0)


def picture(text, voice):
    sound = spoken.spell(text, letters[voice], rng)
    sound = spoken.mix(sound, len(sound) / spoken.RATE + 0.2, 25, rng)
    mel = np.log(power_spectrogram(sound, 200, 80, 256) @ filters.T + 1e-3)
    return ((mel - mel.mean()) / mel.std()).astype(np.float32)


def by_part(part, n):
    voices = [v for v, voice in enumerate(data.voices) if voice.part == part]
    sizes = rng.integers(1, 4, size=(n, 2))
    texts = [" ".join("".join(rng.choice(list(names[2:]), k)) for k in size) for size in sizes]
    return texts, [picture(text, rng.choice(voices)) for text in texts]


texts, pictures = by_part("train", 320)
network = SpellingNet(len(names)).to(device)
optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
order = np.argsort([len(mel) for mel in pictures])
for epoch in range(8):
    for rows in rng.permutation(order.reshape(-1, 16)):
        batch = torch.nn.utils.rnn.pad_sequence(
            [torch.tensor(pictures[i]) for i in rows], batch_first=True
        ).to(device)
        coded = [torch.tensor([names.index(c) for c in texts[i]]) for i in rows]
        steps = torch.tensor([SpellingNet.steps(len(pictures[i])) for i in rows])
        log_p = network(batch).log_softmax(dim=2).transpose(0, 1)
        loss = functional.ctc_loss(
            log_p.cpu(), torch.cat(coded), steps, torch.tensor([len(c) for c in coded])
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 2:
        print(f"epoch {epoch + 1}: loss {loss.item():.2f}")
network.eval()
said, calls = by_part("test", 60)
with torch.no_grad():
    answers = [
        network(torch.tensor(mel, device=device)[None])[0].log_softmax(dim=1).cpu().numpy()
        for mel in calls
    ]
heard = ["".join(names[k] for k in greedy(log_p)) for log_p in answers]
for pair in list(zip(said, heard, strict=True))[:4]:
    print("{:8} -> {}".format(*pair))
print(f"word error rate {word_error_rate(said, heard):.2f}")
mine = ctc_loss(answers[0], [names.index(c) for c in said[0]])
theirs = functional.ctc_loss(
    torch.tensor(answers[0])[:, None],
    torch.tensor([[names.index(c) for c in said[0]]]),
    torch.tensor([len(answers[0])]),
    torch.tensor([len(said[0])]),
    reduction="sum",
)
print(f"CTC loss of the first: yours {mine:.4f}, PyTorch's {theirs.item():.4f}")
means = np.stack([mel.mean(axis=0) for mel in calls])
means -= means.mean(axis=0)
means /= np.linalg.norm(means, axis=1, keepdims=True)
a, b = np.triu_indices(len(calls), 1)
shuffled = rng.permutation(len(calls) * (len(calls) - 1) // 2) % 2 == 0
print(
    f"equal error rate for random labels {equal_error_rate((means[a] * means[b]).sum(axis=1), shuffled):.2f}"
)
figures.spelling(
    calls[0], np.exp(answers[0]), list(names), len(answers[0]) * 4 * 80 / spoken.RATE, said[0]
)

# %% [markdown]
# **What you see.** A network that learned letters without being told where they are, from pictures that you
# made, and a verifier that knows nothing, at one half.
#
# ## Step 8. A voice as a password
#
# *3 points, read by a person. About 100 words.*
#
# A supplier offers your bank a verifier: "Equal error rate 1.5 %, on 200,000 pairs of recordings of 300 volunteers. 80 % of the recordings were used for
# training, the rest for testing." Your bank has 100,000 callers a day, of whom about ten are
# impostors.
#
# 1. What is wrong with how the 1.5 % was measured, and in which direction is it off?
# 2. Suppose 1.5 % were true. How many true customers would be refused each day at this threshold, and how
#    many impostors would be let in? Would you use it?
# 3. Name one attack, or one group of customers, about which the number says nothing, and what you would ask the
#    supplier to measure.

# %% [markdown] nbgrader={"grade": true, "grade_id": "password", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# 1. The recordings were divided, not the speakers: the same 300 people are in both parts. The network
#    has learned to tell these apart, so the rate for new customers will be higher, perhaps several times.
# 2. About 1,500 customers refused a day, and of ten impostors about 0.15, so one a week. Whether that is
#    good depends on costs: 1,500 customers who are asked again are many, so a lower threshold, or a second factor
#    for those who are refused, may be better. The EER's threshold weighs both errors alike, which the bank does not.
# 3. Recordings that are played back, and cloned voices: neither was in the test. Ask for the share that is
#    accepted of them at the threshold in use. Or: the refusals by accent, age, or with a cold or a bad line.
#
# === BEGIN MARK SCHEME ===
# 1. **One point** for the same speakers in both parts *and* too low a rate. Half for one of the two.
# 2. **One point** for about 1,500 and about 0.15 (or "one a week"), with a conclusion from costs. Half for the
#    numbers alone.
# 3. **One point** for a gap that the number leaves (replay, cloning, a group, noise) with a measurement at a threshold.
#    Half without the measurement.
# === END MARK SCHEME ===
