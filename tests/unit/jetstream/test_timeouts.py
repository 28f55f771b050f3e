"""Timeouts from the environment."""

from __future__ import annotations

import pytest

from provisioner.jetstream.timeouts import seconds


@pytest.mark.parametrize(("text", "expected"), [(None, 5.0), ("", 5.0), ("0.5", 0.5), ("20", 20.0)])
def test_seconds(text: str | None, expected: float, capsys: pytest.CaptureFixture[str]) -> None:
    """A variable that is not set, or empty, leaves the default."""
    assert expected == seconds("STREAMS_X", 5.0, {} if text is None else {"STREAMS_X": text})
    assert "" == capsys.readouterr().err


@pytest.mark.parametrize("text", ["soon", "0", "-1", "nan", "inf", "5s"])
def test_not_seconds(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Of any other value there is one line, and the default is used."""
    assert 5.0 == seconds("STREAMS_X", 5.0, {"STREAMS_X": text})
    assert f"STREAMS_X: '{text}' is not a number of seconds above 0; 5 is used\n" == capsys.readouterr().err
