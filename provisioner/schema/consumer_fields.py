"""Every field of JetStream's ConsumerConfig (nats-server 2.15) that a durable consumer has, one row each.

``name`` is the key in the catalogue; ``direct`` and ``sourcing`` belong to consumers that servers make
for themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from provisioner.schema.consumer_model import ConsumerConfig
from provisioner.schema.model import Adopt, OnDelete
from provisioner.schema.scalars import INT32, UINT64, Choice, Count, Duration, Flag, Labels, Member, Text, Timestamp
from provisioner.schema.types import Carry, Field, ListOf, Mutability, Report, Wire, read_fields, show_fields
from provisioner.schema.watch import CONSUMER_WATCH

FIXED = Mutability.FIXED

CONSUMER_FIELDS: Final = (
    Field("durable_name", Text(), "", "Name of the consumer.", FIXED, carry=Carry.NONE),
    Field("description", Text(), "", "Text on the server; a service that creates the consumer must send it too."),
    Field(
        "deliver_policy",
        Choice(("all", "last", "new", "by_start_sequence", "by_start_time", "last_per_subject")),
        "all",
        "Where in the stream a new consumer begins.",
        FIXED,
        carry=Carry.NONE,
    ),
    Field("opt_start_seq", Count(UINT64), 0, "With by_start_sequence: the first sequence.", FIXED, carry=Carry.NONE),
    Field("opt_start_time", Timestamp(), None, "With by_start_time: the first time.", FIXED, carry=Carry.NONE),
    Field(
        "ack_policy",
        Choice(("none", "all", "explicit", "flow_control")),
        "explicit",
        "What a client acknowledges.",
        FIXED,
    ),
    Field("ack_wait", Duration(), 0, "How long until an unacknowledged message is delivered again; 30s."),
    Field("max_deliver", Count(INT32, limit=True), -1, "Most deliveries of one message."),
    Field("backoff", ListOf(Duration()), [], "Waits between deliveries instead of ack_wait, the last one for ever."),
    Field("filter_subject", Text(), "", "Take only messages on this subject."),
    Field("filter_subjects", ListOf(Text()), [], "Take only messages on these subjects."),
    Field("replay_policy", Choice(("instant", "original")), "instant", "At once, or as they arrived.", FIXED),
    Field("rate_limit_bps", Count(UINT64), 0, "Of a push consumer: most bits per second."),
    Field("sample_freq", Text(), "", "Share of acknowledgements that are reported, such as 100%."),
    Field("max_waiting", Count(INT32), 0, "Of a pull consumer: most requests that wait; 512.", FIXED),
    Field("max_ack_pending", Count(INT32, limit=True, zero=0), 0, "Most unacknowledged messages; 1000."),
    Field("flow_control", Flag(), default=False, doc="Of a push consumer: slow down for a slow client.", change=FIXED),
    Field("headers_only", Flag(), default=False, doc="Deliver headers without the payload."),
    Field("max_batch", Count(INT32), 0, "Of a pull consumer: most messages of one request."),
    Field("max_expires", Duration(), 0, "Of a pull consumer: longest wait of one request."),
    Field("max_bytes", Count(INT32), 0, "Of a pull consumer: most bytes of one request."),
    Field("deliver_subject", Text(), "", "Push to this subject; a pull consumer has none.", Mutability.SAME_KIND),
    Field("deliver_group", Text(), "", "Of a push consumer: queue group of its clients."),
    Field("idle_heartbeat", Duration(), 0, "Of a push consumer: sign of life while there is nothing.", FIXED),
    Field("inactive_threshold", Duration(), 0, "Delete it once nobody has used it for so long."),
    Field("num_replicas", Count(5), 0, "Copies in a cluster; those of the stream."),
    Field("mem_storage", Flag(), default=False, doc="Keep its state in memory.", change=FIXED),
    Field("pause_until", Timestamp(), None, "Deliver nothing until then.", since=(2, 11)),
    Field("priority_groups", ListOf(Text()), [], "Groups of clients with a priority.", since=(2, 11)),
    Field(
        "priority_policy",
        Choice(("none", "overflow", "pinned_client", "prioritized")),
        "none",
        "Who of a group gets the messages.",
        since=(2, 11),
    ),
    Field("priority_timeout", Duration(), 0, "How long a silent client stays pinned; 2m.", since=(2, 11)),
    Field("metadata", Labels(), {}, "Text of your own; keys that begin with _nats. are the server's."),
)

CONSUMER_FIELD: Final = {field.name: field for field in CONSUMER_FIELDS}

CONSUMER_POLICY_FIELDS: Final = (
    Field("purpose", Text(), "", "What the consumer is for; shown, never sent."),
    Field("on_delete", Member(OnDelete), None, "What deleting the consumer does; instead of the stack's onDelete."),
    Field("adopt", Member(Adopt), Adopt.EQUAL, "What to do with a consumer that is there already."),
)

# And what only a catalogue says: no property of a resource, so that a change of it is no update.
CONSUMER_CATALOGUE_FIELDS: Final = (
    *CONSUMER_POLICY_FIELDS,
    Field("watch", CONSUMER_WATCH, None, "What is worth an alert; never sent."),
)


def consumer_value(config: ConsumerConfig, name: str) -> Wire:
    """The wire value of the field of this name."""
    values: Mapping[str, Wire] = config
    return values[name]


def consumer_config(values: Mapping[str, Wire]) -> ConsumerConfig:
    """The configuration of these wire values, each other field at its default."""
    return cast("ConsumerConfig", {field.name: values.get(field.name, field.default) for field in CONSUMER_FIELDS})


def read_consumer(block: Mapping[str, object], report: Report) -> ConsumerConfig:
    """The configuration that a catalogue or state describes; ``report`` hears of each value that cannot be read."""
    return cast("ConsumerConfig", read_fields(block, CONSUMER_FIELDS, (), report))


def show_consumer(config: ConsumerConfig) -> dict[str, Wire]:
    """The canonical form of every field that differs from its default."""
    return show_fields(config, CONSUMER_FIELDS)
