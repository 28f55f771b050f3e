"""The committed catalogue's consumers are those that the committed services' file speaks of."""

from __future__ import annotations

from provisioner.catalogue.reader import load
from provisioner.schema.consumer_model import subject_filters
from provisioner.services.reader import read
from tests.support.services import SERVICES, STREAMS

CATALOGUE = load(STREAMS)


def test_each_consumes_line_has_its_consumer() -> None:
    """One durable for each hop, called as its service, and with its filters; no other."""
    services = read(SERVICES.read_text(), "services.yaml", CATALOGUE)
    wanted = {
        (entry.stream, consumer): [*entry.subjects]
        for service in services.services
        for entry in service.consumes
        for consumer in entry.consumers
    }
    assert wanted == {(spec.stream, spec.name): subject_filters(spec.config) for spec in CATALOGUE.consumers}


def test_each_has_a_clear_end() -> None:
    """Explicit acknowledgements, so many deliveries at most, and a line that says what it is for."""
    assert {("explicit", True, True)} == {
        (spec.config["ack_policy"], 0 < spec.config["max_deliver"] <= 5, bool(spec.purpose))
        for spec in CATALOGUE.consumers
    }
