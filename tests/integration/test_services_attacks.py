"""Attempts to do more than the file says: what the server refuses, and what no permission can prevent.

A permission is about subjects. It sees neither the body of a request nor where an answer goes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.nats_lines import nats_lines
from tests.support.raw_nats import RawClient, RequestError, raw_client
from tests.support.services import Guarded, guarded
from tests.support.waiting import until

WORKER, VICTIM = "explanation-worker", "MARKET_DATA"
OWN: dict[str, Any] = {"durable_name": WORKER, "name": WORKER, "ack_policy": "explicit"}


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Guarded]:
    """A server without the service's own stream; another's has a message."""
    with guarded(tmp_path / "nats") as server, server.jetstream() as client:
        for spec in server.catalogue.streams:
            if spec.name != "EXPLANATIONS":
                client.create(spec.config)
        with raw_client(server.server.url, **server.login("market-data-ingestion")) as ingestion:
            ingestion.publish("market.data.news", b"secret")
        yield server


@pytest.fixture
def whole(empty: Guarded) -> Guarded:
    """The same with all streams, as an up leaves it."""
    with empty.jetstream() as client:
        client.create(next(spec.config for spec in empty.catalogue.streams if spec.name == "EXPLANATIONS"))
    return empty


@pytest.fixture
def worker(empty: Guarded) -> Iterator[RawClient]:
    """The service that tries."""
    with raw_client(empty.server.url, **empty.login(WORKER)) as client:
        yield client


def stored(server: Guarded, stream: str) -> dict[str, int]:
    """How many messages each subject of a stream has."""
    with server.jetstream() as client:
        state = client.request(f"STREAM.INFO.{stream}", {"subjects_filter": ">"})["state"]
    return dict(state.get("subjects", {}))


@pytest.mark.parametrize(
    ("subject", "stream", "fields", "code"),
    [
        ("CREATE.PREDICTIONS", VICTIM, {}, 10056),
        ("CREATE.PREDICTIONS", "PREDICTIONS", {"name": "api-gateway", "durable_name": "api-gateway"}, 10017),
        ("DURABLE.CREATE.PREDICTIONS", VICTIM, {}, 10056),
        ("DURABLE.CREATE.PREDICTIONS", "PREDICTIONS", {"name": "", "durable_name": "api-gateway"}, 10017),
        ("CREATE.EXPLANATIONS", "EXPLANATIONS", {"filter_subject": "explanations.response"}, 10131),
        ("CREATE.EXPLANATIONS", "EXPLANATIONS", {"filter_subjects": ["explanations.*", "x"]}, 10137),
        ("CREATE.EXPLANATIONS", "EXPLANATIONS", {}, 10131),
    ],
)
@pytest.mark.usefixtures("whole")
def test_the_body_of_a_consumer_agrees_with_its_subject(
    worker: RawClient, subject: str, stream: str, fields: dict[str, Any], code: int
) -> None:
    """Another stream, another's consumer or another filter in the body than in the permitted subject is refused."""
    suffix = ".explanations.request" if subject.endswith("EXPLANATIONS") else ""
    with pytest.raises(RequestError) as refused:
        worker.ask(f"CONSUMER.{subject}.{WORKER}{suffix}", {"stream_name": stream, "config": {**OWN, **fields}})
    assert code == refused.value.code


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"name": "OTHER"}, 10056),
        ({"mirror": {"name": VICTIM}}, 10058),
        ({"sources": [{"name": VICTIM}]}, 10058),
        ({"subjects": ["explanations.request"], "republish": {"src": "explanations.request", "dest": "x"}}, 10058),
    ],
)
@pytest.mark.usefixtures("whole")
def test_a_stream_that_exists_cannot_be_turned(worker: RawClient, fields: dict[str, Any], code: int) -> None:
    """The right to create one's stream changes nothing once it is there."""
    with pytest.raises(RequestError) as refused:
        worker.ask("STREAM.CREATE.EXPLANATIONS", {"name": "EXPLANATIONS", **fields})
    assert code == refused.value.code


@pytest.mark.parametrize("origin", [{"mirror": {"name": VICTIM}}, {"sources": [{"name": VICTIM}]}])
def test_not_prevented_a_copy_of_another_stream(empty: Guarded, worker: RawClient, origin: dict[str, Any]) -> None:
    """While its stream does not exist, a service may create it as a copy of any other, and read that."""
    worker.ask("STREAM.CREATE.EXPLANATIONS", {"name": "EXPLANATIONS", **origin})
    until("the message is copied", lambda: stored(empty, "EXPLANATIONS") == {"market.data.news": 1}, 10)


def test_not_prevented_a_request_by_republishing(empty: Guarded, worker: RawClient) -> None:
    """While its stream does not exist, a service may create one that republishes into the API, as the server itself."""
    request = {"src": "explanations.response", "dest": f"$JS.API.STREAM.DELETE.{VICTIM}"}
    worker.ask(
        "STREAM.CREATE.EXPLANATIONS",
        {"name": "EXPLANATIONS", "subjects": ["explanations.response"], "republish": request},
    )
    worker.publish("explanations.response", b"")
    with empty.jetstream() as client:
        until(f"{VICTIM} is deleted", lambda: client.stream(VICTIM) is None, 10)


def test_not_prevented_a_foreign_place_to_answer_to(whole: Guarded, worker: RawClient) -> None:
    """Any request may have its answer sent to a subject that a stream captures: a message that is not the service's."""
    with raw_client(whole.server.url, **whole.login("api-gateway")) as gateway:
        gateway.publish("explanations.request", b"forged")
    create = f"CONSUMER.CREATE.EXPLANATIONS.{WORKER}.explanations.request"
    worker.ask(create, {"stream_name": "EXPLANATIONS", "config": {**OWN, "filter_subject": "explanations.request"}})
    with nats_lines(whole.server.url, whole.keys[WORKER]) as lines:
        next_message = f"$JS.API.CONSUMER.MSG.NEXT.EXPLANATIONS.{WORKER}"
        assert set() == lines.denied_publishing([next_message], "1", reply="market.data.economic")
        assert set() == lines.denied_publishing(["explanations.response"], "x", reply="market.data.ohlcv")
        # The message keeps its subject, although the stream captures none of that name; the acknowledgement has none.
        expected = {"market.data.news": 1, "explanations.request": 1, "market.data.ohlcv": 1}
        until("both are stored", lambda: stored(whole, VICTIM) == expected, 10)


def test_not_prevented_delivery_to_another_inbox(whole: Guarded, worker: RawClient) -> None:
    """A push consumer may deliver where another service listens; it listens to nobody else's inbox."""
    inbox = "_INBOX_api-gateway.answers"
    with raw_client(whole.server.url, **whole.login("api-gateway")) as gateway, gateway.recorded(inbox) as received:
        config = {**OWN, "filter_subject": "explanations.request", "deliver_subject": inbox, "ack_policy": "none"}
        create = f"CONSUMER.CREATE.EXPLANATIONS.{WORKER}.explanations.request"
        worker.ask(create, {"stream_name": "EXPLANATIONS", "config": config})
        gateway.publish("explanations.request")
        until("it has arrived", lambda: bool(received), 10)
    assert ["explanations.request"] == received


@pytest.mark.parametrize("api", [f"STREAM.DELETE.{VICTIM}", f"STREAM.PURGE.{VICTIM}"])
@pytest.mark.parametrize("payload", ["", "{}"])
def test_no_request_by_delivery(whole: Guarded, worker: RawClient, api: str, payload: str) -> None:
    """What a consumer or a stream sends to the API is no request: neither a pulled message nor an acknowledgement."""
    with raw_client(whole.server.url, **whole.login("api-gateway")) as gateway:
        gateway.publish("explanations.request", payload.encode())
        gateway.publish("explanations.request", payload.encode())
    create = f"CONSUMER.CREATE.EXPLANATIONS.{WORKER}.explanations.request"
    config = {**OWN, "filter_subject": "explanations.request"}
    worker.ask(create, {"stream_name": "EXPLANATIONS", "config": config})
    with nats_lines(whole.server.url, whole.keys[WORKER]) as lines:
        for subject in (f"$JS.API.CONSUMER.MSG.NEXT.EXPLANATIONS.{WORKER}", "explanations.response"):
            assert set() == lines.denied_publishing([subject], json.dumps({"batch": 1}), reply=f"$JS.API.{api}")
        until("the messages are stored", lambda: stored(whole, "EXPLANATIONS").get("explanations.response"), 10)
        assert {"market.data.news": 1} == stored(whole, VICTIM)


def test_an_answer_is_not_an_acknowledgement(whole: Guarded) -> None:
    """The one place to answer to that the server refuses: another consumer's acknowledgements."""
    foreign = "$JS.ACK.MARKET_DATA.routing-agent.1.1.1.1.0"
    with nats_lines(whole.server.url, whole.keys[WORKER]) as lines:
        assert {foreign} == lines.denied_publishing(["explanations.response"], "x", reply=foreign)
