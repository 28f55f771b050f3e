"""Consumers, buckets and object stores on somebody else's server: a password, TLS, a domain, few permissions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from provisioner.cli.main import main
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.consumers import consumer
from provisioner.jetstream.target import Credentials
from tests.e2e.conftest import Project
from tests.e2e.test_external import configure, in_clear
from tests.support.certificates import Authority, authority, server_block
from tests.support.documents import blocks
from tests.support.nats_server import NatsServer, running

ROOT = Path(__file__).parents[2]
PASSWORD, INBOX = "Pr0visioner-Secret", "_INBOX_provisioner"
# What docs/external.md has for first values and for the smoke test.
SEED = "$KV.SETTINGS.mode"
SMOKE = ("$JS.API.CONSUMER.MSG.NEXT.*.*", "_SMOKE.>", "$JS.ACK._SMOKE.>")
SERVICES = (
    "services:\n  shop: {purpose: Sells, publishes: [orders.*]}\n  billing: {purpose: Bills, consumes: [ORDERS]}\n"
)


@dataclass(frozen=True)
class Site:
    """A server with TLS, a domain, the user that docs/external.md has, and one who may do everything."""

    nats: NatsServer
    ca: Authority

    @property
    def environment(self) -> dict[str, str]:
        """What the ``streams`` command is given."""
        return {
            "NATS_URL": self.nats.url, "NATS_USER": "provisioner", "NATS_PASSWORD": PASSWORD,
            "NATS_CA": str(self.ca.ca), "NATS_INBOX_PREFIX": INBOX, "NATS_JS_DOMAIN": "shop",
        }  # fmt: skip

    @contextmanager
    def admin(self) -> Iterator[JetStream]:
        """Somebody who may do everything."""
        with closing(JetStream(self.nats.url, Credentials("admin", "admin", ca=str(self.ca.ca)))) as client:
            yield client


def _users(*more: str) -> str:
    """The documented user, and more that it may publish; the server maps its own domain before it looks at this."""
    text = next(block.text for block in blocks(ROOT / "docs/external.md") if block.mark == "permissions")
    text = text.replace("$PROVISIONER_PASSWORD", PASSWORD)
    text = text.replace("publish: [", f"publish: [{', '.join(map(json.dumps, more))} ")
    return text.replace("users: [", "users: [{ user: admin, password: admin }", 1)


@contextmanager
def _site(project: Project, *more: str) -> Iterator[Site]:
    ca = authority(project.folder / "tls")
    extra = server_block(ca.sign("server", days=90)) + _users(*more)
    with running(project.folder / "nats", extra, f"{NatsServer.jetstream}, domain: shop") as nats:
        yield Site(nats, ca)


def _catalogue(project: Project, **changes: Any) -> None:
    consumers = {"billing": changes.get("consumer", {})}
    project.catalogue(
        ORDERS={"subjects": ["orders.*"], "consumers": consumers},
        buckets={"SETTINGS": {"history": changes.get("history", 5), "storage": changes.get("storage", "file"),
                              "seed": {"mode": "safe"}}},
        objects={"MODELS": {"storage": changes.get("storage", "file")}},
    )  # fmt: skip


def _run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], site: Site, *words: str) -> str:
    """What the ``streams`` command says, which has to succeed."""
    with monkeypatch.context() as patch:
        for name, value in site.environment.items():
            patch.setenv(name, value)
        code = main([*words])
    text = "".join(capsys.readouterr())
    assert 0 == code, text
    return text


def test_from_the_first_up_to_the_last(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Made, filled, changed, carried over, looked at and taken down with the documented permissions, and no more."""
    project.environment["STREAMS_ALLOW_LOSS"] = ""
    with _site(project, SEED, *SMOKE) as site:
        configure(
            project, site.nats, f"password={PASSWORD}",
            user="provisioner", inboxPrefix=INBOX, domain="shop", ca="tls/ca.pem", onDelete="guard",
        )  # fmt: skip
        _catalogue(project)
        project.up()
        assert project.unchanged()
        with site.admin() as admin:
            for number in range(5):
                admin.connection.request("orders.new", str(number).encode())
            admin.connection.request("$KV.SETTINGS.other", b"own")
        _catalogue(project, consumer={"ack_policy": "all", "max_waiting": 9}, storage="memory")
        said = project.up().text
        assert "KV_SETTINGS: carried over with 2 messages" in said
        assert project.unchanged()
        with site.admin() as admin:
            info = consumer(admin, "ORDERS", "billing")
            assert info
            assert ("all", 5) == (info.config["ack_policy"], info.outstanding)
            live = admin.stream("KV_SETTINGS")
            assert live
            assert 2 == live.messages

        catalogue = ("--catalogue", str(project.folder / "streams.yaml"))
        assert "no drift: 3 streams and 1 consumer compared" in _run(monkeypatch, capsys, site, "drift", *catalogue)
        assert "KV_SETTINGS" in _run(monkeypatch, capsys, site, "status", "--monitor-url", "", *catalogue)
        (project.folder / "services.yaml").write_text(SERVICES)
        assert "OK: 1 of 1 hop" in _run(monkeypatch, capsys, site, "smoke", *catalogue)

        _catalogue(project, consumer={"ack_policy": "all", "max_waiting": 9}, storage="memory", history=1)
        project.up()
        for name in ("OBJ_MODELS", "KV_SETTINGS", "ORDERS"):
            project.environment["STREAMS_ALLOW_LOSS"] += f"{name},"
        project.environment["STREAMS_ALLOW_LOSS"] += "ORDERS/billing"
        project.destroy()
        with site.admin() as admin:
            assert {} == admin.streams()
        assert [] == in_clear(project, PASSWORD)


def test_a_first_value_that_may_not_be_published(project: Project) -> None:
    """An error in preview, like every other permission, before anything is made."""
    with _site(project) as site:
        configure(
            project,
            site.nats,
            f"password={PASSWORD}",
            user="provisioner",
            inboxPrefix=INBOX,
            domain="shop",
            ca="tls/ca.pem",
        )
        _catalogue(project)
        refused = project.preview()
        assert refused.code != 0
        expected = "KV_SETTINGS: this user may not publish to $KV.SETTINGS.mode; give it the permission"
        assert expected in refused.text, refused.text
