"""What every answer says about itself, and whose questions are answered at all."""

import ipaddress
import logging
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ours, problem

log = logging.getLogger(__name__)

SECURITY = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine and nothing else."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


BODY_BYTES = 65_536
FILE_BYTES = 4 << 20  # of a table that people fill in
# as with JSON, no form of a foreign page can send these
FILE_KINDS = (
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "text/csv",
)
READS = ("GET", "HEAD", "OPTIONS")


class SafeHeaders:
    """ASGI middleware: security headers, on unforeseen errors too; loopback names only.

    What changes something must be JSON (a file: a table) and come from our own page or from no page: no
    form of a foreign page can send JSON, and a browser names the page that asks.

    Without sign-in the address is the only wall: a foreign page whose name was made to
    point here (DNS rebinding) sends its own name as the host.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        begun = False

        async def safe(message: Message) -> None:
            nonlocal begun
            begun = True
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(SECURITY)
                fixed = scope["path"].startswith("/static/")
                headers.setdefault("Cache-Control", "no-cache" if fixed else "no-store")
            await send(message)

        host = Headers(scope=scope).get("host", "")
        if not is_loopback(_name(host)):
            words = "This server answers on loopback only; use its address, 127.0.0.1."
            await problem(400, "host_refused", words)(scope, receive, safe)
            return
        if scope["method"] not in READS:
            path = scope["path"]
            file = path.endswith("/file")
            # rows in JSON are as many as a small file has
            most = FILE_BYTES if file or path.endswith("/statements") else BODY_BYTES
            refused = _refusal(Headers(scope=scope), file=file, most=most)
            if refused is not None:
                await refused(scope, receive, safe)
                return
        try:
            await self._app(scope, receive, safe)
        except Exception:
            if begun:
                raise
            log.exception("%s", scope["path"])
            await ours()(scope, receive, safe)


def _refusal(headers: Headers, *, file: bool, most: int) -> JSONResponse | None:
    """Say why a request that would change something is not taken."""
    site = headers.get("sec-fetch-site", "same-origin")
    origin = headers.get("origin")
    host = headers.get("host")
    own = origin is None or origin in (f"http://{host}", f"https://{host}")
    if site not in ("same-origin", "none") or not own:
        words = "Another site asked for a change; only this server's own page may."
        return problem(403, "cross_site", words)
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if file and kind not in FILE_KINDS:
        words = f"Send the file with its Content-Type: {' or '.join(FILE_KINDS)}."
        return problem(415, "not_a_table", words)
    if not file and kind != "application/json":
        words = "Send JSON with the header Content-Type: application/json."
        return problem(415, "not_json", words)
    length = headers.get("content-length", "")
    if not length.isdecimal() or int(length[:12]) > most:
        words = f"Send a body of stated length, at most {most} bytes."
        return problem(413, "too_large", words)
    return None


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
