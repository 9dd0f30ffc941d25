"""Live control of a run, by HTTP on loopback and by lines from the keyboard.

A run asks for what was said between two of its ticks (`Control.handle`), so nothing of
it needs a lock. docs/simulator_score.md lists the commands.
"""

import ipaddress
import queue
import re
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from simulators.errors import SimulatorError
from simulators.faults import LONGEST_S

WORDS = {
    "trip": "trip ENTERPRISE PART [for TIME]: a load falls to 0, such as trip E07 chiller",
    "silence": "silence METER|GATEWAY [for TIME]: nothing arrives from it",
    "status": "status: how the run goes",
    "help": "help: these words, and those of the run's faults",
    "stop": "stop: end the run after this tick",
}
ANSWER_S = 10.0  # for an answer; a tick may take longer
_KEPT = 5  # answers for the view
_BODY_BYTES = 4096
_UNITS_S = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86400),
}
_LINE = re.compile(
    r"(?P<word>[a-z]\w*)(?:\s+(?P<subject>[A-Za-z0-9._-]+))?"
    r"(?:\s+(?P<part>(?!for\b)[a-z_]+))?"
    r"(?:\s+(?:for\s+)?(?P<number>\d+)\s*(?P<unit>[a-z]+))?"
)
# trip the chiller of E07, silence gateway 3, silence the gateway E03-GW
_IN_WORDS = (
    (re.compile(r"^trip (?:the )?([a-z_]+) of (\S+)"), r"trip \2 \1"),
    (re.compile(r"^(\w+) (?:the )?gateway (\d+)\b"), r"\1 gateway-\2"),
    (re.compile(r"^(\w+) (?:the )?gateway (?=\S)"), r"\1 "),
)


@dataclass(frozen=True, kw_only=True)
class Command:
    """What somebody wants of a run.

    Attributes
    ----------
    word : str
        trip, silence, status, or a kind of fault.
    subject : str, optional
        Code of an enterprise, meter or gateway.
    part : str, optional
        Of a trip: the load.
    lasts_s : int, optional
        In simulated time.
    """

    word: str
    subject: str | None = None
    part: str | None = None
    lasts_s: int | None = None

    @property
    def line(self) -> str:
        """The command in words, its time in whole minutes."""
        words = [self.word, self.subject, self.part]
        if self.lasts_s is not None:
            words.append(f"for {-(-self.lasts_s // 60)} min")
        return " ".join(word for word in words if word)


def parse(line: str, faults: Iterable[str] = ()) -> Command:
    """Read a command.

    Parameters
    ----------
    line : str
        Such as ``trip E07 chiller for 20 min``.
    faults : iterable of str
        Kinds of fault that are words too.

    Raises
    ------
    SimulatorError
        If it is none, with the words that are.
    """
    said = " ".join(line.split())
    for pattern, plainly in _IN_WORDS:
        said = pattern.sub(plainly, said)
    found = _LINE.fullmatch(said)
    known = {*WORDS, *faults}
    if found is None or found["word"] not in known:
        raise SimulatorError(
            f"{line.strip()[:70]!r} is no command: use one of {', '.join(sorted(known))}"
        )
    command = Command(
        word=found["word"],
        subject=found["subject"],
        part=found["part"],
        lasts_s=_lasts_s(found["number"], found["unit"]),
    )
    alone = command.word in ("status", "help", "stop")
    if alone and command != Command(word=command.word):
        raise SimulatorError(f"{command.word} stands alone")
    if not alone and command.subject is None:
        raise SimulatorError(f"{command.word} what? Name a code, such as E07")
    if (command.word == "trip") != (command.part is not None):
        raise SimulatorError(
            "a trip names an enterprise and a part of it, as in trip E07 chiller; "
            "other commands name one code"
        )
    return command


def _lasts_s(number: str | None, unit: str) -> int | None:
    if number is None:
        return None
    if unit not in _UNITS_S:
        raise SimulatorError(f"{unit!r} is no unit of time: use one of s, min, h, d")
    # no longer number can be meant, and int() itself refuses very long ones
    lasts_s = int(number[:12]) * _UNITS_S[unit]
    if not 0 < lasts_s <= LONGEST_S:
        raise SimulatorError(
            f"for {number[:12]} {unit}: a command lasts at least 1 s and at most "
            f"{LONGEST_S // 86400} d"
        )
    return lasts_s


class Control:
    """Commands on their way to a run, and its answers.

    Parameters
    ----------
    stop : threading.Event
        Set by ``stop``.
    faults : iterable of str
        Kinds of fault that are words too.
    """

    def __init__(self, stop: threading.Event, faults: Iterable[str] = ()) -> None:
        self.stop = stop
        self.answers: deque[tuple[str, str]] = deque(maxlen=_KEPT)
        self._faults = tuple(faults)
        self._waiting: queue.SimpleQueue[tuple[Command, Future[str]]] = (
            queue.SimpleQueue()
        )

    def ask(self, line: str, timeout_s: float = ANSWER_S) -> str | None:
        """Say a line to the run and wait for its answer; from any thread.

        Returns
        -------
        str or None
            What happened; None: the run has taken it and not come to it yet.

        Raises
        ------
        SimulatorError
            If it is no command, or the run refuses it.
        """
        try:
            answer = self._ask(line, timeout_s)
        except SimulatorError as error:
            self.answers.append((line.strip(), f"refused: {error}"))
            raise
        self.answers.append((line.strip(), answer or "taken"))
        return answer

    def handle(self, apply: Callable[[Command], str]) -> int:
        """Do all that was said; the run calls this between two ticks.

        Parameters
        ----------
        apply : callable
            Does a command and tells what happened, or raises SimulatorError.

        Returns
        -------
        int
            How many commands there were.
        """
        done = 0
        while True:
            try:
                command, answer = self._waiting.get_nowait()
            except queue.Empty:
                return done
            done += 1
            try:
                answer.set_result(apply(command))
            except SimulatorError as error:
                answer.set_exception(error)

    def _ask(self, line: str, timeout_s: float) -> str | None:
        command = parse(line, self._faults)
        if command.word == "stop":
            self.stop.set()
            return "the run ends after this tick"
        if command.word == "help":
            faults = ", ".join(self._faults)
            return "\n".join(
                (*WORDS.values(), f"faults: FAULT METER [for TIME]: {faults}")
            )
        answer: Future[str] = Future()
        self._waiting.put((command, answer))
        try:
            return answer.result(timeout_s)
        except TimeoutError:
            return None


def keyboard(
    control: Control, lines: Iterable[str], say: Callable[[str], None]
) -> threading.Thread:
    """Read commands from lines, such as ``sys.stdin``, in a thread of its own."""

    def read() -> None:
        for line in lines:
            if not line.strip():
                continue
            try:
                say(control.ask(line) or "taken; it is done at the next tick")
            except SimulatorError as error:
                say(str(error))
            if control.stop.is_set():
                return

    thread = threading.Thread(target=read, name="keyboard", daemon=True)
    thread.start()
    return thread


@contextmanager
def listening(
    control: Control,
    status: Callable[[], Mapping[str, object]],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
) -> Iterator[str]:
    """Take commands by HTTP while a block runs; give the address.

    Parameters
    ----------
    status : callable
        How the run goes, as JSON can say it.
    host : str
        A loopback address: there is no sign-in.
    port : int
        0: any that is free.

    Raises
    ------
    SimulatorError
        If the host is not loopback, or the port is taken.
    """
    import uvicorn  # starts slowly: here alone

    if not _is_loopback(host):
        raise SimulatorError(f"control listens on loopback only, not on {host}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        taken = socket.create_server((host, port), family=family)
    except OSError as error:
        raise SimulatorError(
            f"control cannot listen on {host}:{port}: {error.strerror}; choose another "
            "port"
        ) from error
    config = uvicorn.Config(
        application(control, status),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([taken],), name="control")
    with taken:
        thread.start()
        try:
            name = f"[{host}]" if ":" in host else host
            yield f"http://{name}:{taken.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def application(
    control: Control, status: Callable[[], Mapping[str, object]]
) -> Starlette:
    """Return the routes: ``GET /``, ``GET /status`` and ``POST /commands``."""

    async def words(_: Request) -> Response:
        return PlainTextResponse(control.ask("help") or "")

    async def how(_: Request) -> Response:
        return JSONResponse(dict(status()))

    async def command(request: Request) -> Response:
        try:
            line = (await request.json())["line"]
        except (ValueError, KeyError, TypeError):
            line = None
        if not isinstance(line, str):
            return _refused(422, "invalid", 'send {"line": "trip E07 chiller"}')
        try:
            answer = await run_in_threadpool(control.ask, line)
        except SimulatorError as error:
            return _refused(422, "refused", str(error))
        if answer is None:
            return JSONResponse({"answer": None, "taken": True}, 202)
        return JSONResponse({"answer": answer, "taken": True})

    return Starlette(
        routes=[
            Route("/", words),
            Route("/status", how),
            Route("/commands", command, methods=["POST"]),
        ],
        middleware=[Middleware(_OwnSite)],
    )


class _OwnSite:
    """Answers programs on this machine, and no page of another site.

    A foreign page whose name was made to point here (DNS rebinding) sends its own name
    as the host; one that merely posts here says its origin, and cannot send JSON.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            refused = _refusal(Request(scope))
            if refused is not None:
                await refused(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _refusal(request: Request) -> Response | None:
    headers = request.headers
    host = headers.get("host", "")
    if not _is_loopback(_name(host)):
        return _refused(400, "host_refused", "use the address, 127.0.0.1")
    own = headers.get("origin") in (None, f"http://{host}")
    if not own or headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        return _refused(403, "cross_site", "another site asked")
    if request.method in ("GET", "HEAD"):
        return None
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        return _refused(415, "not_json", "send Content-Type: application/json")
    length = headers.get("content-length", "")
    if not length.isdecimal() or int(length[:12]) > _BODY_BYTES:
        return _refused(413, "too_large", f"send at most {_BODY_BYTES} bytes")
    return None


def _refused(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
