"""A server that answers NATS and not JetStream costs a plan one question, however many streams there are."""

from __future__ import annotations

import time

import pytest

from tests.support.mute_server import mute_server
from tests.support.stream_provider import failures, props, provider

pytestmark = pytest.mark.usefixtures("own_process")

STREAMS = 12
LONGEST_S = 15.0


def test_a_plan_of_many_streams(capsys: pytest.CaptureFixture[str]) -> None:
    """One question for all of them, and a sentence that says what the silence probably is."""
    with mute_server() as url:
        started = time.monotonic()
        for number in range(STREAMS):
            read = provider().read(f"S{number}", props(url, f"S{number}"))
            assert "its JetStream does not" in (read.outs or {})["status"]
            assert [] == failures(props(url, f"S{number}"))
        assert time.monotonic() - started < LONGEST_S
    assert "a cluster without a leader" in capsys.readouterr().err
