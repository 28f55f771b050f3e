"""What each of Pulumi's calls does on a real server, and what it says when it cannot."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pulumi.dynamic import ConfigureRequest
from pulumi.dynamic.config import Config as DynamicConfig
from pulumi.output import UNKNOWN

from provisioner.jetstream.client import JetStream
from provisioner.providers import properties as state
from provisioner.providers.errors import JetStreamError
from provisioner.providers.stream import StreamProvider
from provisioner.reconcile import server_view
from provisioner.reconcile.context import context
from provisioner.schema.model import Adopt, OnDelete, StreamSpec
from tests.support.configurations import config
from tests.support.nats_server import NatsServer, free_port, running
from tests.support.raw_nats import RawClient
from tests.support.requests import recorded

USERS = """
authorization { users: [
  { user: admin, password: secret }
  { user: reader, password: secret, permissions: { publish: { deny: ["$JS.API.STREAM.CREATE.>"] } } }
  { user: deaf, password: secret, permissions: { subscribe: { deny: ["_INBOX.>"] } } }
] }
"""


@pytest.fixture(autouse=True)
def _no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test is a provider process of its own."""
    context.cache_clear()
    monkeypatch.setattr(server_view, "FIRST_CONTACT_TIMEOUT_S", 0.5)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A server with users, and little room."""
    with running(tmp_path_factory.mktemp("guarded"), USERS, "max_file_store: 1GiB, max_mem: 1MiB") as server:
        yield server


def provider(**credentials: str) -> StreamProvider:
    """A provider as Pulumi configures it."""
    made = StreamProvider()
    settings = {f"project:{key}": value for key, value in credentials.items()}
    made.configure(ConfigureRequest(DynamicConfig(settings, "project")))
    return made


def props(server: NatsServer | str, name: str = "ORDERS", **fields: Any) -> dict[str, Any]:
    """A stream's inputs, as the program registers them."""
    types = {"adopt": Adopt, "on_delete": OnDelete, "mark_owner": bool}
    policy: dict[str, Any] = {key: type_(fields.pop(key)) for key, type_ in types.items() if key in fields}
    where = {"url": server} if isinstance(server, str) else {"url": server.url, "monitor_url": server.monitor_url}
    given = state.inputs(StreamSpec(config(name, **fields), **policy), OnDelete.GUARD) | where
    return {key: value for key, value in given.items() if value is not None}


def failures(checked: dict[str, Any], olds: dict[str, Any] | None = None, **credentials: str) -> list[str]:
    """What ``check`` has against inputs."""
    return [failure.reason for failure in provider(**credentials).check(olds or {}, checked).failures]


def test_create_read_update_delete(server: NatsServer, jetstream: JetStream) -> None:
    """The life of a stream; an update without a difference sends no UPDATE."""
    wanted = props(server, subjects=["orders.>"], max_age="7d")
    created = provider().create(wanted)
    assert ("ORDERS", True) == (created.id, bool(created.outs and created.outs["created"]))

    longer = props(server, subjects=["orders.>"], max_age="9d")
    with recorded(jetstream, "$JS.API.STREAM.UPDATE.*") as updates:
        provider().update("ORDERS", created.outs or {}, longer)
        provider().update("ORDERS", longer, longer)
    assert ["$JS.API.STREAM.UPDATE.ORDERS"] == updates

    read = provider().read("ORDERS", created.outs or {})
    assert "9d" == (read.inputs or {})["max_age"]

    provider().delete("ORDERS", created.outs or {})
    assert jetstream.stream("ORDERS") is None
    assert provider().read("ORDERS", created.outs or {}).id == ""


def test_update_makes_a_stream_that_is_gone(server: NatsServer, jetstream: JetStream) -> None:
    """Update means ensure: one up heals."""
    wanted = props(server)
    provider().update("ORDERS", wanted, wanted)
    assert jetstream.stream("ORDERS")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        pytest.param({"subjects": ["taken.here"]}, "overlaps 'taken.>' of stream OTHER", id="subjects overlap"),
        pytest.param({"subjects": ["a..b"]}, "'a..b' is not a valid subject", id="invalid subject"),
        pytest.param({"num_replicas": 3}, "this is a single server, write 1", id="replicas on one server"),
        pytest.param({"sealed": True}, "create it, then seal it", id="sealed from the start"),
        pytest.param(
            {"max_bytes": "30GiB"},
            "asks for 30.0 GiB more; of the 20.0 GiB this server has for file streams 1.0 GiB are reserved",
            id="not enough storage",
        ),
    ],
)
def test_preview_refuses_what_up_would_run_into(
    server: NatsServer, jetstream: JetStream, fields: dict[str, Any], reason: str
) -> None:
    """The reason names the field, the other stream, the figures; nothing is touched."""
    jetstream.create(config("OTHER", subjects=["taken.>"], max_bytes="1GiB"))
    with recorded(jetstream, "$JS.API.STREAM.CREATE.*") as requests:
        said = failures(props(server, **fields))

    assert [True] == [reason in text for text in said], said
    assert [] == requests
    with pytest.raises(JetStreamError, match="ORDERS"):
        provider().create(props(server, **fields))


def test_an_update_the_server_would_refuse(server: NatsServer, jetstream: JetStream, raw: RawClient) -> None:
    """Consumers over new limits are named in preview."""
    jetstream.create(config("ORDERS"))
    raw.add_consumer("ORDERS", "slow", max_ack_pending=100)

    said = failures(props(server, consumer_limits={"max_ack_pending": 5}), olds=props(server))
    assert ["consumer_limits.max_ack_pending is below that of consumer slow"] == said


def test_a_change_that_needs_a_new_stream_is_a_replacement(server: NatsServer) -> None:
    """Storage cannot change in place: replaced, the old one deleted first."""
    diff = provider().diff("ORDERS", props(server), props(server, storage="memory"))
    assert (True, ["storage"], True) == (diff.changes, diff.replaces, diff.delete_before_replace)


def test_nobody_is_asked_before_the_server_is_made(server: NatsServer) -> None:
    """A preview that is about to make the server does not ask whoever answers there now."""
    wanted = props(server, num_replicas=3)
    assert [] != failures(wanted)
    assert [] == failures({**wanted, "ready": UNKNOWN})
    assert "ready" not in provider().check({}, {**wanted, "ready": UNKNOWN}).inputs


def test_an_equal_stream_is_taken_over(
    server: NatsServer, jetstream: JetStream, capsys: pytest.CaptureFixture[str]
) -> None:
    """A service was faster: said with its age and messages, and nothing is sent that changes it."""
    made = jetstream.create(config("ORDERS", subjects=["orders"]))
    jetstream.connection.request("orders", b"payload")
    with recorded(jetstream, "$JS.API.STREAM.*.*") as requests:
        assert [] == failures(props(server, subjects=["orders"]))
        created = provider().create(props(server, subjects=["orders"]))

    assert f"ORDERS already exists (created {made.created[:19]}Z, 1 message): taken over as it is" in (
        capsys.readouterr().err
    )
    assert made.created == (created.outs or {})["created"]
    assert {"$JS.API.STREAM.INFO.ORDERS"} == set(requests)


@pytest.mark.parametrize(("adopt", "said"), [("equal", "max_age 1d -> 7d"), ("never", "adopt is never")])
def test_another_stream_is_not_taken_over(server: NatsServer, jetstream: JetStream, adopt: str, said: str) -> None:
    """Name taken: each difference is listed in preview, and create refuses as well."""
    jetstream.create(config("ORDERS", max_age="1d"))
    wanted = props(server, max_age="7d", adopt=adopt)

    assert [True] == [said in text for text in failures(wanted)]
    with pytest.raises(JetStreamError, match=said):
        provider().create(wanted)


def test_adopt_always_changes_it(server: NatsServer, jetstream: JetStream, capsys: pytest.CaptureFixture[str]) -> None:
    """With the catalogue's yes, the plan says what taking over changes; a new stream is never made for it."""
    jetstream.create(config("ORDERS", max_age="1d"))
    wanted = props(server, max_age="7d", adopt="always")

    assert [] == failures(wanted)
    assert "taken over with max_age 1d -> 7d" in capsys.readouterr().err
    provider().create(wanted)
    live = jetstream.stream("ORDERS")
    assert live
    assert config(max_age="7d")["max_age"] == live.config["max_age"]
    assert [True] == [
        "storage file -> memory" in text for text in failures(props(server, storage="memory", adopt="always"))
    ]


@pytest.mark.parametrize(
    ("on_delete", "refused", "left"), [("guard", True, True), ("delete", False, False), ("retain", False, True)]
)
def test_a_stream_with_messages_is_deleted_as_the_policy_says(
    server: NatsServer, jetstream: JetStream, on_delete: str, refused: bool, left: bool
) -> None:
    """Guard says what the stream holds, delete deletes it, retain leaves it."""
    jetstream.create(config("ORDERS", subjects=["orders"]))
    jetstream.connection.request("orders", b"payload")
    wanted = props(server, subjects=["orders"], on_delete=on_delete)
    if refused:
        with pytest.raises(JetStreamError, match="ORDERS holds 1 message and has 0 consumers"):
            provider().delete("ORDERS", wanted)
    else:
        provider().delete("ORDERS", wanted)

    assert left == bool(jetstream.stream("ORDERS"))


def test_a_lossy_update_needs_a_yes(
    server: NatsServer, jetstream: JetStream, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Refused in preview with the number, and again at the moment of the update; allowed by name it is a warning."""
    jetstream.create(config("ORDERS", subjects=["orders"]))
    for _ in range(3):
        jetstream.connection.request("orders", b"payload")
    wanted, before = props(server, subjects=["orders"], max_msgs=1), props(server, subjects=["orders"])

    (said,) = failures(wanted, olds=before)
    assert said.startswith("ORDERS: max_msgs unlimited -> 1 would delete 2 of 3 messages (about ")
    assert said.endswith("to allow it for one run: STREAMS_ALLOW_LOSS=ORDERS pulumi up")
    with pytest.raises(JetStreamError, match="would delete 2 of 3 messages"):
        provider().update("ORDERS", before, wanted)

    monkeypatch.setenv("STREAMS_ALLOW_LOSS", "OTHER, ORDERS")
    assert [] == failures(wanted, olds=before)
    assert "would delete 2 of 3 messages" in capsys.readouterr().err
    provider().update("ORDERS", before, wanted)
    live = jetstream.stream("ORDERS")
    assert live
    assert 1 == live.messages


def test_a_replacement_needs_a_yes(server: NatsServer, jetstream: JetStream, monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy of delete is not a yes to losing messages for a setting; messages that came since the plan count."""
    jetstream.create(config("ORDERS", subjects=["orders"]))
    before = props(server, subjects=["orders"], on_delete="delete")
    wanted = props(server, subjects=["orders"], on_delete="delete", storage="memory")
    assert [] == failures(wanted, olds=before)
    assert ["storage"] == provider().diff("ORDERS", before, wanted).replaces

    jetstream.connection.request("orders", b"payload")
    with pytest.raises(JetStreamError, match="ORDERS holds 1 message that a replacement would lose"):
        provider().delete("ORDERS", before)

    monkeypatch.setenv("STREAMS_ALLOW_LOSS", "ORDERS")
    provider().delete("ORDERS", before)
    assert jetstream.stream("ORDERS") is None


def test_adoption_is_under_the_same_guard(server: NatsServer, jetstream: JetStream) -> None:
    """adopt: always is a yes to changing settings, not to losing messages."""
    jetstream.create(config("ORDERS", subjects=["orders"]))
    for _ in range(3):
        jetstream.connection.request("orders", b"payload")
    wanted = props(server, subjects=["orders"], max_msgs=1, adopt="always")

    assert [True] == ["would delete 2 of 3 messages" in text for text in failures(wanted)]
    with pytest.raises(JetStreamError, match="would delete 2 of 3 messages"):
        provider().create(wanted)


def test_server_down() -> None:
    """Create says who does not answer and for how long it waited; read makes drift of it."""
    wanted = props(f"nats://127.0.0.1:{free_port()}")
    with pytest.raises(JetStreamError, match=r"127\.0\.0\.1:\d+: no NATS server answers within 0.5 s"):
        provider().create(wanted)
    read = provider().read("ORDERS", wanted)
    assert "ORDERS" == read.id
    assert (read.outs or {})["status"].startswith("unreachable: ")
    assert provider().diff("ORDERS", read.outs or {}, wanted).changes


@pytest.mark.parametrize(("on_delete", "refused"), [("guard", True), ("delete", False), ("retain", False)])
def test_destroy_with_the_server_gone(on_delete: str, refused: bool) -> None:
    """Guard cannot know what the stream holds and refuses; the others end cleanly."""
    wanted = props(f"nats://127.0.0.1:{free_port()}", on_delete=on_delete)
    if refused:
        with pytest.raises(JetStreamError, match=r"ORDERS: .* so nobody can tell what it holds"):
            provider().delete("ORDERS", wanted)
    else:
        provider().delete("ORDERS", wanted)


def test_wrong_password(guarded: NatsServer) -> None:
    """Refused at once, with what to check; the password is not in the text."""
    with pytest.raises(JetStreamError, match="Authorization Violation; check user, password") as refused:
        provider(user="admin", password="guess").check({}, props(guarded))
    assert "guess" not in str(refused.value)


@pytest.mark.parametrize(
    ("user", "denied"),
    [("reader", r"publish to \$JS\.API\.STREAM\.CREATE\.ORDERS"), ("deaf", r"subscribe to _INBOX\.>")],
)
def test_permission_denied(guarded: NatsServer, user: str, denied: str) -> None:
    """The server only times such a request out; the user reads which permission is missing, at once."""
    with pytest.raises(JetStreamError, match=f"this user may not {denied}"):
        provider(user=user, password="secret").create(props(guarded))


def test_jetstream_is_off(tmp_path: Path) -> None:
    """A server without JetStream serves nobody on the API's subjects."""
    with running(tmp_path / "plain", jetstream="") as server, pytest.raises(JetStreamError, match="JetStream is off"):
        provider().check({}, props(server))


def test_not_enough_storage_without_monitoring(guarded: NatsServer) -> None:
    """Nobody tells the room beforehand: the server refuses, and the user reads what to do."""
    wanted = {**props(guarded, max_bytes="5GiB"), "monitor_url": None}
    with pytest.raises(JetStreamError, match="ORDERS: insufficient storage resources available: lower max_bytes"):
        provider(user="admin", password="secret").create(wanted)


def test_first_contact_waits_for_a_server_that_is_starting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first up reaches the streams before the server answers: it waits, with a deadline."""
    monkeypatch.setattr(server_view, "FIRST_CONTACT_TIMEOUT_S", 15.0)
    late = NatsServer(tmp_path, ports=(free_port(), free_port()))
    starting = threading.Timer(1.0, late.start)
    starting.start()
    try:
        assert "ORDERS" == provider().create(props(late)).id
    finally:
        starting.join()
        late.kill()


def catalogue(folder: Path, **streams: dict[str, Any]) -> dict[str, str]:
    """What the program passes along of a catalogue."""
    file = folder / "streams.yaml"
    file.write_text(json.dumps(streams))
    return {"catalogue": str(file), "owner": "project/test"}


def _seen(held: dict[str, Any], olds: dict[str, Any], news: dict[str, Any]) -> StreamProvider:
    """A provider that has read and checked the streams of a run, as Pulumi does before any change."""
    made = provider()
    for name, was in held.items():
        made.read(name, was)
    for name, wanted in news.items():
        assert [] == made.check(olds.get(name, {}), wanted).failures
    return made


@pytest.mark.parametrize("first", ["LEFT", "RIGHT"])
@pytest.mark.parametrize(
    ("left", "right"),
    [
        pytest.param(["a"], ["b", "c"], id="moved"),
        pytest.param(["a", "b", "c"], ["d"], id="moved back"),
        pytest.param(["c"], ["a", "b"], id="swapped"),
    ],
)
def test_subjects_move_in_whatever_order(
    server: NatsServer, jetstream: JetStream, tmp_path: Path, first: str, left: list[str], right: list[str]
) -> None:
    """Released before acquired, in one run; after the first of the two updates both streams are right."""
    before = {"LEFT": ["a", "b"], "RIGHT": ["c"]}
    for name, subjects in before.items():
        jetstream.create(config(name, subjects=subjects))
        jetstream.connection.request(subjects[0], b"payload")
    wanted = {"LEFT": left, "RIGHT": right}
    run = catalogue(tmp_path, **{name: {"subjects": subjects} for name, subjects in wanted.items()})
    olds = {name: props(server, name, subjects=subjects) for name, subjects in before.items()}
    news = {name: props(server, name, subjects=subjects) | run for name, subjects in wanted.items()}

    made = _seen(olds, olds, news)
    made.update(first, olds[first], news[first])

    assert wanted == {name: live.config["subjects"] for name, live in jetstream.streams().items()}
    assert [1, 1] == [live.messages for live in jetstream.streams().values()]


def test_a_renamed_stream_takes_its_subjects_along(server: NatsServer, jetstream: JetStream, tmp_path: Path) -> None:
    """The new one is made before the old one is deleted: it gets the subjects the old one gives up."""
    jetstream.create(config("OLD", subjects=["a"]))
    old = {"OLD": props(server, "OLD", subjects=["a"], on_delete="delete")}
    new = props(server, "NEW", subjects=["a"]) | catalogue(tmp_path, NEW={"subjects": ["a"]})

    _seen(old, {}, {"NEW": new}).create(new)
    assert {"NEW": ["a"], "OLD": ["_released.OLD"]} == {
        name: live.config["subjects"] for name, live in jetstream.streams().items()
    }


@pytest.mark.parametrize("on_delete", ["guard", "retain"])
def test_a_stream_that_stays_keeps_its_subjects(
    server: NatsServer, jetstream: JetStream, tmp_path: Path, on_delete: str
) -> None:
    """Its policy keeps it: the overlap is an error in preview, and nothing is touched."""
    jetstream.create(config("OLD", subjects=["a"]))
    jetstream.connection.request("a", b"payload")
    made = provider()
    made.read("OLD", props(server, "OLD", subjects=["a"], on_delete=on_delete))
    new = props(server, "NEW", subjects=["a"]) | catalogue(tmp_path, NEW={"subjects": ["a"]})

    assert ["subjects[0] 'a' overlaps 'a' of stream OLD"] == [f.reason for f in made.check({}, new).failures]


def test_the_owner_s_mark(server: NatsServer, jetstream: JetStream) -> None:
    """Put on where asked for, never drift, another's always an error, taken off by retain."""
    mine = props(server, mark_owner=True) | {"owner": "project/mine"}
    theirs = props(server, mark_owner=True) | {"owner": "project/theirs"}
    created = provider().create(mine)
    live = jetstream.stream("ORDERS")
    assert live
    assert "project/mine" == live.config["metadata"]["pulumi.owner"]
    assert False is provider().diff("ORDERS", provider().read("ORDERS", created.outs or {}).outs or {}, mine).changes

    context.cache_clear()
    assert ["ORDERS belongs to stack project/mine; take it out of one of the two catalogues"] == failures(theirs)
    for call in (lambda: provider().create(theirs), lambda: provider().delete("ORDERS", theirs)):
        with pytest.raises(JetStreamError, match="belongs to stack project/mine"):
            call()

    provider().delete("ORDERS", mine | {"on_delete": "retain"})
    left = jetstream.stream("ORDERS")
    assert left
    assert "pulumi.owner" not in left.config["metadata"]
