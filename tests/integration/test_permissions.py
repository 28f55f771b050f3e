"""What a user may do on somebody else's server: evaluated as the server does it, and named in the plan."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from provisioner.errors import Refused
from provisioner.jetstream.address import address, domain_api
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.jetstream.user_info import USER_INFO, user_info
from provisioner.reconcile import apply, deletion
from provisioner.reconcile.context import Context, context
from provisioner.reconcile.permitted import Work, missing_for_moving, missing_for_values, subjects
from provisioner.reconcile.preflight import preflight
from provisioner.rules.permissions import permissions_of
from provisioner.schema.config import with_fields
from provisioner.schema.model import OnDelete, StreamConfig, StreamSpec
from tests.support.configurations import config
from tests.support.documents import blocks
from tests.support.jwt import operator
from tests.support.nats_lines import nats_lines
from tests.support.nats_server import NatsServer, running
from tests.support.nkey import user_nkey

pytestmark = pytest.mark.usefixtures("own_process")

ROOT = Path(__file__).parents[2]
INBOX = "_INBOX.>"
EVERYTHING = sorted({subject for work in Work for subject in subjects(work, "*", "$JS.API")})


def users(**permissions: dict[str, Any]) -> str:
    """A server's users, each with a password that is its name."""
    lines = [
        f"{{ user: {name}, password: {name}, permissions: {_hocon(lists)} }}" for name, lists in permissions.items()
    ]
    return f"authorization {{ users: [{', '.join(['{ user: admin, password: admin }', *lines])}] }}"


def _hocon(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key}: {_hocon(each)}' for key, each in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_hocon, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


def without(*denied: str) -> dict[str, Any]:
    """Everything that is needed but some."""
    return {"publish": {"allow": [*EVERYTHING, USER_INFO], "deny": list(denied)}, "subscribe": [INBOX]}


USERS = {
    "enough": {"publish": [*EVERYTHING, USER_INFO], "subscribe": ["_INBOX.*", "_INBOX.*.*"]},
    "silent": {"publish": [s for s in EVERYTHING if "CREATE" not in s], "subscribe": [INBOX]},
    "nocreate": without("$JS.API.STREAM.CREATE.*"),
    "others": without("$JS.API.STREAM.CREATE.EVENTS"),
    "noupdate": without("$JS.API.STREAM.UPDATE.>"),
    "nodelete": without("$JS.API.STREAM.DELETE.ORDERS"),
    "nocopy": without("$JS.API.STREAM.SNAPSHOT.>", "$JS.SNAPSHOT.>"),
    "noinbox": {"publish": [*EVERYTHING, USER_INFO], "subscribe": ["_INBOX.*.*"]},
    "answering": {
        "publish": [*(s for s in EVERYTHING if "ACK" not in s), USER_INFO],
        "subscribe": [INBOX],
        "allow_responses": True,
    },
}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A server with a user for each set of permissions."""
    with running(tmp_path_factory.mktemp("nats"), users(**USERS)) as server:
        yield server


@pytest.fixture
def admin(guarded: NatsServer) -> Iterator[JetStream]:
    """Somebody who may do everything; no stream is left."""
    with closing(JetStream(guarded.url, Credentials("admin", "admin"))) as client:
        yield client
        for name in client.streams():
            client.delete(name)


def here(server: NatsServer, user: str) -> Context:
    """The server as a run of this user's sees it."""
    return context(server.url, None, Credentials(user, user))


def wanted(**fields: Any) -> StreamSpec:
    """The stream of these tests, empty by default."""
    return StreamSpec(config("ORDERS", subjects=["orders"], **fields))


def lacks(server: NatsServer, user: str, spec: StreamSpec, actual: StreamConfig | None = None) -> list[str]:
    """What the plan has against a stream: missing permissions."""
    found = here(server, user)
    if actual and (info := found.server.seen("ORDERS")):
        found.run.on_read("ORDERS", OnDelete.DELETE, info.created)
    problems = preflight(found, spec, found.server.seen("ORDERS")).problems
    end = "; give it the permission"
    assert all(problem.startswith("this user may not ") and problem.endswith(end) for problem in problems), problems
    return [problem.removeprefix("this user may not ").removesuffix(end) for problem in problems]


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("enough", []),
        ("others", []),
        ("nodelete", []),
        ("nocreate", ["publish to $JS.API.STREAM.CREATE.ORDERS"]),
        ("silent", []),
    ],
)
@pytest.mark.usefixtures("admin")
def test_a_new_stream(guarded: NatsServer, user: str, expected: list[str]) -> None:
    """What creating it needs is asked in the plan; of a user who may not ask for its permissions nothing is said."""
    assert expected == lacks(guarded, user, wanted())


def test_without_an_answer_the_server_says_it(guarded: NatsServer, admin: JetStream) -> None:
    """A user who may not ask what it may do meets the denial in up, as one line."""
    with pytest.raises(Refused, match=r"this user may not publish to \$JS\.API\.STREAM\.CREATE\.ORDERS; give it"):
        apply.create(here(guarded, "silent"), wanted())
    assert {} == admin.streams()


CARRY = {"persist_mode": "async"}


@pytest.mark.parametrize(
    ("user", "change", "expected"),
    [
        ("noupdate", {}, []),
        ("noupdate", {"max_msgs": 5}, ["publish to $JS.API.STREAM.UPDATE.ORDERS"]),
        ("nocopy", {"max_msgs": 5}, []),
        ("enough", CARRY, []),
        ("answering", CARRY, []),
        (
            "nocopy",
            CARRY,
            [
                "publish to $JS.API.STREAM.SNAPSHOT.ORDERS",
                "publish to $JS.SNAPSHOT.ACK.ORDERS.*.*.*",
                "publish to $JS.SNAPSHOT.RESTORE.ORDERS.*",
            ],
        ),
        ("nodelete", CARRY, ["publish to $JS.API.STREAM.DELETE.ORDERS"]),
        ("noinbox", CARRY, ["subscribe to _INBOX.*"]),
    ],
)
def test_a_change(
    guarded: NatsServer, admin: JetStream, user: str, change: dict[str, Any], expected: list[str]
) -> None:
    """An update, and a change that needs a new stream, are asked for what each takes."""
    actual = admin.create(wanted().config).config
    assert expected == lacks(guarded, user, wanted(**change), actual)


def test_a_move(guarded: NatsServer, admin: JetStream) -> None:
    """What is copied and deleted on the one side, and restored on the other, is asked of both."""
    admin.create(wanted().config)
    source, target = here(guarded, "nodelete"), here(guarded, "nocopy")
    expected = ["publish to $JS.API.STREAM.DELETE.ORDERS", "publish to $JS.SNAPSHOT.RESTORE.ORDERS.*"]
    found = missing_for_moving(source, target, "ORDERS").problems
    assert [f"this user may not {lack}; give it the permission" for lack in expected] == list(found)
    gone = context("nats://127.0.0.1:9", None, Credentials())
    assert () == missing_for_moving(gone, here(guarded, "enough"), "ORDERS").problems


def test_a_copy_before_messages_go(
    guarded: NatsServer, admin: JetStream, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With a folder for copies, an approved loss needs the copy's permissions too."""
    actual = admin.create(wanted().config).config
    admin.connection.request("orders", b"x")
    admin.connection.request("orders", b"x")
    monkeypatch.setenv("STREAMS_ALLOW_LOSS", "ORDERS")
    assert [] == lacks(guarded, "nocopy", wanted(max_msgs=1), actual)
    monkeypatch.setenv("STREAMS_BACKUP_TO", str(tmp_path))
    assert "publish to $JS.API.STREAM.SNAPSHOT.ORDERS" in lacks(guarded, "nocopy", wanted(max_msgs=1), actual)


@pytest.mark.parametrize("user", ["enough", "answering"])
def test_the_whole_job(guarded: NatsServer, admin: JetStream, user: str) -> None:
    """Create, update, carry over with more messages than a window has, count and delete, with what is needed alone."""
    whole_job(here(guarded, user), admin)


def whole_job(where: Context, admin: JetStream) -> None:
    """All that is ever done with a stream; messages come from somebody who may publish them."""
    spec = wanted()
    made = apply.create(where, spec)
    for _ in range(40):
        admin.connection.request("orders", b"x" * 500_000)
    for change in ({"max_age": 3 * 86_400 * 10**9}, CARRY):
        spec = StreamSpec(with_fields(spec.config, change))
        assert 40 == apply.ensure(where, spec, made.created).messages
    info = where.client().stream("ORDERS")
    assert info
    assert 0 == where.client().before("ORDERS", info.first_time)
    deletion.delete(where, StreamSpec(spec.config, on_delete=OnDelete.DELETE), info.created)
    assert {} == admin.streams()


def test_the_documented_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What docs/external.md writes into a server's configuration is a user who can do the whole job."""
    monkeypatch.setenv("PROVISIONER_PASSWORD", "s3cret")
    text = next(block.text for block in blocks(ROOT / "docs/external.md") if block.mark == "permissions")
    users = text.replace("users: [", "users: [{ user: admin, password: admin }", 1)
    login = Credentials("provisioner", "s3cret", inbox_prefix="_INBOX_provisioner")
    with running(tmp_path, users) as server, closing(JetStream(server.url, Credentials("admin", "admin"))) as admin:
        whole_job(context(server.url, None, login), admin)


def test_the_domain_of_the_server_itself(tmp_path: Path) -> None:
    """It maps the domain's subjects to the account's own, and looks at permissions afterwards."""
    room = f"{NatsServer.jetstream}, domain: shop"
    with running(tmp_path, users(**USERS), room) as server:
        where = address(server.url, domain_api("shop"))
        expected = "this user may not publish to $JS.API.STREAM.CREATE.ORDERS; give it the permission"
        found = {user: context(where, None, Credentials(user, user)) for user in ("enough", "nocreate", "silent")}
        assert ((), (expected,)) == tuple(preflight(found[u], wanted(), None).problems for u in ("enough", "nocreate"))
        with pytest.raises(Refused, match=re.escape(expected)):
            apply.create(found["silent"], wanted())
        assert (f"{expected.replace('JS.API.STREAM.CREATE.ORDERS', 'KV.A.mode')}",) == missing_for_values(
            found["enough"], "A", ["mode"]
        ).problems
        with closing(JetStream(server.url, Credentials("admin", "admin"))) as admin:
            whole_job(found["enough"], admin)


@pytest.mark.parametrize("of_account", [False, True])
def test_permissions_in_a_jwt(tmp_path: Path, *, of_account: bool) -> None:
    """In operator mode the server tells those of the user's JWT, and its account's where the user has none."""
    limits = {"pub": {"deny": ["$JS.API.STREAM.CREATE.*"]}}
    made = operator(defaults=limits) if of_account else operator(user_limits=limits)
    with running(tmp_path, made.config) as server:
        found = context(server.url, None, Credentials(credentials=made.creds))
        problems = preflight(found, wanted(), None).problems
    assert ("this user may not publish to $JS.API.STREAM.CREATE.ORDERS; give it the permission",) == problems


LISTS = {
    "plain": {"allow": ["a.*", "b.>"], "deny": ["a.x"]},
    "nested": {"allow": ["a.>"], "deny": ["a.b.>", "a.*.c"]},
    "denied": {"deny": ["a.>"]},
    "wide": {"allow": [">"], "deny": ["b"]},
    "tail": {"allow": ["*.b", "a"]},
    "queue": {"allow": ["a.* workers", "b.> w.*", "c"], "deny": ["c"]},
    "queuedeny": {"allow": ["a.>"], "deny": ["a.x workers"]},
}
SUBJECTS = ["a", "b", "c", "a.x", "a.b", "b.b", "b.x.y", "a.b.c", "a.x.c", "a.x.d", "c.b"]
# Without a last ``>``, which this program never subscribes to: for the server ``a.*`` allows ``a.>``, which is more.
PATTERNS = [*SUBJECTS, "a.*", "*.b", "b.*", "*.x.c"]


def lists(entries: dict[str, list[str]], *more: str) -> dict[str, list[str]]:
    """Lists with what the test itself needs, where there is a list of what is allowed."""
    return {**entries, "allow": [*entries["allow"], *more]} if "allow" in entries else entries


def without_queues(entries: dict[str, list[str]]) -> dict[str, list[str]]:
    """Only a subscription can be in a queue group."""
    return {kind: [entry for entry in subjects if " " not in entry] for kind, subjects in entries.items()}


@pytest.mark.parametrize("name", LISTS)
def test_the_server_s_verdict(tmp_path: Path, name: str) -> None:
    """Lists mean to this program what they mean to the server, for each subject and each subscription."""
    permissions = {
        "publish": lists(without_queues(LISTS[name]), USER_INFO),
        "subscribe": lists(LISTS[name], INBOX),
    }
    user = user_nkey()
    config = f"authorization {{ users: [{{ nkey: {user.public}, permissions: {_hocon(permissions)} }}] }}"
    with running(tmp_path, config) as server:
        with closing(JetStream(server.url, Credentials(nkey=user.seed))) as client:
            found = permissions_of(user_info(client))
        with nats_lines(server.url, user) as raw:
            denied = raw.denied_publishing(SUBJECTS), raw.denied_subscribing(PATTERNS)
    assert denied[0] == {subject for subject in SUBJECTS if not found.publish.permit(subject)}
    assert denied[1] == {pattern for pattern in PATTERNS if not found.subscribe.permit(pattern)}
