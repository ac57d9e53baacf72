"""A small table of patients: 569 tumors of the breast, 30 measurements each, from scikit-learn.

A little tissue was drawn with a fine needle and photographed under a microscope. For ten properties
of the cell nuclei in the image (radius, texture, perimeter, area, smoothness, compactness,
concavity, concave points, symmetry, fractal dimension), the table has the mean, the standard error
and the mean of the three largest values. *Breast Cancer Wisconsin (Diagnostic)* by W. Wolberg,
O. Mangasarian, N. Street and W. Street (1995), UCI Machine Learning Repository, license CC BY 4.0.

Known faults: one clinic and one way of measuring, about 1990; nothing about the patients but their
cells; more than a third of the tumors are malignant, far more than among people who are examined.
Not for any decision about a patient, nor for saying how often a test like this would be right
elsewhere.

References
----------
W. N. Street, W. H. Wolberg and O. L. Mangasarian, "Nuclear feature extraction for breast tumor
diagnosis", IS&T/SPIE 1993 International Symposium on Electronic Imaging, volume 1905.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn import datasets

__all__ = ["load", "measurements"]


def load() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Load the measurements and the diagnoses.

    Returns
    -------
    X : ndarray, shape (569, 30)
        One patient a row. The columns have very different sizes: areas in the thousands,
        smoothness around a tenth.
    y : ndarray, shape (569,)
        1 where the tumor is malignant (212 patients), 0 where it is benign (357). scikit-learn
        has it the other way around; here 1 is what one looks for.

    Examples
    --------
    >>> X, y = load()
    >>> X.shape, int(y.sum())
    ((569, 30), 212)
    """
    X, benign = datasets.load_breast_cancer(return_X_y=True)
    return X, 1 - benign


def measurements() -> list[str]:
    """Name the 30 columns, such as "mean radius" and "worst area".

    Returns
    -------
    list of str
    """
    return [str(name) for name in datasets.load_breast_cancer().feature_names]
