"""``Catalogue``: a whole catalogue as one component, and what a catalogue says as resources."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Final, TypeAlias

import pulumi

from provisioner.catalogue import reader
from provisioner.catalogue.model import Catalogue as CatalogueValue
from provisioner.catalogue.order import in_order, needed_by
from provisioner.errors import CatalogueError
from provisioner.providers import consumer_properties, properties, store_properties
from provisioner.resources.consumer import Consumer
from provisioner.resources.errors import ArgumentError, named
from provisioner.resources.key_value import KeyValue
from provisioner.resources.object_store import ObjectStore
from provisioner.resources.server import Server
from provisioner.resources.stream import Stream
from provisioner.schema.consumer_model import ConsumerSpec, by_stream
from provisioner.schema.model import StreamSpec
from provisioner.schema.stores import BUCKETS, OBJECTS, kind_of

Kept: TypeAlias = Stream | KeyValue | ObjectStore

_TYPE: Final = "jetstream:index:Catalogue"


class Catalogue(pulumi.ComponentResource):
    """The streams, buckets, object stores and consumers of a catalogue.

    Args:
        resource_name: its name in Pulumi's state; what is in it has this name, a slash and its own.
        catalogue: a catalogue's file, or what stands in one.
        server: the server that they are on; its on_delete and backup_to are theirs.
        replicas: num_replicas of a stream that has none of its own.
        opts: Pulumi's options of a component.

    Attributes:
        streams: its streams by name.
        buckets: its key-value buckets by name.
        objects: its object stores by name.
        consumers: its consumers, by the name of the stream and theirs: ``ORDERS/billing``.

    Raises:
        ArgumentError: the catalogue has problems: one line each.
    """

    streams: dict[str, Stream]
    buckets: dict[str, KeyValue]
    objects: dict[str, ObjectStore]
    consumers: dict[str, Consumer]

    @named
    def __init__(
        self,
        resource_name: str,
        *,
        catalogue: str | PathLike[str] | Mapping[str, Any],
        server: Server,
        replicas: int | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        read = _read(resource_name, catalogue, replicas)
        super().__init__(_TYPE, resource_name, {}, opts)
        self.streams, self.buckets, self.objects, self.consumers = {}, {}, {}, {}
        for note in read.notes:
            pulumi.log.warn(note, self)
        for made in declared(read, server, pulumi.ResourceOptions(parent=self), f"{resource_name}/"):
            self._keep(made)
        self.register_outputs({})

    def _keep(self, made: Kept | Consumer) -> None:
        match made:
            case Stream():
                self.streams[str(made.label)] = made
            case KeyValue():
                self.buckets[BUCKETS.named(str(made.label))] = made
            case ObjectStore():
                self.objects[OBJECTS.named(str(made.label))] = made
            case Consumer():
                self.consumers[str(made.label)] = made


def declared(
    catalogue: CatalogueValue, server: Server, opts: pulumi.ResourceOptions, prefix: str = ""
) -> Iterator[Kept | Consumer]:
    """Declare what is in a catalogue: each stream after those that it needs, and after it its consumers.

    Args:
        catalogue: the catalogue.
        server: the server that it is for.
        opts: Pulumi's options of each.
        prefix: what the names in Pulumi's state begin with.
    """
    made: dict[str, pulumi.Resource] = {}
    consumers = by_stream(catalogue.consumers)
    configs = {spec.name: spec.config for spec in catalogue.streams}
    for spec in in_order(catalogue.streams):
        needed = [made[name] for name in needed_by(spec.config, configs) if name in made]
        after = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=needed))
        stream = _stream(spec, server, after, prefix)
        made[spec.name] = stream
        yield stream
        for each in consumers.get(spec.name, ()):
            yield _consumer(each, stream, server, opts, prefix)


def _stream(spec: StreamSpec, server: Server, opts: pulumi.ResourceOptions, prefix: str) -> Kept:
    """A stream, or what it is behind."""
    said, kind = properties.inputs(spec, spec.on_delete or server.on_delete), kind_of(spec.name)
    if kind is None:
        return Stream(prefix + spec.name, server=server, opts=opts, **said)
    name, words = prefix + kind.named(spec.name), store_properties.in_words(kind, said)
    if kind is BUCKETS:
        return KeyValue(name, server=server, opts=opts, seed=spec.seed or None, **words)
    return ObjectStore(name, server=server, opts=opts, **words)


def _consumer(spec: ConsumerSpec, stream: Kept, server: Server, opts: pulumi.ResourceOptions, prefix: str) -> Consumer:
    said = consumer_properties.inputs(spec, spec.on_delete or server.on_delete)
    with_it = pulumi.ResourceOptions(depends_on=[stream], deleted_with=stream)
    return Consumer(prefix + spec.label, server=server, opts=pulumi.ResourceOptions.merge(opts, with_it), **said)


def _read(name: str, catalogue: str | PathLike[str] | Mapping[str, Any], replicas: int | None) -> CatalogueValue:
    """A catalogue's file, or what a program says instead of one, where there are no lines to name."""
    try:
        if not isinstance(catalogue, Mapping):
            return reader.load(Path(catalogue), replicas)
        return reader.parse(json.dumps(catalogue), name, replicas)
    except TypeError as error:
        raise ArgumentError(f"Catalogue {name}: {error}; its values are plain: for others declare a Stream") from None
    except CatalogueError as error:
        lines = (line.replace(f"{name}:1: ", "") for line in str(error).splitlines())
        raise ArgumentError("\n".join(f"Catalogue {name}: {line}" for line in lines)) from None
