"""What counts in a simulated park is what counts in the house."""

import threading
from datetime import date
from typing import Any

import numpy as np
import pytest

from analytics.jobs import factors, service
from analytics.jobs.figures import figures
from parkwatt.simulated_park import INDUSTRIES
from simulators import scenario
from simulators.archetypes import archetypes
from simulators.load import Integers
from simulators.world import World
from store import registry, relations
from store.batches import write_batch
from store.database import Connection, connect
from store.membership import digits
from store.readings import NO_UNTIL, Rows, to_datetime

FIRST, LAST = date(2026, 3, 4), date(2026, 3, 6)  # Wednesday to Friday
PARK: dict[str, Any] = {
    "code": "T",
    "name": "Test",
    "since": "2026-03-01",
    "contract_demand_kw": 9000,
    "enterprises": [
        {"archetype": "auto_parts", "pv_kwp": 2500, "sub_meters": ["process"]},
        {"archetype": "food", "own_boiler": True, "monitors": True},
        {"archetype": "offices", "behind": "E01"},
    ],
    "park": {"feeders": 1, "common": {"power_kw": 30}},
    "factors": {
        "electricity": {"value": 0.5827, "unit": "kgCO2/kWh", "source": "CN-JS 2023"},
        "natural_gas": {"value": 2.16219, "unit": "kgCO2/m3", "source": "Table C.1"},
        "heat": {"value": 110, "unit": "kgCO2/GJ", "source": "910号"},
    },
}


def test_every_archetype_has_its_industry() -> None:
    assert set(INDUSTRIES) == set(archetypes().archetypes)
    assert all(digits(each) == each for each in INDUSTRIES.values())


def quarters(world: World) -> Integers:
    return np.arange(world.midnight(FIRST), world.midnight(LAST) + 1, 900)


def register(conn: Connection, world: World) -> dict[int, Rows]:
    """Register all as a newcomer would, and read every register each quarter."""
    park = registry.add_park(conn, world.code, zone=str(world.zone), region="CN-JS")
    owners = {
        each.code: registry.add_enterprise(conn, park, each.code, name=each.name)
        for each in world.enterprises
    }
    instants = quarters(world)
    begin = to_datetime(int(instants[0]) * 1_000_000)
    ids: dict[str, int] = {}
    rows = {}
    for meter in world.meters:
        owner = owners[meter.enterprise]
        known = ids[meter.code] = registry.add_meter(conn, park, owner, meter.code)
        relations.confirm_meter(conn, known, owner, source="test", since=begin)
        if meter.role != "main" or meter.parent is not None:
            above = ids[meter.parent] if meter.parent else None
            relations.place_meter(conn, known, meter.role, above, begin, source="test")
        for channel in meter.channels:
            if channel.kind == "register":
                quantity = channel.key.rpartition("_")[0]
                key = relations.add_meter_channel(conn, known, quantity, "register")
                rows[key] = Rows(
                    np.full(instants.size, key, np.int64),
                    instants * 1_000_000,
                    channel.flow.integral(instants) / 3_600_000,
                    np.full(instants.size, NO_UNTIL, np.int64),
                )
    return rows


def test_figures_are_the_truth(timescale_database: str) -> None:
    world = World(scenario.read(PARK))
    with connect(timescale_database, autocommit=True) as conn:
        factors.load(conn)
        rows = register(conn, world)
        park = registry.park(conn, world.code).park_id
        with conn.transaction():
            write_batch(
                conn,
                Rows(
                    *(np.concatenate(each) for each in zip(*rows.values(), strict=True))
                ),
                [],
                parks=dict.fromkeys(rows, park),
                totals=set(rows),
                source="test",
                parser="test/1",
                messages=1,
            )
        service.run(timescale_database, threading.Event(), once=True)
        for code in (world.code, *(each.code for each in world.enterprises)):
            subject = registry.subject(
                conn, world.code, None if code == world.code else code
            )
            found = figures(conn, subject, FIRST, LAST)
            used = {
                name: np.sum(
                    [np.diff(flow.integral(quarters(world))) for flow in flows], axis=0
                )
                / 3_600_000
                for name, flows in world.counted(code).items()
            }
            taken = used.get("energy_import_kwh", np.zeros(192))
            assert found["energy_kwh"] == pytest.approx(taken.sum(), rel=1e-9), code
            assert found["peak_demand_kw"] == pytest.approx(4 * taken.max(), rel=1e-6)
            sums = {name: float(amount.sum()) for name, amount in used.items()}
            assert found["co2_t"]["location_region"] == pytest.approx(
                world.co2_kg(sums) / 1000, rel=1e-6
            ), code
            # what monitors count is told, and no part of energy and carbon
            for name, amount in sums.items():
                told = found["amounts"][name.rpartition("_")[0]]["amount"]
                assert told == pytest.approx(amount, rel=1e-9), (code, name)
            assert ("cod_kg" in sums) == (code in ("T", "E02"))
