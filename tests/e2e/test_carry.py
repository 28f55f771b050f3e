"""A stream that needs another in its place keeps its messages: on the real engine, with a publisher at full speed."""

from __future__ import annotations

import json
import random
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from provisioner.backup.archive import backup, load
from provisioner.backup.carry_folder import CARRY_TO, CarryFolder
from provisioner.backup.progress import Meter
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from tests.e2e.conftest import Project
from tests.support.exploring import explores, new_seeds
from tests.support.faults.figures import Figures
from tests.support.faults.flood import flooding, numbers
from tests.support.faults.killing import killed
from tests.support.faults.proxy import proxied
from tests.support.faults.publisher import publishing
from tests.support.messages import publish, stored
from tests.support.nats_server import NatsServer
from tests.support.ports import free_port

_KILL_TIMEOUT_S = 10.0


@pytest.fixture
def own(external: Project) -> Project:
    """A project with a catalogue of its own, whose streams are guarded."""
    external.configure(**{**external.settings, "onDelete": "guard", "catalogue": "streams.yaml"})
    return external


def _copies(project: Project) -> list[Path]:
    return [path for path in (project.folder / ".carried").rglob("*") if path.is_file()]


def test_another_storage_under_a_publisher(own: Project, server: NatsServer) -> None:
    """Planned as an update with its price, done in one up, and nothing that was acknowledged is missing."""
    own.catalogue(HELD={"subjects": ["held"]})
    own.up()
    with flooding(server.url, "held") as flood:
        flood.wait_for(300)
        own.catalogue(HELD={"subjects": ["held"], "storage": "memory"})
        planned = own.preview()
        assert planned.code == 0, planned.text
        assert "HELD: storage file -> memory needs a new stream: carried over with " in planned.text
        assert "publishers get no answer for about 1s" in planned.text
        assert "~ 1 to update" in planned.text, planned.text
        assert "HELD: carried over with " in own.up().text
        flood.wait_for(len(flood.acknowledged) + 100)
    assert set() == flood.acknowledged - numbers(server.url, "HELD")
    assert own.unchanged()
    assert [] == _copies(own)
    own.pulumi("destroy", "--yes", "--skip-preview", STREAMS_ALLOW_LOSS="HELD")


def test_subjects_that_move_between_streams_that_are_carried_over(own: Project, server: NatsServer) -> None:
    """A swap of subjects and of storage at once: one up, and each stream has its own messages."""
    own.catalogue(ONE={"subjects": ["a", "b"]}, TWO={"subjects": ["c"], "storage": "memory"})
    own.up()
    publish(server.url, "a", 3)
    publish(server.url, "c", 5)
    own.catalogue(ONE={"subjects": ["c"], "storage": "memory"}, TWO={"subjects": ["a", "b"]})
    own.up()
    assert {"ONE": 3, "TWO": 5} == stored(server.url)
    publish(server.url, "a", 1)
    assert {"ONE": 3, "TWO": 6} == stored(server.url)
    assert own.unchanged()
    own.pulumi("destroy", "--yes", "--skip-preview", STREAMS_ALLOW_LOSS="ONE,TWO")


def test_another_name_under_a_publisher(own: Project, server: NatsServer) -> None:
    """One up, no approval, nothing lost; the line in the catalogue does nothing more and can go."""
    own.catalogue(OLD={"subjects": ["held"]}, OTHER={"subjects": ["other"]})
    own.up()
    with flooding(server.url, "held") as flood:
        flood.wait_for(300)
        own.catalogue(NEW={"subjects": ["held"], "renamed_from": "OLD"}, OTHER={"subjects": ["other"]})
        planned = own.preview()
        assert planned.code == 0, planned.text
        assert "NEW: renamed from OLD needs a new stream: carried over with " in planned.text
        own.up()
        flood.wait_for(len(flood.acknowledged) + 100)
    assert {"NEW", "OTHER"} == set(stored(server.url))
    assert set() == flood.acknowledged - numbers(server.url, "NEW")
    assert own.unchanged()
    own.catalogue(NEW={"subjects": ["held"]}, OTHER={"subjects": ["other"]})
    assert own.unchanged()
    assert [] == _copies(own)
    own.pulumi("destroy", "--yes", "--skip-preview", STREAMS_ALLOW_LOSS="NEW")


def test_the_copy_is_kept_where_copies_are_wanted(own: Project, server: NatsServer, tmp_path: Path) -> None:
    """With a folder for copies, it is moved there once the new stream is whole."""
    own.catalogue(HELD={"subjects": ["held"]})
    own.up()
    publish(server.url, "held", 7)
    own.catalogue(HELD={"subjects": ["held"], "retention": "workqueue"})
    own.up(STREAMS_BACKUP_TO=str(tmp_path / "copies"))
    (copy,) = (tmp_path / "copies").glob("*/HELD")
    assert (7, ["held"]) == (load(copy).messages, load(copy).config["subjects"])
    assert {"HELD": 7} == stored(server.url)
    own.pulumi("destroy", "--yes", "--skip-preview", STREAMS_ALLOW_LOSS="HELD")


@pytest.mark.parametrize("moment", ["STREAM.RESTORE.HELD", "$JS.SNAPSHOT.RESTORE."])
def test_a_run_that_is_killed(own: Project, server: NatsServer, moment: str) -> None:
    """With the stream gone, or there in part: the next up completes it, and nothing that was acknowledged is missing.

    ``integration/test_carry_killed.py`` has every other moment.
    """
    reached, over = threading.Event(), threading.Event()
    with proxied(server.ports[0]) as proxy:
        own.configure(**{**own.settings, "url": proxy.url})
        own.catalogue(HELD={"subjects": ["held"]})
        own.up()
        with flooding(server.url, "held") as flood:
            flood.wait_for(300)
            own.catalogue(HELD={"subjects": ["held"], "storage": "memory"})
            proxy.set(moment, lambda: _hold(reached, over))
            with killed(own, "up", after=reached) as at_work:
                over.set()
                assert at_work
            own.recover()
            own.up()
            flood.wait_for(len(flood.acknowledged) + 100)
        assert set() == flood.acknowledged - numbers(server.url, "HELD")
        assert own.unchanged()
        assert [] == _copies(own)
        own.pulumi("destroy", "--yes", "--skip-preview", STREAMS_ALLOW_LOSS="HELD")


@pytest.mark.parametrize("is_cut_short", [False, True])
def test_a_server_of_its_own_that_moves_while_a_stream_is_half_carried(project: Project, *, is_cut_short: bool) -> None:
    """The copy belongs to the data, not to an address: another port does not lose sight of it.

    The run that moves the server may end before it comes to the streams.
    """
    project.catalogue(HELD={"subjects": ["held"]})
    settings: dict[str, Any] = {"server": "process", "onDelete": "delete", "catalogue": "streams.yaml"}
    settings |= {"storeDir": str(project.folder / "nats"), "clientPort": free_port(), "monitorPort": free_port()}
    project.configure(**settings)
    project.up()
    url = f"nats://127.0.0.1:{settings['clientPort']}"
    publish(url, "held", 9)
    with closing(JetStream(url, Credentials())) as client, pytest.MonkeyPatch.context() as patch:
        patch.setenv(CARRY_TO, str(project.folder / ".carried"))
        backup(client, "HELD", CarryFolder(_store_of(project, "HELD"), "HELD").path, Meter().show)
        client.delete("HELD")

    project.configure(**settings | {"clientPort": free_port(), "monitorPort": free_port()})
    urn = f"urn:pulumi:{project.stack}::prediction-streams::pulumi-python:dynamic/jetstream"
    if is_cut_short:
        project.up("--target", f"{urn}:Estate::estate", "--target", f"{urn}:ServerProcess::nats")
    project.catalogue(OTHER={})
    refused = project.preview()
    assert refused.code != 0
    assert "HELD is half carried over: 9 messages are in " in refused.text
    project.catalogue(HELD={"subjects": ["held"], "storage": "memory"})
    assert "HELD is half carried over: 9 messages are in " in project.up().text
    assert {"HELD": 9} == stored(f"nats://127.0.0.1:{project.settings['clientPort']}")
    assert project.unchanged()
    assert [] == _copies(project)


def _store_of(project: Project, stream: str) -> str:
    """The name of the data that a stream is in, by the state."""
    resources = json.loads(project.state.read_text())["checkpoint"]["latest"]["resources"]
    return str(next(each["outputs"]["store"] for each in resources if each["urn"].endswith(f"::{stream}")))


def _hold(reached: threading.Event, over: threading.Event) -> None:
    reached.set()
    over.wait(_KILL_TIMEOUT_S)


class TestExplore:
    """New moments."""

    pytestmark = explores()

    def test_kills(self, own: Project, server: NatsServer, figures: Figures) -> None:
        """The engine with all its plugins, killed at random in ups that carry a stream there and back."""
        own.catalogue(HELD={"subjects": ["held"]})
        own.up()
        with (
            publishing(server.url, {"HELD": "held"}) as publisher,
            closing(JetStream(server.url, Credentials())) as client,
        ):
            for number, seed in enumerate(new_seeds(share=0.9)):
                publisher.wait_for_more()
                own.catalogue(HELD={"subjects": ["held"], **({} if number % 2 else {"storage": "memory"})})
                with killed(own, "up", after=random.Random(seed).uniform(0.6, 2.0)) as at_work:  # noqa: S311
                    figures.faults += at_work
                own.recover()
                own.up()
                assert own.unchanged(), f"seed {seed}"
                assert [] == _copies(own), f"seed {seed}"
                figures.converged += 1
                figures.count_lost({"HELD": publisher.missing(client, "HELD")})
            figures.acknowledged = publisher.count
        own.pulumi("destroy", "--yes", "--skip-preview", STREAMS_ALLOW_LOSS="HELD")
