"""The job: the order of arrival does not matter, and only what must be is computed."""

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from analytics.jobs import factors, service
from analytics.jobs.figures import figures
from analytics.jobs.recompute import Done, run_once
from store import registry, relations, statements
from store.batches import write_batch
from store.database import Connection, connect
from store.readings import NO_UNTIL, Rows, to_us

pytestmark = pytest.mark.db

ZONE = ZoneInfo("Asia/Shanghai")
FIRST = datetime(2026, 2, 27, tzinfo=ZONE)  # over the end of a month
QUARTERS = 4 * 96


class Park:
    """A park of two enterprises with three meters, and what their registers read."""

    def __init__(self, url: str) -> None:
        self.url = url
        with connect(url, autocommit=True) as conn:
            self.park = registry.add_park(conn, "p", zone=str(ZONE), region="CN-JS")
            self.enterprises = {
                code: registry.add_enterprise(conn, self.park, code)
                for code in ("e1", "e2")
            }
            self.channels: dict[str, int] = {}
            self.meters: dict[str, int] = {}
            for code, owner in (("A", "e1"), ("B", "e1"), ("C", "e2")):
                enterprise = self.enterprises[owner]
                meter = registry.add_meter(conn, self.park, enterprise, code)
                relations.confirm_meter(conn, meter, enterprise, source="test")
                self.meters[code] = meter
                self.channels[code] = registry.add_channel(
                    conn, meter, "energy_import", "register"
                )

    def readings(self) -> Rows:
        """All readings, by meter and time; meter C has a gap of six hours."""
        rng = np.random.default_rng(7)
        parts = []
        for code, channel in self.channels.items():
            at = to_us(FIRST) + np.arange(QUARTERS + 1) * 900_000_000
            value = np.cumsum(np.round(rng.random(QUARTERS + 1) * 50, 2))
            keep = np.ones(at.size, np.bool_)
            if code == "C":
                keep[100:124] = False
            parts.append((channel, at[keep], value[keep]))
        return Rows(
            np.concatenate([np.full(at.size, c, np.int64) for c, at, _ in parts]),
            np.concatenate([at for _, at, _ in parts]),
            np.concatenate([value for _, _, value in parts]),
            np.full(sum(at.size for _, at, _ in parts), NO_UNTIL, np.int64),
        )

    def write(self, rows: Rows) -> None:
        ids = dict.fromkeys(self.channels.values(), self.park)
        with connect(self.url) as conn:
            write_batch(
                conn,
                rows,
                [],
                parks=ids,
                totals=set(ids),
                source="test",
                parser="test/1",
                messages=1,
            )

    def analyse(self) -> list[Done]:
        done: list[Done] = []
        service.run(self.url, threading.Event(), done.append, once=True)
        return done

    def tables(self) -> dict[str, list[tuple[object, ...]]]:
        """All that was derived, with codes for ids."""
        with connect(self.url) as conn:
            return {
                name: conn.execute(
                    f"SELECT * FROM core.{name} ORDER BY 1, 2"
                ).fetchall()
                for name in ("usage_15min", "usage_day", "usage_month", "demand")
            }


def test_any_order_split_and_repetition_gives_the_same_bits(
    new_database: Callable[[], str],
) -> None:
    straight = Park(new_database())
    rows = straight.readings()
    straight.write(rows)
    straight.analyse()
    expected = straight.tables()
    assert len(expected["usage_15min"]) == 6 * QUARTERS
    for seed in range(2):
        other = Park(new_database())
        rng = np.random.default_rng(seed)
        order = rng.permutation(rows.channel.size)
        order = np.concatenate([order, rng.choice(order, 200)])
        for part in np.array_split(order, 5):
            other.write(rows.take(part))
            other.analyse()
        assert other.tables() == expected


def test_totals_are_sums_and_the_peak_is_the_maximum_of_the_sum(database: str) -> None:
    park = Park(database)
    rows = park.readings()
    park.write(rows)
    park.analyse()
    with connect(database) as conn:
        whole = _figures(conn)
        parts = [_figures(conn, code) for code in ("e1", "e2")]
    sums = {
        code: float(
            rows.value[rows.channel == c][-1] - rows.value[rows.channel == c][0]
        )
        for code, c in park.channels.items()
    }
    assert whole["energy_kwh"] == pytest.approx(sum(sums.values()), abs=1e-6)
    assert parts[0]["energy_kwh"] == pytest.approx(sums["A"] + sums["B"], abs=1e-6)
    assert parts[1]["energy_kwh"] == pytest.approx(sums["C"], abs=1e-6)
    assert whole["peak_demand_kw"] < sum(each["peak_demand_kw"] for each in parts)


def test_a_gap_is_estimated_in_shape_and_known_in_sum(database: str) -> None:
    park = Park(database)
    park.write(park.readings())
    park.analyse()
    with connect(database) as conn:
        found = _figures(conn, "e2")
    assert found["coverage"] == pytest.approx(1.0)
    assert found["estimated_share"] == pytest.approx(6.25 / 96)
    assert found["missing_share"] == pytest.approx(0.0)


def test_a_late_reading_changes_only_what_it_must(database: str) -> None:
    park = Park(database)
    rows = park.readings()
    late = np.zeros(rows.channel.size, np.bool_)
    late[200] = True  # of meter A
    park.write(rows.take(~late))
    park.analyse()
    before = park.tables()["usage_15min"]
    park.write(rows.take(late))
    park.analyse()
    changed = set(park.tables()["usage_15min"]) ^ set(before)
    # the two quarters beside it, of the meter, of its enterprise and of the park
    assert len({(row[0], row[1]) for row in changed}) == 2 * 3


def test_a_missing_end_stays_unknown(database: str) -> None:
    park = Park(database)
    rows = park.readings()
    cut = rows.at_us < to_us(FIRST + timedelta(days=2))
    park.write(rows.take(cut))
    park.analyse()
    with connect(database) as conn:
        found = _figures(conn)
    assert found["missing_share"] == pytest.approx(0.5, abs=0.01)
    assert not found["publishable"]
    assert [row["energy_kwh"] is None for row in found["series"]] == [
        False,
        False,
        True,
        True,
    ]
    assert {row["expected_s"] for row in found["series"]} == {3 * 86400.0}


def test_a_multiplier_restates_by_itself_and_the_earlier_answer_stays(
    database: str,
) -> None:
    park = Park(database)
    park.write(park.readings())
    park.analyse()
    with connect(database, autocommit=True) as conn:
        before = _figures(conn, "e2")
        then = _now(conn)
        relations.set_multiplier(
            conn,
            park.meters["C"],
            ct=80,
            pt=1,
            valid_from=FIRST,
            source="test",
        )
        park.analyse()
        after = _figures(conn, "e2")
        assert after["energy_kwh"] == pytest.approx(80 * before["energy_kwh"])
        asked = _figures(conn, "e2", known_on=then)
    for name in before.keys() - {"as_known_on"}:
        assert asked[name] == before[name], name


def test_a_meter_that_moves_takes_its_energy_along(database: str) -> None:
    park = Park(database)
    park.write(park.readings())
    park.analyse()
    with connect(database, autocommit=True) as conn:
        before = {code: _figures(conn, code)["energy_kwh"] for code in ("e1", "e2")}
        day = FIRST + timedelta(days=2)
        relations.assign_meter(
            conn, park.meters["B"], park.enterprises["e2"], day, None, source="test"
        )
        park.analyse()
        after = {code: _figures(conn, code)["energy_kwh"] for code in ("e1", "e2")}
        assert after["e1"] < before["e1"]
        assert sum(after.values()) == pytest.approx(sum(before.values()))


def test_a_total_whose_last_meter_moves_away_is_emptied(database: str) -> None:
    park = Park(database)
    park.write(park.readings())
    park.analyse()
    with connect(database, autocommit=True) as conn:
        e1, e2 = park.enterprises["e1"], park.enterprises["e2"]
        relations.assign_meter(conn, park.meters["C"], e1, FIRST, None, source="test")
        park.analyse()
        left = conn.execute(
            "SELECT count(*) FROM usage_day JOIN channel USING (channel_id) "
            "WHERE subject_id = %s",
            (e2,),
        ).fetchone()
        demand = conn.execute(
            "SELECT count(*) FROM demand WHERE subject_id = %s", (e2,)
        ).fetchone()
    assert (left, demand) == ((0,), (0,))


def test_an_absurd_reading_does_not_stop_the_job(database: str) -> None:
    park = Park(database)
    rows = park.readings()
    rows.value[10:] += 4e14 * (rows.channel[10:] == park.channels["A"])
    park.write(rows)
    assert park.analyse()
    with connect(database) as conn:
        assert conn.execute("SELECT count(*) FROM dirty").fetchone() == (0,)


def test_readings_of_a_meter_that_is_confirmed_later_count_then(database: str) -> None:
    park = Park(database)
    with connect(database, autocommit=True) as conn:
        conn.execute("UPDATE meter SET confirmed_at = NULL WHERE code = 'C'")
        conn.execute("DELETE FROM assignment WHERE meter_id = %s", (park.meters["C"],))
        park.write(park.readings())
        park.analyse()
        assert _figures(conn, "e2")["energy_kwh"] is None
        relations.confirm_meter(
            conn, park.meters["C"], park.enterprises["e2"], source="test"
        )
        park.analyse()
        assert _figures(conn, "e2")["energy_kwh"] > 0


def test_several_processes_share_the_work(database: str) -> None:
    park = Park(database)
    expected_url = database
    park.write(park.readings())
    threads = [
        threading.Thread(
            target=service.run,
            args=(expected_url, threading.Event()),
            kwargs={"once": True},
        )
        for _ in range(3)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    park.analyse()
    assert len(park.tables()["usage_15min"]) == 6 * QUARTERS


def test_events_are_kept_with_what_was_read(database: str) -> None:
    park = Park(database)
    rows = park.readings()
    bad = rows._replace(value=rows.value.copy())
    bad.value[50] = 0.0
    park.write(bad.take(bad.at_us < to_us(FIRST + timedelta(days=1))))
    park.analyse()
    with connect(database) as conn:
        kinds = conn.execute("SELECT kind FROM register_event").fetchall()
        # what is left out leaves half an hour between two good readings
        assert sorted(kinds) == [("gap",), ("glitch",)]


def test_intensity_needs_the_whole_added_value(database: str) -> None:
    park = Park(database)
    park.write(park.readings())
    park.analyse()
    days = (date(2026, 2, 27), date(2026, 3, 3))
    with connect(database, autocommit=True) as conn:
        factors.load(conn)
        e1, e2 = park.enterprises["e1"], park.enterprises["e2"]
        statements.state_added_value(conn, e1, *days, 100.0, source="test")
        assert _figures(conn)["intensity"]["added_value_10k_cny"] is None
        assert _figures(conn)["intensity"]["added_value_missing"] == 1
        statements.state_added_value(conn, e2, *days, -100.0, source="test")
        assert _figures(conn)["intensity"]["tce_per_10k_cny"]["calorific"] is None
        statements.state_added_value(conn, e2, *days, 300.0, source="test")
        found = _figures(conn)
        assert found["intensity"]["added_value_10k_cny"] == 400.0
        assert found["intensity"]["tce_per_10k_cny"]["calorific"] == pytest.approx(
            found["energy_kwh"] * 0.1229e-3 / 400
        )


def test_statements_of_single_days_go_together_as_those_of_months(
    database: str,
) -> None:
    park = Park(database)
    park.write(park.readings())
    park.analyse()
    days = [date(2026, 2, 27) + timedelta(days=n) for n in range(5)]
    with connect(database, autocommit=True) as conn:
        # the last one crosses the one before it, which is longer and so counts
        for first, last, amount in ((0, 1, 1.0), (1, 4, 9.0), (0, 2, 5.0)):
            statements.state_added_value(
                conn,
                park.enterprises["e1"],
                days[first],
                days[last],
                amount,
                source="test",
            )
        found = _figures(conn, "e1")["intensity"]
    assert found["added_value_10k_cny"] == 10.0
    assert len(found["added_value_ids"]) == 2


def test_a_series_ends_with_what_has_passed(database: str) -> None:
    park = Park(database)
    park.write(park.readings())
    park.analyse()
    with connect(database) as conn:
        for grain, count in (("15min", 96 + 41), ("day", 2), ("month", 1)):
            found = figures(
                conn,
                registry.subject(conn, "p", "e1"),
                date(2026, 2, 27),
                date(2026, 3, 3),
                grain=grain,
                now=FIRST + timedelta(days=1, hours=10, minutes=5),
            )
            assert len(found["series"]) == count
            assert sum(row["expected_s"] for row in found["series"]) == pytest.approx(
                2 * (86400 + 36300)
            )


def test_nothing_to_do(database: str) -> None:
    with connect(database, autocommit=True) as conn:
        assert run_once(conn) is None


def _now(conn: Connection) -> datetime:
    row = conn.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    assert isinstance(row[0], datetime)
    return row[0]


def _figures(
    conn: Connection,
    enterprise: str | None = None,
    known_on: datetime | None = None,
) -> dict[str, Any]:
    return figures(
        conn,
        registry.subject(conn, "p", enterprise),
        date(2026, 2, 27),
        date(2026, 3, 3),
        grain="day",
        known_on=known_on,
        now=datetime(2027, 1, 1, tzinfo=UTC),
    )
