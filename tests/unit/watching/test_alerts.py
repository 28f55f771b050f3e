"""Which alert rules a catalogue has, and that they ask for nothing that is not exported."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from provisioner.catalogue.reader import parse
from provisioner.watching.alerts import groups_of, rules_text
from provisioner.watching.names import METRICS

TEXT = """\
RING: {subjects: [ring], max_bytes: 1MiB}
WATCHED_RING: {subjects: [watched], max_bytes: 1MiB, watch: {used: {warning: 50%}}}
ORDERS:
  subjects: [orders]
  max_age: 7d
  max_bytes: 1GiB
  max_msgs: 1000
  watch: {expect_every: 5m}
  consumers:
    billing: {watch: {lag: {warning: 10, critical: 100}, redelivered: {critical: 3}}}
    paused: {pause_until: 2999-01-01T00:00:00Z}
buckets:
  sessions: {max_bytes: 1MiB}
"""
CATALOGUE = parse(TEXT, "streams.yaml")
ALWAYS = [
    "StreamMissing critical",
    "StreamDrifted warning",
    "StreamWithoutLeader critical",
    "StreamReplicaBehind warning",
]
FULL = ["StreamNearlyFull warning", "StreamNearlyFull critical"]
CONSUMER = ["ConsumerMissing critical", "ConsumerDrifted warning"]


def _shown() -> Iterator[tuple[str, list[str]]]:
    for group in groups_of(CATALOGUE):
        yield group.name, [f"{rule.alert} {rule.severity}" for rule in group.rules]


def test_what_is_worth_an_alert() -> None:
    """A group a stream; a ring only where that is written, a silence and a lag only where a level is."""
    groups = dict(_shown())
    assert {
        "stream RING": ALWAYS,
        "stream WATCHED_RING": [*ALWAYS, *FULL],
        "stream ORDERS": [
            *(*ALWAYS, *FULL, *FULL, "StreamQuiet warning"),
            *(*CONSUMER, "ConsumerStopped warning", "ConsumerBehind warning", "ConsumerBehind critical"),
            "ConsumerRedelivering critical",
            *CONSUMER,
        ],
        "stream KV_sessions": [*ALWAYS, *FULL],
    } == {name: rules for name, rules in groups.items() if name != "server"}
    assert "server" == next(iter(groups))


def test_levels_are_those_of_the_catalogue() -> None:
    """The numbers in the rules: percent, seconds, messages."""
    rules = [rule for group in groups_of(CATALOGUE) for rule in group.rules]
    levels = {
        (rule.alert, rule.labels.get("stream"), rule.severity): re.split(" >=? ", rule.when)[-1]
        for rule in rules
        if rule.alert in {"StreamNearlyFull", "StreamQuiet", "ConsumerBehind", "ConsumerRedelivering"}
    }
    assert {
        ("StreamNearlyFull", "WATCHED_RING", "warning"): "50",
        ("StreamNearlyFull", "WATCHED_RING", "critical"): "95",
        ("StreamNearlyFull", "ORDERS", "warning"): "80",
        ("StreamNearlyFull", "ORDERS", "critical"): "95",
        ("StreamNearlyFull", "KV_sessions", "warning"): "80",
        ("StreamNearlyFull", "KV_sessions", "critical"): "95",
        ("StreamQuiet", "ORDERS", "warning"): "300",
        ("ConsumerBehind", "ORDERS", "warning"): "10",
        ("ConsumerBehind", "ORDERS", "critical"): "100",
        ("ConsumerRedelivering", "ORDERS", "critical"): "3",
    } == levels


def test_rules_ask_only_for_what_is_exported() -> None:
    """A metric that is renamed takes its alerts along."""
    asked = {
        name for group in groups_of(CATALOGUE) for rule in group.rules for name in re.findall(r"streams_\w+", rule.when)
    }
    assert set() == asked - {metric.name for metric in METRICS}


def test_no_two_rules_are_the_same() -> None:
    """Name and labels tell one rule from every other, as promtool wants it."""
    rules = [
        (rule.alert, rule.severity, *sorted(rule.labels.items()))
        for group in groups_of(CATALOGUE)
        for rule in group.rules
    ]
    assert len(rules) == len(set(rules))


def test_a_file_of_rules() -> None:
    """YAML that says what it was made from, and has every group."""
    text = rules_text(CATALOGUE, "streams.yaml")
    assert text.startswith("# Alert rules of the catalogue streams.yaml, ")
    assert {"groups": [group.plain() for group in groups_of(CATALOGUE)]} == yaml.safe_load(text)
