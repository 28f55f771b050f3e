"""Every key of the services' file, one row each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from provisioner.schema.scalars import INT32, Count, Flag, Member, Size, Text
from provisioner.schema.types import Field, FieldPath, ListOf, Record, Report, Wire
from provisioner.services.model import LoginKind
from provisioner.units import UNLIMITED, parse_size


@dataclass(frozen=True)
class Ceiling(Count):
    """A number of at least one, or ``unlimited``."""

    limit: bool = True

    def parse(self, value: object) -> int:
        if not value:
            raise ValueError(f"{value} is no limit; write 1 or more, or {UNLIMITED}")
        return super().parse(value)


@dataclass(frozen=True)
class Quota(Size):
    """Bytes, or ``unlimited``; unlike a stream's sizes, 0 is nothing at all."""

    def parse(self, value: object) -> int:
        is_size = isinstance(value, str) and value != UNLIMITED
        return 0 if (parse_size(str(value)) if is_size else value) in (0, "0") else super().parse(value)


@dataclass(frozen=True)
class NamedBy:
    """A block, or only the text of the field that it cannot do without."""

    block: Record
    key: str

    def read(self, value: object, at: FieldPath, report: Report) -> Wire:
        return self.block.read({self.key: value} if isinstance(value, str) else value, at, report)

    def show(self, wire: Wire) -> Wire:
        return self.block.show(wire)

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [Text().schema(), self.block.schema()]}


_PURPOSE: Final = Field("purpose", Text(), "", "What it is for; a comment in the server's configuration.")

_KEY: Final = Field("key", Count(INT32), 1, "Which of its keys it logs in with: another number is a new one.")
_LOGIN: Final = Field("login", Member(LoginKind), None, "How it logs in, unlike the others: nkey or password.")

# The keys of the file itself, beside its blocks.
FILE_FIELDS: Final = (
    Field("login", Member(LoginKind), LoginKind.NKEY, "How everybody logs in; creds makes the server an operator's."),
)

_CONSUMPTION: Final = Record(
    (
        Field("stream", Text(), "", "Stream to consume."),
        Field("consumers", ListOf(Text()), [], "Names of its durable consumers; the service's own name if none."),
        Field("subjects", ListOf(Text()), [], "Filters that they may have; none for the whole stream."),
    ),
    required=("stream",),
)

_ACCESS: Final = NamedBy(
    Record(
        (
            Field("bucket", Text(), "", "Bucket."),
            Field("keys", ListOf(Text()), [], "Patterns of its keys, such as user.>; none for all of them."),
        ),
        required=("bucket",),
    ),
    "bucket",
)

SERVICE_FIELDS: Final = (
    _PURPOSE,
    Field("publishes", ListOf(Text()), [], "Subjects it publishes; of a pattern, what streams capture."),
    Field("consumes", ListOf(NamedBy(_CONSUMPTION, "stream")), [], "Streams it consumes."),
    Field("creates", ListOf(Text()), [], "Streams, buckets and object stores it creates at start-up."),
    Field("reads", ListOf(_ACCESS), [], "Buckets whose keys it gets; object stores that it gets and watches."),
    Field("writes", ListOf(_ACCESS), [], "Buckets and object stores that it puts into and deletes from."),
    Field("watches", ListOf(_ACCESS), [], "Buckets whose keys it watches and lists, with their history."),
    _KEY,
    _LOGIN,
)

PROVISIONER_FIELDS: Final = (
    _PURPOSE,
    Field("copies", Flag(), default=True, doc="May copy whole streams: backups, and changes that need a new stream."),
    Field("counts", Flag(), default=True, doc="May read single messages, to count those that a change would delete."),
    _KEY,
    _LOGIN,
)

MONITORING_FIELDS: Final = (_PURPOSE, _KEY, _LOGIN)

# nats-server's names, in the block of an account that they go to.
JETSTREAM_LIMITS: Final = (
    Field("max_mem", Quota(), None, "Most bytes of its streams in memory."),
    Field("max_file", Quota(), None, "Most bytes of its streams on disk."),
    Field("max_streams", Ceiling(INT32), None, "Most streams."),
    Field("max_consumers", Ceiling(INT32), None, "Most consumers of one stream."),
)
CLIENT_LIMITS: Final = (
    Field("max_connections", Ceiling(INT32), None, "Most client connections."),
    Field("max_subscriptions", Ceiling(INT32), None, "Most subscriptions of one connection."),
    Field("max_payload", Size(INT32), None, "Largest message; the server's own limit stays."),
)
ACCOUNT_FIELDS: Final = (
    Field("name", Text(), "", "Name of the account; its streams are in a folder of that name."),
    *JETSTREAM_LIMITS,
    *CLIENT_LIMITS,
)
