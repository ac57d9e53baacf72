"""Words that were said at different speeds, compared by dynamic time warping.

References
----------
H. Sakoe and S. Chiba, "Dynamic programming algorithm optimization for spoken word recognition",
IEEE Transactions on Acoustics, Speech, and Signal Processing 26(1), 1978,
doi:10.1109/TASSP.1978.1163055.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["warped_distance"]

Floats = NDArray[np.floating]


def warped_distance(templates: Sequence[Floats], recording: Floats) -> NDArray[np.float64]:
    """Compute how well each template fits somewhere into a recording.

    The first frame of a template may meet any frame of the recording. From one frame of the
    template to the next, the recording stays, goes on by one frame, or skips one.

    Parameters
    ----------
    templates : sequence of ndarray, each of shape (frames, d)
        Of any lengths.
    recording : ndarray, shape (m, d)

    Returns
    -------
    ndarray, shape (len(templates),)
        The mean distance of the frames of each template from those that they meet, at best.

    Examples
    --------
    >>> slow = np.array([[0.0], [1], [1], [2], [2], [9]])
    >>> warped_distance([np.array([[1.0], [2]]), np.array([[2.0], [1]])], slow).tolist()
    [0.0, 0.5]
    """
    lengths = np.array([len(template) for template in templates])
    frames = _distances(np.concatenate(templates), np.asarray(recording))
    cost = np.full((lengths.max(), len(templates), len(recording)), 0.0)
    row = np.concatenate([np.arange(n) for n in lengths])
    cost[row, np.repeat(np.arange(len(templates)), lengths)] = frames
    best, total = np.empty(len(templates)), cost[0]
    best[lengths == 1] = total[lengths == 1].min(axis=1)
    for i in range(1, len(cost)):
        stay, total = total, total.copy()
        np.minimum(total[:, 1:], stay[:, :-1], out=total[:, 1:])
        np.minimum(total[:, 2:], stay[:, :-2], out=total[:, 2:])
        total += cost[i]
        done = lengths == i + 1
        best[done] = total[done].min(axis=1)
    return best / lengths


def _distances(a: Floats, b: Floats) -> NDArray[np.float64]:
    """Compute the distance of each row of a from each row of b."""
    a, b = a.astype(float), b.astype(float)
    squares = (a**2).sum(axis=1)[:, None] - 2 * a @ b.T + (b**2).sum(axis=1)
    return np.sqrt(np.maximum(squares, 0))
