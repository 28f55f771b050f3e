"""A copy holds every message that was acknowledged before the stream was deleted."""

from __future__ import annotations

import threading
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
from tests.support.faults.killing import killed
from tests.support.faults.proxy import proxied
from tests.support.messages import publish
from tests.support.nats_server import NatsServer, running

_KILL_TIMEOUT_S = 10.0


def _replace(project: Project, copies: str) -> None:
    project.catalogue(HELD={"subjects": ["held"], "first_seq": 9})
    project.up(STREAMS_ALLOW_LOSS="HELD", STREAMS_BACKUP_TO=copies)


def _remove(project: Project, copies: str) -> None:
    project.catalogue(OTHER={"subjects": ["other"]})
    project.up(STREAMS_ALLOW_LOSS="HELD", STREAMS_BACKUP_TO=copies)


def _destroy(project: Project, copies: str) -> None:
    assert project.pulumi("destroy", "--yes", "--skip-preview", STREAMS_BACKUP_TO=copies).code == 0


def _trim(project: Project, copies: str) -> None:
    """To ten messages, and then new ones are refused: none that is acknowledged later is dropped by the limit."""
    full = {"discard": "new", "max_msgs_per_subject": 10, "discard_new_per_subject": True}
    project.catalogue(HELD={"subjects": ["held"], **full})
    project.up(STREAMS_ALLOW_LOSS="HELD", STREAMS_BACKUP_TO=copies)


def _kept(server: NatsServer, copies: Path, second: Path) -> set[int]:
    """What is in the stream or in one of its copies."""
    kept = numbers(server.url, "HELD")
    with running(second) as other, closing(JetStream(other.url, Credentials())) as client:
        for copy in copies.glob("*/HELD"):
            client.delete("HELD")
            restore(client, copy, Meter().show)
            kept |= numbers(other.url, "HELD")
    return kept


@pytest.mark.parametrize("change", [_replace, _remove, _destroy, _trim])
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
    kept = _kept(server, tmp_path / "copies", tmp_path / "second")
    assert len(flood.acknowledged) >= 1_000
    assert set() == flood.acknowledged - kept


def test_a_folder_that_is_set_in_the_same_run(external: Project, server: NatsServer, tmp_path: Path) -> None:
    """What the settings say now counts, also for what is deleted as the state has it: replaced, or removed."""
    settings = {**external.settings, "catalogue": "streams.yaml"}
    external.configure(**settings)
    external.catalogue(HELD={"subjects": ["held"]}, GONE={"subjects": ["gone"]})
    external.up()
    publish(server.url, "held", 3)
    publish(server.url, "gone", 4)
    external.configure(**settings, backupTo=str(tmp_path / "copies"))
    external.catalogue(HELD={"subjects": ["held"], "storage": "memory"})
    external.up(STREAMS_ALLOW_LOSS="HELD,GONE")
    assert ["GONE", "HELD"] == sorted(folder.name for folder in (tmp_path / "copies").glob("*/*"))
    assert external.unchanged()


def test_a_run_that_is_killed_between_the_copy_and_the_deletion(
    external: Project, server: NatsServer, jetstream: JetStream, tmp_path: Path
) -> None:
    """The intake is stopped, nothing deleted yet: the next up gives the stream its subjects back, and all is there."""
    reached, over = threading.Event(), threading.Event()
    copies = str(tmp_path / "copies")
    with proxied(server.ports[0]) as proxy:
        external.configure(**{**external.settings, "url": proxy.url, "catalogue": "streams.yaml"})
        external.catalogue(HELD={"subjects": ["held"]})
        external.up()
        with flooding(server.url, "held") as flood:
            flood.wait_for(1_000)
            proxy.set("STREAM.SNAPSHOT.", lambda: _hold(reached, over))
            external.catalogue(HELD={"subjects": ["held"], "max_msgs": 10})
            with killed(external, "up", after=reached, STREAMS_ALLOW_LOSS="HELD", STREAMS_BACKUP_TO=copies) as at_work:
                over.set()
                assert (True, True) == (at_work, _is_closed(jetstream))
            external.recover()
            external.catalogue(HELD={"subjects": ["held"]})
            external.up()
            assert not _is_closed(jetstream)
            flood.wait_for(len(flood.acknowledged) + 100)
        assert set() == flood.acknowledged - numbers(server.url, "HELD")
        assert external.unchanged()
        external.destroy()


def _hold(reached: threading.Event, over: threading.Event) -> None:
    reached.set()
    over.wait(_KILL_TIMEOUT_S)


def _is_closed(client: JetStream) -> bool:
    info = client.stream("HELD")
    return bool(info and info.config["subjects"] == ["_released.HELD"])
