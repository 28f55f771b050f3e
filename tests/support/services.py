"""A server that knows the identities of a services' file, each by an nkey or .creds of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nkeys
from nats.aio.client import RawCredentials

from provisioner.catalogue.model import Catalogue
from provisioner.catalogue.reader import load
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.providers.keys import new_seed, public_key
from provisioner.services.jwt import creds, token
from provisioner.services.logins import Nkey, SigningKey
from provisioner.services.model import PROVISIONER, LoginKind, Services, inbox_prefix
from provisioner.services.operator_block import operator_block
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
    tokens: dict[str, str] = field(default_factory=dict)

    def login(self, identity: str) -> dict[str, Any]:
        """The arguments of nats-py's ``connect``."""
        if identity in self.tokens:
            return {"user_credentials": RawCredentials(self._creds(identity)), "inbox_prefix": inbox_prefix(identity)}
        return {"nkeys_seed_str": self.keys[identity].seed, "inbox_prefix": inbox_prefix(identity)}

    def credentials(self, identity: str) -> Credentials:
        """The same for the program."""
        if identity in self.tokens:
            return Credentials(credentials=self._creds(identity), inbox_prefix=inbox_prefix(identity))
        return Credentials(nkey=self.keys[identity].seed, inbox_prefix=inbox_prefix(identity))

    def environment(self, identity: str) -> dict[str, str]:
        """The same for the commands."""
        login = {"NATS_NKEY": self.keys[identity].seed, "NATS_INBOX_PREFIX": inbox_prefix(identity)}
        return {"NATS_URL": self.server.url, "NATS_MONITOR_URL": self.server.monitor_url, **login}

    def _creds(self, identity: str) -> str:
        return creds(self.tokens[identity], self.keys[identity].seed)

    @contextmanager
    def jetstream(self, identity: str = PROVISIONER) -> Iterator[JetStream]:
        """The program's client as one of them."""
        client = JetStream(self.server.url, self.credentials(identity))
        try:
            yield client
        finally:
            client.close()


@contextmanager
def guarded(
    folder: Path, text: str | None = None, extra: str = "", catalogue: Catalogue | None = None
) -> Iterator[Guarded]:
    """A server with the committed streams and services, or those of others; it has no streams yet."""
    catalogue = catalogue or load(STREAMS)
    services = read(SERVICES.read_text() if text is None else text, "services.yaml", catalogue)
    keys = {name: user_nkey() for name in services.purposes}
    if services.login is LoginKind.CREDS:
        block, tokens = _operators(services, catalogue, keys)
    else:
        block, tokens = accounts_block(services, catalogue, {name: Nkey(key.public) for name, key in keys.items()}), {}
    with running(folder, f"{extra}\n{block}", jetstream="max_file_store: 40GB, sync_interval: always") as server:
        yield Guarded(server, catalogue, keys, tokens)


def _operators(services: Services, catalogue: Catalogue, keys: dict[str, UserNkey]) -> tuple[str, dict[str, str]]:
    """The same of a server with an operator, and everybody's tokens."""
    signers = {name: new_seed(nkeys.PREFIX_BYTE_ACCOUNT) for name in keys}
    claims = {"type": "user", "issuer_account": services.account_id}
    tokens = {name: token(signers[name], keys[name].public, name, claims) for name in keys}
    signing = {name: SigningKey(public_key(seed)) for name, seed in signers.items()}
    return operator_block(services, catalogue, signing, new_seed(nkeys.PREFIX_BYTE_OPERATOR)), tokens
