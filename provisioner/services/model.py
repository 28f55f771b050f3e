"""What the services' file says: the services, the two built-in identities, the account they share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

PROVISIONER: Final = "provisioner"
MONITORING: Final = "monitoring"
BUILT_IN: Final = (PROVISIONER, MONITORING)

# nats-server's own account: what users without an account are in.
GLOBAL_ACCOUNT: Final = "$G"


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
class Service:
    """One service and what it does.

    Attributes:
        name: its identity, and that of its durable consumers where nothing else is said.
        publishes: subjects or patterns; of a pattern, what the catalogue's streams capture.
        consumes: streams, through durable consumers of its own.
        creates: streams that it creates at start-up, and may look at.
        key: which of its nkeys it logs in with.
    """

    name: str
    purpose: str = ""
    publishes: tuple[str, ...] = ()
    consumes: tuple[Consumption, ...] = ()
    creates: tuple[str, ...] = ()
    key: int = 1


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
        key: which of its nkeys it logs in with.
    """

    purpose: str
    copies: bool
    counts: bool
    key: int = 1


@dataclass(frozen=True)
class Monitoring:
    """The identity that only looks.

    Attributes:
        key: which of its nkeys it logs in with.
    """

    purpose: str
    key: int = 1


@dataclass(frozen=True)
class Services:
    """A services' file without problems."""

    services: tuple[Service, ...]
    account: Account
    provisioner: Provisioner
    monitoring: Monitoring

    @property
    def purposes(self) -> dict[str, str]:
        """Every identity's name, and what it is for: the services in the file's order, then the built-in ones."""
        return {name: identity.purpose for name, identity in self._identities.items()}

    @property
    def keys(self) -> dict[str, int]:
        """Every identity's name, and which of its nkeys it logs in with."""
        return {name: identity.key for name, identity in self._identities.items()}

    @property
    def _identities(self) -> dict[str, Service | Provisioner | Monitoring]:
        services = {service.name: service for service in self.services}
        return {**services, PROVISIONER: self.provisioner, MONITORING: self.monitoring}


def inbox_prefix(identity: str) -> str:
    """The prefix of an identity's inboxes, which no other identity may subscribe to."""
    return f"_INBOX_{identity}"
