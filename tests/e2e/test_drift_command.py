"""``streams drift`` calls the same things drift as a preview does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from provisioner.backup.archive import backup
from provisioner.backup.carry_folder import CARRY_TO, CarryFolder
from provisioner.cli.main import main
from provisioner.jetstream import consumers
from provisioner.jetstream.client import JetStream
from provisioner.schema.config import with_fields
from provisioner.schema.model import StreamConfig
from tests.e2e.conftest import Project
from tests.support.nats_py import put_all
from tests.support.nats_server import NatsServer
from tests.support.snapshots import silent

CATALOGUE: dict[str, Any] = {
    "CHANGED": {"subjects": ["changed"], "max_age": "7d"},
    "MISSING": {"subjects": ["missing"], "consumers": {"gone": {}}},
    "MADE_AGAIN": {"subjects": ["made.again"]},
    "UNOPENED": {"subjects": ["unopened"]},
    "HALF": {"subjects": ["half"]},
    "RIGHT": {"subjects": ["right"], "subject_delete_marker_ttl": "1m", "consumers": {"right": {"ack_wait": "1m"}}},
    "USED": {
        "subjects": ["used"],
        "consumer_limits": {"max_ack_pending": 10},
        "consumers": {"changed": {"ack_wait": "1m"}, "gone": {}, "kept": {}},
    },
    "buckets": {"SEEDED": {"history": 5, "seed": {"key": "first"}}, "CHANGED": {"ttl": "1d"}},
    "objects": {"RIGHT": {}, "MISSING": {}},
}
# What a preview calls a thing: its type, and its name in the state.
DRIFTED = {
    "Stream CHANGED": "drift",
    "Stream MISSING": "missing",
    "Consumer MISSING/gone": "missing",
    "Stream MADE_AGAIN": "made again",
    "Stream UNOPENED": "missing",
    "Stream HALF": "partial",
    "Stream USED": "drift",
    "Consumer USED/changed": "drift",
    "Consumer USED/gone": "missing",
    "KeyValue CHANGED": "drift",
    "ObjectStore MISSING": "missing",
}
TYPES = {"stream": "Stream", "consumer": "Consumer", "bucket": "KeyValue", "object store": "ObjectStore"}


@pytest.fixture
def own(external: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with the catalogue, whose copies are where a drift looks for them too."""
    monkeypatch.setenv(CARRY_TO, str(tmp_path / "carried"))
    external.environment[CARRY_TO] = str(tmp_path / "carried")
    external.configure(**external.settings, catalogue="streams.yaml")
    external.catalogue(**CATALOGUE)
    return external


def test_drift_is_what_a_preview_would_change(
    own: Project, server: NatsServer, jetstream: JetStream, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every kind of drift at once, and what is none: the same streams, consumers, buckets and object stores."""
    own.up()
    assert (0, {}) == _drift(own, server, capsys)

    _change(server, jetstream)

    code, drift = _drift(own, server, capsys)
    assert (1, DRIFTED) == (code, drift)
    assert set(drift) == _planned(own)


def _change(server: NatsServer, jetstream: JetStream) -> None:
    """What somebody may do behind the stack's back; values of keys and fewer messages are no drift."""
    jetstream.update(with_fields(_live(jetstream, "CHANGED"), {"max_age": 10**12}))
    jetstream.update(with_fields(_live(jetstream, "KV_CHANGED"), {"max_age": 10**12, "duplicate_window": 10**12}))
    jetstream.update(
        with_fields(_live(jetstream, "USED"), {"consumer_limits": {"inactive_threshold": 0, "max_ack_pending": 20}})
    )
    jetstream.delete("MISSING")
    jetstream.delete("OBJ_MISSING")
    made_again = _live(jetstream, "MADE_AGAIN")
    jetstream.delete("MADE_AGAIN")
    jetstream.create(made_again)
    found = consumers.consumer(jetstream, "USED", "changed")
    assert found
    consumers.update(jetstream, "USED", {**found.config, "ack_wait": 10**9})
    consumers.remove(jetstream, "USED", "gone")
    put_all(server, "SEEDED", key=[b"second", b"third"])
    backup(jetstream, "HALF", CarryFolder(server.url, "HALF").path, silent)
    jetstream.delete("HALF")
    server.kill_in_update("UNOPENED")


def _live(jetstream: JetStream, name: str) -> StreamConfig:
    live = jetstream.stream(name)
    assert live
    return live.config


def _drift(own: Project, server: NatsServer, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, str]]:
    """The exit code, and the state of each thing that drifted."""
    catalogue = str(own.folder / "streams.yaml")
    capsys.readouterr()
    code = main(["drift", "--json", "--catalogue", catalogue, "--url", server.url, "--state", str(own.state)])
    told = json.loads(capsys.readouterr().out)
    assert code == told["exit_code"], told
    names = {(TYPES[each["kind"]], each["stream"], each["name"]): each["state"] for each in told["drift"]}
    return code, {
        f"{kind} {stream + '/' if stream else ''}{name}": state for (kind, stream, name), state in names.items()
    }


def _planned(own: Project) -> set[str]:
    """What a preview would change."""
    text = own.pulumi("preview", "--json").text
    steps = json.loads(text[text.index("{\n") :])["steps"]
    urns = [step["urn"].split("::") for step in steps if step["op"] in {"create", "update", "replace"}]
    return {f"{type_.rpartition(':')[2]} {name}" for _, _, type_, name in urns}
