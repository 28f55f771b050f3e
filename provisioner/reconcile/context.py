"""One server in one run: what preflight and apply work with."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.reconcile.run_state import RunState
from provisioner.reconcile.server_view import ServerView
from provisioner.schema.model import ServerFacts

Key: TypeAlias = tuple[str, str | None, Credentials]

_LOCK: Final = threading.Lock()
_CONTEXTS: Final[dict[Key, Context]] = {}
_RUN: Final = [RunState()]


@dataclass(frozen=True)
class Context:
    """A server as it is seen, and the run that works on it."""

    server: ServerView
    run: RunState = field(default_factory=RunState)

    def client(self) -> JetStream:
        """The server's connection."""
        return self.server.client()

    def facts_after(self, facts: ServerFacts) -> ServerFacts:
        """The server as this run leaves it: our streams as they are wanted, without those that go."""
        infos, specs = self.server.streams(), self.run.specs or {}
        staying = {
            name: config
            for name, config in facts.others.items()
            if name in specs or not (name in infos and self.run.gives_up(name, infos[name]))
        }
        ours = {
            name: specs[name].config
            for name in staying
            if name in specs and name in infos and self.run.is_ours(name, infos[name])
        }
        return replace(facts, others={**staying, **ours})


def context(url: str, monitor_url: str | None, credentials: Credentials) -> Context:
    """The process's context for a server: the same one for all threads. All servers are in the one run."""
    key = (url, monitor_url, credentials)
    with _LOCK:
        if key not in _CONTEXTS:
            view, run = ServerView(*key), _RUN[0]
            view.known_login = run.own_login
            view.renewed_login = lambda _refused: run.own_login()
            _CONTEXTS[key] = Context(view, run)
        return _CONTEXTS[key]


def this_run() -> RunState:
    """What the process knows of its run, whichever server a resource is on."""
    return _RUN[0]


def close_all() -> None:
    """End the process's connections and forget what it knows. Idempotent."""
    with _LOCK:
        for each in _CONTEXTS.values():
            each.server.close()
        _CONTEXTS.clear()
        _RUN[0] = RunState()
