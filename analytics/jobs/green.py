"""The ledger of green power: what is proven, what is wrong with it, what it is used for."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from analytics.jobs.months import later
from analytics.jobs.nested import Behind
from analytics.registers import Bool, Float64
from store.green import GreenMatch, GreenPower

GEC_MONTHS = 24  # a certificate holds two years from its month of production
STORED_KWH = 0.5  # a certificate is of whole MWh, what meters count is not

# by month, and whether it was kept: plants by their plain names, "" where none is named
Plants = Mapping[tuple[date, bool], set[str]]


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """A match that proves nothing, and why."""

    enterprise: str
    enterprise_id: int
    month: date
    kind: str
    reference: str
    green_match_id: int
    why: str
    told: str  # the same to an enterprise: nothing of what others proved


def expiry(of: GreenPower) -> date | None:
    """Give the day on which a record ends; only certificates end."""
    if of.expires is not None or of.kind != "certificate":
        return of.expires
    return later(of.production_month, GEC_MONTHS)


def check(
    records: Sequence[GreenPower],
    matches: Sequence[GreenMatch],
    taken: Mapping[tuple[int, date], float],
    made: Mapping[tuple[int, date], float],
) -> list[Wrong]:
    """Find the matches that prove nothing.

    Parameters
    ----------
    taken
        Power taken from the grid [kWh] by enterprise and month, where it is known.
    made
        Own photovoltaic power that was not given away [kWh], likewise.

    Notes
    -----
    Proof: GB/T 32151.34-2024 Annex D.2 (contract and settlement, certificates, monthly
    original records). One kWh counts once: certificates that stand for a trade or a direct
    supply take from the same amount. Which months a certificate may serve (not after its
    end, not before the year of its production) is ours.
    """
    known = {each.key: each for each in records}
    plants = _plants(records)
    wrong: list[Wrong] = []
    right: list[GreenMatch] = []
    for match in matches:
        why = _fault(match, known, plants)
        if why:
            wrong.append(_wrong(match, why))
        else:
            right.append(match)
    used: dict[tuple[str, ...], list[GreenMatch]] = defaultdict(list)
    months: dict[tuple[int, date, bool], list[GreenMatch]] = defaultdict(list)
    for match in right:
        own = known[match.key]
        used["of", own.kind, own.reference, own.production_month.isoformat()].append(
            match
        )
        whole = _whole(own, known)
        if whole is not None:
            month = whole.production_month.isoformat()
            used["of", whole.kind, whole.reference, month].append(match)
        months[match.enterprise_id, match.month, own.kind == "self_use"].append(match)
    for (_, kind, reference, month), some in used.items():
        volume = known[kind, reference, date.fromisoformat(month)].kwh
        wrong += _beyond(
            some,
            volume,
            f"more than the {volume:,.0f} kWh of {reference}",
            f"more than is left of {reference}",
        )
    for (enterprise, day, self_use), some in months.items():
        limit = (made if self_use else taken).get((enterprise, day))
        what = "own power kept" if self_use else "power taken from the grid"
        if limit is None:
            words = f"the {what} in the month is not known"
            wrong += [] if self_use else [_wrong(each, words) for each in some]
        else:
            wrong += _beyond(some, limit, f"more than the {what}, {limit:,.0f} kWh")
    return sorted(wrong, key=lambda each: each.green_match_id)


def _fault(
    match: GreenMatch, known: Mapping[tuple[str, str, date], GreenPower], plants: Plants
) -> str:
    """Say what is wrong with a match by itself."""
    own = known.get(match.key)
    if own is None:
        return "there is no such record"
    if own.cancelled:
        return "the record is cancelled"
    if not (own.evidence or "").strip():
        return {
            "trade": "the trade has no settlement",
            "direct": "the direct supply has no settlement",
            "self_use": "the self-use has no monthly original record",
        }.get(own.kind, "the certificate has no evidence")
    if own.kind != "certificate":
        if match.month != own.production_month:
            made = f"{own.production_month:%Y-%m}"
            return f"it was made in {made}, and serves its own month alone"
        if own.kind == "self_use" and own.producer not in (None, match.enterprise):
            return "another made it, and self-use is of one's own"
        return ""
    end = expiry(own)
    if end is not None and match.month >= end:
        return f"the certificates ended on {end}"
    if match.month.year < own.production_month.year:
        return f"the certificates are of {own.production_month:%Y-%m}, a later year"
    if own.producer == match.enterprise:
        return "it is of power that the enterprise itself made and gave away"
    if own.part_of is not None and _whole(own, known) is None:
        return f"it stands for {own.part_of}, and there is no such trade or supply"
    return _twice(own, plants) if own.part_of is None else ""


def _whole(
    own: GreenPower, known: Mapping[tuple[str, str, date], GreenPower]
) -> GreenPower | None:
    """Find the trade or supply whose kWh certificates stand for."""
    if own.kind != "certificate" or own.part_of is None:
        return None
    for kind in ("trade", "direct"):
        found = known.get((kind, own.part_of, own.production_month))
        if found is not None:
            return found
    return None


def _maker(
    own: GreenPower, known: Mapping[tuple[str, str, date], GreenPower]
) -> str | None:
    """Give the enterprise of the park that made it and gave it away."""
    whole = _whole(own, known) or own
    return None if own.kind == "self_use" else own.producer or whole.producer


def _plants(records: Iterable[GreenPower]) -> Plants:
    """Name the plants of power that is proven otherwise than by certificates."""
    found: dict[tuple[date, bool], set[str]] = defaultdict(set)
    for each in records:
        if each.kind == "certificate" or each.cancelled:
            continue
        kept, name = each.kind == "self_use", _plain(each.plant)
        if name or not kept:  # certificates of power that is kept cannot be traded
            found[each.production_month, kept].add(name)
    return found


def _plain(name: str | None) -> str:
    """Give a name as it is compared: by no width, case or space of its letters."""
    folded = unicodedata.normalize("NFKC", name or "").casefold()
    return "".join(unicodedata.normalize("NFKC", folded).split())


def _twice(own: GreenPower, plants: Plants) -> str:
    """Say why the kWh of certificates may be in the ledger already."""
    name = _plain(own.plant)
    traded = plants.get((own.production_month, False), set())
    kept = plants.get((own.production_month, True), set())
    if name and name in traded | kept:
        return (
            "power of this plant and month is in the ledger already, not as part of it"
        )
    if traded and not name:
        return (
            "it names no plant, and power of its month is in the ledger by trade or "
            "direct supply: name its plant, or what it is part of"
        )
    if "" in traded:
        return (
            "a trade or a direct supply of its month names no plant: name it there, or "
            "what the certificates are part of"
        )
    return ""


def _beyond(
    some: list[GreenMatch], limit: float, words: str, told: str = ""
) -> list[Wrong]:
    """Give the matches with which, in the order recorded, a limit is passed."""
    found, total = [], 0.0
    for match in sorted(some, key=lambda each: each.green_match_id):
        if total + match.kwh > limit + STORED_KWH:
            found.append(_wrong(match, words, told))
        else:
            total += match.kwh
    return found


def _wrong(match: GreenMatch, why: str, told: str = "") -> Wrong:
    return Wrong(
        enterprise=match.enterprise,
        enterprise_id=match.enterprise_id,
        month=match.month,
        kind=match.kind,
        reference=match.reference,
        green_match_id=match.green_match_id,
        why=why,
        told=told or why,
    )


def errors(faults: Iterable[Wrong], enterprise: str | None = None) -> list[str]:
    """Say which matches prove nothing: all to the park, to an enterprise its own."""
    return [
        f"{each.month:%Y-%m} {each.enterprise}: {each.kind} {each.reference}: "
        f"{each.why if enterprise is None else each.told}"
        for each in faults
        if enterprise in (None, each.enterprise)
    ]


def _together(month: date) -> Wrong:
    why = "enterprises have proven more together than the meter above them took"
    return Wrong(
        enterprise="all",
        enterprise_id=0,
        month=month,
        kind="all",
        reference="matches",
        green_match_id=0,
        why=why,
        told=why,
    )


@dataclass(frozen=True, kw_only=True)
class Green:
    """Proven green power laid out, shape (subjects, cells) [kWh]."""

    proven: Float64  # of the power taken from the grid; 0 where nothing is matched
    direct: Float64  # of it by direct supply
    # made and given away by an enterprise of the park, and proven by another one: what the
    # maker, and so the park, took less what it gave has left it out already
    inside: Float64
    self_use: Float64  # own photovoltaic power with its monthly record
    unmetered: Float64  # of it what no meter of its enterprise counts
    sold: Float64  # own power kept whose certificates others have
    wrong: Bool  # where a match proves nothing: no green figure can be given
    faults: tuple[Wrong, ...]
    ids: Mapping[tuple[int, int], tuple[int, ...]]  # matches by row and cell


def lay_out(
    records: Sequence[GreenPower],
    matches: Sequence[GreenMatch],
    taken: Float64,
    made: Float64,
    given: Float64,
    *,
    rows: Mapping[int, int],
    codes: Mapping[str, int],
    park_row: int | None,
    months: Sequence[date],
    whole: Bool,
    shape: tuple[int, int],
    behind: Behind,
) -> Green:
    """Lay the ledger out; the park's row has what its enterprises have together.

    Parameters
    ----------
    taken, made
        As of :func:`check`, shape (subjects, cells); NaN: unknown.
    given
        Power given to others [kWh]; certificates of own power are of it first, because
        those of power kept cannot be traded.
    rows, codes
        Row of each enterprise's id, and of its code.
    """
    cells = {month: i for i, month in enumerate(months) if whole[i]}
    here = [m for m in matches if m.enterprise_id in rows and m.month in cells]
    shown = {m.green_match_id for m in here}
    limits = []
    for table in (taken, made):
        limit = boundless(matches)  # of what is not here its own account knows
        for m in here:
            found = float(table[rows[m.enterprise_id], cells[m.month]])
            limit[m.enterprise_id, m.month] = found
        limits.append({at: kwh for at, kwh in limit.items() if not np.isnan(kwh)})
    faults = [
        each
        for each in check(records, matches, *limits)
        if each.green_match_id in shown
    ]
    bad = {each.green_match_id for each in faults}
    proven, direct, inside, self_use, unmetered, sold = np.zeros((6, *shape))
    known = {each.key: each for each in records}
    wrong = np.zeros(shape, np.bool_)
    ids: dict[tuple[int, int], list[int]] = defaultdict(list)
    for match in here:
        cell = cells[match.month]
        own = known.get(match.key)
        maker = None if own is None else _maker(own, known)
        if maker is not None and match.green_match_id not in bad:
            for at in (codes.get(maker), park_row):
                if at is not None:
                    inside[at, cell] += match.kwh
        for row in (rows[match.enterprise_id], park_row):
            if row is None:
                continue
            if match.green_match_id in bad:
                wrong[row, cell] = True
                continue
            table = self_use if match.kind == "self_use" else proven
            table[row, cell] += match.kwh
            # a neighbour's meter says nothing of it, so the park has it by its record too
            if match.kind == "self_use" and np.isnan(
                made[rows[match.enterprise_id], cell]
            ):
                unmetered[row, cell] += match.kwh
            if match.kind == "direct":
                direct[row, cell] += match.kwh
            ids[row, cell].append(match.green_match_id)
    if park_row is not None:
        # two enterprises may prove the same kWh, one behind the meter of the other; what
        # was made behind a meter needs no room in it
        bought = _through_meters(proven - inside, rows, behind)
        which = [park_row, *rows.values()]
        beyond: Bool = np.any(bought[which] > taken[which] + STORED_KWH, axis=0)
        wrong[park_row] |= beyond
        faults += [_together(month) for month, i in cells.items() if beyond[i]]
    for each in records:
        if each.kind != "certificate" or each.cancelled or each.producer is None:
            continue
        producer, made_in = codes.get(each.producer), cells.get(each.production_month)
        if producer is not None and made_in is not None:
            sold[producer, made_in] += each.kwh
    sold = np.maximum(sold - np.nan_to_num(given), 0.0)
    if park_row is not None:
        sold[park_row] = 0.0
        for row in sorted(rows.values()):
            sold[park_row] += sold[row]
    return Green(
        proven=proven,
        direct=direct,
        inside=inside,
        self_use=self_use,
        unmetered=unmetered,
        sold=sold,
        wrong=wrong,
        faults=tuple(dict.fromkeys(faults)),
        ids={at: tuple(each) for at, each in ids.items()},
    )


def _through_meters(
    proven: Float64, rows: Mapping[int, int], behind: Behind
) -> Float64:
    """Add to what an enterprise has proven what those have that stand behind it alone."""
    found = proven.copy()
    for (name, other, cell), above in behind.items():
        if name == "energy_import" and other in rows:
            for owner in set.intersection(*(set(each) for each in above)):
                if owner in rows:
                    found[rows[owner], cell] += proven[rows[other], cell]
    return found


def boundless(matches: Iterable[GreenMatch]) -> dict[tuple[int, date], float]:
    """Give the months of matches without a limit [kWh]."""
    return {(each.enterprise_id, each.month): np.inf for each in matches}
