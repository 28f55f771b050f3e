"""``streams status`` of a catalogue with consumers, against a real server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from provisioner.jetstream.client import JetStream
from tests.support.configurations import config
from tests.support.nats_server import NatsServer
from tests.support.raw_nats import RawClient
from tests.support.status import status

CONSUMERS = {
    "billing": {"filter_subject": "orders.paid", "ack_wait": "1m"},
    "archive": None,
    "late": {"max_deliver": 3},
}


@pytest.fixture
def catalogue(tmp_path: Path, jetstream: JetStream) -> Path:
    """A stream that is there, and a catalogue of three consumers on it."""
    jetstream.create(config("ORDERS", subjects=["orders.>"]))
    file = tmp_path / "streams.yaml"
    file.write_text(yaml.safe_dump({"ORDERS": {"subjects": ["orders.>"], "consumers": CONSUMERS}}, sort_keys=False))
    return file


def test_each_in_its_state(server: NatsServer, raw: RawClient, catalogue: Path) -> None:
    """What is as it should be, what differs, what is missing; with how much each has before it."""
    raw.add_consumer("ORDERS", "billing", filter_subject="orders.paid", ack_wait=60_000_000_000)
    raw.add_consumer("ORDERS", "archive", max_waiting=7)
    for subject in ("paid", "new", "paid"):
        raw.publish(f"orders.{subject}")
    raw.consume("ORDERS", "billing", 1)

    done = status(server, "--catalogue", str(catalogue))
    rows = {line.split()[0]: line.split() for line in done.stdout.splitlines() if line.startswith("ORDERS/")}
    assert ["ORDERS/billing", "ok", "orders.paid", "1", "0", "0", "1"] == rows["ORDERS/billing"]
    assert ["ORDERS/archive", "drift", "all", "3", "0", "0", "0"] == rows["ORDERS/archive"]
    assert ["ORDERS/late", "missing", "all", "-", "-", "-", "-"] == rows["ORDERS/late"]
    assert "WARNING   ORDERS/archive  max_waiting: 512 (live: 7)" in done.stdout
    assert "CRITICAL  ORDERS/late     is not on the server" in done.stdout
    assert done.stdout.endswith("CRITICAL: 1 stream: 1 ok; 3 consumers: 1 ok, 1 drift, 1 missing\n")

    plain = json.loads(status(server, "--json", "--catalogue", str(catalogue)).stdout)["consumers"]
    assert [("billing", "ok", 1), ("archive", "drift", 3), ("late", "missing", None)] == [
        (each["name"], each["state"], each["pending"]) for each in plain
    ]
    assert [{"field": "max_waiting", "wanted": 512, "live": 7}] == plain[1]["differences"]


def test_of_a_stream_that_is_missing(server: NatsServer, jetstream: JetStream, catalogue: Path) -> None:
    """One line says it."""
    jetstream.delete("ORDERS")
    done = status(server, "--catalogue", str(catalogue))
    assert done.stdout.endswith("CRITICAL: 1 stream: 1 missing; 3 consumers: 3 unknown\n")
    assert 1 == done.stdout.count("is not on the server")
