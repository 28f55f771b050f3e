"""Whether the nodes of a cluster speak TLS with each other: one line of each node's configuration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from provisioner.local_server.server_dir import ServerDir, ServerSpec

# As infra.servers.nats_conf writes them into the block ``cluster``.
_ROUTES: Final = re.compile(r"^  routes: .*\n", re.MULTILINE)
_TLS: Final = re.compile(r"^  tls \{.*\n", re.MULTILINE)


def adapted(config: str, spec: ServerSpec, directory: ServerDir) -> str:
    """A node's configuration, with the line that another node is to have, about the node's own files.

    Args:
        config: the configuration as it is.
        spec: the other node as it should be.
        directory: where the node lives.
    """
    wanted = "".join(_TLS.findall(spec.config)).replace(str(spec.directory.path), str(directory.path))
    if wanted == "".join(_TLS.findall(config)):
        return config
    return _ROUTES.sub(lambda routes: routes[0] + wanted, _TLS.sub("", config))
