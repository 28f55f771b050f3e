"""Permissions: what each identity may publish and subscribe to, as lists of subjects.

A request is a message, so the API is a matter of publishing, and an answer one of subscribing to
an inbox of one's own. What is not in a list is denied.
"""

from __future__ import annotations

import hashlib
import string
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from provisioner.catalogue.model import Catalogue
from provisioner.rules.normalise import captured
from provisioner.rules.subjects import meet
from provisioner.schema.stores import BUCKETS, kind_of
from provisioner.services.model import MONITORING, PROVISIONER, Consumption, Service, Services, inbox_prefix
from provisioner.services.stores import created, store_subjects

_API: Final = "$JS.API"

_CREATES: Final = (f"{_API}.STREAM.CREATE.{{stream}}", f"{_API}.STREAM.INFO.{{stream}}")

# A client that is told no stream asks which one captures the subject.
_CONSUMES_ANY: Final = (f"{_API}.STREAM.NAMES",)
_CONSUMES: Final = (
    f"{_API}.CONSUMER.INFO.{{stream}}.{{consumer}}",
    f"{_API}.CONSUMER.MSG.NEXT.{{stream}}.{{consumer}}",
    "$JS.ACK.{stream}.{consumer}.>",
    "$JS.FC.{stream}.{consumer}.>",
    # The same of a server with the feature js_ack_fc_v2, in no JetStream domain.
    "$JS.ACK._.{account}.{stream}.{consumer}.>",
    "$JS.FC._.{account}.{stream}.{consumer}.>",
)
_CREATES_CONSUMER: Final = (
    f"{_API}.CONSUMER.CREATE.{{stream}}.{{consumer}}",
    f"{_API}.CONSUMER.CREATE.{{stream}}.{{consumer}}.>",
    f"{_API}.CONSUMER.DURABLE.CREATE.{{stream}}.{{consumer}}",
)
# The only request whose subject has the filter, so that a permission can speak of it.
_CREATES_FILTERED: Final = f"{_API}.CONSUMER.CREATE.{{stream}}.{{consumer}}.{{subject}}"

_MANAGES: Final = (
    f"{_API}.INFO",
    f"{_API}.STREAM.LIST",
    f"{_API}.STREAM.INFO.*",
    f"{_API}.STREAM.CREATE.*",
    f"{_API}.STREAM.UPDATE.*",
    f"{_API}.STREAM.DELETE.*",
    f"{_API}.CONSUMER.LIST.*",
    f"{_API}.CONSUMER.INFO.*.*",
    f"{_API}.CONSUMER.CREATE.*.>",
    f"{_API}.CONSUMER.DELETE.*.*",
    f"{_API}.CONSUMER.PAUSE.*.*",
    f"{_API}.CONSUMER.RESET.*.*",
)
_COPIES: Final = (
    f"{_API}.STREAM.SNAPSHOT.*",
    f"{_API}.STREAM.RESTORE.*",
    "$JS.SNAPSHOT.ACK.>",
    "$JS.SNAPSHOT.RESTORE.>",
)
# The stream of the smoke test (provisioner/flow/double.py), which no catalogue can have.
_SMOKES: Final = (
    "_SMOKE.>",
    f"{_API}.CONSUMER.MSG.NEXT._SMOKE.*",
    "$JS.ACK._SMOKE.>",
    "$JS.ACK._.{account}._SMOKE.>",
)
_COUNTS: Final = (f"{_API}.STREAM.MSG.GET.*",)

_MONITORS: Final = (
    f"{_API}.INFO",
    f"{_API}.STREAM.LIST",
    f"{_API}.STREAM.NAMES",
    f"{_API}.STREAM.INFO.*",
    f"{_API}.CONSUMER.LIST.*",
    f"{_API}.CONSUMER.NAMES.*",
    f"{_API}.CONSUMER.INFO.*.*",
)

_HASH_DIGITS: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_HASH_LENGTH: Final = 8


@dataclass(frozen=True)
class Permissions:
    """The subjects that an identity may publish, and subscribe to."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def permissions(services: Services, catalogue: Catalogue) -> dict[str, Permissions]:
    """Every identity's permissions, in the order of ``Services.purposes``."""
    account = account_hash(services.account_id)
    published = {service.name: [*_of_service(service, catalogue, account)] for service in services.services}
    sown = [f"$KV.{BUCKETS.named(spec.name)}.{key}" for spec in catalogue.streams for key in spec.seed]
    published |= {PROVISIONER: [*_of_provisioner(services, account), *sown], MONITORING: [*_MONITORS]}
    return {
        name: Permissions(tuple(dict.fromkeys(subjects)), (f"{inbox_prefix(name)}.>",))
        for name, subjects in published.items()
    }


def account_hash(account: str) -> str:
    """How nats-server shortens an account's name in subjects (getHash in server/events.go)."""
    digest = hashlib.sha256(account.encode()).digest()
    return "".join(_HASH_DIGITS[byte % len(_HASH_DIGITS)] for byte in digest[:_HASH_LENGTH])


def _of_service(service: Service, catalogue: Catalogue, account: str) -> Iterator[str]:
    yield from _published(service.publishes, catalogue)
    streams = {spec.name: spec.config for spec in catalogue.streams}
    for stream in (stream for name in service.creates for stream in created(name, streams)):
        yield from (subject.format(stream=stream) for subject in _CREATES)
        # Clients ask first whether the server knows markers.
        yield from (f"{_API}.INFO",) if kind_of(stream) and streams[stream]["subject_delete_marker_ttl"] else ()
    yield from store_subjects(service, streams, account)
    if service.consumes:
        yield from _CONSUMES_ANY
    for entry in service.consumes:
        yield from _consumed(entry, account)


def _published(patterns: Iterable[str], catalogue: Catalogue) -> Iterator[str]:
    """The part of each pattern that some stream captures."""
    every = [subject for spec in catalogue.streams for subject in captured(spec.config)]
    for pattern in patterns:
        yield from filter(None, (meet(pattern, subject) for subject in every))


def _consumed(entry: Consumption, account: str) -> Iterator[str]:
    for consumer in entry.consumers:
        names = {"stream": entry.stream, "consumer": consumer, "account": account}
        yield from (subject.format(**names) for subject in _CONSUMES)
        if entry.subjects:
            yield from (_CREATES_FILTERED.format(**names, subject=subject) for subject in entry.subjects)
        else:
            yield from (subject.format(**names) for subject in _CREATES_CONSUMER)


def _of_provisioner(services: Services, account: str) -> Iterator[str]:
    yield from _MANAGES
    yield from (subject.format(account=account) for subject in _SMOKES)
    yield from _COPIES if services.provisioner.copies else ()
    yield from _COUNTS if services.provisioner.counts else ()
