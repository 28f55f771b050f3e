"""Whatever happens to a stream behind the stack's back is in the next plan, and undone by the next up."""

from __future__ import annotations

from typing import Any

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.monitoring import fetch
from provisioner.schema.config import with_fields
from provisioner.schema.model import StreamConfig
from provisioner.units import parse_duration
from tests.e2e.conftest import Project
from tests.support.nats_server import NatsServer
from tests.support.requests import recorded

# Stream -> what somebody changes, and how the plan shows it.
CHANGED: dict[str, tuple[dict[str, Any], str]] = {
    "SHORTER": ({"max_age": parse_duration("1d")}, '~ max_age  : "1d" => "7d"'),
    "DEFAULT": ({"retention": "interest"}, '~ retention: "interest" => "limits"'),
    "LIMITED": ({"max_msgs": 5}, '~ max_msgs : 5 => "unlimited"'),
    "SUBJECT": ({"subjects": ["SUBJECT.>", "more"]}, '- [1]: "more"'),
    "LABELLED": ({"metadata": {"by": "hand"}}, '- by: "hand"'),
    "BLOCK": ({"republish": None}, "+ republish: {"),
    "DESCRIBED": ({"description": "by hand"}, '- description: "by hand"'),
    "WINDOW": ({"duplicate_window": parse_duration("5m")}, '~ duplicate_window: "5m" => "2m"'),
}

# Settings the server completes, with defaults that depend on other fields or flags it turns on.
REWRITTEN: dict[str, dict[str, Any]] = {
    "MINUTE": {"subjects": ["minute"], "max_age": "1m"},
    "MARKERS": {"subjects": ["markers"], "subject_delete_marker_ttl": "1m"},
    "SCHEDULES": {"subjects": ["schedules"], "allow_msg_schedules": True},
    "COPY": {"mirror": {"name": "MINUTE"}},
    "GATHERED": {"sources": [{"name": "MINUTE", "opt_start_time": "2026-01-01T02:00:00+02:00"}]},
    "PUBLIC": {"subjects": ["public"], "republish": {"dest": "out.>"}, "allow_direct": True},
    "IMAGE": {"mirror": {"name": "PUBLIC"}},
    "NO_SUBJECTS": {},
}


def _wanted(name: str) -> dict[str, Any]:
    republish = {"src": f"{name}.>", "dest": f"copy.{name}.>"}
    return {"subjects": [f"{name}.>"], "max_age": "7d", "republish": republish}


def test_every_kind_of_drift(external: Project, jetstream: JetStream, server: NatsServer) -> None:
    """No drift: nothing planned, nothing sent. Drift: each field with both values, and up undoes it."""
    streams = {name: _wanted(name) for name in (*CHANGED, "REMOVED", "MADE_AGAIN")}
    external.catalogue(**streams, **REWRITTEN)
    external.configure(**external.settings, catalogue="streams.yaml")
    external.up()
    assert external.unchanged(), "the server's own rewrites are no drift"
    with recorded(jetstream, "$JS.API.STREAM.>") as requests:
        connections = _connections(server)
        external.up()
        assert connections + 1 == _connections(server), "one connection for all streams"
    assert [] == [subject for subject in requests if "INFO" not in subject and "LIST" not in subject]

    for name, (fields, _line) in CHANGED.items():
        jetstream.update(with_fields(_live(jetstream, name), fields))
    jetstream.delete("REMOVED")
    made_again = _live(jetstream, "MADE_AGAIN")
    jetstream.delete("MADE_AGAIN")
    jetstream.create(made_again)

    planned = external.drift()
    assert [] == [name for name, (_fields, line) in CHANGED.items() if line not in planned], planned
    assert f"~ {len(CHANGED) + 2} to update" in planned
    assert "REMOVED is missing: deleted by somebody, or not opened by the server after a crash: up makes it" in planned
    assert '- status   : "restored, or deleted and made again, at' in planned

    external.up()
    assert external.unchanged()


def _connections(server: NatsServer) -> int:
    """How many there have been since the server started."""
    return int(fetch(server.monitor_url, ["/varz"])["/varz"].body["total_connections"])


def _live(jetstream: JetStream, name: str) -> StreamConfig:
    live = jetstream.stream(name)
    assert live
    return live.config


def test_a_server_that_is_down_is_drift(external: Project, server: NatsServer) -> None:
    """Nobody answers: the plan says so, and up heals when the server is back, data or not."""
    external.up()
    server.kill()

    planned = external.drift()
    assert '- status   : "unreachable:' in planned

    failed = external.pulumi("up", "--yes", "--skip-preview")
    assert failed.code != 0
    assert "no NATS server answers within" in failed.text
    assert "Traceback" not in failed.text

    server.start()
    external.up()
    assert external.unchanged()
