"""A simulated park made known to the platform; what no meter says is invented."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime

from analytics.jobs import onsiting, yearly
from analytics.jobs.budgets import zone_year
from simulators import faults as simulated_faults
from simulators import formats as simulated_formats
from simulators.meter import Fault
from simulators.world import Enterprise, World
from store import judgements, membership, registry, relations, statements, targets
from store import tariffs as stored_tariffs
from store.database import Connection, session
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
    url: str, world: World, since: datetime, faults: Iterable[Fault] = ()
) -> None:
    """Make a simulated park known, its meters confirmed; one that is known stays."""
    said = world.scenario
    with session(url) as conn:
        if any(each.code == world.code for each in registry.parks(conn)):
            return
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
            _state_ratios(conn, world, faults)
            _state_invented(conn, world, ids, since.astimezone(world.zone).date())


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
        if meter.ct * meter.pt != 1:
            relations.set_multiplier(
                conn,
                meter_id,
                ct=meter.ct,
                pt=meter.pt,
                valid_from=since,
                source=INVENTED,
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


def _state_ratios(conn: Connection, world: World, faults: Iterable[Fault]) -> None:
    """State the changes of ratios that the plan of faults says are stated."""
    place = simulated_formats.Place(world.code, world.zone)
    for fault in faults:
        if fault.kind == "multiplier_change" and fault.parameters.get("stated"):
            for meter in simulated_faults.meters_of(fault, world.meters):
                code = simulated_formats.code_of(meter, place)
                subject = registry.subject(conn, world.code, meter.enterprise, code)
                relations.set_multiplier(
                    conn,
                    subject.subject_id,
                    ct=float(fault.parameters["ct"]),
                    pt=meter.pt,
                    valid_from=datetime.fromtimestamp(fault.start_s, UTC),
                    source=INVENTED,
                )


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
