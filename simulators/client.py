"""The platform, asked through its public API as docs/api.md describes it."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import TracebackType
from typing import Any, NamedTuple, Self
from zoneinfo import ZoneInfo

import httpx
import numpy as np

from simulators.errors import SimulatorError
from simulators.load import Integers
from simulators.meter import Float64

QUARTER_S = 900
_DAYS = 366  # of quarter hours asked for at once; the API's bound is 400
_EVENTS = 10_000  # the API's bounds
_QUARANTINED = 1000  # of a page
_PATIENCE_S = 120.0


class Told(NamedTuple):
    """What the platform says of each quarter hour of a run, shape (n,).

    `amount`, `least` and `most`, between which it says the amount to lie, are NaN, and
    both durations [s] are 0, where it says nothing.
    """

    amount: Float64
    measured_s: Float64
    estimated_s: Float64
    least: Float64
    most: Float64


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that the platform recognised in a register."""

    meter: str
    quantity: str
    at_s: float
    kind: str


@dataclass(frozen=True, kw_only=True)
class MonthPeak:
    """The highest window of a local month, or of the part that was asked for."""

    month_s: int  # when the month begins
    kw: float  # NaN: not known
    at_s: int | None
    known_share: float


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A message, or a part of one, in quarantine."""

    topic: str
    reason: str
    payload: str  # its beginning


class Platform:
    """Asks for one park's figures.

    Parameters
    ----------
    address : str
        Such as ``http://127.0.0.1:8600``.
    park : str
        Its code.
    zone : str
        Of its local days.
    client : httpx.Client, optional
        That asks; by default one of its own.

    Raises
    ------
    SimulatorError
        From each question that is not answered, with what to do.
    """

    def __init__(
        self, address: str, park: str, zone: str, client: httpx.Client | None = None
    ) -> None:
        self._client = client or httpx.Client(base_url=address, timeout=_PATIENCE_S)
        self._address, self._park, self._zone = address, park, ZoneInfo(zone)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def quantities(self) -> frozenset[str]:
        """Return the names of all quantities it knows."""
        rows = self._json("/quantities")["rows"]
        return frozenset(row["name"] for row in rows)

    def pending(self, start_s: int) -> bool:
        """Tell whether something waits to be computed again."""
        day = self._day(start_s)
        asked = self._json(
            self._of("/figures"), **_days(day, day + timedelta(days=1)), grain="month"
        )
        return bool(asked["pending"])

    def usage(
        self,
        quantity: str,
        start_s: int,
        stop_s: int,
        *,
        enterprise: str | None = None,
        meter: str | None = None,
    ) -> Told:
        """Return the usage of each quarter hour of ``[start_s, stop_s)``.

        Of the park, an enterprise or a meter; in the quantity's canonical unit.
        """
        count = (stop_s - start_s) // QUARTER_S
        unknown = [np.full(count, np.nan) for _ in range(3)]
        told = Told(unknown[0], np.zeros(count), np.zeros(count), *unknown[1:])
        for first, last in self._parts(start_s, stop_s):
            rows = self._csv(
                self._of("/usage"),
                **_days(first, last),
                **_subject(enterprise, meter),
                quantity=quantity,
                grain="15min",
                bounds=True,
            )
            place = (_seconds(rows["start"]) - start_s) // QUARTER_S
            inside = (place >= 0) & (place < count)
            for name, into in zip(Told._fields, told, strict=True):
                into[place[inside]] = _numbers(rows[name])[inside]
        return told

    def month_peaks(
        self, start_s: int, stop_s: int, *, enterprise: str | None = None
    ) -> tuple[str, list[MonthPeak]]:
        """Return by which windows demand is measured, and each month's highest."""
        method, found = "", []
        for first, last in self._parts(start_s, stop_s):
            asked = self._json(
                self._of("/peaks"),
                **_days(first, last),
                **_subject(enterprise, None),
                count=1,
            )
            method = asked["demand_method"]
            found += [
                MonthPeak(
                    month_s=_second(row["start"]),
                    kw=np.nan if row["kw"] is None else row["kw"],
                    at_s=_second(row["peak_start"]) if row["peak_start"] else None,
                    known_share=row["coverage"],
                )
                for row in asked["months"]
            ]
        return method, found

    def figures(
        self, first: date, last: date, *, enterprise: str | None = None
    ) -> Mapping[str, Any]:
        """Return all figures of local days ``[first, last)``, as docs/figures.md has."""
        return self._json(
            self._of("/figures"),
            **_days(first, last),
            **_subject(enterprise, None),
            grain="month",
        )

    def events(self, start_s: int, stop_s: int) -> list[Event]:
        """Return what was recognised in the park's registers in ``[start_s, stop_s)``."""
        first, last = self._day(start_s), self._day(stop_s - 1) + timedelta(days=1)
        found = [
            Event(
                meter=row["meter"],
                quantity=row["quantity"],
                at_s=datetime.fromisoformat(row["at"]).timestamp(),
                kind=row["kind"],
            )
            for row in self._events(first, last)
            if row["kind"] is not None
        ]
        return [each for each in found if start_s <= each.at_s < stop_s]

    def sources(self) -> dict[str, dict[str, int]]:
        """Return what became of all readings, by source."""
        return _by_source(self._json("/sources"))

    def quarantine(self) -> list[Refused]:
        """Return what could not be read of the park, the newest first."""
        found, asked = [], {"limit": _QUARANTINED}
        while True:
            page = self._json("/quarantine", **asked)
            found += [
                Refused(
                    topic=row["topic"], reason=row["reason"], payload=row["payload"]
                )
                for row in page["rows"]
                if self._park in row["topic"].split("/")
            ]
            if page.get("next") is None:  # a platform of before has no pages
                return found
            asked["cursor"] = page["next"]

    def _events(self, first: date, last: date) -> Iterator[Mapping[str, Any]]:
        rows = self._json(self._of("/events"), **_days(first, last), limit=_EVENTS)[
            "rows"
        ]
        length = (last - first).days
        if len(rows) < _EVENTS:
            yield from rows
        elif length > 1:
            middle = first + timedelta(days=length // 2)
            yield from self._events(first, middle)
            yield from self._events(middle, last)
        else:
            raise SimulatorError(
                f"more than {_EVENTS} events on {first}: the API lists no more; score a "
                "park with fewer meters"
            )

    def _parts(self, start_s: int, stop_s: int) -> Iterator[tuple[date, date]]:
        """Yield local days in parts that begin with a month after the first."""
        first, last = self._day(start_s), self._day(stop_s - 1) + timedelta(days=1)
        while first < last:
            cut = (first + timedelta(days=_DAYS)).replace(day=1)
            until = min(last, cut)
            yield first, until
            first = until

    def _day(self, at_s: int) -> date:
        return datetime.fromtimestamp(at_s, self._zone).date()

    def _of(self, path: str) -> str:
        return f"/parks/{self._park}{path}"

    def _json(self, path: str, **asked: str | int) -> dict[str, Any]:
        found: dict[str, Any] = self._get(path, asked).json()
        return found

    def _csv(self, path: str, **asked: str | int) -> dict[str, Sequence[str]]:
        """Return the columns of a table by name."""
        text = self._get(path, asked | {"format": "csv"}).text
        names, *rows = csv.reader(io.StringIO(text))
        columns = zip(*rows, strict=True) if rows else [()] * len(names)
        return dict(zip(names, columns, strict=True))

    def _get(self, path: str, asked: Mapping[str, str | int]) -> httpx.Response:
        try:
            answer = self._client.get(f"/api/v1{path}", params=dict(asked))
        except httpx.HTTPError as error:
            raise SimulatorError(
                f"no answer from {self._address}: {str(error) or type(error).__name__}; "
                "start parkwatt serve, or name its address"
            ) from error
        if answer.is_error:
            raise SimulatorError(f"{path}: {answer.status_code}, {_words(answer)}")
        return answer


def _words(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return "and no word why: is this address that of parkwatt serve?"


def _days(first: date, last: date) -> dict[str, str]:
    return {"from": first.isoformat(), "to": last.isoformat()}


def _subject(enterprise: str | None, meter: str | None) -> dict[str, str]:
    named = {"enterprise": enterprise, "meter": meter}
    return {key: value for key, value in named.items() if value is not None}


def _second(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def _seconds(column: Sequence[str]) -> Integers:
    return np.array([_second(text) for text in column], dtype=np.int64)


def _numbers(column: Sequence[str]) -> Float64:
    return np.array([float(text or "nan") for text in column])


def counts(body: bytes) -> dict[str, dict[str, int]]:
    """Read what became of readings, as the platform answered earlier.

    Raises
    ------
    SimulatorError
        If it is no answer of /api/v1/sources.
    """
    try:
        return _by_source(json.loads(body))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SimulatorError("this is no answer of /api/v1/sources") from error


def _by_source(answer: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    return {
        row["source"]: {name: value for name, value in row.items() if name != "source"}
        for row in answer["rows"]
    }
