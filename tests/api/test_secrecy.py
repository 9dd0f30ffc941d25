"""An enterprise's answers in two worlds that differ in its neighbours alone are the same."""

from collections.abc import Iterator
from datetime import UTC, date
from typing import Any

import httpx
import pytest

from store import (
    judgements,
    membership,
    registry,
    relations,
    revisions,
    statements,
    targets,
)
from store.database import connect
from tests.analytics.jobs.conftest import Monthly, turns
from tests.api.conftest import running

pytestmark = pytest.mark.db

ROOT = "/api/v1/parks/P"
SOLD = turns(2025)[3].astimezone(UTC)
# parameters that some routes cannot do without
ASKED = {
    "from": "2025-01-01",
    "to": "2025-07-01",
    "before": 2024,
    "after": 2025,
    "year": 2025,
    "period": "2025-03",
    "base": "2025-02",
    "baseline": "none",
    "pack": "hj_274_2015",
    "figure": "co2_t.location_region",
}


def _world(url: str, times: float, words: str) -> None:
    """Fill a park: A is the same in each; C is behind its meter, B takes one over."""
    park = Monthly(url)
    used = [1e5 + 1e3 * month for month in range(18)]
    more = [times * each for each in used]
    park.add("A", {"energy_import": used, "heat": used, "natural_gas": used}, 2024)
    # X is sold after 15 months
    sold = used[:15] + [times * each for each in used[15:]]
    park.add("A", {"energy_import": sold}, 2024, "X")
    park.add("B", {"energy_import": more, "heat_export": more}, 2024)
    park.add("C", {"energy_import": [0.1 * each for each in more]}, 2024)
    park_id = park.park.park_id
    says: dict[str, Any] = {"source": "letter", "who": "Clerk One"}
    with connect(url, autocommit=True) as conn:
        meter = {
            (each.enterprise, each.code): each.meter_id
            for each in registry.meters(conn, park_id)
        }
        since = turns(2024)[0].astimezone(UTC)
        below = meter["C", "M"]
        relations.place_meter(
            conn, below, "main", meter["A", "M"], since, source=f"plan {words}"
        )
        gone = SOLD
        for each in registry.enterprises(conn, park_id):
            own = each.code == "A"
            if each.code == "B":
                relations.assign_meter(
                    conn,
                    meter["A", "X"],
                    each.enterprise_id,
                    gone,
                    None,
                    source=f"sale {words}",
                )
                ratio: dict[str, Any] = {"ct": 2.0 * times, "valid_from": gone}
                relations.set_multiplier(
                    conn, meter["A", "X"], pt=1.0, source=f"ratio {words}", **ratio
                )
                signed: dict[str, Any] = {"who": "Reader B", "why": f"typed {words}"}
                revisions.add_revision(
                    conn,
                    park.channels["A", "X", "energy_import"],
                    turns(2024, 18)[17],
                    times * 2.2e6,
                    **signed,
                )
                judgements.judge(
                    conn,
                    meter["A", "X"],
                    "energy_import",
                    turns(2024, 18)[16],
                    "real",
                    **signed,
                )
                ratio = {"ct": 1.0, "valid_from": since, "valid_to": gone}
                relations.set_multiplier(
                    conn, meter["A", "X"], pt=1.0, source="ratio of A alone", **ratio
                )
            factor = 1.0 if own else times
            source = "bureau" if own else words
            for n in range(18):
                first, last = (turns(2024, 18)[m].date() for m in (n, n + 1))
                statements.state_added_value(
                    conn, each.enterprise_id, first, last, 90.0 * factor, source=source
                )
            membership.state_industry(
                conn, each.enterprise_id, "3311", date(2020, 1, 1), **says
            )
            limit = targets.NewTarget(
                subject_id=each.enterprise_id,
                kind="co2",
                method="location_region",
                year=2025,
                value=5000.0 * factor,
                **(says | {"source": source}),
            )
            targets.set_target(conn, limit)
    park.compute()


@pytest.fixture(scope="module")
def worlds(timescale: Any) -> Iterator[list[httpx.Client]]:
    urls = [timescale.copy() for _ in range(2)]
    _world(urls[0], 1.0, "secretly")
    _world(urls[1], 1.618, "privately")
    with running(urls[0]) as one, running(urls[1]) as other:
        clients = [httpx.Client(base_url=each, timeout=60) for each in (one, other)]
        closed = {"from": "2025-01-01", "to": "2025-02-01", "who": "Auditor One"}
        for client, words in zip(clients, ("secretly", "privately"), strict=True):
            said = {"note": f"{words} late", "despite": f"{words} low"}
            answer = client.post(f"{ROOT}/closings", json=closed | said)
            assert answer.status_code == 201, answer.text
        yield clients
        for client in clients:
            client.close()
    for url in urls:
        timescale.drop(url)


def _routes(client: httpx.Client) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give each address of a park that can be asked, with what it needs."""
    for path, item in client.get("/openapi.json").json()["paths"].items():
        if "get" not in item or "{park}" not in path or path.endswith("/stream"):
            continue
        known = {each["name"]: each for each in item["get"].get("parameters", ())}
        needed = {
            name: value
            for name, value in ASKED.items()
            if known.get(name, {}).get("required")
        }
        address = path.format(park="P", enterprise="A", closing=1, closing_id=1)
        yield address, needed | ({} if "{enterprise}" in path else {"enterprise": "A"})


def test_an_enterprises_answers_do_not_depend_on_its_neighbours(
    worlds: list[httpx.Client],
) -> None:
    told = []
    for address, asked in _routes(worlds[0]):
        answers = [client.get(address, params=asked) for client in worlds]
        assert answers[0].status_code == answers[1].status_code < 500, address
        one, other = (_figures(each.json()) for each in answers)
        assert one == other, address
        assert "secretly" not in answers[0].text, address
        if answers[0].status_code == 200:
            told.append(address.removeprefix(ROOT))
    assert {"/figures", "/explain", "/budgets", "/intensity/history"} <= set(told)
    assert {"/enterprises/A/benchmark", "/closings/1"} <= set(told)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2025-01-01", "2025-04-01"),  # its own time
        ("2025-01-01", "2025-07-01"),
        ("2025-04-01", "2025-07-01"),
    ],
)
def test_a_sold_meter_tells_its_first_owner_nothing_of_later(
    worlds: list[httpx.Client], first: str, last: str
) -> None:
    refused, cut, leaks = set(), set(), set()
    for address, asked in _routes(worlds[0]):
        named = asked | {"enterprise": "A", "meter": "X"}
        named |= {"from": first, "to": last}
        answers = [client.get(address, params=named) for client in worlds]
        assert answers[0].status_code == answers[1].status_code < 500, address
        path = address.removeprefix(ROOT)
        one, other = (_figures(each.json()) for each in answers)
        if one != other or "secretly" in answers[0].text:
            leaks.add(path)
        whose = "'X' counts for A until 2025-04-01 00:00:00+08:00: ask"
        if whose in answers[0].text:
            refused.add(path)
        elif answers[0].status_code == 200:
            cut.add(path)
    assert leaks == set()
    figures = {"/figures", "/usage", "/demand", "/peaks", "/explain"}
    assert figures <= (cut if last == "2025-04-01" else refused)
    assert {"/events", "/readings", "/readings/last", "/revisions", "/conflicts"} <= cut


def test_a_sold_meter_tells_its_first_owner_what_was_its_own(
    worlds: list[httpx.Client],
) -> None:
    own = {"from": "2025-01-01", "to": "2025-04-01", "enterprise": "A", "meter": "X"}
    asked: dict[str, Any] = own | {"figure": "energy_kwh"}
    for path in ("figures", "usage", "demand", "peaks", "explain"):
        assert worlds[0].get(f"{ROOT}/{path}", params=asked).status_code == 200, path
    told = worlds[0].get(f"{ROOT}/usage", params=own).json()
    assert told["total"] == pytest.approx(1.12e5 + 1.13e5 + 1.14e5)
    last = worlds[0].get(f"{ROOT}/readings/last", params=own | {"limit": 1}).json()
    assert [each["at"][:7] for each in last["rows"]] == ["2025-02"]  # 1 March there
    # the park is told the whole
    alone = {"from": "2025-01-01", "to": "2025-07-01", "meter": "X"}
    for path in ("usage", "events", "readings"):
        answers = [client.get(f"{ROOT}/{path}", params=alone) for client in worlds]
        assert answers[0].status_code == 200
        assert _figures(answers[0].json()) != _figures(answers[1].json()), path


def _figures(told: Any) -> Any:
    """Leave out when it was recorded, and the hash of the whole, which tells no figure."""
    if isinstance(told, list):
        return [_figures(each) for each in told]
    if isinstance(told, dict):
        return {
            key: _figures(value)
            for key, value in told.items()
            if not key.endswith("_at") and key != "sha256"
        }
    return told


def test_what_is_of_a_whole_park_is_not_told_to_who_names_a_part(
    worlds: list[httpx.Client],
) -> None:
    for path in ("zero-carbon", "live", "closings", "green-matches", "virtual-meters"):
        for part in ("enterprise", "meter"):
            answer = worlds[0].get(f"{ROOT}/{path}", params={part: "A"})
            assert answer.status_code == 422, path
            assert f"leave {part} out" in answer.json()["error"]["message"]


def test_who_had_a_meter_before_or_after_learns_nothing_of_it(
    worlds: list[httpx.Client],
) -> None:
    for figure in ("energy_kwh", "co2_t.location_region"):
        asked: dict[str, Any] = dict(ASKED, figure=figure, compare_with="2020-01-01")
        of: list[dict[str, Any]] = [dict(asked, enterprise=code) for code in "AB"]
        told = [client.get(f"{ROOT}/explain", params=of[0]) for client in worlds]
        assert {each.status_code for each in told} == {200}
        one, other = (_figures(each.json()) for each in told)
        assert one == other
        assert "ratio of A alone" in told[0].text
        assert "secretly" not in told[0].text
        told_b = worlds[0].get(f"{ROOT}/explain", params=of[1]).text
        assert "ratio secretly" in told_b
        assert "A alone" not in told_b
