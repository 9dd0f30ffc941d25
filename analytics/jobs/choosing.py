"""Which factor applies: by basis, region, year, validity, and whose it is."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from analytics.jobs.methods import PARK, Choice
from store.records import Factor

Int64 = NDArray[np.int64]
NONE = -1


class Chooser:
    """Chooses factors for the cells of a sheet.

    Parameters
    ----------
    known
        Anybody's factors, one of each code.
    local
        Own ones of the park and its enterprises, in the order recorded.
    region
        Of the park.
    owners
        Of each row of the sheet the ids whose own factors it takes, the nearest last.
    months
        First day of each cell.
    """

    def __init__(
        self,
        known: Sequence[Factor],
        local: Sequence[Factor],
        *,
        region: str,
        owners: Sequence[Sequence[int]],
        months: Sequence[date],
    ) -> None:
        self.factors = (*known, *local)
        self.months = tuple(months)
        self._region = region
        self._owners = [tuple(each) for each in owners]
        self._by_use: dict[tuple[str, str, str, str], list[int]] = defaultdict(list)
        self._by_code = {each.code: i for i, each in enumerate(known)}
        for i, each in enumerate(known):
            use = (each.kind, each.carrier, each.basis, each.region)
            self._by_use[use].append(i)
        self._local: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        for i, each in enumerate(local, len(known)):
            self._local[each.kind, each.carrier, each.basis].append(i)
        self._found: dict[tuple[str, str, Choice], Int64] = {}

    def choose(self, kind: str, carrier: str, choice: Choice) -> Int64:
        """Give the place in `factors` for each row and cell; NONE where none applies."""
        asked = (kind, carrier, choice)
        if asked not in self._found:
            self._found[asked] = self._choose(kind, carrier, choice)
        return self._found[asked]

    def own(self, kind: str, carrier: str, choice: Choice) -> list[int]:
        """List the owners that have factors of their own which stand in for this one."""
        places = self._local.get((kind, carrier, choice.basis), [])
        owners = [self.factors[i].subject_id for i in places]
        return sorted({each for each in owners if each is not None})

    def _choose(self, kind: str, carrier: str, choice: Choice) -> Int64:
        region = self._region if choice.region == PARK else choice.region
        of_all = np.array(
            [
                self._shipped(kind, carrier, choice, region, month)
                for month in self.months
            ],
            np.int64,
        )
        found = np.tile(of_all, (len(self._owners), 1))
        local = self._local.get((kind, carrier, choice.basis), [])
        for row, owners in enumerate(self._owners) if local else ():
            for owner in owners:
                for i in local:  # the one recorded last wins
                    if self.factors[i].subject_id == owner:
                        found[row, self._valid(i)] = i
        return found

    def _shipped(
        self, kind: str, carrier: str, choice: Choice, region: str, month: date
    ) -> int:
        if choice.year == "pinned":
            return self._by_code.get(choice.code or "", NONE)
        places = [
            i
            for i in self._by_use.get((kind, carrier, choice.basis, region), [])
            if _holds(self.factors[i], month)
        ]
        if choice.year == "of_period":
            places = [
                i for i in places if (self.factors[i].data_year or 0) <= month.year
            ]
        return max(places, key=self._age, default=NONE)

    def _age(self, i: int) -> tuple[int, date, int]:
        each = self.factors[i]
        return each.data_year or 0, each.published or date.min, each.factor_id

    def _valid(self, i: int) -> NDArray[np.bool_]:
        return np.array([_holds(self.factors[i], m) for m in self.months], np.bool_)


def _holds(factor: Factor, day: date) -> bool:
    return (factor.valid_from is None or factor.valid_from <= day) and (
        factor.valid_to is None or day < factor.valid_to
    )
