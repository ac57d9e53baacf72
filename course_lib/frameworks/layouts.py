"""The way between two layouts: channels first, as in PyTorch, and channels last, as in TensorFlow.

=================  =========================  ==========================
                   channels first             channels last
=================  =========================  ==========================
feature maps       n, c, h, w (NCHW)          n, h, w, c (NHWC)
kernels            out, in, h, w (OIHW)       h, w, in, out (HWIO)
dense weights      out, in                    in, out
flattened maps     by channel, row, column    by row, column, channel
=================  =========================  ==========================
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_lib.frameworks.network import Weights, checked

__all__ = ["channels_first", "channels_last", "dense_after_flatten", "dense_before_flatten"]

Array = NDArray[Any]


def dense_after_flatten(weight: ArrayLike, maps: tuple[int, int, int]) -> Array:
    """Turn a dense layer that reads channels-first maps into one that reads channels-last maps.

    Parameters
    ----------
    weight : array_like, shape (out, c * h * w)
        Its inputs are flattened by channel, row, column.
    maps : (int, int, int)
        Channels, height and width of the maps before they are flattened.

    Returns
    -------
    ndarray, shape (h * w * c, out)
        Its inputs are flattened by row, column, channel.

    Examples
    --------
    >>> dense_after_flatten([[0, 1, 2, 3]], (2, 1, 2)).ravel().tolist()
    [0, 2, 1, 3]
    """
    weight = np.asarray(weight)
    return weight.reshape(-1, *maps).transpose(2, 3, 1, 0).reshape(-1, len(weight))


def dense_before_flatten(weight: ArrayLike, maps: tuple[int, int, int]) -> Array:
    """Undo `dense_after_flatten`: shape (h * w * c, out) to shape (out, c * h * w)."""
    weight = np.asarray(weight)
    c, h, w = maps
    return weight.reshape(h, w, c, -1).transpose(3, 2, 0, 1).reshape(weight.shape[1], -1)


def channels_last(weights: Weights) -> dict[str, Array]:
    """Return the network's weights in the layout of TensorFlow, Keras and (here) JAX."""
    arrays = checked(weights)
    arrays["conv.weight"] = arrays["conv.weight"].transpose(2, 3, 1, 0)
    arrays["dense.weight"] = dense_after_flatten(arrays["dense.weight"], (8, 4, 4))
    return arrays


def channels_first(weights: Weights) -> dict[str, Array]:
    """Undo `channels_last`; also for gradients, which have no running averages."""
    arrays = {name: np.asarray(array) for name, array in weights.items()}
    arrays["conv.weight"] = arrays["conv.weight"].transpose(3, 2, 0, 1)
    arrays["dense.weight"] = dense_before_flatten(arrays["dense.weight"], (8, 4, 4))
    return arrays
