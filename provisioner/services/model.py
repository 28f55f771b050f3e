"""What the services' file says: the services, the two built-in identities, the account they share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from provisioner.services.account_key import account_key

PROVISIONER: Final = "provisioner"
MONITORING: Final = "monitoring"
BUILT_IN: Final = (PROVISIONER, MONITORING)

# nats-server's own account: what users without an account are in.
GLOBAL_ACCOUNT: Final = "$G"


class LoginKind(StrEnum):
    """How an identity proves who it is."""

    NKEY = "nkey"
    PASSWORD = "password"
    CREDS = "creds"


@dataclass(frozen=True)
class Consumption:
    """A stream that a service consumes.

    Attributes:
        stream: its name.
        consumers: the names of the service's durable consumers on it.
        subjects: the filters these may have; none for the whole stream.
    """

    stream: str
    consumers: tuple[str, ...]
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True)
class Access:
    """A bucket or object store that a service uses.

    Attributes:
        store: its name, or that of the stream behind it.
        keys: patterns of a bucket's keys that the service is confined to; none for all of them.
    """

    store: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Service:
    """One service and what it does.

    Attributes:
        name: its identity, and that of its durable consumers where nothing else is said.
        publishes: subjects or patterns; of a pattern, what the catalogue's streams capture.
        consumes: streams, through durable consumers of its own.
        creates: streams, buckets and object stores that it creates at start-up, and may look at.
        reads: buckets whose keys it gets, and object stores that it gets and watches.
        writes: buckets and object stores that it puts into and deletes from.
        watches: buckets whose keys it watches and lists.
        key: which of its keys it logs in with.
        login: how it does.
    """

    name: str
    purpose: str = ""
    publishes: tuple[str, ...] = ()
    consumes: tuple[Consumption, ...] = ()
    creates: tuple[str, ...] = ()
    reads: tuple[Access, ...] = ()
    writes: tuple[Access, ...] = ()
    watches: tuple[Access, ...] = ()
    key: int = 1
    login: LoginKind = LoginKind.NKEY


@dataclass(frozen=True)
class Account:
    """An account of the server.

    Attributes:
        name: as the server knows it, and as it calls the folder of its streams.
        limits: those that the file sets, under the server's names; -1 is unlimited.
    """

    name: str = GLOBAL_ACCOUNT
    limits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Provisioner:
    """The identity that manages the streams.

    Attributes:
        copies: whether it may copy whole streams: backups, and changes that need a new stream.
        counts: whether it may read single messages, to count those that a change would delete.
        key: which of its keys it logs in with.
        login: how it does.
    """

    purpose: str
    copies: bool
    counts: bool
    key: int = 1
    login: LoginKind = LoginKind.NKEY


@dataclass(frozen=True)
class Monitoring:
    """The identity that only looks.

    Attributes:
        key: which of its keys it logs in with.
        login: how it does.
    """

    purpose: str
    key: int = 1
    login: LoginKind = LoginKind.NKEY


@dataclass(frozen=True)
class Services:
    """A services' file without problems.

    Attributes:
        login: how everybody logs in who has no word of their own; with .creds everybody does.
    """

    services: tuple[Service, ...]
    account: Account
    provisioner: Provisioner
    monitoring: Monitoring
    login: LoginKind = LoginKind.NKEY

    @property
    def account_id(self) -> str:
        """What the server calls the account; of an operator, its public key."""
        return account_key(self.account.name) if self.login is LoginKind.CREDS else self.account.name

    @property
    def purposes(self) -> dict[str, str]:
        """Every identity's name, and what it is for: the services in the file's order, then the built-in ones."""
        return {name: identity.purpose for name, identity in self.identities.items()}

    @property
    def identities(self) -> dict[str, Service | Provisioner | Monitoring]:
        """Everybody, in the order of ``purposes``."""
        services = {service.name: service for service in self.services}
        return {**services, PROVISIONER: self.provisioner, MONITORING: self.monitoring}


def inbox_prefix(identity: str) -> str:
    """The prefix of an identity's inboxes, which no other identity may subscribe to."""
    return f"_INBOX_{identity}"
