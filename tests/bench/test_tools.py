"""A bar that is missed fails the run."""

import json

import pytest

from tests.bench import tools


def test_a_missed_bar_is_told_and_fails_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tools, "MISSED", [])
    tools.emit("book", 0.99, "s", "< 1")
    tools.emit("rate", 15_000, "readings/s", ">= 15000")
    tools.emit("no bar", 5, "s")
    assert tools.verdict() == 0
    tools.emit("book", 1.0, "s", "< 1")
    assert tools.verdict() == 1
    said = capsys.readouterr()
    lines = [json.loads(each) for each in said.out.splitlines()]
    assert [each.get("held") for each in lines] == [True, True, None, False]
    assert said.err == "MISSED book: 1 s, the bar is < 1\n"
