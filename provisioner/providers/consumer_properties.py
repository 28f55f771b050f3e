"""A consumer's properties in Pulumi's state <-> its specification: pure, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from provisioner.plan.consumer_diff import plan_consumer
from provisioner.providers.properties import raise_error
from provisioner.rules.consumer_normalise import normalise_consumer
from provisioner.schema.consumer_fields import (
    CONSUMER_FIELD,
    CONSUMER_FIELDS,
    CONSUMER_POLICY_FIELDS,
    consumer_value,
    read_consumer,
    show_consumer,
)
from provisioner.schema.consumer_model import ConsumerInfo, ConsumerSpec
from provisioner.schema.model import Adopt, OnDelete, StreamConfig
from provisioner.schema.types import Report, read_fields

Props = Mapping[str, Any]

BOOKKEEPING: Final = (
    "url",
    "monitor_url",
    "store",
    "stream",
    "purpose",
    "on_delete",
    "adopt",
    "status",
    "server",
    "login",
)

_STATED: Final = frozenset((*CONSUMER_FIELD, *(field.name for field in CONSUMER_POLICY_FIELDS)))


def inputs(spec: ConsumerSpec, on_delete: OnDelete) -> dict[str, Any]:
    """What the program registers for a consumer: nothing without a meaning."""
    policies = {
        "purpose": spec.purpose,
        "on_delete": (spec.on_delete or on_delete).value,
        "adopt": None if spec.adopt is Adopt.EQUAL else spec.adopt.value,
    }
    stated = show_consumer(spec.config) | {name: value for name, value in policies.items() if value}
    return {"stream": spec.stream, **stated}


def canonical(props: Props, spec: ConsumerSpec) -> dict[str, Any]:
    """The properties with every field as the state has it: a program may have said it in other words."""
    said = {name: value for name, value in props.items() if name not in _STATED}
    return said | inputs(spec, OnDelete.GUARD)


def spec(props: Props, report: Report = raise_error) -> ConsumerSpec:
    """The specification behind properties; ``report`` hears of each value that cannot be read."""
    given = {field.name: props.get(field.name) for field in CONSUMER_POLICY_FIELDS}
    policy = read_fields(given, CONSUMER_POLICY_FIELDS, (), report)
    config = read_consumer({name: value for name, value in props.items() if name in CONSUMER_FIELD}, report)
    return ConsumerSpec(stream=props["stream"], config=config, **policy)


def filled_in(olds: Props, news: Props, stream: StreamConfig) -> dict[str, Any]:
    """The new inputs, and the server's default for each field the old ones hold and the new ones do not."""
    missing = [field for field in CONSUMER_FIELDS if field.name in olds and field.name not in news]
    if not missing:
        return dict(news)
    defaults = normalise_consumer(spec(news, lambda _at, _what: None).config, stream)
    values = {field.name: consumer_value(defaults, field.name) for field in missing}
    shown = {name: CONSUMER_FIELD[name].type.show(value) for name, value in values.items() if value is not None}
    return {**news, **shown}


def overlaid(props: Props, info: ConsumerInfo, stream: StreamConfig) -> dict[str, Any]:
    """The properties of a consumer as it was read: what was wanted, overlaid with what differs."""
    changes = plan_consumer(info.config, spec(props).config, stream).changes
    differing = {change.field: change.old for change in changes}
    kept = {name: value for name, value in props.items() if name not in {*differing, "status"}}
    shown = {name: CONSUMER_FIELD[name].type.show(value) for name, value in differing.items() if value is not None}
    return {**kept, **shown}
