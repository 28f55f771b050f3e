"""Buckets and object stores of a catalogue from a live server: the fewest words that describe each completely."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.plan.diff import differences
from provisioner.rules.normalise import normalise
from provisioner.schema.config import config_of
from provisioner.schema.model import StreamConfig
from provisioner.schema.stores import StoreKind, captured_by
from provisioner.schema.types import Wire, show_fields


def words_of(kind: StoreKind, config: StreamConfig) -> dict[str, Any]:
    """What a catalogue says of it."""
    live: Mapping[str, Wire] = normalise(config)
    words = kind.words_of(live)
    if words.get("limit_marker_ttl"):
        words["allow_msg_ttl"] = False  # the server turns it on
    if words.get("mirror"):
        words["mirror"] = {**words["mirror"], "name": kind.named(words["mirror"]["name"])}
    if words.get("sources"):
        words["sources"] = [_source(kind, kind.named(config["name"]), each) for each in words["sources"]]
    return show_fields(words, kind.fields)


def not_of_its_shape(kind: StoreKind, config: StreamConfig) -> str:
    """What no words can say of it; empty of one that a client has made."""
    name, words = kind.named(config["name"]), kind.words_of(normalise(config))
    return ", ".join(map(str, differences(config, config_of(kind.stream_values(name, words)))))


def _source(kind: StoreKind, name: str, source: Mapping[str, Wire]) -> dict[str, Wire]:
    """A bucket's name, where the transform is the one that comes with it."""
    origin = kind.named(source["name"])
    usual = [{"src": captured_by(kind, origin)[0], "dest": captured_by(kind, name)[0]}]
    if source["name"] == kind.stream_of(origin) and source["subject_transforms"] == usual:
        return {**source, "name": origin, "subject_transforms": []}
    return dict(source)
