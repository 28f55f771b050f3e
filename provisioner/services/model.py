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
    """

    name: str
    purpose: str = ""
    publishes: tuple[str, ...] = ()
    consumes: tuple[Consumption, ...] = ()
    creates: tuple[str, ...] = ()


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
    """

    purpose: str
    copies: bool
    counts: bool


@dataclass(frozen=True)
class Services:
    """A services' file without problems."""

    services: tuple[Service, ...]
    account: Account
    provisioner: Provisioner
    monitoring_purpose: str

    @property
    def purposes(self) -> dict[str, str]:
        """Every identity's name, and what it is for: the services in the file's order, then the built-in ones."""
        built_in = (self.provisioner.purpose, self.monitoring_purpose)
        return {service.name: service.purpose for service in self.services} | dict(zip(BUILT_IN, built_in, strict=True))


def inbox_prefix(identity: str) -> str:
    """The prefix of an identity's inboxes, which no other identity may subscribe to."""
    return f"_INBOX_{identity}"
