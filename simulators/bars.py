"""The bars of a score, and which of them are missed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from simulators.comparing import Honesty
from simulators.matching import Precision, Recall
from simulators.results import Accounting, Amount, Check, Emission, Peak

ACTIVE = "energy_import"
# a reset hides what flowed between two readings, however long the run is
BARS_DAYS = 30


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """The bars; None: not judged. Those not of the issue are ours.

    Attributes
    ----------
    park_energy_percent, park_peak_percent, park_emissions_percent : float
        Most error.
    enterprise_peaks_percent, enterprise_peaks_share : float
        So many of the enterprises' monthly peaks are no further off.
    registers_right_share : float
        Of all registers, those whose total is right within the resolution.
    measured_right_share, estimated_right_share, inside_band_share : float
        Least share.
    missing_explained_share : float
        Of what is called missing, what a fault made unknown.
    recall, precision : float
        Least, of each kind.
    lost, doubled : int
        Most readings.
    ledger : bool
        Without a ledger both are missed; else they are not judged.
    """

    park_energy_percent: float | None = 0.05
    park_peak_percent: float | None = 0.5
    park_emissions_percent: float | None = 0.5
    enterprise_peaks_percent: float | None = 0.5
    enterprise_peaks_share: float | None = 0.9
    registers_right_share: float | None = None
    measured_right_share: float | None = 0.99
    estimated_right_share: float | None = 0.95
    inside_band_share: float | None = 0.95
    missing_explained_share: float | None = 0.95
    recall: float | None = 0.95
    precision: float | None = 0.90
    lost: int | None = 0
    doubled: int | None = 0
    ledger: bool = False

    @staticmethod
    def of_a_clean_run() -> "Thresholds":
        """Return the bars of a run without faults: all is right to the resolution."""
        return Thresholds(
            park_energy_percent=0.0,
            park_peak_percent=0.0,
            enterprise_peaks_percent=None,
            enterprise_peaks_share=1.0,
            registers_right_share=1.0,
            measured_right_share=1.0,
            estimated_right_share=1.0,
            inside_band_share=1.0,
            missing_explained_share=1.0,
            precision=1.0,
            ledger=True,
        )


def amount_checks(
    bars: Thresholds,
    park: str,
    totals: Sequence[Amount],
    registers: Sequence[Amount],
    emissions: Sequence[Emission],
) -> list[Check]:
    """Judge energy of the park and of all registers, and the park's emissions.

    What lies within the resolution is right.
    """
    energy = [
        0.0 if each.right else abs(each.error_percent)
        for each in totals
        if each.quantity == ACTIVE
    ]
    co2 = [abs(each.error_percent) for each in emissions if each.subject == park]
    return [
        *_most("park energy error [%]", energy, bars.park_energy_percent),
        *_most("park emissions error [%]", co2, bars.park_emissions_percent),
        *_least(
            "registers right within resolution",
            sum(each.right for each in registers),
            len(registers),
            bars.registers_right_share,
        ),
    ]


def peak_checks(bars: Thresholds, park: str, peaks: Sequence[Peak]) -> list[Check]:
    """Judge the monthly peaks: what lies within the resolution is right."""
    parks = [_off(each) for each in peaks if each.subject == park]
    others = [_off(each) for each in peaks if each.subject != park]
    near = bars.enterprise_peaks_percent or 0.0
    return [
        *_most("park monthly peak error [%]", parks, bars.park_peak_percent),
        *_least(
            f"enterprise peaks within {near:g} %",
            sum(each <= near for each in others),
            len(others),
            bars.enterprise_peaks_share,
        ),
    ]


def honesty_checks(bars: Thresholds, counts: Honesty) -> list[Check]:
    """Judge whether the platform says rightly what it knows."""
    judged = counts.stretches - counts.stretches_open
    explained = counts.never_sent + counts.unknowable
    return [
        *_least(
            "measured is right",
            counts.measured_right,
            counts.measured,
            bars.measured_right_share,
        ),
        *_least(
            "estimated stretches right in sum",
            counts.stretches_right,
            judged,
            bars.estimated_right_share,
        ),
        *_least(
            "truth inside the band of estimates",
            counts.inside_band,
            counts.estimated,
            bars.inside_band_share,
        ),
        *_least(
            "missing is explained",
            explained,
            counts.missing,
            bars.missing_explained_share,
        ),
    ]


def fault_checks(
    bars: Thresholds,
    recalls: Iterable[Recall],
    precisions: Iterable[Precision],
    accounting: Accounting,
) -> list[Check]:
    """Judge what was recognised, lost and counted twice."""
    checks = []
    for found in recalls:
        if found.recall is not None:
            checks += _least_of(f"recall of {found.kind}", found.recall, bars.recall)
    for told in precisions:
        checks += _least_of(f"precision of {told.kind}", told.precision, bars.precision)
    for name, value, bar in (
        ("lost readings", accounting.lost, bars.lost),
        ("doubled readings", accounting.doubled, bars.doubled),
    ):
        if bar is not None:
            unknown = False if bars.ledger else None
            passed = unknown if value is None else value <= bar
            checks.append(Check(name=name, value=value, bar=bar, passed=passed))
    passed = accounting.balanced
    checks.append(
        Check(name="readings add up", value=float(passed), bar=1.0, passed=passed)
    )
    return checks


def _off(peak: Peak) -> float:
    """Return a peak's error, 0 within resolution; NaN: it is not told."""
    error = abs(peak.error_percent)
    return 0.0 if error <= peak.tolerance_percent else error


def _most(name: str, values: Sequence[float], bar: float | None) -> list[Check]:
    """Judge the worst of some; NaN, what the platform does not tell, is the worst."""
    if bar is None:
        return []
    if not values:
        return [Check(name=name, value=None, bar=bar, passed=None)]
    passed = all(each <= bar for each in values)
    known = [each for each in values if each == each]
    worst = max(known) if len(known) == len(values) else float("nan")
    return [Check(name=name, value=worst, bar=bar, passed=passed)]


def _least(name: str, part: int, whole: int, bar: float | None) -> list[Check]:
    if whole:
        return _least_of(name, part / whole, bar)
    return [] if bar is None else [Check(name=name, value=None, bar=bar, passed=None)]


def _least_of(name: str, value: float, bar: float | None) -> list[Check]:
    if bar is None:
        return []
    return [Check(name=name, value=value, bar=bar, passed=value >= bar)]
