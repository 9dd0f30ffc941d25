"""The validation list of a period: which rules were violated, where, by how much."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from analytics.jobs import compute
from analytics.jobs.amounts import Period
from analytics.jobs.balancing import balances
from analytics.jobs.compute import World
from analytics.registers import QUARTER_US, TOLERATED
from store import events, registry
from store.database import Connection
from store.quantities import QUANTITIES
from store.readings import to_datetime, to_us
from store.records import Channel, Park
from store.series import USAGE_15MIN, USAGE_DAY, read

# kinds of events that are violations, and what each touches
TOUCHES = {
    "jump": "usage across it is unknown",
    "spike": "the readings are left out",
    "glitch": "the readings are left out",
    "clock": "the readings are left out",
    "erratic": "usage across them is unknown",
    "stuck": "the rest counts as no usage",
    "catch-up": "usage since it was live is known in its sum alone",
    "reset": "usage across it is unknown, or begun at 0",
    "silence": "usage across it is unknown",
    "overlap": "the amount does not count",
}
# what the wire refuses, by words of the reason
REFUSED = {
    "negative": ("interval amount is below 0", "an interval amount below 0 is refused"),
    "clock ahead": (
        "minutes in the future",
        "a time more than 10 minutes after its arrival is refused",
    ),
}
Row = dict[str, Any]


def checks(
    conn: Connection,
    park: Park,
    first: date,
    last: date,
    *,
    minimum_coverage: float = 0.95,
    now: datetime | None = None,
) -> list[Row]:
    """List the rules that local days [first, last) violate; docs/operation.md names them.

    Returns
    -------
    list of dict
        One for each rule and register or node, by meter: how often, first and last time,
        the value that is worst or last, its limit where the rule has one, and what it
        touches. What a person judged is counted beside it.
    """
    now = now or datetime.now(UTC)
    period = Period(first=first, last=last, zone=ZoneInfo(park.zone), now=now)
    world = compute.load_world(conn, park.park_id, park.zone)
    codes = registry.meter_codes(conn, park.park_id)
    found = [
        *_events(conn, park, period),
        *_above_rating(conn, world, period, codes),
        *_shares(conn, world, period, codes, minimum_coverage),
        *_refused(conn, park, period),
        *_sums(conn, park, period, minimum_coverage),
    ]
    found.sort(key=lambda row: (row["meter"], row["quantity"] or "", row["rule"]))
    return found


def _row(
    rule: str, meter: str, quantity: str | None, says: str, touches: str, **values: Any
) -> Row:
    row = dict.fromkeys(
        ("count", "judged", "first", "last", "value_before", "value", "limit", "unit")
    )
    return {
        "rule": rule,
        "meter": meter,
        "quantity": quantity,
        "says": says,
        "touches": touches,
        **row,
        "confidence": 1.0,
        **values,
    }


def _events(conn: Connection, park: Park, period: Period) -> list[Row]:
    return [
        _row(
            "physical maximum" if each.kind == "jump" else each.kind,
            f"{each.enterprise}/{each.meter}",
            each.quantity,
            each.rule,
            TOUCHES[each.kind],
            count=each.count,
            judged=each.judged,
            first=_local(each.first, period),
            last=_local(each.last, period),
            value_before=each.value_before,
            value=each.value_after,
            unit=each.unit,
            confidence=each.confidence,
        )
        for each in events.counted(
            conn, park.park_id, period.start, period.stop, TOUCHES
        )
    ]


def _above_rating(
    conn: Connection, world: World, period: Period, codes: dict[int, str]
) -> list[Row]:
    """Quarter hours of interval amounts, or of what was judged real, above the rating."""
    limits = {
        each.channel_id: TOLERATED * each.rated_per_h / 4
        for each in world.usages
        if each.rated_per_h is not None
    }
    used = read(conn, USAGE_15MIN, list(limits), period.start, period.stop)
    limit = np.array([limits[key] for key in used.key.tolist()])
    # across the edges of quarters rounding is no violation
    over = used.take(used.values[0] > limit * (1 + 1e-9))
    rows = []
    for key in np.unique(over.key).tolist():
        mine = over.take(over.key == key)
        channel = world.by_id[key]
        worst = int(np.argmax(mine.values[0]))
        rows.append(
            _row(
                "physical maximum",
                codes[channel.meter_id],
                channel.quantity,
                "more in a quarter of an hour than 1.1 times what its rating allows",
                f"{mine.key.size * QUARTER_US / 3600e6:g} h count as they are",
                count=int(mine.key.size),
                first=_local(to_datetime(int(mine.start_us[0])), period),
                last=_local(to_datetime(int(mine.start_us[-1])), period),
                value=float(mine.values[0, worst]),
                limit=limits[key],
                unit=QUANTITIES[channel.quantity].unit,
            )
        )
    return rows


def _shares(
    conn: Connection,
    world: World,
    period: Period,
    codes: dict[int, str],
    minimum: float,
) -> list[Row]:
    """Usages that are known, or measured with their shape, for too little of the time."""
    keys = [each.channel_id for each in world.usages]
    daily = read(conn, USAGE_DAY, keys, period.start, period.stop)
    rows = []
    for channel in world.usages:
        due = _counts_for_s(world, channel, period)
        if due <= 0:
            continue
        low, high = np.searchsorted(
            daily.key, [channel.channel_id, channel.channel_id + 1]
        )
        _, measured, estimated, _ = daily.values[:, low:high].sum(axis=1)
        shares = {
            "gap share": (
                float(estimated) / due,
                "the shape of too much of the time is estimated",
                f"{estimated / 3600:.6g} h are known in their sum alone",
            ),
            "missing share": (
                1.0 - float(measured + estimated) / due,
                "too much of the time is unknown",
                f"{(due - measured - estimated) / 3600:.6g} h do not count",
            ),
        }
        rows += [
            _row(
                rule,
                codes[channel.meter_id],
                channel.quantity,
                says,
                touches,
                value=share,
                limit=1.0 - minimum,
                unit="",
            )
            for rule, (share, says, touches) in shares.items()
            if share > 1.0 - minimum + 1e-9
        ]
    return rows


def _counts_for_s(world: World, channel: Channel, period: Period) -> float:
    """Give the seconds that have passed of the period since the meter first counted."""
    of = channel.measures
    painted = world.members.get(of) or world.of_park.get(of)
    since = min((at for at, _ in painted or []), default=to_us(period.due))
    return (to_us(period.due) - max(since, to_us(period.start))) / 1e6


def _refused(conn: Connection, park: Park, period: Period) -> list[Row]:
    return [
        _row(
            rule,
            f"{each.enterprise}/{each.meter}",
            None,
            says,
            "the readings are not stored; their bytes are kept in quarantine",
            count=each.count,
            first=_local(each.first, period),
            last=_local(each.last, period),
        )
        for rule, (words, says) in REFUSED.items()
        for each in events.refused(conn, park.code, period.start, period.stop, words)
    ]


def _sums(conn: Connection, park: Park, period: Period, minimum: float) -> list[Row]:
    """Nodes of the tree whose parts and main meter differ by more than they may."""
    by_node: dict[str, list[Row]] = {}
    for quantity in ("energy_import",):
        for each in balances(
            conn,
            park,
            period.first,
            period.last,
            quantity=quantity,
            grain="day",
            minimum_coverage=minimum,
            now=period.now,
        ):
            if each["significant"]:
                by_node.setdefault(each["meter"], []).append(each)
    rows = []
    for meter, days in by_node.items():
        worst = max(
            days, key=lambda each: abs(each["unaccounted"]) - each["uncertainty"]
        )
        rows.append(
            _row(
                "sum check",
                meter,
                "energy_import",
                "main meter less parts is outside its uncertainty on a day",
                "parts: " + ", ".join(worst["below"]),
                count=len(days),
                first=days[0]["start"],
                last=days[-1]["start"],
                value=worst["unaccounted"],
                limit=worst["uncertainty"],
                unit="kwh",
            )
        )
    return rows


def _local(at: datetime, period: Period) -> str:
    return at.astimezone(period.zone).isoformat()
