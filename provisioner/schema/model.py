"""The values everything else speaks in: configurations and what a server holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Literal, TypedDict

SERVER_METADATA: Final = "_nats."
# Metadata that names the stack a stream belongs to.
OWNER: Final = "pulumi.owner"


class SubjectTransform(TypedDict):
    """A mapping of subjects, of a stream or of one of its sources."""

    src: str
    dest: str


class ExternalStream(TypedDict):
    """Where a stream of another account or domain is."""

    api: str
    deliver: str


class SourceConsumer(TypedDict):
    """The consumer, made beforehand, that a source reads through."""

    name: str
    deliver_subject: str


class StreamSource(TypedDict):
    """The origin of a mirror, or one of several sources."""

    name: str
    opt_start_seq: int
    opt_start_time: str | None
    filter_subject: str
    subject_transforms: list[SubjectTransform]
    external: ExternalStream | None
    consumer: SourceConsumer | None


class Republish(TypedDict):
    """Where each stored message is published again."""

    src: str
    dest: str
    headers_only: bool


class Placement(TypedDict):
    """Which servers hold a stream."""

    cluster: str
    tags: list[str]
    preferred: str


class ConsumerLimits(TypedDict):
    """Limits and defaults for a stream's consumers."""

    inactive_threshold: int
    max_ack_pending: int


class StreamConfig(TypedDict):
    """A whole configuration under its wire names: durations in nanoseconds, sizes in bytes, every field present.

    The table in ``fields`` says the same at run time; a test holds the two together.
    """

    name: str
    description: str
    subjects: list[str]
    retention: Literal["limits", "interest", "workqueue"]
    storage: Literal["file", "memory"]
    max_age: int
    max_bytes: int
    max_msgs: int
    max_msgs_per_subject: int
    max_msg_size: int
    max_consumers: int
    discard: Literal["old", "new"]
    discard_new_per_subject: bool
    duplicate_window: int
    num_replicas: int
    placement: Placement | None
    mirror: StreamSource | None
    sources: list[StreamSource]
    republish: Republish | None
    subject_transform: SubjectTransform | None
    compression: Literal["none", "s2"]
    first_seq: int
    no_ack: bool
    allow_direct: bool
    mirror_direct: bool
    sealed: bool
    deny_delete: bool
    deny_purge: bool
    allow_rollup_hdrs: bool
    allow_msg_ttl: bool
    subject_delete_marker_ttl: int
    allow_msg_counter: bool
    allow_atomic: bool
    allow_msg_schedules: bool
    allow_batched: bool
    persist_mode: Literal["default", "async"]
    consumer_limits: ConsumerLimits | None
    metadata: dict[str, str]


class OnDelete(StrEnum):
    """What deleting a stream does to its messages."""

    GUARD = "guard"  # refuses while there are messages or consumers
    DELETE = "delete"
    RETAIN = "retain"  # leaves the stream on the server


class Adopt(StrEnum):
    """What to do with a stream that is there already."""

    EQUAL = "equal"  # take it over if its settings are equal
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True)
class Place:
    """Where something stands in a file."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class StreamSpec:
    """One stream of the catalogue.

    Attributes:
        watch: what is worth an alert, as ``schema.watch`` has it.
    """

    config: StreamConfig
    purpose: str = ""
    on_delete: OnDelete | None = None
    adopt: Adopt = Adopt.EQUAL
    mark_owner: bool = False
    renamed_from: str = ""
    owner: str = ""
    place: Place | None = None
    seed: Mapping[str, str] = field(default_factory=dict)
    watch: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        return self.config["name"]


@dataclass(frozen=True)
class StreamInfo:
    """A stream as the server holds it at one moment.

    Attributes:
        subjects: how many its messages have; of a bucket these are the keys.
        last_sequence: that of the last message there has been.
        objects: how many an object store has, deleted ones that it still tells of among them; None where nobody asked.
    """

    config: StreamConfig
    created: str
    messages: int = 0
    bytes: int = 0
    first_time: str = ""
    last_time: str = ""
    consumers: int = 0
    subjects: int = 0
    objects: int | None = None
    last_sequence: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether it holds nothing that could be lost."""
        return not self.messages and not self.consumers


@dataclass(frozen=True)
class AccountLimits:
    """What an account may have; None where there is no limit.

    Attributes:
        storage: bytes of file store that its streams may reserve, all copies counted.
        memory: the same for memory.
        streams: how many.
        consumers: the largest max_consumers of a stream.
        stream_storage: the largest max_bytes of a file stream.
        stream_memory: the same for memory.
    """

    storage: int | None = None
    memory: int | None = None
    streams: int | None = None
    consumers: int | None = None
    stream_storage: int | None = None
    stream_memory: int | None = None


@dataclass(frozen=True)
class ClusterNode:
    """A server of the cluster; None where it is known to be there and no more.

    Attributes:
        cluster: the name of its cluster.
        tags: its ``server_tags``, in lower case.
        free_storage: bytes of file store that nothing has reserved or filled.
        free_memory: the same for memory.
        leads: whether it leads the meta group, which judges every request.
        unique_tag: what the tags begin with of which no two replicas may have the same, as it is configured; or empty.
        free_assets: how many streams and consumers with replicas it may get, of the leading server's max_ha_assets.
        is_known: whether the server that leads has heard of it since it started; without, it places nothing there.
    """

    cluster: str | None = None
    tags: frozenset[str] | None = None
    free_storage: int | None = None
    free_memory: int | None = None
    leads: bool = False
    unique_tag: str = ""
    free_assets: int | None = None
    is_known: bool = True


@dataclass(frozen=True)
class ServerFacts:
    """What the rules need to know of a server.

    Attributes:
        version: (major, minor, patch); None where the server that has the streams does not tell.
        cluster: the name of the cluster that has the streams; empty for a single server, None where it may be either.
        nodes: every server that can hold streams; None where the server does not say.
        max_storage: bytes of file store that can be reserved on this server, None where it does not say.
        max_memory: the same for memory.
        reserved_storage: bytes that streams have reserved of it.
        reserved_memory: the same for memory.
        limits: the account's; by tier, as in ``R3``, or by the empty name if they are for all streams together.
        max_bytes_required: whether every stream must have max_bytes.
        syncs_always: whether each message is on the disk before it is acknowledged; None where the server does not say.
        max_ack_pending: the most that a consumer may have; None where there is no limit, or the server does not say.
        max_batch: the same of a consumer's max_batch.
        max_duplicate_window: the same of a stream's duplicate_window, in nanoseconds.
        others: the other streams of the account.
    """

    version: tuple[int, ...] | None = (2, 15, 0)
    cluster: str | None = ""
    nodes: tuple[ClusterNode, ...] | None = None
    max_storage: int | None = None
    max_memory: int | None = None
    reserved_storage: int = 0
    reserved_memory: int = 0
    limits: Mapping[str, AccountLimits] = field(default_factory=lambda: {"": AccountLimits()})
    max_bytes_required: bool = False
    syncs_always: bool | None = None
    max_ack_pending: int | None = None
    max_batch: int | None = None
    max_duplicate_window: int | None = None
    others: Mapping[str, StreamConfig] = field(default_factory=dict)
