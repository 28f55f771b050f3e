"""Faults of a server that the stack runs itself: the next up starts it again, with every message."""

from __future__ import annotations

import os
import re
import signal
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.local_server import reloading, server_dir
from tests.e2e.conftest import Project
from tests.support.faults.figures import Figures
from tests.support.faults.publisher import publishing
from tests.support.ports import free_port
from tests.support.requests import recorded

SUBJECTS = {"ONE": "one", "TWO": "two"}


def _catalogue(project: Project, description: str) -> None:
    project.catalogue(
        **{name: {"subjects": [subject], "description": description} for name, subject in SUBJECTS.items()}
    )


def _signal(project: Project, what: signal.Signals) -> None:
    server = server_dir.read(server_dir.ServerDir(Path(project.settings["storeDir"])))
    assert server
    assert server.process
    os.kill(server.process.pid, what)


def test_the_server_dies_hangs_and_refuses_a_reload(project: Project, figures: Figures) -> None:
    """Killed in the middle of an update; its files spoilt by hand; asked to reload while it hangs; and just hanging."""
    settings: dict[str, Any] = {"clientPort": free_port(), "monitorPort": free_port()}
    folder = project.folder / "nats"
    project.configure(server="process", onDelete="delete", catalogue="streams.yaml", storeDir=str(folder), **settings)
    url = f"nats://127.0.0.1:{settings['clientPort']}"
    _catalogue(project, "first")
    project.up()
    with publishing(url, SUBJECTS) as publisher, closing(JetStream(url, Credentials())) as client:
        publisher.wait_for_more()
        _catalogue(project, "second")
        _kill_at_an_update(project, client)
        project.up()
        figures.faults, figures.converged = 1, 1
        assert {"second"} == {live.config["description"] for live in client.streams().values()}
        publisher.wait_for_more()

        (folder / "nats.conf").write_text("spoilt {")
        _signal(project, signal.SIGHUP)
        assert project.drift()
        assert reloading.NOT_RELOADED in (folder / "nats.log").read_text()
        project.up()
        publisher.wait_for_more()
        figures.faults, figures.converged = 2, 2

        _signal(project, signal.SIGSTOP)
        project.configure(**{**project.settings, "maxFileStore": "30GiB"})
        project.up()
        publisher.wait_for_more()
        figures.faults, figures.converged = 3, 3

        _signal(project, signal.SIGSTOP)
        assert 'status: "does not answer" => "running"' in re.sub(" +:", ":", project.drift())
        project.up()
        publisher.wait_for_more()
        figures.faults, figures.converged, figures.acknowledged = 4, 4, publisher.count
        figures.count_lost({stream: publisher.missing(client, stream) for stream in SUBJECTS})
    assert project.unchanged()


def _kill_at_an_update(project: Project, client: JetStream) -> None:
    done = threading.Event()
    with recorded(client, "$JS.API.STREAM.UPDATE.*") as requests:

        def watch() -> None:
            while not (requests or done.wait(0.001)):  # as soon as the request is seen, or the run is over
                pass
            _signal(project, signal.SIGKILL)

        watcher = threading.Thread(target=watch)
        watcher.start()
        said = project.pulumi("up", "--yes", "--skip-preview", STREAMS_REQUEST_TIMEOUT="1")
        done.set()
        watcher.join()
        assert requests, "the server died in the middle of an update, not after it"
    assert "Traceback" not in said.text
