"""A configuration as the server will hold it: its defaults and its silent rewrites.

Both sides of every comparison go through here, so that a rewrite is never drift. Source:
nats-server's checkStreamCfg and configUpdateCheck (server/stream.go).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from provisioner.schema.model import OWNER, SERVER_METADATA, StreamConfig
from provisioner.units import parse_duration

_DUPLICATE_WINDOW: Final = parse_duration("2m")


def normalise(config: StreamConfig) -> StreamConfig:
    """What INFO would answer after this configuration was sent."""
    return _sealed(checked(config))


def checked(config: StreamConfig) -> StreamConfig:
    """The configuration as checkStreamCfg leaves it: the server checks that of an UPDATE a second time."""
    for rewrite in _REWRITES:
        config = rewrite(config)
    return config


def update_request(config: StreamConfig) -> StreamConfig:
    """What an UPDATE carries: the configuration as it is written, the server rewrites it by itself.

    Sealing turns deny_delete and deny_purge on only after the server has seen that a request does
    not turn them off, and turns discard to new only after it has refused that of counters and schedules.
    """
    if not config["sealed"]:
        return config
    return {**config, "deny_delete": True, "deny_purge": True, "allow_rollup_hdrs": False}


def captured(config: StreamConfig) -> list[str]:
    """The subjects a stream captures: its own name where nothing else is said."""
    default = [] if config["mirror"] or config["sources"] else [config["name"]]
    return list(config["subjects"] or default)


def _subjects(config: StreamConfig) -> StreamConfig:
    return {**config, "subjects": captured(config)}


def _duplicate_window(config: StreamConfig) -> StreamConfig:
    if config["duplicate_window"] or config["mirror"] or config["sources"]:
        return config
    return {**config, "duplicate_window": min(config["max_age"] or _DUPLICATE_WINDOW, _DUPLICATE_WINDOW)}


def _delete_markers(config: StreamConfig) -> StreamConfig:
    return _rollup({**config, "allow_msg_ttl": True}) if config["subject_delete_marker_ttl"] else config


def _schedules(config: StreamConfig) -> StreamConfig:
    return _rollup(config) if config["allow_msg_schedules"] else config


def _rollup(config: StreamConfig) -> StreamConfig:
    return config if config["allow_rollup_hdrs"] else {**config, "allow_rollup_hdrs": True, "deny_purge": False}


def _republish(config: StreamConfig) -> StreamConfig:
    block, transform = config["republish"], config["subject_transform"]
    if not block:
        return config
    source = block["src"] or ">"
    if transform and source == block["dest"] == ">" and config["subjects"] == [transform["src"]]:
        return {**config, "republish": {**block, "src": transform["dest"], "dest": transform["dest"]}}
    return {**config, "republish": {**block, "src": source}}


def _sealed(config: StreamConfig) -> StreamConfig:
    if not config["sealed"]:
        return config
    closed: StreamConfig = {**config, "max_age": 0, "discard": "new", "deny_delete": True, "deny_purge": True}
    return {**closed, "allow_rollup_hdrs": False}


def _replicas(config: StreamConfig) -> StreamConfig:
    return {**config, "num_replicas": config["num_replicas"] or 1}


def _empty_blocks(config: StreamConfig) -> StreamConfig:
    placement, limits = config["placement"], config["consumer_limits"]
    return {
        **config,
        "placement": placement if placement and any(placement.values()) else None,
        "consumer_limits": limits if limits and any(limits.values()) else None,
    }


def _metadata(config: StreamConfig) -> StreamConfig:
    """Without the server's own entries and the owner's mark, which are nobody's drift."""
    own = {k: v for k, v in config["metadata"].items() if k != OWNER and not k.startswith(SERVER_METADATA)}
    return {**config, "metadata": own}


_REWRITES: Final[tuple[Callable[[StreamConfig], StreamConfig], ...]] = (
    _replicas,
    _empty_blocks,
    _metadata,
    _duplicate_window,
    _delete_markers,
    _schedules,
    _subjects,
    _republish,
)
