"""Streams that a restore has made, whole or in part, and the stack that manages them."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provisioner.backup.archive import ARCHIVE, backup, load
from provisioner.backup.progress import Meter
from provisioner.backup.restore import restore
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.snapshots import CHUNK_BYTES, give
from provisioner.rules.restore_mark import RestoreMark, marked
from tests.e2e.conftest import Project
from tests.support.nats_server import NatsServer
from tests.support.waiting import until

MESSAGES = 300
ROOT = Path(__file__).parents[3]


@pytest.fixture
def copy(external: Project, jetstream: JetStream, tmp_path: Path) -> Path:
    """A backup of a managed stream that somebody has deleted since."""
    external.configure(**external.settings, catalogue="streams.yaml")
    external.catalogue(HELD={"subjects": ["held"]})
    external.up()
    payloads = random.Random(7)  # noqa: S311 - no secret, but nothing that compresses
    for _ in range(MESSAGES):
        jetstream.connection.request("held", payloads.randbytes(10_000))
    backup(jetstream, "HELD", tmp_path / "copy", Meter().show)
    jetstream.delete("HELD")
    return tmp_path / "copy" / "HELD"


def _state(project: Project, server: NatsServer) -> str:
    """What ``streams status`` says of the stream."""
    done = subprocess.run(
        [sys.executable, "-m", "provisioner", "status", "--json", "--catalogue", str(project.folder / "streams.yaml")],
        cwd=ROOT,
        env=os.environ | {"NATS_URL": server.url, "NATS_MONITOR_URL": server.monitor_url},
        capture_output=True,
        check=False,
    )
    return str(json.loads(done.stdout)["streams"][0]["state"])


def _cut_short(client: JetStream, folder: Path) -> None:
    """A restore of a killed command: the first bytes of the archive, and nothing after them."""
    manifest = load(folder)
    mark = RestoreMark(copy=str(folder), sha256=manifest.sha256, messages=manifest.messages, restore="killed")
    subject = client.restore({"config": marked(manifest.config, mark), "state": manifest.state}, "HELD")
    archive = (folder / ARCHIVE).read_bytes()

    def chunks() -> Iterator[bytes]:
        for start in range(0, len(archive) // 2, CHUNK_BYTES):
            yield archive[start : start + CHUNK_BYTES]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        give(client, subject, chunks())


def _config(client: JetStream) -> dict[str, Any]:
    info = client.stream("HELD")
    assert info
    return dict(info.config)


def test_a_restored_stream(external: Project, server: NatsServer, jetstream: JetStream, copy: Path) -> None:
    """A part is changed by nobody and completed by a restore; the whole stream is taken over, with the reason."""
    _cut_short(jetstream, copy)
    until("a part is on the server", lambda: jetstream.stream("HELD"))
    assert "partial" == _state(external, server)
    before = _config(jetstream)
    for command in ("up", "destroy"):
        refused = external.pulumi(command, "--yes", "--skip-preview", STREAMS_ALLOW_LOSS="HELD")
        assert refused.code != 0, refused.text
        assert "Traceback" not in refused.text
        if command == "up":
            assert "HELD is partial: restored " in refused.text, refused.text
            assert f"run streams restore {copy}, or delete the stream" in refused.text
    assert before == _config(jetstream)

    restore(jetstream, copy, Meter().show)
    assert "ok" == _state(external, server)
    planned = external.preview()
    assert planned.code == 0, planned.text
    assert '"restored, or deleted and made again, at' in planned.text
    assert f"with {MESSAGES} messages: taken over as it is" in planned.text
    assert "HELD is not the stream of the last up: restored, or made again, at" in planned.text
    external.up()
    assert external.unchanged()
    assert ("ok", MESSAGES) == (_state(external, server), jetstream.state("HELD")["messages"])
