"""Decomposition: how much of a change in emissions each factor made, without a residual.

C_ij = V · V_i/V · E_i/V_i · E_ij/E_i · C_ij/E_ij over enterprises i and carriers j.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

FACTOR_NAMES = ("activity", "structure", "intensity", "mix", "carbon_factor")


class State(NamedTuple):
    """One period; enterprises may come and go: zeros where one is not there."""

    value: Float64  # added value at comparable prices, shape (enterprises,) [10⁴ CNY]
    energy: Float64  # shape (enterprises, carriers) [tce], one basis
    carbon: Float64  # shape (enterprises, carriers) [tCO2], one method


class Effects(NamedTuple):
    """What moved emissions, each of shape (enterprises,) [tCO2]; all five add up."""

    activity: Float64  # added value of all
    structure: Float64  # share of the enterprise in it
    intensity: Float64  # energy per added value
    mix: Float64  # share of each carrier in the energy
    carbon_factor: Float64  # carbon per energy of each carrier
    change: Float64  # emissions after less before


def log_mean(a: Float64, b: Float64) -> Float64:
    """Logarithmic mean.

    Parameters
    ----------
    a, b
        Not negative, any unit; they broadcast.

    Returns
    -------
    NDArray[np.float64]
        (a - b) / (ln a - ln b); a where both are equal, 0 where one is 0; NaN where one
        is negative or unknown.

    Notes
    -----
    Ang (2004), doi 10.1016/S0301-4215(03)00076-4. Written as d / log1p(d / b), which keeps
    its digits where a and b are close.
    """
    a, b = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(b, np.float64))
    low, high = np.minimum(a, b), np.maximum(a, b)
    apart = high - low
    share = np.zeros(a.shape)
    np.divide(apart, low, out=share, where=low > 0)
    out = np.where(low > 0, low, 0.0)
    np.divide(apart, np.log1p(share), out=out, where=share > 0)
    return np.where(low >= 0, out, np.nan)


def lmdi(before: State, after: State) -> Effects:
    """Split the change of emissions between two periods by LMDI-I, additive.

    Parameters
    ----------
    before, after
        The same enterprises and carriers in the same order.

    Returns
    -------
    Effects
        They add up to the change but for rounding. An enterprise is NaN where one of its
        figures is unknown or negative, where it has energy without added value, or
        emissions without energy: no product of these factors describes it. All are NaN
        where the added value of all is not above zero.

    Notes
    -----
    ΔC_x = Σ L(C1, C0) · ln(x1 / x0), Ang (2005), doi 10.1016/j.enpol.2003.10.010.

    Zeros are taken by their analytic limits and not replaced by small numbers, Ang and Liu
    (2007), doi 10.1016/j.enpol.2005.11.001: emissions that begin or end belong entirely to
    the factor that was zero. After the first zero of the chain the next ratios are 0/0;
    that these did not change is ours. So an enterprise that comes or goes is structure,
    a carrier that does is mix, one that becomes free of carbon is carbon factor.
    """
    whole0, whole1 = before.value.sum(), after.value.sum()
    chain0, chain1 = _chain(before, whole0), _chain(after, whole1)
    carbon0, carbon1 = before.carbon, after.carbon
    weight = log_mean(carbon1, carbon0)
    born = (carbon0 == 0) & (carbon1 > 0)
    gone = (carbon0 > 0) & (carbon1 == 0)
    change = carbon1 - carbon0
    effects = []
    for x0, x1 in zip(chain0, chain1, strict=True):
        step = np.zeros(weight.shape)
        both = (x0 > 0) & (x1 > 0)
        np.divide(x1, x0, out=step, where=both)
        np.log(step, out=step, where=both)
        effect = np.where(weight > 0, weight * step, 0.0)
        first = (born & (x0 == 0)) | (gone & (x1 == 0))
        effects.append(np.where(first, change, effect).sum(axis=1))
    good = _described(before) & _described(after) & (whole0 > 0) & (whole1 > 0)
    split = [np.where(good, each, np.nan) for each in effects]
    return Effects._make([*split, change.sum(axis=1)])


def lmdi_chained(states: list[State]) -> Effects:
    """Split a change over many periods by the sum of the splits of each step.

    Parameters
    ----------
    states
        Two or more periods in the order of time.

    Returns
    -------
    Effects
        Sums over the steps; each step as in :func:`lmdi`.

    Raises
    ------
    ValueError
        With fewer than two periods.

    Notes
    -----
    Chaining uses what is known of the way between; the change is the same, the split is
    another one than that of first and last alone. Ang (2004).
    """
    if len(states) < 2:
        raise ValueError(f"{len(states)} periods: a change needs at least two")
    steps = [lmdi(*pair) for pair in pairwise(states)]
    return Effects._make(np.sum(each, axis=0) for each in zip(*steps, strict=True))


def _chain(state: State, whole: float) -> tuple[Float64, ...]:
    """Give the five factors of each enterprise and carrier; NaN where it is 0/0."""
    energy = state.energy.sum(axis=1)
    shape = state.carbon.shape

    def over(top: Float64, bottom: Float64) -> Float64:
        out = np.full(shape, np.nan)
        top, bottom = np.broadcast_to(top, shape), np.broadcast_to(bottom, shape)
        np.divide(top, bottom, out=out, where=bottom > 0)
        return out

    return (
        np.full(shape, whole),
        over(state.value[:, None], np.array(whole)),
        over(energy[:, None], state.value[:, None]),
        over(state.energy, energy[:, None]),
        over(state.carbon, state.energy),
    )


def _described(state: State) -> NDArray[np.bool_]:
    energy = state.energy.sum(axis=1)
    signs = (state.value >= 0) & (state.energy >= 0).all(axis=1)
    signs &= (state.carbon >= 0).all(axis=1)
    idle = (state.energy == 0) & (state.carbon > 0)
    good: NDArray[np.bool_] = signs & ~((state.value == 0) & (energy > 0))
    good &= ~idle.any(axis=1)
    return good
