"""A catalogue's text from configurations: the style of one written by hand, and nothing lost in it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.catalogue.reader import parse
from provisioner.catalogue.writer import catalogue_of, catalogue_text, minimal
from provisioner.rules.normalise import normalise
from provisioner.rules.stream_names import is_asset_name
from provisioner.schema.model import StreamInfo
from tests.support.configurations import config

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
