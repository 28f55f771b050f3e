"""`make drift` in a checkout: the server, the login and the catalogue are the stack's; Pulumi is stood in for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.checkout import Checkout
from tests.support.external_checkout import configure, external_checkout, made, program, state_of, write_state
from tests.support.nats_server import NatsServer, running

SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}
TOKEN = "s3cret"


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[NatsServer]:
    """A server that asks for a token."""
    with running(tmp_path / "nats", f"authorization {{ token: {TOKEN} }}") as server:
        yield server


@pytest.fixture
def copy(tmp_path: Path) -> Checkout:
    """A checkout whose stack is called mine; a pulumi that nobody should ask."""
    return external_checkout(tmp_path)


def drift(copy: Checkout, *words: str) -> tuple[int, list[str]]:
    """Its exit code and its lines, without make, which has one code for all failures."""
    return copy.run(f"python3 -m tools drift {' '.join(words)}")


def test_files_are_enough_where_nothing_is_secret(copy: Checkout, server: NatsServer) -> None:
    """Pulumi is not started; a stream that was made again since the last up shows by the state."""
    configure(copy, server)
    write_state(copy, state_of(server, made(copy, server), {}))
    code, lines = drift(copy)
    assert (0, "no drift: 1 stream and 0 consumers compared") == (code, lines[-1])

    made(copy, server)
    code, lines = drift(copy)
    assert 1 == code
    assert lines[-2].startswith("stream ORDERS  is not the stream of the last up: restored, or made again, at 20")


@pytest.mark.parametrize("outputs", [{}, {"credentials": SECRET}])
def test_pulumi_is_asked_for_a_secret(copy: Checkout, guarded: NatsServer, outputs: dict[str, Any]) -> None:
    """For the settings or the outputs, and for the state; the login is in no command line."""
    state = state_of(guarded, made(copy, guarded, token=TOKEN), {})
    configure(copy, guarded, **({} if outputs else {"token": "\n    secure: v1:x"}))
    write_state(copy, state_of(guarded, None, outputs))
    config = {"prediction-streams:token": {"value": TOKEN}, "prediction-streams:catalogue": {"value": "mine.yaml"}}
    answers = {
        "version": "v3.999.0",
        "stack ls": json.dumps([{"name": "mine", "current": True, "resourceCount": 2}]),
        "stack output": json.dumps({"url": guarded.url}),
        "stack export": json.dumps({"deployment": state}),
        "config --json": json.dumps(config),
    }
    cases = "".join(f"'{question}'*) echo '{answer}' ;;" for question, answer in answers.items())
    program(copy.folder.parent / "programs/pulumi", f'case "$1 $2" in {cases} esac')

    code, lines = drift(copy)
    assert (0, "no drift: 1 stream and 0 consumers compared") == (code, lines[-1])
    assert TOKEN not in "".join(lines)

    made(copy, guarded, token=TOKEN)
    assert 1 == drift(copy)[0]


@pytest.mark.parametrize("words", [(), ("--stack", "'x y'"), ("'--url'",)])
def test_what_cannot_be_told(copy: Checkout, server: NatsServer, words: tuple[str, ...]) -> None:
    """A stack that is not there, a name that is none and a mistyped option are not drift."""
    if words == ("'--url'",):
        configure(copy, server)
        write_state(copy, state_of(server, made(copy, server), {}))
    code, lines = drift(copy, *words)
    assert (64 if words == ("'--url'",) else 2) == code, lines
