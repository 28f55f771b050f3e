"""The server of a stack that makes it itself, or whose login is in the stack's settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from provisioner.providers.endpoint import Endpoint, StreamOptions
from provisioner.resources.declared import Declared
from provisioner.resources.server import Server


class StackServer(Server):
    """The one server of a stack; everything on it depends on the stack's ``Estate``, by the program's own options.

    Args:
        endpoint: where it is.
        options: what holds for everything on it.
    """

    def __init__(self, endpoint: Endpoint, options: StreamOptions) -> None:
        # Not as a Server begins: the url has been checked with the settings, and there is neither login nor gate.
        self.on_delete = options.on_delete
        run = {"owner": options.owner, "backup_to": options.backup_to}
        self._properties = {**endpoint.properties(), **{key: value for key, value in run.items() if value is not None}}

    def properties(self) -> Mapping[str, Any]:
        """What each resource on it is registered with."""
        return self._properties

    def enter(self, _declared: Declared) -> list[pulumi.Input[pulumi.Resource]]:
        """It has no gate."""
        return []
