"""Masses of pollutants from what monitors tell of concentration and flow.

Of a monitor that itself tells the mass nothing is made here.
"""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from analytics import pollution
from analytics.jobs.vintage import Vintage
from store.database import Connection
from store.dirty import Span
from store.quantities import CARRIED, QUANTITIES
from store.readings import Rows, read_spans
from store.records import Channel

# an analyser of wastewater tells a concentration every two hours; ours
HOLD = timedelta(hours=3)
_HOLD_US = HOLD // timedelta(microseconds=1)
_GRAMS = {QUANTITIES[name].flow: grams for name, (_, grams) in CARRIED.items()}


def loads(
    conn: Connection, asked: Sequence[tuple[Channel, Span]], vintage: Vintage
) -> Rows:
    """Give the loads that reach into some spans, as interval amounts [kg]."""
    spans: dict[int, Span] = {}
    for channel, span in asked:
        for gauge in (channel.channel_id, channel.flow_id):
            if gauge is None:
                continue
            known = spans.get(gauge, span)
            spans[gauge] = span._replace(
                channel_id=gauge,
                start=min(known.start, span.start),
                stop=max(known.stop, span.stop),
            )
    rows = read_spans(
        conn,
        # what decides on the first interval lies twice as long before
        [(e.channel_id, e.start - 2 * HOLD, e.stop + HOLD) for e in spans.values()],
        context=1,
        known_on=vintage.readings,
        revised_by=vintage.corrections,
    )
    parts = [_loads_of(channel, rows) for channel, _ in asked]
    return Rows(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def _loads_of(channel: Channel, rows: Rows) -> Rows:
    concentration, flow = (
        rows.take(rows.channel == gauge)
        for gauge in (channel.channel_id, channel.flow_id)
    )
    start, stop, load_kg = pollution.held(
        flow.at_us,
        flow.value,
        concentration.at_us,
        concentration.value * _GRAMS[channel.quantity],
        # what is computed again reaches no further than HOLD
        min(_HOLD_US, round(channel.measured_up_to_s * 1e6)),
        _HOLD_US,
    )
    return Rows(np.full(start.size, channel.channel_id, np.int64), start, load_kg, stop)
