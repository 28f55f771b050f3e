"""Questions to the real streams and consumers that leave nothing there and take nothing from anybody.

A service's message says that it expects another stream (``Nats-Expected-Stream``): the one that captures it
answers so, and stores nothing. A request for the next message that cannot be read is answered by the consumer,
and delivers nothing. That work goes on with a message which the consumer has not delivered is taken, and means nothing.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Final, TypeVar

from provisioner.errors import JetStreamOff, ProvisionerError
from provisioner.flow.hops import Hop
from provisioner.flow.logins import Logins
from provisioner.flow.timing import timed
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.consumers import consumer
from provisioner.rules.normalise import captured
from provisioner.rules.subjects import overlap
from provisioner.schema.consumer_model import ConsumerInfo, subject_filters
from provisioner.schema.model import StreamInfo
from provisioner.units import parse_time

T = TypeVar("T")

ELSEWHERE: Final = "_SMOKE"
_EXPECTS_ELSEWHERE: Final = {"Nats-Expected-Stream": ELSEWHERE}
_OTHER_STREAM: Final = 10060
_UNREADABLE: Final = b"{smoke test"
_NOBODYS_SEQUENCE: Final = 2**62
_STILL_WORKING: Final = b"+WPI"
# A stream that has no room for so many bytes takes no message of the services.
_A_MESSAGE: Final = 1024
_SECOND_NS: Final = 1_000_000_000


def ask_stream(logins: Logins, hop: Hop) -> float:
    """Whether the stream would take the publisher's message.

    Returns:
        Milliseconds until its answer.

    Raises:
        ProvisionerError: it would not, or nobody answers.
    """
    if logins.have_identities:
        # Nobody may subscribe beside JetStream here, so nobody hears of what is not stored.
        _, took = timed(lambda: _refused(logins.of(hop.publisher), hop))
        _stream(logins.manager, hop)
        return took
    return timed(lambda: _stream(logins.manager, hop))[1]


def ask_consumer(logins: Logins, hop: Hop) -> tuple[ConsumerInfo, float]:
    """The consumer, if its service could take messages from it and acknowledge them.

    Returns:
        It, and the milliseconds until its answer.

    Raises:
        ProvisionerError: it could not, or nobody answers.
    """
    found = consumer(logins.manager, hop.stream, hop.consumer)
    if found is None:
        raise ProvisionerError(f"{hop.stream} has no consumer {hop.consumer}; make up makes those of the catalogue")
    if problem := _idle(found, hop):
        raise ProvisionerError(problem)
    if found.config["deliver_subject"]:
        return timed(lambda: _there(consumer(logins.manager, hop.stream, hop.consumer), hop))
    client = logins.of(hop.service)
    _, took = timed(lambda: _answered(client, f"{client.api}.CONSUMER.MSG.NEXT.{hop.stream}.{hop.consumer}", hop))
    if logins.have_identities and found.config["ack_policy"] != "none":
        numbers = f"1.{_NOBODYS_SEQUENCE}.{_NOBODYS_SEQUENCE}.1.0"
        _answered(client, f"$JS.ACK.{hop.stream}.{hop.consumer}.{numbers}", hop, _STILL_WORKING)
    return found, took


def _refused(client: JetStream, hop: Hop) -> None:
    """The stream's word that the message belongs elsewhere; anything else is a problem."""
    try:
        text = client.connection.request(hop.subject, b"", headers=_EXPECTS_ELSEWHERE)
    except JetStreamOff:
        raise ProvisionerError(f"no stream captures {hop.subject}") from None
    answer = json.loads(text)
    error = answer.get("error") or {}
    if error.get("err_code") != _OTHER_STREAM:
        raise ProvisionerError(f"{hop.stream} refuses {hop.subject}: {error.get('description', 'no reason is given')}")
    if answer.get("stream") != hop.stream:
        raise ProvisionerError(f"{hop.subject} is captured by {answer.get('stream')}, not by {hop.stream}")


def _stream(client: JetStream, hop: Hop) -> None:
    info = client.stream(hop.stream)
    if info is None:
        raise ProvisionerError(f"there is no stream {hop.stream}")
    if not any(overlap(subject, hop.subject) for subject in captured(info.config)):
        raise ProvisionerError(f"{hop.stream} does not capture {hop.subject}")
    if problem := full(info):
        raise ProvisionerError(problem)


def full(info: StreamInfo) -> str | None:
    """Why a stream takes no more messages: it is sealed, or its limits are reached and it discards new ones."""
    config, name = info.config, info.config["name"]
    if config["sealed"]:
        return f"{name} is sealed"
    if config["discard"] != "new":
        return None
    if 0 < config["max_msgs"] <= info.messages:
        return f"{name} is full: max_msgs {config['max_msgs']:,}, and discard is new"
    if 0 < config["max_bytes"] < info.bytes + _A_MESSAGE:
        return f"{name} is full: {info.bytes:,} of max_bytes {config['max_bytes']:,}, and discard is new"
    return None


def _idle(found: ConsumerInfo, hop: Hop) -> str | None:
    """Why a consumer that is there delivers nothing of this hop."""
    until = found.config["pause_until"]
    if until and parse_time(until) > datetime.now(UTC).timestamp() * _SECOND_NS:
        return f"{hop.stream}/{hop.consumer} is paused until {until}"
    filters = subject_filters(found.config)
    if filters and not any(overlap(each, hop.subject) for each in filters):
        return f"{hop.stream}/{hop.consumer} filters {', '.join(filters)}, which leaves out {hop.subject}"
    return None


def _there(found: T | None, hop: Hop) -> T:
    if found is None:
        raise ProvisionerError(f"{hop.stream} has no consumer {hop.consumer}")
    return found


def _answered(client: JetStream, subject: str, hop: Hop, body: bytes = _UNREADABLE) -> None:
    try:
        client.connection.request(subject, body)
    except JetStreamOff:
        raise ProvisionerError(f"{hop.stream}/{hop.consumer} does not answer") from None
