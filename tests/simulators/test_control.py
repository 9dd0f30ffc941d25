"""Commands, their way to a run, and who may send them."""

import json
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.control import WORDS, Command, Control, keyboard, listening, parse
from simulators.errors import SimulatorError

FAULTS = ("spike", "glitch", "gap", "late")
KNOWN = [[word] for word in (*WORDS, *FAULTS)]


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (
            "trip E07 chiller for 20 min",
            Command(word="trip", subject="E07", part="chiller", lasts_s=1200),
        ),
        (
            "trip the chiller of E07",
            Command(word="trip", subject="E07", part="chiller"),
        ),
        (
            "trip chiller of E07 for 20 min",
            Command(word="trip", subject="E07", part="chiller", lasts_s=1200),
        ),
        ("silence gateway 3", Command(word="silence", subject="gateway-3")),
        ("silence the gateway E03-GW", Command(word="silence", subject="E03-GW")),
        ("silence GW3 for 2h", Command(word="silence", subject="GW3", lasts_s=7200)),
        ("  spike   E03-M1 ", Command(word="spike", subject="E03-M1")),
        ("late E07-M1 1 d", Command(word="late", subject="E07-M1", lasts_s=86400)),
        ("trip E07 cooling", Command(word="trip", subject="E07", part="cooling")),
        ("gap E1 90s", Command(word="gap", subject="E1", lasts_s=90)),
        ("gap E1 for 366 days", Command(word="gap", subject="E1", lasts_s=31_622_400)),
        ("gap E1 for 5 minutes", Command(word="gap", subject="E1", lasts_s=300)),
        ("status", Command(word="status")),
        ("stop", Command(word="stop")),
    ],
)
def test_lines(line: str, command: Command) -> None:
    assert parse(line, FAULTS) == command


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "is no command: use one of gap, glitch"),
        ("explode E07", "is no command"),
        ("spike", "spike what"),
        ("trip E07", "as in trip E07 chiller"),
        ("silence GW3 chiller", "other commands name one code"),
        ("stop E07", "stands alone"),
        ("silence GW3 for ever", "is no command"),
        ("spike E03;drop", "is no command"),
        ("stuck E07", "is no command"),
        ("silence GW3 for 5 dogs", "'dogs' is no unit of time: use one of s, min, h"),
        ("trip E07 chiller for 0 min", "for 0 min: a command lasts at least 1 s"),
        ("silence E01-M1 for 999999 d", "for 999999 d: .* at most 366 d"),
        ("gap E1 for 367 days", "at most 366 d"),
        ("gap E1 " + 5000 * "9" + " s", "at most 366 d"),
    ],
)
def test_what_is_no_command(line: str, words: str) -> None:
    with pytest.raises(SimulatorError, match=words):
        parse(line, FAULTS)


@given(
    st.sampled_from(["silence", "spike", "trip"]),
    st.from_regex(r"[A-Z0-9][A-Za-z0-9._-]{0,9}", fullmatch=True),
    st.none() | st.integers(1, 10_000),
)
def test_a_command_in_words_is_read_the_same(
    word: str, subject: str, minutes: int | None
) -> None:
    command = Command(
        word=word,
        subject=subject,
        part="chiller" if word == "trip" else None,
        lasts_s=None if minutes is None else 60 * minutes,
    )
    assert parse(command.line, FAULTS) == command


@given(st.text(max_size=60).filter(lambda line: line.split()[:1] not in KNOWN))
def test_odd_lines_are_refused_in_words(line: str) -> None:
    with pytest.raises(SimulatorError, match=r"use one of \w+"):
        parse(line, FAULTS)


class Run:
    """Ticks until it is stopped, and does what it is told."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.control = Control(self.stop, FAULTS)
        self.done: list[Command] = []
        self._thread = threading.Thread(target=self._tick)

    def __enter__(self) -> "Run":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self._thread.join()

    def _tick(self) -> None:
        while not self.stop.wait(0.005):
            self.control.handle(self._do)

    def _do(self, command: Command) -> str:
        if command.subject == "E99":
            raise SimulatorError("no enterprise 'E99' in the park")
        self.done.append(command)
        return f"{command.line}: done"


def test_a_run_answers_between_its_ticks() -> None:
    with Run() as run:
        assert run.control.ask("spike E03-M1") == "spike E03-M1: done"
        with pytest.raises(SimulatorError, match="no enterprise 'E99'"):
            run.control.ask("trip E99 chiller")
        assert "trip E07 chiller" in (run.control.ask("help") or "")
        assert run.done == [Command(word="spike", subject="E03-M1")]
        assert run.control.ask("stop") == "the run ends after this tick"
        assert run.stop.is_set()
    assert [line for line, _ in run.control.answers] == [
        "spike E03-M1",
        "trip E99 chiller",
        "help",
        "stop",
    ]
    assert run.control.answers[1][1].startswith("refused: no enterprise")


def test_a_busy_run_has_taken_it() -> None:
    control = Control(threading.Event(), FAULTS)
    assert control.ask("spike E03-M1", timeout_s=0.01) is None
    seen: list[Command] = []

    def do(command: Command) -> str:
        seen.append(command)
        return "done"

    assert control.handle(do) == 1
    assert seen == [Command(word="spike", subject="E03-M1")]
    assert control.handle(lambda _: "nothing") == 0


def test_keyboard() -> None:
    said: list[str] = []
    with Run() as run:
        lines = ["\n", "spike E03-M1\n", "dance\n", "stop\n", "spike E03-M2\n"]
        keyboard(run.control, lines, said.append).join(10)
    assert said[0] == "spike E03-M1: done"
    assert "'dance' is no command" in said[1]
    assert said[2:] == ["the run ends after this tick"]


@pytest.fixture
def run() -> Iterator[tuple[Run, httpx.Client]]:
    with (
        Run() as made,
        listening(made.control, lambda: {"power_kw": 812.5}) as address,
        httpx.Client(base_url=address, timeout=10) as client,
    ):
        yield made, client


def test_by_http(run: tuple[Run, httpx.Client]) -> None:
    made, client = run
    answer = client.post("/commands", json={"line": "silence GW3 for 2 h"})
    assert (answer.status_code, answer.json()["taken"]) == (200, True)
    assert answer.json()["answer"] == "silence GW3 for 120 min: done"
    assert made.done[0].lasts_s == 7200
    assert client.get("/status").json() == {"power_kw": 812.5}
    assert all(words in client.get("/").text for words in WORDS.values())
    refused = client.post("/commands", json={"line": "trip E99 chiller"})
    assert refused.status_code == 422
    assert "no enterprise" in refused.json()["error"]["message"]
    for body in (b"[]", b"{", b'{"line": 7}', json.dumps({}).encode()):
        bad = client.post(
            "/commands", content=body, headers={"Content-Type": "application/json"}
        )
        assert (bad.status_code, bad.json()["error"]["code"]) == (422, "invalid")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 400),
        ({"Host": "127.0.0.1.evil.example"}, 400),
        ({"Host": ""}, 400),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Content-Type": "text/plain"}, 415),
    ],
)
def test_other_sites_are_refused(
    run: tuple[Run, httpx.Client], headers: dict[str, str], status: int
) -> None:
    made, client = run
    body = b'{"line": "stop"}'
    own = {"Content-Type": "application/json"}
    answer = client.post("/commands", content=body, headers=own | headers)
    assert answer.status_code == status
    assert not made.stop.is_set()
    if status != 415:
        assert client.get("/status", headers=headers).status_code == status


def test_a_long_body_is_refused(run: tuple[Run, httpx.Client]) -> None:
    _, client = run
    assert client.post("/commands", json={"line": "x" * 5000}).status_code == 413


def test_its_own_page_may(run: tuple[Run, httpx.Client]) -> None:
    _, client = run
    own = str(client.base_url).rstrip("/")
    headers = {"Origin": own, "Sec-Fetch-Site": "same-origin"}
    answer = client.post("/commands", json={"line": "status"}, headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "example.org", ""])
def test_it_listens_on_loopback_only(host: str) -> None:
    control = Control(threading.Event())
    with (
        pytest.raises(SimulatorError, match="loopback only"),
        listening(control, dict, host=host),
    ):
        pass


def test_a_taken_port_is_named() -> None:
    control = Control(threading.Event())
    with listening(control, dict) as address:
        port = int(address.rpartition(":")[2])
        with (
            pytest.raises(SimulatorError, match="choose another port"),
            listening(control, dict, port=port),
        ):
            pass


def test_it_ends_soon() -> None:
    control = Control(threading.Event())
    with listening(control, dict) as address:
        assert httpx.get(f"{address}/status").json() == {}
        began = time.monotonic()
    assert time.monotonic() - began < 3
