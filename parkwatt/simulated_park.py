"""A simulated park made known to the platform; what no meter says is invented."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from itertools import zip_longest
from math import isclose

from analytics.jobs import onsiting, yearly
from analytics.jobs.budgets import zone_year
from analytics.jobs.validity import Segments, segments, value_at
from simulators import faults as simulated_faults
from simulators import formats as simulated_formats
from simulators.meter import Fault
from simulators.world import Enterprise, World
from store import judgements, membership, registry, relations, statements, targets
from store import tariffs as stored_tariffs
from store.database import Connection, session
from store.errors import Invalid
from store.readings import to_datetime, to_us
from store.records import Stated, Subject
from store.statement_kinds import KINDS

INVENTED = "invented for the demonstration"
WHO = "demonstration"
INDUSTRIES = {  # of archetypes, GB/T 4754-2017
    "semiconductor_fab": "3973",
    "pharma": "27",
    "auto_parts": "3670",
    "steel": "31",
    "food": "14",
    "data_centre": "645",
    "logistics": "59",
    "offices": "72",
    "hotel": "61",
}


def register_world(
    url: str,
    world: World,
    since: datetime,
    *,
    until: datetime | None = None,
    faults: Sequence[Fault] = (),
) -> bool:
    """Make a simulated park known, its meters confirmed; tell whether it was new.

    One that is known stays: `complete_world` states what a run needs of it.
    """
    said = world.scenario
    with session(url) as conn:
        if any(each.code == world.code for each in registry.parks(conn)):
            return False
        with conn.transaction():
            park_id = registry.add_park(
                conn, world.code, name=said.name, zone=said.zone, region=said.region
            )
            statements.set_contract_demand(
                conn, park_id, said.contract_demand_kw, since, source=INVENTED
            )
            ids = {
                each.code: registry.add_enterprise(
                    conn, park_id, each.code, name=each.name
                )
                for each in world.enterprises
            }
            _register_meters(conn, world, park_id, ids, since)
            _state_ratios(conn, world, park_id, since, until, faults)
            _state_invented(conn, world, ids, since.astimezone(world.zone).date())
    return True


def complete_world(
    url: str,
    world: World,
    since: datetime,
    *,
    until: datetime | None = None,
    faults: Sequence[Fault] = (),
) -> int:
    """State the ratios of a run that a known park lacks, and give how many.

    Raises
    ------
    Invalid
        If a meter of the run is not known there, or not confirmed.
    """
    with session(url) as conn, conn.transaction():
        park_id = registry.park(conn, world.code).park_id
        confirmed = set(relations.confirmed(conn, park_id))
        lacking = [
            code
            for code, meter_id in _meter_ids(conn, world, park_id).items()
            if meter_id not in confirmed
        ]
        if lacking:
            raise Invalid(
                f"park {world.code} is known already, and {len(lacking)} meters of this "
                f"run are not confirmed there, such as {lacking[0]}: choose another code "
                "with --park, or leave out --register"
            )
        return _state_ratios(conn, world, park_id, since, until, faults)


def _meter_ids(conn: Connection, world: World, park_id: int) -> dict[str, int | None]:
    """Give the id of each meter of a world by its code; None: it is not known."""
    place = simulated_formats.Place(world.code, world.zone)
    known = {name: key for key, name in registry.meter_codes(conn, park_id).items()}
    return {
        each.code: known.get(
            f"{each.enterprise}/{simulated_formats.code_of(each, place)}"
        )
        for each in world.meters
    }


def _register_meters(
    conn: Connection, world: World, park_id: int, ids: dict[str, int], since: datetime
) -> None:
    known: dict[str, int] = {}
    place = simulated_formats.Place(world.code, world.zone)
    for meter in world.meters:
        owner = ids[meter.enterprise]
        code = simulated_formats.code_of(meter, place)
        meter_id = known[meter.code] = registry.add_meter(conn, park_id, owner, code)
        relations.confirm_meter(conn, meter_id, owner, source=INVENTED, since=since)
        if meter.role != "main" or meter.parent is not None:
            above = known[meter.parent] if meter.parent else None
            relations.place_meter(
                conn, meter_id, meter.role, above, since, source=INVENTED
            )
        if meter.accuracy_class is not None or meter.rated_per_h is not None:
            judgements.set_plate(
                conn,
                meter_id,
                accuracy_class=meter.accuracy_class,
                rated_per_h=meter.rated_per_h,
                source=INVENTED,
            )
        for channel in meter.channels:
            if channel.kind == "register":
                quantity = channel.key.rpartition("_")[0]
                relations.add_meter_channel(conn, meter_id, quantity, "register")
                relations.set_digits(
                    conn, meter_id, quantity, meter.digits, source=INVENTED
                )


def _state_ratios(
    conn: Connection,
    world: World,
    park_id: int,
    since: datetime,
    until: datetime | None,
    faults: Iterable[Fault],
) -> int:
    """State the ratios of a run, with the changes that its plan says are stated.

    Where another ratio holds in a part of the run, as of an earlier run, it is stated
    for that part alone. What holds before and after stays.
    """
    changes: dict[str, dict[int, float]] = defaultdict(dict)
    for fault in faults:
        if fault.kind == "multiplier_change" and fault.parameters.get("stated"):
            for meter in simulated_faults.meters_of(fault, world.meters):
                changes[meter.code][_us(fault.start_s)] = float(fault.parameters["ct"])
    begin = to_us(since)
    end = to_us(until) if until else None
    ids = _meter_ids(conn, world, park_id)
    painted = segments(relations.multipliers(conn, park_id))
    stated = 0
    for meter in world.meters:
        meter_id = ids[meter.code]
        if meter_id is None:
            continue
        holds: Segments[float] = painted.get(meter_id, [])
        edges = sorted({begin, *changes[meter.code], *(at for at, _ in holds)})
        ct = meter.ct
        for at, following in zip_longest(edges, edges[1:]):
            ct = changes[meter.code].get(at, ct)
            if at < begin or (end is not None and at >= end):
                continue
            ratio = value_at(holds, at)
            if isclose(1.0 if ratio is None else ratio, ct * meter.pt):
                continue
            relations.set_multiplier(
                conn,
                meter_id,
                ct=ct,
                pt=meter.pt,
                valid_from=to_datetime(at),
                valid_to=None if following is None else to_datetime(following),
                source=INVENTED,
            )
            stated += 1
    return stated


def _us(at_s: int) -> int:
    return at_s * 1_000_000


def _state_invented(
    conn: Connection, world: World, ids: dict[str, int], since: date
) -> None:
    """State added value, output, earlier years, limits and plant: all invented."""
    whole = registry.subject(conn, world.code)
    year = zone_year(whole)
    _state_statements(conn, world, ids, since)
    past_t = _state_earlier_years(conn, world, whole, year)
    _set_limits(conn, whole, year, past_t)
    for enterprise in world.enterprises:
        _state_plant(conn, world, enterprise, since)
        if enterprise.archetype is not None:
            membership.state_industry(
                conn,
                ids[enterprise.code],
                INDUSTRIES[enterprise.archetype],
                since,
                source=INVENTED,
                who=WHO,
            )
        if enterprise.size_kw:
            stored_tariffs.set_billing(
                conn,
                ids[enterprise.code],
                "CN-JS",
                "demand",
                since,
                capacity_kva=round(1.25 * enterprise.size_kw, -1) or 10.0,
                power_factor_standard=0.90,
                source=INVENTED,
            )


def _state_statements(
    conn: Connection, world: World, ids: dict[str, int], since: date
) -> None:
    this_month = datetime.now(world.zone).date().replace(day=1)
    months = since.replace(day=1), this_month
    for each in (*world.statements(*months), *world.balances(*months)):
        statements.state(
            conn,
            Stated(
                subject_id=ids[each.enterprise],
                kind=each.kind,
                product=each.product,
                unit=each.unit,
                period_from=each.first,
                period_to=each.following,
                amount=each.amount,
                prices="current" if KINDS[each.kind].money else None,
                stage="provisional",
                source=INVENTED,
            ),
        )


def _state_earlier_years(
    conn: Connection, world: World, whole: Subject, until: int
) -> dict[int, float]:
    """State the months and years before metering; give tonnes by year."""
    past_t: dict[int, float] = defaultdict(float)
    for month in world.before(until):
        past_t[month.first.year] += month.co2_t
        yearly.state(
            conn,
            whole,
            method="location_region",
            year=month.first.year,
            month=month.first.month,
            amount_t=month.co2_t,
            source=INVENTED,
            who=WHO,
        )
    for year, amount_t in past_t.items():
        yearly.state(
            conn,
            whole,
            method="location_region",
            year=year,
            amount_t=round(amount_t, 1),
            source=INVENTED,
            who=WHO,
        )
    return past_t


def _set_limits(
    conn: Connection, whole: Subject, year: int, past_t: dict[int, float]
) -> None:
    limits = [("energy_intensity", "calorific", 0.1)]
    if past_t:
        limits.append(("co2", "location_region", round(0.98 * past_t[year - 1], -2)))
    for kind, method, value in limits:
        targets.set_target(
            conn,
            targets.NewTarget(
                subject_id=whole.subject_id,
                kind=kind,
                method=method,
                year=year,
                value=value,
                source=INVENTED,
                who=WHO,
            ),
        )


def _state_plant(
    conn: Connection, world: World, enterprise: Enterprise, since: date
) -> None:
    subject = registry.subject(conn, world.code, enterprise.code)
    for what in ("pv_kwp", "storage_kwh", "charging_kw", "charging_piles"):
        if value := getattr(enterprise, what):
            onsiting.state(
                conn,
                subject,
                what=what,
                value=float(value),
                valid_from=since,
                valid_to=None,
                source=INVENTED,
                who=WHO,
            )
