"""Foreign messages in the writer: placed by topic, learned from, counted, kept."""

import json
import time

import pytest

from ingest import formats, routing
from ingest.formats import lessons
from ingest.reading import Heard, Knowledge, Parsed, Place
from ingest.retrying import retry
from ingest.session import Message
from ingest.topics import pattern_of
from ingest.writer import Writer
from store import devices, registry
from store.database import Connection, connect
from store.errors import Invalid
from store.records import Counts
from store.settings import Settings

pytestmark = pytest.mark.db

MAPPING = """
name: dtu
topic: factory/+/{meter}/up
park: p
enterprise: e
time: $.ts
values: [{path: $.EP, key: energy_import_kwh}]
"""


@pytest.fixture
def url(database: str) -> str:
    with connect(database, autocommit=True) as conn:
        park = registry.add_park(conn, "p", zone="Asia/Shanghai")
        registry.add_enterprise(conn, park, "e")
    return database


def message(topic: str, body: object, *, retained: bool = False) -> Message:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Message(1, 1, topic, payload, time.time_ns() // 1000, retained)


def write(url: str, *messages: Message) -> Counts:
    writer = Writer(url, Settings(), "test")
    try:
        return writer.write(messages)[0]
    finally:
        writer.close()


def add(conn: Connection, name: str, topic: str, document: str) -> None:
    found = registry.find_enterprise(conn, "p", "e")
    assert found is not None
    devices.add_mapping(conn, name, found[1], topic, document, source="test")


def test_the_prefix_names_the_enterprise_and_the_zone(url: str) -> None:
    body = {"time": "2026-01-01T08:00:00", "power_w": 1500, "park": "other"}
    topic = "parkwatt/v1/p/e/raw/line/dtu-07/data"
    assert write(url, message(topic, body)) == Counts(inserted=1)
    with connect(url) as conn:
        row = conn.execute(
            "SELECT m.code, r.at AT TIME ZONE 'UTC', r.value, b.parser "
            "FROM reading r JOIN batch b USING (batch_id) "
            "JOIN channel USING (channel_id) "
            "JOIN meter m ON m.meter_id = subject_id"
        ).fetchone()
    assert row is not None
    assert (row[0], str(row[1]), row[2], row[3]) == (
        "line.dtu-07",
        "2026-01-01 00:00:00",
        1.5,
        "flat/1",
    )


def test_an_unknown_enterprise_or_an_odd_prefix_is_refused(url: str) -> None:
    body = {"power_w": 1500}
    counts = write(
        url,
        message("parkwatt/v1/p/nobody/raw/x", body),
        message("parkwatt/v1/p/e x/raw/x/y", body),
    )
    assert counts == Counts(quarantined=2)


def test_a_mapping_places_and_reads(url: str) -> None:
    with connect(url, autocommit=True) as conn:
        add(conn, "dtu", "factory/+/{meter}/up", MAPPING)
    good = message("factory/a/M-7/up", {"ts": 1763864100, "EP": 12.5})
    bad = message("factory/a/M-7/up", {"ts": 1763864100})
    assert write(url, good, bad) == Counts(inserted=1, quarantined=1)
    with connect(url, autocommit=True) as conn:
        devices.end_mapping(conn, "dtu")
    assert write(url, good) == Counts(quarantined=1)


@pytest.mark.parametrize("prefix", ["", "parkwatt/v1/p/e/raw/"])
def test_a_mapping_reads_below_the_prefix_of_its_enterprise_alone(
    url: str, prefix: str
) -> None:
    with connect(url, autocommit=True) as conn:
        found = registry.find_enterprise(conn, "p", "e")
        assert found is not None
        registry.add_enterprise(conn, found[0], "f")
        text = MAPPING.replace("factory/+", f"{prefix}factory/+")
        add(conn, "dtu", f"{prefix}factory/+/{{meter}}/up", text)
    body = {"ts": 1763864100, "EP": 12.5}
    topic = "raw/factory/a/M-7/up"
    assert write(url, message(f"parkwatt/v1/p/e/{topic}", body)) == Counts(inserted=1)
    # another enterprise's message is read by nobody, counted, and can be read later
    assert write(url, message(f"parkwatt/v1/p/f/{topic}", body)) == Counts(
        quarantined=1
    )
    with connect(url) as conn:
        assert len(devices.unknown_topics(conn)) == 1


def test_a_mapping_does_not_end_that_of_another_enterprise(url: str) -> None:
    with connect(url, autocommit=True) as conn:
        found = registry.find_enterprise(conn, "p", "e")
        assert found is not None
        other = registry.add_enterprise(conn, found[0], "f")
        add(conn, "dtu", "factory/+/{meter}/up", MAPPING)
        with pytest.raises(Invalid, match="another enterprise"):
            devices.add_mapping(conn, "dtu", other, "x/#", MAPPING, source="test")
        assert [each.enterprise for each in devices.mappings(conn)] == ["e"]


def test_devices_cannot_teach_without_end(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lessons, "MOST", 4)
    born = [
        message(f"parkwatt/v1/p/e/raw/spBv1.0/G/NBIRTH/N{n}", b"\x18\x00")
        for n in range(9)
    ]
    refused = write(url, *born).quarantined
    assert refused >= 5
    with connect(url) as conn:
        row = conn.execute("SELECT count(*) FROM learned").fetchone()
    assert row is not None
    assert int(str(row[0])) <= 5  # with the count itself


def test_a_writer_sees_a_mapping_that_comes_later(url: str) -> None:
    writer = Writer(url, Settings(), "test")
    one = message("factory/a/M-7/up", {"ts": 1763864100, "EP": 12.5})
    assert writer.write([one])[0] == Counts(quarantined=1)
    with connect(url, autocommit=True) as conn:
        add(conn, "dtu", "factory/+/{meter}/up", MAPPING)
    end = time.monotonic() + 10
    while writer.write([one])[0].quarantined and time.monotonic() < end:
        time.sleep(0.2)
    assert writer.write([one])[0] == Counts(duplicate=1)
    writer.close()


def test_what_nobody_can_place_is_counted_by_shape_and_kept_at_first(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "KEPT", 3)
    monkeypatch.setattr(devices, "PATTERNS", 2)
    topics = [f"factory/a/dtu-{n:04}/up" for n in range(5)]
    counts = write(url, *(message(each, {"EP": 1}) for each in topics))
    assert counts == Counts(quarantined=5)
    write(url, *(message(f"other{n}/x", b"\x00\xff") for n in range(9)))
    with connect(url) as conn:
        found = devices.unknown_topics(conn)
        kept = conn.execute("SELECT count(*) FROM quarantine").fetchone()
        total = conn.execute(
            "SELECT received = quarantined, received FROM source_total"
        ).fetchone()
    assert [(each.pattern, each.messages) for each in found] == [
        ("+/x", 9),
        ("factory/a/+/up", 5),
    ]
    assert kept == (6,)
    assert total == (True, 14)
    write(url, *(message(f"new/shape/{word}", b"") for word in ("a", "b", "c", "d")))
    with connect(url) as conn:
        assert {each.pattern for each in devices.unknown_topics(conn)} == {
            "+/x",
            "factory/a/+/up",
            "(others)",
        }


def test_what_was_kept_is_read_again_once_a_mapping_can(url: str) -> None:
    odd = message("elsewhere/x", b"")
    some = [
        message("factory/a/M-7/up", {"ts": 1763864100 + n, "EP": 12.5})
        for n in range(3)
    ]
    assert write(url, *some, odd) == Counts(quarantined=4)
    assert retry(url, Settings()) == (4, 0, Counts())
    with connect(url, autocommit=True) as conn:
        add(conn, "dtu", "factory/+/{meter}/up", MAPPING)
    assert retry(url, Settings()) == (4, 3, Counts(inserted=3))
    assert retry(url, Settings()) == (1, 0, Counts())
    with connect(url) as conn:
        assert [each.pattern for each in devices.unknown_topics(conn)] == [
            "elsewhere/x"
        ]


def test_the_time_of_arrival_is_noted_on_the_channel(url: str) -> None:
    topic = "parkwatt/v1/p/e/raw/dtu-07/data"
    assert write(url, message(topic, {"power_kw": 1})) == Counts(inserted=1)
    assert write(url, message(topic, {"power_kw": 1}, retained=True)) == Counts()
    with connect(url) as conn:
        row = conn.execute(
            "SELECT timed_on_arrival_since IS NOT NULL FROM channel"
        ).fetchone()
    assert row == (True,)


def test_what_was_learned_survives_the_writer(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:

    seen: list[object] = []

    def parse(heard: Heard, place: Place, known: Knowledge) -> Parsed:
        seen.append(known.get("alias"))
        known.put("alias", {"1": heard.topic})
        return Parsed(park=place.park, enterprise=place.enterprise)

    form = formats.Format("taught/1", lambda topic: topic.startswith("taught"), parse)
    monkeypatch.setattr(formats, "FORMATS", (form, *formats.FORMATS))
    for _ in range(2):
        write(url, message("parkwatt/v1/p/e/raw/taught/x", b""))
    assert seen == [None, {"1": "taught/x"}]


def test_discovery_tells_what_other_topics_hold_after_a_restart_too(url: str) -> None:
    below = "parkwatt/v1/p/e/raw/"
    for name, topic, inner in (
        ("bare", "boiler/sensor/grid_power/state", ""),
        ("inner", "any/topic/at_all", "{{ value_json.power }}"),
    ):
        body = {"stat_t": below + topic, "unit_of_meas": "W", "val_tpl": inner or None}
        config = message(f"{below}homeassistant/sensor/{name}/config", body)
        assert write(url, config) == Counts()
    counts = write(
        url,
        message(f"{below}boiler/sensor/grid_power/state", b"1500"),
        message(f"{below}any/topic/at_all", {"power": 20}),
        message(f"{below}boiler/sensor/other/state", b"1500"),
    )
    assert counts == Counts(inserted=2, quarantined=1)
    with connect(url) as conn:
        rows = conn.execute("SELECT code FROM meter ORDER BY code").fetchall()
    assert rows == [("any.topic.at_all",), ("boiler.grid",)]


def test_ingests_that_share_topics_learn_from_each_other(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routing, "_RELOAD_S", 0.0)
    one, other = (Writer(url, Settings(mqtt_share="g"), name) for name in "ab")
    below = "parkwatt/v1/p/e/raw/"
    state = message(f"{below}plant/state", {"power": 20})
    try:
        assert other.write([state])[0] == Counts(quarantined=1)
        for unit, value in (("W", 0.02), ("kW", 20.0)):
            body = {
                "stat_t": f"{below}plant/state",
                "unit_of_meas": unit,
                "val_tpl": "{{ value_json.power }}",
            }
            one.write([message(f"{below}homeassistant/sensor/x/config", body)])
            state = message(f"{below}plant/state", {"power": 20})
            assert other.write([state])[0] == Counts(inserted=1)
            with connect(url) as conn:
                row = conn.execute("SELECT value FROM reading ORDER BY at DESC")
                assert row.fetchone() == (value,)
    finally:
        one.close()
        other.close()


def test_ingests_that_share_topics_read_no_format_of_ordered_messages(url: str) -> None:
    writer = Writer(url, Settings(mqtt_share="g"), "a")
    born = message("parkwatt/v1/p/e/raw/spBv1.0/G/NBIRTH/N", b"\x18\x00")
    assert writer.write([born])[0] == Counts(quarantined=1)
    writer.close()
    with connect(url) as conn:
        row = conn.execute("SELECT reason FROM quarantine").fetchone()
    assert row is not None
    assert str(row[0]).startswith("sparkplug needs one ingest that hears every message")


@pytest.mark.parametrize(
    ("topic", "pattern"),
    [
        ("shellies/shellyem3-ECFABCC7F0F4/emeter/0/power", "shellies/+/emeter/+/power"),
        ("spBv1.0/Group/DDATA/Node/Device", "spBv1.0/Group/DDATA/Node/Device"),
        ("v1/devices/me/telemetry", "v1/devices/me/telemetry"),
        ("a\0b/" + "x" * 400, "ab/" + "x" * 40),
        ("/gw/acrelHW/adl/data/12109132830001", "/gw/acrelHW/adl/data/+"),
    ],
)
def test_patterns(topic: str, pattern: str) -> None:
    assert pattern_of(topic) == pattern
