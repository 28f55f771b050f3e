"""Who hands what to whom: the hops that the services' file and the catalogue make together. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from provisioner.catalogue.model import Catalogue
from provisioner.rules.normalise import captured
from provisioner.rules.subjects import meet, overlap
from provisioner.services.model import Consumption, Service, Services

# What stands for a wildcard in the subject of an example.
EXAMPLE_TOKEN = "smoke"


@dataclass(frozen=True)
class Hop:
    """A message's way from one service to another.

    Attributes:
        publisher: the service that publishes it.
        subject: what to, without wildcards.
        stream: the one that captures the subject.
        consumer: the durable consumer that delivers it.
        service: whose consumer that is.
    """

    publisher: str
    subject: str
    stream: str
    consumer: str
    service: str

    @property
    def label(self) -> str:
        """How messages call it."""
        return f"{self.publisher} -> {self.stream}/{self.consumer}"


def hops(services: Services, catalogue: Catalogue) -> tuple[Hop, ...]:
    """Every hop, once for each publisher and consumer, in the order in which a message meets them."""
    return tuple(_in_order([hop for service in services.services for hop in _from(service, services, catalogue)]))


def sources(flow: Sequence[Hop]) -> set[str]:
    """The services that a flow begins with: those that only publish; where there is none, the first of all."""
    only_publish = {hop.publisher for hop in flow} - {hop.service for hop in flow}
    return only_publish or {hop.publisher for hop in flow[:1]}


def _in_order(flow: list[Hop]) -> Iterator[Hop]:
    """From the sources on; at the end what no message reaches."""
    reached, left = sources(flow), flow
    while now := [hop for hop in left if hop.publisher in reached]:
        yield from now
        left = [hop for hop in left if hop not in now]
        reached = {hop.service for hop in now}
    yield from left


def _from(publisher: Service, services: Services, catalogue: Catalogue) -> Iterator[Hop]:
    for stream in catalogue.streams:
        examples = [*_examples(publisher.publishes, captured(stream.config))]
        for service in services.services:
            for entry in service.consumes:
                if entry.stream == stream.name and (subject := _first_for(entry, examples)):
                    yield from (
                        Hop(publisher.name, subject, stream.name, consumer, service.name)
                        for consumer in entry.consumers
                    )


def _examples(patterns: Iterable[str], subjects: Sequence[str]) -> Iterator[str]:
    """A subject for each pattern and what a stream captures of it."""
    for pattern in patterns:
        for common in filter(None, (meet(pattern, subject) for subject in subjects)):
            yield ".".join(EXAMPLE_TOKEN if token in ("*", ">") else token for token in common.split("."))


def _first_for(entry: Consumption, examples: Iterable[str]) -> str | None:
    """The first subject that a consumer's filters let through."""
    filters = entry.subjects or (">",)
    return next((subject for subject in examples if any(overlap(each, subject) for each in filters)), None)
