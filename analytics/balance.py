"""What a meter counted and the meters below it did not: the balance of a node."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float64 = NDArray[np.float64]

COVERAGE_FACTOR = 2.0  # about 95 %


def unaccounted(main: Float64, parts: Float64) -> Float64:
    """Give what no part explains.

    Parameters
    ----------
    main
        Amount of the upper meter per interval, shape (n,).
    parts
        Amounts of the meters below it, shape (parts, n), same unit.

    Returns
    -------
    NDArray[np.float64]
        main - Σ parts, shape (n,); negative where the parts show more. NaN where one of
        them is unknown: the rest would be that part's, not a loss.
    """
    rest: Float64 = main - parts.sum(axis=0)
    return rest


def uncertainty(amount: Float64, accuracy_class: ArrayLike) -> Float64:
    """Give the expanded uncertainty of a balance from the classes of its meters.

    Parameters
    ----------
    amount
        Amounts of all meters of the balance, the upper one among them, shape (meters, n).
    accuracy_class
        Accuracy class of each, shape (meters,) [% of the amount]; NaN is unknown.

    Returns
    -------
    NDArray[np.float64]
        U = 2 · √Σ (c/100 · E / √3)², shape (n,), in the unit of the amounts; NaN where
        an amount or a class is unknown.

    Notes
    -----
    The class is taken as the bound of a rectangular distribution, meters as independent
    (JCGM 100:2008, 4.3.7, 5.1.2, 6.2.1, coverage factor 2). That the class bounds the
    error at any load is ours: at a few per cent of the rated current it is larger.
    """
    half = np.asarray(accuracy_class, np.float64)[:, None] / 100.0 * amount
    expanded: Float64 = COVERAGE_FACTOR * np.sqrt((half**2 / 3.0).sum(axis=0))
    return expanded
