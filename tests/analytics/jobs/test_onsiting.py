"""Own plant by hand: a gate, photovoltaics, a storage, charging piles and a load."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from analytics.jobs import onsiting
from analytics.jobs.onsiting import own_plant
from store import judgements, registry, relations
from store.batches import write_batch
from store.database import Connection, connect
from store.errors import Invalid
from store.readings import NO_UNTIL, Rows, to_us
from tests.analytics.jobs.conftest import ZONE, Monthly

pytestmark = pytest.mark.db

FIRST, LAST = date(2024, 6, 1), date(2024, 6, 3)
N = 192  # quarter hours of two days
SAID: dict[str, Any] = {"source": "plate", "who": "Energy office"}

# kWh of each quarter hour: by day 40 generated, 25 load; at night 10 from the grid
DAY = np.tile(np.repeat([False, True, False], [24, 48, 24]), 2)
PV = np.where(DAY, 40.0, 0.0)
LOAD = np.where(DAY, 25.0, 20.0)
CHARGE = np.where(DAY, 5.0, 0.0)
DISCHARGE = np.where(DAY, 0.0, 4.0)
EXPORT = np.where(DAY, 10.0, 0.0)
IMPORT = np.where(DAY, 0.0, 16.0)


class Plant(Monthly):
    """A park whose meters are read every quarter hour of two days."""

    def quarters(self, meter: str, role: str = "main", **kwh: np.ndarray) -> int:
        begin = datetime(2024, 6, 1, tzinfo=ZONE)
        at = np.array(
            [to_us(begin + timedelta(minutes=15 * i)) for i in range(N + 1)], np.int64
        )
        with connect(self.url, autocommit=True) as conn:
            owner = registry.add_enterprise(conn, self.park.park_id, "A")
            known = registry.add_meter(conn, self.park.park_id, owner, meter)
            start = begin.astimezone(UTC)
            relations.confirm_meter(conn, known, owner, source="test", since=start)
            if role != "main":
                gate, _ = registry.find_meter(conn, owner, "GATE")
                relations.place_meter(conn, known, role, gate, start, source="test")
            for quantity, amount in kwh.items():
                channel = relations.add_meter_channel(conn, known, quantity, "register")
                value = np.concatenate([[0.0], np.cumsum(amount)])
                with conn.transaction():
                    write_batch(
                        conn,
                        Rows(
                            np.full(N + 1, channel, np.int64),
                            at,
                            value,
                            np.full(N + 1, NO_UNTIL, np.int64),
                        ),
                        [],
                        parks={channel: self.park.park_id},
                        totals={channel},
                        source="test",
                        parser="test/1",
                        messages=1,
                    )
        return known


@pytest.fixture
def conn(timescale_database: str) -> Iterator[Connection]:
    with connect(timescale_database, autocommit=True) as conn:
        yield conn


def told(conn: Connection, **asked: Any) -> dict[str, Any]:
    return own_plant(conn, registry.subject(conn, "P"), FIRST, LAST, **asked)


def rate(conn: Connection, what: str, value: float, since: date) -> None:
    subject = registry.subject(conn, "P")
    onsiting.state(conn, subject, what=what, value=value, valid_from=since, **SAID)


def test_own_plant_by_hand(timescale_database: str, conn: Connection) -> None:
    park = Plant(timescale_database)
    gate = park.quarters("GATE", energy_import=IMPORT, energy_export=EXPORT)
    pv = park.quarters("PV", pv_generation=PV)
    ess = park.quarters("ESS", storage_charge=CHARGE, storage_discharge=DISCHARGE)
    park.quarters("EV1", charging_energy=np.where(DAY, 3.0, 0.0))
    park.quarters("EV2", charging_energy=np.where(np.arange(N) < 48, 6.0, 0.0))
    load = park.quarters("LOAD", "sub", energy_import=LOAD)
    park.compute()
    found = told(conn)
    # two days: 96 quarters by day, 96 at night; PV 3 840, export 960, import 1 536 kWh
    amounts = {name: each["amount_kwh"] for name, each in found["amounts"].items()}
    assert amounts == pytest.approx(
        {
            "imported": 1536,
            "exported": 960,
            "generated": 3840,
            "charged": 480,
            "discharged": 384,
            "charging": 96 * 3 + 48 * 6,
        }
    )
    assert found["self_consumption"] == pytest.approx((3840 - 960) / 3840)
    own = 3840 - 960 + 384 - 480
    assert found["self_sufficiency"] == pytest.approx(own / (1536 + own))
    assert found["round_trip_efficiency"] == pytest.approx(0.8)
    assert found["assumed"] == ["the storage held as much at the end as at the begin"]
    assert found["full_load_hours"] is None
    assert found["charging_time_unknown_because"] == "no piles stated"
    before = datetime.now(UTC)
    # 100 kWp, from the second day on 200: 150 on the mean
    rate(conn, "pv_kwp", 100.0, date(2024, 1, 1))
    rate(conn, "pv_kwp", 200.0, date(2024, 6, 2))
    rate(conn, "storage_kwh", 192.0, date(2024, 1, 1))
    rate(conn, "charging_kw", 60.0, date(2024, 1, 1))
    rate(conn, "charging_piles", 2.0, date(2024, 1, 1))
    found = told(conn, soc_change=0.25)
    assert found["ratings"]["pv_kwp"] == pytest.approx(150)
    assert found["full_load_hours"] == pytest.approx(3840 / 150)
    assert found["round_trip_efficiency"] == pytest.approx((384 + 0.25 * 192) / 480)
    assert found["equivalent_cycles"] == pytest.approx(2)
    assert found["charging_power_utilisation"] == pytest.approx(576 / (60 * 48))
    assert found["charging_time_utilisation"] == pytest.approx((96 + 48) / 4 / (2 * 48))
    then = told(conn, known_on=before)
    assert then["full_load_hours"] is None
    assert then["self_consumption"] == pytest.approx(0.75)
    identity(conn, found, (gate, pv, ess, load))


def identity(conn: Connection, found: dict[str, Any], meters: tuple[int, ...]) -> None:
    assert found["identity"] is None
    asked = {"load": ["A/LOAD"]}
    # import 16 + discharge 4 = load 20; PV 40 = load 25 + export 10 + charge 5
    unclassed = told(conn, **asked)["identity"]
    assert unclassed["classes_missing"]
    assert (unclassed["intervals"], unclassed["unknown"]) == (N, N)
    for meter in meters:
        judgements.set_plate(
            conn, meter, accuracy_class=0.5, rated_per_h=None, source="plate"
        )
    held = told(conn, **asked)["identity"]
    assert (held["holds"], held["broken"], held["unknown"]) == (N, 0, 0)
    with pytest.raises(Invalid, match="does not count"):
        told(conn, load=["A/PV"])


def test_a_balance_that_breaks_and_export_without_a_meter(
    timescale_database: str, conn: Connection
) -> None:
    park = Plant(timescale_database)
    gate = park.quarters("GATE", energy_import=IMPORT)
    pv = park.quarters("PV", pv_generation=PV)
    load = park.quarters("LOAD", "sub", energy_import=LOAD)
    park.compute()
    for meter in (gate, pv, load):
        judgements.set_plate(
            conn, meter, accuracy_class=1.0, rated_per_h=None, source="plate"
        )
    alone = told(conn)
    assert alone["self_consumption"] is None
    assert alone["self_sufficiency"] is None
    assert alone["assumed"] == ["there is no storage: none is measured"]
    found = told(conn, load=["A/LOAD"])
    # by day min(40, 25) of 40
    assert found["self_consumption"] == pytest.approx(25 / 40)
    assert found["self_consumption_by"] == "intervals"
    balance = found["identity"]
    # by day 15 kWh leave unseen; at night 16 kWh do not feed 20
    assert balance["broken"] == N
    first = balance["worst"][0]
    assert first["residual_kwh"] == pytest.approx(15)
    # 2 · √((0.01 · 40)² / 3 + (0.01 · 25)² / 3)
    assert first["tolerance_kwh"] == pytest.approx(2 * ((0.4**2 + 0.25**2) / 3) ** 0.5)
    assert len(balance["worst"]) == 20
    assert first["start"] == "2024-06-01T06:00:00+08:00"


def test_what_cannot_be_stated_or_asked(
    timescale_database: str, conn: Connection
) -> None:
    Plant(timescale_database).quarters("GATE", energy_import=IMPORT)
    with pytest.raises(Invalid, match="none of"):
        rate(conn, "pv_kw", 1.0, FIRST)
    with pytest.raises(Invalid, match="below 0"):
        rate(conn, "pv_kwp", -1.0, FIRST)
    with pytest.raises(Invalid, match="clean energy"):
        told(conn, definition="bright")
    with pytest.raises(Invalid, match="basis"):
        told(conn, basis="coal")
    with pytest.raises(Invalid, match="empty"):
        own_plant(conn, registry.subject(conn, "P"), LAST, FIRST)
