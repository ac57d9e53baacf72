"""Wrong and unusual answers to the exercise `speech`."""

import numpy as np

from course_lib.assignments.answers import right, wrong

accepted = {
    ("frame", "float32"): "The text fixes no precision.",
    ("power_spectrogram", "float32"): "The text fixes no precision.",
    ("mel_filters", "float32"): "The text fixes no precision.",
}

# Frames and power ---------------------------------------------------------------------------------


@wrong(loses=["test-power", "test-power-hidden"], says="ends with the last sample")
def the_last_frame_is_lost():
    """range stops one too early."""

    def frame(sound, length, hop):
        sound = np.asarray(sound)
        if len(sound) < length:
            raise ValueError("too short")
        starts = np.arange(0, max(len(sound) - length, 1), hop)
        return sound[starts[:, np.newaxis] + np.arange(length)]


@wrong(loses=["test-power-hidden"], says="Only whole frames")
def a_frame_of_leftovers():
    """What is left at the end is filled up with zeros."""

    def frame(sound, length, hop):
        sound = np.asarray(sound)
        if len(sound) < length:
            raise ValueError("too short")
        count = -(-(len(sound) - length) // hop) + 1
        padded = np.concatenate([sound, np.zeros(count * hop + length)])
        return np.stack([padded[i * hop : i * hop + length] for i in range(count)])


@wrong(loses=["test-power", "test-power-hidden"], says="every 3 samples")
def frames_side_by_side():
    """The hop is ignored: frames do not overlap."""

    def frame(sound, length, hop):
        sound = np.asarray(sound)
        if len(sound) < length:
            raise ValueError("too short")
        return sound[: len(sound) // length * length].reshape(-1, length)


@wrong(loses=["test-power-hidden"], says="ValueError")
def short_sounds_give_nothing():
    """No frame fits, so none comes back, and nobody hears of it."""

    def frame(sound, length, hop):
        sound = np.asarray(sound)
        starts = np.arange(0, len(sound) - length + 1, hop)
        return sound[starts[:, np.newaxis] + np.arange(length)]


@wrong(loses=["test-power", "test-power-hidden"], says="frequency 2")
def no_window():
    """A frame is transformed as it was cut."""

    def power_spectrogram(sound, length, hop, points):
        return np.abs(np.fft.rfft(frame(sound, length, hop), n=points)) ** 2


@wrong(loses=["test-power", "test-power-hidden"], says="square of the amplitude")
def amplitude_for_power():
    """The absolute values are not squared."""

    def power_spectrogram(sound, length, hop, points):
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
        return np.abs(np.fft.rfft(frame(sound, length, hop) * window, n=points))


@wrong(loses=["test-power", "test-power-hidden"], says="came")
def symmetric_window():
    """np.hanning divides by length - 1."""

    def power_spectrogram(sound, length, hop, points):
        return np.abs(np.fft.rfft(frame(sound, length, hop) * np.hanning(length), n=points)) ** 2


@wrong(loses=["test-power", "test-power-hidden"], says="came")
def hamming_window():
    """Another window of that time."""

    def power_spectrogram(sound, length, hop, points):
        window = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(length) / length)
        return np.abs(np.fft.rfft(frame(sound, length, hop) * window, n=points)) ** 2


@wrong(loses=["test-power-hidden"], says="power_spectrogram")
def points_ignored():
    """The frame is transformed at its own length."""

    def power_spectrogram(sound, length, hop, points):
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
        return np.abs(np.fft.rfft(frame(sound, length, hop) * window)) ** 2


@wrong(loses=["test-power-hidden"], says="before the zeros are added")
def window_over_the_padding():
    """The frame is filled up first, and the window stretched over the zeros."""

    def power_spectrogram(sound, length, hop, points):
        frames = np.pad(frame(sound, length, hop), ((0, 0), (0, points - length)))
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(points) / points)
        return np.abs(np.fft.rfft(frames * window)) ** 2


@wrong(loses=["test-power", "test-power-hidden"], says="came")
def divided_by_points():
    """Some conventions divide power by the number of points."""

    def power_spectrogram(sound, length, hop, points):
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
        return np.abs(np.fft.rfft(frame(sound, length, hop) * window, n=points)) ** 2 / points


@wrong(loses=["test-power-hidden"], says="for integers")
def fractions_lost():
    """The product goes back into an array of the sound's type."""

    def power_spectrogram(sound, length, hop, points):
        frames = frame(sound, length, hop)
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
        frames[:] = (frames * window).astype(frames.dtype)
        return np.abs(np.fft.rfft(frames, n=points)) ** 2


# Mel filters --------------------------------------------------------------------------------------


@wrong(loses=["test-mel", "test-mel-hidden"], says="equally far apart in mels")
def corners_in_hertz():
    """The corners lie equally far apart in Hz."""

    def mel_filters(count, points, rate, low=0.0):
        corners = np.linspace(low, rate / 2, count + 2)
        f = np.arange(points // 2 + 1) * rate / points
        rows = [np.interp(f, corners[i : i + 3], [0, 1, 0], 0, 0) for i in range(count)]
        return np.array(rows)


@wrong(loses=["test-mel", "test-mel-hidden"], says="came")
def one_corner_too_few():
    """count + 1 corners, and a last filter that ends where it peaks."""

    def mel_filters(count, points, rate, low=0.0):
        a, b = (2595 * np.log10(1 + f / 700) for f in (low, rate / 2))
        corners = 700 * (10 ** (np.linspace(a, b, count + 1) / 2595) - 1)
        corners = np.append(corners, corners[-1] + 1)
        f = np.arange(points // 2 + 1) * rate / points
        rows = [np.interp(f, corners[i : i + 3], [0, 1, 0], 0, 0) for i in range(count)]
        return np.array(rows)


@wrong(loses=["test-mel", "test-mel-hidden"], says="came")
def up_to_the_rate():
    """The filters end at the sampling rate instead of at half of it."""

    def mel_filters(count, points, rate, low=0.0):
        a, b = (2595 * np.log10(1 + f / 700) for f in (low, rate))
        corners = 700 * (10 ** (np.linspace(a, b, count + 2) / 2595) - 1)
        f = np.arange(points // 2 + 1) * rate / points
        rows = [np.interp(f, corners[i : i + 3], [0, 1, 0], 0, 0) for i in range(count)]
        return np.array(rows)


@wrong(loses=["test-mel", "test-mel-hidden"], says="came")
def areas_of_one():
    """Each filter is scaled to an area of 1, as some libraries do."""

    def mel_filters(count, points, rate, low=0.0):
        a, b = (2595 * np.log10(1 + f / 700) for f in (low, rate / 2))
        corners = 700 * (10 ** (np.linspace(a, b, count + 2) / 2595) - 1)
        f = np.arange(points // 2 + 1) * rate / points
        rows = [np.interp(f, corners[i : i + 3], [0, 1, 0], 0, 0) for i in range(count)]
        return np.array(rows) * (2 / (corners[2:] - corners[:-2]))[:, None]


@wrong(loses=["test-mel", "test-mel-hidden"], says="straight line in Hz")
def straight_in_mels():
    """The sides are straight lines in mels."""

    def mel_filters(count, points, rate, low=0.0):
        a, b = (2595 * np.log10(1 + f / 700) for f in (low, rate / 2))
        corners = np.linspace(a, b, count + 2)
        f = 2595 * np.log10(1 + np.arange(points // 2 + 1) * rate / points / 700)
        rows = [np.interp(f, corners[i : i + 3], [0, 1, 0], 0, 0) for i in range(count)]
        return np.array(rows)


@wrong(loses=["test-mel", "test-mel-hidden"], says="came")
def natural_logarithm():
    """The factor 2595 belongs to the logarithm to base 10, and the inverse uses it."""

    def mel_filters(count, points, rate, low=0.0):
        a, b = (2595 * np.log(1 + f / 700) for f in (low, rate / 2))
        corners = 700 * (10 ** (np.linspace(a, b, count + 2) / 2595) - 1)
        f = np.arange(points // 2 + 1) * rate / points
        rows = [np.interp(f, corners[i : i + 3], [0, 1, 0], 0, 0) for i in range(count)]
        return np.array(rows)


@wrong(loses=["test-mel-hidden"], says="low")
def low_ignored():
    """The first filter always begins at 0."""

    def mel_filters(count, points, rate, low=0.0):
        corners = np.linspace(0, 2595 * np.log10(1 + rate / 1400), count + 2)
        corners = 700 * (10 ** (corners / 2595) - 1)
        f = np.arange(points // 2 + 1) * rate / points
        rows = [np.interp(f, corners[i : i + 3], [0, 1, 0], 0, 0) for i in range(count)]
        return np.array(rows)


@wrong(loses=["test-mel-hidden"], says="k * rate / points")
def frequencies_up_to_half():
    """linspace up to half the rate is right for an even number of points alone."""

    def mel_filters(count, points, rate, low=0.0):
        a, b = (2595 * np.log10(1 + f / 700) for f in (low, rate / 2))
        corners = 700 * (10 ** (np.linspace(a, b, count + 2) / 2595) - 1)
        f = np.linspace(0, rate / 2, points // 2 + 1)
        rows = [np.interp(f, corners[i : i + 3], [0, 1, 0], 0, 0) for i in range(count)]
        return np.array(rows)


@wrong(loses=["test-mel", "test-mel-hidden"], says="came")
def corners_rounded_to_coefficients():
    """An old way: each corner is moved to the nearest coefficient below."""

    def mel_filters(count, points, rate, low=0.0):
        a, b = (2595 * np.log10(1 + f / 700) for f in (low, rate / 2))
        corners = 700 * (10 ** (np.linspace(a, b, count + 2) / 2595) - 1)
        places, k = np.floor(corners * points / rate), np.arange(points // 2 + 1)
        rows = [np.interp(k, places[i : i + 3], [0, 1, 0], 0, 0) for i in range(count)]
        return np.array(rows)


# Reading a path -----------------------------------------------------------------------------------


@wrong(loses=["test-greedy", "test-greedy-hidden"], says="Merge repeats first")
def blanks_first():
    """Blanks are left out before repeats are merged: no double letters."""

    def collapse(path, blank=0):
        labels = []
        for label in path:
            if label != blank and (not labels or label != labels[-1]):
                labels.append(int(label))
        return labels


@wrong(loses=["test-greedy", "test-greedy-hidden"], says="Merge repeats first")
def repeats_stay():
    """Only blanks are left out."""

    def collapse(path, blank=0):
        return [int(label) for label in path if label != blank]


@wrong(loses=["test-greedy", "test-greedy-hidden"], says="leave out the blanks")
def blanks_stay():
    """Only repeats are merged."""

    def collapse(path, blank=0):
        return [int(k) for t, k in enumerate(path) if t == 0 or k != path[t - 1]]


@wrong(loses=["test-greedy", "test-greedy-hidden"], says="came")
def each_label_once():
    """A set has no order and no repeats."""

    def collapse(path, blank=0):
        return sorted({int(label) for label in path} - {blank})


@wrong(loses=["test-greedy-hidden"], says="blank")
def blank_is_zero_in_collapse():
    """The keyword is ignored."""

    def collapse(path, blank=0):
        return [int(k) for t, k in enumerate(path) if k and (t == 0 or k != path[t - 1])]


@wrong(loses=["test-greedy-hidden"], says="blank is ignored")
def blank_not_passed_on():
    """greedy has a blank and does not hand it over."""

    def greedy(log_probs, blank=0):
        return collapse(np.argmax(log_probs, axis=1).tolist())


@wrong(loses=["test-greedy", "test-greedy-hidden"], says="came")
def likeliest_step_of_each_label():
    """The wrong axis."""

    def greedy(log_probs, blank=0):
        return collapse(np.argmax(log_probs, axis=0).tolist(), blank)


@wrong(loses=["test-greedy", "test-greedy-hidden"], says="Collapse that path")
def path_not_collapsed():
    """The path is taken for the text."""

    def greedy(log_probs, blank=0):
        return np.argmax(log_probs, axis=1).tolist()


@wrong(loses=["test-greedy-hidden"], says="Of equal ones, the first")
def last_of_equals():
    """Turned around, argmax finds the last of equal ones."""

    def greedy(log_probs, blank=0):
        log_probs = np.asarray(log_probs)
        best = log_probs.shape[1] - 1 - log_probs[:, ::-1].argmax(axis=1)
        return collapse(best.tolist(), blank)


# CTC ----------------------------------------------------------------------------------------------


@wrong(loses=["test-ctc-hidden"], says="without a blank between them")
def equal_labels_without_a_blank():
    """Skips the blank between two equal labels, too."""

    def ctc_loss(log_probs, labels, blank=0):
        log_probs = np.asarray(log_probs, dtype=float)
        states = [blank]
        for label in labels:
            states += [label, blank]
        alpha = [log_probs[0, k] if s < 2 else -np.inf for s, k in enumerate(states)]
        for step in log_probs[1:]:
            following = []
            for s, k in enumerate(states):
                total = alpha[s]
                if s >= 1:
                    total = np.logaddexp(total, alpha[s - 1])
                if s >= 2 and k != blank:
                    total = np.logaddexp(total, alpha[s - 2])
                following.append(total + step[k])
            alpha = following
        return float(-np.logaddexp.reduce(alpha[-2:]))


@wrong(loses=["test-ctc", "test-ctc-hidden"], says="Five paths")
def no_skips():
    """Each blank must be visited."""

    def ctc_loss(log_probs, labels, blank=0):
        log_probs = np.asarray(log_probs, dtype=float)
        states = [blank]
        for label in labels:
            states += [label, blank]
        alpha = [log_probs[0, k] if s < 2 else -np.inf for s, k in enumerate(states)]
        for step in log_probs[1:]:
            following = []
            for s, k in enumerate(states):
                total = alpha[s]
                if s >= 1:
                    total = np.logaddexp(total, alpha[s - 1])
                if s >= 2 and False:
                    total = np.logaddexp(total, alpha[s - 2])
                following.append(total + step[k])
            alpha = following
        return float(-np.logaddexp.reduce(alpha[-2:]))


@wrong(loses=["test-ctc", "test-ctc-hidden"], says="Five paths")
def labels_are_skipped():
    """Any two states may be skipped, a label among them."""

    def ctc_loss(log_probs, labels, blank=0):
        log_probs = np.asarray(log_probs, dtype=float)
        states = [blank]
        for label in labels:
            states += [label, blank]
        alpha = [log_probs[0, k] if s < 2 else -np.inf for s, k in enumerate(states)]
        for step in log_probs[1:]:
            following = []
            for s, k in enumerate(states):
                total = alpha[s]
                if s >= 1:
                    total = np.logaddexp(total, alpha[s - 1])
                if s >= 2 and True:
                    total = np.logaddexp(total, alpha[s - 2])
                following.append(total + step[k])
            alpha = following
        return float(-np.logaddexp.reduce(alpha[-2:]))


@wrong(loses=["test-ctc", "test-ctc-hidden"], says="Five paths")
def begins_in_the_blank():
    """A path cannot begin on the first label."""

    def ctc_loss(log_probs, labels, blank=0):
        log_probs = np.asarray(log_probs, dtype=float)
        states = [blank]
        for label in labels:
            states += [label, blank]
        alpha = [log_probs[0, k] if s < 1 else -np.inf for s, k in enumerate(states)]
        for step in log_probs[1:]:
            following = []
            for s, k in enumerate(states):
                total = alpha[s]
                if s >= 1:
                    total = np.logaddexp(total, alpha[s - 1])
                if s >= 2 and k != blank and k != states[s - 2]:
                    total = np.logaddexp(total, alpha[s - 2])
                following.append(total + step[k])
            alpha = following
        return float(-np.logaddexp.reduce(alpha[-2:]))


@wrong(loses=["test-ctc", "test-ctc-hidden"], says="Five paths")
def ends_in_the_blank():
    """A path cannot end on the last label."""

    def ctc_loss(log_probs, labels, blank=0):
        log_probs = np.asarray(log_probs, dtype=float)
        states = [blank]
        for label in labels:
            states += [label, blank]
        alpha = [log_probs[0, k] if s < 2 else -np.inf for s, k in enumerate(states)]
        for step in log_probs[1:]:
            following = []
            for s, k in enumerate(states):
                total = alpha[s]
                if s >= 1:
                    total = np.logaddexp(total, alpha[s - 1])
                if s >= 2 and k != blank and k != states[s - 2]:
                    total = np.logaddexp(total, alpha[s - 2])
                following.append(total + step[k])
            alpha = following
        return float(-np.logaddexp.reduce(alpha[-1:]))


@wrong(loses=["test-ctc", "test-ctc-hidden"], says="Five paths")
def best_path_alone():
    """The maximum in place of the sum: the likeliest path."""

    def ctc_loss(log_probs, labels, blank=0):
        log_probs = np.asarray(log_probs, dtype=float)
        states = [blank]
        for label in labels:
            states += [label, blank]
        alpha = [log_probs[0, k] if s < 2 else -np.inf for s, k in enumerate(states)]
        for step in log_probs[1:]:
            following = []
            for s, k in enumerate(states):
                total = alpha[s]
                if s >= 1:
                    total = max(total, alpha[s - 1])
                if s >= 2 and k != blank and k != states[s - 2]:
                    total = max(total, alpha[s - 2])
                following.append(total + step[k])
            alpha = following
        return float(-max(alpha[-2:]))


@wrong(loses=["test-ctc-hidden"], says="smaller than the smallest number")
def products_of_probabilities():
    """Without logarithms, hundreds of factors underflow."""

    def ctc_loss(log_probs, labels, blank=0):
        p = np.exp(np.asarray(log_probs, dtype=float))
        states = [blank]
        for label in labels:
            states += [label, blank]
        alpha = np.zeros(len(states))
        alpha[:2] = p[0, states[:2]]
        for step in p[1:]:
            before, alpha = alpha, alpha.copy()
            for s, k in enumerate(states):
                total = before[s] + (before[s - 1] if s else 0)
                if s >= 2 and k != blank and k != states[s - 2]:
                    total += before[s - 2]
                alpha[s] = total * step[k]
        total = alpha[-2:].sum()
        return float(-np.log(total)) if total else np.inf


@wrong(loses=["test-ctc", "test-ctc-hidden"], says="came")
def per_label():
    """PyTorch's mean divides by the length of the text."""

    def whole(log_probs, labels, blank=0):
        log_probs = np.asarray(log_probs, dtype=float)
        states = [blank]
        for label in labels:
            states += [label, blank]
        alpha = [log_probs[0, k] if s < 2 else -np.inf for s, k in enumerate(states)]
        for step in log_probs[1:]:
            following = []
            for s, k in enumerate(states):
                total = alpha[s]
                if s >= 1:
                    total = np.logaddexp(total, alpha[s - 1])
                if s >= 2 and k != blank and k != states[s - 2]:
                    total = np.logaddexp(total, alpha[s - 2])
                following.append(total + step[k])
            alpha = following
        return float(-np.logaddexp.reduce(alpha[-2:]))

    def ctc_loss(log_probs, labels, blank=0):
        return whole(log_probs, labels, blank) / max(len(labels), 1)


@wrong(loses=["test-ctc", "test-ctc-hidden"], says="came")
def log_probability_for_loss():
    """The sign is missing."""

    def whole(log_probs, labels, blank=0):
        log_probs = np.asarray(log_probs, dtype=float)
        states = [blank]
        for label in labels:
            states += [label, blank]
        alpha = [log_probs[0, k] if s < 2 else -np.inf for s, k in enumerate(states)]
        for step in log_probs[1:]:
            following = []
            for s, k in enumerate(states):
                total = alpha[s]
                if s >= 1:
                    total = np.logaddexp(total, alpha[s - 1])
                if s >= 2 and k != blank and k != states[s - 2]:
                    total = np.logaddexp(total, alpha[s - 2])
                following.append(total + step[k])
            alpha = following
        return float(-np.logaddexp.reduce(alpha[-2:]))

    def ctc_loss(log_probs, labels, blank=0):
        return -whole(log_probs, labels, blank)


@wrong(loses=["test-ctc-hidden"], says="blank is ignored")
def blank_zero_in_the_loss():
    """The keyword is ignored."""

    def whole(log_probs, labels, blank=0):
        log_probs = np.asarray(log_probs, dtype=float)
        states = [blank]
        for label in labels:
            states += [label, blank]
        alpha = [log_probs[0, k] if s < 2 else -np.inf for s, k in enumerate(states)]
        for step in log_probs[1:]:
            following = []
            for s, k in enumerate(states):
                total = alpha[s]
                if s >= 1:
                    total = np.logaddexp(total, alpha[s - 1])
                if s >= 2 and k != blank and k != states[s - 2]:
                    total = np.logaddexp(total, alpha[s - 2])
                following.append(total + step[k])
            alpha = following
        return float(-np.logaddexp.reduce(alpha[-2:]))

    def ctc_loss(log_probs, labels, blank=0):
        return whole(log_probs, labels)


@wrong(loses=["test-ctc", "test-ctc-hidden"], says="you changed labels")
def blanks_put_into_the_labels():
    """The text is edited in place."""

    def whole(log_probs, labels, blank=0):
        log_probs = np.asarray(log_probs, dtype=float)
        states = [blank]
        for label in labels:
            states += [label, blank]
        alpha = [log_probs[0, k] if s < 2 else -np.inf for s, k in enumerate(states)]
        for step in log_probs[1:]:
            following = []
            for s, k in enumerate(states):
                total = alpha[s]
                if s >= 1:
                    total = np.logaddexp(total, alpha[s - 1])
                if s >= 2 and k != blank and k != states[s - 2]:
                    total = np.logaddexp(total, alpha[s - 2])
                following.append(total + step[k])
            alpha = following
        return float(-np.logaddexp.reduce(alpha[-2:]))

    def ctc_loss(log_probs, labels, blank=0):
        loss = whole(log_probs, labels, blank)
        for place in range(len(labels) - 1, 0, -1):
            labels.insert(place, blank)
        return loss


# Edit distance and word error rate ----------------------------------------------------------------


@wrong(loses=["test-edit", "test-edit-hidden"], says="came")
def substitution_costs_two():
    """A substitution is counted as a deletion and an insertion."""

    def edit_distance(reference, hypothesis):
        above = list(range(len(hypothesis) + 1))
        for i, wanted in enumerate(reference, start=1):
            row = [i]
            for j, came in enumerate(hypothesis, start=1):
                row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + 2 * (wanted != came)))
            above = row
        return above[-1]


@wrong(loses=["test-edit", "test-edit-hidden"], says="came")
def positions_compared():
    """Place by place, plus the difference of the lengths."""

    def edit_distance(reference, hypothesis):
        different = sum(a != b for a, b in zip(reference, hypothesis, strict=False))
        return different + abs(len(reference) - len(hypothesis))


@wrong(loses=["test-edit-hidden"], says="came")
def swaps_cost_one():
    """Two neighbors that changed places count as one edit."""

    def edit_distance(reference, hypothesis):
        n, m = len(reference), len(hypothesis)
        d = [[i + j if i * j == 0 else 0 for j in range(m + 1)] for i in range(n + 1)]
        for i in range(1, n + 1):
            for j in range(1, m + 1):
                other = reference[i - 1] != hypothesis[j - 1]
                d[i][j] = min(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + other)
                if i > 1 and j > 1 and reference[i - 2] == hypothesis[j - 1]:
                    if reference[i - 1] == hypothesis[j - 2]:
                        d[i][j] = min(d[i][j], d[i - 2][j - 2] + 1)
        return d[n][m]


@wrong(loses=["test-edit-hidden"], says="came")
def insertions_are_free():
    """What was added does not count."""

    def edit_distance(reference, hypothesis):
        above = [0] * (len(hypothesis) + 1)
        for i, wanted in enumerate(reference, start=1):
            row = [i]
            for j, came in enumerate(hypothesis, start=1):
                row.append(min(above[j] + 1, row[-1], above[j - 1] + (wanted != came)))
            above = row
        return above[-1]


@wrong(loses=["test-edit-hidden"], says="word by word")
def lists_are_joined():
    """Lists are turned into strings first."""

    def edit_distance(reference, hypothesis):
        if isinstance(reference, list):
            reference, hypothesis = " ".join(reference), " ".join(hypothesis)
        above = list(range(len(hypothesis) + 1))
        for i, wanted in enumerate(reference, start=1):
            row = [i]
            for j, came in enumerate(hypothesis, start=1):
                row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (wanted != came)))
            above = row
        return above[-1]


@wrong(loses=["test-edit-hidden"], says="more than 1")
def divided_by_the_hypothesis():
    """Divided by the words that were understood."""

    def word_error_rate(references, hypotheses):
        pairs = list(zip(references, hypotheses, strict=True))
        edits = sum(edit_distance(a.split(), b.split()) for a, b in pairs)
        return edits / max(sum(len(b.split()) for _, b in pairs), 1)


@wrong(loses=["test-edit", "test-edit-hidden"], says="came")
def mean_over_sentences():
    """Each sentence's rate, then the mean."""

    def word_error_rate(references, hypotheses):
        rates = [
            edit_distance(a.split(), b.split()) / max(len(a.split()), 1)
            for a, b in zip(references, hypotheses, strict=True)
        ]
        return sum(rates) / len(rates)


@wrong(loses=["test-edit", "test-edit-hidden"], says="came")
def letters_for_words():
    """The edit distance of the strings, over their letters."""

    def word_error_rate(references, hypotheses):
        edits = sum(edit_distance(a, b) for a, b in zip(references, hypotheses, strict=True))
        return edits / sum(len(a) for a in references)


@wrong(loses=["test-edit-hidden"], says="more than 1")
def never_more_than_one():
    """A rate is held to be a share."""

    def word_error_rate(references, hypotheses):
        pairs = list(zip(references, hypotheses, strict=True))
        edits = sum(edit_distance(a.split(), b.split()) for a, b in pairs)
        return min(edits / sum(len(a.split()) for a, _ in pairs), 1.0)


@wrong(loses=["test-edit-hidden"], says="A text may be empty")
def split_at_single_spaces():
    """split(" ") makes empty words."""

    def word_error_rate(references, hypotheses):
        pairs = list(zip(references, hypotheses, strict=True))
        edits = sum(edit_distance(a.split(" "), b.split(" ")) for a, b in pairs)
        return edits / sum(len(a.split(" ")) for a, _ in pairs)


# Equal error rate ---------------------------------------------------------------------------------


@wrong(loses=["test-eer-hidden"], says="cross between two stops")
def mean_at_the_nearest_stop():
    """No lines between the stops: the mean of both where they have crossed."""

    def equal_error_rate(scores, same):
        scores, same = np.asarray(scores, dtype=float), np.asarray(same, dtype=bool)
        accepted, refused = 0.0, 1.0
        for threshold in np.unique(scores)[::-1]:
            accepted = np.mean(scores[~same] >= threshold)
            refused = np.mean(scores[same] < threshold)
            if accepted >= refused:
                return float((accepted + refused) / 2)
        return 1.0


@wrong(loses=["test-eer-hidden"], says="came")
def above_the_threshold():
    """More than the threshold, so equal scores are refused."""

    def equal_error_rate(scores, same):
        scores, same = np.asarray(scores, dtype=float), np.asarray(same, dtype=bool)
        accepted, refused = 0.0, 1.0
        for threshold in np.unique(scores)[::-1]:
            before = accepted, refused
            accepted = np.mean(scores[~same] > threshold)
            refused = np.mean(scores[same] <= threshold)
            if accepted >= refused:
                gap = before[1] - before[0]
                share = gap / (gap + accepted - refused)
                return float(before[0] + share * (accepted - before[0]))
        return 1.0


@wrong(loses=["test-eer", "test-eer-hidden"], says="came")
def shares_of_all_pairs():
    """Both errors as shares of all pairs."""

    def equal_error_rate(scores, same):
        scores, same = np.asarray(scores, dtype=float), np.asarray(same, dtype=bool)
        accepted, refused = 0.0, 1.0
        for threshold in np.unique(scores)[::-1]:
            before = accepted, refused
            accepted = np.mean((scores >= threshold) & ~same)
            refused = np.mean((scores < threshold) & same)
            if accepted >= refused:
                gap = before[1] - before[0]
                share = gap / (gap + accepted - refused)
                return float(before[0] + share * (accepted - before[0]))
        return 1.0


@wrong(loses=["test-eer", "test-eer-hidden"], says="came")
def accuracy_for_errors():
    """True pairs accepted in place of true pairs refused."""

    def equal_error_rate(scores, same):
        scores, same = np.asarray(scores, dtype=float), np.asarray(same, dtype=bool)
        accepted, refused = 0.0, 1.0
        for threshold in np.unique(scores)[::-1]:
            before = accepted, refused
            accepted = np.mean(scores[~same] >= threshold)
            refused = np.mean(scores[same] >= threshold)
            if accepted >= refused:
                gap = before[1] - before[0]
                share = gap / (gap + accepted - refused)
                return float(before[0] + share * (accepted - before[0]))
        return 1.0


@wrong(loses=["test-eer-hidden"], says="came")
def scores_between_zero_and_one():
    """A hundred thresholds between 0 and 1."""

    def equal_error_rate(scores, same):
        scores, same = np.asarray(scores, dtype=float), np.asarray(same, dtype=bool)
        line = np.linspace(0, 1, 101)
        accepted = np.array([np.mean(scores[~same] >= t) for t in line])
        refused = np.array([np.mean(scores[same] < t) for t in line])
        best = np.abs(accepted - refused).argmin()
        return float((accepted[best] + refused[best]) / 2)


@wrong(loses=["test-eer-hidden"], says="Equal scores are one stop")
def ties_one_by_one():
    """Equal scores are taken one after another, in the order in which they came."""

    def equal_error_rate(scores, same):
        same = np.asarray(same, dtype=bool)[np.argsort(-np.asarray(scores), kind="stable")]
        accepted = np.concatenate([[0], np.cumsum(~same) / (~same).sum()])
        refused = np.concatenate([[1], 1 - np.cumsum(same) / same.sum()])
        after = int(np.flatnonzero(accepted >= refused)[0])
        gap = refused[after - 1] - accepted[after - 1]
        share = gap / (gap + accepted[after] - refused[after])
        return float(accepted[after - 1] + share * (accepted[after] - accepted[after - 1]))


@wrong(loses=["test-eer-hidden"], says="boolean array")
def tilde_of_integers():
    """~1 is -2: what came as 1 and 0 is used as an index."""

    def equal_error_rate(scores, same):
        scores, same = np.asarray(scores, dtype=float), np.asarray(same)
        if same.dtype != bool:
            same = same.astype(int)
        accepted, refused = 0.0, 1.0
        for threshold in np.unique(scores)[::-1]:
            before = accepted, refused
            accepted = np.mean(scores[~same] >= threshold)
            refused = np.mean(scores[same] < threshold)
            if accepted >= refused:
                gap = before[1] - before[0]
                share = gap / (gap + accepted - refused)
                return float(before[0] + share * (accepted - before[0]))
        return 1.0


# Right answers ------------------------------------------------------------------------------------


@right
def loops_all_the_way():
    """Lists and loops."""

    def frame(sound, length, hop):
        if len(sound) < length:
            raise ValueError("too short")
        rows, start = [], 0
        while start + length <= len(sound):
            rows.append([sound[start + n] for n in range(length)])
            start += hop
        return np.array(rows)

    def collapse(path, blank=0):
        merged = []
        for label in path:
            if not merged or merged[-1] != label:
                merged.append(label)
        return [label for label in merged if label != blank]


@right
def views_and_scipy():
    """A sliding window, and SciPy's periodic Hann window."""
    from scipy.signal.windows import hann

    def frame(sound, length, hop):
        sound = np.asarray(sound)
        if len(sound) < length:
            raise ValueError("too short")
        return np.lib.stride_tricks.sliding_window_view(sound, length)[::hop]

    def power_spectrogram(sound, length, hop, points):
        spectrum = np.fft.rfft(frame(sound, length, hop) * hann(length, sym=False), n=points)
        return spectrum.real**2 + spectrum.imag**2


@right
def fourier_by_a_matrix():
    """The transform as a product of matrices, in complex numbers."""

    def power_spectrogram(sound, length, hop, points):
        k, n = np.arange(points // 2 + 1)[:, None], np.arange(length)
        waves = np.sin(np.pi * n / length) ** 2 * np.exp(-2j * np.pi * k * n / points)
        product = frame(sound, length, hop) @ waves.T
        return (product * product.conj()).real


@right
def filters_by_minimum_with_warnings():
    """Both sides at once; divides by 0 where nothing is used."""
    import warnings

    def mel_filters(count, points, rate, low=0.0):
        a, b = (2595 * np.log10(1 + f / 700) for f in (low, rate / 2))
        corners = 700 * (10 ** (np.linspace(a, b, count + 2) / 2595) - 1)
        start, top, end = corners[:-2, None], corners[1:-1, None], corners[2:, None]
        f = (np.arange(points // 2 + 1) * rate / points)[None]
        warnings.warn("on the way", stacklevel=1)
        with_warning = np.log(np.zeros(1))
        sides = np.minimum((f - start) / (top - start), (end - f) / (end - top))
        return np.where(sides > 0, sides, 0.0 if with_warning < 0 else 1.0)


@right
def ctc_with_arrays():
    """The recursion with whole arrays."""

    def ctc_loss(log_probs, labels, blank=0):
        log_probs = np.asarray(log_probs, dtype=float)
        states = np.full(2 * len(labels) + 1, blank)
        states[1::2] = labels
        skips = np.zeros(len(states), dtype=bool)
        skips[2:] = (states[2:] != blank) & (states[2:] != states[:-2])
        alpha = np.full(len(states), -np.inf)
        alpha[:2] = log_probs[0, states[:2]]
        for step in log_probs[1:]:
            one = np.append(-np.inf, alpha[:-1])
            two = np.where(skips, np.append([-np.inf] * 2, alpha)[: len(states)], -np.inf)
            alpha = np.logaddexp(np.logaddexp(alpha, one), two) + step[states]
        return -np.logaddexp.reduce(alpha[-2:])


@right
def ctc_backwards():
    """The same recursion from the end, in the paper's scaled probabilities."""

    def ctc_loss(log_probs, labels, blank=0):
        p = np.exp(np.asarray(log_probs, dtype=float))[::-1]
        states = [blank]
        for label in list(labels)[::-1]:
            states += [label, blank]
        alpha, loss = np.zeros(len(states)), 0.0
        alpha[:2] = p[0, states[:2]]
        for t in range(len(p)):
            if t:
                before = alpha
                alpha = before.copy()
                alpha[1:] += before[:-1]
                for s in range(2, len(states)):
                    if states[s] != blank and states[s] != states[s - 2]:
                        alpha[s] += before[s - 2]
                alpha *= p[t, states]
            size = alpha.sum()
            if size == 0:
                return np.inf
            loss, alpha = loss - np.log(size), alpha / size
        end = alpha[-2:].sum()
        return np.inf if end == 0 else loss - np.log(end)


@right
def edit_distance_as_a_table():
    """The whole table, and other names."""
    import sys

    def edit_distance(a, b):
        d = np.zeros((len(a) + 1, len(b) + 1), dtype=int)
        d[:, 0], d[0] = np.arange(len(a) + 1), np.arange(len(b) + 1)
        for i in range(1, len(a) + 1):
            for j in range(1, len(b) + 1):
                d[i, j] = min(
                    d[i - 1, j] + 1, d[i, j - 1] + 1, d[i - 1, j - 1] + (a[i - 1] != b[j - 1])
                )
        return d[len(a), len(b)]

    def word_error_rate(said, heard):
        print("busy", file=sys.stderr)
        return np.divide(
            np.sum([edit_distance(s.split(), h.split()) for s, h in zip(said, heard, strict=True)]),
            np.sum([len(s.split()) for s in said]),
        )


@right
def edit_distance_by_recursion():
    """From the definition, with a memory."""

    def edit_distance(reference, hypothesis):
        seen = {}

        def rest(i, j):
            if i == len(reference) or j == len(hypothesis):
                return len(reference) - i + len(hypothesis) - j
            if (i, j) not in seen:
                other = reference[i] != hypothesis[j]
                seen[i, j] = min(1 + rest(i + 1, j), 1 + rest(i, j + 1), other + rest(i + 1, j + 1))
            return seen[i, j]

        return rest(0, 0)


@right
def equal_error_rate_from_the_curve():
    """scikit-learn's curve, crossed with the diagonal."""
    from sklearn.metrics import roc_curve

    def equal_error_rate(scores, same):
        accepted, found, _ = roc_curve(
            np.asarray(same, bool), np.asarray(scores, float), drop_intermediate=False
        )
        refused = 1 - found
        after = int(np.argmax(accepted >= refused))
        before = after - 1
        a, r = accepted[[before, after]], refused[[before, after]]
        share = (r[0] - a[0]) / (r[0] - a[0] + a[1] - r[1])
        return a[0] + share * (a[1] - a[0])


@right
def equal_error_rate_from_below():
    """The threshold rises instead."""

    def equal_error_rate(scores, same):
        scores, same = np.asarray(scores, dtype=np.float64), np.asarray(same) > 0
        stops = [*np.unique(scores), np.inf]
        last = None
        for t in stops:
            now = np.mean(scores[~same] >= t), np.mean(scores[same] < t)
            if now[0] <= now[1]:
                if last is None or now[0] == now[1]:
                    return now[0]
                share = (last[0] - last[1]) / (last[0] - last[1] + now[1] - now[0])
                return last[0] + share * (now[0] - last[0])
            last = now
