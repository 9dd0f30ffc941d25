"""What meters say on the wire: one file per format, one line in the registry.

Written from docs/wire.md, docs/formats.md and the makers' documentation alone.
"""

from simulators.errors import SimulatorError
from simulators.formats import acrel, chirpstack, native, shelly2, sparkplug, tasmota
from simulators.formats.common import Encode, Format, Place
from simulators.meter import Meter

__all__ = ["FORMATS", "Encode", "Format", "Place", "code_of", "named"]

FORMATS: dict[str, Format] = {
    "native": Format(native.encoder, native.carried, many=True),
    "tasmota": Format(tasmota.encoder, tasmota.carried),
    "shelly2": Format(shelly2.encoder, shelly2.carried),
    "acrel": Format(acrel.encoder, acrel.carried),
    "sparkplug": Format(
        sparkplug.encoder, sparkplug.carried, sparkplug.code_of, many=True, text=False
    ),
    "chirpstack": Format(chirpstack.encoder, chirpstack.carried),
}


def named(name: str) -> Format:
    """Find a format.

    Raises
    ------
    SimulatorError
        If there is none of this name.
    """
    if name not in FORMATS:
        raise SimulatorError(f"unknown format {name!r}: it is one of {list(FORMATS)}")
    return FORMATS[name]


def code_of(meter: Meter, place: Place) -> str:
    """Return the code under which the platform knows a meter."""
    return named(meter.format).code_of(meter, place)
