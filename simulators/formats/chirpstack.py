"""ChirpStack v4: uplinks of LoRaWAN devices, from its page on event types.

The codec of the device profile has named the values by keys of docs/wire.md. The
meter's code stands where the devEui would.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import blake2b
from uuid import UUID

from simulators.formats.common import Encode, Place, each, message, raw
from simulators.meter import Message, Shown


def carried(keys: Iterable[str]) -> list[str]:
    """All."""
    return list(keys)


def encoder(place: Place) -> Encode:
    """Return how to write one uplink for each instant."""

    def encode(shown: Shown) -> list[Message]:
        meter = shown.meter
        topic = f"{raw(meter, place)}/application/1/device/{meter.code}/event/up"
        messages = []
        for instant in each(shown, carried(shown.values)):
            number = instant.stamp_us // 1_000_000 // meter.cadence_s
            name = f"{meter.code}/{instant.stamp_us}".encode()
            body = {
                "deduplicationId": str(
                    UUID(bytes=blake2b(name, digest_size=16).digest())
                ),
                "time": _written(instant.stamp_us),
                "deviceInfo": {
                    "applicationName": place.park,
                    "deviceName": meter.code,
                    "devEui": meter.code,
                },
                "fCnt": number % 2**16,
                "fPort": 2,
                "confirmed": False,
                "data": "AA==",
                "object": instant.values,
            }
            messages.append(message(topic, body, instant))
        return messages

    return encode


def _written(stamp_us: int) -> str:
    second, microsecond = divmod(stamp_us, 1_000_000)
    clock = datetime.fromtimestamp(second, UTC)
    return f"{clock:%Y-%m-%dT%H:%M:%S}.{microsecond:06}000+00:00"
