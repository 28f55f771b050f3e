"""The gate of a server: a resource of a program's own that refuses for the whole run, once the program has said all.

Pulumi registers a resource when the program's top level is over. So what is declared there waits for the gate, and the
gate, which is registered first, has it all: nothing of the run is touched until it has let everything through.
"""

from __future__ import annotations

import asyncio
import sys
from types import FrameType
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

import pulumi
from pulumi.runtime import get_root_resource

from provisioner.resources.declared import Declared, program_properties
from provisioner.resources.errors import ArgumentError
from provisioner.resources.estate import ServerEstate

if TYPE_CHECKING:
    from provisioner.resources.server import Server

_GATES: Final[WeakKeyDictionary[pulumi.Resource, dict[str, Gate]]] = WeakKeyDictionary()
# Pulumi's function that runs a program, and its variable with the exception that has ended it.
_RUNNER, _FAILURE = "run_pulumi_func", "ex"


class Gate:
    """The gate of one server.

    Raises:
        ArgumentError: another server of the program has the same name.
    """

    def __init__(self, server: Server) -> None:
        self.server = server
        self._declared: list[Declared] = []
        self._is_closed = False
        self._runner = _runner()
        self._resource = asyncio.ensure_future(self._close())
        self._kept: pulumi.Output[str] = pulumi.Output.from_input(
            self._described()
        )  # so that Pulumi waits for it, whoever else does

    def enter(self, declared: Declared) -> asyncio.Future[pulumi.Resource]:
        """Note what is declared; the resource that it has to wait for.

        Raises:
            ArgumentError: it is too late.
        """
        if self._is_closed:
            raise ArgumentError(
                f"{declared.what}: is declared after the program's top level, in an apply or a coroutine, where the "
                f"gate of server {self.server.name} does not see it; declare it at the top level, or give the Server "
                "gate=False"
            )
        self._declared.append(declared)
        return self._resource

    async def _described(self) -> str:
        return str(await self._resource)

    async def _close(self) -> pulumi.Resource:
        """Register the gate's resource; this runs when the top level of the program is over."""
        self._is_closed = True
        if failure := _failure(self._runner):
            raise failure
        return ServerEstate(self.server.name, self.server.properties(), program_properties(self._declared))


def gate_of(server: Server) -> Gate:
    """The gate of a server of this program: one for all that are said in the same words.

    Raises:
        ArgumentError: two that are not have one name.
    """
    root = get_root_resource()
    gates = _GATES.setdefault(root, {}) if root else {}
    gate = gates.get(server.name)
    if gate is None:
        gate = gates[server.name] = Gate(server)
    elif not server.is_same(gate.server):
        raise ArgumentError(f"Server {server.name}: another server has this name; give one of the two its own: name=…")
    return gate


def _runner() -> FrameType | None:
    """The frame of Pulumi's function that runs the program."""
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - what inspect.currentframe is
    while frame and frame.f_code.co_name != _RUNNER:
        frame = frame.f_back
    return frame


def _failure(runner: FrameType | None) -> BaseException | None:
    """What has ended the program; what it had yet to declare must not look as if it were to go."""
    found = runner.f_locals.get(_FAILURE) if runner else None
    return found if isinstance(found, BaseException) else None
