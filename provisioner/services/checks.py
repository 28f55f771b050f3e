"""What a services' file may not say, beyond what cannot be read: each check a row."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Final, TypeAlias

from provisioner.catalogue.model import Catalogue, reserved
from provisioner.rules import subjects
from provisioner.rules.normalise import captured
from provisioner.rules.problem import Problem
from provisioner.schema.model import StreamConfig
from provisioner.schema.types import FieldPath
from provisioner.services.model import BUILT_IN, Account, LoginKind, Service
from provisioner.services.store_checks import STORE_ROLES, unknown_stores, unusable_keys, unusable_stores
from provisioner.services.stores import created
from provisioner.text import did_you_mean, distinct_sizes

Streams: TypeAlias = Mapping[str, StreamConfig]

# One token of a subject that no client reads as anything else.
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
_NAME_RULE: Final = "write a letter, then up to 62 letters, digits, - and _"
_ROLES: Final = ("publishes", "consumes", "creates", *STORE_ROLES)
_SYSTEM_ACCOUNTS: Final = frozenset(("SYS", "SYSTEM"))


def name_problem(name: str) -> str | None:
    """Why a service cannot have this name."""
    if name in BUILT_IN:
        return "is built in; configure it at the left margin, and choose another name for a service"
    return None if _NAME.fullmatch(name) else f"cannot be part of a subject; {_NAME_RULE}"


def login_problem(own: LoginKind | None, everybody: LoginKind) -> str | None:
    """Why an identity cannot log in as it says: a server with an operator knows nobody else."""
    if own is None or (own is LoginKind.CREDS) == (everybody is LoginKind.CREDS):
        return None
    if own is LoginKind.CREDS:
        return "creds is for everybody or nobody; write it at the left margin, and take it out here"
    return f"{own} does not go with login: creds at the left margin; take one of them out"


def service_problems(service: Service, catalogue: Catalogue) -> Iterator[Problem]:
    """What is wrong with one service."""
    streams = {spec.name: spec.config for spec in catalogue.streams}
    return chain.from_iterable(check(service, streams) for check in _SERVICE_CHECKS)


def shared_consumers(services: Iterable[Service]) -> Iterator[tuple[Service, Problem]]:
    """Consumers that two services would acknowledge for each other."""
    owners = dict[tuple[str, str], Service]()
    for service, (at, entry) in ((s, entry) for s in services for entry in enumerate(s.consumes)):
        for consumer in entry.consumers:
            owner = owners.setdefault((entry.stream, consumer), service)
            if owner is not service:
                what = f"consumer {consumer} of {entry.stream} is {owner.name}'s; each needs one of its own"
                yield service, Problem(("consumes", at), what)


def account_problems(account: Account, catalogue: Catalogue) -> Iterator[Problem]:
    """What is wrong with the account: its name, and limits that the catalogue's streams do not fit in."""
    if not account.name:
        yield Problem(("name",), "is missing; a name such as PREDICTION_SYSTEM")
    elif not _NAME.fullmatch(account.name) or account.name in _SYSTEM_ACCOUNTS:
        yield Problem(("name",), f"{account.name!r} cannot be an account's name; {_NAME_RULE}, and not SYS or SYSTEM")
    yield from chain.from_iterable(
        check(account.limits[name], catalogue) for name, check in _LIMIT_CHECKS.items() if _is_limit(account, name)
    )


def _is_limit(account: Account, name: str) -> bool:
    return account.limits.get(name, -1) >= 0


def _idle(service: Service, _streams: Streams) -> Iterator[Problem]:
    if not any(getattr(service, role) for role in _ROLES):
        what = f"is missing, and so are {', '.join(_ROLES[1:-1])} and {_ROLES[-1]}; a service does at least one of them"
        yield Problem(("publishes",), what, tuple((role,) for role in _ROLES))


def _repeated(service: Service, _streams: Streams) -> Iterator[Problem]:
    lists: Mapping[str, Sequence[str]] = {
        "publishes": service.publishes,
        "consumes": [entry.stream for entry in service.consumes],
        "creates": service.creates,
        **{role: [access.store for access in getattr(service, role)] for role in STORE_ROLES},
    }
    for role, entries in lists.items():
        yield from (_twice((role, at), entry) for at, entry in enumerate(entries) if entry in entries[:at])


def _twice(path: FieldPath, entry: str) -> Problem:
    return Problem(path, f"{entry!r} is there twice; take one out")


def _unknown_streams(service: Service, streams: Streams) -> Iterator[Problem]:
    for at, entry in enumerate(service.consumes):
        if entry.stream not in streams:
            yield Problem(("consumes", at), _no_stream(entry.stream, streams))
    for at, name in enumerate(service.creates):
        found = created(name, streams)
        if len(found) > 1:
            yield Problem(("creates", at), f"{name!r} is a bucket and an object store; write {' or '.join(found)}")
        elif not found:
            yield Problem(("creates", at), _no_stream(name, streams))


def _no_stream(name: str, streams: Streams) -> str:
    return f"{name!r} is no stream of the catalogue{did_you_mean(name, streams)}"


def _published(service: Service, streams: Streams) -> Iterator[Problem]:
    every = [subject for config in streams.values() for subject in captured(config)]
    for at, subject in enumerate(service.publishes):
        if not subjects.is_valid(subject):
            yield Problem(("publishes", at), f"{subject!r} is not a subject")
        elif not any(subjects.overlap(subject, other) for other in every):
            what = f"no stream of the catalogue captures {subject!r}{did_you_mean(subject, every)}"
            yield Problem(("publishes", at), what)


def _consumer_names(service: Service, _streams: Streams) -> Iterator[Problem]:
    for at, entry in enumerate(service.consumes):
        for number, name in enumerate(entry.consumers):
            path = ("consumes", at, "consumers", number)
            # A default is the service's own name, which has its own line.
            if not _NAME.fullmatch(name) and name != service.name:
                yield Problem(path, f"{name!r} cannot be part of a subject; {_NAME_RULE}")
            elif name in entry.consumers[:number]:
                yield _twice(path, name)


def _filters(service: Service, streams: Streams) -> Iterator[Problem]:
    for at, entry in enumerate(service.consumes):
        if entry.stream in streams:
            every = captured(streams[entry.stream])
            for number, subject in enumerate(entry.subjects):
                if what := _filter_problem(subject, every, entry.stream):
                    yield Problem(("consumes", at, "subjects", number), what)


def _filter_problem(subject: str, every: Sequence[str], stream: str) -> str | None:
    if not subjects.is_valid(subject):
        return f"{subject!r} is not a subject"
    # Mirrors and streams with sources have subjects of others, which the catalogue need not know.
    if every and not any(subjects.overlap(subject, other) for other in every):
        return f"{stream} captures nothing that {subject!r} matches"
    deeper = f"{subject.removesuffix('*')}*.>"
    if subject.endswith(".*") and (not every or any(subjects.overlap(deeper, other) for other in every)):
        return f"{subject!r} would also let {deeper.removesuffix('*.>')}> through: a permission cannot tell them apart"
    return None


def _max_file(limit: int, catalogue: Catalogue) -> Iterator[Problem]:
    needed = reserved(catalogue.streams, copies=True)
    if limit < needed:
        stated, wanted = distinct_sizes(limit, needed)
        yield Problem(("max_file",), f"{stated} is less than the {wanted} that the streams of the catalogue reserve")


def _max_streams(limit: int, catalogue: Catalogue) -> Iterator[Problem]:
    if limit < len(catalogue.streams):
        yield Problem(("max_streams",), f"{limit} is less than the {len(catalogue.streams)} streams of the catalogue")


_SERVICE_CHECKS: Final = (
    _idle,
    _unknown_streams,
    unknown_stores,
    unusable_stores,
    unusable_keys,
    _published,
    _consumer_names,
    _filters,
    _repeated,
)
_LIMIT_CHECKS: Final[Mapping[str, Callable[[int, Catalogue], Iterator[Problem]]]] = {
    "max_file": _max_file,
    "max_streams": _max_streams,
}
