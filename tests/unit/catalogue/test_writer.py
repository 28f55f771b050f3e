"""A catalogue's text from configurations: the style of one written by hand, and nothing lost in it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from provisioner.catalogue.reader import parse
from provisioner.catalogue.writer import catalogue_of, catalogue_text, minimal, minimal_consumer
from provisioner.plan.consumer_diff import plan_consumer
from provisioner.plan.diff import Effect
from provisioner.rules.consumer_config import consumer_problems
from provisioner.rules.consumer_normalise import normalise_consumer
from provisioner.rules.normalise import normalise
from provisioner.rules.stream_names import is_asset_name
from provisioner.schema.consumer_fields import CONSUMER_FIELD, consumer_config
from provisioner.schema.consumer_model import ConsumerConfig
from provisioner.schema.model import StreamInfo
from tests.support.configurations import config
from tests.support.consumer_configurations import consumer, consumer_configurations

# What a catalogue can hold; names without what the server refuses.
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"], exclude_characters="\ufeff\u2028\u2029"))
NAMES = st.text(
    st.characters(categories=["L", "N", "Pd", "Sm", "Po"], exclude_characters=".*>/\\"), min_size=1, max_size=40
)
TRICKY = (
    "1e3",
    "0o17",
    "0x1f",
    "010",
    "1:30",
    "on",
    "yes",
    "null",
    "~",
    "true",
    ".inf",
    "<<",
    "=",
    "2026-01-01",
    "-",
    "7d",
    "a: b",
)


def _read_back(name: str, **fields: Any) -> None:
    written = config(name, **fields)
    read = parse(catalogue_text({name: written}), "catalogue").streams[0]
    assert normalise(written) == normalise(read.config)


@given(description=TEXT | st.sampled_from(TRICKY), key=TEXT | st.sampled_from(TRICKY), value=TEXT)
def test_any_text(description: str, key: str, value: str) -> None:
    """Text is read back as the same text, whatever YAML would make of it without quotes."""
    _read_back("A", description=description, metadata={key: value, value: key})


@given(name=(NAMES | st.sampled_from(TRICKY)).filter(is_asset_name))
def test_any_name(name: str) -> None:
    """So is a stream's name; but a few, and the server's prefixes, belong to others."""
    imported = catalogue_of({name: StreamInfo(config(name, subjects=["a"]), "")}, [], "catalogue")
    if imported.names:
        assert () == imported.problems
        assert [name] == [spec.name for spec in parse(imported.text, "catalogue").streams]


def test_style() -> None:
    """Blocks, lists indented, a blank line between streams, units as people write them."""
    configs = {
        "A": config("A", subjects=["a.>", "*.b"], max_age="90d", max_bytes="512MiB", metadata={"team": "data"}),
        "B": config("B"),
        "C": config("C", mirror={"name": "A", "opt_start_seq": 5}, num_replicas=3),
    }
    written = """\
# JetStream streams as a server has them.

A:
  subjects:
    - a.>
    - '*.b'
  max_age: 90d
  max_bytes: 512MiB
  metadata:
    team: data

B: {}

C:
  num_replicas: 3
  mirror:
    name: A
    opt_start_seq: 5
"""
    assert written == catalogue_text(configs)


@pytest.mark.parametrize(
    ("live", "kept"),
    [
        ({"duplicate_window": "2m"}, {}),
        ({"duplicate_window": "1m", "max_age": "1m"}, {"max_age": "1m"}),
        ({"duplicate_window": "1m"}, {"duplicate_window": "1m"}),
        ({"subjects": ["ORDERS"]}, {}),
        ({"num_replicas": 1, "consumer_limits": {}, "metadata": {"_nats.ver": "2.15.1"}}, {}),
        (
            {"subject_delete_marker_ttl": "1m", "allow_msg_ttl": True, "allow_rollup_hdrs": True},
            {"subject_delete_marker_ttl": "1m"},
        ),
        ({"sealed": True, "discard": "new", "deny_delete": True, "deny_purge": True}, {"sealed": True}),
        (
            {"sealed": True, "discard": "new", "discard_new_per_subject": True, "max_msgs_per_subject": 1},
            {"sealed": True, "discard": "new", "discard_new_per_subject": True, "max_msgs_per_subject": 1},
        ),
    ],
    ids=str,
)
def test_minimal(live: dict[str, Any], kept: dict[str, Any]) -> None:
    """What the server fills in by itself is not said."""
    assert config(**kept) == minimal(config(**live))


@given(wanted=consumer_configurations())
@settings(max_examples=300, suppress_health_check=[HealthCheck.filter_too_much])
def test_consumers_come_back(wanted: ConsumerConfig) -> None:
    """Whatever consumer a server holds is written so that it changes nothing, and says nothing in vain."""
    stream = config("ORDERS", subjects=["a.>", "b"], consumer_limits={"max_ack_pending": 5000})
    assume(not consumer_problems(wanted, stream))
    live = normalise_consumer(wanted, stream)
    (spec,) = parse(catalogue_text({"ORDERS": stream}, {"ORDERS": [live]}), "catalogue").consumers

    assert Effect.NOTHING is plan_consumer(live, spec.config, stream).effect
    for name, value in minimal_consumer(live, stream).items():
        if name not in ("durable_name", "filter_subject") and value != CONSUMER_FIELD[name].default:
            shorter = consumer_config({**minimal_consumer(live, stream), name: CONSUMER_FIELD[name].default})
            assert normalise_consumer(shorter, stream) != live, name


def test_consumers_of_an_import() -> None:
    """Durable ones by name, in the fewest words; no ephemeral one."""
    used = [consumer("b", ack_wait="30s"), consumer("a", filter_subjects=["orders.x"]), consumer("")]
    text = catalogue_text({"ORDERS": config("ORDERS", subjects=["orders.>"])}, {"ORDERS": used})
    assert text.endswith(
        "ORDERS:\n  subjects:\n    - orders.>\n  consumers:\n    a:\n      filter_subject: orders.x\n    b: null\n"
    )
