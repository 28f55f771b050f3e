"""The JetStream API of one stream's consumers, in this program's values.

Every function raises the errors of ``errors``; every request has a deadline (``connection``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from provisioner.errors import CONSUMER_NOT_FOUND, STREAM_NOT_FOUND, ApiError
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.codec import decode, encode
from provisioner.jetstream.election import ELECTION_TIMEOUT_S, outlast_silence
from provisioner.jetstream.timeouts import REQUEST_TIMEOUT_S
from provisioner.schema.consumer_fields import CONSUMER_FIELDS, consumer_value
from provisioner.schema.consumer_model import ConsumerConfig, ConsumerInfo, subject_filters

Json = Mapping[str, Any]
# In every request: absent, the API takes another default than the table.
_ALWAYS = ("durable_name", "deliver_policy", "ack_policy", "replay_policy")
_ABSENT = {"ack_policy": "none"}


@dataclass(frozen=True)
class ConsumerList:
    """What a server tells of a stream's consumers at once.

    Attributes:
        present: those that it tells of by name, ephemeral ones included.
        missing: in a cluster, those that are there and whose leader has not answered in time, if they have one.
    """

    present: Mapping[str, ConsumerInfo]
    missing: frozenset[str] = frozenset()

    def with_needed(self, client: JetStream, stream: str, needed: Collection[str]) -> dict[str, ConsumerInfo]:
        """Those that it tells of, and of the others the needed ones, each asked for alone.

        Raises:
            Unreachable: one of these does not answer.
        """
        alone = {name: consumer(client, stream, name) for name in sorted(self.missing.intersection(needed))}
        return {**self.present, **{name: info for name, info in alone.items() if info}}


def listed(client: JetStream, stream: str) -> ConsumerList:
    """The consumers of a stream; none where there is no such stream."""
    missing: list[str] = []
    try:
        bodies = [*client.pages(f"CONSUMER.LIST.{stream}", "consumers", missing)]
    except ApiError as error:
        if error.code == STREAM_NOT_FOUND:
            return ConsumerList({})
        raise
    return ConsumerList({body["name"]: from_info(body) for body in bodies}, frozenset(missing))


def consumers(client: JetStream, stream: str, needed: Collection[str] = ()) -> dict[str, ConsumerInfo]:
    """A stream's consumers by name; of those that do not answer in time only the needed ones are waited for.

    Raises:
        Unreachable: a needed one does not answer.
    """
    return listed(client, stream).with_needed(client, stream, needed)


def consumer(client: JetStream, stream: str, name: str) -> ConsumerInfo | None:
    """One consumer; None if there is none of that name."""
    try:
        return from_info(client.request(f"CONSUMER.INFO.{stream}.{name}"))
    except ApiError as error:
        if error.code in (CONSUMER_NOT_FOUND, STREAM_NOT_FOUND):
            return None
        raise


def awaited(client: JetStream, stream: str, name: str) -> ConsumerInfo | None:
    """The same for who is about to change it: it is the last to have a leader when a cluster has lost a node.

    Raises:
        Unreachable: it has none for longer than an election takes.
    """
    if client.cluster == "":
        return consumer(client, stream, name)
    return outlast_silence(lambda: consumer(client, stream, name))


def lagging(client: JetStream, stream: str, name: str) -> list[str]:
    """The nodes of a cluster that do not have all of a consumer: they are down, or behind."""
    cluster = client.request(f"CONSUMER.INFO.{stream}.{name}").get("cluster") or {}
    return [each["name"] for each in cluster.get("replicas") or () if not each["current"]]


def make(client: JetStream, stream: str, config: ConsumerConfig) -> ConsumerInfo:
    """Create a consumer; one that exists with equal settings is returned as it is."""
    return _sent(client, stream, config, "create")


def update(client: JetStream, stream: str, config: ConsumerConfig) -> ConsumerInfo:
    """Replace a consumer's whole configuration; what it has delivered and what is acknowledged stays.

    A pause is no part of what the server updates: it has a request of its own.
    """
    info = _sent(client, stream, config, "update")
    if info.config["pause_until"] == config["pause_until"]:
        return info
    return pause(client, info, config["pause_until"])


def pause(client: JetStream, info: ConsumerInfo, until: str | None) -> ConsumerInfo:
    """Let a consumer deliver nothing until a time in RFC 3339, or go on."""
    client.request(f"CONSUMER.PAUSE.{info.stream}.{info.name}", {"pause_until": until} if until else None)
    return replace(info, config={**info.config, "pause_until": until})


def reset(client: JetStream, stream: str, name: str, sequence: int) -> ConsumerInfo:
    """Let a consumer go on at a sequence of its stream, as if everything before were acknowledged."""
    return from_info(client.request(f"CONSUMER.RESET.{stream}.{name}", {"seq": sequence}))


def remove(client: JetStream, stream: str, name: str) -> bool:
    """Delete a consumer; False if there was none."""
    try:
        client.request(f"CONSUMER.DELETE.{stream}.{name}")
    except ApiError as error:
        if error.code in (CONSUMER_NOT_FOUND, STREAM_NOT_FOUND):
            return False
        raise
    return True


def to_request(config: ConsumerConfig) -> dict[str, Any]:
    """The ``config`` of a CREATE: what differs from the default, and what the API takes otherwise when it is absent.

    A single filter goes as ``filter_subject``, as permissions and most clients have it.
    """
    filters = subject_filters(config)
    single: dict[str, Any] = {"filter_subject": filters[0], "filter_subjects": []} if len(filters) == 1 else {}
    values = {field.name: consumer_value(config, field.name) for field in CONSUMER_FIELDS} | single
    return {name: values[name] for name in _ALWAYS} | encode(values, CONSUMER_FIELDS)


def from_config(body: Json, *, strict: bool = False) -> ConsumerConfig:
    """A server's ``config`` as a whole configuration.

    Raises:
        ValueError: with ``strict``, for a field that no durable consumer has.
    """
    own = {name: value for name, value in body.items() if name not in ("name", "direct", "sourcing")}
    return cast("ConsumerConfig", decode({**_ABSENT, **own}, CONSUMER_FIELDS, strict=strict))


def from_info(body: Json) -> ConsumerInfo:
    """The answer to INFO, CREATE or RESET, or an entry of LIST."""
    ahead = body["delivered"]["consumer_seq"] - body["ack_floor"]["consumer_seq"]
    return ConsumerInfo(
        stream=body["stream_name"],
        config=from_config(body["config"]),
        created=body["created"],
        delivered=body["delivered"]["stream_seq"],
        acknowledged=body["ack_floor"]["stream_seq"],
        acknowledged_beyond=max(ahead - body["num_ack_pending"], 0),
        unacknowledged=body["num_ack_pending"],
        pending=body["num_pending"],
        is_bound=bool(body.get("push_bound")),
        redelivered=body.get("num_redelivered", 0),
        waiting=body.get("num_waiting", 0),
        deliveries=body["delivered"]["consumer_seq"],
    )


def _sent(client: JetStream, stream: str, config: ConsumerConfig, action: Literal["create", "update"]) -> ConsumerInfo:
    body = {"stream_name": stream, "config": to_request(config), "action": action}
    filters = subject_filters(config)
    # The subject with the filter is the one that permissions can tell from others.
    filtered = f".{filters[0]}" if len(filters) == 1 else ""
    # In a cluster the consumer's own leader answers: where the node is down that was to lead it, after an election.
    timeout = max(REQUEST_TIMEOUT_S, 0 if client.cluster == "" else ELECTION_TIMEOUT_S)
    return from_info(client.request(f"CONSUMER.CREATE.{stream}.{config['durable_name']}{filtered}", body, timeout))
