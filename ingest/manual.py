"""Readings that a person types and corrections that a person states."""

import json
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from ingest.entry import figure, instant_us, key_of
from ingest.reading import Parsed, Reading, Refused
from ingest.resolver import Resolver
from ingest.writer import Batch
from store import registry, rehearse, relations, revisions, typed
from store.batches import write_batch
from store.database import Connection
from store.errors import Invalid
from store.quantities import KEYS, Key
from store.readings import LONGEST_DELTA, NO_UNTIL, to_datetime
from store.records import Subject
from store.revisions import Revision
from store.typed import Neighbour

SOURCE = "manual"
PARSER = "manual/1"
RECENT = 8  # readings before a typed one that tell its usual rate
TIMES_USUAL = 5.0  # a rate above this multiple of the highest recent one; ours
OUTCOMES = ("inserted", "duplicate", "conflict")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What a person typed."""

    quantity: str  # a key of the catalogue, or a bare name in its canonical unit
    at: str
    until: str | None = None  # end of an interval amount
    value: float
    who: str


@dataclass(frozen=True, kw_only=True)
class Entered:
    """What became of it."""

    outcome: str  # inserted, duplicate, conflict or quarantined
    reason: str = ""
    at: datetime | None = None
    value: float | None = None  # in the canonical unit
    unit: str = ""
    stored: float | None = None  # what the key holds


def _checked(meter: str, entry: Entry) -> Reading:
    key = key_of(entry.quantity)
    known = KEYS[key]
    at_us = instant_us(entry.at)
    value = figure(entry.value, known)
    if known.kind != "delta":
        if entry.until is not None:
            raise Refused(f"{entry.quantity} is no interval amount: it has no end")
        return Reading(meter, key, at_us, value)
    if entry.until is None:
        raise Refused("an interval amount needs its end")
    until_us = instant_us(entry.until)
    if until_us <= at_us:
        raise Refused("the end of the interval is not after its begin")
    if to_datetime(until_us) - to_datetime(at_us) > LONGEST_DELTA:
        raise Refused("an interval amount is of at most 366 days")
    return Reading(meter, key, at_us, value, until_us)


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """Why a typed value is hardly right."""

    kind: str  # falls, or rises: its rate is far above the recent ones
    message: str
    at: datetime | None = None  # falls: of the reading beside it
    value: float | None = None  # of that reading
    rate: float | None = None  # rises: an hour
    usual: float | None = None  # the highest recent one


def doubts(conn: Connection, subject: Subject, entry: Entry) -> list[Doubt]:
    """Say why a typed value is hardly right; nothing for one that will be refused."""
    try:
        reading = _checked(subject.meter or "", entry)
    except Refused:
        return []
    known = KEYS[reading.key]
    channel = registry.find_channel(
        conn, subject.subject_id, known.quantity.name, known.kind
    )
    if channel is None or known.kind == "gauge":
        return []
    at = to_datetime(reading.at_us)
    before, following = typed.neighbours(conn, channel, at, RECENT)
    if known.kind == "delta":
        rates = [
            each.value / _hours(each.at, each.until)
            for each in before
            if each.until is not None
        ]
        rate = reading.value / _hours(at, to_datetime(reading.until_us))
        return _rises(rate, rates)
    value, found = reading.value, []
    if before and value < before[-1].value:
        found.append(_falls(before[-1]))
    if following is not None and following.value < value:
        found.append(_falls(following))
    rates = [
        (two.value - one.value) / _hours(one.at, two.at)
        for one, two in pairwise(before)
        if two.value >= one.value
    ]
    if before:
        rate = (value - before[-1].value) / _hours(before[-1].at, at)
        found += _rises(rate, rates)
    return found


def _falls(beside: Neighbour) -> Doubt:
    return Doubt(
        kind="falls",
        message=f"the register would fall: it reads {beside.value:.15g} at "
        f"{beside.at.isoformat()}",
        at=beside.at,
        value=beside.value,
    )


def _rises(rate: float, recent: list[float]) -> list[Doubt]:
    if not recent or rate <= TIMES_USUAL * max(recent):
        return []
    return [
        Doubt(
            kind="rises",
            message=f"the rate would be {rate:.4g} an hour, and lately it was at most "
            f"{max(recent):.4g}",
            rate=rate,
            usual=max(recent),
        )
    ]


def _hours(start: datetime, stop: datetime) -> float:
    return (stop - start).total_seconds() / 3600.0


def enter(conn: Connection, subject: Subject, entry: Entry) -> Entered:
    """Store a typed reading by the rules of the wire, with the person who typed it.

    Raises
    ------
    Invalid
        When nobody is named, the subject is no confirmed meter, or a correction lies
        over the instant.
    """
    meter = subject.meter
    if subject.kind != "meter" or meter is None or subject.enterprise is None:
        raise Invalid("a reading is of a meter: name one")
    who = revisions.signed("who", entry.who)
    if not relations.is_confirmed(conn, subject.subject_id):
        raise Invalid(
            f"meter {meter!r} is not confirmed; see `parkwatt register --meter`"
        )
    topic = f"manual/{subject.park.code}/{subject.enterprise}/{meter}"
    payload = json.dumps(
        {
            "quantity": entry.quantity,
            "at": entry.at,
            "until": entry.until,
            "value": entry.value,
            "who": who,
        },
        ensure_ascii=False,
    ).encode()
    batch, resolver = Batch(), Resolver(0)
    reading: Reading | None = None
    try:
        reading = _checked(meter, entry)
    except Refused as refused:
        batch.refuse(topic, payload, str(refused), 1)
    else:
        _uncorrected(conn, subject, reading)
        parsed = Parsed(
            park=subject.park.code, enterprise=subject.enterprise, readings=[reading]
        )
        batch.add(conn, resolver, topic, payload, parsed)
    rows = batch.rows()
    with conn.transaction():
        write_batch(
            conn,
            rows,
            batch.quarantined,
            parks=resolver.parks,
            totals=resolver.totals,
            source=SOURCE,
            parser=PARSER,
            messages=1,
        )
        batch_id = typed.last_batch(conn)
        typed.sign_batch(conn, batch_id, who)
        told = rehearse.outcomes(conn, rows, batch_id)
    if reading is None or batch.quarantined:
        return Entered(outcome="quarantined", reason=batch.quarantined[0].reason)
    return Entered(
        outcome=OUTCOMES[int(told.outcome[0])],
        at=to_datetime(reading.at_us),
        value=reading.value,
        unit=KEYS[reading.key].quantity.unit,
        stored=float(told.stored[0]),
    )


def _uncorrected(conn: Connection, subject: Subject, reading: Reading) -> None:
    known, at = KEYS[reading.key], to_datetime(reading.at_us)
    channel = registry.find_channel(
        conn, subject.subject_id, known.quantity.name, known.kind
    )
    if channel is not None and typed.corrected(conn, channel, at):
        raise Invalid(
            f"the reading of {at.isoformat()} was corrected or struck out: what is typed "
            "would not count. Correct it again, with a reason"
        )


def revise(
    conn: Connection,
    subject: Subject,
    *,
    quantity: str,
    at: str,
    value: float | str | None,
    until: str | None = None,
    who: str,
    why: str,
) -> Revision:
    """Lay a value over a meter's reading, or strike it out with None.

    Raises
    ------
    Invalid
        As of :func:`store.revisions.add_revision`, and for what the wire refuses.
    """
    if subject.kind != "meter":
        raise Invalid("a correction is of a meter's reading: name the meter")
    try:
        known: Key = KEYS[key_of(quantity)]
        at_us = instant_us(at)
        end_us = NO_UNTIL if until is None else instant_us(until)
        after = None if value is None else figure(value, known)
    except Refused as refused:
        raise Invalid(str(refused)) from refused
    until_at = None if end_us == NO_UNTIL else to_datetime(end_us)
    if until_at is not None and until_at - to_datetime(at_us) > LONGEST_DELTA:
        raise Invalid("an interval amount is of at most 366 days")
    who, why = revisions.signed("who", who), revisions.signed("why", why)
    name = known.quantity.name
    channel = registry.find_channel(conn, subject.subject_id, name, known.kind)
    if channel is None:
        if after is None:
            raise Invalid(f"the meter has no {name} to strike out")
        with conn.transaction():  # no channel is left behind by what is refused
            made = relations.add_meter_channel(
                conn, subject.subject_id, name, known.kind
            )
            return revisions.add_revision(
                conn,
                made,
                to_datetime(at_us),
                after,
                until=until_at,
                who=who,
                why=why,
            )
    return revisions.add_revision(
        conn, channel, to_datetime(at_us), after, until=until_at, who=who, why=why
    )
