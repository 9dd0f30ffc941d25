"""The truth of a run as one Parquet file, written day by day.

Usage is what physically flowed; what a meter makes of it (resolution, ratio, error)
stands beside it. docs/simulator.md explains the columns. Needs the extra ``simulate``.
"""

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np

from simulators import formats
from simulators.display import Display, first_register
from simulators.errors import SimulatorError
from simulators.faults import meters_of, within
from simulators.formats import Place
from simulators.load import Flow, Integers, seconds
from simulators.meter import Fault, Float64, Meter, at_cadence
from simulators.statements import months
from simulators.world import World

if TYPE_CHECKING:
    import pyarrow as pa

VERSION = "1"
COLUMNS = ("what", "subject", "quantity", "unit", "start", "stop", "value", "note")
MINUTES_DAYS = 31  # up to here a run's usage by minute is written unasked
_UNIT = 3_600_000  # thousandths/h x s in one unit
_QUARTER_S, _MINUTE_S = 900, 60
_TEXTS = ("what", "subject", "quantity", "unit", "note")
_WINDOWS = {"demand_fixed15": _QUARTER_S, "demand_sliding15": _MINUTE_S}

# progress(days done, days in all)
Progress = Callable[[int, int], None]

_BEGINS = ("rollover", "reset", "replacement", "multiplier_change")


@dataclass(frozen=True, kw_only=True)
class Written:
    """What stands in the file."""

    rows: int
    seconds: float


def write(
    path: Path,
    world: World,
    start: datetime,
    stop: datetime,
    *,
    faults: Iterable[Fault] = (),
    ledger: Mapping[str, int] | None = None,
    minutes: bool | None = None,
    cadence_s: int | None = None,
    progress: Progress | None = None,
) -> Written:
    """Write the truth of ``[start, stop)``.

    Parameters
    ----------
    path : Path
        The Parquet file; one that is there is replaced when all is written.
    world : World
        Whose truth.
    start, stop : datetime
        With zone, at quarters of an hour.
    faults : iterable of Fault
        Those that were injected. Of one that is partly in the run that part is
        written, and nothing of one that is not.
    ledger : mapping of str to int, optional
        What the delivery counted, see `simulators.delivery.Ledger`.
    minutes : bool, optional
        Usage by the minute too; by default for runs of up to 31 days.
    cadence_s : int, optional
        Between readings of each meter, where the run had another than the scenario.
    progress : callable, optional
        Called with days done and days in all.

    Raises
    ------
    SimulatorError
        If a time makes no sense, or the extra ``simulate`` is not installed.
    """
    began = time.monotonic()
    first, last = seconds(start), seconds(stop)
    if first >= last or first % _QUARTER_S or last % _QUARTER_S:
        raise SimulatorError(
            f"the truth is of quarters of an hour, and {start.isoformat()} to "
            f"{stop.isoformat()} are none"
        )
    if minutes is None:
        minutes = last - first <= MINUTES_DAYS * 86400
    for _ in world.advance(first):
        pass
    days = list(_days(world, first, last))
    unfinished = path.with_name(f"{path.name}.part")
    with _File(unfinished, _metadata(world, start, stop)) as file:
        place = Place(world.code, world.zone)
        meters = at_cadence(world.meters, cadence_s)
        for meter in meters:
            _tell_meter(file, meter, place, first, last)
        book = _Book(world, last)
        for number, (day, begin, end) in enumerate(days, start=1):
            book.day(file, begin, end, minutes=minutes)
            following = day + timedelta(days=1)
            if following.day == 1 or end == last:
                book.month(file, day.replace(day=1), first, end)
            file.flush()
            if progress is not None:
                progress(number, len(days))
        for name, count in (ledger or {}).items():
            file.one("ledger", world.code, name, "", first, last, float(count), "")
        planned = tuple(faults)
        inside = (within(each, meters, first, last) for each in planned)
        for fault in (
            *(each for each in inside if each is not None),
            *_rollovers(meters, planned, first, last),
        ):
            note = json.dumps(dict(fault.parameters), ensure_ascii=False)
            file.one(
                *("fault", fault.subject, fault.kind, ""),
                *(fault.start_s, fault.stop_s, None, note),
            )
    unfinished.replace(path)
    return Written(rows=file.rows, seconds=time.monotonic() - began)


def _days(world: World, first: int, last: int) -> Iterator[tuple[date, int, int]]:
    """Yield the local days of a run, with the part of each that is in it."""
    day = datetime.fromtimestamp(first, world.zone).date()
    while (begin := world.midnight(day)) < last:
        following = day + timedelta(days=1)
        yield day, max(begin, first), min(world.midnight(following), last)
        day = following


def _metadata(world: World, start: datetime, stop: datetime) -> dict[str, str]:
    said = world.scenario
    return {
        "parkwatt.truth": VERSION,
        "scenario": said.code,
        "scenario_name": said.name,
        "scenario_hash": said.hash,
        "seed": str(said.seed),
        "zone": said.zone,
        "start": start.astimezone(UTC).isoformat(),
        "stop": stop.astimezone(UTC).isoformat(),
    }


def _tell_meter(
    file: "_File", meter: Meter, place: Place, start: int, stop: int
) -> None:
    ratio = meter.ct * meter.pt
    note = {
        "enterprise": meter.enterprise,
        "carrier": meter.carrier,
        "role": meter.role,
        "parent": meter.parent,
        "keys": [channel.key for channel in meter.channels],
        "registers": [
            channel.key for channel in meter.channels if channel.kind == "register"
        ],
        "resolution": ratio / 10**meter.decimals,  # primary
        "digits": meter.digits,
        "decimals": meter.decimals,
        "ct": meter.ct,
        "pt": meter.pt,
        "accuracy_class": meter.accuracy_class,
        "error_ppm": meter.error_ppm,
        "cadence_s": meter.cadence_s,
        "clock_offset_s": meter.clock_offset_s,
        "clock_drift_ppm": meter.clock_drift_ppm,
        "format": meter.format,
        "known_as": formats.code_of(meter, place),
        "carried": formats.named(meter.format).carried(
            [channel.key for channel in meter.channels]
        ),
        "gateway": meter.gateway,
    }
    text = json.dumps(note, ensure_ascii=False)
    file.one("meter", meter.code, "multiplier", "", start, stop, ratio, text)


def _rollovers(
    meters: Sequence[Meter], faults: Iterable[Fault], start: int, stop: int
) -> Iterator[Fault]:
    """Yield the quarter hours in which registers roll over that no fault has placed."""
    at = np.arange(start, stop + 1, _QUARTER_S, dtype=np.int64)
    changes: dict[str, list[Fault]] = defaultdict(list)
    for fault in faults:
        if fault.kind in _BEGINS:
            for meter in meters_of(fault, meters):
                changes[meter.code].append(fault)
    for meter in meters:
        mine = changes[meter.code]
        for key, rounds in Display(meter, mine).rounds(at).items():
            placed = {
                (each.start_s - start - 1) // _QUARTER_S
                for each in mine
                if each.kind == "rollover"
                and each.parameters.get("channel", first_register(meter)) == key
            }
            # where a register began anew its rounds are fewer, not more
            for place in np.flatnonzero(np.diff(rounds) > 0).tolist():
                if place not in placed:
                    yield Fault(
                        kind="rollover",
                        subject=meter.code,
                        start_s=int(at[place]),
                        stop_s=int(at[place + 1]),
                        parameters={"channel": key},
                    )


class _Book:
    """Adds up what a month has, while its days go by."""

    def __init__(self, world: World, last: int) -> None:
        self._world, self._last = world, last
        subjects = (world.code, *(each.code for each in world.enterprises))
        self._counted = {subject: world.counted(subject) for subject in subjects}
        self._registers = [
            (meter.code, channel.key, channel.flow)
            for meter in world.meters
            for channel in meter.channels
            if channel.kind == "register"
        ]
        self._begin()

    def _begin(self) -> None:
        self._sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        # subject, name of the demand -> highest energy of a window, its start
        self._peaks: dict[tuple[str, str], tuple[int, int]] = {}

    def day(self, file: "_File", begin: int, end: int, *, minutes: bool) -> None:
        """Write usage and demand of a day, and remember its peaks."""
        edges = np.arange(begin, end + 1, _QUARTER_S, dtype=np.int64)
        used: dict[Flow, Integers] = {}
        for code, name, flow in self._registers:
            used[flow] = np.diff(flow.integral(edges))
            file.add("usage_15min", code, *_named(name), edges, used[flow] / _UNIT)
        for subject, by_key in self._counted.items():
            for name, flows in by_key.items():
                amounts: Integers = np.sum([used[flow] for flow in flows], axis=0)
                self._sums[subject][name] += int(amounts.sum())
                file.add("usage_15min", subject, *_named(name), edges, amounts / _UNIT)
                if name == "energy_import_kwh":
                    demand_kw = amounts / (_UNIT / 4)
                    file.add("demand_15min", subject, "demand", "kw", edges, demand_kw)
                    self._peak(subject, "demand_fixed15", amounts, edges)
        self._slide(begin, end)
        if minutes:
            self._minutes(file, begin, end)

    def _minutes(self, file: "_File", begin: int, end: int) -> None:
        edges = np.arange(begin, end + 1, _MINUTE_S, dtype=np.int64)
        used: dict[Flow, Integers] = {}
        for code, name, flow in self._registers:
            used[flow] = np.diff(flow.integral(edges))
            file.add("usage_1min", code, *_named(name), edges, used[flow] / _UNIT)
        for subject, by_key in self._counted.items():
            for name, flows in by_key.items():
                amounts = np.sum([used[flow] for flow in flows], axis=0) / _UNIT
                file.add("usage_1min", subject, *_named(name), edges, amounts)

    def _slide(self, begin: int, end: int) -> None:
        """Remember the highest window that begins at any minute and ends in time."""
        stop = min(end + _QUARTER_S - _MINUTE_S, self._last)
        edges = np.arange(begin, stop + 1, _MINUTE_S, dtype=np.int64)
        width = _QUARTER_S // _MINUTE_S
        for subject, by_key in self._counted.items():
            flows = by_key.get("energy_import_kwh")
            if flows:
                sums = np.sum([flow.integral(edges) for flow in flows], axis=0)
                amounts = sums[width:] - sums[:-width]
                self._peak(subject, "demand_sliding15", amounts, edges)

    def _peak(self, subject: str, name: str, amounts: Integers, at: Integers) -> None:
        highest = int(amounts.argmax())
        found = int(amounts[highest]), int(at[highest])
        known = self._peaks.get((subject, name))
        if known is None or found[0] > known[0]:
            self._peaks[subject, name] = found

    def month(self, file: "_File", month: date, first: int, end: int) -> None:
        """Write what a month came to, of which the run may have only a part."""
        world = self._world
        begin = max(world.midnight(month), first)
        for (subject, name), (amount, at) in self._peaks.items():
            peak_kw = amount / (_UNIT / 4)
            file.one("peak", subject, name, "kw", at, at + _QUARTER_S, peak_kw, "")
        (_, following), *_ = months(month, month + timedelta(days=1))
        whole = (begin, end) == (world.midnight(month), world.midnight(following))
        values: dict[str, float] = defaultdict(float)
        for each in world.statements(month, following) if whole else ():
            if each.kind == "added_value":
                values[each.enterprise] = each.amount
                values[world.code] += each.amount
            file.one(
                *(each.kind, each.enterprise, each.product or each.kind, each.unit),
                *(begin, end, each.amount, ""),
            )
        if whole:
            value = values[world.code]
            file.one(
                *("added_value", world.code, "added_value", "10k_cny"),
                *(begin, end, value, ""),
            )
        for subject, sums in self._sums.items():
            amounts = {name: amount / _UNIT for name, amount in sums.items()}
            co2_t = world.co2_kg(amounts) / 1000
            note = self._parts(amounts)
            file.one("emissions", subject, "co2", "t", begin, end, co2_t, note)
            if values[subject]:
                file.one(
                    *("intensity", subject, "co2_per_added_value", "t_per_10k_cny"),
                    *(begin, end, co2_t / values[subject], ""),
                )
        self._begin()

    def _parts(self, amounts: Mapping[str, float]) -> str:
        parts = [
            {
                "key": name,
                "amount": amounts[name],
                "sign": sign,
                "factor": factor.value,
                "unit": factor.unit,
                "source": factor.source,
            }
            for name, sign, factor in self._world.factors()
            if name in amounts
        ]
        return json.dumps(parts, ensure_ascii=False)


def _named(name: str) -> tuple[str, str]:
    """Return quantity and unit of a key."""
    quantity, _, unit = name.rpartition("_")
    return quantity, unit


class _File:
    """Rows by block, written as one row group at each flush."""

    def __init__(self, path: Path, metadata: Mapping[str, str]) -> None:
        try:
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError as error:
            raise SimulatorError(
                "a truth file needs pyarrow: install parkwatt[simulate]"
            ) from error
        self._pa, self.rows = pa, 0
        text = pa.dictionary(pa.int32(), pa.string())
        instant = pa.timestamp("us", "UTC")
        kinds = {"start": instant, "stop": instant, "value": pa.float64()}
        self._schema = pa.schema(
            [(name, kinds.get(name, text)) for name in COLUMNS], metadata=metadata
        )
        self._writer = parquet.ParquetWriter(
            path,
            self._schema,
            compression="zstd",
            use_dictionary=[name for name in COLUMNS if name != "value"],
            column_encoding={"value": "BYTE_STREAM_SPLIT"},
        )
        self._clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.flush()
        self._writer.close()

    def _clear(self) -> None:
        self._texts: list[tuple[str, ...]] = []
        self._columns: list[tuple[Integers, Integers, Float64]] = []

    def add(
        self,
        what: str,
        subject: str,
        quantity: str,
        unit: str,
        edges: Integers,
        values: Float64,
    ) -> None:
        """Add a row for each interval between edges [s since 1970]."""
        self._texts.append((what, subject, quantity, unit, ""))
        self._columns.append((edges[:-1], edges[1:], values))

    def one(
        self,
        what: str,
        subject: str,
        quantity: str,
        unit: str,
        start: int,
        stop: int,
        value: float | None,
        note: str,
    ) -> None:
        """Add one row."""
        self._texts.append((what, subject, quantity, unit, note))
        self._columns.append(
            (
                np.array([start]),
                np.array([stop]),
                np.array([np.nan if value is None else value]),
            )
        )

    def flush(self) -> None:
        """Write what was added."""
        if not self._columns:
            return
        start, stop, value = (
            np.concatenate(column) for column in zip(*self._columns, strict=True)
        )
        sizes = [block[2].size for block in self._columns]
        arrays = {
            name: self._dictionary(column, sizes)
            for name, column in zip(_TEXTS, zip(*self._texts, strict=True), strict=True)
        }
        arrays["start"], arrays["stop"] = map(self._instants, (start, stop))
        arrays["value"] = self._pa.array(value, from_pandas=True)
        table = self._pa.table([arrays[name] for name in COLUMNS], schema=self._schema)
        self._writer.write_table(table, row_group_size=table.num_rows)
        self.rows += table.num_rows
        self._clear()

    def _dictionary(self, texts: Sequence[str], sizes: list[int]) -> "pa.Array":
        places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        indices = np.array([places[text] for text in texts], dtype=np.int32)
        return self._pa.DictionaryArray.from_arrays(
            np.repeat(indices, sizes), self._pa.array(list(places), self._pa.string())
        )

    def _instants(self, at_s: Integers) -> "pa.Array":
        micros = self._pa.array(at_s * 1_000_000)
        return micros.view(self._pa.timestamp("us", "UTC"))
