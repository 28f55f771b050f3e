"""The planner's verdict, compared with what a real server answers."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings

from provisioner.backup.carry_folder import CARRY_TO
from provisioner.errors import UNKNOWN_FIELD
from provisioner.jetstream.client import JetStream
from provisioner.rules.normalise import update_request
from provisioner.schema.fields import FIELDS
from tests.support import corpus
from tests.support.configurations import NAME, wire_config
from tests.support.exploring import explore, explores
from tests.support.nats_server import binary
from tests.support.planner_oracle import (
    Estate,
    changes,
    compare_create,
    compare_live,
    compare_update,
    creates,
    estate,
    is_possible,
)
from tests.support.raw_nats import RawClient, RequestError
from tests.support.streams import delete

EXAMPLES = int(os.environ.get("PLANNER_EXAMPLES", "600"))
CREATES, UPDATES = "planner_creates", "planner_updates"
_generated = settings(
    max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much]
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """A server of this module's own that holds two other streams."""
    with estate(tmp_path_factory.mktemp("estate")) as made, pytest.MonkeyPatch.context() as patch:
        patch.setenv(CARRY_TO, str(made.server.folder / "carried"))
        yield made


def _create(site: Estate, example: dict[str, Any]) -> None:
    with corpus.replayable(CREATES, example):
        compare_create(site, example)


def _update(site: Estate, example: dict[str, Any]) -> None:
    assume(is_possible(site, example))
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
    """Plan and server agree on every committed example, each of whose old configurations can be created."""
    compare_update(site, example)


def test_a_sealed_stream_takes_further_changes(site: Estate) -> None:
    """Sealing turns denials on that no later request may turn off."""
    site.client.create(wire_config())
    try:
        site.client.update(update_request(wire_config(sealed=True)))
        compare_live(site, wire_config(sealed=True, description="new"))
    finally:
        delete(site.client, site.server, NAME)


class TestExplore:
    """Examples that no run has seen."""

    pytestmark = explores()

    def test_creates(self, site: Estate) -> None:
        """Verdict and server agree on new configurations."""
        explore(lambda example: _create(site, example), creates(), share=0.2)

    def test_updates(self, site: Estate) -> None:
        """Plan and server agree on new changes."""
        explore(lambda example: _update(site, example), changes(), share=0.2)


def test_first_seq_is_accepted_and_has_no_effect(jetstream: JetStream, raw: RawClient) -> None:
    """Why a change of first_seq is planned as a new stream although the server takes the update."""
    jetstream.create(wire_config(first_seq=5))
    updated = jetstream.update(wire_config(first_seq=50))
    raw.publish(NAME)

    assert (50, 5) == (updated.config["first_seq"], raw.info(NAME)["state"]["last_seq"])


@pytest.mark.usefixtures("jetstream")
def test_the_server_knows_no_field_that_the_table_lacks(raw: RawClient) -> None:
    """Of all JSON names in the server's binary, it takes exactly the table's in a stream's configuration."""
    names = {name.decode() for name in re.findall(rb'json:"([a-z_0-9]+)', Path(binary()).read_bytes())}
    known = {field.name for field in FIELDS} | {"pedantic"}  # a switch of the request, not a field

    assert known <= names
    assert _is_known(raw, "description")
    assert [] == sorted(name for name in names - known if _is_known(raw, name))


def _is_known(raw: RawClient, name: str) -> bool:
    try:
        raw.ask(f"STREAM.CREATE.{NAME}", {"name": NAME, name: None})
    except RequestError as error:
        return error.code != UNKNOWN_FIELD
    return True
