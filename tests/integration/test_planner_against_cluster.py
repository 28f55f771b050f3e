"""The planner's verdict on replicas, placement and limits, compared with a real cluster and with accounts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings

from provisioner.errors import ApiError
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.monitoring import fetch
from tests.support import corpus
from tests.support.cluster_oracle import (
    MB,
    Site,
    changes,
    cluster_sites,
    compare_create,
    compare_update,
    creates,
    few_assets_site,
    is_possible,
    named,
    single_sites,
    tiered_site,
    unique_tag_site,
    with_a_node_down,
)
from tests.support.exploring import explore, explores
from tests.support.nats_cluster import running_cluster
from tests.support.waiting import until

Sites = dict[str, Site]

INSUFFICIENT_RESOURCES = 10023
EXAMPLES = int(os.environ.get("CLUSTER_EXAMPLES", "200"))
CREATES, UPDATES = "cluster_creates", "cluster_updates"
_checks = [HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much]
_generated = settings(max_examples=EXAMPLES, suppress_health_check=_checks)
_fewer = settings(max_examples=EXAMPLES // 2, suppress_health_check=_checks)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    """The accounts of a cluster of this module's own."""
    with cluster_sites(tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    """The same accounts of a single server."""
    with single_sites(tmp_path_factory.mktemp("single")) as made:
        yield made


def _create(sites: Sites, example: dict[str, Any]) -> None:
    with corpus.replayable(CREATES, example):
        compare_create(sites[example["account"]], example)


def _update(sites: Sites, example: dict[str, Any]) -> None:
    site = sites[example["account"]]
    assume(is_possible(site, example))
    with corpus.replayable(UPDATES, example):
        compare_update(site, example)


@given(example=creates())
@_generated
def test_a_configuration_that_a_cluster_refuses_is_a_problem(cluster: Sites, example: dict[str, Any]) -> None:
    """Replicas, placement and the account's limits: what the rules let through is created, all else refused."""
    _create(cluster, example)


@given(example=changes())
@_generated
def test_a_plan_is_what_a_cluster_does(cluster: Sites, example: dict[str, Any]) -> None:
    """A change that is planned as an update is accepted, any other refused; moving and scaling are both among them."""
    _update(cluster, example)


@given(example=creates())
@_fewer
def test_a_configuration_that_a_single_server_refuses_is_a_problem(single: Sites, example: dict[str, Any]) -> None:
    """The same without a cluster: placement means nothing, replicas are refused, the limits are the same."""
    _create(single, example)


@given(example=changes())
@_fewer
def test_a_plan_is_what_a_single_server_does(single: Sites, example: dict[str, Any]) -> None:
    """The same without a cluster."""
    _update(single, example)


@pytest.mark.parametrize("example", corpus.read(CREATES), ids=lambda example: example["why"])
def test_a_configuration_that_was_judged_wrongly_once(cluster: Sites, example: dict[str, Any]) -> None:
    """The verdict and the cluster's answer agree on every committed example."""
    compare_create(cluster[example["account"]], example)


@pytest.mark.parametrize("example", corpus.read(UPDATES), ids=lambda example: example["why"])
def test_a_change_that_was_judged_wrongly_once(cluster: Sites, example: dict[str, Any]) -> None:
    """Plan and cluster agree on every committed example, each of whose old configurations can be created."""
    compare_update(cluster[example["account"]], example)


@pytest.fixture(scope="module")
def tiered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An account with limits by the number of copies."""
    with tiered_site(tmp_path_factory.mktemp("tiered")) as made:
        yield made


@pytest.mark.parametrize("megabytes", [None, 5, 14, 18, 60])
@pytest.mark.parametrize("replicas", [1, 2, 3])
def test_a_tier_is_for_streams_of_so_many_copies(tiered: Site, replicas: int, megabytes: int | None) -> None:
    """Each copy counts once in it; without a tier for them there is no such stream."""
    size = {} if megabytes is None else {"max_bytes": megabytes * MB}
    compare_create(tiered, {"config": {"num_replicas": replicas, **size}})


@pytest.fixture(scope="module")
def zones(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A cluster whose ``unique_tag`` is the zone."""
    with unique_tag_site(tmp_path_factory.mktemp("zones")) as made:
        yield made


@pytest.mark.parametrize("tags", [[], ["ssd"], ["big"], ["az:b"], ["!az:b"], ["!ssd"], ["az:b", "big"]])
@pytest.mark.parametrize("replicas", [1, 2, 3])
def test_no_two_replicas_have_the_same_unique_tag(zones: Site, replicas: int, tags: list[str]) -> None:
    """Unless the placement asks for such a tag itself."""
    placement = {"placement": {"tags": tags}} if tags else {}
    compare_create(zones, {"config": {"num_replicas": replicas, **placement}})


@pytest.mark.parametrize(("before", "after"), [(1, 2), (1, 3), (2, 3)])
def test_growth_needs_unique_tags_too(zones: Site, before: int, after: int) -> None:
    """The replicas that are there count."""
    compare_update(zones, {"old": {"num_replicas": before}, "new": {"num_replicas": after}})


def test_a_server_has_so_many_streams_with_replicas(tmp_path: Path) -> None:
    """``max_ha_assets``, by what the monitoring counts without the meta group; copies that are there count already."""
    with few_assets_site(tmp_path, most=2) as site:
        _fill(site, "FIRST", 1)
        compare_create(site, {"config": {"num_replicas": 3}})
        compare_update(site, {"old": {"num_replicas": 1}, "new": {"num_replicas": 3}})
        _fill(site, "SECOND", 2)
        for replicas in (1, 2, 3):
            compare_create(site, {"config": {"num_replicas": replicas}})
        held = site.client.stream("SECOND")
        assert held
        assert () == site.verdict({**held.config, "description": "more"}, held.config).knowing
        single, triple = (named("SINGLE", subjects=["single"], num_replicas=copies) for copies in (1, 3))
        site.client.create(single)
        with pytest.raises(ApiError, match="insufficient resources") as refused:
            site.client.update(triple)
        assert INSUFFICIENT_RESOURCES == refused.value.code
        assert site.verdict(triple, single).knowing


def _fill(site: Site, name: str, assets: int) -> None:
    """Make a stream on every node, and wait until each counts it."""
    site.client.create(named(name, subjects=[f"{name}.>"], num_replicas=3))
    counted = {assets + 1}  # and the meta group
    until(f"each node has {name}", lambda: counted == {_assets(url) for url in site.monitor_urls})


def _assets(monitor_url: str) -> int:
    answer = fetch(monitor_url, ["/varz"])["/varz"].body
    return int(answer["jetstream"]["stats"].get("ha_assets", 0))


@pytest.mark.parametrize("replicas", [1, 2, 3])
def test_a_node_that_the_leader_has_not_seen_gets_nothing(half: Site, replicas: int) -> None:
    """The others have started anew while it was down; who knows them all says that it is one too few."""
    compare_create(half, {"config": {"num_replicas": replicas}})


def test_a_node_that_the_leader_has_seen_is_chosen_though_it_is_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of three are a majority: the plan has nothing against it, and the answer is waited for during an election."""
    with running_cluster(tmp_path) as cluster:
        cluster.kill(2)
        with with_a_node_down(cluster) as site:
            config = named("NEW", subjects=["new"], num_replicas=3)
            site.verdict(config).is_accepted()
            monkeypatch.setattr(JetStream.request, "__defaults__", (None, 0.001))
            assert 3 == site.client.create(config).config["num_replicas"]


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two nodes of three that have started anew without the third."""
    with running_cluster(tmp_path_factory.mktemp("half")) as cluster:
        for node in range(cluster.size):
            cluster.kill(node)
        for node in range(cluster.size - 1):
            cluster.start_node(node)
        cluster.wait()
        with with_a_node_down(cluster) as site:
            yield site


class TestExplore:
    """Examples that no run has seen."""

    pytestmark = explores()

    def test_creates(self, cluster: Sites) -> None:
        """Verdict and cluster agree on new configurations."""
        explore(lambda example: _create(cluster, example), creates(), share=0.2)

    def test_updates(self, cluster: Sites) -> None:
        """Plan and cluster agree on new changes."""
        explore(lambda example: _update(cluster, example), changes(), share=0.2)
