"""How well the running window is forecast, and how fast; errors travel between machines."""

import statistics
import time
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from analytics import demand, forecast, peaks
from simulators import scenario, steel
from simulators.world import World
from tests.bench.tools import emit, note

WARM_UP = 28 * 96  # windows that are only learned from
DAYS = 84
MONDAY = datetime(2026, 3, 2, tzinfo=ZoneInfo("Asia/Shanghai"))


def slots(windows: int) -> NDArray[np.int64]:
    """Quarter hour and class of the day, from a Monday on."""
    day, quarter = np.divmod(np.arange(windows), 96)
    return np.asarray(np.maximum(day % 7 - 4, 0) * 96 + quarter)


def measure() -> None:
    """Back-test on the plant's year and the simulated park, and time the kernels."""
    kw = demand.fixed(np.diff(steel.read().hundredths[:, 0]) / 100)
    slot = slots(kw.size)
    _tell("plant's year, next window", forecast.backtest(kw, slot, first=WARM_UP))
    half = forecast.backtest(kw, slot, first=184 * 96)
    _tell("plant's second half year, next window", half)
    note("simulating the park")
    register = park()
    kw_park = demand.fixed(np.diff(register[::15]))
    for minute in (0, 5, 10):
        so_far, latest = forecast.progress(np.diff(register), minute)
        score = forecast.backtest(
            kw_park, slots(kw_park.size), minute / 15, so_far, latest, WARM_UP
        )
        _tell(f"simulated park, minute {minute} of 15", score)
    last = kw.size - 1
    _time(
        "forecast of one running window from a year of windows",
        lambda: forecast.expected(kw, slot, first=last),
        "< 0.2",
    )
    month = np.random.default_rng(1).uniform(0, 1000, (13, 2976))
    _time(
        "exact Shapley value of 13 parts over a month",
        lambda: peaks.shapley(month),
        "< 5",
    )


def park() -> NDArray[np.float64]:
    """Registers of the enterprises, summed, each minute of twelve weeks [kWh]."""
    simulated = World(scenario.load("clean"))
    start = int(MONDAY.timestamp())
    at = np.arange(start, start + DAYS * 86_400 + 1, 60, dtype=np.int64)
    flows = simulated.counted(simulated.code)["energy_import_kwh"]
    total: NDArray[np.float64] = np.sum([each.integral(at) for each in flows], axis=0)
    return total / 3_600_000


def _tell(what: str, score: forecast.Score) -> None:
    for name, simple in (
        ("the window before", score.last_window_mae_kw),
        ("power so far, held", score.so_far_mae_kw),
        ("latest power, held", score.latest_mae_kw),
    ):
        if not np.isnan(simple):
            emit(
                f"forecast, {what}: mean error over that of {name}",
                score.mae_kw / simple,
                "ratio",
                "< 1",
                mae_kw=round(score.mae_kw, 3),
                other_mae_kw=round(simple, 3),
                windows=score.windows,
            )
    emit(
        f"forecast, {what}: windows within the 10-90 % band",
        score.band,
        "share",
        "0.75 - 0.85",
    )


def _time(name: str, work: Callable[[], object], bar: str) -> None:
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    emit(name, statistics.median(seconds), "s", bar)


if __name__ == "__main__":
    measure()
