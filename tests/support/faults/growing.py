"""A stack that grows from one size to another under a publisher, with a fault somewhere in its up."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.local_server import server_dir
from provisioner.local_server.server_dir import ServerDir
from tests.support.faults.killing import end_session
from tests.support.faults.publisher import Publisher, publishing
from tests.support.ports import free_port

if TYPE_CHECKING:
    from tests.e2e.conftest import Project

STREAMS: Final = {"ONE": "one", "TWO": "two", "THREE": "three"}
_UP_S: Final = 180.0
_PING_S: Final = 1
_PROVIDER: Final = b"pulumi.dynamic"
_MOST_NODES: Final = 5
_POLL_S: Final = 0.05


@dataclass(frozen=True)
class Growth:
    """One attempt.

    Attributes:
        before: nodes.
        after: nodes.
        fault: of ``FAULTS``, or nothing.
        at: seconds from the begin of the up to the fault.
        lasts: seconds of a pause.
        seed: of what else is drawn.
    """

    before: int
    after: int
    fault: str = ""
    at: float = 0.0
    lasts: float = 0.0
    seed: int = 0

    def __str__(self) -> str:
        return f"{self.before} -> {self.after}, {self.fault or 'undisturbed'}"

    @staticmethod
    def drawn(seed: int, sizes: tuple[tuple[int, int], ...]) -> Growth:
        """One of a seed."""
        chance = Random(seed)  # noqa: S311 - to be repeated, not to be kept secret
        before, after = chance.choice(sizes)
        return Growth(
            before,
            after,
            chance.choice([*FAULTS]),
            chance.uniform(0.5, 10 if before > 1 else 16),
            chance.uniform(2, 15),
            seed,
        )


@dataclass
class Outcome:
    """What became of it.

    Attributes:
        hit: whether the up was at work when the fault came.
        failed: whether that up failed.
        acknowledged: messages.
        missing: those that are gone, by stream.
        gap: seconds of the longest gap between two acknowledgements.
        said: by the up that was hit.
    """

    hit: bool
    failed: bool
    acknowledged: int
    missing: dict[str, list[int]]
    gap: float
    said: str


def grow(project: Project, what: Growth) -> Outcome:
    """Bring a stack up, let it grow, hit it, and bring it up once more; the next preview finds nothing to do."""
    ports = {key: [free_port() for _ in range(_MOST_NODES)] for key in ("clientPort", "monitorPort", "clusterPort")}
    folder = project.folder / "nats"
    urls = ",".join(f"nats://127.0.0.1:{port}" for port in ports["clientPort"])
    project.catalogue(**{name: {"subjects": [subject]} for name, subject in STREAMS.items()})
    project.configure(**_settings(folder, ports, what.before))
    project.up()
    with publishing(urls, STREAMS, _PING_S) as publisher:
        publisher.wait_for_more()
        project.configure(**_settings(folder, ports, what.after))
        code, hit, said = _struck(project, what, folder)
        if "engine" in what.fault:
            project.recover()
        if code:
            _started_first(project, _settings(folder, ports, what.before))
        project.up()
        publisher.wait_for_more()
    assert project.unchanged(), what
    assert "Traceback" not in said, said
    return _outcome(urls, publisher, hit, code != 0, said)


def _started_first(project: Project, before: dict[str, Any]) -> None:
    """What a single server that is down holds cannot be taken along: as preview says, it is started as it was."""
    after = project.settings
    if "set back what has changed, and pulumi up starts it" not in project.preview().text:
        return
    project.configure(**before)
    project.up()
    project.configure(**after)


def _outcome(urls: str, publisher: Publisher, hit: bool, failed: bool, said: str) -> Outcome:
    with closing(JetStream(urls, Credentials())) as client:
        missing = {name: publisher.missing(client, name) for name in STREAMS}
    return Outcome(hit, failed, publisher.count, missing, publisher.longest_gap, said)


def _settings(folder: Path, ports: Mapping[str, list[int]], nodes: int) -> dict[str, Any]:
    used = {key: ",".join(map(str, each[:nodes])) for key, each in ports.items()}
    if nodes == 1:
        del used["clusterPort"]
    size = {"nodes": nodes, "replicas": 3} if nodes > 1 else {}
    return (
        {"server": "process", "onDelete": "delete", "catalogue": "streams.yaml", "storeDir": str(folder)} | used | size
    )


def _struck(project: Project, what: Growth, folder: Path) -> tuple[int, bool, str]:
    """An up that is hit on its way: its exit code, whether it was at work then, and what it said."""
    engine = subprocess.Popen(
        ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--color=never"],
        cwd=project.folder,
        env=project.environment | {"PULUMI_STACK": project.stack},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        hit = _is_at_work(engine, what.at) and bool(what.fault)
        if hit:
            FAULTS[what.fault](engine, what, folder)
        said = engine.communicate(timeout=_UP_S)[0]
    finally:
        end_session(engine.pid)
    return engine.returncode, hit, said


def _is_at_work(engine: subprocess.Popen[str], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end and engine.poll() is None:
        time.sleep(_POLL_S)  # until the moment of the fault
    return engine.poll() is None


def _pids(folder: Path) -> list[int]:
    """The server processes of the stack that run now."""
    homes = [folder, *sorted(folder.glob("cluster/node-*"))]
    servers = [server_dir.read(ServerDir(home)) for home in homes]
    return [server.process.pid for server in servers if server and server.process and server.is_alive()]


def _kill_engine(engine: subprocess.Popen[str], _what: Growth, _folder: Path) -> None:
    os.killpg(engine.pid, signal.SIGKILL)
    end_session(engine.pid)


def _kill_provider(engine: subprocess.Popen[str], _what: Growth, _folder: Path) -> None:
    end_session(engine.pid, _PROVIDER)


def _one(what: Growth, folder: Path) -> list[int]:
    pids = _pids(folder)
    return [Random(what.seed).choice(pids)] if pids else []  # noqa: S311


def _kill_server(_engine: subprocess.Popen[str], what: Growth, folder: Path) -> None:
    for pid in _one(what, folder):
        os.kill(pid, signal.SIGKILL)


def _pause_server(engine: subprocess.Popen[str], what: Growth, folder: Path) -> None:
    pids = _one(what, folder)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    _is_at_work(engine, what.lasts)
    for pid in pids:
        with suppress(ProcessLookupError):  # it hung, and the up has ended it
            os.kill(pid, signal.SIGCONT)


def _kill_both(engine: subprocess.Popen[str], what: Growth, folder: Path) -> None:
    _kill_server(engine, what, folder)
    _kill_engine(engine, what, folder)


def _kill_and_pause(engine: subprocess.Popen[str], what: Growth, folder: Path) -> None:
    _kill_provider(engine, what, folder)
    _pause_server(engine, what, folder)


FAULTS: Final[Mapping[str, Callable[[subprocess.Popen[str], Growth, Path], None]]] = {
    "the engine is killed": _kill_engine,
    "a provider is killed": _kill_provider,
    "a server is killed": _kill_server,
    "a server is paused": _pause_server,
    "the engine and a server are killed": _kill_both,
    "a provider is killed, a server paused": _kill_and_pause,
}
