"""Why is this number what it is: a figure with all that it rests on."""

from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from analytics.jobs import restating
from analytics.jobs.amounts import Amounts, Period, Share, load_amounts, shares
from analytics.jobs.catalogue import Figure, figure_named
from analytics.jobs.figures import figures
from analytics.jobs.vintage import KnownOn
from store import parentage, registry
from store.database import Connection
from store.errors import Invalid
from store.parentage import Ground, Part, Window
from store.quantities import QUANTITIES
from store.readings import to_us
from store.records import Subject
from store.relations import usage_meters
from store.series import USAGE_15MIN, USAGE_DAY, read

MOST_METERS = 50
# readings are counted of the meters with the largest parts up to this; ours
MOST_METER_DAYS = 20_000


def explain(
    conn: Connection,
    subject: Subject,
    name: str,
    first: date,
    last: date,
    *,
    known_on: datetime | None = None,
    compare_with: datetime | None = None,
    minimum_coverage: float = 0.95,
) -> dict[str, Any]:
    """Give a figure of local days [first, last) and what it rests on.

    Parameters
    ----------
    known_on
        The figure as known on this date; None: now.
    compare_with
        Tell the difference to the figure as known on this date, by kind of cause.

    Raises
    ------
    Invalid
        For an unknown figure, or an empty period.
    """
    asked = _Asked(conn, subject, figure_named(name), first, last, minimum_coverage)
    figure = asked.figure
    found = asked.evaluate(known_on)
    parts, rest = asked.parts(known_on)
    until = Window(start=asked.start, stop=asked.stop, until=known_on)
    spans = asked.spans(parts)
    counted: list[Part] = []
    days = 0.0
    for part in spans:  # the largest parts first
        days += (part[2] - part[1]).total_seconds() / 86400
        if counted and days > MOST_METER_DAYS:
            break
        counted.append(part)
    lines = asked.lines(found)
    told: dict[str, Any] = {
        "figure": figure.name,
        "park": subject.park.code,
        "enterprise": subject.enterprise,
        "meter": subject.meter,
        "from": first.isoformat(),
        "to": last.isoformat(),
        "zone": subject.park.zone,
        "as_known_on": known_on.isoformat() if known_on else None,
        "value": asked.value(found),
        "unit": figure.unit,
        "formula": figure.formula,
        "at": asked.instant(found),
        "coverage": {
            each: found[each]
            for each in ("coverage", "measured_share", "estimated_share")
        }
        | {"missing_share": found["missing_share"]},
        "pending": found["pending"],
        "lines": lines,
        "factors": _rows(
            parentage.factor_rows(conn, sorted(_factor_ids(lines)), until)
        ),
        "meters": parts[:MOST_METERS],
        "meters_beyond": rest,
        "multipliers": asked.rows("multipliers", spans, until),
        "membership": asked.rows("membership", spans, until),
        "registers": asked.rows("registers", spans, until),
        "corrections": asked.rows("corrections", spans, until),
        # what is recognised is known as of now only
        "events": asked.rows(
            "events", spans, Window(start=asked.start, stop=asked.stop)
        ),
        "statements": asked.rows(
            "statements", spans, until, found["intensity"]["added_value_ids"]
        ),
        "green": asked.rows("green", spans, until),
        "readings": {
            **asdict(parentage.batches(conn, counted, figure.quantities, until)),
            "meters_counted": len(counted),
            "meters": len(spans),
        },
        "change": None,
    }
    if compare_with is not None:
        told["change"] = asked.change(known_on, compare_with)
    return told


class _Asked:
    """A figure of a subject over a period."""

    def __init__(
        self,
        conn: Connection,
        subject: Subject,
        figure: Figure,
        first: date,
        last: date,
        minimum_coverage: float,
    ) -> None:
        if last <= first:
            raise Invalid(f"the period {first} to {last} is empty")
        self.conn, self.subject, self.figure = conn, subject, figure
        self.days = (first, last)
        self.period = Period(
            first=first,
            last=last,
            zone=ZoneInfo(subject.park.zone),
            now=datetime.now(UTC),
        )
        self.start, self.stop = self.period.start, self.period.stop
        self.minimum_coverage = minimum_coverage
        self.owner = subject.subject_id if subject.kind == "enterprise" else None
        if subject.kind == "meter" and subject.enterprise is not None:
            found = registry.find_enterprise(
                conn, subject.park.code, subject.enterprise
            )
            self.owner = found[1] if found else None

    def evaluate(self, known_on: KnownOn) -> dict[str, Any]:
        return figures(
            self.conn,
            self.subject,
            *self.days,
            known_on=known_on,
            minimum_coverage=self.minimum_coverage,
            now=self.period.now,
        )

    def value(self, found: dict[str, Any]) -> float | None:
        at: Any = found
        for key in self.figure.path:
            at = at.get(key) if at is not None else None
        return None if at is None else float(at)

    def instant(self, found: dict[str, Any]) -> str | None:
        """Give when a peak was."""
        start = self.figure.name.replace("_demand_kw", "_start").replace(
            "_kw", "_start"
        )
        known = found.get(start) if start.startswith("peak") else None
        return None if known is None else str(known)

    def lines(self, found: dict[str, Any]) -> list[dict[str, Any]]:
        if self.figure.account is None:
            return []
        kind, method = self.figure.account
        lines: list[dict[str, Any]] = found["parentage"][kind][method]
        return lines

    def parts(self, known_on: KnownOn) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Give the meters that count and their parts, the largest first; and the rest."""
        amounts = load_amounts(self.conn, self.subject, self.period, known_on)
        mine = {q: amounts[q] for q in self.figure.quantities if q in amounts}
        found = [
            (quantity, share)
            for quantity, each in mine.items()
            for share in self._shares(each)
        ]
        meters = usage_meters(self.conn, [share.usage_id for _, share in found])
        rows: list[dict[str, Any]] = [
            {
                "meter_id": meters[share.usage_id][0],
                "enterprise": meters[share.usage_id][1],
                "meter": meters[share.usage_id][2],
                "quantity": quantity,
                "unit": QUANTITIES[quantity].unit,
                "from": share.start.astimezone(UTC).isoformat(),
                "to": share.stop.astimezone(UTC).isoformat(),
                "amount": share.amount,
                "measured_s": share.measured_s,
                "estimated_s": share.estimated_s,
            }
            for quantity, share in found
        ]
        rows.sort(key=lambda row: -abs(row["amount"] or 0.0))
        rest = rows[MOST_METERS:]
        return rows, {
            "count": len(rest),
            "amounts": {
                q: sum(r["amount"] or 0.0 for r in rest if r["quantity"] == q)
                for q in dict.fromkeys(r["quantity"] for r in rest)
            },
        }

    def _shares(self, amounts: Amounts) -> list[Share]:
        if amounts.shares is not None:
            return list(amounts.shares)
        plan = amounts.plan
        period = to_us(self.start), to_us(self.stop)
        whole = {u for u, *span in plan.parts if tuple(span) == period}
        partly = {u for u, _, _ in plan.parts} - whole
        daily = read(self.conn, USAGE_DAY, sorted(whole), self.start, self.stop)
        fine = read(self.conn, USAGE_15MIN, sorted(partly), self.start, self.stop)
        both = type(daily)(
            np.concatenate([daily.key, fine.key]),
            np.concatenate([daily.start_us, fine.start_us]),
            np.concatenate([daily.values, fine.values], axis=1),
        ).ordered()
        return list(shares(plan, both))

    def spans(self, parts: list[dict[str, Any]]) -> list[Part]:
        """Give each meter while it counts, the largest part first."""
        found = dict.fromkeys(
            (
                each["meter_id"],
                datetime.fromisoformat(each["from"]),
                datetime.fromisoformat(each["to"]),
            )
            for each in parts
        )
        return list(found)

    def rows(
        self,
        which: str,
        spans: list[Part],
        window: Window,
        added_ids: list[int] | None = None,
    ) -> list[dict[str, Any]]:
        """List what a figure rests on of one kind, or what of it was recorded."""
        figure = self.figure
        if which in ("statements", "green"):
            wanted = figure.account is not None
            contract = figure.name == "contract_demand_kw"
            if not (wanted or figure.stated or contract):
                return []
            if which == "green" and not wanted:
                return []
            found = parentage.stated(
                self.conn,
                which,
                self.subject.park.park_id,
                self.subject.subject_id,
                self._enterprises(),
                self.days,
                window,
                added=figure.stated,
                added_ids=added_ids,
                activity=wanted,
                contract=contract,
            )
        else:
            found = parentage.of_meters(self.conn, which, spans, window, self.owner)
        return _rows(found)

    def _enterprises(self) -> list[int]:
        if self.subject.kind == "park":
            return [
                each.enterprise_id
                for each in registry.enterprises(self.conn, self.subject.park.park_id)
            ]
        return [self.subject.subject_id] if self.subject.kind == "enterprise" else []

    def change(self, known_on: datetime | None, other: datetime) -> dict[str, Any]:
        """Tell the difference from the earlier of two dates to the later, by cause."""
        since = other if known_on is None else min(known_on, other)
        until = None if known_on is None else max(known_on, other)
        before, after = restating.vintages(
            self.conn,
            self.subject.park.park_id,
            self.start,
            self.stop,
            since,
            until,
            demand=self.figure.name.startswith(("peak_", "sliding", "load")),
        )
        first, steps, last = restating.told_apart(before, after, self.evaluate)
        window = Window(start=self.start, stop=self.stop, since=since, until=until)
        was, now = self.value(first), self.value(last)
        spans = self.spans(self.parts(after)[0])
        both = list(dict.fromkeys([*self.spans(self.parts(before)[0]), *spans]))
        return {
            "since": since.isoformat(),
            "until": until.isoformat() if until else None,
            "before": was,
            "after": now,
            "change": _less(was, now),
            "causes": [
                {
                    "kind": step.kind,
                    "before": self.value(step.before),
                    "after": self.value(step.after),
                    "change": _less(self.value(step.before), self.value(step.after)),
                    **self._because(
                        step, both if step.kind == "membership" else spans, window
                    ),
                }
                for step in steps
                if self.value(step.before) != self.value(step.after)
            ],
        }

    def _because(
        self, step: "restating.Step[dict[str, Any]]", spans: list[Part], window: Window
    ) -> dict[str, Any]:
        rows: list[dict[str, Any]] = []
        arrived: dict[str, Any] | None = None
        if step.kind == "factors":
            ids = _factor_ids(self.lines(step.before)) | _factor_ids(
                self.lines(step.after)
            )
            rows = _rows(parentage.factor_rows(self.conn, sorted(ids), window))
        elif step.kind == "readings":
            arrived = asdict(
                parentage.batches(self.conn, spans, self.figure.quantities, window)
            )
        elif step.kind == "demand_rules":
            rows = _rows(
                parentage.demand_rules(self.conn, self.subject.subject_id, window)
            )
        elif step.kind != "time":
            rows = self.rows(step.kind, spans, window)
        return {"rows": rows, "readings": arrived}


def _factor_ids(lines: list[dict[str, Any]]) -> set[int]:
    return {each["factor_id"] for each in lines if each["factor_id"] is not None}


def _rows(found: list[Ground]) -> list[dict[str, Any]]:
    return [
        {**asdict(each), "recorded_at": each.recorded_at.astimezone(UTC).isoformat()}
        for each in found
    ]


def _less(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before
