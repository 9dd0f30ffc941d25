"""Each kind of input changed with validity: figures restate, and say why and by how much."""

import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from analytics.jobs import activities, factors, ledger, own_factors
from analytics.jobs.catalogue import known_figures
from analytics.jobs.explaining import explain
from analytics.jobs.figures import figures
from store import (
    demand_rules,
    formulas,
    judgements,
    registry,
    relations,
    revisions,
    statements,
)
from store.batches import write_batch
from store.database import Connection, connect
from store.errors import Invalid
from store.factors import record_factors
from store.readings import NO_UNTIL, Rows, to_us
from store.records import Subject
from tests.analytics.jobs.conftest import Monthly, turns

pytestmark = pytest.mark.db

YEAR = 2025
DAYS = (date(2025, 1, 1), date(2025, 4, 1))
JANUARY = turns(YEAR)[0]
SAYS: dict[str, Any] = {"source": "letter 7", "who": "Reader One"}


class Lab(Monthly):
    """Two enterprises of one quarter, and what is said of them later."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        # the last reading of B, that of 1 April, comes late
        self.add("A", {"energy_import": [1000.0, 1000.0, 1000.0]}, YEAR)
        self.add("B", {"energy_import": [500.0, 500.0, None]}, YEAR)
        with connect(url, autocommit=True) as conn:
            for code in "AB":
                for meter in registry.meters(conn, self.park.park_id, code):
                    relations.set_multiplier(
                        conn,
                        meter.meter_id,
                        ct=1.0,
                        pt=1.0,
                        valid_from=relations.BEGINNING,
                        source="plate",
                    )
                statements.state_added_value(
                    conn,
                    self.of(conn, code).subject_id,
                    *DAYS,
                    10.0,
                    source="bureau, first",
                )
        self.compute()

    def of(self, conn: Connection, code: str | None) -> Subject:
        return registry.subject(conn, self.park.code, code)

    def meter(self, conn: Connection, code: str) -> int:
        return registry.meters(conn, self.park.park_id, code)[0].meter_id

    def late(self, code: str, month: int, register: float) -> None:
        channel = self.channels[code, "M", "energy_import"]
        with connect(self.url) as conn:
            write_batch(
                conn,
                Rows(
                    np.array([channel], np.int64),
                    np.array([to_us(turns(YEAR)[month])], np.int64),
                    np.array([register]),
                    np.array([NO_UNTIL], np.int64),
                ),
                [],
                parks={channel: self.park.park_id},
                totals={channel},
                source="late courier",
                parser="test/2",
                messages=1,
            )


def late(lab: Lab, _: Connection) -> None:
    lab.late("B", 3, 1500.0)


def revision(lab: Lab, conn: Connection) -> None:
    revisions.add_revision(
        conn,
        lab.channels["A", "M", "energy_import"],
        turns(YEAR)[3],
        3300.0,
        who="Reader One",
        why="read again",
    )


def judgement(lab: Lab, conn: Connection) -> None:
    judgements.judge(
        conn,
        lab.meter(conn, "A"),
        "energy_import",
        turns(YEAR)[2],
        "left out",
        who="Reader One",
        why="a misread digit",
    )


def digits(lab: Lab, conn: Connection) -> None:
    relations.set_digits(
        conn, lab.meter(conn, "A"), "energy_import", 3, source="plate of A"
    )


def multiplier(lab: Lab, conn: Connection) -> None:
    relations.set_multiplier(
        conn,
        lab.meter(conn, "A"),
        ct=2.0,
        pt=1.0,
        valid_from=turns(YEAR)[1].astimezone(UTC),
        valid_to=turns(YEAR)[2].astimezone(UTC),
        source="letter of February",
    )


def membership(lab: Lab, conn: Connection) -> None:
    relations.assign_meter(
        conn,
        lab.meter(conn, "B"),
        lab.of(conn, "A").subject_id,
        turns(YEAR)[1].astimezone(UTC),
        None,
        source="contract of sale",
    )


def grid(lab: Lab, conn: Connection) -> None:
    (row,) = [e for e in factors.shipped() if e["code"] == "grid_average/CN/2023"]
    record_factors(conn, [row | {"value": 0.54, "source": "corrigendum"}])


def added_value(lab: Lab, conn: Connection) -> None:
    statements.state_added_value(
        conn, lab.of(conn, "A").subject_id, *DAYS, 12.5, source="bureau, second"
    )


def diesel(lab: Lab, conn: Connection) -> None:
    activities.state(
        conn,
        lab.of(conn, "A").subject_id,
        month=date(2025, 2, 1),
        item="diesel",
        use="burnt",
        amount=2.0,
        unit="t",
        **SAYS,
    )


def green(lab: Lab, conn: Connection) -> None:
    key: dict[str, Any] = {
        "kind": "certificate",
        "reference": "GEC-1",
        "production_month": date(2025, 1, 1),
        "mwh": 1.0,
    }
    given: dict[str, Any] = {"technology": "wind", "evidence": "certificate 1"}
    ledger.record(conn, lab.park, **key, **given, **SAYS)
    ledger.match(conn, lab.park, "A", month=date(2025, 2, 1), **key, **SAYS)


Change = Callable[[Lab, Connection], None]
CASES: list[tuple[Change, str, str, str, float, str]] = [
    # what is changed, kind, whose figure, which, its difference by hand, the row
    (late, "readings", "B", "energy_kwh", 500.0, "late courier"),
    (revision, "corrections", "A", "energy_kwh", 300.0, "read again"),
    (multiplier, "multipliers", "A", "energy_kwh", 1000.0, "letter of February"),
    (membership, "membership", "A", "energy_kwh", 500.0, "contract of sale"),
    (membership, "membership", "B", "energy_kwh", -500.0, "another"),
    (grid, "factors", "A", "co2_t.location_national", 3.0 * 0.0094, "corrigendum"),
    (added_value, "statements", "A", "added_value_10k_cny", 2.5, "bureau, second"),
    # 3 MWh x 0.1229 / 12.5 less / 10
    (
        added_value,
        "statements",
        "A",
        "tce_per_10k_cny.calorific",
        -0.3687 * (1 / 10 - 1 / 12.5),
        "bureau, second",
    ),
    (diesel, "statements", "A", "tce.calorific", 2.0 * 1.4571, "letter 7"),
    (green, "green", "A", "co2_t.residual", -1.0 * 0.6096, "certificate GEC-1"),
]


@pytest.mark.parametrize(
    ("change", "kind", "code", "figure", "difference", "row"),
    CASES,
    ids=[f"{each[0].__name__}-{each[2]}-{each[3]}" for each in CASES],
)
def test_a_change_restates_and_explains_itself(
    timescale_database: str,
    change: Change,
    kind: str,
    code: str,
    figure: str,
    difference: float,
    row: str,
) -> None:
    lab = Lab(timescale_database)
    with connect(lab.url, autocommit=True) as conn:
        subject = lab.of(conn, code)
        earlier = figures(conn, subject, *DAYS)
        then = datetime.now(UTC)
        change(lab, conn)
        lab.compute()
        now = explain(conn, subject, figure, *DAYS)
        told = explain(conn, subject, figure, *DAYS, compare_with=then)["change"]
        was = explain(conn, subject, figure, *DAYS, known_on=then)
        assert told["before"] == was["value"] == value(earlier, figure)  # to the bit
        assert (
            told["after"]
            == now["value"]
            == value(figures(conn, subject, *DAYS), figure)
        )
        assert told["change"] == pytest.approx(difference)
        (cause,) = told["causes"]
        assert cause["kind"] == kind
        assert cause["change"] == told["change"]
        assert row in str([cause["rows"], cause["readings"]])
        if kind != "readings":  # who says so, and that the figure rests on it
            (first, *_) = cause["rows"]
            assert first["recorded_at"] > then.isoformat()
            assert first["row_id"] in [each["row_id"] for each in now[kind]]
            assert first["row_id"] not in [each["row_id"] for each in was[kind]]


def value(found: dict[str, Any], figure: str) -> float:
    at: Any = found
    for key in known_figures()[figure].path:
        at = at[key]
    return float(at)


def test_formulas_policies_and_demand_rules(timescale_database: str) -> None:
    lab = Lab(timescale_database)
    with connect(lab.url, autocommit=True) as conn:
        park, a = lab.of(conn, None), lab.of(conn, "A")
        meter = formulas.add_virtual(
            conn,
            lab.park.park_id,
            a.subject_id,
            "V",
            quantity="energy_import",
            formula="B/M",
            role="main",
            source="sketch 1",
        )
        lab.compute()
        then = datetime.now(UTC)
        earlier = {each: figures(conn, each, *DAYS) for each in (park, a)}
        assert earlier[a]["energy_kwh"] == pytest.approx(4000.0)
        term = formulas.Term(lab.meter(conn, "B"), "energy_import", 0.5)
        formulas.state_formula(
            conn, meter, "energy_import", [term], relations.BEGINNING, source="sketch 2"
        )
        demand_rules.set_demand_rule(
            conn, a.subject_id, 60, "fixed", relations.BEGINNING, source="contract 9"
        )
        late(lab, conn)
        lab.compute()
        told = explain(conn, a, "energy_kwh", *DAYS, compare_with=then)["change"]
        # the share of B's 1000 kWh is halved, then half of 500 more comes
        assert {
            each["kind"]: each["change"] for each in told["causes"]
        } == pytest.approx({"membership": -500.0, "readings": 250.0})
        assert "sketch 2" in str(told["causes"][0]["rows"])
        for subject in (park, a):
            now = figures(conn, subject, *DAYS)
            for name in (
                *("energy_kwh", "measured_share", "estimated_share", "coverage"),
                *("peak_demand_kw", "peak_sliding_kw", "load_factor"),
                *("sliding_coverage", "tce.calorific", "power_factor"),
            ):
                told = explain(conn, subject, name, *DAYS, compare_with=then)["change"]
                assert told["before"] == dig(earlier[subject], name), name
                assert told["after"] == dig(now, name), name
                ends = [told["before"], *(each["after"] for each in told["causes"])]
                begins = [*(each["before"] for each in told["causes"]), told["after"]]
                assert ends == begins


def test_what_a_fall_means(timescale_database: str) -> None:
    lab = Lab(timescale_database)
    with connect(lab.url, autocommit=True) as conn:
        a = lab.of(conn, "A")
        revisions.add_revision(
            conn,
            lab.channels["A", "M", "energy_import"],
            turns(YEAR)[3],
            100.0,
            who="Reader One",
            why="it began again",
        )
        lab.compute()
        then = datetime.now(UTC)
        judgements.set_fall_policy(
            conn, lab.meter(conn, "A"), "restart", source="letter of the maker"
        )
        lab.compute()
        told = explain(conn, a, "energy_kwh", *DAYS, compare_with=then)["change"]
        (cause,) = told["causes"]
        assert (told["before"], told["after"]) == pytest.approx((2000.0, 2100.0))
        assert cause["kind"] == "registers"
        assert "letter of the maker" in str(cause["rows"])


def dig(found: dict[str, Any], figure: str) -> Any:
    for key in known_figures()[figure].path:
        found = found[key]
    return found


def test_many_causes_add_up_in_a_fixed_order(timescale_database: str) -> None:
    lab = Lab(timescale_database)
    figure = "co2_t.location_national"
    with connect(lab.url, autocommit=True) as conn:
        park = lab.of(conn, None)
        then = datetime.now(UTC)
        for change in (grid, late, multiplier, diesel, revision):
            change(lab, conn)
        middle = datetime.now(UTC)
        green(lab, conn)
        membership(lab, conn)
        lab.compute()
        told = explain(conn, park, figure, *DAYS, compare_with=then)["change"]
        kinds = [each["kind"] for each in told["causes"]]
        assert kinds == [
            "readings",
            "corrections",
            "multipliers",
            "factors",
            "statements",
        ]
        # each begins where the one before ended: nothing is lost between them
        ends = [told["before"], *(each["after"] for each in told["causes"])]
        begins = [*(each["before"] for each in told["causes"]), told["after"]]
        assert ends == begins
        moved = [each["change"] for each in told["causes"]]
        assert math.fsum(moved) == pytest.approx(told["change"], rel=1e-12)
        for name in ("energy_kwh", "coverage", "tce_per_10k_cny.calorific"):
            every = explain(conn, park, name, *DAYS, compare_with=then)["change"]
            parts = math.fsum(each["change"] for each in every["causes"])
            assert every["change"] == pytest.approx(parts, rel=1e-12, abs=1e-15)
            assert len(every["causes"]) > 1 or name == "coverage"
        # 500, 300 and 1000 kWh at 0.5306; then 5.8 MWh (4.0 + 1.8) at 0.0094 more
        assert moved[0] == pytest.approx(0.5 * 0.5306)
        assert moved[1] == pytest.approx(0.3 * 0.5306)
        assert moved[2] == pytest.approx(1.0 * 0.5306)
        assert moved[3] == pytest.approx(5.8 * 0.0094)
        # between two dates of the past, while nothing of what came later counts
        past = explain(conn, park, figure, *DAYS, known_on=middle, compare_with=then)[
            "change"
        ]
        assert past["after"] == told["after"]
        assert [each["kind"] for each in past["causes"]] == kinds
        # narrowed to what changed and computed as a whole: the same bits
        whole = figures(conn, park, *DAYS, known_on=datetime.now(UTC))
        assert value(whole, figure) == told["after"]


def test_an_enterprise_never_sees_a_neighbours_rows(timescale_database: str) -> None:
    lab = Lab(timescale_database)
    with connect(lab.url, autocommit=True) as conn:
        then = datetime.now(UTC)
        own_factors.record(
            conn,
            lab.of(conn, "B"),
            kind="co2",
            carrier="electricity",
            basis="grid_average",
            value=0.5,
            unit="kgCO2/kWh",
            valid_from=DAYS[0],
            source="secret of B",
            who="B",
        )
        statements.state_added_value(
            conn, lab.of(conn, "B").subject_id, *DAYS, 99.0, source="secret of B"
        )
        multiplier(lab, conn)
        membership(lab, conn)
        lab.compute()
        for figure in ("co2_t.location_national", "tce_per_10k_cny.calorific"):
            told = explain(conn, lab.of(conn, "B"), figure, *DAYS, compare_with=then)
            assert "letter of February" not in str(told)
            assert "contract of sale" not in str(told)
            told = explain(conn, lab.of(conn, "A"), figure, *DAYS, compare_with=then)
            assert "secret of B" not in str(told)
            assert "'bureau, first'" in str(told) or figure.startswith("co2")
        assert "secret of B" in str(
            explain(conn, lab.of(conn, None), "co2_t.location_national", *DAYS)
        )


def test_a_meter_that_changed_hands_tells_each_its_own_time(
    timescale_database: str,
) -> None:
    """In January and March it is A's, in February B's, in April nobody asks."""
    lab = Lab(timescale_database)
    edges = [each.astimezone(UTC) for each in turns(YEAR)[:4]]
    channel = lab.channels["A", "M", "energy_import"]
    with connect(lab.url, autocommit=True) as conn:
        meter = lab.meter(conn, "A")
        then = datetime.now(UTC)
        b = lab.of(conn, "B").subject_id
        relations.assign_meter(conn, meter, b, *edges[1:3], source="of B: lease")
        for code, place in (("A", 0), ("B", 1), ("A", 2)):
            low, high = edges[place : place + 2]
            relations.set_multiplier(
                conn, meter, ct=2.0 + place, pt=1.0, valid_from=low, valid_to=high,
                source=f"of {code}: ratio {place}",
            )  # fmt: skip
            relations.place_meter(
                conn, meter, "main", None, low, high, source=f"of {code}: place {place}"
            )
            noon = low + (high - low) / 2
            with connect(lab.url) as other:
                write_batch(
                    other,
                    Rows(
                        np.array([channel], np.int64),
                        np.array([to_us(noon)], np.int64),
                        np.array([1000.0 * place + 400.0]),
                        np.array([NO_UNTIL], np.int64),
                    ),
                    [],
                    parks={channel: lab.park.park_id},
                    totals={channel},
                    source=f"of {code}: courier {place}",
                    parser="test/2",
                    messages=1,
                )
            revisions.add_revision(
                conn, channel, noon, 1000.0 * place + 600.0,
                who="Reader One", why=f"of {code}: revision {place}",
            )  # fmt: skip
        lab.compute()
        kinds = ("ratio", "place", "courier", "revision")
        for figure in ("energy_kwh", "co2_t.location_national"):
            for code, mine, theirs in (("A", (0, 2), (1,)), ("B", (1,), (0, 2))):
                said = str(
                    explain(conn, lab.of(conn, code), figure, *DAYS, compare_with=then)
                )
                neighbour = "B" if code == "A" else "A"
                for kind in kinds:
                    for place in mine:
                        assert f"of {code}: {kind} {place}" in said, (code, kind)
                    for place in theirs:
                        assert f"of {neighbour}: {kind} {place}" not in said, (
                            code,
                            kind,
                        )
            whole = str(explain(conn, lab.of(conn, None), figure, *DAYS))
            assert all(f"of B: {kind} 1" in whole for kind in kinds)
        # ratios 2 and 4 to 1000 each are A's, 3 to 1000 beside its own 1000 B's
        for code, kwh in (("A", 6000.0), ("B", 4000.0)):
            told = explain(conn, lab.of(conn, code), "energy_kwh", *DAYS)
            assert told["value"] == pytest.approx(kwh)
            # nor at the edge, from one's ratio to the other's
            assert not [e for e in told["events"] if "multiplier" in e["what"]]


def test_of_a_further_sale_the_first_owner_learns_nothing(
    timescale_database: str,
) -> None:
    lab = Lab(timescale_database)
    lab.add("C", {"energy_import": [1.0, 1.0, 1.0]}, YEAR)
    edges = [each.astimezone(UTC) for each in turns(YEAR)[:4]]
    with connect(lab.url, autocommit=True) as conn:
        meter = lab.meter(conn, "A")
        b, c = (lab.of(conn, code).subject_id for code in "BC")
        relations.assign_meter(conn, meter, b, *edges[1:3], source="first sale")
        relations.assign_meter(conn, meter, c, edges[2], None, source="second sale")
        lab.compute()

        def told(code: str) -> list[tuple[str, str | None, str | None]]:
            found = explain(conn, lab.of(conn, code), "energy_kwh", *DAYS)
            rows = [
                (each["what"], each["valid_from"], each["valid_to"])
                for each in found["membership"]
                if each["what"] == "counts for another"
            ]
            return sorted(rows, key=str)

        day = [f"{each:%Y-%m-%d %H:%M:%S+00}" for each in edges]
        assert told("A") == [("counts for another", day[1], None)]
        # it came from A, of which no day is another's, and went to C
        assert ("counts for another", day[2], None) in told("B")
        assert told("C") == [
            ("counts for another", None, day[2]),
            ("counts for another", None, None),
        ]


def test_what_a_figure_rests_on(timescale_database: str) -> None:
    lab = Lab(timescale_database)
    with connect(lab.url, autocommit=True) as conn:
        told = explain(conn, lab.of(conn, None), "tce.calorific", *DAYS)
        assert told["value"] == pytest.approx(4.0 * 0.1229)
        parts = {row["enterprise"]: row["amount"] for row in told["meters"]}
        assert parts == pytest.approx({"A": 3000.0, "B": 1000.0})
        (line,) = told["lines"]
        (factor,) = told["factors"]
        assert factor["row_id"] == line["factor_id"]
        assert line["amount"] * line["factor_value"] / 1e3 == told["value"]
        # four readings of A and three of B, in one batch each
        assert told["readings"]["readings"] == 7
        assert told["readings"]["batches"] == 2
        assert told["readings"]["sources"] == ["test"]
        assert told["coverage"]["estimated_share"] > 0.8  # read once a month
        assert len(told["membership"]) == len(told["multipliers"]) == 2
        with pytest.raises(Invalid, match=r"tce\.calorific"):
            explain(conn, lab.of(conn, None), "tce", *DAYS)
        for digits_or_word in (digits, judgement):
            digits_or_word(lab, conn)
        lab.compute()
        told = explain(conn, lab.of(conn, "A"), "energy_kwh", *DAYS)
        assert "3 digits" in str(told["registers"])
        assert "a misread digit" in str(told["corrections"])
        for name in known_figures():
            explain(conn, lab.of(conn, None), name, *DAYS)


def test_the_words_of_formulas_stand_in_the_docs(
    request: pytest.FixtureRequest,
) -> None:
    page = (request.config.rootpath / "docs" / "figures.md").read_text("utf-8")
    words = " ".join(page.split())
    for each in known_figures().values():
        assert each.formula in words, each.name


def test_the_steps_move_one_kind_each() -> None:
    from analytics.jobs.vintage import KINDS, Vintage, steps

    one, other = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    moved = list(steps(Vintage.of(one), Vintage.of(other)))
    assert [kind for kind, _ in moved] == list(KINDS)
    assert moved[-1][1] == Vintage.of(other)
    for (_, a), (kind, b) in pairwise(moved):
        assert [k for k in KINDS if getattr(a, k) != getattr(b, k)] == [kind]
