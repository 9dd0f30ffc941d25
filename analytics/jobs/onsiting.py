"""Own plant of a subject over local days: photovoltaics, storage, charging, and balance."""

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from analytics import onsite
from analytics.jobs import clean, compute, intervals
from analytics.jobs.amounts import Amounts, Period, load_amounts
from analytics.jobs.amounts import coverage as coverage_of
from analytics.jobs.book import load_book
from store import plants as stored
from store.database import Connection
from store.errors import Invalid
from store.packs import inputs
from store.plants import WHAT, Plant
from store.records import Subject
from store.series import USAGE_15MIN, read

Float64 = NDArray[np.float64]

USED = {
    "imported": "energy_import",
    "exported": "energy_export",
    "generated": "pv_generation",
    "charged": "storage_charge",
    "discharged": "storage_discharge",
    "charging": "charging_energy",
}


def state(
    conn: Connection,
    subject: Subject,
    *,
    what: str,
    value: float | None,
    valid_from: date,
    valid_to: date | None = None,
    source: str,
    who: str,
) -> bool:
    """Record what a subject's plant can do from a day on; tell if it is new.

    Raises
    ------
    Invalid
        For an unknown rating, a value below 0, an empty validity, or no source or person.
    """
    if what not in WHAT:
        raise Invalid(f"rating {what[:70]!r} is none of {', '.join(WHAT)}")
    if value is not None and not 0 <= value < 1e9:
        raise Invalid(f"{what} {value} is below 0 or no rating")
    if valid_to is not None and valid_to <= valid_from:
        raise Invalid(f"{valid_from} to {valid_to} is empty")
    if not source.strip() or not who.strip():
        raise Invalid("a rating needs a source and a person")
    return stored.record_plant(
        conn,
        subject.subject_id,
        what,
        value,
        valid_from,
        valid_to,
        source=source,
        who=who,
    )


def own_plant(
    conn: Connection,
    subject: Subject,
    first: date,
    last: date,
    *,
    load: Sequence[str] = (),
    soc_change: float | None = None,
    resolution_kwh: float = 0.0,
    definition: str = "non_fossil",
    basis: str = "equal_value",
    known_on: datetime | None = None,
    minimum_coverage: float = 0.95,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Give the figures of own plant on local days [first, last).

    Parameters
    ----------
    load
        Meters (ENTERPRISE/METER) that together are the load of the identity; none: there
        is no identity.
    soc_change
        State of charge at the end less at the begin, share; None: taken as equal.
    resolution_kwh
        Step of the registers.
    definition, basis
        Of clean energy and its tonnes of coal equivalent.

    Raises
    ------
    Invalid
        For an empty period, or an unknown meter, definition or basis.

    Notes
    -----
    A figure is unknown where a quantity that it needs is not measured or its coverage is
    below the minimum. Export that no meter counts is not 0: then self-consumption comes
    from intervals of photovoltaic power and the named load, else it is unknown. Storage
    of which nothing is measured is taken as none, and `assumed` says so.
    """
    if last <= first:
        raise Invalid(f"the period {first} to {last} is empty")
    clean.check(definition)
    if basis not in clean.BASES:
        raise Invalid(f"basis {basis[:70]!r} is none of {', '.join(clean.BASES)}")
    due = now or datetime.now(UTC)
    due = min(due, known_on) if known_on else due
    period = Period(first=first, last=last, zone=ZoneInfo(subject.park.zone), now=due)
    amounts = load_amounts(conn, subject, period, known_on)
    edges = compute.days(period.zone, period.start, period.stop)
    known: dict[str, float] = {}
    told: dict[str, Any] = {}
    for name, quantity in USED.items():
        each = amounts.get(quantity)
        share = coverage_of(each)["coverage"]
        total = None if each is None else each.total(edges)
        good = total is not None and share >= minimum_coverage
        known[name] = total if good and total is not None else math.nan
        told[name] = {
            "quantity": quantity,
            "amount_kwh": total,
            "measured": each is not None,
            "coverage": share if each is not None else None,
        }
    ratings = _ratings(stored.plants(conn, subject.subject_id, known_on), first, last)
    return {
        "park": subject.park.code,
        "enterprise": subject.enterprise,
        "meter": subject.meter,
        "from": first,
        "to": last,
        "as_known_on": known_on.isoformat() if known_on else None,
        "minimum_coverage": minimum_coverage,
        "amounts": told,
        "ratings": ratings,
        **_figures(known, told, ratings, period, soc_change),
        "self_consumption_by": "sums",
        "intervals_known": None,
        **intervals.by_interval(
            conn, subject, amounts, load, period, known_on, minimum_coverage
        ),
        **_busy(conn, amounts.get("charging_energy"), ratings, period, known_on),
        "clean_energy": _clean(
            conn, subject, first, last, definition, basis, known_on, minimum_coverage
        ),
        "identity": intervals.identity(
            conn, subject, period, amounts, load, resolution_kwh, known_on
        ),
    }


def _ratings(rows: list[Plant], first: date, last: date) -> dict[str, float | None]:
    """Give each rating as its mean over the days; None where a day has none."""
    found: dict[str, float | None] = {}
    days = (last - first).days
    for what in WHAT:
        each = np.full(days, np.nan)
        for row in rows:  # in the order recorded: the last one that holds applies
            if row.what == what:
                begin = max(0, (row.valid_from - first).days)
                end = days if row.valid_to is None else (row.valid_to - first).days
                each[begin : max(end, begin)] = (
                    math.nan if row.value is None else row.value
                )
        found[what] = _number(each.mean())
    return found


def _figures(
    known: dict[str, float],
    told: dict[str, Any],
    ratings: dict[str, float | None],
    period: Period,
    soc_change: float | None,
) -> dict[str, Any]:
    """Give ratios of sums; what is not there at all counts 0, what is not known NaN."""
    hours = (period.due - period.start).total_seconds() / 3600

    def amount(name: str) -> float:
        return known[name] if told[name]["measured"] else 0.0

    def rated(name: str) -> float:
        value = ratings[name]
        return math.nan if value is None else value

    made, given = known["generated"], known["exported"]
    change = 0.0 if soc_change is None else soc_change
    rest = rated("storage_kwh") if change else 0.0
    figures = {
        "self_consumption": onsite.self_consumption(made, given),
        "self_sufficiency": onsite.self_sufficiency(
            made,
            given,
            known["imported"],
            amount("discharged"),
            amount("charged"),
        ),
        "full_load_hours": onsite.full_load_hours(made, rated("pv_kwp")),
        "round_trip_efficiency": onsite.round_trip_efficiency(
            known["charged"], known["discharged"], change, rest
        ),
        "equivalent_cycles": onsite.equivalent_cycles(
            known["discharged"], rated("storage_kwh")
        ),
        "charging_power_utilisation": onsite.power_utilisation(
            known["charging"], rated("charging_kw"), hours
        ),
    }
    return {
        **{name: _number(each) for name, each in figures.items()},
        "hours": hours,
        "soc_change": soc_change,
        "assumed": list(_assumed(told, soc_change)),
    }


def _assumed(told: dict[str, Any], soc_change: float | None) -> Iterator[str]:
    if not told["charged"]["measured"] and not told["discharged"]["measured"]:
        yield "there is no storage: none is measured"
    elif soc_change is None:
        yield "the storage held as much at the end as at the begin"


def _busy(
    conn: Connection,
    charging: Amounts | None,
    ratings: dict[str, float | None],
    period: Period,
    known_on: datetime | None,
) -> dict[str, Any]:
    """Give busy quarter hours of piles that have a meter each."""
    piles = ratings["charging_piles"]
    utilisation = None
    why: str | None = None
    if charging is None or piles is None:
        why = (
            "no charging energy is measured" if charging is None else "no piles stated"
        )
    elif len({each[0] for each in charging.meters}) != piles:
        why = f"{len({e[0] for e in charging.meters})} meters of {piles:g} piles"
    elif known_on is not None:
        why = "not told as known on a date"
    else:
        keys = sorted({part[0] for part in charging.plan.parts})
        rows = read(conn, USAGE_15MIN, keys, period.start, period.stop)
        busy_h = float((rows.values[0] > 0).sum()) / 4
        hours = (period.due - period.start).total_seconds() / 3600
        utilisation = _number(onsite.time_utilisation(busy_h, piles, hours))
    return {
        "charging_time_utilisation": utilisation,
        "charging_time_unknown_because": why,
    }


def _clean(
    conn: Connection,
    subject: Subject,
    first: date,
    last: date,
    definition: str,
    basis: str,
    known_on: datetime | None,
    minimum: float,
) -> dict[str, Any]:
    told: dict[str, Any] = {
        "share": None,
        "definition": definition,
        "basis": basis,
        "clean_tce": None,
        "total_tce": None,
        "coverage": None,
    }
    if subject.kind == "meter" or first.day != 1 or last.day != 1:
        return told  # accounts with statements and proof are of whole months
    book = load_book(conn, subject.park, first, last, known_on)
    row = book.row(subject.enterprise)
    covered = float(np.nan_to_num(book.known_share[row]).min())
    years = {first.year, (last - timedelta(1)).year}
    heat = None
    if subject.kind == "park" and (first, last) == (
        date(first.year, 1, 1),
        date(first.year + 1, 1, 1),
    ):
        said = inputs(conn, subject.park.park_id, known_on)
        heats = [
            each.value
            for each in said
            if each.name == "non_fossil_heat_gj" and each.year in years
        ]
        heat = heats[0] if heats else None
    found = clean.share(
        book, row, definition=definition, basis=basis, non_fossil_heat_gj=heat
    )
    good = covered >= minimum
    return told | {
        "share": _number(found.share) if good else None,
        "clean_tce": _number(found.clean_tce),
        "total_tce": _number(found.total_tce),
        "coverage": covered,
    }


def _number(value: Any) -> float | None:
    figure = float(value)
    return figure if math.isfinite(figure) else None
