"""The documented shape of the comparison of parks."""

from typing import Literal

from pydantic import Field

from api.models import Number, Row


class ComparedYear(Row):
    """All parks in one year."""

    year: int
    parks: int
    compared: int = Field(description="those whose year is metered and complete")
    above_half: int
    share_above_half: Number = Field(description="of those compared")


class ParkYear(Row):
    """A park in one year."""

    year: int
    share: Number = Field(description="of clean energy")
    coverage: Number
    months_complete: int
    refused_because: str | None
    place: int | None = Field(description="1 has most; null: not ranked")
    places_won: int | None = Field(description="against the year before")


class ShareTrend(Row):
    """Mann-Kendall and Sen slope of a park's shares."""

    n: int
    s: Number
    variance: Number
    z: Number
    p: Number
    sen_slope_per_year: Number
    trend: Literal["unknown", "none", "rising", "falling"]


class ComparedPark(Row):
    """A park over the years."""

    park: str
    name: str
    years: list[ParkYear]
    trend: ShareTrend


class Comparison(Row):
    """The parks of this database by their share of clean energy."""

    definition: str
    basis: str
    minimum_coverage: float
    as_known_on: str | None
    years: list[ComparedYear]
    parks: list[ComparedPark]
