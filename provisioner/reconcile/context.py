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

Key: TypeAlias = tuple[str, str | None, Credentials, str]

_LOCK: Final = threading.Lock()
_CONTEXTS: Final[dict[Key, Context]] = {}
_RUNS: Final[dict[str, RunState]] = {}


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


def context(url: str, monitor_url: str | None, credentials: Credentials, of: str = "") -> Context:
    """The process's context for a server: the same one for all threads.

    Args:
        url: where clients connect.
        monitor_url: its HTTP monitoring, None if there is none.
        credentials: how to log in.
        of: what a program with several servers calls this one; the streams of each are known by themselves.
    """
    key = (url, monitor_url, credentials, of)
    run = this_run(of)
    with _LOCK:
        if key not in _CONTEXTS:
            view = ServerView(url, monitor_url, credentials)
            view.known_login = run.own_login
            view.renewed_login = lambda _refused: run.own_login()
            _CONTEXTS[key] = Context(view, run)
        return _CONTEXTS[key]


def this_run(of: str = "") -> RunState:
    """What the process knows of its run; of the servers that a program has names for, each has one of its own."""
    with _LOCK:
        return _RUNS.setdefault(of, RunState())


def close_all() -> None:
    """End the process's connections and forget what it knows. Idempotent."""
    with _LOCK:
        for each in _CONTEXTS.values():
            each.server.close()
        _CONTEXTS.clear()
        _RUNS.clear()
