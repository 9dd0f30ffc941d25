"""Acrel ADL400 behind its gateway: one JSON frame per meter, as docs/formats.md tells.

Energy in kWh, power in kW, the time local as `YYYYMMDDhhmmss`.
"""

from collections.abc import Iterable

from simulators.formats.common import Encode, Place, each, local, message, raw
from simulators.meter import Message, Shown

_FIELDS = {
    "voltage_a_v": "ua",
    "voltage_b_v": "ub",
    "voltage_c_v": "uc",
    "current_a_a": "ia",
    "current_b_a": "ib",
    "current_c_a": "ic",
    "power_kw": "p",
    "reactive_power_kvar": "q",
    "power_factor": "pf",
    "frequency_hz": "hz",
    "energy_export_kwh": "wl",
    "energy_import_kwh": "wh",
}


def carried(keys: Iterable[str]) -> list[str]:
    """Those of an electricity meter, without reactive energy."""
    return [key for key in keys if key in _FIELDS]


def encoder(place: Place) -> Encode:
    """Return how to write one frame for each instant."""

    def encode(shown: Shown) -> list[Message]:
        meter = shown.meter
        gateway = meter.gateway or meter.code
        topic = f"{raw(meter, place)}/gw/acrelHW/ADL400/data/{gateway}"
        messages = []
        for instant in each(shown, carried(shown.values)):
            body: dict[str, object] = {
                "type": "data",
                "time": f"{local(instant.stamp_us, place.zone):%Y%m%d%H%M%S}",
                "gwSN": gateway,
                "meterSN": meter.code,
                "meterStatus": "normal",
                "ch": 0,
                "ct": meter.ct,
                "pt": meter.pt,
            }
            body |= {_FIELDS[key]: value for key, value in instant.values.items()}
            messages.append(message(topic, body, instant))
        return messages

    return encode
