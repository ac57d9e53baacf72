"""The network that all frameworks build, and the form in which its weights travel.

Images of 8 by 8 go through a convolution with 8 kernels of 3 by 3 (padded, without a bias), batch
normalization, ReLU, max-pooling by 2, and a dense layer with 10 outputs. The weights are a
dictionary of arrays with the names and the layout of PyTorch's ``state_dict``:

=====================  =============  ================================================
name                   shape          what
=====================  =============  ================================================
``conv.weight``        (8, 1, 3, 3)   out channels, in channels, height, width (OIHW)
``norm.weight``        (8,)           scale of batch normalization
``norm.bias``          (8,)           shift of batch normalization
``norm.running_mean``  (8,)           running average, not learned
``norm.running_var``   (8,)           running average, not learned
``dense.weight``       (10, 128)      outputs, inputs; inputs by channel, row, column
``dense.bias``         (10,)
=====================  =============  ================================================
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["AVERAGES", "EPS", "LEARNED", "MOMENTUM", "SHAPES", "Weights", "checked"]

Array: TypeAlias = NDArray[Any]
Weights: TypeAlias = Mapping[str, ArrayLike]

#: What each array is called, and its shape.
SHAPES: Final[dict[str, tuple[int, ...]]] = {
    "conv.weight": (8, 1, 3, 3),
    "norm.weight": (8,),
    "norm.bias": (8,),
    "norm.running_mean": (8,),
    "norm.running_var": (8,),
    "dense.weight": (10, 128),
    "dense.bias": (10,),
}
#: The running averages of batch normalization, which no gradient changes.
AVERAGES: Final = ("norm.running_mean", "norm.running_var")
LEARNED: Final = tuple(name for name in SHAPES if name not in AVERAGES)

EPS: Final = 1e-5  #: Added to the variance in batch normalization.
MOMENTUM: Final = 0.1  #: Weight of a new batch in the running averages, as PyTorch counts it.


def checked(weights: Weights, dtype: Any = np.float32) -> dict[str, Array]:
    """Return the weights as arrays of one type, in the order of `SHAPES`.

    Raises
    ------
    ValueError
        If a name is missing or unknown, or an array has another shape than `SHAPES` says.
    """
    if set(weights) != set(SHAPES):
        raise ValueError(
            f"weights must have the names {', '.join(SHAPES)}, but came with {', '.join(weights)}."
        )
    arrays = {name: np.array(weights[name], dtype=dtype) for name in SHAPES}
    for name, array in arrays.items():
        if array.shape != SHAPES[name]:
            raise ValueError(
                f"{name} must have shape {SHAPES[name]}, but came with {array.shape}. See "
                "course_lib.frameworks.layouts for the way between layouts."
            )
    return arrays
