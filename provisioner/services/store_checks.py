"""What a services' file may not say of buckets and object stores."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from provisioner.rules import subjects
from provisioner.rules.problem import Problem
from provisioner.schema.model import StreamConfig
from provisioner.schema.stores import BUCKETS, kind_of
from provisioner.schema.types import FieldPath
from provisioner.services.model import Access, Service
from provisioner.services.stores import Streams, stores_named
from provisioner.text import did_you_mean

STORE_ROLES: Final = ("reads", "writes", "watches")
# What clients take for a key, and the wildcards.
_KEY_PATTERN: Final = re.compile(r"[-/_=.*>A-Za-z0-9]+")


def unknown_stores(service: Service, streams: Streams) -> Iterator[Problem]:
    """Names of no bucket or object store, or of one of each."""
    for path, _role, access in _accesses(service):
        if what := store_problem(access.store, streams):
            yield Problem(path, what)


def store_problem(name: str, streams: Streams) -> str | None:
    """Why it is not certain what is meant."""
    found = stores_named(name, streams)
    if len(found) > 1:
        return f"{name!r} is a bucket and an object store; write {' or '.join(found)}"
    known = [each for stream in streams if (kind := kind_of(stream)) for each in (kind.named(stream), stream)]
    return None if found else f"{name!r} is no bucket or object store of the catalogue{did_you_mean(name, known)}"


def unusable_stores(service: Service, streams: Streams) -> Iterator[Problem]:
    """What can be said of some kinds of store only."""
    for path, role, access in _accesses(service):
        for config in (streams[name] for name in stores_named(access.store, streams)):
            check = _bucket_problem if kind_of(config["name"]) is BUCKETS else _objects_problem
            if what := check(config, role, access):
                yield Problem(path, what)


def unusable_keys(service: Service, _streams: Streams) -> Iterator[Problem]:
    """Patterns that are none, or that a permission cannot confine a service to."""
    for path, role, access in _accesses(service):
        for at, key in enumerate(access.keys):
            if what := _key_problem(key, role):
                yield Problem((*path, "keys", at), what)


def _accesses(service: Service) -> Iterator[tuple[FieldPath, str, Access]]:
    for role in STORE_ROLES:
        yield from (((role, at), role, access) for at, access in enumerate(getattr(service, role)))


def _bucket_problem(config: StreamConfig, role: str, access: Access) -> str | None:
    mirror = config["mirror"]
    if mirror and not mirror["external"]:
        origin = BUCKETS.named(mirror["name"])
        return f"{access.store} is a mirror: clients find its entries under {origin}, and get them here; write {origin}"
    if mirror and role == "writes":
        return f"{access.store} is a mirror of a bucket elsewhere; writing to it has to be allowed there"
    if role == "reads" and access.keys and not config["allow_direct"]:
        return f"{access.store} has allow_direct: false, so a permission cannot tell its keys apart; take keys out"
    return None


def _objects_problem(_config: StreamConfig, role: str, access: Access) -> str | None:
    if role == "watches":
        return f"{access.store} is an object store: getting objects is watching them; write reads"
    return f"{access.store} is an object store, which has no keys; take them out" if access.keys else None


def _key_problem(key: str, role: str) -> str | None:
    if not (subjects.is_valid(key) and _KEY_PATTERN.fullmatch(key)):
        return f"{key!r} is no pattern of keys; write user.> or user.*.name"
    deeper = f"{key.removesuffix('*')}>"
    if role != "writes" and (key == "*" or key.endswith(".*")):
        return f"{key!r} would also let {deeper} through: a permission cannot tell; write {deeper}"
    return None
