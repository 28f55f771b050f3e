"""What a line of the file becomes: the exact lists of subjects."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.catalogue.model import Catalogue
from provisioner.catalogue.reader import parse
from provisioner.rules.subjects import contains
from provisioner.services.permissions import account_hash, permissions
from provisioner.services.reader import read

STREAMS = parse("{ORDERS: {subjects: [orders.*]}, EVENTS: {subjects: [events.a, events.b]}}", "streams.yaml")
API = "$JS.API"
CONSUMES = (
    f"{API}.STREAM.NAMES",
    f"{API}.CONSUMER.INFO.ORDERS.s",
    f"{API}.CONSUMER.MSG.NEXT.ORDERS.s",
    "$JS.ACK.ORDERS.s.>",
    "$JS.FC.ORDERS.s.>",
    "$JS.ACK._.szMpdrwD.ORDERS.s.>",
    "$JS.FC._.szMpdrwD.ORDERS.s.>",
)


def _published(role: str, streams: Catalogue = STREAMS) -> tuple[str, ...]:
    return permissions(read(f"services: {{s: {role}}}", "services.yaml", streams), streams)["s"].publish


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("{publishes: [events.a]}", ("events.a",)),
        ("{publishes: ['events.*']}", ("events.a", "events.b")),
        ("{publishes: ['>']}", ("orders.*", "events.a", "events.b")),
        ("{publishes: [orders.x, '*.a']}", ("orders.x", "orders.a", "events.a")),
        ("{creates: [EVENTS]}", (f"{API}.STREAM.CREATE.EVENTS", f"{API}.STREAM.INFO.EVENTS")),
        (
            "{consumes: [ORDERS]}",
            (
                *CONSUMES,
                f"{API}.CONSUMER.CREATE.ORDERS.s",
                f"{API}.CONSUMER.CREATE.ORDERS.s.>",
                f"{API}.CONSUMER.DURABLE.CREATE.ORDERS.s",
            ),
        ),
        (
            "{consumes: [{stream: ORDERS, subjects: [orders.x, orders.y]}]}",
            (*CONSUMES, f"{API}.CONSUMER.CREATE.ORDERS.s.orders.x", f"{API}.CONSUMER.CREATE.ORDERS.s.orders.y"),
        ),
    ],
)
def test_of_a_service(role: str, expected: tuple[str, ...]) -> None:
    """Each role by itself."""
    assert expected == _published(role)


def test_of_named_consumers() -> None:
    """Each of them, and no longer the one with the service's name."""
    published = _published("{consumes: [{stream: ORDERS, consumers: [one, two]}]}")
    assert {"one", "two"} == {subject.split(".")[6] for subject in published if ".MSG.NEXT." in subject}
    assert not [subject for subject in published if subject.endswith(".s")]


def test_inboxes() -> None:
    """Each has one of its own, and may subscribe to nothing else."""
    services = read("services: {s: {creates: [ORDERS]}, s-2: {creates: [ORDERS]}}", "services.yaml", STREAMS)
    assert {name: (f"_INBOX_{name}.>",) for name in ("s", "s-2", "provisioner", "monitoring")} == {
        name: allowed.subscribe for name, allowed in permissions(services, STREAMS).items()
    }


@pytest.mark.parametrize(
    ("settings", "denied"),
    [("copies: false", {"SNAPSHOT", "RESTORE"}), ("counts: false", {"GET"}), ("copies: true", set())],
)
def test_of_the_provisioner(settings: str, denied: set[str]) -> None:
    """What is switched off in the file is not permitted."""
    text = "services: {s: {creates: [ORDERS]}}\n"
    parts = [
        {part for subject in permissions(services, STREAMS)["provisioner"].publish for part in subject.split(".")}
        for services in (read(f"{text}{more}", "s.yaml", STREAMS) for more in ("", f"provisioner: {{{settings}}}"))
    ]
    assert denied == (parts[0] - parts[1]) - {"MSG", ">"}


def test_the_hash_of_an_account() -> None:
    """As nats-server 2.15.1 has it in the acknowledgements of a server with js_ack_fc_v2."""
    assert ("4HV5VzVU", "szMpdrwD") == (account_hash("PREDICTION_SYSTEM"), account_hash("$G"))


@given(
    st.lists(
        st.sampled_from(["orders.x", "orders.*", "events.*", "*.a", "*.*", ">", "events.>"]), min_size=1, unique=True
    )
)
def test_no_more_than_the_patterns_and_the_streams(patterns: list[str]) -> None:
    """Whatever the file says, a service publishes only what both its patterns and some stream cover."""
    for subject in _published(f"{{publishes: {patterns}}}"):
        assert any(contains(pattern, subject) for pattern in patterns)
        assert any(contains(captured, subject) for captured in ("orders.*", "events.a", "events.b"))
