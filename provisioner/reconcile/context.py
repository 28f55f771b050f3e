"""One server in one run: what preflight and apply work with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.reconcile.run_state import RunState
from provisioner.reconcile.server_view import ServerView
from provisioner.schema.model import ServerFacts


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
        infos, specs = self.server.streams(), self.run.catalogue()
        staying = {
            name: config
            for name, config in facts.others.items()
            if name in specs or not (name in infos and self.run.gives_up(name, infos[name]))
        }
        ours = {name: specs[name].config for name in staying if name in specs and self.run.is_ours(name)}
        return replace(facts, others={**staying, **ours})


@cache
def context(url: str, monitor_url: str | None, credentials: Credentials) -> Context:
    """The process's context for a server."""
    return Context(ServerView(url, monitor_url, credentials))
