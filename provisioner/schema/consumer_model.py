"""The values of consumers: their configuration, what a catalogue says of them, and what a server holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypedDict

from provisioner.schema.model import Adopt, OnDelete, Place


class ConsumerConfig(TypedDict):
    """A whole configuration under its wire names: durations in nanoseconds, every field present.

    The table in ``consumer_fields`` says the same at run time; a test holds the two together.
    """

    durable_name: str
    description: str
    deliver_policy: Literal["all", "last", "new", "by_start_sequence", "by_start_time", "last_per_subject"]
    opt_start_seq: int
    opt_start_time: str | None
    ack_policy: Literal["none", "all", "explicit", "flow_control"]
    ack_wait: int
    max_deliver: int
    backoff: list[int]
    filter_subject: str
    filter_subjects: list[str]
    replay_policy: Literal["instant", "original"]
    rate_limit_bps: int
    sample_freq: str
    max_waiting: int
    max_ack_pending: int
    flow_control: bool
    headers_only: bool
    max_batch: int
    max_expires: int
    max_bytes: int
    deliver_subject: str
    deliver_group: str
    idle_heartbeat: int
    inactive_threshold: int
    num_replicas: int
    mem_storage: bool
    pause_until: str | None
    priority_groups: list[str]
    priority_policy: Literal["none", "overflow", "pinned_client", "prioritized"]
    priority_timeout: int
    metadata: dict[str, str]


@dataclass(frozen=True)
class ConsumerSpec:
    """One consumer of the catalogue.

    Attributes:
        watch: what is worth an alert, as ``schema.watch`` has it.
    """

    stream: str
    config: ConsumerConfig
    purpose: str = ""
    on_delete: OnDelete | None = None
    adopt: Adopt = Adopt.EQUAL
    place: Place | None = None
    watch: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        return self.config["durable_name"]

    @property
    def label(self) -> str:
        """How messages call it, and Pulumi's state: no stream's name has a slash."""
        return f"{self.stream}/{self.name}"


def by_stream(specs: Iterable[ConsumerSpec]) -> dict[str, list[ConsumerSpec]]:
    """The consumers of each stream that has some, in their order."""
    found: dict[str, list[ConsumerSpec]] = {}
    for spec in specs:
        found.setdefault(spec.stream, []).append(spec)
    return found


@dataclass(frozen=True)
class ConsumerInfo:
    """A consumer as the server holds it at one moment.

    Attributes:
        stream: the stream it is on.
        config: its configuration.
        created: when it was made, in RFC 3339.
        delivered: the stream sequence up to which it has delivered.
        acknowledged: the stream sequence up to which everything is acknowledged: its ack floor.
        acknowledged_beyond: at most so many messages are acknowledged above the ack floor.
        unacknowledged: messages that are delivered and not yet acknowledged.
        pending: messages that are not yet delivered.
        is_bound: whether somebody listens to a push consumer's deliver_subject.
        redelivered: messages that were delivered more than once and are not acknowledged.
        waiting: requests of clients of a pull consumer that wait for messages.
        deliveries: how many there have been, second ones included.
    """

    stream: str
    config: ConsumerConfig
    created: str
    delivered: int = 0
    acknowledged: int = 0
    acknowledged_beyond: int = 0
    unacknowledged: int = 0
    pending: int = 0
    is_bound: bool = False
    redelivered: int = 0
    waiting: int = 0
    deliveries: int = 0

    @property
    def name(self) -> str:
        return self.config["durable_name"]

    @property
    def outstanding(self) -> int:
        """Messages that somebody has yet to acknowledge."""
        return self.unacknowledged + self.pending


# What the consumer is called that keeps a position while another takes its place; a pause until then waits for it.
KEEPER: Final = "_carry_"
UNPOSITIONED: Final = "2999-12-31T00:00:00Z"


def keeper_name(name: str) -> str:
    """The name of the consumer that keeps another's position."""
    return f"{KEEPER}{name}"


def subject_filters(config: ConsumerConfig) -> list[str]:
    """The subjects a consumer takes; none where it takes all."""
    one = [config["filter_subject"]] if config["filter_subject"] else []
    return [*one, *config["filter_subjects"]]
