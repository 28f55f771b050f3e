"""Stream configurations for tests: written short, or generated over every field."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from provisioner.jetstream.codec import from_config
from provisioner.schema.config import read_config, value_of, with_fields
from provisioner.schema.fields import BY_NAME, FIELDS
from provisioner.schema.model import StreamConfig
from provisioner.schema.scalars import Flag
from provisioner.schema.types import FieldPath, Wire
from provisioner.units import parse_duration

NAME = "GENERATED"

SECOND = parse_duration("1s")
MINUTE = parse_duration("1m")


def config(name: str = "ORDERS", **fields: Any) -> StreamConfig:
    """A whole configuration from the few fields a test is about, written as in a catalogue."""
    return read_config({"name": name, **fields}, _fail)


def wire_config(**fields: Any) -> StreamConfig:
    """The same from wire values, which may be ones that no catalogue lets through."""
    return from_config({"name": NAME, **fields}, strict=True)


def _fail(at: FieldPath, what: str) -> None:
    raise AssertionError(f"{at} {what}")


_SUBJECTS = ("a", "a.*", "a.>", "b.x", "b.*", "*.x", ">", "*", "x..y", "a.>.b", "a b", "$JS.API.x", "$JS.EVENT.>")
_SYSTEM_SUBJECTS = ("$SYS.x", "$SYS.ACCOUNT.x.y", "$JSC.x", NAME)
_TRANSFORMS = (
    ("", "x.>"),
    ("", ""),
    ("a", ""),
    ("a", "x"),
    (">", "x.>"),
    ("a.>", "x.>"),
    ("a.>", "x"),
    ("a..", "x"),
    ("a.*", "x.*"),
    ("a.*", "x y"),
    ("a.*", "x.$1"),
    ("a.*", "x.$2"),
    ("a", "x.{{wildcard(1)}}"),
    ("a.*", "x.{{wildcard(1)}}"),
    ("a.*", "x.{{wildcard()}}"),
    ("a.*", "x.{{wildcard(a)}}"),
    ("a.*", "x.{{unknown(1)}}"),
    ("a.*", "x.{{partition(3,1)}}"),
    ("a", "x.{{partition(3)}}"),
    ("a.*.*", "y.{{Split(1,-)}}"),
    ("*.x", "y.{{random(4)}}"),
    ("a.*", "{{wildcard(1)}}.{{left(1,2)}}"),
    ("a.*", "x.{{slicefromleft(1,2)}}"),
    ("a.*", "x.{{SplitFromRight(1)}}"),
)
_REPUBLISHES: tuple[dict[str, Any], ...] = (
    {"dest": "out.>"},
    {"src": "a.>", "dest": "out.>"},
    {"src": "a.*", "dest": "out.{{wildcard(1)}}"},
    {"src": "b", "dest": "out.>"},
    {"src": ">", "dest": ">"},
    {"src": ">", "dest": "a..b"},
    {"dest": "a.x"},
    {"dest": NAME},
    {"dest": "out.>", "headers_only": True},
)

_transform = st.sampled_from(_TRANSFORMS).map(lambda pair: {"src": pair[0], "dest": pair[1]})
_external = st.fixed_dictionaries(
    {},
    optional={
        "api": st.sampled_from(["$JS.other.API", "$JS.API", "ext.*", "ext.api", ""]),
        "deliver": st.sampled_from(["", "d.x", "d.*", "origin"]),
    },
)
_consumer = st.fixed_dictionaries(
    {"name": st.sampled_from(["c", "c.d", ""]), "deliver_subject": st.sampled_from(["d.s", "d.*", ""])}
)


def _rarely(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), st.none(), st.none(), st.none(), strategy)


@st.composite
def _sources(draw: st.DrawFn) -> dict[str, Any]:
    rare = {
        "opt_start_seq": st.sampled_from([1, 5]),
        "opt_start_time": st.just("2026-01-01T00:00:00Z"),
        "filter_subject": st.sampled_from(["origin.x", "origin.>", "a", "bad..x"]),
        "subject_transforms": st.lists(_transform, min_size=1, max_size=2),
        "external": _external,
        "consumer": _consumer,
    }
    drawn = {name: draw(_rarely(strategy)) for name, strategy in rare.items()}
    name = draw(st.sampled_from(["ORIGIN", "OTHER", "NONE", NAME, "bad.name", ""]))
    return {"name": name, **{key: value for key, value in drawn.items() if value is not None}}


_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "description": st.sampled_from(["", "hello", "x" * 4097]),
    "subjects": st.lists(st.sampled_from(_SUBJECTS + _SYSTEM_SUBJECTS), max_size=2, unique=True),
    "retention": st.sampled_from(["limits", "interest", "workqueue"]),
    "storage": st.sampled_from(["file", "memory"]),
    "max_age": st.sampled_from([0, SECOND // 20, SECOND // 10, SECOND, MINUTE, 2 * MINUTE, 60 * MINUTE]),
    "max_bytes": st.sampled_from([-1, 1024, 10**6]),
    "max_msgs": st.sampled_from([-1, 1, 2, 10]),
    "max_msgs_per_subject": st.sampled_from([-1, 1, 5]),
    "max_msg_size": st.sampled_from([-1, 1, 100, 2000]),
    "max_consumers": st.sampled_from([-1, 1, 5]),
    "discard": st.sampled_from(["old", "new"]),
    "duplicate_window": st.sampled_from([0, SECOND // 20, SECOND // 10, SECOND, MINUTE, 2 * MINUTE, 3 * MINUTE]),
    "num_replicas": st.sampled_from([1, 1, 1, 2, 3, 5]),
    "placement": st.sampled_from([None, {}, {"cluster": "x"}, {"tags": ["a"]}, {"preferred": "z"}]),
    "mirror": st.one_of(st.none(), _sources()),
    "sources": st.lists(_sources(), max_size=2),
    "republish": st.sampled_from([None, *_REPUBLISHES]),
    "subject_transform": st.one_of(st.none(), _transform),
    "compression": st.sampled_from(["none", "s2"]),
    "first_seq": st.sampled_from([0, 1, 10, 10**6]),
    "subject_delete_marker_ttl": st.sampled_from([0, SECOND // 2, SECOND, MINUTE]),
    "persist_mode": st.sampled_from(["default", "async"]),
    "consumer_limits": st.sampled_from(
        [None, {"inactive_threshold": MINUTE}, {"max_ack_pending": 5}, {"max_ack_pending": 2000}]
    ),
    "metadata": st.sampled_from([{}, {"a": "b"}, {"a": "c", "d": "e"}]),
}
_FLAGS = {field.name: st.booleans() for field in FIELDS if isinstance(field.type, Flag)}
VALUES = _VALUES | _FLAGS


def some_fields(fewest: int, most: int) -> st.SearchStrategy[dict[str, Wire]]:
    """Values for a few fields, drawn from all of them."""
    names = st.lists(st.sampled_from(sorted(VALUES)), min_size=fewest, max_size=most, unique=True)
    return names.flatmap(lambda chosen: st.fixed_dictionaries({name: VALUES[name] for name in chosen}))


@st.composite
def configurations(draw: st.DrawFn) -> StreamConfig:
    """A configuration with up to four fields set; many are ones the server refuses."""
    return _plausible(draw, {"subjects": ["a.>"], **draw(some_fields(0, 4))})


@st.composite
def changed(draw: st.DrawFn, old: StreamConfig) -> StreamConfig:
    """A configuration with one to three fields of another one changed."""
    drawn = wire_config(**draw(some_fields(1, 3)))
    fields = {name: value_of(drawn, name) for name in VALUES if value_of(drawn, name) != BY_NAME[name].default}
    return _plausible(draw, fields, base=old)


def _plausible(draw: st.DrawFn, fields: dict[str, Any], base: StreamConfig | None = None) -> StreamConfig:
    """Mostly without subjects where there is a mirror: else that one rule hides all others."""
    if fields.get("mirror") and draw(st.integers(0, 4)):
        fields = {**fields, "subjects": []}
    complete = wire_config(**fields)
    return complete if base is None else with_fields(base, {name: value_of(complete, name) for name in fields})
