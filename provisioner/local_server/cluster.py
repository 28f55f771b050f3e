"""A server as a node of a cluster: when it may be stopped, and when it is back with all that it held.

nats-server's /healthz knows both: a node calls itself healthy when the cluster has a leader and its own replicas
are current. Right after a start it may do so before it knows what it lacks, so it has to stay healthy for a while.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from provisioner.errors import ProvisionerError
from provisioner.local_server import ports, server_dir

if TYPE_CHECKING:
    from collections.abc import Callable

    from provisioner.local_server.server_dir import Peer, Server, ServerSpec

# A node with gigabytes to catch up on takes a while; the deadline is for one that never does.
CURRENT_TIMEOUT_S: Final = 600.0
# A leader is elected within ten seconds.
SPARE_TIMEOUT_S: Final = 60.0
# Half of the nodes that came back with much to catch up on were healthy for a moment before that.
_STEADY_S: Final = 2.0
_LOOK_EVERY_S: Final = 0.1


class ClusterError(ProvisionerError):
    """A node is not what the others need it to be."""


def require_spare(spec: ServerSpec, server: Server) -> None:
    """Let a node be stopped only while all others are whole: no stream then goes without its majority.

    Raises:
        ClusterError: another node is not; nothing has been touched.
    """
    if server.directory != spec.directory or not _listening(spec):
        return
    wait_steadily(lambda: not _unhealthy(spec), SPARE_TIMEOUT_S)
    if problems := _unhealthy(spec):
        raise ClusterError(
            f"{spec.directory.path} has to be restarted, and waits for the other nodes of its cluster: "
            f"{'; '.join(problems)}; nothing is changed"
        )


def require_current(spec: ServerSpec) -> None:
    """Wait until a node's replicas are current; a cluster that has yet to be formed, by all its nodes, has none.

    Raises:
        ClusterError: they are not in time; the node runs on.
    """
    if not (_is_complete(spec) or _has_leader(spec)):
        return
    wait_steadily(lambda: ports.health_problem(spec.host, spec.monitor_port, spec.ca) is None, CURRENT_TIMEOUT_S)
    if problem := ports.health_problem(spec.host, spec.monitor_port, spec.ca):
        raise ClusterError(f"{spec.directory.path} runs, and is not current: {problem} (log: {spec.directory.log})")


def data_made(spec: ServerSpec) -> str | None:
    """When the cluster's data was made: a node that has lost its own gets it from the others."""
    records = (server_dir.read(peer.directory) for peer in spec.peers if peer.directory.data.is_dir())
    return next((record.data_made for record in records if record and record.owner == spec.owner), None)


def wait_steadily(condition: Callable[[], bool], timeout: float) -> None:
    """Return once it has held for a while, or after ``timeout`` seconds."""
    deadline, since = time.monotonic() + timeout, time.monotonic()
    while time.monotonic() < min(deadline, since + _STEADY_S):
        if not condition():
            since = time.monotonic() + _LOOK_EVERY_S
        time.sleep(_LOOK_EVERY_S)


def _listening(spec: ServerSpec) -> list[Peer]:
    return [peer for peer in spec.peers if ports.greeting(spec.host, peer.client_port, server_dir.ca(peer.directory))]


def _is_complete(spec: ServerSpec) -> bool:
    return bool(spec.peers) and len(_listening(spec)) == len(spec.peers)


def _has_leader(spec: ServerSpec) -> bool:
    return len(_unhealthy(spec)) < len(spec.peers)


def _unhealthy(spec: ServerSpec) -> list[str]:
    """A node that is about to speak TLS, or no more, is asked as it speaks now."""
    problems = (
        (peer, ports.health_problem(spec.host, peer.monitor_port, server_dir.ca(peer.directory))) for peer in spec.peers
    )
    return [f"{peer.directory.path}: {problem}" for peer, problem in problems if problem]
