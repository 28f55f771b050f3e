"""``Consumer``. Written by ``make docs`` from the tables in ``provisioner/schema``: edit those."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
from pulumi import Input

from provisioner.providers.consumer import ConsumerProvider
from provisioner.resources.blocks import AckPolicy, Adopt, DeliverPolicy, Limit, OnDelete, PriorityPolicy, ReplayPolicy
from provisioner.resources.errors import named
from provisioner.resources.managed import OnStream
from provisioner.resources.server import Server
from provisioner.resources.stream import Stream
from provisioner.resources.wording import CONSUMER


class Consumer(OnStream, module="jetstream", name="Consumer"):
    """A durable consumer of a stream; it is deleted with it.

    Args:
        resource_name: its name in Pulumi's state.
        stream: Its stream, or the name of one that is not the program's.
        server: The server of that one; else its stream's.
        durable_name: Name of the consumer; that of the resource.
        purpose: What the consumer is for; shown, never sent.
        on_delete: What deleting the consumer does; instead of the server's on_delete.
        adopt: What to do with a consumer that is there already.
        description: Text on the server; a service that creates the consumer must send it too.
        deliver_policy: Where in the stream a new consumer begins.
        opt_start_seq: With by_start_sequence: the first sequence.
        opt_start_time: With by_start_time: the first time.
        ack_policy: What a client acknowledges.
        ack_wait: How long until an unacknowledged message is delivered again; 30s.
        max_deliver: Most deliveries of one message.
        backoff: Waits between deliveries instead of ack_wait, the last one for ever.
        filter_subject: Take only messages on this subject.
        filter_subjects: Take only messages on these subjects.
        replay_policy: At once, or as they arrived.
        rate_limit_bps: Of a push consumer: most bits per second.
        sample_freq: Share of acknowledgements that are reported, such as 100%.
        max_waiting: Of a pull consumer: most requests that wait; 512.
        max_ack_pending: Most unacknowledged messages; 1000.
        flow_control: Of a push consumer: slow down for a slow client.
        headers_only: Deliver headers without the payload.
        max_batch: Of a pull consumer: most messages of one request.
        max_expires: Of a pull consumer: longest wait of one request.
        max_bytes: Of a pull consumer: most bytes of one request.
        deliver_subject: Push to this subject; a pull consumer has none.
        deliver_group: Of a push consumer: queue group of its clients.
        idle_heartbeat: Of a push consumer: sign of life while there is nothing.
        inactive_threshold: Delete it once nobody has used it for so long.
        num_replicas: Copies in a cluster; those of the stream.
        mem_storage: Keep its state in memory.
        pause_until: Deliver nothing until then. Since nats-server 2.11.
        priority_groups: Groups of clients with a priority. Since nats-server 2.11.
        priority_policy: Who of a group gets the messages. Since nats-server 2.11.
        priority_timeout: How long a silent client stays pinned; 2m. Since nats-server 2.11.
        metadata: Text of your own; keys that begin with _nats. are the server's.
        opts: Pulumi's options.

    Attributes:
        stream: Its stream's name.
        durable_name: Its name.
        url: Where the server is.

    Raises:
        ArgumentError: an argument is wrong: one line for each.
    """

    wording = CONSUMER
    provider = ConsumerProvider
    stream: pulumi.Output[str]
    durable_name: pulumi.Output[str]
    url: pulumi.Output[str]

    @named
    def __init__(  # noqa: PLR0913 - one for each field
        self,
        resource_name: str,
        *,
        stream: Stream | Input[str],
        server: Server | None = None,
        durable_name: Input[str] | None = None,
        purpose: Input[str] | None = None,
        on_delete: Input[OnDelete] | None = None,
        adopt: Input[Adopt] | None = None,
        description: Input[str] | None = None,
        deliver_policy: Input[DeliverPolicy] | None = None,
        opt_start_seq: Input[int] | None = None,
        opt_start_time: Input[str] | None = None,
        ack_policy: Input[AckPolicy] | None = None,
        ack_wait: Input[str] | None = None,
        max_deliver: Input[Limit] | None = None,
        backoff: Input[Sequence[Input[str]]] | None = None,
        filter_subject: Input[str] | None = None,
        filter_subjects: Input[Sequence[Input[str]]] | None = None,
        replay_policy: Input[ReplayPolicy] | None = None,
        rate_limit_bps: Input[int] | None = None,
        sample_freq: Input[str] | None = None,
        max_waiting: Input[int] | None = None,
        max_ack_pending: Input[Limit] | None = None,
        flow_control: Input[bool] | None = None,
        headers_only: Input[bool] | None = None,
        max_batch: Input[int] | None = None,
        max_expires: Input[str] | None = None,
        max_bytes: Input[int] | None = None,
        deliver_subject: Input[str] | None = None,
        deliver_group: Input[str] | None = None,
        idle_heartbeat: Input[str] | None = None,
        inactive_threshold: Input[str] | None = None,
        num_replicas: Input[int] | None = None,
        mem_storage: Input[bool] | None = None,
        pause_until: Input[str] | None = None,
        priority_groups: Input[Sequence[Input[str]]] | None = None,
        priority_policy: Input[PriorityPolicy] | None = None,
        priority_timeout: Input[str] | None = None,
        metadata: Input[Mapping[str, Input[str]]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        given = {
            "stream": stream,
            "durable_name": resource_name if durable_name is None else durable_name,
            "purpose": purpose,
            "on_delete": on_delete,
            "adopt": adopt,
            "description": description,
            "deliver_policy": deliver_policy,
            "opt_start_seq": opt_start_seq,
            "opt_start_time": opt_start_time,
            "ack_policy": ack_policy,
            "ack_wait": ack_wait,
            "max_deliver": max_deliver,
            "backoff": backoff,
            "filter_subject": filter_subject,
            "filter_subjects": filter_subjects,
            "replay_policy": replay_policy,
            "rate_limit_bps": rate_limit_bps,
            "sample_freq": sample_freq,
            "max_waiting": max_waiting,
            "max_ack_pending": max_ack_pending,
            "flow_control": flow_control,
            "headers_only": headers_only,
            "max_batch": max_batch,
            "max_expires": max_expires,
            "max_bytes": max_bytes,
            "deliver_subject": deliver_subject,
            "deliver_group": deliver_group,
            "idle_heartbeat": idle_heartbeat,
            "inactive_threshold": inactive_threshold,
            "num_replicas": num_replicas,
            "mem_storage": mem_storage,
            "pause_until": pause_until,
            "priority_groups": priority_groups,
            "priority_policy": priority_policy,
            "priority_timeout": priority_timeout,
            "metadata": metadata,
        }
        super().__init__(resource_name, given, server, opts, ("stream", "durable_name"))
