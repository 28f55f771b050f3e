"""A stack that an older version of this program has brought up, upgraded in place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from provisioner.jetstream.client import JetStream
from provisioner.schema.model import StreamConfig
from tests.e2e.conftest import Project
from tests.support.configurations import config
from tests.support.nats_server import NatsServer

# As commit 6c39bf8 exported it, before clusters, services and domains; where and when it was are placeholders.
STATE = Path(__file__).parents[1] / "fixtures" / "state_of_6c39bf8.json"
STREAMS: dict[str, dict[str, Any]] = {
    "ORDERS": {"subjects": ["orders.*"], "max_age": "7d", "max_bytes": "1GiB"},
    "AUDIT": {"subjects": ["audit"], "on_delete": "guard", "num_replicas": 1},
}


def test_nothing_is_replaced_and_nothing_lost(project: Project, server: NatsServer, jetstream: JetStream) -> None:
    """Its state is read, its streams are its own, a change is an update, and its guard still holds."""
    state = STATE.read_text().replace("SERVER_URL", server.url)
    for name in STREAMS:
        state = state.replace(f"CREATED_{name}", jetstream.create(_config(name)).created)
    for subject in ("orders.eu", "audit"):
        jetstream.connection.request(subject, b"kept")
    before = jetstream.streams()
    (project.folder / "state.json").write_text(state)
    project.configure(server="external", url=server.url, catalogue="streams.yaml")
    project.catalogue(**STREAMS)
    assert project.pulumi("stack", "import", "--file", "state.json").code == 0

    planned = project.preview()
    assert planned.code == 0, planned.text
    for said in planned.text, project.up().text:
        assert not [kind for kind in ("(replace)", "(create)", "(delete)") if kind in said], said
    assert project.unchanged()
    assert before == jetstream.streams(), "not one request, not one message less"

    project.catalogue(**{**STREAMS, "ORDERS": {**STREAMS["ORDERS"], "max_age": "8d"}})
    project.up()
    assert {"ORDERS": 1, "AUDIT": 1} == {name: info.messages for name, info in jetstream.streams().items()}
    refused = project.pulumi("destroy", "--yes", "--skip-preview")
    assert refused.code != 0
    assert "STREAMS_ALLOW_LOSS=" in refused.text


def _config(name: str) -> StreamConfig:
    return config(name, **{key: value for key, value in STREAMS[name].items() if key != "on_delete"})
