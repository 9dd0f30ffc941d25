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


def change(report: ArrayLike, base: ArrayLike) -> NDArray[np.float64]:
    """Tell by how much an intensity differs from that of a base period.

    Parameters
    ----------
    report, base
        Intensities of both periods, per added value at the same comparable prices.

    Returns
    -------
    NDArray[np.float64]
        [%]; below zero is a fall. NaN where the base is not above zero.

    Notes
    -----
    (I₁ / I₀ - 1) · 100. At current prices it would mix the change of prices in.
    """
    return 100.0 * (ratio(report, base) - 1.0)


def change_by_growth(
    energy_growth: ArrayLike, value_growth: ArrayLike
) -> NDArray[np.float64]:
    """Tell the same from the growth of energy and of added value.

    Parameters
    ----------
    energy_growth, value_growth
        Growth from the base to the report period, 0.05 for 5 %; of added value at
        comparable prices.

    Returns
    -------
    NDArray[np.float64]
        [%]; NaN where added value fell to zero or below.

    Notes
    -----
    [(1 + g_E) / (1 + g_V) - 1] · 100, as statistics offices publish it, since growth at
    comparable prices is known before the level is.
    """
    top = 1.0 + np.asarray(energy_growth, np.float64)
    return 100.0 * (ratio(top, 1.0 + np.asarray(value_growth, np.float64)) - 1.0)
