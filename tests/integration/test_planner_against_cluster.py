"""The planner's verdict on replicas, placement and limits, compared with a real cluster and with accounts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings

from tests.support import corpus
from tests.support.cluster_oracle import (
    MB,
    Site,
    changes,
    cluster_sites,
    compare_create,
    compare_update,
    creates,
    is_possible,
    single_sites,
    tiered_site,
    unique_tag_site,
)
from tests.support.exploring import explore, explores

Sites = dict[str, Site]

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


class TestExplore:
    """Examples that no run has seen."""

    pytestmark = explores()

    def test_creates(self, cluster: Sites) -> None:
        """Verdict and cluster agree on new configurations."""
        explore(lambda example: _create(cluster, example), creates(), share=0.2)

    def test_updates(self, cluster: Sites) -> None:
        """Plan and cluster agree on new changes."""
        explore(lambda example: _update(cluster, example), changes(), share=0.2)
