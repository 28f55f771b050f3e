"""Another JetStream than that of the user's own account: a leaf node's domain, another account's API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from provisioner.backup.archive import Manifest, backup
from provisioner.backup.progress import Meter
from provisioner.cli.main import main
from provisioner.errors import BackupError, JetStreamOff, ProvisionerError
from provisioner.jetstream import snapshots
from provisioner.jetstream.address import address
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.reconcile import apply, carry, deletion
from provisioner.reconcile.context import context
from provisioner.schema.config import config_of, with_fields
from provisioner.schema.model import OnDelete, StreamSpec
from tests.support.configurations import config
from tests.support.leaf import Leaf, hub_and_leaf
from tests.support.nats_server import running
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("own_process")

WANTED = StreamSpec(config("ORDERS", subjects=["orders"]))


@pytest.fixture(scope="module")
def sea(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Leaf]:
    """A hub, and a leaf node with a domain of its own."""
    with hub_and_leaf(tmp_path_factory.mktemp("sea")) as started:
        yield started


@pytest.fixture
def clients(sea: Leaf) -> Iterator[tuple[JetStream, JetStream]]:
    """Clients of hub and leaf, each on its own server; no stream is left."""
    with ExitStack() as stack:
        both = tuple(JetStream(server.url, Credentials()) for server in (sea.hub, sea.leaf))
        for client in both:
            stack.callback(client.close)
        yield both[0], both[1]
        for client in both:
            for name in client.streams():
                client.delete(name)


def test_a_stream_of_the_leaf_through_the_hub(sea: Leaf, clients: tuple[JetStream, JetStream], tmp_path: Path) -> None:
    """Created, updated, copied, carried over with more than a window of messages, counted and deleted: at the leaf."""
    where = context(sea.address, None, Credentials())
    hub, leaf = clients
    made = apply.create(where, WANTED)
    for _ in range(40):
        leaf.connection.request("orders", b"x" * 500_000)
    spec = StreamSpec(with_fields(WANTED.config, {"max_age": 3 * 86_400 * 10**9}))
    assert 40 == apply.ensure(where, spec, made.created).messages
    assert 40 == backup(where.client(), "ORDERS", tmp_path, Meter().show).messages
    spec = StreamSpec(with_fields(spec.config, {"persist_mode": "async"}))
    carried = apply.ensure(where, spec, made.created)
    assert (40, "async") == (carried.messages, carried.config["persist_mode"])
    assert ({}, ["ORDERS"]) == (hub.streams(), list(leaf.streams()))
    assert 40 == sum(where.client().per_subject("ORDERS"))

    hub.create(StreamSpec(config("ORDERS", subjects=["others"])).config)
    deletion.delete(where, StreamSpec(spec.config, on_delete=OnDelete.DELETE), carried.created)
    assert (["ORDERS"], {}) == (list(hub.streams()), leaf.streams())


def test_messages_for_the_leaf_through_the_hub(sea: Leaf, clients: tuple[JetStream, JetStream]) -> None:
    """Entries of a bucket, also where the hub has one of that name, and the messages of other streams."""
    hub, leaf = clients
    bucket = {"name": "KV_A", "subjects": ["$KV.A.>"], "allow_rollup_hdrs": True}
    for client in (hub, leaf):
        client.create(config_of(bucket))
    leaf.create(WANTED.config)
    with closing(JetStream(sea.address, Credentials())) as client:
        client.publish("$KV.A.mode", b"safe", {"Nats-Expected-Last-Subject-Sequence": "0"})
        until("the hub knows who takes it", lambda: _is_published(client, "orders"))
    assert {"KV_A": 1, "ORDERS": 1} == {name: info.messages for name, info in leaf.streams().items()}
    assert {"KV_A": 0} == {name: info.messages for name, info in hub.streams().items()}


def _is_published(client: JetStream, subject: str) -> bool:
    try:
        client.publish(subject, b"x", {})
    except JetStreamOff:
        return False
    return True


def test_a_mirror_of_a_stream_of_its_name_elsewhere(
    sea: Leaf, clients: tuple[JetStream, JetStream], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it gets while it is copied, and its origin has dropped since, is copied too: it is not its own origin."""
    where, (hub, leaf) = context(sea.leaf.url, None, Credentials()), clients
    hub.create(config("ORDERS", subjects=["orders"], max_msgs=1))
    mirror = config("ORDERS", mirror={"name": "ORDERS", "external": {"api": "$JS.hub.API"}})
    made = apply.create(where, StreamSpec(mirror))

    def publish(until_there_are: int) -> None:
        hub.connection.request("orders", b"x")
        until("it is mirrored", lambda: leaf.state("ORDERS")["last_seq"] == until_there_are)

    def copied_under_way(*arguments: Any) -> Manifest:
        manifest = backup(*arguments)
        if manifest.messages == 2:
            publish(3)  # which the origin has dropped when it has the next one
            publish(4)
        return manifest

    publish(1)
    publish(2)
    monkeypatch.setattr(carry, "backup", copied_under_way)
    carried = apply.ensure(where, StreamSpec(with_fields(mirror, {"storage": "memory"})), made.created)
    assert (4, "memory") == (carried.messages, carried.config["storage"])


def test_a_domain_that_nobody_has(sea: Leaf) -> None:
    """Nobody answers on its subjects."""
    with (
        closing(JetStream(address(sea.hub.url, "$JS.elsewhere.API"), Credentials())) as client,
        pytest.raises(JetStreamOff, match=r"nobody answers on \$JS\.elsewhere\.API\.INFO; check domain or apiPrefix"),
    ):
        client.account()


def test_the_commands(
    sea: Leaf,
    clients: tuple[JetStream, JetStream],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`streams` takes the domain, or the prefix, from a variable."""
    clients[1].create(WANTED.config)
    monkeypatch.setenv("NATS_URL", sea.hub.url)
    assert 0 == main(["contents"])
    assert "no streams" in capsys.readouterr().out
    for variable, value in (("NATS_JS_DOMAIN", "leaf"), ("NATS_JS_API_PREFIX", "$JS.leaf.API")):
        with monkeypatch.context() as patch:
            patch.setenv(variable, value)
            assert 0 == main(["contents"])
        assert "ORDERS" in capsys.readouterr().out
    file = tmp_path / "streams.yaml"
    file.write_text("ORDERS: {subjects: [orders]}")
    monkeypatch.setenv("NATS_JS_DOMAIN", "leaf")
    assert 1 == main(["status", "--catalogue", str(file), "--monitor-url", sea.leaf.monitor_url])
    report = capsys.readouterr().out
    assert "$JS.leaf.API.INFO  1 stream" in report
    assert "a power loss costs up to 2m" in report  # which the leaf's monitoring tells
    monkeypatch.delenv("NATS_JS_DOMAIN")
    monkeypatch.setenv("NATS_JS_API_PREFIX", "$JS.leaf.API.")
    assert 1 == main(["contents"])
    expected = "'$JS.leaf.API.' is no prefix of subjects; write it like $JS.hub.API, without a last dot"
    assert f"NATS_JS_API_PREFIX: {expected}\n" == capsys.readouterr().err


ACCOUNTS = """
accounts {
  OWNER { jetstream: enabled, users: [{ user: owner, password: p }], exports: [{ service: "$JS.API.>" }] }
  GUEST { users: [{ user: guest, password: p }],
          imports: [{ service: { account: OWNER, subject: "$JS.API.>" }, to: "owner.api.>" }] }
}
"""


def test_another_account_s_api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams are managed through an import; snapshots do not come through, and that is seen before anything goes."""
    with running(tmp_path / "nats", ACCOUNTS) as server, ExitStack() as stack:
        where = context(address(server.url, "owner.api"), None, Credentials("guest", "p"))
        owner = stack.enter_context(closing(JetStream(server.url, Credentials("owner", "p"))))
        made = apply.create(where, WANTED)
        owner.connection.request("orders", b"x")
        spec = StreamSpec(with_fields(WANTED.config, {"max_msgs": 5}))
        assert 1 == apply.ensure(where, spec, made.created).messages
        monkeypatch.setattr(snapshots, "IDLE_TIMEOUT_S", 1.0)
        with pytest.raises(BackupError, match=r"ORDERS: not backed up: .*: nothing arrived for 1 s"):
            backup(where.client(), "ORDERS", tmp_path / "copies", Meter().show)
        with pytest.raises(ProvisionerError, match="nothing arrived for 1 s"):
            apply.ensure(where, StreamSpec(with_fields(spec.config, {"persist_mode": "async"})), made.created)
        left = owner.streams()["ORDERS"]
        assert (1, ["orders"], "default") == (left.messages, left.config["subjects"], left.config["persist_mode"])
        deletion.delete(where, StreamSpec(spec.config, on_delete=OnDelete.DELETE), made.created)
