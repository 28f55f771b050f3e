"""The servers of a campaign: two that are there already, behind proxies, and two folders for the stack's own."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from nats.errors import Error as NatsError

from provisioner.local_server import server_dir
from tests.support.campaign.ledger import Held
from tests.support.campaign.model import EXTERNAL, PROCESS, World
from tests.support.faults.proxy import Proxy, proxied
from tests.support.nats_server import NatsServer, running
from tests.support.ports import free_port
from tests.support.raw_nats import RawClient, raw_client
from tests.support.waiting import until

_ANSWERS_S: Final = 20.0


@dataclass(frozen=True)
class External:
    """A server that is there already."""

    server: NatsServer
    proxy: Proxy

    @property
    def urls(self) -> tuple[str, ...]:
        return (self.server.url,)

    @property
    def pid(self) -> int | None:
        return self.server.process.pid if self.server.process else None

    def settings(self, _world: World) -> dict[str, Any]:
        return {"server": "external", "url": self.proxy.url}

    def recover(self) -> None:
        """Have it run again."""
        if self.server.process and self.server.process.poll() is not None:
            self.server.start()


@dataclass(frozen=True)
class Own:
    """A folder in which the stack runs a server.

    Attributes:
        folder: its folder.
        ports: two pairs of client's and monitoring port.
    """

    folder: Path
    ports: tuple[tuple[int, int], ...] = field(
        default_factory=lambda: ((free_port(), free_port()), (free_port(), free_port()))
    )

    @property
    def urls(self) -> tuple[str, ...]:
        return tuple(f"nats://127.0.0.1:{client}" for client, _monitor in self.ports)

    @property
    def pid(self) -> int | None:
        record = server_dir.read(server_dir.ServerDir(self.folder))
        return record.process.pid if record and record.process and record.is_alive() else None

    def settings(self, world: World) -> dict[str, Any]:
        client, monitor = self.ports[world.shifted]
        return {"server": "process", "clientPort": client, "monitorPort": monitor, "storeDir": str(self.folder)}

    def recover(self) -> None:
        """The next up has it run again."""

    def keeps(self, stream: str) -> bool:
        """Whether the folder has a stream's files, with no server on them."""
        return any(self.folder.glob(f"data/jetstream/*/streams/{stream}/msgs"))


Place = External | Own


@dataclass(frozen=True)
class Places:
    """All of them, by name."""

    all: dict[str, Place]

    def configuration(self, world: World) -> dict[str, Any]:
        """The stack's settings for a world."""
        own = self.all[world.place].settings(world)
        return {**own, "onDelete": world.on_delete, "catalogue": "streams.yaml"}

    def send(self, place: str, what: signal.Signals) -> bool:
        """Send a signal to a server; whether it ran."""
        pid = self.all[place].pid
        if pid is None:
            return False
        try:
            os.kill(pid, what)
        except ProcessLookupError:
            return False
        target = self.all[place]
        if what is signal.SIGKILL and isinstance(target, External) and target.server.process:
            target.server.process.wait(_ANSWERS_S)
        return True

    def url(self, place: str) -> str | None:
        """Where the server there listens now."""
        target = self.all[place]
        if isinstance(target, External):
            return target.server.url
        record = server_dir.read(server_dir.ServerDir(target.folder))
        return f"nats://127.0.0.1:{record.ports[0]}" if record and target.pid else None

    def recover(self) -> None:
        """Every server goes on."""
        for name, place in self.all.items():
            self.send(name, signal.SIGCONT)
            place.recover()

    def infos(self, place: str) -> dict[str, dict[str, Any]] | None:
        """Every stream in the server's own words; None where no server runs."""
        url = self.url(place)
        return until(f"{place} answers", lambda: _infos(url), _ANSWERS_S)[0] if url else None

    def wipe(self, place: str, keep: set[str]) -> list[str]:
        """Delete what is not to stay, as somebody who tidies up; the names of it."""
        names = sorted(set(self.infos(place) or {}) - keep)
        if names and (url := self.url(place)):
            with raw_client(url) as raw:
                for name in names:
                    raw.ask(f"STREAM.DELETE.{name}")
        return names

    def end(self) -> None:
        """No server of the stack's own outlives the campaign."""
        for name, place in self.all.items():
            self.send(name, signal.SIGCONT)
            if isinstance(place, Own):
                self.send(name, signal.SIGKILL)
                shutil.rmtree(place.folder, ignore_errors=True)


@contextmanager
def places(folder: Path) -> Iterator[Places]:
    """The campaign's servers; ended, whatever happens."""
    with ExitStack() as stack:
        externals: dict[str, Place] = {}
        for name in EXTERNAL:
            server = stack.enter_context(running(folder / name))
            externals[name] = External(server, stack.enter_context(proxied(server.ports[0])))
        made = Places({**externals, **{name: Own(folder / name) for name in PROCESS}})
        stack.callback(made.end)
        yield made


def held(info: dict[str, Any]) -> Held:
    """What an account of messages needs of a stream."""
    state = info["state"]
    # An empty stream's first sequence is the next one it will give.
    last = state["last_seq"] if state["messages"] else 0
    return Held(instant(info["created"]), state["first_seq"], last, frozenset(state.get("deleted") or ()))


def instant(created: str) -> float:
    """Seconds since the epoch."""
    whole = datetime.fromisoformat(created[:19]).replace(tzinfo=UTC).timestamp()
    return whole + float(f"0.{created[20:].rstrip('Z') or 0}")


def _infos(url: str) -> tuple[dict[str, dict[str, Any]]] | None:
    """What it answers, which may be that it has none; None while it does not answer."""
    try:
        with raw_client(url) as raw:
            return ({name: _info(raw, name) for name in raw.stream_names()},)
    except (NatsError, OSError, TimeoutError):
        return None


def _info(raw: RawClient, name: str) -> dict[str, Any]:
    return raw.ask(f"STREAM.INFO.{name}", {"deleted_details": True})
