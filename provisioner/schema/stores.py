"""Key-value buckets and object stores in their own words: each is a stream of a known shape.

The shapes are those of nats.go and of the ADRs 8 and 20 of nats-architecture-and-design. A word that is not the
stream's own stands in ``renamed``; what a kind's words do not say is fixed by its ``shape``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from provisioner.schema.fields import BY_NAME
from provisioner.schema.scalars import Count, Duration, Flag
from provisioner.schema.types import Field, Wire, read_fields

Values = Mapping[str, Wire]

MOST_HISTORY: Final = 64
_DUPLICATE_WINDOW_NS: Final = 120 * 1_000_000_000


@dataclass(frozen=True, eq=False)
class StoreKind:
    """What is kept in streams of a shape of its own.

    Attributes:
        key: where a catalogue has them.
        noun: what one is called.
        prefix: what the names of the streams behind them begin with.
        entry: what its stream counts as a message.
        subjects: what they capture, with ``{}`` for the name.
        fields: its words, one row each.
        renamed: each word that is not the stream's own, and the stream's.
        shape: the values of the stream's other fields, by name and values of the stream's fields.
    """

    key: str
    noun: str
    prefix: str
    entry: str
    subjects: tuple[str, ...]
    fields: tuple[Field, ...]
    renamed: Mapping[str, str]
    shape: Callable[[StoreKind, str, Values], dict[str, Wire]]

    def stream_of(self, name: str) -> str:
        """The stream behind a bucket or object store."""
        return self.prefix + name

    def named(self, stream: str) -> str:
        """What a stream is called by those who use it."""
        return stream.removeprefix(self.prefix)

    def word(self, field: str) -> str | None:
        """The word for a field of the stream; None of one that has none."""
        return self._words().get(field)

    def stream_values(self, name: str, words: Values) -> dict[str, Wire]:
        """The wire values of the stream's fields, by those of the words."""
        stated = {self.renamed.get(word, word): value for word, value in words.items()}
        linked = {**stated, **_linked(self, name, stated)}
        return {**linked, **self.shape(self, name, linked), "name": self.stream_of(name)}

    def words_of(self, values: Values) -> dict[str, Wire]:
        """The wire values of the words, by those of the stream's fields."""
        return {field.name: values[self.renamed.get(field.name, field.name)] for field in self.fields}

    def _words(self) -> dict[str, str]:
        return {self.renamed.get(field.name, field.name): field.name for field in self.fields}


def captured_by(kind: StoreKind, name: str) -> list[str]:
    """The subjects that a bucket or object store of this name captures."""
    return [subject.format(name) for subject in kind.subjects]


def _linked(kind: StoreKind, name: str, stated: Values) -> dict[str, Wire]:
    """Mirror and sources as streams: a source's keys get this bucket's name, as nats.go has it."""
    mirror, sources = stated.get("mirror"), stated.get("sources") or []
    linked: dict[str, Wire] = {}
    if mirror:
        linked["mirror"] = {**mirror, "name": _prefixed(kind, mirror["name"])}
    if sources:
        linked["sources"] = [_source(kind, name, each) for each in sources]
    return linked


def _source(kind: StoreKind, name: str, source: Values) -> Values:
    """Who gives transforms has full control: the name is then that of a stream."""
    if source["subject_transforms"]:
        return source
    origin = kind.named(source["name"])
    same = source["external"] and origin == name
    transform = {"src": captured_by(kind, origin)[0], "dest": captured_by(kind, name)[0]}
    return {**source, "name": _prefixed(kind, origin), "subject_transforms": [] if same else [transform]}


def _prefixed(kind: StoreKind, name: str) -> str:
    return kind.stream_of(kind.named(name))


def _bucket_shape(kind: StoreKind, name: str, values: Values) -> dict[str, Wire]:
    """A mirror captures nothing; its duplicate window, and that of one with sources, no server fills in."""
    mirrored = bool(values.get("mirror"))
    return {
        "subjects": [] if mirrored else captured_by(kind, name),
        "mirror_direct": mirrored,
        "discard": "new",
        "deny_delete": True,
        "allow_rollup_hdrs": True,
        "duplicate_window": min(values.get("max_age") or _DUPLICATE_WINDOW_NS, _DUPLICATE_WINDOW_NS),
    }


def _object_shape(kind: StoreKind, name: str, _values: Values) -> dict[str, Wire]:
    return {"subjects": captured_by(kind, name), "discard": "new", "allow_rollup_hdrs": True, "allow_direct": True}


_TTL: Final = Field("ttl", Duration(limit=True), 0, "Age at which an entry is removed.")
_REPLICAS: Final = Field("replicas", Count(5), 1, "Copies in a cluster.")
_SHARED: Final = ("description", "max_bytes", "storage", "placement", "compression", "metadata")

_BUCKET_FIELDS: Final = (
    Field("history", Count(MOST_HISTORY), 1, "Revisions kept of each key; at most 64."),
    _TTL,
    Field("max_value_size", BY_NAME["max_msg_size"].type, -1, "Largest value accepted."),
    _REPLICAS,
    *(BY_NAME[name] for name in (*_SHARED, "republish", "mirror", "sources")),
    Field("limit_marker_ttl", Duration(), 0, "Age of the marker that an expired key leaves.", since=(2, 11)),
    Field("allow_direct", Flag(), default=True, doc="Let any replica answer gets; nats-py's is false without direct."),
    Field("allow_msg_ttl", Flag(), default=False, doc="Let a key have its own age limit; nats-py's is true."),
)

BUCKETS: Final = StoreKind(
    key="buckets",
    noun="bucket",
    prefix="KV_",
    entry="revision",
    subjects=("$KV.{}.>",),
    fields=_BUCKET_FIELDS,
    renamed={
        "history": "max_msgs_per_subject",
        "ttl": "max_age",
        "max_value_size": "max_msg_size",
        "replicas": "num_replicas",
        "limit_marker_ttl": "subject_delete_marker_ttl",
    },
    shape=_bucket_shape,
)

OBJECTS: Final = StoreKind(
    key="objects",
    noun="object store",
    prefix="OBJ_",
    entry="message",
    subjects=("$O.{}.C.>", "$O.{}.M.>"),
    fields=(
        _TTL,
        _REPLICAS,
        *(BY_NAME[name] for name in _SHARED),
        Field("sealed", Flag(), default=False, doc="No object can be added or removed; not for a new store."),
    ),
    renamed={"ttl": "max_age", "replicas": "num_replicas"},
    shape=_object_shape,
)

STORE_KINDS: Final = (BUCKETS, OBJECTS)


def kind_of(stream: str) -> StoreKind | None:
    """What a stream is behind, by its name; None of a stream that is for itself."""
    return next((kind for kind in STORE_KINDS if stream.startswith(kind.prefix)), None)


def word_of(stream: str, field: str) -> str:
    """What a field of a stream is called by those who use what is in it."""
    kind = kind_of(stream)
    return (kind.word(field) if kind else None) or field


def own_name(stream: str) -> str:
    """What a stream, or what is in it, is called in the catalogue."""
    kind = kind_of(stream)
    return kind.named(stream) if kind else stream


def entry_of(stream: str) -> str:
    """What a stream's messages are called by those who use what is in it."""
    kind = kind_of(stream)
    return kind.entry if kind else "message"


def shape_of(kind: StoreKind, name: str, shown: Values) -> dict[str, Wire]:
    """The shape, by values of the stream's fields as the state has them; what cannot be read counts as not said."""
    known = tuple(BY_NAME[field] for field in ("max_age", "mirror"))
    given = {field.name: shown[field.name] for field in known if field.name in shown}
    return kind.shape(kind, name, read_fields(given, known, (), lambda _at, _what: None))
