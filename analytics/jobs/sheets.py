"""What an account of a park rests on beside amounts: factors, own and anybody's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from analytics.jobs.choosing import Chooser
from store.database import Connection
from store.factors import factors, local_factors
from store.records import Factor, Park


@dataclass(frozen=True, kw_only=True)
class Side:
    """What is known of a park on a date that its accounts rest on."""

    park: Park
    known: tuple[Factor, ...]
    local: tuple[Factor, ...]

    def chooser(
        self, owners: Sequence[Sequence[int]], months: Sequence[date]
    ) -> Chooser:
        """Choose factors for rows whose owners' factors stand in, the nearest last."""
        return Chooser(
            self.known,
            self.local,
            region=self.park.region,
            owners=owners,
            months=months,
        )


def load_side(conn: Connection, park: Park, known_on: datetime | None) -> Side:
    """Read what the accounts of a park rest on, as known on a date."""
    return Side(
        park=park,
        known=tuple(factors(conn, known_on)),
        local=tuple(local_factors(conn, park.park_id, known_on)),
    )
