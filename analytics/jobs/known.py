"""Usage of real meters as of a vintage: from readings where it may be another one."""

from collections.abc import Sequence

import numpy as np

from analytics.jobs import compute, shaping
from analytics.jobs.compute import Known, World
from analytics.jobs.vintage import Vintage
from store.database import Connection
from store.dirty import Span
from store.series import USAGE_15MIN, Series, read


def usage_known(
    conn: Connection, world: World, spans: Sequence[Span], vintage: Vintage
) -> tuple[Series, Known]:
    """Give usage in spans of one extent, and what the readings of it say.

    Meters that the vintage does not touch give what the job has stored; of these no
    readings are told.
    """
    anew: list[Span] = []
    stored: list[int] = []
    for each in spans:
        if vintage.anew(world.by_id[each.channel_id].meter_id):
            anew.append(each)
        else:
            stored.append(each.channel_id)
    known = compute.understand(world, compute.read_sources(conn, world, anew, vintage))
    known = shaping.shape_gaps(conn, world, known, anew, vintage)
    usage = compute.meter_usage(known)
    if stored:
        low, high = min(s.start for s in spans), max(s.stop for s in spans)
        there = read(conn, USAGE_15MIN, stored, low, high)
        usage = Series(
            np.concatenate([usage.key, there.key]),
            np.concatenate([usage.start_us, there.start_us]),
            np.concatenate([usage.values, there.values], axis=1),
        ).ordered()
    return usage, known
