"""Batches of messages: one transaction, counted, and never held up by one of them."""

import threading
import time

import psycopg
import pytest

from ingest.formats import native
from ingest.reading import Parsed
from ingest.session import Message
from ingest.writer import Writer
from store import registry
from store.database import connect
from store.errors import DatabaseAway, DatabaseUnreachable
from store.live import source_counts
from store.records import Counts
from store.settings import Settings

pytestmark = pytest.mark.db


def message(body: str, meter: str = "M1", form: str = "readings") -> Message:
    now = time.time_ns() // 1000
    return Message(1, 1, f"parkwatt/v1/p/e/{meter}/{form}", body.encode(), now)


def power(minute: int, kw: float) -> str:
    return f'{{"at": "2026-01-01T00:{minute:02d}:00Z", "power_kw": {kw}}}'


@pytest.fixture
def writer(database: str) -> Writer:
    with connect(database, autocommit=True) as conn:
        park = registry.add_park(conn, "p", zone="UTC")
        registry.add_enterprise(conn, park, "e")
    return Writer(database, Settings(), "test")


def test_new_meters_are_unconfirmed_and_their_readings_kept(
    writer: Writer, database: str
) -> None:
    counts, answers = writer.write([message(power(i, i)) for i in range(5)])
    assert counts == Counts(inserted=5)
    assert answers == []
    with connect(database) as conn:
        meters = registry.meters(conn, registry.park(conn, "p").park_id)
    assert [(m.code, m.confirmed_at) for m in meters] == [("M1", None)]
    writer.close()


def test_an_enterprise_registered_meanwhile_is_found(
    writer: Writer, database: str
) -> None:
    late = Message(1, 1, "parkwatt/v1/p/new/M1/readings", power(1, 1).encode(), 2**51)
    assert writer.write([late])[0] == Counts(quarantined=1)
    with connect(database, autocommit=True) as conn:
        registry.add_enterprise(conn, registry.park(conn, "p").park_id, "new")
    time.sleep(1.1)
    assert writer.write([late])[0] == Counts(inserted=1)
    writer.close()


def test_too_many_unconfirmed_meters_are_refused(database: str) -> None:
    with connect(database, autocommit=True) as conn:
        park = registry.add_park(conn, "p", zone="UTC")
        registry.add_enterprise(conn, park, "e")
    writer = Writer(database, Settings(unconfirmed_meters=2), "test")
    counts, _ = writer.write([message(power(1, 1), f"M{i}") for i in range(4)])
    assert counts == Counts(inserted=2, quarantined=2)
    writer.close()


def test_a_batch_is_answered_after_it_is_stored(writer: Writer, database: str) -> None:
    body = f'{{"boot": "b", "seq": 7, "meters": {{"M1": [{power(1, 1)}]}}}}'
    counts, answers = writer.write([message(body, "gw", "batch")])
    assert counts == Counts(inserted=1)
    assert [(a.topic, a.payload) for a in answers] == [
        ("parkwatt/v1/p/e/gw/ack", b'{"boot":"b","seq":7}')
    ]
    writer.close()


def test_one_poison_message_is_quarantined_and_its_neighbours_stored(
    writer: Writer, database: str
) -> None:
    with connect(database, autocommit=True) as conn:
        conn.execute("ALTER TABLE reading ADD CONSTRAINT no CHECK (value <> 666)")
    messages = [message(power(i, 666 if i == 3 else i)) for i in range(8)]
    counts, _ = writer.write(messages)
    assert counts == Counts(inserted=7, quarantined=1)
    with connect(database) as conn:
        kept = conn.execute("SELECT payload, reason FROM quarantine").fetchall()
    assert kept[0][0] == power(3, 666).encode()
    assert "database refused" in str(kept[0][1])
    writer.close()


def test_a_batch_the_database_refuses_is_answered_and_counted_whole(
    writer: Writer, database: str
) -> None:
    with connect(database, autocommit=True) as conn:
        conn.execute("ALTER TABLE reading ADD CONSTRAINT no CHECK (value <> 666)")
    readings = ", ".join((power(1, 666), power(2, 1), power(3, 1)))
    body = f'{{"boot": "b", "seq": 7, "meters": {{"M1": [{readings}]}}}}'
    counts, answers = writer.write([message(body, "gw", "batch")])
    assert counts == Counts(quarantined=3)
    assert [each.payload for each in answers] == [b'{"boot":"b","seq":7}']
    writer.close()


@pytest.mark.parametrize("state", ["XX001", "25006", "P0001", "53100"])
def test_a_fault_of_the_database_spoils_no_reading(
    writer: Writer, database: str, state: str
) -> None:
    with connect(database, autocommit=True) as conn:
        conn.execute(
            f"CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE 'broken' USING errcode = '{state}'; END $$"
        )
        conn.execute(
            "CREATE TRIGGER fail BEFORE INSERT ON reading "
            "FOR EACH ROW EXECUTE FUNCTION fail()"
        )
        batch = [message(power(i, i)) for i in range(3)]
        with pytest.raises(DatabaseAway):
            writer.write(batch)
        conn.execute("DROP TRIGGER fail ON reading")
    assert writer.write(batch)[0] == Counts(inserted=3)
    writer.close()


@pytest.mark.parametrize("where", ['{"at":%s,"power_kw":1}', '{"at":1,"power_kw":%s}'])
def test_no_depth_of_nesting_stops_the_others(writer: Writer, where: str) -> None:
    bodies = [where % ("[" * n + "]" * n) for n in (*range(900, 1100), 30_000)]
    counts, _ = writer.write([message(body) for body in [*bodies, power(1, 1)]])
    assert counts == Counts(inserted=1, quarantined=len(bodies))
    writer.close()


def test_a_parser_that_fails_spoils_its_own_message_only(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = native.parse

    def parse(topic: str, payload: bytes, arrived_us: int) -> Parsed:
        if payload == b"boom":
            raise ZeroDivisionError
        return good(topic, payload, arrived_us)

    monkeypatch.setattr(native, "parse", parse)
    counts, _ = writer.write([message("boom"), message(power(1, 1))])
    assert counts == Counts(inserted=1, quarantined=1)
    writer.close()


def test_a_lost_connection_confirms_nothing_and_the_batch_can_be_written_again(
    writer: Writer, database: str
) -> None:
    writer.write([message(power(0, 0))])
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'parkwatt-ingest' "
            "AND datname = current_database()"
        )
    again = [message(power(i, i)) for i in range(3)]
    with pytest.raises(DatabaseUnreachable):
        writer.write(again)
    assert writer.write(again)[0] == Counts(inserted=2, duplicate=1)
    writer.close()


def test_one_batch_is_read_while_the_one_before_is_stored(
    writer: Writer, database: str
) -> None:
    first = [message(power(i, i)) for i in range(3)]
    second = [message(power(i, i), "M2") for i in range(2, 6)]
    finish = writer.start(first, writer.prepare(first))
    prepared = writer.prepare(second)
    assert finish()[0] == Counts(inserted=3)
    assert writer.start(second, prepared)()[0] == Counts(inserted=4)
    writer.close()


@pytest.mark.parametrize("lost", ["first", "both"])
def test_a_batch_that_was_read_ahead_outlives_a_fault(
    writer: Writer, database: str, lost: str
) -> None:
    """What was looked up before the fault is not believed after it."""
    writer.write([message(power(0, 0))])
    first = [message(power(i, i)) for i in range(3)]
    second = [message(power(i, i)) for i in range(2, 6)]
    prepared = writer.prepare(first)
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(
            "CREATE FUNCTION fail() RETURNS trigger "
            "LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE 'broken' USING errcode = 'XX001'; END $$;"
            "CREATE TRIGGER fail BEFORE INSERT ON core.reading "
            "FOR EACH ROW EXECUTE FUNCTION fail()"
        )
        finish = writer.start(first, prepared)
        ahead = writer.prepare(second)
        with pytest.raises(DatabaseAway):
            finish()
        if lost == "both":
            with pytest.raises(DatabaseAway):
                writer.start(second, ahead)()
        conn.execute("DROP TRIGGER fail ON core.reading")
    assert writer.write(first)[0] == Counts(inserted=2, duplicate=1)
    assert writer.start(second, ahead)()[0] == Counts(inserted=3, duplicate=1)
    with connect(database) as conn:
        rows = conn.execute("SELECT count(*), sum(value) FROM reading").fetchone()
    assert rows == (6, 15.0)
    writer.close()


def test_two_writers_register_the_same_new_meter_once(database: str) -> None:
    with connect(database, autocommit=True) as conn:
        park = registry.add_park(conn, "p", zone="UTC")
        registry.add_enterprise(conn, park, "e")
    done: list[Counts] = []

    def work() -> None:
        writer = Writer(database, Settings(), "test")
        done.append(writer.write([message(power(1, 1), f"M{i}") for i in range(20)])[0])
        writer.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sum(each.inserted for each in done) == 20
    assert sum(each.duplicate for each in done) == 40


def test_what_is_in_flight_is_told(writer: Writer, database: str) -> None:
    writer.note_in_flight(5)  # not connected yet: nobody to tell
    writer.write([message(power(1, 1))])
    writer.note_in_flight(7)
    with connect(database) as conn:
        found = source_counts(conn)
    assert [(each.in_flight, each.received) for each in found] == [(7, 1)]
    writer.close()


def test_gauges_of_which_masses_are_made_wake_the_job(
    writer: Writer, database: str
) -> None:
    at = '"at": "2026-01-01T00:00:00Z"'
    body = f'{{{at}, "power_kw": 1, "wastewater_flow_m3_h": 9, "cod_concentration_mg_l": 5}}'
    writer.write([message(body)])
    with connect(database) as conn:
        marked = conn.execute(
            "SELECT c.quantity FROM core.dirty JOIN core.channel c USING (channel_id) "
            "WHERE c.kind = 'gauge' ORDER BY 1"
        ).fetchall()
    assert marked == [("cod_concentration",), ("wastewater_flow",)]
    writer.close()
