"""What the docker plugin decides without an engine: the defaults of Check and the verdict of Diff.

One row a resource type. The rows, and every rule below, are those the real plugin was recorded with
(recording.jsonl), which a test replays against `check` and `diff`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = Any
Props = Mapping[str, Json]
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # how Pulumi's protocol spells a value not known before `up`
NESTED_DEFAULTS: Mapping[str, Props] = {
    "healthcheck": {"startInterval": "0s"},
    "ports": {"protocol": "tcp"},
    "uploads": {"executable": False},
}
MAPS = frozenset({"driverOpts", "options", "logOpts", "sysctls", "tmpfs", "triggers"})


def words(text: str) -> tuple[str, ...]:
    """Split a list that would be a page long with a line an item."""
    return tuple(text.split())


@dataclass(frozen=True, kw_only=True)
class Schema:
    """How one resource type behaves.

    Attributes:
        defaults: what Check adds.
        replaces: properties whose change replaces the resource.
        computed: properties the engine fills in where the program says nothing: never a difference.
        delete_first: a name of its own keeps two generations from living side by side.
    """

    defaults: Props = field(default_factory=dict)
    replaces: tuple[str, ...]
    computed: frozenset[str] = frozenset()
    delete_first: bool = True


SCHEMAS: Mapping[str, Schema] = {
    "docker:index/network:Network": Schema(
        defaults={"ipamDriver": "default"},
        replaces=words(
            "attachable driver ingress internal ipamConfigs ipamDriver ipamOptions ipv6 labels name options"
        ),
        computed=frozenset({"driver", "id", "internal", "ipamConfigs", "ipamOptions", "options", "scope"}),
    ),
    "docker:index/volume:Volume": Schema(
        replaces=("driver", "driverOpts", "labels", "name"),
        computed=frozenset({"driver", "driverOpts", "id", "mountpoint"}),
    ),
    "docker:index/remoteImage:RemoteImage": Schema(
        defaults={"platform": ""},
        replaces=("name", "platform", "pullTriggers", "triggers"),
        computed=frozenset({"id", "imageId", "repoDigest"}),
        delete_first=False,
    ),
    "docker:index/container:Container": Schema(
        defaults={
            "attach": False,
            "containerReadRefreshTimeoutMilliseconds": 15000,
            "logs": False,
            "memoryReservation": 0,
            "mustRun": True,
            "networkMode": "bridge",
            "readOnly": False,
            "removeVolumes": True,
            "rm": False,
            "start": True,
            "stdinOpen": False,
            "tty": False,
            "wait": False,
            "waitTimeout": 60,
        },
        replaces=words("""
            capabilities cgroupParent cgroupnsMode command cpus deviceRequests devices dns dnsOpts
            dnsSearches domainname entrypoints envs gpus groupAdds hostname hosts image ipcMode labels
            logDriver logOpts mounts name networkMode networksAdvanced pidMode platform ports privileged
            publishAllPorts readOnly runtime securityOpts shmSize stdinOpen stopSignal stopTimeout
            storageOpts sysctls tty ulimits uploads user usernsMode volumes workingDir
        """),
        computed=frozenset(
            words("""
            bridge containerLogs command entrypoints envs exitCode healthcheck hostname id init ipcMode
            logDriver networkDatas platform runtime securityOpts shmSize stopSignal stopTimeout
            """)
        ),
    ),
}


def check(kind: str, news: Props) -> dict[str, Json]:
    """Return the inputs with the defaults of the resource type, and of its nested objects, filled in."""
    nested = {key: value if key in MAPS else _check_nested(key, value) for key, value in news.items()}
    return _with_defaults(nested, SCHEMAS[kind].defaults)


def _check_nested(key: str, value: Json) -> Json:
    if isinstance(value, list):
        return [_check_nested(key, item) for item in value]
    return _with_defaults(value, NESTED_DEFAULTS.get(key, {})) if isinstance(value, dict) else value


def _with_defaults(given: Props, defaults: Props) -> dict[str, Json]:
    added = {key: value for key, value in defaults.items() if given.get(key) is None}
    return {**given, **added, "__defaults": sorted(added)}


def diff(kind: str, olds: Props, news: Props) -> dict[str, Json]:
    """Compare what is (`olds`, outputs) with what is wanted (`news`, checked inputs).

    Returns:
        The answer in the fields of Pulumi's DiffResponse, as plain data.
    """
    schema = SCHEMAS[kind]
    keys = sorted((set(olds) | set(news)) - {key for key in schema.computed if news.get(key) is None})
    detailed: dict[str, str] = {}
    for key in keys:
        if not key.startswith("__"):
            suffix = "_REPLACE" if key in schema.replaces else ""
            detailed |= {path: verb + suffix for path, verb in _changes(key, olds.get(key), news.get(key))}
    diffs = sorted({path.split("[")[0].split(".")[0] for path in detailed})
    replaces = [key for key in diffs if key in schema.replaces]
    return {
        "changes": "DIFF_SOME" if diffs else "DIFF_NONE",
        "diffs": diffs,
        "replaces": replaces,
        "stables": [key for key in schema.replaces if key not in diffs],
        "deleteBeforeReplace": bool(replaces) and schema.delete_first and "name" not in replaces,
        "detailedDiff": detailed,
    }


def same(old: Json, new: Json) -> bool:
    """Tell whether two property values mean the same: unset is empty, and lists of objects have no order."""
    return bool(_plain(old) == _plain(new))


def _changes(path: str, old: Json, new: Json) -> Iterator[tuple[str, str]]:
    """Yield each path that differs, and whether it is an ADD, a DELETE or an UPDATE."""
    if same(old, new):
        return
    if _plain(old) is None or _plain(new) is None:
        yield path, "UPDATE" if isinstance(new, bool) else "ADD" if _plain(old) is None else "DELETE"
    elif isinstance(old, list) and isinstance(new, list):
        yield from _list_changes(path, old, new)
    elif isinstance(old, dict) and isinstance(new, dict):
        for key in sorted((set(old) | set(new)) - {"__defaults"}):
            yield from _changes(f"{path}.{key}", old.get(key), new.get(key))
    else:
        yield path, "UPDATE"


def _list_changes(path: str, old: list[Json], new: list[Json]) -> Iterator[tuple[str, str]]:
    """Pair the items that have no equal on the other side, each under its own index."""
    gone = [(i, item) for i, item in enumerate(old) if not any(same(item, other) for other in new)]
    come = [(i, item) for i, item in enumerate(new) if not any(same(item, other) for other in old)]
    if not gone and not come:
        yield path, "UPDATE"  # the same items in another order, where order counts
    for (_, before), (index, after) in zip(gone, come, strict=False):
        yield from _changes(f"{path}[{index}]", before, after)
    yield from ((f"{path}[{index}]", "DELETE") for index, _ in gone[len(come) :])
    yield from ((f"{path}[{index}]", "ADD") for index, _ in come[len(gone) :])


def _plain(value: Json) -> Json:
    """Drop what is empty, and sort what is a set, so that plain equality decides."""
    if isinstance(value, dict):
        plain = {key: _plain(item) for key, item in value.items() if key != "__defaults"}
        return {key: item for key, item in plain.items() if item is not None} or None
    if isinstance(value, list):
        items = [_plain(item) for item in value]
        return (sorted(items, key=_order) if any(isinstance(item, dict) for item in items) else items) or None
    return value or None


def _order(item: Json) -> str:
    return json.dumps(item, sort_keys=True)  # messages come with their keys in any order
