"""A real plant's year through MQTT into the database, out as figures.

The expected figures are those computed independently of this code from the file, as
its source's description gives them; the factors' products are worked out by hand.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from analytics.jobs import factors, service
from analytics.jobs.figures import figures
from ingest import importing
from ingest import service as ingest_service
from ingest.broker import Broker
from simulators import replay, steel
from simulators.publisher import Publisher
from store import registry, relations, statements
from store.database import connect
from store.live import SourceCounts, source_counts
from store.records import Counts
from store.settings import Settings

pytestmark = [pytest.mark.db, pytest.mark.broker]

YEAR = (date(2018, 1, 1), date(2019, 1, 1))
KWH = [126238.29, 91497.34, 80230.41, 78769.80, 79059.28, 65404.64]
KWH += [81674.41, 68559.43, 57883.07, 84665.65, 86221.21, 59436.78]
KW = [612.56, 582.04, 605.24, 556.12, 560.16, 535.40]
KW += [486.72, 534.80, 510.48, 557.72, 628.72, 596.72]
VALUES = 3 * 35_041


def settings(broker: Broker, name: str, client_id: str = "", **more: Any) -> Settings:
    return Settings(
        mqtt_host=broker.host,
        mqtt_port=broker.port,
        mqtt_client_id=client_id or f"test-{name}",
        mqtt_topic=f"parkwatt/v1/{name}/#",
        **more,
    )


@contextmanager
def ingesting(url: str, known: Settings) -> Iterator[None]:
    """Run ingest beside the test; its end is waited for and its error raised."""
    stop = threading.Event()
    errors: list[BaseException] = []

    def work() -> None:
        try:
            ingest_service.run(url, known, stop)
        except BaseException as error:
            errors.append(error)
            raise

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)
    assert not errors
    assert not thread.is_alive()


def wait(
    condition: Callable[[], bool],
    seconds: float = 30,
    found: Callable[[], object] = lambda: "",
) -> None:
    """Wait for the condition; when it stays away, say what was found instead."""
    end = monotonic() + seconds
    while not condition():
        assert monotonic() < end, f"waited in vain {found()}"
        sleep(0.05)


def counts(url: str) -> SourceCounts | None:
    with connect(url) as conn:
        found = source_counts(conn)
    return found[0] if found else None


def listening(broker: Broker, name: str) -> bool:
    with Publisher(
        broker.host, broker.port, client_id=f"door-{name}", tolerate=frozenset({16})
    ) as door:
        door.publish(f"parkwatt/v1/{name}/e/door/ack", b"{}")
        door.drain()
        return not door.refused


def register(url: str, park: str) -> None:
    with connect(url, autocommit=True) as conn:
        factors.load(conn)
        park_id = registry.add_park(conn, park, zone=steel.ZONE, region="CN-JS")
        enterprise = registry.add_enterprise(conn, park_id, "steel")
        meter = registry.add_meter(conn, park_id, enterprise, "M1")
        relations.confirm_meter(conn, meter, enterprise, source="test")


def year(url: str, park: str) -> dict[str, Any]:
    service.run(url, threading.Event(), once=True)
    with connect(url, autocommit=True) as conn:
        subject = registry.subject(conn, park)
        enterprise = registry.subject(conn, park, "steel")
        statements.state_added_value(
            conn, enterprise.subject_id, *YEAR, 2000.0, source="test"
        )
        return figures(conn, subject, *YEAR)


@pytest.fixture(scope="module")
def plant(databases: Any, broker: Broker) -> Iterator[tuple[str, dict[str, Any]]]:
    """The year, replayed shuffled with 3 % duplicates; tests only read it."""
    database = databases.copy()
    register(database, "plant")
    known = settings(broker, "plant")
    with ingesting(database, known):
        wait(lambda: listening(broker, "plant"))
        report = replay.replay(
            host=broker.host,
            port=broker.port,
            park="plant",
            enterprise="steel",
            meter="M1",
            shuffle=True,
            duplicates=0.03,
        )

        def arrived() -> bool:
            now = counts(database)
            return now is not None and now.received >= report.readings

        wait(arrived)
    _forget(broker, known)
    yield database, year(database, "plant")
    databases.drop(database)


def without_ids(found: dict[str, Any]) -> dict[str, Any]:
    """Leave out the numbers of rows, which are each database's own."""
    ratios = found["intensity"].items()
    return found | {
        "intensity": {name: each for name, each in ratios if name != "added_value_ids"}
    }


def _forget(broker: Broker, known: Settings) -> None:
    """End the kept session, or the broker would queue for it in other tests."""
    import paho.mqtt.client as mqtt
    from paho.mqtt.enums import CallbackAPIVersion

    client = mqtt.Client(
        CallbackAPIVersion.VERSION2, known.mqtt_client_id, protocol=mqtt.MQTTv5
    )
    client.connect(broker.host, broker.port, clean_start=True)
    client.loop_start()
    wait(client.is_connected)
    client.disconnect()
    client.loop_stop()


def test_the_plants_year(plant: tuple[str, dict[str, Any]], tmp_path: Path) -> None:
    url, found = plant
    assert found["energy_kwh"] == pytest.approx(959_640.31, abs=0.01)
    assert [m["energy_kwh"] for m in found["series"]] == pytest.approx(KWH, abs=0.01)
    assert [m["peak_demand_kw"] for m in found["series"]] == pytest.approx(KW, abs=0.01)
    assert found["peak_demand_kw"] == pytest.approx(628.72, abs=0.01)
    assert found["peak_start"] == "2018-11-22T09:30:00+09:00"
    assert found["load_factor"] == pytest.approx(0.17424, abs=5e-6)
    assert found["power_factor"] == pytest.approx(0.90294, abs=5e-6)
    assert found["coverage"] == 1.0
    assert found["measured_share"] == 1.0
    assert found["tce"]["calorific"] == pytest.approx(117.940, abs=5e-4)
    assert found["co2_t"]["location_national"] == pytest.approx(509.185, abs=5e-4)
    assert found["co2_t"]["location_region"] == pytest.approx(559.182, abs=5e-4)
    ratios = found["intensity"]
    assert ratios["tce_per_10k_cny"]["calorific"] == pytest.approx(0.05897, abs=5e-6)
    assert ratios["co2_t_per_10k_cny"]["location_national"] == pytest.approx(
        0.25459, abs=5e-6
    )
    lines = found["parentage"]["co2_t"]["location_region"]
    assert [each["factor"] for each in lines] == ["grid_average/CN-JS/2023"]

    now = counts(url)
    assert now is not None
    assert now.inserted == VALUES
    assert now.duplicate == round(0.03 * 35_041) * 3
    assert now.conflict == now.quarantined == 0
    assert now.received == now.inserted + now.duplicate

    # as known just now, computed anew from the readings: the same bits
    with connect(url) as conn:
        anew = figures(
            conn, registry.subject(conn, "plant"), *YEAR, known_on=datetime.now(UTC)
        )
    assert {**anew, "as_known_on": None} == found


def test_the_same_file_imported_gives_the_same_bits(
    plant: tuple[str, dict[str, Any]], new_database: Callable[[], str], tmp_path: Path
) -> None:
    _, over_mqtt = plant
    file = tmp_path / "plant.csv"
    replay.write_csv(
        steel.FILE, file, park="plant", enterprise="steel", meter="M1", shuffle=True
    )
    url = new_database()
    with connect(url, autocommit=True) as conn:
        factors.load(conn)
        report = importing.import_file(
            conn,
            file,
            Settings(),
            importing.Options(create=True, zone=steel.ZONE, region="CN-JS"),
        )
    assert report.counts == Counts(inserted=VALUES)
    imported = year(url, "plant")
    assert without_ids(imported) == without_ids(over_mqtt)


def test_several_ingests_share_the_load_and_give_the_same_bits(
    plant: tuple[str, dict[str, Any]], new_database: Callable[[], str], broker: Broker
) -> None:
    _, by_one = plant
    url = new_database()
    register(url, "plant")
    # small batches, so that each of them has its turn
    known = [
        settings(
            broker, "plant", f"shared-{i}", mqtt_share="several", batch_messages=60
        )
        for i in range(3)
    ]
    with ingesting(url, known[0]), ingesting(url, known[1]), ingesting(url, known[2]):
        wait(lambda: listening(broker, "plant"))
        report = replay.replay(
            host=broker.host,
            port=broker.port,
            park="plant",
            enterprise="steel",
            meter="M1",
            shuffle=True,
            duplicates=0.03,
        )

        def took() -> list[SourceCounts]:
            with connect(url) as conn:
                return source_counts(conn)

        wait(
            # received alone may run ahead: what is sent again counts as well
            lambda: (
                sum(each.received for each in took()) >= report.readings
                and sum(each.inserted for each in took()) >= VALUES
            ),
            seconds=180,
            found=lambda: (report.readings, took()),
        )
    for each in known:
        _forget(broker, each)
    assert sum(each.inserted for each in took()) == VALUES
    assert sum(each.conflict + each.quarantined for each in took()) == 0
    assert min(each.received for each in took()) > report.readings / 10
    assert len(took()) == 3
    assert without_ids(year(url, "plant")) == without_ids(by_one)


BAD = [
    (b"{", "not JSON"),
    (b'{"at": "2026-01-01T00:00:00Z", "power_kw": NaN}', "not JSON"),
    (b'{"at": "2026-01-01T00:00:00Z", "power_kw": Infinity}', "not JSON"),
    (b'{"at": "1970-01-01T00:33:28Z", "power_kw": 1}', "clock not set"),
    (b'{"at": "2099-01-01T00:00:00Z", "power_kw": 1}', "in the future"),
    (b'{"at": "2026-01-01T00:00:00Z", "colour": 1}', "unknown key 'colour'"),
    (
        b'{"at": "2026-01-01T00:00:00Z", "power_kw": 1, "enterprise": "f"}',
        "payload says",
    ),
    (b" " * 300_000, "over the limit"),
    (bytes(range(256)), "not JSON"),
    (b"", "payload is empty"),
]


def test_bad_input_loses_nothing_good(database: str, broker: Broker) -> None:
    park = "bad-" + database.rsplit(":", 1)[1].replace("/", "-")
    register(database, park)
    known = settings(broker, park)
    good = b'{"at": "2026-01-01T00:%02d:00Z", "power_kw": 5, "voltage_v": 230}'
    with ingesting(database, known):
        wait(lambda: listening(broker, park))
        with Publisher(broker.host, broker.port, client_id="bad") as publisher:
            for i, (payload, _) in enumerate(BAD):
                publisher.publish(f"parkwatt/v1/{park}/steel/M1/readings", payload)
                publisher.publish(f"parkwatt/v1/{park}/steel/M1/readings", good % i)
            publisher.publish(f"parkwatt/v1/{park}/nobody/M1/readings", good % 30)
            publisher.publish(f"parkwatt/v1/{park}/steel/M1/else", good % 31)
            half = b'{"at":"2026-01-01T01:00:00Z","power_kw":1,"frequency_hz":"fast"}'
            publisher.publish(f"parkwatt/v1/{park}/steel/M9/readings", half)
            publisher.drain()
        expected = 2 * len(BAD) + len(BAD) + 2 + 1 + 2

        def arrived() -> bool:
            now = counts(database)
            return now is not None and now.received >= expected

        wait(arrived)
    _forget(broker, known)
    now = counts(database)
    assert now is not None
    assert asdict(now) == {
        "source": known.mqtt_client_id,
        "messages": now.messages,
        "received": expected,
        "inserted": 2 * len(BAD) + 1,
        "duplicate": 0,
        "conflict": 0,
        "quarantined": expected - 2 * len(BAD) - 1,
        "in_flight": now.in_flight,
    }
    with connect(database) as conn:
        kept = conn.execute(
            "SELECT payload, reason FROM quarantine ORDER BY quarantine_id"
        ).fetchall()
        unconfirmed = [
            m.code
            for m in registry.meters(conn, registry.park(conn, park).park_id)
            if m.confirmed_at is None
        ]
    assert unconfirmed == ["M9"]
    reasons = {row[0]: str(row[1]) for row in kept[: len(BAD)]}
    for payload, words in BAD:
        assert words in reasons[payload]
    assert "unknown enterprise 'nobody'" in str(kept[-3][1])
    assert "topic is not" in str(kept[-2][1])
    assert "'fast' is not a number" in str(kept[-1][1])


def test_qos_0_is_stored_and_disturbs_nobody(database: str, broker: Broker) -> None:
    park = "qos-" + database.rsplit(":", 1)[1].replace("/", "-")
    register(database, park)
    known = settings(broker, park)
    sender = mqtt.Client(CallbackAPIVersion.VERSION2)
    with ingesting(database, known):
        wait(lambda: listening(broker, park))
        sender.connect(broker.host, broker.port)
        sender.loop_start()
        for minute in range(30):
            body = f'{{"at": "2026-01-01T00:{minute:02d}:00Z", "power_kw": 5}}'
            sender.publish(
                f"parkwatt/v1/{park}/steel/M1/readings", body, qos=0
            ).wait_for_publish(5)
            sleep(0.01)

        def arrived() -> bool:
            now = counts(database)
            return now is not None and now.inserted >= 30

        wait(arrived)
        sender.disconnect()
        sender.loop_stop()
    _forget(broker, known)
