"""The planner's verdict on replicas, placement and an account's limits, compared with what real servers do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st

from provisioner.errors import ApiError
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.plan.diff import Effect, differences, plan
from provisioner.rules.normalise import update_request
from provisioner.rules.server_limits import surrounding_problems
from provisioner.rules.stream_config import create_problems
from provisioner.schema.model import ServerFacts, StreamConfig
from tests.support.configurations import NAME, wire_config
from tests.support.jwt import operator
from tests.support.nats_cluster import NatsCluster, running_cluster
from tests.support.nats_server import NatsServer, running
from tests.support.streams import delete
from tests.support.waiting import until

MB: Final = 10**6
# No suitable peers, no storage, no memory: which servers there are, with which tags and how much room, only
# their monitoring tells.
UNKNOWABLE: Final = (10005, 10047, 10028)

TAGS: Final = (("ssd", "az:a"), ("ssd", "az:b"), ("Big", "az:c"))
# What an account may have; each holds the stream OTHER, of 10 MB.
ACCOUNTS: Final = {
    "free": "enabled",
    "limited": "{ max_file: 50MB, max_mem: 20MB, max_consumers: 5, max_bytes_required: true }",
    "full": "{ max_streams: 1 }",
    "small": "{ max_file: 50MB, disk_max_stream_bytes: 15MB, mem_max_stream_bytes: 1MB }",
}
_TIER: Final = {"mem_storage": -1, "disk_storage": 50 * MB, "streams": 2, "consumer": -1}
TIERS: Final = {"R1": {**_TIER, "disk_max_stream_bytes": 15 * MB}, "R3": {**_TIER, "disk_storage": 25 * MB}}
_USERS: Final = (
    f"{name} {{ jetstream: {limits}, users: [{{ user: {name}, password: {name} }}] }}"
    for name, limits in ACCOUNTS.items()
)
_LOGIN: Final = {"user": "free", "password": "free"}
_EXTRA: Final = f"accounts {{ {', '.join(_USERS)} }}"


@dataclass(frozen=True)
class Site:
    """One account of a cluster or a single server.

    Attributes:
        server: the cluster or the server.
        monitor_urls: of every server.
        client: the program's, logged in to the account.
        others: the account's other streams.
    """

    server: NatsServer | NatsCluster = field(repr=False)
    monitor_urls: list[str] = field(repr=False)
    client: JetStream = field(repr=False)
    others: Mapping[str, StreamConfig] = field(repr=False)

    def facts(self, servers: int) -> ServerFacts:
        """What can be known if this many servers' monitoring is asked."""
        facts = self.client.facts(",".join(self.monitor_urls[:servers]) or None)
        return replace(facts, others=self.others)

    def verdict(self, config: StreamConfig, replacing: StreamConfig | None = None) -> Verdict:
        """The planner's problems with a configuration, by how much it knows."""
        *less, all_of_it = (
            tuple(map(str, surrounding_problems(config, self.facts(servers), replacing)))
            for servers in sorted({0, 1, len(self.monitor_urls)})
        )
        return Verdict(all_of_it, tuple(less))

    def delete(self) -> None:
        """Delete the stream and wait until its files are gone."""
        delete(self.client, self.server, NAME)


@dataclass(frozen=True)
class Verdict:
    """The problems that a planner has who knows all servers, and those of planners who know fewer or none."""

    knowing: tuple[str, ...]
    guessing: tuple[tuple[str, ...], ...]

    def is_refused(self, error: ApiError) -> None:
        """Who knows all has a problem too; the others have one unless it is about what they cannot know."""
        assert self.knowing, f"the planner has no problem with it, the server refuses it: {error}"
        unknowable = error.code in UNKNOWABLE
        assert unknowable or all(self.guessing), f"needs no monitoring, and is not judged without: {error}"

    def is_accepted(self) -> None:
        """Nobody has a problem."""
        assert {()} == {self.knowing, *self.guessing}, "the server takes it, the planner refuses it"


@contextmanager
def cluster_sites(folder: Path) -> Iterator[dict[str, Site]]:
    """Each account of a cluster of three nodes with tags."""
    with running_cluster(folder, tags=TAGS, extra=_EXTRA, login=_LOGIN) as cluster, ExitStack() as stack:
        yield {name: _site(cluster, name, cluster.monitor_urls, stack) for name in ACCOUNTS}


@contextmanager
def single_sites(folder: Path) -> Iterator[dict[str, Site]]:
    """Each account of a single server with tags."""
    with running(folder, f'{_EXTRA}\nserver_tags: ["ssd"]') as server, ExitStack() as stack:
        yield {name: _site(server, name, [server.monitor_url], stack) for name in ACCOUNTS}


@contextmanager
def tiered_site(folder: Path) -> Iterator[Site]:
    """An account of a cluster whose limits are by the number of copies, as only a JWT can have them."""
    trusted, creds = operator({"tiered_limits": TIERS}), folder / "user.creds"
    creds.write_text(trusted.creds)
    login = {"user_credentials": str(creds)}
    with (
        running_cluster(folder, tags=TAGS, extra=trusted.config, login=login) as cluster,
        closing(JetStream(cluster.url, Credentials(credentials=str(creds)))) as client,
    ):
        info = client.create(named("OTHER", subjects=["other.>"], max_bytes=10 * MB, num_replicas=3))
        yield Site(cluster, cluster.monitor_urls, client, {"OTHER": info.config})


@contextmanager
def unique_tag_site(folder: Path) -> Iterator[Site]:
    """A cluster that puts no two replicas on nodes with the same tag of one kind; two nodes are in the same zone."""
    tags = (("ssd", "az:a"), ("ssd", "az:b"), ("Big", "AZ:b"))
    only = 'max_file_store: 1GB, max_mem: 100MB, unique_tag: "az:"'
    with (
        running_cluster(folder, tags=tags, jetstream=only) as cluster,
        closing(JetStream(cluster.url, Credentials())) as client,
    ):
        yield Site(cluster, cluster.monitor_urls, client, {})


@contextmanager
def few_assets_site(folder: Path, most: int) -> Iterator[Site]:
    """A cluster in which each server has so many streams with replicas at most."""
    only = f"max_file_store: 1GB, max_mem: 100MB, limits: {{ max_ha_assets: {most} }}"
    with (
        running_cluster(folder, jetstream=only) as cluster,
        closing(JetStream(cluster.url, Credentials())) as client,
    ):
        yield Site(cluster, cluster.monitor_urls, client, {})


@contextmanager
def with_a_node_down(cluster: NatsCluster) -> Iterator[Site]:
    """What is left of a cluster one of whose nodes has been killed, for a client that comes now."""
    running = [cluster.nodes[number] for number in cluster.running()]
    with closing(JetStream(",".join(node.url for node in running), Credentials())) as client:
        yield Site(cluster, cluster.monitor_urls, client, {})


def _site(server: NatsServer | NatsCluster, account: str, monitor_urls: list[str], stack: ExitStack) -> Site:
    client = stack.enter_context(closing(JetStream(server.url, Credentials(account, account))))
    info = client.create(named("OTHER", subjects=[f"{account}.>"], max_bytes=10 * MB))
    return Site(server, monitor_urls, client, {"OTHER": info.config})


def named(name: str, **fields: Any) -> StreamConfig:
    """A stream beside the generated one."""
    return {**wire_config(**fields), "name": name}


_PLACEMENTS: Final[tuple[dict[str, Any] | None, ...]] = (
    None,
    {},
    {"cluster": "C"},
    {"cluster": "c"},
    {"cluster": "elsewhere"},
    {"tags": ["ssd"]},
    {"tags": ["SSD"]},
    {"tags": ["big"]},
    {"tags": ["none"]},
    {"tags": ["ssd", "az:a"]},
    {"tags": ["ssd", "az:c"]},
    {"tags": ["!ssd"]},
    {"tags": ["!az:a"]},
    {"tags": [""]},
    {"cluster": "C", "tags": ["ssd"]},
    {"cluster": "elsewhere", "tags": ["ssd"]},
    {"preferred": "n0"},
)
_PLACED: Final = {
    "num_replicas": st.sampled_from([1, 1, 2, 3, 3, 4, 5]),
    "placement": st.one_of(st.none(), st.sampled_from(_PLACEMENTS)),
}
_BESIDE: Final = {
    "storage": st.sampled_from(["file", "memory"]),
    "retention": st.sampled_from(["limits", "interest", "workqueue"]),
    "max_bytes": st.sampled_from([-1, 1000, 5 * MB, 12 * MB, 14 * MB, 18 * MB, 30_000 * MB]),
    "max_consumers": st.sampled_from([-1, 3, 7]),
    "persist_mode": st.sampled_from(["default", "async"]),
    "subjects": st.sampled_from([["a.>"], [">"]]),
    "no_ack": st.booleans(),
    "description": st.sampled_from(["", "hello"]),
    "sealed": st.booleans(),
    "first_seq": st.sampled_from([0, 10]),
}


@st.composite
def _fields(draw: st.DrawFn, most: int) -> dict[str, Any]:
    chosen = draw(st.lists(st.sampled_from(sorted(_BESIDE)), max_size=most, unique=True))
    return {name: draw(strategy) for name, strategy in {**_PLACED, **{key: _BESIDE[key] for key in chosen}}.items()}


_accounts = st.sampled_from(["free", "free", "limited", "small", "full"])


def creates() -> st.SearchStrategy[dict[str, Any]]:
    """Configurations as a line of the corpus has them, each with its account."""
    return st.fixed_dictionaries({"account": _accounts, "config": _fields(3)})


@st.composite
def changes(draw: st.DrawFn) -> dict[str, Any]:
    """Pairs of configurations, the old one mostly possible, the new one with one to three fields changed."""
    old = {"num_replicas": draw(st.sampled_from([1, 1, 2, 3])), **draw(_some(_BESIDE, 0, 2))}
    placement = draw(st.sampled_from([None, None, {"cluster": "C"}, {"tags": ["ssd"]}, {"tags": ["big"]}]))
    new = draw(st.one_of(_some(_PLACED, 1, 2), _some({**_PLACED, **_BESIDE}, 1, 3)))
    old |= {"placement": placement}
    account = draw(st.sampled_from(["free", "free", "limited", "small"]))
    if account == "limited" and draw(st.integers(0, 9)):
        old = {"max_bytes": 5 * MB, **old}
    return {"account": account, "old": old, "new": {**old, **new}}


@st.composite
def _some(draw: st.DrawFn, table: Mapping[str, st.SearchStrategy[Any]], fewest: int, most: int) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from(sorted(table)), min_size=fewest, max_size=most, unique=True))
    return {name: draw(table[name]) for name in names}


def _config(fields: Mapping[str, Any]) -> StreamConfig:
    return wire_config(**{"subjects": ["a.>"], **fields})


def is_possible(site: Site, example: Mapping[str, Any]) -> bool:
    """Whether the planner lets the old configuration of a change be created."""
    old = _config(example["old"])
    return not create_problems(old) and not site.verdict(old).knowing


def compare_create(site: Site, example: Mapping[str, Any]) -> None:
    """What the rules let through is created; all else is refused."""
    config = _config(example["config"])
    alone, verdict = create_problems(config), site.verdict(config)
    try:
        info = site.client.create(config)
    except ApiError as error:
        if not alone:
            verdict.is_refused(error)
        return
    site.delete()
    assert [] == alone, "the server creates it, the planner refuses it"
    verdict.is_accepted()
    assert () == differences(info.config, config), "the server made something else of it"


def compare_update(site: Site, example: Mapping[str, Any]) -> None:
    """An update is accepted, all else refused as an update."""
    site.client.create(_config(example["old"]))
    try:
        until("it is led", lambda: _is_led(site.client))
        _compare_live(site, _config(example["new"]))
    finally:
        site.delete()


def _compare_live(site: Site, desired: StreamConfig) -> None:
    info = site.client.stream(NAME)
    assert info
    planned = plan(info.config, desired)
    if planned.effect is Effect.NOTHING:
        return
    verdict = site.verdict(desired, info.config)
    # The one exception: an UPDATE of first_seq is accepted and has no effect, so it needs a new stream.
    without_effect = "first_seq" in [*planned.replaces, *planned.carries]
    try:
        updated = site.client.update(update_request(desired))
    except ApiError as error:
        if planned.effect is Effect.UPDATE:
            verdict.is_refused(error)
        return
    assert planned.effect is Effect.UPDATE or without_effect, f"the server updates it, planned: {planned}"
    verdict.is_accepted()
    assert () == differences(updated.config, desired) or without_effect, "the server made something else of it"


def _is_led(client: JetStream) -> bool:
    """Whether a replicated stream has a leader; any other needs none."""
    return bool(client.request(f"STREAM.INFO.{NAME}").get("cluster", {"leader": NAME}).get("leader"))
