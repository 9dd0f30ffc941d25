"""What counts in a simulated park is what counts in the house."""

import threading
from datetime import date
from typing import Any

import numpy as np
import pytest

from analytics.jobs import factors, service, tariffs
from analytics.jobs.figures import figures
from analytics.jobs.validity import segments
from parkwatt.simulated_park import INDUSTRIES, complete_world, register_world
from simulators import scenario
from simulators.archetypes import archetypes
from simulators.load import Integers
from simulators.meter import Fault
from simulators.world import World
from store import registry, relations
from store.batches import write_batch
from store.database import Connection, connect
from store.errors import Invalid
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


def test_a_known_park_is_told_the_ratios_of_a_run(timescale_database: str) -> None:
    world = World(scenario.read(PARK | {"meters": {"transformers": True}}))
    meter = next(each for each in world.meters if each.ct * each.pt != 1)
    first, last = (
        to_datetime(world.midnight(day) * 1_000_000) for day in (FIRST, LAST)
    )

    def change(day: date, ct: float) -> Fault:
        at_s = world.midnight(day)
        parameters = {"ct": ct, "stated": 1}
        return Fault(
            kind="multiplier_change",
            subject=meter.code,
            start_s=at_s,
            stop_s=at_s,
            parameters=parameters,
        )

    def ratios() -> list[tuple[date, float | None]]:
        """When another ratio begins to hold for the meter."""
        with connect(timescale_database, autocommit=True) as conn:
            park_id = registry.park(conn, "T").park_id
            key = registry.subject(conn, "T", meter.enterprise, meter.code).subject_id
            painted = segments(relations.multipliers(conn, park_id))[key]
        return [
            (to_datetime(at).astimezone(world.zone).date(), ratio)
            for at, ratio in painted
        ]

    with connect(timescale_database, autocommit=True) as conn:
        factors.load(conn)
        tariffs.load(conn)
    own = meter.ct * meter.pt
    later = to_datetime(world.midnight(date(2026, 3, 9)) * 1_000_000)
    run = (timescale_database, world)
    # a park as a newcomer registers it: nothing is stated of transformers
    with connect(timescale_database, autocommit=True) as conn:
        register(conn, world)
    assert not register_world(*run, first, until=last)
    plan = [change(date(2026, 3, 5), 3 * meter.ct)]
    many = sum(each.ct * each.pt != 1 for each in world.meters)
    assert complete_world(*run, first, until=last, faults=plan) == many + 1
    assert ratios() == [(FIRST, own), (date(2026, 3, 5), 3 * own)]
    # the same again, as where a stopped run goes on
    assert complete_world(*run, first, until=last, faults=plan) == 0
    # a run that goes on from there begins with the meter's own ratio again
    assert complete_world(*run, last, until=later) == 1
    assert ratios()[2:] == [(LAST, own)]
    # one before all of them leaves them as they are
    before = to_datetime(world.midnight(date(2026, 3, 2)) * 1_000_000)
    plan = [change(date(2026, 3, 3), 5 * meter.ct)]
    assert complete_world(*run, before, until=first, faults=plan) == many + 1
    assert ratios() == [
        (date(2026, 3, 2), own),
        (date(2026, 3, 3), 5 * own),
        (FIRST, own),
        (date(2026, 3, 5), 3 * own),
        (LAST, own),
    ]
    other = World(scenario.read(PARK | {"enterprises": [{"archetype": "steel"}] * 4}))
    with pytest.raises(
        Invalid, match=r"park T is known already, and \d+ meters .*E04-M1"
    ):
        complete_world(timescale_database, other, first)


def test_a_new_park_is_told_the_ratios_of_a_run(timescale_database: str) -> None:
    world = World(scenario.read(PARK | {"meters": {"transformers": True}}))
    with connect(timescale_database, autocommit=True) as conn:
        factors.load(conn)
        tariffs.load(conn)
    first = to_datetime(world.midnight(FIRST) * 1_000_000)
    assert register_world(timescale_database, world, first)
    assert complete_world(timescale_database, world, first) == 0
    with connect(timescale_database, autocommit=True) as conn:
        stated = relations.multipliers(conn, registry.park(conn, "T").park_id)
    wanted = sorted(
        each.ct * each.pt for each in world.meters if each.ct * each.pt != 1
    )
    assert sorted(each.value for each in stated) == pytest.approx(wanted)
    assert {each.valid_from for each in stated} == {first}


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
