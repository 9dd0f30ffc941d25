"""Shelly of the second generation and later: notifications of a three-phase meter.

`{prefix}/events/rpc` with `em:0` and `emdata:0`, from Shelly's documentation of the
components EM and EMData: energy in Wh, power in W, the time in seconds since 1970.
"""

from collections.abc import Iterable

from simulators.formats.common import Encode, Number, Place, each, message, raw, times
from simulators.meter import Message, Shown

# component, name, factor from the key's unit, decimals
_FIELDS = {
    **{
        f"voltage_{phase}_v": ("em:0", f"{phase}_voltage", 1, 4)
        for phase in ("a", "b", "c")
    },
    **{
        f"current_{phase}_a": ("em:0", f"{phase}_current", 1, 4)
        for phase in ("a", "b", "c")
    },
    "frequency_hz": ("em:0", "a_freq", 1, 4),
    "apparent_power_kva": ("em:0", "total_aprt_power", 1000, 1),
    "power_kw": ("em:0", "total_act_power", 1000, 1),
    "energy_export_kwh": ("emdata:0", "total_act_ret", 1000, 2),
    "energy_import_kwh": ("emdata:0", "total_act", 1000, 2),
}


def carried(keys: Iterable[str]) -> list[str]:
    """Those of a three-phase electricity meter, without reactive ones."""
    return [key for key in keys if key in _FIELDS]


def encoder(place: Place) -> Encode:
    """Return how to write one notification for each instant."""

    def encode(shown: Shown) -> list[Message]:
        device = f"{raw(shown.meter, place)}/{shown.meter.code}"
        keys = carried(shown.values)
        messages = []
        for instant in each(shown, keys):
            params: dict[str, float | dict[str, Number]] = {
                "ts": instant.stamp_us // 1000 / 1000
            }
            for name in ("em:0", "emdata:0"):
                fields = {
                    _FIELDS[key][1]: times(instant.values[key], *_FIELDS[key][2:])
                    for key in keys
                    if _FIELDS[key][0] == name
                }
                if fields:
                    params[name] = {"id": 0, **fields}
            body = {
                "src": shown.meter.code.lower(),
                "dst": f"{device}/events",
                "method": "NotifyStatus",
                "params": params,
            }
            messages.append(message(f"{device}/events/rpc", body, instant))
        return messages

    return encode
