"""Forecasts of the running window, as they were told."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from psycopg.rows import class_row

from store.database import Connection
from store.readings import Float64, Int64, to_us


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What a window was expected to come to, from its first `known_s` seconds."""

    subject_id: int
    start: datetime
    window_min: int
    known_s: float
    made_at: datetime
    energy_kwh: float  # in these seconds
    latest_kw: float | None  # of their last minute
    expected_kw: float | None
    low_kw: float | None  # 10 %
    high_kw: float | None  # 90 %
    contract_kw: float | None
    shed_state: str
    shed_kw: float | None


def tell(conn: Connection, told: Forecast) -> None:
    """Keep a forecast; the same window known equally far is told anew."""
    conn.execute(
        """
        INSERT INTO core.forecast
            (subject_id, start, window_min, known_s, made_at, energy_kwh, latest_kw, expected_kw,
             low_kw, high_kw, contract_kw, shed_state, shed_kw)
        VALUES (%(subject_id)s, %(start)s, %(window_min)s, %(known_s)s, %(made_at)s,
                %(energy_kwh)s, %(latest_kw)s, %(expected_kw)s, %(low_kw)s, %(high_kw)s,
                %(contract_kw)s, %(shed_state)s, %(shed_kw)s)
        ON CONFLICT (subject_id, start, known_s) DO UPDATE SET
            window_min = excluded.window_min, made_at = excluded.made_at, energy_kwh = excluded.energy_kwh,
            latest_kw = excluded.latest_kw, expected_kw = excluded.expected_kw,
            low_kw = excluded.low_kw, high_kw = excluded.high_kw,
            contract_kw = excluded.contract_kw, shed_state = excluded.shed_state,
            shed_kw = excluded.shed_kw
        """,
        vars(told),
    )


def latest(conn: Connection, subject_id: int) -> Forecast | None:
    """Give the newest forecast of a subject."""
    with conn.cursor(row_factory=class_row(Forecast)) as cur:
        return cur.execute(
            """
            SELECT subject_id, start, window_min, known_s, made_at, energy_kwh, latest_kw,
                   expected_kw, low_kw, high_kw, contract_kw, shed_state, shed_kw
            FROM core.forecast WHERE subject_id = %s
            ORDER BY start DESC, known_s DESC LIMIT 1
            """,
            (subject_id,),
        ).fetchone()


@dataclass(frozen=True, kw_only=True)
class RunningWindow:
    """What a park's running window is expected to come to, as schema `grafana` shows it."""

    time: datetime
    until: datetime
    known_s: float
    made_at: datetime
    energy_kwh: float
    expected_kw: float | None
    low_kw: float | None
    high_kw: float | None
    contract_kw: float | None
    shed_state: str
    shed_kw: float | None


def running(conn: Connection, park: str, now: datetime) -> RunningWindow | None:
    """Give the newest forecast of a park's window that holds `now`."""
    with conn.cursor(row_factory=class_row(RunningWindow)) as cur:
        return cur.execute(
            """
            SELECT time, until, known_s, made_at, energy_kwh, expected_kw, low_kw,
                   high_kw, contract_kw, shed_state, shed_kw
            FROM grafana.forecast
            WHERE park = %(park)s AND enterprise IS NULL
              AND time <= %(now)s AND until > %(now)s
            ORDER BY time DESC, known_s DESC LIMIT 1
            """,
            {"park": park, "now": now},
        ).fetchone()


def begun_alike(
    conn: Connection,
    subject_id: int,
    window_min: int,
    known_s: float,
    since: datetime,
    until: datetime,
) -> tuple[Int64, Float64, Float64]:
    """Give how windows in [since, until) stood when they were known equally far.

    Returns
    -------
    start_us, energy_kwh, latest_kw
        Shape (n,) each; NaN where the latest power was not known.
    """
    rows = conn.execute(
        "SELECT start, energy_kwh, coalesce(latest_kw, 'NaN') FROM core.forecast "
        "WHERE subject_id = %s AND window_min = %s AND known_s = %s "
        "AND start >= %s AND start < %s ORDER BY start",
        (subject_id, window_min, known_s, since, until),
    ).fetchall()
    return (
        np.array([to_us(row[0]) for row in rows], np.int64),  # type: ignore[arg-type]
        np.array([row[1] for row in rows], np.float64),
        np.array([row[2] for row in rows], np.float64),
    )


def forget(conn: Connection, subject_id: int, before: datetime) -> None:
    """Delete what was told of windows that began before an instant."""
    conn.execute(
        "DELETE FROM core.forecast WHERE subject_id = %s AND start < %s",
        (subject_id, before),
    )
