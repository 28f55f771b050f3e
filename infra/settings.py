"""The stack's settings, each a row, read from its configuration and checked all at once.

Credentials are checked here but never kept: the provider reads them for itself, so that they are in no resource's
properties.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from infra.monitoring_settings import MONITORING_TABLE, Monitoring, monitoring_ports, unused
from infra.node_ports import PORTS, port_problems, spread
from infra.setting_types import (
    DOCKER,
    EXTERNAL,
    PROCESS,
    SERVERS,
    Setting,
    address,
    choice,
    counting_number,
    cpus,
    encryption,
    encryption_key,
    inbox_prefix,
    memory,
    monitor_url,
    number,
    path,
    pids,
    ports,
    server_url,
    size,
    sync_interval,
    text,
)
from infra.tls_settings import AUTHORITY, FILES, file, tls_problems
from provisioner.errors import ProvisionerError
from provisioner.jetstream.address import api_prefix, domain_api
from provisioner.jetstream.login import way_problems
from provisioner.schema.model import OnDelete
from provisioner.text import did_you_mean

# An even number of nodes survives no more failures than one less.
NODES: Final = (1, 3, 5)
REPLICAS: Final = (1, 2, 3, 4, 5)


class SettingsError(ProvisionerError):
    """The stack's settings have problems; the text has one line for each."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A stack's settings; see ``TABLE`` for each. Paths are as written or absolute; there is a port for each node."""

    server: str
    catalogue: Path
    services: Path | None
    image: str
    memory: int | None
    cpus: str | None
    pids: int
    nodes: int
    replicas: int | None
    client_ports: tuple[int, ...]
    monitor_ports: tuple[int, ...]
    cluster_ports: tuple[int, ...]
    bind_address: str
    max_file_store: int | None
    sync_interval: str
    encryption: str | None
    encryption_key: str | None = field(repr=False)
    store_dir: Path
    url: str | None
    api: str | None
    monitor_url: str | None
    tls: str | None
    authority: int
    certificate: int
    ca: Path | None
    cert: Path | None
    key: Path | None
    on_delete: OnDelete
    backup_to: str | None
    monitoring: Monitoring | None
    stack: str

    @property
    def client_port(self) -> int:
        """The first node's port of the clients."""
        return self.client_ports[0]

    @property
    def monitor_port(self) -> int:
        """The first node's port of the HTTP monitoring."""
        return self.monitor_ports[0]


_ON_MACHINE: Final = (DOCKER, PROCESS)

TABLE: Final = (
    Setting("server", choice(*SERVERS), None, SERVERS, "Where the server comes from."),
    Setting("catalogue", text, "infra/streams.yaml", SERVERS, "The streams, from the project's root."),
    Setting("services", text, None, _ON_MACHINE, "Who may do what, from the project's root; default: everybody all."),
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
    Setting("memory", memory, None, (DOCKER,), "Memory of a container, half of it for streams; default: no limit."),
    Setting("cpus", cpus, None, (DOCKER,), "CPUs of a container, like 1.5; default: all."),
    Setting("pids", pids, "1024", (DOCKER,), "Processes and threads of a container."),
    Setting("nodes", number(*NODES), "1", _ON_MACHINE, "Servers: one, or a cluster of as many."),
    Setting("replicas", number(*REPLICAS), None, SERVERS, "Replicas of a stream whose num_replicas is not said."),
    Setting("clientPort", ports, "4222", _ON_MACHINE, "Port of the clients, on this machine."),
    Setting("monitorPort", ports, "8222", _ON_MACHINE, "Port of the HTTP monitoring, on this machine."),
    Setting("clusterPort", ports, "6222", (PROCESS,), "Port on which the nodes of a cluster find each other."),
    Setting("bindAddress", address, "127.0.0.1", _ON_MACHINE, "Address both ports listen on."),
    Setting("maxFileStore", size, None, _ON_MACHINE, "Room for file streams; default: all, the largest twice."),
    Setting(
        "syncInterval", sync_interval, "always", _ON_MACHINE, "When a message is on the disk: always, or 2m after."
    ),
    Setting("encryption", encryption, "none", _ON_MACHINE, "Cipher of the data on the disk: none, chachapoly or aes."),
    Setting("encryptionKey", encryption_key, None, _ON_MACHINE, "Its key; default: one that the stack makes."),
    Setting("storeDir", text, None, (PROCESS,), "Folder of data, log and pid; default: .nats/<stack>."),
    Setting("url", server_url, None, (EXTERNAL,), "The server's URL."),
    Setting("credentials", text, None, (EXTERNAL,), "A .creds file: the user's JWT and seed."),
    Setting("user", text, None, (EXTERNAL,), "User name, with password."),
    Setting("password", text, None, (EXTERNAL,), "Password, with user."),
    Setting("token", text, None, (EXTERNAL,), "Token."),
    Setting("nkey", text, None, (EXTERNAL,), "A user's seed, or the path of its file."),
    Setting("tls", choice(AUTHORITY, FILES), None, _ON_MACHINE, "TLS: with an authority of the stack's own, or files."),
    Setting("authority", counting_number, "1", _ON_MACHINE, "Which authority of its own; another number is a new one."),
    Setting("certificate", counting_number, "1", _ON_MACHINE, "Which certificate of it; another number is a new one."),
    Setting("ca", path, None, SERVERS, "File with the CA of the server's certificate."),
    Setting("cert", path, None, SERVERS, "File with the certificate of a server or client, with key."),
    Setting("key", path, None, SERVERS, "File with its private key, with cert."),
    Setting("inboxPrefix", inbox_prefix, None, (EXTERNAL,), "What the subjects of answers begin with."),
    Setting("domain", domain_api, None, (EXTERNAL,), "JetStream domain, behind a leaf node."),
    Setting("apiPrefix", api_prefix, None, (EXTERNAL,), "What the API's subjects begin with instead of $JS.API."),
    Setting("monitorUrl", monitor_url, None, (EXTERNAL,), "The server's HTTP monitoring."),
    *MONITORING_TABLE,
)
_BY_KEY: Final = {setting.key: setting for setting in TABLE}


def catalogue_path(raw: Mapping[str, str]) -> Path:
    """Where the catalogue is, however wrong the other settings are."""
    return Path(raw.get("catalogue", "").strip() or _BY_KEY["catalogue"].default or "")


def replicas(raw: Mapping[str, str]) -> int | None:
    """The replicas that a stream has by default, however wrong the other settings are."""
    stated = raw.get("replicas", "")
    return int(stated) if stated in map(str, REPLICAS) else None


def parse(raw: Mapping[str, str], stack: str) -> Settings:
    """Turn a stack's configuration, without its namespace, into settings.

    Raises:
        SettingsError: every problem, one line each.
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
        value = raw.get(setting.key, setting.default)
        try:
            yield setting.key, None if value is None else setting.parse(value)
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
    rules = (
        ("server" not in raw, f"server: missing; say one of {', '.join(SERVERS)}"),
        (values["server"] == EXTERNAL and "url" not in raw, "url: missing; an external server needs one"),
        ("domain" in raw and "apiPrefix" in raw, "domain and apiPrefix: both name the API; keep one"),
        (
            "encryptionKey" in raw and not values["encryption"],
            "encryptionKey: nothing is encrypted with it; set encryption: chachapoly, or remove it",
        ),
    )
    yield from (problem for broken, problem in rules if broken)
    yield from way_problems(raw)
    yield from unused(raw)
    if values["server"] in _ON_MACHINE:
        yield from tls_problems(raw)
    if values["nodes"]:
        own = (key for key in PORTS if values[key] and values["server"] in _BY_KEY[key].servers)
        yield from port_problems({key: values[key] for key in own}, values["nodes"], monitoring_ports(values))


def _settings(values: Mapping[str, Any], stack: str) -> Settings:
    return Settings(
        server=values["server"],
        catalogue=catalogue_path(values),
        services=Path(values["services"]) if values["services"] else None,
        image=values["image"],
        memory=values["memory"],
        cpus=values["cpus"],
        pids=values["pids"],
        nodes=values["nodes"],
        replicas=values["replicas"],
        client_ports=spread(values["clientPort"], values["nodes"]),
        monitor_ports=spread(values["monitorPort"], values["nodes"]),
        cluster_ports=spread(values["clusterPort"], values["nodes"]),
        bind_address=values["bindAddress"],
        max_file_store=values["maxFileStore"],
        sync_interval=values["syncInterval"],
        encryption=values["encryption"],
        encryption_key=values["encryptionKey"],
        store_dir=Path(values["storeDir"] or Path(".nats") / stack).expanduser().absolute(),
        url=values["url"],
        api=values["domain"] or values["apiPrefix"],
        monitor_url=values["monitorUrl"],
        tls=values["tls"],
        authority=values["authority"],
        certificate=values["certificate"],
        ca=file(values["ca"]),
        cert=file(values["cert"]),
        key=file(values["key"]),
        on_delete=OnDelete(values["onDelete"]),
        backup_to=values["backupTo"],
        monitoring=Monitoring.of(values),
        stack=stack,
    )
