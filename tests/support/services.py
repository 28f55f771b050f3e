"""A server that knows the identities of a services' file, each by an nkey of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provisioner.catalogue.model import Catalogue
from provisioner.catalogue.reader import load
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.services.logins import Nkey
from provisioner.services.model import PROVISIONER, inbox_prefix
from provisioner.services.reader import read
from provisioner.services.server_block import accounts_block
from tests.support.nats_server import NatsServer, running
from tests.support.nkey import UserNkey, user_nkey

ROOT = Path(__file__).parents[2]
STREAMS = ROOT / "infra/streams.yaml"
SERVICES = ROOT / "infra/services.yaml"


@dataclass(frozen=True)
class Guarded:
    """The server, the catalogue, and everybody's keys."""

    server: NatsServer
    catalogue: Catalogue
    keys: dict[str, UserNkey]

    def login(self, identity: str) -> dict[str, Any]:
        """The arguments of nats-py's ``connect``."""
        return {"nkeys_seed_str": self.keys[identity].seed, "inbox_prefix": inbox_prefix(identity)}

    def credentials(self, identity: str) -> Credentials:
        """The same for the program."""
        return Credentials(nkey=self.keys[identity].seed, inbox_prefix=inbox_prefix(identity))

    def environment(self, identity: str) -> dict[str, str]:
        """The same for the commands."""
        login = {"NATS_NKEY": self.keys[identity].seed, "NATS_INBOX_PREFIX": inbox_prefix(identity)}
        return {"NATS_URL": self.server.url, "NATS_MONITOR_URL": self.server.monitor_url, **login}

    @contextmanager
    def jetstream(self, identity: str = PROVISIONER) -> Iterator[JetStream]:
        """The program's client as one of them."""
        client = JetStream(self.server.url, self.credentials(identity))
        try:
            yield client
        finally:
            client.close()


@contextmanager
def guarded(folder: Path, text: str | None = None, extra: str = "") -> Iterator[Guarded]:
    """A server with the committed streams and services, or those of another file's text; it has no streams yet."""
    catalogue = load(STREAMS)
    services = read(SERVICES.read_text() if text is None else text, "services.yaml", catalogue)
    keys = {name: user_nkey() for name in services.purposes}
    block = accounts_block(services, catalogue, {name: Nkey(key.public) for name, key in keys.items()})
    with running(folder, f"{extra}\n{block}", jetstream="max_file_store: 40GB, sync_interval: always") as server:
        yield Guarded(server, catalogue, keys)
