"""Buckets and object stores on a real server: they are what the clients make, whoever comes first."""

from __future__ import annotations

from typing import Any

import pytest
from nats.js.api import ObjectStoreConfig, StorageType
from nats.js.client import JetStreamContext

from provisioner.catalogue.reader import parse
from provisioner.catalogue.writer import catalogue_of
from provisioner.jetstream.client import JetStream
from provisioner.plan.diff import differences
from provisioner.providers import properties
from provisioner.providers.buckets import KeyValueProvider, ObjectStoreProvider
from provisioner.providers.store_properties import in_words
from provisioner.reconcile.context import close_all
from provisioner.schema.model import OnDelete
from provisioner.schema.stores import kind_of
from tests.support.nats_py import at_work, got, got_object, made_bucket, made_objects, put_all, put_objects
from tests.support.nats_server import NatsServer
from tests.support.raw_nats import RawClient
from tests.support.stream_provider import gate
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("own_process", "jetstream")

PYTHON = "allow_direct: false, allow_msg_ttl: true"
BUCKETS: dict[str, dict[str, Any]] = {
    f"{{{PYTHON}}}": {},
    "{allow_msg_ttl: true, history: 5, ttl: 1m, limit_marker_ttl: 10s, max_bytes: 1MiB, max_value_size: 1KiB}": {
        "direct": True,
        "history": 5,
        "ttl": 60,
        "limit_marker_ttl": 10,
        "max_bytes": 2**20,
        "max_value_size": 1024,
    },
    f"{{{PYTHON}, storage: memory, description: text}}": {"storage": StorageType.MEMORY, "description": "text"},
}
OBJECTS: dict[str, dict[str, Any]] = {"{}": {}, "{ttl: 1h, max_bytes: 1MiB}": {"ttl": 3600, "max_bytes": 2**20}}


def _inputs(server: NatsServer, text: str) -> dict[str, dict[str, Any]]:
    """What the program registers, in their words, by the stream's name."""
    shown: dict[str, dict[str, Any]] = {}
    for spec in parse(text, "c").streams:
        kind = kind_of(spec.name)
        assert kind
        shown[spec.name] = in_words(kind, {**properties.inputs(spec, OnDelete.GUARD), "url": server.url})
    return shown


def _config(raw: RawClient, stream: str) -> dict[str, Any]:
    return dict(raw.info(stream)["config"])


@pytest.mark.parametrize("words", BUCKETS)
def test_a_bucket_is_what_nats_py_makes(server: NatsServer, raw: RawClient, words: str) -> None:
    """To the last field; the service that comes second finds what it wants, and the stack that does takes it over."""
    (inputs,) = _inputs(server, f"buckets:\n  A: {words}\n").values()
    made = KeyValueProvider().create(inputs)
    ours = _config(raw, "KV_A")
    made_bucket(server, bucket="A", **BUCKETS[words])
    put_all(server, "A", key=[b"1", b"2"])
    assert b"2" == got(server, "A", "key")
    assert not KeyValueProvider().diff("KV_A", made.outs or {}, inputs).changes

    raw.ask("STREAM.DELETE.KV_A")
    close_all()
    made_bucket(server, bucket="A", **BUCKETS[words])
    assert ours == _config(raw, "KV_A")
    put_all(server, "A", key=[b"1"])
    assert [] == KeyValueProvider().check({}, inputs).failures
    assert "A" == (KeyValueProvider().create(inputs).outs or {})["bucket"]
    assert b"1" == got(server, "A", "key")


@pytest.mark.parametrize("words", OBJECTS)
def test_an_object_store_is_what_nats_py_makes(server: NatsServer, raw: RawClient, words: str) -> None:
    """In both orders, as above."""
    (inputs,) = _inputs(server, f"objects:\n  A: {words}\n").values()
    made = ObjectStoreProvider().create(inputs)
    ours = _config(raw, "OBJ_A")
    made_objects(server, "A", config=ObjectStoreConfig(bucket="A", **OBJECTS[words]))
    put_objects(server, "A", one=b"x" * 300_000)
    assert b"x" * 300_000 == got_object(server, "A", "one")
    assert not ObjectStoreProvider().diff("OBJ_A", made.outs or {}, inputs).changes

    raw.ask("STREAM.DELETE.OBJ_A")
    close_all()
    made_objects(server, "A", config=ObjectStoreConfig(bucket="A", **OBJECTS[words]))
    assert ours == _config(raw, "OBJ_A")
    assert [] == ObjectStoreProvider().check({}, inputs).failures
    ObjectStoreProvider().create(inputs)


def test_adoption_says_what_differs_in_the_buckets_words(server: NatsServer) -> None:
    """What nats-py makes by itself is not what nats.go makes; the catalogue has to say which."""
    made_bucket(server, bucket="A", history=3)
    (inputs,) = _inputs(server, "buckets:\n  A:\n").values()
    (failure,) = KeyValueProvider().check({}, inputs).failures
    assert (
        "with other settings (history 3 -> 1, allow_direct false -> true, allow_msg_ttl true -> false)"
        in failure.reason
    )


def test_mirrors_and_sources_have_the_entries_of_other_buckets(server: NatsServer, jetstream: JetStream) -> None:
    """Read with nats-py; read again, they are as they should be."""
    text = "buckets:\n  A: {history: 5}\n  M: {mirror: {name: A}}\n  S: {sources: [{name: A}], ttl: 1d}\n"
    inputs = _inputs(server, text)
    assert [] == gate(server, [properties.inputs(spec, OnDelete.GUARD) for spec in parse(text, "c").streams])
    made = {name: KeyValueProvider().create(each).outs or {} for name, each in inputs.items()}
    put_all(server, "A", key=[b"1", b"2"])
    for name in ("M", "S"):
        _wait_for(jetstream, f"KV_{name}")
    assert b"2" == got(server, "S", "key")
    close_all()
    for name, outs in made.items():
        read = KeyValueProvider().read(name, outs)
        assert not KeyValueProvider().diff(name, read.outs or {}, inputs[name]).changes
    specs = {spec.name: spec.config for spec in parse(text, "c").streams}
    assert {} == {
        name: found for name, info in jetstream.streams().items() if (found := differences(info.config, specs[name]))
    }


IMPORTED = """\
# JetStream streams as a server has them.

OTHER: {}

buckets:
  A:
    history: 3
    ttl: 30s
    limit_marker_ttl: 5s
    allow_direct: false
  B:
    allow_msg_ttl: true
  M:
    mirror:
      name: A
  S:
    sources:
      - name: A

objects:
  A:
    ttl: 1h
"""


def test_import_writes_what_the_clients_have_made(server: NatsServer, jetstream: JetStream) -> None:
    """The fewest words, and with them nothing is to be changed; what is no bucket is left out, with the reason."""
    made_bucket(server, bucket="A", history=3, ttl=30, limit_marker_ttl=5)
    made_bucket(server, bucket="B", direct=True)
    made_objects(server, "A", config=ObjectStoreConfig(bucket="A", ttl=3600))
    for spec in parse("OTHER:\nbuckets:\n  M: {mirror: {name: A}}\n  S: {sources: [{name: A}]}\n", "c").streams:
        jetstream.create(spec.config)
    odd = parse("buckets:\n  ODD:\n", "c").streams[0].config
    jetstream.create({**odd, "discard": "old"})

    imported = catalogue_of(jetstream.streams(), [], "c")

    assert IMPORTED == imported.text
    assert ("KV_ODD: left out: not what a client makes as bucket (discard old -> new)",) == imported.notes
    live = {name: info.config for name, info in jetstream.streams().items()}
    for spec in parse(imported.text, "c").streams:
        assert () == differences(live[spec.name], spec.config)


def _wait_for(jetstream: JetStream, stream: str) -> None:
    until(f"the entries of {stream}", lambda: jetstream.state(stream)["last_seq"] == 2)


def test_losses_are_told_in_keys_and_objects(server: NatsServer, raw: RawClient) -> None:
    """What guard protects: keys and revisions, objects and messages; what a change takes: revisions."""
    name = "LOST"  # of its own: a stream of a name that was just deleted may have the old messages
    inputs = _inputs(server, f"buckets:\n  {name}: {{history: 3}}\nobjects:\n  {name}:\n")
    bucket = KeyValueProvider().create(inputs[f"KV_{name}"]).outs or {}
    store = ObjectStoreProvider().create(inputs[f"OBJ_{name}"]).outs or {}
    put_all(server, name, one=[b"1", b"2", b"3"], two=[b"1"])
    put_objects(server, name, one=b"x" * 300_000, two=b"y")
    fewer = _inputs(server, f"buckets:\n  {name}: {{history: 1}}\n")[f"KV_{name}"]
    close_all()
    (failure,) = KeyValueProvider().check(bucket, fewer).failures
    assert "KV_LOST: history 3 -> 1 would delete 2 of 4 revisions" in failure.reason
    with pytest.raises(
        Exception, match="KV_LOST holds 2 keys in 4 revisions and has 0 consumers, and on_delete is guard"
    ):
        KeyValueProvider().delete(f"KV_{name}", bucket)
    with pytest.raises(Exception, match="OBJ_LOST holds 2 objects in 6 messages"):
        ObjectStoreProvider().delete(f"OBJ_{name}", store)
    assert {f"KV_{name}", f"OBJ_{name}"} == set(raw.stream_names())


def test_another_storage_keeps_the_entries(server: NatsServer) -> None:
    """What JetStream cannot change in place is carried over: keys, revisions and all."""
    before = _inputs(server, "buckets:\n  A: {history: 3}\n")["KV_A"]
    after = _inputs(server, "buckets:\n  A: {history: 3, storage: memory}\n")["KV_A"]
    made = KeyValueProvider().create(before).outs or {}
    put_all(server, "A", one=[b"1", b"2"], two=[b"1"])
    close_all()
    KeyValueProvider().read("KV_A", made)
    assert [] == KeyValueProvider().check(made, after).failures
    KeyValueProvider().update("KV_A", made, after)
    assert (b"2", b"1") == (got(server, "A", "one"), got(server, "A", "two"))
    put_all(server, "A", one=[b"3"])
    assert b"3" == got(server, "A", "one")


def test_seeds_are_first_values(server: NatsServer, raw: RawClient) -> None:
    """Made with the bucket, or when they come into the catalogue; what a service has put or deleted stays as it is."""

    def inputs(seed: dict[str, str]) -> dict[str, Any]:
        return _inputs(server, "buckets:\n  A: {history: 3}\n")["KV_A"] | {"seed": seed}

    first = inputs({"mode": "safe", "limit.high": "5"})
    made = KeyValueProvider().create(first).outs or {}
    assert (b"safe", b"5") == (got(server, "A", "mode"), got(server, "A", "limit.high"))
    put_all(server, "A", mode=[b"fast"], own=[b"1"])
    at_work(server, _deleted("A", "limit.high"))

    more = inputs({"mode": "slow", "limit.high": "7", "own": "2", "new": "3"})
    assert KeyValueProvider().diff("KV_A", made, more).changes
    updated = KeyValueProvider().update("KV_A", made, more).outs or {}
    assert not KeyValueProvider().diff("KV_A", updated, more).changes
    assert (b"fast", b"1", b"3") == tuple(got(server, "A", key) for key in ("mode", "own", "new"))
    # Two of the first run, three of the services, one of them a deletion, and the new one.
    assert 6 == raw.info("KV_A")["state"]["messages"]

    raw.ask("STREAM.DELETE.KV_A")
    close_all()
    read = KeyValueProvider().read("KV_A", updated)
    KeyValueProvider().update("KV_A", read.outs or {}, more)
    assert (b"slow", b"7", b"2") == tuple(got(server, "A", key) for key in ("mode", "limit.high", "own"))


def _deleted(bucket: str, key: str) -> Any:
    async def work(js: JetStreamContext) -> None:
        await (await js.key_value(bucket)).delete(key)

    return work


def test_the_servers_refusals_are_in_the_buckets_words(server: NatsServer) -> None:
    """What a single server cannot do is an error in preview."""
    specs = parse("buckets:\n  A: {replicas: 3, max_bytes: 900GiB}\n", "c").streams
    (replicas, storage) = gate(server, [properties.inputs(spec, OnDelete.GUARD) for spec in specs])
    assert replicas.startswith("KV_A: replicas ")
    assert storage.startswith("KV_A: max_bytes ")
