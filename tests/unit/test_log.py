"""What is logged, and what is not."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from provisioner import log


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """No test leaves the log on."""
    log.reset()
    yield
    log.reset()


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("debug", ["debug", "info", "warning"]),
        ("INFO", ["info", "warning"]),
        ("warning", ["warning"]),
        ("", []),
        (None, []),
    ],
)
def test_levels(level: str | None, shown: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Off by default; from the level that is named, a line each on standard error."""
    log.configure({} if level is None else {"STREAMS_LOG": level})
    logger = logging.getLogger("provisioner.some.module")
    for name in log.LEVELS:
        logger.log(logging.getLevelNamesMapping()[name.upper()], "a message")
    lines = capsys.readouterr().err.splitlines()
    assert [f"{name.upper()} provisioner.some.module: a message" for name in shown] == [
        line.split(" ", 1)[1] for line in lines
    ]


def test_a_wrong_level(capsys: pytest.CaptureFixture[str]) -> None:
    """One clear warning, however often it is configured."""
    for _ in range(2):
        log.configure({"STREAMS_LOG": "loud"})
    assert "STREAMS_LOG: 'loud' is not one of debug, info, warning; nothing is logged\n" == capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nats://host:4222", "nats://host:4222"),
        ("nats://ann:s3cret@host:4222", "nats://***@host:4222"),
        ("nats://t0ken@a,tls://u:p/w@b", "nats://***@b"),
    ],
)
def test_redacted(text: str, expected: str) -> None:
    """Whatever stands before an @ in a URL is hidden."""
    assert expected == log.redacted(text)
