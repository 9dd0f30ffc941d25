"""Intensity: energy or carbon per added value, always a ratio of sums.

The mean of the intensities of two enterprises, or of two months, is not the intensity
of both: a small enterprise would weigh as much as a large one. So sum numerators and
denominators first and divide last.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def ratio(numerator: ArrayLike, denominator: ArrayLike) -> NDArray[np.float64]:
    """Divide sums by sums; never average what this gives.

    Parameters
    ----------
    numerator
        Energy [tce], carbon [tCO2], … summed over the group and period; any shape.
    denominator
        Added value [10⁴ CNY], product, area, … summed over the same; broadcasts.

    Returns
    -------
    NDArray[np.float64]
        Numerator per denominator; NaN where the denominator is not above zero or
        anything is unknown.

    Notes
    -----
    商资发〔2021〕188号: comprehensive energy consumption (or CO2) of the enterprises above
    designated size over their added value. An intensity over no or negative added value
    has no meaning; that it is unknown and not 0 or infinite is ours.
    """
    top, bottom = np.broadcast_arrays(
        np.asarray(numerator, np.float64), np.asarray(denominator, np.float64)
    )
    out = np.full(top.shape, np.nan)
    np.divide(top, bottom, out=out, where=bottom > 0)
    return out


def group_sums(
    amount: NDArray[np.float64], group: NDArray[np.int64], groups: int
) -> NDArray[np.float64]:
    """Sum amounts by group, in the order in which they stand.

    Parameters
    ----------
    amount
        Shape (…, n), any additive unit; NaN makes its group's sum NaN.
    group
        Group 0 … groups-1 of each column, shape (n,).
    groups
        How many groups there are; one without members sums to 0.

    Returns
    -------
    NDArray[np.float64]
        Shape (…, groups), the unit of `amount`.
    """
    sums = np.zeros((groups, *amount.shape[:-1]))
    np.add.at(sums, group, np.moveaxis(amount, -1, 0))
    return np.moveaxis(sums, 0, -1)
