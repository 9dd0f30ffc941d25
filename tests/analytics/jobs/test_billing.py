"""Bills of the plant's year against a plain table of decimals, row by row."""

import csv
import threading
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from analytics.jobs import service, tariffs
from analytics.jobs.billing import Assumed, bills
from simulators import steel
from store import registry, relations, statements
from store import tariffs as stored
from store.batches import write_batch
from store.database import connect
from store.errors import Invalid
from store.readings import NO_UNTIL, Rows
from store.records import Subject

pytestmark = pytest.mark.db

YEAR = (date(2018, 1, 1), date(2019, 1, 1))
KVA = 1000

# 国办发明电〔2017〕12号, and the days of 2019's notice that lie in 2018
HOLIDAYS = (
    ((1, 1), (1, 1)),
    ((2, 15), (2, 21)),
    ((4, 5), (4, 7)),
    ((4, 29), (5, 1)),
    ((6, 16), (6, 18)),
    ((9, 22), (9, 24)),
    ((10, 1), (10, 7)),
    ((12, 30), (12, 31)),
)
WORKED = ((2, 11), (2, 24), (4, 8), (4, 28), (9, 29), (9, 30), (12, 29))


def holiday(day: date) -> bool:
    return any(a <= (day.month, day.day) <= b for a, b in HOLIDAYS)


def rest(day: date) -> bool:
    off = day.weekday() >= 5 and (day.month, day.day) not in WORKED
    return off or holiday(day)


def jiangsu(at: datetime) -> str:
    """Say the period as the notice does: the hours of 苏发改价格发〔2025〕426号."""
    hour = at.hour + at.minute / 60
    if 10 <= hour < 14 and holiday(at.date()):
        return "deep_valley"
    if at.month in (7, 8) and (14 <= hour < 15 or 19.5 <= hour < 21.5):
        return "critical"
    if at.month in (12, 1) and 18 <= hour < 20:
        return "critical"
    if at.month in (6, 7, 8, 12, 1, 2):
        if 14 <= hour < 22:
            return "peak"
        return "valley" if hour < 6 or 11 <= hour < 13 else "flat"
    if 15 <= hour < 22:
        return "peak"
    return "valley" if 2 <= hour < 6 or 10 <= hour < 14 else "flat"


def shanghai(at: datetime) -> str:
    """Say the period as 沪发改价管〔2022〕50号 does."""
    hour = at.hour
    if (hour < 6 or hour >= 22) and rest(at.date()):
        return "deep_valley"
    if at.month in (7, 8) and 12 <= hour < 14:
        return "critical"
    if at.month in (1, 12) and 19 <= hour < 21:
        return "critical"
    noon = 15 if at.month in (7, 8, 9) else 11
    if 8 <= hour < noon or 18 <= hour < 21:
        return "peak"
    return "valley" if hour < 6 or hour >= 22 else "flat"


# CNY/kWh of each period, added up by hand from the files' examples:
# Jiangsu 0.42 x ratio + 0.018 + 0.1357 + 0.04
JIANGSU = {
    "critical": "1.1009",
    "peak": "0.9497",
    "flat": "0.6137",
    "valley": "0.3407",
    "deep_valley": "0.3113",
}
# Shanghai (0.44 + 0.16) x ratio + 0.019 + 0.035
SUMMER_WINTER = {
    "critical": "1.404",
    "peak": "1.134",
    "flat": "0.654",
    "valley": "0.294",
    "deep_valley": "0.174",
}
OTHER = {"peak": "1.014", "flat": "0.654", "valley": "0.354", "deep_valley": "0.174"}
FUNDS = {"CN-JS": "0.0294", "CN-SH": "0.0290"}


def price(code: str, month: int, period: str) -> Decimal:
    if code == "CN-JS":
        return Decimal(JIANGSU[period])
    return Decimal((SUMMER_WINTER if month in (1, 7, 8, 9, 12) else OTHER)[period])


# (83)水电财字第215号 around the standard 0.90
PERCENT = {
    "0.95": "-0.75",
    "0.94": "-0.60",
    "0.93": "-0.45",
    "0.92": "-0.30",
    "0.91": "-0.15",
    "0.90": "0",
    "0.89": "0.5",
    "0.88": "1.0",
    "0.87": "1.5",
    "0.86": "2.0",
    "0.85": "2.5",
    "0.84": "3.0",
}


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def table() -> list[tuple[datetime, Decimal, Decimal]]:
    """Read the file anew: local start of each quarter hour, kWh, lagging kvarh."""
    with steel.FILE.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    found = []
    for row in rows:
        end = datetime.strptime(row["date"], "%d/%m/%Y %H:%M")  # noqa: DTZ007
        if (end.hour, end.minute) == (0, 0):
            end += timedelta(days=1)
        found.append(
            (
                end - timedelta(minutes=15),
                Decimal(row["Usage_kWh"]),
                Decimal(row["Lagging_Current_Reactive_Power_kVarh"]),
            )
        )
    return found


def by_hand(code: str) -> list[dict[str, Any]]:
    period_of = {"CN-JS": jiangsu, "CN-SH": shanghai}[code]
    kwh: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    total: dict[int, Decimal] = defaultdict(Decimal)
    lagging: dict[int, Decimal] = defaultdict(Decimal)
    highest: dict[int, Decimal] = defaultdict(Decimal)
    for at, used, reactive in table():
        kwh[at.month, period_of(at)] += used
        total[at.month] += used
        lagging[at.month] += reactive
        highest[at.month] = max(highest[at.month], used)
    found = []
    for month in range(1, 13):
        energy = {
            period: cents(used * price(code, month, period))
            for (of, period), used in kwh.items()
            if of == month
        }
        basic = cents(highest[month] * 4 * 38)  # kW at 38 CNY; below 260 kWh a kVA
        assert total[month] < 260 * KVA
        apparent = (total[month] ** 2 + lagging[month] ** 2).sqrt()
        factor = cents(total[month] / apparent)
        base = sum(energy.values(), basic)
        adjusted = cents(base * Decimal(PERCENT[str(factor)]) / 100)
        funds = cents(total[month] * Decimal(FUNDS[code]))
        found.append(
            {
                "energy": energy,
                "basic": basic,
                "adjusted": adjusted,
                "funds": funds,
                "total": base + adjusted + funds,
                "capacity": cents(
                    (sum(energy.values()) + 26 * KVA)
                    * (1 + Decimal(PERCENT[str(factor)]) / 100)
                    + funds
                ),
                "kw": highest[month] * 4,
            }
        )
    return found


def fill(url: str) -> None:
    """Put the plant's year into a database, as registers, and analyse it."""
    plant = steel.read()
    with connect(url, autocommit=True) as conn:
        tariffs.load(conn)
        park = registry.add_park(conn, "plant", zone=steel.ZONE, region="CN-JS")
        enterprise = registry.add_enterprise(conn, park, "steel")
        meter = registry.add_meter(conn, park, enterprise, "M1")
        relations.confirm_meter(conn, meter, enterprise, source="test")
        ids = [
            relations.add_meter_channel(conn, meter, quantity, "register")
            for quantity in ("energy_import", "reactive_energy_q1")
        ]
        n = plant.at.size
        rows = Rows(
            np.repeat(np.array(ids, np.int64), n),
            np.tile(plant.at * 1_000_000, 2),
            plant.hundredths[:, :2].T.ravel() / 100.0,
            np.full(2 * n, NO_UNTIL, np.int64),
        )
        with conn.transaction():
            write_batch(
                conn,
                rows,
                [],
                parks=dict.fromkeys(ids, park),
                totals=set(ids),
                source="test",
                parser="test/1",
                messages=1,
            )
    service.run(url, threading.Event(), once=True)


def test_the_plants_year(database: str) -> None:
    fill(database)
    with connect(database, autocommit=True) as conn:
        subject = registry.subject(conn, "plant", "steel")
        for code in ("CN-JS", "CN-SH"):
            _as_by_hand(conn, subject, code)
        _as_stated(conn, subject)
        _in_parts(conn, subject)
        _as_known_on(conn, subject)


def _asked(conn: Any, subject: Subject, **of: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "method": "demand",
        "capacity_kva": KVA,
        "power_factor_standard": 0.9,
    }
    return bills(conn, subject, *YEAR, assumed=Assumed(**asked | of))


def _as_by_hand(conn: Any, subject: Subject, code: str) -> None:
    found = _asked(conn, subject, tariff=code)
    assert found["assumed"]
    for bill, hand in zip(found["bills"], by_hand(code), strict=True):
        lines = bill["lines"]
        energy = {e["period"]: e["amount_cny"] for e in lines if e["kind"] == "energy"}
        assert energy == {name: float(cny) for name, cny in hand["energy"].items()}
        of = {e["kind"]: e["amount_cny"] for e in lines if e["kind"] != "energy"}
        assert of == {
            "fund": float(hand["funds"]),
            "basic": float(hand["basic"]),
            "power_factor": float(hand["adjusted"]),
        }
        assert bill["total_cny"] == float(hand["total"])
        assert bill["methods_cny"]["demand"] == float(hand["total"])
        assert bill["methods_cny"]["capacity"] == float(hand["capacity"])
        assert bill["methods_cny"]["contract"] is None  # nobody stated one
        assert bill["maximum_kw"] == pytest.approx(float(hand["kw"]))
        assert bill["outside_validity"]
        assert bill["prices_are_examples"]
        assert "lower bound" in next(e["rule"] for e in lines if e["kind"] == "basic")
    total = sum((each["total"] for each in by_hand(code)), Decimal())
    assert found["total_cny"] == float(total)
    # a low load factor: the maximum of every month is below 26/38 of the capacity
    assert found["comparison"]["cheapest"] == "demand"


def _as_stated(conn: Any, subject: Subject) -> None:
    with pytest.raises(Invalid, match="nothing says how"):
        bills(conn, subject, *YEAR)
    stored.set_billing(
        conn, subject.subject_id, "CN-JS", "demand", date(2018, 1, 1), source="test"
    )
    found = bills(conn, subject, *YEAR)
    # the notice did not hold in 2018: nothing is priced, nothing is 0
    assert all(each["days_without_terms"] for each in found["bills"])
    assert all(each["total_cny"] is None for each in found["bills"])
    assert found["total_cny"] is None
    assert found["comparison"]["cheapest"] is None


def _in_parts(conn: Any, subject: Subject) -> None:
    """A contract demand from the 11th on: 20 of 31 days with it, the rest without."""
    zone = ZoneInfo(steel.ZONE)
    statements.set_contract_demand(
        conn,
        subject.subject_id,
        400.0,
        datetime(2018, 1, 1, tzinfo=zone),
        datetime(2018, 1, 12, tzinfo=zone),
        source="test",
    )
    statements.set_contract_demand(
        conn,
        subject.subject_id,
        600.0,
        datetime(2018, 1, 12, tzinfo=zone),
        source="test",
    )
    bill = _asked(conn, subject, tariff="CN-JS", method="contract")["bills"][0]
    basic = [each for each in bill["lines"] if each["kind"] == "basic"]
    assert [(e["from"], e["to"]) for e in basic] == [
        ("2018-01-01", "2018-01-12"),
        ("2018-01-12", "2018-02-01"),
    ]
    highest = [
        max(
            float(used) * 4
            for at, used, _ in table()
            if at.month == 1 and low <= at.day < end
        )
        for low, end in ((1, 12), (12, 32))
    ]
    wanted = [
        (400 + 2 * max(highest[0] - 420, 0)) * 11 / 31,
        (600 + 2 * max(highest[1] - 630, 0)) * 20 / 31,
    ]
    assert [each["quantity"] for each in basic] == pytest.approx(wanted)
    whole = _asked(conn, subject, tariff="CN-JS")["bills"][0]
    energy = [
        sum(e["quantity"] for e in each["lines"] if e["kind"] == "energy")
        for each in (bill, whole)
    ]
    assert energy[0] == pytest.approx(energy[1])


def _as_known_on(conn: Any, subject: Subject) -> None:
    """What was known before anything had arrived: nothing, and no bill of 0."""
    found = bills(
        conn,
        subject,
        *YEAR,
        assumed=Assumed(tariff="CN-JS", method="demand"),
        known_on=datetime.now(UTC),
    )
    now = bills(conn, subject, *YEAR, assumed=Assumed(tariff="CN-JS", method="demand"))
    assert found["bills"] == now["bills"]
    with pytest.raises(Invalid, match="no tariff"):
        bills(
            conn,
            subject,
            *YEAR,
            assumed=Assumed(tariff="CN-JS"),
            known_on=datetime(2020, 1, 1, tzinfo=UTC),
        )


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ((date(2018, 1, 2), date(2018, 2, 1)), "whole months"),
        ((date(2018, 2, 1), date(2018, 2, 1)), "whole months"),
        ((date(2010, 1, 1), date(2018, 1, 1)), "at most 60"),
    ],
)
def test_only_whole_months(database: str, asked: tuple[date, date], words: str) -> None:
    with connect(database, autocommit=True) as conn:
        park = registry.add_park(conn, "p", zone="UTC", region="CN-JS")
        registry.add_enterprise(conn, park, "e")
        with pytest.raises(Invalid, match=words):
            bills(conn, registry.subject(conn, "p", "e"), *asked)
