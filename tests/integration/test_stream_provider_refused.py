"""What the provider says when the server is down, or refuses it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioner.providers.errors import JetStreamError
from provisioner.reconcile import server_view
from tests.support.nats_server import NatsServer, running
from tests.support.ports import free_port
from tests.support.stream_provider import gate, props, provider

pytestmark = pytest.mark.usefixtures("own_process")


USERS = """
authorization { users: [
  { user: admin, password: secret }
  { user: reader, password: secret, permissions: { publish: { deny: ["$JS.API.STREAM.CREATE.>"] } } }
  { user: deaf, password: secret, permissions: { subscribe: { deny: ["_INBOX.>"] } } }
] }
"""


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A server with users, and little room."""
    with running(tmp_path_factory.mktemp("guarded"), USERS, "max_file_store: 1GiB, max_mem: 1MiB") as server:
        yield server


def test_server_down() -> None:
    """Create says who does not answer and for how long it waited; read makes drift of it."""
    wanted = props(f"nats://127.0.0.1:{free_port()}")
    with pytest.raises(JetStreamError, match=r"127\.0\.0\.1:\d+: no NATS server answers within 0.5 s"):
        provider().create(wanted)
    read = provider().read("ORDERS", wanted)
    assert "ORDERS" == read.id
    assert (read.outs or {})["status"].startswith("unreachable: ")
    assert provider().diff("ORDERS", read.outs or {}, wanted).changes


@pytest.mark.parametrize("owns_server", [True, False])
@pytest.mark.parametrize("on_delete", ["guard", "delete", "retain"])
def test_destroy_with_the_server_gone(on_delete: str, owns_server: bool) -> None:
    """Guard cannot know what the stream holds; nor is a stream gone because an external server does not answer."""
    url = f"nats://127.0.0.1:{free_port()}"
    wanted = props(url, on_delete=on_delete)
    refused = on_delete == "guard" or (on_delete == "delete" and not owns_server)
    gate(url, [], owns_server=owns_server)
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
    starting = threading.Timer(1.0, late.start)  # late on purpose: twice what a plan would wait
    starting.start()
    try:
        assert "ORDERS" == provider().create(props(late)).id
    finally:
        starting.join()
        late.kill()
