"""The stack's settings, read from its configuration and checked all at once.

This is the only place that reads ``pulumi.Config``. Credentials are checked here but never
kept: the provider reads them for itself, so that they reach no resource and no state.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pulumi

from provisioner.errors import ProvisionerError
from provisioner.jetstream.target import server_urls
from provisioner.schema.model import OnDelete
from provisioner.text import did_you_mean
from provisioner.units import parse_size

Parser = Callable[[str], object]

DOCKER: Final = "docker"
PROCESS: Final = "process"
EXTERNAL: Final = "external"
SERVERS: Final = (DOCKER, PROCESS, EXTERNAL)
MAX_PORT: Final = 65_535


class SettingsError(ProvisionerError):
    """The stack's settings have mistakes; the text has one line for each."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a stack is told; see ``TABLE`` for each setting. Paths are as written or absolute."""

    server: str
    catalogue: Path
    image: str
    client_port: int
    monitor_port: int
    bind_address: str
    max_file_store: int | None
    store_dir: Path
    url: str | None
    on_delete: OnDelete
    backup_to: str | None
    stack: str


@dataclass(frozen=True)
class Setting:
    """One setting: its key, how its text is read, its default and the servers it applies to."""

    key: str
    parse: Parser
    default: str | None
    servers: tuple[str, ...]
    doc: str


def choice(*values: str) -> Parser:
    """One of ``values``, letter for letter."""

    def parse(text: str) -> str:
        if text not in values:
            raise ValueError(f"{text!r} is none of {', '.join(values)}{did_you_mean(text, values)}")
        return text

    return parse


def port(text: str) -> int:
    """A TCP port a client can be told: 1 to 65535."""
    if not (text.isdecimal() and 1 <= int(text) <= MAX_PORT):
        raise ValueError(f"{text!r} is not a port; write a number from 1 to 65535")
    return int(text)


def address(text: str) -> str:
    """An IP address of this machine; Docker publishes no ports on names."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError(f"{text!r} is not an IP address; write one like 127.0.0.1") from None


def size(text: str) -> int:
    """A size above zero, in bytes."""
    if (parsed := parse_size(text)) == 0:
        raise ValueError("0 leaves no room for any stream; write a size like 24GiB")
    return parsed


def server_url(text: str) -> str:
    """One or more servers of a cluster, with commas between; credentials have settings of their own."""
    return server_urls(text, "the settings user and password, or token")


def text(value: str) -> str:
    """Any text but an empty one."""
    if not value.strip():
        raise ValueError("is empty; give it a value or remove it")
    return value


_ON_MACHINE: Final = (DOCKER, PROCESS)

TABLE: Final = (
    Setting("server", choice(*SERVERS), None, SERVERS, "Where the server comes from."),
    Setting("catalogue", text, "infra/streams.yaml", SERVERS, "The streams, from the project's root."),
    Setting(
        "onDelete",
        choice(*(policy.value for policy in OnDelete)),
        OnDelete.GUARD.value,
        SERVERS,
        "What destroy does to messages.",
    ),
    Setting("backupTo", text, None, SERVERS, "Folder that a stream is written to before it loses messages."),
    # Pinned by its full version: the alpine flavour has the shell and wget the health check needs.
    Setting("image", text, "nats:2.15.1-alpine", (DOCKER,), "The server's image."),
    Setting("clientPort", port, "4222", _ON_MACHINE, "Port of the clients, on this machine."),
    Setting("monitorPort", port, "8222", _ON_MACHINE, "Port of the HTTP monitoring, on this machine."),
    Setting("bindAddress", address, "127.0.0.1", _ON_MACHINE, "Address both ports listen on."),
    Setting("maxFileStore", size, None, _ON_MACHINE, "Room for file streams; default: all, the largest twice."),
    Setting("storeDir", text, None, (PROCESS,), "Folder of data, log and pid; default: .nats/<stack>."),
    Setting("url", server_url, None, (EXTERNAL,), "The server's URL."),
    Setting("credentials", text, None, (EXTERNAL,), "A .creds file: the user's JWT and seed."),
    Setting("user", text, None, (EXTERNAL,), "User name, with password."),
    Setting("password", text, None, (EXTERNAL,), "Password, with user."),
    Setting("token", text, None, (EXTERNAL,), "Token."),
)
_BY_KEY: Final = {setting.key: setting for setting in TABLE}


def load() -> Settings:
    """Read the settings of the stack that is running.

    Raises:
        SettingsError: every mistake, one line each.
    """
    namespace = f"{pulumi.get_project()}:"
    # Config has no way to list its keys; these two are where it looks.
    known = {**pulumi.runtime.config.get_config_env(), **pulumi.runtime.config.CONFIG.get()}
    raw = {key.removeprefix(namespace): str(value) for key, value in known.items() if key.startswith(namespace)}
    return parse(raw, pulumi.get_stack())


def parse(raw: Mapping[str, str], stack: str) -> Settings:
    """Turn a stack's configuration, without its namespace, into settings.

    Raises:
        SettingsError: every mistake, one line each.
    """
    problems = [*_unknown(raw)]
    values = dict(_values(raw, problems))
    problems += _misplaced(raw, values["server"])
    problems += _contradictions(raw, values)
    if problems:
        raise SettingsError("\n".join(f"settings of stack {stack}: {problem}" for problem in problems))
    return _settings(values, stack)


def _unknown(raw: Mapping[str, str]) -> Iterator[str]:
    for key in raw:
        if key not in _BY_KEY:
            yield f"{key}: unknown setting{did_you_mean(key, _BY_KEY)}"


def _values(raw: Mapping[str, str], problems: list[str]) -> Iterator[tuple[str, Any]]:
    """Every setting's value; one that is missing or cannot be read is ``None``."""
    for setting in TABLE:
        given = raw.get(setting.key, setting.default)
        try:
            yield setting.key, None if given is None else setting.parse(given)
        except ValueError as error:
            problems.append(f"{setting.key}: {error}")
            yield setting.key, None


def _misplaced(raw: Mapping[str, str], server: str | None) -> Iterator[str]:
    if server is None:
        return
    for setting in TABLE:
        if setting.key in raw and server not in setting.servers:
            others = " and ".join(setting.servers)
            yield f"{setting.key}: does not apply to server: {server}, only to {others}; remove it"


def _contradictions(raw: Mapping[str, str], values: Mapping[str, Any]) -> Iterator[str]:
    ways = [" and ".join(way) for way in (("credentials",), ("user", "password"), ("token",)) if raw.keys() & set(way)]
    rules = (
        ("server" not in raw, f"server: missing; say one of {', '.join(SERVERS)}"),
        (values["server"] == EXTERNAL and "url" not in raw, "url: missing; an external server needs one"),
        (
            values["server"] != EXTERNAL
            and values["clientPort"] is not None
            and values["clientPort"] == values["monitorPort"],
            f"monitorPort: {values['monitorPort']} is clientPort as well; the two need a port each",
        ),
        (("user" in raw) != ("password" in raw), "user and password: one without the other; give both"),
        (len(ways) > 1, f"{', '.join(ways)}: more than one way to log in; keep one"),
    )
    return (problem for broken, problem in rules if broken)


def _settings(values: Mapping[str, Any], stack: str) -> Settings:
    return Settings(
        server=values["server"],
        catalogue=Path(values["catalogue"]),
        image=values["image"],
        client_port=values["clientPort"],
        monitor_port=values["monitorPort"],
        bind_address=values["bindAddress"],
        max_file_store=values["maxFileStore"],
        store_dir=Path(values["storeDir"] or Path(".nats") / stack).expanduser().absolute(),
        url=values["url"],
        on_delete=OnDelete(values["onDelete"]),
        backup_to=values["backupTo"],
        stack=stack,
    )
