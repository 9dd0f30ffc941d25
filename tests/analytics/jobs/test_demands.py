"""Rules of measuring demand: windows, cuts, sliding ones, and what a peak says."""

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.jobs import demands, service, tariffs
from analytics.jobs.billing import Assumed, bills
from analytics.jobs.demands import Stretch, Windows
from analytics.jobs.figures import figures
from analytics.jobs.peaking import peak_figures
from analytics.registers import QUARTER_US
from store import demand_rules, registry, relations
from store.batches import write_batch
from store.database import connect
from store.demand_rules import Rule
from store.errors import Invalid
from store.readings import NO_UNTIL, Rows, to_us
from store.readings import to_datetime as at
from store.series import Series
from tests.analytics.jobs.test_order import Park, Sent, everything

MINUTE_US = 60_000_000
MINUTE = timedelta(minutes=1)
NO_SLIDING = Series(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((2, 0)))


def grid(
    start: datetime, kw: list[float], covered: list[float] | None = None
) -> Windows:
    size = len(kw)
    share = np.array(covered if covered is not None else [1.0] * size)
    return Windows(
        to_us(start) + np.arange(size) * QUARTER_US,
        np.full(size, 900.0),
        np.array(kw, np.float64),
        share,
        share,
    )


def stretch(start: datetime, hours: float, *rule: Any) -> Stretch:
    low = to_us(start)
    return Stretch(low, low + round(hours * 3600e6), Rule(*rule))


def starts(found: Windows, zone: ZoneInfo) -> list[str]:
    return [
        datetime.fromtimestamp(us / 1e6, zone).strftime("%H:%M")
        for us in found.at_us.tolist()
    ]


# --- windows, without a database


def test_an_hour_begins_by_the_local_clock_of_a_half_hour_zone() -> None:
    zone = ZoneInfo("Asia/Kolkata")  # +05:30
    start = datetime(2026, 3, 2, tzinfo=zone)  # 18:30 UTC
    kw = [10.0, 20, 30, 40, 0, 0, 0, 8]
    found = demands.regroup(grid(start, kw), [stretch(start, 2, 60)], zone)
    assert starts(found, zone) == ["00:00", "01:00"]
    assert found.kw.tolist() == [25.0, 2.0]
    assert found.length_s.tolist() == [3600.0, 3600.0]
    # Kathmandu's quarters: +05:45
    zone = ZoneInfo("Asia/Kathmandu")
    start = datetime(2026, 3, 2, tzinfo=zone)
    found = demands.regroup(grid(start, kw), [stretch(start, 2, 30)], zone)
    assert starts(found, zone) == ["00:00", "00:30", "01:00", "01:30"]
    assert found.kw.tolist() == [15.0, 35.0, 0.0, 4.0]


def test_a_clock_set_by_half_an_hour_leaves_half_windows_that_do_not_count() -> None:
    zone = ZoneInfo("Australia/Lord_Howe")
    start = datetime(2026, 4, 5, tzinfo=zone)  # at 02:00 the clock goes back to 01:30
    found = demands.regroup(grid(start, [4.0] * 14), [stretch(start, 3.5, 60)], zone)
    assert starts(found, zone) == ["00:00", "01:00", "01:30", "02:00"]
    assert found.covered.tolist() == [1.0, 1.0, 0.5, 1.0]
    assert found.kw.tolist() == [4.0, 4.0, 2.0, 4.0]


def test_a_window_that_has_not_ended_is_not_there() -> None:
    start = datetime(2026, 3, 2, tzinfo=UTC)
    cut = [stretch(start, 24, 60)]
    found = demands.regroup(grid(start, [1.0] * 7), cut, ZoneInfo("UTC"))
    assert found.kw.tolist() == [1.0]


def test_a_rule_that_changes_cuts_the_period() -> None:
    start, zone = datetime(2026, 3, 2, tzinfo=UTC), ZoneInfo("UTC")
    low, high = to_us(start), to_us(start) + 4 * 3_600_000_000
    middle = low + 2 * 3_600_000_000
    cut = demands.stretches([(middle, Rule(60, "fixed"))], low, high)
    assert cut == [
        Stretch(low, middle, Rule(15, "fixed")),
        Stretch(middle, high, Rule(60, "fixed")),
    ]
    kw = [0.0, 30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100, 0, 0, 0, 0]
    found = demands.measure(grid(start, kw), NO_SLIDING, cut, zone, 0.95)
    assert [(p.kw, p.method) for _, p in found.parts] == [
        (30.0, "demand_fixed15"),
        (25.0, "demand_fixed60"),  # 100 kW for a quarter of its hour
    ]
    assert (found.peak.kw, found.peak.method) == (30.0, "demand_fixed15")
    assert (found.peak.known, found.peak.lower_bound) == (1.0, False)
    # 30/4 + 100/4 kWh in four hours over 30 kW, by hand
    assert demands.load_factor(found.fixed, 0.95) == pytest.approx(32.5 / 4 / 30)


def test_what_is_known_of_a_peak_is_told() -> None:
    start, zone = datetime(2026, 3, 2, tzinfo=UTC), ZoneInfo("UTC")
    one = grid(start, [1.0, 9.0, 5.0, np.nan], [1.0, 0.5, 1.0, 0.0])
    found = demands.measure(one, NO_SLIDING, [stretch(start, 1)], zone, 0.95)
    assert (found.peak.kw, found.peak.known, found.peak.lower_bound) == (5.0, 0.5, True)
    none = demands.measure(
        grid(start, [np.nan] * 4, [0.0] * 4), None, [stretch(start, 1)], zone, 0.95
    )
    assert np.isnan(none.peak.kw)
    assert not none.peak.lower_bound


def test_a_window_of_which_one_of_two_meters_is_known_does_not_count() -> None:
    start = datetime(2026, 3, 2, tzinfo=UTC)
    rows = Series(
        np.zeros(4, np.int64),
        to_us(start) + np.arange(4) * QUARTER_US,
        np.array(
            [[9.0, 1, 1, 1], [900.0, 1800, 0, 1800], [0.0, 0, 1800, 0], [1800.0] * 4]
        ),
    )
    laid = demands.quarters(rows, to_us(start), to_us(start) + 4 * QUARTER_US)
    assert laid.covered.tolist() == [0.5, 1.0, 1.0, 1.0]
    assert laid.measured.tolist() == [0.5, 1.0, 0.0, 1.0]
    found = demands.measure(laid, None, [stretch(start, 1)], ZoneInfo("UTC"), 0.95)
    assert (found.peak.kw, found.peak.known) == (4.0, 0.75)


@given(
    st.lists(st.integers(0, 999), min_size=8, max_size=96),
    st.sampled_from([30, 60]),
    st.sampled_from(["Asia/Shanghai", "Asia/Kolkata", "Asia/Kathmandu"]),
)
def test_longer_windows_hold_the_same_energy_and_no_higher_peak(
    kw: list[int], length: int, name: str
) -> None:
    zone = ZoneInfo(name)
    start = datetime(2026, 3, 2, tzinfo=zone)
    count = length // 15
    kw = kw[: len(kw) // count * count]
    quarters = grid(start, [float(each) for each in kw])
    found = demands.regroup(quarters, [stretch(start, len(kw) / 4, length)], zone)
    assert found.kw.sum() * count == pytest.approx(sum(kw))
    assert found.kw.max() <= max(kw)
    assert found.kw.tolist() == [
        sum(kw[i : i + count]) / count for i in range(0, len(kw), count)
    ]


# --- with a database

ZONE = ZoneInfo("Asia/Kolkata")
FIRST = date(2026, 3, 2)
START = datetime(2026, 3, 2, tzinfo=ZONE)
SIZE = 3 * 24 * 60


class Plant:
    """One enterprise of two meters that are read each minute for three local days."""

    def __init__(self, url: str, gap: tuple[int, int] | None = None) -> None:
        self.url = url
        rng = np.random.default_rng(4)
        self.energy = np.round(rng.random((2, SIZE + 120)) * 3, 2)
        with connect(url, autocommit=True) as conn:
            tariffs.load(conn)
            self.park = registry.add_park(conn, "p", zone=str(ZONE), region="CN-JS")
            self.owner = registry.add_enterprise(conn, self.park, "e")
            self.meters = []
            for i, each in enumerate(self.energy):
                meter = registry.add_meter(conn, self.park, self.owner, f"M{i}")
                relations.confirm_meter(conn, meter, self.owner, source="test")
                self.meters.append(meter)
                key = relations.add_meter_channel(
                    conn, meter, "energy_import", "register"
                )
                value = np.concatenate([[0.0], np.cumsum(each)])
                at = to_us(START) + np.arange(value.size) * MINUTE_US
                keep = np.ones(at.size, np.bool_)
                if gap is not None:
                    keep[gap[0] : gap[1]] = False
                with conn.transaction():
                    write_batch(
                        conn,
                        Rows(
                            np.full(keep.sum(), key, np.int64),
                            at[keep],
                            value[keep],
                            np.full(keep.sum(), NO_UNTIL, np.int64),
                        ),
                        [],
                        parks={key: self.park},
                        totals={key},
                        source="test",
                        parser="test/1",
                        messages=1,
                    )

    def rule(self, subject: int, length: int, method: str, day: int = 0) -> None:
        with connect(self.url, autocommit=True) as conn:
            demand_rules.set_demand_rule(
                conn,
                subject,
                length,
                method,
                START + timedelta(days=day),
                source="test",
            )

    def analyse(self) -> None:
        service.run(self.url, threading.Event(), once=True)

    def ask(self, meter: str | None = None, **more: Any) -> dict[str, Any]:
        with connect(self.url, autocommit=True) as conn:
            subject = registry.subject(conn, "p", "e", meter)
            return figures(conn, subject, FIRST, date(2026, 3, 5), **more)

    def peaks(self, enterprise: str | None = "e", **more: Any) -> dict[str, Any]:
        with connect(self.url, autocommit=True) as conn:
            subject = registry.subject(conn, "p", enterprise)
            return peak_figures(conn, subject, FIRST, date(2026, 3, 5), **more)

    def sliding(self) -> list[tuple[object, ...]]:
        with connect(self.url) as conn:
            return conn.execute(
                "SELECT coalesce(m.code, e.code, 'park'), d.start, d.kw, d.after_s "
                "FROM core.demand_sliding d "
                "LEFT JOIN core.meter m ON m.meter_id = d.subject_id "
                "LEFT JOIN core.enterprise e ON e.enterprise_id = d.subject_id "
                "ORDER BY 1, 2"
            ).fetchall()

    def highest(
        self, which: slice, length: int, step: int, low: int = 0, high: int = SIZE
    ) -> tuple[float, datetime]:
        """The highest window of a length that begins at a step, from the minutes."""
        minutes = self.energy[which].sum(axis=0)
        sums = np.convolve(minutes, np.ones(length), "valid")[low:high:step]
        best = int(np.argmax(np.round(sums, 9)))
        kw = float(sums[best]) * 60 / length
        return kw, START + (low + best * step) * MINUTE


@pytest.mark.db
@pytest.mark.parametrize("length", [30, 60])
@pytest.mark.parametrize("method", ["fixed", "sliding"])
def test_peaks_by_a_rule_are_those_of_the_minutes(
    database: str, length: int, method: str
) -> None:
    plant = Plant(database)
    plant.rule(plant.owner, length, method)
    plant.rule(plant.meters[0], length, method)
    plant.analyse()
    step = length if method == "fixed" else 1
    for meter, which in ((None, slice(0, 2)), ("M0", slice(0, 1))):
        kw, at = plant.highest(which, length, step)
        found = plant.ask(meter)
        assert found["demand_method"] == f"demand_{method}{length}"
        assert found["peak_demand_kw"] == pytest.approx(kw)
        assert datetime.fromisoformat(found["peak_start"]) == at
        assert (found["peak_known_share"], found["peak_lower_bound"]) == (1.0, False)
        slid, _ = plant.highest(which, length, 1)
        assert found["peak_sliding_kw"] == pytest.approx(slid)
        assert found["sliding_coverage"] == 1.0
        now = datetime.now(UTC) + timedelta(hours=1)
        asked = plant.ask(meter, known_on=now)
        for name in found.keys() - {"as_known_on", "pending"}:
            assert asked[name] == found[name], name
    kw, at = plant.highest(slice(0, 2), length, step)
    peaks = plant.peaks()
    assert peaks["demand_method"] == f"demand_{method}{length}"
    assert peaks["top"][0]["kw"] == pytest.approx(kw)
    assert datetime.fromisoformat(peaks["top"][0]["start"]) == at
    assert peaks["months"][0]["kw"] == peaks["top"][0]["kw"]
    times = [datetime.fromisoformat(each["start"]) for each in peaks["top"]]
    assert all(
        abs(one - other) > timedelta(hours=1)
        for one in times
        for other in times
        if one is not other
    )
    # the other meter has no rule: 15 minutes, fixed
    assert plant.ask("M1")["demand_method"] == "demand_fixed15"


@pytest.mark.db
def test_a_rule_stated_later_gives_the_same_bits(
    database: str, new_database: Any
) -> None:
    before = Plant(database)
    before.rule(before.owner, 60, "sliding", 1)
    before.rule(before.meters[1], 30, "fixed", 2)
    before.analyse()
    after = Plant(new_database())
    after.analyse()
    after.rule(after.owner, 60, "sliding", 1)
    after.analyse()
    after.rule(after.meters[1], 30, "fixed", 2)
    after.analyse()
    assert before.sliding() == after.sliding()
    found = before.ask()
    first, second = found["demand_rules"]
    assert (first["window_min"], first["method"]) == (15, "fixed")
    assert (second["window_min"], second["method"]) == (60, "sliding")
    kw, at = before.highest(slice(0, 2), 15, 15, 0, 1440)
    assert first["kw"] == pytest.approx(kw)
    assert datetime.fromisoformat(first["start"]) == at
    kw, at = before.highest(slice(0, 2), 60, 1, 1440)
    assert second["kw"] == pytest.approx(kw)
    assert datetime.fromisoformat(second["start"]) == at
    assert found["peak_demand_kw"] == max(first["kw"], second["kw"])


@pytest.mark.db
def test_windows_that_reach_into_a_new_place_are_restated(
    database: str, new_database: Any
) -> None:
    def place(plant: Plant) -> None:
        with connect(plant.url, autocommit=True) as conn:
            relations.place_meter(
                conn,
                plant.meters[1],
                "sub",
                None,
                START + timedelta(days=1, hours=10),
                source="test",
            )

    before, after = Plant(database), Plant(new_database())
    for plant in (before, after):
        plant.rule(plant.owner, 30, "sliding")
    place(before)
    before.analyse()
    after.analyse()
    place(after)
    after.analyse()
    assert before.sliding() == after.sliding()


@pytest.mark.db
def test_an_earlier_answer_knows_no_later_rule(database: str) -> None:
    plant = Plant(database)
    plant.analyse()
    with connect(database) as conn:
        row = conn.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    before, peaks, of_park = plant.ask(), plant.peaks(), plant.peaks(None)
    assert peaks["sliding_coverage"] == 1.0
    plant.rule(plant.owner, 60, "sliding")
    plant.rule(plant.park, 30, "sliding")
    plant.analyse()
    assert plant.ask()["peak_demand_kw"] < before["peak_demand_kw"]
    asked = plant.ask(known_on=row[0])
    assert {**asked, "as_known_on": None} == before
    assert plant.peaks()["top"] != peaks["top"]
    assert {**plant.peaks(known_on=row[0]), "as_known_on": None} == peaks
    assert plant.peaks(None)["made_by"] != of_park["made_by"]
    assert {**plant.peaks(None, known_on=row[0]), "as_known_on": None} == of_park
    now = datetime.now(UTC) + timedelta(hours=1)
    for name in ("e", None):
        asked = plant.peaks(name, known_on=now)
        assert {**asked, "as_known_on": None} == plant.peaks(name)


@pytest.mark.db
def test_figures_and_peaks_say_the_same_of_a_period_with_gaps(database: str) -> None:
    plant = Plant(database, gap=(1000, SIZE + 121))
    plant.analyse()
    one, other = plant.ask(), plant.peaks()
    assert one["peak_demand_kw"] == other["top"][0]["kw"]
    assert one["peak_start"] == other["top"][0]["start"]
    assert one["peak_known_share"] == other["coverage"] < 0.95
    assert one["peak_lower_bound"]
    assert other["lower_bound"]
    assert one["load_factor"] == other["load_factor"]
    assert one["demand_rules"] == other["demand_rules"]
    assert other["duration"] == []
    assert plant.peaks(None)["made_by"]["kw"] is None


@pytest.mark.db
def test_before_the_first_meter_counts_nothing_is_unknown(database: str) -> None:
    # a park that begins in the middle of a month: 480 quarters, from the 16th to the 20th
    start = to_us(datetime(2026, 1, 16, tzinfo=ZONE))
    line = [(start + i * 15 * MINUTE_US, float(i % 96 + i)) for i in range(481)]
    rising = np.maximum.accumulate(np.cumsum([1.0 + v % 7 for _, v in line])).tolist()
    sent = list(zip([t for t, _ in line], rising, strict=True))
    park = Park(database, [Sent(sent, [])], ZONE)
    with connect(database, autocommit=True) as conn:
        relations.confirm_meter(
            conn, park.add(conn, "M0"), park.enterprise, source="test", since=at(start)
        )
    park.write(everything(park.meters))
    park.analyse()
    now = at(start + 480 * 15 * MINUTE_US)
    for names in ((), ("e",)):
        with connect(database, autocommit=True) as conn:
            subject = registry.subject(conn, "p", *names)
            days = (date(2026, 1, 1), date(2026, 2, 1))
            found = figures(conn, subject, *days, now=now)
            shown = peak_figures(conn, subject, *days, now=now)
        assert (found["coverage"], found["missing_share"]) == (1.0, 0.0)
        assert found["peak_known_share"] == shown["coverage"] == 1.0
        assert not found["peak_lower_bound"]
        assert not shown["lower_bound"]
        assert found["load_factor"] == shown["load_factor"]
        assert len(shown["duration"]) > 1
        assert [each["coverage"] for each in shown["days"]] == [0.0] * 15 + [1.0] * 5
        assert [each["kw"] is None for each in shown["days"]] == [True] * 15 + [
            False
        ] * 5
        assert shown["months"][0]["coverage"] == 1.0
        if not names:
            assert shown["made_by"]["kw"] == found["peak_demand_kw"]


@pytest.mark.db
def test_where_nothing_is_metered_no_peak_is_known(plain_database: str) -> None:
    park = Park(plain_database, [])
    days = (date(2026, 1, 1), date(2026, 2, 1))
    with connect(plain_database, autocommit=True) as conn:
        park.add(conn, "M0")  # heard of, not confirmed
        for names in ((), ("e",), ("e", "M0")):
            subject = registry.subject(conn, "p", *names)
            for now in (None, datetime(2025, 1, 1, tzinfo=UTC)):  # or not begun
                found = peak_figures(conn, subject, *days, now=now)
                assert (found["coverage"], found["top"]) == (0.0, [])
                assert found["load_factor"] is None
                assert figures(conn, subject, *days, now=now)["energy_kwh"] is None


@pytest.mark.db
def test_the_park_rule_says_in_which_windows_its_peak_was_made(database: str) -> None:
    plant = Plant(database)
    plant.rule(plant.park, 60, "fixed")
    plant.analyse()
    made = plant.peaks(None)["made_by"]
    kw, at = plant.highest(slice(0, 2), 60, 60)
    assert made["window_min"] == 60
    assert made["kw"] == pytest.approx(kw)
    assert datetime.fromisoformat(made["start"]) == at
    assert made["parts"][0]["kw"] == pytest.approx(kw)
    assert made["parts"][0]["own_kw"] == pytest.approx(kw)


@pytest.mark.db
def test_a_bill_takes_the_highest_demand_of_the_rule(database: str) -> None:
    plant = Plant(database)
    plant.analyse()

    def basic() -> list[dict[str, Any]]:
        with connect(database, autocommit=True) as conn:
            found = bills(
                conn,
                registry.subject(conn, "p", "e"),
                date(2026, 3, 1),
                date(2026, 4, 1),
                assumed=Assumed(tariff="CN-JS", method="demand"),
                minimum_coverage=0.05,  # three days of a month
            )
        return [e for e in found["bills"][0]["lines"] if e["kind"] == "basic"]

    (line,) = basic()
    assert line["quantity"] == pytest.approx(plant.highest(slice(0, 2), 15, 1)[0])
    assert "demand_sliding15" in line["rule"]
    plant.rule(plant.owner, 30, "fixed")
    plant.analyse()
    before, line = basic()
    assert (before["from"], before["to"]) == ("2026-03-01", "2026-03-02")
    assert line["from"] == "2026-03-02"
    kw, _ = plant.highest(slice(0, 2), 30, 30)
    assert line["quantity"] == pytest.approx(kw * 30 / 31)
    assert "demand_fixed30" in line["rule"]


@pytest.mark.db
def test_what_no_rule_can_be_is_refused(database: str) -> None:
    with connect(database, autocommit=True) as conn:
        park = registry.add_park(conn, "p", zone="UTC")
        for length, method, words in (
            (20, "fixed", "none of 15"),
            (15, "x", "none of"),
        ):
            with pytest.raises(Invalid, match=words):
                demand_rules.set_demand_rule(
                    conn, park, length, method, START, source="test"
                )
        with pytest.raises(Invalid, match="end after"):
            demand_rules.set_demand_rule(
                conn, park, 15, "fixed", START, START, source="test"
            )
