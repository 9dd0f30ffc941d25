"""The views Grafana reads, against figures worked by hand (see conftest.py)."""

import threading
from datetime import UTC, datetime

import psycopg
import pytest

from store.migrate import Step, migrate, steps

Connection = psycopg.Connection[tuple[object, ...]]

PEAK = datetime(2026, 3, 11, 1, 30, tzinfo=UTC)
MONTH = datetime(2026, 2, 28, 16, tzinfo=UTC)


def test_rights(park: Connection) -> None:
    views = park.execute(
        "SELECT viewname FROM pg_views WHERE schemaname = 'grafana' ORDER BY 1"
    ).fetchall()
    assert len(views) == 30
    for (name,) in views:
        park.execute(f"SELECT * FROM grafana.{name}".encode())
    for refused in (
        "SELECT * FROM core.park",
        "CREATE TABLE grafana.mine ()",
        "DELETE FROM grafana.park",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            park.execute(refused.encode())


def test_peak(park: Connection) -> None:
    rows = park.execute(
        "SELECT month, time, peak_kw, contract_kw, known FROM grafana.park_peak "
        "WHERE park = 'P'"
    ).fetchall()
    assert rows == [(MONTH, PEAK, 655, 800, pytest.approx(287 / (31 * 96)))]


def test_a_park_is_known_from_where_it_begins_to_where_it_ends(
    park: Connection,
) -> None:
    """287 of 288 windows are known, of 9 to 11 March; before and behind is nothing."""
    month = "'2026-03-01 00:00+08', '2026-04-01 00:00+08'"

    def known() -> list[object]:
        (peak,) = park.execute("SELECT known FROM grafana.park_peak").fetchall()
        (period,) = park.execute(
            f"SELECT windows, counting, enough FROM grafana.known('P', {month})".encode()
        ).fetchall()
        return [*peak, *period]

    def change(statement: str) -> None:
        park.execute("RESET ROLE")
        park.execute(statement.encode())
        park.execute("SET ROLE parkwatt_grafana")

    assert known() == [pytest.approx(287 / 2976), 2976, 287, False]
    # it begins a minute into a quarter hour: the next one is the first that counts
    change("UPDATE core.assignment SET valid_from = '2026-03-08 23:46+08'")
    assert known() == [pytest.approx(287 / 2208), 2208, 287, False]
    # a park without an end, of which one meter begins earlier than it is known
    change("UPDATE core.assignment SET valid_from = '2026-03-07+08' WHERE meter_id = 5")
    assert known() == [pytest.approx(287 / 2400), 2400, 287, False]
    change(
        "UPDATE core.assignment SET valid_from = '2026-03-09 00:00+08', "
        "valid_to = '2026-03-12 00:00+08'"
    )
    assert known() == [pytest.approx(287 / 288), 288, 287, True]
    (highest,) = park.execute(
        f"SELECT time, kw FROM grafana.top_peaks('P', {month}, 1)".encode()
    ).fetchall()
    assert highest == (PEAK, 655)
    made = park.execute(
        f"SELECT enterprise, kw FROM grafana.made_by('P', {month})".encode()
    ).fetchall()
    assert {row[0]: row[1] for row in made} == {"A": 400, "B": 200, "C": 50, None: 5}
    cells = park.execute(
        f"SELECT day, count(kw) FROM grafana.hour_map('P', {month}) "
        "GROUP BY day ORDER BY day".encode()
    ).fetchall()
    # an hour of which one window is half known is left out, days before are empty
    assert [count for _, count in cells] == [0] * 8 + [24, 23, 24] + [0] * 20
    change("DELETE FROM core.assignment")  # no meter ever counted: it stays
    assert known() == [pytest.approx(287 / 2976), 2976, 287, False]


def test_shares(park: Connection) -> None:
    rows = park.execute(
        "SELECT enterprise, kw, share, own_kw FROM grafana.peak_share "
        "WHERE park = 'P' ORDER BY kw DESC"
    ).fetchall()
    assert rows == [
        ("A", 400, 400 / 655, 400),
        ("B", 200, 200 / 655, 500),
        ("C", 50, 50 / 655, 50),
        (None, 5, 5 / 655, 5),
    ]
    assert park.execute(
        "SELECT peak_kw, own_peaks_kw, factor FROM grafana.coincidence"
    ).fetchall() == [(655, 400 + 500 + 50 + 5, 655 / 955)]


# the third enterprise
OF_C = "WHERE channel_id IN (SELECT channel_id FROM core.channel WHERE subject_id = 4)"


@pytest.mark.parametrize(
    "change",
    [
        f"DELETE FROM core.usage_15min {OF_C} AND start = '2026-03-11 09:30+08'",
        f"UPDATE core.usage_15min SET measured_s = 810 {OF_C} "
        "AND start = '2026-03-11 09:30+08'",
    ],
    ids=["missing", "half known"],
)
def test_no_rest_without_all(park: Connection, change: str) -> None:
    park.execute("RESET ROLE")
    park.execute(change.encode())
    assert park.execute(
        "SELECT enterprise FROM grafana.peak_share ORDER BY 1"
    ).fetchall() == [("A",), ("B",), ("C",)]


def test_no_coincidence_without_all(park: Connection) -> None:
    park.execute("RESET ROLE")
    park.execute(f"UPDATE core.usage_15min SET measured_s = 450 {OF_C}".encode())
    assert park.execute("SELECT factor FROM grafana.coincidence").fetchall() == [
        (None,)
    ]


def test_contract_recorded_last_applies(park: Connection) -> None:
    park.execute("RESET ROLE")
    park.execute(
        "INSERT INTO core.usage_15min (channel_id, start, amount, measured_s, "
        "estimated_s, expected_s) SELECT channel_id, at, 1, 900, 0, 900 "
        "FROM core.channel, unnest('{2026-02-27Z, 2026-04-02Z}'::timestamptz[]) AS at "
        "WHERE subject_id = 1 AND kind = 'total'"
    )
    assert park.execute(
        "SELECT contract_kw FROM grafana.park_demand WHERE time IN "
        "('2026-02-27Z', '2026-03-10Z', '2026-04-02Z') ORDER BY time"
    ).fetchall() == [(600,), (800,), (999,)]


def test_power_now(park: Connection) -> None:
    row = park.execute(
        "SELECT kw, meters_heard, meters, age_s FROM grafana.park_power"
    ).fetchone()
    assert row is not None
    assert row[:3] == (86 + 87, 2, 3)
    assert isinstance(row[3], float)
    assert 60 <= row[3] < 120


def test_energy(park: Connection) -> None:
    day = "SELECT enterprise, amount, coverage FROM grafana.energy_day WHERE time = "
    assert park.execute(
        (day + "'2026-03-10 00:00+08' ORDER BY enterprise").encode()
    ).fetchall() == [("A", 2400, 1), ("B", 2400, 1), ("C", 2400, 1), (None, 2400, 1)]
    assert park.execute(
        "SELECT sum(amount), min(coverage) FROM grafana.energy_month "
        "WHERE park = 'P' AND enterprise IS NOT NULL"
    ).fetchall() == [(21600, 259200 / 2678400)]


def test_quality_counts_silent_days(park: Connection) -> None:
    assert park.execute(
        "SELECT enterprise, known, estimated FROM grafana.data_quality "
        "WHERE time IN ('2026-03-11 00:00+08', '2026-03-12 00:00+08') "
        "ORDER BY time, enterprise"
    ).fetchall() == [
        ("A", 1, 0),
        ("B", 1, 0),
        ("C", 0.75, 0.25),
        ("A", 0, 0),
        ("B", 0, 0),
        ("C", 0, 0),
    ]


def test_rights_without_right_to_make_roles(park: Connection) -> None:
    """A migrating user without CREATEROLE gets the views; the role is made by hand."""
    rights = next(each.text for each in steps("views") if "rights" in each.name)
    park.execute("RESET ROLE")
    park.execute("CREATE ROLE test_plain NOCREATEROLE")
    try:
        park.execute("SET ROLE test_plain")
        park.execute(rights.replace("parkwatt_grafana", "test_absent").encode())
    finally:
        park.execute("RESET ROLE")
        park.execute("DROP ROLE test_plain")


def test_migrated_at_once(database: str) -> None:
    """Two processes that rebuild the views do not disturb each other."""
    again = [*steps("views"), Step("99_more.sql", "SELECT 1")]
    failed: list[BaseException] = []

    def run() -> None:
        try:
            migrate(database, views=again)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failed == []


def test_a_window_known_too_little_names_nobody(park: Connection) -> None:
    rule = (
        "INSERT INTO core.demand_rule (subject_id, window_min, method, valid_from, "
        "source) SELECT park_id, 60, 'fixed', '2026-01-01Z', 'test' FROM core.park "
        "WHERE code = 'P'"
    )
    largest = "SELECT enterprise, share FROM grafana.drew_most('P', %s)"

    def change(statement: str) -> None:
        park.execute("RESET ROLE")
        park.execute(statement.encode())
        park.execute("SET ROLE parkwatt_grafana")

    change(rule)
    (most,) = park.execute(largest.encode(), (PEAK,)).fetchall()
    assert most[0] == "B"
    assert 0 < float(str(most[1])) < 1
    # quarter hours from half past on: what is left of the hour is no whole window
    change(rule.replace("60", "15").replace("2026-01-01Z", "2026-03-11 01:30Z"))
    before = PEAK.replace(minute=15)
    assert park.execute(largest.encode(), (before,)).fetchall() == []


def test_a_rest_that_is_never_known_has_no_peak_and_no_time(park: Connection) -> None:
    park.execute("RESET ROLE")
    park.execute(
        "INSERT INTO core.demand_rule (subject_id, window_min, method, valid_from, "
        "source) SELECT park_id, 30, 'fixed', '2026-01-01Z', 'test' FROM core.park "
        "WHERE code = 'P'"
    )
    park.execute(
        "DELETE FROM core.usage_15min WHERE channel_id IN (SELECT channel_id "
        "FROM core.channel JOIN core.enterprise ON subject_id = enterprise_id "
        "WHERE code = 'C')"
    )
    park.execute("SET ROLE parkwatt_grafana")
    rest = park.execute(
        "SELECT kw, own_kw, own_time, coverage FROM grafana.enterprise_peak "
        "WHERE enterprise IS NULL"
    ).fetchall()
    assert rest == [(None, None, None, 0)]


def as_owner(park: Connection, *statements: str) -> None:
    park.execute("RESET ROLE")
    for each in statements:
        park.execute(each.encode())
    park.execute("SET ROLE parkwatt_grafana")


def rule(minutes: int, since: str, method: str = "fixed") -> str:
    return (
        "INSERT INTO core.demand_rule (subject_id, window_min, method, valid_from, "
        f"source) VALUES (1, {minutes}, '{method}', {since}, 'test')"
    )


def test_who_drew_most_is_asked_by_the_rule_of_the_quarter_hour(
    park: Connection,
) -> None:
    """At 01:52 another rule is stated: it begins at 02:00, with the next quarter hour."""
    as_owner(park, rule(30, "'2026-01-01Z'"), rule(15, "'2026-03-11 01:52Z'"))
    for minute in (30, 40, 55):
        rows = park.execute(
            "SELECT enterprise, share FROM grafana.drew_most('P', %s)",
            (PEAK.replace(minute=minute),),
        ).fetchall()
        # A 400 kW and then 100, the park 655 and then 355
        assert rows == [("A", pytest.approx(250 / 505))], minute


def test_windows_begin_where_the_clock_is_set_by_half_an_hour(park: Connection) -> None:
    """Lord Howe: from 02:00 back to 01:30 on 5 April, on to 02:30 on 4 October."""
    zone = "Australia/Lord_Howe"
    as_owner(park, f"UPDATE core.park SET zone = '{zone}'", rule(60, "'2026-01-01Z'"))
    starts = {
        "2026-04-04 14:50Z": "2026-04-04 14:00Z",
        "2026-04-04 15:20Z": "2026-04-04 15:00Z",
        "2026-04-04 15:40Z": "2026-04-04 15:30Z",
        "2026-10-03 15:20Z": "2026-10-03 14:30Z",
        "2026-10-03 15:50Z": "2026-10-03 15:30Z",
        "2026-10-03 16:10Z": "2026-10-03 16:00Z",
    }
    for instant, start in starts.items():
        assert park.execute(
            "SELECT grafana.window_start('P', %s) = %s::timestamptz", (instant, start)
        ).fetchall() == [(True,)], instant
    found = park.execute(
        "SELECT w.at = grafana.window_start('P', w.at), count(*) FROM grafana.windows("
        "'P', '2026-04-04 11:00Z', '2026-04-04 20:30Z', false) w GROUP BY 1"
    ).fetchall()
    assert found == [(True, 10)]  # nine hours and the half one


def test_periods_that_begin_and_end_anywhere_fit_together(park: Connection) -> None:
    """Sliding windows of 30 minutes, then a rule that begins within a quarter hour."""
    as_owner(
        park,
        rule(30, "'2026-01-01Z'", "sliding"),
        rule(60, "'2026-03-11 12:07+08'"),
        "INSERT INTO core.demand_sliding (subject_id, start, kw, after_s) "
        "SELECT 1, at, 400, 60 FROM generate_series('2026-03-09+08'::timestamptz, "
        "'2026-03-11 23:45+08', interval '15 minutes') AS at",
    )
    edges = ("2026-03-09 10:20+08", "2026-03-10 11:50+08", "2026-03-11 14:05+08")

    def slots(first: str, last: str) -> list[object]:
        rows = park.execute(
            "SELECT slot FROM grafana.windows('P', %s, %s, true) ORDER BY 1",
            (first, last),
        ).fetchall()
        return [row[0] for row in rows]

    whole = slots(edges[0], edges[2])
    assert whole == slots(*edges[:2]) + slots(*edges[1:])
    # 10:00 to 12:15 two days later in quarter hours, 12:15 to 14:00 in hours
    assert len(whole) == 2 * 96 + 9 + 2
    assert whole[0] == datetime(2026, 3, 9, 2, tzinfo=UTC)
    assert whole[-1] == datetime(2026, 3, 11, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("next_rule", "there"),
    [
        (None, False),  # it goes on
        ("'15 minutes'", False),  # it is cut, but not yet
        ("'0 minutes'", True),  # it was cut, and has ended
        ("'-8 minutes'", True),
    ],
)
def test_a_window_that_a_rule_has_cut_is_not_running(
    park: Connection, next_rule: str | None, there: bool
) -> None:
    with park.transaction():  # one now
        ((minute,),) = park.execute(
            "SELECT extract(minute FROM grafana.quarter(now()))::integer"
        ).fetchall()
        # where an hour has begun and not ended
        zone = "Asia/Kathmandu" if minute == 0 else "UTC"
        as_owner(
            park,
            f"UPDATE core.park SET zone = '{zone}'",
            rule(60, "'2000-01-01Z'"),
            *(
                [rule(15, f"grafana.quarter(now()) + interval {next_rule}")]
                if next_rule
                else []
            ),
        )
        found = park.execute(
            "SELECT max(w.at) = grafana.quarter(now()) - interval '1 minute' * "
            "(extract(minute FROM grafana.quarter(now()) AT TIME ZONE %s)::integer) "
            "FROM grafana.windows('P', now() - interval '3 hours', "
            "now() + interval '1 hour', false) w",
            (zone,),
        ).fetchall()
    assert found == [(there,)]
