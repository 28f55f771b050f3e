"""The log of the tools: off by default, each command with its time and outcome, no secret."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner import log as provisioner_log
from tools import log
from tools.subprocesses import ToolError, capture, run

SECRET = {"PULUMI_CONFIG_PASSPHRASE": "s3cret"}


@pytest.fixture(autouse=True)
def _off_afterwards() -> Iterator[None]:
    """Leave no log behind for other tests."""
    yield
    log.configure({})


def _lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [re.sub(r"^\S+ |\d+\.\d+ s", "", line) for line in capsys.readouterr().err.splitlines()]


def test_each_command_is_logged_with_its_outcome(capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code and the time are there; neither the environment nor what was printed is."""
    log.configure({"STREAMS_LOG": "debug"})

    capture(["sh", "-c", 'echo "$PULUMI_CONFIG_PASSPHRASE"'], timeout=30, cwd=Path("/"), env=os.environ | SECRET)
    with pytest.raises(ToolError):
        run("try", ["sh", "-c", "exit 3"], timeout=30)

    assert _lines(capsys) == [
        """DEBUG tools: sh -c 'echo "$PULUMI_CONFIG_PASSPHRASE"': starts""",
        """INFO tools: sh -c 'echo "$PULUMI_CONFIG_PASSPHRASE"': exit code 0 after """,
        "DEBUG tools: sh -c 'exit 3': starts",
        "INFO tools: sh -c 'exit 3': exit code 3 after ",
    ]


def test_nothing_is_logged_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    """Without the variable there is not a line."""
    log.configure({})

    capture(["true"], timeout=30, cwd=Path("/"), env=os.environ)

    assert _lines(capsys) == []


def test_an_unknown_level_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped level is told, and nothing is logged."""
    log.configure({"STREAMS_LOG": "loud"})

    assert capsys.readouterr().err == "STREAMS_LOG: 'loud' is not one of debug, info, warning; nothing is logged\n"


def test_the_variable_is_that_of_the_provider() -> None:
    """One variable turns both logs on, with the same levels."""
    assert (log.VARIABLE, log.LEVELS) == (provisioner_log.VARIABLE, provisioner_log.LEVELS)
