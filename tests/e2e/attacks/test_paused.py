"""A server that hangs while a run is to ask it."""

from __future__ import annotations

import signal
import time

from provisioner.jetstream.client import JetStream
from tests.e2e.conftest import Project
from tests.support.nats_server import NatsServer

STREAMS = [f"S{number}" for number in range(12)]
# Of a run without an engine: the gate's question takes 2 s, an up's first contact 3 s here, shared by all streams.
WAITS_S = 5
ENGINE_S = 40  # for the engine itself on a busy machine; twelve waits, one after the other, would be longer


def test_a_paused_server(external: Project, jetstream: JetStream, server: NatsServer) -> None:
    """At the default parallelism too preview and up end in time and change nothing; resumed, one up does it all."""
    external.configure(**external.settings, catalogue="streams.yaml")
    external.catalogue(**{name: {"subjects": [name.lower()]} for name in STREAMS}, GONE={"subjects": ["gone"]})
    external.up()
    before = jetstream.streams()
    changes: list[dict[str, object]] = [{"max_msgs": 9}, {"storage": "memory"}] * 6
    external.catalogue(
        **{name: {"subjects": [name.lower()], **change} for name, change in zip(STREAMS, changes, strict=True)}
    )
    assert server.process
    server.process.send_signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        planned = external.preview()
        refused = external.pulumi("up", "--yes", "--skip-preview")
        took = time.monotonic() - began
    finally:
        server.process.send_signal(signal.SIGCONT)
    assert 0 == planned.code, planned.text
    assert 1 == planned.text.count("planned without asking the server"), planned.text
    assert refused.code != 0
    assert f"{server.url}: no NATS server answers within" in refused.text, refused.text
    assert "Traceback" not in planned.text + refused.text
    assert took < 2 * (WAITS_S + ENGINE_S)
    assert before == jetstream.streams()

    external.up()
    assert set(STREAMS) == set(jetstream.streams())
    assert external.unchanged()
