"""What a terminal shows of a run."""

import io
import json
import os
import sys
import termios
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from simulators.view import State, line, render, status, viewing

NOW = datetime(2026, 3, 10, 14, 45, tzinfo=ZoneInfo("Asia/Shanghai"))
STATE = State(
    park="demo",
    at=NOW,
    speed=60.0,
    readings=1_234_567,
    readings_per_s=20480.4,
    messages=4321,
    acknowledged=4300,
    waiting=21,
    done=0.257,
    faults=(
        ("gap", "GW3", NOW + timedelta(hours=2)),
        ("spike", "E03-M1", None),
        *(("late", f"E{n:02}-M1", NOW) for n in range(10, 20)),
    ),
    power_kw=5100.0,
    contract_kw=5000.0,
    enterprises=tuple((f"E{n:02}", 1000.0 - 50 * n) for n in range(1, 12)),
    answers=(("trip E07 chiller for 20 min", "1 load of E07 is off until 15:05"),),
)


def text(state: State, width: int) -> str:
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(render(state, width))
    return console.export_text()


@pytest.mark.parametrize("width", [100, 60])
def test_all_is_shown_and_nothing_is_wider(width: int) -> None:
    shown = text(STATE, width)
    assert max(map(len, shown.splitlines())) <= width
    for words in (
        "demo",
        "2026-03-10 14:45:00",
        "x60",
        "25.7%",
        "20,480",
        "1,234,567",
        "4,321",
        "4,300",
        "21",
        "gap GW3",
        "until 10 16:45",
        "and 6 more",
        "5,100 kW",
        "102% of 5,000 kW",
        "E01",
        "950 kW",
        "> trip E07 chiller for 20 min",
    ):
        assert words in shown, words
    assert "E07  " not in shown  # the first six of the enterprises


def test_wide_has_two_columns_and_narrow_one() -> None:
    assert len(text(STATE, 100).splitlines()) < len(text(STATE, 60).splitlines())


@pytest.mark.parametrize("width", [100, 60])
def test_little_is_known_at_first(width: int) -> None:
    shown = text(State(park="demo", at=NOW, speed=1.0), width)
    assert "kW" not in shown
    assert "%" not in shown


def test_a_state_is_what_it_shows() -> None:
    assert text(STATE, 100) == text(replace(STATE), 100)


def test_one_line() -> None:
    assert line(STATE) == (
        "2026-03-10 14:45:00, 25.7%, x60, 1234567 readings, 20480/s, "
        "4300 of 4321 acknowledged, 21 waiting, 12 faults, 5100 kW"
    )


def test_headless_prints_a_line_now_and_then() -> None:
    out = io.StringIO()
    with viewing(Console(file=out, width=60), every_s=3600) as view:
        view(STATE)
        view(STATE)
    assert out.getvalue() == line(STATE) + "\n"
    out = io.StringIO()
    with viewing(Console(file=out), headless=True, every_s=0) as view:
        view(STATE)
        view(STATE)
    assert out.getvalue().count("\n") == 2


def test_a_terminal_shows_the_last_state() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100, height=40)
    with viewing(console) as view:
        view(STATE)
        view(replace(STATE, park="after"))
    assert "after" in out.getvalue()


def test_what_is_typed_is_not_written_into_the_view(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    master, slave = os.openpty()

    def echoes() -> bool:
        return bool(termios.tcgetattr(slave)[3] & termios.ECHO)

    with open(slave, closefd=False) as keys:
        monkeypatch.setattr(sys, "stdin", keys)
        console = Console(file=io.StringIO(), force_terminal=True, width=100)
        assert echoes()
        with viewing(console) as view:
            view(STATE)
            assert not echoes()
        assert echoes()
        with viewing(console, headless=True):
            assert echoes()
    os.close(master)
    os.close(slave)


def test_what_is_tripped_is_shown_and_told() -> None:
    until = NOW + timedelta(minutes=20)
    state = replace(STATE, tripped=(("E07", "chiller", until),))
    assert "trip E07 chiller" in text(state, 100)
    assert "until 10 15:05" in text(state, 100)
    told = status(state)
    assert told["tripped"] == [
        {"enterprise": "E07", "load": "chiller", "until": "2026-03-10T15:05:00+08:00"}
    ]
    assert told["silenced"] == ["GW3"]
    assert told["faults"][1] == {"kind": "spike", "subject": "E03-M1", "until": None}
    assert (told["at"], told["speed"], told["readings"], told["waiting"]) == (
        *("2026-03-10T14:45:00+08:00", 60.0, 1_234_567),
        21,
    )
    assert json.loads(json.dumps(told)) == told
