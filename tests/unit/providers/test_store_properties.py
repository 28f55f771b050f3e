"""A bucket's properties <-> its stream's: nothing of a stream is lost on the way there and back."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.catalogue.reader import parse
from provisioner.plan.diff import differences
from provisioner.providers import properties
from provisioner.providers.store_properties import in_words, of_stream
from provisioner.schema.config import with_fields
from provisioner.schema.model import OnDelete, StreamInfo, StreamSpec
from provisioner.schema.stores import kind_of

CATALOGUES = {
    "plain": "buckets:\n  A:\n",
    "all": "buckets:\n  A: {history: 9, ttl: 1m, max_value_size: 1KiB, limit_marker_ttl: 5s, compression: s2}\n",
    "mirror": "buckets:\n  A: {mirror: {name: B}, ttl: 1m}\n",
    "sources": "buckets:\n  A: {sources: [{name: B}]}\n",
    "objects": "objects:\n  A: {ttl: 1h, max_bytes: 1GiB}\n",
}
DRIFT: tuple[dict[str, Any], ...] = (
    {},
    {"max_age": 30 * 10**9},
    {"discard": "old", "deny_delete": False, "allow_rollup_hdrs": False},
    {"subjects": ["other"], "duplicate_window": 1},
    {"max_msgs_per_subject": -1, "max_msgs": 7, "mirror_direct": True},
    {"mirror": None, "sources": []},
)


def _spec(text: str) -> StreamSpec:
    return parse(text, "c").streams[0]


def test_a_plain_bucket_says_what_a_bucket_has() -> None:
    """The fields that make the stream a bucket's are not there."""
    kind = kind_of("KV_A")
    assert kind
    shown = in_words(kind, properties.inputs(_spec(CATALOGUES["all"]), OnDelete.GUARD))
    words = {"history": 9, "ttl": "1m", "max_value_size": "1KiB", "limit_marker_ttl": "5s", "compression": "s2"}
    assert {"bucket": "A", **words, "allow_direct": True, "on_delete": "guard"} == shown


@pytest.mark.parametrize("drift", DRIFT)
@pytest.mark.parametrize("text", CATALOGUES.values(), ids=CATALOGUES)
def test_there_and_back(text: str, drift: dict[str, Any]) -> None:
    """Whatever somebody has changed, the properties of the state give the stream as it is."""
    spec = _spec(text)
    kind = kind_of(spec.name)
    assert kind
    wanted = of_stream(kind, in_words(kind, properties.inputs(spec, OnDelete.GUARD)))
    assert spec.config == properties.spec(wanted).config
    live = with_fields(spec.config, drift)
    read, _ = properties.overlaid({**wanted, "created": "now"}, StreamInfo(live, "now"))
    assert () == differences(live, properties.spec(of_stream(kind, in_words(kind, read))).config)
