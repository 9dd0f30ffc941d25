"""For machines that watch Parkwatt: health and metrics."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.asking import Conn
from api.errors import ERRORS
from api.models import Health
from store import browse, dirty, migrate
from store.errors import SchemaMissing
from store.live import SourceCounts, source_counts

router = APIRouter(tags=["state"], responses={503: ERRORS[503]})

TEXT = "text/plain; version=0.0.4; charset=utf-8"
REMEMBERED = timedelta(days=400)
OUTCOMES = ("inserted", "duplicate", "conflict", "quarantined")

_process = CollectorRegistry()
ProcessCollector(registry=_process)
PlatformCollector(registry=_process)
GCCollector(registry=_process)


@router.get("/health", response_model=Health)
def health(conn: Conn) -> Any:
    """Answer 200 only when the database answers and its schema is up to date."""
    waiting = migrate.pending(conn)
    if waiting:
        raise SchemaMissing(", ".join(waiting))
    return {"status": "ok", "database": "ok", "schema": "current"}


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics(conn: Conn) -> Response:
    """Give counters and gauges in Prometheus' text format."""
    now = datetime.now(UTC)
    found = _Found(
        [
            *_counts(source_counts(conn)),
            GaugeMetricFamily(
                "parkwatt_dirty_marks",
                "Ranges that wait to be computed again",
                value=dirty.waiting(conn),
            ),
            _ages(browse.newest_readings(conn, now - REMEMBERED), now),
        ]
    )
    own = CollectorRegistry()
    own.register(found)
    return Response(generate_latest(own) + generate_latest(_process), media_type=TEXT)


class _Found(Collector):
    """What was found for one answer."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _counts(rows: list[SourceCounts]) -> Iterator[Metric]:
    messages = CounterMetricFamily(
        "parkwatt_messages", "Messages received", labels=["source"]
    )
    received = CounterMetricFamily(
        "parkwatt_readings_received", "Readings received", labels=["source"]
    )
    became = CounterMetricFamily(
        "parkwatt_readings",
        "What became of the readings received",
        labels=["source", "outcome"],
    )
    in_flight = GaugeMetricFamily(
        "parkwatt_messages_in_flight",
        "Messages taken from the broker and not stored yet",
        labels=["source"],
    )
    for row in rows:
        in_flight.add_metric([row.source], row.in_flight)
        messages.add_metric([row.source], row.messages)
        received.add_metric([row.source], row.received)
        for outcome in OUTCOMES:
            became.add_metric([row.source, outcome], getattr(row, outcome))
    yield from (messages, received, became, in_flight)


def _ages(rows: list[browse.Newest], now: datetime) -> Metric:
    ages = GaugeMetricFamily(
        "parkwatt_newest_reading_age_seconds",
        "Age of the newest reading of a park",
        labels=["park"],
    )
    for row in rows:
        if row.at is not None:
            ages.add_metric([row.park], (now - row.at).total_seconds())
    return ages
