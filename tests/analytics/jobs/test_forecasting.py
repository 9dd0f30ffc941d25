"""The running window is told each minute, from what is known of it by then."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from analytics.jobs import service
from analytics.jobs.compute import World
from analytics.jobs.forecasting import Forecaster, running_window
from analytics.jobs.validity import Tree
from store import demand_rules, forecasts, registry, relations, statements
from store.batches import write_batch
from store.database import Connection, connect
from store.demand_rules import Rule
from store.forecasts import Forecast
from store.readings import NO_UNTIL, Rows, to_us

pytestmark = pytest.mark.db

ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 3, 2, tzinfo=ZONE)
DAYS = 14
WINDOW = MONDAY + timedelta(days=DAYS, hours=9)
POWER = {"A": 120.0, "B": 60.0}  # kW, from 8 to 20 on each day; a tenth of it at night


class Park:
    def __init__(self, url: str) -> None:
        self.url = url
        with connect(url, autocommit=True) as conn:
            self.park = registry.add_park(conn, "p", zone=str(ZONE), region="CN-JS")
            self.enterprises, self.channels = {}, {}
            for code in POWER:
                enterprise = registry.add_enterprise(conn, self.park, code)
                meter = registry.add_meter(conn, self.park, enterprise, "M")
                relations.confirm_meter(conn, meter, enterprise, source="test")
                self.enterprises[code] = enterprise
                self.channels[code] = relations.add_meter_channel(
                    conn, meter, "energy_import", "register"
                )

    def read_to(self, minutes: int, *, skip: frozenset[int] = frozenset()) -> None:
        """Store quarter hours of the days before, and minutes of the running window."""
        at = [MONDAY + timedelta(minutes=15 * n) for n in range(96 * DAYS + 36)]
        at += [
            WINDOW + timedelta(minutes=n)
            for n in range(-2, minutes + 1)
            if n not in skip and n
        ] + [WINDOW]
        at = sorted(set(at))
        parts = [
            (channel, to_us(each), POWER[code] * _hours(each))
            for code, channel in self.channels.items()
            for each in at
        ]
        channel, at_us, value = zip(*parts, strict=True)
        rows = Rows(
            np.array(channel, np.int64),
            np.array(at_us, np.int64),
            np.array(value, np.float64),
            np.full(len(parts), NO_UNTIL, np.int64),
        )
        ids = dict.fromkeys(self.channels.values(), self.park)
        with connect(self.url) as conn:
            write_batch(
                conn,
                rows,
                [],
                parks=ids,
                totals=set(ids),
                source="test",
                parser="test/1",
                messages=1,
            )


def _hours(at: datetime) -> float:
    """Hours at full power since Monday: 12 a day, and a tenth of them at night."""
    days, rest = divmod((at - MONDAY).total_seconds() / 3600, 24)
    by_day = min(max(rest - 8, 0), 12)
    return days * 13.2 + by_day + 0.1 * (rest - by_day)


@pytest.fixture
def park(database: str) -> Park:
    return Park(database)


def analyse(park: Park) -> None:
    import threading

    service.run(park.url, threading.Event(), once=True)


def tell(conn: Connection, minute: float) -> dict[int, Forecast]:
    told = Forecaster().tell(conn, WINDOW + timedelta(minutes=minute))
    return {each.subject_id: each for each in told}


def test_the_running_window_is_told_by_its_known_minutes(park: Park) -> None:
    park.read_to(6)
    analyse(park)
    with connect(park.url, autocommit=True) as conn:
        statements.set_contract_demand(conn, park.park, 150.0, MONDAY, source="test")
        found = tell(conn, 6.5)
        assert found.keys() == {park.park}  # no enterprise has a contract demand
        told = found[park.park]
        assert told == forecasts.latest(conn, park.park)
    assert told.start == WINDOW
    assert told.known_s == 360
    assert told.energy_kwh == pytest.approx(18.0)  # 180 kW for 6 minutes
    assert told.latest_kw == pytest.approx(180.0)
    assert told.expected_kw == pytest.approx(180.0)
    assert told.low_kw is not None
    assert told.high_kw is not None
    assert told.low_kw <= 180.0 <= told.high_kw + 1e-9
    assert told.contract_kw == 150.0
    assert told.shed_state == "needed"
    # (180 - 150) kW of the whole window within the nine minutes that are left
    assert told.shed_kw == pytest.approx(30.0 * 15 / 9)


def test_a_minute_that_one_meter_misses_ends_what_is_known(park: Park) -> None:
    park.read_to(6)
    with connect(park.url, autocommit=True) as conn:
        conn.execute(
            "DELETE FROM core.reading WHERE channel_id = %s AND at > %s AND at < %s",
            (
                park.channels["B"],
                WINDOW + timedelta(minutes=2),
                WINDOW + timedelta(minutes=5),
            ),
        )
    analyse(park)
    with connect(park.url, autocommit=True) as conn:
        assert tell(conn, 6.5)[park.park].known_s == 120


def test_nothing_new_is_not_told_again(park: Park) -> None:
    park.read_to(3)
    analyse(park)
    with connect(park.url, autocommit=True) as conn:
        forecaster = Forecaster()
        at = WINDOW + timedelta(minutes=3, seconds=10)
        assert len(forecaster.tell(conn, at)) == 1
        assert forecaster.tell(conn, at + timedelta(seconds=20)) == []
        park.read_to(4)
        assert len(forecaster.tell(conn, at + timedelta(seconds=60))) == 1
        rows = conn.execute("SELECT count(*) FROM forecast").fetchone()
    assert rows == (2,)


def test_a_forecast_learns_from_how_such_windows_went_on(park: Park) -> None:
    park.read_to(5)
    analyse(park)
    with connect(park.url, autocommit=True) as conn:
        assert tell(conn, 5.5)[park.park].expected_kw == pytest.approx(180.0)
        for day in range(DAYS):  # each began with half of what it came to
            start = WINDOW - timedelta(days=day + 1)
            for quarter in range(-8, 9):
                forecasts.tell(
                    conn,
                    Forecast(
                        subject_id=park.park,
                        start=start + timedelta(minutes=15 * quarter),
                        window_min=15,
                        known_s=300.0,
                        made_at=start,
                        energy_kwh=180.0 / 12,
                        latest_kw=90.0,
                        expected_kw=None,
                        low_kw=None,
                        high_kw=None,
                        contract_kw=None,
                        shed_state="unknown",
                        shed_kw=None,
                    ),
                )
        learned = tell(conn, 5.5)[park.park]
    # the latest power was 90 kW then and the rest came to 180: now it is 180
    assert learned.expected_kw == pytest.approx((5 * 180 + 10 * 270) / 15)


def test_a_park_without_minutes_is_told_from_its_windows(park: Park) -> None:
    park.read_to(0)
    analyse(park)
    with connect(park.url, autocommit=True) as conn:
        conn.execute("DELETE FROM core.reading WHERE at > %s", (WINDOW,))
        told = tell(conn, 4.0)[park.park]
    assert told.known_s == 0
    assert told.expected_kw == pytest.approx(180.0)
    assert told.shed_state == "unknown"


def test_a_window_is_as_long_as_the_rule_says(park: Park) -> None:
    """In half hours the ninth began at 9:00: 0.1 of the power until 8, all of it since."""
    park.read_to(6)
    analyse(park)
    with connect(park.url, autocommit=True) as conn:
        statements.set_contract_demand(conn, park.park, 150.0, MONDAY, source="test")
        b = park.enterprises["B"]
        statements.set_contract_demand(conn, b, 100.0, MONDAY, source="test")
        demand_rules.set_demand_rule(
            conn, park.park, 30, "sliding", WINDOW - timedelta(days=20), source="test"
        )
        demand_rules.set_demand_rule(
            conn, b, 60, "fixed", WINDOW - timedelta(days=20), source="test"
        )
        analyse(park)
        told = tell(conn, 6.5)
        whole, one = told[park.park], told[b]
        assert (whole.start, whole.window_min) == (WINDOW, 30)
        assert (one.start, one.window_min) == (WINDOW, 60)
        found = forecasts.running(conn, "p", WINDOW + timedelta(minutes=29))
        assert found is not None
        assert found.until == WINDOW + timedelta(minutes=30)
        assert forecasts.running(conn, "p", WINDOW + timedelta(minutes=30)) is None
    assert whole.known_s == one.known_s == 360
    assert whole.expected_kw == pytest.approx(180.0)
    # (180 - 150) kW of the half hour within the 24 minutes that are left
    assert whole.shed_kw == pytest.approx(30.0 * 30 / 24)
    assert one.expected_kw == pytest.approx(60.0)
    assert one.shed_state == "not needed"


def test_a_window_follows_the_local_clock() -> None:
    """At +05:45 an hour begins at 15 minutes past the hour of UTC."""
    world = World(
        park_id=1,
        zone=ZoneInfo("Asia/Kathmandu"),
        channels=[],
        rules={7: [(0, Rule(60)), (to_us(WINDOW), Rule(30))]},
        virtual={},
        multipliers=[],
        judgements=[],
        tree=Tree(places={}, measured=set()),
        members={},
        of_park={},
    )
    before = datetime(2026, 3, 1, 10, 5, tzinfo=UTC)  # 15:50 there
    assert running_window(world, 7, before) == (
        datetime(2026, 3, 1, 9, 15, tzinfo=UTC),
        60,
    )
    later = before + timedelta(days=30)
    assert running_window(world, 7, later).start == later - timedelta(minutes=20)
    assert running_window(world, 7, later).minutes == 30
    assert running_window(world, 8, before) == (before - timedelta(minutes=5), 15)
