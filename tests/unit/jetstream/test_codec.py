"""Configurations <-> the API's JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from provisioner.jetstream.codec import from_config, from_info, to_request
from provisioner.schema.model import StreamConfig
from provisioner.units import parse_duration
from tests.support.configurations import config, configurations


@given(wanted=configurations())
def test_both_directions_agree(wanted: StreamConfig) -> None:
    """A request read back is the configuration it was made from, through real JSON."""
    assert wanted == from_config(json.loads(json.dumps(to_request(wanted))), strict=True)


def test_a_request_says_what_differs_from_the_defaults() -> None:
    """So a server older than a field never sees it unless it is used."""
    expected = {"name": "ORDERS", "max_age": 604_800_000_000_000, "republish": {"dest": "out"}}
    assert expected == to_request(config(max_age="7d", republish={"dest": "out"}))


def test_durations_are_whole_nanoseconds() -> None:
    """1.001 s is not 1000999999 ns."""
    assert parse_duration("1001ms") == to_request(config(max_age="1.001s"))["max_age"] == 1_001_000_000


def test_an_instant_is_the_same_in_every_time_zone() -> None:
    """The server answers with the zone it was given."""
    sources = [{"name": "A", "opt_start_time": "2026-01-01T02:00:00.50+02:00"}]
    assert "2026-01-01T00:00:00.5Z" == from_config({"name": "B", "sources": sources})["sources"][0]["opt_start_time"]


def test_an_unknown_field_is_an_error_when_strict() -> None:
    """A test against a newer server shows what the table lacks."""
    with pytest.raises(ValueError, match="unknown fields: max_moons"):
        from_config({"name": "A", "max_moons": 2}, strict=True)


def test_an_answer_holds_configuration_and_figures() -> None:
    """INFO, CREATE and UPDATE answer alike."""
    live = from_info({"config": {"name": "A"}, "created": "then", "state": {"messages": 3, "consumer_count": 1}})
    assert ("A", "then", 3, 1) == (live.config["name"], live.created, live.messages, live.consumers)
