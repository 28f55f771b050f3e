"""A fault in the middle of up, update and destroy: nothing acknowledged is lost, and the next up is enough."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from provisioner.jetstream.client import JetStream
from tests.e2e.conftest import Project
from tests.support.faults.figures import Figures
from tests.support.faults.proxy import Proxy, proxied
from tests.support.faults.publisher import publishing
from tests.support.nats_server import NatsServer
from tests.support.waiting import until

KEPT = {"KEPT_A": "kept.a", "KEPT_B": "kept.b"}
SUBJECTS = {**KEPT, "GONE": "gone"}

# Command, the request in whose middle the fault comes, and the description the streams are to have.
STEPS = (
    ("up", "STREAM.CREATE.", "first"),
    ("up", "STREAM.UPDATE.", "second"),
    ("destroy", "STREAM.DELETE.", "second"),
)


@pytest.fixture
def proxy(server: NatsServer) -> Iterator[Proxy]:
    """Between the stack and the server; other clients talk to the server itself."""
    with proxied(server.ports[0]) as made:
        yield made


@dataclass(frozen=True)
class Fault:
    """What happens at a request, and what ends it."""

    happens: Callable[[NatsServer], object] = bool
    lose_answer: bool = False
    mend: Callable[[NatsServer], object] = bool


def _send(what: signal.Signals) -> Callable[[NatsServer], None]:
    def send(server: NatsServer) -> None:
        assert server.process
        server.process.send_signal(what)
        if what is signal.SIGSTOP:  # it goes on for a moment, in which it could answer
            stat = Path(f"/proc/{server.process.pid}/stat")
            until("the server has stopped", lambda: stat.read_text().rpartition(") ")[2].startswith("T"))

    return send


FAULTS = {
    "the server is killed": Fault(NatsServer.kill, lose_answer=True, mend=NatsServer.start),
    "the server is paused": Fault(_send(signal.SIGSTOP), mend=_send(signal.SIGCONT)),
    "the connection is cut before the answer": Fault(lose_answer=True),
}


def _wanted(description: str) -> dict[str, dict[str, object]]:
    policies = {name: "retain" if name in KEPT else "delete" for name in SUBJECTS}
    return {
        name: {"subjects": [subject], "description": description, "on_delete": policies[name]}
        for name, subject in SUBJECTS.items()
    }


def _descriptions(jetstream: JetStream) -> dict[str, object]:
    return {name: live.config["description"] for name, live in jetstream.streams().items()}


def _is_named(request: str, url: str, text: str) -> bool:
    """Whether a line names the request that was not answered, and each of the others the server that it was for."""
    errors = [line.partition("error: JetStreamError: ")[2] for line in text.splitlines() if "JetStreamError" in line]
    unanswered = rf"(no answer to|the connection was lost before the answer to) \$JS\.API\.{re.escape(request)}"
    return all(url in error for error in errors) and any(re.search(unanswered, error) for error in errors)


@pytest.mark.parametrize("name", FAULTS)
def test_the_next_up_is_enough(
    name: str, server: NatsServer, proxy: Proxy, jetstream: JetStream, project: Project, figures: Figures
) -> None:
    """The command that meets the fault says so in a line; what it leaves half done, one up completes."""
    fault = FAULTS[name]
    project.configure(server="external", url=proxy.url, onDelete="delete", catalogue="streams.yaml")
    with publishing(server.url, SUBJECTS) as publisher:
        for command, request, description in STEPS:
            project.catalogue(**_wanted(description))
            trap = proxy.set(request, lambda: fault.happens(server), lose_answer=fault.lose_answer)
            said = project.pulumi(command, "--yes", "--skip-preview", STREAMS_REQUEST_TIMEOUT="1")
            fault.mend(server)
            figures.faults += trap.sprung
            assert trap.sprung, f"the fault never happened: {said.text}"
            assert said.code != 0, said.text
            assert _is_named(request, proxy.url, said.text), said.text
            assert "Traceback" not in said.text

            project.up()
            assert dict.fromkeys(SUBJECTS, description) == _descriptions(jetstream)
            publisher.wait_for_more()
            figures.count_lost(publisher.lost(jetstream))
            figures.converged += 1
        assert project.unchanged()
        figures.acknowledged = publisher.count
        figures.count_lost({stream: publisher.missing(jetstream, stream) for stream in KEPT})


def test_a_slow_server(
    server: NatsServer, proxy: Proxy, jetstream: JetStream, project: Project, figures: Figures
) -> None:
    """Every answer comes late, and every command succeeds all the same."""
    proxy.delay = 0.2
    project.configure(server="external", url=proxy.url, onDelete="delete", catalogue="streams.yaml")
    with publishing(server.url, SUBJECTS) as publisher:
        for description in ("first", "second"):
            project.catalogue(**_wanted(description))
            project.up()
            assert dict.fromkeys(SUBJECTS, description) == _descriptions(jetstream)
            figures.converged += 1
        publisher.wait_for_more()
        figures.faults = proxy.delays
        assert figures.faults, "no answer was late"
        figures.count_lost(publisher.lost(jetstream))
        project.destroy()
        assert KEPT.keys() == jetstream.streams().keys()
        figures.acknowledged = publisher.count
        figures.count_lost({stream: publisher.missing(jetstream, stream) for stream in KEPT})
