"""The text of a nats-server configuration file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from provisioner.local_server.supervisor import KEY_VARIABLE

# A log that reaches the size is renamed, with the time; so many files are kept, the current one included.
LOG_MAX_SIZE: Final = "64MB"
LOG_MAX_FILES: Final = 2
_HANDSHAKE_TIMEOUT_S: Final = 5
# The nodes are on one machine, whatever address the clients use: nobody else is to join them.
ROUTES_ON: Final = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A node's place in its cluster.

    Attributes:
        name: the cluster's.
        listen: the address and port at which the other nodes find this one.
        routes: the same of every node.
        advertise: whether clients hear of the nodes' own addresses.
    """

    name: str
    listen: str
    routes: tuple[str, ...]
    advertise: bool = True


@dataclass(frozen=True, kw_only=True)
class Tls:
    """Where a server finds what it shows and, of the other nodes of its cluster, trusts.

    Attributes:
        ca: the file with the CA's certificates.
        cert: that with its own certificate.
        key: that with the private key, which may be the same.
    """

    ca: str
    cert: str
    key: str


def server_config(  # noqa: PLR0913 - one server is this many values
    *,
    name: str,
    host: str,
    client_port: int,
    monitor_port: int,
    store_dir: str,
    max_file_store: int | None,
    sync_interval: str,
    encryption: str | None = None,
    max_memory_store: int | None = None,
    log: Path | None = None,
    cluster: Cluster | None = None,
    tls: Tls | None = None,
) -> str:
    """Describe one server with JetStream and HTTP monitoring on.

    Args:
        name: The server's name.
        host: The address both ports listen on.
        client_port: The port clients connect to.
        monitor_port: The port of the HTTP monitoring; it has no authentication.
        store_dir: The folder JetStream keeps its data in.
        max_file_store: Bytes file streams may reserve; ``None`` for the server's own default, which
            depends on the free disk.
        max_memory_store: Bytes streams in memory may reserve; ``None`` for the server's own default: three quarters
            of the machine's.
        sync_interval: ``always`` writes a message to the disk before it is acknowledged; a duration such as
            ``2m0s`` at most so long after.
        encryption: The cipher of what JetStream keeps; its key is that of ``KEY_VARIABLE``.
        log: The log's file; without one it is written to standard error, for somebody else to limit.
        cluster: Its place in a cluster, if it is a node of one.
        tls: What it speaks TLS with, to clients, on its monitoring and to other nodes; None for no TLS.
    """
    monitoring = "https" if tls else "http"
    return "\n".join(
        (
            f"server_name: {_quoted(name)}",
            f"host: {_quoted(host)}",
            f"port: {client_port}",
            f"{monitoring}: {_quoted(listen(host, monitor_port))}",
            *((f"tls {_tls_block(tls)}",) if tls else ()),
            "jetstream {",
            f"  store_dir: {_quoted(store_dir)}",
            *([] if max_file_store is None else [f"  max_file_store: {max_file_store}"]),
            *([] if max_memory_store is None else [f"  max_memory_store: {max_memory_store}"]),
            f"  sync_interval: {_quoted(sync_interval)}",
            *([f"  cipher: {encryption}", f"  key: ${KEY_VARIABLE}"] if encryption else []),
            "}",
            *(_cluster_lines(cluster, tls) if cluster else ()),
            *(_log_lines(log) if log else ()),
            "",
        )
    )


def _cluster_lines(cluster: Cluster, tls: Tls | None) -> tuple[str, ...]:
    return (
        "cluster {",
        f"  name: {_quoted(cluster.name)}",
        f"  listen: {_quoted(cluster.listen)}",
        f"  routes: [{', '.join(_quoted(f'nats://{route}') for route in cluster.routes)}]",
        # provisioner.local_server.routes knows the place of these two lines.
        *((f"  tls {_tls_block(tls, 'verify: true, ')}",) if tls else ()),
        *(() if cluster.advertise else ("  no_advertise: true",)),
        "}",
    )


def _tls_block(tls: Tls, more: str = "") -> str:
    """On one line. A busy machine needs more than the 2 s that a handshake has by default."""
    files = f"cert_file: {_quoted(tls.cert)}, key_file: {_quoted(tls.key)}, ca_file: {_quoted(tls.ca)}"
    return f"{{ {files}, {more}timeout: {_HANDSHAKE_TIMEOUT_S} }}"


def _log_lines(log: Path) -> tuple[str, ...]:
    return (
        f"log_file: {_quoted(str(log))}",
        f"logfile_size_limit: {LOG_MAX_SIZE}",
        f"logfile_max_num: {LOG_MAX_FILES}",
    )


def listen(host: str, port: int) -> str:
    """An address and a port as nats-server reads them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _quoted(text: str) -> str:
    # nats-server reads the escapes of JSON, but not \uXXXX.
    return json.dumps(text, ensure_ascii=False)
