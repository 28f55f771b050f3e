"""What one run of Pulumi knows of its own streams.

Pulumi calls a provider for one resource at a time. What a stream's plan needs to know of the others
is gathered from the calls before it, so their order matters:

1. ``read``, for every stream in the state, then ``diff`` of what was read against the state, before the
   program runs (``refresh: always``).
2. ``check`` of the estate, on which every other resource depends: it has the whole program, so
   nothing of the run has been touched when it refuses. After a change of the settings it is another
   process that is called from here on: it learns from the state what the first one has read.
3. ``check``, then ``diff`` of a stream that is in the state. Several streams at once. A replacement
   is checked a second time, with empty olds, after its diff.
4. ``create`` or ``update``, at the earliest when the stream's own check and diff are over; other
   streams may still be checked. A replacement is deleted before it is created.
5. ``delete`` of what left the program, after everything else.

A destroy refreshes and deletes, without a program and a check. A run with ``--target`` makes the calls
of its targets and no others. ``tests/e2e/test_call_order.py`` holds the engine to this.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from provisioner.jetstream.target import Credentials
from provisioner.reconcile.program import Program
from provisioner.rules.same_stream import is_same
from provisioner.schema.consumer_model import ConsumerSpec
from provisioner.schema.model import OnDelete, StreamConfig, StreamInfo, StreamSpec


@dataclass(frozen=True)
class Data:
    """Where a stream of the state is: a server, and the name of the data behind it."""

    url: str
    monitor_url: str | None
    store: str


class RunState:
    """Names and policies of one run; written by Pulumi's calls, read by all plans.

    A stream is known by its name and the moment of its creation: wherever it is asked for, no other is taken for it.

    Attributes:
        backup_to: the stack's folder for copies of streams that lose messages.
        transferring: held while subjects move between streams.
        specs: the streams of the program as they are wanted; None while no program has run.
        program: what the program wants; None while none has run.
        consumers_in_state: the consumers of the state by stream and name.
        past_gate: the streams, and labels of consumers, that have had their preflight from the estate.
        own_store: the data of a server of the stack's own, and whether it goes with the server.
        login: how the stack's own server lets this program in, where it asks; known once the run has seen its key.
        trusted: the certificates, in PEM, that the stack's own server is known by, or will be when the run is over.
        carry_rate: bytes per second at which a stream was carried over the last time; None before the first.
    """

    def __init__(self) -> None:
        self.backup_to: str | None = None
        self.login: Credentials | None = None
        self.trusted: frozenset[str] = frozenset()
        self._backup_is_wanted = False
        self.transferring = threading.RLock()
        self.program: Program | None = None
        self.past_gate: frozenset[str] = frozenset()
        self._program_runs = False
        self._checked: set[str] = set()
        self._policies: dict[str, OnDelete] = {}
        self._ours: set[tuple[str, str | None]] = set()
        self._known: dict[str, str | None] = {}
        self._made: set[tuple[str, str]] = set()
        self._configs: dict[str, StreamConfig] = {}
        self._last_set: dict[str, StreamConfig] = {}
        self._servers: dict[str, tuple[str, str | None]] = {}
        self.own_store: tuple[Data, bool] | None = None
        self.carry_rate: int | None = None
        self._data: dict[str, Data] = {}
        self.consumers_in_state: dict[str, ConsumerSpec] = {}

    def trust(self, certificates: str) -> None:
        """Note whom to trust where the stack's own server speaks TLS."""
        self.trusted |= {certificates}

    def own_login(self) -> Credentials | None:
        """How the stack's own server is met, as far as this run has learned; None before it has."""
        if not self.login and not self.trusted:
            return None
        return replace(self.login or Credentials(), trusted="\n".join(sorted(self.trusted)) or None)

    def on_read(
        self,
        name: str,
        on_delete: OnDelete,
        created: str | None,
        last_set: StreamConfig | None = None,
        data: Data | None = None,
    ) -> None:
        """Note a stream of the state."""
        self._policies.setdefault(name, on_delete)  # a check knows the new one
        self._know(name, created)
        if last_set:
            self._last_set[name] = last_set
        if data:
            self._data[name] = data

    def on_config(self, name: str, config: StreamConfig) -> None:
        """Note a stream's configuration in the state, though a run may since have changed it and been killed."""
        self._configs[name] = config

    def in_state(self) -> Mapping[str, tuple[Data, OnDelete]]:
        """Where each stream of the state is, and its policy."""
        return {name: (data, self._policies[name]) for name, data in self._data.items()}

    def data(self, name: str) -> Data | None:
        """Where a stream of the state is."""
        return self._data.get(name)

    def own_data(self) -> str | None:
        """The name that the state's streams have for the data of the stack's own server; None where it is not one."""
        names = {data.store for data in self._data.values() if data.store != data.url}
        return names.pop() if len(names) == 1 else None

    def on_store_read(self, data: Data, *, removed_with_server: bool) -> None:
        """Note the data of a server of the stack's own."""
        self.own_store = (data, removed_with_server)

    @property
    def specs(self) -> Mapping[str, StreamSpec] | None:
        return self.program.specs if self.program else None

    def on_program(self, program: Program) -> None:
        """Note what the program wants; a destroy has none."""
        self.program = program

    def on_program_runs(self) -> None:
        """Note that a program runs, though it may be that no check shows it."""
        self._program_runs = True

    def on_backup_to(self, folder: str | None, *, wanted: bool) -> None:
        """Note the stack's folder for copies: what the program wants counts, whatever the state still has."""
        if wanted or not self._backup_is_wanted:
            self.backup_to, self._backup_is_wanted = folder, wanted

    def on_gate_passed(self) -> None:
        """Note that every stream and consumer which is known by now has had its preflight."""
        if self.program:
            self.past_gate = frozenset((*self.program.specs, *(each.label for each in self.program.consumers)))

    def on_check(self, name: str, on_delete: OnDelete | None, *, in_state: bool) -> None:
        """Note the policy that a stream of the state gets in this run; a destroy checks nothing."""
        self._checked.add(name)
        if in_state and on_delete:
            self._policies[name] = on_delete
            if not self.has_read(name):
                self._know(name, None)

    def on_created_known(self, name: str, created: str) -> None:
        """Note when the stream of the state was created, whatever was assumed before."""
        self._ours.discard((name, None))
        self._know(name, created)

    def _know(self, name: str, created: str | None) -> None:
        self._ours.add((name, created))
        self._known[name] = self._known.get(name) or created

    def on_made(self, info: StreamInfo) -> None:
        """Note a stream that this run has created, changed or taken over, for whichever resource."""
        name = str(info.config["name"])
        self._made.add((name, info.created))
        self._policies.setdefault(name, OnDelete.GUARD)
        self.on_created_known(name, info.created)

    def on_consumer_read(self, spec: ConsumerSpec) -> None:
        """Note a consumer of the state."""
        self.consumers_in_state[spec.label] = spec

    def owns_consumer(self, spec: ConsumerSpec) -> bool:
        """Whether the state has this consumer: on its stream, or on the one whose messages that takes over.

        Whoever has made the one on the server: services make theirs anew as a matter of course.
        """
        stream = (self.specs or {}).get(spec.stream)
        labels = {spec.label, f"{stream.renamed_from if stream else ''}/{spec.name}"}
        return bool(labels & self.consumers_in_state.keys())

    def consumers_of_others(self, info: StreamInfo) -> int:
        """How many consumers a stream has that the state does not."""
        ours = sum(spec.stream == info.config["name"] for spec in self.consumers_in_state.values())
        return max(info.consumers - ours, 0)

    def on_server(self, store: str, url: str, monitor_url: str | None) -> None:
        """Note where the server of a store is now; what is deleted last has its old place."""
        self._servers[store] = (url, monitor_url)

    def server_of(self, store: str | None) -> tuple[str, str | None] | None:
        """Where the server of a store is now, if this run has found out."""
        return self._servers.get(store) if store else None

    def has_read(self, name: str) -> bool:
        """Whether this run knows the stream of the state."""
        return name in self._known

    def has_made(self, info: StreamInfo) -> bool:
        """Whether the stream belongs to a resource of this up, under whatever name."""
        return self.is_up() and _is_among(self._made, str(info.config["name"]), info)

    def is_up(self) -> bool:
        """Whether a program runs: an up or a preview, no destroy."""
        return bool(self._program_runs or self._checked or self.program is not None)

    def is_wanted(self, name: str) -> bool:
        """Whether the program has the stream, as far as this run has seen the program."""
        return name in self._checked or bool(self.program and self.program.may_have(name))

    def is_renamed(self, name: str) -> bool:
        """Whether a stream of the program takes over the messages of the one of this name."""
        return any(spec.renamed_from == name for spec in (self.specs or {}).values())

    def is_ours(self, name: str, info: StreamInfo) -> bool:
        """Whether the stream on the server is the one in the state, or this run has made it."""
        return (name, None) in self._ours or _is_among(self._ours, name, info)

    def last_set(self, name: str) -> StreamConfig | None:
        """A stream's configuration as the last up left it."""
        return self._last_set.get(name)

    def config(self, name: str) -> StreamConfig | None:
        """A stream's configuration in the state."""
        return self._configs.get(name)

    def created(self, name: str) -> str | None:
        """When the stream of the state was created, as far as this run knows."""
        return self._known.get(name)

    def has_in_state(self, name: str) -> bool:
        """Whether the state has a stream of this name, whenever it was created."""
        return name in self._policies

    def gives_up(self, name: str, info: StreamInfo) -> bool:
        """Whether a stream will not keep its subjects: one of ours, with others wanted or to be deleted."""
        if self.program is None or not self.is_ours(name, info):
            return False
        if name in self.program.specs or self.is_renamed(name):
            return True
        if self.program.may_have(name):
            return False
        policies = {OnDelete.DELETE, OnDelete.GUARD} if info.is_empty else {OnDelete.DELETE}
        return self._policies[name] in policies


def _is_among(streams: Collection[tuple[str, str | None]], name: str, info: StreamInfo) -> bool:
    """Whether a stream is one of those, each a name and when it was created; other threads may add some."""
    return (name, info.created) in streams or any(one == name and is_same(at, info) for one, at in tuple(streams))
