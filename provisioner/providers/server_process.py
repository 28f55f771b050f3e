"""A nats-server on this machine as a Pulumi resource: ``dynamic/jetstream:ServerProcess``.

Thin on purpose: Pulumi's state keeps a reference to the classes here for as long as a stack
lives, so their names stay; what they do is in `provisioner.local_server`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    UpdateResult,
)
from pulumi.output import Unknown

from provisioner.local_server import server_dir, supervisor
from provisioner.local_server.problems import problems
from provisioner.local_server.processes import Process
from provisioner.local_server.server_dir import Peer, Server, ServerDir, ServerSpec
from provisioner.local_server.supervisor import Ready
from provisioner.providers.errors import one_line
from provisioner.providers.provider import Provider
from provisioner.reconcile.notices import notice_once

Properties = dict[str, Any]

RUNNING: Final = "running"
STOPPED: Final = "stopped"
HANGING: Final = "does not answer"
_NODES_BELOW: Final = 2  # storeDir/cluster/node-1
INPUTS: Final = (
    "folder",
    "owner",
    "config",
    "host",
    "client_port",
    "monitor_port",
    "cluster_port",
    "peers",
    "ca",
    "certificate",
    "tls_files",
    "on_delete",
    "encryption_key",
    "status",
)
# What of a server may be unknown in a preview; none of it can keep the server from running.
_MADE_IN_THE_RUN: Final = {"config", "certificate", "tls_files"}


class ServerProcessProvider(Provider):
    """A server that died, lost its files or has another configuration is changed, never replaced.

    So Pulumi knows it until it is destroyed, and what it left on the disk is cleared then.
    """

    @one_line
    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Find in the preview of a first `up` what would stop it."""
        new = not _olds and _is_known(news)
        return CheckResult(news, [CheckFailure("", problem) for problem in problems(_spec(news))] if new else [])

    @one_line
    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Compare what the program can say; the rest follows from it.

        Raises:
            ServerError: every problem that would prevent the change.
        """
        changes = any(_olds.get(key) != _news.get(key) for key in INPUTS)
        if changes and _is_known(_news):
            supervisor.require_runnable(_spec(_news), _previous(_olds))
        return DiffResult(changes=changes)

    @one_line
    def create(self, props: Properties) -> CreateResult:
        """Start the server, or take over the one that runs in this folder for this owner."""
        if running := supervisor.find(_directory(props)):
            notice_once(f"{running.directory.path}: a server of this stack already runs here; it is taken over")
        ready = supervisor.ensure(_spec(props))
        return CreateResult(props["owner"], _outputs(props, ready))

    @one_line
    def read(self, id_: str, props: Properties) -> ReadResult:
        """Tell whether the server runs, and with which configuration and files."""
        directory = _directory(props)
        files = {"tls_files": server_dir.read_tls(directory)} if props.get("tls_files") else {}
        current = {**props, **files, "status": _status(props), "config": server_dir.read_config(directory)}
        return ReadResult(id_, current, _inputs(current))

    @one_line
    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Make it run as the program says: reload, restart or start it."""
        moves = _olds["folder"] != _news["folder"]
        if moves:
            notice_once(f"{_news['folder']}: the server now lives here; its old data stays in {_olds['folder']}")
        ready = supervisor.ensure(_spec(_news), _previous(_olds))
        if moves:
            server_dir.remove_tls(_directory(_olds))
        return UpdateResult(_outputs(_news, ready))

    @one_line
    def delete(self, _id: str, _props: Properties) -> None:
        """Stop the server; its data goes too when ``on_delete`` is ``delete``."""
        directory = _directory(_props)
        supervisor.stop(directory, _previous(_props))
        server_dir.remove_tls(directory)
        if _props["on_delete"] == "delete":
            server_dir.remove(directory)
            if _props.get("peers"):
                server_dir.remove_empty(*directory.path.parents[:_NODES_BELOW])


@dataclass(frozen=True)
class Tls:
    """What a server shows to its clients.

    Attributes:
        certificate: The SHA-256 of its certificate; another one is another certificate, under the same path even.
        files: The files that the stack makes, by name, as a secret; None where they are somebody else's.
    """

    certificate: pulumi.Input[str]
    files: pulumi.Output[Mapping[str, str]] | None = None


class ServerProcess(Resource, module="jetstream", name="ServerProcess"):
    """A nats-server that runs on this machine until the stack is destroyed.

    Attributes:
        pid: Its process.
        data_made: When its data was made; another time is other data.
        version: The server's version.
    """

    pid: pulumi.Output[int]
    data_made: pulumi.Output[str]
    version: pulumi.Output[str]

    def __init__(  # noqa: PLR0913 - each is a part of the resource
        self,
        name: str,
        spec: ServerSpec,
        *,
        users: pulumi.Output[str] | None = None,
        tls: Tls | None = None,
        encryption_key: pulumi.Output[str] | None = None,
        on_delete: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare it.

        Args:
            name: Pulumi's name of the resource.
            spec: The server.
            users: Who may log in, as more of its configuration; None for everybody.
            tls: What it shows to clients; None without TLS.
            encryption_key: What the data is encrypted with, where it is.
            on_delete: ``delete`` removes the data with the server, anything else keeps it.
            opts: Pulumi's options.
        """
        unknown = dict.fromkeys(("pid", "started", "data_made", "version"))
        config = users.apply(spec.config.__add__) if users else spec.config
        shown = {"certificate": tls.certificate, "tls_files": tls.files} if tls else {}
        key = {"encryption_key": encryption_key} if encryption_key else {}
        props = {**_properties(spec), **shown, "config": config, "on_delete": on_delete, **key, **unknown}
        secret = pulumi.ResourceOptions(additional_secret_outputs=[*key])
        super().__init__(ServerProcessProvider(), name, props, pulumi.ResourceOptions.merge(opts, secret))


def _is_known(props: Mapping[str, Any]) -> bool:
    return not any(isinstance(value, Unknown) for key, value in props.items() if key not in _MADE_IN_THE_RUN)


def _status(props: Mapping[str, Any]) -> str:
    """Whether it runs, and says so to whoever connects."""
    if not supervisor.find(_directory(props), _previous(props)):
        return STOPPED
    return RUNNING if supervisor.greets(_spec(props)) else HANGING


def _directory(props: Mapping[str, Any]) -> ServerDir:
    return ServerDir(Path(props["folder"]))


def _properties(spec: ServerSpec) -> Properties:
    return {
        "folder": str(spec.directory.path),
        "owner": spec.owner,
        "config": spec.config,
        "host": spec.host,
        "client_port": spec.client_port,
        "monitor_port": spec.monitor_port,
        **({"cluster_port": spec.cluster_port, "peers": [_peer(peer) for peer in spec.peers]} if spec.peers else {}),
        **({"ca": spec.ca} if spec.ca else {}),
        "status": RUNNING,
    }


def _peer(peer: Peer) -> Properties:
    return {
        "folder": str(peer.directory.path),
        "client_port": peer.client_port,
        "monitor_port": peer.monitor_port,
    }


def _spec(props: Mapping[str, Any]) -> ServerSpec:
    return ServerSpec(
        directory=_directory(props),
        owner=props["owner"],
        config=props["config"],
        host=props["host"],
        client_port=int(props["client_port"]),  # numbers come as floats
        monitor_port=int(props["monitor_port"]),
        cluster_port=int(props["cluster_port"]) if props.get("cluster_port") else None,
        peers=tuple(
            Peer(_directory(peer), int(peer["client_port"]), int(peer["monitor_port"]))
            for peer in props.get("peers") or ()
        ),
        ca=props.get("ca"),
        tls_files=props.get("tls_files") or {},
        encryption_key=props.get("encryption_key"),
    )


def _previous(props: Mapping[str, Any]) -> Server | None:
    """The server in the state."""
    if "pid" not in props:
        return None
    return Server(
        directory=_directory(props),
        owner=props["owner"],
        data_made=props["data_made"],
        host=props["host"],
        ports=_spec(props).ports,
        process=Process(int(props["pid"]), props["started"]),
    )


def _inputs(props: Mapping[str, Any]) -> Properties:
    return {key: props[key] for key in INPUTS if key in props}


def _outputs(props: Mapping[str, Any], ready: Ready) -> Properties:
    process = ready.server.process
    return {
        **_inputs(props),
        "pid": process and process.pid,
        "started": process and process.started,
        "data_made": ready.server.data_made,
        "version": ready.greeting.version,
    }
