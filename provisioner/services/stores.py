"""Buckets and object stores in the services' file: which are meant, and what using them takes.

The requests are those of nats-py and nats.go: a watch is an ordered consumer, and so is getting an object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from provisioner.schema.model import StreamConfig
from provisioner.schema.stores import BUCKETS, OBJECTS, STORE_KINDS, captured_by, kind_of
from provisioner.services.model import Access, Service

Streams: TypeAlias = Mapping[str, StreamConfig]

_API: Final = "$JS.API"
_EVERY: Final = (">",)

_OPENS: Final = (f"{_API}.STREAM.INFO.{{stream}}",)
_WATCHES: Final = (
    f"{_API}.CONSUMER.INFO.{{stream}}.*",
    # nats.go ends what it has begun; what other clients leave, the server removes.
    f"{_API}.CONSUMER.DELETE.{{stream}}.*",
    "$JS.FC.{stream}.>",
    "$JS.FC._.{account}.{stream}.>",
)
_WATCHES_ALL: Final = (f"{_API}.CONSUMER.CREATE.{{stream}}", f"{_API}.CONSUMER.CREATE.{{stream}}.>")
# The only request whose subject has the filter; a client makes up the consumer's name.
_WATCHES_KEY: Final = f"{_API}.CONSUMER.CREATE.{{stream}}.*.{{subject}}"
_GETS: Final = f"{_API}.STREAM.MSG.GET.{{stream}}"
_GETS_DIRECTLY: Final = f"{_API}.DIRECT.GET.{{stream}}.{{subject}}"
_GETS_REVISION: Final = f"{_API}.DIRECT.GET.{{stream}}"
# A client that is told no stream asks which one captures the subject.
_FINDS: Final = f"{_API}.STREAM.NAMES"
# What remains of an object that is replaced or deleted.
_PURGES: Final = f"{_API}.STREAM.PURGE.{{stream}}"


def stores_named(name: str, streams: Iterable[str]) -> list[str]:
    """The streams behind the bucket and the object store of this name; the stream itself where that is named."""
    known = {stream for stream in streams if kind_of(stream)}
    return [name] if name in known else [stream for kind in STORE_KINDS if (stream := kind.stream_of(name)) in known]


def created(name: str, streams: Iterable[str]) -> list[str]:
    """The stream of this name, else those behind a bucket or object store."""
    known = [*streams]
    return [name] if name in known else stores_named(name, known)


def key_prefix(config: StreamConfig) -> str:
    """What the subjects of a bucket's entries begin with; those of a mirror have the other bucket's name."""
    return f"$KV.{BUCKETS.named((config['mirror'] or config)['name'])}"


def store_subjects(service: Service, streams: Streams, account: str) -> Iterator[str]:
    """What a service publishes to read, write and watch; ``account`` is the hash of its account."""
    for role, uses in _USES.items():
        for access in getattr(service, role):
            for stream in stores_named(access.store, streams):
                subjects = (*_OPENS, *uses[kind_of(stream) is BUCKETS](streams[stream], access))
                yield from (subject.format(stream=stream, account=account) for subject in subjects)


def _read_keys(config: StreamConfig, access: Access) -> Iterator[str]:
    if not config["allow_direct"]:
        yield _GETS
        return
    yield from () if access.keys else (_GETS_REVISION,)
    yield from (_GETS_DIRECTLY.replace("{subject}", subject) for subject in _key_subjects(config, access))


def _write_keys(config: StreamConfig, access: Access) -> Iterator[str]:
    yield from _key_subjects(config, access)


def _watch_keys(config: StreamConfig, access: Access) -> Iterator[str]:
    yield from _WATCHES
    if access.keys:
        yield from (_WATCHES_KEY.replace("{subject}", subject) for subject in _key_subjects(config, access))
    else:
        yield from _WATCHES_ALL


def _key_subjects(config: StreamConfig, access: Access) -> Iterator[str]:
    return (f"{key_prefix(config)}.{key}" for key in access.keys or _EVERY)


def _read_objects(config: StreamConfig, _access: Access) -> Iterator[str]:
    yield from (_FINDS, *_finds_object(config), *_WATCHES, *_WATCHES_ALL)


def _write_objects(config: StreamConfig, _access: Access) -> Iterator[str]:
    yield from (*_object_subjects(config), *_finds_object(config), _PURGES)


def _finds_object(config: StreamConfig) -> Iterator[str]:
    _chunks, descriptions = _object_subjects(config)
    yield from (_GETS, _GETS_DIRECTLY.replace("{subject}", descriptions))


def _object_subjects(config: StreamConfig) -> list[str]:
    return captured_by(OBJECTS, OBJECTS.named(config["name"]))


# Each role, with what it takes of (an object store, a bucket).
_USES: Final = {
    "reads": (_read_objects, _read_keys),
    "writes": (_write_objects, _write_keys),
    "watches": (_read_objects, _watch_keys),
}
