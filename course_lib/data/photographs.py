"""Two color photographs, a temple and a flower, as they come with scikit-learn.

*china* shows a Chinese temple among trees (by the Flickr user danielbuechele), *flower* a dahlia
seen from above (by vultilion). scikit-learn retrieved both from Flickr in August 2011 and names the
license Creative Commons Attribution 2.0 in the README beside the files: whoever shows a picture
names who took it.

Known faults: they were compressed as JPEG, so neighboring pixels carry traces of blocks of 8 by 8.
Not for anything statistical: two pictures are good for looking at what a filter does.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["AUTHORS", "load"]

AUTHORS: Final = {"china": "danielbuechele", "flower": "vultilion"}
"""Who took each photograph, for the caption."""


def load(name: str, *, shrink: int = 1) -> NDArray[np.float64]:
    """Load a photograph.

    Parameters
    ----------
    name : {"china", "flower"}
    shrink : int
        Replace each block of this many pixels by this many with its mean. What is left over at the
        right and lower edges is cut off.

    Returns
    -------
    ndarray, shape (427 // shrink, 640 // shrink, 3)
        Red, green and blue, from 0 (dark) to 1.

    Raises
    ------
    ValueError
        If there is no photograph of this name, or nothing would be left of it.

    Examples
    --------
    >>> load("flower").shape
    (427, 640, 3)
    >>> load("china", shrink=4).shape
    (106, 160, 3)
    """
    if name not in AUTHORS:
        raise ValueError(f"There is no photograph {name!r}: choose one of {', '.join(AUTHORS)}.")
    # It imports most of scikit-learn, which takes a second: only those who load a picture wait.
    from sklearn.datasets import load_sample_image

    picture = load_sample_image(f"{name}.jpg") / 255
    if not 1 <= shrink <= min(picture.shape[:2]):
        raise ValueError(f"shrink must be from 1 to {min(picture.shape[:2])}, but is {shrink}.")
    height, width = (length // shrink for length in picture.shape[:2])
    blocks = picture[: height * shrink, : width * shrink]
    return blocks.reshape(height, shrink, width, shrink, 3).mean(axis=(1, 3))
