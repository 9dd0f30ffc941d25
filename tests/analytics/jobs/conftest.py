"""A park filled with registers that are read at the turns of months, and what is said of it."""

import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from analytics.jobs import activities, factors, ledger, own_factors, service
from analytics.jobs.book import Book
from analytics.jobs.figures import figures
from store import registry, relations
from store.batches import write_batch
from store.database import Connection, connect
from store.readings import NO_UNTIL, Rows, to_us
from store.records import Park

JAN, FEB, MAR = date(2024, 1, 1), date(2024, 2, 1), date(2024, 3, 1)
SAID: dict[str, Any] = {"source": "invoice 7", "who": "Metering office"}
ZONE = ZoneInfo("Asia/Shanghai")


def turns(year: int, months: int = 12) -> list[datetime]:
    """Local beginnings of months, and the end of the last one."""
    return [
        datetime.combine(date(year + n // 12, n % 12 + 1, 1), time(), ZONE)
        for n in range(months + 1)
    ]


class Monthly:
    """A park whose meters are read when months begin."""

    def __init__(self, url: str, code: str = "P", region: str = "CN-JS") -> None:
        self.url = url
        self.channels: dict[tuple[str, str, str], int] = {}
        with connect(url, autocommit=True) as conn:
            factors.load(conn)
            registry.add_park(conn, code, zone=str(ZONE), region=region)
            self.park: Park = registry.park(conn, code)

    def add(
        self,
        enterprise: str,
        used: Mapping[str, Sequence[float | None]],
        year: int,
        meter: str = "M",
    ) -> None:
        """Let a meter count what it used in each month; None: before or after."""
        parts: list[tuple[int, int, float]] = []
        with connect(self.url, autocommit=True) as conn:
            park_id = self.park.park_id
            owner = registry.add_enterprise(conn, park_id, enterprise)
            known = registry.add_meter(conn, park_id, owner, meter)
            relations.confirm_meter(
                conn, known, owner, source="test", since=turns(year)[0].astimezone(UTC)
            )
            for quantity, months in used.items():
                channel = relations.add_meter_channel(conn, known, quantity, "register")
                self.channels[enterprise, meter, quantity] = channel
                at = [to_us(each) for each in turns(year, len(months))]
                register = 0.0
                begun = False
                for i, amount in enumerate(months):
                    if amount is None:
                        begun = False
                        continue
                    if not begun:
                        parts.append((channel, at[i], register))
                        begun = True
                    register += amount
                    parts.append((channel, at[i + 1], register))
            ids = {channel: self.park.park_id for channel, _, _ in parts}
            channels, when, value = zip(*parts, strict=True)
            with conn.transaction():
                write_batch(
                    conn,
                    Rows(
                        np.array(channels, np.int64),
                        np.array(when, np.int64),
                        np.array(value, np.float64),
                        np.full(len(parts), NO_UNTIL, np.int64),
                    ),
                    [],
                    parks=ids,
                    totals=set(ids),
                    source="test",
                    parser="test/1",
                    messages=1,
                )

    def place(
        self,
        enterprise: str,
        above: str | None = None,
        *,
        meter: str = "M",
        role: str = "main",
        above_meter: str = "M",
        since: datetime | None = None,
    ) -> None:
        """Put a meter behind another one: of an enterprise, or at the top."""
        with connect(self.url, autocommit=True) as conn:

            def known(code: str, of: str) -> int:
                owner = registry.find_enterprise(conn, self.park.code, code)
                assert owner is not None
                found = registry.find_meter(conn, owner[1], of)[0]
                assert found is not None
                return found

            relations.place_meter(
                conn,
                known(enterprise, meter),
                role,
                None if above is None else known(above, above_meter),
                since or turns(2024)[0].astimezone(UTC),
                source="plan",
            )

    def power_factor(self, enterprise: str, kg_per_kwh: float) -> None:
        """Let an enterprise have a factor of its own for power, from January 2024 on."""
        with connect(self.url, autocommit=True) as conn:
            own_factors.record(
                conn,
                registry.subject(conn, self.park.code, enterprise),
                kind="co2",
                carrier="electricity",
                basis="grid_average",
                unit="kgCO2/kWh",
                value=kg_per_kwh,
                valid_from=JAN,
                **SAID,
            )

    def compute(self) -> None:
        """Let the job do all it has to."""
        service.run(self.url, threading.Event(), once=True)


def say(
    conn: Connection, code: str, item: str, use: str, amount: Any, **more: Any
) -> bool:
    owner = registry.subject(conn, "P", code).subject_id
    unit = more.pop("unit", "t")
    month = more.pop("month", JAN)
    supplier = more.pop("supplier", None)
    if supplier is not None:
        more["supplier_id"] = registry.subject(conn, "P", supplier).subject_id
    return activities.state(
        conn,
        owner,
        month=month,
        item=item,
        use=use,
        amount=amount,
        unit=unit,
        **(SAID | more),
    )


def agree(conn: Connection, book: Book) -> None:
    """One truth: the figures of the months are those of the book, bit for bit."""
    for row, subject in enumerate(book.subjects):
        found = figures(conn, subject, JAN, MAR)
        for kind, accounts in (("tce", book.coal), ("co2_t", book.carbon)):
            for name, account in accounts.items():
                assert found[kind][name] == account.over_cells(row), (row, name)


def batch(conn: Connection, park: Monthly, mwh: float, **more: Any) -> None:
    given: dict[str, Any] = {
        "kind": "certificate",
        "reference": "GEC-1",
        "production_month": JAN,
        "technology": "wind",
        "plant": f"plant of {more.get('reference')}",
        "evidence": "certificates 1 to 2000",
    }
    ledger.record(conn, park.park, mwh=mwh, **(given | SAID | more))


def use(conn: Connection, park: Monthly, mwh: float, **more: Any) -> None:
    given: dict[str, Any] = {
        "kind": "certificate",
        "reference": "GEC-1",
        "production_month": JAN,
        "month": FEB,
    }
    enterprise = more.pop("enterprise", "X")
    ledger.match(conn, park.park, enterprise, mwh=mwh, **(given | SAID | more))
