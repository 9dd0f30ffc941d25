"""The plan of faults: seeded, spaced, and only where it makes sense."""

import itertools
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from simulators import faults
from simulators.errors import SimulatorError
from simulators.load import EPOCH_S
from simulators.meter import Fault, Meter
from tests.simulators.test_display import meter

MONTH = (EPOCH_S, EPOCH_S + 30 * 86_400)
METERS = [
    meter(code=f"E{n:02}-M1", enterprise=f"E{n:02}", ct=40.0, gateway=f"GW{n % 7}")
    for n in range(60)
]
SPARKPLUG = meter(code="S1", format="sparkplug", gateway="GWS")


def mixed(seed: int = 1, meters: list[Meter] = METERS) -> list[Fault]:
    return faults.plan({"mixed": 1}, meters, *MONTH, seed)


def test_the_mixture_has_all_kinds_by_their_rates() -> None:
    count = Counter(each.kind for each in mixed())
    assert count.keys() == faults.KINDS.keys()
    for kind, about in faults.KINDS.items():
        subjects = 7 if about.gateways else len(METERS)
        assert count[kind] == max(1, round(about.rate * subjects)), kind


def test_same_seed_same_plan() -> None:
    assert mixed(3) == mixed(3)
    assert mixed(3) != mixed(4)
    found = mixed()
    assert found == sorted(found, key=lambda each: each.start_s)


def test_faults_of_a_meter_stand_apart() -> None:
    plan = mixed()
    for each in METERS:
        mine = [f for f in plan if f.subject in (each.code, each.gateway)]
        for before, after in itertools.pairwise(mine):
            assert after.start_s - before.stop_s >= faults.DISTANCE_S


def test_no_ratio_no_change_of_it_and_no_text_no_cut() -> None:
    plain = [meter(code="E01-M1", format="sparkplug", gateway="GW1")]
    kinds = {each.kind for each in faults.plan({"mixed": 30}, plain, *MONTH, 1)}
    assert not kinds & {"multiplier_change", "truncated", "nan"}


def test_named_one_by_one() -> None:
    at = datetime(2024, 1, 5, 3, tzinfo=UTC)
    [found] = faults.plan(
        {"gap": [{"gateway": "GW3", "at": at.isoformat(), "hours": 2, "minutes": 30}]},
        METERS,
        *MONTH,
        1,
    )
    assert found.subject == "GW3"
    assert found.start_s == int(at.timestamp())
    assert found.stop_s - found.start_s == 9000
    assert len(faults.meters_of(found, METERS)) == 9


FROM_THE_SECOND = (MONTH[0] + 86_400, MONTH[1] + 86_400)


@pytest.mark.parametrize(
    ("at", "hours", "inside"),
    [
        ("2024-01-01T20:00Z", 4, False),  # ends where the run begins
        ("2024-01-01T20:00Z", 5, True),
        ("2024-01-31T23:50Z", 1, False),  # the last reading is of 23:45
        ("2024-01-31T23:40Z", 1, True),
        ("2024-02-01T00:00Z", 1, False),
    ],
)
def test_a_fault_outside_the_run_is_left_out_and_told(
    at: str, hours: int, inside: bool
) -> None:
    told: list[str] = []
    wanted = {"gap": [{"meter": "E03-M1", "at": at, "hours": hours}]}
    found = faults.plan(wanted, METERS, *FROM_THE_SECOND, 1, told.append)
    assert bool(found) == inside
    assert bool(told) != inside
    if not inside:
        assert re.fullmatch(
            r"fault gap of E03-M1 at \S+ lies outside the run: left out", told[0]
        )


@pytest.mark.parametrize("at", ["2024-01-01T23:59Z", "2024-01-31T23:46Z"])
def test_an_instant_outside_the_run_is_left_out(at: str) -> None:
    assert not faults.plan(
        {"reset": [{"meter": "E03-M1", "at": at}]}, METERS, *FROM_THE_SECOND, 1
    )


def test_what_lies_partly_in_the_run_is_cut() -> None:
    start, stop = MONTH
    fault = Fault(kind="gap", subject="GW3", start_s=start - 60, stop_s=stop + 60)
    cut = faults.within(fault, METERS, *MONTH)
    assert cut is not None
    assert (cut.start_s, cut.stop_s) == MONTH


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (
            {"nan": [{"meter": "S1", "at": "2024-01-05T00:00Z"}]},
            "fault nan: meter S1 speaks sparkplug, which is no text",
        ),
        ({"gaps": 1}, "unknown fault 'gaps'"),
        ({"gap": "many"}, "'many' is not a number"),
        ({"gap": -1}, "gap: -1 is below 0"),
        ({"mixed": float("nan")}, "mixed: nan is not a number"),
        (
            {"gap": [{"meter": "E01-M1", "at": "2024-01-05T00:00Z", "hours": -3}]},
            "hours: -3 is below 0",
        ),
        ({"gap": [{"meter": "E99-M1", "at": "2024-01-05"}]}, "'E99-M1'"),
        ({"gap": [{"meter": "E01-M1", "at": "tomorrow"}]}, "is not a time"),
        (
            {"gap": [{"meter": "E01-M1", "at": "2024-01-05T00:00Z", "colour": 1}]},
            "unknown 'colour'",
        ),
    ],
)
def test_what_cannot_be_planned(wanted: dict[str, object], message: str) -> None:
    with pytest.raises(SimulatorError, match=message):
        faults.plan(wanted, [*METERS, SPARKPLUG], *MONTH, 1)


def test_on_demand() -> None:
    now_s = EPOCH_S + 1000
    found = faults.command("silence GW3 for 2 h", METERS, now_s)
    assert found is not None
    assert (found.kind, found.subject) == ("gap", "GW3")
    assert (found.start_s, found.stop_s) == (now_s, now_s + 7200)
    spike = faults.command("spike E07-M1", METERS, now_s)
    assert spike is not None
    assert spike.start_s == spike.stop_s == now_s
    assert faults.command("trip E07 chiller", METERS, now_s) is None
    with pytest.raises(SimulatorError, match="beforehand"):
        faults.command("rollover E07-M1", METERS, now_s)
    with pytest.raises(SimulatorError, match="GW99"):
        faults.command("silence GW99", METERS, now_s)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("multiplier_change W1", "meter W1 has no transformers: its ratio is 1"),
        ("multiplier_change GW8", "meter W1 has no transformers: its ratio is 1"),
        ("nan S1", "fault nan: meter S1 speaks sparkplug, which is no text"),
        ("silence GW3 for 0 min", "fault gap: it lasts at least 1 s"),
        ("silence GW3 for 367 d", "fault gap: .* at most 366 d"),
        ("silence GW3 for 99999999999999999999 d", "fault gap: .* at most 366 d"),
    ],
)
def test_what_cannot_begin_on_demand(line: str, message: str) -> None:
    plain = meter(code="W1", gateway="GW8")
    with pytest.raises(SimulatorError, match=message):
        faults.command(line, [*METERS, SPARKPLUG, plain], EPOCH_S)


def test_nobody_states_a_ratio_that_changes_on_demand() -> None:
    found = faults.command("multiplier_change E07-M1", METERS, EPOCH_S)
    assert found is not None
    assert found.parameters["ct"] in (20.0, 80.0)  # half of 40, or twice
    assert found.parameters["stated"] == 0


def test_the_page_tells_every_kind_its_rate_and_parameters() -> None:
    page = Path(__file__).parents[2] / "docs" / "simulator_faults.md"
    table = page.read_text("utf-8").split("<!-- faults -->")[1].split("<!-- /faults")[0]
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) \| .* \| (.*) \|$", table, re.MULTILINE)
    assert {kind: float(rate) for kind, rate, _ in rows} == {
        kind: each.rate for kind, each in faults.KINDS.items()
    }
    for kind, _, parameters in rows:
        named = set(re.findall(r"`(\w+)`", parameters))
        assert named == set(faults.KINDS[kind].parameters), kind
