"""Options that several commands have, and how what is typed for them is read."""

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from store.errors import Invalid
from store.records import Subject

ParkOption = Annotated[str, typer.Option("--park", help="code of the park")]
EnterpriseOption = Annotated[
    str | None, typer.Option("--enterprise", help="code of an enterprise")
]
TariffOption = Annotated[str | None, typer.Option("--tariff", help="its code")]
MethodOption = Annotated[
    str | None,
    typer.Option("--method", help="capacity, contract, demand, none: the basic charge"),
]
CapacityOption = Annotated[
    float | None, typer.Option("--capacity", min=0.001, help="connected, in kVA")
]
StandardOption = Annotated[
    float | None, typer.Option("--standard", help="power factor: 0.90, 0.85 or 0.80")
]
MeterOption = Annotated[str | None, typer.Option("--meter", help="code of a meter")]
FromOption = Annotated[
    datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="first day")
]
ToOption = Annotated[
    datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="day after the last")
]
UntilOption = Annotated[
    datetime | None,
    typer.Option("--to", formats=["%Y-%m-%d"], help="day after the last; else open"),
]
SourceOption = Annotated[
    str, typer.Option("--source", help="where this is known from, and who says so")
]
WhoOption = Annotated[str, typer.Option("--who", help="the person who says so")]
MonthOption = Annotated[
    datetime, typer.Option("--month", formats=["%Y-%m"], help="local month")
]
YearOption = Annotated[int, typer.Option("--year", help="calendar year")]
KnownOption = Annotated[
    str | None, typer.Option("--as-known-on", help="date or time: what was known then")
]
CleanOption = Annotated[
    str,
    typer.Option(
        "--clean", help="non_fossil_electricity, non_fossil or non_fossil_and_gas"
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="everything")]


def moment(text: str | None, subject: Subject) -> datetime | None:
    """Read a date (its end, in the park's zone) or a time with zone."""
    if text is None:
        return None
    zone = ZoneInfo(subject.park.zone)
    try:
        if len(text) == len("2026-11-23"):
            day = date.fromisoformat(text) + timedelta(days=1)
            return datetime.combine(day, time(), zone)
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{text!r} is no date or ISO 8601 time") from None
    return at if at.tzinfo else at.replace(tzinfo=zone)


def read_text(file: Path) -> str:
    """Read a file that was named; what is wrong with it is told with its name."""
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{file}: {error}") from error
