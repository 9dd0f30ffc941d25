"""Tasmota: `tele/{topic}/SENSOR` with the object ENERGY, from its documentation.

Energy in kWh, power in W; the time is local and has no zone. What is not measured is
left out.
"""

from collections.abc import Iterable

from simulators.formats.common import Encode, Place, each, local, message, raw, times
from simulators.meter import Message, Shown

# name, factor from the key's unit, decimals
_FIELDS = {
    "energy_import_kwh": ("Total", 1, 5),
    "energy_export_kwh": ("ExportActive", 1, 5),
    "power_kw": ("Power", 1000, 1),
    "apparent_power_kva": ("ApparentPower", 1000, 1),
    "reactive_power_kvar": ("ReactivePower", 1000, 1),
    "power_factor": ("Factor", 1, 4),
    "frequency_hz": ("Frequency", 1, 4),
    "voltage_v": ("Voltage", 1, 4),
    "current_a": ("Current", 1, 4),
}


def carried(keys: Iterable[str]) -> list[str]:
    """Those of one electricity meter without phases."""
    return [key for key in keys if key in _FIELDS]


def encoder(place: Place) -> Encode:
    """Return how to write one message for each instant."""

    def encode(shown: Shown) -> list[Message]:
        topic = f"{raw(shown.meter, place)}/tele/{shown.meter.code}/SENSOR"
        messages = []
        for instant in each(shown, carried(shown.values)):
            energy = {
                _FIELDS[key][0]: times(value, *_FIELDS[key][1:])
                for key, value in instant.values.items()
                if value is not None
            }
            clock = local(instant.stamp_us, place.zone).replace(tzinfo=None)
            body = {"Time": clock.isoformat(), "ENERGY": energy}
            messages.append(message(topic, body, instant))
        return messages

    return encode
