"""What each kind of resource is said in: its words, and how they become what goes to Pulumi and to the gate. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

from provisioner.catalogue.checks import stream_problems
from provisioner.catalogue.consumers import reserved_problems
from provisioner.catalogue.stores import STORE_POLICY_FIELDS, name_problem, stated_fields, store_problems
from provisioner.providers import consumer_properties, properties, store_properties
from provisioner.providers.store_properties import BUCKET
from provisioner.schema.config import config_of
from provisioner.schema.consumer_fields import CONSUMER_FIELDS, CONSUMER_POLICY_FIELDS, consumer_config
from provisioner.schema.consumer_model import ConsumerSpec
from provisioner.schema.fields import BY_NAME, FIELDS, POLICY_FIELDS
from provisioner.schema.model import OnDelete, StreamSpec
from provisioner.schema.scalars import Text
from provisioner.schema.stores import BUCKETS, OBJECTS, StoreKind
from provisioner.schema.types import Field, Wire

Values: TypeAlias = Mapping[str, Wire]
Props: TypeAlias = Mapping[str, Any]


class Wording(Protocol):
    """The words of one kind.

    Attributes:
        identity: the word for its name.
        fields: its words, one row each, the name among them.
    """

    @property
    def identity(self) -> str: ...
    @property
    def fields(self) -> tuple[Field, ...]: ...
    def label(self, given: Props) -> str:
        """What it is called on the server, by its words."""
        ...

    def problems(self, values: Values) -> Iterator[str]:
        """What is wrong with it by itself, by the wire values of its words."""
        ...

    def in_state(self, values: Values) -> dict[str, Any]:
        """What Pulumi's state has of it, by the wire values of its words; ``on_delete`` is among them."""
        ...

    def unread(self, given: Props) -> Props:
        """The same where some of its words are still to come: as they are given, with its own defaults."""
        ...

    def for_gate(self, values: Values) -> dict[str, Any]:
        """What the gate has to know of it."""
        ...


@dataclass(frozen=True)
class StreamWording:
    """Streams, in JetStream's words."""

    identity: str = "name"
    fields: tuple[Field, ...] = (*FIELDS[:1], *POLICY_FIELDS, *FIELDS[1:])

    def label(self, given: Props) -> str:
        return str(given[self.identity])

    def problems(self, values: Values) -> Iterator[str]:
        return (str(problem) for problem in stream_problems(self._spec(values).config))

    def in_state(self, values: Values) -> dict[str, Any]:
        return properties.inputs(self._spec(values), OnDelete.GUARD)

    def unread(self, given: Props) -> Props:
        return given

    def for_gate(self, values: Values) -> dict[str, Any]:
        return self.in_state(values)

    def _spec(self, values: Values) -> StreamSpec:
        policy = {field.name: values[field.name] for field in POLICY_FIELDS}
        return StreamSpec(config_of(values), **policy)


@dataclass(frozen=True)
class StoreWording:
    """Key-value buckets or object stores, in their own words."""

    kind: StoreKind
    identity: str = BUCKET

    @property
    def fields(self) -> tuple[Field, ...]:
        return (Field(BUCKET, Text(), "", f"Name of the {self.kind.noun}."), *stated_fields(self.kind))

    def label(self, given: Props) -> str:
        return self.kind.stream_of(given[BUCKET])

    def problems(self, values: Values) -> Iterator[str]:
        if problem := name_problem(self.kind, values[BUCKET]):
            yield f"{BUCKET} {problem}"
            return
        spec = self._spec(values)
        yield from (problem.said_of(spec.name) for problem in store_problems(spec))

    def in_state(self, values: Values) -> dict[str, Any]:
        seed = {"seed": values["seed"]} if values.get("seed") else {}
        return store_properties.in_words(self.kind, self.for_gate(values)) | seed

    def unread(self, given: Props) -> Props:
        own = {field.name: field.type.show(field.default) for field in self.kind.fields if self._differs(field)}
        return {**own, **given}

    def for_gate(self, values: Values) -> dict[str, Any]:
        return properties.inputs(self._spec(values), OnDelete.GUARD)

    def _differs(self, word: Field) -> bool:
        """Whether a word has another default than the stream's field."""
        return bool(BY_NAME[self.kind.renamed.get(word.name, word.name)].default != word.default)

    def _spec(self, values: Values) -> StreamSpec:
        words = {field.name: values[field.name] for field in self.kind.fields}
        policy = {field.name: values[field.name] for field in STORE_POLICY_FIELDS}
        config = config_of(self.kind.stream_values(values[BUCKET], words))
        return StreamSpec(config, **policy, seed=values.get("seed", {}))


@dataclass(frozen=True)
class ConsumerWording:
    """Durable consumers, in JetStream's words."""

    identity: str = "durable_name"
    fields: tuple[Field, ...] = (
        Field("stream", Text(), "", "Name of the stream."),
        *CONSUMER_FIELDS[:1],
        *CONSUMER_POLICY_FIELDS,
        *CONSUMER_FIELDS[1:],
    )

    def label(self, given: Props) -> str:
        return f"{given['stream']}/{given[self.identity]}"

    def problems(self, values: Values) -> Iterator[str]:
        return map(str, reserved_problems(consumer_config(values)))

    def in_state(self, values: Values) -> dict[str, Any]:
        policy = {field.name: values[field.name] for field in CONSUMER_POLICY_FIELDS}
        spec = ConsumerSpec(stream=values["stream"], config=consumer_config(values), **policy)
        return consumer_properties.inputs(spec, OnDelete.GUARD)

    def unread(self, given: Props) -> Props:
        return given

    def for_gate(self, values: Values) -> dict[str, Any]:
        return self.in_state(values)


STREAM: Final = StreamWording()
KEY_VALUE: Final = StoreWording(BUCKETS)
OBJECT_STORE: Final = StoreWording(OBJECTS)
CONSUMER: Final = ConsumerWording()
