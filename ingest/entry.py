"""What people write: quantities, instants and numbers, never guessed."""

import re
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ingest.reading import Refused, quantified, time_us
from store.errors import Invalid
from store.quantities import KEYS, QUANTITIES, Key

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def zone_of(name: str) -> ZoneInfo:
    """Find a time zone.

    Raises
    ------
    Invalid
        When there is none of this name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(f"{name!r} is no IANA time zone") from None


def key_of(quantity: str) -> str:
    """Give the key of the catalogue; a bare name means its canonical unit.

    Raises
    ------
    Refused
        When there is no such key.
    """
    key = quantity
    if key not in KEYS and key in QUANTITIES:
        unit = QUANTITIES[key].unit
        key = f"{key}_{unit}" if unit else key
    if key not in KEYS:
        raise Refused(f"unknown quantity {quantity[:70]!r}")
    return key


def instant_us(raw: str | float | datetime, zone: ZoneInfo | None = None) -> int:
    """Read an instant as microseconds since 1970; a local one only with its zone.

    Raises
    ------
    Refused
        As of the wire, and for a local time that a change of the clock skips or repeats.
    """
    arrived_us = time.time_ns() // 1000
    if isinstance(raw, str):
        if zone is None or len(raw) > 64:
            return time_us(raw or None, arrived_us)
        try:
            at = datetime.fromisoformat(raw)
        except ValueError:
            return time_us(raw or None, arrived_us)
        if len(raw) <= len("2026-03-01"):
            raise Refused(f"time {raw!r} is a day without a time")
    elif isinstance(raw, datetime):
        at = raw
    else:
        return time_us(raw, arrived_us)
    if at.tzinfo is None and zone is not None:
        at = _local(at, zone)
    return time_us(at.isoformat(), arrived_us)


def _local(at: datetime, zone: ZoneInfo) -> datetime:
    early, late = at.replace(tzinfo=zone, fold=0), at.replace(tzinfo=zone, fold=1)
    if early.utcoffset() == late.utcoffset():
        return early
    there = early.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == at
    what = "happens twice" if there else "does not exist"
    raise Refused(f"time {at.isoformat()} {what} in {zone.key}: state its offset")


def number(raw: object) -> float:
    """Read a number, or a text that can mean only one.

    Raises
    ------
    Refused
        For a text such as 1,234 and for what is no number at all.
    """
    if isinstance(raw, str):
        if _NUMBER.fullmatch(raw) is None:
            why = ": write it without commas" if "," in raw else ""
            raise Refused(f"value {raw[:40]!r} is not a number{why}")
        return float(raw)
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise Refused(f"value {str(raw)[:40]!r} is not a number")
    return float(raw)


def figure(raw: object, key: Key) -> float:
    """Read a number, or a text that can mean only one, as a value of a key.

    Raises
    ------
    Refused
        For a text such as 1,234 and as of the wire.
    """
    return quantified(number(raw) if isinstance(raw, str) else raw, key)
