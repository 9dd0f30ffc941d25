"""Mosquitto's configuration, made at one place: plain for the loopback, or with TLS."""

from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path, PurePath
from typing import NamedTuple

from ingest.formats.native import PREFIX
from ingest.topics import RAW
from store.errors import Invalid
from store.registry import is_code

INGEST = "parkwatt-ingest"
PROBE = "parkwatt/probe"  # topics of the check at start, see ingest.probing
CONF, ACL = "mosquitto.conf", "acl"

# A comment must start its line: the parser knows no others.
_KEPT = """\
# the queue is written as a whole by the timer; with autosave_on_changes it would be
# rewritten at every message. What waits here at a crash may lose these seconds, so
# gateways keep a batch until it is acknowledged on their ack topic
persistence true
persistence_location {state}/
autosave_interval 5
persistent_client_expiration 30d
# room for an outage: the default of 1000 drops silently, and 0 is no safe "unlimited".
# A million waiting readings take about 0.5 GB of memory
max_queued_messages 1000000
max_inflight_messages 2000
# above what ingest reads, so that a payload too large is kept there with its reason
max_packet_size 1048576
"""
_PLAIN = """\
# Mosquitto for one machine: no sign-in, so it listens on the loopback only.
{user}listener {port} {host}
allow_anonymous true

{kept}
log_dest stderr
log_type error
log_type warning
log_type notice
connection_messages false
"""
_SECURED = """\
# Mosquitto for production: TLS, a certificate for each client, queues that outlast an
# outage. Made by `parkwatt broker-config`; make it anew rather than change it.
#
# The broker's own certificate names the host that clients connect to. The common name
# of a client's certificate is its user name, its client id and its entry in the acl.
per_listener_settings false

listener {port}{host}
protocol mqtt
cafile {certs}/ca.pem
certfile {certs}/broker.pem
keyfile {certs}/broker.key
tls_version tlsv1.2
require_certificate true
use_identity_as_username true
# one session per certificate: nobody takes over another's by naming its client id. A
# second ingest therefore needs a certificate of its own
use_username_as_clientid true
max_connections 12000

allow_anonymous false
acl_file {acl}

{kept}max_keepalive 300

# watch $SYS/broker/publish/messages/dropped: it must stay at 0
sys_interval 10
log_dest stderr
log_type error
log_type warning
log_type notice
"""
_INGEST = """\
user {name}
topic read {prefix}#
topic write {prefix}+/+/+/ack
# the check at start: its own topic, and what the broker says of itself
topic readwrite {probe}/#
topic read $SYS/broker/#
"""
_GATEWAY = """\
user {gateway.name}
topic write {prefix}{gateway.park}/{gateway.enterprise}/+/readings
topic write {prefix}{gateway.park}/{gateway.enterprise}/{gateway.code}/batch
topic write {prefix}{gateway.park}/{gateway.enterprise}/{raw}/#
topic read {prefix}{gateway.park}/{gateway.enterprise}/{gateway.code}/ack
"""


class Gateway(NamedTuple):
    """Who may write for an enterprise."""

    name: str  # common name of its certificate
    park: str
    enterprise: str
    code: str  # its level in the topics of batches and acks


def gateway(text: str) -> Gateway:
    """Read NAME=park/enterprise, or NAME=park/enterprise/gateway.

    Without the last part the gateway's code is its name.

    Raises
    ------
    Invalid
        When a part is missing or is no code: a name with + or # would open topics of
        others.
    """
    name, _, topic = text.partition("=")
    levels = topic.split("/")
    if len(levels) == 2:
        levels.append(name)
    if len(levels) != 3:
        raise Invalid(f"gateway {text[:200]!r}: write NAME=park/enterprise")
    for each in (name, *levels):
        if not is_code(each):
            raise Invalid(
                f"gateway {text[:200]!r}: {each[:70]!r} is not 1-64 letters, digits, "
                "dots, _ or -"
            )
    if levels[2] == RAW:
        raise Invalid(
            f"gateway {text[:200]!r}: topics below {RAW} are foreign devices'"
        )
    return Gateway(name, *levels)


def plain(*, port: int, state: PurePath, host: str = "127.0.0.1", root: bool) -> str:
    """Give the configuration of a broker without sign-in.

    Parameters
    ----------
    state
        Folder of the queue.
    root
        Whether it stays root, since the folder may lie below one that only root enters.

    Raises
    ------
    Invalid
        When `host` is no loopback address.
    """
    if not _loopback(host):
        raise Invalid(f"{host}: a broker without sign-in listens on the loopback only")
    return _PLAIN.format(
        user="user root\n" if root else "",
        port=port,
        host=host,
        kept=_KEPT.format(state=state),
    )


def secured(
    *, port: int, certs: PurePath, acl: PurePath, state: PurePath, host: str = ""
) -> str:
    """Give the configuration of a broker with TLS and client certificates.

    Parameters
    ----------
    certs
        Folder of ca.pem, broker.pem and broker.key, as the broker sees it.
    acl
        The file that `access` makes, as the broker sees it.
    state
        Folder of the queue; the broker must be able to write there.
    host
        Address to listen on; empty: all.
    """
    return _SECURED.format(
        port=port,
        host=f" {host}" if host else "",
        certs=certs,
        acl=acl,
        kept=_KEPT.format(state=state),
    )


def access(gateways: Iterable[Gateway], ingests: Iterable[str] = (INGEST,)) -> str:
    """Give the access list: each gateway below its enterprise's topics only.

    Its entries are written out: a `pattern` could put the user's name into a topic, but
    not the park and the enterprise that belong to it.

    Raises
    ------
    Invalid
        When a name stands twice, as Mosquitto would take the entries together, or a
        name is no code.
    """
    parts = [
        "# Made by `parkwatt broker-config`. Parkwatt reads all, answers batches.\n"
    ]
    seen: set[str] = set()
    for name in ingests:
        _once(name, seen)
        parts.append(_INGEST.format(name=name, prefix=PREFIX, probe=PROBE))
    parts.append(
        "# Gateways: their enterprise's meters, their own batches, and answers to them.\n"
    )
    for each in gateways:
        _once(each.name, seen)
        parts.append(_GATEWAY.format(gateway=each, prefix=PREFIX, raw=RAW))
    return "\n".join(parts)


def write(folder: Path, texts: dict[str, str], *, force: bool) -> list[Path]:
    """Write the files; none where one of them is there already.

    Raises
    ------
    Invalid
        When a file exists and may not be replaced, or cannot be written.
    """
    paths = {folder / name: text for name, text in texts.items()}
    for path in paths:
        if path.exists() and not force:
            raise Invalid(f"{path} is there already; --force replaces it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in paths.items():
            path.write_text(text, "utf-8")
    except OSError as error:
        raise Invalid(f"cannot write the broker's configuration: {error}") from error
    return list(paths)


def _once(name: str, seen: set[str]) -> None:
    if not is_code(name):
        raise Invalid(f"{name[:70]!r} is not 1-64 letters, digits, dots, _ or -")
    if name in seen:
        raise Invalid(
            f"{name} is named twice: each client has a certificate of its own"
        )
    seen.add(name)


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
