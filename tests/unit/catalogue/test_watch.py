"""What is worth an alert, in a catalogue: read, defaulted, refused, and no part of what the server or the state has."""

from __future__ import annotations

import pytest

from provisioner.catalogue.reader import parse
from provisioner.errors import CatalogueError
from provisioner.providers import consumer_properties, properties
from provisioner.schema.model import OnDelete

TEXT = """\
defaults:
  watch: {expect_every: 1h}
ORDERS:
  subjects: [orders]
  consumers:
    billing: {watch: {lag: {warning: 10, critical: 100}, redelivered: {warning: 1}}}
    archive:
TICKS:
  subjects: [ticks]
  watch:
    expect_every: 5m
    used: {critical: 99.5%}
buckets:
  sessions: {watch: {used: {warning: 50}}}
"""


def test_what_is_stated() -> None:
    """Levels that are left out have their defaults; a stream's own block replaces that of the defaults, whole."""
    catalogue = parse(TEXT, "streams.yaml")
    hour, minutes = 3600 * 10**9, 300 * 10**9
    assert {
        "ORDERS": {"expect_every": hour, "used": None},
        "TICKS": {"expect_every": minutes, "used": {"warning": 80, "critical": 99.5}},
        "KV_sessions": {"expect_every": 0, "used": {"warning": 50, "critical": 95}},
    } == {spec.name: spec.watch for spec in catalogue.streams}
    none = {"warning": None, "critical": None}
    assert [
        {
            "lag": {"warning": 10, "critical": 100},
            "unacknowledged": None,
            "redelivered": {**none, "warning": 1},
        },
        None,
    ] == [spec.watch for spec in catalogue.consumers]


def test_it_is_no_property() -> None:
    """Neither a stream's nor a consumer's: another level is no update."""
    catalogue = parse(TEXT, "streams.yaml")
    streams = (properties.inputs(spec, OnDelete.GUARD) for spec in catalogue.streams)
    consumers = (consumer_properties.inputs(spec, OnDelete.GUARD) for spec in catalogue.consumers)
    assert ["watch" in each for each in (*streams, *consumers)] == [False] * 5


@pytest.mark.parametrize(
    ("field", "problem"),
    [
        ("used: {warning: 80 %, critical: 70%}", "watch.used: has a critical level below the warning"),
        ("used: {warning: most}", "watch.used.warning: 'most' is no share; write it like 80%"),
        ("used: {warning: 101%}", "watch.used.warning: '101%' is no share; write it like 80%"),
        ("used: {warning: true}", "watch.used.warning: true is no share; write it like 80%"),
        ("used: 80%", "watch.used: is not a block with warning, critical"),
        ("expect_every: 5", "watch.expect_every: 5 has no unit; write it like 7d, 1h30m or 500ms"),
        ("lag: {warning: 1}", "watch.lag: unknown field"),
    ],
)
def test_what_is_refused(field: str, problem: str) -> None:
    """With its line."""
    with pytest.raises(CatalogueError) as caught:
        parse(f"ORDERS:\n  subjects: [orders]\n  watch:\n    {field}\n", "streams.yaml")
    assert f"streams.yaml:4: ORDERS.{problem}" == str(caught.value)


def test_levels_of_a_consumer_are_numbers() -> None:
    """As those of messages."""
    with pytest.raises(CatalogueError) as caught:
        parse("A:\n  subjects: [a]\n  consumers:\n    c:\n      watch: {lag: {warning: 80%}}\n", "streams.yaml")
    assert "streams.yaml:5: A.consumers.c.watch.lag.warning: '80%' is not a whole number" == str(caught.value)
