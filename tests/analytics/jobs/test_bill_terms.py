"""Bills of synthetic months, each number reckoned by hand beside it."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from analytics.jobs import service, tariffs
from analytics.jobs.billing import Assumed, bills
from store import registry, relations, statements
from store import tariffs as stored
from store.batches import write_batch
from store.database import connect
from store.errors import Invalid
from store.readings import NO_UNTIL, Rows

pytestmark = pytest.mark.db

QUARTER_S = 900
JUNE, JULY = date(2026, 6, 1), date(2026, 7, 1)
PLAIN: dict[str, Any] = {
    "code": "PLAIN",
    "name": "one price",
    "valid_from": date(2020, 1, 1),
    "source": "test",
    "energy_cny_per_kwh": [{"name": "energy", "price": 0.5}],
    "seasons": [
        {
            "months": list(range(1, 13)),
            "ratio": {"flat": 1.0},
            "hours": {"flat": ["00:00-24:00"]},
        }
    ],
    "basic": {"capacity_cny_per_kva": 26.0, "demand_cny_per_kw": 38.0},
}


@dataclass
class Place:
    """One enterprise with one meter, in a park of its own."""

    url: str
    conn: Any
    zone: ZoneInfo
    park: int
    enterprise: int
    meter: int
    channels: tuple[int, int]  # active, lagging

    def at(self, day: date, hour: int = 0, minute: int = 0) -> int:
        return round(
            datetime(
                day.year, day.month, day.day, hour, minute, tzinfo=self.zone
            ).timestamp()
        )

    def read(
        self,
        start_s: int,
        kwh: Sequence[float] | np.ndarray,
        *,
        reactive: bool = False,
        step_s: int = QUARTER_S,
    ) -> None:
        """Write a register that begins at 100 and goes on by these steps."""
        channel = self.channels[reactive]
        value = np.round(100.0 + np.concatenate([[0.0], np.cumsum(kwh)]), 2)
        at = (start_s + step_s * np.arange(value.size)) * 1_000_000
        rows = Rows(
            np.full(at.size, channel), at, value, np.full(at.size, NO_UNTIL, np.int64)
        )
        with self.conn.transaction():
            write_batch(
                self.conn,
                rows,
                [],
                parks={channel: self.park},
                totals={channel},
                source="test",
                parser="test/1",
                messages=1,
            )

    def analyse(self) -> None:
        service.run(self.url, threading.Event(), once=True)

    def bill(self, first: date = JUNE, last: date = JULY, **of: Any) -> dict[str, Any]:
        subject = registry.subject(self.conn, "p", "e")
        assumed = Assumed(
            **{
                name: of.pop(name)
                for name in Assumed.__dataclass_fields__
                if name in of
            }
        )
        return bills(self.conn, subject, first, last, assumed=assumed, **of)

    def subject(self) -> int:
        return registry.subject(self.conn, "p", "e").subject_id


@pytest.fixture
def place(plain_database: str) -> Any:
    with connect(plain_database, autocommit=True) as conn:
        yield settle(plain_database, conn, "Asia/Shanghai")


def settle(url: str, conn: Any, zone: str) -> Place:
    stored.record_tariffs(conn, [{"valid_to": None} | PLAIN])
    park = registry.add_park(conn, "p", zone=zone, region="CN-JS")
    enterprise = registry.add_enterprise(conn, park, "e")
    meter = registry.add_meter(conn, park, enterprise, "M1")
    relations.confirm_meter(conn, meter, enterprise, source="test")
    active, lagging = (
        relations.add_meter_channel(conn, meter, quantity, "register")
        for quantity in ("energy_import", "reactive_energy_q1")
    )
    return Place(url, conn, ZoneInfo(zone), park, enterprise, meter, (active, lagging))


def lines(bill: dict[str, Any], kind: str) -> list[tuple[Any, ...]]:
    return [
        (each["from"], each["to"], each["quantity"], each["amount_cny"])
        for each in bill["lines"]
        if each["kind"] == kind
    ]


def june(peaks: dict[int, float], base: float = 10.0) -> np.ndarray:
    """Thirty days of one load, with higher quarter hours at noon of some days."""
    kwh = np.full(30 * 96, base)
    for day, used in peaks.items():
        kwh[(day - 1) * 96 + 48] = used
    return kwh


def test_silence_of_the_reactive_register_improves_nothing(place: Place) -> None:
    """Lagging is known of 20 days only, 0.6 of the active energy: cos φ is 0.857."""
    place.read(place.at(JUNE), june({}))
    place.read(place.at(JUNE), june({}, 6.0)[: 20 * 96], reactive=True)
    place.analyse()
    asked: dict[str, Any] = {"tariff": "PLAIN", "power_factor_standard": 0.9}
    bill = place.bill(**asked)["bills"][0]
    assert bill["power_factor"] is None
    assert bill["total_cny"] is None
    assert lines(bill, "power_factor") == [("2026-06-01", "2026-07-01", None, None)]


def test_power_factor_is_of_the_time_both_are_known(place: Place) -> None:
    """A day without lagging energy counts on neither side: 0.857, not 0.865."""
    place.read(place.at(JUNE), june({}))
    place.read(place.at(JUNE), june({}, 6.0)[: 29 * 96], reactive=True)
    place.analyse()
    asked: dict[str, Any] = {"tariff": "PLAIN", "method": "none"}
    bill = place.bill(**asked, power_factor_standard=0.9)["bills"][0]
    assert bill["power_factor"] == pytest.approx(10 / 136**0.5)
    # 28 800 kWh at 0.5; cos φ 0.86 costs 2 %
    assert lines(bill, "power_factor") == [("2026-06-01", "2026-07-01", 2.0, 288.0)]
    assert bill["total_cny"] == 14_400 + 288


def test_what_nobody_is_billed_by_cuts_nothing(place: Place) -> None:
    """800 kW on the 5th, 400 kW on the 25th: the month's highest demand is 800 kW."""
    place.read(place.at(JUNE), june({5: 200.0, 25: 100.0}))
    place.analyse()
    alone = place.bill(tariff="PLAIN", method="demand")["bills"][0]
    assert lines(alone, "basic") == [("2026-06-01", "2026-07-01", 800.0, 30_400.0)]
    # a contract demand from the 15th, a renewed contract and a new version of the
    # tariff with the same basic price from the 20th
    statements.set_contract_demand(
        place.conn,
        place.subject(),
        500.0,
        datetime(2026, 6, 15, tzinfo=place.zone),
        source="test",
    )
    for since, source in ((date(2026, 1, 1), "one"), (date(2026, 6, 20), "two")):
        stored.set_billing(
            place.conn, place.subject(), "PLAIN", "demand", since, source=source
        )
    dearer = [{"name": "energy", "price": 0.6}]
    later = {"valid_from": date(2026, 6, 20), "energy_cny_per_kwh": dearer}
    stored.record_tariffs(place.conn, [{"valid_to": None} | PLAIN | later])
    bill = place.bill()["bills"][0]
    assert lines(bill, "basic") == lines(alone, "basic")
    # 10 kWh a quarter hour; 190 more on the 5th, 90 more on the 25th
    assert lines(bill, "energy") == [
        ("2026-06-01", "2026-06-20", 19 * 960 + 190.0, 9_215.0),
        ("2026-06-20", "2026-07-01", 11 * 960 + 90.0, 6_390.0),
    ]
    assert bill["methods_cny"]["demand"] == 9_215.0 + 6_390.0 + 30_400.0
    assert bill["maximum_kw"] == 800.0
    # who is billed by contract is cut by it: 14 days of which no contract is known
    bill = place.bill(method="contract")["bills"][0]
    assert lines(bill, "basic") == [
        ("2026-06-01", "2026-06-15", None, None),
        ("2026-06-15", "2026-07-01", round(500 * 16 / 30, 6), 10_133.33),
    ]
    assert bill["total_cny"] is None


def test_what_is_shipped_does_not_come_over_what_is_stated(place: Place) -> None:
    assert tariffs.load(place.conn) == len(tariffs.shipped())
    assert tariffs.load(place.conn) == 0
    own = next(each for each in tariffs.shipped() if each["code"] == "CN-JS")
    own |= {"prices_are_examples": False, "source": "contract 17"}
    stored.record_tariffs(place.conn, [own])
    assert tariffs.load(place.conn) == 0  # as at each start
    last = [each for each in stored.tariffs(place.conn) if each.code == "CN-JS"][-1]
    assert last.source == "contract 17"
    # a later release that says something else leaves the own one alone too, and only it
    newer = [each | {"note": "new"} for each in tariffs.shipped()]
    assert stored.record_tariffs(place.conn, newer, shipped=True) == len(newer) - 1


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"method": "guess"}, "none of capacity"),
        ({"power_factor_standard": 0.95}, "none of 0.90"),
        ({"capacity_kva": -1.0}, "cannot be"),
        ({"capacity_kva": float("nan")}, "cannot be"),
        ({"first": date(1, 1, 1), "last": date(1, 2, 1)}, "between"),
        ({"first": date(9999, 11, 1), "last": date(9999, 12, 1)}, "between"),
    ],
)
def test_what_no_bill_can_be_reckoned_with(
    place: Place, asked: dict[str, Any], words: str
) -> None:
    with pytest.raises(Invalid, match=words):
        place.bill(**{"tariff": "PLAIN"} | asked)


def test_without_a_minimum_coverage(place: Place) -> None:
    """A month of which nothing has arrived has no demand, and is no fault."""
    place.read(place.at(JUNE), june({}))
    place.analyse()
    found = place.bill(last=date(2026, 8, 1), tariff="PLAIN", minimum_coverage=0.0)
    assert [each["maximum_kw"] for each in found["bills"]] == [40.0, None]
    assert found["total_cny"] is None


def test_best_contract_by_trying(place: Place) -> None:
    """June's kW costs 0.9 x 38 and July's 38, so 100 kW is better than 200 kW.

    June: 28 842.5 kWh of 100 kVA are 288 a kVA. Between 100 and 200 kW a kW more costs
    34.2 + 38 and saves twice 1.05 x 34.2 of what June goes beyond, 71.82.
    """
    july = np.full(31 * 96, 5.0)
    july[1000] = 26.25
    place.read(place.at(JUNE), [*june({9: 52.5}), *july])
    place.analyse()
    asked: dict[str, Any] = {
        "tariff": "PLAIN",
        "last": date(2026, 8, 1),
        "capacity_kva": 100.0,
    }
    found = place.bill(**asked, method="demand")
    basic = [lines(bill, "basic")[0][2:] for bill in found["bills"]]
    assert basic == [(210.0, 7_182.0), (105.0, 3_990.0)]
    best = found["comparison"]["best_contract_kw"]
    assert best == pytest.approx(100.0)
    # 40 % of what is connected must be agreed at least
    assert found["comparison"]["lowest_contract_kw"] == 40.0
    wide = place.bill(**asked | {"capacity_kva": 1000.0})["comparison"]
    assert wide["best_contract_kw"] == wide["lowest_contract_kw"] == 400.0
    totals = {}
    for kw in (40.0, 60.0, 90.0, 100.0, 110.0, 150.0, 199.0, 200.0, 210.0):
        statements.set_contract_demand(
            place.conn,
            place.subject(),
            kw,
            datetime(2026, 6, 1, tzinfo=place.zone),
            source="test",
        )
        totals[kw] = place.bill(**asked, method="contract")["total_cny"]
    assert min(totals, key=lambda kw: totals[kw]) == 100.0
    # by hand: 34.2 x (100 + 2 x 105) + 38 x 100, and 14 421.25 + 7 450.63 of energy
    assert totals[100.0] == 36_273.88


def test_one_method_alone_is_not_the_cheapest(place: Place) -> None:
    place.read(place.at(JUNE), june({}))
    place.analyse()
    comparison = place.bill(tariff="PLAIN", method="demand")["comparison"]
    assert comparison["totals_cny"]["capacity"] is None
    assert comparison["cheapest"] is None
    # 28 800 kWh are more than 260 a kVA, so the ratio is 26/34.2: 40 kW of 53 kVA are
    # 75.5 %, below it, of 52 kVA 76.9 %
    for kva, cheapest in ((53.0, "demand"), (52.0, "capacity")):
        comparison = place.bill(tariff="PLAIN", capacity_kva=kva)["comparison"]
        assert comparison["cheapest"] == cheapest
