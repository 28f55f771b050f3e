"""A copy holds every message that was acknowledged before the stream was deleted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from provisioner.backup.progress import Meter
from provisioner.backup.restore import restore
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from tests.e2e.conftest import Project
from tests.support.faults.flood import flooding, numbers
from tests.support.nats_server import NatsServer, running


def _replace(project: Project, copies: str) -> None:
    project.catalogue(HELD={"subjects": ["held"], "storage": "memory"})
    project.up(STREAMS_ALLOW_LOSS="HELD", STREAMS_BACKUP_TO=copies)


def _remove(project: Project, copies: str) -> None:
    project.catalogue(OTHER={"subjects": ["other"]})
    project.up(STREAMS_ALLOW_LOSS="HELD", STREAMS_BACKUP_TO=copies)


def _destroy(project: Project, copies: str) -> None:
    assert project.pulumi("destroy", "--yes", "--skip-preview", STREAMS_BACKUP_TO=copies).code == 0


@pytest.mark.parametrize("change", [_replace, _remove, _destroy])
def test_a_publisher_at_full_speed(
    external: Project, server: NatsServer, tmp_path: Path, change: Callable[[Project, str], Any]
) -> None:
    """Each acknowledged message is in the copy, or in the stream that took its place."""
    external.configure(**external.settings, catalogue="streams.yaml")
    external.catalogue(HELD={"subjects": ["held"]})
    external.up()
    with flooding(server.url, "held") as flood:
        flood.wait_for(1_000)
        change(external, str(tmp_path / "copies"))
    kept = numbers(server.url, "HELD")
    with running(tmp_path / "second") as second, closing(JetStream(second.url, Credentials())) as client:
        (copy,) = (tmp_path / "copies").glob("*/HELD")
        restore(client, copy, Meter().show)
        kept |= numbers(second.url, "HELD")
    assert len(flood.acknowledged) >= 1_000
    assert set() == flood.acknowledged - kept
