"""The planner's verdict on consumers, compared with what a real server answers."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from provisioner.errors import UNKNOWN_FIELD
from provisioner.schema.consumer_fields import CONSUMER_FIELDS
from tests.support import corpus
from tests.support.configurations import NAME
from tests.support.consumer_oracle import changes, compare_create, compare_update, creates
from tests.support.exploring import explore, explores
from tests.support.nats_server import binary
from tests.support.planner_oracle import Estate, estate
from tests.support.raw_nats import RawClient, RequestError

EXAMPLES = int(os.environ.get("PLANNER_EXAMPLES", "300"))
CREATES, UPDATES = "consumer_creates", "consumer_updates"
_generated = settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """A server of this module's own."""
    with estate(tmp_path_factory.mktemp("consumers")) as made:
        yield made


def _create(site: Estate, example: dict[str, Any]) -> None:
    with corpus.replayable(CREATES, example):
        compare_create(site, example)


def _update(site: Estate, example: dict[str, Any]) -> None:
    with corpus.replayable(UPDATES, example):
        compare_update(site, example)


@given(example=creates())
@_generated
def test_a_configuration_the_server_refuses_is_a_problem(site: Estate, example: dict[str, Any]) -> None:
    """What the rules let through the server creates without a rewrite we do not know; all else it refuses."""
    _create(site, example)


@given(example=changes())
@_generated
def test_a_plan_is_what_the_server_does(site: Estate, example: dict[str, Any]) -> None:
    """An update is accepted, a replacement refused as an update and accepted anew, an impossible one refused."""
    _update(site, example)


@pytest.mark.parametrize("example", corpus.read(CREATES), ids=lambda example: example["why"])
def test_a_configuration_that_was_judged_wrongly_once(site: Estate, example: dict[str, Any]) -> None:
    """The verdict and the server's answer agree on every committed example."""
    compare_create(site, example)


@pytest.mark.parametrize("example", corpus.read(UPDATES), ids=lambda example: example["why"])
def test_a_change_that_was_judged_wrongly_once(site: Estate, example: dict[str, Any]) -> None:
    """Plan and server agree on every committed example."""
    compare_update(site, example)


class TestExplore:
    """Examples that no run has seen."""

    pytestmark = explores()

    def test_creates(self, site: Estate) -> None:
        """Verdict and server agree on new configurations."""
        explore(lambda example: _create(site, example), creates(), share=0.3)

    def test_updates(self, site: Estate) -> None:
        """Plan and server agree on new changes."""
        explore(lambda example: _update(site, example), changes(), share=0.7)


@pytest.mark.usefixtures("jetstream")
def test_the_server_knows_no_field_that_the_table_lacks(raw: RawClient) -> None:
    """Of all JSON names in the server's binary, it takes exactly these in a consumer's configuration."""
    names = {name.decode() for name in re.findall(rb'json:"([a-z_0-9]+)', Path(binary()).read_bytes())}
    known = {field.name for field in CONSUMER_FIELDS} | {"name", "direct", "sourcing"}

    assert known <= names
    assert _is_known(raw, "description")
    assert [] == sorted(name for name in names - known if _is_known(raw, name))


def _is_known(raw: RawClient, name: str) -> bool:
    body = {"stream_name": NAME, "config": {"durable_name": "c", name: None}}
    try:
        raw.ask(f"CONSUMER.CREATE.{NAME}.c", body)
    except RequestError as error:
        return error.code != UNKNOWN_FIELD
    return True
