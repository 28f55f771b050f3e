"""A configuration as the server will hold it: its defaults and its silent rewrites.

Both sides of every comparison go through here, so that a rewrite is never drift. Source:
nats-server's checkStreamCfg and configUpdateCheck (server/stream.go).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from provisioner.schema.model import OWNER, SERVER_METADATA, StreamConfig
from provisioner.schema.types import Wire
from provisioner.units import parse_duration

_DUPLICATE_WINDOW: Final = parse_duration("2m")


def normalise(config: StreamConfig) -> StreamConfig:
    """What INFO would answer after this configuration was sent."""
    for rewrite in _REWRITES:
        config = {**config, **rewrite(config)}
    return config


def captured(config: StreamConfig) -> list[str]:
    """The subjects a stream captures: its own name where nothing else is said."""
    default = [] if config["mirror"] or config["sources"] else [config["name"]]
    return list(config["subjects"] or default)


def _subjects(config: StreamConfig) -> dict[str, Wire]:
    return {"subjects": captured(config)}


def _duplicate_window(config: StreamConfig) -> dict[str, Wire]:
    if config["duplicate_window"] or config["mirror"] or config["sources"]:
        return {}
    return {"duplicate_window": min(config["max_age"] or _DUPLICATE_WINDOW, _DUPLICATE_WINDOW)}


def _delete_markers(config: StreamConfig) -> dict[str, Wire]:
    if not config["subject_delete_marker_ttl"]:
        return {}
    return {"allow_msg_ttl": True, **_rollup(config)}


def _schedules(config: StreamConfig) -> dict[str, Wire]:
    return _rollup(config) if config["allow_msg_schedules"] else {}


def _rollup(config: StreamConfig) -> dict[str, Wire]:
    return {} if config["allow_rollup_hdrs"] else {"allow_rollup_hdrs": True, "deny_purge": False}


def _republish(config: StreamConfig) -> dict[str, Wire]:
    block, transform = config["republish"], config["subject_transform"]
    if not block:
        return {}
    source = block["src"] or ">"
    implicit = source == block["dest"] == ">" and transform and config["subjects"] == [transform["src"]]
    ends = {"src": transform["dest"], "dest": transform["dest"]} if implicit else {"src": source}
    return {"republish": {**block, **ends}}


def _sealed(config: StreamConfig) -> dict[str, Wire]:
    if not config["sealed"]:
        return {}
    return {"max_age": 0, "discard": "new", "deny_delete": True, "deny_purge": True, "allow_rollup_hdrs": False}


def _replicas(config: StreamConfig) -> dict[str, Wire]:
    return {"num_replicas": config["num_replicas"] or 1}


def _empty_blocks(config: StreamConfig) -> dict[str, Wire]:
    return {name: None for name in ("placement", "consumer_limits") if not any((config[name] or {}).values())}


def _metadata(config: StreamConfig) -> dict[str, Wire]:
    """Without the server's own entries and the owner's mark, which are nobody's drift."""
    own = {k: v for k, v in config["metadata"].items() if k != OWNER and not k.startswith(SERVER_METADATA)}
    return {"metadata": own}


_REWRITES: Final[tuple[Callable[[StreamConfig], dict[str, Wire]], ...]] = (
    _replicas,
    _empty_blocks,
    _metadata,
    _duplicate_window,
    _delete_markers,
    _schedules,
    _subjects,
    _republish,
    _sealed,
)
