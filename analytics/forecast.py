"""The running window: what its demand will be, and what to drop to stay under contract.

A forecast looks at earlier windows of the same slot (say quarter hour of the local day
and class of the day) and their neighbours, takes those that began most like this one, and
goes on as they went on. Nothing is fitted; nothing later than the window is looked at.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.intensity import ratio

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]

# ours; docs/demand.md tells what they were tried on
LIKE_DAYS = 60  # earlier windows of the slot that are looked at
ANALOGUES = 10  # the most similar of them and their neighbours
FEWEST = 8
RECENT = (1.0, 0.5, 0.25)  # weight of the last windows in likeness, the newest first
CALIBRATION = 14 * 96  # windows whose errors set the band
FEWEST_ERRORS = 96
FLOOR = 0.001  # a band is at least so wide, of the expected demand; and so many kW

UNKNOWN, NOT_NEEDED, NEEDED, IMPOSSIBLE = range(4)
SHED_NAMES = ("unknown", "not needed", "needed", "impossible")


class Expected(NamedTuple):
    """Demand of windows at their end, each of shape (n,) [kW]."""

    kw: Float64
    low_kw: Float64  # 10 %
    high_kw: Float64  # 90 %


class Shed(NamedTuple):
    """What must be dropped for the rest of the window; `state`: :data:`SHED_NAMES`."""

    kw: Float64  # NaN unless needed
    state: Int64


class Candidates(NamedTuple):
    """Parts that could be shed, the most flexible first."""

    part: Int64
    reducible_kw: Float64
    swing_kw: Float64  # how much its windows varied lately
    together_kw: Float64  # reducible with all that stand before


class Running(NamedTuple):
    """The running window, as far as it is known."""

    so_far_kw: float
    expected_kw: float
    low_kw: float  # 10 %
    high_kw: float  # 90 %
    minutes_left: float
    shed_kw: float  # to end at the limit if it goes as expected
    shed_state: int
    safe_shed_kw: float  # to end at it even at the upper edge of the band
    safe_shed_state: int


class Score(NamedTuple):
    """A back-test; all errors over the same windows."""

    windows: int
    mae_kw: float
    last_window_mae_kw: float  # of the window before, taken as the forecast
    so_far_mae_kw: float  # of the power so far, held; NaN before the first reading
    latest_mae_kw: float  # of the latest power, held; NaN where there is none
    band: float  # share of the windows that ended within it


class _Start(NamedTuple):
    """How windows began; NaN is unknown."""

    share: float  # of the window that is over
    so_far: Float64 | None
    base: Float64  # power that goes on when nothing else is known
    signs: tuple[tuple[float, Float64], ...]  # weight and value of what tells likeness


def progress(minute_kwh: Float64, elapsed: int) -> tuple[Float64, Float64]:
    """Give the power so far and the latest power of 15-minute windows.

    Parameters
    ----------
    minute_kwh
        Energy of the minutes of whole windows, one after the other, shape (15 n,) [kWh];
        NaN is unknown.
    elapsed
        Minutes that are over in each window, 0 … 15.

    Returns
    -------
    so_far_kw, latest_kw
        Shape (n,) each; the latest power is that of the minute before. At elapsed 0
        nothing is known so far.
    """
    windows = minute_kwh.reshape(-1, 15)
    before = np.concatenate(([np.nan], minute_kwh))[elapsed::15][: len(windows)]
    if not elapsed:
        return np.full(len(windows), np.nan), before * 60.0
    return windows[:, :elapsed].sum(axis=1) * (60.0 / elapsed), before * 60.0


def expected(
    kw: Float64,
    slot: Int64,
    elapsed: float = 0.0,
    so_far_kw: Float64 | None = None,
    latest_kw: Float64 | None = None,
    first: int = 0,
) -> Expected:
    """Forecast the demand of windows at their end, each from what was known in it.

    Parameters
    ----------
    kw
        Demand of the windows, one after the other, shape (n,) [kW]; NaN is unknown. That
        of a window is not looked at for its own forecast: the running one is the last
        and NaN.
    slot
        Which windows are alike, shape (n,): the quarter hour of the local day, and the
        class of the day as the caller sees it (working day, Saturday, holiday).
    elapsed
        Share of the window that is over, 0 … 1.
    so_far_kw
        Mean power of each window from its start until then, shape (n,) [kW]; needed
        unless `elapsed` is 0. Where the past ones are not known there is no forecast.
    latest_kw
        Power at that moment of each window, shape (n,) [kW]; None: not metered, or not
        known in the running window.
    first
        Forecast the windows from this one on; earlier ones are NaN.

    Returns
    -------
    Expected
        NaN where the power so far or the latest power is unknown, without both the window
        before, where fewer than 8 similar windows are, and for the band where fewer than
        96 errors are known. Once the window is over, its demand. The last 74 days of
        windows are looked at, no more.

    Raises
    ------
    ValueError
        If `elapsed` is not in 0 … 1, or power so far is missing.

    Notes
    -----
    With f over and m the power so far, D = f·m + (1-f)·r. The rest r is a base (latest
    power; else power so far; else the window before) plus the median of what the 10 most
    similar earlier windows added to theirs: analogues as in Lorenz (1969), doi
    10.1175/1520-0469(1969)26<636:APARBN>2.0.CO;2. They come from the last 60 windows of
    the slot and the windows just before and after these. Likeness is the weighted sum of
    absolute differences of the last three windows, power so far and latest power; ours.

    The band is the analogues' 10 and 90 % quantile, each moved by the 90 % quantile of
    how far, in widths of the band, the last 1344 windows ended beyond it: conformalized
    quantile regression, Romano, Patterson and Candès (2019), arXiv 1905.03222, over a
    moving window, which leaves its guarantee an approximation.
    """
    if not 0.0 <= elapsed <= 1.0:
        raise ValueError(f"elapsed {elapsed} is not a share 0 … 1 of the window")
    if so_far_kw is None and elapsed > 0:
        raise ValueError(f"elapsed {elapsed}, but no power so far")
    n = kw.size
    low, mid, high = np.full((3, n), np.nan)
    if elapsed == 1.0 and so_far_kw is not None:
        mid[first:] = so_far_kw[first:]
        return Expected(mid, mid.copy(), mid.copy())
    start = _start(kw, elapsed, so_far_kw, latest_kw)
    begin = max(0, first - CALIBRATION)
    like = _like(slot)
    rest = kw if start.so_far is None else (kw - elapsed * start.so_far) / (1 - elapsed)
    for row in range(begin, n, 4096):
        rows = np.arange(row, min(n, row + 4096))
        near = _near(slot, like, rows)
        added = _quantiles(
            _analogues(start, rest - start.base, near, rows), (0.1, 0.5, 0.9)
        )
        whole = (1 - elapsed) * (start.base[rows, None] + added)
        if start.so_far is not None:
            whole += elapsed * start.so_far[rows, None]
        low[rows], mid[rows], high[rows] = whole.T
    width = high - low + FLOOR * (np.abs(mid) + 1.0)
    below = _calibrated((low - kw) / width, first)
    above = _calibrated((kw - high) / width, first)
    mid[:first] = np.nan
    return Expected(
        mid,
        np.minimum(mid, low - below * width),
        np.maximum(mid, high + above * width),
    )


def running(
    energy_kwh: float,
    elapsed_s: float,
    limit_kw: float,
    kw: Float64,
    slot: Int64,
    so_far_kw: Float64 | None = None,
    latest_kw: Float64 | None = None,
    latest: float = np.nan,
    window_s: float = 900.0,
) -> Running:
    """Forecast the window that is running, and tell what to drop in it.

    Parameters
    ----------
    energy_kwh
        Used in the window so far [kWh]; at elapsed 0 it does not matter.
    elapsed_s, window_s
        Time that is over in the window, and its length [s].
    limit_kw
        Contract demand, or the share of it that is to be kept [kW]; NaN: none.
    kw
        Demand of the windows before it, shape (n,) [kW].
    slot
        As in :func:`expected`, shape (n + 1,); the last is the running window's.
    so_far_kw, latest_kw
        Of the windows before, at the same elapsed time, shape (n,) [kW]: see
        :func:`progress`. The power so far is needed unless `elapsed_s` is 0.
    latest
        Power now [kW]; NaN where it is not known, then `latest_kw` does not matter.

    Returns
    -------
    Running
        NaN where :func:`expected` gives none, states as in :func:`shed`.

    Raises
    ------
    ValueError
        As :func:`expected`.
    """
    elapsed = elapsed_s / window_s
    now = energy_kwh * 3600.0 / elapsed_s if elapsed_s > 0 else np.nan
    end, low, high = expected(
        np.append(kw, np.nan),
        slot,
        elapsed,
        None if so_far_kw is None else np.append(so_far_kw, now),
        None if latest_kw is None or np.isnan(latest) else np.append(latest_kw, latest),
        first=kw.size,
    )
    drop = shed(
        np.array([end[-1], high[-1]]), now if elapsed else 0.0, elapsed, limit_kw
    )
    return Running(
        now,
        float(end[-1]),
        float(low[-1]),
        float(high[-1]),
        (window_s - elapsed_s) / 60.0,
        float(drop.kw[0]),
        int(drop.state[0]),
        float(drop.kw[1]),
        int(drop.state[1]),
    )


def _start(
    kw: Float64, elapsed: float, so_far: Float64 | None, latest: Float64 | None
) -> _Start:
    before = [_before(kw, lag) for lag in (1, 2, 3)]
    signs = list(zip(RECENT, before, strict=True))
    base = before[0]
    if elapsed == 0:
        so_far = None
    if so_far is not None:
        base = so_far
        signs.append((1.0, so_far))
    if latest is not None:
        base = latest
        signs.append((1.0, latest))
    return _Start(elapsed, so_far, base, tuple(signs))


def _before(kw: Float64, lag: int = 1) -> Float64:
    return np.concatenate([np.full(lag, np.nan), kw])[: kw.size]


def _like(slot: Int64) -> Int64:
    """Earlier windows of the same slot, shape (n, LIKE_DAYS); -1 where no more are."""
    order = np.argsort(slot, kind="stable")
    begins = np.searchsorted(slot[order], slot, "left")
    place = np.empty(slot.size, np.int64)
    place[order] = np.arange(slot.size)
    back = place[:, None] - np.arange(1, LIKE_DAYS + 1)
    return np.where(back >= begins[:, None], order[np.maximum(back, 0)], -1)


def _near(slot: Int64, like: Int64, rows: Int64) -> Int64:
    """Like windows and their neighbours, shape (rows, 3 LIKE_DAYS); -1 where none is."""
    same = like[rows]
    # a neighbour of the same slot is a like window itself, or the row
    other = [
        np.where((beside >= 0) & (slot[beside] != slot[rows, None]), beside, -1)
        for beside in (np.where(same >= 0, same + step, -1) for step in (-1, 1))
    ]
    return np.concatenate([same, *other], axis=1)


def _analogues(start: _Start, added: Float64, near: Int64, rows: Int64) -> Float64:
    """Give what the most similar earlier windows added to their base."""
    apart = np.where((near >= 0) & ~np.isnan(added[near]), 0.0, np.inf)
    for weight, sign in start.signs:
        here = sign[rows, None]
        differs = weight * np.abs(sign[near] - here)
        # what is not known here tells nothing; what is not known there is not like it
        differs = np.where(np.isnan(differs), np.inf, differs)
        apart += np.where(np.isnan(here), 0.0, differs)
    best = np.argsort(apart, axis=1, kind="stable")[:, :ANALOGUES]
    found = np.isfinite(np.take_along_axis(apart, best, axis=1))
    found &= found.sum(axis=1, keepdims=True) >= FEWEST
    return np.where(found, added[np.take_along_axis(near, best, axis=1)], np.nan)


def _quantiles(values: Float64, shares: tuple[float, ...]) -> Float64:
    """Quantiles of the known values of each row, straight lines between them."""
    ordered = np.sort(values, axis=1)  # NaN goes last
    known = (~np.isnan(ordered)).sum(axis=1, keepdims=True)
    at = np.array(shares) * np.maximum(known - 1, 0)
    low = np.floor(at).astype(np.int64)
    high = np.minimum(low + 1, np.maximum(known - 1, 0))
    left = np.take_along_axis(ordered, low, axis=1)
    right = np.take_along_axis(ordered, high, axis=1)
    found: Float64 = left + (at - low) * (right - left)
    return found


def _calibrated(beyond: Float64, first: int) -> Float64:
    """90 % quantile of the CALIBRATION values before each window."""
    found = np.full(beyond.size, np.nan)
    padded = np.concatenate([np.full(CALIBRATION, np.nan), beyond])
    past = np.lib.stride_tricks.sliding_window_view(padded, CALIBRATION)
    for row in range(first, beyond.size, 1024):
        rows = slice(row, min(beyond.size, row + 1024))
        enough = (~np.isnan(past[rows])).sum(axis=1) >= FEWEST_ERRORS
        found[rows] = np.where(enough, _quantiles(past[rows], (0.9,))[:, 0], np.nan)
    return found


def shed(
    demand_kw: ArrayLike, so_far_kw: ArrayLike, elapsed: ArrayLike, limit_kw: ArrayLike
) -> Shed:
    """Tell what must be dropped for the rest of the window to stay under a limit.

    Parameters
    ----------
    demand_kw
        Demand the window would end with [kW]: the expected one, or the upper edge of the
        band to be safer.
    so_far_kw
        Mean power of the window so far [kW]; at elapsed 0 it does not matter.
    elapsed
        Share of the window that is over, 0 … 1.
    limit_kw
        Contract demand, or the share of it that is to be kept [kW].

    Returns
    -------
    Shed
        (D - limit) / (1 - f) where that is needed and the power of the rest allows it.
        Impossible: what is used already exceeds the limit, even with nothing more.

    Notes
    -----
    From D = f·m + (1-f)·r: dropping x for the rest lowers D by (1-f)·x. Arithmetic. A
    generator or battery that is yet to start is not counted on.
    """
    end, m, f, limit = np.broadcast_arrays(
        *(np.asarray(each, np.float64) for each in (demand_kw, so_far_kw, elapsed)),
        np.asarray(limit_kw, np.float64),
    )
    used = np.where(f == 0, 0.0, f * m)
    state = np.select(
        [np.isnan(end + used + limit), used > limit, (f >= 1) | (end <= limit)],
        [UNKNOWN, IMPOSSIBLE, NOT_NEEDED],
        NEEDED,
    ).astype(np.int64)
    needed = np.where(state == NEEDED, end - limit, np.nan)
    return Shed(ratio(needed, 1 - f), state)


def candidates(
    recent_kw: Float64,
    latest_kw: Float64,
    covered: Float64 | None = None,
    minimum_coverage: float = 0.95,
) -> Candidates:
    """Rank the parts by how much each could be reduced now, going by its recent past.

    Parameters
    ----------
    recent_kw
        Mean power of each part in recent windows that are like this one (the same hours
        of the last days of this class), shape (parts, n) [kW].
    latest_kw
        Power of each part now, shape (parts,) [kW].
    covered
        Share of each window that is known, shape (parts, n); None: all of it.
    minimum_coverage
        Of a window, and of the part's windows.

    Returns
    -------
    Candidates
        Without parts that are unknown or cannot be reduced; of equals the part that
        stands first.

    Notes
    -----
    Ours. Reducible is the power now above the 10 % quantile of the recent windows: the
    part has run that low in one of ten of them, so it can. Swing is the distance between
    the 10 and 90 % quantiles. Neither knows what a production can bear: it is a list of
    whom to ask first.
    """
    counts = ~np.isnan(recent_kw)
    if covered is not None:
        counts &= covered >= minimum_coverage
    enough = ratio(counts.sum(axis=1), recent_kw.shape[1]) >= minimum_coverage
    low, high = np.full((2, enough.size), np.nan)
    if enough.any():
        known = np.where(counts, recent_kw, np.nan)[enough]
        low[enough], high[enough] = _quantiles(known, (0.1, 0.9)).T
    reducible = latest_kw - low
    part = np.argsort(-reducible, kind="stable")  # NaN goes last
    part = part[reducible[part] > 0]
    return Candidates(
        part, reducible[part], (high - low)[part], np.cumsum(reducible[part])
    )


def backtest(
    kw: Float64,
    slot: Int64,
    elapsed: float = 0.0,
    so_far_kw: Float64 | None = None,
    latest_kw: Float64 | None = None,
    first: int = 0,
) -> Score:
    """Forecast windows that are over, as it would have been then, and compare.

    Parameters
    ----------
    kw, slot, elapsed, so_far_kw, latest_kw, first
        As in :func:`expected`; windows before `first` are only learned from.

    Returns
    -------
    Score
        Over the windows whose demand, forecast, band and all simple forecasts are known.
    """
    found = expected(kw, slot, elapsed, so_far_kw, latest_kw, first)
    simple = [_before(kw)]
    simple.append(so_far_kw if so_far_kw is not None and elapsed > 0 else simple[0])
    simple.append(latest_kw if latest_kw is not None else simple[0])
    known = ~np.isnan(kw + found.kw + found.low_kw + found.high_kw + sum(simple))
    known[:first] = False
    windows = int(known.sum())

    def mae(forecast: Float64) -> float:
        return float(ratio(np.abs(kw - forecast)[known].sum(), windows))

    inside = (kw >= found.low_kw) & (kw <= found.high_kw)
    return Score(
        windows,
        mae(found.kw),
        mae(simple[0]),
        mae(simple[1]) if elapsed > 0 else np.nan,
        mae(simple[2]) if latest_kw is not None else np.nan,
        float(ratio(inside[known].sum(), windows)),
    )
