"""What a meter tells its first owner of the time in which it counts for another."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from store import browse, registry, relations, revisions, typed
from store.batches import write_batch
from store.database import connect
from store.readings import Rows, to_us

pytestmark = pytest.mark.db

DAY = timedelta(days=1)
FIRST = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("gone", "back", "told"),
    [
        (FIRST + DAY, None, [1.0]),  # just where the second amount begins
        (FIRST + DAY * 1.5, None, [1.0]),
        (FIRST + DAY * 1.25, FIRST + DAY * 1.5, [1.0, 4.0]),  # for an hour in between
        (FIRST + DAY * 3, None, [1.0, 2.0]),
    ],
)
def test_amounts_in_which_a_meter_goes_are_not_its_first_owners(
    database: str, gone: datetime, back: datetime | None, told: list[float]
) -> None:
    """Each day's amount, and another one that is refused; days 2 and 3 are one amount."""
    with connect(database, autocommit=True) as conn:
        park = registry.add_park(conn, "p", zone="UTC")
        a, b = (registry.add_enterprise(conn, park, code) for code in "ab")
        meter = registry.add_meter(conn, park, a, "M")
        relations.confirm_meter(conn, meter, a, source="test", since=FIRST - DAY)
        channel = registry.add_channel(conn, meter, "energy_import", "delta")
        relations.assign_meter(conn, meter, b, gone, back, source="sale")
        begin = [to_us(FIRST + n * DAY) for n in (0, 1, 3)]
        for value in ([1.0, 2.0, 4.0], [10.0, 20.0, 40.0]):
            rows = Rows(
                np.full(3, channel, np.int64),
                np.array(begin, np.int64),
                np.array(value),
                np.array([*begin[1:], to_us(FIRST + 4 * DAY)], np.int64),
            )
            with conn.transaction():
                write_batch(
                    conn,
                    rows,
                    [],
                    parks={channel: park},
                    totals={channel},
                    source="test",
                    parser="test/1",
                    messages=1,
                )
        for each in revisions.conflicts(conn, park):
            revisions.add_revision(
                conn, channel, each.at, each.stored + 0.5, who="Reader", why="slip"
            )
        period = FIRST, FIRST + 9 * DAY, (0, FIRST), 9
        found = browse.readings(conn, [channel], *period, own=True)
        assert [each.value for each in found] == told
        refused = revisions.conflicts(conn, park, own=True)
        assert sorted(each.refused for each in refused) == [10 * each for each in told]
        made = revisions.revisions(conn, park, own=True)
        assert sorted(each.value_after or 0 for each in made) == [x + 0.5 for x in told]
        last = typed.last_of_meter(conn, meter, 9, own=True)
        assert sorted(each.value for each in last) == [x + 0.5 for x in told]
        assert len(typed.last_of_meter(conn, meter, 9)) == 3
