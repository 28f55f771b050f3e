"""An estate: a server, the data behind it, and the streams a stack manages there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from provisioner.jetstream.address import places
from provisioner.jetstream.target import Credentials
from provisioner.reconcile.context import Context, context
from provisioner.reconcile.run_state import RunState
from provisioner.schema.model import OnDelete

# What a store's name has between the data and the account of the server whose streams are meant.
ACCOUNT_IN_STORE: Final = " account "


@dataclass(frozen=True, kw_only=True)
class Estate:
    """One state of a stack.

    Attributes:
        owns_server: whether the server is the stack's own, not an external one.
        url: where clients connect.
        monitor_url: the server's HTTP monitoring, None if there is none.
        store: names the data behind the server; another name is other data.
        process: what a server of the stack's own runs with; another text restarts it.
        removed_with_server: whether the data goes when the stack no longer has this server.
        policies: what happens to each stream that leaves the stack.
        grown_from: the store whose streams come along without being asked for: a cluster has grown from it.
        nodes: how many servers of the stack's own there are.
        encryption: the cipher of the data, None where it is as it is.
        of: what a program with several servers calls this one.
        login: how to log in, where the stack's settings do not say.
    """

    owns_server: bool
    url: str
    monitor_url: str | None = None
    store: str
    process: str = ""
    removed_with_server: bool = False
    policies: Mapping[str, OnDelete] = field(default_factory=dict)
    grown_from: str | None = None
    nodes: int = 1
    encryption: str | None = None
    of: str = ""
    login: Credentials | None = None

    def shares_address_with(self, other: Estate) -> bool:
        """Whether a client of one may meet the other's server."""
        return not places(self.url).isdisjoint(places(other.url))

    def takes_along(self, other: Estate) -> bool:
        """Whether the other's streams come along without being asked for."""
        return self.grown_from is not None and self.grown_from == data_of(other.store)

    def is_removed_for(self, other: Estate) -> bool:
        """Whether the data is deleted when the other comes in its place; a process that moves leaves its folder."""
        return self.removed_with_server and is_removed(self.store, other.store)

    def is_restarted_for(self, other: Estate) -> bool:
        """Whether the stack's own server stays and is started anew."""
        return bool(self.process) and self.store == other.store and self.process != other.process

    def is_moved_for(self, other: Estate) -> bool:
        """Whether the stack's own server is started on another folder, and the old one stays as it is."""
        return self.store != other.store and not is_removed(self.store, other.store)

    def is_buried_for(self, other: Estate) -> bool:
        """Whether what does not come along stays in a volume that the other shows nobody, and goes with it."""
        return other.removed_with_server and (_kind_of(self.store), _kind_of(other.store)) == ("volume", "volumes")

    def is_cut_by(self, other: Estate) -> bool:
        """Whether TLS is turned on or off for a cluster of containers, whose nodes no reload reaches."""
        same = _kind_of(self.store) == "volumes" and data_of(self.store) == data_of(other.store)
        return same and self.url.startswith("tls:") != other.url.startswith("tls:")

    @property
    def way_to_shrink(self) -> str:
        """What to do where fewer nodes are wanted."""
        if _kind_of(self.store) == "folder":
            return "or set another storeDir as well: STREAMS_MOVE_DATA=yes then takes the streams along"
        return "or move the messages: streams backup, destroy, up, streams restore"

    def context(self, credentials: Credentials) -> Context:
        """The process's context for the estate's server; ``credentials`` are those of the stack's settings."""
        found = context(self.url, self.monitor_url, self.login or credentials, self.of)
        found.server.owned = self.owns_server
        if self.owns_server and (store := found.run.own_data()):
            found.server.store = store
        return found


def is_removed(store: str, other: str) -> bool:
    """Whether a store goes when the other comes in its place.

    A process that moves leaves its folder as it is, and a cluster has what its first server had in the same volume.
    """
    kinds = {_kind_of(store), _kind_of(other)}
    return data_of(store) != data_of(other) and kinds not in ({"folder"}, {"volume", "volumes"})


def data_of(store: str) -> str:
    """A store's name without the account: the folder or volume."""
    return store.partition(ACCOUNT_IN_STORE)[0]


def _kind_of(store: str) -> str:
    """What a store is: a folder, a volume or those of a cluster, or the URL of somebody else's."""
    return store.partition(" ")[0]


def all_old(old: Estate | None, run: RunState) -> list[Estate]:
    """The estate of the last up, and whatever else the state has: that up may have ended half way."""
    estates: dict[str, Estate] = {}
    for each in (*((old,) if old else ()), *_estates_of_state(run)):
        before = estates.get(each.store, each)
        estates[each.store] = replace(before, policies={**each.policies, **before.policies})
    return list(estates.values())


def _estates_of_state(run: RunState) -> Iterator[Estate]:
    """The servers of the state's streams; the data of an external one has its URL for a name."""
    own: dict[str, OnDelete] = {}
    external: dict[str, dict[str, OnDelete]] = {}
    for name, (data, policy) in run.in_state().items():
        (external.setdefault(data.url, {}) if data.store == data.url else own)[name] = policy
    for url, policies in external.items():
        yield Estate(owns_server=False, url=url, store=url, policies=policies)
    if run.own_store:
        data, removed = run.own_store
        yield Estate(
            owns_server=True,
            url=data.url,
            monitor_url=data.monitor_url,
            store=data.store,
            removed_with_server=removed,
            policies=own,
        )
