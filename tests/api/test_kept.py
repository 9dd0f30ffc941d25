"""What is kept for Grafana is what the API answers, to the last bit."""

from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest

from store import kept, registry
from store.database import connect
from tests.analytics.jobs.test_keeping import THIS_YEAR, filled, rows

pytestmark = pytest.mark.db


def test_kept_rows_are_the_bits_of_the_api(
    timescale_database: str, serving: Any
) -> None:
    url = timescale_database
    park = filled(url)
    park.compute()
    with connect(url) as conn:
        ids: dict[int, str | None] = {
            registry.subject(conn, "P", code).subject_id: code for code in ("A", "B")
        }
        ids[park.park.park_id] = None
    first, last = date(THIS_YEAR - 2, 1, 1), datetime.now(UTC).date().replace(day=1)
    days = {"from": first.isoformat(), "to": last.isoformat()}
    with serving(url) as base, httpx.Client(base_url=f"{base}/api/v1/parks/P") as api:
        accounts = api.get("/accounts", params=days, timeout=60).json()["rows"]
        book = {
            (ids[e["subject_id"]], f"{e['month']:%Y-%m}", e["figure"]): e
            for e in rows(url, kept.BOOK)
        }
        assert len(accounts) > 500
        for each in accounts:
            kind = "tce" if each["kind"] == "energy" else "co2_t"
            key = each["enterprise"], each["month"], f"{kind}/{each['method']}"
            assert book[key]["value"] == each["total"]
            assert book[key]["coverage"] == each["known_share"]
            if each["enterprise"] is None and kind == "co2_t":
                for scope in (1, 2):
                    name = f"co2_t_scope{scope}/{each['method']}"
                    assert book[*key[:2], name]["value"] == each[f"scope_{scope}"]
        said = api.get("/trajectory", params={"method": "location_region"}).json()
        (series,) = said["series"]
        assert series["years"][0]["value_t"] == 9999.5
        years = [
            e for e in rows(url, kept.TRAJECTORY_YEAR)
            if e["method"] == "location_region"
        ]  # fmt: skip
        assert [
            (e["year"], e["value_t"], e["rule"], not e["provisional"]) for e in years
        ] == [
            (e["year"], e["value_t"], e["rule"], e["decides"]) for e in series["years"]
        ]
        rolling = [
            e for e in rows(url, kept.TRAJECTORY_MONTH)
            if e["method"] == "location_region"
        ]  # fmt: skip
        assert [(e["rolling_t"], e["month_t"]) for e in rolling] == [
            (e["value_t"], e["month_t"]) for e in series["rolling"]
        ]
        (told,) = [
            e for e in rows(url, kept.TRAJECTORY_STATE)
            if e["method"] == "location_region"
        ]  # fmt: skip
        assert (told["state"], told["reason"], told["peak_t"]) == (
            series["state"]["state"],
            series["state"]["reason"],
            series["state"]["peak_t"],
        )
        assert told["factors"].startswith("grid_average/CN-JS/")
        (budget,) = api.get("/budgets").json()["rows"]
        (year,) = rows(url, kept.BUDGET_YEAR)
        assert year["used"] == budget["outlook"]["used"]
        assert year["year_end"] == budget["outlook"]["year_end"]
        path = [e["path"] for e in rows(url, kept.BUDGET_MONTH)]
        assert path == budget["outlook"]["path"]
        intensities: dict[tuple[Any, ...], dict[str, Any]] = {
            (ids[e["subject_id"]], e["span"], f"{e['month']:%Y-%m}", e["figure"]): e
            for e in rows(url, kept.INTENSITY)
        }
        for length in ("month", "year_to_date", "rolling_12"):
            for code in ("A", None):
                asked = {
                    "from": date(THIS_YEAR - 1, 12, 1).isoformat(),
                    "to": last.isoformat(),
                    "length": length,
                } | ({"enterprise": code} if code else {})
                if asked["from"] >= asked["to"]:
                    continue
                for each in api.get("/intensity/history", params=asked).json()["rows"]:
                    if code and length != "month" and each["to"] != last.isoformat():
                        continue  # of enterprises the spans to the last month
                    month = (date.fromisoformat(each["to"]).replace(day=1)).toordinal()
                    of = date.fromordinal(month - 1).strftime("%Y-%m")
                    found = intensities[code, length, of, "tce/calorific"]
                    below = each["per"]["added_value_10k_cny"]
                    assert found["value"] == below["tce"]["calorific"]
                    assert found["added_value_10k_cny"] == below["amount"]
                    assert found["publishable"] == each["publishable"]
        period = f"{THIS_YEAR - 1}-12"
        placed = api.get("/intensity/ranking", params={"period": period}).json()["rows"]
        for each in placed:
            found = intensities[each["enterprise"], "month", period, "tce/calorific"]
            assert (found["place"], found["reason"], found["value"]) == (
                each["place"],
                each["reason"],
                each["value"],
            )
        assert {e["reason"] for e in placed} == {None, "denominator_missing"}
        (core,) = rows(url, kept.ZERO_CARBON)
        said = api.get("/zero-carbon").json()
        assert {name: core[name] for name in kept.ZERO_CARBON.values} == {
            name: said[name] for name in kept.ZERO_CARBON.values
        }
