"""A sound in short frames, and how much of each frequency is in each of them.

A sound changes all the time, and within a fiftieth of a second it hardly does. So it is cut into
overlapping frames, each is faded in and out by a window, and the squares of its Fourier
coefficients are its power at each frequency.

References
----------
J. B. Allen and L. R. Rabiner, "A unified approach to short-time Fourier analysis and synthesis",
Proceedings of the IEEE 65(11), 1977, doi:10.1109/PROC.1977.10770.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["frame", "hann", "power_spectrogram"]

Floats = NDArray[np.floating]


def frame(sound: ArrayLike, length: int, hop: int) -> Floats:
    """Cut a sound into frames that overlap.

    Parameters
    ----------
    sound : array_like, shape (samples,)
    length : int
        Samples in a frame.
    hop : int
        Samples from the start of a frame to the start of the next.

    Returns
    -------
    ndarray, shape (frames, length)
        A copy. What does not fill a frame at the end is left out.

    Raises
    ------
    ValueError
        If the sound is shorter than a frame, or `hop` is less than 1.

    Examples
    --------
    >>> frame([1, 2, 3, 4, 5, 6], length=4, hop=2).tolist()
    [[1, 2, 3, 4], [3, 4, 5, 6]]
    """
    sound = np.asarray(sound)
    if sound.ndim != 1:
        raise ValueError(f"sound has shape {sound.shape}, expected one row of samples")
    if hop < 1:
        raise ValueError(f"hop is {hop}, expected 1 or more samples")
    if len(sound) < length:
        raise ValueError(
            f"the sound has {len(sound)} samples, less than a frame of {length}: pad it with zeros"
        )
    return np.lib.stride_tricks.sliding_window_view(sound, length)[::hop].copy()


def hann(length: int) -> NDArray[np.float64]:
    """Return the Hann window: a raised cosine from 0 up to 1 and down again.

    Parameters
    ----------
    length : int

    Returns
    -------
    ndarray, shape (length,)
        One period: the value after the last one would be the first, 0, again.

    Examples
    --------
    >>> hann(4).round(3).tolist()
    [0.0, 0.5, 1.0, 0.5]
    """
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)


def power_spectrogram(sound: ArrayLike, length: int, hop: int, points: int) -> Floats:
    """Compute how much power each frame of a sound has at each frequency.

    Parameters
    ----------
    sound : array_like, shape (samples,)
    length, hop : int
        As for `frame`. Each frame is multiplied by a Hann window.
    points : int
        Of the Fourier transform, at least `length`: frames are filled up with zeros at their end.

    Returns
    -------
    ndarray, shape (frames, points // 2 + 1)
        Squares of the absolute values of the coefficients. Column k belongs to the frequency
        k / points times the sampling rate.

    Examples
    --------
    >>> wave = np.cos(2 * np.pi * 2 * np.arange(8) / 8)  # two periods in eight samples
    >>> power_spectrogram(wave, length=8, hop=8, points=8).round(3).tolist()
    [[0.0, 1.0, 4.0, 1.0, 0.0]]
    """
    if points < length:
        raise ValueError(f"points is {points}, expected at least the length of a frame, {length}")
    spectrum = np.fft.rfft(frame(sound, length, hop) * hann(length), n=points)
    return spectrum.real**2 + spectrum.imag**2
