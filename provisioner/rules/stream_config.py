"""Whether the server would take a configuration by itself: its rules, one row each.

Follows nats-server's checkStreamCfg (server/stream.go); the integration tests compare every
row with a real server's answer. Rules that need other streams or the server's limits are in
``server_limits``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

from provisioner.rules import subjects
from provisioner.rules.normalise import captured
from provisioner.rules.problem import CAPTURED, Problem
from provisioner.rules.sources import filter_problems, mirror_problems, source_problems
from provisioner.rules.stream_names import is_asset_name
from provisioner.rules.subject_index import overlaps
from provisioner.rules.subject_transforms import transform_problem
from provisioner.schema.model import StreamConfig
from provisioner.schema.types import FieldPath
from provisioner.units import parse_duration

MIN_DURATION_NS: Final = parse_duration("100ms")
_MIN_MARKER_TTL_NS: Final = parse_duration("1s")
_MAX_NAME_BYTES: Final = 255
_MAX_DESCRIPTION_BYTES: Final = 4 * 1024
_MAX_METADATA_BYTES: Final = 128 * 1024
_API_SUBJECTS: Final = ("$JS.>", "$JSC.>", "$NRG.>")


@dataclass(frozen=True)
class Rule:
    """The server refuses every configuration for which ``broken`` is true.

    Attributes:
        field: the field it is about.
        what: what is wrong with it.
        broken: the verdict.
        needs: the other fields that the verdict turns on.
    """

    field: str
    what: str
    broken: Callable[[StreamConfig], object]
    needs: tuple[str, ...] = ()


def config_problems(config: StreamConfig) -> list[Problem]:
    """Every rule this configuration breaks, whether the stream is there already or not."""
    return [*_broken(RULES, config), *chain.from_iterable(check(config) for check in _CHECKS)]


def lasting_problems(config: StreamConfig) -> list[Problem]:
    """The same, and what the server refuses of a new stream only: for a catalogue."""
    return [*config_problems(config), *_broken(CREATE_RULES, config), *filter_problems(config)]


def create_problems(config: StreamConfig) -> list[Problem]:
    """The same for a stream that is not there yet: it cannot be sealed from the start."""
    return [*lasting_problems(config), *_broken((_SEALED,), config)]


def _broken(rules: Iterable[Rule], config: StreamConfig) -> Iterator[Problem]:
    return (
        Problem((rule.field,), rule.what, tuple((need,) for need in rule.needs))
        for rule in rules
        if rule.broken(config)
    )


def _metadata_size(config: StreamConfig) -> int:
    return sum(len(key.encode()) + len(text.encode()) for key, text in config["metadata"].items())


RULES: Final = (
    Rule(
        "name", "must not be empty or hold spaces, '.', '*', '>', '/' or '\\'", lambda c: not is_asset_name(c["name"])
    ),
    Rule("name", "is longer than 255 bytes", lambda c: len(c["name"].encode()) > _MAX_NAME_BYTES),
    Rule("description", "is longer than 4096 bytes", lambda c: len(c["description"].encode()) > _MAX_DESCRIPTION_BYTES),
    Rule("metadata", "is larger than 128 KiB", lambda c: _metadata_size(c) > _MAX_METADATA_BYTES),
    Rule("max_age", "must be at least 100ms", lambda c: 0 < c["max_age"] < MIN_DURATION_NS),
    Rule(
        "duplicate_window",
        "must not be longer than max_age",
        lambda c: 0 < c["max_age"] < c["duplicate_window"],
        ("max_age",),
    ),
    Rule("duplicate_window", "must be at least 100ms", lambda c: 0 < c["duplicate_window"] < MIN_DURATION_NS),
    Rule(
        "allow_rollup_hdrs",
        "excludes deny_purge",
        lambda c: c["deny_purge"] and c["allow_rollup_hdrs"],
        ("deny_purge",),
    ),
    Rule(
        "allow_msg_counter",
        "excludes discard new",
        lambda c: c["allow_msg_counter"] and c["discard"] == "new",
        ("discard",),
    ),
    Rule(
        "allow_msg_counter",
        "excludes allow_msg_ttl",
        lambda c: c["allow_msg_counter"] and c["allow_msg_ttl"],
        ("allow_msg_ttl",),
    ),
    Rule(
        "allow_msg_counter",
        "excludes allow_msg_schedules",
        lambda c: c["allow_msg_counter"] and c["allow_msg_schedules"],
        ("allow_msg_schedules",),
    ),
    Rule(
        "allow_msg_counter",
        "needs retention limits",
        lambda c: c["allow_msg_counter"] and c["retention"] != "limits",
        ("retention",),
    ),
    Rule(
        "discard_new_per_subject",
        "needs discard new",
        lambda c: c["discard_new_per_subject"] and c["discard"] != "new",
        ("discard",),
    ),
    Rule(
        "discard_new_per_subject",
        "needs max_msgs_per_subject",
        lambda c: c["discard_new_per_subject"] and c["max_msgs_per_subject"] <= 0,
        ("max_msgs_per_subject",),
    ),
    Rule(
        "subject_delete_marker_ttl",
        "must be at least 1s",
        lambda c: 0 < c["subject_delete_marker_ttl"] < _MIN_MARKER_TTL_NS,
    ),
    Rule(
        "subject_delete_marker_ttl",
        "excludes mirror",
        lambda c: c["subject_delete_marker_ttl"] and c["mirror"],
        ("mirror",),
    ),
    Rule(
        "allow_msg_schedules",
        "excludes discard new",
        lambda c: c["allow_msg_schedules"] and c["discard"] == "new",
        ("discard",),
    ),
    Rule("allow_msg_schedules", "excludes sources", lambda c: c["allow_msg_schedules"] and c["sources"], ("sources",)),
    Rule(
        "persist_mode",
        "async needs file storage",
        lambda c: c["persist_mode"] == "async" and c["storage"] != "file",
        ("storage",),
    ),
    Rule(
        "persist_mode",
        "async needs num_replicas 1",
        lambda c: c["persist_mode"] == "async" and c["num_replicas"] > 1,
        ("num_replicas",),
    ),
    Rule(
        "persist_mode",
        "async excludes allow_atomic",
        lambda c: c["persist_mode"] == "async" and c["allow_atomic"],
        ("allow_atomic",),
    ),
    Rule("mirror", "excludes first_seq", lambda c: c["mirror"] and c["first_seq"], ("first_seq",)),
    Rule("mirror", "excludes subjects", lambda c: c["mirror"] and c["subjects"], ("subjects",)),
    Rule("mirror", "excludes sources", lambda c: c["mirror"] and c["sources"], ("sources",)),
    Rule(
        "mirror", "excludes allow_msg_counter", lambda c: c["mirror"] and c["allow_msg_counter"], ("allow_msg_counter",)
    ),
    Rule("mirror", "excludes allow_atomic", lambda c: c["mirror"] and c["allow_atomic"], ("allow_atomic",)),
    Rule("mirror", "excludes allow_batched", lambda c: c["mirror"] and c["allow_batched"], ("allow_batched",)),
    Rule(
        "mirror",
        "excludes allow_msg_schedules",
        lambda c: c["mirror"] and c["allow_msg_schedules"],
        ("allow_msg_schedules",),
    ),
    Rule(
        "placement",
        "must not name a preferred server",
        lambda c: c["placement"] and c["placement"]["preferred"],
    ),
    Rule("republish", "needs dest", lambda c: c["republish"] and not c["republish"]["dest"]),
)

# An UPDATE to one of these is accepted, a CREATE is not.
CREATE_RULES: Final = (
    Rule("mirror_direct", "needs a mirror", lambda c: c["mirror_direct"] and not c["mirror"], ("mirror",)),
)
_SEALED: Final = Rule("sealed", "cannot be set on a new stream: create it, then seal it", lambda c: c["sealed"])


def _subject_problems(config: StreamConfig) -> Iterator[Problem]:
    all_subjects = config["subjects"]
    for index, subject in enumerate(all_subjects):
        yield from _one_subject(subject, ("subjects", index), config)
    for later, earlier in overlaps(all_subjects):
        what = f"{all_subjects[later]!r} overlaps {all_subjects[earlier]!r}"
        yield Problem(("subjects", later), what, (("subjects", earlier),))


def _one_subject(subject: str, path: FieldPath, config: StreamConfig) -> Iterator[Problem]:
    if not subjects.is_valid(subject):
        yield Problem(path, f"{subject!r} is not a valid subject")
        return
    if subject == ">" and config["num_replicas"] != 1:
        yield Problem(path, "'>' needs num_replicas 1", (("num_replicas",),))
    if not config["no_ack"] and _reaches_the_api(subject):
        what = f"{subject!r} overlaps the server's own subjects; narrow it or set no_ack: true"
        yield Problem(path, what, (("no_ack",),))


def _reaches_the_api(subject: str) -> bool:
    if any(subjects.overlap(subject, api) for api in _API_SUBJECTS) and not subjects.contains("$JS.EVENT.>", subject):
        return True
    return subjects.overlap(subject, "$SYS.>") and not subjects.contains("$SYS.ACCOUNT.>", subject)


def _transform_problems(config: StreamConfig) -> Iterator[Problem]:
    transform = config["subject_transform"]
    if transform and (what := transform_problem(transform["src"], transform["dest"])):
        yield Problem(("subject_transform",), what)


def _republish_problems(config: StreamConfig) -> Iterator[Problem]:
    block = config["republish"]
    if not block:
        return
    if any(subjects.overlap(block["dest"], subject) for subject in captured(config)):
        what = f"{block['dest']!r} is captured by the stream itself: a cycle"
        yield Problem(("republish", "dest"), what, CAPTURED)
    if reason := transform_problem(block["src"], block["dest"]):
        yield Problem(("republish",), reason)


_CHECKS: Final = (_subject_problems, _transform_problems, _republish_problems, mirror_problems, source_problems)
