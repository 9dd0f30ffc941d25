"""A small park with everything at once, recomputed by plain arithmetic.

L lets two tenants, T1 and T2, have power and gas behind its meters; V makes power and
takes heat from G, which burns gas and diesel.
"""

from collections.abc import Iterator
from datetime import UTC, date
from typing import Any

import numpy as np
import pytest

from analytics.jobs import activities, ledger, own_factors
from analytics.jobs.accounting import known_total
from analytics.jobs.book import load_book
from analytics.jobs.figures import figures
from analytics.jobs.netting import netting
from analytics.jobs.telling import totals
from store import registry
from store.database import Connection, connect
from tests.analytics.jobs.conftest import Monthly, turns

pytestmark = pytest.mark.db

MONTHS = DEC, JAN, FEB = date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1)
MAR = date(2026, 3, 1)
SAID: dict[str, Any] = {"source": "invoice 7", "who": "Metering office"}
USED: dict[str, dict[str, list[float]]] = {
    "G": {
        "energy_import": [10e3] * 3,
        "natural_gas": [50e3] * 3,
        "heat_export": [200, 220, 210],
    },
    "L": {"energy_import": [100e3, 120e3, 90e3], "natural_gas": [10e3, 12e3, 9e3]},
    "T1": {"energy_import": [30e3, 20e3, 25e3], "natural_gas": [4e3, 5e3, 3e3]},
    "T2": {"energy_import": [15e3] * 3},
    "V": {
        "energy_import": [50e3, 60e3, 70e3],
        "pv_generation": [20e3, 18e3, 25e3],
        "energy_export": [5e3, 4e3, 6e3],
        "heat": [190, 210, 200],
    },
}
DIESEL_T = {"G": (3, 3, 4)}  # first stated as 3 in February
PROVEN = {("T1", 1): 10e3, ("V", 2): 40e3}
# kgCO2/kWh, whether proven power is 0, whether exports are subtracted
POWER = {
    "location_national": (0.5306, False, True),
    "location_region": (0.5827, False, True),
    "residual": (0.6096, True, True),
    "zero_carbon_park": (0.8325, True, True),
    "enterprise": (0.5306, True, True),
    "provincial_inventory": (0.5827, False, True),
    "ghg_location": (0.5827, False, False),
    "ghg_market": (0.6096, True, False),
}
COAL = {"calorific": 0.1229, "equal_value": 0.3024, "equal_value_of_year": 0.3024}


def heat_kg_per_gj(cell: int) -> float:
    return 90 if cell == 2 else 110  # the park's own from February on


def ncv(code: str, cell: int) -> float | None:
    """MJ/m3 measured: of L from January, of T1 from February on."""
    if code == "L" and cell > 0:
        return 38.0
    return 35.0 if code == "T1" and cell == 2 else None


def gas_kg(code: str, cell: int) -> float:
    heat = ncv(code, cell)
    return 2.16219 if heat is None else heat * 15.3e-3 * 0.99 * 44 / 12


def gas_kgce(code: str, cell: int) -> float:
    heat = ncv(code, cell)
    return 1.33 if heat is None else heat / 29.3076


def co2_t(method: str, code: str, cell: int) -> float:
    kg_per_kwh, green, subtracted = POWER[method]

    def u(name: str) -> float:
        return USED[code].get(name, [0, 0, 0])[cell]

    power = u("energy_import") - subtracted * u("energy_export")
    power -= green * PROVEN.get((code, cell), 0)
    kg = power * kg_per_kwh + u("natural_gas") * gas_kg(code, cell)
    kg += (u("heat") - subtracted * u("heat_export")) * heat_kg_per_gj(cell)
    kg += DIESEL_T.get(code, (0, 0, 0))[cell] * 3095.9
    return kg / 1000


def tce(method: str, code: str, cell: int) -> float:
    def u(name: str) -> float:
        return USED[code].get(name, [0, 0, 0])[cell]

    power = u("energy_import") + u("pv_generation") - u("energy_export")
    kg = power * COAL[method] + u("natural_gas") * gas_kgce(code, cell)
    kg += (u("heat") - u("heat_export")) * 34.12
    kg += DIESEL_T.get(code, (0, 0, 0))[cell] * 1457.1
    return kg / 1000


def twice(cell: int) -> tuple[float, float]:
    """Give what tenants have in the account of L too: kWh and m3."""
    power = USED["T1"]["energy_import"][cell] + USED["T2"]["energy_import"][cell]
    return power, USED["T1"]["natural_gas"][cell]


def whole(method: str, cell: int) -> float:
    """Give the park's figure: everybody's, less what is behind L at L's factors.

    Where T1 has no factor of its own, its gas in the park takes L's, whose meter it is.
    """
    power, gas = twice(cell)
    if method in COAL:
        both = sum(tce(method, each, cell) for each in USED)
        other = gas_kgce("T1" if cell < 2 else "L", cell)
        return both - (power * COAL[method] + gas * other) / 1000
    both = sum(co2_t(method, each, cell) for each in USED)
    other = gas_kg("T1" if cell < 2 else "L", cell)
    both -= (power * POWER[method][0] + gas * other) / 1000
    if not POWER[method][2]:  # heat never leaves the park
        both -= USED["G"]["heat_export"][cell] * heat_kg_per_gj(cell) / 1000
    return both


@pytest.fixture
def park(timescale_database: str) -> Iterator[tuple[Monthly, Connection]]:
    """The park with all that is stated of it."""
    made = Monthly(timescale_database)
    for code, used in USED.items():
        months = {name: [*[None] * 11, *each] for name, each in used.items()}
        made.add(code, months, 2025)
    for code in ("T1", "T2"):
        made.place(code, "L", since=turns(2025)[0].astimezone(UTC))
    made.compute()
    with connect(timescale_database, autocommit=True) as conn:
        owner = registry.subject(conn, "P", "G").subject_id
        diesel: dict[str, Any] = {"item": "diesel", "use": "burnt", "unit": "t"}
        for month, amount in ((DEC, 3), (JAN, 3), (FEB, 3), (FEB, 4)):
            activities.state(conn, owner, month=month, amount=amount, **diesel, **SAID)
        own_factors.record(
            conn,
            registry.subject(conn, "P"),
            kind="co2",
            carrier="heat",
            basis="default",
            unit="tCO2/GJ",
            value=0.09,
            valid_from=FEB,
            **SAID,
        )
        for code, gj, since_day in (("L", 380.0, JAN), ("T1", 350.0, FEB)):
            own_factors.record_ncv(
                conn,
                registry.subject(conn, "P", code),
                carrier="natural_gas",
                ncv_gj=gj,
                valid_from=since_day,
                **SAID,
            )
        of_december: dict[str, Any] = {"kind": "certificate", "production_month": DEC}
        for reference, mwh, producer in (("GEC-1", 50, None), ("roof", 5, "V")):
            ledger.record(
                conn,
                made.park,
                reference=reference,
                mwh=mwh,
                technology="pv",
                evidence="certificates",
                producer=producer,
                **of_december,
                **SAID,
            )
        for (code, cell), kwh in PROVEN.items():
            ledger.match(
                conn,
                made.park,
                code,
                reference="GEC-1",
                month=MONTHS[cell],
                mwh=kwh / 1000,
                **of_december,
                **SAID,
            )
        yield made, conn


def test_a_park_with_everything(park: tuple[Monthly, Connection]) -> None:
    made, conn = park
    book = load_book(conn, made.park, DEC, MAR)
    assert book.green.faults == ()
    for name, account in (*book.coal.items(), *book.carbon.items()):
        if name == "ets":
            assert np.isnan(account.total).all()  # no factor for these years
            continue
        one = tce if name in COAL else co2_t
        for cell in range(3):
            for code in USED:
                assert account.total[book.row(code), cell] == pytest.approx(
                    one(name, code, cell)
                ), (name, code, cell)
            assert account.total[0, cell] == pytest.approx(whole(name, cell)), (
                name,
                cell,
            )
    for told in totals(book):
        name = told["method"]
        if name == "ets":
            continue
        one = tce if name in COAL else co2_t
        together = sum(one(name, code, cell) for code in USED for cell in range(3))
        park_t = sum(whole(name, cell) for cell in range(3))
        assert told["enterprises"] == pytest.approx(together)
        assert told["difference"] == pytest.approx(together - park_t)
    for net in netting(conn, book):
        assert net.unexplained in (None, pytest.approx(0, abs=1e-6))
    flows = {
        n.month: n.flows for n in netting(conn, book) if n.quantity == "natural_gas"
    }
    assert flows[JAN] == {("L", "T1"): pytest.approx(5000)}
    # one truth
    for row, subject in enumerate(book.subjects):
        found = figures(conn, subject, DEC, MAR)
        for kind, accounts in (("tce", book.coal), ("co2_t", book.carbon)):
            for name, account in accounts.items():
                assert found[kind][name] == account.over_cells(row), (row, name)


def test_a_tenant_of_own_factor_is_behind_by_half(
    park: tuple[Monthly, Connection],
) -> None:
    """Where some of its meters alone are behind the other's, the park's is not known."""
    made, conn = park
    made.add("T1", {"natural_gas": [None] * 13 + [100.0]}, 2025, meter="N")
    made.compute()
    book = load_book(conn, made.park, DEC, MAR)
    gas = book.carbon["enterprise"].parts["fuel"]
    assert np.isnan(gas[0]).tolist() == [False, False, True]
    assert not np.isnan(gas[book.row("T1")]).any()
    found = figures(conn, book.subjects[0], DEC, MAR)
    assert found["co2_t"]["enterprise"] is None
    assert known_total(book.carbon["enterprise"].parts["electricity"][0]) is not None
