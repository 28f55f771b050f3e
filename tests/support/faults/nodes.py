"""The nodes of a stack's own cluster: killed, paused and robbed of their data on purpose."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from provisioner.errors import ProvisionerError
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.monitoring import fetch_each
from provisioner.local_server import processes, server_dir
from provisioner.local_server.processes import Process
from provisioner.local_server.server_dir import Server, ServerDir
from tests.support.waiting import until

Undo = Callable[[], None]
_GONE_S: Final = 10.0
_ELECTED_S: Final = 30.0
_ANSWER_S: Final = 1.0


@dataclass(frozen=True)
class Nodes:
    """The server processes of a stack.

    Attributes:
        folder: the stack's ``storeDir``.
        monitor_urls: of every node, in their order.
        client: asks for a stream's leader.
        streams: their names.
    """

    folder: Path
    monitor_urls: tuple[str, ...]
    client: JetStream
    streams: tuple[str, ...]

    @property
    def all(self) -> range:
        """The nodes' numbers."""
        return range(len(self.monitor_urls))

    def pids(self) -> list[int | None]:
        """Each node's process; None of one that does not run."""
        servers = [self._server(number) for number in self.all]
        return [server.process.pid if server and server.process else None for server in servers]

    def home(self, number: int) -> Path:
        """A node's folder."""
        return self.folder / "cluster" / f"node-{number + 1}"

    def send(self, number: int, what: signal.Signals) -> None:
        """Send a signal to a node that runs."""
        server = self._server(number)
        if server and server.process:
            os.kill(server.process.pid, what)

    def kill(self, numbers: Iterable[int]) -> None:
        """End nodes at once, and wait until they are gone."""
        killed = [server for number in numbers if (server := self._server(number))]
        for server in killed:
            processes.send(_process(server), server.directory.command_end, signal.SIGKILL)
        # An up at work may start them again at any moment: they are other processes then.
        until("killed nodes are gone", lambda: not any(server.is_alive() for server in killed), _GONE_S)

    def meta_leader(self) -> int:
        """The node that leads the meta group, as one says that answers; the first where nobody knows."""
        answers = fetch_each(self.monitor_urls, ["/jsz"]).values()
        leaders = (answer["/jsz"].body.get("meta_cluster", {}).get("leader") for answer in answers)
        return _number(next(filter(None, leaders), "1"))

    def leader(self, stream: str) -> int:
        """The node that leads a stream; in the middle of an election it is waited for."""
        return _number(until(f"{stream} has a leader", lambda: self._leader(stream), _ELECTED_S))

    def _leader(self, stream: str) -> str | None:
        with suppress(ProvisionerError):
            leader = self.client.request(f"STREAM.INFO.{stream}", timeout=_ANSWER_S)["cluster"].get("leader")
            return str(leader) if leader else None
        return None

    def _server(self, number: int) -> Server | None:
        server = server_dir.read(ServerDir(self.home(number)))
        return server if server and server.is_alive() else None


def _process(server: Server) -> Process:
    assert server.process
    return server.process


def _number(name: str) -> int:
    return int(name.rpartition("-")[2]) - 1


def _nothing() -> None:
    """What is dead stays dead until an up."""


def _kill_one(nodes: Nodes, chance: Random) -> Undo:
    nodes.kill([chance.choice(nodes.all)])
    return _nothing


def _kill_two(nodes: Nodes, chance: Random) -> Undo:
    nodes.kill(chance.sample(nodes.all, 2))
    return _nothing


def _lose_folder(nodes: Nodes, chance: Random) -> Undo:
    number = chance.choice(nodes.all)
    nodes.kill([number])
    shutil.rmtree(nodes.home(number))
    return _nothing


def _kill_leader(nodes: Nodes, chance: Random) -> Undo:
    nodes.kill([nodes.leader(chance.choice(nodes.streams))])
    return _nothing


def _kill_meta_leader(nodes: Nodes, _chance: Random) -> Undo:
    nodes.kill([nodes.meta_leader()])
    return _nothing


def _pause(nodes: Nodes, chance: Random) -> Undo:
    number = chance.choice(nodes.all)
    nodes.send(number, signal.SIGSTOP)
    return lambda: nodes.send(number, signal.SIGCONT)


def _hang(nodes: Nodes, chance: Random) -> Undo:
    nodes.send(chance.choice(nodes.all), signal.SIGSTOP)
    return _nothing


def _kill_and_pause(nodes: Nodes, chance: Random) -> Undo:
    killed, paused = chance.sample(nodes.all, 2)
    nodes.kill([killed])
    nodes.send(paused, signal.SIGSTOP)
    return lambda: nodes.send(paused, signal.SIGCONT)


def _kill_and_lose(nodes: Nodes, chance: Random) -> Undo:
    killed, robbed = chance.sample(nodes.all, 2)
    nodes.kill([killed, robbed])
    shutil.rmtree(nodes.home(robbed))
    return _nothing


FAULTS: Final[Mapping[str, Callable[[Nodes, Random], Undo]]] = {
    "a node is killed": _kill_one,
    "two nodes are killed": _kill_two,
    "a node loses its folder": _lose_folder,
    "a stream's leader is killed": _kill_leader,
    "the meta leader is killed": _kill_meta_leader,
    "a node is paused": _pause,
    "a node hangs": _hang,
    "a node is killed, another paused": _kill_and_pause,
    "a node is killed, another loses its folder": _kill_and_lose,
}
