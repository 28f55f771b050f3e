"""A nats-server on this machine as a Pulumi resource: ``dynamic/jetstream:ServerProcess``.

Thin on purpose: Pulumi's state keeps a reference to the classes here for as long as a stack
lives, so their names stay; what they do is in `provisioner.local_server.supervisor`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)
from pulumi.output import Unknown

from provisioner.local_server import server_dir as server_home
from provisioner.local_server import supervisor as daemon
from provisioner.local_server.processes import Process
from provisioner.local_server.server_dir import Home, Server
from provisioner.local_server.supervisor import Ready, Wanted
from provisioner.providers.errors import one_line
from provisioner.reconcile.notices import notice_once

if TYPE_CHECKING:
    from collections.abc import Mapping

Properties = dict[str, Any]

RUNNING: Final = "running"
STOPPED: Final = "stopped"
INPUTS: Final = ("folder", "owner", "config", "host", "client_port", "monitor_port", "on_delete", "status")


class ServerProcessProvider(ResourceProvider):
    """A server that died, lost its files or has another configuration is changed, never replaced.

    So Pulumi knows it until it is destroyed, and what it left on the disk is cleared then.
    """

    serialize_as_secret_always = False

    @one_line
    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Find in the preview of a first `up` what would stop it."""
        new = not _olds and _is_known(news)
        problems = daemon.problems(_wanted(news)) if new else ()
        return CheckResult(news, [CheckFailure("", problem) for problem in problems])

    @one_line
    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Compare what the program can say; the rest follows from it.

        Raises:
            ServerError: something is in the way of the change.
        """
        changes = any(_olds.get(key) != _news.get(key) for key in INPUTS)
        if changes and _is_known(_news):
            daemon.refuse(_wanted(_news), _remembered(_olds))
        return DiffResult(changes=changes)

    @one_line
    def create(self, props: Properties) -> CreateResult:
        """Start the server, or take over the one that runs in this folder for this owner."""
        if running := daemon.find(_home(props)):
            notice_once(f"{running.home.folder}: a server of this stack runs here already; it is taken over")
        ready = daemon.ensure(_wanted(props))
        return CreateResult(props["owner"], _outputs(props, ready))

    @one_line
    def read(self, id_: str, props: Properties) -> ReadResult:
        """Tell whether the server runs, and with which configuration."""
        home = _home(props)
        alive = daemon.find(home, _remembered(props))
        seen = {**props, "status": RUNNING if alive else STOPPED, "config": server_home.read_config(home)}
        return ReadResult(id_, seen, _inputs(seen))

    @one_line
    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Make it run as wanted: reload, restart or start it."""
        if _olds["folder"] != _news["folder"]:
            notice_once(f"{_news['folder']}: the server lives here now; its old data stays in {_olds['folder']}")
        return UpdateResult(_outputs(_news, daemon.ensure(_wanted(_news), _remembered(_olds))))

    @one_line
    def delete(self, _id: str, _props: Properties) -> None:
        """Stop the server; its data goes too when ``on_delete`` is ``delete``."""
        home = _home(_props)
        daemon.stop(home, _remembered(_props))
        if _props["on_delete"] == "delete":
            server_home.remove(home)


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

    def __init__(
        self, name: str, wanted: Wanted, *, on_delete: str, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare it.

        Args:
            name: Pulumi's name of the resource.
            wanted: The server.
            on_delete: ``delete`` removes the data with the server, anything else keeps it.
            opts: Pulumi's options.
        """
        found = dict.fromkeys(("pid", "started", "data_made", "version"))
        props = {**_properties(wanted), "on_delete": on_delete, **found}
        super().__init__(ServerProcessProvider(), name, props, opts)


def _is_known(props: Mapping[str, Any]) -> bool:
    return not any(isinstance(value, Unknown) for value in props.values())


def _home(props: Mapping[str, Any]) -> Home:
    return Home(Path(props["folder"]))


def _properties(wanted: Wanted) -> Properties:
    return {
        "folder": str(wanted.home.folder),
        "owner": wanted.owner,
        "config": wanted.config,
        "host": wanted.host,
        "client_port": wanted.client_port,
        "monitor_port": wanted.monitor_port,
        "status": RUNNING,
    }


def _wanted(props: Mapping[str, Any]) -> Wanted:
    return Wanted(
        home=_home(props),
        owner=props["owner"],
        config=props["config"],
        host=props["host"],
        client_port=int(props["client_port"]),  # numbers come as floats
        monitor_port=int(props["monitor_port"]),
    )


def _remembered(props: Mapping[str, Any]) -> Server | None:
    """The server as the state has it."""
    if "pid" not in props:
        return None
    return Server(
        home=_home(props),
        owner=props["owner"],
        data_made=props["data_made"],
        host=props["host"],
        ports=(int(props["client_port"]), int(props["monitor_port"])),
        process=Process(int(props["pid"]), props["started"]),
    )


def _inputs(props: Mapping[str, Any]) -> Properties:
    return {key: props[key] for key in INPUTS}


def _outputs(props: Mapping[str, Any], ready: Ready) -> Properties:
    process = ready.server.process
    return {
        **_inputs(props),
        "pid": process and process.pid,
        "started": process and process.started,
        "data_made": ready.server.data_made,
        "version": ready.greeting.version,
    }
