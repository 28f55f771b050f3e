"""Somebody else's server with the real engine: every way to log in, TLS, a domain, permissions; no secret in clear."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from tests.e2e.conftest import Project
from tests.support.certificates import authority, server_block
from tests.support.jwt import operator
from tests.support.leaf import hub_and_leaf
from tests.support.nats_server import NatsServer, running
from tests.support.nkey import user_nkey

ORDERS = {"subjects": ["orders"]}


def configure(project: Project, server: NatsServer, *secrets: str, **settings: str) -> None:
    """The settings of an external server; secrets, each ``key=value``, as a user sets them."""
    project.configure(
        **{"server": "external", "url": server.url, "onDelete": "delete", "catalogue": "streams.yaml", **settings}
    )
    for secret in secrets:
        assert 0 == project.pulumi("config", "set-all", "--secret", secret).code


def life(project: Project) -> None:
    """Up, a preview that finds nothing, a change, and a destroy."""
    project.catalogue(ORDERS=ORDERS)
    project.up()
    assert project.unchanged()
    project.catalogue(ORDERS={**ORDERS, "max_msgs": 9})
    assert "max_msgs" in project.drift()
    project.up()
    project.destroy()


def in_clear(project: Project, *secrets: str) -> list[str]:
    """The files of the project and its state that have one of the secrets in clear."""
    folders = (project.folder, Path(project.environment["PULUMI_BACKEND_URL"].removeprefix("file://")))
    files = [*folders[0].glob("Pulumi*.yaml"), *(file for file in folders[1].rglob("*") if file.is_file())]
    assert project.state in files
    return [str(file) for file in files if any(secret.encode() in file.read_bytes() for secret in secrets)]


def test_an_nkey_over_tls(project: Project, tmp_path: Path) -> None:
    """A seed as a secret, a CA and a client certificate from files beside the project; a seed in clear is refused."""
    ca, user = authority(project.folder / "tls"), user_nkey()
    client = ca.sign("client")
    users = f"authorization {{ users: [{{ nkey: {user.public} }}] }}"
    tls = {"ca": "tls/ca.pem", "cert": "tls/client.pem", "key": "tls/client.key"}
    clients = f'ca_file: "{ca.ca}", verify: true'
    with running(tmp_path / "nats", f"{server_block(ca.sign('server'), clients)}{users}") as nats:
        project.catalogue(ORDERS=ORDERS)
        configure(project, nats, nkey=user.seed, **tls)
        assert "nkey: is in clear; encrypt it: pulumi config set --secret nkey" in project.preview().text

        configure(project, nats, f"nkey={user.seed}", ca="tls/ca.pem")
        refused = project.preview()
        assert refused.code != 0
        assert "the server wants a client certificate; set cert and key" in refused.text
        assert "Traceback" not in refused.text

        configure(project, nats, f"nkey={user.seed}", **tls)
        life(project)

        project.up()
        other = authority(project.folder / "other")
        nats.kill()
        nats.extra = f"{server_block(other.sign('server'), clients)}{users}"
        nats.start()
        assert "the CA of the server's certificate is not trusted; give ca a file that has it" in project.preview().text
        configure(project, nats, f"nkey={user.seed}", **{**tls, "ca": "other/ca.pem"})
        project.destroy()
        assert [] == in_clear(project, user.seed, client.key.read_text().splitlines()[1])


def test_a_creds_file_and_a_revoked_user(project: Project, tmp_path: Path) -> None:
    """A managed service's login by its path; taken back, it is refused in one line, and another one goes on."""
    before, after = operator(), operator()
    (project.folder / "user.creds").write_text(before.creds)
    project.catalogue(ORDERS=ORDERS)
    with running(tmp_path / "nats", before.config) as nats:
        configure(project, nats, credentials="user.creds")
        life(project)
        project.up()
        nats.kill()
        nats.extra = after.config
        nats.start()
        refused = project.preview()
        assert refused.code != 0
        assert "Authorization Violation; check user, password, token, credentials or nkey" in refused.text
        assert "Traceback" not in refused.text
        (project.folder / "user.creds").write_text(after.creds)
        project.up()
        assert [] == in_clear(project, *before.creds.splitlines()[1::4], *after.creds.splitlines()[1::4])


def test_a_leaf_through_its_hub(project: Project, tmp_path: Path) -> None:
    """The streams of a domain; taking the domain out of the settings is another place, not the same streams."""
    with hub_and_leaf(tmp_path / "sea") as sea, closing(JetStream(sea.leaf.url, Credentials())) as leaf:
        configure(project, sea.hub, domain="leaf", monitorUrl=sea.leaf.monitor_url)
        life(project)
        project.up()
        leaf.connection.request("orders", b"x")
        assert sea.hub.url == project.pulumi("stack", "output", "url").text
        assert sea.leaf.monitor_url == project.pulumi("stack", "output", "monitor_url").text
        project.catalogue(ORDERS={**ORDERS, "max_bytes": "5GiB"})
        too_large = project.preview()
        assert too_large.code != 0
        assert "max_bytes asks for 5.0 GiB more; of the 1.0 GiB this server has" in too_large.text

        project.catalogue(ORDERS=ORDERS)
        configure(project, sea.hub)
        left = project.preview()
        assert left.code != 0
        assert "would leave 1 message" in left.text, left.text
        project.up(STREAMS_MOVE_DATA="yes")
        with closing(JetStream(sea.hub.url, Credentials())) as hub:
            assert {"ORDERS": 1} == {name: info.messages for name, info in hub.streams().items()}
        assert {} == leaf.streams()
        assert project.unchanged()
        project.destroy()


USERS = """
authorization { users: [
  { user: admin, password: Adm1n-Secret }
  { user: app, password: App-Secret, permissions: {
      publish: { allow: ["$SYS.REQ.USER.INFO", "$JS.API.>"],
                 deny: ["$JS.API.STREAM.CREATE.EVENTS", "$JS.API.STREAM.DELETE.>"] }
      subscribe: ["_INBOX_app.>"] } }
] }
"""


def test_a_missing_permission(project: Project, tmp_path: Path) -> None:
    """Named in preview, for every stream at once, before anything is made; with an inbox prefix of the user's own."""
    with running(tmp_path / "nats", USERS) as nats:
        configure(project, nats, "password=App-Secret", user="app", inboxPrefix="_INBOX_app")
        project.catalogue(ORDERS=ORDERS, EVENTS={"subjects": ["events"]})
        for command in (("preview",), ("up", "--yes", "--skip-preview")):
            refused = project.pulumi(*command)
            assert refused.code != 0
            expected = "EVENTS: this user may not publish to $JS.API.STREAM.CREATE.EVENTS; give it the permission"
            assert expected in refused.text
            assert "ORDERS: this user" not in refused.text
        with closing(JetStream(nats.url, Credentials("admin", "Adm1n-Secret"))) as admin:
            assert {} == admin.streams()

        project.catalogue(ORDERS=ORDERS)
        project.up()
        assert project.unchanged()
        project.catalogue(EVENTS={"subjects": ["events"]})
        refused = project.preview()
        for lacking in ("ORDERS", "DELETE"), ("EVENTS", "CREATE"):
            expected = "{0}: this user may not publish to $JS.API.STREAM.{1}.{0}; give it the permission"
            assert expected.format(*lacking) in refused.text
        assert [] == in_clear(project, "App-Secret")


@pytest.mark.parametrize("down", ["first", "last"])
def test_several_servers_one_of_them_down(project: Project, server: NatsServer, down: str) -> None:
    """One that answers is enough, wherever it stands."""
    urls = ["nats://127.0.0.1:9", server.url]
    configure(project, server, url=",".join(urls if down == "first" else urls[::-1]))
    life(project)
