"""The platform against the truth of a run: what it got right, and whether it says so.

docs/simulator_score.md explains each figure and the bars.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from simulators.bars import (
    BARS_DAYS,
    Thresholds,
    amount_checks,
    fault_checks,
    honesty_checks,
    peak_checks,
)
from simulators.client import Platform
from simulators.coherence import check
from simulators.comparing import Honesty, energy, honesty, shown
from simulators.matching import doubt, precisions, recalls
from simulators.meter import Fault
from simulators.results import Accounting, Amount, Score
from simulators.subjects import Book, text
from simulators.truth_file import QUARTER_S, REFUSABLE, Key, MeterNote, Truth

_BEGUN = ("reset", "replacement", "multiplier_change")
_FATES = ("inserted", "duplicate", "conflict", "quarantined")

# progress(registers done, registers in all)
Progress = Callable[[int, int], None]
Counts = Mapping[str, Mapping[str, int]]


def score(
    truth: Truth,
    platform: Platform,
    *,
    thresholds: Thresholds | None = None,
    before: Counts | None = None,
    progress: Progress | None = None,
) -> Score:
    """Compare the platform with the truth.

    Parameters
    ----------
    truth : Truth
        As read by `simulators.truth_file`.
    platform : Platform
        That was fed, has stored all of it and has computed.
    thresholds : Thresholds, optional
        The bars.
    before : mapping, optional
        `Platform.sources` before the run, where the database was not empty.
    progress : callable, optional
        Called with registers done and in all.

    Raises
    ------
    SimulatorError
        If a question is not answered, or the truth cannot be read or is not whole.
    """
    check(truth)
    bars = thresholds or Thresholds()
    notes: list[str] = []
    if platform.pending(truth.start_s):
        notes.append("the platform is still computing: wait, and score again")
    book = Book(truth)
    registers, counts = _registers(truth, platform, book, notes, progress)
    park_amounts = book.park_amounts(platform)
    peaks = book.peaks(platform, notes)
    emissions = book.emissions(platform)
    own = {each.platform_code: code for code, each in truth.meters.items()}
    events = [
        replace(each, meter=own.get(each.meter, each.meter))
        for each in platform.events(truth.start_s, truth.stop_s)
    ]
    found = recalls(truth, events, platform.quarantine())
    told = precisions(truth, events)
    days = (truth.stop_s - truth.start_s) / 86_400
    if round(days) < BARS_DAYS and any(each.kind in _BEGUN for each in truth.faults):
        notes.append(
            f"the bars are meant for {BARS_DAYS} days: what one reset hides is a larger "
            f"part of {days:.3g}"
        )
    slowest_s = max((each.cadence_s for each in truth.meters.values()), default=0)
    if slowest_s > QUARTER_S:
        notes.append(
            f"readings come {slowest_s} s apart, and do not tell the peaks of 15 minutes: "
            "bars of peaks and of quarter hours are missed by no fault of the platform"
        )
    accounting = account(platform.sources(), before or {}, truth.ledger)
    if not truth.ledger:
        notes.append(
            "the truth has no ledger: loss and double count cannot be judged"
            + (", and a clean run must show them" if bars.ledger else "")
        )
    if accounting.in_flight:
        notes.append(f"{accounting.in_flight} messages are not stored yet")
    checks = (
        *amount_checks(bars, truth.park, park_amounts, registers, emissions),
        *peak_checks(bars, truth.park, peaks),
        *honesty_checks(bars, counts),
        *fault_checks(bars, found, told, accounting),
    )
    return Score(
        park=truth.park,
        start=text(truth.start_s),
        stop=text(truth.stop_s),
        verdict="failed" if any(each.passed is False for each in checks) else "passed",
        checks=checks,
        notes=tuple(notes),
        park_amounts=park_amounts,
        peaks=peaks,
        honesty=counts,
        recalls=found,
        precisions=told,
        accounting=accounting,
        emissions=emissions,
        registers=registers,
    )


def account(after: Counts, before: Counts, ledger: Mapping[str, int]) -> Accounting:
    """Set the platform's counts of a run against the ledger of what was sent."""
    names = ("received", *_FATES)
    counts = {
        name: sum(each[name] for each in after.values())
        - sum(each[name] for each in before.values())
        for name in names
    }
    balanced = all(
        each["received"] == sum(each[name] for name in _FATES)
        for each in after.values()
    )
    in_flight = sum(each["in_flight"] for each in after.values())
    if not ledger:
        return Accounting(**counts, in_flight=in_flight, balanced=balanced)
    short = ledger["stored"] - counts["inserted"]
    return Accounting(
        **counts,
        in_flight=in_flight,
        balanced=balanced,
        sent=ledger["stored"],
        sent_again=ledger["duplicates"],
        refusable=sum(ledger[name] for name in REFUSABLE),
        lost=max(0, short),
        doubled=max(0, -short),
    )


def _registers(
    truth: Truth,
    platform: Platform,
    book: Book,
    notes: list[str],
    progress: Progress | None,
) -> tuple[tuple[Amount, ...], Honesty]:
    known = platform.quantities()
    keys = [key for key in truth.channels if _told(key, truth, known)]
    if len(keys) < len(truth.channels):
        notes.append(
            f"{len(truth.channels) - len(keys)} registers are not judged: the platform "
            "knows no such quantity, or the format cannot say it"
        )
    rows, counts = [], Honesty()
    for number, (key, flowed) in enumerate(truth.usage(keys), start=1):
        meter = truth.meters[key.subject]
        told = platform.usage(
            key.quantity,
            truth.start_s,
            truth.stop_s,
            enterprise=meter.enterprise,
            meter=meter.platform_code,
        )
        faults = truth.faults_of(meter)
        could = shown(
            flowed, meter, truth.start_s, largest_step=_largest_step(meter, faults)
        )
        begun = sum(fault.kind in _BEGUN for fault in faults)
        of = energy(told, could, flowed, begun=begun)
        rows.append(Amount.of(key, of))
        counts += honesty(told, could, doubt(truth, meter, key.quantity))
        book.add(key, could, of)
        if progress is not None:
            progress(number, len(keys))
    return tuple(rows), counts


def _told(key: Key, truth: Truth, known: frozenset[str]) -> bool:
    carried = truth.meters[key.subject].carried
    return key.quantity in known and (carried is None or key.quantity in carried)


def _largest_step(meter: MeterNote, faults: Iterable[Fault]) -> float:
    """Return the largest step of a register over the one it began with."""
    cts = [float(fault.parameters.get("ct", meter.ct)) for fault in faults]
    return max([meter.ct, *cts]) / meter.ct
