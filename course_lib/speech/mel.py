"""Mel filters: a spectrum summed up in bands that are narrow below and wide above, as ears do.

References
----------
S. S. Stevens, J. Volkmann and E. B. Newman, "A scale for the measurement of the psychological
magnitude pitch", Journal of the Acoustical Society of America 8, 1937, doi:10.1121/1.1915893.
S. Davis and P. Mermelstein, "Comparison of parametric representations for monosyllabic word
recognition in continuously spoken sentences", IEEE Transactions on Acoustics, Speech, and Signal
Processing 28(4), 1980, doi:10.1109/TASSP.1980.1163420.
"""

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_lib.speech.frames import power_spectrogram

__all__ = ["from_mel", "log_mel", "mel_filters", "to_mel"]

Floats = NDArray[np.float64]


def to_mel(hertz: ArrayLike) -> Floats:
    """Turn frequencies in Hz into mels: nearly in proportion below 700 Hz, logarithmic above.

    Examples
    --------
    >>> to_mel([0, 700, 1000]).round(1).tolist()
    [0.0, 781.2, 1000.0]
    """
    return 2595 * np.log10(1 + np.asarray(hertz, dtype=float) / 700)


def from_mel(mel: ArrayLike) -> Floats:
    """Turn mels into frequencies in Hz: the inverse of `to_mel`."""
    return 700 * (10 ** (np.asarray(mel, dtype=float) / 2595) - 1)


def mel_filters(count: int, points: int, rate: float, low: float = 0.0) -> Floats:
    """Make triangular filters whose tops are equally far apart in mels.

    Parameters
    ----------
    count : int
        How many filters.
    points : int
        Of the Fourier transform.
    rate : float
        Samples per second. The last filter ends at half of it.
    low : float
        Where the first filter begins, in Hz.

    Returns
    -------
    ndarray, shape (count, points // 2 + 1)
        Each filter rises in a straight line (in Hz) from the top of the filter before to 1 at its
        own, and falls to 0 at the top of the next.

    Raises
    ------
    ValueError
        If a filter is so narrow that no frequency of the transform lies in it.

    Examples
    --------
    >>> filters = mel_filters(count=2, points=8, rate=8000)  # at 0, 1000, ... 4000 Hz
    >>> filters.round(2).tolist()
    [[0.0, 0.68, 0.0, 0.0, 0.0], [0.0, 0.32, 0.91, 0.45, 0.0]]
    """
    edges = from_mel(np.linspace(to_mel(low), to_mel(rate / 2), count + 2))
    start, top, end = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    frequency = np.arange(points // 2 + 1) * rate / points
    rising, falling = (frequency - start) / (top - start), (end - frequency) / (end - top)
    filters = np.maximum(np.minimum(rising, falling), 0)
    if not filters.any(axis=1).all():
        raise ValueError(
            f"{count} filters are too many for {points} points at {rate:g} samples per second: "
            f"filter {np.flatnonzero(~filters.any(axis=1))[0]} lies between two frequencies"
        )
    return filters


def log_mel(
    sound: ArrayLike,
    rate: float,
    *,
    length: int,
    hop: int,
    points: int,
    count: int,
    low: float = 100.0,
    floor: float = 1e-3,
) -> Floats:
    """Compute the log-mel spectrogram of a sound.

    Parameters
    ----------
    sound, length, hop, points
        As for `power_spectrogram`.
    rate, count, low
        As for `mel_filters`.
    floor : float
        Added to the power before the logarithm, so that silence is not minus infinity.

    Returns
    -------
    ndarray, shape (frames, count)
    """
    power = power_spectrogram(sound, length, hop, points)
    return np.log(power @ _filters(count, points, rate, low).T + floor)


# A page computes thousands of spectrograms with the same filters.
_filters = cache(mel_filters)
