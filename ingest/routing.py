"""Where a foreign message belongs and who reads it: by its topic, never by its payload."""

import time
from typing import Any, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from ingest import formats, mapping
from ingest.mapping import Mapping
from ingest.reading import Heard, Knowledge, Parsed, Place, Refused, Unplaced
from ingest.topics import raw
from store import devices, registry
from store.database import Connection
from store.errors import Invalid

_RELOAD_S = 2.0
_LATE_S = 60.0  # after its beginning, a transaction with a lesson has ended

Lesson: TypeAlias = tuple[int, str, dict[str, Any]]  # enterprise, format, news


class Learned:
    """What a format has learned in an enterprise: read once, news kept for the batch."""

    def __init__(self, known: dict[str, Any]) -> None:
        self._known = known
        self.news: dict[str, Any] = {}

    def get(self, key: str) -> Any:
        """Give what was learned."""
        return self._known.get(key)

    def put(self, key: str, value: Any) -> None:
        """Remember it."""
        if self._known.get(key) != value:
            self._known[key] = self.news[key] = value

    def hear(self, others: dict[str, Any]) -> None:
        """Take what other processes learned, except where this one has news."""
        self._known.update(
            {key: each for key, each in others.items() if key not in self.news}
        )


class _Owner(NamedTuple):
    enterprise_id: int
    zone: ZoneInfo


class Router:
    """Knows the mappings and what formats have learned, as the database has it.

    Parameters
    ----------
    shared
        Whether other processes read a part of the same messages, and learn from them.
    """

    def __init__(self, *, shared: bool = False) -> None:
        self._shared = shared
        self._reloaded = time.monotonic()
        self._mappings: list[tuple[Mapping, ZoneInfo]] = []
        self._due = 0.0
        self._owners: dict[tuple[str, str], _Owner] = {}
        self._learned: dict[tuple[int, str], Learned] = {}

    def read(self, conn: Connection, heard: Heard) -> tuple[Parsed, str]:
        """Read a foreign message; give the name of what read it too.

        Raises
        ------
        Unplaced
            When no mapping and no format knows the topic, or no enterprise is named.
        Refused
            When it can be placed and not read.
        """
        self._reload(conn)
        below = raw(heard.topic)
        for each, zone in self._mappings:
            matched = mapping.match(each, heard.topic)
            if below is not None:
                # the prefix says whose it is; a mapping may leave the prefix out
                if (each.park, each.enterprise) != below[:2]:
                    continue
                matched = matched or mapping.match(each, below.topic)
            if matched is None:
                continue
            place = Place(each.park, each.enterprise, zone, matched.meter)
            if each.format is None:
                return mapping.parse(each, heard, place), f"mapping/{each.name}"
            owner = self._owner(conn, each.park, each.enterprise)
            heard = heard._replace(topic=below.topic if below else heard.topic)
            return self._by_format(conn, heard, place, owner, each.format)
        if below is not None:
            owner = self._owner(conn, below.park, below.enterprise)
            heard = heard._replace(topic=below.topic)
            place = Place(below.park, below.enterprise, owner.zone)
            return self._by_format(conn, heard, place, owner)
        known = formats.find(heard.topic)
        if known is None or known.name.startswith("flat"):
            raise Unplaced("nobody knows this topic: it needs a mapping")
        name = known.name.partition("/")[0]
        raise Unplaced(f"looks like {name}, of no enterprise: it needs a mapping")

    def lessons(self) -> list[Lesson]:
        """Give what was learned since the last call."""
        news = []
        for (enterprise_id, form), each in self._learned.items():
            if each.news:
                news.append((enterprise_id, form, each.news))
                each.news = {}
        return news

    def _by_format(
        self,
        conn: Connection,
        heard: Heard,
        place: Place,
        owner: _Owner,
        name: str | None = None,
    ) -> tuple[Parsed, str]:
        def knowledge(form: str) -> Knowledge:
            return self._knowledge(conn, owner.enterprise_id, form)

        if name is None:
            form = formats.find(heard.topic, knowledge)
        else:
            form = formats.named(name)
        if form is None:
            raise Unplaced("no format reads this topic: it needs a mapping")
        if self._shared and form.ordered:
            raise Refused(
                f"{form.name.partition('/')[0]} needs one ingest that hears every "
                "message of a device, and this one shares its topics"
            )
        return form.parse(heard, place, knowledge(form.memory)), form.name

    def _knowledge(self, conn: Connection, enterprise_id: int, form: str) -> Knowledge:
        found = self._learned.get((enterprise_id, form))
        if found is None:
            found = Learned(devices.learned(conn, enterprise_id, form))
            self._learned[enterprise_id, form] = found
        return found

    def _owner(self, conn: Connection, park: str, enterprise: str) -> _Owner:
        found = self._owners.get((park, enterprise))
        if found is None:
            ids = registry.find_enterprise(conn, park, enterprise)
            if ids is None:
                raise Refused(f"unknown enterprise {enterprise!r} of park {park!r}")
            zone = ZoneInfo(registry.park(conn, park).zone)
            found = self._owners[park, enterprise] = _Owner(ids[1], zone)
        return found

    def _reload(self, conn: Connection) -> None:
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + _RELOAD_S
        self._mappings = []
        for row in devices.mappings(conn):
            try:
                each = mapping.load(row.document)
            except Invalid:  # of an older version; the page of mappings shows it
                continue
            self._mappings.append((each, ZoneInfo(each.zone or row.zone)))
        if self._shared:
            within_s = now - self._reloaded + _LATE_S
            for (enterprise_id, form), learned in self._learned.items():
                learned.hear(devices.learned(conn, enterprise_id, form, within_s))
        self._reloaded = now
