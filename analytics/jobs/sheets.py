"""What an account of a park rests on: amounts, factors, statements, green power."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from analytics import accounts
from analytics.jobs import activities, compute, green
from analytics.jobs.accounting import CARRIERS, EXPORTS, Sheet
from analytics.jobs.choosing import Chooser
from analytics.jobs.nested import Behind
from analytics.jobs.vintage import KnownOn, Vintage
from analytics.registers import Bool, Float64
from store.activities import Activity
from store.activities import activities as read_activities
from store.database import Connection
from store.factors import factors, local_factors
from store.green import GreenMatch, GreenPower, green_matches, green_power
from store.readings import to_us
from store.records import Factor, Park, Subject


@dataclass(frozen=True, kw_only=True)
class Side:
    """What is known of a park on a date that its accounts rest on, beside amounts."""

    park: Park
    known: tuple[Factor, ...]
    local: tuple[Factor, ...]
    statements: tuple[Activity, ...]
    records: tuple[GreenPower, ...]
    matches: tuple[GreenMatch, ...]

    def chooser(
        self, owners: Sequence[Sequence[int]], months: Sequence[date]
    ) -> Chooser:
        """Choose factors for rows whose owners' factors stand in, the nearest last."""
        return Chooser(
            self.known,
            self.local,
            region=self.park.region,
            owners=owners,
            months=months,
        )

    @property
    def nests(self) -> bool:
        """Whether it counts who is behind whose meter.

        So it is where two have proven green power, or one has a factor of its own and
        another one, too, or proof.
        """
        owners = {each.subject_id for each in self.local} - {self.park.park_id}
        provers = {each.enterprise_id for each in self.matches}
        return len(provers) > 1 or (bool(owners) and len(owners | provers) > 1)

    def producers(self) -> set[str]:
        """List the enterprises of which others have power or heat, by code."""
        said = [each.supplier for each in self.statements]
        made = [each.producer for each in self.records]
        return {each for each in (*made, *said) if each is not None}

    def involved(self, behind: Behind) -> set[int]:
        """List the enterprises without whose amounts the park's account cannot be made.

        Beside the :meth:`producers`.
        """
        provers = {each.enterprise_id for each in self.matches}
        return (
            {each.enterprise_id for each in self.statements}
            | provers
            | {
                each
                for (_, each, _), chains in behind.items()
                if not provers.isdisjoint(set().union(*chains))
            }
            | {each.subject_id for each in self.local if each.subject_id is not None}
        ) - {self.park.park_id}


def load_side(
    conn: Connection,
    park: Park,
    first: date,
    last: date,
    known_on: KnownOn,
) -> Side:
    """Read what the accounts of days [first, last) rest on, as known on a date."""
    vintage = Vintage.of(known_on)
    return Side(
        park=park,
        known=tuple(factors(conn, vintage.factors)),
        local=tuple(local_factors(conn, park.park_id, vintage.factors)),
        statements=tuple(
            read_activities(conn, park.park_id, first, last, vintage.statements)
        ),
        records=tuple(green_power(conn, park.park_id, vintage.green)),
        matches=tuple(green_matches(conn, park.park_id, vintage.green)),
    )


def build(
    side: Side,
    amounts: dict[str, Float64],
    subjects: Sequence[Subject],
    months: Sequence[date],
    *,
    whole: Bool,
    park_meters: Mapping[str, Bool],
    behind: Behind,
) -> Sheet:
    """Lay amounts, statements and green power of subjects out by months.

    Parameters
    ----------
    amounts
        By quantity, shape (subjects, cells); NaN: unknown.
    whole
        Which cells are whole months: statements and green power are of no others.
    park_meters
        As :func:`gates` gives.
    behind
        As :func:`analytics.jobs.nested.behind` gives; only needed where it counts who is.
    """
    shape = (len(subjects), len(months))
    nothing = np.full(shape, np.nan)
    rows = {s.subject_id: i for i, s in enumerate(subjects) if s.kind == "enterprise"}
    park_row = next((i for i, s in enumerate(subjects) if s.kind == "park"), None)
    metered = {
        carrier: accounts.known_sum(
            [
                (0.0, nothing),
                *((w, amounts[q]) for q, w in terms.items() if q in amounts),
            ]
        )
        for carrier, (_, terms) in CARRIERS.items()
    }
    metered["steam"] = metered["heat"]
    metered["electricity"] = amounts.get("energy_import", nothing)
    codes = {
        s.enterprise or "": rows[s.subject_id] for s in subjects if s.subject_id in rows
    }
    heat = [amounts[name] for name in EXPORTS["heat"] if name in amounts]
    gifts = np.any([each > 0 for each in (nothing, *heat)], axis=0)
    stated = activities.lay_out(
        side.statements,
        metered,
        rows=rows,
        park_row=park_row,
        months=months,
        whole=whole,
        park_meters=park_meters,
        given={
            (item, code): gifts[row]
            for item in ("heat", "steam")
            for code, row in codes.items()
        },
        shape=shape,
    )
    bought = [(1.0, e.amount) for e in stated if e.counts and e.item == "electricity"]
    ledger = green.lay_out(
        side.records,
        side.matches,
        accounts.known_sum([(1.0, metered["electricity"]), *bought]),
        accounts.known_sum(
            [
                (1.0, amounts.get("pv_generation", nothing)),
                (-1.0, _known_beside(amounts, nothing)),
            ]
        ),
        amounts.get("energy_export", nothing),
        rows=rows,
        codes=codes,
        park_row=park_row,
        months=months,
        whole=whole,
        shape=shape,
        behind=behind,
    )
    return Sheet(
        amounts=amounts,
        shape=shape,
        park_row=park_row,
        rows=rows,
        stated=stated,
        green=ledger,
        behind=behind,
    )


def _known_beside(amounts: dict[str, Float64], nothing: Float64) -> Float64:
    """Give what is exported where own generation is metered."""
    made = amounts.get("pv_generation", nothing)
    return np.where(np.isnan(made), np.nan, amounts.get("energy_export", nothing))


def gates(
    world: compute.World, plans: Sequence[compute.Total], edges: Sequence[datetime]
) -> dict[str, Bool]:
    """Find by item the months in which a meter of the park alone counts it."""
    carrier_of = {
        quantity: carrier
        for carrier, (_, terms) in CARRIERS.items()
        for quantity in terms
    }
    at = np.array([to_us(each) for each in edges], np.int64)
    found: dict[str, Bool] = {}
    for quantity, low, high in of_the_park_alone(world, plans, int(at[-1])):
        if quantity not in carrier_of:
            continue
        here = (at[:-1] < high) & (at[1:] > low)
        item = carrier_of[quantity]
        found[item] = found.get(item, np.zeros(here.size, np.bool_)) | here
    if "heat" in found:
        found["steam"] = found["heat"]
    return found


def of_the_park_alone(
    world: compute.World, plans: Sequence[compute.Total], stop_us: int
) -> Iterator[tuple[str, int, int]]:
    """Find when meters count for the park and for no enterprise: quantity, from, to."""
    for plan in plans:
        if plan.subject_id != world.park_id:
            continue
        for channel, low, high in plan.parts:
            painted = world.members.get(world.by_id[channel].measures, [])
            ends = [each for each, _ in painted[1:]] + [stop_us]
            for (begin, owner), end in zip(painted, ends, strict=True):
                if owner is None and max(begin, low) < min(end, high):
                    yield plan.quantity, max(begin, low), min(end, high)
