"""A consumer's configuration as the server will hold it: its defaults and its silent rewrites.

Both sides of every comparison go through here, so that a rewrite is never drift. Source:
nats-server's setConsumerConfigDefaults (server/consumer.go).
"""

from __future__ import annotations

from time import time_ns
from typing import Final

from provisioner.schema.consumer_model import ConsumerConfig, subject_filters
from provisioner.schema.model import SERVER_METADATA, StreamConfig
from provisioner.units import parse_duration, parse_time

_ACK_WAIT: Final = parse_duration("30s")
_PRIORITY_TIMEOUT: Final = parse_duration("2m")
_HEARTBEAT: Final = parse_duration("1s")  # of flow control as a policy of acknowledging
_MAX_WAITING: Final = 512
_MAX_ACK_PENDING: Final = 1000


def normalise_consumer(config: ConsumerConfig, stream: StreamConfig) -> ConsumerConfig:
    """What INFO would answer after this configuration was sent; one filter is a list of one."""
    return _own_metadata(_listed_filters(_limits(_acknowledging(_delivering(_running(config))), stream)))


def _running(config: ConsumerConfig) -> ConsumerConfig:
    """A pause that is over is none; the server drops it at the next change."""
    until = config["pause_until"]
    return {**config, "pause_until": None} if until and parse_time(until) <= time_ns() else config


def _delivering(config: ConsumerConfig) -> ConsumerConfig:
    pull = not config["deliver_subject"]
    pinned = config["priority_policy"] == "pinned_client"
    return {
        **config,
        "max_waiting": config["max_waiting"] or (_MAX_WAITING if pull else 0),
        "priority_timeout": config["priority_timeout"] or (_PRIORITY_TIMEOUT if pinned else 0),
    }


def _acknowledging(config: ConsumerConfig) -> ConsumerConfig:
    waits = config["ack_policy"] in ("explicit", "all")
    ack_wait = config["backoff"][0] if config["backoff"] else config["ack_wait"] or (_ACK_WAIT if waits else 0)
    filled: ConsumerConfig = {**config, "ack_wait": ack_wait, "max_deliver": config["max_deliver"] or -1}
    if config["ack_policy"] == "flow_control":
        return {**filled, "flow_control": True, "idle_heartbeat": _HEARTBEAT}
    return filled


def _limits(config: ConsumerConfig, stream: StreamConfig) -> ConsumerConfig:
    """A stream's consumer_limits are its consumers' defaults."""
    limits = stream["consumer_limits"] or {"inactive_threshold": 0, "max_ack_pending": 0}
    default = 0 if config["ack_policy"] == "none" else _MAX_ACK_PENDING
    return {
        **config,
        "max_ack_pending": config["max_ack_pending"] or limits["max_ack_pending"] or default,
        "inactive_threshold": config["inactive_threshold"] or limits["inactive_threshold"],
    }


def _listed_filters(config: ConsumerConfig) -> ConsumerConfig:
    return {**config, "filter_subject": "", "filter_subjects": subject_filters(config)}


def _own_metadata(config: ConsumerConfig) -> ConsumerConfig:
    own = {key: text for key, text in config["metadata"].items() if not key.startswith(SERVER_METADATA)}
    return {**config, "metadata": own}
