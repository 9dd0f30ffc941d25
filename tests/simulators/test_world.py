"""The park keeps its energy: what flows in at the gate is used, lost or given."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators import scenario, steel
from simulators.archetypes import DAY_KINDS
from simulators.errors import SimulatorError
from simulators.load import EPOCH_S, Clock, Flow, Integers
from simulators.meter import Channel, Meter
from simulators.series import CHUNK, Noise, Series, hashed
from simulators.statements import months
from simulators.world import World

DAY = 86400
FACTORS = {"electricity": {"value": 0.5, "unit": "kgCO2/kWh", "source": "a test"}}
PARK: dict[str, Any] = {
    "code": "T",
    "name": "Test",
    "seed": 3,
    "since": "2026-01-01",
    "contract_demand_kw": 9000,
    "enterprises": [
        {
            "archetype": "auto_parts",
            "size_kw": 500,
            "pv_kwp": 1800,
            "battery": {"power_kw": 300, "capacity_kwh": 700},
            "charging": {"points": 4},
            "sub_meters": ["process", "base", "cooling", "charging"],
        },
        {"archetype": "steel", "size_kw": 2500, "monitors": True},
        {"archetype": "food", "own_boiler": True, "monitors": True},
        {"archetype": "offices", "pv_kwp": 400, "behind": "E01"},
        {"archetype": "hotel", "feeder": 2},
        {"archetype": "data_centre", "size_kw": 1500},
    ],
    "park": {"feeders": 2, "common": {"power_kw": 40, "water_m3_h": 3}},
    "meters": {"gauges": "all"},
    "factors": FACTORS,
}


@cache
def world(seed: int = 3) -> World:
    return World(scenario.read(PARK | {"seed": seed}))


def meter(code: str, of: World | None = None) -> Meter:
    return next(m for m in (of or world()).meters if m.code == code)


def flow(code: str, key: str, of: World | None = None) -> Flow:
    return channel(meter(code, of), key).flow


def channel(of: Meter, key: str) -> Channel:
    return next(each for each in of.channels if each.key == key)


def at(day: date, *, zone: str = "Asia/Shanghai", days: int = 1) -> Integers:
    start = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    return np.arange(0, days * DAY + 1, 300) + int(start.timestamp())


# minutes since 2026-01-03 on which the integral is exact
minutes = st.integers(0, 330 * 1440).map(lambda n: EPOCH_S + (733 * 1440 + n) * 60)


def net(code: str, instants: Integers) -> Integers:
    """Import less export of a meter."""
    of = meter(code)
    taken = flow(code, "energy_import_kwh").integral(instants)
    if "energy_export_kwh" in [each.key for each in of.channels]:
        taken = taken - flow(code, "energy_export_kwh").integral(instants)
    return taken


@given(minutes, minutes)
def test_parent_is_children_and_losses(one: int, other: int) -> None:
    instants = np.array(sorted((one, other)))
    parents = {m.parent for m in world().meters if m.parent and m.role != "sub"}
    assert parents == {"PARK-G", "PARK-F1", "PARK-F2", "E01-M1"}
    for parent in parents - {"E01-M1"}:
        node = world().nodes[parent]
        assert node.loss is not None
        below = sum(
            np.diff(net(m.code, instants)) for m in world().meters if m.parent == parent
        )
        lost = np.diff(Flow(node.loss, since=730).integral(instants))
        assert np.array_equal(np.diff(net(parent, instants)), below + lost)
        assert np.all(lost > 0) or one == other


@given(minutes)
def test_main_is_load_less_sun_and_battery_and_tenant(instant: int) -> None:
    instants = np.array([EPOCH_S + 735 * DAY, instant])
    instants.sort()

    def energy(code: str, key: str = "energy_import_kwh") -> Integers:
        return np.diff(flow(code, key).integral(instants))

    load = sum(energy(f"E01-M{n}") for n in (2, 3, 4, 5))
    assert np.array_equal(
        np.diff(net("E01-M1", instants)),
        load
        - energy("E01-P1", "pv_generation_kwh")
        - energy("E01-B1", "storage_discharge_kwh")
        + energy("E01-B1", "storage_charge_kwh")
        + np.diff(net("E04-M1", instants)),
    )
    assert np.array_equal(energy("E01-M5"), energy("E01-C1", "charging_energy_kwh"))


@given(minutes)
def test_four_quadrants_are_the_reactive_power(instant: int) -> None:
    instants = np.array([instant, instant + 3600])
    for code in ("E01-M1", "E04-M1", "PARK-G"):
        parts = [
            np.diff(flow(code, f"reactive_energy_q{n}_kvarh").integral(instants))
            for n in (1, 2, 3, 4)
        ]
        whole = np.diff(flow(code, "reactive_power_kvar").integral(instants))
        assert np.array_equal(parts[0] + parts[1] - parts[2] - parts[3], whole)


def test_power_flows_out_at_noon() -> None:
    sunday = at(date(2026, 5, 24))
    power = flow("E01-M1", "power_kw").rate(sunday)
    assert power.min() < 0 < power.max()
    taken, given_ = (
        flow("E01-M1", f"energy_{way}_kwh").rate(sunday) for way in ("import", "export")
    )
    assert np.array_equal(taken - given_, power)
    assert np.all(np.minimum(taken, given_) == 0)  # at nodes it flows one way
    export = np.flatnonzero(given_ > 0) / 12
    assert 5 < export.min() < 12 < export.max() < 18


def test_registers_never_fall() -> None:
    week = at(date(2026, 9, 28), days=7)
    for each in world().meters:
        for one in each.channels:
            if one.kind == "register":
                assert np.all(np.diff(one.flow.integral(week)) >= 0), one.key
            elif one.key == "state_of_charge_percent":
                assert one.flow.rate(week).min() >= 10_000
                assert one.flow.rate(week).max() <= 100_000


def test_battery_ends_the_day_as_it_began() -> None:
    midnights = at(date(2026, 3, 2), days=5)[::288]
    taken = np.diff(flow("E01-B1", "storage_charge_kwh").integral(midnights))
    given_ = np.diff(flow("E01-B1", "storage_discharge_kwh").integral(midnights))
    assert np.all(taken > 0)
    assert given_ / taken == pytest.approx(0.88, abs=1e-5)
    held = flow("E01-B1", "state_of_charge_percent").rate(midnights)
    assert np.all(held == 10_000)
    # what is held is what went in and out, half of the loss on each way
    day = at(date(2026, 3, 2))
    in_kwh = flow("E01-B1", "storage_charge_kwh").integral(day) / 3.6e6
    out_kwh = flow("E01-B1", "storage_discharge_kwh").integral(day) / 3.6e6
    stored = (in_kwh - in_kwh[0]) * 0.88**0.5 - (out_kwh - out_kwh[0]) / 0.88**0.5
    percent = flow("E01-B1", "state_of_charge_percent").rate(day) / 1000
    assert percent == pytest.approx(10 + 100 * stored / 700, abs=0.01)


# the days around which clocks change in 2026, of both halves of the world
CHANGES = {
    "Europe/Berlin": [date(2026, 3, 29), date(2026, 10, 25)],
    "America/New_York": [date(2026, 3, 8), date(2026, 11, 1)],
    "America/Santiago": [date(2026, 4, 4), date(2026, 9, 6)],  # at midnight
    "Australia/Lord_Howe": [date(2026, 4, 5), date(2026, 10, 4)],  # by half an hour
    "Asia/Kathmandu": [],  # 5 h 45 min, never
}


@given(
    zone=st.sampled_from(sorted(CHANGES)),
    charge=st.sampled_from(["valley", "sun"]),
    efficiency=st.floats(0.55, 1),
    power_kw=st.floats(20, 2000),
    hours=st.floats(0.3, 8),
)
@settings(max_examples=25, deadline=None)
def test_a_battery_makes_no_energy_when_clocks_change(
    zone: str, charge: str, efficiency: float, power_kw: float, hours: float
) -> None:
    battery: dict[str, object] = {"power_kw": power_kw}
    battery |= {"capacity_kwh": power_kw * hours, "charge": charge}
    battery["efficiency"] = efficiency
    group = {"archetype": "offices", "battery": battery}
    said = PARK | {"zone": zone, "country": "DE", "enterprises": [group]}
    of = World(scenario.read(said))
    taken, given_ = of.plants[0].charge, of.plants[0].discharge
    held = flow("E01-B1", "state_of_charge_percent", of)
    assert taken is not None
    assert given_ is not None
    for changed in [*CHANGES[zone], date(2026, 6, 3)]:
        days = [of.midnight(changed + timedelta(days=n)) for n in range(-2, 4)]
        for begin, end in pairwise(days):
            at = np.arange(begin, end + 1, 300)
            in_w, out_w = Flow(taken).rate(at), Flow(given_).rate(at)
            # nodes are whole watts: half a watt off each, at the most
            off_w = 0.5 * (np.count_nonzero(in_w) + np.count_nonzero(out_w))
            assert abs(out_w.sum() - efficiency * in_w.sum()) <= off_w
            assert bool(in_w.any()) == (end - begin == DAY)
            assert held.rate(at).min() >= 10_000
            assert held.rate(at).max() <= 100_000
            assert held.rate(at[[0, -1]]) == pytest.approx([10_000, 10_000], abs=1)


@pytest.mark.parametrize("zone", CHANGES)
def test_the_clock_at_every_node(zone: str) -> None:
    """As the package of zones has it, also in the hours around a change."""
    for day in [*CHANGES[zone], date(2026, 6, 3)]:
        begin = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
        nodes = (begin - EPOCH_S) // 300 + np.arange(-288, 576)
        local = Clock(ZoneInfo(zone)).local_s(nodes)
        for node, second in zip(nodes.tolist(), local.tolist(), strict=True):
            at = datetime.fromtimestamp(EPOCH_S + node * 300, ZoneInfo(zone))
            assert at.replace(tzinfo=UTC).timestamp() == EPOCH_S + second


@given(
    st.integers(0, 300 * DAY),
    st.integers(1, 3 * DAY),
    st.sampled_from(["PARK-G", "PARK-F1", "E01-M1", "E03-G1", "E02-M1", "PARK-W1"]),
)
def test_any_instant_can_be_asked_alone(second: int, step: int, code: str) -> None:
    instants = EPOCH_S + 731 * DAY + second + step * np.arange(12, dtype=np.int64)
    one = meter(code).channels[0].flow
    together = one.integral(instants), one.rate(instants)
    fresh = Flow(one._nodes, since=730)  # has summed nothing yet
    for place in (7, 0, 11):
        alone = instants[place : place + 1]
        assert fresh.integral(alone)[0] == together[0][place]
        assert fresh.rate(alone)[0] == together[1][place]


def digest(of: World, instants: Integers) -> str:
    total = hashlib.sha256()
    for each in of.meters:
        total.update(repr([getattr(each, name) for name in SAID]).encode())
        for one in each.channels:
            total.update(one.key.encode())
            total.update(one.flow.integral(instants).tobytes())
            total.update(one.flow.rate(instants).tobytes())
    return total.hexdigest()


SAID = [name for name in Meter.__dataclass_fields__ if name != "channels"]


def test_same_seed_same_bytes() -> None:
    days = at(date(2026, 1, 5), days=2)
    one = World(scenario.read(PARK))
    for _ in one.advance(int(days[-1])):  # summed in another order
        pass
    assert digest(one, days) == digest(World(scenario.read(PARK)), days)
    assert digest(one, days) != digest(world(4), days)


# as the General Office of the State Council gave notice of 2025 (国办发明电〔2024〕12号) and
# 2026: first and last day of each holiday, and weekends' days that are worked
HOLIDAYS = [
    *(((2026, 1, 1), (2026, 1, 3)), ((2026, 2, 15), (2026, 2, 23))),
    *(((2026, 4, 4), (2026, 4, 6)), ((2026, 5, 1), (2026, 5, 5))),
    *(((2026, 6, 19), (2026, 6, 21)), ((2026, 9, 25), (2026, 9, 27))),
    ((2026, 10, 1), (2026, 10, 7)),
    *(((2025, 1, 1), (2025, 1, 1)), ((2025, 1, 28), (2025, 2, 4))),
    *(((2025, 4, 4), (2025, 4, 6)), ((2025, 5, 1), (2025, 5, 5))),
    *(((2025, 5, 31), (2025, 6, 2)), ((2025, 10, 1), (2025, 10, 8))),
]
WORKED = {
    *(
        date(2026, *each)
        for each in ((1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10))
    ),
    *(date(2025, *each) for each in ((1, 26), (2, 8), (4, 27), (9, 28), (10, 11))),
}


def test_days_are_what_the_state_council_says() -> None:
    free = {
        date(*first) + timedelta(days=n)
        for first, last in HOLIDAYS
        for n in range((date(*last) - date(*first)).days + 1)
    }
    for number in range(730):
        day = date(2025, 1, 1) + timedelta(days=number)
        rest = {5: "saturday", 6: "sunday"}.get(day.weekday(), "workday")
        kind = "holiday" if day in free else "workday" if day in WORKED else rest
        found = world().frames.kind((day - date(2024, 1, 1)).days)
        assert DAY_KINDS[found] == kind, day


def test_a_holiday_is_not_worked_from_its_first_to_its_last_day() -> None:
    """The Spring Festival of 2026 is from Sunday 02-15 to Monday 02-23."""
    used = [
        flow("E02-M1", "energy_import_kwh").integral(at(date(2026, 2, day))[[0, -1]])
        for day in (11, *range(15, 24))
    ]
    workday, *holiday = (int(end - begin) for begin, end in used)
    assert max(holiday) < 0.5 * workday


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Shanghai"])
def test_days_follow_the_parks_clock(zone: str) -> None:
    """The office begins at the same local time before and after the clock changes."""
    said = PARK | {
        "zone": zone,
        "country": "DE",
        "enterprises": [{"archetype": "offices", "shifts": "day_shift"}],
    }
    of = World(scenario.read(said))
    process = of.plants[0].parts["process"]
    starts = []
    for day in (date(2026, 3, 3), date(2026, 4, 14)):  # Tuesdays
        instants = at(day, zone=zone)
        rate = Flow(process).rate(instants)
        starts.append(int(np.argmax(rate > 0.5 * rate.max())))
    assert abs(starts[0] - starts[1]) <= 3
    assert 7 * 12 - 6 <= starts[0] <= 7 * 12 + 12  # about a quarter past seven


def test_loads_follow_the_weather() -> None:
    hot, mild = (
        flow("E01-M4", "energy_import_kwh").integral(at(day, days=30)[[0, -1]])
        for day in (date(2026, 7, 1), date(2026, 11, 1))
    )
    assert np.diff(hot)[0] > 4 * np.diff(mild)[0]


def test_replayed_plant_uses_what_the_file_says() -> None:
    said = PARK | {
        "zone": "Asia/Seoul",
        "since": "2024-01-01",
        "enterprises": [{"archetype": "steel", "size_kw": 120, "replay": "steel_2018"}],
    }
    of = World(scenario.read(said))
    hundredths = np.diff(steel.read().hundredths, axis=0)[: 364 * 96]
    # 2024-01-15T00:00 in Seoul: the third Monday of the file, and 52 weeks later
    for day in (14, 14 + 364):
        begin = EPOCH_S + day * DAY - 9 * 3600
        quarters = begin + 900 * np.arange(7 * 96 + 1)
        used = np.diff(flow("E01-M1", "energy_import_kwh", of).integral(quarters))
        rows = hundredths[14 * 96 : 21 * 96, 0]
        assert np.array_equal(used, rows * 36_000)  # whole hundredths of a kWh


def test_steam_of_ones_own_costs_gas_and_counts_once() -> None:
    assert meter("E03-S1").role == "sub"
    counted = world().counted("E03")
    assert "steam_t" not in counted
    week = at(date(2026, 3, 2), days=7)[[0, -1]]
    steam_t, gas_m3 = (
        int(np.diff(flow(code, key).integral(week))[0]) / 3.6e6
        for code, key in (("E03-S1", "steam_t"), ("E03-G1", "natural_gas_m3"))
    )
    # 2.777 GJ/t at 92 % from gas of 38.931 MJ/m³ is 77.53 m³/t
    assert gas_m3 > 77.5 * steam_t > 0


def test_what_counts_counts_once() -> None:
    """The gate counts for the park, the tenant for itself and in its host's meter."""
    park = world().counted("T")
    assert park["energy_import_kwh"] == [flow("PARK-G", "energy_import_kwh")]
    assert len(park["pv_generation_kwh"]) == 2
    host = world().counted("E01")
    assert host["energy_import_kwh"] == [flow("E01-M1", "energy_import_kwh")]
    tenant = world().counted("E04")
    assert tenant["energy_import_kwh"] == [flow("E04-M1", "energy_import_kwh")]
    codes = [m.code for m in world().meters]
    assert len(set(codes)) == len(codes)
    for each in world().meters:  # parents can be registered first
        assert each.parent is None or codes.index(each.parent) < codes.index(each.code)


@pytest.mark.parametrize(
    ("gate", "feeders", "above", "counting"),
    [
        (True, 0, "PARK-G", 1),
        (False, 0, None, 5 + 1),  # five mains and the lamps
        (False, 2, "PARK-F1", 2 + 1),
    ],
)
def test_networks_of_other_forms(
    gate: bool, feeders: int, above: str | None, counting: int
) -> None:
    park = PARK["park"] | {"gate": gate, "feeders": feeders}
    enterprises = [each | {"feeder": None} for each in PARK["enterprises"]]
    of = World(scenario.read(PARK | {"park": park, "enterprises": enterprises}))
    assert meter("E01-M1", of).parent == above
    assert meter("E04-M1", of).parent == "E01-M1"
    assert len(of.counted("T")["energy_import_kwh"]) == counting


def test_meters_are_made_as_said() -> None:
    said = PARK | {
        "meters": {
            "accuracy_class": {"electricity": 0.5, "water": 2.0},
            "transformers": True,
            "clock_offset_s": 3,
            "cadence_s": 300,
            "overrides": [
                {"match": "E05-*", "cadence_s": 60, "format": "acrel"},
                {"match": "E06-*", "accuracy_class": 2.0},
                {"match": "E05-W1", "digits": 5, "gateway": "GW9", "error_ppm": 77},
            ],
        }
    }
    of = World(scenario.read(said))
    main, water = meter("E05-M1", of), meter("E05-W1", of)
    assert (main.cadence_s, main.format, main.gateway) == (60, "acrel", "E05-GW")
    assert (water.digits, water.gateway, water.error_ppm) == (5, "GW9", 77)
    big = meter("E02-M1", of)
    assert (big.pt, big.cadence_s, big.decimals) == (100, 300, 4)
    assert big.rated_per_h is not None
    # the ratio's primary current carries the rating at 10 kV
    assert big.ct * 5 * 3**0.5 * 10 >= big.rated_per_h
    # the same draw within a class four times as wide
    plain = World(
        scenario.read(PARK | {"meters": {"accuracy_class": {"electricity": 0.5}}})
    )
    wide, narrow = (meter("E06-M1", each).error_ppm for each in (of, plain))
    assert wide == pytest.approx(4 * narrow, abs=4)
    assert narrow
    errors = [
        m.error_ppm
        for m in of.meters
        if m.carrier == "electricity" and m.enterprise != "E06"
    ]
    assert len(set(errors)) > 5
    assert all(abs(each) <= 5000 for each in errors)
    assert all(abs(m.clock_offset_s) <= 3 for m in of.meters)


def test_statements_of_months() -> None:
    first, last = date(2026, 2, 1), date(2026, 4, 1)
    stated = world().statements(first, last)
    assert stated == World(scenario.read(PARK)).statements(first, last)
    values = {
        (each.enterprise, each.first): each.amount
        for each in stated
        if each.kind == "added_value"
    }
    assert len(values) == 14  # the operator too
    assert all(
        values[code, first] < values[code, date(2026, 3, 1)]
        for code in ("E01", "E02", "E03")
    )
    mass = next(
        each
        for each in stated
        if (each.enterprise, each.product, each.first) == ("E02", "cod", first)
    )
    # the mean concentration lies near 60 mg/l: kg / m³ x 1000
    drained = flow("E02-D1", "wastewater_m3").integral(at(first, days=28)[[0, -1]])
    mean_mg_l = mass.amount * 1000 / (np.diff(drained)[0] / 3.6e6)
    assert mean_mg_l == pytest.approx(60, rel=0.1)


def test_those_without_monitors_state_pollutants_by_balance() -> None:
    """auto_parts: COD 130 mg/l; NOx 55 mg in a m³ of flue gas, 10.8 m³ from one of gas."""
    told = {
        (each.enterprise, each.product): each.amount
        for each in world().balances(date(2026, 1, 1), date(2026, 2, 1))
    }
    ends = at(date(2026, 1, 1), days=31)[[0, -1]]

    def used(code: str, key: str) -> float:
        return float(np.diff(flow(code, key).integral(ends))[0]) / 3_600_000

    water, gas = used("E01-D1", "wastewater_m3"), used("E01-G1", "natural_gas_m3")
    assert told["E01", "cod"] == pytest.approx(water * 0.130, abs=0.006)
    assert told["E01", "nox"] == pytest.approx(gas * 10.8 * 55e-6, abs=0.006)
    assert min(told["E01", "cod"], told["E01", "nox"]) > 1
    # the steel works and the food factory have monitors, offices and the park nothing
    assert {code for code, _ in told} == {"E01", "E04", "E05", "E06", "PARK"}
    assert {told[code, "so2"] for code in ("E04", "E05", "E06", "PARK")} == {0.0}
    assert {name for _, name in told} == {"cod", "nh3_n", "so2", "nox"}


def test_years_before_metering() -> None:
    past = world().before(2026)
    assert len(past) == 48
    assert past[0].first == date(2022, 1, 1)
    yearly = [
        sum(p.co2_t for p in past if p.first.year == y) for y in range(2022, 2026)
    ]
    assert np.argmax(yearly) == 1  # 2023, the second of the four
    january = past[0]
    assert january.co2_t == pytest.approx(january.electricity_mwh * 0.5, rel=0.05)


def test_months() -> None:
    found = list(months(date(2025, 11, 1), date(2026, 2, 1)))
    assert [f"{a:%Y-%m}" for a, _ in found] == ["2025-11", "2025-12", "2026-01"]
    assert all(a[1] == b[0] for a, b in pairwise(found))


def test_no_register_before_it_began() -> None:
    with pytest.raises(SimulatorError, match="begin on 2025-12-31"):
        flow("PARK-G", "energy_import_kwh").integral(
            np.array([int(datetime(2025, 12, 30, tzinfo=UTC).timestamp())])
        )


def test_series_across_stretches() -> None:
    squares = Series(lambda n: np.arange(n * CHUNK, (n + 1) * CHUNK) ** 2)
    numbers = np.array([0, 5, CHUNK - 1, CHUNK, 3 * CHUNK + 7, 5 * CHUNK])
    assert np.array_equal(squares(numbers), numbers**2)
    run = np.arange(CHUNK - 3, CHUNK + 3)
    assert np.array_equal(squares(run), run**2)


def test_noise_is_smooth_and_around_0() -> None:
    wander = Noise(1).named("E01", "process")
    days = np.concatenate([wander(n) for n in range(8)])
    assert abs(days.mean()) < 0.1
    assert 0.9 < days.std() < 1.1
    assert np.abs(np.diff(days)).mean() < 0.5 * days.std()
    assert np.array_equal(wander(3), Noise(1).named("E01", "process")(3))


def test_hash_of_numbers() -> None:
    """SplitMix64 from state 0 gives E220A8397B1DCDAF first (its authors' listing)."""
    # the generator adds the constant before it mixes: the number 1 and the key 0
    assert hashed(0, np.array([1]))[0] == (0xE220A8397B1DCDAF >> 11) / 2**53


TRIPPED = [{"archetype": "steel", "size_kw": 4000, "sub_meters": ["process"]}]


@pytest.mark.parametrize("into", [0, 1, 150, 299, 43_200, 86_099, 86_101, 86_399])
@pytest.mark.parametrize("lasts", [1, 600, 7200])
def test_a_trip_leaves_what_meters_have_told(into: int, lasts: int) -> None:
    """Readings lie between nodes: the line to the next one must not bend behind them."""
    said = scenario.read(PARK | {"since": "2026-03-03", "enterprises": TRIPPED})
    of, other = World(said), World(said)
    from_s = of.midnight(date(2026, 3, 5)) + into
    instants = np.arange(from_s - 900, from_s + lasts + 1500, 7)
    later_on = instants[-1:] + 2 * DAY

    def registers(park: World) -> list[Flow]:
        channels = [one for each in park.meters for one in each.channels]
        return [each.flow for each in channels if each.kind == "register"]

    before = [
        (each.integral(instants), each.rate(instants), each.integral(later_on))
        for each in registers(of)  # counted further than the trip, as for statements
    ]
    of.trip("E01", "process", from_s, from_s + lasts)
    other.trip("E01", "process", from_s, from_s + lasts)
    told = instants <= from_s
    fell = 0
    for flow_, fresh, (summed, rate, end) in zip(
        registers(of), registers(other), before, strict=True
    ):
        after = flow_.integral(instants)
        assert np.array_equal(after[told], summed[told])
        assert np.array_equal(flow_.rate(instants)[told], rate[told])
        assert np.all(np.diff(after) >= 0)
        assert np.array_equal(flow_.integral(later_on), fresh.integral(later_on))
        fell += int(flow_.integral(later_on)[0] < end[0])
    assert fell >= 4  # gate, feeder, main and sub-meter at the least
    power = flow("E01-M2", "power_kw", of)
    node = -(-(from_s - EPOCH_S) // 300) * 300 + EPOCH_S
    assert power.rate(np.array([node]))[0] > 0
    off = np.arange(node + 300, max(node + 300, from_s + lasts) + 1, 300)
    assert not power.rate(off).any()
    assert power.rate(np.array([node + lasts + 600]))[0] > 0
