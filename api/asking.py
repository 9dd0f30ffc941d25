"""What routes ask for: a connection, a subject, a period, an instant, a format."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import Depends, Path, Query, Request

from store import registry, whose
from store.database import Connection, Pool, translated
from store.errors import Invalid
from store.quantities import QUANTITIES
from store.records import Park, Subject
from store.settings import Settings

FIRST, LAST = date(2000, 1, 1), date(2100, 1, 1)
LONGEST_DAYS = {"15min": 400, "day": 4000, "month": 4000}

Grain = Annotated[
    Literal["15min", "day", "month"], Query(description="length of the rows' intervals")
]
Format = Annotated[
    Literal["json", "csv"], Query(alias="format", description="of the answer")
]


def _connection(request: Request) -> Iterator[Connection]:
    pool: Pool = request.app.state.pool
    with translated(), pool.connection() as conn:
        yield conn


def _settings(request: Request) -> Settings:
    found: Settings = request.app.state.settings
    return found


Conn = Annotated[Connection, Depends(_connection, scope="function")]
Set = Annotated[Settings, Depends(_settings)]
ParkCode = Annotated[str, Path(description="the park's code")]
EnterpriseCode = Annotated[str | None, Query(description="an enterprise's code")]
MeterCode = Annotated[str | None, Query(description="a meter's code")]


def _park(request: Request, conn: Conn, park: ParkCode) -> Park:
    # whoever names a part must not be given the whole
    for name in ("enterprise", "meter"):
        if name in request.query_params:
            raise Invalid(f"this is told of a whole park alone: leave {name} out")
    return registry.park(conn, park)


def _named(
    conn: Conn,
    park: ParkCode,
    enterprise: EnterpriseCode = None,
    meter: MeterCode = None,
) -> Subject:
    return registry.subject(conn, park, enterprise, meter)


def _subject(
    request: Request, conn: Conn, subject: Annotated[Subject, Depends(_named)]
) -> Subject:
    # who names an enterprise is told nothing of the time in which a meter is another's
    if subject.kind == "meter" and _own_time(request):
        own = whose.own_spans(conn, subject.subject_id)
        asked, zone = request.query_params, subject.park.zone
        low = high = None  # what has no period is of any time
        if "from" in asked and "to" in asked:
            low = instant("from", asked["from"], zone)
            high = instant("to", asked["to"], zone)
        if not any(_within(low, high, each) for each in own):
            raise Invalid(
                f"meter {subject.meter!r} counts for {subject.enterprise} "
                + (", and ".join(_told(each, zone) for each in own) or "at no time")
                + ": ask for a period within"
            )
    return subject


def _within(low: datetime | None, high: datetime | None, own: whose.Span) -> bool:
    return (own[0] is None or (low is not None and low >= own[0])) and (
        own[1] is None or (high is not None and high <= own[1])
    )


def _told(own: whose.Span, zone: str) -> str:
    words = zip(("from", "until"), own, strict=True)
    at = ZoneInfo(zone)
    return " ".join(f"{word} {each.astimezone(at)}" for word, each in words if each)


def _own_time(request: Request) -> bool:
    return "enterprise" in request.query_params


def _quantity(
    quantity: Annotated[str, Query(description="see docs/wire.md")] = "energy_import",
) -> str:
    if quantity not in QUANTITIES:
        raise Invalid(f"quantity {quantity!r} is none of {', '.join(QUANTITIES)}")
    return quantity


AskedPark = Annotated[Park, Depends(_park)]
AskedSubject = Annotated[Subject, Depends(_subject)]
# for lists of rows with their instants, which are cut to own time instead of refused
NamedSubject = Annotated[Subject, Depends(_named)]
OwnTime = Annotated[bool, Depends(_own_time)]
Quantity = Annotated[str, Depends(_quantity)]


@dataclass(frozen=True, kw_only=True)
class Days:
    """Local days [first, last)."""

    first: date
    last: date

    def between(self, zone: str) -> tuple[datetime, datetime]:
        """Give the local midnights at both ends."""
        at = ZoneInfo(zone)
        return (
            datetime.combine(self.first, time(), at),
            datetime.combine(self.last, time(), at),
        )


def _days(
    first: Annotated[
        date, Query(alias="from", description="first local day, YYYY-MM-DD")
    ],
    last: Annotated[date, Query(alias="to", description="local day after the last")],
    grain: Grain = "day",
) -> Days:
    if last <= first:
        raise Invalid(f"the period {first} to {last} is empty")
    if first < FIRST or last > LAST:
        raise Invalid(f"the period must lie between {FIRST} and {LAST}")
    longest = LONGEST_DAYS[grain]
    if (last - first).days > longest:
        raise Invalid(
            f"the period has {(last - first).days} days, and the most with grain "
            f"{grain} is {longest}; ask in parts"
        )
    return Days(first=first, last=last)


AskedDays = Annotated[Days, Depends(_days)]


def midnight(day: date, zone: str) -> datetime:
    """Give the instant at which a local day begins.

    Raises
    ------
    Invalid
        Outside the years 2000 to 2100.
    """
    if not FIRST <= day <= LAST:
        raise Invalid(f"the day {day} does not lie between {FIRST} and {LAST}")
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def instant(name: str, text: str, zone: str, *, end_of_day: bool = False) -> datetime:
    """Read a parameter that is a time with its offset, or a local day.

    Raises
    ------
    Invalid
        When it is neither, or lies outside the years 2000 to 2100.
    """
    # an unescaped + in an address arrives as a space
    mended = re.sub(r" (\d\d:?\d\d)$", r"+\1", text)
    try:
        if len(text) <= len("2026-11-23"):
            day = date.fromisoformat(text) + timedelta(days=end_of_day)
            at = datetime.combine(day, time(), ZoneInfo(zone))
        else:
            at = datetime.fromisoformat(mended)
    except (ValueError, OverflowError) as error:
        raise Invalid(
            f"{name} {text!r} is neither a day (2026-11-23) nor a time with its offset "
            "(2026-11-23T10:15:00Z)"
        ) from error
    if at.tzinfo is None:
        raise Invalid(f"{name} {text!r} has no offset: end it with Z or +08:00")
    if not FIRST <= at.date() <= LAST:
        raise Invalid(f"{name} {text!r} does not lie between {FIRST} and {LAST}")
    return at.astimezone(UTC)


def _known_on(
    conn: Conn,
    park: ParkCode,
    as_known_on: Annotated[
        str | None,
        Query(description="a time, or a local day (to its end): answer as known then"),
    ] = None,
) -> datetime | None:
    if as_known_on is None:
        return None
    zone = registry.park(conn, park).zone
    return instant("as_known_on", as_known_on, zone, end_of_day=True)


KnownOn = Annotated[datetime | None, Depends(_known_on)]
