"""Which channel a reading belongs to; new meters register themselves."""

import time
from typing import NamedTuple

from ingest.reading import Reading, Refused
from store import registry, relations
from store.database import Connection
from store.errors import Invalid
from store.quantities import KEYS, OF_LOADS

_FORGET_S = 1.0  # how long an unknown enterprise stays unknown


class Owner(NamedTuple):
    """A known enterprise and the channels met so far."""

    park_id: int
    enterprise_id: int
    channels: dict[tuple[str, str], int]


class Resolver:
    """Finds the channel of each reading; registers new meters as unconfirmed."""

    def __init__(self, unconfirmed_meters: int) -> None:
        self._limit = unconfirmed_meters
        self._owners: dict[tuple[str, str], Owner] = {}
        self._unknown: dict[tuple[str, str], float] = {}
        self.parks: dict[int, int] = {}
        self.totals: set[int] = set()

    def owner(self, conn: Connection, park: str, enterprise: str) -> Owner:
        """Find an enterprise.

        Raises
        ------
        Refused
            When the park or the enterprise is not registered.
        """
        found = self._owners.get((park, enterprise))
        if found is None:
            now = time.monotonic()
            if self._unknown.get((park, enterprise), 0.0) < now:
                found = self._load(conn, park, enterprise)
            if found is None:
                if len(self._unknown) > 10_000:
                    self._unknown.clear()
                if self._unknown.get((park, enterprise), 0.0) < now:
                    self._unknown[park, enterprise] = now + _FORGET_S
                raise Refused(f"unknown enterprise {enterprise!r} of park {park!r}")
            self._owners[park, enterprise] = found
            self._unknown.pop((park, enterprise), None)
        return found

    def _load(self, conn: Connection, park: str, enterprise: str) -> Owner | None:
        ids = registry.find_enterprise(conn, park, enterprise)
        return None if ids is None else Owner(*ids, {})

    def channel(self, conn: Connection, owner: Owner, reading: Reading) -> int:
        """Find the channel of a reading, making it and its meter where they are new.

        Raises
        ------
        Refused
            When too many meters of the enterprise wait for confirmation, or the meter is
            a virtual one.
        """
        known = KEYS[reading.key]
        meter_id = self._meter(conn, owner, reading.meter)
        try:
            channel = relations.add_meter_channel(
                conn, meter_id, known.quantity.name, known.kind
            )
        except Invalid as error:
            raise Refused(str(error)) from error
        owner.channels[reading.meter, reading.key] = channel
        self.parks[channel] = owner.park_id
        if known.kind != "gauge" or known.quantity.name in OF_LOADS:
            self.totals.add(channel)
        return channel

    def _meter(self, conn: Connection, owner: Owner, code: str) -> int:
        meter_id, waiting = registry.find_meter(conn, owner.enterprise_id, code)
        if meter_id is not None:
            return meter_id
        if waiting >= self._limit:
            raise Refused(
                f"{self._limit} meters of this enterprise wait for confirmation already"
            )
        return registry.add_meter(conn, owner.park_id, owner.enterprise_id, code)
